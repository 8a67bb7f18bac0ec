"""What a search looks at, what it concludes, and how little it keeps."""

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutants.planting import changed, claim_of

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign import samplers, search
from ncbounds.campaign.ascent import ascend
from ncbounds.campaign.certify import (
    admitted,
    certainly_meets,
    certified_tightness,
    check,
    exact_instance,
)
from ncbounds.campaign.chunks import Chunk, Findings, Tight, explore
from ncbounds.campaign.comparisons import meets_hypotheses, violation
from ncbounds.campaign.search import CHUNK, Effort, Tally, inequalities, plan, run_campaign
from ncbounds.errors import InputError
from ncbounds.report.ledger import VariantRow
from ncbounds.theory import statements
from ncbounds.theory.terms import Claim, Comparison, Field, Judgement, Pin, Variant

#: One wording a statement: these are laws of the engine, and the wordings of one are much alike.
CLAIMS = {
    f"{s.id} [{v.name}, {v.reading}]": v.claim
    for s in statements().values()
    for v in [next(v for v in s.variants if v.claim is not None)]
}
LEMMA = claim_of("bnwd:lemma-2.1", "printed", "f - (m/2) x^2 is convex")
GUARANTEE = claim_of("bnwd:theorem-2.1", "sharp", "guarantee from the loss")
CODE = claim_of("gnc:theorem-3.9", "sharp", "factor-4 sandwich")
QUICK = Effort(instances=512, ascents=0)

every_claim = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)


#: Claims about points and a subset of them.
JENSEN = [n for n, c in CLAIMS.items() if {"x", "subset"} <= {f.name for f in c.fields}]
#: Claims about weights and features.
NETWORKS = [
    n for n, c in CLAIMS.items() if {"w", "h"} <= {f.name for f in c.fields} and "theorem" in n
]


@cache
def degenerate(name):
    claim = CLAIMS[name]
    return list(samplers.degenerate(claim, 512, np.random.default_rng(0)))


def float_judge(claim, batch):
    with np.errstate(all="ignore"):
        return claim.judge(numpy_namespace(), **batch)


def entries(values):
    """Shape (B, n) values."""
    return values.reshape(len(values), -1)


# -- degenerate instances -------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLAIMS)
def test_the_least_sizes_are_drawn_first_and_then_each_larger_one_alone(name):
    claim = CLAIMS[name]
    least = {size: low for size, (low, _) in claim.sizes.items()}
    more = [{**least, size: min(h, n + 2)} for size, (n, h) in claim.sizes.items()]
    for sizes, batch in zip([least, *more], degenerate(name), strict=False):
        axes = claim.axes(sizes)
        for field in claim.fields:
            assert batch[field.name].shape[1:] == tuple(axes[axis] for axis in field.shape)
    assert len(degenerate(name)) > len(claim.sizes)


@every_claim
def test_every_campaign_begins_with_the_degenerate_instances(claim):
    first = next(plan(claim, QUICK))
    assert first.stage == "degenerate"
    assert explore(claim, 0, replace(first, instances=32)).drawn > 0


def some_instance(claim_name, condition):
    """Whether some degenerate instance satisfies a condition on its batch, row by row."""
    return any(np.any(condition(batch)) for batch in degenerate(claim_name))


POINTS = {
    "a single point": lambda x, subset: x.shape[1] == 1,
    "all points zero": lambda x, subset: (x.shape[1] > 1) & (x == 0).all(axis=1),
    "all points equal": lambda x, subset: (
        (x.shape[1] > 1) & (x != 0).all(axis=1) & (x == x[:, :1]).all(axis=1)
    ),
    "all points in the subset": lambda x, subset: (subset.shape[1] > 1) & subset.all(axis=1),
    "one of several points in the subset": lambda x, subset: (
        (subset.shape[1] > 1) & (subset.sum(axis=1) == 1)
    ),
    "no point in the subset": lambda x, subset: ~subset.any(axis=1),
}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        (name, shape)
        for name in JENSEN
        for shape in POINTS
        # half of a single point is none
        if not ("at most half" in name and shape == "a single point")
    ],
)
def test_the_lemmas_meet_the_shapes_that_proofs_forget(name, shape):
    assert some_instance(name, lambda batch: POINTS[shape](batch["x"], batch["subset"]))


