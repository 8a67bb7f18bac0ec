"""Proximity to neural collapse: a table over data sets, networks and weight decays.

For two real data sets, three networks with batch normalisation and three weight decays, trained to
zero training error: what the mean loss guarantees (`bnwd:theorem-2.1`, sharp) beside what is
measured. With s the proximity gap, the variability within classes is at most 2s - s^2 and the
angle between weights and class means at most arccos(1 - s); one minus the mean cosine of features
and weights stands beside s. `ncbounds plot loss-gap` draws how each loss gap splits over training.
"""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from experiments.training.data import DATA_SETS
from experiments.training.networks import Architecture, check, train_networks
from experiments.training.runs import Run, save_runs
from ncbounds.errors import NcboundsError
from ncbounds.report.compare import compare

Progress = Callable[[int, int], None]

WEIGHT_DECAYS = (1e-3, 2e-3, 3e-3)
ARCHITECTURES = (
    Architecture("mlp", (64, 64, 64)),
    Architecture("wide", (128, 128, 64)),
    Architecture("conv", (64,), channels=(8, 16)),
)
EPOCHS = 600
PER_CLASS = 100
LEARNING_RATE = 5e-3


@dataclass(frozen=True)
class Row:
    """One run: what was measured, and what the mean loss guarantees."""

    run: str
    train_error: float
    loss: float
    margin: float
    gap: float
    variability: float
    variability_bound: float
    angle: float
    angle_bound: float
    one_minus_cosine: float
    seconds: float


def train(
    seed: int = 0,
    weight_decays: Sequence[float] = WEIGHT_DECAYS,
    epochs: int = EPOCHS,
    progress: Progress | None = None,
    device: str = "cpu",
) -> dict[str, list[Run]]:
    """Train every network on every data set, at all weight decays: runs by `DATA-NETWORK`.

    The same seed gives the same numbers on the same machine. `progress(done, total)` is called
    after every epoch. Raises InputError for options outside their domain and
    MissingDependencyError, which says how to install it, where a package is missing.
    """
    check(seed, weight_decays, epochs, device)
    splits = {name: load(seed, PER_CLASS) for name, load in DATA_SETS.items()}
    places = [(name, network) for name in splits for network in ARCHITECTURES]
    found = {}
    for index, (name, network) in enumerate(places):

        def report(done: int, offset: int = index * epochs) -> None:
            if progress is not None:
                progress(offset + done, len(places) * epochs)

        found[f"{name}-{network.name}"] = train_networks(
            network,
            splits[name],
            name=f"{name}-{network.name}",
            data_name=name,
            seed=seed,
            weight_decays=weight_decays,
            epochs=epochs,
            learning_rate=LEARNING_RATE,
            device=device,
            report=report,
        )
    return found


def row(run: Run) -> Row:
    """Measure a run, and evaluate what its loss guarantees."""
    report = compare(run.features, run.labels, run.weights)
    metrics = report.measurement.metrics
    of_variability = report.find("nc1.relative", "sharp")
    gap = float(report.find("1 - nc3.cosine", "sharp").bound)
    numbers = {name: float(value) for name, value in of_variability.parameters.items()}
    return Row(
        run=run.name,
        train_error=1 - run.train_accuracy,
        loss=metrics["loss.cross_entropy"],
        margin=numbers["C"] / (numbers["C"] - 1) * numbers["alpha"] * numbers["beta"],
        gap=gap,
        variability=metrics["nc1.relative"],
        variability_bound=float(of_variability.bound),
        angle=metrics["nc3.angle"],
        angle_bound=math.degrees(math.acos(max(-1.0, 1 - gap))),
        one_minus_cosine=1 - metrics["cosine.weights.mean"],
        seconds=run.seconds,
    )


def main(out: Path, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Path:
    """Train all runs, print the table, and write it and the runs into the folder `out`.

    Runs go to `proximity_table_DATA-NETWORK.safetensors`, the table to `proximity_table.csv`.
    Raises NcboundsError where a run has training error left; the runs are written all the same.
    """
    groups = train(seed, WEIGHT_DECAYS, EPOCHS, progress, device)
    out.mkdir(parents=True, exist_ok=True)
    for name, runs in groups.items():
        save_runs(out / f"proximity_table_{name}.safetensors", runs)
    left = [
        f"{run.name} ({1 - run.train_accuracy:.2%})"
        for runs in groups.values()
        for run in runs
        if not run.interpolates
    ]
    if left:
        raise NcboundsError(f"training error left after {EPOCHS} epochs: {', '.join(left)}")
    rows = [row(run) for runs in groups.values() for run in runs]
    print(text(rows))
    path = out / "proximity_table.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, asdict(rows[0]).keys())
        writer.writeheader()
        writer.writerows(asdict(found) for found in rows)
    return path


def text(rows: Sequence[Row]) -> str:
    """The table as lines of text; `x` is the guarantee, or s, over what was measured."""
    columns = (
        f"{'':18}{'error':>6}{'loss':>9}{'margin':>8}{'s':>8}  {'variability':>15}{'x':>5}"
        f"  {'NC3, degrees':>15}{'x':>5}  {'1 - cosine':>10}{'x':>5}{'seconds':>9}"
    )
    lines = [columns]
    for r in rows:
        lines.append(
            f"{r.run:18}{r.train_error:6.2%}{r.loss:9.2e}{r.margin:8.2f}{r.gap:8.4f}"
            f"  {r.variability:6.4f} <={r.variability_bound:6.4f}"
            f"{r.variability_bound / r.variability:5.1f}"
            f"  {r.angle:6.2f} <={r.angle_bound:6.2f}{r.angle_bound / r.angle:5.1f}"
            f"  {r.one_minus_cosine:10.4f}{r.gap / r.one_minus_cosine:5.1f}{r.seconds:9.1f}"
        )
    return "\n".join(lines)
