"""The search behind `best_code`: anneal batches of starts, hop from the best, polish what is left.

Everything is counted in rounds of fixed size and drawn from one seed: the same call gives the same
code, however busy the machine. A search ends early when the proved bound is reached, or when
fresh starts keep falling into the best arrangement.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ncbounds.codes.annealing import (
    Floats,
    descend,
    estimates,
    largest_inner_products,
    smoothed_maximum,
)
from ncbounds.codes.polish import balanced, contact_equations, polish
from ncbounds.codes.starts import KINDS, hops

#: Sharpness of the smoothing in units of one over the typical 1 - <x_i, x_j> of neighbours, and
#: evaluations, stage by stage; after a stage with a share, that share of the batch goes on.
_STAGES = (
    (4.0, 50, 1.0),
    (12.0, 50, 1.0),
    (40.0, 50, 0.5),
    (120.0, 50, 0.5),
    (400.0, 70, 1.0),
    (1500.0, 80, 1.0),
)
#: What the contact equations are tried on, and what follows where they do not lead to a balance.
_SOLVING_STAGE = (6e3, 250)
_FINAL_STAGES = ((2.5e4, 250), (1e5, 200), (4e5, 200))
#: An arrangement is behind where its estimate is higher by so many times one over the sharpness.
_BEHIND = 2.0
_DISTINCT_FROM = 120.0
_FIRST_HOP = 12.0
_ELITE = 12
_POLISHED = 2
_SAME = 1e-7
#: So near the bound, in units of the typical gap, that the contact equations may reach it.
_NEAR = 0.02
#: Fresh rounds that met the best arrangement, after which a better one is unlikely.
_ENOUGH_HITS = 8
_LARGEST_BATCH = 16
_ENTRIES_AT_ONCE = 400_000


@dataclass
class Elite:
    """The best arrangements with different values, best first; how often starts met the best."""

    values: list[float] = field(default_factory=list)
    points: list[Floats] = field(default_factory=list)
    hits: int = 0

    def add(self, value: float, points: Floats, fresh: bool) -> None:
        """Take an arrangement in unless it is known or worse than all."""
        for i, known in enumerate(self.values):
            if abs(value - known) < _SAME:
                self.hits += i == 0 and fresh
                return
            if value < known:
                self._insert(i, value, points)
                return
        self._insert(len(self.values), value, points)

    def _insert(self, place: int, value: float, points: Floats) -> None:
        self.values.insert(place, value)
        self.points.insert(place, points)
        del self.values[_ELITE:], self.points[_ELITE:]
        if place == 0:
            self.hits = 0


def search(
    d: int,
    K: int,
    seed: int,
    restarts: int,
    bound: float,
    progress: Callable[[int, int, str], None],
) -> Floats:
    """The best (K, d) unit rows found, polished.

    Parameters:
        restarts: arrangements that are annealed at most.
        bound: no arrangement has a largest inner product below this; reaching it ends the search.
        progress: called with (restarts done, restarts, best value).
    """
    rng = np.random.default_rng([seed, d, K])
    scale = typical_gap(d, K)
    batch = max(1, min(_LARGEST_BATCH, restarts // 4, _ENTRIES_AT_ONCE // K**2))
    elite, done, turn, begun = Elite(), 0, 0, 0
    opening = max(len(KINDS) * batch, restarts // 8)
    while done < restarts:
        fresh = done < opening or turn % 4 == 0
        if fresh:
            kind, first = KINDS[begun % len(KINDS)]
            points, begun = kind(rng, batch, K, d), begun + 1
        else:
            points, first = hops(rng, np.array(elite.points), batch, math.sqrt(scale)), _FIRST_HOP
        points = anneal(points, scale, first)
        values = largest_inner_products(points)
        if values.min() < bound + _NEAR * scale:
            solved = contact_equations(points[values.argmin()])
            if largest_inner_products(solved) <= bound + 1e-9:
                return solved
        for value, arrangement in zip(values, points, strict=True):
            elite.add(float(value), arrangement, fresh)
        done, turn = done + batch, turn + 1
        progress(min(done, restarts), restarts, f"{1 - elite.values[0]:.6f}")
        if begun >= len(KINDS) and elite.hits >= _ENOUGH_HITS:
            break
    return finish(np.array(elite.points), scale)


def anneal(points: Floats, scale: float, first: float) -> Floats:
    """The best share of a batch after all stages from sharpness `first` on."""
    for sharpness, evaluations, share in _STAGES:
        if sharpness < first:
            continue
        points = descend(points, sharpness / scale, evaluations, 1e-9 / sharpness)
        kept = math.ceil(share * len(points))
        if kept < len(points):
            points = points[np.argsort(largest_inner_products(points), kind="stable")[:kept]]
        if sharpness >= _DISTINCT_FROM and len(points) > 1:
            points = _distinct(points, sharpness / scale)
    return points


def _distinct(points: Floats, beta: float) -> Floats:
    """One arrangement for each value of the smoothed maximum."""
    values = smoothed_maximum(points, np.full(len(points), beta))[0]
    order = np.argsort(values, kind="stable")
    new = np.diff(values[order], prepend=-np.inf) > _SAME
    return points[order[new]]


def finish(points: Floats, scale: float) -> Floats:
    """Polish an elite, what promises most first, and return the best.

    The contact equations solve what is sharp enough, and what is behind is left out. Where the best
    is not in balance after them, the first few are sharpened further and polished step by step.
    """
    last, (sharpness, evaluations) = _STAGES[-1][0], _SOLVING_STAGE
    starts: list[Floats] = []
    solved: list[Floats] = []
    least = math.inf
    values = estimates(points, last / scale)
    for i in np.argsort(values, kind="stable"):
        if values[i] > least + _BEHIND * scale / last:
            break
        sharper = descend(points[i : i + 1], sharpness / scale, evaluations, 1e-10 / sharpness)
        if estimates(sharper, sharpness / scale)[0] > least + _BEHIND * scale / sharpness:
            continue
        starts.append(sharper[0])
        solved.append(contact_equations(sharper[0]))
        least = min(least, float(largest_inner_products(solved[-1])))
    order = np.argsort(largest_inner_products(np.array(solved)), kind="stable")
    best: Floats = solved[order[0]]
    if balanced(best):
        return best
    sharpened = np.array(starts)[order[:_POLISHED]]
    for sharpness, evaluations in _FINAL_STAGES:
        sharpened = descend(sharpened, sharpness / scale, evaluations, 1e-10 / sharpness)
    polished = np.array([best, *(polish(arrangement, scale / 1e4) for arrangement in sharpened)])
    return np.asarray(polished[np.argmin(largest_inner_products(polished))])


def typical_gap(d: int, K: int) -> float:
    """About 1 - <x_i, x_j> of neighbours: B^(2/(d-1)) of the factor-4 sandwich, at most 1."""
    log_b = math.lgamma((d + 1) / 2) - math.lgamma(d / 2) + math.log(2 * math.sqrt(math.pi) / K)
    return min(1.0, math.exp(2 * log_b / (d - 1)))
