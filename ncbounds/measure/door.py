"""Where features, labels and weights enter: checked once, so that the mathematics need not ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ncbounds.codes.margin import host_array
from ncbounds.errors import InputError
from ncbounds.measure.reading import StoredArray, chunks, rows_of_a_chunk

Missing = Literal["refuse", "leave out"]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

SMALLEST, LARGEST = 1e-100, 1e100
COLDEST, HOTTEST = 1e-6, 1e6
_BLOCK_ENTRIES = 2**18
#: Labels of any kind come as far as `check_shapes`, which says what to do with them.
_ANY = "fiubcUSOMm"


@dataclass(frozen=True, eq=False)
class Samples:
    """Checked input: features as given, the rest in float64, classes numbered 0 .. K-1."""

    features: NDArray[Any] | StoredArray
    index: Indices
    """Class of each sample, (n,)."""
    counts: Indices
    """Samples of each class, (K,), all positive unless classes may be missing."""
    weights: Floats | None
    bias: Floats | None
    largest: float
    """The largest magnitude of the features or, where that is in range for sure, less."""

    @cached_property
    def order(self) -> Indices:
        """The samples sorted by class, (n,)."""
        return np.argsort(self.index, kind="stable")

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.index)

    @property
    def d(self) -> int:
        """Dimension of the features."""
        return int(self.features.shape[1])

    @property
    def K(self) -> int:
        """Number of classes."""
        return len(self.counts)

    def batches(self, rows: int) -> Iterator[tuple[NDArray[Any], Indices]]:
        """(features as given, their classes), at most so many samples at a time, in their order."""
        start = 0
        for features in _rows(self.features, rows):
            yield features, self.index[start : start + len(features)]
            start += len(features)

    def blocks(self) -> Iterator[tuple[Floats, Indices]]:
        """(features in float64, their classes), a few hundred at a time and sorted by class."""
        for features, index in self.batches(max(64, _BLOCK_ENTRIES // (self.d + self.K))):
            order = np.argsort(index, kind="stable")
            yield features[order].astype(np.float64), index[order]


def admit(
    features: object, labels: object, weights: object, bias: object, *, every_row: bool = True
) -> Samples:
    """Check everything that `ncbounds.measure.measure` is given; features may lie in a file.

    Without `every_row`, rows of the weights may have no samples; then `Samples.counts` is of all
    rows, zeros among them.

    Raises:
        InputError: naming the parameter, what it is and what it must be.
    """
    h, y = array_or_stored("features", features), host_array("labels", labels, _ANY)
    W = None if weights is None else host_array("weights", weights)
    b = None if bias is None else host_array("bias", bias)
    check_shapes(h, y, W, b)
    largest = _check_magnitudes("features", h)
    classes = np.unique(y)
    if len(classes) < 2:
        raise InputError("labels", f"one class ({classes[0]})", "of at least two classes")
    if W is None:
        index: Indices = np.searchsorted(classes, y).astype(np.int64)
        return Samples(h, index, np.bincount(index), None, None, largest)
    W, b = admit_layer(W, b)
    assert W is not None
    check_labels_of_weights(classes, len(W), every_row)
    index = y.astype(np.int64)
    return Samples(h, index, np.bincount(index, minlength=len(W)), W, b, largest)


def array_or_stored(parameter: str, value: object) -> NDArray[Any] | StoredArray:
    """What `host_array` gives; an array of real numbers in a file is left there.

    Raises:
        InputError: not of real numbers.
    """
    if not isinstance(value, StoredArray):
        return host_array(parameter, value)
    if value.dtype.kind not in "fiu":
        raise InputError(parameter, f"array of dtype {value.dtype}", "an array of real numbers")
    return value


def admit_layer(weights: object, bias: object) -> tuple[Floats | None, Floats | None]:
    """Check the weights (K, d) and the bias (K,) of a last layer; a bias of zeros without one.

    Raises:
        InputError: naming the parameter, what it is and what it must be.
    """
    if weights is None:
        if bias is not None:
            raise InputError("bias", "given", "left out where weights are")
        return None, None
    W = host_array("weights", weights)
    if W.ndim != 2 or len(W) < 2 or W.shape[1] < 1:
        shown = f"array of shape {W.shape}"
        raise InputError("weights", shown, "(K, d) with K >= 2, one row for each class")
    _check_magnitudes("weights", W)
    b = np.zeros(len(W)) if bias is None else host_array("bias", bias).astype(np.float64)
    if b.shape != (len(W),):
        domain = f"({len(W)},), one for each row of weights"
        raise InputError("bias", f"array of shape {b.shape}", domain)
    _check_magnitudes("bias", b)
    return W.astype(np.float64), b


def admit_batch(
    features: object, labels: object, K: int, d: int | None
) -> tuple[NDArray[Any], Indices, float]:
    """Check a batch of samples (b, d) with labels (b,) from 0 to K - 1; d is any if None.

    Returns the arrays and the largest magnitude of the features, as `_check_magnitudes` does.

    Raises:
        InputError: naming the parameter, what it is and what it must be.
    """
    h, y = host_array("features", features), host_array("labels", labels, _ANY)
    check_shapes(h, y, None, None)
    _check_dimension(h, d)
    largest = _check_magnitudes("features", h, smallest=0.0)
    if y.min() < 0 or y.max() >= K:
        wrong = y.min() if y.min() < 0 else y.max()
        raise InputError("labels", f"{wrong} among them", f"0 .. {K - 1}")
    return h, y.astype(np.int64), largest


def on_device(features: object) -> bool:
    """Whether it is a tensor elsewhere than in the memory of the host."""
    kind = getattr(getattr(features, "device", None), "type", "cpu")
    return bool(kind not in ("cpu", "mps"))  # the latter knows no float64


def admit_tensors(features: Any, labels: Any, d: int | None) -> tuple[Any, Any]:
    """Check the shapes of tensors, but no value: their device is not waited for.

    Raises:
        InputError: naming the parameter, what it is and what it must be.
    """
    import torch

    index: Any = torch.as_tensor(labels, device=features.device)
    check_shapes(features, index, None, None)
    if features.dtype.is_complex:
        raise InputError("features", f"tensor of {features.dtype}", "a tensor of real numbers")
    _check_dimension(features, d)
    return features.detach(), index


def _check_dimension(features: Any, d: int | None) -> None:
    if d is not None and features.shape[1] != d:
        raise InputError("features", f"array of shape {tuple(features.shape)}", f"(n, {d})")


def check_missing(missing: object) -> None:
    """Raise InputError unless it says what becomes of classes without samples."""
    if missing not in ("refuse", "leave out"):
        raise InputError("missing", repr(missing), "'refuse' or 'leave out'")


def check_size(largest: float) -> None:
    """Raise InputError unless the largest magnitude of the features is in range, or zero."""
    if np.isnan(largest):
        raise InputError("features", "NaN or infinity", "finite")
    if largest and not SMALLEST <= largest <= LARGEST:
        domain = f"zero or between {SMALLEST} and {LARGEST} in its largest magnitude"
        raise InputError("features", largest, domain, "rescale it")


def check_temperature(temperature: object) -> None:
    """Raise InputError unless a temperature is a number from 1e-6 to 1e6."""
    domain = f"a number from {COLDEST:g} to {HOTTEST:g}"
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float, np.number)):
        raise InputError("temperature", repr(temperature), domain)
    if not COLDEST <= float(temperature) <= HOTTEST:
        raise InputError("temperature", float(temperature), domain)


def check_shapes(
    features: NDArray[Any] | StoredArray,
    labels: NDArray[Any] | StoredArray,
    weights: NDArray[Any] | None,
    bias: NDArray[Any] | None,
) -> None:
    """Raise InputError unless the arrays fit together: (n, d), integers (n,), (K, d), (K,)."""
    if features.ndim != 2 or 0 in features.shape:
        raise InputError(
            "features", f"array of shape {tuple(features.shape)}", "(n, d) with n, d >= 1"
        )
    n, d = features.shape
    if labels.shape != (n,):
        shown, remedy = f"array of shape {tuple(labels.shape)}", ""
        if labels.ndim == 2 and len(labels) == n:
            remedy = "one-hot rows are labels.argmax(1), a column is labels[:, 0]"
        raise InputError("labels", shown, f"({n},), one for each sample", remedy)
    if not _integral(labels):
        remedy = "convert them, labels.astype(int)"
        if getattr(labels.dtype, "kind", "") in ("U", "S", "O"):
            remedy = "number them, numpy.unique(labels, return_inverse=True)[1]"
        raise InputError("labels", f"array of dtype {labels.dtype}", "integers", remedy)
    if weights is not None and (weights.ndim != 2 or weights.shape[1] != d or len(weights) < 2):
        shown = f"array of shape {weights.shape}"
        raise InputError("weights", shown, f"(K, {d}) with K >= 2, one row for each class")
    if bias is not None and weights is None:
        raise InputError("bias", f"array of shape {bias.shape}", "left out where weights are")
    if bias is not None and weights is not None and bias.shape != (len(weights),):
        domain = f"({len(weights)},), one for each row of weights"
        raise InputError("bias", f"array of shape {bias.shape}", domain)


def _integral(labels: Any) -> bool:
    kind = getattr(labels.dtype, "kind", None)
    return kind in ("i", "u") or str(labels.dtype).startswith(("torch.int", "torch.uint"))


def check_labels_of_weights(classes: NDArray[Any], K: int, every_row: bool) -> None:
    """Raise InputError unless labels, of which these occur, are rows of weights, and all of them.

    Not all of them need occur unless `every_row`.
    """
    if classes[0] < 0 or classes[-1] >= K:
        wrong = classes[0] if classes[0] < 0 else classes[-1]
        raise InputError("labels", f"{wrong} among them", f"0 .. {K - 1}, the rows of weights")
    if every_row and len(classes) < K:
        missing = int(np.setdiff1d(np.arange(K), classes)[0])
        domain = f"at least one sample for each of the {K} rows of weights"
        remedy = "measure(..., missing='leave out') leaves the other classes out"
        raise InputError("labels", f"no sample of class {missing}", domain, remedy)


def _rows(array: NDArray[Any] | StoredArray, rows: int) -> Iterator[NDArray[Any]]:
    """The rows of an array in order, at most so many at a time, and of a file at most a chunk."""
    if isinstance(array, StoredArray):
        yield from chunks(array, min(rows, rows_of_a_chunk(array)))
    else:
        yield from (array[start : start + rows] for start in range(0, len(array), rows))


def _check_magnitudes(
    parameter: str, array: NDArray[Any] | StoredArray, smallest: float = SMALLEST
) -> float:
    """Finite, and squares of the entries neither overflow nor vanish, in blocks of rows.

    Returns the largest magnitude, or less where that is far from the ends of the range.
    """
    largest, after = 0.0, 0
    for given in _rows(array, max(1, _BLOCK_ENTRIES // max(1, prod(array.shape[1:])))):
        start, after = after, after + len(given)
        if array.dtype in (np.float32, np.float64):
            flat = given.reshape(-1)
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                square = float(flat @ flat)
            if 1e-30 < square < 1e30:
                largest = max(largest, (square / flat.size) ** 0.5)
                continue
        block = given.astype(np.float64)
        if not np.isfinite(block).all():
            row = start + int(np.argmin(np.isfinite(block.reshape(len(block), -1)).all(axis=1)))
            raise InputError(parameter, f"NaN or infinity in row {row}", "finite")
        largest = max(largest, float(np.abs(block).max()))
    if largest and not smallest <= largest <= LARGEST:
        domain = f"zero or between {SMALLEST} and {LARGEST} in its largest magnitude"
        raise InputError(parameter, largest, domain, "rescale it")
    return largest


def admit_scatter(scatter: object, classes: int) -> tuple[Indices | None, Floats]:
    """The counts that `scatter` tells, and (m, K) what samples count in the scatter matrices."""
    if isinstance(scatter, (bool, np.bool_)):
        return None, np.ones((int(scatter), classes))
    told = np.asarray(scatter)
    if told.shape != (classes,) or told.dtype.kind not in "iu" or told.min() < 0:
        domain = f"True, False or {classes} integers, how many samples each class has"
        raise InputError("scatter", repr(scatter), domain)
    counts: Indices = told.astype(np.int64)
    return counts, np.array([np.ones(classes), 1 / np.maximum(counts, 1)])


def check_counts(told: Indices | None, counts: Indices, rows: Indices) -> None:
    """Raise InputError if the counts told are not those of the classes `rows` that were seen."""
    if told is None:
        return
    seen = np.zeros_like(told)
    seen[rows] = counts
    for c in np.flatnonzero(told != seen)[:1]:
        shown, domain = f"{told[c]} samples of class {c}", f"the {seen[c]} that were seen"
        raise InputError("scatter", shown, domain)
