"""Paths of normalised networks under the square loss: the gradient flow, and descent on batches.

`experiments.training.normalised` says what the networks are and how the loss moves them. Here the
flow is integrated for one network with an adaptive method, and gradient descent with weight
normalisation runs for many networks at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.training.normalised import (
    Networks,
    Samples,
    drift,
    flow,
    margins,
    norms,
    observed,
)
from experiments.training.runs import Floats


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths of R runs: records at times, margins at some of them, and how it was computed.

    `record` has entries (times, R, ...), `margins` is (., R, n) at the times `margins_at`;
    `norm_drift` is the largest deviation of the norm of a matrix from 1 over all steps, before
    any normalisation. `settled` says that nothing moved any more.
    """

    t: Floats
    record: dict[str, Floats]
    margins_at: Floats
    margins: Floats
    norm_drift: float
    steps: int
    settled: bool
    end: Networks


def integrate(
    start: Networks,
    data: Samples,
    test: Samples,
    decay: float,
    *,
    until: float,
    tolerance: float,
    records: int = 60,
    histograms: int = 7,
) -> Paths:
    """Follow the flow of one network with an adaptive Runge-Kutta method of third order.

    A ReLU network is only piecewise smooth, and its flow can slide along the creases: a method of
    higher order gains nothing. The matrices are never normalised on the way, so that `norm_drift`,
    the largest deviation of a norm from 1 over all steps, measures the integrator. Ends early
    where nothing moves any more: then the path is `settled`.
    """
    from scipy.integrate import RK23

    shapes = [v.shape[1:] for v in start.V]
    ends = np.cumsum([1, *(math.prod(shape) for shape in shapes)])
    decays = np.array([decay])

    def unpack(z: npt.NDArray[np.float64]) -> Networks:
        parts = zip(ends, ends[1:], shapes, strict=False)
        return Networks(z[:1], [z[a:b].reshape(1, *shape) for a, b, shape in parts])

    def pack(rho: Floats, V: Sequence[Floats]) -> npt.NDArray[np.float64]:
        return np.concatenate([rho, *(v.ravel() for v in V)], dtype=np.float64)

    def slope(_: float, z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        rho_dot, V_dot, _m = flow(unpack(z), data, decays)
        return pack(rho_dot, V_dot)

    solver = RK23(slope, 0.0, pack(start.rho, start.V), until, rtol=tolerance, atol=0.1 * tolerance)
    times = np.geomspace(until / 3000, until, records)
    marks = np.linspace(records // 4, records - 1, histograms).round().astype(int)
    rows, at, shown, shown_at = [], [], [], []
    worst, steps, passed, settled = 0.0, 0, 0, False
    while solver.status == "running" and not settled:
        solver.step()
        steps += 1
        now = unpack(solver.y)
        worst = max(worst, drift(now.V))
        before, passed = passed, int(np.searchsorted(times, solver.t, side="right"))
        if passed == before:
            continue
        rows.append(observed(now, data, test, decays))
        at.append(float(solver.t))
        settled = _settled(rows, decay)
        if settled or ((marks >= before) & (marks < passed)).any():
            shown.append(margins(now, data))
            shown_at.append(at[-1])
    return Paths(
        np.array(at),
        {name: np.stack([row[name] for row in rows]) for name in rows[0]},
        np.array(shown_at),
        np.stack(shown),
        worst,
        steps,
        settled,
        unpack(solver.y),
    )


def _settled(rows: Sequence[dict[str, Floats]], decay: float) -> bool:
    """Whether the loss and rho have stopped, and not at the start, where all outputs are tiny."""
    if len(rows) < 2 or rows[-1]["loss"][0] > 0.9:
        return False
    now, before = (float((r["loss"] + decay * r["rho"] ** 2)[0]) for r in (rows[-1], rows[-2]))
    rho, rest = float(rows[-1]["rho"][0]), float(rows[-1]["rho_eq"][0])
    return abs(rho - rest) < 1e-3 * abs(rest) and before - now < 1e-5 * before


def descend(
    start: Networks,
    data: Samples,
    test: Samples,
    decay: Floats,
    *,
    batch: int,
    steps: int,
    rate: float,
    seed: int,
    records: int = 40,
    histograms: int = 7,
) -> Paths:
    """Gradient descent on batches with weight normalisation, all runs at once.

    A step goes along the flow of a batch, then every matrix is scaled to norm 1 (`square:eq-32`,
    and weight normalisation whose scale is frozen). Batches are drawn without replacement, epoch
    by epoch; all runs see the same. Time is `rate * step`.
    """
    now = Networks(start.rho.copy(), [v.copy() for v in start.V])
    rng = np.random.default_rng([seed, batch])
    kept = np.unique(np.geomspace(1, steps, records).round().astype(int))
    marks = kept[np.linspace(len(kept) // 4, len(kept) - 1, histograms).round().astype(int)]
    rows, shown = [], []
    order, worst = rng.permutation(data.n), 0.0
    for step in range(1, steps + 1):
        if len(order) < batch:
            order = rng.permutation(data.n)
        part = data.take(order[:batch]) if batch < data.n else data
        order = order[batch:]
        rho_dot, V_dot, _ = flow(now, part, decay)
        now.rho = now.rho + rate * rho_dot
        moved = [v + rate * v_dot for v, v_dot in zip(now.V, V_dot, strict=True)]
        worst = max(worst, drift(moved))
        now.V = [v / norms(v)[:, None, None] for v in moved]
        if step in kept:
            rows.append(observed(now, data, test, decay))
        if step in marks:
            shown.append(margins(now, data))
    return Paths(
        rate * kept,
        {name: np.stack([row[name] for row in rows]) for name in rows[0]},
        rate * np.unique(marks),
        np.stack(shown),
        worst,
        steps,
        False,
        now,
    )


def update_norms(networks: Networks, data: Samples, decay: Floats, batch: int) -> Floats:
    """Root mean square of `|V_k'|` over batches that cover the samples once, (R, layers)."""
    order = np.random.default_rng(0).permutation(data.n)
    squares = []
    for first in range(0, data.n - batch + 1, batch):
        _, V_dot, _ = flow(networks, data.take(order[first : first + batch]), decay)
        squares.append(np.stack([norms(v) ** 2 for v in V_dot], 1))
    found: Floats = np.sqrt(np.mean(squares, 0))
    return found
