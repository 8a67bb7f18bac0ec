"""Ends of balls as floats, and operator norms enclosed: what makes a certificate certain."""

from __future__ import annotations

import math
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from ncbounds.arithmetic import balls

#: Relative room above the largest eigenvalue in floats, raised until the factorisation succeeds.
_ROOMS = (2.0**-40, 2.0**-30, 2.0**-20, 2.0**-8)


def float_above(x: flint.arb) -> float:
    """A float that is not below a ball."""
    return math.nextafter(float(x.upper()), math.inf)


def float_below(x: flint.arb) -> float:
    """A float that is not above a ball."""
    return math.nextafter(float(x.lower()), -math.inf)


def squared_norm_at_most(matrix: NDArray[np.object_]) -> flint.arb:
    """An upper bound on the squared operator norm of a matrix of balls, at the precision in force.

    With s a little above the largest eigenvalue of the smaller Gram matrix, ``s I - Gram`` has a
    Cholesky factorisation in balls, so s is an upper bound; failing that, the largest row sum is.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    gram = flint.arb_mat(wide.tolist()) * flint.arb_mat(wide.T.tolist())
    size = gram.nrows()
    middle = np.array([[float(gram[i, j].mid()) for j in range(size)] for i in range(size)])
    top = float(np.linalg.eigvalsh(middle)[-1]) if np.isfinite(middle).all() else np.nan
    for room in _ROOMS:
        bound = balls.ball(top * (1 + room)) if top > 0 else None
        if bound is not None and _positive_definite(bound, gram):
            return bound
    return _largest_row_sum(gram)


def _positive_definite(bound: flint.arb, gram: Any) -> bool:
    """Whether ``bound I - gram`` certainly is: elimination with pivots that are all positive."""
    size = gram.nrows()
    rows = [
        [(bound if i == j else balls.ball(0)) - gram[i, j] for j in range(size)]
        for i in range(size)
    ]
    for i in range(size):
        if not rows[i][i] > 0:
            return False
        for j in range(i + 1, size):
            factor = rows[j][i] / rows[i][i]
            for k in range(i + 1, size):
                rows[j][k] = rows[j][k] - factor * rows[i][k]
    return True


def _largest_row_sum(gram: Any) -> flint.arb:
    largest = balls.ball(0)
    for i in range(gram.nrows()):
        total = balls.ball(0)
        for j in range(gram.ncols()):
            total += abs(gram[i, j])
        largest = largest.max(total)
    return largest
