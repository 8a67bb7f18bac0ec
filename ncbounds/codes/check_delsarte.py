"""Check a certificate of Delsarte's linear programming bound, in fractions alone.

The certificate says: any K unit vectors of R^d have an inner product larger than s between two of
them. It is a list of Gegenbauer coefficients f_0, f_1, ... of a polynomial f with

    f_0 > 0,  f_k >= 0,  f(t) <= 0 for -1 <= t <= s,  f(1) < K f_0.

Nothing of the package is used, and nothing is believed: the sign on [-1, s] is settled by the
Bernstein coefficients of f on shorter and shorter intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

MOST_INTERVALS = 100_000


def check_delsarte(d: int, K: int, s: Fraction, coefficients: Sequence[Fraction]) -> bool:
    """Tell whether the certificate proves that K unit vectors of R^d have a product beyond s.

    Examples
    --------
    >>> check_delsarte(3, 7, Fraction(0), [Fraction(1), Fraction(3), Fraction(2)])  # t + t^2
    True
    >>> check_delsarte(3, 6, Fraction(0), [Fraction(1), Fraction(3), Fraction(2)])
    False
    """
    f = [Fraction(c) for c in coefficients]
    admissible = d >= 2 and K >= 2 and -1 <= s < 1 and len(f) > 1
    if not (admissible and f[0] > 0 and min(f) >= 0 and sum(f) < K * f[0]):
        return False
    return _nowhere_positive(_bernstein(_powers(d, f), Fraction(-1), Fraction(s)))


def _powers(d: int, f: Sequence[Fraction]) -> list[Fraction]:
    """Coefficients of powers of t: (k+d-1) G_(k+2) = (2k+d) t G_(k+1) - (k+1) G_k, G_k(1) = 1."""
    size = len(f)
    before, now = [Fraction(0)] * size, [Fraction(0)] * size
    before[0], now[1] = Fraction(1), Fraction(1)
    total = [Fraction(0)] * size
    for k in range(size):
        total = [a + f[k] * b for a, b in zip(total, before, strict=True)]
        shifted = [Fraction(0), *now[:-1]]
        following = [
            ((2 * k + d) * a - (k + 1) * b) / (k + d - 1)
            for a, b in zip(shifted, before, strict=True)
        ]
        before, now = now, following
    return total


def _bernstein(powers: Sequence[Fraction], low: Fraction, high: Fraction) -> list[int]:
    """Coefficients in the Bernstein basis of [low, high], times a positive number."""
    n, shifted = len(powers) - 1, list(powers)
    for i in range(n):  # Taylor coefficients at low
        for j in range(n - 1, i - 1, -1):
            shifted[j] += low * shifted[j + 1]
    scaled = [c * (high - low) ** k for k, c in enumerate(shifted)]
    choose = [[1]]
    for _ in range(n):
        choose.append([1, *(a + b for a, b in pairwise(choose[-1])), 1])
    exact = [
        sum((scaled[k] * choose[i][k] / choose[n][k] for k in range(i + 1)), Fraction(0))
        for i in range(n + 1)
    ]
    common = 1
    for value in exact:
        common *= value.denominator // _gcd(common, value.denominator)
    return [int(value * common) for value in exact]


def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


def _nowhere_positive(bernstein: list[int]) -> bool:
    """Halve until no coefficient is positive; an end that is positive settles it too."""
    waiting, seen = [bernstein], 0
    while waiting:
        b, seen = waiting.pop(), seen + 1
        if max(b) <= 0:
            continue
        if b[0] > 0 or b[-1] > 0 or seen > MOST_INTERVALS:
            return False
        left, row = [b[0] << (len(b) - 1)], b
        right = [b[-1] << (len(b) - 1)]
        for i in range(1, len(b)):  # de Casteljau at 1/2, times 2^n
            row = [x + y for x, y in pairwise(row)]
            left.append(row[0] << (len(b) - 1 - i))
            right.append(row[-1] << (len(b) - 1 - i))
        waiting += [left, right[::-1]]
    return True
