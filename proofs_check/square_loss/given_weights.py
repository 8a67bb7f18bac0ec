"""The proof of the ridge certificate: an expansion, and one square for any v."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import given_weights
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT
from proofs_check.proximity.first_steps import dot, mean, within_classes
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_x, _v, _a, _g, _s = sympy.symbols("x v a g s", real=True)
_mu, _omega, _alpha, _p, _q = sympy.symbols("mu omega alpha p q", positive=True)
_rest, _z = sympy.symbols("rest z", nonnegative=True)


@proof("square:sharp-4", "sharp", "a ridge certificate", INNER_PRODUCT)
def one_class(claim: Claim) -> Iterator[Step]:
    """h = g + r: W h - y = W r - v, and <v, W r> = <omega, r>; then |W h - y + v|^2 >= 0."""
    seen, crossed, square, along, length = sympy.symbols("seen crossed v2 along r2", real=True)
    g2 = sympy.Symbol("g2", real=True)
    yield identity(
        "|W r - v|^2 + mu |g + r|^2 in inner products, <v, W r> named crossed, <g, r> along",
        (seen - 2 * crossed + square) + _mu * (g2 + 2 * along + length),
        square + _mu * g2 + seen + _mu * length + 2 * (_mu * along - crossed),
    )
    yield nonnegative(
        "|x|^2 - (2 <v, x> - |v|^2) is a sum of squares, coordinate by coordinate, x = y - W h",
        _x**2 - (2 * _v * _x - _v**2),
        [(_x - _v) ** 2],
    )
    loss, inner, product = sympy.symbols("loss inner product", real=True)
    yield identity(
        "so L >= 2 <v, y> - 2 <omega, mean> - |v|^2, solved for <omega, mean>",
        loss - (2 * product - 2 * inner - square),
        2 * (inner - (product - (square + loss) / 2)),
    )
    yield from within_classes()
    yield nonnegative(
        "|mean| >= a/|omega| for a + rest = <omega, mean> <= |omega| |mean|",
        (_p + _rest) / _omega - _p / _omega,
        [_rest, 1 / _omega],
    )
    yield nonnegative(
        "|mean| <= alpha: the cosine (a + rest)/(|omega| |mean|) >= a/(|omega| alpha), alpha = "
        "|mean| + z",
        (_p + _rest) / (_omega * _q) - _p / (_omega * (_q + _z)),
        [1 / _omega, 1 / _q, 1 / (_q + _z), _p * _z + _rest * _q + _rest * _z],
    )
    yield identity(
        "spread = alpha^2 - |mean|^2, over alpha^2, at the least |mean|",
        (_alpha**2 - (_p / _omega) ** 2) / _alpha**2,
        1 - (_p / (_omega * _alpha)) ** 2,
    )
    yield from _formulas()
    yield assumes(claim, w="real", h="real", y="real", g="real", mu="positive")
    points = [
        point(
            w=[[2, 0, 1], [0, 1, "1/2"]],
            h=[[1, 1, 0], ["1/3", 2, -1]],
            y=[1, "-1/2"],
            g=["1/2", 0, "1/4"],
            mu="1/2",
        ),
        point(w=[[1, 0]], h=[["1/2", 1], ["1/2", -1]], y=[1], g=["1/2", 0], mu=1),
        point(w=[[1]], h=[[-1]], y=[2], g=[3], mu=1),
    ]
    yield tie("the claim compares these", claim, points, _sides, ("ridge",))


def _formulas() -> Iterator[Step]:
    def named(formula: Any, **values: Any) -> Any:
        found = symbolic.symbols(formula)
        return symbolic.expression(formula).subs({found[n]: v for n, v in values.items()})

    yield identity(
        "the norm of the class mean is at least [a]_+/|omega|",
        named(given_weights.norm_of_mean, a=_p, omega=_omega),
        _p / _omega,
    )
    yield identity(
        "which is 0 for a < 0", named(given_weights.norm_of_mean, a=-_p, omega=_omega), 0
    )
    yield identity(
        "the variability",
        named(given_weights.variability, a=_p, omega=_omega, alpha=_alpha),
        1 - (_p / (_omega * _alpha)) ** 2,
    )
    yield identity(
        "the cosine",
        named(given_weights.cosine, a=_p, omega=_omega, alpha=_alpha),
        _p / (_omega * _alpha),
    )


def _sides(w: Any, h: Any, y: Any, g: Any, mu: Any) -> dict[str, tuple[Any, Any]]:
    d, price = len(g), number(mu)
    v = [b - dot(row, g) for row, b in zip(w, y, strict=True)]
    omega = [sum(f * row[j] for f, row in zip(v, w, strict=True)) for j in range(d)]
    errors = [[dot(row, x) - b for row, b in zip(w, y, strict=True)] for x in h]
    loss = mean([dot(x, x) for x in errors])
    middle = [mean([x[j] for x in h]) for j in range(d)]
    whole, own = mean([dot(x, x) for x in h]), dot(middle, middle)
    a = dot(v, y) - (dot(v, v) + loss) / 2
    inner = dot(omega, middle)
    norm, length = balls.ball(dot(omega, omega)).sqrt(), balls.ball(own).sqrt()
    alpha = balls.ball(whole).sqrt()
    size = norm * alpha
    r = balls.ball(max(a, 0)) / size
    cosine = balls.ball(inner) / (norm * length) if norm * length > 0 else balls.ball(-1)
    left = loss + price * whole
    return {
        "ridge": (left, left),
        "inner product": (size + balls.ball(a), size + balls.ball(inner)),
        "variability": (1 - own / whole, 1 - r**2),
        "norm": (balls.ball(max(a, 0)) / norm, length),
        "cosine": (1 - cosine, 1 - balls.ball(a) / size if a > 0 else balls.ball(2)),
    }
