"""Most classes and pairs: the ratios, rivals and pairs of the proof of `bnwd:theorem-2.1`.

Two bounds on most classes hold together for all but twice as many: that gives the ratio (21) of
inner products and norms, and NC3. The rivals of one class are bounded by `bnwd:lemma-a.2`, and the
pairs that meet every condition are counted.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import (
    formula,
    nonnegative,
)
from ncbounds.theory.proximity.first_steps import (
    ALPHA,
    BETA,
    CLASSES,
    FEATURES,
    NORMS,
    WEIGHTS,
    no_class_lost,
    norm_hypotheses,
    numbers,
)
from ncbounds.theory.proximity.gaps import modulus
from ncbounds.theory.proximity.most_classes import (
    DELTA,
    MODULUS,
    MODULUS_NAMED,
    SECOND,
    SHARE,
    SIZES,
    SUBSET,
    SUBSET_FIELDS,
    THIRD,
    deviation,
    largest,
    most,
)
from ncbounds.theory.proximity.near_optimal_loss import minimum_loss
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

_EPSILON = nonnegative("epsilon", "gap of the loss above its minimum", r"\epsilon")
_RATIO = nonnegative("ratio", "gap of the rivals over (C-1) e^m", r"\rho")


# -- (21): the ratio, and NC3 -----------------------------------------------------------------


@formula(CLASSES, ALPHA, BETA, SECOND, THIRD, DELTA, MODULUS)
def ratio_of_most(
    xp: Any, C: Any, alpha: Any, beta: Any, second: Any, third: Any, delta: Any, lambda_: Any
) -> Any:
    """Lower bound on the ratio of inner product and norms of most classes."""
    away = deviation(xp, second=second, delta=delta, lambda_=lambda_)
    return 1 - (C - 1) / (C * alpha * beta) * (third / delta + 2 * away)


@formula(CLASSES, ALPHA, BETA, SECOND, THIRD, DELTA, MODULUS)
def printed_ratio_of_most(
    xp: Any, C: Any, alpha: Any, beta: Any, second: Any, third: Any, delta: Any, lambda_: Any
) -> Any:
    """Lower bound (21) on the ratio of inner product and norms of most classes, as printed."""
    away = deviation(xp, second=second, delta=delta, lambda_=lambda_)
    return 1 - (C - 1) / (C * alpha * beta) * (third / delta - 2 * away)


@formula(_EPSILON, DELTA, MODULUS)
def printed_cosine_of_most(xp: Any, epsilon: Any, delta: Any, lambda_: Any) -> Any:
    """Lower bound on the cosine of weights and class means of most classes, as printed."""
    return 1 - 2 * deviation(xp, second=epsilon, delta=delta, lambda_=lambda_)


@formula(CLASSES, ALPHA, BETA, _EPSILON, DELTA)
def cosine_of_most(xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any) -> Any:
    """Lower bound on the cosine of weights and class means of most classes."""
    lambda_ = modulus(xp, C=C, alpha=alpha, beta=beta)
    away = deviation(xp, second=epsilon, delta=delta, lambda_=lambda_)
    return 1 - 2 * (C - 1) / (C * alpha * beta) * away


def ratio_claim(sign: int) -> Any:
    """Return (21) for every set of more than 2 delta C classes, multiplied out.

    The square roots enter with `sign`: +1 is printed. The bound (19) must not be negative.
    """

    def judge(
        xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, subset: Any, share: Any
    ) -> Judgement:
        n = most(xp, w, h, alpha, beta)
        given = numbers(n.c.net, alpha, beta)
        delta = share * xp.mean(subset, axis=-1) / 2
        away = deviation(xp, second=n.second, delta=delta, lambda_=modulus(xp, **given))
        C, product = n.c.net.C, alpha * beta
        lost = (n.third / delta - sign * 2 * away) * (C - 1) / C
        excess = product[:, None] * n.c.inner - (product - lost)[:, None] * n.products
        small = (n.third + away) * (C - 1) / C
        return Judgement(
            (
                *norm_hypotheses(n.c.net, alpha, beta),
                Comparison("small gaps", small, product),
            ),
            (Comparison("ratio", 0 * product, largest(xp, excess, subset)),),
        )

    return judge


def cosine_claim(factor: bool) -> Any:
    """Return the NC3 line for every set of more than 2 delta C classes, multiplied out.

    With `factor` the root keeps the factor (C-1)/(C alpha beta) that (21) gives it. Epsilon is so
    small that the second gap is the worst use of it; with `factor` also that no class is lost
    (bnwd:eq-9), so no inner product is negative and a bound below 0 counts as 0, without that the
    bound is not negative.
    """

    def judge(
        xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, epsilon: Any, subset: Any, share: Any
    ) -> Judgement:
        n = most(xp, w, h, alpha, beta)
        given = numbers(n.c.net, alpha, beta)
        delta = share * xp.mean(subset, axis=-1) / 2
        m, lambda_ = minimum_loss(xp, **given), modulus(xp, **given)
        slope = -xp.expm1(-m)
        away = deviation(xp, second=epsilon, delta=delta, lambda_=lambda_)
        C, product = n.c.net.C, alpha * beta
        least = product - 2 * away * (C - 1) / C if factor else product * (1 - 2 * away)
        if factor:
            least = xp.maximum(least, 0 * least)
            small = Comparison("no class lost", epsilon, no_class_lost(xp, **given))
        else:
            small = Comparison("a bound of at least 0", 0 * least, least)
        excess = product[:, None] * n.c.inner - least[:, None] * n.mean_lengths * n.weight_norms
        return Judgement(
            (
                *norm_hypotheses(n.c.net, alpha, beta),
                Comparison("near-optimal loss", n.c.net.loss, m + epsilon),
                Comparison(
                    "small epsilon",
                    lambda_ * epsilon,
                    2 * slope * slope * delta * (1 - delta),
                ),
                small,
            ),
            (Comparison("cosine", 0 * product, largest(xp, excess, subset)),),
        )

    return judge


_EPSILON_FIELD = Field("epsilon", (), "budget", hypothesis="near-optimal loss")
_COSINE_FIELDS = (WEIGHTS, FEATURES, *NORMS, _EPSILON_FIELD, SUBSET, SHARE)
_SMALL_EPSILON = (
    r"Let $\mathcal L \le m + \epsilon$ with $\epsilon \le 2(\frac{\gamma'}{1+\gamma'})^2"
    r"\delta(1-\delta)/\lambda$. Then for at least $(1-2\delta)C$ classes "
)

EQ_21 = Statement(
    id="bnwd:eq-21",
    kind="equation",
    title="Inner product over norms of most classes, and NC3",
    source=Source("bnwd", "(21), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "minus two roots, as typeset",
            r"If the bound (19) is not negative, at least $(1-2\delta)C$ classes have "
            r"$\frac{\langle\dot w_c, \tilde h_c\rangle}{\alpha_c\beta_c} \ge 1 - \frac{C-1}"
            r"{C\alpha\beta}(\frac{\epsilon_3'}{\delta} - 2\sqrt{\frac{2\epsilon_2'(1-\delta)}"
            r"{\delta\lambda}})$" + MODULUS_NAMED,
            Claim(ratio_claim(1), (*SUBSET_FIELDS, SHARE), SIZES),
            (Bound("ratio for most classes", printed_ratio_of_most, "lower", -1),),
            defect="A slip that returns in the lines after it: the two errors add up, so the root "
            "enters with a plus. With the minus the bound can exceed 1.",
        ),
        Variant(
            "printed",
            "NC3 line, lambda the modulus of the interval",
            _SMALL_EPSILON + r"$\cos(\dot w_c, \tilde h_c) \ge 1 - 2\sqrt{\frac{2\epsilon"
            r"(1-\delta)}{\delta\lambda}}$.",
            Claim(cosine_claim(False), _COSINE_FIELDS, SIZES),
            (Bound("cosine of weights and class means", printed_cosine_of_most, "lower", -1),),
            defect="The factor (C-1)/(C alpha beta) of (21) is lost on the way. That does no harm "
            "where alpha beta >= (C-1)/C, and is false where alpha beta is small. Epsilon is small "
            "here as the line needs it, much below delta: it is worst to spend all of epsilon on "
            "the second gap only then.",
        ),
        Variant(
            "corrected",
            "plus two roots",
            r"If the bound (19) is not negative, at least $(1-2\delta)C$ classes have "
            r"$\langle\dot w_c, \tilde h_c\rangle \ge (1 - \frac{C-1}{C\alpha\beta}(\frac"
            r"{\epsilon_3'}{\delta} + 2\sqrt{\frac{2\epsilon_2'(1-\delta)}{\delta\lambda}}))"
            r"\alpha_c\beta_c$" + MODULUS_NAMED,
            Claim(ratio_claim(-1), (*SUBSET_FIELDS, SHARE), SIZES),
            (Bound("ratio for most classes", ratio_of_most, "lower", -1),),
        ),
        Variant(
            "corrected",
            "NC3 line with its factor",
            _SMALL_EPSILON + r"$\cos(\dot w_c, \tilde h_c) \ge 1 - \frac{2(C-1)}{C\alpha\beta}"
            r"\sqrt{\frac{2\epsilon(1-\delta)}{\delta\lambda}}$, and at least 0, provided that "
            "epsilon is so small that no class is lost (bnwd:eq-9).",
            Claim(cosine_claim(True), _COSINE_FIELDS, SIZES),
            (Bound("cosine of weights and class means", cosine_of_most, "lower", -1),),
            remark="This closes the open constant of the theorem's NC3 bound: e^(kappa C alpha "
            "beta) is 1/lambda = (C-1)e^R + 2 + e^(-R)/(C-1), R = C^2 alpha beta/(C-1).",
        ),
    ),
)


# -- (22) and (23): the rivals of one class -----------------------------------------------------


@formula(_RATIO, DELTA, CLASSES)
def printed_excess(xp: Any, ratio: Any, delta: Any, C: Any) -> Any:
    """Excess over the mean of most rivals' logits, as printed."""
    return xp.sqrt(2 * (C - 1) * ratio / delta)


