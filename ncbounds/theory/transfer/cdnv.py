"""Class-distance normalised variance (51), and what it says of the nearest class mean.

A class is a distribution of features; here it is the uniform one on M points, equal ones allowed.
The CDNV of two classes is the mean of their variances over the squared distance of their means.
A sample is classified by the nearest class mean (NCC) and counts as an error in case of a tie. The
review states no bound on that error by the CDNV; ours, 4V/(1 + 4V) for two classes, is attained.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative
from ncbounds.theory.cosine import dot
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

CDNV = nonnegative("V", "CDNV of two classes, or its mean over the pairs", "V")
CLASSES = integer("K", "number of classes", "K", at_least=2)


@formula(CLASSES, CDNV)
def nearest_mean_bound(xp: Any, K: Any, V: Any) -> Any:
    """Error of the nearest class mean of K classes whose pairs have the mean CDNV V."""
    return (K - 1) * 4 * V / (1 + 4 * V)


# -- classes as points ----------------------------------------------------------------------------


def means(xp: Any, points: Any) -> Any:
    """Means of the points of each class: (..., M, d) to (..., d)."""
    return xp.mean(points, axis=-2)


def variances(xp: Any, points: Any) -> Any:
    """Mean squared distances of points from their mean: (..., M, d) to (...)."""
    centre = means(xp, points)[..., None, :]
    return xp.mean(square_norm(xp, points - centre), axis=-1)


def cdnv(xp: Any, first: Any, second: Any) -> Any:
    """The CDNV (51) of two classes of points, (..., M, d) each."""
    apart = square_norm(xp, means(xp, first) - means(xp, second))
    return (variances(xp, first) + variances(xp, second)) / (2 * apart)


def decided(xp: Any, x: Any) -> Any:
    """1 where x > 0 and 0 where x <= 0; an indeterminate ball where the sign is not certain.

    A ball from 0 to 1 would be finite and say nothing; y/(1 - 4y(1 - y)) is y at 0 and at 1.
    """
    y = xp.is_positive(x)
    return y / (1 - 4 * y * (1 - y))


def nearest_mean_errors(xp: Any, points: Any, sums: Any, count: int) -> Any:
    """Share of each class that another class mean is at least as near as its own, (..., K).

    `points` (..., K, M, d); `sums` (..., K, d) of `count` features a class. No division: whether
    distances are equal is then decided exactly.
    """
    K = points.shape[-3]
    apart = count * points[..., None, :] - sums[..., None, None, :, :]
    distances = square_norm(xp, apart)  # (..., K, M, K)
    wrong = []
    for i in range(K):
        gaps = [distances[..., i, :, j] - distances[..., i, :, i] for j in range(K) if j != i]
        right = decided(xp, xp.min(xp.stack(gaps, axis=-1), axis=-1))
        wrong.append(1 - xp.mean(right, axis=-1))
    return xp.stack(wrong, axis=-1)


def own_mean_errors(xp: Any, points: Any) -> Any:
    """The same with the means of the points themselves."""
    return nearest_mean_errors(xp, points, xp.sum(points, axis=-2), points.shape[-2])


def ordered_pairs(K: int) -> list[tuple[int, int]]:
    """All (i, j) with i != j."""
    return [(i, j) for i in range(K) for j in range(K) if i != j]


def normalised_variances(xp: Any, points: Any) -> tuple[Any, Any]:
    """For each ordered pair (i, j): variance of class i over |mu_j - mu_i|^2, whole and along it.

    Both (..., K (K-1)). Along the line means the variance of the projections on mu_j - mu_i.
    """
    centre, spread = means(xp, points), variances(xp, points)
    whole, along = [], []
    for i, j in ordered_pairs(points.shape[-3]):
        line = centre[..., j, :] - centre[..., i, :]
        apart = square_norm(xp, line)
        steps = dot(xp, points[..., i, :, :] - centre[..., i, None, :], line[..., None, :])
        whole.append(spread[..., i] / apart)
        along.append(xp.mean(steps * steps, axis=-1) / (apart * apart))
    return xp.stack(whole, axis=-1), xp.stack(along, axis=-1)


def saturated(z: Any) -> Any:
    """Cantelli's z/(1 + z)."""
    return z / (1 + z)


# -- claims ---------------------------------------------------------------------------------------


