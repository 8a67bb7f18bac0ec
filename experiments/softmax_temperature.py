"""Generalised collapse and test accuracy against temperature, with far more classes than features.

Figure 2 of `gnc` (ResNet18 on CIFAR100, d = 10, K = 100). At small scale perceptrons read the
handwritten numbers 00 to 99, K = 100 and d = 10 as in the paper. Drawn in: the largest one-vs-rest
distance that is proved to be possible, the best code known to us, and what the mean loss and the
margins of each network guarantee of its distance and of its variability (`gnc:lemma-3.1`, sharp).

At small scale small temperatures raise the distance, but collapse and test accuracy are best at the
larger ones: with a small temperature the samples are soon told apart, and their features come to
rest before they have come together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.gnc import (
    Task,
    by_seed,
    code_distance,
    guaranteed,
    mean_and_spread,
    measured,
    train_task,
)
from experiments.training.spheres import Sphere, SphereTraining
from ncbounds.codes.bounds import best_upper_bound
from ncbounds.report.plots import LINE, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is trained; temperatures up to `small` count as small ones."""

    task: Task = field(default_factory=Task)
    training: SphereTraining = field(default_factory=SphereTraining)
    temperatures: tuple[float, ...] = (0.02, 0.05, 0.1, 0.3, 1.0)
    small: float = 0.1
    dimension: int = 10
    looks: int = 9


