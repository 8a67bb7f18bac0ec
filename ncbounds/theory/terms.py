"""The words of the theory: statements, variants, claims, comparisons and bounds.

A `Statement` is one claim of a paper under a permanent id. Its `Variant`s say it as printed (in
each sensible reading), as corrected, and sharper than the paper. A variant carries a `Claim`,
which decides on concrete instances, and `Bound`s, closed forms that can be evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from ncbounds.arithmetic.formula import Formula
from ncbounds.errors import InputError

PAPERS = {
    "bnwd": "Towards understanding neural collapse: "
    "the effects of batch normalization and weight decay",
    "review": "Neural collapse: a review on modelling principles and generalization",
    "square": "Dynamics in deep classifiers trained with the square loss",
    "gnc": "Generalized neural collapse for a large number of classes",
}

VariantName = Literal["printed", "corrected", "sharp"]
FieldKind = Literal["real", "positive", "nonnegative", "mask", "integer", "proportion", "budget"]


@dataclass(frozen=True)
class Source:
    """Where in which paper a statement stands."""

    paper: str
    locator: str


@dataclass(frozen=True)
class Comparison:
    """A named relation ``lhs <= rhs`` or ``lhs = rhs`` between arrays, one entry an instance."""

    name: str
    lhs: Any
    rhs: Any
    relation: Literal["<=", "="] = "<="

    @property
    def slack(self) -> Any:
        """``rhs - lhs``: negative where an inequality fails."""
        return self.rhs - self.lhs


@dataclass(frozen=True)
class Judgement:
    """What a claim says of instances: its hypotheses and its conclusions."""

    hypotheses: tuple[Comparison, ...]
    conclusions: tuple[Comparison, ...]

    def __post_init__(self) -> None:
        names = [c.name for c in (*self.hypotheses, *self.conclusions)]
        if len(set(names)) < len(names):
            told = ", ".join(names)
            raise InputError("comparisons", told, "a name of its own for each in a claim")


@dataclass(frozen=True)
class Field:
    """One array of an instance: its name, axes (size symbols) and what its entries may be.

    A ``budget`` is a number that a hypothesis bounds from below (``... <= m + epsilon``): the
    named hypothesis must have it as a term of its right-hand side with coefficient 1, so the
    least value that satisfies the hypothesis is known for any choice of the other fields.
    A ``mask`` is a non-empty subset of its axis, as zeros and ones. An ``integer`` is at least
    ``least``. `like` names an earlier field whose shape, with axes inserted, is this one's: a
    hypothesis asks that the two point the same way, so a search had better draw them alike.
    """

    name: str
    shape: tuple[str, ...] = ()
    kind: FieldKind = "real"
    hypothesis: str = ""
    least: int = 0
    like: str = ""

    def admits(self, value: Any) -> bool:
        """Tell whether an exact number may be an entry of this field."""
        if self.kind in ("positive", "proportion") and value <= 0:
            return False
        if self.kind in ("nonnegative", "budget") and value < 0:
            return False
        if self.kind == "proportion" and value >= 1:
            return False
        if self.kind == "mask" and value not in (0, 1):
            return False
        return self.kind != "integer" or (value == int(value) and value >= self.least)


Sizes = dict[str, int]


@dataclass(frozen=True)
class Claim:
    """Hypotheses that imply conclusions, for every instance.

    `judge(xp, **instance)` computes both over a namespace; every array has the batch axis first.
    `sizes` gives the least and greatest value of each free size symbol of the fields' axes, and
    `derived` computes further sizes from them. A constant in `judge` that is no short binary
    fraction is written as a quotient or taken from `xp`: the float 0.1 is not a tenth.
    """

    judge: Callable[..., Judgement]
    fields: tuple[Field, ...]
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    derived: Mapping[str, Callable[[Sizes], int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.fields:
            raise InputError("fields", "none", "at least one field that an instance can vary")

    def axes(self, sizes: Sizes) -> Sizes:
        """Complete a choice of free sizes with the derived ones."""
        return {**sizes, **{name: rule(sizes) for name, rule in self.derived.items()}}

    def budgets(self) -> tuple[Field, ...]:
        """The fields that a hypothesis bounds from below, in order."""
        return tuple(f for f in self.fields if f.kind == "budget")


@dataclass(frozen=True)
class Bound:
    """A closed form of a statement: what it bounds, from which side, and what is known anyway.

    A bound is vacuous where it is no better than `trivial`, an integer or a formula in the same
    parameters that holds without the theorem. The direction "value" marks a quantity that is
    given, not bounded.
    """

    quantity: str
    formula: Formula
    direction: Literal["upper", "lower", "value"]
    trivial: Formula | int | None = None


@dataclass(frozen=True)
class Trend:
    """How a bound depends on one parameter, to be set beside how the worst case depends on it.

    The conclusion of that name compares the truth with `bound`, which is its right-hand side or,
    with `lower`, its left-hand side. At each of `values` of the parameter `pin(value)` says which
    sizes, which fields (without batch axis) and about which budgets an instance is to have. The
    exponent of the bound itself is taken at the other parameters `at` (zero where it says nothing).
    """

    conclusion: str
    bound: Formula
    parameter: str
    values: tuple[Fraction, ...]
    pin: Callable[[Fraction], Pin]
    at: Mapping[str, Fraction] = field(default_factory=dict)
    lower: bool = False


@dataclass(frozen=True)
class Pin:
    """What is held of an instance: sizes and fields exactly, budgets within a factor of 2."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    budgets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """A statement in one wording: as printed, corrected or sharp, under one reading.

    `text` says it in our words with LaTeX between dollars. `defect` says what is wrong with it
    and `remark` whatever else a reader should know; neither decides a verdict.
    `undecided` gives the reason why a variant without claim is open; a definition, which has
    nothing to decide, has neither.
    """

    name: VariantName
    reading: str
    text: str
    claim: Claim | None = None
    bounds: tuple[Bound, ...] = ()
    trends: tuple[Trend, ...] = ()
    defect: str = ""
    remark: str = ""
    undecided: str = ""

    @property
    def defines(self) -> bool:
        """Whether this is a definition: it claims nothing, and gets no verdict."""
        return self.claim is None and not self.undecided


@dataclass(frozen=True)
class Statement:
    """One claim of a paper, under its permanent id ``paper:kind-number``."""

    id: str
    kind: str
    title: str
    source: Source
    topic: str
    variants: tuple[Variant, ...]

    def select(self, variant: str | None = None) -> tuple[Variant, ...]:
        """Return the variants of one name (all without one).

        Raises
        ------
        InputError
            When the statement has no variant of that name.
        """
        chosen = tuple(v for v in self.variants if variant in (None, v.name))
        if not chosen:
            names = ", ".join(dict.fromkeys(v.name for v in self.variants))
            raise InputError("variant", str(variant), f"one of {names} for {self.id}")
        return chosen
