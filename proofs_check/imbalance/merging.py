"""Proofs that merging classes of equal size pays above a threshold, and parting them below."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import diff, sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT, JENSEN
from proofs_check.imbalance.pull_and_push import LINES, POPOVICIU, softmax, softmax_derivatives
from proofs_check.square_loss.ball_arrays import square
from proofs_check.steps import Fact, Step, assumes, identity, nonnegative, number, point, proof, tie

Sides = dict[str, tuple[Any, Any]]

TANGENT_PLANE = Fact(
    "Tangents of a convex function",
    "A differentiable convex function is nowhere below its tangent at a point.",
    "Rockafellar, Convex Analysis, Theorem 25.1",
)

_by_weights, _by_features, _n, _N = sympy.symbols("lambda_A lambda_F n N", positive=True)
_J = sympy.Symbol("J", positive=True)


def first_order() -> Iterator[Step]:
    """At a merged point the tangent loses (n/N) <A_perp, F_perp> and nothing else.

    There the logits are symmetric in the J classes, so the gradient of a sample's loss is g - e_k
    with g the same for all minority samples, and g has one entry, gamma, for all minority classes.
    """
    row, gamma, total, trace = sympy.symbols("row gamma total trace", real=True)
    mean = total / _J**2  # of the J^2 minority logits of minority samples
    yield identity(
        "a majority row: the sum over minority samples of z - mean z", row - _J * (row / _J), 0
    )
    yield identity(
        "minority rows: gamma times the sum of all z - mean z", gamma * (total - _J**2 * mean), 0
    )
    yield identity(
        "own logits: minus the sum of z_jj - mean z", -(trace - _J * mean), -(trace - total / _J)
    )
    a, f = sympy.symbols("a_1:4", real=True), sympy.symbols("f_1:4", real=True)
    centre = [sum(values) / 3 for values in (a, f)]
    yield identity(
        "which is -<A_perp, F_perp>: one coordinate, three classes",
        sum((p - centre[0]) * (q - centre[1]) for p, q in zip(a, f, strict=True)),
        sum(p * q for p, q in zip(a, f, strict=True)) - sum(p * q for p in a for q in f) / 3,
    )
    yield identity(
        "majority samples: the same slope in all minority logits, which move by zero in all",
        gamma * (total - _J * (total / _J)),
        0,
    )


def penalties() -> Iterator[Step]:
    """The penalties fall by those of what is taken away, and these pay for the tangent."""
    m, d = sympy.symbols("m d", real=True)
    yield identity(
        "|A|^2 = |mean|^2 + |A_perp|^2: the mixed terms add up to zero",
        (m + d) ** 2 - m**2 - d**2,
        2 * m * d,
    )
    a, f = sympy.symbols("a f", nonnegative=True)
    t = _N * sqrt(_by_weights * _by_features / _n)
    yield nonnegative(
        "(n/N) |A_perp| |F_perp| is at most 1/t of the penalties of A_perp and F_perp",
        (_by_weights * a**2 + _n * _by_features * f**2) / (2 * t) - _n / _N * a * f,
        [1 / (2 * t), (sqrt(_by_weights) * a - sqrt(_n * _by_features) * f) ** 2],
    )


@proof(
    "review:eq-34",
    "sharp",
    "regularised: merging pays above the threshold",
    JENSEN,
    TANGENT_PLANE,
    INNER_PRODUCT,
)
def merging(claim: Claim) -> Iterator[Step]:
    """Jensen within classes, then the tangent of the loss at the merged point."""
    yield from softmax_derivatives()
    z, k = sympy.symbols("z k", real=True)
    yield identity("half the squared error has the slope z - e_k", diff((z - k) ** 2 / 2, z), z - k)
    yield from first_order()
    yield from penalties()
    yield assumes(claim, **_KINDS, lambda_A="positive", lambda_F="positive", lambda_b="nonnegative")

    def sides(lambda_A: Any, lambda_F: Any, lambda_b: Any, **arrays: Any) -> Sides:
        by = tuple(number(v) for v in (lambda_A, lambda_F, lambda_b))
        found = ByHand(**arrays)
        n, N = found.n, found.N
        J = len(found.minor)
        t = (balls.ball(N * N * by[0] * by[1] / n)).sqrt()
        means = found.y.sum(axis=1) / Fraction(found.y.shape[1])
        a, b, y = (v.sum(axis=0) / Fraction(J) for v in (found.minor, found.b_minor, means))
        between = by[0] * square(found.minor - a) + by[1] * n * square(means - y)
        rest = by[1] * found.each * square(found.y - means[:, None]) + by[2] * square(
            found.b_minor - b
        )
        one = found.at(0 * found.minor + a, 0 * found.b_minor + b, 0 * found.y + y)
        lost = (1 - 1 / t) * balls.ball(between / 2) + balls.ball(rest / 2)
        return {
            name: (one.risk(name, *by) + lost, found.risk(name, *by))
            for name in ("cross-entropy", "square loss")
        }

    points = [{**_MODEL, **point(lambda_A="1/3", lambda_F="1/5", lambda_b=1)}]
    yield tie("the claim compares these", claim, points, sides)


@proof(
    "review:eq-34",
    "sharp",
    "regularised: parting pays below the threshold",
    POPOVICIU,
    LINES,
)
def parting(claim: Claim) -> Iterator[Step]:
    """To first order the loss falls by n/N times the product, to second it rises by its square."""
    yield from softmax_derivatives()
    yield from first_order()
    tau = sympy.Symbol("tau", positive=True)
    t = sympy.Symbol("t", positive=True)
    ratio = t * _n / (_N * _by_weights)
    lF = t**2 * _n / (_N**2 * _by_weights)
    yield identity(
        "the penalties of the two coordinates, tau ratio and tau/ratio, rise by (n/N) t tau",
        (_by_weights * tau * ratio + _n * lF * tau / ratio) / 2,
        _n / _N * t * tau,
    )
    yield identity(
        "with t = N (lambda_A lambda_F/n)^(1/2)",
        sympy.simplify(_N * sqrt(_by_weights * lF / _n)),
        t,
    )
    yield identity(
        "cross-entropy: -tau + tau^2/4 + t tau at tau = 2 (1 - t), the change being tau x_k x "
        "with |x| = 1 for class k",
        (-tau + tau**2 / 4 + t * tau).subs(tau, 2 * (1 - t)),
        -((1 - t) ** 2),
    )
    yield identity(
        "half the squared error: -tau + tau^2/2 + t tau at tau = 1 - t, exactly",
        (-tau + tau**2 / 2 + t * tau).subs(tau, 1 - t),
        -((1 - t) ** 2) / 2,
    )
    yield assumes(
        claim,
        **_KINDS,
        direction="real",
        t="proportion",
        lambda_A="positive",
        lambda_b="nonnegative",
    )

    def sides(direction: Any, t: Any, lambda_A: Any, lambda_b: Any, **arrays: Any) -> Sides:
        found = ByHand(**arrays)
        n, N, low = found.n, found.N, number(t)
        J = len(found.minor)
        a, b, y = (
            v.sum(axis=0) / Fraction(J)
            for v in (found.minor, found.b_minor, found.y.sum(axis=1) / found.y.shape[1])
        )
        by = (number(lambda_A), low**2 * n / (N**2 * number(lambda_A)), number(lambda_b))
        one = found.at(0 * found.minor + a, 0 * found.b_minor + b, 0 * found.y + y)
        x = direction - direction.sum() / Fraction(J)
        x2 = [c * c / square(x) for c in x]  # squares of the unit vector; signs as those of x
        before = {name: one.risk(name, *by) for name in ("cross-entropy", "square loss")}
        tau = 2 * (1 - low)
        gain = balls.ball(n * (1 - low) ** 2 / N)
        # Class j moves its logits by tau x_j x: all others are as before.
        G, change = len(found.major), balls.ball(0)
        z = one.logits(y)
        for j in range(J):
            moved = [*z[:G], *(z[G + i] + tau * x[i] * x[j] / square(x) for i in range(J))]
            change += softmax(moved, G + j)[1] - softmax(z, G + j)[1]
        penalty = n * low * tau / N * sum(x2)
        after = before["cross-entropy"] + change * balls.ball(n / N) + balls.ball(penalty)
        whole = before["square loss"]
        return {
            "cross-entropy": (after + gain, before["cross-entropy"]),
            "square loss": (whole, whole),
        }

    points = [
        {**_MODEL, **point(direction=[1, 2], t="1/3", lambda_A="1/2", lambda_b=1)},
    ]
    points[0]["minor_features"] = [row[:1] for row in points[0]["minor_features"]]
    yield tie("the claim compares these", claim, points, sides, ("square loss",))


_KINDS = {
    "major": "real",
    "minor": "real",
    "major_bias": "real",
    "minor_bias": "real",
    "features": "real",
    "counts": "integer >= 1",
    "minor_features": "real",
    "each": "integer >= 1",
}
_MODEL = point(
    major=[[1, 0]],
    minor=[[0, 1], ["1/2", -1]],
    major_bias=[1],
    minor_bias=[0, "1/3"],
    features=[[[1, 1], [2, 0]]],
    counts=[[2, 3]],
    minor_features=[[[0, 1], [1, 1]], [[-1, 0], [0, -1]]],
    each=2,
)


class ByHand:
    """The model sample by sample over exact numbers."""

    def __init__(
        self,
        major: Any,
        minor: Any,
        major_bias: Any,
        minor_bias: Any,
        features: Any,
        counts: Any,
        minor_features: Any,
        each: Any,
    ) -> None:
        self.major, self.minor, self.b_major, self.b_minor = major, minor, major_bias, minor_bias
        self.x, self.counts, self.y, self.each = features, counts, minor_features, number(each)
        self.n = self.each * minor_features.shape[1]
        self.N = counts.sum() + self.n * len(minor)

    def at(self, minor: Any, bias: Any, y: Any) -> ByHand:
        """The same with another minority."""
        return ByHand(
            self.major, minor, self.b_major, bias, self.x, self.counts, y, np.array(self.each)
        )

    def logits(self, x: Any) -> list[Fraction]:
        """Logits of one feature."""
        A = np.concatenate([self.major, self.minor])
        return list(A.dot(x) + np.concatenate([self.b_major, self.b_minor]))

    def risk(self, name: str, lambda_A: Fraction, lambda_F: Fraction, lambda_b: Fraction) -> Any:
        """The regularised risk."""
        total, squares = balls.ball(0), Fraction(0)
        samples = [
            (k, count, x)
            for k, (row, features) in enumerate(zip(self.counts, self.x, strict=True))
            for count, x in zip(row, features, strict=True)
        ]
        samples += [
            (len(self.major) + j, self.each, x) for j, group in enumerate(self.y) for x in group
        ]
        for k, count, x in samples:
            z = self.logits(x)
            error = sum((v - (i == k)) ** 2 for i, v in enumerate(z)) / 2
            loss = softmax(z, k)[1] if name == "cross-entropy" else balls.ball(error)
            total += loss * balls.ball(count)
            squares += count * square(x)
        weights = square(self.major) + square(self.minor)
        biases = square(self.b_major) + square(self.b_minor)
        penalty = (lambda_A * weights + lambda_F * squares + lambda_b * biases) / 2
        return total / balls.ball(self.N) + balls.ball(penalty)
