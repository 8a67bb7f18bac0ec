"""Proofs about the HardMax problem: one-vs-rest distances, optimal features, self-duality.

The one inequality behind all of them: for p_k in the hull of the other w_j and a unit h, the least
``<w_k - w_j, h>`` is at most its mean ``<w_k - p_k, h>``, which is at most ``|w_k - p_k|``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import COUNTING, INNER_PRODUCT, PROJECTION
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
    pair_identity,
    rigidity,
    spread,
    sums,
    turning,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.vectors import dot, norm

Sides = dict[str, tuple[Any, Any]]

_w, _wj, _p, _h, _e = sympy.symbols("w w_j p h e", real=True)
_a, _b = sympy.symbols("a b", nonnegative=True)
_length = sympy.Symbol("L", positive=True)
_m = sympy.Symbol("m", real=True)


# -- steps that several proofs share --------------------------------------------------------------


def weak_duality() -> Iterator[Step]:
    """min_j <w - w_j, h> <= <w - p, h> <= |w - p| for p = sum z_j w_j, z >= 0 of sum 1, unit h."""
    z, z2, x, y = sympy.symbols("z z_2 x y", nonnegative=True)
    yield nonnegative(
        "<w - p, h> - m is the mean of the <w - w_j, h> - m >= 0 with weights z_j",
        z * x + z2 * y,
        [z * x + z2 * y],
    )
    yield identity(
        "|w - p| - <w - p, h> >= 0 for a unit h: |(w-p) - L h|^2 = 2 L (L - <w-p, h>), L = |w - p|",
        inner((_e - _length * _h) ** 2, {_e**2: _length**2, _h**2: 1}),
        2 * _length * (_length - _e * _h),
    )


def away_from_the_point() -> Iterator[Step]:
    """e = (w - p)/|w - p|: its least gap is |w - p| less what the others exceed p by."""
    yield identity(
        "<w - w_j, e> = <w - p, e> - <w_j - p, e>",
        (_w - _wj) * _e,
        (_w - _p) * _e - (_wj - _p) * _e,
    )
    yield identity(
        "<w - p, e> = |w - p| for e = (w - p)/L", (_length * _e) * _e - _length * (_e**2), 0
    )
    z, z2, x, y = sympy.symbols("z z_2 x y", real=True)
    yield identity(
        "the mean of <w_j - p, e> under the weights of p is 0: the largest is >= 0, and by the "
        "projection fact it is 0 at the projection",
        (z * (x - (z * x + z2 * y)) + z2 * (y - (z * x + z2 * y))).subs(z2, 1 - z),
        0,
    )


# -- instances in balls, by plain loops -----------------------------------------------------------


def hull_point(w: Any, z: Any, k: int) -> list[Any]:
    """The point of the hull of the rows but the k-th with weights z_k."""
    rest = [row for j, row in enumerate(w) if j != k]
    total = balls.ball(sum(z[k]))
    return [
        sum((balls.ball(a) * row[i] for a, row in zip(z[k], rest, strict=True)), balls.ball(0))
        / total
        for i in range(len(w[0]))
    ]


def in_balls(rows: Any) -> list[list[Any]]:
    """Rows as balls."""
    return [[balls.ball(x) for x in row] for row in rows]


def own_least(w: Any, h: Any, k: int) -> Any:
    """min_j <w_k - w_j, h> of one direction h."""
    return least(dot(sums(w[k], row, -1), h) for j, row in enumerate(w) if j != k)


def away(w: Any, z: Any, k: int) -> tuple[Any, list[Any], Any]:
    """|w_k - p_k|, the direction e_k, and max_j <w_j - p_k, e_k>."""
    p = hull_point(w, z, k)
    difference = sums(w[k], p, -1)
    length = norm(difference)
    e = [x / length for x in difference]
    largest = -least(-dot(sums(row, p, -1), e) for j, row in enumerate(w) if j != k)
    return length, e, largest


_WEIGHTED = [
    point(
        w=[[1, 0], [0, 1], [-1, 0]],
        z=[[1, 1], [1, 1], [1, 2]],
        h=[[[2, 1], [1, 0]], [[0, 1], [1, 5]], [[-1, 0], [-1, 1]]],
    ),
    point(
        w=[[1, 2, 2], [0, -1, 1], [2, -1, 0]],
        z=[[1, 0], ["1/2", 3], [0, 1]],
        h=[[[1, 2, 3]], [[0, -1, 1]], [[2, -1, -1]]],
    ),
    point(w=[[3], [-1]], z=[[1], [2]], h=[[[1], [2]], [[-1], [1]]]),
]


def _one_sample(instance: dict[str, Any]) -> dict[str, Any]:
    return {**instance, "h": [rows[0] for rows in instance["h"]]}


# -- the statements -------------------------------------------------------------------------------


@proof("gnc:definition-2.1", "sharp", "enclosed from both sides", INNER_PRODUCT, PROJECTION)
def enclosed(claim: Claim) -> Iterator[Step]:
    """Weak duality, and the direction away from a point of the hull."""
    yield from weak_duality()
    yield from away_from_the_point()
    yield assumes(claim, w="real", z="nonnegative", h="real")

    def sides(w: Any, z: Any, h: Any) -> Sides:
        rows, given = in_balls(w), directions(h)
        found = [away(rows, z, k) for k in range(len(w))]
        return {
            "any direction": (
                [own_least(rows, given[k], k) for k in range(len(w))],
                [length for length, _, _ in found],
            ),
            "direction away from the point": (
                [own_least(rows, e, k) for k, (_, e, _) in enumerate(found)],
                [length - largest for length, _, largest in found],
            ),
        }

    points = [_one_sample(instance) for instance in _WEIGHTED]
    exact = ("direction away from the point",)
    yield tie("the claim compares these", claim, points, sides, exact)


@proof("gnc:theorem-3.2", "printed", "an element of the maximisers", INNER_PRODUCT, PROJECTION)
def optimal_classifier(claim: Claim) -> Iterator[Step]:
    """-rho(W) <= HardMax(W, H), with equality for the directions from the projections.

    So -rho(W*) <= HardMax(W*, H*) <= HardMax(V, E) = -rho(V) for every code V without equal
    vectors; and where all codes have some, rho is 0 for all.
    """
    yield from weak_duality()
    yield from away_from_the_point()
    yield assumes(claim, w="real", h="real", z="nonnegative")

    def sides(w: Any, h: Any, z: Any) -> Sides:
        code = directions(w)
        classes = range(len(w))
        found = [away(code, z, k) for k in classes]
        margins = [own_least(code, x, k) for k in classes for x in directions(h[k])]
        return {
            "any features": (least(margins), least(length for length, _, _ in found)),
            "directions away": (
                -least(own_least(code, found[k][1], k) for k in classes),
                -least(length - largest for length, _, largest in found),
            ),
        }

    yield tie("the claim compares these", claim, _WEIGHTED, sides, ("directions away",))


@proof("gnc:theorem-3.5", "corrected", "optimum above zero", INNER_PRODUCT, PROJECTION)
def collapse(claim: Claim) -> Iterator[Step]:
    """rho |h - e|^2 = 2 (rho - <w - p, h>) for rho e = w - p, and <w - p, h> is at least m."""
    yield from weak_duality()
    yield identity(
        "L |h - e|^2 = 2 (L - <L e, h>)",
        _length * inner((_h - _e) ** 2, {_h**2: 1, _e**2: 1}),
        2 * (_length - _length * _e * _h),
    )
    yield nonnegative(
        "<w - p, h> = m + a, a >= 0: 2 (L - m) - 2 (L - <w - p, h>)",
        2 * (_length - _m) - 2 * (_length - (_m + _a)),
        [2 * _a],
    )
    yield assumes(claim, w="real", h="real", z="nonnegative")

    def sides(w: Any, h: Any, z: Any) -> Sides:
        code = directions(w)
        left, right = [], []
        for k in range(len(w)):
            length, e, _ = away(code, z, k)
            for feature in directions(h[k]):
                difference = sums(feature, e, -1)
                left.append(length * dot(difference, difference))
                right.append(2 * (length - own_least(code, feature, k)))
        return {"features": (left, right)}

    yield tie("the claim compares these", claim, _WEIGHTED, sides)


@proof("gnc:definition-3.4", "sharp", "rattlers of both problems", INNER_PRODUCT)
def same_rattlers(claim: Claim) -> Iterator[Step]:
    """The mean of both gaps of a pair is at most 1 - <Y_k, Y_j>; each is at least its class's."""
    yield from pair_identity()
    yield from turning()
    x = sympy.Symbol("x", nonnegative=True)
    yield nonnegative(
        "x = 1 - <Y_k, Y_j> is no less than r_k r_j x, r_k r_j = 1/(1+b), which is no less than "
        "the mean of the gaps",
        x - x / (1 + _b),
        [x, _b / (1 + _b)],
    )
    yield own_directions()
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code = directions(w)
        fold = folded(code, directions(h))
        Y = directions([sums(a, b) for a, b in zip(code, fold, strict=True)])
        K = len(w)
        own = [own_least(code, fold[k], k) for k in range(K)]
        return {
            "Softmax to Tammes": (
                [(own[k] + own[j]) / 2 for k, j in others(K)],
                [apart(Y, k, j) for k, j in others(K)],
            ),
            "Tammes to Softmax": (
                [own_least(code, code[k], k) for k in range(K)],
                [least(apart(code, k, j) for j in range(K) if j != k) for k in range(K)],
            ),
        }

    yield tie("the claim compares these", claim, CODES, sides, ("Tammes to Softmax",))


