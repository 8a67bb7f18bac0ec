"""Proofs about the square loss with more linear layers: singular values, then one number each."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.square_loss.ball_arrays import exact, square
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
from proofs_check.unconstrained.square_layers import Layer, Sides, variance_route

HORN = Fact(
    "Horn's inequality",
    "For p > 0 the sum of the p-th powers of the singular values of a product of matrices is at "
    "most that of the products of their singular values, each in decreasing order.",
    "A. Horn, Proc. Nat. Acad. Sci. 36 (1950), 374-375; Horn and Johnson, Topics in Matrix "
    "Analysis, Theorem 3.3.14",
)
NUCLEAR_NORM = Fact(
    "Nuclear norm by frames",
    "The sum of the singular values of Z is the greatest of the traces of U Z V^T over orthonormal "
    "rows U and V, as many as the smaller side of Z has.",
    "Horn and Johnson, Topics in Matrix Analysis, Corollary 3.4.4",
)
TRACE = Fact(
    "Trace and singular values",
    "The trace of a square matrix is at most the sum of its singular values, of which no more than "
    "its rank are positive.",
    "Horn and Johnson, Topics in Matrix Analysis, Theorem 3.3.13",
)
WEIGHTED_MEANS = Fact(
    "Inequality of weighted means",
    "A weighted arithmetic mean of non-negative numbers is at least their geometric mean with the "
    "same weights.",
    "Hardy, Littlewood, Polya, Inequalities, Theorem 9",
)

_K, _n, _x, _v, _decay, _left = sympy.symbols("K n x v decay left", positive=True)
_M = sympy.Symbol("hidden", integer=True, positive=True) + 2
_z, _p = sympy.symbols("z p", nonnegative=True)
_s = (_M - 1) * _x - (_M - 2)


# -- (37) -----------------------------------------------------------------------------------------


@proof("review:eq-36", "printed", "line by line")
def line_by_line(claim: Claim) -> Iterator[Step]:
    """Squares about a mean, as in (29), with W = A_2 A_1."""
    yield from variance_route()
    w, u = sympy.symbols("w u", nonnegative=True)
    yield nonnegative(
        "what is lost is not negative", w / 2 + _decay / 2 * u, [w / 2 + _decay / 2 * u]
    )
    yield assumes(
        claim,
        A2="real",
        A1="real",
        F="real",
        lambda_2="positive",
        lambda_1="positive",
        lambda_F="positive",
    )

    def sides(A2: Any, A1: Any, F: Any, lambda_2: Any, lambda_1: Any, lambda_F: Any) -> Sides:
        layer = Layer(exact(A2) @ exact(A1), F)
        lF = balls.ball(number(lambda_F))
        norms = balls.ball(number(lambda_2)) / 2 * square(exact(A2))
        norms = norms + balls.ball(number(lambda_1)) / 2 * square(exact(A1))
        value = square(layer.A @ layer.F - layer.Y) / (2 * layer.N) + lF / 2 * square(layer.F)
        lost = square(layer.A @ layer.within) / (2 * layer.N) + lF / 2 * square(layer.within)
        third = norms + value - lost
        return {
            "third line": (third, norms + value),
            "what is lost": (norms + value, norms + value),
            "equality under NC1": (third, third),
        }

    decays = point(lambda_2="1/3", lambda_1=2, lambda_F="1/5")
    layers = [
        point(A2=[[1, 0], [2, -1]], A1=[[1, 1], [0, "1/2"]], F=[[[1, 0], [2, 1]], [[0, 1], [1, 1]]])
    ]
    instances = [{**each, **decays} for each in layers]
    lines = ("what is lost", "equality under NC1")
    yield tie("the claim compares these", claim, instances, sides, lines)


# -- the least value ------------------------------------------------------------------------------


def singular_values_route() -> Iterator[Step]:
    """From matrices to the K singular values z of the mean outputs O."""
    yield from variance_route()
    total, trace = sympy.symbols("total trace", real=True)
    yield identity(
        "|O - xI|^2 = sum (z - x)^2 + 2x (sum z - tr O), one z of K at a time",
        _z**2 - 2 * _x * trace / _K + _x**2,
        (_z - _x) ** 2 + 2 * _x * (_z - trace / _K),
    )
    means = sympy.symbols("mean", positive=True)
    yield identity(
        "the decays of one singular value each: their sum is M times their mean, at least M times "
        "the geometric mean",
        _M * (total / _M) / 2,
        total / 2,
    )
    yield identity(
        "Lambda^(1/M) z^(2/M) is that geometric mean, with n lambda_F for the class means",
        means**_M,
        means ** (_M - 2) * means * means,
    )


def one_value_route() -> Iterator[Step]:
    """(1-z)^2 + M kappa z^(2/M) >= 1 - s x + (s/x) (z-x)^2, at z = x p, p = v^M.

    There kappa z^(2/M) = x (1-x) v^2.
    """
    yield identity(
        "kappa z^(2/M) with kappa^M = x^(M-2) left^M, left = 1 - x and z = x v^M, to the power M",
        _x ** (_M - 2) * _left**_M * (_x * _v**_M) ** 2,
        (_x * _left * _v**2) ** _M,
    )
    yield identity(
        "the difference",
        (1 - _x * _p) ** 2
        + _M * _x * (1 - _x) * _v**2
        - (1 - _s * _x)
        - _s / _x * (_x * _p - _x) ** 2,
        _x * (1 - _x) * ((_M - 2) * _p**2 + _M * _v**2 - 2 * (_M - 1) * _p),
    )
    yield identity(
        "the weights of p^2 = v^(2M) and v^2 add up to 1",
        (_M - 2) / (2 * (_M - 1)) + _M / (2 * (_M - 1)),
        1,
    )
    yield identity(
        "and the exponent of their geometric mean is that of p",
        2 * _M * (_M - 2) / (2 * (_M - 1)) + 2 * _M / (2 * (_M - 1)),
        _M,
    )
    low = sympy.Symbol("low", nonnegative=True)
    x = 1 / (1 + low)
    yield nonnegative("x (1 - x) is not negative", x * (1 - x), [low, 1 / (1 + low) ** 2])


@proof(
    "review:eq-36",
    "sharp",
    "the least value of M factors, and the jump to it",
    HORN,
    TRACE,
    WEIGHTED_MEANS,
)
def many_factors(claim: Claim) -> Iterator[Step]:
    """Horn and two means: one number for each singular value."""
    yield from singular_values_route()
    yield from one_value_route()
    share, slack, m, rest = sympy.symbols("share slack m rest", nonnegative=True)
    yield identity("x of the share", _s.subs(_x, (_M - 2 + share) / (_M - 1)), share)
    yield identity(
        "summed over 2K: growth, and (1 - s) times what the trace is short of sum z",
        _s / (2 * _K * _x) * rest + slack / _K,
        _s / (2 * _K * _x) * (rest + 2 * _x * slack) + (1 - _s) * slack / _K,
    )
    yield nonnegative(
        "1 - s = (M-1)(1-x) is not negative at x = 1/(1+share)",
        (1 - _s).subs(_x, 1 / (1 + share)),
        [_M - 1, share, 1 / (1 + share)],
    )
    yield identity(
        "K - m values are zero for m < K",
        (1 - _s * _x) / 2 + (_K - m) * _s / (2 * _K * _x) * _x**2,
        (1 - m * _s * _x / _K) / 2,
    )
    cost = _x * _left / _K
    yield identity(
        "attained: each factor costs x left/K, left = 1 - x; the square of their product",
        cost**_M * (_K**_M / (_x ** (_M - 2) * _left**_M)),
        _x**2,
    )
    yield identity(
        "a kept class", ((1 - _x) ** 2 + _M * _x * (1 - _x)) / (2 * _K), (1 - _s * _x) / (2 * _K)
    )
    yield identity("at x = (M-2)/(M-1), s = 0", _s.subs(_x, (_M - 2) / (_M - 1)), 0)
    more = sympy.Symbol("more", nonnegative=True)
    yield nonnegative(
        "and a larger decay costs more: the term of the decays grows with kappa",
        _M * more * _z,
        [_M, more, _z],
    )
    yield assumes(
        claim,
        last="real",
        hidden="real",
        F="real",
        decays="positive",
        share="proportion",
        excess="nonnegative",
    )

    def sides(last: Any, hidden: Any, F: Any, decays: Any, share: Any, excess: Any) -> Sides:
        W = exact(last)
        norms = balls.ball(decays[-1]) / 2 * square(W)
        others = decays[-1]
        for decay, H in zip(decays[-2::-1], hidden[::-1], strict=True):
            W, others = W @ exact(H), others * decay
            norms = norms + balls.ball(decay) / 2 * square(exact(H))
        layer, M = Layer(W, F), len(decays) + 1
        top, K, n = number(share), layer.K, layer.n
        x = (M - 2 + top) / (M - 1)
        lF = x ** (M - 2) * (1 - x) ** M / (K**M * n * others)
        edge = Fraction((M - 2) ** (M - 2), (M - 1) ** (2 * M - 2))
        lF_beyond = edge * (1 + number(excess)) / (K**M * n * others)

        def value(decay: Any, features: Any) -> Any:
            fitted = square(W @ features - layer.Y) / (2 * layer.N)
            return norms + fitted + balls.ball(decay) / 2 * square(features)

        off = W @ layer.Fbar
        for k in range(K):
            off[k, k] = off[k, k] - balls.ball(x)
        lost = value(lF, layer.F) - value(lF, layer.Fbar @ layer.Y)
        growth = balls.ball(1 - top * x) / 2 + balls.ball(top / x) * square(off) / (2 * K)
        least = balls.ball(1 - top * x * min(layer.m, K) / K) / 2
        return {
            "growth": (growth + lost, value(lF, layer.F)),
            "least": (least, value(lF, layer.F)),
            "attained": (least, least),
            "zero from the threshold on": (balls.ball(1) / 2, value(lF_beyond, layer.F)),
        }

    instances = [
        point(
            last=[[1, 0], [0, 1]],
            hidden=[[[1, 1], [0, 1]]],
            F=[[[1, 0], [1, 1]], [[0, 1], [0, "1/2"]]],
            decays=["1/8", "1/9"],
            share="1/2",
            excess="1/3",
        ),
        point(
            last=[[1], [0], [2]],
            hidden=[[[1]], [["1/2"]]],
            F=[[[1]], [[2]], [[0]]],
            decays=[1, "1/9", 2],
            share="1/7",
            excess=0,
        ),
    ]
    yield tie("the claim compares these", claim, instances, sides, ("attained",))


# -- (38) -----------------------------------------------------------------------------------------


def _two_factors() -> Iterator[Step]:
    """The least of the decays of two factors of a matrix Z."""
    p, q, a, b = sympy.symbols("p q a b", positive=True)
    yield identity(
        "decays of one singular value of each factor: p a^2/2 + q b^2/2 >= sqrt(pq) a b",
        (p * a**2 + q * b**2) / 2 - sqrt(p * q) * a * b,
        (sqrt(p) * a - sqrt(q) * b) ** 2 / 2,
    )
    yield nonnegative(
        "a square", (sqrt(p) * a - sqrt(q) * b) ** 2 / 2, [(sqrt(p) * a - sqrt(q) * b) ** 2 / 2]
    )
    value = sympy.Symbol("value", positive=True)
    scale = (p / q) ** sympy.Rational(1, 4)
    yield identity(
        "attained with factors of s/scale and s scale, s^2 the value, scale^4 = p/q",
        p / 2 * value / scale**2 + q / 2 * value * scale**2,
        sqrt(p * q) * value,
    )


@proof(
    "review:eq-38",
    "printed",
    "every number of classes, any width",
    HORN,
    NUCLEAR_NORM,
)
def sub_problems(claim: Claim) -> Iterator[Step]:
    """Two factors of a matrix cost at least its nuclear norm, and some cost no more."""
    yield from _two_factors()
    first, along, norm = sympy.symbols("first along norm", real=True, nonzero=True)
    yield identity(
        "reflecting in the hyperplane orthogonal to v keeps norms",
        first - 4 * along**2 / norm + 4 * along**2 / norm**2 * norm,
        first,
    )
    decays = {f"lambda_{i}": "positive" for i in ("2", "1", "F")}
    yield assumes(
        claim,
        A2="real",
        A1="real",
        F="real",
        n="integer >= 1",
        values="positive",
        left="real",
        right="real",
        **decays,
    )

    def sides(
        A2: Any,
        A1: Any,
        F: Any,
        n: Any,
        lambda_2: Any,
        lambda_1: Any,
        lambda_F: Any,
        values: Any,
        left: Any,
        right: Any,
    ) -> Sides:
        last, first, Fbar = exact(A2), exact(A1), exact(F).T
        l2, l1 = balls.ball(number(lambda_2)), balls.ball(number(lambda_1))
        lF = balls.ball(number(lambda_F) * number(n))
        K, s = len(A2), exact(values)
        eye = exact(np.eye(K, dtype=int) * 1)

        def fitted(product: Any) -> Any:
            return square(product - eye) / (2 * K)

        def vectors(mirrors: Any) -> list[Any]:
            """Unit vectors after one reflection I - 2 v v^T/|v|^2 after the other."""
            size = mirrors.shape[1]
            turn = exact(np.eye(size, dtype=int) * 1)
            for v in exact(mirrors):
                turn = (exact(np.eye(size, dtype=int) * 1) - np.outer(v, v) * 2 / square(v)) @ turn
            return [turn[:, i] for i in range(len(mirrors))]

        U, V = vectors(left), vectors(right)
        Z = sum(a * np.outer(u, v) for a, u, v in zip(s, U, V, strict=True))

        def along(product: Any) -> Any:
            return sum(u @ product @ v for u, v in zip(U, V, strict=True))

        whole = fitted(last @ first @ Fbar) + l2 / 2 * square(last) + l1 / 2 * square(first)
        whole = whole + lF / 2 * square(Fbar)
        one = fitted(last @ first @ Fbar) + l2 / 2 * square(last)
        one = one + (lF * l1).sqrt() * along((first @ Fbar).T)
        two = fitted(last @ first @ Fbar) + lF / 2 * square(Fbar)
        two = two + (l2 * l1).sqrt() * along(last @ first)
        total = s.sum()
        first_value = fitted(last @ Z.T) + l2 / 2 * square(last) + (lF * l1).sqrt() * total
        second_value = fitted(Z @ Fbar) + lF / 2 * square(Fbar) + (l2 * l1).sqrt() * total
        return {
            "first sub-problem": (one, whole),
            "second sub-problem": (two, whole),
            "first attained": (first_value, first_value),
            "second attained": (second_value, second_value),
        }

    instances = [
        point(
            A2=[[1, 2], [0, 1]],
            A1=[[1, -1], [1, 0]],
            F=[[1, 0], ["1/2", 1]],
            n=2,
            lambda_2="1/3",
            lambda_1=1,
            lambda_F="1/7",
            values=[2, "1/3"],
            left=[[1, 1], [2, 0]],
            right=[[1, 2], [3, -1]],
        )
    ]
    lines = ("first attained", "second attained")
    yield tie("the claim compares these", claim, instances, sides, lines)
