"""Cosine similarity against weight decay, with and without batch norm, and what theory guarantees.

Figures 2 and 4 of `bnwd`: ReLU networks on the conic hull and on the labels of random networks, at
fifteen weight decays, each point the mean over seeds and its standard deviation. Beside every
network stands what its loss and norms guarantee (`bnwd:theorem-2.1` sharp), what the losses of its
samples with the weights guarantee, and the printed theorem with a generous constant.
All seeds and weight decays of a data set and depth train as one ensemble.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.data import Split
from experiments.training.ensemble import Member, Training, evaluate_members, train_ensemble
from experiments.training.networks import Architecture
from experiments.training.synthetic import conic_hull, random_network
from ncbounds.report.compare import compare
from ncbounds.report.plots import LINE, VACUOUS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DATA: dict[str, Callable[..., Split]] = {
    "conic hull": conic_hull,
    "MLP3": partial(random_network, layers=3),
    "MLP6": partial(random_network, layers=6),
    "MLP9": partial(random_network, layers=9),
}


@dataclass(frozen=True)
class Settings:
    """What is trained; `layers` counts matrices, the last included."""

    data: tuple[str, ...] = ("conic hull", "MLP3")
    layers: tuple[int, ...] = (4, 6)
    decays: tuple[float, ...] = tuple(float(f"{w:.4g}") for w in np.geomspace(1e-4, 1e-1, 15))
    width: int = 64
    per_class: int = 250
    epochs: int = 100
    batch: int = 100
    rate: float = 3e-3


SCALES = {"small": Settings(), "paper": Settings(per_class=2000, epochs=300, rate=1e-3)}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """An ensemble each: the deep ones first, which take longest."""
    return [
        {"data": data, "layers": layers, "batch_norm": batch_norm, "seeds": list(seeds)}
        for layers in sorted(settings.layers, reverse=True)
        for data in settings.data
        for batch_norm in (True, False)
    ]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train one ensemble and measure every network of it."""
    data = [_data(part["data"], seed, settings.per_class) for seed in part["seeds"]]
    widths = (settings.width,) * (part["layers"] - 1)
    architecture = Architecture("mlp", widths, batch_norm=part["batch_norm"])
    training = Training(settings.epochs, settings.batch)
    facts = {key: part[key] for key in ("data", "layers", "batch_norm")}
    facts["network"] = f"{part['layers']} layers"
    members = [
        Member(seed, decay, settings.rate, data=index)
        for index, seed in enumerate(part["seeds"])
        for decay in settings.decays
    ]
    return [
        {**facts, **found}
        for found in measured_ensemble(architecture, data, members, training, place.device)
    ]


def measured_ensemble(
    architecture: Architecture,
    data: Sequence[Split],
    members: Sequence[Member],
    training: Training,
    device: str,
) -> list[Record]:
    """Train an ensemble; errors, metrics and guarantees of each member."""
    trained = train_ensemble(architecture, data, members, training, device=device)
    ends = evaluate_members(architecture, data, members, trained.parameters, test=True)
    return [
        {
            "seed": member.seed,
            "decay": member.weight_decay,
            "train_error": float(np.mean(end.guesses[0] != data[member.data].train_y)),
            "test_error": float(np.mean(end.test_guesses[0] != data[member.data].test_y)),
            **measured(end.features[0].T, data[member.data].train_y, end.weights[0]),
        }
        for member, end in zip(members, ends, strict=True)
    ]


@cache
def _data(name: str, seed: int, per_class: int) -> Split:
    """A data set; random networks with balanced classes take their time to find."""
    return DATA[name](seed, per_class=per_class)


METRICS = (
    "cosine.intra.min", "cosine.intra.mean", "cosine.inter.max", "cosine.inter.mean",
    "cosine.inter.deviation", "loss.cross_entropy", "alpha", "beta", "nc1.relative",
)  # fmt: skip
#: What is guaranteed of which quantity: by quantity, variant and level of `ncbounds.compare`.
GUARANTEES = {
    "intra mean, mean loss": ("1 - cosine.intra.mean", "sharp", "mean loss"),
    "intra mean, losses and weights": ("1 - cosine.intra.mean", "sharp", "losses and weights"),
    "intra min, losses and weights": ("1 - cosine.intra.min", "sharp", "losses and weights"),
    "inter deviation, mean loss": ("cosine.inter.deviation", "sharp", "mean loss"),
    "inter deviation, mean logits": ("cosine.inter.deviation", "sharp", "mean logits"),
}


