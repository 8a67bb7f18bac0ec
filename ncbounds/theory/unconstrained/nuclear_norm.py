r"""The convex problem (23) behind regularised cross-entropy, and the nuclear norm (24).

With Z = A F^T the decay of the two factors is at least sqrt(lambda_A lambda_F) times the nuclear
norm of Z, and as little as that for the factors that the singular value decomposition gives, if
they have room: m must be at least the rank of Z. An instance draws the decomposition: orthogonal
matrices as products of reflections, and the singular values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)
from ncbounds.theory.unconstrained.regularised_risk import (
    BIAS_DECAY,
    DECAYS,
    as_matrix,
    decay,
    inner,
    mean_loss,
    risk,
    whole_norm,
)


def orthogonal_rows(xp: Any, vectors: Any, rows: int) -> Any:
    """The first rows of a product of reflections, one for each of `vectors` (B, q, size).

    A vector of zeros reflects nothing. As many reflections as rows give all orthonormal rows: each
    takes one of them to its unit vector.
    """
    size = vectors.shape[2]
    Q = xp.asarray(np.eye(rows, size))[None] + 0 * vectors[:, :1, :]
    for j in range(vectors.shape[1]):
        p = vectors[:, j]
        length = square_norm(xp, p)
        length = length + 1 - xp.is_positive(length)
        along = dot(xp, Q, p[:, None, :])
        Q = Q - (2 * along / length[:, None])[..., None] * p[:, None, :]
    return Q


def fourth_root(xp: Any, ratio: Any) -> Any:
    """The fourth root of a positive number."""
    return xp.sqrt(xp.sqrt(ratio))


def within(xp: Any, values: Any, m: int) -> Any:
    """The first m singular values, the others set to zero."""
    return values * xp.asarray((np.arange(values.shape[1]) < m).astype(np.float64))[None]


def factorised(
    xp: Any,
    *,
    left: Any,
    right: Any,
    values: Any,
    F: Any,
    A: Any,
    b: Any,
    lambda_A: Any,
    lambda_F: Any,
    lambda_b: Any,
) -> Judgement:
    """The two factors, their decay and their risk; and every other pair of factors."""
    K, n, m = F.shape[1:]
    values = within(xp, values, m)
    U = xp.matrix_transpose(orthogonal_rows(xp, left, K))
    V = orthogonal_rows(xp, right, K)
    Z = xp.matmul(U * values[:, None, :], V)
    sigma = xp.sqrt(lambda_A * lambda_F)
    norm = sigma * xp.sum(values, axis=-1)

    roots = xp.sqrt(values)
    ratio = fourth_root(xp, lambda_F / lambda_A)
    pad = xp.asarray(np.eye(K, m))[None]
    A_0 = xp.matmul(ratio[:, None, None] * U * roots[:, None, :], pad)
    rows = xp.matmul(xp.matrix_transpose(V * roots[..., None]), pad) / ratio[:, None, None]
    F_0 = xp.reshape(rows, (rows.shape[0], K, n, m))
    shifted = xp.reshape(xp.matrix_transpose(Z + b[:, :, None]), (Z.shape[0], K, n, K))
    penalty = lambda_b * square_norm(xp, b) / 2
    convex = mean_loss(xp, shifted) + norm + penalty

    A_1, F_1 = A, as_matrix(xp, F)
    by_left, by_right = (
        xp.matmul(xp.matrix_transpose(U), A_1),
        xp.matmul(F_1, xp.matrix_transpose(V)),
    )
    apart = xp.sqrt(lambda_A)[:, None, None] * by_left
    apart = apart - xp.sqrt(lambda_F)[:, None, None] * xp.matrix_transpose(by_right)
    outside = whole_norm(xp, F_1) - whole_norm(xp, by_right)
    pairing = sigma * inner(xp, xp.matmul(U, V), xp.matmul(A_1, F_1))
    costs = decay(xp, F, A, lambda_A, lambda_F)
    between = whole_norm(xp, apart) / 2 + lambda_F * outside / 2
    return Judgement(
        (),
        (
            Comparison("product", xp.matmul(A_0, as_matrix(xp, F_0)), Z, "="),
            Comparison("attained", decay(xp, F_0, A_0, lambda_A, lambda_F), norm, "="),
            Comparison(
                "same risk", risk(xp, F_0, A_0, b, lambda_A, lambda_F, lambda_b), convex, "="
            ),
            Comparison("pairing with Z", sigma * inner(xp, xp.matmul(U, V), Z), norm, "="),
            Comparison("every factorisation", pairing, costs),
            Comparison("between", costs, pairing + between, "="),
        ),
    )


def on_a_line(xp: Any, *, Z: Any) -> Judgement:
    """m = 1: a product of a column and a row has proportional rows."""
    return Judgement(
        (),
        (Comparison("minor", Z[:, 0, 0] * Z[:, 1, 1], Z[:, 0, 1] * Z[:, 1, 0], "="),),
    )


_FIELDS = (
    Field("left", ("C", "C")),
    Field("right", ("C", "N")),
    Field("values", ("C",), "nonnegative"),
    Field("F", ("C", "n", "m")),
    Field("A", ("C", "m")),
    Field("b", ("C",)),
    *DECAYS,
    BIAS_DECAY,
)
_SIZES = {"C": (2, 3), "n": (1, 2), "m": (1, 4)}
_AXES: dict[str, Callable[[dict[str, int]], int]] = {"N": lambda sizes: sizes["C"] * sizes["n"]}
_MINIMUM = (
    r"$\min_{AF = Z}\frac{\lambda_A}2|A|^2 + \frac{\lambda_F}2|F|^2 = "
    r"\sqrt{\lambda_A\lambda_F}\,\|Z\|_*$"
)

EQ_23 = Statement(
    id="review:eq-23",
    kind="equation",
    title="The convex problem behind regularised cross-entropy",
    source=Source("review", "(23), (24)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "features of any dimension, here m = 1",
            rf"For every $Z \in R^{{K\times N}}$, {_MINIMUM}, so that (23) and (21) have the same "
            "minimum. So every $Z$ is a product $AF$: for $m = 1$, of a column and a row, with "
            "$Z_{11}Z_{22} = Z_{12}Z_{21}$.",
            Claim(on_a_line, (Field("Z", ("C", "N")),), {"C": (2, 3), "N": (2, 4)}),
            defect="For m below the rank of Z there is no factorisation, and the minimum is taken "
            "over nothing. The convex problem has a minimiser of rank K - 1 (or 0), so (21) has a "
            "larger minimum for m < K - 1: see review:remark-global-min-ce.",
        ),
        Variant(
            "corrected",
            "dimension at least the rank",
            rf"For $Z = U\,\mathrm{{diag}}(s)V^T$ of rank at most $m$, {_MINIMUM}. It is attained "
            r"at $A = (\lambda_F/\lambda_A)^{1/4}Us^{1/2}$, $F = (\lambda_A/\lambda_F)^{1/4}s^{1/2}"
            r"V^T$, where (21) is (23). For all $A$ and $F$ the left side is "
            r"$\sqrt{\lambda_A\lambda_F}\langle UV^T, AF\rangle$, which is "
            r"$\sqrt{\lambda_A\lambda_F}\|Z\|_*$ where $AF = Z$, and $\frac12|\sqrt{\lambda_A}U^TA "
            r"- \sqrt{\lambda_F}(FV)^T|^2 + \frac{\lambda_F}2(|F|^2 - |FV|^2)$.",
            Claim(factorised, _FIELDS, _SIZES, _AXES),
            remark="The minimiser of (23) has rank K - 1 or 0, so (21) has the same minimum for "
            "every m >= K - 1.",
        ),
    ),
)

STATEMENTS = (EQ_23,)
