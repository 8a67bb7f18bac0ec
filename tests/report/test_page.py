"""The page is whole in itself, and says what the evidence says; in a browser it can be used."""

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from browser import CHROMIUM, browser

from ncbounds.errors import InputError
from ncbounds.report.ledger import StatementRow
from ncbounds.report.model import Model
from ncbounds.report.page import page
from ncbounds.report.page.experiments import ExperimentResult, experiments
from ncbounds.report.page.models import proximity
from ncbounds.report.page.statements import statement_pages
from ncbounds.report.page.words import prose
from ncbounds.report.plots import plot_bounds, pyplot, svg
from ncbounds.report.recheck import recheck
from ncbounds.report.verification import verify

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("page")

#: Few statements that are verified fast: proofs, counterexamples, a definition.
IDS = [
    "bnwd:definition-cosine", "bnwd:eq-17", "bnwd:eq-18", "square:eq-25", "gnc:definition-gnc1",
    "gnc:eq-4",
]  # fmt: skip
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def models():
    rng = np.random.default_rng(0)
    simplex = np.eye(5) - 0.2
    labels = np.repeat(np.arange(5), 4)
    found = []
    for name, noise in (("tight", 0.05), ("loose", 0.6)):
        features = 3 * simplex[labels] + noise * rng.normal(size=(20, 5))
        facts = {"weight decay": "0.001"}
        found.append(Model(name, "batch norm", features, labels, 3 * simplex, None, facts))
    return found


@pytest.fixture(scope="module")
def ledger():
    return verify(IDS, budget=0.5)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    figure, axes = pyplot().subplots(figsize=(4, 3))
    axes.plot([1, 2, 3])
    figure.savefig(folder / "drawn.png", dpi=80)
    (folder / "drawn.txt").write_text("epoch  NC1\n    1  0.5 < 1\n")
    words = "What is drawn here.\n\nOf `review`, a line with x^2 <= 9.\n\nThird."
    told = {"claim": "it falls", "source": "review 2", "verdict": "reproduced", "p": 0.03125}
    told |= {"tightness": "within 1.5 times", "effects": [1.0]}
    return [
        ExperimentResult("drawn", words, (folder / "drawn.png",), folder / "drawn.txt", (told,)),
        ExperimentResult("not-run", "What was not run."),
    ]


@pytest.fixture(scope="module")
def html(models, ledger, results):
    return page(models, ledger, seed=0, seconds=1.0, results=results)


class Elements(HTMLParser):
    """Every element with its attributes, and whether elements are closed in order."""

    VOID = frozenset(["meta", "link", "input", "br", "img"])

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.crossed = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.crossed.append((tag, self.getpos()))


@pytest.fixture(scope="module")
def elements(html):
    return Elements(html)


# -- without a browser ----------------------------------------------------------------------------


def test_the_page_is_self_contained(html, elements):
    assert html.startswith("<!DOCTYPE html>") and "@import" not in html
    assert not re.search(r"url\((?!#|\"data:font/woff2;)", html)
    loaded = [a.get("src") or a.get("href") for _, a in elements.found if {"src", "href"} & {*a}]
    assert all(address.startswith(("#", "data:")) for address in loaded)
    assert not re.search(r"fetch\(|XMLHttp|import\(|WebSocket|sendBeacon", html)
    assert len(html.encode()) < 5_000_000


def test_elements_are_closed_and_ids_are_unique(html, elements):
    assert elements.crossed == [] and elements.open == []
    ids = [a["id"] for tag, a in elements.found if "id" in a]
    assert len(set(ids)) == len(ids)


def test_every_link_leads_to_something_on_the_page(html, elements):
    ids = {a["id"] for _, a in elements.found if "id" in a}
    linked = {a["href"][1:] for tag, a in elements.found if tag == "a" and "href" in a}
    assert linked <= ids and set(IDS) <= linked
    assert "bnwd:theorem-2.1" in html and "bnwd:theorem-2.1" not in ids  # named, but not here


def test_verdicts_counterexamples_and_proofs_are_shown(html, ledger):
    wordings = [v for row in ledger.rows for v in row.variants]
    refuted = [v for v in wordings if v.verdict == "refuted"]
    assert html.count("Certified counterexample") == len(refuted) >= 4
    assert html.count('data-wording="') == len(wordings)
    assert "<mi>C</mi><mo>=</mo><mn>3</mn>" in html and "<mtable>" in html
    assert "all of which hold" in html
    assert "None" not in re.sub(r"<svg.*?</svg>", "", html, flags=re.S)


