"""Proofs about the regularised objective. Throughout k = C/(C-1)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import diff, exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.weight_decay import objective
from proofs_check.facts import BERNOULLI, MONOTONE, TANGENT
from proofs_check.steps import (
    Step,
    assumes,
    covered,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)

_OBJECTIVE = symbolic.symbols(objective.objective)
_C, _LAMBDA, _GAMMA = _OBJECTIVE["C"], _OBJECTIVE["lambda_"], _OBJECTIVE["gamma"]
_K = _C / (_C - 1)
_RIVALS = _C - 1
_u, _L = sympy.symbols("u L", real=True)
_w, _v = sympy.symbols("w v", nonnegative=True)
_q = sympy.Symbol("q", positive=True)
_p, _rest = sympy.symbols("p rest", positive=True)


def _bound(expression: Any) -> Any:
    """A formula's expression with its symbols replaced by those of this module, by name."""
    return expression.xreplace(
        {s: _OBJECTIVE[str(s)] for s in expression.free_symbols if str(s) in _OBJECTIVE}
    )


@proof("bnwd:proposition-a.1", "corrected", "minimum value", MONOTONE)
def minimum_value(claim: Claim) -> Iterator[Step]:
    """f_lambda is strictly convex and stationary at gamma*; insert it."""
    yield from minimum_steps()
    yield assumes(claim, C="integer >= 2", share="proportion", gamma="real")
    yield tie("the claim compares these", claim, _MINIMUM_POINTS, _minimum_sides, _ATTAINED)


def minimum_steps() -> Iterator[Step]:
    """The least value of f_lambda, where it is, and that it is least."""
    f = symbolic.expression(objective.objective)
    place = _bound(symbolic.expression(objective.minimiser))
    attraction = _RIVALS * exp(-_K * _GAMMA)
    yield identity("the derivative vanishes at gamma*", diff(f, _GAMMA).subs(_GAMMA, place), 0)
    many = sympy.Symbol("M", positive=True)
    yield nonnegative(
        "the second derivative is k^2 E/(1+E)^2 with E = (C-1) e^(-k gamma)",
        diff(f, _GAMMA, 2).subs(_C, many + 1),
        [
            ((_K**2) * attraction / (1 + attraction) ** 2).subs(_C, many + 1),
        ],
    )
    yield identity(
        "1 + (C-1) e^(-k gamma*) = 1/(1 - (C-1) lambda/C)",
        1 + attraction.subs(_GAMMA, place),
        1 / (1 - _RIVALS * _LAMBDA / _C),
    )
    yield identity(
        "so the minimum is lambda gamma* - log(1 - (C-1) lambda/C)",
        _bound(symbolic.expression(objective.minimum)),
        _LAMBDA * place - log(1 - _RIVALS * _LAMBDA / _C),
    )


_ATTAINED = ("attained at gamma*",)
_MINIMUM_POINTS = [
    point(C=2, share="1/2", gamma=0),
    point(C=10, share="1/100", gamma="7/3"),
]


def _f(C: Fraction, lambda_: Fraction, gamma: Any) -> Any:
    """The objective at exact parameters, term by term."""
    scaled = balls.ball(-C / (C - 1)) * gamma
    return (1 + balls.ball(C - 1) * scaled.exp()).log() + balls.ball(lambda_) * gamma


def _gamma_star(C: Fraction, lambda_: Fraction) -> Any:
    return balls.ball((C - 1) / C) * balls.ball((C - (C - 1) * lambda_) / lambda_).log()


def _minimum_sides(C: Any, share: Any, gamma: Any) -> dict[str, tuple[Any, Any]]:
    C, gamma = number(C), number(gamma)
    lambda_ = number(share) * C / (C - 1)
    place = _gamma_star(C, lambda_)
    share = number(share)
    least = balls.ball(lambda_) * place - balls.ball(1 - share).log()
    return {
        "attained at gamma*": (_f(C, lambda_, place), least),
        "least": (least, _f(C, lambda_, balls.ball(gamma))),
    }


