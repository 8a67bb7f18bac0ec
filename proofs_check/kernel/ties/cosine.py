"""Ties of Cosine.v: sums of ratios, mean cosines and the norm of the mean direction."""

from __future__ import annotations

from proofs_check.kernel.register import Binding, Instance, Theorem

_FILE, _RATIOS = "Cosine.v", "bnwd:proposition-ratio-sum"


def _ratios(v: Instance) -> Binding:
    return {"N": len(v["a"]), "a": v["a"], "b": v["b"], "B": v["B"]}


def _inner(v: Instance) -> Binding:
    vectors = v["towards"] * v["multiples"][:, None]
    whole = v["alpha"] * v["beta"]
    return {
        "N": len(vectors),
        "d": len(v["u"]),
        "u": v["u"],
        "v": vectors,
        "alpha": v["alpha"],
        "beta": v["beta"],
        "c": whole - v["deficit"],
    }


THEOREMS = (
    Theorem(
        "cosine_identity",
        _FILE,
        "bnwd:lemma-a.3",
        "printed",
        "no feature is zero",
        bind=lambda v: {
            "N": len(v["h"]),
            "M": len(v["g"]),
            "d": v["h"].shape[1],
            "h": v["h"],
            "g": v["g"],
        },
        conclusions={"intra-class cosine": 0, "inter-class cosine": 1},
    ),
    Theorem(
        "ratio_sum",
        _FILE,
        _RATIOS,
        "corrected",
        "sums over all N",
        bind=_ratios,
        conclusions={"sum of ratios": 0},
    ),
    Theorem(
        "ratio_sum_bounded",
        _FILE,
        _RATIOS,
        "corrected",
        "bounded ratios, as Lemma A.4 has them",
        bind=lambda v: {**_ratios(v), "beta": v["beta"]},
        conclusions={"sum of ratios": 0},
    ),
    Theorem(
        "ratio_sum_printed_fails",
        _FILE,
        _RATIOS,
        "printed",
        "sums over all N",
        refutes=True,
        bind=_ratios,
        at=({"a": ["1", "0"], "b": ["1", "1/2"], "B": "5/4"},),
        conclusions={"sum of ratios": 3},
    ),
    Theorem(
        "mean_direction_bound",
        _FILE,
        "bnwd:lemma-a.4",
        "printed",
        "mean of the squared norms",
        bind=_inner,
        conclusions={"norm": 0},
    ),
    Theorem(
        "mean_cosine_bound",
        _FILE,
        "bnwd:lemma-a.4",
        "sharp",
        "mean cosine, every c >= 0",
        bind=_inner,
        conclusions={"mean cosine": 0},
    ),
    Theorem(
        "intra_class_cosine_bound",
        _FILE,
        "bnwd:lemma-a.4",
        "corrected",
        "squared norm, last line of the proof",
        bind=_inner,
        conclusions={"squared norm": 0},
    ),
)
