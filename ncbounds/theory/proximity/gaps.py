"""The gaps of the proof of `bnwd:theorem-2.1`: how they enter the loss, and what they share.

For each class, ``t`` is the margin of its mean and ``u`` are its rivals' logits (see
`proximity_steps`). The gaps, as the paper has them, are ``epsilon_1' = sum of e^u less
(C-1) e^{-t}`` of each class, ``epsilon_2' = mean of phi(t) less phi(mean t)`` and
``epsilon_3' = k alpha beta - mean t``. A gap of means becomes a bound on most classes through the
modulus of convexity of ``log(1 + (C-1) e^x) = phi(-x)``.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import (
    Condition,
    formula,
    nonnegative,
    positive,
    real,
)
from ncbounds.theory.proximity.first_steps import (
    ALPHA,
    BETA,
    CLASSES,
    FEATURES,
    NORMS,
    SIZES,
    WEIGHTS,
    Chain,
    chain,
    norm_hypotheses,
    numbers,
)
from ncbounds.theory.proximity.near_optimal_loss import last_layer, minimum_loss, phi, square_norm
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

_X = real("x", "point", "x")
_MARGIN = real("t", "margin of the class mean", "t")
_GAP = nonnegative("gap", "gap of the step from the rivals to their mean", r"\epsilon_1'")
_KAPPA = positive("kappa", "the paper's unspecified constant", r"\kappa")


# -- (17) and (18): the logarithm of a sum -----------------------------------------------


@formula(CLASSES, _MARGIN, _GAP)
def printed_log_sum(xp: Any, C: Any, t: Any, gap: Any) -> Any:
    """Lower bound (17) on the loss at a class mean, as printed."""
    other = (C - 1) * xp.exp(-t)
    return xp.log1p(other) + gap / (1 + other)


@formula(CLASSES, _MARGIN, _GAP)
def corrected_log_sum(xp: Any, C: Any, t: Any, gap: Any) -> Any:
    """Lower bound on the loss at a class mean: the tangent at the other end."""
    other = (C - 1) * xp.exp(-t)
    return xp.log1p(other) + gap / (1 + other + gap)


@formula(CLASSES, _MARGIN, _GAP)
def sharp_log_sum(xp: Any, C: Any, t: Any, gap: Any) -> Any:
    """Lower bound on the loss at a class mean, exact to second order in the gap."""
    other = (C - 1) * xp.exp(-t)
    return xp.log1p(other) + gap / (1 + other + gap / 2)


@formula(CLASSES, _MARGIN, _GAP)
def printed_over_classes(xp: Any, C: Any, t: Any, gap: Any) -> Any:
    """Lower bound (18) on the loss at a class mean."""
    return xp.log1p((C - 1) * xp.exp(-t)) + gap / C


@formula(
    CLASSES,
    _MARGIN,
    _GAP,
    conditions=(Condition("t >= 0", lambda xp, t, **_: t, strict=False),),
)
def sharp_over_classes(xp: Any, C: Any, t: Any, gap: Any) -> Any:
    """Lower bound on the loss at a class mean for any gap."""
    return xp.log1p((C - 1) * xp.exp(-t)) + gap / (C + gap / 2)


def log_sum_claim(lower: Any, capped: bool = False) -> Any:
    """Return the claim that `lower` is a lower bound on log(1 + (C-1) e^{-t} + gap).

    With `capped` this loss must be at most log C.
    """

    def judge(xp: Any, *, C: Any, t: Any, gap: Any) -> Judgement:
        other = (C - 1) * xp.exp(-t)
        cap = (Comparison("loss at most log C", other + gap, C - 1),) if capped else ()
        bound = lower(xp, C=C, t=t, gap=gap)
        return Judgement(cap, (Comparison("logarithm of the sum", bound, xp.log1p(other + gap)),))

    return judge


_LOG_SUM_FIELDS = (
    Field("C", (), "integer", least=3),
    Field("t"),
    Field("gap", (), "nonnegative"),
)
_LOG_SUM_FIELDS_18 = (
    Field("C", (), "integer", least=3),
    Field("t", (), "nonnegative"),
    Field("gap", (), "nonnegative"),
)
_LOSS_AT_MEAN = "loss at the class mean"

EQ_17 = Statement(
    id="bnwd:eq-17",
    kind="equation",
    title="The logarithm of a sum with the gap of the rivals",
    source=Source("bnwd", "(17), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "every gap",
            r"$\log(1 + (C-1)e^{-t} + \epsilon_1') \ge \log(1 + (C-1)e^{-t}) + "
            r"\frac{\epsilon_1'}{1 + (C-1)e^{-t}}$.",
            Claim(log_sum_claim(printed_log_sum), _LOG_SUM_FIELDS),
            (Bound(_LOSS_AT_MEAN, printed_log_sum, "lower"),),
            defect="The logarithm is concave: its tangent lies above it, so the inequality holds "
            "the other way round for every gap > 0. A tangent bounds from below only with the "
            "slope at the far end.",
        ),
        Variant(
            "corrected",
            "slope at the far end",
            r"$\log(1 + (C-1)e^{-t} + \epsilon_1') \ge \log(1 + (C-1)e^{-t}) + "
            r"\frac{\epsilon_1'}{1 + (C-1)e^{-t} + \epsilon_1'}$.",
            Claim(log_sum_claim(corrected_log_sum), _LOG_SUM_FIELDS),
            (Bound(_LOSS_AT_MEAN, corrected_log_sum, "lower"),),
        ),
        Variant(
            "sharp",
            "slope half way",
            r"$\log(1 + (C-1)e^{-t} + \epsilon_1') \ge \log(1 + (C-1)e^{-t}) + "
            r"\frac{\epsilon_1'}{1 + (C-1)e^{-t} + \epsilon_1'/2}$.",
            Claim(log_sum_claim(sharp_log_sum), _LOG_SUM_FIELDS),
            (Bound(_LOSS_AT_MEAN, sharp_log_sum, "lower"),),
            remark="The half is the least that serves: the second-order term of the logarithm.",
        ),
    ),
)

EQ_18 = Statement(
    id="bnwd:eq-18",
    kind="equation",
    title="The gap of the rivals enters the loss over C",
    source=Source("bnwd", "(18), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "a non-negative margin",
            r"If $t \ge 0$ then $\log(1 + (C-1)e^{-t} + \epsilon_1') \ge "
            r"\log(1 + (C-1)e^{-t}) + \epsilon_1'/C$.",
            Claim(log_sum_claim(printed_over_classes), _LOG_SUM_FIELDS_18),
            (Bound(_LOSS_AT_MEAN, printed_over_classes, "lower"),),
            defect="Inherited from (17). At t = 0 it fails for every gap > 0.",
        ),
        Variant(
            "corrected",
            "a loss of at most log C",
            r"If $(C-1)e^{-t} + \epsilon_1' \le C - 1$, that is if the loss at the class mean is "
            r"at most $\log C$, then $\log(1 + (C-1)e^{-t} + \epsilon_1') \ge "
            r"\log(1 + (C-1)e^{-t}) + \epsilon_1'/C$.",
            Claim(log_sum_claim(printed_over_classes, capped=True), _LOG_SUM_FIELDS),
            (Bound(_LOSS_AT_MEAN, printed_over_classes, "lower"),),
            remark="So (18) stands where the theorem uses it: a near-optimal network has no class "
            "above log C (bnwd:eq-9).",
        ),
        Variant(
            "sharp",
            "every gap",
            r"If $t \ge 0$ then $\log(1 + (C-1)e^{-t} + \epsilon_1') \ge \log(1 + (C-1)e^{-t}) + "
            r"\frac{\epsilon_1'}{C + \epsilon_1'/2}$.",
            Claim(log_sum_claim(sharp_over_classes), _LOG_SUM_FIELDS_18),
            (Bound(_LOSS_AT_MEAN, sharp_over_classes, "lower"),),
        ),
    ),
)


# -- the budget --------------------------------------------------------------------------


@formula(CLASSES, ALPHA, BETA)
def inner_reach(xp: Any, C: Any, alpha: Any, beta: Any) -> Any:
    """Upper bound on the inner product of one centred weight and its class mean."""
    return xp.sqrt(C * (C - 1)) * alpha * beta


def budget_claim(first: Any, capped: bool = False) -> Any:
    """Return the claim that the gaps share epsilon, the first as `first(xp, chain)` counts it.

    With `capped` the loss at each class mean must be at most log C.
    """

    def judge(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, epsilon: Any) -> Judgement:
        c = chain(xp, w, h)
        m = minimum_loss(xp, **numbers(c.net, alpha, beta))
        second, third = c.second_gap(xp), c.third_gap(xp, alpha, beta)
        spent = xp.mean(first(xp, c), axis=-1) + second - xp.expm1(-m) * third
        log_c = xp.log(0 * c.at_means + c.net.C)
        cap = (Comparison("loss at class means", c.at_means, log_c),) if capped else ()
        return Judgement(
            (
                *norm_hypotheses(c.net, alpha, beta),
                Comparison("near-optimal loss", c.net.loss, m + epsilon),
                *cap,
            ),
            (
                Comparison("second gap >= 0", 0 * second, second),
                Comparison("third gap >= 0", 0 * third, third),
                Comparison("budget", spent, epsilon),
            ),
        )

    return judge


def over_classes(xp: Any, c: Chain) -> Any:
    """The gap of the rivals over C, as in (18)."""
    return c.first_gaps(xp) / c.net.C


def over_the_sum(xp: Any, c: Chain) -> Any:
    """The gap of the rivals over e to the loss at the class mean."""
    return -xp.expm1(phi(xp, c.margins, c.rivals) - c.at_means)


def printed_class_norms(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any) -> Judgement:
    """The norm of one class mean by way of the sum of all, as printed."""
    net = last_layer(xp, h, w)
    lengths = xp.sqrt(square_norm(xp, xp.mean(h, axis=2)))
    total = xp.sum(lengths, axis=-1)
    return Judgement(
        norm_hypotheses(net, alpha, beta),
        (
            Comparison("one of all", lengths, total[:, None] + 0 * lengths),
            Comparison("all", total, xp.sqrt(0 * alpha + net.C) * alpha),
        ),
    )


def class_norms(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any) -> Judgement:
    """The norms of one class, and its inner product."""
    c = chain(xp, w, h)
    root = xp.sqrt(0 * alpha + c.net.C)
    lengths = xp.sqrt(square_norm(xp, xp.mean(h, axis=2)))
    weights = xp.sqrt(square_norm(xp, w - xp.mean(w, axis=1)[:, None, :]))
    reach = inner_reach(xp, **numbers(c.net, alpha, beta))
    rest = xp.sqrt(0 * beta + c.rivals)
    return Judgement(
        norm_hypotheses(c.net, alpha, beta),
        (
            Comparison("class mean", lengths, (root * alpha)[:, None] + 0 * lengths),
            Comparison("centred weight", weights, (rest * beta)[:, None] + 0 * weights),
            Comparison("inner product", xp.abs(c.inner), reach[:, None] + 0 * c.inner),
        ),
    )


_BUDGET_FIELDS = (
    WEIGHTS,
    FEATURES,
    *NORMS,
    Field("epsilon", (), "budget", hypothesis="near-optimal loss"),
)
_GAPS = (
    r"With $\epsilon_{1,c}'$ of (14), $\epsilon_2' = \frac1C\sum_c\phi(t_c) - \phi(\bar t)$, "
    r"$\epsilon_3' = \frac{C}{C-1}\alpha\beta - \bar t$ and $\gamma' = (C-1)"
    r"e^{-\frac{C}{C-1}\alpha\beta}$: if $\mathcal L \le m + \epsilon$"
)

BUDGET = Statement(
    id="bnwd:remark-budget",
    kind="remark",
    title="The budget of the gaps, and the norms of one class",
    source=Source("bnwd", "after (18), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "every epsilon",
            _GAPS + r" then $\frac1C\sum_c\frac{\epsilon_{1,c}'}{C} + \epsilon_2' + "
            r"\frac{\gamma'}{1+\gamma'}\epsilon_3' \le \epsilon$.",
            Claim(budget_claim(over_classes), _BUDGET_FIELDS, SIZES),
            defect="By (18), which needs losses of at most log C. The last step, in which a "
            "logarithm is replaced by its tangent at 1 + gamma', goes the wrong way too, but "
            "there the inequality holds: log(1 + gamma' e^x) is convex in x, and this is its "
            "tangent at 0.",
        ),
        Variant(
            "printed",
            "norms of one class",
            r"$|\tilde h_c| \le \sum_{c'}|\tilde h_{c'}| \le \sqrt C\alpha$.",
            Claim(printed_class_norms, (WEIGHTS, FEATURES, *NORMS), SIZES),
            defect="The sum of the norms can be C alpha; a sum of squares is meant.",
        ),
        Variant(
            "corrected",
            "losses of at most log C",
            _GAPS + r" and the loss at each class mean is at most $\log C$ then $\frac1C\sum_c"
            r"\frac{\epsilon_{1,c}'}{C} + \epsilon_2' + \frac{\gamma'}{1+\gamma'}\epsilon_3' "
            r"\le \epsilon$.",
            Claim(budget_claim(over_classes, capped=True), _BUDGET_FIELDS, SIZES),
            remark="For the epsilon of bnwd:eq-9 the further hypothesis holds of itself.",
        ),
        Variant(
            "corrected",
            "every epsilon",
            _GAPS + r" then $\frac1C\sum_c\frac{\epsilon_{1,c}'}{1 + (C-1)e^{-t_c} + "
            r"\epsilon_{1,c}'} + \epsilon_2' + \frac{\gamma'}{1+\gamma'}\epsilon_3' \le "
            r"\epsilon$.",
            Claim(budget_claim(over_the_sum), _BUDGET_FIELDS, SIZES),
        ),
        Variant(
            "corrected",
            "norms of one class",
            r"$|\tilde h_c| \le \sqrt C\alpha$, $|\dot w_c| \le \sqrt{C-1}\,\beta$ and so "
            r"$|\langle\dot w_c, \tilde h_c\rangle| \le \sqrt{C(C-1)}\,\alpha\beta$, where the "
            r"paper has $C\alpha\beta$.",
            Claim(class_norms, (WEIGHTS, FEATURES, *NORMS), SIZES),
            (Bound("inner product of one class", inner_reach, "upper"),),
            remark="Attained: all features zero but those of one class, whose centred weight is "
            "minus C - 1 times that of each other class.",
        ),
    ),
)


# -- the modulus -------------------------------------------------------------------------


@formula(CLASSES, _X)
def partition(xp: Any, C: Any, x: Any) -> Any:
    """The function log(1 + (C-1) e^x)."""
    return xp.log1p((C - 1) * xp.exp(x))


@formula(CLASSES, _X)
def curvature(xp: Any, C: Any, x: Any) -> Any:
    """Second derivative of log(1 + (C-1) e^x)."""
    return 1 / ((C - 1) * xp.exp(x) + 2 + xp.exp(-x) / (C - 1))


@formula(CLASSES, ALPHA, BETA, _KAPPA)
def printed_modulus(xp: Any, C: Any, alpha: Any, beta: Any, kappa: Any) -> Any:
    """Modulus of log(1 + (C-1) e^x) on the paper's interval, as printed."""
    return xp.exp(-kappa * C * alpha * beta)


