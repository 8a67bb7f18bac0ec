"""Proofs about cosines. Norms are scaled so that alpha = beta = 1 wherever that is general.

Throughout a is a normalised vector, e the direction of the mean, and for another unit vector w
P = 1 - <w, e>, Q = 1 - <a, e>, all of them symbols: an inner product of unit vectors is a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory import cosine as theory
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT
from proofs_check.steps import (
    Step,
    assumes,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)
from proofs_check.vectors import (
    cosine,
    dot,
    mean,
    mean_direction,
    norm,
    root,
    root_mean_square,
    scaled,
)

_a, _b, _z = sympy.symbols("a b z", nonnegative=True)
_p, _q = sympy.symbols("p q", positive=True)
_x, _y, _s = sympy.symbols("x y s", real=True)
Sides = dict[str, tuple[Any, Any]]


# -- sums of ratios -------------------------------------------------------------------------------


@proof("bnwd:proposition-ratio-sum", "corrected", "sums over all N", CAUCHY_SCHWARZ)
def least_ratio_sum(claim: Claim) -> Iterator[Step]:
    """Every b_i is at most sqrt(B), so every ratio at least a_i/sqrt(B)."""
    a, b, more = sympy.symbols("a b more", nonnegative=True)
    yield nonnegative(
        "b_i^2 is at most the sum of squares: the rest is >= 0", (b**2 + more) - b**2, [more]
    )
    c = sympy.Symbol("c", positive=True)
    yield nonnegative(
        "a/c - a/(c + b) >= 0: a smaller denominator makes a larger ratio",
        a / c - a / (c + b),
        [a, b, 1 / c, 1 / (c + b)],
    )
    s = symbolic.symbols(theory.least_ratio_sum)
    yield identity(
        "the formula is A/sqrt(B)",
        symbolic.expression(theory.least_ratio_sum),
        s["A"] / sqrt(s["B"]),
    )
    yield assumes(claim, a="nonnegative", b="positive", B="budget")
    yield tie("the claim compares these", claim, _SUMS, _ratio_sides(False))


@proof(
    "bnwd:proposition-ratio-sum",
    "corrected",
    "bounded ratios, as Lemma A.4 has them",
    CAUCHY_SCHWARZ,
)
def bounded_ratio_sum(claim: Claim) -> Iterator[Step]:
    """With r = a/b <= beta: A = sum r b, so A^2 <= (sum r^2) B, and sum r^2 <= beta sum r."""
    r, rest = sympy.symbols("r rest", nonnegative=True)
    yield nonnegative("beta r - r^2 >= 0 for beta = r + rest", (r + rest) * r - r**2, [r, rest])
    s = symbolic.symbols(theory.bounded_ratio_sum)
    yield identity(
        "A^2 <= (sum r^2) B <= beta (sum r) B, solved for sum r",
        s["A"] ** 2,
        s["beta"] * symbolic.expression(theory.bounded_ratio_sum) * s["B"],
    )
    N, c, alpha = sympy.symbols("N c alpha", positive=True)
    yield identity(
        "at A = N c and B = N alpha^2 it is N beta (c/(alpha beta))^2, the line of Lemma A.4",
        symbolic.expression(theory.bounded_ratio_sum).subs({s["A"]: N * c, s["B"]: N * alpha**2}),
        N * s["beta"] * (c / (alpha * s["beta"])) ** 2,
    )
    yield assumes(claim, a="nonnegative", b="positive", B="budget", beta="budget")
    points = [{**p, **point(beta=2)} for p in _SUMS]
    yield tie("the claim compares these", claim, points, _ratio_sides(True))


_SUMS = [point(a=[1, 0, "1/2"], b=[2, 1, "1/3"], B=6), point(a=["2/3"], b=[5], B=25)]


def _ratio_sides(bounded: bool) -> Callable[..., Sides]:
    def sides(a: Any, b: Any, B: Any, beta: Any = 1) -> Sides:
        A, B, ratios = sum(a), number(B), [p / q for p, q in zip(a, b, strict=True)]
        least = balls.ball(A) / balls.ball(B).sqrt()
        if bounded:
            least = balls.ball(Fraction(A * A) / (number(beta) * B))
        found = {
            "sum of squares": (sum(q * q for q in b), B),
            "sum of ratios": (least, sum(ratios)),
        }
        return {**found, "ratios": (max(ratios), number(beta))} if bounded else found

    return sides


# -- Lemma A.3 ------------------------------------------------------------------------------------


@proof("bnwd:lemma-a.3", "printed", "no feature is zero")
def cosine_identity(claim: Claim) -> Iterator[Step]:
    """The inner product is bilinear; by induction over the samples, one coordinate at a time."""
    X, Y, x, y, N = sympy.symbols("X Y x y N", positive=True)
    yield identity(
        "induction: a sample more adds X y + x Y + x y to the sum over pairs, which is X Y",
        X * Y + X * y + x * Y + x * y,
        (X + x) * (Y + y),
    )
    yield identity("means: the sum over N^2 pairs", X * Y / N**2, (X / N) * (Y / N))
    yield assumes(claim, h="real", g="real")
    equalities = ("intra-class cosine", "inter-class cosine")
    points = [point(h=[[1, 2], [0, 3]], g=[[-1, 1], ["1/2", 4]]), point(h=[[2]], g=[[-3]])]

    def sides(h: Any, g: Any) -> Sides:
        def mean_cosine(left: Any, right: Any) -> Any:
            pairs = [cosine(p, q) for p in left for q in right]
            return sum(pairs[1:], pairs[0]) / len(pairs)

        within, between = mean_cosine(h, h), mean_cosine(h, g)
        return {
            "intra-class cosine": (within, within),
            "inter-class cosine": (between, between),
        }

    yield tie("the claim compares these", claim, points, sides, equalities)


# -- Lemma A.4 and Corollary A.2 ------------------------------------------------------------------


def _mean_cosine_route() -> Iterator[Step]:
    """The mean cosine with u is at least 2x^2 - 1, for x = c/(alpha beta) >= 0.

    With r_i = cos(u, v_i), r+ its positive part: N c <= |u| sum r+ |v| and Cauchy-Schwarz give
    mean r+^2 >= (c/(alpha |u|))^2 >= x^2, and r >= 2 r+^2 - 1 for every sample.
    """
    r = _p / (_p + _b)
    yield nonnegative(
        "r - (2 r^2 - 1) >= 0 for 0 < r = p/(p + b) <= 1",
        r - (2 * r**2 - 1),
        [_b / (_p + _b), (3 * _p + _b) / (_p + _b)],
    )
    yield nonnegative(
        "r - (-1) >= 0 for -1 <= r = -a/(a + q) <= 0", 1 - _a / (_a + _q), [_q / (_a + _q)]
    )
    N, c, alpha, norm = sympy.symbols("N c alpha norm", positive=True)
    mean = sympy.Symbol("mean", positive=True)
    yield identity(
        "(N c)^2 <= |u|^2 (N mean r+^2)(N alpha^2), with equality at mean r+^2 = (c/(alpha |u|))^2",
        norm**2 * (N * mean) * (N * alpha**2) - (N * c) ** 2,
        N**2 * norm**2 * alpha**2 * (mean - (c / (alpha * norm)) ** 2),
    )
    yield nonnegative(
        "(c/(alpha |u|))^2 >= (c/(alpha beta))^2 for beta = |u| + b",
        (c / (alpha * norm)) ** 2 - (c / (alpha * (norm + _b))) ** 2,
        [c**2 / alpha**2, _b * (2 * norm + _b), 1 / (norm**2 * (norm + _b) ** 2)],
    )
    s = symbolic.symbols(theory.mean_direction_norm)
    yield identity(
        "the formula is 2x^2 - 1",
        symbolic.expression(theory.mean_direction_norm),
        2 * s["x"] ** 2 - 1,
    )


def _bound_is_not_negative() -> Step:
    return nonnegative(
        "2x^2 - 1 >= 0 for x = 1/sqrt(2) + a",
        2 * (1 / sqrt(2) + _a) ** 2 - 1,
        [2 * _a, _a + sqrt(2)],
    )


@proof("bnwd:lemma-a.4", "printed", "mean of the squared norms", CAUCHY_SCHWARZ, INNER_PRODUCT)
def norm_of_mean_direction(claim: Claim) -> Iterator[Step]:
    """The norm is at least the inner product with u/|u|, which is the mean cosine."""
    yield from _mean_cosine_route()
    yield assumes(claim, **_INNER_DOMAIN)
    yield tie("the claim compares these", claim, _INNER_POINTS, _inner_sides("norm", sqrt(2)))


@proof(
    "bnwd:lemma-a.4",
    "corrected",
    "squared norm, last line of the proof",
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
)
def squared_norm_of_mean_direction(claim: Claim) -> Iterator[Step]:
    """Square the lemma: both sides are non-negative."""
    yield from _mean_cosine_route()
    yield _bound_is_not_negative()
    yield nonnegative("squares keep the order", (_a + _b) ** 2 - _a**2, [_b, 2 * _a + _b])
    yield assumes(claim, **_INNER_DOMAIN)
    yield tie(
        "the claim compares these", claim, _INNER_POINTS, _inner_sides("squared norm", sqrt(2))
    )


@proof("bnwd:lemma-a.4", "sharp", "mean cosine, every c >= 0", CAUCHY_SCHWARZ, INNER_PRODUCT)
def mean_cosine(claim: Claim) -> Iterator[Step]:
    """The route of the lemma without its last step; c >= 0 is used where (N c)^2 is bounded."""
    yield from _mean_cosine_route()
    yield assumes(claim, **_INNER_DOMAIN)
    yield tie("the claim compares these", claim, _INNER_POINTS, _inner_sides("mean cosine", None))


_INNER_DOMAIN = {
    "u": "real",
    "towards": "real",
    "multiples": "real",
    "alpha": "budget",
    "beta": "budget",
    "deficit": "budget",
}
_INNER_POINTS = [
    point(
        u=[1, 2],
        towards=[[1, 1], [3, -1], [0, 2]],
        multiples=[1, 2, "1/3"],
        alpha=3,
        beta="5/2",
        deficit=1,
    ),
    point(
        u=["-1/3", 1],
        towards=[[2, 0], [-5, 1]],
        multiples=["1/2", 1],
        alpha=4,
        beta=1,
        deficit="1/7",
    ),
]


def _inner_sides(conclusion: str, share: Any) -> Callable[..., Sides]:
    """The sides of Lemma A.4; `share` is sqrt 2 where c >= alpha beta/sqrt 2, None for c >= 0."""

    def sides(u: Any, towards: Any, multiples: Any, alpha: Any, beta: Any, deficit: Any) -> Sides:
        v = scaled(towards, multiples)
        alpha, beta, deficit = number(alpha), number(beta), number(deficit)
        product = sum(dot(u, row) for row in v) / Fraction(len(v))
        c, whole = alpha * beta - deficit, alpha * beta
        least = 2 * (c / whole) ** 2 - 1
        of_directions = mean_direction(v)
        squared = dot(of_directions, of_directions)
        cosines = [cosine(u, row) for row in v]
        found = {
            "norm": (least, root(squared)),
            "squared norm": (max(least, Fraction(0)) ** 2, squared),
            "mean cosine": (least, sum(cosines[1:], cosines[0]) / len(cosines)),
        }
        lowest = Fraction(0) if share is None else balls.ball(whole) / balls.ball(2).sqrt()
        return {
            "norms of the v": (root_mean_square(v), alpha),
            "norm of u": (norm(u), beta),
            "mean inner product": (whole, product + deficit),
            "c large enough": (lowest, c),
            conclusion: found[conclusion],
        }

    return sides


@proof("bnwd:corollary-a.2", "printed", "mean of the squared norms", CAUCHY_SCHWARZ, INNER_PRODUCT)
def norm_from_mean(claim: Claim) -> Iterator[Step]:
    """Lemma A.4 for u the direction of the mean and beta = 1.

    It is not zero where c >= alpha/sqrt 2; for 0 <= c < alpha/sqrt 2 the bound is negative.
    """
    yield nonnegative(
        "x^2 < 1/2: -(2x^2 - 1) >= 0, with x^2 = 1/(2 + z)", 1 - 2 / (2 + _z), [_z, 1 / (2 + _z)]
    )
    length = sympy.Symbol("length", positive=True)
    yield identity(
        "the mean inner product with the direction of the mean is the norm of the mean",
        length**2 / length,
        length,
    )
    yield from _mean_cosine_route()
    yield assumes(claim, v="real", alpha="budget", deficit="budget")
    points = [
        point(v=[[1, 3], [3, "1/2"], [2, 3]], alpha=4, deficit=1),
        point(v=[[4], [-2]], alpha="7/2", deficit=2),
    ]

    def sides(v: Any, alpha: Any, deficit: Any) -> Sides:
        alpha, deficit = number(alpha), number(deficit)
        return {
            "norms of the v": (root_mean_square(v), alpha),
            "norm of the mean": (alpha, norm(mean(v)) + balls.ball(deficit)),
            "c not negative": (deficit, alpha),
            "norm": (2 * (1 - deficit / alpha) ** 2 - 1, norm(mean_direction(v))),
        }

    yield tie("the claim compares these", claim, points, sides)


def ball_route() -> Iterator[Step]:
    """For every unit vector w: <w, mean of a> - (1-V) <w, e> <= V.

    Scale the vectors to the mean square 1; their mean is mu e with mu^2 = 1 - V, and the i-th is
    (y/mu) a with a a unit vector. Then the means of y^2, of y <a, e> and of y <a, w> are mu^2,
    mu^2 and mu^2 <w, e>. Every sample has, with s = <a, w>, the bound
        (1-y) s <= 1 + P y^2 - (1+P) y <a, e>,
    and so have the means: <w, mean of a> - mu^2 <w, e> <= 1 + P mu^2 - (1+P) mu^2 = V.
    """
    P, Q = sympy.symbols("P Q", nonnegative=True)
    y = sympy.Symbol("y", positive=True)
    kappa, theta = 1 - P, 1 - Q
    room = 1 + P * y**2 - (1 + P) * y * theta - (1 - y) * _s
    square = 2 * Q + (1 - y) ** 2 * 2 * P - 2 * (1 - y) * (_s - theta - kappa + 1)
    yield identity(
        "|(a-e) - (1-y)(w-e)|^2 by |a-e|^2 = 2Q, |w-e|^2 = 2P, <a-e, w-e> = s - <a,e> - <w,e> + 1",
        square,
        2 * Q - 2 * (1 - y) * (_s - theta - kappa + 1) + (1 - y) ** 2 * (1 - 2 * kappa + 1),
    )
    yield identity(
        "1 + P y^2 - (1+P) y <a,e> - (1-y) s is half that square plus y P Q",
        room,
        square / 2 + y * P * Q,
    )
    length = sympy.Symbol("length", nonnegative=True)
    yield nonnegative(
        "which is >= 0, the square being one, P and Q being 1 less a cosine",
        length**2 / 2 + y * P * Q,
        [length**2 / 2 + y * P * Q],
    )
    mu2, of_directions = sympy.symbols("mu2 of_directions", real=True)
    yield identity(
        "its mean is V - (<w, mean of a> - (1-V) <w, e>)",
        1 + P * mu2 - (1 + P) * mu2 - (of_directions - mu2 * kappa),
        (1 - mu2) - (of_directions - mu2 * kappa),
    )


@proof("bnwd:corollary-a.2", "sharp", "ball around the direction of the mean", INNER_PRODUCT)
def direction_ball(claim: Claim) -> Iterator[Step]:
    """A square for every sample; where the mean is zero V = 1 and the mean of a is in the ball."""
    yield from ball_route()
    V = symbolic.symbols(theory.norm_from_variability)["V"]
    yield identity(
        "the norm is at least that of the centre less the radius",
        (1 - V) - V,
        symbolic.expression(theory.norm_from_variability),
    )
    yield identity(
        "the squared radius",
        V**2,
        symbolic.expression(theory.squared_distance).subs(
            symbolic.symbols(theory.squared_distance)["V"], V
        ),
    )
    square, mean_norm = sympy.symbols("square mean_norm", positive=True)
    yield identity(
        "the variance is the mean square less the square of the mean: 1 - V and the centre",
        (1 - (square - mean_norm**2) / square) / mean_norm,
        mean_norm / square,
    )
    yield assumes(claim, v="real")
    points = [point(v=[[1, 2], [0, 3], [-1, 1]]), point(v=[[1], [-1]]), point(v=[[2, 1]])]

    def sides(v: Any) -> Sides:
        centre, of_directions = mean(v), mean_direction(v)
        square = sum(dot(row, row) for row in v) / Fraction(len(v))
        share = dot(centre, centre) / square
        length = norm(centre)
        middle = [balls.ball(m / square) * length for m in centre]
        away = [a - m for a, m in zip(of_directions, middle, strict=True)]
        return {
            "squared distance": (dot(away, away), (1 - share) ** 2),
            "norm": (2 * share - 1, norm(of_directions)),
        }

    yield tie("the claim compares these", claim, points, sides)
