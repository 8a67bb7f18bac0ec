r"""What a trained network guarantees about its error on new samples, beside the measured error.

Setting of `square`, section 4: labels -1 and 1, one output f, N samples drawn independently, a
confidence 1 - delta. From a bound `norm * unit` on the complexity of the network's class
(`network_complexity`), without the factor 2, follow:

- `square:theorem-3`, printed (12), with the printed bounds of the complexity: for a network that
  fits the labels. Only the ratio of norm and margin counts, by homogeneity, so
  `rho = norm / (least training margin)`.
- the same corrected, with the other bounds: the weights `delta/(t(t+1))` of the union have no value
  at t = 0; with `delta/((t+1)(t+2))` the logarithm has `2 (rho+1) (rho+2) / delta`.
- `square:sharp-5`, the best margin: for all j at once, with s = 2^(j/8) and
  `delta_j = 2 delta / (3 (|j|+1)(|j|+2))`,

      error <= share of training margins below norm/s + 2 s unit + 3 sqrt(log(2/delta_j) / (2 N)),

  by the ramp loss of slope s/norm; the sum of delta_j over all integers is delta. It needs no
  interpolation, and j may be chosen after the training. For more than two classes it is the same
  with the margins over the best other class and their complexity.
- `square:eq-16`, printed, with filter norms as the paper plots it and with those of the whole
  matrices, for which alone the theorem that it quotes speaks of a convolutional network.

A bound of 1 or more says nothing and is called vacuous.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ncbounds.arithmetic.certified import certify
from ncbounds.arithmetic.formula import Formula
from ncbounds.arithmetic.grids import grid
from ncbounds.codes.margin import host_array
from ncbounds.errors import InputError
from ncbounds.measure.network import Network, network_of, read_network
from ncbounds.measure.network.layers import Floats
from ncbounds.report.compare import ModelBound, ModelReport, compare
from ncbounds.report.network_complexity import (
    ROUNDING,
    ClassBound,
    class_bounds,
    margin_bounds,
    network_facts,
)
from ncbounds.theory.rademacher.depth_bound import printed_depth_bound
from ncbounds.theory.rademacher.error_bound import corrected_error_bound, printed_error_bound
from ncbounds.theory.rademacher.margins import margin_error_bound

if TYPE_CHECKING:
    from torch import nn

QUANTITY = "test error"
DELTA = 0.05

_STEPS_PER_DOUBLING = 8


@dataclass(frozen=True)
class NetworkReport(ModelReport):
    """The report of a model, and the facts of its network that the bounds are made of."""

    network: dict[str, Any] = field(default_factory=dict)
    complexity: tuple[ClassBound, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: those of the report, the network and the bounds of its class."""
        bounds = [
            {
                "id": b.id,
                "variant": b.variant,
                "reading": b.reading,
                "norm": b.norm,
                "unit": b.unit,
                "total": b.total,
            }
            for b in self.complexity
        ]
        return {**super().to_dict(), "network": self.network, "complexity": bounds}


def compare_network(
    module: nn.Module | Network,
    train: tuple[object, object],
    test: tuple[object, object],
    *,
    delta: float = DELTA,
    input_shape: Sequence[int] | None = None,
) -> NetworkReport:
    """Measure a trained network and set every bound that applies beside it, test error included.

    Parameters
    ----------
    module
        A torch module, or a `Network`.
    train, test
        Inputs (n, ...) and labels (n,): 0, 1, ..., or -1 and 1 for a single output.
    delta
        The probability with which a bound on the error of new samples may fail.
    input_shape
        Of one sample; that of the training inputs without it.

    Returns
    -------
    NetworkReport
        What `ncbounds.compare` returns of the last layer, with the bounds on the test error; a
        single output f counts as the two logits -f/2 and f/2.

    Raises
    ------
    InputError
        Whatever `network_of` refuses, labels that do not fit, delta outside (0, 1).
    """
    if not (isinstance(delta, (int, float)) and 0 < delta < 1):
        raise InputError("delta", delta, "a number between 0 and 1")
    inputs, labels = _samples("train", train)
    if not isinstance(module, Network):
        module = network_of(module, input_shape or inputs.shape[1:])
    network = module
    tested, test_labels = _samples("test", test)
    index, test_index = _classes(network, labels), _classes(network, test_labels)
    weights = network.last_weights()
    if network.outputs == 1:
        weights = np.concatenate([-weights / 2, weights / 2])
    report = compare(network.features(inputs), index, weights)
    outcome = Outcome(network, inputs, index, _error(network, tested, test_index), delta)
    bounds, classes, skipped = generalization_bounds(outcome)
    return NetworkReport(
        report.measurement,
        (*report.bounds, *bounds),
        report.skipped | skipped,
        network_facts(network),
        tuple(classes),
    )


