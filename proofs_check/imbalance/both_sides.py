"""Proof that the minority is merged up to the budget of the threshold curve, and parted beyond."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import diff, exp, log

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import LOGARITHM
from proofs_check.imbalance.merging import TANGENT_PLANE, first_order
from proofs_check.imbalance.pull_and_push import LINES, POPOVICIU, softmax, softmax_derivatives
from proofs_check.imbalance.threshold import (
    TRACE_DUALITY,
    Collapsed,
    blocks,
    probabilities,
    signs,
)
from proofs_check.square_loss.ball_arrays import square
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

Sides = dict[str, tuple[Any, Any]]

_L, _L0, _rho0, _D = sympy.symbols("L L_0 rho_0 D", real=True)


def above_the_tangent() -> Iterator[Step]:
    """A loss exceeds its tangent at the minimum by the divergence of the predictions."""
    z, o = sympy.symbols("z_1:4", real=True), sympy.symbols("o_1:4", real=True)
    P, Q = sympy.symbols("P_1:4", positive=True), sympy.symbols("Q_1:4", positive=True)
    p = [a / sum(P) for a in P]
    tangent = sum(a * (w - v) for a, w, v in zip(p, o, z, strict=True)) - (o[0] - z[0])
    excess = (log(sum(Q)) - o[0]) - (log(sum(P)) - z[0]) - tangent
    divergence = sum(
        a * ((v - log(sum(P))) - (w - log(sum(Q)))) for a, v, w in zip(p, z, o, strict=True)
    )
    yield identity("loss less tangent is the divergence", sympy.simplify(excess - divergence), 0)
    product, norm = sympy.symbols("product norm", real=True)
    yield identity(
        "the tangent of all classes: minus the gradient has the norm 1, and pairs with the minimum "
        "to rho_0: L >= L_0 + rho_0 - norm + D, where the pairing is at most the norm",
        _L0 - (product - _rho0) + _D,
        _L0 + _rho0 - norm + _D + (norm - product),
    )


def below() -> Iterator[Step]:
    """Merging frees rho - norm, and on the way to the minimum it is worth at least as much."""
    rho, norm = sympy.symbols("rho norm", real=True)
    s = (rho - norm) / (_rho0 - norm)
    yield identity("the mean of the norms on the way", (1 - s) * norm + s * _rho0, rho)
    p, q = sympy.symbols("p q", nonnegative=True)
    yield nonnegative(
        "whose square is at least their product",
        ((p + q) / 2) ** 2 - p * q,
        [sympy.Rational(1, 4), (p - q) ** 2],
    )
    a, f, m = sympy.symbols("a f m", real=True)
    yield nonnegative(
        "merging costs <A_perp, F_perp> at most, and that no more than rho - norm",
        (a**2 + f**2) / 2 - a * f,
        [sympy.Rational(1, 2), (a - f) ** 2],
    )
    yield identity(
        "norms of merged and what is taken away: the mixed terms add up to zero",
        (m + a) ** 2 - m**2 - a**2,
        2 * m * a,
    )
    highest = _L + norm - _rho0 - _D  # of the loss at the minimum, by the tangent there
    yield identity(
        "convexity: (1 - s) L + s L_0 for the merged loss L is at most L - (rho - norm) - s D",
        sympy.simplify((1 - s) * _L + s * highest),
        sympy.simplify(_L - (rho - norm) - s * _D),
    )


def beyond() -> Iterator[Step]:
    """The norm that is free on the way is spent on parting, at nearly the rate 1."""
    g = sympy.Symbol("g", nonnegative=True)
    d, tau = sympy.symbols("delta tau", positive=True)
    t = 2 * g / (2 * g + d**2)
    yield identity(
        "all norms: (1 - t) rho + t rho_0 + t delta",
        (1 - t) * (_rho0 + d) + t * _rho0 + t * d,
        _rho0 + d,
    )
    yield identity(
        "convexity: (1 - t) L + t L_0 for the gap g is L + t (delta - g)",
        sympy.expand((1 - tau) * _L + tau * (_L + d - g)),
        sympy.expand(_L + tau * (d - g)),
    )
    q, j = sympy.symbols("q j", positive=True)
    logits = log(j + q * exp(tau / 2) + q * exp(-tau / 2)) - tau / 2
    yield identity(
        "parting: the slope in tau of a sample that parts, where its class and another have q",
        diff(logits, tau).subs(tau, 0),
        -sympy.Rational(1, 2),
    )
    yield identity(
        "over the two classes, with the bend of |v|^2/2 = tau^2/4 each at most",
        2 * (-tau / 2 + (tau**2 / 4) / 2),
        -tau + tau**2 / 4,
    )
    yield nonnegative(
        "L + t (delta - g) - t delta + (t delta)^2/4 is at most L - g^2/(2 g + delta^2)",
        t * g - (t * d) ** 2 / 4 - g**2 / (2 * g + d**2),
        [2 * g**3, (2 * g + d**2) ** -2],
    )
    yield identity(
        "if the predictions are those of the minimum, L = L_0 and the gap is delta, not 0",
        (_L + (_rho0 + d) - _L0 - _rho0).subs(_L, _L0),
        d,
    )


@proof(
    "review:eq-34",
    "sharp",
    "both sides of the threshold",
    TANGENT_PLANE,
    TRACE_DUALITY,
    LOGARITHM,
    POPOVICIU,
    LINES,
)
def two_sides(claim: Claim) -> Iterator[Step]:
    """A convex combination with the minimum at the curve, after merging or before parting."""
    yield from softmax_derivatives()
    yield from probabilities()
    yield from blocks()
    yield from signs()
    yield from first_order()
    yield from above_the_tangent()
    yield from below()
    yield from beyond()
    yield assumes(
        claim,
        major="real",
        minor="real",
        x="real",
        y="real",
        lean="positive",
        share="proportion",
        beyond="positive",
    )

    def sides(major: Any, minor: Any, x: Any, y: Any, lean: Any, share: Any, beyond: Any) -> Sides:
        ball = balls.ball
        G, J = len(major), len(minor)
        at = Collapsed(G, J, 1 / (1 + number(lean)), Fraction(1))
        weights = [at.W] * G + [ball(1)] * J
        true = at.predictions()
        target = np.array([[p.log() for p in row] for row in true], dtype=object)

        def loss(logits: Any) -> Any:
            return sum(
                (
                    w * softmax(z, k)[1]
                    for k, (w, z) in enumerate(zip(weights, logits, strict=True))
                ),
                ball(0),
            )

        def far(logits: Any) -> Any:
            total = ball(0)
            for w, p, z in zip(weights, true, logits, strict=True):
                other = softmax(z, 0)[0]
                total += w * sum(
                    (a * (a / b).log() for a, b in zip(p, other, strict=True)), ball(0)
                )
            return total

        def merge(rows: Any) -> Any:
            mean = rows[G:].sum(axis=0) / Fraction(J)
            return np.array([*rows[:G], *([mean] * J)], dtype=object)

        def logits_of(A: Any, F: Any, norms: Any) -> Any:
            """Logits with all norms made the given number."""
            scale = norms / (ball(square(A)) * ball(square(F))).sqrt()
            return np.frompyfunc(lambda v: ball(v) * scale, 1, 1)(F.dot(A.T))

        A, F = np.concatenate([major, minor]), np.concatenate([x, y])
        A1, F1 = merge(A), merge(F)
        small = at.budget * ball(number(share))
        scale = small / (ball(square(A)) * ball(square(F))).sqrt()
        kept = [small * ball(square(u) / square(v)) for u, v in ((A1, A), (F1, F))]
        norm = (kept[0] + kept[1]) / 2
        s = (small - norm) / (at.budget - norm)
        one = np.frompyfunc(lambda v: ball(v) * scale, 1, 1)(F1.dot(A1.T))
        sizes = [(1 - s) * u + s * at.budget for u in kept]

        step = at.budget * ball(number(beyond))
        large = at.budget + step
        wide = logits_of(A1, F1, large)
        gap = loss(wide) + large - at.value - at.budget
        t = 2 * gap / (2 * gap + step * step)
        best = wide * (1 - t) + target * t
        for j in (0, 1):
            best[G + j, G + j] += t * step / 2
            best[G + j, G + 1 - j] -= t * step / 2
        return {
            "below: norms": (sizes[0] * sizes[1], small * small),
            "below: merging pays": (
                loss(one * (1 - s) + target * s) + s * far(one),
                loss(logits_of(A, F, small)),
            ),
            "beyond: weights": (large, large),
            "beyond: features": (large, large),
            "beyond: distance": (far(wide), gap),
            "beyond: parting pays": (loss(best) + gap * gap / (2 * gap + step * step), loss(wide)),
        }

    points = [
        point(
            major=[[1, 0], [0, 1]],
            minor=[[1, 1], ["-1/2", 0]],
            x=[[1, 2], [0, 1]],
            y=[[0, -1], [1, 1]],
            lean="1/3",
            share="1/2",
            beyond="1/4",
        )
    ]
    yield tie(
        "the claim compares these", claim, points, sides, ("beyond: weights", "beyond: features")
    )