def test_hypotheses_and_conclusions_are_named(html, ledger):
    wordings = [v for row in ledger.rows for v in row.variants if v.verdict == "proved"]
    names = [name for v in wordings for name in v.campaign.tightness]
    assert len(names) > 5 and all(f"<li>{prose(name)} <span class=" in html for name in names)
    assert "<dt>Hypotheses</dt>" in html and "GNC1 is zero" in html


def test_a_counterexample_can_be_copied_and_checked_again(html):
    copied = re.findall(r"<pre[^>]*>(\{.*?)</pre>", html, flags=re.S)
    assert len(copied) >= 4
    assert all(recheck(unescape(text)) for text in copied)


def test_bounds_that_differ_are_drawn_side_by_side(html):
    figures = re.findall(r'<div class="curves">.*?</div>', html, flags=re.S)
    assert len(figures) == 3  # (17), (18) and (25)
    for figure in figures:
        kinds = set(re.findall(r'<path class="curve (\w+)" d="M\d', figure))
        assert len(kinds) > 1 and "nan" not in figure


def test_the_names_of_axes_fit_beside_them(html):
    upright = re.findall(r'rotate\(-90\)" text-anchor="middle">([^<]*)<', html)
    assert len(upright) >= 3 and all(len(unescape(name)) <= 31 for name in upright)
    assert ">empirical Rademacher …<" in html and 'text-anchor="middle">ρ<' in html


@needs_chromium
def test_long_names_in_code_break_on_a_phone(results, models, ledger, opened, tmp_path):
    long = replace(results[0], text="Title.\n\nOf `" + "ncbounds." * 12 + "end`, measured.")
    file = tmp_path / "long.html"
    file.write_text(page(models, ledger, 0, 1.0, [long]), encoding="utf-8")
    opened.open(file, 360, 740)
    assert opened.run("document.documentElement.scrollWidth") == 360
    opened.resize(1200, 900)


def words_of_pictures(elements):
    """The alternative text of every picture that is not hidden from who hears the page."""
    pictures = [a for tag, a in elements.found if tag in ("svg", "img")]
    return [a.get("aria-label") or a.get("alt") for a in pictures if "aria-hidden" not in a]


def too_short(told):
    return [words for words in told if not words or len(words) <= 20]


def test_every_picture_has_alternative_text(elements):
    told = words_of_pictures(elements)
    assert len(told) >= 5 and too_short(told) == []


@pytest.mark.parametrize(
    ("there", "planted"),
    [
        (r'<img alt="[^"]*"', "<img"),
        (r'<img alt="[^"]*"', '<img alt=""'),
        (r'(<svg class="plot" role="img") aria-label="[^"]*"', r"\1"),
        (r'(<svg role="img") aria-label="[^"]*"', r'\1 aria-label="plot"'),
    ],
)
def test_a_picture_without_words_is_noticed(html, there, planted):
    broken, count = re.subn(there, planted, html, count=1)
    assert count == 1 and len(too_short(words_of_pictures(Elements(broken)))) == 1


def test_pictures_shrink_to_the_room_there_is(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (1400, 1400, 3), dtype=np.uint8)
    pyplot().imsave(tmp_path / "noise.png", noise)
    shown = [ExperimentResult("noise", "Noise.", (tmp_path / "noise.png",))]
    whole = len(experiments(shown, 50_000_000))
    assert len(experiments(shown, whole)) == whole
    assert len(experiments(shown, whole - 1)) < whole
    assert len(experiments(shown, 0)) < whole / 3


def test_a_caption_stands_below_its_picture_and_tells_it(results):
    told = replace(results[0], captions={"drawn": "A line that rises < 1."})
    shown = experiments([told])
    assert 'alt="A line that rises &lt; 1."' in shown and "<figcaption>A line that rises" in shown


def test_every_field_has_a_name(elements):
    fields = [a for tag, a in elements.found if tag in ("input", "select")]
    labels = {a["for"] for tag, a in elements.found if tag == "label" and "for" in a}
    boxed = [a for a in fields if a.get("name")]
    assert fields and all(a in boxed or a.get("id") in labels for a in fields)
    assert ("html", {"lang": "en"}) in elements.found


def test_a_proof_that_fails_is_seen_to_fail(ledger):
    row = next(row for row in ledger.rows if row.variants[0].proof or row.variants[1].proof)
    index = next(i for i, v in enumerate(row.variants) if v.proof)
    v = row.variants[index]
    steps = (*v.proof.steps[:-1], replace(v.proof.steps[-1], holds=False))
    broken = replace(v, proof=replace(v.proof, steps=steps))
    variants = (*row.variants[:index], broken, *row.variants[index + 1 :])
    text = statement_pages(replace(ledger, rows=(StatementRow(row.statement, variants),)))
    assert text.count('<li class="fails">') == 1 and "<b>not all hold</b>" in text
    assert "<b>Fault.</b>" in text


