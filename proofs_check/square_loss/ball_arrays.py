"""Instances as arrays of balls, for ties that need a root, and means by coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls


def exact(values: Any) -> Any:
    """Exact numbers as an object array of balls (a ball, where there is no axis)."""
    return np.frompyfunc(balls.ball, 1, 1)(np.asarray(values, dtype=object))


def unit(values: Any) -> Any:
    """An array of exact numbers over its norm, in balls."""
    entries = exact(values)
    return entries / (entries * entries).sum().sqrt()


def square(values: Any) -> Any:
    """Sum of the squares of an array of balls."""
    return (values * values).sum()


def zeros(*shape: int) -> Any:
    """Zeros, for sides of equations that vanish."""
    return np.zeros(shape)


def mean_of(expression: Any, variable: sympy.Symbol, *moments: Any) -> Any:
    """The mean of a polynomial in a variable with the given first, second, ... moments."""
    coefficients = sympy.Poly(sympy.expand(expression), variable).all_coeffs()[::-1]
    return sum(c * m for c, m in zip(coefficients, (1, *moments), strict=False))
