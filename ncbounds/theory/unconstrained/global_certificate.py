r"""Global minima of regularised cross-entropy: the certificate (25) and the classes (26).

G is the gradient of the loss by the outputs, as a matrix of K rows and a column for each sample,
and sigma = sqrt(lambda_A lambda_F). For any matrix Gamma let ``Q(A, F) = lambda_A/2 |A|^2 +
lambda_F/2 |F|^2 + <Gamma, A F^T>``: no less than zero everywhere if and only if |Gamma| <= sigma.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.spectra import largest_singular_value
from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
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
    POINT,
    POINT_SIZES,
    Gradients,
    as_matrix,
    decay,
    divergence,
    gradients,
    inner,
    labels,
    log_probabilities,
    outputs,
    risk,
    whole_norm,
)

# -- Equation (25) --------------------------------------------------------------------------------


def unrest(xp: Any, by: Gradients, F: Any, A: Any) -> Any:
    """``1/2 <A, dR/dA> + 1/2 <F, dR/dF>``: zero at a critical point. (B,)."""
    return (inner(xp, A, by.A) + inner(xp, F, by.F)) / 2


def certified(
    xp: Any,
    *,
    F: Any,
    A: Any,
    b: Any,
    other_F: Any,
    other_A: Any,
    other_b: Any,
    lambda_A: Any,
    lambda_F: Any,
    lambda_b: Any,
) -> Judgement:
    """A point that meets (25) is no worse than any other, up to what its gradients leave."""
    decays = lambda_A, lambda_F, lambda_b
    by = gradients(xp, F, A, b, *decays)
    norm = largest_singular_value(xp, as_matrix(xp, by.outputs))
    left = unrest(xp, by, F, A) + dot(xp, by.b, b - other_b)
    return Judgement(
        (Comparison("equation (25)", norm, xp.sqrt(lambda_A * lambda_F)),),
        (
            Comparison(
                "global minimum",
                risk(xp, F, A, b, *decays),
                risk(xp, other_F, other_A, other_b, *decays) + left,
            ),
        ),
    )


def shortened(xp: Any, logits: Any, sigma: Any) -> Any:
    """Probabilities of logits (B, K, n, K), moved to the labels until (25) holds for them.

    ``Y + s (softmax - Y)`` with the largest s <= 1 for which ``|(P - Y)/N| <= sigma``.
    """
    K, n = logits.shape[1], logits.shape[2]
    residual = xp.exp(log_probabilities(xp, logits)) - labels(xp, K)
    norm = largest_singular_value(xp, as_matrix(xp, residual)) / (K * n)
    share = sigma / xp.maximum(norm, sigma)
    return labels(xp, K) + share[:, None, None, None] * residual


def mean_entropy(xp: Any, P: Any) -> Any:
    """Mean entropy of probabilities (B, K, n, K), of which none is zero: (B,)."""
    return -class_mean(xp, xp.sum(P * xp.log(P), axis=-1))


def dual_value(xp: Any, P: Any, lambda_b: Any) -> Any:
    """What probabilities with (25) prove of the minimum: ``H(P) - |Gamma 1|^2/(2 lambda_b)``.

    P is (B, K, n, K), lambda_b positive, and Gamma = (P - Y)/N; (B,).
    """
    K, n = P.shape[1], P.shape[2]
    total = xp.sum(xp.sum(P - labels(xp, K), axis=1), axis=1) / (K * n)
    return mean_entropy(xp, P) - square_norm(xp, total) / (2 * lambda_b)


def dual(
    xp: Any, *, logits: Any, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any
) -> Judgement:
    """Weak duality: probabilities bound the risk at every point from below, and by how much."""
    K, n = F.shape[1], F.shape[2]
    short = shortened(xp, logits, xp.sqrt(lambda_A * lambda_F))
    short = xp.maximum(short, 0 * short + 1e-300)
    P = xp.exp(log_probabilities(xp, logits))
    P = xp.maximum(P, 0 * P + 1e-300)
    gamma = (P - labels(xp, K)) / (K * n)
    total = xp.sum(xp.sum(gamma, axis=1), axis=1)
    found = risk(xp, F, A, b, lambda_A, lambda_F, lambda_b)
    h = xp.matmul(F, xp.matrix_transpose(A)[:, None])
    form = decay(xp, F, A, lambda_A, lambda_F) + inner(xp, gamma, h)
    shift = b + total / lambda_b[:, None]
    between = divergence(xp, P, outputs(xp, F, A, b)) + lambda_b * square_norm(xp, shift) / 2
    return Judgement(
        (),
        (
            Comparison("lower bound", dual_value(xp, short, lambda_b), found),
            Comparison("between", found, dual_value(xp, P, lambda_b) + between + form, "="),
        ),
    )


#: Another point of the same model.
_OTHER = (
    Field("other_F", ("K", "n", "m"), like="F"),
    Field("other_A", ("K", "m"), like="A"),
    Field("other_b", ("K",), like="b"),
)

EQ_25 = Statement(
    id="review:eq-25",
    kind="equation",
    title="A certificate of global optimality",
    source=Source("review", "(25)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "every critical point",
            r"If $\|G\|_2 \le \sqrt{\lambda_A\lambda_F}$ at $(F, A, b)$, then $\hat R_{CEr}(F, A, "
            r"b) \le \hat R_{CEr}(F', A', b') + \frac12\langle\nabla_A, A\rangle + \frac12\langle"
            r"\nabla_F, F\rangle + \langle\nabla_b, b - b'\rangle$ for all $(F', A', b')$. At a "
            "critical point the last three terms vanish: it is a global minimiser.",
            Claim(certified, (*POINT, *_OTHER, *DECAYS, BIAS_DECAY), POINT_SIZES),
            remark="For every m, and every loss that is convex in the outputs. Where m < K - 1 no "
            "critical point but zero can meet it.",
        ),
        Variant(
            "sharp",
            "duality gap of any point",
            r"For probabilities $P$ of the classes of each sample with $\Gamma = \frac1N(P - Y)$, "
            r"$\|\Gamma\|_2 \le \sqrt{\lambda_A\lambda_F}$, and every point: $\hat R_{CEr} \ge "
            r"\frac1N\sum H(p_i) - \frac1{2\lambda_b}|\Gamma 1|^2$, and the difference is "
            r"$\frac1N\sum KL(p_i, \mathrm{softmax}(h_i)) + \frac{\lambda_b}2|b + \frac1{\lambda_b}"
            r"\Gamma 1|^2 + \frac{\lambda_A}2|A|^2 + \frac{\lambda_F}2|F|^2 + \langle\Gamma, AF"
            r"\rangle$, for probabilities of any norm. An instance moves the softmax of its logits "
            r"to the labels until $\Gamma$ is short enough.",
            Claim(
                dual,
                (
                    Field("logits", ("K", "n", "K")),
                    *POINT,
                    *DECAYS,
                    Field("lambda_b", (), "positive"),
                ),
                POINT_SIZES,
            ),
            remark="An inexact point needs no gradients: its risk less the bound is at least what "
            "is missing to the minimum. For lambda_b = 0 take P with Gamma 1 = 0.",
        ),
    ),
)


# -- Equation (26) --------------------------------------------------------------------------------


def one_value(
    xp: Any,
    *,
    F: Any,
    A: Any,
    b: Any,
    other_F: Any,
    other_A: Any,
    other_b: Any,
    lambda_A: Any,
    lambda_F: Any,
    lambda_b: Any,
) -> Judgement:
    """Two points that meet (25) have one risk, up to what the gradients of each leave."""
    decays = lambda_A, lambda_F, lambda_b
    sigma = xp.sqrt(lambda_A * lambda_F)
    first = gradients(xp, F, A, b, *decays)
    second = gradients(xp, other_F, other_A, other_b, *decays)
    apart = risk(xp, F, A, b, *decays) - risk(xp, other_F, other_A, other_b, *decays)
    above = unrest(xp, first, F, A) + dot(xp, first.b, b - other_b)
    below = unrest(xp, second, other_F, other_A) + dot(xp, second.b, other_b - b)
    norms = [largest_singular_value(xp, as_matrix(xp, g.outputs)) for g in (first, second)]
    return Judgement(
        (
            Comparison("first in C1", norms[0], sigma),
            Comparison("second in C1", norms[1], sigma),
        ),
        (
            Comparison("first no worse", apart, above),
            Comparison("second no worse", -apart, below),
        ),
    )


def at_rest(
    xp: Any, *, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any
) -> Judgement:
    """What the gradients say of a point: without them, what a critical point satisfies.

    A number as large as the terms is added to both sides: floats then do not judge what cancels.
    """
    by = gradients(xp, F, A, b, lambda_A, lambda_F, lambda_b)
    G, rows = as_matrix(xp, by.outputs), xp.matrix_transpose(as_matrix(xp, F))
    by_rows = xp.matrix_transpose(as_matrix(xp, by.F))
    lA, lF, lb = lambda_A[:, None, None], lambda_F[:, None, None], lambda_b[:, None]
    A_T = xp.matrix_transpose(A)
    balance = xp.matmul(A_T, by.A) + lF * xp.matmul(xp.matrix_transpose(rows), rows)
    other = xp.matmul(xp.matrix_transpose(by_rows), rows) + lA * xp.matmul(A_T, A)
    squared = xp.matmul(G, xp.matmul(xp.matrix_transpose(G), A))
    on_b = xp.matmul(A_T, (lb * b)[..., None])[..., 0]
    by_b = xp.matmul(A_T, by.b[..., None])[..., 0]
    size = 1 + lambda_A * whole_norm(xp, A) + lambda_F * whole_norm(xp, F)
    size = size + lambda_A * lambda_F + lambda_b * (1 + square_norm(xp, b)) + whole_norm(xp, A)
    size = size + whole_norm(xp, F) + lambda_A + lambda_F

    def equal(name: str, left: Any, right: Any) -> Comparison:
        added = xp.reshape(size, (left.shape[0],) + (1,) * (left.ndim - 1))
        return Comparison(name, left + added, right + added, "=")

    return Judgement(
        (),
        (
            equal("balance", balance, other),
            equal("columns of A", xp.sum(by.A, axis=1), lA[:, 0] * xp.sum(A, axis=1)),
            equal("sum of b", xp.sum(by.b, axis=-1), lambda_b * xp.sum(b, axis=-1)),
            equal(
                "sum of features",
                xp.sum(by_rows, axis=1) + on_b,
                lF[:, 0] * xp.sum(rows, axis=1) + by_b,
            ),
            equal("eigenvectors", xp.matmul(G, by_rows) + lA * lF * A, squared + lF * by.A),
        ),
    )


EQ_26 = Statement(
    id="review:eq-26",
    kind="equation",
    title="Two classes of critical points",
    source=Source("review", "(26)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the first class are global minima",
            r"Any two critical points in $C_1$, where $\|G\|_2 \le \sqrt{\lambda_A\lambda_F}$, "
            r"have the same risk, the least: at two points of that kind, critical or not, the "
            r"larger risk is above the other by at most $\frac12\langle\nabla_A, A\rangle + "
            r"\frac12\langle\nabla_F, F\rangle + \langle\nabla_b, b - b'\rangle$, taken there.",
            Claim(one_value, (*POINT, *_OTHER, *DECAYS, BIAS_DECAY), POINT_SIZES),
            remark="That C_1 and C_2 are disjoint and all of C is their definition.",
        ),
        Variant(
            "sharp",
            "what every critical point satisfies",
            r"At a critical point $\lambda_AA^TA = \lambda_FFF^T$; $1^TA = 0$; "
            r"$\lambda_b1^Tb = 0$; $\lambda_FF1 = \lambda_bA^Tb$; $GG^TA = \lambda_A\lambda_FA$; "
            r"and $u^TA = 0$ for left singular vectors $u$ of $G$ with a value other than "
            r"$\sqrt{\lambda_A\lambda_F}$. "
            r"So $A$ has rank at most $K - 1$; where $A \ne 0$, $C_1$ means $\|G\|_2 = "
            r"\sqrt{\lambda_A\lambda_F}$; and in $C_2$ the rank of $A$ is at most $K - 2$. At "
            "any point the gradients make up the difference.",
            Claim(at_rest, (*POINT, *DECAYS, BIAS_DECAY), POINT_SIZES),
            remark="So for m >= K - 1 every critical point of C_2 leaves a direction of the "
            "features unused, which review:eq-27 needs.",
        ),
    ),
)

STATEMENTS = (EQ_25, EQ_26)
