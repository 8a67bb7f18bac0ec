"""Proofs about Softmax codes in the plane, for K <= d + 1 and for K <= 2d, with rates."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.softmax_code.gamma_bounds import simplex_bound
from ncbounds.theory.terms import Claim
from proofs_check.facts import CONCAVE, COUNTING, INNER_PRODUCT, MEANS
from proofs_check.softmax_code.circle import (
    STEPS,
    log_sine,
    neighbours,
    planar_code,
    polygon,
    uneven,
)
from proofs_check.softmax_code.hardmax import own_least, weak_duality
from proofs_check.softmax_code.midpoint import (
    CODES,
    apart,
    directions,
    folded,
    folding,
    gap,
    inner,
    least,
    margin,
    midpoints_apart,
    others,
    own_directions,
    rigidity,
    spread,
    sums,
)
from proofs_check.steps import (
    Step,
    assumes,
    identity,
    nonnegative,
    point,
    proof,
    tie,
)
from proofs_check.vectors import dot, norm

Sides = dict[str, tuple[Any, Any]]
_p, _q, _v, _w, _h = sympy.symbols("p q v w h", real=True)
_a, _b, _c, _rho = sympy.symbols("a b c rho", nonnegative=True)
_n = sympy.Symbol("n", integer=True, nonnegative=True)
#: Number of classes, at least two.
_number = _n + 2


# -- the plane ------------------------------------------------------------------------------------


@proof("gnc:theorem-3.3", "printed", "d = 2", INNER_PRODUCT, COUNTING, CONCAVE, MEANS)
def planar_codes(claim: Claim) -> Iterator[Step]:
    """The distance of each point from its neighbours; the log of the sine is concave."""
    yield from neighbours()
    yield from log_sine()
    yield assumes(claim, steps="positive", h="real")

    def sides(steps: Any, h: Any) -> Sides:
        w, best, cut, distances = planar_code(steps)
        rho = least(distances)
        return {
            "best directions": (margin(w, best), rho),
            "any directions": (margin(w, directions(h)), rho),
            "optimum": (rho, polygon(len(steps)) * balls.exp(-uneven(cut))),
        }

    points = [
        {**instance, **point(h=[[k + 1, 2 - k] for k in range(len(instance["steps"]))])}
        for instance in STEPS
    ]
    yield tie("the claim compares these", claim, points, sides, ("best directions",))


@proof("gnc:theorem-3.6", "printed", "d = 2", INNER_PRODUCT, COUNTING, CONCAVE, MEANS)
def planar_mean(claim: Claim) -> Iterator[Step]:
    """The distances multiply to at most the K-th power of the optimum."""
    yield from neighbours()
    yield from log_sine()
    yield assumes(claim, steps="positive")

    def sides(steps: Any) -> Sides:
        _, _, cut, distances = planar_code(steps)
        product = balls.ball(1)
        for distance in distances:
            product = product * (distance / polygon(len(steps)))
        return {"geometric mean": (product, balls.exp(-len(steps) * uneven(cut)))}

    yield tie("the claim compares these", claim, STEPS, sides)


@proof("gnc:theorem-3.8", "printed", "d = 2", INNER_PRODUCT, COUNTING, CONCAVE, MEANS)
def planar_tammes(claim: Claim) -> Iterator[Step]:
    """The spread is the margin of h = w, which is no better than the best directions."""
    yield own_directions()
    yield from neighbours()
    yield from log_sine()
    yield assumes(claim, steps="positive")

    def sides(steps: Any) -> Sides:
        w, best, cut, _ = planar_code(steps)
        return {
            "one-vs-one": (spread(w), margin(w, best)),
            "one-vs-rest": (margin(w, best), polygon(len(steps)) * balls.exp(-uneven(cut))),
        }

    yield tie("the claim compares these", claim, STEPS, sides)


# -- K <= d + 1 -----------------------------------------------------------------------------------


def pairs_of_a_code() -> Iterator[Step]:
    """The mean of 1 - <y_k, y_j> over the pairs of K = n + 2 unit vectors of sum S, a = |S|^2.

    Some simplex of K points exists for K <= d + 1: `bnwd:definition-1.1`, corrected.
    """
    pairs = _number * (_number - 1)
    yield identity(
        "the sum of <y_k, y_j> over ordered pairs is a - K: the mean is K/(K-1) - a/(K (K-1))",
        (pairs - (_a - _number)) / pairs,
        _number / (_number - 1) - _a / pairs,
    )
    yield identity(
        "which is (K^2 - a)/(K (K-1))",
        _number / (_number - 1) - _a / pairs,
        (_number**2 - _a) / pairs,
    )
    named = symbolic.symbols(simplex_bound)
    yield identity(
        "K/(K-1) is the simplex bound",
        symbolic.expression(simplex_bound).subs(named["K"], _number),
        _number / (_number - 1),
    )
    yield nonnegative(
        "K (K-1)/2 gaps are at least rho: one of them exceeds rho at most by the sum, K (K-1)/2 "
        "(K/(K-1) - rho) less a/2 and less what the others exceed rho by, b",
        pairs / 2 * (_number / (_number - 1) - _rho)
        - ((_number**2 - _a) / 2 - pairs / 2 * _rho - _b),
        [_a / 2 + _b],
    )


@proof("gnc:theorem-3.3", "corrected", "K <= d + 1, by inner products", INNER_PRODUCT, COUNTING)
def simplices(claim: Claim) -> Iterator[Step]:
    """The midpoints have nearly the inner products of a simplex, and lengths r near 1.

    The least gap, rho, is at most the mean over the pairs.
    """
    yield from folding()
    yield from midpoints_apart()
    yield from rigidity()
    yield from pairs_of_a_code()
    r1, r2, t = sympy.symbols("r_1 r_2 t", real=True)
    yield identity(
        "sum over ordered pairs of r_k r_j (1 - <Y_k, Y_j>) = (sum r)^2 - |sum r Y|^2, for two",
        2 * r1 * r2 * (1 - t),
        (r1 + r2) ** 2 - inner((r1 * _p + r2 * _q) ** 2, {_p**2: 1, _q**2: 1, _p * _q: t}),
    )
    mean = sympy.Symbol("mean", nonnegative=True)
    yield nonnegative(
        "K (K-1) rho <= K^2 mean^2: K^2 mean^2 = K (K-1) rho + a gives rho <= K/(K-1) mean^2",
        (_number * (_number - 1) * _rho + _a) / (_number * (_number - 1)) - _rho,
        [_a, 1 / (_number * (_number - 1))],
    )
    yield identity(
        "mean r = 1 - mean |w - Y|^2/2, as |w - Y|^2 = 2 (1 - r)", 1 - 2 * (1 - mean) / 2, mean
    )
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code = directions(w)
        fold = folded(code, directions(h))
        y = [sums(a, b) for a, b in zip(code, fold, strict=True)]
        Y, K = directions(y), len(w)
        rho, best = margin(code, fold), balls.ball(Fraction(K, K - 1))
        widest = -least(-apart(Y, k, j) for k, j in others(K))
        mean_length = sum((norm(x) / 2 for x in y), balls.ball(0)) / K
        return {
            "optimum": (rho, whole_spread(Y)),
            "pairs": (widest, rho + K * (K - 1) * (best - rho) / 2),
            "weights": (rho, best * mean_length * mean_length),
        }

    yield tie("the claim compares these", claim, CODES, sides)


def whole_spread(code: Any) -> Any:
    """(K^2 - |S|^2)/(K (K-1))."""
    K = len(code)
    total = [sum((row[i] for row in code), balls.ball(0)) for i in range(len(code[0]))]
    return (K * K - dot(total, total)) / (K * (K - 1))


@proof("gnc:theorem-3.6", "printed", "K <= d + 1", INNER_PRODUCT, COUNTING)
def simplex_mean(claim: Claim) -> Iterator[Step]:
    """A distance is at most that to the mean m_k of the others: w_k - m_k = (K w_k - S)/(K-1)."""
    yield from weak_duality()
    S = sympy.Symbol("S", real=True)
    square = inner(
        ((_number * _w - S) / (_number - 1)) ** 2,
        {_w**2: 1, S * _w: _a / _number, S**2: _a},
    )
    yield identity(
        "the mean over k of |w_k - m_k|^2 is (K^2 - |S|^2)/(K-1)^2, that of <w_k, S> being |S|^2/K",
        square,
        (_number**2 - _a) / (_number - 1) ** 2,
    )
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code, given, K = directions(w), directions(h), len(w)
        own = [own_least(code, given[k], k).max(balls.ball(0)) for k in range(K)]
        mean = sum((x * x for x in own), balls.ball(0)) / K
        return {"mean square": (mean, whole_spread(code) * K / (K - 1))}

    yield tie("the claim compares these", claim, CODES, sides)


@proof("gnc:theorem-3.8", "printed", "K <= d + 1", COUNTING)
def simplex_tammes(claim: Claim) -> Iterator[Step]:
    """The least of the pairs against their mean."""
    yield from pairs_of_a_code()
    yield assumes(claim, w="real")

    def sides(w: Any) -> Sides:
        code, K = directions(w), len(w)
        mu, best = spread(code), balls.ball(Fraction(K, K - 1))
        widest = -least(-apart(code, k, j) for k, j in others(K))
        return {
            "one-vs-one": (mu, whole_spread(code)),
            "pairs": (widest, mu + K * (K - 1) * (best - mu) / 2),
        }

    points = [{"w": instance["w"]} for instance in CODES]
    yield tie("the claim compares these", claim, points, sides)


# -- K >= d + 2 -----------------------------------------------------------------------------------


def rankin() -> Iterator[Step]:
    """K >= d + 2 vectors in R^d do not have negative inner products all.

    If they had, project all but one, v, on its complement: K - 1 vectors in one dimension less,
    again of negative inner products. At last there are three numbers.
    """
    yield nonnegative(
        "<p, q> = -a, <p, v> = -b, <q, v> = -c: -<p', q'> >= a for the projections p' = p + b v "
        "and q' = q + c v, v a unit vector",
        -inner(
            (_p + _b * _v) * (_q + _c * _v), {_v**2: 1, _p * _q: -_a, _p * _v: -_b, _q * _v: -_c}
        )
        - _a,
        [_b * _c],
    )
    yield nonnegative(
        "on a line the product of three pairwise products is a square: not all are negative",
        (_p * _q) * (_q * _v) * (_p * _v),
        [(_p * _q * _v) ** 2],
    )


def touching() -> Iterator[Step]:
    """For each unit vector w_k of K >= d + 2 there are others with <w_i', w_j'> >= 0.

    The projections w' of the other K - 1 >= (d - 1) + 2 on the complement of w_k, which has d - 1
    dimensions, do not have negative inner products all; for d = 1 they are zero.
    """
    yield from rankin()
    x, y = sympy.symbols("x y", real=True)
    yield identity(
        "<w_i', w_j'> = <w_i, w_j> - <w_i, w_k> <w_j, w_k>",
        inner((_p - x * _v) * (_q - y * _v), {_v**2: 1, _p * _v: x, _q * _v: y}),
        _p * _q - x * y,
    )


def at_most_one() -> Iterator[Step]:
    """Some <Y_k, Y_j> >= 0 by Rankin, and 1 - <Y_k, Y_j> >= rho: no margin exceeds 1."""
    yield from folding()
    yield from midpoints_apart()
    yield from rankin()
    yield nonnegative("1 - a <= 1", 1 - (1 - _a), [_a])


@proof("gnc:theorem-3.3", "printed", "d + 1 < K <= 2d", INNER_PRODUCT)
def cross_polytope(claim: Claim) -> Iterator[Step]:
    """Rankin's bound for the midpoints; the vertices have inner products 0 and -1, 0 among them."""
    yield from at_most_one()
    yield own_directions()
    x, y, both, n = sympy.symbols("x y both n", positive=True)
    yield identity(
        "reflections keep inner products: <x - 2 <v,x> v/n, y - 2 <v,y> v/n>, n = |v|^2",
        both - 2 * x * y / n - 2 * x * y / n + 4 * x * y * n / n**2,
        both,
    )
    yield assumes(claim, w="real", h="real", mirrors="real")

    def sides(w: Any, h: Any, mirrors: Any) -> Sides:
        one = balls.ball(1)
        return {
            "at most 1": (margin(directions(w), directions(h)), one),
            "vertices": (one, one),
        }

    points = [
        point(
            w=[[1, 0], [2, 1], [-1, 1], [0, -1]],
            h=[[1, 1], [2, 1], [-1, 2], [0, -1]],
            mirrors=[[1, 2], [3, -1]],
        )
    ]
    yield tie("the claim compares these", claim, points, sides, ("vertices",))


