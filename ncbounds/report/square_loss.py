"""What the square loss of a trained network guarantees, beside what is measured.

For networks trained with the square loss: targets e_c or ``e_c - 1/C`` for C classes, or +-1 for
one output. The theorems are `square:sharp-1`, 2 and 4, and `bnwd:sharp-1` for the mean margin. A
guarantee is evaluated in balls from balls (`ncbounds.measure.square_loss`,
`ncbounds.measure.information`) and its worse end is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import flint
import numpy as np

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.certified import Decimal
from ncbounds.errors import InputError
from ncbounds.measure import measure
from ncbounds.measure.door import Floats, Samples
from ncbounds.measure.information import Information, enclose, gather_both
from ncbounds.measure.square_loss import (
    SquareLoss,
    Targets,
    admit_layer,
    admit_outputs,
    admit_targets,
    square_loss,
)
from ncbounds.report.ends import larger, rounded_down, rounded_up, single
from ncbounds.report.guarantees import BITS
from ncbounds.report.matrices import MANY, gram_of_weights
from ncbounds.theory.proximity import alignment, one_class
from ncbounds.theory.square_loss import collapse, given_weights, margin_spread

SQUARE_LEVELS = ("square loss", "regularised loss", "mean margin", "losses and last layer")
#: The value that holds without any guarantee; a relative spread of 1 is none to speak of.
_TRIVIAL = {
    "outputs.spread": 1,
    "1 - outputs.mean": 1,
    "nc1.relative": 1,
    "1 - nc3.cosine": 2,
    "self-duality.distance": 4,
    "1 - cosine.weights.mean": 2,
    "1 - cosine.intra.mean": 1,
}
_LOSS = ("square:sharp-2", "guarantees from the loss")


@dataclass(frozen=True)
class SquareLossBound:
    """A bound on one quantity, what it was derived from, and what was measured."""

    id: str
    reading: str
    quantity: str
    level: str
    direction: str
    bound: Decimal
    vacuous: bool
    measured: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "id": self.id,
            "variant": "sharp",
            "reading": self.reading,
            "quantity": self.quantity,
            "level": self.level,
            "direction": self.direction,
            "bound": float(self.bound),
            "vacuous": self.vacuous,
            "measured": self.measured,
        }


@dataclass(frozen=True)
class SquareLossCertificate:
    """All that a square loss guarantees, the measurements, and why other bounds are missing.

    `losses` has the loss for the targets as given (`total`), and `relative`: that of the centred
    outputs over the square length of a target, 1 for a network that says nothing.
    """

    rows: tuple[SquareLossBound, ...]
    losses: dict[str, float]
    skipped: dict[str, str]
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def guaranteed(self) -> dict[str, float]:
        """The best bound on each quantity."""
        found: dict[str, float] = {}
        for row in self.rows:
            best = min if row.direction == "upper" else max
            found[row.quantity] = best(float(row.bound), found.get(row.quantity, float(row.bound)))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "losses": self.losses,
            "measured": self.measured,
            "guaranteed": self.guaranteed,
            "guarantees": [row.to_dict() for row in self.rows],
            "skipped": self.skipped,
        }

    def __str__(self) -> str:
        lines = [
            (
                row.quantity,
                "" if row.measured is None else f"{row.measured:.4g}",
                f"{'<=' if row.direction == 'upper' else '>='} {float(row.bound):.4g}",
                row.level,
                row.id + ("  vacuous" if row.vacuous else ""),
            )
            for row in self.rows
        ]
        widths = [max((len(line[i]) for line in lines), default=0) for i in range(4)]
        told = [
            "  ".join([*(x.ljust(w) for x, w in zip(line, widths, strict=False)), line[4]])
            for line in lines
        ]
        return "\n".join([*told, *(f"{name}: {why}" for name, why in self.skipped.items())])


def square_loss_certificate(
    *,
    labels: object,
    targets: str,
    outputs: object = None,
    features: object = None,
    weights: object = None,
    bias: object = None,
    weight_decay: float | None = None,
    rho: float | None = None,
) -> SquareLossCertificate:
    """Guarantee proximity to neural collapse from the square loss of a network.

    Means run over the samples of a class, then over the classes. All rounding is counted: arrays
    are taken as they are, and a bound is rounded to its worse side.

    Parameters
    ----------
    labels
        (n,) integers: classes 0 .. C-1, each with a sample; with signs, -1 and 1.
    targets
        What the network was trained for: ``"one-hot"`` (e_c), ``"centred"`` (e_c - 1/C), or
        ``"signs"`` (+-1, a network of one output).
    outputs
        (n, C), or (n,) with signs. Spreads need no more; with `features` they are computed.
    features, weights, bias
        (n, d), (C, d) and (C,), or (n, d), (d,) and a number with signs: the last layer, of which
        collapse is guaranteed too.
    weight_decay, rho
        Of a loss to which ``weight_decay rho^2`` was added, for a network ``rho f`` with rho > 0:
        both or none. It adds the mean margin of f and a bound that is exact at the best rho.

    Returns
    -------
    SquareLossCertificate
        Rows by quantity and level, each beside what is measured. ``outputs.spread`` is the root
        mean square distance of the centred outputs from their mean multiple of the targets, over
        its length: the relative spread of the margins in the binary case. ``outputs.mean`` is that
        multiple, ``margin.mean`` it over rho. The others are metrics of `ncbounds.measure`; among
        what is measured, ``largest margin`` is T = C/(C-1) alpha b: only where it is near 1 does
        the loss say much of the features.

    Raises
    ------
    InputError
        When shapes do not fit, labels and targets disagree, or a number is outside its range.

    Source: `square:sharp-1`, `square:sharp-2`, `square:sharp-4`, `bnwd:sharp-1`.

    Examples
    --------
    >>> found = square_loss_certificate(
    ...     outputs=[0.9, 0.8, -0.9, -1.0], labels=[1, 1, -1, -1], targets="signs"
    ... )
    >>> print(found)
    outputs.spread    0.07857  <= 0.1234  square loss  square:sharp-1
    1 - outputs.mean  0.1      <= 0.1225  square loss  square:sharp-2
    """
    kind = admit_targets(targets)
    if (outputs is None) == (features is None):
        raise InputError("outputs", "given with features, or neither", "given, or features")
    if features is None:
        samples = admit_outputs(kind, labels, outputs)
    else:
        samples = admit_layer(kind, labels, features, weights, bias)
    decay = _decay(weight_decay, rho)
    return of_samples(samples, kind, decay, layer=features is not None)


@dataclass(frozen=True)
class _Decay:
    weight_decay: Any
    rho: Any


def _decay(weight_decay: float | None, rho: float | None) -> _Decay | None:
    if weight_decay is None and rho is None:
        return None
    if weight_decay is None or rho is None:
        missing = "weight_decay" if weight_decay is None else "rho"
        raise InputError(missing, "missing", "given with the other of weight_decay and rho")
    found = _Decay(enclose(weight_decay, "weight_decay"), enclose(rho, "rho"))
    for name, number in (("weight_decay", found.weight_decay), ("rho", found.rho)):
        if not number > 0:
            raise InputError(name, float(number.mid()), "a positive number")
    return found


def of_samples(
    samples: Samples,
    targets: Targets,
    decay: _Decay | None = None,
    *,
    layer: bool = True,
    metrics: Mapping[str, float] | None = None,
) -> SquareLossCertificate:
    """The certificate of checked samples (`ncbounds.measure.square_loss`).

    `metrics` are those of `ncbounds.measure` where they are at hand; without `layer` features are
    outputs, and nothing is said of them.
    """
    loss = square_loss(samples)
    skipped: dict[str, str] = {}
    rows: list[tuple[tuple[str, str], str, str, Any, str]] = []
    with balls.precision(BITS):
        measured = _measured(loss, decay)
        small = loss.loss < 1
        if not small:
            shown = f"{float(loss.loss.mid()):.4g} times that of outputs of zero"
            skipped["square:sharp-2"] = f"the square loss for targets {targets!r} is {shown}"
        else:
            rows += _of_outputs(loss, decay, targets, skipped)
        if layer:
            if metrics is None:
                metrics = _metrics(samples)
            measured |= _bounded(metrics)
            for centred, known in zip(("", ".centred"), gather_both(samples), strict=True):
                if not (known.alpha > 0 and known.beta > 0):
                    skipped[f"collapse{centred}"] = "features or weights are zero or all equal"
                    continue
                most = known.alpha * known.beta * known.classes / (known.classes - 1)
                measured[f"largest margin{centred}"] = float(most.mid())
                if small:
                    rows += _of_layer(known, loss, centred, skipped)
                rows += _of_margin(known, loss, centred)
                rows += _given_weights(known, loss, centred, skipped)
        bounds = tuple(bound for row in rows for bound in _bound(loss, measured, *row))
    losses = {"total": loss.total[targets], "relative": float(loss.loss.mid())}
    others: dict[Targets, Targets] = {"one-hot": "centred", "centred": "one-hot"}
    other = others.get(targets, targets)
    if loss.total[other] < loss.total[targets] / 2:
        skipped[f"targets {targets!r}"] = f"the outputs fit targets {other!r} better"
    return SquareLossCertificate(bounds, losses, skipped, measured)


# -- rows -----------------------------------------------------------------------------------------


def _bound(
    loss: SquareLoss,
    measured: dict[str, float],
    theorem: tuple[str, str],
    quantity: str,
    level: str,
    value: Any,
    direction: str = "upper",
) -> Iterator[SquareLossBound]:
    """One bound, rounded to its worse side; none where it has no value."""
    ball = value.data.ravel()[0] if isinstance(value, balls.Balls) else value
    if not ball.is_finite():
        return
    if direction == "upper":
        trivial = _TRIVIAL.get(quantity.removesuffix(".centred"), math.sqrt(loss.classes - 1))
        end, vacuous = rounded_up(ball.upper()), not ball.upper() < trivial
    else:
        end, vacuous = rounded_down(ball.lower()), not ball.lower() > 0
    name = quantity.removeprefix("1 - ")
    shown = measured.get(name)
    if shown is not None and name != quantity:
        shown = 1 - shown
    id, reading = theorem
    yield SquareLossBound(id, reading, quantity, level, direction, end, vacuous, shown)


def _measured(loss: SquareLoss, decay: _Decay | None) -> dict[str, float]:
    found = {"outputs.spread": loss.spread, "outputs.mean": float(loss.margin.mid())}
    if decay is not None:
        found["margin.mean"] = float((loss.margin / decay.rho).mid())
    return found


def _metrics(samples: Samples) -> dict[str, float]:
    return measure(samples.features, samples.index, samples.weights, samples.bias).metrics


def _bounded(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that are bounded, and the distance from self-duality."""
    names = [
        "nc1.relative",
        "nc3.cosine",
        "cosine.weights.mean",
        "cosine.intra.mean",
        "nc2.equinorm",
    ]
    names += [f"{name}.centred" for name in names]
    kept = {name: metrics[name] for name in names if name in metrics}
    for centred in ("", ".centred"):
        spread, cosine = (kept.get(f"{name}{centred}") for name in ("nc1.relative", "nc3.cosine"))
        if spread is not None and cosine is not None:
            distance = 2 * (1 - cosine * math.sqrt(max(0.0, 1 - spread)))
            kept[f"self-duality.distance{centred}"] = distance
    return kept


