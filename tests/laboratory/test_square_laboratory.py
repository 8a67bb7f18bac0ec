"""The regularised square loss in closed form, against a solver that knows nothing of it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from ncbounds.arithmetic import balls
from ncbounds.errors import InputError
from ncbounds.laboratory.square import (
    SquareModel,
    kept_share,
    largest_deviation,
    least,
    risk,
    solve,
    straddling_models,
    threshold,
)
from ncbounds.theory.unconstrained import extended, square_regularised

MODELS = straddling_models()


def balanced(K, n, width, kappa, bias=None, layers=1):
    M = layers + 1
    decay = kappa / (K * n ** (1 / M))
    return SquareModel((n,) * K, (width,) * layers, (decay,) * M, bias)


def test_a_part_of_the_grid_agrees_with_descent_to_ten_digits():
    assert largest_deviation(MODELS[::80])[0] < 1e-10


def test_every_minimiser_of_the_grid_attains_the_least_value():
    for model in MODELS:
        found = least(model)
        given = risk(model, found.weights, found.features, found.bias)
        assert found.proved and given == pytest.approx(found.value, abs=1e-13)


@pytest.mark.slow
def test_the_whole_grid_agrees_with_descent_to_ten_digits():
    assert largest_deviation(MODELS)[0] < 1e-10


@pytest.mark.parametrize("bias", [None, 0.0, 0.7])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("rho", [0.2, 0.5, 0.99, 1.01])
def test_two_factors_have_the_value_of_the_statements(bias, width, rho):
    model = balanced(3, 2, width, rho, bias)
    values = {"K": 3.0, "n": 2.0, "m": float(width)}
    values |= {"lambda_A": model.decays[1], "lambda_F": model.decays[0]}
    arrays = {name: np.array(value) for name, value in values.items()}
    if bias is None:
        expected = square_regularised.least_risk(np, **arrays)
    else:
        expected = square_regularised.least_risk_with_bias(np, **arrays, lambda_b=np.array(bias))
    assert least(model).value == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("relative", [0.5, 0.999, 1.001])
def test_more_factors_have_the_value_of_the_statement(layers, relative):
    M = layers + 1
    model = balanced(2, 3, 1, threshold(M) * relative, layers=layers)
    exact = [balls.ball(x) for x in (2, 3, 1, M, math.prod(model.decays))]
    expected = float(extended.least_extended_risk.at(*exact).mid())
    assert least(model).value == pytest.approx(expected, rel=1e-12)


def test_two_factors_leave_zero_steadily_and_three_with_a_jump():
    steady = [kept_share(threshold(2) * (1 - step), 2) for step in (1e-3, 1e-6, -1e-6)]
    assert steady == pytest.approx([1e-3, 1e-6, 0], abs=1e-12)
    assert kept_share(threshold(3), 3) == pytest.approx(0.5, abs=1e-7)
    assert kept_share(threshold(3) * 1.0001, 3) == 0
    assert threshold(3) ** 3 == pytest.approx(1 / 16)


def test_at_the_threshold_of_three_factors_zero_is_as_good():
    model = balanced(2, 1, 2, threshold(3), layers=2)
    found = least(model)
    nothing = [0 * layer for layer in found.weights]
    assert found.phase == "all directions"
    assert found.value == pytest.approx(risk(model, nothing, 0 * found.features), abs=1e-12)


def test_class_means_are_a_frame_without_bias_and_a_simplex_with_a_free_one():
    for bias, expected in ((None, np.eye(3)), (0.0, np.eye(3) - 1 / 3)):
        model = balanced(3, 2, 4, 0.4, bias)
        means = least(model).features.reshape(4, 3, 2).mean(axis=2)
        gram = means.T @ means
        assert gram / gram[0, 0] == pytest.approx(expected / expected[0, 0], abs=1e-12)


def test_a_penalised_bias_lets_means_have_a_centre_only_below_its_threshold():
    below, above = balanced(3, 1, 3, 0.3, 1.0), balanced(3, 1, 3, 0.6, 1.0)  # theta = 1/2
    assert least(below).directions[-1].kept == pytest.approx(0.4)
    assert least(above).directions[-1].kept == 0
    assert least(above).phase == "some directions"


def test_the_smallest_class_vanishes_first():
    sizes, decay = (9, 4, 1), 3 / 14 / 1.5  # n_k against (14 * decay)^2 = 4
    found = least(SquareModel(sizes, (3,), (decay, decay)))
    assert [d.kept > 0 for d in found.directions] == [True, False, False]
    assert not found.features[:, 9:].any()


def test_descent_finds_the_outputs_too():
    model = balanced(3, 1, 3, 0.4)
    assert solve(model)[1] == pytest.approx(0.6 * np.eye(3), abs=1e-8)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"class_sizes": (3,)}, "class_sizes"),
        ({"widths": (0,)}, "widths"),
        ({"decays": (0.1,)}, "decays"),
        ({"decays": (0.1, 0.0)}, "decays"),
        ({"bias_decay": -1.0}, "bias_decay"),
        ({"class_sizes": (3, 1), "bias_decay": 1.0}, "bias_decay"),
    ],
)
def test_what_has_no_answer_is_refused(change, name):
    with pytest.raises(InputError, match=name):
        replace(SquareModel((2, 2), (2,), (0.1, 0.1)), **change)


def test_a_penalised_bias_under_three_factors_is_said_to_be_known_from_descent_only():
    model = balanced(2, 1, 2, 0.5 * threshold(3), bias=10.0, layers=2)
    found = least(model)
    assert found.directions[-1].kept > 0 and not found.proved
    assert solve(model)[0] == pytest.approx(found.value, abs=1e-10)
