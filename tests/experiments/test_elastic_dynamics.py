"""Locally elastic dynamics in small: what is computed, told and drawn."""

import json

import pytest

from experiments import elastic_dynamics
from experiments.elastic_dynamics import Settings

pytest.importorskip("sklearn")
pytest.importorskip("torch")
pytest.importorskip("matplotlib")

SMALL = Settings(
    K=3,
    until=30.0,
    points=3,
    times=(1e2, 1e6),
    gammas=(0.5, 3.0),
    samples=6,
    trials=4,
    spread_samples=8,
    epochs=3,
)


def test_what_is_written_has_every_panel_and_the_findings(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(elastic_dynamics, "SETTINGS", SMALL)
    path = elastic_dynamics.main(tmp_path)
    found = json.loads(path.read_text())
    assert (tmp_path / "elastic_dynamics.png").stat().st_size > 10_000
    told = capsys.readouterr().out
    assert "threshold K/2 = 1.5" in told and "digits" in told
    repelled, attracted = (found["alignment"][beta]["angle"][-1] for beta in ("-0.5", "0.5"))
    assert repelled < 2 and attracted > 45
    assert all(d["largest_difference"][0] < 1e-8 for d in found["alignment"].values())
    assert [found["separation"]["1e+06"]["share"][i] for i in (0, -1)] == [0, 1]
    assert found["spread"]["own"]["nc1"][-1] > found["spread"]["means"]["nc1"][-1]
    assert len(found["residue"]["ratio"]) == SMALL.epochs
