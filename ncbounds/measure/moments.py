"""Two passes over the samples: class means, then everything that is a mean over samples.

Nothing here forms a second moment that is not centred. A class mean is kept as a sample of the
class, which is exact, plus the mean difference from it: where a class has collapsed, or all
features share a large offset, the subtraction of two nearby floats is exact (Sterbenz) and the
deviation keeps full relative precision, though the mean itself, as one float, could not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ncbounds.measure.door import Floats, Indices, Samples

EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class ClassMeans:
    """Means of the classes, all (K, d), and the scale below which a length is rounding error."""

    anchors: Floats
    """One sample of each class."""
    shifts: Floats
    """Class mean minus anchor."""
    centred: Floats
    """Class mean minus the mean of the class means."""
    resolution: float
    """Lengths of centred vectors below this are rounding error."""

    @property
    def uncentred(self) -> Floats:
        """The class means themselves."""
        return self.anchors + self.shifts


@dataclass(frozen=True, eq=False)
class SampleMeans:
    """Means within each class, (K,) unless said otherwise; h - mu_c is the deviation."""

    squared_norm: Floats
    squared_deviation: Floats
    whitened: Floats
    """|P (h - mu_c)|^2, P^T P the pseudo-inverse of the centred between-class covariance."""
    whitened_uncentred: Floats
    whitened_by_samples: Floats
    """The same with means centred and weighted by the samples."""
    unit_centred: Floats
    """(h - mu)/|h - mu|, (K, d)."""
    unit: Floats
    """h/|h|, (K, d)."""
    shortest_centred: float
    """The least |h - mu| of all samples."""
    shortest: float
    """The least |h| of all samples."""
    loss: Floats
    logodds: Floats
    correct: Floats
    disagreement: Floats
    misplaced: Floats
    """The nearest class mean is not that of the class."""
    unit_deviation: Floats
    """Mean of h/|h| less the direction of the class mean, (K, d): small near collapse."""
    squared_unit_deviation: Floats
    """Mean of the squared length of that difference."""
    spherical_loss: Floats
    hardmax: float
    """The largest of the rivals' cosines less the own one, over all samples."""


def class_means(samples: Samples) -> ClassMeans:
    """The first pass: class means relative to a sample of each class."""
    first = samples.order[np.concatenate([[0], np.cumsum(samples.counts)[:-1]])]
    anchors = samples.features[first].astype(np.float64)
    sums, square = np.zeros_like(anchors), np.zeros(samples.K)
    for h, index in samples.blocks():
        from_anchor = h - anchors[index]
        add_by_class(sums, from_anchor, index)
        add_by_class(square, _squared_norms(from_anchor), index)
    shifts = sums / samples.counts[:, None]
    from_first = (anchors - anchors[0]) + shifts
    centred = from_first - from_first.mean(axis=0)
    spread = np.sqrt((square / samples.counts).mean() + _squared_norms(centred).mean())
    resolution = max(samples.K, samples.d) * EPSILON * float(spread)
    return ClassMeans(anchors, shifts, centred, resolution)


def whitening(means: Floats, rank_limit: int, cutoff: float) -> Floats:
    """P, (d, r), with P P^T = Sigma_B^+ for Sigma_B = (1/K) means^T means.

    From the singular values of the (K, d) matrix of means, never from a d x d covariance, whose
    eigenvalues would be squares and drown in rounding. Values up to `cutoff` count as zero.
    """
    _, singular, directions = np.linalg.svd(means, full_matrices=False)
    rank = min(rank_limit, int((singular > cutoff).sum()))
    P: Floats = directions[:rank].T * (np.sqrt(len(means)) / singular[:rank])
    return P


