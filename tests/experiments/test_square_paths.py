"""The flow of normalised networks under the square loss, integrated and in steps."""

import numpy as np
import pytest

from experiments.training.data import digits, two_classes, unit_inputs
from experiments.training.normalised import (
    Samples,
    activations,
    drift,
    flow,
    initial,
    margins,
    norms,
    samples,
)
from experiments.training.paths import descend, integrate, update_norms

pytest.importorskip("sklearn")

DECAYS = np.array([0.0, 1e-2])


@pytest.fixture(scope="module")
def data():
    return samples(unit_inputs(two_classes(digits(0), (3, 8), 0, 8)))


@pytest.fixture(scope="module")
def start():
    return initial(64, (5, 4), [2.0, 6.0], 1)


def test_inputs_have_length_1_and_labels_are_signs(data):
    for part in data:
        np.testing.assert_allclose(np.linalg.norm(part.x, axis=0), 1)
        assert set(part.y) == {-1.0, 1.0}


def test_the_flow_is_the_projected_gradient_of_the_loss(data, start):
    torch = pytest.importorskip("torch")
    rho_dot, V_dot, m = flow(start, data[0], DECAYS)
    for run, decay in enumerate(DECAYS):
        rho = torch.tensor(start.rho[run], requires_grad=True)
        V = [torch.tensor(v[run], requires_grad=True) for v in start.V]
        h = torch.tensor(data[0].x)
        for v in V[:-1]:
            h = torch.relu(v @ h)
        outputs = (V[-1] @ h)[0]
        loss = ((rho * outputs - torch.tensor(data[0].y)) ** 2).mean() + decay * rho**2
        slope, *slopes = torch.autograd.grad(loss, [rho, *V])
        assert rho_dot[run] == pytest.approx(-slope.item(), abs=1e-14)
        np.testing.assert_allclose(m[run], outputs.detach().numpy() * data[0].y, atol=1e-15)
        for mine, theirs, v in zip(V_dot, slopes, V, strict=True):
            normal = (theirs * v).sum() * v
            np.testing.assert_allclose(
                mine[run], (normal - theirs).detach().numpy(), rtol=1e-10, atol=1e-14
            )


@pytest.mark.parametrize("factor", [1.0, 1.1, 0.8])
def test_norms_move_back_to_1_at_the_rate_of_the_multiplier(data, start, factor):
    V = [factor * start.V[0], *start.V[1:]]
    scaled = type(start)(start.rho, V)
    _, V_dot, m = flow(scaled, data[0], DECAYS)
    nu = start.rho * ((1 - start.rho[:, None] * m) * m).mean(1)
    change = 2 * np.einsum("rij,rij->r", V[0], V_dot[0])
    np.testing.assert_allclose(change, 4 * nu * (1 - factor**2), atol=1e-15)


def test_an_integrated_path_keeps_the_norms_and_the_identities(data):
    start = initial(64, (5, 4), [3.0], 1)
    rough, fine = (
        integrate(start, *data, 1e-2, until=6.0, tolerance=tolerance, records=12)
        for tolerance in (1e-2, 1e-4)
    )
    assert fine.norm_drift < 1e-3 and fine.norm_drift < 0.1 * rough.norm_drift
    record = fine.record
    total = record["loss"] + 1e-2 * record["rho"] ** 2
    assert (np.diff(total) <= 1e-12).all()
    # square:lemma-4
    expected = 1 - record["rho"] * (record["rho_dot"] / 2 + record["mu"])
    np.testing.assert_allclose(total, expected, rtol=1e-12)
    assert fine.margins.shape == (len(fine.margins_at), 1, 16)
    assert fine.t[-1] == fine.margins_at[-1] == 6


def test_a_path_that_rests_ends_early_at_the_equilibrium(data):
    start = initial(64, (5, 4), [3.0], 1)
    found = integrate(start, *data, 2e-2, until=2000.0, tolerance=1e-2)
    assert found.settled and found.t[-1] < 2000
    assert found.record["rho"][-1] == pytest.approx(found.record["rho_eq"][-1], rel=1e-3)


def test_small_steps_on_all_samples_follow_the_flow(data):
    start = initial(64, (5, 4), [3.0], 1)
    along = integrate(start, *data, 1e-2, until=2.0, tolerance=1e-4).end
    stepped = descend(
        start, *data, np.array([1e-2]), batch=16, steps=1000, rate=2e-3, seed=0, records=3
    ).end
    np.testing.assert_allclose(stepped.rho, along.rho, rtol=2e-3)
    np.testing.assert_allclose(margins(stepped, data[0]), margins(along, data[0]), atol=2e-3)


def test_batches_keep_norms_and_repeat_with_the_seed(data, start):
    again = [
        descend(start, *data, DECAYS, batch=4, steps=60, rate=0.05, seed=seed) for seed in (3, 3, 4)
    ]
    assert drift(again[0].end.V) < 1e-14
    assert 1e-8 < again[0].norm_drift < 0.1
    np.testing.assert_array_equal(again[0].end.rho, again[1].end.rho)
    assert (again[0].end.rho != again[2].end.rho).all()
    assert again[0].record["stable_rank"].shape == (len(again[0].t), 2, 2)
    assert (again[0].record["rank"] <= 5).all()


def test_updates_of_one_batch_of_all_are_the_gradient(data, start):
    _, V_dot, _ = flow(start, data[0], DECAYS)
    expected = np.stack([norms(v) for v in V_dot], 1)
    np.testing.assert_allclose(update_norms(start, data[0], DECAYS, 16), expected)
    assert (update_norms(start, data[0], DECAYS, 2) > expected).all()


def test_samples_can_be_taken(data):
    part = data[0].take([3, 1])
    assert isinstance(part, Samples) and part.n == 2
    np.testing.assert_array_equal(part.y, data[0].y[[3, 1]])
    assert activations(initial(64, (5,), [1.0], 0).V, part.x)[-1].shape == (1, 1, 2)
