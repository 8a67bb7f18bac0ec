"""Balls mean the same as numpy, only with certainty."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace, torch_namespace
from ncbounds.errors import InputError

MATRIX = np.array([[1.5, -2.0, 0.25], [3.0, 0.5, -1.0]])
POSITIVE = np.abs(MATRIX)

#: The law: one expression, every namespace, the same numbers.
EXPRESSIONS = {
    "sum": lambda xp, x, y: xp.sum(x, axis=-1),
    "mean of all": lambda xp, x, y: xp.mean(x),
    "max": lambda xp, x, y: xp.max(x, axis=-1),
    "min keeps axis": lambda xp, x, y: xp.min(x, axis=0, keepdims=True),
    "matmul": lambda xp, x, y: xp.matmul(x, xp.matrix_transpose(y)),
    "softplus": lambda xp, x, y: xp.log1p(xp.exp(x)),
    "expm1": lambda xp, x, y: xp.expm1(x) - x / (1 + y),
    "roots": lambda xp, x, y: xp.sqrt(y) + xp.root(y, 3) + xp.log(y),
    "maximum with zero": lambda xp, x, y: xp.maximum(x, 0 * x) - xp.minimum(x, 0 * x),
    "waves": lambda xp, x, y: xp.cos(x) * xp.sin(x) + xp.sinc(x),
    "gamma": lambda xp, x, y: xp.gamma_ratio(y + 1, y),
    "powers": lambda xp, x, y: x**2 + y**3 - 2**x + xp.abs(x),
    "index and stack": lambda xp, x, y: xp.stack([x[:, 1], x[:, [0, 2]][:, 1]], axis=1),
    "reshape": lambda xp, x, y: xp.reshape(x, (3, 2)) * 2 - 1,
    "new axis": lambda xp, x, y: xp.sum(x[:, None, :] * y[None], axis=-1),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_balls_enclose_what_numpy_and_torch_compute(name):
    expression = EXPRESSIONS[name]
    certain = expression(balls, balls.asarray(MATRIX), balls.asarray(POSITIVE))
    plain = expression(numpy_namespace(), MATRIX, POSITIVE)
    xp = torch_namespace()
    tensor = expression(xp, xp.asarray(MATRIX), xp.asarray(POSITIVE))
    assert certain.shape == np.shape(plain) == tuple(tensor.shape)
    middles = np.array([float(b.mid()) for b in certain.data.ravel()])
    np.testing.assert_allclose(middles, np.ravel(plain), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(middles, np.ravel(tensor.numpy()), rtol=1e-13, atol=1e-14)


def test_inputs_are_exact():
    third, tenth = balls.asarray([Fraction(1, 3), 0.1]).data
    assert (3 * third).contains(1)
    assert not tenth.contains(flint.arb("0.1").mid()) or tenth.is_exact()
    assert tenth.is_exact() and Fraction(0.1) != Fraction(1, 10)


def test_an_even_power_of_a_ball_around_zero_is_not_indeterminate():
    assert balls.power(flint.arb(0, 1), 2).is_finite()


def test_an_uncertain_sign_is_certain_of_nothing():
    unsure = balls.Balls(np.array([flint.arb(0, 1), flint.arb(2), flint.arb(-2)], dtype=object))
    assert balls.certainly_nonnegative(unsure).tolist() == [False, True, False]
    assert balls.certainly_negative(unsure).tolist() == [False, False, True]


def test_maximum_of_overlapping_balls_holds_both():
    wide = balls.Balls(np.array([flint.arb(0, 2), flint.arb(1)], dtype=object))
    top = balls.max(wide, axis=0).data.item()
    assert top.contains(1) and top.contains(2)


def test_plain_comparison_of_balls_is_refused():
    with pytest.raises(TypeError, match="certainly_nonnegative"):
        bool(balls.asarray([1.0]) < balls.asarray([2.0]))


def test_precision_is_restored():
    before = flint.ctx.prec
    with pytest.raises(RuntimeError), balls.precision(999):
        assert flint.ctx.prec == 999
        raise RuntimeError
    assert flint.ctx.prec == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1/3", None])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(InputError):
        balls.asarray([value])
