"""Proofs about directions of negative curvature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.steps import Fact, Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.unconstrained.points import Point, Sides, in_balls, square
from proofs_check.unconstrained.regularised_risk import DOMAIN, with_

TAYLOR = Fact(
    "Taylor's theorem",
    "The cross-entropy at h + d is at most that at h, the slope and half the largest second "
    "derivative along d between them, which is the variance of d under some softmax.",
    "Rudin, Principles of Mathematical Analysis, Theorem 5.15",
)
POPOVICIU = Fact(
    "Popoviciu's inequality",
    "The variance of a number between a and b is at most (b - a)^2/4.",
    "T. Popoviciu, Mathematica 9 (1935), 129-145",
)

_la, _lf, _s, _N, _w2 = sympy.symbols("lambda_A lambda_F s N w2", positive=True)
_x, _w, _g, _f, _a = sympy.symbols("x w g f a", real=True)


def unused_route() -> Iterator[Step]:
    """A step along an unused w: no first-order change of the outputs, and what decay costs."""
    yield identity(
        "x - <x, w> w/|w|^2 has no part along w, with |w|^2 = w2", _x - _x / _w2 * _w2, 0
    )
    yield identity(
        "no slope: <dR/dA, u w^T> = u^T (G F w + lambda_A A w), and both ends vanish",
        _g * (_f * 0) + _la * (_a * 0),
        0,
    )
    r = (_la / _lf) ** sympy.Rational(1, 4)
    yield identity("the powers cancel in the product of the steps", 1 / r * r, 1)
    yield identity(
        "half the second derivative: decay of both, and <u, G v> = |G^T u| = s",
        _w2 * (_la / r**2 / 2 + _lf * r**2 / 2 - _s),
        _w2 * (sqrt(_la * _lf) - _s),
    )
    yield identity("v = G^T u/s is a unit vector, and <u, G v> = s", _s**2 / _s, _s)


class _Direction:
    """The point without w, the unit vectors u and v, and s."""

    def __init__(self, F: Any, A: Any, b: Any, u: Any, w: Any, lambda_A: Any, lambda_F: Any):
        self.w = in_balls(w)
        self.length = square(self.w)
        free = in_balls(np.eye(len(w))) - np.outer(self.w, self.w) / self.length
        whole = in_balls(F)
        self.decays = lambda_A, lambda_F
        self.at = Point(whole @ free, in_balls(A) @ free, b, lambda_A, lambda_F)
        self.u = in_balls(u) / square(in_balls(u)).sqrt()
        image = self.at.G.T @ self.u
        self.s = square(image).sqrt()
        self.v = image / self.s


@proof("review:eq-27", "corrected", "inverse powers, any point that leaves w unused")
def inverse_powers(claim: Claim) -> Iterator[Step]:
    """The outputs move to second order only; collect that order."""
    yield from unused_route()
    yield assumes(claim, **DOMAIN, u="real", w="real")

    def sides(**instance: Any) -> Sides:
        d = _Direction(**instance)
        zero = balls.ball(0)
        curvature = 2 * d.length * (d.at.sigma - d.s)
        return {"no slope": (zero, zero), "curvature": (curvature, curvature)}

    given = _directions()
    yield tie("the claim compares these", claim, given, sides, ("no slope", "curvature"))


@proof("review:eq-27", "sharp", "how far down it leads", TAYLOR, POPOVICIU)
def how_far_down(claim: Claim) -> Iterator[Step]:
    """A quadratic in the squared step: its least value."""
    yield from unused_route()
    a, b = sympy.symbols("a b", real=True)
    yield nonnegative(
        "(b - a)^2/4 <= (a^2 + b^2)/2 <= |d|^2/2: the second derivative of the loss",
        (a**2 + b**2) / 2 - (b - a) ** 2 / 4,
        [(a + b) ** 2, sympy.Rational(1, 4)],
    )
    sigma, w = sympy.symbols("sigma excess", positive=True)
    y = 2 * _N * w
    yield identity(
        "with y = e^2 |w|^2 the change is at most y (sigma - s) + y^2/(4 N); y = 2 N (s - sigma)",
        y * (sigma - (sigma + w)) + y**2 / (4 * _N),
        -_N * w**2,
    )
    yield identity("nothing is claimed where s <= sigma, and no step is taken", 2 * _N * 0, 0)
    yield assumes(claim, **DOMAIN, u="real", w="real")

    def sides(**instance: Any) -> Sides:
        d = _Direction(**instance)
        at = d.at
        excess = (d.s - at.sigma).max(balls.ball(0))
        size = (2 * at.N * excess / d.length).sqrt()
        ratio = (at.lA / at.lF).root(4)
        A = at.A + size / ratio * np.outer(d.u, d.w)
        columns = at.F - size * ratio * np.outer(d.w, d.v)
        F = columns.T.reshape(at.K, at.n, at.m)
        after = Point(F, A, at.b, *d.decays)
        return {"gain": (at.N * excess * excess, at.risk - after.risk)}

    yield tie("the claim compares these", claim, _directions(), sides)


def _directions() -> list[dict[str, Any]]:
    """The given points with directions, and one with the features at zero."""
    given = with_(lambda_A="1/20", lambda_F="1/3")
    given[0].update(point(u=[1, -1, 0], w=[1, 2]))
    given[1].update(point(u=[1, -1], w=[2]))
    return given
