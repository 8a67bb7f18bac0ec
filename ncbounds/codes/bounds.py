"""Every bound on the optimum rho*(d, K): the largest one-vs-rest distance of K unit vectors in R^d.

Since rho* = 1 - t, t the least possible largest inner product, each bound on spherical codes is
one on rho*. Each is proved in `proofs_check` or cited, and is certified to any number of digits.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, Literal

import flint

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.certified import Decimal, certify
from ncbounds.arithmetic.formula import Algorithm, Formula
from ncbounds.codes.catalogue import entries, known
from ncbounds.codes.delsarte import DelsarteCertificate, delsarte_bound
from ncbounds.codes.levenshtein import degree, levenshtein_upper
from ncbounds.errors import InputError
from ncbounds.theory.softmax_code import code_bounds, gamma_bounds

Direction = Literal["upper", "lower"]

#: Bits at which bounds are compared and rounded to floats.
_BITS = 128


@dataclass(frozen=True)
class OptimumBound:
    """One bound on rho*(d, K) at given d and K.

    `source` is the id of the statement that proves it, or the literature; `cited` tells the latter.
    """

    name: str
    direction: Direction
    d: int
    K: int
    formula: Formula
    source: str
    cited: bool = False
    certificate: DelsarteCertificate | None = None

    @cached_property
    def value(self) -> float:
        """The bound as a float on the safe side: rounded up above, down below."""
        end = self.ball().upper() if self.direction == "upper" else self.ball().lower()
        found = float(end)
        toward = math.inf if self.direction == "upper" else -math.inf
        beyond = found < end if self.direction == "upper" else found > end
        return math.nextafter(found, toward) if beyond else found

    def ball(self, bits: int = _BITS) -> flint.arb:
        """An enclosure at a working precision."""
        with balls.precision(bits):
            return self.formula.balls(self._point())

    def certified(self, digits: int = 15) -> Decimal:
        """The bound with certified digits."""
        found = certify(self.formula, self._point(), digits)
        if found is None:
            raise InputError("bound", self.name, f"defined at d = {self.d}, K = {self.K}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; numbers are decimal strings."""
        found = self.certified()
        return {
            "name": self.name,
            "direction": self.direction,
            "d": self.d,
            "K": self.K,
            "value": found.value,
            "radius": found.radius,
            "source": self.source,
            "cited": self.cited,
            "certificate": self.certificate.to_dict() if self.certificate else None,
        }

    def _point(self) -> dict[str, Fraction]:
        given = {"d": Fraction(self.d), "K": Fraction(self.K)}
        return {p.name: given[p.name] for p in self.formula.parameters}


def upper_bounds(d: int, K: int, *, search: bool = False) -> tuple[OptimumBound, ...]:
    """Return the upper bounds on rho*(d, K) that apply, the best first.

    Parameters
    ----------
    d
        Dimension, at least 1.
    K
        Number of unit vectors, at least 2.
    search
        Solve Delsarte's linear program too, which takes seconds where the rest take milliseconds;
        its polynomial comes as a certificate.

    Raises
    ------
    InputError
        When d or K is not an integer in range.

    Examples
    --------
    >>> [(b.name, b.certified(6).value) for b in upper_bounds(4, 24)[:2]]
    [('24-cell, roots of D4', '0.500000'), ('Levenshtein', '0.525050')]
    """
    _check(d, K)
    found = [OptimumBound(n, "upper", d, K, f, s, c) for n, f, s, c in _upper(d, K)]
    if search and d > 1 and d + 2 <= K:
        certificate = delsarte_bound(d, K)
        if certificate is not None:
            found.append(_from_certificate(certificate))
    return _ordered(found)


def lower_bounds(d: int, K: int) -> tuple[OptimumBound, ...]:
    """Return the lower bounds on rho*(d, K) that apply, the best first.

    Examples
    --------
    >>> [b.name for b in lower_bounds(3, 6)[:2]]
    ['cross-polytope', 'caps, greedy code']
    """
    _check(d, K)
    return _ordered([OptimumBound(n, "lower", d, K, f, s) for n, f, s in _lower(d, K)])


@cache
def best_upper_bound(d: int, K: int, *, search: bool = False) -> OptimumBound:
    """Return the least of the upper bounds on rho*(d, K); `value` is rounded up.

    Examples
    --------
    >>> best_upper_bound(3, 12).name, best_upper_bound(8, 240).certified(8).value
    ('Fejes Toth', '0.50000000')
    """
    return upper_bounds(d, K, search=search)[0]


