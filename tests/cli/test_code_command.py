"""`ncbounds code D K`: the JSON of the contract, the file it writes, and refusals."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from ncbounds.cli import group
from ncbounds.codes.margin import least_one_vs_rest_distance
from ncbounds.errors import InputError

CONTRACT = {"d", "K", "kind", "one_vs_rest", "largest_inner_product", "best_proved_upper_bound"}


def run(*arguments):
    return CliRunner().invoke(group, ["code", *arguments], catch_exceptions=True)


@pytest.mark.parametrize("kind", ["softmax", "tammes"])
def test_json_is_that_of_the_contract(kind):
    found = json.loads(run("3", "12", "--kind", kind, "--json").output)
    assert set(found) >= {*CONTRACT, "rattlers"}
    assert (found["d"], found["K"], found["kind"], found["rattlers"]) == (3, 12, kind, [])
    interval = found["one_vs_rest"]
    assert 0.5527864 < interval["lower"] <= interval["upper"] <= found["best_proved_upper_bound"]
    assert abs(found["largest_inner_product"] - 5**-0.5) < 1e-12


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_the_file_holds_the_weights_that_were_certified(tmp_path, suffix):
    path = tmp_path / f"weights{suffix}"
    found = json.loads(run("4", "10", "--out", str(path), "--json").output)
    arrays = load_file(path) if suffix == ".safetensors" else np.load(path)
    assert arrays["weights"].shape == (10, 4)
    low, high = least_one_vs_rest_distance(arrays["weights"], normalise=True)
    assert low <= found["one_vs_rest"]["upper"] and high >= found["one_vs_rest"]["lower"]


def test_the_table_says_what_is_known():
    said = run("3", "8").output
    for words in ("square antiprism", "Schuette and van der Waerden", "certified", "none"):
        assert words in said


@pytest.mark.parametrize(
    "arguments, name",
    [
        (("0", "3"), "d"),
        (("3", "1"), "K"),
        (("3", "5", "--kind", "best"), "kind"),
        (("3", "5", "--seed", "-1"), "seed"),
        (("3", "5", "--effort", "0"), "effort"),
        (("3", "5", "--effort", "nan"), "effort"),
        (("3", "5", "--out", "weights.txt"), "--out"),
        (("3", "5", "--out", "nowhere/weights.npz"), "--out"),
    ],
)
def test_bad_input_names_its_parameter(arguments, name):
    error = run(*arguments).exception
    assert isinstance(error, InputError) and str(error).startswith(f"{name} = ")
