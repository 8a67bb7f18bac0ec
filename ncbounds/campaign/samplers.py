"""Structured random instances: the shapes on which a false claim is likely to show.

An array is drawn in one of several styles (small integers, two values, one outlier, almost equal,
sparse, Gaussian) and at many scales. Fields that a hypothesis bounds from below are then set by
`meet_budgets` to the least value that the hypothesis allows, or somewhat more, so that instances
meet such hypotheses by construction and not by luck.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.theory.terms import Claim, Field, Sizes

Array = npt.NDArray[np.float64]
Instance = dict[str, Array]

#: Instances and array entries in one batch, at most: large enough that calls cost little, small
#: enough to stay in the cache and to see many shapes.
_BATCH, _BATCH_ENTRIES = 1024, 40_000
#: Relative size of what rounding may take from the two sides of a hypothesis.
_ROUNDING = 2.0**-49
#: Binary logarithms of the room that budgets get: half the time next to nothing.
_ROOMS = np.concatenate([np.full(24, -40.0), np.arange(-20.0, 4.0)])
_SMALL_FRACTIONS = np.array([0.25, 0.5, 1.0, 2.0, 3.0])


def draw_sizes(claim: Claim, rng: np.random.Generator) -> Sizes:
    """Draw the free sizes of a claim, small ones more often, and complete the derived ones."""
    sizes = {}
    for name, (low, high) in claim.sizes.items():
        top = high if rng.random() < 0.5 else min(high, low + 3)
        sizes[name] = int(rng.integers(low, top + 1))
    return claim.axes(sizes)


def draw(
    claim: Claim,
    sizes: Sizes,
    batch: int,
    rng: np.random.Generator,
    decades: float = 2.0,
    generic: bool = False,
) -> Instance:
    """Draw a batch of instances; scales range over 10^-decades to 10^decades.

    With `generic`, real arrays are Gaussian and not of a special shape, as ascent wants them.
    Budget fields are left at zero for `meet_budgets` to set.
    """
    instance: Instance = {}
    for field in claim.fields:
        shape = (batch, *(sizes[axis] for axis in field.shape))
        if field.like and rng.random() < 0.75:
            instance[field.name] = _alike(field, instance, claim, shape, rng)
        elif generic and field.kind == "real":
            instance[field.name] = _gaussian(shape, rng, decades)
        else:
            instance[field.name] = _DRAW[field.kind](shape, rng, decades, field)
    return {name: _batch_innermost(values) for name, values in instance.items()}


def batch_size(claim: Claim, sizes: Sizes, wanted: int) -> int:
    """Return how many instances of these sizes make one batch."""
    entries = sum(int(np.prod([sizes[axis] for axis in f.shape])) for f in claim.fields)
    return max(1, min(wanted, _BATCH, _BATCH_ENTRIES // max(entries, 1)))


def _batch_innermost(values: Array) -> Array:
    """Lay the batch axis innermost in memory: sums over short axes then run along the batch."""
    last = values.ndim - 1
    inner = np.ascontiguousarray(values.transpose(*range(1, last + 1), 0))
    return inner.transpose(last, *range(last))


def meet_budgets(
    claim: Claim, xp: Any, instance: Mapping[str, Any], room: Mapping[str, Any] | float
) -> dict[str, Any]:
    """Set each budget to the least value its hypothesis allows, times ``1 + room``.

    Works over numpy and torch alike, and is differentiable. Where the hypothesis holds already,
    the budget is `room` itself (a small positive number). With room, what rounding may have taken
    from the least is added, so that an instance near equality is no false lead.
    """
    filled = dict(instance)
    for field in claim.budgets():
        filled[field.name] = 0 * filled[field.name]
        judged = claim.judge(xp, **filled)
        hypothesis = next(c for c in judged.hypotheses if c.name == field.hypothesis)
        extra = room[field.name] if isinstance(room, Mapping) else room
        needed = -hypothesis.slack
        if needed.ndim > 1:
            needed = xp.max(xp.reshape(needed, (needed.shape[0], -1)), axis=-1)
        least = xp.maximum(needed, 0 * needed)
        filled[field.name] = least * (1 + extra) + xp.where(least > 0, 0 * least, extra)
        if isinstance(extra, np.ndarray) or extra > 0:
            lost = (xp.abs(hypothesis.lhs) + xp.abs(hypothesis.rhs)) * _ROUNDING
            if lost.ndim > 1:
                lost = xp.max(xp.reshape(lost, (lost.shape[0], -1)), axis=-1)
            filled[field.name] = filled[field.name] + lost
    return filled


def draw_room(claim: Claim, batch: int, rng: np.random.Generator) -> Instance:
    """Draw how much more than the least each budget gets: half the time next to nothing."""
    return {f.name: np.exp2(rng.choice(_ROOMS, size=batch)) for f in claim.budgets()}


# -- degenerate instances -------------------------------------------------------------------------


def degenerate(claim: Claim, batch: int, rng: np.random.Generator) -> Iterator[Instance]:
    """Yield the instances that proofs forget, one batch for each choice of sizes.

    All sizes least, then each free size alone a little larger, then all; then each free size at
    every value of its range, with half as many instances. In each batch the fields run through all
    combinations of their degenerate values (all zero, all equal, one entry, halves, a zero row,
    equal rows; one point, all points, no point; nearly 0 and nearly 1), or through `batch` of
    them, with the least budgets that floats compute.
    """
    least = {name: low for name, (low, _) in claim.sizes.items()}
    larger = {name: min(high, low + 2) for name, (low, high) in claim.sizes.items()}
    alone = [{**least, name: larger[name]} for name in least]
    swept = [
        {**larger, name: size}
        for name, (low, high) in claim.sizes.items()
        for size in range(low, high + 1)
    ]
    few = [least, *alone, larger]
    for choice in few:
        yield _degenerate_batch(claim, claim.axes(choice), batch, rng)
    for choice in swept:
        yield _degenerate_batch(claim, claim.axes(choice), batch // 2, rng)


def _degenerate_batch(claim: Claim, sizes: Sizes, batch: int, rng: np.random.Generator) -> Instance:
    xp = numpy_namespace()
    options = {
        f.name: _DEGENERATE[f.kind](tuple(sizes[axis] for axis in f.shape), f) for f in claim.fields
    }
    # One more option of a field that is like another: to be the same.
    numbers = [len(options[f.name]) + bool(f.like) for f in claim.fields]
    whole = math.prod(numbers)
    if whole <= batch:
        places = np.unravel_index(np.arange(whole), numbers)
    else:
        places = tuple(rng.integers(number, size=batch) for number in numbers)
    drawn: Instance = {}
    for f, place in zip(claim.fields, places, strict=True):
        values = np.stack(options[f.name])
        drawn[f.name] = values[np.minimum(place, len(values) - 1)]
        if f.like:
            same = place == len(values)
            alike = np.broadcast_to(with_axes_of(f, claim, drawn[f.like]), drawn[f.name].shape)
            drawn[f.name][same] = alike[same]
    with np.errstate(all="ignore"):
        return meet_budgets(claim, xp, drawn, 0.0)


def with_axes_of(field: Field, claim: Claim, model: Array) -> Array:
    """Values of the field that a field is like, to broadcast along the axes that it lacks."""
    axes = next(f.shape for f in claim.fields if f.name == field.like)
    return model[(slice(None), *(slice(None) if axis in axes else None for axis in field.shape))]


def _degenerate_real(shape: tuple[int, ...], _: Field) -> list[Array]:
    steps = np.arange(int(np.prod(shape)), dtype=np.float64).reshape(shape)
    one_entry = np.where(steps == 0, 1.0, 0.0)
    found = [np.zeros(shape), np.ones(shape), one_entry, steps - steps.mean(), 1e8 * one_entry]
    halves = [np.where(steps < steps.size // 2 + more, 1.0, 0.0) for more in (0, 1)]
    found += [*halves, 2.0**-10 * halves[0]]
    if len(shape) > 1:
        unit = np.array(np.broadcast_to(np.eye(shape[-2], shape[-1]), shape))
        zero_row, equal_rows = unit.copy(), np.array(np.broadcast_to(unit[..., :1, :], shape))
        zero_row[..., 0, :] = 0.0
        simplex = unit - unit.mean(axis=-2, keepdims=True)
        found += [unit, zero_row, equal_rows, simplex, 32 * simplex]
    return found


def _degenerate_positive(shape: tuple[int, ...], _: Field) -> list[Array]:
    return [np.full(shape, value) for value in (1.0, 1e-8, 1e8)]


def _degenerate_nonnegative(shape: tuple[int, ...], field: Field) -> list[Array]:
    return [np.zeros(shape), *_degenerate_positive(shape, field)]


def _degenerate_proportion(shape: tuple[int, ...], _: Field) -> list[Array]:
    near = [2.0**-30, 2.0**-50]
    return [np.full(shape, value) for value in (0.5, *near, *(1 - small for small in near))]


def _degenerate_mask(shape: tuple[int, ...], _: Field) -> list[Array]:
    """One point, half of them and one more, all, all but one, and none, which never counts."""
    steps = np.arange(int(np.prod(shape))).reshape(shape)
    halves = [np.where(steps < steps.size // 2 + more, 1.0, 0.0) for more in (0, 1)]
    one = np.where(steps == 0, 1.0, 0.0)
    return [one, *halves, np.ones(shape), 1 - one, np.zeros(shape)]


def _degenerate_integer(shape: tuple[int, ...], field: Field) -> list[Array]:
    return [np.full(shape, float(field.least + step)) for step in (0, 1, 10**6, 10**9)]


def _degenerate_budget(shape: tuple[int, ...], _: Field) -> list[Array]:
    return [np.zeros(shape)]


_DEGENERATE: dict[str, Callable[[tuple[int, ...], Field], list[Array]]] = {
    "real": _degenerate_real,
    "positive": _degenerate_positive,
    "nonnegative": _degenerate_nonnegative,
    "proportion": _degenerate_proportion,
    "mask": _degenerate_mask,
    "integer": _degenerate_integer,
    "budget": _degenerate_budget,
}


# -- one kind of field each -----------------------------------------------------------------------


def per_instance(values: Any, axes: int) -> Any:
    """Shape (B,) values to broadcast against an array of so many axes; numpy and torch alike."""
    return values.reshape((-1,) + (1,) * (axes - 1))


def _normal(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Standard normal numbers of a shape, batch axis innermost in memory."""
    return np.moveaxis(rng.standard_normal((*shape[1:], shape[0])), -1, 0)


