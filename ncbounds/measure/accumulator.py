"""Measure samples that come in batches, in two passes at most, in any number of processes.

`Accumulator` holds sums over samples by class, O(K d) of them however many samples there are,
d x d more with `scatter`, and small batches until they make a block of some megabytes;
`measure_batches` drives one over batches, `measure` over arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import fields
from functools import reduce
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ncbounds.errors import InputError
from ncbounds.measure.door import (
    Indices,
    Missing,
    admit,
    admit_batch,
    admit_layer,
    admit_scatter,
    admit_tensors,
    check_counts,
    check_missing,
    check_temperature,
    on_device,
)
from ncbounds.measure.gathered import Gathered
from ncbounds.measure.metrics import Measurement, evaluate
from ncbounds.measure.moments import (
    ClassMeans,
    FirstPass,
    Frame,
    Layer,
    SecondPass,
    check_same_samples,
    check_sums,
    frame_of,
    means_of,
    merge_first,
    merge_second,
    to_device,
    to_host,
)
from ncbounds.measure.passes import (
    add_tensors_to_first,
    add_tensors_to_second,
    add_to_first,
    add_to_scatter,
    add_to_second,
)
from ncbounds.measure.threads import in_threads, one_thread

Batches = Callable[[], Iterable[tuple[object, object]]] | Iterable[tuple[object, object]]
#: Samples of arrays in memory that are taken at once.
_BATCH = 2**13


class Accumulator:
    """Sums over samples by class, from which every metric follows; splits and merges in any way.

    The first pass gives the metrics with ``METRICS[name].passes == 1``. `next_pass` then fixes the
    class means, and the same samples, in any order and batches, give the others.

    Parameters:
        classes: K, the number of classes; None where the weights say it.
        weights: (K, d) weights of the last layer.
        bias: (K,) bias of the last layer.
        temperature: of `loss.cross_entropy.spherical`, from 1e-6 to 1e6.
        dimension: d, told by the first batch unless given.
        scatter: True keeps the d x d scatter within classes too, from which one pass gives
            nc1.pinv.samples and nc1.fuzziness, and for classes of equal size nc1.pinv and gnc1; the
            counts of the classes, (K,) integers, give these for any. A second pass is more exact.

    Raises:
        InputError: neither classes nor weights, numbers that are not those of the weights, or
            weights that are not as `measure` asks for, counts that are not such integers.

    >>> accumulator = Accumulator(classes=2)
    >>> accumulator.update([[2.0, 1.0], [-2.0, 1.0]], [0, 1])
    >>> accumulator.update([[2.0, -1.0], [-2.0, -1.0]], [0, 1])
    >>> accumulator.compute().metrics["cdnv.mean"]
    0.0625
    """

    def __init__(
        self,
        classes: int | None = None,
        weights: object = None,
        bias: object = None,
        temperature: float = 1.0,
        dimension: int | None = None,
        scatter: object = False,
    ) -> None:
        check_temperature(temperature)
        W, b = admit_layer(weights, bias)
        if classes is None and W is None:
            raise InputError("classes", "missing", "given where weights are not")
        if classes is not None:
            _check_number("classes", classes, 2, None if W is None else len(W))
        if dimension is not None:
            _check_number("dimension", dimension, 1, None if W is None else W.shape[1])
        self.classes = int(classes) if classes is not None else len(W)  # type: ignore[arg-type]
        self._layer = None if W is None or b is None else Layer.of(W, b, float(temperature))
        self._told, self._factors = admit_scatter(scatter, self.classes)
        """The counts of the classes as told; what samples count in the scatter matrices."""
        self._first: FirstPass | None = None
        if dimension is not None:
            self._first = self._empty(dimension)
        self._second: SecondPass | None = None
        self._frame: Frame | None = None
        self._gathered = Gathered()
        self._constants: dict[Any, tuple[Any, Any]] = {}
        """Last layer and frame, by the device where they are too."""

    @property
    def passes(self) -> int:
        """The pass that `update` adds to: 1 or 2."""
        return 1 if self._second is None else 2

    @property
    def seen(self) -> Indices:
        """The classes that have samples in the first pass, in order."""
        return self._seen()[1]

    @property
    def means(self) -> ClassMeans:
        """Means of the classes `seen`."""
        return means_of(self._seen()[0])

    def update(self, features: object, labels: object) -> None:
        """Add a batch of samples.

        Parameters:
            features: (b, d) array or tensor of any real type.
            labels: (b,) integers from 0 to K - 1, in any order.

        Raises:
            InputError: misshapen, not finite, of another dimension than before, labels out of
                range; in the second pass a class that the first has not seen.
        """
        d = None if self._first is None else self._first.anchors.shape[1]
        if d is None and self._layer is not None:
            d = self._layer.weights.shape[1]
        if on_device(features):
            self._add_tensors(*admit_tensors(features, labels, d))
            return
        h, index, largest = admit_batch(features, labels, self.classes, d)
        if self._frame is not None and self._frame.places[index].min() < 0:
            raise InputError("labels", "of a class without samples in the first pass", "the same")
        self._gather(h, index, largest)

    def _empty(self, d: int) -> FirstPass:
        return FirstPass.empty(self.classes, d, self._factors)

    def _gather(self, h: NDArray[Any], index: Indices, largest: float) -> None:
        """Add checked arrays, small ones together with those that follow."""
        if self._first is None:
            self._first = self._empty(h.shape[1])
        if not self._gathered.fits(h):
            self._add_gathered()
        if not self._gathered.take(h, index, largest):
            self._add(h, index, largest)

    def _add_gathered(self) -> None:
        if self._gathered.number:
            self._add(*self._gathered.hand_over())

    def _add(self, h: NDArray[Any], index: Indices, largest: float) -> None:
        """Add checked arrays to the sums."""
        d, layer, frame = h.shape[1], self._layer, self._frame
        self._first = self._empty(d) if self._first is None else self._first
        if self._second is None or frame is None:
            first = self._first = to_host(self._first)
            first.largest[0] = max(first.largest[0], largest)
            in_threads(lambda part, order: add_to_first(part, h, index, order, layer),
                       first, index, d)  # fmt: skip
            add_to_scatter(first, h, index)
            return
        place = frame.places[index]
        second = self._second = to_host(self._second)
        in_threads(lambda part, order: add_to_second(part, h, place, order, frame, layer),
                   second, place, d)  # fmt: skip

    def _add_tensors(self, h: Any, index: Any) -> None:
        """Add tensors where they are, without a look at their values."""
        d, device = h.shape[1], h.device
        if device not in self._constants:
            self._constants[device] = to_device(self._layer, device), to_device(self._frame, device)
        layer, frame = self._constants[device]
        if self._second is None:
            first = self._empty(d) if self._first is None else self._first
            self._first = to_device(first, device)
            add_tensors_to_first(self._first, h, index, layer)
        else:
            self._second = to_device(self._second, device)
            add_tensors_to_second(self._second, h, index, frame, layer)

    def merge(self, other: Accumulator) -> Accumulator:
        """Return an accumulator of the samples of both, which stay as they are.

        Raises:
            InputError: the other has another number of classes, last layer, scatter or pass, or in
                the second pass other class means.
        """
        for one in (self, other):
            one._add_gathered()
        self._check_mergeable(other)
        merged = deepcopy(self)
        firsts = [to_host(a._first) for a in (self, other) if a._first is not None]
        if self._second is not None and other._second is not None:
            merged._second = merge_second(to_host(self._second), to_host(other._second))
        elif len(firsts) == 2:
            merged._first = merge_first(*firsts)
        else:
            merged._first = deepcopy(firsts[0]) if firsts else None
        return merged

    def all_reduce(self, group: Any = None) -> None:
        """Take in the samples of all processes of a `torch.distributed` group.

        Called by each of them at the end of each pass, before `next_pass` and `compute`; then all
        hold the same sums, added in the order of the ranks.

        Parameters:
            group: the process group; all processes without one.
        """
        import torch.distributed as processes

        self._add_gathered()
        self._first, self._second = to_host(self._first), to_host(self._second)
        self._constants = {}
        found: list[Any] = [None] * processes.get_world_size(group)
        processes.all_gather_object(found, self, group)
        merged = reduce(Accumulator.merge, found)
        self._first, self._second = merged._first, merged._second

    def _check_mergeable(self, other: Accumulator) -> None:
        mine, its = self._layer, other._layer
        same = self.classes == other.classes and (mine is None) == (its is None)
        if same and mine is not None and its is not None:
            same = mine.temperature == its.temperature and all(
                np.array_equal(a, b)
                for a, b in ((mine.weights, its.weights), (mine.bias, its.bias))
            )
        if not same:
            raise InputError("other", "of other classes or another last layer", "the same")
        if not np.array_equal(self._factors, other._factors):
            raise InputError("other", "with another scatter", "the same")
        if self.passes != other.passes:
            shown = f"in pass {other.passes}"
            raise InputError("other", shown, f"in pass {self.passes}, as this one")
        if self._first is None or other._first is None:
            return
        if self._first.anchors.shape != other._first.anchors.shape:
            shown = f"of dimension {other._first.anchors.shape[1]}"
            raise InputError("other", shown, f"of dimension {self._first.anchors.shape[1]}")
        if self.passes == 2 and not (
            np.array_equal(self._first.sums, other._first.sums)
            and np.array_equal(self._first.anchors, other._first.anchors)
        ):
            raise InputError("other", "with other class means", "of the same merged first pass")

    def next_pass(self) -> None:
        """End the first pass: its class means are fixed, and the same samples follow once more.

        Processes that share the samples merge their first passes before (`all_reduce`).

        Raises:
            InputError: the first pass is over already, or has seen fewer than two classes, labels
                or numbers out of range.
        """
        if self._second is not None:
            raise InputError("pass", 2, "1: there is no third pass")
        first, rows = self._seen()
        self._first = to_host(self._first)
        with one_thread(first.anchors.size):
            self._frame = frame_of(means_of(first), first.counts, rows, self.classes)
        self._second = SecondPass.empty(*first.anchors.shape)
        self._constants = {}

    def _seen(self) -> tuple[FirstPass, Indices]:
        """The checked sums of the classes that have samples, and these classes."""
        self._add_gathered()
        first = to_host(self._first)
        if first is None or np.count_nonzero(first.counts) < 2:
            raise InputError("labels", "of fewer than two classes", "of two classes at least")
        check_sums(first, self.classes)
        rows = np.flatnonzero(first.counts)
        return (first if len(rows) == self.classes else first.of_classes(rows)), rows

    def compute(self, missing: Missing = "refuse") -> Measurement:
        """Return the metrics of the samples so far; what needs another pass is in `undefined`.

        Parameters:
            missing: what becomes of classes without samples: an error, or they are left out, as in
                `measure`.

        Raises:
            InputError: fewer than two classes have samples, a class has none and is not left out,
                labels or numbers were out of range, the counts are not those that were told as
                `scatter`, or the second pass has not seen the samples of the first: other labels,
                or features of another spread about a class mean.
        """
        check_missing(missing)
        first, rows = self._seen()
        if missing == "refuse" and len(rows) < self.classes:
            absent = int(np.setdiff1d(np.arange(self.classes), rows)[0])
            domain = f"at least one sample for each of the {self.classes} classes"
            remedy = "or missing='leave out'"
            raise InputError("labels", f"no sample of class {absent}", domain, remedy)
        check_counts(self._told, first.counts, rows)
        second, means = None, means_of(first)
        if self._second is not None and self._frame is not None:
            second = to_host(self._second), self._frame
            check_sums(second[0], self.classes)
            check_same_samples(first, means, second[0])
        with one_thread(first.anchors.size):
            return evaluate(first, means, second, self._layer, rows)

    def save(self, path: str | Path) -> None:
        """Write the sums to a safetensors file, from which `load` goes on."""
        Path(path).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: str | Path) -> Accumulator:
        """Read what `save` wrote.

        Raises:
            InputError: not such a file.
        """
        try:
            return cls.from_bytes(Path(path).read_bytes())
        except (OSError, InputError) as error:
            domain = "a file that Accumulator.save wrote"
            raise InputError("path", str(path), domain) from error

    def to_bytes(self) -> bytes:
        """The content of a file that `save` writes: as long for any samples of a shape and pass."""
        self._add_gathered()
        from safetensors.numpy import save

        arrays: dict[str, NDArray[Any]] = {"classes": np.array([self.classes])}
        if self._layer is not None:
            arrays |= {"layer.weights": self._layer.weights, "layer.bias": self._layer.bias}
            arrays["layer.temperature"] = np.array([self._layer.temperature])
        if len(self._factors):
            # No counts where none were told.
            arrays["scatter"] = np.zeros(0, np.int64) if self._told is None else self._told
        for name, sums in (("first", to_host(self._first)), ("second", to_host(self._second))):
            if sums is not None:
                arrays |= {f"{name}.{f.name}": getattr(sums, f.name) for f in fields(sums)}
        return save({k: np.ascontiguousarray(v) for k, v in arrays.items()})  # type: ignore[no-any-return]

    @classmethod
    def from_bytes(cls, content: bytes) -> Accumulator:
        """Read what `to_bytes` gave.

        Raises:
            InputError: not such content.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays = {name: array.copy() for name, array in load(content).items()}
            told = arrays.get("scatter", np.zeros(0))
            found = cls(
                int(arrays["classes"][0]),
                arrays.get("layer.weights"),
                arrays.get("layer.bias"),
                float(arrays.get("layer.temperature", np.ones(1))[0]),
                scatter=told if len(told) else "scatter" in arrays,
            )
            if "first.counts" in arrays:
                d = arrays["first.anchors"].shape[-1]
                found._first = _read(arrays, "first", found._empty(d))
            if "second.counts" in arrays:
                found.next_pass()
                seen = int(np.count_nonzero(arrays["first.counts"]))
                found._second = _read(arrays, "second", SecondPass.empty(seen, d))
        except (SafetensorError, KeyError, IndexError, TypeError, ValueError) as error:
            raise InputError("content", "other", "what Accumulator.to_bytes gave") from error
        return found


