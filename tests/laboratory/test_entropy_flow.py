"""The flow of cross-entropy in direction: what is conserved, and where it tends."""

import math

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.laboratory.entropy_flow import follow, random_start


def test_from_k_minus_1_dimensions_on_the_direction_tends_to_the_simplex():
    course = follow(*random_start(3, 2, 3, seed=0), steps=9)
    assert np.all(course.drift < 1e-6)
    assert 0.99 < course.margin[-1] <= 1
    assert course.within[-1] < 0.005 and course.duality[-1] > 0.995
    assert course.stationarity[-1] < 0.2 and course.complementarity[-1] < 1e-3
    assert np.all(np.diff(course.risk) < 0)
    assert math.isclose(course.norm[-1], 24, rel_tol=1e-9)


def test_in_fewer_dimensions_it_tends_to_another_separation():
    course = follow(*random_start(4, 1, 2, seed=0), steps=9)
    assert abs(course.margin[-1] - 3 / 4) < 3e-3  # the cross-polytope: K - 1 over K
    assert course.cosine[-1] > 0.998


def test_the_mean_weight_stays():
    course = follow(*random_start(3, 1, 2, seed=3), steps=5)
    means = course.weights.mean(axis=1)
    assert np.abs(means - means[0]).max() < 1e-6


def test_a_point_at_rest_is_refused():
    with pytest.raises(InputError, match="moves"):
        follow(np.ones((3, 2)), np.zeros((3, 1, 2)))
    with pytest.raises(InputError, match="shape"):
        follow(np.ones((3, 2)), np.zeros((3, 2)))
