"""Measure samples that come in batches, in two passes at most, in any number of processes.

`Accumulator` holds sums over samples by class, O(K d) of them however many samples there are;
`measure_batches` drives one over batches that can be read twice, `measure` over arrays in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ncbounds.errors import InputError
from ncbounds.measure.door import (
    Floats,
    Indices,
    admit,
    admit_batch,
    admit_layer,
    check_temperature,
)
from ncbounds.measure.metrics import Measurement, evaluate
from ncbounds.measure.moments import (
    ClassMeans,
    FirstPass,
    Frame,
    Layer,
    SecondPass,
    add_to_first,
    add_to_second,
    frame_of,
    means_of,
    merge_first,
    merge_second,
)

Missing = Literal["refuse", "leave out"]
Batches = Callable[[], Iterable[tuple[object, object]]] | Iterable[tuple[object, object]]
_BLOCK_ENTRIES = 2**18


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

    Raises:
        InputError: neither classes nor weights, or not as `measure` asks for.

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
    ) -> None:
        check_temperature(temperature)
        W, b = admit_layer(weights, bias)
        if classes is None and W is None:
            raise InputError("classes", "missing", "given where weights are not")
        if classes is not None and (classes < 2 or (W is not None and classes != len(W))):
            domain = "at least 2" if W is None else f"{len(W)}, the rows of the weights"
            raise InputError("classes", classes, domain)
        self.classes = int(classes) if classes is not None else len(W)  # type: ignore[arg-type]
        self._layer = None if W is None or b is None else Layer(W, b, float(temperature))
        self._first: FirstPass | None = None
        if dimension is not None:
            self._first = FirstPass.empty(self.classes, dimension)
        self._second: SecondPass | None = None
        self._frame: Frame | None = None
        self._rows: Indices = np.arange(self.classes)
        """The classes that have samples, once the first pass is over."""

    @property
    def passes(self) -> int:
        """The pass that `update` adds to: 1 or 2."""
        return 1 if self._second is None else 2

    @property
    def seen(self) -> Indices:
        """The classes that have samples in the first pass, in order."""
        self._seen()
        return self._rows

    @property
    def means(self) -> ClassMeans:
        """Means of the classes `seen`."""
        return self._seen()[1]

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
        h, index = admit_batch(features, labels, self.classes, d)
        if self._first is None:
            self._first = FirstPass.empty(self.classes, h.shape[1])
        order = np.argsort(index, kind="stable")
        step = max(64, _BLOCK_ENTRIES // (h.shape[1] + self.classes))
        for start in range(0, len(order), step):
            chosen = order[start : start + step]
            self._add(h[chosen].astype(np.float64), index[chosen])

    def _add(self, h: Floats, index: Indices) -> None:
        if self._second is None or self._frame is None:
            assert self._first is not None
            add_to_first(self._first, h, index, self._layer)
            return
        place = np.searchsorted(self._rows, index)
        place[place == len(self._rows)] = 0
        if (self._rows[place] != index).any():
            raise InputError("labels", "of a class without samples in the first pass", "the same")
        add_to_second(self._second, h, place, self._rows, self._frame, self._layer)

    def merge(self, other: Accumulator) -> Accumulator:
        """Return an accumulator of the samples of both, which stay as they are.

        Raises:
            InputError: the other has another number of classes, last layer or pass, or in the
                second pass other class means.
        """
        self._check_mergeable(other)
        merged = self._alike()
        firsts = [a._first for a in (self, other) if a._first is not None]
        if self._second is None or other._second is None:
            merged._first = firsts[0] if len(firsts) == 1 else None
            if len(firsts) == 2:
                merged._first = merge_first(*firsts)
            return merged
        merged._first, merged._frame, merged._rows = self._first, self._frame, self._rows
        merged._second = merge_second(self._second, other._second)
        return merged

    def _alike(self) -> Accumulator:
        layer = self._layer
        if layer is None:
            return Accumulator(self.classes)
        return Accumulator(self.classes, layer.weights, layer.bias, layer.temperature)

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

        Processes that share the samples merge their first passes before.

        Raises:
            InputError: the first pass is over already, or has seen fewer than two classes.
        """
        if self._second is not None:
            raise InputError("pass", 2, "1: there is no third pass")
        first, means = self._seen()
        self._frame = frame_of(means, first.counts)
        self._second = SecondPass.empty(*first.anchors.shape)

    def _seen(self) -> tuple[FirstPass, ClassMeans]:
        """The sums of the classes that have samples, and their means."""
        first = self._first
        if first is None or (first.counts > 0).sum() < 2:
            raise InputError(
                "labels", "of fewer than two classes so far", "of two classes at least"
            )
        self._rows = np.flatnonzero(first.counts)
        if len(self._rows) < self.classes:
            kept = {f.name: getattr(first, f.name) for f in fields(FirstPass)}
            first = FirstPass(
                **{k: v if v.shape == (1,) else v[self._rows] for k, v in kept.items()}
            )
        return first, means_of(first.counts, first.anchors, first.sums, first.squares)

    def compute(self, missing: Missing = "refuse") -> Measurement:
        """Return the metrics of the samples so far; what needs another pass is in `undefined`.

        Parameters:
            missing: what becomes of classes without samples: an error, or they are left out, as in
                `measure`.

        Raises:
            InputError: fewer than two classes have samples, a class has none and is not left out,
                or the second pass has not seen the samples of the first.
        """
        first, means = self._seen()
        if len(self._rows) < self.classes:
            _refuse_missing(missing, self.classes, self._rows)
        second = None
        if self._second is not None and self._frame is not None:
            if not np.array_equal(self._second.counts, first.counts):
                shown = f"{self._second.counts.sum()} in the second pass"
                raise InputError("samples", shown, f"the {first.counts.sum()} of the first pass")
            second = self._second, self._frame
        return evaluate(first, means, second, self._layer, self._rows)

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
        from safetensors.numpy import save

        arrays: dict[str, NDArray[Any]] = {"classes": np.array([self.classes])}
        if self._layer is not None:
            arrays |= {"layer.weights": self._layer.weights, "layer.bias": self._layer.bias}
            arrays["layer.temperature"] = np.array([self._layer.temperature])
        for name, sums in (("first", self._first), ("second", self._second)):
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
            found = cls(
                int(arrays["classes"][0]),
                arrays.get("layer.weights"),
                arrays.get("layer.bias"),
                float(arrays.get("layer.temperature", np.ones(1))[0]),
            )
            if "first.counts" in arrays:
                found._first = FirstPass(**_part(arrays, "first", FirstPass))
            if "second.counts" in arrays:
                found.next_pass()
                found._second = SecondPass(**_part(arrays, "second", SecondPass))
        except (SafetensorError, KeyError, IndexError, TypeError) as error:
            raise InputError("content", "other", "what Accumulator.to_bytes gave") from error
        return found


