"""The best code found: K unit vectors in R^d whose least one-vs-rest distance is large.

By the midpoint theorem the largest least one-vs-rest distance is 1 - t(d, K), where t(d, K) is the
smallest possible largest inner product: Softmax codes and Tammes codes are one problem. So the
search spreads points apart, and what it finds is certified as a Softmax code. Where the optimum has
a closed form for a whole family it is built; everywhere else it is searched for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.codes.annealing import Floats, largest_inner_products, unit
from ncbounds.codes.bounds import OptimumBound, best_upper_bound
from ncbounds.codes.catalogue import family
from ncbounds.codes.margin import distance_at_most, least_one_vs_rest_distance
from ncbounds.codes.polish import loosen
from ncbounds.codes.search import search
from ncbounds.errors import InputError, NcboundsError

KINDS = ("softmax", "tammes")

_MOST_ENTRIES = 2**26
_CONTACT = 1e-10
_REACHED = 1e-12
_UNIT_ROUNDOFF = 2.0**-53


@dataclass(frozen=True, eq=False)
class Code:
    """K unit vectors in R^d with what is certain about them.

    `lower <= rho <= upper` for the least one-vs-rest distance rho of the rows divided by their
    lengths, and `largest_inner_product` encloses max_{i != j} <x_i, x_j> of the same.
    `rattlers` are the points without a neighbour at the largest inner product. `proved_optimal`
    says that `lower` is within 1e-12 of the best proved upper bound, the optimum for all purposes.
    """

    d: int
    K: int
    kind: str
    seed: int
    points: Floats
    lower: float
    upper: float
    largest_inner_product: tuple[float, float]
    best_proved_upper_bound: OptimumBound
    rattlers: tuple[int, ...]
    contacts: int
    construction: str

    @property
    def proved_optimal(self) -> bool:
        """Whether nothing that counts lies between the code and the proved bound."""
        return self.best_proved_upper_bound.value - self.lower <= _REACHED

    @property
    def angle_in_degrees(self) -> float:
        """The least angle between two points, rounded down but for the arc cosine."""
        return math.degrees(math.acos(min(1.0, max(-1.0, self.largest_inner_product[1]))))

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain data, without the points."""
        low, high = self.largest_inner_product
        bound = self.best_proved_upper_bound
        return {
            "d": self.d,
            "K": self.K,
            "kind": self.kind,
            "seed": self.seed,
            "one_vs_rest": {"lower": self.lower, "upper": self.upper},
            "largest_inner_product": high,
            "largest_inner_product_interval": {"lower": low, "upper": high},
            "angle_in_degrees": self.angle_in_degrees,
            "best_proved_upper_bound": bound.value,
            "bound": {"name": bound.name, "source": bound.source},
            "gap": max(0.0, bound.value - self.lower),
            "proved_optimal": self.proved_optimal,
            "rattlers": list(self.rattlers),
            "contacts": self.contacts,
            "construction": self.construction,
        }