@formula(CLASSES, ALPHA, BETA)
def modulus(xp: Any, C: Any, alpha: Any, beta: Any) -> Any:
    """Modulus of log(1 + (C-1) e^x) on the paper's interval: the largest one."""
    return curvature(xp, C=C, x=C * C / (C - 1) * alpha * beta)


@formula(CLASSES, ALPHA, BETA)
def modulus_exponential(xp: Any, C: Any, alpha: Any, beta: Any) -> Any:
    """Lower bound on the modulus: an exponential with its factor."""
    return (C - 1) / (C * C) * xp.exp(-C * C / (C - 1) * alpha * beta)


@formula(CLASSES, ALPHA, BETA)
def modulus_reached(xp: Any, C: Any, alpha: Any, beta: Any) -> Any:
    """Modulus of log(1 + (C-1) e^x) on the margins that a network can have."""
    return curvature(xp, C=C, x=C * xp.sqrt(C / (C - 1)) * alpha * beta)


def curvature_claim(xp: Any, *, C: Any, x: Any) -> Judgement:
    """The two forms of the second derivative."""
    attraction = (C - 1) * xp.exp(x)
    quotient = attraction / (1 + attraction) / (1 + attraction)
    return Judgement((), (Comparison("two forms", quotient, curvature(xp, C=C, x=x), "="),))


