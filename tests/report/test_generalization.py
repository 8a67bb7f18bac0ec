"""Bounds on the test error of a network agree with those by hand, and with its true complexity."""

import math

import numpy as np
import pytest

import ncbounds
from ncbounds.errors import InputError
from ncbounds.measure.complexity import hidden_unit_rademacher, linear_rademacher, tree_rademacher
from ncbounds.measure.network import Layer, Network, write_network
from ncbounds.report.generalization import QUANTITY, compare_file, compare_network
from ncbounds.report.network_complexity import (
    best_order,
    class_bounds,
    margin_bounds,
    not_a_binary_tree,
)


def tree(levels, kernels=None):
    """A binary-tree network, by hand."""
    kernels = np.ones((levels, 2)) if kernels is None else np.asarray(kernels)
    layers = []
    for level, kernel in enumerate(kernels):
        positions = 2 ** (levels - level)
        taps = np.arange(positions).reshape(-1, 2)
        weight = kernel.reshape(1, 2, 1)
        layers.append(Layer(str(level), "convolution", weight, taps, positions, level < levels - 1))
    return Network(tuple(layers), (1, 2**levels))


def chain(*matrices):
    """Dense layers, by hand."""
    taps = np.zeros((1, 1), dtype=np.int64)
    layers = [
        Layer(str(i), "dense", np.asarray(W, float)[:, None, :], taps, 1, i < len(matrices) - 1)
        for i, W in enumerate(matrices)
    ]
    return Network(tuple(layers), (np.shape(matrices[0])[1],))


def overlapping():
    """Kernel of 2 at stride 1 on 3 positions, then a dense layer over the two nodes."""
    taps = np.array([[0, 1], [1, 2]])
    first = Layer("0", "convolution", np.ones((1, 2, 1)), taps, 3, True)
    last = Layer("1", "dense", np.ones((1, 2, 1)), np.array([[0, 1]]), 2, False)
    return Network((first, last), (1, 3))


def bounds(network, inputs):
    found, skipped = class_bounds(network, inputs)
    return {(b.id, b.variant, b.reading): b for b in found}, skipped


def sample(n, *shape):
    return np.random.default_rng(0).standard_normal((n, *shape))


def test_a_tree_has_the_bounds_of_the_theorem_at_its_own_norms():
    kernels = [[3.0, 4.0], [0.6, 0.8], [1.0, 0.0]]
    network, X = tree(3, kernels), sample(5, 1, 8)
    found, skipped = bounds(network, X)
    norm = np.linalg.norm(X) / 5
    printed = next(b for key, b in found.items() if key[:2] == ("square:theorem-4", "printed"))
    assert "square:theorem-4" not in skipped
    assert printed.norm == pytest.approx(5.0)
    assert printed.total == pytest.approx(5 * 2**3 * norm / 2)
    paths = found["square:conjecture-1", "sharp", "paths, moments of order 2"]
    assert paths.total == pytest.approx(5 * ((1 + math.sqrt(2)) / 2) ** 2 * norm)
    dense = found["square:eq-16", "corrected", "dense"]
    assert dense.norm == pytest.approx(5 * math.sqrt(4 * 2 * 1))
    assert dense.unit == pytest.approx((1 + math.sqrt(2 * 3 * math.log(2))) * norm)


def test_overlap_is_counted_by_paths():
    X = sample(4, 1, 3)
    found, skipped = bounds(overlapping(), X)
    squares = np.square(X).sum(axis=(0, 1))
    paths = found["square:conjecture-1", "sharp", "paths, moments of order 2"]
    assert paths.norm == pytest.approx(2.0)
    factor = (1 + math.sqrt(2)) / 2
    assert paths.unit == pytest.approx(factor * math.sqrt(squares @ [1, 2, 1]) / 4)
    printed = found["square:conjecture-1", "printed", "overlap"]
    assert printed.unit == pytest.approx(2 * math.sqrt(2) * np.linalg.norm(X) / 4)
    assert "overlap" in skipped["square:theorem-4"]


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_no_bound_of_a_tree_is_below_its_true_complexity(levels):
    X = sample(4, 1, 2**levels)
    truth = tree_rademacher(X.reshape(4, -1)).within("absolute")[0]
    for one in bounds(tree(levels), X)[0].values():
        scale = one.norm / math.sqrt(2) ** levels  # norms of the tree of kernels of norm 1
        assert truth <= one.unit * scale * (1 + 1e-9), one


def test_no_bound_of_a_hidden_layer_is_below_the_truth():
    X = sample(5, 3)
    truth = hidden_unit_rademacher(X).within("absolute")[0]
    for one in bounds(chain(np.eye(3) / math.sqrt(3), np.ones((1, 3)) / math.sqrt(3)), X)[
        0
    ].values():
        assert one.norm == pytest.approx(1)
        assert truth <= one.unit, one
    linear = bounds(chain(np.ones((1, 3)) / math.sqrt(3)), X)[0]
    found = linear["square:eq-16", "sharp", "dense, moments of order 2"]
    assert linear_rademacher(X).within("absolute")[0] <= found.unit
    assert found.unit == pytest.approx(np.linalg.norm(X) / 5)


