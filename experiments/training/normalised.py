"""Networks `rho f_V` whose weight matrices have norm 1, and how the square loss moves them.

`f_V(x) = V_L relu(V_{L-1} ... relu(V_1 x))` with |V_k| = 1 (Frobenius), labels y = +-1, margins
m_n = y_n f_V(x_n). Of the loss `mean (1 - rho m)^2 + lambda rho^2`, with one Lagrange multiplier a
layer for |V_k|^2 = 1, the flow is (`square:eq-5`)

    rho' = 2 (mean m - rho (mean m^2 + lambda))
    V_k' = 2 rho mean_n (1 - rho m_n) (dm_n/dV_k - m_n V_k)

`f_V` is homogeneous in each V_k, so <V_k, dm/dV_k> = m and |V_k|^2' = 4 nu (1 - |V_k|^2) with
nu = rho mean (1 - rho m) m: the flow stays on the spheres, and of an integrator it can be told how
far it leaves them. Several networks run at once: axis 0 is the run, samples are the last axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from experiments.training.data import Split
from experiments.training.runs import Floats

#: A singular value counts towards the rank if it is more than this share of the largest.
RANK_SHARE = 0.01


@dataclass(eq=False)
class Networks:
    """R networks: `rho` (R,), and for each layer unit matrices (R, out, in)."""

    rho: Floats
    V: list[Floats]


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs (d, n) and labels +-1 (n,), the same for all runs."""

    x: Floats
    y: Floats

    @property
    def n(self) -> int:
        """How many."""
        return len(self.y)

    def take(self, index: Any) -> Samples:
        """Some of the samples."""
        return Samples(self.x[:, index], self.y[index])


def samples(data: Split) -> tuple[Samples, Samples]:
    """Training and test samples of a problem of two classes; class 1 has the label +1."""
    parts = ((data.train_x, data.train_y), (data.test_x, data.test_y))
    train, test = (Samples(np.ascontiguousarray(x.T), 2.0 * y - 1.0) for x, y in parts)
    return train, test


def initial(d: int, widths: Sequence[int], rho: Sequence[float], seed: int) -> Networks:
    """Random directions of all weight matrices, the same for every run, and the given rho."""
    rng = np.random.default_rng(seed)
    layers = []
    for columns, rows in pairwise((d, *widths, 1)):
        one = rng.normal(size=(rows, columns))
        layers.append(np.stack([one / np.linalg.norm(one)] * len(rho)))
    return Networks(np.array(rho, dtype=np.float64), layers)


def activations(V: Sequence[Floats], x: Floats) -> list[Floats]:
    """What goes into each layer, (R, ., n), and the outputs (R, 1, n) at the end."""
    found = [x[None]]
    for v in V[:-1]:
        found.append(np.maximum(v @ found[-1], 0))
    return [*found, V[-1] @ found[-1]]


def margins(networks: Networks, data: Samples) -> Floats:
    """`y_n f_V(x_n)`, (R, n)."""
    found: Floats = activations(networks.V, data.x)[-1][:, 0] * data.y
    return found


def flow(networks: Networks, data: Samples, decay: Floats) -> tuple[Floats, list[Floats], Floats]:
    """The right-hand sides `rho'` (R,) and `V_k'` on these samples, and the margins (R, n)."""
    rho, V = networks.rho, networks.V
    inputs = activations(V, data.x)
    m = inputs[-1][:, 0] * data.y
    left = 1 - rho[:, None] * m
    rho_dot = 2 * ((left * m).mean(1) - decay * rho)
    rate = (2 * rho / data.n)[:, None]
    along = (rate * left * m).sum(1)[:, None, None]
    back = (rate * left * data.y)[:, None, :]
    V_dot = []
    for k in reversed(range(len(V))):
        V_dot.append(back @ inputs[k].swapaxes(1, 2) - along * V[k])
        if k:
            back = (V[k].swapaxes(1, 2) @ back) * (inputs[k] > 0)
    return rho_dot, V_dot[::-1], m


def drift(V: Sequence[Floats]) -> float:
    """How far the norm of any matrix is from 1."""
    return max(float(np.abs(norms(v) - 1).max()) for v in V)


def norms(v: Floats) -> Floats:
    """Frobenius norms, (R,)."""
    found: Floats = np.sqrt(np.einsum("rij,rij->r", v, v))
    return found


def singular_values(V: Sequence[Floats]) -> list[Floats]:
    """Of every matrix but the last, which is a row: (R, min(out, in))."""
    return [np.linalg.svd(v.astype(np.float64), compute_uv=False) for v in V[:-1]]


def observed(networks: Networks, data: Samples, test: Samples, decay: Floats) -> dict[str, Floats]:
    """What is recorded of each network: one number a run, and (R, layers) for ranks.

    `spread` is sigma / mu, `rho_eq` is mu / (M + lambda), `gap` is 1 - rho mu, and
    `quasi_gap` is lambda / (mu^2 + lambda), the gap that equal margins would leave.
    """
    rho_dot, _, m = flow(networks, data, decay)
    rho, mu, M = networks.rho, m.mean(1), (m * m).mean(1)
    sigma = m.std(1)
    values = singular_values(networks.V)
    return {
        "rho": rho,
        "rho_dot": rho_dot,
        "mu": mu,
        "sigma": sigma,
        "least": m.min(1),
        "spread": sigma / np.abs(mu),
        "rho_eq": mu / (M + decay),
        "gap": 1 - rho * mu,
        "quasi_gap": decay / (mu * mu + decay),
        "loss": ((1 - rho[:, None] * m) ** 2).mean(1),
        "train_error": (rho[:, None] * m <= 0).mean(1),
        "test_error": (rho[:, None] * margins(networks, test) <= 0).mean(1),
        "stable_rank": np.stack([(v * v).sum(1) / v[:, 0] ** 2 for v in values], 1),
        "rank": np.stack([(v > RANK_SHARE * v[:, :1]).sum(1) for v in values], 1),
    }