@formula(_RATIO, DELTA)
def rival_excess(xp: Any, ratio: Any, delta: Any) -> Any:
    """Excess over the mean of most rivals' logits."""
    return xp.sqrt(2 * ratio / delta)


def rivals_claim(excess: Any) -> Any:
    """Return (22) and (23) for the first class, whose features h (B, N, d) are given.

    ``excess(xp, ratio, delta, C)`` is the root in them, with ratio = epsilon_1'/((C-1) e^m).
    """

    def judge(xp: Any, *, w: Any, h: Any, subset: Any, share: Any) -> Judgement:
        C, mean = w.shape[1], xp.mean(h, axis=1)
        logits = xp.sum((w[:, 1:] - w[:, :1]) * mean[:, None, :], axis=-1)
        inner = xp.sum((w - xp.mean(w, axis=1)[:, None, :]) * mean[:, None, :], axis=-1)
        m = xp.mean(logits, axis=-1)
        top = xp.max(logits, axis=-1)
        log_mean = top + xp.log(xp.mean(xp.exp(logits - top[:, None]), axis=-1))
        above = log_mean - m
        ratio = xp.expm1(xp.maximum(above, 0 * above))
        whole = xp.mean(subset, axis=-1)
        of_subset = xp.sum(subset * logits, axis=-1) / xp.sum(subset, axis=-1)
        few = excess(xp, ratio, share * whole, C)
        return Judgement(
            (),
            (
                Comparison("sum over a subset", of_subset, m + excess(xp, ratio, whole, C)),
                Comparison("(22)", -largest(xp, -logits, subset), m + few),
                Comparison(
                    "(23)", -largest(xp, -inner[:, 1:], subset), few - inner[:, 0] / (C - 1)
                ),
            ),
        )

    return judge


