"""Pictures of measurements: how far from collapse, by family of metrics, one model or several.

Everything is drawn as a distance from collapse, on a logarithmic scale where left, or down, is
nearer: a metric that collapse sends to zero as it is, a cosine or an accuracy as one minus it.
Colours are told apart by the colour-blind, and shapes and dashes in grey. What is exactly zero, or
below all rounding errors, stands on a line of its own at the end of the scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncbounds.errors import InputError
from ncbounds.measure import METRICS, Measurement
from ncbounds.report.plots import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The metrics drawn where none are chosen: of each family those that say different things.
CHIEF = (
    *("nc1.pinv", "nc1.relative", "cdnv.mean"),
    *("nc2.etf", "nc2.equiangular", "nc2.equinorm"),
    *("nc2.etf.weights", "nc2.equiangular.weights", "nc2.equinorm.weights"),
    *("nc3.etf", "nc3.distance", "nc3.cosine"),
    *("nc4.disagreement", "ncc.error", "accuracy"),
    *("gnc1", "nc1.spherical", "gnc3"),
)
_FAMILIES = {
    "NC1: variability within classes": ("nc1.", "cdnv."),
    "NC2: class means": ("nc2.",),
    "NC2: weights": (),
    "NC3: weights beside class means": ("nc3.", "cosine.weights."),
    "NC4: predictions": ("nc4.", "ncc.", "accuracy"),
    "Generalised, on the sphere": ("gnc", "nc1.spherical"),
    "Cosines of features": ("cosine.",),
    "Loss and the rest": ("",),
}
#: Where "higher is nearer" means nearer to one.
_TO_ONE = ("nc3.cosine", "cosine.intra.", "cosine.weights.", "accuracy")
#: Where "lower is nearer" does not mean nearer to zero.
_BELOW_ZERO = ("cosine.inter.m", "cosine.means.", "cosine.rows.", "loss.hardmax")
#: Characters of a name below a panel.
_LONGEST_NAME = 14
#: Colour, shape and dashes of a series; the first has most ink.
_STYLES = (
    ("#0072B2", "o", "solid"),
    ("#D55E00", "s", (0, (5, 2))),
    ("#009E73", "^", (0, (6, 2, 1, 2))),
    ("#CC79A7", "D", (0, (1, 1.5))),
    ("#7a5200", "v", (0, (3, 1, 1, 1, 1, 1))),
    ("#222222", "P", (0, (8, 3))),
)
_SMALLEST = 1e-15


@dataclass(frozen=True)
class _Scale:
    """Where distances lie on a logarithmic axis, with a place for zero below its least decade."""

    least: int
    most: float
    zero: bool

    def at(self, distance: float) -> float:
        """The exponent at which a distance is drawn."""
        return math.log10(distance) if distance > _SMALLEST else self.least - 0.6

    @property
    def ticks(self) -> dict[float, str]:
        """Places of the axis and what stands there."""
        step = max(1, math.ceil((self.most - self.least) / 6))
        decades = range(math.floor(self.most), self.least - 1, -step)
        shown = {float(e): f"{10.0**e:g}" if -5 < e < 5 else f"$10^{{{e}}}$" for e in decades}
        return shown | ({self.at(0): "0"} if self.zero else {})

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the axis."""
        return self.least - (0.9 if self.zero else 0.12), self.most + 0.12


def plot_measurements(
    measurements: Measurement | Mapping[str, Measurement],
    metrics: Iterable[str] | None = None,
    *,
    along: str | None = None,
) -> Figure:
    """Draw one measurement or several: a row a metric, or curves along epochs or layers.

    Parameters
    ----------
    measurements
        One, or several by name; at most six beside each other, any number of them `along`.
    metrics
        Names of `METRICS` that have a distance from collapse; the chief ones of each family
        without. What no measurement has is left out.
    along
        What the measurements follow in their order, such as ``"epoch"`` or ``"layer"``: then one
        panel a family and one curve a metric. Names that are numbers are drawn to scale.

    Raises
    ------
    InputError
        When nothing is left to draw, or a metric has no distance from collapse; when there are more
        than six, or `along` fewer than two.

    Examples
    --------
    >>> from ncbounds.measure import measure
    >>> found = measure([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]], [0, 0, 1, 1])
    >>> figure = plot_measurements({"before": found, "after": found}, ["nc1.pinv", "cdnv.max"])
    >>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    ['nc1.pinv', 'cdnv.max']
    """
    several, names = _admitted(measurements, metrics, along)
    plt = pyplot()
    if along is None:
        figure: Figure = _rows(plt, several, names)
    else:
        figure = _curves(plt, several, names, along)
    return figure


