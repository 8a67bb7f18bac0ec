"""Guarantees of proximity beside measurements: one row a model, or over training.

Guarantees are blue, the darker the more information they use; measurements are black.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ncbounds.report.certificate import proximity_certificate
from ncbounds.report.compare import ModelBound, ModelReport
from ncbounds.report.guarantees import LEVELS
from ncbounds.report.plots import LINE, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHADES = dict(zip(LEVELS, ("#a6d3ee", "#56a9dc", LINE["sharp"]["color"], "#0b3556"), strict=True))
_MEASURED, _GREY = "#222222", "#777777"
#: Panels: the quantity, its title, from where on a bound is vacuous (None is C/(C-1)), and the
#: printed bound on the same cosines.
_PANELS = (
    ("nc1.relative", "variability within classes (NC1)", 1.0, ""),
    ("1 - nc3.cosine", "1 - cosine of weights and means (NC3)", 2.0, ""),
    ("1 - cosine.weights.mean", "1 - mean cosine to the weights", 2.0, ""),
    ("1 - cosine.intra.min", "1 - intra-class cosine, worst class", 1.0, "cosine.intra.min"),
    ("cosine.inter.deviation", "mean |inter-class cosine + 1/(C-1)|", None, "cosine.inter.max"),
    ("nc2.cosine", "mean |cosine of class means + 1/(C-1)|", None, ""),
)
_LEAST = 1e-12


def plot_proximity(reports: Mapping[str, ModelReport], groups: Mapping[str, str]) -> Figure:
    """Draw measured collapse beside what is guaranteed, one row a model, one panel a quantity.

    `groups` names a series for each model ("batch norm", "no batch norm"). Where the printed
    theorem bounds the same cosines, a note tells by how much it fails to say anything.
    """
    plt = pyplot()
    names = list(reports)
    size = (12.0, 2 * (0.85 + 0.24 * len(names)) + 0.7)
    figure, panels = plt.subplots(2, 3, figsize=size, sharey=True)
    levels = set()
    C = max(r.measurement.K for r in reports.values())
    for axes, (quantity, title, trivial, printed) in zip(panels.flat, _PANELS, strict=True):
        for place, name in enumerate(names):
            bounds = [b for b in reports[name].bounds if b.quantity == quantity]
            levels |= {b.level for b in bounds}
            _draw_row(axes, place, bounds, groups[name])
        axes.set_xscale("log")
        axes.set_title(title, loc="left", fontsize=9.5)
        axes.set_yticks(range(len(names)), names, fontsize=8.5)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        _shade_vacuous(axes, trivial or C / (C - 1))
        if printed:
            bounds = [b for r in reports.values() for b in r.bounds if b.quantity == printed]
            axes.set_xlabel(_note(bounds), fontsize=8, color=_GREY, loc="left")
    _legend(figure, groups, [level for level in LEVELS if level in levels])
    figure_: Figure = figure
    return figure_


def _draw_row(axes: Axes, place: int, bounds: Sequence[ModelBound], group: str) -> None:
    """A measurement as a dot, its guarantees as short bars, and a line between them."""
    if not bounds:
        return
    measured = max(bounds[0].measured, _LEAST)
    limits = {b.level: max(float(b.bound), _LEAST) for b in bounds}
    axes.plot([measured, max(limits.values())], [place, place], color="#d8d8d8", linewidth=1.5)
    for level, limit in limits.items():
        bar = {"color": _SHADES[level], "linewidth": 2.6, "solid_capstyle": "butt"}
        axes.plot([limit, limit], [place - 0.36, place + 0.36], zorder=2, **bar)
    axes.plot(measured, place, markerfacecolor=_fill(group), **_dot(), zorder=3)


def _dot() -> dict[str, Any]:
    return {"marker": "o", "linestyle": "none", "color": _MEASURED, "markersize": 5.5}


def _fill(group: str) -> str:
    return _MEASURED if group == "batch norm" else "white"


def _shade_vacuous(axes: Axes, trivial: float) -> None:
    """Shade where a bound is no better than what holds anyway."""
    from matplotlib.ticker import NullFormatter

    low, high = axes.get_xlim()
    top = max(high, 2.5 * trivial)
    axes.axvspan(trivial, top, color="#eeeeee", zorder=0)
    axes.set_xlim(min(low, 0.08), top)  # two powers of ten at least
    axes.xaxis.set_minor_formatter(NullFormatter())


def _note(bounds: Sequence[ModelBound]) -> str:
    """What the printed theorem says of the cosines of a panel, at its best."""
    found = [b for b in bounds if b.variant == "printed" and b.bound.log10 is not None]
    lines = []
    for reading in dict.fromkeys(b.reading for b in found):
        own = [b for b in found if b.reading == reading]
        relation = r"$\geq$" if own[0].direction == "lower" else r"$\leq$"
        void = sum(bool(b.vacuous) for b in own)
        words = "vacuous" if void == len(own) else f"vacuous in {void} of {len(own)}"
        at = reading.replace("kappa", r"$\kappa$")
        lines.append(f"printed, {at}: cosine {relation} {_short(max(own, key=_better))}, {words}")
    return "\n".join(lines)


def _better(b: ModelBound) -> float:
    return float(b.bound) if b.direction == "lower" else -float(b.bound)


def _short(b: ModelBound) -> str:
    value = float(b.bound)
    if abs(value) < 1e4:
        return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"
    return f"{'-' if value < 0 else ''}$10^{{{b.bound.log10:.0f}}}$"


def _legend(figure: Figure, groups: Mapping[str, str], levels: Sequence[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], label=f"measured, {group}", markerfacecolor=_fill(group), **_dot())
        for group in dict.fromkeys(groups.values())
    ]
    handles += [
        Line2D([], [], linewidth=2.6, color=_SHADES[level], label=f"guaranteed from {level}")
        for level in levels
    ]
    handles.append(Patch(color="#eeeeee", label="vacuous"))
    figure.legend(handles=handles, fontsize=9, ncols=4, loc="outside lower center")


# -- over training --------------------------------------------------------------------------------

_ROWS = {
    "nc1.relative": "variability within\nclasses (NC1)",
    "1 - nc3.cosine": "1 - cosine of weights\nand means (NC3)",
}


def plot_proximity_over_training(runs: Mapping[str, Mapping[str, Any]], classes: int) -> Figure:
    """Draw guarantee against measurement over training, one column a run.

    `runs` gives for each run vectors by name: `step`, and what
    `ncbounds.measure.defects.loss_gap` gives at each.
    """
    plt = pyplot()
    size = (2.6 + 3.3 * len(runs), 5.8)
    figure, panels = plt.subplots(
        2, len(runs), figsize=size, sharex="col", sharey="row", squeeze=False
    )
    for column, (name, found) in enumerate(runs.items()):
        bounds = _guaranteed(found, classes)
        measured = {
            "nc1.relative": found["nc1.relative"],
            "1 - nc3.cosine": 1 - found["nc3.cosine"],
        }
        for axes, quantity in zip(panels[:, column], _ROWS, strict=True):
            steps = found["step"]
            axes.plot(steps, measured[quantity], color=_MEASURED, linewidth=2.0, label="measured")
            for level in LEVELS[:2]:
                style = {"color": _SHADES[level], "linewidth": 2.0}
                label = f"guaranteed from\n{level}"
                axes.plot(steps, bounds[quantity, level], label=label, **style)
            axes.set_xscale("log")
            axes.set_yscale("log")
        panels[0, column].set_title(name, loc="left", fontsize=10)
        panels[1, column].set_xlabel("epoch")
    for row, title in zip(panels, _ROWS.values(), strict=True):
        row[0].set_ylabel(title)
    panels[0, -1].legend(fontsize=8.5, loc="center left", bbox_to_anchor=(1.02, 0.5))
    figure_: Figure = figure
    return figure_


def _guaranteed(found: Mapping[str, Any], classes: int) -> dict[tuple[str, str], list[float]]:
    """The guarantees at every step, nan where a number gives none."""
    curves: dict[tuple[str, str], list[float]] = {
        (quantity, level): [] for quantity in _ROWS for level in LEVELS[:2]
    }
    for alpha, b, loss, odds in zip(
        *(found[name].tolist() for name in ("alpha", "b", "loss", "log_odds")), strict=True
    ):
        certified = proximity_certificate(
            classes=classes, alpha=alpha, beta=b, loss=loss, log_odds=odds
        )
        values = {(g.quantity, g.level): float(g.bound) for g in certified.guarantees}
        for key, curve in curves.items():
            curve.append(values.get(key, float("nan")))
    return curves
