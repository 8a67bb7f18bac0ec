"""`ncbounds report`: train, measure, verify, and write the whole story on one page."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from ncbounds.cli import glance
from ncbounds.cli.models import read_models, train_models
from ncbounds.cli.output import progress_bar
from ncbounds.errors import InputError
from ncbounds.report.ledger import select
from ncbounds.report.page import page
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
    chosen = select((), paper)
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
    out.write_text(page(models, ledger, seed, time.monotonic() - start), encoding="utf-8")
    click.echo(f"wrote {out}: {len(models)} networks, {_counted(ledger.counts())}")
    for fault in ledger.faults:
        click.echo(f"ncbounds: fault: {fault}", err=True)
    if ledger.faults:
        sys.exit(1)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
