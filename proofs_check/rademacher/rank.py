"""Proof that rank bounds the Frobenius norm by the spectral norm."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.rademacher import rank
from ncbounds.theory.terms import Claim
from proofs_check.steps import Fact, Step, assumes, cases, identity, nonnegative, point, proof, tie

SINGULAR_VALUES = Fact(
    "Singular values",
    "A matrix of rank r has r singular values that are not zero; the root of the sum of their "
    "squares is its Frobenius norm, the largest is its spectral norm.",
    "Horn and Johnson, Matrix Analysis, Theorem 2.6.3 and Section 5.6",
)


@proof("square:theorem-7", "corrected", "spectral norm 1", SINGULAR_VALUES)
def spectral_norm(claim: Claim) -> Iterator[Step]:
    """The sum of r squares is at most r times the largest; sqrt(r/n) sqrt(n) = sqrt(r)."""
    s, below = sympy.symbols("s below", nonnegative=True)
    r, n = symbolic.symbols(rank.printed_rank_factor).values()
    yield nonnegative(
        "a square is at most that of a larger number",
        (s + below) ** 2 - s**2,
        [below, below + 2 * s],
    )
    yield identity(
        "r squares of the largest", sqrt(r * s**2), rank.frobenius_bound(symbolic, r=r, spectral=s)
    )
    yield identity(
        "sqrt(r/n) times the root of n is the root of r",
        rank.printed_rank_factor(symbolic, r=r, n=n) * sqrt(n),
        sqrt(r),
    )
    yield cases("all r from 1 on", {"least r": claim.sizes["r"][0] == 1})
    yield assumes(claim, singular="positive", rest="real")

    def sides(singular: Any, rest: Any) -> dict[str, tuple[Any, Any]]:
        square = sum((s * s for s in singular), Fraction(0))
        frobenius, largest = balls.sqrt(balls.ball(square)), max(singular)
        bound = balls.sqrt(balls.ball(len(singular) * largest * largest))
        return {"Frobenius norm": (frobenius, bound), "share of full rank": (frobenius, bound)}

    instances = [point(singular=[3, 2, "1/2"], rest=[1, 1]), point(singular=[2], rest=[1])]
    yield tie("the claim compares these", claim, instances, sides)
