"""Ties of Plane.v, HalfGaps.v and Caps.v: codes on a circle, and caps of spheres."""

from __future__ import annotations

from typing import Any

import flint
import numpy as np

from proofs_check.kernel.register import Binding, Instance, Theorem
from proofs_check.kernel.ties.softmax_codes import least, margin, unit

_POLYGON = ("gnc:theorem-3.3", "printed", "d = 2")
_TAMMES = ("gnc:theorem-3.8", "printed", "d = 2")
_SANDWICH = ("gnc:theorem-3.9", "sharp", "factor-4 sandwich")


def _in_the_plane(v: dict[str, Any]) -> dict[str, Any]:
    """Vectors without all but their first two coordinates."""
    return {**v, "w": v["w"][..., :2], "h": v["h"][..., :2]}


def _code(v: Instance) -> Binding:
    w, h = unit(v["w"]), unit(v["h"])
    return {"K": len(w), "w": w, "h": h, "rho": margin(w, h)}


def _half_gaps(v: Instance) -> dict[str, Any]:
    steps, pi = v["steps"], flint.arb.pi()
    cut = [(pi * step / sum(steps)).min(pi / 2) for step in steps]
    return {"K": len(steps), "x": np.array(cut)}


def _with_least(v: Instance) -> Binding:
    gaps = _half_gaps(v)
    K, x = gaps["K"], gaps["x"]
    rho = least(2 * x[k].sin() * x[k + 1 - K].sin() for k in range(K))
    return {**gaps, "rho": rho}


THEOREMS = (
    Theorem(
        "planar_code_optimum",
        "Plane.v",
        *_POLYGON,
        untied="that a code of this margin exists and none of a larger one, no instance shows",
    ),
    Theorem("half_gaps", "HalfGaps.v", *_POLYGON, bind=_with_least, conclusions={"optimum": 0}),
    Theorem("half_gaps", "HalfGaps.v", *_TAMMES, bind=_with_least, conclusions={"one-vs-rest": 0}),
    Theorem(
        "planar_geometric_mean",
        "HalfGaps.v",
        "gnc:theorem-3.6",
        "printed",
        "d = 2",
        bind=_half_gaps,
        conclusions={"geometric mean": 0},
    ),
    Theorem(
        "planar_products",
        "Plane.v",
        *_TAMMES,
        untied="it bounds the best of all codes, the claim each code by the gaps that it has",
    ),
    Theorem(
        "planar_sandwich",
        "Plane.v",
        *_SANDWICH,
        bind=_code,
        restrict=_in_the_plane,
        conclusions={"upper side": 0, "lower side": 1},
    ),
    Theorem(
        "cap_enclosed",
        "Caps.v",
        *_SANDWICH,
        untied="a step towards the sandwich for d >= 3: the claim has no integral over a cap",
    ),
    Theorem(
        "sandwich_from_caps",
        "Caps.v",
        *_SANDWICH,
        untied="for d >= 3 it is conditional on two premises on the measure of caps, which are not "
        "proved here: caps that cover the sphere have at least its measure, disjoint ones at most",
    ),
)
