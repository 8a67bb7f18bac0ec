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

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ncbounds.errors import InputError
from ncbounds.measure.door import Floats, Indices, Samples, check_size
from ncbounds.measure.geometry import least_squared_distances

EPSILON = float(np.finfo(np.float64).eps)
#: Features that are not longer count as zero: their squares lose digits, or vanish.
SHORTEST = 1e-150


#: What of a pass is the least over the samples, not a sum.
LEAST = (
    *("shortest", "least_margin", "least_relative_margin", "least_spherical_margin"),
    "shortest_centred",
)


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
    margin: Floats
    """The own logit less the largest of the rivals."""
    relative_margin: Floats
    """The same over |h|."""
    spherical_margin: Floats
    """The own cosine less the largest of the rivals."""
    shortest: Floats
    """The least |h| of all samples, (1,), as are the next three."""
    least_margin: Floats
    least_relative_margin: Floats
    least_spherical_margin: Floats
    largest: Floats
    """The largest magnitude in the features or, where that is in range for sure, less; (1,)."""
    outside: Indices
    """How many labels were no class, (1,)."""
    factors: Floats
    """What a sample of each class counts in each of m scatter matrices, (m, K): 1, and 1/n_c."""
    scatter: Floats
    """(h - anchor)(h - anchor)^T times that factor, summed over all samples, (m, d, d)."""

    @classmethod
    def empty(cls, K: int, d: int, factors: Floats | None = None) -> FirstPass:
        """No sample yet."""
        zeros: dict[str, Any] = {
            f.name: np.zeros((K, d) if f.name in ("anchors", "sums", "unit_sums") else K)
            for f in fields(cls)
        }
        zeros["factors"] = np.zeros((0, K)) if factors is None else factors
        zeros["scatter"] = np.zeros((len(zeros["factors"]), d, d))
        zeros |= {"counts": np.zeros(K, dtype=np.int64)}
        zeros |= {name: np.array([np.inf]) for name in LEAST if name in zeros}
        zeros |= {"largest": np.zeros(1), "outside": np.zeros(1, dtype=np.int64)}
        return cls(**zeros)

    def of_classes(self, rows: Indices) -> FirstPass:
        """The sums of some of the classes."""
        names = [f.name for f in fields(self) if f.name not in ("factors", "scatter")]
        values = {name: getattr(self, name) for name in names}
        kept = {k: v if v.shape == (1,) else v[rows] for k, v in values.items()}
        return FirstPass(**kept, factors=self.factors[:, rows], scatter=self.scatter)


@dataclass(eq=False)
class SecondPass:
    """Sums over the samples of each class, (K,) unless said otherwise; h - mu_c deviates."""

    counts: Indices
    squares: Floats
    """|h - mu_c|^2, of which the first pass knows the sum: whether the samples are the same."""
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
    """The prediction is not the nearest class mean, less: it is not the class."""
    shortest_centred: Floats
    """The least |h - mu| of all samples, (1,)."""
    largest: Floats
    outside: Indices
    """As in the first pass."""

    @classmethod
    def empty(cls, K: int, d: int) -> SecondPass:
        """No sample yet."""
        zeros: dict[str, Any] = {
            f.name: np.zeros((K, d) if f.name == "unit_centred" else K) for f in fields(cls)
        }
        zeros |= {"counts": np.zeros(K, dtype=np.int64)}
        zeros |= {name: np.array([np.inf]) for name in LEAST if name in zeros}
        zeros |= {"largest": np.zeros(1), "outside": np.zeros(1, dtype=np.int64)}
        return cls(**zeros)


@dataclass(frozen=True, eq=False)
class Layer:
    """What the passes use of a last layer."""

    weights: Floats
    bias: Floats
    inverse: Floats
    """1/|w_j|, and 1 for a row of zeros."""
    temperature: float

    @classmethod
    def of(cls, weights: Floats, bias: Floats, temperature: float) -> Layer:
        """The layer of weights (K, d), laid out for products from the left, and bias (K,)."""
        weights, lengths = np.asfortranarray(weights), np.linalg.norm(weights, axis=1)
        return cls(weights, bias, 1 / np.where(lengths > 0, lengths, 1.0), temperature)


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
class Rough:
    """Coordinates of class means in float32, scaled to entries below one by a power of two.

    Let u = 2^-24 and |c_j| <= C. The product of r terms of a point p with c_j, both rounded, less
    |c_j|^2/2 is off by less than (r + 16) u (|p| + C) C (Higham, Accuracy and Stability of
    Numerical Algorithms, Sec. 3.1): where one class mean leads by twice that, it is the nearest.
    """

    scale: float
    coordinates: Any
    """(r + 1, K): the c_j, and -|c_j|^2/2."""
    longest: float
    """C"""

    @classmethod
    def of(cls, coordinates: Floats) -> Rough:
        """The rounded coordinates (K, r)."""
        largest = float(np.abs(coordinates).max(initial=0.0))
        scale = 2.0 ** -float(np.frexp(largest)[1])
        scaled = coordinates * scale
        squares = _squared_norms(scaled)
        rows = np.vstack([scaled.T, -squares / 2]).astype(np.float32)
        return cls(scale, rows, float(np.sqrt(squares.max())))


