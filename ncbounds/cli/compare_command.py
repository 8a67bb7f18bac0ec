"""`ncbounds compare FILE`: measured quantities beside every bound that applies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from ncbounds.cli.models import read_models, read_square_loss
from ncbounds.cli.output import print_json, print_table
from ncbounds.errors import InputError
from ncbounds.measure.network import is_network
from ncbounds.measure.reading import stored_arrays, whole
from ncbounds.measure.square_loss import TARGETS, Targets
from ncbounds.report.compare import ModelBound, ModelReport
from ncbounds.report.generalization import DELTA, NetworkReport, compare_file
from ncbounds.report.guarantees import LEVELS
from ncbounds.report.square_loss import SQUARE_LEVELS, square_loss_certificate


@click.command("compare")
@click.argument("file", type=click.Path(path_type=str))
@click.option(
    "--temperature",
    type=float,
    metavar="T",
    help="Of a model on the unit sphere, whose losses then guarantee more (that of FILE without).",
)
@click.option(
    "--targets",
    type=click.Choice(TARGETS),
    help="Of a model trained with the square loss, for targets +-1, e_c or e_c - 1/K.",
)
@click.option(
    "--delta",
    type=float,
    default=DELTA,
    show_default=True,
    help="Of a whole network: probability with which a bound on the test error may fail.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    file: str, temperature: float | None, targets: Targets | None, delta: float, as_json: bool
) -> None:
    """Compare FILE with theory: it holds features, labels, weights and optionally a bias.

    A file of several models, as `ncbounds report --save` writes it, gives a list. With --targets it
    may hold outputs (n,) or (n, K) and labels alone. A file of a whole network with its samples, as
    `ncbounds.measure.network.write_network` writes it, is bounded in its test error as well.

    Features are read in chunks, so that FILE may be larger than the memory: of a sample only its
    label and its log-odds are kept, which the bounds by losses and weights ask for.
    """
    if is_network(file):
        _compare_network(file, delta, as_json)
        return
    if targets is not None and _compare_outputs(file, targets, as_json):
        return
    models = read_models(file) if targets is None else read_square_loss(file, targets)
    if temperature is not None:
        models = [replace(model, temperature=temperature) for model in models]
    if as_json:
        found = [{"name": m.name, **m.report.to_dict()} for m in models]
        print_json(found if len(found) > 1 else found[0])
        return
    for model in models:
        print_comparison(model.name, model.report)


def _compare_outputs(file: str, targets: Targets, as_json: bool) -> bool:
    """Whether the file has outputs in place of features; what their loss guarantees is printed."""
    stored = stored_arrays(file)
    if "outputs" not in stored or "features" in stored:
        return False
    if "labels" not in stored:
        raise InputError("FILE", file, "a file with labels", "missing: labels")
    found = square_loss_certificate(
        outputs=stored["outputs"], labels=whole(stored["labels"]), targets=targets
    )
    if as_json:
        print_json({"name": Path(file).stem, **found.to_dict()})
    else:
        click.echo(str(found))
    return True


def print_comparison(name: str, found: ModelReport) -> None:
    """Print what is guaranteed at each level of information, the other bounds, and what is not."""
    m = found.measurement
    print_table(
        f"{name}: n = {m.n} samples, d = {m.d} dimensions, K = {m.K} classes\n"
        "measured, and guaranteed to be at most, by what is known",
        ["quantity", "measured", *LEVELS, "theorem"],
        _certificate([b for b in found.bounds if b.level in LEVELS], LEVELS),
    )
    of_square_loss = [b for b in found.bounds if b.level in SQUARE_LEVELS]
    if of_square_loss:
        levels = tuple(x for x in SQUARE_LEVELS if any(b.level == x for b in of_square_loss))
        print_table(
            "guaranteed to be at most, by the square loss",
            ["quantity", "measured", *levels, "theorem"],
            _certificate(of_square_loss, levels),
        )
    print_table(
        "other bounds",
        ["quantity", "measured", "", "bound", "", "statement"],
        [_row(b) for b in found.bounds if not b.level],
    )
    for statement, reason in found.skipped.items():
        click.echo(f"{statement} does not apply: {reason}")


def _compare_network(file: str, delta: float, as_json: bool) -> None:
    found, name = compare_file(file, delta=delta), Path(file).stem
    if as_json:
        print_json({"name": name, **found.to_dict()})
        return
    print_network(name, found)
    print_comparison(name, found)


def print_network(name: str, found: NetworkReport) -> None:
    """Print the layers of a network, its norms, and the bounds on the complexity of its class."""
    facts = found.network
    print_table(
        f"{name}: L = {facts['L']}, rho = {facts['rho']:.4g} by filter norms, "
        f"{facts['dense_rho']:.4g} by norms of the whole matrices",
        ["layer", "", "channels", "filter norm", "matrix norm", "patches", "degree", "overlap"],
        [
            [
                one["name"],
                f"{one['kind']} {one['detail']}".strip() + (", ReLU" if one["relu"] else ""),
                " -> ".join(map(str, one["channels"])) if one["channels"] else "",
                f"{one['filter_norm']:.4g}",
                f"{one['toeplitz_norm']:.4g}",
                str(one["patches"]),
                str(one["degree"]),
                str(one["overlap"]),
            ]
            for one in facts["layers"]
        ],
    )
    print_table(
        "complexity of the class, without the factor 2,\nis at most",
        ["bound", "", "statement"],
        [[b.reading, f"{b.total:.4g}", f"{b.id} {b.variant}"] for b in found.complexity],
    )


def _certificate(bounds: list[ModelBound], levels: tuple[str, ...]) -> list[list[str]]:
    """One line a quantity, one column a level of information."""
    rows = []
    for quantity in dict.fromkeys(b.quantity for b in bounds):
        own = {b.level: b for b in bounds if b.quantity == quantity}
        measured = f"{next(iter(own.values())).measured:.4g}"
        cells = [_guaranteed(own[level]) if level in own else "" for level in levels]
        ids = dict.fromkeys(b.id for b in own.values())
        rows.append([quantity, measured, *cells, ", ".join(ids)])
    return rows


def _guaranteed(b: ModelBound) -> str:
    mark = "" if b.holds else "NOT "
    return f"{mark}{_shown(b)}" + (" (vacuous)" if b.vacuous else "")


def _row(b: ModelBound) -> list[str]:
    relation = "<=" if b.direction == "upper" else ">="
    if not b.holds:
        relation = f"NOT {relation}"
    vacuous = "vacuous" if b.vacuous else ""
    statement = f"{b.id} {b.variant}, {b.reading}"
    return [b.quantity, f"{b.measured:.4g}", relation, _shown(b), vacuous, statement]


def _shown(b: ModelBound) -> str:
    """A bound in four digits, by its exponent where it is huge."""
    value = float(b.bound)
    if abs(value) < 1e6:
        return f"{value:.4g}"
    return f"{'-' if b.bound.value.startswith('-') else ''}10^{b.bound.log10:.1f}"
