"""Collapse on random labels by the width of the network, beside true labels and the bounds.

Figure 4 of `review`: networks of one width in all layers learn labels that were shuffled among the
samples, so that classes stay balanced and tell nothing of the inputs. NC1, NC2 and NC3 after
training, by width, for random and for true labels. Theory: a width d < K - 1 keeps the Gram matrix
of the weights at rank d, hence NC2 at sqrt(2 - 2 sqrt(d / (K - 1))) or above; and what the mean
loss and the norms guarantee of the cosines within classes (`bnwd:theorem-2.1` sharp).

Small scale: perceptrons of 4 layers on 500 digits of MNIST, gradient descent with momentum as in
the figure's second row. Paper scale: CIFAR-10, with the figure's rates and decays; the text of the
paper gives neither widths nor epochs, so that these are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bnwd import measured, rank_correlation, says_something
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.data import Split
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
from ncbounds.report.plots import LINE, VACUOUS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The three metrics of the figure, all zero at collapse.
COLLAPSE = {"nc1.pinv": "NC1", "nc2.etf.weights": "NC2", "nc3.etf": "NC3"}


@dataclass(frozen=True)
class Settings:
    """What is trained, by kind of network; `widths` are those of a perceptron's hidden layers."""

    data: str = "mnist"
    per_class: int | None = 50
    recipes: tuple[tuple[str, Recipe], ...] = (("perceptron", Recipe(epochs=200, drop=80)),)
    widths: tuple[int, ...] = (4, 8, 16, 64, 256)


