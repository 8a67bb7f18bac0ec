"""Collapse on training samples and on new ones, by the number of classes and of samples.

Figure 8 of `review`, with the weak and strong test-collapse of section 4.1: class-distance
normalised variance (CDNV) of training and of new samples while a network learns some of the
classes, chosen at random; then at the end by the number of samples a class. Theory: from new
samples alone, the largest CDNV that the classes themselves may have with probability 0.95, for
features scaled to length 1 (`review:eq-52`); and the error of the nearest class mean that the
variances of new samples allow (`review:eq-51` sharp).

Momentum and learning rate 2^-4 are those of the figure. Small scale: perceptrons of 4 layers on
MNIST, where training stops far from collapse, and the CDNV of new samples is twice that of training
samples, not ten times: that claim of the figure is contradicted there. Paper scale: a wide
ResNet-28-4 on CIFAR-100 in the place of Mini-ImageNet, which is in no layout that torchvision
knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bnwd import rank_correlation
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.data import Split
from experiments.training.folders import data_set
from experiments.training.modules import (
    Recipe,
    features_of,
    perceptron,
    residual_network,
    train_module,
)
from experiments.training.runs import Floats, Integers
from ncbounds.errors import InputError
from ncbounds.measure import measure
from ncbounds.measure.nearest_mean import (
    held_out_collapse,
    nearest_means,
    population_cdnv_bound,
)
from ncbounds.report.plots import LINE, VACUOUS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATE = 2**-4


@dataclass(frozen=True)
class Settings:
    """What is trained: `classes` at `per_class` samples, and all classes at each of `samples`.

    `held_out` new samples of each class are kept apart. `whole` takes the user's own data set.
    """

    data: str = "mnist"
    whole: bool = False
    network: str = "perceptron"
    classes: tuple[int, ...] = (2, 4, 6, 8, 10)
    per_class: int = 50
    samples: tuple[int, ...] = (25, 50, 100, 200)
    held_out: int = 300
    width: int = 128
    epochs: int = 100
    batch: int = 100
    drop: int = 40
    points: int = 9
    delta: float = 0.05


SCALES = {
    "small": Settings(),
    "paper": Settings(
        "cifar100",
        True,
        "wide resnet",
        (5, 10, 20, 50, 100),
        500,
        (50, 100, 250, 500),
        100,
        64,
        epochs=200,
        batch=64,
        drop=80,
    ),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """A network each: every number of classes, then every number of samples of all classes."""
    most = max(settings.classes)
    sizes = [(k, settings.per_class) for k in settings.classes]
    sizes += [(most, n) for n in settings.samples if (most, n) not in sizes]
    return [{"classes": k, "samples": n, "seed": seed} for k, n in sizes for seed in seeds]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train one network; CDNV of training and new samples on the way, everything at the end."""
    seed = part["seed"]
    fewest = None if settings.whole else max(settings.samples)
    whole = data_set(settings.data, seed, fewest, place.data)
    data = chosen_classes(whole, part["classes"], part["samples"], settings.held_out, seed)
    width = settings.width
    net = (
        perceptron(data, width, 4, seed)
        if settings.network == "perceptron"
        else residual_network(data, (width, 2 * width, 4 * width), 4, seed)
    )
    steps = np.geomspace(1, settings.epochs, settings.points).round().astype(int)
    recipe = Recipe(rate=RATE, epochs=settings.epochs, batch=settings.batch, drop=settings.drop)
    way: list[dict[str, float]] = []

    def record(epoch: int, net: Any) -> None:
        own, other = (features_of(net, x)[0] for x in (data.train_x, data.test_x))
        train, test = nearest_means(own, data.train_y).cdnv, nearest_means(other, data.test_y).cdnv
        way.append({"epoch": epoch, "train": train, "test": test})

    train_module(
        net, data.train_x, data.train_y, recipe, seed=seed, device=place.device,
        record=record, at=sorted({0, *steps.tolist()}),
    )  # fmt: skip
    (own, logits), (other, guess) = (features_of(net, x) for x in (data.train_x, data.test_x))
    unit = other / np.maximum(np.linalg.norm(other, axis=1, keepdims=True), 1e-30)
    collapse = held_out_collapse(own, data.train_y, other, data.test_y)
    means = nearest_means(other, data.test_y)
    return [
        {
            **part,
            "way": way,
            "train_error": float(np.mean(logits.argmax(1) != data.train_y)),
            "test_error": float(np.mean(guess.argmax(1) != data.test_y)),
            "trace": measure(own, data.train_y).metrics["nc1.trace"],
            "weak": collapse.weak,
            "strong": collapse.strong,
            "ncc_error": means.error,
            "ncc_bound": means.bound,
            "unit_max": measure(unit, data.test_y).metrics["cdnv.max"],
            "certified": certified(unit, data.test_y, settings.delta),
        }
    ]


