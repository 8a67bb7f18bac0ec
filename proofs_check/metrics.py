"""Proofs about the simplex ETF, the cosine similarities, and what NC1 and NC2 imply for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory import metrics
from ncbounds.theory.terms import Claim
from proofs_check.cosine import ball_route
from proofs_check.facts import INNER_PRODUCT
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_C = sympy.Symbol("C", integer=True, positive=True)
Sides = dict[str, tuple[Any, Any]]
_SIMPLEX = ("squared norms", "mean", "squared distances", "pairwise cosines")


# -- the simplex ETF ------------------------------------------------------------------------------


def reflections() -> Iterator[Step]:
    """A reflection keeps inner products, so reflected unit vectors are orthonormal."""
    x, y, both = sympy.symbols("x y both", real=True)
    n = sympy.Symbol("n", positive=True)
    yield identity(
        "<x - 2 <v,x> v/n, y - 2 <v,y> v/n> = <x,y> with n = |v|^2",
        both - 2 * x * y / n - 2 * x * y / n + 4 * x * y * n / n**2,
        both,
    )


def _from_inner_products() -> Iterator[Step]:
    """Norms, distances, cosines and the mean, from alpha^2 (delta - 1/C)."""
    alpha = sympy.Symbol("alpha", positive=True)
    own, other = alpha**2 * (1 - 1 / _C), -(alpha**2) / _C
    yield identity("the squared norm", own, alpha**2 * (_C - 1) / _C)
    yield identity("the squared distance", 2 * own - 2 * other, 2 * alpha**2)
    yield identity(
        "the sum has the square C own + C (C-1) other = 0", _C * own + _C * (_C - 1) * other, 0
    )
    s = symbolic.symbols(metrics.simplex_cosine)
    yield identity(
        "the cosine is the formula",
        other / own,
        symbolic.expression(metrics.simplex_cosine).subs(s["C"], _C),
    )


def centred_frame() -> Step:
    """Inner products of orthonormal vectors less their mean."""
    delta = sympy.Symbol("delta", real=True)
    return identity(
        "<u_c - mean u, u_r - mean u> = delta - 1/C for orthonormal u",
        delta - 1 / _C - 1 / _C + _C / _C**2,
        delta - 1 / _C,
    )


@proof("bnwd:definition-1.1", "printed", "pairwise cosines")
def pairwise_cosines(claim: Claim) -> Iterator[Step]:
    """The columns of U are orthonormal, and everything follows from the inner products."""
    yield from reflections()
    yield centred_frame()
    yield from _from_inner_products()
    yield assumes(claim, mirrors="real", alpha="positive")
    points = [
        point(mirrors=[[1, 2, 0], [0, "1/3", 1]], alpha=2),
        point(mirrors=[[1, 0, 0], [1, 1, 1], [0, -2, 1]], alpha="1/5"),
    ]
    yield tie("the claim compares these", claim, points, _simplex_sides(0), _SIMPLEX)


@proof("bnwd:definition-1.1", "corrected", "pairwise cosines from d = C - 1 on")
def cosines_in_fewer_dimensions(claim: Claim) -> Iterator[Step]:
    """The columns of the Helmert matrix have the inner products of I - 11^T/C, in C - 1 dimensions.

    Its row r = 1, ..., C-1 is 1/sqrt(r (r+1)) times r ones, then -r, then zeros.
    """
    yield from reflections()
    r, c = sympy.symbols("r c", positive=True)
    yield identity("1/(r (r+1)) telescopes", 1 / (r * (r + 1)), 1 / r - 1 / (r + 1))
    tail = 1 / (c + 1) - 1 / _C
    yield identity("columns b < c: -c/(c (c+1)) + rest", -c / (c * (c + 1)) + tail, -1 / _C)
    yield identity("column c >= 1: c^2/(c (c+1)) + rest", c**2 / (c * (c + 1)) + tail, 1 - 1 / _C)
    yield identity("column 0: the rest alone", tail.subs(c, 0), 1 - 1 / _C)
    yield from _from_inner_products()
    yield assumes(claim, mirrors="real", alpha="positive")
    points = [point(mirrors=[[1, 2], [0, "1/3"]], alpha=2), point(mirrors=[[-3]], alpha="1/2")]
    yield tie("the claim compares these", claim, points, _simplex_sides(1), _SIMPLEX)


def _simplex_sides(more: int) -> Callable[..., Sides]:
    """What the points of a simplex have, for `more` points than there are mirrors."""

    def sides(mirrors: Any, alpha: Any) -> Sides:
        C, d = len(mirrors) + more, len(mirrors[0])
        square, two = number(alpha) ** 2, C * (C - 1) // 2
        found = {
            "squared norms": [square * Fraction(C - 1, C)] * C,
            "mean": [Fraction(0)] * d,
            "squared distances": [2 * square] * two,
            "pairwise cosines": [Fraction(-1, C - 1)] * two,
        }
        return {name: (values, values) for name, values in found.items()}

    return sides


@proof("bnwd:definition-1.1", "sharp", "no arrangement is wider")
def no_wider(claim: Claim) -> Iterator[Step]:
    """The square of a sum of unit vectors is not negative; the largest is at least the mean."""
    mean = sympy.Symbol("mean", real=True)
    total, above = sympy.symbols("total above", nonnegative=True)
    whole = sympy.Symbol("whole", nonnegative=True)
    yield identity(
        "|sum u|^2 = C + C (C-1) mean, solved for the mean",
        -1 / (_C - 1) + (_C + _C * (_C - 1) * mean) / (_C * (_C - 1)),
        mean,
    )
    many = sympy.Symbol("M", positive=True)
    yield nonnegative(
        "the mean is at least -1/(C-1), with C = M + 1",
        whole / ((many + 1) * many),
        [whole, 1 / (many + 1), 1 / many],
    )
    yield nonnegative(
        "the largest of some numbers is not below their mean: the mean of the gaps is >= 0",
        (total + above) - total,
        [above],
    )
    s = symbolic.symbols(metrics.simplex_cosine)
    formula = symbolic.expression(metrics.simplex_cosine).subs(s["C"], _C)
    yield identity("the formula is -1/(C-1)", formula, -1 / (_C - 1))
    yield assumes(claim, v="real")
    points = [point(v=[[1, 2], [0, -1], ["1/2", 1]]), point(v=[[1], [-3]])]

    def sides(v: Any) -> Sides:
        cosines = [_cosine(v[c], v[r]) for c in range(len(v)) for r in range(c)]
        largest = cosines[0]
        for value in cosines[1:]:
            largest = largest.max(value)
        found = sum(cosines[1:], cosines[0]) / len(cosines)
        return {
            "mean cosine": (found, found),
            "largest cosine": (-largest, Fraction(1, len(v) - 1)),
        }

    yield tie("the claim compares these", claim, points, sides, ("mean cosine",))


# -- intra-class and inter-class cosines ----------------------------------------------------------


@proof("bnwd:definition-cosine", "sharp", "from one mean direction a class")
def from_directions(claim: Claim) -> Iterator[Step]:
    """The inner product is bilinear, and a vector of length 1 has the square 1."""
    X, Y, x, y, N = sympy.symbols("X Y x y N", positive=True)
    yield identity(
        "induction: a sample more adds X y + x Y + x y to the sum over pairs, which is X Y",
        X * Y + X * y + x * Y + x * y,
        (X + x) * (Y + y),
    )
    yield identity("means: the sum over N^2 pairs", X * Y / N**2, (X / N) * (Y / N))
    square = sympy.Symbol("square", nonnegative=True)
    yield identity(
        "without the N pairs i = j, whose cosines are 1",
        (N**2 * square - N) / (N * (N - 1)),
        (N * square - 1) / (N - 1),
    )
    yield identity(
        "which is lower by (1 - square)/(N - 1)",
        square - (N * square - 1) / (N - 1),
        (1 - square) / (N - 1),
    )
    whole, squares = sympy.symbols("whole squares", nonnegative=True)
    many = sympy.Symbol("M", positive=True)
    yield nonnegative(
        "mean inter + mean intra/(C-1) = |sum A|^2/(C (C-1)), with C = M + 1",
        (whole - squares) / ((many + 1) * many) + squares / (many + 1) / many,
        [whole, 1 / (many + 1), 1 / many],
    )
    yield assumes(claim, h="real")
    points = [
        point(h=[[[1, 2], [0, 3]], [[-1, 1], ["1/2", 4]]]),
        point(h=[[[1], [2]], [[-1], [4]], [[7], ["1/3"]]]),
    ]
    equalities = (
        "intra-class",
        "intra-class, different samples",
        "inter-class",
        "mean inter-class",
    )
    yield tie("the claim compares these", claim, points, _cosine_sides, equalities)


def _cosine_sides(h: Any) -> Sides:
    x = _centred(h)
    C, N = len(x), len(x[0])

    def mean(left: Any, right: Any, distinct: bool = False) -> Any:
        chosen = [
            _cosine(p, q)
            for i, p in enumerate(left)
            for j, q in enumerate(right)
            if not distinct or i != j
        ]
        return sum(chosen[1:], chosen[0]) / len(chosen)

    intra = [mean(rows, rows) for rows in x]
    inter = [mean(x[c], x[r]) for c in range(C) for r in range(c)]
    middle = sum(inter[1:], inter[0]) / len(inter)
    equal = {
        "intra-class": intra,
        "intra-class, different samples": [mean(rows, rows, distinct=N > 1) for rows in x],
        "inter-class": inter,
        "mean inter-class": middle,
    }
    of_intra = sum(intra[1:], intra[0]) / C
    return {name: (values, values) for name, values in equal.items()} | {
        "least mean": (-middle, of_intra / (C - 1))
    }


# -- what NC1 and NC2 imply -----------------------------------------------------------------------


def _collapse() -> Iterator[Step]:
    """Centred features of a class are positive multiples of one vector: one direction."""
    total = sympy.Symbol("total", real=True)
    yield identity(
        "the mean of all features is the offset: the rays p_c - mean p add up to 0",
        total - _C * (total / _C),
        0,
    )
    scale, square = sympy.symbols("scale square", positive=True)
    entry = sympy.Symbol("entry", real=True)
    yield identity(
        "the direction of a positive multiple is the same",
        scale * entry / sqrt(scale**2 * square),
        entry / sqrt(square),
    )
    N = sympy.Symbol("N", positive=True)
    yield identity("the mean of N equal directions has the square 1", N * 1 / N, 1)


@proof("bnwd:remark-nc-implies-cosine", "printed", "NC1")
def collapsed(claim: Claim) -> Iterator[Step]:
    """All directions of a class are one, so their mean has length 1."""
    yield from _collapse()
    yield assumes(claim, means="real", scales="positive", offset="real")
    points = [
        point(means=[[1, 2], [0, 1]], scales=[1, 1], offset=[3, -1]),
        point(means=[[1, 0], [2, 1], [6, -5]], scales=["1/2", 3], offset=[0, 1]),
    ]

    def sides(means: Any, scales: Any, offset: Any) -> Sides:
        ones = [Fraction(1)] * len(means)
        return {"intra-class": (ones, ones)}

    yield tie("the claim compares these", claim, points, sides, ("intra-class",))


@proof("bnwd:remark-nc-implies-cosine", "printed", "NC1 and NC2")
def collapsed_to_simplex(claim: Claim) -> Iterator[Step]:
    """The mean directions are those of the class means, whose cosines are those of the simplex."""
    yield from _collapse()
    yield from reflections()
    yield centred_frame()
    yield from _from_inner_products()
    yield assumes(claim, mirrors="real", alpha="positive", scales="positive", offset="real")
    points = [
        point(mirrors=[[1, 2], [0, 1]], alpha=3, scales=[1, 1], offset=[3, -1]),
        point(mirrors=[[1, 0, 2], [-1, 1, 1]], alpha=1, scales=["1/3"], offset=[0, 1, 0]),
    ]

    def sides(mirrors: Any, alpha: Any, scales: Any, offset: Any) -> Sides:
        C = len(mirrors)
        ones, cosines = [Fraction(1)] * C, [Fraction(-1, C - 1)] * (C * (C - 1) // 2)
        return {"intra-class": (ones, ones), "inter-class": (cosines, cosines)}

    yield tie("the claim compares these", claim, points, sides, ("intra-class", "inter-class"))


@proof("bnwd:remark-nc-implies-cosine", "sharp", "nearly NC1 and NC2", INNER_PRODUCT)
def nearly_collapsed(claim: Claim) -> Iterator[Step]:
    """The mean direction of a class is within V of 1 - V times the direction of its mean.

    So A = (1-V) e + q and A' = (1-V') e' + q' with |q| <= V, |q'| <= V', unit vectors e and e'
    along the class means; U stands for V', 1 - V and 1 - U for what is left.
    """
    yield from ball_route()
    V, U, v, u = sympy.symbols("V U v u", nonnegative=True)  # v = 1 - V and u = 1 - U
    s = symbolic.symbols(metrics.intra_from_variability)["V"]
    least, more = sympy.symbols("least more", nonnegative=True)
    yield identity("|A| is at least that of the centre less the radius", (1 - V) - V, 1 - 2 * V)
    yield nonnegative(
        "squares keep the order where 1 - 2V >= 0, and a square is >= 0 elsewhere",
        (least + more) ** 2 - least**2,
        [more, 2 * least + more],
    )
    yield identity(
        "the formula of the square",
        symbolic.expression(metrics.intra_from_variability),
        sympy.Max(1 - 2 * s, 0) ** 2,
    )
    cosine, left, right, both = sympy.symbols("cosine left right both", real=True)
    yield identity(
        "<A, A'> = v u <e,e'> + v <e,q'> + u <q,e'> + <q,q'>",
        v * (u * cosine + right) + (u * left + both) - v * u * cosine,
        v * right + u * left + both,
    )
    a, b, c = sympy.symbols("a b c", nonnegative=True)
    yield nonnegative(
        "whose last three terms are at most v U + u V + V U: <e,q'> = U - a, <q,e'> = V - b, "
        "<q,q'> = V U - c, and so with the other sign",
        v * U + u * V + V * U - (v * (U - a) + u * (V - b) + (V * U - c)),
        [v * a + u * b + c],
    )
    n = symbolic.symbols(metrics.inter_from_variability)
    radius = symbolic.expression(metrics.inter_from_variability)
    yield identity(
        "the formula of the radius is v U + u V + V U",
        radius,
        (1 - n["V"]) * n["U"] + (1 - n["U"]) * n["V"] + n["V"] * n["U"],
    )
    yield identity("which is 1 - v u", radius, 1 - (1 - n["V"]) * (1 - n["U"]))
    inter, part = sympy.symbols("inter part", real=True)
    yield identity(
        "inter + 1/(C-1) = (inter - r cos) + r (cos + 1/(C-1)) + (1 - r)/(C-1) with r = v u",
        inter + 1 / (_C - 1),
        (inter - part * cosine) + part * (cosine + 1 / (_C - 1)) + (1 - part) / (_C - 1),
    )
    f = symbolic.symbols(metrics.inter_from_simplex)
    yield identity(
        "the formula is (1 - r) + r xi + (1 - r)/(C-1)",
        symbolic.expression(metrics.inter_from_simplex).subs({f["V"]: V, f["U"]: U, f["C"]: _C}),
        (1 - (1 - V) * (1 - U)) * (1 + 1 / (_C - 1)) + (1 - V) * (1 - U) * f["xi"],
    )
    yield assumes(claim, h="real")
    points = [
        point(h=[[[1, 2], [0, 3]], [[-1, 1], ["1/2", 4]]]),
        point(h=[[[1], [2]], [[-1], [4]], [[7], ["1/3"]]]),
    ]
    yield tie("the claim compares these", claim, points, _nearly_sides)


def _nearly_sides(h: Any) -> Sides:
    x = _centred(h)
    C = len(x)
    means = [_mean(rows) for rows in x]
    share = [
        _dot(m, m) / (sum(_dot(row, row) for row in rows) / Fraction(len(rows)))
        for m, rows in zip(means, x, strict=True)
    ]
    A = [_mean([[balls.ball(e) / _norm(row) for e in row] for row in rows]) for rows in x]
    places = [(c, r) for c in range(C) for r in range(c)]
    ideal = Fraction(-1, C - 1)
    found: dict[str, list[tuple[Any, Any]]] = {"intra-class": []}
    for V, mean in zip([1 - r for r in share], A, strict=True):
        found["intra-class"].append((max(1 - 2 * V, Fraction(0)) ** 2, _dot(mean, mean)))
    found["inter-class"], found["distance from -1/(C-1)"] = [], []
    for c, r in places:
        part, inter = share[c] * share[r], _dot(A[c], A[r])
        of_means = _cosine(means[c], means[r])
        xi = abs(of_means - balls.ball(ideal))
        found["inter-class"].append((abs(inter - of_means * balls.ball(part)), 1 - part))
        bound = balls.ball((1 - part) * Fraction(C, C - 1)) + balls.ball(part) * xi
        found["distance from -1/(C-1)"].append((abs(inter - balls.ball(ideal)), bound))
    return {
        name: ([left for left, _ in rows], [right for _, right in rows])
        for name, rows in found.items()
    }


# -- vectors as lists of exact numbers or balls ---------------------------------------------------


def _dot(x: Any, y: Any) -> Any:
    exact = all(isinstance(entry, Fraction) for entry in (*x, *y))
    read = Fraction if exact else balls.ball
    return sum((read(a) * read(b) for a, b in zip(x, y, strict=True)), read(0))


def _norm(x: Any) -> Any:
    return balls.ball(_dot(x, x)).sqrt()


def _cosine(x: Any, y: Any) -> Any:
    return balls.ball(_dot(x, y)) / (_norm(x) * _norm(y))


def _mean(rows: Any) -> Any:
    return [sum((row[j] for row in rows[1:]), rows[0][j]) / len(rows) for j in range(len(rows[0]))]


def _centred(h: Any) -> Any:
    """Exact features less the mean of all of them."""
    centre = _mean([row for rows in h for row in rows])
    return [
        [[Fraction(a - m) for a, m in zip(row, centre, strict=True)] for row in rows] for rows in h
    ]