def best_code(
    d: int,
    K: int,
    kind: str = "softmax",
    *,
    seed: int = 0,
    effort: float = 1.0,
    restarts: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Code:
    """Find K unit vectors in R^d whose least one-vs-rest distance is as large as can be found.

    maximise min_k dist(w_k, hull{w_j : j != k}), which is 1 - min max_{i != j} <w_i, w_j>

    Parameters:
        d: dimension, d >= 1.
        K: number of classes, K >= 2.
        kind: "softmax" (one-vs-rest distance) or "tammes" (largest inner product). The optimum is
            the same, and so is the code; the kind is only named in the result.
        seed: of the search; the same seed gives the same code.
        effort: multiplies the number of restarts.
        restarts: arrangements tried, instead of the default for (d, K) times the effort.
        progress: called with (restarts done, restarts, best distance so far).

    Returns:
        The best code found, its distance enclosed, and the best proved upper bound beside it.

    Raises:
        InputError: a parameter is outside its domain, or K^2 inner products are too many.

    Source: gnc, Definition 2.1, (5) and (11).

    >>> code = best_code(3, 12)
    >>> abs(code.lower - (1 - 5**-0.5)) < 1e-12, code.rattlers, code.contacts
    (True, (), 30)
    """
    d, K, count = _checked(d, K, kind, seed, effort, restarts)
    bound = best_upper_bound(d, K)
    most = bound.value
    member = family(d, K)
    if member is not None:
        points, construction = member.points, f"built: {member.name}"
    else:
        tell = progress or (lambda done, total, last: None)
        points = loosen(search(d, K, seed, count, 1 - most, tell))
        construction = "search"
    points = unit(points)
    low, high = enclosed_largest_inner_product(points)
    lower, upper = _enclosed_margin(points, high)
    if lower > most:
        raise NcboundsError(f"a code above the bound {bound.name} for d = {d}, K = {K}: our fault")
    loose, contacts = _rattlers_and_contacts(points)
    return Code(
        d=d,
        K=K,
        kind=kind,
        seed=seed,
        points=points,
        lower=lower,
        upper=min(upper, most),
        largest_inner_product=(low, high),
        best_proved_upper_bound=bound,
        rattlers=loose,
        contacts=contacts,
        construction=construction,
    )


def _enclosed_margin(points: Floats, high: float) -> tuple[float, float]:
    """An interval for the least one-vs-rest distance of a code with no larger inner product.

    In the direction w_k itself class k is at least 1 - max <w_k, w_j> from the others. Where forces
    hold the code in balance that is the distance, and the neighbours of the row with most contacts
    show it; else all rows are searched.
    """
    lower = math.nextafter(1 - high, -math.inf)
    products = points @ points.T
    np.fill_diagonal(products, -np.inf)
    touching = products > products.max() - _CONTACT
    row = int(touching.sum(axis=1).argmax())
    upper = _near_combination(points, row, np.flatnonzero(touching[row]))
    if upper - lower <= _REACHED:
        return max(lower, 0.0), upper
    least, upper = least_one_vs_rest_distance(points, normalise=True)
    return max(lower, least), upper


def _near_combination(points: Floats, row: int, others: NDArray[np.int64]) -> float:
    """The distance of a row to a convex combination of some others, rounded up."""
    from scipy.optimize import nnls

    system = np.ones((points.shape[1] + 1, len(others)))
    system[:-1] = (points[row] - points[others]).T
    try:
        weights = nnls(system, np.eye(len(system))[-1])[0]
    except RuntimeError:
        return math.inf
    return distance_at_most(points, row, others, weights) if weights.any() else math.inf


def enclosed_largest_inner_product(points: Floats) -> tuple[float, float]:
    """An interval for max_{i != j} <x_i, x_j> / (|x_i| |x_j|) of nearly unit rows.

    The rounding of the d products, of the lengths and of the quotient is at most 4 (d + 4) 2^-53
    for rows whose lengths are within 1e-8 of 1.

    >>> low, high = enclosed_largest_inner_product(np.eye(3))
    >>> low <= 0 <= high, high - low < 1e-14
    (True, True)
    """
    error = 4 * (points.shape[1] + 4) * _UNIT_ROUNDOFF
    lengths = np.sqrt(np.einsum("kd,kd->k", points, points))
    largest = -np.inf
    step = max(1, 2**22 // len(points))
    for start in range(0, len(points), step):
        products = (points[start : start + step] @ points.T) / lengths
        products /= lengths[start : start + step, None]
        own = np.arange(len(products))
        products[own, start + own] = -np.inf
        largest = max(largest, float(products.max()))
    return max(-1.0, largest - error), min(1.0, largest + error)


def _checked(
    d: object, K: object, kind: object, seed: object, effort: object, restarts: object
) -> tuple[int, int, int]:
    for name, value, least in (("d", d, 1), ("K", K, 2), ("seed", seed, 0)):
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            raise InputError(name, value, f"an integer, at least {least}")
    assert isinstance(d, int | np.integer)
    assert isinstance(K, int | np.integer)
    if kind not in KINDS:
        raise InputError("kind", kind, f"one of {', '.join(KINDS)}")
    if not isinstance(effort, int | float) or not 0 < effort <= 1e6:
        raise InputError("effort", effort, "a number above 0, at most 1e6")
    if restarts is None:
        restarts = max(1, math.ceil(effort * _restarts(int(d), int(K))))
    if not isinstance(restarts, int | np.integer) or isinstance(restarts, bool) or restarts < 1:
        raise InputError("restarts", restarts, "an integer, at least 1")
    if int(K) * max(int(K), int(d)) > _MOST_ENTRIES:
        most = math.isqrt(_MOST_ENTRIES)
        raise InputError("K", K, f"at most {most}, with K d at most {_MOST_ENTRIES}")
    return int(d), int(K), int(restarts)


def _restarts(d: int, K: int) -> int:
    """More points have more arrangements, until a single descent takes seconds."""
    return max(8, min(1000 + 200 * K, 8_000_000 // K**2))


def _rattlers_and_contacts(points: Floats) -> tuple[tuple[int, ...], int]:
    """Points without a neighbour at the largest inner product, and how many pairs have it."""
    products = points @ points.T
    np.fill_diagonal(products, -np.inf)
    touching = products >= float(largest_inner_products(points)) - _CONTACT
    loose = np.flatnonzero(~touching.any(axis=1))
    return tuple(int(k) for k in loose), int(touching.sum()) // 2
