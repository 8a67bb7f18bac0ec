"""The documentation: pages, links and formulas hold, and the tutorials print what they say.

What the site itself needs beyond that, a strict build finds: ``mkdocs build --strict``.
"""

import doctest
import re
import shlex
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from ncbounds.errors import MissingDependencyError
from ncbounds.theory import statements
from proofs_check.steps import proofs

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def hook(name):
    """A module of docs/hooks, none of which needs mkdocs to be imported."""
    spec = spec_from_file_location(f"docs_hook_{name}", ROOT / "docs" / "hooks" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mathml():
    pytest.importorskip("latex2mathml")
    return hook("formulas").mathml


@pytest.fixture(scope="module")
def generated():
    return hook("reference").pages()


@pytest.fixture(scope="module")
def statement_pages(generated):
    return [write() for path, write in generated.items() if "statements/" in path]


# -- pages ----------------------------------------------------------------------------------------


def test_the_navigation_shows_every_page_and_no_other(generated):
    nav = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    shown = re.findall(r"([\w/.-]+\.md)$", nav, re.MULTILINE)
    assert sorted(shown) == sorted([*(page.name for page in PAGES), *generated])


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CHANGELOG.md", *PAGES], ids=lambda page: page.name
)
def test_links_lead_to_files_that_exist(page):
    text = _FENCE.sub("", page.read_text())
    targets = re.findall(r"\]\(([\w./:-]+\.\w+)(?:#[^()\s]*)?\)", text)
    broken = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not broken


def test_the_reference_shows_every_statement(statement_pages):
    shown = "".join(statement_pages)
    assert not [id for id in statements() if f"{{#{id}}}" not in shown]


@pytest.mark.parametrize(
    "module",
    [
        "ncbounds",
        "ncbounds.campaign",
        "ncbounds.integrations.lightning",
        "ncbounds.integrations.torchmetrics",
        "ncbounds.measure",
        "ncbounds.measure.network",
    ],
)
def test_the_reference_shows_every_public_name(generated, module):
    try:
        home = import_module(module)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    text = generated["reference/python.md"]()
    shown = set(re.findall(r"heading: (\S+)|^- `(\S+)`:", text, re.MULTILINE))
    names = {f"{module}.{name}" for name in public(home)}
    reached = {f"ncbounds.{name}" for name in import_module("ncbounds").__all__}
    short = {name for name in names if f"ncbounds.{name.rpartition('.')[2]}" in reached}
    assert names and not names - short - {"".join(pair) for pair in shown}
    assert module != "ncbounds" or names <= {"".join(pair) for pair in shown}


def public(module):
    """What a module offers: its `__all__`, or else the classes and functions made in it."""
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
    return [name for name in getattr(module, "__all__", own) if not name.startswith("_")]


# -- formulas -------------------------------------------------------------------------------------


def formulas(text):
    """The formulas of a page, as arithmatex finds them."""
    plain = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))
    for found in re.finditer(r"\$\$(.+?)\$\$|\\\((.+?)\\\)|\$(\S[^$\n]*?)\$", plain, re.DOTALL):
        yield (found[1] or found[2] or found[3]).strip()


def test_every_formula_of_the_statements_becomes_mathml(mathml, statement_pages):
    found = [latex for page in statement_pages for latex in formulas(page)]
    assert len(found) > 1000
    for latex in found:
        assert "<math" in mathml(latex)


def test_every_formula_of_the_pages_becomes_mathml(mathml):
    for page in PAGES:
        for latex in formulas(page.read_text()):
            assert "<math" in mathml(latex), page.name


def test_an_unknown_command_is_refused(mathml):
    with pytest.raises(ValueError, match="unknown"):
        mathml(r"\nosuchcommand{x}")


# -- tutorials ------------------------------------------------------------------------------------

_BLOCK = re.compile(r"^(<!-- not re-run[^\n]*-->\n)?```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CHECK = doctest.OutputChecker()


def blocks(page):
    """What a page shows that the tests run: kind and text of each block, in order."""
    return [(b[2], b[3]) for b in _BLOCK.finditer(page.read_text()) if not b[1]]


def calls(text):
    """The commands of a console block, each with what was printed."""
    for call in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = call.partition("\n")
        yield shlex.split(command), printed


@pytest.mark.parametrize("user", ["researcher", "practitioner", "student"])
def test_a_tutorial_prints_what_it_says(user, called, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    names, ran = {}, 0
    for kind, text in blocks(ROOT / "docs" / f"tutorial-{user}.md"):
        if kind == "console":
            for (program, *arguments), printed in calls(text):
                assert program == "ncbounds"
                done = called(*arguments)
                assert done.returncode == 0, done.stderr
                found = done.stdout.strip("\n") + "\n"
                assert _CHECK.check_output(printed, found, doctest.ELLIPSIS), found
                ran += 1
        elif text.startswith(">>>"):
            example = doctest.DocTestParser().get_doctest(text, names, user, None, None)
            failures = []
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            runner.run(example, out=failures.append, clear_globs=False)
            assert not failures, "".join(failures)
            names = example.globs
            ran += len(example.examples)
    assert ran >= 9


def test_every_theorem_names_its_statement_and_what_proves_it():
    proved = {}
    for id, variant, reading in proofs():
        proved.setdefault(id, set()).add(proofs()[id, variant, reading].derive.__module__)
    page = (ROOT / "docs" / "mathematics.md").read_text()
    told = re.findall(r"\*Statements?\* (.+?)\n\n", page + "\n", re.DOTALL)
    assert len(told) >= 20
    for words in told:
        modules = {m.replace("/", ".") for m in re.findall(r"`(proofs_check/[\w/]+)\.py`", words)}
        ids = re.findall(r"`(\w+:[\w.-]+)`", words)
        assert ids and modules and all(proved[id] & modules for id in ids), words
    theorems = re.findall(r"^\*\*(?:Theorem|Corollary) [\d.]+", page, re.MULTILINE)
    assert len(theorems) >= 25 and page.count(r"\square$") == len(theorems)
