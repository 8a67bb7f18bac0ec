"""The development at a glance, as the documentation has it: counts, and a table of its files."""

from __future__ import annotations

import re

from proofs_check.kernel.build import Certificate, Sources, theorem_names
from proofs_check.kernel.register import theorems

HEAD = ("file", "lines", "theorems", "evaluated", "about", "compiling")


def markdown(texts: Sources, certificate: Certificate) -> str:
    """Return the sentence and the table, with what the certificate knows of time."""
    lines = [counts(texts, certificate), "", f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    for file, *cells in rows(texts):
        lines.append(f"| `{file}` | {' | '.join(cells)} | {certificate.seconds[file]:.1f} s |")
    return "\n".join(lines)


def rows(texts: Sources) -> list[tuple[str, ...]]:
    """One row a file in the order of compilation, without the seconds."""
    evaluated = {theorem.name for theorem in theorems() if theorem.bind is not None}
    found = []
    for file, text in texts.items():
        proved = theorem_names(text)
        numbers = (len(text.splitlines()), len(proved), len(evaluated.intersection(proved)))
        found.append((file, *map(str, numbers), about(text)))
    return found


def counts(texts: Sources, certificate: Certificate) -> str:
    """Say how many theorems there are, and for how many wordings they stand."""
    names = {name for text in texts.values() for name in theorem_names(text)}
    standing = [theorem for theorem in theorems() if theorem.name in names]
    evaluated = {theorem.name for theorem in standing if theorem.bind is not None}
    against = {theorem.name for theorem in standing if theorem.refutes}
    seconds = sum(certificate.seconds.values())
    return (
        f"{len(names)} theorems in {len(texts)} files, compiled by Coq {certificate.coq} in "
        f"{seconds:.0f} s of processor time;\n{len({t.name for t in standing})} stand for wordings "
        f"of {len({t.id for t in standing})} statements, {len(evaluated)} of them evaluated beside "
        f"the claim, {len(against)} against what is printed."
    )


def about(text: str) -> str:
    """What a source says that it is about: its first words, up to a colon or a full stop."""
    opening = " ".join(re.findall(r"\(\*\*(.*?)\*\)", text, re.DOTALL)[0].split())
    return re.split(r"[.:](?:\s|$)", opening)[0]
