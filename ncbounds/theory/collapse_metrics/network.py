"""The last layer as a matrix equation, and the risk that data measure (`review`, (1) to (3)).

K classes of n features f_{k,i}, the columns of F in the order of the classes; weights a_k, the rows
of A; a bias b; one-hot labels Y.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from ncbounds.theory.collapse_metrics.shapes import dot
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)


def last_layer(xp: Any, *, a: Any, f: Any, b: Any, shift: Any) -> Judgement:
    """Outputs as one matrix, their class means, and what a shift of the features does."""
    K, n = f.shape[1:3]
    F = xp.matrix_transpose(xp.reshape(f, (-1, K * n, f.shape[3])))
    H = xp.matmul(a, F) + b[:, :, None]
    single = dot(xp, a[:, :, None, None, :], f[:, None]) + b[:, :, None, None]
    zero = 0 * H[:, :, 0]
    Y = xp.stack([zero + _one_hot(xp, zero, j // n) for j in range(K * n)], axis=-1)
    of_means = xp.matmul(H, xp.matrix_transpose(Y)) / n
    means = dot(xp, a[:, :, None, :], xp.mean(f, axis=2)[:, None]) + b[:, :, None]
    moved = xp.matmul(a, F - shift[:, :, None])
    moved = moved + (b + dot(xp, a, shift[:, None, :]))[:, :, None]
    return Judgement(
        (),
        (
            Comparison("columns", xp.reshape(H, (-1, K, K, n)), single, "="),
            Comparison("class means", of_means, means, "="),
            Comparison("shift", moved, H, "="),
        ),
    )


def _one_hot(xp: Any, zero: Any, place: int) -> Any:
    column = zero[:, 0]
    return xp.stack([column + int(c == place) for c in range(zero.shape[1])], axis=-1)


EQ_1 = Statement(
    id="review:eq-1",
    kind="equation",
    title="The outputs of a network in matrix form",
    source=Source("review", "(1)"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "the bias added to every column",
            r"The columns of $H = AF + b1^\top$ are $h_{k,i} = Af_{k,i} + b$; with "
            r"$Y = I_K \otimes 1_n^\top$ those of $\frac1nHY^\top$ are the class means of the "
            r"outputs, $A\mu_k + b$; and $H = A(F - g1^\top) + (b + Ag)1^\top$ for any $g$.",
            Claim(
                last_layer,
                (
                    Field("a", ("K", "m")),
                    Field("f", ("K", "n", "m")),
                    Field("b", ("K",)),
                    Field("shift", ("m",)),
                ),
                {"K": (2, 3), "n": (1, 3), "m": (1, 3)},
            ),
            remark="As typeset a matrix and a vector are added: b stands for b 1^T. The text puts "
            "the outputs h_{k,i} into R^m, where it means R^K. That a shift of the features can be "
            "undone by the bias is why metrics of centred features say nothing about the bias.",
        ),
    ),
)


# -- risk -----------------------------------------------------------------------------------------


def two_forms(xp: Any, *, loss: Any) -> Judgement:
    """The mean over all samples, and the mean over classes of the means within them."""
    K, n = loss.shape[1:]
    plain = xp.sum(xp.reshape(loss, (-1, K * n)), axis=-1) / (K * n)
    return Judgement(
        (),
        (Comparison("the two forms", plain, xp.mean(xp.mean(loss, axis=-1), axis=-1), "="),),
    )


def classes_of_any_size(xp: Any, *, loss: Any, size: Any) -> Judgement:
    """Mean over samples and over classes, from the mean losses of classes and their sizes."""
    K = loss.shape[1]
    share = size / xp.sum(size, axis=-1)[:, None]
    plain, balanced = dot(xp, share, loss), xp.mean(loss, axis=-1)
    range_ = xp.max(loss, axis=-1) - xp.min(loss, axis=-1)
    apart = xp.sum(xp.abs(share - (0 * share + 1) / K), axis=-1)
    return Judgement((), (Comparison("difference", xp.abs(plain - balanced), range_ * apart / 2),))


def finite_population(xp: Any, *, loss: Any, mass: Any) -> Judgement:
    """Empirical risks of 1, 2 and 3 independent samples of a population of M points.

    `loss` has a row for each network and a column for each point, whose probabilities are the
    entries of `mass` over their sum.
    """
    M = loss.shape[2]
    p = mass / xp.sum(mass, axis=-1)[:, None]
    risk = dot(xp, loss, p[:, None, :])
    away = loss - risk[..., None]
    variance = dot(xp, away * away, p[:, None, :])
    found: list[list[Any]] = [[], [], []]
    for N in (1, 2, 3):
        mean, spread, least = 0 * risk, 0 * risk, 0 * risk[:, 0]
        for sample in product(range(M), repeat=N):
            chance, total = 0 * least + 1, 0 * risk
            for place in sample:
                chance, total = chance * p[:, place], total + loss[:, :, place]
            of_sample = total / N
            mean = mean + chance[:, None] * of_sample
            spread = spread + chance[:, None] * (of_sample - risk) * (of_sample - risk)
            least = least + chance * xp.min(of_sample, axis=-1)
        for kept, value in zip(found, (mean, spread * N, least), strict=True):
            kept.append(value)
    means, spreads, leasts = (xp.stack(values, axis=1) for values in found)
    return Judgement(
        (),
        (
            Comparison("mean", means, risk[:, None, :] + 0 * means, "="),
            Comparison("variance", spreads, variance[:, None, :] + 0 * means, "="),
            Comparison("least risk", leasts, xp.min(risk, axis=-1)[:, None] + 0 * leasts),
        ),
    )


EQ_2 = Statement(
    id="review:eq-2",
    kind="equation",
    title="Risk, and the empirical risk that stands for it",
    source=Source("review", "(2), (3)"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "the two forms of the empirical risk",
            r"For classes of equal size $\frac1N\sum_i\ell_i = \frac1{Kn}\sum_k\sum_i\ell_{k,i}$.",
            Claim(two_forms, (Field("loss", ("K", "n")),), {"K": (2, 4), "n": (1, 4)}),
            remark="As typeset a minimiser, the left-hand side of (3), is set equal to the least "
            "value: what is meant is the risk of which the minimiser is sought.",
        ),
        Variant(
            "printed",
            "the empirical risk of a fixed network",
            r"For $N$ independent samples of a population the empirical risk $\widehat R(h)$ of a "
            r"fixed network has the mean $R(h)$ and the variance "
            r"$\frac1N\operatorname{Var}\ell(h)$; its least value over networks is on average at "
            r"most the least risk: $E\min_h\widehat R(h) \le \min_hR(h)$.",
            Claim(
                finite_population,
                (Field("loss", ("H", "M")), Field("mass", ("M",), "positive")),
                {"H": (1, 3), "M": (2, 3)},
            ),
            remark="'Approximated' is the paper's word. For the minimiser itself the empirical "
            "risk is optimistic. Instances are populations of 2 or 3 points, with N = 1, 2, 3.",
        ),
        Variant(
            "sharp",
            "classes of any sizes",
            r"With $n_k$ samples of class $k$ the mean over samples and the mean over classes "
            r"differ by at most $\frac12\sum_k|\frac{n_k}N - \frac1K|$ times the range of the "
            r"mean losses of classes.",
            Claim(
                classes_of_any_size,
                (Field("loss", ("K",)), Field("size", ("K",), "integer", least=1)),
                {"K": (2, 4)},
            ),
            remark="Attained by two classes. Metrics with both readings have two names: "
            "`nc1.pinv` and `nc1.pinv.samples`, for instance.",
        ),
    ),
)

STATEMENTS = (EQ_1, EQ_2)
