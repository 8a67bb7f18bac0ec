"""Measure how far features and weights are from neural collapse, by every name in METRICS."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from html import escape
from importlib import import_module
from typing import Any, Literal

import numpy as np

from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.measure.definitions import METRICS
from ncbounds.measure.door import Floats, Indices, admit_layer
from ncbounds.measure.geometry import (
    Undefined,
    cdnv_summary,
    coefficient_of_variation,
    cosine_summary,
    etf_distance,
    frame_distance,
    layer_distance,
    mean_deviation,
    over_pairs,
    rank_summary,
    stacked_alignment,
    unit_rows,
)
from ncbounds.measure.moments import (
    EPSILON,
    SHORTEST,
    ClassMeans,
    FirstPass,
    Frame,
    Layer,
    SecondPass,
    frame_of,
    scatter_of,
    variances_of,
)

Values = dict[str, float | Undefined]


@dataclass(frozen=True)
class Measurement:
    """Metrics of n features of dimension d in K classes; `METRICS` says what each name means.

    `undefined` names the metrics that do not exist for this input, each with the reason.
    """

    n: int
    d: int
    K: int
    metrics: dict[str, float]
    undefined: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: n, d, K, metrics, and undefined where there is any."""
        shown: dict[str, Any] = {"n": self.n, "d": self.d, "K": self.K}
        shown["metrics"] = dict(self.metrics)
        return shown | ({"undefined": dict(self.undefined)} if self.undefined else {})

    def select(self, *patterns: str) -> Measurement:
        """The metrics whose names match one of the patterns, such as ``"nc1.*"``.

        Raises:
            InputError: a pattern that no name in `METRICS` matches.
        """
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in METRICS):
                raise InputError("metrics", pattern, "a pattern that a name in METRICS matches")
        kept = {name for name in METRICS if any(fnmatchcase(name, p) for p in patterns)}
        return replace(
            self,
            metrics={name: value for name, value in self.metrics.items() if name in kept},
            undefined={name: why for name, why in self.undefined.items() if name in kept},
        )

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each metric: value, what it is, direction, source.

        What is undefined has the value NaN and its reason in the column `undefined`.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        try:
            pandas: Any = import_module("pandas")
        except ImportError as error:
            raise MissingDependencyError("pandas is missing: pip install pandas") from error
        names = [name for name in METRICS if name in self.metrics or name in self.undefined]
        columns = {
            "value": [self.metrics.get(name, np.nan) for name in names],
            "what": [METRICS[name].what for name in names],
            "direction": [METRICS[name].direction for name in names],
            "source": [METRICS[name].source for name in names],
            "undefined": [self.undefined.get(name, "") for name in names],
        }
        return pandas.DataFrame(columns, index=pandas.Index(names, name="metric"))

    def __str__(self) -> str:
        """A line for each metric: its name, its value, what it is."""
        lines = [f"n = {self.n}, d = {self.d}, K = {self.K}"]
        lines += [f"{k:28} {v:<12.6g} {METRICS[k].what}" for k, v in self.metrics.items()]
        lines += [f"{k:28} undefined    {why}" for k, why in self.undefined.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [(name, f"{value:.6g}") for name, value in self.metrics.items()]
        rows += [(name, f"undefined: {reason}") for name, reason in self.undefined.items()]
        body = "".join(
            f"<tr><td><code>{escape(name)}</code></td><td>{escape(value)}</td>"
            f"<td>{escape(METRICS[name].what)} ({escape(METRICS[name].source)})</td></tr>"
            for name, value in rows
        )
        head = f"<caption>n = {self.n}, d = {self.d}, K = {self.K}</caption>"
        return f"<table>{head}{body}</table>"


def select(patterns: str | Collection[str]) -> tuple[str, ...]:
    """The names of the metrics that match any of the patterns, in the order of `METRICS`.

    Raises:
        InputError: a pattern that matches none.

    >>> select(["nc2.equi*", "alpha"])
    ('nc2.equiangular', 'nc2.equiangular.weights', 'nc2.equinorm', 'nc2.equinorm.weights', 'alpha')
    """
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in METRICS):
            raise InputError("metrics", repr(pattern), "the name of a metric, or a pattern")
    return tuple(name for name in METRICS if any(fnmatchcase(name, p) for p in patterns))


