"""Proofs about locally elastic steps: means over all draws and signs, and covariances."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from ncbounds.theory.terms import Claim
from proofs_check.facts import COUNTING
from proofs_check.steps import Step, assumes, identity, number, point, proof, tie

Sides = dict[str, tuple[Any, Any]]
_KINDS = {"f": "real", "E": "real", "T": "real", "phi": "real", "eta": "positive"}
_POINTS = [
    point(
        f=[[[1, 2], ["1/2", -1]], [[0, 3], [1, 1]]],
        E=[[2, -1], ["1/2", 1]],
        T=[
            [[[1, 0], [0, 1]], [[0, 1], [-1, 0]]],
            [[[2, 1], [1, 1]], [[1, 0], ["1/3", 0]]],
        ],
        phi=[[[1, 0], [2, -1]], [["1/2", 1], [0, 1]]],
        eta="1/4",
    ),
    point(f=[[[1]], [[-2]]], E=[[1, 0], [0, 1]], T=[[[[1]], [[1]]]] * 2, phi=[[[1], [1]]], eta=1),
]


class ByHand:
    """The steps with B as one matrix of exact numbers, and features as one vector."""

    def __init__(self, f: Any, E: Any, T: Any, phi: Any, eta: Any) -> None:
        self.eta, (K, n, m) = number(eta), np.shape(f)
        self.f, self.E, self.T, self.K, self.n, self.m = f, E, T, K, n, m
        self.B = self.matrix(E, T)
        self.start = self.means(f)
        self.phi = [row.reshape(K * m) for row in np.asarray(phi)]
        absolute = self.means(np.abs(f)) + (1 + self.eta) * sum(abs(row) for row in self.phi)
        reach = self.euler(self.matrix(np.abs(E), np.abs(T)), absolute)
        self.size = sum(reach)
        self.square_size = sum(r * r for r in reach)

    def matrix(self, E: Any, T: Any) -> Any:
        """The blocks E T/K."""
        rows = [np.hstack([E[k, j] * T[k, j] for j in range(self.K)]) for k in range(self.K)]
        return np.vstack(rows) / Fraction(self.K)

    def means(self, f: Any) -> Any:
        """Class means, one after the other."""
        return np.concatenate([sum(x for x in each) / Fraction(self.n) for each in f])

    def euler(self, B: Any, at: Any) -> Any:
        """As many Euler steps as there is noise."""
        for _ in self.phi:
            at = at + self.eta * (B @ at)
        return at

    def of_step(self) -> Any:
        """Covariance of one step of each class."""
        found = []
        for k in range(self.K):
            pulls = [
                self.E[k, j] * (self.T[k, j] @ self.f[j, i])
                for j in range(self.K)
                for i in range(self.n)
            ]
            count = Fraction(len(pulls))
            mean = sum(pulls) / count
            draws = sum(np.outer(p, p) for p in pulls) / count - np.outer(mean, mean)
            noise = self.phi[0][k * self.m : (k + 1) * self.m]
            found.append(self.eta * np.outer(noise, noise) + self.eta**2 * draws)
        return np.array(found)

    def carried(self) -> Any:
        """Covariance of features that drive themselves."""
        size = self.K * self.m
        A = np.array([[Fraction(int(i == j)) for j in range(size)] for i in range(size)])
        A = A + self.eta * self.B
        C = 0 * A
        for row in self.phi:
            C = A @ C @ A.T + self.eta * np.outer(row, row)
        return C


def same(value: Any) -> tuple[Any, Any]:
    """Two sides that are equal."""
    return value, value


def signs() -> Iterator[Step]:
    """Means over two signs of what noise of either sign makes of a path."""
    x, y, a, b = sympy.symbols("x y a b", real=True)
    yield identity("noise has no mean", ((x + a) + (x - a)) / 2, x)
    yield identity(
        "and adds its product to a covariance",
        ((x + a) * (y + b) + (x - a) * (y - b)) / 2,
        x * y + a * b,
    )
    eta, phi, psi = sympy.symbols("eta phi psi", positive=True)
    yield identity(
        "which is eta phi psi", sympy.sqrt(eta) * phi * (sympy.sqrt(eta) * psi), eta * phi * psi
    )


def draws() -> Iterator[Step]:
    """The mean over K n draws of E_kk' T_kk' f is the mean over classes, of class means."""
    e = sympy.symbols("e:2", real=True)
    f = sympy.symbols("f:4", real=True)
    yield identity(
        "two classes of two: an entry of the mean over draws",
        sum(e[j] * f[2 * j + i] for j in range(2) for i in range(2)) / 4,
        sum(e[j] * (f[2 * j] + f[2 * j + 1]) / 2 for j in range(2)) / 2,
    )
    K, n = sympy.symbols("K n", positive=True)
    total = sympy.Symbol("total", real=True)
    yield identity("and the count is K times n for any", total / (K * n), total / n / K)


@proof("review:eq-40", "printed", "means", COUNTING)
def means(claim: Claim) -> Iterator[Step]:
    """Over draws, over signs, and from step to step: the drift is linear in the features."""
    yield from draws()
    yield from signs()
    mean, rest, eta, b = sympy.symbols("mean rest eta b", real=True)
    yield identity(
        "from step to step: a path moves by eta B mean, so its mean takes Euler's step",
        (mean + rest) + eta * b * mean - rest,
        mean + eta * b * mean,
    )
    yield assumes(claim, **_KINDS)

    def sides(f: Any, E: Any, T: Any, phi: Any, eta: Any) -> Sides:
        net = ByHand(f, E, T, phi, eta)
        return {
            "mean of a step": same(net.eta * (net.B @ net.start) + net.size),
            "mean of the paths": same(net.euler(net.B, net.start) + net.size),
        }

    yield tie(
        "the claim compares these", claim, _POINTS, sides, ("mean of a step", "mean of the paths")
    )


@proof("review:eq-40", "corrected", "Sigma is the covariance of the noise per time", COUNTING)
def noise(claim: Claim) -> Iterator[Step]:
    """Deviations from the mean path: x + a where the means drive, A x + a where it does."""
    yield from draws()
    yield from signs()
    x, y, mean, other = sympy.symbols("x y mean other", real=True)
    yield identity(
        "mean of products of deviations of draws, by the means x = mean + deviation",
        x * y - mean * other,
        (x - mean) * (y - other) + mean * (y - other) + other * (x - mean),
    )
    a = sympy.symbols("a:4", real=True)
    u, v = sympy.symbols("u v", real=True)
    yield identity(
        "an entry of A x (A x)^T is that of A (x x^T) A^T",
        (a[0] * u + a[1] * v) * (a[2] * u + a[3] * v),
        a[0] * u * u * a[2] + a[0] * u * v * a[3] + a[1] * v * u * a[2] + a[1] * v * v * a[3],
    )
    yield assumes(claim, **_KINDS)

    def sides(f: Any, E: Any, T: Any, phi: Any, eta: Any) -> Sides:
        net = ByHand(f, E, T, phi, eta)
        added = net.eta * sum(np.outer(row, row) for row in net.phi)
        return {
            "covariance of a step": same(net.of_step() + net.square_size),
            "covariance, driven by means": same(added + net.square_size),
            "covariance, driven by itself": same(net.carried() + net.square_size),
        }

    names = (
        "covariance of a step",
        "covariance, driven by means",
        "covariance, driven by itself",
    )
    yield tie("the claim compares these", claim, _POINTS, sides, names)
