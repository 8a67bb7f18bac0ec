"""`minimum` and `optimality` by the command line."""

import json

import pytest

POINT = ("-p", "K=4", "-p", "n=5", "-p", "m=3", "-p", "lambda_A=0.02", "-p", "lambda_F=0.02")


def test_a_grid_crosses_the_threshold(called):
    grid = (
        "-p",
        "K=10",
        "-p",
        "n=100",
        "-p",
        "m=9",
        "-p",
        "lambda_A=5e-3",
        "-p",
        "lambda_F=0.01,1",
    )
    done = called("minimum", "cross-entropy", *grid)
    assert (done.returncode, done.stderr) == (0, "")
    assert "simplex" in done.stdout and "zero" in done.stdout
    data = json.loads(called("minimum", "cross-entropy", *grid, "--json").stdout)
    assert [one["phase"] for one in data] == ["simplex", "zero"]
    assert data[1]["risk"]["lower"] == pytest.approx(2.302585092994046)
    assert data[0]["transitions"][0]["value"] < 1 < data[1]["transitions"][0]["value"]


@pytest.mark.parametrize("loss", ["cross-entropy", "square"])
def test_a_minimiser_is_written_and_certified(called, tmp_path, loss):
    done = called("minimum", loss, *POINT, "-o", "point.npz", cwd=tmp_path)
    assert done.returncode == 0 and "wrote point.npz" in done.stderr
    decays = ("--loss", loss, "--lambda-A", "0.02", "--lambda-F", "0.02")
    found = json.loads(called("optimality", "point.npz", *decays, "--json").stdout)
    assert found["wide_enough"] == (loss == "cross-entropy")
    if loss == "cross-entropy":
        assert found["gap"] < 1e-9
    assert json.loads(called("optimality", "point.npz", *decays[:2], "--json").stdout) == found
    done = called("optimality", "point.npz", *decays)
    assert done.returncode == 0 and "above the least risk by at most" in done.stdout
    other = called("optimality", "point.npz", *decays[:3], "0.2", "--json")
    assert json.loads(other.stdout)["gap"] > 1e-3


def test_a_saddle_is_left_with_a_certain_gain(called, tmp_path):
    weak = (*POINT[:-1], "lambda_F=100")  # zero is its minimum
    assert called("minimum", "cross-entropy", *weak, "-o", "zero.npz", cwd=tmp_path).returncode == 0
    done = called("optimality", "zero.npz", "--lambda-A", "0.02", "--lambda-F", "0.02")
    assert "a step along (27) gains at least" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("minimum", "linear"), "MODEL = linear"),
        (("minimum", "square", "-p", "K=1"), "K = 1: must be an integer >= 2"),
        (("minimum", "square", "-p", "K"), "NAME=VALUE"),
        (("minimum", "square", "-p", "K=2:9999:9999", "-p", "n=1:9999:9999"), "grid = "),
        (("minimum", "cross-entropy", *POINT[:-1], "lambda_F=1,2", "-o", "x.npz"), "not a grid"),
        (("optimality", "none.npz", "--lambda-A", "1", "--lambda-F", "1"), "none.npz"),
        (("optimality", "none.npz", "--lambda-A", "one"), "--lambda-A"),
    ],
)
def test_bad_input_is_one_line(called, tmp_path, arguments, words):
    done = called(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr and done.stderr.count("\n") == 1
