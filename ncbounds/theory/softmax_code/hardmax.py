"""The HardMax problem: its optima are Softmax codes, and the features are projection directions.

HardMax(W, H) is the largest ``<w_j - w_k, h_ki>`` over classes k, samples i and other classes j,
for unit w_k and h_ki: the limit of the cross-entropy as the temperature vanishes. The one-vs-rest
distance of w_k is enclosed by any point p_k of the hull of the others, from above, and by the
least gap ``<w_k - w_j, h>`` of any unit direction h, from below; at the projection both agree.
That is all that Theorems 3.2 and 3.5 need, and how far features are from collapse follows from how
far the two sides are apart.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.softmax_code.midpoint import (
    apart,
    least_gaps,
    margin,
    midpoints,
    off_diagonal,
    spread,
    unit,
)
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

# -- one-vs-rest distance -------------------------------------------------------------------------


def hull_points(xp: Any, w: Any, z: Any) -> Any:
    """One point of the hull of the other rows for each: (B, K, d), weights (B, K, K-1).

    Weights count relative to their sum; where all are zero, the point is the mean.
    """
    K = w.shape[1]
    given = xp.is_positive(xp.sum(z, axis=-1, keepdims=True))
    z = z + (1 - given)
    share = z / xp.sum(z, axis=-1, keepdims=True)
    rows = [w[:, [j for j in range(K) if j != k]] for k in range(K)]
    points = [xp.sum(share[:, k, :, None] * rows[k], axis=1) for k in range(K)]
    return xp.stack(points, axis=1)


def exceeded(xp: Any, w: Any, p: Any) -> Any:
    """How far p_k is from a projection: ``max_j <w_j - p_k, e_k>``, e_k the direction of w_k - p_k.

    Zero where p_k is the point of the hull nearest to w_k, and never less; (B, K).
    """
    e = unit(xp, w - p)
    own = dot(xp, p, e)[..., None]
    return xp.max(off_diagonal(xp, xp.matmul(e, xp.matrix_transpose(w)) - own), axis=-1)


def distance_enclosed(xp: Any, *, w: Any, z: Any, h: Any) -> Judgement:
    """Any direction against any point of the hull, and the direction away from that point."""
    p = hull_points(xp, w, z)
    away = norm(xp, w - p)
    return Judgement(
        (),
        (
            Comparison("any direction", least_gaps(xp, w, unit(xp, h)), away),
            Comparison(
                "direction away from the point",
                least_gaps(xp, w, unit(xp, w - p)),
                away - exceeded(xp, w, p),
                "=",
            ),
        ),
    )


_WEIGHTS = Field("w", ("K", "d"))
_HULL = Field("z", ("K", "rivals"), "nonnegative")
_RIVALS = {"rivals": lambda sizes: sizes["K"] - 1}
_SIZES = {"K": (2, 6), "d": (1, 4)}
#: On a line a direction may be opposite to its weight, where there is no midpoint: more dimensions.
_MIDPOINT_SIZES = {"K": (2, 6), "d": (1, 6)}
_FEATURES = Field("h", ("K", "n", "d"), like="w")

DEFINITION_2_1 = Statement(
    id="gnc:definition-2.1",
    kind="definition",
    title="Softmax code and one-vs-rest distance",
    source=Source("gnc", "Definition 2.1, (3)"),
    topic="hardmax",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"$\rho_{\text{one-vs-rest}}(W) = \min_k \mathrm{dist}(w_k, \mathrm{conv}\{w_j : j \ne "
            r"k\})$ for K unit vectors in $\mathbb R^d$; a Softmax code maximises it.",
            remark="Needs K >= 2. The maximum exists, the distance being continuous on a compact "
            "set. It is zero exactly where two vectors are equal: each unit vector is an extreme "
            "point of the ball. So it is positive for some code unless d = 1 and K >= 3.",
        ),
        Variant(
            "sharp",
            "enclosed from both sides",
            r"For any vectors $w_k$, any unit $h_k$ and any $p_k$ in the hull of the others: "
            r"$\min_{j\ne k}\langle w_k - w_j, h_k\rangle \le |w_k - p_k|$, and with $e_k$ the "
            r"direction of $w_k - p_k$ the left side is $|w_k - p_k| - \max_j\langle w_j - p_k, "
            r"e_k\rangle$. Both sides are the distance where $p_k$ is the projection.",
            Claim(
                distance_enclosed,
                (_WEIGHTS, _HULL, Field("h", ("K", "d"), like="w")),
                _SIZES,
                _RIVALS,
            ),
            remark="So weights of a convex combination certify a distance from above, a direction "
            "from below.",
        ),
    ),
)


# -- Theorem 3.2 ----------------------------------------------------------------------------------


def sample_margins(xp: Any, w: Any, h: Any) -> Any:
    """``min_j <w_k - w_j, h_ki>`` of unit rows: (B, K, d), (B, K, n, d) to (B, K, n)."""
    n = h.shape[2]
    return xp.stack([least_gaps(xp, w, h[:, :, i]) for i in range(n)], axis=2)


def hard_max(xp: Any, w: Any, h: Any) -> Any:
    """HardMax(W, H), the largest ``<w_j - w_k, h_ki>``: (B, K, d), (B, K, n, d) to (B,)."""
    return -xp.min(xp.min(sample_margins(xp, w, h), axis=-1), axis=-1)


def optimal_classifier(xp: Any, *, w: Any, h: Any, z: Any) -> Judgement:
    """HardMax is at least minus any enclosing distance; the directions away reach it."""
    code, features = unit(xp, w), unit(xp, h)
    p = hull_points(xp, code, z)
    away = norm(xp, code - p)
    e = unit(xp, code - p)[:, :, None, :]
    reached = xp.max(exceeded(xp, code, p) - away, axis=-1)
    return Judgement(
        (),
        (
            Comparison("any features", -hard_max(xp, code, features), xp.min(away, axis=-1)),
            Comparison("directions away", hard_max(xp, code, e), reached, "="),
        ),
    )


THEOREM_3_2 = Statement(
    id="gnc:theorem-3.2",
    kind="theorem",
    title="The classifier of an optimal HardMax solution is a Softmax code",
    source=Source("gnc", "Theorem 3.2, (7)"),
    topic="hardmax",
    variants=(
        Variant(
            "printed",
            "an element of the maximisers",
            r"$\min_H \mathrm{HardMax}(W, H) = -\rho_{\text{one-vs-rest}}(W)$, so an optimal $W^*$ "
            r"maximises the distance. For any points $p_k$ of the hulls of the others, $e_k$ the "
            r"direction of $w_k - p_k$: $\mathrm{HardMax}(W, H) \ge -\min_k|w_k - p_k|$ and "
            r"$\mathrm{HardMax}(W, E) = \max_k(\max_j\langle w_j - p_k, e_k\rangle - |w_k - p_k|)$."
            r" At the projections the inner maximum is zero and both are minus the distance.",
            Claim(
                optimal_classifier,
                (_WEIGHTS, _FEATURES, _HULL),
                {**_SIZES, "n": (1, 3)},
                _RIVALS,
            ),
            remark="(7) has an equality sign where membership is meant. For d = 1 and K >= 3 the "
            "optimum is 0: every code then is a Softmax code, and the theorem says nothing.",
        ),
    ),
)


# -- rattlers -------------------------------------------------------------------------------------


def same_rattlers(xp: Any, *, w: Any, h: Any) -> Judgement:
    """A class of large margin has a midpoint without near neighbours; and the converse."""
    m = midpoints(xp, w, h)
    own = least_gaps(xp, m.w, m.h)
    both = (own[:, :, None] + own[:, None, :]) / 2
    nearest = xp.min(apart(xp, m.w), axis=-1)
    return Judgement(
        (),
        (
            Comparison("Softmax to Tammes", off_diagonal(xp, both), apart(xp, m.Y)),
            Comparison("Tammes to Softmax", least_gaps(xp, m.w, m.w), nearest, "="),
        ),
    )


DEFINITION_3_4 = Statement(
    id="gnc:definition-3.4",
    kind="definition",
    title="Rattlers of a Softmax code",
    source=Source("gnc", "Definition 3.4, (8)"),
    topic="hardmax",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"A class k of a Softmax code is a rattler if its one-vs-rest distance is not the "
            r"least one: $\mathrm{dist}(w_k, \mathrm{conv}\{w_j : j \ne k\}) > \rho^*$.",
            remark="The Tammes problem calls a point of an optimal code a rattler if no other is "
            "at the least distance.",
        ),
        Variant(
            "sharp",
            "rattlers of both problems",
            r"With $m_k$ the least gap of class k and $Y$ the midpoints (gnc:sharp-1): "
            r"$1 - \langle Y_k, Y_j\rangle \ge \frac{m_k + m_j}2$; and $h = w$ has $m_k = \min_j"
            r"(1 - \langle w_k, w_j\rangle)$. So a rattler of a Softmax code gives a Tammes-"
            r"optimal code with a rattler at the same class, and a rattler of a Tammes-optimal "
            r"code is one of a Softmax code: for each (d, K) both problems have rattlers or "
            r"neither has.",
            Claim(same_rattlers, (_WEIGHTS, Field("h", ("K", "d"), like="w")), _MIDPOINT_SIZES),
            remark="A point of a Tammes-optimal code that touches others may still rattle as a "
            "Softmax class: it does if it can leave all that it touches at once.",
        ),
    ),
)


# -- Theorem 3.5 ----------------------------------------------------------------------------------


def feature_distance(xp: Any, distance: Any, sample_margin: Any) -> Any:
    """Bound on ``distance |h - e|^2`` for a feature of that margin.

    `distance` is |w_k - p_k| for a point p_k of the hull of the other classes, e the direction of
    w_k - p_k; any shapes that broadcast.
    """
    return 2 * (distance - sample_margin)


def features_near(xp: Any, *, w: Any, h: Any, z: Any) -> Judgement:
    """Features of a large margin are near the direction away from the hull of the others."""
    code, features = unit(xp, w), unit(xp, h)
    p = hull_points(xp, code, z)
    away = norm(xp, code - p)[..., None]
    e = unit(xp, code - p)[:, :, None, :]
    bound = feature_distance(xp, away, sample_margins(xp, code, features))
    return Judgement((), (Comparison("features", away * square_norm(xp, features - e), bound),))


def line_distances(xp: Any, w: Any) -> Any:
    """One-vs-rest distances of numbers, exactly: (B, K, 1) to (B, K)."""
    K, x = w.shape[1], w[..., 0]
    rest = [x[:, [j for j in range(K) if j != k]] for k in range(K)]
    outside = [
        xp.maximum(x[:, k] - xp.max(rest[k], axis=-1), xp.min(rest[k], axis=-1) - x[:, k])
        for k in range(K)
    ]
    return xp.stack([xp.maximum(o, 0 * o) for o in outside], axis=1)


def collapse_on_a_line(xp: Any, *, w: Any, h: Any) -> Judgement:
    """Theorem 3.5 for d = 1: an optimal solution without rattlers has collapsed features."""
    code, features = unit(xp, w), unit(xp, h)
    K = w.shape[1]
    distances = line_distances(xp, code)
    least = xp.min(distances, axis=-1)
    optimum = 0 * least + (2 if K == 2 else 0)
    first = features[:, :, :1, 0]
    return Judgement(
        (
            Comparison("optimal", hard_max(xp, code, features), -optimum),
            Comparison("no rattler", xp.max(distances, axis=-1), least),
        ),
        (
            Comparison(
                "features of a class agree", features[..., 0], first + 0 * features[..., 0], "="
            ),
        ),
    )


THEOREM_3_5 = Statement(
    id="gnc:theorem-3.5",
    kind="theorem",
    title="Features of a class that does not rattle collapse to the projection direction",
    source=Source("gnc", "Theorem 3.5, (9)"),
    topic="hardmax",
    variants=(
        Variant(
            "printed",
            "d = 1 included",
            r"In an optimal solution of HardMax all features of a class that is no rattler are "
            r"$(w_k - p_k)/|w_k - p_k|$, $p_k$ the projection on the hull of the others; for "
            r"$d = 1$.",
            Claim(
                collapse_on_a_line,
                (_WEIGHTS, _FEATURES),
                {"K": (2, 4), "n": (2, 3), "d": (1, 1)},
            ),
            defect="For d = 1 and K >= 3 the optimum is 0, attained by W = (1, ..., 1) and any H: "
            "no class rattles, the features are arbitrary, and the direction of (9) is 0/0.",
        ),
        Variant(
            "corrected",
            "optimum above zero",
            r"For unit $w_k$, $h$ and any $p_k$ in the hull of the others with $\rho_k = |w_k - "
            r"p_k|$, $e_k = (w_k - p_k)/\rho_k$: $\rho_k|h - e_k|^2 \le 2(\rho_k - \min_j\langle "
            r"w_k - w_j, h\rangle)$. In an optimal solution with optimum $\rho^* > 0$, that is "
            r"for $d \ge 2$ or $K = 2$, a class that is no rattler has $\rho_k = \rho^*$ at its "
            r"projection, so all its features are $e_k$.",
            Claim(features_near, (_WEIGHTS, _FEATURES, _HULL), {**_SIZES, "n": (1, 3)}, _RIVALS),
            remark="With a rate, and for rattlers as well: a feature of margin m is within "
            "sqrt(2 (1 - m/rho_k)) of the direction of its class.",
        ),
    ),
)


# -- under self-duality ---------------------------------------------------------------------------


def self_dual_objective(xp: Any, *, w: Any, h: Any) -> Judgement:
    """HardMax where all features are the weights, and that other features need not do better."""
    code = unit(xp, w)
    n = h.shape[2]
    same = xp.stack([code] * n, axis=2)
    products = off_diagonal(xp, xp.matmul(code, xp.matrix_transpose(code)))
    largest = xp.max(xp.max(products, axis=-1), axis=-1)
    Y = midpoints(xp, w, h[:, :, 0]).Y
    given = xp.maximum(-hard_max(xp, code, unit(xp, h)), 0 * largest)
    return Judgement(
        (),
        (
            Comparison("objective", hard_max(xp, code, same), largest - 1, "="),
            Comparison("no loss", given, -hard_max(xp, Y, xp.stack([Y] * n, axis=2))),
        ),
    )


EQ_10 = Statement(
    id="gnc:eq-10",
    kind="equation",
    title="HardMax under self-duality",
    source=Source("gnc", "(10)"),
    topic="hardmax",
    variants=(
        Variant(
            "printed",
            "objective and optimal value",
            r"$\mathrm{HardMax}(W, W) = \max_{j\ne k}\langle w_j, w_k\rangle - 1$, all features of "
            r"a class being its weight; and for any $W$, $H$ the code $Y$ of the midpoints of $W$ "
            r"and the first features has $\mathrm{HardMax}(Y, Y) \le \min(0, "
            r"\mathrm{HardMax}(W, H))$.",
            Claim(self_dual_objective, (_WEIGHTS, _FEATURES), {**_MIDPOINT_SIZES, "n": (1, 3)}),
            remark="The set on the left has pairs (W, H), that on the right codes W in OB(d, K); "
            "as printed it says OB(d, nK), and there is a comma too many. The paper has it under "
            "the assumption that every optimum is self-dual; the optimal values agree without it.",
        ),
    ),
)


def tammes_objective(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The least distance of two weights, against HardMax under self-duality and any margin."""
    code = unit(xp, w)
    squares = off_diagonal(xp, square_norm(xp, code[:, :, None, :] - code[:, None, :, :]))
    least = xp.sqrt(xp.min(xp.min(squares, axis=-1), axis=-1))
    dual = hard_max(xp, code, code[:, :, None, :])
    return Judgement(
        (),
        (
            Comparison("objective", dual, -least * least / 2, "="),
            Comparison("one-vs-rest", margin(xp, code, unit(xp, h)), least),
        ),
    )


