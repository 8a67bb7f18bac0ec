r"""The regularised square loss of a last layer without bias: (28) and (29) at b = 0, and the least.

With ``c = sqrt(lambda_A lambda_F)`` everything turns on the number ``rho = K sqrt(n) c``. The risk
is its least value plus squares: what outputs are off ``(1 - rho) e_k``, what weights and class
means are off one another, and the spread of features. From rho = 1 on the least is at zero.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)
from ncbounds.theory.unconstrained.square_layer import (
    DECAYS,
    LAYER,
    SIZES,
    fit,
    identity_matrix,
    labels,
    means,
    outputs,
    repeated,
    scaled,
    spread,
    square,
)

_K = integer("K", "number of classes", "K", at_least=2)
_N = integer("n", "samples a class", "n", at_least=1)
_M = integer("m", "number of features", "m", at_least=1)
_LAMBDA_A = positive("lambda_A", "weight decay of the weights", r"\lambda_A")
_LAMBDA_F = positive("lambda_F", "weight decay of the features", r"\lambda_F")
_LAMBDA_B = nonnegative("lambda_b", "weight decay of the bias", r"\lambda_b")
_ALL = (_K, _N, _M, _LAMBDA_A, _LAMBDA_F)


@formula(_K, _N, _LAMBDA_A, _LAMBDA_F)
def decay_ratio(xp: Any, K: Any, n: Any, lambda_A: Any, lambda_F: Any) -> Any:
    """The number rho; a direction of the labels is kept where it is below 1."""
    return K * xp.sqrt(n * lambda_A * lambda_F)


@formula(*_ALL)
def least_risk(xp: Any, K: Any, n: Any, m: Any, lambda_A: Any, lambda_F: Any) -> Any:
    """Least risk without bias."""
    kept = xp.maximum(1 - K * xp.sqrt(n * lambda_A * lambda_F), 0 * lambda_A)
    return (K - xp.minimum(m, K) * kept * kept) / (2 * K)


@formula(*_ALL, _LAMBDA_B)
def least_risk_with_bias(
    xp: Any, K: Any, n: Any, m: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any
) -> Any:
    """Least risk with a bias of weight decay lambda_b, zero included."""
    rho = K * xp.sqrt(n * lambda_A * lambda_F)
    theta = lambda_b / (1 + lambda_b)
    kept = xp.maximum(1 - rho, 0 * rho)
    mean_kept = xp.maximum(theta - rho, 0 * rho)
    spread_directions = xp.minimum(m, K - 1)
    return (
        K
        - 1
        + theta
        - spread_directions * kept * kept
        - (xp.minimum(m, K) - spread_directions) * mean_kept * mean_kept / xp.maximum(theta, rho)
    ) / (2 * K)


def sizes_of(xp: Any, A: Any, F: Any, lambda_A: Any, lambda_F: Any) -> dict[str, Any]:
    """The parameters of the closed forms, for an instance."""
    K, n, m = (0 * lambda_A + size for size in F.shape[1:])
    return {"K": K, "n": n, "m": m, "lambda_A": lambda_A, "lambda_F": lambda_F}


def risk(xp: Any, A: Any, F: Any, lambda_A: Any, lambda_F: Any) -> Any:
    """(28) with b = 0."""
    off = outputs(xp, A, F) - labels(xp, F)
    return fit(xp, off) + lambda_A / 2 * square(xp, A) + lambda_F / 2 * square(xp, F)


# -- (29) -----------------------------------------------------------------------------------------


def lines(xp: Any, A: Any, F: Any, lambda_A: Any, lambda_F: Any) -> tuple[Any, Any]:
    """The second and the third line of (29), class by class."""
    K, n = F.shape[1:3]
    off = outputs(xp, A, F) - labels(xp, F)
    weights = lambda_A / 2 * square(xp, A)
    second = (
        xp.sum(xp.sum(square_norm(xp, off), axis=2) / n * n, axis=1) / (2 * K * n)
        + weights
        + lambda_F / 2 * xp.sum(xp.sum(square_norm(xp, F), axis=2) / n * n, axis=1)
    )
    centre = means(xp, F)
    mean_off = outputs(xp, A, centre[:, :, None, :])[:, :, 0] - labels(xp, F)[:, :, 0]
    third = (
        xp.sum(n * square_norm(xp, mean_off), axis=1) / (2 * K * n)
        + weights
        + lambda_F / 2 * xp.sum(n * square_norm(xp, centre), axis=1)
    )
    return second, third


def line_by_line(xp: Any, *, A: Any, F: Any, lambda_A: Any, lambda_F: Any) -> Judgement:
    """(29), with what Jensen's inequality loses, and equality where features are collapsed."""
    second, third = lines(xp, A, F, lambda_A, lambda_F)
    rest = spread(xp, F)
    lost = fit(xp, outputs(xp, A, rest)) + lambda_F / 2 * square(xp, rest)
    collapsed = repeated(xp, means(xp, F), F.shape[2])
    return Judgement(
        (),
        (
            Comparison("second line", risk(xp, A, F, lambda_A, lambda_F), second, "="),
            Comparison("third line", third, second),
            Comparison("what is lost", second, third + lost, "="),
            Comparison(
                "equality under NC1", risk(xp, A, collapsed, lambda_A, lambda_F), third, "="
            ),
        ),
    )


