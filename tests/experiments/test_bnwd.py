"""Cosines against weight decay on little data: what is recorded, told and drawn."""

import numpy as np
import pytest

from experiments import bnwd
from experiments.bnwd import EXPERIMENT, Settings, curve, rank_correlation
from experiments.running import run
from experiments.training.synthetic import conic_hull, random_network
from ncbounds.errors import InputError

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("bnwd")

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

SMALL = Settings(
    data=("conic hull",), layers=(3,), decays=(1e-3, 3e-2), width=24, per_class=20, epochs=40,
    batch=40, rate=1e-2,
)  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bnwd")
    return run(EXPERIMENT, folder, seeds=2, settings=SMALL, workers=1), folder


def test_every_network_is_measured_and_no_guarantee_is_broken(results):
    found, folder = results
    assert len(found.records) == 2 * 2 * 2
    for r in found.records:
        for name, bound in r["guaranteed"].items():
            quantity = bnwd.GUARANTEES[name][0]
            if bound is not None:
                assert bnwd._deficit(r, quantity) <= bound
    assert (folder / "bnwd.png").stat().st_size > 1000 and (folder / "bnwd.svg").is_file()


def test_weight_decay_collapses_features_under_batch_norm(results):
    for seed in (0, 1):
        few, many = curve(results[0].records, seed, True, "conic hull", "3 layers")
        assert few["decay"] < many["decay"] and few["train_error"] == 0
        assert few["cosine.intra.min"] < many["cosine.intra.min"]


def test_findings_and_table_speak_of_every_seed(results):
    found = bnwd.findings(results[0].records, SMALL)
    assert all(len(one.effects) == 2 for one in found)
    lines = bnwd.table(results[0].records, SMALL).splitlines()
    assert len(lines) == 2 + 2


def test_a_planted_fault_in_the_data_changes_the_finding(results):
    swapped = [{**r, "batch_norm": not r["batch_norm"]} for r in results[0].records]
    right, wrong = (bnwd.findings(records, SMALL)[0] for records in (results[0].records, swapped))
    assert wrong.effects == pytest.approx([-value for value in right.effects])


@pytest.mark.parametrize("make", [conic_hull, lambda s, n: random_network(s, 6, n)])
def test_synthetic_classes_are_balanced_and_of_their_seed(make):
    data = make(3, 30)
    assert np.bincount(data.train_y).tolist() == np.bincount(data.test_y).tolist() == [30] * 4
    np.testing.assert_array_equal(make(3, 30).train_x, data.train_x)
    assert not np.array_equal(make(4, 30).train_x, data.train_x)
    both = np.vstack([data.train_x, data.test_x])
    assert len(np.unique(both, axis=0)) == 240


def test_the_conic_hull_is_cut_by_two_hyperplanes():
    data = conic_hull(0, 400)
    means = np.stack([data.train_x[data.train_y == c].mean(axis=0) for c in range(4)])
    # Opposite quadrants have opposite means, neighbours orthogonal ones: of length 2/sqrt(pi).
    np.testing.assert_allclose(means[0], -means[3], atol=0.3)
    gram = means @ means.T
    assert gram[0, 1] == pytest.approx(0, abs=0.2) and gram[0, 0] == pytest.approx(4 / np.pi, 0.2)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="layers"):
        random_network(0, 0, 10)
    with pytest.raises(InputError, match="per_class"):
        conic_hull(0, 0)


def test_rank_correlation_of_orders():
    assert rank_correlation([1, 2, 3]) == 1 and rank_correlation([3, 2, 1]) == -1
    assert rank_correlation([]) == 0
