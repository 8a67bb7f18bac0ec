"""How large the Rademacher complexity of a binary-tree convolutional network really is.

The class is that of `square:theorem-4`. An input has `d = 2^L` entries. Level `l` replaces
neighbours `(v_1, v_2), (v_3, v_4), ...` by their inner products with one kernel `W^l` in R^2, the
same for all nodes of the level, so that L levels lead to one number. A ReLU follows every level but
the last, which is linear, and the product of the kernels' norms is at most `rho`. By positive
homogeneity `|W^l| = 1` below the top and `|W^L| = rho` lose nothing: what is left to choose is an
angle a level, and the supremum over the top kernel is a norm.

Two normalisations are in use, and they differ by a factor that decides whether a bound holds:

    R     = (2/m) E_sigma sup_h |sum_i sigma_i h(x_i)|     `square:definition-1`
    R_hat = (1/m) E_sigma sup_h |sum_i sigma_i h(x_i)|     the common one

`tree_rademacher` encloses both by enumerating the sign vectors. For fixed signs:

- Two levels. At the angle t of W^1, with w = (cos t, sin t), the supremum over W^2 is
  `|sum_i sigma_i (relu(w . a_i), relu(w . b_i))|`, a_i and b_i the halves of x_i. Between two
  neighbouring angles where some `w . a_i` or `w . b_i` vanishes this is `|A w|` for one 2 x 2
  matrix A, largest on that arc at the top singular direction of A or at an end: a finite search.
- More levels. The same search runs on the features that the lower levels compute; their angles are
  searched by branch and bound (L = 3, 4) or only from many starts (L >= 5: no upper bound then).

Rounding. The lower end is `|sum_i sigma_i h(x_i)|` at explicit kernels, in ball arithmetic. The
upper end is computed in float64 and widened by `2^-40 Lambda`, `Lambda = sum_i |x_i|`. That is far
more than rounding can hide (u = 2^-53, at most 16 samples, data scaled by a power of two to a
largest entry in [1/2, 1); sine, cosine and arc tangent need only be right to 2^-46, a hundred units
in the last place):

1. *The computed features of a sample* are off by a few u times |x_i|: every level maps R^2k to R^k
   with orthonormal rows, so that it neither enlarges the input nor earlier errors.
2. *The breakpoints* are off by less than 2^-45. A unit p whose activity is decided wrongly
   somewhere on an arc, in its middle or near an end, has its zero that close, hence
   `|w . p| <= 2^-42 |p|` there, and its share of the sum changes by no more. All units together:
   2^-42 Lambda.
3. *The largest |A w| on an arc*. A is off by 16 u Lambda. `|A w|^2 = a + r cos 2(t - t*)`, r <= a;
   the computed t* may be wrong by e only where `r e` is a few u times a, so the value that this
   costs is a few u times |A w|.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb

from ncbounds.arithmetic.balls import precision
from ncbounds.errors import InputError

Array = npt.NDArray[np.float64]

DEFINITION = "R = (2/m) E_sigma sup_h |sum_i sigma_i h(x_i)|"
MAX_SAMPLES = 16
MAX_SAMPLES_DEEP = 12
MAX_BOUNDED_DEPTH = 4
MAX_DEPTH = 10

_ROUNDING = 2.0**-40
_PRECISION = 128
_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Complexity:
    """A certified enclosure of the empirical Rademacher complexity of the tree networks on X.

    `lower <= R <= upper` in the normalisation that `definition` spells out, with the factor 2;
    `hat` gives the enclosure of `R_hat = R / 2`. `upper` is None where no upper bound was computed.
    `signs` (S, m) holds one of each pair of opposite sign vectors, S = 2^(m-1); `suprema` (S,) are
    certified lower bounds of `sup_h |sum_i sigma_i h(x_i)|` for each, and `kernels` (S, L, 2) the
    networks that attain them, with `|W^l| = 1` for l < L and `|W^L| = rho` up to rounding.
    """

    m: int
    d: int
    depth: int
    rho: float
    lower: float
    upper: float | None
    definition: str
    signs: Array = field(repr=False)
    suprema: Array = field(repr=False)
    kernels: Array = field(repr=False)

    @property
    def hat(self) -> tuple[float, float | None]:
        """The enclosure of `R_hat`, without the factor 2."""
        return self.lower / 2, None if self.upper is None else self.upper / 2

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, ready for JSON."""
        return {
            "m": self.m,
            "d": self.d,
            "depth": self.depth,
            "rho": self.rho,
            "lower": self.lower,
            "upper": self.upper,
            "definition": self.definition,
            "signs": self.signs.tolist(),
            "suprema": self.suprema.tolist(),
            "kernels": self.kernels.tolist(),
        }


