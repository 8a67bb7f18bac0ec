"""How large the Rademacher complexity of a binary-tree convolutional network really is.

The class is that of `square:theorem-4`. An input has `d = 2^L` entries. Level `l` replaces
neighbours `(v_1, v_2), (v_3, v_4), ...` by their inner products with one kernel `W^l` in R^2, the
same for all nodes of the level, so that L levels lead to one number. A ReLU follows every level but
the last, which is linear, and the product of the kernels' norms is at most `rho`. By positive
homogeneity `|W^l| = 1` below the top and `|W^L| = rho` lose nothing: what is left to choose is an
angle a level, and the supremum over the top kernel is a norm.

`tree_rademacher` enumerates the sign vectors. For fixed signs two levels are a finite search
(`arcs`). With more levels the same search runs on the features that the lower levels compute; their
angles are searched by branch and bound (L = 3, 4; `boxes`) or only from many starts (L >= 5: no
upper bound then). The class holds -h with every h, so that the absolute value changes nothing.

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
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb

from ncbounds.arithmetic.balls import precision
from ncbounds.errors import InputError
from ncbounds.measure.complexity.arcs import directions, pairs, top_levels
from ncbounds.measure.complexity.boxes import branch_and_bound, lower_features, search
from ncbounds.measure.complexity.conventions import (
    DEFINITION,
    Array,
    Complexity,
    admit_sample,
    check_finite,
    check_positive,
    finite,
    rounded,
    sign_vectors,
)
from ncbounds.measure.complexity.witnesses import certify

MAX_SAMPLES = 16
MAX_SAMPLES_DEEP = 12
MAX_BOUNDED_DEPTH = 4
MAX_DEPTH = 10

_PRECISION = 128


@dataclass(frozen=True, eq=False)
class TreeComplexity(Complexity):
    """The complexity of tree networks of `depth` levels, with networks that attain it.

    `kernels` (S, L, 2) are the networks of the lower end, one a sign vector, with `|W^l| = 1` for
    l < L and `|W^L| = rho` up to rounding.
    """

    depth: int
    kernels: Array = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, ready for JSON."""
        return {**super().to_dict(), "depth": self.depth, "kernels": self.kernels.tolist()}


def tree_network(x: npt.ArrayLike, kernels: npt.ArrayLike) -> Array:
    """Evaluate one binary-tree network.

    `x` has shape (..., d) with d = 2^L, `kernels` shape (L, 2), the bottom level first; the result
    has shape (...). Every level but the last is followed by a ReLU. Raises InputError if the shapes
    do not fit or an entry is not finite. Source: `square`, section 4.3.

    >>> float(tree_network([3.0, 4.0, -3.0, -4.0], [[0.6, 0.8], [1.0, 1.0]]))
    5.0
    """
    W = _kernels(kernels)
    v = finite("x", x)
    if v.ndim == 0 or v.shape[-1] != 2 ** len(W):
        domain = f"an array of shape (..., {2 ** len(W)}): {len(W)} levels need that many inputs"
        raise InputError("x", f"array of shape {v.shape}", domain)
    for kernel in W[:-1]:
        v = np.maximum(pairs(v) @ kernel, 0.0)
    top: Array = (pairs(v) @ W[-1])[..., 0]
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
) -> TreeComplexity:
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
    check_positive(rho=rho, tolerance=tolerance)
    if max_boxes < 1:
        raise InputError("max_boxes", max_boxes, "an integer >= 1")
    m, d = sample.shape
    depth = d.bit_length() - 1
    exponent = math.frexp(float(np.max(np.abs(sample))))[1]
    scaled = np.ldexp(sample, -exponent)
    signs = sign_vectors(m)

    angles = search(scaled, signs, depth, np.random.default_rng(seed))
    upper: Array | None = None
    if depth <= MAX_BOUNDED_DEPTH:
        angles, upper = branch_and_bound(scaled, signs, angles, tolerance, max_boxes)
    _, inner = top_levels(lower_features(scaled, angles), signs)
    below = np.concatenate([angles, inner], axis=1)
    with precision(_PRECISION):
        tops, suprema = certify(sample, signs, below)
        factor = arb(2) * arb(rho) / (m * len(signs))
        low = rounded(sum(suprema, arb(0)) * factor, down=True)
        high = None if upper is None else _upper_end(upper, exponent, factor)
        attained = np.array([rounded(s * arb(rho), down=True) for s in suprema])
    check_finite((low, high))
    return TreeComplexity(
        family="binary tree",
        m=m,
        d=d,
        rho=float(rho),
        lower=low,
        upper=high,
        one_sided=(low / 2, None if high is None else high / 2),
        definition=DEFINITION,
        signs=signs,
        suprema=attained,
        depth=depth,
        kernels=np.concatenate([directions(below), rho * tops[:, None, :]], axis=1),
    )


def _upper_end(suprema: Array, exponent: int, factor: arb) -> float:
    total = sum(map(arb, suprema.tolist()), arb(0))
    return rounded(total * arb(2) ** exponent * factor, down=False)


def _kernels(kernels: npt.ArrayLike) -> Array:
    W = finite("kernels", kernels)
    if W.ndim != 2 or W.shape[1] != 2 or len(W) == 0:
        raise InputError("kernels", f"array of shape {W.shape}", "of shape (L, 2) with L >= 1")
    return W


def _sample(X: npt.ArrayLike) -> Array:
    shape = np.shape(X)
    deep = len(shape) == 2 and shape[1] > 4
    array = admit_sample(X, MAX_SAMPLES_DEEP if deep else MAX_SAMPLES)
    d = array.shape[1]
    if d < 2 or d & (d - 1):
        raise InputError("X", f"array with d = {d} columns", "of d = 2^L columns, L >= 1")
    if d > 2**MAX_DEPTH:
        raise InputError("X", f"array with d = {d} columns", f"of at most 2^{MAX_DEPTH} columns")
    return array