def evaluate(
    first: FirstPass,
    means: ClassMeans,
    second: tuple[SecondPass, Frame] | None,
    layer: Layer | None,
    rows: Indices,
) -> Measurement:
    """All metrics of the sums of one pass or of both, of classes none of which is empty.

    Parameters:
        first: sums of K classes.
        means: their class means.
        second: sums of the same samples and what they were gathered with, or None: then NC1 comes
            from the scatter matrix, if the first pass kept it.
        layer: the last layer, whose weights may have more rows.
        rows: (K,), the row of the weights of each class.

    Returns:
        `Measurement`; what needs a second pass is undefined without one.
    """
    values = _of_first_pass(first, means)
    if second is not None:
        values |= _of_second_pass(*second, means)
    elif len(first.scatter):
        values |= _of_scatter(first, means)
    if layer is not None:
        W = layer.weights[rows]
        values |= _of_weights(layer.weights) | _of_weights_beside_means(W, means)
        values |= _of_predictions(first, layer) | _of_cosines(first, W)
        if second is not None:
            values |= _of_predictions_beside_means(first, second[0], W, means)
    for name, metric in METRICS.items():
        if (
            metric.passes == 2
            and second is None
            and (layer is not None or not metric.needs_weights)
        ):
            values.setdefault(name, Undefined("needs a second pass over the samples"))
    K, d = first.anchors.shape
    return _measurement(int(first.counts.sum()), d, K, values)


def measure_weights(weights: object, bias: object = None) -> Measurement:
    """The metrics that need nothing but the weights of the last layer; n is 0.

    Parameters:
        weights: (K, d), a row for each class.
        bias: (K,), checked and of no influence.

    Raises:
        InputError: misshapen or not finite.

    >>> measure_weights([[2.0, -1.0, -1.0], [-1.0, 2.0, -1.0], [-1.0, -1.0, 2.0]]).metrics["beta"]
    2.449489742783178
    """
    W, _ = admit_layer(weights, bias)
    if W is None:
        raise InputError("weights", "missing", "given")
    return _measurement(0, W.shape[1], len(W), _of_weights(W))


def _measurement(n: int, d: int, K: int, values: Values) -> Measurement:
    metrics = {k: float(values[k]) for k in METRICS if k in values and not _missing(values[k])}
    undefined = {k: str(values[k]) for k in METRICS if k in values and _missing(values[k])}
    return Measurement(n, d, K, metrics, undefined)


def _missing(value: float | Undefined) -> bool:
    return isinstance(value, Undefined)