EQ_11 = Statement(
    id="gnc:eq-11",
    kind="equation",
    title="The Tammes problem is HardMax under self-duality",
    source=Source("gnc", "(11)"),
    topic="hardmax",
    variants=(
        Variant(
            "printed",
            "objective",
            r"$\mathrm{HardMax}(W, W) = -\frac12\rho_{\text{one-vs-one}}(W)^2$, so the two have "
            r"the same optimal codes; and no margin exceeds $\rho_{\text{one-vs-one}}(W)$.",
            Claim(
                tammes_objective,
                (_WEIGHTS, Field("h", ("K", "d"), like="w")),
                _SIZES,
            ),
            remark="The optima of one-vs-rest and one-vs-one distance are rho* and sqrt(2 rho*).",
        ),
    ),
)


# -- Theorem 3.7 ----------------------------------------------------------------------------------


def self_duality_distance(xp: Any, gap: Any, margin: Any) -> Any:
    """Bound on ``gap^2 |w_k - h_k|^2`` for a code of that margin whose Y_k has its nearest at gap.

    `gap` is the least ``1 - <Y_k, Y_j>`` over j; any shapes that broadcast.
    """
    known = xp.maximum(margin, 0 * margin)
    return 4 * (gap * gap - known * known)


def self_duality(xp: Any, *, w: Any, h: Any) -> Judgement:
    """Features against weights by the neighbours of the midpoints; and the converse."""
    m = midpoints(xp, w, h)
    least = margin(xp, m.w, m.h)
    nearest = xp.min(apart(xp, m.Y), axis=-1)
    bound = self_duality_distance(xp, nearest, least[:, None] + 0 * nearest)
    return Judgement(
        (),
        (
            Comparison("features", nearest * nearest * square_norm(xp, m.w - m.h), bound),
            Comparison("spread", margin(xp, m.w, m.w), spread(xp, m.w), "="),
        ),
    )


