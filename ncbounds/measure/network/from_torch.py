"""Read the layers of a torch module: a chain of convolutions, ReLUs, average poolings and Linears.

A module is traced symbolically (`torch.fx`), so that a forward method of one's own is read too, as
long as every step has one input and one reader. What the bounds do not speak of is refused by name:

- a bias that is not zero: the classes of the paper have none, and are homogeneous because of it;
- batch normalisation: folded into the weights it leaves a bias;
- max pooling: contraction, on which every bound here rests, is for functions of one real number;
- other activations, branches, skip connections, padding with anything but zeros.

Dropout is taken as in evaluation, the identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ncbounds.errors import InputError
from ncbounds.measure.network.layers import Floats, Layer, Network, patch_table

if TYPE_CHECKING:
    from torch import nn

_REFUSED = {
    "BatchNorm": "fold it into the weights; if that leaves a bias no bound here applies",
    "InstanceNorm": "no bound here speaks of normalisation by the input",
    "LayerNorm": "no bound here speaks of normalisation by the input",
    "GroupNorm": "no bound here speaks of normalisation by the input",
    "MaxPool": "use average pooling or a stride: a maximum of several units is not contracted",
    "AdaptiveMaxPool": "use average pooling or a stride: a maximum of units is not contracted",
}
_IDENTITIES = ("Identity", "Dropout", "Dropout1d", "Dropout2d", "AlphaDropout")


def network_of(module: nn.Module, input_shape: Sequence[int]) -> Network:
    """Read a torch module whose inputs have the shape `input_shape`, without the batch.

    `input_shape` is (d,) for vectors, (channels, length) for signals and (channels, height, width)
    for images. Weights are taken as they are, in float64; groups of channels become blocks of
    zeros. Raises InputError, naming the layer, for whatever is not a chain of Linear, Conv1d,
    Conv2d, ReLU, AvgPool1d, AvgPool2d, AdaptiveAvgPool of size 1, Flatten and Dropout without
    biases that ends in a layer without ReLU and sees its whole input.

    >>> import torch
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Conv1d(1, 1, 2, stride=2, bias=False),
    ...     torch.nn.ReLU(),
    ...     torch.nn.Flatten(),
    ...     torch.nn.Linear(2, 1, bias=False),
    ... )
    >>> found = network_of(net, (1, 4))
    >>> found.depth, [layer.nodes for layer in found.layers], found.branches
    (2, [2, 1], 2)
    """
    shape = tuple(int(size) for size in input_shape)
    if not 1 <= len(shape) <= 3 or min(shape) < 1:
        raise InputError("input_shape", shape, "(d,), (channels, length) or (channels, h, w)")
    reader = _Reader(shape)
    for name, step in _chain(module):
        reader.read(name, step)
    return Network(reader.finish(), shape)


class _Reader:
    """The layers read so far, and the shape of the values behind them."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.layers: list[Layer] = []
        vector = len(shape) == 1
        self.channels = shape[0]
        self.sizes: tuple[int, ...] = () if vector else shape[1:]
        self.flat = vector

    def read(self, name: str, step: Any) -> None:
        """Take one step of the chain: a module, or the name of a function."""
        kind = step if isinstance(step, str) else type(step).__name__
        for start, remedy in _REFUSED.items():
            if kind.startswith(start):
                raise _refused(name, kind, remedy)
        if kind in ("Conv1d", "Conv2d"):
            self._convolution(name, kind, step)
        elif kind == "Linear":
            self._linear(name, step)
        elif kind in ("ReLU", "relu"):
            self._relu(name)
        elif kind in ("AvgPool1d", "AvgPool2d"):
            self._pool(name, kind, step)
        elif kind in ("AdaptiveAvgPool1d", "AdaptiveAvgPool2d"):
            if set(_tuple(step.output_size, len(self.sizes))) != {1}:
                raise _refused(name, kind, "only an average of all positions (size 1) is read")
            self._average(name, kind, self.sizes, self.sizes, (0,) * len(self.sizes))
        elif kind in ("Flatten", "flatten"):
            self.flat = True
        elif kind not in _IDENTITIES:
            raise _refused(name, kind, "no bound here speaks of it")

    def finish(self) -> tuple[Layer, ...]:
        """All layers. Raises InputError unless the last is linear and sees everything."""
        if not self.layers or not self.layers[-1].learned:
            raise InputError("module", "no layer with weights at the end", "ending in weights")
        last = self.layers[-1]
        if last.relu:
            raise _refused(last.name, "ReLU", "the last layer must be linear")
        if last.nodes != 1:
            domain = "one at the output, a dense layer or a convolution over all that is left"
            raise InputError(f"module.{last.name}", f"{last.nodes} positions", domain)
        return tuple(self.layers)

    @property
    def _positions(self) -> int:
        return prod(self.sizes)

    def _convolution(self, name: str, kind: str, conv: Any) -> None:
        if self.flat or len(self.sizes) != int(kind[4]):
            raise _refused(name, kind, f"its input has {len(self.sizes)} axes of positions")
        if conv.padding_mode != "zeros":
            raise _refused(name, f"padding {conv.padding_mode!r}", "only zeros are read")
        weight = _weights(name, conv)
        c_out, c_in, groups = len(weight), weight.shape[1], conv.groups
        if c_in * groups != self.channels:
            raise _refused(name, kind, f"it reads {c_in * groups} channels of {self.channels}")
        axes = len(self.sizes)
        kernel, dilation = _tuple(conv.kernel_size, axes), _tuple(conv.dilation, axes)
        padding = _padding(conv.padding, kernel, dilation)
        taps, sizes = patch_table(self.sizes, kernel, _tuple(conv.stride, axes), padding, dilation)
        flat = weight.reshape(c_out, c_in, -1).swapaxes(1, 2)
        full = np.zeros((c_out, flat.shape[1], self.channels))
        for group in range(groups):
            rows = slice(group * c_out // groups, (group + 1) * c_out // groups)
            full[rows, :, group * c_in : (group + 1) * c_in] = flat[rows]
        detail = f"{'x'.join(map(str, kernel))} stride {_shown(conv.stride)}"
        detail += f" padding {_shown(conv.padding)}" if any(map(sum, padding)) else ""
        detail += f" dilation {_shown(conv.dilation)}" if max(dilation) > 1 else ""
        detail += f" groups {groups}" if groups > 1 else ""
        self._add(Layer(name, "convolution", full, taps, self._positions, False, detail))
        self.channels, self.sizes = c_out, sizes

    def _linear(self, name: str, linear: Any) -> None:
        weight = _weights(name, linear)
        if not self.flat and self.sizes:
            raise _refused(name, "Linear", "flatten what a convolution computes first")
        positions, c_out = self._positions, len(weight)
        if weight.shape[1] != positions * self.channels:
            read = f"it reads {weight.shape[1]} of {positions * self.channels} numbers"
            raise _refused(name, "Linear", read)
        # torch flattens channels first; here positions come first.
        split = weight.reshape(c_out, self.channels, positions).swapaxes(1, 2)
        taps = np.arange(positions)[None, :]
        self._add(Layer(name, "dense", split, taps, positions, False))
        self.channels, self.sizes, self.flat = c_out, (), True

    def _pool(self, name: str, kind: str, pool: Any) -> None:
        axes = len(self.sizes)
        kernel, padding = _tuple(pool.kernel_size, axes), _tuple(pool.padding, axes)
        counts = getattr(pool, "count_include_pad", True) or not any(padding)
        if pool.ceil_mode or not counts or getattr(pool, "divisor_override", None):
            raise _refused(name, kind, "only averages of whole windows are read")
        self._average(name, kind, kernel, _tuple(pool.stride, axes), padding)

    def _average(
        self,
        name: str,
        kind: str,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
    ) -> None:
        if self.flat or not self.sizes:
            raise _refused(name, kind, "its input has no positions")
        both = tuple((p, p) for p in padding)
        taps, sizes = patch_table(self.sizes, kernel, stride, both, (1,) * len(kernel))
        detail = f"{'x'.join(map(str, kernel))} stride {'x'.join(map(str, stride))}"
        self._add(Layer(name, "average pooling", None, taps, self._positions, False, detail))
        self.sizes = sizes

    def _relu(self, name: str) -> None:
        if not self.layers:
            raise _refused(name, "ReLU", "a layer with weights must come first")
        if not self.layers[-1].learned:
            raise _refused(name, "ReLU", "put it before the average pooling")
        self.layers[-1] = replace(self.layers[-1], relu=True)

    def _add(self, layer: Layer) -> None:
        self.layers.append(layer)


def _chain(module: Any) -> list[tuple[str, Any]]:
    """The steps of a module in order: (name, module) or (name, function's name)."""
    import torch
    from torch import fx

    if not isinstance(module, torch.nn.Module):
        raise InputError("module", type(module).__name__, "a torch.nn.Module")
    try:
        graph = fx.Tracer().trace(module)
    except Exception as error:  # tracing runs the caller's code, which may fail in any way
        reason = " ".join(str(error).split())[:120]
        raise InputError(
            "module", type(module).__name__, "a plain chain of layers", reason
        ) from None
    modules = dict(module.named_modules())
    steps: list[tuple[str, Any]] = []
    for node in graph.nodes:
        if node.op in ("placeholder", "output"):
            continue
        if node.op == "get_attr" or len(node.users) != 1 or len(node.all_input_nodes) != 1:
            raise _refused(node.name, "a branch", "layers must form a chain")
        if node.op == "call_module":
            steps.append((str(node.target), modules[str(node.target)]))
        else:
            target = node.target if isinstance(node.target, str) else node.target.__name__
            flattens = target in ("view", "reshape") and node.args[-1] == -1
            steps.append((node.name, "flatten" if flattens else target.rstrip("_")))
    return steps


def _weights(name: str, layer: Any) -> Floats:
    bias = layer.bias
    if bias is not None and bool((bias != 0).any()):
        raise _refused(name, "a bias", "the bounds speak of networks without: use bias=False")
    weight: Floats = layer.weight.detach().cpu().double().numpy()
    if not np.isfinite(weight).all():
        raise InputError(f"module.{name}.weight", "NaN or infinity", "finite everywhere")
    return weight


def _refused(name: str, what: str, why: str) -> InputError:
    return InputError(f"module.{name}", what, "part of a network that the bounds speak of", why)


def _tuple(value: Any, axes: int) -> tuple[int, ...]:
    return (int(value),) * axes if isinstance(value, int) else tuple(int(v) for v in value)


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, (int, str)) else "x".join(map(str, value))


def _padding(
    padding: Any, kernel: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """Zeros before and after on each axis; torch puts the odd one of "same" behind."""
    if padding == "same":
        whole = [gap * (k - 1) for k, gap in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in whole)
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    return tuple((p, p) for p in _tuple(padding, len(kernel)))
