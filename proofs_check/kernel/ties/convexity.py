"""Ties of Convexity.v: Jensen-gap lemmas."""

from __future__ import annotations

from typing import Any

from proofs_check.kernel.register import Binding, Instance, Theorem

_FILE = "Convexity.v"


def with_kinks(v: Instance) -> Any:
    """The strongly convex function of an instance: a parabola and kinks."""

    def f(z: Any) -> Any:
        kinks = (w * abs(z - k) for k, w in zip(v["knots"], v["weights"], strict=True))
        return v["m"] / 2 * z * z + sum(kinks)

    return f


def _subset(v: Instance) -> Binding:
    return {
        "n": len(v["x"]),
        "x": v["x"],
        "s": v["subset"],
        "f": with_kinks(v),
        "m": v["m"],
        "epsilon": v["epsilon"],
    }


THEOREMS = (
    Theorem(
        "subset_mean_lemma",
        _FILE,
        "bnwd:lemma-2.1",
        "printed",
        "f - (m/2) x^2 is convex",
        bind=_subset,
        conclusions={"upper": 0, "lower": 1},
    ),
)
