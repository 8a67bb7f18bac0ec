"""Measure a file, however large it is, in the memory of a chunk and of the class means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.errors import InputError
from ncbounds.measure.accumulator import measure_batches
from ncbounds.measure.door import Missing, check_labels_of_weights, check_shapes
from ncbounds.measure.files import assemble
from ncbounds.measure.heads import Head, listed, matrices_of, read_head, shapes, stored_head
from ncbounds.measure.metrics import Measurement, measure_weights
from ncbounds.measure.reading import StoredArray, chunks, rows_of_a_chunk, stored_arrays, whole


def measure_file(
    path: str | os.PathLike[str],
    *,
    weights: str | None = None,
    temperature: float | None = None,
    missing: Missing = "refuse",
) -> Measurement:
    """All metrics of the features, labels and last layer in a file, read in chunks, twice.

    A file of weights without features and labels, or a model, gives the metrics of its weights.

    Parameters:
        path: a `.npz` or `.safetensors` file as `read_features` reads it, or one that `read_head`
            reads.
        weights: name of the array of weights, `weights` without (see `read_head`).
        temperature: as for `measure`; that of the file, or 1, without.
        missing: as for `measure`.

    Returns:
        `Measurement`; n is 0 where there are weights alone.

    Raises:
        InputError: what `read_features` and `measure` refuse.

    >>> import tempfile
    >>> from ncbounds.measure import write_features
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_features(f"{folder}/run.npz", [[2.0], [1.0], [-2.0], [-1.0]], [0, 0, 1, 1])
    ...     measure_file(f"{folder}/run.npz").metrics["ncc.error"]
    0.0
    """
    file = Path(path)
    if file.suffix == ".onnx":
        head = read_head(file, weights)
        return measure_weights(head.weights, head.bias)
    stored = stored_arrays(file)
    alone = "features" not in stored and "labels" not in stored
    if alone and (weights is not None or "weights" in stored):
        head = stored_head(file, stored, weights)
        return measure_weights(head.weights, head.bias)
    if alone and (matrices := matrices_of(stored)):
        domain = "a file with arrays 'features' and 'labels', or 'weights'"
        remedy = f"of a model, choose the last layer (--weights NAME): {listed(shapes(matrices))}"
        raise InputError("path", str(file), domain, remedy)
    named = weights is not None or "weights" in stored
    layer = stored_head(file, stored, weights) if named else None
    if weights is not None:  # a model beside its features: its other matrices mean nothing here
        stored = {name: stored[name] for name in _KEPT if name in stored}
    return _measure(file, stored, layer, temperature, missing)


_KEPT = ("features", "labels", "temperature")


def _measure(
    file: Path,
    stored: dict[str, StoredArray],
    layer: Head | None,
    temperature: float | None,
    missing: Missing,
) -> Measurement:
    arrays: dict[str, Any] = dict(stored)
    if "temperature" in stored and stored["temperature"].nbytes <= 8:
        arrays["temperature"] = whole(stored["temperature"])
    found = assemble(str(file), arrays)
    W, b = (None, None) if layer is None else (layer.weights, layer.bias)
    check_shapes(found.features, found.labels, W, b)
    classes = _classes(stored["labels"])
    if W is not None:
        check_labels_of_weights(classes, len(W), missing == "refuse")
    if len(classes) < 2:
        raise InputError("labels", f"one class ({classes[0]})", "of at least two classes")
    given = found.temperature if temperature is None else temperature
    return measure_batches(
        lambda: _batches(stored, classes if W is None else None),
        len(classes) if W is None else None,
        W,
        b,
        temperature=1.0 if given is None else given,
        missing=missing,
    )


def _classes(labels: StoredArray) -> NDArray[Any]:
    """The labels that occur."""
    found = np.empty(0, labels.dtype)
    for block in chunks(labels):
        found = np.union1d(found, block)
    return found


def _batches(
    stored: dict[str, StoredArray], classes: NDArray[Any] | None
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Features and labels a chunk at a time, labels as places among the classes if given."""
    rows, start = rows_of_a_chunk(stored["features"]), 0
    pairs = zip(chunks(stored["features"], rows), chunks(stored["labels"], rows), strict=True)
    for features, labels in pairs:
        if not np.isfinite(features.sum(dtype=np.float64)):
            _refuse_infinite(features, start)
        start += len(features)
        yield features, labels if classes is None else np.searchsorted(classes, labels)


def _refuse_infinite(features: NDArray[Any], start: int) -> None:
    """Name the row by its place in the file, not in the chunk."""
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        shown = f"NaN or infinity in row {start + int(finite.argmin())}"
        raise InputError("features", shown, "finite")