def parts(xp: Any, A: Any, F: Any, lambda_A: Any, lambda_F: Any) -> tuple[Any, Any]:
    """sigma = min(rho, 1), and the squares that the risk has beyond its least value."""
    K, n = F.shape[1:3]
    rho = K * xp.sqrt(n * lambda_A * lambda_F)
    sigma = xp.minimum(rho, 0 * rho + 1)
    share = sigma / rho
    centre = means(xp, F)
    unlike = scaled(xp.sqrt(lambda_A), A) - scaled(xp.sqrt(n * lambda_F), centre)
    norms = lambda_A * square(xp, A) + n * lambda_F * square(xp, centre)
    return sigma, (
        fit(xp, outputs(xp, A, F) - scaled(1 - sigma, labels(xp, F)))
        + share / 2 * square(xp, unlike)
        + (1 - share) / 2 * norms
        + lambda_F / 2 * square(xp, spread(xp, F))
    )


def minimiser(
    xp: Any, kept: Any, K: int, n: int, m: int, lambda_A: Any, lambda_F: Any
) -> tuple[Any, Any]:
    """Weights and features that give min(m, K) classes the output `kept` and the others 0."""
    ratio = xp.sqrt(n * lambda_F / lambda_A)
    frame = identity_matrix(xp, kept, K, m)
    A = scaled(xp.sqrt(kept * ratio), frame)
    return A, repeated(xp, scaled(xp.sqrt(kept / ratio), frame), n)


def least_value(xp: Any, *, A: Any, F: Any, lambda_A: Any, lambda_F: Any) -> Judgement:
    """The risk as its least value and squares, for any number of features."""
    K, n, m = F.shape[1:]
    whole = risk(xp, A, F, lambda_A, lambda_F)
    sigma, beyond = parts(xp, A, F, lambda_A, lambda_F)
    least = least_risk(xp, **sizes_of(xp, A, F, lambda_A, lambda_F))
    best = minimiser(xp, 1 - sigma, K, n, m, lambda_A, lambda_F)
    return Judgement(
        (),
        (
            Comparison("squares", whole, (1 - (1 - sigma) * (1 - sigma)) / 2 + beyond, "="),
            Comparison("least", least, whole),
            Comparison("attained", risk(xp, *best, lambda_A, lambda_F), least, "="),
        ),
    )


def unequal_classes(
    xp: Any, *, A: Any, F: Any, sizes: Any, lambda_A: Any, lambda_F: Any
) -> Judgement:
    """Classes of different sizes: each has a threshold of its own. Collapsed features (B, K, m)."""
    K = A.shape[1]
    N = xp.sum(sizes, axis=1)
    c = N * xp.sqrt(lambda_A * lambda_F)
    ratio = c[:, None] / xp.sqrt(sizes)
    sigma = xp.minimum(ratio, 0 * ratio + 1)
    eye = identity_matrix(xp, N, K)

    def of(weights: Any, features: Any) -> Any:
        off = features @ xp.matrix_transpose(weights) - eye
        fitted = xp.sum(sizes * square_norm(xp, off), axis=1) / (2 * N)
        norms = lambda_F / 2 * xp.sum(sizes * square_norm(xp, features), axis=1)
        return fitted + lambda_A / 2 * square(xp, weights) + norms

    least = xp.sum(sizes * (1 - (1 - sigma) * (1 - sigma)), axis=1) / (2 * N)
    share = sigma / ratio
    off = F @ xp.matrix_transpose(A) - (1 - sigma)[:, :, None] * eye
    unlike = scaled(xp.sqrt(lambda_A), A) - xp.sqrt(sizes * lambda_F[:, None])[:, :, None] * F
    norms = lambda_A[:, None] * square_norm(xp, A) + lambda_F[:, None] * sizes * square_norm(xp, F)
    beyond = (
        xp.sum(sizes * square_norm(xp, off), axis=1) / (2 * N)
        + xp.sum(share * square_norm(xp, unlike) + (1 - share) * norms, axis=1) / 2
    )
    scale = xp.sqrt(sizes * lambda_F[:, None] / lambda_A[:, None])
    best = (
        xp.sqrt((1 - sigma) * scale)[:, :, None] * eye,
        xp.sqrt((1 - sigma) / scale)[:, :, None] * eye,
    )
    whole = of(A, F)
    return Judgement(
        (),
        (
            Comparison("squares", whole, least + beyond, "="),
            Comparison("least", least, whole),
            Comparison("attained", of(*best), least, "="),
        ),
    )


