"""The square loss of a last layer, with the error of each number, for guarantees.

Outputs are the logits less their mean over the classes, targets ``Y_c = e_c - 1/C``; both have
mean zero, so that the targets e_c and Y_c have the same loss here, and differ by the square of
what the sum of the logits misses. A binary network with one output f and labels +-1 is two classes
with the outputs f/2 and -f/2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import flint
import numpy as np

from ncbounds.codes.margin import host_array
from ncbounds.errors import InputError
from ncbounds.measure.door import Floats, Indices, Samples, admit, array_or_stored
from ncbounds.measure.information import balls_around
from ncbounds.measure.moments import EPSILON, add_by_class

_U = EPSILON / 2

Targets = Literal["signs", "one-hot", "centred"]
TARGETS: tuple[Targets, ...] = ("signs", "one-hot", "centred")


@dataclass(frozen=True, eq=False)
class SquareLoss:
    """Losses and outputs of a last layer; means run over samples, then over classes.

    Balls, except for `spread` and `total`, which are told as measured.
    """

    classes: int
    class_losses: Any
    """(C,) balls: mean of |z - Y_c|^2 over the samples of class c."""
    mean_outputs: Any
    """(C,) balls: mean of the outputs z."""
    margin: Any
    """Mean of q = C/(C-1) z_c, a ball; 1 where the outputs are the targets."""
    spread: float
    """Root of (variance of q + k mean |rest|^2) over the mean of q; infinite unless that is > 0."""
    total: dict[Targets, float]
    """The loss for each kind of targets of the logits as they are."""

    @property
    def loss(self) -> Any:
        """k times the mean loss, a ball: 1 for outputs of zero."""
        C = self.classes
        return sum(self.class_losses, flint.arb(0)) / (C - 1)


def admit_targets(targets: object) -> Targets:
    """Return the kind of targets.

    Raises
    ------
    InputError
        When it is none.
    """
    for known in TARGETS:
        if targets == known:
            return known
    domain = "'signs' (+-1, one output), 'one-hot' (e_c) or 'centred' (e_c - 1/C)"
    raise InputError("targets", repr(targets), domain)


def admit_layer(
    targets: Targets, labels: object, features: object, weights: object, bias: object
) -> Samples:
    """Check features, labels and last layer; with signs the layer becomes one of two classes.

    Raises
    ------
    InputError
        Whatever `ncbounds.measure` refuses; with signs, labels other than -1 and 1, or weights of
        more than one output.
    """
    if targets != "signs":
        if weights is None:
            raise InputError("weights", "missing", "given with features")
        return admit(features, labels, weights, bias)
    y = host_array("labels", labels)
    if y.ndim != 1 or y.dtype.kind not in "fiu" or not np.isin(y, (-1, 1)).all():
        raise InputError("labels", "other than -1 and 1", "-1 or 1 for targets 'signs'")
    W = host_array("weights", weights).astype(np.float64)
    W = W[None] if W.ndim == 1 else W
    b = np.zeros(1) if bias is None else host_array("bias", bias).astype(np.float64).reshape(-1)
    if W.ndim != 2 or len(W) != 1 or b.shape != (1,):
        shown = f"arrays of shape {W.shape} and {b.shape}"
        raise InputError("weights, bias", shown, "of one output for targets 'signs'")
    index = (y < 0).astype(np.int64)
    if index.min() == index.max():
        raise InputError("labels", "all equal", "of both signs")
    return admit(features, index, np.concatenate([W / 2, -W / 2]), np.concatenate([b / 2, -b / 2]))


def admit_outputs(targets: Targets, labels: object, outputs: object) -> Samples:
    """Check outputs (n, C), or (n,) with signs: they are features of a layer that changes nothing.

    Raises
    ------
    InputError
        When shapes do not fit, or a number is not finite; when a class has no sample.
    """
    z = array_or_stored("outputs", outputs)
    if targets == "signs":
        z = np.asarray(z)
        if z.ndim == 2 and z.shape[1] == 1:
            z = z[:, 0]
        if z.ndim != 1:
            raise InputError("outputs", f"array of shape {z.shape}", "(n,) for targets 'signs'")
        return admit_layer(targets, labels, z[:, None], np.ones((1, 1)), None)
    if z.ndim != 2 or z.shape[1] < 2:
        raise InputError("outputs", f"array of shape {z.shape}", "(n, C) with C >= 2")
    return admit(z, labels, np.eye(z.shape[1]), None)


def square_loss(samples: Samples) -> SquareLoss:
    """Compute the losses of all classes and the mean outputs of a model with weights.

    A product of d terms and a bias errs by ``(d + 8) u`` times the sum of the magnitudes, which
    moves the error vector r of a sample by some delta, and |r|^2 by at most ``(2|r| + delta)
    delta``; sums of n terms add ``(n + C + 8) u`` of the sum of magnitudes.
    """
    C, n = samples.K, samples.counts
    loss, loss_error = np.zeros(C), np.zeros(C)
    outputs, sizes = np.zeros((C, C)), np.zeros((C, C))
    margins, off = np.zeros(C), np.zeros(C)
    sums, ones = np.zeros(C), np.zeros(C)
    for z, error, total, index in _outputs(samples):
        r = z.copy()
        r += 1 / C
        r[np.arange(len(index)), index] -= 1.0
        moved = np.sqrt(np.square(error + 2 * _U * (np.abs(r) + 1)).sum(axis=1)) * 1.01
        square = np.square(r).sum(axis=1)
        q = z[np.arange(len(index)), index] * C / (C - 1)
        for into, values in (
            (loss, square),
            (loss_error, (2 * np.sqrt(square) + moved) * moved * 1.01 + (C + 8) * _U * square),
            (outputs, z),
            (sizes, np.abs(z) + error / _U),
            (margins, q),
            (sums, np.square(total)),
            (ones, np.square(total - 1)),
        ):
            add_by_class(into, values, index)
    mean = float((margins / n).mean())
    for z, _, _, index in _outputs(samples):
        rows = np.arange(len(index))
        rest = z + mean / C
        rest[rows, index] -= mean
        add_by_class(off, np.square(rest).sum(axis=1), index)
    summing = (int(n.max()) + C + 8) * _U
    means = balls_around(outputs / n[:, None], (summing + 2 * _U) * sizes / n[:, None])
    own = sum((means[c, c] for c in range(C)), flint.arb(0))
    centred = float((loss / n).mean())
    relative = float(np.sqrt((off / n).mean() * C / (C - 1)))
    return SquareLoss(
        classes=C,
        class_losses=balls_around(loss / n, (loss_error + summing * loss) / n),
        mean_outputs=np.array([sum(means[:, j], flint.arb(0)) / C for j in range(C)]),
        margin=own / (C - 1),
        spread=relative / mean if mean > 0 else float("inf"),
        total={
            "signs": centred * C / (C - 1),
            "one-hot": centred + float((ones / n).mean()) / C,
            "centred": centred + float((sums / n).mean()) / C,
        },
    )


def _outputs(samples: Samples) -> Iterator[tuple[Floats, Floats, Floats, Indices]]:
    """Blocks of outputs, a bound of their errors, sums of the logits, and classes."""
    W, b, C, d = samples.weights, samples.bias, samples.K, samples.d
    assert W is not None and b is not None
    size = np.abs(W)
    for h, index in samples.blocks():
        z = h @ W.T + b
        magnitude = np.abs(h) @ size.T + np.abs(b)
        total = z.sum(axis=1)
        whole = (d + C + 16) * _U * (magnitude + magnitude.mean(axis=1)[:, None])
        yield z - (total / C)[:, None], whole, total, index