_MANY = [
    point(w=[[1, 0], [2, 1], [-1, 1], [0, -1]], h=[[1, 1], [2, 1], [-1, 2], [0, -1]]),
    point(w=[[1], [-1], [3]], h=[[2], [-1], [1]]),
    point(
        w=[[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [1, 2, 3]],
        h=[[1, 0, 1], [-1, 0, 0], [0, 1, 0], [0, -1, -1], [1, 2, 3]],
    ),
]


@proof("gnc:remark-orthoplex", "printed", "K >= d + 2", INNER_PRODUCT)
def orthoplex(claim: Claim) -> Iterator[Step]:
    """Rankin's bound for the code, and for the midpoints of any code and directions."""
    yield from at_most_one()
    yield own_directions()
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code, zero = directions(w), balls.ball(0)
        largest = 1 - spread(code)
        own = least(gap(code, code, k, j) for k, j in others(len(w)))
        return {
            "Rankin": (zero, largest),
            "margin": (own, 1 - largest),
            "optimum": (margin(code, directions(h)), balls.ball(1)),
        }

    yield tie("the claim compares these", claim, _MANY, sides, ("margin",))


@proof("gnc:theorem-3.6", "sharp", "K <= 2d")
def everyone_touches(claim: Claim) -> Iterator[Step]:
    """Rankin's bound in the complement of each vector."""
    yield from touching()
    yield nonnegative(
        "if no inner product is positive: -a >= <w_i, w_k> <w_j, w_k> = b c makes both 0",
        _b * _c,
        [_b * _c],
    )
    yield assumes(claim, w="real")

    def sides(w: Any) -> Sides:
        code, K, found = directions(w), len(w), []
        for k in range(K):
            seen = [
                dot(code[i], code[k]) * dot(code[j], code[k]) - dot(code[i], code[j])
                for i, j in others(K)
                if k not in (i, j)
            ]
            found.append(-least(seen))
        return {"each class": ([balls.ball(0)] * K, found)}

    points = [{"w": instance["w"]} for instance in _MANY]
    yield tie("the claim compares these", claim, points, sides)


@proof("gnc:theorem-3.8", "sharp", "K <= 2d", INNER_PRODUCT)
def weights_at_midpoints(claim: Claim) -> Iterator[Step]:
    """With tau = 1 - rho = q^2: some neighbour has <Y_i, Y_k> >= -q, so r_k >= 1 - q.

    By `touching` there are i, j with <Y_i, Y_k> <Y_j, Y_k> <= <Y_i, Y_j> <= tau; were both below
    -q, their product would exceed tau. Hence the least 1 - <Y_i, Y_k> of the class is x <= 1 + q.
    """
    yield from at_most_one()
    yield from touching()
    yield from rigidity()
    q = sympy.Symbol("q", nonnegative=True)
    more, also = sympy.symbols("more also", positive=True)
    yield nonnegative(
        "(q + more)(q + also) - q^2 > 0",
        (q + more) * (q + also) - q**2,
        [q * more + q * also + more * also],
    )
    yield identity("r_k x >= rho = (1 - q)(1 + q)", (1 - q) * (1 + q), 1 - q**2)
    x, r = sympy.symbols("x r", nonnegative=True)
    yield nonnegative(
        "so (r - (1 - q)) (1 + q) = a + r b >= 0 for r x = rho + a and 1 + q = x + b",
        ((1 - q**2 + _a) + r * _b) - (1 - q**2),
        [_a + r * _b],
    )
    yield identity("|w - Y|^4 = 4 (1 - r)^2, at most 4 q^2", (2 * (1 - r)) ** 2, 4 * (1 - r) ** 2)
    yield nonnegative(
        "q^2 - (1 - r)^2 = (q - (1 - r)) (q + (1 - r)), r = 1 - q + a <= 1",
        (q - (q - _a)) * (q + (1 - r)).subs(r, 1 - x),
        [_a, q + x],
    )
    yield nonnegative("for rho = -a the bound is 4 (1 + a) >= 4", 4 * (1 + _a) - 4, [4 * _a])
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code = directions(w)
        fold = folded(code, directions(h))
        Y = directions([sums(a, b) for a, b in zip(code, fold, strict=True)])
        rho = margin(code, fold)
        differences = [sums(a, b, -1) for a, b in zip(code, Y, strict=True)]
        squares = [dot(x, x) for x in differences]
        return {
            "midpoints": (rho, spread(Y)),
            "weights": ([s * s for s in squares], [4 * (1 - rho)] * len(w)),
        }

    yield tie("the claim compares these", claim, _MANY, sides)
