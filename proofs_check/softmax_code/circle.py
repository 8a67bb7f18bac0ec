"""Points on a circle: their one-vs-rest distances, and how even gaps make the least one largest.

What the proofs of `known_codes` on the plane share; angles a and b are half gaps to the neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import cos, log, sin

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.softmax_code import known_codes
from proofs_check.softmax_code.hardmax import weak_duality
from proofs_check.steps import Step, identity, nonnegative, point

_h, _v = sympy.symbols("h v", real=True)


def neighbours() -> Iterator[Step]:
    """A point between the half gaps a and b has the one-vs-rest distance 2 sin a sin b.

    Let both be at most pi/2. Turn the plane so that the point is at the angle a - b, its neighbours
    at a + b and -(a + b), and h = (1, 0); all others are at angles q between them, the far way
    round, and a + b <= pi. The point less 2 sin a sin b h lies between the neighbours.

    If a half gap exceeds pi/2, put a = pi/2 for it. The weight of its neighbour in the hull is then
    zero, and the others are at angles q with a + b <= q <= 2 pi - (a + b) as before.
    """
    a, b = sympy.symbols("a b", positive=True)
    yield identity(
        "cos(a - b) - cos(a + b) = 2 sin a sin b: the gaps of the neighbours",
        sympy.expand_trig(cos(a - b) - cos(a + b)),
        2 * sin(a) * sin(b),
    )
    yield identity(
        "cos p - cos q = 2 sin((q+p)/2) sin((q-p)/2) >= 0 for p = a + b <= q <= 2 pi - p",
        sympy.expand_trig(cos(_h - _v) - cos(_h + _v)),
        2 * sin(_h) * sin(_v),
    )
    share = cos(a) * sin(b) / sin(a + b)
    yield identity(
        "weights cos a sin b and sin a cos b over sin(a + b) add up to 1",
        sympy.expand_trig(cos(a) * sin(b) + sin(a) * cos(b) - sin(a + b)),
        0,
    )
    yield identity(
        "their point of the hull has the first coordinate cos(a + b) of the neighbours,",
        sympy.expand_trig(cos(a - b) - 2 * sin(a) * sin(b) - cos(a + b)),
        0,
    )
    yield identity(
        "and the second coordinate sin(a - b) of the point",
        sympy.expand_trig((1 - 2 * share) * sin(a + b) - sin(a - b)),
        0,
    )
    yield from weak_duality()


def log_sine() -> Iterator[Step]:
    """prod 2 sin x_k sin x_(k+1) <= (2 sin^2(pi/K))^K exp(-K s) for x_k in (0, pi/2], sum <= pi.

    With u = pi/K <= pi/2, so that cot u >= 0: log sin x <= log sin u + (x - u) cot u - (x - u)^2/2,
    and the sum over k of the middle terms is not positive. Zero gaps by continuity.
    """
    x = sympy.Symbol("x", positive=True)
    yield identity(
        "(log sin)'' + 1 = -cot^2: the second derivative is at most -1",
        sympy.diff(log(sin(x)), x, 2) + 1,
        -((cos(x) / sin(x)) ** 2),
    )
    yield identity("(log sin)' = cot", sympy.diff(log(sin(x)), x), cos(x) / sin(x))
    slope, turn = sympy.symbols("cot turn", nonnegative=True)
    x1, x2, u, base = sympy.symbols("x_1 x_2 u base", real=True)
    logs = [base + slope * (y - u) - (y - u) ** 2 / 2 for y in (x1, x2)]
    yield identity(
        "twice the sum (each sine is in two distances), for K = 2 as for any K",
        2 * sum(logs) - 2 * slope * (x1 + x2 - 2 * u),
        4 * base - 2 * ((x1 - u) ** 2 + (x2 - u) ** 2) / 2,
    )
    yield nonnegative(
        "the cut half gaps add up to pi - turn, K u = pi: the middle terms are -cot turn",
        slope * turn,
        [slope, turn],
    )
    K = sympy.Symbol("K", integer=True, positive=True)
    named = symbolic.symbols(known_codes.polygon_distance)
    yield identity(
        "2 sin^2(pi/K) is the optimum, 1 - cos(2 pi/K)",
        symbolic.expression(known_codes.polygon_distance).subs(named["K"], K),
        1 - cos(2 * sympy.pi / K),
    )


STEPS = [
    point(steps=[1, 1, 1]),
    point(steps=[1, 2]),
    point(steps=[1, 2, 3, 1]),
    point(steps=[5, 1, 1]),
    point(steps=[1, 9, 1, 1, "1/2"]),
]


def planar_code(steps: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Points, best directions, cut half gaps and one-vs-rest distances."""
    K, whole = len(steps), sum(steps)
    half = [balls.pi * balls.ball(Fraction(s) / Fraction(whole)) for s in steps]
    cut = [x.min(balls.pi / 2) for x in half]
    turned, angles = balls.ball(0), []
    for x in half:
        turned = turned + 2 * x
        angles.append(turned)
    best = [angles[k] - cut[k] + cut[k + 1 - K] for k in range(K)]
    distances = [2 * balls.sin(cut[k]) * balls.sin(cut[k + 1 - K]) for k in range(K)]
    return circle(angles), circle(best), cut, distances


def circle(angles: list[Any]) -> list[Any]:
    """Points of the unit circle."""
    return [[balls.cos(t), balls.sin(t)] for t in angles]


def uneven(cut: list[Any]) -> Any:
    """Mean square of x_k - pi/K."""
    off = [x - balls.pi / len(cut) for x in cut]
    return sum((x * x for x in off), balls.ball(0)) / len(cut)


def polygon(K: int) -> Any:
    """1 - cos(2 pi/K)."""
    return 1 - balls.cos(2 * balls.pi / K)
