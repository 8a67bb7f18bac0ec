"""Numbers as balls in a batch of one, and the ends of balls: what guarantees are evaluated with."""

from __future__ import annotations

import decimal
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.certified import Decimal, round_ball

#: The digits that are told of a bound.
_DIGITS, _GUARD = 12, 32


def rounded_up(point: Any) -> Decimal:
    """The least decimal of so many digits that is not below a point (an arb without radius)."""
    return _rounded(point, decimal.ROUND_CEILING)


def rounded_down(point: Any) -> Decimal:
    """The greatest decimal of so many digits that is not above a point (an arb without radius)."""
    return _rounded(point, decimal.ROUND_FLOOR)


def _rounded(point: Any, rounding: str) -> Decimal:
    mantissa, exponent = (int(part) for part in point.man_exp())
    exact = Fraction(mantissa) * Fraction(2) ** exponent
    moved = decimal.Context(prec=_DIGITS, rounding=rounding).divide(
        decimal.Decimal(exact.numerator), decimal.Decimal(exact.denominator)
    )
    found = round_ball(balls.ball(Fraction(moved)), _DIGITS, _GUARD)
    assert found is not None  # it has no more digits
    return found


def single(value: Any) -> balls.Balls:
    """A number, or an array, as a batch of one."""
    return balls.asarray(np.asarray(value, dtype=object)[None])


def upper_end(bound: balls.Balls) -> Any:
    """The upper end of a single ball; infinity where it has none."""
    ball = bound.data[0]
    return ball.upper() if ball.is_finite() else flint.arb("inf")


def larger(x: Any, y: Any) -> Any:
    """The larger of two, as an array of balls."""
    return balls.maximum(x, 0 * x + y)


def float_above(x: Any) -> float:
    """A float that is not below a ball."""
    return math.nextafter(float(x.upper()), math.inf)


def float_below(x: Any) -> float:
    """A float that is not above a ball."""
    return math.nextafter(float(x.lower()), -math.inf)


def at_least(x: Any, y: Any) -> Any:
    """A point that is not below any of two balls."""
    return max(x.upper(), y.upper())


def average(values: Sequence[Any]) -> Any:
    """The mean of balls."""
    return sum(values, flint.arb(0)) / len(values)
