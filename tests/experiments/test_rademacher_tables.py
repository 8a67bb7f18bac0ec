"""Tables of bounds beside true complexities and beside test errors, on little time."""

import csv
import json

import numpy as np
import pytest

from experiments import complexity_table, generalization_table
from ncbounds.errors import InputError
from ncbounds.report.generalization import compare_file

pytest.importorskip("sklearn")


@pytest.mark.parametrize("data", complexity_table.SHAPES)
@pytest.mark.parametrize("L", [1, 2, 3])
def test_no_bound_is_below_the_truth(L, data):
    row = complexity_table.tree_row(L, 3, data, seed=1)
    assert 0 < row.lower <= row.upper
    assert len(row.bounds) >= 6
    for name, value in row.bounds.items():
        assert value >= row.lower * (1 - 1e-12), name


def test_the_complexity_table_is_printed_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(complexity_table, "SAMPLES", {1: (2,), 2: (3,)})
    monkeypatch.setattr(complexity_table, "SHALLOW", ((3, 2),))
    path = complexity_table.main(tmp_path)
    written = json.loads(path.read_text())
    assert len(written["trees"]) == 8 and len(written["others"]) == 3
    with (tmp_path / "complexity_table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["lower"]) for row in rows] == [one["lower"] for one in written["trees"]]
    assert "hidden unit" in capsys.readouterr().out


@pytest.mark.parametrize("name", generalization_table.NETWORKS)
def test_every_network_trains_and_is_bounded(name):
    pytest.importorskip("torch")
    task = generalization_table.load("digits 6/7", 0)
    found = generalization_table.run(task, name, 0, 1e-2, epochs=20)
    bounds = generalization_table.error_bounds(found.report)
    assert bounds and all(one.holds for one in bounds.values())
    assert ("square:theorem-4" in found.report.skipped) == (name != "tree")
    weights = [layer.filter_norm for layer in found.network.learned]
    assert found.network.rho == pytest.approx(np.prod(weights))


def test_the_generalization_table_is_printed_and_its_files_compare(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.setattr(generalization_table, "EPOCHS", 60)
    monkeypatch.setattr(generalization_table, "NETWORKS", ("linear", "conv"))
    monkeypatch.setattr(generalization_table, "WEIGHT_DECAYS", (1e-2,))
    tasks = {"digits 6/7": generalization_table.TASKS["digits 6/7"]}
    monkeypatch.setattr(generalization_table, "TASKS", tasks)
    path = generalization_table.main(tmp_path)
    assert "best margin" in capsys.readouterr().out
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["network"] for row in rows] == ["linear", "conv"]
    again = compare_file(tmp_path / "generalization_digits_6-7_conv_0.01.safetensors")
    assert again.network["rho"] == pytest.approx(float(rows[1]["rho"]))


def test_a_tree_needs_a_power_of_two_of_pixels():
    pytest.importorskip("torch")
    with pytest.raises(InputError, match="power of two"):
        generalization_table.build("tree", (14, 14), 0)
