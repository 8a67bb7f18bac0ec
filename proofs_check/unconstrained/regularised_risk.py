"""Proofs about the lower bound (22) of regularised cross-entropy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import exp, log, sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.unconstrained.points import (
    GIBBS,
    Point,
    Sides,
    collapsed_route,
    entropy_route,
    in_balls,
    square,
    total,
)

_K, _n = sympy.symbols("K n", positive=True, integer=True)
_c, _x, _la, _lf, _rest = sympy.symbols("c_1 x lambda_A lambda_F rest", positive=True)
_aligned, _product = sympy.symbols("aligned product", real=True)

#: One point in two dimensions, and zero.
POINTS = [
    point(F=[[[1, 0]], [["1/2", -1]], [[0, 2]]], A=[[1, 0], [0, "-1/3"], [1, 1]], b=[0, 1, "1/2"]),
    point(F=[[[1], [2]], [[-1], ["1/3"]]], A=[[2], [0]], b=[0, 0]),
]
DOMAIN = {"F": "real", "A": "real", "b": "real", "lambda_A": "positive", "lambda_F": "positive"}


def with_(**more: Any) -> list[dict[str, Any]]:
    """The given points with further numbers."""
    return [{**each, **point(**more)} for each in POINTS]


def line_route() -> Iterator[Step]:
    """(22) with both norms: the split into terms that are not negative."""
    yield from entropy_route()
    yield from collapsed_route()
    theta, many = 1 / ((1 + _c) * (_K - 1)), sympy.Symbol("M", positive=True)
    yield identity(
        "M = K - 1 wrong classes with theta have 1/(1 + c_1) in all", (_K - 1) * theta, 1 / (1 + _c)
    )
    yield identity(
        "c_2 is the entropy of p_k, whose own class has c_1/(1 + c_1)",
        sympy.expand_log(
            -_c / (1 + _c) * log(_c / (1 + _c)) + log((1 + _c) * many) / (1 + _c), force=True
        ),
        sympy.expand_log(
            log((1 + _c) * many) / (1 + _c) + _c / (1 + _c) * log((1 + _c) / _c), force=True
        ),
    )
    yield identity("the own class has the rest", 1 - (_K - 1) * theta, _c / (1 + _c))
    yield identity(
        "-theta/n sum <a_k - a, f>, in the aligned sum over sqrt n",
        -theta / _n * (sqrt(_n) * _aligned),
        -theta / sqrt(_n) * _product + theta * (_product - _aligned) / sqrt(_n),
    )
    centre = sympy.Symbol("centre", nonnegative=True)
    yield nonnegative(
        "|A|^2 = |A - a|^2 + K |a|^2, so centring shortens", _K * centre**2, [_K, centre**2]
    )


@proof("review:eq-22", "printed", "critical points", GIBBS, INNER_PRODUCT)
def critical_points(claim: Claim) -> Iterator[Step]:
    """Drop the divergence and Cauchy-Schwarz from the split; balance makes one norm of two."""
    yield from line_route()
    a = sympy.Symbol("a", nonnegative=True)
    yield identity(
        "balanced, |A| |F| = |A|^2 sqrt(lambda_A/lambda_F)",
        a * sqrt(a**2 * _la / _lf),
        a**2 * sqrt(_la / _lf),
    )
    yield identity(
        "and the decay is lambda_A |A|^2", _la * a**2 / 2 + _lf * (a**2 * _la / _lf) / 2, _la * a**2
    )
    yield identity("the roots", sqrt(_la / _lf) / sqrt(_n), sqrt(_la / (_n * _lf)))
    yield assumes(claim, **DOMAIN, lambda_b="nonnegative", c_1="positive")

    def sides(
        F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any, c_1: Any
    ) -> Sides:
        long = square(in_balls(A)) * balls.ball(number(lambda_A) / number(lambda_F))
        scale = (long / square(in_balls(F))).sqrt()
        at = Point(in_balls(F) * scale, A, b, lambda_A, lambda_F, lambda_b)
        c, norm = balls.ball(number(c_1)), square(at.A)
        slope = norm / ((1 + c) * (at.K - 1)) * (at.lA / (at.n * at.lF)).sqrt()
        return {"equation (22)": (-slope + _constant(c, at.K) + at.lA * norm, at.risk)}

    given = with_(lambda_A="1/2", lambda_F="1/3", lambda_b=1, c_1=2)
    yield tie("the claim compares these", claim, given, sides)


def _constant(c: Any, K: int) -> Any:
    return ((1 + c) * (K - 1)).log() / (1 + c) + c / (1 + c) * ((1 + c) / c).log()


@proof("review:eq-22", "corrected", "both norms, and what is between", GIBBS, INNER_PRODUCT)
def both_norms(claim: Claim) -> Iterator[Step]:
    """The loss as entropy, divergence and a linear term; then the best constant."""
    yield from line_route()
    q = 1 / (1 + _c)
    best = (_K - 1) * exp(-_x) / (1 + (_K - 1) * exp(-_x))
    many = sympy.Symbol("M", positive=True)
    yield identity(
        "log(1 + (K-1) e^-x) less the line is KL of 1/(1+c_1) against its best value",
        sympy.expand_log(
            (
                log(1 + many * exp(-_x))
                - (log(many) * q + q * log(1 + _c) + _c * q * (log(1 + _c) - log(_c)))
                + q * _x
            ),
            force=True,
        ),
        sympy.expand_log(
            q * (-log(1 + _c) - (log(many) - _x - log(1 + many * exp(-_x))))
            + _c * q * (log(_c) - log(1 + _c) + log(1 + many * exp(-_x))),
            force=True,
        ),
    )
    yield identity(
        "the best constant is e^x/(K-1)", 1 / (1 + exp(_x) / (_K - 1)), sympy.simplify(best)
    )
    yield assumes(claim, **DOMAIN, lambda_b="nonnegative", c_1="positive")

    def sides(
        F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any, c_1: Any
    ) -> Sides:
        at = Point(F, A, b, lambda_A, lambda_F, lambda_b)
        c = balls.ball(number(c_1))
        product, root = (square(at.A) * square(at.F)).sqrt(), balls.ball(at.n).sqrt()
        penalty = at.decay + at.lb * square(at.b) / 2
        bound = _constant(c, at.K) - product / ((1 + c) * (at.K - 1) * root) + penalty
        theta = 1 / ((1 + c) * (at.K - 1))
        aligned = total(at.dots[at.label].T * at.F) / root
        best = (1 + (at.K - 1) * (-product / ((at.K - 1) * root)).exp()).log() + penalty
        apart = at.divergence(at.collapsed(theta))
        between = bound + apart + theta * (product - aligned) / root
        return {
            "for every constant": (bound, at.risk),
            "between": (at.risk, between),
            "aligned": (aligned, product),
            "the best constant": (best, best),
            "for the best constant": (best, at.risk),
        }

    given = with_(lambda_A="1/2", lambda_F="1/3", lambda_b=0, c_1="1/2")
    given.append({name: np.asarray(v, dtype=object) * 0 for name, v in given[0].items()})
    given[-1].update(point(lambda_A=1, lambda_F=1, c_1="1/2", lambda_b=0))
    yield tie("the claim compares these", claim, given, sides, ("between", "the best constant"))
