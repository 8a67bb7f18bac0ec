"""The report: one self-contained HTML page, from models and a ledger.

Everything is computed from the evidence handed in; the page has no script, no network access and
no external file, reads on a phone and on paper, and follows the reader's light or dark setting.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from html import escape
from typing import Any

import numpy as np

from ncbounds import __version__
from ncbounds.arithmetic.symbolic import mathml
from ncbounds.codes.beside import beside
from ncbounds.errors import MissingDependencyError
from ncbounds.measure.complexity import TreeComplexity, tree_rademacher
from ncbounds.report.compare import ModelBound
from ncbounds.report.ledger import Ledger, StatementRow, VariantRow
from ncbounds.report.margin_plot import plot_margin
from ncbounds.report.model import Model
from ncbounds.report.plots import svg
from ncbounds.report.proximity_plots import plot_proximity
from ncbounds.report.rademacher_bounds import theory_bounds
from ncbounds.theory.evaluate import evaluate
from ncbounds.theory.terms import PAPERS

#: Depths and number of samples of the tree networks whose complexity is computed.
TREE_DEPTHS, TREE_SAMPLES = (1, 2, 3), 6


def page(models: Sequence[Model], ledger: Ledger, seed: int, seconds: float) -> str:
    """Write the report on models and a ledger as one HTML page."""
    body = [
        _introduction(models, ledger),
        _proximity(models),
        _softmax_code(models),
        _complexity(models),
        _ledger(ledger),
        f"<footer>ncbounds {__version__}, seed {seed}, {seconds:.0f} s in all.</footer>",
    ]
    return _DOCUMENT.format(style=_STYLE, body=_live("\n".join(body), ledger))


def _live(body: str, ledger: Ledger) -> str:
    """Turn links to statements that the ledger does not have into plain words."""
    there = {row.statement.id for row in ledger.rows}

    def kept(link: re.Match[str]) -> str:
        return link[0] if link[1] in there else link[2]

    return re.sub(r"""<a href=["']#([^"']+)["']>(.*?)</a>""", kept, body)


# -- sections -------------------------------------------------------------------------------------


def _introduction(models: Sequence[Model], ledger: Ledger) -> str:
    counts = ledger.counts()
    words = ", ".join(
        f"{counts[verdict]} {_badge(verdict)}"
        for verdict in ("proved", "supported", "refuted", "vacuous", "open")
        if verdict in counts
    )
    faults = "".join(f'<p class="fault">{escape(fault)}</p>' for fault in ledger.faults)
    return f"""
<header>
<h1>Neural collapse: theory, checked and measured</h1>
<p class="lead">{len(ledger.rows)} statements of the literature were checked just now, in
{sum(len(r.variants) for r in ledger.rows)} wordings: {words}. Their bounds are set beside
{len(models)} trained networks.</p>{faults}
</header>"""


def _proximity(models: Sequence[Model]) -> str:
    reports = {m.name: m.report for m in models}
    figure = plot_proximity(reports, {m.name: m.group for m in models})
    rows = "".join(_proximity_row(m) for m in models)
    facts = list(dict.fromkeys(name for m in models for name in m.facts))
    head = "".join(f"<th>{escape(name)}</th>" for name in facts)
    return f"""
