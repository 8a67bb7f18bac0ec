"""Unequal classes: closed form, descent, dual bound and semidefinite programme agree."""

import math

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.laboratory.imbalance import (
    collapse_threshold,
    descend,
    descend_regularised,
    dual_bound,
    largest_merged_size,
    minimum,
    semidefinite_reference,
    vanishing_threshold,
)

GRID = [(1, 2, 0.4), (2, 2, 1.0), (3, 2, 0.3), (2, 4, 1.0)]


@pytest.mark.parametrize(("K_A", "K_B", "root"), GRID)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.98, 1.02, 4.0])
def test_the_minimum_is_that_of_descent_on_both_sides_of_the_threshold(K_A, K_B, root, share):
    threshold = collapse_threshold(K_A, K_B, root)
    ratio = 1 + share * (threshold.lower - 1)
    found = minimum(K_A, K_B, ratio, root)
    assert 0 <= found.risk.upper - found.risk.lower < 1e-12
    assert found.collapsed == (share > 1)
    risk, A, F = descend([ratio] * K_A + [1.0] * K_B, root, K_A + K_B)
    assert abs(risk - found.risk.upper) < 1e-10
    assert risk - dual_bound([ratio] * K_A + [1.0] * K_B, F @ A.T, root) < 1e-6
    apart = np.linalg.norm(A[K_A:] - A[K_A:].mean(axis=0))
    assert (apart < 1e-3) == (share > 1)


def test_balanced_classes_form_a_simplex():
    found = minimum(2, 3, 1.0, 1.0)
    assert found.cosine == pytest.approx(-1 / 4, abs=1e-6)
    least = math.log1p(4 * math.exp(-5 / 4))
    assert found.risk.lower - 1e-12 <= least <= found.risk.upper + 1e-12


def test_thresholds_grow_with_the_bounds_and_lie_in_the_sandwich():
    before = 1.0
    for root in (0.01, 0.1, 1.0, 3.0):
        t = collapse_threshold(3, 4, root)
        assert before < t.lower <= t.upper < t.lower * (1 + 1e-12)
        budget = 7 * root
        assert 2 * math.log1p(7 * (t.lower - 1)) <= budget
        assert budget <= 3 * math.log1p((7 + math.sqrt(28)) * (t.upper - 1))
        before = t.upper


def test_to_first_order_a_threshold_falls_with_the_number_of_minority_classes():
    for K_A in (1, 2, 3):
        slopes = [(collapse_threshold(K_A, K_B, 1e-6).lower - 1) / 1e-6 for K_B in (2, 5)]
        expected = [1 / (K_A - 1 + K_B / (K_A + K_B)) for K_B in (2, 5)]
        assert slopes == pytest.approx(expected, rel=1e-4)
        assert slopes[0] > slopes[1]
    assert collapse_threshold(2, 2, 2.0).upper < collapse_threshold(2, 5, 2.0).lower


def test_the_minority_vanishes_beyond_a_second_threshold():
    second = vanishing_threshold(3, 2, 0.3)
    assert second.lower > collapse_threshold(3, 2, 0.3).upper
    assert minimum(3, 2, second.upper * 1.01, 0.3).between == 0
    assert minimum(3, 2, second.lower * 0.99, 0.3).cosine == pytest.approx(1)
    _, A, _ = descend([second.upper * 1.05] * 3 + [1.0] * 2, 0.3, 5)
    assert np.linalg.norm(A[3:]) < 1e-3
    with pytest.raises(InputError, match="root"):
        vanishing_threshold(3, 2, 5.0)


@pytest.mark.parametrize("quotient", [0.8, 0.98, 1.02, 1.25])
def test_the_regularised_minority_merges_exactly_up_to_its_threshold(quotient):
    sizes = [40, 25, 9, 9]
    N = sum(sizes)
    product = 9 / quotient / N**2
    _, A, F = descend_regularised(sizes, math.sqrt(product), math.sqrt(product), 4)
    apart = np.linalg.norm(A[2] - A[3]) + np.linalg.norm(F[2] - F[3])
    merges = largest_merged_size(N, math.sqrt(product), math.sqrt(product)) > 9
    assert merges == (quotient < 1)
    assert (apart < 1e-3) == merges


def test_a_bound_is_a_bound_wherever_it_is_taken():
    sizes, root = [5, 3, 3, 1], 0.7
    least, A, F = descend(sizes, root, 4)
    rng = np.random.default_rng(0)
    assert least - 1e-6 < dual_bound(sizes, F @ A.T, root) <= least + 1e-12
    for size in (0.0, 1.0, 10.0):
        assert dual_bound(sizes, size * rng.normal(size=(4, 4)), root) <= least


def test_two_dimensions_less_than_classes_cost_more_than_the_relaxation():
    sizes = [2, 2, 1, 1]
    full = [descend(sizes, 2.0, m)[0] for m in (4, 3)]
    assert full[0] == pytest.approx(full[1], abs=1e-10)
    assert min(descend(sizes, 2.0, 1, seed)[0] for seed in range(3)) > full[0] + 0.1


def test_the_semidefinite_programme_has_the_same_value():
    pytest.importorskip("cvxpy")
    found = minimum(2, 2, 3.0, 0.7)
    assert semidefinite_reference([3, 3, 1, 1], 0.7) == pytest.approx(found.risk.lower, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("K_A", (0, 2, 2.0, 1.0)),
        ("K_B", (1, 1, 2.0, 1.0)),
        ("ratio", (1, 2, 0.5, 1.0)),
        ("root", (1, 2, 2.0, 0.0)),
        ("root", (1, 2, 2.0, math.nan)),
    ],
)
def test_bad_input_is_named(name, arguments):
    with pytest.raises(InputError, match=name):
        minimum(*arguments)
