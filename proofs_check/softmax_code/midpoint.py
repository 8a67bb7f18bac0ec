"""Proofs of the midpoint theorem and of what it says about the optimal codes themselves.

Vectors are written as plain symbols and inner products as products: the inner product is bilinear
and symmetric, so an identity between quadratic polynomials is one between inner products.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import cos, sin

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import dot, norm

Sides = dict[str, tuple[Any, Any]]

_w, _wk, _wj, _hk, _hj, _v, _h = sympy.symbols("w w_k w_j h_k h_j v h", real=True)
_a, _b, _c, _g = sympy.symbols("a b c g", nonnegative=True)
_rho, _positive = sympy.symbols("rho p", positive=True)
_rk, _rj, _sk, _sj, _t = sympy.symbols("r_k r_j s_k s_j t", real=True)
_angle, _turn = sympy.symbols("theta phi", positive=True)


def inner(form: Any, products: dict[Any, Any]) -> Any:
    """A quadratic form in vectors, expanded, with the known inner products put in."""
    return sympy.expand(form).subs(products)


# -- steps that several proofs share --------------------------------------------------------------


def folding() -> Iterator[Step]:
    """Without what it has against w, a direction loses no positive gap.

    Let <w_k, h> = -a < 0. The part of h orthogonal to w_k is h + a w_k, of length at most 1, so
    that normalising it does not shrink a positive gap; it is zero only where h = -w_k.
    """
    yield identity("<w, h + a w> = 0", inner(_w * (_h + _a * _w), {_w**2: 1, _w * _h: -_a}), 0)
    yield nonnegative(
        "|h + a w|^2 = 1 - a^2 is at most 1",
        1 - inner((_h + _a * _w) ** 2, {_w**2: 1, _h**2: 1, _w * _h: -_a}),
        [_a**2],
    )
    yield nonnegative(
        "<w_k - w_j, h + a w_k> is the old gap and a b, b = 1 - <w_k, w_j> >= 0",
        inner((_wk - _wj) * (_h + _a * _wk) - (_wk - _wj) * _h, {_wk**2: 1, _wk * _wj: 1 - _b}),
        [_a * _b],
    )
    yield nonnegative(
        "a positive gap over a length 1/(1+b) does not shrink",
        _positive * (1 + _b) - _positive,
        [_positive * _b],
    )


def pair_identity() -> Iterator[Step]:
    """Both gaps of a pair, by the midpoints."""
    yield identity(
        "<w_k - w_j, h_k> + <w_j - w_k, h_j> = |y_k - y_j|^2 - |e_k - e_j|^2, y = (w+h)/2",
        (_wk - _wj) * _hk + (_wj - _wk) * _hj,
        ((_wk + _hk - _wj - _hj) / 2) ** 2 - ((_hk - _wk - _hj + _wj) / 2) ** 2,
    )
    yk, yj = sympy.symbols("Y_k Y_j", real=True)
    yield identity(
        "|r_k Y_k - r_j Y_j|^2 = (r_k - r_j)^2 + 2 r_k r_j (1 - <Y_k, Y_j>) for unit Y",
        inner((_rk * yk - _rj * yj) ** 2, {yk**2: 1, yj**2: 1, yk * yj: _t}),
        (_rk - _rj) ** 2 + 2 * _rk * _rj * (1 - _t),
    )
    yield identity(
        "so half the gaps and half of |e_k - e_j|^2 - (r_k - r_j)^2 are r_k r_j (1 - <Y_k, Y_j>)",
        ((_rk - _rj) ** 2 + 2 * _rk * _rj * (1 - _t) - _g) / 2 + (_g - (_rk - _rj) ** 2) / 2,
        _rk * _rj * (1 - _t),
    )


def lengths() -> Iterator[Step]:
    """r and s = |e| lie on the unit circle, r >= s >= 0."""
    square = {_w**2: 1, _h**2: 1, _w * _h: _a}
    long, short = (inner(((_w + sign * _h) / 2) ** 2, square) for sign in (1, -1))
    yield identity("r^2 + s^2 = 1", long + short, 1)
    yield identity("r^2 - s^2 = <w, h>, which is >= 0: r >= s >= 0, r > 0", long - short, _a)


def turning() -> Iterator[Step]:
    """(r_k - r_j)^2 <= |e_k - e_j|^2: on that arc of the circle s differs no less than r."""
    yield from lengths()
    e_k, e_j = sympy.symbols("e_k e_j", real=True)
    yield identity(
        "|e_k - e_j|^2 = (s_k - s_j)^2 + 2 (s_k s_j - <e_k, e_j>), the last >= 0 by Cauchy-Schwarz",
        inner((e_k - e_j) ** 2, {e_k**2: _sk**2, e_j**2: _sj**2}),
        (_sk - _sj) ** 2 + 2 * (_sk * _sj - e_k * e_j),
    )
    change = (_sk - _sj) ** 2 + (_rk - _rj) ** 2
    excess = (_sk - _sj) ** 2 - (_rk - _rj) ** 2 - change * (_rk * _rj - _sk * _sj)
    circles = [_sk**2 + _rk**2 - 1, _sj**2 + _rj**2 - 1]
    yield identity(
        "(s_k - s_j)^2 - (r_k - r_j)^2 = ((s_k - s_j)^2 + (r_k - r_j)^2) (r_k r_j - s_k s_j)",
        sympy.reduced(excess, circles, _sk, _sj, _rk, _rj)[1],
        0,
    )
    yield nonnegative(
        "r_k r_j - s_k s_j >= 0 for s_k = a, r_k = a + c and s_j = b, r_j = b + g",
        (_a + _c) * (_b + _g) - _a * _b,
        [_c * _g + _a * _g + _b * _c],
    )


def midpoints_apart() -> Iterator[Step]:
    """1 - <Y_k, Y_j> >= r_k r_j (1 - <Y_k, Y_j>) >= rho, the least gap; if rho <= 0 it is trivial.

    Holds after `folding`, which keeps a positive margin.
    """
    yield from pair_identity()
    yield from turning()
    yield nonnegative(
        "x = 1 - <Y_k, Y_j> >= 0 and r_k r_j = 1/(1+b): x = (1+b)(rho + a) >= rho where rho > 0",
        (1 + _b) * (_rho + _a) - _rho,
        [_rho * _b + _a * (1 + _b)],
    )
    x = sympy.Symbol("x", nonnegative=True)
    yield nonnegative("x >= 0 >= rho = -a otherwise", x - (-_a), [x + _a])


def rigidity() -> Iterator[Step]:
    """x |w_k - Y_k|^2 = 2 x (1 - r_k) <= 2 (x - rho), x the least 1 - <Y_k, Y_j> of the class."""
    yield identity(
        "<w, (w+h)/2> = (1 + <w,h>)/2 = r^2: <w, Y> = r and |w - Y|^2 = 2 (1 - r)",
        inner(_w * (_w + _h) / 2, {_w**2: 1, _w * _h: 2 * _t**2 - 1}),
        _t**2,
    )
    yield nonnegative(
        "r_k x >= r_k r_j x >= rho, as r_j = 1 - b: 2 (x - rho) - 2 x (1 - r) = 2 (r x - rho)",
        2 * ((_rho + _a) + _b) - 2 * _rho,
        [2 * (_a + _b)],
    )
    x, r = sympy.symbols("x r", nonnegative=True)
    yield identity(
        "the two sides differ by 2 (r x - rho)",
        2 * (x - _rho) - 2 * x * (1 - r),
        2 * (r * x - _rho),
    )
    yield nonnegative("which is >= 0 where rho = -a as well", r * x + _a, [r * x + _a])


def own_directions() -> Step:
    """h = w has the gaps 1 - <w_k, w_j>."""
    return identity(
        "h = w has the gaps 1 - <w_k, w_j> = |w_k - w_j|^2/2",
        inner((_wk - _wj) ** 2 / 2, {_wk**2: 1, _wj**2: 1}),
        inner((_wk - _wj) * _wk, {_wk**2: 1}),
    )


# -- codes in balls, by plain loops ---------------------------------------------------------------


def directions(rows: Any) -> list[list[Any]]:
    """Rows over their norms, in balls."""
    found = []
    for row in rows:
        length = norm(row)
        found.append([balls.ball(x) / length for x in row])
    return found


def folded(w: Any, h: Any) -> list[list[Any]]:
    """Unit directions without what they have against their own unit w."""
    found = []
    for own, direction in zip(w, h, strict=True):
        against = dot(own, direction).min(balls.ball(0))
        found.append([y - against * x for x, y in zip(own, direction, strict=True)])
    return directions(found)


def sums(x: Any, y: Any, sign: int = 1) -> list[Any]:
    """x + y, or x - y."""
    return [balls.ball(a) + sign * balls.ball(b) for a, b in zip(x, y, strict=True)]


def gap(w: Any, h: Any, k: int, j: int) -> Any:
    """<w_k - w_j, h_k>."""
    return dot(sums(w[k], w[j], -1), h[k])


def least(values: Any) -> Any:
    """The least of some balls."""
    found = [balls.ball(v) for v in values]
    smallest = found[0]
    for value in found[1:]:
        smallest = smallest.min(value)
    return smallest


def others(K: int) -> list[tuple[int, int]]:
    """Ordered pairs of different classes."""
    return [(k, j) for k in range(K) for j in range(K) if j != k]


def margin(w: Any, h: Any) -> Any:
    """Least gap."""
    return least(gap(w, h, k, j) for k, j in others(len(w)))


def apart(y: Any, k: int, j: int) -> Any:
    """1 - <y_k, y_j>."""
    return 1 - dot(y[k], y[j])


def spread(y: Any) -> Any:
    """One less the largest inner product."""
    return least(apart(y, k, j) for k, j in others(len(y)))


CODES = [
    point(w=[[1, 0], [0, 1], [-1, 0]], h=[[2, 0], [0, 1], [-1, 1]]),
    point(w=[[3, 4], [-4, 3], ["1/2", -1]], h=[[4, 3], [-4, 3], [-1, 1]]),
    point(w=[[2], [-1]], h=[[1], [-3]]),
    point(w=[[1, 2, 2], [0, -1, 1], [2, -1, 0]], h=[[-1, -2, 3], [0, -1, 1], [2, -1, 1]]),
]


# -- the theorem ----------------------------------------------------------------------------------


@proof("gnc:sharp-1", "sharp", "any code, any directions", INNER_PRODUCT)
def midpoint_theorem(claim: Claim) -> Iterator[Step]:
    """Fold the directions, add both gaps of a pair, and read off the midpoints."""
    yield from folding()
    yield from midpoints_apart()
    yield from rigidity()
    yield own_directions()
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code, given = directions(w), directions(h)
        fold = folded(code, given)
        y = [[x / 2 for x in sums(a, b)] for a, b in zip(code, fold, strict=True)]
        e = [[x / 2 for x in sums(b, a, -1)] for a, b in zip(code, fold, strict=True)]
        r, Y = [norm(x) for x in y], directions(y)
        pairs = [(k, j) for k, j in others(len(w)) if k < j]
        bent = {(k, j): dot(*[sums(e[k], e[j], -1)] * 2) for k, j in pairs}
        rho = margin(code, fold)
        nearest = [least(apart(Y, k, j) for j in range(len(w)) if j != k) for k in range(len(w))]
        return {
            "pairs": (
                [
                    (gap(code, fold, k, j) + gap(code, fold, j, k)) / 2
                    + (bent[k, j] - (r[k] - r[j]) * (r[k] - r[j])) / 2
                    for k, j in pairs
                ],
                [r[k] * r[j] * apart(Y, k, j) for k, j in pairs],
            ),
            "directions turn no less than lengths": (
                [(r[k] - r[j]) * (r[k] - r[j]) for k, j in pairs],
                [bent[k, j] for k, j in pairs],
            ),
            "folding": (margin(code, given), rho.max(balls.ball(0))),
            "midpoints": (rho, spread(Y)),
            "weights": (
                [g * dot(*[sums(a, b, -1)] * 2) for g, a, b in zip(nearest, code, Y, strict=True)],
                [2 * (g - rho) for g in nearest],
            ),
        }

    yield tie("the claim compares these", claim, CODES, sides, ("pairs",))


@proof("gnc:conjecture-equivalence", "printed", "equal optimal values", INNER_PRODUCT)
def equal_values(claim: Claim) -> Iterator[Step]:
    """rho* <= 1 - t by the midpoints, rho* >= 1 - t by h = w.

    A code of positive one-vs-rest distance rho has directions of margin rho: those from its
    projections (`gnc:theorem-3.2`). Both optima are attained, as spheres are compact.
    """
    yield from folding()
    yield from midpoints_apart()
    yield own_directions()
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code = directions(w)
        fold = folded(code, directions(h))
        return {
            "Softmax to Tammes": (
                margin(code, fold),
                spread(directions([sums(a, b) for a, b in zip(code, fold, strict=True)])),
            ),
            "Tammes to Softmax": (spread(code), margin(code, code)),
        }

    yield tie("the claim compares these", claim, CODES, sides, ("Tammes to Softmax",))


# -- where the optimal codes may differ -----------------------------------------------------------


@proof("gnc:sharp-2", "sharp", "two points that touch only each other", INNER_PRODUCT)
def two_that_touch(claim: Claim) -> Iterator[Step]:
    """Turn the features of two points away from each other by phi.

    With u the unit tangent at w_1 towards w_2, w_2 = cos(theta) w_1 + sin(theta) u and h_1 =
    cos(phi) w_1 - sin(phi) u. Any other w_j at the angle psi has <w_j, u> >= -sin(psi) by
    Cauchy-Schwarz on what is orthogonal to w_1.
    """
    u = sympy.Symbol("u", real=True)
    unit = {_w**2: 1, u**2: 1, _w * u: 0}
    other = cos(_angle) * _w + sin(_angle) * u
    turned = cos(_turn) * _w - sin(_turn) * u
    both = inner((_w - other) * turned, unit)
    yield identity(
        "<w_1 - w_2, h_1> = cos phi (1 - cos theta) + sin phi sin theta",
        both,
        cos(_turn) * (1 - cos(_angle)) + sin(_turn) * sin(_angle),
    )
    yield identity(
        "which is cos phi - cos(theta + phi) = 2 sin(theta/2) sin(theta/2 + phi)",
        sympy.expand_trig(cos(_turn) - cos(_angle + _turn)),
        sympy.expand_trig(both),
    )
    x = sympy.Symbol("x", real=True)
    square = {_w**2: 1, _v**2: 1, _w * _v: x}
    yield identity(
        "|w_j - <w_1, w_j> w_1|^2 = 1 - <w_1, w_j>^2: |<w_j, u>| <= sin psi",
        inner((_v - x * _w) ** 2, square),
        1 - x**2,
    )
    yield nonnegative(
        "<w_1 - w_j, h_1> = cos phi (1 - cos psi) + sin phi <w_j, u>, <w_j, u> = a - sin psi",
        (_b * (1 - x) + _c * (_a - _g)) - (_b * (1 - x) - _c * _g),
        [_c * _a],
    )
    yield nonnegative(
        "<w_j - w_1, w_j> = 1 - cos psi is no less: cos phi = 1/(1+b), 1 - cos psi = a, the rest "
        "subtracted",
        _a - (_a / (1 + _b) - _c),
        [_a * _b / (1 + _b) + _c],
    )
    yield own_directions()
    yield assumes(claim, w="real", slope="nonnegative")

    def sides(w: Any, slope: Any) -> Sides:
        code, t = directions(w), balls.ball(number(slope))
        length = (1 + t * t).sqrt()
        c = dot(code[0], code[1])

        def sine(value: Any) -> Any:
            return (1 - value * value).max(balls.ball(0)).sqrt()

        h = [list(row) for row in code]
        for k in (0, 1):
            tangent = directions([sums(code[1 - k], [c * x for x in code[k]], -1)])[0]
            h[k] = [(x - t * y) / length for x, y in zip(code[k], tangent, strict=True)]
        two = (1 - c + t * sine(c)) / length
        found = [two]
        for j in range(2, len(w)):
            for k in (0, 1):
                x = dot(code[k], code[j])
                found.append((1 - x - t * sine(x)) / length)
            found += [apart(code, j, k) for k in range(2, len(w)) if k != j]
        return {
            "the two": (gap(code, h, 0, 1), two),
            "the two, the other way": (gap(code, h, 1, 0), two),
            "margin": (least(found), margin(code, h)),
        }

    codes = [
        point(w=[[1, 0], [0, 1], [-1, 0]], slope="1/3"),
        point(w=[[1, 2, 0], [2, 1, 1], [-1, 0, 3], [0, -2, -1]], slope=0),
        point(w=[[3, 1], [1, 2]], slope=2),
    ]
    exact = ("the two", "the two, the other way")
    yield tie("the claim compares these", claim, codes, sides, exact)


@proof("gnc:sharp-2", "sharp", "how far the two may turn")
def turning_room(claim: Claim) -> Iterator[Step]:
    """Sums of cosines as products; theta, phi and pi - psi are not negative, theta is positive."""
    yield identity(
        "cos phi - cos(theta + phi) - (1 - cos theta) = 4 sin(phi/2) sin(theta/2) "
        "cos((theta + phi)/2), each factor >= 0 as theta + phi <= pi",
        (cos(_turn) - cos(_angle + _turn) - (1 - cos(_angle))).rewrite(sympy.exp),
        (4 * sin(_turn / 2) * sin(_angle / 2) * cos((_angle + _turn) / 2)).rewrite(sympy.exp),
    )
    psi = sympy.Symbol("psi", positive=True)
    yield identity(
        "2 sin(psi/2) sin(psi/2 - phi) = cos phi - cos(psi - phi)",
        (2 * sin(psi / 2) * sin(psi / 2 - _turn)).rewrite(sympy.exp),
        (cos(_turn) - cos(psi - _turn)).rewrite(sympy.exp),
    )
    p, q = sympy.symbols("p q", real=True)
    yield identity(
        "cos(p - q) - cos(p + q) = 2 sin p sin q: no less than cos phi - cos(theta + phi), as "
        "theta + phi <= psi - phi <= pi; 2p the sum of these two, 2q their difference",
        sympy.expand_trig(cos(p - q) - cos(p + q)),
        2 * sin(p) * sin(q),
    )
    kinds = {"apart": "positive", "turn": "nonnegative", "clear": "nonnegative"}
    yield assumes(claim, **kinds, rest="nonnegative")

    def sides(apart: Any, turn: Any, clear: Any, rest: Any) -> Sides:
        first, second, third, last = (number(x) for x in (apart, turn, clear, rest))
        unit = balls.pi / balls.ball(first + 2 * second + third + last)
        theta, phi = unit * balls.ball(first), unit * balls.ball(second)
        beyond = unit * balls.ball(first + second + third)
        kept = balls.cos(phi) - balls.cos(theta + phi)
        one = 1 - balls.cos(theta)
        return {
            "the two": (kept - one, kept - one),
            "closer than they look": (one, kept),
            "others": (kept, balls.cos(phi) - balls.cos(beyond)),
        }

    points = [
        point(apart=1, turn=1, clear=0, rest=1),
        point(apart=3, turn="1/2", clear=1, rest=0),
        point(apart=1, turn=0, clear=2, rest=2),
    ]
    yield tie("the claim compares these", claim, points, sides, ("the two",))


@proof("gnc:sharp-2", "sharp", "the way between weight and feature")
def on_the_way(claim: Claim) -> Iterator[Step]:
    """x = (a w + b h)/N with a, b >= 0, N the length; <w, v> <= 1 - rho, <h, v> <= q - rho.

    Here rho is the least of the two gaps and q = <w, h>. If rho <= 0 there is nothing to show.
    """
    q = sympy.Symbol("q", real=True)
    N = sympy.Symbol("N", positive=True)
    yield identity(
        "N^2 = (a + b q)^2 + b^2 (1 - q^2): N >= a + b q",
        inner((_a * _w + _b * _h) ** 2, {_w**2: 1, _h**2: 1, _w * _h: q}),
        (_a + _b * q) ** 2 + _b**2 * (1 - q**2),
    )
    yield identity(
        "(a + b)^2 - N^2 = 2 a b (1 - q): N <= a + b",
        (_a + _b) ** 2 - (_a**2 + _b**2 + 2 * _a * _b * q),
        2 * _a * _b * (1 - q),
    )
    bound = (_a * (1 - _rho) + _b * (q - _rho)) / N
    yield identity(
        "1 - <x, v> - rho >= ((N - a - b q) + rho (a + b - N))/N, both terms >= 0",
        1 - bound - _rho,
        ((N - _a - _b * q) + _rho * (_a + _b - N)) / N,
    )
    yield assumes(claim, w="real", h="real", v="real", a="nonnegative", b="nonnegative")

    def sides(w: Any, h: Any, v: Any, a: Any, b: Any) -> Sides:
        x, y, z = directions([w, h, v])
        first, second = balls.ball(number(a)), balls.ball(number(b))
        mixed = [first * s + second * t for s, t in zip(x, y, strict=True)]
        rho = least([1 - dot(x, z), dot(sums(x, z, -1), y)])
        return {"on the way": (rho, 1 - dot(mixed, z) / norm(mixed))}

    points = [
        point(w=[1, 0], h=[1, 1], v=[-1, 2], a=1, b=2),
        point(w=[1, 2, 2], h=[2, 1, 2], v=[0, -3, 4], a="1/2", b=1),
        point(w=[3, 4], h=[4, 3], v=[0, 1], a=0, b=1),
    ]
    yield tie("the claim compares these", claim, points, sides)
