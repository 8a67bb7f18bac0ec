"""Jensen-gap lemmas: a small gap in Jensen's inequality keeps the mean of every subset close.

The lemmas are from the appendix of `bnwd`, which builds its proximity theorems on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ncbounds.arithmetic.formula import (
    Condition,
    Formula,
    formula,
    nonnegative,
    positive,
    proportion,
    real,
)
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Pin,
    Sizes,
    Source,
    Statement,
    Trend,
    Variant,
)

_EPSILON = nonnegative("epsilon", "gap in Jensen's inequality", r"\epsilon")
_DELTA = proportion("delta", "fraction of the points that lie in the subset", r"\delta")
_MODULUS = positive("m", "modulus of strong convexity", "m")
_MEAN = real("mean", "mean of all points", r"\tilde{x}")


# -- Lemma 2.1 ------------------------------------------------------------------------------------


@formula(_EPSILON, _DELTA, _MODULUS)
def subset_radius(xp: Any, epsilon: Any, delta: Any, m: Any) -> Any:
    """Largest distance of a subset mean from the mean of all."""
    return xp.sqrt(2 * epsilon * (1 - delta) / (m * delta))


def strongly_convex(xp: Any, z: Any, m: Any, knots: Any, weights: Any) -> Any:
    """Evaluate ``f(z) = m/2 z^2 + sum_j weights_j |z - knots_j|`` at z of shape (B, N).

    On finitely many points this is every m-strongly convex function: its excess over m/2 z^2 is a
    convex sequence there, hence piecewise linear up to an affine term, and an affine term changes
    neither the Jensen gap nor the conclusion.
    """
    kinks = xp.abs(z[..., None] - knots[:, None, :]) * weights[:, None, :]
    return m[:, None] * z * z / 2 + xp.sum(kinks, axis=-1)


def subset_mean_lemma(
    xp: Any, *, x: Any, subset: Any, m: Any, knots: Any, weights: Any, epsilon: Any
) -> Judgement:
    """Lemma 2.1: a Jensen gap of at most epsilon keeps every subset mean within the radius."""
    mean = xp.mean(x, axis=-1)
    delta = xp.mean(subset, axis=-1)
    subset_mean = xp.sum(subset * x, axis=-1) / xp.sum(subset, axis=-1)
    mean_of_f = xp.mean(strongly_convex(xp, x, m, knots, weights), axis=-1)
    f_of_mean = strongly_convex(xp, mean[:, None], m, knots, weights)[:, 0]
    radius = subset_radius(xp, epsilon=epsilon, delta=delta, m=m)
    return Judgement(
        hypotheses=(Comparison("Jensen gap", mean_of_f, f_of_mean + epsilon),),
        conclusions=(
            Comparison("upper", subset_mean - mean, radius),
            Comparison("lower", mean - subset_mean, radius),
        ),
    )


def subset_mean_lemma_modulus(xp: Any, *, m: Any, **instance: Any) -> Judgement:
    """The same for the other convention: f has modulus m when f - m x^2 is convex."""
    judged = subset_mean_lemma(xp, m=2 * m, **instance)
    radius = subset_radius(
        xp, epsilon=instance["epsilon"], delta=xp.mean(instance["subset"], axis=-1), m=m
    )
    return Judgement(
        judged.hypotheses, tuple(Comparison(c.name, c.lhs, radius) for c in judged.conclusions)
    )


def subset_mean_lemma_exp(xp: Any, *, x: Any, subset: Any, epsilon: Any) -> Judgement:
    """Lemma 2.1 for f = exp, whose modulus on the range of the points is the least exp(x_i)."""
    mean = xp.mean(x, axis=-1)
    delta = xp.mean(subset, axis=-1)
    subset_mean = xp.sum(subset * x, axis=-1) / xp.sum(subset, axis=-1)
    values = xp.exp(x)
    radius = subset_radius(xp, epsilon=epsilon, delta=delta, m=xp.min(values, axis=-1))
    return Judgement(
        hypotheses=(Comparison("Jensen gap", xp.mean(values, axis=-1), xp.exp(mean) + epsilon),),
        conclusions=(
            Comparison("upper", subset_mean - mean, radius),
            Comparison("lower", mean - subset_mean, radius),
        ),
    )


_JENSEN_FIELDS = (
    Field("x", ("N",)),
    Field("subset", ("N",), "mask"),
    Field("m", (), "positive"),
    Field("knots", ("J",)),
    Field("weights", ("J",), "nonnegative"),
    Field("epsilon", (), "budget", hypothesis="Jensen gap"),
)
_JENSEN_SIZES = {"N": (1, 64), "J": (1, 8)}
_EXPONENTIAL_FIELDS = (
    Field("x", ("N",)),
    Field("subset", ("N",), "mask"),
    Field("epsilon", (), "budget", hypothesis="Jensen gap"),
)


def _subset_trends(radius: Formula, free: Sizes, held: Mapping[str, int]) -> tuple[Trend, ...]:
    """The order of a radius in the gap and in the share of the subset, which is one point."""

    def one_point_of(number: int, **budgets: float) -> Pin:
        subset = [1] + [0] * (number - 1)
        return Pin({"N": number, **free}, {"subset": subset, **held}, budgets)

    return (
        Trend(
            "upper",
            radius,
            "epsilon",
            tuple(Fraction(1, 10**k) for k in range(1, 9)),
            lambda epsilon: one_point_of(4, epsilon=float(epsilon)),
            {"delta": Fraction(1, 4), "m": Fraction(1)},
        ),
        Trend(
            "upper",
            radius,
            "delta",
            tuple(Fraction(1, 2**k) for k in range(4, 9)),
            lambda delta: one_point_of(int(1 / delta)),
            {"epsilon": Fraction(1), "m": Fraction(1)},
        ),
    )


LEMMA_2_1 = Statement(
    id="bnwd:lemma-2.1",
    kind="lemma",
    title="Subset means stay close under a small Jensen gap",
    source=Source("bnwd", "Lemma 2.1, Sec. 2.3 and A.2"),
    topic="convexity",
    variants=(
        Variant(
            "printed",
            "f - (m/2) x^2 is convex",
            r"Let $f$ be $m$-strongly convex and "
            r"$\frac1N\sum_i f(x_i) \le f(\tilde x) + \epsilon$. For every non-empty subset $S$ "
            r"with $\delta = |S|/N$, the mean over $S$ lies within "
            r"$\sqrt{2\epsilon(1-\delta)/(m\delta)}$ of $\tilde x$.",
            Claim(subset_mean_lemma, _JENSEN_FIELDS, _JENSEN_SIZES),
            (Bound("distance of the subset mean from the mean", subset_radius, "upper"),),
            _subset_trends(subset_radius, {"J": 1}, {"m": 1}),
            remark="The empty subset has no mean and delta = 0 no radius; the lemma needs S "
            "non-empty. The constant is the best possible: a quadratic f with two values attains "
            "it.",
        ),
        Variant(
            "printed",
            "f - m x^2 is convex",
            "The same under the convention of the theorem that the paper cites in its proof, "
            r"where modulus $m$ means that $f - m x^2$ is convex.",
            Claim(subset_mean_lemma_modulus, _JENSEN_FIELDS, _JENSEN_SIZES),
            remark="Weaker by a factor sqrt 2 than what the proof gives under this convention.",
        ),
        Variant(
            "printed",
            "f = exp on the range of the points",
            r"For $\frac1N\sum_i e^{x_i} \le e^{\tilde x} + \epsilon$ and $m = e^{\min_i x_i}$, "
            r"the mean over $S$ lies within $\sqrt{2\epsilon(1-\delta)/(m\delta)}$ of $\tilde x$.",
            Claim(subset_mean_lemma_exp, _EXPONENTIAL_FIELDS, {"N": (1, 64)}),
            remark="The exponential is strongly convex on bounded ranges only. The paper replaces "
            "this modulus by the one at the mean, which costs the factor 1 - delta (Lemma A.2).",
        ),
    ),
)


# -- Lemma A.1 and Corollary A.1 ------------------------------------------------------------------


@formula(
    positive("c", "modulus of strong convexity, f - c x^2 being convex", "c"),
    nonnegative("V", "variance of the points", "V"),
)
def least_jensen_gap(xp: Any, c: Any, V: Any) -> Any:
    """Least gap in Jensen's inequality."""
    return c * V


