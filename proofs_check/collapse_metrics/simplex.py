"""Proofs about simplex ETFs of class means, and how near the metric NC2 says one is.

M and G are written as in the theory: u_k unit vectors with sum r_k u_k = 0, G their Gram matrix,
c T the matrix (5) with c = K/sqrt(K-1) and |T| = 1, z = |sum u_k|^2, g = |G|.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.collapse_metrics import simplex
from ncbounds.theory.terms import Claim
from proofs_check.collapse_metrics.sides import (
    K,
    Sides,
    average,
    centred,
    distance,
    entries,
    expression,
    gram,
    inner_products,
    many,
    others,
    size,
    square_of,
    target,
    total,
    units,
)
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT, TRIANGLE
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import norm

_SIMPLEX = [
    point(mirrors=[[1, 2], [0, "1/3"]], alpha=2, offset=[1, -1]),
    point(mirrors=[[-3]], alpha="1/2", offset=[5]),
]
_MEANS = [
    point(mu=[[1, 2], [0, -1], ["1/2", 1]]),
    point(mu=[[1, 0, 2], [-3, 1, 0], [0, 0, 1], [1, 1, 1]]),
]
_z, _gap, _h = sympy.symbols("z gap h", nonnegative=True)
_g = sympy.Symbol("g", positive=True)


def _from_inner_products() -> Iterator[Step]:
    """Norms, distances and cosines from alpha^2 (delta - 1/K)."""
    alpha = sympy.Symbol("alpha", positive=True)
    own, other = alpha**2 * (1 - 1 / K), -(alpha**2) / K
    yield identity("the squared norm", own, alpha**2 * (K - 1) / K)
    yield identity("the squared distance", 2 * own - 2 * other, 2 * own * K / (K - 1))
    yield identity("the cosine", other / own, -1 / (K - 1))
    yield identity("the diagonal of (5)", K / (K - 1) - 1 / (K - 1), 1)


@proof("review:eq-5", "printed", "at a simplex ETF")
def at_simplex(claim: Claim) -> Iterator[Step]:
    """An offset does not change centred means."""
    yield from inner_products()
    yield from _from_inner_products()
    yield assumes(claim, mirrors="real", alpha="positive", offset="real")

    def sides(mirrors: Any, alpha: Any, offset: Any) -> Sides:
        classes = len(mirrors) + 1
        pairs = classes * (classes - 1)
        found = {
            "(5)": entries(target(classes)),
            "(6)": [Fraction(-1, classes - 1)] * pairs,
            "equal norms": [square_of(alpha, classes)] * classes,
            "equal distances": [2 * number(alpha) ** 2] * pairs,
        }
        return {name: (values, values) for name, values in found.items()}

    equalities = ("(5)", "(6)", "equal norms", "equal distances")
    yield tie("the claim compares these", claim, _SIMPLEX, sides, equalities)


@proof("review:eq-5", "sharp", "equal cosines alone")
def equal_cosines(claim: Claim) -> Iterator[Step]:
    """<u_k, sum_j r_j u_j> = 0 is all that is used."""
    T, r, gamma, e = sympy.symbols("T r gamma e", real=True)
    yield identity("centred means add up to zero, so <u_k, their sum> does", T - K * (T / K), 0)
    moved = (T - r) / (K - 1) - r  # sum of xi_kj r_j, by r_k + moved - (T - r_k)/(K-1) = 0
    yield identity("balance, cosines being xi - 1/(K-1)", r + moved - (T - r) / (K - 1), 0)
    yield identity("so r_k - T/K is -(K-1)/K times sum xi_kj r_j", -(K - 1) / K * moved, r - T / K)
    length = sympy.Symbol("length", nonnegative=True)
    size_of = sympy.Symbol("size", nonnegative=True)
    yield nonnegative(
        "|xi_kj| r_j is at most max |xi_kj| r_j",
        (size_of + _gap) * length - size_of * length,
        [_gap, length],
    )
    yield identity(
        "the balances of all k add up: each r_j times 1 + (K-1) gamma + e_j, e_j the sum of the "
        "cosines of j less gamma, and gamma + 1/(K-1) is minus the mean of the e_j by r, over K-1",
        (1 + (K - 1) * gamma + e) / (K - 1) - e / (K - 1),
        gamma + 1 / (K - 1),
    )
    yield nonnegative(
        "|e_j| is at most K - 1 times the largest distance of a cosine from gamma",
        (K - 1).subs(K, many + 1) * (size_of + _gap) - many * size_of,
        [many, _gap],
    )
    yield assumes(claim, mu="real")
    equalities = ("balance", "norm less mean norm")
    yield tie("the claim compares these", claim, _MEANS, _equal_cosine_sides, equalities)


def _equal_cosine_sides(mu: Any) -> Sides:
    m = centred(mu)
    classes, r, G = len(m), [norm(row) for row in m], gram(units(m), units(m))
    whole, ideal = total(r), balls.ball(Fraction(1, classes - 1))
    zero, away, bound = [], [], []
    for k in range(classes):
        xi = [G[k][j] + ideal for j in range(classes) if j != k]
        largest = xi[0].__abs__()
        for value in xi[1:]:
            largest = largest.max(abs(value))
        zero.append(balls.ball(0))
        away.append(r[k] - whole / classes)
        bound.append(largest * (whole - r[k]) * (classes - 1) / classes)
    cosines = others(G)
    mean = average(cosines)
    spread = abs(cosines[0] - mean)
    for value in cosines[1:]:
        spread = spread.max(abs(value - mean))
    return {
        "balance": (zero, zero),
        "norm less mean norm": (away, away),
        "distance from the mean norm": ([abs(a) for a in away], bound),
        "equal cosines": (abs(mean + ideal), spread),
    }


# -- (7) ------------------------------------------------------------------------------------------


@proof("review:eq-7", "printed", "zero at a simplex ETF")
def zero_at_simplex(claim: Claim) -> Iterator[Step]:
    """M M^T is (5), which over its norm is the second matrix of (7)."""
    yield from inner_products()
    yield from _from_inner_products()
    square = K + K * (K - 1) / (K - 1) ** 2
    yield identity("|M M^T|^2, K entries 1 and K (K-1) entries -1/(K-1)", square, K**2 / (K - 1))
    yield identity("the diagonal", 1 / (K / sqrt(K - 1)), (1 - 1 / K) / sqrt(K - 1))
    yield identity("off it", -1 / (K - 1) / (K / sqrt(K - 1)), -1 / K / sqrt(K - 1))
    yield assumes(claim, mirrors="real", alpha="positive", offset="real")

    def sides(mirrors: Any, alpha: Any, offset: Any) -> Sides:
        classes = len(mirrors) + 1
        square, zero = Fraction(classes**2, classes - 1), [Fraction(0)] * classes**2
        return {"norm of M M^T": (square, square), "NC2": (zero, zero)}

    yield tie("the claim compares these", claim, _SIMPLEX, sides, ("norm of M M^T", "NC2"))


def _value() -> Iterator[Step]:
    """|G/g - T|^2 = 2 - 2 <G, T>/g with <G, T> = (K - z/K)/sqrt(K-1)."""
    inner = sympy.Symbol("inner", real=True)
    yield identity(
        "|T|^2 = (K (1 - 1/K)^2 + K (K-1)/K^2)/(K-1) = 1",
        (K * (1 - 1 / K) ** 2 + K * (K - 1) / K**2) / (K - 1),
        1,
    )
    yield identity("|G/g - T|^2", _g**2 / _g**2 - 2 * inner / _g + 1, 2 - 2 * inner / _g)
    trace, entries_of_G = sympy.symbols("trace sum", real=True)
    yield identity(
        "<G, I - 11^T/K> is the trace K less the sum z of all entries over K",
        (trace * (1 - 1 / K) - (entries_of_G - trace) / K).subs({trace: K, entries_of_G: _z}),
        K - _z / K,
    )


def _rank() -> Iterator[Step]:
    """g^2 >= K^2/(K-1): G p = 0 for the unit vector p along r."""
    yield identity("|I - p p^T|^2 = K - 2 + 1", K - 2 + 1, K - 1)
    yield identity(
        "<G, I - p p^T> = K, so K^2 + gap = (K-1) g^2, and g^2 - K^2/(K-1) = gap/(K-1)",
        (K**2 + _gap) / (K - 1) - K**2 / (K - 1),
        _gap / (K - 1),
    )


@proof("review:eq-7", "corrected", "which dimension lets it vanish", CAUCHY_SCHWARZ, INNER_PRODUCT)
def enough_dimensions(claim: Claim) -> Iterator[Step]:
    """M^T M is m x m, of trace K and Frobenius norm g: K^2 = <I, M^T M>^2 <= m g^2."""
    yield from _value()
    yield from _rank()
    M = sympy.Matrix(3, 2, sympy.symbols("m1:7", real=True))
    yield identity(
        "|M^T M| = |M M^T|, the trace of a product being that of the product turned around",
        (M.T * M * M.T * M).trace(),
        (M * M.T * M * M.T).trace(),
    )
    m, rho = sympy.symbols("m rho", positive=True)
    yield identity("K^2 + gap = m g^2 gives g^2 - K^2/m = gap/m", (K**2 + _gap) / m - K**2 / m,
                   _gap / m)  # fmt: skip
    norm_of_G = (K + _h) / sqrt(rho)
    x = 2 - 2 * (K - _z / K) / (sqrt(many) * norm_of_G)
    yield nonnegative(
        "with sqrt(rho) g = K + h, rho the smaller of m and K - 1 = many",
        x - (2 - 2 * sqrt(rho) / sqrt(many)),
        [2, _h + _z / K, 1 / norm_of_G, 1 / sqrt(many)],
    )
    yield identity(
        "the formula",
        expression(simplex.least_distance, K=K, m=m),
        2 - 2 * sqrt(sympy.Min(m, K - 1) / (K - 1)),
    )
    yield assumes(claim, mu="real")
    points = [*_MEANS, point(mu=[[1], [2], [5]])]

    def sides(mu: Any) -> Sides:
        u = units(centred(mu))
        classes, rank = len(u), min(len(u) - 1, len(u[0]))
        G = gram(u, u)
        ratio = balls.ball(Fraction(rank, classes - 1)).sqrt()
        return {
            "trace": (Fraction(classes), Fraction(classes)),
            "norm of M M^T": (Fraction(classes**2, rank), size(G)),
            "NC2": (2 - 2 * ratio, distance(G)),
        }

    yield tie("the claim compares these", claim, points, sides, ("trace",))


@proof(
    "review:eq-7",
    "sharp",
    "how near zero, how near a simplex ETF",
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    TRIANGLE,
)
def near_simplex(claim: Claim) -> Iterator[Step]:
    """The value, its range, then distances by the angle of G and T and by G r = 0."""
    yield from _value()
    yield from _range()
    yield from _rank()
    yield from _gram_distance()
    yield from _norms()
    yield assumes(claim, mu="real")
    yield tie("the claim compares these", claim, _MEANS, _near_sides, ("value",))


def _range() -> Iterator[Step]:
    """z <= (K-2)^2 and g <= K.

    p_k = r_k/sum r has sum p_k u_k = 0, so p_j = |sum of the others| <= 1 - p_j. With t = 1/max p,
    sum u_k is the sum of (1 - t p_k) u_k, of coefficients >= 0.
    """
    p, rest = sympy.symbols("p rest", nonnegative=True)
    yield nonnegative(
        "p_j + rest = 1 - p_j gives p_j <= 1/2", ((1 - p) - p).subs(p, (1 - rest) / 2), [rest]
    )
    yield nonnegative(
        "|sum u_k| <= K - t <= K - 2, t = 2 + gap",
        (K - 2) - (K - (2 + _gap)),
        [_gap],
    )
    yield nonnegative("g^2 <= K^2: a cosine is at most 1", 1 - (1 - _gap), [_gap])
    more = sympy.Symbol("more", nonnegative=True)
    number_of = many + 1
    inner = number_of - ((number_of - 2) ** 2 - _h) / number_of
    x = 2 - 2 * inner / sqrt(many) * (1 / number_of + more)
    largest = expression(simplex.largest_distance, K=number_of)
    yield nonnegative(
        "with z = (K-2)^2 - h, 1/g = 1/K + more and K - 1 = many",
        largest - x,
        [2 / sqrt(many), _h / number_of**2 + (4 * many + _h) / number_of * more],
    )


def _gram_distance() -> Iterator[Step]:
    """|G - c T|^2 = g^2 - 2 c <G, T> + c^2, <G, T> = v = c - w with w = z/(K sqrt(K-1))."""
    w = sympy.Symbol("w", nonnegative=True)
    v = sympy.Symbol("v", positive=True)
    c = v + w
    square = c**2 + _h
    yield identity("c - v = w = z/(K sqrt(K-1))", K / sqrt(K - 1) - (K - _z / K) / sqrt(K - 1),
                   _z / (K * sqrt(K - 1)))  # fmt: skip
    yield nonnegative(
        "g^2 = c^2 + h: c^2 tan^2 - |G - c T|^2 with tan^2 = g^2/v^2 - 1",
        c**2 * (square / v**2 - 1) - (square - 2 * c * v + c**2),
        [w, ((v + w) * (3 * v * w + w**2) + _h * (2 * v + w)) / v**2],
    )
    x = sympy.Symbol("x", positive=True)
    cosine = 1 - x / 2
    yield identity(
        "the formula is c^2 tan^2, cos = v/g = 1 - x/2",
        expression(simplex.gram_distance, K=K, x=x),
        K**2 / (K - 1) * (1 / cosine**2 - 1),
    )
    yield identity(
        "every entry off the diagonal is there twice",
        expression(simplex.cosine_distance, K=K, x=x),
        expression(simplex.gram_distance, K=K, x=x) / 2,
    )


def _norms() -> Iterator[Step]:
    """E = G - c T has E r = -K/(K-1) (r - mean r 1), trace 0; a = |r - mean r 1|/|r|."""
    a = sympy.Symbol("a", real=True)
    r, T = sympy.symbols("r T", real=True)
    yield identity("c T r = K/(K-1) (r - T/K 1), and G r = 0", K / (K - 1) * r - T / (K - 1),
                   K / (K - 1) * (r - T / K))  # fmt: skip
    x = sympy.Matrix(sympy.symbols("x1:4", real=True))
    y = sympy.Matrix(sympy.symbols("y1:4", real=True))
    part = (x * y.T + y * x.T) / 2
    yield identity("|(x y^T + y x^T)/2|^2", (part * part).trace(),
                   (x.dot(x) * y.dot(y) + x.dot(y) ** 2) / 2)  # fmt: skip
    yield identity(
        "less <x,y>/K I, for unit x, y with <x, y> = a: E does not see I",
        (1 + a**2) / 2 - 2 * a * (a / K) + K * (a / K) ** 2,
        (1 + a**2) / 2 - a**2 / K,
    )
    t, c, gap = sympy.symbols("t c gap", nonnegative=True)  # t = tan^2, c = a^2/(1-a^2)
    share = c / (1 + c)
    yield identity("c is the variance of the norms over their squared mean", share / (1 - share), c)
    number_of = many + 1
    bound = t * ((1 + share) / 2 - share / number_of)
    slack = bound - share / many
    yield identity(
        "(K/(K-1))^2 a^2 <= K^2/(K-1) tan^2 ((1 + a^2)/2 - a^2/K), over K^2/(K-1)",
        (number_of / many) ** 2 * share - number_of**2 / many * bound,
        -(number_of**2) / many * slack,
    )
    yield identity(
        "times 2 K (K-1) (1 + c): K (K-1) t - 2 c (K - (K-1)^2 t)",
        slack * 2 * number_of * many * (1 + c),
        number_of * many * t - 2 * c * (number_of - many**2 * t),
    )
    yield nonnegative(
        "whose sign is that of the slack",
        gap * 2 * number_of * many * (1 + c),
        [gap, 2 * number_of * many * (1 + c)],
    )


def _near_sides(mu: Any) -> Sides:
    m = centred(mu)
    classes, r = len(m), [norm(row) for row in m]
    G = gram(units(m), units(m))
    x = distance(G)
    root = balls.ball(classes - 1).sqrt()
    away = [
        [a - balls.ball(b) for a, b in zip(row, ideal, strict=True)]
        for row, ideal in zip(G, target(classes), strict=True)
    ]
    squares = [value * value for value in others(away)]
    largest = squares[0]
    for value in squares[1:]:
        largest = largest.max(value)
    cosine = 1 - x / 2
    tan = (1 - cosine**2) / cosine**2
    mean = average(r)
    spread = total(a * a for a in r) / classes - mean * mean
    bound = tan * classes**2 / (classes - 1)
    return {
        "value": (x, x),
        "largest value": (x, 2 - 8 * root / classes**2),
        "Gram matrix": (size(away), bound),
        "cosines": (largest, bound / 2),
        "norms": (
            spread * 2 * (classes - tan * (classes - 1) ** 2),
            mean**2 * tan * classes * (classes - 1),
        ),
    }
