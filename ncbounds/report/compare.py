"""Measured quantities of a model beside every bound that applies to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ncbounds.arithmetic.certified import Decimal, certify
from ncbounds.codes.margin import least_one_vs_rest_distance
from ncbounds.errors import InputError
from ncbounds.measure import Measurement, measure
from ncbounds.measure.door import Samples, admit
from ncbounds.measure.information import gather_both
from ncbounds.measure.square_loss import Targets, admit_layer, admit_targets
from ncbounds.report.guarantees import certificate
from ncbounds.report.spherical import spherical_bounds
from ncbounds.report.square_loss import of_samples
from ncbounds.theory import statement
from ncbounds.theory.evaluate import is_vacuous
from ncbounds.theory.terms import Bound

#: Values of the constant that the printed theorem leaves open, at which it is evaluated. The
#: paper's own modulus needs more than 1.
KAPPAS = (Fraction(1, 10), Fraction(1))
#: Relative error of a loss or norm that is measured in float64, generously.
_ROUNDING = Fraction(1, 10**12)
#: The logarithm of numbers that no loss in float64 is near.
_SMALLEST = -400


@dataclass(frozen=True)
class ModelBound:
    """One bound of one statement at a model's own parameters, beside what was measured."""

    id: str
    variant: str
    reading: str
    quantity: str
    direction: str
    measured: float
    bound: Decimal
    vacuous: bool | None
    parameters: dict[str, Fraction]
    level: str = ""
    """The information that a guarantee uses, cheapest first in `guarantees.LEVELS`."""

    @property
    def holds(self) -> bool:
        """Whether the measurement is on the right side of the bound (up to rounding)."""
        gap = self.measured - float(self.bound)
        slack = 1e-9 * (1 + abs(self.measured))
        return gap <= slack if self.direction == "upper" else gap >= -slack

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        value = float(self.bound)
        return {
            "id": self.id,
            "variant": self.variant,
            "reading": self.reading,
            "level": self.level,
            "quantity": self.quantity,
            "measured": self.measured,
            "bound": value if abs(value) < float("inf") else None,
            "log10": self.bound.log10,
            "direction": self.direction,
            "holds": self.holds,
            "vacuous": self.vacuous,
            "parameters": {name: float(value) for name, value in self.parameters.items()},
        }


