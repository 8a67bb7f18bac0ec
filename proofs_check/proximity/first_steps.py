"""Proofs of the first steps of the proof of `bnwd:theorem-2.1`. Throughout k = C/(C-1)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import diff, exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import first_steps, near_optimal_loss
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, JENSEN, MONOTONE, TRIANGLE
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

C = sympy.Symbol("C", integer=True, positive=True)
RIVALS = C - 1
K = C / RIVALS
many, q, r = sympy.symbols("many q r", positive=True)
_t = sympy.Symbol("t", real=True)
_x, _mean, _moment = sympy.symbols("x mean moment", real=True)


def phi(t: Any) -> Any:
    """log(1 + (C-1) e^-t)."""
    return log(1 + RIVALS * exp(-t))


# -- steps that several proofs share -----------------------------------------------------


def loss_is_convex() -> Iterator[Step]:
    """Along a line the loss log Z has as second derivative a variance."""
    s = sympy.Symbol("s", real=True)
    value, slope, bend = sympy.symbols("value slope bend", positive=True)
    Z = value + slope * s + bend * s**2 / 2
    yield identity(
        "for Z = 1 + sum e^(u + sv), given to second order by sums of v^0, v^1 and v^2 under "
        "weights: the second derivative of log Z is the variance of v",
        diff(log(Z), s, 2).subs(s, 0),
        bend / value - (slope / value) ** 2,
    )
    yield identity(
        "a variance is a mean of squares",
        sympy.expand((_x - _mean) ** 2).subs(_x**2, _moment).subs(_x, _mean),
        _moment - _mean**2,
    )


def rivals_to_their_mean() -> Iterator[Step]:
    """The mean logit of the rivals is -t; the mean of e^u is at least e^-t by Jensen."""
    everyone, own = sympy.symbols("everyone own", real=True)
    yield identity(
        "(sum <w_c', h> - C <w_c, h>)/(C-1) = -k <w_c - mean w, h>, also the rivals' mean logit",
        (everyone - C * own) / RIVALS,
        -K * (own - everyone / C),
    )
    yield identity(
        "sum over rivals of <w_c' - w_c, h> is the same sum",
        (everyone - own) - RIVALS * own,
        everyone - C * own,
    )


def margins_are_convex() -> Iterator[Step]:
    """phi decreases and is convex."""
    loss = phi(_t).subs(C, many + 1)
    other = many * exp(-_t)
    yield nonnegative("phi decreases", -diff(loss, _t), [other, 1 / (1 + other)])
    yield nonnegative("phi is convex", diff(loss, _t, 2), [other, (1 + other) ** -2])


def norms_bound_the_mean_margin() -> Iterator[Step]:
    """Mean t = k/C sum <wdot_c, class mean> <= k alpha beta, by Cauchy-Schwarz and the norms."""
    alpha, beta = sympy.symbols("alpha beta", positive=True)
    yield identity(
        "k/C times the stacked norms sqrt(C) beta and sqrt(C) alpha is k alpha beta",
        K / C * (sqrt(C) * beta) * (sqrt(C) * alpha),
        K * alpha * beta,
    )
    yield from centring()
    yield from within_classes()


def centring() -> Iterator[Step]:
    """sum |w_c - mean w|^2 = sum |w_c|^2 - C |mean w|^2, coordinate by coordinate."""
    total = sympy.Symbol("total", real=True)
    yield identity(
        "centring: sum of (w_c - mean)^2, expanded, with the sum of w_c being C times the mean",
        total - 2 * _mean * (C * _mean) + C * _mean**2,
        total - C * _mean**2,
    )


def within_classes() -> Iterator[Step]:
    """mean |h|^2 - |mean h|^2 is the mean of |h - mean h|^2."""
    yield identity(
        "within a class: the mean of (h - mean)^2, expanded",
        sympy.expand((_x - _mean) ** 2).subs(_x**2, _moment).subs(_x, _mean),
        _moment - _mean**2,
    )


# -- (1)-(8) -----------------------------------------------------------------------------

EQ_1 = "bnwd:eq-1"


@proof(EQ_1, "printed", "softmax stands for the cross-entropy", JENSEN)
def class_loss(claim: Claim) -> Iterator[Step]:
    """Jensen for the loss as a function of the feature, then for the exponential."""
    yield from loss_is_convex()
    yield from rivals_to_their_mean()

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        net = Reference(w, h)
        at_margin = net.array([net.phi(t) for t in net.t])
        exponents = net.array([balls.ball(sum(u) / (net.C - 1)) for u in net.u])
        return {
            "(1) to (2), samples to their mean": (net.array(net.at), net.array(net.losses)),
            "(4) to (5), rivals to their mean": (at_margin, net.array(net.at)),
            "(5) to (8), the exponent": (exponents, exponents),
            "(1) to (8)": (at_margin, net.array(net.losses)),
        }

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, NETWORKS, sides, ("(5) to (8), the exponent",))


@proof(EQ_1, "sharp", "log-odds", JENSEN)
def class_log_odds(claim: Claim) -> Iterator[Step]:
    """p = t_i - G_i with G_i >= 0 for every sample, and phi^{-1} is convex."""
    loss = sympy.Symbol("loss", positive=True)
    inverse = log(RIVALS / (exp(loss) - 1))
    mean_exp = sympy.Symbol("mean_exp", positive=True)
    yield from rivals_to_their_mean()
    yield identity(
        "phi^{-1} of the loss log(1 + (C-1) mean e^u) is -log mean e^u, at most t by Jensen",
        sympy.expand_log(inverse.subs(loss, log(1 + RIVALS * mean_exp)), force=True),
        -log(mean_exp),
    )
    yield nonnegative(
        "the second derivative of phi^{-1} is (1 + q)/q^2 at the loss log(1 + q)",
        diff(inverse, loss, 2).subs(C, many + 1).subs(loss, log(1 + q)),
        [1 + q, q**-2],
    )

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        net = Reference(w, h)
        odds = net.array(net.odds)
        inverse = [-((loss.exp() - 1) / (net.C - 1)).log() for loss in net.losses]
        margins = net.array([balls.ball(t) for t in net.t])
        return {"log-odds": (odds, margins), "inverse loss": (net.array(inverse), odds)}

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, NETWORKS, sides)


# -- norms -------------------------------------------------------------------------------


@proof("bnwd:remark-norm-bounds", "printed", "line by line", CAUCHY_SCHWARZ, TRIANGLE)
def stacked_norms(claim: Claim) -> Iterator[Step]:
    """Centring, the triangle inequality in each class, Cauchy-Schwarz in each class."""
    yield from centring()
    yield nonnegative("C |mean w|^2 >= 0", C * _mean**2, [C, _mean**2])
    total, alpha, N = sympy.symbols("total alpha N", positive=True)
    yield identity(
        "Cauchy-Schwarz, (mean |h|)^2 <= mean |h|^2: the sum of N lengths squared is at most N "
        "times the sum of squares",
        (N * total) / N**2,
        total / N,
    )
    yield identity("C times the mean square is C alpha^2", C * (alpha * alpha), C * alpha**2)

    def sides(w: Any, h: Any, alpha: Any, beta: Any) -> dict[str, tuple[Any, Any]]:
        net, a, b = Reference(w, h), number(alpha), number(beta)
        weights = sum(dot(x, x) for x in net.wdot)
        frobenius = sum(dot(x, x) for x in w)
        lengths = sum(
            (
                (sum((balls.ball(dot(x, x)).sqrt() for x in c), balls.ball(0)) / len(c)) ** 2
                for c in h
            ),
            balls.ball(0),
        )
        features = sum(dot(x, x) for x in net.means)
        squares = sum(dot(x, x) for c in h for x in c) / Fraction(len(h[0]))
        return {
            **net.norm_sides(a, b),
            "weights, expanded": (weights, weights),
            "weights, Frobenius norm": (weights, frobenius),
            "weights": (weights, net.C * b * b),
            "features, triangle inequality": (features, lengths),
            "features, mean square": (lengths, squares),
            "features": (features, net.C * a * a),
        }

    yield assumes(claim, **UNDER_NORMS)
    yield tie("the claim compares these", claim, BOUNDED, sides, ("weights, expanded",))


@proof("bnwd:remark-norm-bounds", "sharp", "what is lost")
def stacked_norms_exactly(claim: Claim) -> Iterator[Step]:
    """Centring the weights over the classes, and the features within each class."""
    yield from centring()
    yield from within_classes()

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        net = Reference(w, h)
        weights = sum(dot(x, x) for x in net.wdot) / Fraction(net.C)
        features = sum(dot(x, x) for x in net.means) / Fraction(net.C)
        return {"weights": (weights, weights), "features": (features, features)}

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, NETWORKS, sides, ("weights", "features"))


# -- the least loss ----------------------------------------------------------------------


@proof("bnwd:remark-min-loss", "printed", "at least C - 1 dimensions", JENSEN, CAUCHY_SCHWARZ)
def least_loss(claim: Claim) -> Iterator[Step]:
    """(1)-(8) for each class, Jensen for phi, Cauchy-Schwarz; and a simplex."""
    alpha, beta = sympy.symbols("alpha beta", positive=True)
    yield from loss_is_convex()
    yield from rivals_to_their_mean()
    yield from margins_are_convex()
    yield from norms_bound_the_mean_margin()
    named = symbolic.symbols(near_optimal_loss.minimum_loss)
    yield identity(
        "m = phi(k alpha beta)",
        symbolic.expression(near_optimal_loss.minimum_loss).xreplace(
            {named["C"]: C, named["alpha"]: alpha, named["beta"]: beta}
        ),
        phi(K * alpha * beta),
    )
    scale = 1 / sqrt(C * RIVALS)
    yield identity(
        "a row of the simplex, C-1 once and -1 at C-1 places, has norm 1",
        (RIVALS**2 + RIVALS) * scale**2,
        1,
    )
    yield identity(
        "two rows have the inner product -1/(C-1)",
        (-2 * RIVALS + (C - 2)) * scale**2,
        -1 / RIVALS,
    )
    yield identity(
        "so each rival's logit is alpha beta (-1/(C-1) - 1) = -k alpha beta",
        alpha * beta * (-1 / RIVALS - 1),
        -K * alpha * beta,
    )

    def sides(w: Any, h: Any, alpha: Any, beta: Any) -> dict[str, tuple[Any, Any]]:
        net, a, b = Reference(w, h), number(alpha), number(beta)
        m = net.phi(Fraction(net.C, net.C - 1) * a * b)
        of_margins = mean([net.phi(t) for t in net.t])
        of_mean = net.phi(mean(net.t))
        return {
            **net.norm_sides(a, b),
            "class by class": (of_margins, net.loss),
            "classes to their mean": (of_mean, of_margins),
            "margins to norms": (m, of_mean),
            "least": (m, net.loss),
            "attained by a simplex": (m, m),
        }

    yield assumes(claim, **UNDER_NORMS)
    yield tie("the claim compares these", claim, BOUNDED, sides, ("attained by a simplex",))


# -- (9)-(16) ----------------------------------------------------------------------------


@proof("bnwd:eq-9", "printed", "softmax stands for the cross-entropy", JENSEN)
def inner_gap(claim: Claim) -> Iterator[Step]:
    """(1)-(8) again; the gap is what Jensen for the exponential leaves."""
    yield from loss_is_convex()
    yield from rivals_to_their_mean()
    total = sympy.Symbol("total", positive=True)
    yield identity(
        "1 + sum e^u = 1 + (C-1) e^-t + epsilon_1' by the choice of epsilon_1'",
        1 + total,
        1 + RIVALS * exp(-_t) + (total - RIVALS * exp(-_t)),
    )

    def sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
        net = Reference(w, h)
        at, sums = net.array(net.at), [e.exp() - 1 for e in net.at]
        jensen = [balls.ball(net.C - 1).log() - balls.ball(t) for t in net.t]
        return {
            "(9) to (10)": (at, net.array(net.losses)),
            "(13) to (16)": (at, at),
            "gap >= 0": (net.array(jensen), net.array([s.log() for s in sums])),
        }

    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, NETWORKS, sides, ("(13) to (16)",))


def small_losses() -> Iterator[Step]:
    """A class above log C costs more than is allowed, however the others share the margin.

    Let a class have the mean loss phi(-s) with s > 0. Its margin is at least -s by (8), so the
    margins of the others sum to at most C k alpha beta + s, and by Jensen for phi the mean loss
    is at least g(s) = phi(-s)/C + (C-1)/C phi((C k alpha beta + s)/(C-1)), which increases
    strictly from g(0), the loss that is allowed. A loss of at most log C = phi(0) means a margin
    of at least 0.
    """
    yield from loss_is_convex()
    yield from rivals_to_their_mean()
    yield from margins_are_convex()
    yield from norms_bound_the_mean_margin()
    s, total = sympy.symbols("s total", real=True)
    loss = phi(_t)
    g = loss.subs(_t, -s) / C + RIVALS / C * loss.subs(_t, (total + s) / RIVALS)
    slope = RIVALS * exp(-_t) / (1 + RIVALS * exp(-_t))
    yield identity(
        "g'(s) is 1/C times the slope at -s less the slope at (total + s)/(C-1)",
        diff(g, s),
        (slope.subs(_t, -s) - slope.subs(_t, (total + s) / RIVALS)) / C,
    )
    first, second = many * q, many * q / (1 + r)
    yield nonnegative(
        "slopes decrease: with e^s = q and e^-t = q/(1 + r) at t > -s",
        first / (1 + first) - second / (1 + second),
        [many * q * r, 1 / (1 + first), 1 / (1 + r + many * q)],
    )
    yield identity("phi(0) = log C", loss.subs(_t, 0), log(C))
    named = symbolic.symbols(first_steps.no_class_lost)
    alpha, beta = named["alpha"], named["beta"]
    to_c = {named["C"]: C}
    yield identity(
        "the loss allowed is g(0) for total = C k alpha beta",
        symbolic.expression(first_steps.no_class_lost).xreplace(to_c) + phi(K * alpha * beta),
        g.subs(s, 0).subs(total, C * K * alpha * beta),
    )


@proof(
    "bnwd:eq-9",
    "printed",
    "sufficiently small epsilon, read with an explicit one",
    JENSEN,
    CAUCHY_SCHWARZ,
    MONOTONE,
)
def no_class_is_lost(claim: Claim) -> Iterator[Step]:
    """Compare the loss with a lost class to the loss that is allowed."""
    yield from small_losses()

    def sides(w: Any, h: Any, alpha: Any, beta: Any) -> dict[str, tuple[Any, Any]]:
        net, a, b = Reference(w, h), number(alpha), number(beta)
        rest = net.phi(Fraction(net.C**2, (net.C - 1) ** 2) * a * b)
        log_c = balls.ball(net.C).log()
        return {
            **net.norm_sides(a, b),
            "near-optimal loss": (net.loss, log_c / net.C + rest * (net.C - 1) / net.C),
            "loss of each class": (net.array(net.losses), net.array([log_c] * net.C)),
            "inner product of each class": (
                net.array([balls.ball(0)] * net.C),
                net.array([balls.ball(x) for x in net.inner]),
            ),
        }

    yield assumes(claim, **UNDER_NORMS)
    yield tie("the claim compares these", claim, BOUNDED, sides)


# -- exact instances -----------------------------------------------------------------------

UNDER_NORMS = {"w": "real", "h": "real", "alpha": "budget", "beta": "budget"}
NETWORKS = [
    point(
        w=[[2, 0, 0], [0, 2, 1], [0, "-1/2", 3]],
        h=[[[1, 0, "1/3"], [2, -1, 0]], [[0, 1, 0], [-1, 2, 1]], [[0, 0, 1], ["1/2", 0, 2]]],
    ),
    point(w=[[1, 1], [0, -1]], h=[[[1, "1/2"]], [[-1, -2]]]),
]
BOUNDED = [{**network, **point(alpha=3, beta="7/2")} for network in NETWORKS]


class Reference:
    """The quantities of the chain by plain loops over exact numbers, class by class."""

    def __init__(self, w: Any, h: Any) -> None:
        self.C, N = len(w), len(h[0])
        self.k = Fraction(self.C, self.C - 1)
        centre = [sum(row[j] for row in w) / Fraction(self.C) for j in range(len(w[0]))]
        self.wdot = [[a - m for a, m in zip(row, centre, strict=True)] for row in w]
        self.means = [[sum(x[j] for x in c) / Fraction(N) for j in range(len(c[0]))] for c in h]
        self.inner = [dot(a, x) for a, x in zip(self.wdot, self.means, strict=True)]
        self.t = [self.k * x for x in self.inner]
        self.u = [self._logits(w, c, self.means[c]) for c in range(self.C)]
        self.at = [_loss(u) for u in self.u]
        each = [[self._logits(w, c, x) for x in h[c]] for c in range(self.C)]
        self.losses = [mean([_loss(u) for u in c]) for c in each]
        self.loss = mean(self.losses)
        self.odds = [mean([-mean([balls.ball(z).exp() for z in u]).log() for u in c]) for c in each]
        self.alpha = balls.ball(sum(dot(x, x) for c in h for x in c) / Fraction(self.C * N)).sqrt()
        self.beta = balls.ball(sum(dot(x, x) for x in w) / Fraction(self.C)).sqrt()
        self.features = [balls.ball(sum(dot(x, x) for x in c) / Fraction(N)).sqrt() for c in h]
        self.weights = [balls.ball(dot(x, x)).sqrt() for x in self.wdot]
        self.lengths = [balls.ball(dot(x, x)).sqrt() for x in self.means]

    def _logits(self, w: Any, c: int, x: Any) -> list[Fraction]:
        return [dot(w[r], x) - dot(w[c], x) for r in range(self.C) if r != c]

    @property
    def first(self) -> list[Any]:
        """The gap epsilon_1' of each class."""
        own = [(self.C - 1) * balls.ball(-t).exp() for t in self.t]
        return [
            sum((balls.ball(z).exp() for z in u), balls.ball(0)) - e
            for u, e in zip(self.u, own, strict=True)
        ]

    @property
    def second(self) -> Any:
        """The gap epsilon_2'."""
        return mean([self.phi(t) for t in self.t]) - self.phi(mean(self.t))

    def phi(self, t: Any) -> Any:
        """log(1 + (C-1) e^-t)."""
        return (1 + (self.C - 1) * (-balls.ball(t)).exp()).log()

    def norm_sides(self, alpha: Fraction, beta: Fraction) -> dict[str, tuple[Any, Any]]:
        """The hypotheses on the norms."""
        return {"feature norms": (self.alpha, alpha), "weight norms": (self.beta, beta)}

    def array(self, values: list[Any]) -> Any:
        """One entry a class, as an array of balls."""
        return balls.asarray(np.array(values, dtype=object))


def _loss(logits: list[Fraction]) -> Any:
    return (1 + sum((balls.ball(z).exp() for z in logits), balls.ball(0))).log()


def dot(x: Any, y: Any) -> Any:
    """The inner product of two exact vectors."""
    return sum(a * b for a, b in zip(x, y, strict=True))


def mean(values: list[Any]) -> Any:
    """The mean of exact numbers or balls."""
    total = sum(values[1:], values[0])
    return total / (Fraction(len(values)) if isinstance(total, Fraction) else len(values))
