"""Collapse on training samples and error on new ones by optimiser: SGD, Adam and L-BFGS.

Figure 7 of `review`: the same network, trained by three optimisers, collapses on its training
samples each time and errs on new ones differently. Beside the cosines within classes stands what
the mean loss and the norms guarantee (`bnwd:theorem-2.1` sharp): it knows of training samples only.

Rates, memory, decay and schedule are those of the figure, at both scales; every optimiser gets as
many passes over the data, where L-BFGS counts its evaluations. Small scale: perceptrons of 4 layers
on 500 digits of MNIST and of scikit-learn. Paper scale: ResNet18 on MNIST and CIFAR-10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bnwd import measured, says_something
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.folders import data_set
from experiments.training.modules import (
    Recipe,
    features_of,
    perceptron,
    residual_network,
    train_module,
    weights_of,
)
from ncbounds.measure import measure
from ncbounds.measure.nearest_mean import held_out_collapse
from ncbounds.report.plots import LINE, VACUOUS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATES = {"sgd": 0.05, "adam": 0.001, "l-bfgs": 0.1}
NAMES = {"sgd": "SGD", "adam": "Adam", "l-bfgs": "L-BFGS"}


@dataclass(frozen=True)
class Settings:
    """What is trained; `network` is "perceptron" or "resnet18"."""

    data: tuple[str, ...] = ("mnist", "digits")
    network: str = "perceptron"
    per_class: int | None = 50
    width: int = 128
    epochs: int = 100
    batch: int = 100
    points: int = 10


SCALES = {
    "small": Settings(),
    "paper": Settings(("mnist", "cifar10"), "resnet18", None, 64, 200, 128),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """A network each."""
    return [
        {"data": data, "optimiser": optimiser, "seed": seed}
        for data in settings.data
        for optimiser in RATES
        for seed in seeds
    ]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train one network; NC1 and errors on the way, everything at the end."""
    seed, width = part["seed"], settings.width
    data = data_set(part["data"], seed, settings.per_class, place.data)
    net = (
        perceptron(data, width, 4, seed)
        if settings.network == "perceptron"
        else residual_network(data, (width, 2 * width, 4 * width, 8 * width), 2, seed)
    )
    recipe = Recipe(part["optimiser"], RATES[part["optimiser"]], 5e-4, settings.epochs,
                    settings.batch)  # fmt: skip
    points = np.geomspace(1, settings.epochs, settings.points).round().astype(int)
    way: list[dict[str, float]] = []

    def record(epoch: int, net: Any) -> None:
        features, logits = features_of(net, data.train_x)
        error = float(np.mean(logits.argmax(1) != data.train_y))
        guess = features_of(net, data.test_x)[1].argmax(1)
        nc1 = measure(features, data.train_y).metrics["nc1.pinv"]
        test = float(np.mean(guess != data.test_y))
        way.append({"epoch": epoch, "nc1": nc1, "train_error": error, "test_error": test})

    at = sorted({0, *points.tolist()})
    train_module(
        net, data.train_x, data.train_y, recipe, seed=seed, device=place.device, record=record,
        at=at,
    )  # fmt: skip
    features, weights = features_of(net, data.train_x)[0], weights_of(net)
    found = measure(features, data.train_y, weights).metrics
    test = held_out_collapse(features, data.train_y, features_of(net, data.test_x)[0], data.test_y)
    names = ("nc1.pinv", "nc1.trace", "nc2.etf", "nc3.etf")
    return [
        {
            **part,
            "way": way,
            "start": way[0]["nc1"],
            "train_error": way[-1]["train_error"],
            "test_error": way[-1]["test_error"],
            **{name: found.get(name) for name in names},
            "test_strong": test.strong,
            "test_weak": test.weak,
            **measured(features, data.train_y, weights),
        }
    ]


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """What section 4 of the review reads off figure 7, each over all data sets."""
    seeds = sorted({r["seed"] for r in records})

    def per_seed(effect: Any) -> tuple[float, ...]:
        """The mean over data sets of an effect of the three networks, by optimiser."""
        return tuple(
            float(
                np.mean(
                    [
                        effect({o: of(records, data, o, seed)[0] for o in RATES})
                        for data in settings.data
                    ]
                )
            )
            for seed in seeds
        )

    def least_drop(by: dict[str, Record]) -> float:
        drops = [np.log10(r["start"] / r["nc1.pinv"]) for r in by.values()]
        return -np.inf if any(r["train_error"] for r in by.values()) else min(drops) - 1

    def worse(by: dict[str, Record]) -> float:
        return float(
            by["l-bfgs"]["test_error"] - (by["sgd"]["test_error"] + by["adam"]["test_error"]) / 2
        )

    def most_collapsed_is_not_best(by: dict[str, Record]) -> float:
        most, least = (f(by.values(), key=lambda r: r["nc1.pinv"]) for f in (min, max))
        return float(most["test_error"] - least["test_error"])

    return [
        Finding(
            "review Fig. 7",
            "with every optimiser the training features collapse: NC1 falls tenfold at least",
            per_seed(least_drop),
            "decades of NC1 lost by the optimiser that loses fewest, less one",
            _told(records),
        ),
        Finding(
            "review Fig. 7",
            "optimisers differ in test error though all collapse: L-BFGS errs more than SGD, Adam",
            per_seed(worse),
            "test error of L-BFGS, less the mean of the others",
        ),
        Finding(
            "review Sec. 4",
            "deeper train-collapse does not mean better generalisation across optimisers",
            per_seed(most_collapsed_is_not_best),
            "test error with the least NC1, less that with the largest",
        ),
    ]


