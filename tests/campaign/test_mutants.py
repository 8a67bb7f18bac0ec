"""Every planted error is refuted with a certificate; no original is."""

import time

import pytest
from mutants import MUTANTS
from mutants.planting import claim_of, together

from ncbounds.campaign.certify import check
from ncbounds.campaign.search import CHUNK, Effort, Tally, a_round, plan
from ncbounds.campaign.workers import local, serial
from proofs_check import steps
from proofs_check.steps import proofs

EFFORT = Effort(ascents=3)


def counterexample(claim):
    """The first that a campaign certifies; what shrinking makes of it has tests of its own."""
    tally, chunks = Tally(claim, seed=0), list(plan(claim, EFFORT))
    for _ in tally.add_all(chunks, serial):
        pass
    return tally.broken or tally.result().counterexample


@pytest.mark.parametrize("name", together(MUTANTS, lambda name: MUTANTS[name][0]))
def test_a_planted_error_is_refuted_with_a_certificate(name):
    key, mutate = MUTANTS[name]
    mutant = mutate(claim_of(*key))
    found = counterexample(mutant)
    assert found is not None
    assert check(mutant, found)
    assert not check(claim_of(*key), found)


@pytest.mark.parametrize("name", together(MUTANTS, lambda name: MUTANTS[name][0]))
def test_the_proof_of_the_original_does_not_prove_a_planted_error(name, monkeypatch):
    """Even with all of its algebra granted: it is the ties to the claim that fail."""
    monkeypatch.setattr(steps, "_is_zero", lambda difference: True)
    key, mutate = MUTANTS[name]
    found = steps.run(proofs()[key], mutate(claim_of(*key)))
    assert {step.method for step in found.steps if not step.holds} & {
        "tie to the claim",
        "domain of the claim",
    }


@pytest.mark.slow
@pytest.mark.parametrize("key", proofs(), ids=" ".join)
def test_every_proof_holds(key):
    found = steps.run(proofs()[key], claim_of(*key))
    assert found.holds, [step for step in found.steps if not step.holds]


@pytest.mark.slow
def test_the_originals_survive_ten_minutes_of_the_same_campaign():
    originals = sorted({key for key, _ in MUTANTS.values()})
    tallies = {key: Tally(claim_of(*key), seed=0) for key in originals}
    effort = Effort(instances=10**9, ascents=10**6)
    run, started, index = local(2), time.monotonic(), 0
    while time.monotonic() - started < 600:
        for key, tally in tallies.items():
            for _ in tally.add_all(list(a_round(claim_of(*key), effort, index)), run):
                pass
            assert not tally.settled, key
        index += 1
    for (id, name, reading), tally in tallies.items():
        met = sum(count.met for count in tally.stages.values())
        print(f"{id} [{name}, {reading}]: {met:,} instances, {tally.leads} leads")
        assert met and tally.stages["random"].drawn >= CHUNK  # a whole round, at least
