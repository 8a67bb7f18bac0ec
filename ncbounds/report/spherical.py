"""What losses and margins of unit weights and features guarantee for softmax codes.

Whatever features a model has, the margin of one sample certifies a one-vs-rest distance of the
weights of its class (`gnc:eq-5`); the mean loss at a temperature certifies margins, and a margin
near that distance leaves features no room to vary (`gnc:lemma-3.1`, sharp). Evaluated in balls
from balls (`ncbounds.measure.spherical`), told at the worse end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import flint

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.certified import Decimal
from ncbounds.codes.margin import one_vs_rest_distances
from ncbounds.errors import InputError
from ncbounds.measure.door import Samples
from ncbounds.measure.spherical import SphericalInformation, gather_on_sphere
from ncbounds.report.ends import rounded_down, rounded_up
from ncbounds.report.guarantees import BITS
from ncbounds.report.matrices import MANY
from ncbounds.theory.softmax_code import temperature_limit

_LIMIT = "gnc:lemma-3.1"


@dataclass(frozen=True)
class SphericalBound:
    """A guaranteed bound on one metric of `ncbounds.measure`, and whether it says anything."""

    id: str
    reading: str
    quantity: str
    direction: Literal["lower", "upper"]
    bound: Decimal
    vacuous: bool


def spherical_bounds(
    samples: Samples, temperature: float | None, skipped: dict[str, str]
) -> list[SphericalBound]:
    """Evaluate every guarantee for a model; those from losses need its temperature.

    Why others are missing is added to `skipped`.
    """
    try:
        known = gather_on_sphere(samples, temperature)
    except InputError as error:
        skipped[_LIMIT] = str(error)
        return []
    if temperature is None:
        skipped[f"{_LIMIT} (losses)"] = "no temperature is given"
    with balls.precision(BITS):
        found = [*_distances(known), *_from_losses(known)]
        if known.classes <= MANY:
            found += _variability(known, samples.weights)
        else:
            skipped[f"{_LIMIT} (variability)"] = f"more than {MANY} classes"
    return found


def _distances(known: SphericalInformation) -> Iterator[SphericalBound]:
    """The least one-vs-rest distance from margins."""
    yield from _lower("gnc:eq-5", "from HardMax", "gnc2", flint.arb(-known.hardmax))
    best = flint.arb(float(known.best_margins.min()))
    yield from _lower(_LIMIT, "from the best margin of each class", "gnc2", best)


def _from_losses(known: SphericalInformation) -> Iterator[SphericalBound]:
    """The least one-vs-rest distance, and HardMax, from losses."""
    if known.losses is None:
        return
    tau, K, L = _tau(known), flint.arb(known.classes), _mean(known.losses).upper()
    n = flint.arb(known.largest_class)
    found = temperature_limit.distance_from_loss(balls, K=K, L=L, tau=tau)
    yield from _lower(_LIMIT, "from the mean loss", "gnc2", found)
    margins = [
        _margin(loss, tau) / length.upper()
        for loss, length in zip(known.losses, known.lengths, strict=True)
    ]
    yield from _lower(_LIMIT, "from the losses of the classes", "gnc2", _least(margins))
    largest = temperature_limit.hardmax_from_loss(balls, K=K, n=n, L=L, tau=tau)
    yield from _upper(_LIMIT, "from the mean loss", "loss.hardmax", largest, 2)


def _variability(known: SphericalInformation, weights: Any) -> Iterator[SphericalBound]:
    """Variability within classes from margins, or losses, and the distances of the weights."""
    distances = [flint.arb(m.upper) for m in one_vs_rest_distances(weights, normalise=True)]
    if not all(D > 0 for D in distances):
        return
    quantity = "nc1.spherical"
    of_classes = {"from the mean margins and the distances": list(known.mean_margins)}
    if known.losses is not None:
        tau, L = _tau(known), _mean(known.losses).upper()
        typical = _mean([D * D for D in distances]).sqrt()
        whole = temperature_limit.variability_from_loss(balls, L=L, tau=tau, D=typical)
        yield from _upper(_LIMIT, "from the mean loss and the distances", quantity, whole, 1)
        of_classes["from the losses of the classes and the distances"] = [
            _margin(loss, tau) for loss in known.losses
        ]
    for reading, margins in of_classes.items():
        kept = [max(m.lower(), flint.arb(0)) / D for m, D in zip(margins, distances, strict=True)]
        yield from _upper(_LIMIT, reading, quantity, 1 - _mean([x * x for x in kept]), 1)


def _margin(loss: Any, tau: Any) -> Any:
    """What the mean loss of a class says of its mean margin."""
    return temperature_limit.mean_distance_from_loss(balls, L=loss.upper(), tau=tau)


def _tau(known: SphericalInformation) -> Any:
    assert known.temperature is not None
    return flint.arb(float(known.temperature))


def _mean(values: Any) -> Any:
    return sum(values, flint.arb(0)) / len(values)


def _least(values: list[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = found.min(value)
    return found


def _lower(id: str, reading: str, quantity: str, bound: Any) -> Iterator[SphericalBound]:
    """A lower bound on a distance, which no one needs to be told is not negative."""
    if bound.is_finite():
        end = bound.lower()
        value = rounded_down(end)
        yield SphericalBound(id, reading, quantity, "lower", value, not end > 0)


def _upper(
    id: str, reading: str, quantity: str, bound: Any, trivial: int
) -> Iterator[SphericalBound]:
    if bound.is_finite():
        end = bound.upper()
        value = rounded_up(end)
        yield SphericalBound(id, reading, quantity, "upper", value, not end < trivial)
