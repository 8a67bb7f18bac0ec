"""`ncbounds measure FILE`: all neural collapse metrics of features, labels and weights."""

from __future__ import annotations

import click

from ncbounds.cli.output import print_json, print_table
from ncbounds.measure import METRICS, measure, read_features


@click.command("measure")
@click.argument("file", type=click.Path(path_type=str))
@click.option(
    "--temperature",
    type=float,
    metavar="T",
    help="Temperature of the cross-entropy on the unit sphere (that of FILE, or 1, without).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: str, temperature: float | None, as_json: bool) -> None:
    """Measure FILE (.npz or .safetensors with features, labels and optionally weights, bias)."""
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
