"""Proofs of the last lines of collapse: rows, norms, global mean and angles."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.theory.terms import Claim
from proofs_check.square_loss.multiclass_gradients import under_property_2
from proofs_check.square_loss.multiclass_layers import (
    LastLayer,
    Sides,
    about_targets,
    centred,
    times,
)
from proofs_check.steps import Step, assumes, identity, number, point, proof, tie
from proofs_check.vectors import dot, mean

_C = sympy.Symbol("more", integer=True, positive=True) + 1
_rho, _alpha = sympy.symbols("rho alpha", positive=True)
_v, _own, _total = sympy.symbols("v own total", real=True)

_MEANS = [point(mu=[[1, 0], ["1/2", 2]]), point(mu=[[1, 2], [0, 3], ["-1/3", 1]])]


def _means(**more: Any) -> list[dict[str, Any]]:
    return [{**each, **point(**more)} for each in _MEANS]


def _rows(mu: Any, rho: Fraction, alpha: Fraction) -> list[list[Any]]:
    return [times(rho / (alpha * len(mu)), row) for row in centred(mu)]


def _sum_of_centred() -> Step:
    return identity("the centred means add up to 0", _total - _C * (_total / _C), 0)


@proof("square:eq-42", "printed", "the only rows at rest")
def rows(claim: Claim) -> Iterator[Step]:
    """(41) with N equal features a class: own - rivals/(C-1) = k (mu_c - mu_G)."""
    yield from under_property_2()
    yield identity(
        "mu_c - (total - mu_c)/(C-1) = C/(C-1) (mu_c - total/C)",
        _own - (_total - _own) / (_C - 1),
        _C / (_C - 1) * (_own - _total / _C),
    )
    centre = _own - _total / _C
    yield identity(
        "the gradient is a multiple of what (42) sets to zero",
        2 * _rho / _C * (_alpha - 1) * (_C / (_C - 1)) * centre
        - 2 * _alpha * (_alpha - 1) * _C / (_C - 1) * _v,
        2 * (1 - _alpha) * _C / (_C - 1) * _alpha * (_v - _rho / (_alpha * _C) * centre),
    )
    yield _sum_of_centred()
    yield assumes(claim, v="real", mu="real", rho="positive", alpha="positive")

    def sides(v: Any, mu: Any, rho: Any, alpha: Any) -> Sides:
        scale, share = number(rho), number(alpha)
        h = [[row] for row in mu]
        found = [x for row in LastLayer(v, h, scale, share).gradient() for x in row]
        zeros = [Fraction(0)] * len(found)
        return {
            "gradient": (found, found),
            "at rest": (zeros, zeros),
            "sum of the rows": (zeros[: len(mu[0])], zeros[: len(mu[0])]),
        }

    given = [
        {**_MEANS[0], **point(v=[[1, 2], [0, 3]], rho=2, alpha="3/4")},
        {**_MEANS[1], **point(v=[[1, 2], [0, 3], [1, 1]], rho="1/2", alpha=2)},
    ]
    lines = ("gradient", "at rest", "sum of the rows")
    yield tie("the claim compares these", claim, given, sides, lines)


@proof("square:eq-43", "printed", "both lines")
def norms(claim: Claim) -> Iterator[Step]:
    """Row c of (38) times V^c; then the two sums under Property 2."""
    along, data = sympy.symbols("along data", real=True)
    yield from about_targets()
    yield identity(
        "an entry of (38) times that of V^c: r_c h V^c adds up to r_c f_c",
        -2 * _rho * (along * _v - data) * _v,
        2 * (_rho * data * _v - _rho * along * _v**2),
    )
    gap = _alpha * (_alpha - 1)
    rival = -1 / (_C - 1)
    yield identity(
        "one class in C has the entry 1, C - 1 the entry -1/(C-1)",
        ((_alpha - 1) * _alpha + (_C - 1) * (_alpha - 1) * _alpha * rival**2) / _C,
        gap / _C + gap / (_C * (_C - 1)),
    )
    yield identity(
        "the denominator is (alpha - 1) alpha |e~|^2",
        gap * (1 + (_C - 1) * rival**2),
        gap * _C / (_C - 1),
    )
    yield identity(
        "the quotient", (gap / _C + gap / (_C * (_C - 1))) / (gap * _C / (_C - 1)), 1 / _C
    )
    yield assumes(claim, v="real", h="real", rho="positive", alpha="proportion")

    def sides(v: Any, h: Any, rho: Any, alpha: Any) -> Sides:
        layer, share, C = LastLayer(v, h, number(rho)), number(alpha), len(v)
        rows = [dot(g, row) for g, row in zip(layer.gradient(), layer.V, strict=True)]
        gap, one = share * (share - 1), Fraction(1, C)
        above, below = gap / (C - 1), gap * C / (C - 1)
        return {
            "rows": (rows, rows),
            "numerator": ([above] * C, [above] * C),
            "denominator": (below, below),
            "quotient": ([one] * C, [one] * C),
        }

    given = [
        point(v=[[1, 2], [0, -1]], h=[[[1, 1]], [[0, 2]]], rho=2, alpha="3/4"),
        point(v=[[1], [0], [3]], h=[[[1], [2]], [[0], [1]], [[2], [-1]]], rho=1, alpha="1/3"),
    ]
    lines = ("rows", "numerator", "denominator", "quotient")
    yield tie("the claim compares these", claim, given, sides, lines)


@proof("square:eq-44", "printed", "both lines, from (42) and (43)")
def global_mean(claim: Claim) -> Iterator[Step]:
    """mu_G = mu_c - (mu_c - mu_G), and (42) says what the second is."""
    yield from about_targets()
    yield identity(
        "an entry of V^c mu_G: mu_c less (alpha C/rho) V^c",
        _v * (_own - _alpha * _C / _rho * _v),
        _v * _own - _alpha * _C / _rho * _v**2,
    )
    yield identity(
        "(alpha C/rho) V^c = mu_c - mu_G",
        _alpha * _C / _rho * (_rho / (_alpha * _C) * (_own - _total)),
        _own - _total,
    )
    yield identity("the second line", _alpha / _rho - _alpha * _C / _rho * (1 / _C), 0)
    yield identity("an entry of the mean of all targets", (1 + (_C - 1) * (-1 / (_C - 1))) / _C, 0)
    yield assumes(claim, mu="real", rho="positive", alpha="positive")

    def sides(mu: Any, rho: Any, alpha: Any) -> Sides:
        centre = mean(mu)
        found = [dot(row, centre) for row in _rows(mu, number(rho), number(alpha))]
        zeros = [Fraction(0)] * len(mu)
        return {
            "first line": (found, found),
            "second line": (Fraction(0), Fraction(0)),
            "from Property 2 alone": (zeros, zeros),
        }

    lines = ("first line", "second line", "from Property 2 alone")
    yield tie("the claim compares these", claim, _means(rho=2, alpha="3/4"), sides, lines)


@proof("square:eq-45", "printed", "both lines")
def angles(claim: Claim) -> Iterator[Step]:
    """(42) for the other class, and the values of Property 2."""
    yield identity(
        "(alpha C/rho) V^r = mu_r - mu_G, against an entry of V^c",
        _v * (_alpha * _C / _rho) * (_rho / (_alpha * _C) * (_own - _total)),
        _v * _own - _v * _total,
    )
    inner = -_alpha / (_rho * (_C - 1)) / (_alpha * _C / _rho)
    yield identity("<V^c, V^r>", inner, -1 / (_C * (_C - 1)))
    yield identity("over the squared norms 1/C", inner / (1 / _C), -1 / (_C - 1))
    yield _sum_of_centred()
    yield assumes(claim, mu="real", rho="positive", alpha="positive")

    def sides(mu: Any, rho: Any, alpha: Any) -> Sides:
        C, scale = len(mu), number(alpha) * len(mu) / number(rho)
        v = _rows(mu, number(rho), number(alpha))
        found = [scale * dot(v[c], v[r]) for c in range(C) for r in range(C) if r != c]
        zeros, ideal = [Fraction(0)] * len(mu[0]), Fraction(-1, C - 1)
        return {
            "first line": (found, found),
            "second line": (ideal, ideal),
            "sum of the rows": (zeros, zeros),
        }

    lines = ("first line", "second line", "sum of the rows")
    yield tie("the claim compares these", claim, _means(rho=2, alpha="3/4"), sides, lines)
