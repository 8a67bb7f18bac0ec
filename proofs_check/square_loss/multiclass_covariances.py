"""Proofs about means and covariances, and what the angles of NC2 imply for the norms."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import multiclass_covariances
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT, TRIANGLE
from proofs_check.square_loss.multiclass_layers import (
    Sides,
    average,
    average_rows,
    centred,
    frobenius,
    in_balls,
    minus,
    outer,
    samples,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.vectors import dot, norm

_C = sympy.Symbol("more", integer=True, positive=True) + 1
_N = sympy.Symbol("N", integer=True, positive=True)
_total, _x, _y, _m, _n, _g, _p = sympy.symbols("total x y m n g p", real=True)

_FEATURES = [
    point(h=[[[1, 2], [0, 3]], [[-1, 1], ["1/2", 4]]]),
    point(h=[[[1]], [[-1]], [[7]]]),
]
_MEANS = [point(mu=[[1, 0], ["1/2", 2]]), point(mu=[[1, 2], [0, 3], ["-1/3", 1]])]


# -- Equations (26) and (27) ----------------------------------------------------------------------


@proof("square:eq-26", "printed", "a balanced data set")
def global_mean(claim: Claim) -> Iterator[Step]:
    """Every class has N samples."""
    yield identity("a sum over N, then over C", (_total / _N) / _C, _total / (_N * _C))
    yield assumes(claim, h="real")

    def sides(h: Any) -> Sides:
        found = average_rows([x for _, x in samples(h)])
        return {"global mean": (found, found)}

    yield tie("the claim compares these", claim, _FEATURES, sides, ("global mean",))


@proof("square:eq-27", "corrected", "the within-class sum over all samples")
def covariances(claim: Claim) -> Iterator[Step]:
    """h - mu_G = (h - mu_c) + (mu_c - mu_G), and the first has the mean zero in its class."""
    yield identity(
        "one entry of a sample: x, y about m, n in the class and about g, p in all",
        (_x - _g) * (_y - _p),
        (_x - _m) * (_y - _n)
        + (_m - _g) * (_n - _p)
        + (_x - _m) * (_n - _p)
        + (_m - _g) * (_y - _n),
    )
    yield identity(
        "the last two add up to 0 in a class: sum x = N m",
        (_N * _m - _N * _m) * (_n - _p) + (_m - _g) * (_N * _n - _N * _n),
        0,
    )
    yield identity("the middle one is N times itself", _N * (_m - _g) / (_N * _C), (_m - _g) / _C)
    yield assumes(claim, h="real")

    def sides(h: Any) -> Sides:
        rows = centred([list(x) for _, x in samples(h)])
        total = average_rows([outer(row, row) for row in rows])
        return {"total": (total, total)}

    yield tie("the claim compares these", claim, _FEATURES, sides, ("total",))


# -- NC2 ------------------------------------------------------------------------------------------


@proof(
    "square:definition-nc2",
    "printed",
    "equal norms imply that the directions add up to zero",
    TRIANGLE,
)
def directions(claim: Claim) -> Iterator[Step]:
    """As the m_c add up to zero, so does m_c over the mean norm: subtract it."""
    r, mean = sympy.symbols("r mean", positive=True)
    yield identity(
        "an entry of the direction, less 0 = an entry of m_c over the mean norm",
        _x / r - _x / mean,
        (mean - r) / mean * (_x / r),
    )
    yield identity("the centred means add up to 0", _total - _C * (_total / _C), 0)
    whole = sympy.Symbol("whole", real=True)
    yield identity(
        "|sum of directions|^2 = C + C (C-1) times the mean cosine",
        -1 / (_C - 1) + (_C + _C * (_C - 1) * whole) / (_C * (_C - 1)),
        whole,
    )
    yield assumes(claim, mu="real")

    def sides(mu: Any) -> Sides:
        m = in_balls(centred(mu))
        lengths = [norm(row) for row in m]
        mean = average(lengths)
        parts = [[x / r for x in row] for row, r in zip(m, lengths, strict=True)]
        C = len(m)
        cosines = [dot(parts[c], parts[r]) for c in range(C) for r in range(c)]
        spread = sum((abs(r - mean) for r in lengths), balls.ball(0)) / mean
        least = balls.ball(Fraction(-1, C - 1))
        return {
            "sum of directions": (average(cosines), average(cosines)),
            "mean cosine": (average(cosines), least + spread * spread / (C * (C - 1))),
        }

    yield tie("the claim compares these", claim, _MEANS, sides, ("sum of directions",))


@proof("square:definition-nc2", "sharp", "equal angles imply equal norms")
def norms(claim: Claim) -> Iterator[Step]:
    """Pairs of centred means: their inner products add up to -sum r^2.

    The deviation of one pair is xi r r' = <m, m'> + r r'/(C-1); S = sum r, Q = sum r^2.
    """
    S, Q = sympy.symbols("S Q", positive=True)
    yield identity("|sum m|^2 = 0: all ordered pairs add up to -sum r^2", 0 - Q, -Q)
    yield identity(
        "with r r'/(C-1) added, over k: -(Q - S^2/C), minus the spread of the norms",
        (-Q + (S**2 - Q) / (_C - 1)) * (_C - 1) / _C,
        -(Q - S**2 / _C),
    )
    r, mean = sympy.symbols("r mean", real=True)
    yield identity(
        "sum (r - mean)^2 = Q - S^2/C: a term", (r - mean) ** 2, r**2 - 2 * r * mean + mean**2
    )
    yield identity("summed at mean = S/C", Q - 2 * (S / _C) * S + _C * (S / _C) ** 2, Q - S**2 / _C)
    xi, v, less, pair = sympy.symbols("xi v less pair", nonnegative=True)
    yield nonnegative(
        "-xi_cr r r' is at most xi r r', and so xi >= 0 as the spread is not negative",
        xi * pair - (xi - less) * pair,
        [less, pair],
    )
    yield identity(
        "so C v mean^2 <= (xi/k)(S^2 - Q) with S = C mean, Q = C (1 + v) mean^2: per C mean^2",
        (xi * (_C - 1) / _C) * (_C**2 - _C * (1 + v)) / _C,
        xi * (_C - 1) / _C * (_C - 1 - v),
    )
    bound = (_C - 1) ** 2 * xi / (_C + (_C - 1) * xi)
    solved = ((_C - 1) ** 2 * xi - _C * less) / (_C + (_C - 1) * xi)
    yield identity(
        "v = (xi/k)(C - 1 - v) - less, solved for v",
        xi * (_C - 1) / _C * (_C - 1 - solved) - less,
        solved,
    )
    yield nonnegative(
        "which is at most the bound", bound - solved, [_C * less, 1 / (_C + (_C - 1) * xi)]
    )
    s = symbolic.symbols(multiclass_covariances.norms_from_angles)
    yield identity(
        "the formula",
        symbolic.expression(multiclass_covariances.norms_from_angles),
        bound.subs({_C - 1: s["C"] - 1}).subs(xi, s["xi"]),
    )
    yield assumes(claim, mu="real")
    yield tie("the claim compares these", claim, _MEANS, _norm_sides, ("excess of the angles",))


def _norm_sides(mu: Any) -> Sides:
    m = in_balls(centred(mu))
    C, lengths = len(m), [norm(row) for row in m]
    mean = average(lengths)
    spread = sum(((r - mean) * (r - mean) for r in lengths), balls.ball(0))
    xi = None
    for c in range(C):
        for r in range(c):
            here = -dot(m[c], m[r]) / (lengths[c] * lengths[r])
            xi = here if xi is None else xi.max(here)
    xi = xi - balls.ball(Fraction(1, C - 1))
    limit = (C - 1) ** 2 * xi / (C + (C - 1) * xi)
    return {
        "excess of the angles": (-spread, -spread),
        "norms": (spread / (C * mean * mean), limit),
    }


# -- NC3 ------------------------------------------------------------------------------------------


@proof("square:definition-nc3", "sharp", "a cosine, of centred weights only", INNER_PRODUCT)
def dual_distance(claim: Claim) -> Iterator[Step]:
    """Expand the square; M is orthogonal to what centring takes from W."""
    a, b, inner = sympy.symbols("a b inner", positive=True)
    yield identity(
        "|W/a - M/b|^2 with a = |W|, b = |M|",
        a**2 / a**2 - 2 * inner / (a * b) + b**2 / b**2,
        2 - 2 * inner / (a * b),
    )
    yield identity(
        "<W, M> = <Wdot, M>: the mean weight meets sum m_c = 0", _x * _m, (_x - _g) * _m + _g * _m
    )
    dotted, less = sympy.symbols("dotted less", nonnegative=True)
    yield nonnegative(
        "<Wdot, M> = |Wdot| |M| - less, so the distance is at least 2 - 2 |Wdot|/|W|",
        (2 - 2 * (dotted * b - less) / (a * b)) - (2 - 2 * dotted / a),
        [2 * less, 1 / (a * b)],
    )
    s = symbolic.symbols(multiclass_covariances.least_dual_distance)
    yield identity(
        "the formula",
        symbolic.expression(multiclass_covariances.least_dual_distance),
        2 - 2 * sqrt(s["share"]),
    )
    yield assumes(claim, w="real", mu="real")

    def sides(w: Any, mu: Any) -> Sides:
        m, weights = in_balls(centred(mu)), in_balls(w)
        a, b = frobenius(weights).sqrt(), frobenius(m).sqrt()
        parts = [
            minus([x / a for x in row], [y / b for y in other])
            for row, other in zip(weights, m, strict=True)
        ]
        distance = frobenius(parts)
        share = frobenius(in_balls(centred(w))) / (a * a)
        return {
            "squared distance": (distance, distance),
            "least distance": (2 - 2 * share.sqrt(), distance),
        }

    given = [
        {**_MEANS[0], **point(w=[[1, 2], [0, 3]])},
        {**_MEANS[1], **point(w=[[1, 2], [0, 3], [1, 1]])},
    ]
    yield tie("the claim compares these", claim, given, sides, ("squared distance",))
