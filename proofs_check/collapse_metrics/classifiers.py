"""Proofs of what the best last layers are on features collapsed to a simplex ETF."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.collapse_metrics import classifiers
from ncbounds.theory.terms import Claim
from proofs_check.collapse_metrics.nearest_mean import logits_are_distances
from proofs_check.collapse_metrics.sides import (
    K,
    Sides,
    entries,
    expression,
    inner_products,
    minus,
    plus,
    simplex,
    size,
    square_of,
    times,
    total,
)
from proofs_check.facts import INNER_PRODUCT
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import dot

_s, _t = sympy.symbols("s t", positive=True)
_gap = sympy.Symbol("gap", nonnegative=True)


@proof("review:remark-nc12-imply-nc34", "corrected", "least squares with weight decay")
def least_squares(claim: Claim) -> Iterator[Step]:
    """Both slopes vanish; the risk is a square in the weights and the bias, so it is least there.

    The errors at mu_k are (t s^2 K/(K-1) - 1)(delta - 1/K).
    """
    yield from inner_products()
    lam = sympy.Symbol("lambda", nonnegative=True)
    delta = sympy.Symbol("delta", real=True)
    product = _s**2 * (delta * K / (K - 1) - 1 / (K - 1))  # <m_c, m_k>
    factor = _t * _s**2 * K / (K - 1) - 1
    yield identity("<m_c, m_k> is s^2 for c = k", product.subs(delta, 1), _s**2)
    yield identity(
        "errors t <m_c, m_k> + 1/K - delta, the offset being taken off by the bias",
        _t * product + 1 / K - delta,
        factor * (delta - 1 / K),
    )
    yield identity("they add up to zero over k: one delta is 1", factor * (1 - K * (1 / K)), 0)
    m = sympy.Symbol("m", real=True)
    t = 1 / (K * (_s**2 / (K - 1) + lam))
    yield identity(
        "the slope in a_c: (1/K) factor m_c + lambda t m_c, as sum (delta - 1/K) mu_k = m_c",
        (factor * m / K + lam * _t * m).subs(_t, t),
        0,
    )
    e, w, a, u = sympy.symbols("e w a u", real=True)
    yield identity(
        "risk at (a + u, b + v) less risk: the slopes times (u, v), which are zero, and squares",
        ((e + w) ** 2 - e**2) / 2 + lam * ((a + u) ** 2 - a**2) / 2,
        (e * w + lam * a * u) + (w**2 + lam * u**2) / 2,
    )
    yield nonnegative("squares", w**2 + lam * u**2, [w**2 + lam * u**2])
    square = sympy.Symbol("square", positive=True)
    yield identity("a multiple t m over its norm", _t * m / sqrt(_t**2 * square), m / sqrt(square))
    yield from logits_are_distances()
    yield assumes(
        claim,
        mirrors="real",
        alpha="positive",
        offset="real",
        decay="nonnegative",
        other="real",
        x="real",
    )
    points = [
        point(mirrors=[[1, 2]], alpha=2, offset=[1, 1], decay=3, other=[[1, 0], [0, 2]], x=[2, -1]),
        point(mirrors=[[1]], alpha=1, offset=[2], decay=0, other=[[1], [3]], x=[1]),
    ]
    equalities = ("slope in the weights", "slope in the bias", "NC3", "NC4")
    yield tie("the claim compares these", claim, points, _square_sides, equalities)


def _square_sides(mirrors: Any, alpha: Any, offset: Any, decay: Any, other: Any, x: Any) -> Sides:
    m, lam = simplex(mirrors, alpha), number(decay)
    classes, square = len(m), square_of(alpha, len(m))
    t = 1 / (classes * (square / (classes - 1) + lam))
    weights = [times(balls.ball(t), row) for row in m]
    bias = [balls.ball(Fraction(1, classes)) - dot(row, offset) for row in weights]
    means = [plus(row, list(map(balls.ball, offset))) for row in m]

    def risk(a: Any, b: Any) -> Any:
        errors = [
            dot(a[c], mean) + b[c] - int(c == k)
            for k, mean in enumerate(means)
            for c in range(classes)
        ]
        return (size([errors]) / classes + balls.ball(lam) * size(a)) / 2

    moved = [
        plus(row, list(map(balls.ball, more))) for row, more in zip(weights, other, strict=True)
    ]
    moved_bias = [b + balls.ball(more[0]) for b, more in zip(bias, other, strict=True)]
    length = balls.ball(classes * square).sqrt()
    stacked = [v / length for v in entries(m)]
    logits = [dot(row, x) + b for row, b in zip(weights, bias, strict=True)]
    found = [logits[k] - logits[j] for k in range(classes) for j in range(classes) if j != k]
    zeros = [Fraction(0)] * len(stacked)
    return {
        "slope in the weights": (zeros, zeros),
        "slope in the bias": (zeros[:classes], zeros[:classes]),
        "least": (risk(weights, bias), risk(moved, moved_bias)),
        "NC3": (stacked, stacked),
        "NC4": (found, found),
    }


@proof("review:remark-nc12-imply-nc34", "corrected", "the widest margin", INNER_PRODUCT)
def widest_margin(claim: Claim) -> Iterator[Step]:
    """The margins of all pairs add up to K <A, m>: bias and offset cancel, each being there twice.

    <A, m> is the sum of <a_k, m_k>, at most |A| |m| with |m|^2 = K s^2.
    """
    yield from inner_products()
    inner, both = sympy.symbols("inner both", real=True)
    yield identity(
        "sum over k != j of <a_k - a_j, m_k>: K <A, m> - <sum a, sum m>, and sum m = 0",
        ((K - 1) * inner - (both - inner)).subs(both, 0),
        K * inner,
    )
    bk, bj = sympy.symbols("b_k b_j", real=True)
    yield identity("of the bias, (k, j) and (j, k)", (bk - bj) + (bj - bk), 0)
    many, length = sympy.symbols("many length", positive=True)
    margin = sympy.Symbol("margin", real=True)
    number_of = many + 1
    yield identity(
        "K (K-1) margins of at least the least: <A, m> - (K-1) margin = gap/K",
        (number_of * many * margin + _gap) / number_of - many * margin,
        _gap / number_of,
    )
    bound = expression(classifiers.largest_margin, K=number_of, s=_s, a=length)
    total_length = sqrt(number_of) * _s * length
    yield nonnegative(
        "the formula less the margin, (K-1) margin = |A| |m| - gap",
        bound - (total_length - _gap) / many,
        [_gap, 1 / many],
    )
    yield nonnegative(
        "the cosine less the margin over the formula, <A, m> = (K-1) margin + gap",
        (many * margin + _gap) / total_length - margin / bound,
        [_gap, 1 / total_length],
    )
    yield identity(
        "A = m: s^2 + s^2/(K-1) is the formula at |A| = sqrt(K) s",
        _s**2 + _s**2 / many,
        expression(classifiers.largest_margin, K=number_of, s=_s, a=sqrt(number_of) * _s),
    )
    yield assumes(claim, mirrors="real", alpha="positive", offset="real", a="real", b="real")
    points = [
        point(mirrors=[[1, 2]], alpha=2, offset=[1, 1], a=[[1, 0], [2, 1]], b=[0, 1]),
        point(mirrors=[[1, 0], [1, 1]], alpha=1, offset=[0, 2], a=[[1, 1], [0, 1], [2, 0]],
              b=[0, 1, 2]),
    ]  # fmt: skip
    yield tie("the claim compares these", claim, points, _margin_sides, ("attained",))


def _margin_sides(mirrors: Any, alpha: Any, offset: Any, a: Any, b: Any) -> Sides:
    m = simplex(mirrors, alpha)
    classes, square = len(m), square_of(alpha, len(m))
    margins = [
        dot(minus(a[k], a[j]), plus(m[k], list(map(balls.ball, offset)))) + balls.ball(b[k] - b[j])
        for k in range(classes)
        for j in range(classes)
        if j != k
    ]
    least = margins[0]
    for value in margins[1:]:
        least = least.min(value)
    length = (size(a) * balls.ball(classes * square)).sqrt()
    inner = total(dot(x, y) for x, y in zip(a, m, strict=True))
    own = [square * Fraction(classes, classes - 1)] * len(margins)
    return {
        "margin": (least, length / (classes - 1)),
        "alignment": (least * (classes - 1) / length, inner / length),
        "attained": (own, own),
    }
