"""What the last linear layer of a torch network is given, caught while the network runs.

The head is the linear layer, a Linear or a convolution of kernel 1, whose output the network
returns, as it is or through a softmax, a sigmoid or a mean over positions: told by what runs and by
its values, not by the order or the names of the modules. Wrappers (DataParallel and its kin,
`torch.compile`) are looked through.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.measure.accumulator import Accumulator
from ncbounds.measure.door import Missing

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ncbounds.measure.metrics import Measurement


#: What a network returned that was not called as a whole, but part by part.
_NOT_CALLED = object()


@dataclass(frozen=True, eq=False)
class _Run:
    """One linear layer as it ran: classes or channels are the last axis."""

    name: str
    layer: Any
    given: Tensor
    found: Tensor


class FeatureTap:
    """Stream what the last linear layer of a network is given into an `Accumulator`.

    Inside the context each call of the network leaves the features of its batch, and `update` adds
    them with the labels of that batch. The weights are those of the layer at the first update: tap
    a network that stands still. `measure_model` runs the loop for a whole loader.

    Parameters:
        module: the network, wrapped or not; called by you.
        head: name of the layer, as in `module.named_modules()`, where it cannot be told or
            where another is meant: any module of one input with weights (K, d).
        temperature: of `loss.cross_entropy.spherical`.
        scatter: True for NC1 in one pass, or the counts of the classes, as in `Accumulator`.
        ignore: samples with this label are left out, as in `torch.nn.functional.cross_entropy`.

    Labels are (n,), or have the shape of the positions of the features: (n, T) for the tokens of a
    sequence, (n, H, W) for the pixels of an image; each position is a sample then. Where labels are
    (n,) and features have positions, features are their means over the positions.

    Raises:
        InputError: no module, no linear layer whose output the network returns or several of them,
            one that ran more than once, labels that do not fit.

    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2, 2, bias=False))
    >>> _ = net[1].weight.data.copy_(torch.eye(2))
    >>> with FeatureTap(net) as tap:
    ...     for x, y in [([[1.0, 0.0]], [0]), ([[0.0, 1.0]], [1])]:
    ...         _ = net(torch.tensor(x))
    ...         tap.update(torch.tensor(y))
    >>> tap.head, tap.compute().metrics["accuracy"]
    ('1', 1.0)
    """

    def __init__(
        self,
        module: nn.Module,
        head: str | None = None,
        *,
        temperature: float = 1.0,
        scatter: object = False,
        ignore: int | None = None,
    ) -> None:
        self.module = unwrapped(module)
        """The network inside its wrappers."""
        self._layers = _candidates(self.module, head)
        self._named = head is not None
        self._runs: list[_Run] = []
        self._output: Any = _NOT_CALLED
        self._open = ExitStack()
        self._options: dict[str, Any] = {"temperature": temperature, "scatter": scatter}
        self._ignore = ignore
        self._accumulator: Accumulator | None = None

    def __enter__(self) -> FeatureTap:
        self._open.enter_context(without_compilation())
        self._hook(self.module.register_forward_pre_hook(self._start))
        self._hook(self.module.register_forward_hook(self._end))
        for name, layer in self._layers.items():
            self._hook(layer.register_forward_hook(self._recorder(name), with_kwargs=True))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._runs, self._output = [], _NOT_CALLED

    @property
    def head(self) -> str:
        """The name of the layer; it is told by the first call of the network."""
        if not self._named:
            found = _head_of(self._runs, self._output, list(self._layers))
            self._named, self._output = True, _NOT_CALLED
            self._layers = {found: self._layers[found]}
            self._runs = [run for run in self._runs if run.name == found]
        return next(iter(self._layers))

    @property
    def weights(self) -> Tensor:
        """The weights of the head, (K, d)."""
        weight: Tensor = self._layers[self.head].weight.detach()
        return weight.reshape(weight.shape[:2])

    @property
    def bias(self) -> Tensor | None:
        """The bias of the head, (K,)."""
        bias = getattr(self._layers[self.head], "bias", None)
        return None if bias is None else bias.detach()

    @property
    def features(self) -> Tensor:
        """What the head was given by the last call of the network: (n, d), or (n, ..., d)."""
        head = self.head
        if len(self._runs) != 1:
            shown = f"ran {len(self._runs)} times since the last update"
            remedy = "call the network once, inside the context, before each update"
            raise InputError(f"module.{head}", shown, "run once", remedy)
        given = self._runs[0].given
        if not given.is_floating_point():
            shown = f"{head!r}, which is given {given.dtype}"
            remedy = "where the logits are made by a function, give features to measure_batches"
            raise InputError("head", shown, "a layer that is given features", remedy)
        return given

    @property
    def accumulator(self) -> Accumulator:
        """Where features and labels go."""
        if self._accumulator is None:
            self._accumulator = Accumulator(weights=self.weights, bias=self.bias, **self._options)
        return self._accumulator

    def samples(self, labels: Any) -> tuple[Tensor, Tensor]:
        """Features (m, d) of the last call beside its labels (m,), those to ignore left out."""
        import torch

        h = self.features
        try:
            y = torch.as_tensor(labels).to(h.device)
        except (TypeError, ValueError):
            shown = f"{type(labels).__name__} that is no tensor"
            raise InputError("labels", shown, "a tensor of integers, or what makes one") from None
        positions = tuple(h.shape[:-1])
        if y.shape == positions[:1] and len(positions) > 1:
            h, positions = h.flatten(1, -2).mean(1), positions[:1]
        if tuple(y.shape) != positions:
            shapes = " or ".join(map(str, dict.fromkeys((positions[:1], positions))))
            domain = f"{shapes}, as the features of the last batch"
            remedy = "one-hot rows are labels.argmax(-1), a column is labels.squeeze(-1)"
            raise InputError("labels", f"shape {tuple(y.shape)}", domain, remedy)
        h, y = h.reshape(-1, h.shape[-1]), y.reshape(-1)
        if self._ignore is None:
            return h, y
        kept = y != self._ignore
        return h[kept], y[kept]

    def update(self, labels: Any) -> None:
        """Add the features of the last call of the network with these labels."""
        h, y = self.samples(labels)
        self.accumulator.update(h, y)
        self._runs = []

    def next_pass(self) -> None:
        """Fix the class means: the same samples follow once more, for metrics of two passes."""
        self.accumulator.next_pass()

    def compute(self, missing: Missing = "refuse") -> Measurement:
        """All metrics of the passes made; `missing` as in `ncbounds.measure`."""
        return self.accumulator.compute(missing)

    def _hook(self, handle: Any) -> None:
        self._open.callback(handle.remove)

    def _start(self, *_: Any) -> None:
        self._runs = []

    def _end(self, _module: Any, _given: Any, output: Any) -> None:
        self._output = _NOT_CALLED if self._named else output

    def _recorder(self, name: str) -> Any:
        def record(layer: Any, args: Any, kwargs: Any, found: Any) -> None:
            if name in self._layers:
                given = (args[0] if args else next(iter(kwargs.values()))).detach()
                found = found.detach()
                if _is_convolution(layer):
                    given, found = given.movedim(1, -1), found.movedim(1, -1)
                self._runs.append(_Run(name, layer, given, found))

        return record


def unwrapped(module: Any) -> Any:
    """The network inside its wrappers. Raises InputError for what is no torch module."""
    torch = _torch()
    if not isinstance(module, torch.nn.Module):
        raise InputError("module", type(module).__name__, "a torch.nn.Module")
    if isinstance(module, torch.jit.ScriptModule):
        remedy = "give the module that it was made from: TorchScript lets nobody look inside"
        raise InputError("module", type(module).__name__, "a torch.nn.Module in Python", remedy)
    parallel = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
    while True:
        if isinstance(module, parallel):
            module = module.module
        elif (inner := getattr(module, "_orig_mod", None)) is not None:
            module = inner
        else:
            return module


def without_compilation() -> AbstractContextManager[None]:
    """A context in which compiled modules run as written: compiled code calls no new hooks."""
    torch = _torch()
    # Where nothing was compiled the compiler has not been imported, which takes seconds.
    compiled = "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance")
    return torch.compiler.set_stance("force_eager") if compiled else nullcontext()


def _candidates(module: Any, head: str | None) -> dict[str, Any]:
    """The linear layers by name, or the one that is named."""
    torch = _torch()
    modules = dict(module.named_modules())
    if head is not None:
        if head not in modules:
            raise InputError("head", repr(head), "the name of a module", _listed(list(modules)))
        weight = getattr(modules[head], "weight", None)
        if not isinstance(weight, torch.Tensor) or weight.ndim < 2 or weight.shape[2:].numel() != 1:
            raise InputError("head", repr(head), "a module with weights (K, d)")
        return {head: modules[head]}
    found = {
        name: layer
        for name, layer in modules.items()
        if isinstance(layer, torch.nn.Linear)
        or (_is_convolution(layer) and set(layer.kernel_size) == {1} and layer.groups == 1)
    }
    if not found:
        raise InputError(
            "module", type(module).__name__, "a network with a Linear layer or a convolution of "
            "kernel 1", "name the last layer: head=NAME",
        )  # fmt: skip
    return found


def _is_convolution(layer: Any) -> bool:
    torch = _torch()
    return isinstance(layer, (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d))


def _head_of(runs: list[_Run], output: Any, known: list[str]) -> str:
    """The name of the one layer whose output the network returns."""
    if not runs:
        raise InputError(
            "module", "no linear layer ran", "called inside the context before `update`",
            _listed(known),
        )  # fmt: skip
    if output is _NOT_CALLED:
        return runs[-1].name  # whoever calls the parts of a network calls its head last
    returned = list(_tensors(output))
    names = [run.name for run in runs if any(_explains(run.found, z) for z in returned)]
    names = list(dict.fromkeys(names))
    if len(names) == 1:
        return names[0]
    shown = f"returns the outputs of {', '.join(names)}" if names else "returns no layer's output"
    ran = list(dict.fromkeys(run.name for run in runs))
    raise InputError(
        "module", shown, "a network that returns the output of one linear layer",
        f"name the layer that is meant: head=NAME; {_listed(names or ran)}",
    )  # fmt: skip


def _tensors(output: Any) -> Iterator[Tensor]:
    """Tensors of real numbers in what a network returns."""
    torch = _torch()
    if isinstance(output, torch.Tensor):
        if output.is_floating_point():
            yield output.detach()
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from _tensors(value)
    elif isinstance(output, (list, tuple)):
        for value in output:
            yield from _tensors(value)
    elif is_dataclass(output):
        for field in fields(output):
            yield from _tensors(getattr(output, field.name))


def _explains(z: Tensor, returned: Tensor) -> bool:
    """Whether a tensor is the logits (n, ..., K) of a layer, up to what keeps the predictions."""
    torch = _torch()
    # What lies between may have been rounded to the coarser of the two types, not compared in it.
    rounding = 4 * max(torch.finfo(z.dtype).eps, torch.finfo(returned.dtype).eps)
    z, returned = z.float(), returned.float()
    pooled = z.flatten(1, -2).mean(1) if z.ndim > 2 else z
    for logits in (z, pooled):
        for found in (returned, returned.movedim(1, -1) if returned.ndim > 2 else None):
            if found is None or found.shape != logits.shape or not found.numel():
                continue
            forms = (
                logits,
                torch.softmax(logits, -1),
                torch.log_softmax(logits, -1),
                torch.sigmoid(logits),
            )
            for form in forms:
                largest = form.abs().nan_to_num(0, 0).max().item()
                near = (max(1e-3, rounding), max(1e-5, rounding * largest))
                if torch.allclose(found, form, *near, equal_nan=True):
                    return True
    return False


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:12])
    return f"there are {shown}{', ...' if len(names) > 12 else ''}"


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError('torch is missing: pip install "ncbounds[torch]"') from error
    return torch
