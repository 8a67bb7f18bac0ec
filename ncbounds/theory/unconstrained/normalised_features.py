r"""Batch normalisation, a ReLU and weight decay on unconstrained features: (60) to (64).

Row j of the features, over all N = Kn samples, is centred, divided by its norm, multiplied by
gamma_j and shifted by v_j/sqrt(N). The risk is ``1/2 |A (F_BN)_+ - Y|^2 + lambda/2 sum_j (gamma_j^2
+ v_j^2 + |a_j|^2)`` with the columns a_j of A. Its minima are known in closed form for any number m
of rows: one row for each class, on the ray of its label, of a squared length sqrt(n) - lambda, down
to zero at lambda = sqrt(n).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ncbounds.arithmetic.formula import formula, integer, positive
from ncbounds.theory.square_loss.flow import against, equal
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
from ncbounds.theory.unconstrained.square_model import one_hot, squares

_K = integer("K", "classes", "K", 2)
_N = integer("n", "samples of a class", "n", 1)
_M = integer("m", "rows of the features", "m", 1)
_LAMBDA = positive("lambda", "weight decay", r"\lambda")

# -- (60): batch normalisation ---------------------------------------------------------------------


def batch_norm(xp: Any, F: Any, gamma: Any, v: Any) -> Any:
    """(60) for rows F (B, m, K, n) over all samples; undefined for a row that is constant."""
    K, n = F.shape[2:]
    off = F - xp.mean(xp.mean(F, axis=3), axis=2)[:, :, None, None]
    lengths = xp.sqrt(xp.sum(off * off, axis=(2, 3)))
    shift = v / xp.sqrt(0 * v + K * n)
    return off / lengths[..., None, None] * gamma[..., None, None] + shift[..., None, None]


def rows_claim(xp: Any, *, F: Any, gamma: Any, v: Any, scale: Any) -> Judgement:
    """What (60) makes of a row: mean and norm, whatever the row's own scale."""
    N = F.shape[2] * F.shape[3]
    found = batch_norm(xp, F, gamma, v)
    means = xp.mean(xp.mean(found, axis=3), axis=2)
    norms = xp.sum(found * found, axis=(2, 3))
    moved = batch_norm(xp, F * scale[..., None, None], gamma, v)
    return Judgement(
        (),
        (
            against(xp, "mean", means, v / xp.sqrt(0 * v + N), v * v + gamma * gamma),
            equal("square norm", norms, gamma * gamma + v * v),
            against(xp, "scale is lost", moved, found, found),
        ),
    )


# -- (61), (62): the optimum -----------------------------------------------------------------------


def labels(xp: Any, K: int, n: int) -> Any:
    """Y with the samples by class, (1, K, K, n)."""
    return xp.reshape(xp.asarray(np.repeat(np.eye(K), n, axis=1)), (1, K, K, n))


def outputs(xp: Any, A: Any, rows: Any) -> Any:
    """A times the positive parts of normalised rows: (B, K, K, n)."""
    kept = xp.maximum(rows, 0 * rows)
    return xp.sum(A[:, :, :, None, None] * kept[:, None, :, :, :], axis=2)


def decayed_risk(xp: Any, A: Any, F: Any, gamma: Any, v: Any, lambda_: Any) -> Any:
    """The risk of (61) for A (B, K, m): (B,)."""
    K, n = F.shape[2:]
    off = outputs(xp, A, batch_norm(xp, F, gamma, v)) - labels(xp, K, n)
    decay = squares(xp, gamma) + squares(xp, v) + squares(xp, A)
    return (squares(xp, off) + lambda_ * decay) / 2


@formula(_K, _N, _M, _LAMBDA)
def least_risk(xp: Any, K: Any, n: Any, m: Any, lambda_: Any) -> Any:
    """The least value of (61)."""
    used, share = xp.minimum(K, m), xp.minimum(lambda_, xp.sqrt(n))
    return used * share * (2 * xp.sqrt(n) - share) / 2 + (K - used) * n / 2


