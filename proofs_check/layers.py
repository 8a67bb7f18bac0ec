"""Exact last layers to tie claims to, and their quantities by plain loops over exact numbers.

Nothing here is shared with the code that judges: what both compute must agree.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from ncbounds.arithmetic import balls
from proofs_check.proximity.first_steps import dot, mean
from proofs_check.steps import point

LAYERS = [
    point(
        w=[[2, 0, 0], [0, 2, 1], [0, "-1/2", 3]],
        h=[[[1, 0, "1/3"], [2, -1, 0]], [[0, 1, 0], [-1, 2, 1]], [[0, 0, 1], ["1/2", 0, 2]]],
        bias=[1, "-1/2", 0],
    ),
    point(w=[[1, 1], [0, -1]], h=[[[1, "1/2"]], [[-1, -2]]], bias=[0, "1/3"]),
]
ZEROS = point(w=[[1, 0], [-1, 0]], h=[[[0, 0], [1, 1]], [[0, 0], [0, 0]]], bias=[0, 0])


class Layer:
    """The quantities of a last layer by plain loops over exact numbers, sample by sample.

    `p` and `t` are nested by class and sample; `p` is without what the bias adds.
    """

    def __init__(self, w: Any, h: Any, bias: Any = None) -> None:
        self.C, self.N, self.h = len(w), len(h[0]), h
        self.bias = [Fraction(0)] * self.C if bias is None else list(bias)
        self.k = Fraction(self.C, self.C - 1)
        centre = [mean([row[j] for row in w]) for j in range(len(w[0]))]
        self.wdot = [[a - m for a, m in zip(row, centre, strict=True)] for row in w]
        self.means = [[mean([x[j] for x in c]) for j in range(len(w[0]))] for c in h]
        self.t = self.each(lambda c, x: self.k * dot(self.wdot[c], x))
        sums = self.each(
            lambda c, x: sum(
                (
                    balls.ball(dot(w[r], x) + self.bias[r] - dot(w[c], x) - self.bias[c]).exp()
                    for r in range(self.C)
                    if r != c
                ),
                balls.ball(0),
            )
        )
        shift = [balls.ball(self.k * (a - mean(self.bias))) for a in self.bias]
        self.losses = [[(1 + s).log() for s in c] for c in sums]
        self.p = [[-(s / (self.C - 1)).log() - shift[c] for s in row] for c, row in enumerate(sums)]
        self.loss = self.mean(self.losses)
        self.of_loss = -((self.loss.exp() - 1) / (self.C - 1)).log()
        self.square = self.mean(self.each(lambda _, x: dot(x, x)))
        self.alpha = balls.ball(self.square).sqrt()
        self.b = balls.ball(mean([dot(x, x) for x in self.wdot])).sqrt()
        self.T = balls.ball(self.k) * self.alpha * self.b
        self.kept = mean([dot(x, x) for x in self.means]) / self.square if self.square else None

    def each(self, value: Any) -> list[list[Any]]:
        """The values ``value(c, x)`` of all samples."""
        return [[value(c, x) for x in row] for c, row in enumerate(self.h)]

    def mean(self, rows: list[list[Any]]) -> Any:
        """Mean over samples and classes."""
        return mean([value for row in rows for value in row])

    def spread(self, c: int) -> Fraction:
        """Mean squared distance of a class' features from their mean."""
        found: Fraction = mean([dot(x, x) for x in self.h[c]]) - dot(self.means[c], self.means[c])
        return found

    def array(self, rows: Any) -> Any:
        """Nested lists as one array of balls."""
        return balls.asarray(np.array(rows, dtype=object))


class Cosines(Layer):
    """A last layer with the cosines of its features and class means."""

    def __init__(self, w: Any, h: Any, bias: Any = None) -> None:
        super().__init__(w, h, bias)
        self.norms = [balls.ball(dot(a, a)).sqrt() for a in self.wdot]
        self.kappa = self.each(self.cosine)
        self.of_means = mean([self.cosine(c, x) for c, x in enumerate(self.means)])

    def cosine(self, c: int, x: Any) -> Any:
        """The cosine of a vector with the weight of a class."""
        length = balls.ball(dot(x, x)).sqrt() * self.norms[c]
        return balls.ball(dot(self.wdot[c], x)) / length if length > 0 else balls.ball(-1)

    @property
    def intra(self) -> Any:
        """The mean over classes of the mean cosine of all pairs of samples."""
        found = []
        for row in self.h:
            lengths = [balls.ball(dot(x, x)).sqrt() for x in row]
            pairs = [
                balls.ball(dot(x, y)) / (a * b)
                for x, a in zip(row, lengths, strict=True)
                for y, b in zip(row, lengths, strict=True)
                if a > 0 and b > 0
            ]
            found.append(sum(pairs, balls.ball(0)) / self.N**2)
        return mean(found)

    def components(self, odds: list[list[Any]]) -> list[list[Any]]:
        """rho of all samples, nested by class."""
        return [
            [p / (balls.ball(self.k) * self.alpha * self.norms[c]) for p in row]
            for c, row in enumerate(odds)
        ]

    def sides(self, of_samples: Any, of_means: Any) -> dict[str, tuple[Any, Any]]:
        """Mean cosine, that of class means, intra-class cosine, with bounds on the first two."""
        least = of_samples.max(balls.ball(0))
        return {
            "mean cosine": (1 - self.mean(self.kappa), 1 - of_samples),
            "class means": (1 - self.of_means, 1 - of_means),
            "intra-class cosine": (1 - self.intra, 1 - least**2),
        }
