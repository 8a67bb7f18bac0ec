"""Networks measured over loaders, and left as they were."""

import random

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.measure import measure
from ncbounds.measure.depth import depth_profile, layer_features, profile_layers
from ncbounds.measure.nearest_mean import nearest_means

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.data import (  # noqa: E402
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    TensorDataset,
)

from ncbounds.measure.model import measure_model  # noqa: E402


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 3)
    )


def samples(n=50):
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(n) % 3
    return torch.randn(n, 4, generator=generator) + 2 * labels[:, None], labels


def in_memory(net, x, y, **options):
    with torch.no_grad():
        h = net.eval()[:-1](x)
    return measure(h, y, net[-1].weight, net[-1].bias, **options)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_loader_gives_what_all_features_at_once_give(shuffle):
    net, (x, y) = network(), samples()
    loader = DataLoader(TensorDataset(x, y), batch_size=7, shuffle=shuffle)
    found, expected = measure_model(net, loader), in_memory(net, x, y)
    assert (found.n, found.d, found.K) == (50, 6, 3)
    assert found.metrics == pytest.approx(expected.metrics, rel=1e-5, abs=1e-7)


def test_batches_may_be_mappings_or_taken_apart_by_the_caller():
    net, (x, y) = network(), samples()
    named = nn.Module()
    named.net, named.forward = net, lambda pixels, mask=None: net(pixels)
    given = [{"pixels": x[:20], "labels": y[:20]}, {"pixels": x[20:], "labels": y[20:]}]
    expected = measure_model(net, [(x, y)]).metrics
    assert measure_model(named, given).metrics == pytest.approx(expected, rel=1e-5, abs=1e-7)
    turned = [(y, "name", x)]
    found = measure_model(net, turned, unpack=lambda batch: ((batch[2],), {}, batch[0]))
    assert found.metrics == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_classes_without_samples_can_be_left_out():
    net, (x, y) = network(), samples()
    x, y = x[y > 0], y[y > 0]
    with pytest.raises(InputError, match="class 0"):
        measure_model(net, [(x, y)])
    found = measure_model(net, [(x, y)], missing="leave out")
    expected = in_memory(net, x, y, missing="leave out")
    assert found.metrics == pytest.approx(expected.metrics, rel=1e-5, abs=1e-7)


def test_one_pass_gives_nc1_where_counts_are_told():
    net, (x, y) = network(), samples()
    names = ("nc1.pinv", "nc1.pinv.samples", "nc1.fuzziness", "gnc1")
    twice = measure_model(net, [(x, y)]).metrics
    once = measure_model(net, [(x[:20], y[:20]), (x[20:], y[20:])], passes=1, scatter=y.bincount())
    assert {k: once.metrics[k] for k in names} == pytest.approx({k: twice[k] for k in names})
    unequal = measure_model(net, [(x, y)], passes=1, scatter=True)
    assert "nc1.pinv.samples" in unequal.metrics and "counts" in unequal.undefined["nc1.pinv"]
    with pytest.raises(InputError, match="scatter"):
        measure_model(net, [(x, y)], passes=1, scatter=[1, 2])


def test_one_pass_is_enough_for_some_metrics():
    found = measure_model(network(), [samples()], passes=1)
    assert "nc1.trace" in found.metrics
    assert "second pass" in found.undefined["nc1.pinv"]


def test_modes_gradients_and_random_numbers_are_left_alone():
    net, (x, y) = network(), samples()
    net.train()
    net[1].eval()  # frozen statistics, as in fine-tuning
    generator = torch.Generator().manual_seed(3)
    loader = DataLoader(TensorDataset(x, y), batch_size=9, shuffle=True, generator=generator)
    modes = [part.training for part in net.modules()]
    statistics = net[1].running_mean.clone()

    def drawn():
        return torch.rand(1).item(), random.random(), np.random.rand(), generator.get_state().sum()

    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    before = drawn()
    torch.set_rng_state(states[0])
    random.setstate(states[1])
    np.random.set_state(states[2])
    measure_model(net, loader)
    assert drawn() == before
    assert [part.training for part in net.modules()] == modes
    assert torch.equal(net[1].running_mean, statistics) and torch.is_grad_enabled()