def _of_outputs(
    loss: SquareLoss, decay: _Decay | None, targets: Targets, skipped: dict[str, str]
) -> Iterator[Any]:
    """Spread and mean of the outputs, for a loss that is certainly below 1."""
    spread_theorem = _LOSS if targets != "signs" else ("square:sharp-1", _LOSS[1])
    relative = single(loss.loss.upper())
    level = SQUARE_LEVELS[0]
    square = margin_spread.square_spread(balls, L=relative)
    yield spread_theorem, "outputs.spread", level, balls.sqrt(square)
    yield _LOSS, "1 - outputs.mean", level, balls.sqrt(relative)
    if decay is None:
        return
    # With signs the loss is k times that of two classes; else the regulariser is multiplied too.
    k = flint.arb(1) if targets == "signs" else flint.arb(loss.classes) / (loss.classes - 1)
    weight = k * decay.weight_decay
    whole = loss.loss + weight * decay.rho * decay.rho
    if not whole < 1:
        skipped["square:sharp-1"] = "the regularised loss is that of outputs of zero, or more"
        return
    level, margin = SQUARE_LEVELS[1], loss.margin / decay.rho
    largest = margin.upper()  # a larger margin is valid
    given = {"L": single(whole.upper()), "lambda_": single(weight)}
    square = margin_spread.square_spread_under_decay(balls, **given, m=single(largest))
    yield spread_theorem, "outputs.spread", level, balls.sqrt(larger(square, 0))
    least = margin_spread.least_mean_margin(balls, **given)
    yield spread_theorem, "margin.mean", level, least, "lower"


