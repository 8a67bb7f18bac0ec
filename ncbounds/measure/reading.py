"""Arrays in `.npz` and `.safetensors` files, read whole or a chunk at a time; never a pickle.

`stored_arrays` reads the headers of a file and no data. What it gives can then be read in rows, so
that a file of any size is read in the memory of a chunk:

    features = stored_arrays("run.safetensors")["features"]
    for block in chunks(features):
        ...

`measure` and `compare` take it in place of an array.

A file is untrusted. Whatever is wrong with it, from a truncated archive to an array of Python
objects, is one InputError that names the file and what was expected of it. A chunk of an archive
comes through its decompressor, which checks the checksum at the end of each array.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from ncbounds.errors import InputError

#: Bytes of a chunk: large beside a block of the kernels, small beside any model.
CHUNK_BYTES = 2**24
_PIECE = 2**20
#: A matrix stored column by column has no rows to read one after the other; up to here it is
#: read whole.
_MOST_BYTES_BY_COLUMNS = 2**30
#: NumPy's type for each of safetensors; bfloat16, which it lacks, is the upper half of a float32.
_TYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"},
    **{f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)},
}


@dataclass(frozen=True)
class StoredArray:
    """An array in a file, of which nothing but its shape and type has been read.

    `np.asarray` reads all of it.
    """

    file: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    """Its type once read: that of the file, with bfloat16 as float32."""
    stored: np.dtype[Any]
    by_columns: bool
    offset: int | None
    """Where its first byte lies in the file; None where it is compressed."""
    member: ZipInfo | None = None
    """Its place in an archive, whose first `header` bytes are not data."""
    header: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes that it takes once read."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return whole(self) if dtype is None else whole(self).astype(dtype, copy=False)


def stored_arrays(path: str | os.PathLike[str]) -> dict[str, StoredArray]:
    """What arrays a `.npz` or `.safetensors` file holds, by name; no data is read.

    Raises:
        InputError: the file is missing, damaged, of another format, or holds objects.
    """
    file = Path(path)
    index = _INDICES.get(file.suffix)
    if index is None:
        remedy = _REMEDIES.get(file.suffix, "")
        raise InputError("path", str(file), f"a file named *{' or *'.join(_INDICES)}", remedy)
    if not file.is_file():
        raise InputError("path", str(file), "an existing file")
    with _sound(file):
        return index(file)


def chunks(array: StoredArray, rows: int | None = None) -> Iterator[NDArray[Any]]:
    """The rows of an array in order, a chunk at a time.

    Parameters:
        array: of at least one axis.
        rows: rows in a chunk, as many as make `CHUNK_BYTES` without.

    Raises:
        InputError: the file is damaged, or the array is larger than 1 GiB and stored by columns.
    """
    step = rows or rows_of_a_chunk(array)
    if array.by_columns:
        if array.nbytes > _MOST_BYTES_BY_COLUMNS:
            shown = f"array of {array.nbytes} bytes stored column by column"
            domain = f"stored row by row, or of at most {_MOST_BYTES_BY_COLUMNS} bytes"
            raise InputError(array.name, shown, domain, "save numpy.ascontiguousarray of it")
        everything = whole(array)
        yield from (everything[i : i + step] for i in range(0, len(everything), step))
        return
    with _sound(array.file), _opened(array) as stream:
        for start in range(0, array.shape[0], step):
            count = min(step, array.shape[0] - start)
            yield _filled(array, stream, (count, *array.shape[1:]))


def rows_of_a_chunk(array: StoredArray) -> int:
    """How many rows of an array make a chunk, at least one."""
    return max(1, CHUNK_BYTES // max(1, math.prod(array.shape[1:]) * array.dtype.itemsize))


def whole(array: StoredArray) -> NDArray[Any]:
    """All of an array, in memory of its own.

    Raises:
        InputError: the file is damaged.
    """
    with _sound(array.file), _opened(array) as stream:
        if array.by_columns:
            return _filled(array, stream, array.shape[::-1]).T
        return _filled(array, stream, array.shape)


@contextmanager
def _sound(file: Path) -> Iterator[None]:
    """Parsers of untrusted bytes fail in many ways, all of them alike to a reader."""
    try:
        yield
    except (InputError, GeneratorExit):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        domain = f"a sound {file.suffix} file of plain arrays"
        raise InputError("path", str(file), domain, f"reading it failed: {reason}") from None


@contextmanager
def _opened(array: StoredArray) -> Iterator[BinaryIO]:
    """The file at the first byte of the array."""
    if array.stored.kind == "V":
        raise InputError(array.name, "array of another type", "an array of plain numbers or text")
    if array.member is None:
        with array.file.open("rb", buffering=0) as stream:
            stream.seek(cast(int, array.offset))
            yield stream
        return
    with ZipFile(array.file) as archive, archive.open(array.member) as stream:
        stream.read(array.header)
        yield cast(BinaryIO, stream)


def _filled(array: StoredArray, stream: BinaryIO, shape: tuple[int, ...]) -> NDArray[Any]:
    """The next numbers of a stream."""
    found = np.empty(shape, array.stored)
    bytes_left = found.reshape(-1).view(np.uint8).data
    while bytes_left:
        # What a decompressor is asked for at once it holds several times.
        count = stream.readinto(bytes_left[:_PIECE])  # type: ignore[attr-defined]
        if not count:
            raise EOFError(f"it ends within {array.name!r}")
        bytes_left = bytes_left[count:]
    if array.stored == array.dtype:
        return found
    if array.stored == "<u2" and array.dtype == np.float32:
        return (found.astype(np.uint32) << 16).view(np.float32)
    return found.astype(array.dtype)


def _npz_index(file: Path) -> dict[str, StoredArray]:
    found = {}
    with ZipFile(file) as archive, file.open("rb") as plain:
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                raise ValueError(f"{member.filename!r} in it is no array")
            if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise ValueError(f"{member.filename!r} is compressed by another method than zip's")
            name = member.filename.removesuffix(".npy")
            with archive.open(member) as stream:
                shape, by_columns, dtype = _npy_header(stream)
                header = stream.tell()
            size = math.prod(shape) * dtype.itemsize
            if min(shape, default=0) < 0 or size != member.file_size - header:
                claimed = f"of shape {shape} and type {dtype}"
                raise ValueError(f"{name!r} {claimed} is not of {member.file_size - header} bytes")
            offset = None
            if member.compress_type == ZIP_STORED:  # behind the local header of 30 bytes and more
                plain.seek(member.header_offset + 26)
                lengths = np.frombuffer(plain.read(4), "<u2")
                offset = member.header_offset + 30 + int(lengths.sum()) + header
            native, columns = dtype.newbyteorder("="), by_columns and len(shape) > 1
            found[name] = StoredArray(
                file, name, shape, native, dtype, columns, offset, member, header
            )
    return found


def _npy_header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    readers: dict[tuple[int, int], Callable[[Any], Any]] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"an array of format {version}")
    shape, by_columns, dtype = readers[version](stream)
    if dtype.hasobject:
        raise ValueError("an array of Python objects is not unpickled (allow_pickle=False)")
    return shape, by_columns, dtype


def _safetensors_index(file: Path) -> dict[str, StoredArray]:
    from safetensors import safe_open

    with safe_open(file, framework="np"):
        pass  # the library has checked the header: no array lies outside the file or on another
    with file.open("rb") as plain:
        length = int.from_bytes(plain.read(8), "little")
        header = json.loads(plain.read(length))
    header.pop("__metadata__", None)
    found = {}
    for name, view in header.items():
        stored = np.dtype(_TYPES.get(view["dtype"], "V1"))
        dtype = np.dtype(np.float32) if view["dtype"] == "BF16" else stored
        start, shape = 8 + length + view["data_offsets"][0], tuple(view["shape"])
        found[name] = StoredArray(file, name, shape, dtype, stored, False, start)
    return found


_INDICES = {".npz": _npz_index, ".safetensors": _safetensors_index}
_TORCH = "a file of torch is a pickle, which is not read: safetensors.torch.save_file(state, path)"
#: What to do with a file of another format.
_REMEDIES = {
    **dict.fromkeys((".pt", ".pth", ".bin", ".ckpt"), _TORCH),
    ".npy": "numpy.savez(path, features=..., labels=...)",
}
