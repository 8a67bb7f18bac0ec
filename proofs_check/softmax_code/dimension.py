"""Proofs of what dimension K classes of a given margin need.

As in `softmax_code`, I is the integral of sin^(d-2) over [0, pi], S(x) that over [0, x].
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import cos, sin

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.softmax_code import dimension
from ncbounds.theory.terms import Claim
from proofs_check.facts import SCHOENBERG
from proofs_check.softmax_code.code_bounds import (
    CAPS_FACTS,
    cap_radius,
    exact_cap_bounds,
    moment_bound,
    moment_bounds,
)
from proofs_check.softmax_code.gamma_bounds import CODES, exact_margin, exact_optimum, sandwich
from proofs_check.steps import Step, assumes, identity, nonnegative, proof, tie

_K, _rho, _half = sympy.symbols("K rho y", positive=True)
_angle = sympy.Symbol("theta", positive=True)
_a, _b, _g = sympy.symbols("a b g", nonnegative=True)
_n = sympy.Symbol("n", integer=True, nonnegative=True)
_FACTS = CAPS_FACTS


@proof("gnc:remark-dimension", "printed", "for each fixed rho < 1, order of log K", *_FACTS)
def fixed_margin(claim: Claim) -> Iterator[Step]:
    """A coarser form of `explicit_dimension`, for margins r of at most 1."""
    yield from sandwich()
    yield from _necessary()
    yield from _sufficient()
    third = sympy.Rational(1, 3)
    yield nonnegative(
        "K^2 (r/3)^(2d) is K^2 (r/3)^(d-1) = 64/9 - a times (r/3)^(d+1) = 1/27 - b: at most 1",
        1 - sympy.Rational(64, 9) * third**3,
        [sympy.Rational(179, 243)],
    )
    yield nonnegative(
        "(r/3)^(d+1) <= (1/3)^3 for r/3 = 1/(3 + a), d = n + 2, and (3 + a)^n = 1 + b",
        third**3 - 1 / ((3 + _a) ** 3 * (1 + _b)),
        [
            third**3 / ((3 + _a) ** 3 * (1 + _b)),
            sympy.expand((3 + _a) ** 3 * (1 + _b) - 27),
        ],
    )
    yield nonnegative(
        "K is more than (K-1)/2, so this dimension is one that suffices",
        _K - (_K - 1) / 2,
        [(_K + 1) / 2],
    )

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        K, d = w.shape
        margin = exact_margin(w, h)
        power = balls.ball(0) if margin < 0 else (margin.min(balls.ball(1)) / 3) ** d
        return {
            "necessary": (K * power, balls.ball(1)),
            "sufficient": (_power_margin(d, Fraction(1, K)), exact_optimum(d, K)),
        }

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, CODES, sides)


@proof("gnc:remark-dimension", "corrected", "log(K^2) over log(1/rho)", *_FACTS)
def explicit_dimension(claim: Claim) -> Iterator[Step]:
    """From the packing bound, and from a greedy code whose caps are measured by a power of sin.

    The margin of the claim's code is at most rho*, which is at most 2 u^2 (`sandwich`); a margin
    that is not positive has nothing to show.
    """
    yield from sandwich()
    yield from _necessary()
    yield from _sufficient()

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        K, d = w.shape
        margin = exact_margin(w, h)
        power = balls.ball(0) if margin < 0 else (margin / 3) ** (d - 1)
        return {
            "necessary": (9 * K * K * power, balls.ball(64)),
            "sufficient": (_power_margin(d, Fraction(2, K - 1)), exact_optimum(d, K)),
        }

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, CODES, sides)


def _necessary() -> Iterator[Step]:
    """rho <= 2 u^2, u^(d-1) = (d-1) I/K = J/K, and J^2 <= (64/9) (3/2)^(d-1)."""
    for d, J in ((2, sympy.pi), (3, sympy.Integer(4))):
        whole = (d - 1) * sympy.integrate(sin(_angle) ** (d - 2), (_angle, 0, sympy.pi))
        yield identity(f"J for d = {d}", whole, J)
        excess = sympy.Rational(64, 9) * sympy.Rational(3, 2) ** (d - 1) - J**2
        yield nonnegative(f"J^2 <= (64/9) (3/2)^(d-1) for d = {d}", excess, [excess])
    yield identity(
        "J' = (d+1)/d J from d to d + 2, as I' = (d-1)/d I",
        (_n + 3) * (_n + 1) / (_n + 2),
        (_n + 3) / (_n + 2) * (_n + 1),
    )
    d = _n + 2
    yield nonnegative(
        "((d+1)/d)^2 <= (3/2)^2 for d = n + 2",
        sympy.Rational(9, 4) - ((d + 1) / d) ** 2,
        [1 / d**2, _n * (5 * _n + 12) / 4],
    )
    yield identity(
        "(rho/2)^(d-1) <= u^(2(d-1)) = J^2/K^2 becomes K^2 (rho/3)^(d-1) <= 64/9, y = (d-1)/2",
        sympy.expand_log(
            sympy.log((_rho / 2) ** (2 * _half) / sympy.Rational(3, 2) ** (2 * _half)), force=True
        ),
        sympy.expand_log(sympy.log((_rho / 3) ** (2 * _half)), force=True),
    )
    named = symbolic.symbols(dimension.necessary_dimension)
    bound = symbolic.expression(dimension.necessary_dimension).subs(
        {named["K"]: _K, named["rho"]: _rho}
    )
    # Equality in logarithms: 2 log K + (d - 1) log(rho/3) = log(64/9).
    gap = 2 * sympy.log(_K) - (bound - 1) * sympy.log(3 / _rho) - sympy.log(sympy.Rational(64, 9))
    yield identity(
        "with equality at d = 1 + 2 log(3K/8)/log(3/rho)", sympy.expand_log(gap, force=True), 0
    )


def _sufficient() -> Iterator[Step]:
    """S(x) <= (I/2) sin^(d-1)(x) on [0, pi/2]: caps of radius theta have at most half that share.

    Then K - 1 caps of a radius below theta do not fill the sphere if sin^(d-1)(theta) is at most
    2/(K-1), and rho* >= 1 - cos theta as in `gnc:sharp-3`.
    """
    share = sympy.Symbol("S", real=True)
    d = _n + 2
    ahead = sin(_angle) ** (d - 1) / ((d - 1) * cos(_angle))
    yield identity(
        "F = sin^(d-1)/((d-1) cos), which is 0 at 0 like S, has the derivative "
        "sin^(d-2) (1 + tan^2/(d-1)) >= S': F >= S on [0, pi/2)",
        sympy.diff(ahead, _angle),
        sin(_angle) ** (d - 2) * (1 + sin(_angle) ** 2 / cos(_angle) ** 2 / (d - 1)),
    )
    p, q = sympy.symbols("p q", positive=True)
    yield identity(
        "the derivative of S/sin^(d-1) is ((d-1) cos/sin^d) (F - S) >= 0 (p = sin, q = cos): it "
        "is at most its value I/2 at pi/2",
        (p ** (d - 2) * p ** (d - 1) - share * (d - 1) * p ** (d - 2) * q) / p ** (2 * d - 2),
        (d - 1) * q / p**d * (p ** (d - 1) / ((d - 1) * q) - share),
    )
    yield identity(
        "sin^2 theta = rho (2 - rho) for cos theta = 1 - rho",
        1 - (1 - _rho) ** 2,
        _rho * (2 - _rho),
    )
    yield nonnegative(
        "a share below 1/(K-1), K = n + 2, each: K - 1 caps leave measure free",
        1 - (_n + 1) * (1 / (_n + 1) - _g),
        [_n + 1, _g],
    )
    named = symbolic.symbols(dimension.sufficient_dimension)
    bound = symbolic.expression(dimension.sufficient_dimension)
    logarithm = -sympy.log(1 - (1 - named["rho"]) ** 2)
    yield identity(
        "((d-1)/2) log(1/(1 - (1-rho)^2)) = log((K-1)/2) at the bound, and it grows with d: "
        "sin^(d-1) theta <= 2/(K-1)",
        (bound - 1) / 2 * logarithm,
        sympy.log((named["K"] - 1) / 2),
    )
    y = sympy.Symbol("y", positive=True)
    yield identity(
        "rho = y/(1 + sqrt(1 - y)) is the margin with rho (2 - rho) = y",
        sympy.radsimp(sympy.simplify((1 - sympy.sqrt(1 - y)) * (1 + sympy.sqrt(1 - y)))),
        y,
    )
    margin = 1 - sympy.sqrt(1 - y)
    yield identity("which is 1 - sqrt(1 - y)", sympy.expand(margin * (2 - margin)), y)


def _power_margin(d: int, share: Fraction) -> Any:
    """1 less the cosine whose sine, to the power d - 1, is the share."""
    if share >= 1:
        return balls.ball(1)
    sine = balls.ball(share).root(d - 1)
    return 1 - (1 - sine * sine).sqrt()


@proof("gnc:remark-dimension", "sharp", "certified integers", *_FACTS, SCHOENBERG)
def certified_integers(claim: Claim) -> Iterator[Step]:
    """U is the lesser of two bounds that hold, L the optimum where it is known or a greedy code.

    A code of R^d is one of R^(d+1), so the optimum does not fall as d grows: U(d, K) < rho
    excludes d and what is below, L(d, K) >= rho admits d and what is above.
    """
    yield from exact_cap_bounds()
    yield from moment_bounds()
    yield from _extended_by_zero()

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        K, d = w.shape
        upper = moment_bound(d, K).min(2 * cap_radius(d, Fraction(2, K)))
        lower = exact_optimum(d, K)
        if 2 * d < K and d > 2:
            lower = 1 - (1 - cap_radius(d, Fraction(2, K - 1))).sqrt()
        return {
            "upper side": (exact_margin(w, h), upper),
            "lower side": (lower, exact_optimum(d, K)),
        }

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, CODES, sides)


def _extended_by_zero() -> Iterator[Step]:
    x, y = sympy.symbols("x y", real=True)
    yield identity("<(p, 0), (q, 0)> = <p, q>", x * y + 0 * 0, x * y)