def test_what_a_model_is_called_is_escaped(models):
    text = proximity([replace(models[0], name="<b>x</b>")])
    assert "<b>x</b>" not in text and "&lt;b&gt;x&lt;/b&gt;" in text


def test_experiments_show_what_their_runs_have_left(html):
    shown = html[html.index('<section id="experiments">') :]
    assert "python -m experiments drawn" in shown and "1  0.5 &lt; 1" in shown
    assert 'src="data:image/webp;base64,' in shown and "<msup><mi>x</mi><mn>2</mn></msup>" in shown
    assert "<td>reproduced</td><td class='num'>0.0312</td>" in shown and "1.5 times" in shown
    assert "Not run for this page" in shown and "What was not run" in shown


def test_a_picture_that_is_none_is_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"x\.png"):
        experiments([ExperimentResult("x", "X.", (tmp_path / "x.png",))])


def test_a_plot_of_a_bound_needs_one_grid():
    figure = plot_bounds("gnc:theorem-3.9", {"d": "2:32:8:log", "K": "100"})
    assert "<svg" in svg(figure)
    with pytest.raises(InputError, match="exactly one parameter"):
        plot_bounds("gnc:theorem-3.9", {"d": "3", "K": "100"})
    with pytest.raises(InputError, match="exactly one parameter"):
        plot_bounds("gnc:theorem-3.9", {"d": "2,3", "K": "100,200"})


def test_the_same_plot_is_the_same_text():
    parameters = {"d": "2:32:8:log", "K": "100"}
    first = svg(plot_bounds("gnc:theorem-3.9", parameters))
    assert first == svg(plot_bounds("gnc:theorem-3.9", parameters))


# -- in a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def opened(html, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    file = folder / "report.html"
    file.write_text(html, encoding="utf-8")
    with browser(folder / "profile") as tab:
        tab.file = file
        yield tab


@pytest.fixture
def tab(opened):
    """The page as it is opened anew."""
    opened.open("/dev/null")
    opened.open(opened.file)
    return opened


SHOWN = "[...document.querySelectorAll('.index>li')].filter(e=>!e.hidden).map(e=>e.dataset.id)"
LINES = "document.querySelectorAll('.index>li:not([hidden]) li:not([hidden])').length"
READ = "[...document.querySelectorAll('article')].filter(e=>e.offsetHeight).map(e=>e.id)"


def ask(words):
    return f"query.value={json.dumps(words)};query.dispatchEvent(new Event('input',{{bubbles:1}}))"


@needs_chromium
def test_it_opens_without_complaint_and_without_the_network(tab):
    assert tab.run("document.querySelectorAll('.index>li').length") == len(IDS)
    assert tab.run(READ) == []
    assert tab.complaints == []


@needs_chromium
def test_the_search_finds_words_symbols_and_ids(tab):
    for words, found in (
        ("eq-25", ["square:eq-25"]),
        ("rademacher", ["square:eq-25"]),
        ("CONCAVE  tangent", ["bnwd:eq-17"]),
        ("epsilon rivals", ["bnwd:eq-17", "bnwd:eq-18"]),
        ("cosine similarity", ["bnwd:definition-cosine"]),
        ("nowhere-in-it", []),
        ("", IDS),
    ):
        tab.run(ask(words))
        assert sorted(tab.run(SHOWN)) == sorted(found), words
    tab.run(ask("nowhere-in-it"))
    assert "Nothing is found" in tab.run("document.querySelector('output').value")


@needs_chromium
def test_filters_show_the_wordings_that_meet_them(tab, ledger):
    wordings = [(row, v) for row in ledger.rows for v in row.variants]
    tab.run("document.querySelector('[name=verdict][value=refuted]').click()")
    refuted = [(row, v) for row, v in wordings if v.verdict == "refuted"]
    assert tab.run(LINES) == len(refuted)
    tab.run("document.querySelector('[name=paper][value=square]').click()")
    both = [v for row, v in refuted if row.statement.source.paper == "square"]
    assert tab.run(LINES) == len(both) > 0 and tab.run(SHOWN) == ["square:eq-25"]
    tab.run("document.querySelector('#filters [type=reset]').click()")
    assert tab.run(LINES) == len(wordings)
    tab.run("document.querySelector('a[data-verdict=proved]').click()")
    assert tab.run(LINES) == sum(v.verdict == "proved" for _, v in wordings)


