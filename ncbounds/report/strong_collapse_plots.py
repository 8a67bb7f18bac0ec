"""Plot of strong collapse by size of the initialisation: figure 3 of `review`, and its reasons.

Above, the errors of SNC1 to SNC3 over time, a line a run, dark for a small initialisation. Below,
the errors at the end against its size; how far paths stray from the subspace S; and the error of
SNC1 by dimension, which K - 1 dimensions allow to vanish and fewer do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from ncbounds.errors import InputError
from ncbounds.report.plots import VACUOUS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Run = dict[str, Any]
_ERRORS = {"snc1": r"$\delta_1$", "snc2": r"$\delta_2$", "snc3": r"$\delta_3$"}
_TITLES = {
    "snc1": r"SNC1: $\|AA^\top - \sqrt{n}(I - \frac{1}{K}11^\top)\|$",
    "snc2": r"SNC2: $\|F - (A \otimes 1)^\top/\sqrt{n}\|$",
    "snc3": r"SNC3: $|b - \frac{1}{K}1|$",
}
_SHADES = ("#0b3556", "#2a7ab8", "#6fb1dc", "#e0b04a", "#e08a1e", "#a33b20")
_COLOURS = {"snc1": "#0b3556", "snc2": "#D55E00", "snc3": "#2a8c6a"}
_MARKS = ("o", "s", "^", "D", "v")


def plot_strong_collapse(runs: Sequence[Run], classes: int, samples: int) -> Figure:
    """Draw what the experiment strong-collapse recorded."""
    if not runs:
        raise InputError("runs", "none", "at least one")
    largest = max(run["m"] for run in runs)
    main = [run for run in runs if run["m"] == largest]
    plt = pyplot()
    figure, panels = plt.subplots(2, 3, figsize=(11.4, 6.9))
    for axes, name in zip(panels[0], _ERRORS, strict=True):
        _over_time(axes, main, name)
    panels[0, 1].legend(
        title=r"initial norms $\epsilon$", fontsize=8, title_fontsize=8, ncols=2, loc="lower right"
    )
    _at_the_end(panels[1, 0], main)
    _off_the_subspace(panels[1, 1], main)
    _by_dimension(panels[1, 2], runs, classes, samples)
    for axes in panels[1]:
        axes.set_xlabel(r"initial norms $\epsilon = \|A_0\| = \|F_0\|$")
    figure.suptitle(
        f"Square error, K = {classes}, n = {samples}, m = {largest} where not said", fontsize=11
    )
    found: Figure = figure
    return found


def _over_time(axes: Axes, runs: Sequence[Run], name: str) -> None:
    for shade, scale in zip(_SHADES, _scales(runs), strict=False):
        for place, run in enumerate(_of(runs, scale)):
            label = f"{scale:g}" if place == 0 else None
            axes.plot(run["t"], run[name], color=shade, linewidth=1.3, label=label)
    axes.set_yscale("log")
    axes.set_title(_TITLES[name], loc="left", fontsize=10)
    axes.set_xlabel("time")
    if name == "snc2":  # room for the legend
        low, high = axes.get_ylim()
        axes.set_ylim(low / 300, high)


def _at_the_end(axes: Axes, runs: Sequence[Run]) -> None:
    scales = _scales(runs)
    for mark, (name, label) in zip(_MARKS, _ERRORS.items(), strict=False):
        ends = [_mean([run[name][-1] for run in _of(runs, scale)]) for scale in scales]
        axes.plot(scales, ends, marker=mark, markersize=5, color=_COLOURS[name], label=label)
    least = [_mean([run["snc2_at_least"] for run in _of(runs, scale)]) for scale in scales]
    shown = rf"{_ERRORS['snc2']} at least, by $A^\top A - FF^\top$"
    axes.plot(scales, least, color=_COLOURS["snc2"], linewidth=1.1, linestyle="--", label=shown)
    _logarithmic(axes, "errors at the end")


def _off_the_subspace(axes: Axes, runs: Sequence[Run]) -> None:
    scales = _scales(runs)
    shown = {
        "off_subspace": ("from the subspace S", _COLOURS["snc1"]),
        "from_exact": ("from the exact flow on S", _COLOURS["snc2"]),
    }
    for mark, (name, (label, colour)) in zip(_MARKS, shown.items(), strict=False):
        values = [_mean([run[name] for run in _of(runs, scale)]) for scale in scales]
        style: dict[str, Any] = {"marker": mark, "markersize": 4}
        if mark == _MARKS[0]:  # a ring around the other: the two nearly coincide
            style |= {"markersize": 10, "markerfacecolor": "none"}
        axes.plot(scales, values, color=colour, label=label, **style)
    _logarithmic(axes, "largest distance of the path")


def _by_dimension(axes: Axes, runs: Sequence[Run], classes: int, samples: int) -> None:
    dimensions = sorted({run["m"] for run in runs}, reverse=True)
    for mark, shade, m in zip(_MARKS, (*_SHADES[:2], _SHADES[5], *_SHADES[2:5]), dimensions,
                              strict=False):  # fmt: skip
        chosen = [run for run in runs if run["m"] == m]
        scales = _scales(chosen)
        ends = [_mean([run["snc1"][-1] for run in _of(chosen, scale)]) for scale in scales]
        axes.plot(scales, ends, marker=mark, markersize=5, color=shade, label=f"m = {m}")
        if m < classes - 1:
            least = sqrt(samples * (classes - 1 - m))
            axes.axhline(least, **VACUOUS, label=rf"$\sqrt{{n(K - 1 - m)}}$, m = {m}")
    _logarithmic(axes, r"$\delta_1$ at the end, by dimension")


def _logarithmic(axes: Axes, title: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(fontsize=8)


def _scales(runs: Sequence[Run]) -> list[float]:
    return sorted({run["scale"] for run in runs})


def _of(runs: Sequence[Run], scale: float) -> list[Run]:
    return [run for run in runs if run["scale"] == scale]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
