"""Proofs about most classes and pairs in the proof of `bnwd:theorem-2.1`. Throughout k = C/(C-1).

Every set S of classes or rivals of the claims is a share D of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import most_pairs
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, EXPONENTIAL_SERIES, JENSEN, MONOTONE, PIGEONHOLE
from proofs_check.proximity.first_steps import (
    RIVALS,
    UNDER_NORMS,
    C,
    K,
    dot,
    mean,
    rivals_to_their_mean,
    small_losses,
)
from proofs_check.proximity.gaps import chain_of_gaps
from proofs_check.proximity.most_classes import (
    SHARED,
    Most,
    fewer,
    greatest,
    lemma,
    on_the_interval,
    sums,
)
from proofs_check.steps import (
    Step,
    assumes,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)

_D, _v = sympy.symbols("D v", positive=True)
_third, _u, _w = sympy.symbols("third u w", nonnegative=True)


# -- (21) and NC3 ------------------------------------------------------------------------


def _ratio() -> Iterator[Step]:
    """(19) and (20) fail for at most delta C classes each, so S has one that meets both.

    There inner >= A - a >= 0 and alpha_c beta_c <= A + b, hence inner/(alpha_c beta_c) is at least
    1 - (a + b)/A, multiplied out.
    """
    A, low, high = sympy.symbols("A low high", nonnegative=True)
    yield nonnegative(
        "A (A - a) - (A - a - b)(A + b) with A = a + low: if A - a - b < 0 the left side is "
        "already at least 0 and the right side at most 0",
        ((low + A) * low - (low - high) * (low + A + high)),
        [high, A + high],
    )
    away = sympy.Symbol("away", nonnegative=True)
    yield identity(
        "a + b is (C-1)/C (third/delta + 2 away)",
        RIVALS / C * (_third + away) + RIVALS / C * ((1 - _D) / _D * _third + away),
        RIVALS / C * (_third / _D + 2 * away),
    )


@proof("bnwd:eq-21", "corrected", "plus two roots", JENSEN, CAUCHY_SCHWARZ, PIGEONHOLE)
def ratio(claim: Claim) -> Iterator[Step]:
    """(19) and (20), and the pigeonhole."""
    yield from lemma()
    yield from on_the_interval()
    yield from sums()
    yield from fewer()
    yield from _ratio()

    def sides(share: Any, **instance: Any) -> dict[str, tuple[Any, Any]]:
        net = Most(**instance)
        delta, part = net.share * number(share) / 2, Fraction(net.C - 1, net.C)
        away, A = balls.ball(part) * net.deviation(delta, net.modulus), balls.ball(net.product)
        lost = balls.ball(part * net.third / delta) + 2 * away
        pairs = zip(net.inner, net.products, strict=True)
        excess = [A * balls.ball(x) - (A - lost) * y for x, y in pairs]
        return {
            **net.norms,
            "small gaps": (balls.ball(part * net.third) + away, A),
            "ratio": (balls.ball(0), greatest(net.chosen(excess))),
        }

    yield assumes(claim, **UNDER_NORMS, subset="mask", share="proportion")
    yield tie("the claim compares these", claim, SHARED, sides)


@proof(
    "bnwd:eq-21",
    "corrected",
    "NC3 line with its factor",
    JENSEN,
    CAUCHY_SCHWARZ,
    MONOTONE,
    PIGEONHOLE,
)
def cosine(claim: Claim) -> Iterator[Step]:
    """The worst use of epsilon is the second gap; then (21), as |class mean| <= alpha_c.

    With g = gamma'/(1+gamma'), second + g third <= epsilon. The root is concave, so it lies below
    its tangent at epsilon, whose loss outweighs third/delta for a small epsilon. No inner product
    is negative by (9), so a negative bound may be put to 0.
    """
    yield from small_losses()
    yield from chain_of_gaps()
    yield from lemma()
    yield from on_the_interval()
    yield from sums()
    yield from fewer()
    yield from _ratio()
    root, step = sympy.symbols("root step", positive=True)
    yield nonnegative(
        "the root lies below its tangent: sqrt(e - y) <= sqrt(e) - y/(2 sqrt(e)), with "
        "sqrt(e) = root + step and sqrt(e - y) = root",
        (root + step) - ((root + step) ** 2 - root**2) / (2 * (root + step)) - root,
        [step**2, 1 / (2 * (root + step))],
    )
    g, modulus, epsilon = sympy.symbols("g lambda epsilon", positive=True)
    factor = 2 * sqrt(2 * (1 - _D) / (_D * modulus))
    at_most = 2 * g**2 * _D * (1 - _D) / modulus
    yield identity(
        "third/delta is what the tangent takes away, factor g third/(2 sqrt(epsilon)), at the "
        "largest epsilon allowed, and less at smaller ones: squared",
        (factor * g / 2) ** 2 * _D**2,
        at_most,
    )
    yield identity(
        "2 deviation at second = epsilon is factor sqrt(epsilon): squared",
        4 * (2 * epsilon * (1 - _D) / (modulus * _D)),
        factor**2 * epsilon,
    )

    def sides(share: Any, epsilon: Any, **instance: Any) -> dict[str, tuple[Any, Any]]:
        net, epsilon = Most(**instance), number(epsilon)
        delta, part = net.share * number(share) / 2, Fraction(net.C - 1, net.C)
        top = net.k * net.product
        other = (net.C - 1) * balls.ball(-top).exp()
        g, A = other / (1 + other), balls.ball(net.product)
        away = balls.ball(2 * epsilon * (1 - delta) / delta) / net.modulus
        lower = (A - 2 * balls.ball(part) * away.sqrt()).max(balls.ball(0))
        rest = net.phi(net.k * top)
        excess = [
            A * balls.ball(x) - lower * a * b
            for x, a, b in zip(net.inner, net.lengths, net.weights, strict=True)
        ]
        return {
            **net.norms,
            "near-optimal loss": (net.loss, net.phi(top) + balls.ball(epsilon)),
            "small epsilon": (
                net.modulus * balls.ball(epsilon),
                g * g * balls.ball(2 * delta * (1 - delta)),
            ),
            "no class lost": (
                epsilon,
                balls.ball(net.C).log() / net.C + rest * (net.C - 1) / net.C - net.phi(top),
            ),
            "cosine": (balls.ball(0), greatest(net.chosen(excess))),
        }

    instances = [{**shared, **point(epsilon="1/100")} for shared in SHARED]
    yield assumes(claim, **UNDER_NORMS, epsilon="budget", subset="mask", share="proportion")
    yield tie("the claim compares these", claim, instances, sides)


# -- (22) and (23) -----------------------------------------------------------------------


def _rivals() -> Iterator[Step]:
    """Lemma A.2 for the rivals' logits, and what (23) subtracts."""
    share = 1 - _D
    yield identity(
        "D (1 + u + u^2/2) + (1-D) (1 - v) = 1 + D u^2/2, as D u = (1-D) v",
        _D * (1 + _u + _u**2 / 2) + share * (1 - _D * _u / share),
        1 + _D * _u**2 / 2,
    )
    s = symbolic.symbols(most_pairs.rival_excess)
    yield identity(
        "D u^2/2 is the gap of means over e^m at the excess of the sharp form",
        s["delta"] * symbolic.expression(most_pairs.rival_excess) ** 2 / 2,
        s["ratio"],
    )
    yield from rivals_to_their_mean()
    own = sympy.Symbol("own", real=True)
    yield identity("m + own = -own/(C-1) for m = -k own", -K * own + own, -own / RIVALS)
    yield nonnegative(
        "the excess decreases in D: 1/delta - 1/D for delta = 1/(1 + v + w), D = 1/(1 + v)",
        (1 + _v + _w) - (1 + _v),
        [_w],
    )