def chosen_classes(whole: Split, classes: int, samples: int, held_out: int, seed: int) -> Split:
    """So many classes at random, renumbered, with so many samples each to train and to test on.

    Raises InputError where there are not so many.
    """
    if not 2 <= classes <= whole.K:
        raise InputError("classes", classes, f"an integer from 2 to {whole.K}")
    names = np.random.default_rng([seed, 8]).permutation(whole.K)[:classes]
    rows = []
    for y, size in ((whole.train_y, samples), (whole.test_y, held_out)):
        each = [np.flatnonzero(y == name)[:size] for name in names]
        if min(map(len, each)) < size:
            raise InputError("samples", size, f"at most {min(map(len, each))} of every class")
        rows.append(np.concatenate(each))
    train_y, test_y = (np.repeat(np.arange(classes), size) for size in (samples, held_out))
    return replace(
        whole,
        train_x=whole.train_x[rows[0]], train_y=train_y,
        test_x=whole.test_x[rows[1]], test_y=test_y,
    )  # fmt: skip


def certified(unit: Floats, labels: Integers, delta: float) -> float | None:
    """The largest CDNV of two classes that new samples do not exclude; None where all is open."""
    classes = [unit[labels == c] for c in range(labels.max() + 1)]
    pairs = list(combinations(classes, 2))
    bound = max(population_cdnv_bound(x, y, 1.0, delta / len(pairs)) for x, y in pairs)
    return bound if np.isfinite(bound) else None


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """What section 4.1 of the review says of training and new samples."""
    seeds = sorted({r["seed"] for r in records})

    def gap(seed: int) -> float:
        ends = [r["way"][-1] for r in by_classes(records, settings, seed)]
        return float(np.mean([np.log10(end["test"] / end["train"]) for end in ends])) - 0.5

    def weaker(seed: int) -> float:
        chosen = [r for r in records if r["seed"] == seed]
        return float(np.mean([np.log10(r["weak"] / r["trace"]) for r in chosen]))

    def fall(seed: int) -> float:
        chosen = by_samples(records, settings, seed)
        return float(
            np.mean([-rank_correlation([r[m] for r in chosen]) for m in ("weak", "strong")])
        )

    def easier(seed: int) -> float:
        chosen = by_samples(records, settings, seed)
        return -rank_correlation([r["way"][-1]["test"] for r in chosen])

    def per_seed(effect: Any) -> tuple[float, ...]:
        return tuple(effect(seed) for seed in seeds)

    return [
        Finding(
            "review Fig. 8",
            "CDNV of new samples is about an order of magnitude above that of training samples:"
            " by half a decade at least",
            per_seed(gap),
            "decades between them, less one half",
            _certified_words(records),
        ),
        Finding(
            "review Sec. 4.1",
            "even weak test-collapse is less than train-collapse",
            per_seed(weaker),
            "decades of weak test-collapse above the same on training samples",
        ),
        Finding(
            "review Sec. 4.1",
            "weak and strong test-collapse tend to lower values with more training samples",
            per_seed(fall),
            "rank correlation of samples with smallness, mean of both",
        ),
        Finding(
            "review Sec. 4.1",
            "so does the CDNV of new samples",
            per_seed(easier),
            "rank correlation of samples with smallness",
            _error_words(records),
        ),
    ]


def _certified_words(records: Sequence[Record]) -> str:
    pairs = [(r["certified"], r["unit_max"]) for r in records if r["certified"] is not None]
    if not pairs:
        return f"held-out samples certify no CDNV of the classes, {len(records)} networks"
    ratios = [bound / value for bound, value in pairs]
    return (
        f"held-out samples certify {min(ratios):.1f} to {max(ratios):.1f} times the largest CDNV"
        f" that they have, {len(pairs)} of {len(records)} networks"
    )


