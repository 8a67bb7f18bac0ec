"""Proofs of the sharp proximity theorem. Throughout k = C/(C-1).

The number of classes is a symbol: sums over classes enter the algebra as symbols of their own,
tied to each other by what they are sums of.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import diff, exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import near_optimal_loss
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, JENSEN, MONOTONE
from proofs_check.steps import (
    Step,
    assumes,
    identity,
    nonnegative,
    point,
    proof,
    tie,
)

_C = sympy.Symbol("C", integer=True, positive=True)
_K = _C / (_C - 1)
_RIVALS = _C - 1
_u = sympy.Symbol("u", real=True)
_p, _rest, _q = sympy.symbols("p rest q", positive=True)


def _phi(t: Any) -> Any:
    return log(1 + _RIVALS * exp(-t))


def rival_logits() -> Iterator[Step]:
    """The mean rival logit is -t, and a sample's loss is phi of minus their log-mean-exp."""
    own, centre, mean_exp = sympy.symbols("own centre mean_exp", positive=True)
    yield identity(
        "sum over rivals of <w_c' - w_c, h>, over C - 1, is -C/(C-1) <w_c - mean w, h> = -t",
        (_C * centre - own - _RIVALS * own) / _RIVALS,
        -_K * (own - centre),
    )
    yield identity(
        "log(1 + sum of e^z) = phi(p) with p = -log mean e^z",
        log(1 + _RIVALS * mean_exp),
        _phi(-log(mean_exp)),
    )


def inverse_is_convex() -> Iterator[Step]:
    """phi^{-1}(l) = log((C-1)/(e^l - 1)) is convex and inverts phi."""
    loss = sympy.Symbol("loss", positive=True)
    inverse = log(_RIVALS / (exp(loss) - 1))
    many = sympy.Symbol("M", positive=True)
    yield identity("e^phi(phi^{-1}(l)) = e^l", 1 + _RIVALS * exp(-inverse), exp(loss))
    yield nonnegative(
        "the second derivative of phi^{-1} is (1 + h)/h^2 at l = log(1 + h)",
        diff(inverse, loss, 2).subs(_C, many + 1).subs(loss, log(1 + _q)),
        [1 + _q, _q**-2],
    )


@proof("bnwd:theorem-2.1", "sharp", "identity (log)", JENSEN, CAUCHY_SCHWARZ)
def log_identity(claim: Claim) -> Iterator[Step]:
    """p = t - G by definition of G; the split telescopes; each term has a sign by convexity.

    G >= 0 is Jensen for the exponential, (T - mean t) >= 0 is Cauchy-Schwarz for <wdot, h>, and
    the dispersion is Jensen for the convex phi^{-1}.
    """
    yield from rival_logits()
    yield from inverse_is_convex()
    T, t, G, of_loss = sympy.symbols("T t G of_loss", real=True)
    yield identity(
        "T - phi^{-1}(L) = (T - t) + G + ((t - G) - phi^{-1}(L))",
        T - of_loss,
        (T - t) + G + ((t - G) - of_loss),
    )
    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, _NETWORKS, _log_sides, _SPLIT)


@proof("bnwd:theorem-2.1", "sharp", "identity (gap)", JENSEN, MONOTONE)
def gap_identity(claim: Claim) -> Iterator[Step]:
    """Expand phi at k alpha beta: the Bregman gap is K, the linear term is a square."""
    A, alpha, beta = sympy.symbols("A alpha beta", positive=True)
    product, centre = sympy.symbols("product centre", real=True)
    E = _RIVALS * exp(-_K * A)
    sigma = E / (1 + E)
    yield identity("sigma = 1 - e^{-m}", sigma, 1 - exp(-log(1 + E)))
    named = symbolic.symbols(near_optimal_loss.minimum_loss)
    yield identity(
        "the formula of m is phi(k alpha beta)",
        symbolic.expression(near_optimal_loss.minimum_loss),
        log(1 + E).subs({_C: named["C"], A: named["alpha"] * named["beta"]}),
    )
    yield identity(
        "phi(kA + u) - phi(kA) + sigma u = K(u): the logarithms",
        (1 + E * exp(-_u)) / (1 + E),
        1 - sigma + sigma * exp(-_u),
    )
    yield identity(
        "sigma (kA - mean t) is the mean square, by mean |h|^2 = alpha^2, mean |wdot|^2 = "
        "beta^2 - |mean w|^2 and mean <wdot, h> = product",
        _K * sigma * (alpha * beta - product),
        _K
        * sigma
        * alpha
        * beta
        / 2
        * (1 + (beta**2 - centre) / beta**2 - 2 * product / (alpha * beta) + centre / beta**2),
    )
    share, other = _p / (_p + _rest), _rest / (_p + _rest)
    K = log(other + share * exp(-_u)) + share * _u
    yield identity("K vanishes at 0", K.subs(_u, 0), 0)
    yield identity("K' vanishes at 0", diff(K, _u).subs(_u, 0), 0)
    weight = other + share * exp(-_u)
    yield nonnegative(
        "K'' = Q (1 - Q) with Q = sigma e^-u/(1 - sigma + sigma e^-u)",
        diff(K, _u, 2),
        [share * exp(-_u) / weight, other / weight],
    )
    many = sympy.Symbol("M", positive=True)
    yield nonnegative(
        "phi decreases, so G >= 0 gives l = phi(t - G) >= phi(t)",
        -diff(_phi(_u), _u).subs(_C, many + 1),
        [many * exp(-_u), 1 / (1 + many * exp(-_u))],
    )
    yield from rival_logits()
    yield assumes(claim, w="real", h="real")
    yield tie("the claim compares these", claim, _NETWORKS, _gap_sides, _SPLIT)