@formula(_EPSILON, _MODULUS)
def largest_variance(xp: Any, epsilon: Any, m: Any) -> Any:
    """Largest variance of the points under a gap in Jensen's inequality."""
    return 2 * epsilon / m


def jensen_with_variance(
    xp: Any, *, x: Any, shares: Any, c: Any, knots: Any, weights: Any
) -> Judgement:
    """Lemma A.1: Jensen's inequality, weighted, with the variance of the points to spare.

    The weights t_i > 0 of sum 1 are `shares` over their sum; f - c x^2 is convex.
    """
    t = shares / xp.sum(shares, axis=-1, keepdims=True)
    mean = xp.sum(t * x, axis=-1)
    off = x - mean[:, None]
    variance = xp.sum(t * off * off, axis=-1)
    mean_of_f = xp.sum(t * strongly_convex(xp, x, 2 * c, knots, weights), axis=-1)
    f_of_mean = strongly_convex(xp, mean[:, None], 2 * c, knots, weights)[:, 0]
    gap = least_jensen_gap(xp, c=c, V=variance)
    return Judgement((), (Comparison("Jensen with variance", f_of_mean + gap, mean_of_f),))


def variance_corollary(
    xp: Any, *, x: Any, m: Any, knots: Any, weights: Any, epsilon: Any
) -> Judgement:
    """Corollary A.1: a Jensen gap of at most epsilon bounds the variance."""
    mean_of_f, f_of_mean, variance = _jensen_sides(xp, x, m, knots, weights)
    return Judgement(
        hypotheses=(Comparison("Jensen gap", mean_of_f, f_of_mean + epsilon),),
        conclusions=(Comparison("variance", variance, largest_variance(xp, epsilon=epsilon, m=m)),),
    )


