"""Proofs of the bounds on the one-vs-rest distance of a Softmax code.

Let rho* be the largest one-vs-rest distance of K unit vectors in dimension d, and t the least
possible largest inner product of K unit vectors. The midpoint theorem, rho* = 1 - t, turns the
claim into one about spherical codes, where measuring caps decides: a packing of caps bounds rho*
from above, a greedy code from below.

Vectors are written as plain symbols and inner products as products: the inner product is bilinear
and symmetric, so an identity between quadratic polynomials is one between inner products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import cos, gamma, pi, sin, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.arithmetic.formula import Formula
from ncbounds.theory.softmax_code import gamma_bounds
from ncbounds.theory.terms import Claim
from proofs_check.facts import (
    ANGLE_METRIC,
    CAP_MEASURE,
    COUNTING,
    DERIVATIVE_SIGN,
    INNER_PRODUCT,
    MONOTONE_POWERS,
)
from proofs_check.softmax_code.midpoint import folding, inner, midpoints_apart, own_directions
from proofs_check.steps import (
    Step,
    assumes,
    covered,
    identity,
    nonnegative,
    point,
    proof,
    tie,
)

_FACTS = (
    COUNTING,
    INNER_PRODUCT,
    CAP_MEASURE,
    ANGLE_METRIC,
    DERIVATIVE_SIGN,
    MONOTONE_POWERS,
)

_w, _wk, _wj, _hk, _p, _q = sympy.symbols("w w_k w_j h_k p q", real=True)
_x = sympy.Symbol("x", real=True)
_K = sympy.Symbol("K", integer=True, positive=True)
#: (d - 1)/2, by which the gamma functions of all formulas are shifts of two.
_half = sympy.Symbol("y", positive=True)
#: Whatever is known to be at least zero.
_a, _b, _c, _g = sympy.symbols("a b c g", nonnegative=True)
_s = sympy.Symbol("s", positive=True)
_n = sympy.Symbol("n", integer=True, nonnegative=True)


@proof("gnc:theorem-3.9", "sharp", "factor-4 sandwich", *_FACTS)
def factor_four_sandwich(claim: Claim) -> Iterator[Step]:
    """Both sides by the midpoint theorem: packing from above, a greedy code from below.

    Upper side: if the margin of (w, h) is not positive nothing is to show, as the bound is
    positive. Otherwise it is at most the one-vs-rest distance of the code, hence at most rho*.

    Lower side: rho* is at least the bound (`_greedy_code`, `_polygon`), and at most what the
    claim sets against it (`known_optimum`); so the bound is at most that.
    """
    yield from sandwich()
    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, CODES, _sides(_sharp_bounds))


@proof("gnc:theorem-3.9", "printed", "K >= sqrt(2 pi sqrt(e d)), as typeset", *_FACTS)
def printed_bounds_typeset(claim: Claim) -> Iterator[Step]:
    """The printed bounds follow from the sharp ones, whatever K >= 2 is."""
    yield from sandwich()
    yield from _printed_from_sharp()

    def threshold(d: int) -> Any:
        return balls.sqrt(2 * balls.pi) * balls.root(balls.e * d, 4)

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, CODES, _sides(_printed_bounds, threshold))


@proof("gnc:theorem-3.9", "printed", "K >= sqrt(2 pi sqrt(e) d)", *_FACTS)
def printed_bounds_intended(claim: Claim) -> Iterator[Step]:
    """The printed bounds follow from the sharp ones, whatever K >= 2 is."""
    yield from sandwich()
    yield from _printed_from_sharp()

    def threshold(d: int) -> Any:
        return balls.sqrt(2 * balls.pi * d) * balls.root(balls.e, 4)

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, CODES, _sides(_printed_bounds, threshold))


def sandwich() -> Iterator[Step]:
    """The sharp lower bound <= rho* <= the sharp upper bound, and rho* <= the known optimum."""
    yield from midpoint_theorem()
    yield from _cap_integral()
    yield from _packing()
    yield from _greedy_code()
    yield from _polygon()
    yield from known_optimum()


# -- the midpoint theorem -------------------------------------------------------------------------


def midpoint_theorem() -> Iterator[Step]:
    """rho* = 1 - t: a margin is at most the spread of a code, and each spread is a margin.

    The midpoints of (w, h) are a code whose inner products are at most one less the margin, and
    h = w has the margins 1 - <w_k, w_j>: a code of angles >= theta has margin >= 1 - cos theta.
    """
    yield from folding()
    yield from midpoints_apart()
    yield own_directions()


# -- measuring caps -------------------------------------------------------------------------------


def _whole_integral(half: Any) -> Any:
    """I = S(pi), the integral of sin^(d-2) over [0, pi], at half = (d - 1)/2."""
    return sqrt(pi) * gamma(half) / gamma(half + sympy.Rational(1, 2))


def _bracket() -> Any:
    """(d - 1) I / K, which the bounds take the (d-1)-th root of."""
    return 2 * _half * _whole_integral(_half) / _K


def _in_half(formula: Formula) -> Any:
    """A formula of theory in y = (d - 1)/2, with gamma(z + 1) = z gamma(z) applied."""
    named = symbolic.symbols(formula)
    return sympy.expand_func(
        symbolic.expression(formula).subs({named["d"]: 2 * _half + 1, named["K"]: _K})
    )


def _cap_integral() -> Iterator[Step]:
    """I = sqrt(pi) gamma((d-1)/2)/gamma(d/2), by induction on d in steps of two; I <= 2, d >= 3."""
    yield identity(
        "(n+2) sin^(n+2) - (n+1) sin^n is the derivative of -cos sin^(n+1), which is 0 at 0 and "
        "pi: (n+2) I' = (n+1) I from sin^n to sin^(n+2)",
        sympy.diff(-cos(_x) * sin(_x) ** (_n + 1), _x),
        (_n + 2) * sin(_x) ** (_n + 2) - (_n + 1) * sin(_x) ** _n,
    )
    yield identity(
        "the gamma quotient has the same recursion, n = 2y - 1",
        sympy.expand_func((2 * _half + 1) * _whole_integral(_half + 1)),
        2 * _half * _whole_integral(_half),
    )
    for d in (2, 3):
        yield identity(
            f"the gamma quotient is the integral for d = {d}",
            _whole_integral(sympy.Rational(d - 1, 2)),
            sympy.integrate(sin(_x) ** (d - 2), (_x, 0, pi)),
        )
    for d in (3, 4):
        quotient = _whole_integral(sympy.Rational(d - 1, 2))
        yield nonnegative(f"I <= 2 for d = {d}", 2 - quotient, [2 - quotient])
    yield nonnegative(
        "I does not grow from d to d + 2: I <= 2 for all d >= 3",
        _s - (_n + 1) / (_n + 2) * _s,
        [_s, 1 / (_n + 2)],
    )


def _packing() -> Iterator[Step]:
    """rho* <= 2 ((d-1) I/K)^(2/(d-1)).

    Let theta in [0, pi] be the least angle of the code Y of the midpoint theorem, so that
    rho <= 1 - cos theta. The open caps of radius theta/2 around its points are disjoint, as
    angles are a metric; their measures add up to at most 1: K S(theta/2) <= I. With
    S(x) >= sin^(d-1)(x)/(d-1) on [0, pi/2]: sin^(d-1)(theta/2) <= (d-1) I/K.
    """
    yield identity(
        "sin^(d-1)/(d-1) has the derivative sin^(d-2) cos, n = d - 2, and is 0 at 0 like S",
        sympy.diff(sin(_x) ** (_n + 1) / (_n + 1), _x),
        sin(_x) ** _n * cos(_x),
    )
    yield nonnegative(
        "S' - sin^(d-2) cos = sin^(d-2) (1 - cos) >= 0 for s = sin x > 0",
        _s**_n - _s**_n * cos(_x),
        [_s**_n, 2 * sin(_x / 2) ** 2],
    )
    yield identity("1 - cos theta = 2 sin^2(theta/2)", 1 - cos(_x), 2 * sin(_x / 2) ** 2)
    yield identity(
        "2 sin^2(theta/2) <= 2 ((d-1) I/K)^(2/(d-1)), which is the sharp upper bound",
        _in_half(gamma_bounds.sharp_upper),
        2 * _bracket() ** (1 / _half),
    )


def _greedy_code() -> Iterator[Step]:
    """rho* >= ((d-1) I/K)^(2/(d-1))/2 for d >= 3.

    Let u^(d-1) = (d-1) I/K. Then u <= 2 and there is theta in (0, pi] with sin(theta/2) = u/2.
    With S(x) <= (2 sin(x/2))^(d-1)/(d-1) on [0, pi]: S(theta) <= u^(d-1)/(d-1) = I/K. Fewer than
    K caps of radius theta leave measure free, so as long as a code of angles >= theta has fewer
    than K points, another one can be added. The code has distance >= 1 - cos theta = u^2/2.
    """
    yield from _powers_of_at_least_one()
    yield nonnegative(
        "2^d >= d from 2^(d-1) = d - 1 + a with a >= 0, d = n + 2; and 2^1 >= 1",
        2 * (1 + _n + _a) - (2 + _n),
        [_n + 2 * _a],
    )
    yield nonnegative(
        "(d-1) I/K <= d - 1 <= 2^(d-1) for I = 2 - a and K = 2 + n: u <= 2",
        2 * _half - 2 * _half * (2 - _a) / (2 + _n),
        [2 * _half, _n + _a, 1 / (2 + _n)],
    )
    yield identity(
        "(2 sin(x/2))^(d-1)/(d-1) has the derivative (2 sin(x/2))^(d-2) cos(x/2), n = d - 2, and "
        "is 0 at 0 like S",
        sympy.diff((2 * sin(_x / 2)) ** (_n + 1) / (_n + 1), _x),
        (2 * sin(_x / 2)) ** _n * cos(_x / 2),
    )
    yield identity("sin x = 2 sin(x/2) cos(x/2)", sin(_x), 2 * sin(_x / 2) * cos(_x / 2))
    half_cosine = sympy.Symbol("c", positive=True)
    yield identity(
        "s^(d-2) c - (s c)^(d-2) = s^(d-2) c (1 - c^(d-3)), s = 2 sin(x/2), c = cos(x/2) > 0, "
        "d = n + 3",
        _s ** (_n + 1) * half_cosine - (_s * half_cosine) ** (_n + 1),
        _s ** (_n + 1) * half_cosine * (1 - half_cosine**_n),
    )
    yield nonnegative(
        "1 - c^n >= 0: c = 1/(1+g) and (1+g)^n = 1 + a with a >= 0",
        1 - 1 / (1 + _a),
        [_a, 1 / (1 + _a)],
    )
    yield nonnegative("K - 1 caps of measure at most 1/K leave 1/K", 1 - (_K - 1) / _K, [1 / _K])
    yield identity(
        "u^2/2 is the sharp lower bound",
        _in_half(gamma_bounds.sharp_lower),
        _bracket() ** (1 / _half) / 2,
    )


def _powers_of_at_least_one() -> Iterator[Step]:
    """(1 + g)^n >= 1 for g >= 0, by induction."""
    yield identity("(1 + g)^0 = 1", (1 + _g) ** 0, 1)
    yield nonnegative(
        "(1 + g)^(n+1) >= 1 if (1 + g)^n = 1 + a with a >= 0",
        (1 + _g) * (1 + _a) - 1,
        [_g + _a + _g * _a],
    )


def _polygon() -> Iterator[Step]:
    """For d = 2 the regular K-gon has distance >= 1 - cos(2 pi/K) >= B^2/2, B = pi/K."""
    x = sympy.Symbol("x", positive=True)
    named = symbolic.symbols(gamma_bounds.sharp_lower)
    plane = symbolic.expression(gamma_bounds.sharp_lower).subs(named["d"], 2)
    yield identity(
        "cos(p - q) - cos(p + q) = 2 sin p sin q; with p = pi (m+1)/K and q = pi (m-1)/K, both in "
        "[0, pi] for m = 1..K-1: cos(2 pi/K) >= cos(2 pi m/K), neighbours are nearest",
        cos(_p - _q) - cos(_p + _q),
        2 * sin(_p) * sin(_q),
    )
    yield identity(
        "1 - cos(2 pi x) - bound = x^2 (2 pi^2 sinc^2(pi x) - pi^2/2) at x = 1/K",
        1 - cos(2 * pi * x) - plane.subs(named["K"], 1 / x),
        x**2 * _polygon_excess(symbolic, x).rewrite(sin),
    )
    yield covered(
        "2 pi^2 sinc^2(pi x) - pi^2/2 >= 0 for x in [0, 1/2]",
        _polygon_excess,
        {"x": (Fraction(0), Fraction(1, 2))},
    )


def _polygon_excess(xp: Any, x: Any) -> Any:
    """(1 - cos(2 pi x))/x^2 - pi^2/2."""
    slope = xp.pi * xp.sinc(xp.pi * x)
    return 2 * slope * slope - xp.pi * xp.pi / 2


# -- what the claim sets against its lower side ---------------------------------------------------


def known_optimum() -> Iterator[Step]:
    """rho* is at most K/(K-1), 1 - cos(2 pi/K) for d = 2, and 1 for K >= d + 2.

    Beyond K = 2d the claim sets the lesser of 1 and the packing bound (`_packing`) against it.

    Simplex: a distance is at most that to the mean of the others, |w_k - m_k|, where
    w_k - m_k = (K w_k - S)/(K-1), S the sum of all; the mean over k of <w_k, S> is |S|^2/K.

    Polygon: the K arcs between neighbours on the circle sum to 2 pi, so one of them is at most
    2 pi/K <= pi, and its inner product at least cos(2 pi/K); t is no less, and rho* = 1 - t.

    Rankin: K >= d + 2 vectors do not have negative inner products all, so t >= 0. Project the
    others on the complement of a unit vector v: the inner products remain negative (and the
    projections are not zero). Down to d = 1: three numbers of pairwise negative products.
    """
    S = sympy.Symbol("S", real=True)
    mean_square = inner(
        ((_K * _w - S) / (_K - 1)) ** 2, {_w**2: 1, S * _w: _a / _K, S**2: _a}
    ).subs(_K, _n + 2)
    yield nonnegative(
        "K^2/(K-1)^2 less the mean over k of |w_k - m_k|^2 is |S|^2/(K-1)^2, K = n + 2, a = |S|^2",
        ((_n + 2) / (_n + 1)) ** 2 - mean_square,
        [_a, 1 / (_n + 1) ** 2],
    )
    named = symbolic.symbols(gamma_bounds.simplex_bound)
    yield identity(
        "whose root is the simplex bound",
        symbolic.expression(gamma_bounds.simplex_bound).subs(named["K"], _n + 2),
        (_n + 2) / (_n + 1),
    )
    v = sympy.Symbol("v", real=True)
    yield nonnegative(
        "<p, q> = -a, <p, v> = -b, <q, v> = -c, none positive: -<p', q'> >= a for the projections "
        "p' = p + b v and q' = q + c v, v a unit vector",
        -inner((_p + _b * v) * (_q + _c * v), {v**2: 1, _p * _q: -_a, _p * v: -_b, _q * v: -_c})
        - _a,
        [_b * _c],
    )
    yield nonnegative(
        "on a line the product of the three pairwise products is a square: not all are negative",
        (_p * _q) * (_q * v) * (_p * v),
        [(_p * _q * v) ** 2],
    )


# -- from sharp to printed ------------------------------------------------------------------------


def _printed_from_sharp() -> Iterator[Step]:
    """The printed sides are further out; u = ((d-1) I/K)^(1/(d-1)) as above.

    Upper: rho* <= 2 u^2, and rho* <= 2 whatever the code; so rho* <= 2 min(1, u^2) <= 2 u.
    """
    root = _bracket() ** (1 / (2 * _half))
    yield identity("the printed upper bound is 2 u", _in_half(gamma_bounds.printed_upper), 2 * root)
    yield identity("the sharp one is 2 u^2", _in_half(gamma_bounds.sharp_upper), 2 * root**2)
    yield nonnegative(
        "u >= u^2 for u = 1/(1+a)", 1 / (1 + _a) - (1 + _a) ** -2, [_a, (1 + _a) ** -2]
    )
    yield nonnegative("u >= 1 for u = 1 + a", (1 + _a) - 1, [_a])
    yield identity(
        "2 - <w_k - w_j, h_k> = |w_k - h_k|^2/2 + |w_j + h_k|^2/2 >= 0 for unit vectors",
        2 - (_wk - _wj) * _hk,
        inner(((_wk - _hk) ** 2 + (_wj + _hk) ** 2) / 2, {_wk**2: 1, _wj**2: 1, _hk**2: 1}),
    )
    yield identity(
        "the printed lower bound is the sharp one over d^(2/(d-1)), which is >= 1",
        _in_half(gamma_bounds.printed_lower) * (2 * _half + 1) ** (1 / _half),
        _in_half(gamma_bounds.sharp_lower),
    )


# -- the claim's own sides on exact codes ---------------------------------------------------------


def _integer_code(d: int, K: int) -> dict[str, Any]:
    """Rows without symmetry, whose directions are near them."""
    w = [
        [(7 * k + 3) * (i + 2) ** 2 % 11 - 5 + (i == k % d) * 9 for i in range(d)] for k in range(K)
    ]
    h = [[3 * a - (i == 0) for i, a in enumerate(row)] for row in w]
    return point(w=w, h=h)


def _signed_axes(d: int) -> dict[str, Any]:
    """The cross-polytope: its 2d vertices, each its own direction."""
    w = [[sign * (i == k) for i in range(d)] for k in range(d) for sign in (1, -1)]
    return point(w=w, h=w)


CODES = [
    _signed_axes(2),
    _signed_axes(3),
    point(w=[["3/5", "4/5"], ["-1", 0], ["5/13", "-12/13"]], h=[[1, 1], [-1, 0], [1, -2]]),
    *(_integer_code(d, K) for d in (2, 3, 4, 5, 8) for K in (2, 3, 5, 16)),
]


def _sharp_bounds(d: int, K: int) -> tuple[Any, Any]:
    root = _bracket_ball(d, K).root(d - 1)
    return root * root / 2, 2 * root * root


def _printed_bounds(d: int, K: int) -> tuple[Any, Any]:
    bracket = _bracket_ball(d, K)
    lower = (bracket / d).root(d - 1)
    return lower * lower / 2, 2 * bracket.root(d - 1)


def _bracket_ball(d: int, K: int) -> Any:
    """(d - 1) I / K by the recursion of the integrals, without gamma functions."""
    whole = balls.pi if d % 2 == 0 else balls.ball(2)
    for n in range(d % 2, d - 2, 2):
        whole = whole * (n + 1) / (n + 2)
    return whole * (d - 1) / K


def _sides(
    bounds: Callable[[int, int], tuple[Any, Any]], threshold: Callable[[int], Any] | None = None
) -> Callable[..., dict[str, tuple[Any, Any]]]:
    """The two sides of the claim, and of its hypothesis where there is one."""

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        K, d = w.shape
        lower, upper = bounds(d, K)
        judged = {
            "upper side": (exact_margin(w, h), upper),
            "lower side": (lower, exact_optimum(d, K)),
        }
        if threshold is not None:
            judged["enough classes"] = (threshold(d), balls.ball(K))
        return judged

    return sides


def exact_margin(w: Any, h: Any) -> Any:
    """Least <w_k - w_j, h_k> of the unit rows, each product exact up to its last root."""

    def cosine(a: Any, b: Any) -> Any:
        square = sum(a * a) * sum(b * b)
        return balls.ball(Fraction(sum(a * b))) / balls.ball(Fraction(square)).sqrt()

    least = balls.ball(2)
    for k, direction in enumerate(h):
        for j in range(len(w)):
            if j != k:
                least = least.min(cosine(w[k], direction) - cosine(w[j], direction))
    return least


def exact_optimum(d: int, K: int) -> Any:
    """What is proved of the optimum, as the claim sets it against its lower side."""
    if d + 1 >= K:
        return balls.ball(Fraction(K, K - 1))
    if d == 2:
        half = balls.sin(balls.pi / K)
        return 2 * half * half
    one = balls.ball(1)
    return one if 2 * d >= K else one.min(_sharp_bounds(d, K)[1])
