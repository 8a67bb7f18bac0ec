"""What the kernel says of the development, as data and as the text that is kept with the sources.

`statements.txt` pins it: a theorem whose statement, assumptions or definitions are not as written
there has changed its meaning, and a change of meaning is to be seen in the difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PINNED = Path(__file__).parent / "statements.txt"


@dataclass(frozen=True)
class Stated:
    """A theorem as the kernel has it: its closed statement, and axioms that its proof may use.

    They are those of its own proof where each theorem was asked for alone, or else those of all.
    """

    file: str
    statement: str
    assumptions: list[str]


@dataclass(frozen=True)
class Printed:
    """All theorems by name, and all definitions by name with type and body."""

    theorems: dict[str, Stated]
    definitions: dict[str, tuple[str, str]]


def read_answers(output: str) -> Printed:
    """Read what the kernel printed, piece by piece between its marks."""
    statements: dict[str, tuple[str, str]] = {}
    definitions: dict[str, tuple[str, str]] = {}
    assumed: dict[str, list[str]] = {}
    pieces = re.split(r"^=== (.*)\n", output, flags=re.MULTILINE)[1:]
    for mark, text in zip(pieces[::2], pieces[1::2], strict=True):
        match mark.split():
            case ["theorem", file, name]:
                statements[name] = file, _plain(text.split(" : ", 1)[1])
            case ["assumptions", *names]:
                assumed |= dict.fromkeys(names or statements, _axioms(text))
            case ["definition", _, _]:
                told, _, rest = text.partition("=")
                body, _, tail = rest.rpartition("\n     : ")
                type = tail.split("\n\nArguments")[0]
                definitions[told.strip()] = (" ".join(type.split()), _plain(body))
    theorems = {name: Stated(*told, assumed.get(name, [])) for name, told in statements.items()}
    return Printed(theorems, definitions)


def _axioms(text: str) -> list[str]:
    """The names in what `Print Assumptions` prints; each begins a line."""
    if text.startswith("Closed under the global context"):
        return []
    named = re.findall(r"^([^\s:]+)(?=\s|:)", text, flags=re.MULTILINE)
    return sorted(name for name in named if name not in ("Axioms", "Axioms:"))


def _plain(text: str) -> str:
    """A term without the indentation that printing gave it."""
    lines = text.strip().splitlines()
    indents = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    cut = min(indents, default=0)
    return (
        "\n".join([lines[0].strip(), *(line[cut:].rstrip() for line in lines[1:])]) if lines else ""
    )


# -- as text --------------------------------------------------------------------------------------


def written(printed: Printed) -> str:
    """Write what the kernel says as text, a block for each theorem and each definition."""
    blocks = [
        _block(f"Theorem {name} in {one.file}", one.statement)
        + f"\n  assuming {', '.join(one.assumptions) or 'nothing'}"
        for name, one in printed.theorems.items()
    ]
    blocks += [
        _block(f"Definition {name} : {' '.join(type.split())}", body)
        for name, (type, body) in printed.definitions.items()
    ]
    return "\n\n".join(blocks) + "\n"


def _block(head: str, body: str) -> str:
    return "\n".join([head, *(f"  {line}" for line in body.splitlines())])


def pinned(text: str | None = None) -> Printed:
    """Read the statements that are kept with the sources."""
    if text is None:
        text = _PINNED.read_text("utf-8") if _PINNED.exists() else ""
    theorems: dict[str, Stated] = {}
    definitions: dict[str, tuple[str, str]] = {}
    for block in filter(None, text.strip().split("\n\n")):
        head, *lines = block.splitlines()
        body = [line[2:] for line in lines]
        kind, name, *rest = head.split()
        if kind == "Theorem":
            told = body.pop().removeprefix("assuming ")
            assumptions = [] if told == "nothing" else told.split(", ")
            theorems[name] = Stated(rest[1], "\n".join(body), assumptions)
        else:
            definitions[name] = (" ".join(rest[1:]), "\n".join(body))
    return Printed(theorems, definitions)
