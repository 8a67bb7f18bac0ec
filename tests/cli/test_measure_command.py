"""`measure` by the command line: several files, weights alone, chosen metrics, a picture."""

import json

import numpy as np
import pytest

from ncbounds.cli.measure_command import numbered
from ncbounds.measure import write_features
from ncbounds.measure.files import write_arrays


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("measured")
    rng = np.random.default_rng(0)
    labels, simplex = np.arange(30) % 3, np.eye(3) - 1 / 3
    for epoch, noise in enumerate((1.0, 0.1)):
        features = simplex[labels] + noise * rng.normal(size=(30, 3))
        write_features(found / f"epoch-{epoch}.npz", features, labels, simplex)
    write_features(found / "two.npz", features[labels < 2], labels[labels < 2], simplex)
    arrays = {"fc.weight": simplex, "fc.bias": np.ones(3), "other.weight": np.eye(3)}
    write_arrays(found / "model.safetensors", arrays)
    return found


def data(done):
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_weights_alone_have_metrics_of_their_own(called, folder):
    options = ("--weights", "fc.weight", "--json")
    found = data(called("measure", "model.safetensors", *options, cwd=folder))
    assert (found["n"], found["d"], found["K"]) == (0, 3, 3)
    assert found["metrics"]["nc2.etf.weights"] == pytest.approx(0, abs=1e-15)
    assert "nc1.pinv" not in found["metrics"]


def test_several_files_stand_beside_each_other(called, folder):
    files = ("epoch-0.npz", "epoch-1.npz")
    found = data(called("measure", *files, "--json", "--metrics", "nc1.*", cwd=folder))
    assert [one["name"] for one in found] == ["epoch-0", "epoch-1"]
    assert all(name.startswith("nc1.") for one in found for name in one["metrics"])
    assert found[0]["metrics"]["nc1.pinv"] > found[1]["metrics"]["nc1.pinv"]
    table = called("measure", *files, cwd=folder).stdout
    assert "epoch-0: n = 30 samples, d = 3 dimensions, K = 3 classes" in table


def test_rows_without_samples_may_be_left_out(called, folder):
    assert "no sample of class 2" in called("measure", "two.npz", cwd=folder).stderr
    found = data(called("measure", "two.npz", "--missing", "leave-out", "--json", cwd=folder))
    assert (found["n"], found["K"]) == (20, 2)


@pytest.mark.parametrize("name", ["a.png", "a.svg", "a.pdf"])
def test_a_picture_says_in_words_what_it_shows(called, folder, name):
    pytest.importorskip("matplotlib")
    files = ("epoch-0.npz", "epoch-1.npz")
    done = called("measure", *files, "-o", name, "--along", "epoch", cwd=folder)
    assert done.returncode == 0
    content = (folder / name).read_bytes()
    assert name == "a.pdf" or b"From epoch 0 to 1: nc1.pinv" in content


def test_files_stand_in_the_order_of_their_numbers_and_not_of_their_letters():
    assert list(numbered({"run-9": 1, "run-10": 2, "run-100": 3, "run-20": 4}).items()) == [
        ("9", 1), ("10", 2), ("20", 4), ("100", 3),
    ]  # fmt: skip
    for names in (["a-1", "b-0"], ["run-1", "last"], ["run-1", "run-01"]):
        assert list(numbered(dict.fromkeys(names))) == names


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["epoch-0.npz", "--metrics", "nc9*"], "metrics = nc9*"),
        (["epoch-0.npz", "epoch-0.npz"], "different files"),
        (["epoch-0.npz", "-o", "a.gif"], "-o = a.gif"),
        (["epoch-0.npz", "--along", "epoch"], "--along = epoch"),
        (["epoch-0.npz", "--weights", "nothing"], "weights = nothing"),
        (["model.safetensors"], "choose the last layer (--weights NAME): "),
        (["model.pt"], "safetensors.torch.save_file"),
    ],
)
def test_bad_input_is_one_line(called, folder, arguments, says):
    done = called("measure", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr and done.stderr.count("\n") == 1
