"""One-vs-rest distances with certificates: how far each row lies from the convex hull of the rest.

A convex combination of the other rows gives an upper bound on the distance, a separating direction
gives a lower bound, and at the nearest point of the hull the two meet. The search below may be
as careless as floating point is: what it finds is evaluated with an error bound that is added to
the upper end and taken from the lower end, so the interval holds the true distance whatever
the search did. `check_margin` recomputes both ends in ball arithmetic from the certificate alone.

The error bound. Let u = 2^-53. The differences D_j = fl(w_k - w_j) have a relative error of at
most u in each entry, and a sum of m products, in whatever order and with or without fused
operations, has an error of at most gamma_m sum |a_i b_i| with gamma_m = m u / (1 - m u) (Higham,
Accuracy and Stability of Numerical Algorithms, Sec. 3.1). `_gamma(m)` = 2 (m + 8) u is larger than
all such errors of a step put together for m < 2^40, its own evaluation included, and `_TINY`
covers products that underflow: D is scaled by a power of two so that its entries are of order one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.errors import InputError

Floats = NDArray[np.float64]

_UNIT_ROUNDOFF = 2.0**-53
_TINY = 2.0**-1000
_SMALLEST, _LARGEST = 1e-100, 1e100
_ALL_AT_ONCE = 400
_INSIDE = 1e-30


@dataclass(frozen=True, eq=False)
class Margin:
    """The one-vs-rest distance of one row, enclosed, with the evidence for both ends.

    `lower <= distance <= upper` holds for the row as given or, if `normalised`, for the exact unit
    rows. `support` and `weights` are the convex combination behind `upper`: rows of the matrix
    and their non-negative weights, which are taken relative to their sum. `direction` separates
    the row from the rest and proves `lower`; it is zero where `lower` is 0.
    """

    row: int
    lower: float
    upper: float
    support: NDArray[np.int64]
    weights: Floats
    direction: Floats
    normalised: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The interval as plain data, without its certificate."""
        return {"row": self.row, "lower": self.lower, "upper": self.upper}


def one_vs_rest_distances(weights: object, *, normalise: bool = False) -> list[Margin]:
    """Certified distance of each row to the convex hull of the other rows.

    dist_k = min { |w_k - sum_{j != k} z_j w_j| : z >= 0, sum_j z_j = 1 }

    Parameters:
        weights: (K, d) array or tensor, K >= 2, real and finite; taken as exact float64.
        normalise: measure the unit vectors w_k / |w_k| instead of the rows as given.

    Returns:
        One `Margin` a row, in order. Equal rows have distance exactly 0; a row inside the hull
        has lower = 0. On generic input (upper - lower) <= 1e-9 upper.

    Raises:
        InputError: `weights` is not such a matrix, or has a zero row to be normalised.

    Source: gnc, Definition 2.1 and (3); the search is Lawson and Hanson, Solving Least Squares
    Problems, ch. 23 (non-negative least squares finds the shortest vector of a hull).

    >>> [round(m.lower, 9) for m in one_vs_rest_distances([[1, 0], [0, 1], [-1, 0], [0, -1]])]
    [1.0, 1.0, 1.0, 1.0]
    """
    given = _weight_rows(weights, normalise)
    rows = _unit_rows(given) if normalise else given
    return [_margin(given, rows, k, normalise) for k in range(len(rows))]


def least_one_vs_rest_distance(weights: object, *, normalise: bool = False) -> tuple[float, float]:
    """Certified interval for the least one-vs-rest distance, rho_one-vs-rest(W).

    The same as the least over `one_vs_rest_distances`, but rows that a cheap lower bound rules
    out are not searched: (|w_k|^2 - max_j <w_k, w_j>) / |w_k|, from the direction w_k itself.

    Parameters and errors are those of `one_vs_rest_distances`. Returns (lower, upper).

    Source: gnc, Definition 2.1, (3).

    >>> low, high = least_one_vs_rest_distance([[2, 0], [-1, 0], [-3, 0]])
    >>> low, high < 1e-14
    (0.0, True)
    """
    given = _weight_rows(weights, normalise)
    rows = _unit_rows(given) if normalise else given
    bounds = _cheap_lower_bounds(rows) - (_unit_row_error(rows) if normalise else 0.0)
    lower = upper = np.inf
    for k in np.argsort(bounds):
        if bounds[k] >= upper:
            break
        margin = _margin(given, rows, int(k), normalise)
        lower, upper = min(lower, margin.lower), min(upper, margin.upper)
        if upper == 0:
            break
    return float(lower), float(upper)


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


