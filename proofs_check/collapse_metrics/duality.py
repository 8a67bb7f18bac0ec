"""Proofs about weights beside class means: what the metric NC3 says of self-duality."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.collapse_metrics import duality
from ncbounds.theory.terms import Claim
from proofs_check.collapse_metrics.sides import (
    K,
    Sides,
    average,
    centred,
    distance,
    expression,
    frame,
    gram,
    inner_products,
    simplex,
    size,
    total,
    units,
)
from proofs_check.facts import INNER_PRODUCT
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.vectors import dot, norm

_x, _gap = sympy.symbols("x gap", nonnegative=True)


@proof("review:eq-8", "printed", "zero where weights are aligned with a simplex ETF")
def aligned(claim: Claim) -> Iterator[Step]:
    """A M^T is a positive multiple of (5), so over its norm it is the second matrix of (8)."""
    yield from inner_products()
    f, s = sympy.symbols("f s", positive=True)
    yield identity("the cosine off the diagonal", -(1 / K) / (1 - 1 / K), -1 / (K - 1))
    square = (f * s) ** 2 * (K + K * (K - 1) / (K - 1) ** 2)
    yield identity("|A M^T|^2 = (f s)^2 K^2/(K-1)", square, (f * s) ** 2 * K**2 / (K - 1))
    length = f * s * K / sqrt(K - 1)
    yield identity("the diagonal", f * s / length, (1 - 1 / K) / sqrt(K - 1))
    yield identity("off it", -f * s / (K - 1) / length, -1 / K / sqrt(K - 1))
    yield assumes(claim, mirrors="real", alpha="positive", scale="positive")
    points = [
        point(mirrors=[[1, 2], [0, "1/3"]], alpha=2, scale=3),
        point(mirrors=[[-3]], alpha="1/2", scale="1/5"),
    ]

    def sides(mirrors: Any, alpha: Any, scale: Any) -> Sides:
        zero = [Fraction(0)] * (len(mirrors) + 1) ** 2
        return {"NC3": (zero, zero)}

    yield tie("the claim compares these", claim, points, sides, ("NC3",))


@proof("review:eq-8", "corrected", "a distance in the span of the class means")
def distance_at_simplex(claim: Claim) -> Iterator[Step]:
    """M^T M = K/(K-1) P, as S = L P for (review:eq-4), and M M^T = K/sqrt(K-1) T.

    All three squared distances are 2 - 2 cos, of A M^T and T, of A P and M, of A and M.
    """
    yield from inner_products()
    inner, p, a = sympy.symbols("inner p a", positive=True)  # <A P, M>, |A P|, |A|
    yield identity(
        "M^T M u_k = sum_c u_c K/(K-1) (delta - 1/K) = K/(K-1) u_k, as the u_c add up to 0",
        1 + 1 / (K - 1),
        K / (K - 1),
    )
    yield identity(
        "<A M^T, T> = (sqrt(K-1)/K) <A M^T M, M> = <A P, M>/sqrt(K-1)",
        sqrt(K - 1) / K * (K / (K - 1)) * inner,
        inner / sqrt(K - 1),
    )
    yield identity(
        "over |A M^T| = sqrt(K/(K-1)) |A P| it is the cosine of A P and M, |M|^2 = K",
        inner / sqrt(K - 1) / (sqrt(K / (K - 1)) * p),
        inner / (sqrt(K) * p),
    )
    yield identity(
        "<A, M> = <A P, M>: the cosine of A and M is that of A P and M times |A P|/|A|",
        inner / (sqrt(K) * a),
        inner / (sqrt(K) * p) * (p / a),
    )
    q = sympy.Symbol("q", positive=True)
    cosine = 1 - _x / 2
    yield identity(
        "2 - 2 cos sqrt(q) is the formula",
        expression(duality.distance_of_layers, x=_x, q=q),
        2 - 2 * cosine * sqrt(q),
    )
    yield assumes(claim, mirrors="real", alpha="positive", a="real")
    points = [
        point(mirrors=[[1, 2]], alpha=2, a=[[1, 0], [3, 1]]),
        point(mirrors=[[1, 0, 1], [0, 1, 1]], alpha=1, a=[[1, 0, 2], [0, 1, 1], [3, 1, 1]]),
    ]
    equalities = ("in the span", "self-duality")
    yield tie("the claim compares these", claim, points, _distance_sides, equalities)


def _distance_sides(mirrors: Any, alpha: Any, a: Any) -> Sides:
    basis, M = frame(mirrors), units(simplex(mirrors, alpha))
    inner = total(dot(list(map(balls.ball, row)), u) for row, u in zip(a, M, strict=True))
    in_span = total(dot(row, u) ** 2 for row in a for u in basis)
    both = [balls.ball(len(M) * square).sqrt() for square in (in_span, total(dot(r, r) for r in a))]
    first, second = (2 - 2 * inner / length for length in both)
    return {"in the span": (first, first), "self-duality": (second, second)}


@proof("review:eq-8", "sharp", "equal norms, whatever the weights", INNER_PRODUCT)
def equal_norms(claim: Claim) -> Iterator[Step]:
    """X = A M^T/|A M^T| has X r = 0, as M^T r is the sum of centred means. D = X - T.

    |T r|^2 = |D r|^2 is the sum over the rows d of D of <d, r>^2, at most |D|^2 |r|^2.
    """
    r, T = sympy.symbols("r T", real=True)
    yield identity("centred means add up to zero", T - K * (T / K), 0)
    yield identity("T r = (r - mean r 1)/sqrt(K-1)", (r - T / K) / sqrt(K - 1),
                   (r - 1 / K * T) / sqrt(K - 1))  # fmt: skip
    square = sympy.Symbol("square", positive=True)
    share = (_x * square - _gap) * (K - 1) / square
    yield identity(
        "|r - mean r 1|^2/(K-1) + gap = NC3^2 |r|^2: what is left to the formula",
        expression(duality.spread_of_norms, K=K, x=_x) - share,
        _gap * (K - 1) / square,
    )
    many = sympy.Symbol("many", positive=True)
    yield nonnegative("which is not negative", _gap * many / square, [_gap, many, 1 / square])
    yield assumes(claim, mu="real", a="real")
    points = [
        point(mu=[[1, 2], [0, -1], ["1/2", 1]], a=[[1, 0], [2, 1], [0, 1]]),
        point(mu=[[1], [3]], a=[[2], [5]]),
    ]

    def sides(mu: Any, a: Any) -> Sides:
        m = centred(mu)
        lengths = [norm(row) for row in m]
        mean = average(lengths)
        spread = total((length - mean) * (length - mean) for length in lengths)
        x = distance(gram([list(map(balls.ball, row)) for row in a], units(m)))
        return {"spread of norms": (spread / size([lengths]), x * (len(m) - 1))}

    yield tie("the claim compares these", claim, points, sides)