def tree_network(x: npt.ArrayLike, kernels: npt.ArrayLike) -> Array:
    """Evaluate one binary-tree network.

    `x` has shape (..., d) with d = 2^L, `kernels` shape (L, 2), the bottom level first; the result
    has shape (...). Every level but the last is followed by a ReLU. Raises InputError if the shapes
    do not fit or an entry is not finite. Source: `square`, section 4.3.

    >>> float(tree_network([3.0, 4.0, -3.0, -4.0], [[0.6, 0.8], [1.0, 1.0]]))
    5.0
    """
    W = _kernels(kernels)
    v = _finite("x", x)
    if v.ndim == 0 or v.shape[-1] != 2 ** len(W):
        domain = f"an array of shape (..., {2 ** len(W)}): {len(W)} levels need that many inputs"
        raise InputError("x", f"array of shape {v.shape}", domain)
    for kernel in W[:-1]:
        v = np.maximum(_pairs(v) @ kernel, 0.0)
    top: Array = (_pairs(v) @ W[-1])[..., 0]
    return top


def toeplitz_matrices(kernels: npt.ArrayLike, d: int) -> list[Array]:
    """Return the matrix of every level, the bottom first, as a dense network would need them.

    `kernels` has shape (L, 2) and `d = 2^L`. Level l has `2^(L-l)` rows, each the kernel shifted by
    its stride 2, so that its Frobenius norm is `sqrt(2^(L-l)) |W^l|`: a bound for dense networks
    pays it, one that knows of the shared kernel does not. Raises InputError if the shapes do not
    fit. Source: `square`, section 4.3 and equation 25.

    >>> [matrix.shape for matrix in toeplitz_matrices([[1.0, 0.0], [0.6, 0.8]], 4)]
    [(2, 4), (1, 2)]
    """
    W = _kernels(kernels)
    if d != 2 ** len(W):
        raise InputError("d", d, f"2^L = {2 ** len(W)} for L = {len(W)} kernels")
    rows = (2 ** (len(W) - level) for level in range(1, len(W) + 1))
    return [np.kron(np.eye(n), kernel) for n, kernel in zip(rows, W, strict=True)]


