"""Levenshtein's bound on spherical codes, as an upper bound on the one-vs-rest distance.

For given d and K a polynomial P is written down whose largest root s is at most the largest inner
product of any K unit vectors in R^d. With G_k the Gegenbauer polynomials of R^d, G_k(1) = 1, r_k
the dimension of the spherical harmonics of degree k, and T the sum of r_i G_i over i < k, it is

    P = (K - T(1)) G_k + T                               for D(d, 2k-1) <= K <= D(d, 2k),
    P = (K - T(1) - A) (G_k + G_(k+1)) + 2 (T + A G_k)    for D(d, 2k) <= K <= D(d, 2k+1),

where A = r_(k-1) - r_(k-2) + ... and D are the sizes of tight designs,
``D(d, 2k-1) = 2 C(d+k-2, d-1)`` and ``D(d, 2k) = C(d+k-1, d-1) + C(d+k-2, d-1)``. The roots of P
are the nodes of the quadrature on [-1, 1] that has the weight 1/K at 1 (and a node at -1 in the
second case). In the first case with k = 1 and 2 it is Rankin's bound and that of third moments.

Source: V. I. Levenshtein, Designs as maximum codes in polynomial metric spaces, Acta Applicandae
Mathematicae 29 (1992), 1-82; Universal bounds for codes and designs, Handbook of Coding Theory
(1998), Theorem 5.39.
"""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb
from typing import Any

import flint

from ncbounds.arithmetic.formula import algorithm, integer

#: Designs of higher strength are not tried: the work grows with the square of the degree.
MOST_DEGREES = 60
_STEPS = 60


def tight_design_size(d: int, strength: int) -> int:
    """Least number of points that a spherical design of that strength in R^d could have."""
    k = strength // 2
    if strength % 2:
        return 2 * comb(d + k - 1, d - 1)
    return comb(d + k - 1, d - 1) + (comb(d + k - 2, d - 1) if k else 0)


def degree(d: int, K: int) -> int | None:
    """The degree m of Levenshtein's polynomial, D(d, m) <= K <= D(d, m+1); None if it is large."""
    for m in range(1, MOST_DEGREES + 1):
        if tight_design_size(d, m + 1) >= K:
            return m
    return None


@algorithm(
    integer("d", "feature dimension", "d", at_least=2),
    integer("K", "number of classes", "K", at_least=2),
)
def levenshtein_upper(d: Fraction, K: Fraction) -> flint.arb:
    """Levenshtein's upper bound on the one-vs-rest distance."""
    dimension, number = int(d), int(K)
    m = degree(dimension, number)
    if m is None:
        return flint.arb("nan")
    return flint.arb(1) - _largest_root(_NodePolynomial(dimension, number, m))


class _NodePolynomial:
    """P as a combination of Gegenbauer polynomials with integer coefficients."""

    def __init__(self, d: int, K: int, m: int) -> None:
        self.d, self.even, k = d, m % 2 == 0, (m + 1) // 2
        dimensions = [_harmonics(d, i) for i in range(k)]
        total = sum(dimensions)
        if m % 2:
            self.coefficients = [*dimensions, K - total]
        else:
            alternating = sum(r * (-1) ** (k - 1 - i) for i, r in enumerate(dimensions))
            rest = K - total - alternating
            self.coefficients = [*(2 * r for r in dimensions), 2 * alternating + rest, rest]

    def __call__(self, t: Any) -> tuple[Any, Any, Any]:
        """Value, slope and half the bend at t, a float or a ball, divided by P(1)."""
        one, nothing = 0 * t + 1, 0 * t
        before, now = (one, nothing, nothing), (t, one, nothing)
        value, slope, bend = nothing, nothing, nothing
        for k, coefficient in enumerate(self.over(t)):
            value = value + coefficient * before[0]
            slope = slope + coefficient * before[1]
            bend = bend + coefficient * before[2]
            # (k + d - 1) G_(k+2) = (2k + d) t G_(k+1) - (k + 1) G_k
            rise, fall = 2 * k + self.d, k + 1
            following = (
                (rise * t * now[0] - fall * before[0]) / (k + self.d - 1),
                (rise * (now[0] + t * now[1]) - fall * before[1]) / (k + self.d - 1),
                (rise * (now[1] + t * now[2]) - fall * before[2]) / (k + self.d - 1),
            )
            before, now = now, following
        return value, slope, bend

    def over(self, t: Any) -> list[Any]:
        """The coefficients, divided by their sum, in the arithmetic of t."""
        whole = sum(self.coefficients)
        if isinstance(t, float):
            return [c / whole for c in self.coefficients]
        return [flint.arb(c) / whole for c in self.coefficients]

    def right_of_all_but_one(self, t: flint.arb) -> bool:
        """Tell whether at most one root of P can be as large as t.

        P is quasi-orthogonal of order 1: its roots interlace those of the Jacobi polynomial of
        one degree less, which is a multiple of G_i - G_(i+1), or of G_i - G_(i+2), over 1 - t or
        1 - t^2. These are orthogonal polynomials, and where all up to some degree are positive,
        that one has no root further right.
        """
        gap = 2 if self.even else 1
        last, values = self.degree - gap, [flint.arb(1), t]
        for k in range(last + gap):
            factor = (2 * k + self.d) * t * values[-1]
            values.append((factor - (k + 1) * values[-2]) / (k + self.d - 1))
        return all(values[i] > values[i + gap] for i in range(last + 1))

    @property
    def degree(self) -> int:
        return len(self.coefficients) - 1


def _harmonics(d: int, k: int) -> int:
    """Dimension of the spherical harmonics of degree k in R^d."""
    return comb(d + k - 1, d - 1) - (comb(d + k - 3, d - 1) if k > 1 else 0)


def _largest_root(P: _NodePolynomial) -> flint.arb:
    """A few digits in floats, all of them by Newton's method, which at last runs in intervals."""
    t = flint.arb(_laguerre(P))
    close = flint.arb(2) ** (-(flint.ctx.prec // 2) - 4)
    for _ in range(_STEPS):
        value, slope, _bend = P(t)
        step = (value / slope).mid()
        if not abs(step) > close:
            break
        t = (t - step).mid()
    around = t + flint.arb(0, 1) * 4 * P.degree * close
    better = t - value / P(around)[1]
    if around.contains(better) and P.right_of_all_but_one(around):
        return better
    return flint.arb("nan")


def _laguerre(P: _NodePolynomial) -> float:
    """The largest root by Laguerre's method from 1, right of all roots, which are real."""
    n, t = P.degree, 1.0
    for _ in range(_STEPS):
        value, slope, bend = P(t)
        if not value > 0 < slope:
            break
        a, b = slope / value, 2 * bend / value
        step = n / (a + math.sqrt(max(0.0, (n - 1) * (n * (a * a - b) - a * a))))
        t -= step
        if not step > 1e-15:
            break
    return t
