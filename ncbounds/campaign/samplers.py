"""Structured random instances: the shapes on which a false claim is likely to show.

An array is drawn in one of several styles (small integers, two values, one outlier, almost equal,
sparse, Gaussian) and at many scales. Fields that a hypothesis bounds from below are then set by
`meet_budgets` to the least value that the hypothesis allows, or somewhat more, so that instances
meet such hypotheses by construction and not by luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.theory.terms import Claim, Field, Sizes

Array = npt.NDArray[np.float64]
Instance = dict[str, Array]

#: Largest number of array entries in one batch: sizes and batch are traded against each other.
_BATCH_ENTRIES = 40_000
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
    return instance


def batch_size(claim: Claim, sizes: Sizes, wanted: int) -> int:
    """Return how many instances of these sizes make one batch."""
    entries = sum(int(np.prod([sizes[axis] for axis in f.shape])) for f in claim.fields)
    return max(1, min(wanted, _BATCH_ENTRIES // max(entries, 1)))


def meet_budgets(
    claim: Claim, xp: Any, instance: Mapping[str, Any], room: Mapping[str, Any] | float
) -> dict[str, Any]:
    """Set each budget to the least value its hypothesis allows, times ``1 + room``.

    Works over numpy and torch alike, and is differentiable. Where the hypothesis holds already,
    the budget is `room` itself (a small positive number).
    """
    filled = dict(instance)
    for field in claim.budgets():
        filled[field.name] = 0 * filled[field.name]
        judged = claim.judge(xp, **filled)
        needed = -next(c.slack for c in judged.hypotheses if c.name == field.hypothesis)
        extra = room[field.name] if isinstance(room, Mapping) else room
        least = xp.maximum(needed, 0 * needed)
        filled[field.name] = least * (1 + extra) + xp.where(least > 0, 0 * least, extra + 0 * least)
    return filled


def draw_room(claim: Claim, batch: int, rng: np.random.Generator) -> Instance:
    """Draw how much more than the least each budget gets: half the time next to nothing."""
    return {
        f.name: np.where(rng.random(batch) < 0.5, 2.0**-40, 10.0 ** rng.uniform(-6, 1, size=batch))
        for f in claim.budgets()
    }


# -- one kind of field each -----------------------------------------------------------------------


def _per_instance(values: Array, shape: tuple[int, ...]) -> Array:
    """Shape (B,) values to broadcast against an array of `shape`."""
    return values.reshape((shape[0],) + (1,) * (len(shape) - 1))


def _scales(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    return _per_instance(10.0 ** rng.uniform(-decades, decades, size=shape[0]), shape)


def _real(shape: tuple[int, ...], rng: np.random.Generator, decades: float, _: Field) -> Array:
    style = _STYLES[rng.integers(len(_STYLES))]
    return style(shape, rng, decades)


def _small_integers(shape: tuple[int, ...], rng: np.random.Generator, _: float) -> Array:
    return rng.integers(-3, 4, size=shape).astype(np.float64)


def _sparse_signs(shape: tuple[int, ...], rng: np.random.Generator, _: float) -> Array:
    signs = rng.integers(-1, 2, size=shape).astype(np.float64)
    return np.where(rng.random(shape) < 0.4, signs, 0.0)


def _unit_vectors(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    if len(shape) < 3:
        return _gaussian(shape, rng, decades)
    lengths = _per_instance(rng.integers(1, 11, shape[0]).astype(np.float64), shape)
    return np.array(np.broadcast_to(np.eye(shape[-2], shape[-1]) * lengths, shape))


def _two_values(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    first, second = (_per_instance(rng.normal(size=shape[0]), shape) for _ in range(2))
    chosen = np.where(rng.random(shape) < rng.random(), first, second)
    return np.asarray(chosen * _scales(shape, rng, decades), dtype=np.float64)


def _nearly_equal(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    base = _per_instance(rng.normal(size=shape[0]), shape)
    noise = 10.0 ** rng.uniform(-8, -1) * rng.normal(size=shape)
    return np.asarray((base + noise) * _scales(shape, rng, decades), dtype=np.float64)


def _one_outlier(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    base = np.ones(shape) * _per_instance(rng.normal(size=shape[0]), shape)
    flat = base.reshape(shape[0], -1)
    flat[np.arange(shape[0]), rng.integers(flat.shape[1], size=shape[0])] += rng.normal()
    return flat.reshape(shape) * _scales(shape, rng, decades)


def _heavy_tails(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    return rng.standard_cauchy(size=shape) * _scales(shape, rng, decades)


def _gaussian(shape: tuple[int, ...], rng: np.random.Generator, decades: float) -> Array:
    return rng.normal(size=shape) * _scales(shape, rng, decades)


_STYLES: tuple[Callable[[tuple[int, ...], np.random.Generator, float], Array], ...] = (
    _small_integers,
    _sparse_signs,
    _unit_vectors,
    _two_values,
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
        return 10.0 ** rng.uniform(-8, -0.01, size=shape)
    if style == 2:
        return 1 - 10.0 ** rng.uniform(-8, -0.01, size=shape)
    return rng.uniform(0.001, 0.999, size=shape)


def _mask(shape: tuple[int, ...], rng: np.random.Generator, _: float, __: Field) -> Array:
    share = _per_instance(rng.random(shape[0]), shape)
    chosen = rng.random(shape) < share
    style = rng.random(shape[0])
    chosen[style < 0.2] = False  # a single point
    chosen[style > 0.95] = True  # all points
    flat = chosen.reshape(shape[0], -1)
    flat[np.arange(shape[0]), rng.integers(flat.shape[1], size=shape[0])] = True
    return flat.reshape(shape).astype(np.float64)


def _integer(shape: tuple[int, ...], rng: np.random.Generator, _: float, field: Field) -> Array:
    spread = rng.integers(0, 4, size=shape)
    if rng.random() < 0.5:
        spread = np.floor(10.0 ** rng.uniform(0, 4, size=shape)).astype(np.int64)
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
    model_field = next(f for f in claim.fields if f.name == field.like)
    model = instance[field.like]
    if rng.random() < 0.5 and model.ndim > 2:
        model = model - model.mean(axis=1, keepdims=True)
    index = tuple(slice(None) if axis in model_field.shape else None for axis in field.shape)
    base = np.broadcast_to(model[(slice(None), *index)], shape)
    size = np.sqrt(np.mean(model**2, axis=tuple(range(1, model.ndim)))) + 1e-300
    noise = rng.normal(size=shape) * _per_instance(size, shape) * 10.0 ** rng.uniform(-4, 0.3)
    if rng.random() < 0.3:
        noise = noise * 0
    factor = _per_instance(10.0 ** rng.uniform(-1, 2, size=shape[0]), shape)
    if rng.random() < 0.3:  # small integers if the model has them
        noise = rng.integers(-2, 3, size=shape) * (rng.random(shape) < 0.3)
        factor = np.asarray(np.round(np.maximum(factor, 1)), dtype=np.float64)
    return np.asarray((base + noise) * factor, dtype=np.float64)
