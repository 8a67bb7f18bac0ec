"""What the a priori guarantee says in numbers."""

import math

import pytest

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.theory.weight_decay.sharp_theorem import (
    a_priori_gap,
    excess_allowed,
    matching_decay,
    simple_gap,
)

XP = numpy_namespace()


@pytest.mark.parametrize(("combined", "epsilon", "s"), [(0.1, 0.01, 0.0241), (0.01, 0.001, 0.0159)])
def test_ten_classes(combined, epsilon, s):
    lambda_ = combined / math.sqrt(10)
    larger = matching_decay(10, lambda_, epsilon)
    given = {"C": 10.0, "lambda_": lambda_, "larger": larger}
    assert excess_allowed(XP, **given) == pytest.approx(epsilon, rel=1e-9)
    assert round(float(a_priori_gap(XP, **given)), 4) == s


def test_it_is_better_than_the_linear_bound_at_the_best_norms():
    lambda_ = 0.1 / math.sqrt(10)
    product = 0.9 * math.log((10 - 0.9) / 0.1)
    linear = simple_gap(XP, C=10.0, lambda_=lambda_, alpha=product, beta=1.0, epsilon=0.01)
    found = 1 - lambda_ / matching_decay(10, lambda_, 0.01)
    assert found < linear < 1.05 * found


def test_without_a_gap_the_weight_decay_matches_itself():
    assert matching_decay(5, 0.2, 0.0) == pytest.approx(0.2, rel=1e-12)


def test_there_is_no_guarantee_where_the_zero_network_is_allowed():
    assert matching_decay(5, 0.2, 1.0) is None
    assert matching_decay(4, 0.5, 0.0) is None
