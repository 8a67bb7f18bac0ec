"""The statements of the page: an index to search and filter, and a page for each statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from itertools import takewhile

from ncbounds.arithmetic import symbolic
from ncbounds.campaign.chunks import glance
from ncbounds.report.kernel import KernelEvidence
from ncbounds.report.ledger import Ledger, StatementRow, VariantRow
from ncbounds.report.page.arrays import typeset_array, typeset_name
from ncbounds.report.page.curves import curves
from ncbounds.report.page.words import badge, latex, prose, shortened
from ncbounds.report.recheck import portable
from ncbounds.theory.terms import PAPERS, Claim, Comparison, Field
from proofs_check.steps import Step

VERDICTS = ("proved", "supported", "refuted", "vacuous", "open")
_WORDINGS = ("printed", "corrected", "sharp")
_RELATION = {"<=": "", "=": ' <span class="relation">equal</span>'}
_BROKEN = {"<=": "&gt;", "=": "&ne;"}
_SIDES = {"upper": "at most", "lower": "at least", "value": "equal to"}
_FAILED = '<b class="refuted">fails</b>'
_FAILS = '<li class="fails">'
#: Steps in a row that are pointed at where an earlier wording has them.
_RUN = 3
_KINDS = {
    "real": "real",
    "positive": "positive",
    "nonnegative": "not negative",
    "mask": "a non-empty subset, as zeros and ones",
    "integer": "whole",
    "proportion": "between 0 and 1",
    "budget": "large enough",
}


# -- the index ------------------------------------------------------------------------------------


def index(ledger: Ledger) -> str:
    """The list of all statements, with what finds them."""
    entries = "".join(_entry(row) for row in ledger.rows)
    return f"""
<section id="statements"><h2>Statements</h2>
<p>Every verdict was computed from evidence: proofs whose steps a machine checked, counterexamples
certified in ball arithmetic, and campaigns that searched for more. Tightness is the largest
certified quotient of the two sides of a conclusion. A statement opens as a page of its own;
<a href="#everything">all on one page</a>.</p>
{_filters(ledger)}
<ol class="index">{entries}</ol></section>"""


def _filters(ledger: Ledger) -> str:
    """Search and filters; the script brings them to life, and shows them only then."""
    rows = ledger.rows
    wordings = [v for row in rows for v in row.variants]
    verdicts = [v.verdict for v in wordings]
    kinds = [row.statement.kind for row in rows]
    topics = [row.statement.topic for row in rows]
    return f"""
