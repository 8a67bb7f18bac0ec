"""Laws that every metric obeys: what leaves it unchanged, what scales it, as one table."""

from dataclasses import dataclass

import numpy as np
import pytest

from ncbounds.measure import METRICS, measure


@dataclass(frozen=True)
class Case:
    h: np.ndarray
    y: np.ndarray
    W: np.ndarray
    b: np.ndarray

    def metrics(self):
        return measure(self.h, self.y, self.W, self.b).metrics


def case():
    rng = np.random.default_rng(3)
    K, d = 4, 5
    y = np.repeat(np.arange(K), [2, 5, 3, 4])
    W = rng.normal(size=(K, d))
    return Case(W[y] + 0.7 * rng.normal(size=(len(y), d)), y, W, rng.normal(size=K))


RNG = np.random.default_rng(11)
ROTATION = np.linalg.qr(RNG.normal(size=(5, 5)))[0]
SHIFT = 3 * RNG.normal(size=5)
SAMPLES, COORDINATES, CLASSES = RNG.permutation(14), RNG.permutation(5), RNG.permutation(4)
EVERYTHING = frozenset(METRICS)
OF_UNCENTRED = {
    "nc1.relative", "gnc1", "gnc3", "gnc3.unscaled", "alpha", "nc3.cosine", "nc3.angle",
    "cosine.weights.mean", "nc2.gram", "nc1.spherical", "loss.hardmax",
    "loss.cross_entropy.spherical", "nc2.orthogonal", "nc3.orthogonal",
}  # fmt: skip
OF_SIZE_FEATURES = {
    "alpha", "alpha.centred", "gnc3.unscaled", "loss.cross_entropy", "loss.cross_entropy.samples",
    "logodds.mean", "accuracy", "accuracy.balanced", "nc4.disagreement",
    "nc4.disagreement.balanced",
}  # fmt: skip
PER_SAMPLE = {
    "nc1.fuzziness", "ncc.error", "nc1.pinv.samples", "loss.cross_entropy.samples", "accuracy",
    "nc4.disagreement",
}  # fmt: skip
OF_SHARED_WEIGHTS = {
    "nc3.etf", "gnc2", "gnc3", "gnc3.unscaled", "beta", "centre.weights", "loss.hardmax",
    "loss.cross_entropy.spherical", "nc3.etf.unscaled", "nc3.distance", "nc3.distance.directions",
    "nc3.orthogonal", "nc2.etf.weights", "nc2.cosine.weights", "nc2.equiangular.weights",
    "nc2.equinorm.weights",
}  # fmt: skip
#: What of the weights is only their directions.
OF_DIRECTIONS = {
    "nc2.cosine.weights", "nc2.equiangular.weights", "gnc2", "gnc3", "loss.hardmax",
    "loss.cross_entropy.spherical",
}  # fmt: skip
#: What sees no variance across the class means, though it may see their lengths and angles.
BLIND = {
    "nc1.pinv", "nc1.pinv.samples", "nc1.fuzziness", "gnc1", "nc2.etf", "nc2.etf.unscaled",
    "nc2.cosine", "nc2.equiangular", "nc2.equinorm", "nc2.orthogonal", "nc3.etf",
    "nc3.etf.unscaled", "nc3.orthogonal", "nc3.cosine", "nc3.angle", "nc3.cosine.centred",
    "nc3.angle.centred", "nc3.distance", "nc3.distance.directions", "nc4.disagreement",
    "nc4.disagreement.balanced", "ncc.error", "ncc.error.balanced", "gnc3.unscaled",
    "loss.cross_entropy", "loss.cross_entropy.samples", "logodds.mean", "accuracy",
    "accuracy.balanced",
}  # fmt: skip
WEIGHTS_ALONE = {
    "nc2.etf.weights", "nc2.cosine.weights", "nc2.equiangular.weights", "nc2.equinorm.weights",
    "gnc2", "beta", "centre.weights",
}  # fmt: skip
OF_FEATURES = {name for name, metric in METRICS.items() if not metric.needs_weights}


