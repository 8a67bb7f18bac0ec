"""Measure a torch network over a data loader: every metric in the memory of the class means.

The network runs in evaluation mode without gradients, and is left as it was found: the modes of all
its modules, and the state of every random number generator that a loader may use. So each pass sees
the same samples in the same order, random augmentation included as far as it draws from these
generators, and measuring in the midst of training does not change the training.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ncbounds.errors import InputError
from ncbounds.measure.door import Missing
from ncbounds.measure.tap import FeatureTap

if TYPE_CHECKING:
    from torch import nn

    from ncbounds.measure.metrics import Measurement

#: A batch as the positional and named arguments of the network, and the labels.
Unpack = Callable[[Any], tuple[tuple[Any, ...], Mapping[str, Any], Any]]


def measure_model(
    module: nn.Module,
    loader: Iterable[Any],
    device: Any = None,
    *,
    head: str | None = None,
    temperature: float = 1.0,
    missing: Missing = "refuse",
    ignore: int | None = None,
    unpack: Unpack | None = None,
    passes: Literal[1, 2] = 2,
    scatter: object = False,
    all_processes: bool = False,
) -> Measurement:
    """All metrics of a classifier on the samples of a loader, which is read twice.

    Features are what the last linear layer is given (`FeatureTap` says how it is found); they are
    never kept. The network runs in evaluation mode and is left as it was.

    Parameters:
        module: the network, in wrappers or not.
        loader: a DataLoader, or a list of batches; each batch is (inputs, ..., labels), or a
            mapping with ``labels`` among its names.
        device: where inputs are sent, that of the network's first parameter unless given.
        head: name of the last linear layer where it cannot be told.
        temperature: of `loss.cross_entropy.spherical`.
        missing: what becomes of rows of the weights without samples, as in `ncbounds.measure`.
        ignore: samples with this label are left out.
        unpack: takes another kind of batch apart: positional arguments of the network, named ones,
            labels.
        passes: 1 for the metrics that need one pass only; the others are `undefined` then.
        scatter: True for NC1 in that one pass, where classes are of equal size; the counts of the
            classes, (K,) integers, for NC1 of any. It costs d x d numbers.
        all_processes: merge over all processes of `torch.distributed`, each of which calls this
            with its own share of the samples. Where statistics of batch normalisation differ, those
            of the first process hold, as when `DistributedDataParallel` runs.

    Returns:
        `Measurement`, as from `ncbounds.measure`.

    Raises:
        InputError: no layer that is the head, a loader that is empty or can be read only once, and
            what `ncbounds.measure` refuses.
        MissingDependencyError: without torch.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> net = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.Tanh(), torch.nn.Linear(2, 2))
    >>> batches = [(torch.tensor([[1.0], [-1.0]]), torch.tensor([0, 1]))] * 3
    >>> found = measure_model(net, batches)
    >>> found.n, found.d, found.K, found.metrics["ncc.error"]
    (6, 2, 2, 0.0)
    """
    if passes not in (1, 2):
        raise InputError("passes", passes, "1 or 2")
    with (
        FeatureTap(module, head, temperature=temperature, scatter=scatter, ignore=ignore) as tap,
        _buffers_of_the_first(tap.module) if all_processes else nullcontext(),
    ):
        for number in range(passes):
            if number:
                tap.next_pass()
            with undisturbed(tap.module, loader):
                for _, labels in run_batches(tap.module, loader, device, unpack):
                    tap.update(labels)
            if all_processes and _several_processes():
                tap.accumulator.all_reduce()
        return tap.compute(missing)


def unpack_batch(batch: Any) -> tuple[tuple[Any, ...], Mapping[str, Any], Any]:
    """Arguments of the network and labels: of (inputs, ..., labels), or of a mapping by name.

    >>> unpack_batch(("image", 3))
    (('image',), {}, 3)
    >>> unpack_batch({"pixel_values": "image", "labels": 3})
    ((), {'pixel_values': 'image'}, 3)

    Raises:
        InputError: another kind of batch.
    """
    if isinstance(batch, Mapping):
        names = [name for name in ("labels", "label", "targets", "target") if name in batch]
        if len(names) == 1:
            rest = {name: value for name, value in batch.items() if name != names[0]}
            return (), rest, batch[names[0]]
    elif isinstance(batch, (tuple, list)) and len(batch) >= 2:
        return tuple(batch[:-1]), {}, batch[-1]
    kind = f"{type(batch).__name__} of {', '.join(map(str, batch))}" if isinstance(
        batch, Mapping
    ) else type(batch).__name__  # fmt: skip
    domain = "a pair (inputs, labels), or a mapping with labels among its names"
    raise InputError("batch", kind, domain, "say how to take it apart: unpack=FUNCTION")


def _several_processes() -> bool:
    from torch import distributed

    return distributed.is_available() and distributed.is_initialized()


@contextmanager
def _buffers_of_the_first(module: Any) -> Iterator[None]:
    """The buffers of the first process in all processes; as before afterwards."""
    if not _several_processes():
        yield
        return
    from torch import distributed

    kept = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        for buffer, _ in kept:
            distributed.broadcast(buffer, 0)
        yield
    finally:
        for buffer, value in kept:
            buffer.copy_(value)


@contextmanager
def undisturbed(module: Any, loader: object = None) -> Iterator[None]:
    """Evaluation mode without gradients; modes and random numbers are as before afterwards."""
    import torch

    training = {part: part.training for part in module.modules()}
    kept = [(own, own.get_state()) for own in _generators(loader)]
    python, legacy = random.getstate(), np.random.get_state()
    module.eval()
    try:
        with torch.random.fork_rng(), torch.no_grad():
            yield
    finally:
        for part, mode in training.items():
            part.training = mode
        random.setstate(python)
        np.random.set_state(legacy)
        for own, state in kept:
            own.set_state(state)


def _generators(loader: object) -> list[Any]:
    """The generators of a loader and of its samplers, each once."""
    import torch

    parts, found = [loader], []
    for part in parts:  # it grows: a batch sampler has a sampler of its own
        found.append(getattr(part, "generator", None))
        inner = (getattr(part, name, None) for name in ("sampler", "batch_sampler"))
        parts += [one for one in inner if one is not None and all(one is not p for p in parts)]
    return list({id(one): one for one in found if isinstance(one, torch.Generator)}.values())


def run_batches(
    module: Any, loader: Iterable[Any], device: Any = None, unpack: Unpack | None = None
) -> Iterator[tuple[Any, Any]]:
    """Run a network on each batch of a loader, and give its output and the labels.

    Inputs go to `device`, that of the network's first parameter unless given. Raises InputError for
    a loader that is empty or can be read only once.
    """
    if isinstance(loader, Iterator) or not isinstance(loader, Iterable):
        remedy = "give the DataLoader or a list: each pass reads all samples anew"
        raise InputError("loader", type(loader).__name__, "iterable as often as needed", remedy)
    if device is None:
        device = next((parameter.device for parameter in module.parameters()), None)
    batch = None
    for batch in loader:
        args, kwargs, labels = (unpack or unpack_batch)(batch)
        yield module(*_moved(args, device), **_moved(kwargs, device)), labels
    if batch is None:
        remedy = "one that was read to its end must start anew when it is read again"
        raise InputError("loader", "empty", "at least one batch", remedy)


def _moved(value: Any, device: Any) -> Any:
    """Tensors, in tuples, lists and mappings, on a device."""
    if hasattr(value, "to"):
        return value if device is None else value.to(device, non_blocking=True)
    if isinstance(value, Mapping):
        return {name: _moved(part, device) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        parts = [_moved(part, device) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value
