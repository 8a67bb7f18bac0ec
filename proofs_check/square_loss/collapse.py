"""Proofs about collapse from the square loss. Throughout k = C/(C-1)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import diff, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import collapse
from ncbounds.theory.terms import Claim
from proofs_check.facts import (
    CAUCHY_SCHWARZ,
    ENDS,
    INNER_PRODUCT,
    JENSEN,
    MONOTONE,
    MONOTONE_POWERS,
)
from proofs_check.proximity.alignment import both_factors
from proofs_check.proximity.first_steps import RIVALS, C, K, centring, dot, mean, within_classes
from proofs_check.proximity.weight_cosines import intra_class
from proofs_check.square_loss.margin_spread import spread_from_loss
from proofs_check.square_loss.outputs import LAYERS, Outputs, scaled
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_a, _y, _short = sympy.symbols("a y short", nonnegative=True)
_T, _u, _at, _kappa, _rho, _e, _t = sympy.symbols("T u kappa_0 kappa rho e t", positive=True)
_q, _mean, _square, _z, _rest, _x = sympy.symbols("q mean square z rest x", real=True)


# -- steps that several proofs share -----------------------------------------------------


def along_the_target() -> Iterator[Step]:
    """z = q Y_c + r with q = k z_c: r is orthogonal to Y_c, and |z - Y_c|^2 = (q-1)^2/k + |r|^2."""
    yield identity("|Y_c|^2 = 1/k", (1 - 1 / C) ** 2 + RIVALS / C**2, 1 / K)
    yield identity(
        "the outputs sum to 0, so <z, Y_c> = z_c - 0/C, and <z - k z_c Y_c, Y_c> = 0",
        _z - (K * _z) / K,
        0,
    )
    yield identity(
        "|(q - 1) Y_c + r|^2 = (q-1)^2/k + |r|^2, times k",
        K * ((_q - 1) ** 2 / K + _rest),
        (_q - 1) ** 2 + K * _rest,
    )
    everyone, own = sympy.symbols("everyone own", real=True)
    yield identity(
        "z_c is the logit less the mean logit: <wdot_c, h> plus the centred bias, whose mean over "
        "classes is 0",
        own - everyone / C - (everyone - C * (everyone / C)) / C,
        own - everyone / C,
    )


def mean_and_variance() -> Iterator[Step]:
    """Mean (1 - q)^2 = (1 - mean q)^2 + Var q."""
    yield identity(
        "mean (1 - q)^2, expanded",
        sympy.expand((1 - _q) ** 2).subs(_q**2, _square).subs(_q, _mean),
        (1 - _mean) ** 2 + (_square - _mean**2),
    )
    yield from within_classes()


# -- the loss, split ---------------------------------------------------------------------


@proof("square:sharp-2", "sharp", "the loss, split", CAUCHY_SCHWARZ)
def splits(claim: Claim) -> Iterator[Step]:
    """Pythagoras along the target, then squares about the mean margin or the largest one."""
    yield from along_the_target()
    yield from mean_and_variance()
    yield identity(
        "(1 - q)^2 about T, with the mean of T - q being T (1 - tau)",
        (1 - _q) ** 2,
        (1 - _T) ** 2 + 2 * (1 - _T) * (_T - _q) + (_T - _q) ** 2,
    )
    alpha, b, inner = sympy.symbols("alpha b inner", nonnegative=True)
    yield identity(
        "k mean |b h - alpha wdot|^2 = 2 alpha b (T - k mean <wdot, h>), T = k alpha b",
        K * (b**2 * alpha**2 + alpha**2 * b**2 - 2 * alpha * b * inner),
        2 * alpha * b * (K * alpha * b - K * inner),
    )
    yield nonnegative(
        "T = 1 - short: k L - (1 - T)^2 >= 0, the mean a of T - q being at least 0",
        ((1 - _T) ** 2 + 2 * (1 - _T) * _a + _y - (1 - _T) ** 2).subs(_T, 1 - _short),
        [2 * _short * _a + _y],
    )
    total = sympy.Symbol("total", real=True)
    yield identity(
        "targets e_c: adding (total - 1)/C to each entry of z - Y_c, which sum to 0, adds "
        "C ((total - 1)/C)^2",
        C * ((total - 1) / C) ** 2,
        (total - 1) ** 2 / C,
    )
    yield identity("|logits - e_c|^2, expanded at the own entry", (_z - 1) ** 2, _z**2 - 2 * _z + 1)
    yield assumes(claim, w="real", h="real", bias="real")
    equations = ("mean margin and spread", "largest margin", "misalignment", "targets e_c")
    yield tie("the claim compares these", claim, LAYERS, _split_sides, equations)


def _split_sides(w: Any, h: Any, bias: Any) -> dict[str, tuple[Any, Any]]:
    of = Outputs(w, h, bias)
    loss = of.k * of.loss
    lacking = of.T - balls.ball(of.margin)
    misaligned = 2 * of.alpha * of.b * lacking
    room = (1 - of.T).max(balls.ball(0))
    one_hot = of.mean(
        [
            [sum((v - Fraction(int(r == c))) ** 2 for r, v in enumerate(x)) for x in row]
            for c, row in enumerate(of.logits)
        ]
    )
    return {
        "mean margin and spread": (loss, loss),
        "largest margin": (loss, loss),
        "misalignment": (misaligned, misaligned),
        "least loss": (room * room, loss),
        "targets e_c": (one_hot, one_hot),
    }


# -- guarantees --------------------------------------------------------------------------


@proof("square:sharp-2", "sharp", "guarantees from the loss", CAUCHY_SCHWARZ, MONOTONE_POWERS)
def guarantees(claim: Claim) -> Iterator[Step]:
    """1 - e <= mean margin = T cos sqrt(1 - var); spreads as for margins of two classes."""
    yield from along_the_target()
    yield from mean_and_variance()
    yield from _every_scale()
    yield nonnegative("k L - (1 - mean q)^2 = Var q + k mean |r|^2", (_a + _y) - _a, [_y])
    yield from spread_from_loss()
    value = sympy.Symbol("value", nonnegative=True)
    yield identity(
        "the regulariser adds k D = q^2 (k D/q^2)",
        (1 - _mean) ** 2 + _mean**2 * _x + value,
        (1 - _mean) ** 2 + _mean**2 * (_x + value / _mean**2),
    )
    yield nonnegative(
        "q^2 - k D (1 - k L')/(k L') >= 0 for k L'/(1 - k L') = k D/q^2 + rest, rest >= 0",
        _t**2 - value / (value / _t**2 + _e),
        [_t**2 * _e, 1 / (value / _t**2 + _e)],
    )
    yield from centring()
    alpha, b, cosine, var, product = sympy.symbols("alpha b cosine var product", positive=True)
    yield identity(
        "the mean of q is k/C times the inner product of stacked wdot and class means, as biases "
        "have the mean 0: T cos sqrt(1 - var)",
        K / C * (sqrt(C) * b) * (sqrt(C) * alpha * sqrt(1 - var)) * cosine,
        (K * alpha * b) * cosine * sqrt(1 - var),
    )
    yield from both_factors()
    yield identity(
        "mean |h/alpha - wdot/b|^2 = 2 - 2 mean t/T",
        1 + 1 - 2 * product / (alpha * b),
        2 - 2 * (K * product) / (K * alpha * b),
    )
    yield from _formulas(alpha, b)
    yield assumes(claim, w="real", h="real", bias="real", share="proportion", decay="nonnegative")
    points = [
        {**layer, **point(share=share, decay=decay)}
        for layer, share, decay in zip(
            LAYERS, ("1/2", "1/3", "5/8"), (0, "1/10", "1/2"), strict=True
        )
    ]
    yield tie("the claim compares these", claim, points, _guarantee_sides)


def _every_scale() -> Iterator[Step]:
    """k L < 1 exactly for features and biases at a share in (0, 1) of the scale 2 q/M."""
    share, square, margin = sympy.symbols("share square margin", positive=True)
    scale = 2 * share * margin / square
    yield identity(
        "1 - k L = 4 share (1 - share) q^2/M for M = mean q^2 + k (mean |r|^2 + D)",
        2 * scale * margin - scale**2 * square,
        4 * share * (1 - share) * margin**2 / square,
    )


def _named(formula: Any, **values: Any) -> Any:
    found = symbolic.symbols(formula)
    return symbolic.expression(formula).subs({found[n]: v for n, v in values.items()})


def _formulas(alpha: Any, beta: Any) -> Iterator[Step]:
    """The formulas say what was derived, with k L = e^2."""
    loss = _e**2 / K
    yield identity("e is the root of k L", _named(collapse.mean_error, C=C, L=loss), _e)
    norms = {"alpha": alpha, "beta": beta}
    share = (1 - _e) / (K * alpha * beta)
    less = 1 / (1 + _t)  # a number in (0, 1)
    yield identity(
        "the variability is at most 1 - ((1 - e)/T)^2 for e < 1",
        _named(collapse.variability_from_loss, C=C, L=less**2 / K, **norms),
        1 - share.subs(_e, less) ** 2,
    )
    yield identity(
        "the squared distance at most 2 - 2 (1 - e)/T",
        _named(collapse.distance_from_loss, C=C, L=loss, **norms),
        2 - 2 * share,
    )


def _guarantee_sides(
    w: Any, h: Any, bias: Any, share: Any, decay: Any
) -> dict[str, tuple[Any, Any]]:
    of, scale = scaled(w, h, bias, number(share), number(decay))
    loss, value = of.k * of.loss, of.k * number(decay) * scale**2
    x, whole = of.relative_spread, loss + value
    r = (1 - of.error) / of.T
    return {
        "mean margin": (abs(1 - of.margin), of.error),
        "spread, data loss": (x, loss / (1 - loss)),
        "spread, regularised loss": (x, whole / (1 - whole) - value / of.margin**2),
        "mean margin, regularised loss": (
            balls.ball(value * (1 - whole) / whole).sqrt(),
            of.margin,
        ),
        "NC1": (1 - of.kept, 1 - r**2),
        "NC3": (1 - of.cosine, 1 - r),
        "distance": (of.distance, 2 - 2 * r),
    }


# -- cosines -----------------------------------------------------------------------------


@proof(
    "square:sharp-2",
    "sharp",
    "cosines from the loss",
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    JENSEN,
    MONOTONE,
    ENDS,
)
def mean_cosines(claim: Claim) -> Iterator[Step]:
    """The tangent at t = 1 - e and kappa0 = t/T, for all samples, then their mean; or a count.

    The tangent needs t >= 1/3, that is e <= 2/3.

    For class means (1 - t)^2 of the mean margin is at most the mean of (1 - t)^2 by Jensen, and
    the means have mean y <= 1 as well.
    """
    yield from along_the_target()
    yield from _every_scale()
    yield from _mean_of_products()
    yield from tangent()
    yield from _large_loss()
    yield from within_classes()
    yield from intra_class()
    t, top = 1 - _e, _T
    slope, price = 2 * _e * top, 2 * _e * t
    yield identity(
        "slope 2 (1-t) t/kappa0 and price 2 (1-t) kappa0 T at kappa0 = t/T",
        2 * _e * t / (t / top) + 2 * _e * (t / top) * top,
        slope + price,
    )
    yield identity(
        "first branch: ((1-t)^2 + 4 (1-t) t - price - e^2)/slope = t/T",
        (_e**2 + 4 * _e * t - price - _e**2) / slope,
        t / top,
    )
    yield identity(
        "second branch: (1 - slope - price - e^2)/slope",
        (1 - slope - price - _e**2) / slope,
        t**2 / (2 * _e * top) - 1,
    )
    alpha, beta = sympy.symbols("alpha beta", positive=True)
    largest = K * alpha * beta
    yield identity(
        "the formula is the smaller of the two",
        _named(collapse.cosine_from_loss, C=C, L=_e**2 / K, alpha=alpha, beta=beta),
        sympy.Min(t / largest, t**2 / (2 * _e * largest) - 1),
    )
    yield assumes(claim, w="real", h="real", share="proportion")
    points = [
        {"w": layer["w"], "h": layer["h"], **point(share=share)}
        for layer, share in zip(LAYERS, ("1/2", "1/3", "7/16"), strict=True)
    ]
    yield tie("the claim compares these", claim, points, _cosine_sides)


def _mean_of_products() -> Iterator[Step]:
    """t = T y kappa with y = |h| |wdot|/(alpha b), whose mean is at most 1 by Cauchy-Schwarz."""
    alpha, b, length, weight = sympy.symbols("alpha b length weight", positive=True)
    yield identity(
        "T y kappa = k |h| |wdot| kappa",
        (K * alpha * b) * (length * weight / (alpha * b)) * _kappa,
        K * length * weight * _kappa,
    )
    yield identity("mean |h| |wdot| <= alpha b, over alpha b", (alpha * b) / (alpha * b), 1)


def tangent() -> Iterator[Step]:
    """For all y >= 0, |kappa| <= 1, with slope 2 (1-t) t/kappa0 and price 2 (1-t) kappa0 T:

        (1 - T y kappa)^2 + price y + slope kappa >= min((1-t)^2 + 4 (1-t) t, 1 - slope),

    if t >= 1/3. For kappa <= 0 the left side is at least 1 - slope. For kappa > 0 let x = T y
    kappa and rho = kappa0/kappa; the left side is (1-x)^2 + 2 (1-t)(rho x + t/rho), at least
    D(sqrt x) = (1-x)^2 + 4 (1-t) sqrt(x t). As a function of u = sqrt x, D is concave up to
    1/sqrt 3 and convex beyond, where it is stationary at sqrt t. In the convex part D >= D(sqrt t);
    in the concave part it is at least D(0) = 1 or what it is at the end, in the convex part too.
    """
    gap = sympy.Symbol("gap", nonnegative=True)  # 1 - t
    ratio = _at / _kappa
    yield identity(
        "price y = 2 (1-t) rho x and slope kappa = 2 (1-t) t/rho, with x = T y kappa",
        2 * gap * _at * _T * _y + 2 * gap * _t / _at * _kappa,
        2 * gap * (ratio * (_T * _y * _kappa) + _t / ratio),
    )
    yield nonnegative(
        "rho x + t/rho - 2 sqrt(x t) is a square",
        _rho**2 * _u**2 + _t**2 / _rho**2 - 2 * _u * _t,
        [(_rho * _u - _t / _rho) ** 2],
    )
    D = (1 - _u**2) ** 2 + 4 * (1 - _t) * sqrt(_t) * _u
    yield identity("D is stationary at sqrt t", diff(D, _u).subs(_u, sqrt(_t)), 0)
    yield identity(
        "D'' = 4 (3 u^2 - 1): it changes sign once, from - to +",
        diff(D, _u, 2),
        4 * (3 * _u**2 - 1),
    )
    yield nonnegative(
        "at u^2 = t = 1/3 + a it is at least 0", 4 * (3 * (sympy.Rational(1, 3) + _a) - 1), [12, _a]
    )
    yield identity(
        "D(sqrt t) = (1-t)^2 + 4 (1-t) t", D.subs(_u, sqrt(_t)), (1 - _t) ** 2 + 4 * (1 - _t) * _t
    )
    slope = 2 * gap * _t / _at
    yield nonnegative("D(0) = 1 >= 1 - slope", 1 - (1 - slope), [slope])
    yield nonnegative(
        "kappa = -a: (1 + T y a)^2 >= 1",
        (1 + _T * _y * _a) ** 2 - 1,
        [_T * _y * _a, 2 + _T * _y * _a],
    )
    yield nonnegative("kappa = -1 + a: slope kappa >= -slope", slope * ((-1 + _a) + 1), [slope, _a])


def _large_loss() -> Iterator[Step]:
    """For e = 2/3 + a < 1 samples with kappa <= 0 lose at least 1: they are a share of at most e^2.

    So the mean cosine is at least -e^2, which is at least the second branch, T being at least t.
    """
    e, z = sympy.Rational(2, 3) + _a, sympy.Symbol("z", nonnegative=True)
    yield nonnegative(
        "-e^2 - (t^2/(2 e T) - 1) >= 0 with 1 - e^2 = t (1 + e) and T = t + z",
        _t * (1 + e) - _t**2 / (2 * e * (_t + z)),
        [
            _t / (2 * e * (_t + z)),
            sympy.expand(2 * e * (1 + e) * (_t + z) - _t),
        ],
    )
    yield identity("1 - e^2 = t (1 + e) for t = 1 - e", 1 - _e**2, (1 - _e) * (1 + _e))


def _cosine_sides(w: Any, h: Any, share: Any) -> dict[str, tuple[Any, Any]]:
    of, _ = scaled(w, h, [Fraction(0)] * len(w), number(share), Fraction(0))
    e, T = of.error, of.T
    t = 1 - e
    bound = (t / T).min(t * t / (2 * e * T) - 1)
    least = bound.max(balls.ball(0))
    norms = [balls.ball(dot(a, a)).sqrt() for a in of.wdot]

    def cosine(c: int, x: Any) -> Any:
        length = balls.ball(dot(x, x)).sqrt() * norms[c]
        return balls.ball(dot(of.wdot[c], x)) / length if length > 0 else balls.ball(-1)

    intra = []
    for row in of.h:
        lengths = [balls.ball(dot(x, x)).sqrt() for x in row]
        pairs = [
            balls.ball(dot(x, y)) / (a * b)
            for x, a in zip(row, lengths, strict=True)
            for y, b in zip(row, lengths, strict=True)
            if a > 0 and b > 0
        ]
        intra.append(sum(pairs, balls.ball(0)) / of.N**2)
    return {
        "mean cosine": (1 - of.mean(of.each(cosine)), 1 - bound),
        "class means": (1 - mean([cosine(c, x) for c, x in enumerate(of.means)]), 1 - bound),
        "intra-class cosine": (1 - mean(intra), 1 - least**2),
    }