def _of_layer(
    known: Information, loss: SquareLoss, centred: str, skipped: dict[str, str]
) -> Iterator[Any]:
    """NC1, NC3, self-duality and cosines from the mean loss."""
    C, level = known.classes, SQUARE_LEVELS[0]
    mean = loss.loss.upper() * (C - 1) / C
    given = {"C": single(C), "L": single(mean)}
    given |= {"alpha": single(known.alpha), "beta": single(known.beta)}
    margin = 1 - collapse.mean_error(balls, C=given["C"], L=given["L"])
    yield from _of_mean_margin(known, margin, _LOSS, centred, level)
    free = _without_bias(known, loss, mean)
    name = f"1 - cosine.weights.mean{centred}"
    if not C * free < C - 1:
        skipped[name] = "the square loss of the outputs less the bias is too large"
        return
    cosine = collapse.cosine_from_loss(balls, **{**given, "L": single(free)})
    theorem = ("square:sharp-2", "cosines from the loss")
    yield theorem, name, level, 1 - cosine
    if centred:
        kept = larger(cosine, 0)
        yield theorem, "1 - cosine.intra.mean", level, 1 - kept * kept


def _of_margin(known: Information, loss: SquareLoss, centred: str) -> Iterator[Any]:
    """The same from the mean margin itself: as cheap as the loss, and never worse."""
    theorem = ("bnwd:sharp-1", "three levels of information")
    margin = single(loss.margin)
    yield from _of_mean_margin(known, margin, theorem, centred, SQUARE_LEVELS[2])


