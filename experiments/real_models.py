"""How far real classifiers are from collapse and from a Softmax code, beside random controls.

The last layers of published classifiers: norms, angles, ranks, and the certified one-vs-rest
distances of their rows beside the best that so many rows can have, beside random rows, and beside
a random matrix with the same singular values. Then the networks that run here, on real inputs: all
metrics of neural collapse, the same with the labels shuffled, of the inputs themselves and of the
network with its weights in a random order, and what theory guarantees. See
docs/real-models.md; `experiments/published/heads.py` says which packages bring the classifiers.

What was computed is kept in the folder and used again; features are files for

    ncbounds measure results/magika.features.safetensors --missing leave-out
"""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np

from experiments.published import geometry, plots
from experiments.published.controls import CONTROLS
from experiments.published.heads import HEADS, Head
from experiments.published.remarks import remarks
from experiments.published.runs import RUNS, Of, Run
from ncbounds import compare
from ncbounds.codes.bounds import best_lower_bound, best_upper_bound
from ncbounds.codes.margin import least_one_vs_rest_distance
from ncbounds.errors import MissingDependencyError, NcboundsError
from ncbounds.measure import measure, read_features, write_features
from ncbounds.measure.geometry import unit_rows
from ncbounds.measure.nearest_mean import nearest_means
from ncbounds.report.compare import ModelReport
from ncbounds.report.guarantees import LEVELS

Progress = Callable[[int, int], None]
Row = dict[str, Any]
Subject = TypeVar("Subject", Head, Run)

#: Rows of a matrix whose distances are computed; of more rows, so many at random.
MOST = 512
MATRICES: dict[str, Callable[[Any, int], Any]] = {
    "trained": lambda weights, seed: weights,
    "same spectrum": geometry.same_spectrum,
    "uniform": geometry.uniform,
}
#: Classes up to which guarantees are told: the best of them solve a problem for each class.
MOST_GUARANTEED = 128
#: The column of bounds that do not come from what is known of the losses.
OTHER = "other"
SHOWN = (
    *("nc1.relative.centred", "nc1.pinv", "cdnv.mean", "nc2.equinorm", "nc2.equiangular"),
    *("nc3.angle.centred", "gnc1", "gnc3", "ncc.error", "nc4.disagreement"),
)
#: What of that features and labels alone have.
CONTROLLED = (*SHOWN[:5], "ncc.error")


def main(out: Path, seed: int, device: str, progress: Progress) -> Path:
    """Measure what is installed; write five tables, a picture and the features."""
    del device
    out.mkdir(parents=True, exist_ok=True)
    heads = {name: head for name, read in HEADS.items() if (head := _installed(name, read))}
    if not heads:
        known = ", ".join(HEADS)
        remedy = "see experiments/published/heads.py"
        raise MissingDependencyError(f"none of {known} is installed: {remedy}")
    shapes, distances, least = {}, {}, {}
    for name, head in heads.items():
        shapes[name] = _kept(out / f"{name}.shape.json", head, seed, shape_of)
        distances[name] = _kept(out / f"{name}.distances.json", head, seed, distances_of)
        least[name] = _kept(out / f"{name}.least.json", head, seed, least_of)[1]
    layers = [{"head": name, **shapes[name]} for name in heads]
    _write(out / "real_heads.csv", "last layers", layers)
    rows = [distance_row(name, heads[name], distances[name], least[name]) for name in heads]
    _write(out / "real_distances.csv", "one-vs-rest distances of unit rows", rows)
    measured: list[Row] = []
    guaranteed: list[Row] = []
    controlled: list[Row] = []
    notes: list[str] = []
    for name in filter(heads.__contains__, RUNS):
        run = _installed(name, partial(_run, out, name, heads[name], seed, progress))
        if run is not None:
            found = _kept(out / f"{name}.metrics.json", run, seed, metrics_of)
            measured += [{"model": name, **row} for row in found["measured"]]
            controlled += control_rows(out, name, run, seed, progress)
            guaranteed += [{"model": name, **row} for row in found["guaranteed"]]
            notes += [f"{name}: {note}" for note in remarks(run)]
    if measured:
        _write(out / "real_features.csv", "metrics of real inputs", measured)
    if controlled:
        _write(out / "real_controls.csv", "features beside controls", controlled)
    if guaranteed:
        _write(out / "real_guarantees.csv", "measured, and guaranteed to be at most", guaranteed)
    if notes:
        click.echo("\n" + "\n".join(notes))
    path = out / "real_models.png"
    plots.distances(rows, distances).savefig(path, dpi=150)
    return path


