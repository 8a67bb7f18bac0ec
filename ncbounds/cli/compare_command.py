"""`ncbounds compare FILE`: measured quantities beside every bound that applies."""

from __future__ import annotations

import click

from ncbounds.cli.output import print_json, print_table
from ncbounds.errors import InputError
from ncbounds.measure import read_features
from ncbounds.report.compare import ModelBound, ModelReport, compare


@click.command("compare")
@click.argument("file", type=click.Path(path_type=str))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: str, as_json: bool) -> None:
    """Compare FILE with theory: it holds features, labels, weights and optionally a bias."""
    data = read_features(file)
    if data.weights is None:
        raise InputError("FILE", file, "a file with weights", "bounds speak of the last layer")
    found = compare(data.features, data.labels, data.weights, data.bias)
    if as_json:
        print_json(found.to_dict())
    else:
        print_comparison(found)


def print_comparison(found: ModelReport) -> None:
    """Print one line a bound, then what did not apply."""
    m = found.measurement
    print_table(
        f"n = {m.n} samples, d = {m.d} dimensions, K = {m.K} classes",
        ["quantity", "measured", "", "bound", "vacuous", "statement"],
        [bound_row(b) for b in found.bounds],
    )
    for name, reason in found.skipped.items():
        click.echo(f"{name} does not apply: {reason}")


def bound_row(b: ModelBound) -> list[str]:
    """One bound as table cells."""
    relation = "<=" if b.direction == "upper" else ">="
    if not b.holds:
        relation = f"NOT {relation}"
    vacuous = {True: "vacuous", False: "", None: ""}[b.vacuous]
    return [
        b.quantity,
        f"{b.measured:.4g}",
        relation,
        shown(b),
        vacuous,
        f"{b.id} {b.variant}, {b.reading}",
    ]


def shown(b: ModelBound) -> str:
    """A bound in four digits, by its exponent where no float holds it."""
    value = float(b.bound)
    if abs(value) < 1e6:
        return f"{value:.4g}"
    return f"{'-' if b.bound.value.startswith('-') else ''}10^{b.bound.log10:.1f}"
