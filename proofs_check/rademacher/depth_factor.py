"""Proof that nodes with kernels of their own need a factor for the depth."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

from ncbounds.arithmetic import balls
from ncbounds.theory.rademacher.depth_factor import KERNELS, NODES, SAMPLES
from ncbounds.theory.terms import Claim
from proofs_check.facts import INDEPENDENT_SIGNS
from proofs_check.steps import Step, assumes, cases, number, point, proof, tie


@proof("square:remark-depth-factor", "sharp", "kernels of their own", INDEPENDENT_SIGNS)
def own_kernels(claim: Claim) -> Iterator[Step]:
    """Any kernels of the nodes are a lower bound; the best readout has the norm of their sums."""
    squares = _squares()
    yield cases(
        "every choice of signs, up to a common one, has its kernel",
        {
            str(signs): (signs[0] == 1) == (signs in KERNELS)
            for signs in product((1, -1), repeat=len(SAMPLES))
        },
    )
    yield cases("the squares are 101, 9, 61, 81/2", {"": squares == [101, 9, 61, Fraction(81, 2)]})
    yield cases(
        "the mean over all signs exceeds 1.009 times the norm, which scales with the samples",
        {"in balls": bool(_mean(squares) > _norm() * 1009 / 1000)},
    )
    yield assumes(claim, scale="positive")

    def sides(scale: Any) -> dict[str, tuple[Any, Any]]:
        factor = balls.ball(number(scale))
        return {"attained": (_norm() * factor * 1009 / 1000, _mean(squares) * factor)}

    yield tie("the claim compares these", claim, [point(scale=1), point(scale="7/3")], sides)


def _squares() -> list[Fraction]:
    found = []
    for signs, (a, b) in KERNELS.items():
        total = sum(e * max(a * u + b * v, 0) for e, (u, v) in zip(signs, SAMPLES, strict=True))
        found.append(Fraction(total * total, a * a + b * b))
    return found


def _mean(squares: list[Fraction]) -> Any:
    """The mean of the norm over all choices of the nodes' squares, one after the other."""
    sums: dict[Fraction, int] = {Fraction(0): 1}
    for _ in range(NODES):
        longer: dict[Fraction, int] = {}
        for (known, ways), square in product(sums.items(), squares):
            longer[known + square] = longer.get(known + square, 0) + ways
        sums = longer
    total = sum((ways * balls.ball(s).sqrt() for s, ways in sums.items()), balls.ball(0))
    return total / len(squares) ** NODES


def _norm() -> Any:
    return balls.ball(NODES * sum(u * u + v * v for u, v in SAMPLES)).sqrt()
