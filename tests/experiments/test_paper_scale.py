"""The papers' own scale, on tiny made-up files in torchvision's layout; and without any."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from experiments import effective_depth, elastic_dynamics, minority_collapse, transfer_error
from experiments.__main__ import available, load
from experiments.running import Place
from ncbounds.errors import InputError

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

FOUND = {name: getattr(load(name), "EXPERIMENT", None) for name in available()}
EXPERIMENTS = {name: one for name, one in FOUND.items() if one is not None}
#: What these train on is made by the experiment itself, or ships in a package.
OWN_DATA = {"bnwd", "bnwd-depths", "square-dynamics", "strong-collapse"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """CIFAR-10 and CIFAR-100 with four images of noise a class."""
    whole = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    kinds = {
        "cifar-10-batches-py": (
            b"labels",
            [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"],
        ),
        "cifar-100-python": (b"fine_labels", ["train", "test"]),
    }
    for place, (key, names) in kinds.items():
        (whole / place).mkdir()
        for name in names:
            labels = [c for c in range(10) for _ in range(4)]
            images = rng.integers(0, 256, (len(labels), 3072), dtype=np.uint8)
            (whole / place / name).write_bytes(pickle.dumps({b"data": images, key: labels}))
    return whole


def test_every_experiment_states_its_papers_scale():
    assert EXPERIMENTS.keys() > OWN_DATA
    for one in EXPERIMENTS.values():
        assert one.parts(one.scales["paper"], [0])


@pytest.mark.parametrize("name", sorted(EXPERIMENTS.keys() - OWN_DATA))
def test_it_asks_for_the_users_data_at_once(name, tmp_path):
    one = EXPERIMENTS[name]
    part = one.parts(one.scales["paper"], [0])[0]
    with pytest.raises(InputError, match=r"^--data = none: must be a folder with .*torchvision"):
        one.compute(part, one.scales["paper"], Place())
    with pytest.raises(InputError, match=r"^--data = .*torchvision downloads it there"):
        one.compute(part, one.scales["paper"], Place(data=tmp_path))


@pytest.mark.parametrize(
    ("module", "changes"),
    [
        (effective_depth, {"per_class": 3, "widths": (6, 4), "epochs": 1}),
        (
            transfer_error,
            {"widths": (6, 4), "sources": (5,), "targets": 5, "draws": 2, "epochs": 1},
        ),
        (minority_collapse, {"widths": (6,), "epochs": 1}),
        (elastic_dynamics, {"epochs": 1}),
    ],
    ids=lambda value: getattr(value, "__name__", "").rpartition(".")[2],
)
def test_it_runs_on_files_of_the_users(module, changes, folder):
    settings = replace(module.SCALES["paper"], **changes)
    part = module.parts(settings, [0])[1 if module is transfer_error else 0]
    (record,) = module.compute(part, settings, Place(data=folder))
    assert part.items() <= record.items() and len(record) > len(part)
