"""Least cross-entropy under constraints on norms: outputs in a ball, or factors in balls.

Outputs in a ball about any centre (`review:eq-12`), and the layer-peeled model: weights with
``|A|_F^2 <= Omega_A`` and features with ``|F|_F^2 <= Omega_F``, n samples of each of K classes in m
dimensions, no bias. From K - 1 dimensions on both have closed forms. In fewer, and for a point that
is given, the slope of the risk certifies how far from the least a risk is at most.

>>> round(least_risk(classes=3, samples=2, omega_weights=4, omega_features=8), 12)
0.239544766222
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.errors import InputError
from ncbounds.laboratory.enclosures import float_above, float_below, squared_norm_at_most
from ncbounds.laboratory.separation import construction
from ncbounds.theory.unconstrained import output_balls
from ncbounds.theory.unconstrained.entropy_flow import entropy_point

Floats = NDArray[np.float64]

_BITS = 128
_STARTS = 6


@dataclass(frozen=True)
class RiskCertificate:
    """The risk of a point, rounded up, and a lower bound on the least, rounded down."""

    risk: float
    lower: float

    @property
    def gap(self) -> float:
        """How far above the least the risk is at most."""
        return self.risk - self.lower


# -- outputs in a ball ----------------------------------------------------------------------------


def best_output(centre: Floats, radius: float, label: int) -> Floats:
    """The output of least loss within `radius` of a centre (K,): exact about multiples of 1.

    About another centre b the rivals are no longer equal. The loss increases with ``log sum over
    rivals of e^(h_j) - h_k``, whose slope is ``g = (-1, w)``, w the softmax over the rivals: the
    minimiser is ``b + v`` with ``v = -R g/|g|``, found by Newton's method on the sphere.
    """
    b = np.asarray(centre, dtype=float)
    K = len(b)
    if b.ndim != 1 or K < 2 or not np.isfinite(b).all():
        raise InputError("centre", b.tolist(), "K >= 2 finite numbers")
    if not (math.isfinite(radius) and radius >= 0):
        raise InputError("radius", radius, "a finite number >= 0")
    order = [label, *(j for j in range(K) if j != label)]
    xp = numpy_namespace()
    v = output_balls.vertex(xp, np.array([float(radius)]), K - 1)[0]
    moved = b[order]
    for _ in range(200):
        step = _towards(moved, v, radius)
        if np.abs(step - v).max() <= 1e-16 * max(radius, 1):
            break
        v = step
    found = np.empty(K)
    found[order] = moved + v
    return found


def _towards(b: Floats, v: Floats, radius: float) -> Floats:
    """One damped Newton step on the sphere for ``log sum over rivals - own``, own entry first."""
    if radius == 0:
        return v
    value, w = _rivals(b + v)
    g = np.concatenate([[-1.0], w])
    hessian = np.zeros((len(v), len(v)))
    hessian[1:, 1:] = np.diag(w) - np.outer(w, w)
    unit = v / radius
    matrix = hessian + float(np.linalg.norm(g)) / radius * np.eye(len(v))
    across = g - unit * (unit @ g)
    direction = -np.linalg.solve(matrix, across)
    direction -= unit * (unit @ direction)
    share = 1.0
    while share > 1e-12:
        moved = v + share * direction
        moved *= radius / np.linalg.norm(moved)
        if _rivals(b + moved)[0] < value:
            return np.asarray(moved)
        share /= 2
    return v


def _rivals(logits: Floats) -> tuple[float, Floats]:
    """``log sum over rivals - own`` and the softmax over the rivals."""
    top = float(logits[1:].max())
    w = np.exp(logits[1:] - top)
    return top + math.log(float(w.sum())) - float(logits[0]), w / w.sum()


def output_certificate(
    centre: Floats, radius: float, label: int, output: Floats
) -> RiskCertificate:
    """Certify how far the loss of an output is from the least on the ball, in ball arithmetic.

    An output that rounding left outside is compared with the ball that it is on.
    """
    K = len(centre)
    order = [label, *(j for j in range(K) if j != label)]
    b, at = np.asarray(centre, dtype=float)[order], np.asarray(output, dtype=float)[order]
    with balls.precision(_BITS):
        exact, logits = balls.asarray(b[None]), balls.asarray(at[None])
        step = logits - exact
        length = balls.sqrt(balls.sum(step * step, axis=-1))
        reach = balls.maximum(length, balls.asarray([float(radius)]))
        low = output_balls.ball_certificate(balls, exact, step, reach)
        loss = output_balls.loss_of_first(balls, logits)
        return RiskCertificate(float_above(loss.data[0]), float_below(low.data[0]))


# -- factors in balls -----------------------------------------------------------------------------


def least_risk(*, classes: int, samples: int, omega_weights: float, omega_features: float) -> float:
    """Least mean cross-entropy for m >= K - 1: ``log(1 + (K - 1) e^(-q))``.

    q is the largest margin that the norms allow, ``root(Omega_A Omega_F / n)/(K - 1)``. In fewer
    dimensions it is a lower bound.
    """
    K = classes
    _check(omega_weights, omega_features)
    q = math.sqrt(omega_weights * omega_features / samples) / (K - 1)
    return math.log1p((K - 1) * math.exp(-q))


def least_point(
    *, classes: int, samples: int, dimension: int, omega_weights: float, omega_features: float
) -> tuple[Floats, Floats]:
    """Weights (K, m) and features (K, n, m) that attain the least risk, m >= K - 1: a simplex."""
    if dimension < classes - 1:
        raise InputError("dimension", dimension, f"at least K - 1 = {classes - 1}", "see solve()")
    _check(omega_weights, omega_features)
    a, f = construction(classes, samples, dimension)
    return (
        a * math.sqrt(omega_weights) / np.linalg.norm(a),
        f * math.sqrt(omega_features) / np.linalg.norm(f),
    )


def _check(omega_weights: float, omega_features: float) -> None:
    for name, value in (("omega_weights", omega_weights), ("omega_features", omega_features)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(name, value, "a finite number > 0")


def certify(
    weights: Floats, features: Floats, omega_weights: float, omega_features: float
) -> RiskCertificate:
    """Certify how far the risk of a point is from the least under the constraints.

    ``R - <G, AF> - |G| root(Omega_A Omega_F)`` bounds the least risk from below, in any dimension
    (`review:remark-tangent`), the norm of the slope G enclosed; so does the closed form. A point
    that is outside, by rounding or more, is compared with the balls that it is on.
    """
    a, f = np.asarray(weights, dtype=float), np.asarray(features, dtype=float)
    if a.ndim != 2 or f.ndim != 3 or f.shape[::2] != a.shape:
        raise InputError("features", f.shape, f"shape (K, n, m) for weights of {a.shape}")
    _check(omega_weights, omega_features)
    K, n, _ = f.shape
    with balls.precision(_BITS):
        exact_a, exact_f = balls.asarray(a[None]), balls.asarray(f[None])
        at = entropy_point(balls, exact_a, exact_f)
        along = balls.sum(at.slope * at.z).data.item()
        norm = squared_norm_at_most(balls.reshape(at.slope, (K * n, K)).data).sqrt()
        squares = (
            balls.sum(x * x).data.item().max(balls.ball(float(omega)))
            for x, omega in ((exact_a, omega_weights), (exact_f, omega_features))
        )
        most = math.prod(squares, start=balls.ball(1)).sqrt()
        risk = at.risk.data[0]
        q = (most * most / n).sqrt() / (K - 1)
        closed = (1 + (K - 1) * (-q).exp()).log()
        low = (risk - along - norm * most).max(closed)
        return RiskCertificate(float_above(risk), float_below(low))


def solve(
    *,
    classes: int,
    samples: int,
    dimension: int,
    omega_weights: float,
    omega_features: float,
    seed: int = 0,
    starts: int = _STARTS,
) -> tuple[Floats, Floats]:
    """Search for the least risk on the spheres of both constraints, from random starts."""
    _check(omega_weights, omega_features)
    K, n, m = classes, samples, dimension
    sizes = math.sqrt(omega_weights), math.sqrt(omega_features)
    xp = numpy_namespace()
    rng = np.random.default_rng(seed)

    def point(x: Floats) -> tuple[Floats, Floats, float, float]:
        a, f = x[: K * m].reshape(K, m), x[K * m :].reshape(K, n, m)
        lengths = float(np.linalg.norm(a)), float(np.linalg.norm(f))
        return a * sizes[0] / lengths[0], f * sizes[1] / lengths[1], *lengths

    def risk(x: Floats) -> tuple[float, Floats]:
        a, f, of_a, of_f = point(x)
        at = entropy_point(xp, a[None], f[None])
        da, df = -at.of_weights[0], -at.of_features[0]
        da = (da - a * np.sum(a * da) / omega_weights) * sizes[0] / of_a
        df = (df - f * np.sum(f * df) / omega_features) * sizes[1] / of_f
        return float(at.risk[0]), np.concatenate([da.ravel(), df.ravel()])

    def value(x: Floats) -> float:
        return risk(x)[0]

    def slope(x: Floats) -> Floats:
        return risk(x)[1]

    best, least = np.empty(0), math.inf
    for _ in range(starts):
        start = rng.standard_normal(K * m + K * n * m)
        result = minimize(
            value,
            start,
            jac=slope,
            method="L-BFGS-B",
            options={"maxiter": 2000, "ftol": 1e-16, "gtol": 1e-12},
        )
        if float(result.fun) < least:
            best, least = np.asarray(result.x), float(result.fun)
    a, f, _, _ = point(best)
    return a, f


def largest_deviation(
    cases: list[tuple[int, int, int]], omegas: list[float], *, seed: int = 0
) -> float:
    """Largest difference of closed form and solver over (K, n, m >= K - 1) and Omega_A Omega_F."""
    xp, worst = numpy_namespace(), 0.0
    for K, n, m in cases:
        for omega in omegas:
            norms = {"omega_weights": omega, "omega_features": 2 * omega}
            a, f = solve(classes=K, samples=n, dimension=m, seed=seed, starts=2, **norms)
            found = float(entropy_point(xp, a[None], f[None]).risk[0])
            worst = max(worst, abs(found - least_risk(classes=K, samples=n, **norms)))
    return worst
