"""What the commands share: tables, JSON, and a progress bar that a pipe never sees."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

#: Colours of verdicts; only `proved` is green.
VERDICT_STYLE = {
    "proved": "green",
    "supported": "cyan",
    "refuted": "bold red",
    "vacuous": "magenta",
    "open": "yellow",
}


#: Columns of tables and paragraphs in a pipe.
_PIPE_WIDTH = 240
_LONGEST_LINE = 600


def print_json(data: Any) -> None:
    """Print data as JSON."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: as wide as the terminal, or wide and plain in a pipe."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*row)
    printer = console()
    with printer.capture() as drawn:
        if title:  # as a title of the table it would be broken where the table is narrow
            printer.print(title, style="table.title")
        printer.print(table)
    for line in drawn.get().strip("\n").splitlines():
        click.echo(line.rstrip())


def console() -> Console:
    """Return the printer of rich text on the output stream; a closed pipe is left to the group."""
    from rich.console import Console

    class Printer(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Printer(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


def one_line(message: str) -> str:
    """Put a message that quotes untrusted text on one line without control characters."""
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(message.split()))
    line = abbreviated(plain)
    if len(line) > _LONGEST_LINE:
        half = _LONGEST_LINE // 2
        line = f"{line[:half]} ... {line[-half:]}"
    return line


def abbreviated(text: str) -> str:
    """Cut runs of more than 40 digits short, for the eye only; JSON and CSV have all digits."""
    return re.sub(r"\d{41,}", lambda run: f"{run[0][:6]}...({len(run[0])} digits)", text)


def styled(verdict: str) -> str:
    """A verdict in its colour."""
    return f"[{VERDICT_STYLE.get(verdict, 'white')}]{verdict}[/]"


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar on the terminal's error stream; in a pipe, nothing.

    Yields a function to call with (done, total, what was done last).
    """
    if not sys.stderr.isatty():
        yield lambda done, total, last: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} {task.fields[last]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=1, last="")

        def advance(done: int, total: int, last: str) -> None:
            bar.update(task, completed=done, total=total, last=last)

        yield advance