@dataclass(frozen=True, eq=False)
class Frame:
    """What the second pass uses of the K class means that the first has found.

    An orthonormal basis holds all that is to be whitened, in d dimensions: the r right singular
    vectors of the centred class means, so that a direction in which the means hardly differ keeps
    its digits; then, where it is not in their span, what the mean v of the class means has across.

    The covariance of the means as they are is Sigma_B + v v^T. With y = P e, p = P v and
    P^T P = Sigma_B^+, its pseudo-inverse at e is |y - p t|^2 + t^2, t = <e, v'>/|v'|^2 for the part
    v' of v across the span; and |y - u t|^2 + t^2/(1 + |p|^2), t = <y, u>, u = p/|p| without one
    (Sherman and Morrison 1950; Meyer 1973): sums of squares, so that nothing cancels.
    """

    anchors: Floats
    shifts: Floats
    centred: Floats
    basis: Floats
    """(d, q)"""
    coordinates: Floats
    """(K, r), of the centred class means."""
    half_squares: Floats
    """(K,), of their lengths."""
    scales: Floats
    """(r,): with them squared coordinates add up to |P e|^2, P^T P = Sigma_B^+."""
    along: Floats
    """(q,): its product with coordinates is t."""
    lean: Floats
    """(r,): p or u."""
    left: float
    """The root of what t^2 counts."""
    turned: Floats
    """(r, m): squares of coordinates times it add up to the same for the means centred and weighted
    by the samples; m = 0 where classes of one size make these the centred means."""
    reach: Floats
    """(K,): the nearest class mean is the own one for a square within the span below this."""
    rough: Rough
    rows: Indices
    """(K,): the row of the weights of each class."""
    places: Indices
    """(all classes,): the number of each among the K that have samples, or -1."""

    @property
    def of_means(self) -> Floats:
        """(q, r + 1): squares of coordinates times it add up to those of the means as they are."""
        centred = np.eye(len(self.along), len(self.scales)) * np.sqrt(self.scales)
        y = centred - np.outer(self.along, self.lean)
        return np.hstack([y, self.left * self.along[:, None]])


def class_means(samples: Samples) -> ClassMeans:
    """The means of checked samples."""
    first = FirstPass.empty(samples.K, samples.d)
    for h, index in samples.blocks():
        starts = np.flatnonzero(np.diff(index, prepend=-1))
        new = starts[first.counts[index[starts]] == 0]
        first.anchors[index[new]] = h[new]
        add_by_class(first.counts, np.ones_like(index), index)
        from_anchor = h - first.anchors[index]
        add_by_class(first.sums, from_anchor, index)
        add_by_class(first.squares, _squared_norms(from_anchor), index)
    return means_of(first)


def means_of(first: FirstPass) -> ClassMeans:
    """Class means of the sums of a first pass; no class is empty."""
    K, d = first.anchors.shape
    shifts = first.sums / first.counts[:, None]
    from_first = (first.anchors - first.anchors[0]) + shifts
    centred = from_first - from_first.mean(axis=0)
    spread = np.sqrt((first.squares / first.counts).mean() + _squared_norms(centred).mean())
    return ClassMeans(first.anchors, shifts, centred, max(K, d) * EPSILON * float(spread))


def variances_of(first: FirstPass, means: ClassMeans) -> Floats:
    """The mean squared distance of the samples of each class from its mean, (K,)."""
    variances: Floats = first.squares / first.counts - _squared_norms(means.shifts)
    return np.maximum(variances, 0.0)


def scatter_of(first: FirstPass, means: ClassMeans) -> Floats:
    """Scatter matrices about the class means, (m, d, d), of sums that keep them about anchors."""
    weights = (first.factors * first.counts)[:, :, None]
    moved: Floats = first.scatter - (weights * means.shifts).swapaxes(1, 2) @ means.shifts
    return moved