<form id="filters" role="search" hidden>
<p class="ask"><label for="query">Search</label>
<input id="query" type="search" placeholder="words, symbols or an id" autocomplete="off"
spellcheck="false" aria-describedby="keys"><button type="reset">Clear</button></p>
{_chips("verdict", VERDICTS, verdicts)}
{_chips("wording", _WORDINGS, [v.variant.name for v in wordings])}
{_chips("paper", tuple(PAPERS), [row.statement.source.paper for row in rows], PAPERS)}
<p class="selects">{_select("kind", kinds)}{_select("topic", topics)}
<label>sort by <select name="order"><option value="">paper</option>
<option value="tightest">tightest first</option><option value="loosest">loosest first</option>
</select></label></p>
<p id="keys" class="note"><kbd>/</kbd> search, <kbd>j</kbd> <kbd>k</kbd> next and previous,
<kbd>Esc</kbd> back to the list</p>
<output role="status"></output>
</form>"""


def _chips(
    name: str, values: Sequence[str], found: Sequence[str], titles: dict[str, str] | None = None
) -> str:
    boxes = "".join(
        f'<label class="chip {value}"{_title(titles, value)}>'
        f'<input type="checkbox" name="{name}" value="{value}">{value} '
        f"<small>{found.count(value)}</small></label>"
        for value in values
        if value in found
    )
    return f"<fieldset><legend>{name}</legend>{boxes}</fieldset>"


def _title(titles: dict[str, str] | None, value: str) -> str:
    return f' title="{escape(titles[value])}"' if titles else ""


def _select(name: str, found: Sequence[str]) -> str:
    options = "".join(
        f'<option value="{value}">{value.replace("_", " ")} ({found.count(value)})</option>'
        for value in dict.fromkeys(found)
    )
    return (
        f'<label>{name} <select name="{name}"><option value="">any</option>{options}</select>'
        "</label>"
    )


def _entry(row: StatementRow) -> str:
    s = row.statement
    wordings = "".join(_line(s.id, n, v) for n, v in enumerate(row.variants, 1))
    return (
        f'<li data-id="{s.id}" data-paper="{s.source.paper}" data-kind="{s.kind}"'
        f' data-topic="{s.topic}"><a class="name" href="#{s.id}"><code>{s.id}</code> '
        f"{prose(s.title, linked=False)}</a><ul>{wordings}</ul></li>\n"
    )


def _line(id: str, number: int, v: VariantRow) -> str:
    tight = None if v.verdict == "refuted" else v.tightness
    height = "" if tight is None else f' data-tightness="{tight:.6g}"'
    mark = badge(v.verdict) or '<span class="badge none">definition</span>'
    return (
        f'<li data-verdict="{v.verdict}" data-wording="{v.variant.name}"{height}>{mark}'
        f"<span>{v.variant.name}</span>"
        f'<a href="#{id}/{number}">{prose(v.variant.reading, linked=False)}</a>'
        f"{_meter(tight)}<small>{escape(v.brief)}</small></li>"
    )


def _meter(tightness: float | None) -> str:
    """The tightness as a number with a bar; empty where there is none."""
    if tightness is None:
        return '<span class="meter none"></span>'
    share = min(max(tightness, 0.0), 1.0)
    return (
        f'<span class="meter"><i style="width:{100 * share:.3g}%"></i>'
        f'<b title="tightness">{tightness:.4g}</b></span>'
    )


# -- a statement's page ---------------------------------------------------------------------------


def statement_pages(ledger: Ledger) -> str:
    """All statements, each an article that is shown when the address ends in its id."""
    ids = [row.statement.id for row in ledger.rows]
    around = zip(["", *ids[:-1]], ids, [*ids[1:], ""], strict=True)
    return "".join(
        _statement(row, before, after)
        for row, (before, _, after) in zip(ledger.rows, around, strict=True)
    )


def _statement(row: StatementRow, before: str, after: str) -> str:
    s = row.statement
    steps = "".join(
        f'<a class="{rel}" rel="{rel}" href="#{id}">{arrow}</a>'
        for rel, id, arrow in (("prev", before, f"← {before}"), ("next", after, f"{after} →"))
        if id
    )
    many = len(row.variants) > 1
    contents = "".join(
        f'<li><a href="#{s.id}/{n}">{v.variant.name}: '
        f"{prose(v.variant.reading, linked=False)}</a> {badge(v.verdict)}</li>"
        for n, v in enumerate(row.variants, 1)
    )
    wordings = "".join(_wording(row, n, v) for n, v in enumerate(row.variants, 1))
    return f"""
