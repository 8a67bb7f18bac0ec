"""Sums over samples, by class, in two passes that can be split and merged in any way.

The first pass gathers what needs no class mean; the second, with the class means fixed, what is
asked of deviations from them. Nothing here forms a second moment that is not centred. A class mean
is kept as a sample of the class, its anchor, which is exact, plus the mean difference from it:
where a class has collapsed, or all features share a large offset, the subtraction of two nearby
floats is exact (Sterbenz) and the deviation keeps full relative precision, though the mean itself,
as one float, could not. For n samples of a class |anchor - mean|^2 is at most n times the variance,
since the anchor is one of them: a variance by moments about the anchor loses no more digits than a
sum of n terms may.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ncbounds.measure.door import Floats, Indices, Samples

EPSILON = float(np.finfo(np.float64).eps)


@dataclass(eq=False)
class FirstPass:
    """Sums over the samples of each class, (K,) unless said otherwise."""

    counts: Indices
    anchors: Floats
    """The first sample of each class, (K, d)."""
    sums: Floats
    """h less the anchor, (K, d)."""
    squares: Floats
    """|h - anchor|^2."""
    squared_norms: Floats
    unit_sums: Floats
    """h/|h| less the direction of the anchor, (K, d)."""
    unit_squares: Floats
    """The squared length of that."""
    loss: Floats
    logodds: Floats
    correct: Floats
    spherical_loss: Floats
    shortest: Floats
    """The least |h| of all samples, (1,)."""
    hardmax: Floats
    """The largest of the rivals' cosines less the own one, over all samples, (1,)."""

    @classmethod
    def empty(cls, K: int, d: int) -> FirstPass:
        """No sample yet."""
        zeros: dict[str, Any] = {
            f.name: np.zeros((K, d) if f.name in ("anchors", "sums", "unit_sums") else K)
            for f in fields(cls)
        }
        zeros |= {"counts": np.zeros(K, dtype=np.int64)}
        zeros |= {"shortest": np.array([np.inf]), "hardmax": np.array([-np.inf])}
        return cls(**zeros)


@dataclass(eq=False)
class SecondPass:
    """Sums over the samples of each class, (K,) unless said otherwise; h - mu_c deviates."""

    counts: Indices
    whitened: Floats
    """|P (h - mu_c)|^2, P^T P the pseudo-inverse of the centred between-class covariance."""
    whitened_uncentred: Floats
    whitened_by_samples: Floats
    """The same with means centred and weighted by the samples."""
    unit_centred: Floats
    """(h - mu)/|h - mu|, (K, d)."""
    misplaced: Floats
    """The nearest class mean is not that of the class."""
    disagreement: Floats
    shortest_centred: Floats
    """The least |h - mu| of all samples, (1,)."""

    @classmethod
    def empty(cls, K: int, d: int) -> SecondPass:
        """No sample yet."""
        zeros: dict[str, Any] = {
            f.name: np.zeros((K, d) if f.name == "unit_centred" else K) for f in fields(cls)
        }
        zeros |= {"counts": np.zeros(K, dtype=np.int64), "shortest_centred": np.array([np.inf])}
        return cls(**zeros)


@dataclass(frozen=True, eq=False)
class Layer:
    """What the passes use of a last layer."""

    weights: Floats
    bias: Floats
    temperature: float
    unit: Floats = field(init=False)
    """Rows of length 1, or zero."""

    def __post_init__(self) -> None:
        lengths = np.sqrt(_squared_norms(self.weights))
        object.__setattr__(self, "unit", self.weights * _inverse(lengths)[:, None])


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
class Frame:
    """What the second pass uses of the class means that the first has found."""

    means: ClassMeans
    whitenings: tuple[Floats, ...]
    """Of the class means: centred, as they are, and by samples; each (d, r)."""


def class_means(samples: Samples) -> ClassMeans:
    """The means of checked samples."""
    first = FirstPass.empty(samples.K, samples.d)
    for h, index in samples.blocks():
        add_to_first(first, h, index, None)
    return means_of(first.counts, first.anchors, first.sums, first.squares)


def means_of(counts: Indices, anchors: Floats, sums: Floats, squares: Floats) -> ClassMeans:
    """Class means of the sums of a first pass; no class is empty."""
    K, d = anchors.shape
    shifts = sums / counts[:, None]
    from_first = (anchors - anchors[0]) + shifts
    centred = from_first - from_first.mean(axis=0)
    spread = np.sqrt((squares / counts).mean() + _squared_norms(centred).mean())
    return ClassMeans(anchors, shifts, centred, max(K, d) * EPSILON * float(spread))


def frame_of(means: ClassMeans, counts: Indices) -> Frame:
    """Prepare the second pass."""
    K, d = means.centred.shape
    share = counts / counts.sum()
    by_samples = (means.centred - share @ means.centred) * np.sqrt(K * share)[:, None]
    cutoff = np.sqrt(K) * means.resolution
    P = whitening(means.centred, K - 1, cutoff)
    R = whitening(by_samples, K - 1, cutoff)
    cutoff += max(K, d) * EPSILON * float(np.linalg.norm(means.uncentred))
    return Frame(means, (P, whitening(means.uncentred, K, cutoff), R))


