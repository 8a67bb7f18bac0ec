"""Where a search for a code begins, and how it goes on from what it has found.

A start is a batch of arrangements: independent points; points and their opposites; or orbits of a
random rotation of finite order, whose symmetry the descent keeps, so that a few points are in truth
moved instead of K. A hop takes good arrangements apart a little: some points thrown anywhere, those
of a cap shaken, or all moved slightly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ncbounds.codes.annealing import Floats, unit

Starts = Callable[[np.random.Generator, int, int, int], Floats]

_LARGEST_ORDER = 30


def independent(rng: np.random.Generator, batch: int, K: int, d: int) -> Floats:
    """Points uniform on the sphere."""
    return unit(rng.normal(size=(batch, K, d)))


def antipodal(rng: np.random.Generator, batch: int, K: int, d: int) -> Floats:
    """Points and their opposites, and one more point where K is odd."""
    half = rng.normal(size=(batch, K // 2, d))
    rest = rng.normal(size=(batch, K % 2, d))
    return unit(np.concatenate([half, -half, rest], axis=1))


def orbits(rng: np.random.Generator, batch: int, K: int, d: int) -> Floats:
    """Orbits of a random rotation of random order, one for each arrangement; the rest anywhere.

    The rotation turns d // 2 planes by random multiples of 2 pi over its order; in odd dimension it
    keeps or flips the last axis. With points on that axis where the orbits leave places free.
    """
    return np.stack([_orbits(rng, K, d) for _ in range(batch)])


#: In turn, with the sharpness that the descent begins with: what is soft finds few basins, good
#: ones, what is sharp finds many.
KINDS: tuple[tuple[Starts, float], ...] = (
    (independent, 12.0),
    (independent, 4.0),
    (antipodal, 12.0),
    (orbits, 12.0),
    (independent, 12.0),
    (orbits, 4.0),
)


def hops(rng: np.random.Generator, elite: Floats, batch: int, spacing: float) -> Floats:
    """Arrangements near those of an elite, the first of which is taken most often.

    Parameters:
        elite: (E, K, d), best first.
        batch: how many to make.
        spacing: typical distance of neighbours.
    """
    parents = np.minimum(rng.geometric(0.25, size=batch) - 1, len(elite) - 1)
    points: Floats = elite[parents].copy()
    kinds = rng.integers(3, size=batch)
    for arrangement, kind in zip(points, kinds, strict=True):
        (_throw, _shake_cap, _shake_all)[kind](rng, arrangement, spacing)
    return unit(points)


def _throw(rng: np.random.Generator, points: Floats, spacing: float) -> None:
    K, d = points.shape
    count = int(rng.integers(1, max(2, K // 6) + 1))
    points[rng.choice(K, min(count, K), replace=False)] = rng.normal(size=(min(count, K), d))


def _shake_cap(rng: np.random.Generator, points: Floats, spacing: float) -> None:
    K, d = points.shape
    count = int(rng.integers(2, max(3, K // 3) + 1))
    cap = np.argsort(-(points @ rng.normal(size=d)), kind="stable")[:count]
    points[cap] += 0.5 * rng.normal(size=(len(cap), d))


def _shake_all(rng: np.random.Generator, points: Floats, spacing: float) -> None:
    size = spacing * rng.choice([0.1, 0.2, 0.4])
    points += size * rng.normal(size=points.shape)


def _orbits(rng: np.random.Generator, K: int, d: int) -> Floats:
    order = int(rng.integers(2, min(K, _LARGEST_ORDER) + 1))
    turn = _rotation(rng, order, d)
    count, free = divmod(K, order)
    orbit = [rng.normal(size=(count, d))]
    for _ in range(order - 1):
        orbit.append(orbit[-1] @ turn.T)
    fixed = rng.normal(size=(free, d))
    if d % 2 and free <= 2:
        fixed = np.eye(d)[[-1] * free] * np.array([[1.0], [-1.0]])[:free]
    return unit(np.concatenate([*orbit, fixed]))


def _rotation(rng: np.random.Generator, order: int, d: int) -> NDArray[np.float64]:
    turn = np.zeros((d, d))
    for plane in range(d // 2):
        angle = 2 * np.pi * rng.integers(order // 2 + 1) / order
        c, s = np.cos(angle), np.sin(angle)
        turn[2 * plane : 2 * plane + 2, 2 * plane : 2 * plane + 2] = [[c, -s], [s, c]]
    if d % 2:
        turn[-1, -1] = 1.0 if order % 2 or rng.random() < 0.5 else -1.0
    return turn
