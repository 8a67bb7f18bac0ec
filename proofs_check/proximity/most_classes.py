"""Proofs about most classes in the proof of `bnwd:theorem-2.1`. Throughout k = C/(C-1).

Every set S of classes of the claims is a share ``D = |S|/C`` of them. The mean over S of what the
classes have is at least its least and at most its largest value there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import exp, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import most_classes
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, JENSEN, MONOTONE, PIGEONHOLE
from proofs_check.proximity.first_steps import (
    NETWORKS,
    RIVALS,
    UNDER_NORMS,
    C,
    K,
    Reference,
    margins_are_convex,
    mean,
    norms_bound_the_mean_margin,
    within_classes,
)
from proofs_check.proximity.gaps import least_at_the_ends, second_derivative
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
from proofs_check.weight_decay.objective import bregman_lower_bound

_D, _rest, _n, _m, _v = sympy.symbols("D rest n m v", positive=True)
_second, _third, _u, _w = sympy.symbols("second third u w", nonnegative=True)
_D_, _total = sympy.symbols("excess total", real=True)
_alpha, _beta = sympy.symbols("alpha beta", positive=True)


# -- steps that several proofs share -----------------------------------------------------


def lemma() -> Iterator[Step]:
    """Lemma 2.1 for phi(-x), whose modulus is its least second derivative on a range.

    Jensen for phi(-x) - (m/2) x^2 bounds the variance of the points by 2 second/m.
    """
    yield from second_derivative()
    yield from least_at_the_ends()
    yield identity(
        "the excess over S and the deficit over the rest: their square sums by Cauchy-Schwarz",
        _D_**2 / _n + (-_D_) ** 2 / _rest,
        _D_**2 * (_n + _rest) / (_n * _rest),
    )
    s = symbolic.symbols(most_classes.deviation)
    variance = 2 * s["second"] / s["lambda_"]
    yield identity(
        "solving excess^2 N/(n (N-n)) <= N variance for excess/n gives the deviation",
        variance * _n * _rest / _n**2,
        (symbolic.expression(most_classes.deviation) ** 2).subs(s["delta"], _n / (_n + _rest)),
    )


def on_the_interval() -> Iterator[Step]:
    """All -t_c lie in the interval: |t_c| <= k sqrt(C) beta sqrt(C) alpha."""
    yield identity(
        "k times the norms sqrt(C) beta and sqrt(C) alpha",
        K * (sqrt(C) * _beta) * (sqrt(C) * _alpha),
        C * C / RIVALS * _alpha * _beta,
    )
    yield from norms_bound_the_mean_margin()


def sums() -> Iterator[Step]:
    """From mean margins to sums: t = k inner, and alpha_c beta_c >= inner."""
    away = sympy.Symbol("away", nonnegative=True)
    yield identity(
        "D C times (mean t - away)/k is D total - (C-1) D away, as mean t = k total/C",
        _D * C * (K * _total / C - away) / K,
        _D * _total - RIVALS * _D * away,
    )
    yield from within_classes()
    yield identity(
        "sum of alpha_c beta_c over all is at most C alpha beta, over those not in S at least "
        "the sum of inner products there, (1-D) total - (C-1) (1-D) (D/(1-D)) away",
        C * _alpha * _beta - ((1 - _D) * _total - RIVALS * (1 - _D) * _D / (1 - _D) * away),
        C * _alpha * _beta - (1 - _D) * _total + RIVALS * _D * away,
    )
    yield identity(
        "the deviation of the complement is D/(1-D) times that of S: squared",
        (_D / (1 - _D)) ** 2 * (1 - _D) / _D,
        _D / (1 - _D),
    )


def fewer() -> Iterator[Step]:
    """A set of more than delta C classes: the deviation is smaller than at delta."""
    yield nonnegative(
        "(1-D)/D decreases: from delta = 1/(1 + v + w) to D = 1/(1 + v)",
        ((1 - _D) / _D).subs(_D, 1 / (1 + _v + _w)) - ((1 - _D) / _D).subs(_D, 1 / (1 + _v)),
        [_w],
    )
    yield identity(
        "total = C (alpha beta - (C-1)/C third)",
        C / K * (K * _alpha * _beta - _third),
        C * (_alpha * _beta - RIVALS / C * _third),
    )


# -- sums over a subset ------------------------------------------------------------------

_SUMS = "bnwd:remark-subset-sums"


def _subset_sides(of_modulus: Callable[[Any], Any]) -> Any:
    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        net = Most(**instance)
        share = net.share
        radius = balls.ball((net.C - 1) * share) * net.deviation(share, of_modulus(net))
        top = net.C * balls.ball(net.product)
        return {
            **net.norms,
            "inner products": (
                balls.ball(share * net.total) - radius,
                sum(net.chosen(net.inner)),
            ),
            "norm products": (
                sum(net.chosen(net.products), balls.ball(0)),
                top - balls.ball((1 - share) * net.total) + radius,
            ),
        }

    return sides


@proof(_SUMS, "printed", "lambda a modulus on the margins", JENSEN, CAUCHY_SCHWARZ)
def subset_sums(claim: Claim) -> Iterator[Step]:
    """Lemma 2.1 for the points -t_c; the range ends where the second derivative is least."""
    yield from lemma()
    yield from norms_bound_the_mean_margin()
    yield from sums()
    yield assumes(claim, **UNDER_NORMS, subset="mask")
    sides = _subset_sides(lambda net: least([net.curvature(-t) for t in net.t]))
    yield tie("the claim compares these", claim, _SUBSETS, sides)


@proof(_SUMS, "corrected", "lambda the modulus of the interval", JENSEN, CAUCHY_SCHWARZ)
def subset_sums_on_the_interval(claim: Claim) -> Iterator[Step]:
    """The same with the interval that holds all points."""
    yield from lemma()
    yield from on_the_interval()
    yield from sums()
    yield assumes(claim, **UNDER_NORMS, subset="mask")
    yield tie("the claim compares these", claim, _SUBSETS, _subset_sides(lambda net: net.modulus))


def _at_the_mean() -> Iterator[Step]:
    """Bregman gaps at the mean on S and on the rest, each bounded below; then solve.

    With v the second derivative at the mean, S at distance u and the rest at D u/(1-D) on the
    other side, second >= v (D u^2/(2 + u) + (1-D) y^2/(2 + y)), y = D u/(1-D), and Jensen for
    1/(2 + x) with the weights 1-D and D.
    """
    yield from margins_are_convex()
    yield from bregman_lower_bound()
    y = _D * _u / (1 - _D)
    yield identity(
        "D u^2/(2 + u) + (1-D) y^2/(2 + y) = D u^2/(1-D) ((1-D)/(2 + u) + D/(2 + y))",
        _D * _u**2 / (2 + _u) + (1 - _D) * y**2 / (2 + y),
        _D * _u**2 / (1 - _D) * ((1 - _D) / (2 + _u) + _D / (2 + y)),
    )
    yield nonnegative("1/(2 + x) is convex", sympy.diff(1 / (2 + _u), _u, 2), [2, (2 + _u) ** -3])
    s = symbolic.symbols(most_classes.deviation_at_mean)
    gap, linear = sympy.symbols("gap linear", nonnegative=True)
    reach = (linear + sqrt(linear**2 + 8 * gap)) / 2
    yield identity(
        "u = (l + sqrt(l^2 + 8 g))/2 solves u^2 = 2 g + l u, beyond which u^2 is larger",
        reach**2,
        2 * gap + linear * reach,
    )
    v = 1 / ((s["C"] - 1) * exp(-s["t"]) + 2 + exp(s["t"]) / (s["C"] - 1))
    each = s["second"] / (s["delta"] * v)
    yield identity(
        "the deviation is that with g = (1-D) second/(D v) and l = ((1-D)^2 + D^2) second/(D v), "
        "which is g times the mean distance factor (1-D) + D^2/(1-D)",
        symbolic.expression(most_classes.deviation_at_mean),
        reach.subs(
            {
                linear: each * ((1 - s["delta"]) ** 2 + s["delta"] ** 2),
                gap: each * (1 - s["delta"]),
            }
        ),
    )
    yield identity(
        "(1-D) u + D y = u ((1-D)^2 + D^2)/(1-D)",
        (1 - _D) * _u + _D * y,
        _u * ((1 - _D) ** 2 + _D**2) / (1 - _D),
    )


@proof(_SUMS, "sharp", "the modulus at the mean", JENSEN, MONOTONE)
def subset_means(claim: Claim) -> Iterator[Step]:
    """Jensen on S and on its complement, and the lower bound of the Bregman gap for both."""
    yield from _at_the_mean()

    def sides(w: Any, h: Any, subset: Any) -> dict[str, tuple[Any, Any]]:
        net = Most(w=w, h=h, subset=subset, alpha=0, beta=0)
        off = mean(net.t) - mean(net.chosen(net.t))
        reach = net.deviation_at_mean(net.share)
        return {"lower": (off, reach), "upper": (-off, reach)}

    subsets = [
        {**network, **point(subset=chosen)}
        for network, chosen in zip(NETWORKS, ([1, 0, 1], [0, 1]), strict=True)
    ]
    yield assumes(claim, w="real", h="real", subset="mask")
    yield tie("the claim compares these", claim, subsets, sides)


# -- (19) and (20) -----------------------------------------------------------------------


@proof(
    "bnwd:eq-19",
    "printed",
    "strictly below, lambda the modulus of the interval",
    JENSEN,
    CAUCHY_SCHWARZ,
    PIGEONHOLE,
)
def few_small(claim: Claim) -> Iterator[Step]:
    """The largest inner product in S is at least the mean one; the deviation decreases in D."""
    yield from lemma()
    yield from on_the_interval()
    yield from sums()
    yield from fewer()
    s = symbolic.symbols(most_classes.inner_of_most)
    away = symbolic.expression(most_classes.deviation).xreplace(
        {v: s[n] for n, v in symbolic.symbols(most_classes.deviation).items()}
    )
    yield identity(
        "the threshold is (total/C less (C-1)/C away)",
        symbolic.expression(most_classes.inner_of_most),
        s["alpha"] * s["beta"] - (s["C"] - 1) / s["C"] * (s["third"] + away),
    )

    def sides(share: Any, **instance: Any) -> dict[str, tuple[Any, Any]]:
        net = Most(**instance)
        away = net.deviation(net.share * number(share), net.modulus)
        part = Fraction(net.C - 1, net.C)
        threshold = balls.ball(net.product - part * net.third) - balls.ball(part) * away
        return {**net.norms, "inner product": (threshold, max(net.chosen(net.inner)))}

    yield assumes(claim, **UNDER_NORMS, subset="mask", share="proportion")
    yield tie("the claim compares these", claim, SHARED, sides)


@proof(
    "bnwd:eq-19",
    "sharp",
    "the modulus at the mean",
    JENSEN,
    CAUCHY_SCHWARZ,
    MONOTONE,
    PIGEONHOLE,
)
def few_small_at_mean(claim: Claim) -> Iterator[Step]:
    """The largest inner product in S is at least the mean one."""
    yield from _at_the_mean()
    yield from norms_bound_the_mean_margin()
    yield from fewer()

    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        net = Most(**instance)
        part = Fraction(net.C - 1, net.C)
        away = net.deviation_at_mean(net.share)
        threshold = balls.ball(net.product - part * net.third) - balls.ball(part) * away
        return {**net.norms, "inner product": (threshold, max(net.chosen(net.inner)))}

    yield assumes(claim, **UNDER_NORMS, subset="mask")
    yield tie("the claim compares these", claim, _SUBSETS, sides)


@proof(
    "bnwd:eq-20",
    "printed",
    "strictly above, lambda the modulus of the interval",
    JENSEN,
    CAUCHY_SCHWARZ,
    PIGEONHOLE,
)
def few_large(claim: Claim) -> Iterator[Step]:
    """The least product of norms in S is at most the mean one, a sum over D C."""
    yield from lemma()
    yield from on_the_interval()
    yield from sums()
    yield from fewer()
    away = sympy.Symbol("away", nonnegative=True)
    total = C * (_alpha * _beta - RIVALS / C * _third)
    yield identity(
        "C alpha beta - (1-D) total + (C-1) D away, over D C",
        (C * _alpha * _beta - (1 - _D) * total + RIVALS * _D * away) / (_D * C),
        _alpha * _beta + RIVALS / C * ((1 - _D) / _D * _third + away),
    )

    def sides(share: Any, **instance: Any) -> dict[str, tuple[Any, Any]]:
        net = Most(**instance)
        delta = net.share * number(share)
        part = Fraction(net.C - 1, net.C)
        threshold = balls.ball(net.product + part * (1 - delta) / delta * net.third)
        threshold += balls.ball(part) * net.deviation(delta, net.modulus)
        return {**net.norms, "product of norms": (least(net.chosen(net.products)), threshold)}

    yield assumes(claim, **UNDER_NORMS, subset="mask", share="proportion")
    yield tie("the claim compares these", claim, SHARED, sides)


@proof(
    "bnwd:eq-20",
    "sharp",
    "the modulus at the mean",
    JENSEN,
    CAUCHY_SCHWARZ,
    MONOTONE,
    PIGEONHOLE,
)
def few_large_at_mean(claim: Claim) -> Iterator[Step]:
    """The least in S is at most the mean one; what is not in S has at least its inner products."""
    yield from _at_the_mean()
    yield from norms_bound_the_mean_margin()
    x, y = sympy.symbols("x y", nonnegative=True)
    yield nonnegative(
        "(alpha_c^2 beta^2 + beta_c^2 alpha^2)/2 >= alpha_c beta_c alpha beta >= inner alpha beta",
        (x**2 + y**2) / 2 - x * y,
        [sympy.Rational(1, 2), (x - y) ** 2],
    )
    yield identity(
        "they sum to at most C (alpha beta)^2",
        C * (_alpha**2 * _beta**2 + _beta**2 * _alpha**2) / 2,
        C * (_alpha * _beta) ** 2,
    )
    away = sympy.Symbol("away", nonnegative=True)
    mean_inner = _alpha * _beta - RIVALS / C * _third
    yield identity(
        "C alpha beta less the inner products not in S, whose margins lie D/(1-D) away below the "
        "mean at most, over D C",
        (C * _alpha * _beta - C * ((1 - _D) * mean_inner - _D * away / K)) / (_D * C),
        _alpha * _beta + RIVALS / C * ((1 - _D) / _D * _third + away),
    )

    def sides(**instance: Any) -> dict[str, tuple[Any, Any]]:
        net = Most(**instance)
        part, delta = Fraction(net.C - 1, net.C), net.share
        threshold = balls.ball(net.product + part * (1 - delta) / delta * net.third)
        threshold += balls.ball(part) * net.deviation_at_mean(delta)
        a, b = number(instance["alpha"]), number(instance["beta"])
        squares = [
            ((x * balls.ball(b)) ** 2 + (y * balls.ball(a)) ** 2) / 2
            for x, y in zip(net.features, net.weights, strict=True)
        ]
        bound = balls.ball(net.product) * threshold
        return {**net.norms, "norms": (least(net.chosen(squares)), bound)}

    yield assumes(claim, **UNDER_NORMS, subset="mask")
    yield tie("the claim compares these", claim, _SUBSETS, sides)


# -- exact instances ---------------------------------------------------------------------

_SUBSETS = [
    {**network, **point(subset=chosen, alpha=1, beta="1/2")}
    for network, chosen in zip(NETWORKS, ([1, 0, 1], [0, 1]), strict=True)
]
SHARED = [{**instance, **point(share="2/3")} for instance in _SUBSETS]


class Most(Reference):
    """The reference with a subset of classes and the bounds on the norms."""

    def __init__(self, w: Any, h: Any, subset: Any, alpha: Any, beta: Any) -> None:
        super().__init__(w, h)
        self.inside = [c for c, chosen in enumerate(subset) if chosen]
        self.share = Fraction(len(self.inside), self.C)
        self.product = number(alpha) * number(beta)
        self.norms = self.norm_sides(number(alpha), number(beta))
        self.total = sum(self.inner)
        self.third = self.k * self.product - mean(self.t)
        self.products = [a * b for a, b in zip(self.features, self.weights, strict=True)]

    def chosen(self, values: list[Any]) -> list[Any]:
        """The values of the classes of the subset."""
        return [values[c] for c in self.inside]

    def curvature(self, x: Any) -> Any:
        """The second derivative of log(1 + (C-1) e^x)."""
        attraction = (self.C - 1) * balls.ball(x).exp()
        return attraction / (1 + attraction) ** 2

    @property
    def modulus(self) -> Any:
        """The modulus of the interval."""
        return self.curvature(self.C * self.k * self.product)

    @property
    def gap(self) -> Any:
        """The second gap, which is exactly zero where all margins agree."""
        return abs(self.second) if len(set(self.t)) > 1 else balls.ball(0)

    def deviation(self, delta: Fraction, modulus: Any) -> Any:
        """The deviation of a subset by a modulus on a range."""
        return (2 * self.gap * balls.ball((1 - delta) / delta) / modulus).sqrt()

    def deviation_at_mean(self, delta: Fraction) -> Any:
        """The deviation of a subset by the modulus at the mean."""
        gap = self.gap / self.curvature(-mean(self.t)) / balls.ball(delta)
        linear = gap * balls.ball(1 - 2 * delta + 2 * delta**2)
        return (linear + (linear**2 + 8 * gap * balls.ball(1 - delta)).sqrt()) / 2


def least(values: list[Any]) -> Any:
    """The least of a few balls."""
    found = values[0]
    for value in values[1:]:
        found = found.min(value)
    return found


def greatest(values: list[Any]) -> Any:
    """The greatest of a few balls."""
    return -least([-value for value in values])
