"""Caps of a sphere, to certified digits: how much they measure, and how wide a given share is.

A cap of angular radius phi <= pi/2 on the unit sphere of R^d has the share ``I_x(a, 1/2)/2`` of
the whole, with a = (d - 1)/2 and x = sin^2 phi, I the regularised incomplete beta function. Arb's
own function slows down by orders of magnitude for large a; each of the three series here is short
where it is used.
"""

from __future__ import annotations

from fractions import Fraction

import flint

from ncbounds.arithmetic import balls
from ncbounds.errors import InputError

#: Newton steps at most; a dozen are usual.
_STEPS = 100


def doubled_share(d: int, square: flint.arb, of_cosine: bool = False) -> flint.arb:
    """Twice the share of a cap of radius phi <= pi/2, from sin^2 phi (or cos^2 phi).

    Near the equator the square of the cosine is the one that keeps its digits.

    Examples
    --------
    >>> doubled_share(3, flint.arb(0.75)).overlaps(flint.arb(0.5))  # 1 - cos 60 degrees
    True
    """
    sine, cosine = _squares(square, of_cosine)
    if sine.is_zero() or cosine.is_zero():
        return flint.arb(int(cosine.is_zero()))
    a = _half_dimension(d)
    if not 2 * cosine <= 1:
        series = sine.hypgeom([a + _HALF, _ONE], [a + 1])
        return _density(a, sine, cosine) / a * series
    depth = float((a * cosine / sine).mid())  # the share is at least exp(-depth)
    if depth < 0.75 * flint.ctx.prec:
        with balls.precision(flint.ctx.prec + int(1.5 * depth) + 10):
            sine, cosine = _squares(square, of_cosine)
            return 1 - 2 * _density(a, sine, cosine) * _ascending(a, cosine)
    return _density(a, sine, cosine) / (a * cosine) * _stieltjes(a, sine / cosine)


def squares_of_share(d: int, share: Fraction) -> tuple[flint.arb, flint.arb]:
    """Sine and cosine, squared, of the radius phi <= pi/2 whose cap has half that share.

    Parameters
    ----------
    d
        Dimension, at least 2.
    share
        ``I_x(a, 1/2)``, in (0, 1].

    Returns
    -------
    tuple
        Two balls at the precision in force; they may be wide where it does not suffice.

    Raises
    ------
    InputError
        When an argument is out of range.

    Examples
    --------
    >>> sine, cosine = squares_of_share(3, Fraction(3, 4))  # 1 - cos phi = 3/4 in R^3
    >>> sine.overlaps(15 / flint.arb(16)), cosine.overlaps(1 / flint.arb(16))
    (True, True)
    """
    if d < 2:
        raise InputError("d", d, "at least 2")
    if not 0 < share <= 1:
        raise InputError("share", share, "in (0, 1]")
    if share == 1:
        return flint.arb(1), flint.arb(0)
    bits = flint.ctx.prec
    # What is inverted near the equator is 1 - share; the slope there is of the order of d.
    with balls.precision(53 + 2 * d.bit_length()):
        by_cosine, start = _start(d, share)
    with balls.precision(bits + 2 * d.bit_length() + 20):
        root = _root(d, balls.ball(share), start, by_cosine, bits)
        pair = (1 - root, root) if by_cosine else (root, 1 - root)
    return pair


_ONE, _HALF = flint.arb(1), flint.arb(flint.fmpq(1, 2))
_MOST = 1 - flint.arb(2) ** -10


def _half_dimension(d: int) -> flint.arb:
    return flint.arb(flint.fmpq(d - 1, 2))


def _density(a: flint.arb, sine_square: flint.arb, cosine_square: flint.arb) -> flint.arb:
    """x^a (1 - x)^(1/2) / B(a, 1/2)."""
    beta = a.lgamma() + flint.arb.pi().log() / 2 - (a + _HALF).lgamma()
    return (a * sine_square.log() + cosine_square.log() / 2 - beta).exp()


