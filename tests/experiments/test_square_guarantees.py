"""The guarantees of the square loss beside trained networks, on little data."""

import csv

import numpy as np
import pytest
from click.testing import CliRunner

from experiments import __main__ as command
from experiments import square_guarantees
from experiments.training.data import digits
from experiments.training.networks import Architecture, train_networks
from experiments.training.runs import load_runs
from ncbounds.cli.plot_command import command as plot
from ncbounds.errors import InputError

pytest.importorskip("torch")
pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder where the experiment ran."""
    found = tmp_path_factory.mktemp("guarantees")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(square_guarantees, "DATA_SETS", {"digits": digits})
        architectures = (Architecture("bn", (24, 16)),)
        patch.setattr(square_guarantees, "WEIGHT_DECAYS", (1e-3, 3e-3))
        patch.setattr(square_guarantees, "ARCHITECTURES", architectures)
        patch.setattr(square_guarantees, "PER_CLASS", 6)
        patch.setattr(square_guarantees, "SEEDS", 1)
        patch.setattr(square_guarantees, "EPOCHS", 150)
        patch.setattr(square_guarantees, "STEPS", 1500)
        patch.setattr(square_guarantees, "BATCH", 4)
        done = CliRunner().invoke(command.main, ["square-guarantees", "--out", str(found)])
    assert done.exit_code == 0, done.output
    (found / "told.txt").write_text(done.output)
    return found


def rows_of(folder):
    with (folder / "square_guarantees.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_guarantee_holds_and_those_of_margins_are_useful(folder):
    rows = rows_of(folder)
    assert [row["classes"] for row in rows] == ["2"] * 5 + ["10"] * 2
    for row in rows:
        for quantity in square_guarantees.COLUMNS:
            measured = float(row[quantity])
            bounds = [float(v) for k, v in row.items() if k.startswith(f"{quantity} from") and v]
            assert bounds and measured <= min(bounds)
        assert float(row["outputs.spread from square loss"]) < (0.5 if row["classes"] == "2" else 1)
    told = (folder / "told.txt").read_text()
    assert "two classes: relative spread of margins guaranteed below 0.5 in 5 of 5 runs" in told
    assert "ten classes: relative spread of margins guaranteed below 0.5 in " in told
    assert "where margins are equal features collapse: seen" in told
    assert max(map(len, told.splitlines())) < 160


def test_decay_tightens_the_guarantee_of_normalised_networks(folder):
    for row in rows_of(folder):
        better = row["outputs.spread from regularised loss"]
        assert bool(better) == ("-unit-" in row["run"])
        if better:
            assert float(better) < float(row["outputs.spread from square loss"])


def test_saved_runs_have_the_outputs_that_were_certified(folder):
    rows = {row["run"]: row for row in rows_of(folder)}
    for run in load_runs(folder / "square_guarantees.safetensors"):
        C = len(run.weights)
        targets = np.eye(C)[run.labels] - 1 / C
        error = np.square(run.features @ run.weights.T - targets).sum(1).mean()
        loss = float(rows[run.name]["relative loss"])
        # The centred outputs are what counts: a mean over the classes adds to the loss only.
        assert loss <= C / (C - 1) * error * (1 + 1e-9)
        if C == 2 and run.network == "unit":
            assert loss == pytest.approx(2 * error)


def test_networks_learn_under_the_square_loss_and_record_no_loss_gap(tmp_path, folder):
    runs = train_networks(
        Architecture("net", (12,), batch_norm=False),
        digits(0, per_class=5),
        name="net",
        data_name="digits",
        seed=0,
        weight_decays=(1e-3,),
        epochs=60,
        learning_rate=1e-2,
        loss="square",
    )
    losses = runs[0].history["loss"]
    assert losses[-1] < 0.5 * losses[0] and runs[0].defects == {}
    saved, out = str(folder / "square_guarantees.safetensors"), str(tmp_path / "gap.png")
    name = rows_of(folder)[0]["run"]
    done = CliRunner().invoke(plot, ["loss-gap", saved, "--run", name, "-o", out])
    assert isinstance(done.exception, InputError)
    assert "cross-entropy" in str(done.exception)


def test_bad_options_are_named_before_any_work():
    with pytest.raises(InputError, match=r"^epochs = "):
        square_guarantees.train(epochs=0)
