"""Exact arrays of an instance as MathML: numbers, vectors, matrices, and families of them."""

from __future__ import annotations

from fractions import Fraction
from html import escape
from typing import Any

import numpy as np

from ncbounds.arithmetic.formula import written
from ncbounds.report.page.plain_mathematics import GREEK

#: Digits of a numerator or denominator that are still shown in full.
_DIGITS = 12


def typeset_name(name: str) -> str:
    """A field's name as a symbol: `lambda_A` is a letter with an index."""
    base, _, index = name.removesuffix("_").partition("_")
    shown = f"<mi>{GREEK.get(base, escape(base))}</mi>"
    return f"<msub>{shown}<mi>{GREEK.get(index, escape(index))}</mi></msub>" if index else shown


def typeset_array(name: str, values: Any) -> str:
    """``name = value``; of arrays with more than two axes one equation for each first index."""
    array = np.asarray(values, dtype=object)
    if array.ndim > 2:
        rows = (typeset_array_part(name, (i,), part) for i, part in enumerate(array, 1))
        return "&emsp;".join(rows)
    return typeset_array_part(name, (), array)


def typeset_array_part(name: str, index: tuple[int, ...], array: Any) -> str:
    """One equation of a family, with its index."""
    if array.ndim > 2:
        parts = (typeset_array_part(name, (*index, i), part) for i, part in enumerate(array, 1))
        return "&emsp;".join(parts)
    symbol = typeset_name(name)
    if index:
        shown = "".join(f"<mn>{i}</mn>" for i in index)
        symbol = f"<msub><mrow>{symbol}</mrow><mrow>{shown}</mrow></msub>"
    return f"<math>{symbol}<mo>=</mo>{_value(array)}</math>"


def _value(array: Any) -> str:
    if array.ndim == 0:
        return _number(Fraction(array.item()))
    if array.ndim == 1:
        inside = "<mo>,</mo>".join(_number(Fraction(entry)) for entry in array)
        return f"<mrow><mo>(</mo>{inside}<mo>)</mo></mrow>"
    rows = "".join(
        f"<mtr>{''.join(f'<mtd>{_number(Fraction(entry))}</mtd>' for entry in row)}</mtr>"
        for row in array
    )
    return f"<mrow><mo>[</mo><mtable>{rows}</mtable><mo>]</mo></mrow>"


def _number(value: Fraction) -> str:
    sign = "<mo>−</mo>" if value < 0 else ""
    top, bottom = written(Fraction(abs(value.numerator))), written(Fraction(value.denominator))
    if max(len(top), len(bottom)) > _DIGITS:
        return f"{sign}<mo>≈</mo>{_rounded(abs(value))}"
    if value.denominator == 1:
        return f"{sign}<mn>{top}</mn>"
    return f"{sign}<mfrac><mn>{top}</mn><mn>{bottom}</mn></mfrac>"


def _rounded(value: Fraction) -> str:
    """Six digits of a number that would be too long, whatever its size."""
    power = len(written(Fraction(value.numerator))) - len(written(Fraction(value.denominator)))
    scaled = float(value / Fraction(10) ** power)
    if -4 <= power <= 6:
        return f"<mn>{float(value):.6g}</mn>"
    return (
        f"<mn>{scaled:.6g}</mn><mo>·</mo><msup><mn>10</mn><mrow>"
        f"{'<mo>−</mo>' if power < 0 else ''}<mn>{abs(power)}</mn></mrow></msup>"
    )
