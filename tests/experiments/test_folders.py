"""Data sets in a user's folder: what torchvision lays out is read, all else is refused."""

import gzip
import os
import pickle

import numpy as np
import pytest

from experiments.training.folders import read_images
from ncbounds.errors import InputError

RNG = np.random.default_rng(0)


def write_idx(path, array):
    sizes = b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    path.write_bytes(bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes())


@pytest.fixture
def mnist(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, n in (("train", 6), ("t10k", 3)):
        x, y = RNG.integers(0, 256, (n, 4, 5), dtype=np.uint8), np.arange(n, dtype=np.uint8) % 3
        write_idx(raw / f"{part}-images-idx3-ubyte", x)
        write_idx(raw / f"{part}-labels-idx1-ubyte", y)
    return tmp_path


@pytest.fixture
def cifar(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for k, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        x = RNG.integers(0, 256, (2, 3072), dtype=np.uint8)
        x[0, :2] = k, 255
        table = {b"data": x, b"labels": [k, 1], b"batch_label": b"x", b"filenames": [b"a", b"b"]}
        (folder / name).write_bytes(pickle.dumps(table, protocol=2))
    return tmp_path


def test_idx_files_are_read_plain_or_compressed(mnist):
    plain = read_images("mnist", mnist)
    assert plain.train_x.shape == (6, 1, 4, 5) and plain.test_y.tolist() == [0, 1, 2]
    for path in (mnist / "MNIST" / "raw").iterdir():
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = read_images("mnist", mnist)
    np.testing.assert_array_equal(packed.train_x, plain.train_x)


def test_batches_of_cifar_are_read_in_order(cifar):
    found = read_images("cifar10", cifar)
    assert found.train_x.shape == (10, 3, 32, 32) and found.test_x.shape == (2, 3, 32, 32)
    assert found.train_x[::2, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert found.train_x[0, 0, 0, 1] == 255
    assert found.train_y.tolist() == [0, 1, 1, 1, 2, 1, 3, 1, 4, 1]


class Harmful:
    def __reduce__(self):
        return os.system, ("touch harmed",)


def test_a_pickle_that_would_run_something_is_refused(cifar, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    hidden = {b"data": Harmful(), b"labels": [0]}
    path = cifar / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(pickle.dumps(hidden, protocol=2))
    with pytest.raises(InputError, match=r"system in a file of numbers"):
        read_images("cifar10", cifar)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "cifar100"])
def test_what_is_absent_is_said_with_the_remedy(name, tmp_path):
    with pytest.raises(InputError, match="torchvision"):
        read_images(name, None)
    with pytest.raises(InputError, match="torchvision"):
        read_images(name, tmp_path)


def test_unknown_names_and_damaged_files_are_refused(mnist):
    with pytest.raises(InputError, match="data set"):
        read_images("imagenet", mnist)
    raw = mnist / "MNIST" / "raw"
    write_idx(raw / "t10k-labels-idx1-ubyte", np.arange(2, dtype=np.uint8))
    with pytest.raises(InputError, match="as many images as labels"):
        read_images("mnist", mnist)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0\x0d\1")
    with pytest.raises(InputError, match="idx file"):
        read_images("mnist", mnist)
    (raw / "train-images-idx3-ubyte").unlink()
    with pytest.raises(InputError, match="train-images"):
        read_images("mnist", mnist)