@formula(_N, _LAMBDA)
def squared_length(xp: Any, n: Any, lambda_: Any) -> Any:
    """gamma_j^2 + v_j^2 = |a_j|^2 at the least value of (61); zero from lambda = sqrt(n)."""
    return xp.maximum(xp.sqrt(n) - lambda_, 0 * lambda_)


def printed_shape(xp: Any, K: int, like: Any) -> tuple[Any, Any]:
    """gamma_j and v_j of (62), which do not depend on n: (B, K) each."""
    one = 0 * like[:, None] + 1 + 0 * xp.asarray(np.zeros((1, K)))
    return xp.sqrt(one - one / K), xp.sqrt(one / K)


def optimum(xp: Any, F: Any, lambda_: Any) -> tuple[Any, Any, Any, Any]:
    """A, F, gamma and v where (61) is least; rows beyond K keep the given features and are zero."""
    m, K, n = F.shape[1:]
    used = min(m, K)
    length = xp.sqrt(squared_length(xp, n=0 * lambda_ + n, lambda_=lambda_))
    scales, shifts = printed_shape(xp, K, lambda_)
    on = xp.asarray(np.where(np.arange(m) < used, 1.0, 0.0)[None])
    places = xp.asarray(np.eye(m, K)[None])
    rows = xp.sum(places[..., None, None] * labels(xp, K, n), axis=2)
    own = on[:, :, None, None]
    gamma = on * (length * scales[:, 0])[:, None]
    v = on * (length * shifts[:, 0])[:, None]
    A = xp.asarray(np.eye(K, m)[None]) * length[:, None, None]
    return A, rows * own + F * (1 - own), gamma, v


def optimum_claim(xp: Any, *, A: Any, F: Any, gamma: Any, v: Any, lambda_: Any) -> Judgement:
    """No point is below the least value, and one attains it."""
    m, K, n = F.shape[1:]
    one = 0 * lambda_ + 1
    least = least_risk(xp, K=one * K, n=one * n, m=one * m, lambda_=lambda_)
    there = decayed_risk(xp, *optimum(xp, F, lambda_), lambda_)
    return Judgement(
        (),
        (
            Comparison("lower bound", least, decayed_risk(xp, A, F, gamma, v, lambda_)),
            equal("attained", there, least),
        ),
    )


def product_penalty_claim(
    xp: Any, *, A: Any, F: Any, gamma: Any, v: Any, lambda_: Any
) -> Judgement:
    """The same with the penalty lambda sum |a_j| (gamma_j^2 + v_j^2)^(1/2), least at (62)."""
    m, K, n = F.shape[1:]
    one = 0 * lambda_ + 1
    least = least_risk(xp, K=one * K, n=one * n, m=one * m, lambda_=lambda_)

    def value(A: Any, F: Any, gamma: Any, v: Any) -> Any:
        off = outputs(xp, A, batch_norm(xp, F, gamma, v)) - labels(xp, K, n)
        lengths = xp.sqrt(gamma * gamma + v * v) * xp.sqrt(xp.sum(A * A, axis=1))
        return squares(xp, off) / 2 + lambda_ * xp.sum(lengths, axis=-1)

    best, rows, _, _ = optimum(xp, F, lambda_)
    scales, shifts = printed_shape(xp, K, lambda_)
    ones = 0 * gamma + 1
    length = xp.sqrt(squared_length(xp, n=one * n, lambda_=lambda_))[:, None, None]
    there = value(best * length, rows, ones * scales[:, :1], ones * shifts[:, :1])
    return Judgement(
        (),
        (
            Comparison("lower bound", least, value(A, F, gamma, v)),
            equal("attained", there, least),
        ),
    )


