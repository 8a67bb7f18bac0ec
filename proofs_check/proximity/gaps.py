"""Proofs about the gaps of the proof of `bnwd:theorem-2.1`. Throughout k = C/(C-1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import diff, exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import gaps
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, JENSEN, MONOTONE
from proofs_check.proximity.first_steps import (
    BOUNDED,
    RIVALS,
    UNDER_NORMS,
    C,
    K,
    Reference,
    loss_is_convex,
    margins_are_convex,
    mean,
    norms_bound_the_mean_margin,
    phi,
    rivals_to_their_mean,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_y, _rest, _gap = sympy.symbols("y rest gap", nonnegative=True)
_a, many, p, q = sympy.symbols("a many p q", positive=True)
_t, _u, _x = sympy.symbols("t u x", real=True)


# -- (17) and (18) -----------------------------------------------------------------------


def _far_slope() -> Iterator[Step]:
    """log(1 + y) >= y/(1 + y)."""
    h = log(1 + _y) - _y / (1 + _y)
    yield identity("log(1 + y) - y/(1 + y) vanishes at 0", h.subs(_y, 0), 0)
    yield nonnegative("its derivative is y/(1 + y)^2", diff(h, _y), [_y, (1 + _y) ** -2])


def _middle_slope() -> Iterator[Step]:
    """log(1 + y) >= y/(1 + y/2)."""
    h = log(1 + _y) - _y / (1 + _y / 2)
    yield identity("log(1 + y) - y/(1 + y/2) vanishes at 0", h.subs(_y, 0), 0)
    yield nonnegative(
        "its derivative is y^2/((1 + y)(2 + y)^2)",
        diff(h, _y),
        [_y**2, 1 / (1 + _y), (2 + _y) ** -2],
    )


def _sum_over_a(formula: Any, share: Any) -> Iterator[Step]:
    """With a = 1 + (C-1) e^-t, the bound is log a + share(gap/a), the truth log a + log(1 + y)."""
    s = symbolic.symbols(formula)
    a = 1 + (s["C"] - 1) * exp(-s["t"])
    yield identity(
        "the bound is log a plus a function of y = gap/a",
        symbolic.expression(formula),
        log(a) + share(s["gap"] / a),
    )
    yield identity("a + gap = a (1 + gap/a)", _a + _gap, _a * (1 + _gap / _a))


def _log_sum_sides(lower: Any) -> Any:
    """The sides for a bound log a + ``lower(a, gap, C)``, a ball and exact numbers."""

    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        classes, t, gap = (number(instance[name]) for name in ("C", "t", "gap"))
        other = balls.ball(classes - 1) * balls.ball(-t).exp()
        below = (1 + other).log() + lower(1 + other, balls.ball(gap), balls.ball(classes))
        return {"logarithm of the sum": (below, (1 + other + balls.ball(gap)).log())}

    return sides


_LOG_SUMS = [point(C=3, t=1, gap="1/2"), point(C=10, t="1/3", gap=2)]


@proof("bnwd:eq-17", "corrected", "slope at the far end", MONOTONE)
def far_slope(claim: Claim) -> Iterator[Step]:
    """The tangent of the logarithm at the far end."""
    yield from _far_slope()
    yield from _sum_over_a(gaps.corrected_log_sum, lambda y: y / (1 + y))
    yield assumes(claim, C="integer >= 3", t="real", gap="nonnegative")
    sides = _log_sum_sides(lambda a, gap, _: gap / (a + gap))
    yield tie("the claim compares these", claim, _LOG_SUMS, sides)


@proof("bnwd:eq-17", "sharp", "slope half way", MONOTONE)
def middle_slope(claim: Claim) -> Iterator[Step]:
    """The first approximant of Pade."""
    yield from _middle_slope()
    yield from _sum_over_a(gaps.sharp_log_sum, lambda y: y / (1 + y / 2))
    yield assumes(claim, C="integer >= 3", t="real", gap="nonnegative")
    sides = _log_sum_sides(lambda a, gap, _: gap / (a + gap / 2))
    yield tie("the claim compares these", claim, _LOG_SUMS, sides)


def _capped() -> Iterator[Step]:
    """gap/(a + gap) >= gap/C where a + gap <= C."""
    yield from _far_slope()
    yield identity(
        "y/(1 + y) = gap/(a + gap) for y = gap/a", _gap / _a / (1 + _gap / _a), _gap / (_a + _gap)
    )
    yield nonnegative(
        "gap/(a + gap) >= gap/C for C = a + gap + rest",
        _gap / (_a + _gap) - _gap / (_a + _gap + _rest),
        [_gap * _rest, 1 / (_a + _gap), 1 / (_a + _gap + _rest)],
    )


@proof("bnwd:eq-18", "corrected", "a loss of at most log C", MONOTONE)
def capped(claim: Claim) -> Iterator[Step]:
    """(17) with the slope at the far end, where a + gap <= C."""
    yield from _capped()

    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        classes, t, gap = (number(instance[name]) for name in ("C", "t", "gap"))
        other = balls.ball(classes - 1) * balls.ball(-t).exp()
        cap = {"loss at most log C": (other + balls.ball(gap), classes - 1)}
        return {**cap, **_log_sum_sides(lambda _, gap, classes: gap / classes)(**instance)}

    yield assumes(claim, C="integer >= 3", t="real", gap="nonnegative")
    yield tie("the claim compares these", claim, _LOG_SUMS, sides)


@proof("bnwd:eq-18", "sharp", "every gap", MONOTONE)
def any_gap(claim: Claim) -> Iterator[Step]:
    """(17) with the slope half way, and a <= C as t >= 0."""
    yield from _middle_slope()
    yield identity(
        "y/(1 + y/2) = gap/(a + gap/2) for y = gap/a",
        _gap / _a / (1 + _gap / _a / 2),
        _gap / (_a + _gap / 2),
    )
    yield nonnegative(
        "a = 1 + (C-1) e^-t <= C: with e^t = 1 + y and C = 1 + many",
        (1 + many) - (1 + many / (1 + _y)),
        [many, _y, 1 / (1 + _y)],
    )
    yield nonnegative(
        "gap/(a + gap/2) >= gap/(C + gap/2) for C = a + rest",
        _gap / (_a + _gap / 2) - _gap / (_a + _rest + _gap / 2),
        [_gap * _rest, 1 / (_a + _gap / 2), 1 / (_a + _rest + _gap / 2)],
    )
    yield assumes(claim, C="integer >= 3", t="nonnegative", gap="nonnegative")
    sides = _log_sum_sides(lambda _, gap, classes: gap / (classes + gap / 2))
    yield tie("the claim compares these", claim, _LOG_SUMS, sides)


# -- the budget --------------------------------------------------------------------------


def chain_of_gaps() -> Iterator[Step]:
    """L >= mean of the losses at class means, = mean phi(t) + first, = phi(mean t) + second."""
    yield from loss_is_convex()
    yield from rivals_to_their_mean()
    yield from margins_are_convex()
    yield from norms_bound_the_mean_margin()
    other = RIVALS * exp(-_t)
    yield identity(
        "the Bregman gap log(1 - s + s e^-u) + s u at slope s is phi(t + u) - phi(t) + s u: "
        "summed over classes its last term vanishes",
        1 - other / (1 + other) + other / (1 + other) * exp(-_u),
        (1 + other * exp(-_u)) / (1 + other),
    )
    alpha, beta = sympy.symbols("alpha beta", positive=True)
    other = RIVALS * exp(-K * alpha * beta)
    yield identity(
        "the tangent of phi(k alpha beta - x) at x = 0, which lies below as phi is convex",
        diff(phi(K * alpha * beta - _x), _x).subs(_x, 0),
        other / (1 + other),
    )
    yield identity("its slope is 1 - e^-m", other / (1 + other), 1 - exp(-log(1 + other)))


_BUDGETS = [{**network, **point(epsilon=4)} for network in BOUNDED]


def _budget_sides(first: Any, capped: bool) -> Any:
    def sides(w: Any, h: Any, alpha: Any, beta: Any, epsilon: Any) -> dict[str, tuple[Any, Any]]:
        net, a, b = Reference(w, h), number(alpha), number(beta)
        top = net.k * a * b
        third, m = top - mean(net.t), net.phi(top)
        other = (net.C - 1) * balls.ball(-top).exp()
        spent = first(net) + net.second + other / (1 + other) * balls.ball(third)
        log_c = balls.ball(net.C).log()
        cap = {"loss at class means": (net.array(net.at), net.array([log_c] * net.C))}
        return {
            **net.norm_sides(a, b),
            "near-optimal loss": (net.loss, m + balls.ball(number(epsilon))),
            **(cap if capped else {}),
            "second gap >= 0": (balls.ball(0), net.second),
            "third gap >= 0": (balls.ball(0), balls.ball(third)),
            "budget": (spent, number(epsilon)),
        }

    return sides


_REMARK = "bnwd:remark-budget"


@proof(_REMARK, "corrected", "losses of at most log C", JENSEN, CAUCHY_SCHWARZ, MONOTONE)
def budget_over_classes(claim: Claim) -> Iterator[Step]:
    """The chain of gaps, (18) for each class, and the tangent of phi at k alpha beta."""
    yield from chain_of_gaps()
    yield from _capped()
    yield assumes(claim, **UNDER_NORMS, epsilon="budget")
    sides = _budget_sides(lambda net: mean(net.first) / net.C, capped=True)
    yield tie("the claim compares these", claim, _BUDGETS, sides)


@proof(_REMARK, "corrected", "every epsilon", JENSEN, CAUCHY_SCHWARZ, MONOTONE)
def budget_over_the_sum(claim: Claim) -> Iterator[Step]:
    """The same with (17) at the far end."""
    yield from chain_of_gaps()
    yield from _far_slope()
    yield identity(
        "y/(1 + y) = gap/(a + gap), which is 1 - e^(log a - log(a + gap))",
        _gap / _a / (1 + _gap / _a),
        1 - exp(log(_a) - log(_a + _gap)),
    )

    def first(net: Reference) -> Any:
        each = zip(net.first, net.at, strict=True)
        return mean([gap / loss.exp() for gap, loss in each])

    yield assumes(claim, **UNDER_NORMS, epsilon="budget")
    yield tie("the claim compares these", claim, _BUDGETS, _budget_sides(first, capped=False))


@proof(_REMARK, "corrected", "norms of one class", CAUCHY_SCHWARZ)
def class_norms(claim: Claim) -> Iterator[Step]:
    """One of the classes' squares is at most their sum; centred weights sum to zero."""
    beta, own, others = sympy.symbols("beta own others", positive=True)
    yield nonnegative(
        "one square is at most C alpha^2, the sum of all", (own + others) - own, [others]
    )
    yield identity(
        "the other C-1 centred weights sum to minus this one: by Cauchy-Schwarz their squares "
        "sum to at least own/(C-1), all to at least own C/(C-1), where own is its square",
        own + own / RIVALS,
        own * K,
    )
    yield identity("so own <= (C-1)/C C beta^2", C * beta**2 / K, RIVALS * beta**2)
    s = symbolic.symbols(gaps.inner_reach)
    yield identity(
        "sqrt(C) alpha sqrt(C-1) beta is the bound on the inner product",
        symbolic.expression(gaps.inner_reach) ** 2,
        (sqrt(s["C"]) * s["alpha"]) ** 2 * (s["C"] - 1) * s["beta"] ** 2,
    )

    def sides(w: Any, h: Any, alpha: Any, beta: Any) -> dict[str, tuple[Any, Any]]:
        net, a, b = Reference(w, h), number(alpha), number(beta)
        reach = balls.ball(net.C * (net.C - 1)).sqrt() * balls.ball(a * b)
        features = balls.ball(net.C).sqrt() * balls.ball(a)
        weights = balls.ball(net.C - 1).sqrt() * balls.ball(b)
        return {
            **net.norm_sides(a, b),
            "class mean": (net.array(net.lengths), net.array([features] * net.C)),
            "centred weight": (net.array(net.weights), net.array([weights] * net.C)),
            "inner product": (
                net.array([abs(balls.ball(x)) for x in net.inner]),
                net.array([reach] * net.C),
            ),
        }

    yield assumes(claim, **UNDER_NORMS)
    yield tie("the claim compares these", claim, BOUNDED, sides)


