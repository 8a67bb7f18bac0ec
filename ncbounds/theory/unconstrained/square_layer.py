"""A last layer with free features under the square loss: what the statements about it share.

K classes of n samples. Weights A have shape (B, K, m), features F (B, K, n, m): samples are rows,
so the A F of the review has the entries ``<a_j, f_ki>``, and the norm of a matrix is Frobenius.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
from ncbounds.theory.terms import Comparison, Field

#: The axis C is that of the K classes.
LAYER = (Field("A", ("C", "m")), Field("F", ("C", "n", "m")))
DECAYS = (Field("lambda_A", (), "positive"), Field("lambda_F", (), "positive"))
SIZES = {"C": (2, 4), "n": (1, 3), "m": (1, 4)}


def square(xp: Any, array: Any) -> Any:
    """Sum of the squares of all entries but for the batch axis: (B,)."""
    return xp.sum(xp.reshape(array * array, (array.shape[0], -1)), axis=-1)


def identity_matrix(xp: Any, like: Any, K: int, m: int | None = None) -> Any:
    """The first rows of an identity matrix, (B, K, m), for a `like` of shape (B,)."""
    width = K if m is None else m
    rows = [xp.stack([0 * like + int(j == k) for j in range(width)], axis=-1) for k in range(K)]
    return xp.stack(rows, axis=1)


def outputs(xp: Any, A: Any, F: Any) -> Any:
    """A f of each sample: (B, K, n, K)."""
    return xp.sum(F[:, :, :, None, :] * A[:, None, None, :, :], axis=-1)


def labels(xp: Any, F: Any) -> Any:
    """The one-hot label of each sample, to broadcast against outputs."""
    return identity_matrix(xp, F[:, 0, 0, 0], F.shape[1])[:, :, None, :]


def fit(xp: Any, off: Any) -> Any:
    """``1/(2N)`` times the sum of squares of what samples are off, (B, K, n, K)."""
    return class_mean(xp, square_norm(xp, off)) / 2


def means(xp: Any, F: Any) -> Any:
    """Class means, (B, K, m)."""
    return xp.mean(F, axis=2)


def spread(xp: Any, F: Any) -> Any:
    """Features less their class mean."""
    return F - means(xp, F)[:, :, None, :]


def repeated(xp: Any, rows: Any, n: int) -> Any:
    """Collapsed features: each row n times, (B, K, n, m)."""
    return xp.stack([rows] * n, axis=2)


def scaled(number: Any, array: Any) -> Any:
    """An array times a number an instance."""
    return number[(slice(None),) + (None,) * (array.ndim - 1)] * array


def centred(xp: Any, rows: Any) -> Any:
    """Rows less their mean."""
    return rows - xp.mean(rows, axis=1)[:, None, :]


def gram(xp: Any, rows: Any) -> Any:
    """Inner products of rows, (B, K, K)."""
    return rows @ xp.matrix_transpose(rows)


def positive_part(xp: Any, x: Any) -> Any:
    """The larger of x and 0."""
    return xp.maximum(x, 0 * x)


def solved(xp: Any, S: Any, rows: Any) -> Any:
    """X with ``X S = rows`` for positive definite S (B, m, m) and rows (B, r, m): elimination.

    A positive definite matrix needs no exchange of rows.
    """
    m = S.shape[1]
    left = [[S[:, i, j] for j in range(m)] for i in range(m)]
    right = [rows[:, :, j] for j in range(m)]
    for i in range(m):
        for r in range(i + 1, m):
            factor = left[r][i] / left[i][i]
            left[r] = [a - factor * b for a, b in zip(left[r], left[i], strict=True)]
            right[r] = right[r] - factor[:, None] * right[i]
    found: list[Any] = [None] * m
    for i in reversed(range(m)):
        rest = right[i]
        for j in range(i + 1, m):
            rest = rest - left[i][j][:, None] * found[j]
        found[i] = rest / left[i][i][:, None]
    return xp.stack(found, axis=-1)


def equal_arrays(xp: Any, name: str, left: Any, right: Any, size: Any = None) -> Comparison:
    """That two arrays are equal, each entry raised by the sum of their magnitudes and `size`.

    Entries that cancel to zero are then compared in floats with what they are made of.
    """
    flat = (left.shape[0], -1)
    total = xp.sum(xp.abs(xp.reshape(left, flat)) + xp.abs(xp.reshape(right, flat)), axis=-1)
    total = total if size is None else total + size
    raised = total[(slice(None),) + (None,) * (left.ndim - 1)]
    return Comparison(name, left + raised, right + raised, "=")
