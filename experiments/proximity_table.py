"""Proximity to neural collapse: a table over data sets, networks and weight decays.

For two real data sets, three networks with batch normalisation and three weight decays, trained to
zero training error: what few numbers of a network guarantee (sharp forms of `bnwd:theorem-2.1`)
beside what is measured, and how large the bounds of the printed theorems are at the same point.
The columns are named after what a guarantee uses: the mean loss, the mean log-odds, the mean
logits, or the losses of all samples; each stands beside how often it is what was measured.
`ncbounds plot loss-gap` draws how each loss gap splits over training, `ncbounds plot proximity`
the table itself.
"""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from experiments.training.data import DATA_SETS
from experiments.training.networks import Architecture, check, train_networks
from experiments.training.runs import Run, save_runs
from ncbounds.errors import NcboundsError
from ncbounds.measure.defects import loss_gap
from ncbounds.report.compare import ModelReport, compare
from ncbounds.report.guarantees import LEVELS
from ncbounds.theory.evaluate import Evaluation, evaluate_at

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


#: What is guaranteed: its name in `ncbounds.compare`, its heading in the table, and in words.
QUANTITIES = {
    "variability": ("nc1.relative", "variability within classes (NC1)", "variability"),
    "angle": ("1 - nc3.cosine", "weights and class means, degrees (NC3)", "NC3 angle"),
    "weights": ("1 - cosine.weights.mean", "1 - mean cosine to weights", "mean cosine to weights"),
    "intra": ("1 - cosine.intra.mean", "1 - mean intra-class cosine", "mean intra-class cosine"),
    "intra worst": ("1 - cosine.intra.min", "of the worst class", "worst intra-class cosine"),
    "inter": ("cosine.inter.deviation", "|inter + 1/(C-1)|", "inter-class cosine"),
    "means": ("nc2.cosine", "the same of means", "cosine of class means"),
    "norms": ("nc2.equinorm", "CV of norms of means", "norms of class means"),
}
#: Facts and quantities of each block of the table.
BLOCKS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("loss",), ("variability", "angle")),
    ((), ("weights", "intra", "intra worst")),
    (("train error", "seconds"), ("inter", "means", "norms")),
)
SHORT = dict(zip(LEVELS, ("loss", "odds", "logits", "losses"), strict=True))
#: The printed bounds: statement, quantity, and a name.
PRINTED = (
    ("bnwd:theorem-2.1", "intra-class cosine of most classes", "2.1 intra"),
    ("bnwd:theorem-2.1", "inter-class cosine of most pairs", "2.1 inter"),
    ("bnwd:theorem-2.2", "intra-class cosine of most classes", "2.2 intra"),
    ("bnwd:theorem-2.2", "cosine of weights and class means", "2.2 NC3"),
)
KAPPAS = ("1/10", "1", "10")


@dataclass(frozen=True)
class Beside:
    """A guarantee beside what was measured."""

    quantity: str
    level: str
    measured: float
    bound: float
    vacuous: bool

    @property
    def ratio(self) -> float:
        """How many times the measured value the guarantee is."""
        return self.bound / self.measured if self.measured else math.inf


@dataclass(frozen=True)
class Row:
    """One run: its training, its guarantees, and the printed bounds by name and kappa."""

    run: str
    facts: dict[str, float]
    guarantees: tuple[Beside, ...]
    printed: dict[tuple[str, str], Evaluation]

    def of(self, quantity: str) -> list[Beside]:
        """The guarantees of one quantity, cheapest information first."""
        return [found for found in self.guarantees if found.quantity == quantity]

    def flat(self) -> dict[str, float | str]:
        """All numbers by the names of the columns of the file."""
        row: dict[str, float | str] = {"run": self.run, **self.facts}
        for found in self.guarantees:
            row[found.quantity] = found.measured
            name = f"{found.quantity} from {found.level}"
            row |= {name: found.bound, f"{name}, ratio": found.ratio}
        for (name, kappa), value in self.printed.items():
            row[f"printed {name}, kappa = {kappa}, log10"] = size(value)
        return row


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
    """Measure a run, and evaluate all guarantees and printed bounds at its numbers."""
    report = compare(run.features, run.labels, run.weights)
    metrics = report.measurement.metrics
    found = []
    for name, (quantity, *_) in QUANTITIES.items():
        bounds = [b for b in report.bounds if (b.quantity, b.variant) == (quantity, "sharp")]
        if name == "inter":
            bounds = [b for b in bounds if b.level == "mean logits"]  # by far the best
        for b in bounds:
            measured, bound = b.measured, float(b.bound)
            if name == "angle":
                measured, bound = degrees(measured), degrees(bound)
            found.append(Beside(name, b.level, measured, bound, bool(b.vacuous)))
    return Row(
        run.name,
        {
            "train error": 1 - run.train_accuracy,
            "loss": metrics["loss.cross_entropy"],
            "log-odds": metrics["logodds.mean"],
            "alpha": metrics["alpha"],
            "beta": metrics["beta"],
            "seconds": run.seconds,
        },
        tuple(found),
        printed(run, report),
    )


