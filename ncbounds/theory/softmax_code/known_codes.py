"""Where Softmax codes are known: in the plane, for K <= d + 1 and for K <= 2d.

In the plane the half gaps x_k between neighbours on the circle decide, in the second case the sum
of the code, in the third that K >= d + 2 vectors cannot all have negative inner products. Each
gives the optimum with a rate: how far a code of a given margin is from the optimal ones. So what
the paper says of optimal codes alone (their form, that none of their classes rattles, that they are
the Tammes-optimal ones) follows from inequalities that hold for every code.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer
from ncbounds.theory.metrics import orthonormal_frame
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.softmax_code.gamma_bounds import simplex_bound
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


@formula(_K)
def polygon_distance(xp: Any, K: Any) -> Any:
    """One-vs-rest distance of the regular polygon, the optimum for d = 2."""
    half = xp.sin(xp.pi / K)
    return 2 * half * half


# -- the plane ------------------------------------------------------------------------------------


def circle_points(xp: Any, angles: list[Any]) -> Any:
    """Points of the unit circle, one for each angle (B,): (B, K, 2)."""
    points = [xp.stack([xp.cos(t), xp.sin(t)], axis=-1) for t in angles]
    return xp.stack(points, axis=1)


def planar_code(xp: Any, steps: Any) -> tuple[Any, Any, Any]:
    """A planar code with its best directions and half gaps, from steps around the circle (B, K).

    The half gaps, cut off at pi/2, are those before each point; a point between half gaps x and x'
    has the one-vs-rest distance 2 sin x sin x'. Returns (B, K, 2), (B, K, 2) and (B, K).
    """
    K = steps.shape[1]
    half = xp.pi * steps / xp.sum(steps, axis=-1, keepdims=True)
    cut = xp.minimum(half, 0 * half + xp.pi / 2)
    angles, angle = [], 0 * half[:, 0]
    for k in range(K):
        angle = angle + 2 * half[:, k]
        angles.append(angle)
    tilted = [angles[k] + cut[:, (k + 1) % K] - cut[:, k] for k in range(K)]
    return circle_points(xp, angles), circle_points(xp, tilted), cut


def planar_distances(xp: Any, cut: Any) -> Any:
    """One-vs-rest distances from half gaps cut off at pi/2: (B, K) to (B, K)."""
    K = cut.shape[1]
    sines = xp.sin(cut)
    return 2 * sines * sines[:, [(k + 1) % K for k in range(K)]]


def unevenness(xp: Any, cut: Any) -> Any:
    """Mean square of the half gaps less pi/K: (B, K) to (B,)."""
    off = cut - xp.pi / cut.shape[1]
    return xp.mean(off * off, axis=-1)


def planar_optimum(xp: Any, cut: Any) -> Any:
    """Upper bound on the least distance of a code with these half gaps: (B, K) to (B,)."""
    uneven = unevenness(xp, cut)
    return polygon_distance(xp, K=0 * uneven + cut.shape[1]) * xp.exp(-uneven)


def planar(xp: Any, *, steps: Any, h: Any) -> Judgement:
    """The margin of a planar code for its best and for any directions, and the optimum."""
    w, best, cut = planar_code(xp, steps)
    least = xp.min(planar_distances(xp, cut), axis=-1)
    return Judgement(
        (),
        (
            Comparison("best directions", margin(xp, w, best), least, "="),
            Comparison("any directions", margin(xp, w, unit(xp, h)), least),
            Comparison("optimum", least, planar_optimum(xp, cut)),
        ),
    )


def planar_mean(xp: Any, *, steps: Any) -> Judgement:
    """The geometric mean of all distances is at most the optimum, so no class exceeds it alone."""
    _, _, cut = planar_code(xp, steps)
    K = steps.shape[1]
    share = planar_distances(xp, cut) / polygon_distance(xp, K=0 * cut + K)
    product = 1
    for k in range(K):
        product = product * share[:, k]
    return Judgement((), (Comparison("geometric mean", product, xp.exp(-K * unevenness(xp, cut))),))


def planar_tammes(xp: Any, *, steps: Any) -> Judgement:
    """Tammes and Softmax objectives in the plane, under the same bound."""
    w, best, cut = planar_code(xp, steps)
    return Judgement(
        (),
        (
            Comparison("one-vs-one", spread(xp, w), margin(xp, w, best)),
            Comparison("one-vs-rest", margin(xp, w, best), planar_optimum(xp, cut)),
        ),
    )


_STEPS = Field("steps", ("K",), "positive")
_PLANE = {"K": (2, 9), "d": (2, 2)}
_GAPS = (
    r"For K points on the circle let $x_k$ be half the angles between neighbours, at most "
    r"$\frac\pi2$ each, and $s$ the mean of $(x_k - \frac\pi K)^2$"
)

# -- K <= d + 1 -----------------------------------------------------------------------------------


def typeset_simplex(xp: Any, *, mirrors: Any) -> Judgement:
    """The columns of the matrix of Theorem 3.3 as typeset, with I_K I_K^T: they are to be unit."""
    frame = orthonormal_frame(xp, mirrors, mirrors.shape[1])
    K = mirrors.shape[1]
    one = 0 * mirrors[:, 0, 0] + 1
    columns = xp.sqrt(one * K / (K - 1))[:, None, None] * (frame - frame / K)
    squares = square_norm(xp, columns)
    return Judgement((), (Comparison("unit columns", squares, 0 * squares + 1, "="),))


def simplex_optimum(xp: Any, number: int, sum_square: Any) -> Any:
    """Upper bound on the spread of K unit vectors whose sum has the square `sum_square`."""
    return (number * number - sum_square) / (number * (number - 1))


def simplex(xp: Any, *, w: Any, h: Any) -> Judgement:
    """A code of nearly the margin K/(K-1) is nearly a simplex."""
    m = midpoints(xp, w, h)
    K = w.shape[1]
    least = margin(xp, m.w, m.h)
    best = simplex_bound(xp, d=0 * least, K=0 * least + K)
    short = 1 - xp.mean(square_norm(xp, m.w - m.Y), axis=-1) / 2
    widest = xp.max(xp.max(apart(xp, m.Y), axis=-1), axis=-1)
    return Judgement(
        (),
        (
            Comparison(
                "optimum", least, simplex_optimum(xp, K, square_norm(xp, xp.sum(m.Y, axis=1)))
            ),
            Comparison("pairs", widest, least + K * (K - 1) * (best - least) / 2),
            Comparison("weights", least, best * short * short),
        ),
    )


def simplex_mean(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The mean square of all margins is at most the squared optimum."""
    code = unit(xp, w)
    K = w.shape[1]
    own = least_gaps(xp, code, unit(xp, h))
    own = xp.maximum(own, 0 * own)
    total = square_norm(xp, xp.sum(code, axis=1))
    bound = (K * K - total) / ((K - 1) * (K - 1))
    return Judgement((), (Comparison("mean square", xp.mean(own * own, axis=-1), bound),))


