"""Every bound of the theory on an empirical Rademacher complexity, in one definition.

Statements of the topic `rademacher` say in the name of a quantity which definition they bound.
Whatever they bound, `theory_bounds` gives it for Definition 1, with absolute value and factor 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from ncbounds.arithmetic.certified import certify
from ncbounds.theory import statements
from ncbounds.theory.terms import Bound, Variant

#: What stands in the name of a quantity, and by what its bound is multiplied for Definition 1.
_FACTORS = {"Definition 1": 1, "without the factor 2": 2}


@dataclass(frozen=True)
class TheoryBound:
    """A bound on the complexity of Definition 1 at given parameters."""

    id: str
    variant: str
    reading: str
    formula: str
    value: float

    @property
    def name(self) -> str:
        """The bound in a few words."""
        words = self.formula.replace("_", " ").removesuffix(" bound")
        return f"{self.id.partition(':')[2]} {self.variant}: {words}"


def theory_bounds(point: Mapping[str, Fraction]) -> list[TheoryBound]:
    """Evaluate all bounds on a complexity whose parameters are all in `point`.

    >>> point = {"L": Fraction(2), "rho": Fraction(1), "m": Fraction(4), "norm": Fraction(2)}
    >>> [b.value for b in theory_bounds(point) if b.id == "square:theorem-4"][0]
    2.0
    """
    found = []
    for id, variant, bound, factor in _complexity_bounds():
        names = {p.name for p in bound.formula.parameters}
        if not names <= point.keys():
            continue
        own = {name: point[name] for name in names}
        if bound.formula.outside(own) is not None:
            continue
        value = certify(bound.formula, own, digits=15)
        if value is not None:
            names_of = id, variant.name, variant.reading, bound.formula.name
            found.append(TheoryBound(*names_of, factor * float(value)))
    return found


def _complexity_bounds() -> Iterator[tuple[str, Variant, Bound, int]]:
    for id, one in statements().items():
        if not one.topic.startswith("rademacher"):
            continue
        for variant in one.variants:
            for bound in variant.bounds:
                if bound.direction != "upper" or "complexity" not in bound.quantity:
                    continue
                for mark, factor in _FACTORS.items():
                    if mark in bound.quantity:
                        yield id, variant, bound, factor
                        break
