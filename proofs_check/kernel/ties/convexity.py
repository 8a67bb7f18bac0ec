"""Ties of Convexity.v and Exponential.v: Jensen-gap lemmas."""

from __future__ import annotations

from typing import Any

from proofs_check.kernel.register import Binding, Instance, Theorem

_FILE, _EXPONENTIAL = "Convexity.v", "Exponential.v"


def with_kinks(v: Instance, m: Any) -> Any:
    """The m-strongly convex function of an instance: a parabola and kinks."""

    def f(z: Any) -> Any:
        kinks = (w * abs(z - k) for k, w in zip(v["knots"], v["weights"], strict=True))
        return m / 2 * z * z + sum(kinks)

    return f


def _points(v: Instance) -> Binding:
    return {"n": len(v["x"]), "x": v["x"], "f": with_kinks(v, v["m"]), "m": v["m"]}


def _subset(v: Instance) -> Binding:
    return {**_points(v), "s": v["subset"], "epsilon": v["epsilon"]}


def _modulus(v: Instance) -> Binding:
    return {**_subset(v), "f": with_kinks(v, 2 * v["m"])}


def _exponential(v: Instance) -> Binding:
    return {"n": len(v["x"]), "x": v["x"], "s": v["subset"], "epsilon": v["epsilon"]}


def _weighted(v: Instance) -> Binding:
    return {"n": len(v["x"]), "x": v["x"], "shares": v["shares"], "c": v["c"]}


def _least(v: Instance) -> Any:
    """The least exponential of the points."""
    least = v["x"][0]
    for x in v["x"]:
        least = least.min(x)
    return least.exp()


def _quadratic(batch: dict[str, Any]) -> dict[str, Any]:
    """The instances without kinks."""
    return {**batch, "weights": 0 * batch["weights"]}


_LEMMA, _BOTH = "bnwd:lemma-2.1", {"upper": 0, "lower": 1}

THEOREMS = (
    Theorem(
        "jensen_with_variance",
        _FILE,
        "bnwd:lemma-a.1",
        "printed",
        "f - c x^2 is convex",
        bind=lambda v: {**_weighted(v), "f": with_kinks(v, 2 * v["c"])},
        conclusions={"Jensen with variance": 0},
    ),
    Theorem(
        "jensen_with_variance_attained",
        _FILE,
        "bnwd:lemma-a.1",
        "printed",
        "f - c x^2 is convex",
        bind=lambda v: {**_weighted(v), "a": 0, "b": 0},
        conclusions={"Jensen with variance": 0},
        restrict=_quadratic,
    ),
    Theorem(
        "variance_corollary",
        _FILE,
        "bnwd:corollary-a.1",
        "printed",
        "a gap of at most epsilon",
        bind=lambda v: {**_points(v), "epsilon": v["epsilon"]},
        conclusions={"variance": 0},
    ),
    Theorem(
        "variance_corollary_exact",
        _FILE,
        "bnwd:corollary-a.1",
        "printed",
        "a gap of exactly epsilon",
        bind=_points,
        conclusions={"variance": 0},
    ),
    Theorem(
        "subset_mean_lemma",
        _FILE,
        _LEMMA,
        "printed",
        "f - (m/2) x^2 is convex",
        bind=_subset,
        conclusions=_BOTH,
    ),
    Theorem(
        "subset_mean_lemma_modulus",
        _FILE,
        _LEMMA,
        "printed",
        "f - m x^2 is convex",
        bind=_modulus,
        conclusions=_BOTH,
    ),
    Theorem(
        "subset_mean_lemma_attained",
        _FILE,
        _LEMMA,
        "printed",
        "f - (m/2) x^2 is convex",
        untied="it is the equality case, whose epsilon is the Jensen gap itself",
    ),
    Theorem(
        "subset_mean_lemma_exp",
        _EXPONENTIAL,
        _LEMMA,
        "printed",
        "f = exp on the range of the points",
        bind=lambda v: {**_exponential(v), "m": _least(v)},
        conclusions=_BOTH,
    ),
    Theorem(
        "exponential_lemma",
        _EXPONENTIAL,
        "bnwd:lemma-a.2",
        "printed",
        "S non-empty",
        bind=_exponential,
        conclusions={"upper": 0},
    ),
    Theorem(
        "exponential_lemma_sharp",
        _EXPONENTIAL,
        "bnwd:lemma-a.2",
        "sharp",
        "at most half of the points",
        bind=_exponential,
        conclusions={"upper": 0},
    ),
)