<section><h2>What a small loss guarantees</h2>
<p>From three measured numbers, the mean loss, the feature norm and the weight norm, our sharp form
of <a href="#bnwd:theorem-2.1">bnwd:theorem-2.1</a> bounds how far a network can be from collapse.
Dots are measured, bars are guaranteed, the darker the more information is used. The printed
theorem leaves a constant &kappa; open; it is told for a generous &kappa; = 1/10 and for 1.</p>
<figure class="broad">{_picture(figure, "Measured collapse and guarantees of every network")}
</figure>
<div class="wide"><table class="numbers"><thead><tr><th>network</th>{head}<th>loss</th><th>s</th>
<th>variability (NC1)</th><th>1 &minus; cosine (NC3)</th><th>worst intra-class cosine</th>
<th>printed bound, &kappa; = 1/10</th><th>printed bound, &kappa; = 1</th></tr></thead>
<tbody>{rows}</tbody></table></div>
<p class="note">Each guaranteed cell reads measured &le; guaranteed. s is the proximity gap
1 &minus; &phi;<sup>&minus;1</sup>(loss)/T; the guarantees are 2s &minus; s&sup2; and s.</p>
</section>"""


def _proximity_row(m: Model) -> str:
    by_reading = {(b.quantity, b.variant, b.reading): b for b in m.report.bounds}

    def pick(quantity: str, variant: str, reading: str = "") -> ModelBound | None:
        for (q, v, r), b in by_reading.items():
            if q == quantity and v == variant and (not reading or r == reading):
                return b
        return None

    spread, cosine = pick("nc1.relative", "sharp"), pick("1 - nc3.cosine", "sharp")
    intra = [pick("cosine.intra.min", "printed", f"kappa = {k}") for k in (Fraction(1, 10), 1)]
    metrics = m.report.measurement.metrics
    cells = [
        f"<th scope='row'>{escape(m.name)}</th>",
        *(f"<td>{escape(value)}</td>" for value in m.facts.values()),
        f"<td>{_number(metrics['loss.cross_entropy'])}</td>",
        f"<td>{_number(float(cosine.bound))}</td>" if cosine else "<td>&ndash;</td>",
        _pair(spread),
        _pair(cosine),
        f"<td>{metrics['cosine.intra.min']:.4f}</td>" if intra[0] else "<td>&ndash;</td>",
        *(_limit(b) for b in intra),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _softmax_code(models: Sequence[Model]) -> str:
    numbers = sorted({m.report.measurement.K for m in models} | {1000})
    K = numbers[-1]
    figure = plot_margin({"d": "2:512:60:log", "K": str(K)})
    rows = ""
    for d, count in ((2, 10), (3, 12), (8, 240), (64, 1000), (512, 10**6)):
        found = evaluate("gnc:theorem-3.9", digits=6, d=d, K=count)
        best = {
            e.direction: e
            for e in beside("gnc:theorem-3.9", found, digits=6)
            if e.variant == "proved"
        }
        printed = {e.direction: e for e in found if e.variant == "printed"}
        cells = "".join(
            f"<td class='{'vacuous' if e.vacuous else ''}'>"
            f"{escape(e.decimal.value if e.decimal else '')}</td>"
            for side in ("lower", "upper")
            for e in (printed[side], best[side])
        )
        cells += f"<td>{escape(best['upper'].reading)}</td>"
        rows += f"<tr><th scope='row'>{d}</th><td>{count}</td>{cells}</tr>"
    return f"""
<section><h2>How far apart K classes can be in d dimensions</h2>
<p>The largest possible one-vs-rest distance of K unit vectors, bounded by
<a href="#gnc:theorem-3.9">gnc:theorem-3.9</a>. The printed upper side has half the right exponent.
By <a href="#gnc:sharp-1">gnc:sharp-1</a> the distance is one less the largest inner product of the
best spherical code, so that every bound on those is one on margins.</p>
<figure>{_picture(figure, f"Bounds on the one-vs-rest distance against d for K = {K}")}</figure>
<div class="wide"><table><thead><tr><th>d</th><th>K</th><th>printed lower</th><th>best lower</th>
<th>printed upper</th><th>best upper</th><th>by</th></tr></thead><tbody>{rows}</tbody></table></div>
<p class="note">Six certified digits; best of what is proved here or cited. Grey: vacuous.</p>
</section>"""


def tree_complexities(models: Sequence[Model]) -> list[TreeComplexity]:
    """Certified complexities of small tree networks on features of the first model.

    Depths whose 2^L inputs the features do not have are left out.
    """
    features = np.asarray(models[0].features, dtype=np.float64)
    count = min(TREE_SAMPLES, len(features))
    picked = features[np.linspace(0, len(features) - 1, count).astype(int)]
    return [
        tree_rademacher(picked[:, : 2**depth])
        for depth in TREE_DEPTHS
        if 2**depth <= picked.shape[1] and np.any(picked[:, : 2**depth])
    ]


def _complexity(models: Sequence[Model]) -> str:
    found = tree_complexities(models)
    if not found:
        return ""
    rows = ""
    features = np.asarray(models[0].features, dtype=np.float64)
    picked = features[np.linspace(0, len(features) - 1, found[0].m).astype(int)]
    for truth in found:
        norm = float(np.sqrt((picked[:, : truth.d] ** 2).sum()))
        bounds = _best_bounds(truth, norm)
        cells = "".join(
            f"<td>{_number(value)} <small>({value / truth.lower:.1f}&times;)</small></td>"
            for value in (
                bounds["square:theorem-4", "sharp"],
                bounds["square:theorem-4", "printed"],
                bounds["square:eq-25", "corrected"],
                bounds["square:eq-25", "printed"],
            )
        )
        upper = "?" if truth.upper is None else f"{truth.upper:.5g}"
        rows += (
            f"<tr><th scope='row'>{truth.depth}</th><td>{truth.d}</td><td>{truth.m}</td>"
            f"<td>[{truth.lower:.5g}, {upper}]</td>{cells}</tr>"
        )
    return f"""
