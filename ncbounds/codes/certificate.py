"""What proves a one-vs-rest distance, and a check of it that shares nothing with the search.

Lower end: a direction h with <w_k - w_j, h> >= lower |h| for every other row; then every point of
their hull is that far away. Upper end: a convex combination of other rows that is no farther.

A certificate of many rows is stored as plain arrays: `rows`, `lower` and `upper` (n,), `directions`
(n, d), `normalised`, and the combinations end to end: `support` and `weights`, of which row i has
those from `starts[i]` to `starts[i + 1]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.errors import InputError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

#: Far more than float64 can be off, relative to the lengths: (d + 2) 2^-52 for d < 2^20.
_DOUBT = 2.0**-30
#: Rows shorter than this, or longer than one over it, are not trusted to floats.
_SHORT = 1e-140
#: Certificates whose directions are multiplied with the rows at once.
_BLOCK = 64


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
    support: Indices
    weights: Floats
    direction: Floats
    normalised: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The interval as plain data, without its certificate."""
        return {"row": self.row, "lower": self.lower, "upper": self.upper}


def check_margin(weights: object, margin: Margin, *, precision: int = 128) -> bool:
    """Re-verify a margin from its certificate alone, in ball arithmetic.

    True if it is certain that |w_k - sum z_j w_j / sum z_j| <= upper and that
    min_j <w_k - w_j, h> / |h| >= lower (or lower = 0). Trusts nothing of the search.

    Parameters:
        weights: (K, d), the same rows.
        margin: what `one_vs_rest_distances` returned.
        precision: of the balls, in bits.

    >>> from ncbounds.codes.margin import one_vs_rest_distances
    >>> W = [[1.0, 0.0], [0.0, 1.0], [-3.0, 2.0]]
    >>> all(check_margin(W, margin) for margin in one_vs_rest_distances(W))
    True
    """
    return next(check_margins(weights, [margin], precision=precision))


def check_margins(
    weights: object, margins: Sequence[Margin], *, precision: int = 128
) -> Iterator[bool]:
    """Yield for each margin of one matrix whether its certificate holds: see `check_margin`."""
    W = _exact_rows(weights)
    lengths = _lengths(W)
    for start in range(0, len(margins), _BLOCK):
        block = margins[start : start + _BLOCK]
        sound = [_well_formed(margin, W) for margin in block]
        directions = [_moderate(m.direction) for m, ok in zip(block, sound, strict=True) if ok]
        with np.errstate(all="ignore"):
            products = iter((W @ np.array(directions).T).T if directions else ())
        for margin, ok in zip(block, sound, strict=True):
            yield ok and _holds(margin, W, _doubtful(margin, next(products), lengths), precision)


def _holds(margin: Margin, W: Floats, doubtful: set[int], precision: int) -> bool:
    """The check itself, where all rows but the doubtful are certainly beyond the lower end."""
    from flint import arb, arb_mat

    from ncbounds.arithmetic import balls

    def row(j: int) -> list[Any]:
        exact = [arb(x) for x in W[j].tolist()]
        norm = _length(exact) if margin.normalised else arb(1)
        return [x / norm for x in exact]

    share = dict(zip(margin.support.tolist(), margin.weights.tolist(), strict=True))
    equal = [j for j in share if np.array_equal(W[j], W[margin.row])]
    with balls.precision(precision):
        total = sum((arb(z) for z in share.values()), arb(0))
        near = [j for j in share if j not in equal] + [j for j in doubtful if j not in share]
        z = arb_mat([[arb(share.get(j, 0)) for j in near]]) if near else arb_mat(1, 0)
        rows = arb_mat([row(j) for j in near]) if near else arb_mat(0, W.shape[1])
        w, h = arb_mat([row(margin.row)]), [arb(x) for x in margin.direction.tolist()]
        offset = sum(z.entries(), arb(0)) * w - z * rows
        if not _length(offset.entries()) <= arb(margin.upper) * total:
            return False
        column = arb_mat([[x] for x in h])
        apart = (w * column)[0, 0] - arb(margin.lower) * _length(h)
        ahead = all(apart >= reached for reached in (rows * column).entries())
        separates = margin.lower > 0 and any(margin.direction) and ahead and not equal
        return margin.lower == 0 or bool(separates)


def _doubtful(margin: Margin, products: Floats, lengths: Floats) -> set[int]:
    """The other rows that are not certainly farther along the direction than `lower`.

    Floats only spare balls the rows that are beyond doubt; `products` are <w_j, h> for all j, with
    h of moderate size.
    """
    if margin.lower == 0:
        return set()
    with np.errstate(all="ignore"):
        scale = 1 / lengths if margin.normalised else np.ones(len(lengths))
        norm, k = float(np.linalg.norm(_moderate(margin.direction))), margin.row
        apart = scale[k] * products[k] - scale * products
        error = _DOUBT * (scale * lengths + scale[k] * lengths[k] + margin.lower) * norm
        beyond = np.isfinite(apart) & (apart - error >= margin.lower * norm)
    return set(np.flatnonzero(~beyond).tolist()) - {k}