@pytest.mark.parametrize("batched", [False, True])
def test_the_generator_of_a_sampler_is_left_alone(batched):
    generator = torch.Generator().manual_seed(3)
    sampler = RandomSampler(range(50), generator=generator)
    options = (
        {"batch_sampler": BatchSampler(sampler, 9, False)} if batched else {"sampler": sampler}
    )
    before = generator.get_state()
    measure_model(network(), DataLoader(TensorDataset(*samples()), **options))
    assert torch.equal(generator.get_state(), before)


class Augmented(Dataset):
    """Samples with noise from all three generators."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        noise = torch.randn(4) + random.gauss(0, 1) + np.random.normal()
        return self.x[i] + 0.1 * noise.float(), self.y[i]


def test_both_passes_see_the_same_augmented_samples():
    torch.manual_seed(2)
    net = nn.Sequential(nn.Identity(), nn.Linear(4, 3))
    data = Augmented(*samples())
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    found = measure_model(net, DataLoader(data, batch_size=8, shuffle=True))
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    batches = list(DataLoader(data, batch_size=8, shuffle=True))
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    expected = measure(x, y, net[1].weight, net[1].bias)
    assert found.metrics == pytest.approx(expected.metrics, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        (iter([samples()]), "loader = list_iterator"),
        (3, "loader = int"),
        ([], "loader = empty"),
        ([samples()[0]], "batch = Tensor"),
        ([{"x": 1}], "batch = dict of x"),
    ],
)
def test_loaders_that_cannot_be_read_are_refused(loader, message):
    with pytest.raises(InputError, match=message):
        measure_model(network(), loader)


def test_a_profile_of_a_loader_is_that_of_the_features_of_each_layer():
    net, (x, y) = network(), samples()
    loader = DataLoader(TensorDataset(x, y), batch_size=7, shuffle=True)
    held = [(x[:20] + 1, y[:20])]
    profile = profile_layers(net, loader, held)
    own, other = layer_features(net, x), layer_features(net, x[:20] + 1)
    assert profile.names == ("0", "4")  # batch normalisation is no layer
    for layer, found, h, z in zip(profile.layers, profile.measurements, own, other, strict=True):
        expected = nearest_means(h, y, z, y[:20])
        assert layer.to_dict() == pytest.approx(expected.to_dict())
        assert found.metrics == pytest.approx(measure(h, y).metrics, rel=1e-6, abs=1e-9)
    same = depth_profile(net, x, 5 * y - 3, x[:20] + 1, 5 * y[:20] - 3)
    assert [p.error for p in same.layers] == [p.error for p in profile.layers]


def test_a_profile_of_named_modules_measures_what_they_return():
    net, (x, y) = network(), samples()
    profile = profile_layers(net, [(x, y)], layers=["2", "1"])
    assert profile.names == ("1", "2")  # as they run
    with torch.no_grad():
        h = net.eval()[:3](x)
    assert profile.measurements[1].metrics == pytest.approx(measure(h, y).metrics)


class Aside(nn.Module):
    """A layer that does not run, as one for the training alone."""

    def __init__(self):
        super().__init__()
        self.head, self.aside = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: profile_layers(network(), []), "loader = empty"),
        (lambda: profile_layers(network(), [samples()], layers=["9"]), "layers = '9'"),
        (lambda: profile_layers(network()[:1], [(samples()[0], [0] * 50)]), "labels"),
        (lambda: profile_layers(nn.ReLU(), [samples()]), "0 runs of 0 layers"),
        (lambda: depth_profile(network(), *samples(), samples()[0], [7] * 50), "labels = 7"),
        (lambda: profile_layers(Aside(), [samples()]), "not one of 'aside': must be"),
        (
            lambda: profile_layers(nn.LSTM(4, 4), [samples()], layers=[""], classes=3),
            "tuple of features",
        ),
    ],
)
def test_what_has_no_profile_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
