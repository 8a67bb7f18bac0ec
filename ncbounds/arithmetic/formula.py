"""A formula: one closed form with declared parameters and domain, written once.

The body of a formula is a function over a namespace, ``f(xp, **parameters)``, and every use is
that body run over another arithmetic:

- over `symbolic` it is a sympy expression, which prints as LaTeX, MathML and text, is
  differentiated by proofs, and is compiled to grids that neither overflow nor underflow;
- over `balls` it is certified digits (`certify`), and a claim that contains it is certain;
- over numpy or torch it is one term of a data-level claim.

Where there is no closed form (the root of an equation, the outcome of a search over integers) an
`Algorithm` stands in its place: it computes in balls from exact values, and every namespace says
how it takes such a number in.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint

from ncbounds.arithmetic import balls
from ncbounds.errors import InputError

#: Precisions, in bits, at which a sign is sought before it is called undecided.
PRECISIONS = (64, 128, 256, 512, 1024, 2048)


@dataclass(frozen=True)
class Parameter:
    """A named number with its range; `symbol` is LaTeX, `None` as a limit means unbounded."""

    name: str
    meaning: str
    symbol: str
    integer: bool = False
    lower: Fraction | None = None
    upper: Fraction | None = None
    lower_open: bool = False
    upper_open: bool = False

    @property
    def argument(self) -> str:
        """The name as a Python argument: a keyword gains an underscore (``lambda_``)."""
        return self.name + "_" if keyword.iskeyword(self.name) else self.name

    @property
    def domain(self) -> str:
        """The range in words, for messages and documents."""
        kind = "an integer" if self.integer else "a real number"
        if self.lower is not None and self.upper is not None:
            left, right = "[("[self.lower_open], "])"[self.upper_open]
            return f"{kind} in {left}{self.lower}, {self.upper}{right}"
        if self.lower is not None:
            return f"{kind} {'>' if self.lower_open else '>='} {self.lower}"
        return kind

    def contains(self, value: Fraction) -> bool:
        """Tell whether an exact value lies in the range."""
        if self.integer and value.denominator != 1:
            return False
        if self.lower is not None and not (
            value > self.lower or (value == self.lower and not self.lower_open)
        ):
            return False
        return self.upper is None or (
            value < self.upper or (value == self.upper and not self.upper_open)
        )


def integer(name: str, meaning: str, symbol: str, at_least: int) -> Parameter:
    """Declare an integer parameter with a least value."""
    return Parameter(name, meaning, symbol, integer=True, lower=Fraction(at_least))


def positive(name: str, meaning: str, symbol: str) -> Parameter:
    """Declare a real parameter greater than zero."""
    return Parameter(name, meaning, symbol, lower=Fraction(0), lower_open=True)


def nonnegative(name: str, meaning: str, symbol: str) -> Parameter:
    """Declare a real parameter of at least zero."""
    return Parameter(name, meaning, symbol, lower=Fraction(0))


def real(name: str, meaning: str, symbol: str) -> Parameter:
    """Declare a real parameter without limits."""
    return Parameter(name, meaning, symbol)


def proportion(name: str, meaning: str, symbol: str, *, one_included: bool = True) -> Parameter:
    """Declare a fraction in (0, 1], or in (0, 1)."""
    return Parameter(name, meaning, symbol, False, Fraction(0), Fraction(1), True, not one_included)


def written(value: Fraction) -> str:
    """Return an exact number as text of any length; Python's own `str` stops at 4300 digits."""
    return str(flint.fmpq(value.numerator, value.denominator))


@dataclass(frozen=True)
class Condition:
    """A relation between parameters: `margin` must be positive (or zero, unless `strict`)."""

    text: str
    margin: Callable[..., Any]
    strict: bool = True


