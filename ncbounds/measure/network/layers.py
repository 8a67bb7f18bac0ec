"""A feed-forward network as bounds see it: layers whose nodes read patches of positions.

A value of the network is an array of positions by channels. A layer is one filter that every node
applies to its own patch, so that all geometry (kernel size, stride, padding, dilation) is one
table, `taps`: row p lists the positions that node p reads, -1 where it reads padding. A dense layer
is one node that reads all positions. What the bounds need follows from the table: how many nodes
read an input position, how many paths lead to it, how often a dense matrix repeats the filter.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod

import numpy as np
import numpy.typing as npt

from ncbounds.errors import InputError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_BLOCK_ENTRIES = 1 << 22


@dataclass(frozen=True, eq=False)
class Layer:
    """One linear map of patches, shared by its nodes, with or without a ReLU behind it.

    `weight` (c_out, k, c_in) acts on k positions of c_in channels; `taps` (nodes, k) are positions
    of the layer below, which has `positions`. Groups of channels are blocks of zeros in `weight`.
    An average pooling has no weight to learn: `weight` is None, and its filter is 1/k in each
    channel.
    """

    name: str
    kind: str
    weight: Floats | None = field(repr=False)
    taps: Indices = field(repr=False)
    positions: int
    relu: bool
    detail: str = ""

    @property
    def learned(self) -> bool:
        """Whether the layer has weights."""
        return self.weight is not None

    @property
    def nodes(self) -> int:
        """Number of patches, and of positions of the output."""
        return len(self.taps)

    @cached_property
    def degree(self) -> int:
        """The most positions inside the input that one node reads."""
        return int((self.taps >= 0).sum(axis=1).max())

    @cached_property
    def overlap(self) -> Indices:
        """How many patches each input position lies in, (positions,)."""
        return np.bincount(self.taps[self.taps >= 0], minlength=self.positions)

    @cached_property
    def filter_norm(self) -> float:
        """The Frobenius norm of the filter; of an average of k positions `1/sqrt(k)`.

        The latter is the operator norm: a fixed linear map needs no more.
        """
        if self.weight is None:
            return float(1 / np.sqrt(self.taps.shape[1]))
        return float(np.sqrt(np.sum(self.weight * self.weight)))

    @cached_property
    def toeplitz_norm(self) -> float:
        """The Frobenius norm of the layer's matrix, which holds the filter once for each node.

        What a node reads from the padding is no entry of the matrix. Of an average pooling it is
        the operator norm again, an upper bound: the largest row sum times the largest column sum.
        """
        if self.weight is None:
            k = self.taps.shape[1]
            rows, columns = self.degree / k, float(self.overlap.max()) / k
            return float(np.sqrt(rows * columns))
        squares = np.sum(self.weight * self.weight, axis=(0, 2))
        return float(np.sqrt(squares @ (self.taps >= 0).sum(axis=0)))

    def toeplitz_matrix(self, channels: int) -> Floats:
        """The matrix of the layer, (nodes * c_out, positions * c_in), positions first."""
        k = self.taps.shape[1]
        average = np.repeat(np.eye(channels)[:, None, :], k, axis=1) / k
        weight = average if self.weight is None else self.weight
        c_out, _, c_in = weight.shape
        matrix = np.zeros((self.nodes, c_out, self.positions, c_in))
        for node, row in enumerate(self.taps):
            for tap, position in enumerate(row):
                if position >= 0:
                    matrix[node, :, position, :] += weight[:, tap, :]
        return matrix.reshape(self.nodes * c_out, self.positions * c_in)

    def apply(self, values: Floats) -> Floats:
        """Send (n, positions, c_in) through the layer: (n, nodes, c_out)."""
        padded = np.concatenate([values, np.zeros_like(values[:, :1])], axis=1)
        patches = padded[:, self.taps]
        if self.weight is None:
            out: Floats = patches.mean(axis=2)
        else:
            n, nodes, k, c_in = patches.shape
            flat = self.weight.reshape(len(self.weight), k * c_in)
            out = patches.reshape(n, nodes, k * c_in) @ flat.T
        return np.maximum(out, 0.0) if self.relu else out


@dataclass(frozen=True, eq=False)
class Network:
    """Layers from the input on; the last is linear and has one node, its channels the outputs.

    `input_shape` is (channels, ...) of an image or signal, or (d,).
    """

    layers: tuple[Layer, ...]
    input_shape: tuple[int, ...]

    @property
    def learned(self) -> tuple[Layer, ...]:
        """The layers with weights."""
        return tuple(layer for layer in self.layers if layer.learned)

    @property
    def depth(self) -> int:
        """L, the number of layers with weights."""
        return len(self.learned)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        weight = self.layers[-1].weight
        assert weight is not None
        return len(weight)

    @property
    def relus(self) -> int:
        """Number of layers with a ReLU."""
        return sum(layer.relu for layer in self.layers)

    @cached_property
    def rho(self) -> float:
        """The product of the filter norms of the layers with weights: the paper's rho."""
        return prod(layer.filter_norm for layer in self.learned)

    @cached_property
    def pooled(self) -> float:
        """The product of the fixed norms of average poolings, 1 without any."""
        return prod(layer.filter_norm for layer in self.layers if not layer.learned)

    @cached_property
    def dense_rho(self) -> float:
        """The product of the Frobenius norms of the layers' whole matrices."""
        return prod(layer.toeplitz_norm for layer in self.layers)

    @cached_property
    def paths(self) -> Floats:
        """From how many paths the output reads each input position, (positions,)."""
        count = np.ones(1)
        for layer in reversed(self.layers):
            below = np.zeros(layer.positions)
            for column in layer.taps.T:
                inside = column >= 0
                np.add.at(below, column[inside], count[inside])
            count = below
        return count

    @cached_property
    def branches(self) -> int:
        """The product of the degrees of all layers but the first."""
        return prod(layer.degree for layer in self.layers[1:])

    def energies(self, inputs: Floats) -> Floats:
        """The sum over samples and channels of the squared input at each position."""
        values = self.positions_first(inputs)
        total: Floats = np.einsum("npc,npc->p", values, values)
        return total

    def patch_energy(self, inputs: Floats) -> float:
        """The largest sum of squares, over all samples, that one patch of the first layer holds."""
        energies = np.append(self.energies(inputs), 0.0)
        return float(energies[self.layers[0].taps].sum(axis=1).max())

    def positions_first(self, inputs: Floats) -> Floats:
        """Inputs (n, *input_shape), or flattened, as (n, positions, channels)."""
        array = np.asarray(inputs, dtype=np.float64)
        size = prod(self.input_shape)
        if array.ndim < 1 or len(array) == 0 or array.size != len(array) * size:
            raise InputError("inputs", f"array of shape {array.shape}", f"(n, *{self.input_shape})")
        if not np.isfinite(array).all():
            raise InputError("inputs", "array with NaN or infinity", "finite everywhere")
        if len(self.input_shape) == 1:
            return array.reshape(len(array), 1, size)
        channels = self.input_shape[0]
        return array.reshape(len(array), channels, size // channels).swapaxes(1, 2)

    def features(self, inputs: Floats) -> Floats:
        """What the last layer reads, (n, d) with positions first, in float64."""
        return self._run(inputs, self.layers[:-1])

    def evaluate(self, inputs: Floats) -> Floats:
        """The outputs, (n, number of outputs), in float64."""
        return self._run(inputs, self.layers)

    def _run(self, inputs: Floats, layers: tuple[Layer, ...]) -> Floats:
        values = self.positions_first(inputs)
        largest = max((layer.taps.size for layer in layers), default=1)
        widest = max(layer.weight.shape[2] for layer in self.layers if layer.weight is not None)
        step = max(1, _BLOCK_ENTRIES // (largest * widest))
        found = []
        for start in range(0, len(values), step):
            v = values[start : start + step]
            for layer in layers:
                v = layer.apply(v)
            found.append(v.reshape(len(v), -1))
        return np.concatenate(found)

    def last_weights(self) -> Floats:
        """The weights of the last layer, (outputs, d), fitting `features`."""
        weight = self.layers[-1].weight
        assert weight is not None
        return weight.reshape(len(weight), -1)

    def centred_outputs(self) -> Network:
        """The network less the mean of its outputs: the same margins from smaller weights."""
        last = self.layers[-1]
        assert last.weight is not None
        return self._with_last(last.weight - last.weight.mean(axis=0))

    def single_output(self) -> Network:
        """The network whose output has the sign of the second class: of two, the difference.

        Raises InputError for more than two outputs.
        """
        if self.outputs == 1:
            return self
        if self.outputs > 2:
            domain = "1 or 2: the bounds speak of a real-valued network with labels -1 and 1"
            raise InputError("outputs", self.outputs, domain)
        last = self.layers[-1]
        assert last.weight is not None
        return self._with_last(last.weight[1:] - last.weight[:1])

    def _with_last(self, weight: Floats) -> Network:
        last = replace(self.layers[-1], weight=weight)
        return Network((*self.layers[:-1], last), self.input_shape)


def patch_table(
    sizes: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
) -> tuple[Indices, tuple[int, ...]]:
    """The taps of a convolution over a grid of `sizes`, and the sizes of its output.

    `padding` has zeros (before, after) for each axis. Raises InputError where the kernel is larger
    than the padded grid.
    """
    reads = []
    for size, k, s, (before, after), gap in zip(
        sizes, kernel, stride, padding, dilation, strict=True
    ):
        reach = gap * (k - 1) + 1
        if size + before + after < reach:
            raise InputError("kernel", kernel, f"no larger than the padded input {sizes}")
        first = np.arange(0, size + before + after - reach + 1, s) - before
        at = first[:, None] + gap * np.arange(k)
        reads.append(np.where((at >= 0) & (at < size), at, -1))
    outer, inner = (
        np.meshgrid(*(np.arange(r.shape[i]) for r in reads), indexing="ij") for i in (0, 1)
    )
    table = np.zeros((outer[0].size, inner[0].size), dtype=np.int64)
    inside = np.ones_like(table, dtype=bool)
    for r, o, i, size in zip(reads, outer, inner, sizes, strict=True):
        at = r[o.reshape(-1)[:, None], i.reshape(-1)[None, :]]
        inside &= at >= 0
        table = table * size + at
    return np.where(inside, table, -1), tuple(len(r) for r in reads)
