"""Proofs about the gradient flow of the normalised square loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.square_loss.flow_network import (
    CALCULUS,
    ByHand,
    Unit,
    against,
    chain_rule,
    homogeneity,
    multipliers,
    normalisation,
    positive_homogeneity,
    same,
    square,
)
from proofs_check.steps import Step, assumes, identity, number, point, proof, tie

_DEEP = point(
    W=[[[1, "1/2"], [-1, 2]], [[2, 1], [1, -1]]],
    v=[3, -1],
    x=[[1, 2], [2, -1], ["1/2", 1]],
    y=[1, 0, 0],
)
_SMALL = point(W=[[[2]]], v=["1/3"], x=[[1], [-1]], y=[0, 1])
NETWORKS = [_DEEP, _SMALL]
FIELDS = {"W": "real", "v": "real", "x": "real", "y": "mask"}


def networks(**values: Any) -> list[dict[str, Any]]:
    """The given networks, with further fields."""
    return [{**network, **point(**values)} for network in NETWORKS]


def _with_multipliers(**values: Any) -> list[dict[str, Any]]:
    deep = point(nu=["1/2", -1], nu_last=3, **values)
    return [{**_DEEP, **deep}, {**_SMALL, **point(nu=[2], nu_last="1/3", **values)}]


@proof("square:eq-1", "printed", "both lines, and the network that they train")
def lagrangian(claim: Claim) -> Iterator[Step]:
    """y_n^2 = 1, homogeneity, and constraints that vanish."""
    rho, f = sympy.symbols("rho f", real=True)
    for label in (1, -1):
        yield identity(f"label {label}", (rho * f - label) ** 2, (1 - rho * (label * f)) ** 2)
    yield from positive_homogeneity()
    w, rest = sympy.symbols("w rest", positive=True)
    yield identity("|W/|W||^2 = 1", (w**2 + rest) / sympy.sqrt(w**2 + rest) ** 2, 1)

    def sides(
        rho: Any, W: Any, v: Any, x: Any, y: Any, nu: Any, nu_last: Any, lambda_: Any
    ) -> dict[str, tuple[Any, Any]]:
        net, scale, decay = ByHand(W, v, x, y), number(rho), number(lambda_)
        unit = Unit(net)
        hidden, last = net.weights
        constraints = sum(
            number(nu[k]) * (square(net.layer(hidden, k)) - 1) for k in range(net.K)
        ) + number(nu_last) * (square(last) - 1)
        fit = sum((1 - scale * f) ** 2 for f in net.f) / net.N
        plain = sum((f * s - s) ** 2 for f, s in zip(net.f, net.signs, strict=True)) / net.N
        return {
            "the two lines": same(fit + constraints + decay * scale**2),
            "f_W = rho f_V": same([f * s for f, s in zip(net.f, net.signs, strict=True)]),
            "on the constraint": same(
                balls.ball(plain) + balls.ball(decay) * unit.product * unit.product
            ),
        }

    equalities = ("the two lines", "f_W = rho f_V", "on the constraint")
    kinds = {**FIELDS, "rho": "positive", "nu": "real", "nu_last": "real"}
    yield assumes(claim, **kinds, lambda_="nonnegative")
    points = _with_multipliers(rho="1/2", lambda_="1/3")
    yield tie("the claim compares these", claim, points, sides, equalities)


@proof("square:eq-2", "printed", "minus the gradient, any slope at a kink", CALCULUS)
def flow(claim: Claim) -> Iterator[Step]:
    """One sample at a time."""
    yield from chain_rule()

    def sides(
        rho: Any,
        W: Any,
        v: Any,
        x: Any,
        y: Any,
        nu: Any,
        nu_last: Any,
        lambda_: Any,
        kink: Any,
    ) -> dict[str, tuple[Any, Any]]:
        net, scale = ByHand(W, v, x, y, kink), number(rho)
        hidden, last = net.weights
        residual = [1 - scale * f for f in net.f]

        def pulled(by: Any, p: int) -> Any:
            return 2 * scale * sum(r * row[p] for r, row in zip(residual, by, strict=True)) / net.N

        of_rho = 2 * sum(r * f for r, f in zip(residual, net.f, strict=True)) / net.N
        of_w = [
            pulled(net.by_w, p) - 2 * number(nu[p // net.m**2]) * w for p, w in enumerate(hidden)
        ]
        of_v = [pulled(net.by_v, p) - 2 * number(nu_last) * w for p, w in enumerate(last)]
        return {
            "rho": same(of_rho - 2 * number(lambda_) * scale),
            "hidden layers": same(of_w),
            "last layer": same(of_v),
        }

    kinds = {**FIELDS, "rho": "positive", "nu": "real", "nu_last": "real", "kink": "real"}
    yield assumes(claim, **kinds, lambda_="nonnegative")
    points = _with_multipliers(rho="1/2", lambda_="1/3", kink="1/2")
    yield tie(
        "the claim compares these", claim, points, sides, ("rho", "hidden layers", "last layer")
    )


@proof("square:lemma-2", "printed", "any slope at a kink", CALCULUS)
def in_each_layer(claim: Claim) -> Iterator[Step]:
    """Through a unit, and from layer to layer."""
    yield from homogeneity()

    def sides(W: Any, v: Any, x: Any, kink: Any) -> dict[str, tuple[Any, Any]]:
        net = ByHand(W, v, x, None, kink)
        return {
            "hidden layers": same(net.f * net.K),
            "last layer": same(net.f),
            "all layers": same([(net.K + 1) * f for f in net.f]),
        }

    yield assumes(claim, W="real", v="real", x="real", kink="real")
    points = [{**{name: net[name] for name in "Wvx"}, **point(kink="1/2")} for net in NETWORKS]
    names = ("hidden layers", "last layer", "all layers")
    yield tie("the claim compares these", claim, points, sides, names)


@proof("square:eq-4", "corrected", "margins in both factors", CALCULUS)
def multiplier(claim: Claim) -> Iterator[Step]:
    """The inner product of (2) with the layer."""
    yield from chain_rule()
    yield from homogeneity()
    yield from multipliers()

    def sides(rho: Any, W: Any, v: Any, x: Any, y: Any) -> dict[str, tuple[Any, Any]]:
        unit, scale = Unit(ByHand(W, v, x, y)), balls.ball(number(rho))
        nu = scale * (unit.mu - scale * unit.M)
        return {
            "hidden layers": same([nu] * unit.K),
            "last layer": same(nu),
            "second form": same(nu),
        }

    yield assumes(claim, **FIELDS, rho="positive")
    names = ("hidden layers", "last layer", "second form")
    yield tie("the claim compares these", claim, networks(rho="1/2"), sides, names)


@proof("square:eq-4", "sharp", "off the spheres", CALCULUS)
def off_the_spheres(claim: Claim) -> Iterator[Step]:
    """2 <V, V'> = 4 nu - 4 nu |V|^2, by homogeneity."""
    yield from chain_rule()
    yield from homogeneity()
    nu, norm2, rho, f = sympy.symbols("nu norm2 rho f", real=True)
    pulled = 2 * (1 - rho * f) * rho * f
    yield identity("the sum in (2) along V is 2 nu", pulled, 2 * (rho * (f - rho * f**2)))
    yield identity("so |V|^2 - 1 changes", 2 * (2 * nu - 2 * nu * norm2), -4 * nu * (norm2 - 1))
    mu, M = sympy.symbols("mu M", real=True)
    decay = sympy.Symbol("lambda", positive=True)
    rest = mu / (M + decay)
    yield identity("nu at rest", rest * (mu - rest * M), decay * rest**2)

    def sides(rho: Any, W: Any, v: Any, x: Any, y: Any, decay: Any) -> dict[str, tuple[Any, Any]]:
        net, scale = ByHand(W, v, x, y), number(rho)
        hidden, last = net.weights
        mu, M = sum(net.f) / net.N, square(net.f) / net.N
        nu, settled = scale * (mu - scale * M), mu / (M + number(decay))
        return {
            "hidden layers": same(
                [-4 * nu * (square(net.layer(hidden, k)) - 1) for k in range(net.K)]
            ),
            "last layer": same(-4 * nu * (square(last) - 1)),
            "at equilibrium": against([number(decay) * settled**2], [settled * mu]),
        }

    yield assumes(claim, **FIELDS, rho="positive", decay="positive")
    names = ("hidden layers", "last layer", "at equilibrium")
    points = networks(rho="1/2", decay="1/3")
    yield tie("the claim compares these", claim, points, sides, names)


