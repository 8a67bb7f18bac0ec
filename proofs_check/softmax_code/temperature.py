"""Proofs about the loss with a temperature: its sides, its least value, and weak duality.

Vectors are written as plain symbols and inner products as products, as in `softmax_code`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import diff, exp, log

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.softmax_code import temperature
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT, JENSEN, LOGARITHM
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import dot, norm

Sides = dict[str, tuple[Any, Any]]


_K = sympy.Symbol("K", integer=True, positive=True)
_tau = sympy.Symbol("tau", positive=True)
_x = sympy.Symbol("x", real=True)
_w, _wk, _wj, _h, _S = sympy.symbols("w w_k w_j h S", real=True)
_top, _rest, _own = sympy.symbols("top rest own", positive=True)
_a = sympy.Symbol("a", nonnegative=True)
_many = sympy.Symbol("M", positive=True)


# -- steps that the limit shares ------------------------------------------------------------------


def from_largest_gap() -> Iterator[Step]:
    """log(1 + e^g) <= loss <= log(1 + (K-1) e^g) with the largest gap g, in units of tau.

    `top` is the largest exponential, `rest` what the others add, and each is below it by some a.
    """
    yield nonnegative(
        "the sum of the exponentials is at least the largest", (_top + _rest) - _top, [_rest]
    )
    yield nonnegative(
        "and at most K - 1 of it: each of the K - 1 is the largest less a >= 0",
        _many * _top - _many * (_top - _a),
        [_many, _a],
    )


def reflection() -> Step:
    """A reflection keeps inner products."""
    x, y, both = sympy.symbols("x y both", real=True)
    return identity(
        "<x - 2 <v,x> v, y - 2 <v,y> v> = <x, y> for a unit vector v",
        both - 2 * x * y - 2 * x * y + 4 * x * y,
        both,
    )


def hull_margin() -> Iterator[Step]:
    """A margin is at most the length of the feature times a distance from the rivals' hull."""
    share, gap = sympy.symbols("share gap", nonnegative=True)
    yield identity(
        "<w_k - p, h> is the mean of <w_k - w_j, h> with the weights of p: share by share",
        share * (_wk - _wj) * _h + (1 - share) * (_wk - _w) * _h,
        (_wk - (share * _wj + (1 - share) * _w)) * _h,
    )
    yield nonnegative(
        "a mean of numbers that are the least plus a gap >= 0 is not below the least",
        share * (_x + gap) + (1 - share) * _x - _x,
        [share, gap],
    )


# -- (1) ------------------------------------------------------------------------------------------


@proof("gnc:eq-1", "printed", "the loss of a sample", LOGARITHM)
def loss_of_a_sample(claim: Claim) -> Iterator[Step]:
    """Divide the fraction by its numerator."""
    yield identity(
        "-log(own/(own + rest)) = log(1 + rest/own)",
        sympy.expand_log(-log(_own / (_own + _rest))),
        sympy.expand_log(log((_own + _rest) / _own)),
    )
    yield nonnegative(
        "1 + rest/own >= 1, so the loss is >= 0", (1 + _rest / _own) - 1, [_rest / _own]
    )
    other, shift = sympy.symbols("other shift", real=True)
    yield identity(
        "e^{(z + s)/tau}/e^{(z' + s)/tau} = e^{(z - z')/tau}",
        exp((_x + shift) / _tau) / exp((other + shift) / _tau),
        exp((_x - other) / _tau),
    )
    yield assumes(claim, z="real", tau="positive", shift="real")
    points = [point(z=[1, 3, "-1/2"], tau="1/3", shift=2), point(z=[0, 0], tau=1, shift=-1)]
    equalities = ("from the gaps", "a number added to all logits")
    yield tie("the claim compares these", claim, points, _loss_sides, equalities)


def _loss_sides(z: Any, tau: Any, shift: Any) -> Sides:
    def loss(added: Any) -> Any:
        terms = [balls.ball((x + added) / number(tau)).exp() for x in z]
        return -(terms[0] / sum(terms[1:], terms[0])).log()

    plain = loss(Fraction(0))
    return {
        "never negative": (balls.ball(0), plain),
        "from the gaps": (plain, plain),
        "a number added to all logits": (loss(number(shift)), plain),
    }


