"""Proofs about cosines of features with their weights.

Throughout k = C/(C-1), T = k alpha b, M = C - 1, phi(t) = log(1 + M e^-t) and its error
probability s(t) = -phi'(t) = M/(M + e^t). A sample has r = |h|/alpha, y = r |wdot|/b and the
cosine kappa, so that its margin is t = T y kappa; a zero vector has y = 0 and kappa = -1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import diff, exp, log, sqrt

from ncbounds.arithmetic import symbolic
from ncbounds.theory.proximity import weight_cosines
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, ENDS, INNER_PRODUCT, JENSEN, MONOTONE
from proofs_check.layers import LAYERS, ZEROS
from proofs_check.proximity.alignment import odds_and_margin
from proofs_check.proximity.first_steps import (
    K,
    many,
    margins_are_convex,
    within_classes,
)
from proofs_check.proximity.weight_cosine_sides import loss_sides, measured_sides, share_sides
from proofs_check.steps import (
    Step,
    assumes,
    identity,
    nonnegative,
    point,
    proof,
    tie,
)

_a, _b, _z, _rest = sympy.symbols("a b z rest", nonnegative=True)
_mu, _r, _w, _x, _t, _u = sympy.symbols("mu r w x t u", positive=True)
_T, _y, _kappa, _at, _delta = sympy.symbols("T y kappa kappa0 delta", positive=True)


def _phi(t: Any) -> Any:
    return log(1 + many * exp(-t))


def _error(t: Any) -> Any:
    return many / (many + exp(t))


# -- measured losses ---------------------------------------------------------------------


@proof("bnwd:sharp-2", "sharp", "measured losses", JENSEN, INNER_PRODUCT, CAUCHY_SCHWARZ)
def measured_losses(claim: Claim) -> Iterator[Step]:
    """Every sample gives kappa + mu r^2 >= f(rho), rho = p/(k alpha |wdot|); add up.

    The squares r^2 have the mean 1, and those outside a set S are at least the rho_+^2 there,
    because kappa <= 1.
    """
    yield from odds_and_margin()
    yield from _component()
    yield from _priced()
    yield from _norms_left()
    yield from _without_a_price()
    yield from _any_norms()
    yield from within_classes()
    yield from intra_class()
    yield assumes(claim, w="real", h="real", bias="real", subset="mask", price="positive")
    points = [
        {**layer, **point(subset=subset, price=price)}
        for layer, subset, price in zip(
            [*LAYERS, ZEROS],
            ([[1, 0], [0, 0], [1, 1]], [[1], [0]], [[1, 1], [0, 1]]),
            ("1/2", 3, 1),
            strict=True,
        )
    ]
    yield tie("the claim compares these", claim, points, measured_sides)


def _component() -> Iterator[Step]:
    """p <= t reads rho <= r kappa."""
    alpha, length, odds = sympy.symbols("alpha length odds", positive=True)
    yield identity(
        "p <= t = k <wdot, h>, with <wdot, h> = |wdot| alpha r kappa, over k alpha |wdot|",
        (odds - K * length * alpha * _r * _kappa) / (K * alpha * length),
        odds / (K * alpha * length) - _r * _kappa,
    )
    yield nonnegative(
        "rho > 0: kappa >= rho/r",
        _kappa - (_kappa * _r - _rest) / _r,
        [_rest, 1 / _r],
    )
    short = 1 / (1 + _a)
    yield nonnegative(
        "rho > 0: r >= r kappa >= rho, as kappa <= 1", _r - _r * short, [_r, _a, short]
    )


def _priced() -> Iterator[Step]:
    """kappa + mu r^2 >= rho/r* + mu r*^2, r* the larger of rho and the third root of rho/(2 mu)."""
    rho = 2 * _mu * _w**3
    yield identity("the third root of rho/(2 mu), named w", (rho / (2 * _mu)), _w**3)
    yield nonnegative(
        "rho/r + mu r^2 is least at r = w",
        (rho / _r + _mu * _r**2) - (rho / _w + _mu * _w**2),
        [_mu, (_r - _w) ** 2, (_r + 2 * _w) / _r],
    )
    long = _w + _a
    yield nonnegative(
        "where rho = w + a is larger, and r = rho + z, it is least at r = rho",
        (rho / (long + _z) + _mu * (long + _z) ** 2) - (rho / long + _mu * long**2),
        [
            _mu * _z / (long * (long + _z)),
            sympy.expand((2 * long + _z) * long * (long + _z) - 2 * _w**3),
        ],
    )
    yield nonnegative("rho <= 0: kappa + mu r^2 >= -1", _mu * _r**2, [_mu, _r**2])


def _norms_left() -> Iterator[Step]:
    """mean r^2 = 1, so the mean over S is 1 less the sum over the others, over the share of S."""
    chosen, others = sympy.symbols("chosen others", positive=True)
    yield identity(
        "delta times the mean over S plus the part of the others is 1",
        ((chosen * _delta + others) - others) / _delta,
        chosen,
    )
    yield nonnegative(
        "a larger r^2 of the others leaves less: r^2 = (rho + a)^2",
        (_r + _a) ** 2 - _r**2,
        [_a, 2 * _r + _a],
    )


def _without_a_price() -> Iterator[Step]:
    """rho/r* + mu r*^2 >= (3/2) (2 mu)^(1/3) rho^(2/3), and the best price solves for itself."""
    x, moment, left = sympy.symbols("x moment left", positive=True)
    yield identity(
        "with 2 mu = x^3, so that rho = (x w)^3: the least over all r is 3/2 x rho^(2/3)",
        (x**3 * _w**3) / _w + x**3 / 2 * _w**2,
        sympy.Rational(3, 2) * x * (x * _w) ** 2,
    )
    root = sqrt(moment / left)
    yield identity(
        "3/2 x moment - x^3/2 left at x = sqrt(moment/left) is moment^(3/2)/sqrt(left)",
        sympy.Rational(3, 2) * root * moment - root**3 / 2 * left,
        moment * sqrt(moment) / sqrt(left),
    )


def _any_norms() -> Iterator[Step]:
    """Over all norms |v_c| = z^(3/2) of mean square 1: mean n_c/z_c >= (mean n^(3/4))^(4/3)."""
    price = sympy.Symbol("price", positive=True)
    n, z = 3 * price * _w**4, _r
    yield nonnegative(
        "n/z + price z^3 >= 4 price w^3 for n = 3 price w^4",
        n / z + price * z**3 - 4 * price * _w**3,
        [price / z, (z - _w) ** 2, z**2 + 2 * z * _w + 3 * _w**2],
    )
    third = sympy.Symbol("third", positive=True)  # (mean n^(3/4))^(1/3)
    yield identity(
        "with 3 price = third^4, so that w^3 = n^(3/4)/third^3: the mean of 4 price w^3, less "
        "price, is (mean n^(3/4))^(4/3)",
        4 * (third**4 / 3) * third**3 / third**3 - third**4 / 3,
        third**4,
    )
    yield identity(
        "and (T^(-2/3) (mean n^(3/4))^(4/3))^(3/2) is (mean n^(3/4))^2/T",
        (_T ** sympy.Rational(-2, 3) * third**4) ** sympy.Rational(3, 2),
        (third**3) ** 2 / _T,
    )


def intra_class() -> Iterator[Step]:
    """|mean direction|^2 >= [mean kappa of the class]_+^2, then Jensen for the square."""
    yield nonnegative("the positive part of -a is at least -a", 0 - (-_a), [_a])
    yield nonnegative("the square is convex", diff(_x**2, _x, 2), [2])
    yield nonnegative(
        "a zero vector adds 0 to the inner product of the mean direction with the weight's, and "
        "-1 to the sum of cosines",
        0 - sympy.Integer(-1),
        [sympy.Integer(1)],
    )


# -- the mean loss -----------------------------------------------------------------------


def tangent() -> Iterator[Step]:
    """For all y >= 0 and |kappa| <= 1, with q = s(t), slope q t/kappa0 and price q kappa0 T:

        phi(T y kappa) + price y + slope kappa >= min(phi(t) + 2 q t, log C - slope),

    if 2 (1 - q) t >= 1. For kappa <= 0 the left side is at least log C - slope. For kappa > 0 let
    x = T y kappa and rho = kappa0/kappa; the left side is phi(x) + q (rho x + t/rho), at least
    D(sqrt x) = phi(x) + 2 q sqrt(x t). As a function of u = sqrt x, D is concave up to some point
    and convex beyond, where it is stationary at sqrt t. In the convex part D >= D(sqrt t); in the
    concave part it is at least D(0) or what it is at the end, which is in the convex part too.
    """
    q = _error(_t)
    yield identity("s = -phi'", -diff(_phi(_t), _t), q)
    yield identity("phi is phi(t) = -log(1 - q)", exp(-_phi(_t)), 1 - q)
    yield identity("t = log(M (1 - q)/q)", many * (1 - q) / q, exp(_t))
    yield identity("phi(0) = log C", _phi(0), log(1 + many))
    rho = _at / _kappa
    yield identity(
        "price y = q rho x and slope kappa = q t/rho, with x = T y kappa",
        q * _at * _T * _y + q * _t / _at * _kappa,
        q * (rho * (_T * _y * _kappa) + _t / rho),
    )
    yield nonnegative(
        "rho x + t/rho - 2 sqrt(x t) is a square",
        _r**2 * _x**2 + _t**2 / _r**2 - 2 * _x * _t,
        [(_r * _x - _t / _r) ** 2],
    )
    gap = _phi(_u**2) + 2 * q * sqrt(_t) * _u
    yield identity("D is stationary at sqrt t", diff(gap, _u).subs(_u, sqrt(_t)), 0)
    error = _error(_u**2)
    yield identity(
        "D'' = 2 s(x) (2 x (1 - s(x)) - 1) at x = u^2",
        diff(gap, _u, 2),
        2 * error * (2 * _u**2 * (1 - error) - 1),
    )
    yield nonnegative(
        "x (1 - s(x)) increases, so D'' changes sign once, from - to +; at sqrt t it is >= 0",
        diff(_x * (1 - _error(_x)), _x),
        [exp(_x) / (many + exp(_x)), 1 + _x * _error(_x)],
    )
    yield identity("D(sqrt t) = phi(t) + 2 q t", gap.subs(_u, sqrt(_t)), _phi(_t) + 2 * q * _t)
    yield nonnegative("D(0) = log C >= log C - slope", q * _t / _at, [q, _t, 1 / _at])
    yield nonnegative(
        "kappa = -1 + a: slope kappa >= -slope",
        q * _t / _at * ((-1 + _a) + 1),
        [q, _t, 1 / _at, _a],
    )


def _mean_of_products() -> Iterator[Step]:
    """mean y <= 1 by Cauchy-Schwarz, and e^o times every loss is at least phi(T y kappa)."""
    yield from odds_and_margin()
    shrink = 1 / (1 + _a)  # e^-o
    yield identity("log(1 + e^-o x) and e^-o log(1 + x) are equal at x = 0", log(1), 0)
    yield nonnegative(
        "and the first rises faster, so phi(t + o) >= e^-o phi(t) for o >= 0",
        diff(log(1 + shrink * _x) - shrink * log(1 + _x), _x),
        [_a, _x, 1 / (1 + _a), 1 / (1 + _x), 1 / (1 + _a + _x)],
    )
    yield from margins_are_convex()
    alpha, b = sympy.symbols("alpha b", positive=True)
    yield identity("mean |h| |wdot| <= alpha b, over alpha b", (alpha * b) / (alpha * b), 1)
    yield identity(
        "T y kappa = k |h| |wdot| kappa = t for y = |h| |wdot|/(alpha b)",
        (K * alpha * b) * (_r * alpha * (_w * b) / (alpha * b)) * _kappa,
        K * (_r * alpha) * (_w * b) * _kappa,
    )


@proof(
    "bnwd:sharp-2", "sharp", "every share of the samples", JENSEN, CAUCHY_SCHWARZ, MONOTONE, ENDS
)
def every_share(claim: Claim) -> Iterator[Step]:
    """The tangent for the samples of the set, phi(T y) + price y >= Fano's bound for the others."""
    yield from _mean_of_products()
    yield from tangent()
    yield from _fano()
    L, least, others, price, slope, K_S = sympy.symbols(
        "L least others price slope K", positive=True
    )
    yield identity(
        "delta (least - slope K - price Y) + (1-delta)(others - price Y') <= L with delta Y + "
        "(1-delta) Y' <= 1, solved for the mean cosine K",
        _delta * (least - slope * K_S) + (1 - _delta) * others - price - L,
        _delta * slope * ((least + ((1 - _delta) * others - price - L) / _delta) / slope - K_S),
    )
    s = symbolic.symbols(weight_cosines.share_cosine)
    q, kappa, delta = s["q"], s["kappa"], s["delta"]
    M = s["C"] - 1
    t = log(M * (1 - q) / q)
    top = s["C"] / M * s["alpha"] * s["beta"]
    lowest = sympy.Min(-log(1 - q) + 2 * q * t, log(s["C"]) - q * t / kappa)
    high = q * kappa
    rest = high * log(M * (1 - high) / high) - log(1 - high)
    yield identity(
        "the formula is that, with the least of the tangent and price = q kappa T",
        symbolic.expression(weight_cosines.share_cosine),
        (lowest + ((1 - delta) * rest - q * kappa * top - s["L"]) / delta) / (q * t / kappa),
    )
    yield assumes(
        claim,
        w="real",
        h="real",
        bias="real",
        subset="mask",
        error="proportion",
        kappa="proportion",
    )
    points = [
        {**layer, **point(subset=subset, error=error, kappa=kappa)}
        for layer, subset, error, kappa in zip(
            [*LAYERS, ZEROS],
            ([[1, 0], [0, 0], [1, 1]], [[1], [0]], [[1, 1], [0, 1]]),
            ("1/4", "1/3", "1/2"),
            ("1/2", "2/3", "1/8"),
            strict=True,
        )
    ]
    yield tie("the claim compares these", claim, points, share_sides)