<article id="{s.id}" aria-labelledby="{s.id}/title">
<p class="around"><a class="up" href="#statements">All statements</a>{steps}</p>
<h2 id="{s.id}/title" tabindex="-1"><code>{s.id}</code> {prose(s.title)}</h2>
<p class="source">{escape(PAPERS[s.source.paper])}, {escape(s.source.locator)}.
<span class="command"><code>ncbounds show {s.id}</code></span></p>
{f'<ol class="contents">{contents}</ol>' if many else ""}
{curves(row)}{wordings}</article>"""


def _wording(row: StatementRow, number: int, v: VariantRow) -> str:
    id = row.statement.id
    parts = [
        f"<h3>{v.variant.name} <small>{prose(v.variant.reading)}</small> {badge(v.verdict)}</h3>",
        f'<p class="claim">{prose(v.variant.text)}</p>',
    ]
    for label, words in (
        ("What is wrong", v.variant.defect),
        ("Remark", v.variant.remark),
        ("Why open", v.variant.undecided),
        ("Fault", v.fault),
    ):
        if words:
            parts.append(f"<p><b>{label}.</b> {prose(words)}</p>")
    parts += [
        _counterexample(id, v),
        _judged(v),
        _proof(row, v),
        _kernel(v),
        _formulas(v),
        _search(v),
    ]
    return (
        f'<section class="wording" id="{id}/{number}" data-verdict="{v.verdict}">'
        f"{''.join(parts)}</section>"
    )


def _judged(v: VariantRow) -> str:
    """What an instance is, what it must meet, and what then is to hold, and how nearly it does."""
    claim = v.variant.claim
    if claim is None:
        return ""
    judged = glance(claim)
    heights = v.campaign.tightness if v.campaign else {}
    broken = v.campaign and v.campaign.counterexample
    given = "".join(f"<li>{_field(f, claim)}</li>" for f in claim.fields)
    hypotheses = "".join(f"<li>{_comparison(c)}</li>" for c in judged.hypotheses)
    conclusions = "".join(
        f"<li>{_comparison(c)} "
        + (_FAILED if broken and broken.comparison == c.name else _meter(heights.get(c.name)))
        + "</li>"
        for c in judged.conclusions
    )
    met = f"<dt>Hypotheses</dt><dd><ul>{hypotheses}</ul></dd>" if hypotheses else ""
    return (
        f'<dl class="judged"><dt>Given</dt><dd><ul class="given">{given}</ul></dd>{met}'
        f"<dt>Conclusions</dt><dd><ul>{conclusions}</ul></dd></dl>"
    )


def _field(f: Field, claim: Claim) -> str:
    axes = " × ".join(f"<i>{escape(axis)}</i>" for axis in f.shape)
    kind = _KINDS[f.kind]
    if f.kind == "integer":
        kind += f", at least {f.least}"
    if f.kind == "budget":
        kind += f" for: {prose(f.hypothesis)}"
    return f"<math>{typeset_name(f.name)}</math> {f'({axes}), ' if axes else ''}{kind}"


def _comparison(c: Comparison) -> str:
    return f"{prose(c.name)}{_RELATION[c.relation]}"


def _counterexample(id: str, v: VariantRow) -> str:
    found = v.campaign.counterexample if v.campaign else None
    if found is None:
        return ""
    data = json.dumps(portable(id, v.variant, found), indent=1)
    arrays = "".join(
        f"<li>{typeset_array(name, values)}</li>" for name, values in found.instance.items()
    )
    return f"""
