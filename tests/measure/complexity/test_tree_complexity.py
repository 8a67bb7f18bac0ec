"""The complexity of tree networks: closed forms, brute force, symmetries, planted errors."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ncbounds.errors import InputError
from ncbounds.measure.complexity import (
    CONVENTIONS,
    Complexity,
    arcs,
    boxes,
    check_two_levels,
    toeplitz_matrices,
    tree_network,
    tree_rademacher,
    two_level_upper,
)

Array = npt.NDArray[np.float64]

SHAPES = [(2, 1), (2, 5), (4, 1), (4, 2), (4, 5), (8, 1), (8, 3), (16, 2)]
EXACT = 1e-10


def sample(m: int, d: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, m, d]).standard_normal((m, d))


def brute_force(X: Array, per_turn: int) -> float:
    """E sup |sum sigma_i h(x_i)| on a grid of angles, exact at the top: never too large."""
    m, d = X.shape
    depth = d.bit_length() - 1
    turn = 2 * math.pi * np.arange(per_turn) / per_turn
    best = np.zeros(2**m)
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=m)))
    for angles in itertools.product(turn, repeat=depth - 1):
        v = X
        for angle in angles:
            v = np.maximum(v.reshape(m, -1, 2) @ [math.cos(angle), math.sin(angle)], 0.0)
        best = np.maximum(best, np.linalg.norm(signs @ v, axis=1))
    return math.fsum(best.tolist()) / len(best)


def unit(X: Array) -> float:
    """The quantity that every bound here multiplies: sqrt(sum |x_i|^2) / m."""
    return float(np.linalg.norm(X)) / len(X)


def printed_bound(X: Array) -> float:
    return float(X.shape[1] * unit(X))  # 2^L = d


def sharper_bound(X: Array) -> float:
    return math.sqrt(2 * X.shape[1]) * unit(X)  # 2^((L+1)/2)


def test_a_network_is_its_toeplitz_matrices_with_relus_between() -> None:
    kernels, x = sample(3, 2), sample(5, 8)
    first, second, third = toeplitz_matrices(kernels, 8)
    expected = third @ np.maximum(second @ np.maximum(first @ x.T, 0), 0)
    np.testing.assert_allclose(tree_network(x, kernels), expected[0], atol=1e-14)


def test_frobenius_norm_of_a_level_counts_its_nodes() -> None:
    kernels = sample(4, 2)
    norms = [np.linalg.norm(matrix) for matrix in toeplitz_matrices(kernels, 16)]
    np.testing.assert_allclose(norms, np.sqrt([8, 4, 2, 1]) * np.linalg.norm(kernels, axis=1))


@pytest.mark.parametrize("m", [1, 2, 6])
def test_one_level_is_the_mean_norm_of_signed_sums(m: int) -> None:
    X, rho = sample(m, 2), 1.7
    signed = [np.linalg.norm(np.array(s) @ X) for s in itertools.product([1, -1], repeat=m)]
    result = tree_rademacher(X, rho)
    assert result.lower <= 2 * rho / m * np.mean(signed) * (1 + 1e-14)
    assert result.lower == pytest.approx(2 * rho / m * np.mean(signed), rel=EXACT)
    assert result.upper == pytest.approx(result.lower, rel=EXACT)


@pytest.mark.parametrize("seed", range(8))
def test_one_sample_on_two_levels_has_a_closed_form(seed: int) -> None:
    """Halves at an acute angle fire together: spectral norm. Else only the longer one fires."""
    x = sample(1, 4, seed)
    halves = x.reshape(2, 2)
    acute = halves[0] @ halves[1] >= 0
    expected = np.linalg.norm(halves, 2) if acute else np.linalg.norm(halves, axis=1).max()
    assert tree_rademacher(x).lower == pytest.approx(2 * expected, rel=EXACT)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_constant_sample_attains_its_norm_at_every_depth(depth: int) -> None:
    x = np.ones((1, 2**depth))
    assert tree_rademacher(x).lower == pytest.approx(2 * np.linalg.norm(x), rel=1e-9)


@pytest.mark.parametrize(
    ("m", "d", "per_turn", "miss"),
    [(1, 4, 4000, 1e-5), (2, 4, 4000, 1e-5), (4, 4, 4000, 1e-5), (2, 8, 120, 5e-3)],
)
def test_dense_grid_of_angles_agrees(m: int, d: int, per_turn: int, miss: float) -> None:
    """A kink is missed by at most half a step, times Lambda; a smooth maximum by its square."""
    X = sample(m, d, seed=3)
    grid = 2 / m * brute_force(X, per_turn)
    result = tree_rademacher(X)
    assert result.upper is not None
    assert grid <= result.upper
    reach = 2 / m * np.linalg.norm(X, axis=1).sum() * math.pi / per_turn * (d.bit_length() - 2)
    assert grid >= result.lower - reach
    assert grid == pytest.approx(result.lower, rel=max(miss, reach / result.lower))


@pytest.mark.parametrize(("d", "m"), SHAPES)
def test_enclosure_is_ordered_and_as_narrow_as_promised(d: int, m: int) -> None:
    result = tree_rademacher(sample(m, d))
    assert result.upper is not None
    assert result.lower <= result.upper <= result.lower * (1 + (EXACT if d <= 4 else 1.1e-3))


@pytest.mark.parametrize(("d", "m"), [(4, 4), (8, 3), (16, 2), (32, 2)])
def test_witnesses_reproduce_the_lower_end_and_respect_rho(d: int, m: int) -> None:
    X, rho = sample(m, d), 2.5
    result = tree_rademacher(X, rho)
    norms = np.linalg.norm(result.kernels, axis=2)
    np.testing.assert_allclose(norms.prod(axis=1), rho, rtol=1e-14)
    outputs = np.stack([tree_network(X, kernels) for kernels in result.kernels])
    suprema = np.abs(np.sum(result.signs * outputs, axis=1))
    np.testing.assert_allclose(suprema, result.suprema, rtol=1e-12)
    assert result.lower == pytest.approx(2 / m * suprema.mean(), rel=1e-12)
    assert result.hat[0] == result.lower / 2


def test_all_definitions_stand_beside_each_other() -> None:
    result = tree_rademacher(sample(3, 4))
    assert result.upper is not None
    for name, convention in CONVENTIONS.items():
        lower, upper = result.within(name)
        assert upper is not None
        assert lower * 2 == result.lower * convention.factor
        assert upper * 2 == result.upper * convention.factor
    with pytest.raises(InputError, match="definition-1, absolute, doubled, plain"):
        result.within("halved")


@pytest.mark.parametrize("seed", range(3))
def test_upper_end_of_two_levels_is_not_too_large(seed: int) -> None:
    """A rigorous bound from a grid alone: the supremum is Lipschitz in the angle."""
    X, per_turn = sample(3, 4, seed), 4_000
    step = math.pi / per_turn * np.linalg.norm(X, axis=1).sum() * 2 / 3
    result = tree_rademacher(X)
    assert result.upper is not None
    assert result.lower <= 2 / 3 * brute_force(X, per_turn) + step
    assert 2 / 3 * brute_force(X, per_turn) <= result.upper <= result.lower * (1 + EXACT)


@pytest.mark.parametrize("X", [sample(1, 4), sample(5, 4), np.ones((3, 4)), np.eye(4)[[0, 1, 0]]])
def test_upper_end_of_two_levels_is_confirmed_in_balls(X: Array) -> None:
    result, checked = tree_rademacher(X, 1.5), two_level_upper(X, 1.5)
    assert result.upper is not None
    assert result.lower <= checked <= result.lower * (1 + 1e-12)
    assert checked <= result.upper


@pytest.mark.parametrize("seed", range(3))
def test_bad_cuts_only_widen_what_the_check_says(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    X = sample(3, 4, seed)
    tight = two_level_upper(X)
    grid = np.arange(60) * 2 * math.pi / 60
    monkeypatch.setattr(check_two_levels, "_cuts", lambda X: grid)
    assert tight * (1 - 1e-15) <= two_level_upper(X) <= tight * 1.2


def test_the_check_notices_a_search_that_misses_arcs(monkeypatch: pytest.MonkeyPatch) -> None:
    X, honest = sample(3, 4), arcs.arc_ends
    monkeypatch.setattr(arcs, "arc_ends", lambda units: honest(units)[:, ::2])
    planted, checked = tree_rademacher(X), two_level_upper(X)
    assert planted.upper is not None
    assert abs(planted.upper - checked) > 1e-3
    assert planted.lower < checked * (1 - 1e-3)


def test_the_check_is_for_two_levels_only() -> None:
    with pytest.raises(InputError, match="4 columns"):
        two_level_upper(np.ones((2, 8)))
    with pytest.raises(InputError, match="at most 12"):
        two_level_upper(np.ones((13, 4)))


def test_no_upper_end_is_claimed_where_none_was_computed() -> None:
    result = tree_rademacher(sample(2, 32))
    assert result.upper is None
    assert result.hat[1] is None
    assert result.lower > 0


def test_upper_end_stays_valid_when_the_boxes_run_out() -> None:
    X = sample(3, 8)
    short, full = tree_rademacher(X, max_boxes=1), tree_rademacher(X)
    assert short.upper is not None
    assert full.upper is not None
    assert short.upper > full.upper * 1.01
    assert short.upper >= full.lower


def agree(first: Complexity, second: Complexity, factor: float = 1.0) -> None:
    assert first.lower * factor == pytest.approx(second.lower, rel=1e-9)


@pytest.mark.parametrize(("d", "m"), [(2, 3), (4, 4), (8, 3)])
def test_scales_with_data_and_rho(d: int, m: int) -> None:
    X = sample(m, d)
    base = tree_rademacher(X)
    agree(base, tree_rademacher(3.0 * X), 3.0)
    agree(base, tree_rademacher(X, 0.3), 0.3)
    agree(base, tree_rademacher(2.0**900 * X, 2.0**-900))
    agree(base, tree_rademacher(2.0**-900 * X, 2.0**900))


@pytest.mark.parametrize(("d", "m"), [(2, 3), (4, 4), (8, 3)])
def test_invariant_under_sign_of_all_order_of_samples_and_of_nodes(d: int, m: int) -> None:
    """Kernels can be negated and swapped at the bottom, children swapped at any level."""
    X = sample(m, d)
    base = tree_rademacher(X)
    agree(base, tree_rademacher(-X))
    agree(base, tree_rademacher(X[::-1]))
    agree(base, tree_rademacher(X.reshape(m, -1, 2)[:, :, ::-1].reshape(m, d)))
    agree(base, tree_rademacher(np.roll(X, d // 2, axis=1)))


def test_flipping_one_sample_matters_only_through_the_relu() -> None:
    linear, deep = sample(3, 2), sample(3, 4)
    flip = np.array([[1.0], [-1.0], [1.0]])
    agree(tree_rademacher(linear), tree_rademacher(flip * linear))
    assert abs(tree_rademacher(deep).lower - tree_rademacher(flip * deep).lower) > 1e-3


def test_zero_data_has_complexity_zero() -> None:
    result = tree_rademacher(np.zeros((2, 8)))
    assert (result.lower, result.upper) == (0.0, 0.0)


@pytest.mark.parametrize("d", [2, 4, 8])
def test_samples_that_cancel_leave_half_of_the_sign_vectors(d: int) -> None:
    """x and x again: opposite signs give 0 exactly, equal signs twice the single sample."""
    x = sample(1, d)
    result = tree_rademacher(np.vstack([x, x]))
    assert sorted(result.suprema)[0] == 0.0
    agree(tree_rademacher(x), result, 1 / 2)
    assert result.upper is not None
    assert result.upper <= result.lower * (1 + 1.1e-3)


def test_samples_that_vanish_change_only_the_mean() -> None:
    X = sample(2, 4)
    padded = np.vstack([X, np.zeros((2, 4))])
    agree(tree_rademacher(X), tree_rademacher(padded), 2 / 4)


@pytest.mark.parametrize(("d", "m"), SHAPES)
@pytest.mark.parametrize("bound", [printed_bound, sharper_bound])
def test_bounds_in_the_normalisation_with_factor_two_hold(
    d: int, m: int, bound: Callable[[Array], float]
) -> None:
    X = sample(m, d, seed=1)
    upper = tree_rademacher(X).upper
    assert upper is not None
    assert upper <= bound(X) * (1 + 1e-11)


def test_bound_without_the_factor_two_is_violated_for_certain() -> None:
    """The proof sketch ends at 2^(L-1): wrong at L = 1, m = 1 with R as defined."""
    X = np.array([[3.0, 4.0]])
    assert tree_rademacher(X).lower > 1.99 * printed_bound(X) / 2
    assert tree_rademacher(X).hat[0] <= printed_bound(X) / 2


def test_planted_loss_of_arcs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every second breakpoint missing the search no longer agrees with the grid."""
    X = sample(3, 4)
    honest = arcs.arc_ends
    monkeypatch.setattr(arcs, "arc_ends", lambda units: honest(units)[:, ::2])
    planted = tree_rademacher(X)
    assert planted.upper is not None
    grid = 2 / 3 * brute_force(X, 4000)
    assert abs(planted.upper - grid) > 1e-3 or planted.upper > planted.lower * (1 + EXACT)