def frame_of(means: ClassMeans, counts: Indices, rows: Indices, classes: int) -> Frame:
    """Prepare the second pass, of those rows of all classes that have samples."""
    places = np.full(classes, -1)
    places[rows] = np.arange(len(rows))
    K = len(rows)
    cutoff = np.sqrt(K) * means.resolution
    V, scales = principal_directions(means.centred, K - 1, cutoff)
    basis, along, lean, left = _uncentred(V, scales, means)
    coordinates, turned = means.centred @ V, np.empty((len(scales), 0))
    if counts.min() < counts.max():
        # Whitened by the scales before, the means by samples have no thin directions.
        share, whitened = counts / counts.sum(), coordinates * np.sqrt(scales)
        by_samples = (whitened - share @ whitened) * np.sqrt(share)[:, None]
        _, singular, directions = np.linalg.svd(by_samples, full_matrices=False)
        turned = np.sqrt(scales)[:, None] * directions.T / singular
    return Frame(
        anchors=means.anchors,
        shifts=means.shifts,
        centred=means.centred,
        basis=np.ascontiguousarray(basis),
        coordinates=coordinates,
        half_squares=_squared_norms(coordinates) / 2,
        scales=scales,
        along=along,
        lean=lean,
        left=left,
        turned=np.ascontiguousarray(turned),
        reach=least_squared_distances(coordinates) / 4 * (1 - 1e-9),
        rough=Rough.of(coordinates),
        rows=rows,
        places=places,
    )


def _uncentred(
    V: Floats, scales: Floats, means: ClassMeans
) -> tuple[Floats, Floats, Floats, float]:
    """The basis, and `along`, `lean` and `left` of a `Frame`."""
    v, roots = means.uncentred.mean(axis=0), np.sqrt(scales)
    inside = V.T @ v
    across = v - V @ inside
    across -= V @ (V.T @ across)
    p, length = roots * inside, float(np.linalg.norm(across))
    if length > means.resolution + max(means.centred.shape) * EPSILON * float(np.linalg.norm(v)):
        basis = np.hstack([V, (across / length)[:, None]])
        return basis, np.append(np.zeros(len(p)), 1 / length), p, 1.0
    size = float(np.linalg.norm(p))
    u = p / size if size else p
    return V, roots * u, u, float(1 / np.hypot(1, size))


def principal_directions(means: Floats, rank_limit: int, cutoff: float) -> tuple[Floats, Floats]:
    """V, (d, r), with orthonormal columns, and s, with V diag(s) V^T = Sigma_B^+.

    Sigma_B = (1/K) means^T means; its pseudo-inverse comes from the singular values of the (K, d)
    matrix of means, never from a d x d covariance, whose eigenvalues would be squares and drown in
    rounding. Values up to `cutoff` count as zero.
    """
    _, singular, directions = np.linalg.svd(means, full_matrices=False)
    rank = min(rank_limit, int((singular > cutoff).sum()))
    return directions[:rank].T, len(means) / np.square(singular[:rank])


def check_sums(sums: FirstPass | SecondPass, classes: int) -> None:
    """Raise InputError if samples that nobody looked at had labels or numbers out of range."""
    if sums.outside[0]:
        raise InputError("labels", f"{sums.outside[0]} of them outside", f"0 .. {classes - 1}")
    check_size(float(sums.largest[0]))
    for f in fields(sums):
        values = getattr(sums, f.name)
        wrong = np.isnan(values) if f.name in LEAST else ~np.isfinite(values)
        if wrong.any():
            raise InputError("sums", f"NaN or infinity in {f.name}", "finite")


#: A second pass may differ from the first by so much of the deviations and of the features, in root
#: mean square: devices and half precision round differently from run to run.
_OF_DEVIATIONS, _OF_FEATURES = 1e-3, 1e-4


def check_same_samples(first: FirstPass, means: ClassMeans, second: SecondPass) -> None:
    """Raise InputError if the samples of the second pass are not those of the first."""
    if not np.array_equal(second.counts, first.counts):
        shown = f"{second.counts.sum()} in the second pass"
        domain = f"the {first.counts.sum()} of the first pass, with the same labels"
        raise InputError("samples", shown, domain)
    before = np.sqrt(variances_of(first, means))
    after = np.sqrt(second.squares / second.counts)
    near = _OF_DEVIATIONS * before + _OF_FEATURES * np.sqrt(first.squared_norms / first.counts)
    far = np.flatnonzero(np.abs(after - before) > near)
    if len(far):
        c = far[0]
        shown = f"{after[c]:.4g} from a class mean in the second pass, {before[c]:.4g} in the first"
        remedy = "switch off random augmentation, dropout and training between the passes"
        raise InputError("samples", shown, "the same features in both passes", remedy)


