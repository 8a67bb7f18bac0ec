"""Hypothesis strategies for every claim: instances that meet its hypotheses, and shrink well.

An instance is constructed, not awaited. Its fields are drawn in adversarial shapes (small integers,
ties, zeros, almost equal entries, extreme scales); budgets are set to the least float64 that a
ball evaluation shows to be enough, plus drawn room; and what other hypotheses ask for is reached
on a `_LADDER`: the drawn numbers are shrunk, and an ideal (a simplex of weights with features to
match) is added, until the hypotheses hold. The ladder is deterministic, so that Hypothesis can
shrink what it finds: to small sizes, small integers and no room.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds import theory
from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign.certify import certainly_holds
from ncbounds.campaign.samplers import per_instance, with_axes_of
from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.theory.terms import Claim, Field, Judgement, Sizes

try:
    from hypothesis import HealthCheck, reject, settings
    from hypothesis import strategies as st
    from hypothesis.extra.numpy import arrays
except ImportError as error:
    raise MissingDependencyError('hypothesis is missing: pip install "ncbounds[test]"') from error

Array = npt.NDArray[np.float64]
#: What `claim.judge` takes: float64 arrays by name, with a batch of one as the first axis.
Instance = dict[str, Array]

#: Bits at which budgets are set, and at which the hypotheses are then checked: a gap that is zero
#: but not computed exactly gets a budget the size of its radius, enough only to more bits.
_SETTING, _CHECKING = 128, 256
#: How much of what was drawn is kept, and how much of the ideal is added, in the order of trial.
_LADDER = tuple(
    (kept, added)
    for kept in (1.0, 2.0**-2, 2.0**-5, 2.0**-10, 2.0**-20, 2.0**-40, 0.0)
    for added in (0.0, 1.0, 4.0, 0.125)
)


def instances_of(
    statement: str | Claim, variant: str | None = None, reading: str | None = None
) -> st.SearchStrategy[Instance]:
    """Return a strategy for instances that meet the hypotheses of a claim.

    Use it with Hypothesis's ``@given`` to test a claim, or one's own change to a claim, in pytest;
    a counterexample is shrunk to few points and small integers. Every entry is a float64 that
    stands for exactly the number it is, and at these numbers all hypotheses hold with certainty
    (in ball arithmetic) and both sides of every comparison are finite in floats.

    Parameters
    ----------
    statement
        The id of a statement, such as ``"bnwd:lemma-2.1"``, or a claim.
    variant
        ``"printed"``, ``"corrected"`` or ``"sharp"``; without one, any. The first variant that
        has a claim is meant.
    reading
        The reading of the variant, as `ncbounds show` gives it; without one, any.

    Returns
    -------
    SearchStrategy
        Of dictionaries: for each field of the claim an array of shape (1, ...), batch axis first.

    Raises
    ------
    InputError
        When there is no such statement, variant or reading, or none that has a claim.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> import ncbounds
    >>> from ncbounds.campaign.certify import exact_instance, refute
    >>> lemma = ncbounds.statement("bnwd:lemma-2.1").variants[0].claim
    >>> @settings(max_examples=10, deadline=None, database=None)
    ... @given(instances_of("bnwd:lemma-2.1"))
    ... def test_the_lemma(instance):
    ...     assert refute(lemma, exact_instance(instance, 0)) is None
    >>> test_the_lemma()
    """
    if isinstance(statement, Claim):
        for parameter, value in (("variant", variant), ("reading", reading)):
            if value is not None:
                raise InputError(parameter, value, "left out where a claim is given")
        return _instances(statement, _sizes(statement))
    claim = _claim_of(statement, variant, reading)
    return _instances(claim, _sizes(claim))


def register_profiles() -> None:
    """Register the settings profiles of a test suite, for ``settings.load_profile``.

    ``"dev"`` is quick (20 examples), ``"ci"`` gives the same examples in every run (100) and
    prints how to reproduce a failure, ``"campaign"`` searches for long (5000). None has a
    deadline: the time that an instance takes depends on its size.
    """
    settings.register_profile("dev", max_examples=20, deadline=None)
    settings.register_profile(
        "ci", max_examples=100, deadline=None, derandomize=True, print_blob=True
    )
    settings.register_profile(
        "campaign",
        max_examples=5000,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def _claim_of(id: str, variant: str | None, reading: str | None) -> Claim:
    """The claim of the first variant of a statement that is meant and has one."""
    claims = [(v.reading, v.claim) for v in theory.statement(id).select(variant) if v.claim]
    if not claims:
        raise InputError("ID", id, "a statement with a claim")
    for known, claim in claims:
        if reading in (None, known):
            return claim
    raise InputError("reading", str(reading), f"one of {'; '.join(r for r, _ in claims)} for {id}")


@st.composite
def _instances(draw: st.DrawFn, claim: Claim, sizes: st.SearchStrategy[Sizes]) -> Instance:
    """Draw an instance and, where it does not meet the hypotheses, take it down the ladder."""
    shapes = _shapes(claim, draw(sizes))
    drawn: Instance = {}
    for field in claim.fields:
        values = draw(_entries(field, shapes[field.name]))
        if field.like:
            factor, centred, noise = draw(_ALIGNMENT)
            values = factor * _model(claim, field, drawn, centred) + noise * values
        drawn[field.name] = values
    room = {field.name: draw(_ROOM) for field in claim.budgets()}
    moved = _moved(claim, drawn, np.ones(1), np.array([draw(_ADDED)]))
    met = _first_met(claim, moved, {name: np.array([share]) for name, share in room.items()})
    return met or _descended(claim, drawn, room) or reject()


# -- what may be drawn ----------------------------------------------------------------------------

_SMALLEST, _LARGEST = 1e-8, 1e8
_POSITIVE = (
    st.integers(1, 4).map(float)
    | st.integers(1, 64).map(lambda n: n / 16)
    | st.floats(_SMALLEST, _LARGEST)
)
_REAL = (
    st.integers(-4, 4).map(float)
    | st.integers(-64, 64).map(lambda n: n / 16)
    | st.floats(-_LARGEST, _LARGEST).map(lambda x: x if abs(x) >= _SMALLEST else 0.0)
)
_NEAR_ZERO = st.floats(_SMALLEST, 0.5)
_PROPORTION = (
    st.sampled_from((0.5, 0.25, 0.75, 0.125, 0.875)) | _NEAR_ZERO | _NEAR_ZERO.map(lambda t: 1 - t)
)
_ENTRIES = {
    "real": _REAL,
    "positive": _POSITIVE,
    "nonnegative": st.just(0.0) | _POSITIVE,
    "proportion": _PROPORTION,
    "mask": st.sampled_from((0.0, 1.0)),
    "budget": st.just(0.0),
}
#: How much more than the least a budget is, as a share of it.
_ROOM = st.just(0.0) | st.sampled_from((2.0**-40, 2.0**-10, 0.125, 1.0, 16.0))
#: Of a field that is drawn like another: multiple of the other, whether centred first, and noise.
_ALIGNMENT = st.tuples(
    st.sampled_from((1.0, 2.0, 16.0, 0.25, 0.0)),
    st.booleans(),
    st.sampled_from((0.0, 1.0, 2.0**-10)),
)
#: How much of the ideal is added from the start.
_ADDED = st.sampled_from((0.0, 0.0, 0.0, 1.0, 0.5, 0.25))
#: 0, 1, -1, 2, -2, ...: small bytes are small integers.
_DIGITS = np.array([(byte + 1) // 2 * (1 if byte % 2 else -1) for byte in range(256)], np.float64)


@cache
def _entries(field: Field, shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
    """Arrays of a field: a few entries of their own and one value for the rest, or all spread."""
    if field.kind == "integer":
        steps = st.integers(0, 4) | st.integers(0, 10_000)
        entries = steps.map(lambda step: float(field.least + step))
    else:
        entries = _ENTRIES[field.kind]
    sparse = arrays(np.float64, shape, elements=entries, fill=entries)
    if field.kind == "mask":
        return sparse.map(_nonempty)
    return sparse | _spread(shape) if field.kind == "real" and math.prod(shape) > 1 else sparse


def _nonempty(chosen: Array) -> Array:
    if not chosen.any():
        chosen.flat[0] = 1.0
    return chosen


def _spread(shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
    """A centre plus a step times a small integer for each entry, all of these in one draw."""

    def build(centre: float, exponent: int, code: bytes) -> Array:
        digits = _DIGITS[np.frombuffer(code, np.uint8)].reshape(shape)
        return np.asarray(centre + 2.0**exponent * digits)

    size = math.prod(shape)
    code = st.binary(min_size=size, max_size=size)
    return st.builds(build, _REAL, st.integers(-26, 16), code)


def _sizes(claim: Claim) -> st.SearchStrategy[Sizes]:
    """Sizes at which some instance meets the hypotheses; small ones are likely.

    Some hypotheses speak of sizes alone ("enough classes"): where no instance of the drawn sizes
    is found to meet them, one size is moved to the nearest value at which one does.
    """
    ranges = list(claim.sizes.values())

    def complete(values: tuple[int, ...]) -> Sizes:
        return claim.axes(dict(zip(claim.sizes, values, strict=True)))

    @cache
    def possible(values: tuple[int, ...]) -> bool:
        shapes = _shapes(claim, complete(values))
        plain = {f.name: np.full(shapes[f.name], _plain(f)) for f in claim.fields}
        return _descended(claim, plain, {f.name: 0.0 for f in claim.budgets()}) is not None

    def nearest(values: tuple[int, ...]) -> Sizes:
        if possible(values):
            return complete(values)
        moves = [
            (*values[:place], n, *values[place + 1 :])
            for place, (low, high) in enumerate(ranges)
            for n in range(low, high + 1)
        ]
        near = sorted(moves, key=lambda move: math.dist(move, values))
        return complete(next(filter(possible, near), values))

    each = (st.integers(low, min(high, low + 3)) | st.integers(low, high) for low, high in ranges)
    return st.tuples(*each).map(nearest)


def _plain(field: Field) -> float:
    """An entry that asks for nothing."""
    entries = {"integer": float(field.least), "proportion": 0.5, "mask": 1.0, "positive": 1.0}
    return entries.get(field.kind, 0.0)


def _shapes(claim: Claim, sizes: Sizes) -> dict[str, tuple[int, ...]]:
    return {f.name: (1, *(sizes[axis] for axis in f.shape)) for f in claim.fields}


# -- down the ladder ------------------------------------------------------------------------------


def _descended(claim: Claim, drawn: Instance, room: Mapping[str, float]) -> Instance | None:
    """The first step of the ladder that meets the hypotheses; masks choose half as many points.

    Floats look at all steps in one batch; balls at those that look sound, one after the other.
    """
    masks = {f.name: _half(drawn[f.name]) for f in claim.fields if f.kind == "mask"}
    kept, added = np.array(_LADDER).T
    steps = _moved(claim, {**drawn, **masks}, kept, added)
    rooms = {name: kept * share for name, share in room.items()}
    return _first_met(claim, steps, rooms)


def _half(chosen: Array) -> Array:
    """The first half of the points that a mask chooses, at least one."""
    places = np.flatnonzero(chosen)
    half = np.zeros(chosen.shape)
    half.flat[places[: max(1, len(places) // 2)]] = 1.0
    return half


def _moved(claim: Claim, drawn: Instance, kept: Array, added: Array) -> Instance:
    """A batch of the instance with its real fields shrunk, and something of the ideal added."""
    moved, ideal = {}, {name: np.zeros(values.shape) for name, values in drawn.items()}
    models = {field.like for field in claim.fields}
    for field in claim.fields:
        values = drawn[field.name]
        if field.kind != "real":
            moved[field.name] = np.repeat(values, len(kept), axis=0)
            continue
        if field.like:
            ideal[field.name] += _model(claim, field, ideal)
        elif len(field.shape) > 1:
            ideal[field.name] += _simplex(values.shape)
        elif field.name in models:
            ideal[field.name][..., 0] = 1.0
        elif field.shape:
            ideal[field.name] += 1.0
        share, more = per_instance(kept, values.ndim), per_instance(added, values.ndim)
        moved[field.name] = share * values + more * ideal[field.name] + 0.0  # no negative zeros
    return moved


@cache
def _simplex(shape: tuple[int, ...]) -> Array:
    """Rows ``e_j, -e_j, 2 e_j, ...``, centred and in integers: a simplex for n <= d, never zero."""
    n, d = shape[-2:]
    rows, (turn, place) = np.zeros((n, d)), np.divmod(np.arange(n), d)
    rows[np.arange(n), place] = (1 + turn // 2) * (-1.0) ** turn
    return rows if n == 1 else np.asarray(n * rows - rows.sum(axis=0))


def _model(claim: Claim, field: Field, instance: Instance, centred: bool = False) -> Array:
    """What a field is drawn like, with the axes inserted that it lacks."""
    model = instance[field.like]
    if centred:  # times the number of rows, so that integers stay integers
        model = model.shape[1] * model - model.sum(axis=1, keepdims=True)
    return with_axes_of(field, claim, model)


# -- budgets and hypotheses -----------------------------------------------------------------------


def _first_met(claim: Claim, batch: Instance, rooms: Mapping[str, Array]) -> Instance | None:
    """The first instance of a batch, budgets set, if all is finite and the hypotheses hold.

    Floats look first, at all at once; what is returned rests on balls, where there is anything to
    rest on them.
    """
    sound, asks = _sound(claim, batch, rooms)
    for place in np.flatnonzero(sound):
        instance = {name: values[place : place + 1] for name, values in batch.items()}
        room = {name: float(shares[place]) for name, shares in rooms.items()}
        met = _certain(claim, instance, room) if asks else instance
        if met is not None:
            return met
    return None


@np.errstate(all="ignore")
def _certain(claim: Claim, instance: Instance, room: Mapping[str, float]) -> Instance | None:
    """The instance with its budgets set, if the hypotheses hold in balls."""
    with balls.precision(_SETTING):
        filled = _with_budgets(claim, instance, room)
    if filled is None or not _looks_sound(claim, filled)[0][0]:
        return None
    with balls.precision(_CHECKING):
        sure = all(certainly_holds(h) for h in _judged(claim, balls, filled).hypotheses)
    return filled if sure else None


@np.errstate(all="ignore")
def _sound(
    claim: Claim, batch: Instance, room: Mapping[str, Array]
) -> tuple[npt.NDArray[np.bool_], bool]:
    """Which instances look sound in floats with budgets set, and if there are hypotheses."""
    filled = dict(batch)
    size = len(next(iter(batch.values())))
    finite = np.ones(size, dtype=bool)
    for field in claim.budgets():
        filled[field.name] = np.zeros(size)
        hypotheses = _judged(claim, numpy_namespace(), filled).hypotheses
        slack = next(h.slack for h in hypotheses if h.name == field.hypothesis)
        least = np.max(_rows(-slack, size), axis=1)
        budget = np.where(least > 0, least * (1 + room[field.name]), room[field.name])
        finite &= np.isfinite(least + budget)
        filled[field.name] = np.where(finite, budget, 0.0)
    sound, asks = _looks_sound(claim, filled)
    return finite & sound, asks


def _with_budgets(claim: Claim, instance: Instance, room: Mapping[str, float]) -> Instance | None:
    """Set each budget to the least that certainly meets its hypothesis, times ``1 + room``.

    Where nothing is needed the budget is `room` itself. None where there is no finite least.
    """
    filled = dict(instance)
    for field in claim.budgets():
        filled[field.name] = np.zeros(1)
        hypotheses = _judged(claim, balls, filled).hypotheses
        least = _rounded_up(-next(h.slack for h in hypotheses if h.name == field.hypothesis))
        share = room[field.name]
        budget = least * (1 + share) if least > 0 else share
        if not math.isfinite(least + budget):
            return None
        filled[field.name] = np.array([budget])
    return filled


def _rounded_up(needed: balls.Balls) -> float:
    """The least float64 that is certainly at least as large as every entry."""
    largest = 0.0
    for upper in (entry.upper() for entry in needed.data.ravel()):
        if not upper.is_finite():
            return math.nan
        if upper > 0:
            near = max(float(upper), float(np.finfo(np.float64).tiny))
            largest = max(largest, near if upper <= near else math.nextafter(near, math.inf))
    return largest


def _looks_sound(claim: Claim, batch: Instance) -> tuple[npt.NDArray[np.bool_], bool]:
    """Where all sides are finite in floats and hypotheses hold that no budget serves.

    And whether there are hypotheses: most claims have none.
    """
    judged = _judged(claim, numpy_namespace(), batch)
    served = {field.hypothesis for field in claim.budgets()}
    size = len(next(iter(batch.values())))
    sound = np.ones(size, dtype=bool)
    for c in (*judged.hypotheses, *judged.conclusions):
        for side in (c.lhs, c.rhs):
            sound &= np.isfinite(_rows(side, size)).all(axis=1)
    for h in judged.hypotheses:
        if h.name not in served:
            sound &= _rows(h.lhs <= h.rhs, size).all(axis=1)
    return sound, bool(judged.hypotheses)


def _rows(values: Any, size: int) -> Any:
    """What belongs to each instance of a batch, as a row; a number belongs to all."""
    values = np.asarray(values)
    return values.reshape(size, -1) if values.ndim else np.broadcast_to(values, (size, 1))


def _judged(claim: Claim, xp: Any, instance: Instance) -> Judgement:
    return claim.judge(xp, **{name: xp.asarray(values) for name, values in instance.items()})
