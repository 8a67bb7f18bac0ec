"""Rademacher complexity of linear functions: a mean of norms."""

import numpy as np
import numpy.typing as npt
from flint import arb, arb_mat

from ncbounds.arithmetic.balls import precision
from ncbounds.measure.complexity.conventions import (
    DEFINITION,
    Complexity,
    admit_sample,
    check_finite,
    check_positive,
    rounded,
    sign_vectors,
)

MAX_SAMPLES = 16

_PRECISION = 128


def linear_rademacher(X: npt.ArrayLike, rho: float = 1.0) -> Complexity:
    """Enclose the complexity of `x -> w . x`, `|w| <= rho`, on the rows of X, in balls throughout.

    For fixed signs the supremum is `rho |sum_i sigma_i x_i|`, so that a one-level tree and a
    linear function have the same complexity. `X` has shape (m, d) with m <= 16. Raises InputError
    outside this domain. Source: `square:definition-1`.

    >>> round(linear_rademacher([[3.0, 4.0]]).lower, 9)
    10.0
    """
    sample = admit_sample(X, MAX_SAMPLES)
    check_positive(rho=rho)
    m, d = sample.shape
    signs = sign_vectors(m)
    with precision(_PRECISION):
        sums = arb_mat(signs.tolist()) * arb_mat(sample.tolist())
        squares = [sum((t * t for t in row), arb(0)) for row in sums.tolist()]
        # A ball around 0 may reach below it; the square is not negative.
        norms = [square.max(arb(0)).sqrt() * arb(rho) for square in squares]
        mean = sum(norms, arb(0)) / (m * len(signs))
        lower, upper = rounded(mean, down=True), rounded(mean, down=False)
        suprema = np.array([max(rounded(norm, down=True), 0.0) for norm in norms])
    lower = max(lower, 0.0)
    check_finite((2 * lower, 2 * upper))
    return Complexity(
        "linear",
        m,
        d,
        float(rho),
        2 * lower,
        2 * upper,
        (lower, upper),
        DEFINITION,
        signs,
        suprema,
    )