def noise_across(c):
    """Features with a further coordinate, of mean zero in each class."""
    noise = np.random.default_rng(8).normal(size=len(c.y))
    noise -= (np.bincount(c.y, noise) / np.bincount(c.y))[c.y]
    return Case(np.c_[c.h, 2 * noise], c.y, np.c_[c.W, np.zeros(len(c.W))], c.b)


# A law: what is done to the input, and the metrics that change; all the others must not.
LAWS = {
    "rotation of features and weights": (
        lambda c: Case(c.h @ ROTATION, c.y, c.W @ ROTATION, c.b),
        frozenset(),
    ),
    "permutation of coordinates": (
        lambda c: Case(c.h[:, COORDINATES], c.y, c.W[:, COORDINATES], c.b),
        frozenset(),
    ),
    "permutation of samples": (
        lambda c: Case(c.h[SAMPLES], c.y[SAMPLES], c.W, c.b),
        frozenset(),
    ),
    "permutation of classes": (
        lambda c: Case(c.h, np.argsort(CLASSES)[c.y], c.W[CLASSES], c.b[CLASSES]),
        frozenset(),
    ),
    "every sample twice": (
        lambda c: Case(np.repeat(c.h, 2, axis=0), np.repeat(c.y, 2), c.W, c.b),
        frozenset(),
    ),
    "a whole class three times": (
        lambda c: Case(np.vstack([c.h, *2 * [c.h[c.y == 1]]]), np.r_[c.y, 10 * [1]], c.W, c.b),
        frozenset(PER_SAMPLE),
    ),
    "zero coordinates added": (
        lambda c: Case(np.pad(c.h, ((0, 0), (0, 3))), c.y, np.pad(c.W, ((0, 0), (0, 3))), c.b),
        frozenset(),
    ),
    "shift of features, undone by the bias": (
        lambda c: Case(c.h + SHIFT, c.y, c.W, c.b - c.W @ SHIFT),
        frozenset(OF_UNCENTRED),
    ),
    "positive scaling of features": (
        lambda c: Case(5.5 * c.h, c.y, c.W, c.b),
        frozenset(OF_SIZE_FEATURES),
    ),
    "scaling of features, undone by the weights": (
        lambda c: Case(5.5 * c.h, c.y, c.W / 5.5, c.b),
        frozenset({"alpha", "alpha.centred", "beta"}),
    ),
    "a vector added to all weights": (
        lambda c: Case(c.h, c.y, c.W + SHIFT, c.b),
        frozenset(OF_SHARED_WEIGHTS),
    ),
    "rows of the weights scaled": (
        lambda c: Case(c.h, c.y, c.W * np.array([[0.5], [1.0], [2.0], [7.0]]), c.b),
        EVERYTHING - OF_DIRECTIONS - OF_FEATURES,
    ),
    "noise across the class means": (
        noise_across,
        EVERYTHING - BLIND - WEIGHTS_ALONE,
    ),
    "a number added to all biases": (
        lambda c: Case(c.h, c.y, c.W, c.b + 2),
        frozenset(),
    ),
}


@pytest.mark.parametrize("law", LAWS)
def test_what_a_law_leaves_alone_does_not_change(law):
    change, changing = LAWS[law]
    before, after = case().metrics(), change(case()).metrics()
    fixed = EVERYTHING - changing
    assert {k: after[k] for k in fixed} == pytest.approx({k: before[k] for k in fixed}, rel=1e-10)


MAY_STAY = {
    # counts that happen not to change, but need not stay
    "accuracy", "accuracy.balanced", "nc4.disagreement", "nc4.disagreement.balanced", "ncc.error",
}  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
def test_what_a_law_excepts_does_change(law):
    change, changing = LAWS[law]
    before, after = case().metrics(), change(case()).metrics()
    stuck = [k for k in changing - MAY_STAY if after[k] == pytest.approx(before[k], rel=1e-6)]
    assert stuck == []


