"""Plots with one visual language: theory as lines, measurement as marks, vacuity as grey.

Printed bounds are dashed vermilion, corrected ones dash-dotted green, ours solid blue; dots are
measurements, black with and white without batch norm. Where a bound says nothing, it is
drawn thin and grey. The colours are told apart by the colour-blind, and the line styles in print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.theory import statement
from ncbounds.theory.evaluate import Evaluation, evaluate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE: dict[str, dict[str, Any]] = {
    "printed": {"color": "#D55E00", "linestyle": (0, (5, 2))},
    "corrected": {"color": "#009E73", "linestyle": (0, (6, 2, 1, 2))},
    "sharp": {"color": "#0072B2", "linestyle": "solid"},
}
VACUOUS: dict[str, Any] = {"color": "#9a9a9a", "linewidth": 1.0, "linestyle": (0, (1, 2))}
_SIDE = {"upper": "upper bound", "lower": "lower bound", "value": "value"}


def pyplot() -> Any:
    """Matplotlib with our settings, without a window."""
    try:
        import matplotlib as mpl
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise MissingDependencyError(
            'matplotlib is missing: pip install "ncbounds[plot]"'
        ) from error
    mpl.use("Agg")
    mpl.rcParams.update(
        {
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#e6e6e6",
            "grid.linewidth": 0.8,
            "axes.axisbelow": True,
            "legend.frameon": False,
            "svg.hashsalt": "ncbounds",
            "svg.fonttype": "path",
            "figure.constrained_layout.use": True,
        }
    )
    return plt


def plot_bounds(id: str, parameters: Mapping[str, Any], variant: str | None = None) -> Figure:
    """Draw the bounds of a statement along the one parameter that is a grid.

    Raises
    ------
    InputError
        When not exactly one parameter has several values, or `evaluate` refuses the input.
    """
    found = evaluate(id, variant=variant, digits=8, **parameters)
    axis = _varying(found)
    fixed = {
        name: str(value) for e in found for name, value in e.parameters.items() if name != axis
    }
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.2, 4.4))
    curves = {(e.variant, e.reading, e.quantity, e.direction): None for e in found}
    for variant_name, reading, quantity, direction in curves:
        chosen = [
            e
            for e in found
            if (e.variant, e.reading, e.quantity, e.direction)
            == (variant_name, reading, quantity, direction)
            and axis in e.parameters
        ]
        _draw_curve(axes, chosen, axis, variant_name)
    quantities = list(dict.fromkeys(e.quantity for e in found))
    at = ", ".join(f"{name} = {value}" for name, value in fixed.items())
    title = f"{statement(id).title}\n{id}" + (f", {at}" if at else "")
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(axis)
    axes.set_ylabel("; ".join(quantities))
    _scales(axes, found, axis)
    _curve_legend(axes, found)
    figure_: Figure = figure
    return figure_


def _varying(found: Sequence[Evaluation]) -> str:
    values: dict[str, set[Any]] = {}
    for e in found:
        for name, value in e.parameters.items():
            values.setdefault(name, set()).add(value)
    grids = [name for name, seen in values.items() if len(seen) > 1]
    if len(grids) != 1:
        shown = ", ".join(grids) or "none"
        raise InputError("-p", shown, "exactly one parameter with several values (2:64:40:log)")
    return grids[0]


def _draw_curve(axes: Axes, chosen: Sequence[Evaluation], axis: str, variant: str) -> None:
    """One bound: in its colour where it says something, grey where it is vacuous."""
    x = [float(e.parameters[axis]) for e in chosen]
    y = [float(e) if e.in_domain else float("nan") for e in chosen]
    vacuous = [bool(e.vacuous) for e in chosen]
    hole = float("nan")
    grey = [
        b if v or (i + 1 < len(vacuous) and vacuous[i + 1]) else hole
        for i, (b, v) in enumerate(zip(y, vacuous, strict=True))
    ]
    axes.plot(x, grey, **VACUOUS)
    solid = [hole if v else b for b, v in zip(y, vacuous, strict=True)]
    axes.plot(x, solid, linewidth=1.8, **LINE[variant])


def _curve_legend(axes: Axes, found: Sequence[Evaluation]) -> None:
    """One entry a variant, saying which sides it has; one for what is vacuous."""
    from matplotlib.lines import Line2D

    handles, labels = [], []
    for variant in dict.fromkeys(e.variant for e in found):
        sides = dict.fromkeys(e.direction for e in found if e.variant == variant)
        handles.append(Line2D([], [], linewidth=1.8, **LINE[variant]))
        labels.append(f"{variant}: {' and '.join(_SIDE[side] for side in sides)}")
    if any(e.vacuous for e in found):
        handles.append(Line2D([], [], **VACUOUS))
        labels.append("vacuous: no better than what holds anyway")
    axes.legend(handles, labels, fontsize=9)


def _scales(axes: Axes, found: Sequence[Evaluation], axis: str) -> None:
    x = sorted({float(e.parameters[axis]) for e in found if axis in e.parameters})
    if x[0] > 0 and x[-1] / x[0] > 30:
        axes.set_xscale("log")
    y = [abs(float(e)) for e in found if e.decimal is not None and float(e) != 0]
    finite = [v for v in y if v < float("inf")]
    if finite and min(finite) > 0 and max(finite) / min(finite) > 100:
        axes.set_yscale("log")


#: Rows of the loss-gap figure: the split, and what its gap is.
_GAP_ROWS = {
    "log": "gap of the log-odds, $T - \\phi^{-1}(L)$",
    "reg": "gap of the regularised loss",
    "gap": "gap of the loss, $L - m$",
}
_DEFECT_LINE: dict[str, dict[str, Any]] = {
    "misalignment": {"color": "#0072B2", "linestyle": "solid", "marker": "o"},
    "self_duality": {"color": "#0072B2", "linestyle": "solid", "marker": "o"},
    "off_class": {"color": "#D55E00", "linestyle": (0, (5, 2)), "marker": "s"},
    "dispersion": {"color": "#009E73", "linestyle": (0, (6, 2, 1, 2)), "marker": "^"},
    "margins": {"color": "#009E73", "linestyle": (0, (6, 2, 1, 2)), "marker": "^"},
    "centre": {"color": "#CC79A7", "linestyle": (0, (1, 1.5)), "marker": "D"},
}


def plot_loss_gap(defects: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw how the loss gap of models splits into its defects over training, one column a model.

    `defects` gives for each model vectors by name: `step`, and what
    `ncbounds.measure.defects.loss_gap` gives at each. Two rows: the gap of the log-odds, and that
    of the regularised loss, or of the loss where the models have no weight decay.
    """
    from ncbounds.measure.defects import SPLITS

    plt = pyplot()
    regularised = all("reg.gap" in found for found in defects.values())
    splits = ("log", "reg" if regularised else "gap")
    size = (3.0 + 3.3 * len(defects), 6.6)
    figure, panels = plt.subplots(
        2, len(defects), figsize=size, sharex="col", sharey="row", squeeze=False
    )
    for row, split in zip(panels, splits, strict=True):
        for axes, found in zip(row, defects.values(), strict=True):
            _draw_split(axes, split, found)
        row[0].set_ylabel(_GAP_ROWS[split])
        row[0].set_ylim(_limits(split, defects))
        _split_legend(row[-1], SPLITS[split])
    for above, below, name in zip(*panels, defects, strict=True):
        above.set_title(name, loc="left", fontsize=10)
        below.set_xlabel("epoch")
    figure_: Figure = figure
    return figure_