def describe_measurements(
    measurements: Measurement | Mapping[str, Measurement],
    metrics: Iterable[str] | None = None,
    *,
    along: str | None = None,
) -> str:
    """What `plot_measurements` draws, in words: the alternative text of the picture."""
    several, names = _admitted(measurements, metrics, along)
    text = "Distances from neural collapse on a logarithmic scale, nearer to collapse is less."
    if along is None:
        for series, one in several.items():
            shown = [f"{_label(n)} {d:.3g}" for n in names if (d := _distance(one, n)) is not None]
            text += f" {series or 'Measured'}: {', '.join(shown)}."
        return text
    first, *_, last = several.items()
    shown = []
    for name in names:
        at_first, at_last = _distance(first[1], name), _distance(last[1], name)
        if at_first is not None and at_last is not None:
            shown.append(f"{_label(name)} {at_first:.3g} to {at_last:.3g}")
    return f"{text} From {along} {first[0]} to {last[0]}: {', '.join(shown)}."


def drawable(measurements: Iterable[Measurement]) -> list[str]:
    """The metrics of some measurements that have a distance from collapse."""
    known = {name for one in measurements for name in one.metrics}
    return [name for name in METRICS if name in known and _has_distance(name)]


def save_figure(figure: Figure, path: Path, description: str) -> None:
    """Write a picture with its alternative text, where the format has a place for one."""
    key = "Subject" if path.suffix == ".pdf" else "Description"
    figure.savefig(path, dpi=160, metadata={key: description})
    pyplot().close(figure)


def _admitted(
    measurements: Measurement | Mapping[str, Measurement],
    metrics: Iterable[str] | None,
    along: str | None,
) -> tuple[dict[str, Measurement], list[str]]:
    """Measurements by name, and the metrics to draw in the order of their families."""
    several = {"": measurements} if isinstance(measurements, Measurement) else dict(measurements)
    if along is None and not 1 <= len(several) <= len(_STYLES):
        remedy = "with along= they are drawn as curves"
        domain = f"1 to {len(_STYLES)} beside each other"
        raise InputError("measurements", f"{len(several)} of them", domain, remedy)
    if along is not None and len(several) < 2:
        raise InputError("measurements", f"{len(several)} of them", f"two or more along {along}")
    wanted = list(CHIEF if metrics is None else metrics)
    for name in wanted:
        if name not in METRICS or not _has_distance(name):
            raise InputError("metrics", name, "metrics of METRICS that collapse sends to 0 or to 1")
    names = [n for n in wanted if any(_distance(one, n) is not None for one in several.values())]
    if not names:
        shown = ", ".join(wanted[:5]) or "none"
        raise InputError("metrics", shown, "some that are defined for what was measured")
    order = list(_FAMILIES)
    return several, sorted(names, key=lambda name: order.index(_family(name)))


def _has_distance(name: str) -> bool:
    if METRICS[name].direction == "lower":
        return not name.startswith(_BELOW_ZERO)
    return METRICS[name].direction == "higher" and name.startswith(_TO_ONE)


def _distance(one: Measurement, name: str) -> float | None:
    """How far a metric is from where collapse sends it; None where it is not defined."""
    value = one.metrics.get(name)
    if value is None:
        return None
    return abs(value) if METRICS[name].direction == "lower" else max(0.0, 1 - value)


def _label(name: str) -> str:
    unit = " (degrees)" if "angle" in name else ""
    return name + unit if METRICS[name].direction == "lower" else f"1 - {name}"


def _family(name: str) -> str:
    if name == "nc1.spherical":
        return "Generalised, on the sphere"
    if name.startswith("nc2.") and name.endswith(".weights"):
        return "NC2: weights"
    return next(f for f, starts in _FAMILIES.items() if name.startswith(starts or ("\0",)))


def _scale(distances: Sequence[float]) -> _Scale:
    positive = [d for d in distances if d > _SMALLEST]
    least = math.floor(math.log10(min(positive, default=0.1)))
    most = math.log10(max(positive, default=1.0))
    return _Scale(least, max(most, least + 1.0), len(positive) < len(distances))