def whitening(means: Floats, rank_limit: int, cutoff: float) -> Floats:
    """P, (d, r), with P P^T = Sigma_B^+ for Sigma_B = (1/K) means^T means.

    From the singular values of the (K, d) matrix of means, never from a d x d covariance, whose
    eigenvalues would be squares and drown in rounding. Values up to `cutoff` count as zero.
    """
    _, singular, directions = np.linalg.svd(means, full_matrices=False)
    rank = min(rank_limit, int((singular > cutoff).sum()))
    P: Floats = directions[:rank].T * (np.sqrt(len(means)) / singular[:rank])
    return P


def add_to_first(total: FirstPass, h: Floats, index: Indices, layer: Layer | None) -> None:
    """Add samples (b, d) of the classes `index`, which is sorted, to the sums of a first pass."""
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    new = starts[total.counts[index[starts]] == 0]
    total.anchors[index[new]] = h[new]
    anchors = total.anchors[index]
    from_anchor = h - anchors
    squared_norms = _squared_norms(h)
    lengths = np.sqrt(squared_norms)
    inverse = _inverse(lengths)
    turned = _unit_deviation(from_anchor, anchors, inverse)
    np.add.at(total.counts, index, 1)
    add_by_class(total.sums, from_anchor, index)
    add_by_class(total.squares, _squared_norms(from_anchor), index)
    add_by_class(total.squared_norms, squared_norms, index)
    add_by_class(total.unit_sums, turned, index)
    add_by_class(total.unit_squares, _squared_norms(turned), index)
    total.shortest[0] = min(total.shortest[0], lengths.min())
    if layer is not None:
        logits = h @ layer.weights.T + layer.bias
        loss, logodds = _cross_entropy(logits, index)
        cosines = (h * inverse[:, None]) @ layer.unit.T
        add_by_class(total.correct, (logits.argmax(axis=1) == index).astype(np.float64), index)
        add_by_class(total.loss, loss, index)
        add_by_class(total.logodds, logodds, index)
        spherical = _cross_entropy(cosines / layer.temperature, index)[0]
        add_by_class(total.spherical_loss, spherical, index)
        total.hardmax[0] = max(total.hardmax[0], _largest_gap(cosines, index))


def add_to_second(
    total: SecondPass,
    h: Floats,
    index: Indices,
    rows: Indices,
    frame: Frame,
    layer: Layer | None,
) -> None:
    """Add samples (b, d) to the sums of a second pass; `rows` (K,) are the classes' weights."""
    means = frame.means
    deviation = h - means.anchors[index]
    deviation -= means.shifts[index]
    for into, P in zip(
        (total.whitened, total.whitened_uncentred, total.whitened_by_samples),
        frame.whitenings,
        strict=True,
    ):
        add_by_class(into, _squared_norms(deviation @ P), index)
    centred = deviation
    centred += means.centred[index]
    nearest = _nearest_class(centred, means.centred)
    np.add.at(total.counts, index, 1)
    add_by_class(total.misplaced, (nearest != index).astype(np.float64), index)
    if layer is not None:
        predicted = (h @ layer.weights.T + layer.bias).argmax(axis=1)
        differ = predicted != rows[nearest]
        add_by_class(total.disagreement, differ.astype(np.float64), index)
    lengths = np.sqrt(_squared_norms(centred))
    total.shortest_centred[0] = min(total.shortest_centred[0], lengths.min())
    add_by_class(total.unit_centred, centred, index, _inverse(lengths))


def merge_first(one: FirstPass, other: FirstPass) -> FirstPass:
    """The sums over the samples of both; moments about the second's anchors move to the first's."""
    own = one.counts > 0
    anchors = np.where(own[:, None], one.anchors, other.anchors)
    n = other.counts
    step = np.where((own & (n > 0))[:, None], other.anchors - anchors, 0.0)
    lengths = np.sqrt(_squared_norms(other.anchors))
    turn = _unit_deviation(step, anchors, _inverse(lengths))
    turn *= (step != 0).any(axis=1)[:, None]
    added = {f.name: getattr(one, f.name) + getattr(other, f.name) for f in fields(FirstPass)}
    added["sums"] += n[:, None] * step
    added["squares"] += 2 * np.einsum("ij,ij->i", step, other.sums) + n * _squared_norms(step)
    added["unit_sums"] += n[:, None] * turn
    added["unit_squares"] += 2 * np.einsum("ij,ij->i", turn, other.unit_sums)
    added["unit_squares"] += n * _squared_norms(turn)
    added |= {
        "anchors": anchors,
        "shortest": np.minimum(one.shortest, other.shortest),
        "hardmax": np.maximum(one.hardmax, other.hardmax),
    }
    return FirstPass(**added)


def merge_second(one: SecondPass, other: SecondPass) -> SecondPass:
    """The sums over the samples of both."""
    added = {f.name: getattr(one, f.name) + getattr(other, f.name) for f in fields(SecondPass)}
    added["shortest_centred"] = np.minimum(one.shortest_centred, other.shortest_centred)
    return SecondPass(**added)


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
