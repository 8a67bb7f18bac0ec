"""Table 1 of `review`: that NC1 and NC2 imply NC3 and NC4.

NC1 and NC2 speak of the features alone, so what follows for weights and bias depends on how they
were found. The features of class k are all ``mu_k = g + m_k`` with m_k a simplex ETF of length s.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, positive
from ncbounds.theory.collapse_metrics.duality import scaled_to_one
from ncbounds.theory.collapse_metrics.nearest_mean import three_rules
from ncbounds.theory.collapse_metrics.shapes import (
    at_simplex,
    dot,
    identity_matrix,
    norm,
    products,
    simplex_difference,
    square_norm,
    square_sum,
    unit_rows,
)
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

_K = integer("K", "number of classes", "K", at_least=2)
_S = positive("s", "distance of the class means from their mean", "s")
_A = positive("a", "Frobenius norm of the weights", "a")


@formula(_K, _S, _A)
def largest_margin(xp: Any, K: Any, s: Any, a: Any) -> Any:
    """The largest margin of weights of a Frobenius norm on a collapsed simplex ETF."""
    return xp.sqrt(K) * s * a / (K - 1)


def gaps(xp: Any, table: Any) -> Any:
    """Own entry less each other of its row: (B, K, K) to (B, K (K-1))."""
    K = table.shape[1]
    found = [table[:, k, k] - table[:, k, j] for k in range(K) for j in range(K) if j != k]
    return xp.stack(found, axis=1)


def all_gaps(xp: Any, row: Any) -> Any:
    """Entry less each other entry: (B, K) to (B, K (K-1))."""
    K = row.shape[1]
    found = [row[:, k] - row[:, j] for k in range(K) for j in range(K) if j != k]
    return xp.stack(found, axis=1)


def any_separating_weights(xp: Any, *, mirrors: Any, alpha: Any, z: Any, theta: Any) -> Judgement:
    """Weights M + z, with z too small to cause an error, at a collapsed simplex ETF."""
    m, square = at_simplex(xp, mirrors, alpha)
    size = xp.sqrt(square_sum(xp, z) * 2)
    a = m + z * (theta * xp.sqrt(square) / size)[:, None, None]
    margin = xp.min(gaps(xp, products(xp, m, a)), axis=-1)
    away = square_sum(xp, simplex_difference(xp, products(xp, a, unit_rows(xp, m))))
    return Judgement(
        (Comparison("no training error", 0 * margin, margin),),
        (Comparison("NC3", away, 0 * away),),
    )


def without_bias(xp: Any, *, m: Any, offset: Any) -> Judgement:
    """Two collapsed classes at ``offset +- m``, weights ``+-m``, no bias."""
    f = xp.stack([(offset + m)[:, None], (offset - m)[:, None]], axis=1)
    a = xp.stack([m, -m], axis=1)
    nc4, _, _ = three_rules(xp, f, a, 0 * a[..., 0])
    return Judgement((), (Comparison("NC4", nc4, 0 * nc4),))


def least_squares(
    xp: Any, *, mirrors: Any, alpha: Any, offset: Any, decay: Any, other: Any, x: Any
) -> Judgement:
    """The least mean squared error with weight decay and a free bias, on a collapsed simplex."""
    m, square = at_simplex(xp, mirrors, alpha)
    K = m.shape[1]
    means = m + offset[:, None, :]
    t = 1 / (K * (square / (K - 1) + decay))
    a = t[:, None, None] * m
    b = (0 * a[..., 0] + 1) / K - dot(xp, a, offset[:, None, :])

    def outputs(weights: Any, bias: Any) -> Any:
        errors = products(xp, means, weights) + bias[:, None, :]
        return errors - identity_matrix(xp, errors)

    def risk(weights: Any, bias: Any) -> Any:
        return (square_sum(xp, outputs(weights, bias)) / K + decay * square_sum(xp, weights)) / 2

    errors = outputs(a, b)
    slope = xp.matmul(xp.matrix_transpose(errors), means) / K + decay[:, None, None] * a
    bias_slope = xp.mean(errors, axis=1)
    moved_bias = b + other[..., 0]
    reach = square_norm(xp, x[:, None, :] - means)
    logits = dot(xp, a, x[:, None, :]) + b
    distances = -all_gaps(xp, reach) * (t / 2)[:, None]
    return Judgement(
        (),
        (
            Comparison("slope in the weights", slope, 0 * slope, "="),
            Comparison("slope in the bias", bias_slope, 0 * bias_slope, "="),
            Comparison("least", risk(a, b), risk(a + other, moved_bias)),
            Comparison("NC3", scaled_to_one(xp, a), scaled_to_one(xp, m), "="),
            Comparison("NC4", all_gaps(xp, logits), distances, "="),
        ),
    )


def widest_margin(xp: Any, *, mirrors: Any, alpha: Any, offset: Any, a: Any, b: Any) -> Judgement:
    """The least margin of any last layer on a collapsed simplex, beside its norm and alignment."""
    m, square = at_simplex(xp, mirrors, alpha)
    K, s = m.shape[1], xp.sqrt(square)
    means = m + offset[:, None, :]
    margin = xp.min(gaps(xp, products(xp, means, a) + b[:, None, :]), axis=-1)
    size = norm(xp, xp.reshape(a, (-1, K * a.shape[2])))
    inner = xp.sum(dot(xp, a, m), axis=-1)
    bias = -dot(xp, m, offset[:, None, :])
    number = 0 * s + K
    bound = largest_margin(xp, K=number, s=s, a=size)
    aligned = gaps(xp, products(xp, means, m) + bias[:, None, :])
    ideal = largest_margin(xp, K=number, s=s, a=s * xp.sqrt(number))
    return Judgement(
        (),
        (
            Comparison("margin", margin, bound),
            Comparison("alignment", margin / bound, inner / (size * s * xp.sqrt(number))),
            Comparison("attained", aligned, 0 * aligned + ideal[:, None], "="),
        ),
    )


_SIMPLEX = (Field("mirrors", ("rank", "d")), Field("alpha", (), "positive"))
_OFFSET = Field("offset", ("d",))
_ROOM = {
    "d": lambda sizes: max(sizes["d"], sizes["rank"]),
    "K": lambda sizes: sizes["rank"] + 1,
}
_SIZES = {"rank": (1, 3), "d": (1, 3)}

NC12_IMPLY_NC34 = Statement(
    id="review:remark-nc12-imply-nc34",
    kind="remark",
    title="NC1 and NC2 imply NC3 and NC4",
    source=Source("review", "Table 1, footnote 6"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "NC3, of any weights that make no training error",
            r"If the features are collapsed to a simplex ETF and the last layer makes no training "
            r"error then $\mathcal{NC}_3 = 0$.",
            Claim(
                any_separating_weights,
                (*_SIMPLEX, Field("z", ("K", "d")), Field("theta", (), "proportion")),
                {"rank": (1, 2), "d": (1, 2)},
                _ROOM,
            ),
            defect="NC1 and NC2 say nothing of the weights, and many weights separate a simplex. "
            "The paper cites the claim, where the last layer is assumed to be the best for its "
            "features; that is the corrected wording.",
        ),
        Variant(
            "printed",
            "NC4, of any bias",
            r"If moreover the weights are the centred class means then $\mathcal{NC}_4 = 0$.",
            Claim(without_bias, (Field("m", ("d",)), _OFFSET), {"d": (1, 2)}),
            defect="The bias must take the global mean off. The claim takes two classes at "
            "g + m and g - m with weights m, -m and no bias: both are given to one class where "
            "<g, m> is larger than |m|^2.",
        ),
        Variant(
            "corrected",
            "least squares with weight decay",
            r"On features collapsed to a simplex ETF the least $\frac1{2N}|AF + b1^\top - Y|_F^2 + "
            r"\frac\lambda2|A|_F^2$, $\lambda \ge 0$, is attained by $a_k = t(\mu_k - \mu_G)$, "
            r"$t = \frac1K\bigl(\frac{s^2}{K-1} + \lambda\bigr)^{-1}$, $b = \frac1K1 - A\mu_G$. So "
            r"$\frac A{|A|_F} = \frac M{|M|_F}$, and at every $x$ the logits of two classes differ "
            r"by $\frac t2$ times the difference of the squared distances from their means.",
            Claim(
                least_squares,
                (
                    *_SIMPLEX,
                    _OFFSET,
                    Field("decay", (), "nonnegative"),
                    Field("other", ("K", "d")),
                    Field("x", ("d",)),
                ),
                _SIZES,
                _ROOM,
            ),
            remark="Unique for lambda > 0, as the risk is then strictly convex. NC4 holds for "
            "test points too: the last layer is the rule of the nearest class mean.",
        ),
        Variant(
            "corrected",
            "the widest margin",
            r"On features collapsed to a simplex ETF the least margin $\gamma$ of any last layer "
            r"is at most $\frac{\sqrt Ks}{K-1}|A|_F$, and $\gamma$ over this bound is at most the "
            r"cosine of $A$ and the centred class means, stacked. The bound is attained by the "
            r"class means with $b = -A\mu_G$.",
            Claim(
                widest_margin,
                (*_SIMPLEX, _OFFSET, Field("a", ("K", "d")), Field("b", ("K",))),
                _SIZES,
                _ROOM,
            ),
            (Bound("margin on a collapsed simplex ETF", largest_margin, "upper"),),
            remark="So a last layer with the largest margin for its norm, to which gradient "
            "descent on cross-entropy tends on fixed separable features, has NC3 exactly, and one "
            "with nearly the largest margin nearly.",
        ),
    ),
)

STATEMENTS = (NC12_IMPLY_NC34,)
