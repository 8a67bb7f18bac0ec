r"""Least-squares weights of centred features, and features renormalised along the flow: (30), (31).

Han, Papyan and Donoho set A to its least-squares value ``A_LS`` and keep the within-class
covariance of the features at the identity. The risk is then a function of the singular values
omega of the centred class means alone, ``1/2 sum_{j < K} 1/(K + omega_j^2)``.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, positive
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
    equal_arrays,
    fit,
    gram,
    identity_matrix,
    labels,
    means,
    outputs,
    scaled,
    solved,
    square,
)

_K = integer("K", "number of classes", "K", at_least=2)
_OMEGA = positive("omega", "a singular value of the renormalised class means", r"\omega")


@formula(_K, _OMEGA)
def clock(xp: Any, K: Any, omega: Any) -> Any:
    """What grows as t/n along the renormalised flow, for each singular value."""
    square = omega * omega
    return K * K * xp.log(omega) + K * square + square * square / 4


# -- Equation (30) --------------------------------------------------------------------------------


def centred_features(xp: Any, F: Any) -> Any:
    """Features less their global mean, (B, K, n, m)."""
    return F - xp.mean(means(xp, F), axis=1)[:, None, None, :]


def turned(xp: Any, rows: Any, D: Any) -> Any:
    """Features D f, for rows f."""
    return xp.sum(rows[..., None, :] * D[(slice(None),) + (None,) * (rows.ndim - 2)], axis=-1)


def second_moment(xp: Any, F: Any) -> Any:
    """Sum of f f^T over all samples, (B, m, m)."""
    return xp.sum(xp.matrix_transpose(F) @ F, axis=1)


def cofactors(xp: Any, S: Any) -> tuple[Any, Any]:
    """The adjugate of matrices (B, m, m) and their determinants: ``S adj = det I``."""
    m = S.shape[1]
    eye = identity_matrix(xp, S[:, 0, 0], m)
    adjugate = eye
    for step in range(1, m + 1):  # the recursion of Faddeev and Le Verrier
        product = S @ adjugate
        trace = xp.sum(xp.sum(product * eye, axis=-1), axis=-1) / step
        if step < m:
            adjugate = scaled(trace, eye) - product
    return adjugate, trace


def output(xp: Any, F: Any) -> tuple[Any, Any]:
    """``M^T adj F`` of centred features, and the determinant of F F^T.

    The output of the least-squares weights is N/K times the first over the second.
    """
    adjugate, determinant = cofactors(xp, second_moment(xp, F))
    return outputs(xp, means(xp, F) @ adjugate, F), determinant


def magnitude(xp: Any, array: Any) -> Any:
    """Mean magnitude of entries, (B,)."""
    return xp.mean(xp.reshape(xp.abs(array), (array.shape[0], -1)), axis=-1)


def invariance_claim(samples_left: bool, symmetric: bool) -> Any:
    """Return the claim of (30), cleared of determinants, with 1/N on the left too or not."""

    def judge(xp: Any, *, F: Any, D: Any) -> Judgement:
        features = centred_features(xp, F)
        matrix = D + xp.matrix_transpose(D) if symmetric else D
        left, below_left = output(xp, turned(xp, features, matrix))
        right, below_right = output(xp, features)
        N = F.shape[1] * F.shape[2]
        _, det = cofactors(xp, matrix)
        size = (magnitude(xp, F) * magnitude(xp, D)) ** (2 * D.shape[1])
        if not samples_left:
            return Judgement(
                (), (Comparison("equation (30)", left, scaled(det * det * N, right), "="),)
            )
        return Judgement(
            (),
            (
                equal_arrays(xp, "equation (30)", left, scaled(det * det, right), size),
                equal_arrays(xp, "determinants", below_left, det * det * below_right, size),
            ),
        )

    return judge


def least_squares_claim(xp: Any, *, F: Any, D: Any, A: Any) -> Judgement:
    """Every invertible D; and A_LS is the least-squares value, with the best bias."""
    K, n = F.shape[1:3]
    features = centred_features(xp, F)
    of_D = invariance_claim(True, False)(xp, F=F, D=D).conclusions
    product, det = output(xp, features)
    best = product * n
    target = labels(xp, F) - 1 / (K * (0 * labels(xp, F) + 1))
    given = scaled(det, outputs(xp, A, features))
    wanted = scaled(det, target + 0 * given)
    size = magnitude(xp, F) ** (2 * F.shape[3])
    size = size + size * magnitude(xp, A) * magnitude(xp, F)
    room = size * size
    return Judgement(
        (),
        (
            *of_D,
            Comparison(
                "other weights",
                square(xp, given - wanted) + room,
                square(xp, best - wanted) + square(xp, given - best) + room,
                "=",
            ),
        ),
    )


_FEATURES = (Field("F", ("C", "n", "m")), Field("D", ("m", "m")))
_SIZES = {"C": (2, 3), "n": (2, 3), "m": (1, 2)}

EQ_30 = Statement(
    id="review:eq-30",
    kind="equation",
    title="The least-squares output does not change with D",
    source=Source("review", "(30)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "as typeset",
            r"$\frac1K(D\tilde M)^\top[(D\tilde F)(D\tilde F)^\top]^{-1}D\tilde F = \frac1K\tilde "
            r"M^\top\Sigma_{\tilde F}^{-1}\tilde F$ for every symmetric $D$ of full rank.",
            Claim(invariance_claim(False, True), _FEATURES, _SIZES),
            defect="The covariance on the left has lost its 1/N: the left side is the right one "
            "over N.",
        ),
        Variant(
            "corrected",
            "with 1/N on the left",
            r"$\frac1K(D\tilde M)^\top[\frac1N(D\tilde F)(D\tilde F)^\top]^{-1}D\tilde F = \frac1K"
            r"\tilde M^\top\Sigma_{\tilde F}^{-1}\tilde F$ for every symmetric $D$ of full rank.",
            Claim(invariance_claim(True, True), _FEATURES, _SIZES),
            remark="Judged with both inverses written as adjugates over determinants, and these "
            "cleared. The inverse asks that centred features span R^m, so m <= N - 1; collapsed "
            "features do only for m <= K - 1.",
        ),
        Variant(
            "sharp",
            "every invertible D, and least squares",
            r"The output $A_{LS}\tilde F$, $A_{LS} = \frac1K\tilde M^\top\Sigma_{\tilde F}^{-1}$, "
            r"is the same for every invertible $D$, symmetric or not. $A_{LS}$ minimises "
            r"$\frac1{2N}\|AF + b1^\top - Y\|_F^2$ over A and b; another A costs $\frac1{2N}\|(A - "
            r"A_{LS})\tilde F\|_F^2$ more.",
            Claim(least_squares_claim, (*_FEATURES, Field("A", ("C", "m"))), _SIZES),
            remark="A_LS is the value without weight decay: with lambda_A > 0 the output does "
            "change with D.",
        ),
    ),
)


# -- Equation (31) --------------------------------------------------------------------------------


def slope(omega: Any, K: int) -> Any:
    """Derivative of the least-squares risk by a singular value."""
    below = omega * omega + K
    return -omega / (below * below)


def flow_claim(sign: int) -> Any:
    """Return the claim that the risk does not rise along `sign` times the gradient."""

    def judge(xp: Any, *, omega: Any, n: Any) -> Judgement:
        gradient = slope(omega, omega.shape[1] + 1)
        velocity = sign * gradient / n[:, None]
        rate = xp.sum(gradient * velocity, axis=1)
        one = 0 * velocity
        return Judgement(
            (),
            (
                Comparison("the risk does not rise", rate, 0 * rate),
                Comparison("singular values do not fall", one, velocity),
            ),
        )

    return judge


def rows_of(xp: Any, omega: Any) -> Any:
    """Class means (B, K, K-1), centred, with the singular values omega (B, K-1)."""
    one = omega[:, 0] * 0 + 1
    frame = small_simplex(xp, identity_matrix(xp, one, omega.shape[1]), one)
    return frame * omega[:, None, :]


def solution_claim(xp: Any, *, omega: Any, n: Any) -> Judgement:
    """The risk from features of unit within-class covariance, and the flow in singular values."""
    J = omega.shape[1]
    K = J + 1
    centre = rows_of(xp, omega)
    noise = identity_matrix(xp, omega[:, 0], J) * xp.sqrt(0 * omega[:, :1] + J)[:, :, None]
    samples = [centre[:, :, None] + noise[:, None], centre[:, :, None] - noise[:, None]]
    F = xp.reshape(xp.stack(samples, axis=2), (omega.shape[0], K, 2 * J, J))
    mean = (0 * omega[:, :1, None] + 1) / (2 * J * K)
    target = labels(xp, F) - 1 / (K * (0 * labels(xp, F) + 1))
    within = F - means(xp, F)[:, :, None, :]
    weights = solved(xp, mean * second_moment(xp, F), means(xp, F)) / K
    value = fit(xp, outputs(xp, weights, F) - target)
    below = K + omega * omega
    velocity = -slope(omega, K) / n[:, None]
    clock_rate = (K * K / omega + 2 * K * omega + omega * omega * omega) * velocity
    below_matrix = scaled(0 * n + K, identity_matrix(xp, n, J))
    below_matrix = below_matrix + xp.matrix_transpose(centre) @ centre
    gradient_rows = -solved(
        xp,
        below_matrix @ below_matrix,
        centre,
    )
    first = omega[:, :1] + 0 * omega
    eye = identity_matrix(xp, n, K)
    simplex = scaled(omega[:, 0] * omega[:, 0], eye - 1 / (K * (0 * eye + 1)))
    return Judgement(
        (),
        (
            equal_arrays(
                xp,
                "identity covariance",
                second_moment(xp, within) * mean,
                identity_matrix(xp, n, J),
            ),
            Comparison("risk", value, xp.sum(1 / below, axis=1) / 2, "="),
            equal_arrays(xp, "gradient", gradient_rows, rows_of(xp, slope(omega, K))),
            Comparison("clock", clock_rate, 0 * clock_rate + 1 / n[:, None], "="),
            Comparison("the risk does not rise", xp.sum(slope(omega, K) * velocity, axis=1), 0 * n),
            equal_arrays(xp, "simplex where all are equal", gram(xp, rows_of(xp, first)), simplex),
        ),
    )


def limit_claim(xp: Any, *, kept: Any) -> Judgement:
    """The limit of the renormalised class means that start with the singular values of a mask."""
    K = kept.shape[1] + 1
    limit = gram(xp, rows_of(xp, kept))
    eye = identity_matrix(xp, kept[:, 0], K)
    return Judgement(
        (),
        (Comparison("simplex", limit, eye - 1 / (K * (0 * eye + 1)), "="),),
    )


def approach(xp: Any, *, smaller: Any, beyond: Any, K: Any, epsilon: Any) -> Judgement:
    """Two singular values whose clocks differ by epsilon differ by little once they are large."""
    larger = smaller + beyond
    return Judgement(
        (
            Comparison(
                "clocks", clock(xp, K=K, omega=larger), clock(xp, K=K, omega=smaller) + epsilon
            ),
        ),
        (
            Comparison(
                "difference",
                beyond * (smaller**3 + 2 * K * smaller + K * K / larger),
                epsilon,
            ),
        ),
    )


_VALUES = Field("omega", ("m",), "positive")
_N = Field("n", (), "integer", least=1)

EQ_31 = Statement(
    id="review:eq-31",
    kind="equation",
    title="The renormalised flow",
    source=Source("review", "(31)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the sign as typeset",
            r"Along $\frac d{dt}N = \Pi(\nabla_N\widehat{\mathcal R})$ the risk does not rise and "
            "the singular values of the renormalised class means do not fall.",
            Claim(flow_claim(1), (_VALUES, _N), {"m": (1, 3)}),
            defect="The flow has lost its minus: as typeset it climbs, and class means shrink to "
            "zero instead of growing.",
        ),
        Variant(
            "printed",
            "every start",
            r"The singular values of $\Sigma_W^{-1/2}\tilde M$ that are not zero tend to infinity "
            "and to each other; the limit of its transpose, normalised, is a simplex ETF.",
            Claim(limit_claim, (Field("kept", ("m",), "mask"),), {"m": (1, 3)}),
            defect="The flow keeps singular vectors, and singular values at zero. Only from class "
            "means of rank K - 1, so m >= K - 1, is the limit a simplex; from a lower rank it is "
            "the projection of one.",
        ),
        Variant(
            "corrected",
            "with a minus, in singular values",
            r"Where the within-class covariance is the identity the least-squares risk is $\frac12"
            r"\sum_{j<K}\frac1{K+\omega_j^2}$, its projected gradient acts on class means alone, "
            r"$-\omega_j/(K+\omega_j^2)^2$ on each singular value, and along $\frac d{dt}N = -\Pi("
            r"\nabla_N\widehat{\mathcal R})$ each $K^2\log\omega_j + K\omega_j^2 + \frac14"
            r"\omega_j^4$ grows at the rate $\frac1n$. Class means with $K - 1$ equal singular "
            r"values are a simplex, which so is the limit from every start of rank $K - 1$.",
            Claim(solution_claim, (_VALUES, _N), {"m": (1, 2)}),
            (Bound("t/n + constant", clock, "value"),),
            remark="The gradient in the features has a part S (f - mu_k) with S symmetric, normal "
            "to the manifold, which the projection removes. The noise that the signal dominates "
            "is the within-class spread, not the deviation of A from A_LS as the text has it.",
        ),
        Variant(
            "sharp",
            "how fast singular values meet",
            r"Two singular values $\omega \le \omega + \delta$ whose clocks $K^2\log\omega + "
            r"K\omega^2 + \frac14\omega^4$ differ by at most $\varepsilon$, which the flow keeps, "
            r"have $\delta(\omega^3 + 2K\omega + \frac{K^2}{\omega+\delta}) \le \varepsilon$: they "
            "meet, even in their difference.",
            Claim(
                approach,
                (
                    Field("smaller", (), "positive"),
                    Field("beyond", (), "nonnegative"),
                    Field("K", (), "integer", least=2),
                    Field("epsilon", (), "budget", "clocks"),
                ),
            ),
        ),
    ),
)

STATEMENTS = (EQ_30, EQ_31)