def sample_means(
    samples: Samples, means: ClassMeans, whitenings: tuple[Floats, ...], temperature: float
) -> SampleMeans:
    """The second pass: means within classes of all that is asked of single samples.

    The `whitenings` are those of the class means: centred, as they are, and by samples.
    """
    K, d = samples.K, samples.d
    uncentred, hardmax = means.uncentred, -np.inf
    unit_deviation = np.zeros((K, d))
    unit_weights = None
    if samples.weights is not None:
        unit_weights = samples.weights * _inverse(np.sqrt(_squared_norms(samples.weights)))[:, None]
    scalars = {name: np.zeros(K) for name in _SCALARS}
    unit_centred, unit = np.zeros((K, d)), np.zeros((K, d))
    together = np.hstack(whitenings)
    ends = np.cumsum([P.shape[1] for P in whitenings])
    shortest = shortest_centred = np.inf
    for h, index in samples.blocks():
        deviation = h - means.anchors[index]
        deviation -= means.shifts[index]
        whitened = np.split(deviation @ together, ends[:-1], axis=1)
        parts = {
            "squared_norm": _squared_norms(h),
            "squared_deviation": _squared_norms(deviation),
            "whitened": _squared_norms(whitened[0]),
            "whitened_uncentred": _squared_norms(whitened[1]),
            "whitened_by_samples": _squared_norms(whitened[2]),
        }
        lengths = np.sqrt(parts["squared_norm"])
        away = _unit_deviation(deviation, uncentred[index], _inverse(lengths))
        parts["squared_unit_deviation"] = _squared_norms(away)
        add_by_class(unit_deviation, away, index)
        centred = deviation
        centred += means.centred[index]
        nearest = _nearest_class(centred, means.centred)
        parts["misplaced"] = (nearest != index).astype(np.float64)
        if samples.weights is not None and samples.bias is not None:
            logits = h @ samples.weights.T + samples.bias
            predicted = logits.argmax(axis=1)
            parts["correct"] = (predicted == index).astype(np.float64)
            parts["disagreement"] = (predicted != nearest).astype(np.float64)
            parts["loss"], parts["logodds"] = _cross_entropy(logits, index)
        if unit_weights is not None:
            cosines = (h * _inverse(lengths)[:, None]) @ unit_weights.T
            parts["spherical_loss"] = _cross_entropy(cosines / temperature, index)[0]
            hardmax = max(hardmax, _largest_gap(cosines, index))
        for name, values in parts.items():
            add_by_class(scalars[name], values, index)
        lengths_centred = np.sqrt(_squared_norms(centred))
        shortest = min(shortest, float(lengths.min()))
        shortest_centred = min(shortest_centred, float(lengths_centred.min()))
        add_by_class(unit, h, index, _inverse(lengths))
        add_by_class(unit_centred, centred, index, _inverse(lengths_centred))
    counts = samples.counts
    return SampleMeans(
        **{name: total / counts for name, total in scalars.items()},
        unit_centred=unit_centred / counts[:, None],
        unit=unit / counts[:, None],
        shortest_centred=shortest_centred,
        shortest=shortest,
        unit_deviation=unit_deviation / counts[:, None],
        hardmax=hardmax,
    )


_SCALARS = (
    "squared_norm",
    "squared_deviation",
    "whitened",
    "whitened_uncentred",
    "whitened_by_samples",
    "misplaced",
    "loss",
    "logodds",
    "correct",
    "disagreement",
    "squared_unit_deviation",
    "spherical_loss",
)


def add_by_class(
    totals: Floats, values: Floats, index: Indices, factors: Floats | None = None
) -> None:
    """totals[c] += sum of values, times their factors, with index c; the index is sorted."""
    from scipy.sparse import csr_array

    starts = np.flatnonzero(np.diff(index, prepend=-1))
    present, b = index[starts], len(index)
    if values.ndim == 1:
        totals[present] += np.add.reduceat(values, starts)
        return
    factors = np.ones(b) if factors is None else factors
    indicator = csr_array((factors, np.arange(b), np.append(starts, b)), shape=(len(present), b))
    totals[present] += indicator @ values


def _squared_norms(rows: Floats) -> Floats:
    norms: Floats = np.einsum("ij,ij->i", rows, rows)
    return norms


def _inverse(lengths: Floats) -> Floats:
    inverse: Floats = 1 / np.where(lengths > 0, lengths, 1.0)
    return inverse


def _nearest_class(points: Floats, centres: Floats) -> Indices:
    nearest: Indices = (points @ centres.T - _squared_norms(centres) / 2).argmax(axis=1)
    return nearest


def _unit_deviation(deviation: Floats, means: Floats, inverse: Floats) -> Floats:
    """h/|h| - m/|m| for h = m + deviation, where 1/|h| is `inverse`.

    In units of |h| it is e - m (2<m,e> + |e|^2)/(|m| + |m|^2): no difference of unit vectors is
    formed, so that small ones keep their digits.
    """
    e, m = deviation * inverse[:, None], means * inverse[:, None]
    length = np.sqrt(_squared_norms(m))
    turned = (2 * np.einsum("ij,ij->i", m, e) + _squared_norms(e)) * _inverse(length + length**2)
    found: Floats = e - m * turned[:, None]
    return found


def _largest_gap(cosines: Floats, index: Indices) -> float:
    """The largest of the rivals' cosines less the own one."""
    rows = np.arange(len(index))
    gaps = cosines - cosines[rows, index][:, None]
    gaps[rows, index] = -np.inf
    return float(gaps.max())


def _cross_entropy(logits: Floats, index: Indices) -> tuple[Floats, Floats]:
    """Loss log(1 + e^a) and log(K-1) - a, a the log-sum-exp of the rivals' logits less the own.

    Exact for tiny losses too, where 1 - probability would be zero.
    """
    rows = np.arange(len(index))
    rivals = logits - logits[rows, index][:, None]
    rivals[rows, index] = -np.inf
    largest = rivals.max(axis=1)
    a = largest + np.log(np.exp(rivals - largest[:, None]).sum(axis=1))
    loss: Floats = np.logaddexp(0.0, a)
    return loss, np.log(logits.shape[1] - 1) - a
