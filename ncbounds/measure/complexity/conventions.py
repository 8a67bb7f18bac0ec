"""The definitions of empirical Rademacher complexity in use, kept apart by name.

With or without the absolute value, with or without a factor 2: four quantities that differ by
factors that decide whether a bound holds. The factor is only a scale. The absolute value matters
unless the class holds -h with every h; then both sides are the same.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb

from ncbounds.errors import InputError

Array = npt.NDArray[np.float64]
Interval = tuple[float, float | None]


@dataclass(frozen=True)
class Convention:
    """One definition: its factor, whether it has the absolute value, and its formula."""

    factor: int
    absolute: bool
    formula: str


#: All definitions by name.
CONVENTIONS = {
    "definition-1": Convention(2, True, "(2/m) E_sigma sup_h |sum_i sigma_i h(x_i)|"),
    "absolute": Convention(1, True, "(1/m) E_sigma sup_h |sum_i sigma_i h(x_i)|"),
    "doubled": Convention(2, False, "(2/m) E_sigma sup_h sum_i sigma_i h(x_i)"),
    "plain": Convention(1, False, "(1/m) E_sigma sup_h sum_i sigma_i h(x_i)"),
}
DEFINITION = f"R = {CONVENTIONS['definition-1'].formula}"


@dataclass(frozen=True, eq=False)
class Complexity:
    """A certified enclosure of the empirical Rademacher complexity of a class on a sample.

    `lower <= R <= upper` in the definition that `definition` spells out, `square:definition-1`
    with factor 2 and absolute value; `hat` gives the enclosure without the factor, `within` that
    of any definition by its name. `upper` is None where no upper bound was computed. `signs`
    (S, m) are the sign vectors that were enumerated, and `suprema` (S,) certified lower bounds of
    what they allow: of `sup_h |sum_i sigma_i h(x_i)|` where one of each pair of opposite vectors
    stands for both, of `sup_h sum_i sigma_i h(x_i)` where all 2^m are there.
    """

    family: str
    m: int
    d: int
    rho: float
    lower: float
    upper: float | None
    one_sided: Interval
    """The enclosure of `(1/m) E sup_h sum_i sigma_i h(x_i)`, the convention `plain`."""
    definition: str
    signs: Array = field(repr=False)
    suprema: Array = field(repr=False)

    @property
    def hat(self) -> Interval:
        """The enclosure of `R_hat`, without the factor 2 (the convention `absolute`)."""
        return _times(0.5, (self.lower, self.upper))

    def within(self, convention: str) -> Interval:
        """The enclosure in the convention of that name, one of `CONVENTIONS`.

        Raises InputError for another name.
        """
        if convention not in CONVENTIONS:
            raise InputError("convention", convention, f"one of {', '.join(CONVENTIONS)}")
        wanted = CONVENTIONS[convention]
        return _times(float(wanted.factor), self.hat if wanted.absolute else self.one_sided)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, ready for JSON."""
        return {
            "family": self.family,
            "m": self.m,
            "d": self.d,
            "rho": self.rho,
            "lower": self.lower,
            "upper": self.upper,
            "definition": self.definition,
            "conventions": {name: list(self.within(name)) for name in CONVENTIONS},
            "signs": self.signs.tolist(),
            "suprema": self.suprema.tolist(),
        }


def sign_vectors(m: int) -> Array:
    """One of each pair of opposite sign vectors, (2^(m-1), m): the first sign is +1."""
    bits = np.arange(2 ** (m - 1))[:, None] >> np.arange(m - 1) & 1
    signs = np.ones((2 ** (m - 1), m))
    signs[:, 1:] -= 2.0 * bits
    return signs


def rounded(value: arb, *, down: bool) -> float:
    """A float on the safe side of a ball, and zero where the ball is exactly zero."""
    end = value.lower() if down else value.upper()
    nearest = float(end)
    if arb(nearest) == end:
        return nearest
    return math.nextafter(nearest, -math.inf if down else math.inf)


def finite(name: str, value: npt.ArrayLike) -> Array:
    """An array of float64. Raises InputError for what is no array of finite real numbers."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(name, type(value).__name__, "an array of real numbers") from None
    if not np.isfinite(array).all():
        raise InputError(name, "array with NaN or infinity", "finite everywhere")
    return array


def admit_sample(X: npt.ArrayLike, limit: int) -> Array:
    """A sample (m, d) of at most `limit` rows. Raises InputError for anything else."""
    array = finite("X", X)
    if array.ndim != 2:
        raise InputError("X", f"array of shape {array.shape}", "of shape (m, d)")
    m, d = array.shape
    if m == 0:
        raise InputError("X", "no rows", "a sample of at least one input")
    if d == 0:
        raise InputError("X", "no columns", "inputs of at least one number")
    if m > limit:
        raise InputError(
            "X",
            f"array of m = {m} rows and d = {d} columns",
            f"of at most {limit} rows, since 2^(m-1) sign vectors are enumerated",
            "take a subset of the rows",
        )
    return array


def check_positive(**options: float) -> None:
    """Raise InputError unless every option is a finite number above zero."""
    for name, value in options.items():
        if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
            raise InputError(name, value, "a finite number > 0")


def check_finite(*intervals: Interval) -> None:
    """Raise InputError where a complexity is larger than all floats."""
    if not all(math.isfinite(end or 0.0) for interval in intervals for end in interval):
        raise InputError("X", "data times rho", "small enough that the complexity is a float")


def _times(factor: float, interval: Interval) -> Interval:
    """Halves and doubles are exact."""
    lower, upper = interval
    return factor * lower, None if upper is None else factor * upper