<section><h2>Rademacher complexity of small convolutional networks</h2>
<p>The true empirical complexity of the binary-tree networks of
<a href="#square:theorem-4">square:theorem-4</a> on real features ({escape(models[0].name)}), by
going through all sign vectors with a certified supremum, beside the bounds.</p>
<div class="wide"><table class="numbers"><thead><tr><th>levels L</th><th>inputs d</th>
<th>samples m</th><th>certified truth</th><th>our bound</th><th>printed bound</th>
<th>dense, corrected</th>
<th>dense, printed</th></tr></thead><tbody>{rows}</tbody></table></div>
<p class="note">Definition 1 of the paper, kernel norms at most 1. In brackets: bound over truth.
</p></section>"""


def _best_bounds(truth: TreeComplexity, norm: float) -> dict[tuple[str, str], float]:
    """The least bound of each statement and variant, whatever order of moments it takes."""
    point = {
        "L": Fraction(truth.depth),
        "rho": Fraction(truth.rho),
        "m": Fraction(truth.m),
        "norm": Fraction(norm),
    }
    best: dict[tuple[str, str], float] = {}
    for k in range(1, truth.depth + 1):
        for one in theory_bounds(point | {"k": Fraction(k)}):
            key = one.id, one.variant
            best[key] = min(one.value, best.get(key, math.inf))
    return best


# -- the ledger -----------------------------------------------------------------------------------


def _ledger(ledger: Ledger) -> str:
    rows = "".join(_summary_row(row) for row in ledger.rows)
    details = "".join(_statement(row) for row in ledger.rows)
    return f"""
<section><h2>Ledger</h2>
<p>Every verdict was computed from the evidence below: proofs whose steps a machine checked,
counterexamples certified in ball arithmetic, and campaigns that searched for more. Tightness is
the largest certified quotient of the two sides of a conclusion.</p>
<div class="wide"><table class="ledger"><thead><tr><th>statement</th><th>variant</th>
<th>reading</th><th>verdict</th><th>tightness</th><th>evidence</th></tr></thead>
<tbody>{rows}</tbody></table></div>
{details}</section>"""


def _summary_row(row: StatementRow) -> str:
    found = ""
    for index, v in enumerate(row.variants):
        name = f"<a href='#{row.statement.id}'>{row.statement.id}</a>" if index == 0 else ""
        tight = "" if v.tightness is None else f"{v.tightness:.4g}"
        found += (
            f"<tr class='{'first' if index == 0 else ''}'><th scope='row'>{name}</th>"
            f"<td>{v.variant.name}</td><td>{escape(v.variant.reading)}</td>"
            f"<td>{_badge(v.verdict)}</td><td>{tight}</td><td>{escape(v.brief)}</td></tr>"
        )
    return found


def _statement(row: StatementRow) -> str:
    s = row.statement
    variants = "".join(_variant(s.id, v) for v in row.variants)
    return f"""
