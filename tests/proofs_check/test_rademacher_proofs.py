"""The proofs of the tree-network bounds hold, and no longer do when what they prove is changed."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from ncbounds.theory.rademacher import binary_tree
from ncbounds.theory.rademacher.binary_tree import EQUATION_25, THEOREM_4, tree_claim
from ncbounds.theory.terms import Claim, Statement, Variant
from proofs_check import steps
from proofs_check.steps import ProofResult, run

module = import_module("proofs_check.rademacher.binary_tree")

PRINTED, WITHOUT_FACTOR, RELU_ON_TOP, RELU_ALONE, SHARP, HALF_LINEAR = THEOREM_4.variants
EXPONENT, EVERYTHING, LAYER_NORMS, CORRECTED = EQUATION_25.variants
PROVED = [
    *(
        (THEOREM_4, variant)
        for variant in (PRINTED, WITHOUT_FACTOR, RELU_ON_TOP, SHARP, HALF_LINEAR)
    ),
    (EQUATION_25, EXPONENT),
    (EQUATION_25, CORRECTED),
]


def prove(statement: Statement, variant: Variant, claim: Claim | None = None) -> ProofResult:
    entry = steps._REGISTER[statement.id, variant.name, variant.reading]
    judged = claim or variant.claim
    assert judged is not None
    return run(entry, judged)


def failed(result: ProofResult) -> set[str]:
    return {step.method for step in result.steps if not step.holds}


def ids(value: object) -> str:
    return value.reading if isinstance(value, Variant) else ""


@pytest.mark.parametrize(("statement", "variant"), PROVED, ids=ids)
def test_every_step_holds(statement: Statement, variant: Variant) -> None:
    result = prove(statement, variant)
    assert result.holds, [step for step in result.steps if not step.holds]


@pytest.mark.parametrize("variant", [EVERYTHING, LAYER_NORMS], ids=ids)
def test_the_false_readings_have_no_proof(variant: Variant) -> None:
    assert (EQUATION_25.id, variant.name, variant.reading) not in steps._REGISTER


WRONG_TREE_FORMULAS: dict[str, tuple[Variant, int, str, Callable[..., Any]]] = {
    "sharp, exponent L/2": (
        SHARP,
        2,
        "sharp_tree_bound",
        lambda xp, L, rho, m, norm: 2 ** (L / 2) * rho * norm / m,
    ),
    "sharp, no depth factor": (
        SHARP,
        2,
        "sharp_tree_bound",
        lambda xp, L, rho, m, norm: 2 * rho * norm / m + 0 * L,
    ),
    "sharp, norm squared": (
        SHARP,
        2,
        "sharp_tree_bound",
        lambda xp, L, rho, m, norm: 2 ** ((L + 1) / 2) * rho * norm * norm / m,
    ),
    "sharp, root of m": (
        SHARP,
        2,
        "sharp_tree_bound",
        lambda xp, L, rho, m, norm: 2 ** ((L + 1) / 2) * rho * norm / xp.sqrt(m),
    ),
    "printed, exponent L - 1": (
        PRINTED,
        2,
        "printed_tree_bound",
        lambda xp, L, rho, m, norm: 2 ** (L - 1) * rho * norm / m,
    ),
    "without factor, exponent L": (
        WITHOUT_FACTOR,
        1,
        "proof_tree_bound",
        lambda xp, L, rho, m, norm: 2**L * rho * norm / m,
    ),
}


@pytest.mark.parametrize("case", WRONG_TREE_FORMULAS)
def test_a_changed_tree_bound_is_not_derived(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variant, _, name, body = WRONG_TREE_FORMULAS[case]
    monkeypatch.setattr(binary_tree, name, replace(getattr(binary_tree, name), body=body))
    assert "identity by computer algebra" in failed(prove(THEOREM_4, variant))


@pytest.mark.parametrize("case", WRONG_TREE_FORMULAS)
def test_a_claim_with_a_changed_bound_is_not_the_one_proved(case: str) -> None:
    variant, factor, name, body = WRONG_TREE_FORMULAS[case]
    assert variant.claim is not None
    bound = replace(getattr(binary_tree, name), body=body)
    claim = replace(variant.claim, judge=tree_claim(bound, factor))
    assert failed(prove(THEOREM_4, variant, claim)) == {"tie to the claim"}


def test_a_complexity_of_another_normalisation_is_noticed() -> None:
    assert SHARP.claim is not None
    half = replace(SHARP.claim, judge=tree_claim(binary_tree.sharp_tree_bound, 1))
    assert failed(prove(THEOREM_4, SHARP, half)) == {"tie to the claim"}
    assert not prove(THEOREM_4, WITHOUT_FACTOR, PRINTED.claim).holds
    assert not prove(THEOREM_4, PRINTED, WITHOUT_FACTOR.claim).holds


def test_a_network_of_another_kind_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = binary_tree.tree_outputs

    def clipped(xp: Any, *arguments: Any) -> Any:
        outputs = original(xp, *arguments)
        return xp.maximum(outputs, 0 * outputs)

    monkeypatch.setattr(binary_tree, "tree_outputs", clipped)
    assert failed(prove(THEOREM_4, SHARP)) == {"tie to the claim"}


@pytest.mark.parametrize(
    ("variant", "name", "linear"),
    [(EXPONENT, "printed_dense_bound", 3), (CORRECTED, "dense_bound", 5)],
    ids=["printed", "corrected"],
)
def test_a_changed_dense_bound_is_neither_derived_nor_tied(
    variant: Variant, name: str, linear: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body(xp: Any, L: Any, rho: Any, m: Any, norm: Any) -> Any:
        return 2 ** (L * L / 4 + linear * L / 4) * rho * norm / m

    monkeypatch.setattr(binary_tree, name, replace(getattr(binary_tree, name), body=body))
    methods = failed(prove(EQUATION_25, variant))
    assert {"identity by computer algebra", "tie to the claim"} <= methods


def test_the_false_readings_are_not_proved_by_the_true_ones() -> None:
    assert not prove(EQUATION_25, EXPONENT, EVERYTHING.claim).holds
    assert not prove(EQUATION_25, CORRECTED, LAYER_NORMS.claim).holds


def test_another_count_of_rows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = module._layers
    monkeypatch.setattr(module, "_layers", lambda kernels: layers(kernels)[::-1])
    assert "exhaustion" in failed(prove(EQUATION_25, CORRECTED))


def test_the_contraction_of_squares_is_not_free() -> None:
    """Here the ReLU makes the mean of the largest square grow, by 15/14: no factor is too few."""
    vectors = [(2, 3, 0), (3, 0, -1), (0, 2, 2)]
    clipped = [[max(x, 0) for x in t] for t in vectors]
    assert module._sup_square(clipped) * 14 == module._sup_square(vectors) * 15