def tree_rademacher(
    X: npt.ArrayLike,
    rho: float = 1.0,
    *,
    tolerance: float = 1e-3,
    max_boxes: int = 200_000,
    seed: int = 0,
) -> Complexity:
    """Enclose the empirical Rademacher complexity of the binary-tree networks on the rows of X.

    Use it as the judge of a bound: a bound below `lower` is wrong, and one above `upper` gives away
    at least the factor `bound / upper`.

    `X` has shape (m, d), d = 2^L, 1 <= L <= 10, and at most 16 rows (12 if L >= 3), since 2^(m-1)
    sign vectors are enumerated. `rho > 0` bounds the product of the kernels' norms. For L <= 2 the
    enclosure is about 1e-11 wide, relatively. For L = 3 and 4 branch and bound stops at the
    relative `tolerance`, or after `max_boxes` boxes with an upper bound that is valid and wider.
    For L >= 5 `upper` is None. `seed` fixes the random starts of the search. Raises InputError
    outside this domain. Source of the class: `square:theorem-4`; of R: `square:definition-1`.

    >>> result = tree_rademacher([[3.0, 4.0]])
    >>> round(result.lower, 9), round(result.hat[0], 9)
    (10.0, 5.0)
    """
    sample = _sample(X)
    _check_options(rho, tolerance, max_boxes)
    m, d = sample.shape
    depth = d.bit_length() - 1
    exponent = math.frexp(float(np.max(np.abs(sample))))[1]
    scaled = np.ldexp(sample, -exponent)
    signs = _sign_vectors(m)

    angles = _search(scaled, signs, depth, np.random.default_rng(seed))
    upper: Array | None = None
    if depth <= MAX_BOUNDED_DEPTH:
        angles, upper = _branch_and_bound(scaled, signs, angles, tolerance, max_boxes)
    _, inner = _top_levels(_lower_features(scaled, angles), signs)
    below = np.concatenate([angles, inner], axis=1)
    with precision(_PRECISION):
        tops, suprema = _certify(sample, signs, below)
        factor = arb(2) * arb(rho) / (m * len(signs))
        result = Complexity(
            m=m,
            d=d,
            depth=depth,
            rho=float(rho),
            lower=_round(sum(suprema, arb(0)) * factor, down=True),
            upper=None if upper is None else _upper_end(upper, exponent, factor),
            definition=DEFINITION,
            signs=signs,
            suprema=np.array([_round(s * arb(rho), down=True) for s in suprema]),
            kernels=np.concatenate([_directions(below), rho * tops[:, None, :]], axis=1),
        )
    if not (math.isfinite(result.lower) and math.isfinite(result.upper or 0.0)):
        raise InputError("X", "data times rho", "small enough that the complexity is a float")
    return result


def _pairs(v: Array) -> Array:
    return v.reshape(*v.shape[:-1], -1, 2)


def _directions(angles: Array) -> Array:
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _sign_vectors(m: int) -> Array:
    """One of each pair of opposite sign vectors, (2^(m-1), m): the first sign is +1."""
    bits = np.arange(2 ** (m - 1))[:, None] >> np.arange(m - 1) & 1
    signs = np.ones((2 ** (m - 1), m))
    signs[:, 1:] -= 2.0 * bits
    return signs


def _lower_features(X: Array, angles: Array) -> Array:
    """The features that enter the top two levels, (B, m, 4), for B choices of the lower angles.

    Without a lower angle the result has one row for all (1, m, d).
    """
    v = X[None]
    for level in range(angles.shape[1]):
        w = _directions(angles[:, level])[:, None, None, :]
        v = np.maximum(np.sum(_pairs(v) * w, axis=-1), 0.0)
    return v