def variance_corollary_exact(xp: Any, *, x: Any, m: Any, knots: Any, weights: Any) -> Judgement:
    """Corollary A.1 with epsilon the Jensen gap itself."""
    mean_of_f, f_of_mean, variance = _jensen_sides(xp, x, m, knots, weights)
    largest = largest_variance(xp, epsilon=mean_of_f - f_of_mean, m=m)
    return Judgement((), (Comparison("variance", variance, largest),))


def _jensen_sides(xp: Any, x: Any, m: Any, knots: Any, weights: Any) -> tuple[Any, Any, Any]:
    """The mean of f, f at the mean, and the variance, of points with equal weights."""
    mean = xp.mean(x, axis=-1)
    off = x - mean[:, None]
    return (
        xp.mean(strongly_convex(xp, x, m, knots, weights), axis=-1),
        strongly_convex(xp, mean[:, None], m, knots, weights)[:, 0],
        xp.mean(off * off, axis=-1),
    )


LEMMA_A_1 = Statement(
    id="bnwd:lemma-a.1",
    kind="lemma",
    title="Jensen's inequality with a variance term",
    source=Source("bnwd", "Lemma A.1, A.2 (Theorem 4 of Merentes and Nikodem, 2010)"),
    topic="convexity",
    variants=(
        Variant(
            "printed",
            "f - c x^2 is convex",
            r"Let $f$ be strongly convex with modulus $c$, in the convention that $f - c x^2$ is "
            r"convex, and $t_i > 0$ weights of sum 1 with $\bar x = \sum_i t_i x_i$. Then "
            r"$f(\bar x) \le \sum_i t_i f(x_i) - c\sum_i t_i (x_i - \bar x)^2$.",
            Claim(
                jensen_with_variance,
                (
                    Field("x", ("N",)),
                    Field("shares", ("N",), "positive"),
                    Field("c", (), "positive"),
                    Field("knots", ("J",)),
                    Field("weights", ("J",), "nonnegative"),
                ),
                _JENSEN_SIZES,
            ),
            (Bound("gap in Jensen's inequality", least_jensen_gap, "lower", 0),),
            remark="Equality for every quadratic c x^2 plus an affine function, so c is the best "
            "constant. In the convention of Lemma 2.1, where f - (m/2) x^2 is convex, it reads "
            "m/2 in place of c, as the paper says itself.",
        ),
    ),
)

COROLLARY_A_1 = Statement(
    id="bnwd:corollary-a.1",
    kind="corollary",
    title="The gap in Jensen's inequality bounds the variance",
    source=Source("bnwd", "Corollary A.1, A.2"),
    topic="convexity",
    variants=(
        Variant(
            "printed",
            "a gap of exactly epsilon",
            r"Let $f$ be $m$-strongly convex ($f - \frac m2 x^2$ is convex) and "
            r"$\frac1N\sum_i f(x_i) = f(\bar x) + \epsilon$. Then "
            r"$\frac1N\sum_i (x_i - \bar x)^2 \le 2\epsilon/m$.",
            Claim(
                variance_corollary_exact,
                tuple(f for f in _JENSEN_FIELDS if f.name not in ("subset", "epsilon")),
                _JENSEN_SIZES,
            ),
            (Bound("variance of the points", largest_variance, "upper"),),
            remark="Attained by every quadratic with leading coefficient m/2.",
        ),
        Variant(
            "printed",
            "a gap of at most epsilon",
            r"The same for $\frac1N\sum_i f(x_i) \le f(\bar x) + \epsilon$, which is how "
            "Lemma 2.1 uses it.",
            Claim(
                variance_corollary,
                tuple(f for f in _JENSEN_FIELDS if f.name != "subset"),
                _JENSEN_SIZES,
            ),
            (Bound("variance of the points", largest_variance, "upper"),),
            (
                Trend(
                    "variance",
                    largest_variance,
                    "epsilon",
                    tuple(Fraction(1, 10**k) for k in range(1, 9)),
                    lambda epsilon: Pin({"N": 4, "J": 1}, {"m": 1}, {"epsilon": float(epsilon)}),
                    {"m": Fraction(1)},
                ),
            ),
        ),
    ),
)