# -- the modulus -------------------------------------------------------------------------


def second_derivative() -> Iterator[Step]:
    """The second derivative of log(1 + (C-1) e^x) in both forms."""
    s, f = symbolic.symbols(gaps.partition), gaps.partition
    to_x = {symbolic.symbols(gaps.curvature)["x"]: s["x"]}
    attraction = (s["C"] - 1) * exp(s["x"])
    second = diff(symbolic.expression(f), s["x"], 2)
    yield identity(
        "the quotient is the second derivative", second, attraction / (1 + attraction) ** 2
    )
    yield identity(
        "the other form is too",
        attraction / (1 + attraction) ** 2,
        symbolic.expression(gaps.curvature).xreplace(to_x),
    )


def least_at_the_ends() -> Iterator[Step]:
    """With z = x + log(C-1) it is 1/(e^z + 2 + e^-z): even in z, and least where |z| is largest."""
    e, factor = 1 + p, 1 + q
    yield nonnegative(
        "e^z + e^-z grows with |z|: from e^|z| = 1 + p to (1 + p)(1 + q)",
        (e * factor + 1 / (e * factor)) - (e + 1 / e),
        [q, sympy.expand(e**2 * factor - 1), 1 / e, 1 / factor],
    )


def _curvature(classes: int, x: Any) -> Any:
    """The second derivative at a ball, by the quotient."""
    attraction = (classes - 1) * x.exp()
    return attraction / (1 + attraction) ** 2


