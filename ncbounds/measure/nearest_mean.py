"""Nearest class means: their errors, measured, beside what the class-distance variance guarantees.

A sample goes to the class whose mean is nearest; a tie counts as an error. `nearest_means` measures
features with the means of their own classes, or other features with the same means; `few_shot`
draws a few samples of each class and uses their means, as in transfer to new classes;
`held_out_collapse` measures how near held-out features come to the means. The bounds are those of
`review:eq-51`, `review:eq-52` and `review:eq-54`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.errors import InputError
from ncbounds.measure.door import Floats, Indices, Samples, admit
from ncbounds.measure.moments import ClassMeans, add_by_class, class_means
from ncbounds.theory.transfer import deviations, target_tasks
from ncbounds.theory.transfer.cdnv import saturated

_BLOCK = 4096


@dataclass(frozen=True)
class NearestMeans:
    """Errors of the nearest class mean and their bounds; `held_out` is None without such features.

    `error` is the share of the samples that err. `cdnv` is the mean over the pairs of classes (51).
    `bound_lines` uses variances along the lines between class means, `bound_pairs` the whole
    variances, pair by pair; `bound_classes`, of the nearest other class alone, has no factor K - 1.
    """

    error: float
    held_out: float | None
    cdnv: float
    bound_lines: float
    bound_pairs: float
    bound_classes: float

    @property
    def bound(self) -> float:
        """The best of the bounds, at most 1."""
        return min(self.bound_lines, self.bound_pairs, self.bound_classes, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "bound": self.bound}


def nearest_means(
    features: object, labels: object, held_out: object = None, held_out_labels: object = None
) -> NearestMeans:
    """Measure the nearest-class-mean error of features (n, d) with integer labels (n,).

    `held_out` (m, d) with its labels is classified by the same means; its labels must occur among
    the others. Raises InputError for what `ncbounds.measure` refuses, for class means that
    coincide, and for held-out labels that are unknown.

    Source: review eq. 51 and the definitions of Sec. 4.2.

    >>> found = nearest_means([[-1.0], [0.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> found.error, found.cdnv, round(found.bound, 4)
    (0.0, 0.027777777777777776, 0.1)
    """
    samples = admit(features, labels, None, None)
    sums = NearestMeanSums(class_means(samples))
    for h, index in samples.blocks():
        sums.add(h, index)
    if held_out is not None:
        sums.add_held_out(*_held_out(samples, labels, held_out, held_out_labels))
    return sums.result()


class NearestMeanSums:
    """Sums over samples that come in batches, for `NearestMeans`: K (K + d) numbers.

    Features are kept as steps from the mean of their class: the mean of class j is nearer to a
    sample of class c where its step goes at least half the way along the line between both.

    Raises:
        InputError: class means that coincide.
    """

    def __init__(self, means: ClassMeans) -> None:
        K = len(means.centred)
        self._means = means
        self._apart = np.stack([np.square(means.centred - m).sum(axis=1) for m in means.centred])
        if not self._apart[~np.eye(K, dtype=bool)].min() > 0:
            raise InputError("features", "two class means that coincide", "of distinct class means")
        np.fill_diagonal(self._apart, np.inf)
        self._counts: Floats = np.zeros(K)
        self._errors: Floats = np.zeros(K)
        self._whole: Floats = np.zeros(K)
        self._along: Floats = np.zeros((K, K))
        self._held_out, self._errors_held_out = 0, 0

    def add(self, h: Floats, index: Indices) -> None:
        """Add features (b, d) of the classes `index` (b,) that the means are of."""
        order = np.argsort(index, kind="stable")
        index = index[order]
        steps, along = self._steps(h[order], index)
        squares: Floats = np.einsum("ij,ij->i", steps, steps)
        wrong: Floats = np.any(2 * along >= self._apart[index], axis=1).astype(np.float64)
        add_by_class(self._counts, np.ones(len(index)), index)
        add_by_class(self._errors, wrong, index)
        add_by_class(self._whole, squares, index)
        add_by_class(self._along, np.square(along), index)

    def add_held_out(self, h: Floats, index: Indices) -> None:
        """Add features (b, d) that are only classified by the means."""
        for start in range(0, len(index), _BLOCK):
            own = index[start : start + _BLOCK]
            _, along = self._steps(h[start : start + _BLOCK], own)
            self._errors_held_out += int((2 * along >= self._apart[own]).any(axis=1).sum())
            self._held_out += len(own)

    def result(self) -> NearestMeans:
        """Errors, variances and bounds of what was added."""
        n, K = self._counts, len(self._counts)
        whole, along = self.whole, self._along / n[:, None] / self._apart**2
        shares = n / n.sum()
        return NearestMeans(
            error=float(self._errors.sum() / n.sum()),
            held_out=self._errors_held_out / self._held_out if self._held_out else None,
            cdnv=float(whole[~np.eye(K, dtype=bool)].mean()),
            bound_lines=float(shares @ saturated(4 * along).sum(axis=1)),
            bound_pairs=float(shares @ saturated(4 * whole).sum(axis=1)),
            bound_classes=float(shares @ np.minimum(4 * whole.max(axis=1), 1.0)),
        )

    @property
    def whole(self) -> Floats:
        """Variances of the classes over squared distances to the other means, (K, K)."""
        found: Floats = (self._whole / self._counts)[:, None] / self._apart
        return found

    def _steps(self, h: Floats, index: Indices) -> tuple[Floats, Floats]:
        """h - mu_c, and its inner products with mu_j - mu_c: 0 for j = c."""
        centred = self._means.centred
        steps = h - self._means.anchors[index] - self._means.shifts[index]
        along = steps @ centred.T
        along -= along[np.arange(len(index)), index][:, None]
        return steps, along


@dataclass(frozen=True)
class HeldOutCollapse:
    """How far held-out features are from the class means of the training features.

    `weak` and `strong` are the metrics `nc1.test.weak` and `nc1.test.strong`; `error` is the share
    of the held-out features that the nearest class mean gets wrong.
    """

    weak: float
    strong: float
    error: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data, by the names of the metrics."""
        return {"nc1.test.weak": self.weak, "nc1.test.strong": self.strong, "error": self.error}


def held_out_collapse(
    features: object, labels: object, held_out: object, held_out_labels: object
) -> HeldOutCollapse:
    """Measure weak and strong test-collapse of held-out features (m, d) with labels (m,).

    Means are over the held-out features of a class, then over the classes. On the training features
    themselves `strong` is `nc1.trace`. Raises InputError for what `ncbounds.measure` refuses, for
    class means that are all equal, and for held-out labels that are unknown.

    Source: review Sec. 4.1.

    >>> train, labels = [[-1.0], [1.0]], [0, 1]
    >>> held_out_collapse(train, labels, [[-1.0], [-1.0], [1.0], [1.0]], [0, 1, 0, 1])
    HeldOutCollapse(weak=0.0, strong=2.0, error=0.5)
    """
    samples = admit(features, labels, None, None)
    z, place = _held_out(samples, labels, held_out, held_out_labels)
    x = np.asarray(samples.features, dtype=np.float64)
    centres = np.stack([x[samples.index == c].mean(axis=0) for c in range(samples.K)])
    between = float(((centres - centres.mean(axis=0)) ** 2).sum(axis=1).mean())
    if not between > 0:
        raise InputError("features", "class means that are all equal", "of class means that differ")
    squares = np.stack([((z - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
    own, nearest = squares[np.arange(len(z)), place], squares.min(axis=1)
    weak, strong = (
        float(np.mean([part[place == c].mean() for c in np.unique(place)])) / between
        for part in (nearest, own)
    )
    return HeldOutCollapse(weak, strong, error_rate(z, place, centres))


def _held_out(
    samples: Samples, labels: object, held_out: object, held_out_labels: object
) -> tuple[Floats, Indices]:
    """Held-out features in float64, and the number of the class of each."""
    names = np.unique(np.asarray(labels))
    tested = admit(held_out, held_out_labels, None, None)
    known = np.unique(np.asarray(held_out_labels))
    if tested.d != samples.d or not np.isin(known, names).all():
        raise InputError("held_out", f"d = {tested.d}", f"d = {samples.d} and known labels")
    x = np.asarray(tested.features, dtype=np.float64)
    return x, np.searchsorted(names, known)[tested.index]


def error_rate(x: Floats, index: Indices, centres: Floats) -> float:
    """Share of samples (n, d) that some other centre (K, d) is at least as near as their own."""
    wrong = 0
    for start in range(0, len(x), _BLOCK):
        rows, own = x[start : start + _BLOCK], index[start : start + _BLOCK]
        distances = np.stack([((rows - c) ** 2).sum(axis=1) for c in centres], axis=1)
        at = np.arange(len(rows))
        mine = distances[at, own].copy()
        distances[at, own] = np.inf
        wrong += int((distances.min(axis=1) <= mine).sum())
    return wrong / len(x)


@dataclass(frozen=True)
class FewShot:
    """Error of nearest means of `shots` samples a class over all tasks of `ways` of the classes.

    `error` is a mean over draws with standard error `spread`. `pairs` and `mean` bound it pair by
    pair and by the mean CDNV (`review:eq-54` sharp), `linear` is the printed form, our constant.
    """

    ways: int
    shots: int
    error: float
    spread: float
    cdnv: float
    pairs: float
    mean: float
    linear: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def few_shot(
    features: object, labels: object, ways: int, shots: int, draws: int = 200, seed: int = 0
) -> FewShot:
    """Transfer error (54) to tasks of `ways` classes, estimated, and its bounds.

    Each class is the uniform distribution on its features: a draw takes `ways` classes at random
    and `shots` features of each with replacement, and every feature of these classes is classified
    by the nearest mean. So the bounds hold for the expectation exactly; `spread` says how far the
    estimate may be off. Raises InputError for counts out of range.
    """
    samples = admit(features, labels, None, None)
    for name, value, least, most in (
        ("ways", ways, 2, samples.K),
        ("shots", shots, 1, math.inf),
        ("draws", draws, 2, math.inf),
    ):
        if not least <= value <= most:
            raise InputError(name, value, f"an integer from {least} to {most}")
    x = np.asarray(samples.features, dtype=np.float64)
    sums = NearestMeanSums(class_means(samples))
    sums.add(x, samples.index)
    whole = sums.whole
    classes = [x[samples.index == c] for c in range(samples.K)]
    rng, errors = np.random.default_rng(seed), []
    for _ in range(draws):
        chosen = rng.choice(samples.K, size=ways, replace=False)
        centres = np.stack(
            [classes[c][rng.integers(len(classes[c]), size=shots)].mean(axis=0) for c in chosen]
        )
        errors.append(
            np.mean(
                [error_rate(classes[c], np.full(len(classes[c]), k), centres)
                 for k, c in enumerate(chosen)]
            )
        )  # fmt: skip
    xp = numpy_namespace()
    off = ~np.eye(samples.K, dtype=bool)
    own, other = whole[off], whole.T[off]
    capped = np.minimum(target_tasks.pair_bound(own, other, shots), 1.0)
    V = float(own.mean())
    given = {"t": ways, "n": shots, "V": V}
    return FewShot(
        ways,
        shots,
        float(np.mean(errors)),
        float(np.std(errors, ddof=1) / math.sqrt(draws)),
        V,
        pairs=float((ways - 1) * capped.mean()),
        mean=float(target_tasks.transfer_bound(xp, **given)),
        linear=float(target_tasks.linear_transfer_bound(xp, **given)),
    )


def population_cdnv_bound(
    first: object, second: object, radius: float, delta: float = 0.05, maps: int = 1
) -> float:
    """Bound on the CDNV of two classes from samples (n, d) of the same size; inf without one.

    With probability at least 1 - delta, for features that lie in a ball of the given radius for
    certain, as features scaled to length 1 do, and for `maps` feature maps that were given before
    the samples: so not for the samples that the map was trained on (`review:eq-52`).
    """
    x, y = (np.asarray(rows, dtype=np.float64) for rows in (first, second))
    if x.ndim != 2 or x.shape != y.shape or len(x) < 2:
        raise InputError("second", f"array of shape {y.shape}", f"two or more rows as {x.shape}")
    if not radius > 0 or not 0 < delta < 1 or maps < 1:
        given = f"{radius}, {delta}, {maps}"
        raise InputError("radius, delta, maps", given, "positive, in (0, 1), at least 1")
    separation = deviations.separation_bound(
        numpy_namespace(),
        distance=np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)),
        s_1=((x - x.mean(axis=0)) ** 2).sum(axis=1).mean(),
        s_2=((y - y.mean(axis=0)) ** 2).sum(axis=1).mean(),
        n=np.float64(len(x)),
        R=np.float64(radius),
        H=np.float64(maps),
        delta=np.float64(delta),
    )
    return float(1 / (2 * separation**2)) if separation > 0 else math.inf
