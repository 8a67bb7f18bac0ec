"""The explicit networks of the multiclass square loss, by automatic differentiation and by hand."""

from fractions import Fraction

import numpy as np
import pytest

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign.certify import refute
from ncbounds.theory.square_loss import multiclass_landscape as landscape
from ncbounds.theory.square_loss import multiclass_lemma as lemma
from ncbounds.theory.square_loss import multiclass_networks as networks
from ncbounds.theory.square_loss import multiclass_theorem as theorem
from ncbounds.theory.terms import Claim

torch = pytest.importorskip("torch")
XP = numpy_namespace()


def flipped(alpha, pattern):
    return networks.flipped_network(XP, np.array([alpha]), np.array([pattern], dtype=float))


def autograd(net, batch, lambda_, alpha_of_rho=4.0):
    """The gradients in rho and both layers on one batch, the layers' along the spheres."""
    rho = torch.tensor(alpha_of_rho, dtype=torch.float64, requires_grad=True)
    first, second = (
        torch.tensor(v[0], dtype=torch.float64, requires_grad=True) for v in (net.first, net.second)
    )
    x = torch.tensor(np.stack([net.inputs[0, c, n] for c, n in enumerate(batch)]))
    e = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
    f = torch.relu(x @ first.T) @ second.T
    loss = ((rho * f - e) ** 2).sum(dim=1).mean() + lambda_ * rho**2
    in_rho, in_first, in_second = torch.autograd.grad(loss, (rho, first, second))
    along = [g - (g * v).sum() * v for g, v in ((in_first, first), (in_second, second))]
    return [v.detach().numpy() for v in (in_rho, along[1], along[0])]


@pytest.mark.parametrize("lambda_", [3 / 128, 0.3])
def test_gradients_of_the_two_layer_network_are_those_of_automatic_differentiation(lambda_):
    net = flipped(0.25, [[0, 1], [0, 0]])
    for batch in networks.balanced_batches(2, 2):
        ours = networks.batch_gradients(XP, net, np.array([lambda_]), batch)
        for mine, theirs in zip(ours, autograd(net, batch, lambda_), strict=True):
            assert mine[0] == pytest.approx(theirs, abs=1e-14)


def test_at_rest_exactly_for_the_right_weight_decay_and_no_other():
    net = flipped(0.25, [[0, 1], [0, 0]])
    for batch in networks.balanced_batches(2, 2):
        assert all((g == 0).all() for g in autograd(net, batch, 0.25 * 0.75 / 8))
        assert autograd(net, batch, 0.3)[0] != 0


@pytest.mark.parametrize("name", ["one constant", "NC1", "NC3", "NC4 at h = (1, 1)"])
def test_each_property_fails_with_certainty_at_one_network(name):
    fields, axes = networks.FLIPPED_FIELDS, networks.FLIPPED_AXES
    claim = Claim(networks.flipped_claim((name,)), fields, networks.FLIPPED_SIZES, axes)
    instance = {
        "alpha": np.array(Fraction(1, 4), dtype=object),
        "flipped": np.array([[Fraction(1), Fraction(0)], [Fraction(0)] * 2], dtype=object),
    }
    found = refute(claim, instance)
    assert found is not None and found.comparison == name


def test_the_inputs_have_norm_at_most_one_as_the_paper_asks():
    for alpha in (0.01, 0.5, 0.99):
        net = flipped(alpha, [[0, 1], [1, 0]])
        assert np.linalg.norm(net.inputs, axis=-1).max() <= 1


def test_the_ridge_network_of_the_remark_has_the_output_that_is_told():
    x = np.array([[1.5, 0.5, 1.0], [-1.5, 0.5, 1.0], [0.0, -1.0, 1.0]])
    e = landscape.targets(XP, np.zeros(1), 3)[0]
    w = e.T @ x @ np.linalg.inv(x.T @ x + 3 * 0.5 * np.eye(3))
    assert np.linalg.matrix_rank(x) == 3
    assert w @ x[0] == pytest.approx([11 / 16, -7 / 16, -1 / 4])


def test_two_layers_attain_their_least_loss_with_two_margins_where_the_norms_differ():
    a, margins, lambda_ = np.array([1, 0.5]), np.array([10 / 13, 7 / 13]), 1 / 16
    rho = np.sqrt(2) * (margins / a).sum()
    s = np.sqrt(np.sqrt(2) * margins / (rho * a))
    e = np.array([[1.0, -1.0], [-1.0, 1.0]])
    first, second = np.diag(s), e.T / np.sqrt(2) * s
    f = np.maximum(first * a, 0).T @ second.T
    loss = ((rho * f - e) ** 2).sum(axis=1).mean() + lambda_ * rho**2
    assert np.linalg.norm(first) == pytest.approx(1) == np.linalg.norm(second)
    assert rho * (f * e).sum(axis=1) / 2 == pytest.approx(margins)
    assert loss == pytest.approx(9 / 13)
    assert lemma.least_symmetric_loss(XP, C=2, lambda_=lambda_, P=3.0) == pytest.approx(18 / 25)


def test_no_network_beats_the_uncollapsed_one():
    net, lambda_ = flipped(0.25, [[0, 1], [0, 0]]), 3 / 128
    x, e = torch.tensor(net.inputs.reshape(4, 4)), torch.tensor(net.targets.reshape(4, 2))

    def loss(first, second):
        rho = torch.linalg.norm(first) * torch.linalg.norm(second)
        return ((torch.relu(x @ first.T) @ second.T - e) ** 2).sum(dim=1).mean() + lambda_ * rho**2

    least = loss(torch.tensor(4 * net.first[0]), torch.tensor(net.second[0])).item()
    torch.manual_seed(0)
    found = []
    for _ in range(2):
        layers = [
            torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in ((6, 4), (2, 6))
        ]
        adam = torch.optim.Adam(layers, lr=0.05)
        for _ in range(300):
            adam.zero_grad()
            loss(*layers).backward()
            adam.step()
        found.append(loss(*layers).item())
    assert min(found) >= least - 1e-12
    assert min(found) == pytest.approx(least, rel=1e-2)


def test_nothing_is_left_of_the_guarantees_at_an_exact_collapse():
    C, alpha, lambda_ = 3, Fraction(3, 4), Fraction(1, 16)
    w = [[Fraction(1) if r == c else Fraction(-1, 2) for r in range(C)] for c in range(C)]
    h = [[[alpha if r == c else Fraction(0) for r in range(C)]] * 2 for c in range(C)]
    with balls.precision(128):
        judged = theorem.near_collapse(
            balls,
            **{
                name: balls.asarray(np.array([value], dtype=object))
                for name, value in {
                    "w": w,
                    "h": h,
                    "x": [Fraction(1), Fraction(2), Fraction(-1)],
                    "alpha": alpha,
                    "lambda_": lambda_,
                    "epsilon": Fraction(0),
                    "delta": Fraction(0),
                }.items()
            },
        )
        for comparison in (*judged.hypotheses, *judged.conclusions):
            assert float(abs(comparison.rhs.data.ravel()[0]).upper()) == 0, comparison.name
            sides = comparison.lhs.data.ravel()
            assert all(float(abs(side).upper()) < 1e-15 for side in sides), comparison.name


def test_targets_are_centred_with_largest_entry_one():
    e = landscape.targets(XP, np.zeros(1), 4)[0]
    assert e == pytest.approx(4 / 3 * (np.eye(4) - 1 / 4))
