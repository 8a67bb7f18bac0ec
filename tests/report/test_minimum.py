"""Minima of the models by name: points, phases, and what is refused."""

import json
import math

import numpy as np
import pytest

import ncbounds
from ncbounds.errors import InputError
from ncbounds.laboratory.optimality import certify_optimality
from ncbounds.report.minimum import MODELS, minimum

GIVEN = {
    "cross-entropy": {"K": 3, "n": 4, "m": 4, "lambda_A": 0.02, "lambda_F": 0.03},
    "square": {"K": 3, "n": 4, "m": 4, "lambda_A": 0.02, "lambda_F": 0.03, "lambda_b": 0.5},
    "extended": {"K": 3, "n": 4, "m": 4, "lambda_A2": 0.02, "lambda_A1": 0.01, "lambda_F": 0.01},
    "norm-constrained": {"K": 3, "n": 4, "m": 2, "Omega_A": 1.0, "Omega_F": 0.5},
    "separation": {"K": 3, "n": 4, "m": 2},
    "imbalanced": {"K_maj": 2, "K_min": 2, "ratio": 1.1, "Omega_A": 2.0, "Omega_F": 1.0},
}


def test_every_model_is_tried():
    assert GIVEN.keys() == MODELS.keys()


@pytest.mark.parametrize("model", GIVEN)
def test_a_minimum_is_plain_data_with_its_parameters(model):
    found = minimum(model, **GIVEN[model])
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["model"] == model and data["parameters"] == GIVEN[model]
    low, high = found.risk
    assert 0 <= low <= high <= low * (1 + 1e-9)


@pytest.mark.parametrize("model", ["cross-entropy", "square"])
def test_the_point_is_certified_to_be_the_minimum(model):
    given = GIVEN[model]
    found = minimum(model, **given)
    decays = {name: given[name] for name in given if name.startswith("lambda")}
    certified = certify_optimality(**found.point, loss=model, **decays)
    assert certified.gap < 1e-9
    assert certified.risk[0] == pytest.approx(found.risk[0], abs=1e-12)


@pytest.mark.parametrize("model", ["cross-entropy", "norm-constrained", "separation"])
def test_the_point_is_a_simplex(model):
    point = minimum(model, **GIVEN[model]).point
    metrics = ncbounds.measure(point["features"], point["labels"], point["weights"]).metrics
    assert abs(metrics["nc1.pinv"]) < 1e-12 and metrics["nc2.etf"] < 1e-7
    assert metrics["cosine.inter.max"] == pytest.approx(-1 / 2)


def test_the_point_of_three_factors_has_the_features_that_the_last_layer_sees():
    given = GIVEN["extended"]
    found = minimum("extended", **given)
    outputs = found.point["weights"] @ found.point["features"].T
    fitted = found.quantities["share that is fitted"]
    assert 0.5 < fitted < 1
    assert np.allclose(outputs, fitted * np.repeat(np.eye(3), 4, axis=1))


@pytest.mark.parametrize(
    ("model", "name", "phases"),
    [
        ("cross-entropy", "lambda_A", ("simplex", "zero")),
        ("square", "lambda_A", ("all directions", "zero")),
        ("extended", "lambda_A1", ("all directions", "zero")),
        ("imbalanced", "ratio", ("all classes apart", "minority collapse")),
    ],
)
def test_the_phase_changes_at_the_critical_value(model, name, phases):
    given = {**GIVEN[model]}
    given.pop("lambda_b", None)  # one threshold for all directions

    def excess(value):
        first = minimum(model, **{**given, name: value}).transitions[0]
        return first.value / first.critical - 1

    low, high = given[name], 1e4
    assert excess(low) < 0 < excess(high)
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    below, above = (minimum(model, **{**given, name: low * s}) for s in (1 - 1e-9, 1 + 1e-9))
    assert (below.phase, above.phase) == phases
    assert below.risk[1] == pytest.approx(above.risk[0], rel=1e-6)


@pytest.mark.parametrize(
    ("model", "changes", "words"),
    [
        ("linear", {}, "MODEL = linear: must be one of cross-entropy"),
        ("square", {"K": 1}, "K = 1: must be an integer >= 2"),
        ("square", {"n": 1.5}, "n = 1.5: must be an integer >= 1"),
        ("square", {"lambda_A": 0}, "lambda_A = 0: must be a real number > 0"),
        ("square", {"lambda_A": "1e999"}, "lambda_A = too large"),
        ("square", {"lambda_c": 1}, "lambda_c = 1: must be one of the parameters K, n, m"),
        ("imbalanced", {"ratio": 0.5}, "ratio = 0.5: must be a real number >= 1"),
        ("imbalanced", {"K_min": 1}, "K_min = 1: must be an integer >= 2"),
    ],
)
def test_bad_input_is_named(model, changes, words):
    with pytest.raises(InputError) as raised:
        minimum(model, **{**GIVEN.get(model, {}), **changes})
    assert words in str(raised.value)


def test_a_missing_parameter_is_named():
    with pytest.raises(
        InputError, match="lambda_F = missing: must be given: decay of the features"
    ):
        minimum("cross-entropy", K=3, n=4, m=4, lambda_A=0.1)
