"""What is compiled is what is believed: axioms, holes and stale files are seen."""

import json
import re
import shutil

import pytest
from planted_errors import PLANTED

from ncbounds.errors import MissingDependencyError
from proofs_check.kernel import build
from proofs_check.kernel.build import ALLOWED, FOLDER, certificate_faults, sources
from proofs_check.kernel.statements import pinned, written

with_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason="Coq is not installed")
#: One process compiles what these tests share.
pytestmark = pytest.mark.xdist_group("kernel")

BASE = """From Coq Require Import Reals Lra.
Open Scope R_scope.
Definition double (x : R) := 2 * x.
(* Theorem commented_out : False. *)
Theorem doubled (x : R) : 0 <= x -> x <= double x.
Proof. unfold double; lra. Qed.
"""
ABOVE = """From Coq Require Import Reals.
From NCBounds Require Import Base.
Open Scope R_scope.
"""
PROOF = re.compile(r"^Proof\b.*?\b(Qed|Defined)\.", re.DOTALL | re.MULTILINE)
#: Theorems that prove nothing, and what is to be said of each.
HOLLOW = {
    "Admitted": (
        "Theorem hole (x : R) : x = double x.\nAdmitted.\n",
        "hole in Above.v assumes hole",
    ),
    "an axiom": (
        "Axiom wished : forall x : R, x = double x.\n"
        "Theorem taken (x : R) : x = double x.\nProof. apply wished. Qed.\n",
        "taken in Above.v assumes wished",
    ),
    "a parameter": (
        "Parameter wish : False.\nTheorem idle : 0 = 1.\nProof. destruct wish. Qed.\n",
        "idle in Above.v assumes wish",
    ),
    "no guard": (
        "Unset Guard Checking.\nFixpoint f (n : nat) : False := f n.\nSet Guard Checking.\n"
        "Theorem loop : 0 = 1.\nProof. destruct (f 0). Qed.\n",
        "loop in Above.v assumes",
    ),
}


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NCBOUNDS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@with_coq
def test_a_sound_development_has_statements_assumptions_and_seconds(own_cache):
    texts = {"Base.v": BASE}
    found = build.build(texts)
    assert found.errors == {} and found.seconds["Base.v"] > 0
    assert list(found.printed.theorems) == ["doubled"]
    stated = found.printed.theorems["doubled"]
    assert stated.statement == "forall x : R, 0 <= x -> x <= double x"
    assert set(stated.assumptions) <= set(ALLOWED)
    assert found.printed.definitions == {"double": ("R -> R", "fun x : R => 2 * x")}
    assert certificate_faults(found) == []
    assert pinned(written(found.printed)) == found.printed
    # found again without compiling, unless a file or the sources are others
    assert build.certificate(texts) == found
    assert build.certificate({"Base.v": BASE + "(* more *)\n"}) is None
    compiled = next(own_cache.rglob("Base.vo"))
    compiled.write_bytes(compiled.read_bytes()[:-1] + b"?")
    assert build.certificate(texts) is None


@with_coq
def test_a_section_hypothesis_stands_in_the_statement_and_holes_are_named(own_cache):
    hidden = (
        "Section Hidden.\nHypothesis wished : forall x : R, x = double x.\n"
        "Theorem leaning (x : R) : double x = x.\nProof. symmetry; apply wished. Qed.\n"
        "End Hidden.\n"
    )
    hollow = "".join(text for text, _ in HOLLOW.values())
    found = build.build({"Base.v": BASE, "Above.v": ABOVE + hidden + hollow})
    assert found.errors == {}  # coqc has nothing against any of them
    statement = found.printed.theorems["leaning"].statement
    assert statement.startswith("(forall x : R, x = double x) ->")
    faults = certificate_faults(found)
    assert len(faults) == len(HOLLOW)
    for _, told in HOLLOW.values():
        assert any(fault.startswith(told) for fault in faults)


@with_coq
def test_a_file_that_fails_takes_those_above_it_along(own_cache):
    broken = BASE.replace("2 * x", "x / 2")
    found = build.build({"Base.v": broken, "Above.v": ABOVE + HOLLOW["Admitted"][0]})
    assert "Base.v" in found.errors and "requires Base.v" in found.errors["Above.v"]
    assert found.printed.theorems == {}
    assert len(certificate_faults(found)) == 2