<article id="{s.id}"><h3><code>{s.id}</code> {escape(s.title)}</h3>
<p class="source">{escape(PAPERS[s.source.paper])}, {escape(s.source.locator)}</p>{variants}
</article>"""


def _variant(id: str, v: VariantRow) -> str:
    parts = [
        f"<h4>{v.variant.name} <small>{escape(v.variant.reading)}</small> {_badge(v.verdict)}</h4>",
        f"<p>{_prose(v.variant.text)}</p>",
    ]
    for label, words in (
        ("What is wrong", v.variant.defect),
        ("Remark", v.variant.remark),
        ("Why open", v.variant.undecided),
    ):
        if words:
            parts.append(f"<p><b>{label}.</b> {_prose(words)}</p>")
    parts += [_counterexample(v), _proof(v), _formulas(v)]
    return f"<div class='variant'>{''.join(parts)}</div>"


def _counterexample(v: VariantRow) -> str:
    found = v.campaign.counterexample if v.campaign else None
    if found is None:
        return ""
    instance = ", ".join(
        f"<var>{_GREEK.get(name, escape(name))}</var> = {_values(values)}"
        for name, values in found.to_dict()["instance"].items()
    )
    relation = {"<=": "&gt;", "=": "&ne;"}[found.relation]
    return f"""
<div class="counterexample"><b>Certified counterexample.</b> {instance}.<br>
{escape(found.comparison)}: {_shortened(found.lhs)} {relation} {_shortened(found.rhs)}</div>"""


_GREEK = {
    name: f"&{name};" for name in ("alpha", "beta", "gamma", "delta", "epsilon", "kappa", "lambda")
}


def _shortened(enclosure: str) -> str:
    """A ball by its first digits; a page is for reading, the evidence has the rest."""
    match = re.match(r"\[(-?[\d.]+)(e[+-]?\d+)? \+/- ", enclosure)
    if match is None:
        return escape(enclosure)
    digits, power = match.group(1).replace("-", "&minus;"), match.group(2) or ""
    return f"{digits[: 9 + len(digits) - len(match.group(1))]}&hellip;{power}"


def _values(values: Any) -> str:
    """Numbers in brackets: vectors in round ones, rows one below the other."""
    if isinstance(values, str):
        return escape(values)
    if values and isinstance(values[0], list):
        rows = "".join(f"<span>{_values(entry)}</span>" for entry in values)
        return f"<span class='rows'>{rows}</span>"
    return f"({', '.join(escape(value) for value in values)})"


def _proof(v: VariantRow) -> str:
    if v.proof is None:
        return ""
    steps = "".join(
        f"<li class='{'holds' if s.holds else 'fails'}'>{escape(s.name)} "
        f"<small>{escape(s.method)}{escape(f' ({s.detail})' if s.detail else '')}</small></li>"
        for s in v.proof.steps
    )
    facts = "".join(
        f"<li>{escape(f.name)}: {escape(f.statement)} <small>{escape(f.source)}</small></li>"
        for f in v.proof.facts
    )
    taken = f"<p>Taken for granted:</p><ul>{facts}</ul>" if facts else ""
    return (
        f"<details><summary>Proof, {len(v.proof.steps)} checked steps</summary>"
        f"<ol>{steps}</ol>{taken}</details>"
    )


def _formulas(v: VariantRow) -> str:
    if not v.variant.bounds:
        return ""
    sides = {"upper": "at most", "lower": "at least", "value": "equal to"}
    items = "".join(
        f"<li>{escape(b.quantity)}, {sides[b.direction]} {mathml(b.formula)}</li>"
        for b in v.variant.bounds
    )
    return f"<details><summary>Formulas</summary><ul class='formulas'>{items}</ul></details>"


# -- small pieces ---------------------------------------------------------------------------------


def _badge(verdict: str) -> str:
    return f"<span class='badge {verdict}'>{verdict}</span>" if verdict else ""


def _pair(b: ModelBound | None) -> str:
    if b is None:
        return "<td>&ndash;</td>"
    kind = "vacuous" if b.vacuous else ""
    return f"<td class='{kind}'>{_number(b.measured)} &le; {_number(float(b.bound))}</td>"


def _limit(b: ModelBound | None) -> str:
    if b is None:
        return "<td>&ndash;</td>"
    value = float(b.bound)
    sign = "&minus;" if value < 0 else ""
    size = f"{abs(value):.3g}" if abs(value) < 1e3 else f"10<sup>{b.bound.log10:.1f}</sup>"
    return f"<td class='{'vacuous' if b.vacuous else ''}'>{sign}{size}</td>"


def _number(value: float) -> str:
    """Three significant digits, with a power of ten only where zeros would hide them."""
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e5:
        return f"{value:.3g}"
    mantissa, power = f"{value:.2e}".split("e")
    return f"{mantissa}&middot;10<sup>{int(power)}</sup>"


def _picture(figure: Any, words: str) -> str:
    return svg(figure).replace("<svg", f'<svg role="img" aria-label="{escape(words)}"', 1)


def _prose(text: str) -> str:
    """Escape text and set what stands between dollars as MathML."""
    try:
        from latex2mathml.converter import convert
    except ImportError as error:
        raise MissingDependencyError(
            'latex2mathml is missing: pip install "ncbounds[plot]"'
        ) from error
    parts = re.split(r"\$(.+?)\$", text)
    return "".join(convert(p) if i % 2 else escape(p) for i, p in enumerate(parts))


_DOCUMENT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ncbounds report</title><style>{style}</style></head>
<body><main>{body}</main></body></html>
"""

