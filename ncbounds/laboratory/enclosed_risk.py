"""Risk and gradients of a given point of the regularised model, enclosed in ball arithmetic.

The point has features f_i with labels y_i, weights A and a bias b, and its risk is

    1/N sum loss(A f_i + b, y_i) + lambda_A/2 |A|^2 + lambda_F/2 |F|^2 + lambda_b/2 |b|^2

with the cross-entropy or half the squared distance to the one-hot label. Floats are taken as the
exact numbers that they are; sums over entries are products of a row and a column, which is fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import flint
import numpy as np
from numpy.typing import NDArray

from ncbounds.arithmetic import balls
from ncbounds.codes.margin import host_array
from ncbounds.errors import InputError
from ncbounds.laboratory.enclosures import float_above

Floats = NDArray[np.float64]
Loss = Literal["cross-entropy", "square"]

# -- what is given --------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class GivenPoint:
    """A point of the model, as exact floats."""

    features: Floats
    labels: NDArray[np.int64]
    weights: Floats
    bias: Floats | None
    weight_decay: float
    feature_decay: float
    bias_decay: float
    loss: Loss

    @property
    def K(self) -> int:
        """Number of classes."""
        return len(self.weights)


def checked_point(
    features: object,
    labels: object,
    weights: object,
    bias: object,
    lambda_A: float,
    lambda_F: float,
    lambda_b: float,
    loss: Loss,
) -> GivenPoint:
    """The point as exact floats; InputError where its parts do not fit together."""
    F, A = _real("features", features, 2), _real("weights", weights, 2)
    K, m = A.shape
    y = np.asarray(host_array("labels", labels))
    if y.shape != (len(F),) or y.dtype.kind not in "iu":
        raise InputError("labels", f"array of shape {y.shape}", f"{len(F)} integers")
    if F.shape[1] != m:
        raise InputError("features", f"array of shape {F.shape}", f"of {m} columns, as weights")
    if K < 2 or sorted(set(y.tolist())) != list(range(K)):
        shown = f"{len(set(y.tolist()))} classes"
        raise InputError("labels", shown, f"each of 0 to {K - 1}, one for each row of weights")
    b = None if bias is None else _real("bias", bias, 1)
    if b is not None and b.shape != (K,):
        raise InputError("bias", f"array of shape {b.shape}", f"{K} numbers")
    for name, value in (("lambda_A", lambda_A), ("lambda_F", lambda_F)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(name, value, "positive and finite")
    if not (math.isfinite(lambda_b) and lambda_b >= 0):
        raise InputError("lambda_b", lambda_b, "at least 0 and finite")
    if loss not in ("cross-entropy", "square"):
        raise InputError("loss", loss, "cross-entropy or square")
    return GivenPoint(F, y.astype(np.int64), A, b, lambda_A, lambda_F, lambda_b, loss)


def _real(name: str, values: object, axes: int) -> Floats:
    array = np.asarray(host_array(name, values), dtype=np.float64)
    if array.ndim != axes or array.size == 0:
        raise InputError(name, f"array of shape {array.shape}", f"of {axes} axes, not empty")
    if not np.isfinite(array).all():
        raise InputError(name, "NaN or infinity", "finite numbers")
    return array


# -- the risk in balls ----------------------------------------------------------------------------


def matrix_of(values: Floats) -> flint.arb_mat:
    """A matrix of exact floats, all of them finite."""
    return flint.arb_mat(values.tolist())


def _square_of(values: Floats) -> flint.arb:
    """The sum of the squares of exact floats: a row times a column."""
    row = flint.arb_mat(1, values.size, values.ravel().tolist())
    return (row * row.transpose())[0, 0]


def _inner(x: flint.arb_mat, y: flint.arb_mat) -> flint.arb:
    """The sum of the products of all entries of two matrices of few columns."""
    return (x.transpose() * y).trace()


class EnclosedRisk:
    """Risk and gradients at a point; matrices have a row for each sample, as the arrays have."""

    def __init__(self, given: GivenPoint) -> None:
        self.given, self.N = given, len(given.labels)
        self.F, self.A = matrix_of(given.features), matrix_of(given.weights)
        b = np.zeros(given.K) if given.bias is None else given.bias
        self.b = [balls.ball(x) for x in b.tolist()]
        self.AF = self.F * self.A.transpose()
        total = flint.arb(0)
        #: Outputs for the square loss, probabilities for cross-entropy: a row for each sample.
        self.P: list[list[flint.arb]] = []
        for row, label in zip(self.AF.tolist(), given.labels.tolist(), strict=True):
            shifted = [h + c for h, c in zip(row, self.b, strict=True)]
            if given.loss == "square":
                p = shifted
                rest = [h - (j == label) for j, h in enumerate(shifted)]
                total += sum((r * r for r in rest), flint.arb(0)) / 2
            else:
                top = max(float(h.mid()) for h in shifted)
                powers = [(h - top).exp() for h in shifted]
                whole = sum(powers, flint.arb(0))
                p = [x / whole for x in powers]
                total += whole.log() + top - shifted[label]
            self.P.append(p)
        self.decays = [
            balls.ball(x) for x in (given.weight_decay, given.feature_decay, given.bias_decay)
        ]
        self.square_A, self.square_F = _square_of(given.weights), _square_of(given.features)
        penalty = self.decays[0] * self.square_A + self.decays[1] * self.square_F
        penalty += self.decays[2] * sum((x * x for x in self.b), flint.arb(0))
        self.risk = total / self.N + penalty / 2

    @cached_property
    def residuals(self) -> list[list[flint.arb]]:
        """Gradient of the loss of each sample by its outputs."""
        rows = zip(self.P, self.given.labels.tolist(), strict=True)
        return [[x - (j == label) for j, x in enumerate(p)] for p, label in rows]

    @cached_property
    def G(self) -> flint.arb_mat:
        """Gradient of the mean loss by the outputs."""
        return flint.arb_mat(self.residuals) * (flint.arb(1) / self.N)

    def gradient_norms(self) -> tuple[float, float, float]:
        """Upper bounds of the norms by weights, features and bias.

        ``|G A + lambda_F F|^2`` is expanded, so that no matrix as large as F is formed.
        """
        lambda_A, lambda_F, lambda_b = self.decays
        by_A = self.G.transpose() * self.F + self.A * lambda_A
        by_features = _inner(self.G.transpose() * self.G, self.A * self.A.transpose())
        by_features += lambda_F * (2 * _inner(self.G, self.AF) + lambda_F * self.square_F)
        columns = list(zip(*self.G.tolist(), strict=True))
        by_b = [sum(c, flint.arb(0)) + lambda_b * x for c, x in zip(columns, self.b, strict=True)]
        bias = sum((x * x for x in by_b), flint.arb(0)) if self.given.bias is not None else 0
        squares = _inner(by_A.transpose(), by_A.transpose()), by_features, flint.arb(bias)
        weights, features, of_bias = (
            float_above(x.upper().max(flint.arb(0)).sqrt()) for x in squares
        )
        return weights, features, of_bias

    def second_derivative(self, u: Floats, v: Floats, w: Floats) -> flint.arb:
        """The second derivative along the step u w^T of the weights and v w^T of the features."""
        of_A, of_F, along = (matrix_of(x[:, None]) for x in (u, v, w))
        moved = (of_F * (self.A * along).transpose() + self.F * along * of_A.transpose()).tolist()
        curved = flint.arb(0)
        for p, z in zip(self.P, moved, strict=True):
            if self.given.loss == "square":
                curved += sum((x * x for x in z), flint.arb(0))
            else:
                mean = sum((a * x for a, x in zip(p, z, strict=True)), flint.arb(0))
                spread = (a * (x - mean) * (x - mean) for a, x in zip(p, z, strict=True))
                curved += sum(spread, flint.arb(0))
        twice = 2 * (of_F.transpose() * self.G * of_A)[0, 0]
        penalty = self.decays[0] * _square_of(u) + self.decays[1] * _square_of(v)
        return curved / self.N + (twice + penalty) * _square_of(w)
