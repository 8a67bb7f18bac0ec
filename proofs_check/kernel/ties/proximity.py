"""Ties of the proximity theorems: what losses, log-odds and mean logits say of collapse."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_check.kernel.register import Binding, Instance, Theorem

_SHARP = "sharp"


def layer(v: Instance) -> Binding:
    """The sizes, weights and features of a network."""
    h = v["h"]
    C, N, d = h.shape
    return {"C": C, "N": N, "d": d, "w": v["w"], "h": h}


def unbiased(v: Instance) -> Binding:
    """A network whose claim knows no bias."""
    return {**layer(v), "a": np.zeros(len(v["h"]))}


def biased(v: Instance) -> Binding:
    """A network with a bias."""
    return {**layer(v), "a": v["bias"]}


def with_weights(batch: dict[str, Any]) -> dict[str, Any]:
    """Instances moved off the zero network, where norms vanish and the claim's sides with them."""
    moved = dict(batch)
    for name in ("w", "h"):
        steps = np.cos(np.arange(batch[name][0].size)).reshape(batch[name].shape[1:])
        moved[name] = batch[name] + steps
    return moved


def mean(values: Any) -> Any:
    """Mean over the first axis."""
    return values.sum(axis=0) / len(values)


def _probabilities(weights: Any) -> Any:
    return weights / weights.sum()


def _centred_values(v: Instance) -> Binding:
    """Values less their mean, and how far the least of them lies below it."""
    p = _probabilities(v["weights"])
    u = v["values"] - (p * v["values"]).sum()
    lowest = min(range(len(u)), key=lambda i: float(u[i].mid()))
    return {"n": len(u), "p": p, "u": u, "a": -u[lowest]}


def _every_class(v: Instance) -> Binding:
    """The rivals of each class of a network, with probabilities."""
    w, bias = v["w"], v["bias"]
    C = len(w)
    others = np.array([[r for r in range(C) if r != c] for c in range(C)])
    given = {"n": C - 1, "own": w, "rivals": w[others], "offset": bias[others] - bias[:, None]}
    pi = np.array([_probabilities(row) for row in v["weights"]])
    sizes = {"C": C, "N": v["h"].shape[1], "d": w.shape[1]}
    return {**sizes, **given, "pi": pi, "h": v["h"]}


def _one_class(v: Instance) -> Binding:
    pi = _probabilities(v["weights"])
    return {
        "n": len(pi),
        "N": len(v["h"]),
        "d": v["h"].shape[1],
        "pi": pi,
        "own": v["direction"] + (pi[:, None] * v["rivals"]).sum(axis=0),
        "rivals": v["rivals"],
        "offset": v["offsets"],
        "h": v["h"],
    }


def _shortest(v: Instance) -> Binding:
    at = (v["rivals"] * v["shortest"]).sum(axis=1) + v["offsets"]
    pi = _probabilities(np.frompyfunc(lambda x: x.exp(), 1, 1)(at))
    own = v["mu"] * v["shortest"] + (pi[:, None] * v["rivals"]).sum(axis=0)
    return {
        "n": len(pi),
        "N": len(v["h"]),
        "d": v["h"].shape[1],
        "pi": pi,
        "own": own,
        "rivals": v["rivals"],
        "offset": v["offsets"],
        "mu": v["mu"],
        "star": v["shortest"],
        "h": v["h"],
        "other": _probabilities(v["others"]),
    }


def _pairs(v: Instance) -> list[Binding]:
    w, mix, unseen = v["w"], v["mix"], v["unseen"]
    wdot, C = w - mean(w), len(w)
    seen = mix.reshape(-1, C).dot(wdot).reshape(*mix.shape[:2], w.shape[1])
    d, e = w.shape[1], unseen.shape[2]
    squares = ((seen * seen).sum(axis=2) + (unseen * unseen).sum(axis=2)).sum(axis=1)
    roots = [(square / mix.shape[1]).sqrt() for square in squares]
    p = [np.concatenate([mean(s), np.zeros(e)]) for s in seen]
    q = [np.concatenate([np.zeros(d), mean(u)]) for u in unseen]
    return [
        {
            "d": d + e,
            "p1": p[c],
            "q1": q[c],
            "p2": p[r],
            "q2": q[r],
            "a1": roots[c],
            "a2": roots[r],
        }
        for c in range(C)
        for r in range(C)
        if r != c
    ]


def simplex_size(v: Instance) -> Binding:
    """One sample a class in the least dimension that has a simplex, and its frame."""
    n = len(v["w"]) - 1
    return {"n": n, "N": 1, "d": n, "frame": np.eye(n)}


_THEOREM, _LEAST = "bnwd:theorem-2.1", "bnwd:remark-min-loss"
_ANY_SIMPLEX = "at least C - 1 dimensions"
_LINES, _NORMS = "bnwd:eq-1", "bnwd:remark-norm-bounds"
_ONE, _ALL = "bnwd:sharp-3", "bnwd:sharp-4"