def _of_first_pass(first: FirstPass, means: ClassMeans) -> Values:
    """Metrics of features and labels that need no deviation from a class mean."""
    n = first.counts
    variances = variances_of(first, means)
    within = float(variances.mean())
    alpha = float(np.sqrt((first.squared_norms / n).mean()))
    between = float(np.square(means.centred).sum(axis=1).mean())
    spread = float(np.sqrt(within + between))
    values: Values = {"alpha": alpha, "alpha.centred": spread}
    pairs = cdnv_summary(variances, means.centred, 2 * means.resolution)
    apart = (pairs, pairs) if isinstance(pairs, Undefined) else pairs
    values |= {"cdnv.mean": apart[0], "cdnv.max": apart[1]}
    zero = Undefined("all features are zero")
    values["nc1.relative"] = within / alpha**2 if alpha else zero
    values["nc2.gram"] = mean_deviation(means.uncentred / alpha) if alpha else zero
    values["nc1.relative.centred"] = within / spread**2 if spread > means.resolution else _SAME
    flat = np.linalg.norm(means.centred) <= np.sqrt(len(n)) * means.resolution
    values["nc1.trace"] = _SAME if flat else within / between
    uncentred = means.uncentred
    nil = Undefined("all class means are zero")
    values["nc2.orthogonal"] = frame_distance(uncentred, uncentred) if uncentred.any() else nil
    moved = np.square(first.unit_sums / n[:, None]).sum(axis=1)
    values["nc1.spherical"] = (
        max(0.0, float((first.unit_squares / n - moved).mean()))
        if (none := _zero_feature(first)) is None
        else none
    )
    values |= _ranks_of(means.centred, "rank.means", np.sqrt(len(n)) * means.resolution)
    values["nc2.etf.unscaled"] = _SAME if flat else etf_distance(means.centred, means.centred)
    if (centre := _central_class(means)) is not None:
        values |= dict.fromkeys(_OF_DIRECTIONS, centre)
    else:
        directions = unit_rows(means.centred)
        values["nc2.etf"] = etf_distance(directions, directions)
        values |= _cosines_of(directions, "means")
        values["nc2.equinorm"] = coefficient_of_variation(means.centred)
    return values


def _of_second_pass(second: SecondPass, frame: Frame, means: ClassMeans) -> Values:
    """Metrics of the deviations from class means."""
    n, K = second.counts, len(second.counts)
    share = n / n.sum()
    centred, uncentred = len(frame.scales), frame.basis.shape[1]
    whitened = second.whitened / n / K
    values: Values = {
        "ncc.error": float(second.misplaced.sum() / n.sum()),
        "ncc.error.balanced": float((second.misplaced / n).mean()),
        "nc1.pinv": float(whitened.mean()) if centred else _SAME,
        "nc1.pinv.samples": float(whitened @ share) if centred else _SAME,
        "nc1.fuzziness": float(second.whitened_by_samples.sum() / n.sum()) if centred else _SAME,
        "gnc1": float((second.whitened_uncentred / n).mean() / K)
        if uncentred
        else Undefined("all class means are zero"),
    }
    if second.shortest_centred <= means.resolution:
        names = (name for name in METRICS if name.startswith("cosine.in"))
        return values | dict.fromkeys(names, _AT_MEAN)
    return values | cosine_summary(second.unit_centred / n[:, None])


def _of_scatter(first: FirstPass, means: ClassMeans) -> Values:
    """NC1 from the scatter about the class means, whose small eigenvalues have lost digits."""
    n, K = first.counts, len(first.counts)
    scatter, frame = scatter_of(first, means), frame_of(means, n, np.arange(K), K)

    def whitened(matrix: Floats, columns: Floats) -> float:
        """tr(P^T S P): the sum of |P^T e|^2 over the samples."""
        P = frame.basis @ columns
        return max(0.0, float((P * (matrix @ P)).sum()))

    q, r = frame.basis.shape[1], len(frame.scales)
    of_centred = np.eye(q, r) * np.sqrt(frame.scales)
    of_samples = np.vstack([frame.turned, np.zeros((q - r, frame.turned.shape[1]))])
    if n.min() == n.max():
        by_class, of_samples = scatter[0] / n[0], of_centred
    else:
        by_class = scatter[1] if len(scatter) > 1 else None
    values: Values = dict.fromkeys(("nc1.pinv", "gnc1"), _UNEQUAL)
    values["nc1.pinv.samples"] = whitened(scatter[0], of_centred) / n.sum() / K
    values["nc1.fuzziness"] = whitened(scatter[0], of_samples) / n.sum()
    if by_class is not None:
        values["nc1.pinv"] = whitened(by_class, of_centred) / K**2
        values["gnc1"] = whitened(by_class, frame.of_means) / K**2
    if not r:
        values |= dict.fromkeys(("nc1.pinv", "nc1.pinv.samples", "nc1.fuzziness"), _SAME)
    return values if q else values | {"gnc1": Undefined("all class means are zero")}


