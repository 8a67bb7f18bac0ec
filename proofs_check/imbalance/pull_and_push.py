"""Proofs about the gradient of cross-entropy as pull and push."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import diff, exp, log

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import MONOTONE
from proofs_check.square_loss.ball_arrays import exact, unit, zeros
from proofs_check.steps import Fact, Step, assumes, identity, nonnegative, number, point, proof, tie

Sides = dict[str, tuple[Any, Any]]

POPOVICIU = Fact(
    "Popoviciu's inequality",
    "A random variable with values in [a, b] has a variance of at most (b - a)^2/4.",
    "T. Popoviciu, Mathematica 9 (1935), 129-145",
)
LINES = Fact(
    "Taylor's theorem along a line",
    "If 0 <= g'' <= c, then 0 <= g(1) - g(0) - g'(0) <= c/2.",
    "Rudin, Principles of Mathematical Analysis, Theorem 5.15",
)


def softmax_derivatives() -> Iterator[Step]:
    """The derivatives of the log-sum-exp of three logits: probabilities, and their variance."""
    z = sympy.symbols("z_1:4", real=True)
    v = sympy.symbols("v_1:4", real=True)
    t = sympy.Symbol("t", real=True)
    total = sum(exp(a) for a in z)
    p = [exp(a) / total for a in z]
    yield identity("of a rival's logit: its probability", diff(log(total) - z[0], z[1]), p[1])
    yield identity("of its own: less 1", diff(log(total) - z[0], z[0]), p[0] - 1)
    P = sympy.symbols("P_1:4", positive=True)  # the exponentials of the logits
    along = log(sum(a * exp(t * b) for a, b in zip(P, v, strict=True)))
    mean = sum(a * b for a, b in zip(P, v, strict=True)) / sum(P)
    yield identity(
        "the second derivative along v is the variance of v under p",
        diff(along, t, 2).subs(t, 0),
        sum(a * (b - mean) ** 2 for a, b in zip(P, v, strict=True)) / sum(P),
    )
    a, b = sympy.symbols("a b", real=True)
    yield nonnegative(
        "(a - b)^2 <= 2 a^2 + 2 b^2, so a variance is at most |v|^2/2",
        2 * a**2 + 2 * b**2 - (a - b) ** 2,
        [(a + b) ** 2],
    )


@proof("review:eq-35", "printed", "of the sum of the losses", POPOVICIU, LINES)
def gradient(claim: Claim) -> Iterator[Step]:
    """The chain rule through z = A f, and two derivatives of the log-sum-exp along a step."""
    yield from softmax_derivatives()
    p, rest, f = sympy.symbols("p rest f", real=True)
    yield identity(
        "the probabilities add up to 1, so the slopes of a sample add up to zero",
        ((p - 1) * f + (1 - p) * f),
        0 * rest,
    )
    yield assumes(claim, A="real", F="real", step="real", counts="integer >= 1")

    def sides(A: Any, F: Any, step: Any, counts: Any) -> Sides:
        K, n = len(A), exact(counts)
        before, slope, above = balls.ball(0), balls.ball(0), Fraction(0)
        after = balls.ball(0)
        for k in range(K):
            P, own = softmax(A.dot(F[k]), k)
            before += own * n[k]
            after += softmax((A + step).dot(F[k]), k)[1] * n[k]
            moved = step.dot(F[k])
            slope += ((P * exact(moved)).sum() - balls.ball(moved[k])) * n[k]
            above += counts[k] * (moved * moved).sum()
        linear = before + slope
        none = zeros(A.shape[1])
        return {
            "above the tangent": (linear, after),
            "to second order": (after, linear + balls.ball(above / 4)),
            "the classes' gradients add up to zero": (none, none),
        }

    points = [
        point(A=[[1, 0], [0, "1/2"]], F=[[2, 1], [-1, 1]], step=[[1, 1], [0, -1]], counts=[3, 1])
    ]
    equal = ("the classes' gradients add up to zero",)
    yield tie("the claim compares these", claim, points, sides, equal)


@proof("review:eq-35", "corrected", "at a simplex ETF", MONOTONE)
def at_simplex(claim: Claim) -> Iterator[Step]:
    """All rivals of a sample have the same logit, hence the probability (1 - p)/(K - 1)."""
    K, own, n, other, p = sympy.symbols("K own n other p", real=True)
    yield identity(
        "a sample of another class has the same p, and gives a_k the share (1 - p)/(K - 1) along "
        "an inner product -own/(K - 1)",
        other * (1 - p) / (K - 1) * (-own / (K - 1)) * (K - 1) ** 2 * n,
        other * (n * (p - 1) * own),
    )
    yield identity(
        "inner products of the frame (K e_k - 1)/(K (K-1))^(1/2)",
        (-2 * (K - 1) + (K - 2)) / (K * (K - 1)),
        -1 / (K - 1),
    )
    yield assumes(claim, mirror="real", alpha="real", norm="positive", counts="integer >= 1")

    def sides(mirror: Any, alpha: Any, norm: Any, counts: Any) -> Sides:
        K = len(mirror)
        unit(mirror)  # mirroring changes no inner product
        V, n = balls.ball(number(norm)), exact(counts)
        inside = balls.ball(number(alpha)) * V
        rival = 1 / ((inside * K / (K - 1)).exp() + K - 1)
        common = -(K - 1) * rival * V * n * (n.sum() - n)
        return {"push against pull": (common, common)}

    points = [point(mirror=[1, "1/2", -1], alpha=2, norm="1/3", counts=[5, 1, 2])]
    yield tie("the claim compares these", claim, points, sides, ("push against pull",))


def softmax(logits: Any, k: int) -> tuple[Any, Any]:
    """Probabilities and the loss of class k by plain exponentials, in balls."""
    powers = np.array([balls.ball(z).exp() for z in logits], dtype=object)
    total = powers.sum()
    return powers / total, (total / powers[k]).log()
