"""Ties of Temperature.v: the loss at a temperature against the largest gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from proofs_check.kernel.register import Binding, Instance, Theorem
from proofs_check.kernel.ties.softmax_codes import at_least, hard_max, others_weights, unit

_FILE = "Temperature.v"

# -- one sample -----------------------------------------------------------------------------------


def _largest_gap(v: Instance) -> Binding:
    z = v["z"]
    m, _ = at_least(((j, j) for j in range(1, len(z))), lambda j, _: -z[j])
    return {"K": len(z), "m": m, "tau": v["tau"], "z": z}


def _sample(v: Instance) -> Binding:
    return {"K": len(v["z"]), "tau": v["tau"], "shift": v["shift"], "z": v["z"]}


# -- a layer --------------------------------------------------------------------------------------


def _layer(v: Instance) -> dict[str, Any]:
    w, h = unit(v["w"]), unit(v["h"])
    K, n, d = h.shape
    return {"d": d, "K": K, "n": n, "tau": v["tau"], "w": w, "h": h}


def _weights(v: Instance) -> Any:
    """Points of the hulls of the others: shares of all classes, for each."""
    z = v["z"]
    return np.stack([others_weights(k, np.delete(z[k], k)) for k in range(len(z))])


def _distances(w: Any, a: Any) -> list[Any]:
    away = [w[k] - a[k] @ w for k in range(len(w))]
    return [(x @ x).sqrt() for x in away]


def _worst(layer: Binding) -> dict[str, int]:
    """Class, sample and rival of the largest gap."""
    w, h, K = layer["w"], layer["h"], layer["K"]
    places = [(k, i, j) for k in range(K) for i in range(layer["n"]) for j in range(K) if j != k]
    gaps = [((w[j] - w[k]) @ h[k, i]).mid() for k, i, j in places]
    k, i, j = places[max(range(len(places)), key=gaps.__getitem__)]
    return {"k": k, "i": i, "j": j}


def _nearest(layer: Binding, a: Any) -> dict[str, Any]:
    """The class at the least distance from its point of the hull."""
    distances = _distances(layer["w"], a)
    k, _ = at_least(((k, k) for k in range(layer["K"])), lambda k, _: distances[k])
    return {"k": k, "a": a[k]}


def _worst_sample(v: Instance) -> Binding:
    layer = _layer(v)
    return {**layer, **_worst(layer)}


def _largest(v: Instance) -> Binding:
    layer = _layer(v)
    return {**layer, "M": hard_max(layer["w"], layer["h"])}


def _classes(v: Instance) -> list[Binding]:
    layer, a = _layer(v), _weights(v)
    return [{**layer, "k": k, "a": a[k], "h": layer["h"][k]} for k in range(layer["K"])]


def _least_distance(v: Instance) -> Binding:
    layer = _layer(v)
    return {**layer, **_nearest(layer, _weights(v))}


def _all_distances(v: Instance) -> Binding:
    return {**_layer(v), "a": _weights(v)}


def _beside(own: Callable[[Binding, Instance], Binding]) -> Callable[[Instance], Binding]:
    """A layer beside a competitor, and what of the layer is spoken of."""

    def bind(v: Instance) -> Binding:
        layer = _layer(v)
        rival, g = unit(v["v"]), unit(v["g"])
        beside = {"v": rival, "g": g, "M": hard_max(rival, g), "epsilon": v["epsilon"]}
        return {**layer, **beside, **own(layer, v)}

    return bind


def _weak_duality(v: Instance) -> list[Binding]:
    w, h, a = unit(v["w"]), unit(v["h"]), _weights(v)
    K, d = w.shape
    m = -hard_max(w, h)
    shared = {"d": d, "K": K, "w": w, "m": m}
    return [{**shared, "k": k, "a": a[k], "h": h[k, 0]} for k in range(K)]


_LOSS = ("gnc:lemma-3.1", "sharp", "guarantee from the loss")
_RATE = ("gnc:lemma-3.1", "sharp", "rate for every temperature")

THEOREMS = (
    Theorem(
        "loss_of_a_sample",
        _FILE,
        "gnc:eq-1",
        "printed",
        "the loss of a sample",
        bind=_sample,
        conclusions={
            "never negative": 0,
            "from the gaps": 1,
            "a number added to all logits": 2,
        },
    ),
    Theorem(
        "loss_by_largest_gap",
        _FILE,
        "gnc:eq-1",
        "sharp",
        "by the largest gap",
        bind=_largest_gap,
        conclusions={"at least": 0, "at most": 1, "HardMax below": 2, "HardMax above": 3},
    ),
    Theorem(
        "gaps_at_most_distance",
        "Hull.v",
        "gnc:eq-5",
        "sharp",
        "weak duality",
        bind=_weak_duality,
        conclusions={"one-vs-rest distance": 0},
    ),
    Theorem("worst_sample", _FILE, *_LOSS, bind=_worst_sample, conclusions={"worst sample": 0}),
    Theorem("mean_loss_at_most", _FILE, *_LOSS, bind=_largest, conclusions={"mean loss": 0}),
    Theorem(
        "distance_from_class_loss",
        _FILE,
        *_LOSS,
        bind=_classes,
        conclusions={"class by class": 0},
    ),
    Theorem(
        "least_distance_from_loss",
        _FILE,
        *_LOSS,
        bind=_least_distance,
        conclusions={"least distance": 0},
    ),
    Theorem(
        "mean_distance_from_loss",
        _FILE,
        *_LOSS,
        bind=_all_distances,
        conclusions={"mean distance": 0},
    ),
    Theorem(
        "hardmax_rate",
        _FILE,
        *_RATE,
        bind=_beside(lambda layer, _: _worst(layer)),
        conclusions={"HardMax": 0},
    ),
    Theorem(
        "distance_rate",
        _FILE,
        *_RATE,
        bind=_beside(lambda layer, v: _nearest(layer, _weights(v))),
        conclusions={"one-vs-rest distance": 0},
    ),
)