def measured(features: Any, labels: Any, weights: Any) -> Record:
    """Metrics of a network and the guarantees at its numbers; None where there is none."""
    report = compare(features, labels, weights)
    values = {name: report.measurement.metrics.get(name) for name in METRICS}
    bounds = {(b.quantity, b.variant, b.level): b for b in report.bounds}
    found = {
        name: float(bounds[key].bound) if key in bounds else None
        for name, key in GUARANTEES.items()
    }
    printed = [
        b for b in report.bounds if (b.quantity, b.variant) == ("cosine.intra.min", "printed")
    ]
    vacuous = all(b.vacuous for b in printed) if printed else None
    return {**values, "classes": len(weights), "guaranteed": found, "printed_vacuous": vacuous}


def collapsed(record: Record) -> float:
    """Inter-class cosines at collapse."""
    return -1 / (int(record["classes"]) - 1)


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: object) -> list[Finding]:
    """The claims of section 3.3 and appendix B.2.2, each over all data sets and depths."""
    seeds = sorted({r["seed"] for r in records})
    tight = tightness(records, "1 - cosine.intra.mean", "intra mean, mean loss")
    tight_min = tightness(records, "1 - cosine.intra.min", "intra min, losses and weights")
    inter = tightness(records, "cosine.inter.deviation", "inter deviation, mean logits")

    def per_seed(effect: Any) -> tuple[float, ...]:
        """The mean of an effect over data sets and depths, for each seed."""
        return tuple(
            float(np.mean([effect(seed, *place) for place in places(records)])) for seed in seeds
        )

    def best(seed: int, batch_norm: bool, *place: Any) -> float:
        return max(float(r["cosine.intra.min"]) for r in curve(records, seed, batch_norm, *place))

    def rise(seed: int, batch_norm: bool, *place: Any) -> float:
        """The paper's restriction to interpolating networks is on those with batch norm."""
        chosen = curve(records, seed, batch_norm, *place)
        told = [r for r in chosen if r["train_error"] == 0] if batch_norm else chosen
        return rank_correlation([r["cosine.intra.min"] for r in told])

    def fall_at_the_end(seed: int, *place: Any) -> float:
        values = [float(r["cosine.inter.max"]) for r in curve(records, seed, True, *place)]
        return values[-1] - min(values)

    return [
        Finding(
            "bnwd Sec. 3.3",
            "the highest collapse is that of batch norm with suitable weight decay",
            per_seed(lambda seed, *at: best(seed, True, *at) - best(seed, False, *at)),
            "best least intra-class cosine, with less without batch norm",
            tight_min,
        ),
        Finding(
            "bnwd Sec. 3.3",
            "with batch norm collapse rises with weight decay while the data are interpolated",
            per_seed(lambda seed, *at: rise(seed, True, *at)),
            "Kendall rank correlation",
            tight,
        ),
        Finding(
            "bnwd Sec. 3.3",
            "without batch norm it is less monotone, or falls",
            per_seed(lambda seed, *at: rise(seed, True, *at) - rise(seed, False, *at)),
            "rank correlation while interpolating with batch norm, less that without",
        ),
        Finding(
            "bnwd App. B.2.2",
            "with batch norm inter-class cosines may rise again at the largest weight decays",
            per_seed(fall_at_the_end),
            "largest inter-class cosine at the largest weight decay, less its least",
            inter,
        ),
        Finding(
            "bnwd theorem 2.1",
            "a guarantee from the mean loss alone says something wherever the data are interpolated"
            " with batch norm",
            per_seed(lambda seed, *at: _says_something(curve(records, seed, True, *at))),
            "share of interpolating networks with a guarantee below 1, less one half",
        ),
    ]


def _says_something(found: Sequence[Record]) -> float:
    fitted = [r for r in found if r["train_error"] == 0]
    told = [says_something("intra mean, mean loss", r) for r in fitted]
    return float(np.mean(told)) - 0.5 if told else -0.5