def _error_words(records: Sequence[Record]) -> str:
    ratios = [
        r["ncc_bound"] / r["ncc_error"] for r in records if r["ncc_error"] and r["ncc_bound"] < 1
    ]
    open_ = sum(r["ncc_bound"] >= 1 for r in records)
    if not ratios:
        return f"variances bound no error of the nearest mean below 1, {len(records)} networks"
    return (
        f"variances bound the error of the nearest mean by {np.median(ratios):.1f} times (median)"
        f" what it is, vacuous in {open_} of {len(records)} networks"
    )


def by_classes(records: Sequence[Record], settings: Settings, seed: int) -> list[Record]:
    """The networks of a seed by number of classes."""
    found = [r for r in records if (r["seed"], r["samples"]) == (seed, settings.per_class)]
    return sorted(found, key=lambda r: int(r["classes"]))


def by_samples(records: Sequence[Record], settings: Settings, seed: int) -> list[Record]:
    """The networks of a seed that know all classes, by number of samples."""
    found = [r for r in records if (r["seed"], r["classes"]) == (seed, max(settings.classes))]
    return sorted(found, key=lambda r: int(r["samples"]))


def table(records: Sequence[Record], settings: Settings) -> str:
    """Means over seeds, a line for each number of classes and samples."""
    lines = [
        "means over seeds; unit: largest CDNV of new samples at length 1; - : none in some seed",
        f"{'classes':>7} {'samples':>7} {'train':>6} {'test':>6} {'CDNV':>8} {'new':>7}"
        f" {'trace':>8} {'weak':>7} {'strong':>7} {'unit':>7} {'certified':>9} {'NCC':>7}"
        f" {'bound':>6}",
    ]
    for classes, samples in sorted({(r["classes"], r["samples"]) for r in records}):
        chosen = [r for r in records if (r["classes"], r["samples"]) == (classes, samples)]

        def mean(name: str, chosen: Sequence[Record] = chosen) -> float:
            return float(np.mean([r[name] for r in chosen]))

        known = all(r["certified"] is not None for r in chosen)
        bound = f"{mean('certified'):9.2f}" if known else f"{'-':>9}"
        train, test = (float(np.mean([r["way"][-1][k] for r in chosen])) for k in ("train", "test"))
        lines.append(
            f"{classes:7d} {samples:7d} {mean('train_error'):6.3f} {mean('test_error'):6.3f}"
            f" {train:8.4f} {test:7.3f} {mean('trace'):8.4f} {mean('weak'):7.3f}"
            f" {mean('strong'):7.3f} {mean('unit_max'):7.3f} {bound} {mean('ncc_error'):7.4f}"
            f" {mean('ncc_bound'):6.3f}"
        )
    return "\n".join(lines)


# -- the figure ------------------------------------------------------------------------------------

_TRAIN: dict[str, Any] = {"color": "#222222", "marker": "o", "linestyle": "solid"}
_NEW: dict[str, Any] = {"color": "#222222", "marker": "o", "mfc": "white", "linestyle": (0, (4, 2))}
_WEAK: dict[str, Any] = {"color": "#CC79A7", "marker": "s", "linestyle": (0, (4, 2))}
_UNIT: dict[str, Any] = {"color": "#888888", "marker": "s", "linestyle": "none"}


def figure(records: Sequence[Record], settings: Settings) -> Figure:
    """CDNV over training by classes above; by samples, with what theory allows, below."""
    plt = pyplot()
    found: Figure
    found, panels = plt.subplots(2, 3, figsize=(12.0, 7.2))
    _draw_training(panels[0], records, settings)
    every = [r for r in records if r["classes"] == max(settings.classes)]
    left, middle, right = panels[1]
    for name, style, label in (
        ("train", _TRAIN, "training samples"),
        ("test", _NEW, "new samples"),
    ):
        _draw(left, every, "samples", lambda r, n=name: r["way"][-1][n], style, label)
    left.set_ylabel("CDNV")
    for name, style, label in (
        ("strong", _NEW, "strong test-collapse"),
        ("weak", _WEAK, "weak test-collapse"),
        ("trace", _TRAIN, "training samples"),
    ):
        _draw(middle, every, "samples", lambda r, n=name: r[n], style, label)
    middle.set_ylabel("tr within / tr between")
    _draw_bounds(right, every)
    for axes in panels[1]:
        axes.set_xlabel("training samples of each class")
        axes.set_xscale("log", base=2)
        axes.set_xticks(sorted({r["samples"] for r in every}))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * (high / low) ** 0.45)  # room for the legend
        axes.legend(fontsize=8.5, loc="upper right")
    return found