def test_no_bound_is_below_what_networks_with_overlap_attain():
    """The adversary: random networks of the geometry, the best for every sign vector."""
    rng, m = np.random.default_rng(3), 3
    X = np.ones((m, 1, 3)) + 0.1 * sample(m, 1, 3)
    kernels = rng.standard_normal((4000, 2))
    kernels /= np.linalg.norm(kernels, axis=1, keepdims=True)
    taps = overlapping().layers[0].taps
    hidden = np.maximum(np.einsum("mpk,wk->wmp", X[:, 0][:, taps], kernels), 0)
    signs = np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [1, -1, -1]])
    attained = np.linalg.norm(np.einsum("sm,wmp->swp", signs, hidden), axis=2).max(axis=1)
    truth = attained.mean() / m
    for key, one in bounds(overlapping(), X)[0].items():
        scale = (
            math.sqrt(2) if key[2].startswith("dense") else 1.0
        )  # the matrix holds the kernel twice
        assert one.unit * scale >= truth, one


def test_counting_each_input_once_would_be_false(monkeypatch):
    """Planted: without paths the bound lies below a network of 13 overlapping patches."""
    size, kernel = 21, 9
    taps = np.arange(size - kernel + 1)[:, None] + np.arange(kernel)
    nodes = len(taps)
    first = Layer("0", "convolution", np.ones((1, kernel, 1)), taps, size, True)
    last = Layer("1", "dense", np.ones((1, nodes, 1)), np.arange(nodes)[None], nodes, False)
    network, X = Network((first, last), (1, size)), np.ones((1, 1, size))
    attained = float(network.evaluate(X)[0, 0]) / network.rho
    honest = [one.unit for one in class_bounds(network, X)[0] if "paths" in one.reading]
    assert honest[0] >= attained
    monkeypatch.setattr(Network, "paths", np.ones(size))
    network = Network((first, last), (1, size))
    planted = [one.unit for one in class_bounds(network, X)[0] if "paths" in one.reading]
    assert planted[0] < attained


@pytest.mark.parametrize(("relus", "k"), [(0, 1), (2, 1), (3, 2), (5, 2), (6, 3), (8, 3)])
def test_the_best_order_of_moments_grows_with_the_depth(relus, k):
    assert best_order(relus) == k


