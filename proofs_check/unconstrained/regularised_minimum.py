"""Proofs about the least risk of regularised cross-entropy and the points near it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.unconstrained import regularised_minimum
from proofs_check.facts import INNER_PRODUCT
from proofs_check.steps import (
    Step,
    assumes,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)
from proofs_check.unconstrained.points import (
    GIBBS,
    PINSKER,
    Point,
    Sides,
    collapsed_route,
    each,
    entropy_route,
    in_balls,
    square,
    total,
)
from proofs_check.unconstrained.regularised_risk import DOMAIN, with_
from proofs_check.unconstrained.saddles import POPOVICIU, TAYLOR

_K, _n = sympy.symbols("K n", positive=True, integer=True)
_theta, _rho, _sigma, _la, _lf, _w = sympy.symbols(
    "theta rho sigma lambda_A lambda_F w", positive=True
)
_a, _f, _mean, _off = sympy.symbols("a f mean off", real=True)


def split_route() -> Iterator[Step]:
    """The risk as entropy, divergence, squares and what is left of decay and bias."""
    yield from entropy_route()
    yield from collapsed_route()
    yield identity(
        "theta/n = rho sigma/sqrt n, as theta = rho sqrt n sigma",
        (_rho * sqrt(_n) * _sigma) / _n,
        _rho * _sigma / sqrt(_n),
    )
    yield identity(
        "the share rho of the decay with the linear term, for one feature and its share 1/n of the "
        "centred weight, is a square",
        _la * _a**2 / (2 * _n) + _lf * _f**2 / 2 - sqrt(_la * _lf / _n) * _a * _f,
        (sqrt(_lf) * _f - sqrt(_la / _n) * _a) ** 2 / 2,
    )
    yield identity(
        "that square over the samples of a class, about their mean: the cross term sums to zero",
        (sqrt(_lf) * (_mean + _off) - sqrt(_la / _n) * _a) ** 2
        - 2 * sqrt(_lf) * _off * (sqrt(_lf) * _mean - sqrt(_la / _n) * _a),
        _lf * _off**2 + (sqrt(_lf) * _mean - sqrt(_la / _n) * _a) ** 2,
    )
    yield identity(
        "|A|^2 = |A - a|^2 + K |a|^2, entry by entry",
        (_a + _mean) ** 2 - 2 * _a * _mean,
        _a**2 + _mean**2,
    )
    yield nonnegative(
        "rho <= 1: the root is theta + w or theta", 1 - _theta / (_theta + _w), [_w / (_theta + _w)]
    )


def attained_route() -> Iterator[Step]:
    """The simplex of the stated margin makes every term vanish."""
    margin = log(1 / _theta - (_K - 1))
    yield identity(
        "softmax at that margin gives theta to a wrong class",
        exp(-margin) / (1 + (_K - 1) * exp(-margin)),
        _theta,
    )
    yield identity("and at theta = 1/K the margin is zero", margin.subs(_theta, 1 / _K), 0)
    ratio = (_n * _lf / _la) ** sympy.Rational(1, 4)
    yield identity(
        "self-dual: sqrt(lambda_F)/r = sqrt(lambda_A/n) r",
        sqrt(_lf) / ratio,
        sqrt(_la / _n) * ratio,
    )
    j, k, c = sympy.symbols("j k c", positive=True)
    yield identity(
        "telescoping: 1/((c+1)(c+2)) = 1/(c+1) - 1/(c+2)",
        1 / ((c + 1) * (c + 2)),
        1 / (c + 1) - 1 / (c + 2),
    )
    yield identity(
        "rows of the simplex, squared: j^2/(j(j+1)) and the sum from j to K - 2",
        j**2 / (j * (j + 1)) + (1 / (j + 1) - 1 / _K),
        1 - 1 / _K,
    )
    yield identity(
        "two rows j < k: -k/(k(k+1)) and the sum from k to K - 2",
        -k / (k * (k + 1)) + (1 / (k + 1) - 1 / _K),
        -1 / _K,
    )
    symbols = symbolic.symbols(regularised_minimum.least_margin)
    root = sqrt(symbols["n"] * symbols["lambda_A"] * symbols["lambda_F"])
    yield identity(
        "the stated margin",
        symbolic.expression(regularised_minimum.least_margin),
        log(sympy.Max(1, 1 / root - (symbols["K"] - 1))),
    )


class _Split:
    """The terms of the risk, by plain loops."""

    def __init__(self, at: Point) -> None:
        root = (at.n * at.lA * at.lF).sqrt()
        self.theta = root.min(balls.ball(1) / at.K)
        share, own = self.theta / root, 1 - (at.K - 1) * self.theta
        self.least = -own * own.log() - (at.K - 1) * self.theta * self.theta.log()
        self.P = at.collapsed(self.theta)
        grouped = at.F.T.reshape(at.K, at.n, at.m)
        means = grouped.sum(axis=1) / at.n
        duality = at.lF.sqrt() * means - (at.lA / at.n).sqrt() * at.dots
        defects = at.lA * at.K * square(at.A.sum(axis=0) / at.K)
        defects += at.lF * square(grouped - means[:, None, :]) + at.n * square(duality)
        self.rest = share * defects / 2 + (1 - share) * at.decay + at.lb * square(at.b) / 2


def _points() -> list[dict[str, Any]]:
    """Points on both sides of the threshold, and zero."""
    below = with_(lambda_A="1/20", lambda_F="1/30", lambda_b="1/2")
    above = with_(lambda_A=1, lambda_F=2, lambda_b=0)
    zero = {n: np.asarray(v, dtype=object) * (0 if n in "FAb" else 1) for n, v in above[1].items()}
    return [*below, *above, zero]


@proof("review:remark-global-min-ce", "corrected", "with the phase transition", GIBBS)
def with_the_phase_transition(claim: Claim) -> Iterator[Step]:
    """One identity gives the minimum, where it is attained, and that it is nowhere else."""
    yield from split_route()
    yield from attained_route()
    yield assumes(claim, **DOMAIN, lambda_b="nonnegative")

    def sides(**instance: Any) -> Sides:
        at = Point(**instance)
        s = _Split(at)
        return {
            "least": (s.least, at.risk),
            "between": (at.risk, s.least + at.divergence(s.P) + s.rest),
            "attained": (s.least, s.least),
        }

    yield tie("the claim compares these", claim, _points(), sides, ("between", "attained"))


@proof("review:remark-global-min-ce", "sharp", "near the minimum, near collapse", GIBBS, PINSKER)
def near_the_minimum(claim: Claim) -> Iterator[Step]:
    """The same identity, with Pinsker's inequality for the divergence."""
    yield from split_route()
    yield assumes(claim, **DOMAIN, lambda_b="nonnegative")

    def sides(**instance: Any) -> Sides:
        at = Point(**instance)
        s = _Split(at)
        off = each("__abs__", at.P - s.P).sum(axis=0)
        return {"all together": (s.rest + square(off) / (2 * at.N), at.risk - s.least)}

    yield tie("the claim compares these", claim, _points(), sides)


