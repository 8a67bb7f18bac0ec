"""How experiments run: parts are done once, findings are tested over seeds, files are whole."""

import json
import time
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from experiments import __main__ as command
from experiments.running import (
    Experiment,
    Finding,
    caption,
    read_captions,
    read_findings,
    read_times,
    run,
    sign_flip_test,
)
from ncbounds.errors import InputError

pytest.importorskip("matplotlib")

DONE = []


@dataclass(frozen=True)
class Settings:
    """Of an experiment that trains nothing."""

    sizes: tuple[int, ...] = (1, 2)


def compute(part, settings, place):
    DONE.append(part)
    return [{**part, "value": part["size"] + part["seed"] / 10, "device": place.device}]


def findings(records, settings):
    seeds = sorted({r["seed"] for r in records})
    rise = [np.ptp([r["value"] for r in records if r["seed"] == seed]) for seed in seeds]
    return [Finding("paper Fig. 1", "it rises", tuple(rise), "rise", "tight")]


def draw(records, settings):
    """A\n    line.

    Not told.
    """
    from ncbounds.report.plots import pyplot

    found, axes = pyplot().subplots(figsize=(2, 1))
    axes.plot([r["value"] for r in records])
    return found


TOY = Experiment(
    name="toy-one",
    source="paper Fig. 1",
    title="A toy",
    scales={"small": Settings(), "paper": Settings((1, 2, 3))},
    parts=lambda settings, seeds: [{"size": k, "seed": s} for k in settings.sizes for s in seeds],
    compute=compute,
    findings=findings,
    figures={"toy": draw},
    table=lambda records, settings: f"{len(records)} records",
)


def test_what_is_done_is_not_done_again(tmp_path):
    DONE.clear()
    first = run(TOY, tmp_path, seeds=2, workers=1)
    assert len(DONE) == 4 and len(first.records) == 4 and first.seeds == [0, 1]
    more = run(TOY, tmp_path, seeds=3, workers=1)
    assert len(DONE) == 6 and [p["seed"] for p in DONE[4:]] == [2, 2]
    again = run(TOY, tmp_path, seeds=3, workers=1)
    assert len(DONE) == 6 and again == more
    run(TOY, tmp_path, scale="paper", seeds=1, workers=1)
    assert len(DONE) == 9  # other settings: nothing is taken over


def test_a_killed_run_keeps_its_parts(tmp_path):
    class KilledError(Exception):
        pass

    def fragile(part, settings, place):
        if part["size"] == 2:
            raise KilledError
        return compute(part, settings, place)

    DONE.clear()
    with pytest.raises(KilledError):
        run(replace(TOY, compute=fragile), tmp_path, seeds=2, workers=1)
    assert len(DONE) == 2
    run(TOY, tmp_path, seeds=2, workers=1)
    assert len(DONE) == 4


def test_processes_give_the_same_results(tmp_path):
    alone = run(TOY, tmp_path / "one", seeds=2, workers=1)
    assert run(TOY, tmp_path / "two", seeds=2, workers=2) == alone


def refuse(part, settings, place):
    raise InputError("--data", "none", "a folder")


def test_what_a_process_refuses_is_told_as_it_was(tmp_path):
    refusing = replace(TOY, compute=refuse)
    with pytest.raises(InputError, match="--data = none: must be a folder"):
        run(refusing, tmp_path, seeds=2, workers=2)


def test_files_stand_beside_each_other_and_tell_their_findings(tmp_path):
    run(TOY, tmp_path, seeds=5, workers=1)
    assert {p.name for p in tmp_path.iterdir()} == {
        "toy_one.json", "toy_one.txt", "toy.png", "toy.svg",
    }  # fmt: skip
    assert (tmp_path / "toy_one.txt").read_text() == "10 records\n"
    assert read_captions(tmp_path) == {"toy-one": {"toy": "A line."}}
    (one,) = read_findings(tmp_path)
    assert one["verdict"] == "reproduced" and one["name"] == "toy-one" and one["p"] == 1 / 32
    kept = json.loads((tmp_path / "toy_one.json").read_text())
    assert kept["seeds"] == [0, 1, 2, 3, 4] and kept["scale"] == "small"


