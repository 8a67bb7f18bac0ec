"""Most classes: what the gaps of the proof of `bnwd:theorem-2.1` say of all but a few.

A small gap in Jensen's inequality bounds the mean over every set of classes (`bnwd:lemma-2.1` for
``phi(-x) = log(1 + (C-1) e^x)``), so no large set of classes can have a small margin, nor a large
product of norms. "At most delta C classes lie beyond a threshold" is said here of every set of
more than delta C classes: one of them does not.

The gaps are those of `proximity_gaps`; ``alpha_c`` is the root mean square norm of the features of
class c and ``beta_c = |wdot_c|``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import (
    formula,
    nonnegative,
    positive,
    proportion,
    real,
)
from ncbounds.theory.proximity.first_steps import (
    ALPHA,
    BETA,
    CLASSES,
    FEATURES,
    NORMS,
    WEIGHTS,
    Chain,
    chain,
    norm_hypotheses,
    numbers,
)
from ncbounds.theory.proximity.gaps import curvature, modulus, printed_modulus
from ncbounds.theory.proximity.near_optimal_loss import square_norm
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

SECOND = nonnegative("second", "gap of the step from the classes to their mean", r"\epsilon_2'")
THIRD = nonnegative("third", "gap of the step from the margins to the norms", r"\epsilon_3'")
DELTA = proportion("delta", "fraction of the classes given up", r"\delta")
MODULUS = positive("lambda", "modulus of log(1 + (C-1) e^x)", r"\lambda")
_MARGIN = real("t", "mean margin", r"\bar t")

#: A set of classes, a share of it, and the sizes of what is searched.
SUBSET = Field("subset", ("C",), "mask")
SHARE = Field("share", (), "proportion")
SIZES = {"C": (2, 6), "N": (1, 3), "d": (1, 6)}


@dataclass(frozen=True)
class Most:
    """A network with its gaps; `products` are alpha_c beta_c of shape (B, C)."""

    c: Chain
    second: Any
    third: Any
    products: Any
    feature_norms: Any
    weight_norms: Any
    mean_lengths: Any

    @property
    def total(self) -> Any:
        """The inner product of the stacked centred weights and class means."""
        return _sum(self.c.inner)


def _sum(values: Any) -> Any:
    total = values[:, 0]
    for c in range(1, values.shape[1]):
        total = total + values[:, c]
    return total


def most(xp: Any, w: Any, h: Any, alpha: Any, beta: Any) -> Most:
    """Compute the gaps of a network under the bounds alpha and beta."""
    c = chain(xp, w, h)
    second = c.second_gap(xp)
    features = xp.sqrt(xp.mean(square_norm(xp, h), axis=-1))
    weights = xp.sqrt(square_norm(xp, w - xp.mean(w, axis=1)[:, None, :]))
    return Most(
        c=c,
        second=xp.maximum(second, 0 * second),
        third=c.third_gap(xp, alpha, beta),
        products=features * weights,
        feature_norms=features,
        weight_norms=weights,
        mean_lengths=xp.sqrt(square_norm(xp, xp.mean(h, axis=2))),
    )


def largest(xp: Any, values: Any, subset: Any) -> Any:
    """The largest entry of (B, C) values over a subset; of none it is not defined.

    What is outside counts as the least.
    """
    least, chosen = xp.min(values, axis=-1)[:, None], xp.sum(subset, axis=-1)
    return xp.max(subset * values + (1 - subset) * least, axis=-1) * (chosen / chosen)


# -- sums over a subset of classes ---------------------------------------------------------


@formula(SECOND, DELTA, MODULUS)
def deviation(xp: Any, second: Any, delta: Any, lambda_: Any) -> Any:
    """Distance of the mean margin of a subset from the mean margin, by the modulus on a range."""
    return xp.sqrt(2 * second * (1 - delta) / (lambda_ * delta))


@formula(CLASSES, _MARGIN, SECOND, DELTA)
def deviation_at_mean(xp: Any, C: Any, t: Any, second: Any, delta: Any) -> Any:
    """Distance of the mean margin of a subset from the mean margin, by the modulus at the mean."""
    gap = second / (delta * curvature(xp, C=C, x=-t))
    linear = gap * ((1 - delta) * (1 - delta) + delta * delta)
    return (linear + xp.sqrt(linear * linear + 8 * gap * (1 - delta))) / 2


def subset_sums_claim(of_modulus: Any) -> Any:
    """Return both subset sums for a modulus ``of_modulus(xp, most, numbers, **rest)``."""

    def judge(
        xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, subset: Any, **rest: Any
    ) -> Judgement:
        n = most(xp, w, h, alpha, beta)
        given = numbers(n.c.net, alpha, beta)
        delta = xp.mean(subset, axis=-1)
        away = deviation(xp, second=n.second, delta=delta, lambda_=of_modulus(xp, n, given, **rest))
        radius = n.c.rivals * delta * away
        C = n.c.net.C
        return Judgement(
            norm_hypotheses(n.c.net, alpha, beta),
            (
                Comparison(
                    "inner products", delta * n.total - radius, xp.sum(subset * n.c.inner, axis=-1)
                ),
                Comparison(
                    "norm products",
                    xp.sum(subset * n.products, axis=-1),
                    C * alpha * beta - (1 - delta) * n.total + radius,
                ),
            ),
        )

    return judge


def on_the_margins(xp: Any, n: Most, given: Any) -> Any:
    """The least second derivative between the points -t_c: at the first or the last of them."""
    return xp.min(curvature(xp, C=given["C"][:, None] + 0 * n.c.margins, x=-n.c.margins), axis=-1)


def on_the_interval(xp: Any, n: Most, given: Any) -> Any:
    """The modulus of the interval of bnwd:remark-modulus."""
    return modulus(xp, **given)


def of_small_kappa(xp: Any, n: Most, given: Any, ten_kappa: Any) -> Any:
    """The modulus as printed, for a kappa below 1/10."""
    return printed_modulus(xp, **given, kappa=ten_kappa / 10)


def first_line(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, subset: Any) -> Judgement:
    """The first displayed line as typeset, without a sign on its left."""
    n = most(xp, w, h, alpha, beta)
    delta = xp.mean(subset, axis=-1)
    C = n.c.net.C
    away = deviation(
        xp,
        second=n.second,
        delta=delta,
        lambda_=on_the_margins(xp, n, numbers(n.c.net, alpha, beta)),
    )
    left = xp.sum(subset * n.c.margins, axis=-1)
    return Judgement(
        norm_hypotheses(n.c.net, alpha, beta),
        (Comparison("first line", left, C * delta * (away - n.total / n.c.rivals)),),
    )


def subset_means(xp: Any, *, w: Any, h: Any, subset: Any) -> Judgement:
    """The mean margin of every subset by the modulus at the mean: no range is needed."""
    c = chain(xp, w, h)
    mean, second = xp.mean(c.margins, axis=-1), c.second_gap(xp)
    of_subset = xp.sum(subset * c.margins, axis=-1) / xp.sum(subset, axis=-1)
    reach = deviation_at_mean(
        xp,
        C=0 * mean + c.net.C,
        t=mean,
        second=xp.maximum(second, 0 * second),
        delta=xp.mean(subset, axis=-1),
    )
    return Judgement(
        (),
        (
            Comparison("lower", mean - of_subset, reach),
            Comparison("upper", of_subset - mean, reach),
        ),
    )


SUBSET_FIELDS = (WEIGHTS, FEATURES, *NORMS, SUBSET)
_DEVIATION = Bound("deviation of the mean margin of a subset", deviation, "upper")
_SUMS = (
    r"For every set $S$ of $\delta C$ classes, $\sum_S\langle\dot w_c, \tilde h_c\rangle \ge "
    r"\delta\,\vec w\cdot\vec h - (C-1)\sqrt{2\epsilon_2'\delta(1-\delta)/\lambda}$ and "
    r"$\sum_S\alpha_c\beta_c \le C\alpha\beta - (1-\delta)\vec w\cdot\vec h + "
    r"(C-1)\sqrt{2\epsilon_2'\delta(1-\delta)/\lambda}$"
)

SUBSET_SUMS = Statement(
    id="bnwd:remark-subset-sums",
    kind="remark",
    title="Sums of inner products and of norm products over a subset of classes",
    source=Source("bnwd", "before (19), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "lambda a modulus on the margins",
            _SUMS + r", with $\lambda$ the least second derivative of $\log(1 + (C-1)e^x)$ "
            r"between the points $x_c = -t_c$.",
            Claim(subset_sums_claim(on_the_margins), SUBSET_FIELDS, SIZES),
            (_DEVIATION,),
        ),
        Variant(
            "printed",
            "the first line as typeset",
            r"$\frac{C}{C-1}\sum_S\langle\dot w_c, \tilde h_c\rangle \le \delta C(-\frac1{C-1}"
            r"\vec w\cdot\vec h) + C\sqrt{2\epsilon_2'\delta(1-\delta)/\lambda}$.",
            Claim(first_line, SUBSET_FIELDS, SIZES),
            defect="A slip: the left side lacks a minus. The next line is right again.",
        ),
        Variant(
            "printed",
            "lambda for every small kappa",
            _SUMS + r", with $\lambda = e^{-\kappa C\alpha\beta}$ for small constant $\kappa > 0$, "
            r"here every $\kappa < \frac1{10}$.",
            Claim(
                subset_sums_claim(of_small_kappa),
                (*SUBSET_FIELDS, Field("ten_kappa", (), "proportion")),
                SIZES,
            ),
            defect="This lambda is no modulus (bnwd:remark-modulus): where the function is nearly "
            "flat or nearly linear a tiny gap leaves the margins far apart.",
        ),
        Variant(
            "corrected",
            "lambda the modulus of the interval",
            _SUMS + r", with $\lambda = 1/((C-1)e^R + 2 + \frac{e^{-R}}{C-1})$, "
            r"$R = \frac{C^2}{C-1}\alpha\beta$.",
            Claim(subset_sums_claim(on_the_interval), SUBSET_FIELDS, SIZES),
            (_DEVIATION, Bound("modulus", modulus, "lower")),
        ),
        Variant(
            "sharp",
            "the modulus at the mean",
            r"With $v$ the second derivative at the mean point $-\bar t$ and $g = "
            r"\frac{\epsilon_2'}{\delta v}$, the mean margin of $S$ differs from $\bar t$ by at "
            r"most $\frac12(lg + \sqrt{l^2g^2 + 8(1-\delta)g})$, $l = (1-\delta)^2 + \delta^2$.",
            Claim(subset_means, (WEIGHTS, FEATURES, SUBSET), SIZES),
            (Bound("deviation of the mean margin of a subset", deviation_at_mean, "upper"),),
            remark="To first order the printed radius with the modulus at the mean in place of "
            "the least on a range, which is smaller by up to e^(-C alpha beta). It holds for every "
            "gap and without norm bounds.",
        ),
    ),
)


# -- (19) and (20): few classes are far off ---------------------------------------------------


@formula(CLASSES, ALPHA, BETA, SECOND, THIRD, DELTA, MODULUS)
def inner_of_most(
    xp: Any, C: Any, alpha: Any, beta: Any, second: Any, third: Any, delta: Any, lambda_: Any
) -> Any:
    """Lower bound (19) on the inner product of most classes."""
    away = deviation(xp, second=second, delta=delta, lambda_=lambda_)
    return alpha * beta - (C - 1) / C * (third + away)


@formula(CLASSES, ALPHA, BETA, SECOND, THIRD, DELTA, MODULUS)
def products_of_most(
    xp: Any, C: Any, alpha: Any, beta: Any, second: Any, third: Any, delta: Any, lambda_: Any
) -> Any:
    """Upper bound (20) on the product of norms of most classes."""
    away = deviation(xp, second=second, delta=delta, lambda_=lambda_)
    return alpha * beta + (C - 1) / C * ((1 - delta) / delta * third + away)


@formula(CLASSES, ALPHA, BETA, _MARGIN, SECOND, THIRD, DELTA)
def inner_of_most_at_mean(
    xp: Any, C: Any, alpha: Any, beta: Any, t: Any, second: Any, third: Any, delta: Any
) -> Any:
    """Lower bound on the inner product of most classes by the modulus at the mean."""
    away = deviation_at_mean(xp, C=C, t=t, second=second, delta=delta)
    return alpha * beta - (C - 1) / C * (third + away)


@formula(CLASSES, ALPHA, BETA, _MARGIN, SECOND, THIRD, DELTA)
def products_of_most_at_mean(
    xp: Any, C: Any, alpha: Any, beta: Any, t: Any, second: Any, third: Any, delta: Any
) -> Any:
    """Upper bound on the norms of most classes by the modulus at the mean."""
    away = deviation_at_mean(xp, C=C, t=t, second=second, delta=delta)
    return alpha * beta + (C - 1) / C * ((1 - delta) / delta * third + away)


def few_small(
    xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, subset: Any, share: Any
) -> Judgement:
    """(19): in every set of more than delta C classes one has a large inner product."""
    n = most(xp, w, h, alpha, beta)
    given = numbers(n.c.net, alpha, beta)
    threshold = inner_of_most(
        xp,
        **given,
        second=n.second,
        third=n.third,
        delta=share * xp.mean(subset, axis=-1),
        lambda_=modulus(xp, **given),
    )
    return Judgement(
        norm_hypotheses(n.c.net, alpha, beta),
        (Comparison("inner product", threshold, largest(xp, n.c.inner, subset)),),
    )


def few_small_at_mean(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, subset: Any) -> Judgement:
    """(19) with the modulus at the mean, in every set of delta C classes."""
    n = most(xp, w, h, alpha, beta)
    threshold = inner_of_most_at_mean(
        xp,
        **numbers(n.c.net, alpha, beta),
        t=xp.mean(n.c.margins, axis=-1),
        second=n.second,
        third=n.third,
        delta=xp.mean(subset, axis=-1),
    )
    return Judgement(
        norm_hypotheses(n.c.net, alpha, beta),
        (Comparison("inner product", threshold, largest(xp, n.c.inner, subset)),),
    )


def few_large(
    xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, subset: Any, share: Any
) -> Judgement:
    """(20): in every set of more than delta C classes one has a small product of norms."""
    n = most(xp, w, h, alpha, beta)
    given = numbers(n.c.net, alpha, beta)
    threshold = products_of_most(
        xp,
        **given,
        second=n.second,
        third=n.third,
        delta=share * xp.mean(subset, axis=-1),
        lambda_=modulus(xp, **given),
    )
    return Judgement(
        norm_hypotheses(n.c.net, alpha, beta),
        (Comparison("product of norms", -largest(xp, -n.products, subset), threshold),),
    )


def few_large_at_mean(xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, subset: Any) -> Judgement:
    """(20) with the modulus at the mean, for the mean of the squared norms over alpha and beta.

    Both sides are multiplied by alpha beta.
    """
    n = most(xp, w, h, alpha, beta)
    threshold = products_of_most_at_mean(
        xp,
        **numbers(n.c.net, alpha, beta),
        t=xp.mean(n.c.margins, axis=-1),
        second=n.second,
        third=n.third,
        delta=xp.mean(subset, axis=-1),
    )
    features, weights = n.feature_norms * beta[:, None], n.weight_norms * alpha[:, None]
    squares = (features * features + weights * weights) / 2
    return Judgement(
        norm_hypotheses(n.c.net, alpha, beta),
        (Comparison("norms", -largest(xp, -squares, subset), alpha * beta * threshold),),
    )


_AT_MOST = r"At most $\delta C$ classes have "
MODULUS_NAMED = r", with $\lambda$ the modulus of the interval (bnwd:remark-modulus)."

EQ_19 = Statement(
    id="bnwd:eq-19",
    kind="equation",
    title="Few classes with a small inner product",
    source=Source("bnwd", "(19), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "strictly below, lambda the modulus of the interval",
            _AT_MOST + r"$\langle\dot w_c, \tilde h_c\rangle < \alpha\beta - \frac{C-1}{C}"
            r"\epsilon_3' - \frac{C-1}{C}\sqrt{\frac{2\epsilon_2'(1-\delta)}{\delta\lambda}}$"
            + MODULUS_NAMED,
            Claim(few_small, (*SUBSET_FIELDS, SHARE), SIZES),
            (Bound("inner product of most classes", inner_of_most, "lower"),),
            remark="The paper writes 'at most'. At the optimum all gaps vanish and all C classes "
            "attain equality, so the few must lie strictly below.",
        ),
        Variant(
            "sharp",
            "the modulus at the mean",
            r"Fewer than $\delta C$ classes have $\langle\dot w_c, \tilde h_c\rangle < \alpha\beta "
            r"- \frac{C-1}{C}(\epsilon_3' + r)$, for $\delta C$ an integer and $r$ the deviation "
            "of bnwd:remark-subset-sums by the modulus at the mean.",
            Claim(few_small_at_mean, SUBSET_FIELDS, SIZES),
            (Bound("inner product of most classes", inner_of_most_at_mean, "lower"),),
        ),
    ),
)

EQ_20 = Statement(
    id="bnwd:eq-20",
    kind="equation",
    title="Few classes with a large product of norms",
    source=Source("bnwd", "(20), A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "strictly above, lambda the modulus of the interval",
            _AT_MOST + r"$\alpha_c\beta_c > \alpha\beta + \frac{(1-\delta)(C-1)}{\delta C}"
            r"\epsilon_3' + \frac{C-1}{C}\sqrt{\frac{2\epsilon_2'(1-\delta)}{\delta\lambda}}$"
            + MODULUS_NAMED,
            Claim(few_large, (*SUBSET_FIELDS, SHARE), SIZES),
            (Bound("product of norms of most classes", products_of_most, "upper"),),
            remark="The paper writes 'at least'; at the optimum all C classes attain equality.",
        ),
        Variant(
            "sharp",
            "the modulus at the mean",
            r"Fewer than $\delta C$ classes have $\frac{\alpha\beta}2((\alpha_c/\alpha)^2 + "
            r"(\beta_c/\beta)^2) > \alpha\beta + \frac{(1-\delta)(C-1)}{\delta C}\epsilon_3' + "
            r"\frac{C-1}{C}r$, for $\delta C$ an integer and $r$ the deviation of "
            r"bnwd:remark-subset-sums by the "
            "modulus at the mean.",
            Claim(few_large_at_mean, SUBSET_FIELDS, SIZES),
            (Bound("norms of most classes", products_of_most_at_mean, "upper"),),
            remark="The left side is at least alpha_c beta_c. With (19) it bounds both norms of a "
            "class from both sides, which their product does not.",
        ),
    ),
)


STATEMENTS = (SUBSET_SUMS, EQ_19, EQ_20)
