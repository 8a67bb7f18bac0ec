"""NC2 (`review`, (5) to (7)): the simplex ETF of class means, and how near the metric says it is.

u_k are the directions of the centred class means, r_k their lengths, G the Gram matrix of the u_k
and G* that of (5). Because centred means add up to zero, ``sum_j <u_k, u_j> r_j = 0``: that is all
that the proofs use beyond lengths of 1. G and G* enclose the angle theta of
``cos theta = 1 - NC2^2/2``.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, proportion
from ncbounds.theory.collapse_metrics.shapes import (
    at_simplex,
    centred_rows,
    diagonal,
    gram_of_simplex,
    identity_matrix,
    norm,
    off_diagonal,
    products,
    root_of,
    simplex_difference,
    simplex_distance,
    square_norm,
    square_sum,
    squared_distances,
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
_M = integer("m", "dimension of the features", "m", at_least=1)
_X = proportion("x", "the square of the metric (7)", "x")


@formula(_K)
def largest_distance(xp: Any, K: Any) -> Any:
    """The largest value of the square of (7)."""
    return 2 - 8 * xp.sqrt(K - 1) / (K * K)


@formula(_K, _M)
def least_distance(xp: Any, K: Any, m: Any) -> Any:
    """Lower bound on the square of (7) in m dimensions."""
    return 2 - 2 * xp.sqrt(xp.minimum(m, K - 1) / (K - 1))


@formula(_X)
def squared_tangent(xp: Any, x: Any) -> Any:
    """The squared tangent of the angle between G and G*."""
    cosine = 1 - x / 2
    return 1 / (cosine * cosine) - 1


@formula(_K, _X)
def gram_distance(xp: Any, K: Any, x: Any) -> Any:
    """Upper bound on the squared Frobenius distance of G from G*, from the square of (7)."""
    return K * K / (K - 1) * squared_tangent(xp, x=x)


@formula(_K, _X)
def cosine_distance(xp: Any, K: Any, x: Any) -> Any:
    """Upper bound on the squared distance of any cosine from -1/(K-1)."""
    return gram_distance(xp, K=K, x=x) / 2


# -- (5) and (6) ----------------------------------------------------------------------------------


def _at_simplex(xp: Any, mirrors: Any, alpha: Any, offset: Any) -> tuple[Any, Any]:
    """Class means anywhere, and their unit directions from the global mean."""
    means, _ = at_simplex(xp, mirrors, alpha)
    moved = means + offset[:, None, :]
    return moved, unit_rows(xp, centred_rows(xp, moved))


def simplex_of_means(xp: Any, *, mirrors: Any, alpha: Any, offset: Any) -> Judgement:
    """What (5) and (6) say of class means at a simplex ETF."""
    moved, M = _at_simplex(xp, mirrors, alpha, offset)
    gram, K = products(xp, M, M), moved.shape[1]
    cosines = off_diagonal(xp, gram)
    squares = square_norm(xp, centred_rows(xp, moved))
    apart = off_diagonal(xp, squared_distances(xp, moved, moved))
    common = xp.mean(squares, axis=-1)[:, None]
    return Judgement(
        (),
        (
            Comparison("(5)", gram, gram_of_simplex(xp, gram), "="),
            Comparison("(6)", cosines, (0 * cosines - 1) / (K - 1), "="),
            Comparison("equal norms", squares, common + 0 * squares, "="),
            Comparison("equal distances", apart, 2 * common * K / (K - 1) + 0 * apart, "="),
        ),
    )


def box(xp: Any, *, sides: Any) -> Judgement:
    """Every other corner of a box in R^3: four class means of equal norm, of mean zero."""
    signs = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
    rows = [xp.stack([sides[:, j] * s[j] for j in range(3)], axis=-1) for s in signs]
    means = xp.stack(rows, axis=1)
    gram = products(xp, means, means)
    cosines = off_diagonal(xp, gram) / square_norm(xp, sides)[:, None]
    apart = off_diagonal(xp, squared_distances(xp, means, means))
    return Judgement(
        (),
        (
            Comparison("equal distances", apart, xp.min(apart, axis=-1)[:, None] + 0 * apart),
            Comparison("(6)", cosines, (0 * cosines - 1) / 3, "="),
        ),
    )


def equal_cosines(xp: Any, *, mu: Any) -> Judgement:
    """How norms follow from the cosines of centred means, and what equal cosines must be."""
    m = centred_rows(xp, mu)
    K, r = m.shape[1], norm(xp, m)
    gram = products(xp, unit_rows(xp, m), unit_rows(xp, m))
    away = gram - gram_of_simplex(xp, gram)
    away = away - identity_matrix(xp, away) * away
    total = xp.sum(r, axis=-1)[:, None]
    balance = xp.sum(gram * r[:, None, :], axis=-1)
    moved = xp.sum(away * r[:, None, :], axis=-1)
    largest = xp.max(xp.abs(away), axis=-1)
    cosines = off_diagonal(xp, gram)
    mean = xp.mean(cosines, axis=-1)
    spread = xp.max(xp.abs(cosines - mean[:, None]), axis=-1)
    return Judgement(
        (),
        (
            Comparison("balance", balance, 0 * r, "="),
            Comparison("norm less mean norm", r - total / K, -moved * (K - 1) / K, "="),
            Comparison(
                "distance from the mean norm",
                xp.abs(r - total / K),
                largest * (total - r) * (K - 1) / K,
            ),
            Comparison("equal cosines", xp.abs(mean + (0 * mean + 1) / (K - 1)), spread),
        ),
    )


_SIMPLEX = (
    Field("mirrors", ("rank", "d")),
    Field("alpha", (), "positive"),
    Field("offset", ("d",)),
)
_ROOM = {"d": lambda sizes: max(sizes["d"], sizes["rank"])}
_MEANS = (Field("mu", ("K", "m")),)

EQ_5 = Statement(
    id="review:eq-5",
    kind="equation",
    title="The simplex ETF of class means: Gram matrix and cosines",
    source=Source("review", "(5), (6)"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "at a simplex ETF",
            r"Class means at a simplex ETF, anywhere in $m \ge K - 1$ dimensions, have equal norms "
            r"from $\mu_G$, equal distances, $MM^\top = \frac K{K-1}I - \frac1{K-1}11^\top$ and "
            r"the cosines $-\frac1{K-1}$.",
            Claim(simplex_of_means, _SIMPLEX, {"rank": (1, 3), "d": (1, 4)}, _ROOM),
            remark="m >= K - 1 is needed and not said. The rows of M have length 1.",
        ),
        Variant(
            "printed",
            "equal norms alone",
            r"Class means of equal norm $|\mu_k - \mu_G|$ are equidistant from each other, and "
            r"their directions satisfy (6).",
            Claim(box, (Field("sides", ("three",), "positive"),), {}, {"three": lambda sizes: 3}),
            defect="The formula after 'equidistant from each other' asks for equal norms only. "
            "Four means at every other corner of a box in R^3 have them, and no simplex unless the "
            "box is a cube. It is the angles (6) that count.",
        ),
        Variant(
            "sharp",
            "equal cosines alone",
            r"For any class means with $\xi_{kj} = \langle u_k, u_j\rangle + \frac1{K-1}$ and "
            r"$r_k = |\mu_k - \mu_G|$ of mean $\bar r$: $r_k - \bar r = -\frac{K-1}K\sum_{j \ne k}"
            r"\xi_{kj}r_j$, at most $\frac{K-1}K\max_j|\xi_{kj}|(K\bar r - r_k)$ in size; and the "
            r"mean cosine is no farther from $-\frac1{K-1}$ than some cosine is from the mean.",
            Claim(equal_cosines, _MEANS, {"K": (2, 5), "m": (1, 4)}),
            remark="So (6) implies equal norms, and cosines that are merely equal, of whatever "
            "value, are those of the simplex: M may forget the norms, and `nc2.equiangular` "
            "need not know -1/(K-1).",
        ),
    ),
)


# -- (7) ------------------------------------------------------------------------------------------


def zero_at_simplex(xp: Any, *, mirrors: Any, alpha: Any, offset: Any) -> Judgement:
    """The two matrices of (7) at a simplex ETF."""
    _, M = _at_simplex(xp, mirrors, alpha, offset)
    gram, K = products(xp, M, M), M.shape[1]
    size, difference = square_sum(xp, gram), simplex_difference(xp, gram)
    return Judgement(
        (),
        (
            Comparison("norm of M M^T", size, (0 * size + K * K) / (K - 1), "="),
            Comparison("NC2", difference, 0 * difference, "="),
        ),
    )


def near_simplex(xp: Any, *, mu: Any) -> Judgement:
    """What the metric (7) says of cosines and norms."""
    m = centred_rows(xp, mu)
    K, r, u = m.shape[1], norm(xp, m), unit_rows(xp, m)
    gram = products(xp, u, u)
    x, number = simplex_distance(xp, gram), 0 * gram[:, 0, 0] + K
    size = xp.sqrt(square_sum(xp, gram))
    sum_ = square_norm(xp, xp.sum(u, axis=1))
    value = 2 - 2 * (K - sum_ / K) / (root_of(xp, K - 1, size) * size)
    away = gram - gram_of_simplex(xp, gram)
    largest = xp.max(off_diagonal(xp, away * away), axis=-1)
    mean = xp.mean(r, axis=-1)
    spread = xp.mean(r * r, axis=-1) - mean * mean
    t = squared_tangent(xp, x=x)
    return Judgement(
        (),
        (
            Comparison("value", x, value, "="),
            Comparison("largest value", x, largest_distance(xp, K=number)),
            Comparison("Gram matrix", square_sum(xp, away), gram_distance(xp, K=number, x=x)),
            Comparison("cosines", largest, cosine_distance(xp, K=number, x=x)),
            Comparison(
                "norms",
                spread * 2 * (K - t * ((K - 1) * (K - 1))),
                mean * mean * t * (K * (K - 1)),
            ),
        ),
    )


def enough_dimensions(xp: Any, *, mu: Any) -> Judgement:
    """The metric (7) of any class means in m dimensions, and the rank that limits it."""
    K, m = mu.shape[1:]
    u = unit_rows(xp, centred_rows(xp, mu))
    gram = products(xp, u, u)
    x, size = simplex_distance(xp, gram), square_sum(xp, gram)
    least = least_distance(xp, K=0 * x + K, m=0 * x + m)
    rank = min(m, K - 1)
    return Judgement(
        (),
        (
            Comparison("trace", xp.sum(diagonal(xp, gram), axis=-1), 0 * x + K, "="),
            Comparison("norm of M M^T", (0 * x + K * K) / rank, size),
            Comparison("NC2", least, x),
        ),
    )


EQ_7 = Statement(
    id="review:eq-7",
    kind="equation",
    title="NC2, distance of class means from a simplex ETF",
    source=Source("review", "(7)"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "zero at a simplex ETF",
            r"At a simplex ETF of class means $|MM^\top|_F = \frac K{\sqrt{K-1}}$ and "
            r"$\mathcal{NC}_2 = 0$.",
            Claim(zero_at_simplex, _SIMPLEX, {"rank": (1, 3), "d": (1, 4)}, _ROOM),
            remark="The metric `nc2.etf`. Of two classes it is zero whatever they are.",
        ),
        Variant(
            "corrected",
            "which dimension lets it vanish",
            r"In $m$ dimensions $|MM^\top|_F^2 \ge K^2/\min(m, K-1)$ and $\mathcal{NC}_2^2 \ge "
            r"2 - 2\sqrt{\min(m, K-1)/(K-1)}$, so it can vanish from $m = K - 1$ on only.",
            Claim(enough_dimensions, _MEANS, {"K": (2, 6), "m": (1, 3)}),
            (Bound("squared NC2 in m dimensions", least_distance, "lower", 0),),
            remark="Attained below K - 1 by directions that add up to zero and form a tight frame: "
            "K points evenly on a circle for m = 2, or two against two on a line.",
        ),
        Variant(
            "sharp",
            "how near zero, how near a simplex ETF",
            r"Let $\cos\theta = 1 - \frac12\mathcal{NC}_2^2$, $t = \tan\theta$. Then "
            r"$\mathcal{NC}_2^2 = 2 - 2\frac{K - |\sum_ku_k|^2/K}{\sqrt{K-1}\,|MM^\top|_F} \le "
            r"2 - \frac{8\sqrt{K-1}}{K^2}$; $|MM^\top - G^*|_F \le \frac K{\sqrt{K-1}}t$; every "
            r"cosine is within $\frac K{\sqrt{2(K-1)}}t$ of $-\frac1{K-1}$; and the squared "
            r"coefficient of variation $c$ of the norms $|\mu_k - \mu_G|$ satisfies "
            r"$2c(K - (K-1)^2t^2) \le K(K-1)t^2$.",
            Claim(near_simplex, _MEANS, {"K": (3, 5), "m": (2, 5)}),
            (
                Bound("squared NC2", largest_distance, "upper", 2),
                Bound("squared distance of Gram matrices", gram_distance, "upper"),
                Bound("squared distance of a cosine from -1/(K-1)", cosine_distance, "upper"),
            ),
            remark="So NC2 = 0 is all of a simplex ETF, equal norms included, although M forgets "
            "the norms. The largest value is that of K - 1 directions against one, 0 for K = 2. "
            "The distance is attained where the directions add up to zero. Constants hold for any "
            "K >= 2.",
        ),
    ),
)

STATEMENTS = (EQ_5, EQ_7)
