"""Certification: a violation in floats is a lead, a violation in balls is a counterexample.

An instance is taken exactly as it stands (each float is the rational that it is). Budgets are set
anew to short decimals just above what their hypotheses need, since in floats they are only
nearly enough. Then every hypothesis must hold and some conclusion fail, each with certainty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim, Comparison, Field, Judgement, Sizes

#: An instance without batch axis, of exact numbers.
Exact = dict[str, npt.NDArray[np.object_]]

_PRECISIONS = (128, 512, 2048)
_FOR_SIXTY_DIGITS = (384, 2048)
#: Two sides agree when they differ by less than this share of them, or than any float64 does.
_SIXTY_DIGITS, _BELOW_FLOATS = Fraction(1, 10**60), Fraction(1, 10**330)
#: Significant decimals to which a budget is rounded up, shortest first.
_BUDGET_DIGITS = (1, 2, 4, 12, 40)


@dataclass(frozen=True)
class Counterexample:
    """An exact instance on which a claim certainly fails, re-checkable by `check`."""

    instance: Exact
    comparison: str
    relation: str
    lhs: str
    rhs: str
    bits: int

    def __str__(self) -> str:
        """What fails, at numbers that a person can check."""
        relation = "is not" if self.relation == "=" else "is not at most"
        place = spelled(self.instance)
        return f"{self.comparison} fails at {place}: {self.lhs} {relation} {self.rhs}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; numbers are exact, as text."""
        return {
            "type": "counterexample",
            "instance": as_text(self.instance),
            "comparison": self.comparison,
            "relation": self.relation,
            "lhs": self.lhs,
            "rhs": self.rhs,
            "bits": self.bits,
        }


def as_text(instance: Exact) -> dict[str, Any]:
    """An exact instance as nested lists of fractions in text, under the names of the paper."""
    return {name.removesuffix("_"): _nested(values) for name, values in instance.items()}


def spelled(instance: Exact) -> str:
    """An exact instance in one line."""
    numbers = as_text(instance).items()
    return ", ".join(f"{name} = {values}" for name, values in numbers).replace("'", "")


def _nested(values: Any) -> Any:
    array = np.asarray(values, dtype=object)
    return str(array.item()) if array.ndim == 0 else [_nested(entry) for entry in array]


def exact_instance(instance: Mapping[str, Any], index: int) -> Exact:
    """Return one instance of a float batch, every number exact."""
    to_fraction = np.frompyfunc(Fraction, 1, 1)
    return {
        name: np.asarray(to_fraction(np.asarray(values[index], dtype=object)), dtype=object)
        for name, values in instance.items()
    }


def judge_exact(claim: Claim, instance: Exact) -> Judgement:
    """Judge one exact instance in balls, at the precision in force."""
    return claim.judge(
        balls, **{name: balls.asarray(values[None]) for name, values in instance.items()}
    )


def refute(
    claim: Claim,
    instance: Exact,
    precisions: tuple[int, ...] = _PRECISIONS,
    budget_digits: tuple[int, ...] = _BUDGET_DIGITS,
) -> Counterexample | None:
    """Return the certified counterexample that an exact instance is, or None.

    Precision is raised, and budgets are rounded up less and less coarsely from the least, and then
    taken as given, until hypotheses and violation are certain or the list of attempts ends.
    """
    if not admitted(claim, instance):
        return None
    for bits in precisions:
        with balls.precision(bits):
            as_given = [instance] if claim.budgets() else []
            for candidate in chain(_with_budgets(claim, instance, budget_digits), as_given):
                judged = judge_exact(claim, candidate)
                if not all(certainly_holds(c) for c in judged.hypotheses):
                    continue
                for comparison in judged.conclusions:
                    failing = _certainly_fails(comparison)
                    if failing is not None:
                        return Counterexample(
                            candidate,
                            comparison.name,
                            comparison.relation,
                            _text(comparison.lhs, failing),
                            _text(comparison.rhs, failing),
                            bits,
                        )
    return None