def compare_file(path: str | os.PathLike[str], *, delta: float = DELTA) -> NetworkReport:
    """Do what `compare_network` does with a file that `write_network` wrote, samples included.

    Raises InputError where `compare_network` or `read_network` do, and without samples.
    """
    stored = read_network(path)
    train = stored.train_inputs, stored.train_labels
    test = stored.test_inputs, stored.test_labels
    for name, samples in (("train", train), ("test", test)):
        if samples[0] is None or samples[1] is None:
            remedy = f"write_network(path, network, {name}=(inputs, labels))"
            raise InputError("FILE", f"no {name}.inputs and {name}.labels", "with samples", remedy)
    return compare_network(stored.network, train, test, delta=delta)


@dataclass(frozen=True, eq=False)
class Outcome:
    """A network with its training samples, classes from 0 on, and what was measured on others."""

    network: Network
    inputs: Floats
    index: Any
    test_error: float
    delta: float


def generalization_bounds(
    outcome: Outcome,
) -> tuple[list[ModelBound], list[ClassBound], dict[str, str]]:
    """Every bound on the error of a network, those on its class, and why others do not apply."""
    if outcome.network.outputs > 2:
        return _many_classes(outcome)
    network = outcome.network.single_output()
    classes, skipped = class_bounds(network, outcome.inputs)
    largest = float(np.sqrt(np.max(_squared_norms(network, outcome.inputs))))
    signs = np.where(outcome.index > 0, 1.0, -1.0)
    margins = signs * network.evaluate(outcome.inputs)[:, 0]
    margins = margins - ROUNDING * network.dense_rho * largest
    rows: list[ModelBound] = []
    least = float(margins.min())
    if least > 0:
        rows += _interpolating(outcome, network, classes, least, largest)
    else:
        wrong = int(np.sum(margins <= 0))
        for id in ("square:eq-16", "square:theorem-3 (printed, corrected)"):
            skipped[id] = f"{wrong} training samples have no positive margin"
    for one in classes:
        if one.total > 0 and one.variant != "printed":
            rows.append(_best_margin(outcome, one, margins))
    return rows, classes, skipped


def _many_classes(
    outcome: Outcome,
) -> tuple[list[ModelBound], list[ClassBound], dict[str, str]]:
    """The best margin for more than two outputs; the paper's own bounds are for one."""
    network, n = outcome.network, len(outcome.inputs)
    out = network.evaluate(outcome.inputs)
    own = out[np.arange(n), outcome.index]
    out[np.arange(n), outcome.index] = -np.inf
    largest = float(np.sqrt(np.max(_squared_norms(network, outcome.inputs))))
    margins = own - out.max(axis=1) - ROUNDING * network.dense_rho * largest
    classes = [one for one in margin_bounds(network, outcome.inputs) if one.total > 0]
    reason = f"{network.outputs} outputs: the paper speaks of one"
    skipped = dict.fromkeys(("square:eq-16", "square:theorem-3 (printed, corrected)"), reason)
    return [_best_margin(outcome, one, margins) for one in classes], classes, skipped