def _draw_training(row: Any, records: Sequence[Record], settings: Settings) -> None:
    """CDNV of training and new samples over epochs, then both at the end by number of classes."""
    plt = pyplot()
    chosen = [r for r in records if r["samples"] == settings.per_class]
    counts = sorted({r["classes"] for r in chosen})
    marks = "osD^v"
    for place, count in enumerate(counts):
        own = [r for r in chosen if r["classes"] == count]
        color = plt.get_cmap("viridis")(0.85 * place / max(1, len(counts) - 1))
        for axes, name in zip(row, ("train", "test"), strict=False):
            mean = np.mean([[point[name] for point in r["way"]] for r in own], axis=0)
            epochs = [point["epoch"] for point in own[0]["way"]]
            axes.plot(
                epochs, mean, color=color, marker=marks[place % len(marks)], markersize=3.5,
                linewidth=1.2, label=f"{count} classes",
            )  # fmt: skip
    for axes, title in zip(row, ("training samples", "new samples"), strict=False):
        axes.set_title(f"{title}, {settings.per_class} a class", loc="left", fontsize=10)
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlabel("epoch")
        axes.set_ylabel("CDNV")
        axes.set_yscale("log")
    low, high = (f(axes.get_ylim()[k] for axes in row[:2]) for k, f in enumerate((min, max)))
    for axes in row[:2]:
        axes.set_ylim(low, high)
    row[0].legend(fontsize=8.5)
    for name, style, label in (
        ("train", _TRAIN, "training samples"),
        ("test", _NEW, "new samples"),
    ):
        _draw(row[2], chosen, "classes", lambda r, n=name: r["way"][-1][n], style, label)
    row[2].set_yscale("log")
    row[2].set_xlabel("classes")
    row[2].set_xticks(counts)
    row[2].set_ylabel("CDNV")
    row[2].legend(fontsize=8.5)


def _draw(
    axes: Axes, chosen: Sequence[Record], by: str, value: Any, style: dict[str, Any], label: str
) -> None:
    """Mean over seeds and its standard deviation."""
    places = sorted({r[by] for r in chosen})
    groups = [[float(value(r)) for r in chosen if r[by] == place] for place in places]
    mean, spread = ([f(group) for group in groups] for f in (np.mean, np.std))
    axes.errorbar(
        places, mean, spread, linewidth=1.2, elinewidth=1, markersize=5, label=label, **style
    )


def _draw_bounds(axes: Axes, every: Sequence[Record]) -> None:
    """The largest CDNV of unit features with its certificate, and errors with their bound."""
    _draw(axes, every, "samples", lambda r: r["unit_max"], _NEW, "largest CDNV, unit features")
    _draw(axes, every, "samples", lambda r: r["ncc_error"], _UNIT, "error of nearest means")
    places = sorted({r["samples"] for r in every})
    for name, line, words in (
        ("certified", LINE["sharp"], "CDNV certified for the classes"),
        ("ncc_bound", {"color": "#0072B2", "linestyle": (0, (1, 1))}, "error allowed by variances"),
    ):
        groups = [[r[name] for r in every if r["samples"] == n] for n in places]
        open_ = [any(v is None or (name == "ncc_bound" and v >= 1) for v in g) for g in groups]
        values = [np.mean([1.0 if v is None else float(v) for v in g]) for g in groups]
        if not all(open_):
            drawn = np.where(open_, np.nan, values)
            axes.plot(places, drawn, linewidth=2.0, label=words, **line)
        if any(open_):
            axes.plot(places, np.where(open_, values, np.nan), label=f"{words}: vacuous", **VACUOUS)
    axes.set_ylabel("new samples, all classes")


EXPERIMENT = Experiment(
    "held-out-collapse",
    "review Fig. 8",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"held_out_collapse": figure},
    table,
)
