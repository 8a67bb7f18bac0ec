"""The template of docs/adding-a-statement.md, put where it would stand, obeys every law."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from mutants.planting import claim_of
from test_docs import _CHECK, blocks, calls

import ncbounds.theory
from ncbounds.campaign.certify import check
from ncbounds.campaign.search import Effort, run_campaign
from proofs_check import steps

DOCS = Path(__file__).parents[1] / "docs"
PRINTED = ("review:remark-one-sample", "printed", "as one might hope")
TRUE = ("review:remark-one-sample", "corrected", "with the number of samples")
EFFORT = Effort(instances=2000, ascents=1)


def load(file, name):
    """Run a file of the template under the name that it would have."""
    spec = spec_from_file_location(name, DOCS / "template" / file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def placed(monkeypatch):
    """The template as the only topic, and its table of planted errors."""
    theory, register = ncbounds.theory, {}
    monkeypatch.setattr(steps, "_REGISTER", register)
    for file, package in (("theory.py", "ncbounds.theory"), ("proof.py", "proofs_check")):
        name = f"{package}.one_sample"
        monkeypatch.setitem(sys.modules, name, load(file, name))
    for module in (theory, steps):
        monkeypatch.setattr(module, "TOPICS", ("one_sample",))
    for cached in (theory.statements, steps.proofs):
        cached.cache_clear()
    yield load("errors.py", "mutants.one_sample").MUTANTS
    for cached in (theory.statements, steps.proofs):
        cached.cache_clear()


def test_the_page_prints_what_the_placed_template_does(placed, called):
    ran = 0
    for kind, text in blocks(DOCS / "adding-a-statement.md"):
        for (program, *arguments), printed in calls(text) if kind == "console" else ():
            done = called(*arguments)
            assert (program, done.returncode) == ("ncbounds", 0), done.stderr
            assert _CHECK.check_output(printed, done.stdout.strip("\n") + "\n", 0), done.stdout
            ran += 1
    assert ran == 3


def test_the_page_shows_the_template_itself():
    page = (DOCS / "adding-a-statement.md").read_text()
    shown = [text for kind, text in blocks(DOCS / "adding-a-statement.md") if kind == "python"]
    files = [(DOCS / "template" / f).read_text() for f in ("theory.py", "proof.py", "errors.py")]
    assert len(shown) >= 6
    assert not [text for text in shown if not any(text in file for file in files)]
    assert all(f"template/{name}" in page for name in ("theory.py", "proof.py", "errors.py"))


def test_the_false_wording_is_refuted_with_a_certificate(placed):
    found = run_campaign(claim_of(*PRINTED), EFFORT, seed=0)
    assert check(claim_of(*PRINTED), found.counterexample)
    assert not check(claim_of(*TRUE), found.counterexample)


def test_the_true_wording_is_proved_and_attained(placed):
    result = steps.run(steps.proofs()[TRUE], claim_of(*TRUE))
    assert result.holds and len(result.steps) == 4
    found = run_campaign(claim_of(*TRUE), EFFORT, seed=0)
    assert found.certain and found.counterexample is None
    assert found.tightness["every feature"] >= 0.999


def test_planted_errors_are_found_and_not_proved(placed):
    assert len(placed) == 2
    for key, mutate in placed.values():
        mutant = mutate(claim_of(*key))
        found = run_campaign(mutant, EFFORT, seed=0).counterexample
        assert check(mutant, found) and not check(claim_of(*key), found)
        assert not steps.run(steps.proofs()[key], mutant).holds
