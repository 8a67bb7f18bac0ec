"""The metrics of generalised neural collapse, and the distances of classes that they speak of.

K classes of n features ``h_{k,i}`` with the class means ``m_k`` and the weights ``w_k``; in `gnc`
weights and features have length 1. GNC1 is variability within classes relative to the class means,
GNC2 the least one-vs-rest distance of the weights, GNC3 one minus the mean product of a feature and
the weights of its class. A definition is a wording without a claim; what is said to follow from a
metric, or to make it vanish, is a wording with one.

Distances to hulls enter by the weights of convex combinations: what holds for all of them holds for
the nearest points.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative
from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.softmax_code.gamma_bounds import simplex_bound
from ncbounds.theory.softmax_code.temperature import column, rival_points
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
_N = integer("n", "number of features a class", "n", at_least=1)
_GNC1 = nonnegative("GNC1", "the metric GNC1", r"\mathcal{GNC}_1")
_GNC3 = nonnegative("GNC3", "the metric GNC3", r"\mathcal{GNC}_3")
_SQUARE = nonnegative("q", "mean squared length of the class means", "q")


def on_sphere(xp: Any, rows: Any) -> Any:
    """Rows scaled to length 1; undefined for a zero row."""
    return rows / norm(xp, rows)[..., None]


def _mean_over_samples(xp: Any, values: Any) -> Any:
    """Mean over samples, then classes: (B, K, n) to (B,)."""
    return xp.mean(xp.mean(values, axis=-1), axis=-1)


# -- GNC1 -----------------------------------------------------------------------------------------


@formula(_K, _GNC1, _SQUARE)
def variability_from_gnc1(xp: Any, K: Any, GNC1: Any, q: Any) -> Any:
    """Upper bound on the mean squared distance of features from their class mean."""
    return K * GNC1 * q


def covariance_times(xp: Any, means: Any, y: Any) -> Any:
    """``(1/K) sum_c m_c <m_c, y>`` for means (B, K, d) and vectors (B, K, n, d)."""
    products = xp.matmul(y, xp.matrix_transpose(means)[:, None])
    return xp.matmul(products, means[:, None] + 0 * y[:, :, :1, :1]) / means.shape[1]


def _centred_samples(xp: Any, y: Any) -> Any:
    return y - xp.mean(y, axis=2)[:, :, None, :]


def blind_metric(xp: Any, *, m: Any, r: Any) -> Judgement:
    """Two unit features a class, ``(m, r)`` and ``(m, -r)`` scaled: their mean is along (m, 0).

    Of every other class m has the other sign, so that the means differ.
    """
    K, p, q = m.shape[1], m.shape[2], r.shape[2]
    length = xp.sqrt(square_norm(xp, m) + square_norm(xp, r))[..., None]
    signs = [1 - 2 * (k % 2) for k in range(K)]
    means = xp.stack([m[:, k] / length[:, k] * sign for k, sign in enumerate(signs)], axis=1)
    zero = 0 * length[..., 0]
    means = xp.stack([*(means[..., j] for j in range(p)), *[zero] * q], axis=-1)
    deviations = r / length
    deviations = xp.stack([*[zero] * p, *(deviations[..., j] for j in range(q))], axis=-1)
    products = xp.matmul(deviations, xp.matrix_transpose(means))
    seen = xp.sum(xp.sum(products * products, axis=-1), axis=-1)
    largest = xp.max(square_norm(xp, deviations), axis=-1)
    return Judgement(
        (Comparison("GNC1 is zero", seen, 0 * seen),),
        (Comparison("collapse", largest, 0 * largest),),
    )


def seen_variability(xp: Any, *, m: Any, y: Any) -> Judgement:
    """Deviations ``x = Sigma_B y``, for which ``<x, Sigma_B^+ x> = <y, Sigma_B y>``."""
    centred = _centred_samples(xp, y)
    deviations = covariance_times(xp, m, centred)
    K = m.shape[1]
    gnc1 = _mean_over_samples(xp, dot(xp, centred, deviations)) / K
    spread = _mean_over_samples(xp, square_norm(xp, deviations))
    q = xp.mean(square_norm(xp, m), axis=-1)
    bound = variability_from_gnc1(xp, K=0 * gnc1 + K, GNC1=gnc1, q=q)
    return Judgement(
        (),
        (
            Comparison("never negative", 0 * gnc1, gnc1),
            Comparison("variability", spread, bound),
        ),
    )


def centred_or_not(xp: Any, *, m: Any, y: Any, v: Any) -> Judgement:
    """Deviations in the span of the centred class means, measured with either covariance.

    ``<x, S^+ x>`` is the largest ``2 <v, x> - <v, S v>`` for x in the span of S.
    """
    centre = xp.mean(m, axis=1)
    shifted = m - centre[:, None, :]
    samples = _centred_samples(xp, y)
    deviations = covariance_times(xp, shifted, samples)
    centred = _mean_over_samples(xp, dot(xp, samples, deviations))
    values = 2 * dot(xp, v, deviations) - dot(xp, v, covariance_times(xp, m, v))
    return Judgement((), (Comparison("GNC1", _mean_over_samples(xp, values), centred),))


DEFINITION_GNC1 = Statement(
    id="gnc:definition-gnc1",
    kind="definition",
    title="GNC1, variability within classes",
    source=Source("gnc", "Sec. 2.2"),
    topic="generalised_collapse",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"$\mathcal{GNC}_1 = \frac1K\operatorname{tr}(\Sigma_W\Sigma_B^\dagger)$ with "
            r"$\Sigma_B = \frac1K\sum_k m_k m_k^\top$ and $\Sigma_W = \frac1{nK}\sum_{k,i}"
            r"(h_{k,i} - m_k)(h_{k,i} - m_k)^\top$.",
            remark="The metric `gnc1`. The class means are not centred, though they are in the "
            "paper that it is taken from (`nc1.pinv`). For n = 1 it is zero whatever the features.",
        ),
        Variant(
            "printed",
            "zero means collapse",
            r"If $\mathcal{GNC}_1 = 0$ for unit features, those of a class equal their mean.",
            Claim(
                blind_metric,
                (Field("m", ("K", "p"), "positive"), Field("r", ("K", "q"))),
                {"K": (2, 3), "p": (1, 2), "q": (1, 2)},
            ),
            defect="The pseudo-inverse of Sigma_B sees nothing outside the span of the class "
            "means: variance across it is not counted. The claim takes two unit features a class, "
            "(m, r) and (m, -r) scaled, m of the other sign for every other class.",
        ),
        Variant(
            "corrected",
            "where no deviation is outside the span of the class means",
            r"If all $h_{k,i} - m_k$ lie in the span of the class means, as for $K \ge d$ in "
            r"general, then the mean of $|h_{k,i} - m_k|^2$ is at most $K\,\mathcal{GNC}_1\,"
            r"\frac1K\sum_k|m_k|^2$.",
            Claim(
                seen_variability,
                (Field("m", ("K", "d")), Field("y", ("K", "n", "d"))),
                {"K": (2, 4), "n": (1, 3), "d": (1, 3)},
            ),
            (
                Bound(
                    "mean squared distance of features from their class mean",
                    variability_from_gnc1,
                    "upper",
                ),
            ),
            remark="Attained where the class means span a line. Deviations are written Sigma_B y, "
            "so that no inverse is formed. On the sphere class means have length at most 1, and "
            "GNC1 = 0 is collapse.",
        ),
        Variant(
            "sharp",
            "beside the centred metric",
            r"For deviations in the span of the centred class means the metric with "
            r"$\Sigma_B = \frac1K\sum_k m_k m_k^\top$ is at most the one with centred means.",
            Claim(
                centred_or_not,
                (
                    Field("m", ("K", "d")),
                    Field("y", ("K", "n", "d")),
                    Field("v", ("K", "n", "d"), like="y"),
                ),
                {"K": (2, 4), "n": (1, 3), "d": (1, 3)},
            ),
            remark="Equal where the class means have the mean zero. With d >= K it can be far "
            "larger: the mean of the class means is then one more direction that is counted.",
        ),
    ),
)


# -- GNC2 -----------------------------------------------------------------------------------------


def distance_moves_with_weights(xp: Any, *, w: Any, v: Any, z: Any) -> Judgement:
    """The distance from a point of the others' hull, at two sets of weights."""
    K = w.shape[1]
    of_w, of_v = (norm(xp, rows - rival_points(xp, rows, z)) for rows in (w, v))
    moved = norm(xp, w - v)
    others = xp.stack(
        [xp.max(moved[:, [j for j in range(K) if j != k]], axis=-1) for k in range(K)], axis=1
    )
    return Judgement((), (Comparison("distance", xp.abs(of_w - of_v), moved + others),))


