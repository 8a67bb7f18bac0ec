"""Metrics of the last layer and of the size of things: ranks, norms, losses, margins, accuracy.

The notation is that of `ncbounds.measure.definitions`.
"""

from __future__ import annotations

from ncbounds.measure.collapse_definitions import SHARP
from ncbounds.measure.metric import Metric

_STABLE = "Rudelson, Vershynin 2007"
_ENTROPY = "Roy, Vetterli 2007"
_MARGIN = "Crammer, Singer 2001"
_RELATIVE = "Bartlett, Foster, Telgarsky 2017, of the last layer, by its root mean square norm"

OF_THE_LAYER: dict[str, Metric] = {
    "rank.means": Metric(
        "rank of the centred class means; K-1 at collapse",
        "#{s_i > 0}, s the singular values of the rows mu_c - mu, up to rounding error",
        "Golub, Van Loan 2013, Sec. 5.5.8",
        "neither",
    ),
    "rank.means.stable": Metric(
        "stable rank of the centred class means; K-1 exactly where they are a simplex ETF",
        "sum_i s_i^2 / max_i s_i^2 = |M|_F^2/|M|_2^2, rows of M: mu_c - mu",
        _STABLE,
        "higher",
    ),
    "rank.means.effective": Metric(
        "effective rank of the centred class means; K-1 exactly where they are a simplex ETF",
        "exp(-sum_i p_i log p_i), p = s / sum_i s_i, s the singular values of the rows mu_c - mu",
        _ENTROPY,
        "higher",
    ),
    "rank.weights": Metric(
        "rank of the weights",
        "#{s_i > max(K, d) 2^-52 max_i s_i}, s the singular values of W",
        "Golub, Van Loan 2013, Sec. 5.5.8",
        "neither",
        True,
        needs_features=False,
    ),
    "rank.weights.stable": Metric(
        "stable rank of the weights; K-1 for a simplex ETF, min(K, d) at most",
        "sum_i s_i^2 / max_i s_i^2 = |W|_F^2/|W|_2^2",
        _STABLE,
        "neither",
        True,
        needs_features=False,
    ),
    "rank.weights.effective": Metric(
        "effective rank of the weights; K-1 for a simplex ETF, min(K, d) at most",
        "exp(-sum_i p_i log p_i), p = s / sum_i s_i, s the singular values of W",
        _ENTROPY,
        "neither",
        True,
        needs_features=False,
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
        SHARP,
        "neither",
    ),
    "beta": Metric(
        "root mean square norm of the rows of the weights",
        "sqrt(mean_c |w_c|^2) = |W|_F/sqrt(K)",
        "bnwd Theorem 2.1",
        "neither",
        True,
        needs_features=False,
    ),
    "centre.weights": Metric(
        "share of the squared norm of the weights that all classes have in common",
        "|wbar|^2 / beta^2",
        SHARP,
        "lower",
        True,
        needs_features=False,
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
        SHARP,
        "higher",
        True,
    ),
    "margin.mean": Metric(
        "by how much the logit of the true class exceeds every other, class-balanced",
        "mean q, q = z_c - max_{j != c} z_j, z = W h + b",
        _MARGIN,
        "higher",
        True,
    ),
    "margin.min": Metric(
        "the margin of the worst sample; where positive, all are predicted right",
        "min_{c,i} q, q = z_c - max_{j != c} z_j, z = W h + b",
        _MARGIN,
        "higher",
        True,
    ),
    "margin.relative.mean": Metric(
        "mean margin relative to the norms; without bias at most K/(K-1), attained at collapse",
        "mean q/(|h| beta), q = z_c - max_{j != c} z_j, z = W h + b",
        _RELATIVE,
        "higher",
        True,
    ),
    "margin.relative.min": Metric(
        "margin of the worst sample relative to the norms; without bias at most K/(K-1)",
        "min_{c,i} q/(|h| beta), q = z_c - max_{j != c} z_j, z = W h + b",
        _RELATIVE,
        "higher",
        True,
    ),
    "margin.spherical.mean": Metric(
        "mean margin of unit weights and features; at most K/(K-1); the least is -loss.hardmax",
        "mean min_{j != c} <w_c - w_j, h>, w_j and h scaled to length 1",
        "gnc (5)",
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
