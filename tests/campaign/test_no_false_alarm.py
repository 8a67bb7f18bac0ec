"""Nothing true is ever refuted: every true variant survives extreme scales and shapes."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from mutants.planting import claim_of

from ncbounds.campaign.certify import check, exact_instance, refute
from ncbounds.campaign.chunks import Chunk
from ncbounds.campaign.search import Effort, Tally, run_campaign
from ncbounds.campaign.workers import serial
from proofs_check.steps import proofs

TRUE = list(proofs())
#: The last of each statement, as a rule its sharpest.
ONE_EACH = list({id: (id, *rest) for id, *rest in TRUE}.values())


@pytest.mark.parametrize("key", TRUE, ids=" ".join)
def test_ten_thousand_instances_from_1e_minus_8_to_1e8_refute_nothing(key):
    found = run_campaign(claim_of(*key), Effort(instances=10_000, ascents=0, decades=8.0), seed=7)
    assert found.instances >= 10_000
    assert found.met > 0
    assert found.counterexample is None
    assert all(value <= 1 for value in found.tightness.values())


#: What grows fast with a size stops earlier.
LARGE = {"L": 6, "m": 5, "C": 8, "N": 24, "K": 24, "n": 24, "d": 16, "s": 8, "O": 8, "P": 8}
LARGE |= {"rank": 6, "pairs": 4, "r": 6}


#: At sizes as odd as these, a few instances of each kind will do.
FEW = [Chunk("degenerate", 0, 128), Chunk("random", 0, 64)]


@pytest.mark.parametrize("key", ONE_EACH, ids=" ".join)
def test_each_size_alone_may_be_large(key):
    claim = claim_of(*key)
    for size in claim.sizes:
        sizes = {
            name: (LARGE.get(name, 64), LARGE.get(name, 64))
            if name == size
            else (low, min(high, low + 1))
            for name, (low, high) in claim.sizes.items()
        }
        tally = Tally(replace(claim, sizes=sizes), seed=11)
        assert list(tally.add_all(FEW, serial)) == FEW
        assert tally.result().counterexample is None


def test_degenerate_instances_of_lemma_2_1_are_no_counterexamples():
    claim = claim_of("bnwd:lemma-2.1", "printed", "f - (m/2) x^2 is convex")
    for x in ([[3.0]], [[2.0, 2.0, 2.0]], [[0.1, 0.1]], [[1e-300, 0.0]]):
        n = len(x[0])
        batch = {
            "x": np.array(x),
            "subset": np.eye(1, n),
            "m": np.array([1.0]),
            "knots": np.zeros((1, 1)),
            "weights": np.zeros((1, 1)),
            "epsilon": np.array([0.0]),
        }
        assert refute(claim, exact_instance(batch, 0)) is None


def test_an_entry_that_its_field_forbids_refutes_nothing():
    claim = claim_of("bnwd:proposition-a.1", "printed", "minimum value")
    inside = {"C": Fraction(2), "lambda_": Fraction(1, 2), "gamma": Fraction(0)}
    outside = {**inside, "lambda_": Fraction(1)}

    def as_arrays(values):
        return {name: np.array(value, dtype=object) for name, value in values.items()}

    assert refute(claim, as_arrays(inside)) is not None
    assert refute(claim, as_arrays(outside)) is None


def test_an_instance_of_other_shapes_refutes_nothing():
    claim = claim_of("bnwd:lemma-2.1", "printed", "f - (m/2) x^2 is convex")
    batch = {
        "x": np.array([[1.0, 1.0]]),
        "subset": np.array([[1.0]]),
        "m": np.array([1.0]),
        "knots": np.zeros((1, 1)),
        "weights": np.zeros((1, 1)),
        "epsilon": np.array([0.0]),
    }
    assert refute(claim, exact_instance(batch, 0)) is None


def test_shrinking_stays_in_the_domain_of_the_claim():
    claim = claim_of("bnwd:theorem-2.1", "printed", "intra-class cosine, every small kappa")
    larger = replace(claim, sizes={**claim.sizes, "C": (4, 5)})
    found = run_campaign(larger, Effort(instances=20_000, restarts=8, steps=30), seed=0)
    assert found.counterexample is not None
    C, d = found.counterexample.instance["w"].shape
    assert C >= 4 and d >= C
    assert check(larger, found.counterexample)


def test_the_same_seed_gives_the_same_campaign():
    claim = claim_of("bnwd:theorem-2.1", "sharp", "guarantee from the loss")
    effort = Effort(instances=600, ascents=1, restarts=4, steps=5)
    first, again, other = (run_campaign(claim, effort, seed).to_dict() for seed in (5, 5, 6))
    assert first == again != other
