"""Proofs about the ellipsoids of class means. `inner` and the like are inner products."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import diff, exp, log

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import ellipsoid
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT, JENSEN, MONOTONE, SPECTRUM
from proofs_check.proximity import angles
from proofs_check.proximity.class_pairs import largest_eigenvalue
from proofs_check.proximity.log_moment import log_moment_lemma
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import dot, mean, mean_direction, norm

_a, _mu = sympy.symbols("a mu", positive=True)
_more, _lag = sympy.Symbol("more", nonnegative=True), sympy.Symbol("lag", real=True)
Sides = dict[str, tuple[Any, Any]]


@proof("bnwd:sharp-5", "sharp", "logarithm of a mean of exponentials", MONOTONE)
def log_moment(claim: Claim) -> Iterator[Step]:
    """A parabola below the exponential that touches it at b; for V = 0 there is nothing to show."""
    yield from log_moment_lemma()
    yield assumes(claim, values="real", weights="positive")
    instances = [
        point(values=[1, -2, "1/3"], weights=[1, 2, 3]),
        point(values=[5, -30], weights=["1/2", 1]),
    ]
    yield tie("the claim compares these", claim, instances, _moment_sides)


# -- one class -----------------------------------------------------------------------------------


def _one_class() -> Iterator[Step]:
    """Every sample has |h - h0|^2 + (2/mu) G <= |h|^2 - |h0|^2 + (2/mu) f, and so has the mean."""
    pi = sympy.Symbol("pi_r", positive=True)
    u, s = sympy.symbols("u s", real=True)
    yield identity(
        "a rival's logit is log pi + excess + <w_r - mean w, h - h0> - mu <h0, h - h0>",
        exp(log(pi) + log(1 + _more) + u - s),
        pi * (1 + _more) * exp(u) * exp(-s),
    )
    yield nonnegative(
        "an excess does not lessen f: it is at least G - mu <h0, h - h0>, G = log sum pi e^u",
        pi * (1 + _more) * exp(u) - pi * exp(u),
        [pi, _more, exp(u)],
    )
    h, star, inner, f = sympy.symbols("h star inner f", real=True)
    yield nonnegative(
        "|h|^2 - |h0|^2 + (2/mu) f less |h - h0|^2 + (2/mu) G, with f = G - mu <h0, h - h0> + more",
        (h - star + 2 / _mu * f)
        - ((h - 2 * inner + star) + 2 / _mu * (f + _mu * (inner - star) - _more)),
        [2 / _mu, _more],
    )
    value, slope, bend = sympy.symbols("value slope bend", positive=True)
    total = value + slope * s + bend * s**2 / 2
    yield identity(
        "G is convex, its second derivative along a line being a variance: at the class mean it is "
        "at most the mean, as the square of the distance is",
        diff(log(total), s, 2).subs(s, 0),
        bend / value - (slope / value) ** 2,
    )
    n = symbolic.symbols(ellipsoid.square_radius)
    yield identity(
        "the formula of the radius",
        symbolic.expression(ellipsoid.square_radius),
        n["alpha"] ** 2 - n["length"] ** 2 + 2 / n["mu"] * n["lag"],
    )
    yield from log_moment_lemma()
    yield nonnegative(
        "G >= 0, so |e| <= rho and -<w_r - mean w, e> <= a = |w_r - mean w| rho: a - (a - more)",
        _a - (_a - _more),
        [_more],
    )
    yield nonnegative(
        "18/(a+6)^2 decreases, as the constant does: a larger a is valid",
        -diff(18 / (_a + 6) ** 2, _a),
        [36, (_a + 6) ** -3],
    )
    least = symbolic.expression(ellipsoid.least_along)
    v = symbolic.symbols(ellipsoid.least_along)
    length = v["length"]
    yield nonnegative(
        "lag >= G - mu <h0, e> at the class mean and G >= 0: <h0, e> = (more - lag)/mu",
        (length**2 + (_more - _lag) / v["mu"]) / length - least.subs(v["lag"], _lag),
        [_more, 1 / (v["mu"] * length)],
    )


@proof("bnwd:sharp-5", "sharp", "one class", JENSEN, INNER_PRODUCT, MONOTONE)
def one_class(claim: Claim) -> Iterator[Step]:
    """Completing the square leaves |e|^2 + (2/mu) G(e) <= rho^2, and G is at least a variance."""
    yield from _one_class()
    yield assumes(claim, **_LAYER)
    yield tie("the claim compares these", claim, _CLASSES, _class_sides)


@proof(
    "bnwd:sharp-5",
    "sharp",
    "pairs of classes",
    JENSEN,
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    MONOTONE,
    SPECTRUM,
)
def pairs(claim: Claim) -> Iterator[Step]:
    """Parts of single classes, each with a budget; a price trades first for second order.

    t = q/s. The terms <x, u'> count in the norm of the ellipsoid that is left of t + zeta times the
    budget once zeta |x|^2 is taken out.
    """
    yield from _one_class()
    yield from angles.parts()
    yield from angles.budget()
    yield from angles.stretching()
    yield from angles.dual()
    yield from angles.mean_directions()
    yield assumes(claim, **_LAYER, multipliers="real", price="positive")
    yield tie("the claim compares these", claim, _NETWORKS, _pair_sides)


# -- the claims' sides by plain loops over exact numbers -----------------------------------------

_LAYER = {
    "rivals": "real",
    "weights": "positive",
    "excess": "nonnegative",
    "mu": "positive",
    "shortest": "real",
    "h": "real",
}
_CLASSES = [
    point(
        rivals=[[1, 0], ["1/2", -1]],
        weights=[1, 2],
        excess=[0, "1/3"],
        mu=2,
        shortest=[1, 2],
        h=[[1, 1], [2, "5/2"]],
    ),
    point(rivals=[[2]], weights=[3], excess=[1], mu="1/2", shortest=[3], h=[[4], [2]]),
]
_NETWORKS = [
    point(
        rivals=[[[0, 1], [-1, -1]], [[1, 0], [-1, -1]], [[1, 0], [0, 1]]],
        weights=[[1, 2], [1, 1], [3, 1]],
        excess=[[0, "1/4"], [0, 0], [1, 2]],
        mu=[1, 2, "1/2"],
        shortest=[[3, -1], [0, 2], [-2, -3]],
        h=[[[3, 0], [2, -1]], [[0, 2], ["1/2", 2]], [[-2, -3], [-3, -3]]],
        multipliers=[[[0, 1], [1, 0]], [["1/2", 0], [0, 0]], [[0, 0], [0, "-1/3"]]],
        price=["1/2", 1, "1/4"],
    ),
    point(
        rivals=[[[-1, 0]], [[1, 0]]],
        weights=[[1], [2]],
        excess=[[0], [0]],
        mu=[1, 1],
        shortest=[[2, 0], [-2, "1/2"]],
        h=[[[2, "1/8"]], [["-33/16", "1/2"]]],
        multipliers=[[[0]], [[1]]],
        price=["1/8", "1/9"],
    ),
]


def _depth(a: Any) -> Any:
    far = a.max(balls.ball(1))
    return (18 / ((a + 6) * (a + 6))).max((far - 1 + (-far).exp()) / (far * far))


def _moment_sides(values: Any, weights: Any) -> Sides:
    pi = [Fraction(x) / sum(weights) for x in weights]
    middle = sum(p * x for p, x in zip(pi, values, strict=True))
    u = [x - middle for x in values]
    total = sum((balls.ball(p) * balls.ball(x).exp() for p, x in zip(pi, u, strict=True)), 0)
    variance = sum(p * x * x for p, x in zip(pi, u, strict=True))
    return {"log-moment": (_depth(balls.ball(-min(u))) * balls.ball(variance), total.log())}


class _Class:
    """The quantities of one class, exact where they can be."""

    def __init__(
        self, rivals: Any, weights: Any, excess: Any, mu: Any, shortest: Any, h: Any
    ) -> None:
        mu = number(mu)
        self.pi = [Fraction(x) / sum(weights) for x in weights]
        middle = [
            sum(p * row[j] for p, row in zip(self.pi, rivals, strict=True))
            for j in range(len(shortest))
        ]
        self.centred = [[x - m for x, m in zip(row, middle, strict=True)] for row in rivals]
        self.shortest, self.mean = list(shortest), mean(h)
        own = [mu * s + m for s, m in zip(shortest, middle, strict=True)]
        logs = []
        for x in h:
            moved = [a - s for a, s in zip(x, shortest, strict=True)]
            total = balls.ball(0)
            for p, row, more in zip(self.pi, rivals, excess, strict=True):
                logit = dot([a - b for a, b in zip(row, own, strict=True)], moved)
                total += balls.ball(p) * balls.ball(logit + more - min(excess)).exp()
            logs.append(total.log())
        lag = sum(logs) / len(logs)
        self.alpha2 = sum(dot(x, x) for x in h) / Fraction(len(h))
        length2 = dot(shortest, shortest)
        self.length = balls.ball(length2).sqrt()
        square = balls.ball(self.alpha2 - length2) + 2 * lag / balls.ball(mu)
        self.square = square.max(balls.ball(self.alpha2) / 2**80)
        self.along = self.length - lag / (balls.ball(mu) * self.length)
        widest = max(dot(row, row) for row in self.centred)
        a = (self.square * balls.ball(widest)).max(balls.ball(Fraction(1, 2**80))).sqrt()
        self.kappa = 2 * _depth(a) / balls.ball(mu)
        self.unit = [balls.ball(x) / self.length for x in shortest]

    def visible(self, others: list[Any], multipliers: Any, kappa: Any, m: Any) -> Any:
        """Bound on the sum of <x, u'>^2: rows in the coordinates of the ellipsoid's dual norm."""
        rows = []
        for unit, own in zip(others, multipliers, strict=True):
            cosine = dot(unit, self.unit)
            q = [a - cosine * b for a, b in zip(unit, self.unit, strict=True)]
            for p, v, x in zip(self.pi, own, self.centred, strict=True):
                q = [a - kappa * balls.ball(p * v * b) for a, b in zip(q, x, strict=True)]
            along = dot(q, self.unit)
            across = [a - along * b for a, b in zip(q, self.unit, strict=True)]
            weighed = [
                (kappa * balls.ball(p)).sqrt() * balls.ball(v)
                for p, v in zip(self.pi, own, strict=True)
            ]
            rows.append([*across, along / m.sqrt(), *weighed])
        floor = balls.ball(Fraction(1, 2**60))
        return largest_eigenvalue([[dot(a, b) + floor for b in rows] for a in rows])


def _class_sides(h: Any, **layer: Any) -> Sides:
    c = _Class(h=h, **layer)
    e = [a - b for a, b in zip(c.mean, c.shortest, strict=True)]
    moved = sum(p * dot(x, e) ** 2 for p, x in zip(c.pi, c.centred, strict=True))
    inner = balls.ball(dot(c.mean, c.shortest)) / c.length
    return {
        "ellipsoid": (balls.ball(dot(e, e)) + c.kappa * balls.ball(moved), c.square),
        "along h0": (c.length + c.along, c.length + inner),
    }


def _pair_sides(h: Any, multipliers: Any, price: Any, **layers: Any) -> Sides:
    C = len(h)
    classes = [_Class(h=h[c], **{k: v[c] for k, v in layers.items()}) for c in range(C)]
    X = [[dot(a.unit, b.unit) for b in classes] for a in classes]
    bounds = [balls.ball(0), balls.ball(0)]
    for c, one in enumerate(classes):
        whole = one.square + one.along * one.along
        s, k = (one.square / whole).sqrt(), one.along / whole.sqrt()
        others = [r for r in range(C) if r != c]
        xi = sum((abs(X[c][r]) for r in others), balls.ball(0)) / (C - 1)
        zeta = 1 + 2 * xi / (1 + k)
        units, q = [classes[r].unit for r in others], balls.ball(price[c])
        for place, weight in enumerate(
            (zeta, zeta.max(2 * (1 + xi) * whole / balls.ball(one.alpha2)))
        ):
            m = k * k * (1 + weight * s / q)
            L = one.visible(units, multipliers[c], one.kappa * m, m)
            bounds[place] += (s * (q + L / ((C - 1) * q)) + weight * s * s) / C
    means = [[balls.ball(x) / norm(one.mean) for x in one.mean] for one in classes]
    sides = {}
    for place, (name, rows) in enumerate(
        {"class means": means, "mean directions": [mean_direction(x) for x in h]}.items()
    ):
        pairs = [(c, r) for c in range(C) for r in range(C) if r != c]
        away = sum((abs(dot(rows[c], rows[r]) - X[c][r]) for c, r in pairs), balls.ball(0))
        sides[name] = (away / len(pairs), bounds[place])
    along = balls.asarray([one.along for one in classes])
    return {
        "class means on the side of h0": (balls.asarray([Fraction(0)] * C), along),
        **sides,
    }
