"""Proofs about the square error of unconstrained features, its flow and the subspace S."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import diff, exp, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.unconstrained import square_flow as theory
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.square_loss.flow_network import CALCULUS, same
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
from proofs_check.unconstrained.square_model import (
    FIELDS,
    FROBENIUS,
    PYTHAGORAS,
    SINGULAR_VALUES,
    STEP_FIELDS,
    UNIQUE_SOLUTION,
    ByHand,
    ball_root,
    length,
    letters,
    nonnegative_cross,
    points,
    seen,
    simplex_rows,
    square_steps,
    within_steps,
)

Sides = dict[str, tuple[Any, Any]]
_A, _At, _F, _Ft, _E, _Et = letters("A At F Ft E Et")

# -- (16), (18) ------------------------------------------------------------------------------------


def stepped(at: ByHand, F: Any, A: Any, b: Any, steps: Any) -> tuple[Any, Any, Any]:
    """The risk after a step of each argument alone."""
    step_F, step_A, step_b = steps
    return (
        ByHand(F + step_F, A, b).risk,
        ByHand(F, A + step_A, b).risk,
        ByHand(F, A, b + step_b).risk,
    )


@proof("review:eq-16", "printed", "gradients, with the exact remainder of a step", CALCULUS)
def gradients(claim: Claim) -> Iterator[Step]:
    """The risk is a quadratic polynomial in each of its three arguments."""
    yield from square_steps()
    count, db = sympy.symbols("N db", positive=True)
    yield identity("the remainder of a step of the bias", count * (db**2 / 2), count / 2 * db**2)

    def sides(
        F: Any, A: Any, b: Any, step_F: Any, step_A: Any, step_b: Any
    ) -> dict[str, tuple[Any, Any]]:
        after = stepped(ByHand(F, A, b), F, A, b, (step_F, step_A, step_b))
        return dict(zip(("features", "weights", "bias"), map(same, after), strict=True))

    yield assumes(claim, **FIELDS, **STEP_FIELDS)
    given = points("F", "A", "b", steps=True)
    names = ("features", "weights", "bias")
    yield tie("the claim compares these", claim, given, sides, names)


@proof("review:eq-16", "sharp", "what the flow conserves and what it lessens", CALCULUS, FROBENIUS)
def along_the_flow(claim: Claim) -> Iterator[Step]:
    """A^T (E F^T) = (A^T E) F^T, and residuals within a class are A F_perp."""
    by_A, by_A_t, by_F, by_F_t = _E * _Ft, _F * _Et, _At * _E, _Et * _A
    yield identity(
        "the rates of A^T A and F F^T are equal",
        -_At * by_A - by_A_t * _A,
        -by_F * _Ft - _F * by_F_t,
    )
    yield identity(
        "A F changes by A F' + A' F",
        _A * (-by_F) + (-by_A) * _F,
        -(_A * _At * _E + _E * _Ft * _F),
    )
    e, a, f = sympy.symbols("e a f", real=True)
    yield identity("<E, A A^T E> = |A^T E|^2, one term", e * (a * (a * e)), (a * e) ** 2)
    yield identity("<E, E F^T F> = |E F^T|^2, one term", e * ((e * f) * f), (e * f) ** 2)
    yield from within_steps()
    apart, apart_t = letters("D Dt")
    yield identity(
        "<F_perp, A^T A F_perp> is |A F_perp|^2, under the trace",
        apart_t * (_At * (_A * apart)),
        (apart_t * _At) * (_A * apart),
    )

    def sides(F: Any, A: Any, b: Any) -> Sides:
        at = ByHand(F, A, b)
        by_F, by_A, by_b = at.gradients
        rate = -(A.T @ by_A + by_A.T @ A)
        spread = ((A @ at.apart) ** 2).sum()
        return {
            "imbalance is conserved": seen(rate, rate, (F, A)),
            "the risk falls": same(-((by_F**2).sum() + (by_A**2).sum() + (by_b**2).sum())),
            "classes do not spread": same(-2 * spread),
        }

    yield assumes(claim, **FIELDS)
    names = ("imbalance is conserved", "the risk falls", "classes do not spread")
    yield tie("the claim compares these", claim, points("F", "A", "b"), sides, names)


# -- (20) ------------------------------------------------------------------------------------------

_r = sympy.Symbol("r", positive=True)  # sqrt(n)
_K = sympy.Symbol("K", positive=True)
_beta = sympy.Symbol("beta", real=True)


def residual_on_subspace() -> Iterator[Step]:
    """On S the residual is X (x) 1^T with X = A A^T/r - I + beta 1 1^T, which is symmetric."""
    X, A = letters("X A")
    yield identity(
        "by features of one class: rows of X A; by A: n X A/r", _r**2 * (X * A / _r), _r * X * A
    )
    yield identity("so the features stay copies", (_r * X * A) / _r, X * A)
    p, d, q = sympy.symbols("p d q", real=True)
    entry = {"row": p / _r - d + _beta, "column": q / _r - d + _beta}
    yield identity("X is symmetric as A A^T is", entry["row"].subs(p, q), entry["column"])
    yield identity(
        "1^T X is K beta - 1 times 1^T, as 1^T A = 0: rows of zero sum stay so",
        0 / _r - 1 + _K * _beta,
        _K * _beta - 1,
    )
    yield identity(
        "the bias: n (K beta - 1) = N (beta - 1/K)",
        _r**2 * (_K * _beta - 1),
        _K * _r**2 * (_beta - 1 / _K),
    )


def risk_on_subspace() -> Iterator[Step]:
    """The square of a sum whose first part has rows that add up to zero."""
    g, o, total = sympy.symbols("g o total", real=True)
    yield identity("one entry", (g + o) ** 2, g**2 + 2 * g * o + o**2)
    yield identity(
        "the sum of g over a column is zero: A A^T 1 = 0 and (I - 1 1^T/K) 1 = 0",
        (total / _r - (1 - _K / _K)).subs(total, 0),
        0,
    )
    p, m = sympy.symbols("p m", real=True)
    yield identity("n samples of a class", _r**2 * (p / _r - m) ** 2, (p - _r * m) ** 2)


def projected(F: Any, A: Any, b: Any) -> tuple[Any, Any, Any]:
    """The nearest point of S: its rows of A, in balls, its bias, and sqrt(n)."""
    at = ByHand(F, A, b)
    root = ball_root(at.n)
    sums = F.sum(axis=1)
    rows = (exact(A) + exact(sums) / root) / 2
    M = exact(simplex_rows(at.K))
    rows = M @ rows
    return rows, np.full(at.K, b.sum() / at.K, dtype=object), root


@proof("review:eq-20", "printed", "invariance, and every line of the risk", CALCULUS, PYTHAGORAS)
def subspace(claim: Claim) -> Iterator[Step]:
    """The residual on S is one symmetric matrix for all samples."""
    yield from residual_on_subspace()
    yield from risk_on_subspace()

    def sides(F: Any, A: Any, b: Any) -> Sides:
        given = (F, A)
        rows, bias, root = projected(F, A, b)
        K, n, _ = F.shape
        X = rows @ rows.T / root - exact(np.eye(K)) + exact(bias)[:, None]
        by_F = np.repeat((X @ rows)[:, None, :], n, axis=1)
        off = exact(bias - number(1) / K)
        value = n * (X * X).sum() / 2
        zeros = np.zeros(rows.shape[1])
        return {
            "features stay copies": seen(by_F, by_F, (by_F,)),
            "rows add up to zero": seen(zeros, zeros, given),
            "bias stays constant": seen(off * (K * n), off * (K * n), ((bias + 1) * n,)),
            "third line": same(value),
            "last line": same(value),
        }

    yield assumes(claim, **FIELDS)
    names = (
        "features stay copies",
        "rows add up to zero",
        "bias stays constant",
        "third line",
        "last line",
    )
    yield tie("the claim compares these", claim, points("F", "A", "b"), sides, names)


@proof(
    "review:eq-20",
    "sharp",
    "a spread within classes that is orthogonal to the weights rests for ever",
    CALCULUS,
    UNIQUE_SOLUTION,
)
def frozen(claim: Claim) -> Iterator[Step]:
    """Neither the residual nor what it pulls on A changes."""
    A, F, Ft, G, Gt, E = letters("A F Ft G Gt E")
    yield from residual_on_subspace()
    yield identity("the residual, as A G = 0", (A * (F + G)).expand().subs(A * G, 0), A * F)
    yield identity("the pull on A", E * (Ft + Gt) - E * Ft, E * Gt)
    x, one, other = sympy.symbols("x one other", real=True)
    yield identity(
        "E G^T = 0: the residual is one for all samples of a class, G adds up to zero over it",
        (x * one + x * other).subs(other, -one),
        0,
    )
    a, f, g, r = sympy.symbols("a f g r", real=True)
    yield identity(
        "A' is a combination of rows of F, orthogonal to G", (a + r * f) * g, a * g + r * (f * g)
    )

    def sides(F: Any, A: Any, b: Any, y: Any, g: Any) -> Sides:
        square = (y * y).sum()
        base_A = A - np.outer(A @ y, y) / square
        base_F = F - (F @ y)[..., None] * y / square
        rows, bias, root = projected(base_F, base_A, b)
        K, n, _ = F.shape
        X = rows @ rows.T / root - exact(np.eye(K)) + exact(bias)[:, None]
        spread = np.array([[(e - c.sum() / Fraction(n)) * y for e in c] for c in g], dtype=object)
        terms = (F + spread, A)
        by_F = np.repeat((X @ rows)[:, None, :], n, axis=1)
        by_A = root * (X @ rows)
        by_b = X.sum(axis=1) * n
        return {
            "by features": seen(by_F, by_F, terms),
            "by weights": seen(by_A, by_A, terms),
            "by the bias": seen(by_b, by_b, terms),
            "risk": same(n * (X * X).sum() / 2),
        }

    yield assumes(claim, **FIELDS, y="real", g="real")
    given = points("F", "A", "b")[:1]
    given[0] |= point(y=[1, "1/2"], g=[[1, 2], ["1/3", -1]])
    names = ("by features", "by weights", "by the bias", "risk")
    yield tie("the claim compares these", claim, given, sides, names)


# -- the flow on S ---------------------------------------------------------------------------------

_s = sympy.Symbol("s", nonnegative=True)
_t = sympy.Symbol("t", nonnegative=True)


def frames() -> Iterator[Step]:
    """The Gram matrix of the Helmert frame is I - 1 1^T/K, and reflections are orthogonal."""
    j, k = sympy.symbols("j k", positive=True)
    yield identity("a telescope", 1 / (j * (j + 1)), 1 / j - 1 / (j + 1))
    yield identity(
        "rows k < l: -1/(l+1) and the columns after it",
        -1 / (k + 1) + (1 / (k + 1) - 1 / _K),
        -1 / _K,
    )
    yield identity(
        "row k with itself",
        k**2 / (k * (k + 1)) + (1 / (k + 1) - 1 / _K),
        1 - 1 / _K,
    )
    yield identity("columns i < j are orthogonal", j * 1 * 1 + 1 * (-j), 0)
    a, b, ab = sympy.symbols("a b ab", real=True)
    q = sympy.Symbol("q", positive=True)
    yield identity(
        "a reflection keeps inner products",
        ab - 2 * a * b / q - 2 * a * b / q + 4 * (a / q) * (b / q) * q,
        ab,
    )


def singular_values() -> Iterator[Step]:
    """A' = sqrt(n) A - A A^T A, value by value, solved."""
    A, At, J = letters("A At J")
    rate = -_r * (A * At / _r - 1 + _beta * J) * A
    yield identity(
        "A' = r A - A A^T A, as J A = 0", rate.expand().subs(J * A, 0), _r * A - A * At * A
    )
    S = sympy.Symbol("s", positive=True)
    lessened = S**2 + (_r - S**2) * exp(-2 * _r * _t)
    value = S * sqrt(_r) / sqrt(lessened)
    yield identity("each value runs by r sigma - sigma^3", diff(value, _t), _r * value - value**3)
    yield identity("from its start", value.subs(_t, 0), S)
    named = symbolic.symbols(theory.squared_singular_value)
    formula = symbolic.expression(theory.squared_singular_value)
    here = formula.subs({named["n"]: _r**2, named["start"]: S, named["t"]: _t}, simultaneous=True)
    yield identity("the formula", here, value**2)
    N = sympy.Symbol("N", positive=True)
    bias = (1 - exp(-N * _t)) / _K
    yield identity("beta' = n (1 - K beta), with n = N/K", diff(bias, _t), N / _K * (1 - _K * bias))
    yield identity("a direction that is missing costs n", (0 - _r) ** 2, _r**2)


