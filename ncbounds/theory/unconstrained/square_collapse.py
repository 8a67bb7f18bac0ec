r"""What minimisers of the regularised square loss look like, without bias and with one.

Without bias class means are an orthogonal frame, which is a simplex once centred. A bias that is
not penalised makes them a simplex itself; one of weight decay lambda_b lets them have a mean if
``rho < theta = lambda_b/(1 + lambda_b)``.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.metrics import small_simplex
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
    centred,
    fit,
    gram,
    identity_matrix,
    labels,
    means,
    outputs,
    positive_part,
    repeated,
    scaled,
    solved,
    spread,
    square,
)
from ncbounds.theory.unconstrained.square_regularised import (
    decay_ratio,
    least_risk,
    least_risk_with_bias,
    minimiser,
    risk,
    sizes_of,
)

# -- weights at rest ------------------------------------------------------------------------------


def best_weights(xp: Any, centre: Any, decay: Any) -> Any:
    """``Fbar^T (Fbar Fbar^T + decay I)^-1``, for class means as rows (B, K, m)."""
    second = xp.matrix_transpose(centre) @ centre
    ridge = second + scaled(decay, identity_matrix(xp, decay, centre.shape[2]))
    return solved(xp, ridge, centre)


def weights_at_rest(xp: Any, *, A: Any, F: Any, lambda_A: Any) -> Judgement:
    """The closed form of A: the only weights at rest, for collapsed features F (B, K, m)."""
    K = F.shape[1]
    best = best_weights(xp, F, K * lambda_A)
    eye = identity_matrix(xp, lambda_A, K)

    def of(weights: Any) -> Any:
        off = F @ xp.matrix_transpose(weights) - eye
        return square(xp, off) / (2 * K) + lambda_A / 2 * square(xp, weights)

    step = A - best
    more = square(xp, F @ xp.matrix_transpose(step)) / (2 * K) + lambda_A / 2 * square(xp, step)
    out = F @ xp.matrix_transpose(best)
    return Judgement(
        (),
        (
            Comparison(
                "at rest", xp.matrix_transpose(out) @ F / K + scaled(lambda_A, best), F / K, "="
            ),
            Comparison("all other weights", of(A), of(best) + more, "="),
        ),
    )


# -- class means ----------------------------------------------------------------------------------


def flat_claim(xp: Any, *, lambda_A: Any, lambda_F: Any, frame: Any) -> Judgement:
    """A minimiser in m dimensions, and whether its class means are an orthogonal frame.

    `frame` (B, K, n, m) has only the sizes of an instance.
    """
    K, n, m = frame.shape[1:]
    sizes = sizes_of(xp, frame[:, :, 0], frame, lambda_A, lambda_F)
    least = least_risk(xp, **sizes)
    rho = decay_ratio(xp, **{k: v for k, v in sizes.items() if k != "m"})
    A, F = minimiser(xp, positive_part(xp, 1 - rho), K, n, m, lambda_A, lambda_F)
    products = gram(xp, means(xp, F))
    mean_square = square(xp, means(xp, F)) / K
    return Judgement(
        (),
        (
            Comparison("a minimiser", risk(xp, A, F, lambda_A, lambda_F), least, "="),
            Comparison(
                "flat spectrum",
                products,
                scaled(mean_square, identity_matrix(xp, mean_square, K)),
                "=",
            ),
        ),
    )


def nearly_least(xp: Any, *, A: Any, F: Any, share: Any, lambda_F: Any, epsilon: Any) -> Judgement:
    """What a risk near the least value says, for rho = `share` below 1."""
    K, n = F.shape[1:3]
    lambda_A = share * share / (n * K * K * lambda_F)
    least = (1 - (1 - share) * (1 - share)) / 2
    centre, kept = means(xp, F), 1 - share
    eye = identity_matrix(xp, share, K)
    ratio = xp.sqrt(n * lambda_F / lambda_A)
    frame = scaled(ratio, gram(xp, centre)) - scaled(kept, eye)
    simplex = scaled(ratio, gram(xp, centred(xp, centre))) - scaled(
        kept, eye - 1 / (K * (0 * eye + 1))
    )
    unlike = scaled(xp.sqrt(lambda_A), A) - scaled(xp.sqrt(n * lambda_F), centre)
    budget = 2 * epsilon * (K + square(xp, centre) / lambda_A)
    return Judgement(
        (Comparison("near the least", risk(xp, A, F, lambda_A, lambda_F), least + epsilon),),
        (
            Comparison(
                "outputs", fit(xp, outputs(xp, A, F) - scaled(kept, labels(xp, F))), epsilon
            ),
            Comparison("within classes", square(xp, spread(xp, F)), 2 * epsilon / lambda_F),
            Comparison("self-duality", square(xp, unlike), 2 * epsilon),
            Comparison("orthogonal frame", square(xp, frame), budget),
            Comparison("simplex when centred", square(xp, simplex), budget),
        ),
    )


# -- bias -----------------------------------------------------------------------------------------


def with_bias(xp: Any, A: Any, F: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any) -> Any:
    """(28)."""
    off = outputs(xp, A, F) + b[:, None, None, :] - labels(xp, F)
    norms = lambda_A / 2 * square(xp, A) + lambda_F / 2 * square(xp, F)
    return fit(xp, off) + norms + lambda_b / 2 * square(xp, b)


def global_mean(xp: Any, F: Any) -> Any:
    """Mean of the class means, (B, m)."""
    return xp.mean(means(xp, F), axis=1)


def free_bias(xp: Any, *, A: Any, F: Any, b: Any, lambda_A: Any, lambda_F: Any) -> Judgement:
    """The best bias without penalty: it subtracts the global mean."""
    K = F.shape[1]
    centre = global_mean(xp, F)
    best = 1 / (K * (0 * b + 1)) - xp.sum(A * centre[:, None, :], axis=-1)
    none = 0 * lambda_A

    def of(bias: Any) -> Any:
        return with_bias(xp, A, F, bias, lambda_A, lambda_F, none)

    off = b - best
    less_mean = outputs(xp, A, F - centre[:, None, None, :]) + 1 / (K * (0 * labels(xp, F) + 1))
    return Judgement(
        (),
        (
            Comparison("every bias", of(b), of(best) + square(xp, off) / 2, "="),
            Comparison("least", of(best), of(b)),
            Comparison(
                "subtracts the mean", outputs(xp, A, F) + best[:, None, None, :], less_mean, "="
            ),
        ),
    )


def mean_at_rest(
    xp: Any, *, A: Any, F: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any
) -> Judgement:
    """The global mean in terms of gradients: it vanishes at rest where the bias is free."""
    K, n = F.shape[1:3]
    off = outputs(xp, A, F) + b[:, None, None, :] - labels(xp, F)
    of_features = xp.sum(off[..., None] * A[:, None, None, :, :], axis=3) / (K * n)
    of_features = of_features + scaled(lambda_F, F)
    of_bias = xp.sum(xp.sum(off, axis=2), axis=1) / (K * n) + lambda_b[:, None] * b
    total = xp.sum(xp.sum(of_features, axis=2), axis=1)
    through = xp.sum(A * (of_bias - lambda_b[:, None] * b)[:, :, None], axis=1)
    mean = global_mean(xp, F)
    inner = xp.sum(A * mean[:, None, :], axis=-1)
    return Judgement(
        (),
        (
            Comparison("global mean", total, (lambda_F * K * n)[:, None] * mean + through, "="),
            Comparison(
                "bias", of_bias + 1 / (K * (0 * b + 1)), (1 + lambda_b)[:, None] * b + inner, "="
            ),
        ),
    )


def bias_parts(
    xp: Any, A: Any, F: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any
) -> tuple[Any, Any, Any]:
    """What simplex and mean keep, and the squares that (28) has beyond its least value."""
    K, n = F.shape[1:3]
    rho = K * xp.sqrt(n * lambda_A * lambda_F)
    one = 0 * rho + 1
    theta = lambda_b / (1 + lambda_b)
    kept = positive_part(xp, 1 - rho)
    mean_kept = positive_part(xp, theta - rho) / xp.maximum(theta, rho)
    inner = xp.sum(A * global_mean(xp, F)[:, None, :], axis=-1)
    best = (1 / (K * (0 * b + 1)) - inner) / (1 + lambda_b)[:, None]
    wanted = scaled(kept, labels(xp, F) - 1 / (K * (0 * labels(xp, F) + 1)))
    beyond = (
        (1 + lambda_b) / 2 * square(xp, b - best)
        + fit(xp, outputs(xp, A, F - global_mean(xp, F)[:, None, None, :]) - wanted)
        + theta / 2 * square(xp, inner - mean_kept[:, None] / K)
        + lambda_F / 2 * square(xp, spread(xp, F))
    )
    centre = means(xp, F)
    halves = (
        (xp.minimum(one / rho, one), centred(xp, A), centred(xp, centre)),
        (xp.minimum(theta / rho, one), A - centred(xp, A), centre - centred(xp, centre)),
    )
    for share, weights, features in halves:
        unlike = scaled(xp.sqrt(lambda_A), weights) - scaled(xp.sqrt(n * lambda_F), features)
        norms = lambda_A * square(xp, weights) + n * lambda_F * square(xp, features)
        beyond = beyond + share / 2 * square(xp, unlike) + (1 - share) / 2 * norms
    return kept, mean_kept, beyond


def scaled_rows(numbers: Any, values: Any) -> Any:
    """Vectors (B, K) times a number each."""
    return numbers[:, None] * values


def least_with_bias(
    xp: Any, *, A: Any, F: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any
) -> Judgement:
    """(28) as its least value and squares, with the phases of its minimiser."""
    K, n, m = F.shape[1:]
    decays = {"lambda_A": lambda_A, "lambda_F": lambda_F, "lambda_b": lambda_b}
    whole = with_bias(xp, A, F, b, **decays)
    kept, mean_kept, beyond = bias_parts(xp, A, F, b, **decays)
    sizes = {**sizes_of(xp, A, F, lambda_A, lambda_F), "lambda_b": lambda_b}
    enough = {**sizes, "m": 0 * lambda_A + K}
    root = xp.sqrt(n * lambda_F / lambda_A)
    one = 0 * root + 1
    contrasts = small_simplex(xp, identity_matrix(xp, one, K - 1), one)
    first = [contrasts[..., j] for j in range(min(m, K - 1))]

    def frame(scale: Any) -> Any:
        """Rows for as many contrasts as m leaves room for, and for the mean if m >= K."""
        columns = [scaled_rows(xp.sqrt(kept * scale), column) for column in first]
        if m >= K:
            level = xp.sqrt(mean_kept * scale / K)
            columns.append(scaled_rows(level, 0 * contrasts[..., 0] + 1))
        return xp.stack(columns, axis=-1)

    of_mean = mean_kept if m >= K else 0 * mean_kept
    best_F = repeated(xp, frame(1 / root), n)
    best_b = scaled_rows((1 - of_mean) / (K * (1 + lambda_b)), 0 * b + 1)
    attained = with_bias(xp, frame(root), best_F, best_b, **decays)
    return Judgement(
        (),
        (
            Comparison("squares", whole, least_risk_with_bias(xp, **enough) + beyond, "="),
            Comparison("least", least_risk_with_bias(xp, **sizes), whole),
            Comparison("attained", attained, least_risk_with_bias(xp, **sizes), "="),
        ),
    )


_BIAS = Field("b", ("C",))
_LAMBDA_B = Field("lambda_b", (), "nonnegative")

REMARK = Statement(
    id="review:remark-mse-closed-form",
    kind="remark",
    title="Closed forms of the regularised square loss",
    source=Source("review", "after (29)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "weights at rest",
            r"For collapsed features $A = \bar F^\top(\bar F\bar F^\top + K\lambda_AI_m)^{-1}$ is "
            r"at rest, and other weights cost $\frac1{2K}\|(A' - A)\bar F\|_F^2 + \frac{\lambda_A}"
            r"2\|A' - A\|_F^2$ more.",
            Claim(
                weights_at_rest,
                (Field("A", ("C", "m")), Field("F", ("C", "m")), DECAYS[0]),
                {"C": (2, 4), "m": (1, 3)},
            ),
        ),
        Variant(
            "printed",
            "an orthogonal frame, whatever m",
            r"The minimiser has $\bar F^\top\bar F \propto I_K$.",
            Claim(flat_claim, (*DECAYS, Field("frame", ("C", "n", "m"))), SIZES),
            defect="For m < K no K vectors in R^m but zeros have equal norms and right angles: the "
            "minimiser given here has m classes at right angles and the others at zero. The "
            "source supposes m > K; the review does not. And for K^2 n lambda_A lambda_F >= 1 all "
            "is zero, an orthogonal frame in name only, without a simplex in it.",
        ),
        Variant(
            "corrected",
            "near the least value, rho below 1",
            r"Let $\rho = K\sqrt{n\lambda_A\lambda_F} < 1$. If the risk is at most $\frac12(1 - "
            r"(1-\rho)^2) + \varepsilon$ then $\frac1{2N}\|AF - (1-\rho)Y\|_F^2 \le \varepsilon$, "
            r"$\sum\|f - \bar f\|^2 \le 2\varepsilon/\lambda_F$, $\|\sqrt{\lambda_A}A - "
            r"\sqrt{n\lambda_F}\bar F^\top\|_F^2 \le 2\varepsilon$, and $\sqrt{n\lambda_F/"
            r"\lambda_A}\bar F^\top\bar F$ is within $\sqrt{2\varepsilon(K + \|\bar F\|_F^2/"
            r"\lambda_A)}$ of $(1-\rho)I$, and its centred part of $(1-\rho)(I - \frac1K11^\top)$.",
            Claim(
                nearly_least,
                (
                    *LAYER,
                    Field("share", (), "proportion"),
                    DECAYS[1],
                    Field("epsilon", (), "budget", "near the least"),
                ),
                SIZES,
            ),
            remark="At epsilon = 0 this is the printed claim: an orthogonal frame in proportion "
            "to the weights, and a simplex once centred. It needs m >= K, for with fewer features "
            "the risk does not come as near: see review:eq-29.",
        ),
        Variant(
            "printed",
            "a bias without penalty",
            r"With $\lambda_b = 0$ the best bias is $b_k = \frac1K - a_k^\top\mu_G$, so that the "
            r"outputs are $A(f - \mu_G) + \frac1K1$; another costs $\frac12\|b' - b\|^2$ more.",
            Claim(free_bias, (*LAYER, _BIAS, *DECAYS), SIZES),
            remark="With classes of unequal sizes 1/K becomes n_k/N and mu_G the mean of all "
            "samples.",
        ),
        Variant(
            "sharp",
            "the global mean at rest",
            r"Everywhere $N\lambda_F\mu_G = \sum\nabla_{f_{k,i}} - A^\top(\nabla_b - \lambda_bb)$ "
            r"and $\nabla_b = (1 + \lambda_b)b - \frac1K1 + A\mu_G$. So where the risk is at rest "
            r"and $\lambda_b = 0$, $\mu_G = 0$ and $b = \frac1K1$: there is no mean to subtract, "
            r"and an optimal $\bar F$ is a simplex itself.",
            Claim(
                mean_at_rest,
                (*LAYER, _BIAS, *DECAYS, _LAMBDA_B),
                {"C": (2, 3), "n": (1, 2), "m": (1, 3)},
            ),
        ),
        Variant(
            "sharp",
            "every weight decay of the bias",
            r"With $\theta = \lambda_b/(1+\lambda_b)$ the least value of (28) is $\frac1{2K}(K - 1 "
            r"+ \theta - \min(m, K-1)(1-\rho)_+^2 - [m \ge K](\theta-\rho)_+^2/\max(\theta, \rho))"
            r"$; what a risk is beyond its value for $m \ge K$ is a sum of squares. For $\rho \ge "
            r"1$ the minimiser is zero but for the bias; for $\theta \le \rho < 1$ class means are "
            r"a simplex around 0; for $\rho < \theta$ they have the mean that $a_k^\top\mu_G = "
            r"\frac1K(1 - \rho/\theta)$ needs, and are an orthogonal frame only as "
            r"$\lambda_b \to \infty$.",
            Claim(
                least_with_bias,
                (*LAYER, _BIAS, *DECAYS, _LAMBDA_B),
                SIZES,
            ),
            (Bound("regularised risk", least_risk_with_bias, "lower"),),
            remark="Attained for every m: with fewer than K - 1 features by as many contrasts of "
            "classes. Where theta <= rho, lambda_b = 0 included, m = K - 1 does as well as more.",
        ),
    ),
)

STATEMENTS = (REMARK,)
