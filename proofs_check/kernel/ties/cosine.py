"""Ties of Cosine.v and DirectionBall.v: sums of ratios, mean cosines, the mean direction."""

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


def _vectors(v: Instance) -> Binding:
    return {"N": len(v["v"]), "d": v["v"].shape[1], "v": v["v"]}


def _mean(v: Instance) -> Binding:
    return {**_vectors(v), "alpha": v["alpha"], "c": v["alpha"] - v["deficit"]}


#: Three vectors 1 and one -1 on the line.
_ONE_AGAINST_THREE = [["1"], ["1"], ["1"], ["-1"]]

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
        "least_mean_cosine",
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
    Theorem(
        "mean_direction_typeset_fails",
        _FILE,
        "bnwd:lemma-a.4",
        "printed",
        "every norm, as typeset",
        refutes=True,
        bind=_inner,
        at=(
            {
                "u": ["1"],
                "towards": _ONE_AGAINST_THREE,
                "multiples": ["1", "1", "1", "1"],
                "alpha": "1/2",
                "beta": "1",
                "deficit": "0",
            },
        ),
        conclusions={"norm": 8},
    ),
    Theorem(
        "squared_norm_printed_fails",
        _FILE,
        "bnwd:lemma-a.4",
        "printed",
        "squared norm, last line of the proof",
        refutes=True,
        bind=_inner,
        at=(
            {
                "u": ["1"],
                "towards": [["1"], ["1"], ["1"]],
                "multiples": ["1", "1", "-1/100"],
                "alpha": "53/64",
                "beta": "1",
                "deficit": "11/64",
            },
        ),
        conclusions={"1 - squared norm": 8},
    ),
    Theorem(
        "mean_direction_from_mean",
        _FILE,
        "bnwd:corollary-a.2",
        "printed",
        "mean of the squared norms",
        bind=_mean,
        conclusions={"norm": 0},
    ),
    Theorem(
        "mean_direction_from_mean_typeset_fails",
        _FILE,
        "bnwd:corollary-a.2",
        "printed",
        "every norm, as typeset",
        refutes=True,
        bind=_mean,
        at=({"v": _ONE_AGAINST_THREE, "alpha": "1/2", "deficit": "0"},),
        conclusions={"norm": 6},
    ),
    Theorem(
        "direction_ball",
        "DirectionBall.v",
        "bnwd:corollary-a.2",
        "sharp",
        "ball around the direction of the mean",
        bind=_vectors,
        conclusions={"squared distance": 0, "norm": 1},
    ),
)