@pytest.mark.parametrize(("d", "fixed"), [(3, True), (5, False)])
def test_linear_maps_leave_nc1_alone_where_class_means_span_the_space(d, fixed):
    # With d = K - 1 the pseudo-inverse is an inverse, which undoes any map; with more it is not.
    c, rng = case(), np.random.default_rng(4)
    L = rng.normal(size=(d, d))
    undone = c.W[:, :d] @ np.linalg.inv(L)
    before = measure(c.h[:, :d], c.y, c.W[:, :d], c.b).metrics
    after = measure(c.h[:, :d] @ L.T, c.y, undone, c.b).metrics
    same = {k for k in METRICS if after[k] == pytest.approx(before[k], rel=1e-9)}
    of_maps = {"nc1.pinv", "nc1.pinv.samples", "nc1.fuzziness", "gnc1"}
    of_logits = {name for name in METRICS if name.startswith(("loss.cross_entropy", "logodds"))}
    of_logits -= {"loss.cross_entropy.spherical"}
    of_logits |= {"nc3.etf.unscaled", "nc3.orthogonal", "gnc3.unscaled"}
    kept = of_logits | (of_maps if fixed else set())
    assert kept <= same <= kept | MAY_STAY | {"ncc.error.balanced"}


SCALES = {
    "features": (
        lambda c, s: Case(s * c.h, c.y, c.W, c.b),
        {"alpha": 1, "alpha.centred": 1},
    ),
    "weights": (
        lambda c, s: Case(c.h, c.y, s * c.W, c.b),
        {
            "beta": 1,
            "gnc2": 0,
            "gnc3": 0,
            "loss.hardmax": 0,
            "centre.weights": 0,
            "nc3.etf": 0,
            "nc3.cosine": 0,
            "nc3.distance": 0,
            "nc2.etf.weights": 0,
            "nc2.equinorm.weights": 0,
        },
    ),
}


@pytest.mark.parametrize("what", SCALES)
@pytest.mark.parametrize("factor", [2.0**-20, 3.0])
def test_metrics_scale_with_a_power(what, factor):
    change, powers = SCALES[what]
    before, after = case().metrics(), change(case(), factor).metrics()
    expected = {name: before[name] * factor**power for name, power in powers.items()}
    assert {name: after[name] for name in powers} == pytest.approx(expected, rel=1e-12)


DIRECTIONS = {"lower": -1, "higher": 1}


def simplex(K):
    """K vectors in K - 1 dimensions with the Gram matrix I - 11^T/K."""
    return np.linalg.svd(np.eye(K) - 1 / K)[0][:, : K - 1]


def test_collapse_moves_metrics_in_their_direction():
    rng = np.random.default_rng(5)
    etf, y = simplex(5), np.repeat(np.arange(5), 20)
    noise, tilt = rng.normal(size=(100, 4)), rng.normal(size=(5, 4))
    loose = measure(2 * etf[y] + 0.8 * noise, y, 2 * etf + 0.5 * tilt).metrics
    tight = measure(2 * etf[y] + 0.1 * noise, y, 2 * etf + 0.05 * tilt).metrics
    for name, metric in METRICS.items():
        if metric.direction != "neither":
            assert (tight[name] - loose[name]) * DIRECTIONS[metric.direction] >= 0, name


def test_uncentred_nc1_does_not_vanish_where_noise_alone_spans_a_direction():
    # With d >= K the class means of an ETF sum to noise, which Sigma_B^+ blows up again.
    rng = np.random.default_rng(5)
    etf, y = np.eye(5) - 1 / 5, np.repeat(np.arange(5), 20)
    near = measure(etf[y] + 1e-3 * rng.normal(size=(100, 5)), y).metrics
    assert near["nc1.pinv"] < 1e-4
    assert near["gnc1"] > 1
