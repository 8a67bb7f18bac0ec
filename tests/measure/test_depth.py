"""Effective depth of torch networks."""

import numpy as np
import pytest

from ncbounds.errors import InputError

torch = pytest.importorskip("torch")

from ncbounds.measure.depth import depth_profile, layer_features  # noqa: E402


class Functional(torch.nn.Module):
    """Two layers with a function between them."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(2, 3), torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def test_features_are_what_the_next_layer_is_given():
    net, x = Functional(), torch.randn(7, 2)
    hidden, output = layer_features(net, x, batch=3)
    expected = torch.relu(net.first(x))
    np.testing.assert_allclose(hidden, expected.detach().double().numpy(), atol=1e-6)
    np.testing.assert_allclose(output, net(x).detach().double().numpy(), atol=1e-6)
    assert net.training


def test_exclusive_or_has_effective_depth_two():
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 4),
        torch.nn.ReLU(),
        torch.nn.Linear(4, 2),
    )
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]))
        net[0].bias.zero_()
        net[2].weight.copy_(torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1]]))
        net[2].bias.zero_()
    x = torch.tensor([[1.0, 1], [-1, -1], [1, -1], [-1, 1.0]])
    y = [0, 0, 1, 1]
    before = torch.nn.Sequential(torch.nn.Linear(2, 2), *net)
    with torch.no_grad():
        before[0].weight.copy_(torch.eye(2))
        before[0].bias.copy_(torch.tensor([0.0, 0.25]))  # so that the class means differ a little
        before[1].bias.copy_(torch.tensor([-0.25, 0.25, 0.25, -0.25]))
    x[2, 0] += 0.25
    profile = depth_profile(before, x, y)
    assert profile.layers[0].error > 0
    assert profile.effective_depth() == 2 <= profile.certified_depth(0.5)
    assert profile.reaches()


def test_modules_without_layers_are_refused():
    with pytest.raises(InputError, match="layers with weights"):
        layer_features(torch.nn.ReLU(), torch.ones(2, 2))
    with pytest.raises(InputError, match=r"torch\.nn\.Module"):
        layer_features("net", torch.ones(2, 2))
