"""`ncbounds minimum MODEL -p NAME=VALUE ...`: global minima of the models of free features."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import click

from ncbounds.cli.evaluate_command import read_parameters
from ncbounds.cli.output import abbreviated, print_json, print_table
from ncbounds.errors import InputError
from ncbounds.report.minimum import MODELS, ModelMinimum, minimum
from ncbounds.theory.evaluate import MAX_POINTS, read_values


@click.command(
    "minimum",
    epilog="\b\nMODELS\n"
    + "\n".join(
        f"{name}: {' '.join(p.name for p in model.parameters)}\n    {model.meaning}"
        for name, model in MODELS.items()
    ),
)
@click.argument("model")
@click.option(
    "-p",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A number, a fraction, or a grid: 3,5,9 or 2:2048:50 or 2:2048:50:log.",
)
@click.option(
    "-o", "out", type=click.Path(path_type=Path), help="Write a minimiser, as features and weights."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: str, parameters: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """The global minimum of a model of free features: its risk, and on which side of a threshold.

    \b
    ncbounds minimum cross-entropy -p K=10 -p n=100 -p m=9 -p lambda_A=5e-3 -p lambda_F=1e-5:1:6:log
    """
    found = [minimum(model, **point) for point in _points(model, read_parameters(parameters))]
    if out is not None:
        _write(found, out)
    if as_json:
        print_json([one.to_dict() for one in found])
    else:
        _print(found)


def _points(model: str, texts: dict[str, str]) -> list[dict[str, Any]]:
    """All tuples of the grids; what is no parameter is left to be refused."""
    if model not in MODELS:
        raise InputError("MODEL", model, f"one of {', '.join(MODELS)}")
    known = {p.name: p for p in MODELS[model].parameters}
    axes = [read_values(known[n], t) if n in known else [t] for n, t in texts.items()]
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > MAX_POINTS:
        raise InputError("grid", f"{count} points", f"at most {MAX_POINTS} points")
    return [dict(zip(texts, values, strict=True)) for values in product(*axes)]


def _write(found: list[ModelMinimum], out: Path) -> None:
    from ncbounds.measure.files import write_features

    if len(found) != 1:
        raise InputError("-o", str(out), "given with a single point, not a grid")
    point = found[0].point
    if point is None:
        raise InputError("-o", str(out), "left out: no minimiser is known here")
    decays = {name: v for name, v in found[0].parameters.items() if name.startswith("lambda")}
    write_features(
        out, point["features"], point["labels"], point["weights"], point["bias"], extra=decays
    )
    click.echo(f"wrote {out}", err=True)


def _print(found: list[ModelMinimum]) -> None:
    first = found[0]
    names, transitions = list(first.parameters), [t.quantity for t in first.transitions]
    if len(found) == 1:
        rows = [[name, f"{value:.12g}"] for name, value in first.parameters.items()]
        rows += [["phase", first.phase], ["least risk", _risk(first)]]
        rows += [
            [t.quantity, f"{t.value:.12g}; the phase changes at {t.critical:.12g}"]
            for t in first.transitions
        ]
        rows += [[name, f"{value:.12g}"] for name, value in first.quantities.items()]
        print_table(f"{first.model}: {MODELS[first.model].meaning}", ["", "value"], rows)
        return
    rows = [
        [
            *(abbreviated(f"{one.parameters[name]:.6g}") for name in names),
            one.phase,
            _risk(one),
            *(f"{t.value / t.critical:.4g}" for t in one.transitions),
        ]
        for one in found
    ]
    heads = [f"{name} / critical" for name in transitions]
    print_table(first.model, [*names, "phase", "least risk", *heads], rows)


def _risk(one: ModelMinimum) -> str:
    low, high = one.risk
    if f"{low:.12g}" == f"{high:.12g}":
        return f"{low:.12g}"
    if high == float("inf"):
        return f">= {low:.12g}"
    return f"{low:.12g} .. {high:.12g}"
