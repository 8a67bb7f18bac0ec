"""Ties of the theorems on mean cosines of features with the weights of their classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_check.kernel.register import Binding, Instance, Theorem
from proofs_check.kernel.ties.proximity import biased, layer, mean
from proofs_check.kernel.ties.square_loss import scaled

_COSINES = "bnwd:sharp-2"
_MEANS = {"mean cosine": 0, "class means": 1, "intra-class cosine": 2}


def _raised(v: Instance) -> Binding:
    """A network with a bias, and the most that the bias adds to a margin."""
    a = v["bias"]
    most = a[0]
    for one in a[1:]:
        most = most.max(one)
    C = len(a)
    return {**biased(v), "o": (most - mean(a)) * C / (C - 1)}


def _share(v: Instance) -> Binding:
    C = len(v["w"])
    return {
        **_raised(v),
        "s": v["subset"],
        "q": v["error"] * (C - 1) / C,
        "kappa": v["kappa"],
    }


def _unbiased_at_scale(v: Instance) -> Binding:
    without: dict[str, Any] = {"bias": np.zeros(len(v["w"])), "decay": 0}
    at_scale = scaled({**v, **without})
    return {**layer(v), "h": at_scale["h"]}


THEOREMS = (
    Theorem(
        "cosines_from_measured_losses",
        "MeasuredCosines.v",
        _COSINES,
        "sharp",
        "measured losses",
        bind=lambda v: {**biased(v), "s": v["subset"], "mu": v["price"]},
        conclusions={
            "subset, priced": 0,
            "subset": 1,
            "subset of measured norms": 2,
            "mean cosine, any norms": 3,
            "class means": 4,
            "intra-class cosine": 5,
        },
    ),
    Theorem(
        "cosines_from_log_odds",
        "MeasuredCosines.v",
        _COSINES,
        "sharp",
        "measured losses",
        untied="it is the form by Cauchy-Schwarz alone that the remark names",
    ),
    Theorem(
        "cosines_from_loss",
        "WeightCosines.v",
        _COSINES,
        "sharp",
        "the mean loss alone",
        bind=_raised,
        conclusions=_MEANS,
    ),
    Theorem(
        "cosines_from_small_loss",
        "CosineConsequences.v",
        _COSINES,
        "sharp",
        "the mean loss alone",
        untied="it is the first branch of the bound, where this is the smaller one",
    ),
    Theorem(
        "every_share",
        "WeightCosines.v",
        _COSINES,
        "sharp",
        "every share of the samples",
        bind=_share,
        conclusions={"mean cosine": 0},
    ),
    Theorem(
        "least_cost",
        "CosineConsequences.v",
        _COSINES,
        "sharp",
        "every share of the samples",
        untied="it speaks of the least over all lengths, below which the claim's tangent lies",
    ),
    Theorem(
        "classes_below_convex",
        "CosineConsequences.v",
        _COSINES,
        "sharp",
        "every share of the samples",
        untied="it speaks of every convex function below the loss; the claim has tangents",
    ),
    Theorem(
        "class_cosine_from_loss",
        "CosineConsequences.v",
        "bnwd:sharp-3",
        "sharp",
        "mean cosine",
        untied="it has the mean loss of the class where the claim has the log-odds of its samples",
    ),
    Theorem(
        "cosines_from_square_loss",
        "SquareCosines.v",
        "square:sharp-2",
        "sharp",
        "cosines from the loss",
        bind=_unbiased_at_scale,
        conclusions=_MEANS,
    ),
)