_SAME = Undefined("all class means are equal")
_UNEQUAL = Undefined(
    "classes of unequal size: tell the counts, scatter=counts, or make a second pass"
)
_AT_MEAN = Undefined("a feature equals the global mean")


_OF_DIRECTIONS = (
    *("nc2.etf", "nc2.cosine", "nc2.equiangular", "nc2.equinorm"),
    *("cosine.means.max", "cosine.means.mean", "cosine.means.min"),
)


def _cosines_of(directions: Floats, what: Literal["means", "rows"]) -> Values:
    """Cosines of unit vectors over all pairs, of centred class means or rows of the weights."""
    pairs, end = over_pairs(directions), ".weights" if what == "rows" else ""
    return {
        f"nc2.cosine{end}": pairs.deviation,
        f"nc2.equiangular{end}": pairs.spread,
        f"cosine.{what}.max": pairs.largest,
        f"cosine.{what}.mean": pairs.mean,
        f"cosine.{what}.min": pairs.least,
    }


def _ranks_of(rows: Floats, name: str, cutoff: float | None = None) -> Values:
    """The three ranks of a matrix, under names that begin alike."""
    found = rank_summary(rows, cutoff)
    ends = ("", ".stable", ".effective")
    return {name + end: found if isinstance(found, Undefined) else found[end] for end in ends}


def _of_weights(W: Floats) -> Values:
    """Metrics of the weights alone."""
    from ncbounds.codes.margin import least_one_vs_rest_distance

    beta = float(np.linalg.norm(W) / np.sqrt(len(W)))
    centre = W.mean(axis=0)
    zero = None if W.any() else Undefined("all weights are zero")
    values: Values = {
        "beta": beta,
        "centre.weights": zero or float(centre @ centre) / beta**2,
        "nc2.etf.weights": zero or etf_distance(W, W),
        "nc2.equinorm.weights": zero or coefficient_of_variation(W),
    }
    values |= _ranks_of(W, "rank.weights")
    reason = _zero_weights(W)
    values["gnc2"] = reason or least_one_vs_rest_distance(W, normalise=True)[0]
    if reason is not None:
        return values | dict.fromkeys(_OF_ROWS, reason)
    return values | _cosines_of(unit_rows(W), "rows")


_OF_ROWS = (
    *("nc2.cosine.weights", "nc2.equiangular.weights"),
    *("cosine.rows.max", "cosine.rows.mean", "cosine.rows.min"),
)


def _of_weights_beside_means(W: Floats, means: ClassMeans) -> Values:
    """Self-duality: the weights of the classes beside the class means and their directions."""
    zero = None if W.any() else Undefined("all weights are zero")
    flat = np.linalg.norm(means.centred) <= means.resolution
    same = zero or (_SAME if flat else None)
    values: Values = {
        "nc3.etf.unscaled": same or etf_distance(W, means.centred),
        "nc3.distance": same or layer_distance(W, means.centred),
        "nc3.orthogonal": zero or frame_distance(W, means.uncentred),
        "gnc3.unscaled": 1 - float((W * means.uncentred).sum(axis=1).mean()),
    }
    for suffix, uncentred in (("", means.uncentred), (".centred", means.centred)):
        aligned = stacked_alignment(W, means.centred, uncentred)
        cosine, angle = (aligned, aligned) if isinstance(aligned, Undefined) else aligned
        values |= {f"nc3.cosine{suffix}": cosine, f"nc3.angle{suffix}": angle}
    if (centre := _central_class(means)) is not None:
        return values | dict.fromkeys(("nc3.etf", "nc3.distance.directions"), centre)
    directions = unit_rows(means.centred)
    values["nc3.etf"] = etf_distance(W, directions)
    values["nc3.distance.directions"] = zero or layer_distance(W, directions)
    return values


