"""The digits experiment: shapes, determinism, batch normalisation, its errors."""

import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from comparing import same_run

from experiments import __main__ as command
from experiments import proximity_digits
from experiments.proximity_digits import train
from experiments.training.runs import Run, load_runs
from ncbounds.errors import InputError, MissingDependencyError

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("proximity_digits")

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

DECAYS = (1e-3, 3e-3)
EPOCHS = 12
N, D, K = 1740, 64, 10


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return train(seed=3, weight_decays=DECAYS, epochs=EPOCHS)


def test_one_run_for_every_architecture_and_weight_decay(runs: list[Run]) -> None:
    assert [(run.name, run.batch_norm, run.weight_decay) for run in runs] == [
        ("bn-0.001", True, 1e-3),
        ("bn-0.003", True, 3e-3),
        ("plain-0.001", False, 1e-3),
        ("plain-0.003", False, 3e-3),
    ]


def test_shapes_and_balance(runs: list[Run]) -> None:
    for run in runs:
        assert run.features.shape == (N, D)
        assert run.weights.shape == (K, D)
        np.testing.assert_array_equal(np.bincount(run.labels), np.full(K, N // K))
        assert {key: values.shape for key, values in run.history.items()} == {
            "loss": (EPOCHS,),
            "train_error": (EPOCHS,),
        }
        assert (run.gamma is not None) == run.batch_norm
        assert run.seconds > 0


def test_a_few_epochs_already_learn(runs: list[Run]) -> None:
    for run in runs:
        assert run.history["loss"][-1] < 0.7 * run.history["loss"][0]
        assert run.train_accuracy > 0.5
        assert run.test_accuracy > 0.4
        assert run.interpolates == (run.train_accuracy == 1)


def test_accuracy_and_labels_belong_to_the_features_and_weights(runs: list[Run]) -> None:
    for run in runs:
        guesses = np.argmax(run.features @ run.weights.T, axis=1)
        assert np.mean(guesses == run.labels) == run.train_accuracy


def test_batch_normalised_features_have_mean_zero_and_norm_gamma(runs: list[Run]) -> None:
    """`bnwd:proposition-2.1`: mean |h|^2 = |gamma|^2 if no unit is constant."""
    for run in runs:
        if run.gamma is None:
            assert np.abs(run.features.mean(axis=0)).max() > 0.01
            continue
        np.testing.assert_allclose(run.features.mean(axis=0), 0, atol=1e-12)
        alive = run.features.std(axis=0) > 0
        expected = np.sum(run.gamma[alive] ** 2)
        assert np.mean(np.sum(run.features**2, axis=1)) == pytest.approx(expected, rel=1e-4)
        assert np.mean(np.sum(run.features**2, axis=1)) <= np.sum(run.gamma**2) * (1 + 1e-12)


def test_same_seed_same_numbers(runs: list[Run]) -> None:
    for first, second in zip(runs, train(3, DECAYS, EPOCHS), strict=True):
        assert same_run(first, second)


def test_another_seed_another_split_and_start() -> None:
    first, second = train(0, (1e-3,), 1)[0], train(1, (1e-3,), 1)[0]
    assert np.abs(first.weights - second.weights).max() > 1e-2


def test_runs_trained_together_do_not_touch_each_other(runs: list[Run]) -> None:
    """Alone or in a batch: the same network up to the rounding of another matrix kernel."""
    alone = train(3, DECAYS[1:], EPOCHS)[0]
    np.testing.assert_allclose(alone.weights, runs[1].weights, atol=1e-3)


def test_progress_counts_every_epoch_of_both_architectures() -> None:
    seen: list[tuple[int, int]] = []
    train(0, (1e-3,), 2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_number_of_threads_is_given_back() -> None:
    before = torch.get_num_threads()
    train(0, (1e-3,), 1)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("package", ["torch", "sklearn.datasets"])
def test_a_missing_package_says_how_to_install_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r'pip install "ncbounds\[experiments\]"'):
        train(epochs=1)


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"weight_decays": ()}, "weight_decays"),
        ({"weight_decays": (-1.0,)}, "weight_decays"),
        ({"weight_decays": (1e-3, 1e-3)}, "weight_decays"),
        ({"epochs": 0}, "epochs"),
        ({"device": "tpu"}, "device"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], parameter: str) -> None:
    with pytest.raises(InputError, match=f"^{parameter} = "):
        train(**options)  # type: ignore[arg-type]


def test_command_lists_every_experiment() -> None:
    result = CliRunner().invoke(command.main, ["list"])
    assert result.exit_code == 0
    assert "proximity-digits" in result.output
    assert "neural collapse on digits" in result.output


def test_command_runs_an_experiment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(proximity_digits, "EPOCHS", 2)
    result = CliRunner().invoke(command.main, ["proximity-digits", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "training error left" in result.output
    assert len(load_runs(tmp_path / "proximity_digits.safetensors")) == 6


def test_command_names_what_it_does_not_know() -> None:
    result = CliRunner().invoke(command.main, ["nonsense"])
    assert result.exit_code == 2
    assert "NAME = nonsense" in result.output