def near_optimum_claim(xp: Any, *, A: Any, F: Any, gamma: Any, v: Any, lambda_: Any) -> Judgement:
    """With m >= K: outputs and lengths of any point are as near the optimum as its risk."""
    m, K, n = F.shape[1:]
    one = 0 * lambda_ + 1
    least = least_risk(xp, K=one * K, n=one * n, m=one * m, lambda_=lambda_)
    rows = batch_norm(xp, F, gamma, v)
    share = squared_length(xp, n=one * n, lambda_=lambda_) / xp.sqrt(one * n)
    off = outputs(xp, A, rows) - share[:, None, None, None] * labels(xp, K, n)
    lengths = xp.sqrt(gamma * gamma + v * v), xp.sqrt(xp.sum(A * A, axis=1))
    gap = lengths[0] - lengths[1]
    needed = (squares(xp, off) + lambda_ * squares(xp, gap)) / 2
    return Judgement(
        (Comparison("enough rows", one * K, one * m),),
        (Comparison("gap", least + needed, decayed_risk(xp, A, F, gamma, v, lambda_)),),
    )


def printed_optimum_claim(xp: Any, *, scale: Any, weight: Any, lambda_: Any, F: Any) -> Judgement:
    """(62) with its best weights against multiples of itself; `F` only lends its shape."""
    K, n = F.shape[1:]
    gamma, v = printed_shape(xp, K, lambda_)
    rows = labels(xp, K, n) + 0 * F[:, None]
    eye = xp.reshape(one_hot(xp, K), (1, K, K))
    best = xp.sqrt(0 * lambda_ + n) / (1 + lambda_)
    here = decayed_risk(xp, eye * best[:, None, None], rows, gamma, v, lambda_)
    s = scale[:, None]
    there = decayed_risk(xp, eye * weight[:, None, None], rows, gamma * s, v * s, lambda_)
    return Judgement((), (Comparison("least", here, there),))


# -- (63), (64): the features at the optimum -------------------------------------------------------


def printed_features(xp: Any, K: Any, n: Any) -> tuple[Any, Any, Any]:
    """Entries of a row of (63): at samples of its class and at others, and the norm divided by."""
    N = K * n
    own, other = 1 - 1 / K, -1 / K
    length = xp.sqrt(n * own * own + (N - n) * other * other)
    gamma, v = length / xp.sqrt(n), n / (xp.sqrt(N) * xp.sqrt(n))
    shift = v / xp.sqrt(N)
    return own / length * gamma + shift, other / length * gamma + shift, length


def features_claim(xp: Any, *, K: Any, n: Any) -> Judgement:
    """(63) for the first K rows."""
    own, other, _ = printed_features(xp, K, n)
    return Judgement(
        (),
        (equal("own class", own, xp.sqrt(1 / n)), equal("other classes", other + 1, 0 * other + 1)),
    )


def all_rows_claim(xp: Any, *, K: Any, n: Any, extra: Any) -> Judgement:
    """(63) for m = K + extra rows: each must have a norm to divide by."""
    _, _, length = printed_features(xp, K, n)
    nothing = 0 * length  # the norm of a row of zeros, centred
    divisible = xp.is_positive(length) * K + xp.is_positive(nothing) * extra
    return Judgement((), (equal("rows with a norm to divide by", divisible, K + extra),))


def centred_claim(as_typeset: bool) -> Any:
    """Return the claim of (64); as typeset the last matrix is I (x) 1 - 1 1^T/K, N by K."""

    def judge(xp: Any, *, K: Any, n: Any) -> Judgement:
        N = K * n
        own, other, _ = printed_features(xp, K, n)
        mean = (own * n + other * (N - n)) / N
        root = xp.sqrt(K / N)
        # The mean of a class has K - 1 equal entries beside its own.
        first, second = own - mean, other - mean
        square = first * first + (K - 1) * second * second
        product = 2 * first * second + (K - 2) * second * second
        shapes = (equal("number of rows", K, N),) if as_typeset else ()
        return Judgement(
            (),
            (
                *shapes,
                equal("own class", first, root * (1 - 1 / K)),
                equal("other classes", second, -root / K),
                equal("squared norms of the means", square, (1 - 1 / K) / n),
                equal("their cosines", product * (K - 1), -square),
            ),
        )

    return judge


