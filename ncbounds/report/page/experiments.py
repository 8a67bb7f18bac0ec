"""The experiments on the page: what each asks, how to run it, and what a run has left."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.report.page.words import number, prose

if TYPE_CHECKING:
    from PIL.Image import Image

#: Width and height at most in pixels, and quality, of embedded pictures: the first that have room.
_SIZES = ((1500, 82), (1200, 70), (1000, 60), (800, 50))


@dataclass(frozen=True)
class ExperimentResult:
    """An experiment: its name, its docstring, what a run of it has left and has found.

    `captions` say what a picture shows, by its name without ending.
    """

    name: str
    text: str
    pictures: tuple[Path, ...] = ()
    table: Path | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    captions: Mapping[str, str] = field(default_factory=dict)


def experiments(results: Sequence[ExperimentResult], room: int = 2_000_000) -> str:
    """The section: those that were run first, with pictures and tables; empty without any.

    Pictures are as large as lets the section have `room` bytes, or else the smallest.
    """
    if not results:
        return ""
    pictures = {path: _opened(path) for one in results for path in one.pictures}
    for pixels, quality in _SIZES:
        embedded = {path: _embedded(found, pixels, quality) for path, found in pictures.items()}
        section = _section(results, embedded)
        if len(section.encode()) <= room:
            break
    return section


def _section(results: Sequence[ExperimentResult], embedded: Mapping[Path, str]) -> str:
    run = [one for one in results if one.pictures or one.table or one.findings]
    rest = [one for one in results if one not in run]
    shown = "".join(_result(one, embedded) for one in run)
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


def _result(one: ExperimentResult, embedded: Mapping[Path, str]) -> str:
    first, _, rest = one.text.strip().partition("\n\n")
    about = "".join(f"<p>{prose(part)}</p>" for part in rest.split("\n\n")[:1] if part.strip())
    title = " ".join(first.split())
    pictures = "".join(
        _picture(embedded[path], one.captions.get(path.stem, ""), f"{title} ({path.stem})")
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


def _picture(address: str, caption: str, title: str) -> str:
    """A picture over what it shows, which is its alternative text too; else the title is that."""
    below = f"<figcaption>{prose(caption)}</figcaption>" if caption else ""
    alt = escape(caption or title)
    return f'<figure class="broad"><img alt="{alt}" src="{address}">{below}</figure>'


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
        f'<div class="wide findings"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _opened(path: Path) -> Image:
    """A picture as a run has drawn it."""
    try:
        import PIL.Image
    except ImportError as error:
        raise MissingDependencyError('Pillow is missing: pip install "ncbounds[plot]"') from error
    try:
        with PIL.Image.open(path) as opened:
            return opened.convert("RGB")
    except (PIL.UnidentifiedImageError, OSError):
        raise InputError("--results", str(path), "a picture that can be read") from None


def _embedded(picture: Image, pixels: int, quality: int) -> str:
    """A picture as an address that holds it."""
    small, packed = picture.copy(), BytesIO()
    small.thumbnail((pixels, pixels))
    small.save(packed, "WEBP", quality=quality)
    return f"data:image/webp;base64,{b64encode(packed.getvalue()).decode()}"