NETWORKS = [
    name
    for name, claim in CLAIMS.items()
    if ("theorem-2.1" in name or "gnc" in name) and {"w", "h"} <= {f.name for f in claim.fields}
]


@pytest.mark.parametrize("field", ["w", "h"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_theorems_meet_weights_and_features_that_vanish(name, field):
    def zero_row(batch):
        rows = (batch[field] == 0).all(axis=-1).reshape(len(batch[field]), -1)
        return rows.any(axis=1) & ~rows.all(axis=1)

    assert some_instance(name, lambda batch: (entries(batch[field]) == 0).all(axis=1))
    assert some_instance(name, zero_row)


@pytest.mark.parametrize("name", JENSEN)
def test_a_jensen_gap_of_zero_is_met_exactly(name):
    """Equal points leave no gap: the budget is zero, and the hypothesis an equality."""

    def tight(batch):
        gap = float_judge(CLAIMS[name], batch).hypotheses[0]
        return (batch["epsilon"] == 0) & (gap.slack == 0) & (batch["x"] != 0).any(axis=1)

    assert some_instance(name, tight)


MASKED = [name for name, claim in CLAIMS.items() if any(f.name == "subset" for f in claim.fields)]


@pytest.mark.parametrize("name", MASKED)
def test_the_empty_subset_is_drawn_but_counts_for_nothing(name):
    claim = CLAIMS[name]
    masks = [f.name for f in claim.fields if f.kind == "mask"]
    empty = 0
    for batch in degenerate(name):
        none = np.any([~entries(batch[mask]).any(axis=1) for mask in masks], axis=0)
        for i in np.flatnonzero(none)[:2]:
            assert not admitted(claim, exact_instance(batch, int(i)))
        empty += none.sum()
    assert empty > 0
    example = explore(claim, 0, Chunk("degenerate", 0, 512)).examples[0]
    assert example is not None and all(example[mask].any() for mask in masks)


# -- budgets --------------------------------------------------------------------------------------

_BUDGETED = [name for name, claim in CLAIMS.items() if claim.budgets()]


def drawn(claim, seed=0, batch=64):
    rng = np.random.default_rng(seed)
    sizes = claim.axes({name: min(high, low + 2) for name, (low, high) in claim.sizes.items()})
    return samplers.draw(claim, sizes, batch, rng)


@pytest.mark.parametrize("name", _BUDGETED)
def test_without_room_a_budget_is_the_least_and_with_room_it_is_more(name):
    claim = CLAIMS[name]
    with np.errstate(all="ignore"):
        least = samplers.meet_budgets(claim, numpy_namespace(), drawn(claim), 0.0)
        half = samplers.meet_budgets(claim, numpy_namespace(), drawn(claim), 0.5)
    first = claim.budgets()[0].name
    usable = np.isfinite(least[first]) & np.isfinite(half[first])
    needed, given_room = least[first][usable], half[first][usable]
    assert (needed >= 0).all() and (needed > 0).any()
    assert np.allclose(given_room[needed > 0], 1.5 * needed[needed > 0], rtol=1e-6, atol=1e-6)
    assert np.allclose(given_room[needed == 0], 0.5, rtol=1e-6)


@given(st.integers(0, 50))
def test_the_least_room_is_enough_for_rounding(seed):
    with np.errstate(all="ignore"):
        filled = samplers.meet_budgets(LEMMA, numpy_namespace(), drawn(LEMMA, seed), 2.0**-40)
    assert (float_judge(LEMMA, filled).hypotheses[0].slack >= 0).all()
    assert (filled["epsilon"] > 0).all()


# -- the plan -------------------------------------------------------------------------------------


@given(st.integers(1, 5), st.integers(0, 5), st.integers(0, 4), st.integers(0, 4))
def test_a_bigger_effort_does_all_that_a_smaller_one_does_and_in_the_same_order(a, more, b, extra):
    small = list(plan(CODE, Effort(a * CHUNK, b)))
    large = list(plan(CODE, Effort((a + more) * CHUNK, b + extra)))
    assert [chunk for chunk in large if chunk in set(small)] == small


@given(st.integers(1, 4), st.integers(0, 4))
def test_more_rounds_begin_with_the_fewer(rounds, more):
    small = list(plan(CODE, Effort(rounds * CHUNK, rounds)))
    large = list(plan(CODE, Effort((rounds + more) * CHUNK, rounds + more)))
    assert large[: len(small)] == small


@given(st.integers(1, 3 * CHUNK))
def test_the_plan_has_as_many_random_instances_as_were_asked_for(instances):
    chunks = [c for c in plan(CODE, Effort(instances, 0)) if c.stage == "random"]
    assert sum(c.instances for c in chunks) == instances
    assert len({c.index for c in chunks}) == len(chunks)


def test_no_two_chunks_draw_the_same_numbers():
    chunks = list(plan(GUARANTEE, Effort(3 * CHUNK, 3)))
    streams = {
        tuple(chunk.rng(seed).integers(2**60, size=2)) for chunk in chunks for seed in (0, 1)
    }
    assert len(streams) == 2 * len(chunks)


@every_claim
def test_ascent_climbs_every_inequality_and_no_equation(claim):
    judged = float_judge(claim, drawn(claim, batch=1))
    named = [c.name for c in judged.conclusions if c.relation == "<="]
    assert inequalities(claim) == named
    climbed = [c.conclusion for c in plan(claim, Effort(1, ascents=2)) if c.stage == "ascent"]
    assert climbed == 2 * named


# -- memory ---------------------------------------------------------------------------------------


def peak_of(chunks, monkeypatch):
    """Largest memory that a campaign of so many tiny chunks takes at a time."""
    monkeypatch.setattr(search, "CHUNK", 4)
    tracemalloc.start()
    try:
        found = run_campaign(LEMMA, Effort(4 * chunks, ascents=0), 0)
        return tracemalloc.get_traced_memory()[1], found
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_a_campaign_of_four_times_the_chunks_takes_no_more_memory(monkeypatch):
    monkeypatch.setattr(search, "_WINDOW", 16)
    peak_of(30, monkeypatch)  # caches fill
    short, _ = peak_of(30, monkeypatch)
    long, found = peak_of(120, monkeypatch)
    assert found.stages["random"].drawn == 480
    assert long < short + 40_000


def test_a_tally_keeps_a_few_instances_however_many_chunks_it_adds():
    tally = Tally(LEMMA, 0)
    instance = {"x": np.array(Fraction(1), dtype=object)}
    for index in range(500):
        tight = {name: Tight(index / 500, instance) for name in ("upper", "lower")}
        found = Findings(10, 10, examples=[instance], tight=tight)
        tally.add(Chunk("random", index, 10), found)
    assert tally.stages["random"].drawn == 5000
    assert len(tally.examples) <= 20 and set(tally.tight) == {"upper", "lower"}
    assert [t.ratio for t in tally.tight["upper"]] == [499 / 500, 498 / 500, 497 / 500]
    assert tally.heights == {"upper": 499 / 500, "lower": 499 / 500}


def test_what_a_chunk_finds_does_not_grow_with_its_instances():
    def kept(instances):
        found = explore(GUARANTEE, 0, Chunk("random", 0, instances))
        return (found.broken is not None) + len(found.tight) + found.leads

    assert kept(8192) <= 3 + len(inequalities(GUARANTEE)) + 16


# -- leads and verdicts ---------------------------------------------------------------------------


def verdict(claim, effort=QUICK):
    found = run_campaign(claim, effort, 0)
    return VariantRow(Variant("sharp", "planted", "", claim), None, found).verdict, found


def about(conclude, *hypotheses):
    """A claim about one number x."""

    def judge(xp, *, x):
        made = tuple(Comparison(f"hypothesis {i}", *h(xp, x)) for i, h in enumerate(hypotheses))
        return Judgement(made, (Comparison("conclusion", *conclude(xp, x)),))

    return Claim(judge, (Field("x"),))


def test_a_claim_that_only_rounding_breaks_is_not_refuted():
    claim = about(lambda xp, x: (x + 1e17 - 1e17, x))
    batch = {"x": np.array([9.0, 1.0, 3.0])}
    assert violation(float_judge(claim, batch).conclusions[0]).max() > 0.1
    told, found = verdict(claim)
    assert told == "supported" and found.counterexample is None
    assert found.leads == 0 and found.lead is None  # balls dispel it


def hidden_zero(xp, x):
    """A zero that no precision can tell from a positive number, and that is large in floats."""
    root = xp.sqrt(2 + 0 * x)
    return (root * root - 2) * 2.0**1000, 0 * x


def test_a_violation_that_no_precision_decides_is_a_lead_and_no_verdict():
    told, found = verdict(about(hidden_zero))
    assert told == "supported" and found.counterexample is None
    assert found.leads > 0
    assert (found.lead.comparison, found.lead.size) == ("conclusion", 1.0)
    assert found.to_dict()["largest_lead"] == {
        "comparison": "conclusion",
        "violation": 1.0,
        "instance": {"x": "0"},
    }


def test_a_claim_that_is_false_by_little_is_refuted():
    claim = about(lambda xp, x: (1 + 1e-8 + 0 * x, 1 + 0 * x))
    told, found = verdict(claim)
    assert told == "refuted" and check(claim, found.counterexample)


def test_hypotheses_that_nothing_can_meet_make_a_claim_vacuous():
    claim = about(lambda xp, x: (1 + 0 * x, 0 * x), lambda xp, x: (x * x + 1, 0 * x))
    told, found = verdict(claim)
    assert told == "vacuous" and not found.certain
    assert found.met == 0 and found.instances >= 512 and found.tightness == {}


def test_hypotheses_that_only_rounding_lets_through_make_a_claim_vacuous():
    claim = about(lambda xp, x: (0 * x, 1 + 0 * x), lambda xp, x: (1 + 1e-12 + 0 * x, 1 + 0 * x))
    told, found = verdict(claim)
    assert found.met > 0 and not found.certain and told == "vacuous"


def test_a_counterexample_meets_the_hypotheses_with_certainty():
    claim = about(lambda xp, x: (x, 2 + 0 * x), lambda xp, x: (x, 3 + 0 * x))
    found = run_campaign(claim, Effort(4096, 0), 0).counterexample
    assert 2 < found.instance["x"].item() <= 3 and check(claim, found)


# -- tightness ------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", [LEMMA, GUARANTEE, CODE], ids=["lemma", "guarantee", "code"])
def test_the_tightest_instances_certify_to_the_numbers_that_are_reported(claim):
    found = run_campaign(claim, Effort(2048, 0), 2)
    assert found.tightness.keys() == found.tightest.keys() == set(inequalities(claim))
    for name, value in found.tightness.items():
        certified = certified_tightness(claim, found.tightest[name], name)
        assert value <= certified < value + 1e-6 and certified <= 1


def test_tightness_is_kept_per_conclusion():
    claim = Claim(
        lambda xp, x: Judgement(
            (), (Comparison("half", 1 + 0 * x, 2 + 0 * x), Comparison("all", x, x))
        ),
        (Field("x", (), "positive"),),
    )
    assert run_campaign(claim, QUICK, 0).tightness == {"half": 0.5, "all": 1.0}


# -- ascent ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def climbed(claim, conclusion, chunks=3):
    """Certified tightness of the best of so many chunks of ascent."""
    best = 0.0
    for index in range(chunks):
        found = explore(claim, 0, Chunk("ascent", index, 24, 0.5, 120, conclusion))
        assert not found.broken
        if conclusion in found.tight:
            instance = found.tight[conclusion].instance
            best = max(best, certified_tightness(claim, instance, conclusion) or 0.0)
        if best >= 0.999:
            break
    return best


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("conclusion", ["upper", "lower"])
def test_ascent_attains_lemma_2_1(conclusion):
    one_kink = replace(LEMMA, sizes={**LEMMA.sizes, "J": (1, 1)})
    assert climbed(one_kink, conclusion) >= 0.999


@pytest.mark.usefixtures("torch")
def test_ascent_attains_the_guarantee_where_random_search_does_not():
    sizes = {"C": (5, 5), "N": (4, 4), "d": (8, 8)}
    claim = replace(GUARANTEE, sizes=sizes)
    by_chance = run_campaign(claim, Effort(CHUNK, 0), 0)
    assert by_chance.stages["random"].met > 100 * 24
    assert by_chance.tightness["NC1"] < 0.96
    assert climbed(claim, "NC1") >= 0.999


PINNED = Pin(
    {"N": 4, "J": 1}, {"subset": [1.0, 0.0, 0.0, 0.0], "m": 2.0}, budgets={"epsilon": 1e-3}
)


@pytest.mark.usefixtures("torch")
def test_what_is_held_stays_through_ascent():
    sizes = LEMMA.axes(dict(PINNED.sizes))
    batch = ascend(LEMMA, "upper", sizes, 8, 40, np.random.default_rng(0), PINNED)
    assert batch["x"].shape == (8, 4)
    assert (batch["subset"] == PINNED.fields["subset"]).all() and (batch["m"] == 2.0).all()
    best = int(np.argmax(float_judge(LEMMA, batch).conclusions[0].lhs / batch["epsilon"] ** 0.5))
    assert 0.5e-3 <= batch["epsilon"][best] <= 2e-3


@pytest.mark.usefixtures("torch")
def test_ascent_moves_what_is_not_held():
    sizes = LEMMA.axes(dict(PINNED.sizes))
    free = ascend(LEMMA, "upper", sizes, 8, 40, np.random.default_rng(0))
    assert np.unique(free["m"]).size > 1


@pytest.mark.usefixtures("torch")
def test_what_ascent_returns_meets_the_hypotheses_in_balls():
    sizes = LEMMA.axes({"N": 3, "J": 1})
    batch = ascend(LEMMA, "lower", sizes, 8, 20, np.random.default_rng(1))
    assert meets_hypotheses(float_judge(LEMMA, batch)).all()
    assert all(certainly_meets(LEMMA, exact_instance(batch, index)) for index in range(8))


# -- what a search could overlook ------------------------------------------------------------------


def of_lemma(change):
    """Lemma 2.1 with its upper side changed."""
    return changed(LEMMA, "upper", change)


@pytest.mark.parametrize("size", [9, 37, 64])
def test_an_error_at_a_single_size_is_found(size):
    def tighter(xp, comparison, instance):
        share = 99 if instance["x"].shape[1] == size else 100
        return replace(comparison, rhs=comparison.rhs * share / 100)

    assert run_campaign(of_lemma(tighter), Effort(ascents=0), 0).counterexample is not None


def test_violations_that_rounding_made_up_do_not_hide_a_true_one():
    def judge(xp, *, x, y):
        junk = xp.abs((x + 2**70) - 2**70 - x) * 2**60
        return Judgement((), (Comparison("c", (10 * y - 11) * (13 - 10 * y) + junk, 0 * y),))

    claim = Claim(judge, (Field("x"), Field("y")))
    for seed in range(3):
        found = run_campaign(claim, Effort(ascents=0), seed)
        assert found.counterexample is not None or found.unfollowed > 0


@pytest.mark.parametrize("seed", range(12))
def test_a_claim_whose_hypotheses_are_met_is_not_vacuous_without_ascent(seed):
    reading = "near-minimisers, a constant for each C"
    claim = claim_of("bnwd:proposition-a.1", "printed", reading)
    assert run_campaign(claim, Effort(4096, ascents=0), seed).certain


def test_a_claim_names_its_comparisons_apart():
    def judge(xp, *, x):
        return Judgement((), (Comparison("c", x, x + 1), Comparison("c", x, x - 1)))

    with pytest.raises(InputError, match="comparisons = c, c"):
        run_campaign(Claim(judge, (Field("x"),)), Effort(512, ascents=0), 0)


def test_a_forged_counterexample_does_not_check():
    claim = of_lemma(lambda xp, c, i: replace(c, rhs=c.rhs / 2))
    found = run_campaign(claim, Effort(ascents=0), 0).counterexample
    assert check(claim, found)
    for forged in (
        {"lhs": "17"},
        {"comparison": "lower"},
        {"comparison": "no such comparison"},
        {"relation": "="},
        {"instance": {**found.instance, "subset": 0 * found.instance["subset"]}},
        {"instance": {n: v for n, v in found.instance.items() if n != "m"}},
    ):
        assert not check(claim, replace(found, **forged)), forged


def test_integer_arrays_and_many_numbers_are_shrunk():
    def judge(xp, **numbers):
        whole = xp.sum(numbers["n"], axis=-1)
        return Judgement((), (Comparison("small", whole, 0 * whole + 7),))

    claim = Claim(judge, (Field("n", ("k",), "integer", least=1),), {"k": (1, 3)})
    found = run_campaign(claim, Effort(512, ascents=0), 0).counterexample
    assert sum(found.instance["n"]) == 8


def test_a_budget_may_serve_a_hypothesis_of_many_entries():
    def judge(xp, *, x, epsilon):
        return Judgement(
            (Comparison("small", xp.abs(x), 0 * x + epsilon[:, None]),),
            (Comparison("mean", xp.abs(xp.mean(x, axis=-1)), epsilon),),
        )

    fields = (Field("x", ("n",)), Field("epsilon", (), "budget", hypothesis="small"))
    found = run_campaign(Claim(judge, fields, {"n": (1, 4)}), Effort(2048, ascents=1), 0)
    assert found.counterexample is None and found.certain and found.tightness["mean"] > 0.99


def test_twenty_eight_numbers_are_no_trouble():
    names = [f"x{i}" for i in range(28)]

    def judge(xp, **numbers):
        total = numbers["x0"] * 0
        for name in names:
            total = total + numbers[name] * numbers[name]
        return Judgement((), (Comparison("small", total, 0 * total + 1),))

    claim = Claim(judge, tuple(Field(name) for name in names))
    assert run_campaign(claim, Effort(512, ascents=0), 0).counterexample is not None


def test_a_claim_without_fields_is_refused():
    with pytest.raises(InputError, match="fields = none"):
        Claim(lambda xp: Judgement((), ()), ())


def test_a_violation_that_needs_slack_in_a_budget_is_found():
    def judge(xp, *, x, epsilon):
        return Judgement(
            (Comparison("small", x * x, epsilon),),
            (Comparison("not too generous", epsilon, x * x + 1),),
        )

    claim = Claim(judge, (Field("x"), Field("epsilon", (), "budget", hypothesis="small")))
    for seed in range(3):
        found = run_campaign(claim, Effort(ascents=0), seed).counterexample
        assert found is not None and check(claim, found)
        x, epsilon = (found.instance[name].item() for name in ("x", "epsilon"))
        assert epsilon > x * x + 1 and epsilon.denominator <= 1000
