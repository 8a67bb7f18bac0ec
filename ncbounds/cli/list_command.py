"""`ncbounds list`: the statements of the papers, with their verdicts."""

from __future__ import annotations

import click

from ncbounds.cli.glance import look
from ncbounds.cli.output import VERDICT_STYLE, print_json, print_table, styled
from ncbounds.errors import InputError
from ncbounds.report.ledger import Ledger, StatementRow, select
from ncbounds.theory import statements


@click.command("list")
@click.option("--paper", help="Only one paper: bnwd, review, square or gnc.")
@click.option("--kind", help="Only one kind: lemma, theorem, equation, ...")
@click.option("--verdict", help="Only statements with a variant of this verdict.")
@click.option("--fresh", is_flag=True, help="Use no evidence that an earlier look has kept.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    paper: str | None, kind: str | None, verdict: str | None, fresh: bool, as_json: bool
) -> None:
    """List statements; verdicts come from the proofs and a glance of search."""
    if verdict is not None and verdict not in VERDICT_STYLE:
        raise InputError("verdict", verdict, f"one of {', '.join(VERDICT_STYLE)}")
    kinds = list(dict.fromkeys(s.kind for s in statements().values()))
    if kind is not None and kind not in kinds:
        raise InputError("kind", kind, f"one of {', '.join(kinds)}")
    chosen = [s for s in select((), paper) if kind in (None, s.kind)]
    rows: tuple[StatementRow, ...] = ()
    if chosen:
        rows = look(chosen, fresh).rows
    kept = Ledger(
        tuple(r for r in rows if verdict is None or any(v.verdict == verdict for v in r.variants))
    )
    if as_json:
        print_json(kept.to_dict())
        return
    print_table(
        "",
        ["statement", "place", "title", "printed", "ours"],
        [
            [
                r.statement.id,
                r.statement.source.locator,
                r.statement.title,
                ", ".join(_verdicts(r, printed=True)),
                ", ".join(_verdicts(r, printed=False)),
            ]
            for r in kept.rows
        ],
    )


def _verdicts(row: StatementRow, printed: bool) -> list[str]:
    found = (v.verdict for v in row.variants if (v.variant.name == "printed") == printed)
    return [styled(verdict) for verdict in dict.fromkeys(found) if verdict]
