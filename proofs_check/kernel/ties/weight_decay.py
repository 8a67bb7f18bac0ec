"""Ties of the theorems on weight decay: the regularised objective and the regularised loss."""

from __future__ import annotations

from proofs_check.kernel.register import Binding, Instance, Theorem
from proofs_check.kernel.ties.proximity import layer, simplex_size

_MINIMUM, _COLLAPSE = "bnwd:proposition-a.1", "bnwd:theorem-2.2"
_LEAST = "bnwd:remark-m-reg"


def _objective(v: Instance) -> Binding:
    return {"C": v["C"], "decay": v["share"] * v["C"] / (v["C"] - 1)}


THEOREMS = (
    Theorem(
        "objective_minimum",
        "Objective.v",
        _MINIMUM,
        "corrected",
        "minimum value",
        bind=lambda v: {**_objective(v), "gamma": v["gamma"]},
        conclusions={"attained at gamma*": 0, "least": 1},
    ),
    Theorem(
        "printed_minimum_fails",
        "Objective.v",
        _MINIMUM,
        "printed",
        "minimum value",
        refutes=True,
        bind=lambda v: {"C": v["C"], "decay": v["lambda_"], "gamma": v["gamma"]},
        conclusions={"attained at gamma*": 0, "least": 1},
    ),
    Theorem(
        "near_minimisers",
        "Objective.v",
        _MINIMUM,
        "corrected",
        "near-minimisers",
        bind=lambda v: {**_objective(v), "offset": v["offset"], "epsilon": v["epsilon"]},
        conclusions={"distance": 0},
    ),
    Theorem(
        "least_regularised_bound",
        "LeastLoss.v",
        _LEAST,
        "corrected",
        "the other sign",
        bind=lambda v: {**layer(v), "decay": v["share"]},
        conclusions={"least": 0},
    ),
    Theorem(
        "least_regularised_attained",
        "LeastLoss.v",
        _LEAST,
        "corrected",
        "the other sign",
        bind=lambda v: {**simplex_size(v), "decay": v["share"]},
        conclusions={"attained by a simplex": 0},
    ),
    Theorem(
        "least_regularised_equality",
        "LeastLoss.v",
        _LEAST,
        "corrected",
        "the other sign",
        untied="it says which networks have the least loss, and no instance but one has it",
    ),
    Theorem(
        "printed_least_fails",
        "LeastLoss.v",
        _LEAST,
        "printed",
        "the sign as printed",
        refutes=True,
        bind=lambda v: {**simplex_size(v), "decay": v["share"]},
        conclusions={"attained by a simplex": 0},
    ),
    Theorem(
        "regularised_gap_split",
        "Gap.v",
        _COLLAPSE,
        "sharp",
        "identity (gap-reg)",
        bind=lambda v: {**layer(v), "decay": v["decay"]},
        conclusions={
            "split of the gap": 0,
            "spread of margins >= 0": 1,
            "off-class excess >= 0": 2,
        },
    ),
    Theorem(
        "regularised_defects",
        "Gap.v",
        _COLLAPSE,
        "sharp",
        "identity (gap-reg)",
        untied="it is what the split says of each of its terms",
    ),
    Theorem(
        "guarantee_from_regularised_loss",
        "WeightDecay.v",
        _COLLAPSE,
        "sharp",
        "guarantee from the regularised loss",
        bind=lambda v: {**layer(v), "decay": v["decay"], "epsilon": v["epsilon"]},
        conclusions={
            "margin of the loss": 0,
            "alignment": 1,
            "NC1": 2,
            "NC3": 3,
            "distance": 4,
            "simple": 5,
        },
    ),
    Theorem(
        "guarantee_from_larger_decay",
        "WeightDecay.v",
        _COLLAPSE,
        "sharp",
        "a priori",
        bind=lambda v: {**layer(v), "larger": v["larger"], "excess": v["excess"]},
        conclusions={
            "margin of the loss": 0,
            "alignment": 1,
            "NC1": 2,
            "NC3": 3,
            "distance": 4,
        },
    ),
)