def test_planted_loss_of_a_half_turn_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels restricted to a half turn: the upper end falls below what the grid attains."""
    X = sample(3, 4)
    honest = arcs.maximise_over_arcs

    def half(units: Array, signs: Array, ends: Array) -> tuple[Array, ...]:
        value, angle = honest(units, signs, ends)
        return np.where(angle < math.pi, value, 0.0), angle

    monkeypatch.setattr(arcs, "maximise_over_arcs", half)
    upper = tree_rademacher(X).upper
    assert upper is not None
    assert upper < 2 / 3 * brute_force(X, 4000)


@pytest.mark.parametrize("level", [1, 2])
def test_reach_covers_every_point_of_a_box(level: int) -> None:
    """Branch and bound is as good as its step: random boxes, random points inside."""
    rng = np.random.default_rng(5)
    X, free, count = sample(3, 2 ** (level + 2)), level, 200
    centre = rng.uniform(-math.pi, math.pi, (count, free))
    radius = rng.uniform(0.01, 0.4, free)
    signs = rng.choice([-1.0, 1.0], (count, 3))
    bound = boxes.evaluate(X, centre, signs) + boxes.reach(X, centre, radius)
    for _ in range(50):
        inside = centre + radius * rng.choice([-1, -0.5, 0.3, 1], (count, free))
        assert np.all(boxes.evaluate(X, inside, signs) <= bound)


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (np.ones((2, 3)), "d = 3"),
        (np.ones((2, 1)), "d = 1"),
        (np.ones((0, 4)), "no rows"),
        (np.ones(4), "shape"),
        (np.ones((17, 4)), "2^(m-1) sign vectors"),
        (np.ones((13, 8)), "at most 12"),
        (np.ones((1, 2048)), "2^10"),
        ([[1.0, math.nan]], "NaN"),
        ([["a", "b"]], "real numbers"),
        (np.full((2, 2), 1.5e308), "float"),
    ],
)
def test_bad_data_is_named(X: object, says: str) -> None:
    with pytest.raises(InputError, match=r"^X = ") as error:
        tree_rademacher(X)  # type: ignore[arg-type]
    assert says in str(error.value)


@pytest.mark.parametrize("rho", [0.0, -1.0, math.inf, math.nan, "1"])
def test_bad_rho_is_named(rho: float) -> None:
    with pytest.raises(InputError, match="rho"):
        tree_rademacher(np.ones((1, 2)), rho)


@pytest.mark.parametrize("option", [{"tolerance": 0.0}, {"max_boxes": 0}])
def test_bad_effort_is_named(option: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(option))):
        tree_rademacher(np.ones((1, 8)), **option)


def test_bad_network_is_named() -> None:
    with pytest.raises(InputError, match="kernels"):
        tree_network([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(InputError, match="x = "):
        tree_network([1.0, 2.0, 3.0], [[1.0, 2.0]])
    with pytest.raises(InputError, match="d = 8"):
        toeplitz_matrices([[1.0, 2.0]], 8)


def test_same_seed_same_numbers() -> None:
    X = sample(3, 32)
    first, second = tree_rademacher(X, seed=4), tree_rademacher(X, seed=4)
    assert first.lower == second.lower
    np.testing.assert_array_equal(first.kernels, second.kernels)
