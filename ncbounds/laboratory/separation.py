"""Separation of least norm: closed forms, constructions, a numerical solver, and certificates.

The least ``(|A|^2 + |F|^2)/2`` of weights A (K, m) and features F (K, n, m) all of whose gaps
``<a_k - a_j, f_{k,i}>`` are at least 1 (`review:eq-15`). It is ``(K - 1) root n`` from K - 1
dimensions on and ``K root n`` at K = 2 m; there is none for m = 1, K >= 3. Elsewhere it is
enclosed: from below by the theorem in m dimensions, from above by a construction or by what the
solver finds, each certified in ball arithmetic.

>>> value = least_norm(5, 4, 3)
>>> round(value.lower, 9), round(value.upper, 9), value.source
(9.333333333, 9.788854382, 'opposite pairs and a simplex')
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.errors import InputError
from ncbounds.laboratory.enclosures import float_above, float_below, squared_norm_at_most
from ncbounds.theory.unconstrained import separation as theory
from ncbounds.theory.unconstrained.stationary_points import multiplier_matrix

Floats = NDArray[np.float64]

_BITS = 128
#: Restarts of the solver, and how much a polished solution may miss a constraint before scaling.
_STARTS, _TOLERANCE = 12, 1e-14


@dataclass(frozen=True)
class LeastNorm:
    """The least norm lies between the ends; `source` names what attains the upper one."""

    lower: float
    upper: float
    source: str

    @property
    def exact(self) -> bool:
        """Whether both ends are the closed form."""
        return self.lower == self.upper


@dataclass(frozen=True)
class Certificate:
    """A separation in balls: its margin, and its objective at margin 1 against a lower bound."""

    margin: float
    objective: float
    lower: float

    @property
    def gap(self) -> float:
        """How far, relatively, the objective is from the least, at most."""
        return self.objective / self.lower - 1


# -- closed forms and constructions ---------------------------------------------------------------


def least_norm(classes: int, samples: int, dimension: int) -> LeastNorm:
    """Enclose the least ``(|A|^2 + |F|^2)/2`` of a separation with margin 1.

    Raises
    ------
    InputError
        When there are fewer than 2 classes, or no sample or dimension.
    """
    _check(classes, samples, dimension)
    K, n, m = classes, samples, dimension
    if m == 1 and K > 2:
        return LeastNorm(math.inf, math.inf, "none: a line separates two classes")
    missing = max(K - 1 - m, 0)
    lower = math.sqrt(n) * (K - 1 + 2 * missing / max(K - 2, 1))
    if m >= K - 1:
        return LeastNorm(lower, lower, "simplex")
    if 2 * m == K:
        return LeastNorm(lower, lower, "cross-polytope")
    if 2 * m > K:
        upper = math.sqrt(n) * (K - 1 + math.sqrt(2 * (K - m) / K))
        return LeastNorm(lower, upper, "opposite pairs and a simplex")
    if m == 2:
        return LeastNorm(lower, math.sqrt(n) * K / (1 - math.cos(2 * math.pi / K)), "polygon")
    return LeastNorm(lower, math.inf, "no construction")


def construction(classes: int, samples: int, dimension: int) -> tuple[Floats, Floats]:
    """Weights (K, m) and features (K, n, m) with margin 1 that attain the upper end.

    A simplex for m >= K - 1; opposite pairs and a simplex of the others for K/2 <= m <= K - 2 (the
    cross-polytope at K = 2 m); a polygon for m = 2.
    """
    if not math.isfinite(least_norm(classes, samples, dimension).upper):
        at = f"K = {classes}, m = {dimension}"
        raise InputError("dimension", at, "2 m >= K, or m = 2", "solve() searches")
    K, n, m = classes, samples, dimension
    if m <= K - 2 and 2 * m >= K:
        a, f = theory.opposite_pairs(numpy_namespace(), np.ones(1), K, n, m)
        return np.asarray(a[0]), np.asarray(f[0])
    points = np.zeros((K, m))
    if m >= K - 1:
        for r in range(1, K):
            points[:r, r - 1] = 1 / math.sqrt(r * (r + 1))
            points[r, r - 1] = -r / math.sqrt(r * (r + 1))
    else:
        turns = 2 * np.pi * np.arange(K) / K
        points[:, :2] = np.stack([np.cos(turns), np.sin(turns)], axis=1)
        points /= math.sqrt(1 - math.cos(2 * math.pi / K))
    fourth = n**0.25
    return points * fourth, np.repeat(points[:, None, :] / fourth, n, axis=1)


def _check(classes: int, samples: int, dimension: int) -> None:
    for name, value, least in (
        ("classes", classes, 2),
        ("samples", samples, 1),
        ("dimension", dimension, 1),
    ):
        if value < least:
            raise InputError(name, value, f"an integer >= {least}")


# -- certificates ---------------------------------------------------------------------------------


def certify(weights: Floats, features: Floats) -> Certificate:
    """Judge weights (K, m) and features (K, n, m), taken as they are, in ball arithmetic.

    The objective is that of the point scaled to margin 1, rounded up; the lower bound holds for
    every separation in m dimensions, rounded down.

    Raises
    ------
    InputError
        When the shapes do not fit, or the point certainly or possibly does not separate.
    """
    a, f = np.asarray(weights, dtype=float), np.asarray(features, dtype=float)
    if a.ndim != 2 or f.ndim != 3 or f.shape[::2] != a.shape:
        raise InputError("features", f.shape, f"shape (K, n, m) for weights of {a.shape}")
    K, n, m = f.shape
    with balls.precision(_BITS):
        net = theory.separation(balls, balls.asarray(a[None]), balls.asarray(f[None]))
        q, product = net.q.data[0], (net.weights * net.features).data[0]
        if not q > 0:
            raise InputError("margin", str(q.str(6)), "certainly positive")
        lower = balls.ball(n).sqrt() * (K - 1)
        if K > 2:
            lower += balls.ball(n).sqrt() * balls.ball(2 * max(K - 1 - m, 0)) / (K - 2)
        objective = product.sqrt() / q
        return Certificate(
            margin=float_below(q),
            objective=float_above(objective),
            lower=float_below(lower),
        )


def certified_lower_bound(multipliers: Floats) -> float:
    """A lower bound on the least norm in any dimension, from multipliers (K, n, K-1) >= 0.

    ``sum(lambda)/|G|`` for the matrix G of `review:remark-kkt`, its norm enclosed by a Cholesky
    factorisation in balls; ``(K - 1) root n`` at the multipliers of the simplex, all equal.
    """
    lam = np.asarray(multipliers, dtype=float)
    if lam.ndim != 3 or lam.shape[2] != lam.shape[0] - 1:
        raise InputError("multipliers", lam.shape, "shape (K, n, K - 1)")
    if not (np.isfinite(lam).all() and (lam >= 0).all() and lam.any()):
        raise InputError("multipliers", float(lam.min()), "at least 0, finite, not all 0")
    K, n = lam.shape[:2]
    with balls.precision(_BITS):
        exact = balls.asarray(lam[None])
        G = balls.reshape(multiplier_matrix(balls, exact), (K * n, K))
        norm = squared_norm_at_most(G.data).sqrt()
        price = balls.sum(exact).data.item()
        return float_below(price / norm)


# -- the solver -----------------------------------------------------------------------------------


def solve(
    classes: int, samples: int, dimension: int, *, seed: int = 0, starts: int = _STARTS
) -> tuple[Floats, Floats]:
    """Search for a separation of least norm; returns weights (K, m) and features (K, n, m).

    A sequential quadratic program from random starts, over collapsed features: a class mean
    separates as well as its samples, with less norm. What it finds is scaled to margin 1 and
    promises nothing: `certify` does.
    """
    _check(classes, samples, dimension)
    K, n, m = classes, samples, dimension
    if m == 1 and K > 2:
        raise InputError("dimension", 1, "at least 2 for more than 2 classes")
    rng = np.random.default_rng(seed)
    best, least = None, math.inf
    for _ in range(starts):
        found = _program(K, m, rng.standard_normal(2 * K * m))
        if found is not None and float(found @ found) < least:
            best, least = found, float(found @ found)
    if best is None:
        raise InputError("starts", starts, "more of them: no start led to a separation")
    a, f = best[: K * m].reshape(K, m), best[K * m :].reshape(K, m)
    fourth = n**0.25
    return a * fourth, np.repeat(f[:, None, :] / fourth, n, axis=1)


def _program(K: int, m: int, start: Floats) -> Floats | None:
    """One run at n = 1, balanced and scaled to margin 1; None where nothing was separated."""
    k, j = np.nonzero(~np.eye(K, dtype=bool))
    rows = np.arange(len(k))

    def constraints(x: Floats) -> Floats:
        a, f = x[: K * m].reshape(K, m), x[K * m :].reshape(K, m)
        return np.asarray(np.einsum("im,im->i", a[k] - a[j], f[k]) - 1)

    def jacobian(x: Floats) -> Floats:
        a, f = x[: K * m].reshape(K, m), x[K * m :].reshape(K, m)
        of_a, of_f = np.zeros((len(k), K, m)), np.zeros((len(k), K, m))
        of_a[rows, k], of_a[rows, j], of_f[rows, k] = f[k], -f[k], a[k] - a[j]
        return np.concatenate([of_a.reshape(len(k), -1), of_f.reshape(len(k), -1)], axis=1)

    limits: Any = {"type": "ineq", "fun": constraints, "jac": jacobian}

    def objective(x: Floats) -> float:
        return float(x @ x) / 2

    def slope(x: Floats) -> Floats:
        return x

    result = minimize(
        objective,
        start * 2,
        jac=slope,
        method="SLSQP",
        constraints=limits,
        options={"maxiter": 300, "ftol": _TOLERANCE},
    )
    x = np.asarray(result.x)
    least = float(constraints(x).min()) + 1
    if not math.isfinite(least) or least <= 1e-6:
        return None
    a, f = x[: K * m] - np.tile(x[: K * m].reshape(K, m).mean(axis=0), K), x[K * m :]
    ratio = math.sqrt(float(np.linalg.norm(f) / np.linalg.norm(a)) / least)
    return np.concatenate([a * ratio, f / (ratio * least)])


def largest_deviation(cases: list[tuple[int, int, int]], *, seed: int = 0) -> float:
    """Largest relative difference of the solver's objective and the closed form, where exact."""
    xp = numpy_namespace()
    worst = 0.0
    for K, n, m in cases:
        value = least_norm(K, n, m)
        a, f = solve(K, n, m, seed=seed)
        net = theory.separation(xp, a[None], f[None])
        found = float(net.objective[0] / net.q[0])
        worst = max(worst, abs(found / value.upper - 1))
    return worst