_PLAIN = Recipe(rate=0.01, decay=1e-4, momentum=0.0, epochs=200, drop=200, batch=128)
SCALES = {
    "small": Settings(),
    "paper": Settings(
        "cifar10",
        None,
        (("perceptron", _PLAIN), ("resnet18", Recipe(epochs=200, batch=128))),
        (8, 16, 32, 64, 128, 256, 512, 1024),
    ),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """A network each."""
    return [
        {"network": network, "width": width, "random": random, "seed": seed}
        for network, _ in settings.recipes
        for width in sorted(settings.widths, reverse=True)
        for random in (True, False)
        for seed in seeds
    ]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train one network and measure it."""
    data = data_set(settings.data, part["seed"], settings.per_class, place.data)
    if part["random"]:
        data = shuffled(data, part["seed"])
    width, recipe = part["width"], dict(settings.recipes)[part["network"]]
    net = (
        perceptron(data, width, 4, part["seed"])
        if part["network"] == "perceptron"
        else residual_network(data, (width,) * 4, 2, part["seed"])
    )
    before: list[Any] = []
    train_module(
        net, data.train_x, data.train_y, recipe, seed=part["seed"], device=place.device,
        at=(0,), record=lambda epoch, net: before.append(features_of(net, data.train_x)[0]),
    )  # fmt: skip
    features, logits = features_of(net, data.train_x)
    weights = weights_of(net)
    found = measure(features, data.train_y, weights).metrics
    start = measure(before[0], data.train_y).metrics
    test = features_of(net, data.test_x)[1]
    return [
        {
            **part,
            "d": features.shape[1],
            "K": data.K,
            "train_error": float(np.mean(logits.argmax(1) != data.train_y)),
            "test_error": float(np.mean(test.argmax(1) != data.test_y)),
            "start": start["nc1.pinv"],
            **{name: found.get(name) for name in COLLAPSE},
            "nc2_at_least": least_nc2(features.shape[1], data.K),
            **measured(features, data.train_y, weights),
        }
    ]


def shuffled(data: Split, seed: int) -> Split:
    """The same with the labels of the training samples permuted."""
    return replace(data, train_y=np.random.default_rng([seed, 4]).permutation(data.train_y))


def least_nc2(d: int, K: int) -> float:
    """The least NC2 of K weights in d dimensions.

    With G = W W^T of rank at most d, <G, P> <= tr G <= sqrt(d) |G|, where P is the projection off
    the constants and |P|^2 = K - 1; equality where G is a projection below P.

    >>> round(least_nc2(4, 10), 3), least_nc2(64, 10)
    (0.816, 0.0)
    """
    return math.sqrt(2 - 2 * math.sqrt(min(d, K - 1) / (K - 1)))


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """Section 3.1.6 of the review on data independence, each over all kinds of networks."""
    seeds = sorted({r["seed"] for r in records})
    kinds = [network for network, _ in settings.recipes]

    def per_seed(effect: Any) -> tuple[float, ...]:
        return tuple(float(np.mean([effect(seed, kind) for kind in kinds])) for seed in seeds)

    def curve(seed: int, kind: str, random: bool = True) -> list[Record]:
        return of(records, seed=seed, network=kind, random=random)

    def drop(seed: int, kind: str) -> float:
        widest = curve(seed, kind)[-1]
        return float(np.log10(widest["start"] / widest["nc1.pinv"])) - (
            math.inf if widest["train_error"] else 1.0
        )

    def fall(seed: int, kind: str) -> float:
        return float(
            np.mean([-rank_correlation([r[m] for r in curve(seed, kind)]) for m in COLLAPSE])
        )

    def harder(seed: int, kind: str) -> float:
        pair = [curve(seed, kind, random)[-1]["nc1.pinv"] for random in (True, False)]
        return float(np.log10(pair[0] / pair[1]))

    narrow = [
        (r["nc2.etf.weights"], r["nc2_at_least"])
        for r in records
        if r["random"] and r["nc2_at_least"]
    ]
    ratios = [found / least for found, least in narrow]
    rank = (
        f"rank keeps NC2 up: measured {min(ratios):.2f} to {max(ratios):.2f} times the least"
        f" possible, {len(ratios)} networks with d < K - 1"
        if ratios
        else ""
    )
    return [
        Finding(
            "review Fig. 4",
            "a wide network that memorises random labels collapses: NC1 falls tenfold at least",
            per_seed(drop),
            "decades of NC1 lost at the largest width, less one",
            _told(records),
        ),
        Finding(
            "review Fig. 4",
            "the wider the network, the nearer to NC1, NC2 and NC3 on random labels",
            per_seed(fall),
            "rank correlation of width with smallness, mean of the three",
            rank,
        ),
        Finding(
            "review Sec. 3.1.6",
            "the extent of collapse depends on the data: random labels leave more variability",
            per_seed(harder),
            "decades of NC1 above that of true labels at the largest width",
        ),
    ]


def _told(records: Sequence[Record]) -> str:
    """How near the guarantee on cosines comes where random labels are interpolated."""
    fitted = [r for r in records if r["random"] and r["train_error"] == 0]
    name = "intra mean, mean loss"
    ratios = [
        r["guaranteed"][name] / (1 - r["cosine.intra.mean"])
        for r in fitted
        if says_something(name, r)
    ]
    if not ratios:
        return f"the mean loss guarantees nothing of cosines in {len(fitted)} networks"
    middle = float(np.median(ratios))
    return (
        f"the mean loss guarantees {middle:.2f} times (median) what cosines within classes lack,"
        f" {len(ratios)} of {len(fitted)} networks"
    )


def of(records: Sequence[Record], **wanted: Any) -> list[Record]:
    """The records with these facts, by width."""
    found = [r for r in records if all(r[key] == value for key, value in wanted.items())]
    return sorted(found, key=lambda r: int(r["width"]))


def table(records: Sequence[Record], settings: Settings) -> str:
    """Means over seeds, a line for each network, kind of labels and width."""
    lines = [
        "means over seeds; NC2 at least: what the width allows",
        f"{'network':11} {'labels':>7} {'width':>6} {'train':>7} {'test':>7} {'NC1 before':>10}"
        f" {'NC1':>9} {'NC2':>7} {'at least':>8} {'NC3':>7}",
    ]
    names = ("train_error", "test_error", "start", *COLLAPSE, "nc2_at_least")
    for network, _ in settings.recipes:
        for random in (True, False):
            for width in sorted(settings.widths):
                chosen = of(records, network=network, random=random, width=width)
                mean = {name: float(np.mean([r[name] for r in chosen])) for name in names}
                lines.append(
                    f"{network:11} {'random' if random else 'true':>7} {width:6d}"
                    f" {mean['train_error']:7.3f} {mean['test_error']:7.3f} {mean['start']:10.3g}"
                    f" {mean['nc1.pinv']:9.3g} {mean['nc2.etf.weights']:7.3f}"
                    f" {mean['nc2_at_least']:8.3f} {mean['nc3.etf']:7.3f}"
                )
    return "\n".join(lines)


# -- the figure ------------------------------------------------------------------------------------

_MARK: dict[bool, dict[str, Any]] = {
    True: {"color": "#222222", "marker": "o", "linestyle": "solid"},
    False: {"color": "#888888", "marker": "s", "linestyle": (0, (4, 2))},
}


def figure(records: Sequence[Record], settings: Settings) -> Figure:
    """The three metrics and the cosines by width; hollow where training error is left."""
    plt = pyplot()
    found: Figure
    kinds = [network for network, _ in settings.recipes]
    size = (13.0, 3.4 * len(kinds) + 0.6)
    found, panels = plt.subplots(len(kinds), 4, figsize=size, sharex=True, squeeze=False)
    for kind, row in zip(kinds, panels, strict=True):
        for random in (False, True):
            chosen = of(records, network=kind, random=random)
            for axes, name in zip(row, COLLAPSE, strict=False):
                _draw(axes, chosen, [float(r[name]) for r in chosen], _MARK[random])
            lacking = [1 - float(r["cosine.intra.mean"]) for r in chosen]
            _draw(row[3], chosen, lacking, _MARK[random])
            _guarantee(row[3], chosen, _MARK[random])
        d = list(range(min(settings.widths), max(settings.widths) + 1))
        least = [least_nc2(width, chosen[0]["K"]) for width in d]
        row[1].plot(d, least, linewidth=2.0, **LINE["sharp"])
        words = ("NC1, variability", "NC2, weights", "NC3", "1 − mean intra-class cosine")
        for axes, label in zip(row, words, strict=True):
            axes.set_ylabel(label)
            axes.set_xscale("log", base=2)
            axes.set_ylim(bottom=0) if axes is not row[0] else axes.set_yscale("log")
        row[0].set_title(f"{kind}, {settings.data}", loc="left", fontsize=10)
    for axes in panels[-1]:
        axes.set_xlabel("width")
    _legend(found)
    return found


def _draw(
    axes: Axes, chosen: Sequence[Record], values: Sequence[float], style: dict[str, Any]
) -> None:
    """Mean over seeds and its standard deviation by width."""
    widths = sorted({r["width"] for r in chosen})
    groups = [
        [v for r, v in zip(chosen, values, strict=True) if r["width"] == width] for width in widths
    ]
    fitted = [all(r["train_error"] == 0 for r in chosen if r["width"] == w) for w in widths]
    mean, spread = ([f(group) for group in groups] for f in (np.mean, np.std))
    color, line = style["color"], style["linestyle"]
    axes.errorbar(widths, mean, spread, color=color, linestyle=line, linewidth=1, elinewidth=1)
    for width, value, full in zip(widths, mean, fitted, strict=True):
        axes.plot(
            width, value, style["marker"], color=color, mfc=color if full else "white", markersize=5
        )


def _guarantee(axes: Axes, chosen: Sequence[Record], style: dict[str, Any]) -> None:
    """What the mean loss guarantees, mean over seeds: grey where it says nothing in some."""
    widths = sorted({r["width"] for r in chosen})
    name = "intra mean, mean loss"
    groups = [[r for r in chosen if r["width"] == w] for w in widths]
    bounds = [[r["guaranteed"][name] for r in group] for group in groups]
    drawn = [np.mean([1.0 if b is None else min(float(b), 1.0) for b in group]) for group in bounds]
    told = [all(says_something(name, r) for r in group) for group in groups]
    open_ = [not all(told[max(0, i - 1) : i + 2]) for i in range(len(told))]
    axes.plot(widths, np.where(open_, drawn, np.nan), **VACUOUS)
    line = {**LINE["sharp"], "linestyle": style["linestyle"]}
    axes.plot(widths, np.where(told, drawn, np.nan), linewidth=2.0, **line)


def _legend(found: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], markersize=5, label="random labels", **_MARK[True]),
        Line2D([], [], markersize=5, label="true labels", **_MARK[False]),
        Line2D(
            [], [], color="#222222", marker="o", mfc="white", linestyle="none", markersize=5,
            label="training error left",
        ),
        Line2D([], [], linewidth=2.0, label="theory, dashes: true labels", **LINE["sharp"]),
        Line2D([], [], label="vacuous", **VACUOUS),
    ]  # fmt: skip
    found.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=9)


EXPERIMENT = Experiment(
    "random-labels",
    "review Fig. 4",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"random_labels": figure},
    table,
)
