"""What a regularised loss says about collapse: the sharp wordings of `bnwd:theorem-2.2`.

In the setting of `proximity`, with batch norm so that alpha = |gamma|, the regularised loss is
``L_reg = L + penalty`` with ``penalty = lambda/2 (alpha^2 + C beta^2)``, and m_reg(lambda) its
least value (`bnwd:remark-m-reg`). ``Lambda = sqrt(C) lambda``, ``k = C/(C-1)``, ``A = alpha beta``.

One inequality carries everything. The least value of ``phi(t) + (Lambda/k) t`` is m_reg(lambda),
so ``L + (Lambda/k) phi^{-1}(L) >= m_reg``: a loss of at most ``m_reg + epsilon - penalty`` has
``phi^{-1}(L) >= k (penalty - epsilon)/Lambda``, and ``1 - s = phi^{-1}(L)/(k A)`` is what the
guarantee of `bnwd:theorem-2.1` needs.
"""

from __future__ import annotations

import math
from typing import Any

from ncbounds.arithmetic.formula import Condition, formula, integer, nonnegative, positive
from ncbounds.theory.proximity.near_optimal_loss import (
    Network,
    bregman,
    class_mean,
    last_layer,
    phi,
    phi_inverse,
    square_norm,
)
from ncbounds.theory.terms import Bound, Claim, Comparison, Field, Judgement, Statement, Variant
from ncbounds.theory.weight_decay import objective, regularised

_C = integer("C", "number of classes", "C", at_least=2)
_LAMBDA = positive("lambda", "weight decay", r"\lambda")
_LARGER = positive("larger", "a larger weight decay", r"\lambda'")
_ALPHA = positive("alpha", "root mean square feature norm", r"\alpha")
_BETA = positive("beta", "root mean square weight norm", r"\beta")
_EPSILON = nonnegative("epsilon", "gap of the regularised loss above its minimum", r"\epsilon")
_NO_LESS = Condition(
    "larger >= lambda", lambda xp, larger, lambda_, **_: larger - lambda_, strict=False
)
_BELOW = Condition(
    "sqrt(C) larger < 1", lambda xp, C, larger, **_: 1 - C * larger * larger, strict=True
)

WEIGHTS = Field("w", ("C", "d"))
FEATURES = Field("h", ("C", "N", "d"), like="w")
#: The weight decay times sqrt(C), and the gap above the least regularised loss.
DECAY = Field("decay", (), "proportion")
GAP = Field("epsilon", (), "budget", hypothesis="near-optimal regularised loss")
SIZES = {"C": (2, 6), "N": (1, 4), "d": (1, 6)}


def penalty(net: Network, lambda_: Any) -> Any:
    """What weight decay adds to the loss: lambda/2 (alpha^2 + C beta^2)."""
    return lambda_ / 2 * (net.alpha * net.alpha + net.C * net.beta * net.beta)


def least_regularised(xp: Any, net: Network, lambda_: Any) -> Any:
    """The least regularised loss for the number of classes of a network."""
    return regularised.least(xp, C=0 * lambda_ + net.C, lambda_=lambda_)


def near_optimal(xp: Any, net: Network, lambda_: Any, epsilon: Any) -> Comparison:
    """The regularised loss is at most its least value plus epsilon."""
    found, optimum = net.loss + penalty(net, lambda_), least_regularised(xp, net, lambda_)
    return Comparison(GAP.hypothesis, found, optimum + epsilon)


# -- the split of the gap ------------------------------------------------------------------


def gap_identity(xp: Any, *, w: Any, h: Any, decay: Any) -> Judgement:
    """The exact split of L_reg - m_reg."""
    net = last_layer(xp, h, w)
    C, rivals = net.C, net.C - 1
    lambda_ = decay / xp.sqrt(0 * decay + C)
    best = objective.minimiser(xp, C=0 * decay + C, lambda_=decay)
    sigma = decay * rivals / C
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    spread = bregman(xp, net.margins - (net.k * best)[:, None, None], sigma[:, None, None])
    unequal = h - xp.sqrt(0 * decay + C)[:, None, None, None] * wdot[:, :, None, :]
    excess = net.losses - phi(xp, net.margins, rivals)
    return Judgement(
        (),
        (
            Comparison(
                "split of the gap",
                net.loss + penalty(net, lambda_) - least_regularised(xp, net, lambda_),
                class_mean(xp, spread)
                + lambda_ / 2 * class_mean(xp, square_norm(xp, unequal))
                + lambda_ * C / 2 * net.centre
                + class_mean(xp, excess),
                "=",
            ),
            Comparison("spread of margins >= 0", 0 * spread, spread),
            Comparison("off-class excess >= 0", phi(xp, net.margins, rivals), net.losses),
        ),
    )


# -- guarantees ----------------------------------------------------------------------------


