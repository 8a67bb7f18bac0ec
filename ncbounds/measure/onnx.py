"""The last layer of an ONNX model: its weights, read without running anything.

From the outputs backwards, the first linear layers with constant weights: MatMul, Gemm, or a
convolution of size 1. What lies between them and the output (softmax, reshaping, an added bias)
acts on the logits. Where another layer with weights comes first, such as a convolution with a
larger kernel, a quantised product, or a normalisation, the model does not end in a classifier
that can be read, and the refusal names that layer.

A model is untrusted: it is parsed, never executed, and weights that it keeps in another file are
read from the folder of the model and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.measure.heads import Head, listed

#: The format allows no larger message; weights beyond that lie in other files.
_MOST_BYTES = 2**31
#: Most bytes of the weights of the layer.
_MOST_WEIGHTS = 2**34
#: What may stand between constant weights and the layer that uses them.
_OF_CONSTANTS = ("Identity", "Cast", "Transpose", "DequantizeLinear")
#: What changes a logit's shape or type, not its value.
_OF_SHAPE = ("Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Dropout")
#: Layers that end the search: what they do to features is no matrix that is read here.
_OPAQUE = (
    *("Conv", "ConvInteger", "ConvTranspose", "DeformConv", "QLinearConv", "QLinearMatMul"),
    *("BatchNormalization", "GroupNormalization", "InstanceNormalization", "LayerNormalization"),
    *("Einsum", "GRU", "LSTM", "MatMulInteger", "RNN", "If", "Loop", "Scan"),
)
_STANDARD = ("", "ai.onnx")


@dataclass(frozen=True, eq=False)
class _Graph:
    """A graph by names: which node makes a value, which nodes use it, which are constant."""

    folder: Path
    makers: dict[str, Any]
    users: dict[str, list[Any]]
    constants: dict[str, Any]
    outputs: list[str]


@dataclass(frozen=True, eq=False)
class _Layer:
    """A linear layer: its node, and where its weights are."""

    node: Any
    weights: str
    columns: bool
    """Whether the classes are the columns of the stored matrix."""
    shape: tuple[int, int]
    scales: tuple[float, float] = field(default=(1.0, 1.0))
    """Factors of weights and bias."""


def onnx_head(path: Path, name: str | None = None) -> Head:
    """The last linear layer before the output of an ONNX model, with its bias.

    Parameters:
        path: a `.onnx` file; weights in external files lie in its folder.
        name: of another linear layer, or of its weights.

    Raises:
        InputError: no such file, a damaged or hostile one, several last layers, or none.
        MissingDependencyError: the package onnx is missing.
    """
    if not path.is_file():
        raise InputError("path", str(path), "an existing file")
    try:
        import onnx
    except ImportError as error:
        raise MissingDependencyError('onnx is missing: pip install "ncbounds[onnx]"') from error
    if path.stat().st_size > _MOST_BYTES:
        raise InputError("path", str(path), f"a model of at most {_MOST_BYTES} bytes")
    try:
        graph = _graph(onnx.load(str(path), load_external_data=False).graph, path.parent)
        layer = _last(graph, path) if name is None else _named(graph, path, name)
        weights = _scaled(_value(graph, layer.weights), layer.scales[0])
        weights = weights.reshape(weights.shape[:2])
        weights = np.ascontiguousarray(weights.T if layer.columns else weights)
        return Head(layer.weights, weights, _bias(graph, layer))
    except InputError:
        raise
    except Exception as error:  # parsers of untrusted bytes fail in many ways, all of them alike
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        domain = "a sound .onnx file"
        raise InputError("path", str(path), domain, f"reading it failed: {reason}") from None


def _graph(graph: Any, folder: Path) -> _Graph:
    makers: dict[str, Any] = {}
    users: dict[str, list[Any]] = {}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        makers.update((value, node) for value in node.output if value)
        for value in node.input:
            users.setdefault(value, []).append(node)
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            constants[node.output[0]] = node.attribute[0].t
    return _Graph(folder, makers, users, constants, [value.name for value in graph.output])


def _last(graph: _Graph, path: Path) -> _Layer:
    """The one layer that no other layer follows on the way to the output."""
    first = list(_layers_before(graph, graph.outputs))
    inputs = [value for node in first for value in node.input]
    followed = {id(node) for node in _layers_before(graph, inputs, deep=True)}
    last = [node for node in first if id(node) not in followed]
    linear = [layer for node in last if (layer := _linear(graph, node)) is not None]
    if len(last) == len(linear) == 1:
        return linear[0]
    opaque = [n.op_type for n in last if _linear(graph, n) is None]
    shown = sorted(f"{layer.weights} {layer.shape}" for layer in linear) + opaque
    remedy = f"it ends in {', '.join(shown[:8]) or 'no layer with weights'}"
    if every := {layer.weights: layer.shape for layer in _all_linear(graph)}:
        remedy += f"; linear layers to choose by name (--weights NAME): {listed(every)}"
    raise InputError("path", str(path), "a model that ends in one linear layer", remedy)


def _named(graph: _Graph, path: Path, name: str) -> _Layer:
    found = {layer.weights: layer for layer in _all_linear(graph)}
    found |= {layer.node.name: layer for layer in found.values() if layer.node.name}
    if name not in found:
        shapes = {layer.weights: layer.shape for layer in found.values()}
        raise InputError("weights", name, f"a linear layer of {path}", f"in it: {listed(shapes)}")
    return found[name]


def _all_linear(graph: _Graph) -> Iterator[_Layer]:
    nodes = {id(node): node for node in graph.makers.values()}
    return (layer for node in nodes.values() if (layer := _linear(graph, node)) is not None)


def _layers_before(graph: _Graph, values: Iterable[str], deep: bool = False) -> Iterator[Any]:
    """The nodes with weights that values come from; `deep`, those before them too.

    Shapes are no values: what only the shape of a tensor depends on is not looked at.
    """
    waiting, seen = list(values), set()
    while waiting:
        node = graph.makers.get(waiting.pop())
        if node is None or id(node) in seen or node.op_type in ("Shape", "Size", "Constant"):
            continue
        seen.add(id(node))
        foreign = node.domain not in _STANDARD
        layer = foreign or node.op_type in _OPAQUE or _linear(graph, node) is not None
        if layer:
            yield node
        if deep or not layer:
            waiting.extend(node.input)


def _linear(graph: _Graph, node: Any) -> _Layer | None:
    """The linear layer that a node is, if it is one with constant weights and >= 2 classes."""
    if node.domain not in _STANDARD or len(node.input) < 2:
        return None
    facts = {a.name: a for a in node.attribute}
    left, right = _constant_shape(graph, node.input[0]), _constant_shape(graph, node.input[1])
    if node.op_type == "MatMul" and right is not None and len(right) == 2:
        return _Layer(node, node.input[1], True, (right[1], right[0]))
    if node.op_type == "MatMul" and left is not None and len(left) == 2:
        return _Layer(node, node.input[0], False, (left[0], left[1]))
    if node.op_type == "Gemm" and right is not None and len(right) == 2:
        rows = bool(facts["transB"].i) if "transB" in facts else False
        scales = [float(facts[key].f) if key in facts else 1.0 for key in ("alpha", "beta")]
        shape = (right[0], right[1]) if rows else (right[1], right[0])
        return _Layer(node, node.input[1], not rows, shape, (scales[0], scales[1]))
    if node.op_type == "Conv" and right is not None and len(right) > 2:
        grouped = "group" in facts and facts["group"].i != 1
        if set(right[2:]) == {1} and not grouped:
            return _Layer(node, node.input[1], False, (right[0], right[1]))
    return None


def _constant_shape(graph: _Graph, value: str) -> tuple[int, ...] | None:
    """The shape of a constant, or None of what is none."""
    turns: list[tuple[int, ...] | None] = []
    for _ in range(len(graph.makers) + 1):
        if value in graph.constants:
            shape = tuple(graph.constants[value].dims)
            for turn in reversed(turns):
                shape = tuple(shape[axis] for axis in turn) if turn else shape[::-1]
            return shape
        node = graph.makers.get(value)
        if node is None or node.op_type not in _OF_CONSTANTS or not node.input:
            return None
        if node.op_type == "Transpose":
            turns.append(_turn(node))
        value = node.input[0]
    return None


def _turn(node: Any) -> tuple[int, ...] | None:
    """The order of the axes that a Transpose gives, or None where it reverses them."""
    return next((tuple(fact.ints) for fact in node.attribute if fact.name == "perm"), None)


def _value(graph: _Graph, value: str) -> NDArray[Any]:
    """A constant as real numbers, through the nodes that stand between it and its use."""
    if value in graph.constants:
        return _tensor(graph, graph.constants[value])
    node = graph.makers[value]
    inner = _value(graph, node.input[0])
    if node.op_type == "Transpose":
        turned: NDArray[Any] = np.transpose(inner, _turn(node))
        return turned
    if node.op_type == "DequantizeLinear":
        along = next((fact.i for fact in node.attribute if fact.name == "axis"), 1)
        scale = _along(_value(graph, node.input[1]), along, inner.ndim)
        has_zero = len(node.input) > 2 and node.input[2]
        zero = _along(_value(graph, node.input[2]), along, inner.ndim) if has_zero else 0
        exact: NDArray[Any] = (inner.astype(np.float64) - zero) * scale
        return exact
    return inner


def _along(factors: NDArray[Any], axis: int, ndim: int) -> NDArray[Any]:
    """Factors of a whole array, or one for each index along an axis."""
    shape = [1] * ndim
    if factors.size > 1:
        shape[axis] = factors.size
    return factors.astype(np.float64).reshape(shape)


def _tensor(graph: _Graph, tensor: Any) -> NDArray[Any]:
    from onnx import TensorProto, helper, numpy_helper

    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
    size = dtype.itemsize
    for length in tensor.dims:
        size *= length
    if not 0 < size <= _MOST_WEIGHTS:
        raise InputError(tensor.name, f"{size} bytes", f"of 1 to {_MOST_WEIGHTS} bytes")
    if tensor.data_location == TensorProto.EXTERNAL:
        external = {entry.key: entry.value for entry in tensor.external_data}
        found = np.frombuffer(_outside(graph.folder, external, size), dtype).reshape(tensor.dims)
    else:
        found = numpy_helper.to_array(tensor)
    return found.astype(np.float32) if found.dtype.kind not in "fiu" else found


def _outside(folder: Path, external: dict[str, str], size: int) -> bytes:
    """Weights in a file beside the model: in its folder, and as many bytes as the tensor has."""
    file = (folder / external["location"]).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise InputError("external data", external["location"], "in the folder of the model")
    with file.open("rb") as stream:
        stream.seek(int(external.get("offset", 0)))
        found = stream.read(size)
    if len(found) != size or int(external.get("length", size)) != size:
        raise InputError("external data", f"{file.name} of {len(found)} bytes", f"of {size} bytes")
    return found


def _bias(graph: _Graph, layer: _Layer) -> NDArray[Any] | None:
    """The third input of the layer, or the constant vector that is added to what it gives."""
    K = layer.shape[0]
    if layer.node.op_type != "MatMul":
        has_bias = len(layer.node.input) > 2 and layer.node.input[2]
        added = _value(graph, layer.node.input[2]) if has_bias else None
    else:
        added = _added(graph, layer.node.output[0])
    if added is None or added.size not in (1, K):
        return None
    return _scaled(np.broadcast_to(added.reshape(-1), (K,)), layer.scales[1])


def _added(graph: _Graph, value: str) -> NDArray[Any] | None:
    """The constant that is added to a value, if that is all that happens to it."""
    while len(users := graph.users.get(value, [])) == 1 and users[0].op_type in _OF_SHAPE:
        value = users[0].output[0]
    if len(users) != 1 or users[0].op_type != "Add":
        return None
    others = [other for other in users[0].input if other != value]
    constant = len(others) == 1 and _constant_shape(graph, others[0]) is not None
    return _value(graph, others[0]) if constant else None


def _scaled(array: NDArray[Any], factor: float) -> NDArray[Any]:
    return array if factor == 1 else array * np.float64(factor)
