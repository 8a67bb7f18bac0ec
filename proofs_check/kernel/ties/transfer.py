"""Ties of Transfer.v and ClassMeans.v: CDNV, the nearest class mean, distances of class means."""

from __future__ import annotations

from typing import Any

from proofs_check.kernel.register import Binding, Instance, Theorem

_DISTANCES = ("ClassMeans.v", "review:remark-etf-distance")
_CDNV = ("Transfer.v", "review:eq-51")
_ERRORS = (*_CDNV, "sharp", "errors of the nearest class mean")


def _square(x: Any) -> Any:
    return sum(e * e for e in x)


def _centres(points: Any) -> list[list[Any]]:
    return [[sum(column) / len(points[0]) for column in zip(*p, strict=True)] for p in points]


def _apart(centres: Any) -> list[list[Any]]:
    """Squared distances of each centre from the others."""
    return [
        [
            _square(a - b for a, b in zip(c, other, strict=True))
            for j, other in enumerate(centres)
            if j != i
        ]
        for i, c in enumerate(centres)
    ]


def _least(values: list[Any]) -> Any:
    least = values[0]
    for value in values[1:]:
        least = least.min(value)
    return least


def _laws(v: Instance) -> Binding:
    return {
        "d": len(v["shift"]),
        "m": len(v["first"]),
        "n": len(v["second"]),
        "x": v["first"],
        "y": v["second"],
        "v": v["mirror"],
        "shift": v["shift"],
        "scale": v["scale"],
    }


def _classes(v: Instance) -> Binding:
    K, n, d = v["points"].shape
    return {"d": d, "K": K, "n": n, "x": v["points"]}


def _two_classes(v: Instance) -> Binding:
    _, n, d = v["points"].shape
    return {"d": d, "n": n, "x": v["points"]}


def _each_class(v: Instance) -> list[Binding]:
    nearest = [_least(row) for row in _apart(_centres(v["points"]))]
    return [{**_classes(v), "i": i, "r": r} for i, r in enumerate(nearest)]


def _means(v: Instance) -> Binding:
    K, d = v["centres"].shape
    return {"K": K, "d": d, "mu": v["centres"]}


def _with_least(v: Instance) -> Binding:
    return {**_means(v), "r": _least([r for row in _apart(v["centres"]) for r in row])}


THEOREMS = (
    Theorem(
        "cdnv_laws",
        *_CDNV,
        "printed",
        "laws and a second formula",
        bind=_laws,
        conclusions={
            "symmetric": 0,
            "moved, mirrored, scaled": 1,
            "variance by pairs": 2,
            "by distances of two points": 3,
        },
    ),
    Theorem(
        "nearest_mean_errors",
        *_ERRORS,
        bind=_classes,
        conclusions={"by variances along the lines": 0, "by the mean CDNV": 1},
    ),
    Theorem("two_class_errors", *_ERRORS, bind=_two_classes, conclusions={"two classes": 0}),
    Theorem(
        "nearest_other_errors",
        *_ERRORS,
        bind=_each_class,
        conclusions={"by the nearest other class": 0},
    ),
    Theorem(
        "least_distance",
        *_DISTANCES,
        "corrected",
        "the least distance, and the mean over the pairs",
        bind=_with_least,
        conclusions={"mean over the pairs": 0, "least over the pairs": 1},
    ),
    Theorem(
        "near_simplex_centre",
        *_DISTANCES,
        "sharp",
        "only near a simplex ETF",
        bind=_with_least,
        conclusions={"common mean": 0},
    ),
    Theorem(
        "single_pair_printed_fails",
        *_DISTANCES,
        "printed",
        "the distance of a single pair",
        bind=_means,
        refutes=True,
        at=({"centres": [[1], [-1], [0]]},),
    ),
)
