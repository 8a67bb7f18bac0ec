"""The largest margin of K classes in d dimensions: printed bounds, the best, and known codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ncbounds.codes.bounds import lower_bounds, upper_bounds
from ncbounds.codes.catalogue import known
from ncbounds.errors import InputError
from ncbounds.report.plots import LINE, pyplot
from ncbounds.theory.evaluate import read_values
from ncbounds.theory.softmax_code.code_bounds import rankin_upper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BEST, _BETWEEN, _KNOWN = "#0b3556", "#d9eaf6", "#222222"
_CURVES = {
    "printed": ("printed bounds (13)", {"linewidth": 1.6, **LINE["printed"]}),
    "factor 4": ("a factor 4 apart, ours", {"linewidth": 1.4, "color": "#56a9dc"}),
}
_LABELS = {"d": "feature dimension d", "K": "number of classes K"}
_MOST_POINTS = 400


@dataclass(frozen=True)
class _Point:
    """All that is drawn at one place."""

    x: float
    bounds: dict[tuple[str, str], float]
    lower: float
    upper: float
    rankin: float
    known: float | None


def plot_margin(parameters: Mapping[str, Any]) -> Figure:
    """Draw bounds on the optimal one-vs-rest distance along d (fixed K) or along K (fixed d).

    Between the best proved bounds the optimum lies (shaded blue); above Rankin's bound, which is
    1 for K >= d + 2, a bound says nothing (shaded grey). Dots are arrangements of the catalogue,
    whose distance is the optimum.

    Raises
    ------
    InputError
        When not exactly one of d and K has several values, or a value is out of range.
    """
    axis, places = _places(parameters)
    points = [_point(axis, d, K) for d, K in places]
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.2, 4.6))
    _draw(axes, points)
    _scales(axes, axis, points)
    _shade_vacuous(axes, points)
    fixed = {"d": places[0][0], "K": places[0][1]}
    other = "K" if axis == "d" else "d"
    axes.set_title(
        f"Largest one-vs-rest distance of K unit vectors in R$^d$, {other} = {fixed[other]:,}",
        loc="left",
        fontsize=10,
    )
    axes.set_xlabel(_LABELS[axis])
    axes.set_ylabel("one-vs-rest distance")
    _legend(figure, points)
    figure_: Figure = figure
    return figure_


def _places(parameters: Mapping[str, Any]) -> tuple[str, list[tuple[int, int]]]:
    """The name of the parameter that varies, and the pairs (d, K)."""
    declared = {p.name: p for p in rankin_upper.parameters}
    for name in parameters:
        if name not in declared:
            raise InputError(name, str(parameters[name]), f"one of {', '.join(declared)}")
    for name in declared:
        if name not in parameters:
            raise InputError(name, "missing", f"given, as {name}=VALUE")
    grids: dict[str, list[int]] = {}
    for name, parameter in declared.items():
        least = Fraction(2)
        values = read_values(parameter, parameters[name])
        for value in values:
            if value.denominator != 1 or value < least:
                raise InputError(name, str(value), f"an integer >= {least}")
        grids[name] = sorted({int(value) for value in values})
    varying = [name for name, values in grids.items() if len(values) > 1]
    if len(varying) != 1:
        shown = ", ".join(varying) or "none"
        raise InputError("-p", shown, "exactly one of d and K with several values (4:1000:60:log)")
    if len(grids[varying[0]]) > _MOST_POINTS:
        raise InputError(varying[0], str(parameters[varying[0]]), f"at most {_MOST_POINTS} values")
    return varying[0], [(d, K) for d in grids["d"] for K in grids["K"]]


def _point(axis: str, d: int, K: int) -> _Point:
    upper, lower = upper_bounds(d, K), lower_bounds(d, K)
    found = known(d, K)
    return _Point(
        float(d if axis == "d" else K),
        {(b.name, b.direction): b.value for b in (*upper, *lower) if b.name in _CURVES},
        lower[0].value,
        upper[0].value,
        next(b.value for b in upper if b.name == "Rankin"),
        float(found.one_vs_rest) if found is not None else None,
    )


def _draw(axes: Axes, points: Sequence[_Point]) -> None:
    x = [p.x for p in points]
    lower, upper = [p.lower for p in points], [p.upper for p in points]
    axes.fill_between(x, lower, upper, color=_BETWEEN, linewidth=0, zorder=1)
    for name, (_, style) in _CURVES.items():
        for side in ("upper", "lower"):
            axes.plot(x, [p.bounds[name, side] for p in points], zorder=2, **style)
    for ends in (lower, upper):
        axes.plot(x, ends, color=_BEST, linewidth=1.8, zorder=3)
    found = [(p.x, p.known) for p in points if p.known is not None]
    if found:
        axes.plot(*zip(*found, strict=True), zorder=4, **_dot())


def _dot() -> dict[str, Any]:
    return {"marker": "o", "linestyle": "none", "color": _KNOWN, "markersize": 4}


def _scales(axes: Axes, axis: str, points: Sequence[_Point]) -> None:
    """Margins fall with a power of K, and rise to at most 2 with d."""
    x = [p.x for p in points]
    if x[-1] / x[0] > 30:
        axes.set_xscale("log")
    axes.set_xlim(x[0], x[-1])
    values = [v for p in points for v in (*p.bounds.values(), p.lower, p.upper)]
    if axis == "K" and max(values) / min(values) > 100:
        axes.set_yscale("log")
        axes.set_ylim(0.7 * min(values), 1.5 * max(*(p.rankin for p in points), 2.0))
    else:
        axes.set_ylim(0, 2.2)


def _shade_vacuous(axes: Axes, points: Sequence[_Point]) -> None:
    """Shade above Rankin's bound, which holds anyway."""
    rankin, top = [p.rankin for p in points], axes.get_ylim()[1]
    axes.fill_between([p.x for p in points], rankin, top, color="#eeeeee", linewidth=0, zorder=0)


def _legend(figure: Figure, points: Sequence[_Point]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], label=label, **style) for label, style in _CURVES.values()]
    handles.append(Line2D([], [], color=_BEST, linewidth=1.8, label="best proved or cited"))
    handles.append(Patch(color=_BETWEEN, label="where the optimum lies"))
    if any(p.known is not None for p in points):
        handles.append(Line2D([], [], label="optimal codes known", **_dot()))
    handles.append(Patch(color="#eeeeee", label="vacuous: beyond Rankin's bound"))
    figure.legend(handles=handles, fontsize=8.5, ncols=3, loc="outside lower center")
