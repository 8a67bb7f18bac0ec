"""What the square loss guarantees of trained networks, beside what is measured.

Two of the classes and all ten of two real data sets, trained with the square loss and weight
decay: usual networks with decay of all weights, and for two classes also the model of `square`,
`rho f_V` with matrices of norm 1 and decay `lambda rho^2`, trained on batches. From the loss alone
follows how far the margins can lie apart, relative to their mean (`square:sharp-1`), and with the
norms of features and weights how near they are to neural collapse (`square:sharp-2`). The paper
says it of exact optima; here it is said of every network, beside what is measured.

The runs are written too: `ncbounds compare` tells more of each.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.training.data import DATA_SETS, Split, two_classes, unit_inputs
from experiments.training.networks import Architecture, check, train_networks
from experiments.training.normalised import Networks, Samples, activations, initial, samples
from experiments.training.paths import descend
from experiments.training.runs import Run, save_runs
from ncbounds.errors import NcboundsError
from ncbounds.report.square_loss import SquareLossCertificate, square_loss_certificate

Progress = Callable[[int, int], None]

PAIR = (3, 8)
PER_CLASS = 100
SEEDS = 2
WEIGHT_DECAYS = (1e-3, 3e-3, 1e-2)
ARCHITECTURES = (
    Architecture("plain", (64, 64), batch_norm=False),
    Architecture("bn", (64, 64)),
)
EPOCHS = 600
LEARNING_RATE = 1e-2
#: The model with matrices of norm 1: layers, start, and descent on batches.
WIDTHS = (32, 32)
RHO = 5.0
NORMALISED_DECAYS = (5e-4, 1e-3, 2e-3)
BATCH, STEPS, RATE = 20, 8000, 0.02
#: A guarantee of the relative spread of margins below this says something.
USEFUL = 0.5

#: Columns: the quantity in the certificate, and its heading.
COLUMNS = {
    "outputs.spread": "margins: spread/mean",
    "nc1.relative": "NC1, relative",
    "1 - nc3.cosine": "NC3, 1 - cosine",
}
_SHORT = {"square loss": "loss", "regularised loss": "with decay"}


@dataclass(frozen=True)
class Row:
    """One network: what was trained, and its certificate."""

    run: Run
    classes: int
    certificate: SquareLossCertificate

    def measured(self, quantity: str) -> float:
        """What was measured of a quantity that is bounded from above."""
        name = quantity.removeprefix("1 - ")
        value = self.certificate.measured[name]
        return value if name == quantity else 1 - value

    def bounds(self, quantity: str) -> dict[str, float]:
        """The guarantees of a quantity by what they use."""
        return {
            row.level: float(row.bound)
            for row in self.certificate.rows
            if row.quantity == quantity and row.level in _SHORT
        }

    def flat(self) -> dict[str, Any]:
        """All numbers by the names of the columns of the file."""
        run, own = self.run, self.certificate
        row = {
            "run": run.name,
            "data": run.data,
            "classes": self.classes,
            "weight decay": run.weight_decay,
            "train error": 1 - run.train_accuracy,
            "test error": 1 - run.test_accuracy,
            "relative loss": own.losses["relative"],
            "largest margin": own.measured["largest margin"],
            "seconds": run.seconds,
        }
        for quantity in COLUMNS:
            row[quantity] = self.measured(quantity)
            for level, bound in self.bounds(quantity).items():
                row[f"{quantity} from {level}"] = bound
        return row


def train(
    seed: int = 0,
    epochs: int = EPOCHS,
    steps: int = STEPS,
    seeds: int = SEEDS,
    progress: Progress | None = None,
    device: str = "cpu",
) -> list[Row]:
    """Train everything and certify it; the same seed gives the same numbers on a machine.

    Raises InputError for options outside their domain and MissingDependencyError where a package
    is missing.
    """
    check(seed, WEIGHT_DECAYS, epochs, device)
    rows: list[Row] = []
    tasks = list(_tasks(range(seed, seed + seeds)))
    done, total = 0, len(tasks) * (len(ARCHITECTURES) * epochs + epochs)
    for name, own_seed, data in tasks:
        for architecture in ARCHITECTURES:

            def report(finished: int, before: int = done) -> None:
                if progress is not None:
                    progress(before + finished, total)

            runs = train_networks(
                architecture,
                data,
                name=f"{name}-{architecture.name}-{own_seed}",
                data_name=name,
                seed=own_seed,
                weight_decays=WEIGHT_DECAYS,
                epochs=epochs,
                learning_rate=LEARNING_RATE,
                loss="square",
                device=device,
                report=report,
            )
            done += epochs
            rows += [Row(run, data.K, certify(run)) for run in runs]
        if data.K == 2:
            rows += normalised(name, data, own_seed, steps)
        done += epochs
        if progress is not None:
            progress(done, total)
    return sorted(rows, key=lambda row: row.classes)


def _tasks(seeds: Sequence[int]) -> Iterator[tuple[str, int, Split]]:
    """Two classes and all, of every data set."""
    for seed in seeds:
        for name, load in DATA_SETS.items():
            whole = load(seed, PER_CLASS)
            pair = two_classes(whole, PAIR, seed, PER_CLASS)
            yield f"{name}-{PAIR[0]}v{PAIR[1]}", seed, pair
            yield name, seed, whole


def certify(run: Run) -> SquareLossCertificate:
    """What the square loss of a run guarantees."""
    return square_loss_certificate(
        features=run.features, labels=run.labels, weights=run.weights, targets="centred"
    )


def normalised(name: str, data: Split, seed: int, steps: int) -> list[Row]:
    """The networks `rho f_V` of two classes, one a weight decay, and their certificates."""
    started = time.perf_counter()
    train_samples, test_samples = samples(unit_inputs(data))
    decays = np.array(NORMALISED_DECAYS)
    start = initial(train_samples.x.shape[0], WIDTHS, [RHO] * len(decays), seed)
    found = descend(
        start, train_samples, test_samples, decays, batch=BATCH, steps=steps, rate=RATE, seed=seed
    )
    seconds = (time.perf_counter() - started) / len(decays)
    rows = []
    for place, decay in enumerate(NORMALISED_DECAYS):
        features, vector = last_layer(found.end, train_samples, place)
        last = {key: float(values[-1, place]) for key, values in _numbers(found.record).items()}
        run = Run(
            name=f"{name}-unit-{seed}-{decay:g}",
            data=name,
            network="unit",
            batch_norm=False,
            weight_decay=decay,
            train_accuracy=1 - last["train_error"],
            test_accuracy=1 - last["test_error"],
            seconds=seconds,
            features=features,
            labels=data.train_y,
            # With centred targets: half the output for one class, less half for the other.
            weights=np.stack([-vector, vector]) / 2,
            gamma=None,
            history={key: values[:, place] for key, values in _numbers(found.record).items()},
            defects={},
        )
        certificate = square_loss_certificate(
            features=features,
            labels=2 * data.train_y - 1,
            weights=vector,
            targets="signs",
            weight_decay=decay,
            rho=float(found.end.rho[place]),
        )
        rows.append(Row(run, 2, certificate))
    return rows


def last_layer(networks: Networks, data: Samples, place: int) -> tuple[Any, Any]:
    """Features (n, d) and `rho V_L` (d,) of one of the networks."""
    inputs = activations([v[place : place + 1] for v in networks.V], data.x)[-2]
    vector = networks.rho[place] * networks.V[-1][place, 0]
    return np.ascontiguousarray(inputs[0].T), vector


def _numbers(record: dict[str, Any]) -> dict[str, Any]:
    return {key: values for key, values in record.items() if values.ndim == 2}


# -- what is printed -------------------------------------------------------------------------------


def text(rows: Sequence[Row]) -> str:
    """The table: measured, guaranteed from the loss (and with its decay), and how many times."""
    lines = [
        "measured, guaranteed from the square loss, and x = guaranteed over measured; of rho f_V "
        "also with its decay.",
        "T = C/(C-1) alpha b: features collapse with the margins only where it is near 1. "
        "*: no better than what always holds.",
        "",
        f"{'':28}{'train':>7}{'test':>7}{'loss/max':>10}{'T':>7}"
        f"  {'margins: spread/mean':43}  {'NC1, relative':26}  NC3, 1 - cosine",
    ]
    for row in rows:
        flat = row.flat()
        line = f"{row.run.name:28}{flat['train error']:7.2%}{flat['test error']:7.2%}"
        line += f"{flat['relative loss']:#10.3g}{flat['largest margin']:#7.3g}"
        for quantity in COLUMNS:
            line += _cell(row, quantity)
        lines.append(line.rstrip())
    return "\n".join(lines)


def _cell(row: Row, quantity: str) -> str:
    measured = row.measured(quantity)
    shown = f" {measured:#10.3g}"
    vacuous = {b.level: b.vacuous for b in row.certificate.rows if b.quantity == quantity}
    for level, bound in row.bounds(quantity).items():
        shown += f"{bound:#10.3g}{'*' if vacuous[level] else ' '}{bound / measured:#5.3g}"
    return f"{shown:45}" if quantity == "outputs.spread" else f"{shown:28}"


def sentences(rows: Sequence[Row]) -> list[str]:
    """What the runs say of the guarantees, and of the claims of the paper."""
    found = []
    for words, places, chosen in (
        ("two classes", ("lemma-6", "theorem-5"), [row for row in rows if row.classes == 2]),
        ("ten classes", ("lemma-7", "theorem-6"), [row for row in rows if row.classes > 2]),
    ):
        bounds = [min(row.bounds("outputs.spread").values(), default=np.inf) for row in chosen]
        spreads = [row.measured("outputs.spread") for row in chosen]
        ratios = [bound / spread for bound, spread in zip(bounds, spreads, strict=True)]
        collapse = [row.measured("nc1.relative") for row in chosen]
        found += [
            f"{words}: relative spread of margins guaranteed below {USEFUL:g} in "
            f"{_share([bound < USEFUL for bound in bounds])} runs: {_range(bounds)}, "
            f"{_range(ratios)} times what is measured",
            f"{words}, square:{places[0]}: margins become equal: seen (spread below 0.05 of the "
            f"mean) in {_share([spread < 0.05 for spread in spreads])} runs: {_range(spreads)}",
            f"{words}, square:{places[1]}: features collapse to the means of classes: seen (NC1 "
            f"below 0.05) in {_share([v < 0.05 for v in collapse])} runs: {_range(collapse)}",
        ]
        equal = [v for v, spread in zip(collapse, spreads, strict=True) if spread < 0.05]
        if equal:
            found.append(
                f"{words}, square:{places[1]}: where margins are equal features collapse: seen "
                f"(NC1 below 0.05) in {_share([v < 0.05 for v in equal])} runs: {_range(equal)}"
            )
    return found


def _share(holds: Sequence[bool]) -> str:
    return f"{sum(holds)} of {len(holds)}"


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.3g} to {max(values):.3g}"


def main(out: Path, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Path:
    """Train, print table and sentences, and write `square_guarantees.csv` and the runs into `out`.

    Raises NcboundsError where a measurement exceeds its guarantee.
    """
    rows = train(seed, EPOCHS, STEPS, SEEDS, progress, device)
    out.mkdir(parents=True, exist_ok=True)
    save_runs(out / "square_guarantees.safetensors", [row.run for row in rows])
    print(text(rows))
    print()
    print("\n".join(sentences(rows)))
    path = out / "square_guarantees.csv"
    flat = [row.flat() for row in rows]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, dict.fromkeys(name for row in flat for name in row))
        writer.writeheader()
        writer.writerows(flat)
    broken = [
        f"{row.run.name}: {quantity}"
        for row in rows
        for quantity in COLUMNS
        for bound in row.bounds(quantity).values()
        if row.measured(quantity) > bound * (1 + 1e-9) + 1e-12
    ]
    if broken:
        raise NcboundsError(f"more than what is guaranteed: {', '.join(broken)}")
    return path
