"""Every planted error is refuted with a certificate; no original is."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from mutants import MUTANTS, claim_of

from ncbounds.campaign.certify import check
from ncbounds.campaign.search import Effort, run_campaign
from proofs_check.steps import proofs, run

EFFORT = Effort(ascents=3)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_error_is_refuted_with_a_certificate(name):
    key, mutate = MUTANTS[name]
    mutant = mutate(claim_of(*key))
    found = run_campaign(mutant, EFFORT, seed=0).counterexample
    assert found is not None
    assert check(mutant, found)
    assert not check(claim_of(*key), found)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_proof_of_the_original_does_not_prove_a_planted_error(name):
    key, mutate = MUTANTS[name]
    assert not run(proofs()[key], mutate(claim_of(*key))).holds
