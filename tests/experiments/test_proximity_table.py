"""The table over data sets, networks and weight decays, on little data."""

import csv

import pytest
from click.testing import CliRunner

from experiments import __main__ as command
from experiments import proximity_table
from experiments.training.data import digits
from experiments.training.networks import Architecture
from experiments.training.runs import load_runs
from ncbounds.errors import InputError

pytest.importorskip("torch")
pytest.importorskip("sklearn")


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(proximity_table, "DATA_SETS", {"digits": digits})
    networks = (Architecture("mlp", (16, 16)), Architecture("conv", (16,), (4,)))
    monkeypatch.setattr(proximity_table, "ARCHITECTURES", networks)
    monkeypatch.setattr(proximity_table, "PER_CLASS", 6)
    monkeypatch.setattr(proximity_table, "EPOCHS", 150)


def run(tmp_path):
    return CliRunner().invoke(command.main, ["proximity-table", "--out", str(tmp_path)])


def test_the_table_sets_guarantees_beside_measurements(small, tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    with (tmp_path / "proximity_table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows[::3]] == ["digits-mlp-0.001", "digits-conv-0.001"]
    for row in rows:
        number = {name: float(value) for name, value in row.items() if name != "run"}
        assert row["run"] in result.output
        assert number["train_error"] == 0
        assert 0 < number["variability"] <= number["variability_bound"]
        assert 0 < number["angle"] <= number["angle_bound"]
        assert number["variability_bound"] == pytest.approx(number["gap"] * (2 - number["gap"]))
    runs = load_runs(tmp_path / "proximity_table_digits-conv.safetensors")
    assert [found.weight_decay for found in runs] == [1e-3, 2e-3, 3e-3]


def test_training_error_that_is_left_is_an_error(small, tmp_path, monkeypatch):
    monkeypatch.setattr(proximity_table, "EPOCHS", 2)
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "training error left after 2 epochs: digits-mlp-0.001 (" in result.output
    assert not (tmp_path / "proximity_table.csv").exists()
    assert len(load_runs(tmp_path / "proximity_table_digits-mlp.safetensors")) == 3


def test_progress_counts_the_epochs_of_all_networks(small):
    seen = []
    proximity_table.train(0, (1e-3,), 2, progress=lambda *counted: seen.append(counted))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_bad_options_are_named_before_any_work():
    with pytest.raises(InputError, match=r"^weight_decays = "):
        proximity_table.train(weight_decays=(-1.0,))


def test_the_command_lists_experiments_and_not_what_they_share():
    listed = CliRunner().invoke(command.main, ["list"]).output
    assert "proximity-table" in listed and "training" not in listed.split()