def inside(C: Any, product: Any, place: Any) -> Any:
    """A point of the paper's interval, whose ends are -+ C^2/(C-1) alpha beta."""
    return C * C / (C - 1) * product * (2 * place - 1)


def printed_modulus_claim(
    xp: Any, *, C: Any, product: Any, place: Any, ten_kappa: Any
) -> Judgement:
    """Printed: the second derivative is at least e^{-kappa C alpha beta} for a small kappa."""
    x = inside(C, product, place)
    least = printed_modulus(xp, C=C, alpha=product, beta=1, kappa=ten_kappa / 10)
    return Judgement((), (Comparison("modulus", least, curvature(xp, C=C, x=x)),))


def modulus_claim(xp: Any, *, C: Any, product: Any, place: Any) -> Judgement:
    """The largest modulus on the interval, below it an exponential, above it 1/4."""
    at = curvature(xp, C=C, x=inside(C, product, place))
    least = modulus(xp, C=C, alpha=product, beta=1)
    return Judgement(
        (),
        (
            Comparison("modulus", least, at),
            Comparison("exponential", modulus_exponential(xp, C=C, alpha=product, beta=1), least),
            Comparison("at most a quarter", 4 * at, 1 + 0 * at),
        ),
    )


def modulus_reached_claim(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any) -> Judgement:
    """The modulus on the margins that the norms allow."""
    c = chain(xp, w, h)
    at = curvature(xp, C=0 * c.margins + c.net.C, x=-c.margins)
    least = modulus_reached(xp, **numbers(c.net, alpha, beta))
    return Judgement(
        norm_hypotheses(c.net, alpha, beta),
        (Comparison("modulus", least[:, None] + 0 * at, at),),
    )


