"""The report: one self-contained HTML page, from models, experiments and a ledger.

Everything is computed from the evidence handed in. The page has no network access and no external
file. It reads without its script too: which statement is shown is the fragment of the address, and
style alone follows it; the script adds search and filters, keys and copying. It reads on a phone
and on paper, and follows the reader's light or dark setting.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from ncbounds import __version__
from ncbounds.report.ledger import Ledger
from ncbounds.report.model import Model
from ncbounds.report.page.experiments import ExperimentResult, experiments
from ncbounds.report.page.models import complexity, proximity, softmax_code
from ncbounds.report.page.statements import VERDICTS, index, statement_pages
from ncbounds.report.page.tightness import tightness
from ncbounds.report.page.words import badge

#: Bytes of the sections at most, which leaves room for the font, the style and the script: the
#: whole page stays below 5 MB, unless the smallest pictures are too large.
_LARGEST = 4_850_000


def page(
    models: Sequence[Model],
    ledger: Ledger,
    seed: int,
    seconds: float,
    results: Sequence[ExperimentResult] = (),
) -> str:
    """Write the report on models, experiments and a ledger as one HTML page."""
    articles = statement_pages(ledger)
    sections = {
        "Guarantees": proximity(models),
        "Codes": softmax_code(models),
        "Complexity": complexity(models),
        "Tightness": tightness(ledger),
        "Experiments": "",
        "Statements": index(ledger),
    }
    taken = sum(len(text.encode()) for text in (*sections.values(), articles))
    sections["Experiments"] = experiments(results, _LARGEST - taken)
    there = {name: text for name, text in sections.items() if text}
    links = "".join(f'<a href="#{name.lower()}">{name}</a>' for name in there)
    body = f"""
<a class="skip" href="#statements">Skip to the statements</a>
<nav aria-label="Sections"><a class="home" href="#top">ncbounds</a>{links}</nav>
<main>
<div class="story">{_introduction(models, ledger)}
{"".join(there.values())}
<footer>ncbounds {__version__}, seed {seed}, {seconds:.0f} s in all.</footer></div>
<div id="everything">{articles}</div>
</main>"""
    style = _font() + _read("page.css").decode()
    return _DOCUMENT.format(style=style, script=_read("page.js").decode(), body=_live(body))


def _read(name: str) -> bytes:
    return files("ncbounds.report.page").joinpath(name).read_bytes()


def _font() -> str:
    """The font for formulas, for readers whose system has none: superscripts sit badly without."""
    data = f"data:font/woff2;base64,{b64encode(_read('math.woff2')).decode()}"
    return f'@font-face {{ font-family: "ncbounds Math"; src: url("{data}"); }}\n'


def _live(body: str) -> str:
    """Turn links to what is not on the page into plain words."""
    there = {*re.findall(r'\bid="([^"]+)"', body), "top"}

    def kept(link: re.Match[str]) -> str:
        return link[0] if link[1] in there else link[2]

    return re.sub(r'<a href="#([^"]+)">(.*?)</a>', kept, body)


def _introduction(models: Sequence[Model], ledger: Ledger) -> str:
    counts = ledger.counts()
    links = [
        f'<a href="#statements" data-verdict="{verdict}">{counts[verdict]} {badge(verdict)}</a>'
        for verdict in VERDICTS
        if verdict in counts
    ]
    words = " ".join(
        f'<span class="n">{link}{"," if link is not links[-1] else "."}</span>' for link in links
    )
    faults = "".join(f'<p class="fault">{escape(fault)}</p>' for fault in ledger.faults)
    return f"""
<header id="top">
<h1>Neural collapse: theory, checked and measured</h1>
<p class="lead">{len(ledger.rows)} statements of the literature were checked just now, in
{sum(len(r.variants) for r in ledger.rows)} wordings: {words} Their bounds are set beside
{len(models)} trained network{"s" if len(models) != 1 else ""}.</p>{faults}
</header>"""


_DOCUMENT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>ncbounds report</title><style>{style}</style></head>
<body>{body}
<script>{script}</script></body></html>
"""
