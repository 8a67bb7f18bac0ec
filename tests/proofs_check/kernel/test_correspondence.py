"""A theorem that says something else than its claim is noticed, whatever is wrong with it."""

from dataclasses import replace

import pytest
from small_theory import CLAIM, THEOREM, against, printed

from ncbounds.campaign.correspondence import correspond
from ncbounds.report.kernel import wording_of
from proofs_check.kernel.register import theorems
from proofs_check.kernel.statements import pinned

RECORDED = pinned()
TIED = {f"{t.name} for {t.id} [{t.variant}, {t.reading}]": t for t in theorems() if t.bind}
#: One of eight by default: together they take minutes, and `ncbounds kernel` does them all.
SOME = [
    pytest.param(name, marks=[pytest.mark.slow] if place % 8 else [])
    for place, name in enumerate(TIED)
]


@pytest.mark.parametrize("name", SOME)
def test_every_theorem_says_what_its_claim_says(name):
    theorem = TIED[name]
    found = correspond(theorem, wording_of(theorem).claim, RECORDED)
    assert found.failure == ""
    assert found.instances >= (1 if theorem.at else 3)
    assert found.difference < 1e-20
    assert found.covers == tuple(theorem.conclusions)


@pytest.mark.parametrize("theorem", theorems(), ids=lambda t: t.name)
def test_every_theorem_stands_for_a_wording_that_there_is(theorem):
    assert wording_of(theorem) is not None
    assert theorem.name in RECORDED.theorems
    assert RECORDED.theorems[theorem.name].file == theorem.file


def test_a_sound_theorem_corresponds():
    found = correspond(THEOREM, CLAIM, printed())
    assert (found.failure, found.instances, found.undecided) == ("", 10, ())
    assert found.difference < 1e-60


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("top ^ 2 / 4 + 1", "top ^ 2 / 4 - 1", "'points' differs"),
        ("top ^ 2 / 4 + 1", "top ^ 2 / 4 + 1.0000000001", "'points' differs"),
        ("sum n f / INR n", "sum n f / INR (n - 1)", "'mean' differs"),
        ("sum m f + f m", "sum m f + f n", "'mean' differs"),
        ("mean n x <= top /\\", "top <= mean n x /\\", "'mean' differs"),
        ("mean n x <= top /\\", "mean n x <> top /\\", "'mean' is <= in the claim"),
        ("(0 < n)%nat", "(1 < n)%nat", "premise 1 fails"),
        ("x i <= top)", "x i < top)", "premise 2 fails"),
        ("x i <= top)", "x i <= top - 1 / 1000)", "premise 2 fails"),
        ("x i <= limit", "x 0%nat <= limit", "'points' differs"),
        ("nat, (i < n)%nat -> x i <= limit", "nat, (i <= n)%nat -> x i <= limit", "entries"),
        ("top : R),", "top k : R),", "a comparison"),
        ("limit top", "limits top", "limits"),
    ],
)
def test_a_planted_error_is_noticed(old, new, told):
    assert told in correspond(THEOREM, CLAIM, printed((old, new))).failure


def test_a_stronger_conclusion_is_welcome_and_a_weaker_one_is_not():
    stronger = printed(("mean n x <= top /\\", "mean n x < top /\\"))
    assert correspond(THEOREM, CLAIM, stronger).failure == ""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"conclusions": {"mean": 1, "points": 0}}, "'mean' differs"),
        ({"conclusions": {"mean": 2}}, "has 2 conclusions"),
        ({"conclusions": {"median": 0}}, "no conclusion 'median'"),
        ({"bind": lambda v: {"n": len(v["x"]), "x": -v["x"], "top": v["top"]}}, "'mean' differs"),
        ({"bind": lambda v: {"k": 1}}, "no variable 'k'"),
        ({"bind": lambda v: {"n": v["N"]}}, "KeyError"),
        ({"name": "another"}, "no theorem of that name"),
        ({"refutes": True}, "refutation"),
    ],
)
def test_a_wrong_registration_is_noticed(changes, told):
    assert told in correspond(replace(THEOREM, **changes), CLAIM, printed()).failure


# -- theorems against a claim ---------------------------------------------------------------------

DENIAL = (
    "~ (forall (n : nat) (x : nat -> R) (top : R), (0 < n)%nat ->"
    " (forall i : nat, (i < n)%nat -> x i <= top) -> mean n x <= top)"
)
WITNESS = (
    "exists (n : nat) (x : nat -> R) (top : R), (forall i : nat, (i < n)%nat -> x i <= top)"
    " /\\ ~ x 0%nat <= limit top"
)
AT = ({"x": ["3"], "top": "3"},)
FIRST = {"conclusions": {"mean": 0}}


def test_the_denial_of_the_claim_corresponds():
    assert correspond(*swapped(against(DENIAL, **FIRST))).failure == ""


def swapped(pair):
    return pair[0], CLAIM, pair[1]


def test_the_denial_of_more_than_the_claim_is_noticed():
    weaker = DENIAL.replace("x i <= top)", "x i <= top + 1)")
    found = correspond(*swapped(against(weaker, **FIRST)))
    assert "hold where the hypothesis 'bounded' fails" in found.failure


@pytest.mark.parametrize(
    ("statement", "at", "told"),
    [
        (WITNESS, AT, "does not break 'points'"),
        (WITNESS, ({"x": ["3"], "top": "2"},), "does not meet the hypotheses"),
    ],
)
def test_a_witness_that_is_none_is_noticed(statement, at, told):
    pair = against(statement, at=at, conclusions={"points": 1})
    assert told in correspond(*swapped(pair)).failure


def test_a_witness_against_a_claim_corresponds():
    def judge(xp, *, x, top):
        judged = CLAIM.judge(xp, x=x, top=top)
        points = judged.conclusions[1]
        return replace(judged, conclusions=(replace(points, rhs=points.rhs - 1),))

    claim = replace(CLAIM, judge=judge)
    theorem, stated = against(
        WITNESS.replace("limit top", "limit top - 1"),
        at=({"x": ["2"], "top": "2"},),
        conclusions={"points": 1},
    )
    found = correspond(theorem, claim, stated)
    assert (found.failure, found.instances) == ("", 1)
