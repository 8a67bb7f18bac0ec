"""Steps from the ellipsoids of class means to the cosines of class means, and of mean directions.

V is the variability of a class over its mean square, p the squared sine of the angle of its mean
and h0, and y = e/|class mean|, of which x is what is orthogonal to h0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import Max, sqrt

from ncbounds.arithmetic import symbolic
from ncbounds.theory.proximity import ellipsoid
from proofs_check.cosine import ball_route
from proofs_check.steps import Step, identity, nonnegative

_C = sympy.Symbol("C", integer=True, positive=True)
_t, _kappa = sympy.symbols("t kappa", positive=True)
_more, _rest, _xi = sympy.symbols("more rest xi", nonnegative=True)
_x, _y = sympy.symbols("x y", real=True)


def parts() -> Iterator[Step]:
    """What two unit vectors' cosine changes by, split into parts of the two classes."""
    h, g, x, z = sympy.symbols("h g x z", real=True)
    c, d = 1 - sympy.Symbol("m", nonnegative=True), 1 - sympy.Symbol("n", nonnegative=True)
    yield identity(
        "unit class means c u + x, d u' + x': coordinate by coordinate",
        (c * h + x) * (d * g + z) - h * g,
        -(1 - c * d) * h * g + d * x * g + c * h * z + x * z,
    )
    yield nonnegative(
        "1 - cd is at most (1 - c) + (1 - d)", (1 - c) + (1 - d) - (1 - c * d), [1 - c, 1 - d]
    )
    k, p = sympy.symbols("k p", positive=True)
    yield identity(
        "1 - c is p/(1 + c) for p = 1 - c^2",
        (1 - (k + _more) ** 2) / (1 + k + _more),
        1 - k - _more,
    )
    yield nonnegative(
        "at most p/(1 + k) for c = k + more",
        p / (1 + k) - p / (1 + k + _more),
        [p, _more, 1 / ((1 + k) * (1 + k + _more))],
    )
    s, r = sympy.symbols("s r", nonnegative=True)
    yield nonnegative(
        "|<x, x'>| is at most half the squares",
        (s**2 + r**2) / 2 - s * r,
        [(s - r) ** 2, sympy.Rational(1, 2)],
    )
    sizes = sympy.Symbol("sizes", nonnegative=True)
    yield identity(
        "a class is in 2(C-1) ordered pairs: its part of the mean is its term over C, 2 of <x, u'> "
        "over C-1, 2 xi of 1 - c and 1 of |x|^2",
        (2 * sizes + 2 * (_C - 1) * _xi * p / (1 + k) + 2 * (_C - 1) * p / 2) / (_C * (_C - 1)),
        (2 * sizes / (_C - 1) + (1 + 2 * _xi / (1 + k)) * p) / _C,
    )
    zeta = _weights(_xi, k, None)
    yield identity("the formula of zeta", zeta, 1 + 2 * _xi / (1 + k))


def _weights(xi: Any, k: Any, alpha: Any) -> Any:
    """The zeta of the theory, in symbols."""
    rho, r = sympy.symbols("rho r", positive=True)
    known = ellipsoid.Around(_x, rho**2, r, _kappa)
    return ellipsoid.square_weights(symbolic, known, k, xi, alpha)


def budget() -> Iterator[Step]:
    """The variance and the ellipsoid share rho^2; so they share s^2, as r <= |m| cos.

    Q is the square of y in the norm of the ellipsoid, |m| = size, cos^2 = 1 - p = kept.
    """
    var, Q, size, r, kept, W = sympy.symbols("var Q size r kept W", positive=True)
    rho2 = var + size * Q + _more
    room = rho2 / W * kept - r**2 / W * Q - kept * var / W
    yield nonnegative(
        "s^2 - k^2 Q - s^2 p - (1-p) var/(rho^2 + r^2), where kept size = r^2 + rest",
        room.subs(size, (r**2 + _rest) / kept),
        [kept * _more + Q * _rest, 1 / W],
    )
    rho, along = sympy.symbols("rho along", positive=True)
    known = ellipsoid.Around(_x, rho**2, along, _kappa)
    sine, cosine = ellipsoid.angles(symbolic, known)
    yield identity("the formula of s", sine**2, rho**2 / (rho**2 + along**2))
    yield identity("and of k", cosine**2, 1 - sine**2)
    v = symbolic.symbols(ellipsoid.least_along)
    alpha = sympy.Symbol("alpha", positive=True)
    least = symbolic.expression(ellipsoid.least_along)
    square = symbolic.expression(ellipsoid.square_radius)
    found = square.subs(
        dict(
            zip(
                symbolic.symbols(ellipsoid.square_radius).values(),
                (alpha, *v.values()),
                strict=True,
            )
        )
    )
    yield identity(
        "rho^2 + r^2 - alpha^2 is a square",
        found + least**2 - alpha**2,
        (v["lag"] / (v["mu"] * v["length"])) ** 2,
    )