def _top_levels(features: Array, signs: Array) -> tuple[Array, Array]:
    """Maximise the top two levels exactly; the value (B,) and the angle of the lower one (B, 1).

    `features` (B or 1, m, 4), `signs` (B, m). With two features a sample there is only the linear
    level, and no angle.
    """
    if features.shape[-1] == 2:
        top = np.sum(signs[:, :, None] * features, axis=1)
        return np.hypot(top[:, 0], top[:, 1]), np.empty((len(signs), 0))
    m = signs.shape[1]
    step = max(1, _CHUNK // (8 * m * m))
    values, angles = [], []
    for start in range(0, len(signs), step):
        part = slice(start, start + step)
        units = _pairs(features if len(features) == 1 else features[part]).swapaxes(-3, -2)
        ends = _arc_ends(units)
        value, angle = _maximise_over_arcs(units, signs[part], ends)
        best = np.argmax(value, axis=1)[:, None]
        values.append(np.take_along_axis(value, best, axis=1)[:, 0])
        angles.append(np.take_along_axis(angle, best, axis=1))
    return np.concatenate(values), np.concatenate(angles)


def _arc_ends(units: Array) -> Array:
    """The angles where some unit's activity changes, sorted: (B, 4m) for (B, 2, m, 2)."""
    normal = np.arctan2(units[..., 1], units[..., 0]).reshape(len(units), -1)
    return np.sort(np.concatenate([normal + np.pi / 2, normal - np.pi / 2], axis=1) % (2 * np.pi))


def _maximise_over_arcs(units: Array, signs: Array, ends: Array) -> tuple[Array, Array]:
    """The largest `|A w|` on every arc and its angle, both (B, number of arcs)."""
    width = np.diff(ends, axis=1, append=ends[:, :1] + 2 * np.pi)
    middle = _directions(ends + width / 2)
    active = (middle[:, None] @ units.swapaxes(-1, -2) > 0.0).astype(np.float64)
    if len(units) == 1:
        products = (active[0][..., None] * units[0][:, None]).transpose(2, 0, 1, 3)
        A = (signs @ products.reshape(signs.shape[1], -1)).reshape(-1, 2, ends.shape[1], 2)
    else:
        A = active @ (signs[:, None, :, None] * units)
    a, b, c, e = A[:, 0, :, 0], A[:, 0, :, 1], A[:, 1, :, 0], A[:, 1, :, 1]
    peak = 0.5 * np.arctan2(2 * (a * b + c * e), a * a + c * c - b * b - e * e)
    ahead = (peak - ends) % np.pi
    nearer_end = np.where(ahead - width < np.pi - ahead, width, 0.0)
    angle = ends + np.where(ahead <= width, ahead, nearer_end)
    x, y = np.cos(angle), np.sin(angle)
    value: Array = np.hypot(a * x + b * y, c * x + e * y)
    return value, angle


def _search(X: Array, signs: Array, depth: int, rng: np.random.Generator) -> Array:
    """Good lower angles for every sign vector, (S, L-2): many starts, then a shrinking cross."""
    free = max(depth - 2, 0)
    if free == 0:
        return np.empty((len(signs), 0))
    low, high = _ranges(free)
    starts = 64 if free == 1 else 48 * free
    grid = low + (high - low) * rng.random((starts, free))
    kept = 4
    score = np.stack([_evaluate(X, np.tile(g, (len(signs), 1)), signs) for g in grid], axis=1)
    order = np.argsort(-score, axis=1)[:, :kept]
    angles = grid[order].reshape(-1, free)
    many = np.repeat(signs, kept, axis=0)
    value = np.take_along_axis(score, order, axis=1).ravel()
    step = 0.3
    while step > 1e-8:
        before = value.copy()
        for axis in range(free):
            for direction in (step, -step):
                trial = angles.copy()
                trial[:, axis] += direction
                got = _evaluate(X, trial, many)
                better = got > value
                angles[better], value[better] = trial[better], got[better]
        if np.all(value <= before * (1 + 1e-12)) or np.mean(value > before) < 0.25:
            step *= 0.4
    winner = np.argmax(value.reshape(-1, kept), axis=1) + kept * np.arange(len(signs))
    found: Array = angles[winner]
    return found


def _evaluate(X: Array, angles: Array, signs: Array) -> Array:
    return _top_levels(_lower_features(X, angles), signs)[0]


def _ranges(free: int) -> tuple[Array, Array]:
    """Angles that matter: all at the bottom; above it a kernel that is negative twice gives 0."""
    low, high = np.full(free, -np.pi / 2), np.full(free, np.pi)
    low[:1], high[:1] = -np.pi, np.pi
    return low, high


def _branch_and_bound(
    X: Array, signs: Array, angles: Array, tolerance: float, max_boxes: int
) -> tuple[Array, Array]:
    """Better angles where a box held any, and a certified upper bound of each supremum, (S,).

    A box of lower angles is judged at its centre plus what its radius can add; it is dropped when
    that exceeds the best value known for its signs by no more than the tolerance allows, relative
    to the mean over all signs (samples that cancel have supremum 0), and halved in every angle
    otherwise. All sign vectors advance together.
    """
    free = angles.shape[1]
    rounding = _ROUNDING * float(np.sum(np.sqrt(np.sum(X * X, axis=1))))
    best, angles = _evaluate(X, angles, signs), angles.copy()
    if free == 0:
        return angles, _above(best, rounding)
    low, high = _ranges(free)
    pieces = 16
    radius = (high - low) / (2 * pieces)
    axes = [low[k] + radius[k] * (2 * np.arange(pieces) + 1) for k in range(free)]
    cell = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, free)
    centre = np.tile(cell, (len(signs), 1))
    owner = np.repeat(np.arange(len(signs)), len(cell))
    corners = np.array(np.meshgrid(*[[-0.5, 0.5]] * free)).reshape(free, -1).T

    upper = np.zeros(len(signs))
    spent = 0
    while True:
        value, reach = np.empty(len(centre)), np.empty(len(centre))
        for start in range(0, len(centre), 1 << 14):
            part = slice(start, start + (1 << 14))
            value[part] = _evaluate(X, centre[part], signs[owner[part]])
            reach[part] = _reach(X, centre[part], radius)
        spent += len(centre)
        _keep_best(value, centre, owner, best, angles)
        bound = _above(value + reach, rounding)
        open_ = bound > best[owner] + tolerance * best.mean()
        np.maximum.at(upper, owner[~open_], bound[~open_])
        if spent + np.count_nonzero(open_) * len(corners) > max_boxes:
            np.maximum.at(upper, owner[open_], bound[open_])
            break
        if not open_.any():
            break
        offspring = centre[open_][:, None, :] + corners * radius
        centre, owner = offspring.reshape(-1, free), np.repeat(owner[open_], len(corners))
        radius = radius / 2
    return angles, np.maximum(upper, _above(best, rounding))


