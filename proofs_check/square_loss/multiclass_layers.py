"""The targets and moments of several classes by plain loops, and what all their proofs share.

Nothing here is shared with the code that judges: what both compute must agree. Sums over entries,
samples and classes are linear, so an identity of one typical term is one of the sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls
from proofs_check.steps import Fact, Step, identity
from proofs_check.vectors import dot

Sides = dict[str, tuple[Any, Any]]
_C = sympy.Symbol("C", integer=True, positive=True) + 1

INDEPENDENT_CHOICES = Fact(
    "Variance of independent choices",
    "The mean over all choices of one vector from each of C lists of |mean of the chosen - mean of "
    "all|^2 is the mean of the lists' variances over C.",
    "Bienayme; vectors entry by entry",
)


def target_rows(C: int) -> list[list[Fraction]]:
    """The targets e~_c, row by row."""
    return [[Fraction(1) if r == c else Fraction(-1, C - 1) for r in range(C)] for c in range(C)]


def samples(values: Any) -> list[tuple[int, Any]]:
    """Every sample with its class, of values nested by class and sample."""
    return [(c, value) for c, row in enumerate(values) for value in row]


def average(numbers: Any) -> Any:
    """Mean of numbers."""
    listed = list(numbers)
    return sum(listed[1:], listed[0]) / len(listed)


def minus(x: Any, y: Any) -> list[Any]:
    """Difference of two vectors."""
    return [a - b for a, b in zip(x, y, strict=True)]


def times(factor: Any, x: Any) -> list[Any]:
    """A vector times a number."""
    return [factor * a for a in x]


def outer(x: Any, y: Any) -> list[Any]:
    """The entries of x y^T, row by row."""
    return [a * b for a in x for b in y]


def product(matrix: Any, x: Any) -> list[Any]:
    """A matrix times a vector."""
    return [dot(row, x) for row in matrix]


def centred(rows: Any) -> list[list[Any]]:
    """Rows less their mean."""
    middle = average_rows(rows)
    return [minus(row, middle) for row in rows]


class Outputs:
    """Outputs nested by class and sample, their margins and moments, by plain loops."""

    def __init__(self, f: Any) -> None:
        self.f, self.C = f, len(f)
        self.k = Fraction(self.C, self.C - 1)
        self.e = target_rows(self.C)
        self.own = [dot(x, self.e[c]) for c, x in samples(f)]
        self.mu = average(self.own)
        self.M = average(dot(x, x) for _, x in samples(f))

    def loss(self, rho: Any) -> Any:
        """Mean squared error at a scale."""
        rests = [minus(times(rho, x), self.e[c]) for c, x in samples(self.f)]
        return average(dot(rest, rest) for rest in rests)

    @property
    def deviation(self) -> Any:
        """Mean squared deviation from Property 2."""
        rests = [minus(x, times(self.mu / self.k, self.e[c])) for c, x in samples(self.f)]
        return average(dot(rest, rest) for rest in rests)


def in_balls(values: Any) -> Any:
    """Nested numbers as balls."""
    if isinstance(values, (list, tuple, np.ndarray)) and np.ndim(values):
        return [in_balls(value) for value in values]
    return balls.ball(values.item() if isinstance(values, np.ndarray) else values)


def frobenius(rows: Any) -> Any:
    """Sum of the squares of a matrix."""
    return sum((dot(row, row) for row in rows), balls.ball(0))


class LastLayer:
    """A last layer in balls by plain loops: outputs, residuals and the gradient (38).

    The outputs are V h, or ``(alpha/rho) e~`` where alpha is given.
    """

    def __init__(self, v: Any, h: Any, rho: Any, alpha: Any = None, unit: bool = False) -> None:
        self.C, self.V, self.rho = len(v), in_balls(v), balls.ball(rho)
        if unit:
            length = frobenius(self.V).sqrt()
            self.V = [[x / length for x in row] for row in self.V]
        self.h = [(c, in_balls(x)) for c, x in samples(h)]
        self.e = in_balls(target_rows(self.C))
        self.f = [product(self.V, x) for _, x in self.h]
        if alpha is not None:
            share = balls.ball(alpha) / self.rho
            self.f = [times(share, self.e[c]) for c, _ in self.h]
        self.r = [
            minus(times(self.rho, f), self.e[c]) for f, (c, _) in zip(self.f, self.h, strict=True)
        ]
        self.along = average(dot(f, r) for f, r in zip(self.f, self.r, strict=True))
        self.of_data = [
            average_rows([times(r[c], x) for r, (_, x) in zip(self.r, self.h, strict=True)])
            for c in range(self.C)
        ]

    def gradient(self) -> list[list[Any]]:
        """Twice rho times (mean r_c h - <f, r> V^c), row by row."""
        return [
            [2 * self.rho * (a - self.along * b) for a, b in zip(g, row, strict=True)]
            for g, row in zip(self.of_data, self.V, strict=True)
        ]

    @property
    def loss(self) -> Any:
        """The mean squared error."""
        return average(dot(r, r) for r in self.r)


def average_rows(rows: Any) -> list[Any]:
    """Mean of vectors."""
    return [average(column) for column in zip(*rows, strict=True)]


def about_targets() -> Iterator[Step]:
    """The targets have squared norm C/(C-1), inner products -C/(C-1)^2 and the sum 0."""
    yield identity(
        "|e~_c|^2 = 1 + (C-1)/(C-1)^2 = C/(C-1)", 1 + (_C - 1) / (_C - 1) ** 2, _C / (_C - 1)
    )
    yield identity(
        "<e~_c, e~_r> = -2/(C-1) + (C-2)/(C-1)^2 = -C/(C-1)^2",
        -2 / (_C - 1) + (_C - 2) / (_C - 1) ** 2,
        -_C / (_C - 1) ** 2,
    )
    yield identity("the entries of a target add up to 0", 1 - (_C - 1) / (_C - 1), 0)