def _moderate(direction: Floats) -> Floats:
    """The direction times a power of two, so that its largest entry is of order one."""
    scaled: Floats = np.ldexp(direction, -int(np.frexp(np.abs(direction).max())[1]))
    return scaled


def _lengths(W: Floats) -> Floats:
    """Lengths of the rows; infinite, which leaves a row to balls, where squares may underflow."""
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(W, axis=1)
    return np.where((norms > _SHORT) & (norms < 1 / _SHORT), norms, np.inf)


def _length(x: Sequence[Any]) -> Any:
    """The Euclidean norm of a vector of balls."""
    return sum((a * a for a in x), 0 * x[0]).sqrt()


def _well_formed(margin: Margin, W: Floats) -> bool:
    K, d = W.shape
    support, z, h = margin.support, margin.weights, margin.direction
    named = len(support) == len(z) == len(set(support.tolist())) > 0 and h.shape == (d,)
    return (
        0 <= margin.row < K
        and named
        and bool(((support >= 0) & (support < K) & (support != margin.row)).all())
        and bool((z >= 0).all() and z.max() > 0 and np.isfinite(z).all() and np.isfinite(h).all())
    )


def _exact_rows(weights: object) -> Floats:
    detach = getattr(weights, "detach", None)
    W = np.asarray(detach().double().cpu().numpy() if callable(detach) else weights)
    if W.ndim != 2 or W.dtype.kind not in "fiu" or not np.isfinite(W).all():
        raise InputError("weights", f"array of shape {W.shape}", "(K, d), real and finite")
    return W.astype(np.float64)


def certificate_arrays(margins: Sequence[Margin]) -> dict[str, NDArray[Any]]:
    """Margins of one matrix as arrays by name, to be stored.

    >>> from ncbounds.codes.margin import one_vs_rest_distances
    >>> arrays = certificate_arrays(one_vs_rest_distances([[0.0, 0.0], [3.0, 4.0]]))
    >>> arrays["support"], arrays["starts"]
    (array([1, 0]), array([0, 1, 2]))
    """
    return {
        "rows": np.array([m.row for m in margins], dtype=np.int64),
        "lower": np.array([m.lower for m in margins]),
        "upper": np.array([m.upper for m in margins]),
        "starts": np.cumsum([0, *(len(m.support) for m in margins)], dtype=np.int64),
        "support": np.concatenate([m.support for m in margins]).astype(np.int64),
        "weights": np.concatenate([m.weights for m in margins]),
        "directions": np.stack([m.direction for m in margins]),
        "normalised": np.array(int(margins[0].normalised), dtype=np.int64),
    }


_KINDS = {
    "rows": ("i", 1), "lower": ("f", 1), "upper": ("f", 1), "starts": ("i", 1),
    "support": ("i", 1), "weights": ("f", 1), "directions": ("f", 2), "normalised": ("i", 0),
}  # fmt: skip


def margins_of_arrays(arrays: Mapping[str, NDArray[Any]]) -> list[Margin]:
    """Margins from what `certificate_arrays` made of them; whether they hold, only a check tells.

    Raises:
        InputError: the arrays are not of that form.
    """
    for name, (kind, axes) in _KINDS.items():
        array = arrays.get(name)
        if array is None or array.dtype.kind != kind or array.ndim != axes:
            shown = "missing" if array is None else f"array of {array.dtype}, {array.ndim} axes"
            raise InputError(name, shown, f"an array of kind {kind!r} with {axes} axes")
    rows, starts, support = arrays["rows"], arrays["starts"], arrays["support"]
    n = len(rows)
    fits = (
        n > 0
        and all(len(arrays[name]) == n for name in ("lower", "upper", "directions"))
        and len(starts) == n + 1
        and len(support) == len(arrays["weights"]) == starts[-1]
        and starts[0] == 0
        and bool((np.diff(starts) >= 0).all())
    )
    if not fits:
        raise InputError("starts", f"array of shape {starts.shape}", f"of {n + 1} ends that fit")
    return [
        Margin(
            row=int(rows[i]),
            lower=float(arrays["lower"][i]),
            upper=float(arrays["upper"][i]),
            support=support[starts[i] : starts[i + 1]],
            weights=arrays["weights"][starts[i] : starts[i + 1]],
            direction=arrays["directions"][i],
            normalised=bool(arrays["normalised"]),
        )
        for i in range(n)
    ]
