"""The tie of a kernel theorem to a claim: both evaluated on the same instances.

The theorem is what Coq prints, evaluated in ball arithmetic; the claim is what the campaign
judges. On instances that meet the claim's hypotheses no premise of the theorem may fail, so that
it assumes no more than the claim does; and each comparison that it is registered for must have the
two sides that the claim has, up to balls far narrower than a float.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from time import process_time
from typing import Any

import numpy as np

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign import samplers
from ncbounds.campaign.certify import Exact, admitted, certainly_holds, exact_instance, judge_exact
from ncbounds.campaign.comparisons import meets_hypotheses
from ncbounds.theory.terms import Claim, Comparison, Judgement
from proofs_check.kernel.language import Binder, Let, Operation, Term, parse
from proofs_check.kernel.meaning import (
    BOOL,
    NAT,
    Meaning,
    Scope,
    Sides,
    Typed,
    UndecidedError,
    conjuncts,
)
from proofs_check.kernel.register import Binding, Theorem
from proofs_check.kernel.statements import Printed

#: Instances on which a theorem is evaluated, of how many batches at most, so many of each.
_WANTED, _BATCHES, _FEW = 10, 60, 2
#: Where sums within sums are slow to evaluate fewer instances are compared, but not below these.
_FEWEST, _SECONDS = 3, 2.0
#: Free sizes are small: the theorem is evaluated term by term.
_LARGER = 2
_BITS = 256
#: Widest that two sides may differ, relative to their size.
_AGREE = 2.0**-60
_STRONGER = {"<=": ("<=", "<", "="), "=": ("=",)}


@dataclass(frozen=True)
class Correspondence:
    """How a theorem and a claim agree.

    `instances` is how many of them were compared, `difference` bounds how much two sides differ
    relative to their size, `covers` are the conclusions of the claim that the theorem has,
    `undecided` the premises that no instance decides (a limit of evaluation, not a failure).
    `failure` says what does not agree; empty when all does.
    """

    instances: int = 0
    difference: float = 0.0
    covers: tuple[str, ...] = ()
    undecided: tuple[int, ...] = ()
    failure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "instances": self.instances,
            "largest_difference": self.difference,
            "covers": list(self.covers),
            "undecided_premises": list(self.undecided),
            "failure": self.failure or None,
        }


class _MismatchError(Exception):
    """What does not agree, in words."""


@dataclass
class _Comparing:
    """What is known of a correspondence while instances go by."""

    theorem: Theorem
    claim: Claim
    meaning: Meaning
    statement: Term
    instances: int = 0
    difference: float = 0.0
    decided: dict[int, bool] = field(default_factory=dict)


def correspond(theorem: Theorem, claim: Claim, printed: Printed, seed: int = 0) -> Correspondence:
    """Evaluate a theorem and a claim on the same instances.

    Parameters
    ----------
    theorem
        A registered theorem with a `bind`.
    claim
        The claim of the wording that it stands for.
    printed
        The statements and definitions of the development, as Coq prints them.
    seed
        Seed of the instances.

    Returns
    -------
    Correspondence
        With a `failure` when something does not agree; it never raises.
    """
    try:
        return _correspond(theorem, claim, printed, seed)
    except _MismatchError as mismatch:
        return Correspondence(failure=str(mismatch))
    except Exception as error:
        return Correspondence(failure=f"{type(error).__name__}: {error}")


def _correspond(theorem: Theorem, claim: Claim, printed: Printed, seed: int) -> Correspondence:
    if theorem.name not in printed.theorems:
        raise _MismatchError("the development has no theorem of that name")
    statement = parse(printed.theorems[theorem.name].statement)
    if theorem.refutes != (_form(statement) != "claim"):
        raise _MismatchError("what is registered as a claim is a refutation, or the reverse")
    state = _Comparing(theorem, claim, Meaning(printed.definitions), statement)
    form, rng = _form(statement), np.random.default_rng(seed)
    start = process_time()
    with balls.precision(_BITS), np.errstate(all="ignore"):
        for instance in _instances(theorem, claim, form, rng):
            slow = state.instances >= _FEWEST and process_time() - start > _SECONDS
            if state.instances == _WANTED or slow:
                break
            if form == "witness":
                _check_witness(theorem, judge_exact(claim, instance))
            _compare(state, instance)
    if not state.instances:
        raise _MismatchError("no instance could be compared")
    undecided = tuple(sorted(place for place, once in state.decided.items() if not once))
    return Correspondence(state.instances, state.difference, tuple(theorem.conclusions), undecided)


def _form(statement: Term) -> str:
    """Whether a theorem claims, denies a claim, or has a witness against one."""
    if isinstance(statement, Operation) and statement.symbol == "~":
        return "denial"
    return "witness" if isinstance(statement, Binder) and statement.kind == "exists" else "claim"


# -- instances ------------------------------------------------------------------------------------


def _instances(
    theorem: Theorem, claim: Claim, form: str, rng: np.random.Generator
) -> Iterator[Exact]:
    """Instances to compare at: those given, degenerate ones, random ones.

    They meet the hypotheses in floats, except where a claim is denied.
    """
    for given in theorem.at:
        yield {name: _exact(values) for name, values in given.items()}
    if form == "witness":
        return
    xp, restrict = numpy_namespace(), theorem.restrict or dict
    for batch in islice(samplers.degenerate(claim, 64, rng), _FEW):
        yield from _some(claim, samplers.meet_budgets(claim, xp, restrict(batch), 0.5), form, rng)
    for _ in range(_BATCHES):
        sizes = {
            name: int(rng.integers(low, min(high, low + _LARGER) + 1))
            for name, (low, high) in claim.sizes.items()
        }
        drawn = restrict(samplers.draw(claim, claim.axes(sizes), 32, rng, decades=0.5))
        room = samplers.draw_room(claim, 32, rng)
        yield from _some(claim, samplers.meet_budgets(claim, xp, drawn, room), form, rng)


def _some(
    claim: Claim, batch: Mapping[str, Any], form: str, rng: np.random.Generator
) -> Iterator[Exact]:
    met = meets_hypotheses(claim.judge(numpy_namespace(), **batch))
    chosen = np.flatnonzero(met if form == "claim" else np.ones_like(met))
    for index in rng.permutation(chosen)[:_FEW]:
        instance = exact_instance(batch, int(index))
        if admitted(claim, instance):
            yield instance


def _exact(values: Any) -> Any:
    return np.asarray(np.frompyfunc(Fraction, 1, 1)(np.asarray(values, dtype=object)), object)


# -- comparing ------------------------------------------------------------------------------------


def _compare(state: _Comparing, instance: Exact) -> None:
    """Compare theorem and claim at one instance, where both are defined."""
    judged = judge_exact(state.claim, instance)
    by_name = {c.name: c for c in judged.conclusions}
    unknown = set(state.theorem.conclusions) - set(by_name)
    if unknown:
        raise _MismatchError(f"the claim has no conclusion {sorted(unknown)[0]!r}")
    try:
        truths, found = _evaluated(state, instance)
    except UndecidedError:
        return
    if not _premises_agree(_form(state.statement), truths, judged):
        return
    pairs = [pair for name, sides in found.items() for pair in _pairs(by_name[name], sides)]
    if not all(_is_narrow(a) and _is_narrow(b) for a, b, _ in pairs):
        return
    for a, b, name in pairs:
        if not a.overlaps(b):
            told = f"{a.str(8)} in the claim, {b.str(8)} in the theorem"
            raise _MismatchError(f"{name!r} differs: {told}")
        gap = abs(a - b) / (1 + abs(a))
        state.difference = max(state.difference, float(gap.upper()))
    for place, truth in enumerate(truths):
        state.decided[place] = state.decided.get(place, False) or truth is not None
    state.instances += 1


def _evaluated(
    state: _Comparing, instance: Exact
) -> tuple[list[bool | None], dict[str, list[Sides]]]:
    """The truth of the theorem's premises at an instance, and its sides by the claim's names."""
    assert state.theorem.bind is not None
    bound = state.theorem.bind(_values(state.claim, instance))
    found: dict[str, list[Sides]] = {name: [] for name in state.theorem.conclusions}
    truths: list[bool | None] = []
    for binding in [bound] if isinstance(bound, Mapping) else bound:
        premises, parts, scope = _taken_apart(state, binding)
        truths += premises
        for name, place in state.theorem.conclusions.items():
            if place >= len(parts):
                raise _MismatchError(f"the theorem has {len(parts)} conclusions, not {place + 1}")
            found[name] += map(_normal, state.meaning.sides(parts[place], scope))
    return truths, found


def _premises_agree(form: str, truths: list[bool | None], judged: Judgement) -> bool:
    """Tell whether an instance is to be compared; refuse premises that are not the hypotheses.

    A theorem for a claim may assume no more than the claim does. One against a claim may assume no
    less, or what it denies would be more than the claim.
    """
    if form == "denial":
        failing = [h.name for h in judged.hypotheses if _certainly_fails(h)]
        if failing and all(truths):
            raise _MismatchError(f"its premises hold where the hypothesis {failing[0]!r} fails")
        return not failing and False not in truths
    if False in truths:
        place = truths.index(False) + 1
        raise _MismatchError(f"premise {place} fails where the hypotheses hold")
    return True


def _check_witness(theorem: Theorem, judged: Judgement) -> None:
    """See that a witness meets the hypotheses and breaks what the theorem says it breaks."""
    if not all(certainly_holds(h) for h in judged.hypotheses):
        raise _MismatchError("the witness does not meet the hypotheses with certainty")
    for conclusion in judged.conclusions:
        if conclusion.name in theorem.conclusions and not _certainly_fails(conclusion):
            raise _MismatchError(f"the witness does not break {conclusion.name!r}")


def _taken_apart(
    state: _Comparing, binding: Binding
) -> tuple[list[bool | None], list[Term], Scope]:
    """The truth of the premises, the parts of the conclusion, and the values they speak of."""
    meaning, scope, term = state.meaning, dict[str, Typed](), state.statement
    truths: list[bool | None] = []
    form = _form(term)
    if form == "denial":
        (term,) = term.operands  # type: ignore[union-attr]
    quantifier = "exists" if form == "witness" else "forall"
    left = set(binding)
    while True:
        match term:
            case Binder(kind, name, type, body) if kind == quantifier and name in left:
                scope[name] = Typed(typed_value(binding[name], type), type)
                left.remove(name)
                term = body
            case Operation("->", (premise, rest)):
                truths.append(meaning.truth(premise, scope))
                term = rest
            case Let(name, value, body):
                scope[name] = meaning.typed(value, scope)
                term = body
            case _:
                break
    if left:
        raise _MismatchError(f"the theorem has no variable {sorted(left)[0]!r}")
    term, inner = meaning.opened(term, scope)
    parts = conjuncts(term)
    if form == "witness":
        broken = set(state.theorem.conclusions.values())
        others = (part for place, part in enumerate(parts) if place not in broken)
        truths += [meaning.truth(part, inner) for part in others]
    return truths, parts, inner


def _normal(sides: Sides) -> Sides:
    """A comparison with its smaller side first, as claims have it."""
    if sides.relation in (">=", ">"):
        return Sides(sides.rhs, {">=": "<=", ">": "<"}[sides.relation], sides.lhs)
    return sides


def _pairs(claimed: Comparison, proved: Sequence[Sides]) -> list[tuple[Any, Any, str]]:
    """The sides of the claim beside those of the theorem, entry by entry."""
    lhs, rhs = (side.ravel() for side in np.broadcast_arrays(claimed.lhs.data, claimed.rhs.data))
    if len(lhs) != len(proved):
        told = f"{len(lhs)} entries in the claim, {len(proved)} in the theorem"
        raise _MismatchError(f"{claimed.name!r} has {told}")
    weaker = [one.relation for one in proved if one.relation not in _STRONGER[claimed.relation]]
    if weaker:
        raise _MismatchError(
            f"{claimed.name!r} is {claimed.relation} in the claim, not {weaker[0]}"
        )
    return [
        pair
        for a, b, one in zip(lhs, rhs, proved, strict=True)
        for pair in ((a, one.lhs, claimed.name), (b, one.rhs, claimed.name))
    ]


def _certainly_fails(comparison: Comparison) -> bool:
    negative = balls.certainly_negative(comparison.slack)
    if comparison.relation == "=":
        negative = negative | balls.certainly_negative(-comparison.slack)
    return bool(negative.any())


def _is_narrow(value: Any) -> bool:
    return bool(value.is_finite() and value.rad() <= (abs(value) + 1).upper() * _AGREE)


# -- from arrays to values of a theorem's variables -----------------------------------------------


def _values(claim: Claim, instance: Exact) -> dict[str, Any]:
    """An instance as `bind` sees it: exact balls, and integers where a field is whole."""
    whole = {f.name for f in claim.fields if f.kind == "integer"}

    def read(name: str, values: Any) -> Any:
        array = np.frompyfunc(int if name in whole else balls.ball, 1, 1)(values)
        return array if np.ndim(values) else np.asarray(array, dtype=object).item()

    return {name: read(name, values) for name, values in instance.items()}


def typed_value(value: Any, type: Term) -> Any:
    """A number, an array or a function as a value of a type; an array is zero beyond its end."""
    if not isinstance(type, Operation):
        return int(value) if type == NAT else bool(value) if type == BOOL else balls.ball(value)
    domain, result = type.operands
    if callable(value):
        return _curried(value, type, ())
    array = np.asarray(value, dtype=object)
    if domain != NAT:
        raise _MismatchError("an array stands for what is no function of an index")

    def entry(index: int) -> Any:
        inside = index < len(array)
        return typed_value(array[index] if inside else np.zeros(array.shape[1:]).tolist(), result)

    return entry


def _curried(function: Any, type: Term, given: tuple[Any, ...]) -> Any:
    """A Python function of several arguments, one at a time."""
    if not isinstance(type, Operation):
        return typed_value(function(*given), type)
    return lambda argument: _curried(function, type.operands[1], (*given, argument))