def separable(n, network_norm=10.0):
    """Points +-0.55 e_1 with a little noise, and a linear network of that norm."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(n) % 2, 1, -1)
    x = np.stack([y * 0.55, 0.1 * rng.standard_normal(n)], axis=1)
    return chain([[network_norm, 0.0]]), x, y


def test_the_bound_at_the_best_margin_by_hand():
    network, x, y = separable(4000)
    report = compare_network(network, (x, y), (x[:100], y[:100]))
    row = next(
        b for b in report.bounds if b.quantity == QUANTITY and "best margin; dense, m" in b.reading
    )
    unit = float(np.sqrt(np.sum(x * x))) / 4000
    candidates = []
    for j in range(-40, 80):
        s = 2 ** (j / 8)
        share = np.mean(y * x[:, 0] * 10 < 10 / s)
        log = math.log(3 * (abs(j) + 1) * (abs(j) + 2) / 0.05)
        candidates.append(share + 2 * s * unit + 3 * math.sqrt(log / 8000))
    assert float(row.bound) == pytest.approx(min(candidates), rel=1e-6)
    assert row.vacuous is False
    assert row.measured == 0.0
    assert row.holds


def test_interpolating_bounds_by_hand_and_invariant_under_scale():
    _, x, y = separable(4000)
    rows = {}
    for scale in (1.0, 100.0):
        scaled = chain([[10.0 * scale, 0.0]])
        report = compare_network(scaled, (x, y), (x, y), delta=0.01)
        rows[scale] = [b for b in report.bounds if b.quantity == QUANTITY]
    by_hand = {
        ("square:theorem-3", "corrected"): lambda rho, unit: (
            2 * (rho + 1) * unit + 3 * math.sqrt(math.log(2 * (rho + 1) * (rho + 2) / 0.01) / 8000)
        ),
    }
    unit, rho = float(np.sqrt(np.sum(x * x))) / 4000, 1 / 0.55
    for first, second in zip(rows[1.0], rows[100.0], strict=True):
        assert float(first.bound) == pytest.approx(float(second.bound), rel=1e-6)
        if (first.id, first.variant) in by_hand and first.reading.startswith("dense, moments"):
            expected = by_hand[first.id, first.variant](rho, unit)
            assert float(first.bound) == pytest.approx(expected, rel=1e-6)
    printed = next(b for b in rows[1.0] if b.id == "square:eq-16")
    rho = float(np.linalg.norm(x, axis=1).max()) / 0.55
    size = 2 * (rho + 1) * (math.sqrt(2 * math.log(2)) + 1) / math.sqrt(4000)
    tail = 3 * math.sqrt(math.log(2 * (math.log(rho) + 1) ** 2 / 0.01) / 8000)
    assert float(printed.bound) == pytest.approx(size + tail, rel=1e-6)


def test_training_errors_leave_only_margin_bounds():
    network, x, y = separable(50)
    y[0] = -y[0]
    report = compare_network(network, (x, y), (x, y))
    rows = [b for b in report.bounds if b.quantity == QUANTITY]
    assert rows and all("best margin" in b.reading for b in rows)
    assert "1 training samples" in report.skipped["square:eq-16"]


def test_three_classes_have_margins_and_the_paper_is_silent():
    n = 3000
    x, y = np.tile(np.eye(3), (n // 3, 1)), np.tile([0, 1, 2], n // 3)
    report = compare_network(chain(10 * np.eye(3) + 7), (x, y), (x, y))
    rows = [b for b in report.bounds if b.quantity == QUANTITY]
    assert rows and all("3 classes" in b.reading for b in rows)
    assert "3 outputs" in report.skipped["square:eq-16"]
    norm = 10 * np.linalg.norm(np.eye(3) - 1 / 3)  # the common 7 is in no margin
    unit = 2 * math.sqrt(3) / math.sqrt(n)
    assert report.complexity[0].norm == pytest.approx(norm)
    assert report.complexity[0].unit == pytest.approx(unit)
    assert float(rows[0].bound) < 1


def test_no_bound_on_margins_is_below_what_linear_maps_attain():
    rng = np.random.default_rng(0)
    x, y = np.eye(2), np.array([0, 1])
    W = rng.standard_normal((20_000, 3, 2))
    W -= W.mean(axis=1, keepdims=True)
    W /= np.linalg.norm(W, axis=(1, 2), keepdims=True)
    out = np.einsum("wkd,nd->wnk", W, x)
    own = out[:, [0, 1], y]
    out[:, [0, 1], y] = -np.inf
    margins = own - out.max(axis=2)
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    truth = (margins @ signs.T).max(axis=0).mean() / 2
    unit = margin_bounds(chain(np.ones((3, 2))), x)[0].unit
    assert unit / 4 < truth <= unit


def test_two_outputs_are_the_single_output_of_their_difference():
    network, x, y = separable(40)
    double = chain([[-5.0, 0.0], [5.0, 0.0]])
    one = compare_network(network, (x, y), (x, y))
    two = compare_network(double, (x, (y + 1) // 2), (x, (y + 1) // 2))
    values = [[float(b.bound) for b in r.bounds if b.quantity == QUANTITY] for r in (one, two)]
    assert values[0] == pytest.approx(values[1])


def test_a_torch_module_gives_what_its_file_gives(tmp_path):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 2, stride=2, bias=False),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 1, bias=False),
    )
    x, y = sample(30, 1, 4, 4), np.where(np.arange(30) % 2, 1, -1)
    report = ncbounds.compare_network(net, (torch.tensor(x), y), (x[:5], y[:5]))
    from ncbounds.measure.network import network_of

    path = tmp_path / "net.safetensors"
    write_network(path, network_of(net, (1, 4, 4)), train=(x, y), test=(x[:5], y[:5]))
    assert compare_file(path).to_dict() == report.to_dict()
    assert report.to_dict()["network"]["L"] == 2
    keys = {"id", "variant", "quantity", "measured", "bound", "direction", "vacuous"}
    assert all(keys <= b.keys() for b in report.to_dict()["bounds"])


REFUSED = {
    "delta": {"delta": 1.0},
    "labels": {"labels": [0, 2] * 20},
    "train": {"labels": [0, 1]},
    "train.labels": {"labels": [0.5, 1] * 20},
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_named(name):
    network, x, y = separable(40)
    given = REFUSED[name]
    labels = given.get("labels", y)
    with pytest.raises(InputError, match=f"^{name}"):
        compare_network(network, (x, labels), (x, y), delta=given.get("delta", 0.05))


def test_a_file_without_samples_is_refused(tmp_path):
    write_network(tmp_path / "net.safetensors", tree(2))
    with pytest.raises(InputError, match=r"train\.inputs"):
        compare_file(tmp_path / "net.safetensors")


def test_what_is_no_binary_tree_is_told():
    assert not_a_binary_tree(tree(3)) == ""
    assert "overlap" in not_a_binary_tree(overlapping())
    assert "channels" in not_a_binary_tree(chain(np.ones((2, 2)), np.ones((1, 2))))
