"""Effective depth of networks on clean and on random labels, and the bound by depth.

The experiment of `review`, figure 9 and (53), on real digits: multilayer perceptrons with batch
norm are trained on samples of which a share has random labels. After every layer stand the error of
the nearest class mean on training and test samples, the CDNV, and the bound on the error that
variances alone give. Then (53): depth on clean samples X_1 against the least depth that was found
for X_1 and as many more of which a share p is relabelled. What training finds is an upper estimate
of the minimal depth, so the share of deep networks is a lower estimate of the probability in (53).

Paper scale: CIFAR-10 and width 300 as in the figure; AdamW here, where the figure has SGD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bnwd import rank_correlation
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.folders import data_set
from experiments.training.networks import check
from experiments.training.perceptron import error_of, tensor, train_perceptron
from experiments.training.runs import Integers
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.measure.depth import depth_profile
from ncbounds.report.plots import LINE, pyplot
from ncbounds.theory.transfer.depth import printed_depth_bound, sharp_depth_bound

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is trained; `whole` takes the user's own data set, halved."""

    data: str = "mnist"
    whole: bool = False
    per_class: int = 100
    widths: tuple[int, ...] = (100,) * 6
    shares: tuple[float, ...] = (0.0, 0.1, 0.4)
    epochs: int = 40
    epsilon: float = 0.005
    alpha: float = 0.05


SCALES = {
    "small": Settings(),
    "paper": Settings("cifar10", True, 2500, (300,) * 9, (0.0, 0.1, 0.25, 0.4), epochs=200),
}


