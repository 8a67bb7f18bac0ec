r"""One class at a time: what the losses of a class say where the last layer is known.

`bnwd:sharp-3` is ours. Any probabilities pi on the rivals of a class c turn its losses into an
inner product with one direction that is known with the last layer,

    omega = w_c - sum of pi_r w_r,    H = entropy of pi,

and no class pays for another: there is no Markov inequality. A bias only moves the numbers. The
best pi is that of a softmax, found by `ncbounds.measure.rival_weights`; every other is a
certificate as well, so that no solver need be trusted.

The *log-odds* of a sample of loss l are ``-log(e^l - 1)``. Instances give w_c as omega plus the
mean of the rivals under pi: that is every last layer.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, nonnegative, positive
from ncbounds.theory.proximity.near_optimal_loss import phi, phi_inverse, square_norm
from ncbounds.theory.proximity.printed_theorem import mean_directions
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

_MARGIN = nonnegative("a", "mean log-odds, plus the entropy and what the biases give", "a")
_OMEGA = positive("omega", "norm of the direction omega", r"\omega")
_ALPHA = positive("alpha", "root mean square feature norm of the class", r"\alpha")


# -- guarantees: numbers in, numbers out -----------------------------------------------------


@formula(_MARGIN, _OMEGA, _ALPHA)
def variability_of_class(xp: Any, a: Any, omega: Any, alpha: Any) -> Any:
    """Upper bound on the variability of a class relative to its mean square norm."""
    return 1 - a * a / (omega * omega * alpha * alpha)


@formula(_MARGIN, _OMEGA, _ALPHA)
def cosine_of_class(xp: Any, a: Any, omega: Any, alpha: Any) -> Any:
    """Lower bound on the cosine of the class mean and omega."""
    return a / (omega * alpha)


@formula(_MARGIN, _OMEGA)
def norm_of_class(xp: Any, a: Any, omega: Any) -> Any:
    """Lower bound on the norm of the class mean."""
    return a / omega


def entropy(xp: Any, pi: Any) -> Any:
    """Entropy of positive probabilities over the last axis, in nats."""
    return -xp.sum(pi * xp.log(pi), axis=-1)


def margins_from_log_odds(xp: Any, log_odds: Any, pi: Any, offsets: Any) -> Any:
    """Guaranteed ``<omega, h>`` of samples of one class, from their losses and the last layer.

    `log_odds` (B, N) are -log(e^l - 1), `pi` (B, R) probabilities on the rivals and `offsets`
    (B, R) the biases of the rivals less that of the class. The mean is the a of the bounds.
    """
    return log_odds + (entropy(xp, pi) + xp.sum(pi * offsets, axis=-1))[:, None]


def mean_cosine_of_class(xp: Any, margins: Any, chosen: Any, omega: Any, alpha: Any) -> Any:
    """Lower bound on the mean cosine of the samples of a class and omega.

    `margins` (B, N) as `margins_from_log_odds` gives them, not negative for the `chosen` samples
    (B, N), marked by ones; `omega` and `alpha` (B,) are norms. Best is to choose all such samples.
    """
    kept = xp.maximum(margins, 0 * margins) * chosen
    roots = xp.mean(xp.sqrt(kept), axis=-1)
    return roots * roots / (omega * alpha) - (1 - xp.mean(chosen, axis=-1))


def norm_deviation(xp: Any, least: Any, alpha: Any) -> Any:
    """Upper bound on the standard deviation of numbers that lie between `least` and `alpha`.

    Of shape (B, C): for each class `norm_of_class` (zero where a < 0) and its rms feature norm.
    """
    middle, reach = (least + alpha) / 2, (alpha - least) / 2
    return deviation(xp, middle) + xp.sqrt(xp.mean(reach * reach, axis=-1))


def deviation(xp: Any, values: Any) -> Any:
    """Standard deviation over the last axis, of the whole population."""
    offsets = values - xp.mean(values, axis=-1)[:, None]
    return xp.sqrt(xp.mean(offsets * offsets, axis=-1))


# -- one class of an instance ------------------------------------------------------------------


def rival_log_sum(xp: Any, gaps: Any) -> Any:
    """``log sum of e^z`` over the rivals, the last axis: minus the log-odds of a sample."""
    top = xp.max(gaps, axis=-1)
    return top + xp.log(xp.sum(xp.exp(gaps - top[..., None]), axis=-1))


def rival_gaps(xp: Any, h: Any, own: Any, rivals: Any, offsets: Any) -> Any:
    """Logits of the rivals less that of the class: h (B, N, d) and own (B, d) to (B, N, R)."""
    gaps = xp.matmul(h, xp.matrix_transpose(rivals - own[:, None, :]))
    return gaps + offsets[:, None, :]


def probabilities(xp: Any, weights: Any) -> Any:
    """Positive weights over the last axis as probabilities."""
    return weights / xp.sum(weights, axis=-1)[..., None]


def _margins(
    xp: Any, rivals: Any, offsets: Any, weights: Any, direction: Any, h: Any
) -> tuple[Any, Any]:
    """The log-odds of the samples (B, N) and the <omega, h> that they guarantee."""
    pi = probabilities(xp, weights)
    own = direction + xp.sum(pi[..., None] * rivals, axis=1)
    log_odds = -rival_log_sum(xp, rival_gaps(xp, h, own, rivals, offsets))
    return log_odds, margins_from_log_odds(xp, log_odds, pi, offsets)


def _norm(xp: Any, vectors: Any) -> Any:
    return xp.sqrt(square_norm(xp, vectors))


def class_mean_claim(
    xp: Any, *, rivals: Any, offsets: Any, weights: Any, direction: Any, h: Any
) -> Judgement:
    """Margin, variability, cosine and norm of one class; a is not negative."""
    log_odds, margins = _margins(xp, rivals, offsets, weights, direction, h)
    a = xp.mean(margins, axis=-1)
    loss = xp.mean(phi(xp, log_odds, 1), axis=-1)
    from_loss = a - xp.mean(log_odds, axis=-1) + phi_inverse(xp, loss, 1)
    mean = xp.mean(h, axis=1)
    numbers = {"a": a, "omega": _norm(xp, direction)}
    alpha = xp.sqrt(xp.mean(square_norm(xp, h), axis=-1))
    inner = xp.sum(direction * mean, axis=-1)
    spread = xp.mean(square_norm(xp, h - mean[:, None, :]), axis=-1)
    return Judgement(
        (Comparison("a not negative", 0 * a, a),),
        (
            Comparison("margin", a, inner),
            Comparison("margin from the mean loss", from_loss, a),
            Comparison(
                "variability",
                spread / (alpha * alpha),
                variability_of_class(xp, **numbers, alpha=alpha),
            ),
            Comparison(
                "cosine",
                cosine_of_class(xp, **numbers, alpha=alpha),
                inner / (numbers["omega"] * _norm(xp, mean)),
            ),
            Comparison("norm", norm_of_class(xp, **numbers), _norm(xp, mean)),
        ),
    )


def mean_cosine_claim(
    xp: Any, *, rivals: Any, offsets: Any, weights: Any, direction: Any, h: Any, chosen: Any
) -> Judgement:
    """Mean cosine of the samples of a class with omega, and the intra-class cosine."""
    _, margins = _margins(xp, rivals, offsets, weights, direction, h)
    alpha = xp.sqrt(xp.mean(square_norm(xp, h), axis=-1))
    omega = _norm(xp, direction)
    least = mean_cosine_of_class(xp, margins, chosen, omega, alpha)
    of_directions = mean_directions(xp, h[:, None])[:, 0]
    kept = xp.maximum(least, 0 * least)
    return Judgement(
        (Comparison("chosen samples have a margin", 0 * margins, chosen * margins),),
        (
            Comparison("mean cosine", least, xp.sum(direction * of_directions, axis=-1) / omega),
            Comparison("intra-class cosine", kept * kept, square_norm(xp, of_directions)),
        ),
    )


def shortest_feature_identity(
    xp: Any, *, rivals: Any, offsets: Any, mu: Any, shortest: Any, others: Any, h: Any
) -> Judgement:
    """The exact split of alpha_c^2 - |h*|^2, and that no probabilities do better than h*'s.

    pi is the softmax of the rivals at `shortest` (the h* of the text), and omega = mu h*.
    """
    at_rivals = xp.sum(rivals * shortest[:, None, :], axis=-1) + offsets
    top = xp.max(at_rivals, axis=-1)
    pi = probabilities(xp, xp.exp(at_rivals - top[:, None]))
    omega = mu[:, None] * shortest
    own = omega + xp.sum(pi[..., None] * rivals, axis=1)
    f = rival_log_sum(xp, rival_gaps(xp, h, own, rivals, offsets))
    least = rival_log_sum(xp, rival_gaps(xp, shortest[:, None, :], own, rivals, offsets))[:, 0]
    away = h - shortest[:, None, :]
    excess = f - least[:, None] + xp.sum(omega[:, None, :] * away, axis=-1)
    distance = xp.mean(square_norm(xp, away), axis=-1)
    square = xp.mean(square_norm(xp, h), axis=-1)
    lag = xp.mean(f, axis=-1) - least
    other = probabilities(xp, others)
    direction = own - xp.sum(other[..., None] * rivals, axis=1)
    reached = margins_from_log_odds(xp, -least[:, None], other, offsets)[:, 0]
    best = _norm(xp, direction) * _norm(xp, shortest)
    return Judgement(
        (),
        (
            Comparison(
                "split of the mean square",
                distance + 2 / mu * xp.mean(excess, axis=-1),
                square - square_norm(xp, shortest) + 2 / mu * lag,
                "=",
            ),
            Comparison("excess of off-class logits >= 0", 0 * excess, excess),
            Comparison("no probabilities do better", reached, best),
        ),
    )


def equal_norms_claim(xp: Any, *, w: Any, bias: Any, weights: Any, h: Any) -> Judgement:
    """The norms of the class means of a network vary no more than the classes' losses allow.

    The coefficient of variation is multiplied out, as the mean of r may be zero.
    """
    C, means = w.shape[1], xp.mean(h, axis=2)
    pi = probabilities(xp, weights)
    least = []
    for c in range(C):
        others = [r for r in range(C) if r != c]
        rivals, offsets = w[:, others], bias[:, others] - bias[:, c : c + 1]
        direction = w[:, c] - xp.sum(pi[:, c][..., None] * rivals, axis=1)
        gaps = rival_gaps(xp, h[:, c], w[:, c], rivals, offsets)
        margins = margins_from_log_odds(xp, -rival_log_sum(xp, gaps), pi[:, c], offsets)
        a = xp.mean(margins, axis=-1)
        least.append(norm_of_class(xp, a=xp.maximum(a, 0 * a), omega=_norm(xp, direction)))
    found, known = _norm(xp, means), xp.stack(least, axis=1)
    alpha = xp.sqrt(xp.mean(square_norm(xp, h), axis=-1))
    at_most = norm_deviation(xp, known, alpha)
    return Judgement(
        (),
        (
            Comparison("deviation", deviation(xp, found), at_most),
            Comparison(
                "coefficient of variation",
                deviation(xp, found) * xp.mean(known, axis=-1),
                at_most * xp.mean(found, axis=-1),
            ),
        ),
    )


_LAYER = (
    Field("rivals", ("R", "d")),
    Field("offsets", ("R",)),
    Field("weights", ("R",), "positive"),
    Field("direction", ("d",)),
    Field("h", ("N", "d"), like="direction"),
)
_SIZES = {"R": (1, 7), "N": (1, 6), "d": (1, 8)}
_GIVEN = (
    r"Let $\pi$ be probabilities on the rivals of class $c$, $H(\pi)$ their entropy, $\omega = "
    r"w_c - \sum_r\pi_r w_r$ and $p = H(\pi) + \sum_r\pi_r(b_r - b_c) - \log(e^\ell - 1)$ for "
    r"every sample of the class, whose root mean square norm is $\alpha_c$. "
)

SHARP_3 = Statement(
    id="bnwd:sharp-3",
    kind="theorem",
    title="One class at a time, where the last layer is known",
    source=Source("bnwd", "ncbounds: sharp form of Theorem 2.1 for one class"),
    topic="one_class",
    variants=(
        Variant(
            "sharp",
            "class mean",
            _GIVEN + r"If $a = \bar p \ge 0$, the class mean $\tilde h_c$ has $\langle\omega, "
            r"\tilde h_c\rangle \ge a$, a norm of at least $a/|\omega|$ and with $\omega$ a cosine "
            r"of at least $\frac{a}{|\omega|\alpha_c}$, and the class a variability of at most "
            r"$1 - (\frac{a}{|\omega|\alpha_c})^2$ relative to $\alpha_c^2$. The mean loss "
            r"$\mathcal L_c$ in place of $\ell$ gives a smaller $a$.",
            Claim(class_mean_claim, _LAYER, _SIZES),
            (
                Bound("variability of the class", variability_of_class, "upper", 1),
                Bound("cosine of class mean and omega", cosine_of_class, "lower", -1),
                Bound("norm of the class mean", norm_of_class, "lower", 0),
            ),
            remark="Any probabilities will do; uniform ones have omega = C/(C-1) wdot_c and H = "
            "log(C-1). Equality where the rivals' logits stay in the proportions of pi.",
        ),
        Variant(
            "sharp",
            "mean cosine",
            _GIVEN + r"For every set $S$ of samples with $p \ge 0$, a share $q$ of the class, the "
            r"mean over the class of $\cos(h, \omega)$ is at least $\frac{\rho^2}{|\omega|\alpha_c}"
            r" - (1 - q)$, with $\rho$ the mean over the class of $\sqrt p$, zero outside $S$. "
            r"The intra-class cosine is at least the square of that where it is not negative.",
            Claim(mean_cosine_claim, (*_LAYER, Field("chosen", ("N",), "mask")), _SIZES),
            remark="The best S is that of all samples with p > 0.",
        ),
        Variant(
            "sharp",
            "identity (gap-W)",
            r"Let $f(h) = \log\sum_r e^{\langle w_r - w_c, h\rangle + b_r - b_c}$, and let "
            r"$\omega = \mu h_*$ for the probabilities of a softmax of the rivals at $h_*$. With "
            r"$G(h) = f(h) - f(h_*) + \langle\omega, h - h_*\rangle \ge 0$, over the class, "
            r"$\overline{|h - h_*|^2} + \frac2\mu\bar G = \alpha_c^2 - |h_*|^2 + \frac2\mu(\bar f "
            r"- f(h_*))$. If $\bar f = f(h_*)$, no probabilities give more than $|h_*|$ for "
            r"$a/|\omega|$, and these do.",
            Claim(
                shortest_feature_identity,
                (
                    Field("rivals", ("R", "d")),
                    Field("offsets", ("R",)),
                    Field("mu", (), "positive"),
                    Field("shortest", ("d",)),
                    Field("others", ("R",), "positive"),
                    Field("h", ("N", "d"), like="shortest"),
                ),
                _SIZES,
            ),
            remark="omega = mu h* says that h* is the shortest feature of its f: the gradient of "
            "f there is -omega. Every h* and mu > 0 belong to some w_c. Where the class' mean "
            "log-odds are -f(h*) the last term is zero, and the two defects of the left side "
            "share alpha_c^2 - |h*|^2.",
        ),
        Variant(
            "sharp",
            "equal norms",
            r"With $\pi$ and $a_c$ as above for every class, let $r_c = \max(a_c, 0)/|\omega_c|$. "
            r"The standard deviation of $|\tilde h_c|$ over the classes is at most $D = "
            r"\mathrm{std}(\frac{r + \alpha}2) + \frac12\mathrm{rms}(\alpha - r)$, and their "
            r"coefficient of variation at most $D/\bar r$.",
            Claim(
                equal_norms_claim,
                (
                    Field("w", ("C", "d")),
                    Field("bias", ("C",)),
                    Field("weights", ("C", "R"), "positive"),
                    Field("h", ("C", "N", "d"), like="w"),
                ),
                {"C": (2, 6), "N": (1, 4), "d": (1, 6)},
                {"R": lambda sizes: sizes["C"] - 1},
            ),
        ),
    ),
)

STATEMENTS = (SHARP_3,)