@proof("bnwd:remark-modulus", "printed", "second derivative")
def curvature(claim: Claim) -> Iterator[Step]:
    """Differentiate twice."""
    yield from second_derivative()

    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        value = _curvature(int(number(instance["C"])), balls.ball(number(instance["x"])))
        return {"two forms": (value, value)}

    yield assumes(claim, C="integer >= 2", x="real")
    yield tie("the claim compares these", claim, [point(C=3, x="1/2")], sides, ("two forms",))


@proof("bnwd:remark-modulus", "corrected", "the modulus of the interval")
def modulus(claim: Claim) -> Iterator[Step]:
    """On [-R, R] the largest |x + log(C-1)| is R + log(C-1), at the right end."""
    yield from second_derivative()
    yield from least_at_the_ends()
    yield exponential_below()
    yield nonnegative(
        "1/4 - 1/(e + 2 + 1/e) is a square over four times a positive number",
        sympy.Rational(1, 4) - 1 / (q + 2 + 1 / q),
        [(q - 1) ** 2, 1 / (4 * (q + 1) ** 2)],
    )

    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        classes, product, place = (number(instance[n]) for n in ("C", "product", "place"))
        R = classes**2 / (classes - 1) * product
        at = _curvature(int(classes), balls.ball(R * (2 * place - 1)))
        least = _curvature(int(classes), balls.ball(R))
        below = balls.ball((classes - 1) / classes**2) * balls.ball(-R).exp()
        return {
            "modulus": (least, at),
            "exponential": (below, least),
            "at most a quarter": (4 * at, 1),
        }

    yield assumes(claim, C="integer >= 2", product="positive", place="proportion")
    instances = [point(C=3, product="1/2", place="1/4"), point(C=10, product=2, place="9/10")]
    yield tie("the claim compares these", claim, instances, sides)