def to_host(record: Any) -> Any:
    """The same dataclass with its tensors as arrays."""
    return _converted(record, lambda x: x if isinstance(x, np.ndarray) else x.cpu().numpy())


def to_device(record: Any, device: Any) -> Any:
    """The same dataclass with its arrays as tensors on a device."""
    import torch

    return _converted(record, lambda x: torch.as_tensor(x, device=device))


def _converted(record: Any, convert: Any) -> Any:
    if record is None:
        return None
    values = {f.name: getattr(record, f.name) for f in fields(record)}
    return type(record)(
        **{name: convert(v) if hasattr(v, "shape") else v for name, v in values.items()}
    )


def merge_first(one: FirstPass, other: FirstPass) -> FirstPass:
    """The sums over the samples of both; moments about the second's anchors move to the first's."""
    own = one.counts > 0
    anchors = np.where(own[:, None], one.anchors, other.anchors)
    n = other.counts
    theirs = np.where((own & (n > 0))[:, None], other.anchors, anchors)
    step = theirs - anchors
    turned = turn(np, theirs, step, anchors, inverse_root(np, _squared_norms(theirs)))
    added = {f.name: getattr(one, f.name) + getattr(other, f.name) for f in fields(FirstPass)}
    added["sums"] += n[:, None] * step
    added["squares"] += 2 * np.einsum("ij,ij->i", step, other.sums) + n * _squared_norms(step)
    added["unit_sums"] += n[:, None] * turned
    added["unit_squares"] += 2 * np.einsum("ij,ij->i", turned, other.unit_sums)
    added["unit_squares"] += n * _squared_norms(turned)
    across = other.sums + n[:, None] * step / 2
    cross = (one.factors[:, :, None] * across).swapaxes(1, 2) @ step
    added["scatter"] += cross + cross.swapaxes(1, 2)
    added |= {
        "anchors": anchors,
        "factors": one.factors,
        "largest": np.maximum(one.largest, other.largest),
        **_least(one, other),
    }
    return FirstPass(**added)


def merge_second(one: SecondPass, other: SecondPass) -> SecondPass:
    """The sums over the samples of both."""
    added = {f.name: getattr(one, f.name) + getattr(other, f.name) for f in fields(SecondPass)}
    added |= {"largest": np.maximum(one.largest, other.largest), **_least(one, other)}
    return SecondPass(**added)


def _least(one: Any, other: Any) -> dict[str, Floats]:
    names = [name for name in LEAST if hasattr(one, name)]
    return {name: np.minimum(getattr(one, name), getattr(other, name)) for name in names}


def inverse_root(xp: Any, squares: Any) -> Any:
    """1/sqrt, and 1 for zero and for squares that have lost digits."""
    return 1 / xp.sqrt(xp.where(squares > SHORTEST**2, squares, 1.0))


def turn(xp: Any, h: Any, deviation: Any, start: Any, inverse: Any) -> Any:
    """h/|h| - m/|m| for h = m + deviation, where m is `start` and 1/|h| is `inverse`.

    In units of |h| it is e - m (2<m,e> + |e|^2)/(|m| + |m|^2): no difference of unit vectors is
    formed, so that small ones keep their digits. Of an h shorter than |m|/2, whose deviation has
    lost digits, the difference is formed, of vectors that are as exact as the unit.
    """
    of_start = inverse_root(xp, xp.vecdot(start, start))
    far = inverse > 2 * of_start
    scale = xp.where(far, 0.0, inverse)[:, None]
    e, m = deviation * scale, start * scale
    square = xp.vecdot(m, m)
    total = xp.sqrt(square) + square
    total = xp.where(total > 0, total, 1.0)
    m *= ((2 * xp.vecdot(m, e) + xp.vecdot(e, e)) / total)[:, None]
    apart = h * inverse[:, None] - start * of_start[:, None]
    return xp.where(far[:, None], apart, e - m)


def add_by_class(totals: Any, values: Any, index: Any, factors: Floats | None = None) -> None:
    """totals[c] += sum of values, times their factors, with index c; that of arrays is sorted."""
    if not isinstance(totals, np.ndarray):
        totals.index_add_(0, index, values)
        return
    if values.ndim == 1:
        np.add.at(totals, index, values)
        return
    from scipy.sparse import csr_array

    starts, b = np.flatnonzero(np.diff(index, prepend=-1)), len(index)
    present = index[starts]
    factors = np.ones(b) if factors is None else factors
    indicator = csr_array((factors, np.arange(b), np.append(starts, b)), shape=(len(present), b))
    totals[present] += indicator @ values


def _squared_norms(rows: Floats) -> Floats:
    norms: Floats = np.einsum("ij,ij->i", rows, rows)
    return norms
