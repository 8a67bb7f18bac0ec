"""Ties of BatchNorm.v: norms and means after batch normalisation."""

from __future__ import annotations

from proofs_check.kernel.register import Binding, Instance, Theorem

_FILE = "BatchNorm.v"
_PROPOSITION, _ZERO_MEAN = "bnwd:proposition-2.1", "bnwd:remark-bn-zero-mean"


def _batch(v: Instance) -> Binding:
    return {"N": len(v["x"]), "d": len(v["gamma"]), "x": v["x"], "gamma": v["gamma"]}


def _batches(v: Instance) -> Binding:
    return {**_batch(v), "M": len(v["y"]), "y": v["y"]}


THEOREMS = (
    Theorem(
        "quadratic_mean",
        _FILE,
        _PROPOSITION,
        "printed",
        "no constant coordinate, batches of any sizes",
        bind=_batches,
        conclusions={"one batch": 0, "all batches": 1},
    ),
    Theorem(
        "quadratic_mean_implemented",
        _FILE,
        _PROPOSITION,
        "sharp",
        "as implemented",
        bind=lambda v: {**_batch(v), "eta": v["eta"]},
        conclusions={"mean square": 0, "at most gamma": 1},
    ),
    Theorem(
        "gamma_not_squared_fails",
        _FILE,
        _PROPOSITION,
        "printed",
        "gamma not squared, as typeset in the proof",
        refutes=True,
        bind=_batch,
        at=({"x": [["0"], ["2"]], "gamma": ["2"], "floor": "1/2"},),
        conclusions={"one coordinate": 1},
    ),
    Theorem(
        "zero_mean",
        _FILE,
        _ZERO_MEAN,
        "printed",
        "statistics of the batches",
        bind=lambda v: {**_batches(v), "eta": v["eta"]},
        conclusions={"global mean": 0},
    ),
    Theorem(
        "running_mean_fails",
        _FILE,
        _ZERO_MEAN,
        "printed",
        "running statistics",
        refutes=True,
        bind=lambda v: {**_batch(v), "running": v["running"], "var": v["variance"]},
        at=({"x": [["1"]], "gamma": ["1"], "running": ["0"], "variance": ["1"]},),
        conclusions={"global mean": 2},
    ),
)
