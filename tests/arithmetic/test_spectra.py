"""The largest singular value encloses that of floats, whatever the multiplicities."""

import flint
import numpy as np
import pytest

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.arithmetic.spectra import largest_singular_value, singular_value_bounds


@pytest.mark.parametrize(
    "matrix",
    [
        np.random.default_rng(0).normal(size=(4, 7)),
        np.eye(4) - 0.25,
        np.kron(np.eye(3), np.ones((1, 4))),
        1e-200 * np.ones((2, 3)),
        np.array([[1e200, 1.0]]),
        np.zeros((2, 2)),
    ],
)
def test_balls_enclose_the_value_of_floats(matrix):
    truth = np.linalg.norm(matrix, 2)
    with balls.precision(128):
        (found,) = largest_singular_value(balls, balls.asarray(matrix[None])).data
        low, high = singular_value_bounds(flint.arb_mat(matrix.tolist()))
    assert abs(float(found.mid()) - truth) <= 1e-14 * truth
    assert found.rad() <= 1e-18 * found.abs_upper()
    assert low <= found.upper() and found.lower() <= high
    assert float(high - low) <= 1e-11 * truth
    if 1e-100 < truth < 1e100:
        floats = largest_singular_value(numpy_namespace(), matrix[None])
        assert abs(floats[0] - truth) <= 1e-14 * truth


def test_radii_widen_the_ball():
    wide = balls.asarray(np.array([[[1.0, 0.0], [0.0, 0.5]]])) + flint.arb(0, 0.01)
    (found,) = largest_singular_value(balls, wide).data
    assert found.rad() >= 0.01
    assert found.contains(1.01) and found.contains(0.99)


def test_a_matrix_that_is_not_finite_has_no_value():
    batch = np.array([[[np.inf, 0.0]], [[3.0, 4.0]]])
    found = largest_singular_value(numpy_namespace(), batch)
    assert np.isnan(found[0])
    assert abs(found[1] - 5) < 1e-12
