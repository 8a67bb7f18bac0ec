"""Minority collapse: thresholds in closed form beside what descent and networks find.

The layer-peeled model (34) of the review with cross-entropy: `K_A` majority classes have `R` times
the samples of each of `K_B` minority classes, and the mean squared norms of weights and class means
are bounded by omega. (a) The cosine between minority classifiers against R, as lines at the
certified global minimum, as dots where gradient descent from random weights and features ends;
ticks mark the certified threshold t_0, beyond which the cosine is 1, and circles where the minority
vanishes altogether. (b) The threshold against omega for several numbers of classes. (c) The
regularised model, where classes of n samples merge exactly if n <= N^2 lambda_A lambda_F: what is
left of the minority's differences after descent. (d) The same cosine in perceptrons on real images
of which half the classes have 1/R of their samples; AdamW, where the source has SGD.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bnwd import rank_correlation
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.folders import data_set
from experiments.training.networks import check
from experiments.training.perceptron import error_of, train_perceptron
from ncbounds.laboratory.imbalance import (
    collapse_threshold,
    descend,
    descend_regularised,
    dual_bound,
    largest_merged_size,
    minimum,
    vanishing_threshold,
)
from ncbounds.report.plots import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
#: A cosine nearer to 1 than this counts as collapsed.
COLLAPSED = 1e-3


@dataclass(frozen=True)
class Settings:
    """What is computed; `pairs` of (K_A, K_B), `network_ratios` for the trained networks."""

    classes: tuple[int, int] = (5, 5)
    omegas: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0)
    ratios: int = 30
    largest: float = 30.0
    dots: int = 9
    pairs: tuple[tuple[int, int], ...] = ((2, 2), (2, 8), (5, 5), (8, 2))
    grid: int = 40
    #: At this ratio and omega the minority of each of two `pairs` is looked at.
    compared: tuple[float, float] = (8.0, 1.0)
    sizes: tuple[tuple[int, int], ...] = ((2, 2), (3, 2), (2, 4))
    majority: int = 100
    minority: int = 10
    steps: int = 13
    data: str = "mnist"
    #: Of the majority; all samples of the user's own data set for none.
    per_class: int | None = 100
    widths: tuple[int, ...] = (128, 64)
    network_ratios: tuple[float, ...] = (1.0, 10.0, 100.0)
    epochs: int = 30


SCALES = {
    "small": Settings(),
    "paper": Settings(
        data="cifar10",
        per_class=None,
        widths=(1024, 512),
        network_ratios=(1.0, 10.0, 100.0, 1000.0),
        epochs=350,
    ),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """Certified curves once, descents and networks for every seed."""
    check(0, settings.network_ratios, settings.epochs, "cpu")
    # Networks first: they ask for data.
    found: list[Part] = [
        {"kind": "network", "R": R, "seed": seed} for seed in seeds for R in settings.network_ratios
    ]
    found += [{"kind": "minimum", "omega": omega} for omega in settings.omegas]
    found += [{"kind": "threshold", "K_A": a, "K_B": b} for a, b in settings.pairs]
    for seed in seeds:
        found += [{"kind": "descent", "omega": omega, "seed": seed} for omega in settings.omegas]
        found += [{"kind": "pair", "K_A": a, "K_B": b, "seed": seed} for a, b in settings.pairs[:2]]
        found += [{"kind": "merging", "K_A": a, "K_B": b, "seed": seed} for a, b in settings.sizes]
    return found


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """One curve, the descents of one seed along it, or one network."""
    work = {
        "minimum": _minimum,
        "threshold": _threshold,
        "descent": _descent,
        "pair": _pair,
        "merging": _merging,
    }
    if part["kind"] == "network":
        return [{**part, **_network(part, settings, place)}]
    return [{**part, **work[part["kind"]](part, settings)}]


def _minimum(part: Part, settings: Settings) -> Record:
    """Threshold and cosine at the certified minimum, up to where the minority vanishes."""
    K_A, K_B = settings.classes
    threshold = collapse_threshold(K_A, K_B, part["omega"])
    vanishes = vanishing(K_A, K_B, part["omega"])
    end = min(vanishes, settings.largest)
    below = 1 + (threshold.lower - 1) * np.linspace(1e-3, 1, settings.ratios) ** 0.7
    ratios = [*map(float, below), end * (1 - 1e-9)]
    return {
        "threshold": [threshold.lower, threshold.upper],
        "vanishes": vanishes if vanishes < settings.largest else None,
        "lines": [(R, minimum(K_A, K_B, R, part["omega"]).cosine) for R in ratios],
    }


def _descent(part: Part, settings: Settings) -> Record:
    """Where descent ends, by ratio, and how far above the least risk."""
    (K_A, K_B), omega = settings.classes, part["omega"]
    dots = []
    for R in np.geomspace(1.05, settings.largest, settings.dots):
        sizes = [float(R)] * K_A + [1.0] * K_B
        risk, A, F = descend(sizes, omega, K_A + K_B, part["seed"])
        dots.append(
            {
                "ratio": float(R),
                "cosine": mean_cosine(A[K_A:]),
                "length": float(np.linalg.norm(A[K_A:]) / np.linalg.norm(A)),
                "above_least": risk - minimum(K_A, K_B, float(R), omega).risk.lower,
                "certified_gap": risk - dual_bound(sizes, F @ A.T, omega),
            }
        )
    return {"dots": dots}


def _pair(part: Part, settings: Settings) -> Record:
    """The minority's cosine at the one ratio and omega that are compared."""
    R, omega = settings.compared
    K_A, K_B = part["K_A"], part["K_B"]
    _, A, _ = descend([R] * K_A + [1.0] * K_B, omega, K_A + K_B, part["seed"])
    return {"cosine": mean_cosine(A[K_A:])}


