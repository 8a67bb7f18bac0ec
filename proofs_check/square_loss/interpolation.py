"""Proofs about interpolation and equal margins."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import diff, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import interpolation as theory
from ncbounds.theory.terms import Claim
from proofs_check.facts import COUNTING, INNER_PRODUCT, MONOTONE
from proofs_check.square_loss.equilibrium import KINDS, Samples, outputs, parabola
from proofs_check.square_loss.flow import networks
from proofs_check.square_loss.flow_network import (
    CALCULUS,
    ByHand,
    Unit,
    against,
    chain_rule,
    homogeneity,
    multipliers,
    positive_homogeneity,
    same,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import dot, norm

_rho, _mu = sympy.symbols("rho mu", positive=True)
_mean = sympy.Symbol("mean", real=True)
_variance, _others = sympy.symbols("variance others", nonnegative=True)
_decay = sympy.Symbol("lambda_", positive=True)
_DATA = 1 - 2 * _rho * _mean + _rho**2 * (_mean**2 + _variance)


def split() -> Iterator[Step]:
    """The data loss as two squares."""
    yield identity("the split", _DATA, (1 - _rho * _mean) ** 2 + _rho**2 * _variance)


@proof("square:remark-rho-mu", "printed", "zero loss, and how nearly", MONOTONE)
def zero_loss(claim: Claim) -> Iterator[Step]:
    """Two squares with a sum are each at most that sum; roots increase."""
    yield from parabola()
    yield from split()
    yield nonnegative(
        "the spread is no more", _DATA - _rho**2 * _variance, [(1 - _rho * _mean) ** 2]
    )
    yield nonnegative("nor is the mean", _DATA - (1 - _rho * _mean) ** 2, [_rho**2, _variance])
    for label in (1, -1):
        yield identity(
            f"zero loss, label {label}: rho times the margin is 1",
            _rho * (label * (label / _rho)),
            1,
        )

    def sides(rho: Any, f: Any, y: Any) -> dict[str, tuple[Any, Any]]:
        given, scale = Samples(f, y), number(rho)
        data = given.loss(scale, Fraction(0))
        root, zero = balls.ball(data).sqrt(), Fraction(0)
        return {
            "M = sigma^2 + mu^2": same(given.M),
            "variance >= 0": (zero, given.variance),
            "zero loss at f = y/rho": same(Fraction(1)),
            "rho times the sum": same(Fraction(given.N)),
            "split": same(data),
            "mean margin": (abs(1 - scale * given.mu), root),
            "spread": (balls.ball(scale) * balls.ball(given.variance).sqrt(), root),
        }

    yield assumes(claim, **KINDS, rho="positive")
    names = ("M = sigma^2 + mu^2", "zero loss at f = y/rho", "rho times the sum", "split")
    yield tie("the claim compares these", claim, outputs(rho="1/2"), sides, names)


@proof("square:lemma-1", "printed", "what the proof shows", COUNTING, CALCULUS)
def what_the_proof_shows(claim: Claim) -> Iterator[Step]:
    """One square is at most all of them; the loss is a parabola in rho above its vertex."""
    yield from parabola()
    f = sympy.Symbol("f", real=True)
    yield identity(
        "rho^2 (1/rho - f)^2 = (1 - rho f)^2", _rho**2 * (1 / _rho - f) ** 2, (1 - _rho * f) ** 2
    )
    one = sympy.Symbol("one", real=True)
    yield nonnegative(
        "one square is at most it and the others", one**2 + _others - one**2, [_others]
    )
    M = _mean**2 + _variance
    whole = _DATA + _decay * _rho**2
    vertex = _mean / (M + _decay)
    yield identity(
        "the loss over its least possible value, for any margins",
        whole - _decay / (M + _decay),
        (M + _decay) * (_rho - vertex) ** 2 + _variance / (M + _decay),
    )
    yield nonnegative(
        "the one term", (M + _decay) * (_rho - vertex) ** 2, [M + _decay, (_rho - vertex) ** 2]
    )
    yield nonnegative("the other", _variance / (M + _decay), [_variance, 1 / (M + _decay)])
    equal = whole.subs({_mean: _mu, _variance: 0})
    best = _mu / (_mu**2 + _decay)
    yield nonnegative(
        "for equal margins",
        equal - _decay / (_mu**2 + _decay),
        [_mu**2 + _decay, (_rho - best) ** 2],
    )
    yield identity("rho' = 0", diff(equal, _rho).subs(_rho, best), 0)
    yield identity("the gap", 1 - best * _mu, _decay / (_mu**2 + _decay))
    for name, formula, value in (
        ("the formula of rho", theory.equal_margin_rho, best),
        ("and of the gap", theory.equal_margin_gap, 1 - best * _mu),
    ):
        yield identity(name, symbolic.expression(formula), value)

    def sides(rho: Any, f: Any, y: Any, mu: Any, decay: Any) -> dict[str, tuple[Any, Any]]:
        given, scale, weight, margin = Samples(f, y), number(rho), number(decay), number(mu)
        gap = weight / (margin**2 + weight)
        equal = Samples([margin], [1])
        largest = max((1 - scale * a) ** 2 for a in given.f)
        return {
            "zero loss means equal margins": (largest, given.N * given.loss(scale, Fraction(0))),
            "not zero for equal margins": (gap, equal.loss(scale, weight)),
            "not zero for any margins": (weight / (given.M + weight), given.loss(scale, weight)),
            "rho' = 0": same(2 * margin),
            "and does not interpolate": same(Fraction(1)),
        }

    yield assumes(claim, **KINDS, rho="positive", mu="positive", decay="positive")
    points = outputs(rho="1/2", mu="3/2", decay="1/3")
    yield tie(
        "the claim compares these", claim, points, sides, ("rho' = 0", "and does not interpolate")
    )


@proof("square:lemma-1", "corrected", "critical exactly if the mean margin is", CALCULUS)
def equal_margins(claim: Claim) -> Iterator[Step]:
    """All residuals are the gap, and the sum of gradients is that of the mean margin."""
    yield from chain_rule()
    yield from homogeneity()
    yield from multipliers()
    yield from positive_homogeneity()
    best, gap = _mu / (_mu**2 + _decay), _decay / (_mu**2 + _decay)
    yield identity("each residual", 1 - best * _mu, gap)
    yield identity("rho' = 0", 2 * (1 - best * _mu) * _mu - 2 * _decay * best, 0)
    pulled, V = sympy.symbols("pulled V", real=True)
    yield identity(
        "(5) with one residual for all",
        2 * best * (gap * pulled - V * gap * _mu),
        2 * best * _decay / (_mu**2 + _decay) * (pulled - _mu * V),
    )
    size = sympy.Symbol("size", positive=True)
    f = sympy.Symbol("f", positive=True)
    yield identity("the scaled output", (_mu / size * f).subs(size, f), _mu)
    yield identity("a label", (1 + f / sympy.Abs(f)) / 2, 1)

    def sides(W: Any, v: Any, x: Any, mu: Any, decay: Any) -> dict[str, tuple[Any, Any]]:
        plain = Unit(ByHand(W, v, x))  # labels all +1: f may be negative
        size, weight = balls.ball(number(mu)), balls.ball(number(decay))
        rho, gap = size / (size * size + weight), weight / (size * size + weight)

        def moved(by: Any, layer: list[Any]) -> tuple[Any, Any]:
            pulled = [
                sum(row[p] / f for row, f in zip(by, plain.f, strict=True)) * size / plain.N
                for p in range(len(layer))
            ]
            moves = [2 * rho * gap * (g - size * w) for g, w in zip(pulled, layer, strict=True)]
            return against(moves, [2 * rho * g for g in pulled])

        return {
            "margins": same([size] * plain.N),
            "rho' = 0": same(2 * size),
            "hidden layers": moved(plain.by_w, plain.V),
            "last layer": moved(plain.by_v, plain.top),
        }

    yield assumes(claim, W="real", v="real", x="real", mu="positive", decay="positive")
    points = [
        {**{name: net[name] for name in "Wvx"}, **point(mu="1/2", decay="1/3")}
        for net in networks()[:1]
    ]
    names = ("margins", "rho' = 0", "hidden layers", "last layer")
    yield tie("the claim compares these", claim, points, sides, names)


# -- Lemma 5 --------------------------------------------------------------------------------------

_alpha = sympy.Symbol("alpha", positive=True)


def turning() -> Iterator[Step]:
    """With |V| = |u| = 1 and <V, u> = 0, and features of which u sees nothing."""
    V2, u2, Vu, seen, unseen = sympy.symbols("V2 u2 Vu seen unseen", real=True)
    across = sqrt(1 - _alpha**2)
    unit = {V2: 1, u2: 1, Vu: 0}
    yield identity(
        "|V'|^2", (_alpha**2 * V2 + 2 * _alpha * across * Vu + across**2 * u2).subs(unit), 1
    )
    yield identity("<V, V'>", (_alpha * V2 + across * Vu).subs(unit), _alpha)
    output = (_alpha * seen + across * unseen).subs(unseen, 0)
    yield identity("the outputs times rho/alpha", _rho / _alpha * output, _rho * seen)
    f = sympy.Symbol("f", real=True)
    yield identity("residuals that vanish make rho' vanish", 2 * (1 - 1) * f, 0)
    share = sympy.Symbol("share", nonnegative=True)
    yield nonnegative(
        "rho/alpha >= rho, with 1/alpha = 1 + share", (1 + share) * _rho - _rho, [share, _rho]
    )


def mirrored() -> Step:
    """The two directions are unit vectors reflected in mirrors, which keep inner products."""
    n = sympy.Symbol("n", positive=True)
    ab, av, bv = sympy.symbols("ab av bv", real=True)
    return identity(
        "reflections keep inner products",
        ab - 2 * av * bv / n - 2 * bv * av / n + 4 * av * bv / n**2 * n,
        ab,
    )


_TURNED = (
    "interpolates before",
    "unit norm",
    "turned by alpha",
    "interpolates after",
    "rho' = 0",
)


def _turned_sides(rho: Any, y: Any, alpha: Any) -> dict[str, tuple[Any, Any]]:
    signs = [2 * number(label) - 1 for label in y]
    return {
        "interpolates before": same(signs),
        "unit norm": same(Fraction(1)),
        "turned by alpha": same(number(alpha)),
        "interpolates after": same(signs),
        "larger rho": (number(rho), number(rho) / number(alpha)),
        "rho' = 0": same(number(alpha) / number(rho)),
    }


@proof("square:lemma-5", "printed", "features of any sign")
def aligned(claim: Claim) -> Iterator[Step]:
    """Aligned features are multiples of V, so every u orthogonal to V sees nothing of them."""
    yield from turning()
    yield mirrored()
    yield identity("<V, y V/rho> y = |V/rho|", sympy.Integer(1) / _rho, 1 / _rho)

    def sides(rho: Any, mirrors: Any, y: Any, alpha: Any) -> dict[str, tuple[Any, Any]]:
        return {"aligned": same([1 / number(rho)] * len(y)), **_turned_sides(rho, y, alpha)}

    yield assumes(claim, rho="positive", mirrors="real", y="mask", alpha="proportion")
    points = [point(rho=2, mirrors=[[1, 2, 0], [1, 1, 1]], y=[1, 0], alpha="3/5")]
    yield tie("the claim compares these", claim, points, sides, ("aligned", *_TURNED))


@proof("square:lemma-5", "corrected", "any interpolating features")
def any_features(claim: Claim) -> Iterator[Step]:
    """Only what u sees of the features matters."""
    yield from turning()
    yield mirrored()

    def sides(rho: Any, mirrors: Any, g: Any, y: Any, alpha: Any) -> dict[str, tuple[Any, Any]]:
        return _turned_sides(rho, y, alpha)

    kinds = {"rho": "positive", "mirrors": "real", "g": "real", "y": "mask"}
    yield assumes(claim, **kinds, alpha="proportion")
    points = [
        point(
            rho=2,
            mirrors=[[1, 2, 0], [1, 1, 1]],
            g=[[1, 2, 3], [-1, "1/2", 4]],
            y=[1, 0],
            alpha="3/5",
        )
    ]
    yield tie("the claim compares these", claim, points, sides, _TURNED)


@proof("square:lemma-5", "sharp", "ReLU features of both labels are not aligned", INNER_PRODUCT)
def relu_features(claim: Claim) -> Iterator[Step]:
    """With unit features a, b >= 0, <a, b> >= 0: expand |V - c a + d b|^2 >= 0.

    If one cosine is not positive, its part is 0 and the other's at most 1 (Cauchy-Schwarz).
    """
    c, d, g = sympy.symbols("c d g", nonnegative=True)
    Va, Vb = sympy.symbols("Va Vb", real=True)
    square = 1 + c**2 + d**2 - 2 * c * Va + 2 * d * Vb - 2 * c * d * g
    yield identity(
        "1 - c^2 - d^2 is the square plus 2 c d <a, b>",
        1 - c**2 - d**2,
        square.subs({Va: c, Vb: -d}) + 2 * c * d * g,
    )
    yield nonnegative("the second term", 2 * c * d * g, [c, d, g, sympy.Integer(2)])
    first, second = sympy.symbols("first second", nonnegative=True)
    yield nonnegative("<a, b> >= 0, entry by entry", first * second, [first, second])

    def sides(v: Any, ahead: Any, behind: Any) -> dict[str, tuple[Any, Any]]:
        def clipped(z: Any, sign: int) -> Any:
            a = [abs(entry) for entry in z]
            c = sign * balls.ball(dot(v, a)) / (norm(v) * norm(a))
            return c if c > 0 else c * 0

        pair = clipped(ahead, 1), clipped(behind, -1)
        return {"squared alignments": (sum(c * c for c in pair), Fraction(1))}

    yield assumes(claim, v="real", ahead="real", behind="real")
    points = [point(v=[1, -2], ahead=[3, 1], behind=[-1, 2])]
    yield tie("the claim compares these", claim, points, sides)
