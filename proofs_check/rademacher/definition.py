"""Proof of how the definitions of the Rademacher complexity compare."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import sympy
from sympy import Max

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import INDEPENDENT_SIGNS
from proofs_check.steps import Step, assumes, cases, nonnegative, point, proof, tie


@proof("square:definition-1", "sharp", "the definitions compared", INDEPENDENT_SIGNS)
def definitions(claim: Claim) -> Iterator[Step]:
    """For each sign vector: sup s <= sup |s| <= sup max(s, 0) + sup max(-s, 0); then the mean."""
    p = sympy.Symbol("p", nonnegative=True)
    yield nonnegative("s <= |s| for s = -p; for s = p they are equal", abs(-p) + p, [2, p])
    yield cases(
        "|s| = max(s, 0) + max(-s, 0), the larger of s and -s",
        {str(s): Max(s, 0) + Max(-s, 0) == abs(s) and Max(s, -s) == abs(s) for s in (p, -p)},
    )
    yield assumes(claim, values="real")
    yield tie(
        "the claim compares these", claim, _CLASSES, _sides, ("with negatives", "Definition 1")
    )


def exact_complexities(values: Any) -> tuple[Fraction, Fraction]:
    """The signed and the absolute complexity, over all 2^m sign vectors."""
    m = len(values[0])
    signed = absolute = Fraction(0)
    for signs in product((1, -1), repeat=m):
        sums = [sum(e * v for e, v in zip(signs, row, strict=True)) for row in values]
        signed += max(sums)
        absolute += max(map(abs, sums))
    return signed / 2**m / m, absolute / 2**m / m


def _sides(values: Any) -> dict[str, tuple[Any, Any]]:
    signed, absolute = exact_complexities(values)
    with_zero, _ = exact_complexities([*values, [Fraction(0)] * len(values[0])])
    symmetric, _ = exact_complexities([*values, *([-v for v in row] for row in values)])
    given = {
        "signed": (signed, absolute),
        "absolute": (absolute, 2 * with_zero),
        "with negatives": (symmetric, absolute),
        "Definition 1": (2 * absolute, 2 * absolute),
    }
    return {name: (balls.ball(a), balls.ball(b)) for name, (a, b) in given.items()}


_CLASSES = [
    point(values=[[1, 2, -1], [0, "1/2", 3]]),
    point(values=[[1]]),
    point(values=[[2, 2], [-1, 3], [0, 0]]),
]