def linearisation() -> Iterator[Step]:
    """1 - 1/sqrt(1 + x) <= x/2, and cubes of several values."""
    y = 1 + sympy.Symbol("w", nonnegative=True)
    yield nonnegative(
        "with y = sqrt(1 + x): x/2 - (1 - 1/y)",
        (y**2 - 1) / 2 - (1 - 1 / y),
        [(y - 1) ** 2, y + 2, 1 / (2 * y)],
    )
    growth = exp(_r * _t)
    S = sympy.Symbol("s", positive=True)
    x = (growth**2 - 1) * S**2 / _r
    lessened = S**2 + (_r - S**2) * exp(-2 * _r * _t)
    yield identity(
        "sigma(t)^2 (1 + x) = (e^(rt) sigma)^2", _r * S**2 / lessened * (1 + x), growth**2 * S**2
    )
    yield identity(
        "e^(rt) sigma x/2 and the bound differ by the 1 in x",
        growth**3 * S**3 / (2 * _r) - growth * S * x / 2,
        growth * S**3 / (2 * _r),
    )
    one, two = sympy.symbols("one two", nonnegative=True)
    yield nonnegative_cross("squares of cubes, one value after the other", one, two)
    named = symbolic.symbols(theory.linearisation_error)
    formula = symbolic.expression(theory.linearisation_error)
    here = formula.subs({named["n"]: _r**2, named["start"]: S, named["t"]: _t}, simultaneous=True)
    yield identity("the formula of the error", here, growth**3 * S**3 / (2 * _r))


