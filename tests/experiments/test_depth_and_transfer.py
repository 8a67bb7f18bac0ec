"""The experiments on depth and on transfer, on little time."""

from dataclasses import replace

import numpy as np
import pytest

from experiments import effective_depth, transfer_error
from experiments.running import run
from ncbounds.errors import InputError

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

DEPTH = replace(
    effective_depth.Settings(),
    data="digits",
    per_class=20,
    widths=(16, 16),
    shares=(0.0, 0.2),
    epochs=4,
)
TRANSFER = replace(
    transfer_error.Settings(),
    data="digits",
    per_class=40,
    widths=(16, 8),
    sources=(2, 3),
    targets=3,
    shots=(1, 3),
    draws=8,
    epochs=4,
)


def test_a_share_of_labels_is_changed_and_each_to_another_class():
    y = np.repeat(np.arange(5), 20)
    assert (effective_depth.relabelled(y, 0.3, 0) != y).sum() == 30
    assert set(effective_depth.relabelled(y, 1.0, 1)) == set(range(5))


def test_depth_is_measured_and_set_beside_its_bounds(tmp_path):
    runs = run(effective_depth.EXPERIMENT, tmp_path, seeds=1, settings=DEPTH, workers=1).records
    assert [r["share"] for r in runs if not r["both"]] == [0.0, 0.2]
    for r in runs:
        assert 1 <= r["effective_depth"] <= r["certified_depth"] <= 3
        assert all(layer["error"] <= layer["bound"] + 1e-12 for layer in r["layers"])
    (row,) = effective_depth.bounds(runs, DEPTH)
    assert row["sharp"] <= row["printed"] == pytest.approx(row["deep"] + 1.05 * 0.2)
    assert (tmp_path / "effective_depth.png").exists()
    assert "(53)" in effective_depth.text(runs, DEPTH)
    right = effective_depth.findings(runs, DEPTH)
    turned = [{**r, "layers": r["layers"][-2::-1] + r["layers"][-1:]} for r in runs]
    wrong = effective_depth.findings(turned, DEPTH)
    assert wrong[1].effects[0] == -right[1].effects[0] != 0


def test_transfer_is_measured_and_set_beside_its_bounds(tmp_path):
    runs = run(transfer_error.EXPERIMENT, tmp_path, seeds=1, settings=TRANSFER, workers=1).records
    assert [r["s"] for r in runs] == [0, 2, 3]
    for r in runs:
        for task in r["tasks"]:
            assert task["error"] <= task["pairs"] + 4 * task["spread"]
            assert task["pairs"] <= task["mean"] + 1e-12
    assert (tmp_path / "transfer_error.png").exists()
    assert "target" in transfer_error.text(runs, TRANSFER)
    right = transfer_error.findings(runs, TRANSFER)
    other = {0: 0, 2: 3, 3: 2}
    wrong = transfer_error.findings([{**r, "s": other[r["s"]]} for r in runs], TRANSFER)
    for one, two in zip(right[:2], wrong[:2], strict=True):
        assert two.effects[0] == pytest.approx(-one.effects[0])


def test_more_source_classes_than_there_are_is_refused(tmp_path):
    with pytest.raises(InputError, match="sources"):
        run(
            transfer_error.EXPERIMENT, tmp_path, seeds=1, settings=replace(TRANSFER, sources=(8,)),
            workers=1,
        )  # fmt: skip
