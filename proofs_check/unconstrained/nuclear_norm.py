"""Proofs about the nuclear norm as the least decay of two factors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.steps import Fact, Step, assumes, identity, number, point, proof, tie
from proofs_check.unconstrained.points import Point, Sides, each, in_balls, square, total
from proofs_check.unconstrained.regularised_risk import DOMAIN, POINTS

ORTHONORMAL = Fact(
    "Orthonormal vectors",
    "With orthonormal columns U and V: U^T U = V^T V = I, |U X| = |X|, |F V| <= |F|, and |U^T A| = "
    "|A| where U is square.",
    "Horn and Johnson, Matrix Analysis, Section 2.1; Bessel's inequality",
)

_x, _y, _along, _p2 = sympy.symbols("x y along p2", real=True)
_la, _lf, _s = sympy.symbols("lambda_A lambda_F s", positive=True)


@proof("review:eq-23", "corrected", "dimension at least the rank", ORTHONORMAL)
def dimension_at_least_the_rank(claim: Claim) -> Iterator[Step]:
    """Both ways: the factors of the decomposition, and a square for every other pair."""
    length = sympy.Symbol("length", positive=True)
    yield identity(
        "a reflection keeps |x|^2: x - 2 <x, p> p/|p|^2 squared",
        _x**2 - 4 * _along**2 / length + 4 * _along**2 / length**2 * length,
        _x**2,
    )
    ratio = (_lf / _la) ** sympy.Rational(1, 4)
    yield identity("the powers cancel in the product", ratio * sqrt(_s) * sqrt(_s) / ratio, _s)
    yield identity(
        "each singular value costs sqrt(lambda_A lambda_F) times itself",
        _la * (ratio * sqrt(_s)) ** 2 / 2 + _lf * (sqrt(_s) / ratio) ** 2 / 2,
        sqrt(_la * _lf) * _s,
    )
    yield identity(
        "a pair of factors, entry by entry of U^T A and F V, with the rest of F",
        _la * _x**2 / 2 + _lf * _y**2 / 2,
        sqrt(_la * _lf) * _x * _y + (sqrt(_la) * _x - sqrt(_lf) * _y) ** 2 / 2,
    )
    yield identity("<U V^T, U s V^T> = sum s, on the diagonal", 1 * _s * 1, _s)
    yield assumes(
        claim, **DOMAIN, left="real", right="real", values="nonnegative", lambda_b="nonnegative"
    )

    def sides(left: Any, right: Any, values: Any, F: Any, **rest: Any) -> Sides:
        K, _, m = np.shape(F)
        U, V = _reflections(left)[:, :K], _reflections(right)[:, :K]
        s = in_balls([v if j < m else 0 for j, v in enumerate(values)])
        Z = U @ np.diag(s) @ V.T
        at = Point(F, **rest)
        norm = at.sigma * total(s)
        shifted = Z + at.b[:, None]
        weights = each("exp", shifted).sum(axis=0)
        loss = total(each("log", weights)) - total(at.Y * shifted)
        risk = loss / at.N + norm + at.lb * square(at.b) / 2
        pairing = at.sigma * total((U @ V.T) * (at.A @ at.F))
        by_right = at.F @ V
        apart = at.lA.sqrt() * (U.T @ at.A) - at.lF.sqrt() * by_right.T
        between = square(apart) / 2 + at.lF * (square(at.F) - square(by_right)) / 2
        return {
            "product": (Z, Z),
            "attained": (norm, norm),
            "same risk": (risk, risk),
            "pairing with Z": (norm, norm),
            "every factorisation": (pairing, at.decay),
            "between": (at.decay, pairing + between),
        }

    numbers = point(lambda_A="1/2", lambda_F=3, lambda_b="1/3")
    given = [
        {
            **POINTS[0],
            **numbers,
            **point(left=np.eye(3).tolist(), right=np.ones((3, 3)).tolist(), values=[1, 0, 2]),
        },
        {
            **POINTS[1],
            **numbers,
            **point(left=[[1, 2], [0, 0]], right=[[1, 0, 2, 1], [0, 1, 1, 0]], values=[3, "1/2"]),
        },
    ]
    lines = ("product", "attained", "same risk", "pairing with Z", "between")
    yield tie("the claim compares these", claim, given, sides, lines)


def _reflections(vectors: Any) -> Any:
    """The product of the reflections, as a matrix whose first columns are used."""
    size = np.shape(vectors)[1]
    Q = in_balls(np.eye(size))
    for vector in vectors:
        exact = [number(x) for x in vector]
        length = sum(x * x for x in exact)
        if length:
            p = in_balls(exact)
            Q = (in_balls(np.eye(size)) - balls.ball(2 / length) * np.outer(p, p)) @ Q
    return Q
