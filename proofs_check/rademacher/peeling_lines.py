"""Proof of the lines of (22) that follow the peeling."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import INDEPENDENT_SIGNS
from proofs_check.steps import Step, assumes, identity, point, proof, tie


@proof("square:eq-21", "printed", "(22), after the peeling", INDEPENDENT_SIGNS)
def after_the_peeling(claim: Claim) -> Iterator[Step]:
    """The mean of a norm is at most the root of the mean of its square, which is sum |x_i|^2."""
    rho, s, t = sympy.symbols("rho s t", nonnegative=True)
    v, mean, square = sympy.symbols("v mean square", real=True)
    yield identity("the product of the norms leaves the root", sympy.sqrt(rho**2 * s**2), rho * s)
    yield identity(
        "the mean over one more sign of (s + eps t)^2 is s^2 + t^2",
        ((s + t) ** 2 + (s - t) ** 2) / 2,
        s**2 + t**2,
    )
    yield identity(
        "E u^2 - (E u)^2 = E (u - E u)^2 >= 0",
        sympy.expand((v - mean) ** 2).subs(v**2, square).subs(v, mean),
        square - mean**2,
    )
    yield assumes(claim, samples="real", kernels="real")
    yield tie("the claim compares these", claim, _INSTANCES, _sides, ("third line",))


def _sides(samples: Any, kernels: Any) -> dict[str, tuple[Any, Any]]:
    m = len(samples)
    rho = balls.ball(Fraction(prod(a * a + b * b for a, b in kernels))).sqrt()
    mean = balls.ball(0)
    for signs in product((1, -1), repeat=m):
        sums = [sum(e * x for e, x in zip(signs, row, strict=True)) for row in samples.T]
        mean += balls.ball(Fraction(sum(s * s for s in sums))).sqrt() / 2**m
    data = balls.ball(Fraction(sum(x * x for x in samples.ravel()))).sqrt()
    return {
        "third line": (rho * mean / m, rho * mean / m),
        "fourth line": (rho * mean / m, rho * data / m),
    }


_INSTANCES = [
    point(samples=[[1, 2], [-1, "1/2"], [3, 0]], kernels=[[1, 2], ["1/3", -1]]),
    point(samples=[[2]], kernels=[[1, 1]]),
]