def turned(rows: Any, x: Any) -> Any:
    """Rows reflected in the hyperplane orthogonal to x, by the matrix of the reflection."""
    square = (x * x).sum()
    mirror = np.eye(len(x), dtype=int).astype(object) - np.outer(x, x) * 2 / square
    return rows @ exact(mirror)


def helmert_rows(K: int) -> Any:
    """The Helmert frame in balls."""
    rows = np.full((K, K - 1), balls.ball(0), dtype=object)
    for j in range(1, K):
        for k in range(j + 1):
            rows[k, j - 1] = balls.ball(1 if k < j else -j) / ball_root(j * (j + 1))
    return rows


@proof(
    "review:eq-20",
    "sharp",
    "the flow on S in closed form",
    CALCULUS,
    SINGULAR_VALUES,
    UNIQUE_SOLUTION,
    FROBENIUS,
    PYTHAGORAS,
)
def on_the_subspace(claim: Claim) -> Iterator[Step]:
    """One differential equation for each singular value."""
    yield from residual_on_subspace()
    yield from frames()
    yield cases(
        "the frames of few classes",
        {
            f"K = {K}": all(
                entry.contains(expected) and entry.rad() < 1e-9
                for entry, expected in zip(
                    (helmert_rows(K) @ helmert_rows(K).T).ravel(),
                    (exact(simplex_rows(K))).ravel(),
                    strict=True,
                )
            )
            for K in range(2, 6)
        },
    )
    yield from singular_values()
    yield from linearisation()

    def sides(s: Any, x: Any, y: Any, n: Any, t: Any) -> Sides:
        K, rank, m = len(x) + 1, len(s), len(y)
        count, time = balls.ball(number(n)), balls.ball(number(t))
        root = count.sqrt()
        left = turned(helmert_rows(K), x)[:, :rank]
        right = turned(exact(np.eye(rank, m)), y)
        S = exact(s) ** 2
        squared = root * S / (S + (root - S) * (-2 * root * time).exp())
        values = np.frompyfunc(lambda v: v.sqrt(), 1, 1)(squared)
        A = (left * values) @ right
        rates = (left * (root * values - values * squared)) @ right
        beta = (1 - (-count * K * time).exp()) / K
        slope = np.full(K, count * (1 - K * beta), dtype=object)
        gap = A @ A.T - root * exact(simplex_rows(K))
        size = S.sum().sqrt()
        linear = (left * exact(s)) @ right * (root * time).exp()
        error = (gap * gap).sum() + count
        return {
            "weights": seen(rates, rates, (A * root,)),
            "bias": seen(slope, slope, (np.full(K, count, dtype=object),)),
            "squared singular values": same(squared),
            "error of SNC1": same(error),
            "linearisation": (
                length(A - linear),
                (3 * root * time).exp() * size**3 / (2 * root),
            ),
        }

    yield assumes(claim, s="nonnegative", x="real", y="real", n="integer >= 1", t="nonnegative")
    given = [
        point(s=["1/2", 2], x=[1, 2], y=[1, "1/2"], n=2, t="1/3"),
        point(s=["1/3"], x=[1], y=[1, -1, 2], n=1, t="1/2"),
    ]
    names = ("weights", "bias", "squared singular values", "error of SNC1")
    yield tie("the claim compares these", claim, given, sides, names)
