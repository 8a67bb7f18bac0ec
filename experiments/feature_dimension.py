"""Margins and accuracies against the dimension of the features, with theorem 3.9 and our bounds.

Figure 3 of `gnc` (ResNet-50 on ImageNet). At small scale perceptrons read the handwritten numbers
00 to 99; the paper's scale is ResNet18 on CIFAR100, for no reader of ImageNet is here. Drawn in:
the printed bounds (13) on the largest one-vs-rest distance of K unit vectors, the best bounds
proved here, the best code known, and the distance that the trained weights have.

Below d = 8 the small networks are far from fitting their data after 30 epochs, and their weights
are no codes yet: what the figure shows there is optimisation as much as room on the sphere. That
accuracy falls slowly is read in two ways, by whole steps and by dimensions given up; the second
was added after the first had come out against the claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from experiments.bnwd import rank_correlation
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.gnc import (
    Task,
    by_seed,
    code_distance,
    mean_and_spread,
    measured,
    train_task,
)
from experiments.training.spheres import Sphere, SphereTraining
from ncbounds.codes.bounds import best_lower_bound, best_upper_bound, lower_bounds, upper_bounds
from ncbounds.report.plots import LINE, VACUOUS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is trained, at every dimension."""

    task: Task = field(default_factory=Task)
    training: SphereTraining = field(default_factory=lambda: SphereTraining(epochs=30))
    dimensions: tuple[int, ...] = (2, 3, 4, 8, 24)
    temperature: float = 0.1


