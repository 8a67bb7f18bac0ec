"""Proofs about steps of SGD under weight normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import diff, sqrt

from ncbounds.arithmetic import symbolic
from ncbounds.theory.square_loss import sgd_steps
from ncbounds.theory.terms import Claim
from proofs_check.square_loss.ball_arrays import exact, square, unit
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_rho, _nu, _V, _h, _y, _t = sympy.symbols("rho nu V h y t", real=True)
_f, _g, _n = sympy.symbols("f g n", real=True)
_eta = sympy.Symbol("eta", positive=True)
_lambda = sympy.Symbol("lambda", nonnegative=True)

Sides = dict[str, tuple[Any, Any]]


def _quotient(function: Any, variable: Any) -> Any:
    """The central difference quotient at 0 with step 1."""
    return (function.subs(variable, 1) - function.subs(variable, -1)) / 2


def quotients() -> Iterator[Step]:
    """A central difference quotient of a quadratic is its derivative, exactly."""
    a, b, c = sympy.symbols("a b c", real=True)
    quadratic = a * _t**2 + b * _t + c
    yield identity(
        "the difference quotient of a quadratic with step 1 is its derivative",
        _quotient(quadratic, _t),
        diff(quadratic, _t).subs(_t, 0),
    )


# -- Equations (30) to (32) -----------------------------------------------------------------------


@proof("square:eq-30", "printed", "derivative of the loss of one sample")
def gradient_step(claim: Claim) -> Iterator[Step]:
    """Move V by t along one axis: the output moves by t h, the square norm by 2 t V + t^2."""
    yield from quotients()
    loss = (
        (1 - _rho * _y * (_f + _t * _h)) ** 2
        + _nu * (_n + 2 * _t * _V + _t**2 - 1)
        + _lambda * _rho**2
    )
    yield identity(
        "the derivative, with fbar = y f",
        diff(loss, _t).subs(_t, 0),
        2 * _rho * (_rho * _y * _f - 1) * _y * _h + 2 * _nu * _V,
    )
    yield assumes(
        claim,
        layer="real",
        h="real",
        rho="real",
        nu="real",
        lambda_="nonnegative",
        eta="positive",
    )

    def sides(layer: Any, h: Any, rho: Any, nu: Any, lambda_: Any, eta: Any) -> Sides:
        r, rate = number(rho), number(eta)
        found = {}
        for y in (1, -1):
            margin = y * sum(a * b for a, b in zip(layer, h, strict=True))
            push = 2 * r * (r * margin - 1) * y
            new = [
                v - rate * (push * x + 2 * number(nu) * v) for v, x in zip(layer, h, strict=True)
            ]
            found[f"equation (30), y = {y}"] = (new, new)
        return found

    points = [point(layer=[1, -2], h=["1/2", 3], rho=2, nu="1/3", lambda_=1, eta="1/4")]
    yield tie("the claim compares these", claim, points, sides, _both("equation (30)"))


def _both(*names: str) -> list[str]:
    return [f"{name}, y = {y}" for name in names for y in (1, -1)]


@proof("square:eq-31", "printed", "to first order in eta")
def first_order(claim: Claim) -> Iterator[Step]:
    """|V - eta (G + 2 nu V)|^2 has the coefficient -2 (<V, G> + 2 nu) of eta, for |V| = 1."""
    product, size = sympy.symbols("product size", real=True)
    rate = sympy.Symbol("rate", real=True)
    new = 1 - 2 * rate * (product + 2 * _nu) + rate**2 * size
    yield identity(
        "the coefficient of eta from eta and -eta",
        (new.subs(rate, _eta) - new.subs(rate, -_eta)) / (2 * _eta),
        -2 * (product + 2 * _nu),
    )
    m = symbolic.symbols(sgd_steps.multiplier)
    nu = symbolic.expression(sgd_steps.multiplier)
    yield identity(
        "<V, G> = 2 rho (rho fbar - 1) fbar is minus twice the multiplier",
        2 * m["rho"] * (m["rho"] * m["margin"] - 1) * m["margin"] + 2 * nu,
        0,
    )
    yield identity(
        "the first line, with fbar = y f",
        2 * nu.subs(m["margin"], _y * _f),
        2 * m["rho"] * _y * _f * (1 - m["rho"] * _y * _f),
    )
    yield assumes(claim, direction="real", h="real", rho="positive", eta="positive")

    def sides(direction: Any, h: Any, rho: Any, eta: Any) -> Sides:
        output, r = (unit(direction) * exact(h)).sum(), exact(number(rho))
        found: Sides = {}
        for y in (1, -1):
            twice = 2 * r * y * output - 2 * (r * output) ** 2
            found[f"first line of (31), y = {y}"] = (twice, twice)
            found[f"norm to first order, y = {y}"] = (0, 0)
        return found

    equal = _both("first line of (31)", "norm to first order")
    yield tie("the claim compares these", claim, _SAMPLES, sides, equal)


@proof("square:eq-31", "sharp", "unit norm exactly")
def exact_norm(claim: Claim) -> Iterator[Step]:
    """The step is (1 - 2 eta delta) V - eta G_perp with delta the excess over the multiplier."""
    m = symbolic.symbols(sgd_steps.exact_multiplier)
    share = sympy.Symbol("r", nonnegative=True)  # the root of 1 - eta^2 |G_perp|^2
    across = sqrt(1 - share**2) / _eta
    delta = _eta * across**2 / (2 * (1 + share))
    yield identity(
        "the formula is that of (31) and delta",
        symbolic.expression(sgd_steps.exact_multiplier)
        - symbolic.expression(sgd_steps.multiplier).xreplace(
            {
                symbolic.symbols(sgd_steps.multiplier)["rho"]: m["rho"],
                symbolic.symbols(sgd_steps.multiplier)["margin"]: m["margin"],
            }
        ),
        m["eta"] * m["across"] ** 2 / (2 * (1 + sqrt(1 - m["eta"] ** 2 * m["across"] ** 2))),
    )
    yield identity("along V the step leaves r", 1 - 2 * _eta * delta, share)
    yield identity("r^2 + eta^2 |G_perp|^2 = 1", share**2 + _eta**2 * across**2, 1)
    rest = sympy.Symbol("rest", nonnegative=True)  # r = 1 - rest, and r >= 0
    size = sympy.Symbol("size", nonnegative=True)
    yield nonnegative(
        "delta <= eta |G_perp|^2/2, as r >= 0",
        _eta * size / 2 - _eta * size / (2 * (1 + share)),
        [_eta, size, share, 1 / (2 * (1 + share))],
    )
    other = sympy.Symbol("other", nonnegative=True)  # 1 + r = 2 - rest = 1 + other
    yield nonnegative(
        "delta >= eta |G_perp|^2/4, as 2 = 1 + r + rest",
        _eta * size / (2 * (1 + other)) - _eta * size / (2 * (1 + other + rest)),
        [_eta, size, rest, 1 / (2 * (1 + other)), 1 / (1 + other + rest)],
    )
    yield assumes(claim, direction="real", h="real", rho="positive", share="proportion")

    def sides(direction: Any, h: Any, rho: Any, share: Any) -> Sides:
        V, x, r, part = unit(direction), exact(h), exact(number(rho)), exact(number(share))
        output = (V * x).sum()
        across = 2 * r * abs(1 - r * output) * square(x - output * V).sqrt()
        delta = (1 - (1 - part**2).sqrt()) / (2 * part) * across
        first = r * output * (1 - r * output)
        return {
            "unit norm": (1, 1),
            "at least": (first + part * across / 4, first + delta),
            "at most": (first + delta, first + part * across / 2),
        }

    points = [point(direction=[1, -2], h=["1/2", 3], rho="1/2", share="1/3")]
    yield tie("the claim compares these", claim, points, sides, ("unit norm",))


@proof("square:eq-32", "printed", "with the multiplier of (31)")
def projected(claim: Claim) -> Iterator[Step]:
    """Insert the multiplier; the step is orthogonal to V."""
    fbar = _y * _f
    inside = 2 * _rho * (_rho * fbar - 1) * _y * _h + 2 * _rho * fbar * (1 - _rho * fbar) * _V
    yield identity(
        "(30) with (31) is (32), entry by entry, as y fbar = f",
        inside,
        2 * _rho * _y * (_rho * fbar - 1) * (_h - _f * _V),
    )
    size, moved = sympy.symbols("size moved", real=True)
    yield identity("<V, h - f V> = f - f |V|^2 = 0 for |V| = 1", _f - _f * 1, 0)
    yield identity(
        "so the square norm is 1 + eta^2 |step|^2",
        1 - 2 * moved * (_f - _f * 1) + moved**2 * size,
        1 + moved**2 * size,
    )
    yield assumes(claim, direction="real", h="real", rho="positive", eta="positive")

    def sides(direction: Any, h: Any, rho: Any, eta: Any) -> Sides:
        V, x, r, rate = unit(direction), exact(h), exact(number(rho)), exact(number(eta))
        output = (V * x).sum()
        found: Sides = {}
        for y in (1, -1):
            factor = 2 * rate * r * (y - r * output)
            new = V + factor * (x - output * V)
            grown = 1 + factor**2 * (square(x) - output**2)
            found[f"equation (32), y = {y}"] = (new, new)
            found[f"new norm, y = {y}"] = (grown, grown)
        return found

    equal = _both("equation (32)", "new norm")
    yield tie("the claim compares these", claim, _SAMPLES, sides, equal)


_SAMPLES = [
    point(direction=[1, -2], h=["1/2", 3], rho="1/2", eta="1/40"),
    point(direction=[3], h=["1/5"], rho=2, eta="1/4"),
]


# -- Equation (46) --------------------------------------------------------------------------------


@proof("square:eq-46", "corrected", "data terms with a plus")
def updates(claim: Claim) -> Iterator[Step]:
    """Both gradients by the chain rule; (4) makes the change orthogonal to V."""
    yield from quotients()
    residual = 1 - _rho * _f
    yield identity(
        "in rho: the derivative of (1 - rho fbar)^2 + lambda rho^2",
        diff(residual**2 + _lambda * _rho**2, _rho),
        -2 * residual * _f + 2 * _lambda * _rho,
    )
    loss = (1 - _rho * (_f + _t * _g)) ** 2 + _nu * (_n + 2 * _t * _V + _t**2 - 1)
    yield identity(
        "in an entry of V, along which the margin has the derivative g",
        diff(loss, _t).subs(_t, 0),
        -2 * residual * _rho * _g + 2 * _nu * _V,
    )
    yield identity(
        "the change is orthogonal to V: <P_n, V> = fbar_n, nu the mean of rho fbar (1 - rho fbar)",
        2 * residual * _rho * _f - 2 * (_rho * _f - _rho**2 * _f**2),
        0,
    )
    yield assumes(
        claim,
        layer="real",
        a="real",
        b="real",
        rho="positive",
        lambda_="positive",
        eta="positive",
    )

    def sides(layer: Any, a: Any, b: Any, rho: Any, lambda_: Any, eta: Any) -> Sides:
        V, rows, columns = unit(layer), exact(a), exact(b)
        r, decay, rate = (exact(number(value)) for value in (rho, lambda_, eta))
        new_rho, new = r - 2 * rate * decay * r, V
        for left, right in zip(rows, columns, strict=True):
            derivative = left[:, None] * right[None, :]
            margin = (derivative * V).sum()
            push = 2 * rate * (1 - r * margin) / len(rows)
            new_rho, new = new_rho + push * margin, new + push * r * (derivative - margin * V)
        return {
            "rho": (new_rho, new_rho),
            "layer": (new, new),
            "norm to first order": (0, 0),
        }

    points = [
        point(
            layer=[[1, 2], [0, -1]],
            a=[[1, 1], [0, -2]],
            b=[["1/2", 1], [1, -1]],
            rho="3/2",
            lambda_="1/7",
            eta="1/3",
        )
    ]
    equal = ("rho", "layer", "norm to first order")
    yield tie("the claim compares these", claim, points, sides, equal)
