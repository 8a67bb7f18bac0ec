"""Exact last layers in the review's matrices, to tie claims to, and what their proofs share.

Here samples are columns, F is m x N and Y = I (x) 1^T, and all is computed by matrix products of
balls: nothing is shared with the code that judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls
from proofs_check.square_loss.ball_arrays import exact, square
from proofs_check.steps import Fact, Step, cases, identity, point

Sides = dict[str, tuple[Any, Any]]

COMPLEMENT = Fact(
    "Dimension of a complement, and Bessel's inequality",
    "The columns of a K x m matrix with m < K are orthogonal to some K - m orthonormal vectors; "
    "the squares of the components along orthonormal vectors add up to at most the square norm.",
    "Horn and Johnson, Matrix Analysis, Sections 0.6.4 and 0.6.5",
)

#: More features than classes, as many, and fewer.
LAYERS = [
    point(A=[[1, 0, 2], ["1/2", -1, 0]], F=[[[1, 0, 1], [0, 2, 0]], [[0, -1, 0], [1, 1, "1/3"]]]),
    point(A=[[1], [-2], ["1/2"]], F=[[[1], [2]], [[0], ["-1/3"]], [[1], [1]]]),
    point(A=[[1, 0], [0, 1]], F=[[[1, 0]], [[0, 1]]]),
    point(A=[[0, 0], [0, 0]], F=[[[0, 0]], [[0, 0]]]),
]
DECAYS = [point(lambda_A="1/8", lambda_F="1/9"), point(lambda_A=2, lambda_F="3/2")]


def given(*more: dict[str, Any]) -> list[dict[str, Any]]:
    """Each layer with small and large decays, and with further numbers."""
    rest = {name: value for one in more for name, value in one.items()}
    return [{**layer, **decays, **rest} for layer in LAYERS for decays in DECAYS]


class Layer:
    """The matrices of a last layer with balanced classes."""

    def __init__(self, A: Any, F: Any) -> None:
        self.K, self.n, self.m = np.shape(F)
        self.N = self.K * self.n
        self.A, samples = exact(A), exact(F)
        self.F = samples.reshape(self.N, self.m).T
        self.Y = np.kron(np.eye(self.K, dtype=int), np.ones((1, self.n), dtype=int))
        self.Fbar = (self.F @ self.Y.T) / self.n
        self.within = self.F - self.Fbar @ self.Y
        self.centre = self.Fbar.sum(axis=1) / self.K

    def risk(self, lambda_A: Any, lambda_F: Any, b: Any = None, lambda_b: Any = 0) -> Any:
        """(28); without bias for b None."""
        Z = self.A @ self.F - self.Y
        total = balls.ball(lambda_A) / 2 * square(self.A) + balls.ball(lambda_F) / 2 * square(
            self.F
        )
        if b is not None:
            bias = exact(b)
            Z = Z + bias[:, None]
            total = total + balls.ball(lambda_b) / 2 * square(bias)
        return total + square(Z) / (2 * self.N)

    def rho(self, lambda_A: Any, lambda_F: Any) -> Any:
        """The ratio of decays, K sqrt(n lambda_A lambda_F)."""
        return self.K * (balls.ball(lambda_A) * balls.ball(lambda_F) * self.n).sqrt()


def plus(x: Any) -> Any:
    """The larger of a ball and 0."""
    return x.max(balls.ball(0))


def variance_route() -> Iterator[Step]:
    """The squares of n numbers are n times that of their mean and those of what they are off."""
    mean, off = sympy.symbols("mean off", real=True)
    yield identity(
        "one of them: x = mean + off, and the offs add up to 0",
        (mean + off) ** 2,
        mean**2 + 2 * mean * off + off**2,
    )

    def holds(n: int) -> bool:
        xs = sympy.symbols(f"x_0:{n}", real=True)
        centre = sum(xs) / sympy.Integer(n)
        whole = sum(v**2 for v in xs) - n * centre**2 - sum((v - centre) ** 2 for v in xs)
        return bool(sympy.expand(whole) == 0)

    yield cases(
        "sum x^2 = n mean^2 + sum off^2, n = 1 to 4", {f"n = {n}": holds(n) for n in range(1, 5)}
    )


def raised(array: Any, size: Any = 0) -> tuple[Any, Any]:
    """Both sides of an equation of arrays, raised by twice the sum of magnitudes and `size`."""
    entries = array.ravel()
    total = 2 * sum((abs(x) for x in entries), balls.ball(0)) + size
    found = [x + total for x in entries]
    return found, found
