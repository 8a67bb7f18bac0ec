"""Proofs about alignment. Throughout k = C/(C-1), and a bias belongs to the last layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import diff, exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import alignment
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, JENSEN
from proofs_check.layers import LAYERS, Layer
from proofs_check.proximity.first_steps import (
    RIVALS,
    C,
    K,
    centring,
    dot,
    many,
    mean,
    phi,
    q,
    rivals_to_their_mean,
    within_classes,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie

_a, _b, _rest = sympy.symbols("a b rest", nonnegative=True)
_T = sympy.Symbol("T", positive=True)


# -- steps that several proofs share -----------------------------------------------------


def odds_and_margin() -> Iterator[Step]:
    """p = t - G for every sample, G >= 0 by Jensen; a bias moves p by k times a centred number."""
    yield from rivals_to_their_mean()
    everyone, own, mean_exp = sympy.symbols("everyone own mean_exp", positive=True)
    yield identity(
        "a bias adds to the mean rival logit -k (bias_c - mean bias)",
        (everyone - own) / RIVALS - own,
        -K * (own - everyone / C),
    )
    yield identity(
        "whose mean over classes is 0",
        K * (everyone - C * (everyone / C)),
        0,
    )
    yield identity(
        "the loss log(1 + sum of e^z) is phi(-log mean e^z)",
        log(1 + RIVALS * mean_exp),
        phi(-log(mean_exp)),
    )


def loss_to_odds() -> Iterator[Step]:
    """phi^{-1}(l) = log((C-1)/(e^l - 1)) inverts phi and is convex."""
    loss = sympy.Symbol("loss", positive=True)
    inverse = log(RIVALS / (exp(loss) - 1))
    yield identity("e^phi(phi^{-1}(l)) = e^l", 1 + RIVALS * exp(-inverse), exp(loss))
    yield nonnegative(
        "the second derivative of phi^{-1} is (1 + q)/q^2 at l = log(1 + q)",
        diff(inverse, loss, 2).subs(C, many + 1).subs(loss, log(1 + q)),
        [1 + q, q**-2],
    )


# -- three levels ------------------------------------------------------------------------


@proof("bnwd:sharp-1", "sharp", "three levels of information", JENSEN, CAUCHY_SCHWARZ)
def three_levels(claim: Claim) -> Iterator[Step]:
    """phi^{-1}(L) <= mean p <= mean t = T cos sqrt(1 - var); both factors are at most 1.

    Whatever is at most mean t is r T with r <= cos sqrt(1 - var). Where class means or weights
    vanish the cosine is taken as -1, and then r <= 0.
    """
    yield from odds_and_margin()
    yield from loss_to_odds()
    yield from centring()
    yield from within_classes()
    alpha, beta, b = sympy.symbols("alpha beta b", positive=True)
    cosine, var, product = sympy.symbols("cosine var product", real=True)
    yield identity(
        "k/C times the inner product of stacked wdot and stacked class means is T cos "
        "sqrt(1 - var), their norms being sqrt(C) b and sqrt(C) alpha sqrt(1 - var)",
        K / C * (sqrt(C) * b) * (sqrt(C) * alpha * sqrt(1 - var)) * cosine,
        (K * alpha * b) * cosine * sqrt(1 - var),
    )
    yield from both_factors()
    yield from _formulas(alpha, beta)
    yield identity(
        "mean |h/alpha - wdot/b|^2 = 2 - 2 mean t/T",
        1 + 1 - 2 * product / (alpha * b),
        2 - 2 * (K * product) / (K * alpha * b),
    )
    yield assumes(claim, w="real", h="real", bias="real")
    yield tie("the claim compares these", claim, _LEVELS, _level_sides, _EQUATIONS)


def both_factors() -> Iterator[Step]:
    """From r <= cos root with 0 <= root <= 1 and cos <= 1, root^2 = 1 - var."""
    root = 1 / (1 + _a)
    yield nonnegative(
        "r > 0: root - r >= 0 for r <= (1 - b) root, so that r^2 <= root^2 = 1 - var",
        root**2 - (root / (1 + _b)) ** 2,
        [root**2, _b * (2 + _b), (1 + _b) ** -2],
    )
    yield nonnegative(
        "r > 0: cos - r >= 0 for cos = r/root + rest",
        (q / root + _rest) - q,
        [q * _a + _rest],
    )
    yield identity("r <= cos root, divided by root", (q / root) * root, q)


def _formulas(alpha: Any, beta: Any) -> Iterator[Step]:
    """The formulas say what was derived."""
    p, V = sympy.symbols("p V", real=True)

    def named(formula: Any) -> Any:
        found = symbolic.symbols(formula)
        by_name = {"C": C, "alpha": alpha, "beta": beta, "p": p, "V": V}
        return symbolic.expression(formula).xreplace({s: by_name[n] for n, s in found.items()})

    share = p / (K * alpha * beta)
    yield identity("the formula of r is p/T", named(alignment.reach), share)
    yield identity(
        "the variability is at most 1 - [r]_+^2",
        named(alignment.variability).subs(p, q * K * alpha * beta),
        1 - q**2,
    )
    yield identity(
        "and at most 1 where r <= 0",
        named(alignment.variability).subs(p, -q * K * alpha * beta),
        1,
    )
    yield identity(
        "1 - cos is at most 1 - r/sqrt(1 - V)",
        named(alignment.deficit_at_variability),
        1 - share / sqrt(1 - V),
    )
    yield identity(
        "the squared distance is at most 2 - 2r", named(alignment.distance), 2 - 2 * share
    )


# -- mean logits -------------------------------------------------------------------------


@proof("bnwd:sharp-1", "sharp", "from mean logits")
def from_mean_logits(claim: Claim) -> Iterator[Step]:
    """|x - v|^2 >= 0 for the class mean x and any combination v of the centred weights."""
    x, v, spread, square = sympy.symbols("x v spread square", real=True)
    yield nonnegative(
        "|x|^2 - (2 <v, x> - |v|^2) is a sum of squares, coordinate by coordinate",
        x**2 - (2 * v * x - v**2),
        [(x - v) ** 2],
    )
    each, total = sympy.symbols("each total", real=True)
    yield identity(
        "centred, the logits of the class mean are its inner products with wdot: <w_c', x> less "
        "their mean <mean w, x>",
        each - total / C,
        each - total * (1 / C),
    )
    yield from within_classes()
    yield identity(
        "mean |h|^2 = spread + |x|^2, so spread = mean |h|^2 - |x|^2",
        (spread + square) - square,
        spread,
    )
    yield identity("the mean margin is k times the mean of m_cc", K * (total / C), total / RIVALS)
    s = symbolic.symbols(alignment.variability_from_projections)
    yield identity(
        "the mean over classes, relative to alpha^2",
        (s["alpha"] ** 2 - s["Q"]) / s["alpha"] ** 2,
        symbolic.expression(alignment.variability_from_projections),
    )
    yield assumes(claim, w="real", h="real", multipliers="real")
    points = [
        {"w": layer["w"], "h": layer["h"], **point(multipliers=y)}
        for layer, y in zip(
            LAYERS, ([[1, 0, "-1/2"], [2, 1, 0], [0, 0, "1/3"]], [[1, 1], [0, -2]]), strict=True
        )
    ]
    yield tie("the claim compares these", claim, points, _logit_sides, ("mean margin",))


# -- exact instances ---------------------------------------------------------------------

_NO_CLASS_MEANS = point(w=[[1], [-1]], h=[[[1], [-1]], [[2], [-2]]], bias=[0, 0])
_LEVELS = [*LAYERS, _NO_CLASS_MEANS]
_EQUATIONS = ("loss of a sample", "mean margin", "distance, margin")


def _level_sides(w: Any, h: Any, bias: Any) -> dict[str, tuple[Any, Any]]:
    net = Layer(w, h, bias)
    margin = balls.ball(net.mean(net.t))
    levels = [net.of_loss, net.mean(net.p), margin]
    relative = balls.ball(mean([net.spread(c) for c in range(net.C)]) / net.square)
    root = balls.ball(net.kept).sqrt()
    cosine = balls.ball(-1)
    if net.kept and net.b > 0:
        stacked = sum(dot(a, x) for a, x in zip(net.wdot, net.means, strict=True))
        cosine = balls.ball(stacked) / (net.C * net.alpha * root * net.b)
    apart = 2 - 2 * margin / net.T

    def each(truth: Any, bound: Any) -> tuple[Any, Any]:
        return net.array([truth] * 3), net.array([bound(p / net.T) for p in levels])

    return {
        "loss of a sample": (net.array(net.losses), net.array(net.losses)),
        "levels": (net.array(levels[:2]), net.array(levels[1:])),
        "mean margin": (net.T + margin, net.T + margin),
        "NC1": each(relative, lambda r: 1 - r**2 if r > 0 else balls.ball(1)),
        "NC3": each(1 - cosine, lambda r: 1 - r if r > 0 else balls.ball(2)),
        "NC3 at NC1": each(1 - cosine, lambda r: 1 - r / root if root > 0 else balls.ball(2)),
        "distance": each(apart, lambda r: 2 - 2 * r),
        "distance, margin": (4 - apart, 4 - apart),
    }


def _logit_sides(w: Any, h: Any, multipliers: Any) -> dict[str, tuple[Any, Any]]:
    net = Layer(w, h)
    squares = []
    for y, x in zip(multipliers, net.means, strict=True):
        inner = [dot(a, x) for a in net.wdot]
        combined = [sum(f * a[j] for f, a in zip(y, net.wdot, strict=True)) for j in range(len(x))]
        squares.append(2 * dot(y, inner) - dot(combined, combined))
    spreads = [net.spread(c) for c in range(net.C)]
    whole = [mean([dot(x, x) for x in row]) for row in h]
    sums = net.T + balls.ball(net.mean(net.t))
    return {
        "mean margin": (sums, sums),
        "spread of a class": (
            net.array(spreads),
            net.array([a - s for a, s in zip(whole, squares, strict=True)]),
        ),
        "NC1": (mean(spreads) / net.square, 1 - mean(squares) / net.square),
    }
