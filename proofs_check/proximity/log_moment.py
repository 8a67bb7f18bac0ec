"""The logarithm of a mean of exponentials is at least a constant times the variance: steps."""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Max, diff, exp, log, sinh

from ncbounds.arithmetic import symbolic
from ncbounds.theory.proximity import ellipsoid
from proofs_check.steps import Step, identity, nonnegative

_a, _b, _t = sympy.symbols("a b t", positive=True)
_more = sympy.Symbol("more", nonnegative=True)

_DEPTH = (_a - 1 + exp(-_a)) / _a**2


def _second_order() -> Iterator[Step]:
    """(e^v - 1 - v)/v^2 increases: its derivative times v^3 has the sign of v."""
    v = sympy.Symbol("v", real=True)
    k = exp(v) * (v - 2) + v + 2
    yield identity("v^3 times the derivative", v**3 * diff((exp(v) - 1 - v) / v**2, v), k)
    yield identity("vanishes at 0", k.subs(v, 0), 0)
    yield identity("so does its derivative", diff(k, v).subs(v, 0), 0)
    yield nonnegative(
        "whose own is >= 0 to the right of 0", diff(k, v, 2).subs(v, _t), [_t, exp(_t)]
    )
    yield nonnegative("and <= 0 to the left of it", -diff(k, v, 2).subs(v, -_t), [_t, exp(-_t)])


def log_moment_lemma() -> Iterator[Step]:
    """For E u = 0, u >= -a let b = V/a and v = u - b: so v >= -(a + b), and e^v >= 1 + v + c v^2.

    c is (e^v - 1 - v)/v^2 at v = -(a + b). The means of v and v^2 are -b and ab + b^2.
    """
    yield from _second_order()
    w = _a + _b
    c = (exp(-w) - 1 + w) / w**2
    least = (_a * exp(_b) + _b * exp(-_a)) / w
    yield identity(
        "e^b (1 + E v + c E v^2) is what two values -a and b have",
        exp(_b) * (1 - _b + c * (_a * _b + _b**2)),
        least,
    )
    K = sympy.Symbol("K", positive=True)
    S = exp(-K * _b) * (_a * exp(_b) + _b * exp(-_a)) - _a - _b
    at = (_a - 1 + exp(-_a)) / _a
    yield identity("S is (a+b)(least e^(-K b) - 1)", S, w * (least * exp(-K * _b) - 1))
    yield identity("it vanishes at b = 0", S.subs(_b, 0), 0)
    yield identity("so does its derivative", diff(S, _b).subs(_b, 0).subs(K, at), 0)
    yield identity(
        "e^(K b) times its second derivative",
        exp(K * _b) * diff(S, _b, 2),
        _a * (1 - K) ** 2 * (exp(_b) - 1)
        + K**2 * _b * exp(-_a)
        + (_a * (1 - K) ** 2 - 2 * K * exp(-_a)),
    )
    yield identity(
        "whose last bracket is 2 e^-a (sinh a - a)/a",
        (_a * (1 - at) ** 2 - 2 * at * exp(-_a)),
        (2 * exp(-_a) * (sinh(_a) - _a) / _a).rewrite(exp),
    )
    yield identity("sinh a - a vanishes at 0", (sinh(_a) - _a).subs(_a, 0), 0)
    yield nonnegative(
        "its derivative is a square",
        diff(sinh(_a) - _a, _a).rewrite(exp),
        [2, ((exp(_a / 2) - exp(-_a / 2)) / 2) ** 2],
    )
    yield nonnegative("the first bracket, e^b = 1 + more", exp(log(1 + _more)) - 1, [_more])
    yield identity("K b is the constant times V = ab", at * _b, _DEPTH * (_a * _b))
    rational = exp(_a) * (1 - _a + 18 * _a**2 / (_a + 6) ** 2)
    yield identity("e^a (1 - a + 18 a^2/(a+6)^2) is 1 at 0", rational.subs(_a, 0), 1)
    yield nonnegative(
        "and decreases: so it is at most 1",
        -diff(rational, _a),
        [_a**4, exp(_a), (_a + 6) ** -3],
    )
    yield identity(
        "(a - 1 + e^-a)/a^2 - 18/(a+6)^2 is e^-a/a^2 times 1 less it",
        _DEPTH - 18 / (_a + 6) ** 2,
        exp(-_a) / _a**2 * (1 - rational),
    )
    A = symbolic.symbols(ellipsoid.curvature)["a"]
    far = Max(A, 1)
    yield identity(
        "the formula is the larger of 18/(a+6)^2 and the constant at max(a, 1), which is smaller "
        "than at a as the constant decreases",
        symbolic.expression(ellipsoid.curvature),
        Max(18 / (A + 6) ** 2, _DEPTH.subs(_a, far)),
    )
