"""Proofs that count the assignments of classes to the vertices of a regular polygon."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations
from math import factorial
from typing import Any

import sympy
from sympy import cos, pi

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.softmax_code import assignment
from ncbounds.theory.terms import Claim
from proofs_check.facts import ORBITS
from proofs_check.steps import Step, assumes, cases, identity, point, proof, tie

_NUMBERS = range(3, 8)


def _same_inner_products() -> Iterator[Step]:
    """Rotations and reflections of the polygon keep the inner products of its vertices."""
    a, b, turn = sympy.symbols("a b turn", integer=True)
    K = sympy.Symbol("K", integer=True, positive=True)

    def product(x: Any, y: Any) -> Any:
        return cos(2 * pi * (x - y) / K)

    yield identity("rotation by a vertex", product(a + turn, b + turn), product(a, b))
    yield identity("reflection", product(turn - a, turn - b), product(a, b))


def _orbits() -> Iterator[Step]:
    """Only the identity fixes an assignment: it fixes every vertex, as each has a class."""
    free, distinct = {}, {}
    for K in _NUMBERS:
        start = tuple(range(K))
        free[f"K = {K}"] = len(set(_images(start))) == 2 * K
        patterns = {
            tuple(min((a - b) % K, (b - a) % K) for i, a in enumerate(order) for b in order[:i])
            for order in permutations(range(K))
        }
        distinct[f"K = {K}"] = len(patterns) == factorial(K - 1) // 2
    yield cases("2 K images, all different, of one assignment", free)
    yield cases("as many matrices of inner products as orbits: cos decreases on [0, pi]", distinct)
    K = sympy.Symbol("K", integer=True, positive=True)
    yield identity(
        "K!/(2 K) = (K-1)!/2", sympy.gammasimp(sympy.gamma(K + 1) / (2 * K)), sympy.gamma(K) / 2
    )
    named = symbolic.symbols(assignment.number_of_assignments)
    yield identity(
        "which is the formula",
        symbolic.expression(assignment.number_of_assignments).subs(named["K"], K),
        sympy.gamma(K) / 2,
    )


def _images(order: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All images of an assignment under rotations and reflections."""
    K = len(order)
    turned = [tuple((vertex + turn) % K for vertex in order) for turn in range(K)]
    return [*turned, *(tuple(-vertex % K for vertex in image) for image in turned)]


@proof("gnc:remark-assignment", "printed", "up to rotations and reflections", ORBITS)
def assignments_on_a_square(claim: Claim) -> Iterator[Step]:
    """4!/8 = 3; what depends on inner products is constant on each orbit."""
    yield from _same_inner_products()
    yield from _orbits()
    yield assumes(claim, s="real")
    points = [point(s=_table(4))]
    yield tie("the claim compares these", claim, points, _sides, ("number", "best agreement"))


@proof("gnc:remark-assignment", "sharp", "any number of classes", ORBITS)
def assignments_on_a_polygon(claim: Claim) -> Iterator[Step]:
    """K!/(2K); what depends on inner products is constant on each orbit."""
    yield from _same_inner_products()
    yield from _orbits()
    yield assumes(claim, s="real")
    points = [point(s=_table(K)) for K in (3, 4, 5)]
    yield tie("the claim compares these", claim, points, _sides, ("number", "best agreement"))


def _table(K: int) -> list[list[int]]:
    return [[(3 * j + 5 * k * k) % 7 - 2 for k in range(K)] for j in range(K)]


def _sides(s: Any) -> dict[str, tuple[Any, Any]]:
    """The best agreement over the assignments that leave the first class at the first vertex."""
    K, best = len(s), balls.ball(-(10**9))
    cosine = [balls.cos(2 * balls.pi * m / K) for m in range(K)]
    for rest in permutations(range(1, K)):
        order = (0, *rest)
        value = sum(
            (
                balls.ball(s[j][k]) * cosine[(order[j] - order[k]) % K]
                for j in range(K)
                for k in range(K)
                if j != k
            ),
            balls.ball(0),
        )
        best = best.max(value)
    number = Fraction(factorial(K - 1), 2)
    return {"number": (number, number), "best agreement": (best, best)}
