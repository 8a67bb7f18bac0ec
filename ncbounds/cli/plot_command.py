"""`ncbounds plot`: bounds along a parameter, guarantees beside models, loss gaps over training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ncbounds.errors import InputError

if TYPE_CHECKING:
    from experiments.training.runs import Run

_FORMATS = (".png", ".svg", ".pdf")
_MOST_COLUMNS = 6


@click.command("plot")
@click.argument("what")
@click.argument("files", nargs=-1, type=click.Path(path_type=str))
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="As in evaluate.")
@click.option("--variant", help="printed, corrected or sharp (all without).")
@click.option("--run", "names", multiple=True, help="This run, over training; repeatable.")
@click.option("-o", "out", required=True, type=click.Path(path_type=Path), help="Image to write.")
def command(
    what: str,
    files: tuple[str, ...],
    parameters: tuple[str, ...],
    variant: str | None,
    names: tuple[str, ...],
    out: Path,
) -> None:
    """Draw WHAT: a statement ID along one grid (-p), `margin`, every bound on the largest margin
    of K classes in d dimensions along one of them (-p), or of saved runs (FILES) `proximity`, or
    `loss-gap`: how the gap of the loss splits into its defects over training. With --run,
    `proximity` draws guarantees over training too. Of what the experiment square-dynamics keeps:
    `square-flow`, `square-margins`, `square-noise`, `square-ranks`.

    \b
    ncbounds plot gnc:theorem-3.9 -p d=2:512:60:log -p K=1000 -o bounds.png
    ncbounds plot margin -p d=3 -p K=4:1000:80:log -o margin.png
    ncbounds plot proximity runs.safetensors -o proximity.svg
    ncbounds plot proximity runs.safetensors --run bn-0.001 -o training.png
    ncbounds plot loss-gap runs.safetensors -o gap.png
    ncbounds plot square-flow results/square_dynamics.json -o flow.png
    """
    from ncbounds.report.dynamics_plots import FIGURES
    from ncbounds.report.plots import plot_bounds, plot_loss_gap
    from ncbounds.report.proximity_plots import plot_proximity, plot_proximity_over_training

    if out.suffix not in _FORMATS:
        raise InputError("-o", str(out), f"a file ending in {', '.join(_FORMATS)}")
    if not out.resolve().parent.is_dir():
        raise InputError("-o", str(out), "a file in a folder that exists")
    if names and what not in ("loss-gap", "proximity"):
        raise InputError("--run", ", ".join(names), "left out but for loss-gap and proximity")
    if what == "proximity" and names:
        figure = plot_proximity_over_training(*_recorded(files, names))
    elif what == "proximity":
        from ncbounds.cli.models import read_models

        if not files:
            raise InputError("FILES", "missing", "given: files of saved features")
        models = [model for file in files for model in read_models(file)]
        figure = plot_proximity(
            {m.name: m.report for m in models}, {m.name: m.group for m in models}
        )
    elif what == "loss-gap":
        runs = _chosen(files, names)
        if not all(run.defects for run in runs):
            shown = ", ".join(run.name for run in runs if not run.defects)
            raise InputError("FILES", shown, "runs that recorded the gap of a cross-entropy")
        figure = plot_loss_gap({run.name: run.defects for run in runs})
    elif what in FIGURES:
        figure = FIGURES[what](_dynamics(files))
    elif what == "margin":
        from ncbounds.cli.evaluate_command import read_parameters
        from ncbounds.report.margin_plot import plot_margin

        figure = plot_margin(read_parameters(parameters))
    else:
        from ncbounds.cli.evaluate_command import read_parameters

        figure = plot_bounds(what, read_parameters(parameters), variant)
    figure.savefig(out, dpi=160)
    click.echo(str(out))


def _dynamics(files: tuple[str, ...]) -> list[dict[str, Any]]:
    """The runs of the one file of square-dynamics."""
    from ncbounds.report.dynamics_plots import read_dynamics

    if len(files) != 1:
        raise InputError("FILES", f"{len(files)} files", "one, written by square-dynamics")
    return read_dynamics(files[0])


def _chosen(files: tuple[str, ...], names: tuple[str, ...]) -> list[Run]:
    """The chosen runs of some files, all of them without a choice."""
    from experiments.training.runs import load_runs

    if not files:
        raise InputError("FILES", "missing", "given: files of saved runs")
    found = {run.name: run for file in files for run in load_runs(file)}
    for name in names:
        if name not in found:
            raise InputError("--run", name, f"one of {', '.join(found)}")
    chosen = [found[name] for name in dict.fromkeys(names or found)]
    if len(chosen) > _MOST_COLUMNS:
        remedy = f"choose with --run: {', '.join(found)}"
        raise InputError("FILES", f"{len(chosen)} runs", f"at most {_MOST_COLUMNS}", remedy)
    return chosen


def _recorded(files: tuple[str, ...], names: tuple[str, ...]) -> tuple[dict[str, Any], int]:
    """What the chosen runs recorded over training, and their number of classes."""
    runs = _chosen(files, names)
    if not all("nc1.relative" in run.defects for run in runs):
        shown = ", ".join(run.name for run in runs)
        raise InputError("--run", shown, "runs that recorded NC1 and NC3", "train them again")
    classes = {len(run.weights) for run in runs}
    if len(classes) > 1:
        raise InputError("--run", ", ".join(names), "runs with the same number of classes")
    return {run.name: run.defects for run in runs}, classes.pop()
