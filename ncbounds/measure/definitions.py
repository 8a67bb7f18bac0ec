"""The names of all metrics: what each one is, its formula, its source and where collapse sends it.

Notation: h_{c,i} is the feature of sample i of class c, n_c the size of the class, K the number of
classes, d the dimension; mu_c = mean_i h_{c,i}, mu = mean_c mu_c; W has rows w_c and b is the bias;
wbar = mean_c w_c and wdot_c = w_c - wbar; "mean" is the mean within a class, then over the classes.

The papers define their metrics for classes of equal size. For others: means of features and losses
are class-balanced (then Sigma_W + Sigma_B is the total covariance), fractions of samples are plain
counts, and where the two readings differ the other one stands beside, as `.samples` or `.balanced`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ncbounds.measure.collapse_definitions import OF_COLLAPSE
from ncbounds.measure.layer_definitions import OF_THE_LAYER
from ncbounds.measure.metric import CHANGES, Metric

_SEEN = "no variance within classes in the span of the centred class means (review:eq-4)"
_AT_MEANS = "every feature equals its class mean"
_AT_SIMPLEX = "the class means are a simplex ETF, equal norms included; always for K = 2"

_ZERO = {
    "nc1.pinv": _SEEN,
    "nc1.pinv.samples": _SEEN,
    "nc1.fuzziness": _SEEN,
    "nc1.trace": _AT_MEANS,
    "nc1.relative": _AT_MEANS,
    "nc1.relative.centred": _AT_MEANS,
    "nc1.spherical": "the features of a class are positive multiples of one vector",
    "nc2.etf": _AT_SIMPLEX + " (review:eq-7)",
    "nc2.etf.unscaled": _AT_SIMPLEX,
    "nc2.etf.weights": "the weights are a simplex ETF of mean zero",
    "nc2.orthogonal": "the class means are orthogonal, of equal norms",
    "nc2.cosine": _AT_SIMPLEX + " (review:eq-5)",
    "nc2.cosine.weights": "the directions of the weights are a simplex ETF, of any norms",
    "nc2.equiangular": _AT_SIMPLEX + " (review:eq-5)",
    "nc2.equiangular.weights": "the weights have equal cosines, of any value",
    "nc2.gram": "the features are at the points of a simplex ETF of mean zero "
    "(review:remark-collapsed)",
    "nc2.equinorm": "the centred class means have equal norms, at any angles (review:eq-5)",
    "nc2.equinorm.weights": "the weights have equal norms, at any angles",
    "nc3.etf": "only if the centred class means have equal norms; at a simplex ETF, if the weights "
    "are aligned with it in its span (review:eq-8)",
    "nc3.etf.unscaled": "the weights give the centred class means the outputs of a simplex ETF",
    "nc3.orthogonal": "the weights give the class means one-hot outputs, up to one factor",
    "nc3.distance": "the weights are a positive multiple of the centred class means",
    "nc3.distance.directions": "the weights are a positive multiple of their directions",
    "nc3.angle": "the centred weights are a positive multiple of the class means",
    "nc3.angle.centred": "the centred weights are a positive multiple of the centred class means",
    "nc4.disagreement": "the last layer predicts the nearest class mean, right or wrong "
    "(review:eq-9)",
    "nc4.disagreement.balanced": "the same",
    "ncc.error": "the nearest class mean is always right, as where nc1.pinv is zero and class "
    "means differ (review:remark-collapsed)",
    "ncc.error.balanced": "the same",
    "cdnv.mean": _AT_MEANS,
    "cdnv.max": _AT_MEANS,
    "gnc1": "no variance within classes in the span of the class means (gnc:definition-gnc1)",
    "gnc3": "every feature has the direction of the weights of its class (gnc:definition-gnc3)",
}

#: What leaves which metrics alone, where that does not follow from what they are computed of.
_IGNORES: dict[str, tuple[str, ...]] = {
    "shift scale across sizes": (
        *("nc1.pinv", "nc2.etf", "nc2.etf.unscaled", "nc2.cosine", "nc2.equiangular"),
        *("nc2.equinorm", "ncc.error.balanced", "rank.means", "rank.means.stable"),
        *("rank.means.effective", "cosine.means.max", "cosine.means.mean", "cosine.means.min"),
    ),
    "shift scale across": ("nc1.pinv.samples", "nc1.fuzziness", "ncc.error"),
    "shift scale sizes": (
        *("nc1.trace", "nc1.relative.centred", "cdnv.mean", "cdnv.max"),
        *("cosine.intra.min", "cosine.intra.mean", "cosine.intra.max", "cosine.inter.max"),
        *("cosine.inter.mean", "cosine.inter.min", "cosine.inter.deviation"),
    ),
    "scale across sizes": ("nc2.orthogonal", "gnc1"),
    "scale sizes": ("nc1.relative", "nc1.spherical", "nc2.gram"),
    "shift sizes": ("alpha.centred",),
    "sizes": ("alpha",),
    "gain": (
        *("nc2.etf.weights", "nc2.equinorm.weights", "centre.weights"),
        *("rank.weights.stable", "rank.weights.effective"),
    ),
    "gain rows": (
        *("nc2.cosine.weights", "nc2.equiangular.weights", "gnc2", "rank.weights"),
        *("cosine.rows.max", "cosine.rows.mean", "cosine.rows.min"),
    ),
    "shift scale across sizes gain": (
        *("nc3.etf", "nc3.etf.unscaled", "nc3.distance", "nc3.distance.directions"),
    ),
    "scale across sizes gain": ("nc3.orthogonal",),
    "scale across sizes shared gain": ("nc3.cosine", "nc3.angle"),
    "shift scale across sizes shared gain": ("nc3.cosine.centred", "nc3.angle.centred"),
    "shift across shared gain": ("nc4.disagreement", "accuracy"),
    "shift across sizes shared gain": ("nc4.disagreement.balanced", "accuracy.balanced"),
    "shift across shared": ("loss.cross_entropy.samples",),
    "shift across sizes shared": (
        *("loss.cross_entropy", "logodds.mean", "margin.mean", "margin.min"),
    ),
    "scale sizes shared gain": ("cosine.weights.mean",),
    "shift scale sizes shared gain": ("cosine.weights.mean.centred",),
    "scale sizes gain rows": (
        *("gnc3", "loss.cross_entropy.spherical", "loss.hardmax", "margin.spherical.mean"),
    ),
    "sizes gain": ("margin.relative.mean", "margin.relative.min"),
    "across sizes": ("gnc3.unscaled",),
}

_TWO_PASSES = {
    *("nc1.pinv", "nc1.pinv.samples", "nc1.fuzziness", "gnc1"),
    *("nc4.disagreement", "nc4.disagreement.balanced", "ncc.error", "ncc.error.balanced"),
    *("cosine.intra.min", "cosine.intra.mean", "cosine.intra.max"),
    *("cosine.inter.min", "cosine.inter.mean", "cosine.inter.max", "cosine.inter.deviation"),
    "cosine.weights.mean.centred",
}


def _completed(name: str, metric: Metric) -> Metric:
    """The metric with where it is zero, how often it reads samples, and what leaves it alone."""
    listed = next((changes for changes, names in _IGNORES.items() if name in names), "")
    changes = {*listed.split()}
    if not metric.needs_weights:
        changes |= {"shared", "gain", "rows"}
    if not metric.needs_features:
        changes |= {"shift", "scale", "across", "sizes"}
    ordered = tuple(change for change in CHANGES if change in changes)
    passes: Literal[1, 2] = 2 if name in _TWO_PASSES else 1
    return replace(metric, zero=_ZERO.get(name, ""), passes=passes, ignores=ordered)


METRICS: dict[str, Metric] = {
    name: _completed(name, metric) for name, metric in (OF_COLLAPSE | OF_THE_LAYER).items()
}

_TEST = "review Sec. 4.1, after Hui et al. 2022; over the spread of class means as nc1.trace"

#: Metrics of held-out features z beside the class means mu_c of the training features.
HELD_OUT_METRICS: dict[str, Metric] = {
    "nc1.test.weak": Metric(
        "variability of held-out features about the nearest class mean (weak test-collapse)",
        "mean min_c |z - mu_c|^2 / mean_c |mu_c - mu|^2",
        _TEST,
        "lower",
        zero="every held-out feature equals a class mean, of its own class or another",
        needs_held_out=True,
    ),
    "nc1.test.strong": Metric(
        "variability of held-out features about their own class mean (strong test-collapse)",
        "mean |z - mu_label|^2 / mean_c |mu_c - mu|^2",
        _TEST,
        "lower",
        zero="every held-out feature equals the mean of its class; it is nc1.test.weak exactly "
        "where no other class mean is nearer to a held-out feature than its own",
        needs_held_out=True,
    ),
}
