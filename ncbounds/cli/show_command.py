"""`ncbounds show ID`: a statement, its verdicts with their evidence, defect and correction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.markup import escape

from ncbounds.cli.glance import look
from ncbounds.cli.output import console, print_json, styled
from ncbounds.report.ledger import StatementRow, VariantRow
from ncbounds.theory import statement
from ncbounds.theory.terms import PAPERS, Statement

if TYPE_CHECKING:
    from rich.console import Console


@click.command("show")
@click.argument("id")
@click.option("--latex", "as_latex", is_flag=True, help="Print the formulas in LaTeX.")
@click.option("--fresh", is_flag=True, help="Use no evidence that an earlier look has kept.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(id: str, as_latex: bool, fresh: bool, as_json: bool) -> None:
    """Show statement ID, its verdicts and the evidence from which they follow."""
    found = statement(id)
    if as_latex:
        _print_latex(found)
        return
    row = look([found], fresh).rows[0]
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
    out = console()
    s = row.statement
    out.print(f"[bold]{s.id}[/]  {escape(s.title)}", soft_wrap=True)
    out.print(f"{PAPERS[s.source.paper]}, {s.source.locator}", style="dim", soft_wrap=True)
    for v in row.variants:
        out.print()
        out.print(f"[bold]{v.variant.name}[/] ({escape(v.variant.reading)}): {styled(v.verdict)}")
        out.print(v.variant.text, markup=False)
        for label, words in (("defect", v.variant.defect), ("remark", v.variant.remark)):
            if words:
                out.print(f"[italic]{label}:[/] {escape(words)}")
        evidence = v.counterexample or v.variant.undecided or v.brief
        out.print(f"[italic]evidence:[/] {escape(evidence)}")
        _print_proof(out, v)
        _print_kernel(out, v)


def _print_proof(out: Console, row: VariantRow) -> None:
    if row.proof is None:
        return
    for step in row.proof.steps:
        mark = "[green]holds[/]" if step.holds else "[bold red]fails[/]"
        detail = f" ({step.detail})" if step.detail else ""
        out.print(f"  {mark}  {escape(step.name)} [dim]{escape(step.method + detail)}[/]")
    for fact in row.proof.facts:
        stated = escape(f"{fact.name}: {fact.statement}")
        out.print(f"  [yellow]fact[/]   {stated} [dim]{escape(fact.source)}[/]")


def _print_kernel(out: Console, row: VariantRow) -> None:
    """Print the theorems of the kernel, or what would add them."""
    if row.raised_by:
        out.print(f"[italic]would be raised by:[/] {escape(row.raised_by)}", soft_wrap=True)
    for one in row.kernel:
        mark = "[bold red]fails[/]" if one.fault else "[green]kernel[/]"
        checked = ", rechecked by coqchk" if one.rechecked else ""
        told = (
            f"Coq {one.coq}, {one.theorem.file} in {one.seconds:g} s{checked}; assumes {one.axioms}"
        )
        out.print(f"  {mark} {escape(one.theorem.name)} [dim]{escape(told)}[/]", soft_wrap=True)
        for line in one.statement.splitlines():
            out.print(f"           {line}", markup=False, soft_wrap=True)
        for formula in one.formulas:
            body = " ".join(formula.coq.split())
            out.print(f"           {formula.name} := {body}", markup=False, soft_wrap=True)
            out.print(
                f"           {formula.name} = ${formula.latex}$", markup=False, soft_wrap=True
            )
        out.print(f"           [dim]{escape(one.fault or one.tied)}[/]", soft_wrap=True)
