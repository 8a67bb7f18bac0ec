"""Synthetic classes of two kinds, as in section 3 of `bnwd`: a conic hull, and random networks.

Inputs are standard Gaussian. The classes of the conic hull are the four parts into which two
orthogonal hyperplanes cut the space; those of a random network are the index of its largest output.
The papers' own dimensions and widths are not printed: ours are arguments.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from experiments.training.data import Split
from experiments.training.runs import Floats, Integers
from ncbounds.errors import InputError

_POOL = 200_000


def conic_hull(seed: int, per_class: int, dimension: int = 16) -> Split:
    """Four classes by the sides of two orthogonal hyperplanes through the origin."""
    rng = np.random.default_rng([seed, 0])
    x = rng.normal(size=(40 * per_class, dimension))
    normals = np.linalg.qr(rng.normal(size=(dimension, 2)))[0]
    sides = (x @ normals > 0).astype(np.int64)
    return _balanced(x, 2 * sides[:, 0] + sides[:, 1], per_class, 4)


def random_network(
    seed: int, layers: int, per_class: int, dimension: int = 16, classes: int = 4, width: int = 32
) -> Split:
    """Classes by the largest output of a random ReLU network with so many layers of weights.

    Deep random networks nearly forget their input, and some class may hardly ever win: networks
    are drawn until each class has a tenth of its fair share of the samples.
    """
    if layers < 1:
        raise InputError("layers", layers, "an integer >= 1")
    for attempt in range(1000):
        rng = np.random.default_rng([seed, layers, attempt])
        sizes = [dimension, *[width] * (layers - 1), classes]
        weights = [rng.normal(size=(a, b)) * np.sqrt(2 / a) for a, b in pairwise(sizes)]
        x = rng.normal(size=(min(_POOL, 80 * classes * per_class), dimension))
        values = x
        for W in weights[:-1]:
            values = np.maximum(values @ W, 0)
        y = (values @ weights[-1]).argmax(axis=1).astype(np.int64)
        counts = np.bincount(y, minlength=classes)
        if counts.min() >= max(2 * per_class, len(x) / (10 * classes)):
            return _balanced(x, y, per_class, classes)
    raise InputError("layers", layers, f"so few that {classes} classes all occur; seed {seed}")


def _balanced(x: Floats, y: Integers, per_class: int, classes: int) -> Split:
    """As many of each class to train on, and as many again to test on."""
    if per_class < 1:
        raise InputError("per_class", per_class, "an integer >= 1")
    chosen = [np.flatnonzero(y == c)[: 2 * per_class] for c in range(classes)]
    train = np.concatenate([index[:per_class] for index in chosen])
    test = np.concatenate([index[per_class:] for index in chosen])
    return Split(x[train], y[train], x[test], y[test], (1, x.shape[1]))
