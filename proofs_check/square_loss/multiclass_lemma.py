"""Proofs of what minimising implies for the outputs: free ones, and those of two layers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.square_loss import multiclass_lemma
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT
from proofs_check.square_loss.multiclass_landscape import (
    best_scale_route,
    deviation_route,
    in_the_scale_route,
    with_,
)
from proofs_check.square_loss.multiclass_layers import (
    Outputs,
    Sides,
    about_targets,
    average,
    frobenius,
    in_balls,
    minus,
    product,
    samples,
    target_rows,
    times,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.vectors import dot

_k, _lam = sympy.symbols("k lambda", positive=True)
_M, _D = sympy.symbols("M D", nonnegative=True)


# -- outputs that are free in a ball --------------------------------------------------------------


@proof("square:lemma-7", "corrected", "outputs that are free in a ball", INNER_PRODUCT)
def free_outputs(claim: Claim) -> Iterator[Step]:
    """The gap above k lambda/(r^2 + lambda) is two terms that are not negative.

    They vanish together only where the deviation D is 0 and M = r^2: at f = (r/sqrt k) e~.
    """
    yield from in_the_scale_route()
    yield from best_scale_route()
    yield from deviation_route()
    short = sympy.Symbol("short", nonnegative=True)
    M, r2 = _M, _M + short
    split = _k * _D / (M + _lam) + _k * _lam * short / ((r2 + _lam) * (M + _lam))
    yield identity(
        "the gap with mu^2 = k (M - D) and r^2 = M + short",
        (_k - _k * (M - _D) / (M + _lam)) - _k * _lam / (r2 + _lam),
        split,
    )
    yield nonnegative(
        "D <= (g/k)(r^2 + lambda)",
        split * (r2 + _lam) / _k - _D,
        [(_D + _lam) * short, 1 / (M + _lam)],
    )
    yield nonnegative(
        "short <= g (r^2 + lambda)^2/(k lambda)",
        split * (r2 + _lam) ** 2 / (_k * _lam) - short,
        [_D * (r2 + _lam) ** 2 / _lam + short**2, 1 / (M + _lam)],
    )
    yield nonnegative("g >= 0", split, [split])
    C, reach, decay, gap = (
        symbolic.symbols(multiclass_lemma.deviation_from_loss)[name]
        for name in ("C", "reach", "lambda_", "gap")
    )
    k = C / (C - 1)
    yield identity(
        "the formula of the least loss",
        symbolic.expression(multiclass_lemma.least_loss),
        k * decay / (reach + decay),
    )
    yield identity(
        "the formula of the deviation",
        symbolic.expression(multiclass_lemma.deviation_from_loss),
        gap / k * (reach + decay),
    )
    yield identity(
        "the formula of the shortfall",
        symbolic.expression(multiclass_lemma.shortfall_from_loss),
        gap / (k * decay) * (reach + decay) ** 2,
    )
    r = sympy.Symbol("r", positive=True)
    yield identity(
        "at f = (r/sqrt k) e~: M = r^2 and mu = r sqrt k, so both terms vanish",
        r**2 - (r * sympy.sqrt(_k)) ** 2 / _k,
        0,
    )
    yield assumes(claim, f="real", rho="real", lambda_="positive", reach="budget")

    def sides(f: Any, rho: Any, lambda_: Any, reach: Any) -> Sides:
        o, decay, scale, r2 = Outputs(f), number(lambda_), number(rho), number(reach)
        least = o.k * decay / (r2 + decay)
        reduced = o.k - o.mu**2 / (o.M + decay)
        gap = reduced - least
        norms = [dot(x, x) for _, x in samples(f)]
        return {
            "bounded outputs": (norms, r2),
            "least loss": (least, o.loss(scale) + decay * scale**2),
            "split": (gap, gap),
            "deviation": (o.deviation, gap * (r2 + decay) / o.k),
            "shortfall": (r2 - o.M, gap * (r2 + decay) ** 2 / (o.k * decay)),
        }

    given = with_(rho=2, lambda_="1/3", reach=6)
    yield tie("the claim compares these", claim, given, sides, ("split",))


# -- two layers on orthogonal inputs --------------------------------------------------------------


def _price() -> Iterator[Step]:
    """|sum t_c/a_c| <= rho/sqrt(k): with H = relu(V_1) it is (rho/k) <V_2, sum e~_c H_c^T>."""
    C = sympy.Symbol("more", integer=True, positive=True) + 1
    rho, a, u, e, H = sympy.symbols("rho a u e H", positive=True)
    yield identity(
        "an entry of t_c/a_c, as the hidden layer is a_c H_c",
        rho / _k * (u * (a * H)) * e / a,
        rho / _k * u * (e * H),
    )
    squares, cross = sympy.symbols("squares cross", nonnegative=True)
    k = C / (C - 1)
    yield nonnegative(
        "|sum_c e~_c H_jc|^2 = k sum H^2 - C/(C-1)^2 sum of H H' <= k sum H^2, as H >= 0",
        k * squares - (k * squares - C / (C - 1) ** 2 * cross),
        [C / (C - 1) ** 2, cross],
    )
    x = sympy.Symbol("x", nonnegative=True)
    for name, at in (("right of 0", x), ("left of 0", -x)):
        relu = x if at == x else sympy.Integer(0)
        yield nonnegative(f"relu(x)^2 <= x^2 {name}", at**2 - relu**2, [x**2 - relu**2])
    yield identity(
        "so |<V_2, sum e~ H^T>| <= sqrt(k), and |S| <= rho/sqrt(k)",
        rho / _k * sympy.sqrt(_k),
        rho / sympy.sqrt(_k),
    )


@proof(
    "square:lemma-7",
    "sharp",
    "the minimum over two-layer networks",
    INNER_PRODUCT,
    CAUCHY_SCHWARZ,
)
def two_layers(claim: Claim) -> Iterator[Step]:
    """The loss is at least (k/C) sum (1 - t_c)^2 + lambda k S^2, S = sum t_c/a_c: a square in t."""
    yield from about_targets()
    yield from _price()
    t, rest = sympy.symbols("t rest", real=True)
    yield identity(
        "rho f = t e~ + rest, orthogonal: |rho f - e~|^2 = k (1-t)^2 + |rest|^2",
        (t - 1) ** 2 * _k + rest**2,
        _k * (1 - t) ** 2 + rest**2,
    )
    C, P, Q = sympy.symbols("C P Q", positive=True)
    S, off = sympy.symbols("S off", real=True)
    best = P / (1 + C * _lam * Q)
    yield identity("S* = sum t_c*/a_c = P - C lambda S* Q", P - C * _lam * best * Q, best)
    slack = sympy.Symbol("slack", real=True)  # 1 - t*
    yield identity("a term about t*", (slack - off) ** 2, slack**2 - 2 * slack * off + off**2)
    spread = sympy.Symbol("spread", nonnegative=True)  # sum (t - t*)^2
    total = (
        _k / C * ((C * _lam * best) ** 2 * Q - 2 * C * _lam * best * (S - best) + spread)
        + _lam * _k * S**2
    )
    least = _k * _lam * P**2 / (1 + C * _lam * Q)
    yield identity(
        "summed with 1 - t_c* = C lambda S*/a_c, the terms of first order cancel",
        total,
        least + _k / C * spread + _lam * _k * (S - best) ** 2,
    )
    yield nonnegative(
        "the last is not negative", _lam * _k * (S - best) ** 2, [_lam, _k, (S - best) ** 2]
    )
    alpha = sympy.Symbol("alpha", real=True)
    yield identity(
        "with one constant t_c = alpha it is k (1-alpha)^2 + lambda k alpha^2 P^2",
        _k * (1 - alpha) ** 2 + _lam * _k * alpha**2 * P**2,
        _k * _lam * P**2 / (1 + _lam * P**2)
        + _k * (1 + _lam * P**2) * (alpha - 1 / (1 + _lam * P**2)) ** 2,
    )
    a, rho, margin = sympy.symbols("a rho margin", positive=True)
    share = sympy.sqrt(_k) * margin / (rho * a)
    yield identity(
        "attained: one unit a class of squared norms s^2 = sqrt(k) t/(rho a) has the margin t",
        rho * a * share * _k / sympy.sqrt(_k) / _k,
        margin,
    )
    yield from _formulas()
    yield assumes(
        claim, first="real", second="real", a="positive", rho="positive", lambda_="positive"
    )
    points = [
        point(first=[[1, -1], [2, 1]], second=[[1, 0], [-1, 2]], a=[1, "1/2"], rho=2, lambda_=1),
        point(first=[[1, 0, 2]], second=[[1], [-1], [3]], a=[1, 2, 3], rho=1, lambda_="1/8"),
    ]
    yield tie("the claim compares these", claim, points, _two_layer_sides)


def _formulas() -> Iterator[Step]:
    s = symbolic.symbols(multiclass_lemma.margin_at_the_minimum)
    C, P, Q, decay = s["C"], s["P"], s["Q"], s["lambda_"]
    k, best = C / (C - 1), P / (1 + C * decay * Q)
    for formula, value in (
        (multiclass_lemma.least_two_layer_loss, k * decay * P * best),
        (multiclass_lemma.least_symmetric_loss, k * decay * P**2 / (1 + decay * P**2)),
        (multiclass_lemma.margin_at_the_minimum, 1 - C * decay * best / s["a"]),
    ):
        yield identity(f"the formula of {formula.name}", symbolic.expression(formula), value)


def _two_layer_sides(first: Any, second: Any, a: Any, rho: Any, lambda_: Any) -> Sides:
    C, scale, decay = len(a), balls.ball(number(rho)), balls.ball(number(lambda_))
    V, U, e = in_balls(first), in_balls(second), in_balls(target_rows(C))
    one, two = frobenius(V).sqrt(), frobenius(U).sqrt()
    k, sizes = balls.ball(Fraction(C, C - 1)), [balls.ball(x) for x in a]
    P = sum((1 / x for x in sizes), balls.ball(0))
    Q = sum((1 / (x * x) for x in sizes), balls.ball(0))
    errors, off = [], []
    for c, size in enumerate(sizes):
        hidden = [size * row[c].max(balls.ball(0)) / one for row in V]
        f = times(scale / two, product(U, hidden))
        errors.append(dot(minus(f, e[c]), minus(f, e[c])))
        off.append(dot(f, e[c]) / k - 1 + C * decay * P / ((1 + C * decay * Q) * size))
    least = k * decay * P * P / (1 + C * decay * Q) + k * average(x * x for x in off)
    return {"least loss": (least, average(errors) + decay * scale * scale)}