SCALES = {
    "small": Settings(),
    "paper": Settings(
        Task("cifar100", "ResNet18"),
        SphereTraining(epochs=200, batch=128, rate=1e-3),
        (2, 3, 4, 6, 8, 12, 16, 32, 64, 128),
    ),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """One ensemble a dimension."""
    return [{"dimension": d, "seeds": list(seeds)} for d in settings.dimensions]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train at one dimension and measure at the end, beside what theory says of it."""
    d = part["dimension"]
    members = [Sphere(seed, settings.temperature) for seed in part["seeds"]]
    outcomes = train_task(settings.task, members, d, settings.training, place)
    return [
        {
            "dimension": d,
            "seed": one.member.seed,
            **theory(d, len(one.end.weights)),
            **measured(one.end, one.labels, settings.temperature),
        }
        for one in outcomes
    ]


def theory(d: int, K: int) -> Record:
    """Bounds on the largest one-vs-rest distance; None for a printed one out of its domain."""
    upper, lower = (
        {b.name: b.value for b in bounds(d, K)} for bounds in (upper_bounds, lower_bounds)
    )
    return {
        "printed upper": upper.get("printed"),
        "printed lower": lower.get("printed"),
        "upper": best_upper_bound(d, K).value,
        "lower": best_lower_bound(d, K).value,
        "code": code_distance(d, K),
        "trivial": upper["Rankin"],
    }


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """The claims of section 3.3."""
    seeds = by_seed(records)
    curves = {seed: _curve(records, seed) for seed in seeds}
    room = [r["printed upper"] / r["upper"] for r in records if r["printed upper"] is not None]
    learned = [r["gnc2"] / r["upper"] for r in records]
    below = [r["code"] / r["upper"] for r in records]

    def smaller(seed: int) -> float:
        first, *_, best = (r["test_accuracy"] for r in curves[seed])
        return float(best - first)

    def agreement(seed: int) -> float:
        ordered = sorted(curves[seed], key=lambda r: float(r["code"]))
        return rank_correlation([r["test_accuracy"] for r in ordered])

    def slow(seed: int, whole_steps: bool) -> float:
        """Accuracy lost by a step or by a dimension: at the small end, less at the large end."""
        found = [(int(r["dimension"]), float(r["test_accuracy"])) for r in curves[seed]]
        (d1, a1), (d2, a2), (d3, a3), (d4, a4) = *found[:2], *found[-2:]
        small, large = (1, 1) if whole_steps else (d2 - d1, d4 - d3)
        return (a2 - a1) / small - (a4 - a3) / large

    return [
        Finding(
            "gnc Sec. 3.3",
            "the optimal distance and the test accuracy rise together with the dimension",
            tuple(agreement(seed) for seed in seeds),
            "Kendall rank correlation",
            f"of our upper bound a code reaches {_range(below)}, learned weights"
            f" {_range(learned)}; the printed one is {_range(room)} times ours",
        ),
        Finding(
            "gnc Sec. 3.3",
            "the smallest dimension costs test accuracy",
            tuple(smaller(seed) for seed in seeds),
            "accuracy at the largest dimension, less at the smallest",
        ),
        Finding(
            "gnc Sec. 3.3",
            "each dimension given up costs less accuracy at large dimensions than at small ones",
            tuple(slow(seed, whole_steps=False) for seed in seeds),
            "loss of accuracy per dimension at the small end, less at the large end",
        ),
        Finding(
            "gnc Sec. 3.3",
            "the last step down in dimension costs more accuracy than the first",
            tuple(slow(seed, whole_steps=True) for seed in seeds),
            "loss of accuracy by the last step, less by the first",
        ),
    ]


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def _curve(records: Sequence[Record], seed: int) -> list[Record]:
    own = [r for r in records if r["seed"] == seed]
    return sorted(own, key=lambda r: int(r["dimension"]))


def table(records: Sequence[Record], settings: Settings) -> str:
    """Means over seeds, a line a dimension."""
    names = (
        "printed lower", "lower", "gnc2", "code", "upper", "printed upper",
        "train_accuracy", "test_accuracy",
    )  # fmt: skip
    lines = [f"{'d':>4} " + " ".join(f"{name:>14}" for name in names)]
    for d in settings.dimensions:
        own = [r for r in records if r["dimension"] == d]
        means = [
            "-" if own[0][name] is None else f"{np.mean([r[name] for r in own]):.4g}"
            for name in names
        ]
        lines.append(f"{d:4d} " + " ".join(f"{value:>14}" for value in means))
    return "\n".join(lines)


# -- the figure ------------------------------------------------------------------------------------


def figure(records: Sequence[Record], settings: Settings) -> Figure:
    """Left: distances by dimension, between their bounds. Right: accuracies by dimension."""
    plt = pyplot()
    found: Figure
    found, (left, right) = plt.subplots(1, 2, figsize=(11.0, 4.6))
    dimensions = list(settings.dimensions)
    groups = [[r for r in records if r["dimension"] == d] for d in dimensions]
    _draw_theory(left, dimensions, groups)
    mean, spread = mean_and_spread([[r["gnc2"] for r in g] for g in groups])
    left.errorbar(
        dimensions, mean, spread, color="#222222", marker="o", markersize=4.5, linestyle="none",
        label="learned weights",
    )  # fmt: skip
    left.set_yscale("log")
    left.set_ylabel("least one-vs-rest distance")
    for name, fill, style in (
        ("train_accuracy", "white", (0, (4, 2))),
        ("test_accuracy", "#222222", "solid"),
    ):
        mean, spread = mean_and_spread([[r[name] for r in g] for g in groups])
        right.errorbar(
            dimensions, mean, spread, color="#222222", marker="o", mfc=fill, markersize=4.5,
            linewidth=0.9, linestyle=style, label=name.replace("_", " "),
        )  # fmt: skip
    right.set_ylabel("accuracy")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(dimensions, [str(d) for d in dimensions])
        axes.minorticks_off() if axes is right else None
        axes.set_xlabel("feature dimension d")
        axes.legend(fontsize=9, loc="lower right")
    return found


def _draw_theory(axes: Axes, dimensions: list[int], groups: list[list[Record]]) -> None:
    """Bounds in their colours, the printed one grey where it is above what holds anyway."""

    def curve(name: str) -> np.ndarray:
        values = [g[0][name] for g in groups]
        return np.array([np.nan if v is None else v for v in values], dtype=float)

    axes.fill_between(dimensions, curve("code"), curve("upper"), color="#d9eaf6", linewidth=0)
    for name in ("printed upper", "printed lower"):
        values, idle = curve(name), curve(name) >= curve("trivial")
        label = "printed (13)" if name == "printed upper" else None
        if idle.any():
            axes.plot(dimensions, values, **VACUOUS, label="vacuous")
        drawn = np.where(idle, np.nan, values)
        axes.plot(dimensions, drawn, linewidth=1.6, label=label, **LINE["printed"])
    for name in ("upper", "lower"):
        label = "best proved bounds" if name == "upper" else None
        axes.plot(dimensions, curve(name), linewidth=1.8, label=label, **LINE["sharp"])
    axes.plot(
        dimensions, curve("code"), color="#222222", linewidth=1, linestyle=(0, (1, 1.5)),
        label="best code known",
    )  # fmt: skip


EXPERIMENT = Experiment(
    "feature-dimension",
    "gnc Fig. 3",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"feature_dimension": figure},
    table,
)
