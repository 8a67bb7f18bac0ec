"""The tables of real models, on heads and runs made up for the test."""

import csv

import numpy as np
import pytest
from click.testing import CliRunner

from experiments import __main__ as command
from experiments import real_models
from experiments.published import heads
from experiments.published.heads import Head
from experiments.published.runs import Run
from ncbounds.measure import read_features
from ncbounds.report.guarantees import LEVELS

pytest.importorskip("matplotlib")


def octahedron():
    rows = np.vstack([np.eye(3), -np.eye(3)]).astype(np.float32)
    return Head(2 * rows, list("abcdef"), np.zeros(6, dtype=np.float32))


class Network:
    """Features a little off the rows of the head, of all classes but the last; counts its runs."""

    def __init__(self):
        self.runs = 0

    def __call__(self, seed, progress, of=None):
        self.runs += 1
        head, random = octahedron(), np.random.default_rng(seed)
        labels = np.repeat(np.arange(5), 8)
        noise = 0.05 * random.normal(size=(40, 3))
        features = (head.weights[labels] + noise).astype(np.float32)
        return Run(of(features, 40) if of else features, labels, head)


@pytest.fixture
def network(monkeypatch):
    found = Network()
    known = {"octahedron": octahedron, "rapidocr": heads.rapidocr}
    monkeypatch.setattr(heads, "find_spec", lambda package: None)
    monkeypatch.setattr(real_models, "HEADS", known)
    monkeypatch.setattr(real_models, "RUNS", {"octahedron": found, "rapidocr": found})
    signs = {"signs": lambda seed: lambda features, count: np.sign(features)}
    monkeypatch.setattr(real_models, "CONTROLS", {"octahedron": signs})
    return found


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def run(folder, seed=0):
    arguments = ["real-models", "--out", str(folder), "--seed", str(seed)]
    return CliRunner().invoke(command.main, arguments)


def test_the_tables_say_what_is_known_of_an_octahedron(network, tmp_path):
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    assert "rapidocr is left out: rapidocr-onnxruntime is missing: pip install" in done.output
    (shape,) = table(tmp_path / "real_heads.csv")
    assert float(shape["equinorm"]) == 0 and float(shape["rank"]) == 3
    assert shape["in the hull"] == shape["never first"] == shape["coinciding"] == "0"
    (row,) = table(tmp_path / "real_distances.csv")
    assert float(row["best from"]) == float(row["to"]) == 1
    assert float(row["least"]) == pytest.approx(1) == float(row["trained"])
    assert float(row["uniform"]) < 0.9
    true, shuffled = table(tmp_path / "real_features.csv")
    assert true["classes"] == "5" and float(true["accuracy"]) == float(true["unit rows"]) == 1
    assert float(true["ncc.error"]) == 0 and float(true["nc1.relative.centred"]) < 0.01
    assert float(shuffled["ncc.error"]) > 0.3 and float(shuffled["nc1.relative.centred"]) > 0.8
    assert (tmp_path / "real_models.png").stat().st_size > 10_000


def test_controls_of_the_same_samples_stand_beside_the_features(network, tmp_path):
    run(tmp_path)
    signs, features = table(tmp_path / "real_controls.csv")
    assert (signs["of"], features["of"], signs["n"]) == ("signs", "features", features["n"])
    assert float(signs["nc1.relative.centred"]) > 0.3 > float(features["nc1.relative.centred"])
    (true, _) = table(tmp_path / "real_features.csv")
    assert float(features["nc1.pinv"]) == pytest.approx(float(true["nc1.pinv"]))


def test_every_guarantee_holds_and_none_is_vacuous(network, tmp_path):
    run(tmp_path)
    found = table(tmp_path / "real_guarantees.csv")
    assert found and len({row["quantity"] for row in found}) == len(found)
    for row in found:
        for level in (*LEVELS, real_models.OTHER):
            if row.get(level):
                assert float(row["measured"]) <= float(row[level]) * (1 + 1e-9)


def test_what_was_computed_is_used_again_for_the_same_seed(network, tmp_path):
    first = run(tmp_path).output
    features = read_features(tmp_path / "octahedron.features.safetensors")
    assert features.features.shape == (40, 3) and features.weights.shape == (6, 3)
    assert run(tmp_path).output == first
    assert network.runs == 2  # its features and a control
    run(tmp_path, seed=1)
    assert network.runs == 4


def test_with_no_package_at_all_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(heads, "find_spec", lambda package: None)
    done = run(tmp_path)
    assert done.exit_code == 2 and "none of magika, torchcrepe" in done.output
