"""Many arrangements of points on a sphere, each driven towards a large least angle.

The largest inner product is smoothed to (1/beta) log sum_{i<j} exp(beta <x_i, x_j>), at most
log(K^2/2)/beta above it, and beta grows from stage to stage. Every stage is a limited-memory BFGS
descent of each arrangement, in plain loops that Numba compiles: arrangements are small, and most of
what an array library would do for them is overhead. A start with a symmetry keeps it, since the
objective does, so that symmetric starts search a small space without code of their own.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MEMORY = 7
_SUFFICIENT = 1e-4
_BACKTRACK = 0.35
_SHORTEST = 1e-10
_STILL = 1e-14
_FLAT = 1e-300
#: A weight below exp(-36) of the largest is lost in rounding.
_LOST = 36.0

#: Sums may be reordered and fused; infinities and what is not a number keep their meaning.
compiled = njit(cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"})


def largest_inner_products(points: Floats) -> Floats:
    """max_{i != j} <x_i, x_j> of each arrangement of a (B, K, d) batch of unit rows."""
    products = points @ points.swapaxes(-1, -2)
    K = points.shape[-2]
    products[..., np.arange(K), np.arange(K)] = -np.inf
    largest: Floats = products.max(axis=(-2, -1))
    return largest


def unit(points: Floats) -> Floats:
    """The rows divided by their lengths."""
    scaled: Floats = points / np.sqrt(np.einsum("...d,...d->...", points, points))[..., None]
    return scaled


def smoothed_maximum(points: Floats, beta: Floats) -> tuple[Floats, Floats]:
    """Smoothed largest inner product of each arrangement and its gradient along the sphere.

    Parameters:
        points: (B, K, d) unit rows.
        beta: (B,) positive.

    Returns:
        (value (B,), gradient (B, K, d) tangent to the sphere at each point).
    """
    K = points.shape[1]
    gradient, products = np.empty_like(points), np.empty((K, K))
    value = [_value(*each, products) for each in zip(points, beta, gradient, strict=True)]
    return np.array(value), gradient


def estimates(points: Floats, beta: float) -> Floats:
    """The mean inner product of each arrangement of a batch, weighted as by the smoothed maximum.

    Where the smoothed maximum f is least, its change with 1/beta is the entropy of the weights, and
    f less entropy/beta is this mean: what the largest inner product will be as beta grows, up to
    terms in 1/beta^2. It tells apart what the largest inner product itself does not yet.
    """
    found = np.empty(len(points))
    _estimate(points, float(beta), found)
    return found


def descend(points: Floats, beta: float, evaluations: int, tolerance: float) -> Floats:
    """Minimise the smoothed maximum from each arrangement of a batch.

    Parameters:
        points: (B, K, d) unit rows.
        beta: sharpness of the smoothing.
        evaluations: of the objective, at most, for each.
        tolerance: an arrangement rests when a step promises less than this.
    """
    finished = np.array(points, order="C")
    _descend(finished, float(beta), evaluations, tolerance)
    return finished


@compiled
def _value(x, beta, gradient, products):  # type: ignore[no-untyped-def]
    """The smoothed maximum at (K, d) unit rows; its gradient along the sphere is written."""
    K, d = x.shape
    top = -2.0
    for i in range(K):
        for j in range(i):
            product = 0.0
            for a in range(d):
                product += x[i, a] * x[j, a]
            products[i, j] = product
            top = max(top, product)
    gradient[:] = 0.0
    total = 0.0
    least = top - _LOST / beta
    for i in range(K):
        for j in range(i):
            if products[i, j] > least:
                weight = math.exp(beta * (products[i, j] - top))
                total += weight
                for a in range(d):
                    gradient[i, a] += weight * x[j, a]
                    gradient[j, a] += weight * x[i, a]
    for i in range(K):
        along = 0.0
        for a in range(d):
            gradient[i, a] /= total
            along += gradient[i, a] * x[i, a]
        for a in range(d):
            gradient[i, a] -= along * x[i, a]
    return top + math.log(total) / beta


@compiled
def _estimate(batch, beta, found):  # type: ignore[no-untyped-def]
    B, K, d = batch.shape
    products = np.empty(K * (K - 1) // 2)
    for b in range(B):
        n, top = 0, -2.0
        for i in range(K):
            for j in range(i):
                product = 0.0
                for a in range(d):
                    product += batch[b, i, a] * batch[b, j, a]
                products[n], n = product, n + 1
                top = max(top, product)
        total = below = 0.0
        for p in range(n):
            if products[p] > top - _LOST / beta:
                weight = math.exp(beta * (products[p] - top))
                total += weight
                below += weight * (top - products[p])
        found[b] = top - below / total


@compiled
def _descend(batch, beta, evaluations, tolerance):  # type: ignore[no-untyped-def]
    """Move each arrangement of a batch to where it rests, in place.

    All vectors lie in one block: whether a loop is vectorised may depend on how far apart they
    are, and so would the rounding.
    """
    B, K, d = batch.shape
    n = K * d
    products = np.empty((K, K))
    inverse, share = np.empty(_MEMORY), np.empty(_MEMORY)
    block = np.empty((5 + 2 * _MEMORY, n))
    points, gradient, ahead, trial, direction = block[0], block[1], block[2], block[3], block[4]
    steps, turns = block[5 : 5 + _MEMORY], block[5 + _MEMORY :]
    for b in range(B):
        points[:] = batch[b].reshape(n)
        value = _value(points.reshape(K, d), beta, gradient.reshape(K, d), products)
        slope, length = _steepest(direction, gradient, beta), 1.0
        known, newest = 0, 0
        for _ in range(evaluations - 1):
            if -slope < tolerance or length < _SHORTEST:
                break
            _step(points, direction, length, trial, d)
            found = _value(trial.reshape(K, d), beta, ahead.reshape(K, d), products)
            if found > value + _SUFFICIENT * length * slope:
                length *= _BACKTRACK
                continue
            newest, known = (newest + 1) % _MEMORY, min(known + 1, _MEMORY)
            for a in range(n):
                steps[newest, a], turns[newest, a] = trial[a] - points[a], ahead[a] - gradient[a]
                points[a], gradient[a] = trial[a], ahead[a]
            value, length = found, 1.0
            slope = _quasi_newton(
                direction, gradient, steps, turns, inverse, share, known, newest, beta
            )
            if not slope < 0:
                slope = _steepest(direction, gradient, beta)
        batch[b] = points.reshape(K, d)


@compiled
def _dot(x, y):  # type: ignore[no-untyped-def]
    total = 0.0
    for a in range(len(x)):
        total += x[a] * y[a]
    return total


@compiled
def _add(x, factor, y):  # type: ignore[no-untyped-def]
    for a in range(len(x)):
        x[a] += factor * y[a]


@compiled
def _scale(x, factor, y):  # type: ignore[no-untyped-def]
    for a in range(len(x)):
        x[a] = factor * y[a]


@compiled
def _step(points, direction, length, trial, d):  # type: ignore[no-untyped-def]
    """Where a step along the direction leads, back on the sphere."""
    for start in range(0, len(points), d):
        square = 0.0
        for a in range(start, start + d):
            trial[a] = points[a] + length * direction[a]
            square += trial[a] * trial[a]
        for a in range(start, start + d):
            trial[a] /= math.sqrt(square)


@compiled
def _steepest(direction, gradient, beta):  # type: ignore[no-untyped-def]
    """Steepest descent, so long that no coordinate moves more than 1/(2 beta); its slope."""
    largest = _STILL
    for entry in gradient:
        largest = max(largest, abs(entry))
    _scale(direction, -0.5 / (beta * largest), gradient)
    return _dot(direction, gradient)


@compiled
def _quasi_newton(direction, gradient, steps, turns, inverse, share, known, newest, beta):  # type: ignore[no-untyped-def]
    """The two loops of limited-memory BFGS, and the slope; pairs without curvature drop out."""
    curvature, change = _dot(steps[newest], turns[newest]), _dot(turns[newest], turns[newest])
    inverse[newest] = 1 / curvature if curvature > _FLAT else 0.0
    _scale(direction, -1.0, gradient)
    for age in range(known):
        i = (newest - age) % _MEMORY
        share[i] = inverse[i] * _dot(steps[i], direction)
        _add(direction, -share[i], turns[i])
    factor = 0.5 / (beta * max(math.sqrt(_dot(gradient, gradient)), _STILL))
    if curvature > _FLAT and change > 0:
        factor = curvature / change
    _scale(direction, factor, direction)
    for age in range(known - 1, -1, -1):
        i = (newest - age) % _MEMORY
        _add(direction, share[i] - inverse[i] * _dot(turns[i], direction), steps[i])
    return _dot(direction, gradient)
