"""Proof of collapse near equilibrium, and of its converse.

With ``f = W h = alpha e~ + z`` and r = f - e~ the half gradient of a sample is r h^T; E is that of
all data with ``lambda W``. Letters: ``share = (1 - alpha)/(C - 1)``, G^2 the mean variance of the
samples' gradients within the classes, epsilon the mean over batches of |E of the batch|^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product as choices
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import multiclass_theorem
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT, MINKOWSKI, TRIANGLE
from proofs_check.metrics import centred_frame, reflections
from proofs_check.square_loss.multiclass_layers import (
    INDEPENDENT_CHOICES,
    Sides,
    about_targets,
    average,
    average_rows,
    centred,
    frobenius,
    in_balls,
    minus,
    product,
    samples,
    target_rows,
    times,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import dot, norm

_C = sympy.Symbol("more", integer=True, positive=True) + 1
_k = _C / (_C - 1)
_alpha, _lam, _k0 = sympy.symbols("alpha lambda k", positive=True)
_own, _total, _h, _t, _mean, _w, _z, _E = sympy.symbols("own total h t mean w z E", real=True)


def _batches() -> Iterator[Step]:
    """The mean over batches of |E of the batch|^2 is |E|^2 + G^2/C, so C epsilon >= G^2."""
    E, entry = sympy.symbols("E entry", real=True)
    yield identity(
        "a batch's entry about the mean E, squared: the cross term has mean zero",
        (E + entry) ** 2,
        E**2 + 2 * E * entry + entry**2,
    )
    G2, E2 = sympy.symbols("G2 E2", nonnegative=True)
    yield nonnegative("C (|E|^2 + G^2/C) - G^2", _C * (E2 + G2 / _C) - G2, [_C, E2])
    yield nonnegative("(|E|^2 + G^2/C) - |E|^2", E2 + G2 / _C - E2, [G2, 1 / _C])


def _spread() -> Iterator[Step]:
    """NC1: along the target the gradient of a sample is -k (1 - t) h with t = <f, e~>/k."""
    k, t, h, m, p = _k0, _t, _h, _mean, sympy.Symbol("p", real=True)
    yield identity("<f - e~, e~> = k t - k", k * t - k, -k * (1 - t))
    G = sympy.Symbol("G", nonnegative=True)
    yield identity(
        "so the spread of (1 - t) h is at most |e~| G/k = G/sqrt(k)", sqrt(k) * G / k, G / sqrt(k)
    )
    yield identity(
        "(1 - alpha)(h - mean) = ((1-t) h - p) + ((t - alpha) h - q), p + q = (1 - alpha) mean",
        (1 - _alpha) * (h - m),
        ((1 - t) * h - p) + ((t - _alpha) * h - ((1 - _alpha) * m - p)),
    )
    yield identity(
        "t - alpha = <z, e~>/k, as f = alpha e~ + z", (_alpha * k + _z) / k - _alpha, _z / k
    )
    delta, H, less = sympy.symbols("delta H less", nonnegative=True)
    yield identity("(t - alpha)^2 <= |z|^2 |e~|^2/k^2 <= delta/k", delta * k / k**2, delta / k)
    yield nonnegative(
        "a variance is at most the second moment, here delta H^2/k",
        delta * H**2 / k - (delta * H**2 / k - less),
        [less],
    )
    s = symbolic.symbols(multiclass_theorem.within_spread)
    share = sqrt(s["C"] * s["epsilon"]) + sqrt(s["delta"]) * s["H"]
    yield identity(
        "the formula is (sqrt(C epsilon) + sqrt(delta) H)/((1 - alpha) sqrt k)",
        symbolic.expression(multiclass_theorem.within_spread),
        share / ((1 - s["alpha"]) * sqrt(s["C"] / (s["C"] - 1))),
    )


def _duality() -> Iterator[Step]:
    """NC3: lambda W = share M^T + (E - mean z h^T)."""
    yield identity(
        "row j of the mean of e~ mu^T: (mu_j - the others/(C-1))/C = (mu_j - mu_G)/(C-1)",
        (_own - (_total - _own) / (_C - 1)) / _C,
        (_own - _total / _C) / (_C - 1),
    )
    yield identity(
        "r = -(1 - alpha) e~ + z, an entry", (_alpha * _own + _z) - _own, -(1 - _alpha) * _own + _z
    )
    m, zh = sympy.symbols("m zh", real=True)
    share = (1 - _alpha) / (_C - 1)
    yield identity(
        "E = -share M^T + mean z h^T + lambda W, solved for the weights",
        _lam * ((_E + share * m - zh) / _lam) - share * m,
        _E - zh,
    )
    epsilon, delta, H, less, lost = sympy.symbols("epsilon delta H less lost", nonnegative=True)
    yield nonnegative(
        "|E| = sqrt(epsilon) - less, |mean z h^T| <= sqrt(delta) mean |h| = sqrt(delta) H - lost",
        sqrt(epsilon) + sqrt(delta) * H - (sqrt(epsilon) - less + sqrt(delta) * H - lost),
        [less + lost],
    )
    s = symbolic.symbols(multiclass_theorem.rest_of_the_weights)
    yield identity(
        "the formula R",
        symbolic.expression(multiclass_theorem.rest_of_the_weights),
        sqrt(s["epsilon"]) + sqrt(s["delta"]) * s["H"],
    )


def _simplices() -> Iterator[Step]:
    """NC2: M^T W^T has the entries alpha e~ + (z - mean z), and is put into NC3 twice."""
    share = (1 - _alpha) / (_C - 1)
    m, rest = sympy.symbols("m rest", real=True)
    yield from about_targets()
    yield identity(
        "W (mu_c - mu_G) = alpha e~_c + (z_c - mean z), as the targets add up to 0: an entry",
        (_alpha * _own + _z) - (_alpha * 0 + _mean),
        _alpha * _own + (_z - _mean),
    )
    row = _lam * _w - rest  # share m
    yield identity(
        "weights: lambda w w' = share (m w') + rest w' with m w' = alpha e + z, an entry",
        (share * (_alpha * _own + _z) + rest * _w) / _lam - _alpha * share / _lam * _own,
        (share * _z + rest * _w) / _lam,
    )
    yield identity("share m = lambda w - rest", row + rest, _lam * _w)
    yield identity(
        "means: m m' = (lambda (w m') - rest m')/share with w m' = alpha e + z, an entry",
        (_lam * (_alpha * _own + _z) - rest * m) / share - _lam * _alpha / share * _own,
        (_lam * _z - rest * m) / share,
    )
    delta, lost = sympy.symbols("delta lost", nonnegative=True)
    yield nonnegative(
        "sum over classes of |z_c - mean z|^2 = sum |z_c|^2 - C |mean z|^2 <= C delta",
        _C * delta - (_C * delta - lost),
        [lost],
    )
    for formula, size, rule in (
        (multiclass_theorem.weights_from_simplex, "w", _weights_rule),
        (multiclass_theorem.means_from_simplex, "m", _means_rule),
    ):
        s = symbolic.symbols(formula)
        yield identity(
            f"the formula of {formula.name}", symbolic.expression(formula), rule(s, s[size])
        )


def _rest(s: Any) -> Any:
    return sqrt(s["epsilon"]) + sqrt(s["delta"]) * s["H"]


def _share(s: Any) -> Any:
    return (1 - s["alpha"]) / (s["C"] - 1)


def _weights_rule(s: Any, size: Any) -> Any:
    return (_share(s) * sqrt(s["C"] * s["delta"]) + _rest(s) * size) / s["lambda_"]


def _means_rule(s: Any, size: Any) -> Any:
    return (s["lambda_"] * sqrt(s["C"] * s["delta"]) + _rest(s) * size) / _share(s)


def _nearest() -> Iterator[Step]:
    """NC4: |mu_c - x|^2 + 2 scale <w_c, x> has a part that all classes share."""
    scale, x, G, w, rest, share = sympy.symbols("scale x G w rest share", real=True)
    m = scale * w - rest / share
    yield identity(
        "an entry of |mu_c - x|^2 + 2 scale <w_c, x>, mu_c = G + m and m = scale w - rest/share",
        (G + m - x) ** 2 + 2 * scale * w * x,
        (x - G) ** 2 + m**2 + 2 * scale * w * G + 2 * rest / share * (x - G),
    )
    yield identity(
        "scale = lambda/share", _lam / ((1 - _alpha) / (_C - 1)), _lam * (_C - 1) / (1 - _alpha)
    )
    a, b = sympy.symbols("a b", real=True)
    yield nonnegative(
        "two entries, or rows, of norm N together differ by at most sqrt(2) N",
        2 * (a**2 + b**2) - (a - b) ** 2,
        [(a + b) ** 2],
    )
    yield identity("W mu_G is the mean of z, of norm at most sqrt(delta)", _alpha * 0 + _z, _z)
    s = symbolic.symbols(multiclass_theorem.nearest_mean_gap)
    three = (
        2 * s["lambda_"] / _share(s) * sqrt(s["delta"])
        + 2 * _rest(s) / _share(s) * s["x"]
        + _means_rule(s, s["m"])
    )
    yield identity(
        "the formula adds the three",
        symbolic.expression(multiclass_theorem.nearest_mean_gap),
        sqrt(2) * three,
    )


@proof(
    "square:theorem-6",
    "corrected",
    "near equilibrium and near Property 2",
    INNER_PRODUCT,
    TRIANGLE,
    MINKOWSKI,
    INDEPENDENT_CHOICES,
)
def near_collapse(claim: Claim) -> Iterator[Step]:
    """Everything is in the residuals: r = -(1 - alpha) e~ + z."""
    yield from _batches()
    yield from _spread()
    yield from _duality()
    yield from _simplices()
    yield from _nearest()
    yield assumes(
        claim,
        w="real",
        h="real",
        x="real",
        alpha="proportion",
        lambda_="positive",
        epsilon="budget",
        delta="budget",
    )
    numbers = point(alpha="3/4", lambda_="1/8", epsilon=50, delta=40)
    points = [
        {
            **point(w=[[1, -1], [-1, 2]], h=[[[1, 0], [1, 1]], [[0, 1], ["1/2", 2]]], x=[1, 3]),
            **numbers,
        },
        {
            **point(w=[[1, 0], [0, 1], [-1, 1]], h=[[[1, 0]], [[0, 2]], [[-1, -1]]], x=[0, 1]),
            **numbers,
        },
    ]
    yield tie("the claim compares these", claim, points, _sides)


def _sides(w: Any, h: Any, x: Any, alpha: Any, lambda_: Any, epsilon: Any, delta: Any) -> Sides:
    a, decay, eps, dev = (balls.ball(number(v)) for v in (alpha, lambda_, epsilon, delta))
    C, N = len(w), len(h[0])
    W, e = in_balls(w), in_balls(target_rows(C))
    h, x = [in_balls(row) for row in h], in_balls(x)
    root, share = dev.sqrt(), (1 - a) / (C - 1)
    means = [average_rows(row) for row in h]
    m, centre = centred(means), average_rows(means)

    def half_gradient(batch: Any) -> Any:
        total = [times(decay, row) for row in W]
        for c, feature in batch:
            r = minus(product(W, feature), e[c])
            total = [
                [t + r[j] * y / len(batch) for t, y in zip(row, feature, strict=True)]
                for j, row in enumerate(total)
            ]
        return frobenius(total)

    every = choices(range(N), repeat=C)
    batches = [half_gradient([(c, h[c][n]) for c, n in enumerate(s)]) for s in every]
    off = [minus(product(W, y), times(a, e[c])) for c, y in samples(h)]
    H = average(dot(y, y) for _, y in samples(h)).sqrt()
    rest = eps.sqrt() + root * H
    apart = [minus(y, means[c]) for c, y in samples(h)]
    size = frobenius(m).sqrt()
    of_means = (decay * (C * dev).sqrt() + rest * size) / share

    def from_simplex(rows: Any, factor: Any) -> Any:
        return frobenius(
            [[dot(u, v) - factor * e[i][j] for j, v in enumerate(rows)] for i, u in enumerate(rows)]
        ).sqrt()

    dual = [minus(times(decay, row), times(share, other)) for row, other in zip(W, m, strict=True)]
    scores = [
        dot(minus(mu, x), minus(mu, x)) + 2 * decay / share * dot(row, x)
        for mu, row in zip(means, W, strict=True)
    ]
    gap = scores[0] - scores[0]
    for c in range(C):
        for r in range(C):
            gap = gap.max(scores[c] - scores[r])
    far = norm(minus(x, centre))
    limit = 2 * decay / share * root + 2 * rest / share * far + of_means
    spread = (C * eps).sqrt() + root * H
    return {
        "near equilibrium": (average(batches), eps),
        "near Property 2": ([dot(z, z) for z in off], dev),
        "NC1": (
            average(dot(y, y) for y in apart).sqrt(),
            spread / ((1 - a) * balls.ball(Fraction(C, C - 1)).sqrt()),
        ),
        "NC2 of the weights": (
            from_simplex(W, a * share / decay),
            (share * (C * dev).sqrt() + rest * frobenius(W).sqrt()) / decay,
        ),
        "NC2 of the means": (from_simplex(m, decay * a / share), of_means),
        "NC3": (frobenius(dual).sqrt(), rest),
        "global mean": (norm(product(W, centre)), root),
        "NC4": (gap, balls.ball(2).sqrt() * limit),
    }


@proof("square:theorem-6", "sharp", "conversely, every simplex is at rest")
def collapsed_at_rest(claim: Claim) -> Iterator[Step]:
    """The Gram matrix of the rows is (I - 11^T/C)/(C-1), that of the targets over C k^2 - k."""
    yield from reflections()
    yield centred_frame()
    yield from about_targets()
    rho, v = sympy.symbols("rho v", positive=True)
    square, other = (_C - 1) / _C / (_C - 1), -1 / _C / (_C - 1)
    yield identity("|V_L|^2 is C times the squared norm of a row", _C * square, 1)
    yield identity("rho <V^c, h_c> = alpha C |V^c|^2", rho * (_alpha * _C / rho) * square, _alpha)
    yield identity(
        "rho <V^r, h_c> = alpha C <V^r, V^c>",
        rho * (_alpha * _C / rho) * other,
        -_alpha / (_C - 1),
    )
    yield identity(
        "mean of r h^T + lambda rho V: row c of the mean of e~ h^T is (alpha C/rho) V^c/(C-1)",
        -(1 - _alpha) * (_alpha * _C / rho * v) / (_C - 1)
        + _alpha * (1 - _alpha) * _C / ((_C - 1) * rho**2) * rho * v,
        0,
    )
    yield identity(
        "as the rows add up to zero: (V^c - (0 - V^c)/(C-1))/C = V^c/(C-1)",
        (v + v / (_C - 1)) / _C,
        v / (_C - 1),
    )
    yield assumes(claim, mirrors="real", alpha="proportion", rho="positive")

    def sides(mirrors: Any, alpha: Any, rho: Any) -> Sides:
        C, d = len(mirrors), len(mirrors[0])
        outputs = [number(alpha) * x for row in target_rows(C) for x in row]
        zeros = [Fraction(0)] * (C * d)
        return {
            "|V_L| = 1": (Fraction(1), Fraction(1)),
            "Property 2": (outputs, outputs),
            "at rest": (zeros, zeros),
        }

    points = [
        point(mirrors=[[1, 2], [0, 1]], alpha="1/3", rho=2),
        point(mirrors=[[1, 2, 0], [0, 1, 1], [1, -1, 3]], alpha="3/4", rho="1/2"),
    ]
    lines = ("|V_L| = 1", "Property 2", "at rest")
    yield tie("the claim compares these", claim, points, sides, lines)
