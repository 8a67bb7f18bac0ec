"""One-vs-rest distances with certificates: how far each row lies from the convex hull of the rest.

A convex combination of the other rows gives an upper bound on the distance, a separating direction
gives a lower bound, and at the nearest point of the hull the two meet. The search
(`ncbounds.codes.hull`) may be as careless as floating point is: what it finds is evaluated here
with an error bound that is added to the upper end and taken from the lower end, so the interval
holds the true distance whatever the search did. `ncbounds.codes.certificate` checks both ends anew
from the evidence alone, in ball arithmetic.

The error bound. Let u = 2^-53. A difference has a relative error of at most u in each entry, and a
sum of m products, in whatever order and with or without fused operations, has an error of at most
gamma_m sum |a_i b_i| with gamma_m = m u / (1 - m u) (Higham, Accuracy and Stability of Numerical
Algorithms, Sec. 3.1). `_gamma(m)` = 2 (m + 8) u is larger than all such errors of a step put
together for m < 2^40, its own evaluation included, and `_TINY` covers what underflows: the rows are
scaled by a power of two so that their largest entry is of order one.

One matrix product compares the rows with the directions of a whole block. It is taken about a
centre c, with C_j = fl(w_j - c): C_j is off by at most u |C_j| in each entry, so
<w_k - w_j, h> differs from fl(<C_k, h>) - fl(<C_j, h>) by at most _gamma(d) (|C_k| + |C_j|) |h|.
Rows that this leaves in doubt, the support among them, are compared again by their differences.

The rows are worked on in an order of their own, that of their bytes: the result does not depend on
the order in which they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.codes.certificate import Margin, check_margin
from ncbounds.codes.hull import Cloud, Nearest, nearest_points, rough_directions
from ncbounds.errors import InputError

__all__ = [
    "Margin",
    "check_margin",
    "distance_at_most",
    "host_array",
    "least_one_vs_rest_distance",
    "margin_table",
    "one_vs_rest_distances",
    "one_vs_rest_distances_as_found",
]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
#: Called with the number of rows done, their number in all, and a word on the last.
Progress = Callable[[int, int, str], None]

_UNIT_ROUNDOFF = 2.0**-53
_TINY = 2.0**-1000
_SMALLEST, _LARGEST = 1e-100, 1e100
#: Rows that are searched together, and entries of the products of a block.
_BLOCK, _BLOCK_ENTRIES = 128, 2**22
#: Up to so many rows, and with more than so many left, better directions for all pay.
_ALL_AT_ONCE, _WORTH_ALL = 512, 16


def one_vs_rest_distances(
    weights: object,
    *,
    normalise: bool = False,
    rows: Iterable[int] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Margin]:
    """Certified distance of each row to the convex hull of the other rows.

    dist_k = min { |w_k - sum_{j != k} z_j w_j| : z >= 0, sum_j z_j = 1 }

    Parameters:
        weights: (K, d) array or tensor, K >= 2, real and finite; taken as exact float64.
        normalise: measure the unit vectors w_k / |w_k| instead of the rows as given.
        rows: only these rows, each once; all without.
        workers: processes to share the work; they change nothing but the time.
        progress: called with (rows done, rows in all, "rows") after each block.

    Returns:
        One `Margin` a row, in order. Equal rows have distance exactly 0; a row inside the hull
        has lower = 0. On generic input (upper - lower) <= 1e-9 upper. A permutation of the rows
        permutes the result and changes no interval.

    Raises:
        InputError: `weights` is not such a matrix, or has a zero row to be normalised; `rows`
            are not rows of it; no workers.

    Source: gnc, Definition 2.1 and (3).

    >>> [round(m.lower, 9) for m in one_vs_rest_distances([[1, 0], [0, 1], [-1, 0], [0, -1]])]
    [1.0, 1.0, 1.0, 1.0]
    """
    found = one_vs_rest_distances_as_found(
        weights, normalise=normalise, rows=rows, workers=workers, progress=progress
    )
    return sorted(found, key=lambda margin: margin.row)


def one_vs_rest_distances_as_found(
    weights: object,
    *,
    normalise: bool = False,
    rows: Iterable[int] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Iterator[Margin]:
    """Yield what `one_vs_rest_distances` returns, each margin once it is known, in any order.

    For matrices whose certificates together (one direction of d numbers a row) are too many to
    hold. Parameters and errors are those of `one_vs_rest_distances`.

    >>> sorted(m.row for m in one_vs_rest_distances_as_found([[0.0], [1.0], [3.0]]))
    [0, 1, 2]
    """
    given = _weight_rows(weights, normalise)
    wanted = range(len(given)) if rows is None else _checked_rows(rows, len(given))
    if workers < 1:
        raise InputError("workers", workers, "at least 1")
    return _stream(given, normalise, wanted, workers, progress)


def _stream(
    given: Floats,
    normalise: bool,
    wanted: Sequence[int],
    workers: int,
    progress: Progress | None,
) -> Iterator[Margin]:
    points = _Points.of(given, normalise)
    alone = [k for k in wanted if len(points.rows[points.point[k]]) == 1]
    for k in set(wanted).difference(alone):
        yield points.margin_of_equal_row(k)
    targets = np.sort(points.point[alone])
    done = len(wanted) - len(alone)
    for margins in _each_block(points, targets, workers):
        yield from margins
        done += len(margins)
        if progress:
            progress(done, len(wanted), "rows")


def least_one_vs_rest_distance(weights: object, *, normalise: bool = False) -> tuple[float, float]:
    """Certified interval for the least one-vs-rest distance, rho_one-vs-rest(W).

    The same as the least over `one_vs_rest_distances`, but rows that a cheap lower bound rules
    out are not searched: (<w_k, h_k> - max_j <w_j, h_k>) / |h_k|, for the direction h_k of w_k
    seen from the mean, and then from some near point of the hull of the others.

    Parameters and errors are those of `one_vs_rest_distances`. Returns (lower, upper).

    Source: gnc, Definition 2.1, (3).

    >>> low, high = least_one_vs_rest_distance([[2, 0], [-1, 0], [-3, 0]])
    >>> low, high < 1e-14
    (0.0, True)
    """
    points = _Points.of(_weight_rows(weights, normalise), normalise)
    if any(len(rows) > 1 for rows in points.rows):
        return 0.0, 0.0
    everyone = np.arange(len(points.rows))
    bounds = points.lower_bounds(everyone, points.cloud.centred)
    left = np.argsort(bounds, kind="stable")
    lower = upper = np.inf
    size = 4
    while len(left):
        margins = points.margins(np.sort(left[:size]))
        lower = min(lower, *(margin.lower for margin in margins))
        upper = min(upper, *(margin.upper for margin in margins))
        left = left[size:][bounds[left[size:]] < upper]
        if size == 4 and len(left) > _WORTH_ALL and len(bounds) <= _ALL_AT_ONCE:
            better = points.lower_bounds(left, rough_directions(points.cloud, left))
            bounds[left] = np.maximum(bounds[left], better)
            left = left[np.argsort(bounds[left], kind="stable")]
            left = left[bounds[left] < upper]
        size = min(2 * size, _BLOCK)
    return float(lower), float(upper)


def distance_at_most(points: Floats, row: int, support: Indices, weights: Floats) -> float:
    """An upper end of a one-vs-rest distance: from a row to a convex combination of others.

    Of the unit vectors w_k / |w_k| of float64 rows; `weights` >= 0, not all zero.

    >>> square = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> 1 < distance_at_most(square, 0, np.array([1, 2]), np.ones(2)) < 1 + 1e-13
    True
    """
    rows = points[np.r_[row, support]]
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    moved = 2 * _gamma(points.shape[1])
    return float(np.nextafter(_upper_end(rows[0] - rows[1:], weights) + moved, np.inf))


def margin_table(margins: Sequence[Margin]) -> dict[str, Any]:
    """The intervals of all rows and of their minimum as plain data.

    Returns {"rows": [{"row", "lower", "upper"}, ...], "min": {"lower", "upper"}}.

    >>> margin_table(one_vs_rest_distances([[0.0], [3.0]]))["min"]["upper"] >= 3
    True
    """
    least = {
        "lower": min(margin.lower for margin in margins),
        "upper": min(margin.upper for margin in margins),
    }
    return {"rows": [margin.to_dict() for margin in margins], "min": least}


def host_array(parameter: str, value: object, kinds: str = "fiu") -> NDArray[Any]:
    """A real NumPy array of an array, tensor or nested list, copied only where it must be.

    Tensors are recognised by their methods, so that no deep learning library is imported;
    bfloat16, which NumPy lacks, becomes float32. Other `kinds` of `numpy.dtype` are let in only for
    a later check that has a better word for them.

    Raises:
        InputError: not rectangular, or not of real numbers.
    """
    try:
        if callable(getattr(value, "detach", None)):
            tensor: Any = value.detach().cpu()  # type: ignore[attr-defined]
            value = tensor.float().numpy() if "bfloat16" in str(tensor.dtype) else tensor.numpy()
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(parameter, type(value).__name__, "a rectangular dense array") from None
    if array.dtype.kind not in kinds:
        raise InputError(parameter, f"array of dtype {array.dtype}", "an array of real numbers")
    return array


def _weight_rows(weights: object, normalise: bool) -> Floats:
    array = host_array("weights", weights)
    if array.ndim != 2 or array.shape[0] < 2 or array.shape[1] < 1:
        raise InputError("weights", f"array of shape {array.shape}", "(K, d) with K >= 2, d >= 1")
    rows: Floats = array.astype(np.float64)
    if not np.isfinite(rows).all():
        raise InputError("weights", "NaN or infinite entries", "finite")
    largest = float(np.abs(rows).max())
    if largest and not _SMALLEST <= largest <= _LARGEST:
        domain = f"zero or between {_SMALLEST} and {_LARGEST} in its largest magnitude"
        raise InputError("weights", largest, domain, "rescale by a power of two")
    if normalise and not np.abs(rows).max(axis=1).min() > _SMALLEST:
        row = int(np.abs(rows).max(axis=1).argmin())
        raise InputError("weights", f"zero in row {row}", "non-zero in each row to normalise it")
    return rows


def _checked_rows(rows: Iterable[int], K: int) -> list[int]:
    wanted = list(dict.fromkeys(rows))
    for k in wanted:
        if not 0 <= k < K:
            raise InputError("rows", k, f"among 0 .. {K - 1}")
    return wanted


@dataclass(frozen=True, eq=False)
class _Points:
    """The different rows of a matrix in the order of their bytes, scaled by 2^-exponent."""

    cloud: Cloud
    exponent: int
    rows: list[Indices]
    """The given rows that are equal to each point."""
    point: Indices
    """The point of each given row."""
    normalised: bool

    @classmethod
    def of(cls, given: Floats, normalise: bool) -> _Points:
        given = given + 0.0  # without negative zeros: equal rows have equal bytes
        groups: dict[bytes, list[int]] = {}
        for k, row in enumerate(given):
            groups.setdefault(row.tobytes(), []).append(k)
        rows = [np.array(groups[key]) for key in sorted(groups)]
        point = np.empty(len(given), dtype=np.int64)
        for i, own in enumerate(rows):
            point[own] = i
        different = given[[own[0] for own in rows]]
        exponent = 0
        if normalise:
            different = different / np.linalg.norm(different, axis=1, keepdims=True)
        else:
            exponent = int(np.frexp(np.abs(different).max())[1])
            different = np.ldexp(different, -exponent)
        return cls(Cloud.of(different), exponent, rows, point, normalise)

    @property
    def moved(self) -> float:
        """How much rounding the rows to unit length can move a distance: an error for each end."""
        return 2 * _gamma(self.cloud.points.shape[1]) if self.normalised else 0.0

    def margin_of_equal_row(self, k: int) -> Margin:
        """A row that is there twice is at distance 0 of the rest."""
        others = self.rows[self.point[k]]
        twin = others[others != k][:1]
        nowhere = np.zeros(self.cloud.points.shape[1])
        return Margin(k, 0.0, 0.0, twin, np.ones(1), nowhere, self.normalised)

    def margins(self, targets: Indices) -> list[Margin]:
        """The margins of some points that are different from all others, in one block."""
        found = nearest_points(self.cloud, targets)
        reached = np.stack([nearest.direction for nearest in found]) @ self.cloud.centred.T
        return [
            self._margin(k, nearest, products)
            for k, nearest, products in zip(targets, found, reached, strict=True)
        ]

    def _margin(self, k: int, nearest: Nearest, products: Floats) -> Margin:
        row = self.cloud.points[k]
        upper = _upper_end(row - self.cloud.points[nearest.support], nearest.weights)
        lower = self._lower(k, nearest.direction, products) if nearest.outside else 0.0
        lower = max(0.0, np.nextafter(np.ldexp(lower, self.exponent) - self.moved, -np.inf))
        upper = np.nextafter(np.ldexp(upper, self.exponent) + self.moved, np.inf)
        direction = nearest.direction if lower > 0 else np.zeros_like(nearest.direction)
        support = np.array([self.rows[j][0] for j in nearest.support])
        weights = nearest.weights
        return Margin(
            int(self.rows[k][0]), float(lower), float(upper), support, weights, direction,
            self.normalised,
        )  # fmt: skip

    def _lower(self, k: int, h: Floats, products: Floats) -> float:
        """min_{j != k} <w_k - w_j, h> / |h|, rounded down; `products` are <C_j, h> for all j."""
        points, d = self.cloud.points, len(h)
        norm, level = _length(h), float(h @ h)
        error = 2 * _gamma(d) * self.cloud.lengths.max() * norm + _TINY
        in_doubt = products > products[k] - level - error
        in_doubt[k] = False
        doubtful = np.flatnonzero(in_doubt)
        least = level if len(doubtful) < len(points) - 1 else np.inf
        step = max(1, _BLOCK_ENTRIES // d)
        for start in range(0, len(doubtful), step):
            differences = points[k] - points[doubtful[start : start + step]]
            least = min(least, _least_product(differences, h))
        if not least > 0:
            return 0.0
        return float(least / (norm * (1 + _gamma(d))) * (1 - _gamma(0)))

    def lower_bounds(self, targets: Indices, directions: Floats) -> Floats:
        """min_{j != k} <w_k - w_j, h_k> / |h_k|, rounded down, for a direction of each target."""
        C, lengths = self.cloud.centred, np.linalg.norm(directions, axis=1)
        K, d = C.shape
        bounds = np.zeros(len(targets))
        step = max(1, _BLOCK_ENTRIES // K)
        for start in range(0, len(targets), step):
            block = slice(start, start + step)
            products = directions[block] @ C.T
            own = np.arange(len(products)), targets[block]
            reached = products[own]
            products[own] = -np.inf
            error = 2 * _gamma(d) * lengths[block] * self.cloud.lengths.max() + _TINY
            slack = reached - products.max(axis=1) - error
            positive = slack > 0
            bounds[block][positive] = slack[positive] / lengths[block][positive] * (1 - _gamma(d))
        given = np.ldexp(bounds, self.exponent) - self.moved
        return np.maximum(np.nextafter(given, -np.inf), 0.0)


def _each_block(points: _Points, targets: Indices, workers: int) -> Iterator[list[Margin]]:
    """The margins of the targets, block by block, in any order.

    The blocks are the same whoever works on them.
    """
    size = min(_BLOCK, max(1, _BLOCK_ENTRIES // len(points.rows)))
    blocks = [targets[start : start + size] for start in range(0, len(targets), size)]
    if workers == 1 or len(blocks) < 2:
        yield from map(points.margins, blocks)
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = Parallel(n_jobs=min(workers, len(blocks)), return_as="generator_unordered")
        yield from parallel(delayed(points.margins)(block) for block in blocks)


def _gamma(terms: int) -> float:
    return 2 * (terms + 8) * _UNIT_ROUNDOFF


def _upper_end(rows: Floats, z: Floats) -> float:
    """|sum z_j D_j| / sum z_j, rounded up."""
    m, d = rows.shape
    error = _gamma(m) * (z @ np.abs(rows)) + _TINY
    length = _length(z @ rows) + _length(error)
    return float(length * (1 + _gamma(d)) / (z.sum() * (1 - _gamma(m))))


def _least_product(differences: Floats, h: Floats) -> float:
    """min_j <D_j, h>, rounded down."""
    error = _gamma(len(h)) * (np.abs(differences) @ np.abs(h)) + _TINY
    return float((differences @ h - error).min())


def _length(vector: Floats) -> float:
    """Euclidean norm whose squares cannot underflow: relative error at most _gamma(d)/2."""
    largest = float(np.abs(vector).max())
    return largest * float(np.linalg.norm(vector / largest)) if largest else 0.0
