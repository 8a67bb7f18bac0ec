"""The Rademacher bounds against numbers worked out apart from them, and against whole truths."""

from fractions import Fraction
from itertools import product
from math import comb, log, prod, sqrt

import numpy as np
import pytest

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.theory.evaluate import evaluate
from ncbounds.theory.rademacher import (
    binary_tree,
    depth_bound,
    error_bound,
    moments,
    patches,
)

xp = numpy_namespace()


def moment_factor(L, k):
    return float(moments.moment_tree_bound(xp, L=L, rho=1.0, m=2, norm=1.0, k=np.float64(k)))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 7])
def test_the_factor_of_a_moment_is_what_its_formula_says(k):
    odd = prod(range(1, 2 * k, 2))
    by_hand = ((1 + 2 ** (1 / (2 * k))) / 2) ** 4 * odd ** (1 / (2 * k))
    assert moment_factor(5, k) == pytest.approx(by_hand, rel=1e-12)


def test_which_order_is_best_for_which_depth():
    best = [min(range(1, 12), key=lambda k, L=L: moment_factor(L, k)) for L in range(1, 11)]
    assert best == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4]


@pytest.mark.parametrize("L", [1, 2, 3, 4, 7, 30, 200])
def test_the_published_factors_are_larger_at_every_depth(L):
    given = {"L": np.float64(L), "rho": 1.0, "m": 2}
    ours = moments.size_independent_tree_bound(xp, norm=1.0, **given)
    published = moments.golowich_tree_bound(xp, norm=1.0, **given)
    sparse = moments.sparse_tree_bound(xp, patch=2.0 ** (-(L - 1) / 2), **given)
    assert min(moment_factor(L, k) for k in range(1, 150)) <= ours < published <= sparse


@pytest.mark.parametrize("L", range(2, 9))
def test_second_moments_are_above_the_halved_relu(L):
    second = binary_tree.sharp_tree_bound(xp, L=np.float64(L), rho=1.0, m=2, norm=1.0)
    assert moment_factor(L, 1) < second


def test_a_bound_evaluates_from_its_parameters():
    found = evaluate("square:theorem-3", rho=2, R="1/100", N=50000, delta="1/20")
    spread = 3 * sqrt(log(2 * 9 * 20) / 100000)
    assert float(found[0]) == pytest.approx(2 * 3 * 0.01 + spread, rel=1e-12)
    assert not any(e.vacuous for e in found)
    assert evaluate("square:theorem-3", rho=2, R=1, N=50000, delta="1/20")[0].vacuous


def test_sixteen_falls_as_its_corrections_do_and_is_never_below_the_sharp_one():
    for rho, L, N in product((1.0, 3.0, 1e3, 1e20), (1.0, 50.0), (10.0, 1e6)):
        given = {"rho": np.float64(rho), "L": np.float64(L), "N": np.float64(N), "delta": 0.05}
        printed = depth_bound.printed_depth_bound(xp, **given)
        assert depth_bound.sharp_depth_bound(xp, **given) < printed
        assert printed <= depth_bound.corrected_depth_bound(xp, **given)


# -- a distribution whose failures can all be counted ---------------------------------------------


def failure(masses, N, delta, bound):
    """Probability that a linear fit errs by more than the bound, over all samples of N points.

    The points are orthonormal: the least fit vanishes on points not seen, which counts as an
    error, and has the norm of the root of the number seen.
    """
    total = 0.0
    for counts in product(range(N + 1), repeat=len(masses)):
        if sum(counts) != N:
            continue
        weight, left = 1.0, N
        for count, mass in zip(counts, masses, strict=True):
            weight *= comb(left, count) * float(mass) ** count
            left -= count
        signs = [[abs(2 * k - n) for k in range(n + 1)] for n in counts]
        shares = [[comb(n, k) / 2**n for k in range(n + 1)] for n in counts]
        complexity = sum(
            prod(share) * sqrt(sum(s * s for s in place))
            for place, share in zip(product(*signs), product(*shares), strict=True)
        )
        given = {
            "rho": np.float64(sqrt(sum(n > 0 for n in counts))),
            "R": np.float64(2 * complexity / N),
            "N": np.float64(N),
            "delta": np.float64(delta),
        }
        error = sum(m for n, m in zip(counts, masses, strict=True) if n == 0)
        total += weight * bool(error > bound(xp, **given))
    return total


BOUNDS = (
    error_bound.printed_error_bound,
    error_bound.corrected_error_bound,
    error_bound.expected_error_bound,
)


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
@pytest.mark.parametrize("mass", [Fraction(1, 100), Fraction(1, 4), Fraction(1, 2)])
@pytest.mark.parametrize("delta", [0.99, 0.1])
def test_the_error_bounds_fail_no_more_often_than_they_may(bound, mass, delta):
    assert failure((mass, 1 - mass), 12, delta, bound) <= delta


def test_the_count_of_failures_counts():
    seen_once = failure((Fraction(1, 2), Fraction(1, 2)), 3, 0.5, lambda xp, **given: 0.4)
    assert seen_once == pytest.approx(1 / 4)


# -- where a depth factor is needed ---------------------------------------------------------------


def test_with_kernels_of_their_own_nodes_attain_more_than_the_norm_of_the_data():
    """Six children with a ReLU, each on three samples of its own in the plane: 1.0108, above 1."""
    x = np.array([[0.4130, 0.3989], [-0.3338, 0.3026], [-0.0565, 0.6812]])
    angles = np.linspace(0, 2 * np.pi, 3600, endpoint=False)
    active = np.maximum(x @ np.stack([np.cos(angles), np.sin(angles)]), 0)
    signs = binary_tree.sign_vectors(3)
    squares = (np.abs(signs @ active).max(axis=1)) ** 2
    sums = np.zeros(1)
    for _ in range(6):
        sums = (sums[:, None] + squares).ravel()
    attained = np.sqrt(sums).mean() / sqrt(6 * (x * x).sum())
    assert 1.0107 < attained < (1 + sqrt(2)) / 2


# -- patches --------------------------------------------------------------------------------------


def test_paths_of_a_pyramid_are_binomial():
    assert patches.path_counts(1, 2, 1, 4) == [1, 4, 6, 4, 1]
    assert patches.path_counts(1, 2, 2, 3) == [1] * 8
    assert patches.path_counts(2, 3, 2, 1) == [1, 1, 2, 1, 1]


def test_the_matrix_of_a_layer_repeats_the_kernel():
    matrix = patches.toeplitz_matrix(xp, np.array([[1.0, 2.0, 3.0]]), 2, 2)[0]
    assert matrix.tolist() == [[1, 2, 3, 0, 0], [0, 0, 1, 2, 3]]


def test_the_sparse_bound_never_beats_the_paths():
    """Mean over even walks of degrees times squared inputs is the path sum; the largest is more."""
    rng = np.random.default_rng(3)
    for P, K, s, levels in product((1, 2, 3), (2, 3), (1, 2), (1, 2)):
        counts = patches.path_counts(P, K, s, levels)
        squares = rng.exponential(size=len(counts))
        assert sum(counts) == P * K**levels
        assert np.dot(counts, squares) <= P * K**levels * squares.max()
