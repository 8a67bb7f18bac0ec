"""Cosines against weight decay by depth: the claims on depth, and the figure of all of them."""

import pytest

from experiments.bnwd_depths import EXPERIMENT, SCALES, Settings, findings
from experiments.running import run

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("bnwd")

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

SMALL = Settings(
    data=("MLP3",), layers=(3, 6), decays=(1e-3, 1e-2), width=12, per_class=8,
    epochs=4, batch=16, rate=1e-2,
)  # fmt: skip


def test_every_depth_is_trained_and_drawn(tmp_path):
    found = run(EXPERIMENT, tmp_path, seeds=1, settings=SMALL, workers=1)
    trained = {(r["data"], r["layers"], r["batch_norm"], r["decay"]) for r in found.records}
    assert len(found.records) == len(trained) == 2 * 2 * 2
    assert all(len(one.effects) == 1 for one in findings(found.records, SMALL))
    assert (tmp_path / "bnwd_depths.png").stat().st_size > 1000


def records(normalised, plain):
    """Made up: one seed, the same cosine and error at every depth, data set and weight decay."""
    return [
        {
            "data": data, "layers": layers, "network": f"{layers} layers", "seed": 0,
            "batch_norm": batch_norm, "decay": decay, "train_error": error, "classes": 4,
            "cosine.intra.min": cosine, "cosine.inter.max": 0.0, "cosine.intra.mean": cosine,
            "cosine.inter.deviation": 0.1,
            "guaranteed": {
                "intra mean, mean loss": None, "intra min, losses and weights": None,
                "inter deviation, mean logits": None,
            },
        }
        for data in ("conic hull", "MLP3")
        for layers in (3, 6)
        for batch_norm, (cosine, error) in ((True, normalised), (False, plain))
        for decay in (1e-3, 1e-2)
    ]  # fmt: skip


def test_claims_on_depth_follow_from_errors_and_cosines():
    def told(found):
        return [one.effects for one in findings(found, SMALL)[-3:]]

    made = records((0.9, 0.0), (0.5, 0.25))
    assert told(made) == [(0.5,), (0.5,), (0.0,)]
    # Planted faults: a deep network that fits; a shallow one with all that batch norm gains.
    for r in made:
        if r["layers"] == 6 and not r["batch_norm"]:
            r.update({"train_error": 0.0, "cosine.intra.min": 0.9})
    assert told(made) == [(-0.5,), (0.5,), (pytest.approx(0.4),)]


def test_the_paper_s_depths_and_data_are_those_of_its_figure():
    paper = SCALES["paper"]
    assert paper.layers == (3, 6, 9) and 4 * paper.per_class == 8000 and len(paper.decays) == 15
    assert {"conic hull", "MLP3", "MLP6"} < set(paper.data)
