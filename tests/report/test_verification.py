"""Verification spends its budget where it tells most, and says so."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from ncbounds.campaign.certify import Counterexample
from ncbounds.campaign.chunks import Findings, Tight
from ncbounds.errors import InputError
from ncbounds.report import verification
from ncbounds.report.verification import verify
from ncbounds.theory import statement
from ncbounds.theory.terms import Claim, Comparison, Field, Judgement, Source, Statement, Variant

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("verification")

IDS = ("square:eq-25", "square:property-2")
WORDINGS = sum(v.claim is not None for id in IDS for v in statement(id).variants)


def rounds_of(ids, **options):
    """The ledger, and the (wording, round) pairs in the order in which they were done."""
    told = []
    ledger = verify(ids, progress=lambda *report: told.append(report), **options)
    return ledger, [re.fullmatch(r"(.*), round (\d+)", what).groups() for _, _, what in told], told


@pytest.fixture(scope="module")
def searched():
    """A ledger of a budget for several rounds, and the order of its rounds."""
    return rounds_of(IDS, budget=WORDINGS + 4.0, seed=1)


# -- the budget -----------------------------------------------------------------------------------


def test_every_wording_gets_a_first_round_before_any_gets_a_second(searched):
    numbers = [int(number) for _, number in searched[1]]
    assert numbers[:WORDINGS] == [1] * WORDINGS
    assert numbers[WORDINGS:] and min(numbers[WORDINGS:]) > 1


def test_the_budget_is_spent_whole_and_not_exceeded(searched):
    ledger, rounds, told = searched
    assert len(rounds) == WORDINGS + 4
    assert [done for done, _, _ in told] == list(range(1, WORDINGS + 5))
    assert {total for _, total, _ in told} == {WORDINGS + 4}
    assert ledger.search[0].startswith(f"{WORDINGS + 4} rounds of search in ")
    assert f"budget of {WORDINGS + 4} nominal seconds" in ledger.search[0]


def test_the_number_of_workers_changes_nothing(searched):
    ledger, _, _ = searched
    other = verify(IDS, budget=WORDINGS + 4.0, seed=1, workers=2)
    assert other.to_dict() == ledger.to_dict() and other.search == ledger.search


def test_what_is_refuted_is_searched_no_further(searched):
    ledger, _, _ = searched
    refuted = [v for row in ledger.rows for v in row.variants if v.verdict == "refuted"]
    assert refuted
    for row in refuted:
        assert row.campaign.stages.get("random") is None or (
            row.campaign.stages["random"].drawn <= verification._ROUND.instances // 10**6
        )
    assert f"{len(refuted)} of {WORDINGS} refuted and searched no further" in ledger.search[0]
    for row in refuted:
        assert not any(f"[{row.variant.name}, {row.variant.reading}]" in t for t in ledger.search)


def test_what_is_told_of_the_search_is_what_was_done(searched):
    ledger, rounds, _ = searched
    told = [re.match(r"(\d+) more for ", line) for line in ledger.search[1:]]
    assert all(told)
    assert sum(int(m[1]) for m in told) == len(rounds) - WORDINGS


@pytest.mark.parametrize("budget", [1e-6, 0.2])
def test_a_small_budget_still_gives_every_wording_something(budget):
    ledger, rounds, _ = rounds_of(IDS, budget=budget)
    assert len(rounds) == WORDINGS
    campaigns = [v.campaign for row in ledger.rows for v in row.variants]
    assert all(c.instances > 0 and c.certain for c in campaigns)


def test_a_smaller_budget_is_less_work():
    small, large = (verify(["bnwd:lemma-a.2"], budget=budget) for budget in (0.2, 2.0))
    drawn = [[v.campaign.instances for v in ledger.rows[0].variants] for ledger in (small, large)]
    assert all(few < many / 2 for few, many in zip(*drawn, strict=True))


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("budget", 0),
        ("budget", -1.0),
        ("budget", float("nan")),
        ("budget", float("inf")),
        ("workers", 0),
        ("workers", -2),
        ("seed", -1),
    ],
)
def test_bad_numbers_are_refused_by_name(name, bad):
    with pytest.raises(InputError, match=f"{name} = {bad}: must be "):
        verify(["bnwd:lemma-2.1"], **{name: bad})


# -- where later rounds go ------------------------------------------------------------------------


def positive(xp, *, x):
    return Judgement((), (Comparison("positive", 0 * x, x),))


CLAIM = Claim(positive, (Field("x", (), "positive"),))
POINT = {"x": np.array(Fraction(1), dtype=object)}
#: What each round of a wording finds: whether instances met the hypotheses, and lhs/rhs.
SCRIPT = {
    "flat": lambda index: (1, 0.9),
    "rising": lambda index: (1, 0.1 * min(index + 1, 4)),
    "never met": lambda index: (0, None),
    "slow": lambda index: (1, 0.05 + 0.001 * index),
}


@pytest.fixture
def scripted(monkeypatch):
    """Run a verification in which each wording finds what its script says."""

    def named(reading):
        return Variant("printed", reading, "", replace(CLAIM, sizes={reading: (1, 1)}))

    planted = Statement(
        "gnc:remark-planted",
        "remark",
        "",
        Source("gnc", ""),
        "planted",
        tuple(named(reading) for reading in SCRIPT),
    )

    refuted = []

    def explore(claim, seed, chunk):
        if chunk.stage != "random":
            return Findings()
        (reading,) = claim.sizes
        if reading in refuted:
            return Findings(1, 1, broken=Counterexample(POINT, "positive", "<=", "1", "0", 128))
        met, ratio = SCRIPT[reading](chunk.index)
        tight = {} if ratio is None else {"positive": Tight(ratio, POINT)}
        return Findings(1, met, tight=tight, examples=[POINT] if met else [])

    monkeypatch.setattr("ncbounds.theory.statements", lambda: {planted.id: planted})
    monkeypatch.setattr(verification, "explore", explore)
    monkeypatch.setattr(verification, "proofs", dict)

    def run(budget, broken=()):
        done, refuted[:] = [], broken
        original = verification._job

        def job(seed, share, item):
            done.append((planted.variants[item[0][1]].reading, item[1]))
            return original(seed, share, item)

        monkeypatch.setattr(verification, "_job", job)
        return verify([planted.id], budget=budget), done

    return run


def test_later_rounds_go_to_the_untested_and_then_to_those_that_rose_most(scripted):
    _, done = scripted(budget=10)
    assert {reading for reading, _ in done[:4]} == set(SCRIPT)
    assert [index for _, index in done[:4]] == [0] * 4
    # Laps of half of the wordings: in the first, the height counts as the rise.
    assert done[4:6] == [("never met", 1), ("flat", 1)]
    assert done[6:8] == [("never met", 2), ("rising", 1)]
    assert done[8:10] == [("never met", 3), ("rising", 2)]


def test_a_wording_that_rises_no_more_gives_way(scripted):
    _, done = scripted(budget=40)
    count = {reading: sum(r == reading for r, _ in done) for reading in SCRIPT}
    assert sum(count.values()) == 40
    # It rises four times; then the slow one gains more, if little, in each of its rounds.
    assert count["slow"] > count["rising"] >= 5
    assert count["never met"] > count["slow"]


def test_a_refuted_wording_gets_no_second_round(scripted):
    ledger, done = scripted(budget=20, broken=["never met", "slow"])
    assert [item for item in done if item[0] in ("never met", "slow")] == [
        ("never met", 0),
        ("slow", 0),
    ]
    assert len(done) == 20 and "2 of 4 refuted and searched no further" in ledger.search[0]


def test_when_all_is_refuted_the_search_ends(scripted):
    ledger, done = scripted(budget=20, broken=list(SCRIPT))
    assert len(done) == 4 and ledger.counts() == {"refuted": 4}


def test_the_search_is_told_with_the_rise_of_each_wording(scripted):
    ledger, done = scripted(budget=10)
    assert ledger.search[0] == (
        "10 rounds of search in 4 laps for a budget of 10 nominal seconds: every wording once"
    )
    extra = {r: sum(x == r for x, _ in done) - 1 for r in SCRIPT}
    assert ledger.search[1:] == (
        f"{extra['rising']} more for gnc:remark-planted [printed, rising]: "
        "positive 0.100000 -> 0.300000",
        f"{extra['never met'] + extra['flat']} more for 2 wordings whose tightness did not rise",
    )