def _check_number(parameter: str, value: object, least: int, needed: int | None) -> None:
    domain = f"{needed}, as of the weights" if needed else f"an integer, at least {least}"
    integral = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not integral or (value != needed if needed else value < least):  # type: ignore[operator]
        raise InputError(parameter, repr(value), domain)


def _read(arrays: dict[str, NDArray[Any]], name: str, empty: Any) -> Any:
    """The sums that a file holds, shaped like empty ones; a KeyError says that they are none."""
    counts = arrays[f"{name}.counts"]
    if counts.shape != empty.counts.shape or counts.min() < 0:
        raise KeyError(name)
    found = {}
    for f in fields(empty):
        array, like = arrays[f"{name}.{f.name}"], getattr(empty, f.name)
        if array.shape != like.shape or array.dtype != like.dtype:
            raise KeyError(f.name)
        found[f.name] = array
    return type(empty)(**found)


def measure_batches(
    batches: Batches,
    classes: int | None = None,
    weights: object = None,
    bias: object = None,
    *,
    temperature: float = 1.0,
    missing: Missing = "refuse",
    passes: Literal[1, 2] = 2,
    scatter: object = False,
) -> Measurement:
    """All metrics of samples that come in batches, read twice, in the memory of the class means.

    Parameters:
        batches: a callable that gives a fresh iterable of (features, labels), called once for each
            pass, or a list of such pairs. An iterator that is used up after one pass gives the
            metrics of one pass.
        classes, weights, bias, temperature, scatter: as for `Accumulator`.
        missing: as for `measure`.
        passes: 1 reads the batches once, for the metrics of one pass; the others are `undefined`.

    Returns:
        `Measurement`, as from `measure`.

    Raises:
        InputError: what `measure` refuses; batches that differ between the passes.

    >>> batches = [([[2.0], [1.0]], [0, 0]), ([[-2.0], [-1.0]], [1, 1])]
    >>> measure_batches(batches, classes=2).metrics["ncc.error"]
    0.0
    """
    if passes not in (1, 2):
        raise InputError("passes", passes, "1 or 2")
    accumulator = Accumulator(classes, weights, bias, temperature, scatter=scatter)
    fresh = batches if callable(batches) else lambda: batches
    once = fresh()
    for features, labels in once:
        accumulator.update(features, labels)
    if passes == 2 and (callable(batches) or iter(once) is not once):
        accumulator.next_pass()
        for features, labels in fresh():
            accumulator.update(features, labels)
    return accumulator.compute(missing)


