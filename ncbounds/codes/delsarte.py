"""Delsarte's linear programming bound: the polynomial is searched in floats, and kept in fractions.

For a polynomial f with Gegenbauer coefficients f_k >= 0, f_0 > 0, that is not positive on [-1, s],
a code of inner products at most s has at most f(1)/f_0 points. Where this is less than K, the
one-vs-rest distance of K unit vectors is less than 1 - s. The search may go astray: what it finds
is rounded to fractions, made safe, and counts only once `check_delsarte` has accepted it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic import balls
from ncbounds.codes.check_delsarte import check_delsarte
from ncbounds.codes.levenshtein import levenshtein_upper
from ncbounds.errors import InputError
from ncbounds.theory.softmax_code.code_bounds import proved_upper

Array = npt.NDArray[np.float64]

#: The largest degree that is tried without being asked for: floats still solve the programs.
_DEGREE = 18
#: Coefficients are multiples of this, and s is one of the coarser.
_GRAIN, _S_GRAIN = Fraction(1, 2**60), Fraction(1, 2**34)
#: How far below zero the polynomial is held, relative to f_0.
_ROOM = 1e-9
_ROUNDS = 12


@dataclass(frozen=True)
class DelsarteCertificate:
    """Any K unit vectors of R^d have an inner product greater than s; `holds` checks it."""

    d: int
    K: int
    s: Fraction
    coefficients: tuple[Fraction, ...]

    def holds(self) -> bool:
        """Check the certificate in fractions."""
        return check_delsarte(self.d, self.K, self.s, self.coefficients)

    @property
    def one_vs_rest(self) -> Fraction:
        """What the one-vs-rest distance of K unit vectors is less than."""
        return 1 - self.s

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; numbers are fractions as text."""
        return {
            "d": self.d,
            "K": self.K,
            "s": str(self.s),
            "coefficients": [str(c) for c in self.coefficients],
        }


def delsarte_bound(d: int, K: int, degree: int = _DEGREE) -> DelsarteCertificate | None:
    """Search the largest s for which a polynomial of that degree serves, and certify it.

    Parameters
    ----------
    d, K
        Dimension, at least 2, and number of unit vectors, more than d + 1 (below, Rankin's bound
        is exact).
    degree
        Of the polynomial, in 1..40.

    Returns
    -------
    DelsarteCertificate or None
        None where no polynomial was found that the checker accepts.

    Raises
    ------
    InputError
        When an argument is out of range.

    Examples
    --------
    >>> found = delsarte_bound(4, 24, degree=10)
    >>> found.holds(), round(float(found.one_vs_rest), 4)
    (True, 0.5215)
    """
    if d < 2:
        raise InputError("d", d, "at least 2")
    if d + 2 > K:
        raise InputError("K", K, f"at least d + 2 = {d + 2}")
    if not 1 <= degree <= 40:
        raise InputError("degree", degree, "in 1..40")
    root = _largest_product(d, K, degree)
    for back in (1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4):
        s = _on_grain(Fraction(root - back), _S_GRAIN)
        found = _polynomial(d, float(s), degree)
        if found is not None:
            rounded = tuple(_on_grain(Fraction(float(c)), _GRAIN) for c in found)
            certificate = DelsarteCertificate(d, K, s, rounded)
            if certificate.holds():
                return certificate
    return None


def _largest_product(d: int, K: int, degree: int) -> float:
    """Where the bound on the number of points reaches K, to 10 digits, by Brent's method."""
    from scipy.optimize import brentq

    def excess(s: float) -> float:
        found = _polynomial(d, s, degree)
        return 10.0 if found is None else math.log(np.sum(found) / found[0] / K)

    with balls.precision(64):
        start = 1 - float(proved_upper.body(Fraction(d), Fraction(K)))
        levenshtein = levenshtein_upper.body(Fraction(d), Fraction(K))
        if levenshtein.is_finite():
            start = max(start, 1 - float(levenshtein))
    low, step = start - 1e-6, 0.01
    if excess(low) >= 0:  # the degree is too small for that
        low, step = -1.0 / d + 1e-6, 1 + 1.0 / d
    high = low + step
    while high < 1 and excess(high) <= 0:
        low, high, step = high, high + 4 * step, 4 * step
    return float(brentq(excess, low, min(high, 1 - 1e-9), xtol=1e-11, rtol=1e-13))


def _on_grain(value: Fraction, grain: Fraction) -> Fraction:
    return round(value / grain) * grain


def _polynomial(d: int, s: float, degree: int) -> Array | None:
    """Coefficients with f_0 about 1 and f(1) least such that f <= -room on [-1, s].

    The program asks for f <= 0 at points only; where f has a summit above, a point is added.
    """
    from scipy.optimize import linprog

    points = _on(s, np.cos(np.linspace(0, np.pi, 4 * degree + 1)))
    for _ in range(_ROUNDS):
        rows = gegenbauer(d, points, degree)
        solved = linprog(
            np.ones(degree),
            A_ub=rows[:, 1:],
            b_ub=-np.ones(len(rows)),
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if solved.x is None:
            return None
        rest = np.maximum(solved.x, 0.0)
        summits = _critical_points(d, s, rest)
        values = gegenbauer(d, summits, degree)[:, 1:] @ rest + 1
        if np.max(values) < _ROOM:
            break
        points = np.concatenate([points, summits[values > -_ROOM]])
    first = 1 - float(np.max(values)) - _ROOM
    return np.concatenate([[first], rest]) if first > 0 else None


def _critical_points(d: int, s: float, rest: Array) -> Array:
    """The ends of [-1, s], and where the derivative vanishes between them."""
    from numpy.polynomial import chebyshev

    degree = len(rest)
    nodes = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    values = gegenbauer(d, _on(s, nodes), degree)[:, 1:] @ rest
    roots = chebyshev.chebroots(chebyshev.chebder(chebyshev.chebfit(nodes, values, degree)))
    inside = roots.real[(np.abs(roots.imag) < 1e-4) & (np.abs(roots.real) < 1)]
    return _on(s, np.concatenate([[-1.0, 1.0], inside]))


def _on(s: float, nodes: Array) -> Array:
    """Carry points of [-1, 1] over to [-1, s]."""
    return np.asarray((s - 1) / 2 + (s + 1) / 2 * nodes)


def gegenbauer(d: int, t: Array, degree: int) -> Array:
    """G_0..G_degree of R^d, G_k(1) = 1, at the points t: shape (len(t), degree + 1)."""
    columns = [np.ones_like(t), t]
    for k in range(degree - 1):
        columns.append(((2 * k + d) * t * columns[-1] - (k + 1) * columns[-2]) / (k + d - 1))
    return np.stack(columns[: degree + 1], axis=1)
