"""Proofs about the collapse of two classes: h = f V + rest, the rest orthogonal to the unit V."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import binary_collapse
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT
from proofs_check.square_loss.ball_arrays import exact, mean_of, square, unit, zeros
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_rho = sympy.Symbol("rho", positive=True)
_f, _z, _w, _level = sympy.symbols("f z w level", real=True)
_rest = sympy.Symbol("rest", nonnegative=True)

Sides = dict[str, tuple[Any, Any]]


def _step_length() -> Iterator[Step]:
    """|s| = 2 rho |l| |rest|, so the rest is s over 2 rho l: zero with s unless l is."""
    residual = sympy.Symbol("residual", real=True, nonzero=True)
    yield identity(
        "the rest of a feature is its step over 2 rho (1 - z)",
        (2 * _rho * residual * _rest) ** 2 / (4 * residual**2) / _rho**2,
        _rest**2,
    )


@proof("square:theorem-5", "corrected", "class means, 0 < epsilon < 1, features of any sign")
def at_rest(claim: Claim) -> Iterator[Step]:
    """Steps vanish only where the rests do; then the margin gives h = y (1 - epsilon)/rho V."""
    yield from _step_length()
    gap = sympy.Symbol("epsilon", positive=True)
    y = sympy.Symbol("y", real=True)
    yield identity("the residual of Property 1 is epsilon, which is not 0", 1 - (1 - gap), gap)
    yield identity(
        "rho y f = 1 - epsilon with y^2 = 1 gives f = y (1 - epsilon)/rho",
        sympy.expand(y * (_rho * y * _f)).subs(y**2, 1) / _rho,
        _f,
    )
    N = sympy.Symbol("N", positive=True)
    yield identity("NC1: the mean of N equal features is each of them", N * _f / N, _f)
    s, v, x = sympy.symbols("s v x", real=True)
    yield identity(
        "NC4, entry by entry: |-s V - h|^2 - |s V - h|^2 = 4 s <V, h>",
        (-s * v - x) ** 2 - (s * v - x) ** 2,
        4 * s * v * x,
    )
    yield assumes(
        claim,
        direction="real",
        rho="positive",
        gap="proportion",
        plus="integer >= 1",
        minus="integer >= 1",
        probe="real",
    )

    def sides(direction: Any, rho: Any, gap: Any, plus: Any, minus: Any, probe: Any) -> Sides:
        V, size = unit(direction), exact((1 - number(gap)) / number(rho))
        place = size * V
        nearer = 4 * size * (V * exact(probe)).sum()
        found = {
            f"{name}, class {sign}": side
            for sign, h in (("+", place), ("-", -place))
            for name, side in {
                "at rest": zeros(len(V)),
                "Property 1": 1 - number(gap),
                "NC1": h,
                "NC3": h,
            }.items()
        }
        return {
            name: (side, side) for name, side in (found | {"NC2": place, "NC4": nearer}).items()
        }

    points = [point(direction=[1, -2], rho="1/2", gap="1/3", plus=2, minus=5, probe=[1, 1])]
    signs = [f"{n}, class {s}" for s in "+-" for n in ("at rest", "Property 1", "NC1", "NC3")]
    yield tie("the claim compares these", claim, points, sides, ("NC2", "NC4", *signs))


@proof("square:theorem-5", "sharp", "near collapse, by lengths of steps")
def near_collapse(claim: Claim) -> Iterator[Step]:
    """Pythagoras for each feature; mean squares about a mean are least."""
    yield from _step_length()
    s = symbolic.symbols(binary_collapse.squared_collapse_distance)
    bound = symbolic.expression(binary_collapse.squared_collapse_distance)
    yield identity(
        "|h - y level/rho V|^2 = (z - level)^2/rho^2 + |rest|^2, as y^2 = 1 and f = y z/rho",
        bound.subs(s["step_square"], (2 * s["rho"] * (1 - s["z"]) * _rest) ** 2),
        ((s["z"] - s["level"]) / s["rho"]) ** 2 + _rest**2,
    )
    x, p, m = sympy.symbols("x p m", real=True)
    variance = sympy.Symbol("variance", nonnegative=True)
    about = mean_of((x - p) ** 2, x, m, m**2 + variance)
    yield nonnegative(
        "NC1: the mean square about p is not below that about the mean",
        about - variance,
        [(m - p) ** 2],
    )
    yield nonnegative("NC3: nor below the square of the offset", about - (m - p) ** 2, [variance])
    q = sympy.Symbol("q", real=True)
    yield nonnegative(
        "NC2: |a + b|^2 <= 2 |a|^2 + 2 |b|^2 for the offsets of the two means, places opposite",
        2 * p**2 + 2 * q**2 - (p + q) ** 2,
        [(p - q) ** 2],
    )
    yield assumes(
        claim, direction="real", rho="positive", gap="proportion", plus="real", minus="real"
    )

    def sides(direction: Any, rho: Any, gap: Any, plus: Any, minus: Any) -> Sides:
        V, r, level = unit(direction), exact(number(rho)), exact(1 - number(gap))
        found: Sides = {}
        radii, means = [], []
        for name, y, rows in (("+", 1, exact(plus)), ("-", -1, exact(minus))):
            place = y * level / r * V
            distances = [square(h - place) for h in rows]
            radius, mean = sum(distances) / len(rows), rows.sum(axis=0) / len(rows)
            within = sum(square(h - mean) for h in rows) / len(rows)
            found[f"distance, class {name}"] = (distances, distances)
            found[f"NC1, class {name}"] = (within, radius)
            found[f"NC3, class {name}"] = (square(mean - place), radius)
            radii.append(radius)
            means.append(mean)
        return found | {"NC2": (square(means[0] + means[1]), 2 * (radii[0] + radii[1]))}

    points = [
        point(direction=[1, -2], rho="1/2", gap="1/3", plus=[[1, 2], [0, 1]], minus=[["1/2", 1]])
    ]
    equal = ("distance, class +", "distance, class -")
    yield tie("the claim compares these", claim, points, sides, equal)


@proof("square:theorem-5", "sharp", "features behind a ReLU never rest", INNER_PRODUCT)
def restless(claim: Claim) -> Iterator[Step]:
    """0 <= <h, h'> = f f' + <rest, rest'>, where f f' = -z w/rho^2 for opposite labels."""
    yield from _step_length()
    inner, more = sympy.symbols("inner more", nonnegative=True)
    short = sympy.Symbol("short", nonnegative=True)
    yield identity(
        "f f' = (z/rho)(-w/rho): with <h, h'> = inner >= 0 the rests have the inner product",
        inner - (_z / _rho) * (-_w / _rho),
        inner + _z * _w / _rho**2,
    )
    yield nonnegative(
        "|rest| |rest'| >= <rest, rest'> >= z w/rho^2, by Cauchy-Schwarz with `more` to spare",
        (inner + _z * _w / _rho**2 + more) - _z * _w / _rho**2,
        [inner + more],
    )
    residuals = sympy.Symbol("residuals", nonnegative=True)
    s = symbolic.symbols(binary_collapse.least_product_of_steps)
    least = symbolic.expression(binary_collapse.least_product_of_steps)
    yield identity(
        "the formula has |(1-z)(1-w)| as a factor",
        least,
        4 * sympy.Abs((1 - s["z"]) * (1 - s["w"])) * s["z"] * s["w"],
    )
    yield nonnegative(
        "times 4 rho^2 |(1-z)(1-w)|: |s| |t| is not below",
        4 * _rho**2 * residuals * (_z * _w / _rho**2 + inner + more) - 4 * residuals * _z * _w,
        [4, _rho**2, residuals, inner + more],
    )
    a, b = sympy.symbols("a b", nonnegative=True)
    yield nonnegative(
        "means: 2 <mu_+, mu_->, a sum of products of entries that are >= 0",
        (a + b) ** 2 - a**2 - b**2 + short,
        [2 * a * b + short],
    )
    yield assumes(claim, direction="real", rho="positive", plus="real", minus="real")

    def sides(direction: Any, rho: Any, plus: Any, minus: Any) -> Sides:
        V, r = unit(direction), exact(number(rho))
        zero = balls.ball(0)
        classes = []
        for y, rows in ((1, exact(plus)), (-1, exact(minus))):
            h = np.frompyfunc(lambda t: t.max(zero), 1, 1)(rows)
            margins = [y * r * (x * V).sum() for x in h]
            squares = [square(x - (x * V).sum() * V) for x in h]
            classes.append((h, margins, squares))
        (h, z, rests), (g, w, others) = classes
        least, product = [], []
        for one, rest in zip(z, rests, strict=True):
            for two, other in zip(w, others, strict=True):
                residual = abs((1 - one) * (1 - two))
                least.append(4 * residual * one * two)
                product.append(4 * r * r * residual * rest.sqrt() * other.sqrt())
        mean, against = h.sum(axis=0) / len(h), g.sum(axis=0) / len(g)
        return {
            "steps of two samples": (least, product),
            "means are not opposite": (square(mean) + square(against), square(mean + against)),
        }

    points = [point(direction=[1, -2], rho="1/2", plus=[[1, 2], [-1, 1]], minus=[["1/2", 1]])]
    yield tie("the claim compares these", claim, points, sides)