def measure(
    features: object,
    labels: object,
    weights: object = None,
    bias: object = None,
    *,
    temperature: float = 1.0,
    missing: Missing = "refuse",
) -> Measurement:
    """All neural-collapse metrics of features, labels and, if given, the last layer.

    Each metric's formula and source are in `METRICS`. Computed in float64 whatever the input,
    from centred second moments, a block of samples at a time: no float64 copy of the features.

    Parameters:
        features: (n, d) array or tensor of any real type, of classes of any sizes in any order; or
            left in a file (`read_features(path, leave_features=True)`) and read in chunks.
        labels: (n,) integers. Without weights any integers name the classes; with weights the
            label is the row of the weights.
        weights: (K, d) weights of the last layer.
        bias: (K,) bias of the last layer.
        temperature: of `loss.cross_entropy.spherical`, from 1e-6 to 1e6; no other metric uses it.
        missing: what becomes of rows of the weights without samples. ``"refuse"``: an error;
            ``"leave out"``: they take no part in what compares rows with class means, and K is the
            number of the others; metrics of the weights alone, losses and predictions use all rows.

    Returns:
        `Measurement` with n, d, K and the metrics. Those that need weights are absent without
        weights; those that do not exist for the input are named in `undefined` with the reason.

    Raises:
        InputError: empty, not finite or misshapen input, fewer than two classes, labels that are
            not integers or not rows of the weights, a row of the weights without any sample that
            is not left out, a temperature outside its range.

    Source: review eq. 4-9 and 51, bnwd Sec. 2, gnc Sec. 2.2.

    >>> result = measure([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]], [0, 0, 1, 1])
    >>> result.metrics["cdnv.mean"], result.metrics["nc2.etf"]
    (0.0625, 0.0)
    """
    check_temperature(temperature)
    check_missing(missing)
    samples = admit(features, labels, weights, bias, every_row=missing == "refuse")
    accumulator = Accumulator(samples.K, samples.weights, samples.bias, temperature)
    for number in (1, 2):
        if number == 2:
            accumulator.next_pass()
        for h, index in samples.batches(_BATCH):
            accumulator._add(h, index, samples.largest)
    return accumulator.compute(missing)