@proof("gnc:eq-10", "printed", "objective and optimal value", INNER_PRODUCT, COUNTING)
def self_dual_objective(claim: Claim) -> Iterator[Step]:
    """h = w has the gaps 1 - <w_k, w_j>; and the midpoints are spread at least by the margin."""
    yield own_directions()
    yield from folding()
    yield from midpoints_apart()
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code = directions(w)
        classes = range(len(w))
        first = folded(code, directions([rows[0] for rows in h]))
        Y = directions([sums(a, b) for a, b in zip(code, first, strict=True)])
        given = least(own_least(code, x, k) for k in classes for x in directions(h[k]))
        return {
            "objective": (-least(gap(code, code, k, j) for k, j in others(len(w))), -spread(code)),
            "no loss": (given.max(balls.ball(0)), spread(Y)),
        }

    points = [{key: x for key, x in instance.items() if key != "z"} for instance in _WEIGHTED]
    yield tie("the claim compares these", claim, points, sides, ("objective",))


@proof("gnc:eq-11", "printed", "objective", INNER_PRODUCT)
def tammes_objective(claim: Claim) -> Iterator[Step]:
    """1 - <w_k, w_j> is half the squared distance; the nearest point is in the hull."""
    yield own_directions()
    yield from weak_duality()
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code = directions(w)
        nearest = least(norm(sums(code[k], code[j], -1)) for k, j in others(len(w)))
        return {
            "objective": (-spread(code), -nearest * nearest / 2),
            "one-vs-rest": (margin(code, directions(h)), nearest),
        }

    yield tie("the claim compares these", claim, CODES, sides, ("objective",))


