"""Many arrangements of points on a sphere at once, each driven towards a large least angle.

The largest inner product is smoothed to (1/beta) log sum_{i<j} exp(beta <x_i, x_j>), at most
log(K^2/2)/beta above it, and beta grows from stage to stage. Every stage is a limited-memory BFGS
descent of all arrangements side by side: one evaluation moves them all, and each keeps its own
direction and step. A start with a symmetry keeps it, since the objective does, so that symmetric
starts search a small space without code of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MEMORY = 7
_SUFFICIENT = 1e-4
_BACKTRACK = 0.35
_STILL = 1e-14


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
    weights = points @ points.swapaxes(1, 2)
    diagonal = np.arange(K)
    weights[:, diagonal, diagonal] = -2.0
    top = weights.max(axis=(1, 2))
    weights -= top[:, None, None]
    weights *= beta[:, None, None]
    np.maximum(weights, -700.0, out=weights)
    np.exp(weights, out=weights)
    weights[:, diagonal, diagonal] = 0.0
    total = weights.sum(axis=(1, 2))
    value = top + np.log(total / 2) / beta
    gradient = weights @ points
    gradient *= (2 / total)[:, None, None]
    gradient -= np.einsum("bkd,bkd->bk", gradient, points)[..., None] * points
    return value, gradient


def descend(points: Floats, beta: float, evaluations: int, tolerance: float) -> Floats:
    """Minimise the smoothed maximum from each arrangement of a batch.

    Parameters:
        points: (B, K, d) unit rows.
        beta: sharpness of the smoothing.
        evaluations: of the objective, the same for all.
        tolerance: an arrangement stops when a step promises less than this.
    """
    B, K, d = points.shape
    betas = np.full(B, beta)
    points = points.copy()
    value, gradient = smoothed_maximum(points, betas)
    flat = gradient.reshape(B, K * d)
    steps = np.zeros((_MEMORY, B, K * d))
    changes = np.zeros((_MEMORY, B, K * d))
    curvature = np.zeros((_MEMORY, B))
    direction = -flat * _first_step(flat, beta)[:, None]
    slope = np.einsum("bn,bn->b", flat, direction)
    length = np.ones(B)
    slot = 0
    for _ in range(evaluations):
        if (-slope < tolerance).all():
            break
        trial = unit(points + (length[:, None] * direction).reshape(B, K, d))
        trial_value, trial_gradient = smoothed_maximum(trial, betas)
        better = trial_value <= value + _SUFFICIENT * length * slope
        length = np.where(better, 1.0, length * _BACKTRACK)
        trial_flat = trial_gradient.reshape(B, K * d)
        step = (trial - points).reshape(B, K * d)
        change = trial_flat - flat
        product = np.einsum("bn,bn->b", step, change)
        kept = better & (product > 1e-300)
        steps[slot] = np.where(kept[:, None], step, 0.0)
        changes[slot] = np.where(kept[:, None], change, 0.0)
        curvature[slot] = np.where(kept, product, 0.0)
        points = np.where(better[:, None, None], trial, points)
        value = np.where(better, trial_value, value)
        flat = np.where(better[:, None], trial_flat, flat)
        if not better.any():
            stuck = length < 1e-10
            direction = np.where(
                stuck[:, None], -flat * _first_step(flat, beta)[:, None], direction
            )
            slope = np.where(length < 1e-16, 0.0, np.einsum("bn,bn->b", flat, direction))
            continue
        fresh = _quasi_newton(flat, steps, changes, curvature, slot, beta)
        downhill = np.einsum("bn,bn->b", flat, fresh)
        failed = (length < 1e-6) & ~better
        fresh = np.where((better & (downhill < 0))[:, None], fresh, direction)
        steepest = (better & (downhill >= 0)) | failed
        fresh = np.where(steepest[:, None], -flat * _first_step(flat, beta)[:, None], fresh)
        curvature[:, failed] = 0.0
        length = np.where(failed, 1.0, length)
        direction = fresh
        slope = np.einsum("bn,bn->b", flat, direction)
        slot = (slot + 1) % _MEMORY
    return points


def _first_step(flat: Floats, beta: float) -> Floats:
    """A step length without curvature: moves points by about 1/beta."""
    largest = np.abs(flat).max(axis=1)
    scale: Floats = 0.5 / (beta * np.maximum(largest, _STILL))
    return scale


def _quasi_newton(
    flat: Floats, steps: Floats, changes: Floats, curvature: Floats, newest: int, beta: float
) -> Floats:
    """The two-loop recursion for all arrangements; pairs of zero curvature drop out."""
    order: Sequence[int] = [(newest - i) % _MEMORY for i in range(_MEMORY)]
    inverse = np.divide(1.0, curvature, out=np.zeros_like(curvature), where=curvature > 0)
    q = -flat
    alphas = {}
    for i in order:
        alphas[i] = inverse[i] * np.einsum("bn,bn->b", steps[i], q)
        q -= alphas[i][:, None] * changes[i]
    squares = np.einsum("bn,bn->b", changes[newest], changes[newest])
    plain = _first_step(flat, beta)
    scale = np.divide(curvature[newest], squares, out=plain, where=squares > 0)
    q *= scale[:, None]
    for i in reversed(order):
        back = inverse[i] * np.einsum("bn,bn->b", changes[i], q)
        q += (alphas[i] - back)[:, None] * steps[i]
    return q
