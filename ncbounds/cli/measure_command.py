"""`ncbounds measure FILE`: all neural collapse metrics of features, labels and weights."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.markup import escape

from ncbounds.cli.output import print_json, print_table
from ncbounds.errors import InputError
from ncbounds.measure import HELD_OUT_METRICS, METRICS, measure, read_features


@click.command("measure")
@click.argument("file", required=False, type=click.Path(path_type=str))
@click.option("--list", "listed", is_flag=True, help="List the metrics, and measure nothing.")
@click.option(
    "--temperature",
    type=float,
    metavar="T",
    help="Temperature of the cross-entropy on the unit sphere (that of FILE, or 1, without).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: str | None, listed: bool, temperature: float | None, as_json: bool) -> None:
    """Measure FILE (.npz or .safetensors with features, labels and optionally weights, bias).

    With --list: what each metric is, its formula, its source, which way neural collapse moves it,
    whether it needs weights, and where exactly it is zero.
    """
    if listed:
        if file is not None or temperature is not None:
            raise InputError("--list", "with a file or a temperature", "on its own, or with --json")
        _list(as_json)
        return
    if file is None:
        raise InputError("FILE", "none", "a file to measure, or --list")
    data = read_features(file)
    given = data.temperature if temperature is None else temperature
    at = 1.0 if given is None else given
    found = measure(data.features, data.labels, data.weights, data.bias, temperature=at)
    if as_json:
        print_json(found.to_dict())
        return
    rows = [
        [name, f"{value:.6g}", METRICS[name].what, METRICS[name].source]
        for name, value in found.metrics.items()
    ]
    rows += [[name, "undefined", reason, ""] for name, reason in found.undefined.items()]
    title = f"n = {found.n} samples, d = {found.d} dimensions, K = {found.K} classes"
    print_table(title, ["metric", "value", "what", "source"], rows)


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
