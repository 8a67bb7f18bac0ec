"""Proof of what is true of the printed `bnwd:theorem-2.1`. Throughout A = alpha beta.

It follows from the corrected theorem, whose bounds are compared with the printed ones: with y =
epsilon/delta, q_n = n y/lambda and 1/lambda <= C^2/(C-1) e^R.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import exp, root, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import printed_theorem
from ncbounds.theory.terms import Claim
from proofs_check.facts import TANGENT
from proofs_check.proximity.corrected_theorem import (
    DOMAIN,
    FACTS,
    INSTANCES,
    MostPairs,
    explicit_route,
)
from proofs_check.proximity.gaps import exponential_below
from proofs_check.steps import Step, assumes, cases, identity, nonnegative, number, proof, tie

_v, _A, _y, _n = sympy.symbols("v A y n", positive=True)
_C = 3 + _v


@proof("bnwd:theorem-2.1", "printed", "main text, constants that depend on C", *FACTS, TANGENT)
def main_text(claim: Claim) -> Iterator[Step]:
    """Where q <= 1 compare the corrected bounds with the printed ones; where q > 1 these are void.

    As C >= 3, q_n <= Q = (n C^2/(C-1)) e^(3 C A/2) y.
    """
    yield from explicit_route()
    yield exponential_below()
    yield nonnegative(
        "R = C^2 A/(C-1) <= 3 C A/2 for C = 3 + v",
        sympy.Rational(3, 2) * _C * _A - _C**2 * _A / (_C - 1),
        [_C * _A * _v, 1 / (2 * (_C - 1))],
    )
    Q = _n * _C**2 / (_C - 1) * exp(3 * _C * _A / 2) * _y
    yield nonnegative(
        "q + 2 sqrt(2q) <= (1 + 2 sqrt 2) sqrt(q) for q = p^2, p = 1/(1 + v) <= 1",
        1 / (1 + _v) - (1 / (1 + _v)) ** 2,
        [_v, (1 + _v) ** -2],
    )
    yield identity(
        "(C-1)/(C A) sqrt(Q) = sqrt(n (C-1)) e^(3 C A/4) sqrt(y)/A: squared",
        ((_C - 1) / (_C * _A)) ** 2 * Q,
        _n * (_C - 1) * exp(3 * _C * _A / 2) * _y / _A**2,
    )
    yield from _constants()
    yield from _void(Q)
    s = symbolic.symbols(printed_theorem.main_intra)
    growth = exp(s["C"] * s["alpha"] * s["beta"]) / (s["alpha"] * s["beta"])
    many, y = s["C"] - 1, s["epsilon"] / s["delta"]
    yield identity(
        "the formula of the intra-class bound",
        symbolic.expression(printed_theorem.main_intra),
        1 - 44 * sqrt(many) * growth * sqrt(y),
    )
    yield identity(
        "the formula of the inter-class bound",
        symbolic.expression(printed_theorem.main_inter),
        24 * root(many, 4) * growth * root(y, 6) - 1 / many,
    )

    def sides(epsilon: Any, **instance: Any) -> dict[str, tuple[Any, Any]]:
        net, epsilon = MostPairs(**instance), number(epsilon)
        many, y = balls.ball(net.C - 1), balls.ball(epsilon / net.delta)
        growth = balls.ball(net.C * net.product).exp() / balls.ball(net.product)
        intra = 1 - 44 * many.sqrt() * growth * y.sqrt()
        inter = 24 * many.root(4) * growth * y.root(6) - 1 / many
        compared = net.compared(balls.ball(0), intra, inter)
        del compared["cosine of weights and class means"]
        return {
            **net.norms,
            "near-optimal loss": (net.loss, net.phi(net.k * net.product) + balls.ball(epsilon)),
            "epsilon at most delta": (epsilon, net.delta),
            **compared,
        }

    yield assumes(claim, **DOMAIN)
    yield tie("the claim compares these", claim, INSTANCES[:1], sides)


def _constants() -> Iterator[Step]:
    """Where q <= 1."""
    factor = 1 + 2 * sqrt(2)
    yield cases(
        "8 (1 + 2 sqrt 2) sqrt(2) <= 44 and 8 sqrt((1 + 2 sqrt 2) sqrt(5)) <= 24",
        {
            "intra": bool(8 * factor * sqrt(2) <= 44),
            "inter": bool(64 * factor * sqrt(5) <= 24**2),
        },
    )
    yield nonnegative(
        "e^(3 C A/4) <= e^(C A): the exponents", _C * _A - 3 * _C * _A / 4, [_C, _A / 4]
    )
    yield nonnegative(
        "8 sqrt(eta_5) has e^(3 C A/8)/sqrt(A) <= e^(C A)/A, as A <= 1 + 5 C A/4 <= e^(5 C A/4)",
        1 + 5 * _C * _A / 4 - _A,
        [1 + sympy.Rational(11, 4) * _A + 5 * _v * _A / 4],
    )
    yield cases(
        "y^(1/4) <= y^(1/6) for y <= 1",
        {"exponents": bool(sympy.Rational(1, 6) < sympy.Rational(1, 4))},
    )


def _void(Q: Any) -> Iterator[Step]:
    """Where q > 1, so Q > 1, the printed bounds say nothing."""
    least = _y / Q
    yield identity(
        "intra, squared, over Q: 44^2 (C-1) e^(2 C A) y/(A^2 Q)",
        44**2 * (_C - 1) * exp(2 * _C * _A) / _A**2 * least.subs(_n, 2),
        (44**2 / sympy.Integer(2)) * ((_C - 1) / _C) ** 2 * (exp(_C * _A / 4) / _A) ** 2,
    )
    yield nonnegative(
        "e^(C A/4)/A >= C/4 by the tangent, and 44^2/2 ((C-1)/4)^2 >= 1",
        sympy.Integer(44**2) / 2 * ((_C - 1) / 4) ** 2 - 1,
        [241 + sympy.Rational(121, 2) * (4 * _v + _v**2)],
    )
    yield identity(
        "inter, to the power 6, over Q: 24^6 (C-1)^(3/2) e^(6 C A) y/(A^6 Q)",
        24**6 * (_C - 1) ** sympy.Rational(3, 2) * exp(6 * _C * _A) / _A**6 * least.subs(_n, 5),
        sympy.Rational(24**6, 5)
        * (_C - 1) ** sympy.Rational(5, 2)
        / _C**2
        * (exp(3 * _C * _A / 4) / _A) ** 6,
    )
    yield nonnegative(
        "e^(3 C A/4)/A >= 3C/4, C - 1 >= 1, and 24^6/5 (3/4)^6 C^4 >= 2^6",
        sympy.Rational(24**6, 5) * sympy.Rational(3, 4) ** 6 * _C**4 - 64,
        [
            sympy.Rational(24**6, 5) * sympy.Rational(3, 4) ** 6 * sympy.expand(_C**4 - 81)
            + sympy.Rational(24**6, 5) * sympy.Rational(3, 4) ** 6 * 81
            - 64
        ],
    )
    yield nonnegative(
        "2 - 1/(C-1) >= 1 for C = 3 + v", 2 - 1 / (_C - 1) - 1, [1 + _v, 1 / (_C - 1)]
    )
