"""Proofs about least-squares weights and the renormalised flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import TANGENT
from proofs_check.square_loss.ball_arrays import exact, square
from proofs_check.steps import (
    Fact,
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
from proofs_check.unconstrained.square_layers import Layer, Sides, raised, variance_route

ADJUGATE = Fact(
    "Adjugate and determinant",
    "S adj S = det S I; adjugate and determinant of a product are the products, the adjugates in "
    "reverse order, those of the transpose are their transposes; det(D S D^T) = det(D)^2 det(S).",
    "Horn and Johnson, Matrix Analysis, Sections 0.8.2 and 0.8.4",
)
SINGULAR_VALUES = Fact(
    "Singular value decomposition",
    "Functions of M that do not change under rotations are functions of its singular values; so "
    "is (M M^T + c)^-1, which acts on singular vectors as a number.",
    "Horn and Johnson, Matrix Analysis, Section 7.3",
)

_K, _n, _omega = sympy.symbols("K n omega", positive=True)


def _cofactors(S: Any) -> tuple[Any, Any]:
    """Adjugate and determinant by expansion along minors, of an array of balls."""
    m = len(S)
    if m == 1:
        return exact([[1]]), S[0, 0]
    if m == 2:
        adjugate = np.array([[S[1, 1], -S[0, 1]], [-S[1, 0], S[0, 0]]], dtype=object)
        return adjugate, S[0, 0] * S[1, 1] - S[0, 1] * S[1, 0]
    raise ValueError("of two rows at most")


def _magnitude(values: Any) -> Any:
    entries = [abs(balls.ball(x)) for x in np.ravel(values)]
    return sum(entries, balls.ball(0)) / len(entries)


def _centred(F: Any) -> tuple[Layer, Any, Any]:
    """The layer, centred features (m x N) and centred class means (m x K)."""
    layer = Layer(np.zeros((len(F), 1), dtype=int), F)
    return layer, layer.F - layer.centre[:, None], layer.Fbar - layer.centre[:, None]


# -- Equation (30) --------------------------------------------------------------------------------


def _invariance() -> Iterator[Step]:
    """adj(D S D^T) = adj(D)^T adj(S) adj(D), and adj(D) D = det(D) I."""
    det, M, F, S = sympy.symbols("det M F adjS", real=True)
    yield identity("M^T D^T adj(D)^T adj(S) adj(D) D F", M * det * S * det * F, det**2 * M * S * F)
    for m in (1, 2, 3):
        S = sympy.Matrix(m, m, lambda i, j: sympy.Symbol(f"s_{min(i, j)}{max(i, j)}", real=True))
        adjugate, trace = sympy.eye(m), sympy.Integer(0)
        for step in range(1, m + 1):
            product = (S * adjugate).applyfunc(sympy.expand)
            trace = sympy.expand(product.trace() / step)
            adjugate = trace * sympy.eye(m) - product if step < m else adjugate
        off = (adjugate - S.adjugate()).applyfunc(sympy.expand)
        yield cases(
            f"the recursion gives adjugate and determinant, m = {m}",
            {
                "adjugate": off == sympy.zeros(m, m),
                "determinant": sympy.expand(trace - S.det()) == 0,
            },
        )


def _both(F: Any, D: Any, symmetric: bool) -> dict[str, tuple[Any, Any]]:
    _, centred, means = _centred(F)
    matrix = exact(D)
    matrix = matrix + matrix.T if symmetric else matrix
    moved = matrix @ centred
    adjugate, determinant = _cofactors(moved @ moved.T)
    left = ((matrix @ means).T @ adjugate @ moved).T
    size = (_magnitude(F) * _magnitude(D)) ** (2 * len(matrix))
    return {
        "equation (30)": raised(left, size),
        "determinants": raised(np.array([determinant], dtype=object), size),
    }


_GIVEN = [
    point(
        F=[[[1, 0], [2, 1]], [[0, "1/2"], [-1, 1]]],
        D=[[1, 2], [0, "1/3"]],
    ),
    point(F=[[[1], [2]], [[0], [3]], [[1], [1]]], D=[[-2]]),
]


@proof("review:eq-30", "corrected", "with 1/N on the left", ADJUGATE)
def invariance(claim: Claim) -> Iterator[Step]:
    """D cancels; the two factors N do too."""
    yield from _invariance()
    N, S = sympy.symbols("N S", positive=True)
    yield identity("the inverse of S/N is N adj(S)/det(S), on both sides", 1 / (S / N), N / S)
    yield assumes(claim, F="real", D="real")

    def sides(F: Any, D: Any) -> Sides:
        return _both(F, D, True)

    lines = ("equation (30)", "determinants")
    yield tie("the claim compares these", claim, _GIVEN, sides, lines)


@proof("review:eq-30", "sharp", "every invertible D, and least squares", ADJUGATE)
def least_squares(claim: Claim) -> Iterator[Step]:
    """Normal equations: the residual of A_LS is orthogonal to all features."""
    yield from _invariance()
    yield from variance_route()
    S, y, a, f, best = sympy.symbols("S y a f best", real=True, nonzero=True)
    yield identity(
        "Y F^T = n M^T for centred features, so A_LS = n M^T (F F^T)^-1 = (1/K) M^T Sigma^-1",
        _n / S,
        1 / _K * ((_K * _n) / S),
    )
    yield identity(
        "another A, entry by entry; the product adds up to (A - A_LS) (A_LS F F^T - Y F^T)^T = 0",
        (a * f - y) ** 2,
        (best * f - y) ** 2 + (a * f - best * f) ** 2 + 2 * (a - best) * f * (best * f - y),
    )
    yield assumes(claim, F="real", D="real", A="real")

    def sides(F: Any, D: Any, A: Any) -> Sides:
        layer, centred, _ = _centred(F)
        _, determinant = _cofactors(centred @ centred.T)
        off = exact(A) @ centred - (layer.Y - balls.ball(1) / layer.K)
        size = _magnitude(F) ** (2 * layer.m)
        size = size + size * _magnitude(A) * _magnitude(F)
        value = determinant * determinant * square(off) + size * size
        return {**_both(F, D, False), "other weights": (value, value)}

    instances = [
        {**_GIVEN[0], **point(A=[[1, 0], [1, "1/2"]])},
        {**_GIVEN[1], **point(A=[[1], [0], [2]])},
    ]
    lines = ("equation (30)", "determinants", "other weights")
    yield tie("the claim compares these", claim, instances, sides, lines)


# -- Equation (31) --------------------------------------------------------------------------------


@proof("review:eq-31", "corrected", "with a minus, in singular values", SINGULAR_VALUES, ADJUGATE)
def solution(claim: Claim) -> Iterator[Step]:
    """All in the basis of singular vectors, where Sigma = I + M M^T/K is diagonal."""
    K, n = _K, _n
    yield from _invariance()  # so that the risk depends on Sigma_W^(-1/2) M alone
    yield identity(
        "the risk: 1/(2N) (n (K-1) - (n^2/N) sum of K omega^2/(K + omega^2)), a typical term",
        (n - n**2 / (K * n) * K * _omega**2 / (K + _omega**2)) / (2 * K * n),
        1 / (2 * (K + _omega**2)),
    )
    yield identity(
        "its derivative",
        sympy.diff(1 / (2 * (K + _omega**2)), _omega),
        -_omega / (K + _omega**2) ** 2,
    )
    step = sympy.Symbol("step", real=True)
    yield identity(
        "a feature moves its class mean by 1/n of itself, so the rate of M is -1/n dR/dM",
        step / n,
        1 / n * step,
    )
    W, T = (sympy.Matrix(2, 3, sympy.symbols(f"{name}_0:6", real=True)) for name in "wt")
    p, q, r = sympy.symbols("p q r", real=True)
    S = sympy.Matrix([[p, q], [q, r]])
    yield identity(
        "S W is orthogonal to each T with T W^T + W T^T = 0: <S W, T> = tr S (T W^T + W T^T)/2",
        (S * W * T.T).trace(),
        (S * (T * W.T + W * T.T)).trace() / 2,
    )
    clock = K**2 * sympy.log(_omega) + K * _omega**2 + _omega**4 / 4
    yield identity(
        "the clock runs at the rate 1/n",
        sympy.diff(clock, _omega) * _omega / (n * (K + _omega**2) ** 2),
        1 / n,
    )
    j = sympy.Symbol("j", positive=True)
    yield identity(
        "rows of Helmert's matrix: j entries of 1/(j (j+1))^(1/2) and one of -j times that have "
        "the square norm 1 and the sum 0, so K - 1 of them are I - 1 1^T/K together",
        (j + j**2) / (j * (j + 1)),
        1,
    )
    rate = _omega**2 / (n * (K + _omega**2) ** 4)
    yield nonnegative("and the risk falls", rate, [rate])
    yield assumes(claim, omega="positive", n="integer >= 1")

    def sides(omega: Any, n: Any) -> Sides:
        values = exact(omega)
        J, one = len(values), balls.ball(1)
        K = J + 1
        rows = np.zeros((K, J), dtype=object)  # Helmert's matrix, turned around
        for j in range(1, K):
            length = -balls.ball(j * (j + 1)).sqrt()
            for k in range(K):
                rows[k, j - 1] = one * (1 if k < j else -j if k == j else 0) / length
        slopes = [-w / ((w * w + K) * (w * w + K)) for w in values]
        rates = [-d / balls.ball(number(n)) for d in slopes]
        risk = sum((one / (w * w + K) for w in values), balls.ball(0)) / 2
        even = [one / balls.ball(number(n))] * J
        first = values[0] * values[0]
        simplex = np.array(
            [[first * (one * (i == k) - one / K) for i in range(K)] for k in range(K)], dtype=object
        )
        fall = sum((d * r for d, r in zip(slopes, rates, strict=True)), balls.ball(0))
        return {
            "identity covariance": raised(exact(np.eye(J, dtype=int))),
            "risk": (risk, risk),
            "gradient": raised(rows * np.array(slopes, dtype=object)[None, :]),
            "clock": (even, even),
            "the risk does not rise": (fall, balls.ball(0)),
            "simplex where all are equal": raised(simplex),
        }

    instances = [point(omega=["1/2", 3], n=2), point(omega=[1], n=1)]
    lines = ("identity covariance", "risk", "gradient", "clock", "simplex where all are equal")
    yield tie("the claim compares these", claim, instances, sides, lines)


@proof("review:eq-31", "sharp", "how fast singular values meet", TANGENT)
def approach(claim: Claim) -> Iterator[Step]:
    """log(1+u) >= u/(1+u), and the powers are expanded."""
    delta = sympy.Symbol("delta", nonnegative=True)
    larger = _omega + delta
    yield identity(
        "e^w >= 1 + w at w = -log(1+u), u = delta/omega: log >= u/(1+u)",
        (delta / _omega) / (1 + delta / _omega),
        delta / larger,
    )
    dropped = _K * delta**2 + sympy.Rational(3, 2) * _omega**2 * delta**2
    dropped = dropped + _omega * delta**3 + delta**4 / 4
    yield identity(
        "the powers",
        _K * (larger**2 - _omega**2) + (larger**4 - _omega**4) / 4,
        delta * (_omega**3 + 2 * _K * _omega) + dropped,
    )
    yield nonnegative("what is dropped", dropped, [dropped])
    yield assumes(
        claim, smaller="positive", beyond="nonnegative", K="integer >= 2", epsilon="budget"
    )

    def sides(smaller: Any, beyond: Any, K: Any, epsilon: Any) -> Sides:
        low, step = number(smaller), number(beyond)
        classes, eps = number(K), balls.ball(number(epsilon))

        def clock(at: Any) -> Any:
            whole = balls.ball(classes * at**2 + at**4 / 4)
            return balls.ball(classes**2) * balls.ball(at).log() + whole

        found = balls.ball(step * (low**3 + 2 * classes * low + classes**2 / (low + step)))
        return {
            "clocks": (clock(low + step), clock(low) + eps),
            "difference": (found, eps),
        }

    instances = [point(smaller="1/2", beyond=1, K=3, epsilon=30)]
    yield tie("the claim compares these", claim, instances, sides)