@proof("bnwd:proposition-a.1", "printed", "order of the minimiser", BERNOULLI)
def minimiser_order(claim: Claim) -> Iterator[Step]:
    """With r = 1/lambda >= 1, gamma* = (C-1)/C log(1 + C (r-1)), between 0 and its Bernoulli."""
    r = sympy.Symbol("r", positive=True)
    place = _bound(symbolic.expression(objective.minimiser)).subs(_LAMBDA, 1 / r)
    yield identity("gamma* = (C-1)/C log(1 + C (r-1))", place, _RIVALS / _C * log(1 + _C * (r - 1)))
    yield identity(
        "(C-1)/C log(r^C) is the printed order with the constant C - 1",
        _RIVALS / _C * (_C * log(r)),
        sympy.expand_log(
            symbolic.expression(objective.minimiser_order).xreplace(
                {
                    symbolic.symbols(objective.minimiser_order)["lambda_"]: 1 / r,
                    symbolic.symbols(objective.minimiser_order)["C"]: _C,
                }
            ),
            force=True,
        ),
    )
    yield nonnegative("1 + C (r-1) >= 1 for r = 1 + w", (_C * (r - 1)).subs(r, 1 + _w), [_C, _w])

    def sides(C: Any, lambda_: Any) -> dict[str, tuple[Any, Any]]:
        place = _gamma_star(number(C), number(lambda_))
        order = balls.ball(number(C) - 1) * -balls.ball(number(lambda_)).log()
        return {"upper": (place, order), "lower": (balls.ball(0), place)}

    instances = [point(C=2, lambda_="1/2"), point(C=10, lambda_="1/100")]
    yield assumes(claim, C="integer >= 2", lambda_="proportion")
    yield tie("the claim compares these", claim, instances, sides)


@proof("bnwd:proposition-a.1", "corrected", "near-minimisers", MONOTONE, TANGENT)
def near_minimisers(claim: Claim) -> Iterator[Step]:
    """The gap is the Bregman gap K_p of a Bernoulli log-moment; bound it below, solve for u.

    With p = (C-1) lambda/C and u = k (gamma - gamma*), the gap is K_p(u) = log(1-p+p e^-u) + p u.
    It is at least p (1-p) (e^-|u| - 1 + |u|), hence at least p (1-p) u^2/(2 + |u|), and
    u^2 <= q (2 + |u|) solves to the stated radius.
    """
    yield from near_minimiser_route()
    yield assumes(claim, **_NEAR_DOMAIN, share="proportion")
    yield tie("the claim compares these", claim, _NEAR_POINTS, _near_sides)


def near_minimiser_route() -> Iterator[Step]:
    """The gap is K_p(u), which is at most epsilon within the stated radius only."""
    share = _RIVALS * _LAMBDA / _C
    yield from _bregman_route(share)
    epsilon = symbolic.symbols(objective.near_minimiser_radius)["epsilon"]
    radius = _bound(symbolic.expression(objective.near_minimiser_radius))
    ratio = epsilon / (share * (1 - share))
    yield identity(
        "k times the stated radius is that w, with q = epsilon/(p (1-p))",
        _K * radius,
        (ratio + sqrt(ratio**2 + 8 * ratio)) / 2,
    )


@proof(
    "bnwd:proposition-a.1", "printed", "near-minimisers, a constant for each C", MONOTONE, TANGENT
)
def ordered_near_minimisers(claim: Claim) -> Iterator[Step]:
    """From the radius for every epsilon: (k Delta)^2 <= q^2 + 4q, which is <= 5q where q <= 1.

    As lambda < 1, p (1-p) >= (C-1) lambda/C^2, so q = epsilon/(p (1-p)) is at most
    Q = C^2 epsilon/((C-1) lambda), which the hypothesis keeps at most 1.
    """
    yield from _bregman_route(_RIVALS * _LAMBDA / _C)
    root = sqrt(_q**2 + 8 * _q)
    yield nonnegative(
        "q^2 + 4q - ((q + sqrt(q^2 + 8q))/2)^2 is a square",
        _q**2 + 4 * _q - ((_q + root) / 2) ** 2,
        [(root - _q) ** 2, sympy.Rational(1, 4)],
    )
    many, rest = sympy.symbols("many rest", positive=True)
    yield nonnegative(
        "p (1-p) >= (C-1) lambda/C^2, with C = 1 + many and lambda = 1/(1 + rest)",
        (_RIVALS * _LAMBDA / _C * (1 - _RIVALS * _LAMBDA / _C) - _RIVALS * _LAMBDA / _C**2).subs(
            {_C: 1 + many, _LAMBDA: 1 / (1 + rest)}
        ),
        [many**2 / (1 + many) ** 2, 1 / (1 + rest), rest / (1 + rest)],
    )
    named = symbolic.symbols(objective.ordered_radius)
    radius = symbolic.expression(objective.ordered_radius)
    largest = named["C"] ** 2 * named["epsilon"] / ((named["C"] - 1) * named["lambda_"])
    yield identity(
        "k^2 times the stated square is 5Q",
        (named["C"] / (named["C"] - 1)) ** 2 * radius**2,
        5 * largest,
    )

    def sides(C: Any, lambda_: Any, offset: Any, epsilon: Any) -> dict[str, tuple[Any, Any]]:
        C, lambda_, offset, epsilon = (number(v) for v in (C, lambda_, offset, epsilon))
        place = _gamma_star(C, lambda_)
        return {
            "near-optimal": (
                _f(C, lambda_, place + balls.ball(offset)),
                _f(C, lambda_, place) + balls.ball(epsilon),
            ),
            "small epsilon": (C * C * epsilon, (C - 1) * lambda_),
            "distance": (abs(offset), balls.ball(5 * (C - 1) * epsilon / lambda_).sqrt()),
        }

    instances = [point(C=2, lambda_="1/2", offset="1/10", epsilon="1/100")]
    yield assumes(claim, **_NEAR_DOMAIN, lambda_="proportion")
    yield tie("the claim compares these", claim, instances, sides)