def _of_predictions(first: FirstPass, layer: Layer) -> Values:
    """Losses and accuracy, of logits of all rows of the weights."""
    n = first.counts
    values: Values = {
        "loss.cross_entropy": float((first.loss / n).mean()),
        "loss.cross_entropy.samples": float(first.loss.sum() / n.sum()),
        "logodds.mean": float((first.logodds / n).mean()),
        "accuracy": float(first.correct.sum() / n.sum()),
        "accuracy.balanced": float((first.correct / n).mean()),
    }
    reason = _zero_feature(first) or _zero_weights(layer.weights)
    spherical = float((first.spherical_loss / n).mean())
    values["loss.cross_entropy.spherical"] = reason or spherical
    values["loss.hardmax"] = reason or -float(first.least_spherical_margin[0])
    values["margin.mean"] = float((first.margin / n).mean())
    values["margin.min"] = float(first.least_margin[0])
    values["margin.spherical.mean"] = reason or float((first.spherical_margin / n).mean())
    beta = float(np.linalg.norm(layer.weights) / np.sqrt(len(layer.weights)))
    none = _zero_feature(first) or (None if beta else Undefined("all weights are zero"))
    values["margin.relative.mean"] = none or float((first.relative_margin / n).mean()) / beta
    values["margin.relative.min"] = none or float(first.least_relative_margin[0]) / beta
    return values


def _of_cosines(first: FirstPass, W: Floats) -> Values:
    """Cosines of features and the weights of their classes."""
    zero = _zero_feature(first)
    unit = _directions(first.anchors) + first.unit_sums / first.counts[:, None]
    of_weights = zero or _mean_product(W, unit)
    return {
        "gnc3": of_weights if isinstance(of_weights, Undefined) else 1 - of_weights,
        "cosine.weights.mean": zero or _mean_product(W - W.mean(axis=0), unit, W),
    }


def _of_predictions_beside_means(
    first: FirstPass, second: SecondPass, W: Floats, means: ClassMeans
) -> Values:
    """Predictions beside the nearest class mean, and cosines of centred features and weights."""
    n = second.counts
    differing = n - first.correct + second.disagreement
    at_mean = _AT_MEAN if second.shortest_centred <= means.resolution else None
    unit = second.unit_centred / n[:, None]
    return {
        "nc4.disagreement": float(differing.sum() / n.sum()),
        "nc4.disagreement.balanced": float((differing / n).mean()),
        "cosine.weights.mean.centred": at_mean or _mean_product(W - W.mean(axis=0), unit, W),
    }


def _mean_product(rows: Floats, unit: Floats, scale: Floats | None = None) -> float | Undefined:
    """Mean over the classes of the product of the directions of rows and mean unit vectors."""
    return _zero_weights(rows, scale) or float((unit_rows(rows) * unit).sum(axis=1).mean())


def _zero_feature(first: FirstPass) -> Undefined | None:
    return None if first.shortest > SHORTEST else Undefined("a feature is zero")


def _directions(rows: Floats) -> Floats:
    """Rows scaled to length 1, or zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    directions: Floats = rows / np.where(lengths > 0, lengths, 1.0)
    return directions


def _central_class(means: ClassMeans) -> Undefined | None:
    """Why the class means have no directions from their centre, if so."""
    lengths = np.linalg.norm(means.centred, axis=1)
    if lengths.min() > means.resolution:
        return None
    return Undefined(f"class number {lengths.argmin()} has its mean at the global mean")


def _zero_weights(rows: Floats, scale: Floats | None = None) -> Undefined | None:
    """Why rows have no directions, if so: zero, or rounding error of rows like `scale`."""
    lengths = np.linalg.norm(rows, axis=1)
    floor = 0.0 if scale is None else 8 * EPSILON * float(np.linalg.norm(scale, axis=1).max())
    if lengths.min() > floor:
        return None
    centred = "" if scale is None else "centred "
    return Undefined(f"row {lengths.argmin()} of the {centred}weights is zero")
