"""A short training under the Lightning callback: its tables, and that guarantees hold."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("lightning")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from experiments.measured_training import SETTINGS, guaranteed, main, train


def test_every_measured_epoch_is_told_and_its_guarantee_holds(tmp_path, capsys):
    tiny = replace(SETTINGS, per_class=20, width=16, layers=2, epochs=6, measured=(0, 2, 5))
    path = main(tmp_path, settings=tiny)
    kept = json.loads(path.with_suffix(".json").read_text())
    assert [epoch for epoch, _ in kept["epochs"]] == [0, 2, 5]
    assert path.read_bytes().startswith(b"\x89PNG")
    last = kept["epochs"][-1][1]["metrics"]
    assert kept["logged"]["nc/nc1.pinv"] == pytest.approx(last["nc1.pinv"], rel=1e-5)
    shown = capsys.readouterr().out.splitlines()
    assert shown[3].split()[0] == "6" and "of 2 layers" in shown[-1]
    callback, _, profile = train(settings=tiny)
    assert [len(profile.layers), profile.layers[0].held_out is None] == [2, False]
    for entry in callback.history:
        assert entry.measurement.metrics["nc1.relative"] <= guaranteed(entry.measurement)
