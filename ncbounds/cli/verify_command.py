"""`ncbounds verify [ID ...]`: run proofs and campaigns, print the ledger."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from ncbounds.cli.output import print_json, print_table, progress_bar, styled
from ncbounds.errors import InputError
from ncbounds.report.ledger import Ledger
from ncbounds.report.verification import verify

if TYPE_CHECKING:
    from proofs_check.kernel.build import Certificate


@click.command("verify")
@click.argument("ids", nargs=-1, metavar="[ID ...]")
@click.option("--paper", help="Only the statements of one paper: bnwd, review, square or gnc.")
@click.option("--all", "everything", is_flag=True, help="All statements (the default).")
@click.option(
    "--budget",
    type=float,
    help="Nominal seconds of search in all; fixed amounts of work, the same on every machine.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the campaigns.",
)
@click.option("--workers", type=int, help="Processes.  [default: as many as help]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    ids: tuple[str, ...],
    paper: str | None,
    everything: bool,
    budget: float | None,
    seed: int,
    workers: int | None,
    as_json: bool,
) -> None:
    """Verify statements: every verdict is computed from evidence found now."""
    if ids and (paper or everything):
        raise InputError("ID", " ".join(ids), "given without --paper and --all")
    with progress_bar("verifying") as progress:
        ledger = verify(
            () if everything else ids,
            paper=paper,
            budget=budget,
            seed=seed,
            workers=workers,
            progress=progress,
            kernel=_kernel(),
        )
    if as_json:
        print_json(ledger.to_dict())
    else:
        print_ledger(ledger)
        for line in ledger.search:
            click.echo(line)
    for fault in ledger.faults:
        click.echo(f"ncbounds: fault: {fault}", err=True)
    if ledger.faults:
        sys.exit(1)


def _kernel() -> Certificate | None:
    """The theorems of the kernel: as kept, or compiled once where Coq is and they can be kept."""
    from proofs_check.kernel.build import build, certificate, coq_version, keeps

    found = certificate()
    return build() if found is None and keeps() and coq_version() is not None else found


def print_ledger(ledger: Ledger) -> None:
    """Print one line a variant, the counterexamples, and the count of verdicts."""
    variants = [(row.statement.id, v) for row in ledger.rows for v in row.variants]
    first = {row.statement.id: row.variants[0] for row in ledger.rows}
    print_table(
        "",
        ["statement", "variant", "reading", "verdict", "tightness", "evidence"],
        [
            [
                id if v is first[id] else "",
                v.variant.name,
                escape(v.variant.reading),
                styled(v.verdict),
                "" if v.tightness is None else f"{v.tightness:.6g}",
                escape(v.brief),
            ]
            for id, v in variants
        ],
    )
    click.echo()
    for id, v in variants:
        for words in (v.counterexample, v.variant.undecided):
            if words:
                click.echo(f"{id} [{v.variant.name}, {v.variant.reading}] {words}")
    counts = ", ".join(f"{number} {verdict}" for verdict, number in sorted(ledger.counts().items()))
    click.echo(counts)
