"""Many arrangements of points on a sphere at once, each driven towards a large least angle.

The largest inner product is smoothed to (1/beta) log sum_{i<j} exp(beta <x_i, x_j>), at most
log(K^2/2)/beta above it, and beta grows from stage to stage. Every stage is a limited-memory BFGS
descent of all arrangements side by side: one evaluation moves them all, and each keeps its own
direction and step. A start with a symmetry keeps it, since the objective does, so that symmetric
starts search a small space without code of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MEMORY = 7
_SUFFICIENT = 1e-4
_BACKTRACK = 0.35
_SHORTEST = 1e-10
_STILL = 1e-14
_FLAT = 1e-300
_CHECK = 8


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
        evaluations: of the objective, at most, the same for all.
        tolerance: an arrangement rests when a step promises less than this.
    """
    finished = points.copy()
    left = np.arange(len(points))
    state = _State.at(points, beta)
    for evaluation in range(evaluations):
        resting = -state.slope < tolerance
        if (evaluation % _CHECK == 0 and 2 * resting.sum() >= len(left)) or resting.all():
            finished[left] = state.points
            if resting.all():
                return finished
            left, state = left[~resting], state.take(~resting)
        _advance(state)
    finished[left] = state.points
    return finished


@dataclass
class _State:
    """A batch under way: where each arrangement is, where it is heading, what it remembers.

    `basis` (B, 2 m + 1, n) holds the last m steps, the m changes of the gradient along them and
    the gradient; `gram` their inner products. A direction is a combination of the basis, so that
    only its coefficients need the two loops of the quasi-Newton recursion.
    """

    beta: float
    points: Floats
    value: Floats
    basis: Floats
    gram: Floats
    direction: Floats
    slope: Floats
    length: Floats
    slot: int = 0

    @classmethod
    def at(cls, points: Floats, beta: float) -> _State:
        """The state of a descent that begins at these points."""
        B, K, d = points.shape
        value, gradient = smoothed_maximum(points, np.full(B, beta))
        basis = np.zeros((B, 2 * _MEMORY + 1, K * d))
        basis[:, -1] = gradient.reshape(B, K * d)
        gram = np.zeros((B, 2 * _MEMORY + 1, 2 * _MEMORY + 1))
        gram[:, -1, -1] = _dot(basis[:, -1], basis[:, -1])
        direction = _first_step(basis[:, -1], beta)
        slope = _dot(basis[:, -1], direction)
        return cls(beta, points.copy(), value, basis, gram, direction, slope, np.ones(B))

    def take(self, chosen: NDArray[np.bool_]) -> _State:
        """The state of some of the arrangements."""
        return _State(
            self.beta,
            self.points[chosen],
            self.value[chosen],
            self.basis[chosen],
            self.gram[chosen],
            self.direction[chosen],
            self.slope[chosen],
            self.length[chosen],
            self.slot,
        )


def _advance(state: _State) -> None:
    """One evaluation for all: who descends enough moves and turns, who does not steps back."""
    B, K, d = state.points.shape
    trial = unit(state.points + (state.length[:, None] * state.direction).reshape(B, K, d))
    value, gradient = smoothed_maximum(trial, np.full(B, state.beta))
    better = value <= state.value + _SUFFICIENT * state.length * state.slope
    if not better.any():
        state.length *= _BACKTRACK
        state.slope[state.length < _SHORTEST] = 0.0
        return
    moved = better[:, None]
    flat = gradient.reshape(B, K * d)
    i, j = state.slot, _MEMORY + state.slot
    state.basis[:, i] = np.where(moved, (trial - state.points).reshape(B, K * d), 0.0)
    state.basis[:, j] = np.where(moved, flat - state.basis[:, -1], 0.0)
    state.basis[:, -1] = np.where(moved, flat, state.basis[:, -1])
    products = state.basis @ state.basis[:, [i, j, -1]].swapaxes(1, 2)
    for column, place in enumerate((i, j, 2 * _MEMORY)):
        state.gram[:, place, :] = state.gram[:, :, place] = products[:, :, column]
    state.points = np.where(moved[..., None], trial, state.points)
    state.value = np.where(better, value, state.value)
    fresh = _quasi_newton(state)
    downhill = _dot(state.basis[:, -1], fresh)
    uphill = better & ~(downhill < 0)
    stuck = ~better & (state.length < _SHORTEST)
    if uphill.any():
        fresh = np.where(uphill[:, None], _first_step(state.basis[:, -1], state.beta), fresh)
    state.direction = np.where(moved, fresh, state.direction)
    state.slope = np.where(better, _dot(state.basis[:, -1], state.direction), state.slope)
    state.slope[stuck] = 0.0
    state.length = np.where(better, 1.0, state.length * _BACKTRACK)
    state.slot = (state.slot + 1) % _MEMORY


def _dot(x: Floats, y: Floats) -> Floats:
    """Inner products of the rows."""
    return np.asarray(np.einsum("bn,bn->b", x, y))


def _first_step(gradient: Floats, beta: float) -> Floats:
    """The direction of steepest descent, so long that no coordinate moves more than 1/(2 beta)."""
    largest = np.maximum(np.abs(gradient).max(axis=1), _STILL)
    return np.asarray(-gradient * (0.5 / (beta * largest))[:, None])


def _quasi_newton(state: _State) -> Floats:
    """The two-loop recursion in coefficients of the basis; pairs without curvature drop out."""
    gram, newest = state.gram, state.slot
    order = [(newest - age) % _MEMORY for age in range(_MEMORY)]
    curvature = gram[:, np.arange(_MEMORY), _MEMORY + np.arange(_MEMORY)]
    inverse = np.divide(1.0, curvature, out=np.zeros_like(curvature), where=curvature > _FLAT)
    coefficients = np.zeros(gram.shape[:2])
    coefficients[:, -1] = -1.0
    weights = np.zeros_like(curvature)
    for i in order:
        weights[:, i] = inverse[:, i] * _dot(coefficients, gram[:, i])
        coefficients[:, _MEMORY + i] -= weights[:, i]
    change = gram[:, _MEMORY + newest, _MEMORY + newest]
    largest = np.maximum(np.sqrt(gram[:, -1, -1]), _STILL)
    plain = 0.5 / (state.beta * largest)
    known = (inverse[:, newest] > 0) & (change > 0)
    coefficients *= np.divide(curvature[:, newest], change, out=plain, where=known)[:, None]
    for i in reversed(order):
        back = inverse[:, i] * _dot(coefficients, gram[:, _MEMORY + i])
        coefficients[:, i] += weights[:, i] - back
    return np.asarray((coefficients[:, None] @ state.basis)[:, 0])
