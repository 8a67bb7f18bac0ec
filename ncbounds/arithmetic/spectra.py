"""The largest singular value of a matrix, over every array namespace, and certified over balls.

Floats ask their library for eigenvalues. Over balls let M = G G^T: the trace of M^p with p = 2^s
lies between the p-th power of the largest eigenvalue and that power times the number of rows, so
its p-th root is that eigenvalue up to a factor of rows^(1/p), whatever the multiplicities. Each
square is rounded to its midpoints, which moves no eigenvalue by more than the radii are long; so
errors are halved by the roots and not doubled by the squares. That serves any precision;
`singular_value_bounds` gives some twelve digits of large matrices in a few products, from the
eigenvectors that floats find.
"""

from __future__ import annotations

import math
from typing import Any

import flint
import numpy as np

from ncbounds.arithmetic import balls

#: How often M is squared, and the bits that are enough for what this leaves open.
_SQUARINGS, _BITS = 72, 160


def largest_singular_value(xp: Any, matrix: Any) -> Any:
    """The spectral norm of matrices (B, r, c): (B,), over balls an enclosure."""
    if xp is balls:
        return balls.stack([balls.asarray(_enclosed(each)) for each in matrix.data])
    transposed = xp.matrix_transpose(matrix)
    wide = matrix.shape[-1] > matrix.shape[-2]
    square = xp.matmul(matrix, transposed) if wide else xp.matmul(transposed, matrix)
    finite = xp.isfinite(square)  # a matrix with other entries would stop the whole batch
    largest = xp.linalg.eigvalsh(xp.where(finite, square, xp.ones_like(square)))[..., -1]
    found = xp.sqrt(xp.maximum(largest, 0 * largest))
    whole = xp.all(xp.reshape(finite, (finite.shape[0], -1)), axis=-1)
    return xp.where(whole, found, 0 * found + math.nan)


def _enclosed(matrix: Any) -> flint.arb:
    """The spectral norm of one matrix of balls, as an object array."""
    if not all(entry.is_finite() for entry in matrix.ravel()):
        return flint.arb("nan")
    with balls.precision(min(flint.ctx.prec, _BITS)):
        return _squared_out(*_rounded(flint.arb_mat(matrix.tolist())))


def _squared_out(G: flint.arb_mat, radius: flint.arb) -> flint.arb:
    """The spectral norm of exact midpoints, give or take what the radii are long."""
    power = G * G.transpose() if G.ncols() > G.nrows() else G.transpose() * G
    if not power.trace() > 0:
        return flint.arb(0, radius) if power.trace() == 0 else flint.arb("nan")
    errors = []
    for _ in range(_SQUARINGS):
        middle, error = _rounded(power)
        scale = _power_of_two(middle.trace())  # huge exponents are slow
        errors.append((error, scale))
        middle = middle * (1 / scale)
        power = middle * middle
    low, high = (power.trace() / power.nrows()).lower(), power.trace().upper()
    for error, scale in reversed(errors):  # the largest eigenvalue before rounding and squaring
        low, high = _root(low).lower() * scale - error, _root(high).upper() * scale + error
    low, high = _root(low).lower() - radius, _root(high).upper() + radius
    return flint.arb(0).max(low).union(high) if high > 0 else flint.arb(0)


def _power_of_two(x: flint.arb) -> flint.arb:
    """A power of two near a positive number."""
    mantissa, exponent = x.mid().man_exp()
    return flint.arb(2) ** (int(exponent) + int(mantissa).bit_length())


def _root(x: flint.arb) -> flint.arb:
    """The root of a number that is zero where it is negative."""
    return x.sqrt() if x > 0 else flint.arb(0)


def _rounded(matrix: flint.arb_mat) -> tuple[flint.arb_mat, flint.arb]:
    """The midpoints of a matrix, and an upper bound of the norm of the radii."""
    middle = matrix.mid()
    apart = matrix - middle
    return middle, _root((apart * apart.transpose()).trace().upper()).upper()


def singular_value_bounds(matrix: flint.arb_mat) -> tuple[flint.arb, flint.arb]:
    """A lower and an upper bound of the spectral norm, for large matrices of balls.

    With V from floats and M = G G^T, every x is V y: the quotient <x, M x>/<x, x> is at most the
    largest Gershgorin bound of V^T M V over the least of V^T V, and at a column of V it is a lower
    bound of the largest.
    """
    rows, columns = matrix.nrows(), matrix.ncols()
    G = matrix.transpose() if rows > columns else matrix
    M = G * G.transpose()
    size = M.nrows()
    scale = _power_of_two(M.trace()) if M.trace() > 0 else flint.arb(1)
    floats = np.array([float((e / scale).mid()) for e in M.entries()]).reshape(size, size)
    V = flint.arb_mat(np.linalg.eigh((floats + floats.T) / 2)[1].tolist())
    turned, product = V.transpose() * M * V, V.transpose() * V
    above = [_row_end(turned, i, 1) for i in range(size)]
    least = [_row_end(product, i, -1) for i in range(size)]
    top, bottom = above[0], least[0]
    for a, b in zip(above, least, strict=True):
        top, bottom = top.max(a), bottom.min(b)
    lower = flint.arb(0)
    for i in range(size):
        lower = lower.max(turned[i, i] / product[i, i])
    if not bottom > 0:
        return lower.lower().sqrt().lower(), flint.arb("inf")
    return lower.lower().sqrt().lower(), (top / bottom).upper().sqrt().upper()


def _row_end(matrix: flint.arb_mat, row: int, sign: int) -> flint.arb:
    """The diagonal entry, and to one side the sum of the others' magnitudes."""
    others = sum((abs(matrix[row, j]) for j in range(matrix.ncols()) if j != row), flint.arb(0))
    return matrix[row, row] + sign * others
