r"""The gradient flow of the square error on unconstrained features: integrated, and in closed form.

Features F (K, n, m), weights A (K, m) and biases b (K,) run by minus the gradient of ``1/2 |A F +
b 1^T - Y|^2`` (`review:eq-16`); with `mean`, of that over N, which is the same path N times slower
(`review:eq-56`). Beside the integrator stand the two cases that are known exactly: the flow without
the product A F (`review:eq-19`) and the flow on the subspace of copies (`review:eq-20`). What the
flow conserves, ``A^T A - F F^T``, and a second integration with a finer tolerance say how far the
numbers can be trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.errors import InputError
from ncbounds.theory.unconstrained.linear_flow import operator, solution
from ncbounds.theory.unconstrained.square_flow import squared_singular_value
from ncbounds.theory.unconstrained.square_model import (
    gradients,
    imbalance,
    pair,
    projections,
    risk,
    strong_errors,
)

Array = npt.NDArray[np.float64]
_FINER = 1e-2


@dataclass(frozen=True)
class Path:
    """States at the times: features (T, K, n, m), weights (T, K, m), biases (T, K).

    `drift` is the largest change of ``A^T A - F F^T``, which the flow conserves, over the largest
    squared norm of (F, A) (nan for a path that is none of the flow itself); `uncertainty` the
    largest relative distance from an integration with a tolerance a hundred times finer (nan
    where none was asked for, zero for a closed form).
    """

    times: Array
    features: Array
    weights: Array
    biases: Array
    drift: float
    uncertainty: float

    @property
    def errors(self) -> tuple[Array, Array, Array]:
        """The errors of SNC1, SNC2 and SNC3 of `review:eq-17`, (T,) each."""
        xp = numpy_namespace()
        one, two, three = strong_errors(xp, self.features, self.weights, self.biases)
        return one, two, three

    @property
    def risks(self) -> Array:
        """Half the square error at each time, (T,)."""
        found: Array = risk(numpy_namespace(), self.features, self.weights, self.biases)
        return found


def gradient_flow(
    features: Any,
    weights: Any,
    biases: Any = None,
    *,
    times: Any,
    mean: bool = False,
    tolerance: float = 1e-10,
    checked: bool = False,
) -> Path:
    """Integrate the gradient flow from a point, by the Runge-Kutta method of order 8.

    Parameters
    ----------
    features, weights, biases
        The start, shapes (K, n, m), (K, m) and (K,); the biases are zero without them.
    times
        Increasing, not negative: where the states are wanted.
    mean
        Whether the risk is the mean squared error: the square error over N.
    tolerance
        Of the integrator, relative and (times the size of the start) absolute.
    checked
        Whether to integrate once more, a hundred times finer, for `Path.uncertainty`.

    Raises
    ------
    InputError
        For shapes that do not fit, entries that are not finite, or times that do not increase.

    Examples
    --------
    >>> start = subspace_start([[1.0, 0.0], [0.0, 0.0]], samples=3)
    >>> path = gradient_flow(*start, times=[0.0, 8.0])
    >>> all(error[-1] < 1e-9 for error in path.errors)
    True
    """
    F, A, b = _start(features, weights, biases)
    slower = F.shape[0] * F.shape[1] if mean else 1
    xp = numpy_namespace()

    def rate(F: Array, A: Array, b: Array) -> tuple[Array, Array, Array]:
        by_F, by_A, by_b = gradients(xp, F[None], A[None], b[None])
        return -by_F[0] / slower, -by_A[0] / slower, -by_b[0] / slower

    return _integrated(rate, (F, A, b), _checked_times(times), tolerance, checked, conserving=True)


def linearised_flow(features: Any, weights: Any, *, times: Any, mean: bool = False) -> Path:
    """The flow without the product A F, from biases zero, in closed form (`review:eq-19`)."""
    F, A, _ = _start(features, weights, None)
    at, xp = _checked_times(times), numpy_namespace()
    wide_F, wide_A = (np.broadcast_to(x, (len(at), *x.shape)) for x in (F, A))
    found = solution(xp, wide_F, wide_A, at, mean)
    U, _ = found.at()
    biases = np.repeat(found.beta.value[:, None], len(A), axis=1)
    return Path(at, U[:, :, :-1], U[:, :, -1], biases, np.nan, 0.0)


def linearised_flow_integrated(
    features: Any,
    weights: Any,
    *,
    times: Any,
    mean: bool = False,
    tolerance: float = 1e-10,
    checked: bool = False,
) -> Path:
    """The same, by integration of the linear equations: what the closed form is tested against."""
    F, A, b = _start(features, weights, None)
    K, n = F.shape[:2]
    slower, xp = (K * n if mean else 1), numpy_namespace()

    def rate(F: Array, A: Array, b: Array) -> tuple[Array, Array, Array]:
        moved = operator(xp, b[:1], pair(xp, F[None], A[None]))[0] / slower
        return moved[:, :-1], moved[:, -1], (n - K * n * b) / slower

    return _integrated(rate, (F, A, b), _checked_times(times), tolerance, checked, conserving=False)


def flow_on_subspace(weights: Any, samples: int, *, times: Any, mean: bool = False) -> Path:
    """The flow from ``F = (A (x) 1)^T/sqrt(n)``, biases zero, in closed form (`review:eq-20`).

    Only the rows of the weights less their mean are used: on the subspace they add up to zero.
    """
    A = subspace_start(weights, samples)[1]
    at, K = _checked_times(times), len(A)
    clock = at / (K * samples) if mean else at
    left, values, right = np.linalg.svd(A, full_matrices=False)
    squared = squared_singular_value(
        numpy_namespace(), n=np.float64(samples), start=np.maximum(values, 0), t=clock[:, None]
    )
    kept = values > values.max(initial=0) * 1e-14
    now = np.where(kept, np.sqrt(np.where(kept, squared, 0)), 0)
    path = (left * now[:, None, :]) @ right
    copies = np.repeat(path[:, :, None, :], samples, axis=2) / np.sqrt(samples)
    biases = np.repeat(-np.expm1(-K * samples * clock)[:, None] / K, K, axis=1)
    return Path(at, copies, path, biases, 0.0, 0.0)


def subspace_start(weights: Any, samples: int) -> tuple[Array, Array, Array]:
    """The point of the subspace S with these weights, centred, and biases zero."""
    A = np.asarray(weights, dtype=np.float64)
    if A.ndim != 2 or len(A) < 2 or not np.isfinite(A).all():
        raise InputError("weights", f"of shape {A.shape}", "finite, (K, m) with K >= 2")
    if samples < 1:
        raise InputError("samples", samples, "at least 1")
    A = A - A.mean(axis=0)
    F = np.repeat(A[:, None, :], samples, axis=1) / np.sqrt(samples)
    return F, A, np.zeros(len(A))


def nearest_on_subspace(features: Any, weights: Any) -> tuple[Array, Array, Array]:
    """The orthogonal projection of features and weights onto the subspace, and biases zero."""
    F, A, b = _start(features, weights, None)
    xp = numpy_namespace()
    U = projections(xp, pair(xp, F[None], A[None]))[0][0]
    return U[:, :-1], U[:, -1], b


# -- the integrator --------------------------------------------------------------------------------


def _integrated(
    rate: Callable[[Array, Array, Array], tuple[Array, Array, Array]],
    start: tuple[Array, Array, Array],
    times: Array,
    tolerance: float,
    checked: bool,
    conserving: bool,
) -> Path:
    shapes = [x.shape for x in start]
    cuts = np.cumsum([x.size for x in start])[:-1]
    begun = np.concatenate([x.ravel() for x in start])
    size = float(np.linalg.norm(begun)) or 1.0

    def parts(state: Array) -> list[Array]:
        pieces = np.split(state, cuts, axis=-1)
        return [
            p.reshape(*state.shape[:-1], *shape) for p, shape in zip(pieces, shapes, strict=True)
        ]

    def states(tolerance: float) -> Array:
        from scipy.integrate import solve_ivp

        found = solve_ivp(
            lambda _, state: np.concatenate([x.ravel() for x in rate(*parts(state))]),
            (0.0, float(times[-1])),
            begun,
            method="DOP853",
            t_eval=times,
            rtol=max(tolerance, 3e-14),
            atol=tolerance * min(size, 1.0),
        )
        if not found.success:
            raise InputError("times", float(times[-1]), "within reach", found.message)
        return np.asarray(found.y.T)

    path = begun[None] if times[-1] == 0 else states(tolerance)
    uncertainty = np.nan
    if checked:
        finer = states(tolerance * _FINER) if times[-1] > 0 else path
        gap = np.linalg.norm(path - finer, axis=1) / np.linalg.norm(finer, axis=1)
        uncertainty = float(gap.max())
    F, A, b = parts(path)
    drift = _drift(F, A) if conserving else np.nan
    return Path(times, F, A, b, drift, uncertainty)


def _drift(F: Array, A: Array) -> float:
    """The largest change of A^T A - F F^T, relative to the largest squared norm."""
    gap = imbalance(numpy_namespace(), F, A)
    sizes = (F**2).sum(axis=(1, 2, 3)) + (A**2).sum(axis=(1, 2))
    moved = np.linalg.norm(gap - gap[:1], axis=(1, 2)).max()
    return float(moved / max(sizes.max(), np.finfo(np.float64).tiny))


def _start(features: Any, weights: Any, biases: Any) -> tuple[Array, Array, Array]:
    F, A = (np.asarray(x, dtype=np.float64) for x in (features, weights))
    b = np.zeros(len(A)) if biases is None else np.asarray(biases, dtype=np.float64)
    if F.ndim != 3 or A.shape != (len(F), F.shape[2]) or b.shape != (len(F),):
        shown = f"shapes {F.shape}, {A.shape}, {b.shape}"
        raise InputError("start", shown, "features (K, n, m), weights (K, m), biases (K,)")
    if F.size == 0 or len(F) < 2:
        raise InputError("features", f"of shape {F.shape}", "two classes or more, none empty")
    if not all(np.isfinite(x).all() for x in (F, A, b)):
        raise InputError("start", "entries that are not finite", "finite")
    return F, A, b


def _checked_times(times: Any) -> Array:
    at = np.asarray(times, dtype=np.float64)
    if at.ndim != 1 or not at.size or not np.isfinite(at).all():
        raise InputError("times", f"of shape {at.shape}", "a list of finite numbers")
    if at[0] < 0 or (np.diff(at) <= 0).any():
        raise InputError("times", str(at.tolist()), "not negative, increasing")
    return at