def _told(records: Sequence[Record]) -> str:
    name, words = "intra mean, mean loss", []
    for optimiser in RATES:
        chosen = [r for r in records if r["optimiser"] == optimiser]
        ratios = [
            r["guaranteed"][name] / (1 - r["cosine.intra.mean"])
            for r in chosen
            if says_something(name, r)
        ]
        said = f"{np.median(ratios):.2f} times" if ratios else "nothing of"
        words.append(f"{NAMES[optimiser]} {said} ({len(ratios)} of {len(chosen)})")
    return "the mean loss guarantees, of what cosines within classes lack: " + ", ".join(words)


def of(
    records: Sequence[Record], data: str, optimiser: str, seed: int | None = None
) -> list[Record]:
    """The records of a data set and optimiser, of one seed or of all."""
    return [
        r
        for r in records
        if (r["data"], r["optimiser"]) == (data, optimiser) and seed in (None, r["seed"])
    ]


def table(records: Sequence[Record], settings: Settings) -> str:
    """Means over seeds, a line for each data set and optimiser."""
    lines = [
        "means over seeds; strong, weak: test-collapse beside the same on training samples",
        f"{'data':10} {'optimiser':>9} {'train':>7} {'test':>7} {'NC1':>9} {'NC2':>7} {'NC3':>7}"
        f" {'1 - cosine':>10} {'guaranteed':>10} {'trace':>8} {'weak':>7} {'strong':>7}",
    ]
    for data in settings.data:
        for optimiser in RATES:
            chosen = of(records, data, optimiser)
            names = (
                "train_error", "test_error", "nc1.pinv", "nc2.etf", "nc3.etf", "cosine.intra.mean",
                "nc1.trace", "test_weak", "test_strong",
            )  # fmt: skip
            mean = {name: float(np.mean([r[name] for r in chosen])) for name in names}
            bounds = [r["guaranteed"]["intra mean, mean loss"] for r in chosen]
            bound = f"{'-':>10}" if None in bounds else f"{np.mean(bounds):10.3f}"
            lines.append(
                f"{data:10} {NAMES[optimiser]:>9} {mean['train_error']:7.3f}"
                f" {mean['test_error']:7.3f} {mean['nc1.pinv']:9.3g} {mean['nc2.etf']:7.3f}"
                f" {mean['nc3.etf']:7.3f} {1 - mean['cosine.intra.mean']:10.3f} {bound}"
                f" {mean['nc1.trace']:8.3f} {mean['test_weak']:7.3f} {mean['test_strong']:7.3f}"
            )
    return "\n".join(lines)