_STYLE = """
:root{--ink:#1b1f24;--soft:#59636e;--line:#d9dee3;--paper:#fff;--card:#f6f8fa;--link:#0b5cad;
--green:#1a7f37;--red:#b42318;--blue:#0b5cad;--amber:#8a5a00;--plum:#7a3e9d}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8ea;--soft:#9aa4ae;--line:#353c44;
--paper:#14171a;--card:#1d2226;--link:#79b8ff;--green:#57c26b;--red:#ff8078;--blue:#79b8ff;
--amber:#e0b050;--plum:#cf9bea}figure svg{background:#fff;border-radius:8px;padding:8px}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:72rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .6rem}
h2{font-size:1.35rem;margin:3rem 0 .6rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1.08rem;margin:0}h3 code{font-size:.95em;margin-right:.4rem}
h4{margin:1.2rem 0 .3rem;font-size:1rem}h4 small{color:var(--soft);font-weight:400}
p{margin:.4rem 0 .8rem;max-width:48rem}.lead{font-size:1.1rem}a{color:var(--link)}
.note,.source,footer{color:var(--soft);font-size:.88rem}footer{margin-top:3rem}
figure{margin:1rem 0;overflow-x:auto}
figure svg{width:100%;height:auto;max-width:64rem;min-width:30rem}figure.broad svg{min-width:52rem}
.wide{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
th,td{padding:.34rem .7rem;text-align:left;border-bottom:1px solid var(--line);
vertical-align:top}
thead th{border-bottom:2px solid var(--line);font-weight:600;vertical-align:bottom}
tbody th,.numbers td{white-space:nowrap}tbody th{font-weight:500}
td.vacuous{color:var(--soft);font-style:italic}
.ledger tr:not(.first) th,.ledger tr:not(.first) td{border-top:0}
.badge{display:inline-block;padding:0 .5em;border-radius:1em;font-size:.82rem;font-weight:600;
border:1.5px solid currentColor;white-space:nowrap}
.proved{color:var(--green)}.refuted{color:var(--red)}.supported{color:var(--blue)}
.open{color:var(--amber)}.vacuous.badge{color:var(--plum)}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:1.1rem 1.25rem;margin:1.2rem 0}
.variant{border-top:1px solid var(--line);margin-top:.9rem}
.counterexample{border-left:4px solid var(--red);padding:.4rem .8rem;margin:.6rem 0;
overflow-x:auto;font-size:.93rem}
.rows{display:inline-flex;flex-direction:column;vertical-align:middle;
border-left:1.5px solid;border-right:1.5px solid;border-radius:4px;padding:0 .35em;margin:.1em}
.rows>span{white-space:nowrap}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--link)}
details li{margin:.25rem 0}li small{color:var(--soft)}
li.fails{color:var(--red);font-weight:600}.fault{color:var(--red);font-weight:600}
.formulas li{overflow-x:auto}math{font-size:1.06em}
@media print{body{font-size:11pt}article{break-inside:avoid-page}details{display:none}}
@media (max-width:40rem){main{padding:1.2rem .9rem 3rem}h1{font-size:1.5rem}}
"""
