"""Measure how far features and weights are from neural collapse, by every name in METRICS."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from ncbounds.measure.definitions import METRICS
from ncbounds.measure.door import Floats, Samples, admit, check_temperature
from ncbounds.measure.geometry import (
    Undefined,
    cdnv_summary,
    coefficient_of_variation,
    cosine_spread,
    cosine_summary,
    etf_distance,
    frame_distance,
    layer_distance,
    mean_deviation,
    stacked_alignment,
    unit_rows,
)
from ncbounds.measure.moments import (
    EPSILON,
    ClassMeans,
    SampleMeans,
    class_means,
    sample_means,
    whitening,
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


def measure(
    features: object,
    labels: object,
    weights: object = None,
    bias: object = None,
    *,
    temperature: float = 1.0,
) -> Measurement:
    """All neural-collapse metrics of features, labels and, if given, the last layer.

    Each metric's formula and source are in `METRICS`. Computed in float64 whatever the input,
    from centred second moments, a block of samples at a time: no float64 copy of the features.

    Parameters:
        features: (n, d) array or tensor of any real type, of classes of any sizes in any order.
        labels: (n,) integers. Without weights any integers name the classes; with weights the
            label is the row of the weights, and each of 0 .. K-1 occurs.
        weights: (K, d) weights of the last layer.
        bias: (K,) bias of the last layer.
        temperature: of `loss.cross_entropy.spherical`, from 1e-6 to 1e6; no other metric uses it.

    Returns:
        `Measurement` with n, d, K and the metrics. Those that need weights are absent without
        weights; those that do not exist for the input are named in `undefined` with the reason.

    Raises:
        InputError: empty, not finite or misshapen input, fewer than two classes, labels that are
            not integers or not rows of the weights, a row of the weights without any sample, a
            temperature outside its range.

    Source: review eq. 4-9 and 51, bnwd Sec. 2, gnc Sec. 2.2.

    >>> result = measure([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]], [0, 0, 1, 1])
    >>> result.metrics["cdnv.mean"], result.metrics["nc2.etf"]
    (0.0625, 0.0)
    """
    check_temperature(temperature)
    samples = admit(features, labels, weights, bias)
    means = class_means(samples)
    of_samples, ranks = _second_pass(samples, means, temperature)
    values = _metrics_of_features(samples, means, of_samples, ranks)
    if samples.weights is not None:
        values |= _metrics_of_weights(samples.weights, means)
        values |= _metrics_of_predictions(samples, samples.weights, of_samples, means)
    metrics = {k: float(values[k]) for k in METRICS if k in values and not _missing(values[k])}
    undefined = {k: str(values[k]) for k in METRICS if k in values and _missing(values[k])}
    return Measurement(samples.n, samples.d, samples.K, metrics, undefined)


def _missing(value: float | Undefined) -> bool:
    return isinstance(value, Undefined)


def _second_pass(
    samples: Samples, means: ClassMeans, temperature: float
) -> tuple[SampleMeans, tuple[int, int]]:
    """Means over samples, and the ranks of the centred and uncentred between-class covariance."""
    K, d = samples.K, samples.d
    share = samples.counts / samples.n
    by_samples = (means.centred - share @ means.centred) * np.sqrt(K * share)[:, None]
    uncentred = means.uncentred
    cutoff = np.sqrt(K) * means.resolution
    P = whitening(means.centred, K - 1, cutoff)
    R = whitening(by_samples, K - 1, cutoff)
    cutoff += max(K, d) * EPSILON * float(np.linalg.norm(uncentred))
    Q = whitening(uncentred, K, cutoff)
    return sample_means(samples, means, (P, Q, R), temperature), (P.shape[1], Q.shape[1])


def _metrics_of_features(
    samples: Samples, means: ClassMeans, of_samples: SampleMeans, ranks: tuple[int, int]
) -> Values:
    """Metrics of features and labels alone."""
    share = samples.counts / samples.n
    within = float(of_samples.squared_deviation.mean())
    alpha = float(np.sqrt(of_samples.squared_norm.mean()))
    between = float(np.square(means.centred).sum(axis=1).mean())
    spread = float(np.sqrt(within + between))
    values: Values = {"alpha": alpha, "alpha.centred": spread}
    pairs = cdnv_summary(of_samples.squared_deviation, means.centred, 2 * means.resolution)
    apart = (pairs, pairs) if isinstance(pairs, Undefined) else pairs
    values |= {"cdnv.mean": apart[0], "cdnv.max": apart[1]}
    values["ncc.error"] = _count(of_samples.misplaced, samples) / samples.n
    values["ncc.error.balanced"] = float(of_samples.misplaced.mean())
    zero = Undefined("all features are zero")
    values["nc1.relative"] = within / alpha**2 if alpha else zero
    values["nc2.gram"] = mean_deviation(means.uncentred / alpha) if alpha else zero
    same = Undefined("all class means are equal")
    values["nc1.relative.centred"] = within / spread**2 if spread > means.resolution else same
    whitened = of_samples.whitened / samples.K
    values["nc1.pinv"] = float(whitened.mean()) if ranks[0] else same
    values["nc1.pinv.samples"] = float(whitened @ share) if ranks[0] else same
    values["nc1.fuzziness"] = float(of_samples.whitened_by_samples @ share) if ranks[0] else same
    values["nc1.trace"] = within / between if ranks[0] else same
    nil = Undefined("all class means are zero")
    uncentred = means.uncentred
    values["nc2.orthogonal"] = frame_distance(uncentred, uncentred) if uncentred.any() else nil
    by_means = of_samples.whitened_uncentred / samples.K
    values["gnc1"] = float(by_means.mean()) if ranks[1] else nil
    moved = np.square(of_samples.unit_deviation).sum(axis=1)
    values["nc1.spherical"] = (
        max(0.0, float((of_samples.squared_unit_deviation - moved).mean()))
        if of_samples.shortest > 0
        else Undefined("a feature is zero")
    )
    values["nc2.etf.unscaled"] = etf_distance(means.centred, means.centred) if ranks[0] else same
    if (centre := _central_class(means)) is not None:
        values |= dict.fromkeys(_OF_DIRECTIONS, centre)
    else:
        directions = unit_rows(means.centred)
        values["nc2.etf"] = etf_distance(directions, directions)
        values["nc2.cosine"] = mean_deviation(directions)
        values["nc2.equiangular"] = cosine_spread(directions)
        values["nc2.equinorm"] = coefficient_of_variation(means.centred)
    if of_samples.shortest_centred <= means.resolution:
        reason = Undefined("a feature equals the global mean")
        values |= {name: reason for name in METRICS if name.startswith("cosine.in")}
    else:
        values |= cosine_summary(of_samples.unit_centred)
    return values


_OF_DIRECTIONS = ("nc2.etf", "nc2.cosine", "nc2.equiangular", "nc2.equinorm")


def _metrics_of_weights(W: Floats, means: ClassMeans) -> Values:
    """Metrics of the weights, alone or beside the class means."""
    from ncbounds.codes.margin import least_one_vs_rest_distance

    beta = float(np.linalg.norm(W) / np.sqrt(len(W)))
    values: Values = {"beta": beta}
    centre = W.mean(axis=0)
    zero = Undefined("all weights are zero")
    values["centre.weights"] = float(centre @ centre) / beta**2 if beta else zero
    values |= _weights_beside_means(W, means) | _simplex_of_weights(W)
    for suffix, uncentred in (("", means.uncentred), (".centred", means.centred)):
        aligned = stacked_alignment(W, means.centred, uncentred)
        cosine, angle = (aligned, aligned) if isinstance(aligned, Undefined) else aligned
        values |= {f"nc3.cosine{suffix}": cosine, f"nc3.angle{suffix}": angle}
    reason = _zero_weights(W)
    values["gnc2"] = reason or least_one_vs_rest_distance(W, normalise=True)[0]
    values["gnc3.unscaled"] = 1 - float((W * means.uncentred).sum(axis=1).mean())
    return values


def _weights_beside_means(W: Floats, means: ClassMeans) -> Values:
    """Self-duality: the weights beside the class means, and beside their directions."""
    zero = Undefined("all weights are zero") if not W.any() else None
    flat = np.linalg.norm(means.centred) <= means.resolution
    same = zero or (Undefined("all class means are equal") if flat else None)
    values: Values = {
        "nc3.etf.unscaled": same or etf_distance(W, means.centred),
        "nc3.distance": same or layer_distance(W, means.centred),
        "nc3.orthogonal": zero or frame_distance(W, means.uncentred),
    }
    if (centre := _central_class(means)) is not None:
        return values | dict.fromkeys(("nc3.etf", "nc3.distance.directions"), centre)
    directions = unit_rows(means.centred)
    values["nc3.etf"] = etf_distance(W, directions)
    values["nc3.distance.directions"] = zero or layer_distance(W, directions)
    return values


def _simplex_of_weights(W: Floats) -> Values:
    """NC2 of the weights, which are not centred."""
    zero = Undefined("all weights are zero") if not W.any() else None
    values: Values = {
        "nc2.etf.weights": zero or etf_distance(W, W),
        "nc2.equinorm.weights": zero or coefficient_of_variation(W),
    }
    if (reason := _zero_weights(W)) is not None:
        return values | dict.fromkeys(("nc2.cosine.weights", "nc2.equiangular.weights"), reason)
    directions = unit_rows(W)
    values["nc2.cosine.weights"] = mean_deviation(directions)
    values["nc2.equiangular.weights"] = cosine_spread(directions)
    return values


def _metrics_of_predictions(
    samples: Samples, W: Floats, of_samples: SampleMeans, means: ClassMeans
) -> Values:
    """Metrics of single samples beside the weights: losses, counts and cosines."""
    share = samples.counts / samples.n
    values: Values = {
        "loss.cross_entropy": float(of_samples.loss.mean()),
        "loss.cross_entropy.samples": float(of_samples.loss @ share),
        "logodds.mean": float(of_samples.logodds.mean()),
        "accuracy": _count(of_samples.correct, samples) / samples.n,
        "accuracy.balanced": float(of_samples.correct.mean()),
        "nc4.disagreement": _count(of_samples.disagreement, samples) / samples.n,
        "nc4.disagreement.balanced": float(of_samples.disagreement.mean()),
    }
    zero = Undefined("a feature is zero") if of_samples.shortest == 0 else None
    on_sphere = zero or _zero_weights(W)
    values["loss.cross_entropy.spherical"] = on_sphere or float(of_samples.spherical_loss.mean())
    values["loss.hardmax"] = on_sphere or of_samples.hardmax
    at_mean = (
        Undefined("a feature equals the global mean")
        if of_samples.shortest_centred <= means.resolution
        else None
    )
    centred = W - W.mean(axis=0)
    for name, rows, unit, reason in (
        ("gnc3", W, of_samples.unit, on_sphere),
        ("cosine.weights.mean", centred, of_samples.unit, zero or _zero_weights(centred, W)),
        (
            "cosine.weights.mean.centred",
            centred,
            of_samples.unit_centred,
            at_mean or _zero_weights(centred, W),
        ),
    ):
        if reason is not None:
            values[name] = reason
            continue
        cosine = float((unit_rows(rows) * unit).sum(axis=1).mean())
        values[name] = 1 - cosine if name == "gnc3" else cosine
    return values


def _count(frequencies: Floats, samples: Samples) -> int:
    return int(np.rint(frequencies * samples.counts).sum())


def _central_class(means: ClassMeans) -> Undefined | None:
    """Why the class means have no directions from their centre, if so."""
    lengths = np.linalg.norm(means.centred, axis=1)
    if lengths.min() > means.resolution:
        return None
    return Undefined(f"class number {lengths.argmin()} has its mean at the global mean")


def _zero_weights(rows: Floats, scale: Floats | None = None) -> Undefined | None:
    lengths = np.linalg.norm(rows, axis=1)
    floor = 0.0 if scale is None else 8 * EPSILON * float(np.linalg.norm(scale, axis=1).max())
    if lengths.min() > floor:
        return None
    centred = "" if scale is None else "centred "
    return Undefined(f"row {lengths.argmin()} of the {centred}weights is zero")
