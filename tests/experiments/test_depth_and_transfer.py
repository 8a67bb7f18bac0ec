"""The experiments on depth and on transfer, on little time."""

import json
from dataclasses import replace

import numpy as np
import pytest

from experiments import effective_depth, transfer_error
from ncbounds.errors import InputError

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

DEPTH = replace(
    effective_depth.SETTINGS,
    data="digits",
    per_class=20,
    widths=(16, 16),
    shares=(0.0, 0.2),
    seeds=1,
    epochs=4,
)
TRANSFER = replace(
    transfer_error.SETTINGS,
    data="digits",
    per_class=40,
    widths=(16, 8),
    sources=(2, 3),
    targets=3,
    shots=(1, 3),
    draws=8,
    seeds=1,
    epochs=4,
)


def test_a_share_of_labels_is_changed_and_each_to_another_class():
    y = np.repeat(np.arange(5), 20)
    assert (effective_depth.relabelled(y, 0.3, 0) != y).sum() == 30
    assert set(effective_depth.relabelled(y, 1.0, 1)) == set(range(5))


def test_depth_is_measured_and_set_beside_its_bounds(tmp_path):
    path = effective_depth.main(tmp_path, settings=DEPTH)
    kept = json.loads(path.with_suffix(".json").read_text())
    assert [run["share"] for run in kept["alone"]] == [0.0, 0.2]
    for run in kept["alone"] + kept["both"]:
        assert 1 <= run["effective_depth"] <= run["certified_depth"] <= 3
        assert all(layer["error"] <= layer["bound"] + 1e-12 for layer in run["layers"])
    (row,) = kept["bounds"]
    assert row["sharp"] <= row["printed"] == pytest.approx(row["deep"] + 1.05 * 0.2)
    assert path.exists() and "(53)" in path.with_suffix(".txt").read_text()


def test_transfer_is_measured_and_set_beside_its_bounds(tmp_path):
    path = transfer_error.main(tmp_path, settings=TRANSFER)
    runs = json.loads(path.with_suffix(".json").read_text())
    assert [run["s"] for run in runs] == [0, 2, 3]
    for run in runs:
        for task in run["tasks"]:
            assert task["error"] <= task["pairs"] + 4 * task["spread"]
            assert task["pairs"] <= task["mean"] + 1e-12
    assert path.exists()


def test_more_source_classes_than_there_are_is_refused():
    with pytest.raises(InputError, match="sources"):
        transfer_error.train(settings=replace(TRANSFER, sources=(8,)))
