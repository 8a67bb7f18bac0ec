"""Global minima of regularised cross-entropy over unconstrained features, in closed form and found.

    min  1/N sum -log softmax(A f_ki + b)_k + lambda_A/2 |A|^2 + lambda_F/2 |F|^2 + lambda_b/2 |b|^2

over features of dimension m, K classes of n samples. For m >= K - 1 the least risk is the entropy
of the probabilities theta = min(sqrt(n lambda_A lambda_F), 1/K) for each wrong class: a simplex for
K sqrt(n lambda_A lambda_F) < 1, and zero from there on (`review:remark-global-min-ce`). The bias is
zero, or any constant where lambda_b = 0. For m < K - 1 zero takes over at the same threshold; below
it no closed form is known, and `least_risk` gives the entropy as a lower bound.

`solve` knows none of this: it minimises the risk itself, from several starts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.errors import InputError
from ncbounds.theory.unconstrained import regularised_minimum as theory

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Minimum:
    """A global minimum: its risk and a point that has it.

    `phase` tells which side of the threshold; `exact` whether `risk` is the least risk or, for
    m < K - 1 below the threshold, a lower bound that no point attains (and the point is None).
    Features are (K n, m), class by class; weights (K, m); bias (K,).
    """

    risk: float
    phase: Literal["simplex", "zero"]
    strength: float
    exact: bool
    margin: float
    wrong_probability: float
    features: Floats | None
    weights: Floats | None
    bias: Floats | None


def regularised_minimum(K: int, n: int, m: int, lambda_A: float, lambda_F: float) -> Minimum:
    """The global minimum in closed form, for every lambda_b >= 0 and without bias alike.

    Parameters:
        K: classes, at least 2.
        n: samples of each class, at least 1.
        m: dimension of the features, at least 1.
        lambda_A, lambda_F: decay of weights and features, positive.

    Returns:
        The least risk, and a minimiser in the first K - 1 of the m dimensions. `strength` is
        K sqrt(n lambda_A lambda_F): the phase changes where it is 1.

    Raises:
        InputError: a parameter outside its domain.

    Source: review, end of Sec. 3.1.3, corrected.

    >>> found = regularised_minimum(3, 2, 2, 0.1, 0.05)
    >>> found.phase, round(found.risk, 6), round(found.margin, 6)
    ('simplex', 0.639032, 2.079442)
    >>> regularised_minimum(3, 2, 2, 1.0, 1.0).phase
    'zero'
    """
    check_model(K, n, m, lambda_A, lambda_F)
    xp = numpy_namespace()
    given: dict[str, Any] = {"K": K, "n": n, "lambda_A": lambda_A, "lambda_F": lambda_F}
    given = {name: np.float64(value) for name, value in given.items()}
    strength = float(K * math.sqrt(n * lambda_A * lambda_F))
    simplex = strength < 1
    exact = m >= K - 1 or not simplex
    features = weights = bias = None
    if exact:
        features, weights, bias = np.zeros((K * n, m)), np.zeros((K, m)), np.zeros(K)
        if simplex:
            F, A, _ = theory.minimiser(xp, K, n, np.array([lambda_A]), np.array([lambda_F]))
            features[:, : K - 1], weights[:, : K - 1] = F[0].reshape(K * n, K - 1), A[0]
    return Minimum(
        risk=float(theory.least_risk(xp, **given)),
        phase="simplex" if simplex else "zero",
        strength=strength,
        exact=exact,
        margin=float(theory.least_margin(xp, **given)),
        wrong_probability=float(theory.wrong_probability(xp, **given)),
        features=features,
        weights=weights,
        bias=bias,
    )


def check_model(K: int, n: int, m: int, lambda_A: float, lambda_F: float) -> None:
    """Raise InputError where the sizes or decays are none of a regularised model."""
    for name, size, least in (("K", K, 2), ("n", n, 1), ("m", m, 1)):
        if size != int(size) or size < least:
            raise InputError(name, size, f"an integer of at least {least}")
    for name, value in (("lambda_A", lambda_A), ("lambda_F", lambda_F)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(name, value, "positive and finite")


# -- the search -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Solution:
    """The best of several local searches: its risk, its point, and the largest gradient entry."""

    risk: float
    features: Floats
    weights: Floats
    bias: Floats
    gradient: float


def solve(
    counts: Iterable[int],
    m: int,
    lambda_A: float,
    lambda_F: float,
    lambda_b: float = 0.0,
    *,
    bias: bool = True,
    loss: Literal["cross-entropy", "square"] = "cross-entropy",
    starts: int = 4,
    seed: int = 0,
    collapsed: bool = True,
) -> Solution:
    """Minimise the regularised risk by L-BFGS and Newton steps on the parameters themselves.

    Parameters:
        counts: samples of each class; classes may differ.
        m: dimension of the features.
        lambda_A, lambda_F, lambda_b: decay of weights, features and bias; the last may be 0.
        bias: whether there is one.
        loss: the mean cross-entropy, or half the mean squared distance to the labels.
        starts: random starts; the best is kept. For m >= K there are no local minima but global
            ones (`review:eq-27`), so few are enough.
        seed: of the starts.
        collapsed: search over one feature a class, which by convexity loses nothing.

    Returns:
        The best point, features class by class.

    >>> found = solve([2, 2, 2], 3, 0.1, 0.05)
    >>> abs(found.risk - regularised_minimum(3, 2, 3, 0.1, 0.05).risk) < 1e-10
    True
    """
    sizes = np.array(list(counts), dtype=np.int64)
    check_model(len(sizes), int(sizes.min(initial=1)), m, lambda_A, lambda_F)
    if not (math.isfinite(lambda_b) and lambda_b >= 0):
        raise InputError("lambda_b", lambda_b, "at least 0 and finite")
    columns = np.ones(len(sizes)) if collapsed else np.ones(int(sizes.sum()))
    owner = np.arange(len(sizes)) if collapsed else np.repeat(np.arange(len(sizes)), sizes)
    if collapsed:
        columns = sizes.astype(np.float64)
    problem = _Problem(owner, columns, m, lambda_A, lambda_F, lambda_b, bias, loss)
    rng = np.random.default_rng(seed)
    best: Floats | None = None
    for _ in range(starts):
        place = problem.descend(rng.normal(size=problem.size))
        if best is None or problem.value(place)[0] < problem.value(best)[0]:
            best = place
    assert best is not None
    value, gradient = problem.value(best)
    F, A, b = problem.split(best)
    features = np.repeat(F, sizes, axis=0) if collapsed else F
    return Solution(value, features, A, b, float(np.abs(gradient).max()))


class _Problem:
    """The risk over columns of features that count `weight` times each."""

    def __init__(
        self,
        owner: NDArray[np.int64],
        weight: Floats,
        m: int,
        lambda_A: float,
        lambda_F: float,
        lambda_b: float,
        bias: bool,
        loss: str,
    ) -> None:
        self.K, self.m, self.columns = int(owner.max()) + 1, m, len(owner)
        self.Y = np.eye(self.K)[owner]
        self.weight, self.share = weight, weight / weight.sum()
        self.decays, self.bias, self.loss = (lambda_A, lambda_F, lambda_b), bias, loss
        self.size = (self.columns + self.K) * m + self.K

    def split(self, place: Floats) -> tuple[Floats, Floats, Floats]:
        """Features, weights and bias of a vector."""
        cut = self.columns * self.m
        F, A = place[:cut].reshape(self.columns, self.m), place[cut : -self.K]
        return F, A.reshape(self.K, self.m), place[-self.K :] * self.bias

    def value(self, place: Floats) -> tuple[float, Floats]:
        """Risk and gradient."""
        F, A, b = self.split(place)
        lambda_A, lambda_F, lambda_b = self.decays
        h = F @ A.T + b
        if self.loss == "square":
            residual = h - self.Y
            losses = (residual**2).sum(axis=1) / 2
        else:
            top = h.max(axis=1, keepdims=True)
            powers = np.exp(h - top)
            total = powers.sum(axis=1, keepdims=True)
            residual = powers / total - self.Y
            losses = (top + np.log(total))[:, 0] - (h * self.Y).sum(axis=1)
        heavy = self.weight[:, None]
        value = losses @ self.share + lambda_A / 2 * (A**2).sum()
        value += lambda_F / 2 * (heavy * F**2).sum() + lambda_b / 2 * (b**2).sum()
        G = residual * self.share[:, None]
        by_b = (G.sum(axis=0) + lambda_b * b) * self.bias
        parts = (G @ A + lambda_F * heavy * F).ravel(), (G.T @ F + lambda_A * A).ravel(), by_b
        return float(value), np.concatenate(parts)

    def descend(self, place: Floats) -> Floats:
        """A local minimum, polished by a few restarts of the search from where it ended."""
        options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-16, "gtol": 1e-12, "maxcor": 30}
        for _ in range(6):
            before = self.value(place)[0]
            search: Any = minimize
            found = search(self.value, place, jac=True, method="L-BFGS-B", options=options)
            place = np.asarray(found.x, dtype=np.float64)
            if before - self.value(place)[0] < 1e-15:
                break
        return place


# -- closed form against search -------------------------------------------------------------------

#: Classes, samples, dimensions, and strengths K sqrt(n lambda_A lambda_F) around the threshold.
GRID_K, GRID_n = (2, 3, 5), (1, 3)
GRID_STRENGTH = (0.01, 0.3, 0.9, 0.99, 1.0, 1.01, 1.5, 10.0)


@dataclass(frozen=True)
class Deviation:
    """Closed form and search at one place of the grid; `deviation` is search less closed form."""

    K: int
    n: int
    m: int
    strength: float
    lambda_b: float | None
    closed_form: float
    deviation: float


def deviations(
    classes: Iterable[int] = GRID_K,
    samples: Iterable[int] = GRID_n,
    strengths: Iterable[float] = GRID_STRENGTH,
    ratio: float = 5.0,
) -> list[Deviation]:
    """Set the search beside the closed form on a grid that straddles the threshold.

    For each K and n the dimensions K - 1 and K + 1, with lambda_A/lambda_F = `ratio`, without
    bias (lambda_b None), with a free one, and with one under decay.

    >>> max(abs(d.deviation) for d in deviations([2], [1], [0.3, 1.5])) < 1e-10
    True
    """
    table = []
    for K in classes:
        for n in samples:
            for strength in strengths:
                product = (strength / K) ** 2 / n
                decays = math.sqrt(product * ratio), math.sqrt(product / ratio)
                for m in (K - 1, K + 1):
                    closed = regularised_minimum(K, n, m, *decays).risk
                    for lambda_b in (None, 0.0, 0.1):
                        found = solve(
                            [n] * K, m, *decays, lambda_b or 0.0, bias=lambda_b is not None
                        )
                        off = found.risk - closed
                        table.append(Deviation(K, n, m, strength, lambda_b, closed, off))
    return table
