"""Metrics of K class means, weights and variances: pure functions of small matrices.

Where a metric does not exist for its input, the answer is an `Undefined` that says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ncbounds.measure.door import Floats

_BLOCK_ENTRIES = 2**22


class Undefined(str):
    """The reason why a metric does not exist for this input."""


def unit_rows(rows: Floats) -> Floats:
    """Rows scaled to length 1; none may be zero."""
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def etf_distance(left: Floats, right: Floats) -> float | Undefined:
    """Frobenius distance of left right^T, scaled to norm 1, from the simplex ETF scaled alike.

    | L R^T / |L R^T|_F - (I - 11^T/K)/sqrt(K-1) |_F, in [0, 2]

    Both (K, d). Source: review eq. 7 and 8.

    >>> round(etf_distance(np.eye(3) - 1 / 3, np.eye(3)), 12)
    0.0
    """
    K = len(left)
    return _distance_of_products(left, right, 1 / np.sqrt(K - 1), -1 / (K * np.sqrt(K - 1)))


def frame_distance(left: Floats, right: Floats) -> float | Undefined:
    """Frobenius distance of left right^T, scaled to norm 1, from the identity scaled alike.

    | L R^T / |L R^T|_F - I/sqrt(K) |_F, in [0, 2]

    >>> round(frame_distance(2 * np.eye(3), np.eye(3)), 12)
    0.0
    """
    return _distance_of_products(left, right, 1 / np.sqrt(len(left)), 0.0)


def _distance_of_products(
    left: Floats, right: Floats, on_diagonal: float, everywhere: float
) -> float | Undefined:
    K, left, right = len(left), _near_one(left), _near_one(right)
    norm = np.sqrt(sum(float(np.square(left[rows] @ right.T).sum()) for rows in _blocks(K)))
    if norm == 0:
        return Undefined("weights times class means is zero")
    total = 0.0
    for rows in _blocks(K):
        difference = left[rows] @ right.T / norm - everywhere
        difference[np.arange(len(difference)), np.arange(K)[rows]] -= on_diagonal
        total += float((difference**2).sum())
    return float(np.sqrt(total))


def _near_one(rows: Floats) -> Floats:
    """The same times a power of two, so that products of products neither overflow nor vanish."""
    scaled: Floats = rows * 2.0 ** -float(np.frexp(np.abs(rows).max())[1])
    return scaled


def mean_cdnv(variances: Floats, means: Floats, resolution: float = 0.0) -> float | Undefined:
    """Mean over pairs c != c' of (Var_c + Var_c') / (2 |mu_c - mu_c'|^2).

    `variances` (K,), `means` (K, d) up to a common shift; means no farther apart than `resolution`
    count as equal. Source: review eq. 51.

    >>> mean_cdnv(np.array([1.0, 3.0]), np.array([[0.0], [2.0]]))
    0.5
    """
    found = cdnv_summary(variances, means, resolution)
    return found if isinstance(found, Undefined) else found[0]


def cdnv_summary(
    variances: Floats, means: Floats, resolution: float = 0.0
) -> tuple[float, float] | Undefined:
    """Mean and largest over the pairs of classes; see `mean_cdnv`."""
    K, total, largest = len(means), 0.0, 0.0
    for rows in _blocks(K):
        distances = _squared_distances(means[rows], means)
        distances[np.arange(len(distances)), np.arange(K)[rows]] = np.inf
        if distances.min() <= resolution**2:
            return Undefined("two classes have the same mean")
        values = (variances[rows, None] + variances) / (2 * distances)
        total += float(values.sum())
        largest = max(largest, float(values.max()))
    return total / (K * (K - 1)), largest


def cosine_summary(unit_means: Floats) -> dict[str, float]:
    """Least, mean and largest |A_c|^2 and <A_c, A_c'> over classes and pairs, for A (K, d).

    And how far the latter are from -1/(K-1).

    A_c is the mean of a class' normalised features, so |A_c|^2 is the average cosine over all its
    ordered pairs, a sample with itself included; over pairs of different samples, of n_c, it would
    be (n_c |A_c|^2 - 1)/(n_c - 1). Source: bnwd Sec. 2.2.

    >>> cosine_summary(np.array([[1.0, 0.0], [-0.6, 0.0]]))["cosine.inter.max"]
    -0.6
    """
    intra, inter = np.einsum("ij,ij->i", unit_means, unit_means), over_pairs(unit_means)
    return {
        "cosine.intra.min": float(intra.min()),
        "cosine.intra.mean": float(intra.mean()),
        "cosine.intra.max": float(intra.max()),
        "cosine.inter.max": inter.largest,
        "cosine.inter.mean": inter.mean,
        "cosine.inter.min": inter.least,
        "cosine.inter.deviation": inter.deviation,
    }


class OverPairs(NamedTuple):
    """Inner products of two different rows, summed up over all pairs."""

    least: float
    mean: float
    largest: float
    deviation: float
    """Mean distance from -1/(K-1)."""
    spread: float
    """Standard deviation."""


def over_pairs(rows: Floats) -> OverPairs:
    """Sum up <r_c, r_c'> over the pairs c != c' of K rows r (K, d).

    >>> found = over_pairs(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    >>> found.least, found.largest, round(found.mean, 6), round(found.spread, 6)
    (0.0, 1.0, 0.333333, 0.471405)
    """
    K, least, largest, away, count, mean, squares = len(rows), np.inf, -np.inf, 0.0, 0, 0.0, 0.0
    for block in _blocks(K):
        gram = rows[block] @ rows.T
        own = np.arange(len(gram)), np.arange(K)[block]
        gram[own] = np.inf
        least = min(least, float(gram.min()))
        gram[own] = -np.inf
        largest = max(largest, float(gram.max()))
        gram[own] = -1 / (K - 1)
        away += float(np.abs(gram + 1 / (K - 1)).sum())
        gram[own] = 0.0
        # Means and squares of blocks merge centred (Chan, Golub, LeVeque).
        step = gram.size - len(gram)
        here = float(gram.sum()) / step
        gram -= here
        gram[own] = 0.0
        squares += float(np.square(gram).sum())
        squares += (here - mean) ** 2 * count * step / (count + step)
        count += step
        mean += (here - mean) * step / count
    return OverPairs(least, mean, largest, away / count, float(np.sqrt(squares / count)))


def mean_deviation(rows: Floats) -> float:
    """Mean over pairs c != c' of |<r_c, r_c'> + 1/(K-1)|, for rows r (K, d).

    >>> mean_deviation(np.array([[1.0, 0.0], [-0.6, 0.0]]))
    0.4
    """
    return over_pairs(rows).deviation


def rank_summary(rows: Floats, cutoff: float | None = None) -> dict[str, float] | Undefined:
    """Rank, stable rank and effective rank of a matrix (K, d), from its singular values s.

    Singular values up to `cutoff` count as zero: max(K, d) times the rounding unit of the largest
    one, unless given. The three are, by the ends of their names:

    - ``""``: how many are left;
    - ``".stable"``: sum s^2 / max s^2 = |A|_F^2 / |A|_2^2 (Rudelson, Vershynin 2007);
    - ``".effective"``: e^H, H = - sum p log p of the shares p = s / sum s (Roy, Vetterli 2007).

    Stable rank <= effective rank <= rank, all equal where the singular values that are left are.

    >>> rank_summary(np.diag([2.0, 2.0, 0.0])) == {"": 2.0, ".stable": 2.0, ".effective": 2.0}
    True
    """
    singular = np.linalg.svd(rows, compute_uv=False)
    if cutoff is None:
        cutoff = max(rows.shape) * float(np.finfo(np.float64).eps) * float(singular[0])
    kept = singular[singular > cutoff]
    if len(kept) == 0:
        return Undefined("no singular value is above rounding error")
    kept /= kept[0]
    share = kept / kept.sum()
    return {
        "": float(len(kept)),
        ".stable": float(np.square(kept).sum()),
        ".effective": float(np.exp(-(share * np.log(share)).sum())),
    }


def layer_distance(left: Floats, right: Floats) -> float:
    """Frobenius distance of two matrices, each scaled to norm 1; neither is zero.

    >>> round(layer_distance(np.eye(2), 3 * np.eye(2)), 12)
    0.0
    """
    return float(np.linalg.norm(left / np.linalg.norm(left) - right / np.linalg.norm(right)))


def coefficient_of_variation(rows: Floats) -> float:
    """Standard deviation of the norms of the rows over their mean, which is not zero.

    >>> coefficient_of_variation(np.array([[1.0], [3.0]]))
    0.5
    """
    lengths = np.linalg.norm(rows, axis=1)
    return float(lengths.std() / lengths.mean())


def stacked_alignment(
    weights: Floats, centred_means: Floats, means: Floats
) -> tuple[float, float] | Undefined:
    """Cosine of the stacked centred weights and class means, and its angle in degrees.

    Takes the centred means too, all (K, d): centred weights do not see the offset, and their
    product with it would only bring rounding error. The angle comes from the lengths of sum and
    difference, so that it keeps its digits near 0.
    """
    wdot = weights - weights.mean(axis=0)
    w_norm, m_norm = np.linalg.norm(wdot), np.linalg.norm(means)
    if w_norm <= 1e-15 * np.linalg.norm(weights) or m_norm == 0:
        return Undefined("centred weights or class means are all zero")
    cosine = float((wdot * centred_means).sum() / (w_norm * m_norm))
    u, v = wdot / w_norm, means / m_norm
    angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
    return min(1.0, max(-1.0, cosine)), float(np.degrees(angle))


def least_squared_distances(rows: Floats) -> Floats:
    """Of each row of (K, d) the squared distance to the nearest other row.

    >>> least_squared_distances(np.array([[0.0], [1.0], [3.0]]))
    array([1., 1., 4.])
    """
    K, least = len(rows), np.empty(len(rows))
    for block in _blocks(K):
        distances = _squared_distances(rows[block], rows)
        distances[np.arange(len(distances)), np.arange(K)[block]] = np.inf
        least[block] = distances.min(axis=1)
    return least


def _squared_distances(left: Floats, right: Floats) -> Floats:
    """|l_i - r_j|^2 by matrix product, recomputed by differences where that would cancel."""
    left_norms = np.einsum("ij,ij->i", left, left)[:, None]
    right_norms = np.einsum("ij,ij->i", right, right)
    distances: Floats = left_norms + right_norms - 2 * (left @ right.T)
    i, j = np.nonzero(distances < 1e-2 * (left_norms + right_norms))
    for start in range(0, len(i), 2**14):
        pair = i[start : start + 2**14], j[start : start + 2**14]
        difference = left[pair[0]] - right[pair[1]]
        distances[pair] = np.einsum("ij,ij->i", difference, difference)
    return distances


def _blocks(K: int) -> Iterator[slice]:
    step = max(1, _BLOCK_ENTRIES // K)
    return (slice(start, start + step) for start in range(0, K, step))