def _limits(split: str, defects: Mapping[str, Mapping[str, Any]]) -> tuple[float, float]:
    """From the least that matters, three decades below the gap, to the largest gap."""
    from ncbounds.measure.defects import SPLITS

    gaps = [value for found in defects.values() for value in found[f"{split}.gap"]]
    names = [f"{split}.{defect}" for defect in SPLITS[split]]
    least = min(value for found in defects.values() for name in names for value in found[name])
    return 0.8 * max(float(least), 1e-3 * float(min(gaps)), 1e-15), 1.5 * float(max(gaps))


def _draw_split(axes: Axes, split: str, found: Mapping[str, Any]) -> None:
    """The gap as a black line, above the defects that add up to it."""
    from ncbounds.measure.defects import SPLITS

    steps, gap = found["step"], found[f"{split}.gap"]
    axes.plot(steps, gap, color="#222222", linewidth=2.2)
    for defect in SPLITS[split]:
        values = found[f"{split}.{defect}"]
        axes.plot(steps, values, linewidth=1.6, markersize=3.5, markevery=4, **_DEFECT_LINE[defect])
    axes.set_xscale("log")
    axes.set_yscale("log")


def _split_legend(axes: Axes, words: Mapping[str, str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color="#222222", linewidth=2.2, label="gap: the sum")]
    handles += [
        Line2D([], [], linewidth=1.6, markersize=3.5, label=label, **_DEFECT_LINE[defect])
        for defect, label in words.items()
    ]
    axes.legend(handles=handles, fontsize=8.5, loc="center left", bbox_to_anchor=(1.02, 0.5))


def svg(figure: Figure) -> str:
    """Return a figure as SVG text to stand in a page, and close it."""
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    pyplot().close(figure)
    whole = text.getvalue()
    return whole[whole.index("<svg") :]
