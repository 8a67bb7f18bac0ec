"""Proofs about cosines. Norms are scaled so that alpha = beta = 1 wherever that is general.

Throughout a is a normalised vector, e the direction of the mean, and for another unit vector w
P = 1 - <w, e>, Q = 1 - <a, e>, all of them symbols: an inner product of unit vectors is a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import cos, sin, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory import cosine
from ncbounds.theory.terms import Claim
from proofs_check.convexity import CAUCHY_SCHWARZ
from proofs_check.steps import (
    Fact,
    Step,
    assumes,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)

INNER_PRODUCT = Fact(
    "Cauchy-Schwarz inequality for vectors",
    "|<x, y>| <= |x| |y|; the norm of x is the largest <w, x> over unit vectors w.",
    "Hardy, Littlewood, Polya, Inequalities, Theorem 7",
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
    s = symbolic.symbols(cosine.least_ratio_sum)
    yield identity(
        "the formula is A/sqrt(B)",
        symbolic.expression(cosine.least_ratio_sum),
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
    s = symbolic.symbols(cosine.bounded_ratio_sum)
    yield identity(
        "A^2 <= (sum r^2) B <= beta (sum r) B, solved for sum r",
        s["A"] ** 2,
        s["beta"] * symbolic.expression(cosine.bounded_ratio_sum) * s["B"],
    )
    N, c, alpha = sympy.symbols("N c alpha", positive=True)
    yield identity(
        "at A = N c and B = N alpha^2 it is N beta (c/(alpha beta))^2, the line of Lemma A.4",
        symbolic.expression(cosine.bounded_ratio_sum).subs({s["A"]: N * c, s["B"]: N * alpha**2}),
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
        def mean(left: Any, right: Any) -> Any:
            pairs = [_cosine(p, q) for p in left for q in right]
            return sum(pairs[1:], pairs[0]) / len(pairs)

        within, between = mean(h, h), mean(h, g)
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
    s = symbolic.symbols(cosine.mean_direction_norm)
    yield identity(
        "the formula is 2x^2 - 1",
        symbolic.expression(cosine.mean_direction_norm),
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
        v = _scaled(towards, multiples)
        alpha, beta, deficit = number(alpha), number(beta), number(deficit)
        mean = sum(_dot(u, row) for row in v) / Fraction(len(v))
        c, whole = alpha * beta - deficit, alpha * beta
        least = 2 * (c / whole) ** 2 - 1
        of_directions = _mean_direction(v)
        squared = _dot(of_directions, of_directions)
        cosines = [_cosine(u, row) for row in v]
        found = {
            "norm": (least, _root(squared)),
            "squared norm": (max(least, Fraction(0)) ** 2, squared),
            "mean cosine": (least, sum(cosines[1:], cosines[0]) / len(cosines)),
        }
        lowest = Fraction(0) if share is None else balls.ball(whole) / balls.ball(2).sqrt()
        return {
            "norms of the v": (_root_mean_square(v), alpha),
            "norm of u": (_norm(u), beta),
            "mean inner product": (whole, mean + deficit),
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
            "norms of the v": (_root_mean_square(v), alpha),
            "norm of the mean": (alpha, _norm(_mean(v)) + balls.ball(deficit)),
            "c not negative": (deficit, alpha),
            "norm": (2 * (1 - deficit / alpha) ** 2 - 1, _norm(_mean_direction(v))),
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
    V = symbolic.symbols(cosine.norm_from_variability)["V"]
    yield identity(
        "the norm is at least that of the centre less the radius",
        (1 - V) - V,
        symbolic.expression(cosine.norm_from_variability),
    )
    yield identity(
        "the squared radius",
        V**2,
        symbolic.expression(cosine.squared_distance).subs(
            symbolic.symbols(cosine.squared_distance)["V"], V
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
        mean, of_directions = _mean(v), _mean_direction(v)
        square = sum(_dot(row, row) for row in v) / Fraction(len(v))
        share = _dot(mean, mean) / square
        length = _norm(mean)
        middle = [balls.ball(m / square) * length for m in mean]
        away = [a - m for a, m in zip(of_directions, middle, strict=True)]
        return {
            "squared distance": (_dot(away, away), (1 - share) ** 2),
            "norm": (2 * share - 1, _norm(of_directions)),
        }

    yield tie("the claim compares these", claim, points, sides)


# -- Lemma A.5 ------------------------------------------------------------------------------------

_m, _gamma, _more, _less = sympy.symbols("m gamma more less", nonnegative=True)
_t = sympy.Symbol("t", nonnegative=True)


def _opposition_route() -> Iterator[Step]:
    """<w/|w|, mean of a> <= -gamma + t (2 - t + gamma) for t <= 1.

    Let rms <= alpha be the root mean square norm of the h and mu = |mean h|/rms. From w',
    |w'| <= beta: mu >= 1 - t. From w, |w| <= beta and c <= 0: <w/|w|, mean h>/rms <= -gamma. By
    the ball, <w/|w|, mean of a> <= 1 - mu^2 + mu (<w/|w|, mean h>/rms).
    """
    yield from ball_route()
    mu, reach = _m + _more, -_gamma - _less
    yield nonnegative(
        "1 - mu^2 + mu reach is largest at mu = m = 1 - t, reach = -gamma",
        (1 - _m**2 - _m * _gamma) - (1 - mu**2 + mu * reach),
        [2 * _m * _more + _more**2 + _more * _gamma + (_m + _more) * _less],
    )
    s = symbolic.symbols(cosine.sharp_excess)
    bound = symbolic.expression(cosine.sharp_excess).subs({s["t"]: _t, s["gamma"]: _gamma})
    yield identity(
        "there it is -gamma + t (2 - t + gamma)",
        1 - (1 - _t) ** 2 - (1 - _t) * _gamma,
        bound - _gamma,
    )
    alpha, beta = sympy.symbols("alpha beta", positive=True)
    yield nonnegative(
        "|mean h|/rms >= alpha beta (1-t)/(|w'| rms) >= 1-t, |w'| = beta/(1+b), rms = alpha/(1+a)",
        alpha * beta * _m / (beta / (1 + _b) * alpha / (1 + _a)) - _m,
        [_m, _a + _b + _a * _b],
    )
    yield nonnegative(
        "c/(|w| rms) <= c/(alpha beta) = -gamma as c <= 0: the difference",
        -_gamma + alpha * beta * _gamma / (beta / (1 + _b) * alpha / (1 + _a)),
        [_gamma, _a + _b + _a * _b],
    )


@proof("bnwd:lemma-a.5", "sharp", "inner product with w/|w|", INNER_PRODUCT)
def opposed_inner_product(claim: Claim) -> Iterator[Step]:
    """The ball of Corollary A.2 in the direction of w, made largest over what is known."""
    yield from _opposition_route()
    yield assumes(claim, **_OPPOSITION_DOMAIN)
    sides = _opposition_sides("excess of the inner product", "t at most 1")
    yield tie("the claim compares these", claim, _OPPOSITION_POINTS, sides)


@proof("bnwd:lemma-a.5", "sharp", "cosine, where the bound is not positive", INNER_PRODUCT)
def opposed_cosine(claim: Claim) -> Iterator[Step]:
    """A number that is at most 0 falls when it is divided by a norm that is at most 1."""
    yield from _opposition_route()
    yield nonnegative("u/(1 + b) of norm at most 1: -u (1 + b) <= -u", _p * (1 + _b) - _p, [_p, _b])
    yield nonnegative(
        "t (2 - t + gamma) <= 3t for gamma = 1 - a",
        3 * _t - _t * (2 - _t + 1 - _a),
        [_t, _t + _a],
    )
    s = symbolic.symbols(cosine.sharp_opposition)
    yield identity(
        "the formula of -cosine is gamma less the excess",
        symbolic.expression(cosine.sharp_opposition).subs({s["t"]: _t, s["gamma"]: _gamma}),
        _gamma - _t * (2 - _t + _gamma),
    )

    def sides(**instance: Any) -> Sides:
        """The same with gamma taken to the other side, and both signs turned."""
        found = _opposition_sides("excess of the cosine", "t at most 1", "bound not positive")(
            **instance
        )
        whole = number(instance["alpha"]) * number(instance["beta"])
        gamma = balls.ball((whole - number(instance["rise"])) / whole)
        left, right = found.pop("excess of the cosine")
        return {**found, "opposition": (gamma - right, gamma - left)}

    yield assumes(claim, **_OPPOSITION_DOMAIN)
    yield tie("the claim compares these", claim, _OPPOSITION_POINTS, sides)


def _cube_root_route() -> Iterator[Step]:
    """The cosine is at most -gamma + 4 t^(1/3), p = t^(1/3)."""
    yield from _opposition_route()
    yield nonnegative(
        "t >= 1/8: -gamma + 4p >= 1, as gamma <= 1 by |c| <= |w| |mean h| (gamma = 1 - a)",
        -(1 - _a) + 4 * (sympy.Rational(1, 2) + _z) - 1,
        [_a + 4 * _z],
    )
    p = 1 / (2 + _z)
    yield nonnegative(
        "t < 1/8, cosine <= 0: it is at most -gamma + t (2 - t + gamma) <= -gamma + 3t <= "
        "-gamma + 4p, p = 1/(2 + z)",
        4 * p - 3 * p**3,
        [p**3, 4 * _z**2 + 16 * _z + 13],
    )
    t = p**3
    least = 2 * (1 - t) ** 2 - 1
    difference = sympy.factor(4 * p - 2 * t / least - 2 * t / (1 - t))
    above, below = sympy.fraction(difference)
    yield nonnegative(
        "t < 1/8, cosine > 0: (1-t) gamma <= 2t - t^2, so it is at most 2t/(2(1-t)^2 - 1), and "
        "4p >= 2t/(2(1-t)^2 - 1) + 2t/(1-t)",
        difference,
        [sympy.expand(above), 1 / sympy.expand(below)],
    )
    yield nonnegative(
        "the norm of the mean of a is at least 1 - 2V >= 2(1-t)^2 - 1, which is positive",
        sympy.factor(least),
        [sympy.expand(sympy.fraction(sympy.factor(least))[0]), (2 + _z) ** -6],
    )
    yield identity("1 - 2V = 2 mu^2 - 1 at V = 1 - mu^2", 1 - 2 * (1 - _m**2), 2 * _m**2 - 1)
    s = symbolic.symbols(cosine.printed_excess)
    yield identity(
        "the printed excess is 4 t^(1/3)",
        symbolic.expression(cosine.printed_excess) ** 3,
        64 * s["t"],
    )


@proof("bnwd:lemma-a.5", "printed", "c/(alpha beta), as proved and used", INNER_PRODUCT)
def cube_root_excess(claim: Claim) -> Iterator[Step]:
    """By the sharp bound for t < 1/8; beyond that the bound is at least 1."""
    yield from _cube_root_route()
    yield assumes(claim, **_OPPOSITION_DOMAIN)
    sides = _opposition_sides("excess of the cosine")
    yield tie("the claim compares these", claim, _OPPOSITION_POINTS, sides)


@proof("bnwd:lemma-a.5", "printed", "-c/(alpha beta), as typeset", INNER_PRODUCT)
def cube_root_excess_typeset(claim: Claim) -> Iterator[Step]:
    """Weaker than the other reading, by 2 gamma."""
    yield from _cube_root_route()
    yield nonnegative("gamma - (-gamma) >= 0", _gamma - (-_gamma), [2 * _gamma])
    yield assumes(claim, **_OPPOSITION_DOMAIN)

    def sides(**instance: Any) -> Sides:
        """The sides of the other reading, with gamma subtracted and not added."""
        found = _opposition_sides("excess of the cosine")(**instance)
        whole = number(instance["alpha"]) * number(instance["beta"])
        gamma = (whole - number(instance["rise"])) / whole
        left, right = found["excess of the cosine"]
        return {**found, "excess of the cosine": (left - balls.ball(2 * gamma), right)}

    yield tie("the claim compares these", claim, _OPPOSITION_POINTS, sides)


_OPPOSITION_DOMAIN = {
    "along": "real",
    "h": "real",
    "opposite": "real",
    "alpha": "budget",
    "beta": "budget",
    "rise": "budget",
    "epsilon": "budget",
}
_OPPOSITION_POINTS = [
    point(
        along=[1, 2],
        h=[[1, 2], [3, 1], [0, 1]],
        opposite=[1, 0],
        alpha=3,
        beta=2,
        rise=5,
        epsilon=1,
    ),
    point(
        along=[3, 0],
        h=[[1, 1], [-2, 0]],
        opposite=["-1/2", 2],
        alpha=2,
        beta=3,
        rise=1,
        epsilon="5/3",
    ),
]


def _opposition_sides(conclusion: str, *extra: str) -> Callable[..., Sides]:
    def sides(
        along: Any, h: Any, opposite: Any, alpha: Any, beta: Any, rise: Any, epsilon: Any
    ) -> Sides:
        alpha, beta, rise, epsilon = (number(v) for v in (alpha, beta, rise, epsilon))
        w, mean, whole = [-x for x in opposite], _mean(h), alpha * beta
        t, gamma, of_directions = epsilon / whole, 1 - rise / whole, _mean_direction(h)
        inner = balls.ball(0) + _dot(w, of_directions)
        lengths = {"excess of the inner product": _norm(w)}
        largest = max(_dot(w, w), _dot(along, along))
        root = (balls.ball(t).log() / 3).exp()
        excess = balls.ball(t * (2 - t + gamma)) if extra else 4 * root
        length = lengths.get(conclusion, _norm(w) * _norm(of_directions))
        others = {
            "t at most 1": (t, Fraction(1)),
            "bound not positive": (t * (2 - t), (1 - t) * gamma),
        }
        return {
            "norms of the h": (_root_mean_square(h), alpha),
            "norms of w and w'": (balls.ball(largest).sqrt(), beta),
            "mean inner product with w": (_dot(w, mean), rise - whole),
            "mean inner product with w'": (whole, _dot(along, mean) + epsilon),
            "c is not positive": (rise, whole),
            **{name: others[name] for name in extra},
            conclusion: (inner / length + balls.ball(gamma), excess),
        }

    return sides


# -- from the lemmas to the theorem ---------------------------------------------------------------


def nearly_aligned() -> Iterator[Step]:
    """1 - V >= (1 - eta)^2 for eta <= 1, the norm is at least 1 - 2V, and squares.

    For eta > 1/8 nothing is to show.
    """
    yield from ball_route()
    eta = 1 / (8 + _z)
    least = 2 * (1 - eta) ** 2 - 1
    yield nonnegative(
        "2(1-eta)^2 - 1 - (1 - 4 eta) = 2 eta^2 >= 0",
        2 * (1 - _t) ** 2 - 1 - (1 - 4 * _t),
        [2 * _t**2],
    )
    yield nonnegative(
        "1 - 4 eta >= 0 for eta = 1/(8 + z), so the square of the norm is at least (1-4 eta)^2",
        1 - 4 * eta,
        [(4 + _z), 1 / (8 + _z)],
    )
    yield nonnegative(
        "(1 - 4 eta)^2 - (1 - 8 eta) >= 0", (1 - 4 * _t) ** 2 - (1 - 8 * _t), [16 * _t**2]
    )
    yield identity(
        "1 - 2V >= 2(1-eta)^2 - 1 at 1 - V = (1-eta)^2", 1 - 2 * (1 - (1 - eta) ** 2), least
    )


@proof("bnwd:remark-intra-step", "corrected", "constant 8", INNER_PRODUCT)
def intra_step(claim: Claim) -> Iterator[Step]:
    """1 - 8 eta by the ball around the direction of the mean."""
    yield from nearly_aligned()
    s = symbolic.symbols(cosine.intra_step)
    yield identity("the formula is 8 eta", symbolic.expression(cosine.intra_step), 8 * s["eta"])
    yield assumes(claim, w="real", towards="real", multiples="real")
    points = [
        point(w=[1, 2], towards=[[1, 1], [3, -1]], multiples=[2, "1/3"]),
        point(w=[-2], towards=[[1], [-3], [-4]], multiples=[1, "1/2", 3]),
    ]

    def sides(w: Any, towards: Any, multiples: Any) -> Sides:
        h = _scaled(towards, multiples)
        of_directions = _mean_direction(h)
        eta = 1 - balls.ball(_dot(w, _mean(h))) / (_norm(w) * _root_mean_square(h))
        return {"1 - intra": (1 - _dot(of_directions, of_directions), 8 * eta)}

    yield tie("the claim compares these", claim, points, sides)


def _half_angle_route() -> Iterator[Step]:
    """cos(a - b) - cos a = 2 sin(b/2) sin(a - b/2) <= 2 sin(b/2)."""
    half, rest = sympy.symbols("half rest", real=True)
    yield identity(
        "cos(a - b) - cos a = 2 sin(b/2) sin(a - b/2), with b = 2 half, a = rest + half",
        sympy.expand_trig(cos(rest - half) - cos(rest + half)),
        2 * sin(half) * sin(rest),
    )
    yield identity("1 - sin(a - b/2) is a square", 1 - sin(2 * half), (cos(half) - sin(half)) ** 2)
    yield identity("2 (1 - cos b) = (2 sin(b/2))^2", 2 * (1 - cos(2 * half)), (2 * sin(half)) ** 2)


def _angle_sides(squared: bool) -> Callable[..., Sides]:
    def sides(part_of_a: Any, part_of_b: Any) -> Sides:
        a, b = (1 + number(part_of_a)) / 2, number(part_of_b) / 2
        half = balls.ball(b / 2) * balls.pi
        step = (2 * (1 - (2 * half).cos())).sqrt() if squared else 2 * half.sin()
        left = (balls.ball(a - b) * balls.pi).cos()
        return {"cosine of a - b": (left, (balls.ball(a) * balls.pi).cos() + step)}

    return sides


_ANGLE_POINTS = [
    point(part_of_a="1/2", part_of_b="1/3"),
    point(part_of_a="1/100", part_of_b="7/8"),
]


@proof("bnwd:remark-inter-step", "printed", "last line")
def last_line(claim: Claim) -> Iterator[Step]:
    """A product of sines, one of them at most 1; the root is twice the sine of b/2 >= 0."""
    yield from _half_angle_route()
    yield assumes(claim, part_of_a="proportion", part_of_b="proportion")
    yield tie("the claim compares these", claim, _ANGLE_POINTS, _angle_sides(True))


@proof("bnwd:remark-inter-step", "corrected", "second and third line: sin b")
def half_angle(claim: Claim) -> Iterator[Step]:
    """A product of sines, one of them at most 1."""
    yield from _half_angle_route()
    yield assumes(claim, part_of_a="proportion", part_of_b="proportion")
    yield tie("the claim compares these", claim, _ANGLE_POINTS, _angle_sides(False))


@proof("bnwd:remark-inter-step", "printed", "vectors, as applied", INNER_PRODUCT)
def third_vector(claim: Claim) -> Iterator[Step]:
    """cos(x, y) - cos(w, y) is the inner product of y/|y| with x/|x| - w/|w|."""
    of_x, of_w, both = sympy.symbols("of_x of_w both", real=True)
    yield identity("<x - w, y> = <x, y> - <w, y> for unit vectors", of_x - of_w, of_x + -1 * of_w)
    yield identity("|x - w|^2 = 2 - 2 <w, x> for unit vectors", 1 + 1 - 2 * both, 2 * (1 - both))
    yield assumes(claim, w="real", x="real", y="real")
    points = [point(w=[1, 2], x=[1, 0], y=[-1, 3]), point(w=[1], x=[2], y=[-3])]

    def sides(w: Any, x: Any, y: Any) -> Sides:
        above = _cosine(x, y) - _cosine(w, y)
        above = above if above > 0 else balls.ball(0)
        return {"cosine": (above * above, 2 - 2 * _cosine(w, x))}

    yield tie("the claim compares these", claim, points, sides)


# -- vectors as lists of exact numbers or balls ---------------------------------------------------


def _dot(x: Any, y: Any) -> Any:
    exact = all(isinstance(entry, Fraction) for entry in (*x, *y))
    read = Fraction if exact else balls.ball
    return sum((read(a) * read(b) for a, b in zip(x, y, strict=True)), read(0))


def _root(square: Any) -> Any:
    return balls.ball(square).sqrt()


def _norm(x: Any) -> Any:
    return _root(_dot(x, x))


def _mean(rows: Any) -> Any:
    return [sum(row[j] for row in rows) / Fraction(len(rows)) for j in range(len(rows[0]))]


def _root_mean_square(rows: Any) -> Any:
    return _root(sum(_dot(row, row) for row in rows) / Fraction(len(rows)))


def _scaled(rows: Any, numbers: Any) -> Any:
    return [[factor * x for x in row] for row, factor in zip(rows, numbers, strict=True)]


def _cosine(x: Any, y: Any) -> Any:
    return balls.ball(_dot(x, y)) / (_norm(x) * _norm(y))


def _mean_direction(rows: Any) -> Any:
    """The mean of the normalised rows, in balls."""
    total = [balls.ball(0)] * len(rows[0])
    for row in rows:
        length = _norm(row)
        total = [s + balls.ball(x) / length for s, x in zip(total, row, strict=True)]
    return [s / len(rows) for s in total]