def relabelled(y: Integers, share: float, seed: int) -> Integers:
    """Labels of which a share is replaced by another class, at random."""
    rng = np.random.default_rng([seed, 7])
    chosen = rng.permutation(len(y))[: round(share * len(y))]
    found, K = y.copy(), int(y.max()) + 1
    found[chosen] = (found[chosen] + rng.integers(1, K, size=len(chosen))) % K
    return found


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """A network each: on X_1 alone, by share of random labels, and on X_1 with relabelled X_2."""
    check(0, settings.shares, settings.epochs, "cpu")
    return [
        {"both": both, "share": share, "seed": seed}
        for both in (False, True)
        for share in settings.shares
        for seed in seeds
        if share > 0 or not both
    ]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train one network and profile its layers."""
    seed, share = part["seed"], part["share"]
    per_class = None if settings.whole else 2 * settings.per_class
    data = data_set(settings.data, seed, per_class, place.data)
    x, y = data.train_x, data.train_y
    each = [np.flatnonzero(y == c)[: 2 * settings.per_class] for c in range(data.K)]
    first, second = (
        np.concatenate([rows[half] for rows in each])
        for half in (slice(settings.per_class), slice(settings.per_class, None))
    )
    rows, labels = first, relabelled(y[first], share, seed)
    if part["both"]:
        rows = np.concatenate([first, second])
        labels = np.concatenate([y[first], relabelled(y[second], share, seed)])
    net = train_perceptron(
        x[rows], labels, settings.widths, seed=seed, epochs=settings.epochs, device=place.device
    )
    profile = depth_profile(
        net, tensor(x[rows], place.device), labels, tensor(data.test_x, place.device), data.test_y
    )
    return [
        {
            **part,
            "train_error": error_of(net, x[rows], labels, place.device),
            "test_error": error_of(net, data.test_x, data.test_y, place.device),
            "effective_depth": profile.effective_depth(settings.epsilon),
            "certified_depth": profile.certified_depth(settings.epsilon),
            "reaches": profile.reaches(settings.epsilon),
            **profile.to_dict(),
        }
    ]


def _apart(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """The networks on X_1 alone, and those on X_1 with relabelled X_2."""
    return [r for r in records if not r["both"]], [r for r in records if r["both"]]


def bounds(records: Sequence[Record], settings: Settings) -> list[dict[str, float]]:
    """(53) with what was found, for every positive share p below 1/2; failures taken as zero."""
    xp, rows = numpy_namespace(), []
    alone, both = _apart(records)
    clean = {r["seed"]: r for r in alone if r["share"] == 0}
    for p in sorted({r["share"] for r in both if r["share"] < 0.5}):
        # A network that never reaches epsilon is deeper than all of its layers.
        least = {
            r["seed"]: r["effective_depth"] + (0 if r["reaches"] else 1)
            for r in both
            if r["share"] == p
        }
        depths = {s: clean[s]["effective_depth"] for s in least}
        deep = float(np.mean([depths[s] >= least[s] for s in least]))
        given = {"p": p, "alpha": settings.alpha, "deep": deep, "failed": 0.0}
        rows.append(
            {
                "p": p,
                "depth": float(np.mean(list(depths.values()))),
                "minimal": float(np.mean(list(least.values()))),
                "deep": deep,
                "printed": float(printed_depth_bound(xp, **given)),
                "sharp": float(sharp_depth_bound(xp, **given)),
                "test_error": float(np.mean([clean[s]["test_error"] for s in least])),
            }
        )
    return rows


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """What section 4.2 of the review reads off figure 9."""
    alone, _ = _apart(records)
    seeds = sorted({r["seed"] for r in alone})
    by = {(r["seed"], r["share"]): r for r in alone}
    most = max(settings.shares)

    def collapse(seed: int) -> float:
        layers = by[seed, 0.0]["layers"][:-1]
        return -rank_correlation([layer["cdnv"] for layer in layers])

    def deeper(seed: int) -> float:
        return float(by[seed, most]["effective_depth"] - by[seed, 0.0]["effective_depth"])

    def separated(seed: int) -> float:
        least = min(float(x["error"]) for x in by[seed, 0.0]["layers"][:-1])
        return settings.epsilon - least

    held = [row for row in bounds(records, settings) if row["test_error"] <= row["sharp"]]
    said = ", ".join(f"{row['sharp']:.3f} at p = {row['p']:g}" for row in bounds(records, settings))
    error = bounds(records, settings)[0]["test_error"]
    tight = [
        layer["bound"] / layer["error"] for r in alone for layer in r["layers"]
        if layer["error"] and layer["bound"] < 1
    ]  # fmt: skip
    words = f"variances bound the errors by {np.median(tight):.1f} times (median)" if tight else ""
    return [
        Finding(
            "review Fig. 9",
            "after a certain depth all training samples are nearest to their own class mean",
            tuple(separated(seed) for seed in seeds),
            f"{settings.epsilon:g} less the least error of a hidden layer",
            words,
        ),
        Finding(
            "review Fig. 9",
            "CDNV falls from layer to layer on true labels",
            tuple(collapse(seed) for seed in seeds),
            "rank correlation of depth with smallness, hidden layers",
        ),
        Finding(
            "review Sec. 4.2",
            "random labels demand more depth",
            tuple(deeper(seed) for seed in seeds),
            f"effective depth with {most:.0%} random labels, less that without",
            f"(53) with what was found: test error {error:.3f} against {said};"
            f" it holds in {len(held)} of {len(bounds(records, settings))}",
        ),
    ]


def plot(records: Sequence[Record], settings: Settings) -> Figure:
    """Error of the nearest class mean and CDNV by layer, one column for each share."""
    plt = pyplot()
    alone, _ = _apart(records)
    shares = sorted({r["share"] for r in alone})
    figure: Figure
    figure, axes = plt.subplots(
        2, len(shares), figsize=(3.3 * len(shares), 5.4), sharex=True, sharey="row", squeeze=False
    )
    blue = LINE["sharp"]["color"]
    for column, share in enumerate(shares):
        runs = [r for r in alone if r["share"] == share]
        layer = np.arange(1, len(runs[0]["layers"]) + 1)

        def curve(name: str, runs: Sequence[Record] = runs) -> Any:
            return np.mean([[found[name] for found in r["layers"]] for r in runs], axis=0)

        top, bottom = axes[:, column]
        top.plot(layer, curve("error"), "o-", color="black", markersize=4)
        top.plot(layer, curve("held_out"), "o--", color="black", markersize=4, mfc="white")
        top.plot(layer, curve("bound_lines"), color=blue)
        top.set_title(f"{share:.0%} random labels")
        top.set_ylim(-0.03, 1.03)
        bottom.semilogy(layer, curve("cdnv"), "o-", base=2, color="black", markersize=4)
        bottom.set_xlabel("layer")
        bottom.set_xticks(layer)
    axes[0, 0].set_ylabel("error of nearest class means")
    axes[1, 0].set_ylabel("CDNV on training samples")
    handles = axes[0, 0].get_lines()
    words = ("training samples", "test samples", "bound by variances along the lines")
    figure.legend(handles, words, loc="outside lower center", ncols=3)
    return figure


def text(records: Sequence[Record], settings: Settings) -> str:
    """Two tables: depths and errors by share, and (53)."""
    alone, _ = _apart(records)
    lines = [
        f"effective depth at epsilon = {settings.epsilon:g} of {len(settings.widths) + 1} layers, "
        f"means over {len({r['seed'] for r in alone})} seeds",
        "",
        "random labels   train error   test error   depth   by variances   CDNV, last hidden",
    ]
    names = ("train_error", "test_error", "effective_depth", "certified_depth")
    for share in settings.shares:
        runs = [r for r in alone if r["share"] == share]
        mean = [np.mean([r[name] for r in runs]) for name in names]
        cdnv = np.mean([r["layers"][-2]["cdnv"] for r in runs])
        lines.append(
            f"{share:13.0%}{mean[0]:14.4f}{mean[1]:13.4f}{mean[2]:8.2f}{mean[3]:15.2f}{cdnv:20.4f}"
        )
    lines += [
        "",
        "   p   depth on X_1   least found for X_1, X_2   deep   (53)   sharper   test error",
    ]
    for row in bounds(records, settings):
        lines.append(
            f"{row['p']:4.0%}{row['depth']:15.2f}{row['minimal']:27.2f}{row['deep']:7.2f}"
            f"{row['printed']:7.3f}{row['sharp']:10.3f}{row['test_error']:13.4f}"
        )
    return "\n".join(lines)


EXPERIMENT = Experiment(
    "effective-depth",
    "review Fig. 9",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"effective_depth": plot},
    text,
)
