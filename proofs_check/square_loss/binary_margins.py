"""Proofs about margins of two classes at convergence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT
from proofs_check.square_loss.ball_arrays import exact, mean_of, square, zeros
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_f = sympy.Symbol("f", real=True)
_mu, _rho = sympy.symbols("mu rho", real=True)
_variance = sympy.Symbol("variance", nonnegative=True)
_lambda = sympy.Symbol("lambda", positive=True)
_M = _mu**2 + _variance
_LOSS = mean_of((1 - _rho * _f) ** 2, _f, _mu, _M) + _lambda * _rho**2

Sides = dict[str, tuple[Any, Any]]


def _moments(margins: Any) -> tuple[Any, Any, Any]:
    """Mean, mean square, variance of exact margins."""
    mu = sum(margins) / len(margins)
    M = sum(f * f for f in margins) / len(margins)
    return mu, M, M - mu * mu


# -- Property 1, equations (28) and (29) ----------------------------------------------------------


@proof("square:property-1", "printed", "by mean and variance of the margins")
def by_moments(claim: Claim) -> Iterator[Step]:
    """The mean square about any point is that about the mean plus the squared offset."""
    level = sympy.Symbol("level", real=True)
    yield identity(
        "mean (rho f - level)^2 = (rho mu - level)^2 + rho^2 sigma^2",
        mean_of((_rho * _f - level) ** 2, _f, _mu, _M),
        (_rho * _mu - level) ** 2 + _rho**2 * _variance,
    )
    one, others = sympy.symbols("one others", nonnegative=True)
    yield nonnegative("one of N squares is at most their sum", (one + others) - one, [others])
    yield assumes(claim, margins="real", rho="positive", gap="real")

    def sides(margins: Any, rho: Any, gap: Any) -> Sides:
        r, level = number(rho), 1 - number(gap)
        squares = [(r * f - level) ** 2 for f in margins]
        mean = sum(squares) / len(squares)
        mu, _, variance = _moments(margins)
        total = (r * mu - level) ** 2 + r * r * variance
        return {
            "mean squared deviation": (mean, total),
            "each margin": (max(squares), sum(squares)),
        }

    points = [point(margins=[1, "1/2", -1], rho=2, gap="1/3")]
    yield tie("the claim compares these", claim, points, sides, ("mean squared deviation",))


@proof("square:eq-28", "printed", "identity")
def polynomial_in_rho(claim: Claim) -> Iterator[Step]:
    """Expand the square and take means."""
    yield identity("(28)", _LOSS, (_M + _lambda) * _rho**2 - 2 * _rho * _mu + 1)
    yield assumes(claim, margins="real", rho="real", lambda_="positive")

    def sides(margins: Any, rho: Any, lambda_: Any) -> Sides:
        found = _loss(margins, number(rho), number(lambda_))
        return {"equation (28)": (found, found)}

    points = [point(margins=[1, "1/2", -1], rho=-2, lambda_="1/3")]
    yield tie("the claim compares these", claim, points, sides, ("equation (28)",))


def _loss(margins: Any, rho: Any, decay: Any) -> Any:
    return sum((1 - rho * f) ** 2 for f in margins) / len(margins) + decay * rho * rho


@proof("square:eq-29", "printed", "line by line")
def without_rho(claim: Claim) -> Iterator[Step]:
    """Insert the critical rho; the rest of the loss is a square."""
    total = _M + _lambda
    best = _mu / total
    yield identity("critical: the derivative vanishes", sympy.diff(_LOSS, _rho).subs(_rho, best), 0)
    yield identity(
        "the difference quotient of a quadratic with step 1 is its derivative",
        (_LOSS.subs(_rho, _rho + 1) - _LOSS.subs(_rho, _rho - 1)) / 2,
        sympy.diff(_LOSS, _rho),
    )
    lines = (
        total * best**2 - 2 * _mu**2 / total + 1,
        1 - _mu**2 / total,
        (_variance + _lambda) / (_mu**2 + _variance + _lambda),
        1 / (1 + _mu**2 / (_variance + _lambda)),
    )
    yield identity("line 1", _LOSS.subs(_rho, best), lines[0])
    for place in range(3):
        yield identity(f"line {place + 2}", lines[place], lines[place + 1])
    yield nonnegative(
        "any other rho adds (M + lambda) (rho - best)^2",
        _LOSS - lines[3],
        [total, (_rho - best) ** 2],
    )
    yield assumes(claim, margins="real", rho="real", lambda_="positive")

    def sides(margins: Any, rho: Any, lambda_: Any) -> Sides:
        mu, M, _ = _moments(margins)
        decay = number(lambda_)
        least = 1 - mu * mu / (M + decay)
        found = {f"line {place + 1} of (29)": (least, least) for place in range(4)}
        return found | {
            "critical in rho": (0, 0),
            "least over rho": (least, _loss(margins, number(rho), decay)),
        }

    points = [point(margins=[1, "1/2", -1], rho=-2, lambda_="1/3")]
    equal = ("critical in rho", *(f"line {place + 1} of (29)" for place in range(4)))
    yield tie("the claim compares these", claim, points, sides, equal)


# -- Lemma 6 --------------------------------------------------------------------------------------


@proof("square:lemma-6", "corrected", "beside equal margins")
def beside_equal_margins(claim: Claim) -> Iterator[Step]:
    """Subtract the two minima over rho; nothing is assumed of the margins."""
    level, more = sympy.symbols("level more", nonnegative=True)
    total = _M + _lambda
    equal = _lambda / (level**2 + _lambda)
    offset = _rho - _mu / total
    excess = level**2 * _variance - _lambda * (_mu**2 - level**2)
    yield identity(
        "the excess over the loss of equal margins",
        _LOSS - equal,
        total * offset**2 + excess / (total * (level**2 + _lambda)),
    )
    yield nonnegative(
        "where no mean exceeds the level, level^2 = mu^2 + more, the excess is >= 0",
        (level**2 * _variance - _lambda * (_mu**2 - (_mu**2 + more))),
        [level**2 * _variance + _lambda * more],
    )
    yield identity(
        "the mean gap at the best rho",
        1 - _mu / total * _mu,
        (_variance + _lambda) / (_mu**2 + _variance + _lambda),
    )
    yield nonnegative(
        "which is least for equal margins",
        (_variance + _lambda) / total - _lambda / (_mu**2 + _lambda),
        [_variance, _mu**2, 1 / total, 1 / (_mu**2 + _lambda)],
    )
    yield assumes(claim, margins="real", rho="real", lambda_="positive", level="positive")

    def sides(margins: Any, rho: Any, lambda_: Any, level: Any) -> Sides:
        mu, M, variance = _moments(margins)
        decay, m = number(lambda_), number(level)
        loss = _loss(margins, number(rho), decay)
        above = loss - decay / (m * m + decay)
        gap = (variance + decay) / (M + decay)
        return {
            "excess over equal margins": (above, above),
            "least loss": (decay / (max(m * m, mu * mu) + decay), loss),
            "mean gap": (gap, gap),
            "gap of equal margins": (decay / (mu * mu + decay), gap),
        }

    points = [point(margins=[1, "1/2", -1], rho=-2, lambda_="1/3", level=m) for m in (1, "1/9")]
    equal_ones = ("excess over equal margins", "mean gap")
    yield tie("the claim compares these", claim, points, sides, equal_ones)


@proof(
    "square:lemma-6",
    "sharp",
    "two samples of opposite labels, two-layer networks",
    INNER_PRODUCT,
    CAUCHY_SCHWARZ,
)
def two_opposite_samples(claim: Claim) -> Iterator[Step]:
    """A rival's units help one sample each: f_1 <= c_1 A, -f_2 <= c_2 B, A + B <= |W| |a|.

    A and B sum |a_j| |w_j| over the units of positive and of negative a_j.
    """
    e, g = sympy.symbols("epsilon_1 epsilon_2", positive=True)
    kappa, slope = sympy.symbols("kappa slope", positive=True)
    lengths = {e: kappa / e, g: kappa / g}
    masses = {s: s * (1 - s) / kappa for s in (e, g)}
    rho = masses[e] + masses[g]
    decay = kappa / (2 * rho)
    yield identity("unit layers: the masses share rho", masses[e] / rho + masses[g] / rho, 1)
    across = 1 / sqrt(1 + slope**2)
    yield nonnegative(
        "each unit is inactive at the other sample: minus the cosine is positive",
        -(1 * (-slope * across) + 0 * across),
        [slope, across],
    )
    margins = {s: masses[s] / rho * lengths[s] for s in (e, g)}
    for s in (e, g):
        yield identity(f"the margin of sample {s}", rho * margins[s], 1 - s)
        own = sympy.Symbol("root", positive=True)
        pulled = s * own * lengths[s] - (e * margins[e] + g * margins[g]) * own
        yield identity(f"the gradients of both layers vanish at the unit of {s}", pulled, 0)
    yield identity(
        "the gradient in rho vanishes",
        -(e * margins[e] + g * margins[g]) + 2 * decay * rho,
        0,
    )
    A, B, d, c, slack = sympy.symbols("A B d c slack", nonnegative=True)
    z, w, size = kappa / e * A - d, kappa / g * B - c, A + B + slack
    excess = (
        (z - 1 + e) ** 2 / 2
        + (w - 1 + g) ** 2 / 2
        + decay * (size - rho) ** 2
        + kappa * slack
        + e * d
        + g * c
    )
    yield identity(
        "the excess of a rival, margins c_1 A - d and c_2 B - c, size A + B + slack",
        ((1 - z) ** 2 + (1 - w) ** 2) / 2 + decay * size**2 - (e**2 + g**2) / 2 - decay * rho**2,
        excess,
    )
    rest = sympy.symbols("x y", real=True)
    weight = sympy.Symbol("weight", positive=True)
    sizes = sympy.Symbol("size", real=True)
    total = rest[0] ** 2 / 2 + rest[1] ** 2 / 2 + weight * sizes**2 + kappa * slack + e * d + g * c
    yield nonnegative("which is a sum of squares and of products of what is >= 0", total, [total])
    p, q = sympy.symbols("p q", positive=True)
    yield identity(
        "the determinant of V_1: its rank is 2",
        (p * q * across - 0) ** 2,
        p**2 * q**2 / (1 + slope**2),
    )
    yield assumes(
        claim,
        gaps="proportion",
        scale="proportion",
        slope="positive",
        first="real",
        second="real",
    )
    equal = ("norm of layer 1", "norm of layer 2", "margins", "gradient in rho", "gradient in V_1")
    yield tie(
        "the claim compares these",
        claim,
        _RIVALS,
        _rival_sides,
        (*equal, "gradient in V_2", "loss", "rank two"),
    )


_RIVALS = [
    point(
        gaps=["1/2", "1/4"],
        scale="3/4",
        slope=2,
        first=[[1, 0], ["-1/3", 2], [1, 1]],
        second=[2, "-1/2", -1],
    ),
    point(gaps=["1/8", "7/8"], scale="1/4", slope="1/3", first=[[0, 0]], second=[1]),
]


def _rival_sides(gaps: Any, scale: Any, slope: Any, first: Any, second: Any) -> Sides:
    kappa, s = number(scale) * min(gaps), number(slope)
    masses = [e * (1 - e) / kappa for e in gaps]
    rho = sum(masses)
    decay = kappa / (2 * rho)
    least = sum(e * e for e in gaps) / 2 + decay * rho * rho
    root = balls.ball(1 + s * s).sqrt()
    one, zero = balls.ball(1), balls.ball(0)
    rows = [(one, zero), (-balls.ball(s) / root, one / root)]
    samples = [[balls.ball(kappa / e) * x for x in row] for e, row in zip(gaps, rows, strict=True)]
    loss = balls.ball(0)
    W, a = exact(first), exact(second)
    for x, label in zip(samples, (1, -1), strict=True):
        output = balls.ball(0)
        for row, factor in zip(W, a, strict=True):
            output += factor * (row[0] * x[0] + row[1] * x[1]).max(balls.ball(0))
        loss += (1 - label * output) ** 2 / 2
    rivals = loss + balls.ball(decay) * square(W) * square(a)
    determinant = masses[0] * masses[1] / rho**2 / (1 + s * s)
    same = {
        "norm of layer 1": 1,
        "norm of layer 2": 1,
        "margins": np.array([1 - e for e in gaps]),
        "gradient in rho": 0,
        "gradient in V_1": zeros(2, 2),
        "gradient in V_2": zeros(2),
        "loss": least,
        "rank two": determinant,
    }
    return {name: (side, side) for name, side in same.items()} | {"least loss": (least, rivals)}
