"""Transfer of networks trained on some digits to tasks of the others: error, CDNV and bounds.

The experiment of `review`, figure 10 and (54), on real digits: perceptrons are trained on s source
classes; the features of the last hidden layer, and the pixels, are then used to tell the classes
that were never seen by the nearest means of few samples. Beside the error stand the bound of each
pair for itself, the one by the mean CDNV, and the linear one; beside the CDNV of source classes on
training samples that on samples held out, and what these certify for the classes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bnwd import rank_correlation
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.folders import data_set
from experiments.training.perceptron import tensor, train_perceptron
from experiments.training.runs import Floats, Integers
from ncbounds.errors import InputError
from ncbounds.measure.depth import layer_features
from ncbounds.measure.nearest_mean import few_shot, nearest_means, population_cdnv_bound
from ncbounds.report.plots import LINE, pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is trained and asked; the last `targets` classes are never trained on."""

    data: str = "mnist"
    per_class: int | None = 100
    widths: tuple[int, ...] = (128, 128, 64)
    sources: tuple[int, ...] = (2, 4, 6)
    targets: int = 4
    shots: tuple[int, ...] = (1, 5, 20, 100)
    ways: int = 2
    draws: int = 200
    epochs: int = 40
    delta: float = 0.05


#: At the paper's scale CIFAR-100 stands for Mini-ImageNet, which is in no layout of torchvision's.
SCALES = {
    "small": Settings(),
    "paper": Settings(
        "cifar100", None, (1024, 1024, 512), (5, 10, 20, 50, 80), 20, (1, 5, 20), 5, 100, epochs=100
    ),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """A network for every seed and number of source classes; the pixels, with 0 of them."""
    return [{"s": s, "seed": seed} for seed in seeds for s in (0, *settings.sources)]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train one network, and ask its features of source classes and of new ones.

    `certified` is the largest CDNV of two source classes that samples held out do not exclude, for
    features scaled to length 1; `held_out_unit` what these samples have.
    """
    seed, s = part["seed"], part["s"]
    data = data_set(settings.data, seed, settings.per_class, place.data)
    known = data.K - settings.targets
    if not settings.ways <= settings.targets or not max(settings.sources) <= known:
        raise InputError("sources", repr(settings.sources), f"at most {known} classes")
    unseen = data.test_y >= known
    x, y = data.test_x[unseen], data.test_y[unseen]
    if s == 0:
        return [{**part, **_transfer(seed, (x, y), settings)}]
    own, other = data.train_y < s, data.test_y < s
    net = train_perceptron(
        data.train_x[own], data.train_y[own], settings.widths,
        seed=seed, epochs=settings.epochs, device=place.device,
    )  # fmt: skip

    def features(x: Floats) -> Floats:
        return layer_features(net, tensor(x, place.device))[-2]

    trained = features(data.train_x[own]), data.train_y[own]
    held_out = features(data.test_x[other]), data.test_y[other]
    of_source = _of_source(s, trained, held_out, settings.delta)
    return [{**part, **of_source, **_transfer(seed, (features(x), y), settings)}]


def _transfer(seed: int, target: tuple[Floats, Integers], settings: Settings) -> Record:
    """CDNV of the target classes, and errors of their tasks with bounds."""
    tasks = tuple(
        few_shot(*target, settings.ways, shots, settings.draws, seed) for shots in settings.shots
    )
    own = nearest_means(*target)
    lines = own.bound_lines * (settings.ways - 1) / (settings.targets - 1)
    found = [task.to_dict() for task in tasks]
    return {"target": own.cdnv, "lines": lines, "tasks": found}


def _of_source(
    s: int,
    trained: tuple[Floats, Integers],
    held_out: tuple[Floats, Integers],
    delta: float,
) -> Record:
    """CDNV of the source classes: on training samples, on those held out, and certified."""
    unit = held_out[0] / np.maximum(np.linalg.norm(held_out[0], axis=1, keepdims=True), 1e-30)
    classes = [unit[held_out[1] == c] for c in range(s)]
    size, pairs = min(map(len, classes)), s * (s - 1) // 2
    certified = max(
        population_cdnv_bound(x[:size], y[:size], 1.0, delta / pairs)
        for x, y in combinations(classes, 2)
    )
    return {
        "source": nearest_means(*trained).cdnv,
        "held_out": nearest_means(*held_out).cdnv,
        "held_out_unit": nearest_means(unit, held_out[1]).cdnv,
        "certified": certified,
    }


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """What section 4.3 of the review reads off figure 10."""
    seeds = sorted({r["seed"] for r in records})
    least, most = min(settings.sources), max(settings.sources)

    def per_seed(effect: Any) -> tuple[float, ...]:
        return tuple(effect({r["s"]: r for r in records if r["seed"] == seed}) for seed in seeds)

    def fall(by: dict[int, Record]) -> float:
        return -rank_correlation([by[s]["target"] for s in settings.sources])

    def learnt(by: dict[int, Record]) -> float:
        few, many = (np.mean([task["error"] for task in by[s]["tasks"]]) for s in (least, most))
        return float(few - many)

    def gap(by: dict[int, Record]) -> float:
        return float(
            np.mean([np.log10(by[s]["held_out"] / by[s]["source"]) for s in settings.sources])
        )

    trained = [r for r in records if r["s"]]
    tasks = [task for r in trained for task in r["tasks"]]
    tight = [task["pairs"] / task["error"] for task in tasks if task["pairs"] < settings.ways - 1]
    vacuous = sum(task["linear"] >= 1 for task in tasks)
    known = [r["certified"] / r["held_out_unit"] for r in trained if np.isfinite(r["certified"])]
    return [
        Finding(
            "review Fig. 10",
            "the CDNV of classes never seen falls with the number of source classes",
            per_seed(fall),
            "rank correlation of source classes with smallness",
        ),
        Finding(
            "review Fig. 10",
            "so does the error of transfer to them",
            per_seed(learnt),
            f"error after {least} source classes, less after {most}, mean over shots",
            f"pair by pair the bound is {np.median(tight):.1f} times (median) the error;"
            f" the linear bound is vacuous in {vacuous} of {len(tasks)} tasks"
            if tight
            else "",
        ),
        Finding(
            "review Fig. 10",
            "the CDNV of source classes is larger on samples held out than on those trained on",
            per_seed(gap),
            "decades between them",
            f"held-out samples certify {min(known):.0f} to {max(known):.0f} times what they have"
            if known
            else "",
        ),
    ]


def _mean(runs: Sequence[Record], name: str) -> float:
    return float(np.mean([run[name] for run in runs]))


def _over_shots(runs: Sequence[Record], name: str) -> Any:
    return np.mean([[task[name] for task in run["tasks"]] for run in runs], axis=0)


def _named(runs: Sequence[Record]) -> dict[int, list[Record]]:
    return {s: [run for run in runs if run["s"] == s] for s in sorted({run["s"] for run in runs})}


def plot(runs: Sequence[Record], settings: Settings) -> Figure:
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
    shots = settings.shots
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


def text(runs: Sequence[Record], settings: Settings) -> str:
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


EXPERIMENT = Experiment(
    "transfer-error",
    "review Fig. 10",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"transfer_error": plot},
    text,
)