def says_something(guarantee: str, record: Record) -> bool:
    """Whether a guarantee is better than what holds of any features."""
    bound = record["guaranteed"][guarantee]
    trivial = 1.0 if guarantee.startswith("intra") else 1 - collapsed(record)
    return bound is not None and bound < trivial


def places(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Data sets and networks, in the order of the figure."""
    found = sorted({(r["layers"], r["data"], r["network"]) for r in records})
    return [(data, network) for _, data, network in found]


def curve(
    records: Sequence[Record], seed: int, batch_norm: bool, data: str, network: str
) -> list[Record]:
    """The networks of one seed and place, by weight decay."""
    wanted = {"seed": seed, "batch_norm": batch_norm, "data": data, "network": network}
    found = [r for r in records if all(r[key] == value for key, value in wanted.items())]
    return sorted(found, key=lambda r: float(r["decay"]))


def rank_correlation(values: Sequence[float]) -> float:
    """Kendall's tau of values against their order; 0 for fewer than two.

    >>> rank_correlation([1.0, 2.0, 4.0, 3.0])
    0.6666666666666666
    """
    pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
    return sum((b > a) - (b < a) for a, b in pairs) / len(pairs) if pairs else 0.0


def tightness(records: Sequence[Record], quantity: str, guarantee: str) -> str:
    """How many times the measured value a guarantee is, where networks interpolate."""
    ratios = []
    for r in records:
        if r["batch_norm"] and r["train_error"] == 0 and says_something(guarantee, r):
            ratios.append(r["guaranteed"][guarantee] / _deficit(r, quantity))
    if not ratios:
        return ""
    low, middle, high = np.quantile(ratios, (0, 0.5, 1))
    words = f"{guarantee} guarantees {low:.2f} to {high:.2f} (median {middle:.2f}) times"
    return f"{words} what is measured, {len(ratios)} networks"


def _deficit(record: Record, quantity: str) -> float:
    name = quantity.removeprefix("1 - ")
    value = float(record[name])
    return 1 - value if name != quantity else value


def table(records: Sequence[Record], settings: object) -> str:
    """Means over seeds, a line for each place, batch norm and third weight decay."""
    lines = [
        "means over seeds; guaranteed: least the cosine can be, from losses and weights; - : none",
        f"{'data':12} {'network':>8} {'BN':>3} {'decay':>8} {'error':>6} {'intra min':>9}"
        f" {'guaranteed':>10} {'intra mean':>10} {'inter max':>9} {'loss':>8}",
    ]
    for data, network in places(records):
        for batch_norm in (True, False):
            for decay in sorted({r["decay"] for r in records})[::3]:
                chosen = [
                    r
                    for r in records
                    if (r["data"], r["network"], r["batch_norm"], r["decay"])
                    == (data, network, batch_norm, decay)
                ]
                if not chosen:
                    continue
                mean = {key: np.mean([r[key] for r in chosen]) for key in ("train_error", *METRICS)}
                name = "intra min, losses and weights"
                bounds = [r["guaranteed"][name] for r in chosen]
                told = all(says_something(name, r) for r in chosen)
                bound = f"{1 - np.mean(bounds):10.4f}" if told else f"{'-':>10}"
                lines.append(
                    f"{data:12} {network:>8} {'yes' if batch_norm else 'no':>3} {decay:8.2g}"
                    f" {mean['train_error']:6.3f} {mean['cosine.intra.min']:9.4f} {bound}"
                    f" {mean['cosine.intra.mean']:10.4f} {mean['cosine.inter.max']:9.4f}"
                    f" {mean['loss.cross_entropy']:8.2g}"
                )
    return "\n".join(lines)


# -- the figure ------------------------------------------------------------------------------------

_BLACK = "#222222"


def figure(records: Sequence[Record], settings: object) -> Figure:
    """Intra-class and inter-class cosines by weight decay, one column a place.

    Theory speaks of the least intra-class cosine and of the mean distance of inter-class cosines
    from their value at collapse, not of the largest of them.
    """
    plt = pyplot()
    found: Figure
    columns = places(records)
    size = (3.1 * len(columns), 7.6)
    found, panels = plt.subplots(
        3, len(columns), figsize=size, sharex=True, sharey="row", squeeze=False
    )
    for place, (top, middle, bottom) in zip(columns, panels.T, strict=True):
        for batch_norm in (False, True):
            chosen = [
                r
                for r in records
                if (r["data"], r["network"]) == place and r["batch_norm"] == batch_norm
            ]
            if not chosen:
                continue
            draw_curve(top, chosen, "cosine.intra.min", batch_norm)
            draw_curve(middle, chosen, "cosine.inter.max", batch_norm)
            draw_curve(bottom, chosen, "cosine.inter.deviation", batch_norm)
            if batch_norm:
                draw_guarantee(top, chosen, "intra min, losses and weights", lambda b: 1 - b)
                draw_guarantee(bottom, chosen, "inter deviation, mean logits", lambda b: b)
                middle.axhline(collapsed(chosen[0]), color="#bbbbbb", linewidth=1)
        top.set_title(", ".join(place), fontsize=10)
        bottom.set_xscale("log")
        bottom.set_yscale("log")
        bottom.set_xlabel("weight decay λ")
    panels[0, 0].set_ylabel("least intra-class cosine")
    panels[1, 0].set_ylabel("largest inter-class cosine")
    panels[2, 0].set_ylabel("mean |inter-class cosine + 1/(C−1)|")
    panels[0, 0].set_ylim(-0.05, 1.05)
    draw_legend(found)
    return found


def draw_curve(axes: Axes, chosen: Sequence[Record], name: str, batch_norm: bool) -> None:
    """Mean over seeds and its standard deviation; hollow where a network has training error."""
    decays = sorted({r["decay"] for r in chosen})
    groups = [[r for r in chosen if r["decay"] == decay] for decay in decays]
    mean = np.array([np.mean([r[name] for r in group]) for group in groups])
    spread = np.array([np.std([r[name] for r in group]) for group in groups])
    fitted = np.array([max(r["train_error"] for r in group) == 0 for group in groups])
    color, marker = (_BLACK, "o") if batch_norm else ("#888888", "s")
    axes.errorbar(
        decays, mean, spread, color=color, linewidth=0.9, elinewidth=0.9,
        linestyle="solid" if batch_norm else (0, (4, 2)),
    )  # fmt: skip
    for which, fill in ((fitted, color), (~fitted, "white")):
        axes.plot(
            np.array(decays)[which], mean[which], marker, color=color, mfc=fill, markersize=4.5
        )


def draw_guarantee(axes: Axes, chosen: Sequence[Record], name: str, value: Any) -> None:
    """The mean guarantee over seeds: blue where it says something in every one, grey elsewhere."""
    decays = sorted({r["decay"] for r in chosen})
    groups = [[r for r in chosen if r["decay"] == decay] for decay in decays]
    speaks = np.array([all(says_something(name, r) for r in group) for group in groups])
    bounds = [[r["guaranteed"][name] for r in group] for group in groups]
    drawn = np.array(
        [value(np.mean(group)) if None not in group else np.nan for group in bounds], dtype=float
    )
    axes.plot(decays, drawn, **VACUOUS)
    axes.plot(decays, np.where(speaks, drawn, np.nan), linewidth=2.0, **LINE["sharp"])


def draw_legend(found: Figure) -> None:
    """What the marks and lines of a whole figure are, under it."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=_BLACK, marker="o", markersize=4.5, label="batch norm"),
        Line2D(
            [], [], color="#888888", marker="s", markersize=4.5, linestyle=(0, (4, 2)),
            label="no batch norm",
        ),
        Line2D(
            [], [], color=_BLACK, marker="o", mfc="white", linestyle="none", markersize=4.5,
            label="training error left",
        ),
        Line2D([], [], linewidth=2.0, label="guaranteed (batch norm)", **LINE["sharp"]),
        Line2D([], [], label="vacuous", **VACUOUS),
        Line2D([], [], color="#bbbbbb", linewidth=1, label="−1/(C−1)"),
    ]  # fmt: skip
    columns = 6 if found.get_figwidth() > 9 else 3
    found.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=9)


EXPERIMENT = Experiment(
    "bnwd",
    "bnwd Fig. 2, 4",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"bnwd": figure},
    table,
)
