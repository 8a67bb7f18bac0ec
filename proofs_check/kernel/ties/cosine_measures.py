"""Ties of CosineMeasures.v: cosines as measures of collapse, at it and near it."""

from __future__ import annotations

from proofs_check.kernel.register import Binding, Instance, Theorem
from proofs_check.kernel.ties.simplex_frame import reflected_frame

_FILE, _COLLAPSE = "CosineMeasures.v", "bnwd:remark-nc-implies-cosine"


def _features(v: Instance) -> Binding:
    """The features less the mean of all of them."""
    h = v["h"]
    C, N, d = h.shape
    return {"C": C, "N": N, "d": d, "x": h - h.reshape(C * N, d).sum(axis=0) / (C * N)}


def _on_rays(v: Instance, points: str) -> Binding:
    C, d = v[points].shape
    return {"C": C, "N": len(v["scales"]), "d": d, "scales": v["scales"]}


THEOREMS = (
    Theorem(
        "cosines_from_directions",
        _FILE,
        "bnwd:definition-cosine",
        "sharp",
        "from one mean direction a class",
        bind=_features,
        conclusions={
            "intra-class": 0,
            "intra-class, different samples": 1,
            "inter-class": 2,
            "mean inter-class": 3,
            "least mean": 4,
        },
    ),
    Theorem(
        "collapsed",
        _FILE,
        _COLLAPSE,
        "printed",
        "NC1",
        bind=lambda v: {**_on_rays(v, "means"), "points": v["means"]},
        conclusions={"intra-class": 0},
    ),
    Theorem(
        "collapsed_to_simplex",
        _FILE,
        _COLLAPSE,
        "printed",
        "NC1 and NC2",
        bind=lambda v: {
            **_on_rays(v, "mirrors"),
            "frame": reflected_frame(v["mirrors"]),
            "alpha": v["alpha"],
        },
        conclusions={"intra-class": 0, "inter-class": 1},
    ),
    Theorem(
        "nearly_collapsed",
        _FILE,
        _COLLAPSE,
        "sharp",
        "nearly NC1 and NC2",
        bind=_features,
        conclusions={"intra-class": 0, "inter-class": 1, "distance from -1/(C-1)": 2},
    ),
)