_CONFIGURATION = (
    Field("A", ("C", "m")),
    Field("F", ("m", "C", "n")),
    Field("gamma", ("m",)),
    Field("v", ("m",)),
    Field("lambda_", (), "positive"),
)
_NUMBERS = (Field("K", (), "integer", least=2), Field("n", (), "integer", least=1))
_RISK = (
    r"$\frac12\|A(F_{BN})_+ - Y\|^2 + \frac\lambda2\sum_j(\gamma_j^2 + v_j^2 + |a_j|^2)$, $a_j$ "
    r"the columns of $A$,"
)

EQ_60 = Statement(
    id="review:eq-60",
    kind="equation",
    title="Batch normalisation of unconstrained features",
    source=Source("review", "A.4, (60)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "rows that are not constant",
            r"$(F_{BN})_j = \frac{(I - \frac1N11^\top)F_j}{\|(I - \frac1N11^\top)F_j\|}\gamma_j + "
            r"\frac1{\sqrt N}v_j$ has the mean $\frac{v_j}{\sqrt N}$ and the squared norm "
            r"$\gamma_j^2 + v_j^2$, and does not change when $F_j$ is multiplied by a positive "
            r"number.",
            Claim(
                rows_claim,
                (
                    *_CONFIGURATION[1:4],
                    Field("scale", ("m",), "positive"),
                ),
                {"m": (1, 2), "C": (2, 3), "n": (1, 2)},
            ),
        ),
    ),
)

EQ_61 = Statement(
    id="review:eq-61",
    kind="equation",
    title="Optimum of the square error with batch normalisation and weight decay",
    source=Source("review", "A.4, (61), (62)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "(62) minimises (61), with the best weights",
            rf"{_RISK} is least at $\gamma_j^* = \frac{{\|y_j - \frac1N11^\top y_j\|}}"
            r"{\|y_j\|}$, $v_j^* = \frac{1^\top y_j}{\sqrt N\|y_j\|}$, $F^* = Y$, among the "
            r"multiples of this configuration.",
            Claim(
                printed_optimum_claim,
                (
                    Field("scale", (), "positive"),
                    Field("weight", (), "positive"),
                    Field("lambda_", (), "positive"),
                    Field("F", ("C", "n")),
                ),
                {"C": (2, 3), "n": (1, 3)},
            ),
            defect="(62) has gamma_j^2 + v_j^2 = 1. The cited theorem is for that constraint and "
            "the penalty lambda sum |a_j|; under (61) lengths and weights share, and the squared "
            "length is sqrt(n) - lambda. (62) is right for lambda = sqrt(n) - 1 alone; else it is "
            "worse by K lambda (sqrt(n) - 1 - lambda)^2/(2 (1 + lambda)) while lambda <= sqrt(n).",
        ),
        Variant(
            "corrected",
            "any number of rows, any weight decay",
            rf"{_RISK} is least, for any $m \ge 1$, at $\ell\gamma_j^*$, $\ell v_j^*$, $F_j = y_j$ "
            r"and $a_j = \ell e_j$ for $j \le \min(K, m)$, with $\ell^2 = (\sqrt n - \lambda)_+$, "
            r"and zero for the other $j$. With $\tau = \min(\lambda, \sqrt n)$ its value is "
            r"$\min(K, m)(\tau\sqrt n - \frac{\tau^2}2) + (K - m)_+\frac n2$.",
            Claim(optimum_claim, _CONFIGURATION, {"C": (2, 3), "m": (1, 4), "n": (1, 2)}),
            (
                Bound("least risk", least_risk, "value"),
                Bound("squared length of a row", squared_length, "value"),
            ),
            remark="From lambda = sqrt(n) on all is zero. For m < K the other K - m classes are "
            "given up. No row of features may be constant, as (60) divides by its spread.",
        ),
        Variant(
            "corrected",
            "(62) with the penalty of the cited theorem",
            r"$\frac12\|A(F_{BN})_+ - Y\|^2 + \lambda\sum_j|a_j|\sqrt{\gamma_j^2 + v_j^2}$, the "
            r"penalty $\lambda\sum_j|a_j|$ where $\gamma_j^2 + v_j^2 = 1$, is least at (62) with "
            r"$a_j = (\sqrt n - \lambda)_+e_j$ for $j \le \min(K, m)$ and $a_j = 0$ else; "
            r"its value is that of the other correction.",
            Claim(product_penalty_claim, _CONFIGURATION, {"C": (2, 3), "m": (1, 4), "n": (1, 2)}),
            (Bound("least risk", least_risk, "value"),),
            remark="Halving (gamma^2 + v^2 + |a|^2) is the product of the two lengths at best.",
        ),
        Variant(
            "sharp",
            "how near the optimum a small risk is",
            r"For $m \ge K$ every point has a risk of at least the least value plus "
            r"$\frac12\|A(F_{BN})_+ - (1 - \frac\tau{\sqrt n})Y\|^2 + \frac\lambda2\sum_j"
            r"(\sqrt{\gamma_j^2 + v_j^2} - |a_j|)^2$.",
            Claim(
                near_optimum_claim,
                _CONFIGURATION,
                {"C": (2, 3), "m": (2, 4), "n": (1, 2)},
            ),
            remark="So all minima have the outputs (1 - tau/sqrt(n)) Y. For lambda < sqrt(n) rows "
            "are then non-negative and equal on classes, with disjoint supports: the features "
            "collapse to an orthogonal frame, and centred to a simplex.",
        ),
    ),
)

