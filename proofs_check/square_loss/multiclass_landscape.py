"""Proofs about the multiclass training problem: Property 2 and the polynomial in rho."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from ncbounds.theory.terms import Claim
from proofs_check.square_loss.multiclass_layers import (
    Outputs,
    Sides,
    about_targets,
    average,
    minus,
    samples,
    times,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import dot

_f, _e, _a, _rho, _mu, _own = sympy.symbols("f e a rho mu own", real=True)
_k, _lam = sympy.symbols("k lambda", positive=True)
_M, _rest = sympy.symbols("M rest", nonnegative=True)

_POINTS = [
    point(f=[[[1, 0], [2, -1]], [["1/2", 1], [0, 0]]]),
    point(f=[[[1, 0, 2]], [["-1/3", 1, 1]], [[0, 0, 0]]]),
]


def with_(**more: Any) -> list[dict[str, Any]]:
    """The given outputs with further numbers."""
    return [{**each, **point(**more)} for each in _POINTS]


# -- Property 2 -----------------------------------------------------------------------------------


def deviation_route() -> Iterator[Step]:
    """|f - (mu/k) e|^2 on average is M - mu^2/k."""
    yield identity(
        "the square of one entry",
        (_f - _a * _e) ** 2,
        _f**2 - 2 * _a * _e * _f + _a**2 * _e**2,
    )
    yield identity(
        "summed and averaged, at a = mu/k: M - 2 (mu/k) mu + (mu/k)^2 k",
        _M - 2 * (_mu / _k) * _mu + (_mu / _k) ** 2 * _k,
        _M - _mu**2 / _k,
    )


@proof("square:property-2", "sharp", "one multiple, measured by two moments")
def measured_by_moments(claim: Claim) -> Iterator[Step]:
    """Expand the square; a sum of squares is not negative."""
    yield from about_targets()
    yield from deviation_route()
    yield identity(
        "f - (mu/k) e = (f - a e) + (a - mu/k) e, entry by entry",
        _f - _mu / _k * _e,
        (_f - _a * _e) + (_a - _mu / _k) * _e,
    )
    yield identity(
        "the two are orthogonal at a = <f, e>/k, as |e|^2 = k", _own - (_own / _k) * _k, 0
    )
    spread = sympy.Symbol("spread", nonnegative=True)
    yield nonnegative(
        "M - mu^2/k = spread k + rest is not negative", spread * _k + _rest, [spread * _k + _rest]
    )
    yield assumes(claim, f="real")

    def sides(f: Any) -> Sides:
        o = Outputs(f)
        own = [t / o.k for t in o.own]
        rests = [minus(x, times(t, o.e[c])) for (c, x), t in zip(samples(f), own, strict=True)]
        variance = average(t * t for t in own) - average(own) ** 2
        return {
            "deviation": (o.deviation, o.M - o.mu**2 / o.k),
            "two parts": (
                o.deviation,
                variance * o.k + average(dot(rest, rest) for rest in rests),
            ),
            "at most one": (o.mu**2 / o.k, o.M),
        }

    yield tie("the claim compares these", claim, _POINTS, sides, ("deviation", "two parts"))


# -- Equations (33) and (34) ----------------------------------------------------------------------


def in_the_scale_route() -> Iterator[Step]:
    """The loss is a polynomial in rho."""
    yield from about_targets()
    yield identity(
        "the square of one entry of rho f - e",
        (_rho * _f - _e) ** 2,
        _rho**2 * _f**2 - 2 * _rho * _f * _e + _e**2,
    )
    yield identity(
        "summed, averaged and regularised",
        (_rho**2 * _M - 2 * _rho * _mu + _k) + _lam * _rho**2,
        (_M + _lam) * _rho**2 - 2 * _rho * _mu + _k,
    )


@proof("square:eq-33", "printed", "every network")
def in_the_scale(claim: Claim) -> Iterator[Step]:
    """Expand the square."""
    yield from in_the_scale_route()
    yield assumes(claim, f="real", rho="real", lambda_="positive")

    def sides(f: Any, rho: Any, lambda_: Any) -> Sides:
        value = Outputs(f).loss(number(rho)) + number(lambda_) * number(rho) ** 2
        return {"loss": (value, value)}

    yield tie("the claim compares these", claim, with_(rho=2, lambda_="1/3"), sides, ("loss",))


def best_scale_route() -> Iterator[Step]:
    """The polynomial in rho, with its square completed."""
    best = _mu / (_M + _lam)
    loss = (_M + _lam) * _rho**2 - 2 * _rho * _mu + _k
    yield identity(
        "the derivative vanishes at mu/(M + lambda)", loss.diff(_rho).subs(_rho, best), 0
    )
    yield identity(
        "the first line is the second",
        (_M + _lam) * best**2 - 2 * _mu**2 / (_M + _lam) + _k,
        _k - _mu**2 / (_M + _lam),
    )
    yield identity(
        "what any scale costs",
        loss,
        _k - _mu**2 / (_M + _lam) + (_M + _lam) * (_rho - best) ** 2,
    )
    yield nonnegative(
        "which is not negative", (_M + _lam) * (_rho - best) ** 2, [_M + _lam, (_rho - best) ** 2]
    )


@proof("square:eq-34", "printed", "both lines, and the scale above them")
def at_thebest_scale_route(claim: Claim) -> Iterator[Step]:
    """Complete the square in rho."""
    yield from in_the_scale_route()
    yield from best_scale_route()
    yield assumes(claim, f="real", rho="real", lambda_="positive")

    def sides(f: Any, rho: Any, lambda_: Any) -> Sides:
        o, decay, scale = Outputs(f), number(lambda_), number(rho)
        best = o.mu / (o.M + decay)
        least = o.loss(best) + decay * best**2
        any_loss = o.loss(scale) + decay * scale**2
        return {
            "first line": (least, least),
            "second line": (least, o.k - o.mu**2 / (o.M + decay)),
            "every scale": (any_loss, any_loss),
            "least": (least, any_loss),
        }

    lines = ("first line", "second line", "every scale")
    yield tie("the claim compares these", claim, with_(rho=2, lambda_="1/3"), sides, lines)