THEOREMS = (
    Theorem(
        "log_split",
        "Budget.v",
        _THEOREM,
        _SHARP,
        "identity (log)",
        bind=unbiased,
        conclusions={
            "log-odds of a sample": 0,
            "split of the gap": 1,
            "misalignment >= 0": 2,
            "off-class logits >= 0": 3,
            "dispersion >= 0": 4,
        },
    ),
    Theorem(
        "budget",
        "Budget.v",
        _THEOREM,
        _SHARP,
        "identity (log)",
        untied="it is what the split says when the dispersion is left out",
    ),
    Theorem(
        "gap_split",
        "Gap.v",
        _THEOREM,
        _SHARP,
        "identity (gap)",
        bind=layer,
        restrict=with_weights,
        conclusions={
            "split of the gap": 0,
            "spread of margins >= 0": 1,
            "off-class excess >= 0": 2,
        },
    ),
    Theorem(
        "class_loss_steps",
        "FirstSteps.v",
        _LINES,
        "printed",
        "softmax stands for the cross-entropy",
        bind=layer,
        conclusions={
            "(1) to (2), samples to their mean": 0,
            "(4) to (5), rivals to their mean": 1,
            "(5) to (8), the exponent": 2,
            "(1) to (8)": 3,
        },
    ),
    Theorem(
        "class_log_odds",
        "FirstSteps.v",
        _LINES,
        _SHARP,
        "log-odds",
        bind=layer,
        conclusions={"log-odds": 0, "inverse loss": 1},
    ),
    Theorem(
        "stacked_norms",
        "FirstSteps.v",
        _NORMS,
        "printed",
        "line by line",
        bind=lambda v: {**layer(v), "alpha": v["alpha"], "beta": v["beta"]},
        conclusions={
            "weights, expanded": 0,
            "weights, Frobenius norm": 1,
            "weights": 2,
            "features, triangle inequality": 3,
            "features, mean square": 4,
            "features": 5,
        },
    ),
    Theorem(
        "stacked_norms_exactly",
        "FirstSteps.v",
        _NORMS,
        _SHARP,
        "what is lost",
        bind=layer,
        conclusions={"weights": 0, "features": 1},
    ),
    Theorem(
        "least_loss",
        "LeastLoss.v",
        _LEAST,
        "printed",
        _ANY_SIMPLEX,
        bind=lambda v: {**layer(v), "alpha": v["alpha"], "beta": v["beta"]},
        conclusions={
            "class by class": 0,
            "classes to their mean": 1,
            "margins to norms": 2,
            "least": 3,
        },
    ),
    Theorem(
        "least_loss_attained",
        "LeastLoss.v",
        _LEAST,
        "printed",
        _ANY_SIMPLEX,
        bind=lambda v: {**simplex_size(v), "alpha": v["alpha"], "beta": v["beta"]},
        conclusions={"attained by a simplex": 2},
    ),
    Theorem(
        "least_loss_equality",
        "LeastLoss.v",
        _LEAST,
        "printed",
        _ANY_SIMPLEX,
        untied="it says which networks have the least loss, and no instance but one has it",
    ),
    Theorem(
        "guarantee_from_loss",
        "Budget.v",
        _THEOREM,
        _SHARP,
        "guarantee from the loss",
        bind=biased,
        restrict=with_weights,
        conclusions={
            "alignment": 0,
            "alignment, centred": 1,
            "NC1": 2,
            "NC3": 3,
            "distance": 4,
        },
    ),
    Theorem(
        "three_levels",
        "Budget.v",
        "bnwd:sharp-1",
        _SHARP,
        "three levels of information",
        bind=biased,
        conclusions={"loss of a sample": 0, "levels": 1},
    ),
    Theorem(
        "level_guarantees",
        "Budget.v",
        "bnwd:sharp-1",
        _SHARP,
        "three levels of information",
        bind=biased,
        restrict=with_weights,
        conclusions={
            "NC1": 0,
            "NC3": 1,
            "distance": 2,
            "NC3 at NC1": 3,
            "mean margin": 4,
            "distance, margin": 5,
        },
    ),
    Theorem(
        "variability_from_mean_logits",
        "Logits.v",
        "bnwd:sharp-1",
        _SHARP,
        "from mean logits",
        bind=lambda v: {**layer(v), "y": v["multipliers"]},
        restrict=with_weights,
        conclusions={"spread of a class": 1, "NC1": 2},
    ),
    Theorem(
        "class_mean_guarantees",
        "OneClass.v",
        _ONE,
        _SHARP,
        "class mean",
        bind=_one_class,
        conclusions={
            "margin": 0,
            "margin from the mean loss": 1,
            "variability": 2,
            "cosine": 3,
            "norm": 4,
        },
    ),
    Theorem(
        "log_moment",
        "LogMoment.v",
        "bnwd:sharp-5",
        _SHARP,
        "logarithm of a mean of exponentials",
        bind=_centred_values,
        conclusions={"log-moment": 0},
    ),
    Theorem(
        "class_norms",
        "ClassNorms.v",
        _ONE,
        _SHARP,
        "equal norms",
        bind=_every_class,
        conclusions={"deviation": 0, "coefficient of variation": 1},
    ),
    Theorem(
        "class_cosine_guarantees",
        "OneClass.v",
        _ONE,
        _SHARP,
        "mean cosine",
        bind=lambda v: {**_one_class(v), "chosen": v["chosen"]},
        conclusions={"mean cosine": 0, "intra-class cosine": 1},
    ),
    Theorem(
        "shortest_feature_split",
        "OneClass.v",
        _ONE,
        _SHARP,
        "identity (gap-W)",
        bind=_shortest,
        conclusions={
            "split of the mean square": 0,
            "excess of off-class logits >= 0": 1,
            "no probabilities do better": 2,
        },
    ),
    Theorem(
        "mean_directions_guarantee",
        "Pairs.v",
        _ALL,
        _SHARP,
        "mean directions",
        untied="its premise on the largest eigenvalue speaks of all vectors, not of a number",
    ),
    Theorem(
        "pair_cosine_from_projections",
        "Logits.v",
        _ALL,
        _SHARP,
        "mean logits",
        bind=_pairs,
        conclusions={"cosine of every pair": 0},
    ),
    Theorem(
        "off_class_guarantee",
        "OffClass.v",
        _ALL,
        _SHARP,
        "off-class logits",
        bind=biased,
        conclusions={"sample": 0, "mean": 1, "mean from the log-odds": 2},
    ),
)
