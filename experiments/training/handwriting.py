"""Tasks made of the handwritten digits that ship in packages: numbers, turns, another hand."""

from __future__ import annotations

import numpy as np

from experiments.training.data import Split, digits, mnist
from experiments.training.runs import Floats, Integers
from ncbounds.errors import InputError


def numbers(seed: int, per_class: int = 40, tests: int = 20, train_digits: int = 100) -> Split:
    """The numbers 00 to 99: two handwritten digits side by side, 8 x 16 pixels, K = 100.

    The digits of the training numbers and those of the test numbers are different drawings.
    """
    single = digits(seed, train_digits)
    rng = np.random.default_rng(seed)
    both = [
        _side_by_side(rng, x, y, count)
        for x, y, count in (
            (single.train_x, single.train_y, per_class),
            (single.test_x, single.test_y, tests),
        )
    ]
    (train_x, train_y), (test_x, test_y) = both
    return Split(train_x, train_y, test_x, test_y, (8, 16))


def _side_by_side(
    rng: np.random.Generator, x: Floats, y: Integers, count: int
) -> tuple[Floats, Integers]:
    if count < 1:
        raise InputError("per_class", count, "an integer >= 1")
    labels = np.repeat(np.arange(100), count)
    halves = []
    for wanted in (labels // 10, labels % 10):
        chosen = np.empty(len(labels), dtype=np.int64)
        for digit in range(10):
            places = wanted == digit
            chosen[places] = rng.choice(np.flatnonzero(y == digit), places.sum())
        halves.append(x[chosen].reshape(-1, 8, 8))
    return np.concatenate(halves, axis=2).reshape(len(labels), -1), labels


def other_hand(seed: int, per_class: int = 250) -> Split:
    """MNIST digits at the size of scikit-learn's: the middle 24 x 24 pixels as 8 x 8 blocks.

    Half of them to train on and half to test on, if `per_class` is 250.
    """
    # The package's reader halves 28 x 28 to 14 x 14; the middle 12 x 12 become 8 x 8.
    whole = mnist(seed, per_class)
    small = [_shrink(x) for x in (whole.train_x, whole.test_x)]
    return Split(small[0], whole.train_y, small[1], whole.test_y, (8, 8))


def _shrink(x: Floats) -> Floats:
    """From 14 x 14 pixels the middle 12 x 12 as means over 8 x 8 areas of 1.5 x 1.5 pixels."""
    middle = x.reshape(-1, 14, 14)[:, 1:13, 1:13]
    fine = middle.repeat(2, axis=1).repeat(2, axis=2)
    found: Floats = fine.reshape(-1, 8, 3, 8, 3).mean(axis=(2, 4)).reshape(len(x), -1)
    return found


def quarter_turns(data: Split) -> Split:
    """The task of telling by how many quarters an image is turned: every image four times."""
    found = []
    for x in (data.train_x, data.test_x):
        images = x.reshape(-1, *data.image)
        turned = [np.rot90(images, k, axes=(1, 2)).reshape(len(x), -1) for k in range(4)]
        found.append((np.concatenate(turned), np.repeat(np.arange(4), len(x))))
    return Split(found[0][0], found[0][1], found[1][0], found[1][1], data.image)


def some_classes(whole: Split, classes: tuple[int, ...]) -> Split:
    """Only those classes, numbered in their order."""
    parts = []
    for x, y in ((whole.train_x, whole.train_y), (whole.test_x, whole.test_y)):
        chosen = np.isin(y, classes)
        order = np.array([classes.index(c) for c in y[chosen].tolist()], dtype=np.int64)
        parts.append((x[chosen], order))
    return Split(parts[0][0], parts[0][1], parts[1][0], parts[1][1], whole.image)