@proof("gnc:theorem-3.7", "printed", "no rattlers", INNER_PRODUCT)
def self_duality(claim: Claim) -> Iterator[Step]:
    """|w - h|^2 = 4 (1 - r^2) with r x >= rho for the least 1 - <Y_k, Y_j> = x of the class.

    If the optimal codes of both problems are the same and none rattles, x = rho in each optimal
    (W, H), so h = w. If h = w in each, the margin of each is the spread of W, so W is optimal for
    the Tammes problem; and every Tammes-optimal code is a Softmax code.
    """
    yield from folding()
    yield from midpoints_apart()
    yield from rigidity()
    c = sympy.Symbol("c", real=True)
    yield identity(
        "|w - h|^2 = 2 - 2 c and 4 (1 - r^2) with r^2 = (1 + c)/2, c = <w, h>",
        inner((_w - _h) ** 2, {_w**2: 1, _h**2: 1, _w * _h: c}),
        4 * (1 - (1 + c) / 2),
    )
    rho = sympy.Symbol("rho", nonnegative=True)
    x, r = sympy.symbols("x r", nonnegative=True)
    yield identity(
        "4 (x^2 - rho^2) - 4 x^2 (1 - r^2) = 4 (r^2 x^2 - rho^2)",
        4 * (x**2 - rho**2) - 4 * x**2 * (1 - r**2),
        4 * ((r * x) ** 2 - rho**2),
    )
    yield nonnegative(
        "which is >= 0 for r x = rho + a, also with 0 for a negative rho",
        4 * ((rho + _a) ** 2 - rho**2),
        [4 * _a * (2 * rho + _a)],
    )
    yield own_directions()
    yield assumes(claim, w="real", h="real")

    def sides(w: Any, h: Any) -> Sides:
        code = directions(w)
        fold = folded(code, directions(h))
        Y = directions([sums(a, b) for a, b in zip(code, fold, strict=True)])
        K = len(w)
        rho = margin(code, fold).max(balls.ball(0))
        nearest = [least(apart(Y, k, j) for j in range(K) if j != k) for k in range(K)]
        differences = [sums(a, b, -1) for a, b in zip(code, fold, strict=True)]
        return {
            "features": (
                [g * g * dot(x, x) for g, x in zip(nearest, differences, strict=True)],
                [4 * (g * g - rho * rho) for g in nearest],
            ),
            "spread": (margin(code, code), spread(code)),
        }

    yield tie("the claim compares these", claim, CODES, sides, ("spread",))
