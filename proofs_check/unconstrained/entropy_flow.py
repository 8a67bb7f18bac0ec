"""Proofs about the flow of cross-entropy: its velocity, what it conserves, residuals of KKT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import COUNTING, INNER_PRODUCT, LOGARITHM, TANGENT
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.unconstrained.collapsed_outputs import (
    HOEFFDING_RANGE,
    loss,
    shares,
    spread,
    tangent,
)
from proofs_check.unconstrained.separation import gaps
from proofs_check.vectors import dot

_x, _y, _g, _p, _z, _zk = sympy.symbols("x y g p z z_k", real=True)


# -- numbers in balls -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """Logits, shares and slopes of all samples, as lists over samples; the risk; velocities."""

    labels: list[int]
    z: list[list[Any]]
    p: list[list[Any]]
    slope: list[list[Any]]
    risk: Any
    of_weights: list[list[Any]]
    of_features: list[list[Any]]


def entropy_point(a: Any, f: Any) -> Point:
    """All of it from exact weights and features, sample by sample."""
    labels = [k for k, rows in enumerate(f) for _ in rows]
    flat = [x for rows in f for x in rows]
    N, m = len(flat), len(a[0])
    z = [[dot(row, x) for row in a] for x in flat]
    p = [shares(row) for row in z]
    slope = [
        [(share - int(j == k)) / N for j, share in enumerate(row)]
        for row, k in zip(p, labels, strict=True)
    ]
    risk = sum((loss(row, k) for row, k in zip(z, labels, strict=True)), balls.ball(0)) / N
    of_weights = [
        [
            -_total(g[j] * balls.ball(x[d]) for g, x in zip(slope, flat, strict=True))
            for d in range(m)
        ]
        for j in range(len(a))
    ]
    of_features = [
        [-_total(g[j] * balls.ball(a[j][d]) for j in range(len(a))) for d in range(m)]
        for g in slope
    ]
    return Point(labels, z, p, slope, risk, of_weights, of_features)


def _total(terms: Any) -> Any:
    return sum(terms, balls.ball(0))


def product(left: Any, right: Any) -> Any:
    """Sum of products of entries of two lists of rows, in balls."""
    return _total(
        balls.ball(x) * balls.ball(y)
        for row, other in zip(left, right, strict=True)
        for x, y in zip(row, other, strict=True)
    )


def flat(f: Any) -> list[Any]:
    """Features as a list over samples."""
    return [x for rows in f for x in rows]


def added(left: Any, right: Any) -> list[Any]:
    """Rows added entry by entry."""
    return [
        [x + y for x, y in zip(row, other, strict=True)]
        for row, other in zip(left, right, strict=True)
    ]


def mean_squared_range(steps: Any) -> Any:
    """Mean over samples of the squared range of a change of the logits, exact or balls."""
    found = balls.ball(0)
    for step in steps:
        widths = [balls.ball(x) - balls.ball(y) for x in step for y in step]
        width = widths[0]
        for other in widths[1:]:
            width = width.max(other)
        found = found + width * width
    return found / len(steps)


# -- shared steps ---------------------------------------------------------------------------------


def slope() -> Iterator[Step]:
    """The loss of a sample to second order, and the slope in weights and features."""
    yield from tangent()
    yield from spread()
    yield identity(
        "an entry of (A + dA)(F + dF)",
        (_x + _p) * (_y + _g),
        _x * _y + _x * _g + _p * _y + _p * _g,
    )
    yield identity(
        "<G, A dF> = <A^T G, dF> and <G, dA F> = <G F^T, dA>, a typical term",
        _g * (_x * _y),
        (_g * _x) * _y,
    )


# -- equation (13) --------------------------------------------------------------------------------

_POINTS = [
    point(a=[[1], [-1]], f=[[[1], [2]], [[-1], ["-1/2"]]]),
    point(a=[[1, 0], [0, 1], [-1, -1]], f=[[[1, 0]], [[0, 1]], [[-1, "-1/2"]]]),
]


@proof("review:eq-13", "printed", "the risk and its flow", TANGENT, LOGARITHM, HOEFFDING_RANGE)
def flow(claim: Claim) -> Iterator[Step]:
    """The tangent of every loss, with the range of the step above it."""
    total = sympy.Symbol("total", positive=True)
    yield identity(
        "log sum e^z - z_k = log(1 + sum of e^(z_j - z_k))",
        total * sympy.exp(-_zk),
        1 + (total - sympy.exp(_zk)) * sympy.exp(-_zk),
    )
    yield from slope()
    yield assumes(claim, a="real", f="real", da="real", df="real")

    def sides(a: Any, f: Any, da: Any, df: Any) -> dict[str, tuple[Any, Any]]:
        at = entropy_point(a, f)
        moved = entropy_point(
            added(a, da), [added(rows, steps) for rows, steps in zip(f, df, strict=True)]
        )
        change = [
            [x - y for x, y in zip(row, other, strict=True)]
            for row, other in zip(moved.z, at.z, strict=True)
        ]
        second = product(at.slope, [[dot(row, x) for row in da] for x in flat(df)])
        linear = at.risk + second - product(at.of_weights, da) - product(at.of_features, flat(df))
        return {
            "risk": (at.risk, at.risk),
            "from below": (linear, moved.risk),
            "from above": (moved.risk, linear + mean_squared_range(change) / 8),
        }

    given = [
        {**_POINTS[0], **point(da=[[1], [2]], df=[[[1], [0]], [[1], [1]]])},
        {
            **_POINTS[1],
            **point(da=[[1, 0], [0, 0], [1, 1]], df=[[[1, 1]], [["1/2", 0]], [[0, 1]]]),
        },
    ]
    yield tie("the claim compares these", claim, given, sides, ("risk",))


@proof("review:eq-13", "sharp", "what is conserved, and how norms grow", COUNTING)
def conserved(claim: Claim) -> Iterator[Step]:
    """Both products with the velocity are -A^T G F^T; columns of G sum to zero."""
    yield identity(
        "(A^T V_A) and (V_F F^T): an entry of A^T (G F^T) and of (A^T G) F^T",
        _x * (_g * _y),
        (_x * _g) * _y,
    )
    own, others = sympy.symbols("own others", real=True)
    yield identity(
        "a column of G sums to 0: shares of sum 1 less 1", ((1 - others) - 1) + others, 0
    )
    yield identity(
        "-(sum p_j z_j - z_k) = sum over rivals of p_j (z_k - z_j), p_k = 1 - the rivals' share",
        _zk - ((1 - _p) * _zk + _p * _z),
        _p * (_zk - _z),
    )
    inner = sympy.Symbol("GAF", real=True)
    yield identity("<A, V_A> + <F, V_F>, each -<G, AF>", -inner - inner, -2 * inner)
    share, more = sympy.symbols("share more", nonnegative=True)
    yield nonnegative(
        "each gap is q + more, whatever the sign of q",
        2 * share * (own + more) - 2 * own * share,
        [2 * share, more],
    )
    yield assumes(claim, a="real", f="real")

    def sides(a: Any, f: Any) -> dict[str, tuple[Any, Any]]:
        at, m, K = entropy_point(a, f), len(a[0]), len(a)
        N = len(at.labels)
        balance = [
            _total(
                balls.ball(a[j][i]) * at.of_weights[j][d]
                + balls.ball(a[j][d]) * at.of_weights[j][i]
                for j in range(K)
            )
            for i in range(m)
            for d in range(m)
        ]
        growth, wrong = balls.ball(0), balls.ball(0)
        for row, p, k in zip(at.z, at.p, at.labels, strict=True):
            for j in range(K):
                if j != k:
                    growth += 2 * p[j] * balls.ball(row[k] - row[j]) / N
                    wrong += p[j] / N
        zeros = [balls.ball(0)] * m
        return {
            "balance": (balance, balance),
            "mean weight": (zeros, zeros),
            "growth": (growth, growth),
            "growth by the margin": (2 * balls.ball(min(gaps(a, f))) * wrong, growth),
        }

    lines = ("balance", "mean weight", "growth")
    yield tie("the claim compares these", claim, _POINTS, sides, lines)


@proof(
    "review:eq-13", "sharp", "how nearly a point is a KKT point", INNER_PRODUCT, TANGENT, COUNTING
)
def approximate_kkt(claim: Claim) -> Iterator[Step]:
    """The multipliers pull along the velocity; what they leave is exponentially small."""
    x, v, q = sympy.symbols("x v q", positive=True)
    cos = sympy.Symbol("cos", real=True)
    yield identity(
        "-N grad R = sum of p_j (grad <a_k - a_j, f>), a typical term: the slope is p_j on rivals "
        "and -sum p_j on the own class",
        -(_p * _z - _p * _zk),
        _p * (_zk - _z),
    )
    yield identity(
        "|x - (|x|/|v|) v|^2/q, <x, v> = |x||v| cos",
        (x**2 - 2 * (x / v) * (x * v * cos) + (x / v) ** 2 * v**2) / q,
        2 * x**2 / q * (1 - cos),
    )
    t, w = sympy.symbols("t w", nonnegative=True)
    yield identity(
        "p_j (s - q) <= e^(-s)(s - q) = e^(-q) t e^(-t), t = s - q",
        sympy.exp(-(q + t)) * t,
        sympy.exp(-q) * t * sympy.exp(-t),
    )
    yield identity("t e^(-t) <= 1/e is e^w >= 1 + w at w = t - 1", 1 + (t - 1), t)
    c, rivals, N = sympy.symbols("c rivals N", positive=True)
    extra = sympy.Symbol("extra", nonnegative=True)
    low = 2 * q * c / (1 + rivals * c)
    yield nonnegative(
        "|x||v| >= <x, v> = 2 sum p_j s >= 2 q p, p >= e^(-q)/(1 + (K-1) e^(-q)) of the least gap: "
        "(|x|^2/q) S/(|x||v|) <= (|x|^2/q) S/low",
        1 / low - 1 / (low + extra),
        [extra, 1 / low, 1 / (low + extra)],
    )
    yield nonnegative(
        "the share of the nearest rival: at most K - 1 terms of at most e^(-q)",
        c / (1 + (rivals * c)) - c / (1 + (rivals * c) + w),
        [w, c, 1 / (1 + rivals * c), 1 / (1 + rivals * c + w)],
    )
    yield identity(
        "the least gap has t = 0, the other N (K-1) - 1 terms at most e^(-q)/e: S over low",
        (N * rivals - 1) * c / sympy.E / low,
        (N * rivals - 1) * (1 + rivals * c) / (2 * sympy.E * q),
    )
    yield assumes(claim, a="real", f="real")
    yield tie("the claim compares these", claim, _POINTS, _kkt_sides, ("stationarity",))


def _kkt_sides(a: Any, f: Any) -> dict[str, tuple[Any, Any]]:
    at, K = entropy_point(a, f), len(a)
    N = len(at.labels)
    least = min(gaps(a, f))
    q = balls.ball(least)
    size = product(a, a) + product(flat(f), flat(f))
    speed = (
        N * N * (product(at.of_weights, at.of_weights) + product(at.of_features, at.of_features))
    )
    along = N * (product(at.of_weights, a) + product(at.of_features, flat(f)))
    factor = (size / speed).sqrt()
    missed = balls.ball(0)
    for row, p, k in zip(at.z, at.p, at.labels, strict=True):
        for j in range(K):
            if j != k:
                missed += factor * p[j] * (balls.ball(row[k] - row[j]) / q - 1)
    residual = 2 * (size - along * (size / speed).sqrt()) / q
    bound = (
        size / q * (N * (K - 1) - 1) * (1 + (K - 1) * (-q).exp()) / (2 * balls.ball(1).exp() * q)
    )
    return {
        "separated": (balls.ball(0), q),
        "stationarity": (residual, residual),
        "complementarity": (missed, bound),
    }
