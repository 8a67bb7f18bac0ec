"""NC3 (`review`, (8)): what the product of weights and class means says of self-duality.

M has the unit directions of the centred class means as rows, A the weights. The paper asks for
``A/|A| = M/|M|`` and measures how far ``A M^T`` is from the Gram matrix of a simplex ETF.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, proportion
from ncbounds.theory.collapse_metrics.shapes import (
    at_simplex,
    centred_rows,
    joined,
    norm,
    products,
    simplex_difference,
    simplex_distance,
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
_X = nonnegative("x", "the square of the metric (8)", "x")
_SHARE = proportion("q", "share of |A|^2 in the span of the centred class means", "q")


@formula(_X, _SHARE)
def distance_of_layers(xp: Any, x: Any, q: Any) -> Any:
    """Squared distance of A/|A| from M/|M| at a simplex ETF."""
    return 2 - (2 - x) * xp.sqrt(q)


@formula(_K, _X)
def spread_of_norms(xp: Any, K: Any, x: Any) -> Any:
    """Upper bound on the share of the squared norms of class means that is their spread."""
    return (K - 1) * x


def scaled_to_one(xp: Any, matrix: Any) -> Any:
    """A matrix over its Frobenius norm."""
    return matrix / xp.sqrt(square_sum(xp, matrix))[:, None, None]


def aligned(xp: Any, *, mirrors: Any, alpha: Any, scale: Any) -> Judgement:
    """Weights that are a positive multiple of the class means, at a simplex ETF."""
    means, _ = at_simplex(xp, mirrors, alpha)
    M = unit_rows(xp, means)
    difference = simplex_difference(xp, products(xp, scale[:, None, None] * means, M))
    return Judgement((), (Comparison("NC3", difference, 0 * difference, "="),))


def aligned_in_part(xp: Any, *, mirrors: Any, alpha: Any, z: Any) -> Judgement:
    """Weights (M, z) beside class means (M, 0): the product does not see z."""
    means, _ = at_simplex(xp, mirrors, alpha)
    M = unit_rows(xp, means)
    apart = scaled_to_one(xp, joined(xp, M, z)) - scaled_to_one(xp, joined(xp, M, 0 * z))
    distance = square_sum(xp, apart)
    return Judgement((), (Comparison("self-duality", distance, 0 * distance),))


def distance_at_simplex(xp: Any, *, mirrors: Any, alpha: Any, a: Any) -> Judgement:
    """Any weights beside class means at a simplex ETF; P projects onto the span of the latter."""
    means, _ = at_simplex(xp, mirrors, alpha)
    M, K = unit_rows(xp, means), means.shape[1]
    projected = xp.matmul(a, xp.matmul(xp.matrix_transpose(M), M)) * (K - 1) / K
    x = simplex_distance(xp, products(xp, a, M))
    of_span = square_sum(xp, scaled_to_one(xp, projected) - scaled_to_one(xp, M))
    whole = square_sum(xp, scaled_to_one(xp, a) - scaled_to_one(xp, M))
    share = square_sum(xp, projected) / square_sum(xp, a)
    return Judgement(
        (),
        (
            Comparison("in the span", x, of_span, "="),
            Comparison("self-duality", whole, distance_of_layers(xp, x=x, q=share), "="),
        ),
    )


def equal_norms(xp: Any, *, mu: Any, a: Any) -> Judgement:
    """Norms of the class means, from (8) with any weights whatever."""
    m = centred_rows(xp, mu)
    K, r = m.shape[1], norm(xp, m)
    x = simplex_distance(xp, products(xp, a, unit_rows(xp, m)))
    away = r - xp.mean(r, axis=-1)[:, None]
    share = xp.sum(away * away, axis=-1) / xp.sum(r * r, axis=-1)
    bound = spread_of_norms(xp, K=0 * x + K, x=x)
    return Judgement((), (Comparison("spread of norms", share, bound),))


_SIMPLEX = (Field("mirrors", ("rank", "d")), Field("alpha", (), "positive"))
_ROOM = {
    "d": lambda sizes: max(sizes["d"], sizes["rank"]),
    "K": lambda sizes: sizes["rank"] + 1,
}

EQ_8 = Statement(
    id="review:eq-8",
    kind="equation",
    title="NC3, distance of weights times class means from a simplex ETF",
    source=Source("review", "(8)"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "zero where weights are aligned with a simplex ETF",
            r"If the class means are a simplex ETF and $A$ is a positive multiple of them, "
            r"$\mathcal{NC}_3 = 0$.",
            Claim(
                aligned,
                (*_SIMPLEX, Field("scale", (), "positive")),
                {"rank": (1, 3), "d": (1, 4)},
                {"d": _ROOM["d"]},
            ),
            remark="The metric `nc3.etf`. Where A is a multiple of M it equals NC2, so it is not "
            "zero unless NC2 is: it measures more than alignment.",
        ),
        Variant(
            "printed",
            "zero means that weights are aligned",
            r"$\mathcal{NC}_3 = 0$ implies $\frac A{|A|_F} = \frac M{|M|_F}$, at a simplex ETF of "
            r"class means too.",
            Claim(
                aligned_in_part,
                (*_SIMPLEX, Field("z", ("K", "q"))),
                {"rank": (1, 2), "d": (1, 2), "q": (1, 1)},
                _ROOM,
            ),
            defect="A M^T sees of A only its projection onto the span of the centred class means. "
            "The claim takes weights (M, z) and class means (M, 0), for which A M^T = M M^T.",
        ),
        Variant(
            "corrected",
            "a distance in the span of the class means",
            r"If the class means are a simplex ETF, $P$ projects onto their span, and $AP \ne 0$: "
            r"$\mathcal{NC}_3 = \bigl|\frac{AP}{|AP|_F} - \frac M{|M|_F}\bigr|_F$, and "
            r"$\bigl|\frac A{|A|_F} - \frac M{|M|_F}\bigr|_F^2 = 2 - (2 - \mathcal{NC}_3^2)"
            r"\frac{|AP|_F}{|A|_F}$.",
            Claim(
                distance_at_simplex,
                (*_SIMPLEX, Field("a", ("K", "d"))),
                {"rank": (1, 3), "d": (1, 4)},
                _ROOM,
            ),
            (
                Bound(
                    "squared distance of A/|A| and M/|M| at a simplex ETF",
                    distance_of_layers,
                    "value",
                ),
            ),
            remark="So zero means alignment in the span, and alignment where A has no part across "
            "it: for m = K - 1, or after weight decay. `nc3.distance.directions` is the distance.",
        ),
        Variant(
            "sharp",
            "equal norms, whatever the weights",
            r"For any $A$ with $AM^\top \ne 0$ and $r_k = |\mu_k - \mu_G|$: "
            r"$\sum_k(r_k - \bar r)^2 \le (K-1)\,\mathcal{NC}_3^2\sum_kr_k^2$.",
            Claim(
                equal_norms,
                (Field("mu", ("K", "m")), Field("a", ("K", "m"), like="mu")),
                {"K": (2, 4), "m": (1, 4)},
            ),
            (Bound("spread of the norms of class means", spread_of_norms, "upper", 1),),
            remark="NC3 = 0 implies that the class means have equal norms and span K - 1 "
            "dimensions, not that they are a simplex ETF: for K >= 4 some A serves any such means.",
        ),
    ),
)

STATEMENTS = (EQ_8,)
