"""Strong collapse of unconstrained features under the square error, by size of initialisation.

Figure 3 of `review` and what explains it: three classes of three samples, features and weights
drawn with norms epsilon each, biases zero, run by the gradient flow. Recorded are the errors of
SNC1 to SNC3, the risk, how far the path is from the subspace S of copies and from the exact flow on
S that starts at its projection, and the imbalance A^T A - F F^T, which the flow conserves and which
keeps SNC2 from zero (`review:eq-17`, sharp). Dimensions 15, 2 = K - 1 and 1 < K - 1. This is the
paper's own size, at both scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.running import Experiment, Finding, Part, Place, Record
from ncbounds.errors import InputError
from ncbounds.laboratory.flow import (
    flow_on_subspace,
    gradient_flow,
    linearised_flow,
    nearest_on_subspace,
)
from ncbounds.report.strong_collapse_plots import plot_strong_collapse

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """What is run; `points` times are recorded, evenly up to `until`."""

    classes: int = 3
    samples: int = 3
    dimensions: tuple[int, ...] = (15, 2, 1)
    scales: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 4.0)
    until: float = 40.0
    points: int = 161
    tolerance: float = 1e-11


SCALES = {"small": Settings(), "paper": Settings()}


def start(settings: Settings, m: int, scale: float, seed: int) -> tuple[Array, Array]:
    """Features and weights of norm `scale` each; of one seed they differ in scale alone."""
    rng = np.random.default_rng([seed, m])
    F = rng.standard_normal((settings.classes, settings.samples, m))
    A = rng.standard_normal((settings.classes, m))
    return F * (scale / np.linalg.norm(F)), A * (scale / np.linalg.norm(A))


def run(settings: Settings, m: int, scale: float, seed: int) -> dict[str, Any]:
    """One flow and what is recorded of it."""
    F, A = start(settings, m, scale, seed)
    times = np.linspace(0.0, settings.until, settings.points)
    path = gradient_flow(F, A, times=times, tolerance=settings.tolerance)
    n = settings.samples
    off = [
        _off_subspace(*state)
        for state in zip(path.features, path.weights, path.biases, strict=True)
    ]
    exact = flow_on_subspace(nearest_on_subspace(F, A)[1], n, times=times)
    from_exact = np.sqrt(
        ((path.features - exact.features) ** 2).sum((1, 2, 3))
        + ((path.weights - exact.weights) ** 2).sum((1, 2))
        + ((path.biases - exact.biases) ** 2).sum(1)
    )
    imbalance = np.linalg.norm(A.T @ A - np.einsum("cni,cnj->ij", F, F))
    size = np.linalg.norm(path.weights[-1])
    frozen = np.sqrt(max((F**2).sum() - (A**2).sum() - np.sqrt(len(A)) * imbalance, 0.0))
    one, two, three = path.errors
    return {
        "m": m,
        "scale": scale,
        "seed": seed,
        "t": times.tolist(),
        "snc1": one.tolist(),
        "snc2": two.tolist(),
        "snc3": three.tolist(),
        "risk": path.risks.tolist(),
        "off_subspace": float(max(off)),
        "from_exact": float(from_exact.max()),
        "imbalance": float(imbalance),
        "snc2_at_least": float(max(np.sqrt(size**2 + imbalance) - size, frozen)),
        "linear_until": _linear_until(
            path.weights, linearised_flow(F, A, times=times).weights, times
        ),
        "spread": float(np.linalg.norm(_apart(path.features[-1]))),
        "frozen_spread": _frozen_spread(F, A),
        "drift": path.drift,
    }


def _apart(F: Array) -> Array:
    """Features less the means of their classes."""
    apart: Array = F - F.mean(axis=1, keepdims=True)
    return apart


def _frozen_spread(F: Array, A: Array) -> float:
    """The spread within classes orthogonal to the rows of A in T: it rests to first order."""
    _, values, rows = np.linalg.svd(nearest_on_subspace(F, A)[1], full_matrices=False)
    rows = rows[values > 1e-9 * values.max()]
    apart = _apart(F)
    return float(np.linalg.norm(apart - apart @ rows.T @ rows))


def _off_subspace(F: Array, A: Array, b: Array) -> float:
    """Distance of a point from S."""
    near_F, near_A, _ = nearest_on_subspace(F, A)
    return float(
        np.sqrt(((F - near_F) ** 2).sum() + ((A - near_A) ** 2).sum() + ((b - b.mean()) ** 2).sum())
    )


def _linear_until(path: Array, linear: Array, times: Array) -> float:
    """The first recorded time at which the weights are a tenth off the linearised ones."""
    gap = np.linalg.norm(path - linear, axis=(1, 2)) / np.linalg.norm(linear, axis=(1, 2))
    over = np.flatnonzero(gap > 0.1)
    return float(times[over[0]]) if over.size else float(times[-1])


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """A flow each. Raises InputError for settings without runs."""
    if not settings.scales or min(settings.scales) <= 0:
        raise InputError("settings", str(settings), "positive scales")
    return [
        {"m": m, "scale": scale, "seed": seed}
        for m in settings.dimensions
        for scale in settings.scales
        for seed in seeds
    ]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """One flow: small matrices, for which no GPU is faster."""
    return [run(settings, part["m"], part["scale"], part["seed"])]


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """What section 3.1.2 of the review says of small initialisations, in the largest dimension."""
    wide = [line(one) for one in records if one["m"] == max(settings.dimensions)]
    seeds = sorted({row["seed"] for row in wide})
    low, high = min(settings.scales), max(settings.scales)

    def per_seed(effect: Any) -> tuple[float, ...]:
        return tuple(effect({r["scale"]: r for r in wide if r["seed"] == seed}) for seed in seeds)

    def growth(rows: dict[float, Any]) -> float:
        ratios = [np.log10(rows[high][name] / rows[low][name]) for name in ENDS[:3]]
        return float(min(ratios)) - 1

    def stays(rows: dict[float, Any]) -> float:
        return float(np.log10(rows[high]["off_subspace"] / rows[low]["off_subspace"])) - 1

    tight = [r["snc2"] / r["at least"] for r in wide if r["at least"] > 0]
    solved = [r for r in wide if r["risk"] < 1e-6 * r["snc2"] ** 2]
    return [
        Finding(
            "review Fig. 3",
            "errors of SNC1, SNC2 and SNC3 are orders of magnitude higher away from 0",
            per_seed(growth),
            f"least decades from norms {low:g} to {high:g}, less one",
            f"measured SNC2 is {min(tight):.3g} to {max(tight):.3g} times what the conserved"
            f" imbalance forces, {len(tight)} flows",
        ),
        Finding(
            "review Sec. 3.1.2",
            "the whole path stays along the subspace S as initial norms tend to 0",
            per_seed(stays),
            f"decades of the distance from S from norms {low:g} to {high:g}, less one",
        ),
        Finding(
            "review Sec. 3.1.2",
            "where errors stay large gradient descent is stuck in a strict saddle",
            per_seed(lambda rows: float(np.log10(rows[high]["risk"] / rows[high]["snc2"] ** 2))),
            f"decades of the final risk over the square of SNC2, at norms {high:g}",
            f"the risk is below 1e-6 SNC2^2 in {len(solved)} of {len(wide)} flows: no saddle",
        ),
    ]


# -- what is printed -------------------------------------------------------------------------------

ENDS = ("snc1", "snc2", "snc3", "risk")
COLUMNS = {
    "snc1": "SNC1",
    "snc2": "SNC2",
    "at least": "at least",
    "spread": "spread",
    "frozen_spread": "frozen",
    "snc3": "SNC3",
    "risk": "risk",
    "off_subspace": "off S",
    "from_exact": "off exact",
    "linear_until": "linear t",
}


def line(one: dict[str, Any]) -> dict[str, Any]:
    """A run at its end, flat."""
    kept = {name: one[name] for name in ("m", "scale", "seed")}
    ends = {name: one[name][-1] for name in ENDS}
    told = ("spread", "frozen_spread", "off_subspace", "from_exact", "linear_until", "imbalance")
    rest = {name: one[name] for name in told}
    return {**kept, **ends, "at least": one["snc2_at_least"], **rest, "drift": one["drift"]}


def order(rows: list[dict[str, Any]], name: str) -> float:
    """The exponent of a power of epsilon fitted to a column, where epsilon is at most 0.1."""
    small = [row for row in rows if row["scale"] <= 0.1 and row[name] > 0]
    if len({row["scale"] for row in small}) < 2:
        return float("nan")
    x, y = (np.log([row[key] for row in small]) for key in ("scale", name))
    return float(np.polyfit(x, y, 1)[0])


def text(runs: Sequence[Record]) -> str:
    """Means over seeds at the end, and orders in epsilon."""
    rows = [line(one) for one in runs]
    lines = [f"{'m':>4}{'epsilon':>9}" + "".join(f"{title:>10}" for title in COLUMNS.values())]
    for m in dict.fromkeys(row["m"] for row in rows):
        of_m = [row for row in rows if row["m"] == m]
        for scale in dict.fromkeys(row["scale"] for row in of_m):
            same = [row for row in of_m if row["scale"] == scale]
            values = "".join(f"{np.mean([row[c] for row in same]):10.2g}" for c in COLUMNS)
            lines.append(f"{m:4d}{scale:9g}{values}")
        powers = "".join(f"{order(of_m, c):10.2f}" for c in COLUMNS if c != "linear_until")
        lines.append(f"{m:4d}{'order':>9}{powers}")
    worst = max(row["drift"] for row in rows)
    lines.append(f"largest relative change of the conserved imbalance: {worst:.1e}")
    return "\n".join(lines)


def figure(records: Sequence[Record], settings: Settings) -> Any:
    """Errors of SNC1, SNC2 and SNC3 over time, and against the size of the initialisation."""
    return plot_strong_collapse(records, settings.classes, settings.samples)


EXPERIMENT = Experiment(
    "strong-collapse",
    "review Fig. 3",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"strong_collapse": figure},
    lambda records, settings: text(records),
)
