"""Data sets in a folder of the user's, in the layout that torchvision downloads to.

    DIR/MNIST/raw/train-images-idx3-ubyte[.gz]         and FashionMNIST alike
    DIR/cifar-10-batches-py/data_batch_1 .. test_batch, DIR/cifar-100-python/train, test

Files are untrusted. Those of CIFAR are pickles: they are read by an unpickler that builds plain
containers and arrays of numbers and nothing else.
"""

from __future__ import annotations

import gzip
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from experiments.training.data import DATA_SETS, Split
from ncbounds.errors import InputError

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Images:
    """Images (n, channels, height, width) of bytes and their labels (n,), to train and to test."""

    train_x: Bytes
    train_y: npt.NDArray[np.int64]
    test_x: Bytes
    test_y: npt.NDArray[np.int64]


def read_images(name: str, folder: Path | None) -> Images:
    """Read "mnist", "fashion-mnist", "cifar10" or "cifar100" from a folder.

    Raises InputError when there is no folder, no such data set in it, or a file is not sound.
    """
    if name not in _READERS:
        raise InputError("data set", name, f"one of {', '.join(_READERS)}")
    place, reader = _READERS[name]
    if folder is None:
        raise InputError("--data", "none", f"a folder with {place}, as torchvision lays it out")
    if not (folder / place).is_dir():
        remedy = f"torchvision downloads it there: {name} with root={folder}"
        raise InputError("--data", str(folder), f"a folder with {place}", remedy)
    try:
        found = reader(folder / place)
    except InputError:
        raise
    except Exception as error:  # untrusted bytes fail in many ways, all of them alike
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError("--data", str(folder / place), f"sound files of {name}", reason) from None
    for x, y in ((found.train_x, found.train_y), (found.test_x, found.test_y)):
        if x.ndim != 4 or len(x) != len(y) or len(x) == 0:
            raise InputError("--data", str(folder / place), "as many images as labels")
    return found


def data_set(name: str, seed: int, per_class: int | None, folder: Path | None) -> Split:
    """A data set that ships in a package, split by the seed; a whole one of the user's for None.

    Inputs are in [0, 1], (n, channels * height * width).
    """
    if per_class is not None:
        if name not in DATA_SETS:
            raise InputError("data set", name, f"one of {', '.join(DATA_SETS)}")
        return DATA_SETS[name](seed, per_class)
    found = read_images(name, folder)
    train, test = (x.reshape(len(x), -1) / np.float32(255) for x in (found.train_x, found.test_x))
    height, width = found.train_x.shape[2:]
    return Split(train, found.train_y, test, found.test_y, (height, width))


def _idx(folder: Path) -> Images:
    """The format of MNIST: a magic number, sizes, bytes."""
    train_x, test_x = (
        _idx_file(folder, f"{part}-images-idx3-ubyte", 3)[:, None] for part in ("train", "t10k")
    )
    train_y, test_y = (
        _idx_file(folder, f"{part}-labels-idx1-ubyte", 1).astype(np.int64)
        for part in ("train", "t10k")
    )
    return Images(train_x, train_y, test_x, test_y)


def _idx_file(folder: Path, name: str, dimensions: int) -> Bytes:
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.is_file():
        data = plain.read_bytes()
    elif packed.is_file():
        data = gzip.decompress(packed.read_bytes())
    else:
        raise InputError("--data", str(folder), f"a folder with {name} or {name}.gz")
    sizes = np.frombuffer(data[4 : 4 + 4 * dimensions], dtype=">u4").astype(int)
    if data[:4] != bytes((0, 0, 8, dimensions)):
        raise InputError("--data", str(plain), f"an idx file of bytes in {dimensions} dimensions")
    return np.frombuffer(data[4 + 4 * dimensions :], dtype=np.uint8).reshape(sizes)


def _cifar10(folder: Path) -> Images:
    batches = [_unpickle(folder / f"data_batch_{k}") for k in range(1, 6)]
    return _cifar(batches, _unpickle(folder / "test_batch"), b"labels")


def _cifar100(folder: Path) -> Images:
    return _cifar([_unpickle(folder / "train")], _unpickle(folder / "test"), b"fine_labels")


def _cifar(train: list[dict[bytes, Any]], test: dict[bytes, Any], labels: bytes) -> Images:
    x = np.concatenate([np.asarray(batch[b"data"], dtype=np.uint8) for batch in train])
    y = np.concatenate([np.asarray(batch[labels], dtype=np.int64) for batch in train])
    test_x = np.asarray(test[b"data"], dtype=np.uint8)
    shape = (-1, 3, 32, 32)
    own = np.asarray(test[labels], dtype=np.int64)
    return Images(x.reshape(shape), y, test_x.reshape(shape), own)


def _unpickle(path: Path) -> dict[bytes, Any]:
    with path.open("rb") as file:
        found = _NumbersOnly(file).load()
    if not isinstance(found, dict):
        raise InputError("--data", str(path), "a pickled table of arrays")
    return found


class _NumbersOnly(pickle.Unpickler):
    """Containers and arrays of numbers; any other name in a pickle is refused, never imported."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="bytes")

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} in a file of numbers")
        return _ALLOWED[module, name]


def _reconstruct(kind: Any, shape: Any, code: Any) -> Any:
    """An empty array that the pickle fills; of numpy's own making, whatever the file asks for."""
    return np.ndarray.__new__(np.ndarray, (0,), dtype=np.uint8)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    # How Python 3 writes bytes for Python 2; the encoding is not asked for.
    ("_codecs", "encode"): lambda text, encoding: text.encode("latin1"),
}
_READERS = {
    "mnist": (Path("MNIST/raw"), _idx),
    "fashion-mnist": (Path("FashionMNIST/raw"), _idx),
    "cifar10": (Path("cifar-10-batches-py"), _cifar10),
    "cifar100": (Path("cifar-100-python"), _cifar100),
}
