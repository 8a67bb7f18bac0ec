"""The first steps of the proof of `bnwd:theorem-2.1`, line by line: from the loss to the norms.

The proof goes from the loss of a sample to the class means, from the rivals of a class to their
mean, from the classes to their mean and from there to the norms. What these steps lose is the
subject of `proximity_gaps`, what it says of most classes that of `proximity_classes`.

The setting is that of `proximity`. For each class, ``t = k <wdot_c, class mean>`` is the margin of
its mean and ``u_c' = <w_c' - w_c, class mean>`` are its rivals' logits, of mean ``-t``. The gaps,
as the paper has them, are ``epsilon_1' = sum of e^u less (C-1) e^{-t}`` of each class,
``epsilon_2' = mean of phi(t) less phi(mean t)`` and ``epsilon_3' = k alpha beta - mean t``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, positive
from ncbounds.theory.proximity.near_optimal_loss import (
    Network,
    bregman,
    last_layer,
    minimum_loss,
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

#: What bounds speak of.
CLASSES = integer("C", "number of classes", "C", at_least=2)
ALPHA = positive("alpha", "bound on the root mean square feature norm", r"\alpha")
BETA = positive("beta", "bound on the root mean square weight norm", r"\beta")

#: Fields and sizes of a network under the norm bounds.
WEIGHTS = Field("w", ("C", "d"))
FEATURES = Field("h", ("C", "N", "d"), like="w")
NORMS = (
    Field("alpha", (), "budget", hypothesis="feature norms"),
    Field("beta", (), "budget", hypothesis="weight norms"),
)
SIZES = {"C": (2, 6), "N": (1, 4), "d": (1, 6)}


# -- the gaps ------------------------------------------------------------------------


@dataclass(frozen=True)
class Chain:
    """What the chain of inequalities passes through; shapes (B, C) and (B,).

    `losses` are the mean losses of the classes, `at_means` the losses at their class means,
    `margins` t and `inner` those of the class means, `off_class` how far the logarithm of the
    mean of e^u lies above the mean of u.
    """

    net: Network
    losses: Any
    at_means: Any
    margins: Any
    inner: Any
    off_class: Any

    @property
    def rivals(self) -> int:
        """C - 1."""
        return self.net.C - 1

    def first_gaps(self, xp: Any) -> Any:
        """The gap epsilon_1' of each class."""
        return self.rivals * xp.exp(-self.margins) * xp.expm1(self.off_class)

    def second_gap(self, xp: Any) -> Any:
        """The gap epsilon_2' as a mean of Bregman gaps, which loses no digits."""
        centre = xp.mean(self.margins, axis=-1)
        slope = -xp.expm1(-phi(xp, centre, self.rivals))
        return xp.mean(bregman(xp, self.margins - centre[:, None], slope[:, None]), axis=-1)

    def third_gap(self, xp: Any, alpha: Any, beta: Any) -> Any:
        """The gap epsilon_3'."""
        return alpha * beta * self.net.C / self.rivals - xp.mean(self.margins, axis=-1)


def chain(xp: Any, w: Any, h: Any) -> Chain:
    """Compute the chain for weights w (B, C, d) and features h (B, C, N, d)."""
    net = last_layer(xp, h, w)
    means = last_layer(xp, xp.mean(h, axis=2)[:, :, None, :], w)
    return Chain(
        net=net,
        losses=xp.mean(net.losses, axis=-1),
        at_means=means.losses[..., 0],
        margins=means.margins[..., 0],
        inner=means.inner[..., 0],
        off_class=means.off_class[..., 0],
    )


def norm_hypotheses(net: Network, alpha: Any, beta: Any) -> tuple[Comparison, Comparison]:
    """The first two assumptions of the theorem."""
    return (
        Comparison("feature norms", net.alpha, alpha),
        Comparison("weight norms", net.beta, beta),
    )


def numbers(net: Network, alpha: Any, beta: Any) -> dict[str, Any]:
    """The parameters of a closed form in C, alpha and beta."""
    return {"C": 0 * alpha + net.C, "alpha": alpha, "beta": beta}


# -- (1)-(8): the loss of a class --------------------------------------------------------


