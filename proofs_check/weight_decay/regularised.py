"""Proofs about the regularised loss. Throughout k = C/(C-1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import diff, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.weight_decay import regularised
from proofs_check.facts import CAUCHY_SCHWARZ, JENSEN, MONOTONE
from proofs_check.proximity.first_steps import (
    NETWORKS,
    RIVALS,
    C,
    Reference,
    loss_is_convex,
    margins_are_convex,
    norms_bound_the_mean_margin,
    rivals_to_their_mean,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.weight_decay.objective import minimum_steps

_alpha, _beta, _lambda, _share = sympy.symbols("alpha beta lambda share", positive=True)


@proof("bnwd:remark-m-reg", "corrected", "the other sign", JENSEN, CAUCHY_SCHWARZ, MONOTONE)
def least(claim: Claim) -> Iterator[Step]:
    """The least loss under the norms, the two means of the norms, and the minimum of f."""
    yield from loss_is_convex()
    yield from rivals_to_their_mean()
    yield from margins_are_convex()
    yield from norms_bound_the_mean_margin()
    yield nonnegative(
        "alpha^2 + C beta^2 >= 2 sqrt(C) alpha beta",
        _lambda / 2 * (_alpha**2 + C * _beta**2) - sqrt(C) * _lambda * _alpha * _beta,
        [_lambda / 2, (_alpha - sqrt(C) * _beta) ** 2],
    )
    yield from minimum_steps()
    combined = sqrt(C) * _lambda
    yield identity(
        "the weight decay of f is sqrt(C) lambda: the logarithm's argument",
        (C - RIVALS * combined) / combined,
        sqrt(C) / _lambda - RIVALS,
    )
    yield identity("and the factor before it", RIVALS / C * combined, RIVALS / sqrt(C) * _lambda)
    product = sympy.Symbol("product", positive=True)
    yield identity(
        "alpha^2 = sqrt(C) product and beta^2 = product/sqrt(C) have that product, and equality "
        "in the means",
        (sqrt(C) * product) * (product / sqrt(C)),
        product**2,
    )
    yield identity("alpha^2 = C beta^2", sqrt(C) * product, C * (product / sqrt(C)))
    scale = 1 / sqrt(C * RIVALS)
    yield identity("a row of the simplex has norm 1", (RIVALS**2 + RIVALS) * scale**2, 1)
    yield identity("two rows: -1/(C-1)", (-2 * RIVALS + (C - 2)) * scale**2, -1 / RIVALS)

    def sides(w: Any, h: Any, share: Any) -> dict[str, tuple[Any, Any]]:
        net, part = Reference(w, h), number(share)
        decay = balls.ball(part) / balls.ball(net.C).sqrt()
        norms = net.alpha**2 + net.C * net.beta**2
        p = part * (net.C - 1) / net.C
        m = balls.ball(p) * balls.ball(net.C / part - (net.C - 1)).log() - balls.ball(1 - p).log()
        return {"least": (m, net.loss + decay / 2 * norms), "attained by a simplex": (m, m)}

    instances = [{**network, **point(share="1/3")} for network in NETWORKS]
    yield assumes(claim, w="real", h="real", share="proportion")
    yield tie("the claim compares these", claim, instances, sides, ("attained by a simplex",))


def _size() -> Iterator[Step]:
    """With 1/lambda = 1 + rest: 1 <= (C - (C-1) lambda)/lambda <= C/lambda."""
    rest, many = sympy.symbols("rest many", positive=True)
    inside = ((1 + many) - many * _lambda) / _lambda
    yield nonnegative(
        "(C - (C-1) lambda)/lambda >= 1",
        (inside - 1).subs(_lambda, 1 / (1 + rest)),
        [1 + many, rest],
    )
    yield nonnegative(
        "(C - (C-1) lambda)/lambda <= C/lambda", (1 + many) / _lambda - inside, [many]
    )


def _size_sides(full: bool) -> Any:
    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        classes, decay = number(instance["C"]), number(instance["lambda_"])
        factor = balls.ball((classes - 1) / classes)
        place = factor * balls.ball((classes - (classes - 1) * decay) / decay).log()
        upper = balls.ball(classes / decay).log() * (1 if full else factor)
        return {"upper": (place, upper), "positive below 1": (balls.ball(0), place)}

    return sides


_SIZES = [point(C=2, lambda_="1/2"), point(C=10, lambda_="1/100")]


@proof("bnwd:remark-gamma-star", "sharp", "with its factor")
def size(claim: Claim) -> Iterator[Step]:
    """The logarithm increases."""
    yield from _size()
    yield assumes(claim, C="integer >= 2", lambda_="proportion")
    yield tie("the claim compares these", claim, _SIZES, _size_sides(False))


@proof("bnwd:remark-gamma-star", "printed", "below log(C/lambda)")
def printed_size(claim: Claim) -> Iterator[Step]:
    """The sharp bound less its factor (C-1)/C, the logarithm being positive."""
    yield from _size()
    classes = sympy.Symbol("C", positive=True)
    rest = sympy.Symbol("rest", positive=True)
    yield nonnegative(
        "log(C/lambda)/C >= 0, with C/lambda = 1 + rest",
        log(1 + rest) - (classes - 1) / classes * log(1 + rest),
        [1 / classes, log(1 + rest)],
    )
    yield assumes(claim, C="integer >= 2", lambda_="proportion")
    yield tie("the claim compares these", claim, _SIZES, _size_sides(True))


# -- more weight decay -------------------------------------------------------------------

_DECAYS = {"C": "integer >= 2", "larger": "proportion", "share": "proportion", "kappa": "positive"}
_TWO_DECAYS = [
    point(C=3, larger="1/2", share="1/3", kappa=2),
    point(C=10, larger="1/100", share="7/8", kappa="1/4"),
]


@proof("bnwd:remark-lambda-monotone", "printed", "the factor of the rate", MONOTONE)
def rate(claim: Claim) -> Iterator[Step]:
    """Its logarithm has the derivative -kappa C/lambda."""
    s = symbolic.symbols(regularised.rate)
    yield nonnegative(
        "minus the derivative is kappa C/lambda",
        -diff(symbolic.expression(regularised.rate), s["lambda_"]),
        [s["kappa"] * s["C"], 1 / s["lambda_"]],
    )

    def sides(C: Any, larger: Any, share: Any, kappa: Any) -> dict[str, tuple[Any, Any]]:
        classes, decay = number(C), number(larger)
        power = balls.ball(number(kappa) * classes)
        before, after = decay * number(share), decay
        return {
            "no larger": (
                power * balls.ball(classes / after).log(),
                power * balls.ball(classes / before).log(),
            )
        }

    yield assumes(claim, **_DECAYS)
    yield tie("the claim compares these", claim, _TWO_DECAYS, sides)


@proof("bnwd:remark-lambda-monotone", "corrected", "while gamma* is not too small", MONOTONE)
def deficit(claim: Claim) -> Iterator[Step]:
    """The derivative is negative up to the limit, whose right-hand side decreases.

    At a smaller weight decay gamma* and C - (C-1) lambda are larger, so the hypothesis holds there.
    """
    s = symbolic.symbols(regularised.deficit)
    many, decay, kappa = s["C"] - 1, s["lambda_"], s["kappa"]
    product = many / s["C"] * log((s["C"] - many * decay) / decay)
    room = kappa * s["C"] * (s["C"] - many * decay) * product
    yield identity(
        "the derivative is (2 (C-1) - kappa C (C - (C-1) lambda) gamma*) over a positive number",
        diff(symbolic.expression(regularised.deficit), decay),
        (2 * many - room) / (2 * decay * (s["C"] - many * decay) * product),
    )
    rivals, rest = sympy.symbols("rivals rest", positive=True)
    yield nonnegative(
        "C - (C-1) lambda is positive, with C = 1 + rivals and lambda = 1/(1 + rest)",
        (1 + rivals) - rivals / (1 + rest),
        [1 + rest + rivals * rest, 1 / (1 + rest)],
    )
    yield nonnegative(
        "C - (C-1) lambda does not increase",
        -diff((1 + rivals) - rivals * _lambda, _lambda),
        [rivals],
    )
    yield nonnegative(
        "nor does (C - (C-1) lambda)/lambda, so nor gamma*",
        -diff(((1 + rivals) - rivals * _lambda) / _lambda, _lambda),
        [1 + rivals, _lambda**-2],
    )

    def sides(C: Any, larger: Any, share: Any, kappa: Any) -> dict[str, tuple[Any, Any]]:
        classes, after = number(C), number(larger)
        before, power = after * number(share), number(kappa) * classes

        def place(decay: Any) -> Any:
            inside = (classes - (classes - 1) * decay) / decay
            return balls.ball((classes - 1) / classes) * balls.ball(inside).log()

        def distance(decay: Any) -> Any:
            size = balls.ball(classes).sqrt() * balls.ball(classes / decay)
            part = balls.ball((classes - 1) / classes) / place(decay)
            return part.log() + balls.ball(power / 2) * (1 + size.log())

        room = balls.ball(power * (classes - (classes - 1) * after)) * place(after)
        return {
            "gamma* not too small": (2 * (classes - 1), room),
            "no larger": (distance(after), distance(before)),
        }

    yield assumes(claim, **_DECAYS)
    yield tie("the claim compares these", claim, _TWO_DECAYS, sides)
