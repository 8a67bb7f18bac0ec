"""Proofs about the flow of rho and its equilibrium."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import diff

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import equilibrium as theory
from ncbounds.theory.terms import Claim
from proofs_check.facts import MONOTONE
from proofs_check.square_loss.flow import FIELDS, networks
from proofs_check.square_loss.flow_network import (
    CALCULUS,
    ByHand,
    Unit,
    against,
    chain_rule,
    homogeneity,
    multipliers,
    same,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_rho, _mu = sympy.symbols("rho mu", real=True)
_variance = sympy.Symbol("variance", nonnegative=True)
_decay = sympy.Symbol("lambda_", positive=True)
_M = _mu**2 + _variance
_WHOLE = 1 - 2 * _rho * _mu + _rho**2 * (_M + _decay)
_REST = _mu / (_M + _decay)


def parabola() -> Iterator[Step]:
    """The loss in rho: for a label y with y^2 = 1, and the moments as means over samples."""
    f, mu = sympy.symbols("f mu", real=True)
    for label in (1, -1):
        margin = label * f
        yield identity(
            f"one sample with the label {label}",
            (_rho * f - label) ** 2,
            1 - 2 * _rho * margin + _rho**2 * margin**2,
        )
    squares = sympy.Symbol("squares", real=True)  # the mean of f^2
    yield identity(
        "the mean of (f - mu)^2, as means are linear",
        sympy.expand((f - mu) ** 2).subs(f**2, squares).subs(f, mu),
        squares - mu**2,
    )
    named = symbolic.symbols(theory.loss)
    yield identity(
        "so the loss is 1 - 2 rho mu + rho^2 (M + lambda)",
        symbolic.expression(theory.loss).subs({named["rho"]: _rho, named["mu"]: _mu}),
        _WHOLE,
    )


def rest() -> Iterator[Step]:
    """Where its derivative vanishes, and by how much the loss is larger elsewhere."""
    rate = -diff(_WHOLE, _rho)
    yield identity("rho' = 2 (mu - rho (M + lambda))", rate, 2 * (_mu - _rho * (_M + _decay)))
    yield identity("it vanishes at mu/(M + lambda)", rate.subs(_rho, _REST), 0)
    yield identity("and is linear", rate, 2 * (_M + _decay) * (_REST - _rho))
    yield nonnegative(
        "the loss is larger elsewhere",
        _WHOLE - _WHOLE.subs(_rho, _REST),
        [_M + _decay, (_rho - _REST) ** 2],
    )


class Samples:
    """Margins of exact outputs, and what follows."""

    def __init__(self, f: Any, y: Any) -> None:
        self.f = [number(a) * (2 * number(b) - 1) for a, b in zip(f, y, strict=True)]
        self.N = len(self.f)
        self.mu = sum(self.f, Fraction(0)) / self.N
        self.M = sum((a * a for a in self.f), Fraction(0)) / self.N
        self.variance = sum(((a - self.mu) ** 2 for a in self.f), Fraction(0)) / self.N

    def loss(self, rho: Fraction, decay: Fraction) -> Fraction:
        """The regularised loss, sample by sample."""
        return sum(((1 - rho * a) ** 2 for a in self.f), Fraction(0)) / self.N + decay * rho**2


_OUTPUTS = [point(f=[1, -2, "1/3"], y=[1, 0, 0]), point(f=[3], y=[1])]
KINDS = {"f": "real", "y": "mask"}


def outputs(**values: Any) -> list[dict[str, Any]]:
    """The given outputs, with further fields."""
    return [{**one, **point(**values)} for one in _OUTPUTS]


@proof("square:eq-6", "printed", "any outputs", CALCULUS)
def rate(claim: Claim) -> Iterator[Step]:
    """The derivative of a parabola."""
    yield from parabola()
    yield from rest()

    def sides(rho: Any, f: Any, y: Any, lambda_: Any) -> dict[str, tuple[Any, Any]]:
        given, scale = Samples(f, y), number(rho)
        slopes = [2 * (1 - scale * a) * a for a in given.f]
        return {
            "flow of rho": same(sum(slopes) / given.N - 2 * number(lambda_) * scale),
            "M = sigma^2 + mu^2": same(given.M),
        }

    yield assumes(claim, **KINDS, rho="positive", lambda_="nonnegative")
    points = outputs(rho="1/2", lambda_="1/3")
    names = ("flow of rho", "M = sigma^2 + mu^2")
    yield tie("the claim compares these", claim, points, sides, names)


@proof("square:eq-7", "printed", "with weight decay", CALCULUS, MONOTONE)
def place(claim: Claim) -> Iterator[Step]:
    """The vertex of a parabola that opens upwards."""
    yield from parabola()
    yield from rest()
    yield _is("the formula", theory.equilibrium, _REST)

    def sides(rho: Any, f: Any, y: Any, decay: Any) -> dict[str, tuple[Any, Any]]:
        given, scale, weight = Samples(f, y), number(rho), number(decay)
        vertex = given.mu / (given.M + weight)
        here, there = given.loss(scale, weight), given.loss(vertex, weight)
        slopes = [2 * (1 - scale * a) * a for a in given.f]
        return {
            "rho' = 0 there": same(2 * given.mu),
            "and only there": same(sum(slopes) / given.N - 2 * weight * scale),
            "the loss is least": (there, here),
            "by a parabola": same(here - there),
        }

    yield assumes(claim, **KINDS, rho="positive", decay="positive")
    points = outputs(rho="1/2", decay="1/3")
    names = ("rho' = 0 there", "and only there", "by a parabola")
    yield tie("the claim compares these", claim, points, sides, names)


def _is(name: str, formula: Any, expression: Any) -> Step:
    """A formula of the theory as an expression in the symbols of this module."""
    here = {"rho": _rho, "mu": _mu, "variance": _variance, "lambda_": _decay}
    named = symbolic.symbols(formula)
    return identity(
        name,
        symbolic.expression(formula).subs({named[k]: here[k] for k in named}),
        expression,
    )


@proof("square:eq-8", "printed", "rho = 1/mu at lambda = 0")
def gap_to_zero_loss(claim: Claim) -> Iterator[Step]:
    """One less rho mu, in three ways."""
    mu = sympy.Symbol("mu", nonzero=True)
    rest = _REST.subs(_mu, mu)
    yield identity("the first equation", (1 / mu - rest) * mu, 1 - rest * mu)
    whole = (_variance + _decay) / (_M + _decay)
    yield identity("the second", 1 - _REST * _mu, whole)
    yield _is("the formula", theory.interpolation_gap, whole)

    def sides(f: Any, y: Any, decay: Any) -> dict[str, tuple[Any, Any]]:
        given, weight = Samples(f, y), number(decay)
        vertex = given.mu / (given.M + weight)
        missing = sum(1 - vertex * a for a in given.f) / given.N
        return {"due to weight decay": same(missing), "the gap": same(missing)}

    yield assumes(claim, **KINDS, decay="positive")
    names = ("due to weight decay", "the gap")
    yield tie("the claim compares these", claim, outputs(decay="1/3"), sides, names)


@proof("square:eq-8", "corrected", "weight decay and spread apart")
def gap(claim: Claim) -> Iterator[Step]:
    """Fractions over M (M + lambda); M > 0 unless all margins vanish."""
    yield from parabola()
    whole = (_variance + _decay) / (_M + _decay)
    M = sympy.Symbol("M", positive=True)
    yield identity("the gap", 1 - _REST * _mu, whole)
    yield identity("which is the loss", _WHOLE.subs(_rho, _REST), whole)
    part = _mu**2 * _decay / (M * (M + _decay))
    yield identity("due to weight decay", (_mu / M - _mu / (M + _decay)) * _mu, part)
    yield identity("due to the spread", 1 - _mu / _M * _mu, _variance / _M)
    yield identity("together", part.subs(M, _M) + _variance / _M, whole)
    yield _is("the formulas", theory.interpolation_gap, whole)
    yield _is("and of weight decay", theory.gap_of_decay, part.subs(M, _M))

    def sides(f: Any, y: Any, decay: Any) -> dict[str, tuple[Any, Any]]:
        given, weight = Samples(f, y), number(decay)
        vertex = given.mu / (given.M + weight)
        missing = sum(1 - vertex * a for a in given.f) / given.N
        without = sum(1 - given.mu / given.M * a for a in given.f) / given.N
        return {
            "the gap": same(missing),
            "due to weight decay": same(missing - without),
            "due to the spread": same(1 - without),
            "together": same(missing),
            "the loss": same(given.loss(vertex, weight)),
        }

    yield assumes(claim, **KINDS, decay="positive")
    names = ("the gap", "due to weight decay", "due to the spread", "together", "the loss")
    yield tie("the claim compares these", claim, outputs(decay="1/3"), sides, names)


@proof("square:eq-9", "corrected", "margins, and how far from rest", CALCULUS)
def weights(claim: Claim) -> Iterator[Step]:
    """(5) solved for the sum of gradients; the denominator by (6)."""
    yield from chain_rule()
    yield from homogeneity()
    yield from multipliers()
    f = sympy.Symbol("f", real=True)
    yield identity("one sample's part of the denominator", (1 - _rho * f) * f, f - _rho * f**2)
    yield identity("mu - rho M at rest", (_mu - _rho * _M).subs(_rho, _REST), _decay * _REST)
    pulled, V, N, rho = sympy.symbols("pulled V N rho", positive=True)
    agreement = N * _decay * rho
    moved = 2 * rho / N * pulled - 2 * _decay * rho**2 * V
    yield identity("(5) with it", 2 * rho / N * (pulled - V * agreement), moved)
    yield identity(
        "so V' is 2 lambda rho^2 times the difference",
        moved,
        2 * _decay * rho**2 * (pulled / agreement - V),
    )

    def sides(W: Any, v: Any, x: Any, y: Any, decay: Any) -> dict[str, tuple[Any, Any]]:
        unit, weight = Unit(ByHand(W, v, x, y)), balls.ball(number(decay))
        rho = unit.mu / (unit.M + weight)
        residual = [1 - rho * f for f in unit.f]

        def each(by: Any) -> list[Any]:
            return [2 * rho / unit.N * g for row in by for g in row]

        _, of_w, of_v = unit.flow(rho, weight)
        return {
            "hidden layers": against(of_w, each(unit.by_w)),
            "last layer": against(of_v, each(unit.by_v)),
            "denominator": against(
                [sum(r * f for r, f in zip(residual, unit.f, strict=True))], unit.f
            ),
        }

    yield assumes(claim, **FIELDS, decay="positive")
    names = ("hidden layers", "last layer", "denominator")
    yield tie("the claim compares these", claim, networks(decay="1/3"), sides, names)


@proof("square:eq-11", "corrected", "with the sum")
def loss(claim: Claim) -> Iterator[Step]:
    """Expand the square; y^2 = 1."""
    yield from parabola()
    f = sympy.Symbol("f", real=True)
    for label in (1, -1):
        yield identity(
            f"the second line, label {label}",
            (_rho * f - label) ** 2,
            _rho**2 * f**2 - 2 * label * _rho * f + label**2,
        )

    def sides(rho: Any, f: Any, y: Any, lambda_: Any) -> dict[str, tuple[Any, Any]]:
        value = Samples(f, y).loss(number(rho), number(lambda_))
        return {name: same(value) for name in names}

    names = ("second line", "third line", "in margins", "with the variance")
    yield assumes(claim, **KINDS, rho="positive", lambda_="nonnegative")
    points = outputs(rho="1/2", lambda_="1/3")
    yield tie("the claim compares these", claim, points, sides, names)


@proof("square:lemma-4", "printed", "along the flow", CALCULUS)
def along_the_flow(claim: Claim) -> Iterator[Step]:
    """(6) put into (11); and the gradient along minus itself, less its part along the layer."""
    yield from chain_rule()
    yield from homogeneity()
    yield from multipliers()
    yield from parabola()
    rate = 2 * (_mu - _rho * (_M + _decay))
    yield identity("the loss", _WHOLE, 1 - _rho * (rate / 2 + _mu))
    slope, V, nu = sympy.symbols("slope V nu", real=True)
    moved = -slope - 2 * nu * V
    yield identity(
        "slope V' = -V'^2 - 2 nu V V', and the V V' of a layer add up to 0",
        slope * moved,
        -(moved**2) - 2 * nu * V * moved,
    )

    def sides(rho: Any, W: Any, v: Any, x: Any, y: Any, lambda_: Any) -> dict[str, tuple[Any, Any]]:
        unit, scale, decay = Unit(ByHand(W, v, x, y)), number(rho), number(lambda_)
        speed, of_w, of_v = unit.flow(scale, decay)
        fit = sum((1 - balls.ball(scale) * f) * (1 - balls.ball(scale) * f) for f in unit.f)
        return {
            "loss": same(fit / unit.N + balls.ball(decay * scale**2)),
            "change of the loss": same(-sum(s * s for s in (speed, *of_w, *of_v))),
        }

    yield assumes(claim, **FIELDS, rho="positive", lambda_="nonnegative")
    points = networks(rho="1/2", lambda_="1/3")
    yield tie("the claim compares these", claim, points, sides, ("loss", "change of the loss"))
