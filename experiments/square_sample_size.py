"""Product norm, test error and its bounds against the number of samples: dense and convolutional.

Figures 6 and 7 of `square`: networks `rho f_V` of unit norms (of a convolution, its filters) learn
two classes from N samples: a dense one, one with convolutions whose patches do not overlap, as many
layers, and a deeper one whose patches do. Bounds on the test error: (16) as the paper plots it with
filter norms, (16) with the norms of the whole matrices, of which alone the theorem that it quotes
speaks, and our best margin (`square:sharp-5`) in the best bound for convolutions that we prove.

All networks take as many steps whatever N is. At small scale rho starts at 5 (the paper's scale of
0.1 multiplies a start that it does not print) and lambda is its 1e-3. From 100 samples on some
labels are not fitted there: then (16) does not apply. With overlap our bound is above 1 at every N,
where it is little more than 1 and its confidence term, and hardly tells networks apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bnwd import rank_correlation
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.square_initialisation import PAPER_SHAPE, SMALL_SHAPE
from experiments.training.error_bounds import draw_bound, train_and_bound
from experiments.training.pairs import SUBSET, load_task
from experiments.training.unit_norm import Descent, Member, Shape
from ncbounds.report.plots import VACUOUS, pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILTERS, MATRICES, OURS = "eq-16, filter norms", "eq-16, norms of the whole matrices", "best margin"


@dataclass(frozen=True)
class Settings:
    """What is trained, from an initial rho of `start`; samples not trained on are tested on."""

    data: str = SUBSET
    classes: tuple[int, ...] = (3, 8)
    sizes: tuple[int, ...] = (50, 100, 200, 400, 800)
    shapes: dict[str, Shape] = field(
        default_factory=lambda: {
            "dense": Shape((), (24, 24)),
            "convolutions, no overlap": Shape((8, 16), (), (3, 3)),
            "convolutions, overlap": SMALL_SHAPE,
        }
    )
    decay: float = 1e-3
    start: float = 5.0
    descent: Descent = field(default_factory=lambda: Descent(2000, 20, 0.02))


#: The network of 20 448 weights is the paper's "approx. 20K"; the dense one has as many layers.
PAPER_SHAPES = {
    "dense": Shape((), (1024, 1024), outputs=2),
    "convolutions, no overlap": Shape((32, 64), (), (3, 3), outputs=2),
    "convolutions, overlap": PAPER_SHAPE,
}
SCALES = {
    "small": Settings(),
    "paper": Settings(
        data="cifar10", classes=(0, 1), sizes=(500, 1000, 2000, 5000, 10_000), start=0.1,
        shapes=PAPER_SHAPES, descent=Descent(78_000, 32, 0.03),
    ),
}  # fmt: skip


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """An ensemble for each network and size: its members are the seeds."""
    return [
        {"network": name, "n": n, "seeds": list(seeds)}
        for name in reversed(settings.shapes)
        for n in sorted(settings.sizes, reverse=True)
    ]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train and evaluate the bounds."""
    shape = settings.shapes[part["network"]]
    tasks = [
        load_task(settings.data, settings.classes, part["n"], seed, folder=place.data)
        for seed in part["seeds"]
    ]
    members = [
        Member(seed, settings.decay, settings.start, task=k) for k, seed in enumerate(part["seeds"])
    ]
    ends = train_and_bound(shape, tasks, members, settings.descent, place.device)
    about = {"network": part["network"], "n": part["n"]}
    return [{**about, "seed": seed, **end} for seed, end in zip(part["seeds"], ends, strict=True)]


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """The claims of section 4.3, each over all networks or sizes of a seed."""
    seeds = sorted({r["seed"] for r in records})
    convolutional = [name for name, shape in settings.shapes.items() if shape.channels]
    dense = [name for name, shape in settings.shapes.items() if not shape.channels]

    def of(seed: int, names: Sequence[str], value: Any) -> list[list[float]]:
        """By network, and of each by size."""
        return [
            [
                value(r)
                for n in sorted(settings.sizes)
                for r in records
                if (r["seed"], r["network"], r["n"]) == (seed, name, n)
            ]
            for name in names
        ]

    def rise(seed: int, value: Any) -> float:
        return float(np.mean([rank_correlation(v) for v in of(seed, [*settings.shapes], value)]))

    def ours(r: Record) -> float:
        return float(r["bounds"][OURS])

    def per_seed(effect: Any) -> tuple[float, ...]:
        return tuple(float(effect(seed)) for seed in seeds)

    def advantage(seed: int) -> float:
        """Of convolutions over the dense network, in our bound, at each size the best of them."""
        best = np.min(of(seed, convolutional, ours), 0)
        return float(np.mean(np.log10(np.min(of(seed, dense, ours), 0) / best)))

    def gap(r: Record) -> float:
        filters, matrices = (r["bounds"][name] for name in (FILTERS, MATRICES))
        return float("nan") if None in (filters, matrices) else math.log10(matrices / filters)

    def saved(seed: int) -> float:
        found = [v for row in of(seed, convolutional, gap) for v in row if not math.isnan(v)]
        return float(np.mean(found)) if found else float("nan")

    return [
        Finding(
            "square Sec. 4.3, Fig. 6, 7",
            "the test error falls with N",
            per_seed(lambda s: -rise(s, lambda r: r["test_error"])),
            "Kendall rank correlation, times -1,",
        ),
        Finding(
            "square Sec. 4.3, Fig. 6, 7",
            "rho/sqrt(N), to which the bound is proportional, falls with N",
            per_seed(lambda s: -rise(s, lambda r: r["rho"] / math.sqrt(r["n"]))),
            "Kendall rank correlation, times -1,",
        ),
        Finding(
            "square Sec. 4.3",
            "with the norms of filters the printed bound of convolutions is orders of magnitude"
            " below that with the norms of their matrices",
            per_seed(lambda s: saved(s) - 1),
            "log10 of the ratio, less 1,",
            _tight(records, FILTERS, "printed (16) with filter norms"),
        ),
        Finding(
            "square Sec. 4.3",
            "in bounds that are proved (square:sharp-5) convolutions are better than the dense one",
            per_seed(advantage),
            "log10 of dense over convolutional, mean over N",
            _tight(records, OURS, "our best margin"),
        ),
        Finding(
            "square Sec. 4.3, Fig. 6, 7",
            "at the largest N some bound of each network says something: it is below 1",
            per_seed(lambda s: 1 - max(row[-1] for row in of(s, [*settings.shapes], ours))),
            "1 less our bound, of the network where it is largest,",
        ),
    ]


