r"""The regularised square loss of free features and linear layers, solved in closed form.

``1/(2N) |A_L ... A_1 F + b 1^T - Y|^2 + sum of decay/2 |factor|^2`` with M = L + 1 factors, any
widths and class sizes. By singular values of the outputs it falls apart into problems of one
number each, ``(s - z)^2/(2N) + (M/2) Lambda^(1/M) z^(2/M)``, s a singular value of what is to be
fitted: a threshold on each direction of the labels, steady for two factors and with a jump for
more. `least` gives the minimum, a minimiser, and the thresholds; `solve` finds it numerically.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.errors import InputError

Array = npt.NDArray[np.float64]

#: Largest relative difference of two decay ratios that counts as a tie.
_TIE = 1e-12


@dataclass(frozen=True)
class SquareModel:
    """The problem: class sizes, widths, weight decays of the factors and of the bias.

    `widths` are those of the layers from the features up to the last: one number is the number of
    features of a single layer. `decays` belong to the features, then to A_1 ... A_L, one more than
    widths. `bias_decay` None is a model without bias, 0 a free bias.
    """

    class_sizes: tuple[int, ...]
    widths: tuple[int, ...]
    decays: tuple[float, ...]
    bias_decay: float | None = None

    def __post_init__(self) -> None:
        if len(self.class_sizes) < 2 or any(size < 1 for size in self.class_sizes):
            raise InputError("class_sizes", self.class_sizes, "two classes or more, none empty")
        if not self.widths or any(width < 1 for width in self.widths):
            raise InputError("widths", self.widths, "one positive width a layer, at least one")
        if len(self.decays) != len(self.widths) + 1:
            raise InputError("decays", self.decays, f"{len(self.widths) + 1}: features and layers")
        if not all(decay > 0 and math.isfinite(decay) for decay in self.decays):
            raise InputError("decays", self.decays, "positive numbers")
        bias = self.bias_decay
        if bias is not None and not (bias >= 0 and math.isfinite(bias)):
            raise InputError("bias_decay", bias, "None, or a number >= 0")
        if bias and len(set(self.class_sizes)) > 1:
            raise InputError(
                "bias_decay", bias, "None or 0 for classes of unequal sizes", "no closed form"
            )

    @property
    def samples(self) -> int:
        """N, the number of all samples."""
        return sum(self.class_sizes)

    @property
    def factors(self) -> int:
        """M, the number of factors, features included."""
        return len(self.decays)

    @property
    def rank(self) -> int:
        """The largest rank of the outputs that the widths allow."""
        return min(*self.widths, len(self.class_sizes))

    @property
    def one_hot(self) -> Array:
        """Y, (K, N)."""
        K = len(self.class_sizes)
        return np.repeat(np.eye(K), self.class_sizes, axis=1)


@dataclass(frozen=True)
class Direction:
    """One direction of the labels: how much of it is kept, and from which ratio none is.

    `ratio` is ``kappa = N Lambda^(1/M) s^(2/M - 2)`` over its `weight`; it is kept below
    `threshold`, and at most `rank` of them are.
    """

    name: str
    singular_value: float
    weight: float
    ratio: float
    threshold: float
    kept: float


@dataclass(frozen=True)
class Minimum:
    """The least risk, the directions with their thresholds, and a minimiser.

    `weights` are A_1 ... A_L, each (out, in), `features` (m, N). `proved` is False where the value
    is known from numerical solutions only: a penalised bias under more than two factors with its
    mean direction kept.
    """

    value: float
    directions: tuple[Direction, ...]
    weights: tuple[Array, ...]
    features: Array
    bias: Array | None
    proved: bool

    @property
    def phase(self) -> str:
        """What is kept: "zero", "some directions" or "all directions"."""
        kept = sum(direction.kept > 0 for direction in self.directions)
        if kept == 0:
            return "zero"
        return "all directions" if kept == len(self.directions) else "some directions"


def threshold(factors: int) -> float:
    """The ratio kappa from which nothing of a direction is kept: 1 for two factors.

    ``((M-2)/(M-1))^((M-2)/M)/(M-1)``, `review:eq-36`.

    Examples
    --------
    >>> threshold(2)
    1.0
    >>> round(threshold(3) ** 3, 12)  # 1/16
    0.0625
    """
    if factors < 2:
        raise InputError("factors", factors, "an integer >= 2")
    kept = (factors - 2) / (factors - 1)
    return float(kept ** ((factors - 2) / factors)) / (factors - 1)


def kept_share(ratio: float, factors: int) -> float:
    """The share x of a direction that the minimiser keeps: ``x^((M-2)/M) (1-x) = kappa``, or 0.

    At the threshold itself both the larger solution and 0 are minima, and the larger is given.

    Examples
    --------
    >>> kept_share(0.25, 2), kept_share(1.5, 2)
    (0.75, 0.0)
    """
    if not ratio <= threshold(factors) * (1 + _TIE):
        return 0.0
    if factors == 2:
        return max(1 - ratio, 0.0)
    power, low = (factors - 2) / factors, (factors - 2) / (factors - 1)
    x = 1.0  # concave and falling from `low` to 1, so Newton's steps from 1 come down to the root
    for _ in range(100):
        value = x**power * (1 - x) - ratio
        slope = power * x ** (power - 1) * (1 - x) - x**power
        step = value / slope if slope else 0.0
        x = min(max(x - step, low), 1.0)
        if abs(step) < 1e-16:
            break
    return x


def cost(kept: float, ratio: float, factors: int) -> float:
    """``(1-x)^2 + M kappa x^(2/M)``: what a direction costs, 1 where it is given up."""
    return float((1 - kept) ** 2 + factors * ratio * kept ** (2 / factors))


def least(model: SquareModel) -> Minimum:
    """Solve a model in closed form.

    Parameters
    ----------
    model
        Class sizes, widths and decays.

    Returns
    -------
    Minimum
        Value, directions with thresholds, and a minimiser. Where directions tie for the last
        place that the widths leave, the first in order are kept.

    Examples
    --------
    >>> found = least(SquareModel((4, 4, 4), (5,), (0.02, 0.02)))
    >>> round(found.value, 12), found.phase
    (0.1128, 'all directions')
    """
    left, values, right, weights, names = _label_directions(model)
    N, M = model.samples, model.factors
    scale = math.prod(model.decays) ** (1 / M)
    found, gains = [], []
    for name, s, weight in zip(names, values, weights, strict=True):
        ratio = N * scale * s ** (2 / M - 2) / weight if weight else math.inf
        kept = kept_share(ratio, M) if weight else 0.0
        found.append(Direction(name, s, weight, ratio, threshold(M), kept))
        gains.append(weight * s * s / (2 * N) * (1 - cost(kept, ratio, M)) if kept else 0.0)
    order = sorted(range(len(found)), key=lambda i: (-gains[i], i))[: model.rank]
    directions = tuple(
        d if i in order else Direction(d.name, d.singular_value, d.weight, d.ratio, d.threshold, 0)
        for i, d in enumerate(found)
    )
    whole = sum(d.weight * d.singular_value**2 for d in directions) / (2 * N)
    value = float(whole - sum(gains[i] for i in order))
    chosen = [i for i in order if found[i].kept > 0]
    layers, features = _factors(model, left, right, values, directions, chosen)
    proved = M == 2 or not model.bias_decay or directions[-1].kept == 0
    bias = _best_bias(model, layers, features)
    return Minimum(value, directions, layers, features, bias, proved)


def _label_directions(
    model: SquareModel,
) -> tuple[Array, list[float], Array, list[float], list[str]]:
    """Singular vectors and values of what is fitted, the weights of their errors, and names.

    A free bias fits the mean, and centred labels are left; a penalised one leaves a share of the
    mean, which comes last.
    """
    K, Y = len(model.class_sizes), model.one_hot
    if model.bias_decay is None:
        sizes = np.array(model.class_sizes, dtype=np.float64)
        right = (Y / np.sqrt(sizes)[:, None]).T
        return np.eye(K), list(np.sqrt(sizes)), right, [1.0] * K, [f"class {k}" for k in range(K)]
    if len(set(model.class_sizes)) == 1:
        basis = _helmert(K)
        left = np.concatenate([basis, np.full((K, 1), K**-0.5)], axis=1)
        values = [math.sqrt(model.class_sizes[0])] * K
        right = Y.T @ left / values[0]
        share = model.bias_decay / (1 + model.bias_decay)
        names = [f"contrast {j + 1}" for j in range(K - 1)] + ["mean"]
        return left, values, right, [1.0] * (K - 1) + [share], names
    centred = Y - Y.mean(axis=1, keepdims=True)
    left, found, right = np.linalg.svd(centred, full_matrices=False)
    names = [f"contrast {j + 1}" for j in range(K - 1)]
    return left[:, :-1], [float(s) for s in found[:-1]], right[:-1].T, [1.0] * (K - 1), names


def _helmert(K: int) -> Array:
    """Orthonormal columns orthogonal to the constant one, (K, K - 1)."""
    columns = np.zeros((K, K - 1))
    for j in range(1, K):
        columns[:j, j - 1], columns[j, j - 1] = 1.0, -j
        columns[:, j - 1] /= math.sqrt(j * (j + 1))
    return columns


def _factors(
    model: SquareModel,
    left: Array,
    right: Array,
    values: Sequence[float],
    directions: Sequence[Direction],
    chosen: Sequence[int],
) -> tuple[tuple[Array, ...], Array]:
    """Factors of the outputs ``sum x_i s_i u_i v_i^T``, balanced: decay times square is one."""
    outputs = np.array([directions[i].kept * values[i] for i in chosen])
    level = (outputs**2 * math.prod(model.decays)) ** (1 / model.factors)

    def diagonal(decay: float, rows: int, columns: int) -> Array:
        matrix = np.zeros((rows, columns))
        matrix[: len(chosen), : len(chosen)] = np.diag(np.sqrt(level / decay))
        return matrix

    widths, K = model.widths, len(model.class_sizes)
    features = diagonal(model.decays[0], widths[0], len(chosen)) @ right[:, chosen].T
    layers = [
        diagonal(decay, rows, columns)
        for decay, rows, columns in zip(model.decays[1:-1], widths[1:], widths[:-1], strict=True)
    ]
    last = left[:, chosen] @ diagonal(model.decays[-1], len(chosen), widths[-1])
    return (*layers, last.reshape(K, widths[-1])), features


def _outputs(weights: Sequence[Array], features: Array) -> Array:
    found = features
    for layer in weights:
        found = layer @ found
    return found


def _best_bias(model: SquareModel, weights: Sequence[Array], features: Array) -> Array | None:
    if model.bias_decay is None:
        return None
    rest = (model.one_hot - _outputs(weights, features)).mean(axis=1)
    return np.asarray(rest / (1 + model.bias_decay))


def risk(
    model: SquareModel, weights: Sequence[Array], features: Array, bias: Array | None = None
) -> float:
    """The regularised risk of given factors, features (m, N) and bias (K,)."""
    off = _outputs(weights, features) - model.one_hot
    if bias is not None:
        off = off + bias[:, None]
    total = float(np.sum(off * off)) / (2 * model.samples)
    for decay, factor in zip(model.decays, (features, *weights), strict=True):
        total += decay / 2 * float(np.sum(factor * factor))
    if bias is not None and model.bias_decay:
        total += model.bias_decay / 2 * float(np.sum(bias * bias))
    return total


# -- numerical solution ---------------------------------------------------------------------------


def solve(model: SquareModel, *, starts: int = 12, seed: int = 0) -> tuple[float, Array]:
    """The least risk that descent from random starts finds, and the mean outputs there (K, K).

    Knows nothing of the closed form: L-BFGS over all entries of all factors, the best of `starts`
    with different scales, and of zero. The bias is minimised over exactly.
    """
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    K, N = len(model.class_sizes), model.samples
    shapes = [(model.widths[0], N), *zip((*model.widths[1:], K), model.widths, strict=True)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    Y, decays = model.one_hot, model.decays
    share = None if model.bias_decay is None else 1 / (1 + model.bias_decay)

    def unpack(point: Array) -> list[Array]:
        parts = np.split(point, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def objective(point: Array) -> tuple[float, Array]:
        factors = unpack(point)
        below = [factors[0]]
        for factor in factors[1:]:
            below.append(factor @ below[-1])
        off = below[-1] - Y
        mean = off.mean(axis=1, keepdims=True)
        value = float(np.sum(off * off)) / (2 * N)
        if share is not None:  # at the best bias, a share of the mean residual is gone
            value -= share / 2 * float(np.sum(mean * mean))
            off = off - share * mean
        value += sum(d / 2 * float(np.sum(f * f)) for d, f in zip(decays, factors, strict=True))
        back, slopes = off / N, [np.empty(0)] * len(factors)
        for i in range(len(factors) - 1, 0, -1):
            slopes[i] = back @ below[i - 1].T + decays[i] * factors[i]
            back = factors[i].T @ back
        slopes[0] = back + decays[0] * factors[0]
        return value, np.concatenate([s.ravel() for s in slopes])

    best_value, best_point = objective(np.zeros(ends[-1]))[0], np.zeros(ends[-1])
    options: Any = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 0.0, "gtol": 1e-11, "maxcor": 30}
    for start in range(starts):
        scale = (0.5, 1.0, 2.0)[start % 3]
        point = scale * rng.standard_normal(int(ends[-1]))
        found = minimize(objective, point, jac=True, method="L-BFGS-B", options=options)
        if float(found.fun) < best_value:
            best_value, best_point = float(found.fun), np.asarray(found.x)
    factors = unpack(best_point)
    means = _outputs(factors[1:], factors[0]) @ Y.T / np.array(model.class_sizes)
    return best_value, means


def straddling_models() -> list[SquareModel]:
    """Small models on both sides of every threshold, and on some: the grid of the comparison."""
    found = []
    for K, n, depth in ((2, 1, 1), (3, 2, 1), (4, 1, 1), (2, 2, 2), (3, 1, 2), (2, 1, 3)):
        M = depth + 1
        for width in sorted({1, K - 1, K, K + 1}):
            for relative in (0.3, 0.9, 0.999, 1.0, 1.001, 1.5):
                decay = _even_decay(threshold(M) * relative, K, n, M)
                found.append(SquareModel((n,) * K, (width,) * depth, (decay,) * M))
                found.append(SquareModel((n,) * K, (width,) * depth, (decay,) * M, 0.0))
    for bias in (0.05, 0.5, 1.0, 5.0):  # the mean direction goes at rho = bias/(1 + bias)
        edge = bias / (1 + bias)
        for rho in (0.5 * edge, 0.999 * edge, 1.001 * edge, (1 + edge) / 2, 1.1):
            for width in (2, 3, 4):
                decay = _even_decay(rho, 3, 2, 2)
                found.append(SquareModel((2, 2, 2), (width,), (decay / 2, 2 * decay), bias))
    for sizes in ((5, 2, 1), (3, 3, 1), (7, 1)):
        N = sum(sizes)
        for size in sorted(set(sizes)):
            for relative in (0.9, 1.0, 1.1):  # a class goes at n_k = N^2 lambda_A lambda_F
                decay = math.sqrt(size) / N * relative
                for width in (1, len(sizes)):
                    found.append(SquareModel(sizes, (width,), (decay / 2, 2 * decay)))
                    found.append(SquareModel(sizes, (width,), (decay, decay), 0.0))
    return found


def _even_decay(ratio: float, K: int, n: int, M: int) -> float:
    """The common decay of all M factors that gives balanced classes a decay ratio."""
    return ratio / (K * math.pow(n, 1 / M))


def largest_deviation(models: Sequence[SquareModel], *, starts: int = 12) -> tuple[float, int]:
    """Largest difference of closed form and numerical solution over models, and where it is.

    Compared are the least risk, the risk of the minimiser given, and that of `solve`.
    """
    worst, place = 0.0, 0
    for i, model in enumerate(models):
        exact = least(model)
        given = risk(model, exact.weights, exact.features, exact.bias)
        numerical, _ = solve(model, starts=starts)
        off = max(abs(exact.value - given), abs(exact.value - numerical))
        if off > worst:
            worst, place = off, i
    return worst, place
