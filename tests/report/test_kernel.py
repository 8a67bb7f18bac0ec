"""Evidence of the kernel counts where all of it holds, and is a fault of ours where not."""

from dataclasses import replace

import pytest

from ncbounds.campaign.search import Effort, run_campaign
from ncbounds.report.kernel import judged, kernel_evidence, raised_by, reachable, wording_of
from ncbounds.report.ledger import VariantRow
from ncbounds.report.verification import verify
from ncbounds.theory import statement
from proofs_check.kernel.build import ALLOWED, Certificate
from proofs_check.kernel.register import theorems
from proofs_check.kernel.statements import Printed, pinned

RECORDED = pinned()
FOR, AGAINST = (
    next(t for t in theorems() if t.name == name)
    for name in ("exponential_lemma", "ratio_sum_printed_fails")
)


def certificate(theorem=FOR, **changes):
    """What compiling the development would show, if all were well but for some changes."""
    stated = replace(RECORDED.theorems[theorem.name], **changes)
    printed = Printed({theorem.name: stated}, RECORDED.definitions)
    return Certificate("a hash", "8.16.1", "here", {theorem.file: 1.0}, {}, {}, printed)


def row(one, theorem=FOR):
    variant = wording_of(theorem)
    campaign = run_campaign(variant.claim, Effort(512, ascents=0), seed=0)
    return VariantRow(variant, None, campaign, (one,))


def test_a_sound_theorem_is_evidence_with_all_that_it_rests_on():
    one = judged(FOR, certificate(), RECORDED)
    told = one.to_dict()
    assert (told["type"], told["holds"], told["fault"]) == ("kernel", True, None)
    assert told["file"] == f"proofs_check/kernel/{FOR.file}"
    assert told["statement"].startswith("forall (n : nat)")
    assert set(told["assumptions"]) <= set(ALLOWED)
    assert told["correspondence"]["instances"] >= 8
    assert {"exponential_radius", "weighted_mean", "sum"} <= told["definitions"].keys()
    (formula,) = told["formulas"]
    assert formula["agrees"] and formula["latex"].startswith("\\sqrt")
    assert "agrees with the claim on" in one.tied


def test_a_theorem_that_has_every_conclusion_proves_what_was_only_supported():
    one = judged(FOR, certificate(), RECORDED)
    with_it = row(one)
    assert (with_it.verdict, with_it.fault) == ("proved", "")
    assert replace(with_it, kernel=()).verdict == "supported"
    silent = replace(one, tie=replace(one.tie, covers=()))
    assert replace(with_it, kernel=(silent,)).verdict == "supported"
    special = replace(one, theorem=replace(FOR, restrict=dict))
    assert replace(with_it, kernel=(special,)).verdict == "supported"


def test_a_theorem_against_what_is_refuted_is_welcome_and_against_another_is_a_fault():
    one = judged(AGAINST, certificate(AGAINST), RECORDED)
    refuted = row(one, AGAINST)
    assert (refuted.verdict, refuted.fault) == ("refuted", "")
    friend = judged(FOR, certificate(), RECORDED)
    assert "is for what is refuted" in replace(refuted, kernel=(friend,)).fault
    assert "is against what is" in row(one).fault


FALSE = "forall (n : nat) (x s : nat -> R) (epsilon : R), mean n x <= exp epsilon"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"assumptions": ["wished"]}, "assumes wished"),
        ({"statement": FALSE}, "not the recorded one"),
        ({"file": "Other.v"}, "no theorem of that name"),
    ],
)
def test_what_the_kernel_says_otherwise_is_a_fault(changes, told):
    one = judged(FOR, certificate(**changes), RECORDED)
    assert told in one.fault and not one.to_dict()["holds"]
    found = row(one)
    assert found.verdict == "supported" and told in found.fault


def test_files_that_fail_are_a_fault():
    broken = replace(certificate(), errors={FOR.file: "Error: no"})
    assert f"{FOR.file} fails: Error: no" in judged(FOR, broken, RECORDED).fault
    assert "no file" in judged(FOR, replace(broken, seconds={}), RECORDED).fault


def test_a_definition_that_changed_is_a_fault_and_so_is_one_that_is_not_our_formula():
    name, (type, body) = "exponential_radius", RECORDED.definitions["exponential_radius"]
    changed = {**RECORDED.definitions, name: (type, body.replace("2 *", "3 *"))}
    sound = certificate()
    other = replace(sound, printed=Printed(sound.printed.theorems, changed))
    assert "definition exponential_radius under it" in judged(FOR, other, RECORDED).fault
    recorded = Printed(RECORDED.theorems, changed)
    assert "is not the formula" in judged(FOR, other, recorded).fault


def test_a_theorem_that_says_something_else_than_the_claim_is_a_fault():
    strong = certificate(statement=FALSE)
    recorded = Printed({**RECORDED.theorems, **strong.printed.theorems}, RECORDED.definitions)
    one = judged(FOR, strong, recorded)
    assert "does not correspond" in one.fault
    assert row(one).verdict == "supported"


def test_without_a_certificate_the_verdict_rests_on_python_and_says_what_would_raise_it():
    assert kernel_evidence(None) == {}
    (found,) = verify(["bnwd:corollary-a.1"], budget=0.2).rows
    assert all(v.verdict == "proved" and not v.kernel for v in found.variants)
    assert "apt-get install" in found.variants[0].to_dict()["raised_by"]
    assert raised_by("square:remark-none", statement("bnwd:lemma-2.1").variants[0]) == ""


def test_with_one_the_ledger_has_the_theorem():
    (found,) = verify(["bnwd:lemma-a.2"], budget=0.2, kernel=certificate()).rows
    evidence = [one for one in found.variants[0].evidence() if one["type"] == "kernel"]
    assert [one["theorem"] for one in evidence] == ["exponential_lemma"]
    assert "1 theorem of the kernel" in found.variants[0].brief
    assert found.variants[0].to_dict()["raised_by"] is None


def test_definitions_are_found_through_definitions():
    assert "sum" in reachable(RECORDED, "exponential_lemma")
