"""The bounds of a statement side by side, wherever its wordings bound one quantity differently.

The parameters are not asked for: one that varies and values for the rest are chosen such that as
much as possible of the curves lies in the domain, and the caption says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic.formula import Algorithm, Formula, Parameter
from ncbounds.arithmetic.grids import grid
from ncbounds.errors import NcboundsError
from ncbounds.report.ledger import StatementRow
from ncbounds.report.page.pictures import curve, frame, spanning
from ncbounds.report.page.plain_mathematics import GREEK
from ncbounds.report.page.words import prose
from ncbounds.theory.terms import Bound

_SIZE = (330, 190)
_POINTS = 33
#: Letters of an upright name at most.
_NAME = 29
#: Values tried for parameters that do not vary.
_FIXED = (Fraction(1), Fraction(1, 10), Fraction(1, 1000))
#: Share of the axis at least on which two wordings must speak, and by how much they must differ.
_LEAST, _APART = 0.4, 1e-3
#: Beyond this nothing is drawn.
_HUGE = 1e30
_SIDE = {"upper": "at most", "lower": "at least", "value": "equal to"}

Array = npt.NDArray[np.float64]
Values = dict[str, Fraction]


@dataclass(frozen=True)
class _Curve:
    """A bound of one wording along the axis; not a number outside its domain."""

    variant: str
    bound: Bound
    heights: Array


def curves(row: StatementRow) -> str:
    """Pictures of the quantities that several wordings bound; empty where there is none."""
    by_quantity: dict[str, list[tuple[str, Bound]]] = {}
    for v in row.variants:
        for bound in v.variant.bounds:
            by_quantity.setdefault(bound.quantity, []).append((v.variant.name, bound))
    drawn = [
        picture
        for quantity, bounds in by_quantity.items()
        if len({name for name, _ in bounds}) > 1
        if (picture := _picture(quantity, bounds))
    ]
    return f'<div class="curves">{"".join(drawn)}</div>' if drawn else ""


def _picture(quantity: str, bounds: Sequence[tuple[str, Bound]]) -> str:
    """The picture at the choice of parameters where the wordings say most; empty without any."""
    if any(isinstance(b.formula, Algorithm) for _, b in bounds):
        return ""
    parameters = {p.name: p for _, b in bounds for p in b.formula.parameters}
    best, picture = _LEAST, ""
    for axis, rest in _choices(parameters):
        xs = _values(axis)
        found = [_Curve(name, bound, _heights(bound, axis, xs, rest)) for name, bound in bounds]
        said = _said(found)
        if said > best:
            best, picture = said, _drawn(quantity, axis, xs, rest, found)
    return picture


def _choices(parameters: dict[str, Parameter]) -> Iterator[tuple[Parameter, Values]]:
    """Each parameter as the axis, with each choice of values for the rest."""
    for fixed, axis in product(_FIXED, parameters.values()):
        rest = {p.name: _fixed(p, fixed) for p in parameters.values() if p.name != axis.name}
        yield axis, rest


def _fixed(p: Parameter, value: Fraction) -> Fraction:
    if p.integer:
        return max(Fraction(10), p.lower or Fraction(0))
    if p.upper is not None and p.upper <= value:
        return (p.lower or Fraction(0)) + (p.upper - (p.lower or Fraction(0))) / 10
    return value if p.contains(value) else (p.lower or Fraction(0)) + value


def _values(p: Parameter) -> Array:
    if p.integer:
        low = float(p.lower or 1)
        return np.unique(np.round(np.geomspace(max(low, 1.0), 1000, _POINTS)))
    if p.lower is not None and p.upper is not None:
        low, high = float(p.lower), float(p.upper)
        return low + (high - low) * np.linspace(0.01, 0.99, _POINTS)
    if p.lower is not None:
        return float(p.lower) + np.geomspace(1e-3, 1e1, _POINTS)
    return np.linspace(-4.0, 4.0, _POINTS)


def _heights(bound: Bound, axis: Parameter, xs: Array, rest: Values) -> Array:
    """The bound along the axis; not a number outside the domain, and where it says nothing."""
    found = _along(bound.formula, axis, xs, rest)
    inside = np.array([_inside(bound.formula, axis, x, rest) for x in xs])
    if bound.trivial is not None:
        anyway = (
            _along(bound.trivial, axis, xs, rest)
            if isinstance(bound.trivial, Formula)
            else float(bound.trivial)
        )
        inside &= (found < anyway) if bound.direction == "upper" else (found > anyway)
    return np.where(inside, found, np.nan)


def _along(formula: Formula, axis: Parameter, xs: Array, rest: Values) -> Array:
    values: dict[str, Any] = {
        p.argument: xs if p.name == axis.name else float(rest[p.name]) for p in formula.parameters
    }
    with np.errstate(all="ignore"):
        found = np.asarray(grid(formula, **values), dtype=np.float64)
    return np.broadcast_to(found, xs.shape)


def _inside(formula: Formula, axis: Parameter, x: float, rest: Values) -> bool:
    point = {
        p.name: Fraction(float(x)) if p.name == axis.name else rest[p.name]
        for p in formula.parameters
    }
    try:
        return formula.outside(point) is None
    except NcboundsError:
        return False


def _said(found: Sequence[_Curve]) -> float:
    """Share of the axis on which two wordings speak, and not alike; at most 1."""
    said = 0.0
    for a, b in combinations(found, 2):
        both = np.isfinite(a.heights) & np.isfinite(b.heights)
        if a.variant == b.variant or not both.any():
            continue
        one, other = a.heights[both], b.heights[both]
        size = np.abs(one) + np.abs(other)
        if size.max() < _HUGE and (np.abs(one - other) > _APART * size).any():
            said = max(said, float(both.mean()))
    return said


def _drawn(quantity: str, axis: Parameter, xs: Array, rest: Values, found: Sequence[_Curve]) -> str:
    finite = [float(h) for c in found for h in c.heights if np.isfinite(h)]
    x, y = spanning([float(v) for v in xs], _SIZE[0]), spanning(finite, _SIZE[1])
    lines = "".join(
        curve(x, y, zip(xs.tolist(), c.heights.tolist(), strict=True), c.variant) for c in found
    )
    variants = dict.fromkeys(c.variant for c in found)
    told = {name: _sides([c for c in found if c.variant == name]) for name in variants}
    at = ", ".join(f"{name} = {value}" for name, value in rest.items())
    summary = "; ".join(f"{variant}: {sides}" for variant, sides in told.items())
    words = f"{quantity} along {axis.name}{f' at {at}' if at else ''}. {summary}"
    legend = "".join(
        f'<li><svg viewBox="0 0 34 10" aria-hidden="true"><path class="curve {variant}" '
        f'd="M0 5h34"/></svg>{variant}: {sides}</li>'
        for variant, sides in told.items()
    )
    return (
        f"<figure>{frame(x, y, GREEK.get(axis.name, axis.name), _fitting(quantity), words, lines)}"
        f"<figcaption>{prose(quantity)}{f', at {prose(at)}' if at else ''}"
        f'<ul class="legend">{legend}</ul></figcaption></figure>'
    )


def _fitting(name: str) -> str:
    """As many words of a name as the height of a picture holds; the caption has them all."""
    return name if len(name) <= _NAME else f"{name[:_NAME].rpartition(' ')[0] or name[:_NAME]} …"


def _sides(found: Sequence[_Curve]) -> str:
    """From which sides a wording bounds the quantity, and where that says nothing."""
    speaks: dict[str, bool] = {}
    for c in found:
        side = _SIDE[c.bound.direction]
        speaks[side] = speaks.get(side, False) or bool(np.isfinite(c.heights).any())
    return ", ".join(
        side if said else f"{side} (says nothing here)" for side, said in speaks.items()
    )
