"""The experiments on the page: what each asks, how to run it, and what a run has left."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.report.page.words import number, prose

#: Width and height at most, in pixels, of an embedded picture.
_LARGEST = (1500, 1500)
_QUALITY = 82


@dataclass(frozen=True)
class ExperimentResult:
    """An experiment: its name, its docstring, what a run of it has left and has found."""

    name: str
    text: str
    pictures: tuple[Path, ...] = ()
    table: Path | None = None
    findings: tuple[Mapping[str, Any], ...] = ()


def experiments(results: Sequence[ExperimentResult]) -> str:
    """The section: those that were run first, with pictures and tables; empty without any."""
    if not results:
        return ""
    run = [one for one in results if one.pictures or one.table or one.findings]
    rest = [one for one in results if one not in run]
    shown = "".join(_result(one) for one in run)
    commands = "".join(
        f'<li><span class="command"><code>python -m experiments {escape(one.name)}</code></span> '
        f"{prose(_title(one))}</li>"
        for one in rest
    )
    others = f"<h3>Not run for this page</h3><ul>{commands}</ul>" if rest else ""
    return f"""
<section id="experiments"><h2>Experiments</h2>
<p>Trainings and computations with the theory drawn in, each by one command.</p>
{shown}{others}</section>"""


def _title(one: ExperimentResult) -> str:
    return one.text.strip().partition("\n")[0]


def _result(one: ExperimentResult) -> str:
    first, _, rest = one.text.strip().partition("\n\n")
    about = "".join(f"<p>{prose(part)}</p>" for part in rest.split("\n\n")[:1] if part.strip())
    title = " ".join(first.split())
    pictures = "".join(
        f'<figure class="broad"><img alt="{escape(f"{title} ({path.stem})")}" loading="lazy" '
        f'src="{_embedded(path)}"></figure>'
        for path in one.pictures
    )
    table = ""
    if one.table is not None:
        text = one.table.read_text(encoding="utf-8", errors="replace")
        table = (
            f"<details><summary>The table it printed</summary>"
            f'<pre tabindex="0">{escape(text)}</pre></details>'
        )
    return (
        f'<section class="experiment" id="experiment/{escape(one.name)}"><h3>{prose(title)}</h3>'
        f'{about}<p class="command"><code>python -m experiments {escape(one.name)}</code></p>'
        f"{pictures}{_findings(one)}{table}"
        "</section>"
    )


def _findings(one: ExperimentResult) -> str:
    """What the paper claims, whether the run shows it, and what theory says there."""
    if not one.findings:
        return ""
    rows = "".join(
        f"<tr><td>{prose(told['claim'])} <small>{prose(told['source'])}</small></td>"
        f"<td>{escape(told['verdict'])}</td><td class='num'>{number(told['p'])}</td>"
        f"<td>{prose(told['tightness'])}</td></tr>"
        for told in one.findings
    )
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("claim", "this run", "p", "what theory says there")
    )
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _embedded(path: Path) -> str:
    """A picture as an address that holds it, small enough for a page."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingDependencyError('Pillow is missing: pip install "ncbounds[plot]"') from error
    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    except (UnidentifiedImageError, OSError):
        raise InputError("--results", str(path), "a picture that can be read") from None
    picture.thumbnail(_LARGEST)
    packed = BytesIO()
    picture.save(packed, "WEBP", quality=_QUALITY, method=6)
    return f"data:image/webp;base64,{b64encode(packed.getvalue()).decode()}"
