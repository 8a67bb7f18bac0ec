"""Proofs about the linearised flow: its eigenspaces, its solution, and the bounds on it.

Up to the features less their class means, which rest, a pair is given by the rows a_c of A and
u_c = sqrt(n) times the class means, and with r = sqrt(n) the flow of the square error is
``u_c' = r (a_c - beta sum_k a_k)``, ``a_c' = r (u_c - beta sum_k u_k)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import diff, exp

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from ncbounds.theory.unconstrained import linear_flow as theory
from proofs_check.facts import LOGARITHM
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.square_loss.flow_network import CALCULUS, same
from proofs_check.steps import Step, assumes, identity, nonnegative, number, proof, tie
from proofs_check.unconstrained.square_flow import stepped
from proofs_check.unconstrained.square_model import (
    FIELDS,
    FROBENIUS,
    PYTHAGORAS,
    STEP_FIELDS,
    UNIQUE_SOLUTION,
    ByHand,
    length,
    points,
    seen,
    square_steps,
)
from proofs_check.unconstrained.strong_collapse import is_formula

Sides = dict[str, tuple[Any, Any]]
_a, _u, _z, _total, _beta = sympy.symbols("a u z total beta", real=True)
_r, _K, _N = sympy.symbols("r K N", positive=True)
_t = sympy.Symbol("t", nonnegative=True)

# -- steps that several proofs take ----------------------------------------------------------------


def in_rows() -> Iterator[Step]:
    """The operator in the rows a_c and u_c."""
    yield identity(
        "a feature's rate, times r", _r * (_a - _beta * _total), _r * _a - _r * _beta * _total
    )
    yield identity(
        "sums of features: n/r = r times those of u",
        _r**2 / _r * _u - _beta * _r**2 / _r * _total,
        _r * (_u - _beta * _total),
    )
    f, mean = sympy.symbols("f mean", real=True)
    yield identity(
        "features of one class have one rate: what is apart rests", (f + _z) - (mean + _z), f - mean
    )


def eigenspaces() -> Iterator[Step]:
    """E_1 has rows of zero sum and u = +-a, E_2 equal rows and u = +-a; on E_3 nothing moves."""
    for sign in (1, -1):
        yield identity(
            f"E_1 with {sign:+}: u' = r a, a' = r u",
            (_r * _a) * sign,
            _r * sign * sign * (sign * _a),
        )
        yield identity(
            f"E_2 with {sign:+}: rows r z, u = {sign:+} r z",
            _r * (_r * _z - _beta * _K * _r * _z),
            sign * _r * (1 - _K * _beta) * (sign * _r * _z),
        )


def complete() -> Iterator[Step]:
    """The projections add up, and so do their squared norms."""
    up, down = (_a + _u) / 2, (_a - _u) / 2
    yield identity("rows", up + down, _a)
    yield identity("means", up - down, _u)
    yield identity(
        "squares: either part of a pair has the same", 2 * up**2 + 2 * down**2, _a**2 + _u**2
    )
    x, mean = sympy.symbols("x mean", real=True)
    yield identity(
        "a row and its mean: the cross term adds up to zero",
        (x - mean) ** 2 + 2 * (x - mean) * mean + mean**2,
        x**2,
    )
    yield identity("n means of a class: u^2", _r**2 * (_u / _r) ** 2, _u**2)


def solved() -> Iterator[Step]:
    """The factors of the eigenspaces, by their derivatives, and the bias."""
    for name, slower in (("square error", sympy.Integer(1)), ("mean squared error", _N)):
        n = _r**2
        K = _N / n
        settled = 1 - exp(-_N * _t / slower)
        beta, growth, turn = settled / K, exp(_r * _t / slower), settled * _r / _N
        yield identity(f"{name}: the bias", diff(beta, _t), n * (1 - K * beta) / slower)
        yield identity(f"{name}: E_1", diff(growth, _t), _r / slower * growth)
        for sign in (1, -1):
            factor = exp(sign * turn)
            yield identity(
                f"{name}: E_2 with {sign:+}",
                diff(factor, _t),
                sign * _r / slower * (1 - K * beta) * factor,
            )
        yield identity(f"{name}: all factors are 1 at the start", turn.subs(_t, 0), 0)
        yield identity(f"{name}: n over the clock is 1/K", n / _N, 1 / K)


def no_larger() -> Iterator[Step]:
    """All factors but that of E_1^+ are at most e^g, and g < 1/(K r), with w = e^(-Nt)."""
    h = sympy.Symbol("h", nonnegative=True)
    w = 1 / (1 + h)
    g = (1 - w) / (_K * _r)
    yield nonnegative(
        "g is not negative, so e^g >= 1 >= e^(-g)", g, [h, 1 / (1 + h), 1 / _K, 1 / _r]
    )
    yield nonnegative("nor larger than 1/(K r)", 1 / (_K * _r) - g, [w, 1 / _K, 1 / _r])
    yield nonnegative("and e^(-rt) <= 1", _r * _t, [_r, _t])
    yield identity("1/(K sqrt(n)) = sqrt(n)/N", 1 / (_K * _r), _r / (_K * _r**2))


def formulas() -> Iterator[Step]:
    """The two factors as the theory has them."""
    n = sympy.Symbol("n", positive=True)
    yield is_formula(
        "the largest factor", theory.largest_factor, exp(1 / (_K * sympy.sqrt(n))), K=_K, n=n
    )
    yield is_formula(
        "and that at a time",
        theory.factor_at,
        exp((1 - exp(-_K * n * _t)) / (_K * sympy.sqrt(n))),
        K=_K,
        n=n,
        t=_t,
    )


# -- by hand ---------------------------------------------------------------------------------------


def paired(F: Any, A: Any) -> Any:
    """Features and weights as the claims pair them."""
    return np.concatenate([exact(F), exact(A)[:, None, :]], axis=1)


class Linear:
    """The linearised flow by hand, in the rows a_c and u_c."""

    def __init__(self, F: Any, A: Any, t: Any, mean: bool = False) -> None:
        self.at = ByHand(F, A)
        self.K, self.n = self.at.K, self.at.n
        self.r, self.time = balls.ball(self.n).sqrt(), balls.ball(number(t))
        self.slower = self.at.N if mean else 1
        s = self.time / self.slower
        self.settled = 1 - (-self.at.N * s).exp()
        self.beta = self.settled / self.K
        g = self.settled / (self.K * self.r)
        self.factors = [(self.r * s).exp(), (-self.r * s).exp(), g.exp(), (-g).exp()]
        u = exact(F.sum(axis=1)) / self.r
        halves = ((exact(A) + u) / 2, (exact(A) - u) / 2)
        means = [np.repeat(h.sum(axis=0)[None] / self.K, self.K, axis=0) for h in halves]
        self.rows = [halves[0] - means[0], halves[1] - means[1], *means]
        self.apart = self.at.nested(self.at.apart)

    def lifted(self, place: int) -> Any:
        """The component of the start in one of the first four eigenspaces, as a pair."""
        rows = self.rows[place]
        features = rows / self.r * (1 if place % 2 == 0 else -1)
        return paired(np.repeat(features[:, None, :], self.n, axis=1), rows)

    @property
    def resting(self) -> Any:
        """The component in E_3."""
        return paired(self.apart, 0 * self.at.A)

    @property
    def rest(self) -> Any:
        """The pair at the time less its growing component."""
        return sum((self.lifted(i) * self.factors[i] for i in (1, 2, 3)), self.resting)

    @property
    def pair(self) -> Any:
        """The pair at the time."""
        return self.lifted(0) * self.factors[0] + self.rest

    @property
    def off(self) -> Any:
        """The start less its component in T."""
        return paired(self.at.nested(self.at.F), self.at.A) - self.lifted(0)

    def moved(self, U: Any, beta: Any) -> Any:
        """The operator of the square error, by matrix products."""
        A = U[:, -1]
        F = U[:, :-1].reshape(self.at.N, -1).T
        Z = exact(self.at.Y) - beta
        return paired(self.at.nested(A.T @ Z), Z @ F.T)

    def solves(self) -> Sides:
        """What the claims say of the closed form as a solution."""
        rate = self.moved(self.pair, self.beta) / self.slower
        given = paired(self.at.nested(self.at.F), self.at.A)
        slope = np.full(self.K, self.n * (1 - self.K * self.beta) / self.slower + 1, dtype=object)
        return {
            "flow": seen(rate, rate, (self.pair,)),
            "start": seen(given, given, (given,)),
            "bias": same(slope),
        }


_KINDS = {"F": "real", "A": "real", "t": "nonnegative"}
_SOLVES = ("flow", "start", "bias")


def bounded(claim: Claim, mean: bool) -> Iterator[Step]:
    """The solution, component by component, and the largest of the other factors."""
    yield from in_rows()
    yield from eigenspaces()
    yield from complete()
    yield from solved()
    yield from no_larger()
    yield from formulas()

    def sides(F: Any, A: Any, t: Any) -> Sides:
        found = Linear(F, A, t, mean)
        top = (1 / (found.K * found.r)).exp()
        return {**found.solves(), "distance": (length(found.rest), top * length(found.off))}

    yield assumes(claim, **_KINDS)
    yield tie("the claim compares these", claim, points("F", "A", t="1/3"), sides, _SOLVES)


_FACTS = (CALCULUS, UNIQUE_SOLUTION, PYTHAGORAS, LOGARITHM)


@proof("review:eq-19", "printed", "kappa is the number of classes", *_FACTS)
def square_error(claim: Claim) -> Iterator[Step]:
    """(19)."""
    yield from bounded(claim, mean=False)


@proof("review:remark-a3-final", "printed", "the final bound and the bias", *_FACTS)
def mean_squared_error(claim: Claim) -> Iterator[Step]:
    """The end of A.3."""
    yield from bounded(claim, mean=True)


@proof("review:eq-19", "sharp", "the distance exactly, and the best factor at every time", *_FACTS)
def exactly(claim: Claim) -> Iterator[Step]:
    """Pythagoras, and equality on the eigenspace with the largest factor."""
    yield from in_rows()
    yield from eigenspaces()
    yield from complete()
    yield from solved()
    yield from no_larger()
    yield from formulas()

    def sides(F: Any, A: Any, t: Any) -> Sides:
        found = Linear(F, A, t)
        factor = found.factors[2]
        rest, worst = length(found.rest), length(found.lifted(2)) * factor
        return {
            "square of the distance": same(rest * rest),
            "distance": (rest, factor * length(found.off)),
            "attained": same(worst),
        }

    yield assumes(claim, **_KINDS)
    names = ("square of the distance", "attained")
    yield tie("the claim compares these", claim, points("F", "A", t="1/3"), sides, names)


@proof("review:remark-a3-final", "corrected", "the chain with the kernel", *_FACTS)
def chain(claim: Claim) -> Iterator[Step]:
    """Pythagoras; then every factor by its largest value."""
    yield from in_rows()
    yield from eigenspaces()
    yield from complete()
    yield from solved()
    yield from no_larger()

    def sides(F: Any, A: Any, t: Any) -> Sides:
        found = Linear(F, A, t, mean=True)
        top = (2 * found.r / found.at.N).exp()
        square = length(found.rest) ** 2
        parts = [length(found.lifted(i)) ** 2 for i in (1, 2, 3)]
        third = parts[0] + top * parts[1] + parts[2] + length(found.resting) ** 2
        return {
            "first line": same(square),
            "second line": same(square),
            "third line": (square, third),
            "last line": (third, top * length(found.off) ** 2),
        }

    yield assumes(claim, **_KINDS)
    names = ("first line", "second line")
    yield tie("the claim compares these", claim, points("F", "A", t="1/3"), sides, names)


# -- A.3 -------------------------------------------------------------------------------------------


@proof("review:eq-56", "printed", "gradients, and the bias of the linearised flow", CALCULUS)
def gradients(claim: Claim) -> Iterator[Step]:
    """(18) over N, and an equation for one number."""
    yield from square_steps()
    yield from solved()
    b, n = sympy.symbols("b n", positive=True)
    yield identity("the bias without A F", -(_K * n * b - n) / (_K * n), (1 - _K * b) / _K)

    def sides(
        F: Any, A: Any, b: Any, step_F: Any, step_A: Any, step_b: Any, t: Any
    ) -> dict[str, tuple[Any, Any]]:
        at = ByHand(F, A, b)
        after = [value / at.N for value in stepped(at, F, A, b, (step_F, step_A, step_b))]
        named = dict(zip(("features", "weights", "bias"), map(same, after), strict=True))
        slope = (-balls.ball(number(t))).exp() / at.K
        return {
            **named,
            "rate of the bias": same((1 - at.K * b) / at.K),
            "its solution": same(slope),
            "its start": same(1),
        }

    yield assumes(claim, **FIELDS, **STEP_FIELDS, t="nonnegative")
    given = points("F", "A", "b", steps=True, t="1/3")
    names = ("features", "weights", "bias", "rate of the bias", "its solution", "its start")
    yield tie("the claim compares these", claim, given, sides, names)


@proof("review:eq-56", "sharp", "the same paths, N times slower")
def clock(claim: Claim) -> Iterator[Step]:
    """Every exponent of the one at t is that of the other at t/N."""
    yield identity("the bias", _N * (_t / _N), _t)
    yield identity("E_1", _r * (_t / _N), _r / _N * _t)
    yield identity("E_2, with N = K n", 1 / (_K * _r), _r / (_K * _r**2))

    def sides(F: Any, A: Any, t: Any) -> Sides:
        found = Linear(F, A, t, mean=True)
        return {"pair": seen(found.pair, found.pair, (found.pair,)), "bias": same(found.beta)}

    yield assumes(claim, **_KINDS)
    given = points("F", "A", t="1/3")
    yield tie("the claim compares these", claim, given, sides, ("pair", "bias"))


# -- (58), (59) ------------------------------------------------------------------------------------


@proof(
    "review:eq-58",
    "printed",
    "any beta: self-adjoint, three cases, spectral decomposition",
    PYTHAGORAS,
    FROBENIUS,
)
def spectrum(claim: Claim) -> Iterator[Step]:
    """The operator in rows; five orthogonal components."""
    z, a, g = sympy.symbols("z a g", real=True)
    yield identity("<A^T Z, G> and <A, Z G^T>, one term", (z * a) * g, a * (z * g))
    yield from in_rows()
    yield from eigenspaces()
    yield from complete()
    up, down, s = (_a + _u) / 2, (_a - _u) / 2, 1 - _K * _beta
    mean_a, mean_u = sympy.symbols("mean_a mean_u", real=True)
    middle_up, middle_down = (mean_a + mean_u) / 2, (mean_a - mean_u) / 2
    yield identity(
        "(59) for rows of A: r (u - beta K mean u)",
        _r * ((up - middle_up) - (down - middle_down) + s * (middle_up - middle_down)),
        _r * (_u - _beta * _K * mean_u),
    )
    yield identity(
        "and for rows of u",
        _r * ((up - middle_up) + (down - middle_down) + s * (middle_up + middle_down)),
        _r * (_a - _beta * _K * mean_a),
    )

    def sides(F: Any, A: Any, G: Any, B: Any, beta: Any) -> Sides:
        found, shift = Linear(F, A, 0), balls.ball(number(beta))
        K, n, N, r = found.K, found.n, found.at.N, found.r
        U, V = paired(F, A), paired(G, B)
        product = (found.moved(U, shift) * V).sum() / N
        rows = exact(A) - exact(A).sum(axis=0) / K
        z = exact(A[:1])
        found_sides = {}
        for name, sign in (("+", 1), ("-", -1)):
            features = np.repeat((rows / r * sign)[:, None, :], n, axis=1)
            first = paired(features, rows)
            second = paired(
                np.repeat(np.repeat(z * sign, K, axis=0)[:, None, :], n, axis=1),
                np.repeat(z * r, K, axis=0),
            )
            one = first * (sign * r / N)
            two = second * (sign * r / N * (1 - K * shift))
            found_sides[f"E_1^{name}"] = seen(one, one, (U,))
            found_sides[f"E_2^{name}"] = seen(two, two, (second,))
        nothing = np.zeros(U.shape)
        moved = found.moved(U, shift) / N
        size = length(U) * length(V)
        return {
            "self-adjoint": same(product + size),
            **found_sides,
            "E_3": seen(nothing, nothing, (U,)),
            "(59)": seen(moved, moved, (U,)),
            "orthogonal and complete": same((U * U).sum()),
        }

    yield assumes(claim, F="real", A="real", G="real", B="real", beta="real")
    given = points("F", "A", beta="1/3")
    for one, other in zip(given, points("F", "A"), strict=True):
        one |= {"G": other["F"][::-1], "B": other["A"][::-1]}
    names = (
        "self-adjoint",
        "E_1^+",
        "E_1^-",
        "E_2^+",
        "E_2^-",
        "E_3",
        "(59)",
        "orthogonal and complete",
    )
    yield tie("the claim compares these", claim, given, sides, names)
