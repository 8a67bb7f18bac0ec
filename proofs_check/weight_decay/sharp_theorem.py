"""Proofs of the sharp `bnwd:theorem-2.2`. Throughout k = C/(C-1) and Lambda = sqrt(C) lambda."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.weight_decay import sharp_theorem
from proofs_check.facts import CAUCHY_SCHWARZ, JENSEN, MONOTONE
from proofs_check.proximity.first_steps import NETWORKS, RIVALS, C, K, margins_are_convex, phi
from proofs_check.proximity.near_optimal_loss import LastLayer, margins_to_collapse, rival_logits
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.weight_decay.objective import bregman_lower_bound, minimum_steps

_alpha, _beta, _lambda, _decay, _share = sympy.symbols(
    "alpha beta lambda decay share", positive=True
)
_gamma, _u, _loss, _epsilon = sympy.symbols("gamma u loss epsilon", real=True)


# -- the split of the gap ------------------------------------------------------------------


@proof("bnwd:theorem-2.2", "sharp", "identity (gap-reg)", JENSEN, MONOTONE)
def gap_identity(claim: Claim) -> Iterator[Step]:
    """Expand phi at k gamma*: its slope is the weight decay, and the rest is squares."""
    yield from minimum_steps()
    pull = _decay / (C - RIVALS * _decay)
    sigma = RIVALS * _decay / C
    yield identity(
        "phi(k gamma* + u) - phi(k gamma*) + sigma u = K(u), as e^(-k gamma*) = "
        "Lambda/(C - (C-1) Lambda): the logarithms",
        (1 + RIVALS * pull * exp(-_u)) / (1 + RIVALS * pull),
        1 - sigma + sigma * exp(-_u),
    )
    yield identity("sigma k = Lambda", sigma * K, _decay)
    product, centre = sympy.symbols("product centre", real=True)
    lambda_ = _decay / sqrt(C)
    yield identity(
        "so L - phi(k gamma*) has the linear term Lambda (gamma* - mean x), m_reg the term "
        "Lambda gamma*; what is left of the penalty: mean |h|^2 = alpha^2, mean |wdot|^2 = "
        "beta^2 - |mean w|^2 and mean <wdot, h> = product",
        lambda_ / 2 * (_alpha**2 + C * _beta**2) + _decay * (_gamma - product) - _decay * _gamma,
        lambda_ / 2 * (_alpha**2 + C * (_beta**2 - centre) - 2 * sqrt(C) * product)
        + lambda_ * C / 2 * centre,
    )
    yield from bregman_lower_bound()
    yield from margins_are_convex()
    yield from rival_logits()

    def sides(w: Any, h: Any, decay: Any) -> dict[str, tuple[Any, Any]]:
        net = Regularised(w, h, number(decay))
        gap = net.loss + net.penalty - net.least
        top, sigma = balls.ball(net.k) * net.best, balls.ball(net.decay * (net.C - 1) / net.C)
        spread = [
            [net.phi(t) - net.phi(top) + sigma * (balls.ball(t) - top) for t in c] for c in net.t
        ]
        return {
            "split of the gap": (gap, gap),
            "spread of margins >= 0": (net.each(spread) * 0, net.each(spread)),
            "off-class excess >= 0": (
                net.each([[net.phi(t) for t in c] for c in net.t]),
                net.each(net.losses),
            ),
        }

    instances = [{**network, **point(decay="1/3")} for network in NETWORKS]
    yield assumes(claim, w="real", h="real", decay="proportion")
    yield tie("the claim compares these", claim, instances, sides, ("split of the gap",))


# -- guarantees ----------------------------------------------------------------------------


def _from_the_margin() -> Iterator[Step]:
    """What phi^{-1}(L) >= rho k alpha beta with 0 <= rho implies."""
    rho, var, cosine, off = sympy.symbols("rho var cosine off", nonnegative=True)
    yield from margins_to_collapse()
    yield identity(
        "rho k alpha beta <= phi^{-1}(L) <= k alpha b cos sqrt(1 - var), b = beta sqrt(1 - cen): "
        "over k alpha beta, squared",
        (K * _alpha * (_beta * sqrt(off)) * cosine * sqrt(var) / (K * _alpha * _beta)) ** 2,
        cosine**2 * var * off,
    )
    yield identity("1 - var >= rho^2 reads var <= 1 - rho^2", 1 - rho**2, 1 - rho * rho)
    yield identity(
        "mean t/T >= rho as T <= k alpha beta: 2 (1 - mean t/T) <= 2 (1 - rho)",
        2 * (1 - rho),
        2 - 2 * rho,
    )


def _fenchel() -> Iterator[Step]:
    """L + (Lambda/k) phi^{-1}(L) = f(t/k) >= m_reg at t = phi^{-1}(L)."""
    yield from minimum_steps()
    loss = sympy.Symbol("loss", positive=True)
    inverse = log(RIVALS / (exp(loss) - 1))
    yield identity("phi(phi^{-1}(L)) = L", sympy.exp(phi(_u)).subs(_u, inverse), exp(loss))
    yield identity(
        "f(t/k) = phi(t) + (Lambda/k) t is the objective of bnwd:proposition-a.1",
        phi(K * (_u / K)) + _decay * (_u / K),
        phi(_u) + _decay / K * _u,
    )


@proof("bnwd:theorem-2.2", "sharp", "guarantee from the regularised loss", JENSEN, CAUCHY_SCHWARZ)
def at_measured_norms(claim: Claim) -> Iterator[Step]:
    """L <= m_reg + epsilon - penalty, and L + (Lambda/k) phi^{-1}(L) >= m_reg."""
    yield from _fenchel()
    spent, m = sympy.symbols("spent m", real=True)
    at_most = m + _epsilon - spent
    yield identity(
        "phi^{-1}(L) >= (k/Lambda)(m_reg - L), at the largest L, over k alpha beta",
        K / _decay * (m - at_most) / (K * _alpha * _beta),
        (spent - _epsilon) / (_decay * _alpha * _beta),
    )
    s = symbolic.symbols(sharp_theorem.alignment)
    full = s["lambda_"] / 2 * (s["alpha"] ** 2 + s["C"] * s["beta"] ** 2)
    scale = sqrt(s["C"]) * s["lambda_"] * s["alpha"] * s["beta"]
    yield identity(
        "the formula is that rho, not negative as epsilon <= penalty",
        symbolic.expression(sharp_theorem.alignment),
        (full - s["epsilon"]) / scale,
    )
    yield nonnegative(
        "penalty >= Lambda alpha beta, so 1 - rho <= epsilon/(Lambda alpha beta)",
        full / scale - 1,
        [s["lambda_"] / 2, (s["alpha"] - sqrt(s["C"]) * s["beta"]) ** 2, 1 / scale],
    )
    yield from _from_the_margin()

    def sides(w: Any, h: Any, decay: Any, epsilon: Any) -> dict[str, tuple[Any, Any]]:
        net, epsilon = Regularised(w, h, number(decay)), balls.ball(number(epsilon))
        scale = balls.ball(net.decay) * net.alpha * net.beta
        rho = (net.penalty - epsilon) / scale
        return {
            "near-optimal regularised loss": (net.loss + net.penalty, net.least + epsilon),
            "gap below the penalty": (epsilon, net.penalty),
            **net.aligned(rho),
            "simple": (1 - rho, epsilon / scale),
        }

    instances = [{**network, **point(decay="1/3", epsilon="1/7")} for network in NETWORKS]
    yield assumes(claim, w="real", h="real", decay="proportion", epsilon="budget")
    yield tie("the claim compares these", claim, instances, sides)


@proof("bnwd:theorem-2.2", "sharp", "a priori", JENSEN, CAUCHY_SCHWARZ)
def a_priori(claim: Claim) -> Iterator[Step]:
    """L <= m_reg(lambda') - penalty(lambda), and L + (Lambda'/k) phi^{-1}(L) >= m_reg(lambda')."""
    yield from _fenchel()
    lambda_ = _share * _decay / sqrt(C)
    full = _decay / sqrt(C) / 2 * (_alpha**2 + C * _beta**2)
    yield identity(
        "the penalty of lambda = share lambda' is a share of that of lambda', which is "
        "lessened by the excess for share = 1 - excess/penalty(lambda')",
        lambda_ / 2 * (_alpha**2 + C * _beta**2),
        _share * full,
    )
    yield nonnegative(
        "penalty(lambda) >= share Lambda' alpha beta",
        _share * full - _share * _decay * _alpha * _beta,
        [lambda_ / 2, (_alpha - sqrt(C) * _beta) ** 2],
    )
    m = sympy.Symbol("m", real=True)
    yield identity(
        "phi^{-1}(L) >= (k/Lambda')(m_reg(lambda') - L), at the largest L, over k alpha beta",
        K / _decay * (m - (m - _share * _decay * _alpha * _beta)) / (K * _alpha * _beta),
        _share,
    )
    yield from _from_the_margin()

    def sides(w: Any, h: Any, larger: Any, excess: Any) -> dict[str, tuple[Any, Any]]:
        net, excess = Regularised(w, h, number(larger)), balls.ball(number(excess))
        return {
            "optimal for a larger weight decay": (net.loss + net.penalty, net.least + excess),
            "a weight decay": (excess, net.penalty),
            **net.aligned(1 - excess / net.penalty),
        }

    instances = [{**network, **point(larger="1/3", excess="1/7")} for network in NETWORKS]
    yield assumes(claim, w="real", h="real", larger="proportion", excess="budget")
    yield tie("the claim compares these", claim, instances, sides)


# -- exact instances -----------------------------------------------------------------------


class Regularised(LastLayer):
    """A last layer with weight decay, given times sqrt(C)."""

    def __init__(self, w: Any, h: Any, decay: Fraction) -> None:
        super().__init__(w, h)
        self.decay = decay
        rate = balls.ball(decay) / balls.ball(self.C).sqrt()
        self.penalty = rate / 2 * (self.alpha**2 + self.C * self.beta**2)
        p = decay * (self.C - 1) / self.C
        odds = balls.ball(self.C / decay - (self.C - 1)).log()
        self.best = balls.ball(1 / self.k) * odds
        self.least = balls.ball(p) * odds - balls.ball(1 - p).log()

    def aligned(self, rho: Any) -> dict[str, tuple[Any, Any]]:
        """The conclusions at an alignment rho."""
        share = (1 - self.variability) * (1 - balls.ball(self.centre) / self.beta**2)
        return {
            "margin of the loss": (
                balls.ball(self.k) * self.alpha * self.beta * rho,
                self.of_loss,
            ),
            "alignment": (rho**2, self.cosine**2 * share),
            "NC1": (self.variability, 1 - rho**2),
            "NC3": (1 - self.cosine, 1 - rho),
            "distance": (2 - 2 * self.mean_t / self.T, 2 - 2 * rho),
        }