def class_loss(xp: Any, *, w: Any, h: Any) -> Judgement:
    """Lines (1)-(8) for every class."""
    c = chain(xp, w, h)
    C, means = c.net.C, xp.mean(h, axis=2)
    everyone = xp.sum(xp.sum(w, axis=1)[:, None, :] * means, axis=-1)
    exponent = (everyone - C * xp.sum(w * means, axis=-1)) / (C - 1)
    at_margin = phi(xp, c.margins, c.rivals)
    return Judgement(
        (),
        (
            Comparison("(1) to (2), samples to their mean", c.at_means, c.losses),
            Comparison("(4) to (5), rivals to their mean", at_margin, c.at_means),
            Comparison("(5) to (8), the exponent", exponent, -c.margins, "="),
            Comparison("(1) to (8)", at_margin, c.losses),
        ),
    )


def class_softmax(xp: Any, *, w: Any, h: Any) -> Judgement:
    """Lines (1)-(2) with the probability of the true class, as typeset."""
    c = chain(xp, w, h)
    return Judgement(
        (),
        (Comparison("(1) to (2)", xp.exp(-c.at_means), xp.mean(xp.exp(-c.net.losses), axis=-1)),),
    )


def class_log_odds(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The mean log-odds of a class lie between the inverse of its mean loss and its margin."""
    c = chain(xp, w, h)
    log_odds = xp.mean(c.net.margins - c.net.off_class, axis=-1)
    return Judgement(
        (),
        (
            Comparison("log-odds", log_odds, c.margins),
            Comparison("inverse loss", phi_inverse(xp, c.losses, c.rivals), log_odds),
        ),
    )


EQ_1 = Statement(
    id="bnwd:eq-1",
    kind="equation",
    title="The mean loss of a class and the margin of its mean",
    source=Source("bnwd", "(1)-(8), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "softmax stands for the cross-entropy",
            r"For every class the mean loss is at least the loss at the class mean $\tilde h_c$, "
            r"and this at least $\log(1 + (C-1)e^{-t})$ with $t = \frac{C}{C-1}\langle\dot w_c, "
            r"\tilde h_c\rangle$.",
            Claim(class_loss, (WEIGHTS, FEATURES), SIZES),
            remark="Equality if the features of the class agree and all its rivals have one logit.",
        ),
        Variant(
            "printed",
            "softmax as typeset",
            r"The mean probability of the true class is at least the probability at the class "
            "mean.",
            Claim(class_softmax, (WEIGHTS, FEATURES), SIZES),
            defect="A slip: (1), (2), (9) and (10) write softmax for minus its logarithm, as (3) "
            "shows. The probability itself is neither convex nor concave in the logits.",
        ),
        Variant(
            "sharp",
            "log-odds",
            r"With $p = \phi^{-1}(\ell)$ of a sample, $\phi(t) = \log(1 + (C-1)e^{-t})$: "
            r"$\phi^{-1}(\bar\ell_c) \le \bar p_c \le t$, so $\bar\ell_c \ge \phi(\bar p_c) \ge "
            r"\phi(t)$ with a measured number in between.",
            Claim(class_log_odds, (WEIGHTS, FEATURES), SIZES),
        ),
    ),
)


# -- norms -------------------------------------------------------------------------------


def stacked_norms(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any) -> Judgement:
    """The norms of the stacked centred weights and class means, line by line."""
    net = last_layer(xp, h, w)
    C, means = net.C, xp.mean(h, axis=2)
    weights = xp.sum(square_norm(xp, w - xp.mean(w, axis=1)[:, None, :]), axis=-1)
    frobenius = xp.sum(square_norm(xp, w), axis=-1)
    features = xp.sum(square_norm(xp, means), axis=-1)
    lengths = xp.mean(xp.sqrt(square_norm(xp, h)), axis=-1)
    squares = xp.sum(xp.mean(square_norm(xp, h), axis=-1), axis=-1)
    return Judgement(
        norm_hypotheses(net, alpha, beta),
        (
            Comparison("weights, expanded", weights, frobenius - C * net.centre, "="),
            Comparison("weights, Frobenius norm", weights, frobenius),
            Comparison("weights", weights, C * beta * beta),
            Comparison(
                "features, triangle inequality", features, xp.sum(lengths * lengths, axis=-1)
            ),
            Comparison("features, mean square", xp.sum(lengths * lengths, axis=-1), squares),
            Comparison("features", features, C * alpha * alpha),
        ),
    )


def stacked_norms_exactly(xp: Any, *, w: Any, h: Any) -> Judgement:
    """What the two norms lose: the mean weight, and the variability within classes."""
    net = last_layer(xp, h, w)
    means = xp.mean(h, axis=2)
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    spread = xp.mean(square_norm(xp, h - means[:, :, None, :]), axis=-1)
    return Judgement(
        (),
        (
            Comparison(
                "weights",
                xp.mean(square_norm(xp, wdot), axis=-1),
                net.beta * net.beta - net.centre,
                "=",
            ),
            Comparison(
                "features",
                xp.mean(square_norm(xp, means), axis=-1),
                net.alpha * net.alpha - xp.mean(spread, axis=-1),
                "=",
            ),
        ),
    )


NORM_BOUNDS = Statement(
    id="bnwd:remark-norm-bounds",
    kind="remark",
    title="Norms of the stacked centred weights and class means",
    source=Source("bnwd", "after (8), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "line by line",
            r"$\sum_c|\dot w_c|^2 = \|W\|_F^2 - C|\bar w|^2 \le \|W\|_F^2 \le C\beta^2$ and "
            r"$\sum_c|\tilde h_c|^2 \le \sum_c(\frac1N\sum_i|h_{c,i}|)^2 \le "
            r"\frac1N\sum_{c,i}|h_{c,i}|^2 \le C\alpha^2$.",
            Claim(stacked_norms, (WEIGHTS, FEATURES, *NORMS), SIZES),
        ),
        Variant(
            "sharp",
            "what is lost",
            r"With $\alpha$ and $\beta$ the root mean square norms themselves, "
            r"$\overline{|\dot w|^2} = \beta^2 - |\bar w|^2$ and $\overline{|\tilde h|^2} = "
            r"\alpha^2 - \overline{|h - \tilde h|^2}$.",
            Claim(stacked_norms_exactly, (WEIGHTS, FEATURES), SIZES),
        ),
    ),
)


# -- the least loss ----------------------------------------------------------------------


def least_loss(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any) -> Judgement:
    """The chain from the mean loss down to m, and the simplex that attains m."""
    c = chain(xp, w, h)
    C, rivals = c.net.C, c.rivals
    m = minimum_loss(xp, **numbers(c.net, alpha, beta))
    of_margins = xp.mean(phi(xp, c.margins, rivals), axis=-1)
    of_mean = phi(xp, xp.mean(c.margins, axis=-1), rivals)
    simplex = [[C - 1 if j == r else -1 for j in range(C)] for r in range(C)]
    rows = xp.stack([xp.stack([0 * alpha + x for x in row], axis=-1) for row in simplex], axis=1)
    rows = rows / xp.sqrt(0 * alpha + C * (C - 1))[:, None, None]
    best = last_layer(xp, (rows * alpha[:, None, None])[:, :, None, :], rows * beta[:, None, None])
    return Judgement(
        norm_hypotheses(c.net, alpha, beta),
        (
            Comparison("class by class", of_margins, c.net.loss),
            Comparison("classes to their mean", of_mean, of_margins),
            Comparison("margins to norms", m, of_mean),
            Comparison("least", m, c.net.loss),
            Comparison("attained by a simplex", best.loss, m, "="),
        ),
    )


MIN_LOSS = Statement(
    id="bnwd:remark-min-loss",
    kind="remark",
    title="The least mean loss under the norm bounds",
    source=Source("bnwd", "before (9), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "at least C - 1 dimensions",
            r"$\mathcal L \ge \frac1C\sum_c\phi(t_c) \ge \phi(\bar t) \ge m = \log(1 + (C-1) "
            r"e^{-\frac{C}{C-1}\alpha\beta})$, and equality is attained: by weights and features "
            r"at the vertices of a regular simplex, scaled to $\beta$ and $\alpha$.",
            Claim(least_loss, (WEIGHTS, FEATURES, *NORMS), SIZES),
            (Bound("mean loss", minimum_loss, "lower"),),
            remark="The lower bound holds in every dimension d; a simplex of C vertices needs "
            "d >= C - 1. The form of the theorem in the appendix leaves out d >= C, and for "
            "smaller d its m is no minimum.",
        ),
    ),
)


# -- (9)-(16): the gap of the inner step, and how small epsilon must be ---------------------


@formula(CLASSES, ALPHA, BETA)
def no_class_lost(xp: Any, C: Any, alpha: Any, beta: Any) -> Any:
    """Gap of the loss up to which no class can have a mean loss above log C."""
    rest = xp.log1p((C - 1) * xp.exp(-C / (C - 1) * (C / (C - 1)) * alpha * beta))
    least = xp.log1p((C - 1) * xp.exp(-C / (C - 1) * alpha * beta))
    return xp.log(C) / C + (C - 1) * rest / C - least


def inner_gap(xp: Any, *, w: Any, h: Any) -> Judgement:
    """Lines (9)-(16): the rivals' exponentials and their mean."""
    c = chain(xp, w, h)
    log_sum = xp.log(xp.expm1(c.at_means))
    total = phi(xp, c.margins, c.rivals) + xp.log1p(
        c.first_gaps(xp) * xp.exp(-phi(xp, c.margins, c.rivals))
    )
    return Judgement(
        (),
        (
            Comparison("(9) to (10)", c.at_means, c.losses),
            Comparison("(13) to (16)", c.at_means, total, "="),
            Comparison("gap >= 0", xp.log(0 * log_sum + c.rivals) - c.margins, log_sum),
        ),
    )


def nonnegative_margins(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any) -> Judgement:
    """Near-optimal, up to an explicit gap: no class has a loss above log C."""
    c = chain(xp, w, h)
    given = numbers(c.net, alpha, beta)
    allowed = minimum_loss(xp, **given) + no_class_lost(xp, **given)
    return Judgement(
        (
            *norm_hypotheses(c.net, alpha, beta),
            Comparison("near-optimal loss", c.net.loss, allowed),
        ),
        (
            Comparison("loss of each class", c.losses, xp.log(0 * c.losses + c.net.C)),
            Comparison("inner product of each class", 0 * c.inner, c.inner),
        ),
    )


EQ_9 = Statement(
    id="bnwd:eq-9",
    kind="equation",
    title="The gap of the step from the rivals to their mean",
    source=Source("bnwd", "(9)-(16), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "softmax stands for the cross-entropy",
            r"Let $\epsilon_1' = \sum_{c' \ne c} e^{\langle w_{c'} - w_c, \tilde h_c\rangle} - "
            r"(C-1)e^{-t}$ for a class. Its loss at the class mean is "
            r"$\log(1 + (C-1)e^{-t} + \epsilon_1')$, at most its mean loss, and "
            r"$\epsilon_1' \ge 0$.",
            Claim(inner_gap, (WEIGHTS, FEATURES), SIZES),
            remark="The sign of the gap is compared in logarithms. For C = 2 there is one rival "
            "and the gap is zero.",
        ),
        Variant(
            "printed",
            "sufficiently small epsilon, read with an explicit one",
            r"If $\mathcal L \le m + \epsilon$ with $\epsilon \le \frac1C\log C + \frac{C-1}{C}"
            r"\phi(\frac{C^2}{(C-1)^2}\alpha\beta) - m$ then $\langle\dot w_c, \tilde h_c\rangle "
            r"\ge 0$ for every class, whose mean loss is even at most $\log C$.",
            Claim(nonnegative_margins, (WEIGHTS, FEATURES, *NORMS), SIZES),
            (Bound("gap up to which no class is lost", no_class_lost, "value"),),
            remark="The gap allowed is positive for every alpha beta > 0: it is what a class at "
            "log C costs if the others share all margin.",
        ),
    ),
)


STATEMENTS = (EQ_1, NORM_BOUNDS, MIN_LOSS, EQ_9)