def exponential_below() -> Step:
    """The modulus 1/(many E + 2 + 1/(many E)) is at least many/((1+many)^2 E), E = e^R >= 1."""
    end = 1 + p
    return nonnegative(
        "the exponential (C-1)/C^2 e^-R lies below: with e^R = 1 + p",
        1 / (many * end + 2 + 1 / (many * end)) - many / (1 + many) ** 2 / end,
        [
            many * p,
            2 + 2 * many + 2 * many * p + p,
            1 / (1 + many * (1 + p)) ** 2,
            1 / (1 + many) ** 2,
            1 / (1 + p),
        ],
    )


@proof("bnwd:remark-modulus", "sharp", "the margins of a network", CAUCHY_SCHWARZ)
def modulus_reached(claim: Claim) -> Iterator[Step]:
    """The margins lie within k sqrt(C (C-1)) alpha beta, and the rest is as on any interval."""
    yield from second_derivative()
    yield from least_at_the_ends()
    own, alpha, beta = sympy.symbols("own alpha beta", positive=True)
    yield identity(
        "own + own/(C-1) <= C beta^2 for the square of a centred weight, by Cauchy-Schwarz for "
        "the others, which sum to minus it",
        own + own / RIVALS,
        own * K,
    )
    yield identity(
        "k times the norms sqrt(C-1) beta and sqrt(C) alpha, squared",
        (K * alpha * beta) ** 2 * RIVALS * C,
        (C * sqrt(K) * alpha * beta) ** 2,
    )

    def sides(w: Any, h: Any, alpha: Any, beta: Any) -> dict[str, tuple[Any, Any]]:
        net, a, b = Reference(w, h), number(alpha), number(beta)
        end = net.C * balls.ball(net.k).sqrt() * balls.ball(a * b)
        least = _curvature(net.C, end)
        at = [_curvature(net.C, balls.ball(-t)) for t in net.t]
        return {
            **net.norm_sides(a, b),
            "modulus": (net.array([least] * net.C), net.array(at)),
        }

    yield assumes(claim, **UNDER_NORMS)
    yield tie("the claim compares these", claim, BOUNDED, sides)