<div class="counterexample"><h4>Certified counterexample</h4><ul class="arrays">{arrays}</ul>
<p>{prose(found.comparison)}: {shortened(found.lhs)} {_BROKEN[found.relation]}
{shortened(found.rhs)}</p>
<details class="data"><summary>As data, to check again</summary>
<p>Exact; <code>ncbounds.report.recheck.recheck(text)</code> checks it in ball arithmetic.</p>
<pre tabindex="0">{escape(data)}</pre></details></div>"""


def _proof(row: StatementRow, v: VariantRow) -> str:
    if v.proof is None:
        return ""
    facts = "".join(
        f"<li>{escape(f.name)}: {prose(f.statement)} <small>{escape(f.source)}</small></li>"
        for f in v.proof.facts
    )
    taken = f"<p>Taken for granted:</p><ul>{facts}</ul>" if facts else ""
    state = "all of which hold" if v.proof.holds else "<b>not all hold</b>"
    return (
        f'<details class="proof"><summary>Proof in {_counted(v.proof.steps, "step")}, {state}'
        f"</summary>{taken}<ol>{_steps(row, v.proof.steps)}</ol></details>"
    )


def _steps(row: StatementRow, steps: Sequence[Step]) -> str:
    """The steps in order; a run of them that a wording before has too is only pointed at."""
    shown, at = "", 0
    while at < len(steps):
        wording, start, count = _seen_before(row, steps, at)
        if count >= _RUN:
            shown += (
                f'<li value="{at + count}" class="as">as steps {start + 1} to {start + count} of '
                f'<a href="#{row.statement.id}/{wording}">wording {wording}</a></li>'
            )
            at += count
        else:
            shown += _step(steps[at])
            at += 1
    return shown


def _seen_before(row: StatementRow, steps: Sequence[Step], at: int) -> tuple[int, int, int]:
    """The longest run of an earlier wording's steps that begins here: wording, start, count."""
    best = (0, 0, 0)
    for number, other in enumerate(row.variants, 1):
        earlier = other.proof.steps if other.proof else ()
        if earlier is steps:
            break
        for start in range(len(earlier)):
            both = zip(earlier[start:], steps[at:], strict=False)
            count = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
            if count > best[2]:
                best = (number, start, count)
    return best


def _step(s: Step) -> str:
    detail = f" ({prose(s.detail)})" if s.detail else ""
    return (
        f"{'<li>' if s.holds else _FAILS}{prose(s.name)} "
        f"<small>{escape(s.method)}{detail}</small></li>"
    )


def _kernel(v: VariantRow) -> str:
    """The theorems of the kernel, each as Coq has it beside our formula; or what would add them."""
    if v.raised_by:
        return f'<p class="note">Would be raised by {escape(v.raised_by)}.</p>'
    return "".join(_theorem(one) for one in v.kernel)


def _theorem(one: KernelEvidence) -> str:
    aim = "against this, " if one.theorem.refutes else ""
    told = one.fault or one.tied
    told = escape(told[0].upper() + told[1:])
    state = f'<b class="refuted">{told}</b>' if one.fault else told
    rechecked = ", rechecked by coqchk" if one.rechecked else ""
    formulas = "".join(
        f"<li><code>{escape(formula.name)}</code> {latex(formula.latex, block=True)}"
        f'<pre tabindex="0">{escape(formula.coq)}</pre></li>'
        for formula in one.formulas
    )
    beside = (
        f"<p>Our formula, and its definition in Coq:</p><ul>{formulas}</ul>" if formulas else ""
    )
    return f"""
<details class="proof"><summary>Theorem {aim}<code>{escape(one.theorem.name)}</code>, checked by Coq
</summary><pre tabindex="0">{escape(one.statement)}</pre>{beside}
<p class="note">{state}. <code>{escape(one.theorem.file)}</code>, compiled by
Coq {escape(one.coq)} in {one.seconds:g} s{rechecked}; it assumes {escape(one.axioms)}.</p>
</details>"""


def _counted(things: Iterable[object], name: str) -> str:
    count = len(list(things))
    return f"{count} {name}{'' if count == 1 else 's'}"


def _formulas(v: VariantRow) -> str:
    if not v.variant.bounds:
        return ""
    items = "".join(
        f"<li>{prose(b.quantity)}, {_SIDES[b.direction]} "
        f"{latex(symbolic.latex(b.formula), block=True)}</li>"
        for b in v.variant.bounds
    )
    return (
        f'<details class="formulas" open><summary>{_counted(v.variant.bounds, "formula")}'
        f"</summary><ul>{items}</ul></details>"
    )


def _search(v: VariantRow) -> str:
    """What the search did, in one line."""
    if v.campaign is None:
        return ""
    stages = ", ".join(
        f"{count.met} of {count.drawn} {name}" for name, count in v.campaign.stages.items()
    )
    return f'<p class="note">Instances that met the hypotheses: {stages}.</p>'