def check_margin(weights: object, margin: Margin, *, precision: int = 128) -> bool:
    """Re-verify a margin from its certificate alone, in ball arithmetic.

    True if it is certain that |w_k - sum z_j w_j / sum z_j| <= upper and that
    min_j <w_k - w_j, h> / |h| >= lower (or lower = 0). Trusts nothing of the search.

    Parameters:
        weights: (K, d), the same rows.
        margin: what `one_vs_rest_distances` returned.
        precision: of the balls, in bits.

    >>> W = [[1.0, 0.0], [0.0, 1.0], [-3.0, 2.0]]
    >>> all(check_margin(W, margin) for margin in one_vs_rest_distances(W))
    True
    """
    from flint import arb, ctx

    given = _weight_rows(weights, margin.normalised)
    K, d = given.shape
    support, k = [int(j) for j in margin.support], margin.row
    if not 0 <= k < K or len(support) != len(margin.weights) or len(margin.direction) != d:
        return False
    if k in support or not all(0 <= j < K for j in support) or not np.all(margin.weights >= 0):
        return False
    with ctx.workprec(precision):
        rows = [[arb(x) for x in row] for row in given.tolist()]
        equal = [row == rows[k] for row in rows]
        if margin.normalised:
            rows = [[x / norm for x in row] for row in rows for norm in [_ball_norm(row)]]
        differences = [
            [arb(0) if same else a - b for a, b in zip(rows[k], row, strict=True)]
            for row, same in zip(rows, equal, strict=True)
        ]
        z, h = ([arb(x) for x in vector.tolist()] for vector in (margin.weights, margin.direction))
        offset = [_ball_dot(z, [differences[j][i] for j in support]) for i in range(d)]
        total = sum(z, arb(0))
        if not (total > 0 and _ball_norm(offset) <= arb(margin.upper) * total):
            return False
        needed = arb(margin.lower) * _ball_norm(h)
        apart = all(_ball_dot(differences[j], h) >= needed for j in range(K) if j != k)
        return margin.lower == 0 or (margin.lower > 0 and _ball_norm(h) > 0 and apart)


def _ball_dot(x: Sequence[Any], y: Sequence[Any]) -> Any:
    return sum((a * b for a, b in zip(x, y, strict=True)), 0 * x[0])


def _ball_norm(x: Sequence[Any]) -> Any:
    return _ball_dot(x, x).sqrt()


def host_array(parameter: str, value: object) -> NDArray[Any]:
    """A real NumPy array of an array, tensor or nested list, copied only where it must be.

    Tensors are recognised by their methods, so that no deep learning library is imported;
    bfloat16, which NumPy lacks, becomes float32.

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
    if array.dtype.kind not in "fiu":
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


def _unit_rows(rows: Floats) -> Floats:
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _unit_row_error(rows: Floats) -> float:
    """How much rounding the rows to unit length can move a distance: one error for each end."""
    return 2 * _gamma(rows.shape[1])


def _gamma(terms: int) -> float:
    return 2 * (terms + 8) * _UNIT_ROUNDOFF


def _margin(given: Floats, rows: Floats, k: int, normalised: bool) -> Margin:
    others = np.delete(np.arange(len(rows)), k)
    equal = np.flatnonzero((given[others] == given[k]).all(axis=1))
    if len(equal):
        nowhere = np.zeros(rows.shape[1])
        return Margin(k, 0.0, 0.0, others[equal[:1]], np.ones(1), nowhere, normalised)
    differences = rows[k] - rows[others]
    exponent = int(np.frexp(np.abs(differences).max())[1])
    scaled = np.ldexp(differences, -exponent)
    lower, upper, support, z, h = _nearest_hull_point(scaled)
    moved = _unit_row_error(rows) if normalised else 0.0
    lower = max(0.0, np.nextafter(np.ldexp(lower, exponent) - moved, -np.inf))
    upper = np.nextafter(np.ldexp(upper, exponent) + moved, np.inf)
    h = h if lower > 0 else np.zeros_like(h)
    return Margin(k, float(lower), float(upper), others[support], z, h, normalised)


def _cheap_lower_bounds(rows: Floats) -> Floats:
    """(|w_k|^2 - max_{j != k} <w_k, w_j>) / |w_k|, rounded down; 0 where that says nothing."""
    K, d = rows.shape
    norms = np.linalg.norm(rows, axis=1)
    bounds = np.zeros(K)
    step = max(1, 2**22 // K)
    for start in range(0, K, step):
        block = slice(start, start + step)
        products = rows[block] @ rows.T
        products[np.arange(len(products)), np.arange(K)[block]] = -np.inf
        error = 4 * _gamma(d) * norms[block] * norms.max() + _TINY
        slack = norms[block] ** 2 - products.max(axis=1) - error
        positive = slack > 0
        bounds[block][positive] = slack[positive] / norms[block][positive] * (1 - _gamma(d))
    return bounds


def _nearest_hull_point(
    differences: Floats,
) -> tuple[float, float, NDArray[np.int64], Floats, Floats]:
    """(lower, upper, support, z, h) for the shortest vector in the hull of the (m, d) rows.

    Non-negative least squares is fast but, on rows as regular as a root system's, sometimes
    stops far from the optimum without a word; Wolfe's method finishes what it leaves.
    """
    support, z = _first_guess(differences)
    support, z, h = _wolfe(differences, support, z)
    z, h = z / z.sum(), h / (_length(h) or 1.0)
    return _lower_end(differences, h), _upper_end(differences[support], z), support, z, h


def _first_guess(differences: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Support and weights from the nearest rows and those that their optimum does not separate.

    Of thousands of rows few matter: working on those costs a tenth of working on all.
    """
    order = np.argsort(np.einsum("ij,ij->i", differences, differences), kind="stable")
    active = order[:_ALL_AT_ONCE]
    while True:
        z = _nonnegative_least_squares(differences[active])
        support, z = active[z > 0], z[z > 0] / z.sum()
        direction = z @ differences[support]
        products = differences @ direction
        products[active] = np.inf
        behind = np.flatnonzero(products < (direction @ direction) * (1 - 1e-9))
        if not len(behind):
            return support, z
        worst = behind[np.argsort(products[behind])][:_ALL_AT_ONCE]
        active = np.concatenate([active, worst])


