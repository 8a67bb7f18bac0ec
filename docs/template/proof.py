"""Proof that one feature is near its class mean: the others balance it (the worked template).

It would stand in proofs_check/one_sample.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie


@proof("review:remark-one-sample", "corrected", "with the number of samples")
def one_sample(claim: Claim) -> Iterator[Step]:
    """Complete the square of the others about the point that balances the one.

    Coordinate by coordinate: D is the deviation of the one feature, n = N - 1 the number of the
    others, S the sum of their squared deviations, which add up to -D, and Q = sum (d + D/n)^2.
    """
    n = sympy.Symbol("n", positive=True, integer=True)
    D, S = sympy.symbols("D S", real=True)
    Q = sympy.Symbol("Q", nonnegative=True)
    yield identity(
        "squares of the others about -D/n, as their deviations add up to -D",
        S + 2 * (D / n) * (-D) + n * (D / n) ** 2,
        S - D**2 / n,
    )
    yield nonnegative(
        "(N-1) times the sum of all squares is at least N D^2",
        n * ((Q + D**2 / n) + D**2) - (n + 1) * D**2,
        [n, Q],
    )
    yield assumes(claim, features="real", epsilon="budget")

    def sides(features: Any, epsilon: Any) -> dict[str, tuple[Any, Any]]:
        # In exact fractions, and by another road than the claim: through differences of pairs.
        size = len(features)
        squares = [
            sum(sum(h[k] - g[k] for g in features) ** 2 for k in range(len(h))) / size**2
            for h in features
        ]
        pairs = sum(((h - g) ** 2).sum() for h in features for g in features)
        allowed = (size - 1) * number(epsilon)
        return {
            "small variability": (balls.ball(pairs / (2 * size**2)), epsilon),
            "every feature": ([balls.ball(s) for s in squares], [balls.ball(allowed)] * size),
        }

    points = [
        point(features=[[0], [0], [3]], epsilon=2),  # equality
        point(features=[["1/2", 1], [-1, 0]], epsilon="7/3"),
    ]
    yield tie("the claim compares these", claim, points, sides)