_C_FIELD = Field("C", (), "integer", least=2)
_PRODUCT = Field("product", (), "positive")
_PLACE = Field("place", (), "proportion")
_INTERVAL = r"$|x| \le \frac{C^2}{C-1}\alpha\beta$"

MODULUS = Statement(
    id="bnwd:remark-modulus",
    kind="remark",
    title="Second derivative and modulus of convexity of log(1 + (C-1) e^x)",
    source=Source("bnwd", "before (19), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "second derivative",
            r"The second derivative of $\log(1 + (C-1)e^x)$ is $\frac{(C-1)e^x}"
            r"{(1 + (C-1)e^x)^2} = 1/((C-1)e^x + 2 + \frac{1}{(C-1)e^x})$.",
            Claim(curvature_claim, (_C_FIELD, Field("x"))),
            (Bound("second derivative", curvature, "value"),),
        ),
        Variant(
            "printed",
            "modulus, every small kappa",
            "For " + _INTERVAL + r" the second derivative is at least $e^{-\kappa C\alpha\beta}$ "
            r"for small constant $\kappa > 0$, here every $\kappa < \frac1{10}$.",
            Claim(
                printed_modulus_claim,
                (_C_FIELD, _PRODUCT, _PLACE, Field("ten_kappa", (), "proportion")),
            ),
            (Bound("modulus", printed_modulus, "lower"),),
            defect="It fails at both ends. At the end of the interval the second derivative is of "
            "the order e^{-C^2 alpha beta/(C-1)}, so kappa must be above 1. And it never exceeds "
            "1/4, so without a factor in front no kappa serves alpha beta < log 4/(kappa C).",
        ),
        Variant(
            "corrected",
            "the modulus of the interval",
            "For " + _INTERVAL + r" the second derivative is at least $\lambda = 1/((C-1)e^R + 2 "
            r"+ \frac{e^{-R}}{C-1})$ with $R = \frac{C^2}{C-1}\alpha\beta$, its value at the right "
            r"end, and $\lambda \ge \frac{C-1}{C^2}e^{-R}$; nowhere is it more than "
            r"$\frac14$.",
            Claim(modulus_claim, (_C_FIELD, _PRODUCT, _PLACE)),
            (
                Bound("modulus", modulus, "lower"),
                Bound("modulus", modulus_exponential, "lower"),
            ),
            remark="The exponential is exact at alpha beta = 0 and off by a factor of at most "
            "C^2/(C-1)^2.",
        ),
        Variant(
            "sharp",
            "the margins of a network",
            r"The points $-t_c$ of a network lie even within $C\sqrt{C/(C-1)}\,\alpha\beta$ of "
            "zero, and the second derivative there is at least its value at the right end.",
            Claim(modulus_reached_claim, (WEIGHTS, FEATURES, *NORMS), SIZES),
            (Bound("modulus on the margins", modulus_reached, "lower"),),
            remark="Attained: all features zero but those of one class, which point away from "
            "their centred weight, minus C - 1 times that of each other class. So no argument "
            "from a modulus on all margins does better; one at their mean does "
            "(bnwd:remark-subset-sums).",
        ),
    ),
)

STATEMENTS = (EQ_17, EQ_18, BUDGET, MODULUS)
