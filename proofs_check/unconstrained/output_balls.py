"""Proofs about outputs: scaling by the largest gap, and tangents of the loss over a ball."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT, JENSEN, LOGARITHM, MONOTONE_POWERS, TANGENT
from proofs_check.steps import Fact, Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.unconstrained.collapsed_outputs import loss, shares, tangent
from proofs_check.vectors import dot, norm

FRAME = Fact(
    "Pythagoras and the kernel",
    "|x|^2 is the sum of <v_i, x>^2 over an orthonormal basis; A x = 0 just where x is orthogonal "
    "to the rows of A, a space of dimension m - rank A.",
    "Horn and Johnson, Matrix Analysis, Sections 0.2.3 and 0.6.4",
)

_K = sympy.Symbol("more", integer=True, positive=True) + 1
_R = sympy.Symbol("R", positive=True)
_q, _eps, _scale = sympy.symbols("q epsilon lambda", positive=True)


# -- equation (11) --------------------------------------------------------------------------------


def _loss_of_gaps(gaps: Any, scale: Any) -> Any:
    terms = [(balls.ball(x) * balls.ball(scale)).exp() for x in gaps]
    return (1 + sum(terms, balls.ball(0))).log()


@proof("review:eq-11", "printed", "margins greater than 0", LOGARITHM)
def separated(claim: Claim) -> Iterator[Step]:
    """Every gap is at most -q, the largest one is -q_i."""
    others, w = sympy.symbols("others w", nonnegative=True)
    x = sympy.Symbol("x", positive=True)
    yield nonnegative(
        "a gap is at most -q: x = e^(-lambda q) less x/(1 + w), with 1 + w = e^(lambda room)",
        x - x / (1 + w),
        [x, w, 1 / (1 + w)],
    )
    yield identity(
        "at lambda q = log((K - 1)/(e^epsilon - 1)) the bound is epsilon",
        (_K - 1) * ((sympy.exp(_eps) - 1) / (_K - 1)) + 1,
        sympy.exp(_eps),
    )
    yield identity(
        "log((K - 1)/(e^epsilon - 1)) without overflow",
        sympy.exp(_eps) * (1 - sympy.exp(-_eps)),
        sympy.exp(_eps) - 1,
    )
    yield nonnegative(
        "lambda = 0 where e^epsilon = K + others: the risk is log(1 + (K - 1))",
        (_K + others) - (1 + (_K - 1)),
        [others],
    )
    yield nonnegative(
        "from below: the largest gap is -q_i, the other terms are not negative",
        (1 + x + others) - (1 + x),
        [others],
    )
    yield assumes(claim, g="real", q="positive", epsilon="positive", more="nonnegative")

    def sides(g: Any, q: Any, epsilon: Any, more: Any) -> dict[str, tuple[Any, Any]]:
        rivals, least = len(g[0]), balls.ball(min(q))
        eps = balls.ball(number(epsilon))
        top = (balls.ball(rivals) / (eps.exp() - 1)).log().max(balls.ball(0))
        scale = top / least + balls.ball(number(more))
        gaps = [[x - max(row) - own for x in row] for row, own in zip(g, q, strict=True)]
        risk = sum((_loss_of_gaps(row, scale) for row in gaps), balls.ball(0)) / len(g)
        low = sum((_loss_of_gaps([-own], scale) for own in q), balls.ball(0)) / len(g)
        return {
            "below epsilon": (risk, eps),
            "rate": (risk, (1 + rivals * (-scale * least).exp()).log()),
            "not faster": (low, risk),
        }

    given = [
        point(g=[[1, 0]], q=["1/2"], epsilon="1/8", more=0),
        point(g=[[1], [3]], q=[2, 1], epsilon=2, more="1/2"),
    ]
    yield tie("the claim compares these", claim, given, sides)


@proof("review:eq-11", "sharp", "at every margin", LOGARITHM, TANGENT)
def every_margin(claim: Claim) -> Iterator[Step]:
    """Terms of tied rivals stay 1; the others are added under the logarithm."""
    t, rest = sympy.symbols("t rest", nonnegative=True)
    yield identity(
        "log(1 + t + S) is log(1 + t) + log(1 + S/(1 + t))",
        (1 + t) * (1 + rest / (1 + t)),
        1 + t + rest,
    )
    yield nonnegative("at least log(1 + t)", (1 + t) * (1 + rest / (1 + t)) - (1 + t), [rest])
    w = sympy.Symbol("w", real=True)
    yield identity("log(1 + x) <= x is e^w >= 1 + w at w = log(1 + x)", (1 + w) - w, 1)
    yield nonnegative(
        "a rival above by e: 1 + e^(lambda e) + others >= e^(lambda e)", 1 + rest, [1 + rest]
    )
    yield assumes(claim, d="nonnegative", e="positive", scale="nonnegative")

    def sides(d: Any, e: Any, scale: Any) -> dict[str, tuple[Any, Any]]:
        by = number(scale)
        tied = [sum(x == 0 for x in row) for row in d]
        found = [_loss_of_gaps([-x for x in row], by) for row in d]
        rest = [
            sum(((balls.ball(-x * by)).exp() for x in row if x > 0), balls.ball(0)) for row in d
        ]
        limits = [balls.ball(1 + t).log() for t in tied]
        extra = [limit + r / (1 + t) for limit, r, t in zip(limits, rest, tied, strict=True)]
        up = number(e) * by
        wrong = (1 + balls.ball(up).exp() + _plain(d[0])).log()
        return {
            "at least the limit": (limits, found),
            "rate": (found, extra),
            "misclassified": (balls.ball(up), wrong),
        }

    given = [
        point(d=[[0, 1]], e=1, scale=2),
        point(d=[[0], [3]], e="1/2", scale=1),
        point(d=[[0, 0, "1/2"], [1, 2, 3]], e=3, scale=4),
    ]
    yield tie("the claim compares these", claim, given, sides)


def _plain(row: Any) -> Any:
    return sum((balls.ball(-x).exp() for x in row), balls.ball(0))


# -- equation (12) --------------------------------------------------------------------------------


def on_the_ball() -> Iterator[Step]:
    """The tangent at a point is least on the ball against its slope."""
    yield from tangent()
    length, g, room = sympy.symbols("length g room", nonnegative=True)
    yield nonnegative(
        "<g, u> >= -R |g| for |u| <= R, with |<g, u>| <= |g| |u| and R = |u| + room",
        g * (length + room) - g * length,
        [g, room],
    )
    value, product = sympy.symbols("value product", real=True)
    yield identity(
        "the tangent l(b+v) + <g, u - v> at its least",
        value + (-_R * g) - product,
        value - product - _R * g,
    )


def at_the_vertex() -> Iterator[Step]:
    """With equal rivals the slope is a negative multiple of the closed form."""
    missing = sympy.Symbol("missing", positive=True)
    slope = missing * sympy.sqrt(_K / (_K - 1))
    own, other = _R * sympy.sqrt((_K - 1) / _K), -_R / sympy.sqrt(_K * (_K - 1))
    yield identity("its norm is R", own**2 + (_K - 1) * other**2, _R**2)
    yield identity("its margin", sympy.expand((own - other) ** 2), _R**2 * _K / (_K - 1))
    yield nonnegative("which is positive", own - other, [own - other])
    yield identity("two vertices", 2 * own * other + (_K - 2) * other**2, -(_R**2) / (_K - 1))
    yield identity("own entry of the slope: p - 1", -slope / _R * own, -missing)
    yield identity("any other: (1 - p)/(K - 1)", -slope / _R * other, missing / (_K - 1))
    inner, length = sympy.symbols("inner length", real=True)
    yield identity(
        "R^2 - <h*, u> is half of |u - h*|^2 and of R^2 - |u|^2",
        2 * (_R**2 - inner),
        (length**2 - 2 * inner + _R**2) + (_R**2 - length**2),
    )


@proof("review:eq-12", "printed", "centre 0", TANGENT, LOGARITHM, INNER_PRODUCT)
def about_origin(claim: Claim) -> Iterator[Step]:
    """The slope at the vertex points against it, so the tangent is least there."""
    yield from on_the_ball()
    yield from at_the_vertex()
    yield assumes(claim, u="real", room="nonnegative")

    def sides(u: Any, room: Any) -> dict[str, tuple[Any, Any]]:
        K = len(u)
        radius = norm(u) + balls.ball(number(room))
        value = (1 + (K - 1) * (-radius * balls.ball(Fraction(K, K - 1)).sqrt()).exp()).log()
        inner = -radius * radius / (K - 1)
        return {
            "norm": (radius * radius, radius * radius),
            "value": (value, value),
            "least": (value, loss(u, 0)),
            "simplex": (inner, inner),
        }

    given = [point(u=[1, 0], room=0), point(u=["1/2", 1, -2], room="1/3")]
    yield tie("the claim compares these", claim, given, sides, ("norm", "value", "simplex"))


@proof(
    "review:eq-12",
    "corrected",
    "a centre with equal entries off the class",
    TANGENT,
    LOGARITHM,
    INNER_PRODUCT,
)
def equal_rivals(claim: Claim) -> Iterator[Step]:
    """The same with another own probability; what the ball leaves is a squared distance."""
    yield from on_the_ball()
    yield from at_the_vertex()
    yield assumes(claim, u="real", c="real", d="real", room="nonnegative")

    def sides(u: Any, c: Any, d: Any, room: Any) -> dict[str, tuple[Any, Any]]:
        K = len(u)
        radius = norm(u) + balls.ball(number(room))
        own = radius * balls.ball(Fraction(K - 1, K)).sqrt()
        other = -radius / balls.ball(K * (K - 1)).sqrt()
        best = [own] + [other] * (K - 1)
        centre = [number(c)] + [number(d)] * (K - 1)
        least = (
            1 + (K - 1) * (balls.ball(number(d)) + other - balls.ball(number(c)) - own).exp()
        ).log()
        here = loss([x + y for x, y in zip(u, centre, strict=True)], 0)
        away = [balls.ball(x) - y for x, y in zip(u, best, strict=True)]
        slope = (1 - (-least).exp()) * balls.ball(Fraction(K, K - 1)).sqrt()
        return {
            "least": (least, here),
            "unique": (
                slope * sum((x * x for x in away), balls.ball(0)) / 2,
                radius * (here - least),
            ),
            "certificate": (least, least),
        }

    given = [
        point(u=[1, 0], c=1, d=2, room=0),
        point(u=["1/2", 1, -2], c=0, d="1/2", room="1/3"),
    ]
    yield tie("the claim compares these", claim, given, sides, ("certificate",))


@proof("review:eq-12", "sharp", "a certificate for any centre", TANGENT, LOGARITHM, INNER_PRODUCT)
def any_centre(claim: Claim) -> Iterator[Step]:
    """The tangent at b + v, at its least on the ball."""
    yield from on_the_ball()
    yield assumes(claim, u="real", b="real", v="real", room="nonnegative")

    def sides(u: Any, b: Any, v: Any, room: Any) -> dict[str, tuple[Any, Any]]:
        radius = norm(u) + balls.ball(number(room))
        at = [x + y for x, y in zip(b, v, strict=True)]
        g = shares(at)
        g[0] = g[0] - 1
        product = sum((x * balls.ball(y) for x, y in zip(g, v, strict=True)), balls.ball(0))
        length = sum((x * x for x in g), balls.ball(0)).sqrt()
        low = loss(at, 0) - product - radius * length
        return {"certificate": (low, loss([x + y for x, y in zip(u, b, strict=True)], 0))}

    given = [
        point(u=[1, 0], b=[0, 3], v=[1, -1], room=0),
        point(u=["1/2", 1, -2], b=[1, 2, 3], v=[0, 0, 1], room="1/3"),
    ]
    yield tie("the claim compares these", claim, given, sides)


# -- the preimage ---------------------------------------------------------------------------------


@proof(
    "review:remark-preimage",
    "corrected",
    "dimension m - rank A, and the shortest feature",
    FRAME,
    JENSEN,
    MONOTONE_POWERS,
)
def preimage(claim: Claim) -> Iterator[Step]:
    """Everything in the orthonormal basis of the right singular vectors."""
    s, along = sympy.symbols("s along", real=True)
    yield identity(
        "A x = sum s_r <v_r, x> u_r: the square of a coordinate",
        (s * along) ** 2,
        s**2 * along**2,
    )
    yield identity("a hidden direction has s_r = 0 or no s_r", 0 * along, 0)
    seen, hidden = sympy.symbols("seen hidden", real=True)
    yield identity(
        "a coordinate is seen or hidden: squares add, products vanish",
        (seen + hidden) ** 2,
        seen**2 + hidden**2 + 2 * seen * hidden,
    )
    x, y = sympy.symbols("x y", real=True)
    yield identity(
        "the mean of x^2 and y^2 is the sum of squares of half sum and half difference",
        (x**2 + y**2) / 2,
        ((x + y) / 2) ** 2 + ((x - y) / 2) ** 2,
    )
    u, v, of_u, of_v = sympy.symbols("u v of_u of_v", positive=True)
    up, vp = sympy.symbols("up vp", nonnegative=True)
    yield nonnegative(
        "(u + v)^a >= u^a + v^a for a >= 1: (u + v)^(a-1) is of_u + up = of_v + vp, with of_u = "
        "u^(a-1) and of_v = v^(a-1)",
        u * (of_u + up) + v * (of_v + vp) - u * of_u - v * of_v,
        [u * up + v * vp],
    )
    yield assumes(
        claim, s="nonnegative", left="real", right="real", f="real", g="real", power="nonnegative"
    )
    given = [
        point(s=[2], left=[[1, 1]], right=[[1, 0], [1, 1]], f=[1, 2], g=[0, "1/2"], power=1),
        point(
            s=[0, 1],
            left=[[1, 1], [1, 2]],
            right=[[1, 0, 1], [1, 1, 0], [0, 1, 2]],
            f=[1, 2, 3],
            g=[0, "1/2", 1],
            power=2,
        ),
    ]
    yield tie("the claim compares these", claim, given, _of_preimage, _EQUAL)


_EQUAL = ("outputs", "same output", "shortest")


def _frame(mirrors: Any, size: int) -> list[list[Fraction]]:
    """The first unit vectors, reflected in the mirrors one after the other."""
    d = len(mirrors[0])
    rows = [[Fraction(int(j == c)) for j in range(d)] for c in range(size)]
    for mirror in mirrors:
        whole = dot(mirror, mirror)
        for c, row in enumerate(rows):
            share = 2 * dot(row, mirror) / whole
            rows[c] = [x - share * m for x, m in zip(row, mirror, strict=True)]
    return rows


def _of_preimage(
    s: Any, left: Any, right: Any, f: Any, g: Any, power: Any
) -> dict[str, tuple[Any, Any]]:
    r, m = len(s), len(f)
    frame = _frame(right, m)
    columns = _frame(left, r)
    inside = [Fraction(0)] * m
    best = list(f)
    step = [Fraction(0)] * len(columns[0])
    away = [x - y for x, y in zip(f, g, strict=True)]
    for i, v in enumerate(frame):
        if i < r:
            weight = s[i] * dot(v, away)
            step = [x + weight * u for x, u in zip(step, columns[i], strict=True)]
        if i >= r or s[i] == 0:
            inside = [x + dot(v, away) * e for x, e in zip(inside, v, strict=True)]
            best = [x - dot(v, f) * e for x, e in zip(best, v, strict=True)]
    other = [x + y for x, y in zip(f, inside, strict=True)]
    p = 2 + number(power)

    def total(x: Any) -> Any:
        return sum(
            ((balls.ball(p) * balls.ball(abs(t)).log()).exp() for t in x if t != 0), balls.ball(0)
        )

    middle = [(x + y) / 2 for x, y in zip(f, other, strict=True)]
    half = [x / 2 for x in inside]
    rest = [x - y for x, y in zip(f, best, strict=True)]
    zeros = [balls.ball(0)] * (2 * len(columns[0]))
    return {
        "outputs": (dot(step, step), dot(step, step)),
        "same output": (zeros, zeros),
        "shortest": (dot(f, f), dot(best, best) + dot(rest, rest)),
        "strictly convex": (2 * (total(middle) + total(half)), total(f) + total(other)),
    }
