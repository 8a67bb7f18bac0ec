"""Minority collapse on few points: what is kept and drawn."""

import json

import pytest

from experiments import minority_collapse
from experiments.minority_collapse import Settings

pytest.importorskip("matplotlib")

SMALL = Settings(
    classes=(2, 2),
    omegas=(0.3, 1.0),
    ratios=4,
    dots=3,
    pairs=((2, 2), (2, 3)),
    grid=3,
    sizes=((2, 2),),
    steps=4,
)


def test_descent_ends_at_the_certified_minimum(tmp_path, monkeypatch):
    monkeypatch.setattr(minority_collapse, "SETTINGS", SMALL)
    told = []
    path = minority_collapse.main(tmp_path, 0, "cpu", lambda done, total: told.append(done))
    assert path.stat().st_size > 10_000
    assert told == [0, 1, 2, 3]
    found = json.loads((tmp_path / "minority_collapse.json").read_text())
    for part in found["cosines"]:
        low, high = part["threshold"]
        assert all(abs(dot["above_least"]) < 1e-9 for dot in part["dots"])
        assert all((cosine > 1 - 1e-9) == (ratio > low) for ratio, cosine in part["lines"][:-2])
        assert part["lines"][-1][1] == pytest.approx(1)
        assert 1 < low <= high
    for part in found["merging"]:
        assert all((p["apart"] < 1e-3) == p["merges"] for p in part["points"])
