"""Dynamics of the square loss on little data: what is kept, told and drawn."""

import csv
import json

import pytest
from click.testing import CliRunner

from experiments import __main__ as command
from experiments import square_dynamics
from experiments.square_dynamics import Settings, train
from experiments.training.square_findings import Finding, findings
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(square_dynamics, "SETTINGS", SMALL)
        patch.setattr(square_dynamics, "SEEDS", 2)
        patch.setattr(square_dynamics, "WORKERS", 1)
        patch.setattr(square_dynamics, "DPI", 40)
        done = CliRunner().invoke(command.main, ["square-dynamics", "--out", str(found)])
    assert done.exit_code == 0, done.output
    (found / "told.txt").write_text(done.output)
    return found


@pytest.fixture(scope="module")
def runs(folder):
    return read_dynamics(folder / "square_dynamics.json")


def test_every_run_is_in_the_table(folder, runs):
    with (folder / "square_dynamics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(runs) - 1 == 2 * (4 + 2 * 4)
    for row in rows:
        assert float(row["norm_drift"]) < 0.1
        assert float(row["gap"]) == pytest.approx(
            1 - float(row["rho"]) * float(row["mu"]), abs=1e-5
        )
        assert (row["method"] == "sgd") == bool(row["update norm 1"])
    assert {row["initial rho"] for row in rows} == {"1.0", "8.0"}


def test_findings_count_runs(folder, runs):
    told = (folder / "told.txt").read_text()
    found = findings(runs)
    assert len({one.claim for one in found}) > 15
    for one in found:
        assert 0 <= one.seen <= one.of and str(one) in told
    falls = next(one for one in found if "never increases" in one.claim)
    assert falls.seen == falls.of == 8
    assert max(map(len, told.split("flow, square:eq-2")[0].splitlines())) < 140


def test_a_finding_says_what_was_seen():
    assert str(Finding("here", "a claim", 2, 2)) == "here: a claim: seen, 2 of 2"
    assert str(Finding("here", "a claim", 0, 2, "why")) == "here: a claim: not seen, 0 of 2 (why)"
    partly = Finding("here", "a claim", 1, 2, setting="flow")
    assert str(partly) == "flow, here: a claim: partly, 1 of 2"


def test_what_is_kept_is_not_done_again(folder, runs, monkeypatch):
    path = folder / "square_dynamics.json"
    kept = json.loads(path.read_text())
    del kept["parts"]["method=flow seed=1 rho=8.0 decay=0.01"]
    path.write_text(json.dumps(kept))
    seen = []
    whole = square_dynamics.compute
    monkeypatch.setattr(
        square_dynamics,
        "compute",
        lambda part, settings: seen.append(part) or whole(part, settings),
    )
    again = train(path, 0, SMALL, 2, workers=1)
    assert [(part.method, part.seed, part.rho, part.decay) for part in seen] == [
        ("flow", 1, 8.0, 0.01)
    ]
    by_part = {json.dumps(run) for run in runs}
    assert {json.dumps(run) for run in again["runs"]} == by_part


def test_other_settings_start_anew_and_bad_ones_are_refused(folder, tmp_path, monkeypatch):
    path = tmp_path / "kept.json"
    path.write_text((folder / "square_dynamics.json").read_text())
    seen = []
    monkeypatch.setattr(square_dynamics, "compute", lambda part, settings: seen.append(part) or [])
    train(path, 0, Settings(per_class=5), 1, workers=1)
    assert len(seen) == 1 + 3 + 9
    path.write_text("no json")
    assert train(path, 0, SMALL, 1, workers=1)["runs"] == []
    with pytest.raises(InputError, match=r"^weight_decays = "):
        train(None, 0, Settings(decays=(-1.0,)), 1)


@pytest.mark.parametrize("what", FIGURES)
def test_each_figure_is_drawn(folder, what):
    drawn = folder / f"{what.replace('-', '_')}.png"
    assert drawn.stat().st_size > 5_000
    if what == "square-noise":
        out = folder / "again.svg"
        arguments = [what, str(folder / "square_dynamics.json"), "-o", str(out)]
        assert CliRunner().invoke(plot, arguments).exit_code == 0
        assert out.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "a file of format"),
        ("{}", "a file of format"),
        ("nothing", "a file of square-dynamics"),
        ('{"format": "ncbounds.square-dynamics.1", "parts": {}}', "finished run"),
        ('{"format": "ncbounds.square-dynamics.1", "parts": 3}', "a file of square-dynamics"),
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
