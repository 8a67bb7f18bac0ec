"""Ties of Opposition.v: steps between cosines, and of angles."""

from __future__ import annotations

import flint

from proofs_check.kernel.register import Binding, Instance, Theorem

_FILE, _INTER = "Opposition.v", "bnwd:remark-inter-step"


def _scaled(v: Instance) -> Binding:
    kept = v["kept"]
    h = v["towards"] * (kept - (1 - kept) * v["rest"])[:, None]
    return {"N": len(h), "d": h.shape[1], "w": v["w"], "h": h}


def _angles(v: Instance) -> Binding:
    quarter = flint.arb.pi() / 2
    return {"a": (1 + v["part_of_a"]) * quarter, "b": v["part_of_b"] * quarter}


THEOREMS = (
    Theorem(
        "intra_class_step",
        _FILE,
        "bnwd:remark-intra-step",
        "corrected",
        "constant 8",
        bind=_scaled,
        conclusions={"1 - intra": 0},
    ),
    Theorem(
        "third_vector",
        _FILE,
        _INTER,
        "printed",
        "vectors, as applied",
        bind=lambda v: {"d": len(v["w"]), "w": v["w"], "x": v["x"], "y": v["y"]},
        conclusions={"cosine": 0},
    ),
    Theorem(
        "difference_of_angles",
        _FILE,
        _INTER,
        "corrected",
        "second and third line: sin b",
        bind=_angles,
        conclusions={"cosine of a - b": 0},
    ),
    Theorem(
        "difference_of_angles_root",
        _FILE,
        _INTER,
        "printed",
        "last line",
        bind=_angles,
        conclusions={"cosine of a - b": 0},
    ),
    Theorem(
        "difference_of_angles_printed_fails",
        _FILE,
        _INTER,
        "printed",
        "second and third line: sin b",
        refutes=True,
        bind=_angles,
        conclusions={"cosine of a - b": 0},
    ),
)