DEFINITION_GNC2 = Statement(
    id="gnc:definition-gnc2",
    kind="definition",
    title="GNC2, the least one-vs-rest distance of the weights",
    source=Source("gnc", "Sec. 2.2"),
    topic="generalised_collapse",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"$\mathcal{GNC}_2 = \rho_{\text{one-vs-rest}}(W)$, to be compared with its largest "
            r"value over unit weights.",
            remark="The metric `gnc2`, of the weights scaled to length 1. Softmax codes need not "
            "be unique, so weights may keep moving among them while the metric rests.",
        ),
        Variant(
            "sharp",
            "it moves no faster than the weights",
            r"The distance of $w_k$ from the hull of the other rows changes by at most "
            r"$|w_k - v_k| + \max_{j \ne k}|w_j - v_j|$ when $W$ becomes $V$, and so does the same "
            r"convex combination's: weights near a Softmax code have $\mathcal{GNC}_2$ near the "
            "optimum.",
            Claim(
                distance_moves_with_weights,
                (
                    Field("w", ("K", "d")),
                    Field("v", ("K", "d"), like="w"),
                    Field("z", ("K", "K"), "positive"),
                ),
                {"K": (2, 4), "d": (1, 4)},
            ),
            remark="Attained by two points that move apart on their line.",
        ),
    ),
)