def printed(run: Run, report: ModelReport) -> dict[tuple[str, str], Evaluation]:
    """The printed bounds, by name and kappa, where no class or pair is given up.

    They are told whether or not the loss gap is as small as the theorems ask for.
    """
    metrics, C = report.measurement.metrics, report.measurement.K
    gap = loss_gap(run.features, run.labels, run.weights, run.weight_decay)["reg.gap"]
    regularised = {
        "lambda": run.weight_decay,
        "product": metrics["alpha"] * metrics["beta"],
        "epsilon": gap,
    }
    points: dict[str, dict[str, Any]] = {
        "intra-class cosine of most classes": {"delta": Fraction(1, C + 1)},
        "cosine of weights and class means": {"delta": Fraction(1, C + 1)},
        "inter-class cosine of most pairs": {"delta": Fraction(2, C * (C - 1) + 2)},
    }
    found = {}
    for id, quantity, name in PRINTED:
        own = report.find("cosine.intra.min", "printed").parameters
        given = own if id == "bnwd:theorem-2.1" else {"C": C, **regularised}
        whole = {**given, **points[quantity], "kappa": list(KAPPAS)}
        for e in evaluate_at(id, whole, variant="printed", digits=8):
            if e.quantity == quantity and "kappa" in e.parameters:
                found[name, str(e.parameters["kappa"])] = e
    return found


def degrees(deficit: float) -> float:
    """The angle whose cosine is that much below 1."""
    return math.degrees(math.acos(max(-1.0, 1 - deficit)))


def size(value: Evaluation) -> float:
    """log10 of the size of a bound."""
    log10 = None if value.decimal is None else value.decimal.log10
    return math.nan if log10 is None else log10


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
        writer = csv.DictWriter(file, rows[0].flat().keys())
        writer.writeheader()
        writer.writerows(found.flat() for found in rows)
    return path


def text(rows: Sequence[Row]) -> str:
    """The table in four blocks, and how tight every guarantee is over all runs."""
    lines = [
        "Measured, then guaranteed from the mean loss, mean log-odds, mean logits, or losses of "
        "all samples with the weights.",
        "x: guaranteed over measured. *: no better than what always holds.",
    ]
    for facts, quantities in BLOCKS:
        lines += ["", *_block(rows, facts, quantities)]
    return "\n".join([*lines, "", *_printed_block(rows), "", *ranges(rows)])


def _block(rows: Sequence[Row], facts: Sequence[str], quantities: Sequence[str]) -> list[str]:
    titles = " " * (18 + 9 * len(facts))
    heads = " " * 18 + "".join(f"{fact.removeprefix('train '):>9}" for fact in facts)
    for name in quantities:
        levels = [found.level for found in rows[0].of(name)]
        titles += f" {QUANTITIES[name][1]:<{8 + 14 * len(levels)}}"
        heads += f"{'measured':>9}" + "".join(f"{SHORT[level]:>8}{'x':>6}" for level in levels)
    lines = [titles.rstrip(), heads]
    for found in rows:
        line = f"{found.run:18}"
        for fact in facts:
            value = found.facts[fact]
            line += f"{value:9.2%}" if fact == "train error" else f"{value:#9.3g}"
        for name in quantities:
            line += f"{found.of(name)[0].measured:#9.3g}"
            for one in found.of(name):
                line += f"{one.bound:#8.3g}{'*' if one.vacuous else ' '}{one.ratio:5.2f}"
        lines.append(line)
    return lines


def _printed_block(rows: Sequence[Row]) -> list[str]:
    names = [name for _, _, name in PRINTED]
    lines = [
        "log10 of the size of the printed bounds on cosines (theorems 2.1 and 2.2)",
        " " * 18 + "".join(f" {name:<23}" for name in names).rstrip(),
        f"{'kappa':18}" + "".join(f"{kappa:>7} " for kappa in KAPPAS) * len(names),
    ]
    for found in rows:
        values = [found.printed[name, kappa] for name in names for kappa in KAPPAS]
        sizes = [f"{size(value):7.1f}{'*' if value.vacuous else ' '}" for value in values]
        lines.append(f"{found.run:18}{''.join(sizes)}")
    return lines


def ranges(rows: Sequence[Row]) -> list[str]:
    """One line a guarantee with its least and largest ratio, and one a printed bound."""
    lines = []
    for index, first in enumerate(rows[0].guarantees):
        found = [one.guarantees[index] for one in rows]
        low, high = min(one.ratio for one in found), max(one.ratio for one in found)
        empty = sum(one.vacuous for one in found)
        note = f" (vacuous in {empty} of {len(rows)} runs)" if empty else ""
        level = first.level if first.level.startswith("losses") else f"the {first.level}"
        words = f"{QUANTITIES[first.quantity][2]}, from {level}:"
        lines.append(f"{words:52} {low:5.2f} to {high:5.2f} times what is measured{note}")
    for _, _, name in PRINTED:
        counts = [sum(bool(one.printed[name, kappa].vacuous) for one in rows) for kappa in KAPPAS]
        shown = ", ".join(f"{n} at {kappa}" for n, kappa in zip(counts, KAPPAS, strict=True))
        lines.append(f"{f'printed {name}, by kappa:':52} vacuous in {shown} of {len(rows)} runs")
    return lines
