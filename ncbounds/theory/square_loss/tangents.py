"""Exact derivatives over any namespace: values that carry their derivatives along.

A `Tangent` is an array together with its derivative in each of several directions. The arithmetic
of arrays carries both, by the rules of sum, product and composition, so that whatever is written
over a namespace is differentiated in floats, on torch and in balls alike, without a step size.
A claim about a gradient can then compare what a paper prints with what differentiation gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Tangent:
    """An array (B, ...) with its derivatives (B, P, ...) in P directions."""

    value: Any
    rate: Any

    def __getitem__(self, key: tuple[Any, ...]) -> Tangent:
        """Index with the batch axis first; a slice of everything for the directions comes in."""
        return Tangent(self.value[key], self.rate[(key[0], slice(None), *key[1:])])

    def __add__(self, other: Any) -> Tangent:
        if isinstance(other, Tangent):
            return Tangent(self.value + other.value, self.rate + other.rate)
        if isinstance(other, (int, float)):
            return Tangent(self.value + other, self.rate)
        return Tangent(self.value + other, self.rate + 0 * other[:, None])

    def __mul__(self, other: Any) -> Tangent:
        if isinstance(other, Tangent):
            rate = self.rate * other.value[:, None] + self.value[:, None] * other.rate
            return Tangent(self.value * other.value, rate)
        if isinstance(other, (int, float)):
            return Tangent(self.value * other, self.rate * other)
        return Tangent(self.value * other, self.rate * other[:, None])

    def __truediv__(self, other: Any) -> Tangent:
        if isinstance(other, Tangent):
            value = self.value / other.value
            rate = self.rate - value[:, None] * other.rate
            return Tangent(value, rate / other.value[:, None])
        return Tangent(self.value / other, self.rate / other)

    def __neg__(self) -> Tangent:
        return Tangent(-self.value, -self.rate)

    def __sub__(self, other: Any) -> Tangent:
        negative: Any = -other
        return self.__add__(negative)

    def __rsub__(self, other: Any) -> Tangent:
        return self.__neg__().__add__(other)

    __radd__ = __add__
    __rmul__ = __mul__


def differentiate(xp: Any, function: Callable[..., Any], *at: Any) -> tuple[Any, list[Any]]:
    """Return ``function(*at)`` and its derivatives by the entries of each argument.

    An argument is an array (B, *s), the value of the function an array (B, *out); the derivatives
    by an argument are (B, *s, *out).
    """
    shapes = [tuple(argument.shape[1:]) for argument in at]
    counts = [prod(shape) for shape in shapes]
    total, start, seeded = sum(counts), 0, []
    for argument, shape, count in zip(at, shapes, counts, strict=True):
        seed = np.zeros((total, count))
        seed[start : start + count] = np.eye(count)
        directions = xp.asarray(np.ascontiguousarray(seed.reshape(1, total, *shape)))
        seeded.append(Tangent(argument, 0 * argument[:, None] + directions))
        start += count
    result, start, partial = function(*seeded), 0, []
    for shape, count in zip(shapes, counts, strict=True):
        rates = result.rate[:, start : start + count]
        partial.append(xp.reshape(rates, (rates.shape[0], *shape, *rates.shape[2:])))
        start += count
    return result.value, partial


# -- what the namespaces do to arrays and tangents alike ------------------------------------------


def total(xp: Any, x: Any, axis: int = -1) -> Any:
    """Sum over an axis that is counted from the last."""
    if isinstance(x, Tangent):
        return Tangent(xp.sum(x.value, axis=axis), xp.sum(x.rate, axis=axis))
    return xp.sum(x, axis=axis)


def average(xp: Any, x: Any) -> Any:
    """Mean over the last axis."""
    return total(xp, x) / (x.value if isinstance(x, Tangent) else x).shape[-1]


def root(xp: Any, x: Any) -> Any:
    """Square root."""
    if isinstance(x, Tangent):
        value = xp.sqrt(x.value)
        return Tangent(value, x.rate / (2 * value)[:, None])
    return xp.sqrt(x)


def relu(xp: Any, x: Any, kink: Any = 0) -> Any:
    """max(0, x), with the derivative `kink` (a number for each instance) where x = 0."""
    value = x.value if isinstance(x, Tangent) else x
    above = certain_sign(xp, value)
    if not isinstance(x, Tangent):
        return x * above
    at_kink = 1 - above - certain_sign(xp, -value)
    if not isinstance(kink, int):
        kink = xp.reshape(kink, (kink.shape[0],) + (1,) * (value.ndim - 1))
    return Tangent(value * above, x.rate * (above + at_kink * kink)[:, None])


def certain_sign(xp: Any, x: Any) -> Any:
    """1 where x > 0, 0 where x <= 0, and undefined where a ball leaves it open."""
    above = xp.is_positive(x)
    return (1 + 1 / (2 * above - 1)) / 2