# -- GNC3 -----------------------------------------------------------------------------------------


@formula(_GNC3)
def variability_from_gnc3(xp: Any, GNC3: Any) -> Any:
    """Upper bound on the variability of unit features within classes from GNC3."""
    kept = xp.maximum(1 - GNC3, 0 * GNC3)
    return 1 - kept * kept


def self_duality(xp: Any, *, w: Any, h: Any) -> Judgement:
    """GNC3 of unit weights and features as mean squared distances."""
    w, h = on_sphere(xp, w), on_sphere(xp, h)
    means = xp.mean(h, axis=2)
    gnc3 = xp.mean(1 - dot(xp, w, means), axis=-1)
    apart = _mean_over_samples(xp, square_norm(xp, w[:, :, None, :] - h))
    spread = _mean_over_samples(xp, square_norm(xp, h - means[:, :, None, :]))
    between = xp.mean(square_norm(xp, w - means), axis=-1)
    return Judgement(
        (),
        (
            Comparison("distance from the weights", apart, 2 * gnc3, "="),
            Comparison("split", between + spread, 2 * gnc3, "="),
            Comparison("variability", spread, variability_from_gnc3(xp, GNC3=gnc3)),
        ),
    )


DEFINITION_GNC3 = Statement(
    id="gnc:definition-gnc3",
    kind="definition",
    title="GNC3, self-duality of weights and class means",
    source=Source("gnc", "Sec. 2.2"),
    topic="generalised_collapse",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"$\mathcal{GNC}_3 = \frac1K\sum_k(1 - w_k^\top m_k)$.",
            remark="The metric `gnc3`, with weights and features scaled to length 1; as given it "
            "is `gnc3.unscaled`, which may be negative, or zero without any alignment.",
        ),
        Variant(
            "sharp",
            "a mean squared distance",
            r"For unit weights and features $2\,\mathcal{GNC}_3$ is the mean of "
            r"$|w_k - h_{k,i}|^2$, and the sum of the means of $|w_k - m_k|^2$ and of "
            r"$|h_{k,i} - m_k|^2$; the latter is at most $1 - (1 - \mathcal{GNC}_3)_+^2$.",
            Claim(
                self_duality,
                (Field("w", ("K", "d")), Field("h", ("K", "n", "d"), like="w")),
                {"K": (2, 4), "n": (1, 3), "d": (1, 4)},
            ),
            (
                Bound(
                    "variability of unit features within classes",
                    variability_from_gnc3,
                    "upper",
                    1,
                ),
            ),
            remark="So GNC3 lies between 0 and 2, and where it vanishes every feature equals the "
            "weights of its class: GNC1 follows.",
        ),
    ),
)


