"""Proofs about the CDNV of classes and of their samples, (52)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import sympy
from sympy import exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.transfer import deviations as theory
from proofs_check.facts import JENSEN, MONOTONE, TANGENT, TRIANGLE
from proofs_check.steps import (
    Fact,
    Step,
    assumes,
    cases,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)
from proofs_check.transfer.cdnv import INDEPENDENT, MARKOV, UNION
from proofs_check.transfer.points import cdnv, mean, minus, square, variance
from proofs_check.vectors import norm

Sides = dict[str, tuple[Any, Any]]
BOUNDED_DIFFERENCES = Fact(
    "Bounded differences",
    "If f of n independent variables changes by at most c when one of them does, f >= E f + t has "
    "probability at most exp(-2 t^2/(n c^2)).",
    "C. McDiarmid, On the method of bounded differences, 1989",
)

_s, _x, _y, _t = sympy.symbols("s x y t", nonnegative=True)
_n = sympy.Symbol("n", integer=True, positive=True)


@proof("review:eq-52", "printed", "from the deviations of means and variances", TRIANGLE)
def from_deviations(claim: Claim) -> Iterator[Step]:
    """The variance is at most the empirical one and its deviation; so is the distance."""
    eta, D, d = sympy.symbols("eta D d", positive=True)
    yield nonnegative(
        "variance: (s + eta)/(2 D^2) for a variance of s + eta - y",
        (_s + eta) / (2 * D**2) - (_s + eta - _y) / (2 * D**2),
        [_y, 1 / (2 * D**2)],
    )
    yield identity(
        "another denominator", (_s + eta) / (2 * D**2), (_s + eta) / (2 * d**2) * (d / D) ** 2
    )
    yield nonnegative(
        "d^2 <= (D (1 + A))^2 for D (1 + A) = d + x, by the triangle inequality",
        (d + _x) ** 2 - d**2,
        [_x, _x + 2 * d],
    )
    v = symbolic.symbols(theory.printed_bound)
    yield identity(
        "the bound as a formula",
        symbolic.expression(theory.printed_bound),
        (v["V"] + v["B"]) * (1 + v["A"]) ** 2,
    )
    yield assumes(
        claim,
        **_real(),
        first_mean="budget",
        second_mean="budget",
        first_variance="budget",
        second_variance="budget",
    )
    given = [
        {**_PAIR, **point(first_mean=1, second_mean=2, first_variance="1/2", second_variance=1)}
    ]
    yield tie("the claim compares these", claim, given, _printed_sides)


@proof(
    "review:eq-52",
    "corrected",
    "features in a ball, from the samples alone",
    TRIANGLE,
    JENSEN,
    MARKOV,
    TANGENT,
    MONOTONE,
    UNION,
    BOUNDED_DIFFERENCES,
)
def from_samples(claim: Claim) -> Iterator[Step]:
    """Two events for each class, and a quadratic inequality for the root of the variance."""
    R, L = sympy.symbols("R L", positive=True)
    r = R * sqrt(2 * L / _n)
    yield identity(
        "one sample moves the mean by at most 2R/n: e >= E e + r has probability at most e^-L",
        -2 * r**2 / (_n * (2 * R / _n) ** 2),
        -L,
    )
    v = sympy.Symbol("v", positive=True)
    yield from _lower_tail()
    yield identity(
        "the tail of Z = |x - mu|^2 <= 4 R^2, E Z^2 <= 4 R^2 v, at 2 r sqrt(v), is e^-L too",
        -_n * (2 * r * sqrt(v)) ** 2 / (2 * 4 * R**2 * v),
        -L,
    )
    H, delta = sympy.symbols("H delta", positive=True)
    yield identity("4 H events of e^-L", 4 * H * exp(-log(4 * H / delta)), delta)
    u, m = sympy.symbols("u m", real=True)
    yield identity(
        "the mean of |x - mu|^2 over a sample is s + e^2, as that of u vanishes",
        (u + m) ** 2 - 2 * u * m,
        u**2 + m**2,
    )
    e, more, tau, root_n = sympy.symbols("e more tau q", positive=True)
    yield nonnegative("e^2 <= (e + x)^2", (e + more) ** 2 - e**2, [more, 2 * e + more])
    half, kept = more * root_n + tau / 2, 1 - root_n**2
    yield identity(
        "x^2 <= s + (q x + rho)^2 + tau x for q = 1/sqrt(n) is quadratic",
        _s + (root_n * _x + more) ** 2 + tau * _x - _x**2,
        -(kept * _x**2 - 2 * half * _x - (more**2 + _s)),
    )
    k, h, S = sympy.symbols("k h S", positive=True)
    beyond = (h + S) / k + _y
    yield nonnegative(
        "k x^2 - 2 h x - c >= 0 beyond (h + S)/k, S^2 = h^2 + k c",
        k * beyond**2 - 2 * h * beyond - (S**2 - h**2) / k,
        [_y, k * _y + 2 * S],
    )
    D, left = sympy.symbols("D left", positive=True)
    yield nonnegative(
        "left <= D, so (v_1 + v_2)/D^2 left^2 <= v_1 + v_2, for D = left + x",
        v - v / (left + _x) ** 2 * left**2,
        [v, _x, _x + 2 * left, 1 / (left + _x) ** 2],
    )
    yield nonnegative(
        "and v <= U^2 for sqrt(v) = U - x with U = D + x", (D + _x) ** 2 - D**2, [_x, _x + 2 * D]
    )
    yield from _formulas()
    yield assumes(
        claim,
        **_real(),
        first_mean="budget",
        second_mean="budget",
        first_squares="budget",
        second_squares="budget",
    )
    given = [
        {**_PAIR, **point(first_mean="1/4", second_mean="1/8", first_squares=1, second_squares=2)}
    ]
    yield tie("the claim compares these", claim, given, _bounded_sides)


def _lower_tail() -> Iterator[Step]:
    """P[mean of n Z <= (1 - q) E Z] <= exp(-n q^2 (E Z)^2/(2 E Z^2)) for Z >= 0."""
    u = sympy.Symbol("u", nonnegative=True)
    gap = 1 - u + u**2 / 2 - exp(-u)
    yield identity(
        "the derivative of 1 - u + u^2/2 - e^-u is e^-u - (1 - u) >= 0",
        sympy.diff(gap, u),
        exp(-u) - (1 - u),
    )
    yield identity("which vanishes at 0", gap.subs(u, 0), 0)
    rate, mu, square_mean, q = sympy.symbols("lambda mu m_2 q", positive=True)
    exponent = _n * (rate * (1 - q) * mu - rate * mu + rate**2 * square_mean / 2)
    yield identity(
        "E e^(-lambda Z) <= e^(-lambda mu + lambda^2 m_2/2) by 1 + w <= e^w; n of them at "
        "lambda = q mu/m_2",
        exponent.subs(rate, q * mu / square_mean),
        -_n * q**2 * mu**2 / (2 * square_mean),
    )


def _formulas() -> Iterator[Step]:
    """The parts of the bound as formulas, and the bound as made of them."""
    f = symbolic.symbols(theory.separation_bound)
    n, s = f["n"], f["s_1"]
    rho, tau = sympy.symbols("rho tau", positive=True)
    half, kept = rho / sqrt(n) + tau / 2, 1 - 1 / n
    yield identity(
        "the larger root as a formula",
        theory.variance_root(symbolic, s, n, rho, tau),
        (half + sqrt(half**2 + kept * (rho**2 + s))) / kept,
    )
    given = (f["n"], f["R"], f["H"], f["delta"])
    r = theory.deviation(symbolic, *given)
    yield identity("r as a formula", r, f["R"] * sqrt(2 * log(4 * f["H"] / f["delta"]) / f["n"]))
    u, w = sympy.symbols("U_1 U_2", positive=True)
    yield identity(
        "the distance left as a formula",
        theory.distance_left(symbolic, f["distance"], (u, w), n, 2 * rho),
        f["distance"] - u / sqrt(n) - rho - w / sqrt(n) - rho,
    )
    roots = tuple(theory.variance_root(symbolic, f[s], n, r, 2 * r) for s in ("s_1", "s_2"))
    left = theory.distance_left(symbolic, f["distance"], (roots[0], roots[1]), n, 2 * r)
    made = left / sqrt(roots[0] * roots[0] + roots[1] * roots[1])
    same = symbolic.expression(theory.separation_bound) == made
    yield cases("the bound is made of these parts", {"term by term": same})
    yield identity(
        "as a bound on V: 1/(2 (left/root)^2)", 1 / (2 * (u / w) ** 2), w**2 / (2 * u**2)
    )


@proof(
    "review:eq-52",
    "sharp",
    "means and variances of samples",
    INDEPENDENT,
    MARKOV,
    TANGENT,
    MONOTONE,
)
def of_samples(claim: Claim) -> Iterator[Step]:
    """Independent centred summands; e^-u <= 1 - u + u^2/2 for u >= 0."""
    v, t = sympy.symbols("v t", positive=True)
    yield identity("n independent steps of v/n^2", _n * v / _n**2, v / _n)
    yield identity("mean square about mu less that of the mean", v - v / _n, v * (_n - 1) / _n)
    yield nonnegative(
        "|m - mu|^2/t is at least 1 where |m - mu|^2 = t + x", (t + _x) / t - 1, [_x, 1 / t]
    )
    yield from _lower_tail()
    yield assumes(claim, points="real", share="proportion", threshold="positive")
    given = [
        point(points=[[0], [1], [4]], share="1/2", threshold="1/2"),
        point(points=[[0, 1], [2, 2]], share="3/4", threshold="1/3"),
    ]
    yield tie(
        "the claim compares these",
        claim,
        given,
        _sample_sides,
        ("of the mean", "of the variance"),
    )


# -- the claims' own sides on exact instances -----------------------------------------------------


def _real() -> dict[str, str]:
    return dict.fromkeys(("first", "second", "first_sample", "second_sample"), "real")


def _ball(value: Any) -> Any:
    return balls.ball(value)


def _printed_sides(
    first: Any,
    second: Any,
    first_sample: Any,
    second_sample: Any,
    first_mean: Any,
    second_mean: Any,
    first_variance: Any,
    second_variance: Any,
) -> Sides:
    of_mean, of_variance = (
        number(first_mean) + number(second_mean),
        number(first_variance) + number(second_variance),
    )
    apart = norm(minus(mean(first), mean(second)))
    sampled = square(minus(mean(first_sample), mean(second_sample)))
    A, B = _ball(of_mean) / apart, of_variance / (2 * sampled)
    bound = _ball(cdnv(first_sample, second_sample) + B) * (1 + A) ** 2
    found: Sides = {"(52)": (_ball(cdnv(first, second)), bound)}
    for name, points, sample, m, v in (
        ("first", first, first_sample, first_mean, first_variance),
        ("second", second, second_sample, second_mean, second_variance),
    ):
        off = norm(minus(mean(points), mean(sample)))
        found[f"mean of the {name}"] = (off, _ball(number(m)))
        found[f"variance of the {name}"] = (
            _ball(variance(points)),
            _ball(variance(sample) + number(v)),
        )
    return found


def _bounded_sides(
    first: Any,
    second: Any,
    first_sample: Any,
    second_sample: Any,
    first_mean: Any,
    second_mean: Any,
    first_squares: Any,
    second_squares: Any,
) -> Sides:
    n, found, roots = len(first_sample), {}, []
    root_n = balls.sqrt(_ball(n))
    for name, points, sample, m, t in (
        ("first", first, first_sample, number(first_mean), number(first_squares)),
        ("second", second, second_sample, number(second_mean), number(second_squares)),
    ):
        centre = mean(points)
        deviation = balls.sqrt(_ball(variance(points)))
        squares = sum(square(minus(x, centre)) for x in sample) / Fraction(n)
        off = norm(minus(mean(sample), centre))
        half = _ball(m) / root_n + _ball(t) / 2
        kept = 1 - Fraction(1, n)
        inner = half**2 + _ball(kept * (m**2 + variance(sample)))
        root = (half + balls.sqrt(inner)) / _ball(kept)
        found[f"mean of the {name}"] = (off, deviation / root_n + _ball(m))
        some = deviation if variance(points) else _ball(1)
        found[f"squares of the {name}"] = (deviation, _ball(squares) / some + _ball(t))
        found[f"deviation of the {name}"] = (deviation, root)
        roots.append(root)
    apart = square(minus(mean(first), mean(second)))
    distance = norm(minus(mean(first_sample), mean(second_sample)))
    less = (roots[0] + roots[1]) / root_n + _ball(number(first_mean) + number(second_mean))
    left = distance - less
    kept_distance = left.max(_ball(0))
    truth = (variance(first) + variance(second)) / apart
    found["distance of the means"] = (left, balls.sqrt(_ball(apart)))
    found["CDNV"] = (_ball(truth) * kept_distance**2, roots[0] ** 2 + roots[1] ** 2)
    return found


def _sample_sides(points: Any, share: Any, threshold: Any) -> Sides:
    share, threshold = number(share), number(threshold)
    centre, v = mean(points), variance(points)
    squares = [square(minus(x, centre)) for x in points]
    fourth = sum(s**2 for s in squares) / len(squares)
    sides: dict[str, tuple[list[Any], list[Any]]] = {
        name: ([], [])
        for name in ("of the mean", "of the variance", "mean far off", "squares too small")
    }
    for n in (2, 3):
        draws = list(product(range(len(points)), repeat=n))
        samples = [[points[i] for i in draw] for draw in draws]
        off = [square(minus(mean(sample), centre)) for sample in samples]
        small = [sum(squares[i] for i in draw) <= n * (1 - share) * v for draw in draws]
        values = {
            "of the mean": (sum(off) / len(off), v / n),
            "of the variance": (
                sum(map(variance, samples)) / len(samples),
                v * Fraction(n - 1, n),
            ),
            "mean far off": (
                Fraction(sum(o >= threshold for o in off), len(off)),
                v / (n * threshold),
            ),
            "squares too small": (
                Fraction(sum(small), len(small)),
                balls.exp(_ball(-n * share**2 * v**2 / (2 * fourth))),
            ),
        }
        for name, pair in values.items():
            for side, value in zip(sides[name], pair, strict=True):
                side.append(_ball(value))
    return sides


_PAIR = point(
    first=[[0, 1], [2, 2]],
    second=[[4, 0], [5, -2]],
    first_sample=[[1, 1], [2, 0]],
    second_sample=[[4, 1], [6, -2]],
)
