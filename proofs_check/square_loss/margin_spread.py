"""Proofs about the spread of margins. q = rho mu is the mean output, x = sigma^2/mu^2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import diff, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import margin_spread
from ncbounds.theory.terms import Claim
from proofs_check.facts import MONOTONE_POWERS
from proofs_check.proximity.first_steps import mean
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_lambda, _m, _below = sympy.symbols("lambda m below", positive=True)
_room, _rho, _variance, _a, _x = sympy.symbols("room rho variance a x", nonnegative=True)
_mu, _q, _y, _r = sympy.symbols("mu q y r", real=True)
_BEST = _m**2 + _lambda


# -- steps that several proofs share -----------------------------------------------------


def losses_from_moments() -> Iterator[Step]:
    """Mean (1 - rho y)^2 = (1 - rho mu)^2 + rho^2 sigma^2, by the mean and the mean square."""
    square = sympy.Symbol("square", real=True)
    yield identity(
        "mean (1 - rho y)^2, expanded",
        sympy.expand((1 - _rho * _y) ** 2).subs(_y**2, square).subs(_y, _mu),
        1 - 2 * _rho * _mu + _rho**2 * square,
    )
    yield identity(
        "the mean square is mu^2 + sigma^2: the mean of (y - mu)^2, expanded",
        sympy.expand((_y - _mu) ** 2).subs(_y**2, square).subs(_y, _mu),
        square - _mu**2,
    )
    yield identity(
        "so the mean is (1 - q)^2 + sigma^2 rho^2",
        1 - 2 * _rho * _mu + _rho**2 * (_mu**2 + _variance),
        (1 - _rho * _mu) ** 2 + _rho**2 * _variance,
    )


def spread_from_loss() -> Iterator[Step]:
    """(1 - q)^2 + q^2 x <= 1 - below gives x <= (1 - below)/below: a square is what is left."""
    loss = (1 - _q) ** 2 + _q**2 * _x
    yield nonnegative(
        "L - x (1 - L) = (q (1 + x) - 1)^2 for L = (1 - q)^2 + q^2 x",
        loss - _x * (1 - loss),
        [(_q * (1 + _x) - 1) ** 2],
    )
    yield nonnegative(
        "L/(1 - L) - x is that over 1 - L > 0",
        (1 - _below) / _below - (1 - _below - _a) / _below,
        [_a, 1 / _below],
    )


def _splits() -> Iterator[Step]:
    """Both splits of 1 - 2 rho mu + rho^2 (M + lambda)."""
    square = _mu**2 + _variance
    loss = 1 - 2 * _rho * _mu + _rho**2 * (square + _lambda)
    least = _lambda / _BEST
    at_mean = _mu**2 + _lambda
    yield identity(
        "the loss by scale, spread and margin",
        loss - least,
        (square + _lambda) * (_rho - _mu / (square + _lambda)) ** 2
        + _mu**2 * _variance / (at_mean * (square + _lambda))
        + _lambda * (_m**2 - _mu**2) / (at_mean * _BEST),
    )
    outputs = (_rho * _mu - _m**2 / _BEST) ** 2 + _rho**2 * _variance
    yield identity(
        "the loss by outputs and rho",
        loss - least,
        outputs + _lambda * (_rho - _m / _BEST) ** 2 + 2 * _lambda * _rho * (_m - _mu) / _BEST,
    )


def _named(formula: Any, **values: Any) -> Any:
    found = symbolic.symbols(formula)
    return symbolic.expression(formula).subs({found[n]: v for n, v in values.items()})


# -- the loss, split ---------------------------------------------------------------------


@proof("square:sharp-1", "sharp", "the loss, split")
def splits(claim: Claim) -> Iterator[Step]:
    """Complete the squares; m = |mu| + room."""
    yield from losses_from_moments()
    yield from _splits()
    yield identity(
        "the formula of the least loss",
        _named(margin_spread.least_loss, lambda_=_lambda, m=_m),
        _lambda / _BEST,
    )
    yield nonnegative(
        "m^2 - mu^2 >= 0 for |mu| = a, m = a + room",
        (_a + _room) ** 2 - _a**2,
        [_room, 2 * _a + _room],
    )
    yield nonnegative("m - mu >= 0 for mu = a", (_a + _room) - _a, [_room])
    yield nonnegative("m - mu >= 0 for mu = -a", (_a + _room) + _a, [2 * _a + _room])
    yield nonnegative(
        "the other terms are squares over positive numbers",
        _mu**2 * _variance / _below,
        [_mu**2, _variance, 1 / _below],
    )
    yield assumes(claim, margins="real", rho="nonnegative", lambda_="positive", room="nonnegative")
    points = [
        point(margins=[1, 2, "-1/2"], rho="1/3", lambda_="1/4", room=1),
        point(margins=[-1], rho=2, lambda_=1, room=0),
    ]
    equations = ("scale, spread and margin", "outputs and rho")
    yield tie("the claim compares these", claim, points, _split_sides, equations)


def _split_sides(margins: Any, rho: Any, lambda_: Any, room: Any) -> dict[str, tuple[Any, Any]]:
    r, decay, n = number(rho), number(lambda_), len(margins)
    mu = sum(margins) / n
    m = abs(mu) + number(room)
    loss = sum((1 - r * y) ** 2 for y in margins) / n + decay * r * r
    square = sum(y * y for y in margins) / n
    best, at_mean = m * m + decay, mu * mu + decay
    terms = [
        (square + decay) * (r - mu / (square + decay)) ** 2,
        mu * mu / at_mean - mu * mu / (square + decay),
        decay / at_mean - decay / best,
        sum((r * y - m * m / best) ** 2 for y in margins) / n,
        decay * (r - m / best) ** 2,
        2 * decay / best * (r * m - r * mu),
    ]
    return {
        "scale, spread and margin": (loss, loss),
        "outputs and rho": (loss, loss),
        "no term is negative": (balls.asarray([0] * 6), balls.asarray(terms)),
    }


# -- guarantees --------------------------------------------------------------------------


@proof("square:sharp-1", "sharp", "guarantees from the loss", MONOTONE_POWERS)
def guarantees(claim: Claim) -> Iterator[Step]:
    """Where the mean margin vanishes the loss is at least 1, and nothing is claimed."""
    yield from losses_from_moments()
    yield from _every_scale()
    yield from spread_from_loss()
    yield identity(
        "the regularised loss is the same with x + lambda/mu^2 for x",
        (1 - _q) ** 2 + _q**2 * _x + _lambda * (_q / _m) ** 2,
        (1 - _q) ** 2 + _q**2 * (_x + _lambda / _m**2),
    )
    yield nonnegative(
        "lambda/mu^2 >= lambda/m^2 for mu > 0 and m = mu + room",
        _lambda / _m**2 - _lambda / (_m + _room) ** 2,
        [_lambda, _room, 2 * _m + _room, _m**-2, (_m + _room) ** -2],
    )
    least = _lambda / _BEST
    yield identity(
        "and the excess over the least loss",
        (1 - _below) / _below - _lambda / _m**2,
        ((1 - _below) - least) / (_below * (1 - least)),
    )
    yield nonnegative(
        "mu^2 - lambda (1-L)/L >= 0 for L/(1-L) = lambda/mu^2 + rest, rest >= 0",
        _m**2 - _lambda / (_lambda / _m**2 + _a),
        [_m**2, _a, 1 / (_lambda / _m**2 + _a)],
    )
    yield nonnegative(
        "R - (1 - q)^2 >= 0",
        ((1 - _q) ** 2 + _q**2 * _x) - (1 - _q) ** 2,
        [_q**2, _x],
    )
    yield from _splits()
    yield from _size_of_rho()
    yield from _formulas()
    yield assumes(claim, margins="real", share="proportion", lambda_="positive", room="nonnegative")
    points = [
        point(margins=[1, 2, "1/2"], share="1/2", lambda_="1/4", room=1),
        point(margins=[-1, -3], share="9/10", lambda_="1/100", room=0),
        point(margins=[2, 3], share="15/16", lambda_="1/2", room=5),
    ]
    excess = ("excess over the least loss",)
    yield tie("the claim compares these", claim, points, _guarantee_sides, excess)


def _every_scale() -> Iterator[Step]:
    """The loss is below 1 exactly for rho a share in (0, 1) of 2 mu/(M + lambda)."""
    share, square = sympy.symbols("share square", positive=True)
    rho = 2 * share * _m / (square + _lambda)
    yield identity(
        "1 - L = 4 share (1 - share) mu^2/(M + lambda)",
        2 * rho * _m - rho**2 * (square + _lambda),
        4 * share * (1 - share) * _m**2 / (square + _lambda),
    )


def _size_of_rho() -> Iterator[Step]:
    """r* (L - L*) >= (min(1, rho m) - r*)^2, with r = rho m, q = rho mu = r - a."""
    best = sympy.Symbol("best", positive=True)  # r*
    weight = (1 - best) / best  # lambda/m^2
    gap = (_q - best) ** 2 + weight * (_r - best) ** 2 + 2 * weight * best * (_r - _q)
    yield identity(
        "r* = m^2/(m^2 + lambda) has (1 - r*)/r* = lambda/m^2",
        weight.subs(best, _m**2 / _BEST),
        _lambda / _m**2,
    )
    yield identity(
        "the second split without the variance, in r and q",
        ((_rho * _mu - _m**2 / _BEST) ** 2)
        + _lambda * (_rho - _m / _BEST) ** 2
        + 2 * _lambda * _rho * (_m - _mu) / _BEST,
        gap.subs({best: _m**2 / _BEST, _q: _rho * _mu, _r: _rho * _m}, simultaneous=True),
    )
    slope = sympy.Symbol("slope", positive=True)  # lambda/m^2
    yield nonnegative(
        "no term of the gap is negative, so rho^2 sigma^2, which is added, is at most the gap",
        (gap.subs(_q, _r - _a) * best / (1 - best)).subs(best, 1 / (1 + slope)),
        [
            (_r - _a - 1 / (1 + slope)) ** 2 / slope
            + (_r - 1 / (1 + slope)) ** 2
            + 2 * _a / (1 + slope)
        ],
    )
    short = sympy.Symbol("short", nonnegative=True)  # 1 - r
    yield nonnegative(
        "r = 1 - short: the gap less (r - r*)^2/r* is at least 0 for q = r - a",
        gap.subs(_q, _r - _a).subs(_r, 1 - short) - (1 - short - best) ** 2 / best,
        [_a, _a + 2 * short],
    )
    beyond = sympy.Symbol("beyond", nonnegative=True)
    rest = sympy.Symbol("rest", positive=True)
    yield nonnegative(
        "r = 1 + beyond: r* (lambda rho^2 - L*) >= (1 - r*)^2, with r* = 1/(1 + rest)",
        (best * (weight * (1 + beyond) ** 2 - (1 - best)) - (1 - best) ** 2).subs(
            best, 1 / (1 + rest)
        ),
        [rest / (1 + rest), beyond, 2 + beyond],
    )
    yield nonnegative(
        "and r* <= 1 <= r",
        (1 + beyond) - 1 / (1 + rest),
        [1 / (1 + rest), beyond + rest + beyond * rest],
    )


def _formulas() -> Iterator[Step]:
    L = sympy.Symbol("L", positive=True)
    yield identity(
        "the formula for the data loss", _named(margin_spread.square_spread, L=L), L / (1 - L)
    )
    yield identity(
        "for the regularised loss",
        _named(margin_spread.square_spread_under_decay, L=L, lambda_=_lambda, m=_m),
        L / (1 - L) - _lambda / _m**2,
    )
    yield identity(
        "for the mean margin",
        _named(margin_spread.least_mean_margin, L=L, lambda_=_lambda),
        sqrt(_lambda * (1 - L) / L),
    )
    yield identity("L/(1 - L) increases: its derivative", diff(L / (1 - L), L), (1 - L) ** -2)


def _guarantee_sides(
    margins: Any, share: Any, lambda_: Any, room: Any
) -> dict[str, tuple[Any, Any]]:
    n, decay = len(margins), number(lambda_)
    sign = 1 if sum(margins) > 0 else -1
    values = [sign * y for y in margins]
    mu, square = mean(values), sum(y * y for y in values) / n
    rho = 2 * number(share) * mu / (square + decay)
    data = sum((1 - rho * y) ** 2 for y in values) / n
    L, m = data + decay * rho**2, mu + number(room)
    least, best = decay / (m * m + decay), m * m / (m * m + decay)
    x = (square - mu**2) / mu**2
    reach = balls.ball(best * (L - least)).sqrt()
    excess = (L - least) / (1 - L) * (m * m + decay) / (m * m)
    return {
        "spread, data loss": (x, data / (1 - data)),
        "spread, regularised loss": (x, L / (1 - L) - decay / mu**2),
        "spread, reference margin": (x, excess),
        "excess over the least loss": (excess, excess),
        "mean margin": (balls.ball(decay * (1 - L) / L).sqrt(), mu),
        "mean output": (abs(1 - rho * mu), balls.ball(data).sqrt()),
        "spread of the outputs": (rho**2 * (square - mu**2), L - least),
        "rho, from below": (balls.ball(best) - reach, rho * m),
        "rho, from above": (min(rho * m, 1), balls.ball(best) + reach),
    }
