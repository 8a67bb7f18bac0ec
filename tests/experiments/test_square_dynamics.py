"""Dynamics of the square loss on little data: what is kept, told and drawn."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from experiments import running, square_dynamics
from experiments.square_dynamics import Settings
from experiments.training.square_findings import counts
from ncbounds.cli.plot_command import command as plot
from ncbounds.errors import InputError
from ncbounds.report.dynamics_plots import FIGURES, read_dynamics

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

SMALL = Settings(
    per_class=4,
    widths=(5, 4),
    rhos=(1.0, 8.0),
    decays=(0.0, 1e-2),
    until=6.0,
    tolerance=1e-3,
    batches=(2, 8),
    rate=0.05,
    conservation=(1e-2, 1e-3),
    conservation_until=1.0,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder where the experiment ran."""
    found = tmp_path_factory.mktemp("dynamics")
    bare = replace(square_dynamics.EXPERIMENT, figures={})
    running.run(bare, found, seeds=2, settings=SMALL, workers=1)
    return found


@pytest.fixture(scope="module")
def runs(folder):
    return read_dynamics(folder / "square_dynamics.json")


def test_every_run_is_kept(runs):
    paths = [run for run in runs if run["method"] != "conservation"]
    assert len(paths) == len(runs) - 1 == 2 * (4 + 2 * 4)
    for run in paths:
        last = {name: values[-1] for name, values in run["record"].items()}
        assert run["norm_drift"] < 0.1
        assert last["gap"] == pytest.approx(1 - last["rho"] * last["mu"], abs=1e-5)
        assert (run["method"] == "sgd") == ("updates" in run)
    assert {run["rho"] for run in paths} == {1.0, 8.0}


def test_findings_count_runs_and_test_over_seeds(runs):
    told = square_dynamics.text(runs, SMALL)
    assert max(map(len, told.splitlines())) < 140
    whole = counts(runs)
    assert len({one.claim for one in whole}) > 15
    falls = next(one for one in whole if "never increases" in one.claim)
    assert falls.seen == falls.of == 8
    found = square_dynamics.findings(runs, SMALL)
    assert len(found) == len(whole)
    (right,) = [one for one in found if "never increases" in one.claim]
    assert right.effects == (1, 1) and right.tightness == "seen in 8 of 8"
    rising = [
        {**run, "record": {**run["record"], "loss": run["record"]["loss"][::-1]}}
        if run["method"] == "flow" and run["seed"] == 1
        else run
        for run in runs
    ]
    wrong = square_dynamics.findings(rising, SMALL)[found.index(right)]
    assert wrong.effects == (1, -1) and wrong.tightness == "seen in 4 of 8"


def test_bad_settings_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"^weight_decays = "):
        running.run(square_dynamics.EXPERIMENT, tmp_path, settings=Settings(decays=(-1.0,)))


@pytest.mark.parametrize("what", FIGURES)
def test_each_figure_is_drawn(folder, runs, what, tmp_path):
    path = tmp_path / "drawn.png"
    draw = square_dynamics.EXPERIMENT.figures[what.replace("-", "_")]
    draw(runs, SMALL).savefig(path, dpi=40)
    assert path.stat().st_size > 5_000
    if what == "square-noise":
        out = tmp_path / "again.svg"
        arguments = [what, str(folder / "square_dynamics.json"), "-o", str(out)]
        assert CliRunner().invoke(plot, arguments).exit_code == 0
        assert out.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "the JSON file of the experiment"),
        ("{}", "the JSON file of the experiment"),
        ("nothing", "a file of square-dynamics"),
        ('{"name": "square-dynamics", "parts": {}}', "finished run"),
        ('{"name": "square-dynamics", "parts": 3}', "a file of square-dynamics"),
    ],
)
def test_foreign_files_are_refused(tmp_path, text, words):
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        FIGURES["square-flow"](read_dynamics(path))


def test_one_file_is_asked_for(tmp_path):
    done = CliRunner().invoke(plot, ["square-flow", "-o", str(tmp_path / "x.png")])
    assert isinstance(done.exception, InputError) and done.exception.parameter == "FILES"
