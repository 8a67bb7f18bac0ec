"""The metrics of the theory are those that are measured, and bounds flip where they say."""

import numpy as np
import pytest

from experiments.vanishing_metrics import nearest_mean_rule, simplex
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.measure import measure
from ncbounds.theory.collapse_metrics import nearest_mean, shapes, variability
from ncbounds.theory.collapse_metrics import simplex as nc2

XP = numpy_namespace()


def measured(means, weights=None):
    K = len(means)
    return measure(means, np.arange(K), weights).metrics


def directions(means):
    return shapes.unit_rows(XP, shapes.centred_rows(XP, means[None]))


def test_the_metrics_of_the_theory_are_the_measured_ones():
    rng = np.random.default_rng(0)
    f, a, b = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 5)), rng.normal(size=3)
    found = measure(f.reshape(12, 5), np.repeat(np.arange(3), 4), a, b).metrics
    u = directions(f.mean(axis=1))
    for name, matrix in (("nc2.etf", u @ u.swapaxes(1, 2)), ("nc3.etf", a @ u.swapaxes(1, 2))):
        assert shapes.simplex_distance(XP, matrix)[0] == pytest.approx(found[name] ** 2)
    rules = nearest_mean.three_rules(XP, f[None], a[None], b[None])
    names = ("nc4.disagreement", "ncc.error")
    assert [x[0] for x in rules[:2]] == pytest.approx([found[name] for name in names])
    assert rules[2][0] == pytest.approx(1 - found["accuracy"])


@pytest.mark.parametrize("K", [3, 4, 7])
def test_nc2_in_the_plane_is_least_on_a_circle(K):
    angles = 2 * np.pi * np.arange(K) / K
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    least = float(nc2.least_distance(XP, K=np.float64(K), m=np.float64(2)))
    assert measured(circle)["nc2.etf"] ** 2 == pytest.approx(least, abs=1e-14)
    assert (least < 1e-15) == (K - 1 <= 2)  # the threshold m = K - 1
    if K > 3:
        moved = circle + 0.05 * np.random.default_rng(K).normal(size=circle.shape)
        assert measured(moved)["nc2.etf"] ** 2 > least


@pytest.mark.parametrize("K", [2, 3, 6])
def test_nc2_is_largest_for_all_but_one_against_one(K):
    means = np.r_[np.ones(K - 1), 1.0 - K][:, None]
    largest = float(nc2.largest_distance(XP, K=np.float64(K)))
    assert measured(means)["nc2.etf"] ** 2 == pytest.approx(largest, abs=1e-14)


@pytest.mark.parametrize(("spread", "right"), [(0.999, True), (1.001, False)])
def test_a_bias_fails_beyond_the_reach_of_aligned_weights(spread, right):
    K, t = 4, 1.5
    means = simplex(K, 3)
    reach = t * K / (K - 1) * float(means[0] @ means[0])
    bias = np.zeros(K)
    bias[2] = spread * reach
    found = measure(means, np.arange(K), t * means, bias).metrics
    assert (found["accuracy"] == 1) == right
    assert (found["nc4.disagreement"] == 0) == right


@pytest.mark.parametrize("n", [2, 10])
def test_the_error_bound_of_nc1_is_nearly_attained_by_one_outlier(n):
    # One feature of each class just past the middle, the others as little as the mean allows.
    own, step = np.array([-1.0, 1.0]), 1.001
    away = np.r_[step, np.full(n - 1, -step / (n - 1))]
    f = (own[:, None] - own[:, None] * away)[:, :, None]
    found = nearest_mean_rule(f).measured().metrics
    bound = float(nearest_mean.nearest_mean_error(XP, K=2.0, kappa=0.25, NC1=found["nc1.pinv"]))
    assert found["ncc.error"] == 1 / n
    assert 1 / n <= bound < 1.01 / (n - 1)


def test_at_a_simplex_nc1_is_twice_cdnv_where_nothing_is_across():
    rng = np.random.default_rng(1)
    means, noise = simplex(4, 3), rng.normal(size=(4, 5, 3))
    f = means[:, None] + noise - noise.mean(axis=1)[:, None]
    found = nearest_mean_rule(f).measured().metrics
    bound = float(variability.nc1_from_cdnv(XP, V=found["cdnv.mean"]))
    assert found["nc1.pinv"] == pytest.approx(bound)