# -- Lemma A.2 ------------------------------------------------------------------------------------


@formula(_EPSILON, _DELTA, _MEAN)
def exponential_radius(xp: Any, epsilon: Any, delta: Any, mean: Any) -> Any:
    """Largest excess of a subset mean over the mean of all, for the exponential."""
    return xp.sqrt(2 * epsilon / (delta * xp.exp(mean)))


@formula(
    _EPSILON,
    _DELTA,
    _MEAN,
    conditions=(Condition("delta <= 1/2", lambda xp, delta, **_: 1 - 2 * delta, strict=False),),
)
def exponential_radius_sharp(xp: Any, epsilon: Any, delta: Any, mean: Any) -> Any:
    """The same with the factor 1 - delta regained, for subsets of at most half the points."""
    return xp.sqrt(2 * epsilon * (1 - delta) / (delta * xp.exp(mean)))


def exponential_lemma(xp: Any, *, x: Any, subset: Any, epsilon: Any) -> Judgement:
    """Lemma A.2: the one-sided subset lemma for the exponential, without a range for the x."""
    mean = xp.mean(x, axis=-1)
    subset_mean = xp.sum(subset * x, axis=-1) / xp.sum(subset, axis=-1)
    radius = exponential_radius(xp, epsilon=epsilon, delta=xp.mean(subset, axis=-1), mean=mean)
    return Judgement(
        hypotheses=(Comparison("Jensen gap", xp.mean(xp.exp(x), axis=-1), xp.exp(mean) + epsilon),),
        conclusions=(Comparison("upper", subset_mean - mean, radius),),
    )


def exponential_lemma_sharp(xp: Any, *, x: Any, subset: Any, epsilon: Any) -> Judgement:
    """Lemma A.2 with the factor 1 - delta, for subsets of at most half the points."""
    judged = exponential_lemma(xp, x=x, subset=subset, epsilon=epsilon)
    delta = xp.mean(subset, axis=-1)
    radius = exponential_radius_sharp(xp, epsilon=epsilon, delta=delta, mean=xp.mean(x, axis=-1))
    return Judgement(
        (*judged.hypotheses, Comparison("at most half of the points", 2 * delta, 1 + 0 * delta)),
        (Comparison("upper", judged.conclusions[0].lhs, radius),),
    )


LEMMA_A_2 = Statement(
    id="bnwd:lemma-a.2",
    kind="lemma",
    title="Subset means under a small Jensen gap of the exponential",
    source=Source("bnwd", "Lemma A.2, A.3"),
    topic="convexity",
    variants=(
        Variant(
            "printed",
            "S non-empty",
            r"If $\frac1N\sum_i e^{x_i} \le e^{\tilde x} + \epsilon$ then for every non-empty "
            r"subset $S$ with $\delta = |S|/N$, the mean over $S$ is at most "
            r"$\tilde x + \sqrt{2\epsilon/(\delta e^{\tilde x})}$.",
            Claim(exponential_lemma, _EXPONENTIAL_FIELDS, {"N": (1, 64)}),
            (Bound("excess of the subset mean over the mean", exponential_radius, "upper"),),
            _subset_trends(exponential_radius, {}, {}),
            remark="For S = all points the excess is zero, which the printed proof divides by "
            "N - |S| = 0 to see.",
        ),
        Variant(
            "sharp",
            "at most half of the points",
            r"If moreover $\delta \le 1/2$, the excess is at most "
            r"$\sqrt{2\epsilon(1-\delta)/(\delta e^{\tilde x})}$: the factor of Lemma 2.1 with the "
            r"modulus $e^{\tilde x}$ at the mean, although the exponential has no modulus on the "
            "line. The constant is attained as the gap vanishes.",
            Claim(exponential_lemma_sharp, _EXPONENTIAL_FIELDS, {"N": (2, 64)}),
            (Bound("excess of the subset mean over the mean", exponential_radius_sharp, "upper"),),
            _subset_trends(exponential_radius_sharp, {}, {}),
        ),
    ),
)

STATEMENTS = (LEMMA_2_1, LEMMA_A_1, COROLLARY_A_1, LEMMA_A_2)
