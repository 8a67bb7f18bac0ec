"""Certified decimal digits: precision is raised until every printed digit is right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import flint

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.formula import Algorithm, Formula
from ncbounds.errors import InputError

MAX_DIGITS = 10_000
#: Bits beyond the digits asked for, doubled until the value is settled.
_GUARD_BITS = (32, 128, 512, 2048, 8192, 32768, 131072)
#: Exponents between which a value is written without a power of ten.
_PLAIN_EXPONENTS = range(-7, 22)


@dataclass(frozen=True)
class Decimal:
    """A number with certified digits: the truth lies within `radius` of `value`.

    `value` is the correctly rounded decimal of `digits` significant digits (in the rare case of a
    tie that no precision resolves, a neighbour: `radius` says so). `log10` is the logarithm of
    its magnitude, for numbers that no float holds; it is None for zero.
    """

    value: str
    radius: str
    digits: int
    log10: float | None

    def __float__(self) -> float:
        return float(self.value)


def certify(formula: Formula, values: Mapping[str, Fraction], digits: int = 15) -> Decimal | None:
    """Evaluate a formula at exact parameter values to `digits` certified digits.

    Returns None where the formula has no value (a pole, a logarithm of a negative number).

    Raises
    ------
    InputError
        When `digits` is not in 1..10000 or a parameter is missing or unknown.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from ncbounds.theory.softmax_code.gamma_bounds import printed_upper
    >>> certify(printed_upper, {"d": Fraction(2), "K": Fraction(10)}, digits=20).value
    '0.62831853071795864769'
    """
    if not 1 <= digits <= MAX_DIGITS:
        raise InputError("digits", digits, f"in 1..{MAX_DIGITS}")
    formula.check_names(values)
    best: Decimal | None = None
    if isinstance(formula, Algorithm) and formula.whole:
        return _whole(formula.balls(values))
    for guard in _GUARD_BITS:
        with balls.precision(int(digits * 3.33) + guard):
            try:
                enclosure = formula.balls(values)
            except ZeroDivisionError:
                return None
            if enclosure.is_finite():
                best = round_ball(enclosure, digits, guard) or best
        if best is not None and best.digits == digits:
            return best
    return best


def _whole(exact: flint.arb) -> Decimal | None:
    """An exact whole number with all its digits."""
    if not exact.is_integer():
        return None
    found = int(exact.unique_fmpz())
    log10 = math.log10(abs(found)) if found else None
    return Decimal(str(found), "0", len(str(abs(found))), log10)


def round_ball(enclosure: flint.arb, digits: int, guard: int) -> Decimal | None:
    """Round a ball to `digits` significant digits, or None when it is too wide for that.

    A ball that straddles the middle between two decimals gives one of them with no digit
    certified, unless no further `guard` bits are to come.
    """
    places = digits + 10 + guard // 4
    middle, radius, exponent = (int(part) for part in enclosure.mid_rad_10exp(places))
    low, high = middle - radius, middle + radius
    if low == high == 0:
        return Decimal("0", "0", digits, None)
    if low <= 0 <= high:
        return Decimal("0", _up(max(-low, high), exponent), 0, None)
    scale = len(_text(abs(middle))) - digits
    unit = 10**scale if scale > 0 else 1
    shift = max(scale, 0)
    first, last = _nearest(low, unit), _nearest(high, unit)
    if last - first > 1:
        return None
    value = first
    if len(_text(abs(value))) > digits:  # rounded up to the next power of ten
        value, unit, shift = value // 10, unit * 10, shift + 1
    error = max(abs(low - value * unit), abs(high - value * unit))
    certain = first == last or guard == _GUARD_BITS[-1]
    return Decimal(
        _decimal(value, exponent + shift, digits),
        _up(error, exponent),
        digits if certain else 0,
        _log10(enclosure),
    )


def _nearest(number: int, unit: int) -> int:
    """The integer nearest to number/unit, halves to even."""
    quotient, rest = divmod(number, unit)
    if 2 * rest > unit or (2 * rest == unit and quotient % 2):
        return quotient + 1
    return quotient


def _log10(enclosure: flint.arb) -> float:
    return float((abs(enclosure).log() / flint.arb.const_log10()).mid())


def _up(number: int, exponent: int) -> str:
    """An upper bound of number * 10^exponent with two digits."""
    if number == 0:
        return "0"
    drop = max(len(_text(number)) - 2, 0)
    head = -(-number // 10**drop)
    return _scientific(_text(head), exponent + drop)


def _text(number: int) -> str:
    """Decimal digits of an integer of any length; Python's own `str` stops at 4300."""
    return str(flint.fmpz(number))


def _decimal(number: int, exponent: int, digits: int) -> str:
    """Write number * 10^exponent with `digits` significant digits."""
    sign, text = ("-" if number < 0 else ""), _text(abs(number))
    if len(text) < digits:
        text, exponent = text + "0" * (digits - len(text)), exponent - (digits - len(text))
    point = len(text) + exponent
    if point - 1 not in _PLAIN_EXPONENTS or exponent > 0:
        return sign + _scientific(text, exponent)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{text}"
    if exponent == 0:
        return sign + text
    return f"{sign}{text[:point]}.{text[point:]}"


def _scientific(text: str, exponent: int) -> str:
    power = exponent + len(text) - 1
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    return f"{mantissa}e{power:+d}"


def exact(text: str, parameter: str) -> Fraction:
    """Read a number or a fraction exactly as it is written: ``12``, ``0.1``, ``1e-8``, ``1/3``.

    Raises
    ------
    InputError
        When the text is not such a number, or its exponent is beyond 10000.
    """
    try:
        _mantissa, _, power = text.lower().partition("e")
        if power and abs(int(power)) > MAX_DIGITS:
            raise InputError(parameter, text, f"a number with an exponent within {MAX_DIGITS}")
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(parameter, text, "a finite number or a fraction such as 1/3") from error
