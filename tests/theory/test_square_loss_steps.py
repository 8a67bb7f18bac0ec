"""The printed steps of SGD beside automatic differentiation of an explicit network."""

from fractions import Fraction

import numpy as np
import pytest

from ncbounds.arithmetic.floats import torch_namespace
from ncbounds.theory.square_loss.binary_margins import opposite_samples, two_layer_margins
from ncbounds.theory.square_loss.rank_at_rest import all_but_one, resting_network
from ncbounds.theory.square_loss.rank_one import outputs_and_factors, pushes, second_invariant

torch = pytest.importorskip("torch")
XP = torch_namespace()


def network(seed):
    """Three unit layers, four samples and labels, a batch of one."""
    rng = np.random.default_rng(seed)
    shapes = {"first": (3, 2), "second": (4, 3), "third": (4,)}
    layers = {}
    for name, shape in shapes.items():
        values = rng.standard_normal(shape)
        layers[name] = torch.tensor(values / np.linalg.norm(values))[None]
    x = torch.tensor(rng.standard_normal((1, 4, 2)))
    return layers, x, torch.tensor([[1.0, -1.0, 1.0, -1.0]], dtype=torch.float64)


def plain_outputs(layers, x):
    hidden = torch.relu(x @ layers["first"].transpose(1, 2))
    above = torch.relu(hidden @ layers["second"].transpose(1, 2))
    return (above * layers["third"][:, None, :]).sum(-1)


@pytest.mark.parametrize("seed", range(4))
def test_autograd_of_the_lagrangian_is_minus_the_mean_push(seed):
    layers, x, y = network(seed)
    rho, decay = torch.tensor(1.7, dtype=torch.float64), 0.3
    leaves = {name: layer.clone().requires_grad_() for name, layer in layers.items()}
    scale = rho.clone().requires_grad_()
    margins = y * plain_outputs(leaves, x)
    z = (rho * margins).detach()
    nu = (z - z * z).mean()  # equation (4), one multiplier for all layers
    norms = sum(leaf.square().sum() - 1 for leaf in leaves.values())
    loss = (1 - scale * margins).square().mean() + nu * norms + decay * scale**2
    loss.backward()
    _, factors = outputs_and_factors(XP, layers["first"], layers["second"], layers["third"], x)
    for name, (a, b) in zip(layers, factors, strict=True):
        V = layers[name] if layers[name].ndim == 3 else layers[name][:, None, :]
        _, _, push = pushes(XP, V, y[..., None] * a, b, rho[None])
        expected = (-2 * rho * push.mean(1)).reshape(layers[name].shape)
        assert torch.allclose(leaves[name].grad, expected, atol=1e-12)
    residual = 1 - z
    by_rho = -2 * (residual * margins.detach()).mean() + 2 * decay * rho
    assert torch.allclose(scale.grad, by_rho, atol=1e-12)


def test_autograd_vanishes_for_every_batch_of_a_resting_network():
    made = resting_network(
        XP,
        *(torch.tensor([v], dtype=torch.float64) for v in ([1.0, 2.0], [3.0, 1.0], [1.0, -2.0])),
        torch.tensor([1 / 3], dtype=torch.float64),
        torch.tensor([2.0], dtype=torch.float64),
        torch.tensor([[1.0, 0.0, 1.0]], dtype=torch.float64),
    )
    leaves = {name: made[name].clone().requires_grad_() for name in ("first", "second", "third")}
    rho = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    for batch in ([0], [1], [2], [0, 1], [1, 2]):
        unit = {
            name: leaf / leaf.square().sum().sqrt() for name, leaf in leaves.items()
        }  # weight normalisation in place of the multiplier
        margins = plain_outputs(unit, made["x"][:, batch])
        loss = (1 - rho * margins).square().mean() + made["lambda_"][0] * rho**2
        for slope in torch.autograd.grad(loss, [*leaves.values(), rho]):
            assert slope.abs().max() < 1e-14
    assert second_invariant(XP, made["second"]).abs().max() < 1e-14


def test_descent_finds_unequal_margins_for_two_opposite_samples():
    """Plain gradient descent on another, wider network reaches the least loss and its gaps."""
    one = torch.ones(1, dtype=torch.float64)
    made = opposite_samples(XP, torch.tensor([[0.2, 0.5]], dtype=torch.float64), 0.9 * one, one)
    generator = torch.Generator().manual_seed(1)
    first = torch.randn(1, 6, 2, dtype=torch.float64, generator=generator).requires_grad_()
    second = torch.randn(1, 6, dtype=torch.float64, generator=generator).requires_grad_()
    optimiser = torch.optim.Adam([first, second], lr=0.05)
    for _ in range(500):
        optimiser.zero_grad()
        margins = two_layer_margins(XP, first, second, made["samples"], made["labels"])
        size = first.square().sum() * second.square().sum()
        loss = (1 - margins).square().mean() + made["lambda_"][0] * size
        loss.backward()
        optimiser.step()
    least = (0.2**2 + 0.5**2) / 2 + (made["lambda_"] * made["rho"] ** 2).item()
    assert loss.item() == pytest.approx(least, rel=1e-3)
    assert (1 - margins[0]).tolist() == pytest.approx([0.2, 0.5], rel=1e-2)


def test_a_sample_is_the_sum_of_the_batches_that_hold_it_less_the_one_that_does_not():
    g = np.array([[Fraction(3), Fraction(-1), Fraction(5), Fraction(7)]], dtype=object)
    size = g.shape[1] - 1
    total = g.sum()
    batches = [(total - entry) / size for entry in g[0]]
    for i, entry in enumerate(g[0]):
        others = sum(batches) - batches[i]
        assert others - (size - 1) * batches[i] == entry
    found = all_but_one(XP, torch.tensor([[3.0, -1.0, 5.0, 7.0]]))
    assert found[0].tolist() == pytest.approx([float(mean) for mean in batches])