def vanishing(K_A: int, K_B: int, omega: float) -> float:
    """The ratio from which on the minority vanishes; infinite where it never does."""
    if omega * (K_A + K_B) >= K_A * (K_A - 1) * math.log1p(math.sqrt((K_A + K_B) / K_B)):
        return math.inf
    return vanishing_threshold(K_A, K_B, omega).upper


def mean_cosine(rows: Any) -> float | None:
    """Mean cosine between different rows; none where they vanish."""
    lengths = np.linalg.norm(rows, axis=1)
    if lengths.min() < 1e-3:
        return None
    units = rows / lengths[:, None]
    gram = units @ units.T
    return float(gram[~np.eye(len(rows), dtype=bool)].mean())


def _threshold(part: Part, settings: Settings) -> Record:
    """The threshold along omega."""
    omegas = np.geomspace(0.05, 3.0, settings.grid)
    found = [collapse_threshold(part["K_A"], part["K_B"], float(omega)).upper for omega in omegas]
    return {"omegas": omegas.tolist(), "thresholds": found}


def _merging(part: Part, settings: Settings) -> Record:
    """The regularised model on both sides of its threshold."""
    K_A, K_B = part["K_A"], part["K_B"]
    sizes = [settings.majority] * K_A + [settings.minority] * K_B
    N, points = sum(sizes), []
    for quotient in np.geomspace(0.25, 4.0, settings.steps):
        # n over N^2 lambda_A lambda_F, with lambda_A = n lambda_F
        product = settings.minority / quotient / N**2
        lambda_F = math.sqrt(product / settings.minority)
        lambda_A = product / lambda_F
        _, A, _ = descend_regularised(sizes, lambda_A, lambda_F, K_A + K_B, part["seed"])
        apart = float(np.linalg.norm(A[K_A:] - A[K_A:].mean(axis=0)))
        merges = largest_merged_size(N, lambda_A, lambda_F) >= settings.minority
        points.append({"quotient": float(quotient), "apart": apart, "merges": bool(merges)})
    return {"points": points}


def _network(part: Part, settings: Settings, place: Place) -> Record:
    """Cosines between the classifiers of the smaller half of the classes, and of the others."""
    data = data_set(settings.data, part["seed"], settings.per_class, place.data)
    first = data.K - data.K // 2
    each = [np.flatnonzero(data.train_y == c) for c in range(data.K)]
    rows = np.concatenate(
        [r if c < first else r[: max(1, round(len(r) / part["R"]))] for c, r in enumerate(each)]
    )
    net = train_perceptron(
        data.train_x[rows], data.train_y[rows], settings.widths,
        seed=part["seed"], epochs=settings.epochs, device=place.device,
    )  # fmt: skip
    last = net.get_parameter(f"{len(net) - 1}.weight")
    weights = last.detach().cpu().double().numpy()
    weights -= weights.mean(axis=0)
    own = data.test_y >= first
    return {
        "minority": mean_cosine(weights[first:]),
        "majority": mean_cosine(weights[:first]),
        "minority_error": error_of(net, data.test_x[own], data.test_y[own], place.device),
        "majority_error": error_of(net, data.test_x[~own], data.test_y[~own], place.device),
    }


