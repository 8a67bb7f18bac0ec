"""rho, margins and test accuracy from several starts, with and without weight decay.

Figures 3, 5, 8 and 10 of `square`: a convolutional network `rho f_V` of unit norms learns two
classes with the square loss, from several initial rho. Along training: rho and where it would
rest, `mu / (M + lambda)` (`square:eq-7`), and the spread of the margins beside what the loss
guarantees of it (`square:sharp-1`); at the end: margins, and test accuracy against 1/rho.

The paper's scales multiply a start that it does not print; here they are the initial rho. At small
scale the starts are wider apart and lambda is 3e-3: with the paper's 1e-3 a start is forgotten
only after some 1/(2 lambda) = 500 units of time, as many as there are. At paper scale strides are
chosen so that the network has the 3 519 328 weights that the paper counts (and 7 numbers more).

At small scale 5 seeds leave figure 5 undecided on both sides, and that margins become equal under
weight decay (figure 8): their spread ends near a half of the mean, as the loss says it must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bnwd import rank_correlation
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.pairs import SUBSET, Task, load_task
from experiments.training.unit_norm import (
    Descent,
    Member,
    Shape,
    Snapshot,
    descend,
    evaluate,
    margins,
)
from ncbounds.report.plots import LINE, VACUOUS, pyplot
from ncbounds.report.square_loss import square_loss_certificate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The networks of six layers: at our size, and the paper's.
SMALL_SHAPE = Shape((4, 8), (16,), (2, 2), padding=1)
PAPER_SHAPE = Shape((32, 64, 128, 128), (1024,), (1, 2, 1, 2), outputs=2)


@dataclass(frozen=True)
class Settings:
    """What is trained; `records` times on the way are kept, and at the last all margins."""

    data: str = SUBSET
    classes: tuple[int, ...] = (3, 8)
    n: int = 200
    shape: Shape = SMALL_SHAPE
    rhos: tuple[float, ...] = (1.0, 3.0, 10.0, 20.0)
    decays: tuple[float, ...] = (0.0, 3e-3)
    descent: Descent = field(default_factory=lambda: Descent(3000, 20, 0.02))
    records: int = 16


SCALES = {
    "small": Settings(),
    "paper": Settings(
        data="cifar10", classes=(0, 1), n=10_000, shape=PAPER_SHAPE, rhos=(0.9, 1.0, 1.2, 1.3),
        decays=(0.0, 1e-3), descent=Descent(78_000, 128, 0.03),
    ),
}  # fmt: skip


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """One ensemble a weight decay and seed."""
    return [{"decay": decay, "seed": seed} for seed in seeds for decay in settings.decays]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train from all starts and tell the path of each."""
    seed = part["seed"]
    task = load_task(settings.data, settings.classes, settings.n, seed, folder=place.data)
    members = [Member(seed, part["decay"], rho) for rho in settings.rhos]
    steps = settings.descent.steps
    at = np.unique(np.geomspace(max(1, steps // 100), steps, settings.records).round().astype(int))
    snapshots = descend(
        settings.shape, [task], members, settings.descent, device=place.device, at=at.tolist()
    )
    paths = [observed(settings.shape, snapshot, members, task) for snapshot in snapshots]
    return [
        {
            **part,
            "start": member.rho,
            "step": [one.step for one in snapshots],
            **{name: [path[k][name] for path in paths] for name in paths[0][k]},
            "margins": np.sort(end).round(6).tolist(),
        }
        for k, (member, end) in enumerate(
            zip(members, _margins(settings.shape, snapshots[-1], members, task), strict=True)
        )
    ]


def _margins(shape: Shape, snapshot: Snapshot, members: Sequence[Member], task: Task) -> list[Any]:
    """The margins of `f_V`, without rho, of each member."""
    found = evaluate(shape, snapshot, members, [task], test=False)
    return [
        margins(outputs, task.train_y) / float(rho)
        for (_, outputs), rho in zip(found, snapshot.rho, strict=True)
    ]


def observed(
    shape: Shape, snapshot: Snapshot, members: Sequence[Member], task: Task
) -> list[dict[str, float]]:
    """What is recorded of each network; `guaranteed` bounds `spread`, from the loss with decay."""
    found = []
    tests = evaluate(shape, snapshot, members, [task], test=True)
    every = _margins(shape, snapshot, members, task)
    for member, m, (_, tested), value in zip(members, every, tests, snapshot.rho, strict=True):
        rho, mu, M = float(value), float(m.mean()), float((m * m).mean())
        signs = 2 * task.train_y - 1
        certificate = square_loss_certificate(
            outputs=rho * m * signs, labels=signs, targets="signs",
            weight_decay=member.decay or None, rho=rho if member.decay else None,
        )  # fmt: skip
        bounds = [b for b in certificate.rows if b.quantity == "outputs.spread"]
        found.append(
            {
                "rho": rho,
                "rest": mu / (M + member.decay),
                "mu": mu,
                "loss": float(((1 - rho * m) ** 2).mean()),
                "train_error": float((m <= 0).mean()),
                "test_error": float((margins(tested, task.test_y) <= 0).mean()),
                "spread": certificate.measured["outputs.spread"],
                "guaranteed": min((float(b.bound) for b in bounds), default=float("inf")),
            }
        )
    return found


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """The claims about starts and margins of sections 3.5 to 6.2, each over all starts."""
    seeds = sorted({r["seed"] for r in records})

    def of(seed: int, decayed: bool) -> list[Record]:
        found = [r for r in records if r["seed"] == seed and (r["decay"] > 0) == decayed]
        return sorted(found, key=lambda r: float(r["start"]))

    def last(seed: int, decayed: bool, name: str) -> Any:
        return np.array([r[name][-1] for r in of(seed, decayed)])

    def span(seed: int, decayed: bool) -> float:
        rho = last(seed, decayed, "rho")
        return float(np.log(rho.max() / rho.min()))

    def correlation(seed: int, decayed: bool) -> float:
        """Of 1/rho and accuracy: of rho and error, that is."""
        rho, error = last(seed, decayed, "rho"), last(seed, decayed, "test_error")
        return rank_correlation(error[np.argsort(rho)].tolist())

    def per_seed(effect: Any) -> tuple[float, ...]:
        return tuple(float(effect(seed)) for seed in seeds)

    ratios = [
        bound / value
        for r in records
        for bound, value in [(r["guaranteed"][-1], r["spread"][-1])]
        if bound < 1
    ]
    tight = (
        f"the loss guarantees {min(ratios):.3f} to {max(ratios):.3f} times the measured spread at"
        f" the end, {len(ratios)} of {len(records)} networks"
        if ratios
        else ""
    )
    return [
        Finding(
            "square Sec. 3.5, Fig. 3",
            "weight decay makes the final rho depend less on the initial one",
            per_seed(lambda s: span(s, False) - span(s, True)),
            "log of largest over least final rho, without less with decay",
        ),
        Finding(
            "square Sec. 3.5, Fig. 3",
            "without weight decay the smallest start ends with a smaller rho than the largest",
            per_seed(lambda s: np.log(last(s, False, "rho")[-1] / last(s, False, "rho")[0])),
            "log of the ratio",
        ),
        Finding(
            "square Fig. 5, left",
            "with weight decay test accuracy falls as 1/rho grows, from start to start",
            per_seed(lambda s: -correlation(s, True)),
            "Kendall rank correlation of 1/rho and accuracy, times -1,",
        ),
        Finding(
            "square Fig. 5, right",
            "without weight decay they are less related",
            per_seed(lambda s: abs(correlation(s, True)) - abs(correlation(s, False))),
            "size of the rank correlation, with less without decay,",
        ),
        Finding(
            "square Sec. 5.1, Fig. 8",
            "with weight decay the histogram of margins narrows as training progresses",
            per_seed(lambda s: np.mean([_narrowing(r) for r in of(s, True)])),
            "log of the relative spread of margins at a tenth of training over that at the end",
            tight,
        ),
        Finding(
            "square Sec. 6.2, Fig. 10",
            "margins spread more with weight decay than without",
            per_seed(lambda s: np.mean(last(s, True, "spread") - last(s, False, "spread"))),
            "relative spread, with less without decay, mean over starts",
        ),
        Finding(
            "square Sec. 6.2, Fig. 10",
            "margins are larger with weight decay than without",
            per_seed(lambda s: np.mean(np.log(last(s, True, "mu") / last(s, False, "mu")))),
            "log of the ratio of mean margins, mean over starts",
        ),
    ]


def _narrowing(record: Record) -> float:
    first = int(np.searchsorted(record["step"], record["step"][-1] / 10))
    return float(np.log(record["spread"][first] / record["spread"][-1]))


def table(records: Sequence[Record], settings: Settings) -> str:
    """Means over seeds at the end, a line for each weight decay and start."""
    names = ("rho", "rest", "mu", "spread", "guaranteed", "loss", "train_error", "test_error")
    lines = [
        "means over seeds at the end; rest: mu/(M + lambda); guaranteed: of the spread of margins",
        f"{'decay':>7} {'start':>6}" + "".join(f"{name:>12}" for name in names),
    ]
    for decay in settings.decays:
        for start in settings.rhos:
            chosen = [r for r in records if (r["decay"], r["start"]) == (decay, start)]
            means = [np.mean([r[name][-1] for r in chosen]) for name in names]
            lines.append(f"{decay:7g} {start:6g}" + "".join(f"{v:12.4g}" for v in means))
    return "\n".join(lines)


# -- figures ---------------------------------------------------------------------------------------

COLOURS = ("#c7a0d8", "#8f6bb0", "#5b3b86", "#222222")
_MARKS = ("o", "s", "^", "D")


def _columns(records: Sequence[Record], settings: Settings) -> list[tuple[str, list[Record]]]:
    """Records of one weight decay, and its title."""
    return [
        (
            f"λ = {decay:g}" if decay else "without weight decay",
            [r for r in records if r["decay"] == decay],
        )
        for decay in settings.decays
    ]


def draw_paths(records: Sequence[Record], settings: Settings) -> Figure:
    """Like figure 3 and the right of figure 8: geometric means over seeds along training."""
    plt = pyplot()
    found: Figure
    columns = _columns(records, settings)
    found, panels = plt.subplots(
        3, len(columns), figsize=(4.4 * len(columns), 7.6), sharex=True, sharey="row",
        squeeze=False,
    )  # fmt: skip
    for (title, chosen), (top, middle, bottom) in zip(columns, panels.T, strict=True):
        top.set_title(title, fontsize=10)
        for start, colour, mark in zip(settings.rhos, COLOURS, _MARKS, strict=False):
            own = [r for r in chosen if r["start"] == start]
            t = np.array(own[0]["step"])
            marks = {"color": colour, "marker": mark, "markersize": 3.5, "linewidth": 1.0}
            top.plot(t, _middle(own, "rho"), label=f"ρ(0) = {start:g}", **marks)
            top.plot(t, _middle(own, "rest"), **{**LINE["sharp"], "linewidth": 0.8})
            middle.plot(t, _middle(own, "spread"), **marks)
            _guaranteed(middle, t, _middle(own, "guaranteed"))
            bottom.plot(t, np.mean([r["test_error"] for r in own], 0), **marks)
        for axes in (top, middle):
            axes.set_yscale("log")
        bottom.set_xscale("log")
        bottom.set_xlabel("step")
    panels[0, 0].set_ylabel("ρ")
    panels[1, 0].set_ylabel("spread of margins σ/μ")
    panels[2, 0].set_ylabel("test error")
    panels[2, 0].set_ylim(0, 0.5)
    from matplotlib.lines import Line2D

    handles = [
        *panels[0, 0].get_legend_handles_labels()[0],
        Line2D([], [], linewidth=1.6, **LINE["sharp"],
               label="theory: μ/(M + λ); σ/μ guaranteed by the loss"),
        Line2D([], [], label="vacuous", **VACUOUS),
    ]  # fmt: skip
    found.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=9)
    return found


def _middle(own: Sequence[Record], name: str) -> Any:
    """Median over seeds."""
    return np.median([r[name] for r in own], 0)


def _guaranteed(axes: Axes, t: Any, bound: Any) -> None:
    axes.plot(t, np.minimum(bound, 30), **VACUOUS)
    axes.plot(t, np.where(bound < 1, bound, np.nan), **{**LINE["sharp"], "linewidth": 0.8})


def draw_accuracy(records: Sequence[Record], settings: Settings) -> Figure:
    """Like figure 5: test accuracy against 1/rho, every seed, and means with deviations."""
    plt = pyplot()
    found: Figure
    columns = _columns(records, settings)
    size = (4.4 * len(columns), 3.8)
    found, panels = plt.subplots(1, len(columns), figsize=size, sharey=True, squeeze=False)
    for axes, (title, chosen) in zip(panels[0], columns, strict=True):
        axes.set_title(title, fontsize=10)
        for start, colour, mark in zip(settings.rhos, COLOURS, _MARKS, strict=False):
            own = [r for r in chosen if r["start"] == start]
            x = np.array([1 / r["rho"][-1] for r in own])
            y = np.array([1 - r["test_error"][-1] for r in own])
            axes.plot(x, y, mark, color=colour, markersize=3, alpha=0.6)
            axes.errorbar(
                x.mean(), y.mean(), y.std(), x.std(), color=colour, marker=mark, markersize=8,
                capsize=2, linestyle="none", label=f"ρ(0) = {start:g}",
            )  # fmt: skip
        axes.set_xlabel("1/ρ at the end")
    panels[0, 0].set_ylabel("test accuracy")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    found.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
    return found


def draw_margins(records: Sequence[Record], settings: Settings) -> Figure:
    """Like figure 10: the margins of `f_V` at the end, all seeds, and 1/rho of equal margins."""
    plt = pyplot()
    found: Figure
    columns = _columns(records, settings)
    size = (4.4 * len(columns), 3.8)
    found, panels = plt.subplots(
        1, len(columns), figsize=size, sharex=True, sharey=True, squeeze=False
    )
    largest = float(np.quantile(np.concatenate([r["margins"] for r in records]), 0.998))
    bins = np.linspace(min(0.0, -0.1 * largest), largest, 70)
    for axes, (title, chosen) in zip(panels[0], columns, strict=True):
        axes.set_title(title, fontsize=10)
        for start, colour in zip(settings.rhos, COLOURS, strict=False):
            own = np.concatenate([r["margins"] for r in chosen if r["start"] == start])
            heights, edges = np.histogram(own, bins)
            axes.stairs(
                heights / len(own), edges, color=colour, linewidth=1.4, label=f"ρ(0) = {start:g}"
            )
        axes.set_xlabel("margin $y_n f_V(x_n)$ at the end")
    panels[0, 0].set_ylabel("share of samples")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    found.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
    return found


EXPERIMENT = Experiment(
    "square-initialisation",
    "square Fig. 3, 5, 8, 10",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {
        "square_initialisation": draw_paths,
        "square_initialisation_accuracy": draw_accuracy,
        "square_initialisation_margins": draw_margins,
    },
    table,
)
