"""Optimisers on little data: what is recorded, told and drawn; the paper's path on tiny images."""

from dataclasses import replace

import numpy as np
import pytest

from experiments import optimizers
from experiments.optimizers import EXPERIMENT, SCALES, Settings
from experiments.running import run
from experiments.training.data import Split, digits
from experiments.training.modules import (
    Recipe,
    features_of,
    perceptron,
    residual_network,
    train_module,
    weights_of,
)
from ncbounds.errors import InputError

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("optimizers")

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

SMALL = Settings(("digits",), per_class=8, width=24, epochs=30, batch=20, points=4)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("optimizers")
    return run(EXPERIMENT, folder, seeds=1, settings=SMALL, workers=1), folder


def test_every_optimiser_is_recorded_on_the_way(results):
    found, folder = results
    assert len(found.records) == 3
    for r in found.records:
        assert [point["epoch"] for point in r["way"]] == [0, 1, 3, 10, 30]
        assert r["train_error"] < 0.2 and r["nc1.pinv"] < r["start"]
        bound = r["guaranteed"]["intra mean, mean loss"]
        assert bound is None or 1 - r["cosine.intra.mean"] <= bound
        assert r["test_weak"] <= r["test_strong"]
    assert (folder / "optimizers.png").stat().st_size > 1000


def test_a_planted_fault_in_the_records_changes_the_findings(results):
    records = results[0].records
    right = optimizers.findings(records, SMALL)
    assert all(len(one.effects) == 1 for one in right)
    names = {"sgd": "l-bfgs", "l-bfgs": "sgd", "adam": "l-bfgs"}
    wrong = [{**r, "optimiser": names[r["optimiser"]]} for r in records if r["optimiser"] != "adam"]
    wrong += [{**r, "optimiser": "adam"} for r in records if r["optimiser"] == "l-bfgs"]
    swapped = optimizers.findings(wrong, SMALL)[1]
    assert swapped.effects != pytest.approx(right[1].effects)
    unfit = optimizers.findings([{**r, "train_error": 0.1} for r in records], SMALL)
    assert unfit[0].verdict == "undecided"
    assert len(optimizers.table(records, SMALL).splitlines()) == 2 + 3


def test_second_order_steps_reach_a_lower_loss_in_as_many_passes():
    data = digits(0, 8)
    losses = {}
    for optimiser, rate in (("sgd", 1e-3), ("l-bfgs", 0.1)):
        net = perceptron(data, 16, 2, 0)
        recipe = Recipe(optimiser, rate, 0.0, 25, batch=80)
        train_module(net, data.train_x, data.train_y, recipe, seed=0)
        logits = features_of(net, data.train_x)[1]
        own = logits[np.arange(80), data.train_y]
        losses[optimiser] = np.mean(np.log(np.exp(logits).sum(1)) - own)
    assert losses["l-bfgs"] < 0.6 * losses["sgd"]


def test_the_statistics_of_batch_norm_are_those_of_all_samples():
    data = digits(0, 8)
    net = perceptron(data, 16, 2, 0)
    train_module(net, data.train_x, data.train_y, Recipe(epochs=3, batch=20), seed=0)
    before = data.train_x @ net[0][0].weight.detach().double().numpy().T
    before += net[0][0].bias.detach().double().numpy()
    np.testing.assert_allclose(net[0][1].running_mean.numpy(), before.mean(0), atol=1e-5)
    assert features_of(net, data.train_x)[1].shape == (80, 10) and not net.training


def test_residual_networks_learn_colour_images():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 6)
    x = rng.random((18, 3, 8, 8))
    x[np.arange(18), y] += 1.0  # each class has its colour
    data = Split(x.reshape(18, -1), y, x.reshape(18, -1), y, (8, 8))
    net = residual_network(data, (4, 6), 1, 0)
    train_module(net, data.train_x, y, Recipe(epochs=12, batch=9), seed=0)
    features, logits = features_of(net, data.train_x)
    assert features.shape == (18, 6) and weights_of(net).shape == (3, 6)
    assert (logits.argmax(1) == y).all()


def test_resnet18_has_as_many_parameters_as_it_should():
    images = np.zeros((10, 3072), dtype=np.float32)
    data = Split(images, np.arange(10), images, np.arange(10), (32, 32))
    net = residual_network(data, (64, 128, 256, 512), 2, 0)
    # 11,173,962 of the usual variant for images of 32 x 32, less the ten biases of its last layer.
    assert sum(p.numel() for p in net.parameters()) == 11_173_952


@pytest.mark.parametrize(
    "wrong", [{"optimiser": "newton"}, {"epochs": 0}, {"batch": 1}], ids=lambda w: next(iter(w))
)
def test_bad_recipes_are_refused(wrong):
    data = digits(0, 2)
    with pytest.raises(InputError, match=r"optimiser|recipe"):
        net = perceptron(data, 4, 2, 0)
        train_module(net, data.train_x, data.train_y, replace(Recipe(), **wrong), seed=0)


def test_the_papers_scale_wants_the_users_data(tmp_path):
    with pytest.raises(InputError, match="--data"):
        run(EXPERIMENT, tmp_path, scale="paper", seeds=1, settings=SCALES["paper"], workers=1)