@dataclass(frozen=True)
class ModelReport:
    """A measurement with the bounds that apply, and the reasons why others do not."""

    measurement: Measurement
    bounds: tuple[ModelBound, ...]
    skipped: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: those of the measurement, and the bounds."""
        return {
            **self.measurement.to_dict(),
            "bounds": [b.to_dict() for b in self.bounds],
            "skipped": self.skipped,
        }

    def find(self, quantity: str, variant: str) -> ModelBound:
        """Return the first bound of a quantity and variant.

        Raises
        ------
        InputError
            When no such bound applied.
        """
        for b in self.bounds:
            if (b.quantity, b.variant) == (quantity, variant):
                return b
        raise InputError("quantity", quantity, "one that was bounded")


def compare(
    features: object,
    labels: object,
    weights: object,
    bias: object = None,
    *,
    temperature: float | None = None,
    targets: str | None = None,
) -> ModelReport:
    """Measure a model and evaluate every bound that applies to it at its own parameters.

    Parameters
    ----------
    features
        (n, d) features before the last layer, or left in a file and read in chunks
        (`read_features(path, leave_features=True)`).
    labels
        (n,) integers, rows of `weights`.
    weights
        (K, d) weights of the last layer.
    bias
        (K,) bias of the last layer, or None.
    temperature
        Of a model on the unit sphere: what its loss there guarantees is then told too.
    targets
        Of a model trained with the square loss, what that guarantees: ``"one-hot"`` for targets
        e_c, ``"centred"`` for e_c - 1/K, or ``"signs"`` for +-1. With signs the labels are -1 and
        1, the weights (d,) and the bias a number: the model counts as one of two classes, with
        logits f/2 and -f/2.

    Returns
    -------
    ModelReport
        The metrics, the bounds, and for statements that do not apply the reason.

    Raises
    ------
    InputError
        Whatever `ncbounds.measure` refuses, and absent weights.

    Examples
    --------
    >>> import numpy as np
    >>> weights = 3 * np.eye(3)
    >>> found = compare(np.repeat(weights, 2, axis=0), [0, 0, 1, 1, 2, 2], weights)
    >>> round(float(found.find("nc1.relative", "sharp").bound), 6)
    0.333333
    """
    if weights is None:
        raise InputError("weights", "missing", "given: every bound speaks of the last layer")
    at = 1.0 if temperature is None else temperature
    kind = None if targets is None else admit_targets(targets)
    if kind == "signs":
        two = admit_layer(kind, labels, features, weights, bias)
        labels, weights, bias = two.index, two.weights, None if bias is None else two.bias
    found = measure(features, labels, weights, bias, temperature=at)
    samples = admit(features, labels, weights, bias)
    bounds: list[ModelBound] = []
    skipped: dict[str, str] = {}
    bounds += _guaranteed(found, samples, skipped)
    if bias is None:
        bounds += _printed_proximity(found)
    else:
        skipped["bnwd:theorem-2.1 (printed)"] = "the last layer has a bias"
    bounds += _nearest_mean(found, skipped)
    bounds += _softmax_code(found, weights, skipped)
    bounds += _on_the_sphere(found, samples, temperature, skipped)
    if kind is not None:
        bounds += _square_loss(found, samples, kind, skipped)
    return ModelReport(found, tuple(bounds), skipped)


def _exact(**values: float) -> dict[str, Fraction]:
    return {name: Fraction(value) for name, value in values.items()}


def _no_less(measured: float) -> Fraction:
    """A measured number raised by its rounding error: bounds grow with loss and norms."""
    return Fraction(measured) * (1 + _ROUNDING)


def _row(
    id: str,
    reading: str,
    bound: Bound,
    variant: str,
    quantity: str,
    measured: float,
    point: dict[str, Fraction],
) -> list[ModelBound]:
    own = {p.name: point[p.name] for p in bound.formula.parameters}
    value = certify(bound.formula, own, digits=12)
    if value is None:
        return []
    vacuous = is_vacuous(bound, own)
    return [
        ModelBound(id, variant, reading, quantity, bound.direction, measured, value, vacuous, own)
    ]


def _bound(id: str, variant: str, quantity: str, direction: str) -> tuple[str, Bound]:
    """The bound of a statement by what it bounds, with the reading it stands under."""
    for v in statement(id).select(variant):
        for bound in v.bounds:
            if (bound.quantity, bound.direction) == (quantity, direction):
                return v.reading, bound
    raise KeyError((id, variant, quantity))


def _guaranteed(found: Measurement, samples: Samples, skipped: dict[str, str]) -> list[ModelBound]:
    """The certificate of the model, with features as they are and centred, beside measurements."""
    m, rows = found.metrics, []
    for centred, known in zip(("", ".centred"), gather_both(samples), strict=True):
        if not (known.alpha > 0 and known.beta > 0):
            skipped[f"the certificate{centred}"] = "features or weights are zero or all equal"
            continue
        certified = certificate(known, centred, bool(centred))
        skipped |= certified.skipped
        for one in certified.guarantees:
            measured = _measured(m, one.quantity, centred)
            if measured is None:
                name = one.quantity.removeprefix("1 - ")
                skipped[one.quantity] = (
                    f"{name} is undefined: {found.undefined.get(name, 'absent')}"
                )
                continue
            rows.append(
                ModelBound(
                    one.id,
                    "sharp",
                    one.reading,
                    one.quantity,
                    "upper",
                    measured,
                    one.bound,
                    one.vacuous,
                    {},
                    one.level,
                )
            )
    return rows


def _measured(m: dict[str, float], quantity: str, centred: str) -> float | None:
    """What a guarantee bounds, from the metrics."""
    name = quantity.removeprefix("1 - ")
    if name == f"self-duality.distance{centred}":
        spread, cosine = m.get(f"nc1.relative{centred}"), m.get(f"nc3.cosine{centred}")
        if spread is None or cosine is None:
            return None
        return 2 * (1 - cosine * math.sqrt(max(0.0, 1 - spread)))
    if name not in m:
        return None
    return m[name] if name == quantity else 1 - m[name]


def _printed_proximity(found: Measurement) -> list[ModelBound]:
    """The printed theorem at the same numbers, with delta so small that it speaks of all."""
    id, m = "bnwd:theorem-2.1", found.metrics
    if "cosine.intra.min" not in m or not m["loss.cross_entropy"] > 0:
        return []
    C = found.K
    numbers = {"alpha": m["alpha"], "beta": m["beta"]}
    point = {"C": Fraction(C)} | {name: _no_less(v) for name, v in numbers.items()}
    reading, least = _bound(id, "sharp", "least loss m", "value")
    optimum = certify(least.formula, point, digits=40)
    if optimum is None:
        return []
    # A least loss below all floats is taken for zero: as a fraction it could have 10^60 digits.
    tiny = optimum.log10 is None or optimum.log10 < _SMALLEST
    least_loss = Fraction(0) if tiny else Fraction(optimum.value)
    epsilon = max(_no_less(m["loss.cross_entropy"]) - least_loss, Fraction(0))
    rows: list[ModelBound] = []
    for kappa in KAPPAS:
        for quantity, direction, label, parts in (
            ("intra-class cosine of most classes", "lower", "cosine.intra.min", C),
            ("inter-class cosine of most pairs", "upper", "cosine.inter.max", C * (C - 1) // 2),
        ):
            whole = {**point, "epsilon": epsilon, "kappa": kappa, "delta": Fraction(1, parts + 1)}
            _, bound = _bound(id, "printed", quantity, direction)
            reading = f"kappa = {kappa}"
            rows += _row(id, reading, bound, "printed", label, m[label], whole)
    return rows


def _nearest_mean(found: Measurement, skipped: dict[str, str]) -> list[ModelBound]:
    """What the class-distance normalised variance guarantees of the nearest class mean."""
    id, V = "review:eq-51", found.metrics.get("cdnv.mean")
    if V is None:
        skipped[id] = found.undefined["cdnv.mean"]
        return []
    reading, bound = _bound(id, "sharp", "error of the nearest class mean", "upper")
    error = found.metrics["ncc.error.balanced"]
    point = {**_exact(K=found.K), "V": _no_less(V)}
    return _row(id, reading, bound, "sharp", "ncc.error.balanced", error, point)


def _softmax_code(found: Measurement, weights: object, skipped: dict[str, str]) -> list[ModelBound]:
    """Both upper sides of the gamma-function theorem beside the margin of the unit weights."""
    id = "gnc:theorem-3.9"
    if found.d < 2:
        skipped[id] = "the feature dimension is 1"
        return []
    if "gnc2" not in found.metrics:
        skipped[id] = found.undefined.get("gnc2", "no margin")
        return []
    point = _exact(d=found.d, K=found.K)
    lower, _ = least_one_vs_rest_distance(weights, normalise=True)
    rows: list[ModelBound] = []
    for variant in ("printed", "sharp"):
        reading, bound = _bound(id, variant, "optimal one-vs-rest distance", "upper")
        rows += _row(id, reading, bound, variant, "gnc2", lower, point)
    return rows


def _on_the_sphere(
    found: Measurement, samples: Samples, temperature: float | None, skipped: dict[str, str]
) -> list[ModelBound]:
    """What margins and losses of unit weights and features guarantee, beside measurements."""
    point = {} if temperature is None else _exact(tau=temperature)
    return [
        ModelBound(
            one.id,
            "sharp",
            one.reading,
            one.quantity,
            one.direction,
            found.metrics[one.quantity],
            one.bound,
            one.vacuous,
            point,
        )
        for one in spherical_bounds(samples, temperature, skipped)
        if one.quantity in found.metrics
    ]


def _square_loss(
    found: Measurement, samples: Samples, targets: Targets, skipped: dict[str, str]
) -> list[ModelBound]:
    """What the square loss guarantees, beside measurements."""
    certified = of_samples(samples, targets, metrics=found.metrics)
    for row in certified.rows:
        if row.measured is None:
            name = row.quantity.removeprefix("1 - ")
            skipped[row.quantity] = f"{name} is undefined: {found.undefined.get(name, 'absent')}"
    skipped |= certified.skipped
    return [
        ModelBound(
            row.id,
            "sharp",
            row.reading,
            row.quantity,
            row.direction,
            row.measured,
            row.bound,
            row.vacuous,
            {},
            row.level,
        )
        for row in certified.rows
        if row.measured is not None
    ]