def _above(value: Array, rounding: float) -> Array:
    """Widen computed suprema by all that rounding may have hidden."""
    return value * (1 + _ROUNDING) + rounding


def _keep_best(
    value: Array, centre: Array, owner: npt.NDArray[np.intp], best: Array, angles: Array
) -> None:
    """Let every sign vector take over the best box centre that is its own."""
    order = np.argsort(value)
    top = np.full(len(best), -1)
    top[owner[order]] = order
    better = (top >= 0) & (value[top] > best)
    best[better], angles[better] = value[top[better]], centre[top[better]]


def _reach(X: Array, centre: Array, radius: Array) -> Array:
    """By how much the supremum can grow when every lower angle moves by at most its radius, (B,).

    Change the angles one after the other, the highest first. Moving the angle of one level by
    `t <= r` moves a unit with input p by `|(cos t - 1) w . p + sin t w' . p|`, w' the kernel turned
    by 90 degrees, and not at all if `w . p < -r |p|`, for then the ReLU blocks it before and after.
    What follows does not enlarge the norm of a change.
    """
    total = np.zeros(len(centre))
    v = X[None]
    for level in range(centre.shape[1]):
        r = radius[level] * (1 + _ROUNDING) + _ROUNDING
        w = _directions(centre[:, level])[:, None, None, :]
        p = _pairs(v)
        along = np.sum(p * w, axis=-1)
        across = np.abs(p[..., 1] * w[..., 0] - p[..., 0] * w[..., 1])
        norm = np.sqrt(np.sum(p * p, axis=-1)) * (1 + _ROUNDING)
        moved = np.where(along < -r * norm, 0.0, across * r + norm * (r * r / 2))
        total += np.sum(np.sqrt(np.sum(moved * moved, axis=-1)), axis=-1)
        v = np.maximum(along, 0.0)
    return total


