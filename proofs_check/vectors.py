"""Vectors as lists of exact numbers or balls, by plain loops: what ties compute on their own."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ncbounds.arithmetic import balls


def dot(x: Any, y: Any) -> Any:
    """Inner product, exact where both are."""
    exact = all(isinstance(entry, Fraction) for entry in (*x, *y))
    read = Fraction if exact else balls.ball
    return sum((read(a) * read(b) for a, b in zip(x, y, strict=True)), read(0))


def root(square: Any) -> Any:
    """Square root, as a ball."""
    return balls.ball(square).sqrt()


def norm(x: Any) -> Any:
    """Euclidean norm."""
    return root(dot(x, x))


def mean(rows: Any) -> Any:
    """Mean of rows."""
    return [sum(row[j] for row in rows) / Fraction(len(rows)) for j in range(len(rows[0]))]


def root_mean_square(rows: Any) -> Any:
    """Quadratic mean of the norms of rows."""
    return root(sum(dot(row, row) for row in rows) / Fraction(len(rows)))


def scaled(rows: Any, numbers: Any) -> Any:
    """Each row times its number."""
    return [[factor * x for x in row] for row, factor in zip(rows, numbers, strict=True)]


def cosine(x: Any, y: Any) -> Any:
    """Cosine of the angle of two vectors."""
    return balls.ball(dot(x, y)) / (norm(x) * norm(y))


def mean_direction(rows: Any) -> Any:
    """The mean of the normalised rows, in balls."""
    total = [balls.ball(0)] * len(rows[0])
    for row in rows:
        length = norm(row)
        total = [s + balls.ball(x) / length for s, x in zip(total, row, strict=True)]
    return [s / len(rows) for s in total]
