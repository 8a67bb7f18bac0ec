"""Proofs about strong neural collapse: what follows, what is near it, and who has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.unconstrained import strong_collapse as theory
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.steps import Step, assumes, identity, number, point, proof, tie
from proofs_check.unconstrained.square_flow import frames, helmert_rows, turned
from proofs_check.unconstrained.square_model import (
    ECKART_YOUNG,
    FIELDS,
    FROBENIUS,
    POWERS_STORMER,
    ByHand,
    ball_root,
    length,
    letters,
    points,
    seen,
    simplex_rows,
)

Sides = dict[str, tuple[Any, Any]]
_r = sympy.Symbol("r", positive=True)  # sqrt(n)
_K = sympy.Symbol("K", positive=True)


def is_formula(name: str, formula: Any, expression: Any, **here: Any) -> Step:
    """A formula of the theory is an expression in the given symbols."""
    named = symbolic.symbols(formula)
    found = symbolic.expression(formula)
    return identity(
        name, found.subs({named[k]: v for k, v in here.items()}, simultaneous=True), expression
    )


# -- what follows ----------------------------------------------------------------------------------


@proof("review:eq-17", "corrected", "means with the factor 1/sqrt(n), and the outputs")
def consequences(claim: Claim) -> Iterator[Step]:
    """All of it is read off A A^T = r (I - 1 1^T/K)."""
    yield from frames()
    a, g = sympy.symbols("a g", real=True)
    yield identity("the frame times n^(1/4), squared", (sympy.sqrt(_r) * a) ** 2, _r * a**2)
    yield identity("|A^T 1|^2 = 1^T A A^T 1 = r (K - K^2/K)", _r * (_K - _K**2 / _K), 0)
    yield identity("the squared norm of a_k/r", _r * (1 - 1 / _K) / _r**2, (1 - 1 / _K) / _r)
    yield identity(
        "the cosine of two rows", (_r * (g - 1 / _K)) / (_r * (1 - 1 / _K)), (_K * g - 1) / (_K - 1)
    )
    yield identity("the outputs A (A/r)^T + 1/K", _r * (g - 1 / _K) / _r + 1 / _K, g)

    def sides(x: Any, y: Any, n: Any) -> Sides:
        K = len(x) + 1
        root = balls.ball(number(n)).sqrt()
        M, eye = simplex_rows(K), np.eye(K, dtype=int)
        rank, d = min(K - 1, len(y)), len(y)
        rows = turned(helmert_rows(K), x)[:, :rank] @ turned(exact(np.eye(rank, d)), y)
        rows = rows * root.sqrt()
        gram, zeros = rows @ rows.T, np.zeros(d)
        lengths = np.frompyfunc(lambda v: v.sqrt(), 1, 1)(np.diagonal(gram))
        share = (1 - balls.ball(1) / K) / root
        shown = gram / root + balls.ball(1) / K
        return {
            "enough dimensions": (balls.ball(K - 1), balls.ball(d)),
            "SNC1": (gram, root * exact(M)),
            "rows add up to zero": seen(zeros, zeros, (rows,)),
            "centred means": (np.diagonal(gram) / (root * root), np.full(K, share, dtype=object)),
            "cosines": (gram / np.outer(lengths, lengths) * (K - 1), M * K),
            "outputs are labels": (seen(shown, eye, (eye,))),
        }

    yield assumes(claim, x="real", y="real", n="integer >= 1")
    given = [point(x=[1, 2], y=[1, "1/2"], n=3), point(x=[1], y=[1, -1, 2], n=1)]
    names = ("SNC1", "rows add up to zero", "centred means", "cosines", "outputs are labels")
    yield tie("the claim compares these", claim, given, sides, names)


# -- near strong collapse --------------------------------------------------------------------------


def errors(at: ByHand) -> tuple[Any, Any, Any, Any]:
    """The three errors by matrices with samples as columns, and sqrt(n)."""
    root = ball_root(at.n)
    copies = exact(at.A.T @ at.Y) / root
    gap = exact(at.A @ at.A.T) - root * exact(simplex_rows(at.K))
    off = at.b - np.full(at.K, number(1) / at.K, dtype=object)
    return length(gap), length(exact(at.F) - copies), length(off), root


@proof(
    "review:eq-17",
    "sharp",
    "what small errors give, and what keeps them from being small",
    FROBENIUS,
    ECKART_YOUNG,
)
def near(claim: Claim) -> Iterator[Step]:
    """The residual and the imbalance, with F its copies plus a small rest."""
    A, G, C, Ct, D, Dt, M, B = letters("A G C Ct D Dt M B")
    yield identity(
        "A F + b 1^T - Y = (A C - M) + A D + (b - 1/K) 1^T for F = C + D and Y = M + 1 1^T/K",
        A * (C + D) + B - (M + G),
        (A * C - M) + A * D + (B - G),
    )
    p, m = sympy.symbols("p m", real=True)
    yield identity(
        "|A C - M| over all samples is delta_1: n (p/r - m)^2",
        _r**2 * (p / _r - m) ** 2,
        (p - _r * m) ** 2,
    )
    yield identity("|1 1^T| = K, and 1^T M 1 = 0", _K - _K**2 / _K, 0)
    yield identity(
        "C C^T - F F^T, where C C^T = A^T A",
        C * Ct - (C + D) * (Ct + Dt),
        -(C * Dt + D * Ct + D * Dt),
    )
    X, Xt, P = letters("X Xt P")
    yield identity(
        "on the kernel of A, with P A^T = 0: P (F F^T - A^T A) = P F F^T",
        (P * (X * Xt - Ct * C)).expand().subs(P * Ct, 0),
        P * X * Xt,
    )
    yield identity(
        "S = P S + (1 - P) S, where |1 - P| <= sqrt(K) as A has K rows",
        (P * (X * Xt) + (1 - P) * (X * Xt)).expand(),
        X * Xt,
    )
    yield identity("|C|^2 = n |A|^2/n", _r**2 * (p / _r) ** 2, p**2)
    left = sympy.Symbol("left", positive=True)
    yield identity(
        "r M has K - 1 singular values r: at least K - 1 - m are missed",
        (_K - 1 - left) * _r**2,
        _r**2 * (_K - 1 - left),
    )
    yield identity("rows of C within a class are equal: C_perp = 0", p / _r - p / _r, 0)
    one, two, three, size = sympy.symbols("one two three size", nonnegative=True)
    yield is_formula(
        "the formulas",
        theory.residual_guarantee,
        one + size * two + sympy.sqrt(_K * _r**2) * three,
        K=_K,
        n=_r**2,
        first=one,
        second=two,
        third=three,
        size=size,
    )
    yield is_formula(
        "and of the imbalance",
        theory.imbalance_guarantee,
        2 * size * two + two**2,
        second=two,
        size=size,
    )

    features, gap = sympy.symbols("features gap", nonnegative=True)
    yield is_formula(
        "and of the frozen features",
        theory.second_at_least,
        features**2 - size**2 - sympy.sqrt(_K) * gap,
        K=_K,
        features=features,
        size=size,
        imbalance=gap,
    )

    def sides(F: Any, A: Any, b: Any) -> Sides:
        at = ByHand(F, A, b)
        first, second, third, root = errors(at)
        size = length(A)
        trace = balls.ball(-np.trace(at.gram_gap))
        missing = max(at.K - 1 - at.m, 0) * at.n
        return {
            "residual": (
                length(at.E),
                first + size * second + root * ball_root(at.K) * third,
            ),
            "row sums": ((A.sum(axis=0) ** 2).sum(), at.K * first),
            "imbalance": (length(at.gram_gap), second * second + 2 * size * second),
            "frozen features": (trace - ball_root(at.K) * length(at.gram_gap), second * second),
            "within classes": (length(at.apart), second),
            "few dimensions": (balls.ball(missing), first * first),
        }

    yield assumes(claim, **FIELDS)
    yield tie("the claim compares these", claim, points("F", "A", "b"), sides)


@proof(
    "review:eq-17",
    "sharp",
    "conversely, zero risk, balance and SNC3 are strong collapse",
    FROBENIUS,
    POWERS_STORMER,
)
def converse(claim: Claim) -> Iterator[Step]:
    """(A A^T)^2 = A (F F^T + D) A^T, where A F is near M (x) 1^T."""
    A, At, F, Ft, H, Ht, G, Gt = letters("A At F Ft H Ht G Gt")
    yield identity(
        "(A A^T)^2 - A F F^T A^T = A D A^T, D = A^T A - F F^T",
        A * At * A * At - A * F * Ft * At,
        A * (At * A - F * Ft) * At,
    )
    yield identity(
        "A F = H + G with H = M (x) 1^T: A F F^T A^T - H H^T",
        (H + G) * (Ht + Gt) - H * Ht,
        H * Gt + G * Ht + G * Gt,
    )
    yield identity("H H^T = n M M = n M: an entry of M M", 1 / _K**2 * _K - 2 / _K, -1 / _K)
    n, g, size, gap = sympy.symbols("n g size gap", nonnegative=True)
    yield identity(
        "|H| as an operator is sqrt(n): the sum of the three norms",
        sympy.sqrt(n) * g + g * sympy.sqrt(n) + g * g,
        2 * sympy.sqrt(n) * g + g**2,
    )
    a, f = sympy.symbols("a f", real=True)
    yield identity(
        "one entry of |F - C|^2", (f - a / _r) ** 2, f**2 - 2 / _r * f * a + a**2 / _r**2
    )
    W, T, P = sympy.symbols("W T P", real=True)
    yield identity(
        "summed, with |F|^2 = |A|^2 - tr D, <F, A (x) 1> = n (K - 1) + <G, Y>, n = r^2",
        (P - T) - 2 / _r * (_r**2 * (_K - 1) + W) + _r**2 * P / _r**2,
        2 * (P - _r * (_K - 1)) - T - 2 / _r * W,
    )
    yield identity("tr(r M) = r (K - 1)", _r * _K * (1 - 1 / _K), _r * (_K - 1))
    yield identity(
        "|Y| = sqrt(K) r: 2/r |Y| g", 2 / _r * (sympy.sqrt(_K) * _r) * g, 2 * sympy.sqrt(_K) * g
    )
    risk, third, first, trace = sympy.symbols("risk third first trace", nonnegative=True)
    inside = sympy.sqrt(2 * risk) + sympy.sqrt(_K * n) * third
    yield is_formula(
        "the formulas",
        theory.first_guarantee,
        sympy.sqrt(_K) * (2 * sympy.sqrt(n) * inside + inside**2 + size**2 * gap),
        K=_K, n=n, risk=risk, third=third, size=size, imbalance=gap,
    )  # fmt: skip
    yield is_formula(
        "and of SNC2",
        theory.second_guarantee,
        2 * sympy.sqrt(_K) * first + 2 * sympy.sqrt(_K) * inside + trace,
        K=_K, n=n, risk=risk, third=third, first=first, trace=trace,
    )  # fmt: skip

    def sides(F: Any, A: Any, b: Any) -> Sides:
        at = ByHand(F, A, b)
        first, second, third, root = errors(at)
        g = length(at.E) + root * ball_root(at.K) * third
        D = at.gram_gap
        size = balls.ball((A * A).sum())
        trace = balls.ball(abs(np.trace(D)))
        classes = ball_root(at.K)
        return {
            "SNC1": (first * first, classes * (2 * root * g + g * g + size * length(D))),
            "SNC2": (second * second, 2 * classes * (first + g) + trace),
        }

    yield assumes(claim, **FIELDS)
    yield tie("the claim compares these", claim, points("F", "A", "b"), sides)
