"""Image tasks for networks of unit norm: some classes of a data set, every input of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.training.data import mnist_subset
from experiments.training.folders import read_images
from experiments.training.runs import Floats, Integers
from ncbounds.errors import InputError

#: Ships in a package; all other names are those of `experiments.training.folders`.
SUBSET = "mnist-subset"


@dataclass(frozen=True, eq=False)
class Task:
    """Inputs (n, channels, height, width) of length 1 and classes 0, 1, ...; as many of each."""

    train_x: Floats
    train_y: Integers
    test_x: Floats
    test_y: Integers

    @property
    def classes(self) -> int:
        """How many."""
        return int(self.train_y.max()) + 1


def load_task(
    name: str,
    classes: Sequence[int],
    n: int,
    seed: int,
    *,
    noise: float = 0.0,
    tests: int = 2000,
    folder: Path | None = None,
) -> Task:
    """Draw `n` samples to train on, equally many of each class, and at most `tests` others.

    Of the training labels a share `noise` is drawn anew, uniformly over the classes; those of the
    test samples stay. "mnist-subset" has 500 images a class; other data sets lie in `folder`.

    Raises InputError where there are too few samples, and what `read_images` raises.
    """
    if not 0 <= noise <= 1:
        raise InputError("noise", noise, "a share from 0 to 1")
    rng = np.random.default_rng(seed)
    per_class = n // len(classes)
    if name == SUBSET:
        pixels, y = mnist_subset()
        train_x: Any = pixels.reshape(-1, 1, 14, 14)
        test_x = train_x
        # One pool: what is not trained on is left to test on.
        pool = {c: rng.permutation(np.flatnonzero(y == c)) for c in classes}
        test = {c: rows[per_class:] for c, rows in pool.items()}
    else:
        images = read_images(name, folder)
        train_x, test_x = images.train_x, images.test_x
        pool, test = (
            {c: rng.permutation(np.flatnonzero(labels == c)) for c in classes}
            for labels in (images.train_y, images.test_y)
        )
    fewest = min(len(rows) for rows in pool.values())
    if not 0 < per_class <= fewest or not all(len(rows) for rows in test.values()):
        raise InputError("n", n, f"from {len(classes)} on, at most {fewest} a class, some left out")
    train = {c: rows[:per_class] for c, rows in pool.items()}
    few = min(tests // len(classes), *(len(rows) for rows in test.values()))
    rows, labels = _together(train)
    test_rows, test_labels = _together({c: chosen[:few] for c, chosen in test.items()})
    drawn = rng.random(len(labels)) < noise
    labels = np.where(drawn, rng.integers(0, len(classes), len(labels)), labels)
    return Task(_unit(train_x[rows]), labels, _unit(test_x[test_rows]), test_labels)


def _together(rows: dict[int, Any]) -> tuple[Any, Any]:
    labels = [np.full(len(chosen), index) for index, chosen in enumerate(rows.values())]
    return np.concatenate(list(rows.values())), np.concatenate(labels)


def _unit(x: Any) -> Floats:
    """Inputs of length 1, in float32."""
    flat = x.reshape(len(x), -1).astype(np.float64)
    found: Floats = (flat / np.linalg.norm(flat, axis=1, keepdims=True)).astype(np.float32)
    return found.reshape(x.shape)