def _bregman_route(share: Any) -> Iterator[Step]:
    """The gap at gamma* + u/k is K_p(u); |u| is at most (q + sqrt(q^2 + 8q))/2."""
    place = _bound(symbolic.expression(objective.minimiser))
    pull = _LAMBDA / (_C - _RIVALS * _LAMBDA)
    yield identity("e^{-k gamma*} = lambda/(C - (C-1) lambda)", exp(-_K * place), pull)
    yield identity(
        "the gap at gamma* + u/k is K_p(u): the logarithms",
        (1 + _RIVALS * pull * exp(-_u)) / (1 + _RIVALS * pull),
        1 - share + share * exp(-_u),
    )
    yield identity("the gap at gamma* + u/k is K_p(u): the linear terms", _LAMBDA / _K, share)
    yield from bregman_lower_bound()
    yield identity(
        "w = (q + sqrt(q^2 + 8 q))/2 solves w^2 = q (2 + w)",
        ((_q + sqrt(_q**2 + 8 * _q)) / 2) ** 2,
        _q * (2 + (_q + sqrt(_q**2 + 8 * _q)) / 2),
    )


_NEAR_DOMAIN = {
    "C": "integer >= 2",
    "offset": "real",
    "epsilon": "budget",
}


def bregman_lower_bound() -> Iterator[Step]:
    """K_p(u) >= p (1-p) (e^-|u| - 1 + |u|) >= p (1-p) u^2/(2 + |u|)."""
    share, other = _p / (_p + _rest), _rest / (_p + _rest)
    K = log(other + share * exp(-_u)) + share * _u
    below = share * other * (exp(-_w) - 1 + _w)
    yield identity("K_p vanishes at 0", K.subs(_u, 0), 0)
    yield identity("so does the bound", below.subs(_w, 0), 0)
    for side, sign in (("right", 1), ("left", -1)):
        yield nonnegative(
            f"to the {side} of 0 the difference grows",
            diff(K.subs(_u, sign * _w) - below, _w),
            [
                share * other * (share if sign == 1 else other),
                (1 - exp(-_w)) ** 2 * (1 if sign == 1 else exp(_w)),
                1 / (other + share * exp(-sign * _w)),
            ],
        )
    h = (2 + _w) * (exp(-_w) - 1 + _w) - _w**2
    yield identity("(2+w)(e^-w - 1 + w) - w^2 vanishes at 0", h.subs(_w, 0), 0)
    yield identity(
        "and its derivative is e^-w (e^w - 1 - w) >= 0",
        diff(h, _w),
        exp(-_w) * (exp(_w) - 1 - _w),
    )
    yield covered(
        "cross-check of the result away from its zero: K_p(u) >= p (1-p) u^2/(2+u)",
        lambda xp, p, u: xp.log(1 - p + p * xp.exp(-u)) + p * u - p * (1 - p) * u * u / (2 + u),
        {"p": (Fraction(1, 10), Fraction(9, 10)), "u": (Fraction(1, 2), Fraction(8))},
    )


_NEAR_POINTS = [
    point(C=2, share="1/2", offset="1/10", epsilon="1/100"),
    point(C=10, share="1/7", offset="-3/2", epsilon=2),
]


def _near_sides(C: Any, share: Any, offset: Any, epsilon: Any) -> dict[str, tuple[Any, Any]]:
    C, share, offset, epsilon = (number(v) for v in (C, share, offset, epsilon))
    lambda_ = share * C / (C - 1)
    place = _gamma_star(C, lambda_)
    q = epsilon / (share * (1 - share))
    w = (balls.ball(q) + balls.ball(q * q + 8 * q).sqrt()) / 2
    return {
        "near-optimal": (
            _f(C, lambda_, place + balls.ball(offset)),
            _f(C, lambda_, place) + balls.ball(epsilon),
        ),
        "distance": (balls.ball(abs(offset)), w * balls.ball((C - 1) / C)),
    }