@proof("square:eq-5", "printed", "on the spheres", CALCULUS)
def projected(claim: Claim) -> Iterator[Step]:
    """(2) with (4) inserted; the derivative of normalisation."""
    yield from chain_rule()
    yield from homogeneity()
    yield from multipliers()
    f, residual, rho, norm2 = sympy.symbols("f residual rho norm2", real=True)
    along = 2 * rho * residual * (-norm2 * f + f)
    yield identity("<V_k, V'_k> = 0 where |V_k| = 1", along.subs(norm2, 1), 0)
    yield from normalisation()

    def sides(rho: Any, W: Any, v: Any, x: Any, y: Any, lambda_: Any) -> dict[str, tuple[Any, Any]]:
        unit = Unit(ByHand(W, v, x, y))
        rate, of_w, of_v = unit.flow(number(rho), number(lambda_))
        scale = balls.ball(number(rho))
        pull = 2 * scale * (unit.mu - scale * unit.M)
        whole = [g + pull * w for g, w in zip(of_w, unit.V, strict=True)]
        whole_last = [g + pull * w for g, w in zip(of_v, unit.top, strict=True)]
        return {
            "rho": same(rate),
            "hidden layers": against(of_w, whole),
            "last layer": against(of_v, whole_last),
            "hidden norms are kept": same([pull] * unit.K),
            "the last norm is kept": same(pull),
            "weight normalisation, hidden": against(of_w, whole),
            "weight normalisation, last": against(of_v, whole_last),
        }

    yield assumes(claim, **FIELDS, rho="positive", lambda_="nonnegative")
    names = (
        "rho",
        "hidden layers",
        "last layer",
        "hidden norms are kept",
        "the last norm is kept",
        "weight normalisation, hidden",
        "weight normalisation, last",
    )
    points = networks(rho="1/2", lambda_="1/3")
    yield tie("the claim compares these", claim, points, sides, names)