EQ_63 = Statement(
    id="review:eq-63",
    kind="equation",
    title="Normalised features at the optimum",
    source=Source("review", "A.4, (63)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the first K rows",
            r"(60) at (62) gives $(F_{BN}^*)_j = \sqrt{\frac KN}y_j$ for $j \le K$: "
            r"$\frac1{\sqrt n}$ at the samples of class $j$ and $0$ elsewhere.",
            Claim(features_claim, _NUMBERS),
        ),
        Variant(
            "printed",
            "all m rows, each by the displayed quotient",
            r"The quotient gives all rows of $F_{BN}^*$, $j \le m$: each has a norm to divide by.",
            Claim(all_rows_claim, (*_NUMBERS, Field("extra", (), "integer", least=0))),
            defect="A row of zeros has no spread: for m > K it is 0/0, and (62) defines no "
            "gamma_j and v_j there. With gamma_j = v_j = 0, and any row that is not constant in "
            "place of the zeros, the row of F_BN is zero as printed.",
        ),
    ),
)

EQ_64 = Statement(
    id="review:eq-64",
    kind="equation",
    title="Centred features at the optimum",
    source=Source("review", "A.4, (64)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "as typeset",
            r"$F_{BN}^*(I - \frac1N11^\top) = \sqrt{\frac KN}(I_K \otimes 1_n - \frac1K"
            r"1_N1_K^\top)$, $m = K$: both sides have as many rows.",
            Claim(centred_claim(as_typeset=True), _NUMBERS),
            defect="The right-hand side is transposed: it has N rows, the left has K.",
        ),
        Variant(
            "corrected",
            "the last matrix transposed, and the simplex",
            r"$F_{BN}^*(I - \frac1N11^\top) = \sqrt{\frac KN}(I_K \otimes 1_n^\top - \frac1K"
            r"1_K1_N^\top)$: every feature of class $k$ is $\sqrt{\frac KN}(e_k - \frac1K1)$, of "
            r"squared norm $\frac1n(1 - \frac1K)$, with cosines $-\frac1{K-1}$.",
            Claim(centred_claim(as_typeset=False), _NUMBERS),
            remark="Not rotated: it is the standard simplex, scaled. Before centring the features "
            "are an orthogonal frame.",
        ),
    ),
)

STATEMENTS = (EQ_60, EQ_61, EQ_63, EQ_64)
