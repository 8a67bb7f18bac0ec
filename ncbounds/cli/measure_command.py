"""`ncbounds measure FILE`: all neural collapse metrics of features, labels and weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

import click
from rich.markup import escape

from ncbounds.cli.output import console, print_json, print_table
from ncbounds.errors import InputError
from ncbounds.measure import HELD_OUT_METRICS, METRICS, measure_file

if TYPE_CHECKING:
    from ncbounds.measure import Measurement

T = TypeVar("T")

#: Columns of a terminal below which a table has three columns.
_NARROW = 100
_FORMATS = (".png", ".svg", ".pdf")


@click.command("measure")
@click.argument("files", nargs=-1, type=click.Path(path_type=str), metavar="[FILE]...")
@click.option("--list", "listed", is_flag=True, help="List the metrics, and measure nothing.")
@click.option(
    "--metrics", "patterns", multiple=True, metavar="PATTERN", help="Only these, as nc1.*; repeat."
)
@click.option("--weights", "name", metavar="NAME", help="Which matrix of FILE is the last layer.")
@click.option(
    "--missing",
    type=click.Choice(["refuse", "leave-out"]),
    default="refuse",
    show_default=True,
    help="What becomes of rows of the weights without samples.",
)
@click.option(
    "--temperature",
    type=float,
    metavar="T",
    help="Temperature of the cross-entropy on the unit sphere (that of FILE, or 1, without).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-o", "out", type=click.Path(path_type=Path), help="Draw a picture as well.")
@click.option(
    "--along",
    metavar="WORD",
    help="Of a picture: FILEs, by their numbers, follow epochs, layers, ...",
)
def command(
    files: tuple[str, ...],
    listed: bool,
    patterns: tuple[str, ...],
    name: str | None,
    missing: str,
    temperature: float | None,
    as_json: bool,
    out: Path | None,
    along: str | None,
) -> None:
    """Measure FILE (.npz or .safetensors with features, labels and optionally weights, bias).

    It is read in chunks, so that it may be larger than the memory. A file of weights alone, or a
    model (.onnx, or .safetensors with --weights), gives the metrics of its last layer. Several
    files stand beside each other.

    With --list: what each metric is, its formula, its source, which way neural collapse moves it,
    whether it needs weights, and where exactly it is zero.

    \b
    ncbounds measure run.safetensors --metrics 'nc1.*' --metrics 'nc2.*'
    ncbounds measure model.onnx
    ncbounds measure epoch-*.npz -o training.png --along epoch
    """
    if listed:
        if files or temperature is not None:
            raise InputError("--list", "with a file or a temperature", "on its own, or with --json")
        _list(as_json)
        return
    if not files:
        raise InputError("FILE", "none", "a file to measure, or --list")
    _check_picture(out, along)
    how = cast(Literal["refuse", "leave out"], missing.replace("-", " "))
    found = {
        series: measure_file(file, weights=name, temperature=temperature, missing=how)
        for series, file in zip(_names(files), files, strict=True)
    }
    if along is not None:
        found = numbered(found)
    if patterns:
        found = {series: one.select(*patterns) for series, one in found.items()}
    if as_json:
        several = [{"name": series, **one.to_dict()} for series, one in found.items()]
        print_json(several if len(files) > 1 else next(iter(found.values())).to_dict())
    elif len(files) > 1:
        _print_several(found)
    else:
        _print(next(iter(found.values())))
    if out is not None:
        _draw(found, bool(patterns), out, along)


def _names(files: Sequence[str]) -> list[str]:
    """Files by their stems, or as they were given where two have the same."""
    stems = [Path(file).stem for file in files]
    if len(set(files)) < len(files):
        raise InputError("FILE", ", ".join(files), "different files")
    return stems if len(set(stems)) == len(stems) else list(files)


def numbered(found: Mapping[str, T]) -> dict[str, T]:
    """Names that differ in one number alone, the last, by that number: a shell sorts by letters."""
    numbers = {}
    for name in found:
        if match := re.fullmatch(r"(.*?)(\d+)(\D*)", name):
            numbers[name] = match.groups()
    around = {(before, after) for before, _, after in numbers.values()}
    values = {int(digits) for _, digits, _ in numbers.values()}
    if len(around) > 1 or len(values) < len(found):
        return dict(found)
    ordered = sorted(found, key=lambda name: int(numbers[name][1]))
    return {str(int(numbers[name][1])): found[name] for name in ordered}


def _print(found: Measurement) -> None:
    """A row for each metric; in a narrow terminal without its source, which --list tells too."""
    columns = ["metric", "value", "what", "source"][: 3 if console().width < _NARROW else 4]
    rows = [
        [name, f"{value:.6g}", escape(METRICS[name].what), escape(METRICS[name].source)]
        for name, value in found.metrics.items()
    ]
    rows += [[name, "undefined", reason, ""] for name, reason in found.undefined.items()]
    print_table(_size(found), columns, [row[: len(columns)] for row in rows])


def _print_several(found: dict[str, Measurement]) -> None:
    """A column for each file; what a file does not have is left empty."""
    known = [name for name in METRICS if any(_cell(one, name) for one in found.values())]
    rows = [[name, *(_cell(one, name) for one in found.values())] for name in known]
    title = "\n".join(f"{series}: {_size(one)}" for series, one in found.items())
    print_table(escape(title), ["metric", *map(escape, found)], rows)


def _cell(found: Measurement, name: str) -> str:
    if name in found.metrics:
        return f"{found.metrics[name]:.6g}"
    return "undefined" if name in found.undefined else ""


def _size(found: Measurement) -> str:
    if not found.n:
        return f"weights alone: K = {found.K} classes, d = {found.d} dimensions"
    return f"n = {found.n} samples, d = {found.d} dimensions, K = {found.K} classes"


def _check_picture(out: Path | None, along: str | None) -> None:
    if out is None and along is not None:
        raise InputError("--along", along, "left out without a picture, -o")
    if out is not None and out.suffix not in _FORMATS:
        raise InputError("-o", str(out), f"a file ending in {', '.join(_FORMATS)}")
    if out is not None and not out.resolve().parent.is_dir():
        raise InputError("-o", str(out), "a file in a folder that exists")


def _draw(found: dict[str, Measurement], chosen: bool, out: Path, along: str | None) -> None:
    from ncbounds.report.measurement_plot import (
        describe_measurements,
        drawable,
        plot_measurements,
        save_figure,
    )

    several = found if len(found) > 1 or along else next(iter(found.values()))
    names = drawable(found.values()) if chosen else None
    figure = plot_measurements(several, names, along=along)
    save_figure(figure, out, describe_measurements(several, names, along=along))
    click.echo(str(out), err=True)


def _list(as_json: bool) -> None:
    """Print every metric as data, or as a table with its formula and source below its words."""
    known = METRICS | HELD_OUT_METRICS
    if as_json:
        print_json({name: asdict(metric) for name, metric in known.items()})
        return
    rows = []
    for name, metric in known.items():
        origin = metric.source + ("; needs weights" if metric.needs_weights else "")
        origin += "; needs held-out features, not in FILE" if metric.needs_held_out else ""
        words = f"{metric.what}\n[cyan]{escape(metric.formula)}[/]\n[dim]{escape(origin)}[/]"
        rows.append([name, words, metric.direction, escape(metric.zero) + "\n"])
    columns = ["metric", "what it is, its formula and source", "at collapse", "zero exactly where"]
    print_table(f"{len(known)} metrics", columns, rows)