def _uniform(shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Uniform numbers of a shape, batch axis innermost in memory; for choices only."""
    return np.moveaxis(rng.random((*shape[1:], shape[0]), dtype=np.float32), -1, 0)


def _scales(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    scales = 10.0 ** rng.uniform(-decades, decades, size=shape[0])
    return np.asarray(per_instance(scales, len(shape)), dtype=np.float64)


def _real(shape: tuple[int, ...], rng: np.random.Generator, decades: float, _: Field) -> Array:
    style = _STYLES[rng.integers(len(_STYLES))]
    return style(shape, rng, decades)


def _small_integers(shape: tuple[int, ...], rng: np.random.Generator, _: float) -> Array:
    return np.floor(7 * _uniform(shape, rng)).astype(np.float64) - 3


def _sparse_signs(shape: tuple[int, ...], rng: np.random.Generator, _: float) -> Array:
    drawn = _uniform(shape, rng)
    return np.asarray(np.sign(np.where(np.abs(drawn - 0.5) < 0.35, 0, drawn - 0.5)), np.float64)


def _unit_vectors(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    if len(shape) < 3:
        return _gaussian(shape, rng, decades)
    lengths = per_instance(rng.integers(1, 11, shape[0]).astype(np.float64), len(shape))
    return np.array(np.broadcast_to(np.eye(shape[-2], shape[-1]) * lengths, shape))


def _spread_rows(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    """Rows spread evenly: regular polygons, simplices and other harmonic frames, and nearly so."""
    if len(shape) < 3:
        return _gaussian(shape, rng, decades)
    rows, dimension = shape[-2:]
    turns = 2 * np.pi * np.outer(np.arange(rows), np.arange(dimension) // 2 + 1) / rows
    frame = np.where(np.arange(dimension) % 2 == 0, np.cos(turns), np.sin(turns))
    noise = _normal(shape, rng) * (10.0 ** rng.uniform(-6, -1) * rng.integers(2))
    return np.asarray((frame + noise) * _scales(shape, rng, decades), dtype=np.float64)


def _two_values(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    first, second = (per_instance(rng.normal(size=shape[0]), len(shape)) for _ in range(2))
    chosen = np.where(_uniform(shape, rng) < rng.random(), first, second)
    return np.asarray(chosen * _scales(shape, rng, decades), dtype=np.float64)


def _few_values(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    """Entries that take one of three values each: ties of all kinds."""
    values = rng.standard_normal((3, shape[0]))
    chosen = np.floor(3 * _uniform(shape, rng)).astype(np.int64)
    rows = per_instance(np.arange(shape[0]), len(shape))
    return np.asarray(values[chosen, rows] * _scales(shape, rng, decades), dtype=np.float64)


def _nearly_equal(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    base = per_instance(rng.normal(size=shape[0]), len(shape))
    noise = 10.0 ** rng.uniform(-8, -1) * _normal(shape, rng)
    return np.asarray((base + noise) * _scales(shape, rng, decades), dtype=np.float64)


def _one_outlier(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    base = np.ones(shape) * per_instance(rng.normal(size=shape[0]), len(shape))
    flat = base.reshape(shape[0], -1)
    flat[np.arange(shape[0]), rng.integers(flat.shape[1], size=shape[0])] += rng.normal()
    return np.asarray(flat.reshape(shape) * _scales(shape, rng, decades), dtype=np.float64)


def _heavy_tails(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    return _normal(shape, rng) / _normal(shape, rng) * _scales(shape, rng, decades)


def _gaussian(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    return _normal(shape, rng) * _scales(shape, rng, decades)


_STYLES: tuple[Callable[[tuple[int, ...], np.random.Generator, float], Array], ...] = (
    _small_integers,
    _sparse_signs,
    _unit_vectors,
    _spread_rows,
    _two_values,
    _few_values,
    _nearly_equal,
    _one_outlier,
    _heavy_tails,
    _gaussian,
)


def _positive(shape: tuple[int, ...], rng: np.random.Generator, decades: float, _: Field) -> Array:
    if rng.random() < 0.4:
        return rng.choice(_SMALL_FRACTIONS, size=shape)
    return 10.0 ** rng.uniform(-decades, decades, size=shape)


def _nonnegative(
    shape: tuple[int, ...], rng: np.random.Generator, decades: float, field: Field
) -> Array:
    if rng.random() < 0.3:
        return np.zeros(shape)
    return _positive(shape, rng, decades, field) * (rng.random(shape) < 0.6)


def _proportion(shape: tuple[int, ...], rng: np.random.Generator, _: float, __: Field) -> Array:
    style = rng.integers(4)
    if style == 0:
        return rng.choice(np.array([0.125, 0.25, 0.5, 0.75, 0.875]), size=shape)
    if style == 1:
        return 10.0 ** rng.uniform(-12, -0.01, size=shape)
    if style == 2:
        return 1 - 10.0 ** rng.uniform(-12, -0.01, size=shape)
    return rng.uniform(0.001, 0.999, size=shape)


def _mask(shape: tuple[int, ...], rng: np.random.Generator, _: float, __: Field) -> Array:
    """A single point a fifth of the time, now and then all points, else a random share."""
    style, share = rng.random(shape[0]), rng.random(shape[0])
    share = np.where(style < 0.2, 0.0, np.where(style > 0.95, 1.0, share)).astype(np.float32)
    below = _uniform(shape, rng) < per_instance(share, len(shape))
    chosen = _batch_innermost(below.astype(np.float64))
    place = np.unravel_index(rng.integers(int(np.prod(shape[1:])), size=shape[0]), shape[1:])
    chosen[np.arange(shape[0]), *place] = 1.0
    return chosen


def _integer(shape: tuple[int, ...], rng: np.random.Generator, _: float, field: Field) -> Array:
    spread = rng.integers(0, 4, size=shape)
    if rng.random() < 0.5:
        spread = np.floor(10.0 ** rng.uniform(0, 8, size=shape)).astype(np.int64)
    return (field.least + spread).astype(np.float64)


def _zero(shape: tuple[int, ...], *_: object) -> Array:
    return np.zeros(shape)


_DRAW: dict[str, Callable[..., Array]] = {
    "real": _real,
    "positive": _positive,
    "nonnegative": _nonnegative,
    "proportion": _proportion,
    "mask": _mask,
    "integer": _integer,
    "budget": _zero,
}


def _alike(
    field: Field, instance: Instance, claim: Claim, shape: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """A positive multiple of another field, which lacks some axes, plus noise.

    Half the time the model is centred over its first axis, and sometimes there is no noise: the
    shapes near which equality is attained.
    """
    model = instance[field.like]
    if rng.random() < 0.5 and model.ndim > 2:
        model = model - model.mean(axis=1, keepdims=True)
    base = np.broadcast_to(with_axes_of(field, claim, model), shape)
    size = np.sqrt(np.mean(model**2, axis=tuple(range(1, model.ndim)))) + 1e-300
    noise = _normal(shape, rng) * per_instance(size, len(shape)) * 10.0 ** rng.uniform(-4, 0.3)
    if rng.random() < 0.3:
        noise = noise * 0
    factor = per_instance(10.0 ** rng.uniform(-1, 2, size=shape[0]), len(shape))
    if rng.random() < 0.3:  # small integers if the model has them
        noise = rng.integers(-2, 3, size=shape) * (rng.random(shape) < 0.3)
        factor = np.asarray(np.round(np.maximum(factor, 1)), dtype=np.float64)
    return np.asarray((base + noise) * factor, dtype=np.float64)
