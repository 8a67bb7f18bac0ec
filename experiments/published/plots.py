"""Pictures of published classifiers: how far apart their rows are, beside what is possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ncbounds.report.plots import pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colour, marker and height in the lane of each kind of matrix.
_KINDS: dict[str, dict[str, Any]] = {
    "trained": {"color": "#222222", "marker": "o"},
    "same spectrum": {"color": "#D55E00", "marker": "D"},
    "uniform": {"color": "#009E73", "marker": "s"},
}
_WORDS = {
    "trained": "trained",
    "same spectrum": "random, same singular values",
    "uniform": "random directions",
}
_BEST = "#a9cfe8"


def distances(
    rows: Sequence[Mapping[str, Any]], found: Mapping[str, Mapping[str, Sequence[float]]]
) -> Figure:
    """One lane a matrix: least to most, 10 to 90 % and median of the distances of unit rows.

    `rows` say where the best possible least distance lies (shaded), `found` has the distances of
    the matrix and of the random ones by name.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.6, 0.5 + 0.72 * len(rows) + 0.6))
    for lane, row in enumerate(rows):
        place = len(rows) - 1 - lane
        ends = row["best from"], row["to"]
        axes.fill_betweenx([place - 0.38, place + 0.38], *ends, color=_BEST, linewidth=0)
        axes.plot([ends[1]] * 2, [place - 0.38, place + 0.38], color="#0072B2", linewidth=2.2)
        for level, (kind, style) in enumerate(_KINDS.items()):
            values = np.asarray(found[row["head"]][kind])
            y = place + 0.24 - 0.24 * level
            low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
            axes.plot([values.min(), values.max()], [y, y], color=style["color"], linewidth=1)
            axes.plot([low, high], [y, y], color=style["color"], linewidth=4, alpha=0.55)
            axes.plot(middle, y, markersize=5.5, **style)
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([_label(row) for row in reversed(rows)])
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 1.04)
    axes.set_xlabel("one-vs-rest distance of rows scaled to length 1")
    _legend(figure)
    figure_: Figure = figure
    return figure_


def _label(row: Mapping[str, Any]) -> str:
    return f"{row['head']}\nK = {row['K']:,}, d = {row['d']:,}"


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], linewidth=3, markersize=5.5, label=_WORDS[kind], **style)
        for kind, style in _KINDS.items()
    ]
    handles.append(Patch(color=_BEST, label="where the best least distance lies"))
    handles.append(Line2D([], [], color="#0072B2", linewidth=2.2, label="proved upper bound"))
    figure.legend(handles=handles, fontsize=8.5, ncols=3, loc="outside lower center")
