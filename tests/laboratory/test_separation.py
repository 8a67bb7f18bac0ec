"""Separation of least norm: closed forms against a solver, and certificates."""

import math

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.laboratory.separation import (
    certified_lower_bound,
    certify,
    construction,
    largest_deviation,
    least_norm,
    solve,
)


def test_closed_forms_agree_with_the_solver_to_1e_minus_10_on_both_sides_of_every_threshold():
    assert largest_deviation([(2, 3, 1), (3, 1, 2), (4, 2, 3), (4, 1, 2), (5, 1, 3)]) < 1e-10


@pytest.mark.parametrize("K", [3, 4, 6])
def test_the_value_jumps_where_the_simplex_no_longer_fits(K):
    assert least_norm(K, 1, K - 1).upper == K - 1
    assert math.isclose(least_norm(K, 1, K - 2).upper, K - 1 + 2 / math.sqrt(K)) or math.isinf(
        least_norm(K, 1, K - 2).lower
    )
    assert least_norm(K, 1, K - 2).lower > K - 1


def test_a_line_separates_two_classes_only():
    assert least_norm(2, 1, 1).upper == 1
    assert least_norm(3, 1, 1).lower == math.inf
    with pytest.raises(InputError, match="at least 2"):
        solve(3, 1, 1)


@pytest.mark.parametrize(("K", "n", "m"), [(2, 1, 1), (4, 3, 5), (4, 2, 2), (7, 2, 5), (5, 1, 2)])
def test_constructions_attain_their_value(K, n, m):
    found, value = certify(*construction(K, n, m)), least_norm(K, n, m)
    assert abs(found.margin - 1) < 1e-14
    assert abs(found.objective / value.upper - 1) < 1e-14
    assert abs(found.lower / value.lower - 1) < 1e-14
    assert found.gap >= 0


def test_certificates_do_not_mind_scale_nor_a_mean_weight_in_the_margin():
    a, f = construction(4, 2, 3)
    assert abs(certify(1e3 * a, f).objective - certify(a, f).objective) < 1e-12
    assert certify(a + 1.0, f).margin == pytest.approx(certify(a, f).margin)
    assert certify(a + 1.0, f).gap > 0.1


def test_multipliers_certify_the_simplex_from_below():
    lower = certified_lower_bound(np.ones((4, 3, 3)))
    assert 0 <= 3 * math.sqrt(3) - lower < 1e-10
    assert certified_lower_bound(np.ones((3, 1, 2)) + np.eye(3, 2)[:, None]) < 2


def test_bad_input_is_refused():
    a, f = construction(3, 1, 2)
    with pytest.raises(InputError, match="certainly positive"):
        certify(a, -f)
    with pytest.raises(InputError, match="shape"):
        certify(a, f[:, 0])
    with pytest.raises(InputError, match="classes"):
        least_norm(1, 1, 1)
    with pytest.raises(InputError, match="2 m >= K"):
        construction(9, 1, 3)
    with pytest.raises(InputError, match="not all 0"):
        certified_lower_bound(np.zeros((3, 1, 2)))
