"""Evaluate the bounds of a statement at given parameters, to certified digits, over grids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, localcontext
from decimal import Decimal as LongDecimal
from fractions import Fraction
from itertools import product
from typing import Any

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.certified import Decimal, certify, exact
from ncbounds.arithmetic.formula import PRECISIONS, Formula, Parameter, written
from ncbounds.errors import InputError
from ncbounds.theory import statement
from ncbounds.theory.terms import Bound, Variant

MAX_POINTS = 1_000_000

Values = Mapping[str, Fraction]


@dataclass(frozen=True)
class Evaluation:
    """One bound at one point: a certified value, or None where the formula has none.

    `outside` says in words why the point is outside the domain; it is empty inside. `vacuous` is
    whether the bound is no better than what holds anyway; None where that is not known, or outside
    the domain.
    """

    id: str
    variant: str
    reading: str
    quantity: str
    direction: str
    parameters: dict[str, Fraction]
    decimal: Decimal | None
    outside: str
    vacuous: bool | None

    @property
    def in_domain(self) -> bool:
        """Whether the point lies in the domain of the statement."""
        return not self.outside

    def __float__(self) -> float:
        return float("nan") if self.decimal is None else float(self.decimal)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; value and radius are decimal strings."""
        return {
            "id": self.id,
            "variant": self.variant,
            "reading": self.reading,
            "quantity": self.quantity,
            "direction": self.direction,
            "parameters": {name: written(value) for name, value in self.parameters.items()},
            "value": self.decimal.value if self.decimal else None,
            "radius": self.decimal.radius if self.decimal else None,
            "log10": self.decimal.log10 if self.decimal else None,
            "digits": self.decimal.digits if self.decimal else 0,
            "in_domain": self.in_domain,
            "outside": self.outside or None,
            "vacuous": self.vacuous,
        }


def evaluate(
    id: str, *, variant: str | None = None, digits: int = 15, **parameters: Any
) -> list[Evaluation]:
    """Evaluate every bound of a statement at given parameters.

    Parameters
    ----------
    id
        The statement, such as ``"gnc:theorem-3.9"``.
    variant
        ``"printed"``, ``"corrected"`` or ``"sharp"``; all when None.
    digits
        Significant digits to certify.
    **parameters
        A number, a fraction or text as on the command line (``"1/3"``, ``"2:64:6:log"``,
        ``"3,5,9"``); a sequence is a grid. Floats are read as the shortest decimal that they
        print as. Grids combine to all their tuples.

    Raises
    ------
    InputError
        When the id, the variant, a parameter or its value is not valid, or no bound of the
        statement has all its parameters given.

    Examples
    --------
    >>> [str(e.decimal.value) for e in evaluate("gnc:theorem-3.9", digits=5, d=3, K=12)]
    ['0.055556', '1.1547', '0.16667', '0.66667']
    """
    return evaluate_at(id, parameters, variant=variant, digits=digits)


def evaluate_at(
    id: str, parameters: Mapping[str, Any], *, variant: str | None = None, digits: int = 15
) -> list[Evaluation]:
    """Do what `evaluate` does, with the parameters in a mapping: a name may be any text."""
    chosen = statement(id).select(variant)
    pairs = [(v, bound) for v in chosen for bound in v.bounds]
    if not pairs:
        raise InputError("ID", id, "a statement with a bound to evaluate", "see `ncbounds show`")
    known = {p.name: p for _, b in pairs for p in b.formula.parameters}
    grids: dict[str, list[Fraction]] = {}
    for raw_name, raw in parameters.items():
        name = raw_name.removesuffix("_")
        if name not in known:
            raise InputError(raw_name, str(raw), f"one of the parameters {', '.join(known)}")
        if name in grids:
            raise InputError(name, str(raw), "given once")
        grids[name] = read_values(known[name], raw)
        if not grids[name]:
            raise InputError(name, str(raw), "one value or more")
    ready = [(v, b) for v, b in pairs if all(p.name in grids for p in b.formula.parameters)]
    if not ready:
        fewest = min((b.formula.parameters for _, b in pairs), key=len)
        missing = next(p for p in fewest if p.name not in grids)
        raise InputError(missing.name, "missing", f"given: {missing.meaning}")
    return [_at(id, v, b, point, digits) for v, b in ready for point in _points(b.formula, grids)]


