"""Plots of the dynamics of the square loss: rho, margins and ranks over training.

What a run does is a solid line, where theory says it would rest a dashed one of the same colour;
colours are weight decays, initial rho or batch sizes, light to dark. The figures follow figures 3,
8 and 10 of `square`. Runs are those that `python -m experiments square-dynamics` keeps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncbounds.errors import InputError
from ncbounds.report.plots import VACUOUS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Run = dict[str, Any]

EXPERIMENT = "square-dynamics"
COLOURS = ("#e08a1e", "#2a7ab8", "#0b3556", "#a33b20", "#777777")
_BLACK, _LAST = "#222222", "#D55E00"


def read_dynamics(path: str | Path) -> list[Run]:
    """The runs in a file that the experiment keeps. Raises InputError for any other file."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(found, dict) or found.get("name") != EXPERIMENT:
            raise InputError("FILES", str(path), f"the JSON file of the experiment {EXPERIMENT}")
        return [run for part in found["parts"].values() for run in part]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("FILES", str(path), f"a file of square-dynamics ({error})") from error


def plot_flow(runs: Sequence[Run]) -> Figure:
    """Rho, the gap to interpolation, the losses and errors along the flow of one seed.

    One column an initial rho, one colour a weight decay; dashed is mu/(M + lambda), where rho would
    rest, and lambda/(mu^2 + lambda), the gap of equal margins; grey is rho(0) exp(-2 lambda t), how
    rho falls while the data are interpolated. A dot ends a run that rests.
    """
    flows = _of(runs, "flow")
    decays, rhos = _values(flows, "decay"), _values(flows, "rho")
    plt = pyplot()
    figure, panels = plt.subplots(
        5, len(rhos), figsize=(2.0 + 3.2 * len(rhos), 11.0), sharex=True, sharey="row",
        squeeze=False,
    )  # fmt: skip
    for column, rho in enumerate(rhos):
        for colour, decay in zip(COLOURS, decays, strict=False):
            for run in _where(flows, rho=rho, decay=decay):
                _draw_flow(panels[:, column], run, colour, valley=rho == max(rhos))
        panels[0, column].set_title(rf"$\rho(0)$ = {rho:g}", loc="left", fontsize=10)
        panels[-1, column].set_xlabel("time")
    for axes, title in zip(panels[:, 0], _FLOW_ROWS, strict=True):
        axes.set_ylabel(title)
        axes.set_xscale("log")
    for place in (0, 2, 3):
        panels[place, 0].set_yscale("log")
    least, most = min(rhos), max(rhos)
    panels[0, 0].set_ylim(0.5 * least, 1.6 * most)
    panels[1, 0].set_ylim(-0.05, 1.05)
    panels[2, 0].set_ylim(bottom=5e-3)
    panels[3, 0].set_ylim(bottom=1e-5)
    panels[4, 0].set_ylim(-0.01, 0.31)
    words = [("solid", "the run", _BLACK), ((0, (5, 2)), "where it would rest", _BLACK)]
    handles = _handles(zip(COLOURS, (rf"$\lambda$ = {d:g}" for d in decays), strict=False))
    handles += [_handle(label, color=c, linestyle=style) for style, label, c in words]
    handles.append(_handle("at rest: ended", color=_BLACK, marker="o", linestyle="none"))
    handles.append(_handle(r"$\rho(0)\,e^{-2\lambda t}$", **VACUOUS))
    figure.legend(handles=handles, fontsize=9, ncols=len(handles), loc="outside lower center")
    return _figure(figure)


_FLOW_ROWS = (
    r"$\rho$",
    r"gap $1 - \rho\mu$",
    r"spread $\sigma/\mu$",
    "training loss",
    "test error",
)


def _draw_flow(panels: Any, run: Run, colour: str, valley: bool) -> None:
    """Solid what is, dashed where it would rest; thin, on the valley, how rho should fall."""
    record, t = run["record"], run["t"]
    line = {"color": colour, "linewidth": 1.7}
    rest = {"color": colour, "linewidth": 1.1, "linestyle": (0, (5, 2))}
    if valley:
        panels[0].plot(t, [run["rho"] * exp(-2 * run["decay"] * s) for s in t], **VACUOUS)
    for axes, name in zip(panels, ("rho", "gap", "spread", "loss", "test_error"), strict=True):
        axes.plot(t, record[name], **line)
        if run["settled"]:
            axes.plot(t[-1], record[name][-1], marker="o", markersize=4, color=colour)
    panels[0].plot(t, [max(v, 1e-3) for v in record["rho_eq"]], **rest)
    panels[1].plot(t, record["quasi_gap"], **rest)


