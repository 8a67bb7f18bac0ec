"""The metrics of collapse by plain loops, for ties, and the steps that several proofs share."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls, symbolic
from proofs_check.metrics import reflections
from proofs_check.steps import Step, identity, number
from proofs_check.vectors import dot, mean, norm

Sides = dict[str, tuple[Any, Any]]
K = sympy.Symbol("K", integer=True, positive=True)
many = sympy.Symbol("many", positive=True)  # K - 1


def expression(formula: Any, **values: Any) -> Any:
    """The expression of a formula with its parameters replaced."""
    named = symbolic.symbols(formula)
    return symbolic.expression(formula).subs({named[name]: x for name, x in values.items()})


def inner_products() -> Iterator[Step]:
    """The points have the inner products alpha^2 (delta - 1/K): columns of the Helmert matrix."""
    yield from reflections()
    r, c = sympy.symbols("r c", positive=True)
    yield identity("1/(r (r+1)) telescopes", 1 / (r * (r + 1)), 1 / r - 1 / (r + 1))
    tail = 1 / (c + 1) - 1 / K
    yield identity("columns b < c: -c/(c (c+1)) + rest", -c / (c * (c + 1)) + tail, -1 / K)
    yield identity("column c >= 1: c^2/(c (c+1)) + rest", c**2 / (c * (c + 1)) + tail, 1 - 1 / K)
    yield identity("column 0: the rest alone", tail.subs(c, 0), 1 - 1 / K)
    total = sympy.Symbol("total", real=True)
    yield identity("less their mean, points add up to 0", total - K * (total / K), 0)


def minus(x: Any, y: Any) -> list[Any]:
    """Difference of two vectors."""
    return [a - b for a, b in zip(x, y, strict=True)]


def plus(x: Any, y: Any) -> list[Any]:
    """Sum of two vectors."""
    return [a + b for a, b in zip(x, y, strict=True)]


def times(factor: Any, x: Any) -> list[Any]:
    """A vector times a number."""
    return [factor * a for a in x]


def total(values: Any) -> Any:
    """Sum of a list that is not empty."""
    values = list(values)
    return sum(values[1:], values[0])


def average(values: Any) -> Any:
    """Mean of a list."""
    values = list(values)
    return total(values) / Fraction(len(values)) if _exact(values) else total(values) / len(values)


def _exact(values: Any) -> bool:
    return all(isinstance(v, Fraction) for v in values)


def centred(rows: Any) -> list[list[Any]]:
    """Rows less their mean."""
    centre = mean(rows)
    return [minus(row, centre) for row in rows]


def frame(mirrors: Any) -> list[list[Fraction]]:
    """Unit vectors reflected in the mirrors, exactly: an orthonormal basis of the simplex."""
    d = len(mirrors[0])
    rows = [[Fraction(int(j == c)) for j in range(d)] for c in range(len(mirrors))]
    for v in mirrors:
        square = dot(v, v)
        rows = [minus(row, times(2 * dot(row, v) / square, v)) for row in rows]
    return rows


def simplex(mirrors: Any, alpha: Any) -> list[list[Any]]:
    """The points of the simplex in balls: combinations of the basis."""
    basis, size = frame(mirrors), number(alpha)
    number_of_points = len(basis) + 1
    points = [[balls.ball(0)] * len(basis[0]) for _ in range(number_of_points)]
    for r, row in enumerate(basis, 1):
        step = [balls.ball(size * x) / balls.ball(r * (r + 1)).sqrt() for x in row]
        for c in range(r + 1):
            points[c] = plus(points[c], times(1 if c < r else -r, step))
    return points


def square_of(alpha: Any, classes: int) -> Fraction:
    """Squared length of the points."""
    return number(alpha) ** 2 * Fraction(classes - 1, classes)


def units(rows: Any) -> list[list[Any]]:
    """Rows of length 1, in balls."""
    return [[balls.ball(x) / norm(row) for x in row] for row in rows]


def gram(left: Any, right: Any) -> list[list[Any]]:
    """Inner products of rows."""
    return [[dot(x, y) for y in right] for x in left]


def entries(matrix: Any) -> list[Any]:
    """All entries, row by row."""
    return [x for row in matrix for x in row]


def size(matrix: Any) -> Any:
    """Squared Frobenius norm, in balls."""
    return total(balls.ball(x) * balls.ball(x) for x in entries(matrix))


def others(matrix: Any) -> list[Any]:
    """Entries off the diagonal, row by row."""
    return [x for k, row in enumerate(matrix) for j, x in enumerate(row) if j != k]


def target(classes: int) -> list[list[Fraction]]:
    """The Gram matrix (5)."""
    return [
        [Fraction(1) if j == k else Fraction(-1, classes - 1) for j in range(classes)]
        for k in range(classes)
    ]


def distance(matrix: Any) -> Any:
    """The square of (7) or (8), by the inner product with the target."""
    classes = len(matrix)
    trace = total(matrix[k][k] for k in range(classes))
    both = trace - total(entries(matrix)) / classes
    return 2 - 2 * both / (balls.ball(classes - 1) * size(matrix)).sqrt()


def first_largest(scores: Any) -> int:
    """The first place of the largest score."""
    best = 0
    for place in range(1, len(scores)):
        if scores[place] > scores[best]:
            best = place
    return best


def three_rules(f: Any, a: Any, b: Any) -> tuple[Fraction, Fraction, Fraction]:
    """NC4, the error of the nearest class mean and that of the last layer, sample by sample."""
    classes, n = len(f), len(f[0])
    means = [mean(rows) for rows in f]
    found = [0, 0, 0]
    for k in range(classes):
        for x in f[k]:
            said = first_largest([dot(a[c], x) + b[c] for c in range(classes)])
            away = [dot(minus(x, m), minus(x, m)) for m in means]
            near = first_largest([-v for v in away])
            for place, differ in enumerate((said != near, near != k, said != k)):
                found[place] += differ
    return tuple(Fraction(count, classes * n) for count in found)  # type: ignore[return-value]
