"""Collapse on new samples with little data: what is recorded, told and drawn."""

import pickle

import numpy as np
import pytest

from experiments import held_out_collapse
from experiments.held_out_collapse import EXPERIMENT, Settings, chosen_classes
from experiments.running import Place, run
from experiments.training.data import digits
from ncbounds.errors import InputError

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("held_out_collapse")

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

SMALL = Settings(
    "digits", classes=(2, 4), per_class=10, samples=(5, 10, 40), held_out=100, width=24, epochs=20,
    batch=20, points=3,
)  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("held_out_collapse")
    return run(EXPERIMENT, folder, seeds=1, settings=SMALL, workers=1), folder


def test_bounds_hold_and_weak_is_at_most_strong(results):
    found, folder = results
    assert sorted({(r["classes"], r["samples"]) for r in found.records}) == [
        (2, 10), (4, 5), (4, 10), (4, 40),
    ]  # fmt: skip
    for r in found.records:
        assert [point["epoch"] for point in r["way"]] == [0, 1, 4, 20]
        assert r["weak"] <= r["strong"] and r["ncc_error"] <= r["ncc_bound"]
        assert r["certified"] is None or r["certified"] > r["unit_max"]
    assert (folder / "held_out_collapse.png").stat().st_size > 1000


def test_a_planted_fault_in_the_records_changes_the_findings(results):
    records = results[0].records
    right = held_out_collapse.findings(records, SMALL)
    assert all(len(one.effects) == 1 for one in right)
    other = {10: 10, 5: 40, 40: 5}
    wrong = held_out_collapse.findings(
        [{**r, "samples": other[r["samples"]]} for r in records], SMALL
    )
    assert wrong[2].effects == pytest.approx([-value for value in right[2].effects])
    assert len(held_out_collapse.table(records, SMALL).splitlines()) == 2 + 4


def test_classes_are_chosen_renumbered_and_balanced():
    whole = digits(0, 20)
    data = chosen_classes(whole, 3, 7, 11, 1)
    assert np.bincount(data.train_y).tolist() == [7] * 3
    assert np.bincount(data.test_y).tolist() == [11] * 3
    # A class keeps its samples: those to train and those to test on look alike.
    centres = np.stack([data.train_x[data.train_y == c].mean(0) for c in range(3)])
    nearest = ((data.test_x[:, None] - centres) ** 2).sum(-1).argmin(1)
    assert np.mean(nearest == data.test_y) > 0.6
    for wrong in ({"classes": 11, "samples": 5}, {"classes": 3, "samples": 21}):
        with pytest.raises(InputError, match=next(iter(wrong)) if wrong["classes"] > 3 else "sam"):
            chosen_classes(whole, held_out=1, seed=0, **wrong)


def test_the_papers_scale_reads_the_users_data(tmp_path):
    """The wide ResNet's path, on two batches of images of noise in the layout of CIFAR-100."""
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, size in (("train", 8), ("test", 4)):
        labels = [c for c in range(3) for _ in range(size)]
        images = rng.integers(0, 256, size=(len(labels), 3072), dtype=np.uint8)
        with (folder / name).open("wb") as file:
            pickle.dump({b"data": images, b"fine_labels": labels}, file)
    tiny = Settings(
        "cifar100", True, "wide resnet", (3,), 4, (4,), 4, 2, epochs=1, batch=8, points=1
    )
    (part,) = held_out_collapse.parts(tiny, [0])
    (record,) = held_out_collapse.compute(part, tiny, Place(data=tmp_path))
    assert record["ncc_error"] <= record["ncc_bound"]
    with pytest.raises(InputError, match="--data"):
        held_out_collapse.compute(part, tiny, Place())
