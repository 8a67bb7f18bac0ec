"""Rademacher complexity of one hidden unit and of networks of one hidden layer, in any dimension.

For fixed signs let P hold the samples with sign +1 and N the rest. What a unit can do is

    G(sigma) = max_{|w| <= 1} sum_P relu(w . x_i) - sum_N relu(w . x_i).

The first sum is a maximum over the subsets A of P that fire, the second a maximum over shares
b_i in [0, 1] of the samples in N, so that by the minimax theorem

    G(sigma) = max_{A in P} min_{0 <= b <= 1} |sum_A x_i - sum_N b_i x_i|,

the largest distance from a vertex of one zonotope to the other: at most 2^|P| convex problems. A
feasible b gives an upper bound of its distance, and its residual r a direction w = r / |r| whose
value is a lower bound of G; at the solution the two meet. All A of one sign vector are improved
together, one coordinate of b after the other, and left as soon as their upper bound lies below the
best value known.

Rounding. X is replaced by the triangular factor of its transpose, which moves each sample by at
most `m d 2^-46` times its norm (Householder's method: columnwise, m d u times a small constant). A
residual or a value is then off by fewer than `2^-46 (m + d)` times `Lambda = sum_i |x_i|`. Both
are counted as `m (d + 16) 2^-44 Lambda`, taken from every lower end and added to every upper end.
"""

import math
from itertools import product

import numpy as np
import numpy.typing as npt

from ncbounds.measure.complexity.conventions import (
    DEFINITION,
    Array,
    Complexity,
    Interval,
    admit_sample,
    check_finite,
    check_positive,
)

MAX_SAMPLES = 12

_SWEEPS = 400
_OUTWARD = 1 + 2.0**-50


def hidden_unit_rademacher(
    X: npt.ArrayLike, rho: float = 1.0, *, tolerance: float = 1e-7
) -> Complexity:
    """Enclose the complexity of `x -> relu(w . x)`, `|w| <= rho`, on the rows of X.

    The class does not hold -h with h: with and without the absolute value differ by up to a factor
    2, `within("absolute")` and `within("plain")`. `X` has shape (m, d), m <= 12. `tolerance` is the
    width of the enclosure, relative to `sqrt(sum_i |x_i|^2) / m`. Raises InputError outside this
    domain. Source: `square:definition-1`.

    >>> found = hidden_unit_rademacher([[3.0, 4.0]])
    >>> [round(found.within(name)[0], 9) for name in ("definition-1", "absolute", "plain")]
    [10.0, 5.0, 2.5]
    """
    return _complexity("hidden unit", X, rho, tolerance, symmetric=False)


def hidden_layer_rademacher(
    X: npt.ArrayLike, rho: float = 1.0, *, tolerance: float = 1e-7
) -> Complexity:
    """Enclose the complexity of `x -> sum_j a_j relu(w_j . x)`, `|a| |W| <= rho`, any width.

    Norms are Euclidean and Frobenius. By Cauchy-Schwarz the best network has one hidden unit and a
    sign at its output, so that the width does not matter. Arguments and errors are those of
    `hidden_unit_rademacher`.

    >>> round(hidden_layer_rademacher([[3.0, 4.0]]).within("plain")[0], 9)
    5.0
    """
    return _complexity("hidden layer", X, rho, tolerance, symmetric=True)


def _complexity(
    family: str, X: npt.ArrayLike, rho: float, tolerance: float, *, symmetric: bool
) -> Complexity:
    sample = admit_sample(X, MAX_SAMPLES)
    check_positive(rho=rho, tolerance=tolerance)
    m, d = sample.shape
    exponent = math.frexp(float(np.max(np.abs(sample))))[1]
    scaled = np.ldexp(sample, -exponent)
    signs = np.array(list(product((1.0, -1.0), repeat=m)))
    low, high = _suprema(scaled, signs, tolerance)
    # Opposite sign vectors stand opposite in the list.
    largest = np.maximum(low, low[::-1]), np.maximum(high, high[::-1])
    try:
        scale = math.ldexp(rho, exponent)
        absolute = _mean(*largest, scale / m)
        one_sided = absolute if symmetric else _mean(low, high, scale / m)
        suprema = scale * (largest[0] if symmetric else low) / _OUTWARD
    except OverflowError:
        absolute = one_sided = (math.inf, math.inf)
    lower, upper = absolute
    assert upper is not None
    check_finite((2 * lower, 2 * upper), one_sided)
    return Complexity(
        family, m, d, float(rho), 2 * lower, 2 * upper, one_sided, DEFINITION, signs, suprema
    )


