r"""The layer-peeled model (34) and its convex relaxation, for classes of any size.

Weights ``A`` (B, K, m), features ``f`` (B, K, n, m) with multiplicities ``copies`` (B, K, n), so
that classes may differ in size. The relaxation keeps the inner products X of class means and
weights: the objective is convex in them, the bounds are traces, and X is positive semidefinite.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.cosine import dot
from ncbounds.theory.imbalance.pull_and_push import class_losses
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Statement,
    Variant,
)
from ncbounds.theory.unconstrained.contrastive import log_sum_exp


def sample_losses(xp: Any, A: Any, f: Any) -> Any:
    """Cross-entropy of each sample without bias, (B, K, n)."""
    K = A.shape[1]
    logits = f @ xp.matrix_transpose(A)[:, None]
    return xp.stack([log_sum_exp(xp, logits[:, k]) - logits[:, k, :, k] for k in range(K)], axis=1)


def one_of_the_programme(xp: Any, *, A: Any, f: Any, copies: Any, v: Any) -> Judgement:
    """Every point of (34) gives one of the semidefinite programme that costs no more."""
    K = A.shape[1]
    sizes = xp.sum(copies, axis=-1)
    means = xp.sum(copies[..., None] * f, axis=2) / sizes[..., None]
    rows = [*(means[:, k] for k in range(K)), *(A[:, k] for k in range(K))]
    stacked = xp.stack(rows, axis=1)
    gram = stacked @ xp.matrix_transpose(stacked)
    cost = dot(xp, sizes, class_losses(xp, gram[:, :K, K:]))
    risk = xp.sum(dot(xp, copies, sample_losses(xp, A, f)), axis=-1)
    diagonal = xp.stack([gram[:, k, k] for k in range(2 * K)], axis=-1)
    norms = xp.sum(dot(xp, copies, square_norm(xp, f)) / sizes, axis=-1)
    form = xp.sum(xp.sum(gram * v[:, None, :], axis=-1) * v, axis=-1)
    total = xp.sum(sizes, axis=-1)
    return Judgement(
        (),
        (
            Comparison("objective", cost / total, risk / total),
            Comparison("bound on the features", xp.sum(diagonal[:, :K], axis=-1), norms),
            Comparison(
                "bound on the weights",
                xp.sum(diagonal[:, K:], axis=-1),
                xp.sum(square_norm(xp, A), axis=-1),
                "=",
            ),
            Comparison("positive semidefinite", 0 * form, form),
        ),
    )


def orthonormal(xp: Any, rows: list[Any]) -> list[Any]:
    """Gram-Schmidt over vectors (B, m); not a number where they are dependent."""
    basis: list[Any] = []
    for row in rows:
        rest = row
        for e in basis:
            rest = rest - dot(xp, rest, e)[:, None] * e
        basis.append(rest / xp.sqrt(square_norm(xp, rest))[:, None])
    return basis


def few_dimensions(xp: Any, *, A: Any, f: Any, line: Any, along: Any) -> Judgement:
    """K - 1 dimensions do for the losses of any more; on a line most classes lose."""
    K = A.shape[1]
    centred = A - xp.mean(A, axis=1, keepdims=True)
    basis = orthonormal(xp, [centred[:, k] for k in range(K - 1)])
    weights = xp.stack([dot(xp, centred, e[:, None, :]) for e in basis], axis=-1)
    features = xp.stack([dot(xp, f, e[:, None, None, :]) for e in basis], axis=-1)
    lost = class_losses(xp, along[:, :, None] * line[:, None, :])
    some = xp.log(0 * lost[:, 0] + 2) * (K - 2)
    return Judgement(
        (),
        (
            Comparison(
                "losses", sample_losses(xp, weights, features), sample_losses(xp, A, f), "="
            ),
            Comparison(
                "weights",
                xp.sum(square_norm(xp, weights), axis=-1),
                xp.sum(square_norm(xp, A), axis=-1),
            ),
            Comparison("features", square_norm(xp, features), square_norm(xp, f)),
            Comparison("one dimension", some, xp.sum(lost, axis=-1)),
        ),
    )


RELAXATION = (
    Variant(
        "printed",
        "the relaxation",
        r"With the class means $\bar f_k$ in the place of the features, the inner products $X$ of "
        r"$\bar f_1, \dots, \bar f_K, a_1, \dots, a_K$ are a point of the semidefinite programme "
        r"$\min\frac1N\sum_kn_k\ell(X_{k, K + 1..2K}, e_k)$, $\frac1K\sum_kX_{kk} \le \Omega_F$, "
        r"$\frac1K\sum_kX_{K + k, K + k} \le \Omega_A$, $X \succeq 0$, and cost no more: its "
        r"value is at most that of (34).",
        Claim(
            one_of_the_programme,
            (
                Field("A", ("C", "m")),
                Field("f", ("C", "s", "m"), like="A"),
                Field("copies", ("C", "s"), "integer", least=1),
                Field("v", ("two C",)),
            ),
            {"C": (2, 4), "s": (1, 3), "m": (1, 3)},
            {"two C": lambda sizes: 2 * sizes["C"]},
        ),
        remark="For cross-entropy; Jensen is all that is used of the loss, so variability "
        "collapses at every optimum whatever the class sizes. The programme is the same as "
        "min sum_k (n_k/N) l(z_k, e_k) over matrices Z of nuclear norm at most "
        "K (omega_A omega_F)^(1/2).",
    ),
    Variant(
        "corrected",
        "exact from K - 1 dimensions on",
        r"Projecting the features onto the span of the centred weights, which has $K - 1$ "
        r"dimensions, changes no loss and lengthens nothing: the relaxation has the value of (34) "
        r"for cross-entropy if $m \ge K - 1$. Not for every $m$: on a line, $m = 1$, all but two "
        r"classes lose at least $\log 2$ each, however large the norms, while the value of the "
        r"relaxation vanishes.",
        Claim(
            few_dimensions,
            (
                Field("A", ("C", "m")),
                Field("f", ("C", "s", "m"), like="A"),
                Field("line", ("C",)),
                Field("along", ("C",), like="line"),
            ),
            {"C": (2, 4), "s": (1, 2)},
            {"m": lambda sizes: sizes["C"] + 1},
        ),
        remark="The review names no dimension; 2K, which the factorisation of X asks for at first "
        "sight, is more than enough, and fewer than K - 1 do where the minimum has a lower rank, "
        "as after minority collapse. A loss that is not invariant under adding a constant to all "
        "logits needs K.",
    ),
)

#: Its wordings are those of review:eq-34, which `minority_collapse` states.
STATEMENTS: tuple[Statement, ...] = ()
