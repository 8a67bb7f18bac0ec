"""`ncbounds evaluate ID -p NAME=VALUE ...`."""

from __future__ import annotations

import csv
import io

import click

from ncbounds.cli.output import abbreviated, print_json, print_table
from ncbounds.errors import InputError
from ncbounds.theory.evaluate import Evaluation, evaluate_at


@click.command("evaluate")
@click.argument("id")
@click.option("--variant", help="printed, corrected or sharp (all without).")
@click.option(
    "-p",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A number, a fraction, or a grid: 3,5,9 or 2:2048:50 or 2:2048:50:log.",
)
@click.option("--digits", default=15, show_default=True, help="Significant digits to certify.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def command(
    id: str,
    variant: str | None,
    parameters: tuple[str, ...],
    digits: int,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Evaluate the bounds of statement ID; every printed digit is certified.

    For gnc:theorem-3.9 the best bounds that are proved, and the best arrangement that is known,
    stand beside (without --variant).
    """
    found = evaluate_at(id, read_parameters(parameters), variant=variant, digits=digits)
    if variant is None:
        from ncbounds.codes.beside import beside

        found += beside(id, found, digits)
    if as_json:
        print_json([e.to_dict() for e in found])
    elif as_csv:
        click.echo(_csv(found), nl=False)
    else:
        _print(id, found)


def read_parameters(assignments: tuple[str, ...]) -> dict[str, str]:
    """Read ``NAME=VALUE`` options; the values stay text.

    Raises
    ------
    InputError
        When one is not written so, or a name is given twice.
    """
    values: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name or not value:
            raise InputError("-p", assignment, "written NAME=VALUE")
        if name in values:
            raise InputError(name, value, "given once")
        values[name] = value
    return values


def _csv(found: list[Evaluation]) -> str:
    names = list(dict.fromkeys(name for e in found for name in e.parameters))
    head = ["id", "variant", "reading", "quantity", "direction"]
    tail = ["value", "radius", "log10", "digits", "in_domain", "vacuous"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*head, *names, *tail])
    for e in found:
        row = e.to_dict()
        given = [str(e.parameters.get(name, "")) for name in names]
        writer.writerow([*(row[h] for h in head), *given, *(row[t] for t in tail)])
    return text.getvalue()


def _print(id: str, found: list[Evaluation]) -> None:
    names = list(dict.fromkeys(name for e in found for name in e.parameters))
    rows = [
        [
            e.variant,
            _quantity(e, found),
            {"upper": "<=", "lower": ">=", "value": "="}[e.direction],
            *(abbreviated(str(e.parameters.get(name, ""))) for name in names),
            _value(e),
            _note(e),
        ]
        for e in found
    ]
    print_table(id, ["variant", "quantity", "", *names, "certified value", "note"], rows)


def _value(e: Evaluation) -> str:
    """The certified digits; where none is certain, the interval."""
    if e.decimal is None:
        return "undefined"
    return e.decimal.value if e.decimal.digits else f"{e.decimal.value} ± {e.decimal.radius}"


def _quantity(e: Evaluation, found: list[Evaluation]) -> str:
    """The quantity, with the reading where the variant bounds it in several."""
    readings = {
        (o.reading, o.direction)
        for o in found
        if (o.variant, o.quantity, o.direction) == (e.variant, e.quantity, e.direction)
    }
    many = len(readings) > 1 and e.variant not in ("proved", "found")
    return f"{e.quantity} ({e.reading})" if many else e.quantity


def _note(e: Evaluation) -> str:
    notes = []
    if e.outside:
        notes.append(f"outside the domain: {abbreviated(e.outside)}")
    if e.variant in ("proved", "found"):
        notes.append(e.reading)
    if e.vacuous:
        notes.append("vacuous")
    return "; ".join(notes)
