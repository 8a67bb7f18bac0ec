"""The proofs of `gnc:theorem-3.9` hold, and no longer do when what they prove is changed."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from ncbounds.theory.softmax_code import gamma_bounds
from ncbounds.theory.softmax_code.gamma_bounds import THEOREM_3_9, code_claim
from ncbounds.theory.terms import Claim, Variant
from proofs_check import steps
from proofs_check.steps import ProofResult, run

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("softmax_code_proofs")

import_module("proofs_check.softmax_code.gamma_bounds")

VARIANTS = {(v.name, v.reading): v for v in THEOREM_3_9.variants}
TYPESET, INTENDED, SHARP = VARIANTS.values()


def prove(variant: Variant, claim: Claim | None = None) -> ProofResult:
    entry = steps._REGISTER[THEOREM_3_9.id, variant.name, variant.reading]
    judged = claim or variant.claim
    assert judged is not None
    return run(entry, judged)


def failed(result: ProofResult) -> set[str]:
    return {step.method for step in result.steps if not step.holds}


def bracket(xp: Any, d: Any, K: Any) -> Any:
    return 2 * xp.sqrt(xp.pi) / K * xp.gamma_ratio((d + 1) / 2, d / 2)


def sharp_claim(lower: Any, upper: Any) -> Claim:
    claim = SHARP.claim
    assert claim is not None
    return replace(claim, judge=code_claim(lower, upper))


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda key: key[1])
def as_stated(request: pytest.FixtureRequest) -> ProofResult:
    return prove(VARIANTS[request.param])


def test_every_step_holds(as_stated: ProofResult) -> None:
    assert as_stated.holds, [step for step in as_stated.steps if not step.holds]


def test_the_polygon_is_settled_by_a_cover_of_few_boxes(as_stated: ProofResult) -> None:
    [cover] = [s for s in as_stated.steps if s.method == "certified branch and bound"]
    assert int(cover.detail.removesuffix(" boxes")) < 20


def test_facts_are_named_and_sourced(as_stated: ProofResult) -> None:
    facts = as_stated.facts
    assert facts
    assert all(fact.name and fact.statement and fact.source for fact in facts)


WRONG_FORMULAS: dict[str, tuple[str, Callable[..., Any]]] = {
    "upper exponent halved": (
        "sharp_upper",
        lambda xp, d, K: 2 * bracket(xp, d, K) ** (1 / (d - 1)),
    ),
    "upper constant halved": (
        "sharp_upper",
        lambda xp, d, K: bracket(xp, d, K) ** (2 / (d - 1)),
    ),
    "upper root of pi dropped": (
        "sharp_upper",
        lambda xp, d, K: 2 * (xp.sqrt(xp.pi) * bracket(xp, d, K)) ** (2 / (d - 1)),
    ),
    "upper exponent 2/d": ("sharp_upper", lambda xp, d, K: 2 * bracket(xp, d, K) ** (2 / d)),
    "upper K - 1 for K": (
        "sharp_upper",
        lambda xp, d, K: 2 * bracket(xp, d, K - 1) ** (2 / (d - 1)),
    ),
    "lower constant doubled": (
        "sharp_lower",
        lambda xp, d, K: bracket(xp, d, K) ** (2 / (d - 1)),
    ),
    "lower exponent halved": (
        "sharp_lower",
        lambda xp, d, K: bracket(xp, d, K) ** (1 / (d - 1)) / 2,
    ),
}


def changed(case: str) -> tuple[str, Any]:
    name, body = WRONG_FORMULAS[case]
    return name, replace(getattr(gamma_bounds, name), body=body)


@pytest.mark.parametrize("case", WRONG_FORMULAS)
def test_a_changed_formula_is_not_derived(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gamma_bounds, *changed(case))
    assert "identity by computer algebra" in failed(prove(SHARP))


def test_the_printed_bounds_rest_on_the_sharp_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gamma_bounds, *changed("upper constant halved"))
    assert "identity by computer algebra" in failed(prove(TYPESET))


@pytest.mark.parametrize("case", WRONG_FORMULAS)
def test_a_claim_with_a_changed_formula_is_not_the_one_proved(case: str) -> None:
    name, wrong = changed(case)
    sides = {"sharp_lower": gamma_bounds.sharp_lower, "sharp_upper": gamma_bounds.sharp_upper}
    sides[name] = wrong
    result = prove(SHARP, sharp_claim(sides["sharp_lower"], sides["sharp_upper"]))
    assert failed(result) == {"tie to the claim"}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("printed_upper", lambda xp, d, K: 2 * bracket(xp, d, K) ** (2 / (d - 1))),
        ("printed_lower", lambda xp, d, K: bracket(xp, d, K) ** (2 / (d - 1)) / 2),
    ],
)
def test_a_changed_printed_formula_is_not_derived(
    name: str, body: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gamma_bounds, name, replace(getattr(gamma_bounds, name), body=body))
    assert not prove(TYPESET).holds
    assert not prove(INTENDED).holds


def test_the_readings_of_the_hypothesis_are_told_apart() -> None:
    assert failed(prove(TYPESET, INTENDED.claim)) == {"tie to the claim"}
    assert failed(prove(INTENDED, TYPESET.claim)) == {"tie to the claim"}


def test_the_sharp_proof_does_not_prove_the_printed_claim() -> None:
    assert not prove(SHARP, TYPESET.claim).holds
    assert not prove(TYPESET, SHARP.claim).holds


@pytest.mark.parametrize(
    "optimum",
    [
        lambda xp, d, K, sizes: 0 * K + 2,
        lambda xp, d, K, sizes: gamma_bounds.simplex_bound(xp, d=d, K=K),
        lambda xp, d, K, sizes: 1 - xp.cos(xp.pi / K),
    ],
    ids=["diameter", "simplex for all", "half the polygon's angle"],
)
def test_another_known_optimum_is_noticed(
    optimum: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gamma_bounds, "proved_optimum", optimum)
    assert failed(prove(SHARP)) == {"tie to the claim"}


def test_another_margin_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = gamma_bounds.code_margin
    monkeypatch.setattr(gamma_bounds, "code_margin", lambda xp, w, h: original(xp, h, w))
    assert failed(prove(SHARP)) == {"tie to the claim"}


def test_a_swapped_simplex_bound_is_not_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(gamma_bounds.simplex_bound, body=lambda xp, d, K: (K + 1) / K)
    monkeypatch.setattr(gamma_bounds, "simplex_bound", wrong)
    assert {"identity by computer algebra", "tie to the claim"} <= failed(prove(SHARP))
