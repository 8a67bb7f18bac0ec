"""An ensemble trains each member as it would be trained alone."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from torch.optim.adam import adam  # noqa: E402
from torch.optim.sgd import sgd  # noqa: E402

from experiments.training import ensemble  # noqa: E402
from experiments.training.data import digits  # noqa: E402
from experiments.training.ensemble import (  # noqa: E402
    Member,
    Training,
    evaluate_members,
    train_ensemble,
)
from experiments.training.networks import Architecture, forward, initialise, inputs_of  # noqa: E402
from ncbounds.errors import InputError  # noqa: E402

NETWORK = Architecture("net", (12, 8))
DATA = [digits(seed, per_class=6) for seed in (0, 1)]
MEMBERS = [Member(3, 1e-3), Member(3, 0.1, 3e-3), Member(4, 1e-3, data=1)]


def alone(member, training):
    """The same network by torch's own optimisers, without an ensemble."""
    data = DATA[member.data]
    start = initialise(NETWORK, data, member.seed, 1, "cpu")
    parameters = {key: value.detach().double().requires_grad_() for key, value in start.items()}
    x, y = inputs_of(data.train_x, NETWORK, data), torch.tensor(data.train_y)
    leaves = list(parameters.values())
    states = [[torch.zeros_like(p) for p in leaves] for _ in range(2)]
    steps = [torch.tensor(0.0) for _ in leaves]
    order = torch.Generator().manual_seed(member.seed)
    for _ in range(training.epochs):
        for chosen in torch.randperm(len(y), generator=order).split(training.batch):
            logits = forward(NETWORK, parameters, x[..., chosen])[1][0].T
            penalty = sum(v.square().sum() for k, v in parameters.items() if "bias" not in k)
            loss = torch.nn.functional.cross_entropy(logits, y[chosen])
            gradients = torch.autograd.grad(loss + member.weight_decay / 2 * penalty, leaves)
            rate = {"lr": member.learning_rate, "weight_decay": 0.0, "maximize": False}
            with torch.no_grad():
                if training.optimiser == "adam":
                    adam(
                        leaves, list(gradients), *states, [], steps, foreach=False, amsgrad=False,
                        beta1=0.9, beta2=0.999, eps=1e-8, **rate,
                    )  # fmt: skip
                else:
                    sgd(
                        leaves, list(gradients), states[0], foreach=False, momentum=0.9,
                        dampening=0.0, nesterov=False, **rate,
                    )  # fmt: skip
    return {key: value.detach()[0] for key, value in parameters.items()}


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_member_is_trained_as_it_would_be_alone(optimiser):
    training = Training(
        epochs=3, batch=20, optimiser=optimiser, schedule="constant", precision="float64"
    )
    together = train_ensemble(NETWORK, DATA, MEMBERS, training)
    ends = evaluate_members(NETWORK, DATA, MEMBERS, together.parameters)
    for member, found in zip(MEMBERS, ends, strict=True):
        single = {key: value[None] for key, value in alone(member, training).items()}
        (expected,) = evaluate_members(NETWORK, DATA, [member], single)
        np.testing.assert_allclose(found.features, expected.features, rtol=1e-6, atol=1e-6)


def test_members_differ_by_seed_decay_rate_and_data():
    trained = train_ensemble(NETWORK, DATA, MEMBERS, Training(epochs=2, batch=30))
    weight = trained.parameters["weight.0"]
    assert not any(torch.equal(weight[i], weight[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert trained.loss.shape == trained.train_error.shape == (3, 2)
    assert not trained.recorded


def test_what_is_recorded_is_stacked_and_is_of_its_epoch():
    def norms(epoch, parameters):
        return {
            "norm": parameters["weight.0"].square().sum((1, 2)),
            "epoch": torch.full((3,), epoch),
        }

    trained = train_ensemble(NETWORK, DATA, MEMBERS, Training(epochs=3), record=norms, at=(0, 3))
    assert trained.recorded["epoch"].tolist() == [[0, 0, 0], [3, 3, 3]]
    end = trained.parameters["weight.0"].square().sum((1, 2))
    torch.testing.assert_close(trained.recorded["norm"][1], end)
    assert not torch.equal(trained.recorded["norm"][0], end)


def test_an_ensemble_learns_and_is_evaluated_on_its_own_data():
    members = [Member(0, 1e-4, 2e-2), Member(0, 1e-4, 2e-2, data=1)]
    trained = train_ensemble(NETWORK, DATA, members, Training(epochs=150))
    found = list(evaluate_members(NETWORK, DATA, members, trained.parameters, test=True))
    for data, one in zip(DATA, found, strict=True):
        assert np.mean(one.guesses[0] == data.train_y) == 1
        assert np.mean(one.test_guesses[0] == data.test_y) > 0.5


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [("constant", [1, 1, 1]), ("cosine", [1, 0.5, 0]), ("steps", [1, 0.1, 0.01])],
)
def test_schedules(schedule, factors):
    assert [ensemble._SCHEDULES[schedule](t) for t in (0, 0.5, 1)] == pytest.approx(factors)


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"members": []}, "members"),
        ({"members": [Member(0, -1.0)]}, "weight_decays"),
        ({"members": [Member(0, 0.1, 0.0)]}, "learning_rate"),
        ({"members": [Member(0, 0.1, data=2)]}, "member"),
        ({"data": []}, "data"),
        ({"data": [DATA[0], digits(0, per_class=7)]}, "data"),
        ({"training": Training(optimiser="newton")}, "optimiser"),
        ({"training": Training(batch=1)}, "batch"),
        ({"training": Training(precision="float8")}, "precision"),
        ({"training": Training(epochs=0)}, "epochs"),
    ],
)
def test_bad_input_is_refused(change, parameter):
    given = {"data": DATA, "members": MEMBERS, "training": Training(epochs=1)} | change
    with pytest.raises(InputError, match=parameter):
        train_ensemble(NETWORK, **given)


def test_the_optimiser_that_is_asked_for_is_used(monkeypatch):
    # A planted fault: a rate shared by all runs is noticed by the first test of this file.
    def shared(parameters, rate, training):
        return ensemble._adam(parameters, rate[:1].expand_as(rate), training)

    monkeypatch.setitem(ensemble._STEPS, "adam", shared)
    training = Training(epochs=3, batch=20, schedule="constant")
    trained = train_ensemble(NETWORK, DATA, MEMBERS, training)
    found, expected = (
        next(evaluate_members(NETWORK, DATA, MEMBERS[1:2], parameters)).features
        for parameters in (
            {key: value[1:2] for key, value in trained.parameters.items()},
            {key: value[None] for key, value in alone(MEMBERS[1], training).items()},
        )
    )
    assert np.abs(found - expected).max() > 0.1 * np.abs(expected).mean()