def laws_claim(
    xp: Any, *, first: Any, second: Any, shift: Any, mirror: Any, scale: Any
) -> Judgement:
    """Symmetry, invariance, and the CDNV by distances of points."""

    def moved(points: Any) -> Any:
        v, whole = mirror[:, None, :], square_norm(xp, mirror)[:, None, None]
        turned = points - 2 * dot(xp, points, v)[..., None] * v / whole
        return scale[:, None, None] * turned + shift[:, None, :]

    def mean_square(x: Any, y: Any) -> Any:
        return xp.mean(square_norm(xp, x[:, :, None, :] - y[:, None, :, :]), axis=(1, 2))

    V = cdnv(xp, first, second)
    apart = square_norm(xp, means(xp, first) - means(xp, second))
    return Judgement(
        (),
        (
            Comparison("symmetric", cdnv(xp, second, first), V, "="),
            Comparison("moved, mirrored, scaled", cdnv(xp, moved(first), moved(second)), V, "="),
            Comparison(
                "variance by pairs", variances(xp, first), mean_square(first, first) / 2, "="
            ),
            Comparison(
                "by distances of two points",
                V,
                (mean_square(first, second) / apart - 1) / 2,
                "=",
            ),
        ),
    )


def nearest_mean_claim(xp: Any, *, points: Any) -> Judgement:
    """Errors of the nearest class mean by the CDNV: along the lines, in all, of the worst pair."""
    K = points.shape[1]
    errors = own_mean_errors(xp, points)
    two = xp.mean(own_mean_errors(xp, points[:, :2]), axis=-1)
    V = cdnv(xp, points[:, 0], points[:, 1])
    whole, along = normalised_variances(xp, points)
    error = xp.mean(errors, axis=-1)
    lines = xp.sum(saturated(4 * along), axis=-1) / K
    bound = nearest_mean_bound(xp, K=0 * error + K, V=xp.mean(whole, axis=-1))
    rows = xp.reshape(whole, (points.shape[0], K, K - 1))
    return Judgement(
        (),
        (
            Comparison("two classes", two, nearest_mean_bound(xp, K=0 * V + 2, V=V)),
            Comparison("by variances along the lines", error, lines),
            Comparison("by the mean CDNV", lines, bound),
            Comparison("by the nearest other class", errors, 4 * xp.max(rows, axis=-1)),
        ),
    )


EQUATION_51 = Statement(
    id="review:eq-51",
    kind="equation",
    title="Class-distance normalised variance",
    source=Source("review", "(51)"),
    topic="transfer",
    variants=(
        Variant(
            "printed",
            "laws and a second formula",
            r"$V_f(P, Q) = \frac{Var_f(P) + Var_f(Q)}{2 |\mu_f(P) - \mu_f(Q)|^2}$ is symmetric, "
            r"does not change when all features are moved, mirrored or scaled, and is half of "
            r"$\frac{E|f(x) - f(y)|^2}{|\mu_f(P) - \mu_f(Q)|^2} - 1$ for $x \sim P$, $y \sim Q$.",
            Claim(
                laws_claim,
                (
                    Field("first", ("M", "d")),
                    Field("second", ("N", "d")),
                    Field("shift", ("d",)),
                    Field("mirror", ("d",)),
                    Field("scale", (), "positive"),
                ),
                {"M": (1, 3), "N": (1, 3), "d": (1, 3)},
            ),
            remark="Not defined where the two means are one. It is 0 exactly where both classes "
            "are single points.",
        ),
        Variant(
            "sharp",
            "errors of the nearest class mean",
            r"Two classes: the error of the nearest class mean is at most $\frac{4V}{1+4V}$, "
            r"attained. K classes: at most $\frac 1K \sum_{i \ne j} \frac{4 s_{ij}}{1 + 4 s_{ij}}$ "
            r"with $s_{ij}$ the variance of class i along $\mu_j - \mu_i$ over $|\mu_j - \mu_i|^2$"
            r", hence at most $(K-1) \frac{4 \bar V}{1 + 4 \bar V}$; and of class i at most "
            r"$4 Var_i/\min_j |\mu_j - \mu_i|^2$, without a factor K - 1.",
            Claim(
                nearest_mean_claim,
                (Field("points", ("K", "M", "d")),),
                {"K": (2, 3), "M": (1, 3), "d": (1, 2)},
            ),
            (Bound("error of the nearest class mean", nearest_mean_bound, "upper", trivial=1),),
            remark="For training features with their own class means no sampling is involved. The "
            "error may be 0 while the CDNV is as large as one likes: variance across the line of "
            "the two means does no harm.",
        ),
    ),
)

STATEMENTS = (EQUATION_51,)