@proof(
    "review:remark-global-min-ce",
    "sharp",
    "features of any dimension leave zero at the same threshold",
    TAYLOR,
    POPOVICIU,
    INNER_PRODUCT,
)
def one_dimension(claim: Claim) -> Iterator[Step]:
    """Outputs e^2/sqrt n u_k u to second order about zero; u has length 1 and sum zero."""
    size, left = sympy.symbols("size left", positive=True)
    yield identity(
        "the slope, averaged: <1/K - e_k, u_k u> = -u_k^2, which sums to -1", -(1 / _K), -1 / _K
    )
    a, b = sympy.symbols("a b", real=True)
    yield nonnegative(
        "(b - a)^2/4 <= (a^2 + b^2)/2, so the second order is at most 1/4 |h|^2",
        (a**2 + b**2) / 2 - (b - a) ** 2 / 4,
        [(a + b) ** 2, sympy.Rational(1, 4)],
    )
    yield identity(
        "log K - size (1/K - theta) + size^2/(4 K) at size = 2 K (1/K - theta)",
        (-size * left + size**2 / (4 * _K)).subs(size, 2 * _K * left),
        -_K * left**2,
    )
    e2 = size * sqrt(_n)
    yield identity(
        "the decay of both factors on the line is theta times that size",
        _la * e2 * sqrt(_lf / _la) / 2 + _lf * e2 * sqrt(_la / _lf) / _n * _n / 2,
        sqrt(_n * _la * _lf) * size,
    )
    yield assumes(claim, u="real", n="integer >= 1", lambda_A="positive", lambda_F="positive")

    def sides(u: Any, n: Any, lambda_A: Any, lambda_F: Any) -> Sides:
        K = len(u)
        exact = [number(x) for x in u]
        dots = in_balls([x - sum(exact) / K for x in exact])
        unit = dots / square(dots).sqrt()
        theta = balls.ball(number(n) * number(lambda_A) * number(lambda_F)).sqrt()
        left = (balls.ball(1) / K - theta).max(balls.ball(0))
        h = 2 * K * left * np.outer(unit, unit)
        loss = total(each("log", each("exp", h).sum(axis=0))) - total(np.diag(h))
        found = loss / K + theta * 2 * K * left
        return {"gain": (K * left * left, balls.ball(K).log() - found)}

    given = [
        point(u=[1, 0], n=1, lambda_A="1/3", lambda_F="1/2"),
        point(u=[1, 2, 0], n=2, lambda_A="1/10", lambda_F="1/10"),
        point(u=[1, 2, 0], n=2, lambda_A=1, lambda_F=1),
    ]
    yield tie("the claim compares these", claim, given, sides)