@with_coq
def test_what_another_machine_compiled_is_rechecked(own_cache, monkeypatch):
    texts = {"Base.v": "Theorem plain : 1 + 1 = 2.\nProof. reflexivity. Qed.\n"}
    build.build(texts)
    kept = next(own_cache.rglob("certificate.json"))
    data = json.loads(kept.read_text())
    kept.write_text(json.dumps({**data, "machine": "elsewhere"}))
    assert build.certificate(texts) is None
    monkeypatch.setattr(build, "_compiled", None)  # nothing is compiled again
    again = build.build(texts)
    assert again.rechecked and again.printed.theorems["plain"].assumptions == []
    assert build.certificate(texts) == again


def test_without_coq_one_line_says_how_to_install_it(monkeypatch, tmp_path, own_cache):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.coq_version() is None
    with pytest.raises(MissingDependencyError, match=r"apt-get install .* coq libcoq-interval"):
        build.build({"Base.v": BASE})


def test_an_empty_name_keeps_nothing(monkeypatch):
    monkeypatch.setenv("NCBOUNDS_CACHE", "")
    assert not build.keeps() and build.certificate() is None


# -- the development ------------------------------------------------------------------------------


def test_files_come_after_those_that_they_require():
    order = list(sources())
    assert sorted(order) == sorted(path.name for path in FOLDER.glob("*.v"))
    for name, text in sources().items():
        assert all(order.index(other) < order.index(name) for other in build.required(text))


@pytest.mark.parametrize("file", sources())
def test_no_source_has_a_hole_or_an_assumption_of_its_own(file):
    plain = re.sub(r"\(\*.*?\*\)", "", sources()[file], flags=re.DOTALL)
    banned = r"\b(Admitted|admit|Axioms?|Parameters?|Conjecture|Hypothes[ie]s)\b"
    assert not re.search(banned + r"|\bUnset \w+ Checking|bypass_check", plain)


@with_coq
def test_the_development_compiles_and_says_what_is_recorded(kernel_cache):
    found = build.build()
    assert certificate_faults(found) == []
    assert sum(found.seconds.values()) < 240  # two cores, two minutes
    recorded = pinned()
    assert found.printed.definitions == recorded.definitions
    assert list(found.printed.theorems) == list(recorded.theorems)
    for name, stated in found.printed.theorems.items():
        assert stated.statement == recorded.theorems[name].statement
        assert set(recorded.theorems[name].assumptions) <= set(stated.assumptions)


@pytest.mark.slow
@with_coq
def test_the_independent_checker_agrees_and_assumptions_are_exactly_the_recorded(kernel_cache):
    found = build.build(recheck=True)
    assert found.rechecked and found.printed == pinned()


@pytest.mark.slow
@with_coq
@pytest.mark.parametrize(
    ("file", "old", "new"), [pytest.param(*one, id=f"{one[0]}: {one[2]}") for one in PLANTED]
)
def test_a_planted_error_does_not_compile(kernel_cache, tmp_path, file, old, new):
    build.build()
    texts = {**sources(), file: sources()[file].replace(old, new)}
    assert texts[file] != sources()[file]
    for path in build.kept_folder(build.source_hash(sources())).glob("*.vo"):
        (tmp_path / path.name).symlink_to(path)
    # the statements themselves can be read: what fails is a proof
    (tmp_path / "Stated.v").write_text(PROOF.sub("Admitted.", texts[file]))
    status, told, _ = build.coqc(tmp_path, "Stated.v")
    assert status == 0, told
    # what is proved of a definition may stand in the files above, which are then compiled anew
    changed: set[str] = set()
    for name, text in texts.items():
        if name == file or changed & set(build.required(text)):
            (tmp_path / name).with_suffix(".vo").unlink()
            (tmp_path / name).write_text(text)
            status, told, _ = build.coqc(tmp_path, name)
            if status:
                assert "Error" in told
                return
            changed.add(name)
    pytest.fail(f"still compiles, with {len(changed) - 1} files above it")


def test_planted_errors_are_in_statements_once_and_no_file_is_without():
    texts = sources()
    for file, old, new in PLANTED:
        assert texts[file].count(old) == 1 and old != new
        assert old in PROOF.sub("", re.sub(r"\(\*.*?\*\)", "", texts[file], flags=re.DOTALL))
    proving = {name for name, text in texts.items() if build.theorem_names(text)}
    assert proving <= {file for file, _, _ in PLANTED}


def test_no_two_theorems_have_one_name():
    found = [name for text in sources().values() for name in build.theorem_names(text)]
    assert len(found) == len(set(found)) >= 40
