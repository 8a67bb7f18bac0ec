"""Proof of the corrected `bnwd:theorem-2.2`. Throughout k = C/(C-1) and A = alpha beta."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import exp, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.weight_decay import theorem
from proofs_check.facts import TANGENT
from proofs_check.proximity.corrected_theorem import FACTS, INSTANCES, MostPairs, explicit_route
from proofs_check.proximity.first_steps import C
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.weight_decay.objective import minimum_steps, near_minimiser_route
from proofs_check.weight_decay.sharp_theorem import Regularised

_alpha, _beta, _lambda, _v = sympy.symbols("alpha beta lambda v", positive=True)
_low, _rest, _short = sympy.symbols("low rest short", nonnegative=True)


@proof("bnwd:theorem-2.2", "corrected", "every constant explicit", *FACTS, TANGENT)
def of_most(claim: Claim) -> Iterator[Step]:
    """f(A) <= m_reg + epsilon puts A within the radius; then Theorem 2.1 at the norms.

    L_reg >= L + Lambda A by the two means, and L >= phi(k A), so f(A) = phi(k A) + Lambda A is at
    most m_reg + epsilon; and L - phi(k A) <= m_reg + epsilon - f(A) <= epsilon.
    """
    yield from minimum_steps()
    yield nonnegative(
        "lambda/2 (alpha^2 + C beta^2) >= sqrt(C) lambda alpha beta",
        _lambda / 2 * (_alpha**2 + C * _beta**2) - sqrt(C) * _lambda * _alpha * _beta,
        [_lambda / 2, (_alpha - sqrt(C) * _beta) ** 2],
    )
    m, epsilon, f = sympy.symbols("m epsilon f", real=True)
    yield identity(
        "L - phi(k A) <= (m + epsilon - Lambda A) - (f - Lambda A)",
        (m + epsilon - _lambda) - (f - _lambda),
        epsilon - (f - m),
    )
    yield from near_minimiser_route()
    yield from explicit_route()
    yield nonnegative(
        "lambda(A) decreases: R = C k A does not, C = 1 + v",
        (1 + _v) ** 2 / _v * ((_low + _rest) - _low),
        [(1 + _v) ** 2 / _v, _rest],
    )
    yield nonnegative(
        "at R >= 0 the inverse of lambda grows: many e + 1/(many e) for e from 1 + low to "
        "(1 + low)(1 + rest), many = 1 + v",
        ((1 + _v) * (1 + _low) * (1 + _rest) + 1 / ((1 + _v) * (1 + _low) * (1 + _rest)))
        - ((1 + _v) * (1 + _low) + 1 / ((1 + _v) * (1 + _low))),
        [
            _rest,
            sympy.expand(((1 + _v) * (1 + _low)) ** 2 * (1 + _rest) - 1),
            1 / ((1 + _v) * (1 + _low) * (1 + _rest)),
        ],
    )
    yield nonnegative(
        "1 - x <= short/A gives low (1 - x) <= short for A = low + v; low < 0 counts as 0",
        _short - _low * (_short / (_low + _v)),
        [_short, _v, 1 / (_low + _v)],
    )
    yield from _formulas()

    def sides(decay: Any, epsilon: Any, **instance: Any) -> dict[str, tuple[Any, Any]]:
        epsilon = number(epsilon)
        most = MostPairs(**instance, alpha=1, beta=1)
        net = Regularised(instance["w"], instance["h"], number(decay))
        p = number(decay) * (net.C - 1) / net.C
        q = epsilon / (p * (1 - p))
        radius = (balls.ball(q) + balls.ball(q * q + 8 * q).sqrt()) / 2 / balls.ball(net.k)
        low, high = net.best - radius, net.best + radius
        least = balls.ball(0).max(low)
        modulus = most.curvature(balls.ball(net.C * net.k) * high)

        def short(conditions: int) -> Any:
            q = balls.ball(conditions * epsilon / most.delta) / modulus
            return (q + 2 * (2 * q).sqrt()) / balls.ball(net.k)

        zero = balls.ball(0)
        pairs = most.compared(zero, zero, zero)
        cosine = pairs["cosine of weights and class means"][1]
        intra = pairs["intra-class cosine"][1]
        above = pairs["inter-class cosine"][0] + balls.ball(Fraction(1, net.C - 1))
        return {
            "near-optimal regularised loss": (
                net.loss + net.penalty,
                net.least + balls.ball(epsilon),
            ),
            "product of norms, at least": (low, net.alpha * net.beta),
            "product of norms, at most": (net.alpha * net.beta, high),
            "cosine of weights and class means": (least * (1 - cosine), short(2)),
            "intra-class cosine": (least * (1 - intra), 8 * short(2)),
            "inter-class cosine": (least.sqrt() * above, 8 * short(5).sqrt()),
        }

    instances = []
    for instance in INSTANCES:
        kept = {name: value for name, value in instance.items() if name not in ("alpha", "beta")}
        instances.append({**kept, **point(decay="1/3")})
    yield assumes(
        claim,
        w="real",
        h="real",
        decay="proportion",
        epsilon="budget",
        subset="mask",
        pairs="mask",
        share="proportion",
    )
    yield tie("the claim compares these", claim, instances, sides)


def _formulas() -> Iterator[Step]:
    """The closed forms are those of Theorem 2.1 with the modulus at the largest product."""
    s = symbolic.symbols(theorem.nc3_of_most)
    many, decay = s["C"] - 1, sqrt(s["C"]) * s["lambda_"]
    p = many * decay / s["C"]
    q = s["epsilon"] / (p * (1 - p))
    best = many / s["C"] * sympy.log((s["C"] - many * decay) / decay)
    radius = many / s["C"] * (q + sqrt(q**2 + 8 * q)) / 2
    end = s["C"] ** 2 / many * (best + radius)

    def eta(conditions: int) -> Any:
        inverse = many * exp(end) + 2 + exp(-end) / many
        q = conditions * s["epsilon"] * inverse / s["delta"]
        return many / s["C"] * (q + 2 * sqrt(2 * q)) / (best - radius)

    yield _same("nc3_of_most", 1 - eta(2))
    yield _same("intra_of_most", 1 - 8 * eta(2))
    yield _same("inter_of_most", 8 * sqrt(eta(5)) - 1 / many)


def _same(name: str, value: Any) -> Step:
    formula = getattr(theorem, name)
    return identity(f"the formula of {name}", symbolic.expression(formula), value)
