"""Proofs of the laws of the CDNV, and of the errors of the nearest class mean by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.transfer import cdnv as theory
from proofs_check.facts import INNER_PRODUCT
from proofs_check.steps import Fact, Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.transfer.points import (
    cdnv,
    centred,
    class_errors,
    dot,
    mean,
    minus,
    square,
    variance,
)

Sides = dict[str, tuple[Any, Any]]
MARKOV = Fact(
    "Domination",
    "If a random variable is at least the indicator of an event, its mean is at least the "
    "probability of the event.",
    "Monotone expectation",
)
INDEPENDENT = Fact(
    "Independent vectors",
    "The mean of the inner product of two independent vectors, one of mean zero, is zero.",
    "Fubini's theorem",
)
UNION = Fact(
    "Union bound",
    "The probability that one of several events happens is at most the sum of theirs.",
    "Subadditivity of probability",
)

_z, _x, _m, _t = sympy.symbols("z x m t", nonnegative=True)


def cantelli() -> Iterator[Step]:
    """For a z of mean 0 and mean square s, P[z >= 1] <= s/(1 + s)."""
    s, more = sympy.symbols("s more", nonnegative=True)
    yield nonnegative(
        "(z + s)^2 >= (1 + s)^2 for z = 1 + x >= 1",
        (1 + more + s) ** 2 - (1 + s) ** 2,
        [more, more + 2 + 2 * s],
    )
    yield identity(
        "the mean of (z + s)^2/(1 + s)^2 is s/(1 + s)", (s + s**2) / (1 + s) ** 2, s / (1 + s)
    )


def saturation() -> Iterator[Step]:
    """t/(1 + t) increases and is concave."""
    yield nonnegative(
        "t/(1 + t) increases",
        (_t + _x) / (1 + _t + _x) - _t / (1 + _t),
        [_x, 1 / (1 + _t), 1 / (1 + _t + _x)],
    )
    yield nonnegative(
        "it lies below its tangent at m, whose mean over t of mean m is m/(1 + m)",
        _m / (1 + _m) + (_t - _m) / (1 + _m) ** 2 - _t / (1 + _t),
        [(_t - _m) ** 2, 1 / (1 + _m) ** 2, 1 / (1 + _t)],
    )
    v, w, apart = sympy.symbols("v w D", positive=True)
    yield identity(
        "the mean of v/D^2 and w/D^2 is the CDNV of the pair",
        (v / apart**2 + w / apart**2) / 2,
        (v + w) / (2 * apart**2),
    )


@proof("review:eq-51", "printed", "laws and a second formula", INDEPENDENT)
def laws(claim: Claim) -> Iterator[Step]:
    """Expand squares of differences: what is linear in a centred variable has mean 0."""
    u, w, m, c = sympy.symbols("u w m c", real=True)
    linear = -2 * u * w + 2 * u * m - 2 * w * m
    yield identity(
        "|x - y|^2 for x = mu + u, y = nu + w, m = mu - nu, entry by entry; the mean of what is "
        "linear in u or in w is 0",
        (m + u - w) ** 2,
        m**2 + u**2 + w**2 + linear,
    )
    v_1, v_2, apart = sympy.symbols("v_1 v_2 D", positive=True)
    yield identity(
        "half of (v_1 + v_2 + D)/D - 1",
        ((v_1 + v_2 + apart) / apart - 1) / 2,
        (v_1 + v_2) / (2 * apart),
    )
    yield identity("for two points of one class, half of v + v", (v_1 + v_1) / 2, v_1)
    yield identity("order of the classes", (v_2 + v_1) / (2 * apart), (v_1 + v_2) / (2 * apart))
    x, both, norm = sympy.symbols("x both n", positive=True)
    yield identity(
        "a mirror keeps |x|^2: both = <v, x>, n = |v|^2",
        x - 4 * both**2 / norm + 4 * both**2 * norm / norm**2,
        x,
    )
    scale = sympy.Symbol("scale", positive=True)
    yield identity(
        "a factor cancels, and differences do not see a shift",
        (scale**2 * v_1 + scale**2 * v_2) / (2 * scale**2 * apart) + (u + c) - (w + c),
        (v_1 + v_2) / (2 * apart) + u - w,
    )
    yield assumes(claim, first="real", second="real", shift="real", mirror="real", scale="positive")
    yield tie("the claim compares these", claim, _LAWS, _law_sides, _LAW_NAMES)


@proof("review:eq-51", "sharp", "errors of the nearest class mean", INNER_PRODUCT, MARKOV, UNION)
def nearest_mean(claim: Claim) -> Iterator[Step]:
    """Cantelli's inequality on the line of two means, then the union over the other classes."""
    w, apart = sympy.symbols("w D", real=True)
    yield identity(
        "|x - mu_j|^2 - |x - mu_i|^2 = |D|^2 - 2 <w, D>, entry by entry, x = mu_i + w: an error "
        "is z = 2 <w, D>/|D|^2 >= 1",
        (w - apart) ** 2 - w**2,
        apart**2 - 2 * w * apart,
    )
    yield from cantelli()
    s, square_of_line = sympy.symbols("s q", positive=True)
    yield identity(
        "the mean square of z is 4 s_ij",
        4 * s * square_of_line**2 / square_of_line**2,
        4 * s,
    )
    yield from saturation()
    r, gap = sympy.symbols("r gap", nonnegative=True)
    yield nonnegative(
        "|w| < D_min/2 keeps x nearer to its own mean: (D - |w|) - |w| for D = 2|w| + gap",
        (2 * r + gap - r) - r,
        [gap],
    )
    yield nonnegative(
        "4|w|^2/D_min^2 >= 1 for 2|w| = D_min + gap",
        (1 + gap) ** 2 - 1,
        [gap, gap + 2],
    )
    v = symbolic.symbols(theory.nearest_mean_bound)
    yield identity(
        "the bound as a formula",
        symbolic.expression(theory.nearest_mean_bound),
        (v["K"] - 1) * (4 * v["V"] / (1 + 4 * v["V"])),
    )
    yield assumes(claim, points="real")
    yield tie("the claim compares these", claim, _POINTS, _error_sides)