def _ascending(a: flint.arb, z: flint.arb) -> flint.arb:
    """2F1(a + 1/2, 1; 3/2; z), all of whose terms are positive."""
    total = z.hypgeom([a + _HALF, _ONE], [_ONE + _HALF])
    if total.is_finite():
        return total
    total, term, n = flint.arb(0), flint.arb(1), 0  # Arb gives up on some large a
    least = flint.arb(2) ** (-flint.ctx.prec)
    while True:
        total += term
        ratio = z * (a + _HALF + n) / (_ONE + _HALF + n)  # decreases in n
        term, n = term * ratio, n + 1
        if ratio < 1 and term < least * total * (1 - ratio):
            return total + flint.arb(0).union(term / (1 - ratio))
        if not ratio.is_finite():
            return ratio


def _stieltjes(a: flint.arb, y: flint.arb) -> flint.arb:
    """2F1(1/2, 1; a + 1; -y), the mean of (1 + y t)^(-1/2) over a beta law of t.

    The Taylor sums of (1 + u)^(-1/2) lie on alternate sides of it for u >= 0, so the first term
    left out bounds what is left out, although the series itself diverges for y > 1.
    """
    total, term, n = flint.arb(0), flint.arb(1), 0
    least = flint.arb(2) ** (-flint.ctx.prec)
    while True:
        total += term
        following = -term * y * (n + _HALF) / (a + 1 + n)
        if abs(following) < least or not abs(following) < abs(term):
            return total + following.union(flint.arb(0))
        term, n = following, n + 1


def _start(d: int, share: Fraction) -> tuple[bool, flint.arb]:
    """Whether to solve for the cosine's square, and a few digits of the unknown.

    Newton's method starts from one of the bounds x^a <= I_x <= x^a/(a B(a, 1/2) (1 - x)^(1/2)).
    """
    a, p = _half_dimension(d), balls.ball(share)
    cosine = -(p.log() / a).expm1()
    by_cosine = bool(2 * cosine <= 1)
    beta = a.lgamma() + flint.arb.pi().log() / 2 - (a + _HALF).lgamma()
    start = cosine if by_cosine else ((p.log() + a.log() + beta) / a).exp().min(_MOST)
    return by_cosine, _newton(d, p, start.mid(), by_cosine, flint.arb(2) ** -24)


def _root(d: int, share: flint.arb, start: flint.arb, by_cosine: bool, bits: int) -> flint.arb:
    """Newton's method, and at last its interval form, which encloses the one root."""
    close = flint.arb(2) ** (-(bits // 2) - 8)
    unknown = _newton(d, share, start, by_cosine, close)
    around = unknown + flint.arb(0, 1) * unknown * close * 4
    value = doubled_share(d, unknown, by_cosine)
    better = unknown - (value - share) / _slope(d, around, by_cosine)
    return better if around.contains(better) else flint.arb(0, 1).union(flint.arb(1))


def _newton(
    d: int, share: flint.arb, unknown: flint.arb, by_cosine: bool, close: flint.arb
) -> flint.arb:
    """Newton's method for the logarithm of the share, until steps are relatively small."""
    for _ in range(_STEPS):
        value = doubled_share(d, unknown, by_cosine)
        step = value * (value / share).log() / _slope(d, unknown, by_cosine)
        relative = (step / unknown).mid()
        if not relative.is_finite():
            break
        if abs(relative) < close:
            break
        bounded = relative.min(_HALF)  # the unknown stays positive, and below 1
        unknown = (unknown * (1 - bounded)).mid().min(_MOST)
    return unknown


def _squares(square: flint.arb, of_cosine: bool) -> tuple[flint.arb, flint.arb]:
    """The squares of sine and cosine."""
    return (1 - square, square) if of_cosine else (square, 1 - square)


def _slope(d: int, unknown: flint.arb, by_cosine: bool) -> flint.arb:
    """The derivative of the doubled share by the unknown."""
    sine, cosine = _squares(unknown, by_cosine)
    slope = _density(_half_dimension(d), sine, cosine) / (sine * cosine)
    return -slope if by_cosine else slope
