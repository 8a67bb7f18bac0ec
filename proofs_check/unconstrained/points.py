"""A point of the regularised model in balls, in the review's own layout: features are columns.

Nothing here is shared with the code that judges. `Point` computes outputs, probabilities, risk and
gradients as the formulas stand; the facts and routes that several proofs share are below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flint
import numpy as np
import sympy
from sympy import log

from ncbounds.arithmetic import balls
from proofs_check.steps import Fact, Step, identity, nonnegative, number

Sides = dict[str, tuple[Any, Any]]

GIBBS = Fact(
    "Gibbs' inequality",
    "KL(p, q) = sum p log(p/q) is not negative for probabilities p and q, and zero only for p = q.",
    "Cover and Thomas, Elements of Information Theory, Theorem 2.6.3",
)
PINSKER = Fact(
    "Pinsker's inequality",
    "KL(p, q) is at least half the square of the sum of |p_j - q_j|.",
    "Cover and Thomas, Elements of Information Theory, Lemma 11.6.1",
)
OPERATOR_NORM = Fact(
    "Operator norm",
    "|G x| <= |G|_2 |x|, so |G F^T| <= |G|_2 |F| column by column, and |<X, Y>| <= |X| |Y| for "
    "matrices with the Frobenius norm.",
    "Horn and Johnson, Matrix Analysis, Section 5.6",
)
RANK_AND_NULLITY = Fact(
    "Rank and nullity",
    "A matrix with m columns and a rank below m has A w = 0 for some w that is not zero; its rank "
    "is at most the number of rows less that of independent y with y^T A = 0.",
    "Horn and Johnson, Matrix Analysis, Section 0.2.3",
)

_p, _y, _h, _L = sympy.symbols("p y h L", positive=True)
_K, _n = sympy.symbols("K n", positive=True, integer=True)
_theta, _sigma, _la, _lf = sympy.symbols("theta sigma lambda_A lambda_F", positive=True)


def in_balls(values: Any) -> Any:
    """Exact numbers as an object array of balls."""
    return np.asarray(
        np.frompyfunc(balls.ball, 1, 1)(np.asarray(values, dtype=object)), dtype=object
    )


def total(array: Any) -> Any:
    """Sum of all entries."""
    return sum(np.asarray(array, dtype=object).ravel(), balls.ball(0))


def square(array: Any) -> Any:
    """Sum of the squares of all entries."""
    return sum((x * x for x in np.asarray(array, dtype=object).ravel()), balls.ball(0))


def each(function: str, array: Any) -> Any:
    """A method of balls on every entry."""
    return np.asarray(np.frompyfunc(lambda x: getattr(x, function)(), 1, 1)(array), dtype=object)


def columns(F: Any) -> Any:
    """Samples (K, n, m) as the columns of a matrix (m, K n)."""
    return in_balls(F).reshape(-1, np.shape(F)[2]).T


def spectral_norm(matrix: Any) -> Any:
    """The root of the largest eigenvalue of G G^T, from certified eigenvalues."""
    G = flint.arb_mat(np.asarray(matrix).tolist())
    M = flint.acb_mat(G * G.transpose())
    largest = balls.ball(0)
    for value in M.eig(multiple=True):
        largest = largest.max(value.real)
    return largest.sqrt()


class Point:
    """Features, weights and bias with all that (21) says of them."""

    def __init__(
        self, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any = 0
    ) -> None:
        self.K, self.n, self.m = np.shape(F)
        self.N = self.K * self.n
        self.F, self.A, self.b = columns(F), in_balls(A), in_balls(b)
        self.lA, self.lF, self.lb = (balls.ball(number(x)) for x in (lambda_A, lambda_F, lambda_b))
        self.sigma = (self.lA * self.lF).sqrt()
        self.label = np.repeat(np.arange(self.K), self.n)
        self.Y = in_balls(np.eye(self.K)[:, self.label])
        self.H = self.A @ self.F + self.b[:, None]
        weights = each("exp", self.H)
        self.sums = weights.sum(axis=0)
        self.P = weights / self.sums
        self.G = (self.P - self.Y) / self.N
        self.logs = self.H - each("log", self.sums)

    @property
    def loss(self) -> Any:
        """Mean cross-entropy."""
        return -total(self.Y * self.logs) / self.N

    @property
    def decay(self) -> Any:
        """What the two factors cost."""
        return (self.lA * square(self.A) + self.lF * square(self.F)) / 2

    @property
    def risk(self) -> Any:
        """The objective of (21)."""
        return self.loss + self.decay + self.lb * square(self.b) / 2

    @property
    def by_A(self) -> Any:
        """Gradient by the weights."""
        return self.G @ self.F.T + self.lA * self.A

    @property
    def by_F(self) -> Any:
        """Gradient by the features, as columns."""
        return self.A.T @ self.G + self.lF * self.F

    @property
    def by_b(self) -> Any:
        """Gradient by the bias."""
        return self.G.sum(axis=1) + self.lb * self.b

    @property
    def unrest(self) -> Any:
        """Half of what the gradients are along the point itself."""
        return (total(self.A * self.by_A) + total(self.F * self.by_F)) / 2

    @property
    def dots(self) -> Any:
        """The centred weights."""
        return self.A - self.A.sum(axis=0) / self.K

    def collapsed(self, theta: Any) -> Any:
        """Probabilities theta for wrong classes, as columns of samples."""
        return self.Y * (1 - self.K * theta) + theta

    def divergence(self, P: Any) -> Any:
        """Mean of KL(p_i, softmax(h_i))."""
        return total(P * (each("log", P) - self.logs)) / self.N


# -- routes that proofs share ---------------------------------------------------------------------


def entropy_route() -> Iterator[Step]:
    """The loss is H(p) + KL(p, softmax) + <p - y, h>, for any probabilities p."""
    yield identity(
        "with L = log sum e^h, entry by entry: -p log p + p (log p - h + L) + (p - y) h is the "
        "loss y (L - h) and (p - y) L, which sums to zero",
        -_p * log(_p) + _p * (log(_p) - _h + _L) + (_p - _y) * _h,
        _y * (_L - _h) + (_p - _y) * _L,
    )


def collapsed_route() -> Iterator[Step]:
    """For p_k with theta for wrong classes, <p - y, h> averages to -theta/n sum <a_k - a, f>."""
    yield identity("p - y at the own class", (1 - (_K - 1) * _theta) - 1, _theta * (1 - _K))
    a_own, a_sum, f, b_own, b_sum = sympy.symbols("a_own a_sum f b_own b_sum", real=True)
    yield identity(
        "<1 - K e_k, A f + b> = -K <a_k - a, f> + sum b - K b_k",
        (a_sum * f + b_sum) - _K * (a_own * f + b_own),
        -_K * (a_own - a_sum / _K) * f + b_sum - _K * b_own,
    )
    yield identity("over the classes the bias sums to zero", _K * b_sum - _K * b_sum, 0)
    yield identity("over N = K n samples", _theta * _K / (_K * _n), _theta / _n)


def product_route() -> Iterator[Step]:
    """<Gamma, A F> is at least -sigma |A| |F| for |Gamma| <= sigma: the form Q is not negative."""
    a, f = sympy.symbols("a f", nonnegative=True)
    yield nonnegative(
        "lambda_A/2 |A|^2 + lambda_F/2 |F|^2 - sqrt(lambda_A lambda_F) |A| |F| is a square",
        _la * a**2 / 2 + _lf * f**2 / 2 - sympy.sqrt(_la * _lf) * a * f,
        [(sympy.sqrt(_la) * a - sympy.sqrt(_lf) * f) ** 2, sympy.Rational(1, 2)],
    )
