"""Least cross-entropy under constraints on norms: closed forms, solvers, certificates."""

import math

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.laboratory.norm_constrained import (
    best_output,
    certify,
    largest_deviation,
    least_point,
    least_risk,
    output_certificate,
    solve,
)


def test_the_closed_form_agrees_with_the_solver_to_1e_minus_10():
    assert largest_deviation([(2, 2, 1), (3, 1, 2), (3, 2, 4)], [0.5, 20.0]) < 1e-10


def test_below_k_minus_1_dimensions_the_least_risk_is_larger():
    norms = {"omega_weights": 16.0, "omega_features": 16.0}
    a, f = solve(classes=4, samples=1, dimension=2, starts=2, **norms)
    found = certify(a, f, 16.0, 16.0)
    assert found.risk > 2 * least_risk(classes=4, samples=1, **norms)
    assert found.lower <= found.risk


def test_the_simplex_is_certified_to_be_least():
    a, f = least_point(classes=4, samples=2, dimension=5, omega_weights=3.0, omega_features=5.0)
    assert 0 <= certify(a, f, 3.0, 5.0).gap < 1e-14
    assert certify(a, 0.9 * f, 3.0, 5.0).gap > 1e-3
    with pytest.raises(InputError, match="at least K - 1"):
        least_point(classes=4, samples=2, dimension=2, omega_weights=3.0, omega_features=5.0)


@pytest.mark.parametrize("radius", [0.0, 0.1, 4.0, 30.0])
@pytest.mark.parametrize("centre", [[0.0, 0.0, 0.0], [0.0, 3.0, -1.0], [5.0, 0.0, 2.0, 1.0]])
def test_the_best_output_about_any_centre_is_certified(centre, radius):
    for label in range(len(centre)):
        output = best_output(np.array(centre), radius, label)
        found = output_certificate(np.array(centre), radius, label, output)
        assert 0 <= found.gap <= 1e-14 * max(1.0, found.risk)
        assert np.linalg.norm(output - centre) <= radius * (1 + 1e-14) + 1e-300


def test_about_the_origin_outputs_are_a_simplex_and_about_another_centre_not():
    def cosine(centre):
        steps = [best_output(np.array(centre), 2.0, k) - centre for k in range(3)]
        return [float(steps[i] @ steps[j]) / 4 for i, j in ((0, 1), (0, 2), (1, 2))]

    assert np.allclose(cosine([0.0, 0.0, 0.0]), -0.5, atol=1e-12)
    assert np.allclose(cosine([1.0, 1.0, 1.0]), -0.5, atol=1e-12)
    assert max(abs(c + 0.5) for c in cosine([0.0, 3.0, -1.0])) > 0.01


def test_a_point_outside_of_the_balls_is_compared_with_its_own():
    norms = {"omega_weights": 1.0, "omega_features": 2.0}
    a, f = least_point(classes=3, samples=2, dimension=2, **norms)
    found = certify(3 * a, 3 * f, 1.0, 2.0)
    assert 0 <= found.gap < 1e-14
    assert found.lower < least_risk(classes=3, samples=2, **norms)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="radius"):
        best_output(np.zeros(3), -1.0, 0)
    with pytest.raises(InputError, match="centre"):
        best_output(np.array([math.nan, 0.0]), 1.0, 0)
    with pytest.raises(InputError, match="omega_weights"):
        least_risk(classes=3, samples=1, omega_weights=0.0, omega_features=1.0)
