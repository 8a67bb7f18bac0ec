"""Verdicts follow from evidence: proofs, counterexamples, campaigns, and nothing else."""

from dataclasses import replace

import pytest

from ncbounds.campaign.search import Effort, run_campaign
from ncbounds.errors import InputError
from ncbounds.report.ledger import Ledger, StatementRow, VariantRow, select
from ncbounds.report.verification import proof_of, verify
from ncbounds.theory import statement
from ncbounds.theory.terms import Comparison, Judgement

QUICK = Effort(instances=512, restarts=8, steps=10)


def judged(id, variant, effort=QUICK):
    campaign = run_campaign(variant.claim, effort, seed=0) if variant.claim else None
    return VariantRow(variant, proof_of(id, variant), campaign)


def lemma():
    return statement("bnwd:lemma-2.1").variants[0]


def tightened(variant, factor):
    """The variant with every right-hand side scaled, proof and all left in place."""
    original = variant.claim

    def judge(xp, **instance):
        found = original.judge(xp, **instance)
        scaled = tuple(replace(c, rhs=c.rhs * int(factor * 100) / 100) for c in found.conclusions)
        return Judgement(found.hypotheses, scaled)

    return replace(variant, claim=replace(original, judge=judge))


def test_a_true_claim_with_a_proof_is_proved():
    row = judged("bnwd:lemma-2.1", lemma())
    assert row.verdict == "proved" and not row.fault
    assert {e["type"] for e in row.evidence()} == {"proof", "campaign"}


def test_a_planted_error_turns_the_verdict_and_is_a_fault():
    row = judged("bnwd:lemma-2.1", tightened(lemma(), 0.99))
    assert row.verdict == "refuted"
    assert not row.proof.holds and "tie" not in row.fault and "proof fails" in row.fault


def test_a_weaker_claim_is_not_proved_by_the_old_proof():
    row = judged("bnwd:lemma-2.1", tightened(lemma(), 2.0))
    assert row.verdict == "supported"
    assert not row.proof.holds


def test_without_a_proof_a_claim_is_only_supported():
    row = judged("bnwd:lemma-2.1", replace(lemma(), reading="a reading without proof"))
    assert row.proof is None and row.verdict == "supported"


def test_hypotheses_that_nothing_meets_make_a_claim_vacuous():
    def judge(xp, *, x):
        return Judgement(
            (Comparison("never", 1 + 0 * x[:, 0], 0 * x[:, 0]),),
            (Comparison("whatever", x[:, 0], x[:, 0]),),
        )

    claim = replace(lemma().claim, judge=judge, fields=lemma().claim.fields[:1])
    row = judged("bnwd:lemma-2.1", replace(lemma(), claim=claim, reading="never"))
    assert row.verdict == "vacuous"


def test_a_variant_without_claim_is_open():
    open_one = replace(lemma(), claim=None, undecided="nothing to compute", reading="open")
    row = judged("bnwd:lemma-2.1", open_one)
    assert row.verdict == "open" and row.to_dict()["reason"]


def test_a_definition_has_no_verdict_and_is_not_counted():
    ledger = verify(["bnwd:definition-cosine"], budget=0.1)
    definition, claim = ledger.rows[0].variants
    assert definition.variant.defines and not claim.variant.defines
    assert definition.verdict == "" and definition.to_dict()["verdict"] is None
    assert not definition.fault and definition.brief == "definition"
    assert sum(ledger.counts().values()) == 1


def test_a_refuted_variant_of_ours_is_a_fault():
    wrong = statement("bnwd:proposition-a.1").variants[0]
    ours = replace(wrong, name="corrected", reading="planted")
    row = judged("bnwd:proposition-a.1", ours)
    assert row.verdict == "refuted" and "corrected variant is refuted" in row.fault
    whole = Ledger((StatementRow(statement("bnwd:proposition-a.1"), (row,)),))
    assert len(whole.faults) == 1


def test_the_same_seed_gives_the_same_ledger_whatever_the_order():
    ids = ["square:eq-48", "square:property-2"]
    first = verify(ids, budget=0.5, seed=3).to_dict()
    again = verify(ids[::-1], budget=0.5, seed=3).to_dict()
    assert first == again[::-1]


def test_a_counterexample_is_the_same_from_every_seed_in_kind():
    verdicts = [
        [v.verdict for v in verify(["square:eq-25"], budget=0.5, seed=s).rows[0].variants]
        for s in range(3)
    ]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    assert verdicts[0] == ["proved", "refuted", "refuted", "proved"]


@pytest.mark.parametrize("bad", [{"budget": 0}, {"budget": float("nan")}, {"workers": 0}])
def test_bad_numbers_are_refused(bad):
    with pytest.raises(InputError):
        verify(["bnwd:lemma-2.1"], **bad)


def test_selection_by_paper_and_id():
    assert {s.source.paper for s in select(paper="square")} == {"square"}
    with pytest.raises(InputError, match="paper = nature"):
        select(paper="nature")
