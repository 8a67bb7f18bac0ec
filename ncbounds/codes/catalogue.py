"""Arrangements whose optimality is proved: exact coordinates, exact distance, by which theorem.

`known(d, K)` is the entry for K unit vectors in R^d, or None. Its distance 1 - t is exact, and
`check` recomputes it from the coordinates: in exact integers, of Z or of Z[sqrt 5], for all that
come from lattices and regular polytopes, and to 50 digits for the algebraic ones in space.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from ncbounds.codes.annealing import Floats, unit
from ncbounds.codes.in_space import IN_SPACE, SpatialCode
from ncbounds.codes.lattices import (
    Integers,
    e8_roots,
    leech_vectors,
    section,
    signs,
    with_two_entries,
)

_RANKIN = "Rankin 1955, The closest packing of spherical caps in n dimensions"
_SHARP = (
    "meets the bound of Levenshtein (1979, 1992); a sharp code, universally optimal by "
    "Cohn and Kumar 2007, Table 1"
)


@dataclass(frozen=True, eq=False)
class ExactRows:
    """Rows (rational + irrational sqrt 5), all as long, seen orthogonally to the `fixed` rows.

    Every row has the same inner product with each fixed row. `representatives` are rows one of
    which every row is taken to by a symmetry; all rows without.
    """

    rational: Integers
    irrational: Integers | None = None
    fixed: Integers | None = None
    representatives: tuple[int, ...] | None = None

    def floats(self) -> Floats:
        """Unit rows in as many coordinates as the arrangement has dimensions."""
        rows = self.rational.astype(float)
        if self.irrational is not None:
            rows = rows + math.sqrt(5) * self.irrational
        if self.fixed is not None:
            frame = np.linalg.qr(self.fixed.T.astype(float), mode="complete")[0]
            rows = rows @ frame[:, len(self.fixed) :]
        return unit(rows)

    def largest_inner_product(self) -> Any:
        """The exact max_{i != j} <x_i, x_j> of the unit rows: Fraction, or sympy with sqrt 5.

        Products of such small integers are exact in float64. None if the rows differ in length or
        in their products with the fixed rows: then this is no arrangement.
        """
        x, y = self.rational.astype(float), self.irrational
        chosen = np.arange(len(x)) if self.representatives is None else self.representatives
        largest: tuple[Fraction, Fraction] | None = None
        for start in range(0, len(chosen), 64):
            rows = np.asarray(chosen[start : start + 64])
            plain = x[rows] @ x.T
            root = np.zeros_like(plain)
            if y is not None:
                z = y.astype(float)
                plain += 5 * (z[rows] @ z.T)
                root = x[rows] @ z.T + z[rows] @ x.T
            value = plain + math.sqrt(5) * root
            value[np.arange(len(rows)), rows] = -np.inf
            best = np.unravel_index(np.argmax(value), value.shape)
            found = Fraction(int(plain[best])), Fraction(int(root[best]))
            if largest is None or _real(found) > _real(largest):
                largest = found
        assert largest is not None
        shift = self._shift()
        norm = self._squared_length()
        if shift is None or norm is None:
            return None
        if norm[1] == 0 and largest[1] == 0:
            return (largest[0] - shift) / (norm[0] - shift)
        import sympy

        exact = [sympy.Rational(a - shift) + sympy.sqrt(5) * b for a, b in (largest, norm)]
        return sympy.radsimp(exact[0] / exact[1])

    def _squared_length(self) -> tuple[Fraction, Fraction] | None:
        x = self.rational
        y = np.zeros_like(x) if self.irrational is None else self.irrational
        plain, root = (x * x + 5 * y * y).sum(axis=1), 2 * (x * y).sum(axis=1)
        if (plain != plain[0]).any() or (root != root[0]).any():
            return None
        return Fraction(int(plain[0])), Fraction(int(root[0]))

    def _shift(self) -> Fraction | None:
        """|p|^2 for the common projection p of the rows on the span of the fixed rows."""
        if self.fixed is None:
            return Fraction(0)
        products = self.rational @ self.fixed.T
        if (products != products[0]).any():
            return None
        import sympy

        target = sympy.Matrix(products[0].tolist())
        gram = sympy.Matrix((self.fixed @ self.fixed.T).tolist())
        value = (target.T * gram.LUsolve(target))[0]
        return Fraction(int(value.p), int(value.q))


def _real(pair: tuple[Fraction, Fraction]) -> float:
    return float(pair[0]) + math.sqrt(5) * float(pair[1])


@dataclass(frozen=True, eq=False)
class Arrangement:
    """K unit vectors in R^d whose least one-vs-rest distance is the largest possible.

    `one_vs_rest` is that distance, exactly (Fraction or sympy), and 1 less the largest inner
    product; `optimal_by` says who proved that no arrangement does better.
    """

    d: int
    K: int
    name: str
    one_vs_rest: Any
    optimal_by: str
    build: Callable[[], ExactRows | SpatialCode | Floats]

    @cached_property
    def exact(self) -> ExactRows | SpatialCode | Floats:
        """The exact coordinates; of a polygon and a line the rounded ones."""
        return self.build()

    @cached_property
    def points(self) -> Floats:
        """(K, d) rows of unit length up to rounding."""
        exact = self.exact
        rows = exact if isinstance(exact, np.ndarray) else exact.floats()
        return np.pad(rows, ((0, 0), (0, self.d - rows.shape[1])))

    def check(self) -> bool:
        """Whether the coordinates have the stated distance, number and dimension."""
        exact = self.exact
        if self.points.shape != (self.K, self.d):
            return False
        if isinstance(exact, ExactRows):
            found = exact.largest_inner_product()
            return found is not None and bool(found == 1 - self.one_vs_rest)
        if isinstance(exact, SpatialCode):
            return exact.check(1 - self.one_vs_rest)
        products = self.points @ self.points.T
        np.fill_diagonal(products, -np.inf)
        return bool(abs(products.max() - float(1 - self.one_vs_rest)) < 1e-14)


def known(d: int, K: int) -> Arrangement | None:
    """The catalogue's arrangement of K unit vectors in R^d, or None where it has none.

    >>> entry = known(8, 240)
    >>> entry.one_vs_rest, entry.points.shape, entry.check()
    (Fraction(1, 2), (240, 8), True)
    """
    member = family(d, K)
    if member is not None:
        return member
    if d == 3 and K in IN_SPACE:
        code = IN_SPACE[K]
        return Arrangement(3, K, code.name, 1 - code.largest(), code.optimal_by, lambda: code)
    if (d, K) in _SPORADIC:
        name, value, source, build = _SPORADIC[d, K]
        return Arrangement(d, K, name, value() if callable(value) else value, source, build)
    return None


def family(d: int, K: int) -> Arrangement | None:
    """The arrangement where (d, K) belongs to an infinite family, or None.

    Line, polygon, simplex, and parts of the cross-polytope.

    >>> family(5, 7).name, family(2, 9).name, family(3, 7)
    ('points of the cross-polytope', 'regular polygon', None)
    """
    if d == 1 and K > 2:
        ends = np.where(np.arange(K) % 2, -1.0, 1.0)[:, None]
        source = "two of three points of {-1, 1} are equal"
        return Arrangement(1, K, "the ends of a segment", Fraction(0), source, lambda: ends)
    if d + 1 >= K:
        value = Fraction(K, K - 1)
        return Arrangement(d, K, "regular simplex", value, _RANKIN, lambda: _simplex(K))
    if 2 * d >= K:
        rows = np.concatenate([np.eye(d), -np.eye(d)])[:K].astype(np.int64)
        name = "cross-polytope" if 2 * d == K else "points of the cross-polytope"
        return Arrangement(d, K, name, Fraction(1), _RANKIN, lambda: ExactRows(rows))
    if d == 2:
        import sympy

        angles = 2 * np.pi * np.arange(K) / K
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        source = "the least of K angles of sum 2 pi is at most 2 pi/K"
        value = 1 - sympy.cos(2 * sympy.pi / K)
        return Arrangement(2, K, "regular polygon", value, source, lambda: points)
    return None


def entries() -> list[tuple[int, int]]:
    """The (d, K) of all entries that belong to no infinite family, in order.

    >>> (24, 196560) in entries()
    True
    """
    return sorted([*_SPORADIC, *((3, K) for K in IN_SPACE)])


def _simplex(K: int) -> ExactRows:
    return ExactRows(np.eye(K, dtype=np.int64), fixed=np.ones((1, K), dtype=np.int64))


def _golden(rows: Sequence[Sequence[tuple[int, int]]]) -> ExactRows:
    """Rows of entries (a, b) for a + b sqrt 5."""
    pairs = np.array(rows, dtype=np.int64)
    return ExactRows(pairs[..., 0], pairs[..., 1])


def _icosahedron(K: int) -> ExactRows:
    rows = []
    for a, b in product((1, -1), repeat=2):
        row = [(0, 0), (2 * a, 0), (b, b)]
        rows += [row[-k:] + row[:-k] for k in range(3)]
    return _golden(rows[:K])


def _hexacosichoron() -> ExactRows:
    """The 600-cell, times 4: 8 + 16 + 96 vertices."""
    rows = [[(4 * s * (i == j), 0) for j in range(4)] for i in range(4) for s in (1, -1)]
    rows += [[(2 * s, 0) for s in row] for row in signs(4).tolist()]
    even = [(0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 1, 2), (1, 0, 3, 2), (1, 2, 0, 3), (1, 3, 2, 0)]
    even += [(2, 0, 1, 3), (2, 1, 3, 0), (2, 3, 0, 1), (3, 0, 2, 1), (3, 1, 0, 2), (3, 2, 1, 0)]
    for a, b, c in product((1, -1), repeat=3):
        row = [(a, a), (2 * b, 0), (-c, c), (0, 0)]
        rows += [[row[i] for i in order] for order in even]
    return _golden(rows)


def _pairs_of_five() -> ExactRows:
    """e_i + e_j of R^5 off the diagonal: the Petersen code."""
    pairs = [[int(k in (i, j)) for k in range(5)] for i in range(5) for j in range(i)]
    return ExactRows(np.array(pairs, dtype=np.int64), fixed=np.ones((1, 5), dtype=np.int64))


def _section(rows: Integers, fixed: Sequence[Sequence[int]], products: Sequence[int]) -> ExactRows:
    return ExactRows(section(rows, fixed, products), fixed=np.array(fixed, dtype=np.int64))


def _e8_section(depth: int) -> ExactRows:
    """Roots at 60 degrees from `depth` roots that are at 60 degrees from each other."""
    fixed = [(2, 2, 0, 0, 0, 0, 0, 0), (2, 0, 2, 0, 0, 0, 0, 0)]
    return _section(e8_roots(), fixed[:depth], [4] * depth)


#: Vectors of the Leech lattice, times sqrt(8): one of type 3, those of type 2 that fit.
_TYPE_3 = (5, *(1,) * 23)
_OTHER_TYPE_3 = (1, 5, *(1,) * 22)
_FIRST, _SECOND = (4, 4, *(0,) * 22), (4, 0, 4, *(0,) * 21)


def _leech_section(fixed: Sequence[Sequence[int]], products: Sequence[int]) -> ExactRows:
    return _section(leech_vectors(), fixed, products)


def _leech() -> ExactRows:
    """One row of each shape stands for the rest: the monomial symmetries permute a shape."""
    return ExactRows(leech_vectors(), representatives=(0, 1104, 98256))


def _golden_quarter() -> Any:
    import sympy

    return (3 - sympy.sqrt(5)) / 4


def _icosahedral() -> Any:
    import sympy

    return 1 - sympy.sqrt(5) / 5


_SPORADIC: dict[tuple[int, int], tuple[str, Any, str, Callable[[], ExactRows]]] = {
    (3, 11): (
        "icosahedron less a vertex",
        _icosahedral,
        "Danzer 1963 (published 1986)",
        lambda: _icosahedron(11),
    ),
    (3, 12): ("icosahedron", _icosahedral, "Fejes Toth 1943", lambda: _icosahedron(12)),
    (4, 10): (
        "Petersen code",
        Fraction(5, 6),
        "Bachoc and Vallentin 2009, Optimality and uniqueness of the (4, 10, 1/6) spherical code",
        _pairs_of_five,
    ),
    (4, 24): (
        "24-cell, roots of D4",
        Fraction(1, 2),
        "de Laat, Leijenhorst and de Muinck Keizer 2024, Optimality and uniqueness of D4",
        lambda: ExactRows(with_two_entries(4, 1)),
    ),
    (4, 120): (
        "600-cell",
        _golden_quarter,
        "Boeroeczky 1978; universally optimal by Cohn and Kumar 2007",
        _hexacosichoron,
    ),
    (5, 16): (
        "hemicube (Clebsch graph)",
        Fraction(4, 5),
        _SHARP,
        lambda: ExactRows(signs(5, even=True)),
    ),
    (6, 27): ("27 lines (Schlaefli graph)", Fraction(3, 4), _SHARP, lambda: _e8_section(2)),
    (7, 56): ("28 equiangular lines", Fraction(2, 3), _SHARP, lambda: _e8_section(1)),
    (8, 240): ("roots of E8", Fraction(1, 2), _SHARP, lambda: ExactRows(e8_roots())),
    (21, 112): (
        "isotropic lines (generalised quadrangle)",
        Fraction(8, 9),
        _SHARP,
        lambda: _leech_section((_TYPE_3, _FIRST, _SECOND), (24, 16, 8)),
    ),
    (21, 162): (
        "second subconstituent of the McLaughlin graph",
        Fraction(6, 7),
        _SHARP,
        lambda: _leech_section((_TYPE_3, _FIRST, _SECOND), (24, 16, 16)),
    ),
    (22, 100): (
        "Higman-Sims graph",
        Fraction(10, 11),
        _SHARP,
        lambda: _leech_section((_TYPE_3, _OTHER_TYPE_3), (24, 24)),
    ),
    (22, 275): (
        "McLaughlin graph",
        Fraction(5, 6),
        _SHARP,
        lambda: _leech_section((_TYPE_3, _FIRST), (24, 16)),
    ),
    (22, 891): (
        "section of the Leech lattice",
        Fraction(3, 4),
        _SHARP,
        lambda: _leech_section((_FIRST, _SECOND), (16, 16)),
    ),
    (23, 552): (
        "276 equiangular lines",
        Fraction(4, 5),
        _SHARP,
        lambda: _leech_section((_TYPE_3,), (24,)),
    ),
    (23, 4600): (
        "kissing configuration of the Leech code",
        Fraction(2, 3),
        _SHARP,
        lambda: _leech_section((_FIRST,), (16,)),
    ),
    (24, 196560): (
        "shortest vectors of the Leech lattice",
        Fraction(1, 2),
        _SHARP,
        _leech,
    ),
}
