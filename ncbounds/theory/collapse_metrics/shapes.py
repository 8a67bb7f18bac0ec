"""What the metrics of collapse are made of: class means about their centre, and small matrices.

The symbols are those of `review`: K classes of n features in R^m, class means mu_k about the global
mean mu_G, unit directions of ``mu_k - mu_G`` as the rows of M, weights a_k as the rows of A and a
bias b. Rows are vectors and the batch axis comes first; metrics enter squared, which needs no root
of a number that may be zero.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.metrics import small_simplex
from ncbounds.theory.proximity.near_optimal_loss import square_norm


def centred_rows(xp: Any, rows: Any) -> Any:
    """Rows less their mean: (B, K, m)."""
    return rows - xp.mean(rows, axis=1)[:, None, :]


def centred_samples(xp: Any, samples: Any) -> Any:
    """Samples less the mean of their class: (B, K, n, m)."""
    return samples - xp.mean(samples, axis=2)[:, :, None, :]


def unit_rows(xp: Any, rows: Any) -> Any:
    """Rows scaled to length 1."""
    return rows / norm(xp, rows)[..., None]


def products(xp: Any, left: Any, right: Any) -> Any:
    """Inner products of all rows: (B, K, m) twice to (B, K, K)."""
    return xp.matmul(left, xp.matrix_transpose(right))


def square_sum(xp: Any, matrix: Any) -> Any:
    """Squared Frobenius norm."""
    return xp.sum(xp.sum(matrix * matrix, axis=-1), axis=-1)


def diagonal(xp: Any, matrix: Any) -> Any:
    """The diagonal of (B, K, K)."""
    return xp.stack([matrix[:, k, k] for k in range(matrix.shape[1])], axis=1)


def identity_matrix(xp: Any, matrix: Any) -> Any:
    """The identity of the shape of (B, K, K)."""
    zero, K = 0 * matrix[:, 0, 0], matrix.shape[1]
    rows = [xp.stack([zero + int(j == k) for j in range(K)], axis=-1) for k in range(K)]
    return xp.stack(rows, axis=1)


def centring(xp: Any, matrix: Any) -> Any:
    """``I - 11^T/K`` of the shape of (B, K, K)."""
    return identity_matrix(xp, matrix) - (0 * matrix + 1) / matrix.shape[1]


def root_of(xp: Any, number: int, like: Any) -> Any:
    """The root of a number, in the arithmetic of an array."""
    return xp.sqrt(0 * like + number)


def simplex_difference(xp: Any, matrix: Any) -> Any:
    """``X/|X|_F - (I - 11^T/K)/sqrt(K-1)``, whose Frobenius norm is the metric (7) or (8)."""
    size = xp.sqrt(square_sum(xp, matrix))[:, None, None]
    return matrix / size - centring(xp, matrix) / root_of(xp, matrix.shape[1] - 1, matrix)


def simplex_distance(xp: Any, matrix: Any) -> Any:
    """The square of (7) for ``M M^T``, of (8) for ``A M^T``."""
    return square_sum(xp, simplex_difference(xp, matrix))


def gram_of_simplex(xp: Any, matrix: Any) -> Any:
    """``K/(K-1) I - 11^T/(K-1)``, the right-hand side of (5)."""
    K = matrix.shape[1]
    return centring(xp, matrix) * K / (K - 1)


def at_simplex(xp: Any, mirrors: Any, alpha: Any) -> tuple[Any, Any]:
    """Centred means at a simplex ETF in m >= K - 1 dimensions, and their squared length."""
    means = small_simplex(xp, mirrors, alpha)
    K = means.shape[1]
    return means, alpha * alpha * (K - 1) / K


def joined(xp: Any, left: Any, right: Any) -> Any:
    """Coordinates of `left`, then those of `right`, over the last axis."""
    parts = [left[..., j] for j in range(left.shape[-1])]
    parts += [right[..., j] for j in range(right.shape[-1])]
    return xp.stack(parts, axis=-1)


def off_diagonal(xp: Any, matrix: Any) -> Any:
    """The entries off the diagonal: (B, K, K) to (B, K (K-1))."""
    K = matrix.shape[1]
    return xp.stack([matrix[:, k, j] for k in range(K) for j in range(K) if j != k], axis=1)


def squared_distances(xp: Any, left: Any, right: Any) -> Any:
    """Of every left from every right row: (B, K, m) twice to (B, K, K)."""
    return square_norm(xp, left[:, :, None, :] - right[:, None, :, :])


__all__ = [
    "at_simplex",
    "centred_rows",
    "centred_samples",
    "centring",
    "diagonal",
    "dot",
    "gram_of_simplex",
    "identity_matrix",
    "joined",
    "norm",
    "off_diagonal",
    "products",
    "root_of",
    "simplex_difference",
    "simplex_distance",
    "square_norm",
    "square_sum",
    "squared_distances",
    "unit_rows",
]