def _interpolating(
    outcome: Outcome, network: Network, classes: list[ClassBound], least: float, largest: float
) -> Iterator[ModelBound]:
    """The bounds that ask for a positive margin on every training sample."""
    common = {"N": float(len(outcome.inputs)), "delta": outcome.delta}
    norms = {"filter norms": network.rho, "norms of the whole matrices": network.dense_rho}
    for reading, norm in norms.items():
        rho = norm * largest / least * (1 + ROUNDING)
        if rho >= 1:
            point = {**common, "rho": rho, "L": float(network.depth)}
            yield _row(outcome, "square:eq-16", "printed", reading, printed_depth_bound, point)
    for one in classes:
        point = {**common, "rho": one.norm / least, "R": 2 * one.unit}
        name = f"{one.reading}, {one.id.partition(':')[2]} {one.variant}"
        printed = one.variant == "printed"
        form = printed_error_bound if printed else corrected_error_bound
        variant = "printed" if printed else "corrected"
        yield _row(outcome, "square:theorem-3", variant, name, form, point)


def _best_margin(outcome: Outcome, one: ClassBound, margins: Floats) -> ModelBound:
    """The bound at the best margin of the grid, in float64; then its certified value."""
    n = len(margins)
    ordered = np.sort(margins)
    positive_margins = ordered[ordered > 0]
    centre = one.norm / (float(np.median(positive_margins)) if len(positive_margins) else one.norm)
    middle = round(_STEPS_PER_DOUBLING * math.log2(centre))
    reach = 16 * _STEPS_PER_DOUBLING
    j = np.arange(middle - reach, middle + reach + 1)
    scale = 2.0 ** (j / _STEPS_PER_DOUBLING)
    share = np.searchsorted(ordered, one.norm / scale * (1 + ROUNDING)) / n
    common = {"R": 2 * one.unit, "N": float(n), "delta": outcome.delta}
    step = abs(j).astype(np.float64)
    value = grid(margin_error_bound, share=share, scale=scale, step=step, **common)
    best = int(np.argmin(value))
    point = {
        **common,
        "share": float(share[best]),
        "scale": float(scale[best]) * (1 + ROUNDING),
        "step": float(step[best]),
    }
    name = f"best margin; {one.reading}, {one.id.partition(':')[2]} {one.variant}"
    return _row(outcome, "square:sharp-5", "sharp", name, margin_error_bound, point)


def _row(
    outcome: Outcome,
    id: str,
    variant: str,
    reading: str,
    form: Formula,
    point: dict[str, float],
) -> ModelBound:
    own = {p.name: Fraction(point[p.name]) for p in form.parameters}
    value = certify(form, own, digits=12)
    assert value is not None
    vacuous = float(value) >= 1
    return ModelBound(
        id, variant, reading, QUANTITY, "upper", outcome.test_error, value, vacuous, own
    )


def _samples(name: str, samples: tuple[object, object]) -> tuple[Floats, Any]:
    inputs = host_array(f"{name}.inputs", samples[0]).astype(np.float64)
    labels = host_array(f"{name}.labels", samples[1])
    if inputs.ndim < 2 or len(inputs) == 0 or labels.shape != (len(inputs),):
        shown = f"arrays of shapes {inputs.shape} and {labels.shape}"
        raise InputError(name, shown, "inputs (n, ...) and labels (n,), n >= 1")
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.round(labels)):
        raise InputError(f"{name}.labels", "fractions", "integers")
    return inputs, labels.astype(np.int64)


def _classes(network: Network, labels: Any) -> Any:
    """Labels as classes 0, 1, ...: -1 is the class 0 of a single output."""
    if network.outputs == 1:
        if not set(np.unique(labels)) <= {-1, 1} and not set(np.unique(labels)) <= {0, 1}:
            raise InputError("labels", f"{np.unique(labels)[:5]}", "-1 and 1, or 0 and 1")
        return (labels > 0).astype(np.int64)
    if labels.min() < 0 or labels.max() >= network.outputs:
        shown = f"from {labels.min()} to {labels.max()}"
        raise InputError("labels", shown, f"from 0 to {network.outputs - 1}, one for each output")
    return labels


def _error(network: Network, inputs: Floats, index: Any) -> float:
    """The share of samples that the network gets wrong; 0 is no answer."""
    out = network.evaluate(inputs)
    if network.outputs == 1:
        return float(np.mean(np.where(index > 0, out[:, 0], -out[:, 0]) <= 0))
    return float(np.mean(out.argmax(axis=1) != index))


def _squared_norms(network: Network, inputs: Floats) -> Floats:
    values = network.positions_first(inputs)
    norms: Floats = np.einsum("npc,npc->n", values, values)
    return norms