def _nonnegative_least_squares(differences: Floats) -> Floats:
    """Weights z >= 0, positive somewhere, of the least |[D^T; 1^T] z - [0; 1]|.

    The minimiser is a multiple of the convex combination of least norm: no penalty parameter.
    """
    from scipy.optimize import nnls

    m, d = differences.shape
    system = np.vstack([differences.T, np.ones(m)])
    target = np.zeros(d + 1)
    target[-1] = 1.0
    nearest = np.zeros(m)
    nearest[0] = 1.0
    try:
        z: Floats = nnls(system, target, maxiter=30 * m)[0]
    except RuntimeError:
        return nearest
    return z if z.sum() > 0 else nearest


def _wolfe(
    differences: Floats, support: NDArray[np.int64], z: Floats
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Wolfe's nearest point method from a given convex combination: (support, z, direction).

    A major step takes in the row farthest behind the current direction; minor steps walk to
    the shortest vector of the affine hull of the support and drop the rows whose weight runs out.
    """
    support, z, x = _minor_steps(differences, support, z)
    level = float(x @ x)
    while level > _INSIDE:
        products = differences @ x
        entering = int(np.argmin(products))
        if products[entering] >= level * (1 - 1e-12) or entering in support:
            break
        longer = np.append(support, entering), np.append(z, 0.0)
        next_support, next_z, next_x = _minor_steps(differences, *longer)
        if not next_x @ next_x < level:
            break
        support, z, x, level = next_support, next_z, next_x, float(next_x @ next_x)
    return support, z, x


def _minor_steps(
    differences: Floats, support: NDArray[np.int64], z: Floats
) -> tuple[NDArray[np.int64], Floats, Floats]:
    while True:
        y, x = _shortest_of_affine_hull(differences[support])
        if y.min() > -1e-14:
            kept = y > 1e-14
            return support[kept], y[kept] / y[kept].sum(), x
        outward = np.flatnonzero(y < 0)
        steps = z[outward] / (z[outward] - y[outward])
        z = np.maximum(z + steps.min() * (y - z), 0.0)
        spent = outward[steps == steps.min()]
        support, z = np.delete(support, spent), np.delete(z, spent)


def _shortest_of_affine_hull(rows: Floats) -> tuple[Floats, Floats]:
    """Weights of sum 1, of either sign, and the shortest vector that they combine to.

    By orthogonal projection, not through a Gram matrix, whose condition is the square of this.
    """
    from scipy.linalg import qr, solve_triangular

    if len(rows) == 1:
        return np.ones(1), rows[0]
    Q, R, order = qr((rows[1:] - rows[0]).T, mode="economic", pivoting=True)
    pivots = np.abs(np.diag(R))
    rank = int((pivots > 1e-13 * pivots[0]).sum())
    Q, R = Q[:, :rank], R[:rank, :rank]
    y = np.zeros(len(rows) - 1)
    y[order[:rank]] = solve_triangular(R, -(Q.T @ rows[0]))
    x = rows[0] - Q @ (Q.T @ rows[0])
    return np.concatenate([[1 - y.sum()], y]), x


def _upper_end(rows: Floats, z: Floats) -> float:
    """|sum z_j D_j| / sum z_j, rounded up."""
    m, d = rows.shape
    error = _gamma(m) * (z @ np.abs(rows)) + _TINY
    length = _length(z @ rows) + _length(error)
    return float(length * (1 + _gamma(d)) / (z.sum() * (1 - _gamma(m))))


def _lower_end(differences: Floats, h: Floats) -> float:
    """min_j <D_j, h> / |h|, rounded down; 0 where the direction separates nothing."""
    d, norm = len(h), _length(h)
    error = _gamma(d) * (np.abs(differences) @ np.abs(h)) + _TINY
    least = float((differences @ h - error).min())
    if not least > 0:
        return 0.0
    return float(least / (norm * (1 + _gamma(d))) * (1 - _gamma(0)))


def _length(vector: Floats) -> float:
    """Euclidean norm whose squares cannot underflow: relative error at most _gamma(d)/2."""
    largest = float(np.abs(vector).max())
    return largest * float(np.linalg.norm(vector / largest)) if largest else 0.0
