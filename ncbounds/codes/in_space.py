"""Optimal arrangements of 7, 8, 9, 10, 13, 14 and 24 points on the sphere in space.

Each is built from its largest inner product t, a root of a polynomial: the symmetry and the
contacts written beside the points leave one equation, and that is the polynomial.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ncbounds.codes.annealing import Floats, unit

Row = tuple[Any, Any, Any]

_DIGITS = 60


@dataclass(frozen=True)
class SpatialCode:
    """An arrangement in space: `largest()` is t exactly, `rows(t)` the exact coordinates."""

    name: str
    largest: Callable[[], Any]
    rows: Callable[[Any], list[Row]]
    optimal_by: str

    def floats(self) -> Floats:
        """Unit rows in double precision."""
        return unit(np.array(self._evaluated(), dtype=float))

    def check(self, largest: Any) -> bool:
        """Whether the rows are of unit length with this largest inner product, to 50 digits."""
        import mpmath

        rows = self._evaluated()
        with mpmath.workdps(_DIGITS):
            goal, tolerance = mpmath.mpf(str(largest.evalf(_DIGITS))), mpmath.mpf(10) ** -50
            if any(abs(mpmath.fdot(row, row) - 1) > tolerance for row in rows):
                return False
            products = [mpmath.fdot(a, b) for i, a in enumerate(rows) for b in rows[:i]]
            return bool(abs(max(products) - goal) < tolerance)

    def _evaluated(self) -> list[list[Any]]:
        import mpmath

        with mpmath.workdps(_DIGITS):
            t = mpmath.mpf(str(self.largest().evalf(_DIGITS)))
            return [list(row) for row in self.rows(t)]


def _root(coefficients: Sequence[int], near: float) -> Callable[[], Any]:
    """The real root nearest to a number of a polynomial, highest coefficient first."""

    def root() -> Any:
        import sympy

        polynomial = sympy.Poly(list(coefficients), sympy.Symbol("x"))
        return min(polynomial.real_roots(), key=lambda value: abs(float(value) - near))

    return root


def _ring(count: int, height: Any, turn: Any = 0) -> list[Row]:
    """A regular polygon at a height, its first vertex turned by half-steps `turn`."""
    import mpmath

    radius = mpmath.sqrt(1 - height**2)
    angles = [mpmath.pi * (2 * k + turn) / count for k in range(count)]
    return [(radius * mpmath.cos(a), radius * mpmath.sin(a), height) for a in angles]


def _all_signs(x: Any, y: Any, z: Any) -> list[Row]:
    """(+-x, +-y, z), each once."""
    xs, ys = ((v, -v) if v else (v,) for v in (x, y))
    return [(a, b, z) for a in xs for b in ys]


def _seven(t: Any) -> list[Row]:
    """A pole; three in contact with it; three below in contact with each other."""
    import mpmath

    below = -mpmath.sqrt((1 + 2 * t) / 3)
    return [(0, 0, 1), *_ring(3, t), *_ring(3, below, 1)]


def _eight(t: Any) -> list[Row]:
    """Square antiprism: neighbours in a square have the inner product height^2."""
    import mpmath

    height = mpmath.sqrt(t)
    return [*_ring(4, height), *_ring(4, -height, 1)]


def _nine(t: Any) -> list[Row]:
    """Three on the equator over the faces of a triangular prism of height^2 = 5/9."""
    import mpmath

    height = mpmath.sqrt(5) / 3
    return [*_ring(3, height), *_ring(3, -height), *_ring(3, t * 0, 1)]


def _ten(t: Any) -> list[Row]:
    """Four, two, two and two about an axis, with its two planes of symmetry.

    Contacts: among the four and the upper two, which share y; the lower pairs and the four.
    """
    import mpmath

    y, top = mpmath.sqrt((1 - t) / 2), mpmath.sqrt((1 + t) / 2)
    middle = (3 * t - 1) / (2 * top)
    squares = y**2 + middle**2
    low = (mpmath.sqrt((t * middle) ** 2 - squares * (t**2 - y**2)) - t * middle) / squares
    lower = t / low
    return [
        *_all_signs(mpmath.sqrt(1 - squares), y, middle),
        *_all_signs(0, y, top),
        *_all_signs(0, mpmath.sqrt(1 - low**2), -low),
        *_all_signs(mpmath.sqrt(1 - lower**2), 0, -lower),
    ]


def _thirteen(t: Any) -> list[Row]:
    """A pole and three rings of four: contacts from ring to ring, and within the lowest."""
    import mpmath

    middle = (3 * t**2 - 1) / (1 + t**2)
    return [(0, 0, 1), *_ring(4, t), *_ring(4, middle, 1), *_ring(4, -mpmath.sqrt(t))]


def _fourteen(t: Any) -> list[Row]:
    """Both poles; four in contact with each; four about the equator, up and down in turn."""
    import mpmath

    a, b = mpmath.sqrt((1 - t) / 2), mpmath.sqrt((1 + t - 2 * t**2) / 2)
    c, e = 2 * t / (a + b), (b - a) / (a + b)
    return [
        (0, 0, 1),
        (0, 0, -1),
        *_all_signs(a, b, t),
        *_all_signs(b, a, -t),
        *_all_signs(c, 0, e),
        *_all_signs(0, c, -e),
    ]


def _snub_cube(t: Any) -> list[Row]:
    """(1, 1/x, x), x the tribonacci constant: as many minus signs as the order is odd, mod 2."""
    import itertools

    import mpmath

    x = mpmath.findroot(lambda v: v**3 - v**2 - v - 1, 1.84)
    values = (mpmath.mpf(1), 1 / x, x)
    length = mpmath.sqrt(sum(v * v for v in values))
    rows = []
    for order in itertools.permutations(range(3)):
        even = sum(order[i] > order[j] for i in range(3) for j in range(i + 1, 3)) % 2 == 0
        for sign in itertools.product((1, -1), repeat=3):
            if (np.prod(sign) == 1) == even:
                a, b, c = (s * values[i] / length for s, i in zip(sign, order, strict=True))
                rows.append((a, b, c))
    return rows


def _eight_largest() -> Any:
    import sympy

    return (2 * sympy.sqrt(2) - 1) / 7


def _nine_largest() -> Any:
    import sympy

    return sympy.Rational(1, 3)


def _thirteen_largest() -> Any:
    """The square of a root of (x^5 + 3x^4 + x - 1)^2 = 4 x^2 (1 - x^2)^2 (1 + x^2)."""
    import sympy

    x = sympy.Symbol("x")
    difference = (x**5 + 3 * x**4 + x - 1) ** 2 - 4 * x**2 * (1 - x**2) ** 2 * (1 + x**2)
    roots = sympy.Poly(difference, x).real_roots()
    return min(roots, key=lambda value: abs(float(value) - 0.7366386)) ** 2


_SCHUETTE = "Schuette and van der Waerden 1951"

IN_SPACE = {
    7: SpatialCode("pole and two triangles", _root((3, -9, -3, 1), 0.21), _seven, _SCHUETTE),
    8: SpatialCode("square antiprism", _eight_largest, _eight, _SCHUETTE),
    9: SpatialCode("tricapped triangular prism", _nine_largest, _nine, _SCHUETTE),
    10: SpatialCode(
        "ten points", _root((7, -4, -2, 1), 0.404), _ten, "Danzer 1963 (published 1986)"
    ),
    13: SpatialCode(
        "pole and three squares", _thirteen_largest, _thirteen, "Musin and Tarasov 2012"
    ),
    14: SpatialCode(
        "fourteen points", _root((4, -2, 3, 0, -1), 0.564), _fourteen, "Musin and Tarasov 2015"
    ),
    24: SpatialCode("snub cube", _root((7, 1, -3, -1), 0.723), _snub_cube, "Robinson 1961"),
}
