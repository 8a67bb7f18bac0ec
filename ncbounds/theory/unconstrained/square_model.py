r"""The square error of unconstrained features: outputs, risk, gradients, strong-collapse errors.

K classes of n samples, N = Kn. The risk is ``1/2 |A F + b 1^T - Y|^2`` with features F, shape
(B, K, n, m): sample i of class c has the feature ``F[:, c, i]``; weights A, shape (B, K, m), and
biases b, shape (B, K). Y is one-hot. A pair (F, A) is kept in one array U, shape (B, K, n + 1, m),
whose last "sample" of class c is the row ``a_c`` of A: it then has one norm and one inner product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ncbounds.theory.square_loss.tangents import Tangent

SIZES = {"C": (2, 3), "n": (1, 2), "m": (1, 3)}


def one_hot(xp: Any, K: int) -> Any:
    """The labels of a sample of each class, as rows."""
    return xp.asarray(np.eye(K))


def squares(xp: Any, x: Any) -> Any:
    """Sum of the squares of an instance: (B,)."""
    return xp.sum(x * x, axis=tuple(range(1, x.ndim)))


def norm(xp: Any, x: Any) -> Any:
    """Frobenius norm of an instance: (B,)."""
    return xp.sqrt(squares(xp, x))


def inner(xp: Any, x: Any, y: Any) -> Any:
    """Inner product of two arrays of an instance: (B,)."""
    return xp.sum(x * y, axis=tuple(range(1, x.ndim)))


def exponential(xp: Any, x: Tangent) -> Tangent:
    """The exponential with its derivative."""
    value = xp.exp(x.value)
    return Tangent(value, x.rate * value[:, None])


# -- the risk and its gradients --------------------------------------------------------------------


def products(xp: Any, F: Any, A: Any) -> Any:
    """A F: the products of every row of A with every feature, (B, K, n, K)."""
    return xp.sum(F[:, :, :, None, :] * A[:, None, None, :, :], axis=-1)


def residual(xp: Any, F: Any, A: Any, b: Any) -> Any:
    """A F + b 1^T - Y, (B, K, n, K)."""
    K = A.shape[1]
    labels = xp.reshape(one_hot(xp, K), (1, K, 1, K))
    return products(xp, F, A) + b[:, None, None, :] - labels


def risk(xp: Any, F: Any, A: Any, b: Any) -> Any:
    """Half the square error of (16): (B,)."""
    return squares(xp, residual(xp, F, A, b)) / 2


def pulled(xp: Any, E: Any, F: Any, A: Any) -> tuple[Any, Any]:
    """A^T E and E F^T for a residual E (B, K, n, K): gradients by the features and the weights."""
    by_features = xp.sum(E[..., None] * A[:, None, None, :, :], axis=-2)
    by_weights = xp.sum(E[..., None] * F[:, :, :, None, :], axis=(1, 2))
    return by_features, by_weights


def gradients(xp: Any, F: Any, A: Any, b: Any) -> tuple[Any, Any, Any]:
    """What (18) prints as gradients of the risk by F, A and b."""
    E = residual(xp, F, A, b)
    return (*pulled(xp, E, F, A), xp.sum(E, axis=(1, 2)))


# -- moments, balance, strong collapse -------------------------------------------------------------


def class_means(xp: Any, F: Any) -> Any:
    """Means of the features of each class: (B, K, m)."""
    return xp.mean(F, axis=2)


def within_classes(xp: Any, F: Any) -> Any:
    """Features less the mean of their class."""
    return F - class_means(xp, F)[:, :, None, :]


def centred(xp: Any, rows: Any) -> Any:
    """Rows (B, K, m) less their mean."""
    return rows - xp.mean(rows, axis=1)[:, None, :]


def mixed(xp: Any, x: Any, y: Any) -> Any:
    """Sum of x y^T over all rows of two arrays (B, ..., m): (B, m, m)."""
    return xp.sum(x[..., :, None] * y[..., None, :], axis=tuple(range(1, x.ndim - 1)))


def imbalance(xp: Any, F: Any, A: Any) -> Any:
    """A^T A - F F^T, (B, m, m): what the flow conserves."""
    return mixed(xp, A, A) - mixed(xp, F, F)


def simplex(xp: Any, K: int) -> Any:
    """The Gram matrix I - 1 1^T/K of a simplex, for a batch of one."""
    eye = one_hot(xp, K)
    return (eye - xp.mean(eye, axis=0)[None, :])[None]


def weight_gram(xp: Any, A: Any) -> Any:
    """A A^T, (B, K, K)."""
    return xp.sum(A[:, :, None, :] * A[:, None, :, :], axis=-1)


def root_of(xp: Any, like: Any, number: int) -> Any:
    """The square root of an integer, for each instance of a `like` of shape (B,)."""
    return xp.sqrt(0 * like + number)


def collapsed(xp: Any, F: Any, A: Any) -> Any:
    """The features that SNC2 asks for, (A (x) 1)^T/sqrt(n), in the shape of F."""
    n = F.shape[2]
    rows = A / root_of(xp, A[:, 0, 0], n)[:, None, None]
    return rows[:, :, None, :] + 0 * F


def strong_errors(xp: Any, F: Any, A: Any, b: Any) -> tuple[Any, Any, Any]:
    """The errors of SNC1, SNC2 and SNC3, (B,) each."""
    K, n = A.shape[1], F.shape[2]
    target = simplex(xp, K) * root_of(xp, A[:, 0, 0], n)[:, None, None]
    of_bias = b - (0 * b + 1) / K
    return (
        norm(xp, weight_gram(xp, A) - target),
        norm(xp, F - collapsed(xp, F, A)),
        norm(xp, of_bias),
    )


# -- pairs, and the subspaces of the linearised flow -----------------------------------------------


def pair(xp: Any, F: Any, A: Any) -> Any:
    """(F, A) as one array, (B, K, n + 1, m)."""
    return xp.stack([*(F[:, :, i] for i in range(F.shape[2])), A], axis=2)


def projections(xp: Any, U: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Orthogonal projections of a pair onto E_1^+, E_1^-, E_2^+, E_2^- and E_3."""
    F, A = U[:, :, :-1], U[:, :, -1]
    n = F.shape[2]
    scale = root_of(xp, A[:, 0, 0], n)[:, None, None]
    means = class_means(xp, F) * scale

    def lifted(rows: Any, sign: int) -> Any:
        features = rows / scale * sign
        return pair(xp, features[:, :, None, :] + 0 * F, rows)

    up, down = (A + means) / 2, (A - means) / 2
    split = [centred(xp, up), centred(xp, down)]
    return (
        lifted(split[0], 1),
        lifted(split[1], -1),
        lifted(up - split[0], 1),
        lifted(down - split[1], -1),
        pair(xp, within_classes(xp, F), 0 * A),
    )


# -- orthonormal frames ----------------------------------------------------------------------------


def helmert(xp: Any, like: Any, K: int) -> Any:
    """K rows in K - 1 dimensions with the Gram matrix I - 1 1^T/K, (B, K, K - 1)."""
    columns = []
    for j in range(1, K):
        length = root_of(xp, like, j * (j + 1))
        entries = [1 if k < j else -j if k == j else 0 for k in range(K)]
        columns.append(xp.stack([(0 * like + entry) / length for entry in entries], axis=-1))
    return xp.stack(columns, axis=-1)


def reflected(xp: Any, rows: Any, x: Any) -> Any:
    """Rows (B, k, d) reflected in the hyperplane orthogonal to x (B, d), which is not zero."""
    along = xp.sum(rows * x[:, None, :], axis=-1) / xp.sum(x * x, axis=-1)[:, None]
    return rows - 2 * along[..., None] * x[:, None, :]


def turned_identity(xp: Any, x: Any, rank: int) -> Any:
    """The first rows of the reflection in the hyperplane orthogonal to x, (B, rank, d)."""
    d = x.shape[1]
    eye = xp.reshape(xp.asarray(np.eye(rank, d)), (1, rank, d))
    return reflected(xp, eye + 0 * x[:, None, :], x)