def _tight(records: Sequence[Record], name: str, words: str) -> str:
    found = [(r["bounds"][name], r["test_error"]) for r in records if r["bounds"][name] is not None]
    if not found:
        return ""
    bounds, broken = [bound for bound, _ in found], sum(bound < error for bound, error in found)
    useful = sum(bound < 1 for bound in bounds)
    below = f", below the test error of {broken}" if broken else ""
    span = f"{min(bounds):.3g} to {max(bounds):.3g}"
    return f"{words}: {span}, below 1 for {useful} of {len(found)} networks{below}"


def table(records: Sequence[Record], settings: Settings) -> str:
    """Means over seeds, a line for each network and size."""
    names = ("rho", "least_margin", "train_error", "test_error")
    heads = ("(16) filters", "(16) matrices", "best margin")
    lines = [
        "means over seeds; (16) with norms of filters or matrices, - where a label is not fitted",
        f"{'network':25} {'N':>6}" + "".join(f"{name:>14}" for name in (*names, *heads)),
    ]
    for network in settings.shapes:
        for n in settings.sizes:
            chosen = [r for r in records if (r["network"], r["n"]) == (network, n)]
            shown = "".join(f"{np.mean([r[name] for r in chosen]):14.4g}" for name in names)
            for name in (FILTERS, MATRICES, OURS):
                bounds = [r["bounds"][name] for r in chosen]
                shown += f"{'-':>14}" if None in bounds else f"{np.mean(bounds):14.4g}"
            lines.append(f"{network:25} {n:6d}{shown}")
    return "\n".join(lines)


# -- the figure ------------------------------------------------------------------------------------


def draw(records: Sequence[Record], settings: Settings) -> Figure:
    """Like figures 6 and 7: errors with their bounds above rho, by N, one column a network."""
    plt = pyplot()
    found: Figure
    found, panels = plt.subplots(
        2, len(settings.shapes), figsize=(3.7 * len(settings.shapes), 6.2), sharex=True,
        sharey="row", squeeze=False, height_ratios=(2, 1),
    )  # fmt: skip
    n = np.array(sorted(settings.sizes))
    black = {"color": "#222222", "capsize": 2, "markersize": 5, "linewidth": 1.0}
    for name, (top, bottom) in zip(settings.shapes, panels.T, strict=True):
        groups = [
            [r for r in records if (r["network"], r["n"]) == (name, size)]
            for size in sorted(settings.sizes)
        ]
        for axes, key, label in ((top, "test_error", "test error"), (bottom, "rho", "ρ")):
            values = [[r[key] for r in group] for group in groups]
            axes.errorbar(
                n, np.mean(values, 1), np.std(values, 1), marker="o", label=label, **black
            )
        draw_bound(top, n, groups, FILTERS, "printed (16), norms of filters", "printed")
        if settings.shapes[name].channels:
            draw_bound(top, n, groups, MATRICES, "(16), norms of matrices", "corrected")
        draw_bound(top, n, groups, OURS, "ours: best margin", "sharp")
        top.axhline(1, color="#bbbbbb", linewidth=1)
        top.set_title(name, fontsize=10)
        top.set_yscale("log")
        bottom.set_xscale("log")
        bottom.set_xticks(n, [str(size) for size in n])
        bottom.minorticks_off()
        bottom.set_xlabel("training samples N")
    panels[0, 0].set_ylabel("test error and its bounds")
    panels[1, 0].set_ylabel("ρ")
    from matplotlib.lines import Line2D

    handles = panels[0, -1].get_legend_handles_labels()[0]
    handles.append(Line2D([], [], label="vacuous (1 or more)", **VACUOUS))
    found.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=9)
    return found


EXPERIMENT = Experiment(
    "square-sample-size",
    "square Fig. 6, 7",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"square_sample_size": draw},
    table,
)
