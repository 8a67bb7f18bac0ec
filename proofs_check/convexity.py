"""Proofs of the Jensen-gap lemmas."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import exp, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory import convexity
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, EXPONENTIAL_SERIES, JENSEN
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_n, _rest = sympy.symbols("n rest", positive=True)
_x, _mean, _moment = sympy.symbols("x mean moment", real=True)
_D = sympy.Symbol("D", real=True)
_u = sympy.Symbol("u", nonnegative=True)
_delta = sympy.Symbol("delta", positive=True)


def _variance_route() -> Iterator[Step]:
    """The two steps that both conventions of Lemma 2.1 share."""
    yield _variance_is_moment_less_square()
    yield identity(
        "the excess D over S and the deficit D over the rest: their square sums by Cauchy-Schwarz",
        _D**2 / _n + (-_D) ** 2 / _rest,
        _D**2 * (_n + _rest) / (_n * _rest),
    )


@proof("bnwd:lemma-2.1", "printed", "f - (m/2) x^2 is convex", JENSEN, CAUCHY_SCHWARZ)
def subset_mean_lemma(claim: Claim) -> Iterator[Step]:
    """Jensen for f - (m/2) x^2 bounds the variance; Cauchy-Schwarz turns it into subset means.

    Jensen for the convex function f - (m/2) x^2 gives (m/2) variance <= gap <= epsilon. With
    n = |S| and D the sum of x_i - mean over S, Cauchy-Schwarz on S and on its complement gives
    N variance >= D^2/n + D^2/(N-n) = D^2 N/(n (N-n)). For S = all points D = 0.
    """
    s = symbolic.symbols(convexity.subset_radius)
    epsilon, delta, m = s["epsilon"], s["delta"], s["m"]
    yield from _variance_route()
    variance = 2 * epsilon / m
    total = _n + _rest
    largest = sqrt(variance * _n * _rest) / _n
    yield identity(
        "solving D^2 N/(n (N-n)) <= N 2 epsilon/m for |D|/n gives the printed radius",
        largest**2,
        (symbolic.expression(convexity.subset_radius) ** 2).subs(delta, _n / total),
    )
    yield assumes(claim, **_JENSEN_DOMAIN)
    yield tie("the claim compares these", claim, _JENSEN_POINTS, _jensen_sides)


@proof("bnwd:lemma-2.1", "printed", "f - m x^2 is convex", JENSEN, CAUCHY_SCHWARZ)
def subset_mean_lemma_modulus(claim: Claim) -> Iterator[Step]:
    """Modulus m in this convention is 2m in the other, whose smaller radius the lemma gives."""
    m = symbolic.symbols(convexity.subset_radius)["m"]
    yield from _variance_route()
    radius = symbolic.expression(convexity.subset_radius)
    yield identity(
        "the radius with 2m is the printed one over sqrt 2, hence smaller",
        radius.subs(m, 2 * m) ** 2 * 2,
        radius**2,
    )

    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        """The sides of the lemma for a function of modulus 2m, the radius being that of m."""
        judged = _jensen_sides(**{**instance, "m": 2 * instance["m"]})
        return {
            key: (left, right if key == "Jensen gap" else right * balls.sqrt(balls.ball(2)))
            for key, (left, right) in judged.items()
        }

    yield assumes(claim, **_JENSEN_DOMAIN)
    yield tie("the claim compares these", claim, _JENSEN_POINTS, sides)


@proof(
    "bnwd:lemma-2.1",
    "printed",
    "f = exp on the range of the points",
    JENSEN,
    CAUCHY_SCHWARZ,
    EXPONENTIAL_SERIES,
)
def subset_mean_lemma_exp(claim: Claim) -> Iterator[Step]:
    """On the range of the points exp - (m/2) x^2 is convex; the rest is as for any such f."""
    s = symbolic.symbols(convexity.subset_radius)
    epsilon, delta, m = s["epsilon"], s["delta"], s["m"]
    yield identity(
        "the second derivative of e^x - e^a x^2/2 at x = a + u is e^a (e^u - 1), >= 0 for u >= 0",
        sympy.diff(exp(_x) - exp(_mean) * _x**2 / 2, _x, 2).subs(_x, _mean + _u),
        exp(_mean) * (exp(_u) - 1),
    )
    yield from _variance_route()
    yield identity(
        "solving D^2 N/(n (N-n)) <= N 2 epsilon/m for |D|/n gives the printed radius",
        (2 * epsilon / m) * _rest / _n,
        (symbolic.expression(convexity.subset_radius) ** 2).subs(delta, _n / (_n + _rest)),
    )

    def sides(x: Any, subset: Any, epsilon: Any) -> dict[str, tuple[Any, Any]]:
        """The hypothesis of the exponential, and the printed radius at its least derivative."""
        of_exp = _exponential_sides(False)(x, subset, epsilon)
        share, excess = Fraction(sum(subset), len(x)), of_exp["upper"][0]
        least = min(x, key=lambda a: Fraction(str(a)))
        square = balls.ball(2 * number(epsilon) * (1 - share) / share) / balls.ball(least).exp()
        return {
            "Jensen gap": of_exp["Jensen gap"],
            "upper": (excess, square.sqrt()),
            "lower": (-excess, square.sqrt()),
        }

    yield assumes(claim, x="real", subset="mask", epsilon="budget")
    yield tie("the claim compares these", claim, _EXPONENTIAL_POINTS, sides)


_JENSEN_DOMAIN = {
    "x": "real",
    "subset": "mask",
    "m": "positive",
    "knots": "real",
    "weights": "nonnegative",
    "epsilon": "budget",
}
_JENSEN_POINTS = [
    point(x=[0, 1, "5/2"], subset=[1, 0, 1], m=2, knots=["1/2"], weights=[3], epsilon="7/3"),
    point(x=[-3, 4], subset=[0, 1], m="1/5", knots=[0, 1], weights=[0, "2/7"], epsilon=1),
]


def _jensen_sides(
    x: Any, subset: Any, m: Any, knots: Any, weights: Any, epsilon: Any
) -> dict[str, tuple[Any, Any]]:
    """The sides of Lemma 2.1 in exact rationals, up to the last root."""
    N, chosen = len(x), [a for a, inside in zip(x, subset, strict=True) if inside]
    mean = sum(x) / Fraction(N)

    def f(z: Any) -> Any:
        return number(m) / 2 * z * z + sum(
            a * abs(z - t) for a, t in zip(weights, knots, strict=True)
        )

    share = Fraction(len(chosen), N)
    excess = sum(chosen) / Fraction(len(chosen)) - mean
    radius = balls.sqrt(balls.ball(2 * number(epsilon) * (1 - share) / (number(m) * share)))
    return {
        "Jensen gap": (sum(f(a) for a in x) / N, f(mean) + number(epsilon)),
        "upper": (excess, radius),
        "lower": (-excess, radius),
    }


@proof("bnwd:lemma-a.1", "printed", "f - c x^2 is convex", JENSEN)
def jensen_with_variance(claim: Claim) -> Iterator[Step]:
    """Jensen for f - c x^2, and the weighted variance is the weighted second moment less mean^2."""
    c, of_f = sympy.symbols("c of_f", real=True)
    yield _variance_is_moment_less_square()
    yield identity(
        "mean of (f - c x^2) less its value at the mean: the bound on f at the mean",
        (of_f - c * _moment) + c * _mean**2,
        of_f - c * (_moment - _mean**2),
    )
    named = symbolic.symbols(convexity.least_jensen_gap)
    yield identity(
        "the formula of the least gap is c times the variance",
        symbolic.expression(convexity.least_jensen_gap),
        named["c"] * named["V"],
    )
    yield assumes(
        claim, x="real", shares="positive", c="positive", knots="real", weights="nonnegative"
    )
    points = [
        point(x=[0, 1, "5/2"], shares=[1, 2, "1/3"], c=2, knots=["1/2"], weights=[3]),
        point(x=[-3, 4], shares=[5, 1], c="1/5", knots=[0, 1], weights=[0, "2/7"]),
    ]

    def sides(x: Any, shares: Any, c: Any, knots: Any, weights: Any) -> dict[str, tuple[Any, Any]]:
        total, c = sum(shares), number(c)
        mean = sum(a * z for a, z in zip(shares, x, strict=True)) / total
        moment = sum(a * z * z for a, z in zip(shares, x, strict=True)) / total

        def kinks(z: Any) -> Any:
            return sum(a * abs(z - k) for a, k in zip(weights, knots, strict=True))

        mean_of_kinks = sum(a * kinks(z) for a, z in zip(shares, x, strict=True)) / total
        return {"Jensen with variance": (kinks(mean) + c * moment, c * moment + mean_of_kinks)}

    yield tie("the claim compares these", claim, points, sides)


@proof("bnwd:corollary-a.1", "printed", "a gap of exactly epsilon", JENSEN)
def variance_corollary_exact(claim: Claim) -> Iterator[Step]:
    """Lemma A.1 with equal weights and c = m/2, solved for the variance."""
    yield from _variance_from_gap()

    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        """The sides of the other reading, epsilon being the gap."""
        mean_of_f, f_of_mean = _corollary_sides(**instance, epsilon=0)["Jensen gap"]
        return {"variance": _corollary_sides(**instance, epsilon=mean_of_f - f_of_mean)["variance"]}

    yield assumes(claim, x="real", m="positive", knots="real", weights="nonnegative")
    points = [{k: v for k, v in p.items() if k != "epsilon"} for p in _COROLLARY_POINTS]
    yield tie("the claim compares these", claim, points, sides)


@proof("bnwd:corollary-a.1", "printed", "a gap of at most epsilon", JENSEN)
def variance_corollary(claim: Claim) -> Iterator[Step]:
    """Lemma A.1 with equal weights and c = m/2, solved for the variance; it grows with the gap."""
    yield from _variance_from_gap()
    more, m = sympy.symbols("more m", positive=True)
    yield nonnegative("2 epsilon/m grows with epsilon", 2 * more / m, [2 * more, 1 / m])
    yield assumes(
        claim, x="real", m="positive", knots="real", weights="nonnegative", epsilon="budget"
    )
    yield tie("the claim compares these", claim, _COROLLARY_POINTS, _corollary_sides)


def _variance_is_moment_less_square() -> Step:
    return identity(
        "mean of (x_i - mean)^2 is the mean of x_i^2 less mean^2",
        sympy.expand((_x - _mean) ** 2).subs(_x**2, _moment).subs(_x, _mean),
        _moment - _mean**2,
    )


def _variance_from_gap() -> Iterator[Step]:
    """What both readings of Corollary A.1 share."""
    s = symbolic.symbols(convexity.largest_variance)
    yield _variance_is_moment_less_square()
    yield identity(
        "at the stated variance, m/2 times it is epsilon",
        s["m"] / 2 * symbolic.expression(convexity.largest_variance),
        s["epsilon"],
    )


_COROLLARY_POINTS = [
    point(x=[0, 1, "5/2"], m=2, knots=["1/2"], weights=[3], epsilon="7/3"),
    point(x=[-3, 4], m="1/5", knots=[0, 1], weights=[0, "2/7"], epsilon=1),
]


def _corollary_sides(
    x: Any, m: Any, knots: Any, weights: Any, epsilon: Any
) -> dict[str, tuple[Any, Any]]:
    """The sides of Corollary A.1 in exact rationals: those of Lemma 2.1 for all points."""
    of_lemma = _jensen_sides(x, [1] * len(x), m, knots, weights, epsilon)
    mean = sum(x) / Fraction(len(x))
    variance = sum(z * z for z in x) / Fraction(len(x)) - mean * mean
    return {
        "Jensen gap": of_lemma["Jensen gap"],
        "variance": (variance, 2 * number(epsilon) / number(m)),
    }


@proof("bnwd:lemma-a.2", "printed", "S non-empty", JENSEN, EXPONENTIAL_SERIES)
def exponential_lemma(claim: Claim) -> Iterator[Step]:
    """Jensen on S and on the rest, then the series on S and the tangent on the rest.

    With u = D/n >= 0 (else nothing is to show) and v = D/(N-n): the mean of the exponentials is
    at least e^mean (delta e^u + (1-delta) e^{-v}) >= e^mean (1 + delta u^2/2).
    """
    s = symbolic.symbols(convexity.exponential_radius)
    epsilon, delta, mean = s["epsilon"], s["delta"], s["mean"]
    share = 1 - delta
    yield identity(
        "delta (1 + u + u^2/2) + (1-delta) (1 - v) = 1 + delta u^2/2, as delta u = (1-delta) v",
        delta * (1 + _u + _u**2 / 2) + share * (1 - delta * _u / share),
        1 + delta * _u**2 / 2,
    )
    yield identity(
        "e^mean delta u^2/2 = epsilon at the printed radius",
        exp(mean) * delta * symbolic.expression(convexity.exponential_radius) ** 2 / 2,
        epsilon,
    )
    yield assumes(claim, x="real", subset="mask", epsilon="budget")
    yield tie("the claim compares these", claim, _EXPONENTIAL_POINTS, _exponential_sides(False))


@proof("bnwd:lemma-a.2", "sharp", "at most half of the points", JENSEN, EXPONENTIAL_SERIES)
def exponential_lemma_sharp(claim: Claim) -> Iterator[Step]:
    """Two more terms of both series; the cubic ones help when delta <= 1/2."""
    s = symbolic.symbols(convexity.exponential_radius_sharp)
    epsilon, delta, mean = s["epsilon"], s["delta"], s["mean"]
    v = _delta * _u / (1 - _delta)

    def cubic(t: Any) -> Any:
        return 1 + t + t**2 / 2 + t**3 / 6

    yield identity(
        "delta P(u) + (1-delta) P(-v) = 1 + delta u^2/(2 (1-delta)) + cubic rest, P cubic Taylor",
        _delta * cubic(_u) + (1 - _delta) * cubic(-v),
        1
        + _delta * _u**2 / (2 * (1 - _delta))
        + _delta * _u**3 * (1 - 2 * _delta) / (6 * (1 - _delta) ** 2),
    )
    a, b = sympy.symbols("a b", positive=True)
    yield nonnegative(
        "the cubic rest is >= 0 for delta = a/(2a + b) <= 1/2",
        (_delta * _u**3 * (1 - 2 * _delta) / (6 * (1 - _delta) ** 2)).subs(_delta, a / (2 * a + b)),
        [a, b, _u**3, 1 / (6 * (a + b) ** 2)],
    )
    yield identity(
        "e^mean delta u^2/(2 (1-delta)) = epsilon at the sharp radius",
        exp(mean)
        * delta
        * symbolic.expression(convexity.exponential_radius_sharp) ** 2
        / (2 * (1 - delta)),
        epsilon,
    )
    yield assumes(claim, x="real", subset="mask", epsilon="budget")
    yield tie("the claim compares these", claim, _EXPONENTIAL_POINTS[:1], _exponential_sides(True))


_EXPONENTIAL_POINTS = [
    point(x=[0, 1, "5/2", -1], subset=[1, 0, 1, 0], epsilon="7/3"),
    point(x=[-3, 4, 0], subset=[1, 1, 0], epsilon=1),
]


def _exponential_sides(sharp: bool) -> Any:
    def sides(x: Any, subset: Any, epsilon: Any) -> dict[str, tuple[Any, Any]]:
        N, chosen = len(x), [a for a, inside in zip(x, subset, strict=True) if inside]
        mean, share = sum(x) / Fraction(N), Fraction(len(chosen), N)
        at_mean = balls.ball(mean).exp()
        mean_of_exp = sum((balls.ball(a).exp() for a in x), balls.ball(0)) / N
        factor = (1 - share) if sharp else Fraction(1)
        square = balls.ball(2 * number(epsilon) * factor / share) / at_mean
        excess = sum(chosen) / Fraction(len(chosen)) - mean
        half = {"at most half of the points": (2 * share, Fraction(1))} if sharp else {}
        return {
            **half,
            "Jensen gap": (mean_of_exp, at_mean + balls.ball(number(epsilon))),
            "upper": (excess, square.sqrt()),
        }

    return sides