def _fano() -> Iterator[Step]:
    """phi(T y kappa) + e T y >= phi(T y) + e T y >= H2(e) + e log M for 0 < e < 1.

    phi decreases and is convex, so phi(x) + e x is least where s(x) = e.
    """
    odds = sympy.Symbol("odds", positive=True)  # (1 - e)/e
    e = 1 / (1 + odds)
    x = log(many * odds)
    yield identity("s(x) = e at x = log(M (1-e)/e)", _error(x), e)
    yield identity(
        "there phi(x) + e x = e log(M (1-e)/e) - log(1-e): the logarithm",
        1 + many * exp(-x),
        1 / (1 - e),
    )
    yield nonnegative(
        "T y - T y kappa >= 0 for kappa = 1 - a", _T * _y - _T * _y * (1 - _a), [_T, _y, _a]
    )


@proof(
    "bnwd:sharp-2",
    "sharp",
    "the mean loss alone",
    JENSEN,
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    MONOTONE,
    ENDS,
)
def mean_loss(claim: Claim) -> Iterator[Step]:
    """The tangent at t = phi^{-1}(L) and kappa0 = t/T, for all samples.

    There q = 1 - e^-L, so the hypothesis is 2 (1 - q) t >= 1. For class means the margin is the
    mean margin of the class, phi of it is at most the mean of phi by Jensen, and the means have
    mean y <= 1 as well.
    """
    yield from _mean_of_products()
    yield from tangent()
    yield from within_classes()
    yield from intra_class()
    s = symbolic.symbols(weight_cosines.loss_cosine)
    L, C = s["L"], s["C"]
    t = log((C - 1) / (exp(L) - 1))
    yield identity(
        "q = 1 - e^-L is the error probability at t = phi^{-1}(L)",
        (C - 1) / ((C - 1) + exp(t)),
        1 - exp(-L),
    )
    q, margin, top, loss, most = sympy.symbols("q t T L logC", positive=True)
    slope, price = q * margin / (margin / top), q * (margin / top) * top
    yield identity(
        "first branch: (phi(t) + 2 q t - price - L)/slope = t/T, as phi(t) = L",
        (loss + 2 * q * margin - price - loss) / slope,
        margin / top,
    )
    yield identity(
        "second branch: (log C - slope - price - L)/slope",
        (most - slope - price - loss) / slope,
        ((most - loss) / q - margin) / top - 1,
    )
    top_of = C / (C - 1) * s["alpha"] * s["beta"]
    yield identity(
        "the formula is the smaller of the two",
        symbolic.expression(weight_cosines.loss_cosine),
        sympy.Min(t / top_of, ((log(C) - L) / (1 - exp(-L)) - t) / top_of - 1),
    )
    yield from _first_branch_alone()
    yield assumes(claim, w="real", h="real", bias="real")
    aligned = [
        point(w=[[4, 0], [-4, 0]], h=[[[2, 0]], [[-2, "1/10"]]], bias=[0, 0]),
        point(w=[[4], [-3]], h=[[[2], [1]], [[-1], [-2]]], bias=["1/10", 0]),
    ]
    yield tie("the claim compares these", claim, [*LAYERS, ZEROS, *aligned], loss_sides)


def _first_branch_alone() -> Iterator[Step]:
    """log C - L >= q (T + 2t) implies 2 (1-q) t >= 1 for t > 0, since T >= t.

    It implies E(t) >= 0 for E(x) = log C - phi(x) - 3 s(x) x. But E(0) = 0, and E decreases as
    long as x (1 - s(x)), which increases, is at most 1/2.
    """
    error = _error(_x)
    yield identity(
        "E' = s (3 x (1 - s) - 2)",
        diff(log(1 + many) - _phi(_x) - 3 * error * _x, _x),
        error * (3 * _x * (1 - error) - 2),
    )
    yield nonnegative(
        "2 - 3 x (1 - s) > 0 for x (1 - s) = 1/(2 + a)",
        2 - 3 / (2 + _a),
        [1 + 2 * _a, 1 / (2 + _a)],
    )
