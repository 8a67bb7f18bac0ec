"""What the constant of the lemma is worth."""

import mpmath
import numpy as np
import pytest

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.theory.proximity.ellipsoid import curvature


def depth(a):
    with mpmath.workdps(60):
        a = mpmath.mpf(a)
        return float((a - 1 + mpmath.exp(-a)) / a**2)


@pytest.mark.parametrize("a", [1e-12, 1e-6, 0.01, 0.3, 0.999, 1.001, 3.0, 50.0, 1e6])
def test_the_constant_loses_no_digits_and_at_most_a_seventh_of_a_percent(a):
    found = float(curvature(numpy_namespace(), a=np.array([a]))[0])
    assert depth(a) * (1 - 0.0015) < found <= depth(a) * (1 + 1e-15)
    assert curvature(numpy_namespace(), a=np.zeros(1))[0] == 0.5


@pytest.mark.parametrize("a", [0.1, 1.0, 2.0, 10.0])
def test_two_values_attain_it_as_the_share_of_the_lower_vanishes(a):
    ratios = []
    for share in (1e-2, 1e-4, 1e-6):
        up = a * share / (1 - share)
        log_moment = np.log1p(share * np.expm1(-a) + (1 - share) * np.expm1(up))
        ratios.append(log_moment / (share * a * a + (1 - share) * up * up) / depth(a))
    assert all(ratio >= 1 - 1e-9 for ratio in ratios)
    assert ratios[-1] == pytest.approx(1, abs=1e-4)
