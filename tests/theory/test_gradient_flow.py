"""The flow of the square loss, integrated: norms are kept, the loss falls, rho comes to rest."""

import numpy as np
import pytest

from ncbounds.arithmetic.floats import numpy_namespace, torch_namespace
from ncbounds.theory.square_loss.flow_network import (
    Margins,
    Multipliers,
    loss_gradient,
    multiplier,
    normalised,
    printed_flow,
    same_for_all,
    square_norms,
)

XP = numpy_namespace()
#: Inputs, labels and weights without a negative entry: no unit comes near its kink, where the flow
#: has no derivative, slides, and an integrator keeps nothing.
X = np.array([[[1.0, 0.2, 0.1], [0.3, 1.0, 0.4], [0.2, 0.5, 1.0]]])
Y = np.ones((1, 3))


def start(seed=1):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 1.5, size=(1, 2, 3, 3)), rng.uniform(0.5, 1.5, size=(1, 3))
    V, top, _ = normalised(XP, *weights)
    return np.ones(1), V, top


def on_the_spheres(decay):
    def flow(rho, W, v):
        return printed_flow(XP, rho, W, v, Margins.of(XP, W, v, X, Y), decay)

    return flow


def with_multipliers(decay):
    """(2) with the multiplier of (4), wherever the weights are."""

    def flow(rho, W, v):
        nu = multiplier(rho, Margins.of(XP, W, v, X, Y))
        gradient = -loss_gradient(XP, rho, W, v, X, Y, same_for_all(nu, W), decay)
        return gradient.rho, gradient.W, gradient.v

    return flow


def integrated(flow, state, time, steps):
    """Runge-Kutta of order 4; all states on the way."""
    h, path = time / steps, [state]
    for _ in range(steps):
        one = flow(*state)
        two = flow(*(s + h / 2 * k for s, k in zip(state, one, strict=True)))
        three = flow(*(s + h / 2 * k for s, k in zip(state, two, strict=True)))
        four = flow(*(s + h * k for s, k in zip(state, three, strict=True)))
        slopes = zip(one, two, three, four, strict=True)
        state = tuple(
            s + h / 6 * (a + 2 * b + 2 * c + d)
            for s, (a, b, c, d) in zip(state, slopes, strict=True)
        )
        path.append(state)
    return path


def loss(rho, W, v, decay):
    margins = Margins.of(XP, W, v, X, Y)
    return (1 - 2 * rho * margins.mu + rho * rho * (margins.M + decay)).item()


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_the_flow_keeps_the_norms_and_never_raises_the_loss(decay):
    path = integrated(on_the_spheres(decay), start(), 4.0, 80)
    for _, W, v in path[::10]:
        assert np.allclose(square_norms(XP, W), 1, atol=1e-6)
        assert np.allclose((v * v).sum(), 1, atol=1e-6)
    losses = [loss(*state, decay) for state in path]
    assert np.diff(losses).max() <= 0
    assert losses[-1] < losses[0] / 2


def test_rho_comes_to_rest_where_equation_7_says_and_the_loss_is_the_gap():
    rho, W, v = integrated(on_the_spheres(0.05), start(), 60.0, 400)[-1]
    margins = Margins.of(XP, W, v, X, Y)
    assert rho == pytest.approx(margins.mu / (margins.M + 0.05), rel=1e-4)
    assert loss(rho, W, v, 0.05) == pytest.approx((1 - rho * margins.mu).item(), rel=1e-4)


@pytest.mark.parametrize(("rho", "attracts"), [(0.2, True), (60.0, False)])
def test_the_spheres_attract_or_repel_with_the_sign_of_the_multiplier(rho, attracts):
    _, V, top = start()
    nu = multiplier(np.array([rho]), Margins.of(XP, V, top, X, Y))
    assert (nu.item() > 0) == attracts
    state = (np.array([rho]), 1.001 * V, 1.001 * top)
    time = 0.01 / abs(nu.item())
    path = integrated(with_multipliers(0.0), state, time, 20)
    before, after = (square_norms(XP, path[place][1]) - 1 for place in (0, -1))
    assert ((after < before) == attracts).all()


def test_the_norms_leave_the_spheres_at_the_rate_of_four_multipliers():
    rho, V, top = start()
    state = (rho, 1.1 * V, 0.9 * top)
    path = integrated(with_multipliers(0.1), state, 1.0, 100)
    rates = [multiplier(r, Margins.of(XP, W, v, X, Y)).item() for r, W, v in path]
    grown = np.exp(-4 * np.trapezoid(rates, dx=1.0 / 100))
    first, last = path[0], path[-1]
    for off in (lambda s: square_norms(XP, s[1])[0, 0] - 1, lambda s: (s[2] ** 2).sum() - 1):
        assert off(last) == pytest.approx(off(first) * grown, rel=1e-4)


def test_with_weight_decay_a_linear_network_ends_in_ridge_regression_with_unequal_margins():
    sizes, decay, rho, V = np.array([1.0, 0.5]), 0.1, 1.0, np.array([0.6, 0.8])
    for _ in range(6_000):
        f = sizes * V
        residual = 1 - rho * f
        rate = 2 * (residual * f).mean() - 2 * decay * rho
        V = V + 0.03 * 2 * rho * (residual * sizes - V * (residual * f).sum()) / 2
        rho, V = rho + 0.03 * rate, V / np.linalg.norm(V)
    expected = sizes**2 / (sizes**2 + 2 * decay)
    assert rho * sizes * V == pytest.approx(expected, rel=1e-6)
    assert expected[0] > 1.4 * expected[1]


def test_the_gradient_is_that_of_torch():
    torch = pytest.importorskip("torch")
    rng, xp = np.random.default_rng(0), torch_namespace()
    at = [rng.normal(size=s) for s in ((5,), (5, 2, 3, 3), (5, 3))]
    x, y = rng.normal(size=(5, 4, 3)), (rng.random((5, 4)) < 0.5).astype(float)
    nu, decay = Multipliers(rng.normal(size=(5, 2)), rng.normal(size=5)), rng.random(5)
    found = loss_gradient(XP, *at, x, y, nu, decay)
    rho, W, v = (torch.tensor(a, requires_grad=True) for a in at)
    a = torch.tensor(x)
    for k in range(2):
        a = torch.relu(torch.einsum("bij,bnj->bni", W[:, k], a))
    f, labels = torch.einsum("bj,bnj->bn", v, a), torch.tensor(2 * y - 1)
    whole = ((rho[:, None] * f - labels) ** 2).mean(-1) + torch.tensor(decay) * rho**2
    whole = whole + (torch.tensor(nu.hidden) * ((W**2).sum((-1, -2)) - 1)).sum(-1)
    whole = whole + torch.tensor(nu.last) * ((v**2).sum(-1) - 1)
    expected = torch.autograd.grad(whole.sum(), (rho, W, v))
    for ours, theirs in zip((found.rho, found.W, found.v), expected, strict=True):
        assert np.allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)
    over_torch = loss_gradient(
        xp,
        *map(torch.tensor, at),
        torch.tensor(x),
        torch.tensor(y),
        Multipliers(torch.tensor(nu.hidden), torch.tensor(nu.last)),
        torch.tensor(decay),
    )
    assert np.allclose(over_torch.W.numpy(), found.W)
