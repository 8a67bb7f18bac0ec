"""`ncbounds compare FILE --targets`: models trained with the square loss."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from ncbounds.cli import group
from ncbounds.errors import InputError
from ncbounds.report.square_loss import SQUARE_LEVELS


def ran(*arguments):
    return CliRunner().invoke(group, ["compare", *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("square_loss")
    rng = np.random.default_rng(0)
    y = np.arange(12) % 3
    W = rng.normal(size=(3, 4))
    h = np.eye(3)[y] @ np.linalg.pinv(W).T + 0.02 * rng.normal(size=(12, 4))
    np.savez(found / "classes.npz", features=h, labels=y, weights=W)
    signs = np.where(y > 0, 1, -1)
    w = W[0] / (W[0] @ W[0])
    x = signs[:, None] * W[0] + 0.02 * rng.normal(size=(12, 4))
    np.savez(found / "signs.npz", features=x, labels=signs, weights=w, bias=0.0)
    np.savez(found / "outputs.npz", outputs=x @ w, labels=signs)
    np.savez(found / "nothing.npz", outputs=x @ w)
    return found


@pytest.mark.parametrize(("name", "targets"), [("classes", "one-hot"), ("signs", "signs")])
def test_targets_add_a_table_of_what_the_square_loss_guarantees(folder, name, targets):
    path = folder / f"{name}.npz"
    told = ran(path, "--targets", targets)
    assert told.exit_code == 0 and "by the square loss" in told.output
    assert "outputs.spread" in told.output and "NOT" not in told.output
    found = json.loads(ran(path, "--targets", targets, "--json").output)
    ours = [b for b in found["bounds"] if b["level"] in SQUARE_LEVELS]
    assert {b["quantity"] for b in ours} >= {"outputs.spread", "nc1.relative", "nc2.equinorm"}
    assert all(b["measured"] <= b["bound"] + 1e-9 for b in ours)
    spread = next(b for b in ours if b["quantity"] == "outputs.spread")
    assert spread["bound"] < 0.5 and not spread["vacuous"]


def test_without_targets_nothing_is_said_of_the_square_loss(folder):
    told = ran(folder / "classes.npz")
    assert told.exit_code == 0 and "by the square loss" not in told.output


def test_outputs_and_labels_are_enough_for_the_spread(folder):
    told = ran(folder / "outputs.npz", "--targets", "signs")
    assert told.exit_code == 0 and told.output.startswith("outputs.spread")
    found = json.loads(ran(folder / "outputs.npz", "--targets", "signs", "--json").output)
    assert found["measured"]["outputs.spread"] <= found["guaranteed"]["outputs.spread"]


@pytest.mark.parametrize(
    ("name", "targets", "parameter"),
    [
        ("classes", "signs", "labels"),
        ("signs", "one-hot", "weights"),
        ("nothing", "signs", "labels"),
        ("outputs", "one-hot", "outputs"),
        ("absent", "signs", "path"),
    ],
)
def test_a_file_that_does_not_fit_its_targets_is_refused(folder, name, targets, parameter):
    told = ran(folder / f"{name}.npz", "--targets", targets)
    assert isinstance(told.exception, InputError)  # exit status 2 of the process
    assert parameter in str(told.exception)
