"""The last layer of a model from its file: the right one, with its bias, or a refusal in words."""

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.measure import measure_file, measure_weights, read_head
from ncbounds.measure.files import write_arrays

RNG = np.random.default_rng(0)
W, BIAS = RNG.normal(size=(4, 3)).astype(np.float32), np.arange(4, dtype=np.float32)
EARLIER = RNG.normal(size=(3, 3)).astype(np.float32)


def saved(path, nodes, outputs=("y",), external=None, **constants):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    values = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    for value in values:
        if external and value.name in external:
            value.data_location = TensorProto.EXTERNAL
            value.ClearField("raw_data")
            for key, entry in external[value.name].items():
                value.external_data.add(key=key, value=str(entry))
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("x", *outputs)]
    made = [helper.make_node(kind, *ends, **facts) for kind, *ends, facts in nodes]
    model = helper.make_model(helper.make_graph(made, "model", info[:1], info[1:], values))
    onnx.save(model, path)
    return path


#: A hidden layer, then layers that compute W x + BIAS in each way.
HIDDEN = ("MatMul", ["x", "E"], ["h"], {})
WAYS = {
    "product and sum": (
        [("MatMul", ["h", "W"], ["p"], {}), ("Add", ["B", "p"], ["z"], {})],
        {"W": W.T.copy(), "B": BIAS},
    ),
    "gemm": (
        [("Gemm", ["h", "W", "B"], ["z"], {"transB": 1, "beta": 2.0})],
        {"W": W, "B": BIAS / 2},
    ),
    "gemm of columns": ([("Gemm", ["h", "W", "B"], ["z"], {})], {"W": W.T.copy(), "B": BIAS}),
    "convolution": ([("Conv", ["h", "W", "B"], ["z"], {})], {"W": W[:, :, None, None], "B": BIAS}),
    "turned": (
        [
            ("Transpose", ["W"], ["T"], {"perm": [1, 0]}),
            ("MatMul", ["h", "T"], ["p"], {}),
            ("Reshape", ["p", "S"], ["r"], {}),
            ("Add", ["r", "B"], ["z"], {}),
        ],
        {"W": W, "B": BIAS, "S": np.array([-1, 4])},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_last_layer_of_an_onnx_model_is_found(tmp_path, way):
    nodes, constants = WAYS[way]
    path = saved(
        tmp_path / "a.onnx", [HIDDEN, *nodes, ("Softmax", ["z"], ["y"], {})], E=EARLIER, **constants
    )
    head = read_head(path)
    assert np.array_equal(head.weights, W) and np.array_equal(head.bias, BIAS)
    assert np.array_equal(read_head(path, "E").weights, EARLIER.T)
    assert measure_file(path) == measure_weights(W)


def test_quantised_constants_are_read_as_what_they_stand_for(tmp_path):
    nodes = [
        ("DequantizeLinear", ["Q", "scale", "zero"], ["W"], {"axis": 0}),
        ("Gemm", ["x", "W"], ["y"], {"transB": 1}),
    ]
    codes, scale = np.arange(12, dtype=np.int8).reshape(4, 3), np.array([1, 2, 3, 4], np.float32)
    path = saved(tmp_path / "a.onnx", nodes, Q=codes, scale=scale, zero=np.ones(4, np.int8))
    assert np.array_equal(read_head(path).weights, (codes - 1.0) * scale[:, None])


@pytest.mark.parametrize(
    ("nodes", "outputs", "says"),
    [
        (
            [("MatMul", ["x", "E"], ["y"], {}), ("MatMul", ["x", "V"], ["z"], {})],
            ("y", "z"),
            r"ends in E \(3, 3\), V \(4, 3\)",
        ),
        (
            [("MatMul", ["x", "E"], ["h"], {}), ("Conv", ["h", "C"], ["y"], {})],
            ("y",),
            "ends in Conv",
        ),
        ([("Softmax", ["x"], ["y"], {})], ("y",), "no layer with weights"),
    ],
)
def test_a_model_without_one_last_layer_says_what_it_ends_in(tmp_path, nodes, outputs, says):
    kernel = np.ones((2, 3, 3, 3), np.float32)
    path = saved(tmp_path / "a.onnx", nodes, outputs, E=EARLIER, V=W.T.copy(), C=kernel)
    with pytest.raises(InputError, match=says):
        read_head(path)


def external(location, **more):
    return {"W": {"location": location, "length": W.nbytes, **more}}


def test_weights_in_a_file_beside_the_model_are_read(tmp_path):
    (tmp_path / "w.bin").write_bytes(bytes(8) + W.tobytes())
    nodes = [("Gemm", ["x", "W"], ["y"], {"transB": 1})]
    path = saved(tmp_path / "a.onnx", nodes, external=external("w.bin", offset=8), W=W)
    assert np.array_equal(read_head(path).weights, W)


@pytest.mark.parametrize(
    "facts", [external("../w.bin"), external("/etc/hostname"), external("w.bin", offset=40)]
)
def test_weights_outside_the_folder_or_of_another_length_are_refused(tmp_path, facts):
    (tmp_path / "model").mkdir()
    for place in (tmp_path, tmp_path / "model"):
        (place / "w.bin").write_bytes(W.tobytes())
    nodes = [("Gemm", ["x", "W"], ["y"], {"transB": 1})]
    path = saved(tmp_path / "model" / "a.onnx", nodes, external=facts, W=W)
    with pytest.raises(InputError, match="external data"):
        read_head(path)


@pytest.mark.parametrize("content", [b"hello", bytes(1000), b""])
def test_a_foreign_file_named_onnx_is_refused(tmp_path, content):
    pytest.importorskip("onnx")
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.onnx"):
        read_head(tmp_path / "a.onnx")


def test_a_state_dict_has_its_layer_by_name_with_the_bias_beside(tmp_path):
    path = tmp_path / "model.safetensors"
    arrays = {"fc.weight": W, "fc.bias": BIAS, "conv.weight": W[:, :, None, None], "n": BIAS}
    write_arrays(path, arrays)
    head = read_head(path, "fc.weight")
    assert np.array_equal(head.weights, W) and np.array_equal(head.bias, BIAS)
    assert np.array_equal(read_head(path, "conv.weight").weights, W)
    assert measure_file(path, weights="fc.weight").metrics == measure_weights(W).metrics
    with pytest.raises(InputError, match=r"--weights NAME.*conv\.weight"):
        read_head(path)
    with pytest.raises(InputError, match="weights = n"):
        read_head(path, "n")
