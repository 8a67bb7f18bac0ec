"""Ties of MinimiserSize.v: how large the minimiser of the regularised objective is."""

from __future__ import annotations

from proofs_check.kernel.register import Binding, Instance, Theorem

_FILE, _SIZE = "MinimiserSize.v", "bnwd:remark-gamma-star"


def _decay(v: Instance) -> Binding:
    return {"C": v["C"], "decay": v["lambda_"]}


THEOREMS = (
    Theorem(
        "minimiser_size_printed",
        _FILE,
        _SIZE,
        "printed",
        "below log(C/lambda)",
        bind=_decay,
        conclusions={"upper": 0, "positive below 1": 1},
    ),
    Theorem(
        "minimiser_size",
        _FILE,
        _SIZE,
        "sharp",
        "with its factor",
        bind=_decay,
        conclusions={"upper": 0, "positive below 1": 1},
    ),
    Theorem(
        "minimiser_order_bound",
        _FILE,
        "bnwd:proposition-a.1",
        "printed",
        "order of the minimiser",
        bind=_decay,
        conclusions={"upper": 0, "lower": 1},
    ),
)
