"""Proofs about the layer-peeled model and its relaxation."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import flint
import numpy as np
import sympy
from sympy import exp, log

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT, JENSEN, LOGARITHM
from proofs_check.imbalance.pull_and_push import softmax
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.steps import Step, assumes, cases, identity, nonnegative, point, proof, tie

Sides = dict[str, tuple[Any, Any]]


@proof("review:eq-34", "printed", "the relaxation", JENSEN)
def relaxed(claim: Claim) -> Iterator[Step]:
    """Jensen over the samples of a class, for the loss and for the squared norm."""
    p, x, y = sympy.symbols("p x y", real=True)
    yield identity(
        "squares: the mean is over the square of the mean by the variance",
        p * x**2 + (1 - p) * y**2 - (p * x + (1 - p) * y) ** 2,
        p * (1 - p) * (x - y) ** 2,
    )
    z, t = sympy.symbols("z t", real=True)
    rival = log(1 + exp(z + t))
    yield nonnegative(
        "the log-sum-exp is convex along lines: for two classes",
        sympy.diff(rival, t, 2),
        [exp(z + t), (1 + exp(z + t)) ** -2],
    )
    u, v = sympy.symbols("u v", real=True)
    yield identity(
        "v^T X v = |sum of v_i times row i|^2, for two rows of one coordinate",
        u**2 * x * x + 2 * u * v * x * y + v**2 * y * y,
        (u * x + v * y) ** 2,
    )
    yield assumes(claim, A="real", f="real", copies="integer >= 1", v="real")

    def sides(A: Any, f: Any, copies: Any, v: Any) -> Sides:
        K, total = len(A), copies.sum()
        cost = risk = balls.ball(0)
        traces, rows = Fraction(0), []
        for k in range(K):
            n = copies[k].sum()
            mean = copies[k].dot(f[k]) / n
            rows.append(mean)
            cost += softmax(A.dot(mean), k)[1] * balls.ball(n / total)
            for count, x in zip(copies[k], f[k], strict=True):
                risk += softmax(A.dot(x), k)[1] * balls.ball(count / total)
                traces += count * (x * x).sum() / n
        combined = sum(c * row for c, row in zip(v, [*rows, *A], strict=True))
        return {
            "objective": (cost, risk),
            "bound on the features": (sum((r * r).sum() for r in rows), traces),
            "bound on the weights": ((A * A).sum(), (A * A).sum()),
            "positive semidefinite": (0, (combined * combined).sum()),
        }

    points = [
        point(
            A=[[1, 0], [0, "1/2"]],
            f=[[[2, 1], [0, 1]], [[-1, 1], [1, 1]]],
            copies=[[3, 1], [1, 2]],
            v=[1, -1, 2, 0],
        )
    ]
    yield tie("the claim compares these", claim, points, sides, ("bound on the weights",))


def _patterns() -> dict[str, bool]:
    """On a line no two classes beat all rivals on the same side, for up to four classes."""
    found = {}
    for K in (2, 3, 4):
        for a in product((-1, 0, 1), repeat=K):
            for sign in (1, -1):
                z = [sign * entry for entry in a]
                best = [k for k in range(K) if all(z[k] > z[j] for j in range(K) if j != k)]
                found[f"{a}, {sign}"] = len(best) <= 1
    return found


@proof("review:eq-34", "corrected", "exact from K - 1 dimensions on", INNER_PRODUCT, LOGARITHM)
def projected(claim: Claim) -> Iterator[Step]:
    """Differences of logits are inner products with vectors that the projection leaves alone."""
    a, b, c, f, g = sympy.symbols("a b c f g", real=True)
    yield identity(
        "the loss sees differences of logits, and these are not changed by centring",
        (a - c) * f - (b - c) * f,
        a * f - b * f,
    )
    yield identity(
        "f = p + g with g orthogonal to the span adds nothing to <a, f>", a * f + 0 * g, a * f
    )
    yield nonnegative("|p|^2 = |f|^2 - |g|^2", (f**2 + g**2) - f**2, [g**2])
    mean, d = sympy.symbols("mean d", real=True)
    yield identity(
        "sum |a|^2 = sum |a - mean|^2 + K |mean|^2: the mixed terms add up to zero",
        (mean + d) ** 2 - d**2 - mean**2,
        2 * mean * d,
    )
    yield cases(
        "on a line one class at most beats all its rivals at features of one sign", _patterns()
    )
    u = sympy.Symbol("u", nonnegative=True)
    yield nonnegative(
        "a class that does not loses at least log(1 + e^t) with e^t = 1 + u, so log 2",
        (1 + (1 + u)) - 2,
        [u],
    )
    yield assumes(claim, A="real", f="real", line="real", along="real")

    def sides(A: Any, f: Any, line: Any, along: Any) -> Sides:
        K = len(A)
        losses = np.array([[softmax(A.dot(x), k)[1] for x in f[k]] for k in range(K)])
        mean = A.sum(axis=0) / Fraction(K)
        C = (A - mean)[:-1]
        inverse = _inverse(C.dot(C.T))
        onto = C.T.dot(inverse).dot(C)
        inside = (f.dot(onto) * f).sum(axis=-1)
        lost = [softmax(line * along[k], k)[1] for k in range(K)]
        return {
            "losses": (losses, losses),
            "weights": (((A - mean) ** 2).sum(), (A * A).sum()),
            "features": (exact(inside), exact((f * f).sum(axis=-1))),
            "one dimension": ((K - 2) * balls.ball(2).log(), sum(lost, balls.ball(0))),
        }

    points = [
        point(
            A=[[1, 0, 1], [0, "1/2", 0], [1, 1, 1]],
            f=[[[2, 1, 0]], [[0, 1, 1]], [[-1, 1, 3]]],
            line=[1, 2, 3],
            along=[-1, 5, 7],
        )
    ]
    yield tie("the claim compares these", claim, points, sides, ("losses",))


def _inverse(matrix: Any) -> Any:
    """The inverse of a small matrix of Fractions."""
    rows = [[flint.fmpq(e.numerator, e.denominator) for e in row] for row in matrix]
    entries = flint.fmpq_mat(rows).inv().entries()
    found = [Fraction(int(e.p), int(e.q)) for e in entries]
    return np.array(found, dtype=object).reshape(matrix.shape)
