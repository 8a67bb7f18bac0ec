"""Proofs about effective depth, and about what the generalization bound by depth needs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.transfer import depth as theory
from proofs_check.facts import COUNTING, INNER_PRODUCT
from proofs_check.steps import (
    Step,
    assumes,
    cases,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)
from proofs_check.transfer.cdnv import MARKOV, UNION, cantelli, saturation
from proofs_check.transfer.points import class_errors, mean, minus, square, variance

Sides = dict[str, tuple[Any, Any]]
_x, _y = sympy.symbols("x y", nonnegative=True)


def _first(fails: Any, depth: int) -> int:
    """Number of the first entry that is false, at most `depth`."""
    return next((layer for layer, fail in enumerate(fails, 1) if not fail), depth)


def _monotone(depth: int) -> Step:
    """The first layer that does not fail is no later where fewer fail: all cases of few layers."""
    checks = {}
    for more in product((False, True), repeat=depth):
        for fewer in product((False, True), repeat=depth):
            if all(m or not f for m, f in zip(more, fewer, strict=True)):
                checks[f"{more} {fewer}"] = _first(fewer, depth) <= _first(more, depth)
    return cases(f"fewer failing layers, no later: all cases of {depth} layers", checks)


def _later(depth: int) -> Iterator[Step]:
    """From each number of layers to the next: a layer more at the front."""
    yield _monotone(depth)
    a, b = sympy.symbols("a b", nonnegative=True)
    yield nonnegative(
        "a layer more at the front: 1 + (later) if it fails, 1 if not", (1 + a + b) - (1 + a), [b]
    )


@proof(
    "review:definition-depth",
    "sharp",
    "for networks that reach epsilon at some layer",
    COUNTING,
)
def minimal_depth(claim: Claim) -> Iterator[Step]:
    """The network's own layers are a composition: what it reaches, the class reaches."""
    yield nonnegative("the least error is at most the network's own", (_x + _y) - _x, [_y])
    yield from _later(3)
    checks = {
        str(fails): _first(fails, 4) == _first(fails, 3)
        for fails in product((False, True), repeat=3)
        if not all(fails)
    }
    yield cases("where a layer is good, L + 1 and L as conventions agree", checks)
    s, x, m, t = sympy.symbols("s x m t", real=True)
    yield identity(
        "scaling and moving: (s x + t) - (s m + t) = s (x - m)",
        (s * x + t) - (s * m + t),
        s * (x - m),
    )
    yield assumes(
        claim, features="real", epsilon="budget", more="nonnegative", scale="positive", shift="real"
    )
    yield tie(
        "the claim compares these",
        claim,
        _CLASS,
        _depth_sides,
        ("scaled and moved layer by layer",),
    )


@proof(
    "review:definition-depth",
    "sharp",
    "effective depth by CDNV",
    INNER_PRODUCT,
    MARKOV,
    UNION,
    COUNTING,
)
def depth_by_cdnv(claim: Claim) -> Iterator[Step]:
    """The error of a layer is at most its bound; so it fails less often."""
    yield from cantelli()
    yield from saturation()
    K, mean_of = sympy.symbols("K mean", positive=True)
    yield identity(
        "1/K of the sum over K (K - 1) ordered pairs",
        K * (K - 1) * mean_of / K,
        (K - 1) * mean_of,
    )
    yield from _later(3)
    yield assumes(claim, features="real", epsilon="proportion")
    yield tie("the claim compares these", claim, _NETWORK, _cdnv_sides)


@proof("review:eq-53", "corrected", "where a large error makes a network deep", UNION, COUNTING)
def needed(claim: Claim) -> Iterator[Step]:
    """An error is at most the threshold, or at most 1 where the network is deep."""
    tau, r = sympy.symbols("tau r", nonnegative=True)
    yield nonnegative(
        "below the threshold: tau - e for e = tau - x is not negative", tau - (tau - _x), [_x]
    )
    yield identity("else at most 1 = tau + (1 - tau)", 1, tau + (1 - tau))
    share = sympy.Symbol("share", nonnegative=True)
    yield identity(
        "the mean over both: tau (1 - share) + share",
        tau * (1 - share) + share,
        tau + (1 - tau) * share,
    )
    yield nonnegative(
        "the share is at most that of deep or failed outcomes, 1 - tau = r >= 0",
        r * (share + _y) - r * share,
        [r, _y],
    )
    yield nonnegative(
        "the printed form: (1 - tau) s <= s",
        share - (1 - tau) * share,
        [tau, share],
    )
    a, h = sympy.symbols("a h", positive=True)
    yield identity(
        "tau = (1 + alpha) h/2 < 1 for alpha = 1 - a, h = 1 - b",
        1 - (1 + (1 - a)) * (1 - h) / 2,
        h + a * (1 - h) / 2,
    )
    yield cases(
        "where the link binds (large error, nothing failed), `less` is multiplied by 0",
        {
            f"{below} {failed}": (1 - (1 - below) * (1 - failed) == 0)
            == (below == 0 and failed == 0)
            for below in (0, 1)
            for failed in (0, 1)
        },
    )
    v = symbolic.symbols(theory.printed_depth_bound)
    threshold = (1 + v["alpha"]) * v["p"]
    yield identity(
        "the printed formula",
        symbolic.expression(theory.printed_depth_bound),
        v["deep"] + threshold + v["failed"],
    )
    yield identity(
        "the sharper formula",
        symbolic.expression(theory.sharp_depth_bound),
        threshold + (1 - threshold) * (v["deep"] + v["failed"]),
    )
    yield assumes(
        claim,
        errors="proportion",
        minimal="integer >= 1",
        more="integer >= 0",
        less="integer >= 0",
        failed="mask",
        half="proportion",
        alpha="proportion",
    )
    yield tie("the claim compares these", claim, _OUTCOMES, _needed_sides)


