"""Proofs about the metrics of generalised neural collapse and the distances of classes.

Vectors are written as plain symbols and inner products as products, as in `softmax_code`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.softmax_code import generalised_collapse
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT, PSEUDO_INVERSE, TRIANGLE
from proofs_check.softmax_code.temperature import direction, largest, least
from proofs_check.steps import Step, assumes, cases, identity, nonnegative, point, proof, tie
from proofs_check.vectors import dot, norm

Sides = dict[str, tuple[Any, Any]]


_K = sympy.Symbol("K", integer=True, positive=True)
_m, _v, _y, _w, _h, _mu = sympy.symbols("m v y w h mu", real=True)
_a, _b, _q = sympy.symbols("a b q", nonnegative=True)
_many = sympy.Symbol("M", positive=True)


def _expression(formula: Any, **values: Any) -> Any:
    named = symbolic.symbols(formula)
    return symbolic.expression(formula).subs({named[name]: x for name, x in values.items()})


# -- GNC1 -----------------------------------------------------------------------------------------


@proof(
    "gnc:definition-gnc1",
    "corrected",
    "where no deviation is outside the span of the class means",
    PSEUDO_INVERSE,
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
)
def seen_variability(claim: Claim) -> Iterator[Step]:
    """x = B y has <x, B^+ x> = <y, B y>, the mean of <m_c, y>^2 over the classes.

    |x|^2 = <B y, x> is the mean of <m_c, y><m_c, x>, so its square is at most <y, B y> times the
    mean of <m_c, x>^2, which is at most q |x|^2 with the mean q of |m_c|^2.
    """
    x = sympy.Matrix(sympy.symbols("x1 x2 x3", real=True))
    A = sympy.Matrix(3, 3, sympy.symbols("A1:10", real=True))
    yield identity("tr(x x^T A) = x^T A x, entry by entry", (x * x.T * A).trace(), (x.T * A * x)[0])
    yield nonnegative("<y, B y> is a mean of squares <m, y>^2", (_m * _y) ** 2, [(_m * _y) ** 2])
    square, gap = sympy.Symbol("square", positive=True), _a
    g = sympy.symbols("g", nonnegative=True)
    yield identity(
        "|x|^4 + a = <y, B y> q |x|^2 gives <y, B y> q - |x|^2 = a/|x|^2",
        sympy.expand((g * _q * square - square**2) / square),
        g * _q - square,
    )
    yield nonnegative("which is >= 0", gap / square, [gap, 1 / square])
    e = generalised_collapse
    metric = sympy.Symbol("metric", nonnegative=True)
    yield identity(
        "GNC1 is <y, B y>/K in the mean",
        _expression(e.variability_from_gnc1, K=_K, GNC1=metric / _K, q=_q),
        metric * _q,
    )
    yield assumes(claim, m="real", y="real")
    points = [
        point(
            m=[[1, 2], [0, -1], [3, 1]], y=[[[1, 0], [2, 1]], [[0, 1], [1, 1]], [[2, 2], [0, 1]]]
        ),
        point(m=[[2], [1]], y=[[[1], [3]], [[0], ["1/2"]]]),
    ]
    yield tie("the claim compares these", claim, points, _seen_sides)


@proof("gnc:definition-gnc1", "sharp", "beside the centred metric", PSEUDO_INVERSE)
def centred_or_not(claim: Claim) -> Iterator[Step]:
    """With C centred and B = C + mu mu^T: 2 <v, C y> - <v, B v> is <y, C y> less two squares."""
    vCv, vCy, yCy = sympy.symbols("vCv vCy yCy", real=True)
    yield identity(
        "mean <m, v>^2 = mean <m - mu, v>^2 + <mu, v>^2, where the mean of m - mu is zero",
        sympy.expand(((_m + _mu) * _v) ** 2) - 2 * _m * _mu * _v**2,
        (_m * _v) ** 2 + (_mu * _v) ** 2,
    )
    yield identity(
        "2 <v, C y> - <v, C v> = <y, C y> - <v - y, C (v - y)>",
        2 * vCy - vCv,
        yCy - (vCv - 2 * vCy + yCy),
    )
    yield nonnegative("<z, C z> is a mean of squares", (_m * _y) ** 2, [(_m * _y) ** 2])
    yield assumes(claim, m="real", y="real", v="real")
    points = [
        point(
            m=[[1, 2], [0, -1], [3, 1]],
            y=[[[1, 0], [2, 1]], [[0, 1], [1, 1]], [[2, 2], [0, 1]]],
            v=[[[1, 1], [2, 1]], [[0, 1], [1, "1/3"]], [[-2, 2], [0, 1]]],
        ),
    ]
    yield tie("the claim compares these", claim, points, _centred_sides)


# -- GNC2, GNC3 -----------------------------------------------------------------------------------


def _share_of_differences() -> Iterator[Step]:
    """A convex combination moves no farther than the farthest of its points."""
    share, gap = sympy.symbols("share gap", nonnegative=True)
    yield nonnegative(
        "a mean of lengths is at most the largest: each is the largest less a gap",
        share * _q - share * (_q - gap),
        [share, gap],
    )


@proof("gnc:definition-gnc2", "sharp", "it moves no faster than the weights", TRIANGLE)
def distance_moves(claim: Claim) -> Iterator[Step]:
    """The two differences differ by w_k - v_k and by a mean of the w_j - v_j."""
    share, other = sympy.symbols("share other", real=True)
    w, v = sympy.symbols("w_j v_j", real=True)
    p, q = sympy.symbols("p_rest q_rest", real=True)
    yield identity(
        "(w_k - p) - (v_k - q) = (w_k - v_k) - mean of (w_j - v_j), share by share",
        (_w - (share * w + other * p)) - (_v - (share * v + other * q)),
        (_w - _v) - (share * (w - v) + other * (p - q)),
    )
    yield from _share_of_differences()
    yield assumes(claim, w="real", v="real", z="positive")
    points = [
        point(
            w=[[1, 2], [0, -1], [3, 1]],
            v=[[1, 1], [2, -1], [3, 0]],
            z=[[1, 1, 2], [1, 3, 1], [1, 1, 1]],
        ),
        point(w=[[3], [1]], v=[[4], [-1]], z=[[1, 1], [1, 2]]),
    ]
    yield tie("the claim compares these", claim, points, _moved_sides)


@proof("gnc:definition-gnc3", "sharp", "a mean squared distance", INNER_PRODUCT, CAUCHY_SCHWARZ)
def mean_squared_distance(claim: Claim) -> Iterator[Step]:
    """Expand the squares of unit vectors.

    The mean of |m_k|^2 is at least the square of the mean of <w_k, m_k> = 1 - GNC3 where that is
    positive.
    """
    units = {_w**2: 1, _h**2: 1}
    yield identity(
        "|w - h|^2 = 2 (1 - <w, h>)", sympy.expand((_w - _h) ** 2).subs(units), 2 * (1 - _w * _h)
    )
    product = sympy.Symbol("product", real=True)
    yield identity(
        "|w - m|^2 + mean |h - m|^2 = (1 - 2 <w, m> + |m|^2) + (1 - |m|^2) = 2 (1 - <w, m>)",
        (1 - 2 * product + _q) + (1 - 2 * _q + _q),
        2 * (1 - product),
    )
    yield nonnegative(
        "|m| >= <w, m>, and the quadratic mean of |m| is at least its mean: squares of x + a, "
        "x >= 0, are at least that of x",
        (_q + _a) ** 2 - _q**2,
        [_a, 2 * _q + _a],
    )
    G = symbolic.symbols(generalised_collapse.variability_from_gnc3)["GNC3"]
    shape = 1 - sympy.Max(0, 1 - G) ** 2
    same = symbolic.expression(generalised_collapse.variability_from_gnc3) == shape
    yield cases("the formula is 1 - max(0, 1 - GNC3)^2", {"its expression": same})
    yield assumes(claim, w="real", h="real")
    points = [
        point(w=[[1, 2], [0, -1]], h=[[[1, 1], [2, 1]], [[1, -1], [0, 1]]]),
        point(w=[[1], [-2]], h=[[[3]], [[1]]]),
    ]
    equalities = ("distance from the weights", "split")
    yield tie("the claim compares these", claim, points, _duality_sides, equalities)


# -- (4) ------------------------------------------------------------------------------------------


def _corresponding() -> Iterator[Step]:
    """Corresponding convex combinations differ by means of h - w on either side."""
    share, other, x, y = sympy.symbols("share other x y", real=True)
    yield identity(
        "(x - y) - (w_k - q) = mean of (h_k - w_k) - mean of (h_j - w_j), share by share",
        (share * x + other * _h) - y - ((share + other) * _w - _v),
        (share * (x - _w) + other * (_h - _w)) - (y - _v),
    )
    yield from _share_of_differences()


@proof("gnc:eq-4", "printed", "as GNC3 vanishes", TRIANGLE)
def as_gnc3_vanishes(claim: Claim) -> Iterator[Step]:
    """The two largest deviations are of two samples: their squares are part of 2 n K GNC3."""
    yield from _corresponding()
    units = {_w**2: 1, _h**2: 1}
    yield identity(
        "|w - h|^2 = 2 (1 - <w, h>)", sympy.expand((_w - _h) ** 2).subs(units), 2 * (1 - _w * _h)
    )
    yield nonnegative("(a + b)^2 <= 2 (a^2 + b^2)", 2 * (_a**2 + _b**2) - (_a + _b) ** 2, [
        (_a - _b) ** 2
    ])  # fmt: skip
    n, G = sympy.symbols("n G", positive=True)
    yield identity(
        "the root of 2 (2 n K GNC3) is the formula",
        _expression(generalised_collapse.distance_gap_from_gnc3, K=_K, n=n, GNC3=G),
        sympy.sqrt(2 * (2 * n * _K * G)),
    )
    yield assumes(claim, w="real", h="real", a="positive", b="positive")
    yield tie("the claim compares these", claim, _HULLS, _gnc3_sides)


@proof("gnc:eq-4", "corrected", "the least of the rightmost terms is maximised in a Softmax code")
def largest_in_a_code(claim: Claim) -> Iterator[Step]:
    """The mean over k of |w_k - m_k|^2 is at most (K/(K-1))^2, m_k the mean of the others."""
    S = sympy.Symbol("S", real=True)
    square = sympy.expand((_K * _w - S) ** 2 / (_K - 1) ** 2)
    yield identity(
        "w_k - m_k = (K w_k - S)/(K-1), S the sum of all",
        _w - (S - _w) / (_K - 1),
        (_K * _w - S) / (_K - 1),
    )
    yield nonnegative(
        "K^2/(K-1)^2 less the mean of the squares is |S|^2/(K-1)^2, a = |S|^2",
        ((_K / (_K - 1)) ** 2 - square.subs({_w**2: 1, S * _w: _a / _K, S**2: _a})).subs(
            _K, _many + 1
        ),
        [_a, _many**-2],
    )
    yield assumes(claim, w="real")
    points = [point(w=[[1, 2], [0, -1], [3, 1]]), point(w=[[3], [1]])]
    yield tie("the claim compares these", claim, points, _code_sides)


@proof("gnc:eq-4", "sharp", "near collapse", TRIANGLE)
def near_collapse(claim: Claim) -> Iterator[Step]:
    """Corresponding convex combinations."""
    yield from _corresponding()
    yield assumes(claim, w="real", h="real", a="positive", b="positive")
    yield tie("the claim compares these", claim, _HULLS, _near_sides)


# -- the claims' own sides ------------------------------------------------------------------------

_HULLS = [
    point(
        w=[[1, 2], [0, -1], [3, 1]],
        h=[[[1, 1], [2, 1]], [[1, -1], [0, 1]], [[1, 0], [2, 2]]],
        a=[[1, 2], [1, 1], [3, 1]],
        b=[[[1, 1], [2, 1], [1, 3]], [[1, 1], [1, 1], [1, 1]], [[1, 4], [1, "1/2"], [1, 1]]],
    ),
    point(w=[[3], [1]], h=[[[4]], [[-1]]], a=[[1], [2]], b=[[[1], [1]], [[2], [1]]]),
]


def _minus(x: Any, y: Any) -> list[Any]:
    return [p - q for p, q in zip(x, y, strict=True)]


def _combined(rows: Any, shares: Any) -> list[Any]:
    """The convex combination of rows, in balls, with shares relative to their sum."""
    total = sum(shares)
    return [
        sum(
            (
                balls.ball(row[j]) * balls.ball(s / total)
                for row, s in zip(rows, shares, strict=True)
            ),
            balls.ball(0),
        )
        for j in range(len(rows[0]))
    ]


def _exact_mean(rows: Any) -> list[Any]:
    return [sum(row[j] for row in rows) / Fraction(len(rows)) for j in range(len(rows[0]))]


def _times(means: Any, y: Any) -> list[Any]:
    """(1/K) sum of m_c <m_c, y>."""
    products = [dot(m, y) for m in means]
    return [
        sum(p * m[j] for p, m in zip(products, means, strict=True)) / Fraction(len(means))
        for j in range(len(y))
    ]


def _centred(rows: Any) -> list[list[Any]]:
    centre = _exact_mean(rows)
    return [_minus(row, centre) for row in rows]


def _seen_sides(m: Any, y: Any) -> Sides:
    K = len(m)
    forms, squares = [], []
    for rows in y:
        for row in _centred(rows):
            x = _times(m, row)
            forms.append(sum(dot(c, row) ** 2 for c in m) / Fraction(K))
            squares.append(dot(x, x))
    gnc1 = sum(forms) / Fraction(len(forms) * K)
    q = sum(dot(c, c) for c in m) / Fraction(K)
    return {
        "never negative": (Fraction(0), gnc1),
        "variability": (sum(squares) / Fraction(len(squares)), K * gnc1 * q),
    }


def _centred_sides(m: Any, y: Any, v: Any) -> Sides:
    shifted, K = _centred(m), len(m)
    forms, values = [], []
    for rows, others in zip(y, v, strict=True):
        for row, other in zip(_centred(rows), others, strict=True):
            forms.append(sum(dot(c, row) ** 2 for c in shifted) / Fraction(K))
            square = sum(dot(c, other) ** 2 for c in m) / Fraction(K)
            values.append(2 * dot(other, _times(shifted, row)) - square)
    number = Fraction(len(forms))
    return {"GNC1": (sum(values) / number, sum(forms) / number)}


def _others(values: Any) -> list[Any]:
    """Of each the largest of the others."""
    return [largest([*values[:k], *values[k + 1 :]]) for k in range(len(values))]


def _moved_sides(w: Any, v: Any, z: Any) -> Sides:
    w, v = w.tolist(), v.tolist()
    K, moved = len(w), [norm(_minus(x, y)) for x, y in zip(w, v, strict=True)]
    apart = []
    for k in range(K):
        rivals = [j for j in range(K) if j != k]
        shares = [z[k][j] for j in rivals]
        of_w, of_v = (
            norm(_minus(map(balls.ball, x[k]), _combined([x[j] for j in rivals], shares)))
            for x in (w, v)
        )
        apart.append(abs(of_w - of_v))
    return {"distance": (apart, [a + b for a, b in zip(moved, _others(moved), strict=True)])}


def _duality_sides(w: Any, h: Any) -> Sides:
    weights = [direction(row) for row in w]
    features = [[direction(x) for x in rows] for rows in h]
    means = [_combined(rows, [Fraction(1)] * len(rows)) for rows in features]
    samples = balls.ball(sum(len(rows) for rows in features))
    losses = [1 - dot(x, y) for x, y in zip(weights, means, strict=True)]
    gnc3 = sum(losses, balls.ball(0)) / len(w)
    lengths = [dot(x, x) for x in means]
    spread = 1 - sum(lengths, balls.ball(0)) / len(w)
    away = [_minus(weights[k], x) for k, rows in enumerate(features) for x in rows]
    squares = [dot(x, x) for x in away]
    kept = (1 - gnc3).max(balls.ball(0))
    return {
        "distance from the weights": (sum(squares, balls.ball(0)) / samples, 2 * gnc3),
        "split": (2 * gnc3, 2 * gnc3),
        "variability": (spread, 1 - kept * kept),
    }


def _hull_distances(w: Any, h: Any, a: Any, b: Any) -> list[Any]:
    """Of each class how far the two distances are apart."""
    K, found = len(w), []
    for k in range(K):
        rivals = [j for j in range(K) if j != k]
        x = _combined(h[k], list(a[k]))
        y = _combined([f for j in rivals for f in h[j]], [s for j in rivals for s in b[k][j]])
        q = _combined([w[j] for j in rivals], [sum(b[k][j]) for j in rivals])
        found.append(abs(norm(_minus(x, y)) - norm(_minus(map(balls.ball, w[k]), q))))
    return found


def _gnc3_sides(w: Any, h: Any, a: Any, b: Any) -> Sides:
    weights = [direction(row) for row in w]
    features = [[direction(x) for x in rows] for rows in h]
    losses = [1 - dot(weights[k], x) for k, rows in enumerate(features) for x in rows]
    bound = 2 * sum(losses, balls.ball(0)).sqrt()
    return {"distance": (_hull_distances(weights, features, a, b), [bound] * len(w))}


def _near_sides(w: Any, h: Any, a: Any, b: Any) -> Sides:
    away = [largest([norm(_minus(x, w[k])) for x in rows]) for k, rows in enumerate(h)]
    bounds = [own + other for own, other in zip(away, _others(away), strict=True)]
    return {"distance": (_hull_distances(w, h, a, b), bounds)}


def _code_sides(w: Any) -> Sides:
    rows, K = [direction(row) for row in w], len(w)
    found = [
        norm(_minus(row, _combined([*rows[:k], *rows[k + 1 :]], [Fraction(1)] * (K - 1))))
        for k, row in enumerate(rows)
    ]
    return {"largest in a Softmax code": (least(found), Fraction(K, K - 1))}
