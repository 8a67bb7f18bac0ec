"""Strong collapse by initialisation, on few short runs: what is recorded, told and drawn."""

import pytest

from experiments import strong_collapse
from experiments.running import run
from experiments.strong_collapse import EXPERIMENT, Settings, line, order, parts
from ncbounds.errors import InputError
from ncbounds.report.strong_collapse_plots import plot_strong_collapse

pytest.importorskip("matplotlib")

SMALL = Settings(
    classes=3,
    samples=2,
    dimensions=(4, 1),
    scales=(1e-2, 1e-1, 1.0),
    until=20.0,
    points=21,
    tolerance=1e-9,
)


def test_the_experiment_writes_what_it_found(tmp_path):
    runs = run(EXPERIMENT, tmp_path, seeds=1, settings=SMALL, workers=1).records
    assert len(runs) == 6
    assert (tmp_path / "strong_collapse.png").stat().st_size > 5_000
    told = EXPERIMENT.table(runs, SMALL)
    assert "order" in told and max(map(len, told.splitlines())) < 120
    found = [line(run) for run in runs]
    wide = [row for row in found if row["m"] == 4]
    assert [order(wide, name) for name in ("snc1", "snc2", "snc3")] == pytest.approx(
        [2, 1, 1], abs=0.3
    )
    assert order(wide, "off_subspace") == pytest.approx(1, abs=0.1)
    for row in found:
        if row["scale"] < 0.1:  # what is orthogonal to the weights in T rests
            assert row["spread"] == pytest.approx(row["frozen_spread"], rel=0.05, abs=1e-6)
        assert row["at least"] <= row["snc2"] + 1e-9 and row["drift"] < 1e-6
        if row["m"] == 1:  # fewer than K - 1 dimensions
            assert row["snc1"] >= 2**0.5 - 1e-9

    agree, stays, saddle = strong_collapse.findings(runs, SMALL)
    assert agree.effects[0] > 0 and stays.effects[0] > 0
    assert saddle.effects[0] < 0  # at zero risk there is no saddle
    turned = {1e-2: 1.0, 1.0: 1e-2, 1e-1: 1e-1}
    wrong = strong_collapse.findings([{**r, "scale": turned[r["scale"]]} for r in runs], SMALL)
    assert wrong[0].effects[0] < 0


def test_bad_settings_are_refused():
    with pytest.raises(InputError):
        parts(Settings(scales=(0.0,)), [0])
    with pytest.raises(InputError):
        plot_strong_collapse([], 3, 3)
