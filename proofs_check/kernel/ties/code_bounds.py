"""Ties of CodeBounds.v, Turning.v and GeneralisedCollapse.v: moments, arcs, GNC2 and GNC3."""

from __future__ import annotations

import flint
import numpy as np

from proofs_check.kernel.register import Binding, Instance, Theorem
from proofs_check.kernel.ties.softmax_codes import hard_max, least, margin, others_weights, unit


def _margin(v: Instance) -> Binding:
    w, h = unit(v["w"]), unit(v["h"])
    return {"d": w.shape[1], "K": len(w), "w": w, "h": h, "rho": margin(w, h)}


def _arc(v: Instance) -> Binding:
    w, h, point = (unit(v[name]) for name in ("w", "h", "v"))
    return {"d": len(w), "w": w, "h": h, "v": point, "a": v["a"], "b": v["b"]}


def _turned(v: Instance) -> Binding:
    """Angles in the claim's ratios."""
    share = flint.arb.pi() / (v["apart"] + 2 * v["turn"] + v["clear"] + v["rest"])
    theta, phi = share * v["apart"], share * v["turn"]
    return {"theta": theta, "phi": phi, "psi": theta + 2 * phi + share * v["clear"]}


def _all_samples(v: Instance) -> Binding:
    w, h = unit(v["w"]), unit(v["h"])
    return {"d": w.shape[1], "K": len(w), "w": w, "h": h[:, 0], "rho": -hard_max(w, h)}


def _moved_weights(v: Instance) -> list[Binding]:
    w, moved, z = v["w"], v["v"], v["z"]
    K, d = w.shape
    away = [x @ x for x in w - moved]
    return [
        {
            "d": d,
            "K": K,
            "k": k,
            "w": w,
            "v": moved,
            "a": others_weights(k, np.delete(z[k], k)),
            "M": -least(-away[j].sqrt() for j in range(K) if j != k),
        }
        for k in range(K)
    ]


def _features(v: Instance) -> Binding:
    w, h = unit(v["w"]), unit(v["h"])
    K, n, d = h.shape
    return {"d": d, "K": K, "n": n, "w": w, "h": h}


def _means(v: Instance) -> Binding:
    w = unit(v["w"])
    K, d = w.shape
    away = [w[k] - (w.sum(axis=0) - w[k]) / (K - 1) for k in range(K)]
    return {"d": d, "K": K, "w": w, "m": least((x @ x).sqrt() for x in away)}


THEOREMS = (
    Theorem(
        "second_moments",
        "CodeBounds.v",
        "gnc:sharp-4",
        "sharp",
        "first three moments",
        bind=_margin,
        conclusions={"second moments": 0},
    ),
    Theorem(
        "sufficient_dimension_printed_fails",
        "CodeBounds.v",
        "gnc:remark-dimension",
        "printed",
        "for all K and rho, at most twice",
        refutes=True,
        untied="that a code exists is more than the claim's moments say",
    ),
    Theorem(
        "necessary_dimension_printed_fails",
        "CodeBounds.v",
        "gnc:remark-dimension",
        "printed",
        "for all K and rho, at least a quarter",
        refutes=True,
        untied="that a code exists is the theorem's premise, a bound by caps the claim's",
    ),
    Theorem(
        "least_distance_from_mean",
        "CodeBounds.v",
        "gnc:eq-4",
        "corrected",
        "the least of the rightmost terms is maximised in a Softmax code",
        bind=_means,
        conclusions={"largest in a Softmax code": 0},
    ),
    Theorem(
        "way_between",
        "CodeBounds.v",
        "gnc:sharp-2",
        "sharp",
        "the way between weight and feature",
        bind=_arc,
        conclusions={"on the way": 0},
    ),
    Theorem(
        "turning_room",
        "Turning.v",
        "gnc:sharp-2",
        "sharp",
        "how far the two may turn",
        bind=_turned,
        conclusions={"the two": 0, "closer than they look": 1, "others": 2},
    ),
    Theorem(
        "margin_at_most_simplex",
        "Turning.v",
        "gnc:eq-5",
        "sharp",
        "weak duality",
        bind=_all_samples,
        conclusions={"simplex": 0},
    ),
    Theorem(
        "distance_moves_with_weights",
        "GeneralisedCollapse.v",
        "gnc:definition-gnc2",
        "sharp",
        "it moves no faster than the weights",
        bind=_moved_weights,
        conclusions={"distance": 0},
    ),
    Theorem(
        "gnc3_is_mean_squared_distance",
        "GeneralisedCollapse.v",
        "gnc:definition-gnc3",
        "sharp",
        "a mean squared distance",
        bind=_features,
        conclusions={"distance from the weights": 0, "split": 1, "variability": 2},
    ),
)
