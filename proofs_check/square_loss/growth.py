"""Proofs about the growth of rho, and about rates when the loss vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import growth as theory
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT, TRIANGLE
from proofs_check.square_loss.equilibrium import Samples, parabola, rest
from proofs_check.square_loss.flow import FIELDS, networks
from proofs_check.square_loss.flow_network import (
    CALCULUS,
    ByHand,
    Unit,
    chain_rule,
    homogeneity,
    multipliers,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_rho, _decay = sympy.symbols("rho lambda_", nonnegative=True)
_mu = sympy.Symbol("mu", real=True)
_f, _room, _variance = sympy.symbols("f room variance", nonnegative=True)


# -- Lemma 3 --------------------------------------------------------------------------------------


def gradients_are_short() -> Iterator[Step]:
    """A unit shortens, a matrix of Frobenius norm 1 does not lengthen: so back and forth.

    The derivative by V_k is the outer product of what comes back to its units, at most the product
    of the norms of the layers above, and of what they are given, at most |x| and the layers below.
    """
    z = sympy.Symbol("z", nonnegative=True)
    yield nonnegative("a unit below zero", z**2 - sympy.Max(0, -z) ** 2, [z**2])
    yield nonnegative("and above", sympy.Max(0, z) ** 2 - z**2 + _room, [_room])
    rows = sympy.symbols("row:3", nonnegative=True)
    inputs = sympy.Symbol("inputs", nonnegative=True)
    yield identity(
        "|V a|^2 <= sum over rows |V_i|^2 |a|^2, by Cauchy-Schwarz, = |V|^2 |a|^2",
        sum(row**2 * inputs**2 for row in rows),
        sum(row**2 for row in rows) * inputs**2,
    )
    back = sympy.symbols("back:2", real=True)
    below = sympy.symbols("below:2", real=True)
    yield identity(
        "the norm of an outer product",
        sum((b * a) ** 2 for b in back for a in below),
        sum(b**2 for b in back) * sum(a**2 for a in below),
    )


@proof(
    "square:lemma-3",
    "printed",
    "the rates vanish, for a bounded rho",
    CALCULUS,
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    TRIANGLE,
)
def rates(claim: Claim) -> Iterator[Step]:
    """Cauchy-Schwarz over the samples in (5); each gradient across its layer is short."""
    yield from chain_rule()
    yield from homogeneity()
    yield from multipliers()
    yield from gradients_are_short()
    g2, f = sympy.symbols("g2 f", real=True)
    yield identity(
        "|df - V f|^2 = |df|^2 - f^2, as <V, df> = f and |V| = 1",
        g2 - 2 * f * f + f**2,
        g2 - f**2,
    )
    short = sympy.Symbol("short", nonnegative=True)
    yield nonnegative("which is at most 1 - f^2", (1 - f**2) - ((1 - short) - f**2), [short])
    residual, loss, M = sympy.symbols("residual loss M", nonnegative=True)
    yield identity(
        "rho'^2 = 4 (mean l f)^2, at most 4 (mean l^2)(mean f^2)",
        (2 * sympy.sqrt(loss * M)) ** 2,
        4 * loss * M,
    )
    yield identity(
        "|V'|^2 at most 4 rho^2 (mean l^2)(mean of 1 - f^2)",
        (2 * _rho * sympy.sqrt(loss) * residual).subs(residual, sympy.Symbol("s")) ** 2,
        4 * _rho**2 * loss * sympy.Symbol("s") ** 2,
    )
    yield nonnegative("margins within 1: f^2 <= |df|^2 |V|^2 <= 1", 1 - (1 - short), [short])
    yield nonnegative(
        "rho >= rho f = 1 - l for each f <= 1; some l^2 is at most their mean",
        _rho - _rho * (1 - short),
        [_rho, short],
    )

    def sides(rho: Any, W: Any, v: Any, x: Any, y: Any) -> dict[str, tuple[Any, Any]]:
        lengths = []
        for one in x:
            square = sum(Fraction(a) ** 2 for a in one)
            length = balls.ball(square).sqrt()
            lengths.append(length if square > 1 else balls.ball(1))
        unit, scale = Unit(ByHand(W, v, x, y)), balls.ball(number(rho))
        unit.f = [f / s for f, s in zip(unit.f, lengths, strict=True)]
        unit.by_w = [[g / s for g in r] for r, s in zip(unit.by_w, lengths, strict=True)]
        unit.by_v = [[g / s for g in r] for r, s in zip(unit.by_v, lengths, strict=True)]
        unit.mu = sum(unit.f) / unit.N
        unit.M = sum(f * f for f in unit.f) / unit.N
        speed, of_w, of_v = unit.flow(scale, 0)
        data = sum((1 - scale * f) * (1 - scale * f) for f in unit.f) / unit.N
        hidden = [sum(g * g for g in unit.layer(of_w, k)) for k in range(unit.K)]
        room = 4 * scale * scale * data * (1 - unit.M)
        largest = unit.f[0] * unit.f[0]
        for f in unit.f:
            largest = largest.max(f * f)
        return {
            "rho": (speed * speed, 4 * data * unit.M),
            "hidden layers": (hidden, [room] * unit.K),
            "last layer": (sum(g * g for g in of_v), room),
            "margins": (largest, Fraction(1)),
            "rho is not small": (1 - data.sqrt(), scale),
        }

    yield assumes(claim, **FIELDS, rho="positive")
    yield tie("the claim compares these", claim, networks(rho="1/2"), sides)


# -- Sec. 3.5 -------------------------------------------------------------------------------------


@proof("square:remark-rho-growth", "corrected", "separation, and beyond the inverse mean margin")
def separation(claim: Claim) -> Iterator[Step]:
    """M is at most mu times the largest margin, and at least mu^2; put both into (6)."""
    yield from parabola()
    yield from rest()
    yield nonnegative("f^2 <= f max, sample by sample", _f * (_f + _room) - _f**2, [_f, _room])
    M, largest = sympy.symbols("M largest", real=True)
    below = sympy.Symbol("below", nonnegative=True)
    rate = 2 * (_mu - _rho * (M + _decay))
    pull = 2 * _decay * _rho
    yield nonnegative(
        "rho' from below, M = mu max - below",
        rate.subs(M, _mu * largest - below) - (2 * _mu * (1 - _rho * largest) - pull),
        [sympy.Integer(2), _rho, below],
    )
    positive = sympy.Symbol("positive", nonnegative=True)
    yield nonnegative(
        "and as the largest is at most 1",
        2 * positive * (1 - _rho * (1 - _room)) - 2 * positive * (1 - _rho),
        [sympy.Integer(2), positive, _rho, _room],
    )
    yield nonnegative(
        "rho' from above, M = mu^2 + variance",
        (2 * _mu * (1 - _rho * _mu) - pull) - rate.subs(M, _mu**2 + _variance),
        [sympy.Integer(2), _rho, _variance],
    )
    named = symbolic.symbols(theory.grows_until)
    until = symbolic.expression(theory.grows_until)
    mean, top, weight = (named[name] for name in ("mu", "largest", "lambda_"))
    yield identity(
        "the lower side vanishes where the formula says",
        2 * mean * (1 - until * top) - 2 * weight * until,
        0,
    )
    part = sympy.Symbol("part", nonnegative=True)
    size = sympy.Symbol("size", positive=True)
    yield nonnegative(
        "and from rho mu = 1 + part on the upper side is not positive",
        -(2 * size * (1 - (1 + part) / size * size)),
        [sympy.Integer(2), size, part],
    )

    def sides(rho: Any, margins: Any, lambda_: Any) -> dict[str, tuple[Any, Any]]:
        given, scale, decay = Samples(margins, [1] * len(margins)), number(rho), number(lambda_)
        rate = sum(2 * (1 - scale * a) * a for a in given.f) / given.N - 2 * decay * scale
        pulled, largest = 2 * decay * scale, max(given.f)
        return {
            "M <= mu max": (given.M, given.mu * largest),
            "grows at least": (2 * given.mu * (1 - scale * largest) - pulled, rate),
            "and so": (2 * given.mu * (1 - scale) - pulled, rate),
            "grows at most": (rate, 2 * given.mu * (1 - scale * given.mu) - pulled),
        }

    yield assumes(claim, rho="positive", margins="proportion", lambda_="nonnegative")
    points = [point(rho=2, margins=["1/2", "3/4"], lambda_="1/3")]
    yield tie("the claim compares these", claim, points, sides)


@proof("square:remark-rho-growth", "corrected", "since rho turned")
def since_the_turn(claim: Claim) -> Iterator[Step]:
    """Lemma 4 at both times."""
    yield from parabola()
    yield from rest()
    mu, M, rate, rho = sympy.symbols("mu M rate rho", real=True)
    whole = 1 - 2 * rho * mu + rho**2 * (M + _decay)
    by_rate = 1 - rho * (rate / 2 + mu)
    yield identity("Lemma 4", whole, by_rate.subs(rate, 2 * (mu - rho * (M + _decay))))
    fallen, drop, speed, later = sympy.symbols("fallen drop speed later", nonnegative=True)
    before = sympy.Symbol("before", real=True)  # rho mu at rest, where the loss is 1 - before
    loss = (1 - before) - drop
    after = sympy.solve(sympy.Eq(loss, 1 - later * (-speed) / 2 - fallen), fallen)[0]
    yield nonnegative(
        "rho mu later less rho mu at rest is the drop of the loss plus rho |rho'|/2",
        after - before - drop,
        [later, speed, sympy.Rational(1, 2)],
    )
    yield nonnegative("and the drop is one", drop, [drop])

    def sides(f: Any, later: Any, share: Any, lambda_: Any) -> dict[str, tuple[Any, Any]]:
        given, decay = Samples(f, [1] * len(f)), number(lambda_)
        rho = given.mu / (given.M + decay)
        smaller = number(share) * rho
        second = Samples([number(z) / smaller for z in later], [1] * len(f))
        rate = sum(2 * (1 - smaller * a) * a for a in second.f) / given.N - 2 * decay * smaller
        return {
            "average separability at rest": (Fraction(0), given.mu),
            "the loss has not grown": (second.loss(smaller, decay), given.loss(rho, decay)),
            "rho still falls": (rate, Fraction(0)),
            "rho mu has not fallen": (rho * given.mu, smaller * second.mu),
        }

    yield assumes(claim, f="real", later="real", share="proportion", lambda_="nonnegative")
    points = [point(f=[1, "1/2"], later=[1, "2/3"], share="1/2", lambda_="1/3")]
    yield tie("the claim compares these", claim, points, sides)
