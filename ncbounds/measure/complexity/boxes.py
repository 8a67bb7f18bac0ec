"""The lower levels of a tree network: a search over their angles, and branch and bound above it.

The top two levels are maximised exactly (`arcs`) on the features that the lower levels compute.
What their angles can add within a box is bounded by how far features can move.
"""

import numpy as np
import numpy.typing as npt

from ncbounds.measure.complexity.arcs import directions, pairs, top_levels
from ncbounds.measure.complexity.conventions import Array

ROUNDING = 2.0**-40


def lower_features(X: Array, angles: Array) -> Array:
    """The features that enter the top two levels, (B, m, 4), for B choices of the lower angles.

    Without a lower angle the result has one row for all (1, m, d).
    """
    v = X[None]
    for level in range(angles.shape[1]):
        w = directions(angles[:, level])[:, None, None, :]
        v = np.maximum(np.sum(pairs(v) * w, axis=-1), 0.0)
    return v


def search(X: Array, signs: Array, depth: int, rng: np.random.Generator) -> Array:
    """Good lower angles for every sign vector, (S, L-2): many starts, then a shrinking cross."""
    free = max(depth - 2, 0)
    if free == 0:
        return np.empty((len(signs), 0))
    low, high = _ranges(free)
    starts = 64 if free == 1 else 48 * free
    grid = low + (high - low) * rng.random((starts, free))
    kept = 4
    score = np.stack([evaluate(X, np.tile(g, (len(signs), 1)), signs) for g in grid], axis=1)
    order = np.argsort(-score, axis=1)[:, :kept]
    angles = grid[order].reshape(-1, free)
    many = np.repeat(signs, kept, axis=0)
    value = np.take_along_axis(score, order, axis=1).ravel()
    step = 0.3
    while step > 1e-8:
        before = value.copy()
        for axis in range(free):
            for direction in (step, -step):
                trial = angles.copy()
                trial[:, axis] += direction
                got = evaluate(X, trial, many)
                better = got > value
                angles[better], value[better] = trial[better], got[better]
        if np.all(value <= before * (1 + 1e-12)) or np.mean(value > before) < 0.25:
            step *= 0.4
    winner = np.argmax(value.reshape(-1, kept), axis=1) + kept * np.arange(len(signs))
    found: Array = angles[winner]
    return found


def evaluate(X: Array, angles: Array, signs: Array) -> Array:
    """The supremum over the top two levels at given lower angles, (B,)."""
    return top_levels(lower_features(X, angles), signs)[0]


def _ranges(free: int) -> tuple[Array, Array]:
    """Angles that matter: all at the bottom; above it a kernel that is negative twice gives 0."""
    low, high = np.full(free, -np.pi / 2), np.full(free, np.pi)
    low[:1], high[:1] = -np.pi, np.pi
    return low, high


def branch_and_bound(
    X: Array, signs: Array, angles: Array, tolerance: float, max_boxes: int
) -> tuple[Array, Array]:
    """Better angles where a box held any, and a certified upper bound of each supremum, (S,).

    A box of lower angles is judged at its centre plus what its radius can add; it is dropped when
    that exceeds the best value known for its signs by no more than the tolerance allows, relative
    to the mean over all signs (samples that cancel have supremum 0), and halved in every angle
    otherwise. All sign vectors advance together.
    """
    free = angles.shape[1]
    rounding = ROUNDING * float(np.sum(np.sqrt(np.sum(X * X, axis=1))))
    best, angles = evaluate(X, angles, signs), angles.copy()
    if free == 0:
        return angles, _above(best, rounding)
    low, high = _ranges(free)
    pieces = 16
    radius = (high - low) / (2 * pieces)
    axes = [low[k] + radius[k] * (2 * np.arange(pieces) + 1) for k in range(free)]
    cell = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, free)
    centre = np.tile(cell, (len(signs), 1))
    owner = np.repeat(np.arange(len(signs)), len(cell))
    corners = np.array(np.meshgrid(*[[-0.5, 0.5]] * free)).reshape(free, -1).T

    upper = np.zeros(len(signs))
    spent = 0
    while True:
        value, growth = np.empty(len(centre)), np.empty(len(centre))
        for start in range(0, len(centre), 1 << 14):
            part = slice(start, start + (1 << 14))
            value[part] = evaluate(X, centre[part], signs[owner[part]])
            growth[part] = reach(X, centre[part], radius)
        spent += len(centre)
        _keep_best(value, centre, owner, best, angles)
        bound = _above(value + growth, rounding)
        open_ = bound > best[owner] + tolerance * best.mean()
        np.maximum.at(upper, owner[~open_], bound[~open_])
        if spent + np.count_nonzero(open_) * len(corners) > max_boxes:
            np.maximum.at(upper, owner[open_], bound[open_])
            break
        if not open_.any():
            break
        offspring = centre[open_][:, None, :] + corners * radius
        centre, owner = offspring.reshape(-1, free), np.repeat(owner[open_], len(corners))
        radius = radius / 2
    return angles, np.maximum(upper, _above(best, rounding))


def _above(value: Array, rounding: float) -> Array:
    """Widen computed suprema by all that rounding may have hidden."""
    return value * (1 + ROUNDING) + rounding


def _keep_best(
    value: Array, centre: Array, owner: npt.NDArray[np.intp], best: Array, angles: Array
) -> None:
    """Let every sign vector take over the best box centre that is its own."""
    order = np.argsort(value)
    top = np.full(len(best), -1)
    top[owner[order]] = order
    better = (top >= 0) & (value[top] > best)
    best[better], angles[better] = value[top[better]], centre[top[better]]


def reach(X: Array, centre: Array, radius: Array) -> Array:
    """By how much the supremum can grow when every lower angle moves by at most its radius, (B,).

    Change the angles one after the other, the highest first. Moving the angle of one level by
    `t <= r` moves a unit with input p by `|(cos t - 1) w . p + sin t w' . p|`, w' the kernel turned
    by 90 degrees, and not at all if `w . p < -r |p|`, for then the ReLU blocks it before and after.
    What follows does not enlarge the norm of a change.
    """
    total = np.zeros(len(centre))
    v = X[None]
    for level in range(centre.shape[1]):
        r = radius[level] * (1 + ROUNDING) + ROUNDING
        w = directions(centre[:, level])[:, None, None, :]
        p = pairs(v)
        along = np.sum(p * w, axis=-1)
        across = np.abs(p[..., 1] * w[..., 0] - p[..., 0] * w[..., 1])
        norm = np.sqrt(np.sum(p * p, axis=-1)) * (1 + ROUNDING)
        moved = np.where(along < -r * norm, 0.0, across * r + norm * (r * r / 2))
        total += np.sum(np.sqrt(np.sum(moved * moved, axis=-1)), axis=-1)
        v = np.maximum(along, 0.0)
    return total
