"""Outputs of exact last layers by plain loops over exact numbers, for ties."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ncbounds.arithmetic import balls
from proofs_check.proximity.first_steps import dot, mean
from proofs_check.steps import point

#: Layers whose loss is small when they are scaled well, with equality and without.
LAYERS = [
    point(
        w=[[2, 0, 0], [0, 2, 1], [0, "-1/2", 3]],
        h=[[[1, 0, "1/3"], [2, -1, 0]], [[0, 1, 0], [-1, 2, 1]], [[0, 0, 1], ["1/2", 0, 2]]],
        bias=[1, "-1/2", 0],
    ),
    point(w=[[1, 1], [0, -1]], h=[[[1, "1/2"]], [[-1, -2]]], bias=[0, "1/3"]),
    point(w=[[1, 0], [-1, 0]], h=[[[1, 1], [1, -1]], [[-1, 1], [-1, -1]]], bias=[0, 0]),
]


class Outputs:
    """The outputs of a last layer, nested by class and sample, less their mean over classes."""

    def __init__(self, w: Any, h: Any, bias: Any) -> None:
        self.C, self.N, self.h = len(w), len(h[0]), h
        self.k = Fraction(self.C, self.C - 1)
        centre = [mean([row[j] for row in w]) for j in range(len(w[0]))]
        self.wdot = [[a - m for a, m in zip(row, centre, strict=True)] for row in w]
        self.centre = dot(centre, centre)
        self.square_of_weights = mean([dot(x, x) for x in w])
        self.means = [[mean([x[j] for x in c]) for j in range(len(w[0]))] for c in h]
        self.logits = self.each(
            lambda _, x: [dot(row, x) + a for row, a in zip(w, bias, strict=True)]
        )
        z = [[[value - mean(x) for value in x] for x in row] for row in self.logits]
        self.q = [[self.k * x[c] for x in row] for c, row in enumerate(z)]
        self.losses = [
            [sum((v - self.target(c)[r]) ** 2 for r, v in enumerate(x)) for x in row]
            for c, row in enumerate(z)
        ]
        self.rests = [
            [
                sum((v - self.k * x[c] * self.target(c)[r]) ** 2 for r, v in enumerate(x))
                for x in row
            ]
            for c, row in enumerate(z)
        ]
        self.loss, self.off = self.mean(self.losses), self.mean(self.rests)
        self.margin = self.mean(self.q)
        self.variance = self.mean([[q * q for q in row] for row in self.q]) - self.margin**2
        self.square = self.mean(self.each(lambda _, x: dot(x, x)))
        self.square_of_wdot = mean([dot(x, x) for x in self.wdot])
        self.alpha = balls.ball(self.square).sqrt()
        self.b = balls.ball(self.square_of_wdot).sqrt()
        self.T = balls.ball(self.k) * self.alpha * self.b

    def target(self, c: int) -> list[Fraction]:
        """e_c - 1/C."""
        return [Fraction(int(r == c)) - Fraction(1, self.C) for r in range(self.C)]

    def each(self, value: Any) -> list[list[Any]]:
        """The values ``value(c, x)`` of all samples."""
        return [[value(c, x) for x in row] for c, row in enumerate(self.h)]

    def mean(self, rows: list[list[Any]]) -> Any:
        """Mean over samples and classes."""
        return mean([value for row in rows for value in row])

    @property
    def error(self) -> Any:
        """e, the root of k L."""
        return balls.ball(self.k * self.loss).sqrt()

    @property
    def relative_spread(self) -> Any:
        """The variance of q and k times the rest, over the square of the mean of q."""
        return (self.variance + self.k * self.off) / self.margin**2

    @property
    def kept(self) -> Any:
        """Mean square of the class means over that of the features."""
        return mean([dot(x, x) for x in self.means]) / self.square

    @property
    def cosine(self) -> Any:
        """Cosine of the stacked centred weights and the stacked class means; -1 for none."""
        if not self.kept or not self.square_of_wdot:
            return balls.ball(-1)
        stacked = sum(dot(a, x) for a, x in zip(self.wdot, self.means, strict=True))
        return balls.ball(stacked) / (self.C * self.alpha * balls.ball(self.kept).sqrt() * self.b)

    @property
    def distance(self) -> Any:
        """Mean |h/alpha - wdot/b|^2."""
        return 2 - 2 * balls.ball(self.mean(self.own)) / (self.alpha * self.b)

    @property
    def own(self) -> list[list[Any]]:
        """<wdot_c, h>, by sample."""
        return self.each(lambda c, x: dot(self.wdot[c], x))


def scaled(w: Any, h: Any, bias: Any, share: Fraction, decay: Fraction) -> tuple[Outputs, Any]:
    """The layer with features and biases scaled as the claims do, and the scale."""
    of = Outputs(w, h, bias)
    square = of.variance + of.margin**2 + of.k * (of.off + decay)
    scale = 2 * share * of.margin / square
    features = [[[scale * x for x in sample] for sample in row] for row in h]
    return Outputs(w, features, [scale * a for a in bias]), scale
