"""Proofs about batch normalisation, one coordinate at a time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_variance, _eta, _n, _m = sympy.symbols("variance eta n m", positive=True)
_gamma, _total = sympy.symbols("gamma total", real=True)

_BATCHES = [
    point(x=[[1, 2], [0, "1/2"], [3, -1]], y=[["1/3", 0], [2, 5]], gamma=[2, "-1/2"]),
    point(x=[[1], [2]], y=[[0], [1], [5]], gamma=[3]),
]


@proof("bnwd:proposition-2.1", "printed", "no constant coordinate, batches of any sizes")
def quadratic_mean(claim: Claim) -> Iterator[Step]:
    """The sum of squares of a centred coordinate over its variance is the size of the batch."""
    yield identity(
        "sum of gamma^2 (x - mean)^2/variance = n gamma^2, the sum of squares being n variance",
        _gamma**2 * (_n * _variance) / _variance,
        _n * _gamma**2,
    )
    yield identity(
        "two batches: (n + m) gamma^2 over n + m",
        (_n * _gamma**2 + _m * _gamma**2) / (_n + _m),
        _gamma**2,
    )

    def sides(x: Any, y: Any, gamma: Any, floor: Any) -> dict[str, tuple[Any, Any]]:
        def total(batch: Any) -> Any:
            kept = [v / max(v, number(floor)) for v in (_moments(c)[1] for c in batch.T)]
            return len(batch) * sum(g * g * k for g, k in zip(gamma, kept, strict=True))

        square = sum(g * g for g in gamma)
        least = min(_moments(column)[1] for batch in (x, y) for column in batch.T)
        return {
            "no constant coordinate": (number(floor), least),
            "one batch": (total(x), len(x) * square),
            "all batches": ((total(x) + total(y)) / (len(x) + len(y)), square),
        }

    instances = [{**batch, **point(floor="1/10")} for batch in _BATCHES]
    yield assumes(claim, x="real", y="real", gamma="real", floor="positive")
    yield tie("the claim compares these", claim, instances, sides, ("one batch", "all batches"))


@proof("bnwd:proposition-2.1", "sharp", "as implemented")
def as_implemented(claim: Claim) -> Iterator[Step]:
    """The same with variance + eta below."""
    yield identity(
        "mean of gamma^2 (x - mean)^2/(variance + eta)",
        _gamma**2 * (_n * _variance) / (_variance + _eta) / _n,
        _gamma**2 * _variance / (_variance + _eta),
    )
    yield nonnegative(
        "it is at most gamma^2",
        _gamma**2 - _gamma**2 * _variance / (_variance + _eta),
        [_gamma**2, _eta, 1 / (_variance + _eta)],
    )

    def sides(x: Any, gamma: Any, eta: Any) -> dict[str, tuple[Any, Any]]:
        variances = [_moments(column)[1] for column in x.T]
        kept = sum(g * g * v / (v + number(eta)) for g, v in zip(gamma, variances, strict=True))
        return {"mean square": (kept, kept), "at most gamma": (kept, sum(g * g for g in gamma))}

    instances = [
        {"x": batch["x"], "gamma": batch["gamma"], **point(eta="1/10")} for batch in _BATCHES
    ]
    yield assumes(claim, x="real", gamma="real", eta="positive")
    yield tie("the claim compares these", claim, instances, sides, ("mean square",))


@proof("bnwd:remark-bn-zero-mean", "printed", "statistics of the batches")
def zero_mean(claim: Claim) -> Iterator[Step]:
    """A centred coordinate sums to zero over its batch, whatever multiplies it."""
    scale = sympy.Symbol("scale", real=True)
    yield identity(
        "sum of scale (x - mean) over a batch",
        scale * (_total - _n * (_total / _n)),
        0,
    )

    def sides(x: Any, y: Any, gamma: Any, eta: Any) -> dict[str, tuple[Any, Any]]:
        total = balls.asarray(np.zeros(len(gamma), dtype=object))
        for batch in (x, y):
            columns = []
            for g, column in zip(gamma, batch.T, strict=True):
                mean, variance = _moments(column)
                scale = balls.ball(g) / balls.ball(variance + number(eta)).sqrt()
                columns.append(scale * balls.ball(sum(a - mean for a in column)))
            total = total + balls.asarray(np.array(columns, dtype=object))
        return {"global mean": (total, 0 * total)}

    instances = [{**batch, **point(eta="1/10")} for batch in _BATCHES]
    yield assumes(claim, x="real", y="real", gamma="real", eta="positive")
    yield tie("the claim compares these", claim, instances, sides, ("global mean",))


def _moments(column: Any) -> tuple[Fraction, Fraction]:
    """Mean and variance of exact numbers."""
    mean = sum(column) / Fraction(len(column))
    return mean, sum((a - mean) ** 2 for a in column) / Fraction(len(column))
