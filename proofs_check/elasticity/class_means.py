"""Proofs about the class means along the LE-ODE."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.elasticity import class_means as theory
from ncbounds.theory.terms import Claim
from proofs_check.elasticity.drift import Sides, same
from proofs_check.elasticity.transformation import directions, matrix, reduced, residuals, vectors
from proofs_check.facts import DERIVATIVE_SIGN, INNER_PRODUCT, TRIANGLE
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_t, _K = sympy.symbols("t K", positive=True)
_first, _second, _start, _d, _u = sympy.symbols("first second start d u", real=True)


class Start:
    """The class means at the start, exact: coordinates, simplex and the other response."""

    def __init__(self, f: Any, alpha: Fraction, beta: Fraction) -> None:
        self.K, self.f = len(f), np.array(f, dtype=object)
        self.d = directions(self.K, self.K)
        own = self.d[0] @ self.d[0]
        self.c = np.array([row @ x for row, x in zip(self.d, self.f, strict=True)]) / own
        self.tau = sum(self.c) / Fraction(self.K)
        centred = (self.c - self.tau)[:, None] * self.d
        self.matrix = matrix(self.K, self.K, alpha, beta)
        self.u = self.applied(centred)
        self.simplex = self.tau * self.d

    def applied(self, F: Any) -> Any:
        """M F."""
        shape = (self.K, self.K)
        return (self.matrix @ np.reshape(F, self.K * self.K)).reshape(shape)


def flow() -> Iterator[Step]:
    """F(t) in closed form: its derivative, and M F(t) by the eigenvectors."""
    grown = _start + _d * (sympy.exp(_first * _t / _K) - 1)
    grown += _u * (sympy.exp(_second * _t / _K) - 1) / _second
    yield identity(
        "its derivative, an entry",
        sympy.diff(grown, _t),
        (_first * _d * sympy.exp(_first * _t / _K) + _u * sympy.exp(_second * _t / _K)) / _K,
    )
    yield identity(
        "M F(0) = first tau d + u, M d = first d, M u = second u: M F(t) is K times that",
        (_first * _d + _u)
        + _first * _d * (sympy.exp(_first * _t / _K) - 1)
        + _second * _u * (sympy.exp(_second * _t / _K) - 1) / _second,
        _first * _d * sympy.exp(_first * _t / _K) + _u * sympy.exp(_second * _t / _K),
    )
    yield identity("at t = 0", grown.subs(_t, 0), _start)


@proof("review:eq-47", "printed", "the solution under local elasticity")
def solution(claim: Claim) -> Iterator[Step]:
    """Eigenvectors, and a second eigenvalue that nu > 0 keeps away from 0."""
    yield from residuals()
    yield from reduced()
    yield from vectors()
    yield from flow()
    gap, rest, more = sympy.symbols("gap rest more", nonnegative=True)
    size = 2 + more
    alpha, beta = ((size - 1) * gap + rest) / size, (rest - gap) / size
    yield identity("alpha - beta", alpha - beta, gap)
    yield identity("alpha + (K-1) beta", alpha + (size - 1) * beta, rest)
    yield nonnegative(
        "alpha + beta/(K-1) = ((K-2) gap + rest)/(K-1), positive with rest",
        alpha + beta / (size - 1),
        [1 / (size - 1), more * gap + rest],
    )
    yield assumes(claim, f="real", gap="positive", rest="positive", t="positive")

    def sides(f: Any, gap: Any, rest: Any, t: Any) -> Sides:
        K, g, r, time = len(f), number(gap), number(rest), number(t)
        a, b = ((K - 1) * g + r) / K, (r - g) / K
        start = Start(f, a, b)
        second = a + b / (K - 1)
        fast = balls.ball((g - max(g, second)) * time / K).exp()
        slow = balls.ball((second - max(g, second)) * time / K).exp()
        size = balls.ball(sum(sum(abs(row)) for row in f) * (abs(a) + abs(b)))
        moved = (exact(g * start.simplex) * fast + exact(start.u) * slow) / K
        return {
            "constant part in the kernel": same(exact(0 * start.f) + size),
            "LE-ODE": same(moved + size),
        }

    points = [
        point(f=[[1, 2], [-1, "1/2"]], gap=1, rest="1/2", t=1),
        point(f=[[0, 1, 2], [3, -1, 0], [1, 1, 1]], gap="1/3", rest=2, t="1/2"),
    ]
    names = ("constant part in the kernel", "LE-ODE")
    yield tie("the claim compares these", claim, points, sides, names)


@proof(
    "review:eq-47",
    "corrected",
    "impacts between classes negative",
    DERIVATIVE_SIGN,
    INNER_PRODUCT,
    TRIANGLE,
)
def alignment(claim: Claim) -> Iterator[Step]:
    """F(t) - tau e^(first t/K) d = F(0) - tau d + u times an integral, which is easily bounded."""
    yield from residuals()
    yield from reduced()
    yield from vectors()
    yield from flow()
    tau = sympy.Symbol("tau", real=True)
    yield identity(
        "what is left, over e^(first t/K)",
        (
            _start
            + tau * _d * (sympy.exp(_first * _t / _K) - 1)
            - tau * _d * sympy.exp(_first * _t / _K)
        ),
        _start - tau * _d,
    )
    gap, repulsion = sympy.symbols("gap repulsion", positive=True)
    yield identity(
        "second - first, over K: the others fall behind at the rate |beta|/(K-1)",
        ((gap - repulsion - repulsion / (_K - 1)) - gap) / _K,
        -repulsion / (_K - 1),
    )
    s = sympy.Symbol("s", positive=True)
    yield identity(
        "(e^(second t/K) - 1)/second is the integral of e^(second s/K)/K over [0, t], at most "
        "t/K times the larger of its ends",
        sympy.diff((sympy.exp(_second * s / _K) - 1) / _second, s),
        sympy.exp(_second * s / _K) / _K,
    )
    found = symbolic.symbols(theory.alignment_deviation)
    start, others, size = found["start"], found["others"], found["K"]
    ends = sympy.Max(
        sympy.exp(-found["gap"] * found["t"] / size),
        sympy.exp(-found["repulsion"] * found["t"] / (size - 1)),
    )
    yield identity(
        "the bound",
        symbolic.expression(theory.alignment_deviation),
        (start * sympy.exp(-found["gap"] * found["t"] / size) + others * found["t"] / size * ends)
        / found["tau"],
    )
    x, y, less, more, norm = sympy.symbols("x y less more norm", nonnegative=True)
    yield nonnegative(
        "|r_i| = x, |r_j| = y: x^2 + y^2 <= e^2 or x = y = e, so x + y <= 2 e",
        4 * (x**2 + y**2 + less) - (x + y) ** 2,
        [2 * x**2 + 2 * y**2 + (x - y) ** 2 + 4 * less],
    )
    yield nonnegative("and x y <= e^2", x**2 + y**2 - x * y, [(x - y) ** 2 + x * y])
    yield nonnegative(
        "<d_i, r_j> + <r_i, d_j> + <r_i, r_j> is at most 2 |d| e + e^2, for 2 e = x + y + less and "
        "e^2 = x y + more",
        (norm * (x + y + less) + x * y + more) - (norm * (x + y) + x * y),
        [norm * less + more],
    )
    a, b = sympy.symbols("a b", real=True)
    yield nonnegative(
        "a difference of two entries is at most sqrt(2) e",
        2 * (a**2 + b**2) - (a - b) ** 2,
        [(a + b) ** 2],
    )
    yield identity("and of d_k it is 1", (1 - 1 / _K) - (-1 / _K), 1)
    yield assumes(claim, f="real", gap="positive", repulsion="positive", t="positive")
    points = [
        point(f=[[1, 2], [-1, "1/2"]], gap=1, repulsion="1/3", t=1),
        point(f=[[0, 1, 2], [3, -1, 0], [1, 1, 1]], gap="1/3", repulsion=2, t="1/2"),
        point(f=[[3, 1], [0, 2]], gap="1/3", repulsion=2, t=20),
    ]
    yield tie("the claim compares these", claim, points, _alignment_sides, ("LE-ODE",))


def _alignment_sides(f: Any, gap: Any, repulsion: Any, t: Any) -> Sides:
    K, g, b, time = len(f), number(gap), number(repulsion), number(t)
    second = g - b * Fraction(K, K - 1)
    start = Start(f, g - b, -b)
    grown = balls.ball(g * time / K).exp()
    others = balls.ball(second * time / K).exp()
    at_t = exact(start.f) + exact(start.simplex) * (grown - 1)
    at_t = at_t + exact(start.u) * ((others - 1) / balls.ball(second))
    tau = balls.ball(start.tau)
    y = at_t / (tau * grown)
    moved = (exact(g * start.simplex) + exact(start.u) * (others / grown)) / K
    size = balls.ball(sum(sum(abs(row)) for row in f) * (g + b))

    def length(F: Any) -> Any:
        return balls.ball(sum(x * x for x in np.ravel(F))).sqrt()

    slow = balls.ball(-b * time / (K - 1)).exp()
    bound = length(start.f - start.simplex) / grown
    bound = bound + length(start.u) * balls.ball(time / K) * (1 / grown).max(slow)
    bound = bound / abs(tau)
    away = y - exact(start.d)
    products, wanted = y @ y.T, exact(start.d @ start.d.T)
    far, largest = balls.ball(0), balls.ball(-(10**9))
    for entry in np.ravel(products - wanted):
        far = far.max(abs(entry))
    for k in range(K):
        for r in range(K):
            if r != k:
                largest = largest.max(1 - (y[k, k] - y[k, r]))
    return {
        "LE-ODE": same(moved + size),
        "deviation": (sum(x * x for x in np.ravel(away)).sqrt(), bound),
        "Gram matrix": (far, 2 * balls.ball(Fraction(K - 1, K)).sqrt() * bound + bound * bound),
        "margins": (largest, balls.ball(2).sqrt() * bound),
    }


@proof("review:eq-47", "sharp", "impacts that vary")
def varying(claim: Claim) -> Iterator[Step]:
    """V M F = (V U) V F: the coordinates obey an equation of their own; its matrices commute."""
    yield from residuals()
    yield from reduced()
    yield from vectors()
    yield from flow()
    c, tau = sympy.symbols("c tau", real=True)
    yield identity(
        "coordinates after a phase: V d = 1, V u = second (c - tau)",
        c
        + tau * (sympy.exp(_first * _t / _K) - 1)
        + _second * (c - tau) * (sympy.exp(_second * _t / _K) - 1) / _second,
        tau * sympy.exp(_first * _t / _K) + (c - tau) * sympy.exp(_second * _t / _K),
    )
    a, b, s, r = sympy.symbols("a b s r", real=True)
    yield identity(
        "and phases add up in the exponents",
        sympy.exp(a * s / _K) * sympy.exp(b * r / _K),
        sympy.exp((a * s + b * r) / _K),
    )
    yield assumes(claim, f="real", alpha="real", beta="real", time="positive")

    def sides(f: Any, alpha: Any, beta: Any, time: Any) -> Sides:
        K = len(f)
        start = Start(f, Fraction(1), Fraction(0))
        A = sum(x * y for x, y in zip(alpha, time, strict=True))
        B = sum(x * y for x, y in zip(beta, time, strict=True))
        most = sum(
            max(x - y, x + y / (K - 1), 0) * h / K
            for x, y, h in zip(alpha, beta, time, strict=True)
        )
        one = balls.ball((A - B) / K - most).exp()
        other = balls.ball((A + B / (K - 1)) / K - most).exp()
        size = balls.ball(sum(abs(start.c)))
        grown = [balls.ball(start.tau) * one + balls.ball(x - start.tau) * other for x in start.c]
        return {"coordinates": same([x + size for x in grown])}

    points = [
        point(f=[[1, 2], [-1, "1/2"]], alpha=[1, 2], beta=[-2, "1/2"], time=[1, "1/2"]),
        point(f=[[0, 1, 2], [3, -1, 0], [1, 1, 1]], alpha=["1/3"], beta=[2], time=[1]),
    ]
    yield tie("the claim compares these", claim, points, sides, ("coordinates",))