@needs_chromium
def test_it_sorts_by_tightness(tab, ledger):
    tab.run("filters.order.value='loosest';filters.dispatchEvent(new Event('input'))")
    least = {
        row.statement.id: min(
            (
                v.tightness
                for v in row.variants
                if v.tightness is not None and v.verdict != "refuted"
            ),
            default=np.inf,
        )
        for row in ledger.rows
    }
    heights = [least[id] for id in tab.run(SHOWN)]
    assert heights == sorted(heights)


@needs_chromium
def test_it_is_used_by_keys_alone(tab):
    tab.press("Tab")
    assert tab.run("document.activeElement.className") == "skip"
    tab.press("/")
    assert tab.run("document.activeElement.id") == "query"
    for letter in "eq-25":
        tab.press(letter)
    assert tab.run(SHOWN) == ["square:eq-25"]
    tab.run("query.value=''")
    tab.run(ask(""))
    tab.run("query.blur()")
    first = tab.run(SHOWN)
    for id in first[:2]:
        tab.press("j")
        assert tab.run(READ) == [id]
    assert tab.run("document.activeElement.tagName") == "H2" and first[1] in tab.run(
        "document.title"
    )
    tab.press("k")
    assert tab.run(READ) == first[:1]
    tab.press("Escape")
    assert tab.run(READ) == [] and tab.run("location.hash") == "#statements"


@needs_chromium
def test_a_wording_is_reached_by_its_address(tab):
    tab.run("location.hash='square:eq-25/2'")
    assert tab.run(READ) == ["square:eq-25"]
    assert tab.run("document.querySelector('.story').offsetHeight") == 0
    tab.run("history.back()")
    assert tab.run(READ) == []
    tab.run("location.hash='everything'")
    assert len(tab.run(READ)) == len(IDS)


@needs_chromium
def test_counterexamples_are_copied(tab):
    tab.run("location.hash='square:eq-25'")
    tab.run("document.querySelector('[id=\"square:eq-25\"] .data summary').click()")
    copied = tab.run(
        "(()=>{let text;navigator.clipboard.writeText=async t=>{text=t};"
        "document.querySelector('[id=\"square:eq-25\"] .data .copy').click();return text})()"
    )
    assert recheck(copied)
    assert tab.run("document.querySelector('[id=\"square:eq-25\"] .data .copy').textContent") == (
        "Copied"
    )


@needs_chromium
@pytest.mark.parametrize("address", ["", "#gnc:eq-4", "#everything"])
def test_nothing_is_wider_than_a_phone(opened, address):
    opened.open("/dev/null")
    opened.open(f"{opened.file}{address}", 360, 740)
    assert opened.run("document.documentElement.scrollWidth") == 360
    opened.resize(1200, 900)


@needs_chromium
def test_light_dark_and_paper_differ_as_they_should(tab):
    colour = "getComputedStyle(document.body).backgroundColor"
    tab.media("screen", "light")
    assert tab.run(colour) == "rgb(255, 255, 255)"
    tab.media("screen", "dark")
    assert tab.run(colour) == "rgb(20, 23, 26)"
    tab.media("print", "dark")
    assert tab.run(colour) == "rgb(255, 255, 255)"
    assert tab.run("document.querySelector('nav').offsetHeight") == 0
    tab.media()


@needs_chromium
def test_every_text_can_be_told_from_its_ground(tab):
    """Contrast of at least 4.5, in both schemes, of the colours that words are set in."""
    names = ["ink", "soft", "link", "green", "red", "blue", "amber", "plum"]
    for scheme in ("light", "dark"):
        tab.media("screen", scheme)
        values = tab.run(
            "(()=>{const s=getComputedStyle(document.documentElement);"
            f"return {json.dumps([*names, 'paper', 'card'])}"
            ".map(n=>s.getPropertyValue('--'+n).trim())})()"
        )
        *inks, paper, card = map(luminance, values)
        for ink in inks:
            for ground in (paper, card):
                lighter, darker = max(ink, ground), min(ink, ground)
                assert (lighter + 0.05) / (darker + 0.05) >= 4.5
    tab.media()


def luminance(colour):
    """Relative luminance of #rgb or #rrggbb (WCAG 2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@needs_chromium
def test_it_reads_without_its_script(html, opened, tmp_path):
    file = tmp_path / "plain.html"
    file.write_text(re.sub(r"<script>.*?</script>", "", html, flags=re.S), encoding="utf-8")
    opened.open(f"{file}#square:eq-25")
    assert opened.run(READ) == ["square:eq-25"]
    opened.run("location.hash='statements'")
    assert opened.run("document.querySelector('.index').offsetHeight") > 100
    assert opened.run("document.getElementById('filters').offsetHeight") == 0


@needs_chromium
def test_it_prints(opened, tmp_path):
    opened.open(f"{opened.file}#gnc:eq-4")
    opened.print(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
