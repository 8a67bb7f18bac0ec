"""Transfer of networks trained on some digits to tasks of the others: error, CDNV and bounds.

The experiment of `review`, figure 10 and (54), on real digits: perceptrons are trained on s source
classes; the features of the last hidden layer, and the pixels, are then used to tell the classes
that were never seen by the nearest means of few samples. Beside the error stand the bound of each
pair for itself, the one by the mean CDNV, and the linear one; beside the CDNV of source classes on
training samples that on samples held out, and what these certify for the classes themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.data import DATA_SETS
from experiments.training.networks import check
from experiments.training.perceptron import tensor, train_perceptron
from experiments.training.runs import Floats, Integers
from ncbounds.errors import InputError
from ncbounds.measure.depth import layer_features
from ncbounds.measure.nearest_mean import FewShot, few_shot, nearest_means, population_cdnv_bound
from ncbounds.report.plots import LINE, pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Settings:
    """What is trained and asked; the last `targets` classes are never trained on."""

    data: str = "mnist"
    per_class: int = 100
    widths: tuple[int, ...] = (128, 128, 64)
    sources: tuple[int, ...] = (2, 4, 6)
    targets: int = 4
    shots: tuple[int, ...] = (1, 5, 20, 100)
    ways: int = 2
    draws: int = 200
    seeds: int = 3
    epochs: int = 40
    delta: float = 0.05


SETTINGS = Settings()


@dataclass(frozen=True)
class Transfer:
    """Features of one network (or pixels, with 0 source classes) on source and target classes.

    `certified` is the largest CDNV of two source classes that samples held out do not exclude,
    for features scaled to length 1; `held_out_unit` what these samples have.
    """

    seed: int
    s: int
    source: float | None
    held_out: float | None
    held_out_unit: float | None
    certified: float | None
    target: float
    lines: float
    tasks: tuple[FewShot, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**self.__dict__, "tasks": [task.to_dict() for task in self.tasks]}


def train(
    seed: int = 0,
    settings: Settings = SETTINGS,
    device: str = "cpu",
    progress: Progress | None = None,
) -> list[Transfer]:
    """Pixels, and one network for every seed and number of source classes."""
    check(seed, [0.0], settings.epochs, device)
    found: list[Transfer] = []
    total = settings.seeds * (1 + len(settings.sources))
    for number in range(seed, seed + settings.seeds):
        data = DATA_SETS[settings.data](number, settings.per_class)
        known = data.K - settings.targets
        if not settings.ways <= settings.targets or not max(settings.sources) <= known:
            raise InputError("sources", repr(settings.sources), f"at most {known} classes")
        unseen = data.test_y >= known
        pixels = data.test_x[unseen], data.test_y[unseen]
        found.append(_transfer(number, 0, pixels, settings))
        for s in settings.sources:
            own, other = data.train_y < s, data.test_y < s
            net = train_perceptron(
                data.train_x[own], data.train_y[own], settings.widths,
                seed=number, epochs=settings.epochs, device=device,
            )  # fmt: skip

            def features(x: Floats, net: Any = net) -> Floats:
                return layer_features(net, tensor(x, device))[-2]

            found.append(
                _transfer(
                    number,
                    s,
                    (features(pixels[0]), pixels[1]),
                    settings,
                    (features(data.train_x[own]), data.train_y[own]),
                    (features(data.test_x[other]), data.test_y[other]),
                )
            )
            if progress is not None:
                progress(len(found), total)
    return found


def _transfer(
    seed: int,
    s: int,
    target: tuple[Floats, Integers],
    settings: Settings,
    trained: tuple[Floats, Integers] | None = None,
    held_out: tuple[Floats, Integers] | None = None,
) -> Transfer:
    tasks = tuple(
        few_shot(*target, settings.ways, shots, settings.draws, seed) for shots in settings.shots
    )
    own = nearest_means(*target)
    lines = own.bound_lines * (settings.ways - 1) / (settings.targets - 1)
    if trained is None or held_out is None:
        return Transfer(seed, s, None, None, None, None, own.cdnv, lines, tasks)
    unit = held_out[0] / np.maximum(np.linalg.norm(held_out[0], axis=1, keepdims=True), 1e-30)
    classes = [unit[held_out[1] == c] for c in range(s)]
    size, pairs = min(map(len, classes)), s * (s - 1) // 2
    certified = max(
        population_cdnv_bound(x[:size], y[:size], 1.0, settings.delta / pairs)
        for x, y in combinations(classes, 2)
    )
    return Transfer(
        seed,
        s,
        nearest_means(*trained).cdnv,
        nearest_means(*held_out).cdnv,
        nearest_means(unit, held_out[1]).cdnv,
        certified,
        own.cdnv,
        lines,
        tasks,
    )


def _mean(runs: Sequence[Transfer], name: str) -> float:
    return float(np.mean([getattr(run, name) for run in runs]))


def _over_shots(runs: Sequence[Transfer], name: str) -> Any:
    return np.mean([[getattr(task, name) for task in run.tasks] for run in runs], axis=0)


def _named(runs: Sequence[Transfer]) -> dict[int, list[Transfer]]:
    return {s: [run for run in runs if run.s == s] for s in sorted({run.s for run in runs})}


def plot(runs: Sequence[Transfer]) -> Figure:
    """CDNV by the number of source classes, and errors with bounds by the number of samples."""
    plt = pyplot()
    named = _named(runs)
    trained = {s: group for s, group in named.items() if s}
    figure: Figure
    figure, axes = plt.subplots(1, 1 + len(named), figsize=(2.7 * (1 + len(named)), 3.6))
    left, places = axes[0], list(trained)
    styles: tuple[tuple[str, dict[str, Any]], ...] = (
        ("source", {"color": "black", "marker": "o"}),
        ("held_out", {"color": "black", "marker": "o", "mfc": "white", "linestyle": "--"}),
        ("target", {"color": "#CC79A7", "marker": "s"}),
    )
    for name, style in styles:
        values = [_mean(group, name) for group in trained.values()]
        label = {"source": "source, trained on", "held_out": "source, held out"}.get(name, name)
        left.semilogy(places, values, base=2, label=label, **style)
    left.set_xticks(places)
    left.set_xlabel("source classes")
    left.set_title("mean CDNV")
    left.legend(fontsize=8, loc="center")
    shots = [task.shots for task in runs[0].tasks]
    drawn: tuple[tuple[str, dict[str, Any]], ...] = (
        ("linear", LINE["printed"]),
        ("pairs", LINE["sharp"]),
        ("error", {"color": "black", "marker": "o", "markersize": 4}),
    )
    for axis, (s, group) in zip(axes[1:], named.items(), strict=True):
        for name, style in drawn:
            label = {"linear": "linear in CDNV", "pairs": "pair by pair"}.get(name, "measured")
            axis.loglog(shots, _over_shots(group, name), label=label, **style)
        every, green = _mean(group, "lines"), LINE["corrected"]
        axis.axhline(every, label="along the lines, exact means", linewidth=1.4, **green)
        axis.axhline(1, color="#9a9a9a", linewidth=1)
        axis.set_ylim(2e-2, 300)
        axis.set_xticks(shots, [str(shot) for shot in shots], minor=False)
        axis.minorticks_off()
        axis.set_xlabel("samples of each class")
        axis.set_title("pixels" if s == 0 else f"{s} source classes")
    for axis in axes[2:]:
        axis.tick_params(labelleft=False)
    axes[1].set_ylabel("transfer error")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower right", ncols=4)
    return figure


def text(runs: Sequence[Transfer], settings: Settings = SETTINGS) -> str:
    """Tables of CDNV and of errors with their bounds, means over the seeds."""
    named = _named(runs)
    lines = [
        "mean CDNV of pairs; on unit features the largest that held-out samples allow with "
        f"probability {1 - settings.delta:g}",
        "features             source    held out    held out, unit    certified    target",
    ]
    for s, group in named.items():
        name = "pixels" if s == 0 else f"{s} source classes"
        shown = [
            "" if s == 0 else f"{_mean(group, column):.3f}"
            for column in ("source", "held_out", "held_out_unit", "certified")
        ]
        target = _mean(group, "target")
        lines.append(
            f"{name:18}{shown[0]:>9}{shown[1]:>12}{shown[2]:>18}{shown[3]:>13}{target:>10.3f}"
        )
    lines += [
        "",
        f"transfer error to tasks of {settings.ways} of {settings.targets} classes never seen",
        "features            n     measured   pair by pair   mean CDNV   linear",
    ]
    for s, group in named.items():
        name = "pixels" if s == 0 else f"{s} source classes"
        columns = [_over_shots(group, column) for column in ("error", "pairs", "mean", "linear")]
        for shots, e, p, m, linear in zip(settings.shots, *columns, strict=True):
            lines.append(f"{name:18}{shots:4d}{e:12.4f}{p:14.3f}{m:12.3f}{linear:9.3f}")
        every = _mean(group, "lines")
        lines.append(f"{name:18}   exact means, along the lines{every:10.3f}")
    return "\n".join(lines)


def main(
    out: Path,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
    settings: Settings = SETTINGS,
) -> Path:
    """Write `transfer_error.json`, the tables as text and the plot; return the plot's path."""
    runs = train(seed, settings, device, progress)
    out.mkdir(parents=True, exist_ok=True)
    (out / "transfer_error.json").write_text(json.dumps([run.to_dict() for run in runs], indent=1))
    table = text(runs, settings)
    (out / "transfer_error.txt").write_text(table + "\n")
    print(table)
    path = out / "transfer_error.png"
    plot(runs).savefig(path, dpi=160)
    return path