def margins_to_collapse() -> Iterator[Step]:
    """phi^{-1}(L) <= mean p <= mean t = T cos sqrt(1 - var), and T = T_beta sqrt(1 - cen)."""
    yield from rival_logits()
    yield from inverse_is_convex()
    alpha, beta, b = sympy.symbols("alpha beta b", positive=True)
    cosine, var, centre, product = sympy.symbols("cosine var centre product", real=True)
    root = sqrt(1 - var)
    yield identity(
        "k/C times the inner product of stacked wdot and stacked class means is T cos "
        "sqrt(1 - var), their norms being sqrt(C) b and sqrt(C) alpha sqrt(1 - var)",
        _K / _C * (sqrt(_C) * b) * (sqrt(_C) * alpha * root) * cosine,
        (_K * alpha * b) * cosine * root,
    )
    mean_square, mean_norm = sympy.symbols("mean_square mean_norm", positive=True)
    yield identity(
        "|class means|^2 has the mean alpha^2 (1 - var), var being the spread over alpha^2",
        mean_norm,
        mean_square * (1 - (mean_square - mean_norm) / mean_square),
    )
    yield identity(
        "T = T_beta sqrt(1 - cen), by b^2 = beta^2 - |mean w|^2",
        beta**2 * (1 - centre / beta**2),
        beta**2 - centre,
    )
    yield identity(
        "mean |h/alpha - wdot/b|^2 = 2 (1 - mean t/T)",
        1 + 1 - 2 * product / (alpha * b),
        2 * (1 - _K * product / (_K * alpha * b)),
    )


@proof("bnwd:theorem-2.1", "sharp", "guarantee from the loss", JENSEN, CAUCHY_SCHWARZ)
def guarantee(claim: Claim) -> Iterator[Step]:
    """phi^{-1}(L) <= mean p <= mean t = T cos sqrt(1 - var), and both factors are at most 1.

    The first inequality is Jensen for phi^{-1}, the second G >= 0. As L <= log C the left side is
    not negative, so the cosine is not either and squares keep the order.
    """
    yield from margins_to_collapse()
    total = sympy.Symbol("total", real=True)
    yield identity(
        "a bias adds k (bias_c - mean bias) to the margin of class c: the classes' sum is 0",
        _K * (total - _C * (total / _C)),
        0,
    )
    s = sympy.Symbol("s", real=True)
    loss = symbolic.symbols(near_optimal_loss.proximity_gap)["L"]
    numbers = symbolic.symbols(near_optimal_loss.proximity_gap)
    gap = symbolic.expression(near_optimal_loss.proximity_gap).xreplace({numbers["C"]: _C})
    T = _K * numbers["alpha"] * numbers["beta"]
    yield identity(
        "the formula of s is 1 - phi^{-1}(L)/T",
        sympy.expand_log(gap, force=True),
        1 + sympy.expand_log(log((exp(loss) - 1) / _RIVALS), force=True) / T,
    )
    yield identity(
        "1 - var >= (1-s)^2 reads var <= 2s - s^2",
        symbolic.expression(near_optimal_loss.sharp_variability).xreplace({numbers["C"]: _C}),
        1 - (1 - gap) ** 2,
    )
    yield identity("1 - (1-s)^2 = 2s - s^2", 1 - (1 - s) ** 2, 2 * s - s**2)
    yield identity(
        "the formula of the distance is 2s",
        symbolic.expression(near_optimal_loss.sharp_distance).xreplace({numbers["C"]: _C}),
        2 * gap,
    )
    biased = [
        {**network, **point(bias=bias)}
        for network, bias in zip(_NETWORKS, ([1, "-1/2", 0], [0, "1/3"]), strict=True)
    ]
    yield assumes(claim, w="real", h="real", bias="real")
    yield tie("the claim compares these", claim, biased, _guarantee_sides)


_SPLIT = ("log-odds of a sample", "split of the gap")
_NETWORKS = [
    point(
        w=[[2, 0, 0], [0, 2, 1], [0, "-1/2", 3]],
        h=[[[1, 0, "1/3"], [2, -1, 0]], [[0, 1, 0], [-1, 2, 1]], [[0, 0, 1], ["1/2", 0, 2]]],
    ),
    point(w=[[1, 1], [0, -1]], h=[[[1, "1/2"]], [[-1, -2]]]),
]


