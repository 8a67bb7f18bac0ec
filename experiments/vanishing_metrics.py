"""Which metrics of collapse vanish where: small networks that tell them apart.

Every network is made so that some metrics are zero and others are not: what the vanishing of one
metric implies is proved (`review:eq-4` to `review:remark-nc12-imply-nc34`), and what it does not
imply is seen here. Measured by `ncbounds.measure`; a number below 1e-12 is shown as 0.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ncbounds.measure import Measurement, measure
from ncbounds.measure.door import Floats

#: The metrics of the table, in its order.
COLUMNS = (
    *("nc1.pinv", "nc1.trace", "cdnv.mean", "nc2.etf", "nc2.equiangular", "nc2.equinorm"),
    *("nc3.etf", "nc3.distance", "nc3.distance.directions", "nc4.disagreement", "ncc.error"),
    "accuracy",
)


@dataclass(frozen=True, eq=False)
class Network:
    """Features (K, n, d), weights (K, d) and bias (K,) of a last layer."""

    features: Floats
    weights: Floats
    bias: Floats

    def measured(self) -> Measurement:
        """All metrics."""
        K, n, d = self.features.shape
        labels = np.repeat(np.arange(K), n)
        return measure(self.features.reshape(K * n, d), labels, self.weights, self.bias)


def simplex(K: int, d: int) -> Floats:
    """K points in d >= K - 1 dimensions with equal norms and the cosines -1/(K-1)."""
    points = np.zeros((K, d))
    for r in range(1, K):  # the r-th row of the Helmert matrix
        points[:r, r - 1], points[r, r - 1] = 1, -r
        points[:, r - 1] /= np.sqrt(r * (r + 1))
    return points


def nearest_mean_rule(features: Floats, weights: Floats | None = None) -> Network:
    """A last layer that names the nearest class mean, or has other weights and no bias."""
    means = features.mean(axis=1)
    if weights is not None:
        return Network(features, weights, np.zeros(len(means)))
    return Network(features, means, -np.square(means).sum(axis=1) / 2)


def collapsed() -> Network:
    """Two equal features a class at a simplex ETF, weights alike."""
    means = simplex(4, 3)
    return nearest_mean_rule(np.stack([means, means], axis=1), means)


def variance_across() -> Network:
    """The same with variance in a further dimension."""
    means = simplex(4, 4)
    away = np.array([0.0, 0.0, 0.0, 0.5])
    return nearest_mean_rule(np.stack([means + away, means - away], axis=1), means)


def means_on_a_line() -> Network:
    """Three class means almost on a line, with little variance across the line."""
    means = np.array([[-1.0, 0.0], [0.0, 0.001], [1.0, 0.0]])
    away = np.array([0.0, 0.01])
    return nearest_mean_rule(np.stack([means + away, means - away], axis=1))


def means_that_nearly_meet() -> Network:
    """Three class means on a line, two of them nearer to each other than their features are."""
    means, away = np.array([[-1.0], [1.0], [1.001]]), np.array([0.01])
    return nearest_mean_rule(np.stack([means + away, means - away], axis=1))


def two_classes() -> Network:
    """Two collapsed classes: NC2 is zero whatever their means."""
    means = np.array([[3.0, 0.0], [0.0, 1.0]])
    return nearest_mean_rule(means[:, None])


def box() -> Network:
    """Every other corner of a box: equal norms, no simplex; weights are the class means."""
    means = np.array([[1, 1, 3], [1, -1, -3], [-1, 1, -3], [-1, -1, 3]], dtype=float)
    return nearest_mean_rule(means[:, None], means)


def dual_of_box() -> Network:
    """The same with the weights for which the product with the class means is a simplex ETF."""
    means = box().weights
    return nearest_mean_rule(means[:, None], means / np.array([1.0, 1.0, 9.0]))


def weights_across() -> Network:
    """A simplex ETF, and weights that have more in a further dimension."""
    means = simplex(4, 4)
    more = np.zeros((4, 4))
    more[:, 3] = 0.5
    return nearest_mean_rule(means[:, None], means + more)


def no_bias() -> Network:
    """A simplex ETF far from the origin, weights alike and no bias."""
    means = simplex(4, 3)
    return nearest_mean_rule((means + 3.0)[:, None], means)


def wrong_alike() -> Network:
    """Three places, each with three features of one class and two of the one before."""
    places = simplex(3, 2)
    own, next_ = places, np.roll(places, -1, axis=0)
    return nearest_mean_rule(np.stack([own, own, own, next_, next_], axis=1))


NETWORKS: dict[str, Callable[[], Network]] = {
    "collapsed": collapsed,
    "variance across the class means": variance_across,
    "class means almost on a line": means_on_a_line,
    "two class means nearly meet": means_that_nearly_meet,
    "two classes, any means": two_classes,
    "equal norms, no simplex": box,
    "weights dual to these": dual_of_box,
    "weights with a part across": weights_across,
    "global mean without bias": no_bias,
    "both rules wrong alike": wrong_alike,
}


def table() -> dict[str, dict[str, float]]:
    """Of each network its metrics, in the order of `COLUMNS`; numbers below 1e-12 are zero."""
    found = {}
    for name, network in NETWORKS.items():
        metrics = network().measured().metrics
        found[name] = {c: metrics[c] if abs(metrics[c]) > 1e-12 else 0.0 for c in COLUMNS}
    return found


def main(out: Path, seed: int, device: str, progress: Callable[[int, int], None]) -> Path:
    """Measure the networks, print the table and write it to ``out/vanishing_metrics.csv``."""
    del seed, device, progress
    rows = table()
    width = max(map(len, rows))
    heads = [c.replace("nc3.distance.directions", "nc3.dist.dir") for c in COLUMNS]
    heads = [h.replace("nc4.disagreement", "nc4") for h in heads]
    print(" " * width, *(f"{h:>15}" for h in heads))
    for name, metrics in rows.items():
        print(f"{name:{width}}", *(f"{v:>15.4g}" for v in metrics.values()))
    out.mkdir(parents=True, exist_ok=True)
    path = out / "vanishing_metrics.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["network", *COLUMNS])
        writer.writerows([name, *metrics.values()] for name, metrics in rows.items())
    return path
