"""Proofs about what the metric NC1 sees."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.theory.collapse_metrics import variability
from ncbounds.theory.terms import Claim
from proofs_check.collapse_metrics.sides import (
    K,
    Sides,
    centred,
    expression,
    frame,
    inner_products,
    square_of,
)
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT, PSEUDO_INVERSE
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import dot

_q, _form, _gap, _W, _rest = sympy.symbols("q form gap W rest", nonnegative=True)
_square = sympy.Symbol("square", positive=True)


@proof(
    "review:eq-4",
    "corrected",
    "what is seen and what is not",
    PSEUDO_INVERSE,
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
)
def seen_and_unseen(claim: Claim) -> Iterator[Step]:
    """x = S y has <x, S^+ x> = <y, S y> =: form, the mean of <m_c, y>^2; S^+ kills what is across.

    |x|^2 = <S y, x> is the mean of <m_c, y> <m_c, x>, so |x|^4 is at most form times the mean of
    <m_c, x>^2, which is at most q |x|^2.
    """
    m, y = sympy.symbols("m y", real=True)
    yield nonnegative("<y, S y> is a mean of squares", (m * y) ** 2, [(m * y) ** 2])
    yield identity(
        "|x|^4 + gap = form q |x|^2 gives form q - |x|^2 = gap/|x|^2",
        (_square**2 + _gap) / _square - _square,
        _gap / _square,
    )
    yield nonnegative("which is not negative", _gap / _square, [_gap, 1 / _square])
    nc1 = sympy.Symbol("NC1", nonnegative=True)
    yield identity(
        "the mean form is K NC1, so the formula is the bound",
        expression(variability.seen_variance, K=K, NC1=nc1, q=_q),
        (K * nc1) * _q,
    )
    yield assumes(claim, m="real", y="real", r="real")
    points = [
        point(
            m=[[1, 2], [0, 1]],
            y=[[[1, 0], [2, 1]], [[0, 3], [1, 1]]],
            r=[[[1], [3]], [[0], [2]]],
        ),
        point(m=[[1], [3]], y=[[[1], [2]], [[0], [5]]], r=[[[1], [1]], [[2], [-2]]]),
    ]
    yield tie("the claim compares these", claim, points, _seen_sides, ("variance",))


def _seen_sides(m: Any, y: Any, r: Any) -> Sides:
    means, number_of = centred(m), len(m)
    forms, seen, across = [], [], []
    for rows, beside in zip(y, r, strict=True):
        for row, other in zip(centred(rows), centred(beside), strict=True):
            inner = [dot(c, row) for c in means]
            x = [
                sum(p * c[j] for p, c in zip(inner, means, strict=True)) / Fraction(number_of)
                for j in range(len(row))
            ]
            forms.append(dot(inner, inner) / number_of)
            seen.append(dot(x, x))
            across.append(dot(other, other))
    samples = Fraction(len(forms))
    nc1 = sum(forms) / samples / number_of
    q = sum(dot(c, c) for c in means) / Fraction(number_of)
    in_span, beside_it = sum(seen) / samples, sum(across) / samples
    whole, bound = in_span + beside_it, number_of * nc1 * q
    return {
        "never negative": (Fraction(0), nc1),
        "variance": (whole, whole),
        "seen variance": (in_span, bound),
        "all variance": (whole, bound + beside_it),
    }


@proof("review:eq-4", "sharp", "beside CDNV, at a simplex ETF", PSEUDO_INVERSE)
def beside_cdnv(claim: Claim) -> Iterator[Step]:
    """S m_k = L m_k with L = alpha^2/K, so S = L P with the projection P onto the span."""
    yield from inner_products()
    alpha, L, S = sympy.symbols("alpha L S", positive=True)
    s2 = alpha**2 * (K - 1) / K
    own, whole = sympy.symbols("own whole", real=True)
    yield identity(
        "S m_k = (1/K) sum_c m_c alpha^2 (delta - 1/K) = L m_k, as the m_c add up to 0",
        ((alpha**2 * own - alpha**2 / K * whole) / K).subs(whole, 0),
        alpha**2 / K * own,
    )
    yield identity("(K-1)^2/s^4 = 1/L^2", (K - 1) ** 2 / s2**2, (K / alpha**2) ** 2)
    square = L * S  # S S = L S
    yield identity("S S^+ S = S^3/L^2 = S", square * S / L**2 * (L / S), S)
    yield identity("S^+ S S^+ = S^3/L^4 = S^+", (square * S / L**4) * (L / S), S / L**2)
    yield nonnegative("|P x|^2 <= |x|^2: what is left is a square", (_q + _rest) - _q, [_rest])
    yield identity("<x, S^+ x> = |P x|^2/L as S = L P", (L * _q) / L**2, _q / L)
    yield identity("|m_k - m_j|^2 = 2 alpha^2 = 2 K L", 2 * (K * L), 2 * K * L)
    yield identity(
        "each class is in 2 (K-1) of K (K-1) ordered pairs: CDNV is W/(2 K L), W the variance",
        (2 * (K - 1) * K * _W / (2 * (2 * K * L))) / (K * (K - 1)),
        _W / (2 * K * L),
    )
    V = sympy.Symbol("V", nonnegative=True)
    yield identity("the formula is 2 V", expression(variability.nc1_from_cdnv, V=V), 2 * V)
    yield nonnegative(
        "2 CDNV - NC1 is the variance across the span, over K L",
        2 * ((_q + _rest) / (2 * K * L)) - _q / (K * L),
        [_rest, 1 / K, 1 / L],
    )
    yield assumes(claim, mirrors="real", alpha="positive", v="real")
    points = [
        point(mirrors=[[1, 2]], alpha=2, v=[[[1, 0], [2, 1]], [[0, 3], [1, 1]]]),
        point(
            mirrors=[[1, 0, 1], [0, 1, 1]],
            alpha="1/2",
            v=[[[1, 0, 2], [0, 1, 1]], [[1, 1, 1], [3, 0, 0]], [[0, 0, 1], [2, 2, 0]]],
        ),
    ]
    equalities = ("S S^+ S", "S^+ S S^+")
    yield tie("the claim compares these", claim, points, _cdnv_sides, equalities)


def _cdnv_sides(mirrors: Any, alpha: Any, v: Any) -> Sides:
    basis, classes = frame(mirrors), len(v)
    size, L = number(alpha) ** 2, number(alpha) ** 2 / classes
    m = len(basis[0])
    projection = [[sum(u[i] * u[j] for u in basis) for j in range(m)] for i in range(m)]
    between = [L * x for row in projection for x in row]
    inverse = [x / L for row in projection for x in row]
    seen, whole = [], []
    for rows in v:
        for x in centred(rows):
            inner = [dot(u, x) for u in basis]
            seen.append(dot(inner, inner))
            whole.append(dot(x, x))
    samples = Fraction(len(seen))
    factor = Fraction(classes - 1) / (classes * square_of(alpha, classes))
    nc1 = factor * sum(seen) / samples
    return {
        "S S^+ S": (between, between),
        "S^+ S S^+": (inverse, inverse),
        "beside CDNV": (nc1, 2 * (sum(whole) / samples) / (2 * size)),
    }
