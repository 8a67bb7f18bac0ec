"""Proofs about the collapsed minima of the norm-constrained model, and the threshold.

G majority and J minority classes, K = G + J. By the symmetry within both groups the gradient at a
collapsed point has three blocks: vectors of mean zero over the majority, over the minority, and the
two groups against each other. Its operator norm is the largest of three numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import diff, exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.imbalance import threshold as theory
from ncbounds.theory.terms import Claim
from proofs_check.facts import DERIVATIVE_SIGN, LOGARITHM
from proofs_check.imbalance.merging import TANGENT_PLANE, first_order
from proofs_check.imbalance.pull_and_push import softmax, softmax_derivatives
from proofs_check.square_loss.ball_arrays import square, zeros
from proofs_check.steps import Fact, Step, assumes, identity, nonnegative, number, point, proof, tie

Sides = dict[str, tuple[Any, Any]]

TRACE_DUALITY = Fact(
    "Trace duality",
    "<G, A F> is at most the operator norm of G times |A| |F|, and at most half of |A|^2 + |F|^2 "
    "times it; the operator norm of an orthogonal sum is the largest of those of its parts.",
    "Horn and Johnson, Matrix Analysis, Section 7.4 and Theorem 5.6.9",
)

_G, _J = sympy.symbols("G J", positive=True)
_K = _G + _J
_v, _e = sympy.symbols("v e", positive=True)
_w, _share = 1 / (1 + _e), 1 / (1 + _v)
_kappa, _r, _a, _W = sympy.symbols("kappa r a W", positive=True)
_NAMES = {"K_A": _G, "K_B": _J, "lean": _v, "excess": _e}
#: (1 + v) (1 + e), and kappa
_p = sympy.Symbol("p", positive=True)
_ROOT = sqrt(1 + _G / _J * (1 - _p**-2))


def _formula(declared: Any, **more: Any) -> Any:
    """The expression of a formula in the symbols of this module."""
    named = symbolic.symbols(declared)
    values = {**_NAMES, **more}
    return symbolic.expression(declared).subs({named[name]: values[name] for name in named})


def probabilities() -> Iterator[Step]:
    """What the samples of a collapsed minimum give to the classes."""
    y, x = _kappa / (_K * _W), (_K - _J * _kappa) / (_K * _G * _W)
    own = x * exp(_a)
    weight = 1 + (_K - _J * _kappa) / (_K * _G) * (exp(_a) - 1)
    yield identity(
        "majority: own less another's is 1 - 1/W", (own - x).subs(_W, weight), 1 - 1 / weight
    )
    yield identity("majority: they add up to 1", (own + (_G - 1) * x + _J * y).subs(_W, weight), 1)
    grown = _kappa * _r + _G * log(_G * _kappa / (_K - _J * _kappa))
    yield identity(
        "majority: log of own over minority is the logit a (G - 1)/G + kappa r/G",
        sympy.expand_log(grown + log(x / y), force=True),
        sympy.expand_log(grown * (_G - 1) / _G + _kappa * _r / _G, force=True),
    )
    minor, major = (_K - _G * _share) / (_K * _J), _share / _K
    yield identity("minority: they add up to 1", _J * minor + _G * major, 1)
    yield identity(
        "minority: log of own over majority is the logit r/(J (1 + v) (1 + e))",
        minor / major,
        1 + _K * _v / _J,
    )
    yield identity(
        "for r as computed",
        _formula(theory.between_groups) * _w * _share / _J,
        log(1 + _K * _v / _J),
    )
    yield identity(
        "a as computed: the two logarithms are that of G kappa/(K - J kappa)",
        _G * _kappa / (_K - _J * _kappa),
        (1 + (_kappa - 1)) / (1 - _J * (_kappa - 1) / _G),
    )


def blocks() -> Iterator[Step]:
    """Minus the gradient: 1 on the majority, w on the minority, 1 between the groups."""
    own, x, y = sympy.symbols("own x y", real=True)
    yield identity(
        "on majority vectors of mean zero: W (1 - own + x) = 1",
        _W * (1 - own + x).subs(own, x + 1 - 1 / _W),
        1,
    )
    yield identity(
        "1 - own - (G - 1) x = J y: the sum over the majority is y times (J on it, -G off it)",
        (1 - own - (_G - 1) * x).subs(own, 1 - (_G - 1) * x - _J * y),
        _J * y,
    )
    first, second = _kappa * sqrt(_J / _K), sqrt(_G / _K) / _p
    kappa, more, q = _ROOT, _p - 1, sympy.Symbol("q", positive=True)
    yield identity(
        "kappa as computed: its square less 1",
        _G * more * (2 + more) / (_J * (1 + more) ** 2),
        kappa**2 - 1,
    )
    yield identity("and less 1 itself, q being kappa", (q**2 - 1) / (1 + q), q - 1)
    yield identity(
        "between the groups: W y (K J)^(1/2); and (K G)^(1/2)/(K p)",
        _W * (_kappa / (_K * _W)) * sqrt(_K * _J),
        first,
    )
    yield identity("whose squares add up to 1", (first**2 + second**2).subs(_kappa, kappa), 1)
    yield identity(
        "the logits between the groups are r times the same unit vector: product r",
        (first * (_r * first) + second * (_r * second)).subs(_kappa, kappa),
        _r,
    )
    yield identity(
        "weights of the minimum: (G - 1) a + r (J/K + G/K)",
        (_G - 1) * _a + _r * (_J / _K + _G / _K),
        (_G - 1) * _a + _r,
    )
    yield identity(
        "features: (G - 1) a + r (kappa^2 J/K + G/(K p^2))",
        ((_G - 1) * _a + _r * (first**2 + second**2)).subs(_kappa, kappa),
        (_G - 1) * _a + _r,
    )


def signs() -> Iterator[Step]:
    """kappa >= 1, r >= 0 and a >= 0, so that W >= 1."""
    u = sympy.Symbol("u", nonnegative=True)
    yield nonnegative(
        "kappa^2 - 1 for p = 1 + u",
        (_ROOT**2 - 1).subs(_p, 1 + u),
        [_G / _J, u, 2 + u, (1 + u) ** -2],
    )
    yield nonnegative("r >= 0: its logarithm is of 1 + K v/J", _K * _v / _J, [_K, _v, 1 / _J])
    yield nonnegative("G kappa - (K - J kappa)", (_K * (1 + u) - _K), [_K, u])
    yield nonnegative(
        "K/J - kappa^2, and K/J <= (K/J)^2: K - J kappa is positive",
        _K / _J - _ROOT**2,
        [_G / _J, _p**-2],
    )
    yield nonnegative("(K/J)^2 - K/J", (_K / _J) ** 2 - _K / _J, [_K / _J, _G / _J])


@proof("review:eq-34", "printed", "minority collapse", TANGENT_PLANE, TRACE_DUALITY, LOGARITHM)
def collapsed(claim: Claim) -> Iterator[Step]:
    """The tangent of the loss at the minimum, and trace duality block by block."""
    yield from softmax_derivatives()
    yield from probabilities()
    yield from blocks()
    yield from signs()
    yield from first_order()
    q, p, w = sympy.symbols("q p w", real=True)  # squared norms: merged part, and the rest
    yield identity(
        "q/2 + w p/2 = (q + p)/2 - (1 - w) p/2: with 1 on the merged part and w off it",
        q / 2 + w * p / 2,
        (q + p) / 2 - (1 - w) * p / 2,
    )
    rest = (_K - _J * _kappa) / (_K * _G)
    yield identity(
        "loss of a majority sample: -log(rest e^a/W)",
        sympy.expand_log(-log(rest * exp(_a) / _W), force=True),
        sympy.expand_log(log(_W / rest), force=True) - _a,
    )
    yield assumes(
        claim,
        major="real",
        minor="real",
        x="real",
        y="real",
        lean="positive",
        excess="nonnegative",
    )

    def sides(major: Any, minor: Any, x: Any, y: Any, lean: Any, excess: Any) -> Sides:
        G, J = len(major), len(minor)
        w = 1 / (1 + number(excess))
        at = Collapsed(G, J, 1 / (1 + number(lean)), w)
        rows, features = [*major, *minor], [*x, *y]
        loss = balls.ball(0)
        for k, f in enumerate(features):
            logits = [(f * row).sum() for row in rows]
            loss += softmax(logits, k)[1] * (at.W if k < G else balls.ball(w))
        left = balls.ball(square(major) + square(minor))
        right = balls.ball(square(x) + square(y))
        apart = sum(square(v - v.sum(axis=0) / Fraction(J)) for v in (minor, y))
        least = at.value + at.budget
        return {
            "norm of its weights": (at.budget, at.budget),
            "norm of its features": (at.budget, at.budget),
            "its loss": (at.value / at.W, at.value / at.W),
            "within the bounds": (least, loss + (left * right).sqrt()),
            "minority collapse": (
                least + balls.ball((1 - w) * apart / 2),
                loss + (left + right) / 2,
            ),
        }

    points = [
        point(
            major=[[1, 0], [0, 1]],
            minor=[[1, 1], ["-1/2", 0]],
            x=[[1, 2], [0, 1]],
            y=[[0, -1], [1, 1]],
            lean="1/3",
            excess="1/2",
        )
    ]
    equal = ("norm of its weights", "norm of its features", "its loss")
    yield tie("the claim compares these", claim, points, sides, equal)


class Collapsed:
    """A collapsed minimum from its probabilities, in balls."""

    def __init__(self, G: int, J: int, share: Fraction, w: Fraction) -> None:
        K = G + J
        across, own = share / K, (1 - G * share / K) / J
        # Between the groups minus the gradient has the norm 1.
        reach = (1 - balls.ball(w * w * across * across * K * G)).sqrt()
        self.minority = (across, own)
        self.r = J * balls.ball(own / across).log() / balls.ball(K * w * across)
        y = reach / balls.ball(K * J).sqrt()  # times W
        x = (1 - J * y) / G
        self.a = K * y * self.r + G * (y / x).log()
        self.W = 1 + x * (self.a.exp() - 1)
        self.budget = (G - 1) * self.a + self.r
        majority = ((-self.a).exp() * (G - 1 + J * y / x)).log1p()
        self.value = G * self.W * majority - J * balls.ball(w) * balls.ball(own).log()
        self.majority = (x / self.W, y / self.W)
        self.classes = (G, J)

    def predictions(self) -> Any:
        """What one sample of each class gives to all classes, from what it gives to rivals."""
        (G, J), (x, y) = self.classes, self.majority
        across, own = (balls.ball(p) for p in self.minority)
        rows = [
            [x if i != k else 1 - (G - 1) * x - J * y for i in range(G)] + [y] * J for k in range(G)
        ]
        return [*rows, *([[across] * G + [own] * J] * J)]


@proof("review:eq-34", "sharp", "the minority vanishes", TANGENT_PLANE, TRACE_DUALITY, LOGARITHM)
def vanished(claim: Claim) -> Iterator[Step]:
    """The same tangent at r = 0: the part between the groups may have less than the norm 1."""
    yield from softmax_derivatives()
    yield from probabilities()
    yield from blocks()
    yield from signs()
    P, f = sympy.Symbol("P", positive=True), sympy.Symbol("f", nonnegative=True)
    squared = 1 + _G / _J * (1 - 1 / P)  # kappa^2 for P = (1 + e)^2
    yield nonnegative(
        "kappa^2 J/K + w^2 G/K is at most 1 for 1/w^2 = P (1 + f)",
        1 - (squared * _J + _G / (P * (1 + f))) / _K,
        [_G / _K, f, 1 / (P * (1 + f))],
    )
    yield identity(
        "a minority sample without logits gives every class 1/K: w (1 - 1/K + 1/K) = w on "
        "minority vectors of mean zero, and its loss is log K",
        1 - 1 / _K + 1 / _K,
        1,
    )
    yield assumes(
        claim,
        major="real",
        minor="real",
        x="real",
        y="real",
        excess="positive",
        further="nonnegative",
    )

    def sides(major: Any, minor: Any, x: Any, y: Any, excess: Any, further: Any) -> Sides:
        G, J = len(major), len(minor)
        top = 1 / (1 + number(excess))
        at = Collapsed(G, J, Fraction(1), top)
        w = top / (1 + number(further))
        value = at.value + J * balls.ball(w - top) * balls.ball(G + J).log()
        rows = [*major, *minor]
        loss = balls.ball(0)
        for k, feature in enumerate([*x, *y]):
            logits = [(feature * row).sum() for row in rows]
            loss += softmax(logits, k)[1] * (at.W if k < G else balls.ball(w))
        left = balls.ball(square(major) + square(minor))
        right = balls.ball(square(x) + square(y))
        return {
            "norm of its weights": (at.budget, at.budget),
            "norm of its features": (at.budget, at.budget),
            "nothing for the minority": (zeros(J, G + 1), zeros(J, G + 1)),
            "its loss": (value / at.W, value / at.W),
            "within the bounds": (value + at.budget, loss + (left * right).sqrt()),
        }

    points = [
        point(
            major=[[1, 0], [0, 1]],
            minor=[[1, 1], ["-1/2", 0]],
            x=[[1, 2], [0, 1]],
            y=[[0, -1], [1, 1]],
            excess="1/3",
            further="1/2",
        )
    ]
    equal = (
        "norm of its weights",
        "norm of its features",
        "nothing for the minority",
        "its loss",
    )
    yield tie("the claim compares these", claim, points, sides, equal)


@proof("review:eq-34", "sharp", "the threshold", DERIVATIVE_SIGN, LOGARITHM)
def curve(claim: Claim) -> Iterator[Step]:
    """Everything on the curve grows with v; and r <= a."""
    yield nonnegative(
        "kappa^2 grows with v, p being 1 + v", diff(_ROOT**2, _p), [2 * _G / _J, _p**-3]
    )
    far = sympy.Symbol("far", nonnegative=True)
    yield from signs()
    r = _J * (1 + _v) * log(1 + _K * _v / _J)
    yield identity("r on the curve", _formula(theory.between_groups).subs(_e, 0), r)
    yield nonnegative(
        "r grows with v",
        diff(r, _v),
        [_J * log(1 + _K * _v / _J) + _K * (1 + _v) / (1 + _K * _v / _J)],
    )
    rest = sympy.Symbol("rest", positive=True)  # K - J kappa
    a = _kappa * _r + _G * log(_G * _kappa / (_K - _J * _kappa))
    yield nonnegative(
        "a grows with kappa",
        diff(a, _kappa).subs(_K - _J * _kappa, rest).subs(_G + _J - _J * _kappa, rest),
        [_r + _G / _kappa + _G * _J / rest],
    )
    yield nonnegative("and with r", diff(a, _r), [_kappa])
    many = sympy.Symbol("M", nonnegative=True)  # G - 1
    weight = exp(_kappa * _r) * _kappa / _K * (_G * _kappa / (_K - _J * _kappa)) ** (_G - 1)
    yield identity(
        "W = 1 - (K - J kappa)/(K G) + e^(kappa r) kappa/K (G kappa/(K - J kappa))^(G-1)",
        sympy.expand_log(log((_K - _J * _kappa) / (_K * _G)) + a, force=True),
        sympy.expand_log(log(weight), force=True),
    )
    slope = diff(log(weight), _kappa) - (
        _r + 1 / _kappa + (_G - 1) * (1 / _kappa + _J / (_K - _J * _kappa))
    )
    yield identity("its logarithmic slope in kappa has terms of one sign", slope, 0)
    yield nonnegative(
        "for G - 1 = M", many / _kappa + many * _J / rest, [many, 1 / _kappa + _J / rest]
    )
    at_start = {_kappa: 1, _r: 0}
    yield identity("at v = 0, where kappa = 1: r", r.subs(_v, 0), 0)
    yield identity("a", a.subs(at_start), 0)
    yield identity("R", (1 + (_K - _J * _kappa) / (_K * _G) * (exp(a) - 1)).subs(at_start), 1)
    ratio = 1 + (_K - _J * _kappa) / (_K * _G) * (exp(_a) - 1)
    yield identity(
        "e^a = 1 + K G (R - 1)/(K - J kappa)",
        1 + _K * _G * (ratio - 1) / (_K - _J * _kappa),
        exp(_a),
    )
    yield nonnegative(
        "K G/(K - J kappa) is at least K for kappa >= 1: G - (K - J kappa) at kappa = 1 + far",
        _G - (_K - _J * (1 + far)),
        [_J, far],
    )
    yield identity(
        "and at most K + (K J)^(1/2), as kappa <= (K/J)^(1/2)",
        (_K + sqrt(_K) * sqrt(_J)) * (_K - sqrt(_J) * sqrt(_K)),
        _K * _G,
    )
    yield identity(
        "a is at least r: it exceeds it by (kappa - 1) r and a logarithm of at least 1",
        a - _r,
        (_kappa - 1) * _r + _G * log(_G * _kappa / (_K - _J * _kappa)),
    )
    yield nonnegative(
        "so (G - 1) a + r <= G a", _G * (_r + far) - ((_G - 1) * (_r + far) + _r), [far]
    )
    yield assumes(
        claim, K_A="integer >= 1", K_B="integer >= 2", lean="positive", more="nonnegative"
    )

    def sides(K_A: Any, K_B: Any, lean: Any, more: Any) -> Sides:
        G, J, v = int(number(K_A)), int(number(K_B)), number(lean)
        here = Collapsed(G, J, 1 / (1 + v), Fraction(1))
        there = Collapsed(G, J, 1 / (1 + v * (1 + number(more))), Fraction(1))
        K, rise = G + J, here.W - 1
        wide = K + (balls.ball(K) * J).sqrt()
        return {
            "ratio": (rise.log(), (there.W - 1).log()),
            "budget": (here.budget, there.budget),
            "budget at least": ((G - 1) * (1 + K * rise).log(), here.budget),
            "budget at most": (here.budget, G * (1 + wide * rise).log()),
        }

    points = [
        point(K_A=2, K_B=3, lean="1/2", more="1/4"),
        point(K_A=1, K_B=2, lean="3/4", more=0),
    ]
    yield tie("the claim compares these", claim, points, sides)