def survive(
    claim: Claim, batch: Mapping[str, Any], rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    """Tell which rows of a float batch are no counterexamples, though they may look like some.

    Most meet everything, or certainly fail a hypothesis, which is seen of all of them at once; then
    only those whose budgets are too small may yet survive with larger ones.
    """
    clear, short = np.zeros((2, len(rows)), dtype=bool)
    for bits in _FOR_SIXTY_DIGITS:
        left = np.flatnonzero(~(clear | short))
        if len(left):
            some = {name: values[rows[left]] for name, values in batch.items()}
            with balls.precision(bits):
                clear[left], short[left] = _plainly_survive(claim, some)
    for index in np.flatnonzero(short & ~clear):
        clear[index] = survives(claim, exact_instance(batch, int(rows[index])))
    return clear


def _plainly_survive(
    claim: Claim, batch: Mapping[str, Any]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Tell which rows survive as they stand, and which have a budget that is too small."""
    judged = claim.judge(balls, **{name: balls.asarray(values) for name, values in batch.items()})
    budgets = {field.hypothesis for field in claim.budgets()}
    failing = {h.name: _rows(_failing(h)).any(axis=1) for h in judged.hypotheses}
    meets = [_rows(_agree(c)).all(axis=1) for c in (*judged.hypotheses, *judged.conclusions)]
    excluded = [failed for name, failed in failing.items() if name not in budgets]
    short = [failed for name, failed in failing.items() if name in budgets]
    fine = np.logical_or.reduce([np.logical_and.reduce(meets), *excluded])
    return np.asarray(fine, dtype=bool), np.any([np.zeros_like(fine), *short], axis=0)


def _rows(entries: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return entries.reshape(len(entries), -1)


def survives(claim: Claim, instance: Exact) -> bool:
    """Tell whether an instance is no counterexample, though it may look like one in floats.

    It meets hypotheses and conclusions with certainty, up to equalities that hold to 60 digits; or
    it certainly fails a hypothesis that is no budget's; or its budgets are too small, and with the
    least that are enough it meets everything.
    """
    budgets = {field.hypothesis for field in claim.budgets()}
    for bits in _FOR_SIXTY_DIGITS:
        with balls.precision(bits):
            given = judge_exact(claim, instance)
            failed = {h.name for h in given.hypotheses if _certainly_fails(h) is not None}
            if _holds(given) or failed - budgets:
                return True
            if failed and all(
                _holds(judge_exact(claim, candidate))
                for candidate in _with_budgets(claim, instance, _BUDGET_DIGITS[-1:])
            ):
                return True
    return False


def _holds(judged: Judgement) -> bool:
    return all(_agree(c).all() for c in (*judged.hypotheses, *judged.conclusions))


def _agree(comparison: Comparison) -> npt.NDArray[np.bool_]:
    """Tell which entries certainly hold, or have two sides that agree to 60 digits."""
    share, least = balls.ball(_SIXTY_DIGITS), balls.ball(_BELOW_FLOATS)
    ordered = comparison.relation == "<="

    def holds(a: Any, b: Any) -> bool:
        gap = b - a
        return bool((ordered and gap >= 0) or abs(gap) <= (abs(a) + abs(b)) * share + least)

    both = np.frompyfunc(holds, 2, 1)(comparison.lhs.data, comparison.rhs.data)
    return np.asarray(both, dtype=bool)


def admitted(claim: Claim, instance: Exact) -> bool:
    """Tell whether the shapes are the claim's and every entry is one that its field admits."""
    return sizes_of(claim, instance) is not None and all(
        all(field.admits(value) for value in np.ravel(instance[field.name]))
        and (field.kind != "mask" or any(np.ravel(instance[field.name])))
        for field in claim.fields
    )


def sizes_of(claim: Claim, instance: Exact) -> Sizes | None:
    """Return the sizes of an instance's axes, or None where they are not the claim's.

    Each axis has one length wherever it occurs, a free one at least its least, and a derived one
    the length that its rule gives.
    """
    if instance.keys() != {field.name for field in claim.fields}:
        return None
    sizes: Sizes = {}
    for field in claim.fields:
        shape = np.shape(instance[field.name])
        if len(shape) != len(field.shape):
            return None
        for axis, length in zip(field.shape, shape, strict=True):
            if sizes.setdefault(axis, length) != length:
                return None
    free = {name: sizes.get(name, low) for name, (low, _) in claim.sizes.items()}
    whole = claim.axes(free)
    lows = all(free[name] >= low for name, (low, _) in claim.sizes.items())
    return sizes if lows and all(whole[axis] == n for axis, n in sizes.items()) else None


def check(claim: Claim, found: Counterexample) -> bool:
    """Re-check a counterexample from its exact instance alone."""
    if not admitted(claim, found.instance):
        return False
    with balls.precision(found.bits):
        judged = judge_exact(claim, found.instance)
        broken = next((c for c in judged.conclusions if c.name == found.comparison), None)
        place = None if broken is None else _certainly_fails(broken)
        if broken is None or place is None:
            return False
        told = (found.relation, found.lhs, found.rhs)
        return told == (
            broken.relation,
            _text(broken.lhs, place),
            _text(broken.rhs, place),
        ) and all(certainly_holds(c) for c in judged.hypotheses)


def certainly_meets(claim: Claim, instance: Exact) -> bool:
    """Tell whether an exact instance meets the hypotheses with certainty, budgets set anew."""
    if not admitted(claim, instance):
        return False
    for bits in _PRECISIONS:
        with balls.precision(bits):
            for candidate in _with_budgets(claim, instance):
                if all(certainly_holds(c) for c in judge_exact(claim, candidate).hypotheses):
                    return True
    return False


def certified_tightness(claim: Claim, instance: Exact, conclusion: str) -> float | None:
    """Largest certain lower value of lhs/rhs for a conclusion, where the hypotheses hold."""
    if not admitted(claim, instance):
        return None
    with balls.precision(_PRECISIONS[1]):
        for candidate in _with_budgets(claim, instance, _BUDGET_DIGITS[::-1]):
            judged = judge_exact(claim, candidate)
            if not all(certainly_holds(c) for c in judged.hypotheses):
                continue
            chosen = next(c for c in judged.conclusions if c.name == conclusion)
            ratios = [
                a / b
                for a, b in zip(chosen.lhs.data.ravel(), chosen.rhs.data.ravel(), strict=True)
                if b > 0
            ]
            finite = [float(r.lower()) for r in ratios if r.is_finite()]
            if finite:
                return max(finite)
    return None


def _with_budgets(
    claim: Claim, instance: Exact, digits: tuple[int, ...] = _BUDGET_DIGITS
) -> Iterator[Exact]:
    """The instance with budgets just large enough, rounded up to fewer or more decimals."""
    if not claim.budgets():
        yield instance
        return
    known: dict[tuple[Fraction, ...], Any] = {}  # what is needed, given the budgets before it
    for places in digits:
        filled, before = dict(instance), tuple[Fraction, ...]()
        for field in claim.budgets():
            if before not in known:
                known[before] = _needed(claim, filled, field)
            upper = known[before]
            if not upper.is_finite():
                return
            least = Fraction(0) if upper <= 0 and places == digits[0] else round_up(upper, places)
            filled[field.name], before = np.array(least, dtype=object), (*before, least)
        yield filled


def _needed(claim: Claim, instance: Exact, field: Field) -> Any:
    """An upper bound on what a budget must be, which is certain at the precision in force."""
    zero = np.array(Fraction(0), dtype=object)
    judged = judge_exact(claim, {**instance, field.name: zero})
    slack = next(c.slack for c in judged.hypotheses if c.name == field.hypothesis)
    uppers = [entry.upper() for entry in (-slack).data.ravel()]
    unbounded = [upper for upper in uppers if not upper.is_finite()]
    return unbounded[0] if unbounded else max(uppers)


def round_up(value: Any, places: int) -> Fraction:
    """A non-negative decimal of `places` significant digits that is at least `value`."""
    if value <= 0:
        return Fraction(1, 10**places)
    middle, radius, exponent = (int(part) for part in value.mid_rad_10exp(places + 20))
    top = middle + radius
    drop = len(str(top)) - places
    shown = -(-top // 10**drop) if drop > 0 else top
    return Fraction(shown) * Fraction(10) ** (exponent + max(drop, 0))


def certainly_holds(comparison: Comparison) -> bool:
    """Tell whether a comparison of balls holds with certainty, an equality exactly."""
    if comparison.relation == "=":
        return all(bool(s.is_zero()) for s in comparison.slack.data.ravel())
    return bool(balls.certainly_nonnegative(comparison.slack).all())


def _certainly_fails(comparison: Comparison) -> int | None:
    """Index of an entry that certainly fails, or None."""
    places = np.flatnonzero(_failing(comparison))
    return int(places[0]) if len(places) else None


def _failing(comparison: Comparison) -> npt.NDArray[np.bool_]:
    """Tell which entries certainly fail."""
    negative = balls.certainly_negative(comparison.slack)
    if comparison.relation == "=":
        negative = negative | balls.certainly_negative(-comparison.slack)
    return negative


def _text(side: Any, place: int) -> str:
    return str(side.data.ravel()[place].str(12))