def _of(records: Sequence[Record], kind: str) -> list[Record]:
    return [r for r in records if r["kind"] == kind]


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """What section 3.1 of the review says after (34) and (35)."""
    seeds = sorted({r["seed"] for r in _of(records, "descent")})
    least = {r["omega"]: r for r in _of(records, "minimum")}
    ends = {s: [r for r in _of(records, "descent") if r["seed"] == s] for s in seeds}

    def cosines(seed: int, beyond: bool) -> list[float]:
        """At the ends of descents on one side of the certified threshold."""
        found = []
        for r in ends[seed]:
            low, high = least[r["omega"]]["threshold"]
            for dot in r["dots"]:
                side = dot["ratio"] > high if beyond else dot["ratio"] < low
                if side and dot["cosine"] is not None:
                    found.append(dot["cosine"])
        return found

    def first(seed: int) -> list[float]:
        """By omega, the least ratio at which descent ends collapsed."""
        return [
            min(
                (d["ratio"] for d in r["dots"] if (d["cosine"] or 1) > 1 - COLLAPSED),
                default=math.inf,
            )
            for r in sorted(ends[seed], key=lambda r: float(r["omega"]))
        ]

    def more(seed: int) -> float:
        few, many = (
            next(
                r["cosine"]
                for r in _of(records, "pair")
                if (r["seed"], r["K_A"], r["K_B"]) == (seed, *pair)
            )
            for pair in sorted(settings.pairs[:2], key=lambda pair: pair[1])
        )
        return float(few - many)

    def network(seed: int, name: str, sign: float) -> float:
        by = {r["R"]: r[name] for r in _of(records, "network") if r["seed"] == seed}
        return float(sign * (by[max(by)] - by[min(by)]))

    above = max(d["above_least"] for seed in seeds for r in ends[seed] for d in r["dots"])
    widths = [t["threshold"][1] - t["threshold"][0] for t in least.values()]
    R, omega = settings.compared
    small = {p: collapse_threshold(*p, 0.1).upper for p in settings.pairs[:2]}
    fall = ", ".join(f"{t:.4f} for K = {a} + {b}" for (a, b), t in small.items())
    most = max(settings.network_ratios)
    reached = np.mean([r["minority"] for r in _of(records, "network") if r["R"] == most])
    apart = [
        [p["apart"] for r in _of(records, "merging") for p in r["points"] if p["merges"] is merges]
        for merges in (True, False)
    ]
    return [
        Finding(
            "review eq. 34",
            "beyond a threshold of imbalance the angle between minority classifiers is zero",
            tuple(
                COLLAPSED - max((1 - c for c in cosines(seed, True)), default=1) for seed in seeds
            ),
            f"{COLLAPSED:g} less the largest 1 - cosine beyond t_0",
            f"t_0 enclosed to {max(widths):.0e}; descent ends at most {above:.0e} above the"
            " certified least risk",
        ),
        Finding(
            "review eq. 34",
            "below it they are apart",
            tuple(
                min((1 - c for c in cosines(seed, False)), default=0) - COLLAPSED for seed in seeds
            ),
            f"the least 1 - cosine below t_0, less {COLLAPSED:g}",
        ),
        Finding(
            "review eq. 34",
            "the threshold is smaller for smaller bounds on weights and features",
            tuple(rank_correlation(first(seed)) for seed in seeds),
            "rank correlation of omega with the least ratio at which descent collapses",
        ),
        Finding(
            "review eq. 34",
            "the threshold is larger with more minority classes",
            tuple(more(seed) for seed in seeds),
            f"cosine with few less that with many at R = {R:g}, omega = {omega:g}",
            f"not for small bounds: at omega = 0.1 t_0 is {fall}",
        ),
        Finding(
            "review Sec. 3.1",
            "minority classifiers of networks on real images turn towards each other",
            tuple(network(seed, "minority", 1.0) for seed in seeds),
            f"mean cosine at R = {most:g}, less that without imbalance",
            f"it reaches {reached:.2f}, not 1;"
            " in the regularised model merged classifiers are at most"
            f" {max(apart[0]):.0e} apart, others at least {min(apart[1]):.0e}",
        ),
    ]


def plot(records: Sequence[Record], settings: Settings) -> Figure:
    """Minority collapse: cosines of classifiers by imbalance, thresholds, merging, and networks."""
    plt = pyplot()
    figure: Figure
    figure, panels = plt.subplots(2, 2, figsize=(10.4, 7.6))
    _draw_cosines(panels[0, 0], records, settings)
    _draw_thresholds(panels[0, 1], records)
    _draw_merging(panels[1, 0], records)
    _draw_networks(panels[1, 1], records, settings)
    for letter, panel in zip("abcd", panels.ravel(), strict=True):
        panel.set_title(f"({letter}) {panel.get_title()}", loc="left", fontsize=10)
        panel.set_title("")
    return figure


