"""`ncbounds show ID`: a statement, its verdicts with their evidence, defect and correction."""

from __future__ import annotations

import click
from rich.console import Console

from ncbounds.cli.output import print_json, progress_bar, styled
from ncbounds.cli.verify_command import evidence_in_words
from ncbounds.report.ledger import StatementRow, VariantRow, verify
from ncbounds.theory import statement
from ncbounds.theory.terms import PAPERS, Statement


@click.command("show")
@click.argument("id")
@click.option("--latex", "as_latex", is_flag=True, help="Print the formulas in LaTeX.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(id: str, as_latex: bool, as_json: bool) -> None:
    """Show statement ID; its verdicts are computed now."""
    found = statement(id)
    if as_latex:
        _print_latex(found)
        return
    with progress_bar("verifying") as progress:
        row = verify([id], budget=0.3 * len(found.variants), progress=progress).rows[0]
    if as_json:
        print_json(row.to_dict())
    else:
        _print(row)


def _print_latex(found: Statement) -> None:
    from ncbounds.arithmetic.symbolic import latex

    for variant in found.variants:
        click.echo(f"% {found.id} [{variant.name}: {variant.reading}]")
        click.echo(variant.text)
        for bound in variant.bounds:
            click.echo(f"% {bound.quantity}: {bound.formula.meaning}")
            click.echo(f"\\[ {latex(bound.formula)} \\]")
        click.echo()


def _print(row: StatementRow) -> None:
    console = Console(highlight=False)
    s = row.statement
    console.print(f"[bold]{s.id}[/]  {s.title}", soft_wrap=True)
    console.print(f"{PAPERS[s.source.paper]}, {s.source.locator}", style="dim", soft_wrap=True)
    for v in row.variants:
        console.print()
        console.print(f"[bold]{v.variant.name}[/] ({v.variant.reading}): {styled(v.verdict)}")
        console.print(v.variant.text, markup=False)
        for label, words in (("defect", v.variant.defect), ("remark", v.variant.remark)):
            if words:
                console.print(f"[italic]{label}:[/] {words}")
        console.print(f"[italic]evidence:[/] {evidence_in_words(v)}")
        _print_proof(console, v)


def _print_proof(console: Console, row: VariantRow) -> None:
    if row.proof is None:
        return
    for step in row.proof.steps:
        mark = "[green]holds[/]" if step.holds else "[bold red]fails[/]"
        detail = f" ({step.detail})" if step.detail else ""
        console.print(f"  {mark}  {step.name} [dim]{step.method}{detail}[/]")
    for fact in row.proof.facts:
        console.print(f"  [yellow]fact[/]   {fact.name}: {fact.statement} [dim]{fact.source}[/]")