@cache
def best_lower_bound(d: int, K: int) -> OptimumBound:
    """Return the greatest of the lower bounds on rho*(d, K); `value` is rounded down."""
    return lower_bounds(d, K)[0]


def _check(d: int, K: int) -> None:
    for name, given, least in (("d", d, 1), ("K", K, 2)):
        try:
            small = operator.index(given) < least
        except TypeError:
            small = True
        if small or isinstance(given, bool):
            raise InputError(name, given, f"an integer >= {least}")


def _upper(d: int, K: int) -> Iterator[tuple[str, Formula, str, bool]]:
    """What applies at d and K: name, formula, source and whether it is cited; simple ones first."""
    yield "Rankin", code_bounds.rankin_upper, "gnc:sharp-4", False
    if d > 2 or 2 * d < K:
        yield "second moments", code_bounds.second_moment_upper, "gnc:sharp-4", False
    if 2 * d < K:
        yield "third moments", code_bounds.moment_upper, "gnc:sharp-4", False
    if d == 1:
        return
    yield "caps, packing", code_bounds.cap_upper, "gnc:sharp-3", False
    if d == 3 and K >= 3:
        yield "Fejes Toth", code_bounds.triangle_upper, "gnc:sharp-4", True
    if degree(d, K) is not None:
        yield "Levenshtein", levenshtein_upper, _LEVENSHTEIN, True
    settled = max((k for e, k in entries() if e == d and k <= K), default=0)
    entry = known(d, settled) if settled else None
    if entry is not None:  # more points have no more room
        yield entry.name, exact(entry.one_vs_rest), entry.optimal_by, True
    yield "factor 4", gamma_bounds.sharp_upper, "gnc:theorem-3.9", False
    yield "printed", gamma_bounds.printed_upper, "gnc:theorem-3.9", False


def _lower(d: int, K: int) -> Iterator[tuple[str, Formula, str]]:
    if d + 1 >= K:
        yield "simplex", code_bounds.proved_lower, "gnc:sharp-4"
    elif d == 1:
        yield "two points", code_bounds.proved_lower, "gnc:sharp-4"
    elif 2 * d >= K:
        yield "cross-polytope", code_bounds.proved_lower, "gnc:sharp-4"
    elif d == 2:
        yield "polygon", code_bounds.proved_lower, "gnc:theorem-3.9"
    if d > 1:
        yield "caps, greedy code", code_bounds.cap_lower, "gnc:sharp-3"
        yield "factor 4", gamma_bounds.sharp_lower, "gnc:theorem-3.9"
        yield "printed", gamma_bounds.printed_lower, "gnc:theorem-3.9"


_LEVENSHTEIN = "Levenshtein, Acta Appl. Math. 29 (1992), 1-82"


def exact(value: Any) -> Algorithm:
    """An exact number, Fraction or algebraic number of sympy, as a bound without parameters."""

    def enclosed() -> flint.arb:
        if isinstance(value, int | Fraction):
            return balls.ball(value)
        places = int(flint.ctx.prec / 3.33) + 2
        return flint.arb(str(value.evalf(places + 4)), flint.arb(10) ** -places)

    return Algorithm("exact", "An exact number", (), enclosed)


def _from_certificate(found: DelsarteCertificate) -> OptimumBound:
    def distance(**_: Fraction) -> flint.arb:
        return balls.ball(found.one_vs_rest)

    delsarte_upper = Algorithm("delsarte_upper", "Upper bound by linear programming", (), distance)
    return OptimumBound(
        "linear programming",
        "upper",
        found.d,
        found.K,
        delsarte_upper,
        "gnc:sharp-4",
        certificate=found,
    )


def _ordered(found: list[OptimumBound]) -> tuple[OptimumBound, ...]:
    """The best first; one that is not certainly better stays behind."""
    ordered: list[OptimumBound] = []
    enclosed = [(b, b.ball()) for b in found]
    balls_of: list[flint.arb] = []
    for bound, ball in enclosed:
        if not ball.is_finite():
            continue
        sign = 1 if bound.direction == "upper" else -1
        place = next(
            (i for i, other in enumerate(balls_of) if sign * ball < sign * other), len(ordered)
        )
        ordered.insert(place, bound)
        balls_of.insert(place, ball)
    return tuple(ordered)
