"""The command line: one module per command, imported when its command runs.

Exit status: 0 the command did its work (a refuted printed claim is a result), 1 something of ours
does not hold, 2 bad input, told in one line.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from ncbounds.cli.output import one_line
from ncbounds.errors import NcboundsError

#: Commands in the order of the help page, with the line that it shows.
COMMANDS = {
    "list": "The statements of the papers, with their verdicts.",
    "show": "One statement: what it says, verdicts, evidence, correction.",
    "evaluate": "A bound at given parameters, to certified digits.",
    "verify": "Run proofs and campaigns; print the ledger.",
    "kernel": "Compile the theorems that Coq checks; what each assumes and stands for.",
    "campaign": "Search for counterexamples of one statement, at length.",
    "code": "The best code of K classes in d dimensions, certified.",
    "margin": "The distance of each class of a classifier to the rest, certified.",
    "minimum": "The global minimum of a model of free features, and its phase.",
    "optimality": "How far features and weights are from a global minimum, certified.",
    "measure": "Neural collapse metrics of a file of features.",
    "compare": "Measured quantities beside every bound that applies.",
    "plot": "Draw bounds, or bounds against measurements.",
    "report": "Train, measure, verify: the whole story on one page.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in their order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"ncbounds.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that has seen enough (`... | head`) is no error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command list without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="ncbounds", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Machine-checked theory of neural collapse: evaluate bounds, verify claims, measure models."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line; errors of ours become one line and exit status 2."""
    sys.set_int_max_str_digits(0)  # a number may have 10000 digits, above Python's limit on text
    try:
        group(prog_name="ncbounds", standalone_mode=False)
    except NcboundsError as error:
        click.echo(f"ncbounds: {one_line(str(error))}", err=True)
        sys.exit(2)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("ncbounds: interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        click.echo(f"ncbounds: {one_line(error.format_message())}", err=True)
        sys.exit(2)
