"""The gradient flow of cross-entropy over free features, followed in direction.

Weights A and features F move by minus the gradient of their risk (`review:eq-13`); the norms grow
without end, and what can settle is the direction. Time is rescaled by the mean probability of a
wrong class, which is exponentially small, so that the direction settles in a short time; all
exponentials are taken relative to their largest. Each row of a `Course` is what the theory speaks
of: the margin over its bound, collapse, the angle between point and velocity, KKT residuals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from ncbounds.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """The flow at increasing rescaled times: one entry a time; infinite where not separated.

    `margin` is q over its bound ``(|A|^2 + |F|^2)/(2 (K-1) root n)``; `within` the within-class
    share of ``|F|^2``; `duality` the cosine of features and weights; `gram` the distance of the
    directions of the centred class means from a simplex (the largest difference of a cosine from
    -1/(K-1)); `imbalance` is ``(|A|^2 - |F|^2)/(|A|^2 + |F|^2)`` and `drift` how far the conserved
    ``|A|^2 - |F|^2`` has moved; `cosine` is that of point and velocity; `stationarity` and
    `complementarity` are the KKT residuals at margin 1.
    """

    times: Floats
    risk: Floats
    norm: Floats
    margin: Floats
    within: Floats
    duality: Floats
    gram: Floats
    imbalance: Floats
    drift: Floats
    cosine: Floats
    stationarity: Floats
    complementarity: Floats
    weights: Floats
    features: Floats


def random_start(
    classes: int, samples: int, dimension: int, *, scale: float = 1.0, seed: int = 0
) -> tuple[Floats, Floats]:
    """Gaussian weights (K, m) and features (K, n, m) of a scale."""
    rng = np.random.default_rng(seed)
    return (
        scale * rng.standard_normal((classes, dimension)),
        scale * rng.standard_normal((classes, samples, dimension)),
    )


def follow(
    weights: Floats,
    features: Floats,
    *,
    until: float = 40.0,
    norm: float = 24.0,
    steps: int = 33,
    tolerance: float = 1e-9,
) -> Course:
    """Follow the flow from weights (K, m) and features (K, n, m) for a rescaled time.

    It ends before `until` where the norm of (A, F) reaches `norm`: the direction changes by
    differences of margins of order one, which are then small beside the margins themselves.

    Raises
    ------
    InputError
        When the shapes do not fit, or the velocity vanishes at the start, where the flow rests.
    """
    a, f = np.asarray(weights, dtype=float), np.asarray(features, dtype=float)
    if a.ndim != 2 or f.ndim != 3 or f.shape[::2] != a.shape or len(a) < 2:
        raise InputError("features", f.shape, f"shape (K, n, m), K >= 2, for weights of {a.shape}")
    K, n, m = f.shape
    start = np.concatenate([a.ravel(), f.ravel()])
    if not np.any(_velocity(a, f)[0]):
        raise InputError("weights", "a stationary point", "a start from which the flow moves")
    times = np.linspace(0.0, until, steps)
    split = K * m

    def rate(_: float, x: Floats) -> Floats:
        return _velocity(x[:split].reshape(K, m), x[split:].reshape(K, n, m))[0]

    def reached(_: float, x: Floats) -> float:
        return float(np.linalg.norm(x)) - norm

    reached.terminal = True  # type: ignore[attr-defined]
    solution = solve_ivp(
        rate, (0.0, until), start, "DOP853", times, events=reached, rtol=tolerance, atol=tolerance
    )
    if not solution.success:
        raise InputError("until", until, "less: the integrator stopped", str(solution.message))
    times, points = np.asarray(solution.t), np.asarray(solution.y).T
    if solution.status == 1 and solution.t_events and solution.y_events:
        times = np.append(times, solution.t_events[0])
        points = np.concatenate([points, solution.y_events[0]])
    before = float((a * a).sum() - (f * f).sum())
    rows = [_measured(x[:split].reshape(K, m), x[split:].reshape(K, n, m), before) for x in points]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return Course(
        times=times,
        weights=points[:, :split].reshape(-1, K, m),
        features=points[:, split:].reshape(-1, K, n, m),
        **columns,
    )


def _shares(a: Floats, f: Floats) -> tuple[Floats, Floats]:
    """Logarithms of the probabilities of wrong classes (-inf at the own) and gaps, (K, n, K)."""
    K = len(a)
    z = f @ a.T
    own = z[np.arange(K), :, np.arange(K)]
    gaps = own[:, :, None] - z
    gaps[np.arange(K), :, np.arange(K)] = np.inf
    with np.errstate(divide="ignore"):
        logs = -gaps - np.logaddexp(0, np.logaddexp.reduce(-gaps, axis=2))[:, :, None]
    return logs, gaps


def _velocity(a: Floats, f: Floats) -> tuple[Floats, float]:
    """The velocity over the mean probability of a wrong class, and the log of that probability."""
    K, n, _ = f.shape
    logs, _ = _shares(a, f)
    whole = float(np.logaddexp.reduce(logs, axis=None))
    p = np.exp(logs - whole)  # of sum 1 over all samples and rivals
    p[np.arange(K), :, np.arange(K)] = -p.sum(axis=2)
    of_a = -np.einsum("kij,kim->jm", p, f)
    of_f = -p @ a
    return np.concatenate([of_a.ravel(), of_f.ravel()]), whole - float(np.log(K * n))


def _measured(a: Floats, f: Floats, before: float) -> dict[str, float]:
    K, n, _ = f.shape
    logs, gaps = _shares(a, f)
    velocity, _ = _velocity(a, f)
    x = np.concatenate([a.ravel(), f.ravel()])
    size, q = float(x @ x), float(gaps.min())
    difference = float((a * a).sum() - (f * f).sum())
    means = f.mean(axis=1)
    centred = a - a.mean(axis=0)
    spread = means - means.mean(axis=0)
    lengths = np.linalg.norm(spread, axis=1)
    cosines = (spread @ spread.T) / np.outer(lengths, lengths)
    cosine = float(x @ velocity) / float(np.linalg.norm(x) * np.linalg.norm(velocity))
    p = np.exp(logs - np.logaddexp.reduce(logs, axis=None))
    off = p > 0
    factor = float(np.linalg.norm(x) / np.linalg.norm(velocity))
    separated = q > 0
    slack = float((p[off] * (gaps[off] / q - 1)).sum()) if separated else np.inf
    inner = float(np.einsum("km,kim->", centred, f))
    norms = np.sqrt(n) * np.linalg.norm(centred) * np.linalg.norm(f)
    off_diagonal = cosines[~np.eye(K, dtype=bool)]
    return {
        "risk": float(np.mean(np.logaddexp(0, np.logaddexp.reduce(-gaps, axis=2)))),
        "norm": float(np.sqrt(size)),
        "margin": 2 * (K - 1) * float(np.sqrt(n)) * q / size,
        "within": float(((f - means[:, None, :]) ** 2).sum() / (f * f).sum()),
        "duality": inner / float(norms),
        "gram": float(np.abs(off_diagonal + 1 / (K - 1)).max()),
        "imbalance": difference / size,
        "drift": abs(difference - before),
        "cosine": cosine,
        "stationarity": float(np.sqrt(max(2 * size / q * (1 - cosine), 0.0)))
        if separated
        else np.inf,
        "complementarity": factor * slack,
    }