EQ_29 = Statement(
    id="review:eq-29",
    kind="equation",
    title="Lower bound for the regularised square loss",
    source=Source("review", "(28), (29)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "line by line, without bias",
            r"$\frac1{2N}\|AF - Y\|_F^2 + \frac{\lambda_A}2\|A\|_F^2 + \frac{\lambda_F}2\|F\|_F^2$ "
            r"is the second line, and at least the third, in which features are replaced by their "
            r"class means, with equality where they are equal to them. What is lost is $\frac1{2N}"
            r"\sum\|A(f_{k,i} - \bar f_k)\|^2 + \frac{\lambda_F}2\sum\|f_{k,i} - \bar f_k\|^2$.",
            Claim(line_by_line, (*LAYER, *DECAYS), SIZES),
            remark="As lambda_F > 0, equality holds only under NC1 too. The third line still "
            "depends on A and F: the least value is the sharp variant's.",
        ),
        Variant(
            "sharp",
            "the least value and what is beyond it, for every m",
            r"With $\rho = K\sqrt{n\lambda_A\lambda_F}$ and $\sigma = \min(\rho, 1)$ the risk is "
            r"$\frac12(1 - (1-\sigma)^2) + \frac1{2N}\|AF - (1-\sigma)Y\|_F^2 + \frac\sigma{2\rho}"
            r"\|\sqrt{\lambda_A}A - \sqrt{n\lambda_F}\bar F^\top\|_F^2 + \frac12(1 - \frac\sigma"
            r"\rho)(\lambda_A\|A\|_F^2 + n\lambda_F\|\bar F\|_F^2) + \frac{\lambda_F}2"
            r"\sum\|f_{k,i} - \bar f_k\|^2$. Its least value is $\frac1{2K}(K - "
            r"\min(m, K)(1-\rho)_+^2)$, attained.",
            Claim(least_value, (*LAYER, *DECAYS), SIZES),
            (Bound("regularised risk", least_risk, "lower"),),
            remark="So for rho >= 1, that is K^2 n lambda_A lambda_F >= 1, zero is the only "
            "minimiser; below, and for m >= K, minimisers are AF = (1 - rho)Y with A in "
            "proportion to the class means. For m < K every m-dimensional subspace of outputs "
            "does as well as any other.",
        ),
        Variant(
            "sharp",
            "classes of unequal sizes",
            r"With collapsed features and $n_k$ samples in class $k$, $N = \sum n_k$, $\sigma_k = "
            r"\min(1, N\sqrt{\lambda_A\lambda_F/n_k})$: for $m \ge K$ the least risk is "
            r"$\frac1{2N}\sum n_k(1 - (1-\sigma_k)^2)$, and every risk exceeds it by squares of "
            r"each class alone. A class with $n_k \le N^2\lambda_A\lambda_F$ has zero weights and "
            r"features at the minimum.",
            Claim(
                unequal_classes,
                (
                    Field("A", ("C", "m")),
                    Field("F", ("C", "m")),
                    Field("sizes", ("C",), "positive"),
                    *DECAYS,
                ),
                {"C": (2, 4), "m": (1, 4)},
            ),
            remark="Features spread within a class cost as in (29). Minority classes vanish one "
            "by one: minority collapse under the square loss in closed form. n_k may be any "
            "positive weights.",
        ),
    ),
)

STATEMENTS = (EQ_29,)