def simplex_tammes(xp: Any, *, w: Any) -> Judgement:
    """A code of nearly the spread K/(K-1) is nearly a simplex."""
    code = unit(xp, w)
    K = w.shape[1]
    least = spread(xp, code)
    best = simplex_bound(xp, d=0 * least, K=0 * least + K)
    widest = xp.max(xp.max(apart(xp, code), axis=-1), axis=-1)
    return Judgement(
        (),
        (
            Comparison(
                "one-vs-one", least, simplex_optimum(xp, K, square_norm(xp, xp.sum(code, axis=1)))
            ),
            Comparison("pairs", widest, least + K * (K - 1) * (best - least) / 2),
        ),
    )


_CODE = (Field("w", ("K", "d")), Field("h", ("K", "d"), like="w"))
_FEW = {"K": (2, 7), "d": (1, 7)}
_ROOM = {"d": lambda sizes: max(sizes["d"], sizes["K"] - 1)}

# -- d + 2 <= K <= 2d -----------------------------------------------------------------------------


def cross_polytope(xp: Any, *, w: Any, h: Any, mirrors: Any) -> Judgement:
    """No margin above 1 for K >= d + 2, and 1 for vertices of a cross-polytope."""
    K, d = w.shape[1:]
    frame = orthonormal_frame(xp, mirrors, d)
    vertices = [frame[:, k // 2] * (-1) ** k for k in range(K)]
    code = xp.stack(vertices, axis=1)
    one = 0 * frame[:, 0, 0] + 1
    return Judgement(
        (),
        (
            Comparison("at most 1", margin(xp, unit(xp, w), unit(xp, h)), one),
            Comparison("vertices", margin(xp, code, code), one, "="),
        ),
    )


def orthoplex_bound(xp: Any, *, w: Any, h: Any) -> Judgement:
    """Rankin's bound, and what a code that attains it has as margin."""
    code = unit(xp, w)
    products = off_diagonal(xp, xp.matmul(code, xp.matrix_transpose(code)))
    largest = xp.max(xp.max(products, axis=-1), axis=-1)
    return Judgement(
        (),
        (
            Comparison("Rankin", 0 * largest, largest),
            Comparison("margin", margin(xp, code, code), 1 - largest, "="),
            Comparison("optimum", margin(xp, code, unit(xp, h)), 0 * largest + 1),
        ),
    )


def everyone_touches(xp: Any, *, w: Any) -> Judgement:
    """For each class two others that are not both turned away from it: K >= d + 2."""
    code = unit(xp, w)
    K = w.shape[1]
    products = xp.matmul(code, xp.matrix_transpose(code))
    found = []
    for k in range(K):
        pairs = [i * K + j for i in range(K) for j in range(i) if k not in (i, j)]
        seen = products - products[:, :, k, None] * products[:, None, :, k]
        found.append(xp.max(xp.reshape(seen, (-1, K * K))[:, pairs], axis=-1))
    largest = xp.stack(found, axis=1)
    return Judgement((), (Comparison("each class", 0 * largest, largest),))


def weights_at_midpoints(xp: Any, *, w: Any, h: Any) -> Judgement:
    """Near the optimum 1 every weight is near its midpoint: K >= d + 2."""
    m = midpoints(xp, w, h)
    least = margin(xp, m.w, m.h)
    square = square_norm(xp, m.w - m.Y)
    return Judgement(
        (),
        (
            Comparison("midpoints", least, spread(xp, m.Y)),
            Comparison("weights", square * square, 4 * (1 - least)[:, None] + 0 * square),
        ),
    )


_MANY = {"d": (1, 6), "K": (3, 10)}
_BEYOND = {"K": lambda sizes: max(sizes["K"], sizes["d"] + 2)}
_HALF = {"K": lambda sizes: min(max(sizes["K"], sizes["d"] + 2), 2 * sizes["d"])}

# -- the statements -------------------------------------------------------------------------------

THEOREM_3_3 = Statement(
    id="gnc:theorem-3.3",
    kind="theorem",
    title="Softmax codes in the plane, for K <= d + 1 and for K <= 2d",
    source=Source("gnc", "Theorem 3.3"),
    topic="known_codes",
    variants=(
        Variant(
            "printed",
            "d = 2",
            _GAPS + r". A point between $x$ and $x'$ has the one-vs-rest distance $2\sin x\sin "
            r"x'$, and the least is at most $(1 - \cos\frac{2\pi}K)e^{-s}$. So the Softmax codes "
            r"are the regular polygons.",
            Claim(planar, (_STEPS, Field("h", ("K", "d"))), _PLANE),
            (Bound("one-vs-rest distance of a planar Softmax code", polygon_distance, "value"),),
            remark="With a rate: a code of distance rho has s <= log(rho*/rho).",
        ),
        Variant(
            "printed",
            "K <= d + 1, matrix as typeset",
            r"$W = \sqrt{\frac K{K-1}}P(I_K - \frac1K I_K I_K^\top)$ with orthonormal columns of "
            r"$P$ is a Softmax code, so that its columns are unit vectors.",
            Claim(
                typeset_simplex,
                (Field("mirrors", ("K", "d")),),
                {"K": (2, 5), "d": (2, 6)},
                {"d": lambda sizes: max(sizes["d"], sizes["K"])},
            ),
            defect="I_K I_K^T is I_K: the columns have the squared norm (K-1)/K. Ones are meant, "
            "1_K 1_K^T. And for d = K - 1 no K columns are orthonormal: then the rows of P are, "
            "each orthogonal to 1_K.",
        ),
        Variant(
            "corrected",
            "K <= d + 1, by inner products",
            r"For any unit $w_k$, $h_k$ with margin $\rho$ and midpoints $Y$ (gnc:sharp-1), "
            r"$\rho^* = \frac K{K-1}$: $\rho \le \rho^* - \frac{|\sum_k Y_k|^2}{K(K-1)}$; $1 - "
            r"\langle Y_k, Y_j\rangle \le \rho + \frac{K(K-1)}2(\rho^* - \rho)$ for every pair; "
            r"$\rho \le \rho^*(1 - \frac12\overline{|w_k - Y_k|^2})^2$. For $K \le d + 1$ there "
            r"are simplices, so the Softmax codes are those with $\langle w_k, w_j\rangle = "
            r"-\frac1{K-1}$.",
            Claim(simplex, _CODE, _FEW, _ROOM),
            (Bound("one-vs-rest distance of a simplex", simplex_bound, "value"),),
        ),
        Variant(
            "printed",
            "d + 1 < K <= 2d",
            r"$\rho_{\text{one-vs-rest}}(W^*) = 1$: no margin of $K \ge d + 2$ unit vectors "
            r"exceeds 1, and vertices of a cross-polytope have it.",
            Claim(
                cross_polytope,
                (*_CODE, Field("mirrors", ("d", "d"))),
                {"d": (2, 5), "K": (4, 10)},
                _HALF,
            ),
        ),
    ),
)

REMARK_ORTHOPLEX = Statement(
    id="gnc:remark-orthoplex",
    kind="remark",
    title="Codes that attain Rankin's orthoplex bound are Softmax codes",
    source=Source("gnc", "footnote 3"),
    topic="known_codes",
    variants=(
        Variant(
            "printed",
            "K >= d + 2",
            r"$\max_{k\ne j}\langle w_k, w_j\rangle \ge 0$ for $K \ge d + 2$ unit vectors. With "
            r"equality the margin of $h = w$ is 1, and no code has more.",
            Claim(orthoplex_bound, _CODE, _MANY, _BEYOND),
            remark="Equality is possible only for K <= 2d. For K <= d + 1 there is no such bound, "
            "and a code of largest inner product 0 is no Softmax code. The converse is true as "
            "well: gnc:theorem-3.8, sharp.",
        ),
    ),
)

THEOREM_3_6 = Statement(
    id="gnc:theorem-3.6",
    kind="theorem",
    title="Softmax codes without rattlers",
    source=Source("gnc", "Theorem 3.6, footnote 4"),
    topic="known_codes",
    variants=(
        Variant(
            "printed",
            "d = 2",
            _GAPS + r". The one-vs-rest distances $\rho_k$ have $\prod_k\rho_k \le "
            r"((1 - \cos\frac{2\pi}K)e^{-s})^K$: if the least is the optimum, all are.",
            Claim(planar_mean, (_STEPS,), {"K": (2, 9)}),
        ),
        Variant(
            "printed",
            "K <= d + 1",
            r"For unit $w_k$, $h_k$ and $m_k = \max(0, \min_j\langle w_k - w_j, h_k\rangle)$: "
            r"$\overline{m_k^2} \le \frac{K^2 - |\sum_k w_k|^2}{(K-1)^2}$: if the least one-vs-"
            r"rest distance is the optimum $\frac K{K-1}$, all are.",
            Claim(simplex_mean, _CODE, _FEW, _ROOM),
        ),
        Variant(
            "sharp",
            "K <= 2d",
            r"For $K \ge d + 2$ unit vectors and each k there are $i, j \ne k$ with $\langle w_i, "
            r"w_j\rangle \ge \langle w_i, w_k\rangle\langle w_j, w_k\rangle$. If no inner product "
            r"is positive, both sides are zero, so k is orthogonal to i or j: every point of a "
            r"Tammes-optimal code touches another, and neither problem has rattlers "
            r"(gnc:definition-3.4).",
            Claim(everyone_touches, (Field("w", ("K", "d")),), _MANY, _BEYOND),
            remark="So footnote 4 is right in saying that there is no rattler for K <= 2d. It "
            "cannot be extended: the optimal code for d = 3 and K = 13 has one.",
        ),
    ),
)

THEOREM_3_8 = Statement(
    id="gnc:theorem-3.8",
    kind="theorem",
    title="Where Tammes and Softmax codes are the same",
    source=Source("gnc", "Theorem 3.8"),
    topic="known_codes",
    variants=(
        Variant(
            "printed",
            "d = 2",
            _GAPS + r". Then $1 - \max\langle w_k, w_j\rangle \le \rho_{\text{one-vs-rest}}(W) "
            r"\le (1 - \cos\frac{2\pi}K)e^{-s}$: the optimal codes of both problems are the "
            r"regular polygons.",
            Claim(planar_tammes, (_STEPS,), {"K": (2, 9)}),
        ),
        Variant(
            "printed",
            "K <= d + 1",
            r"For unit $w_k$ with $\mu = 1 - \max\langle w_k, w_j\rangle$ and $\rho^* = "
            r"\frac K{K-1}$: $\mu \le \rho^* - \frac{|\sum_k w_k|^2}{K(K-1)}$ and $1 - \langle "
            r"w_k, w_j\rangle \le \mu + \frac{K(K-1)}2(\rho^* - \mu)$ for every pair: the optimal "
            r"codes of the Tammes problem, too, are the simplices.",
            Claim(simplex_tammes, (Field("w", ("K", "d")),), _FEW, _ROOM),
        ),
        Variant(
            "sharp",
            "K <= 2d",
            r"For $K \ge d + 2$ unit vectors $w_k$, unit $h_k$, margin $\rho$ and midpoints $Y$ "
            r"(gnc:sharp-1): $1 - \langle Y_k, Y_j\rangle \ge \rho$ and $|w_k - Y_k|^4 \le "
            r"4(1 - \rho)$. For $K \le 2d$ the optimum is 1, so the optimal codes of both problems "
            r"are those without a positive inner product.",
            Claim(weights_at_midpoints, _CODE, _MANY, _BEYOND),
            remark="Such a code splits into orthogonal parts, at least two of them linearly "
            "dependent; there are continuously many as soon as K < 2d. The fourth power is needed: "
            "six points (-q, sqrt(1 - q^2) u), u = +-e_1, +-e_2, +-e_3, and a seventh with weight "
            "and feature (cos a, +-sin a e_4), 2 a^2 = q, in R^5 have the margin 1 - q^2.",
        ),
    ),
)

STATEMENTS = (THEOREM_3_3, REMARK_ORTHOPLEX, THEOREM_3_6, THEOREM_3_8)
