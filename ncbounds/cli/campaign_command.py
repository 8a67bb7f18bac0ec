"""`ncbounds campaign ID`: search for counterexamples, at length, resumably, on many cores."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from ncbounds.campaign.certify import as_text, spelled
from ncbounds.campaign.exponents import Exponent, exponent
from ncbounds.campaign.search import Campaign, Effort, run_campaign
from ncbounds.campaign.store import CampaignKey, Store
from ncbounds.campaign.workers import Runner, campaign_key, cluster, local, remembered
from ncbounds.cli.output import print_json, print_table, progress_bar
from ncbounds.errors import InputError
from ncbounds.theory import statement
from ncbounds.theory.terms import Claim, Variant

#: Characters of an instance that has room in a table; --json has all of them.
_SHOWN_INSTANCE = 60


@click.command("campaign")
@click.argument("id", metavar="ID")
@click.option("--variant", help="Only one variant: printed, corrected or sharp.")
@click.option("--reading", help="Only the readings that contain this text.")
@click.option(
    "--instances",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Random instances of each wording.",
)
@click.option(
    "--ascents",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Batches of gradient ascent on each conclusion.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--workers", type=int, help="Processes.  [default: all cores]")
@click.option(
    "--store",
    "path",
    type=click.Path(path_type=Path),
    default=Path("campaigns.sqlite"),
    show_default=True,
    help="File in which results are kept as they come.",
)
@click.option("--resume", is_flag=True, help="Take what the store has, and go on from there.")
@click.option("--backend", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@click.option("--scheduler", help="Address of a Dask scheduler, such as tcp://host:8786.")
@click.option("--exponents", is_flag=True, help="Fit the order in small parameters, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    id: str,
    variant: str | None,
    reading: str | None,
    instances: int,
    ascents: int,
    seed: int,
    workers: int | None,
    path: Path,
    resume: bool,
    backend: str,
    scheduler: str | None,
    exponents: bool,
    as_json: bool,
) -> None:
    """Search for an instance that meets the hypotheses of ID and breaks a conclusion.

    The result depends on the seed and the effort alone: not on the number of workers, and not on
    how often the campaign was interrupted and resumed.
    """
    chosen = _chosen(id, variant, reading)
    effort = Effort(instances, ascents)
    rows = []
    with _runner(backend, workers, scheduler) as run, Store(path) as store:
        for one, claim in chosen:
            key = campaign_key(id, one, claim, seed)
            kept = store.count(key) if resume else 0
            if resume and not kept:
                _tell_of_others(store, key)
            start = time.perf_counter()
            with progress_bar(escape(f"{id} [{one.name}, {one.reading}]")) as progress:
                found = run_campaign(
                    claim,
                    effort,
                    seed,
                    remembered(run, store, key, resume),
                    lambda done, total: progress(done, total, "chunks"),
                )
            seconds = time.perf_counter() - start
            fits = _fits(one, claim, seed) if exponents else []
            rows.append((one, found, fits, seconds, kept))
    if as_json:
        print_json([_plain(id, one, found, fits) for one, found, fits, _, _ in rows])
    else:
        _print(id, rows)
        click.echo(f"\nkept in {path}: --resume goes on from there")
    if any(v.name != "printed" and found.counterexample for v, found, *_ in rows):
        click.echo("ncbounds: fault: a variant of ours is refuted", err=True)
        sys.exit(1)
    if not all(found.certain for _, found, *_ in rows):
        click.echo("ncbounds: fault: no instance met the hypotheses: vacuous", err=True)
        sys.exit(1)


def _tell_of_others(store: Store, key: CampaignKey) -> None:
    """Say when what a store has is of another version of the claim or of the engine."""
    same = [
        one.chunks
        for one in store.campaigns()
        if replace(one.key, claim=key.claim, versions=key.versions) == key
    ]
    if same:
        told = f"{sum(same)} chunks of {key.statement} [{key.variant}, {key.reading}] are kept"
        click.echo(f"ncbounds: {told} of another version, and are not used", err=True)


def _chosen(id: str, variant: str | None, reading: str | None) -> list[tuple[Variant, Claim]]:
    found = [(v, v.claim) for v in statement(id).select(variant) if v.claim is not None]
    if not found:
        asked = id if variant is None else f"{variant} of {id}"
        raise InputError("ID", asked, "a statement with a claim to search; this one is open")
    matching = [(v, claim) for v, claim in found if reading is None or reading in v.reading]
    if not matching:
        readings = "; ".join(v.reading for v, _ in found)
        raise InputError("reading", str(reading), f"part of one of: {readings}")
    return matching


@contextmanager
def _runner(backend: str, workers: int | None, scheduler: str | None) -> Iterator[Runner]:
    if backend == "local":
        if scheduler is not None:
            raise InputError("scheduler", scheduler, "given with --backend dask only")
        yield local(workers)
        return
    if scheduler is None:
        raise InputError("scheduler", "nothing", "the address of a running Dask scheduler")
    if workers is not None:
        raise InputError("workers", workers, "left out with --backend dask")
    with cluster(scheduler) as run:
        yield run


def _fits(variant: Variant, claim: Claim, seed: int) -> list[Exponent]:
    found = [exponent(claim, trend, seed) for trend in variant.trends]
    return [fit for fit in found if fit is not None]


def _plain(id: str, variant: Variant, found: Campaign, fits: list[Exponent]) -> dict[str, Any]:
    broken = found.counterexample
    return {
        "id": id,
        "variant": variant.name,
        "reading": variant.reading,
        "campaign": found.to_dict(),
        "counterexample": None if broken is None else broken.to_dict(),
        "tightest": {name: as_text(instance) for name, instance in found.tightest.items()},
        "exponents": [fit.to_dict() for fit in fits],
    }


# -- on the screen --------------------------------------------------------------------------------


def _print(id: str, rows: list[tuple[Variant, Campaign, list[Exponent], float, int]]) -> None:
    print_table(
        f"{id}: instances that met the hypotheses, of those drawn",
        ["wording", "degenerate", "random", "ascent", "leads", "outcome", "chunks kept", "seconds"],
        [
            [
                escape(f"{v.name}, {v.reading}"),
                *(_met(found, stage) for stage in ("degenerate", "random", "ascent")),
                str(found.leads),
                _outcome(found),
                str(kept),
                f"{seconds:.1f}",
            ]
            for v, found, _, seconds, kept in rows
        ],
    )
    for v, found, _, _, _ in rows:
        if found.counterexample is not None:
            click.echo(f"\n{v.name}, {v.reading}: {found.counterexample}")
        elif found.lead is not None:
            lead = f"{found.lead.comparison} by {found.lead.size:.2g} relative, in floats only"
            click.echo(f"\n{v.name}, {v.reading}: largest violation that did not certify: {lead}")
    tight = [
        [escape(v.reading), name, f"{value:.6g}", escape(_short(spelled(found.tightest[name])))]
        for v, found, _, _, _ in rows
        for name, value in found.tightness.items()
    ]
    if tight:
        click.echo()
        print_table("Largest certified lhs/rhs", ["wording", "conclusion", "lhs/rhs", "at"], tight)
    fitted = [
        [
            escape(v.reading),
            fit.conclusion,
            fit.parameter,
            f"{fit.values[0]:g} ... {fit.values[-1]:g}",
            f"{fit.bound:.4f}",
            f"{fit.worst_case:.4f}",
            f"{fit.tightness[0]:.4g} ... {fit.tightness[-1]:.4g}",
        ]
        for v, _, fits, _, _ in rows
        for fit in fits
    ]
    if fitted:
        click.echo()
        columns = ["wording", "conclusion", "in", "from ... to", "bound", "worst case", "lhs/rhs"]
        print_table("Fitted exponents", columns, fitted)


def _met(found: Campaign, stage: str) -> str:
    count = found.stages.get(stage)
    return "" if count is None else f"{count.met:,} of {count.drawn:,}"


def _outcome(found: Campaign) -> str:
    if found.counterexample is not None:
        return "[bold red]counterexample[/]"
    return "not broken" if found.certain else "[magenta]vacuous[/]"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_INSTANCE else "(long: see --json)"
