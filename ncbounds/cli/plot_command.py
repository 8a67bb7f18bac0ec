"""`ncbounds plot`: bounds along a parameter, or guarantees beside measured models."""

from __future__ import annotations

from pathlib import Path

import click

from ncbounds.errors import InputError

_FORMATS = (".png", ".svg", ".pdf")


@click.command("plot")
@click.argument("what")
@click.argument("files", nargs=-1, type=click.Path(path_type=str))
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="As in evaluate.")
@click.option("--variant", help="printed, corrected or sharp (all without).")
@click.option("-o", "out", required=True, type=click.Path(path_type=Path), help="Image to write.")
def command(
    what: str, files: tuple[str, ...], parameters: tuple[str, ...], variant: str | None, out: Path
) -> None:
    """Draw WHAT: a statement ID along one grid (-p), or `proximity` of saved runs (FILES).

    \b
    ncbounds plot gnc:theorem-3.9 -p d=2:512:60:log -p K=1000 -o margin.png
    ncbounds plot proximity runs.safetensors -o proximity.svg
    """
    from ncbounds.report.plots import plot_bounds, plot_proximity

    if out.suffix not in _FORMATS:
        raise InputError("-o", str(out), f"a file ending in {', '.join(_FORMATS)}")
    if not out.resolve().parent.is_dir():
        raise InputError("-o", str(out), "a file in a folder that exists")
    if what == "proximity":
        from ncbounds.cli.models import read_models

        if not files:
            raise InputError("FILES", "missing", "given: files of saved features")
        models = [model for file in files for model in read_models(file)]
        figure = plot_proximity(
            {m.name: m.report for m in models}, {m.name: m.group for m in models}
        )
    else:
        from ncbounds.cli.evaluate_command import read_parameters

        figure = plot_bounds(what, read_parameters(parameters), variant)
    figure.savefig(out, dpi=160)
    click.echo(str(out))