def _mean(low: Array, high: Array, factor: float) -> Interval:
    """The mean over all signs: an exact sum, and two roundings outward."""
    lower, upper = math.fsum(low.tolist()) / len(low), math.fsum(high.tolist()) / len(high)
    return factor * lower / _OUTWARD**4, factor * upper * _OUTWARD**4


def _suprema(X: Array, signs: Array, tolerance: float) -> tuple[Array, Array]:
    """Lower and upper bounds of G for every sign vector, (2^m,) each."""
    m, d = X.shape
    norms = np.sqrt(np.sum(X * X, axis=1))
    rounding = m * (d + 16) * 2.0**-44 * float(norms.sum())
    enough = tolerance * float(np.sqrt(np.sum(norms * norms))) / 4
    rows: Array = np.swapaxes(np.linalg.qr(X.T)[1], 0, 1)
    found = np.array([_supremum(rows[s > 0], rows[s < 0], enough) for s in signs])
    return np.maximum(found[:, 0] - rounding, 0.0), found[:, 1] + rounding


def _supremum(P: Array, N: Array, enough: float) -> tuple[float, float]:
    """The largest distance from a vertex of the zonotope of P to that of N, both bounds.

    The upper one is valid after any number of sweeps; `enough` is how close they need to be.
    """
    chosen = np.array(list(product((0.0, 1.0), repeat=len(P)))).reshape(2 ** len(P), len(P))
    vertices = chosen @ P
    shares = np.zeros((len(vertices), len(N)))
    squares = np.sum(N * N, axis=1)
    lower, left = 0.0, 0.0
    residual = vertices
    for sweep in range(_SWEEPS):
        length = np.sqrt(np.sum(residual * residual, axis=1))
        lower = max(lower, _best_value(residual, length, P, N))
        open_ = length > lower + enough
        left = max(left, float(np.max(length[~open_], initial=0.0)))
        vertices, shares, residual = vertices[open_], shares[open_], residual[open_]
        if len(vertices) == 0:
            return lower, max(lower, left)
        if sweep == _SWEEPS // 4:
            shares = np.array([_solve(v, N, b) for v, b in zip(vertices, shares, strict=True)])
        for i in range(len(N)):
            if squares[i] > 0:
                step = np.clip(shares[:, i] + residual @ N[i] / squares[i], 0.0, 1.0)
                residual = residual - (step - shares[:, i])[:, None] * N[i]
                shares[:, i] = step
        residual = vertices - shares @ N
    length = np.sqrt(np.sum(residual * residual, axis=1))
    return lower, max(lower, left, float(length.max()))


def _best_value(residual: Array, length: Array, P: Array, N: Array) -> float:
    """The largest value of a unit whose weights point along a residual."""
    usable = length > 0
    w = residual[usable] / length[usable, None]
    value = np.maximum(w @ P.T, 0).sum(axis=1) - np.maximum(w @ N.T, 0).sum(axis=1)
    return float(np.max(value, initial=0.0))


def _solve(vertex: Array, N: Array, start: Array) -> Array:
    """Shares in [0, 1] that leave the least residual, by an active-set method."""
    from scipy.optimize import lsq_linear

    if len(N) == 0:
        return start
    found = lsq_linear(N.T, vertex, (0.0, 1.0), method="bvls", tol=1e-14)
    shares: Array = np.clip(found.x, 0.0, 1.0)
    return shares