@proof("gnc:eq-1", "sharp", "by the largest gap", LOGARITHM)
def by_the_largest_gap(claim: Claim) -> Iterator[Step]:
    """A sum of exponentials between the largest of them and their number times that."""
    yield from from_largest_gap()
    yield identity(
        "log(1 + (K-1) e^{g/tau}) = softplus(g/tau + log(K-1))",
        exp(_x / _tau + log(_many)),
        _many * exp(_x / _tau),
    )
    yield identity(
        "tau log(e^{G/tau}) = G: the sum with the own term, whose exponent is 0, has the largest "
        "exponent G/tau, G = max(g, 0), among K",
        _tau * log(exp(_a / _tau)),
        _a,
    )
    yield identity(
        "tau log(K e^{G/tau}) = G + tau log K",
        sympy.expand_log(_tau * log(_K * exp(_a / _tau))),
        _a + _tau * log(_K),
    )
    yield assumes(claim, z="real", tau="positive")
    points = [
        point(z=[1, 3, "-1/2"], tau="1/3"),
        point(z=[2, 0], tau="1/7"),
        point(z=[1, 1], tau=1),
    ]
    yield tie("the claim compares these", claim, points, _gap_sides)


def _gap_sides(z: Any, tau: Any) -> Sides:
    tau, K = number(tau), len(z)
    largest = max(z[1:]) - z[0]
    terms = [balls.ball((x - z[0]) / tau).exp() for x in z]
    loss = sum(terms[1:], terms[0]).log()
    step = balls.ball(largest / tau).exp()
    kept = balls.ball(max(largest, Fraction(0)))
    return {
        "at least": ((1 + step).log(), loss),
        "at most": (loss, (1 + (K - 1) * step).log()),
        "HardMax below": (kept, balls.ball(tau) * loss),
        "HardMax above": (balls.ball(tau) * loss, kept + balls.ball(tau) * balls.ball(K).log()),
    }


# -- (2) ------------------------------------------------------------------------------------------


def _least_loss(length: Any) -> Iterator[Step]:
    """Mean loss >= phi(k s/tau) for phi(t) = log(1 + (K-1) e^{-t}), k = K/(K-1), |h| = s.

    Jensen thrice: the mean of the rivals' exponentials, then of phi over samples and classes, and
    the mean norm of the centred weights against its quadratic mean.
    """
    centre, t, square = sympy.symbols("centre t square", nonnegative=True)
    yield identity(
        "the sum over rivals of <w_j - w_k, h>, over K - 1, is -K/(K-1) <w_k - mean w, h>",
        (_K * centre - _wk - (_K - 1) * _wk) / (_K - 1),
        -_K / (_K - 1) * (_wk - centre),
    )
    phi = log(1 + _many * exp(-t))
    E = _many * exp(-t)
    yield nonnegative("phi decreases", -diff(phi, t), [E, 1 / (1 + E)])
    yield nonnegative("phi is convex", diff(phi, t, 2), [E, 1 / (1 + E) ** 2])
    yield nonnegative(
        "the mean of |w_k - mean w|^2 is 1 - |mean w|^2, which is at most 1, and <w_k - mean w, h> "
        "at most |w_k - mean w| s",
        1 - (1 - square),
        [square],
    )
    formula = temperature.least_loss_of_length
    named = symbolic.symbols(formula)
    yield identity(
        "phi at K/(K-1) s/tau is the formula",
        symbolic.expression(formula).subs({named["K"]: _K, named["tau"]: _tau, named["s"]: length}),
        log(1 + (_K - 1) * exp(-_K / (_K - 1) * length / _tau)),
    )


