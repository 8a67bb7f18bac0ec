"""`ncbounds plot`: bounds along a parameter, guarantees beside models, loss gaps over training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ncbounds.errors import InputError

_FORMATS = (".png", ".svg", ".pdf")
_MOST_COLUMNS = 6


@click.command("plot")
@click.argument("what")
@click.argument("files", nargs=-1, type=click.Path(path_type=str))
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="As in evaluate.")
@click.option("--variant", help="printed, corrected or sharp (all without).")
@click.option("--run", "names", multiple=True, help="Only this run of loss-gap; repeatable.")
@click.option("-o", "out", required=True, type=click.Path(path_type=Path), help="Image to write.")
def command(
    what: str,
    files: tuple[str, ...],
    parameters: tuple[str, ...],
    variant: str | None,
    names: tuple[str, ...],
    out: Path,
) -> None:
    """Draw WHAT: a statement ID along one grid (-p), or of saved runs (FILES) `proximity`, or
    `loss-gap`: how the gap of the loss splits into its defects over training.

    \b
    ncbounds plot gnc:theorem-3.9 -p d=2:512:60:log -p K=1000 -o margin.png
    ncbounds plot proximity runs.safetensors -o proximity.svg
    ncbounds plot loss-gap runs.safetensors -o gap.png
    """
    from ncbounds.report.plots import plot_bounds, plot_loss_gap, plot_proximity

    if out.suffix not in _FORMATS:
        raise InputError("-o", str(out), f"a file ending in {', '.join(_FORMATS)}")
    if not out.resolve().parent.is_dir():
        raise InputError("-o", str(out), "a file in a folder that exists")
    if names and what != "loss-gap":
        raise InputError("--run", ", ".join(names), "left out but for loss-gap")
    if what == "proximity":
        from ncbounds.cli.models import read_models

        if not files:
            raise InputError("FILES", "missing", "given: files of saved features")
        models = [model for file in files for model in read_models(file)]
        figure = plot_proximity(
            {m.name: m.report for m in models}, {m.name: m.group for m in models}
        )
    elif what == "loss-gap":
        figure = plot_loss_gap(_defects(files, names))
    else:
        from ncbounds.cli.evaluate_command import read_parameters

        figure = plot_bounds(what, read_parameters(parameters), variant)
    figure.savefig(out, dpi=160)
    click.echo(str(out))


def _defects(files: tuple[str, ...], names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The defects over training of the chosen runs of some files, all of them without a choice."""
    from experiments.training.runs import load_runs

    if not files:
        raise InputError("FILES", "missing", "given: files of saved runs")
    found = {run.name: run.defects for file in files for run in load_runs(file)}
    for name in names:
        if name not in found:
            raise InputError("--run", name, f"one of {', '.join(found)}")
    chosen = {name: found[name] for name in names or found}
    if len(chosen) > _MOST_COLUMNS:
        remedy = f"choose with --run: {', '.join(found)}"
        raise InputError("FILES", f"{len(chosen)} runs", f"at most {_MOST_COLUMNS}", remedy)
    return chosen
