"""Shrinking: from a certified counterexample to one that a person can read.

Two moves, repeated as long as one helps: drop an index of an axis, and replace numbers by shorter
ones (integers, halves, tenths, hundredths). An instance of single numbers is instead looked for
among all combinations of short ones. Every candidate is certified anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign.certify import Counterexample, Exact, refute, sizes_of
from ncbounds.campaign.comparisons import violation
from ncbounds.campaign.samplers import meet_budgets
from ncbounds.theory.terms import Claim, Field

Array = npt.NDArray[np.object_]

_DENOMINATORS = (1, 2, 4, 10, 100, 1000)
_SHORT_BUDGETS = (1, 4)
#: Single numbers, at most, of which all combinations of short ones are tried.
_FEW_FIELDS = 4
#: Relative slack in floats above which a conclusion is taken to hold, and room of the budgets.
_DOUBT, _LITTLE_ROOM = 1e-3, 2.0**-40
_ENTRIES = [Fraction(n, d) for n, d in ((0, 1), (1, 1), (-1, 1), (1, 2), (7, 8), (1, 10))]
_SHORT = [Fraction(n, d) for n, d in ((1, 1), (1, 2), (2, 1), (1, 10), (1, 100), (1, 1000))]


def shrink(claim: Claim, found: Counterexample, attempts: int = 400) -> Counterexample:
    """Return the simplest counterexample reached within a number of certified attempts."""
    if not any(f.shape for f in claim.fields) and len(claim.fields) <= _FEW_FIELDS:
        for candidate in _short_numbers(claim):
            short = refute(claim, candidate, (found.bits,))
            if short is not None:
                return short
    best, left = found, attempts
    improved = True
    while improved and left > 0:
        improved = False
        for candidate in _simpler(claim, best.instance):
            if _plainly_holds(claim, candidate):
                continue
            left -= 1
            smaller = refute(claim, candidate, (found.bits,), _SHORT_BUDGETS)
            if smaller is not None and complexity(smaller.instance) < complexity(best.instance):
                best, improved = smaller, True
                break
            if left <= 0:
                break
    return best


def _plainly_holds(claim: Claim, candidate: Exact) -> bool:
    """Tell whether floats leave no doubt that a candidate breaks nothing, which is cheap to see."""
    batch = {name: values[None].astype(np.float64) for name, values in candidate.items()}
    with np.errstate(all="ignore"):
        filled = meet_budgets(claim, numpy_namespace(), batch, _LITTLE_ROOM)
        judged = claim.judge(numpy_namespace(), **filled)
        return all(violation(c).max() < -_DOUBT for c in judged.conclusions)


def _short_numbers(claim: Claim) -> list[Exact]:
    """All instances of short numbers of a claim about single numbers, simplest first."""
    choices = []
    for field in claim.fields:
        options = [*_SHORT, *(-n for n in _SHORT), Fraction(0)]
        if field.kind == "integer":
            options = [Fraction(field.least + step) for step in range(9)]
        if field.kind == "budget":
            options = [Fraction(0)]
        choices.append([option for option in options if field.admits(option)])
    names = [field.name for field in claim.fields]
    instances = [
        {n: np.array(v, dtype=object) for n, v in zip(names, values, strict=True)}
        for values in product(*choices)
    ]
    return sorted(instances, key=complexity)[:2000]


def complexity(instance: Exact) -> int:
    """Bits needed to write the instance down."""
    return sum(
        1 + value.numerator.bit_length() + value.denominator.bit_length()
        for values in instance.values()
        for value in np.ravel(values)
    )


def _simpler(claim: Claim, instance: Exact) -> Iterator[Exact]:
    yield from _smaller_sizes(claim, instance)
    yield from _shorter_numbers(claim, instance)
    yield from _shorter_budgets(claim, instance)


def _smaller_sizes(claim: Claim, instance: Exact) -> Iterator[Exact]:
    """The instance without some indices of one free axis; derived axes keep their first entries."""
    sizes = sizes_of(claim, instance) or {}
    free = {n: sizes.get(n, low) for n, (low, _) in claim.sizes.items()}
    for name, (least, _) in claim.sizes.items():
        for dropped in _droppable(sizes.get(name, least), least):
            wanted = claim.axes({**free, name: sizes[name] - len(dropped)})
            if wanted[name] != sizes[name] - len(dropped):
                continue
            candidate = {}
            for field in claim.fields:
                values = instance[field.name]
                for position, axis in enumerate(field.shape):
                    if axis == name:
                        values = np.delete(values, dropped, axis=position)
                    elif wanted[axis] < sizes[axis]:
                        values = np.take(values, range(wanted[axis]), position)
                candidate[field.name] = np.asarray(values, dtype=object)
            yield candidate


def _droppable(size: int, least: int) -> list[list[int]]:
    """Index sets to leave out of an axis: halves of a long one first, then single indices."""
    halves = [list(range(size // 2)), list(range(size // 2, size))] if size > 8 else []
    singles = [[index] for index in range(size)]
    return [dropped for dropped in halves + singles if size - len(dropped) >= least]


def _shorter_numbers(claim: Claim, instance: Exact) -> Iterator[Exact]:
    """The instance with a whole field, then with single entries, rounded to short fractions."""
    movable = [f for f in claim.fields if f.kind not in ("mask", "integer", "budget")]
    movable.sort(key=lambda field: len(field.shape))  # single numbers first: they are few
    for denominator in _DENOMINATORS:
        rounded = {}
        for field in movable:
            new = _rounded(instance[field.name], denominator, field)
            rounded[field.name] = new
            if not np.array_equal(new, instance[field.name]):
                yield {**instance, field.name: new}
        yield {**instance, **rounded}
    for field in movable:
        values = instance[field.name]
        if values.size > 24:
            continue
        for place in range(values.size):
            for target in _ENTRIES:
                if field.admits(target) and target != values.ravel()[place]:
                    changed = values.copy()
                    changed.reshape(-1)[place] = target
                    yield {**instance, field.name: changed}
    for field in claim.fields:
        if field.kind == "integer":
            for place, value in enumerate(instance[field.name].ravel()):
                for target in (*range(field.least, min(int(value), field.least + 8)), value // 2):
                    changed = instance[field.name].copy()
                    changed.reshape(-1)[place] = Fraction(target)
                    yield {**instance, field.name: changed}


def _shorter_budgets(claim: Claim, instance: Exact) -> Iterator[Exact]:
    """The instance with a budget rounded, which is not the least where a violation needs slack."""
    for field in claim.budgets():
        for denominator in _DENOMINATORS:
            yield {
                **instance,
                field.name: _rounded(instance[field.name], denominator, field),
            }


def _rounded(values: Array, denominator: int, field: Field) -> Array:
    def short(value: Fraction) -> Fraction:
        near = Fraction(round(value * denominator), denominator)
        return near if field.admits(near) else value

    return np.asarray(np.frompyfunc(short, 1, 1)(values), dtype=object)