def _points(formula: Formula, grids: dict[str, list[Fraction]]) -> Iterator[dict[str, Fraction]]:
    """All tuples of the grids of the parameters that a formula has."""
    axes = [grids[p.name] for p in formula.parameters]
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > MAX_POINTS:
        raise InputError("grid", f"{count} points", f"at most {MAX_POINTS} points")
    names = [p.name for p in formula.parameters]
    return (dict(zip(names, values, strict=True)) for values in product(*axes))


def _at(
    id: str, variant: Variant, bound: Bound, point: dict[str, Fraction], digits: int
) -> Evaluation:
    decimal = certify(bound.formula, point, digits)
    outside = bound.formula.outside(point) or ""
    silent = decimal is None or bool(outside)
    return Evaluation(
        id=id,
        variant=variant.name,
        reading=variant.reading,
        quantity=bound.quantity,
        direction=bound.direction,
        parameters=point,
        decimal=decimal,
        outside=outside,
        vacuous=None if silent else is_vacuous(bound, point),
    )


def is_vacuous(bound: Bound, point: Values) -> bool | None:
    """Tell whether a bound is certainly no better than its trivial one (None without one)."""
    if bound.trivial is None:
        return None
    for bits in PRECISIONS:
        with balls.precision(bits):
            value = bound.formula.balls(point)
            known = (
                balls.ball(bound.trivial)
                if isinstance(bound.trivial, int)
                else bound.trivial.balls({p.name: point[p.name] for p in bound.trivial.parameters})
            )
            excess = value - known if bound.direction == "upper" else known - value
            if excess >= 0:
                return True
            if excess < 0:
                return False
    return None


# -- values and grids -----------------------------------------------------------------------------


def read_values(parameter: Parameter, raw: Any) -> list[Fraction]:
    """Read a value or a grid of one parameter: numbers, text or a sequence of them."""
    if isinstance(raw, str):
        return _read_text(parameter, raw)
    if isinstance(raw, Sequence):
        return [value for entry in raw for value in read_values(parameter, entry)]
    if isinstance(raw, (int, Fraction)):
        return [Fraction(raw)]
    if hasattr(raw, "tolist"):
        listed = raw.tolist()
        return read_values(parameter, listed if isinstance(listed, list) else [listed])
    return [exact(repr(raw), parameter.name)]


def _read_text(parameter: Parameter, text: str) -> list[Fraction]:
    if "," in text:
        parts = [part.strip() for part in text.split(",")]
        if not all(parts):
            raise InputError(parameter.name, text, "numbers with commas between them")
        return [exact(part, parameter.name) for part in parts]
    if ":" not in text:
        return [exact(text.strip(), parameter.name)]
    low, high, count, scale = _range_parts(parameter, text)
    if count == 1:
        return [low]
    if scale == "lin":
        values = [low + (high - low) * i / (count - 1) for i in range(count)]
    else:
        values = _geometric(low, high, count)
    if parameter.integer:
        values = [low, *(Fraction(round(value)) for value in values[1:-1]), high]
    return list(dict.fromkeys(values))


def _geometric(low: Fraction, high: Fraction, count: int) -> list[Fraction]:
    """Equal steps of the logarithm; the inner values are rounded to 12 significant digits."""
    short = Context(prec=12)
    with localcontext(Context(prec=40)):  # decimals reach beyond the range of floats
        first, last = (LongDecimal(x.numerator) / LongDecimal(x.denominator) for x in (low, high))
        step = (last / first).ln() / (count - 1)
        inner = [Fraction(short.plus(first * (step * i).exp())) for i in range(1, count - 1)]
    return [low, *inner, high]


def _range_parts(parameter: Parameter, text: str) -> tuple[Fraction, Fraction, int, str]:
    domain = (
        "LOW:HIGH:COUNT or LOW:HIGH:COUNT:log with LOW <= HIGH (LOW > 0 for log) and "
        f"COUNT in 1..{MAX_POINTS}"
    )
    parts = text.split(":")
    if len(parts) not in (3, 4) or parts[3:] not in ([], ["log"]):
        raise InputError(parameter.name, text, domain)
    low, high = exact(parts[0], parameter.name), exact(parts[1], parameter.name)
    count = int(parts[2]) if parts[2].isdecimal() and len(parts[2]) < 10 else 0
    scale = "log" if parts[3:] else "lin"
    if not 1 <= count <= MAX_POINTS or low > high or (scale == "log" and low <= 0):
        raise InputError(parameter.name, text, domain)
    return low, high, count, scale