# -- the claims' own sides on exact instances -----------------------------------------------------


def _errors(layers: Any) -> list[Any]:
    """Error of the nearest class mean after each layer."""
    found = []
    for classes in layers:
        shares = class_errors(classes, [mean(points) for points in classes])
        found.append(sum(shares) / len(shares))
    return found


def _depth_sides(features: Any, epsilon: Any, more: Any, scale: Any, shift: Any) -> Sides:
    epsilon, more = number(epsilon), number(more)
    errors = [_errors(network) for network in features]
    L, own = len(errors[0]), errors[0]
    least = [min(network[layer] for network in errors) for layer in range(L)]

    def depth(of: Any, level: Any, most: int) -> Any:
        return balls.ball(_first([e > level for e in of], most))

    same = [balls.ball(e) for e in own]
    return {
        "a layer reaches epsilon": (balls.ball(min(own)), balls.ball(epsilon)),
        "minimal depth": (depth(least, epsilon, L + 1), depth(own, epsilon, L)),
        "larger epsilon": (depth(own, epsilon + more, L), depth(own, epsilon, L)),
        "scaled and moved layer by layer": (same, same),
    }


def _cdnv_sides(features: Any, epsilon: Any) -> Sides:
    epsilon, errors, bounds = number(epsilon), _errors(features), []
    for classes in features:
        K, shares = len(classes), []
        for i in range(K):
            for j in range(K):
                if i != j:
                    apart = square(minus(mean(classes[i]), mean(classes[j])))
                    a = variance(classes[i]) / apart
                    shares.append(4 * a / (1 + 4 * a))
        bounds.append((K - 1) * sum(shares) / len(shares))
    L = len(errors)
    first, second = (_first([e > epsilon for e in of], L) for of in (errors, bounds))
    ball = balls.ball
    return {
        "error of each layer": ([ball(e) for e in errors], [ball(b) for b in bounds]),
        "effective depth": (ball(first), ball(second)),
    }


def _needed_sides(
    errors: Any, minimal: Any, more: Any, less: Any, failed: Any, half: Any, alpha: Any
) -> Sides:
    tau = (1 + number(alpha)) * number(half) / 2
    count, deep = len(errors), 0
    for e, m, extra, fewer, bad in zip(errors, minimal, more, less, failed, strict=True):
        bound_to = e >= tau and not bad
        deep += (m + extra if bound_to else m + extra - fewer) >= m
    share, bad = Fraction(deep, count), sum(failed) / Fraction(count)
    error = balls.ball(sum(errors) / Fraction(count))
    ball = balls.ball
    return {
        "(53)": (error, ball(share + tau + bad)),
        "sharper": (error, ball(tau + (1 - tau) * (share + bad))),
    }


_CLASS = [
    point(
        features=[[[[[0], [1]], [[2], [3]]], [[[0], [4]], [[2], [1]]]]],
        epsilon=0,
        more="1/2",
        scale=[2, "1/2"],
        shift=[[1], [-3]],
    ),
    point(
        features=[[[[[0], [4]], [[2], [1]]]], [[[[0], [1]], [[3], [5]]]]],
        epsilon="3/4",
        more=0,
        scale=[1],
        shift=[[0]],
    ),
    point(
        features=[[[[[0], [4]], [[2], [1]]], [[[0], [1]], [[2], [3]]]]],
        epsilon="1/8",
        more="7/8",
        scale=[1, 2],
        shift=[[0], [1]],
    ),
]
_NETWORK = [
    point(features=[[[[0], [1]], [[2], [3]]], [[[0], [1]], [[8], [9]]]], epsilon="1/3"),
    point(features=[[[[0, 1], [1, 0]], [[4, 4], [5, 4]], [[0, 9], [1, 7]]]], epsilon="1/8"),
]
_OUTCOMES = [
    point(
        errors=["1/2", "1/8", "7/8"],
        minimal=[2, 1, 3],
        more=[0, 1, 0],
        less=[1, 2, 4],
        failed=[0, 0, 1],
        half="1/2",
        alpha="1/4",
    ),
    point(errors=["1/16"], minimal=[1], more=[0], less=[1], failed=[1], half="1/4", alpha="1/2"),
]