def _rival_sides(factor: Callable[[int], int]) -> Any:
    def sides(w: Any, h: Any, subset: Any, share: Any) -> dict[str, tuple[Any, Any]]:
        classes, N = len(w), len(h)
        x = [sum(row[j] for row in h) / Fraction(N) for j in range(len(h[0]))]
        logits = [dot(w[r], x) - dot(w[0], x) for r in range(1, classes)]
        centre = [sum(row[j] for row in w) / Fraction(classes) for j in range(len(x))]
        inner = [dot(row, x) - dot(centre, x) for row in w]
        m = mean(logits)
        gap = mean([balls.ball(z - m).exp() for z in logits]) - 1
        inside = [i for i, chosen in enumerate(subset) if chosen]
        whole = Fraction(len(inside), classes - 1)

        def excess(delta: Fraction) -> Any:
            square = 2 * factor(classes) * abs(gap) / balls.ball(delta)
            return square.sqrt() if len(set(logits)) > 1 else balls.ball(0)

        few = excess(whole * number(share))
        own = balls.ball(inner[0] / (classes - 1))
        return {
            "sum over a subset": (
                mean([logits[i] for i in inside]),
                balls.ball(m) + excess(whole),
            ),
            "(22)": (min(logits[i] for i in inside), balls.ball(m) + few),
            "(23)": (min(inner[i + 1] for i in inside), few - own),
        }

    return sides


