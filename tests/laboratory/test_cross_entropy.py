"""Global minima of regularised cross-entropy: closed form, search, and certificates of points."""

import math

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.laboratory.cross_entropy import deviations, regularised_minimum, solve
from ncbounds.laboratory.optimality import certify_optimality
from ncbounds.measure.files import write_features
from ncbounds.measure.optimality import optimality_of_file

DECAYS = {"lambda_A": 0.1, "lambda_F": 0.05}
LABELS = np.repeat(np.arange(3), 2)


def test_closed_form_and_search_agree_on_both_sides_of_the_threshold():
    found = deviations([2, 3], [2], [0.3, 1.0, 1.01])
    assert len(found) == 36
    assert max(abs(d.deviation) for d in found) < 1e-10


def test_features_of_each_sample_are_no_better_than_one_for_each_class():
    apart = solve([2, 2], 2, **DECAYS, collapsed=False)
    assert apart.features.shape == (4, 2)
    assert abs(apart.risk - regularised_minimum(2, 2, 2, **DECAYS).risk) < 1e-10


@pytest.mark.parametrize("m", [1, 2, 5])
def test_zero_takes_over_at_one_threshold_whatever_the_dimension(m):
    for strength, phase in ((0.97, "simplex"), (1.03, "zero")):
        decay = strength / 3 / math.sqrt(2)
        closed = regularised_minimum(3, 2, m, decay, decay)
        found = solve([2, 2, 2], m, decay, decay, 0.1)
        assert closed.phase == phase
        assert (np.abs(found.weights).max() > 1e-3) == (phase == "simplex")
        assert closed.exact == (m >= 2 or phase == "zero")
        assert found.risk >= closed.risk - 1e-12


def test_below_the_threshold_too_few_dimensions_cost():
    narrow = solve([2, 2, 2], 1, **DECAYS, starts=12)
    assert narrow.risk > regularised_minimum(3, 2, 1, **DECAYS).risk + 0.1
    at = certify_optimality(narrow.features, LABELS, narrow.weights, narrow.bias, **DECAYS)
    assert at.certificate == "fails"  # in C2, and no way down: m = K - 2
    assert at.descent is None
    assert not at.wide_enough


def test_the_closed_form_has_the_risk_it_claims():
    for K, n, m in ((2, 1, 1), (3, 2, 4), (5, 3, 4)):
        at = regularised_minimum(K, n, m, 0.01, 0.02)
        y = np.repeat(np.arange(K), n)
        found = certify_optimality(
            at.features, y, at.weights, at.bias, lambda_A=0.01, lambda_F=0.02, lambda_b=0.3
        )
        assert found.risk[0] - 1e-12 <= at.risk <= found.risk[1] + 1e-12
        assert -1e-15 <= found.gap < 1e-12
        assert found.is_minimum()
        assert found.wide_enough


@pytest.mark.parametrize("loss", ["cross-entropy", "square"])
@pytest.mark.parametrize("lambda_b", [None, 0.0, 0.2])
def test_unequal_classes_have_a_duality_gap_that_a_search_closes(loss, lambda_b):
    bias, decay = lambda_b is not None, lambda_b or 0.0
    found = solve([4, 2, 1], 3, 0.05, 0.03, decay, bias=bias, loss=loss)
    y = np.repeat(np.arange(3), [4, 2, 1])
    told = {"lambda_A": 0.05, "lambda_F": 0.03, "lambda_b": decay, "loss": loss}
    b = found.bias if bias else None
    at = certify_optimality(found.features, y, found.weights, b, **told)
    assert 0 <= at.gap < 1e-7
    off = certify_optimality(found.features + 0.1, y, found.weights, b, **told)
    assert off.gap > 1e-5
    assert off.least_risk <= at.risk[1]


def test_zero_is_a_saddle_below_the_threshold_and_the_minimum_above():
    F, A = np.zeros((6, 3)), np.zeros((3, 3))
    below = certify_optimality(F, LABELS, A, **DECAYS)
    assert below.certificate == "fails"
    assert below.descent.curvature[1] < 0
    assert below.descent.gain > 6 * (below.spectral_norm[0] - below.threshold[1]) ** 2 - 1e-12
    above = certify_optimality(F, LABELS, A, lambda_A=1.0, lambda_F=1.0)
    assert above.certificate == "holds"
    assert above.descent is None
    assert above.gap < 1e-14


def test_a_step_down_gains_what_it_says():
    rng = np.random.default_rng(0)
    F, A = rng.normal(size=(6, 4)), rng.normal(size=(3, 4))
    found = certify_optimality(F, LABELS, A, **DECAYS)
    step = found.descent
    after = certify_optimality(F + step.step_features, LABELS, A + step.step_weights, **DECAYS)
    assert found.risk[0] - after.risk[1] >= step.gain - 1e-12
    assert found.gap >= step.gain


def test_a_file_with_its_decays(tmp_path):
    at = regularised_minimum(3, 2, 2, **DECAYS)
    path = tmp_path / "point.npz"
    write_features(path, at.features, LABELS, at.weights, extra=DECAYS)
    found = optimality_of_file(path)
    assert found.is_minimum()
    assert set(found.to_dict()) >= {"gap", "risk", "certificate"}
    write_features(path, at.features, LABELS, at.weights)
    with pytest.raises(InputError, match="lambda_A"):
        optimality_of_file(path)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"labels": [0, 0, 1, 1, 1, 1]}, "labels"),
        ({"features": np.full((6, 3), np.nan)}, "features"),
        ({"features": np.zeros((6, 2))}, "features"),
        ({"bias": [0.0]}, "bias"),
        ({"lambda_A": 0.0}, "lambda_A"),
        ({"lambda_b": -1.0}, "lambda_b"),
        ({"loss": "hinge"}, "loss"),
    ],
)
def test_bad_input_is_named(change, name):
    given = {"features": np.zeros((6, 3)), "labels": LABELS, "weights": np.zeros((3, 3)), **DECAYS}
    with pytest.raises(InputError, match=name):
        certify_optimality(**{**given, **change})
