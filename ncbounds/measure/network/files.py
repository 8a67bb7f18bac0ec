"""Networks in files: safetensors with the weights, their geometry, and the samples of a task.

A file of weights alone does not say how a convolution moves, so the geometry stands in the
metadata: one JSON list of layers, each with its kernel's taps by sizes. Weights are the arrays
`layer.<i>.weight`; `train.inputs`, `train.labels`, `test.inputs` and `test.labels` are optional
together. A file is untrusted: it is read as data and checked, never run. A plain state dict whose
arrays are all matrices, in order, is read as a chain of dense layers with ReLUs between.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.codes.margin import host_array
from ncbounds.errors import InputError
from ncbounds.measure.files import read_arrays
from ncbounds.measure.network.layers import Layer, Network

FORMAT = "ncbounds.network.1"

_SAMPLES = ("train.inputs", "train.labels", "test.inputs", "test.labels")
_KINDS = ("convolution", "dense", "average pooling")
_MOST_TAPS = 10**8


@dataclass(frozen=True, eq=False)
class NetworkFile:
    """A network and what it was trained and tested on; the samples are None where absent."""

    network: Network
    train_inputs: NDArray[Any] | None = field(repr=False, default=None)
    train_labels: NDArray[Any] | None = field(repr=False, default=None)
    test_inputs: NDArray[Any] | None = field(repr=False, default=None)
    test_labels: NDArray[Any] | None = field(repr=False, default=None)


def write_network(
    path: str | os.PathLike[str],
    network: Network,
    *,
    train: tuple[object, object] | None = None,
    test: tuple[object, object] | None = None,
) -> None:
    """Write a network, as `network_of` reads it, with samples (inputs, labels) to compare on.

    Raises InputError for another suffix than `.safetensors`.
    """
    from safetensors.numpy import save_file

    file = _named(path)
    arrays: dict[str, NDArray[Any]] = {}
    layers = []
    for index, layer in enumerate(network.layers):
        if layer.weight is not None:
            arrays[f"layer.{index}.weight"] = np.ascontiguousarray(layer.weight)
        arrays[f"layer.{index}.taps"] = np.ascontiguousarray(layer.taps.astype(np.int32))
        layers.append(
            {
                "name": layer.name,
                "kind": layer.kind,
                "positions": layer.positions,
                "relu": layer.relu,
                "detail": layer.detail,
            }
        )
    for name, samples in (("train", train), ("test", test)):
        if samples is not None:
            for part, value in zip(("inputs", "labels"), samples, strict=True):
                array = host_array(f"{name}.{part}", value)
                arrays[f"{name}.{part}"] = np.ascontiguousarray(array)
    described = {"input_shape": list(network.input_shape), "layers": layers}
    save_file(arrays, file, metadata={"format": FORMAT, "network": json.dumps(described)})


def is_network(path: str | os.PathLike[str]) -> bool:
    """Whether a file says of itself that `write_network` wrote it."""
    return _metadata(Path(path)).get("format") == FORMAT


def read_network(path: str | os.PathLike[str]) -> NetworkFile:
    """Read what `write_network` wrote, or a state dict of dense layers.

    Raises InputError for a damaged file, a bias that is not zero, arrays that do not fit together,
    and a state dict with convolutions, whose strides and padding no file of weights holds.
    """
    file = _named(path)
    arrays = read_arrays(file)
    metadata = _metadata(file)
    if metadata.get("format") != FORMAT:
        return NetworkFile(_dense_chain(str(file), arrays))
    try:
        described = json.loads(metadata["network"])
        shape = tuple(int(size) for size in described["input_shape"])
        layers = tuple(
            _layer(str(file), index, facts, arrays)
            for index, facts in enumerate(described["layers"])
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        reason = f"reading it failed: {type(error).__name__}"
        raise InputError("path", str(file), f"a sound file of format {FORMAT}", reason) from None
    network = Network(layers, shape)
    _check(str(file), network)
    samples = [arrays.get(name) for name in _SAMPLES]
    return NetworkFile(network, *samples)


def _layer(file: str, index: int, facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Layer:
    kind, taps = str(facts["kind"]), arrays[f"layer.{index}.taps"].astype(np.int64)
    positions = int(facts["positions"])
    weight = arrays.get(f"layer.{index}.weight")
    sound = (
        kind in _KINDS
        and taps.ndim == 2
        and 0 < taps.size <= _MOST_TAPS
        and -1 <= taps.min() <= taps.max() < positions
        and _distinct(taps)
        and (weight is None) == (kind == "average pooling")
        and (weight is None or (weight.ndim == 3 and weight.shape[1] == taps.shape[1]))
        and (weight is None or weight.dtype.kind == "f")
    )
    if not sound:
        raise InputError("path", file, "a network whose layers fit together", f"layer {index}")
    exact = None if weight is None else weight.astype(np.float64)
    name, detail = (str(facts[key]) for key in ("name", "detail"))
    return Layer(name, kind, exact, taps, positions, bool(facts["relu"]), detail)


def _distinct(taps: NDArray[np.int64]) -> bool:
    """Whether no node reads a position twice."""
    rows = np.sort(taps, axis=1)
    return not bool(np.any((rows[:, 1:] == rows[:, :-1]) & (rows[:, 1:] >= 0)))


def _check(file: str, network: Network) -> None:
    """Raise InputError unless every layer reads what the one below computes."""
    shape = network.input_shape
    vector = len(shape) == 1
    channels = shape[0]
    positions = 1 if vector else int(np.prod(shape[1:]))
    fits = len(shape) >= 1 and min(shape) >= 1 and len(network.layers) >= 1
    for layer in network.layers:
        fits = fits and layer.positions == positions
        if layer.weight is not None:
            fits = fits and layer.weight.shape[2] == channels
            fits = fits and bool(np.isfinite(layer.weight).all())
            channels = len(layer.weight)
        positions = layer.nodes
    last = network.layers[-1] if network.layers else None
    if not fits or last is None or last.relu or last.nodes != 1 or last.weight is None:
        raise InputError("path", file, "a network whose layers fit together, its last one linear")


def _dense_chain(file: str, arrays: dict[str, NDArray[Any]]) -> Network:
    """A state dict of matrices, in the order of the numbers in their names."""
    weights = {}
    for name, array in sorted(arrays.items(), key=lambda item: _numbers(item[0])):
        if array.ndim == 1 and not np.any(array) and name.endswith("bias"):
            continue
        if array.ndim > 2:
            domain = "a file that says how its convolutions move"
            remedy = "write it with ncbounds.measure.network.write_network"
            raise InputError("path", f"{file} with {name} of shape {array.shape}", domain, remedy)
        if array.ndim != 2 or array.dtype.kind != "f" or not np.isfinite(array).all():
            what = "a bias" if name.endswith("bias") else f"shape {array.shape}"
            domain = "matrices of finite numbers, and no bias"
            raise InputError("path", f"{file} with {name}, {what}", domain)
        weights[name.removesuffix(".weight")] = array.astype(np.float64)
    matrices = list(weights.values())
    fits = all(len(a) == b.shape[1] for a, b in pairwise(matrices))
    if not matrices or not fits:
        raise InputError("path", file, "a chain of matrices, each reading what the last computes")
    taps = np.zeros((1, 1), dtype=np.int64)
    layers = tuple(
        Layer(name, "dense", matrix[:, None, :], taps, 1, index < len(matrices) - 1)
        for index, (name, matrix) in enumerate(weights.items())
    )
    return Network(layers, (matrices[0].shape[1],))


def _numbers(name: str) -> list[int | str]:
    """A key that puts layer 10 behind layer 9."""
    parts = re.split(r"(\d+)", name)
    return [f"{int(part):08d}" if part.isdigit() else part for part in parts]


def _metadata(file: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    if file.suffix != ".safetensors" or not file.is_file():
        return {}
    try:
        with safe_open(file, framework="numpy") as stored:
            return dict(stored.metadata() or {})
    except (OSError, SafetensorError):
        return {}


def _named(path: str | os.PathLike[str]) -> Path:
    file = Path(path)
    if file.suffix != ".safetensors":
        raise InputError("path", str(file), "a file named *.safetensors")
    return file