@formula(_C, _LAMBDA, _ALPHA, _BETA, _EPSILON)
def alignment(xp: Any, C: Any, lambda_: Any, alpha: Any, beta: Any, epsilon: Any) -> Any:
    """Lower bound (penalty - epsilon)/(Lambda alpha beta) on the alignment 1 - s."""
    spent = lambda_ / 2 * (alpha * alpha + C * beta * beta)
    return (spent - epsilon) / (xp.sqrt(C) * lambda_ * alpha * beta)


@formula(_C, _LAMBDA, _ALPHA, _BETA, _EPSILON)
def simple_gap(xp: Any, C: Any, lambda_: Any, alpha: Any, beta: Any, epsilon: Any) -> Any:
    """Upper bound epsilon/(Lambda alpha beta) on the proximity gap s."""
    return epsilon / (xp.sqrt(C) * lambda_ * alpha * beta)


@formula(_C, _LAMBDA, _LARGER, conditions=(_NO_LESS, _BELOW))
def a_priori_gap(xp: Any, C: Any, lambda_: Any, larger: Any) -> Any:
    """Upper bound 1 - lambda/lambda' on the proximity gap s."""
    return 1 - lambda_ / larger


@formula(_C, _LAMBDA, _LARGER, conditions=(_NO_LESS, _BELOW))
def excess_allowed(xp: Any, C: Any, lambda_: Any, larger: Any) -> Any:
    """Gap of the regularised loss up to which lambda' serves: m_reg(lambda') - m_reg(lambda)."""
    return regularised.least(xp, C=C, lambda_=larger) - regularised.least(xp, C=C, lambda_=lambda_)


def matching_decay(C: int, lambda_: float, epsilon: float) -> float | None:
    """The weight decay whose least regularised loss is epsilon above that of ``lambda_``.

    With it as lambda' the a priori guarantee is the best that (C, lambda, epsilon) give. None
    where every regularised loss of the zero network is allowed: then there is no guarantee. Found
    by bisection in floats: `excess_allowed` over balls certifies it.

    >>> round(1 - 0.1 / 10**0.5 / matching_decay(10, 0.1 / 10**0.5, 0.01), 5)
    0.02411
    """

    def least(decay: float) -> float:
        p = (C - 1) / C * decay
        return p * math.log(C / decay - (C - 1)) - math.log1p(-p)

    low, high = lambda_ * math.sqrt(C), 1.0
    if not 0 < low < 1 or least(low) + epsilon >= math.log(C):
        return None
    wanted = least(low) + epsilon
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if least(middle) < wanted else (low, middle)
    return high / math.sqrt(C)


def aligned(xp: Any, w: Any, h: Any, net: Network, least: Any) -> tuple[Comparison, ...]:
    """What follows when phi^{-1}(L) is at least ``least`` times k alpha beta, for 0 <= least <= 1.

    The guarantees of the sharp bnwd:theorem-2.1, with s = 1 - least.
    """
    means = xp.mean(h, axis=2)
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    spread = class_mean(xp, square_norm(xp, h - means[:, :, None, :]))
    variability = spread / (net.alpha * net.alpha)
    stacked = xp.sum(square_norm(xp, means), axis=-1) * xp.sum(square_norm(xp, wdot), axis=-1)
    product = xp.sum(xp.sum(wdot * means, axis=-1), axis=-1)
    apart = h / net.alpha[:, None, None, None] - wdot[:, :, None, :] / net.b[:, None, None, None]
    share = product * product / stacked * (1 - variability)
    off_centre = 1 - net.centre / (net.beta * net.beta)
    margin = net.k * net.alpha * net.beta * least
    return (
        Comparison("margin of the loss", margin, phi_inverse(xp, net.loss, net.C - 1)),
        Comparison("alignment", least * least, share * off_centre),
        Comparison("NC1", variability, 1 - least * least),
        Comparison("NC3", 1 - product / xp.sqrt(stacked), 1 - least),
        Comparison("distance", class_mean(xp, square_norm(xp, apart)), 2 * (1 - least)),
    )


def at_measured_norms(xp: Any, *, w: Any, h: Any, decay: Any, epsilon: Any) -> Judgement:
    """The guarantee from the gap of the regularised loss and the norms."""
    net = last_layer(xp, h, w)
    lambda_ = decay / xp.sqrt(0 * decay + net.C)
    given = {"C": 0 * decay + net.C, "lambda_": lambda_, "alpha": net.alpha, "beta": net.beta}
    least = alignment(xp, **given, epsilon=epsilon)
    return Judgement(
        (
            near_optimal(xp, net, lambda_, epsilon),
            Comparison("gap below the penalty", epsilon, penalty(net, lambda_)),
        ),
        (
            *aligned(xp, w, h, net, least),
            Comparison("simple", 1 - least, simple_gap(xp, **given, epsilon=epsilon)),
        ),
    )


