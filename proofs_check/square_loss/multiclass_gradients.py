"""Proofs of the gradient in the last layer: exact steps of the Lagrangian, line by line.

Everything is a mean over samples of products of entries. An identity of a typical sample and entry
is one of the means; what is summed over a class or its rivals is a symbol of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.square_loss.multiclass_landscape import in_the_scale_route
from proofs_check.square_loss.multiclass_layers import (
    LastLayer,
    Sides,
    about_targets,
    average_rows,
    frobenius,
    in_balls,
    target_rows,
)
from proofs_check.steps import Step, assumes, identity, number, point, proof, tie

_C = sympy.Symbol("more", integer=True, positive=True) + 1
_rho, _nu, _s, _eta, _lam, _alpha = sympy.symbols("rho nu s eta lambda alpha", real=True)
_f, _g, _e, _r, _h, _v, _u, _along = sympy.symbols("f g e r h v u along", real=True)

_LAYERS = [
    point(v=[[1, 2], [0, -1]], h=[[[1, 1], ["1/2", 0]], [[0, 2], [-1, 1]]]),
    point(v=[[1, 0], [0, 1], ["-1/3", 2]], h=[[[1, 0]], [[0, 1]], [[2, "1/2"]]]),
]


def _layers(**more: Any) -> list[dict[str, Any]]:
    return [{**each, **point(**more)} for each in _LAYERS]


def _flat(rows: Any) -> list[Any]:
    return [x for row in rows for x in row]


# -- Equations (35) to (37) -----------------------------------------------------------------------


@proof("square:eq-35", "printed", "on unit layers, and in rho")
def lagrangian(claim: Claim) -> Iterator[Step]:
    """The constraints vanish on the spheres; the rest is a polynomial in rho."""
    yield from in_the_scale_route()
    mu, M, k = sympy.symbols("mu M k", real=True)
    at = (M + _lam) * _rho**2 - 2 * _rho * mu + k
    yield identity(
        "a step in rho",
        at.subs(_rho, _rho + _s) - at,
        2 * _s * (_rho * (M + _lam) - mu) + _s**2 * (M + _lam),
    )
    length = sympy.Symbol("length", positive=True)
    yield identity("a matrix over its norm has norm 1", length**2 / length**2 - 1, 0)
    yield assumes(claim, v="real", h="real", rho="real", lambda_="positive", nu="real", s="real")

    def sides(v: Any, h: Any, rho: Any, lambda_: Any, nu: Any, s: Any) -> Sides:
        decay, scale, step = balls.ball(number(lambda_)), number(rho), number(s)

        def value(at: Fraction) -> Any:
            return LastLayer(v, h, at, unit=True).loss + decay * balls.ball(at) ** 2

        change = value(scale + step) - value(scale)
        return {
            "on the sphere": (value(scale), value(scale)),
            "step in rho": (change, change),
        }

    given = _layers(rho=2, lambda_="1/3", nu="1/2", s="1/4")
    yield tie("the claim compares these", claim, given, sides, ("on the sphere", "step in rho"))


@proof("square:eq-36", "printed", "the mean over a batch of B = bC")
def gradient(claim: Claim) -> Iterator[Step]:
    """A square is a polynomial: the term of first order is the gradient."""
    yield identity(
        "one entry of a residual after the step, g = U h",
        (_rho * (_f + _s * _g) - _e) ** 2 - (_rho * _f - _e) ** 2,
        _s * 2 * _rho * (_rho * _f - _e) * _g + _s**2 * _rho**2 * _g**2,
    )
    yield identity(
        "g is linear in U: <r, U h> = <r h^T, U>, a typical term", _r * (_u * _h), (_r * _h) * _u
    )
    yield identity(
        "one entry of the constraint",
        _nu * ((_v + _s * _u) ** 2 - _v**2),
        _s * 2 * _nu * _v * _u + _s**2 * _nu * _u**2,
    )
    yield assumes(claim, v="real", h="real", u="real", rho="real", nu="real", s="real")

    def sides(v: Any, h: Any, u: Any, rho: Any, nu: Any, s: Any) -> Sides:
        step, scale, weight = number(s), number(rho), number(nu)
        moved = [
            [a + step * b for a, b in zip(row, other, strict=True)]
            for row, other in zip(v, u, strict=True)
        ]

        def value(matrix: Any) -> Any:
            constraint = frobenius(in_balls(matrix)) - 1
            return LastLayer(matrix, h, scale).loss + balls.ball(weight) * constraint

        change = value(moved) - value(v)
        return {"step in V_L": (change, change)}

    given = [
        {**_LAYERS[0], **point(u=[[1, 0], [2, 1]], rho=2, nu="1/2", s="1/4")},
        {**_LAYERS[1], **point(u=[[1, 0], [0, 0], [1, -1]], rho=-1, nu=2, s=3)},
    ]
    yield tie("the claim compares these", claim, given, sides, ("step in V_L",))


def _multiplier() -> Iterator[Step]:
    """<V, G> = 2 rho <f, r> on average + 2 nu |V|^2 vanishes at the stated nu."""
    yield identity("tr(V^T r h^T) = <V h, r>, a typical term", _v * (_r * _h), (_v * _h) * _r)
    yield identity(
        "<V, G> at |V| = 1 and nu = -rho <f, r>", 2 * _rho * _along + 2 * (-_rho * _along), 0
    )


@proof("square:eq-37", "printed", "the norm to first order")
def multiplier(claim: Claim) -> Iterator[Step]:
    """The term of first order in eta is -2 eta <V, G>."""
    yield from _multiplier()
    yield identity(
        "one entry after the step",
        (_v - _eta * _g) ** 2,
        _v**2 - 2 * _eta * _v * _g + _eta**2 * _g**2,
    )
    yield assumes(claim, v="real", h="real", rho="real", eta="real")

    def sides(v: Any, h: Any, rho: Any, eta: Any) -> Sides:
        layer = LastLayer(v, h, number(rho), unit=True)
        twice = -2 * layer.rho * layer.along
        step = frobenius(layer.gradient()) * balls.ball(number(eta)) ** 2
        return {
            "first line": (twice, twice),
            "norm after the step": (1 + step, 1 + step),
        }

    lines = ("first line", "norm after the step")
    yield tie("the claim compares these", claim, _layers(rho=2, eta="1/8"), sides, lines)


# -- Equations (38) to (41) -----------------------------------------------------------------------


def _normalised() -> Iterator[Step]:
    yield identity(
        "the gradient (36) with nu = -rho <f, r>, an entry",
        2 * _rho * (_r * _h) + 2 * (-_rho * _along) * _v,
        -2 * _rho * (_along * _v - _r * _h),
    )


@proof("square:eq-38", "printed", "both lines, the sums over both terms")
def normalised(claim: Claim) -> Iterator[Step]:
    """Put (37) into (36); E = mean r h^T + lambda rho V splits along V and across."""
    yield from _normalised()
    yield from _multiplier()
    data = sympy.Symbol("data", real=True)
    entry = data + _lam * _rho * _v
    radial = _along + _lam * _rho
    yield identity(
        "the derivative in rho is 2 <f, r> + 2 lambda rho = 2 <E, V> at |V| = 1: an entry",
        sympy.diff((_rho * _f - _e) ** 2 + _lam * _rho**2, _rho),
        2 * (_f * (_rho * _f - _e) + _lam * _rho),
    )
    yield identity(
        "an entry of (38) is 2 rho (E - <E, V> V)",
        2 * _rho * (data - _along * _v),
        2 * _rho * (entry - radial * _v),
    )
    whole = sympy.Symbol("whole", real=True)
    yield identity(
        "Pythagoras with |V| = 1: |E - <E,V> V|^2 + <E,V>^2 = |E|^2",
        (whole - 2 * radial * radial + radial**2) + radial**2,
        whole,
    )
    yield assumes(claim, v="real", h="real", rho="positive", lambda_="positive")

    def sides(v: Any, h: Any, rho: Any, lambda_: Any) -> Sides:
        layer = LastLayer(v, h, number(rho), unit=True)
        found = _flat(layer.gradient())
        decay = balls.ball(number(lambda_)) * layer.rho
        E = [
            [a + decay * b for a, b in zip(g, row, strict=True)]
            for g, row in zip(layer.of_data, layer.V, strict=True)
        ]
        zero = balls.ball(0)
        return {
            "matrix": (found, found),
            "row": (found, found),
            "tangent": (zero, zero),
            "with the scale": (4 * frobenius(E), 4 * frobenius(E)),
        }

    lines = ("matrix", "row", "tangent", "with the scale")
    yield tie("the claim compares these", claim, _layers(rho=2, lambda_="1/3"), sides, lines)


def _split() -> Iterator[Step]:
    """The entry c of the target is 1 in its own class and -1/(C-1) in the others."""
    yield from _normalised()
    yield identity(
        "an own and a rival term",
        (_along * _v - (_rho * _f - _e) * _h).subs(_e, -1 / (_C - 1)),
        _along * _v - (_rho * _f + 1 / (_C - 1)) * _h,
    )


@proof("square:eq-39", "printed", "the gradient of a row, split")
def by_class(claim: Claim) -> Iterator[Step]:
    """Split the sum over the classes."""
    yield from _split()
    yield assumes(claim, v="real", h="real", rho="real")

    def sides(v: Any, h: Any, rho: Any) -> Sides:
        found = _flat(LastLayer(v, h, number(rho)).gradient())
        return {"rows": (found, found)}

    yield tie("the claim compares these", claim, _layers(rho=2), sides, ("rows",))


def under_property_2() -> Iterator[Step]:
    """(39) with rho f = alpha e~: each sample adds the same to the term with V."""
    own, rival = sympy.symbols("own rival", real=True)
    yield from about_targets()
    yield from _split()
    yield identity("rho f^(c) - 1 in the own class", _alpha * 1 - 1, _alpha - 1)
    yield identity(
        "rho f^(c) + 1/(C-1) in another",
        _alpha * (-1 / (_C - 1)) + 1 / (_C - 1),
        -(_alpha - 1) / (_C - 1),
    )
    rho = sympy.Symbol("rho", positive=True)
    along = _alpha / rho * (_alpha - 1) * _C / (_C - 1)
    yield identity(
        "<f, rho f - e~> = (alpha/rho)(alpha - 1)|e~|^2 for each of the B samples",
        (_alpha * _C / (_C - 1) * _alpha - _alpha * _C / (_C - 1)) / rho,
        along,
    )
    b = sympy.Symbol("b", positive=True)
    yield identity(
        "the equation, own and rival the sums of the features, B = b C",
        -2
        * rho
        / (b * _C)
        * (b * _C * along * _v - (_alpha - 1) * own + (_alpha - 1) / (_C - 1) * rival),
        2 * rho / (b * _C) * (_alpha - 1) * own
        - 2 * rho / (b * _C) * (_alpha - 1) / (_C - 1) * rival
        - 2 * _alpha * (_alpha - 1) * _C / (_C - 1) * _v,
    )


def _of_property_2(v: Any, h: Any, rho: Fraction, alpha: Fraction) -> list[Any]:
    return _flat(LastLayer(v, h, rho, alpha).gradient())


@proof("square:eq-40", "printed", "one constant, and the step to NC1")
def one_constant(claim: Claim) -> Iterator[Step]:
    """Put the outputs in; only the sum of the features sees the exchanged sample."""
    yield from under_property_2()
    other = sympy.Symbol("other", real=True)
    yield identity(
        "exchanging h for h' in the own class",
        2 * _rho * (_alpha - 1) * _h - 2 * _rho * (_alpha - 1) * other,
        2 * _rho * (_alpha - 1) * (_h - other),
    )
    yield assumes(claim, v="real", h="real", g="real", rho="positive", alpha="real")

    def sides(v: Any, h: Any, g: Any, rho: Any, alpha: Any) -> Sides:
        scale, share = number(rho), number(alpha)
        C, N = len(h), len(h[0])
        found = _of_property_2(v, h, scale, share)
        factor = 2 * scale / (C * N) * (share - 1)
        moved = [a - b for a, b in zip(h[0][0], g, strict=True)]
        exchanged = [factor * e * x for e in target_rows(C)[0] for x in moved]
        return {
            "equation": (found, found),
            "one sample exchanged": (exchanged, exchanged),
        }

    given = _layers(g=[3, "-1/2"], rho=2, alpha="3/4")
    lines = ("equation", "one sample exchanged")
    yield tie("the claim compares these", claim, given, sides, lines)


@proof("square:eq-41", "corrected", "every line, with the sign of (38)")
def over_batches(claim: Claim) -> Iterator[Step]:
    """Batches of one size: the mean of their means is the mean of all, in multiplier and data."""
    yield from under_property_2()
    total, number_of, b = sympy.symbols("total number b", positive=True)
    yield identity(
        "the mean over batches of the means over a batch",
        (total / (b * _C)) / number_of,
        total / (number_of * b * _C),
    )
    yield assumes(claim, v="real", h="real", rho="positive", alpha="real")

    def sides(v: Any, h: Any, rho: Any, alpha: Any) -> Sides:
        scale, share = number(rho), number(alpha)
        count = len(h[0])
        parts = [_of_property_2(v, [row[i] for row in h], scale, share) for i in range(count)]
        whole = _of_property_2(v, [[x for part in row for x in part] for row in h], scale, share)
        return {
            "mean over batches": (average_rows(parts), whole),
            "third line": (whole, whole),
            "fourth line": (whole, whole),
        }

    given = [
        point(v=[[1, 2], [0, -1]], h=[[[[1, 1]], [["1/2", 0]]], [[[0, 2]], [[-1, 1]]]]),
        point(v=[[1], [0], [3]], h=[[[[1], [2]]], [[[0], ["1/3"]]], [[[2], [-1]]]]),
    ]
    lines = ("mean over batches", "third line", "fourth line")
    numbers = point(rho=2, alpha="3/4")
    yield tie("the claim compares these", claim, [{**g, **numbers} for g in given], sides, lines)