def stretching() -> Iterator[Step]:
    """t + zeta times the budget is zeta p plus t times the square of another ellipsoid's norm."""
    k2 = sympy.Symbol("k2", positive=True)
    zeta, p, y2, variance = sympy.symbols("zeta p y2 variance", positive=True)
    m = k2 * (1 + zeta / _t)
    yield identity(
        "(t + zeta)(k^2 Q + s^2 p) for Q = p + y^2 + kappa Var and s^2 = 1 - k^2",
        (_t + zeta) * (k2 * (p + y2 + _kappa * variance) + (1 - k2) * p),
        zeta * p + _t * (p + m * y2 + _kappa * m * variance),
    )
    sine, cosine, q = sympy.symbols("sine cosine q", positive=True)
    known = ellipsoid.Around(_x, _y**2, _y, _kappa)
    kappa, extra = ellipsoid.stretched(symbolic, known, sine, cosine, zeta, q)
    at = {k2: cosine**2, _t: q / sine}
    yield identity("the formula of its kappa, with t = q/s", kappa, (_kappa * m).subs(at))
    yield identity(
        "the square of y counts m times: in the dual norm 1/m", extra, (1 / m - 1).subs(at)
    )
    Y, L = sympy.symbols("Y L", positive=True)
    yield identity(
        "2 sqrt(Y/(C-1)) is at most t Y/L + L/(t (C-1))",
        _t * Y / L + L / (_t * (_C - 1)) - 2 * sqrt(Y / (_C - 1)),
        (sqrt(_t * Y / L) - sqrt(L / (_t * (_C - 1)))) ** 2,
    )
    g = symbolic.symbols(ellipsoid.class_gap)
    yield identity(
        "(t + zeta) s^2 + L/((C-1) t) is the formula at t = q/s",
        symbolic.expression(ellipsoid.class_gap),
        (g["q"] / g["sine"] + g["zeta"]) * g["sine"] ** 2
        + g["Lambda"] * g["sine"] / ((g["C"] - 1) * g["q"]),
    )


def dual() -> Iterator[Step]:
    """Multipliers v: p = q + kappa sum pi v_r x_r, and Cauchy-Schwarz in the ellipsoid's norm."""
    p, f, v, n, pi = sympy.symbols("p f v n pi_r", real=True)
    yield identity(
        "<p, y> = <q, y> + sum (sqrt(kappa pi) v_r)(sqrt(kappa pi) <x_r, y>), term by term",
        (p - _kappa * pi * v * _x) * _y + _kappa * pi * v * (_x * _y),
        p * _y,
    )
    yield identity(
        "<q, q'> by inner products, term by term",
        (p - _kappa * pi * v * _x) * (f - _kappa * pi * n * _x),
        p * f
        - _kappa * pi * v * _x * f
        - p * _kappa * pi * n * _x
        + _kappa * pi * v * _x * _x * _kappa * pi * n,
    )
    m = sympy.Symbol("m", positive=True)
    yield identity(
        "the part along h0 counts 1/m: <q, q'> + (1/m - 1) <q, u> <q', u>, and <p, u> = 0",
        _x * _y + (1 / m) * (-p * -f),
        (_x * _y + p * f) + (1 / m - 1) * (-p * -f),
    )
    floor, total = sympy.symbols("floor total", nonnegative=True)
    yield nonnegative(
        "a number added to every entry adds a square to the form",
        floor * total**2,
        [floor, total**2],
    )


def mean_directions() -> Iterator[Step]:
    """A = (1 - V) m/|m| + V n, |n| <= 1: what V adds comes out of the same budget."""
    yield from ball_route()
    V, U = sympy.symbols("V U", nonnegative=True)
    cosine, X, three = sympy.symbols("cosine X three", real=True)
    kept = (1 - V) * (1 - U)
    yield identity(
        "<A, A'> - X = (1-V)(1-U)(cos - X) - (1 - (1-V)(1-U)) X + three terms",
        kept * cosine + three - X,
        kept * (cosine - X) - (1 - kept) * X + three,
    )
    yield identity("the three are at most", (1 - V) * U + (1 - U) * V + V * U, 1 - kept)
    yield nonnegative("1 - (1-V)(1-U) is at most V + U", V + U - (1 - kept), [V, U])
    part, other = sympy.symbols("part other", nonnegative=True)
    lost, gone = 1 / (1 + _more), 1 / (1 + _rest)
    yield nonnegative(
        "(1-V)(1-U) times parts of two classes is at most (1-V) one and (1-U) the other",
        lost * part + gone * other - lost * gone * (part + other),
        [lost * gone * (_rest * part + _more * other)],
    )
    p, one, two = sympy.symbols("p one two", nonnegative=True)
    share = sympy.Symbol("share", nonnegative=True)
    zeta = sympy.Symbol("zeta", positive=True)
    Z, left, short = zeta + one, 1 / (1 + _more), _more / (1 + _more)
    # share = alpha^2/(rho^2 + r^2) <= 1, Z share = 2 (1 + xi) + two, left = 1 - V.
    room = Z * p + (1 - p) * short * Z * share - left * zeta * p
    yield identity(
        "Z p + (1-p) Z share V - (1-V) zeta p - V (Z share - two), with 2 (1 + xi) in the bracket",
        room - short * (Z * share - two),
        p * (left * one + short * Z * (1 - share)) + short * two,
    )
    within = 1 / (1 + _rest)
    yield nonnegative(
        "which is >= 0, as share = 1/(1 + rest)",
        p * (left * one + short * Z * (1 - within)) + short * two,
        [(p * (left * one + short * Z * _rest * within) + short * two)],
    )
    alpha, rho, r, k = sympy.symbols("alpha rho r k", positive=True)
    yield identity(
        "the formula of Z",
        _weights(_xi, k, alpha),
        Max(1 + 2 * _xi / (1 + k), 2 * (1 + _xi) * (rho**2 + r**2) / alpha**2),
    )
