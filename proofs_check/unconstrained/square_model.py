"""What proofs about the square error of unconstrained features share: points by hand, and facts.

`ByHand` holds features as the columns of an (m x N) matrix and computes by exact matrix products,
where the claims sum over classes and samples. Identities between matrices are checked in symbols
that do not commute; a letter with a t is a transpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.steps import Fact, Step, identity, nonnegative, point

FROBENIUS = Fact(
    "Frobenius norm",
    "It satisfies the triangle inequality, |<X, Y>| <= |X| |Y| and |X Y| <= |X| |Y|; orthogonal "
    "projections do not increase it, nor do orthogonal matrices change it.",
    "Horn and Johnson, Matrix Analysis, Section 5.6",
)
ECKART_YOUNG = Fact(
    "Eckart-Young theorem",
    "The squared Frobenius distance of a matrix from those of rank at most m is the sum of its "
    "squared singular values but for the m largest.",
    "Horn and Johnson, Matrix Analysis, Corollary 7.4.1.3",
)
POWERS_STORMER = Fact(
    "Powers-Stormer inequality",
    "For positive semi-definite P and Q, |P - Q|^2 in the Frobenius norm is at most the trace norm "
    "of P^2 - Q^2, which is at most sqrt(K) times its Frobenius norm for K x K matrices.",
    "R. T. Powers and E. Stormer, Comm. Math. Phys. 16 (1970), Lemma 4.1",
)
PYTHAGORAS = Fact(
    "Orthogonal sums",
    "In a finite sum of orthogonal subspaces squared norms add up.",
    "Halmos, Finite-Dimensional Vector Spaces, Section 62",
)
SINGULAR_VALUES = Fact(
    "Singular value decomposition",
    "A matrix is a sum of sigma_i u_i w_i^T with orthonormal u_i and w_i, the u_i in its range.",
    "Horn and Johnson, Matrix Analysis, Theorem 2.6.3",
)
UNIQUE_SOLUTION = Fact(
    "Uniqueness of solutions",
    "A differential equation with a locally Lipschitz right-hand side has one solution from each "
    "initial value.",
    "Picard and Lindelof; Hartman, Ordinary Differential Equations, Theorem II.1.1",
)

SMALL = [
    point(
        F=[[[1, "1/2"], [-1, 2]], [[0, 1], [2, "1/3"]]],
        A=[[1, -1], ["1/2", 2]],
        b=["1/3", -1],
    ),
    point(F=[[[1]], [[-2]], [["1/2"]]], A=[[1], [0], ["1/3"]], b=[0, 1, 2]),
]
STEPS = [
    point(step_F=[[[0, 1], [1, "1/2"]], [[-1, 0], [1, 1]]], step_A=[[1, 0], [2, 1]], step_b=[1, 2]),
    point(step_F=[[["1/2"]], [[1]], [[0]]], step_A=[[-1], [2], [1]], step_b=["1/2", 0, 1]),
]
FIELDS = {"F": "real", "A": "real", "b": "real"}
STEP_FIELDS = {"step_F": "real", "step_A": "real", "step_b": "real"}


def points(*fields: str, steps: bool = False, **more: Any) -> list[dict[str, Any]]:
    """The small points, with the named fields of them, steps if asked for, and further numbers."""
    found = []
    for one, step in zip(SMALL, STEPS, strict=True):
        kept = {name: one[name] for name in fields}
        found.append({**kept, **(step if steps else {}), **point(**more)})
    return found


def letters(names: str) -> Any:
    """Symbols of matrices: they do not commute."""
    return sympy.symbols(names, commutative=False)


class ByHand:
    """An exact point: features as columns, residual and gradients by matrix products."""

    def __init__(self, F: Any, A: Any, b: Any = None) -> None:
        self.K, self.n, self.m = F.shape
        self.N = self.K * self.n
        self.F = F.reshape(self.N, self.m).T
        self.A = A
        zero = Fraction(0)
        self.b = np.full(self.K, zero, dtype=object) if b is None else b
        self.Y = np.kron(np.eye(self.K, dtype=int), np.ones((1, self.n), dtype=int)).astype(object)
        self.ones = np.ones((self.N, 1), dtype=int).astype(object)
        self.E = A @ self.F + np.outer(self.b, self.ones) - self.Y

    @property
    def risk(self) -> Any:
        """Half the square error."""
        return (self.E**2).sum() / 2

    @property
    def gradients(self) -> tuple[Any, Any, Any]:
        """By F (nested by class and sample), A and b."""
        by_F = self.nested(self.A.T @ self.E)
        return by_F, self.E @ self.F.T, (self.E @ self.ones)[:, 0]

    def nested(self, columns: Any) -> Any:
        """Columns (m x N) as the claims have them, (K, n, m)."""
        return columns.T.reshape(self.K, self.n, -1)

    @property
    def gram_gap(self) -> Any:
        """A^T A - F F^T."""
        return self.A.T @ self.A - self.F @ self.F.T

    @property
    def apart(self) -> Any:
        """F less the means of the classes, (m x N)."""
        means = self.F @ self.Y.T / Fraction(self.n)
        return self.F - means @ self.Y


def simplex_rows(K: int) -> Any:
    """I - 1 1^T/K, exact."""
    return np.array(
        [[Fraction(int(i == j)) - Fraction(1, K) for j in range(K)] for i in range(K)],
        dtype=object,
    )


def ball_root(number: Any) -> Any:
    """The square root of an exact number or a ball."""
    return balls.ball(number).sqrt()


def length(values: Any) -> Any:
    """Frobenius norm of exact numbers or balls."""
    entries = exact(values)
    return (entries * entries).sum().sqrt()


def seen(left: Any, right: Any, terms: Any) -> tuple[Any, Any]:
    """Two sides of an equation with the norm of `terms` added to both."""
    size = length(np.concatenate([np.ravel(t) for t in terms]))
    return exact(left) + size, exact(right) + size


def square_steps() -> Iterator[Step]:
    """Half the square of a residual after a step, and how terms of a sum are shared out."""
    e, d, a, f = sympy.symbols("e d a f", real=True)
    yield identity("one entry of the residual", (e + d) ** 2 / 2, e**2 / 2 + e * d + d**2 / 2)
    yield identity("its part by a feature, a weight", e * (a * f), (e * a) * f)


def within_steps() -> Iterator[Step]:
    """Within a class bias and label are equal: what is left of the residual is A F_perp."""
    a, f, mean, b, y = sympy.symbols("a f mean b y", real=True)
    yield identity(
        "the residual less its class mean", (a * f + b - y) - (a * mean + b - y), a * (f - mean)
    )


def nonnegative_cross(name: str, x: Any, y: Any) -> Step:
    """The cube of a sum of two non-negative numbers is at least the sum of the cubes."""
    return nonnegative(name, (x + y) ** 3 - x**3 - y**3, [3 * x, y, x + y])
