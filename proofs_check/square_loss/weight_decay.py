"""Proofs about the regularised square loss. Throughout k = C/(C-1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import weight_decay
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ
from proofs_check.proximity.alignment import both_factors
from proofs_check.proximity.first_steps import C, K, centring, within_classes
from proofs_check.square_loss.collapse import along_the_target, mean_and_variance
from proofs_check.square_loss.outputs import LAYERS, Outputs
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_share, _decay, _e, _alpha, _beta, _p = sympy.symbols("share lambda e alpha beta p", positive=True)
_h, _w, _x, _centre, _q = sympy.symbols("h w x centre q", real=True)


@proof("square:sharp-3", "sharp", "the gap, split", CAUCHY_SCHWARZ)
def gap_split(claim: Claim) -> Iterator[Step]:
    """Expand (1 - q)^2 at k p*, complete the squares of the norms; s by one more square."""
    yield from along_the_target()
    yield from mean_and_variance()
    yield from centring()
    yield from within_classes()
    combined = sqrt(C) * _decay
    best = (1 - combined / 2) / K
    yield identity(
        "(1-q)^2/k at k p*: the linear term is -Lambda (q/k - p*), the mean of q/k that of "
        "<wdot, h>",
        (1 - _q) ** 2 / K,
        (1 - K * best) ** 2 / K - combined * (_q / K - best) + (_q - K * best) ** 2 / K,
    )
    yield identity(
        "lambda/2 (|h|^2 + C |w|^2) = lambda/2 |h - sqrt(C) wdot|^2 + Lambda <wdot, h> + "
        "(lambda C/2) |mean w|^2, in means",
        _decay / 2 * (_h + C * (_w + _centre)),
        _decay / 2 * (_h - 2 * sqrt(C) * _x + C * _w) + combined * _x + _decay * C / 2 * _centre,
    )
    yield identity(
        "the least loss (1 - k p*)^2/k + Lambda p*, as the formula has it",
        _named(weight_decay.least_loss, C=C, lambda_=_decay),
        (1 - K * best) ** 2 / K + combined * best,
    )
    yield identity("p*", _named(weight_decay.best_product, C=C, lambda_=_decay), best)
    yield from _share_from_gap()
    yield from both_factors()
    yield identity(
        "the bound on s is epsilon/(Lambda alpha beta)",
        _named(weight_decay.gap_share, C=C, lambda_=_decay, epsilon=_e, alpha=_alpha, beta=_beta),
        _e / (combined * _alpha * _beta),
    )
    yield nonnegative("beta >= b: beta^2 = b^2 + |mean w|^2", (_p + _share) - _p, [_share])
    yield assumes(claim, w="real", h="real", bias="real", share="proportion")
    points = [
        {**layer, **point(share=share)}
        for layer, share in zip(LAYERS, ("1/3", "1/8", "3/4"), strict=True)
    ]
    yield tie("the claim compares these", claim, points, _sides, ("the gap, split",))


def _named(formula: Any, **values: Any) -> Any:
    found = symbolic.symbols(formula)
    return symbolic.expression(formula).subs({found[n]: v for n, v in values.items()})


def _share_from_gap() -> Iterator[Step]:
    """k epsilon/Lambda >= T - (1 - e), T = k alpha beta: what is left is a square."""
    weight = sympy.Symbol("Lambda", positive=True)
    best = (1 - weight / 2) / K
    product = _alpha * _beta
    epsilon = _e**2 / K + weight * product - ((1 - K * best) ** 2 / K + weight * best)
    yield nonnegative(
        "alpha^2 + C beta^2 >= 2 sqrt(C) alpha beta, so epsilon >= e^2/k + Lambda alpha beta - m",
        _decay / 2 * (_alpha**2 + C * _beta**2) - sqrt(C) * _decay * product,
        [_decay / 2, (_alpha - sqrt(C) * _beta) ** 2],
    )
    yield nonnegative(
        "k epsilon/Lambda - (T - (1 - e)) is a square over Lambda",
        K * epsilon / weight - (K * product - (1 - _e)),
        [(_e - weight / 2) ** 2, 1 / weight],
    )
    yield identity(
        "divided by T: s <= epsilon/(Lambda alpha beta)",
        (K * _p / weight) / (K * product),
        _p / (weight * product),
    )


def _sides(w: Any, h: Any, bias: Any, share: Any) -> dict[str, tuple[Any, Any]]:
    of = Outputs(w, h, bias)
    root = balls.ball(of.C).sqrt()
    combined, decay = 2 * number(share), balls.ball(2 * number(share)) / root
    best = (1 - combined / 2) / of.k
    least = (1 - of.k * best) ** 2 / of.k + combined * best
    norms = of.square + of.C * of.square_of_weights
    loss = balls.ball(of.loss) + decay / 2 * balls.ball(norms)
    epsilon = loss - balls.ball(least)
    beta = balls.ball(of.square_of_weights).sqrt()
    T = balls.ball(of.k) * of.alpha * beta
    bound = epsilon / (balls.ball(combined) * of.alpha * beta)
    inner = of.mean(of.own)
    apart = balls.ball(of.square + of.C * of.square_of_wdot) - 2 * root * balls.ball(inner)
    kept = (1 - bound).max(balls.ball(0))
    return {
        "the gap, split": (loss, loss),
        "least": (balls.ball(least), loss),
        "s": (1 - (1 - of.error) / T, bound),
        "NC1": (1 - of.kept, 1 - kept**2),
        "NC3": (1 - of.cosine, bound if bound < 1 else balls.ball(2)),
        "distance": (apart, 2 * epsilon / decay),
    }
