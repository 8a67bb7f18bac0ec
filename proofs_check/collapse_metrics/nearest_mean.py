"""Proofs about NC4, the rule of the nearest class mean, and collapsed networks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate, product
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.collapse_metrics import nearest_mean
from ncbounds.theory.terms import Claim
from proofs_check.collapse_metrics.sides import (
    K,
    Sides,
    centred,
    expression,
    first_largest,
    inner_products,
    minus,
    plus,
    simplex,
    square_of,
    three_rules,
    times,
)
from proofs_check.facts import CAUCHY_SCHWARZ, PSEUDO_INVERSE
from proofs_check.steps import (
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
from proofs_check.vectors import dot, mean

_gap = sympy.Symbol("gap", nonnegative=True)


_PAIRS = tuple(product(range(3), repeat=2))


def _triangle() -> Step:
    """Three names of classes show all that three rules can do on one feature."""
    found = {
        f"{p}{q}{r}": int(p != q) <= int(q != r) + int(p != r)
        for p, q, r in product(range(3), repeat=3)
    }
    return cases("if two rules differ, the third differs from one of them", found)


@proof("review:eq-9", "corrected", "a distance of two rules")
def triangle(claim: Claim) -> Iterator[Step]:
    """Sample by sample, then the mean."""
    yield _triangle()
    yield assumes(claim, f="real", a="real", b="real")
    points = [
        point(f=[[[1], [2]], [[-1], [3]]], a=[[1], [-1]], b=[0, 1]),
        point(f=[[[1, 0]], [[0, 1]], [[2, 2]]], a=[[1, 1], [0, 1], [1, 0]], b=[0, 0, "1/2"]),
    ]

    def sides(f: Any, a: Any, b: Any) -> Sides:
        nc4, of_nearest, error = three_rules(f, a, b)
        return {
            "NC4": (nc4, of_nearest + error),
            "nearest mean": (of_nearest, nc4 + error),
            "training error": (error, nc4 + of_nearest),
        }

    yield tie("the claim compares these", claim, points, sides)


def logits_are_distances() -> Iterator[Step]:
    """With v = x - g: |v - m_j|^2 - |v - m_k|^2 = 2 <v, m_k - m_j> for equal lengths."""
    v, mj, mk, g, t = sympy.symbols("v m_j m_k g t", real=True)
    bk, bj, s = sympy.symbols("b_k b_j s", real=True)
    squares = sympy.expand((v - mj) ** 2 - (v - mk) ** 2).subs({mj**2: s, mk**2: s})
    yield identity("|v - m_j|^2 - |v - m_k|^2, lengths being equal", squares, 2 * v * (mk - mj))
    yield identity(
        "the logits t <x, m_k> + b_k with x = g + v differ by t/2 of that, and of b + t <g, m>",
        t * (g + v) * (mk - mj) + bk - bj,
        t / 2 * (2 * v * (mk - mj)) + (bk + t * g * mk) - (bj + t * g * mj),
    )


@proof("review:eq-9", "sharp", "weights aligned with a simplex ETF, any bias")
def aligned_with_bias(claim: Claim) -> Iterator[Step]:
    """At x = mu_k, v = m_k: |m_k - m_j|^2 = 2 s^2 K/(K-1)."""
    yield from inner_products()
    yield from logits_are_distances()
    s = sympy.Symbol("s", positive=True)
    yield identity("<m_k, m_k - m_j> = s^2 + s^2/(K-1)", s**2 + s**2 / (K - 1), s**2 * K / (K - 1))
    yield assumes(
        claim, mirrors="real", alpha="positive", offset="real", t="positive", b="real", x="real"
    )
    points = [
        point(mirrors=[[1, 2]], alpha=2, offset=[1, 1], t=3, b=[1, 0], x=[2, -1]),
        point(mirrors=[[1, 0], [1, 1]], alpha=1, offset=[0, 2], t="1/2", b=[0, 1, 3], x=[1, 1]),
    ]
    equalities = ("at a class mean", "anywhere")
    yield tie("the claim compares these", claim, points, _aligned_sides, equalities)


def _aligned_sides(mirrors: Any, alpha: Any, offset: Any, t: Any, b: Any, x: Any) -> Sides:
    m, factor = simplex(mirrors, alpha), balls.ball(number(t))
    classes = len(m)
    own = number(t) * square_of(alpha, classes) * Fraction(classes, classes - 1)
    logits = [factor * dot(row, x) + balls.ball(c) for row, c in zip(m, b, strict=True)]
    found = [logits[k] - logits[j] for k in range(classes) for j in range(classes) if j != k]
    means = [own] * len(found)
    return {"at a class mean": (means, means), "anywhere": (found, found)}


# -- collapsed ------------------------------------------------------------------------------------


@proof("review:remark-collapsed", "corrected", "no training error")
def unseen_deviations(claim: Claim) -> Iterator[Step]:
    """Features (mu_k, e) with deviations e of mean zero: the class mean is (mu_k, 0)."""
    total, n = sympy.symbols("total n", positive=True)
    yield identity("deviations add up to zero", total - n * (total / n), 0)
    k, j, e = sympy.symbols("mu_k mu_j e", real=True)
    yield identity(
        "|(mu_k - mu_j, e)|^2 - |e|^2 = |mu_k - mu_j|^2", (k - j) ** 2 + e**2 - e**2, (k - j) ** 2
    )
    between, other = sympy.symbols("between other", positive=True)
    yield nonnegative(
        "which is positive: the first coordinates differ by positive gaps",
        between**2 + other**2,
        [between**2 + other**2],
    )
    yield cases(
        "so the own mean is nearest, whichever its place, and the rule names the label",
        {
            f"{own} of {size}": first_largest([Fraction(own == c) for c in range(size)]) == own
            for size in range(2, 6)
            for own in range(size)
        },
    )
    yield cases(
        "a rule that is always right differs from the last layer where that errs",
        {f"{said} {true}": (said != true) == (true != said) for said, true in _PAIRS},
    )
    yield assumes(claim, gaps="positive", rest="real", r="real", a="real", of_rest="real", b="real")
    points = [
        point(
            gaps=[1, 2],
            rest=[[0], [1]],
            r=[[[1], [3]], [[0], [2]]],
            a=[[1, 0], [2, 1]],
            of_rest=[[1], [0]],
            b=[0, -3],
        )
    ]
    equalities = ("farther from another mean", "nearest mean", "training error")
    yield tie("the claim compares these", claim, points, _unseen_sides, equalities)


def _unseen_sides(gaps: Any, rest: Any, r: Any, a: Any, of_rest: Any, b: Any) -> Sides:
    means = [[x, *row] for x, row in zip(accumulate(gaps), rest, strict=True)]
    classes, n = len(means), len(r[0])
    apart = [minus(means[k], means[j]) for k in range(classes) for j in range(classes) if j != k]
    between = [dot(row, row) for row in apart for _ in range(n)]
    f = [
        [[*means[k], *e] for e in centred(r[k])]
        for k in range(classes)
    ]  # fmt: skip
    weights = [[*row, *more] for row, more in zip(a, of_rest, strict=True)]
    _, _, error = three_rules(f, weights, b)
    return {
        "farther from another mean": (between, between),
        "nearest mean": (Fraction(0), Fraction(0)),
        "training error": (error, error),
    }


@proof("review:remark-collapsed", "sharp", "one number for NC1, NC2 and the centre")
def one_number(claim: Claim) -> Iterator[Step]:
    """|sum mu|^2 is the sum of all inner products; the mean |mu_k|^2 is alpha^2 less variance."""
    alpha2 = sympy.Symbol("alpha2", positive=True)
    W, centre = sympy.symbols("W centre", nonnegative=True)
    e, m = sympy.symbols("e m", real=True)
    yield identity("the mean of (m + e)^2, e of mean zero", (m + e) ** 2 - 2 * m * e, m**2 + e**2)
    off = (K**2 * centre - K * (alpha2 - W)) / (K * (K - 1))  # mean off the diagonal
    yield identity(
        "K - 1 times the mean of <mu_k, mu_j>/alpha^2 + 1/(K-1)",
        (K - 1) * (off / alpha2 + 1 / (K - 1)),
        W / alpha2 + K * centre / alpha2,
    )
    yield nonnegative("a number is at most its size: |x| + x or |x| - x", 2 * _gap, [2, _gap])
    D = sympy.Symbol("D", nonnegative=True)
    formula = expression(nearest_mean.variability_from_gram, K=K, D=D)
    yield identity("the formula is (K - 1) D", formula, (K - 1) * D)
    yield assumes(claim, f="real")
    points = [
        point(f=[[[1], [2]], [[-1], [3]]]),
        point(f=[[[1, 0]], [[0, 1]], [[2, 2]]]),
    ]
    yield tie("the claim compares these", claim, points, _one_number_sides, ("mean",))


def _one_number_sides(f: Any) -> Sides:
    classes, samples = len(f), [x for rows in f for x in rows]
    means = [mean(rows) for rows in f]
    square = sum(dot(x, x) for x in samples) / Fraction(len(samples))
    within = 1 - sum(dot(m, m) for m in means) / classes / square
    centre = mean(means)
    both = within + classes * dot(centre, centre) / square
    away = [
        abs(dot(means[k], means[j]) / square + Fraction(1, classes - 1))
        for k in range(classes)
        for j in range(classes)
        if j != k
    ]
    return {
        "mean": (both, both),
        "variability and centre": (both, (classes - 1) * sum(away) / len(away)),
    }


@proof(
    "review:remark-collapsed",
    "sharp",
    "training error from NC1 and NC4",
    PSEUDO_INVERSE,
    CAUCHY_SCHWARZ,
)
def error_from_metrics(claim: Claim) -> Iterator[Step]:
    """A feature m_k + x + e, x = S y, is no nearer to m_k than to m_j only if 2 <x, d> >= |d|^2.

    d = m_j - m_k. By Cauchy and Schwarz <x, d>^2 = <y, S d>^2 <= form <d, S d>, form = <y, S y> =
    <x, S^+ x>, and <d, S d> <= kappa |d|^4. So form >= 1/(4 kappa), at an error.
    """
    x, d, e = sympy.symbols("x d e", real=True)
    yield identity(
        "|x - d|^2 + e^2 - |x|^2 - e^2 = |d|^2 - 2 <x, d>",
        (x - d) ** 2 + e**2 - x**2 - e**2,
        d**2 - 2 * x * d,
    )
    square, kappa = sympy.symbols("square kappa", positive=True)
    above, more = sympy.symbols("above more", nonnegative=True)
    inner = (square + above) / 2
    form = (inner**2 + more) / (kappa * square**2 - 0)
    yield nonnegative(
        "with <x, d> = (|d|^2 + above)/2: <x, d>^2 + more = form kappa |d|^4, and form - "
        "1/(4 kappa) is",
        form - 1 / (4 * kappa),
        [(2 * square * above + above**2) / 4 + more, 1 / kappa, 1 / square**2],
    )
    u = sympy.Symbol("u", nonnegative=True)
    yield nonnegative(
        "the indicator of an error is at most 4 kappa form: 1 where form = 1/(4 kappa) + u",
        4 * kappa * (1 / (4 * kappa) + u) - 1,
        [4 * kappa, u],
    )
    yield nonnegative("and 0 elsewhere", 4 * kappa * u - 0, [4 * kappa, u])
    nc1 = sympy.Symbol("NC1", nonnegative=True)
    yield identity(
        "the mean form is K NC1: the formula",
        expression(nearest_mean.nearest_mean_error, K=K, kappa=kappa, NC1=nc1),
        4 * kappa * (K * nc1),
    )
    yield _triangle()
    yield assumes(claim, m="real", y="real", r="real", a="real", b="real")
    points = [
        point(
            m=[[1], [3]],
            y=[[[1], [2]], [[0], [5]]],
            r=[[[1], [1]], [[2], [-2]]],
            a=[[1, 0], [0, 1]],
            b=[0, 1],
        )
    ]
    yield tie("the claim compares these", claim, points, _error_sides)


def _error_sides(m: Any, y: Any, r: Any, a: Any, b: Any) -> Sides:
    means, classes = centred(m), len(m)
    forms, f = [], []
    for k in range(classes):
        rows = []
        for row, other in zip(centred(y[k]), centred(r[k]), strict=True):
            inner = [dot(c, row) for c in means]
            x = [Fraction(0)] * len(row)
            for p, c in zip(inner, means, strict=True):
                x = plus(x, times(p / classes, c))
            forms.append(dot(inner, inner) / classes)
            rows.append([*plus(means[k], x), *other])
        f.append(rows)
    nc1 = sum(forms) / Fraction(len(forms)) / classes
    ratios = []
    for k in range(classes):
        for j in range(k):
            d = minus(means[k], means[j])
            ratios.append(sum(dot(c, d) ** 2 for c in means) / classes / dot(d, d) ** 2)
    bound = 4 * classes * max(ratios) * nc1
    nc4, of_nearest, error = three_rules(f, a, b)
    return {"nearest mean": (of_nearest, bound), "training error": (error, nc4 + bound)}
