"""`margin` by the command line."""

import json
import pickle

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

ROWS = np.random.default_rng(0).normal(size=(14, 4))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("margins")
    rows = np.vstack([ROWS, 0.01 * ROWS[:1], ROWS[:1]])
    save_file({"weights": rows, "other": ROWS}, found / "head.safetensors")
    np.savez(found / "only.npz", fc=ROWS.astype(np.float32), bias=np.zeros(14))
    np.savez(found / "two.npz", one=ROWS, two=ROWS)
    np.savez(found / "bad.npz", weights=np.array([[np.nan], [1.0]]))
    (found / "pickle.npz").write_bytes(pickle.dumps(ROWS))
    return found


def test_json_holds_an_interval_of_each_row_and_of_the_least(called, folder):
    done = called("margin", "only.npz", "--json", "--workers", "1", cwd=folder)
    found = json.loads(done.stdout)
    assert done.returncode == 0 and done.stderr == ""
    assert (found["K"], found["d"], found["normalised"]) == (14, 4, False)
    assert [row["row"] for row in found["rows"]] == list(range(14))
    assert all(row["lower"] <= row["upper"] for row in found["rows"])
    assert found["min"]["upper"] == min(row["upper"] for row in found["rows"])


def test_people_see_the_tightest_rows_and_whom_they_are_near(called, folder):
    done = called("margin", "head.safetensors", "--workers", "1", cwd=folder)
    assert done.returncode == 0
    assert "K = 16 rows, d = 4 dimensions\n" in done.stdout
    assert "2 rows equal to another" in done.stdout
    assert "least distance: 0\n" in done.stdout
    assert any(line.startswith(" 0 ") and "15 (100 %)" in line for line in done.stdout.split("\n"))


def test_rows_can_be_chosen_and_scaled_to_length_one(called, folder):
    done = called(
        "margin", "only.npz", "--row", "3", "--row", "1", "--normalise", "--json", cwd=folder
    )
    found = json.loads(done.stdout)
    assert [row["row"] for row in found["rows"]] == [1, 3] and found["normalised"]


@pytest.mark.parametrize("mode", ["--raw", "--normalise"])
def test_a_certificate_is_written_and_checked_and_a_forged_one_fails(called, folder, mode):
    done = called("margin", "head.safetensors", mode, "-o", "proof.safetensors", cwd=folder)
    assert done.returncode == 0, done.stderr
    done = called("margin", "head.safetensors", "--check", "proof.safetensors", cwd=folder)
    assert done.returncode == 0 and "16 certificates hold, 0 fail" in done.stdout
    assert ("scaled to length 1" in done.stdout) == (mode == "--normalise")
    arrays = load_file(folder / "proof.safetensors")
    arrays["upper"][5] *= 1 - 1e-9
    save_file(arrays, folder / "forged.safetensors")
    done = called(
        "margin", "head.safetensors", "--check", "forged.safetensors", "--json", cwd=folder
    )
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["failed"] == [5] and found["checked"] == 16 and found["all_rows"]
    done = called("margin", "only.npz", "--check", "forged.safetensors", cwd=folder)
    assert done.returncode == 1 and "failed: rows" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.npz"], "existing file"),
        (["pickle.npz"], "sound .npz file"),
        (["two.npz"], "(--weights NAME): one (14, 4), two (14, 4)"),
        (["bad.npz"], "weights = NaN or infinite entries"),
        (["only.npz", "--row", "14"], "rows = 14: must be among 0 .. 13"),
        (["only.npz", "--workers", "0"], "workers"),
        (["only.npz", "-o", "missing/proof.npz"], "-o = missing/proof.npz"),
        (["only.npz", "-o", "proof.txt"], "-o = proof.txt"),
        (["only.npz", "--check", "two.npz"], "rows = missing"),
        (["only.npz", "--check", "two.npz", "--row", "1"], "--row = given"),
    ],
)
def test_bad_input_is_one_line(called, folder, arguments, says):
    done = called("margin", *arguments, cwd=folder)
    assert done.returncode == 2 and done.stdout == ""
    assert says in done.stderr and done.stderr.count("\n") == 1