def a_priori(xp: Any, *, w: Any, h: Any, larger: Any, excess: Any) -> Judgement:
    """The guarantee that knows nothing but the weight decay, and a larger one.

    The larger one is given, times sqrt(C), and by how much less than its penalty the smaller one's
    is: the least that makes the regularised loss optimal for the larger one is known.
    """
    net = last_layer(xp, h, w)
    other = larger / xp.sqrt(0 * larger + net.C)
    full = penalty(net, other)
    allowed = least_regularised(xp, net, other)
    return Judgement(
        (
            Comparison("optimal for a larger weight decay", net.loss + full, allowed + excess),
            Comparison("a weight decay", excess, full),
        ),
        aligned(xp, w, h, net, 1 - excess / full),
    )


_NOTHING_ELSE = (
    r"the relative within-class variability is at most $1 - \rho^2$, the cosine of stacked centred "
    r"weights and stacked class means at least $\rho$, $\overline{|h/\alpha - \dot w/b|^2} \le "
    r"2(1 - \rho)$"
)

SHARP = (
    Variant(
        "sharp",
        "identity (gap-reg)",
        r"With $\Lambda = \sqrt C\lambda < 1$, $\gamma^*$ of bnwd:proposition-a.1, $\sigma = "
        r"\frac{C-1}{C}\Lambda$ and $K(u) = \log(1 - \sigma + \sigma e^{-u}) + \sigma u$: "
        r"$\mathcal L_{reg} - m_{reg} = \overline{K(t - \tfrac{C}{C-1}\gamma^*)} + \frac\lambda2"
        r"\overline{|h - \sqrt C\dot w|^2} + \frac{\lambda C}{2}|\bar w|^2 + \overline{\ell - "
        r"\phi(t)}$, all terms non-negative.",
        Claim(gap_identity, (WEIGHTS, FEATURES, DECAY), SIZES),
        (Bound("least regularised loss", regularised.least, "value"),),
        remark="Spread of the margins, lack of self-duality with the balanced norms alpha = sqrt(C)"
        " beta, mean weight, unequal logits of the rivals: every network that is not collapsed "
        "pays for it in one of these.",
    ),
    Variant(
        "sharp",
        "guarantee from the regularised loss",
        r"Let $\mathcal L_{reg} \le m_{reg} + \epsilon$ with $\epsilon \le P = \frac\lambda2"
        r"(\alpha^2 + C\beta^2)$, and $\rho = \frac{P - \epsilon}{\Lambda\alpha\beta} \ge 1 - "
        r"\frac{\epsilon}{\Lambda\alpha\beta}$. Then " + _NOTHING_ELSE + r", and "
        r"$\phi^{-1}(\mathcal L) \ge \rho\,\frac{C}{C-1}\alpha\beta$.",
        Claim(at_measured_norms, (WEIGHTS, FEATURES, DECAY, GAP), SIZES),
        (
            Bound("alignment 1 - s", alignment, "lower", 0),
            Bound("proximity gap s", simple_gap, "upper", 1),
        ),
        remark="Linear in epsilon, no root and no constant. The loss need not be known to be "
        "below log C: it is below m_reg. Attained at every gap, by a simplex ETF of weights with "
        "two features a class, alpha = sqrt(C) beta, alpha beta > gamma* and mean margin k gamma*.",
    ),
    Variant(
        "sharp",
        "a priori",
        r"If $\mathcal L_{reg}(\lambda) \le m_{reg}(\lambda')$ for some $\lambda' \ge \lambda$ "
        r"with $\sqrt C\lambda' < 1$ then, with $\rho = \lambda/\lambda'$, " + _NOTHING_ELSE + r", "
        r"and $\phi^{-1}(\mathcal L) \ge \rho\,\frac{C}{C-1}\alpha\beta$.",
        Claim(
            a_priori,
            (
                WEIGHTS,
                FEATURES,
                Field("larger", (), "proportion"),
                Field("excess", (), "budget", hypothesis="optimal for a larger weight decay"),
            ),
            SIZES,
        ),
        (
            Bound("proximity gap s", a_priori_gap, "upper", 1),
            Bound("gap of the regularised loss allowed", excess_allowed, "value"),
        ),
        remark="A loss that would be optimal for a slightly larger weight decay is as near to "
        "collapse as the two are to each other; the norms need not be known. The worst case is "
        "attained, by a simplex ETF of weights with two features a class. For 10 classes, "
        "sqrt(C) lambda = 1/10 and a gap of 1/100 this gives s <= 0.0242; for 1/100 and 1/1000, "
        "s <= 0.0159.",
    ),
)

#: Its wordings are the sharp ones of bnwd:theorem-2.2, which `weight_decay_theorem` states.
STATEMENTS: tuple[Statement, ...] = ()
