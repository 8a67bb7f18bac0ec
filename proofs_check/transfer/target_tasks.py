"""Proofs about averages over source classes, and about the error of new tasks by their CDNV."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product
from math import comb
from typing import Any

import sympy
from sympy import log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.transfer import target_tasks as theory
from proofs_check.facts import TRIANGLE
from proofs_check.steps import (
    Fact,
    Step,
    assumes,
    cases,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)
from proofs_check.transfer.cdnv import INDEPENDENT, MARKOV, UNION, saturation
from proofs_check.transfer.points import class_errors, mean, minus, square, variance

Sides = dict[str, tuple[Any, Any]]
HOEFFDING_PAIRS = Fact(
    "Hoeffding's inequality for means over pairs",
    "If a mean over pairs is a mean, over orders, of means of k disjoint pairs that are "
    "independent (of independent draws, or k = 1), with values in [0, c], it falls short of its "
    "expectation by c (log(1/delta)/(2 k))^(1/2) with probability at most delta.",
    "W. Hoeffding, J. Amer. Statist. Assoc. 58 (1963), Section 5a",
)

_x, _y = sympy.symbols("x y", nonnegative=True)


@proof(
    "review:remark-source-cdnv",
    "corrected",
    "the average over pairs, and how far it is off",
    HOEFFDING_PAIRS,
)
def source_average(claim: Claim) -> Iterator[Step]:
    """Every pair is in equally many draws, and in equally many orders at one place."""
    S, s = sympy.symbols("S s", positive=True)
    yield cases(
        "a pair is in binomial(S-2, s-2) of the draws",
        {
            f"S = {a}, s = {b}": sum({0, 1} <= set(draw) for draw in combinations(range(a), b))
            == comb(a - 2, b - 2)
            for a in range(2, 7)
            for b in range(2, a + 1)
        },
    )
    yield identity(
        "which is s(s-1)/(S(S-1)) of all: the mean of the averages is the mean over all pairs",
        sympy.expand_func(sympy.gammasimp(sympy.binomial(S - 2, s - 2) / sympy.binomial(S, s))),
        s * (s - 1) / (S * (S - 1)),
    )
    yield identity(
        "each ordered pair stands at a given place in (s-2)! of s! orders",
        sympy.gammasimp(sympy.factorial(s - 2) / sympy.factorial(s)),
        1 / (s * (s - 1)),
    )
    v, least = sympy.symbols("v least", positive=True)
    yield nonnegative(
        "(v_1 + v_2)/(2 D^2) <= v/least for v_1 = v - x, v_2 = v - y, D^2 = least",
        v / least - (2 * v - _x - _y) / (2 * least),
        [_x + _y, 1 / (2 * least)],
    )
    yield nonnegative("and less for a larger distance", v / least - v / (least + _x), [
        v, _x, 1 / least, 1 / (least + _x)
    ])  # fmt: skip
    half = sympy.Symbol("half", positive=True, integer=True)
    yield nonnegative(
        "2 floor(s/2) = s - 1 for odd s, s for even s", 2 * half - (2 * half - 1), [1]
    )
    f = symbolic.symbols(theory.source_bound)
    yield identity(
        "the bound as a formula",
        symbolic.expression(theory.source_bound),
        f["V"] + f["spread"] / f["distance"] ** 2 * sqrt(log(1 / f["delta"]) / (f["s"] - 1)),
    )
    yield assumes(claim, centres="real", spreads="nonnegative", delta="proportion")
    given = [
        point(centres=[[0], [1], [3]], spreads=[1, 0, 2], delta="1/3"),
        point(centres=[[0, 1], [1, 0], [3, 3], [-2, 1]], spreads=[1, 2, 0, "1/2"], delta="3/4"),
    ]
    yield tie(
        "the claim compares these",
        claim,
        given,
        _source_sides,
        ("on average", "by disjoint pairs"),
    )


@proof(
    "review:eq-54",
    "printed",
    "nearest class means, up to scaling",
    TRIANGLE,
    MARKOV,
    UNION,
    INDEPENDENT,
)
def up_to_scaling(claim: Claim) -> Iterator[Step]:
    """An error needs |w - p| + |w - q| >= |D|."""
    u, v, apart = sympy.symbols("u v D", nonnegative=True)
    yield nonnegative(
        "no error while |w - p| + |w - q| < |D|: the other mean is at least |D| - |w - q| away",
        (u + v + _x) - v - u,
        [_x],
    )
    yield nonnegative(
        "2 (u^2 + v^2) >= (u + v)^2", 2 * (u**2 + v**2) - (u + v) ** 2, [(u - v) ** 2]
    )
    yield nonnegative("(u + v)^2 >= D^2 for u + v = D + x", (apart + _x) ** 2 - apart**2, [
        _x, _x + 2 * apart
    ])  # fmt: skip
    own, other = sympy.symbols("a_1 a_2", nonnegative=True)
    n = sympy.Symbol("n", positive=True)
    one, two = (2 * (2 * a + a / n + b / n) for a, b in ((own, other), (other, own)))
    yield identity(
        "the mean over both classes of 2 (2 a_1 + a_1/n + a_2/n), with a_1 + a_2 = 2 V",
        (one + two) / 2,
        4 * (1 + 1 / n) * (own + other) / 2,
    )
    f = symbolic.symbols(theory.linear_transfer_bound)
    yield identity(
        "the bound as a formula",
        symbolic.expression(theory.linear_transfer_bound),
        (f["t"] - 1) * 4 * (1 + 1 / f["n"]) * f["V"],
    )
    yield assumes(claim, points="real")
    yield tie("the claim compares these", claim, _TASKS, _printed_sides)


@proof(
    "review:eq-54",
    "sharp",
    "pair by pair, never more than 1",
    MARKOV,
    UNION,
    INDEPENDENT,
)
def pair_by_pair(claim: Claim) -> Iterator[Step]:
    """Where the other mean is as near, two vectors have an inner product of at most 0."""
    w, p, q, D, a, b = sympy.symbols("w p q D a b", real=True)
    yield identity(
        "|x - m_j|^2 - |x - m_i|^2 = <D - y, D - z>, entry by entry",
        (w - q - D) ** 2 - (w - p) ** 2,
        (D - (p - q)) * (D - (2 * w - p - q)),
    )
    yield identity(
        "|D - a|^2 + |D - b|^2 = |D|^2 + |D - a - b|^2 - 2 <a, b>",
        (D - a) ** 2 + (D - b) ** 2,
        D**2 + (D - a - b) ** 2 - 2 * a * b,
    )
    z, lam = sympy.symbols("z lam", positive=True)
    yield identity(
        "b = (D - z)/(1 + lam): D - b = (lam D + z)/(1 + lam)",
        D - (D - z) / (1 + lam),
        (lam * D + z) / (1 + lam),
    )
    yield identity(
        "its mean square over |D|^2, z of mean 0, at lam = Z", (lam**2 + lam) / (1 + lam) ** 2,
        lam / (1 + lam),
    )  # fmt: skip
    own, other = sympy.symbols("a_1 a_2", nonnegative=True)
    n = sympy.Symbol("n", positive=True)
    yield identity(
        "Z: the mean square of 2w - p - q",
        4 * own + own / n + other / n,
        4 * own + (own + other) / n,
    )
    yield identity(
        "the mean over both classes of Z is (4 + 2/n) V, of Y 2V/n, V = (a_1 + a_2)/2",
        (4 * own + 4 * other + 2 * (own + other) / n) / 2,
        (4 + 2 / n) * (own + other) / 2,
    )
    yield from saturation()
    f = symbolic.symbols(theory.transfer_bound)
    Z, Y = (4 + 2 / f["n"]) * f["V"], 2 * f["V"] / f["n"]
    yield identity(
        "the bound as a formula",
        symbolic.expression(theory.transfer_bound),
        (f["t"] - 1) * (Z / (1 + Z) + Y / (1 + Y)),
    )
    yield assumes(claim, points="real")
    yield tie("the claim compares these", claim, _TASKS, _sharp_sides)


# -- the claims' own sides on exact instances -----------------------------------------------------


def _source_sides(centres: Any, spreads: Any, delta: Any) -> Sides:
    S, delta = len(centres), number(delta)
    apart = {(i, j): square(minus(centres[i], centres[j])) for i, j in combinations(range(S), 2)}
    values = {(i, j): (spreads[i] + spreads[j]) / (2 * d) for (i, j), d in apart.items()}
    whole = sum(values.values()) / Fraction(len(values))
    reach = max(spreads) / min(apart.values())
    averages, firsts, coverages, ball = [], [], [], balls.ball
    for s in range(2, S + 1):
        drawn = [
            sum(values[pair] for pair in combinations(draw, 2)) / Fraction(comb(s, 2))
            for draw in combinations(range(S), s)
        ]
        room = ball(reach) * balls.sqrt(balls.log(ball(1 / delta)) / 2)
        held = [not bool(ball(whole) > ball(average) + room) for average in drawn]
        averages.append(sum(drawn) / len(drawn))
        firsts += [drawn[0]] if s <= 4 else []
        coverages += [Fraction(sum(held), len(held))] if s <= 3 else []
    same = [ball(whole)] * (S - 1)
    return {
        "on average": ([ball(a) for a in averages], same),
        "largest": (ball(max(values.values())), ball(reach)),
        "by disjoint pairs": ([ball(f) for f in firsts], [ball(f) for f in firsts]),
        "probability": ([ball(1 - delta)] * len(coverages), [ball(c) for c in coverages]),
    }


def _expected_error(classes: Any, n: int) -> Any:
    """Error of the nearest mean of n samples a class, over all samples."""
    K, M = len(classes), len(classes[0])
    total, count = Fraction(0), 0
    for draws in product(product(range(M), repeat=n), repeat=K):
        centres = [mean([classes[k][i] for i in draw]) for k, draw in enumerate(draws)]
        total += sum(class_errors(classes, centres)) / K
        count += 1
    return total / count


def _ratios(classes: Any) -> dict[tuple[int, int], Any]:
    K = len(classes)
    return {
        (i, j): variance(classes[i]) / square(minus(mean(classes[i]), mean(classes[j])))
        for i in range(K)
        for j in range(K)
        if i != j
    }


_NAMES = {
    (2, 1): "two classes, one sample",
    (2, 2): "two classes, two samples",
    (3, 1): "three classes, one sample",
}


def _chosen(points: Any, t: int) -> list[Any]:
    return [points[:3]] if t == 3 else [points[i : i + 2] for i in range(min(len(points), 4) - 1)]


def _average(values: Any) -> Any:
    found = list(values)
    return sum(found) / Fraction(len(found))


def _printed_sides(points: Any) -> Sides:
    found = {}
    for (t, n), name in _NAMES.items():
        tasks = _chosen(points, t)
        V = _average(_average(_ratios(task).values()) for task in tasks)
        error = _average(_expected_error(task, n) for task in tasks)
        factor = 4 * (min(t, len(points)) - 1) * (1 + Fraction(1, n))
        found[name] = (balls.ball(error), balls.ball(factor * V))
    return found


def _sharp_sides(points: Any) -> Sides:
    def share(Z: Any, Y: Any) -> Any:
        return Z / (1 + Z) + Y / (1 + Y)

    found: Sides = {}
    for (t, n), name in _NAMES.items():
        tasks, capped, whole, values = _chosen(points, t), [], [], []
        for task in tasks:
            ratios = _ratios(task)
            each = [
                share(4 * a + (a + ratios[j, i]) / n, (a + ratios[j, i]) / n)
                for (i, j), a in ratios.items()
            ]
            capped.append(sum(min(e, Fraction(1)) for e in each) / len(task))
            whole.append(sum(each) / len(task))
            values.append(_average(ratios.values()))
        V, error = _average(values), _average(_expected_error(task, n) for task in tasks)
        bound = (min(t, len(points)) - 1) * share((4 + Fraction(2, n)) * V, 2 * V / n)
        ball = balls.ball
        found[name] = (ball(error), ball(_average(capped)))
        found[f"{name}, by the mean"] = (ball(_average(whole)), ball(bound))
    return found


_TASKS = [
    point(points=[[[0], [1]], [[3], [5]]]),
    point(points=[[[0, 0], [1, 1]], [[4, 0], [5, 2]], [[0, 5], [2, 7]]]),
]