@dataclass(frozen=True)
class Formula:
    """A closed form: call it with a namespace and parameter values."""

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]
    body: Callable[..., Any]
    conditions: tuple[Condition, ...] = ()

    def __call__(self, xp: Any, **values: Any) -> Any:
        """Evaluate over the namespace `xp`; keywords are the parameters' argument names."""
        return self.body(xp, **values)

    def balls(self, values: Mapping[str, Fraction]) -> Any:
        """Evaluate at exact values in ball arithmetic, at the precision in force."""
        return self(balls, **{p.argument: balls.ball(values[p.name]) for p in self.parameters})

    def outside(self, values: Mapping[str, Fraction]) -> str | None:
        """Say in words what puts `values` outside the domain, or None when inside.

        Raises
        ------
        InputError
            When a parameter is missing or unknown, or a condition cannot be decided.
        """
        self.check_names(values)
        for parameter in self.parameters:
            value = values[parameter.name]
            if not parameter.contains(value):
                return f"{parameter.name} = {written(value)}: must be {parameter.domain}"
        for condition in self.conditions:
            if not _holds(condition, self.parameters, values):
                return f"must satisfy {condition.text}"
        return None

    def check_names(self, values: Mapping[str, Fraction]) -> None:
        """Raise InputError unless `values` names exactly the parameters."""
        names = [p.name for p in self.parameters]
        for name in names:
            if name not in values:
                raise InputError(name, "missing", f"given, as {name}=VALUE")
        for name, value in values.items():
            if name not in names:
                raise InputError(name, written(value), f"one of the parameters {', '.join(names)}")


@dataclass(frozen=True)
class Algorithm(Formula):
    """A number without closed form: `body` computes its ball from exact values (Fractions).

    A `whole` number is written without a decimal point.
    """

    whole: bool = False

    def __call__(self, xp: Any, **values: Any) -> Any:
        """Evaluate over the namespace `xp`, elementwise."""
        return xp.run_algorithm(self, **values)

    def balls(self, values: Mapping[str, Fraction]) -> Any:
        """Evaluate at exact values, at the precision in force; nan outside the domain."""
        if self.outside(values) is not None:
            return flint.arb("nan")
        return self.body(**{p.argument: values[p.name] for p in self.parameters})

    def at(self, *values: Any) -> Any:
        """Evaluate at balls, in the order of the parameters: exact ones, or the answer is nan."""
        if not all(v.is_exact() and v.is_finite() for v in values):
            return flint.arb("nan")
        exact = (_fraction(v) for v in values)
        return self.balls({p.name: v for p, v in zip(self.parameters, exact, strict=True)})


def _fraction(exact: flint.arb) -> Fraction:
    mantissa, exponent = exact.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _holds(
    condition: Condition, parameters: tuple[Parameter, ...], values: Mapping[str, Fraction]
) -> bool:
    margin = Formula("margin", condition.text, parameters, condition.margin)
    for bits in PRECISIONS:
        with balls.precision(bits):
            gap = margin.balls(values)
            if gap > 0 or (not condition.strict and gap >= 0):
                return True
            if gap < 0 or (condition.strict and gap.is_zero()):
                return False
    return not condition.strict and bool(gap.contains(0))


def formula(
    *parameters: Parameter, conditions: tuple[Condition, ...] = ()
) -> Callable[[Callable[..., Any]], Formula]:
    """Turn a function over a namespace into a `Formula`; its docstring says what it is."""

    def declare(body: Callable[..., Any]) -> Formula:
        meaning = (body.__doc__ or "").strip().splitlines()[0].rstrip(".")
        return Formula(body.__name__, meaning, parameters, body, conditions)

    return declare


def algorithm(
    *parameters: Parameter, conditions: tuple[Condition, ...] = (), whole: bool = False
) -> Callable[[Callable[..., Any]], Algorithm]:
    """Turn a function from Fractions to a ball into an `Algorithm`, as `formula` does."""

    def declare(body: Callable[..., Any]) -> Algorithm:
        meaning = (body.__doc__ or "").strip().splitlines()[0].rstrip(".")
        return Algorithm(body.__name__, meaning, parameters, body, conditions, whole)

    return declare
