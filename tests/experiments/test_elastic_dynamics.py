"""Locally elastic dynamics in small: what is computed, told and drawn."""

import numpy as np
import pytest

from experiments import elastic_dynamics
from experiments.elastic_dynamics import Settings, findings
from experiments.running import run
from ncbounds.errors import InputError

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


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """One seed of all panels."""
    out = tmp_path_factory.mktemp("elastic")
    found = run(elastic_dynamics.EXPERIMENT, out, seeds=1, settings=SMALL, workers=1).records
    assert (out / "elastic_dynamics.png").stat().st_size > 10_000
    return found


def test_every_panel_holds_what_theory_says(records):
    told = elastic_dynamics.text(records, SMALL)
    assert "threshold K/2 = 1.5" in told and "digits" in told
    found = {r["kind"]: r["curves"] for r in records}
    repelled, attracted = (found["alignment"][beta]["angle"][-1] for beta in ("-0.5", "0.5"))
    assert repelled < 2 and attracted > 45
    assert all(d["largest_difference"][0] < 1e-8 for d in found["alignment"].values())
    assert [found["separation"]["1e+06"]["share"][i] for i in (0, -1)] == [0, 1]
    assert found["spread"]["own"]["nc1"][-1] > found["spread"]["means"]["nc1"][-1]
    assert len(found["residue"]["ratio"]) == SMALL.epochs


def test_claims_are_judged_by_the_panels(records):
    right = findings(records, SMALL)
    assert [np.sign(one.effects[0]) for one in right[:3]] == [1, 1, 1]

    def turned(curves):
        if isinstance(curves, dict):
            return {name: turned(curve) for name, curve in curves.items()}
        return curves[::-1]

    wrong = findings([{**r, "curves": turned(r["curves"])} for r in records], SMALL)
    assert [np.sign(one.effects[0]) for one in wrong[:3]] == [-1, -1, -1]
    for place in (3, 4):
        assert wrong[place].effects[0] + 1 == pytest.approx(-(right[place].effects[0] + 1))


def test_data_of_the_user_are_asked_for_before_anything_is_done(tmp_path):
    paper = elastic_dynamics.SCALES["paper"]
    with pytest.raises(InputError, match="--data = none"):
        run(elastic_dynamics.EXPERIMENT, tmp_path, seeds=1, settings=paper, workers=1)
