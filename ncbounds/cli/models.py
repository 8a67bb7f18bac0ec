"""Models from files and from training, for the commands that draw and report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ncbounds.errors import InputError
from ncbounds.measure import read_features
from ncbounds.measure.reading import stored_arrays, whole
from ncbounds.report.model import Model

if TYPE_CHECKING:
    from experiments.training.runs import Run

BATCH_NORM, PLAIN = "batch norm", "no batch norm"


def read_models(path: str) -> list[Model]:
    """Read the models of a file: saved runs of the report, or one model's features and weights.

    Raises
    ------
    InputError
        When the file is neither, or has no weights.
    """
    from experiments.training.runs import load_runs

    try:
        runs = load_runs(path)
    except InputError:
        data = read_features(path, leave_features=True)
        if data.weights is None:
            raise InputError(
                "FILE", path, "a file with weights", "bounds speak of the last layer"
            ) from None
        arrays = (data.features, data.labels, data.weights, data.bias)
        return [Model(Path(path).stem, PLAIN, *arrays, temperature=data.temperature)]
    return [_from_run(run) for run in runs]


def read_square_loss(path: str, targets: str) -> list[Model]:
    """Read the models of a file that were trained with the square loss.

    With signs the file holds features (n, d), labels -1 and 1, weights (d,) or (1, d), and
    optionally a bias.

    Raises
    ------
    InputError
        When it does not.
    """
    if targets != "signs":
        return [replace(model, targets=targets) for model in read_models(path)]
    stored = stored_arrays(path)
    missing = [name for name in ("features", "labels", "weights") if name not in stored]
    if missing:
        domain = "a file with features, labels and weights"
        raise InputError("FILE", path, domain, f"missing: {', '.join(missing)}")
    bias = whole(stored["bias"]) if "bias" in stored else None
    given = (stored["features"], whole(stored["labels"]), whole(stored["weights"]), bias)
    return [Model(Path(path).stem, PLAIN, *given, targets=targets)]


def train_models(
    seed: int, save: Path | None, progress: Callable[[int, int, str], None]
) -> list[Model]:
    """Train the networks of the report on the digits, and save their features if asked to."""
    from experiments.proximity_digits import train
    from experiments.training.runs import save_runs

    runs = train(seed, progress=lambda done, total: progress(done, total, "training"))
    if save is not None:
        save_runs(save, runs)
    return [_from_run(run) for run in runs]


def _from_run(run: Run) -> Model:
    return Model(
        name=run.name,
        group=BATCH_NORM if run.batch_norm else PLAIN,
        features=run.features,
        labels=run.labels,
        weights=run.weights,
        facts={
            "weight decay": f"{run.weight_decay:g}",
            "train accuracy": f"{run.train_accuracy:.4g}",
            "test accuracy": f"{run.test_accuracy:.4g}",
        },
    )