THEOREM_3_7 = Statement(
    id="gnc:theorem-3.7",
    kind="theorem",
    title="Self-duality holds where the Tammes problem and the Softmax codes are equivalent",
    source=Source("gnc", "Theorem 3.7, (12)"),
    topic="hardmax",
    variants=(
        Variant(
            "printed",
            "no rattlers",
            r"Where neither problem has rattlers: every optimal $(W, H)$ has $h_{k,i} = w_k$ if "
            r"and only if the optimal codes of both are the same. By $\gamma_k^2|w_k - h_k|^2 \le "
            r"4(\gamma_k^2 - \rho^2)$, $\gamma_k = \min_j(1 - \langle Y_k, Y_j\rangle)$, for the "
            r"margin $\rho \ge 0$ of one feature a class and the midpoints $Y$ (both as in "
            r"gnc:sharp-1); and with $h = w$ the margin is $1 - \max\langle w_k, w_j\rangle$.",
            Claim(self_duality, (_WEIGHTS, Field("h", ("K", "d"), like="w")), _MIDPOINT_SIZES),
            remark="Y is Tammes-optimal where (W, H) is optimal, and a point of Y that is no "
            "rattler has gamma_k = rho. So where the Tammes problem has no rattlers both "
            "statements are true, not only equivalent, and the hypothesis on Softmax codes says "
            "nothing more (gnc:definition-3.4). It is needed: the feature of a rattler can be "
            "turned a little, so with a single one the first statement is false and the second "
            "true. The second fails only where two rattlers can touch (gnc:sharp-2).",
        ),
    ),
)

STATEMENTS = (DEFINITION_2_1, THEOREM_3_2, DEFINITION_3_4, THEOREM_3_5, EQ_10, EQ_11, THEOREM_3_7)