def _rows(plt: Any, several: dict[str, Measurement], names: list[str]) -> Any:
    """A row a metric under the heading of its family; the numbers beside it if one is drawn."""
    found = {n: [_distance(one, n) for one in several.values()] for n in names}
    scale = _scale([d for row in found.values() for d in row if d is not None])
    places: dict[str, float] = {}
    headings: dict[str, float] = {}
    below = 0.0
    for name in names:
        if _family(name) not in headings:
            headings[_family(name)] = below + 0.3
            below += 1.3
        places[name] = below
        below += 1
    single = len(several) == 1
    figure, axes = plt.subplots(figsize=(7.4, 1.1 + 0.23 * below + 0.25 * (not single)))
    for name, row in found.items():
        there = [scale.at(d) for d in row if d is not None]
        left = scale.limits[0] if single else min(there)
        axes.plot([left, max(there)], [places[name]] * 2, color="#c8c8c8", linewidth=1.4, zorder=1)
        for (colour, mark, _), d in zip(_STYLES, row, strict=False):
            if d is not None:
                hollow = "none" if d <= _SMALLEST else colour
                style = {"color": colour, "markerfacecolor": hollow, "markersize": 6.5}
                axes.plot(scale.at(d), places[name], marker=mark, clip_on=False, **style)
        if single and row[0] is not None:
            _beside(axes, places[name], f"{row[0]:.3g}")
    for family, place in headings.items():
        at: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
        axes.text(-0.012, place, family, ha="right", fontsize=9, fontweight="bold", **at)
    axes.set_yticks(list(places.values()), [_label(n) for n in names], fontsize=9)
    axes.set_ylim(below - 0.3, -0.2)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    _ruled(axes.xaxis, scale)
    axes.set_xlim(*scale.limits)
    axes.set_xlabel("distance from collapse")
    title = "How far from neural collapse"
    if single:
        title += f"\n{_size(next(iter(several.values())))}"
    else:
        handles = [_handle(style, name) for style, name in zip(_STYLES, several, strict=False)]
        columns = len(handles) if sum(map(len, several)) < 60 else 2
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=9)
    axes.set_title(title, loc="left", fontsize=10.5)
    return figure


def _curves(plt: Any, several: dict[str, Measurement], names: list[str], along: str) -> Any:
    """A panel a family, a curve a metric, over numbers or names in their order."""
    families = list(dict.fromkeys(_family(name) for name in names))
    columns = min(3, len(families))
    shape = (math.ceil(len(families) / columns), columns)
    places, numbers = _places(list(several))
    shown = [_short(name) for name in several]
    crowded = not numbers and sum(map(len, shown)) > 30
    size = (1.0 + 3.6 * columns, 0.8 + (3.5 if crowded else 2.9) * shape[0])
    figure, panels = plt.subplots(*shape, figsize=size, squeeze=False)
    for axes, family in zip(panels.flat, families, strict=False):
        own = [name for name in names if _family(name) == family]
        curves = {n: [_distance(one, n) for one in several.values()] for n in own}
        scale = _scale([d for row in curves.values() for d in row if d is not None])
        for (colour, mark, dashes), (name, row) in zip(_cycled(own), curves.items(), strict=True):
            y = [math.nan if d is None else scale.at(d) for d in row]
            style = {"color": colour, "linestyle": dashes, "marker": mark, "markersize": 4}
            often = max(1, len(y) // 12)
            axes.plot(places, y, linewidth=1.6, label=_label(name), markevery=often, **style)
        _ruled(axes.yaxis, scale)
        low, high = scale.limits
        axes.set_ylim(low, high + 0.12 * len(own) * (high - low))  # room for the legend
        if not numbers:
            turn = {"rotation": 35, "ha": "right"} if crowded else {}
            axes.set_xticks(places, shown, fontsize=8, **turn)
        axes.set_title(family, loc="left", fontsize=10)
        axes.set_xlabel(along)
        axes.legend(fontsize=8, loc="upper right", handlelength=3)
    for axes in panels.flat[len(families) :]:
        axes.set_visible(False)
    figure.suptitle("Distance from neural collapse", x=0.01, ha="left", fontsize=10.5)
    return figure


def _places(series: list[str]) -> tuple[list[float], bool]:
    """Where the measurements stand: at their numbers if their names are numbers that grow."""
    try:
        numbers = [float(name) for name in series]
    except ValueError:
        return [float(i) for i in range(len(series))], False
    grow = all(a < b for a, b in pairwise(numbers))
    return (numbers, True) if grow else ([float(i) for i in range(len(series))], False)


def _short(name: str) -> str:
    """A name that leaves room for the curves: its ends, which tell files and layers apart."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:6]}…{name[-7:]}"


def _cycled(names: Sequence[str]) -> list[tuple[Any, ...]]:
    return [_STYLES[i % len(_STYLES)] for i in range(len(names))]


def _ruled(axis: Any, scale: _Scale) -> None:
    """Ticks at decades; zero apart from them."""
    axis.set_ticks(list(scale.ticks), list(scale.ticks.values()))


def _beside(axes: Axes, place: float, text: str) -> None:
    at: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
    axes.text(1.02, place, text, fontsize=9, color="#222222", **at)


def _handle(style: tuple[Any, ...], name: str) -> Any:
    from matplotlib.lines import Line2D

    colour, mark, _ = style
    return Line2D([], [], color=colour, marker=mark, linestyle="none", markersize=6.5, label=name)


def _size(one: Measurement) -> str:
    samples = f"n = {one.n:,} samples, " if one.n else ""
    return f"{samples}d = {one.d:,} dimensions, K = {one.K:,} classes"
