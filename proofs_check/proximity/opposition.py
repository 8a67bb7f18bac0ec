"""Proofs about opposed cosines, and the steps from the cosine lemmas to the theorem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import cos, sin

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import opposition
from ncbounds.theory.terms import Claim
from proofs_check.cosine import Sides, ball_route
from proofs_check.facts import INNER_PRODUCT
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import cosine, dot, mean, mean_direction, norm, root_mean_square, scaled

_a, _b, _z = sympy.symbols("a b z", nonnegative=True)
_p = sympy.Symbol("p", positive=True)
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
    s = symbolic.symbols(opposition.sharp_excess)
    bound = symbolic.expression(opposition.sharp_excess).subs({s["t"]: _t, s["gamma"]: _gamma})
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
    s = symbolic.symbols(opposition.sharp_opposition)
    yield identity(
        "the formula of -cosine is gamma less the excess",
        symbolic.expression(opposition.sharp_opposition).subs({s["t"]: _t, s["gamma"]: _gamma}),
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
    s = symbolic.symbols(opposition.printed_excess)
    yield identity(
        "the printed excess is 4 t^(1/3)",
        symbolic.expression(opposition.printed_excess) ** 3,
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
        w, centre, whole = [-x for x in opposite], mean(h), alpha * beta
        t, gamma, of_directions = epsilon / whole, 1 - rise / whole, mean_direction(h)
        inner = balls.ball(0) + dot(w, of_directions)
        lengths = {"excess of the inner product": norm(w)}
        largest = max(dot(w, w), dot(along, along))
        root = (balls.ball(t).log() / 3).exp()
        excess = balls.ball(t * (2 - t + gamma)) if extra else 4 * root
        length = lengths.get(conclusion, norm(w) * norm(of_directions))
        others = {
            "t at most 1": (t, Fraction(1)),
            "bound not positive": (t * (2 - t), (1 - t) * gamma),
        }
        return {
            "norms of the h": (root_mean_square(h), alpha),
            "norms of w and w'": (balls.ball(largest).sqrt(), beta),
            "mean inner product with w": (dot(w, centre), rise - whole),
            "mean inner product with w'": (whole, dot(along, centre) + epsilon),
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
    s = symbolic.symbols(opposition.intra_step)
    yield identity("the formula is 8 eta", symbolic.expression(opposition.intra_step), 8 * s["eta"])
    yield assumes(claim, w="real", towards="real", kept="mask", rest="proportion")
    points = [
        point(w=[1, 2], towards=[[1, 1], [3, -1]], kept=[1, 1], rest="1/2"),
        point(w=[-2], towards=[[1], [-3], [-4]], kept=[0, 1, 1], rest="1/3"),
    ]

    def sides(w: Any, towards: Any, kept: Any, rest: Any) -> Sides:
        h = scaled(towards, [1 if one else -number(rest) for one in kept])
        of_directions = mean_direction(h)
        eta = 1 - balls.ball(dot(w, mean(h))) / (norm(w) * root_mean_square(h))
        return {"1 - intra": (1 - dot(of_directions, of_directions), 8 * eta)}

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
        above = cosine(x, y) - cosine(w, y)
        above = above if above > 0 else balls.ball(0)
        return {"cosine": (above * above, 2 - 2 * cosine(w, x))}

    yield tie("the claim compares these", claim, points, sides)