def _certify(X: Array, signs: Array, below: Array) -> tuple[Array, list[arb]]:
    """Evaluate the witnesses in balls: top directions (S, 2), and suprema that hold for certain.

    Kernels are divided by their exact norms, so that a rounded cosine cannot help the witness.
    """
    rows = [[arb(entry) for entry in x] for x in X.tolist()]
    tops, suprema = [], []
    for sigma, angles in zip(signs, below, strict=True):
        kernels = _directions(angles)
        units = [_ball_features(x, kernels) for x in rows]
        signed = list(zip(units, sigma > 0, strict=True))
        top = [sum((u[j] if plus else -u[j] for u, plus in signed), arb(0)) for j in range(2)]
        norms = (_ball_norm(arb(p), arb(q)) for p, q in kernels.tolist())
        # |top| may be 0 or a ball around 0, whose square could turn negative: use lower ends.
        length = _ball_norm(top[0].abs_lower(), top[1].abs_lower())
        suprema.append((length / math.prod(norms, start=arb(1))).abs_lower())
        tops.append([float((t / length).mid()) for t in top] if length > 0 else [1.0, 0.0])
    return np.array(tops), suprema


def _ball_features(x: Sequence[arb], kernels: Array) -> Sequence[arb]:
    for p, q in kernels.tolist():
        first, second = arb(p), arb(q)
        x = [(first * x[k] + second * x[k + 1]).max(arb(0)) for k in range(0, len(x), 2)]
    return x


def _ball_norm(p: arb, q: arb) -> arb:
    return (p * p + q * q).sqrt()


def _upper_end(suprema: Array, exponent: int, factor: arb) -> float:
    total = sum(map(arb, suprema.tolist()), arb(0))
    return _round(total * arb(2) ** exponent * factor, down=False)


def _round(value: arb, *, down: bool) -> float:
    """A float on the safe side of a ball, and zero where the ball is exactly zero."""
    end = value.lower() if down else value.upper()
    nearest = float(end)
    if arb(nearest) == end:
        return nearest
    return math.nextafter(nearest, -math.inf if down else math.inf)


def _finite(name: str, value: npt.ArrayLike) -> Array:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(name, type(value).__name__, "an array of real numbers") from None
    if not np.isfinite(array).all():
        raise InputError(name, "array with NaN or infinity", "finite everywhere")
    return array


def _kernels(kernels: npt.ArrayLike) -> Array:
    W = _finite("kernels", kernels)
    if W.ndim != 2 or W.shape[1] != 2 or len(W) == 0:
        raise InputError("kernels", f"array of shape {W.shape}", "of shape (L, 2) with L >= 1")
    return W


def _sample(X: npt.ArrayLike) -> Array:
    array = _finite("X", X)
    if array.ndim != 2:
        raise InputError("X", f"array of shape {array.shape}", "of shape (m, d)")
    m, d = array.shape
    if m == 0:
        raise InputError("X", "no rows", "a sample of at least one input")
    if d < 2 or d & (d - 1):
        raise InputError("X", f"array with d = {d} columns", "of d = 2^L columns, L >= 1")
    if d > 2**MAX_DEPTH:
        raise InputError("X", f"array with d = {d} columns", f"of at most 2^{MAX_DEPTH} columns")
    limit = MAX_SAMPLES if d <= 4 else MAX_SAMPLES_DEEP
    if m > limit:
        raise InputError(
            "X",
            f"array of m = {m} rows and d = {d} columns",
            f"of at most {limit} rows, since 2^(m-1) sign vectors are enumerated",
            "take a subset of the rows",
        )
    return array


def _check_options(rho: float, tolerance: float, max_boxes: int) -> None:
    for name, value in (("rho", rho), ("tolerance", tolerance)):
        if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
            raise InputError(name, value, "a finite number > 0")
    if max_boxes < 1:
        raise InputError("max_boxes", max_boxes, "an integer >= 1")
