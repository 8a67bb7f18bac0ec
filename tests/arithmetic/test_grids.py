"""Grids agree with certified values, and neither overflow nor underflow on the way."""

from fractions import Fraction

import numpy as np
import pytest

from ncbounds.arithmetic.certified import certify
from ncbounds.arithmetic.formula import formula, positive
from ncbounds.arithmetic.grids import grid, log10_grid
from ncbounds.errors import InputError
from ncbounds.theory.proximity import near_optimal_loss
from ncbounds.theory.rademacher import binary_tree
from ncbounds.theory.softmax_code import gamma_bounds

DIMENSIONS = [2, 3, 4, 7, 16, 33, 100, 171, 340, 341, 342, 343, 344, 1000, 2049, 4096]
NUMBERS = [5, 6, 17, 100, 12345, 10**6, 10**9, 78 * 10**10, 10**12]


def relative_error(formula_, point, got):
    truth = Fraction(certify(formula_, point, 30).value)
    return abs((Fraction(float(got)) - truth) / truth)


@pytest.mark.parametrize("name", ["printed_lower", "printed_upper", "sharp_lower", "sharp_upper"])
def test_the_gamma_bounds_agree_to_twelve_digits(name):
    bound = getattr(gamma_bounds, name)
    d, K = np.meshgrid(np.array(DIMENSIONS, dtype=float), np.array(NUMBERS, dtype=float))
    values = grid(bound, d=d, K=K)
    for dimension, number, got in zip(d.ravel(), K.ravel(), values.ravel(), strict=True):
        point = {"d": Fraction(int(dimension)), "K": Fraction(int(number))}
        assert relative_error(bound, point, got) < 1e-12


@pytest.mark.parametrize("x", [1e-8, 0.1, 1.0, 30.0, 200.0, 500.0])
def test_the_loss_keeps_its_digits_where_it_is_tiny(x):
    got = grid(near_optimal_loss.minimum_loss, C=10.0, alpha=x, beta=1.0)
    point = {"C": Fraction(10), "alpha": Fraction(x), "beta": Fraction(1)}
    assert relative_error(near_optimal_loss.minimum_loss, point, got) < 1e-12


def test_a_tiny_loss_does_not_underflow_in_expm1():
    point = {"C": 3.0, "L": 1e-300, "alpha": 100.0, "beta": 100.0}
    exact = {name: Fraction(value) for name, value in point.items()}
    assert (
        relative_error(
            near_optimal_loss.proximity_gap, exact, grid(near_optimal_loss.proximity_gap, **point)
        )
        < 1e-12
    )


def test_what_no_float_holds_has_its_logarithm():
    numbers = {"L": 200.0, "rho": 1.0, "m": 1.0, "norm": 1.0}
    assert grid(binary_tree.printed_dense_bound, **numbers) == np.inf
    got = log10_grid(binary_tree.printed_dense_bound, **numbers)
    assert got == pytest.approx((200 * 200 / 4 + 250) * np.log10(2), rel=1e-12)


def test_an_intermediate_overflow_does_not_reach_the_result():
    @formula(positive("a", "first", "a"), positive("b", "second", "b"))
    def quotient(xp, a, b):
        """exp(a) a^b / (exp(b) b^b), each factor huge."""
        return xp.exp(a) * a**b / (xp.exp(b) * b**b)

    got = grid(quotient, a=np.array([999.0]), b=np.array([1000.0]))[0]
    point = {"a": Fraction(999), "b": Fraction(1000)}
    assert relative_error(quotient, point, got) < 1e-11


def test_torch_grids_are_the_same():
    torch = pytest.importorskip("torch")
    d = torch.tensor([2.0, 64.0, 4096.0], dtype=torch.float64)
    got = grid(gamma_bounds.sharp_upper, d=d, K=10**6)
    assert isinstance(got, torch.Tensor)
    same = grid(gamma_bounds.sharp_upper, d=d.numpy(), K=1e6)
    np.testing.assert_allclose(got.numpy(), same, rtol=1e-13)


def test_a_missing_parameter_is_refused():
    with pytest.raises(InputError, match="K"):
        grid(gamma_bounds.sharp_upper, d=3.0)