# -- the claims' own sides on exact instances -----------------------------------------------------

_LAW_NAMES = (
    "symmetric",
    "moved, mirrored, scaled",
    "variance by pairs",
    "by distances of two points",
)


def _law_sides(first: Any, second: Any, shift: Any, mirror: Any, scale: Any) -> Sides:
    value = balls.ball(cdnv(first, second))
    spread = balls.ball(variance(first))
    return {
        "symmetric": (value, value),
        "moved, mirrored, scaled": (value, value),
        "variance by pairs": (spread, spread),
        "by distances of two points": (value, value),
    }


def _shares(classes: Any) -> tuple[list[Any], list[Any]]:
    """Variance over squared distance of every ordered pair, and along the line."""
    centres = [mean(points) for points in classes]
    whole, along = [], []
    for i, points in enumerate(classes):
        for j in range(len(classes)):
            if i == j:
                continue
            line = minus(centres[j], centres[i])
            steps = [dot(w, line) for w in centred(points)]
            apart = square(line)
            whole.append(variance(points) / apart)
            along.append(sum(step**2 for step in steps) / len(steps) / apart**2)
    return whole, along


def _error_sides(points: Any) -> Sides:
    K = len(points)
    errors = class_errors(points, [mean(one) for one in points])
    two = class_errors(points[:2], [mean(one) for one in points[:2]])
    whole, along = _shares(points)
    V, average = cdnv(points[0], points[1]), sum(whole) / len(whole)
    lines = sum(4 * s / (1 + 4 * s) for s in along) / K
    nearest = [4 * max(whole[i * (K - 1) : (i + 1) * (K - 1)]) for i in range(K)]
    ball = balls.ball
    return {
        "two classes": (ball(sum(two) / 2), ball(4 * V / (1 + 4 * V))),
        "by variances along the lines": (ball(sum(errors) / K), ball(lines)),
        "by the mean CDNV": (ball(lines), ball((K - 1) * 4 * average / (1 + 4 * average))),
        "by the nearest other class": ([ball(e) for e in errors], [ball(n) for n in nearest]),
    }


_LAWS = [
    point(first=[[1, 2], [0, -1]], second=[[3, 0]], shift=[1, "1/2"], mirror=[1, 2], scale="3/2"),
    point(first=[[1], [4]], second=[[-2], [0]], shift=[0], mirror=[1], scale=1),
]
_POINTS = [
    point(points=[[[-1], [1]], [[1], [3]]]),
    point(points=[[[0, 0], [1, 1]], [[4, 0], [5, 2]], [[0, 3], [2, 5]]]),
    point(points=[[[0], [0], [6]], [[4], [5], [5]]]),
]