_RIVALS_DOMAIN: tuple[Any, ...] = (
    (WEIGHTS, Field("h", ("N", "d")), Field("subset", ("R",), "mask"), SHARE),
    {"C": (3, 8), "N": (1, 3), "d": (1, 6)},
    {"R": lambda sizes: sizes["C"] - 1},
)

EQ_22 = Statement(
    id="bnwd:eq-22",
    kind="equation",
    title="Logits of most rivals of a class",
    source=Source("bnwd", "(22) and (23), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "one class, most rivals",
            r"With $m_c = -\frac{C}{C-1}\langle\dot w_c, \tilde h_c\rangle$ and $r = "
            r"\sqrt{2\epsilon_1'/(\delta e^{m_c})}$, the sum over $\delta(C-1)$ rivals of $\langle"
            r"\dot w_{c'} - \dot w_c, \tilde h_c\rangle$ is at most $\delta(C-1)(m_c + r)$; at "
            r"least $(1-\delta)(C-1)$ rivals have one of at most $m_c + r$, and so $\langle"
            r"\dot w_{c'}, \tilde h_c\rangle \le -\frac1{C-1}\langle\dot w_c, \tilde h_c\rangle "
            "+ r$.",
            Claim(
                rivals_claim(
                    lambda xp, ratio, delta, C: printed_excess(xp, ratio=ratio, delta=delta, C=C)
                ),
                *_RIVALS_DOMAIN,
            ),
            (Bound("excess over the mean of most rivals", printed_excess, "upper"),),
            remark="Loose by a factor sqrt(C-1): epsilon_1' is a gap of sums, and bnwd:lemma-a.2 "
            "takes the gap of means.",
        ),
        Variant(
            "sharp",
            "the gap of means",
            r"The same with $r = \sqrt{\frac{2\epsilon_1'}{(C-1)\delta e^{m_c}}}$.",
            Claim(
                rivals_claim(
                    lambda xp, ratio, delta, C: rival_excess(xp, ratio=ratio, delta=delta)
                ),
                *_RIVALS_DOMAIN,
            ),
            (Bound("excess over the mean of most rivals", rival_excess, "upper"),),
        ),
    ),
)