def shape_of(head: Head, seed: int) -> Row:
    """A line of the first table; of a bias, how it goes with the lengths of the rows."""
    from scipy.stats import spearmanr

    del seed
    row = asdict(geometry.shape(head.weights))
    inside = geometry.inside(head.weights)
    row |= {"in the hull": len(inside), "never first": len(geometry.never_first(head, inside))}
    if head.bias is None:
        return row | {"bias": "", "bias and length": ""}
    lengths = np.linalg.norm(head.weights, axis=1)
    row |= {"bias": float(head.bias.std()), "bias and length": ""}
    if np.ptp(head.bias) > 0 < np.ptp(lengths):
        row["bias and length"] = float(spearmanr(head.bias, lengths).statistic)
    return row


def distances_of(head: Head, seed: int) -> dict[str, list[float]]:
    """Distances of unit rows, sorted, of the matrix and of the random ones."""
    found = {}
    for kind, matrix in MATRICES.items():
        values = geometry.margins(matrix(head.weights, seed), MOST, seed)
        found[kind] = np.sort(values).tolist()
    return found


def least_of(head: Head, seed: int) -> tuple[float, float]:
    """The least distance of all unit rows, lower and upper end."""
    del seed
    return least_one_vs_rest_distance(head.weights, normalise=True)


def distance_row(name: str, head: Head, distances: Mapping[str, list[float]], least: float) -> Row:
    """A line of the second table: the best possible, quantiles, and shares of the best."""
    K, d = head.weights.shape
    lower, upper = best_lower_bound(d, K).value, best_upper_bound(d, K).value
    row: Row = {"head": name, "K": K, "d": d, "best from": lower, "to": upper, "least": least}
    for kind, values in distances.items():
        row[kind] = float(np.median(values))
    row["share of the best"] = row["trained"] / upper
    return row


def metrics_of(run: Run, seed: int) -> dict[str, list[Row]]:
    """Lines of the third and the fourth table.

    Rows of the weights without samples are left out, so that logits are those of the other
    classes, but for `accuracy`, which is among all classes, with the weights as they are, without
    their bias, and scaled to length 1 besides. `held out` is the error of the nearest class mean
    where the means are those of every other sample and the rest is classified. The second line is
    of the same features with the labels shuffled.
    """
    W, b = run.head.weights, run.head.bias
    classes, index = np.unique(run.labels, return_inverse=True)
    layer = W[classes], None if b is None else b[classes]
    shuffled = np.random.default_rng(seed).permutation(index)
    rows = []
    for kind, labels in (("true", index), ("shuffled", shuffled)):
        found = measure(run.features, labels, *layer)
        row: Row = {"labels": kind, "n": found.n, "classes": found.K}
        row |= {name: found.metrics.get(name, "") for name in SHOWN}
        rows.append(row | {"held out": held_out_error(run, labels, seed)})
    unit = unit_rows(W.astype(np.float64)).astype(np.float32)
    for key, (weights, bias) in {
        "accuracy": (W, b),
        "no bias": (W, None),
        "unit rows": (unit, None),
    }.items():
        rows[0][key] = run.accuracy(weights, bias)
    few = len(classes) <= MOST_GUARANTEED
    guaranteed = guarantee_rows(compare(run.features, index, *layer)) if few else []
    return {"measured": rows, "guaranteed": guaranteed}


