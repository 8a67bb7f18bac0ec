"""Ties of the square-loss theorems: exact splits, and what they guarantee."""

from __future__ import annotations

from typing import Any

from proofs_check.kernel.register import Binding, Instance, Theorem
from proofs_check.kernel.ties.proximity import biased, layer, mean

_TWO, _MANY = "square:sharp-1", "square:sharp-2"


def _margins(v: Instance) -> Binding:
    mu = mean(v["margins"])
    return {
        "n": len(v["margins"]),
        "z": v["margins"],
        "rho": v["rho"],
        "lambda": v["lambda_"],
        "m": abs(mu) + v["room"],
    }


def _scaled_margins(v: Instance) -> Binding:
    turned = v["margins"] * (1 if mean(v["margins"]) > 0 else -1)
    mu, square = mean(turned), mean(turned * turned)
    return {
        "n": len(turned),
        "z": turned,
        "rho": 2 * v["share"] * mu / (square + v["lambda_"]),
        "lambda": v["lambda_"],
        "m": mu + v["room"],
    }


def scaled(v: Instance) -> Binding:
    """The network at a share of the scale at which its loss is that of zero outputs."""
    w, h, bias = v["w"], v["h"], v["bias"]
    C, N, d = h.shape
    outputs = h.reshape(-1, d).dot((w - mean(w)).T).reshape(C, N, C) + (bias - mean(bias))
    own = mean(outputs.diagonal(axis1=0, axis2=2).ravel()) * C / (C - 1)
    square = mean((outputs * outputs).sum(axis=2).ravel()) * C / (C - 1)
    scale = 2 * v["share"] * own / (square + v["decay"] * C / (C - 1))
    return {
        **layer(v),
        "h": h * scale,
        "a": bias * scale,
        "decay": v["decay"] * scale * scale,
    }


def _certificate(v: Instance) -> Binding:
    C, d = v["w"].shape
    given: dict[str, Any] = {name: v[name] for name in ("w", "h", "y", "g", "mu")}
    return {"C": C, "N": len(v["h"]), "d": d, **given}


THEOREMS = (
    Theorem(
        "directions_of_equal_norms",
        "EqualNorms.v",
        "square:definition-nc2",
        "printed",
        "equal norms imply that the directions add up to zero",
        bind=lambda v: {"C": len(v["mu"]), "d": v["mu"].shape[1], "mu": v["mu"]},
        conclusions={"sum of directions": 0, "mean cosine": 1},
    ),
    Theorem(
        "square_loss_split",
        "SquareGap.v",
        _TWO,
        "sharp",
        "the loss, split",
        bind=_margins,
        conclusions={"scale, spread and margin": 0, "outputs and rho": 1},
    ),
    Theorem(
        "square_loss_guarantees",
        "SquareGap.v",
        _TWO,
        "sharp",
        "guarantees from the loss",
        bind=_scaled_margins,
        conclusions={
            "spread, data loss": 0,
            "spread, regularised loss": 1,
            "spread, reference margin": 2,
            "excess over the least loss": 3,
            "mean margin": 4,
            "mean output": 5,
            "spread of the outputs": 6,
            "rho, from below": 7,
            "rho, from above": 8,
        },
    ),
    Theorem(
        "multiclass_loss_split",
        "SquareNetwork.v",
        _MANY,
        "sharp",
        "the loss, split",
        bind=biased,
        conclusions={
            "mean margin and spread": 0,
            "largest margin": 1,
            "misalignment": 2,
            "least loss": 3,
        },
    ),
    Theorem(
        "multiclass_guarantees",
        "SquareNetwork.v",
        _MANY,
        "sharp",
        "guarantees from the loss",
        bind=scaled,
        conclusions={
            "mean margin": 0,
            "spread, data loss": 1,
            "spread, regularised loss": 2,
            "NC1": 4,
            "NC3": 5,
            "distance": 6,
        },
    ),
    Theorem(
        "decayed_gap_split",
        "SquareNetwork.v",
        "square:sharp-3",
        "sharp",
        "the gap, split",
        bind=lambda v: {**biased(v), "Lambda": 2 * v["share"]},
        conclusions={"the gap, split": 0, "least": 1, "distance": 2},
    ),
    Theorem(
        "ridge_certificate",
        "SquareNetwork.v",
        "square:sharp-4",
        "sharp",
        "a ridge certificate",
        bind=_certificate,
        conclusions={"ridge": 0},
    ),
)