# -- the figure ------------------------------------------------------------------------------------

_STYLE: dict[str, dict[str, Any]] = {
    "sgd": {"color": "#222222", "marker": "o", "linestyle": "solid"},
    "adam": {"color": "#CC79A7", "marker": "s", "linestyle": (0, (5, 2))},
    "l-bfgs": {"color": "#E69F00", "marker": "^", "linestyle": (0, (6, 2, 1, 2))},
}


def figure(records: Sequence[Record], settings: Settings) -> Figure:
    """NC1 and errors over training, and the cosines at the end with their guarantee."""
    plt = pyplot()
    found: Figure
    size = (12.6, 3.3 * len(settings.data) + 0.5)
    found, panels = plt.subplots(len(settings.data), 4, figsize=size, squeeze=False)
    words = ("NC1 on training samples", "training error", "test error")
    for data, row in zip(settings.data, panels, strict=True):
        for optimiser, style in _STYLE.items():
            chosen = of(records, data, optimiser)
            for axes, name in zip(row, ("nc1", "train_error", "test_error"), strict=False):
                _draw(axes, chosen, name, style)
        _draw_guarantee(row[3], records, data)
        for axes, label in zip(row, words, strict=False):
            axes.set_ylabel(label)
            axes.set_xscale("symlog", linthresh=1)
            axes.set_xticks([0, 1, 10, 100][: 2 + len(str(settings.epochs))], minor=False)
            axes.set_xticklabels(["0", "1", "10", "100"])
            axes.set_xlabel("passes over the data")
        row[0].set_yscale("log")
        row[0].set_title(f"{settings.network}, {data}", loc="left", fontsize=10)
        row[1].set_ylim(-0.03, 1)
        low = min(r["test_error"] for r in records if r["data"] == data)
        row[2].set_ylim(low / 1.5, 1)
        row[2].set_yscale("log")
    _legend(found)
    return found


def _draw(axes: Axes, chosen: Sequence[Record], name: str, style: dict[str, Any]) -> None:
    """Mean over seeds, and its standard deviation as a band."""
    epochs = [point["epoch"] for point in chosen[0]["way"]]
    values = np.array([[point[name] for point in r["way"]] for r in chosen])
    mean, spread = values.mean(0), values.std(0)
    axes.plot(epochs, mean, markersize=3.5, linewidth=1.2, **style)
    low = np.maximum(mean - spread, mean / 10)
    axes.fill_between(epochs, low, mean + spread, color=style["color"], alpha=0.15, linewidth=0)


def _draw_guarantee(axes: Axes, records: Sequence[Record], data: str) -> None:
    """Every network's 1 - mean cosine within classes, and a bar where theory says it must end."""
    name = "intra mean, mean loss"
    for place, (optimiser, style) in enumerate(_STYLE.items()):
        chosen = of(records, data, optimiser)
        at = place + 0.12 * (np.arange(len(chosen)) - (len(chosen) - 1) / 2)
        values = [1 - r["cosine.intra.mean"] for r in chosen]
        axes.plot(at, values, style["marker"], color=style["color"], markersize=4.5)
        for x, r in zip(at, chosen, strict=True):
            bound = r["guaranteed"][name]
            told = says_something(name, r)
            line = {"linewidth": 2.2, **LINE["sharp"]} if told else VACUOUS
            height = 1.0 if bound is None else min(float(bound), 1.0)
            axes.plot([x - 0.05, x + 0.05], [height] * 2, **line)
    axes.set_xticks(range(len(_STYLE)), [NAMES[o] for o in _STYLE])
    axes.set_xlim(-0.5, len(_STYLE) - 0.5)
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("1 − mean intra-class cosine")


def _legend(found: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], markersize=4, label=NAMES[optimiser], **style)
        for optimiser, style in _STYLE.items()
    ]
    handles += [
        Line2D([], [], linewidth=2.2, label="at most, by the mean loss", **LINE["sharp"]),
        Line2D([], [], label="vacuous", **VACUOUS),
    ]
    found.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=9)


EXPERIMENT = Experiment(
    "optimizers",
    "review Fig. 7",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"optimizers": figure},
    table,
)
