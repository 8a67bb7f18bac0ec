"""Alignment of features with weights, from as much as is measured of a run.

The mean margin of a last layer is the product of a cosine with what is left of the features after
averaging within classes: ``mean t = T cos sqrt(1 - var)``. Whatever bounds the mean margin from
below therefore bounds both, and there are three such levels, each better than the one before it:
the mean loss, the mean log-odds, the mean margin itself. The C x C matrix of mean logits says
more: it shows the class means as far as the weights see them.

The setting is that of `proximity`; a bias is allowed, so features may be centred first. ``T`` is
``C/(C-1) alpha b``, var the within-class variability relative to alpha^2, cos the cosine of the
stacked centred weights and the stacked class means.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.arithmetic.formula import Parameter, formula, integer, nonnegative, positive, real
from ncbounds.theory.proximity.near_optimal_loss import (
    Network,
    class_mean,
    last_layer,
    phi,
    phi_inverse,
    square_norm,
)
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

_C = integer("C", "number of classes", "C", at_least=2)
_MARGIN = real("p", "mean log-odds or mean margin, or what the mean loss says of them", "p")
_ALPHA = positive("alpha", "root mean square feature norm", r"\alpha")
_BETA = positive("beta", "root mean square weight norm, centred or not", r"\beta")
_V = Parameter(
    "V",
    "measured within-class variability relative to alpha^2",
    "V",
    lower=Fraction(0),
    upper=Fraction(1),
    upper_open=True,
)
_Q = nonnegative("Q", "mean square norm of the projected class means", "Q")


# -- guarantees: functions of what is measured ---------------------------------------------


@formula(_C, _MARGIN, _ALPHA, _BETA)
def reach(xp: Any, C: Any, p: Any, alpha: Any, beta: Any) -> Any:
    """The share p/T of the largest mean margin T = C/(C-1) alpha beta."""
    return p * (C - 1) / (C * alpha * beta)


@formula(_C, _MARGIN, _ALPHA, _BETA)
def variability(xp: Any, C: Any, p: Any, alpha: Any, beta: Any) -> Any:
    """Upper bound on the within-class variability from a mean margin of at least p."""
    share = reach(xp, C=C, p=p, alpha=alpha, beta=beta)
    positive_part = xp.maximum(share, 0 * share)
    return 1 - positive_part * positive_part


@formula(_C, _MARGIN, _ALPHA, _BETA, _V)
def deficit_at_variability(xp: Any, C: Any, p: Any, alpha: Any, beta: Any, V: Any) -> Any:
    """Upper bound on 1 - cos from a mean margin of at least p, at a measured variability."""
    return 1 - reach(xp, C=C, p=p, alpha=alpha, beta=beta) / xp.sqrt(1 - V)


@formula(_C, _MARGIN, _ALPHA, _BETA)
def distance(xp: Any, C: Any, p: Any, alpha: Any, beta: Any) -> Any:
    """Upper bound on the mean squared distance of scaled features and weights."""
    return 2 - 2 * reach(xp, C=C, p=p, alpha=alpha, beta=beta)


@formula(_ALPHA, _Q)
def variability_from_projections(xp: Any, alpha: Any, Q: Any) -> Any:
    """Upper bound on the within-class variability from projections of the class means."""
    return 1 - Q / (alpha * alpha)


def cosine_deficit(xp: Any, share: Any) -> Any:
    """Upper bound on 1 - cos from the share p/T, any shape: 1 - share, and 2 unless p > 0."""
    return 2 - xp.is_positive(share) * (1 + share)


def centred_mean_logits(xp: Any, mean_logits: Any) -> Any:
    """Inner products of class means with centred weights: what mean logits say, (B, C, C).

    Row c of `mean_logits` is the mean of the logits over the samples of class c, less the bias.
    """
    return mean_logits - xp.mean(mean_logits, axis=-1)[..., None]


def mean_margin(xp: Any, mean_logits: Any) -> Any:
    """The mean margin, (B,), from mean logits (B, C, C)."""
    inner = centred_mean_logits(xp, mean_logits)
    C = inner.shape[1]
    return xp.sum(xp.stack([inner[:, c, c] for c in range(C)], axis=1), axis=1) / (C - 1)


def projected_squares(xp: Any, w: Any, mean_logits: Any, multipliers: Any) -> Any:
    """Lower bounds on the squared norms of the class means, (B, C), from mean logits.

    Any `multipliers` (B, C, C) do. The best are the solution of the normal equations, and then
    the bound is the squared norm of the projection of the class mean on the span of the centred
    weights: solve ``wdot wdot^T y_c = m_c`` for each row m_c of `centred_mean_logits`.
    """
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    known = xp.sum(multipliers * centred_mean_logits(xp, mean_logits), axis=-1)
    return 2 * known - square_norm(xp, xp.matmul(multipliers, wdot))


def best_multipliers(w: Any, mean_logits: Any) -> Any:
    """Multipliers (B, C, C) for `projected_squares`, by least squares in floats.

    What they are worth is certified by `projected_squares`, not here.
    """
    w, mean_logits = np.asarray(w, dtype=np.float64), np.asarray(mean_logits, dtype=np.float64)
    wdot = w - w.mean(axis=1, keepdims=True)
    gram = np.linalg.pinv(wdot @ np.swapaxes(wdot, -1, -2), hermitian=True)
    return centred_mean_logits(numpy_namespace(), mean_logits) @ gram


def quotient(xp: Any, x: Any, y: Any, otherwise: int) -> Any:
    """``x / y`` for y > 0, and `otherwise` where y = 0; y is a length, never negative."""
    there = xp.is_positive(y)
    return there * x / (y + (1 - there)) + (1 - there) * otherwise


# -- claims --------------------------------------------------------------------------------


def three_levels(xp: Any, *, w: Any, h: Any, bias: Any) -> Judgement:
    """NC1, NC3 and self-duality from the mean loss, the mean log-odds or the mean margin."""
    net = last_layer(xp, h, w, bias)
    means, wdot = xp.mean(h, axis=2), w - xp.mean(w, axis=1)[:, None, :]
    spread = class_mean(xp, square_norm(xp, h - means[:, :, None, :]))
    kept = xp.mean(square_norm(xp, means), axis=-1) / class_mean(xp, square_norm(xp, h))
    stacked = xp.sum(square_norm(xp, means), axis=-1) * xp.sum(square_norm(xp, wdot), axis=-1)
    product = xp.sum(xp.sum(wdot * means, axis=-1), axis=-1)
    cosine = quotient(xp, product, xp.sqrt(stacked), -1)
    scaled = h / net.alpha[:, None, None, None] - wdot[:, :, None, :] / net.b[:, None, None, None]
    apart = class_mean(xp, square_norm(xp, scaled))

    of_bias = (net.k[:, None] * (bias - xp.mean(bias, axis=1)[:, None]))[..., None]
    margin = class_mean(xp, net.margins)
    most = net.k * net.alpha * net.b  # added to both sides where they may vanish
    levels = (phi_inverse(xp, net.loss, net.C - 1), class_mean(xp, log_odds(net)), margin)
    numbers = {"C": 0 * net.loss + net.C, "alpha": net.alpha, "beta": net.b}

    def at_each(bound: Any) -> Any:
        """A bound at the three levels, (B, 3)."""
        return xp.stack([bound(p) for p in levels], axis=1)

    def at_variability(p: Any) -> Any:
        """The deficit at the measured variability, and 2 where there is no class mean."""
        return 1 - quotient(xp, reach(xp, **numbers, p=p), xp.sqrt(kept), -1)

    same = xp.stack([0 * margin] * 3, axis=1)
    return Judgement(
        (),
        (
            Comparison(
                "loss of a sample", net.losses, phi(xp, log_odds(net) + of_bias, net.C - 1), "="
            ),
            Comparison("levels", xp.stack(levels[:2], axis=1), xp.stack(levels[1:], axis=1)),
            Comparison("mean margin", most + margin, most * (1 + cosine * xp.sqrt(kept)), "="),
            Comparison(
                "NC1",
                same + (spread / (net.alpha * net.alpha))[:, None],
                at_each(lambda p: variability(xp, **numbers, p=p)),
            ),
            Comparison(
                "NC3",
                same + (1 - cosine)[:, None],
                at_each(lambda p: cosine_deficit(xp, reach(xp, **numbers, p=p))),
            ),
            Comparison("NC3 at NC1", same + (1 - cosine)[:, None], at_each(at_variability)),
            Comparison(
                "distance",
                same + apart[:, None],
                at_each(lambda p: distance(xp, **numbers, p=p)),
            ),
            Comparison("distance, margin", 4 - apart, 4 - distance(xp, **numbers, p=margin), "="),
        ),
    )


def log_odds(net: Network) -> Any:
    """Of each sample log(C-1) plus the log-odds of its class, less what the bias adds: t - G."""
    return net.margins - net.off_class


def from_mean_logits(xp: Any, *, w: Any, h: Any, multipliers: Any) -> Judgement:
    """NC1, of each class and of all, from the matrix of mean logits less the bias."""
    C, means, wdot = w.shape[1], xp.mean(h, axis=2), w - xp.mean(w, axis=1)[:, None, :]
    spread = xp.mean(square_norm(xp, h - means[:, :, None, :]), axis=-1)
    whole = xp.mean(square_norm(xp, h), axis=-1)
    alpha = xp.sqrt(xp.mean(whole, axis=-1))
    logits = xp.matmul(means, xp.matrix_transpose(w))
    squares = projected_squares(xp, w, logits, multipliers)
    margin = xp.sum(xp.sum(wdot * means, axis=-1), axis=-1) / (C - 1)
    most = C * alpha * xp.sqrt(xp.mean(square_norm(xp, wdot), axis=-1)) / (C - 1)
    return Judgement(
        (),
        (
            Comparison("mean margin", most + margin, most + mean_margin(xp, logits), "="),
            Comparison("spread of a class", spread, whole - squares),
            Comparison(
                "NC1",
                xp.mean(spread, axis=-1) / (alpha * alpha),
                variability_from_projections(xp, alpha=alpha, Q=xp.mean(squares, axis=-1)),
            ),
        ),
    )


_FIELDS = (Field("w", ("C", "d")), Field("h", ("C", "N", "d"), like="w"), Field("bias", ("C",)))
_SIZES = {"C": (2, 6), "N": (1, 6), "d": (1, 8)}

SHARP_1 = Statement(
    id="bnwd:sharp-1",
    kind="theorem",
    title="Alignment and variability from the mean loss, log-odds, margin or logits",
    source=Source("bnwd", "ncbounds: sharp form of Theorem 2.1, NC1 and NC3"),
    topic="alignment",
    variants=(
        Variant(
            "sharp",
            "three levels of information",
            r"With $p = \phi^{-1}(\ell)$ for every sample, $t = \frac{C}{C-1}\langle\dot w_c, "
            r"h\rangle$ and $T = \frac{C}{C-1}\alpha b$: $\phi^{-1}(\mathcal L) \le \bar p \le "
            r"\bar t = T\cos\sqrt{1 - \mathrm{var}}$. Let $r$ be one of the first three, over $T$. "
            r"Then $\mathrm{var} \le 1 - [r]_+^2$, $\cos \ge r/\sqrt{1 - \mathrm{var}}$, "
            r"$\cos \ge r$ if $r > 0$, and $\overline{|h/\alpha - \dot w/b|^2} \le 2 - 2r$, with "
            r"equality for $\bar t$. The last layer may have a bias $a$: then $p = \phi^{-1}(\ell) "
            r"- \frac{C}{C-1}\dot a_c$ and $\ell = \phi(t - G + \frac{C}{C-1}\dot a_c)$.",
            Claim(three_levels, _FIELDS, _SIZES),
            (
                Bound("within-class variability", variability, "upper", 1),
                Bound("1 - cosine of weights and class means", deficit_at_variability, "upper", 2),
                Bound("mean squared distance to self-duality", distance, "upper", 4),
            ),
            remark="Nothing is assumed: a loss above log C only makes r negative, and the bounds "
            "say nothing then. The mean log-odds costs no more to measure than the mean loss and "
            "is never worse. Each level is attained: a simplex ETF of weights with two features a "
            "class about r times the weight, on either side of it (NC1, distance) or on the same "
            "(NC3), where all rivals have equal logits. With V = 0 the second bound is 1 - r.",
        ),
        Variant(
            "sharp",
            "from mean logits",
            r"Let $m_c$ be the mean logits of class $c$ less the bias, centred: $m_{cc'} = "
            r"\langle\dot w_{c'}, \bar h_c\rangle$. For all multipliers $y_c \in \mathbb R^C$ the "
            r"number $q_c = 2\langle y_c, m_c\rangle - |\sum_{c'} y_{cc'}\dot w_{c'}|^2$ is at "
            r"most $|\bar h_c|^2$, so the mean of $|h - \bar h_c|^2$ over the class is at most "
            r"$\alpha_c^2 - q_c$ and $\mathrm{var} \le 1 - \bar q/\alpha^2$. The mean margin "
            r"$\bar t$ is $\frac1{C-1}\sum_c m_{cc}$.",
            Claim(
                from_mean_logits,
                (*_FIELDS[:2], Field("multipliers", ("C", "C"))),
                {"C": (2, 5), "N": (1, 4), "d": (1, 6)},
            ),
            (Bound("within-class variability", variability_from_projections, "upper", 1),),
            remark="The best multipliers solve the normal equations; q is then the squared norm of "
            "the projection of the class mean on the span of the centred weights, and nothing "
            "better follows from weights, mean logits and feature norms: the rest may all be "
            "variability. Others are valid too, so that no solver is trusted.",
        ),
    ),
)

STATEMENTS = (SHARP_1,)