def control_rows(out: Path, name: str, run: Run, seed: int, progress: Progress) -> list[Row]:
    """Lines of the table of controls: what else is made of the inputs of a network, and features.

    What was computed for the same features and seed is taken from a file.
    """
    rows: list[Row] = []
    for kind, make in CONTROLS.get(name, {}).items():

        def compute(subject: Run, seed: int, make: Callable[[int], Of] = make) -> Row:
            return control_of(RUNS[name](seed, progress, make(seed)), seed)

        path = out / f"{name}.{kind.replace(' ', '-')}.json"
        rows.append({"model": name, "of": kind, **_kept(path, run, seed, compute)})
    own = _kept(out / f"{name}.features.json", run, seed, control_of)
    return [*rows, {"model": name, "of": "features", **own}]


def control_of(run: Run, seed: int) -> Row:
    """Metrics of features and labels alone, and the error of the nearest class mean held out."""
    _, index = np.unique(run.labels, return_inverse=True)
    found = measure(run.features, index)
    row: Row = {"n": found.n, "d": found.d} | {k: found.metrics.get(k, "") for k in CONTROLLED}
    return row | {"held out": held_out_error(run, index, seed)}


def held_out_error(run: Run, labels: Any, seed: int) -> float:
    """Error of the nearest class mean, half of each class giving the means."""
    mixed = np.random.default_rng(seed).permutation(len(labels))
    order = mixed[np.argsort(labels[mixed], kind="stable")]
    place = np.arange(len(order)) - np.searchsorted(labels[order], labels[order])
    known, asked = order[place % 2 == 0], order[place % 2 == 1]
    found = nearest_means(run.features[known], labels[known], run.features[asked], labels[asked])
    assert found.held_out is not None
    return found.held_out


def guarantee_rows(report: ModelReport) -> list[Row]:
    """What is guaranteed to be at most what, by what is known; a column for each level of that.

    Bounds that say nothing are left out, and quantities without any other.
    """
    rows: dict[str, Row] = {}
    for bound in report.bounds:
        if bound.vacuous or bound.direction != "upper":
            continue
        empty: Row = {"quantity": bound.quantity, "measured": bound.measured}
        row = rows.setdefault(bound.quantity, empty | dict.fromkeys(LEVELS, ""))
        level, value = bound.level or OTHER, float(bound.bound)
        row[level] = min(value, row.get(level, "") or value)
    return list(rows.values())


def _installed(name: str, read: Callable[[], Any]) -> Any:
    """What it returns, or None, with a word, where a package is missing."""
    try:
        return read()
    except NcboundsError as error:
        click.echo(f"{name} is left out: {error}", err=True)
        return None


def _kept(path: Path, subject: Subject, seed: int, compute: Callable[[Subject, int], Any]) -> Any:
    """What is computed of a head or a run, from a file where it has been computed before."""
    array = subject.weights if isinstance(subject, Head) else subject.features
    key = [zlib.crc32(np.ascontiguousarray(array).tobytes()), seed, MOST]
    if path.is_file():
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["key"] == key:
            return stored["found"]
    found = compute(subject, seed)
    path.write_text(json.dumps({"key": key, "found": found}), encoding="utf-8")
    return found


def _run(out: Path, name: str, head: Head, seed: int, progress: Progress) -> Run:
    """The features of a network, from a file where it has been run with this seed before."""
    path = out / f"{name}.features.safetensors"
    if path.is_file():
        stored = read_features(path)
        same = stored.weights is not None and np.array_equal(stored.weights, head.weights)
        if same and int(stored.extra["seed"]) == seed:
            return Run(stored.features, stored.labels, head)
    run = RUNS[name](seed, progress)
    write_features(
        path, run.features, run.labels, head.weights, head.bias, extra={"seed": np.int64(seed)}
    )
    return run


def _write(path: Path, title: str, rows: list[Row]) -> None:
    """Write a table, and print it with aligned columns."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    shown = [columns, *([_short(row.get(key, "")) for key in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    click.echo(f"\n{title}")
    for line in shown:
        cells = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
