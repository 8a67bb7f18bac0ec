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
    """|sum tau_c| <= rho/sqrt(k): with H = relu(V_1) it is (rho/k) <V_2, sum e~_c H_c^T>."""
    C = sympy.Symbol("more", integer=True, positive=True) + 1
    rho, a, u, e, H = sympy.symbols("rho a u e H", positive=True)
    yield identity(
        "an entry of tau_c, as the hidden layer is a_cn H_c",
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


def _square_in_slopes() -> Iterator[Step]:
    """k mean (1 - tau_c a)^2 + lambda k S^2 is the least loss and two squares about tau*."""
    A, B = sympy.symbols("A B", positive=True)
    tau = sympy.Symbol("tau", real=True)
    yield identity(
        "the mean of (1 - tau a)^2 over a class",
        1 - 2 * tau * A + tau**2 * B,
        (1 - A**2 / B) + B * (tau - A / B) ** 2,
    )
    C, P, Q = sympy.symbols("C P Q", positive=True)
    S = sympy.Symbol("S", real=True)
    best = P / (1 + C * _lam * Q)
    yield identity("S* = sum tau_c* = P - C lambda S* Q", P - C * _lam * best * Q, best)
    off = sympy.Symbol("off", real=True)
    yield identity(
        "with tau* = A/B - C lambda S*/B a term about it, off = tau - tau*",
        B * (off - C * _lam * best / B) ** 2,
        B * off**2 - 2 * C * _lam * best * off + (C * _lam * best) ** 2 / B,
    )
    spread = sympy.Symbol("spread", nonnegative=True)  # sum B (tau - tau*)^2
    total = (
        _k / C * (spread - 2 * C * _lam * best * (S - best) + (C * _lam * best) ** 2 * Q)
        + _lam * _k * S**2
    )
    least = _k * _lam * P**2 / (1 + C * _lam * Q)
    yield identity(
        "summed, and lambda k S^2 added, the terms of first order cancel",
        total,
        least + _k / C * spread + _lam * _k * (S - best) ** 2,
    )
    yield nonnegative(
        "the last is not negative", _lam * _k * (S - best) ** 2, [_lam, _k, (S - best) ** 2]
    )


@proof(
    "square:lemma-7",
    "sharp",
    "the minimum over two-layer networks",
    INNER_PRODUCT,
    CAUCHY_SCHWARZ,
)
def two_layers(claim: Claim) -> Iterator[Step]:
    """The loss is at least k mean (1 - tau_c a)^2 + lambda k S^2 with S = sum tau_c."""
    yield from about_targets()
    yield from _price()
    t, rest = sympy.symbols("t rest", real=True)
    yield identity(
        "rho f = t e~ + rest, orthogonal: |rho f - e~|^2 = k (1-t)^2 + |rest|^2",
        (t - 1) ** 2 * _k + rest**2,
        _k * (1 - t) ** 2 + rest**2,
    )
    yield from _square_in_slopes()
    P = sympy.Symbol("P", positive=True)
    alpha = sympy.Symbol("alpha", real=True)
    yield identity(
        "with one constant and N = 1: k (1-alpha)^2 + lambda k alpha^2 P^2",
        _k * (1 - alpha) ** 2 + _lam * _k * alpha**2 * P**2,
        _k * _lam * P**2 / (1 + _lam * P**2)
        + _k * (1 + _lam * P**2) * (alpha - 1 / (1 + _lam * P**2)) ** 2,
    )
    rho, slope = sympy.symbols("rho slope", positive=True)
    share = sympy.sqrt(_k) * slope / rho
    yield identity(
        "attained: one unit a class of squared norms s^2 = sqrt(k) tau/rho has the slope tau",
        rho * share * _k / sympy.sqrt(_k) / _k,
        slope,
    )
    yield from _formulas()
    yield assumes(
        claim, first="real", second="real", a="positive", rho="positive", lambda_="positive"
    )
    points = [
        point(
            first=[[1, -1], [2, 1]], second=[[1, 0], [-1, 2]], a=[[1], ["1/2"]], rho=2, lambda_=1
        ),
        point(
            first=[[1, 0, 2]],
            second=[[1], [-1], [3]],
            a=[[1, 2], [2, 3], [3, "1/3"]],
            rho=1,
            lambda_="1/8",
        ),
    ]
    yield tie("the claim compares these", claim, points, _two_layer_sides)


def _formulas() -> Iterator[Step]:
    s = symbolic.symbols(multiclass_lemma.slope_at_the_minimum)
    C, P, Q, decay = s["C"], s["P"], s["Q"], s["lambda_"]
    U = symbolic.symbols(multiclass_lemma.least_two_layer_loss)["U"]
    k, best = C / (C - 1), P / (1 + C * decay * Q)
    for formula, value in (
        (multiclass_lemma.least_two_layer_loss, k * (1 - U) + k * decay * P * best),
        (multiclass_lemma.least_symmetric_loss, k * decay * P**2 / (1 + decay * P**2)),
        (multiclass_lemma.slope_at_the_minimum, s["A"] / s["B"] - C * decay * best / s["B"]),
    ):
        yield identity(f"the formula of {formula.name}", symbolic.expression(formula), value)


def _two_layer_sides(first: Any, second: Any, a: Any, rho: Any, lambda_: Any) -> Sides:
    C, scale, decay = len(a), balls.ball(number(rho)), balls.ball(number(lambda_))
    V, W, e = in_balls(first), in_balls(second), in_balls(target_rows(C))
    one, two = frobenius(V).sqrt(), frobenius(W).sqrt()
    k, sizes = balls.ball(Fraction(C, C - 1)), in_balls(a)
    A, B = [average(row) for row in sizes], [average(x * x for x in row) for row in sizes]
    P = sum((x / y for x, y in zip(A, B, strict=True)), balls.ball(0))
    Q = sum((1 / y for y in B), balls.ball(0))
    errors, costs, off = [], [], []
    for c, row in enumerate(sizes):
        hidden = [x[c].max(balls.ball(0)) / one for x in V]
        slope = times(scale / two, product(W, hidden))
        rests = [minus(times(x, slope), e[c]) for x in row]
        errors.append(average(dot(rest, rest) for rest in rests))
        best = (A[c] - C * decay * P / (1 + C * decay * Q)) / B[c]
        off.append(B[c] * (dot(slope, e[c]) / k - best) ** 2)
        costs.append(1 - A[c] * A[c] / B[c])
    least = k * (average(costs) + average(off) + decay * P * P / (1 + C * decay * Q))
    return {"least loss": (least, average(errors) + decay * scale * scale)}


@proof("square:lemma-7", "sharp", "a minimum that has not collapsed")
def uncollapsed(claim: Claim) -> Iterator[Step]:
    """Its slopes are those of the minimum: lambda = alpha (1 - alpha)/8, rho = 4, C = k = 2.

    A sample of margin t has the norm t/sqrt 2; p is the share of margin 1 - alpha in a class.
    """
    alpha, p, below, above = sympy.symbols("alpha p below above", positive=True)
    yield from _square_in_slopes()
    decay, slopes = alpha * (1 - alpha) / 8, 2 * sympy.sqrt(2)  # S = 2 tau, tau = sqrt 2
    yield identity(
        "the mean of t (1 - t) over a class",
        (1 - p) * alpha * (1 - alpha) + p * (1 - alpha) * alpha,
        alpha * (1 - alpha),
    )
    mean_square = sympy.Symbol("mean_square", positive=True)
    yield identity(
        "so A - tau B = C lambda S, with A = mean t/sqrt 2 and B = mean t^2/2",
        (mean_square + alpha * (1 - alpha)) / sympy.sqrt(2) - sympy.sqrt(2) * mean_square / 2,
        2 * decay * slopes,
    )
    pull = sympy.Symbol("pull", positive=True)  # C lambda S
    yield identity(
        "S = P - C lambda S Q with A = tau B + C lambda S in both classes: so S = S*, tau = tau*",
        (sympy.sqrt(2) * below + pull) / below
        + (sympy.sqrt(2) * above + pull) / above
        - pull * (1 / below + 1 / above),
        slopes,
    )
    yield identity("and rho^2 = k S^2: the loss is the least", 2 * slopes**2, 16)
    t, mean = alpha / 2, ((1 - p) * alpha + p * (1 - alpha)) / 2
    yield identity(
        "the features are (t, 0) or (0, t), t half the margin: their variance",
        (1 - p) * (t - mean) ** 2 + p * ((1 - alpha) / 2 - mean) ** 2,
        (1 - 2 * alpha) ** 2 / 4 * p * (1 - p),
    )
    yield assumes(claim, alpha="proportion", flipped="mask")

    def sides(alpha: Any, flipped: Any) -> Sides:
        a = number(alpha)
        margins = [[1 - a if x else a for x in row] for row in flipped]
        loss = average(2 * (1 - t) ** 2 for row in margins for t in row) + 2 * a * (1 - a)
        spread = [average(t * t for t in row) / 4 - (average(row) / 2) ** 2 for row in margins]
        return {"least loss": (loss, loss), "spread": (spread, spread)}

    points = [point(alpha="1/4", flipped=[[0, 1], [0, 0]])]
    yield tie("the claim compares these", claim, points, sides, ("least loss", "spread"))
