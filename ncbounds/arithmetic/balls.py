"""Balls as an array namespace: a claim written over `xp` runs on certified intervals unchanged.

A ball encloses a real number: a midpoint and a radius, both kept by Arb with directed rounding.
`Balls` is an array of them. The functions of this module carry the names of the array API, so
that ``judge(balls, ...)`` means the same as ``judge(numpy, ...)``, only with certainty. The same
functions accept a single ``arb`` (a closed form at a point) and an ``arb_series`` (a closed form
with its derivative), because all three answer to the same method names.

Inputs are taken exactly: a float is the double that it is, a `fractions.Fraction` or an integer
is itself. The working precision is a setting of the whole process; `precision` is the only place
that changes it, and parallel work therefore uses processes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache, wraps
from inspect import signature
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

from ncbounds.errors import InputError

Axis = int | tuple[int, ...] | None
#: Products of numbers from which a matrix product goes through Arb's own type.
_LARGE = 256
_ZERO = flint.arb(0)


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with `bits` bits of working precision inside the block."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def ball(value: Any) -> flint.arb:
    """Return the tightest ball that holds one exact number (float, integer, Fraction)."""
    if isinstance(value, flint.arb):
        return value
    kind = type(value)
    if kind is int:
        return flint.arb(value)
    if kind is Fraction:
        return flint.arb(flint.fmpq(value.numerator, value.denominator))
    if isinstance(value, (float, np.floating)):
        if not math.isfinite(value):
            raise InputError("number", float(value), "finite")
        return flint.arb(float(value))
    if isinstance(value, (bool, int, np.integer, np.bool_)):
        return flint.arb(int(value))
    raise InputError("number", value, "a float, an integer or a Fraction")


_balls_of = np.frompyfunc(ball, 1, 1)
_balls_of_floats = np.frompyfunc(flint.arb, 1, 1)


class Balls:
    """An array of balls; build it with `asarray`, read signs with `certainly_nonnegative`."""

    __slots__ = ("data",)
    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, data: npt.NDArray[np.object_]) -> None:
        self.data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.data.ndim

    def __getitem__(self, key: Any) -> Balls:
        return _wrap(self.data[key])

    def __add__(self, other: Any) -> Balls:
        return _wrap(self.data + _raw(other))

    def __sub__(self, other: Any) -> Balls:
        return _wrap(self.data - _raw(other))

    def __mul__(self, other: Any) -> Balls:
        return _wrap(self.data * _raw(other))

    def __truediv__(self, other: Any) -> Balls:
        return _wrap(self.data / _raw(other))

    def __rtruediv__(self, other: Any) -> Balls:
        return _wrap(_raw(other) / self.data)

    def __rsub__(self, other: Any) -> Balls:
        return _wrap(_raw(other) - self.data)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Balls:
        return _wrap(-self.data)

    def __matmul__(self, other: Any) -> Balls:
        return _wrap(_product(self.data, _raw(other)))

    def __pow__(self, exponent: Any) -> Balls:
        raised: Balls = power(self, exponent)
        return raised

    def __rpow__(self, base: Any) -> Balls:
        raised: Balls = power(base, self)
        return raised

    def _no_truth(self, *_: object) -> bool:
        raise TypeError("balls have no plain order: use certainly_nonnegative")

    __bool__ = __lt__ = __le__ = __gt__ = __ge__ = _no_truth

    def __repr__(self) -> str:
        return f"Balls({self.data.tolist()})"


def asarray(values: Any) -> Balls:
    """Return exact numbers of any nesting as an array of balls.

    Raises
    ------
    InputError
        When an entry is not a finite number.
    """
    if isinstance(values, Balls):
        return values
    if isinstance(values, np.ndarray) and values.dtype == np.float64 and np.isfinite(values).all():
        return _wrap(_balls_of_floats(values.astype(object)))  # by far the most, and fast
    entries = np.asarray(values, dtype=object)
    return _wrap(_balls_of(entries))


def _wrap(data: Any) -> Balls:
    if type(data) is np.ndarray:
        return Balls(data)
    scalar = np.empty((), dtype=object)
    scalar[()] = data
    return Balls(scalar)


def _raw(value: Any) -> Any:
    """The bare object array (or exact scalar) behind an operand."""
    if isinstance(value, Balls):
        return value.data
    if isinstance(value, np.ndarray):
        return asarray(value).data
    return ball(value)


def _product(x: npt.NDArray[np.object_], y: npt.NDArray[np.object_]) -> Any:
    """The matrix product; by Arb's own, several times faster, where that makes up for the way."""
    if x.ndim < 2 or x.shape[:-2] != y.shape[:-2]:
        return x @ y
    if x.shape[-2] * x.shape[-1] * y.shape[-1] < _LARGE:
        return x @ y
    products = [
        (flint.arb_mat(a.tolist()) * flint.arb_mat(b.tolist())).entries()
        for a, b in zip(x.reshape(-1, *x.shape[-2:]), y.reshape(-1, *y.shape[-2:]), strict=True)
    ]
    return np.array(products, dtype=object).reshape(*x.shape[:-1], y.shape[-1])


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of single balls, or of series, take arrays of balls as well."""
    return wraps(function)(_over(function, len(signature(function).parameters)))


def _over(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    apply = np.frompyfunc(function, count, 1)

    def of_any(*operands: Any) -> Any:
        if any(isinstance(operand, Balls) for operand in operands):
            return _wrap(apply(*map(_raw, operands)))
        return function(*map(_exact, operands))

    return of_any


def _exact(x: Any) -> Any:
    return x if isinstance(x, (flint.arb, flint.arb_series)) else ball(x)


# -- elementwise functions ------------------------------------------------------------------------


@_lifted
def sqrt(x: Any) -> Any:
    """Square root; a ball that reaches below zero gives an indeterminate ball."""
    return x.sqrt()


@_lifted
def exp(x: Any) -> Any:
    """Exponential."""
    return x.exp()


@_lifted
def log(x: Any) -> Any:
    """Natural logarithm."""
    return x.log()


@_lifted
def log1p(x: Any) -> Any:
    """Logarithm of 1 + x, accurate for small x."""
    return x.log1p() if isinstance(x, flint.arb) else (1 + x).log()


@_lifted
def expm1(x: Any) -> Any:
    """Exponential less 1, accurate for small x."""
    return x.expm1() if isinstance(x, flint.arb) else x.exp() - 1


@_lifted
def cos(x: Any) -> Any:
    """Cosine."""
    return x.cos()


@_lifted
def sin(x: Any) -> Any:
    """Sine."""
    return x.sin()


@_lifted
def sinc(x: Any) -> Any:
    """sin(x)/x, continued by 1 at zero."""
    return x.sinc() if isinstance(x, flint.arb) else _sinc_series(x)


def _sinc_series(x: flint.arb_series) -> flint.arb_series:
    """Two terms of sinc over a ball; near zero the slope is at most |x|/3 in magnitude."""
    point = x[0]
    if point.contains(0):
        reach = point.__abs__().upper() / 3
        slope = (-reach).union(reach)
    else:
        slope = (point.cos() - point.sinc()) / point
    return flint.arb_series([point.sinc(), slope * x[1]], prec=2)


@_lifted
def abs(x: Any) -> Any:
    """Absolute value."""
    return x.__abs__()


@_lifted
def is_positive(x: flint.arb) -> flint.arb:
    """1 where x > 0 and 0 where x <= 0; a ball that holds both where the sign is not certain."""
    if x > 0:
        return flint.arb(1)
    return flint.arb(0) if x <= 0 else flint.arb(0).union(flint.arb(1))


@_lifted
def gamma_ratio(x: Any, y: Any) -> Any:
    """Return the quotient of Gamma(x) by Gamma(y), for positive arguments."""
    return (x.lgamma() - y.lgamma()).exp()


@_lifted
def maximum(x: Any, y: Any) -> Any:
    """Elementwise maximum."""
    return x.max(y)


@_lifted
def minimum(x: Any, y: Any) -> Any:
    """Elementwise minimum."""
    return x.min(y)


def root(x: Any, n: int) -> Any:
    """The n-th root of a non-negative number."""
    return _over(lambda t: t.root(n), 1)(x)


def power(base: Any, exponent: Any) -> Any:
    """Return base to the exponent; an integer exponent goes by multiplication (no logarithm)."""
    if isinstance(exponent, int):
        return _raised_to(exponent)(base)
    return _real_power(base, exponent)


@cache
def _raised_to(exponent: int) -> Callable[..., Any]:
    return _over(lambda t: _integer_power(t, exponent), 1)


@_lifted
def _real_power(base: Any, exponent: Any) -> Any:
    return (exponent * base.log()).exp()


def _integer_power(base: Any, exponent: int) -> Any:
    if exponent < 0:
        return 1 / _integer_power(base, -exponent)
    if exponent % 2 == 0 and isinstance(base, flint.arb):
        base = base.__abs__()
    result = flint.arb(1)
    for _ in range(exponent):
        result = result * base
    return result


def run_algorithm(algorithm: Any, **values: Any) -> Any:
    """Evaluate an `Algorithm` at exact entries; others give an indeterminate ball."""
    return _over(algorithm.at, len(values))(*values.values())


def __getattr__(name: str) -> flint.arb:
    """Serve `balls.pi` and `balls.e`, each at the precision of its use."""
    if name == "pi":
        return flint.arb.pi()
    if name == "e":
        return flint.arb.const_e()
    raise AttributeError(name)


# -- reductions and shapes ------------------------------------------------------------------------


_added: Callable[..., Any] = np.add.reduce


def sum(x: Balls, axis: Axis = None, keepdims: bool = False) -> Balls:
    """Sum over an axis (all axes without one)."""
    return _wrap(_added(x.data, axis=axis, keepdims=keepdims, initial=_ZERO))


def mean(x: Balls, axis: Axis = None, keepdims: bool = False) -> Balls:
    """Mean over an axis."""
    total = sum(x, axis, keepdims)
    return total / (x.data.size // total.data.size)


_larger = np.frompyfunc(lambda s, t: s.max(t), 2, 1)
_smaller = np.frompyfunc(lambda s, t: s.min(t), 2, 1)


def max(x: Balls, axis: int = -1, keepdims: bool = False) -> Balls:
    """Maximum over an axis: a ball that holds the maximum, whatever overlaps."""
    return _wrap(_larger.reduce(x.data, axis=axis, keepdims=keepdims))


def min(x: Balls, axis: int = -1, keepdims: bool = False) -> Balls:
    """Minimum over an axis."""
    return _wrap(_smaller.reduce(x.data, axis=axis, keepdims=keepdims))


def matmul(x: Balls, y: Balls) -> Balls:
    """Matrix product over the last two axes, batched over the others."""
    return x @ y


def matrix_transpose(x: Balls) -> Balls:
    """Swap the last two axes."""
    return _wrap(np.swapaxes(x.data, -1, -2))


def reshape(x: Balls, shape: tuple[int, ...]) -> Balls:
    """Give the same entries another shape."""
    return _wrap(x.data.reshape(shape))


def stack(arrays: Sequence[Balls], axis: int = 0) -> Balls:
    """Stack arrays of one shape along a new axis."""
    return _wrap(np.stack([array.data for array in arrays], axis=axis))


# -- signs ----------------------------------------------------------------------------------------


_at_or_above_zero = np.frompyfunc(lambda t: bool(t >= 0), 1, 1)
_below_zero = np.frompyfunc(lambda t: bool(t < 0), 1, 1)


def certainly_nonnegative(x: Balls) -> npt.NDArray[np.bool_]:
    """Tell where a ball lies entirely at or above zero."""
    return np.asarray(_at_or_above_zero(x.data), dtype=bool)


def certainly_negative(x: Balls) -> npt.NDArray[np.bool_]:
    """Tell where a ball lies entirely below zero."""
    return np.asarray(_below_zero(x.data), dtype=bool)
