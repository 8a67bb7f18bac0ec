"""Locally elastic dynamics to experiment with: spectra, class means, features, separation.

Two models of `review`, 3.2: *residual*, logits as features with the transformation of (46), and
*common*, one symmetric transformation T for all pairs of classes. For each the class means in
closed form (`residual_means`, `common_means`), integrated with error control (`integrate`), and
whole features by Euler-Maruyama (`simulate`). `spectrum` is exact for every K; `separated` decides
(44) by linear programming, and `separation_probability` is what Gaussian noise gives along one
direction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

import flint
import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.errors import InputError
from ncbounds.theory.elasticity import class_means, separation
from ncbounds.theory.elasticity.transformation import (
    coordinates,
    residual_directions,
    transformed,
)

Array = npt.NDArray[np.float64]
Impact = float | Callable[[float], float]
Drive = Literal["means", "own"]


# -- the spectrum ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Eigenvalue:
    """An exact eigenvalue with its multiplicity."""

    value: Fraction
    multiplicity: int


def spectrum(K: int, alpha: Fraction, beta: Fraction, m: int | None = None) -> list[Eigenvalue]:
    """Return the eigenvalues of ``(E x 11^T) . T`` of (46), exactly, the largest first.

    Equal ones are put together. `m` is the dimension of the features, K without it. Source:
    `review:remark-spectrum`, which proves it.

    Raises
    ------
    InputError
        When K < 2 or m < K.

    Examples
    --------
    >>> [(str(e.value), e.multiplicity) for e in spectrum(3, Fraction(1), Fraction(-1))]
    [('2', 1), ('1/2', 2), ('0', 6)]
    """
    m = _dimension(K, m)
    cosine = Fraction(m - 2 * K, K * K - 2 * K + m)
    found: dict[Fraction, int] = {}
    for value, times in (
        (alpha + (K - 1) * cosine * beta, 1),
        (alpha - cosine * beta, K - 1),
        (Fraction(0), (m - 1) * K),
    ):
        found[value] = found.get(value, 0) + times
    return [Eigenvalue(value, found[value]) for value in sorted(found, reverse=True)]


def spectrum_is_exact(K: int, alpha: Fraction, beta: Fraction, m: int | None = None) -> bool:
    """Compare `spectrum` with the characteristic polynomial of the whole matrix, in fractions."""
    m = _dimension(K, m)
    d = [[Fraction(int(i == j)) - Fraction(1, K) for i in range(m)] for j in range(K)]
    square = sum(x * x for x in d[0])
    entries = [
        [
            _rational((alpha if k == j else beta) * d[j][p] * d[j][q] / square)
            for j in range(K)
            for q in range(m)
        ]
        for k in range(K)
        for p in range(m)
    ]
    x, product = flint.fmpq_poly([0, 1]), flint.fmpq_poly([1])
    for each in spectrum(K, alpha, beta, m):
        product *= (x - _rational(each.value)) ** each.multiplicity
    return bool(flint.fmpq_mat(entries).charpoly() == product)


def _rational(value: Fraction) -> Any:
    return flint.fmpq(value.numerator, value.denominator)


def _dimension(K: int, m: int | None) -> int:
    if K < 2:
        raise InputError("K", K, "an integer >= 2")
    if m is not None and m < K:
        raise InputError("m", m, f"an integer >= K = {K}")
    return K if m is None else m


# -- class means ----------------------------------------------------------------------------------


def residual_means(start: Array, alpha: float, beta: float, times: Sequence[float]) -> Array:
    """Return the class means of (47) at the given times, (len(times), K, K), in closed form.

    `start` (K, K) has the class means at time 0 as rows. Unlike (47) it holds for all impacts:
    where alpha + beta/(K-1) vanishes, features grow linearly.
    """
    start = _means(start, square=True)
    xp, K = numpy_namespace(), len(start)
    _, simplex, u = class_means.parts(xp, start[None], np.array([alpha]), np.array([beta]))
    first, second = alpha - beta, alpha + beta / (K - 1)
    rows = [
        start + simplex[0] * np.expm1(first * t / K) + u[0] * _grown(second, t / K) for t in times
    ]
    return np.stack(rows)


def _grown(rate: float, time: float) -> float:
    """(e^(rate time) - 1)/rate, and time where the rate is 0."""
    return time if rate == 0 else math.expm1(rate * time) / rate


def common_means(
    start: Array, T: Array, alpha: float, beta: float, times: Sequence[float]
) -> Array:
    """Return class means (len(times), K, m) for one symmetric T (m, m) and constant impacts."""
    start, T = _means(start), _symmetric(T)
    values, vectors = np.linalg.eigh(T)
    xp, turned = numpy_namespace(), start @ vectors
    rows = [
        separation.class_means(
            xp, turned[None], values[None], np.array([alpha * t]), np.array([beta * t])
        )[0][0]
        @ vectors.T
        for t in times
    ]
    return np.stack(rows)


def drift(means: Array, alpha: float, beta: float, T: Array | None = None) -> Array:
    """Return B times class means (..., K, m); without T that of (46), features in R^m, m >= K."""
    K = means.shape[-2]
    if T is not None:
        pulled = (alpha - beta) * means + beta * means.sum(axis=-2, keepdims=True)
        return np.asarray(pulled @ T / K)
    rows = means.reshape(-1, *means.shape[-2:])
    impacts = (np.full(len(rows), alpha), np.full(len(rows), beta))
    moved = np.asarray(transformed(numpy_namespace(), rows, *impacts))
    return np.asarray(moved.reshape(means.shape) / K)


def integrate(
    start: Array,
    alpha: Impact,
    beta: Impact,
    times: Sequence[float],
    T: Array | None = None,
    tolerance: float = 1e-11,
) -> Array:
    """Integrate the LE-ODE (43) from `start` (K, m) at times[0]; (len(times), K, m).

    An impact is a number or a function of time. Without T the transformation is that of (46). An
    explicit Runge-Kutta method of order 8 keeps its relative error per step below `tolerance`.

    Raises
    ------
    InputError
        When the times do not increase, or the solution overflows.
    """
    from scipy.integrate import solve_ivp

    start, grid = _means(start), np.asarray(times, dtype=np.float64)
    if len(grid) < 2 or not (np.diff(grid) > 0).all():
        raise InputError("times", list(times), "at least two, increasing")

    def rate(t: float, flat: Array) -> Array:
        return drift(flat.reshape(start.shape), _at(alpha, t), _at(beta, t), T).ravel()

    found = solve_ivp(
        rate,
        (grid[0], grid[-1]),
        start.ravel(),
        method="DOP853",
        t_eval=grid,
        rtol=tolerance,
        atol=tolerance * max(1.0, float(np.abs(start).max())),
    )
    if not found.success:
        raise InputError("times", list(times), "such that the class means stay finite")
    return np.asarray(found.y.T.reshape(len(grid), *start.shape))


def _at(impact: Impact, t: float) -> float:
    return impact(t) if callable(impact) else impact


@dataclass(frozen=True)
class Alignment:
    """Class means beside a simplex ETF: see `alignment`."""

    cosine: float
    tau: float
    gram: float


def alignment(means: Array) -> Alignment:
    """Tell how class means (K, K) are aligned with the simplex d of residual directions.

    `cosine` is that of the two as vectors in R^(K K): 1 at d, -1 at -d, where every class mean is
    classified wrongly. `tau` is the mean of the coordinates. `gram` is the largest deviation of a
    cosine of two centred class means from -1/(K-1), whatever the orientation.
    """
    means = _means(means, square=True)
    K, xp = len(means), numpy_namespace()
    d = np.asarray(residual_directions(xp, means[None]))[0]
    inner, size = float((d * means).sum()), float(np.linalg.norm(means) * np.linalg.norm(d))
    centred = means - means.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    others = (unit @ unit.T)[~np.eye(K, dtype=bool)]
    return Alignment(
        cosine=inner / size,
        tau=float(np.mean(coordinates(xp, means[None])[0])),
        gram=float(np.abs(others + 1 / (K - 1)).max()),
    )


# -- features -------------------------------------------------------------------------------------


def simulate(
    start: Array,
    alpha: Impact,
    beta: Impact,
    times: Sequence[float],
    *,
    samples: int,
    noise: float,
    seed: int,
    T: Array | None = None,
    drive: Drive = "means",
    steps: int = 200,
) -> Array:
    """Simulate the LE-SDE (42) by Euler-Maruyama: features (len(times), K, samples, m).

    All samples begin at the class means `start` (K, m) and get independent noise of that standard
    deviation per root of time. They are driven by the mean over the noise, as in (42), or each by
    its own features. There are `steps` steps between any two of the times.
    """
    start, grid = _means(start), np.asarray(times, dtype=np.float64)
    if drive not in ("means", "own"):
        raise InputError("drive", drive, "means or own")
    rng = np.random.default_rng(seed)
    f = np.repeat(start[None], samples, axis=0)  # (samples, K, m): representatives of all classes
    means, rows = start, [f]
    for begin, end in pairwise(grid):
        step = (end - begin) / steps
        for s in range(steps):
            t = begin + s * step
            impacts = (_at(alpha, t), _at(beta, t))
            moved = drift(f if drive == "own" else means, *impacts, T)
            f = f + step * moved + noise * math.sqrt(step) * rng.standard_normal(f.shape)
            means = means + step * drift(means, *impacts, T)
        rows.append(f)
    return np.stack(rows).swapaxes(1, 2)


def variability(features: Array) -> float:
    """Trace of the covariance within classes over that between them, for features (K, n, m)."""
    means = features.mean(axis=1)
    within = float(((features - means[:, None]) ** 2).sum(axis=-1).mean())
    return within / float(((means - means.mean(axis=0)) ** 2).sum(axis=-1).mean())


# -- separation -----------------------------------------------------------------------------------


def separated(x: Array, y: Array) -> bool:
    """Decide (44) for the rows of x (n, m) and y (n', m): whether any direction separates them.

    By linear programming: a v with <v, x_i> - b >= 1 and <v, y_j> - b <= -1 for some b.
    """
    from scipy.optimize import linprog

    rows = np.vstack([np.hstack([-x, np.ones((len(x), 1))]), np.hstack([y, -np.ones((len(y), 1))])])
    scale = float(np.abs(rows[:, :-1]).max()) or 1.0
    rows[:, :-1] /= scale
    found = linprog(
        np.zeros(rows.shape[1]), A_ub=rows, b_ub=-np.ones(len(rows)), bounds=(None, None)
    )
    return bool(found.status == 0)


def separation_probability(signal: float, n: int) -> float:
    """Probability that (44) holds along the difference of two class means.

    `signal` is the distance of the class means over the standard deviation of the noise, and n the
    number of samples of each class, all independent and Gaussian. It is at least ``1 - n
    exp(-signal^2/8)``; a direction chosen in hindsight may separate more often.
    """
    from scipy.special import ndtr

    if n < 1:
        raise InputError("n", n, "an integer >= 1")
    # The largest of n standard normal numbers is at u, and all of the others are beyond.
    u, step = np.linspace(-9.0, 9.0, 3601, retstep=True)
    last = n * np.exp(-u * u / 2) / math.sqrt(2 * math.pi) * ndtr(u) ** (n - 1)
    return float(np.sum(last * ndtr(signal - u) ** n) * step)


def largest_separation_rate(n: int, m: int, signal: float = 0.0) -> float:
    """Upper bound on the probability that any direction of R^m separates two classes of n.

    For classes that are alike, or `signal` standard deviations apart: see
    `theory.elasticity.separation.largest_probability`, on which the counterexample of
    `review:remark-separation` rests.
    """
    most = separation.largest_probability(numpy_namespace(), float(signal) ** 2, n, m)
    return min(1.0, float(most))


def separation_threshold(K: int, eigenvalue: float = 1.0) -> float:
    """Return K/(2 lambda): where t (alpha_t - beta_t) begins to separate classes."""
    return float(separation.separation_threshold(numpy_namespace(), eigenvalue=eigenvalue, K=K))


def signal_at(gamma: float, K: int, t: float, signal: float, eigenvalue: float = 1.0) -> float:
    """Distance of class means over noise at time t for alpha - beta = gamma/t, given at time 1."""
    return float(signal * t ** (eigenvalue * gamma / K - 0.5))


def separation_rate(
    gamma: float, K: int, t: float, signal: float, *, n: int, m: int, trials: int, seed: int
) -> float:
    """Return the share of trials in which some direction separates two classes at time t.

    T = I, alpha - beta = gamma/t from time 1 on; class means `signal` standard deviations apart at
    time 1. Features at time t are drawn as they are distributed, with no step in between.
    """
    rng = np.random.default_rng(seed)
    far = np.zeros(m)
    far[0] = signal_at(gamma, K, t, signal)
    found = 0
    for _ in range(trials):
        x, y = rng.standard_normal((2, n, m))
        x = x + far
        # The line through the means often does it, and costs less to try.
        found += bool(x[:, 0].min() > y[:, 0].max()) or separated(x, y)
    return found / trials


# -- the door -------------------------------------------------------------------------------------


def _means(start: Array, square: bool = False) -> Array:
    found = np.asarray(start, dtype=np.float64)
    if found.ndim != 2 or len(found) < 2 or not np.isfinite(found).all():
        raise InputError("start", found.shape, "finite class means (K, m), K >= 2")
    if square and found.shape[0] != found.shape[1]:
        raise InputError("start", found.shape, "class means (K, K): logits as features")
    return found


def _symmetric(T: Array) -> Array:
    found = np.asarray(T, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not np.allclose(found, found.T):
        raise InputError("T", found.shape, "a symmetric matrix (m, m)")
    return found
