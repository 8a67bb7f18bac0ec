"""Nearest class means: measured errors against direct computation, and never above their bounds."""

import math

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.measure import measure
from ncbounds.measure.nearest_mean import (
    few_shot,
    held_out_collapse,
    nearest_means,
    population_cdnv_bound,
)


def clouds(seed, K=4, n=30, d=5, spread=0.8):
    rng = np.random.default_rng(seed)
    centres = 2 * rng.normal(size=(K, d))
    labels = np.repeat(np.arange(K), n)
    return centres[labels] + spread * rng.normal(size=(K * n, d)), labels


@pytest.mark.parametrize("spread", [0.1, 0.8, 3.0])
def test_errors_are_those_of_a_loop_and_below_every_bound(spread):
    x, y = clouds(0, spread=spread)
    z, w = clouds(0, n=20, spread=2 * spread)
    found = nearest_means(x, y, z, w)
    means = np.stack([x[y == c].mean(axis=0) for c in range(4)])
    guess = np.argmin(np.linalg.norm(x[:, None] - means, axis=2), axis=1)
    assert found.error == np.mean(guess != y)
    guess = np.argmin(np.linalg.norm(z[:, None] - means, axis=2), axis=1)
    assert found.held_out == np.mean(guess != w)
    assert found.error <= min(found.bound_lines, found.bound_classes)
    assert found.bound_lines <= found.bound_pairs + 1e-12


def test_the_bound_of_two_classes_is_attained_by_ties():
    found = nearest_means([[-1.0], [1.0], [1.0], [3.0]], [0, 0, 1, 1])
    assert found.error == 0.5 == found.bound


def test_nothing_changes_when_features_are_turned_moved_scaled_or_sorted_anew():
    x, y = clouds(1)
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))
    order = np.random.default_rng(3).permutation(len(y))
    first, second = nearest_means(x, y), nearest_means((7 * x @ turn + 3)[order], y[order])
    assert first.error == second.error
    assert first.cdnv == pytest.approx(second.cdnv)
    assert first.bound == pytest.approx(second.bound)


@pytest.mark.parametrize(("ways", "shots"), [(2, 1), (2, 5), (3, 2)])
def test_few_shot_errors_stay_below_their_bounds(ways, shots):
    x, y = clouds(4, spread=0.3)
    found = few_shot(x, y, ways, shots, draws=40)
    assert found.error <= found.pairs + 4 * found.spread
    assert found.pairs <= found.mean + 1e-12 and found.mean <= found.linear


def test_the_bound_of_the_population_covers_and_comes_nearer_with_more_samples():
    rng = np.random.default_rng(5)

    def draw(centre, n):
        x = np.array([centre, 0.0, 0.0]) + 0.05 * rng.uniform(-1, 1, size=(n, 3))
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    truth = nearest_means(
        np.concatenate([draw(1, 20_000), draw(-1, 20_000)]), np.repeat([0, 1], 20_000)
    ).cdnv
    bounds = [population_cdnv_bound(draw(1, n), draw(-1, n), radius=1.0) for n in (10, 500, 5000)]
    assert bounds[0] == math.inf
    assert truth <= bounds[2] < bounds[1] < 0.1


@pytest.mark.parametrize("spread", [0.01, 1.5])
def test_weak_and_strong_collapse_of_held_out_features_part_where_the_nearest_mean_errs(spread):
    x, y = clouds(6, spread=0.1)
    z, w = clouds(6, n=7, spread=spread)
    found = held_out_collapse(x, y, z, w)
    assert found.weak <= found.strong
    assert (found.weak == found.strong) == (found.error == 0)
    assert found.error == nearest_means(x, y, z, w).held_out
    own = held_out_collapse(x, y, x, y)
    assert own.strong == pytest.approx(measure(x, y).metrics["nc1.trace"])
    order = np.random.default_rng(7).permutation(len(w))
    turn, _ = np.linalg.qr(np.random.default_rng(8).normal(size=(5, 5)))
    moved = held_out_collapse(9 * x @ turn - 2, y + 3, (9 * z @ turn - 2)[order], w[order] + 3)
    assert (moved.weak, moved.strong) == pytest.approx((found.weak, found.strong))


def test_class_means_that_stand_for_others_are_weak_collapse_only():
    x, y = clouds(9)
    means = np.stack([x[y == c].mean(axis=0) for c in range(4)])
    found = held_out_collapse(x, y, means[[1, 2, 3, 0]], np.arange(4))
    assert found.weak == 0 and found.strong > 1 and found.error == 1


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        (lambda: nearest_means([[1.0], [1.0]], [0, 1]), "features"),
        (lambda: nearest_means([[1.0], [2.0]], [0, 1], [[1.0], [2.0]], [0, 2]), "held_out"),
        (lambda: held_out_collapse([[1.0], [1.0]], [0, 1], [[1.0], [2.0]], [0, 1]), "features"),
        (lambda: held_out_collapse([[1.0], [2.0]], [0, 1], [[1.0], [2.0]], [0, 2]), "held_out"),
        (lambda: few_shot([[1.0], [2.0]], [0, 1], 3, 1), "ways"),
        (lambda: few_shot([[1.0], [2.0]], [0, 1], 2, 0), "shots"),
        (lambda: population_cdnv_bound([[1.0]], [[2.0]], 1.0), "second"),
        (lambda: population_cdnv_bound([[1.0]] * 2, [[2.0]] * 2, 1.0, 2.0), "radius, delta, maps"),
    ],
)
def test_bad_input_is_named(call, parameter):
    with pytest.raises(InputError) as error:
        call()
    assert error.value.parameter == parameter
