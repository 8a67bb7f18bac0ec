"""Linear functions and hidden units: closed forms, brute force over directions, planted errors."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest

from ncbounds.errors import InputError
from ncbounds.measure.complexity import (
    CONVENTIONS,
    hidden_layer_rademacher,
    hidden_unit_rademacher,
    linear_rademacher,
    relu_unit,
    tree_rademacher,
)

Array = npt.NDArray[np.float64]


def sample(m: int, d: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, m, d]).standard_normal((m, d))


def directions(d: int, count: int) -> Array:
    """Unit vectors: a dense grid in the plane, random ones above."""
    if d == 2:
        turn = 2 * math.pi * np.arange(count) / count
        return np.stack([np.cos(turn), np.sin(turn)], axis=1)
    w = np.random.default_rng(1).standard_normal((count, d))
    return w / np.linalg.norm(w, axis=1, keepdims=True)


def brute_force(X: Array, count: int, relu: bool) -> dict[str, float]:
    """Every definition by going through directions: never too large."""
    m = len(X)
    outputs = X @ directions(X.shape[1], count).T
    outputs = np.maximum(outputs, 0) if relu else outputs
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=m)))
    sums = signs @ outputs
    plain = np.maximum(sums.max(axis=1), 0).mean() / m
    absolute = np.abs(sums).max(axis=1).mean() / m
    values = {"plain": plain, "absolute": absolute}
    return values | {"doubled": 2 * plain, "definition-1": 2 * absolute}


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("relu", [False, True])
def test_a_dense_grid_of_directions_agrees_in_every_definition(m: int, relu: bool) -> None:
    X, count = sample(m, 2), 20_000
    result = (hidden_unit_rademacher if relu else linear_rademacher)(X)
    reach = np.linalg.norm(X, axis=1).sum() / m * math.pi / count
    grid = brute_force(X, count, relu)
    for name in CONVENTIONS:
        lower, upper = result.within(name)
        assert upper is not None
        factor = CONVENTIONS[name].factor
        assert grid[name] <= upper * (1 + 1e-12)
        assert lower <= grid[name] + factor * reach


@pytest.mark.parametrize(("m", "d"), [(3, 3), (5, 4), (6, 9), (2, 40)])
def test_random_directions_never_beat_the_upper_end(m: int, d: int) -> None:
    X = sample(m, d)
    result, grid = hidden_unit_rademacher(X), brute_force(X, 20_000, True)
    for name in CONVENTIONS:
        assert grid[name] <= (result.within(name)[1] or 0.0)


@pytest.mark.parametrize(("m", "d"), [(1, 1), (4, 2), (6, 3), (5, 30)])
def test_enclosures_are_as_narrow_as_promised(m: int, d: int) -> None:
    X = sample(m, d)
    unit = np.linalg.norm(X) / m
    for found in (hidden_unit_rademacher(X), hidden_layer_rademacher(X)):
        for name in CONVENTIONS:
            lower, upper = found.within(name)
            assert upper is not None
            assert 0 <= upper - lower <= 1e-7 * unit
    linear = linear_rademacher(X)
    assert linear.upper is not None
    assert linear.lower <= linear.upper <= linear.lower * (1 + 1e-14)


def test_orthogonal_samples_have_closed_forms() -> None:
    """Linear: |sum sigma_i x_i| = 1. A unit gains the norm of the samples with sign +1."""
    m, X = 4, np.eye(4)
    assert linear_rademacher(X).within("plain")[0] == pytest.approx(math.sqrt(m) / m)
    norms = [math.sqrt(k) for k in range(m + 1)]
    ways = [math.comb(m, k) for k in range(m + 1)]
    plain = sum(w * n for w, n in zip(ways, norms, strict=True)) / 2**m / m
    either = sum(w * max(norms[k], norms[m - k]) for k, w in enumerate(ways)) / 2**m / m
    unit, layer = hidden_unit_rademacher(X), hidden_layer_rademacher(X)
    assert unit.within("plain")[0] == pytest.approx(plain, rel=1e-9)
    assert unit.within("absolute")[0] == pytest.approx(either, rel=1e-9)
    assert layer.within("plain")[0] == pytest.approx(either, rel=1e-9)


def test_opposite_samples_fire_one_at_a_time() -> None:
    """x and -x: signs (+, +) give |x|, (+, -) too, (-, -) only 0."""
    x = np.array([[0.6, 0.8]])
    found = hidden_unit_rademacher(np.vstack([x, -x]))
    assert found.within("plain")[0] == pytest.approx((1 + 1 + 1 + 0) / 4 / 2, rel=1e-9)
    assert found.within("absolute")[0] == pytest.approx(1 / 2, rel=1e-9)


def test_the_absolute_value_is_free_exactly_where_the_class_is_symmetric() -> None:
    X = sample(4, 3)
    for found in (linear_rademacher(X), hidden_layer_rademacher(X)):
        assert found.within("plain") == found.within("absolute")
    unit = hidden_unit_rademacher(X)
    assert unit.within("absolute")[0] > 1.1 * (unit.within("plain")[1] or 0.0)
    assert unit.within("absolute") == hidden_layer_rademacher(X).within("absolute")


def test_one_level_of_a_tree_is_a_linear_function() -> None:
    X = sample(5, 2)
    assert tree_rademacher(X, 1.5).lower == pytest.approx(linear_rademacher(X, 1.5).lower)


def test_suprema_are_those_of_the_signs() -> None:
    X, w = sample(4, 3), directions(3, 5000)
    found = hidden_unit_rademacher(X, 2.0)
    sums = (found.signs @ np.maximum(X @ w.T, 0)).max(axis=1)
    assert np.all(2 * np.maximum(sums, 0) <= found.suprema + 1e-6)
    assert np.all(found.suprema <= 2 * np.maximum(sums, 0) + 0.3)
    assert found.one_sided[0] == pytest.approx(found.suprema.mean() / 4, rel=1e-9)


@pytest.mark.parametrize("scale", [3.0, 2.0**900])
def test_scales_with_data_and_rho(scale: float) -> None:
    X = sample(3, 3)
    base = hidden_unit_rademacher(X).lower
    assert hidden_unit_rademacher(scale * X, 1 / scale).lower == pytest.approx(base, rel=1e-9)
    assert linear_rademacher(X, 0.5).lower == pytest.approx(linear_rademacher(X).lower / 2)


def test_zero_data_has_complexity_zero() -> None:
    for found in (hidden_unit_rademacher(np.zeros((2, 3))), linear_rademacher(np.zeros((2, 3)))):
        assert (found.lower, found.upper) == (0.0, 0.0)


def test_planted_loss_of_a_sample_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the last sample of sign +1 the upper end falls below what the grid attains."""
    X, honest = sample(3, 2), relu_unit._supremum
    monkeypatch.setattr(relu_unit, "_supremum", lambda P, N, enough: honest(P[:-1], N, enough))
    found = hidden_unit_rademacher(X)
    assert (found.within("plain")[1] or 0) < brute_force(X, 20_000, True)["plain"]


def test_planted_negative_share_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares below zero would let a blocked sample help: the upper end falls too low."""
    X = sample(3, 2)
    monkeypatch.setattr(relu_unit.np, "clip", lambda values, low, high: values)
    found = hidden_unit_rademacher(X)
    assert (found.within("plain")[1] or 0) < brute_force(X, 20_000, True)["plain"]


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (np.ones((13, 2)), "at most 12"),
        (np.ones((0, 2)), "no rows"),
        (np.ones((2, 0)), "no columns"),
        (np.ones(2), "shape"),
        ([[math.inf]], "infinity"),
        (np.full((2, 2), 1.5e308), "float"),
    ],
)
def test_bad_data_is_named(X: object, says: str) -> None:
    with pytest.raises(InputError, match=r"^X = ") as error:
        hidden_unit_rademacher(X)  # type: ignore[arg-type]
    assert says in str(error.value)
    with pytest.raises(InputError, match="rho"):
        linear_rademacher([[1.0]], -1.0)
