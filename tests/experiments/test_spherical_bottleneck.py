"""Training on a sphere of three dimensions, on little time."""

import numpy as np
import pytest
from click.testing import CliRunner

import ncbounds
from experiments import __main__ as command
from experiments import spherical_bottleneck
from experiments.spherical_bottleneck import train
from ncbounds.errors import InputError
from ncbounds.measure import read_features

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def runs():
    return train(seed=1, temperatures=(0.1, 0.5), epochs=25)


def test_features_and_weights_lie_on_the_sphere(runs):
    for run in runs:
        assert run.features.shape == (1740, 3) and run.weights.shape == (10, 3)
        for rows in (run.features, run.weights):
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-12)


def test_training_learns_and_records(runs):
    for run in runs:
        assert run.epochs[0] == 1 and run.epochs[-1] == 25
        assert all(len(values) == len(run.epochs) for values in run.history.values())
        assert run.history["accuracy"][-1] > 0.2
        loss = run.history["loss.cross_entropy.spherical"]
        assert loss[-1] < 0.9 * loss[0]


def test_what_is_recorded_is_what_is_measured(runs):
    for run in runs:
        found = ncbounds.measure(
            run.features, run.labels, run.weights, temperature=run.temperature
        ).metrics
        assert {name: found[name] for name in run.history} == pytest.approx(
            {name: values[-1] for name, values in run.history.items()}
        )


def test_hardmax_never_certifies_more_than_the_distance(runs):
    for run in runs:
        assert (-run.history["loss.hardmax"] <= run.history["gnc2"] + 1e-12).all()


def test_same_seed_same_numbers(runs):
    again = train(seed=1, temperatures=(0.1, 0.5), epochs=25)
    for first, second in zip(runs, again, strict=True):
        np.testing.assert_array_equal(first.weights, second.weights)


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"temperatures": (0.0,)}, "temperature"),
        ({"temperatures": ()}, "temperatures"),
        ({"temperatures": (0.1, 0.1)}, "temperatures"),
        ({"dimension": 0}, "dimension"),
        ({"epochs": 0}, "epochs"),
    ],
)
def test_bad_options_are_named(options, parameter):
    with pytest.raises(InputError) as caught:
        train(**options)
    assert caught.value.parameter == parameter


def test_the_command_writes_a_figure_and_files_that_can_be_compared(monkeypatch, tmp_path):
    monkeypatch.setattr(spherical_bottleneck, "EPOCHS", 6)
    monkeypatch.setattr(spherical_bottleneck, "TEMPERATURES", (0.1,))
    done = CliRunner().invoke(command.main, ["spherical-bottleneck", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "spherical_bottleneck.png").stat().st_size > 10_000
    data = read_features(tmp_path / "spherical_bottleneck-0.1.npz")
    assert data.temperature == 0.1
    report = ncbounds.compare(
        data.features, data.labels, data.weights, temperature=data.temperature
    )
    ours = [b for b in report.bounds if b.id in ("gnc:eq-5", "gnc:lemma-3.1")]
    assert len(ours) == 8 and all(b.holds for b in ours)
