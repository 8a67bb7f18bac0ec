"""How tight the statements are: each wording that nothing broke, by how near it was attained."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ncbounds.report.ledger import Ledger, VariantRow
from ncbounds.report.page.pictures import LEFT, TOP, Axis, dot, frame

_WIDTH, _ROW = 440, 74
_WORDINGS = ("printed", "corrected", "sharp")
#: From which tightness on a bound is called attained.
_ATTAINED = 0.999
#: Pixels between marks.
_APART = 8.0

#: Tightness, where it stands on the page, and the wording.
Height = tuple[float, str, VariantRow]


def tightness(ledger: Ledger) -> str:
    """The section: which wordings are attained, and how near the rest come; empty without any."""
    found = {name: _heights(ledger, name) for name in _WORDINGS}
    present = {name: heights for name, heights in found.items() if heights}
    if not present:
        return ""
    x = Axis(0.0, 1.0, False, _WIDTH)
    y = Axis(0.0, 1.0, False, _ROW * len(present))
    told = [f"{name}: {_summary(heights)}" for name, heights in present.items()]
    rows = "".join(
        _row(x, TOP + n * _ROW, name, line, heights)
        for n, ((name, heights), line) in enumerate(zip(present.items(), told, strict=True))
    )
    words = f"Tightness of every wording that is not attained. {'; '.join(told)}"
    picture = frame(x, y, "tightness", "", words, rows, numbered=False)
    return f"""
<section id="tightness"><h2>How tight the bounds are</h2>
<p>Of every wording that nothing broke, the largest quotient of the two sides of a conclusion that a
search found and ball arithmetic certified: 1 means that the bound is attained. Those that are
not, to a thousandth, are drawn; each mark leads to its wording. A loose bound may be one that the
search has not exhausted.</p>
<figure>{picture}</figure></section>"""


def _heights(ledger: Ledger, name: str) -> list[Height]:
    """The tightness of each wording of one name, sorted."""
    found = [
        (v.tightness, f"{row.statement.id}/{n}", v)
        for row in ledger.rows
        for n, v in enumerate(row.variants, 1)
        if v.variant.name == name and v.tightness is not None and v.verdict != "refuted"
    ]
    return sorted(found, key=lambda entry: entry[:2])


def _summary(heights: Sequence[Height]) -> str:
    attained = sum(height >= _ATTAINED for height, *_ in heights)
    return f"{attained} of {len(heights)} attained"


def _row(x: Axis, top: float, name: str, line: str, heights: Sequence[Height]) -> str:
    """One row of marks, those that would overlap one above the other."""
    base, last, level = top + _ROW - 10, -math.inf, 0
    marks = ""
    for height, link, v in heights:
        if height >= _ATTAINED:
            continue
        place = x.place(height)
        level = level + 1 if place - last < _APART else 0
        last = place if level == 0 else last
        words = f"{link.split('/')[0]}, {name}, {v.variant.reading}: {height:.4g}"
        marks += dot(LEFT + place, base - _APART * level, name, link, words)
    label = f'<text class="row" x="{LEFT + 2}" y="{top + 14}">{line}</text>'
    return f'{label}<path class="grid" d="M{LEFT} {top + _ROW:g}h{x.length}"/>{marks}'