def _part(arrays: dict[str, NDArray[Any]], name: str, kind: type) -> dict[str, Any]:
    return {f.name: arrays[f"{name}.{f.name}"] for f in fields(kind)}


def _refuse_missing(missing: str, K: int, seen: Indices) -> None:
    if missing not in ("refuse", "leave out"):
        raise InputError("missing", repr(missing), "'refuse' or 'leave out'")
    if missing == "refuse":
        absent = int(np.setdiff1d(np.arange(K), seen)[0])
        domain = f"at least one sample for each of the {K} classes"
        remedy = "or missing='leave out'"
        raise InputError("labels", f"no sample of class {absent}", domain, remedy)


def measure_batches(
    batches: Batches,
    classes: int | None = None,
    weights: object = None,
    bias: object = None,
    *,
    temperature: float = 1.0,
    missing: Missing = "refuse",
) -> Measurement:
    """All metrics of samples that come in batches, read twice, in the memory of the class means.

    Parameters:
        batches: a callable that gives a fresh iterable of (features, labels), called once for each
            pass, or a list of such pairs. An iterator that is used up after one pass gives the
            metrics of one pass.
        classes, weights, bias, temperature: as for `Accumulator`.
        missing: as for `measure`.

    Returns:
        `Measurement`, as from `measure`.

    Raises:
        InputError: what `measure` refuses; batches that differ between the passes.

    >>> batches = [([[2.0], [1.0]], [0, 0]), ([[-2.0], [-1.0]], [1, 1])]
    >>> measure_batches(batches, classes=2).metrics["ncc.error"]
    0.0
    """
    accumulator = Accumulator(classes, weights, bias, temperature)
    fresh = batches if callable(batches) else lambda: batches
    once = fresh()
    for features, labels in once:
        accumulator.update(features, labels)
    if callable(batches) or iter(once) is not once:
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
        features: (n, d) array or tensor of any real type, of classes of any sizes in any order.
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
    samples = admit(features, labels, weights, bias, every_row=missing == "refuse")
    K = samples.K if samples.weights is None else len(samples.weights)
    accumulator = Accumulator(K, samples.weights, samples.bias, temperature)
    accumulator._first = FirstPass.empty(K, samples.d)
    for _ in range(2):
        for h, index in samples.blocks():
            accumulator._add(h, index)
        if accumulator.passes == 1:
            accumulator.next_pass()
    return accumulator.compute(missing)
