"""Effective depth of a torch network: the first layer whose features have nearest class means.

A layer is a module with a weight matrix (Linear, Conv) and all that follows up to the next one:
its features are what the next such module is given, flattened, and those of the last are the
output of the network. That needs no chain: activations, normalisations and pooling may be modules
or functions. Modules are told by the order in which they run. Other layers are named by the caller:
their features are what they return.

Samples come in batches and no feature is kept: the first pass over them finds the class means of
all layers, the second measures beside these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ncbounds.codes.margin import host_array
from ncbounds.errors import InputError
from ncbounds.measure.accumulator import Accumulator
from ncbounds.measure.door import Floats, Indices
from ncbounds.measure.metrics import Measurement
from ncbounds.measure.model import Unpack, run_batches, undisturbed
from ncbounds.measure.nearest_mean import NearestMeans, NearestMeanSums
from ncbounds.measure.tap import unwrapped, without_compilation

if TYPE_CHECKING:
    from torch import Tensor, nn

_BATCH = 1024


@dataclass(frozen=True)
class LayerProfile:
    """What each layer does, `layers[0]` the first: nearest class means, and all metrics."""

    layers: tuple[NearestMeans, ...]
    names: tuple[str, ...] = ()
    """Of the modules."""
    measurements: tuple[Measurement, ...] = ()
    """The metrics of the features after each layer that need no weights."""

    def effective_depth(self, epsilon: float = 0.0) -> int:
        """First layer with a training error of at most epsilon; the last where there is none.

        The convention is the review's; `reaches` tells whether there is such a layer.
        """
        return _first([layer.error <= epsilon for layer in self.layers])

    def certified_depth(self, epsilon: float) -> int:
        """First layer whose error is at most epsilon by its variances alone; the last without."""
        return _first([layer.bound <= epsilon for layer in self.layers])

    def reaches(self, epsilon: float = 0.0) -> bool:
        """Whether some layer has a training error of at most epsilon."""
        return any(layer.error <= epsilon for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"layers": [layer.to_dict() for layer in self.layers]}


def _first(good: list[bool]) -> int:
    return good.index(True) + 1 if any(good) else len(good)


def profile_layers(
    module: nn.Module,
    loader: Iterable[Any],
    held_out: Iterable[Any] | None = None,
    *,
    classes: int | None = None,
    layers: Sequence[str] | None = None,
    device: Any = None,
    unpack: Unpack | None = None,
) -> LayerProfile:
    """Measure the features after every layer of a network over a loader, which is read twice.

    Parameters:
        module: the network, in wrappers or not; left in the mode it was in.
        loader: a DataLoader, or a list of batches, as in `measure_model`.
        held_out: another one, whose samples the class means of the first classify.
        classes: their number, that of the network's outputs unless given; labels are 0 .. K-1.
        layers: names of modules whose outputs are measured; otherwise all with a weight matrix.
        device, unpack: as in `measure_model`.

    Returns:
        `LayerProfile`: errors, CDNV and bounds of the nearest class means, and all metrics of
        features; memory is K (K + d) numbers a layer.

    Raises:
        InputError: no layer with weights, one that does not run once, unknown labels, class means
            that coincide at some layer.

    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU(), torch.nn.Linear(1, 2))
    >>> _ = torch.nn.init.ones_(net[0].weight), torch.nn.init.zeros_(net[0].bias)
    >>> batches = [(torch.tensor([[-1.0], [3.0]]), [0, 1]), (torch.tensor([[-2.0], [4.0]]), [0, 1])]
    >>> found = profile_layers(net, batches)
    >>> found.names, found.effective_depth(), found.measurements[0].metrics["nc1.trace"]
    (('0', '2'), 1, 0.04081632653061224)
    """
    network = unwrapped(module)
    with _catching(network, layers) as caught:

        def batches(of: Iterable[Any]) -> Iterator[tuple[dict[str, Tensor], Any, Any]]:
            with undisturbed(network, of):
                for output, labels in run_batches(network, of, device, unpack):
                    yield caught(output), labels, output

        sums: dict[str, Accumulator] = {}
        for features, labels, output in batches(loader):
            K = _classes(output) if classes is None else classes
            for name, h in features.items():
                sums.setdefault(name, Accumulator(K)).update(h, labels)
        for accumulator in sums.values():
            accumulator.next_pass()
        nearest = {name: NearestMeanSums(found.means) for name, found in sums.items()}
        seen = next(iter(sums.values())).seen
        for features, labels, _ in batches(loader):
            index = _indices(labels, seen)
            for name, h in features.items():
                sums[name].update(h, labels)
                nearest[name].add(_host(h), index)
        for features, labels, _ in batches(held_out) if held_out is not None else ():
            index = _indices(labels, seen)
            for name, h in features.items():
                nearest[name].add_held_out(_host(h), index)
    return LayerProfile(
        layers=tuple(found.result() for found in nearest.values()),
        names=tuple(sums),
        measurements=tuple(found.compute("leave out") for found in sums.values()),
    )


def depth_profile(
    module: nn.Module,
    inputs: Tensor,
    labels: object,
    held_out: Tensor | None = None,
    held_out_labels: object = None,
) -> LayerProfile:
    """`profile_layers` of samples in memory, whose labels may be any integers.

    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU(), torch.nn.Linear(1, 2))
    >>> _ = torch.nn.init.ones_(net[0].weight), torch.nn.init.zeros_(net[0].bias)
    >>> inputs = torch.tensor([[-1.0], [-2.0], [3.0], [4.0]])
    >>> depth_profile(net, inputs, [0, 0, 1, 1]).effective_depth()
    1
    """
    names = np.unique(host_array("labels", labels))
    other = None if held_out is None else _batches(held_out, held_out_labels, names)
    own = _batches(inputs, labels, names)
    return profile_layers(module, own, other, classes=len(names))


def layer_features(module: nn.Module, inputs: Tensor, batch: int = _BATCH) -> list[Floats]:
    """Features after every layer, (n, d_l) in float64, of a torch module in evaluation mode.

    The module is left in the mode it was in. Raises InputError when it has no layer with a weight
    matrix, or runs one of them twice.
    """
    network = unwrapped(module)
    with _catching(network, None) as caught, undisturbed(network):
        batches = _batches(inputs, np.zeros(len(inputs), dtype=np.int64), np.zeros(1), batch)
        found = [
            [_host(h) for h in caught(output).values()]
            for output, _ in run_batches(network, batches)
        ]
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


@contextmanager
def _catching(
    module: Any, layers: Sequence[str] | None
) -> Iterator[Callable[[Any], dict[str, Tensor]]]:
    """A function that gives the features by layer, flattened, of the call with that output."""
    import torch

    modules = dict(module.named_modules())
    if layers is None:
        hooked = [
            name
            for name, part in modules.items()
            if isinstance(weight := getattr(part, "weight", None), torch.Tensor)
            and weight.ndim >= 2
        ]
    else:
        hooked = list(layers)
        if unknown := [name for name in hooked if name not in modules]:
            raise InputError("layers", repr(unknown[0]), "the name of a module")
    seen: list[tuple[str, Any]] = []

    def caught(output: Any) -> dict[str, Tensor]:
        names = [name for name, _ in seen]
        if sorted(names) != sorted(hooked) or not hooked:
            odd = [repr(name) for name in hooked if names.count(name) != 1]
            ran = f"{len(names)} runs of {len(hooked)} layers with weights"
            ran += f", not one of {', '.join(odd[:8])}" if odd else ""
            remedy = "choose layers that do: layers=[NAME, ...]" if odd else ""
            raise InputError("module", ran, "layers with weights that run once each", remedy)
        # Without names, a layer ends where the next one begins.
        ends = [*(x for _, x in seen[1:]), output] if layers is None else [x for _, x in seen]
        seen.clear()
        for x in ends:
            if not isinstance(x, torch.Tensor):
                domain = "tensors between layers and as output"
                remedy = "choose modules that return tensors: layers=[NAME, ...]"
                raise InputError("module", f"{type(x).__name__} of features", domain, remedy)
        return {name: x.detach().flatten(1) for name, x in zip(names, ends, strict=True)}

    with ExitStack() as open_hooks:
        open_hooks.enter_context(without_compilation())
        for name in hooked:
            if layers is None:
                handle = modules[name].register_forward_pre_hook(
                    lambda _, given, name=name: seen.append((name, given[0]))
                )
            else:
                handle = modules[name].register_forward_hook(
                    lambda _, __, found, name=name: seen.append((name, found))
                )
            open_hooks.callback(handle.remove)
        yield caught


def _classes(output: Any) -> int:
    if getattr(output, "ndim", 0) == 2 and output.shape[1] > 1:
        return int(output.shape[1])
    raise InputError("classes", "missing", "given for a network that does not return (n, K) logits")


def _batches(
    inputs: Tensor, labels: object, names: Any, batch: int = _BATCH
) -> list[tuple[Tensor, Any]]:
    """Batches of samples in memory, with labels numbered as they stand in `names`."""
    y = host_array("labels", labels)
    if len(inputs) < 1:
        raise InputError("inputs", f"shape {tuple(inputs.shape)}", "at least one input")
    if y.shape != (len(inputs),):
        raise InputError("labels", f"array of shape {y.shape}", f"({len(inputs)},)")
    index = _indices(y, names)
    rows = (slice(start, start + batch) for start in range(0, len(inputs), batch))
    return [(inputs[part], index[part]) for part in rows]


def _indices(labels: object, names: Any) -> Indices:
    """Where labels stand among sorted names. Raises InputError for one that does not."""
    y = host_array("labels", labels)
    found = np.minimum(np.searchsorted(names, y), len(names) - 1)
    if (names[found] != y).any():
        raise InputError("labels", f"{y[names[found] != y][0]}", "those of the training samples")
    return found.astype(np.int64)


def _host(h: Tensor) -> Floats:
    return host_array("features", h).astype(np.float64)
