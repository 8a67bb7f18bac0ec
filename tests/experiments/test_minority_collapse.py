"""Minority collapse on few points: what is kept, judged and drawn."""

from dataclasses import replace

import pytest

from experiments import minority_collapse
from experiments.minority_collapse import Settings, findings
from experiments.running import run
from ncbounds.errors import InputError

pytest.importorskip("matplotlib")
pytest.importorskip("torch")
pytest.importorskip("sklearn")

SMALL = Settings(
    classes=(2, 2),
    omegas=(0.3, 1.0),
    ratios=4,
    dots=3,
    pairs=((2, 2), (2, 3)),
    grid=3,
    sizes=((2, 2),),
    steps=4,
    data="digits",
    per_class=20,
    widths=(8,),
    network_ratios=(1.0, 20.0),
    epochs=3,
)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Two seeds of all parts."""
    out = tmp_path_factory.mktemp("minority")
    found = run(minority_collapse.EXPERIMENT, out, seeds=2, settings=SMALL, workers=1).records
    assert (out / "minority_collapse.png").stat().st_size > 10_000
    return found


def test_descent_ends_at_the_certified_minimum(records):
    for r in records:
        if r["kind"] == "minimum":
            low, high = r["threshold"]
            assert all((c > 1 - 1e-9) == (ratio > low) for ratio, c in r["lines"][:-2])
            assert r["lines"][-1][1] == pytest.approx(1)
            assert 1 < low <= high
        elif r["kind"] == "descent":
            assert all(abs(dot["above_least"]) < 1e-9 for dot in r["dots"])
        elif r["kind"] == "merging":
            assert all((p["apart"] < 1e-3) == p["merges"] for p in r["points"])


def test_networks_see_fewer_samples_of_the_minority(records):
    networks = [r for r in records if r["kind"] == "network"]
    assert [(r["R"], r["seed"]) for r in networks] == [(1, 0), (20, 0), (1, 1), (20, 1)]
    balanced, one_sample = networks[:2]
    assert one_sample["minority_error"] > max(0.5, balanced["minority_error"])


def test_a_threshold_out_of_place_is_seen(records):
    right = findings(records, SMALL)
    assert all(effect > 0 for one in right[:2] for effect in one.effects)
    moved = [{**r, "threshold": [1.04, 1.04]} if r["kind"] == "minimum" else r for r in records]
    assert max(findings(moved, SMALL)[0].effects) < 0
    late = [{**r, "threshold": [40.0, 40.0]} if r["kind"] == "minimum" else r for r in records]
    dots = [
        {**r, "dots": r["dots"] + [{**r["dots"][0], "ratio": 50.0, "cosine": 1.0}]}
        if r["kind"] == "descent"
        else r
        for r in late
    ]
    assert max(findings(dots, SMALL)[1].effects) < 0


def test_data_of_the_user_are_asked_for_before_anything_is_done(tmp_path):
    asking = replace(SMALL, data="cifar10", per_class=None)
    with pytest.raises(InputError, match="--data = none"):
        run(minority_collapse.EXPERIMENT, tmp_path, seeds=1, settings=asking, workers=1)
