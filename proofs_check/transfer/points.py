"""Classes as lists of exact points, by plain loops: what ties of this topic compute."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.vectors import dot, mean

__all__ = ["cdnv", "centred", "class_errors", "dot", "mean", "minus", "square", "variance"]


def minus(x: Any, y: Any) -> Any:
    """Difference of two vectors."""
    return [a - b for a, b in zip(x, y, strict=True)]


def square(x: Any) -> Any:
    """Squared norm."""
    return dot(x, x)


def centred(points: Any) -> Any:
    """Points less their mean."""
    centre = mean(points)
    return [minus(x, centre) for x in points]


def variance(points: Any) -> Any:
    """Mean squared distance from the mean."""
    return sum(square(x) for x in centred(points)) / Fraction(len(points))


def cdnv(first: Any, second: Any) -> Any:
    """The CDNV of two classes."""
    apart = square(minus(mean(first), mean(second)))
    return (variance(first) + variance(second)) / (2 * apart)


def class_errors(classes: Any, centres: Any) -> Any:
    """Share of each class that some other centre is at least as near as its own."""
    shares = []
    for i, points in enumerate(classes):
        wrong = 0
        for x in points:
            own = square(minus(x, centres[i]))
            wrong += any(
                square(minus(x, centre)) <= own for j, centre in enumerate(centres) if j != i
            )
        shares.append(Fraction(wrong, len(points)))
    return shares