def _of_mean_margin(
    known: Information, margin: Any, theorem: tuple[str, str], centred: str, level: str
) -> Iterator[Any]:
    """NC1, NC3 and self-duality from a lower bound on the mean margin."""
    given = {"C": single(known.classes), "alpha": single(known.alpha), "beta": single(known.beta)}
    given["p"] = margin
    deficit = alignment.cosine_deficit(balls, alignment.reach(balls, **given))
    yield theorem, f"nc1.relative{centred}", level, alignment.variability(balls, **given)
    yield theorem, f"1 - nc3.cosine{centred}", level, deficit
    yield theorem, f"self-duality.distance{centred}", level, alignment.distance(balls, **given)


def _without_bias(known: Information, loss: SquareLoss, mean: Any) -> Any:
    """An upper end of the mean loss of the outputs less the centred bias; positive."""
    moved = _centred(known.bias)
    change = sum((b * (b - 2 * z) for b, z in zip(moved, loss.mean_outputs, strict=True)), mean)
    return max(change.upper(), flint.arb(2) ** -BITS)


def _centred(numbers: Any) -> list[Any]:
    mean = sum(numbers, flint.arb(0)) / len(numbers)
    return [x - mean for x in numbers]


# -- one class at a time --------------------------------------------------------------------------


def _given_weights(
    known: Information, loss: SquareLoss, centred: str, skipped: dict[str, str]
) -> Iterator[Any]:
    """NC1 and equal norms from the losses of the classes and the last layer."""
    C, W, level = known.classes, known.weights, SQUARE_LEVELS[3]
    assert W is not None
    if C > MANY:
        skipped["square:sharp-4"] = f"more than {MANY} classes"
        return
    gram, moved = gram_of_weights(W), _centred(known.bias)
    floats = np.array([[float(x.mid()) for x in row] for row in gram])
    values, vectors = np.linalg.eigh((floats + floats.T) / 2)
    lengths = []
    for c in range(C):
        y = [(flint.arb(int(r == c)) - flint.arb(1) / C) - b for r, b in enumerate(moved)]
        target = np.array([float(x.mid()) for x in y])
        v = _residual(values, vectors, target, float(loss.class_losses[c].mid()))
        lengths.append(_length_of_mean(gram, v, y, loss.class_losses[c]))
    theorem = ("square:sharp-4", "a ridge certificate")
    Q = single(sum((x * x for x in lengths), flint.arb(0)) / C)
    bound = alignment.variability_from_projections(balls, alpha=single(known.alpha), Q=Q)
    yield theorem, f"nc1.relative{centred}", level, bound
    total = sum(lengths, flint.arb(0)) / C
    if centred and total > 0:
        most = [x.upper() * (1 + c * flint.arb(2) ** -100) for c, x in enumerate(known.class_alpha)]
        deviation = one_class.norm_deviation(
            balls, single(np.array(lengths, dtype=object)), single(np.array(most, dtype=object))
        )
        yield theorem, "nc2.equinorm", level, deviation.data[0] / total


def _residual(values: Floats, vectors: Floats, y: Floats, loss: float) -> Floats:
    """y - W g for the ridge regression g whose square error is the loss, in floats; y without one.

    Whatever it is, it is a certificate: mu is sought by bisection of its logarithm.
    """
    along = vectors.T @ y
    values = np.maximum(values, 0.0)
    if not 0 < loss < float(y @ y):
        return y
    low, high = -80.0, 80.0
    for _ in range(80):
        mu = np.exp((low + high) / 2)
        error = float(np.square(along * (mu / (values + mu))).sum())
        low, high = ((low + high) / 2, high) if error < loss else (low, (low + high) / 2)
    mu = np.exp((low + high) / 2)
    found: Floats = vectors @ (along * (mu / (values + mu)))
    return found


def _length_of_mean(gram: Any, v: Floats, y: list[Any], loss: Any) -> Any:
    """A lower bound on the norm of a class mean; a point that is not negative."""
    C = len(v)
    exact = [flint.arb(x) for x in v]
    square = sum(
        (exact[r] * gram[r, c] * exact[c] for r in range(C) for c in range(C)), flint.arb(0)
    )
    row = balls.asarray(np.array([exact], dtype=object))
    target = balls.asarray(np.array([y], dtype=object))
    a = given_weights.product_with_mean(balls, row, target, single(loss.upper()))
    if not (square > 0 and a.data[0] > 0):
        return flint.arb(0)
    found = given_weights.norm_of_mean(balls, a=a, omega=single(square.sqrt())).data[0].lower()
    return found if found.is_finite() and found > 0 else flint.arb(0)
