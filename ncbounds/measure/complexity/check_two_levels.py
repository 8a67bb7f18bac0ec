"""The upper end for two levels again, in ball arithmetic, sharing no code with the search.

Cut the circle of the lower kernel's angles anywhere, into arcs of at most a quarter turn; good cuts
only make the result tight. On an arc from e to e' every direction is `alpha w(e) + beta w(e')` with
0 <= alpha, beta <= 1. So a unit that is not negative at both ends is active on the whole arc, and
one that is not positive at both is blocked. Any other is taken as one or the other, and what that
can hide is at most the sum of what stands on the wrong side at the two ends. With the units settled
the supremum over the upper kernel is `|A w|`, and `|A w|^2` is a sinusoid in twice the angle: over
an arc its maximum is at an end, unless it rises at the first end and falls at the second; then its
largest value of all, the squared norm of A, is an upper bound.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from flint import arb, arb_mat

from ncbounds.arithmetic.balls import precision
from ncbounds.errors import InputError
from ncbounds.measure.complexity.conventions import (
    Array,
    admit_sample,
    check_positive,
    rounded,
    sign_vectors,
)

MAX_SAMPLES = 12

_PRECISION = 96


def two_level_upper(X: npt.ArrayLike, rho: float = 1.0) -> float:
    """Bound the complexity of two-level trees from above, in the convention `definition-1`.

    `X` has shape (m, 4), m <= 12. The same number as `tree_rademacher(X, rho).upper` but for its
    last digits, by another way and slower. Raises InputError outside this domain.

    >>> two_level_upper([[3.0, 4.0, 0.0, 0.0]])
    10.0
    """
    sample = admit_sample(X, MAX_SAMPLES)
    check_positive(rho=rho)
    m, d = sample.shape
    if d != 4:
        raise InputError("X", f"array with d = {d} columns", "of d = 4 columns, for two levels")
    signs = sign_vectors(m)
    with precision(_PRECISION):
        total = sum((s.sqrt() for s in _squares(sample, signs)), arb(0))
        return rounded(arb(2) * arb(rho) * total / (m * len(signs)), down=False)


def _squares(X: Array, signs: Array) -> list[arb]:
    """An upper bound of the squared supremum for every sign vector."""
    cuts = _cuts(X)
    ends = [(arb(t).cos(), arb(t).sin()) for t in cuts.tolist()]
    rows = [[arb(value) for value in row] for row in X.tolist()]
    at_end = [
        [(c * row[2 * j] + s * row[2 * j + 1]) for row in rows for j in range(2)] for c, s in ends
    ]
    sides = arb_mat(signs.tolist())
    best = [arb(0)] * len(signs)
    for k in range(len(cuts)):
        after = (k + 1) % len(cuts)
        active, hidden = _settle(at_end[k], at_end[after])
        entries = [
            [
                rows[i][2 * j + part] if active[2 * i + j] else arb(0)
                for j in (0, 1)
                for part in (0, 1)
            ]
            for i in range(len(rows))
        ]
        for n, (a, b, c, e) in enumerate((sides * arb_mat(entries)).tolist()):
            top = _largest(a, b, c, e, ends[k], ends[after])
            if not hidden.is_zero():
                length = top.max(arb(0)).sqrt() + hidden
                top = length * length
            best[n] = best[n].max(top.upper())
    return best


def _cuts(X: Array) -> Array:
    """Angles near those where a unit changes, and quarters of the circle between; increasing."""
    units = X.reshape(-1, 2)
    normal = np.arctan2(units[:, 1], units[:, 0])
    changes = np.concatenate([normal + np.pi / 2, normal - np.pi / 2]) % (2 * np.pi)
    quarters = 1.5 * np.arange(5)
    cuts = np.unique(np.concatenate([changes, quarters]))
    kept: Array = cuts[cuts < 2 * math.pi]
    return kept


def _settle(before: list[arb], behind: list[arb]) -> tuple[list[bool], arb]:
    """Which units are active on an arc, and how much the wrong ones among them can hide."""
    active, hidden = [], arb(0)
    for first, second in zip(before, behind, strict=True):
        if first >= 0 and second >= 0:
            active.append(True)
        elif first <= 0 and second <= 0:
            active.append(False)
        else:
            on = bool((first + second).mid() > 0)
            side = -1 if on else 1
            hidden += (side * first).max(arb(0)) + (side * second).max(arb(0))
            active.append(on)
    return active, hidden


def _largest(
    a: arb, b: arb, c: arb, e: arb, before: tuple[arb, arb], behind: tuple[arb, arb]
) -> arb:
    """An upper bound of |A w|^2 over an arc, A = ((a, b), (c, e))."""
    difference, cross = a * a + c * c - b * b - e * e, a * b + c * e
    first, second = (_slope(difference, cross, end) for end in (before, behind))
    if first <= 0 or second >= 0:
        values = []
        for x, y in (before, behind):
            top, bottom = a * x + b * y, c * x + e * y
            values.append(top * top + bottom * bottom)
        return values[0].max(values[1])
    radius = (difference * difference + 4 * cross * cross).max(arb(0)).sqrt()
    return (a * a + b * b + c * c + e * e + radius) / 2


def _slope(difference: arb, cross: arb, end: tuple[arb, arb]) -> arb:
    """The derivative of |A w|^2 in the angle, at an end (cos, sin)."""
    x, y = end
    return 2 * (cross * (x * x - y * y) - difference * x * y)
