"""`plot` and `report` by the command line, on small saved features."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from experiments.training.runs import Run, save_runs
from ncbounds.cli import report_command
from ncbounds.cli.report_command import experiment_results
from ncbounds.measure import write_features
from ncbounds.measure.defects import loss_gap
from ncbounds.theory import statement

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("drawing")


def saved(number, features, labels, simplex):
    """A run whose weights grow; every other one has no weight decay."""
    decay = 1e-3 * (number % 2)
    weights = (number + np.arange(1, 5))[:, None, None] * simplex
    gaps = [loss_gap(features, labels, w, decay) for w in weights]
    defects = {name: np.array([gap[name] for gap in gaps]) for name in gaps[0]}
    return Run(
        f"run-{number}", "none", "none", True, decay, 1.0, 1.0, 0.1, features, labels, weights[-1],
        None, {}, {"step": np.array([1.0, 2.0, 4.0, 8.0]), **defects},
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("drawing")
    rng = np.random.default_rng(0)
    simplex = np.eye(4) - 0.25
    labels = np.repeat(np.arange(4), 6)
    features = 4 * simplex[labels] + 0.1 * rng.normal(size=(24, 4))
    write_features(found / "model.npz", features, labels, 4 * simplex)
    write_features(found / "bare.npz", features, labels)
    save_runs(found / "runs.safetensors", [saved(i, features, labels, simplex) for i in range(7)])
    return found


@pytest.mark.parametrize("name", ["bound.png", "bound.svg", "bound.pdf"])
def test_a_bound_is_drawn_in_each_format(called, folder, name):
    done = called(
        "plot", "gnc:theorem-3.9", "-p", "d=2:64:9:log", "-p", "K=50", "-o", name, cwd=folder
    )
    assert done.returncode == 0 and done.stderr == ""
    assert (folder / name).stat().st_size > 3000


def test_proximity_of_a_model_is_drawn(called, folder):
    done = called("plot", "proximity", "model.npz", "-o", "proximity.png", cwd=folder)
    assert done.returncode == 0 and (folder / "proximity.png").stat().st_size > 10_000


@pytest.mark.parametrize("what", ["loss-gap", "proximity"])
@pytest.mark.parametrize("names", [["run-3"], ["run-0", "run-3", "run-6"]])
def test_chosen_runs_are_drawn_over_training(called, folder, what, names):
    chosen = [word for name in names for word in ("--run", name)]
    done = called("plot", what, "runs.safetensors", *chosen, "-o", "gap.png", cwd=folder)
    assert done.returncode == 0 and done.stderr == ""
    assert (folder / "gap.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plot", "gnc:theorem-3.9", "-p", "d=3", "-p", "K=9", "-o", "x.png"), "exactly one"),
        (("plot", "gnc:theorem-3.9", "-p", "d=2,3", "-p", "K=9", "-o", "x.txt"), "x.txt"),
        (("plot", "gnc:theorem-3.9", "-p", "d=2,3", "-p", "K=9", "-o", "no/x.png"), "folder"),
        (("plot", "gnc:theorem-9", "-p", "d=2,3", "-o", "x.png"), "gnc:theorem-3.9"),
        (("plot", "proximity", "-o", "x.png"), "missing"),
        (("plot", "proximity", "bare.npz", "-o", "x.png"), "weights"),
        (("plot", "proximity", "runs.safetensors", "--run", "c", "-o", "x.png"), "one of run-0"),
        (("plot", "gnc:theorem-3.9", "--run", "a", "-o", "x.png"), "--run"),
        (("plot", "loss-gap", "-o", "x.png"), "missing"),
        (("plot", "loss-gap", "model.npz", "-o", "x.png"), "model.npz"),
        (("plot", "loss-gap", "runs.safetensors", "--run", "c", "-o", "x.png"), "one of run-0"),
        (("plot", "loss-gap", "runs.safetensors", "-o", "x.png"), "choose with --run"),
        (("report", "--features", "absent.npz"), "absent.npz"),
        (("report", "-o", "no/report.html"), "no/report.html"),
        (("report", "--results", "absent"), "--results"),
    ],
)
def test_bad_input_is_one_line_with_exit_status_2(called, folder, arguments, words):
    done = called(*arguments, cwd=folder)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and words in done.stderr


def test_a_report_on_saved_features_is_one_page(folder, monkeypatch):
    few = [statement("square:eq-25"), statement("bnwd:lemma-a.2")]
    monkeypatch.setattr(report_command, "select", lambda ids, paper: few)
    out = folder / "r.html"
    (folder / "results").mkdir()
    (folder / "results" / "transfer_error.txt").write_text("what the table says")
    arguments = ["--features", str(folder / "model.npz"), "--budget", "0.5", "--workers", "1"]
    arguments += ["--results", str(folder / "results"), "-o", str(out)]
    done = CliRunner().invoke(report_command.command, arguments)
    assert done.exit_code == 0 and f"wrote {out}: 1 networks" in done.output
    page = out.read_text(encoding="utf-8")
    assert "model" in page and "Certified counterexample" in page
    assert "what the table says" in page and "python -m experiments strong-collapse" in page


def test_a_picture_belongs_to_the_experiment_it_is_named_after(tmp_path):
    for name in ("square_dynamics", "square_dynamics_late", "square", "effective_depth"):
        (tmp_path / f"{name}.png").write_bytes(b"")
    found = {one.name: [p.stem for p in one.pictures] for one in experiment_results(tmp_path)}
    assert found["square-dynamics"] == ["square_dynamics", "square_dynamics_late"]
    assert found["effective-depth"] == ["effective_depth"] and sum(map(len, found.values())) == 3


def test_a_picture_belongs_to_the_experiment_that_says_so(tmp_path):
    kept = {"name": "square-dynamics", "scale": "small", "figures": {"square_flow": "rho by time"}}
    (tmp_path / "square_dynamics.json").write_text(json.dumps(kept))
    (tmp_path / "square_flow.png").write_bytes(b"")
    (tmp_path / "bnwd-depths.txt").write_text("kept under the name of the command")
    found = {one.name: one for one in experiment_results(tmp_path)}
    assert [path.stem for path in found["square-dynamics"].pictures] == ["square_flow"]
    assert found["square-dynamics"].captions == {"square_flow": "rho by time"}
    assert found["bnwd-depths"].table == tmp_path / "bnwd-depths.txt"
    assert [one.name for one in found.values() if one.pictures] == ["square-dynamics"]
