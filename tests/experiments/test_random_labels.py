"""Random labels by width on little data: what is recorded, told and drawn."""

from dataclasses import replace

import numpy as np
import pytest

from experiments import random_labels
from experiments.random_labels import EXPERIMENT, SCALES, Settings, least_nc2, shuffled
from experiments.running import run
from experiments.training.data import digits
from experiments.training.modules import Recipe
from ncbounds.errors import InputError

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("random_labels")

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

SMALL = Settings("digits", 8, (("perceptron", Recipe(epochs=60, batch=20)),), (4, 48))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("random_labels")
    return run(EXPERIMENT, folder, seeds=1, settings=SMALL, workers=1), folder


def test_narrow_features_keep_from_the_simplex_and_guarantees_hold(results):
    found, folder = results
    assert len(found.records) == 2 * 2
    for r in found.records:
        assert r["nc2.etf.weights"] >= r["nc2_at_least"]
        assert (r["nc2_at_least"] > 0) == (r["width"] < 9)
        bound = r["guaranteed"]["intra mean, mean loss"]
        assert bound is None or 1 - r["cosine.intra.mean"] <= bound
    assert (folder / "random_labels.png").stat().st_size > 1000


def test_a_wide_network_memorises_what_cannot_be_learnt(results):
    wide = [r for r in results[0].records if r["width"] == 48]
    for r in wide:
        assert r["train_error"] < 0.05
        assert (r["test_error"] > 0.7) == r["random"]


def test_findings_follow_the_records_and_notice_training_error(results):
    records = results[0].records
    right = random_labels.findings(records, SMALL)
    assert all(len(one.effects) == 1 for one in right)
    wrong = random_labels.findings([{**r, "random": not r["random"]} for r in records], SMALL)
    assert wrong[2].effects == pytest.approx([-value for value in right[2].effects])
    unfit = random_labels.findings([{**r, "train_error": 0.1} for r in records], SMALL)
    assert unfit[0].verdict == "undecided"
    assert len(random_labels.table(records, SMALL).splitlines()) == 2 + 4


def test_labels_are_moved_and_classes_stay_balanced():
    data = digits(0, 20)
    moved = shuffled(data, 0)
    assert np.bincount(moved.train_y).tolist() == [20] * 10
    assert np.mean(moved.train_y == data.train_y) < 0.3


def test_the_least_distance_of_a_rank_is_attained():
    rng = np.random.default_rng(0)
    for K, d in ((4, 2), (5, 4), (10, 4)):
        basis = np.linalg.qr(np.eye(K) - 1 / K + 1e-9 * rng.standard_normal((K, K)))[0][:, : K - 1]
        W = basis[:, :d]
        gram, simplex = W @ W.T, np.eye(K) - 1 / K
        distance = np.linalg.norm(gram / np.linalg.norm(gram) - simplex / np.linalg.norm(simplex))
        assert distance == pytest.approx(least_nc2(d, K), abs=1e-6)


def test_the_papers_scale_wants_the_users_data(tmp_path):
    small = replace(SCALES["paper"], widths=(4,))
    with pytest.raises(InputError, match="--data"):
        run(EXPERIMENT, tmp_path, scale="paper", seeds=1, settings=small, workers=1)
