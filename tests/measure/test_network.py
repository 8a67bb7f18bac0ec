"""Networks as bounds see them: norms by hand, explicit matrices, and clear refusals."""

import json
import math

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.measure.network import network_of, read_network, write_network
from ncbounds.measure.network.layers import patch_table

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


def conv1(*args, **options):
    return nn.Conv1d(*args, bias=False, **options)


def conv2(*args, **options):
    return nn.Conv2d(*args, bias=False, **options)


def dense(*sizes):
    return nn.Linear(*sizes, bias=False)


def filled(module, *rows):
    with torch.no_grad():
        module.weight.copy_(torch.tensor(rows).reshape(module.weight.shape))
    return module


#: Modules and their input shapes: every geometry that is read.
CASES = {
    "vectors": (lambda: [dense(5, 4), nn.ReLU(), dense(4, 3)], (5,)),
    "tree": (lambda: [conv1(1, 1, 2, stride=2), nn.ReLU(), nn.Flatten(), dense(2, 1)], (1, 4)),
    "stride and padding": (
        lambda: [conv2(2, 3, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), dense(27, 2)],
        (2, 5, 6),
    ),
    "dilation": (
        lambda: [conv1(2, 2, 3, dilation=2, padding=2), nn.ReLU(), nn.Flatten(), dense(14, 1)],
        (2, 7),
    ),
    "groups": (
        lambda: [conv2(4, 6, (1, 2), groups=2), nn.ReLU(), conv2(6, 1, (3, 2))],
        (4, 3, 3),
    ),
    "same padding": (
        lambda: [conv1(1, 2, 4, padding="same"), nn.ReLU(), nn.Flatten(), dense(10, 1)],
        (1, 5),
    ),
    "pooling": (
        lambda: [
            conv2(1, 3, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Dropout(0.5),
            nn.Sequential(conv2(3, 2, 2), nn.ReLU()),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            dense(2, 2),
        ],
        (1, 6, 6),
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    torch.manual_seed(0)
    layers, shape = CASES[request.param]
    module = nn.Sequential(*layers()).double().eval()
    inputs = np.random.default_rng(0).standard_normal((3, *shape))
    return module, shape, inputs


def test_the_network_computes_what_torch_does(case):
    module, shape, inputs = case
    expected = module(torch.tensor(inputs)).detach().numpy().reshape(3, -1)
    network = network_of(module, shape)
    np.testing.assert_allclose(network.evaluate(inputs), expected, atol=1e-13)
    features = network.features(inputs) @ network.last_weights().T
    np.testing.assert_allclose(features, expected, atol=1e-13)


def test_norms_are_those_of_the_filters_and_of_the_explicit_matrices(case):
    module, shape, inputs = case
    network = network_of(module, shape)
    filters = [float(p.detach().norm()) for p in module.parameters()]
    assert [one.filter_norm for one in network.learned] == pytest.approx(filters, rel=1e-12)
    assert network.rho == pytest.approx(math.prod(filters), rel=1e-12)
    channels, values = shape[0], network.positions_first(inputs).reshape(3, -1)
    for layer in network.layers:
        matrix = layer.toeplitz_matrix(channels)
        if layer.learned:
            assert layer.toeplitz_norm == pytest.approx(np.linalg.norm(matrix), rel=1e-12)
        else:
            assert layer.toeplitz_norm >= np.linalg.norm(matrix, 2) * (1 - 1e-12)
        values = values @ matrix.T
        values = np.maximum(values, 0) if layer.relu else values
        channels = channels if layer.weight is None else len(layer.weight)
    np.testing.assert_allclose(values, network.evaluate(inputs), atol=1e-13)


def test_overlap_and_paths_count_the_entries_of_the_matrices(case):
    module, shape, inputs = case
    network = network_of(module, shape)
    paths = np.ones(1)
    for layer in reversed(network.layers):
        reads = np.zeros((layer.nodes, layer.positions))
        for node, row in enumerate(layer.taps):
            reads[node, row[row >= 0]] = 1
        np.testing.assert_array_equal(layer.overlap, reads.sum(axis=0))
        assert layer.degree == reads.sum(axis=1).max()
        paths = paths @ reads
    np.testing.assert_array_equal(network.paths, paths)
    energies = np.square(network.positions_first(inputs)).sum(axis=(0, 2))
    patches = [energies[row[row >= 0]].sum() for row in network.layers[0].taps]
    assert network.patch_energy(inputs) == pytest.approx(max(patches))


def test_norms_and_counts_by_hand():
    """Kernel (3, 4) at stride 1 on four positions, then 2 dense weights (1, 2, 2)."""
    net = nn.Sequential(
        filled(conv1(1, 1, 2), 3.0, 4.0),
        nn.ReLU(),
        nn.Flatten(),
        filled(dense(3, 1), 1.0, 2.0, 2.0),
    )
    found = network_of(net, (1, 4))
    first, last = found.layers
    assert (first.filter_norm, last.filter_norm, found.rho) == (5.0, 3.0, 15.0)
    assert first.toeplitz_norm == pytest.approx(5 * math.sqrt(3))
    assert found.dense_rho == pytest.approx(15 * math.sqrt(3))
    assert (first.nodes, first.degree, list(first.overlap)) == (3, 2, [1, 2, 2, 1])
    assert list(found.paths) == [1, 2, 2, 1]
    assert (found.branches, found.relus, found.depth) == (3, 1, 2)
    # Positions 0 and 1, then 1 and 2, then 2 and 3.
    assert found.patch_energy(np.array([[[1.0, 2.0, 0.0, 1.0]]])) == 5.0


def test_padding_is_in_no_matrix():
    """Three taps on two positions with padding 1: each node reads two of them."""
    net = nn.Sequential(
        filled(conv1(1, 1, 3, padding=1), 1.0, 2.0, 4.0),
        nn.Flatten(),
        filled(dense(2, 1), 1.0, 1.0),
    )
    layer = network_of(net, (1, 2)).layers[0]
    np.testing.assert_array_equal(layer.toeplitz_matrix(1), [[2, 4], [1, 2]])
    assert layer.toeplitz_norm == pytest.approx(5.0)
    assert layer.filter_norm == pytest.approx(math.sqrt(21))
    assert layer.degree == 2


def test_two_outputs_count_by_their_difference():
    net = nn.Sequential(filled(dense(2, 2), 1.0, 2.0, 4.0, 6.0))
    single = network_of(net, (2,)).single_output()
    assert (single.outputs, single.rho) == (1, 5.0)
    with pytest.raises(InputError, match="outputs = 3"):
        network_of(nn.Sequential(dense(2, 3)), (2,)).single_output()


def test_a_module_with_its_own_forward_is_read():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.last = conv1(1, 2, 2), dense(6, 1)

        def forward(self, x):
            x = torch.relu(self.conv(x))
            x = nn.functional.relu(x).flatten(1)
            return self.last(x)

    network = network_of(Own(), (1, 4))
    assert [one.relu for one in network.layers] == [True, False]


class Skip(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = dense(3, 3)

    def forward(self, x):
        return x + self.inner(x)


REFUSALS = {
    "a bias": ([nn.Linear(3, 1)], (3,), "use bias=False"),
    "batch normalisation": ([conv1(1, 2, 2), nn.BatchNorm1d(2), nn.ReLU()], (1, 4), "fold it"),
    "max pooling": ([conv2(1, 1, 2), nn.ReLU(), nn.MaxPool2d(2)], (1, 5, 5), "average pooling"),
    "another activation": ([dense(3, 3), nn.Tanh(), dense(3, 1)], (3,), "Tanh"),
    "a skip connection": ([Skip(), dense(3, 1)], (3,), "chain"),
    "padding by reflection": ([conv1(1, 1, 3, padding=1, padding_mode="reflect")], (1, 4), "zeros"),
    "a ReLU at the end": ([dense(3, 1), nn.ReLU()], (3,), "last layer must be linear"),
    "a ReLU behind a pooling": ([conv1(1, 1, 1), nn.AvgPool1d(2), nn.ReLU()], (1, 4), "before"),
    "positions left at the end": ([conv1(1, 1, 2)], (1, 4), "3 positions"),
    "an input of another size": ([dense(3, 1)], (4,), "3 of 4"),
    "channels that do not fit": ([conv1(2, 1, 1)], (1, 4), "2 channels of 1"),
    "a kernel larger than the input": ([conv1(1, 1, 5)], (1, 4), "kernel"),
    "no flattening": ([conv1(1, 1, 1), dense(4, 1)], (1, 4), "flatten"),
    "nothing": ([], (3,), "module"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_no_bound_speaks_of_is_refused_by_name(name):
    layers, shape, says = REFUSALS[name]
    with pytest.raises(InputError) as error:
        network_of(nn.Sequential(*layers), shape)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_module_or_shape_is_refused():
    with pytest.raises(InputError, match="module = dict"):
        network_of({}, (3,))
    with pytest.raises(InputError, match="input_shape"):
        network_of(nn.Sequential(dense(3, 1)), (0,))
    with pytest.raises(InputError, match="inputs = array of shape"):
        network_of(nn.Sequential(dense(3, 1)), (3,)).evaluate(np.ones((2, 4)))


def test_a_file_gives_back_the_network_and_its_samples(case, tmp_path):
    module, shape, inputs = case
    network, path = network_of(module, shape), tmp_path / "net.safetensors"
    write_network(path, network, train=(inputs, [0, 1, 0]), test=(inputs[:1], [1]))
    stored = read_network(path)
    np.testing.assert_array_equal(stored.network.evaluate(inputs), network.evaluate(inputs))
    assert stored.network.rho == network.rho
    np.testing.assert_array_equal(stored.train_labels, [0, 1, 0])
    np.testing.assert_array_equal(stored.test_inputs, inputs[:1])


def test_a_state_dict_of_dense_layers_is_a_chain(tmp_path):
    from safetensors.torch import save_file

    net = nn.Sequential(dense(5, 4), nn.ReLU(), dense(4, 3), nn.ReLU(), dense(3, 2)).double()
    path = tmp_path / "state.safetensors"
    save_file(net.state_dict(), path)
    inputs = np.random.default_rng(0).standard_normal((3, 5))
    expected = net(torch.tensor(inputs)).detach().numpy()
    np.testing.assert_allclose(read_network(path).network.evaluate(inputs), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"0.weight": np.ones((1, 1, 2))}, "how its convolutions move"),
        ({"0.weight": np.ones((1, 2)), "0.bias": np.ones(1)}, "bias"),
        ({"0.weight": np.ones((3, 2)), "1.weight": np.ones((1, 2))}, "chain"),
        ({"0.weight": np.full((1, 2), np.nan)}, "finite"),
    ],
)
def test_a_state_dict_that_is_no_chain_is_refused(tmp_path, state, says):
    from safetensors.numpy import save_file

    path = tmp_path / "state.safetensors"
    save_file(state, path)
    with pytest.raises(InputError, match=says):
        read_network(path)


@pytest.mark.parametrize("damage", ["taps", "twice", "missing", "weight", "json", "shape", "relu"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "net.safetensors"
    net = nn.Sequential(conv1(1, 1, 2), nn.ReLU(), nn.Flatten(), dense(3, 1))
    write_network(path, network_of(net, (1, 4)))
    arrays = load_file(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    described = json.loads(metadata["network"])
    if damage == "taps":
        arrays["layer.0.taps"] = arrays["layer.0.taps"] + 3
    elif damage == "twice":
        arrays["layer.0.taps"] = np.zeros_like(arrays["layer.0.taps"])
    elif damage == "missing":
        del arrays["layer.1.weight"]
    elif damage == "weight":
        arrays["layer.0.weight"] = np.ones((1, 2, 2))
    elif damage == "shape":
        described["input_shape"] = [1, 5]
    elif damage == "relu":
        described["layers"][-1]["relu"] = True
    text = "{" if damage == "json" else json.dumps(described)
    save_file(arrays, path, metadata={**metadata, "network": text})
    with pytest.raises(InputError, match="path = "):
        read_network(path)


def test_patches_of_a_grid():
    table, sizes = patch_table((2, 3), (2, 2), (1, 2), ((0, 0), (0, 1)), (1, 1))
    assert sizes == (1, 2)
    np.testing.assert_array_equal(table, [[0, 1, 3, 4], [2, -1, 5, -1]])
