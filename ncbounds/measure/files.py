"""Features, labels and weights in files: `.npz` and `.safetensors`, never a pickle.

A file is untrusted. Whatever is wrong with it, from a truncated archive to an array of Python
objects, is one InputError that names the file and what was expected of it.

Arrays by name: `features` (n, d), `labels` (n,), optionally `weights` (K, d), `bias` (K,), one
`layer.<name>` (n, ...) for the output of each earlier layer, and any scalars or vectors besides.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.codes.margin import host_array
from ncbounds.errors import InputError
from ncbounds.measure.door import check_shapes
from ncbounds.measure.reading import StoredArray, stored_arrays, whole

_REQUIRED = ("features", "labels")
_OPTIONAL = ("weights", "bias")
_LAYER = "layer."
_UNUSABLE_NAMES = ("", "file", "allow_pickle", "__metadata__")
_MAX_BYTES = 2**34


@dataclass(frozen=True, eq=False)
class FeatureFile:
    """What a file holds, types as stored; `layers` is keyed without the prefix `layer.`."""

    features: Any
    labels: NDArray[Any]
    weights: NDArray[Any] | None = None
    bias: NDArray[Any] | None = None
    layers: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def temperature(self) -> float | None:
        """The scalar `temperature` of the file, of a model on the unit sphere; None without one.

        Raises InputError when it is no number.
        """
        found = self.extra.get("temperature")
        if found is None:
            return None
        if found.size != 1 or found.dtype.kind not in "fiu":
            raise InputError("temperature", f"array of shape {found.shape}", "one number")
        return float(found.item())


def read_features(
    path: str | os.PathLike[str], *, max_bytes: int = _MAX_BYTES, leave_features: bool = False
) -> FeatureFile:
    """Read features, labels and what else a file holds.

    Parameters:
        path: a `.npz` or `.safetensors` file. bfloat16 is read as float32.
        max_bytes: largest accepted size of all arrays in memory together, so that a small archive
            cannot fill it.
        leave_features: features and layers stay in the file, as `StoredArray`, so that they may be
            larger than the memory: `measure` and `compare` read them in chunks.

    Raises:
        InputError: the file is missing, damaged, of another format or too large, holds objects,
            lacks `features` or `labels`, or its arrays do not fit together.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_features(f"{folder}/run.npz", [[1.0], [2.0]], [0, 1], extra={"epoch": 7})
    ...     run = read_features(f"{folder}/run.npz")
    >>> run.features.shape, run.labels, int(run.extra["epoch"])
    ((2, 1), array([0, 1]), 7)
    """
    stored = stored_arrays(path)
    assemble(str(path), stored)
    large = {name for name in stored if _kind(name) == "layer" or name == "features"}
    left = {name: stored[name] for name in large if leave_features}
    found = _read({n: a for n, a in stored.items() if n not in left}, path, max_bytes)
    return assemble(str(path), found | left)


def read_arrays(
    path: str | os.PathLike[str], *, max_bytes: int = _MAX_BYTES
) -> dict[str, NDArray[Any]]:
    """Read all arrays of a `.npz` or `.safetensors` file by name, whatever they mean.

    Raises:
        InputError: the file is missing, damaged, of another format or too large, holds objects.
    """
    return _read(stored_arrays(path), path, max_bytes)


def _read(
    arrays: dict[str, StoredArray], path: str | os.PathLike[str], max_bytes: int
) -> dict[str, NDArray[Any]]:
    size = sum(array.nbytes for array in arrays.values())
    if size > max_bytes:
        domain = f"of at most {max_bytes} bytes of arrays"
        raise InputError("path", f"{path} with {size} bytes", domain, "raise max_bytes")
    return {name: whole(array) for name, array in arrays.items()}


def write_features(
    path: str | os.PathLike[str],
    features: object,
    labels: object,
    weights: object = None,
    bias: object = None,
    *,
    layers: Mapping[str, object] | None = None,
    extra: Mapping[str, object] | None = None,
) -> None:
    """Write a file that `read_features` reads; an existing file is replaced at once or not at all.

    Parameters:
        path: the format is that of the suffix, `.npz` or `.safetensors`.
        features, labels, weights, bias: as for `ncbounds.measure.measure`.
        layers: features of earlier layers by name, each of n rows.
        extra: further scalars or vectors by name.

    Raises:
        InputError: another suffix, arrays that do not fit together, objects, unusable names.
    """
    _writer(Path(path))
    given = {"features": features, "labels": labels, "weights": weights, "bias": bias}
    arrays = {name: host_array(name, value) for name, value in given.items() if value is not None}
    for name, value in (layers or {}).items():
        arrays[_LAYER + name] = host_array(_LAYER + name, value)
    for name, value in (extra or {}).items():
        if name in _UNUSABLE_NAMES + _REQUIRED + _OPTIONAL or name.startswith(_LAYER):
            raise InputError("extra", f"an array named {name!r}", "of names that mean nothing else")
        arrays[name] = np.asarray(host_array(name, value) if _is_tensor(value) else value)
    assemble(str(path), arrays)
    write_arrays(path, arrays)


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays by name; an existing file is replaced at once or not at all.

    Raises:
        InputError: another suffix than `.npz` or `.safetensors`, a missing folder, text in the
            latter.
    """
    file = Path(path)
    writer = _writer(file)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".") as folder:
        draft = Path(folder) / file.name
        draft.touch()
        mode = draft.stat().st_mode  # what the user's umask leaves; a writer may be stricter
        writer(str(draft), {name: np.asarray(a, order="C") for name, a in arrays.items()})
        draft.chmod(mode)
        os.replace(draft, file)


