"""The last layer of a classifier from the file of a model: weights with a row for each class."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ncbounds.errors import InputError
from ncbounds.measure.reading import StoredArray, stored_arrays, whole

_LISTED = 8


@dataclass(frozen=True, eq=False)
class Head:
    """A last layer: logits are weights @ feature + bias."""

    name: str
    weights: NDArray[Any]
    """(K, d), a row for each class."""
    bias: NDArray[Any] | None
    """(K,), or None where the layer has none."""


def read_head(path: str | os.PathLike[str], name: str | None = None) -> Head:
    """The last layer of a classifier, from a file of weights or of a whole model.

    In `.npz` and `.safetensors` it is the array `weights` with `bias`, or the only matrix, or the
    one called `name`, with the vector beside it (`fc.weight` and `fc.bias`, as torch has them). The
    kernel of a 1 x 1 convolution, (K, d, 1, 1), is such a matrix. In `.onnx` it is the last linear
    layer before the output, or the one called `name` (see `ncbounds.measure.onnx`).

    Parameters:
        path: a `.npz`, `.safetensors` or `.onnx` file.
        name: of the array of weights, where there are several matrices.

    Raises:
        InputError: no such file, a damaged one, or not one matrix without a name that says which.
        MissingDependencyError: an `.onnx` file, and the package onnx is missing.

    >>> import tempfile
    >>> from ncbounds.measure.files import write_arrays
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/model.safetensors"
    ...     write_arrays(path, {"fc.weight": np.eye(3), "fc.bias": np.ones(3), "norm": np.ones(3)})
    ...     head = read_head(path)
    >>> head.name, head.weights.shape, head.bias
    ('fc.weight', (3, 3), array([1., 1., 1.]))
    """
    file = Path(path)
    if file.suffix == ".onnx":
        from ncbounds.measure.onnx import onnx_head

        return onnx_head(file, name)
    return stored_head(file, stored_arrays(file), name)


def stored_head(file: Path, arrays: dict[str, StoredArray], name: str | None = None) -> Head:
    """The last layer among the arrays of a `.npz` or `.safetensors` file; see `read_head`."""
    matrices = matrices_of(arrays)
    if name is None and ("weights" in matrices or len(matrices) == 1):
        name = "weights" if "weights" in matrices else next(iter(matrices))
    if name is None:
        domain = "a file with an array 'weights' or a single matrix"
        remedy = f"arrays in it: {listed(shapes(arrays))}"
        if matrices:
            remedy = f"choose one by its name (--weights NAME): {listed(shapes(matrices))}"
        raise InputError("path", str(file), domain, remedy)
    if name not in matrices:
        remedy = f"matrices in it: {listed(shapes(matrices))}"
        raise InputError("weights", name, f"a matrix of {file}", remedy)
    chosen = arrays[name]
    beside = arrays.get(_name_of_bias(name))
    bias = whole(beside) if beside and beside.shape == chosen.shape[:1] else None
    return Head(name, whole(chosen).reshape(chosen.shape[:2]), bias)


def matrices_of(arrays: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
    """The arrays that may be the weights of a last layer."""
    return {name: array for name, array in arrays.items() if _is_matrix(array)}


def shapes(arrays: Mapping[str, StoredArray]) -> dict[str, tuple[int, ...]]:
    """The shape of each array."""
    return {name: array.shape for name, array in arrays.items()}


def listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Arrays in words, with their shapes; the first few of many."""
    shown = [f"{name} {shape}" for name, shape in sorted(shapes.items())[:_LISTED]]
    more = len(shapes) - len(shown)
    return (", ".join(shown) + (f" and {more} more" if more else "")) or "none"


def _is_matrix(array: StoredArray) -> bool:
    """Whether it is one, or the kernel of a 1 x 1 convolution."""
    numbers = array.dtype.kind in "fiu" and len(array.shape) > 1
    return numbers and set(array.shape[2:]) <= {1} and min(array.shape) > 0


def _name_of_bias(name: str) -> str:
    """`fc.weight` has `fc.bias`, and `weights` has `bias`."""
    stem, dot, last = name.rpartition(".")
    return stem + dot + last.removesuffix("s").removesuffix("weight") + "bias"
