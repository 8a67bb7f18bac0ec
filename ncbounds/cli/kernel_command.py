"""`ncbounds kernel`: compile the theorems that Coq checks, and hold each against its claim."""

from __future__ import annotations

import sys

import click
from rich.markup import escape

from ncbounds.cli.output import print_json, print_table
from ncbounds.report.kernel import KernelEvidence, kernel_evidence
from proofs_check.kernel import table
from proofs_check.kernel.build import Certificate, build, certificate_faults, sources
from proofs_check.kernel.statements import written


@click.command("kernel")
@click.option("--check", is_flag=True, help="Have the independent checker coqchk read it all too.")
@click.option(
    "--statements", is_flag=True, help="Print statements and definitions as Coq has them."
)
@click.option("--markdown", is_flag=True, help="Print a table of the files, for documentation.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(check: bool, statements: bool, markdown: bool, as_json: bool) -> None:
    """Compile the theorems that Coq checks; say what each assumes and which wording it stands for.

    Compiled files are kept in the user's cache folder, or in that which NCBOUNDS_CACHE names.
    """
    certificate = build(recheck=check)
    if statements:
        click.echo(written(certificate.printed), nl=False)
        return
    if markdown:
        click.echo(table.markdown(sources(), certificate))
        return
    evidence = [one for few in kernel_evidence(certificate).values() for one in few]
    faults = certificate_faults(certificate)
    faults += [
        f"{one.theorem.name} for {one.theorem.id}: {one.fault}" for one in evidence if one.fault
    ]
    if as_json:
        print_json(_data(certificate, evidence, faults))
    else:
        _print(certificate, evidence)
    for fault in faults:
        click.echo(f"ncbounds: fault: {fault}", err=True)
    if faults:
        sys.exit(1)


def _data(
    certificate: Certificate, evidence: list[KernelEvidence], faults: list[str]
) -> dict[str, object]:
    return {
        "coq": certificate.coq,
        "source_hash": certificate.sources,
        "rechecked": certificate.rechecked,
        "seconds": certificate.seconds,
        "theorems": [
            {
                "theorem": name,
                "file": stated.file,
                "seconds": certificate.seconds[stated.file],
                "assumptions": stated.assumptions,
                "statement": stated.statement,
                "stands_for": [
                    {
                        "id": one.theorem.id,
                        "variant": one.theorem.variant,
                        "reading": one.theorem.reading,
                        **one.to_dict(),
                    }
                    for one in evidence
                    if one.theorem.name == name
                ],
            }
            for name, stated in certificate.printed.theorems.items()
        ],
        "faults": faults,
    }


def _print(certificate: Certificate, evidence: list[KernelEvidence]) -> None:
    """Print one line a theorem and wording, the axioms, and what was done."""
    rows = []
    printed = certificate.printed.theorems
    for name, stated in printed.items():
        standing = [_wording(one) for one in evidence if one.theorem.name == name] or [["", ""]]
        for place, words in enumerate(standing):
            seconds = f"{certificate.seconds[stated.file]:.1f}"
            head = ["", "", ""] if place else [escape(name), stated.file, seconds]
            rows.append([*head, *words])
    print_table("", ["theorem", "file", "seconds", "stands for", "beside the claim"], rows)
    click.echo()
    assumed = {name for stated in printed.values() for name in stated.assumptions}
    axioms = ", ".join(sorted(name.rpartition(".")[2] for name in assumed)) or "none"
    click.echo(
        f"{len(printed)} theorems in {len(certificate.seconds)} files, compiled by Coq "
        f"{certificate.coq} in {sum(certificate.seconds.values()):.0f} s of processor time"
    )
    click.echo(f"axioms, of all together: {axioms}")
    if certificate.rechecked:
        click.echo("coqchk has read them too, with all that they rest on")


def _wording(one: KernelEvidence) -> list[str]:
    against = "against " if one.theorem.refutes else ""
    place = f"{against}{one.theorem.id} [{one.theorem.variant}, {one.theorem.reading}]"
    told = f"[bold red]{escape(one.fault)}[/]" if one.fault else escape(one.tied)
    return [escape(place), told]