def _writer(file: Path) -> Callable[[str, dict[str, NDArray[Any]]], None]:
    writer = _WRITERS.get(file.suffix)
    if writer is None:
        raise InputError("path", str(file), "a file named *.npz or *.safetensors")
    if not file.parent.is_dir():
        raise InputError("path", str(file), "in an existing folder")
    return writer


def assemble(file: str, arrays: Mapping[str, Any]) -> FeatureFile:
    """The arrays of a file by what they mean.

    Raises:
        InputError: some are missing, of another type, or do not fit together.
    """
    missing = [name for name in _REQUIRED if name not in arrays]
    if missing:
        found = ", ".join(sorted(arrays)[:8]) or "nothing"
        remedy = f"missing: {', '.join(missing)}; found: {found}"
        raise InputError("path", file, "a file with arrays 'features' and 'labels'", remedy)
    for name, array in arrays.items():
        if name == "labels":
            continue  # `check_shapes` says what to do with labels that are no integers
        if array.dtype.kind not in ("biufUS" if _kind(name) == "extra" else "fiu"):
            raise InputError(name, f"array of dtype {array.dtype}", "an array of real numbers")
    main = [arrays.get(name) for name in (*_REQUIRED, *_OPTIONAL)]
    features, labels = arrays["features"], arrays["labels"]
    check_shapes(features, labels, main[2], main[3])
    layers, extra = {}, {}
    for name, array in arrays.items():
        if _kind(name) == "layer":
            if array.ndim < 1 or len(array) != len(features):
                shown = f"array of shape {array.shape}"
                raise InputError(name, shown, f"of {len(features)} rows, one for each sample")
            layers[name.removeprefix(_LAYER)] = array
        elif _kind(name) == "extra":
            if array.ndim > 1:
                domain = f"a scalar or a vector, or named {_LAYER}<name>"
                raise InputError(name, f"array of shape {array.shape}", domain)
            extra[name] = array
    return FeatureFile(features, labels, main[2], main[3], layers, extra)


def _kind(name: str) -> str:
    if name in _REQUIRED + _OPTIONAL:
        return "main"
    return "layer" if name.startswith(_LAYER) else "extra"


def _is_tensor(value: object) -> bool:
    return callable(getattr(value, "detach", None))


def _write_npz(file: str, arrays: dict[str, NDArray[Any]]) -> None:
    np.savez(file, allow_pickle=False, **arrays)


def _write_safetensors(file: str, arrays: dict[str, NDArray[Any]]) -> None:
    from safetensors.numpy import save_file

    for name, array in arrays.items():
        if array.dtype.kind in "US":
            raise InputError(name, "array of text", "numbers in a .safetensors file", "use .npz")
    save_file(arrays, file)


_WRITERS = {".npz": _write_npz, ".safetensors": _write_safetensors}