@proof(
    "gnc:eq-2",
    "printed",
    "weights and features on the sphere, as in the formula",
    LOGARITHM,
    JENSEN,
    INNER_PRODUCT,
)
def least_loss_on_the_sphere(claim: Claim) -> Iterator[Step]:
    """Inner products decide the loss; its least value is Jensen's."""
    yield reflection()
    yield from _least_loss(sympy.Integer(1))
    first, second = temperature.least_loss, temperature.least_loss_of_length
    named = symbolic.symbols(second)
    yield identity(
        "for s = 1",
        symbolic.expression(first).xreplace(
            {symbolic.symbols(first)[x]: named[x] for x in ("K", "tau")}
        ),
        symbolic.expression(second).subs(named["s"], 1),
    )
    yield assumes(claim, w="real", h="real", mirror="real", tau="positive")
    points = [point(**_ROWS, mirror=[1, 2], tau="1/3"), point(**_PAIR, mirror=[2], tau=1)]
    yield tie("the claim compares these", claim, points, _model_sides, ("isometries",))


@proof(
    "gnc:eq-2",
    "corrected",
    "without the constraint on features there is no minimum",
    LOGARITHM,
    JENSEN,
    INNER_PRODUCT,
)
def no_minimum(claim: Claim) -> Iterator[Step]:
    """Gaps are proportional to the length of the features."""
    yield from from_largest_gap()
    s = sympy.Symbol("s", positive=True)
    yield identity(
        "the gap of s h at tau is that of h at tau/s", (_wj - _wk) * (s * _h) / _tau,
        (_wj - _wk) * _h / (_tau / s),
    )  # fmt: skip
    yield from _least_loss(s)
    yield assumes(claim, w="real", h="real", tau="positive", s="positive")
    points = [point(**_ROWS, tau="1/3", s=5), point(**_PAIR, tau=1, s="1/2")]
    yield tie("the claim compares these", claim, points, _length_sides)


# -- (5) ------------------------------------------------------------------------------------------


@proof("gnc:eq-5", "printed", "the objective")
def objective(claim: Claim) -> Iterator[Step]:
    """Inner products decide HardMax, and none is below -1 or above 1."""
    yield reflection()
    square = {_wj**2: 1, _wk**2: 1, _h**2: 1}
    yield identity(
        "2 - <w_j - w_k, h> = |w_j - h|^2/2 + |w_k + h|^2/2 >= 0 for unit vectors",
        2 - (_wj - _wk) * _h,
        sympy.expand(((_wj - _h) ** 2 + (_wk + _h) ** 2) / 2).subs(square),
    )
    yield assumes(claim, w="real", h="real", mirror="real")
    points = [point(**_ROWS, mirror=[1, 2]), point(**_PAIR, mirror=[2])]
    yield tie("the claim compares these", claim, points, _objective_sides, ("isometries",))


@proof("gnc:eq-5", "sharp", "weak duality", INNER_PRODUCT)
def weak_duality(claim: Claim) -> Iterator[Step]:
    """A feature of length 1 is a direction, and no direction shows more than the distance.

    -HardMax <= <w_k - p, h> <= |w_k - p|. With p the mean of the others, w_k - p is
    (K w_k - S)/(K-1), S the sum of all rows.
    """
    yield from hull_margin()
    square = sympy.expand((_K * _w - _S) ** 2 / (_K - 1) ** 2)
    yield nonnegative(
        "K^2/(K-1)^2 less the mean over k of |w_k - p|^2 is |S|^2/(K-1)^2, with a = |S|^2, whose "
        "mean product with w_k is a/K: some distance is at most K/(K-1)",
        ((_K / (_K - 1)) ** 2 - square.subs({_w**2: 1, _S * _w: _a / _K, _S**2: _a})).subs(
            _K, _many + 1
        ),
        [_a, _many**-2],
    )
    yield assumes(claim, w="real", h="real", z="positive")
    points = [
        point(**_ROWS, z=[[1, 1, 1], [2, 1, 1], ["1/3", 1, 5]]),
        point(**_PAIR, z=[[1, 2], [1, 3]]),
    ]
    yield tie("the claim compares these", claim, points, _duality_sides)


# -- layers on the sphere by plain loops ----------------------------------------------------------

_ROWS = point(
    w=[[1, 2], [-1, 0], ["1/2", -1]],
    h=[[[1, 1], [0, 3]], [[-2, 1], [-1, 0]], [[0, -1], [1, -1]]],
)
_PAIR = point(w=[[1], [-2]], h=[[[3]], [[-1]]])