# -- distances of classes (4) ---------------------------------------------------------------------


@formula(_K, _N, _GNC3)
def distance_gap_from_gnc3(xp: Any, K: Any, n: Any, GNC3: Any) -> Any:
    """Upper bound on how far distances of features' hulls are from those of the weights."""
    return 2 * xp.sqrt(n * K * GNC3)


def _distances(xp: Any, w: Any, h: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Of each class the distance of two points of hulls: those of features, and of weights.

    The shares a (B, K, n) are of the own features; b (B, K, K, n) of the features of the others,
    and summed over samples of their weights.
    """
    K = w.shape[1]
    of_features, of_weights = [], []
    for k in range(K):
        rivals = [j for j in range(K) if j != k]
        own = a[:, k] / xp.sum(a[:, k], axis=-1, keepdims=True)
        shares = b[:, k, rivals]
        total = xp.sum(xp.sum(shares, axis=-1), axis=-1)
        shares = shares / total[:, None, None]
        x = xp.sum(own[..., None] * h[:, k], axis=1)
        y = xp.sum(xp.sum(shares[..., None] * h[:, rivals], axis=2), axis=1)
        of_features.append(norm(xp, x - y))
        point = xp.sum(xp.sum(shares, axis=-1)[..., None] * w[:, rivals], axis=1)
        of_weights.append(norm(xp, w[:, k] - point))
    return xp.stack(of_features, axis=1), xp.stack(of_weights, axis=1)


def distances_from_gnc3(xp: Any, *, w: Any, h: Any, a: Any, b: Any) -> Judgement:
    """Distances of hulls of unit features and of unit weights."""
    w, h = on_sphere(xp, w), on_sphere(xp, h)
    K, n = h.shape[1], h.shape[2]
    features, weights = _distances(xp, w, h, a, b)
    gnc3 = xp.mean(square_norm(xp, w[:, :, None, :] - h), axis=-1)
    gnc3 = xp.mean(gnc3, axis=-1) / 2
    gap = distance_gap_from_gnc3(xp, K=0 * gnc3 + K, n=0 * gnc3 + n, GNC3=gnc3)
    apart = xp.abs(features - weights)
    return Judgement((), (Comparison("distance", apart, 0 * apart + column(gap)),))


def distances_near_collapse(xp: Any, *, w: Any, h: Any, a: Any, b: Any) -> Judgement:
    """Distances of hulls of any features and weights, by how far features are from weights."""
    K = h.shape[1]
    features, weights = _distances(xp, w, h, a, b)
    away = xp.max(norm(xp, h - w[:, :, None, :]), axis=-1)
    others = xp.stack(
        [xp.max(away[:, [j for j in range(K) if j != k]], axis=-1) for k in range(K)], axis=1
    )
    return Judgement((), (Comparison("distance", xp.abs(features - weights), away + others),))


def code_distance(best: str) -> Any:
    """Whether a Softmax code has the `best`, "least" or "largest", least one-vs-rest distance."""

    def judge(xp: Any, *, w: Any) -> Judgement:
        rows, K = on_sphere(xp, w), w.shape[1]
        middle = (xp.sum(rows, axis=1)[:, None, :] - rows) / (K - 1)
        distance = xp.min(norm(xp, rows - middle), axis=-1)
        optimum = simplex_bound(xp, d=0 * distance + w.shape[2], K=0 * distance + K)
        sides = (optimum, distance) if best == "least" else (distance, optimum)
        return Judgement((), (Comparison(f"{best} in a Softmax code", *sides),))

    return judge


_HULLS = (
    Field("w", ("K", "d")),
    Field("h", ("K", "n", "d"), like="w"),
    Field("a", ("K", "n"), "positive"),
    Field("b", ("K", "K", "n"), "positive"),
)
_HULL_SIZES = {"K": (2, 4), "n": (1, 3), "d": (1, 3)}
_CODE = (Field("w", ("K", "d")),)
_CODE_SIZES = {"K": (2, 4), "d": (1, 4)}
_FEW = {"d": lambda sizes: max(sizes["d"], sizes["K"] - 1)}

EQ_4 = Statement(
    id="gnc:eq-4",
    kind="equation",
    title="One-vs-rest distances of classes under collapse",
    source=Source("gnc", "(4)"),
    topic="generalised_collapse",
    variants=(
        Variant(
            "printed",
            "as GNC3 vanishes",
            r"For unit weights and features the distance of a class's features from the hull of "
            r"all others tends to that of $w_k$ from the hull of the other weights: they differ by "
            r"at most $2\sqrt{nK\,\mathcal{GNC}_3}$, and so do corresponding convex combinations.",
            Claim(distances_from_gnc3, _HULLS, _HULL_SIZES),
            (
                Bound(
                    "difference of the distances of features and of weights",
                    distance_gap_from_gnc3,
                    "upper",
                ),
            ),
            remark="GNC1 is not needed beside GNC3, and the constant is attained to first order "
            "by two classes of equal weights whose features move apart. For the middle term of (4) "
            "let the weights be the class means (see the sharp variant, which asks for no length). "
            "The text has the features from n classes; they are from K.",
        ),
        Variant(
            "printed",
            "the rightmost term is minimised in a Softmax code",
            r"For $K \le d + 1$ the least of the distances of $w_k$ from the mean of the others is "
            r"at least $\frac{K}{K-1}$, its value at a Softmax code.",
            Claim(code_distance("least"), _CODE, _CODE_SIZES, _FEW),
            defect="A slip: a Softmax code maximises the least of these distances. Equal weights "
            "have distance 0.",
        ),
        Variant(
            "corrected",
            "the least of the rightmost terms is maximised in a Softmax code",
            r"For $K \le d + 1$ the least of the distances of $w_k$ from the mean of the others, "
            r"hence from their hull, is at most $\frac{K}{K-1}$, its value at a Softmax code.",
            Claim(code_distance("largest"), _CODE, _CODE_SIZES, _FEW),
            remark="In other dimensions it is the definition of a Softmax code.",
        ),
        Variant(
            "sharp",
            "near collapse",
            r"For any weights and features the two distances differ by at most "
            r"$\max_i|h_{k,i} - w_k| + \max_{j \ne k,\,i}|h_{j,i} - w_j|$, and so do corresponding "
            "convex combinations.",
            Claim(distances_near_collapse, _HULLS, _HULL_SIZES),
            remark="Every convex combination of weights corresponds to one of features with equal "
            "shares in a class, so the least distances differ by no more. Attained by features "
            "that move apart on a line.",
        ),
    ),
)

STATEMENTS = (DEFINITION_GNC1, DEFINITION_GNC2, DEFINITION_GNC3, EQ_4)
