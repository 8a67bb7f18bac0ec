"""Proofs about stationary points: multipliers as a certificate, and a dimension that is free."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT, LOGARITHM, TANGENT
from proofs_check.steps import (
    Fact,
    Step,
    assumes,
    covered,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)
from proofs_check.unconstrained.collapsed_outputs import HOEFFDING_RANGE
from proofs_check.unconstrained.entropy_flow import (
    entropy_point,
    flat,
    mean_squared_range,
    product,
    slope,
)
from proofs_check.unconstrained.separation import gaps, square
from proofs_check.vectors import dot

OPERATOR_NORM = Fact(
    "Operator norm",
    "<G, A F> <= |G| times the sum of the singular values of A F, which is at most (|A|_F^2 + "
    "|F|_F^2)/2; |G|^2 is at most the largest absolute row sum of G G^T.",
    "Horn and Johnson, Matrix Analysis, Sections 5.6 and 7.4; Srebro, Rennie, Jaakkola (2004)",
)

SYLVESTER = Fact(
    "Sylvester's criterion",
    "A symmetric matrix is positive definite exactly if its leading minors are positive.",
    "Horn and Johnson, Matrix Analysis, Theorem 7.2.5",
)

_x, _y, _s = sympy.symbols("x y s", real=True)

_POINTS = [
    point(a=[[1], [-1]], f=[[[1], [2]], [[-1], ["-1/2"]]]),
    point(a=[[1, 0], [0, 1], [-1, -1]], f=[[[1, 0]], [[0, 1]], [[-1, "-1/2"]]]),
]


# -- KKT points -----------------------------------------------------------------------------------


@proof("review:remark-kkt", "printed", "the qualification holds")
def qualification(claim: Claim) -> Iterator[Step]:
    """Every gap is homogeneous of degree 2."""
    gap = sympy.Symbol("gap", real=True)
    yield identity(
        "a gap at (1 + s)(A, F): products of two scaled numbers",
        (1 + _s) * _x * (1 + _s) * _y,
        (1 + _s) ** 2 * (_x * _y),
    )
    yield identity("less the gap", (1 + _s) ** 2 * gap - gap, (_s + _s**2 / 2) * (2 * gap))
    more, q = sympy.symbols("more q", nonnegative=True)
    yield nonnegative("a gap is q + more", 2 * (q + more) - 2 * q, [2 * more])
    yield assumes(claim, a="real", f="real", s="real")

    def sides(a: Any, f: Any, s: Any) -> dict[str, tuple[Any, Any]]:
        found, step = gaps(a, f), 1 + number(s)
        grown = [step * step * gap for gap in found]
        least = min(found)
        return {
            "separated": (balls.ball(0), balls.ball(least)),
            "step": (grown, grown),
            "slope": ([2 * least] * len(found), [2 * gap for gap in found]),
        }

    given = [{**each, **point(s="1/2")} for each in _POINTS]
    yield tie("the claim compares these", claim, given, sides, ("step",))


def _columns(lam: Any) -> list[list[Any]]:
    """Columns of G over all samples."""
    K = len(lam)
    found = []
    for k in range(K):
        for row in lam[k]:
            rest = iter(row)
            found.append([sum(row) if j == k else -next(rest) for j in range(K)])
    return found


def _row_sum(columns: Any) -> Any:
    """Largest absolute row sum of G G^T, in balls."""
    K = len(columns[0])
    largest = balls.ball(0)
    for i in range(K):
        total = balls.ball(0)
        for j in range(K):
            entry = sum((balls.ball(c[i]) * balls.ball(c[j]) for c in columns), balls.ball(0))
            total = total + abs(entry)
        largest = largest.max(total)
    return largest


@proof("review:remark-kkt", "corrected", "KKT points with multipliers of norm 1", OPERATOR_NORM)
def certificate(claim: Claim) -> Iterator[Step]:
    """The Lagrangian, completed to a square; duality of norms."""
    inner, pulled = sympy.symbols("inner pulled", real=True)
    A, F, price = sympy.symbols("A2 F2 price", real=True)
    yield identity(
        "<A, G F^T> is the sum of lambda <a_k - a_j, f>: a term, G = lambda (e_k - e_j)",
        _s * (_x - _y),
        _s * _x - _s * _y,
    )
    yield identity(
        "the objective in squares, inner = <A, G F^T>, pulled = |G F^T|^2",
        price + (inner - price) + (A - 2 * inner + pulled) / 2 + (F - pulled) / 2,
        (A + F) / 2,
    )
    lam, more, q = sympy.symbols("lambda more q", nonnegative=True)
    yield nonnegative("sum lambda gap >= q sum lambda", lam * (q + more) - lam * q, [lam, more])
    mu = sympy.Symbol("mu", positive=True)
    yield identity(
        "a KKT point, A = G F^T and F = A^T G: inner = |A|^2 = |F|^2 = sum lambda, the objective",
        (mu + mu) / 2,
        mu,
    )
    yield assumes(claim, a="real", f="real", lam="positive")

    def sides(a: Any, f: Any, lam: Any) -> dict[str, tuple[Any, Any]]:
        objective = balls.ball((square(a) + square(flat(f))) / 2)
        columns = _columns(lam)
        price = sum(x for rows in lam for row in rows for x in row)
        bound = _row_sum(columns).sqrt() * objective
        least = balls.ball(min(gaps(a, f)))
        return {
            "objective": (objective, objective),
            "bound": (balls.ball(price) * least, bound),
        }

    given = [
        {**_POINTS[0], **point(lam=[[[1], [2]], [["1/2"], [1]]])},
        {**_POINTS[1], **point(lam=[[[1, 2]], [[1, 1]], [["1/3", 1]]])},
    ]
    yield tie("the claim compares these", claim, given, sides, ("objective",))


# -- tangent directions ---------------------------------------------------------------------------

_BASIS = ((1, 1, -2, 0, 0, 0), (0, 0, 0, 1, 1, 0), (0, 0, 0, 0, 0, 1), (1, -1, 0, -1, 1, 0))


def _line_hessian(t: Any, p: Any, r: Any, s: Any) -> list[list[Any]]:
    """The second derivative of 3 R in that basis."""
    mixed = 6 * s * (t * (p - r) - 1)
    return [
        [18 * t * s * (1 - s), mixed, 2, 0],
        [mixed, 2 * t * (p + r - (p - r) ** 2), 0, 0],
        [2, 0, 2 * t / 3, 0],
        [0, 0, 0, 4 * (1 - p + r)],
    ]


def _minors(t: Any, up: Any, down: Any) -> list[Any]:
    """Leading minors of the first three rows, at up = e^t and down = e^(-t)."""
    p, r, s = (x / (up + down + 1) for x in (up, down, 1))
    (a, b, c, _), (_, d, _, _), (_, _, e, _), _ = _line_hessian(t, p, r, s)
    return [a, a * d - b * b, (a * d - b * b) * e - c * c * d]


@proof("review:remark-tangent", "sharp", "two classes opposed on a line, a minimum", SYLVESTER)
def opposed(claim: Claim) -> Iterator[Step]:
    """The risk itself, differentiated; its minors over the range of t."""
    alpha, E = sympy.symbols("alpha E", positive=True)
    x = sympy.symbols("x_1:5", real=True)
    t = alpha**2
    at = (alpha, -alpha, 0, alpha, -alpha, 0)
    moved = [
        y + sum(xi * row[i] for xi, row in zip(x, _BASIS, strict=True)) for i, y in enumerate(at)
    ]
    a, f = moved[:3], moved[3:]
    risk = sum(sympy.log(sum(sympy.exp((a[j] - a[k]) * f[k]) for j in range(3))) for k in range(3))
    p, r, s = E / (E + 1 / E + 1), 1 / E / (E + 1 / E + 1), 1 / (E + 1 / E + 1)

    def here(expression: Any) -> Any:
        """At x = 0, as a rational function of alpha and E = e^t."""
        found = expression.subs(dict.fromkeys(x, 0))
        return found.replace(sympy.exp, lambda power: E ** sympy.cancel(power / t))

    for xi, row in zip(x, _BASIS, strict=True):
        yield identity(
            f"tangent, and no slope there: {row}",
            here(sympy.diff(risk, xi)) + sum(y * z for y, z in zip(at, row, strict=True)),
            0,
        )
    for i, entries in enumerate(_line_hessian(t, p, r, s)):
        for j in range(i, 4):
            yield identity(
                f"second derivative of 3 R: entry ({i + 1}{j + 1})",
                here(sympy.diff(risk, x[i], x[j])),
                entries[j],
            )
    c = sympy.Symbol("c", real=True)
    yield identity("a shift of all weights", (_x + c - (_y + c)) * _s, (_x - _y) * _s)
    yield identity(
        "the velocity of a_1: -G F^T = -(alpha (p - 1) - alpha r)/3",
        -(alpha * (p - 1) - alpha * r) / 3,
        (2 * r + s) / 3 * alpha,
    )
    for place in range(3):
        yield covered(
            f"leading minor {place + 1} is at least 1/20 for 8/5 <= t <= 12/5",
            lambda xp, t, place=place: (
                _minors(t, xp.exp(t), xp.exp(-t))[place] - balls.ball(Fraction(1, 20))
            ),
            {"t": (Fraction(8, 5), Fraction(12, 5))},
        )
    yield assumes(claim, alpha="positive", x="real", shift="real", share="proportion")

    def sides(alpha: Any, x: Any, shift: Any, share: Any) -> dict[str, tuple[Any, Any]]:
        size = number(alpha)
        t = size * size
        down, up = (-balls.ball(t)).exp(), balls.ball(t).exp()
        p, r, s = (y / (up + down + 1) for y in (up, down, 1))
        mu = (2 * r + s) / 3
        velocity = [mu * balls.ball(size), -mu * balls.ball(size), balls.ball(0)]
        matrix = _line_hessian(balls.ball(t), p, r, s)
        form = sum(
            (balls.ball(x[i] * x[j]) * matrix[i][j] for i in range(4) for j in range(4)),
            balls.ball(0),
        )
        risk = (2 * (1 + (-balls.ball(2 * t)).exp() + down).log() + balls.ball(3).log()) / 3
        u = balls.ball(Fraction(8, 5) + Fraction(4, 5) * number(share))
        one, two, three = _minors(u, u.exp(), (-u).exp())
        least = one.min(two).min(three)
        return {
            "slope in A": (velocity, velocity),
            "slope in F": (velocity, velocity),
            "second derivative": (form, form),
            "shift": (risk, risk),
            "positive definite": (balls.ball(Fraction(1, 20)), least),
        }

    given = [
        point(alpha=1, x=[1, 0, 0, 0], shift=1, share=0),
        point(alpha="5/4", x=[1, "1/2", -2, 3], shift=-2, share=1),
    ]
    equal = ("slope in A", "slope in F", "second derivative", "shift")
    yield tie("the claim compares these", claim, given, sides, equal)


@proof(
    "review:remark-tangent",
    "corrected",
    "where a dimension is free",
    TANGENT,
    LOGARITHM,
    HOEFFDING_RANGE,
)
def descent(claim: Claim) -> Iterator[Step]:
    """In the free dimension only the product of the two steps reaches the logits."""
    yield from slope()
    u, v, d = sympy.symbols("u v delta", real=True)
    yield identity(
        "an entry of the logits: the free coordinates are 0 + delta u and 0 - delta v",
        _x * _y + (0 + d * u) * (0 - d * v),
        _x * _y - d**2 * u * v,
    )
    yield identity("tangent: the free coordinates of (A, F) are 0", 0 * u + 0 * (-v), 0)
    top, low = sympy.symbols("top low", real=True)
    yield nonnegative(
        "the range of delta^2 v u: (top - low)^2 <= 2 (top^2 + low^2)",
        2 * (top**2 + low**2) - (top - low) ** 2,
        [(top + low) ** 2],
    )
    N, U, V, push = sympy.symbols("N U V push", positive=True)
    yield identity(
        "an eighth of the mean of delta^4 v^2 2 |u|^2",
        d**4 * 2 * U * V / N / 8,
        d**4 * U * V / (4 * N),
    )
    yield identity(
        "lower as long as delta^2 < 4 N push/(U V)",
        -(d**2) * push + d**4 * U * V / (4 * N),
        d**2 * U * V / (4 * N) * (d**2 - 4 * N * push / (U * V)),
    )
    c = sympy.Symbol("c", positive=True)
    along = sympy.Symbol("along", real=True)
    yield identity(
        "scaled back: <G, c (Z - delta^2 u v) - Z>",
        c * (along - d**2 * push) - along,
        (c - 1) * along - c * d**2 * push,
    )
    mu, size = sympy.symbols("mu size", positive=True)
    yield identity(
        "at G F^T = -mu A, A^T G = -mu F: <G, AF> = -mu |A|^2 = -mu |F|^2 = -mu size/2, and with "
        "unit vectors c = size/(size + 2 delta^2) the two terms are -c delta^2 (push - mu)",
        (size / (size + 2 * d**2) - 1) * (-mu * size / 2) - size / (size + 2 * d**2) * d**2 * push,
        -size / (size + 2 * d**2) * d**2 * (push - mu),
    )
    w = sympy.Symbol("w", real=True)
    yield identity(
        "G (G^T A) = G (-mu F^T) = -mu (G F^T) = mu^2 A, where A^T G = -mu F: an entry w of A",
        -mu * (-mu * w),
        mu**2 * w,
    )
    yield assumes(claim, a="real", f="real", u="real", v="real", delta="positive")
    given = [
        {**_POINTS[0], **point(u=[1, -1], v=[[1, 1], [-1, 0]], delta="1/2")},
        {**_POINTS[1], **point(u=[1, 0, 2], v=[[1], [0], ["1/2"]], delta=2)},
    ]
    yield tie("the claim compares these", claim, given, _descent_sides, ("tangent", "logits"))


def _descent_sides(a: Any, f: Any, u: Any, v: Any, delta: Any) -> dict[str, tuple[Any, Any]]:
    d = number(delta)
    at = entropy_point(a, f)
    moved_a = [[*row, d * x] for row, x in zip(a, u, strict=True)]
    moved_f = [
        [[*x, -d * y] for x, y in zip(rows, steps, strict=True)]
        for rows, steps in zip(f, v, strict=True)
    ]
    moved = entropy_point(moved_a, moved_f)
    shift = [y for steps in v for y in steps]
    push = product(at.slope, [[x * y for x in u] for y in shift])
    lengths, sizes = dot(u, u), dot(shift, shift)
    size = square(a) + square(flat(f))
    c = size / (size + d * d * (lengths + sizes))
    home = [[c * x for x in row] for row in moved.z]
    change = [
        [x - y for x, y in zip(row, other, strict=True)]
        for row, other in zip(home, at.z, strict=True)
    ]
    N = len(at.labels)
    risk_home = balls.ball(0)
    for row, k in zip(home, at.labels, strict=True):
        top = sum((balls.ball(x - row[k]).exp() for x in row), balls.ball(0))
        risk_home += top.log() / N
    along = product(at.slope, at.z)
    ball_c = balls.ball(c)
    linear = at.risk + (ball_c - 1) * along - ball_c * balls.ball(d * d) * push
    entries = [x for row in moved.z for x in row]
    upper = at.risk - balls.ball(d * d) * push + balls.ball(d**4 * lengths * sizes) / (4 * N)
    return {
        "tangent": (balls.ball(0), balls.ball(0)),
        "logits": (entries, entries),
        "risk": (moved.risk, upper),
        "on the sphere": (risk_home, linear + mean_squared_range(change) / 8),
    }


@proof(
    "review:remark-tangent",
    "sharp",
    "what the slope says of all points",
    TANGENT,
    LOGARITHM,
    INNER_PRODUCT,
    OPERATOR_NORM,
)
def least_on_ball(claim: Claim) -> Iterator[Step]:
    """The tangent in the logits, and the largest inner product that norms allow."""
    yield from slope()
    risk, along, norm, size = sympy.symbols("risk along norm size", real=True)
    yield identity(
        "R + <G, Z' - Z> at <G, Z'> = -|G| size/2",
        risk + (-norm * size / 2 - along),
        risk - along - norm * size / 2,
    )
    mu = sympy.Symbol("mu", positive=True)
    yield identity(
        "zero at a stationary point with |G| = mu and size = |A|^2 + |F|^2",
        -(-mu * size / 2) - mu * size / 2,
        0,
    )
    yield assumes(claim, a="real", f="real", b="real", g="real")

    def sides(a: Any, f: Any, b: Any, g: Any) -> dict[str, tuple[Any, Any]]:
        at, other = entropy_point(a, f), entropy_point(b, g)
        length = _row_sum(at.slope).sqrt()
        size = balls.ball(square(b) + square(flat(g)))
        low = at.risk - product(at.slope, at.z) - length * size / 2
        return {"least risk": (low, other.risk)}

    given = [
        {**_POINTS[0], **point(b=[[1], [2]], g=[[[1], [0]], [[1], [1]]])},
        {**_POINTS[1], **point(b=[[1, 0], [0, 0], [1, 1]], g=[[[1, 1]], [["1/2", 0]], [[0, 1]]])},
    ]
    yield tie("the claim compares these", claim, given, sides)