class Sphere:
    """Unit weights and features of exact rows, and their losses at a temperature, in balls."""

    def __init__(self, w: Any, h: Any, tau: Any = Fraction(1)) -> None:
        self.K, self.n = len(w), len(h[0])
        self.w, self.h = [direction(row) for row in w], [[direction(x) for x in c] for c in h]
        self.gaps = [
            [[less(self.w[j], self.w[k], x) for j in range(self.K) if j != k] for x in rows]
            for k, rows in enumerate(self.h)
        ]
        self.margins = [[-largest(gaps) for gaps in rows] for rows in self.gaps]
        self.hardmax = -least([m for rows in self.margins for m in rows])
        scale = balls.ball(tau)
        self.losses = [
            [(1 + sum(((g / scale).exp() for g in gaps), balls.ball(0))).log() for gaps in rows]
            for rows in self.gaps
        ]
        self.of_class = [sum(rows, balls.ball(0)) / self.n for rows in self.losses]
        self.loss = sum(self.of_class, balls.ball(0)) / self.K

    def away(self, z: Any) -> list[list[Any]]:
        """Of each row the difference from the convex combination of the others."""
        found = []
        for k, row in enumerate(self.w):
            rivals = [j for j in range(self.K) if j != k]
            total = sum(z[k][j] for j in rivals)
            found.append(
                [
                    x - sum((self.w[j][i] * balls.ball(z[k][j] / total) for j in rivals), 0 * x)
                    for i, x in enumerate(row)
                ]
            )
        return found


def direction(row: Any) -> list[Any]:
    """A vector scaled to length 1."""
    return [balls.ball(x) / norm(row) for x in row]


def less(x: Any, y: Any, h: Any) -> Any:
    """<x, h> - <y, h>."""
    return dot(x, h) - dot(y, h)


def largest(values: Any) -> Any:
    """The largest of some balls."""
    found = values[0]
    for value in values[1:]:
        found = found.max(value)
    return found


def least(values: Any) -> Any:
    """The least of some balls."""
    return -largest([-value for value in values])


def softplus(x: Any) -> Any:
    """log(1 + e^x)."""
    return (1 + x.exp()).log()


def _reflected(row: Any, mirror: Any) -> list[Any]:
    """The image of an exact vector."""
    share = dot(mirror, row) / dot(mirror, mirror)
    return [Fraction(x - 2 * share * v) for x, v in zip(row, mirror, strict=True)]


def _model_sides(w: Any, h: Any, mirror: Any, tau: Any) -> Sides:
    net = Sphere(w, h, number(tau))
    moved = Sphere(
        [_reflected(row, mirror) for row in w],
        [[_reflected(x, mirror) for x in rows] for rows in h],
        number(tau),
    )
    return {"isometries": (moved.loss, net.loss), "least loss": (_least(net, tau, 1), net.loss)}


def _least(net: Sphere, tau: Any, length: Any) -> Any:
    exponent = -Fraction(net.K, net.K - 1) * length / number(tau)
    return (1 + (net.K - 1) * balls.ball(exponent).exp()).log()


def _length_sides(w: Any, h: Any, tau: Any, s: Any) -> Sides:
    length = number(s)
    net = Sphere(w, h, number(tau) / length)
    step = (net.hardmax * balls.ball(length / number(tau))).exp()
    return {
        "at most": (net.loss, (1 + (net.K - 1) * step).log()),
        "at least": (_least(net, tau, length), net.loss),
    }


def _objective_sides(w: Any, h: Any, mirror: Any) -> Sides:
    net = Sphere(w, h)
    moved = Sphere(
        [_reflected(row, mirror) for row in w], [[_reflected(x, mirror) for x in c] for c in h]
    )
    return {"isometries": (moved.hardmax, net.hardmax), "at most": (net.hardmax, balls.ball(2))}


def _duality_sides(w: Any, h: Any, z: Any) -> Sides:
    net = Sphere(w, h)
    return {
        "one-vs-rest distance": ([-net.hardmax] * net.K, [norm(row) for row in net.away(z)]),
        "simplex": (-net.hardmax, Fraction(net.K, net.K - 1)),
    }
