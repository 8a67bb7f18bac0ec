"""`ncbounds compare` on the file of a whole network."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from ncbounds.cli import group
from ncbounds.errors import InputError
from ncbounds.measure.network import Layer, Network, write_network

KEYS = {"id", "variant", "quantity", "measured", "bound", "direction", "vacuous"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Two overlapping patches of two numbers, and samples that they separate widely."""
    first = Layer("conv", "convolution", np.ones((1, 2, 1)), np.array([[0, 1], [1, 2]]), 3, True)
    weight = np.array([[[1.0], [-1.0]]])
    last = Layer("out", "dense", weight, np.array([[0, 1]]), 2, False)
    rng = np.random.default_rng(0)
    labels = np.where(np.arange(6000) % 2, 1, -1)
    inputs = np.zeros((6000, 1, 3))
    inputs[:, 0, 0], inputs[:, 0, 2] = labels > 0, labels < 0
    inputs += 0.01 * rng.random((6000, 1, 3))
    file = tmp_path_factory.mktemp("network") / "net.safetensors"
    samples = inputs, labels
    write_network(file, Network((first, last), (1, 3)), train=samples, test=samples)
    return str(file)


def run(*arguments):
    return CliRunner().invoke(group, ["compare", *arguments])


def test_json_has_the_contract_and_the_network(path):
    data = json.loads(run(path, "--json").output)
    assert {"name", "n", "d", "K", "metrics", "bounds", "skipped", "network"} <= data.keys()
    assert all(bound.keys() >= KEYS for bound in data["bounds"])
    assert data["network"]["rho"] == pytest.approx(2.0)
    assert [one["overlap"] for one in data["network"]["layers"]] == [2, 1]
    errors = [b for b in data["bounds"] if b["quantity"] == "test error"]
    assert errors and all(b["holds"] and b["measured"] == 0 for b in errors)
    assert any(b["vacuous"] is False for b in errors)
    assert "overlap" in data["skipped"]["square:theorem-4"]


def test_a_smaller_probability_of_failure_costs_more(path):
    def best(*options):
        data = json.loads(run(path, "--json", *options).output)
        return min(b["bound"] for b in data["bounds"] if b["quantity"] == "test error")

    assert best("--delta", "1e-6") > best("--delta", "0.05") > best("--delta", "0.5")


def test_text_shows_layers_complexities_and_bounds(path):
    text = run(path).output
    for words in ("rho = 2 by filter norms", "overlap", "best margin", "square:theorem-4 does not"):
        assert words in text


def test_a_bad_probability_is_refused(path):
    result = run(path, "--delta", "2")
    assert isinstance(result.exception, InputError)
    assert "delta = 2.0" in str(result.exception)
