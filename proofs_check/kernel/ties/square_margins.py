"""Ties of SquareMargins.v: the square loss of two classes in terms of its margins."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_check.kernel.register import Binding, Instance, Theorem

_FILE = "SquareMargins.v"


def _labels(mask: Any) -> Any:
    """Labels 1 and -1 of a mask."""
    return 2 * np.asarray(mask) - 1


def _labelled(v: Instance) -> Binding:
    given = {"n": len(v["f"]), "y": _labels(v["y"]), "f": v["f"]}
    named = {"rho": "rho", "lambda_": "lambda", "decay": "lambda"}
    return {**given, **{named[name]: v[name] for name in v if name in named}}


def _largest_deviation(v: Instance) -> int:
    squares = [float((v["rho"] * z - 1 + v["gap"]).mid()) ** 2 for z in v["margins"]]
    return squares.index(max(squares))


THEOREMS = (
    Theorem(
        "loss_in_margins",
        _FILE,
        "square:eq-11",
        "corrected",
        "with the sum",
        bind=_labelled,
        conclusions={
            "second line": 0,
            "third line": 1,
            "in margins": 2,
            "with the variance": 3,
        },
    ),
    Theorem(
        "loss_without_sum_fails",
        _FILE,
        "square:eq-11",
        "printed",
        "as typeset, no sum in the second line",
        refutes=True,
        bind=_labelled,
        at=({"f": ["0", "0"], "y": ["1", "0"], "rho": "1", "lambda_": "0"},),
        conclusions={"second line": 2},
    ),
    Theorem(
        "flow_of_rho",
        _FILE,
        "square:eq-6",
        "printed",
        "any outputs",
        bind=_labelled,
        conclusions={"flow of rho": 0, "M = sigma^2 + mu^2": 1},
    ),
    Theorem(
        "equilibrium_of_rho",
        _FILE,
        "square:eq-7",
        "printed",
        "with weight decay",
        bind=_labelled,
        conclusions={
            "rho' = 0 there": 0,
            "and only there": 1,
            "the loss is least": 2,
            "by a parabola": 3,
        },
    ),
    Theorem(
        "gap_to_interpolation",
        _FILE,
        "square:eq-8",
        "corrected",
        "weight decay and spread apart",
        bind=_labelled,
        conclusions={
            "the gap": 0,
            "due to weight decay": 1,
            "due to the spread": 2,
            "together": 3,
            "the loss": 4,
        },
    ),
    Theorem(
        "gap_of_decay_printed_fails",
        _FILE,
        "square:eq-8",
        "printed",
        "rho at lambda = 0 from (7)",
        refutes=True,
        bind=_labelled,
        at=({"f": ["1", "0"], "y": ["1", "0"], "decay": "1"},),
        conclusions={"due to weight decay": 0},
    ),
    Theorem(
        "quasi_interpolation",
        _FILE,
        "square:property-1",
        "printed",
        "by mean and variance of the margins",
        bind=lambda v: {
            "n": len(v["margins"]),
            "k": _largest_deviation(v),
            "z": v["margins"],
            "rho": v["rho"],
            "gap": v["gap"],
        },
        conclusions={"mean squared deviation": 0, "each margin": 1},
    ),
    Theorem(
        "loss_and_mean_margin",
        _FILE,
        "square:remark-rho-mu",
        "printed",
        "zero loss, and how nearly",
        bind=_labelled,
        conclusions={
            "M = sigma^2 + mu^2": 0,
            "variance >= 0": 1,
            "zero loss at f = y/rho": 2,
            "rho times the sum": 3,
            "split": 4,
            "mean margin": 5,
            "spread": 6,
        },
    ),
    Theorem(
        "equal_margins_printed_fails",
        _FILE,
        "square:lemma-1",
        "printed",
        "critical points with equal margins exist whenever the data can be interpolated",
        refutes=True,
        bind=lambda v: {"n": len(v["sizes"]), "s": v["sizes"], "lambda": v["decay"]},
        at=({"sizes": ["1", "1/2"], "decay": "1"},),
        conclusions={"same margins": 3},
    ),
)
