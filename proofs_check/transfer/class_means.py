"""Proofs about distances of class means, and which arrangement makes the least of them largest."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.transfer import class_means as theory
from proofs_check.facts import COUNTING, TRIANGLE
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.transfer.points import centred, dot, mean, minus, square

Sides = dict[str, tuple[Any, Any]]
_K = sympy.Symbol("K", positive=True)
_total, _whole = sympy.symbols("total whole", nonnegative=True)


def _mean_distance() -> Iterator[Step]:
    """The mean over the pairs: sum over ordered pairs of |mu_i|^2 + |mu_j|^2 - 2 <mu_i, mu_j>."""
    of_pairs = (2 * _K * _total - 2 * _whole) / (_K * (_K - 1))
    yield identity(
        "it is 2K/(K-1) (mean square - |mean|^2): total = sum |mu_c|^2, whole = |sum mu_c|^2",
        of_pairs,
        2 * _K / (_K - 1) * (_total / _K - _whole / _K**2),
    )
    v = symbolic.symbols(theory.simplex_distance)
    yield identity(
        "the formula",
        symbolic.expression(theory.simplex_distance),
        2 * v["K"] / (v["K"] - 1) * v["mean_square"],
    )


@proof(
    "review:remark-etf-distance",
    "corrected",
    "the least distance, and the mean over the pairs",
    COUNTING,
)
def least_distance(claim: Claim) -> Iterator[Step]:
    """The least is at most the mean, and what is taken off is a square."""
    yield from _mean_distance()
    M = sympy.Symbol("M", positive=True)
    yield nonnegative(
        "what is taken off is not negative, K = M + 1",
        2 * (M + 1) / M * _whole / (M + 1) ** 2,
        [2, _whole, 1 / M, 1 / (M + 1)],
    )
    yield assumes(claim, centres="real")
    yield tie("the claim compares these", claim, _POINTS, _least_sides, ("mean over the pairs",))


@proof("review:remark-etf-distance", "sharp", "only near a simplex ETF", COUNTING, TRIANGLE)
def near_simplex(claim: Claim) -> Iterator[Step]:
    """The centred Gram matrix is -J D J/2, and the excess of D is a sum over pairs."""
    yield from _mean_distance()
    a, b, c, m = sympy.symbols("a b c m", real=True)
    yield identity(
        "centred <x, y> from squared distances: -(|x-y|^2 - |x|^2 - |y|^2)/2",
        -((a - b) ** 2 - a**2 - b**2) / 2,
        a * b,
    )
    yield identity("-J (m (11^T - I)) J/2 = m J/2, as J 1 = 0", -m * (0 - c) / 2, m * c / 2)
    # P has the entries 1 at (i, j) and (j, i) alone: J P J has the square |P|^2 - 2|P 1|^2/K + ...
    yield identity(
        "|J P J|^2 for a single pair",
        2 - 2 * 2 / _K + 4 / _K**2,
        2 * ((_K - 1) ** 2 + 1) / _K**2,
    )
    gap = sympy.Symbol("gap", nonnegative=True)
    M = sympy.Symbol("M", positive=True)
    per_pair = sqrt(2 * (M**2 + 1)) / (M + 1)
    yield identity(
        "half of it times the excess of all pairs, at most K(K-1)/2 gap",
        per_pair / 2 * (M + 1) * M / 2 * gap,
        M * sqrt(2 * M**2 + 2) * gap / 4,
    )
    v = symbolic.symbols(theory.gram_bound)
    yield identity(
        "the bound as a formula",
        symbolic.expression(theory.gram_bound),
        (v["K"] - 1) / 4 * sqrt(2 * (v["K"] - 1) ** 2 + 2) * v["gap"],
    )
    common, excess = sympy.symbols("common excess", nonnegative=True)
    yield nonnegative(
        "gap = common + excess of the mean over the least: common is at most the gap",
        (common + excess) - common,
        [excess],
    )
    yield nonnegative("and so is the excess", (common + excess) - excess, [common])
    yield assumes(claim, centres="real")
    yield tie("the claim compares these", claim, _POINTS, _near_sides)


# -- the claims' own sides on exact instances -----------------------------------------------------


def _numbers(centres: Any) -> tuple[list[Any], Any, Any]:
    K = len(centres)
    apart = [square(minus(centres[i], centres[j])) for i in range(K) for j in range(i)]
    factor = Fraction(2 * K, K - 1)
    largest = factor * sum(map(square, centres)) / K
    return apart, largest, factor * square(mean(centres))


def _least_sides(centres: Any) -> Sides:
    apart, largest, common = _numbers(centres)
    ball = balls.ball
    return {
        "mean over the pairs": (ball(sum(apart) / len(apart)), ball(largest - common)),
        "least over the pairs": (ball(min(apart)), ball(largest)),
    }


def _near_sides(centres: Any) -> Sides:
    K = len(centres)
    apart, largest, common = _numbers(centres)
    least, moved = min(apart), centred(centres)
    gap = largest - least
    off = sum(
        (dot(moved[i], moved[j]) - least / 2 * ((1 if i == j else 0) - Fraction(1, K))) ** 2
        for i in range(K)
        for j in range(K)
    )
    bound = Fraction((K - 1) ** 2, 16) * (2 * (K - 1) ** 2 + 2) * gap**2
    ball = balls.ball
    return {
        "common mean": (ball(common), ball(gap)),
        "Gram matrix": (ball(off), ball(bound)),
    }


_POINTS = [
    point(centres=[[1, 0], [0, 1], [-1, -1]]),
    point(centres=[[2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 1]]),
    point(centres=[[3], ["1/2"]]),
]
