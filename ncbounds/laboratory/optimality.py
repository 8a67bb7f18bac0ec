"""How far a given point is from the global minimum of the regularised model, for certain.

The risk of features f_i with labels y_i, weights A and bias b is

    1/N sum loss(A f_i + b, y_i) + lambda_A/2 |A|^2 + lambda_F/2 |F|^2 + lambda_b/2 |b|^2

with the cross-entropy or half the squared distance to the one-hot label. It is not convex, and yet
a lower bound of its minimum over all points, whatever the dimension of the features, comes from any
Gamma (K x N) with |Gamma|_2 <= sqrt(lambda_A lambda_F): the convex conjugate of the loss at Gamma
(`review:eq-25`, sharp). For cross-entropy Gamma = (P - Y)/N with probabilities P, and the bound is
their mean entropy. Tried are the point's own residuals, shortened until they fit, and those of a
solution that a search finds, which is not trusted; with classes of one size the minimum of the
cross-entropy is known in closed form. The best bound counts.

In the other direction the gradient G by the outputs tells of a saddle: where |G|_2 is larger than
sqrt(lambda_A lambda_F) and a direction of the features is (nearly) unused, the step (27) lowers the
risk. It is tried, and what it gains is certified.

Everything that is returned is enclosed in ball arithmetic, at the given numbers as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import flint
import numpy as np
from numpy.typing import NDArray

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.spectra import singular_value_bounds
from ncbounds.laboratory.cross_entropy import solve
from ncbounds.laboratory.enclosed_risk import (
    EnclosedRisk,
    Floats,
    GivenPoint,
    Loss,
    checked_point,
)
from ncbounds.laboratory.enclosures import float_above, float_below

#: Bits of all that is certified: floats have 53.
_BITS = 128


@dataclass(frozen=True, eq=False)
class Descent:
    """A step from the point that certainly lowers the risk.

    `curvature` encloses the second derivative along (27), `gain` is a lower bound of what the
    step gains: the point (features + step_features, weights + step_weights, bias) is that much
    better at least, where floats add without rounding.
    """

    curvature: tuple[float, float]
    gain: float
    step_features: Floats
    step_weights: Floats


@dataclass(frozen=True, eq=False)
class Optimality:
    """What is certain of a point: pairs are lower and upper ends.

    `gap` is an upper bound of how far the risk is above its least value over all features, weights
    and biases, in any dimension; where `wide_enough` is False, m < K - 1 (K for the square loss),
    the point may be as good as its own dimension allows all the same. `certificate` tells
    whether (25) holds for certain, fails for certain, or is not decided: at a minimum other than
    zero its sides are equal, so that rounding decides there, and the gap is what counts.
    `gradients` are upper bounds of the norms by weights, features and bias.
    """

    loss: Loss
    risk: tuple[float, float]
    least_risk: float
    gap: float
    spectral_norm: tuple[float, float]
    threshold: tuple[float, float]
    certificate: Literal["holds", "fails", "undecided"]
    gradients: tuple[float, float, float]
    wide_enough: bool
    descent: Descent | None

    def is_minimum(self, tolerance: float = 1e-8) -> bool:
        """Whether the risk is certainly within a tolerance of the least."""
        return self.gap <= tolerance

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, without the arrays of a step."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if self.descent is not None:
            found["descent"] = {"curvature": self.descent.curvature, "gain": self.descent.gain}
        return found


def certify_optimality(
    features: object,
    labels: object,
    weights: object,
    bias: object = None,
    *,
    lambda_A: float,
    lambda_F: float,
    lambda_b: float = 0.0,
    loss: Loss = "cross-entropy",
) -> Optimality:
    """Certify how far a point is from the global minimum of the regularised model.

    Parameters:
        features: (N, m), one row a sample, the free variables of the model.
        labels: (N,), integers 0 to K - 1, each class present; classes may differ in size.
        weights: (K, m).
        bias: (K,), or None for the model without bias.
        lambda_A, lambda_F: decay of weights and features, positive; the conventions of the module.
        lambda_b: decay of the bias, at least 0.
        loss: "cross-entropy" or "square".

    Returns:
        An `Optimality`. At a global minimum the gap is what floats lose of the point; and where
        no closed form serves, what the search left, some 1e-10.

    Raises:
        InputError: arrays that do not fit together, or decays outside their domain.

    Source: review, (23), (25), (27).

    >>> import numpy as np
    >>> from ncbounds.laboratory.cross_entropy import regularised_minimum
    >>> at = regularised_minimum(3, 2, 2, 0.1, 0.05)
    >>> y = np.repeat(np.arange(3), 2)
    >>> kept = certify_optimality(at.features, y, at.weights, lambda_A=0.1, lambda_F=0.05)
    >>> kept.gap < 1e-10, kept.descent is None
    (True, True)
    >>> zero = certify_optimality(0 * at.features, y, 0 * at.weights, lambda_A=0.1, lambda_F=0.05)
    >>> zero.certificate, zero.descent.curvature[1] < 0, zero.descent.gain > 0.1
    ('fails', True, True)
    """
    given = checked_point(features, labels, weights, bias, lambda_A, lambda_F, lambda_b, loss)
    with balls.precision(_BITS):
        at = EnclosedRisk(given)
        sigma = (balls.ball(given.weight_decay) * balls.ball(given.feature_decay)).sqrt()
        low, high = singular_value_bounds(at.G.transpose())
        own = _lower_bound(given, at.residuals, np.ones(len(given.labels)), given.labels, sigma)
        found = _lower_bound(given, *_of_a_search(given), sigma)
        least = own.max(found)
        if loss == "cross-entropy" and len(set(np.bincount(given.labels).tolist())) == 1:
            least = least.max(_closed_form(given))
        state: Literal["holds", "fails", "undecided"] = "undecided"
        if high <= sigma:
            state = "holds"
        elif low > sigma:
            state = "fails"
        return Optimality(
            loss=loss,
            risk=_ends(at.risk),
            least_risk=float_below(least),
            gap=float_above(at.risk - least.lower()),
            spectral_norm=(float_below(low), float_above(high)),
            threshold=_ends(sigma),
            certificate=state,
            gradients=at.gradient_norms(),
            wide_enough=given.weights.shape[1] >= given.K - (loss == "cross-entropy"),
            descent=_descend(given, at) if state == "fails" else None,
        )


def _ends(x: flint.arb) -> tuple[float, float]:
    return float_below(x), float_above(x)


# -- lower bounds of the minimum ------------------------------------------------------------------


def _of_a_search(given: GivenPoint) -> tuple[list[list[flint.arb]], Floats, NDArray[np.int64]]:
    """Residuals of the best point that a search finds: a row a class, and how often it counts."""
    counts = np.bincount(given.labels)
    found = solve(
        counts.tolist(),
        given.K,
        given.weight_decay,
        given.feature_decay,
        given.bias_decay,
        bias=given.bias is not None,
        loss=given.loss,
        starts=1,
    )
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    point = GivenPoint(
        found.features[first],
        np.arange(given.K),
        found.weights,
        found.bias,
        given.weight_decay,
        given.feature_decay,
        given.bias_decay,
        given.loss,
    )
    return EnclosedRisk(point).residuals, counts.astype(np.float64), np.arange(given.K)


def _closed_form(given: GivenPoint) -> flint.arb:
    """The least risk for classes of one size, as `review:remark-global-min-ce` has it."""
    n = len(given.labels) // given.K
    decays = balls.ball(given.weight_decay) * balls.ball(given.feature_decay)
    theta = (n * decays).sqrt().min(flint.arb(1) / given.K)
    own = 1 - (given.K - 1) * theta
    return -own * own.log() - (given.K - 1) * theta * theta.log()


def _lower_bound(
    given: GivenPoint,
    residuals: list[list[flint.arb]],
    counts: Floats,
    labels: NDArray[np.int64],
    sigma: flint.arb,
) -> flint.arb:
    """What residuals N Gamma prove of the least risk; row i counts `counts[i]` times."""
    weights = [flint.arb(int(c)) for c in counts.tolist()]
    N, own = sum(weights, flint.arb(0)), labels.tolist()
    if given.bias is not None and given.bias_decay == 0:
        residuals = _balanced(given, residuals, weights, own)
    if not residuals:
        return flint.arb("-inf")
    scaled = [[r * w.sqrt() / N for r in row] for row, w in zip(residuals, weights, strict=True)]
    norm = singular_value_bounds(flint.arb_mat(scaled).transpose())[1]
    share = flint.arb(1) if norm <= sigma else sigma / norm
    if not share.is_finite():
        return flint.arb("-inf")
    rows = [[share * r for r in row] for row in residuals]
    value = flint.arb(0)
    for row, w, label in zip(rows, weights, own, strict=True):
        if given.loss == "square":
            value -= w * (sum((r * r for r in row), flint.arb(0)) / 2 + row[label])
        else:
            value += w * sum((_entropy(r + (j == label)) for j, r in enumerate(row)), flint.arb(0))
    value = value / N
    if given.bias is not None and given.bias_decay > 0:
        sums = _sums(rows, weights)
        square = sum((x * x for x in sums), flint.arb(0)) / (N * N)
        value -= square / (2 * balls.ball(given.bias_decay))
    return value


def _entropy(p: flint.arb) -> flint.arb:
    """-p log p from below, for a probability; zero where the ball does not tell."""
    return -p * p.log() if p > 0 else flint.arb(0)


def _sums(rows: list[list[flint.arb]], weights: list[flint.arb]) -> list[flint.arb]:
    """Sum of the rows, each as often as it counts."""
    columns = zip(*rows, strict=True)
    return [
        sum((w * r for w, r in zip(weights, column, strict=True)), flint.arb(0))
        for column in columns
    ]


def _balanced(
    given: GivenPoint,
    residuals: list[list[flint.arb]],
    weights: list[flint.arb],
    labels: list[int],
) -> list[list[flint.arb]]:
    """Residuals that sum to zero over the samples, as a bias without decay asks for.

    For the square loss the mean is taken off. Probabilities are mixed with one row q: with the sums
    r and n_j samples of class j, ``q_j = (n_j - (1 - t) r_j/t)/N`` for a t that keeps q positive.
    """
    N = sum(weights, flint.arb(0))
    sums = _sums(residuals, weights)
    if given.loss == "square":
        return [[r - s / N for r, s in zip(row, sums, strict=True)] for row in residuals]
    counts = [flint.arb(0)] * given.K
    for w, label in zip(weights, labels, strict=True):
        counts[label] += w
    needed = max(float((s / (c + s)).upper()) for s, c in zip(sums, counts, strict=True))
    t = flint.arb(min(1.0, 1.01 * max(needed, 0.0) + 1e-25))
    q = [(c - (1 - t) * s / t) / N for s, c in zip(sums, counts, strict=True)]
    if not all(x >= 0 for x in q):
        return []
    return [
        [(1 - t) * r + t * (x - (j == label)) for j, (r, x) in enumerate(zip(row, q, strict=True))]
        for row, label in zip(residuals, labels, strict=True)
    ]


# -- the way down ---------------------------------------------------------------------------------


def _descend(given: GivenPoint, at: EnclosedRisk) -> Descent | None:
    """The step (27) from a point where the certificate fails, if it certainly gains something.

    w is the direction that weights and features use least, u and v are the leading singular vectors
    of G; how far to go is found by halving.
    """
    G = np.array([[float(x.mid()) for x in row] for row in at.G.tolist()])
    V, _, U = np.linalg.svd(G, full_matrices=False)
    root = math.sqrt(given.weight_decay / given.feature_decay)
    stacked = np.concatenate([math.sqrt(root) * given.weights, given.features / math.sqrt(root)])
    w = np.linalg.svd(np.linalg.qr(stacked, mode="r"))[2][-1]
    u, v = U[0] / math.sqrt(root), -V[:, 0] * math.sqrt(root)
    curvature = at.second_derivative(u, v, w)
    if not curvature < 0:
        return None
    step_A, step_F = np.outer(u, w), np.outer(v, w)
    by_A = G.T @ given.features + given.weight_decay * given.weights
    by_F = G @ given.weights + given.feature_decay * given.features
    sign = -1.0 if (by_A * step_A).sum() + (by_F * step_F).sum() > 0 else 1.0
    size = sign * math.sqrt(2 * at.N * max(-float(curvature.mid()) / 2, 0.0))
    for _ in range(40):
        new = GivenPoint(
            given.features + size * step_F,
            given.labels,
            given.weights + size * step_A,
            given.bias,
            given.weight_decay,
            given.feature_decay,
            given.bias_decay,
            given.loss,
        )
        gain = at.risk - EnclosedRisk(new).risk
        if gain > at.risk * 2.0**-53:
            steps = new.features - given.features, new.weights - given.weights
            return Descent(_ends(curvature), float_below(gain), *steps)
        size /= 2
    return None
