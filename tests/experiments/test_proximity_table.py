"""The table over data sets, networks and weight decays, on little data."""

import csv
import math

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
        assert number["train error"] == 0
        gap = 1 - math.cos(math.radians(number["angle from mean loss"]))
        assert number["variability from mean loss"] == pytest.approx(gap * (2 - gap))
        for name in proximity_table.QUANTITIES:
            bounds = {key: value for key, value in number.items() if key.startswith(f"{name} from")}
            ratios = [value for key, value in bounds.items() if key.endswith(", ratio")]
            assert len(bounds) == 2 * len(ratios) > 0
            assert all(ratio >= 1 for ratio in ratios) and number[name] > 0
        assert sum(name.startswith("printed") for name in number) == 12
        assert number["printed 2.1 inter, kappa = 10, log10"] > 2
    assert max(map(len, result.output.splitlines())) < 130
    assert "variability, from the mean loss: " in result.output
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
    names = {line.split()[0] for line in listed.splitlines()}
    assert "proximity-table" in names and not names & {"training", "running", "published"}