def _draw_cosines(axes: Axes, records: Sequence[Record], settings: Settings) -> None:
    K_A, K_B = settings.classes
    for colour, part in zip(COLOURS, _of(records, "minimum"), strict=False):
        axes.plot(
            *zip(*part["lines"], strict=True), color=colour, label=rf"$\Omega = {part['omega']:g}$"
        )
        dots = [
            (d["ratio"], d["cosine"])
            for r in _of(records, "descent")
            if r["omega"] == part["omega"]
            for d in r["dots"]
            if d["cosine"] is not None
        ]
        axes.plot(*zip(*dots, strict=True), "o", color=colour, markersize=4.5)
        axes.plot([part["threshold"][1]] * 2, [1.03, 1.1], color=colour, linewidth=2)
        if part["vanishes"]:
            axes.plot(*part["lines"][-1], "o", color=colour, markersize=7, markerfacecolor="white")
    axes.set(
        xscale="log",
        xlabel="ratio $R$ of class sizes",
        ylabel="cosine of two minority classifiers",
        title=f"{K_A} majority, {K_B} minority classes: least risk, descent (dots)",
        ylim=(-0.3, 1.12),
    )
    axes.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.minorticks_off()
    axes.legend(loc="lower right")


def _draw_thresholds(axes: Axes, records: Sequence[Record]) -> None:
    for colour, part in zip(COLOURS, _of(records, "threshold"), strict=False):
        label = f"$K_A = {part['K_A']}$, $K_B = {part['K_B']}$"
        above = [t - 1 for t in part["thresholds"]]
        axes.plot(part["omegas"], above, color=colour, label=label)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=r"$\Omega = \sqrt{\Omega_A\Omega_F}$",
        ylabel=r"$t_0 - 1$",
        title="threshold of minority collapse",
    )
    axes.legend(loc="upper left")


def _draw_merging(axes: Axes, records: Sequence[Record]) -> None:
    merging = _of(records, "merging")
    pairs = dict.fromkeys((r["K_A"], r["K_B"]) for r in merging)
    for colour, pair in zip(COLOURS, pairs, strict=False):
        runs = [r["points"] for r in merging if (r["K_A"], r["K_B"]) == pair]
        quotients = [p["quotient"] for p in runs[0]]
        apart = np.mean([[p["apart"] for p in points] for points in runs], axis=0)
        label = f"$K_A = {pair[0]}$, $K_B = {pair[1]}$"
        axes.plot(quotients, apart, "o-", color=colour, markersize=4, label=label)
    axes.axvline(1, color="#888888", linewidth=1, linestyle=":")
    axes.set(
        xscale="log",
        xlabel=r"$n / (N^2\lambda_A\lambda_F)$",
        ylabel="spread of the minority classifiers",
        title="regularised model: descent",
    )
    axes.set_xticks([0.25, 0.5, 1, 2, 4], ["1/4", "1/2", "1", "2", "4"])
    axes.minorticks_off()
    axes.legend(loc="upper left")


def _draw_networks(axes: Axes, records: Sequence[Record], settings: Settings) -> None:
    networks, ratios = _of(records, "network"), settings.network_ratios
    styles = {
        "minority": (COLOURS[1], "o-", "cosine, minority"),
        "majority": (COLOURS[0], "s-", "cosine, majority"),
        "minority_error": (COLOURS[1], "o:", "test error, minority"),
        "majority_error": (COLOURS[0], "s:", "test error, majority"),
    }
    for name, (colour, style, label) in styles.items():
        means = [np.mean([r[name] for r in networks if r["R"] == R]) for R in ratios]
        axes.plot(ratios, means, style, color=colour, markersize=5, label=label)
    axes.set(xscale="log", xlabel="ratio $R$ of class sizes", ylim=(-0.45, 1.05))
    axes.set_title("networks on images: mean cosine of classifiers, test error")
    axes.set_xticks(ratios, [f"{R:g}" for R in ratios])
    axes.minorticks_off()
    axes.legend(loc="upper left", fontsize=9)


def text(records: Sequence[Record], settings: Settings) -> str:
    """Thresholds, and the networks, means over seeds."""
    lines = ["omega   threshold t_0   the minority vanishes at"]
    for r in _of(records, "minimum"):
        at = "never up to here" if r["vanishes"] is None else f"{r['vanishes']:.4f}"
        lines.append(f"{r['omega']:5g}{r['threshold'][1]:16.6f}   {at}")
    lines += ["", "networks: mean cosine between classifiers, and test error"]
    lines.append("     R   minority   majority   error of minority   of majority")
    for R in settings.network_ratios:
        runs = [r for r in _of(records, "network") if r["R"] == R]
        names = ("minority", "majority", "minority_error", "majority_error")
        one, two, three, four = (float(np.mean([r[name] for r in runs])) for name in names)
        lines.append(f"{R:6g}{one:11.3f}{two:11.3f}{three:20.3f}{four:14.3f}")
    return "\n".join(lines)


EXPERIMENT = Experiment(
    "minority-collapse",
    "review eq. 34",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"minority_collapse": plot},
    text,
)
