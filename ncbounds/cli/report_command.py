"""`ncbounds report`: train, measure, verify, and write the whole story on one page."""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from experiments.__main__ import available
from ncbounds.cli import glance
from ncbounds.cli.models import read_models, train_models
from ncbounds.cli.output import progress_bar
from ncbounds.errors import InputError
from ncbounds.report.ledger import select
from ncbounds.report.page import page
from ncbounds.report.page.experiments import ExperimentResult
from ncbounds.report.verification import verify


@click.command("report")
@click.option(
    "-o", "out", default="report.html", show_default=True, type=click.Path(path_type=Path)
)
@click.option(
    "--features",
    type=click.Path(path_type=str),
    help="Report on saved features (of --save, or of any model) and train nothing.",
)
@click.option(
    "--save", type=click.Path(path_type=Path), help="Save the features of the trained networks."
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    help="Show what `python -m experiments NAME --out DIR` has left in this folder.",
)
@click.option("--paper", help="Verify the statements of one paper only.")
@click.option(
    "--budget", type=float, help="Nominal seconds of search.  [default: 1/8 for each wording]"
)
@click.option("--seed", default=0, show_default=True, help="Seed of training and search.")
@click.option("--workers", default=2, show_default=True, help="Processes for verification.")
def command(
    out: Path,
    features: str | None,
    save: Path | None,
    results: Path | None,
    paper: str | None,
    budget: float | None,
    seed: int,
    workers: int,
) -> None:
    """Write a self-contained page: trained networks beside the bounds, and the ledger.

    Without --features it trains small networks on the digits data set, with and without batch
    norm, at three weight decays, to zero training error.
    """
    for option, path in (("-o", out), ("--save", save)):
        if path is not None and not path.resolve().parent.is_dir():
            raise InputError(option, str(path), "a file in a folder that exists")
    if results is not None and not results.is_dir():
        raise InputError("--results", str(results), "a folder that exists")
    chosen = select((), paper)
    shown = experiment_results(results)
    start = time.monotonic()
    if features is not None:
        models = read_models(features)
    else:
        with progress_bar("training") as progress:
            models = train_models(seed, save, progress)
    with progress_bar("verifying") as progress:
        ledger = verify(
            [one.id for one in chosen],
            budget=glance.seconds(chosen) if budget is None else budget,
            seed=seed,
            workers=workers,
            progress=progress,
        )
    whole = page(models, ledger, seed, time.monotonic() - start, shown)
    out.write_text(whole, encoding="utf-8")
    click.echo(f"wrote {out}: {len(models)} networks, {_counted(ledger.counts())}")
    for fault in ledger.faults:
        click.echo(f"ncbounds: fault: {fault}", err=True)
    if ledger.faults:
        sys.exit(1)


def experiment_results(folder: Path | None) -> list[ExperimentResult]:
    """Every experiment, with the pictures, the table and the findings of a run in a folder."""
    import experiments
    from experiments.running import read_captions, read_findings

    names = [name.replace("-", "_") for name in available()]
    pictures = sorted(folder.glob("*.png")) if folder else []
    shown = read_findings(folder) if folder else []
    captions = read_captions(folder) if folder else {}
    drawn_by = {stem: name for name, figures in captions.items() for stem in figures}
    found = []
    for name in names:
        source = Path(experiments.__path__[0], f"{name}.py").read_text(encoding="utf-8")
        text = ast.get_docstring(ast.parse(source)) or name
        command = name.replace("_", "-")
        own = tuple(
            path
            for path in pictures
            if drawn_by.get(path.stem, _owner(path.stem, names)).replace("_", "-") == command
        )
        # What was printed may have been kept under either spelling.
        tables = [folder / f"{stem}.txt" for stem in (name, command)] if folder else []
        kept = next((path for path in tables if path.is_file()), None)
        told = tuple(one for one in shown if one["name"].replace("_", "-") == command)
        found.append(ExperimentResult(command, text, own, kept, told, captions.get(command, {})))
    return found


def _owner(stem: str, names: Sequence[str]) -> str:
    """The experiment that a picture is named after; empty where there is none."""
    return max((name for name in names if stem.startswith(name)), key=len, default="")


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