SCALES = {
    "small": Settings(),
    "paper": Settings(
        Task("cifar100", "ResNet18"), SphereTraining(epochs=200, batch=128, rate=1e-3)
    ),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """One ensemble a temperature; each part runs all seeds."""
    return [{"temperature": t, "seeds": list(seeds)} for t in settings.temperatures]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train at one temperature, and measure on the way and at the end."""
    tau, epochs = part["temperature"], settings.training.epochs
    at = sorted({int(e) for e in np.geomspace(1, epochs, settings.looks).round()} | {0})
    members = [Sphere(seed, tau) for seed in part["seeds"]]
    outcomes = train_task(
        settings.task, members, settings.dimension, settings.training, place, at=at
    )
    return [
        {
            "temperature": tau,
            "seed": one.member.seed,
            "classes": len(one.end.weights),
            "epochs": at,
            "history": [measured(one.seen[epoch], one.labels, tau) for epoch in at],
            "guaranteed": guaranteed(one.end, one.labels, tau),
        }
        for one in outcomes
    ]


def last(record: Record, name: str) -> float:
    """A metric after the last epoch."""
    return float(record["history"][-1][name])


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """The claims of section 2.2: small temperatures for collapse, for margins, for accuracy."""

    def per_seed(effect: Callable[[list[Record], list[Record]], float]) -> tuple[float, ...]:
        found = []
        for seed in by_seed(records):
            own = [r for r in records if r["seed"] == seed]
            small = [r for r in own if r["temperature"] <= settings.small]
            found.append(effect(small, [r for r in own if r["temperature"] > settings.small]))
        return tuple(found)

    def mean(name: str, own: Sequence[Record]) -> float:
        return float(np.mean([last(r, name) for r in own]))

    def fall(name: str, own: Sequence[Record]) -> float:
        """Decades from the start to the end, less one."""
        starts = [r["history"][0][name] for r in own]
        return float(np.mean(np.log10(starts))) - float(
            np.mean(np.log10([last(r, name) for r in own]))
        ) - 1  # fmt: skip

    bound = _bound(records, settings)
    shares = [last(r, "gnc2") / bound for r in records if r["temperature"] <= settings.small]
    reach = f"{min(shares):.2f} to {max(shares):.2f} of the proved upper bound {bound:.4f}"
    return [
        Finding(
            "gnc Sec. 2.2",
            "GNC1 and GNC3 converge to 0 at small temperatures",
            per_seed(lambda small, _: min(fall("gnc1", small), fall("gnc3", small))),
            "decades that the lesser of the two falls in training, less one",
            tightness(records, "nc1.spherical", "variability, margins"),
        ),
        Finding(
            "gnc Sec. 2.2",
            "a small temperature is necessary for GNC1 and GNC3",
            per_seed(
                lambda small, large: min(
                    np.log10(mean(name, large) / mean(name, small)) for name in ("gnc1", "gnc3")
                )
            ),
            "decades between large and small temperatures",
        ),
        Finding(
            "gnc Sec. 2.2",
            "GNC2 converges towards the softmax code with small temperatures",
            per_seed(
                lambda small, _: float(
                    np.mean([last(r, "gnc2") - r["history"][0]["gnc2"] for r in small])
                )
            ),
            "rise of the least one-vs-rest distance in training",
            reach,
        ),
        Finding(
            "gnc Sec. 2.2",
            "the distance is larger with small temperatures than with large ones",
            per_seed(lambda small, large: mean("gnc2", small) - mean("gnc2", large)),
            "difference of the least one-vs-rest distance",
            tightness(records, "gnc2", "distance, HardMax"),
        ),
        Finding(
            "gnc Sec. 2.2",
            "a small temperature is necessary for a high test accuracy",
            per_seed(
                lambda small, large: mean("test_accuracy", small) - mean("test_accuracy", large)
            ),
            "difference of test accuracy",
        ),
    ]  # fmt: skip


def tightness(records: Sequence[Record], name: str, guarantee: str) -> str:
    """How many times the measured value a guarantee is, where it says something."""
    pairs = [(r["guaranteed"][guarantee], last(r, name)) for r in records]
    ratios = [bound / value for bound, value in pairs if bound is not None and value > 0]
    if not ratios:
        return f"no network has a guarantee ({guarantee})"
    low, middle, high = np.quantile(ratios, (0, 0.5, 1))
    return (
        f"guaranteed ({guarantee}) {low:.2f} to {high:.2f} (median {middle:.2f}) times what is"
        f" measured, {len(ratios)} of {len(records)} networks"
    )


def _bound(records: Sequence[Record], settings: Settings) -> float:
    return best_upper_bound(settings.dimension, records[0]["classes"]).value


def table(records: Sequence[Record], settings: Settings) -> str:
    """Means over seeds, a line a temperature."""
    names = ("gnc1", "gnc2", "gnc3", "loss.hardmax", "train_accuracy", "test_accuracy")
    lines = [f"{'temperature':>11} " + " ".join(f"{name:>14}" for name in names)]
    for t in settings.temperatures:
        own = [r for r in records if r["temperature"] == t]
        means = (float(np.mean([last(r, name) for r in own])) for name in names)
        lines.append(f"{t:11g} " + " ".join(f"{value:14.4g}" for value in means))
    return "\n".join(lines)


# -- the figure ------------------------------------------------------------------------------------

_PANELS = (
    ("gnc1", "GNC1", "variability within classes", "log"),
    ("gnc2", "GNC2", "least one-vs-rest distance", "linear"),
    ("gnc3", "GNC3", "1 − cosine of weights and features", "log"),
    ("test_accuracy", "test accuracy", "", "linear"),
)
_ENDS = ("nc1.spherical", "gnc2", "gnc3", "test_accuracy")
_WORDS = {
    "nc1.spherical": "spherical variability",
    "gnc2": "least one-vs-rest distance",
    "gnc3": "GNC3",
    "test_accuracy": "test accuracy",
}
#: A guarantee drawn beside a metric at the end.
_GUARANTEED = {"nc1.spherical": "variability, margins", "gnc2": "distance, HardMax"}


def figure(records: Sequence[Record], settings: Settings) -> Figure:
    """Above: over training, one shade a temperature. Below: at the end, against temperature."""
    plt = pyplot()
    found: Figure
    found, panels = plt.subplots(2, len(_PANELS), figsize=(13.2, 6.8))
    shades = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(settings.temperatures)))
    for axes, (name, title, what, scale) in zip(panels[0], _PANELS, strict=True):
        for shade, marker, t in zip(shades, "osD^v<>ph*", settings.temperatures, strict=False):
            own = [r for r in records if r["temperature"] == t]
            values = np.mean([[h[name] for h in r["history"]] for r in own], axis=0)
            steps = np.array(own[0]["epochs"])[1:]
            axes.plot(
                steps, values[1:], color=shade, marker=marker, markersize=3.5, label=f"τ = {t:g}"
            )
        axes.set_xscale("log")
        axes.set_yscale(scale)
        axes.set_title(title + (f": {what}" if what else ""), loc="left", fontsize=9.5)
        axes.set_xlabel("epoch")
    for axes, name in zip(panels[1], _ENDS, strict=True):
        _draw_end(axes, records, settings, name)
    for axes in (panels[0, 1], panels[1, 1]):
        _mark_optimum(axes, records, settings)
    panels[1, 0].set_yscale("log")
    panels[1, 2].set_yscale("log")
    _legend(found, panels)
    return found


def _draw_end(axes: Axes, records: Sequence[Record], settings: Settings, name: str) -> None:
    temperatures = settings.temperatures
    groups = [[r for r in records if r["temperature"] == t] for t in temperatures]
    mean, spread = mean_and_spread([[last(r, name) for r in g] for g in groups])
    axes.errorbar(temperatures, mean, spread, color="#222222", marker="o", markersize=4.5, lw=0.9)
    guarantee = _GUARANTEED.get(name)
    if guarantee is not None:
        told = [[r["guaranteed"][guarantee] for r in g] for g in groups]
        drawn = [np.nan if None in own else float(np.mean(own)) for own in told]
        axes.plot(temperatures, drawn, linewidth=2.0, marker="_", **LINE["sharp"])
    axes.set_xscale("log")
    axes.set_xlabel("temperature τ")
    axes.set_ylabel(_WORDS[name])


def _mark_optimum(axes: Axes, records: Sequence[Record], settings: Settings) -> None:
    """No code does better than the line above; the dotted one is reached by a code of ours."""
    d, K = settings.dimension, records[0]["classes"]
    axes.axhline(_bound(records, settings), linewidth=1.8, **LINE["sharp"])
    axes.axhline(code_distance(d, K), color="#222222", linewidth=1.0, linestyle=(0, (1, 1.5)))
    axes.set_ylim(bottom=0)


def _legend(found: Figure, panels: Any) -> None:
    from matplotlib.lines import Line2D

    handles, _ = panels[0, 0].get_legend_handles_labels()
    handles += [
        Line2D([], [], color="#222222", marker="o", markersize=4.5, lw=0.9, label="at the end"),
        Line2D([], [], linewidth=2, label="proved or guaranteed, where it speaks", **LINE["sharp"]),
        Line2D([], [], color="#222222", lw=1, linestyle=(0, (1, 1.5)), label="best code found"),
    ]
    found.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9)


EXPERIMENT = Experiment(
    "softmax-temperature",
    "gnc Fig. 2",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"softmax_temperature": figure},
    table,
)