class LastLayer:
    """The quantities of a last layer by plain loops over exact numbers, sample by sample."""

    def __init__(self, w: Any, h: Any, bias: Any = None) -> None:
        C, N = len(w), len(h[0])
        bias = [Fraction(0)] * C if bias is None else bias
        self.C, self.k = C, Fraction(C, C - 1)
        centre = [sum(row[j] for row in w) / Fraction(C) for j in range(len(w[0]))]
        wdot = [[a - m for a, m in zip(row, centre, strict=True)] for row in w]
        self.centre = _dot(centre, centre)
        self.alpha = balls.ball(sum(_dot(x, x) for c in h for x in c) / (C * N)).sqrt()
        self.beta = balls.ball(sum(_dot(r, r) for r in w) / Fraction(C)).sqrt()
        self.b = balls.ball(sum(_dot(r, r) for r in wdot) / Fraction(C)).sqrt()
        self.t = [[self.k * _dot(wdot[c], x) for x in h[c]] for c in range(C)]
        gaps = [
            [
                [_dot(w[r], x) + bias[r] - _dot(w[c], x) - bias[c] for r in range(C) if r != c]
                for x in h[c]
            ]
            for c in range(C)
        ]
        sums = [[sum((balls.ball(z).exp() for z in g), balls.ball(0)) for g in c] for c in gaps]
        self.losses = [[(1 + total).log() for total in c] for c in sums]
        self.odds = [[-(total / (C - 1)).log() for total in c] for c in sums]
        self.loss = _mean(self.losses)
        self.of_loss = -((self.loss.exp() - 1) / (C - 1)).log()
        self.mean_t = balls.ball(_mean(self.t))
        means = [[sum(x[j] for x in c) / Fraction(N) for j in range(len(c[0]))] for c in h]
        spread = _mean([[_dot(*(2 * [_minus(x, means[c])])) for x in h[c]] for c in range(C)])
        self.variability = balls.ball(spread) / self.alpha**2
        inner = sum(_dot(a, m) for a, m in zip(wdot, means, strict=True))
        squares = sum(_dot(m, m) for m in means) * sum(_dot(a, a) for a in wdot)
        self.cosine = balls.ball(inner) / balls.ball(squares).sqrt()
        self.T = balls.ball(self.k) * self.alpha * self.b

    def phi(self, t: Any) -> Any:
        """log(1 + (C-1) e^-t)."""
        return (1 + (self.C - 1) * (-balls.ball(t)).exp()).log()

    def each(self, rows: Any) -> Any:
        """Nested lists as one array of balls."""
        return balls.asarray(np.array(rows, dtype=object))


def _log_sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
    net = LastLayer(w, h)
    off_class = [
        [balls.ball(t) - p for t, p in zip(a, b, strict=True)]
        for a, b in zip(net.t, net.odds, strict=True)
    ]
    odds = _mean(net.odds)
    gap = net.T - net.of_loss
    return {
        "log-odds of a sample": (net.each(net.odds), net.each(net.odds)),
        "split of the gap": (gap, gap),
        "misalignment >= 0": (net.mean_t, net.T),
        "off-class logits >= 0": (net.each(off_class) * 0, net.each(off_class)),
        "dispersion >= 0": (net.of_loss, odds),
    }


def _gap_sides(w: Any, h: Any) -> dict[str, tuple[Any, Any]]:
    net = LastLayer(w, h)
    optimum = net.phi(balls.ball(net.k) * net.alpha * net.beta)
    gap = net.loss - optimum
    sigma = 1 - (-optimum).exp()
    top = balls.ball(net.k) * net.alpha * net.beta
    spread = [[net.phi(t) - optimum + sigma * (balls.ball(t) - top) for t in c] for c in net.t]
    from_margins = [[net.phi(t) for t in c] for c in net.t]
    return {
        "split of the gap": (gap, gap),
        "spread of margins >= 0": (net.each(spread) * 0, net.each(spread)),
        "off-class excess >= 0": (net.each(from_margins), net.each(net.losses)),
    }


def _guarantee_sides(w: Any, h: Any, bias: Any) -> dict[str, tuple[Any, Any]]:
    net = LastLayer(w, h, bias)
    share = 1 - net.variability
    reach = net.of_loss / net.T
    reach_beta = net.of_loss / (balls.ball(net.k) * net.alpha * net.beta)
    centred = 1 - balls.ball(net.centre) / net.beta**2
    s = 1 - reach
    return {
        "loss at most log C": (net.loss, balls.ball(net.C).log()),
        "alignment": (reach_beta**2, net.cosine**2 * share * centred),
        "alignment, centred": (reach**2, net.cosine**2 * share),
        "NC1": (net.variability, 2 * s - s**2),
        "NC3": (1 - net.cosine, s),
        "distance": (2 - 2 * net.mean_t / net.T, 2 * s),
    }


def _dot(x: Any, y: Any) -> Any:
    return sum(a * b for a, b in zip(x, y, strict=True))


def _minus(x: Any, y: Any) -> Any:
    return [a - b for a, b in zip(x, y, strict=True)]


def _mean(rows: Any) -> Any:
    values = [value for row in rows for value in row]
    return sum(values[1:], values[0]) / len(values)