# -- how many pairs -----------------------------------------------------------------------------


def pairs_claim(count: Any) -> Any:
    """Return the claim that ``count(C, delta)`` ordered pairs of classes satisfy all conditions.

    `inner`, `products` and `rivals` mark the classes and pairs that satisfy (19), (20) reversed
    and (22); delta is the largest share of exceptions.
    """

    def judge(xp: Any, *, inner: Any, products: Any, rivals: Any, delta: Any) -> Judgement:
        C = inner.shape[1]
        both = inner * products
        off = 1 - xp.stack(
            [xp.stack([0 * delta + (c == r) for r in range(C)], axis=-1) for c in range(C)], axis=1
        )
        few = xp.max(xp.sum(off * (1 - rivals), axis=-1), axis=-1) / (C - 1)
        few = xp.maximum(few, xp.mean(1 - inner, axis=-1))
        few = xp.maximum(few, xp.mean(1 - products, axis=-1))
        good = xp.sum(xp.sum(off * rivals * both[:, :, None] * both[:, None, :], axis=-1), axis=-1)
        return Judgement(
            (Comparison("few exceptions", few, delta),),
            (Comparison("pairs", count(C, delta), good),),
        )

    return judge


_PAIR_FIELDS = (
    Field("inner", ("C",), "mask"),
    Field("products", ("C",), "mask"),
    Field("rivals", ("C", "C"), "mask"),
    Field("delta", (), "budget", hypothesis="few exceptions"),
)
_PAIRS = (
    r"If (19) and (20) each fail for at most $\delta C$ classes, and (22) for at most "
    r"$\delta(C-1)$ rivals of each class, then "
)

PAIRS = Statement(
    id="bnwd:remark-pairs",
    kind="remark",
    title="How many pairs of classes satisfy all conditions",
    source=Source("bnwd", "after (23), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "a number of pairs",
            _PAIRS + r"at least $(1-5\delta)C^2$ ordered pairs of classes satisfy all.",
            Claim(
                pairs_claim(lambda C, delta: C * C * (1 - 5 * delta)), _PAIR_FIELDS, {"C": (2, 12)}
            ),
            defect="There are only C(C-1) ordered pairs of two classes: the class itself is "
            "counted among its rivals.",
        ),
        Variant(
            "printed",
            "a fraction of the pairs",
            _PAIRS + r"at least a fraction $1 - 5\delta$ of the ordered pairs of two classes "
            "satisfies all.",
            Claim(
                pairs_claim(lambda C, delta: C * (C - 1) * (1 - 5 * delta)),
                _PAIR_FIELDS,
                {"C": (2, 12)},
            ),
            remark="As the end of the paper's proof says. Each condition costs its share of the "
            "ordered pairs: 2 delta for the first class, as much for the second, delta for the "
            "pair. The product (1 - 2 delta) (1 - 3 delta) is not needed.",
        ),
    ),
)

STATEMENTS = (EQ_21, EQ_22, PAIRS)