def plot_margins(runs: Sequence[Run]) -> Figure:
    """Histograms of the margins over training, and rho: one row an initial rho.

    The runs are the flows of one seed at the middle weight decay; the last histogram is vermilion.
    """
    flows = _of(runs, "flow")
    decays = _values(flows, "decay")
    decay = decays[len(decays) // 2]
    chosen = _where(flows, decay=decay)
    plt = pyplot()
    figure, panels = plt.subplots(
        len(chosen), 2, figsize=(9.6, 1.0 + 2.3 * len(chosen)), squeeze=False, sharex="col",
        width_ratios=(1.5, 1),
    )  # fmt: skip
    for (left, right), run in zip(panels, chosen, strict=True):
        _histograms(left, run)
        right.plot(run["t"], run["record"]["rho"], color=_BLACK, linewidth=1.7)
        rest = {"color": _BLACK, "linewidth": 1.1, "linestyle": (0, (5, 2))}
        right.plot(run["t"], run["record"]["rho_eq"], **rest)
        right.set_xscale("log")
        right.set_ylim(0, 1.15 * max(*run["record"]["rho"], run["rho"]))
        right.set_ylabel(r"$\rho$ (dashed: $\mu/(M+\lambda)$)")
        title = rf"$\rho(0)$ = {run['rho']:g}, $\lambda$ = {decay:g}"
        left.set_title(title, loc="left", fontsize=10)
        left.set_ylabel("samples")
        left.legend(fontsize=7.5, title="time", title_fontsize=7.5, loc="upper right")
    low, high = panels[0, 0].get_xlim()
    panels[0, 0].set_xlim(low, high + 0.2 * (high - low))  # room for the legends
    panels[-1, 0].set_xlabel(r"margin $y_n f_V(x_n)$")
    panels[-1, 1].set_xlabel("time")
    return _figure(figure)


def _histograms(axes: Axes, run: Run) -> None:
    """Outlines in blues that darken with time, the last one filled."""
    shades = ("#cfe6f5", "#a6d3ee", "#7dbde4", "#56a9dc", "#2a7ab8", "#0b3556")
    steps = list(zip(run["margins_at"], run["margins"], strict=True))
    low = min(min(values) for _, values in steps)
    high = max(max(values) for _, values in steps)
    bins = [low + (high - low) * k / 40 for k in range(41)]
    for place, (t, values) in enumerate(steps):
        last = place == len(steps) - 1
        shade = _LAST if last else shades[place * len(shades) // len(steps)]
        style: dict[str, Any] = {
            "histtype": "stepfilled" if last else "step",
            "alpha": 0.75 if last else 1.0,
        }
        axes.hist(values, bins, color=shade, linewidth=1.4, label=f"{t:.3g}", **style)


def plot_noise(runs: Sequence[Run]) -> Figure:
    """The margins at the end of training on the smallest batches, of all seeds and starts."""
    chosen = _of(runs, "sgd")
    least = min(run["batch"] for run in chosen)
    chosen = [run for run in chosen if run["batch"] == least]
    decays, rhos = _values(chosen, "decay"), _values(chosen, "rho")
    plt = pyplot()
    figure, panels = plt.subplots(
        1, len(decays), figsize=(1.6 + 3.4 * len(decays), 3.7), squeeze=False, sharex=True,
    )  # fmt: skip
    every = [value for run in chosen for value in run["margins"][-1]]
    low, high = min(every), max(every)
    bins = [low + (high - low) * k / 50 for k in range(51)]
    for axes, decay in zip(panels[0], reversed(decays), strict=True):
        for colour, rho in zip(COLOURS, rhos, strict=False):
            values = [m for run in _where(chosen, every_seed=True, decay=decay, rho=rho)
                      for m in run["margins"][-1]]  # fmt: skip
            axes.hist(values, bins, color=colour, histtype="stepfilled", alpha=0.25)
            axes.hist(values, bins, color=colour, histtype="step", linewidth=1.6)
        axes.set_title(rf"$\lambda$ = {decay:g}", loc="left", fontsize=10)
        axes.set_xlabel(r"margin $y_n f_V(x_n)$ at the end")
    panels[0, 0].set_ylabel(f"samples of all seeds, batches of {least}")
    handles = _handles(zip(COLOURS, (rf"$\rho(0)$ = {rho:g}" for rho in rhos), strict=False))
    figure.legend(handles=handles, fontsize=9, ncols=len(rhos), loc="outside lower center")
    return _figure(figure)


def plot_ranks(runs: Sequence[Run]) -> Figure:
    """Stable ranks over training and singular values at the end, by batch size.

    One column a weight decay, from the largest initial rho; a line is a seed. The last matrix is a
    row, of rank 1, and left out.
    """
    chosen = _of(runs, "sgd")
    chosen = [run for run in chosen if run["rho"] == max(r["rho"] for r in chosen)]
    decays, batches = _values(chosen, "decay"), _values(chosen, "batch")
    layers = len(chosen[0]["singular_values"])
    plt = pyplot()
    size = (1.6 + 3.4 * len(decays), 0.9 + 2.5 * 2 * layers)
    figure, panels = plt.subplots(
        2 * layers, len(decays), figsize=size, squeeze=False, sharey="row"
    )
    for column, decay in enumerate(decays):
        for colour, batch in zip(COLOURS, batches, strict=False):
            for run in _where(chosen, every_seed=True, decay=decay, batch=batch):
                line = {"color": colour, "linewidth": 1.3}
                for layer in range(layers):
                    ranks = [found[layer] for found in run["record"]["stable_rank"]]
                    panels[layer, column].plot(run["t"], ranks, **line)
                    values = run["singular_values"][layer]
                    places = range(1, len(values) + 1)
                    shares = [max(v / values[0], 1e-9) for v in values]
                    panels[layers + layer, column].plot(
                        places, shares, marker=".", markersize=4, **line
                    )
        panels[0, column].set_title(rf"$\lambda$ = {decay:g}", loc="left", fontsize=10)
    for layer in range(layers):
        panels[layer, 0].set_ylabel(f"stable rank of $V_{layer + 1}$")
        panels[layers + layer, 0].set_ylabel(
            f"singular values of $V_{layer + 1}$\nover the largest"
        )
        panels[layers + layer, 0].set_ylim(1e-6, 2)
        panels[layers + layer, 0].set_yscale("log")
        for axes in panels[layer]:
            axes.set_xscale("log")
            axes.set_xlabel("time")
        for axes in panels[layers + layer]:
            axes.axhline(0.01, **VACUOUS)
            axes.set_xlabel("singular value, by size")
    names = (_batch(batch, len(chosen[0]["margins"][-1])) for batch in batches)
    handles = _handles(zip(COLOURS, names, strict=False))
    figure.legend(handles=handles, fontsize=9, ncols=len(batches), loc="outside lower center")
    return _figure(figure)


def _batch(batch: int, n: int) -> str:
    return f"all {n} samples at once" if batch >= n else f"batches of {batch}"


#: What `ncbounds plot` draws of such a file.
FIGURES: dict[str, Callable[[Sequence[Run]], Figure]] = {
    "square-flow": plot_flow,
    "square-margins": plot_margins,
    "square-noise": plot_noise,
    "square-ranks": plot_ranks,
}


def _of(runs: Sequence[Run], method: str) -> list[Run]:
    found = [run for run in runs if run["method"] == method]
    if not found:
        raise InputError("FILES", f"no runs by {method}", "a finished run of square-dynamics")
    return found


def _values(runs: Sequence[Run], name: str) -> list[Any]:
    return sorted({run[name] for run in runs})


def _where(runs: Sequence[Run], every_seed: bool = False, **wanted: Any) -> list[Run]:
    """The runs with these values: of the first seed, or of all."""
    found = [run for run in runs if all(run[key] == value for key, value in wanted.items())]
    first = min(run["seed"] for run in runs)
    chosen = found if every_seed else [run for run in found if run["seed"] == first]
    return sorted(chosen, key=lambda run: (float(run["rho"]), int(run["seed"])))


def _handles(series: Iterable[tuple[str, str]]) -> list[Any]:
    return [_handle(label, color=colour, linewidth=2.0) for colour, label in series]


def _handle(label: str, **style: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **style)


def _figure(figure: Any) -> Figure:
    found: Figure = figure
    return found
