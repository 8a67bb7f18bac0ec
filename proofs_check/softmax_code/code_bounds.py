"""Proofs of the sharper bounds on the one-vs-rest distance of a Softmax code.

By the midpoint theorem the largest distance is 1 - t, t the least possible largest inner product
of K unit vectors in R^d; what remains is about spherical codes. Let s be the largest inner product
of such a code; t is the least s.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.softmax_code import code_bounds
from ncbounds.theory.terms import Claim
from proofs_check.facts import (
    ANGLE_METRIC,
    CAP_MEASURE,
    CONTINUITY,
    COUNTING,
    DERIVATIVE_SIGN,
    FEJES_TOTH,
    INNER_PRODUCT,
    MONOTONE_POWERS,
    SCHOENBERG,
)
from proofs_check.softmax_code.gamma_bounds import (
    CODES,
    exact_margin,
    exact_optimum,
    known_optimum,
    midpoint_theorem,
    sandwich,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie

_MIDPOINT = (COUNTING, INNER_PRODUCT)
CAPS_FACTS = (*_MIDPOINT, CAP_MEASURE, ANGLE_METRIC, DERIVATIVE_SIGN, MONOTONE_POWERS, CONTINUITY)

_K, _half, _dim = sympy.symbols("K y d", positive=True)
_s, _c, _t, _b = sympy.symbols("s c t b", real=True)
_sine, _cosine = sympy.symbols("p q", positive=True)
_g, _n, _m, _r = sympy.symbols("g n m r", nonnegative=True)


# -- caps -----------------------------------------------------------------------------------------


@proof("gnc:sharp-3", "sharp", "exact caps", *CAPS_FACTS)
def exact_caps(claim: Claim) -> Iterator[Step]:
    """Both sides are those of `exact_cap_bounds`."""
    yield from exact_cap_bounds()

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        K, d = w.shape
        lower = balls.ball(2)
        if K > 2:
            lower = 1 - (1 - cap_radius(d, Fraction(2, K - 1))).sqrt()
        return {
            "upper side": (exact_margin(w, h), 2 * cap_radius(d, Fraction(2, K))),
            "lower side": (lower, exact_optimum(d, K)),
        }

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, CODES, sides)


def exact_cap_bounds() -> Iterator[Step]:
    """Packing from above, a greedy code from below; I_x stands for I_x((d-1)/2, 1/2).

    Let theta be the least angle of a code, s = cos theta. The open caps of radius theta/2 are
    disjoint, so K I_x/2 <= 1 at x = sin^2(theta/2), and I_x increases: x is at most the root of
    I_x = 2/K, and rho <= 1 - s = 2 x.

    For K >= 3 let psi <= pi/2 be the radius at which I_y = 2/(K-1), y = sin^2 psi. At any smaller
    radius fewer than K caps leave measure free, and a code of these angles can be extended to K
    points; in the limit one has angles >= psi, and rho* >= 1 - cos psi. Two opposite points have
    distance 2.
    """
    yield from sandwich()  # and what is known of the optimum, which the lower side must not pass
    yield identity(
        "the integrand u^((d-3)/2) (1-u)^(-1/2) of I at u = sin^2 is 2 sin^(d-2) in the angle, "
        "y = (d-1)/2: I_x is S(phi)/S(pi/2), and a cap of radius phi has the share I_x/2",
        (_sine**2) ** (_half - 1) / _cosine * (2 * _sine * _cosine),
        2 * _sine ** (2 * _half - 1),
    )
    angle = sympy.Symbol("theta", real=True)
    yield identity(
        "sin(pi - x) = sin x: S(pi) = 2 S(pi/2)", sympy.sin(sympy.pi - angle), sympy.sin(angle)
    )
    yield identity(
        "1 - cos theta = 2 sin^2(theta/2)", 1 - sympy.cos(angle), 2 * sympy.sin(angle / 2) ** 2
    )
    yield nonnegative(
        "K caps of share g more than 1/K each do not fit",
        _K * (1 / _K + _g) - 1,
        [_K, _g],
    )
    yield nonnegative(
        "at most K - 1 = n + 1 caps of share r each, g less than 1/(n+1), leave measure free",
        1 - (_n + 1) * (1 / (_n + 1) - _g),
        [_n + 1, _g],
    )
    yield identity(
        "y/(1 + cos psi) = 1 - cos psi for y = 1 - cos^2 psi",
        (1 - _cosine**2) / (1 + _cosine),
        1 - _cosine,
    )


@cache
def cap_radius(d: int, share: Fraction) -> flint.arb:
    """sin^2 of the radius, the root of I_x = share, by bisection of the integral alone."""
    if share == 1:
        return flint.arb(1)
    low, high = Fraction(0), Fraction(1, 2)  # of pi
    target = balls.ball(share) * _sine_integral(d - 2, Fraction(1, 2))
    for _ in range(110):
        middle = (low + high) / 2
        low, high = (low, middle) if _sine_integral(d - 2, middle) > target else (middle, high)
    sine = (balls.ball(low).union(balls.ball(high)) * flint.arb.pi()).sin()
    return sine * sine


def _sine_integral(n: int, turns: Fraction) -> flint.arb:
    """The integral of sin^n from 0 to turns * pi, by its recursion in n."""
    angle = balls.ball(turns) * flint.arb.pi()
    sine, cosine = angle.sin(), angle.cos()
    value = angle if n % 2 == 0 else 1 - cosine
    for m in range(2 + n % 2, n + 1, 2):
        value = ((m - 1) * value - cosine * balls.power(sine, m - 1)) / m
    return value


# -- moments --------------------------------------------------------------------------------------


@proof("gnc:sharp-4", "sharp", "first three moments", *_MIDPOINT, SCHOENBERG)
def first_three_moments(claim: Claim) -> Iterator[Step]:
    """Both conclusions are those of `moment_bounds`."""
    yield from moment_bounds()

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        K, d = w.shape
        margin = exact_margin(w, h)
        return {
            "upper side": (margin, moment_bound(d, K)),
            "second moments": (d * (K - 2) * margin, balls.ball((d - 1) * K)),
        }

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, CODES, sides)


def moment_bounds() -> Iterator[Step]:
    """Sums of (t + 1)(t - s) and of (t - s)(t + b)^2 over the inner products t of a code.

    Over i != j they are not positive, since -1 <= t <= s <= 1. Over all i, j they are bounded
    from below, as the sums of t, of t^2 - 1/d and of t^3 - 3t/(d+2) are not negative.
    """
    yield from midpoint_theorem()
    yield from known_optimum()
    yield from _sums_of_moments()
    yield identity(
        "(t + 1)(t - s) = (t^2 - 1/d) + (1 - s) t + 1/d - s, and it is 2 (1 - s) at t = 1",
        (_t + 1) * (_t - _s),
        (_t**2 - 1 / _dim) + (1 - _s) * _t + 1 / _dim - _s,
    )
    yield identity(
        "so K (1/d - s) <= 2 (1 - s), which is d (K - 2)(1 - s) <= (d - 1) K; and rho <= 1 - s",
        (_dim - 1) * _K - _dim * (_K - 2) * (1 - _s),
        _dim * (2 * (1 - _s) - _K * (1 / _dim - _s)),
    )
    yield from _third_moment()


def _sums_of_moments() -> Iterator[Step]:
    """The Gegenbauer polynomials of degrees 2 and 3 are positive multiples of these."""
    second, third = (_t**2 - 1 / _dim), (_t**3 - 3 * _t / (_dim + 2))
    G = [sympy.Integer(1), _t]
    for k in range(2):
        G.append(((2 * k + _dim) * _t * G[-1] - (k + 1) * G[-2]) / (k + _dim - 1))
    yield identity("(d - 1) G_2 = d (t^2 - 1/d)", (_dim - 1) * G[2], _dim * second)
    yield identity(
        "(d - 1) G_3 = (d + 2)(t^3 - 3t/(d+2)); for d = 1 both are 0 at t = 1 and t = -1",
        (_dim - 1) * G[3],
        (_dim + 2) * third,
    )
    for sign in (1, -1):
        on_a_line = [m.subs({_dim: 1, _t: sign}) for m in (second, third)]
        yield identity(f"d = 1, t = {sign}: t^2 - 1/d = 0", on_a_line[0], 0)
        yield identity(f"d = 1, t = {sign}: t^3 - 3t/(d+2) = 0", on_a_line[1], 0)


def _third_moment() -> Iterator[Step]:
    """For K > 2d: P(s) = d (K-d-1) s^2 + d (d-1) s - (K-2d) >= 0, so s is at least its root.

    s >= 0, since K >= d + 2. Where d s^2 >= 1 this is seen at once; let d s^2 = 1 - g, g >= 0,
    and b = (1 + s)/(1 + d s).
    """
    d, b = _n + 1, _b
    best = (1 + _s) / (1 + _dim * _s)
    constant = (2 * b - _s) / _dim - _s * b**2
    linear = b**2 - 2 * b * _s + 3 / (_dim + 2)
    yield identity(
        "(t - s)(t + b)^2 in the three moments",
        (_t - _s) * (_t + b) ** 2,
        (_t**3 - 3 * _t / (_dim + 2)) + (2 * b - _s) * (_t**2 - 1 / _dim) + linear * _t + constant,
    )
    yield identity(
        "2 b - s = b + (b - s), and b - s = (1 - d s^2)/(1 + d s) = g/(1 + d s) >= 0",
        best - _s,
        (1 - _dim * _s**2) / (1 + _dim * _s),
    )
    yield identity(
        "the coefficient of t is (b - s)^2 + (3/(d+2) - s^2)",
        linear,
        (b - _s) ** 2 + 3 / (_dim + 2) - _s**2,
    )
    yield nonnegative(
        "3/(d+2) - s^2 >= 0 at s^2 = (1 - g)/d, d = n + 1",
        3 / (d + 2) - (1 - _g) / d,
        [1 / (d * (d + 2)), 2 * _n + _g * (d + 2)],
    )
    yield identity(
        "the constant is (1 + b)(1 - d s^2)/(d (1 + d s))",
        constant.subs(b, best),
        (1 + best) * (1 - _dim * _s**2) / (_dim * (1 + _dim * _s)),
    )
    yield identity(
        "so K (1 - d s^2)/(d (1 + d s)) <= (1 - s)(1 + b), where (1 + b)(1 + d s) = 2 + (d+1) s",
        (1 + best) * (1 + _dim * _s),
        2 + (_dim + 1) * _s,
    )
    quadratic = _dim * (_K - _dim - 1) * _s**2 + _dim * (_dim - 1) * _s - (_K - 2 * _dim)
    yield identity(
        "which is P(s) >= 0",
        quadratic,
        _dim * (1 - _s) * (2 + (_dim + 1) * _s) - _K * (1 - _dim * _s**2),
    )
    at = {_dim: d, _K: 2 * d + _m}
    free = sympy.Symbol("s", nonnegative=True)
    yield nonnegative(
        "where d s^2 = 1 + g, K = 2d + m: P(s) = d - 1 + (K-d-1) g + d (d-1) s >= 0",
        (quadratic - _dim * (_K - _dim - 1) * _s**2 + (_K - _dim - 1) * (1 + _g))
        .subs(at)
        .subs(_s, free),
        [_n + (_n + _m) * _g + (_n + 1) * _n * free],
    )
    A, L, E = sympy.symbols("A L E", positive=True)
    root = 2 * E / (L + sympy.sqrt(L**2 + 4 * A * E))
    yield identity(
        "the root of A s^2 + L s = E", sympy.expand(sympy.simplify(A * root**2 + L * root)), E
    )
    named = symbolic.symbols(code_bounds.third_moment_upper)
    shown = symbolic.expression(code_bounds.third_moment_upper).subs(
        {named["d"]: _dim, named["K"]: _K}
    )
    yield identity(
        "and 1 less the root of P is the bound",
        1 - shown,
        root.subs({A: _dim * (_K - _dim - 1), L: _dim * (_dim - 1), E: _K - 2 * _dim}),
    )


def moment_bound(d: int, K: int) -> Any:
    """The bound by the first three moments, its root with the square root above."""
    if d + 1 >= K:
        return balls.ball(Fraction(K, K - 1))
    if 2 * d >= K:
        return balls.ball(1)
    a, b, c = d * (K - d - 1), d * (d - 1), K - 2 * d
    return 1 - (balls.ball(b * b + 4 * a * c).sqrt() - b) / (2 * a)


# -- three dimensions -----------------------------------------------------------------------------


@proof("gnc:sharp-4", "sharp", "Fejes Toth's bound, d = 3", *_MIDPOINT, FEJES_TOTH)
def fejes_toth(claim: Claim) -> Iterator[Step]:
    """The least distance of a code is (2 (1 - s))^(1/2)."""
    yield from midpoint_theorem()
    p, q = sympy.symbols("p q", real=True)
    yield identity(
        "|p - q|^2 = 2 (1 - <p, q>) for unit vectors",
        sympy.expand((p - q) ** 2).subs({p**2: 1, q**2: 1}),
        2 * (1 - p * q),
    )
    named = symbolic.symbols(code_bounds.triangle_upper)
    yield identity(
        "half of Fejes Toth's square is the bound",
        (4 - sympy.csc(sympy.pi * _K / (6 * (_K - 2))) ** 2).rewrite(sympy.sin) / 2,
        symbolic.expression(code_bounds.triangle_upper).subs(named["K"], _K),
    )

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        K = len(w)
        cotangent = flint.arb(flint.fmpq(K, 6 * (K - 2))).cot_pi()
        return {"upper side": (exact_margin(w, h), (3 - cotangent * cotangent) / 2)}

    yield assumes(claim, w="real", h="real")
    in_space = [c for c in CODES if len(c["w"][0]) == 3 and len(c["w"]) > 2]
    yield tie("the claim compares these", claim, in_space, sides)


# -- any polynomial -------------------------------------------------------------------------------


@proof("gnc:sharp-4", "sharp", "Delsarte's inequality, any polynomial", COUNTING, SCHOENBERG)
def delsarte(claim: Claim) -> Iterator[Step]:
    """Sum f over all pairs: degree 0 gives K^2 f_0, and no other degree less than nothing."""
    f0, at_one, largest, share = sympy.symbols("f_0 f M a", nonnegative=True)
    yield nonnegative(
        "K^2 f_0 <= K^2 f_0 + (what the other degrees give, f_k times a sum >= 0)",
        _K**2 * f0 + share * _g - _K**2 * f0,
        [share, _g],
    )
    yield identity(
        "the K pairs i = i give f(1) each, the K (K - 1) others at most M: over K, this is "
        "f(1) + (K - 1) M",
        (_K * at_one + _K * (_K - 1) * largest) / _K,
        at_one + (_K - 1) * largest,
    )

    def sides(w: Any, f: Any) -> dict[str, tuple[Any, Any]]:
        K, d = w.shape
        squares = [balls.ball(Fraction(sum(row * row))) for row in w]
        products = [
            [
                balls.ball(Fraction(sum(a * b))) / (squares[i] * squares[j]).sqrt()
                for j, b in enumerate(w)
            ]
            for i, a in enumerate(w)
        ]
        values = [[_series(f, t, d) for t in row] for row in products]
        others = [v for i, row in enumerate(values) for j, v in enumerate(row) if i != j]
        largest = others[0]
        for value in others:
            largest = largest.max(value)
        first, total = balls.ball(f[0]), balls.ball(Fraction(sum(f)))
        return {
            "sum over all pairs": (
                K * K * first,
                sum((v for row in values for v in row), flint.arb(0)),
            ),
            "linear programming": (K * first, total + (K - 1) * largest),
        }

    simplex = point(w=[[1, 0], ["-1/2", "1"], ["-1/2", "-1"]], f=[1, 2, "1/3"])
    cross = point(w=[[1, 0, 0], [-1, 0, 0], [0, 2, 0], [0, -1, 0]], f=[1, 0, 3, 1])
    yield assumes(claim, w="real", f="nonnegative")
    yield tie("the claim compares these", claim, [simplex, cross], sides)


def _series(f: Any, t: flint.arb, d: int) -> flint.arb:
    """Sum of f_k 2F1(-k, k+d-2; (d-1)/2; (1-t)/2), the polynomials in powers of 1 - t."""
    total = flint.arb(0)
    for k, coefficient in enumerate(f):
        term = Fraction(1)
        for j in range(k + 1):
            total = total + balls.ball(coefficient * term) * balls.power((1 - t) / 2, j)
            term = term * (j - k) * (k + d - 2 + j) / ((Fraction(d - 1, 2) + j) * (j + 1))
    return total