_RIVAL_POINTS = [
    point(w=[[2, 0], [0, 1], [1, "-1/2"]], h=[[1, "1/3"], [2, -1]], subset=[1, 0], share="1/2"),
    point(w=[[1, 1], [0, 0], [-1, 2], ["1/2", 0]], h=[[1, "-1/3"]], subset=[1, 0, 1], share="3/4"),
]


@proof("bnwd:eq-22", "printed", "one class, most rivals", JENSEN, EXPONENTIAL_SERIES, PIGEONHOLE)
def rivals(claim: Claim) -> Iterator[Step]:
    """The printed excess is sqrt(C-1) times the sharp one."""
    yield from _rivals()
    s = symbolic.symbols(most_pairs.printed_excess)
    sharp = symbolic.symbols(most_pairs.rival_excess)
    yield identity(
        "the squares differ by the factor C - 1 >= 1",
        symbolic.expression(most_pairs.printed_excess) ** 2,
        (s["C"] - 1)
        * (symbolic.expression(most_pairs.rival_excess) ** 2).xreplace(
            {sharp["ratio"]: s["ratio"], sharp["delta"]: s["delta"]}
        ),
    )
    yield assumes(claim, w="real", h="real", subset="mask", share="proportion")
    sides = _rival_sides(lambda classes: classes - 1)
    yield tie("the claim compares these", claim, _RIVAL_POINTS, sides)


@proof("bnwd:eq-22", "sharp", "the gap of means", JENSEN, EXPONENTIAL_SERIES, PIGEONHOLE)
def rivals_sharply(claim: Claim) -> Iterator[Step]:
    """Lemma A.2 with the gap of means."""
    yield from _rivals()
    yield assumes(claim, w="real", h="real", subset="mask", share="proportion")
    yield tie("the claim compares these", claim, _RIVAL_POINTS, _rival_sides(lambda _: 1))


# -- pairs -------------------------------------------------------------------------------


@proof("bnwd:remark-pairs", "printed", "a fraction of the pairs", PIGEONHOLE)
def pairs(claim: Claim) -> Iterator[Step]:
    """Each exception spoils as many ordered pairs as it is part of; no pair need be spoilt twice.

    At most 2 delta C classes fail (19) or (20), and each is first or second in C - 1 pairs; (22)
    fails for at most delta (C-1) pairs of each first class.
    """
    delta = sympy.Symbol("delta", positive=True)
    yield identity(
        "2 (2 delta C) (C-1) + C delta (C-1) = 5 delta C (C-1)",
        2 * (2 * delta * C) * RIVALS + C * (delta * RIVALS),
        5 * delta * (C * RIVALS),
    )

    def sides(inner: Any, products: Any, rivals: Any, delta: Any) -> dict[str, tuple[Any, Any]]:
        classes, delta = len(inner), number(delta)
        both = {c for c in range(classes) if inner[c] and products[c]}
        good = sum(1 for c in both for r in both if r != c and rivals[c][r])
        few = max(
            Fraction(sum(1 for x in inner if not x), classes),
            Fraction(sum(1 for x in products if not x), classes),
            *(
                Fraction(sum(1 for r in range(classes) if r != c and not rivals[c][r]), classes - 1)
                for c in range(classes)
            ),
        )
        return {
            "few exceptions": (few, delta),
            "pairs": ((1 - 5 * delta) * classes * (classes - 1), Fraction(good)),
        }

    instances = [
        point(inner=[1, 1, 0], products=[1, 1, 1], rivals=[[0, 1, 1]] * 3, delta="1/9"),
        point(inner=[1, 1], products=[1, 1], rivals=[[1, 1], [1, 0]], delta=0),
    ]
    yield assumes(claim, inner="mask", products="mask", rivals="mask", delta="budget")
    yield tie("the claim compares these", claim, instances, sides)
