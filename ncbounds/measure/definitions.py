"""The names of all metrics: what each one is, its formula, its source and where collapse sends it.

Notation: h_{c,i} is the feature of sample i of class c, n_c the size of the class, K the number of
classes, d the dimension; mu_c = mean_i h_{c,i}, mu = mean_c mu_c; W has rows w_c and b is the bias;
wbar = mean_c w_c and wdot_c = w_c - wbar; "mean" is the mean within a class, then over the classes.

The papers define their metrics for classes of equal size. For others: means of features and losses
are class-balanced (then Sigma_W + Sigma_B is the total covariance), fractions of samples are plain
counts, and where the two readings differ the other one stands beside, as `.samples` or `.balanced`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from ncbounds.errors import InputError


@dataclass(frozen=True)
class Metric:
    """One named metric: its definition as data."""

    what: str
    formula: str
    source: str
    direction: Literal["lower", "higher", "neither"]
    """Which way neural collapse moves it."""
    needs_weights: bool = False
    zero: str = ""
    """Where exactly it is zero, as far as that is not plain, and the statement that says so."""
    needs_held_out: bool = False
    passes: Literal[1, 2] = 1
    """How often the samples are read: what speaks of deviations from the class means needs two."""


_NC1 = "(1/K) tr(Sigma_W Sigma_B^+), Sigma_B = mean_c (mu_c - mu)(mu_c - mu)^T, "
_ETF = "(I - 11^T/K)/sqrt(K-1)"
_COSINES = "A_c = mean_i u_{c,i}, u = (h - mu)/|h - mu|"
_SHARP = "ncbounds, sharp proximity"
_FIRST = "Papyan, Han, Donoho 2020"
_LAYER = "Zhu et al. 2021"
_FRAME = "Tirer, Bruna 2022, for review eq. 39"

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

_METRICS: dict[str, Metric] = {
    "nc1.pinv": Metric(
        "variability within classes relative to that between them (NC1)",
        _NC1 + "Sigma_W = mean (h - mu_c)(h - mu_c)^T",
        "review eq. 4",
        "lower",
    ),
    "nc1.pinv.samples": Metric(
        "the same with every sample, not every class, of equal weight in Sigma_W",
        _NC1 + "Sigma_W = (1/n) sum (h - mu_c)(h - mu_c)^T",
        "review eq. 4 for classes of unequal size",
        "lower",
    ),
    "nc1.fuzziness": Metric(
        "variability relative to the means, every sample of equal weight in both (NC1, times K)",
        "tr(Sigma_W Sigma_B^+), Sigma_W = (1/n) sum (h - mu_c)(h - mu_c)^T, Sigma_B of means alike",
        "He, Su 2023",
        "lower",
    ),
    "nc1.trace": Metric(
        "variability within classes over that of the class means (NC1 without inverse)",
        "tr Sigma_W / tr Sigma_B = mean |h - mu_c|^2 / mean_c |mu_c - mu|^2",
        "in common use",
        "lower",
    ),
    "nc1.relative": Metric(
        "share of the mean squared norm that is variability within classes",
        "var = mean |h - mu_c|^2 / alpha^2",
        _SHARP,
        "lower",
    ),
    "nc1.relative.centred": Metric(
        "the same with the features centred by the global mean",
        "mean |h - mu_c|^2 / alpha.centred^2",
        _SHARP,
        "lower",
    ),
    "nc1.spherical": Metric(
        "variability within classes of the features scaled to length 1",
        "mean |u - ubar_c|^2 = 1 - mean_c |ubar_c|^2, u = h/|h|, ubar_c = mean_i u_{c,i}",
        "gnc Sec. 2.2, on the sphere",
        "lower",
    ),
    "nc2.etf": Metric(
        "distance of the centred class means' cosines from those of a simplex ETF (NC2)",
        f"| M M^T/|M M^T|_F - {_ETF} |_F, rows of M: (mu_c - mu)/|mu_c - mu|",
        "review eq. 7",
        "lower",
    ),
    "nc2.etf.unscaled": Metric(
        "the same with the lengths of the centred class means kept",
        f"| M M^T/|M M^T|_F - {_ETF} |_F, rows of M: mu_c - mu",
        _LAYER,
        "lower",
    ),
    "nc2.etf.weights": Metric(
        "distance of the weights from a simplex ETF (NC2)",
        f"| W W^T/|W W^T|_F - {_ETF} |_F",
        _LAYER,
        "lower",
        True,
    ),
    "nc2.orthogonal": Metric(
        "distance of the class means, not centred, from an orthogonal frame",
        "| M M^T/|M M^T|_F - I/sqrt(K) |_F, rows of M: mu_c",
        _FRAME,
        "neither",
    ),
    "nc2.cosine": Metric(
        "mean distance of the cosines of centred class means from -1/(K-1) (NC2)",
        "mean_{c != c'} |cos(mu_c - mu, mu_c' - mu) + 1/(K-1)|",
        _FIRST + ", Fig. 4",
        "lower",
    ),
    "nc2.cosine.weights": Metric(
        "the same of the weights, not centred",
        "mean_{c != c'} |cos(w_c, w_c') + 1/(K-1)|",
        _FIRST + ", Fig. 4",
        "lower",
        True,
    ),
    "nc2.equiangular": Metric(
        "standard deviation of the cosines of centred class means (NC2)",
        "std_{c != c'} cos(mu_c - mu, mu_c' - mu)",
        _FIRST + ", Fig. 3",
        "lower",
    ),
    "nc2.equiangular.weights": Metric(
        "the same of the weights, not centred",
        "std_{c != c'} cos(w_c, w_c')",
        _FIRST + ", Fig. 3",
        "lower",
        True,
    ),
    "nc2.gram": Metric(
        "mean distance of the scaled inner products of class means from -1/(K-1) (NC2)",
        "mean_{c != c'} |<mu_c, mu_c'>/alpha^2 + 1/(K-1)|",
        _SHARP,
        "lower",
    ),
    "nc2.equinorm": Metric(
        "coefficient of variation of the norms of the centred class means (NC2)",
        "std_c |mu_c - mu| / mean_c |mu_c - mu|",
        _FIRST + ", Fig. 2",
        "lower",
    ),
    "nc2.equinorm.weights": Metric(
        "the same of the weights, not centred",
        "std_c |w_c| / mean_c |w_c|",
        _FIRST + ", Fig. 2",
        "lower",
        True,
    ),
    "nc3.etf": Metric(
        "distance of weights times centred class means from a simplex ETF (NC3)",
        f"| W M^T/|W M^T|_F - {_ETF} |_F, rows of M: (mu_c - mu)/|mu_c - mu|",
        "review eq. 8",
        "lower",
        True,
    ),
    "nc3.etf.unscaled": Metric(
        "the same with the lengths of the centred class means kept",
        f"| W M^T/|W M^T|_F - {_ETF} |_F, rows of M: mu_c - mu",
        _LAYER,
        "lower",
        True,
    ),
    "nc3.orthogonal": Metric(
        "distance of weights times class means, not centred, from the identity",
        "| W M^T/|W M^T|_F - I/sqrt(K) |_F, rows of M: mu_c",
        _FRAME,
        "neither",
        True,
    ),
    "nc3.distance": Metric(
        "distance of weights and centred class means, each scaled to norm 1 (self-duality)",
        "| W/|W|_F - M/|M|_F |_F, rows of M: mu_c - mu",
        f"square Sec. 5; squared, {_FIRST}, Fig. 5",
        "lower",
        True,
    ),
    "nc3.distance.directions": Metric(
        "the same with every centred class mean scaled to length 1 before",
        "| W/|W|_F - M/|M|_F |_F, rows of M: (mu_c - mu)/|mu_c - mu|",
        "review Sec. 2.3, before eq. 8",
        "lower",
        True,
    ),
    "nc3.cosine": Metric(
        "cosine between all centred weights and all class means, each stacked to one vector",
        "sum_c <wdot_c, mu_c> / (|wdot|_F |(mu_c)_c|_F)",
        _SHARP,
        "higher",
        True,
    ),
    "nc3.angle": Metric(
        "the angle of that cosine, in degrees",
        "arccos nc3.cosine",
        _SHARP,
        "lower",
        True,
    ),
    "nc3.cosine.centred": Metric(
        "the same with the class means centred by the global mean",
        "sum_c <wdot_c, mu_c - mu> / (|wdot|_F |(mu_c - mu)_c|_F)",
        _SHARP,
        "higher",
        True,
    ),
    "nc3.angle.centred": Metric(
        "the angle of that cosine, in degrees",
        "arccos nc3.cosine.centred",
        _SHARP,
        "lower",
        True,
    ),
    "nc4.disagreement": Metric(
        "fraction of samples whose nearest class mean is not the class that is predicted (NC4)",
        "(1/n) #{argmax_c <w_c, h> + b_c != argmin_c |h - mu_c|}, ties to the first class",
        "review eq. 9",
        "lower",
        True,
    ),
    "nc4.disagreement.balanced": Metric(
        "the mean over the classes of that fraction within the class",
        "mean 1{argmax_c <w_c, h> + b_c != argmin_c |h - mu_c|}",
        "review eq. 9 for classes of unequal size",
        "lower",
        True,
    ),
    "ncc.error": Metric(
        "fraction of samples whose nearest class mean is not that of their class",
        "(1/n) #{argmin_c |h - mu_c| != label}, ties to the first class",
        "review Sec. 4.2",
        "lower",
    ),
    "ncc.error.balanced": Metric(
        "the mean over the classes of that fraction within the class",
        "mean 1{argmin_c |h - mu_c| != label}",
        "review Sec. 4.2 for classes of unequal size",
        "lower",
    ),
    "cdnv.mean": Metric(
        "class-distance normalised variance, mean over pairs of classes",
        "mean_{c != c'} (Var_c + Var_c')/(2 |mu_c - mu_c'|^2), Var_c = mean_i |h_{c,i} - mu_c|^2",
        "review eq. 51",
        "lower",
    ),
    "cdnv.max": Metric(
        "class-distance normalised variance, largest over pairs of classes",
        "max_{c != c'} (Var_c + Var_c')/(2 |mu_c - mu_c'|^2), Var_c = mean_i |h_{c,i} - mu_c|^2",
        "review eq. 51",
        "lower",
    ),
    "cosine.intra.min": Metric(
        "average cosine of two features of the same class, least over the classes",
        f"min_c |A_c|^2, {_COSINES}",
        "bnwd Sec. 2.2",
        "higher",
    ),
    "cosine.intra.mean": Metric(
        "average cosine of two features of the same class, mean over the classes",
        f"mean_c |A_c|^2, {_COSINES}",
        "bnwd Sec. 2.2",
        "higher",
    ),
    "cosine.intra.max": Metric(
        "average cosine of two features of the same class, largest over the classes",
        f"max_c |A_c|^2, {_COSINES}",
        "bnwd Sec. 2.2",
        "higher",
    ),
    "cosine.inter.max": Metric(
        "average cosine of features of two classes, largest over the pairs; -1/(K-1) at collapse",
        f"max_{{c != c'}} <A_c, A_c'>, {_COSINES}",
        "bnwd Sec. 2.2",
        "lower",
    ),
    "cosine.inter.mean": Metric(
        "average cosine of features of two classes, mean over the pairs; -1/(K-1) at collapse",
        f"mean_{{c != c'}} <A_c, A_c'>, {_COSINES}",
        "bnwd Sec. 2.2",
        "lower",
    ),
    "cosine.inter.min": Metric(
        "average cosine of features of two classes, least over the pairs; -1/(K-1) at collapse",
        f"min_{{c != c'}} <A_c, A_c'>, {_COSINES}",
        "bnwd Sec. 2.2",
        "neither",
    ),
    "cosine.inter.deviation": Metric(
        "mean distance of the inter-class cosines from -1/(K-1)",
        f"mean_{{c != c'}} |<A_c, A_c'> + 1/(K-1)|, {_COSINES}",
        _SHARP,
        "lower",
    ),
    "cosine.weights.mean": Metric(
        "mean cosine of a feature and the centred weights of its class",
        "mean cos(h_{c,i}, wdot_c)",
        _SHARP,
        "higher",
        True,
    ),
    "cosine.weights.mean.centred": Metric(
        "the same with the features centred by the global mean",
        "mean cos(h_{c,i} - mu, wdot_c)",
        _SHARP,
        "higher",
        True,
    ),
    "gnc1": Metric(
        "NC1 with a between-class covariance that is not centred",
        "(1/K) tr(Sigma_W Sigma_B^+), Sigma_B = mean_c mu_c mu_c^T",
        "gnc Sec. 2.2",
        "lower",
    ),
    "gnc2": Metric(
        "least one-vs-rest distance of the unit weights, the certified lower end",
        "min_k dist(w_k/|w_k|, conv{w_j/|w_j|, j != k})",
        "gnc Definition 2.1 (3)",
        "higher",
        True,
    ),
    "gnc3": Metric(
        "self-duality: one minus the mean cosine of a feature and the weights of its class",
        "(1/K) sum_k (1 - <w_k, hbar_k>), w_k and each feature scaled to length 1",
        "gnc Sec. 2.2",
        "lower",
        True,
    ),
    "gnc3.unscaled": Metric(
        "the same formula on weights and features as given; of use on the unit sphere only",
        "(1/K) sum_k (1 - <w_k, mu_k>)",
        "gnc Sec. 2.2, read literally",
        "neither",
        True,
    ),
    "alpha": Metric(
        "root mean square norm of the features",
        "sqrt(mean |h|^2)",
        "bnwd Theorem 2.1",
        "neither",
    ),
    "alpha.centred": Metric(
        "root mean square distance of the features from the global mean",
        "sqrt(mean |h - mu|^2)",
        _SHARP,
        "neither",
    ),
    "beta": Metric(
        "root mean square norm of the rows of the weights",
        "sqrt(mean_c |w_c|^2) = |W|_F/sqrt(K)",
        "bnwd Theorem 2.1",
        "neither",
        True,
    ),
    "centre.weights": Metric(
        "share of the squared norm of the weights that all classes have in common",
        "|wbar|^2 / beta^2",
        _SHARP,
        "lower",
        True,
    ),
    "loss.cross_entropy": Metric(
        "cross-entropy in nats, class-balanced",
        "mean -log softmax(W h + b)_c",
        "bnwd Sec. 2.1",
        "lower",
        True,
    ),
    "loss.cross_entropy.samples": Metric(
        "cross-entropy in nats, plain mean over the samples",
        "(1/n) sum -log softmax(W h + b)_c",
        "bnwd Sec. 2.1 for classes of unequal size",
        "lower",
        True,
    ),
    "loss.cross_entropy.spherical": Metric(
        "the class-balanced cross-entropy of unit weights and features at a temperature",
        "mean -log softmax(<w_j, h>/tau)_c, w_j and h scaled to length 1, tau = 1 unless given",
        "gnc (1), (2)",
        "lower",
        True,
    ),
    "loss.hardmax": Metric(
        "how far a rival's cosine is above that of the own class, for the worst sample",
        "max_{c, i, j != c} <w_j - w_c, h_{c,i}>, w_j and h scaled to length 1",
        "gnc (5)",
        "lower",
        True,
    ),
    "logodds.mean": Metric(
        "log-odds of the true class above the uniform guess, class-balanced",
        "mean log(K-1) - log(e^l - 1), l the cross-entropy of a sample",
        _SHARP,
        "higher",
        True,
    ),
    "accuracy": Metric(
        "fraction of samples whose largest logit is that of their class, ties to the first class",
        "(1/n) #{argmax_c <w_c, h> + b_c = label}",
        "bnwd Sec. 2.1",
        "higher",
        True,
    ),
    "accuracy.balanced": Metric(
        "the mean over the classes of that fraction within the class",
        "mean 1{argmax_c <w_c, h> + b_c = label}",
        "bnwd Sec. 2.1 for classes of unequal size",
        "higher",
        True,
    ),
}

_TWO_PASSES = {
    *("nc1.pinv", "nc1.pinv.samples", "nc1.fuzziness", "gnc1"),
    *("nc4.disagreement", "nc4.disagreement.balanced", "ncc.error", "ncc.error.balanced"),
    *("cosine.intra.min", "cosine.intra.mean", "cosine.intra.max"),
    *("cosine.inter.min", "cosine.inter.mean", "cosine.inter.max", "cosine.inter.deviation"),
    "cosine.weights.mean.centred",
}

METRICS: dict[str, Metric] = {
    name: replace(metric, zero=_ZERO.get(name, ""), passes=2 if name in _TWO_PASSES else 1)
    for name, metric in _METRICS.items()
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
