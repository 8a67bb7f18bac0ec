r"""The global minima of regularised cross-entropy, and the phase transition to zero.

With ``theta = min(sqrt(n lambda_A lambda_F), 1/K)`` and p_k the probabilities theta for each wrong
class, the least risk is the entropy of p_k, and what a point is above it is a sum of squares and a
divergence. The features of a minimiser are a simplex for K sqrt(n lambda_A lambda_F) < 1 and zero
from there on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ncbounds.arithmetic.formula import formula, integer, positive
from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
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
from ncbounds.theory.unconstrained.nuclear_norm import fourth_root
from ncbounds.theory.unconstrained.regularised_risk import (
    BIAS_DECAY,
    DECAYS,
    POINT,
    POINT_SIZES,
    collapsed_probabilities,
    decay,
    divergence,
    entropy,
    log_probabilities,
    mean_loss,
    outputs,
    risk,
    whole_norm,
)

# -- the closed form ------------------------------------------------------------------------------

_K = integer("K", "number of classes", "K", at_least=2)
_N = integer("n", "samples of a class", "n", at_least=1)
_LAMBDA_A = positive("lambda_A", "decay of the weights", r"\lambda_A")
_LAMBDA_F = positive("lambda_F", "decay of the features", r"\lambda_F")


@formula(_K, _N, _LAMBDA_A, _LAMBDA_F)
def wrong_probability(xp: Any, K: Any, n: Any, lambda_A: Any, lambda_F: Any) -> Any:
    """The probability theta that a minimiser gives to each wrong class."""
    return xp.minimum(xp.sqrt(n * lambda_A * lambda_F), 1 / K)


@formula(_K, _N, _LAMBDA_A, _LAMBDA_F)
def least_risk(xp: Any, K: Any, n: Any, lambda_A: Any, lambda_F: Any) -> Any:
    """Least regularised risk over features of any dimension m >= K - 1."""
    theta = wrong_probability(xp, K=K, n=n, lambda_A=lambda_A, lambda_F=lambda_F)
    own = 1 - (K - 1) * theta
    return -own * xp.log(own) - (K - 1) * theta * xp.log(theta)


@formula(_K, _N, _LAMBDA_A, _LAMBDA_F)
def least_margin(xp: Any, K: Any, n: Any, lambda_A: Any, lambda_F: Any) -> Any:
    """Difference between the right output and every other one at the minimum."""
    return xp.log(xp.maximum(1 / xp.sqrt(n * lambda_A * lambda_F) - (K - 1), 1))


@formula(_K, _N, _LAMBDA_A, _LAMBDA_F)
def least_weight_norm(xp: Any, K: Any, n: Any, lambda_A: Any, lambda_F: Any) -> Any:
    """Frobenius norm of the weights at the minimum."""
    margin = least_margin(xp, K=K, n=n, lambda_A=lambda_A, lambda_F=lambda_F)
    return xp.sqrt((K - 1) * margin * xp.sqrt(n * lambda_F / lambda_A))


def simplex_rows(xp: Any, like: Any, K: int) -> Any:
    """Rows in K - 1 dimensions with Gram matrix I - 1/K: (B, K, K - 1) for a `like` (B,)."""
    corner = np.tril(np.ones((K, K - 1)), -1) - np.triu(np.ones((K, K - 1)))
    numbers = np.where(np.arange(K)[:, None] == np.arange(K - 1) + 1, np.arange(K)[:, None], -1.0)
    numbers = np.where(corner > 0, np.where(numbers > 0, numbers, 0.0), -1.0)
    squares = np.array([(j + 1.0) * (j + 2.0) for j in range(K - 1)])
    return xp.asarray(numbers)[None] / xp.sqrt(xp.asarray(squares) + 0 * like[:, None])[:, None, :]


def collapsed_risk(xp: Any, K: int, n: int, lambda_A: Any, lambda_F: Any) -> Any:
    """The risk of `minimiser`, from the square of its scale: (B,)."""
    theta = theta_of(xp, K, n, lambda_A, lambda_F)
    margin = xp.log(1 / theta - (K - 1))
    margin = xp.maximum(margin, 0 * margin)
    rows = simplex_rows(xp, theta, K)
    h = margin[:, None, None] * xp.matmul(rows, xp.matrix_transpose(rows))
    ratio = xp.sqrt(n * lambda_F / lambda_A)
    penalty = (lambda_A * ratio + lambda_F * n / ratio) * margin * whole_norm(xp, rows) / 2
    return mean_loss(xp, h[:, :, None, :]) + penalty


def minimiser(xp: Any, K: int, n: int, lambda_A: Any, lambda_F: Any) -> tuple[Any, Any, Any]:
    """Features (B, K, n, K - 1), weights (B, K, K - 1) and bias (B, K) of a global minimum."""
    theta = theta_of(xp, K, n, lambda_A, lambda_F)
    margin = xp.log(1 / theta - (K - 1))
    margin = xp.maximum(margin, 0 * margin)
    ratio = fourth_root(xp, n * lambda_F / lambda_A)
    rows = xp.sqrt(margin)[:, None, None] * simplex_rows(xp, theta, K)
    A = ratio[:, None, None] * rows
    F = (rows / ratio[:, None, None])[:, :, None, :] + xp.asarray(np.zeros((1, 1, n, 1)))
    return F, A, 0 * A[:, :, 0]


def theta_of(xp: Any, K: int, n: int, lambda_A: Any, lambda_F: Any) -> Any:
    """`wrong_probability` of arrays (B,)."""
    one = 0 * lambda_A + 1
    return wrong_probability(xp, K=one * K, n=one * n, lambda_A=lambda_A, lambda_F=lambda_F)


# -- what a point is above it ---------------------------------------------------------------------


def collapse_defects(xp: Any, F: Any, A: Any, lambda_A: Any, lambda_F: Any) -> dict[str, Any]:
    """Squares that vanish where features and weights are collapsed and self-dual: (B,) each.

    The mean weight, features about their class mean, and class means about the centred weights.
    """
    n = F.shape[2]
    centre = xp.mean(A, axis=1, keepdims=True)
    mean = xp.mean(F, axis=2, keepdims=True)
    apart = xp.sqrt(lambda_F)[:, None, None] * mean[:, :, 0]
    apart = apart - xp.sqrt(lambda_A / n)[:, None, None] * (A - centre)
    return {
        "centre": lambda_A * A.shape[1] * whole_norm(xp, centre) / 2,
        "variability": lambda_F * whole_norm(xp, F - mean) / 2,
        "duality": n * whole_norm(xp, apart) / 2,
    }


def everywhere(
    xp: Any, *, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any
) -> Judgement:
    """The risk is the least one and a sum of terms that are not negative."""
    K, n = F.shape[1], F.shape[2]
    theta = theta_of(xp, K, n, lambda_A, lambda_F)
    share = theta / xp.sqrt(n * lambda_A * lambda_F)
    one = 0 * lambda_A + 1
    least = least_risk(xp, K=one * K, n=one * n, lambda_A=lambda_A, lambda_F=lambda_F)
    apart = divergence(xp, collapsed_probabilities(xp, K, theta), outputs(xp, F, A, b))
    defects = sum(collapse_defects(xp, F, A, lambda_A, lambda_F).values())
    rest = (1 - share) * decay(xp, F, A, lambda_A, lambda_F) + lambda_b * square_norm(xp, b) / 2
    found = risk(xp, F, A, b, lambda_A, lambda_F, lambda_b)
    return Judgement(
        (),
        (
            Comparison("least", least, found),
            Comparison("between", found, least + apart + share * defects + rest, "="),
            Comparison("attained", collapsed_risk(xp, K, n, lambda_A, lambda_F), least, "="),
        ),
    )


def proximity(
    xp: Any, *, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any
) -> Judgement:
    """What is above the least risk bounds every deviation from collapse, all together."""
    K, n = F.shape[1], F.shape[2]
    theta = theta_of(xp, K, n, lambda_A, lambda_F)
    share = theta / xp.sqrt(n * lambda_A * lambda_F)
    above = risk(xp, F, A, b, lambda_A, lambda_F, lambda_b) - entropy(xp, K, theta)
    defects = sum(collapse_defects(xp, F, A, lambda_A, lambda_F).values())
    p = xp.exp(log_probabilities(xp, outputs(xp, F, A, b)))
    off = xp.sum(xp.abs(p - collapsed_probabilities(xp, K, theta)), axis=-1)
    rest = (1 - share) * decay(xp, F, A, lambda_A, lambda_F) + lambda_b * square_norm(xp, b) / 2
    together = share * defects + class_mean(xp, off * off) / 2 + rest
    return Judgement((), (Comparison("all together", together, above),))


def always_a_simplex(xp: Any, *, K: Any, n: Any, lambda_A: Any, lambda_F: Any) -> Judgement:
    """The global minimiser has class means that differ: a positive margin."""
    margin = least_margin(xp, K=K, n=n, lambda_A=lambda_A, lambda_F=lambda_F)
    one = 0 * margin + 1
    return Judgement((), (Comparison("class means differ", one, one * xp.is_positive(margin)),))


def one_dimension(xp: Any, *, u: Any, n: Any, lambda_A: Any, lambda_F: Any) -> Judgement:
    """Below the threshold features of a single dimension are better than zero.

    Along a unit u with sum zero: ``a_k = e (lambda_F/lambda_A)^(1/4) u_k`` and ``f_ki = e
    (lambda_A/lambda_F)^(1/4) u_k/sqrt n`` with ``e^2 = 2 N (1/(K sqrt n) - sigma)``.
    """
    K = u.shape[1]
    centred = u - xp.mean(u, axis=-1, keepdims=True)
    unit = centred / xp.sqrt(square_norm(xp, centred))[:, None]
    theta = xp.sqrt(n * lambda_A * lambda_F)
    left = 1 / (0 * theta + K) - theta
    left = xp.maximum(left, 0 * left)
    size = 2 * K * left  # e^2/sqrt n
    h = size[:, None, None] * unit[:, :, None] * unit[:, None, :]
    loss = -xp.mean(
        xp.sum(log_probabilities(xp, h) * xp.asarray(np.eye(K))[None], axis=-1), axis=-1
    )
    found = loss + theta * size
    zero = xp.log(0 * theta + K)
    return Judgement((), (Comparison("gain", K * left * left, zero - found),))


_FAMILY = (
    Field("K", (), "integer", least=2),
    Field("n", (), "integer", least=1),
    *DECAYS,
)
_WHOLE = (*POINT, *DECAYS, BIAS_DECAY)

REMARK_GLOBAL_MIN_CE = Statement(
    id="review:remark-global-min-ce",
    kind="remark",
    title="Global minima of regularised cross-entropy are collapsed",
    source=Source("review", "end of Sec. 3.1.3"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "for every regularisation",
            r"For all $\lambda_A, \lambda_F > 0$ a global minimiser satisfies NC, so "
            r"that its class means differ: the margin of the outputs at the minimum, as the "
            r"corrected wording has it, is positive.",
            Claim(always_a_simplex, _FAMILY),
            defect="For K sqrt(n lambda_A lambda_F) >= 1 the global minimiser is zero: all class "
            "means agree, and no directions form a simplex.",
        ),
        Variant(
            "corrected",
            "with the phase transition",
            r"With $\theta = \min(\sqrt{n\lambda_A\lambda_F}, \frac1K)$, $\rho = \theta/"
            r"\sqrt{n\lambda_A\lambda_F}$ and $p_k$ the probabilities $\theta$ for wrong classes, "
            r"for every point with $m \ge 1$: $\hat R_{CEr} = H(p_1) + \frac1N\sum KL(p_k, "
            r"\mathrm{softmax}(h_{ki})) + \rho(\frac{\lambda_A}2K|\bar a|^2 + \frac{\lambda_F}2\sum"
            r"|f_{ki} - \mu_k|^2 + \frac n2\sum|\sqrt{\lambda_F}\mu_k - \sqrt{\lambda_A/n}(a_k - "
            r"\bar a)|^2) + (1-\rho)(\frac{\lambda_A}2|A|^2 + \frac{\lambda_F}2|F|^2) + "
            r"\frac{\lambda_b}2|b|^2$. The minimum is $H(p_1) = -(1-(K-1)\theta)\log(1-(K-1)\theta)"
            r" - (K-1)\theta\log\theta$, attained for $m \ge K - 1$: below the threshold "
            r"$K\sqrt{n\lambda_A\lambda_F} < 1$ by a self-dual simplex of margin $\log(\frac1\theta"
            r" - K + 1)$ and no other point, from there on by zero alone (up to a constant bias "
            r"for $\lambda_b = 0$).",
            Claim(everywhere, _WHOLE, POINT_SIZES),
            (
                Bound("least risk", least_risk, "value"),
                Bound("probability of a wrong class", wrong_probability, "value"),
                Bound("margin at the minimum", least_margin, "value"),
                Bound("norm of the weights at the minimum", least_weight_norm, "value"),
            ),
            remark="Every term must vanish at a minimiser: the second square is NC1, the third "
            "self-duality NC3, and the divergence then fixes the Gram matrix, NC2. A bias has to "
            "be a multiple of 1.",
        ),
        Variant(
            "sharp",
            "near the minimum, near collapse",
            r"At every point: $\rho(\frac{\lambda_A}2K|\bar a|^2 + \frac{\lambda_F}2\sum|f_{ki} - "
            r"\mu_k|^2 + \frac n2\sum|\sqrt{\lambda_F}\mu_k - \sqrt{\lambda_A/n}(a_k - \bar a)|^2) "
            r"+ \frac1{2N}\sum|\mathrm{softmax}(h_{ki}) - p_k|_1^2 + (1-\rho)(\frac{\lambda_A}2"
            r"|A|^2 + \frac{\lambda_F}2|F|^2) + \frac{\lambda_b}2|b|^2 \le \hat R_{CEr} - H(p_1)$.",
            Claim(proximity, _WHOLE, POINT_SIZES),
        ),
        Variant(
            "sharp",
            "features of any dimension leave zero at the same threshold",
            r"For $K\sqrt{n\lambda_A\lambda_F} < 1$ and every $m \ge 1$ the minimum is at most "
            r"$\log K - K(\frac1K - \sqrt{n\lambda_A\lambda_F})^2$: on a line, along any $u \ne 0$ "
            r"with sum zero. So zero is a global minimiser if and only if $K\sqrt{n\lambda_A"
            r"\lambda_F} \ge 1$, whatever $m$.",
            Claim(
                one_dimension,
                (Field("u", ("K",)), Field("n", (), "integer", least=1), *DECAYS),
                {"K": (2, 5)},
            ),
            remark="For m < K - 1 the minimum is above the closed form, by an amount for which no "
            "closed form is known.",
        ),
    ),
)

STATEMENTS = (REMARK_GLOBAL_MIN_CE,)