def test_processor_seconds_are_kept_by_part_and_added(tmp_path):
    def busy(part, settings, place):
        start = time.process_time()
        while time.process_time() < start + 0.05:
            pass
        return compute(part, settings, place)

    run(replace(TOY, compute=busy), tmp_path, seeds=2, workers=1)
    path = tmp_path / "toy_one.json"
    kept = json.loads(path.read_text())
    assert kept["seconds"].keys() == kept["parts"].keys()
    (one,) = read_times(tmp_path)
    assert one["seconds"] == sum(kept["seconds"].values()) >= 0.2 and one["untimed"] == 0
    del kept["seconds"]["size=1 seed=0"]
    path.write_text(json.dumps(kept))
    run(TOY, tmp_path, seeds=2, workers=1)
    (one,) = read_times(tmp_path)
    assert 0.15 <= one["seconds"] < kept["seconds"]["size=1 seed=1"] * 4 and one["untimed"] == 1
    told = CliRunner().invoke(command.main, ["times", "--out", str(tmp_path)])
    assert "toy-one" in told.output and "1 parts without their time" in told.output
    assert told.output.splitlines()[-1].startswith("all ")


def test_times_add_demonstrations_too(tmp_path, monkeypatch):
    plain = SimpleNamespace(__name__="experiments.plain_one", main=lambda out, **others: out)
    monkeypatch.setattr(command, "load", lambda name: plain)
    done = CliRunner().invoke(command.main, ["plain-one", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    run(TOY, tmp_path, seeds=1, workers=1)
    told = CliRunner().invoke(command.main, ["times", "--out", str(tmp_path)])
    assert told.exit_code == 0 and {"plain-one", "toy-one"} <= set(told.output.split())


def test_every_figure_says_what_it_shows():
    modules = [command.load(name) for name in command.available()]
    found = [m.EXPERIMENT for m in modules if hasattr(m, "EXPERIMENT")]
    told = {stem: caption(draw) for one in found for stem, draw in one.figures.items()}
    assert len(told) > 20 and not [stem for stem, words in told.items() if len(words) <= 20]


@pytest.mark.parametrize(
    ("effects", "p", "verdict"),
    [
        ((1, 1, 1, 1, 1), 1 / 32, "reproduced"),
        ((-1, -2, -3, -4, -5), 1, "contradicted"),
        ((1, 1, 1, 1), 1 / 16, "undecided"),
        ((3, -1, 1, 1, 1), 5 / 32, "undecided"),
        ((0, 0, 0, 0, 0), 1, "undecided"),
        ((1, 1, 1, 1, float("nan")), 1, "undecided"),
        ((), 1, "undecided"),
    ],
)
def test_a_verdict_follows_from_the_signs_over_seeds(effects, p, verdict):
    found = Finding("x", "y", effects, "z")
    assert (found.p, found.verdict) == (p, verdict)
    assert verdict in str(found)


def test_many_seeds_are_sampled():
    rng = np.random.default_rng(1)
    assert sign_flip_test(rng.normal(1.0, 1.0, 40)) < 1e-3
    assert 0.02 < sign_flip_test(rng.normal(0.0, 1.0, 40)) < 0.98


@pytest.mark.parametrize(
    "wrong", [{"scale": "huge"}, {"seed": -1}, {"seeds": 0}], ids=lambda wrong: next(iter(wrong))
)
def test_bad_input_is_refused(wrong, tmp_path):
    with pytest.raises(InputError, match=r"scale|seeds"):
        run(TOY, tmp_path, **wrong)


def test_a_damaged_or_foreign_file_is_not_gone_on_with(tmp_path):
    (tmp_path / "toy_one.json").write_text("{")
    DONE.clear()
    run(TOY, tmp_path, seeds=1, workers=1)
    assert len(DONE) == 2


def test_the_command_tells_findings_and_refuses_what_an_experiment_has_not(tmp_path):
    run(TOY, tmp_path, seeds=5, workers=1)
    told = CliRunner().invoke(command.main, ["findings", "--out", str(tmp_path)])
    assert told.exit_code == 0 and "reproduced   paper Fig. 1" in told.output
    assert "tight" in told.output
    table = CliRunner().invoke(command.main, ["findings", "--markdown", "--out", str(tmp_path)])
    row = "| `toy-one` | it rises (paper Fig. 1) | reproduced | 0.031 | tight |"
    assert table.output.splitlines()[2] == row
    empty = CliRunner().invoke(command.main, ["findings", "--out", str(tmp_path / "none")])
    assert empty.exit_code == 2 and "--out" in empty.output
    for option in (["--seeds", "2"], ["--scale", "paper"], ["--workers", "1"]):
        refused = CliRunner().invoke(
            command.main, ["classifier-heads", "--out", str(tmp_path), *option]
        )
        assert refused.exit_code == 2 and option[0] in refused.output
