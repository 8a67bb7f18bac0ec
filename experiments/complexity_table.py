"""Rademacher complexity: the truth beside every bound, for small classes and samples.

Trees of `square:theorem-4` with L = 1..4 levels, several numbers of samples and shapes of data; the
truth is enclosed by going through all signs (`ncbounds.measure.complexity`). Beside it stands every
bound of the theory and of `ncbounds.report.network_complexity` as a multiple of the truth, all in
Definition 1 of the paper. Then linear functions and hidden units in all four definitions in use.
"""

import csv
import json
import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from experiments.training.data import missing
from ncbounds.measure.complexity import (
    CONVENTIONS,
    Complexity,
    hidden_layer_rademacher,
    hidden_unit_rademacher,
    linear_rademacher,
    tree_rademacher,
    two_level_upper,
)
from ncbounds.measure.network import Layer, Network
from ncbounds.measure.network.layers import Floats
from ncbounds.report.network_complexity import class_bounds
from ncbounds.report.rademacher_bounds import theory_bounds

Progress = Callable[[int, int], None]

#: Numbers of samples by depth: what signs and boxes allow within a minute.
SAMPLES = {1: (2, 6, 12), 2: (2, 6, 12), 3: (2, 4, 6), 4: (2, 4)}
#: Relative width of the truth to aim at, and boxes to spend on it, with more than two levels.
TOLERANCE, BOXES = {3: 1e-6, 4: 1e-3}, {3: 1_000_000, 4: 200_000}
#: Numbers of samples and dimensions of the other classes.
SHALLOW = ((2, 2), (6, 2), (6, 8), (10, 4))


@dataclass(frozen=True)
class Row:
    """One class on one sample: the truth of Definition 1, and the bounds by name."""

    L: int
    m: int
    data: str
    lower: float
    upper: float
    seconds: float
    bounds: dict[str, float]


def binary_tree(L: int) -> Network:
    """The tree of L levels as a network whose kernels have norm 1."""
    layers = []
    for level in range(L):
        positions = 2 ** (L - level)
        taps = np.arange(positions, dtype=np.int64).reshape(-1, 2)
        weight = np.array([[[1.0], [0.0]]])
        name = f"level {level + 1}"
        layers.append(Layer(name, "convolution", weight, taps, positions, level < L - 1))
    return Network(tuple(layers), (1, 2**L))


def samples(data: str, m: int, d: int, seed: int) -> Floats:
    """A sample of one shape, (m, d): see `SHAPES`."""
    rng = np.random.default_rng([seed, m, d])
    if data == "gaussian":
        return rng.standard_normal((m, d))
    if data == "ones":
        return np.ones((m, d))
    if data == "spikes":
        return np.eye(d)[rng.integers(0, d, m)]
    return digit_pixels(m, d)


#: Gaussian entries, all ones, one entry that is not 0, and pixels of real digits.
SHAPES = ("gaussian", "ones", "spikes", "digits")


def digit_pixels(m: int, d: int) -> Floats:
    """The d pixels of m handwritten digits that vary most, in reading order, in [0, 1]."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise missing("scikit-learn") from error
    pixels = load_digits()["data"] / 16.0
    chosen = np.sort(np.argsort(pixels.var(axis=0))[-d:])
    found: Floats = pixels[:m, chosen]
    return found


def tree_row(L: int, m: int, data: str, seed: int) -> Row:
    """The truth and all bounds of trees on one sample."""
    X = samples(data, m, 2**L, seed)
    started = time.perf_counter()
    truth = tree_rademacher(X, tolerance=TOLERANCE.get(L, 1e-6), max_boxes=BOXES.get(L, 1))
    upper = truth.upper
    if L <= 2:  # both ends in ball arithmetic: of a norm, or by the check of two levels
        upper = linear_rademacher(X).upper if L == 1 else two_level_upper(X)
    seconds = time.perf_counter() - started
    assert upper is not None
    return Row(L, m, data, truth.lower, upper, seconds, tree_bounds(L, X))


def tree_bounds(L: int, X: Floats) -> dict[str, float]:
    """Every bound of Definition 1 for trees on the rows of X, by name."""
    m = len(X)
    norms = np.linalg.norm(X, axis=1)
    point = {
        "L": Fraction(L),
        "rho": Fraction(1),
        "m": Fraction(m),
        "norm": Fraction(float(np.linalg.norm(norms))),
    }
    network = binary_tree(L)
    point["patch"] = Fraction(math.sqrt(network.patch_energy(X)))
    found: dict[str, float] = {}
    for k in range(1, L + 1):  # half the order of the moments, where a bound has one: the best
        for one in theory_bounds(point | {"k": Fraction(k)}):
            found[one.name] = min(one.value, found.get(one.name, math.inf))
    for own in class_bounds(network, X)[0]:
        if own.id != "square:theorem-4":
            # The order of the moments stands in the reading, and the best depends on L.
            reading = re.sub(r" of order \d+", "", own.reading)
            # Of kernels of norm 1: the norms of the whole matrices follow from them.
            found[f"{own.id.partition(':')[2]} {own.variant}: {reading}"] = 2 * own.total
    return found


def shallow_rows(seed: int) -> list[Complexity]:
    """Linear functions, one hidden unit and one hidden layer on Gaussian samples."""
    return [
        compute(samples("gaussian", m, d, seed))
        for m, d in SHALLOW
        for compute in (linear_rademacher, hidden_unit_rademacher, hidden_layer_rademacher)
    ]


def main(out: Path, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Path:
    """Print the tables, and write `complexity_table.csv` and `.json` into the folder `out`."""
    cases = [(L, m, data) for L, counts in SAMPLES.items() for m in counts for data in SHAPES]
    rows = []
    for done, (L, m, data) in enumerate(cases):
        rows.append(tree_row(L, m, data, seed))
        if progress is not None:
            progress(done + 1, len(cases))
    shallow = shallow_rows(seed)
    print("\n".join([*tree_table(rows), "", *shallow_table(shallow)]))
    out.mkdir(parents=True, exist_ok=True)
    _write_csv(out / "complexity_table.csv", rows)
    path = out / "complexity_table.json"
    described = {
        "definition": CONVENTIONS["definition-1"].formula,
        "trees": [vars(row) for row in rows],
        "others": [
            {
                "family": one.family,
                "m": one.m,
                "d": one.d,
                "conventions": {name: one.within(name) for name in CONVENTIONS},
            }
            for one in shallow
        ],
    }
    path.write_text(json.dumps(described, indent=1))
    return path


def tree_table(rows: Sequence[Row]) -> list[str]:
    """Lines: the truth as an enclosure, and each bound as a multiple of its lower end."""
    names = list(dict.fromkeys(name for row in rows for name in row.bounds))
    lines = [f"bounds as multiples of the truth R = {CONVENTIONS['definition-1'].formula}:"]
    lines += [f"  [{k + 1}] {name}" for k, name in enumerate(names)]
    head = "".join(f"{f'[{k + 1}]':>8}" for k in range(len(names)))
    lines.append(f"{'L':>2}{'m':>4}  {'data':9}{'R >=':>10}{'width':>9}{head}{'s':>7}")
    for row in rows:
        width = row.upper / row.lower - 1 if row.lower else math.nan
        ratios = "".join(_ratio(row.bounds.get(name), row.lower) for name in names)
        lines.append(
            f"{row.L:2d}{row.m:4d}  {row.data:9}{row.lower:10.6f}{width:9.1e}{ratios}"
            f"{row.seconds:7.2f}"
        )
    return lines


def shallow_table(found: Sequence[Complexity]) -> list[str]:
    """Lines: one class on one sample, in every definition."""
    lines = ["norms at most 1, Gaussian samples, in each definition (lower ends):"]
    head = "".join(f"{name:>14}" for name in CONVENTIONS)
    lines.append(f"{'class':14}{'m':>4}{'d':>4}{head}{'width':>10}")
    for one in found:
        values = [one.within(name) for name in CONVENTIONS]
        width = max((upper or math.nan) / lower - 1 for lower, upper in values)
        numbers = "".join(f"{lower:14.9f}" for lower, _ in values)
        lines.append(f"{one.family:14}{one.m:4d}{one.d:4d}{numbers}{width:10.1e}")
    return lines


def _ratio(bound: float | None, truth: float) -> str:
    if bound is None or not truth:
        return f"{'':>8}"
    ratio = bound / truth
    return f"{ratio:8.3f}" if ratio < 1000 else f"{ratio:8.1e}"


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row.bounds))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["L", "m", "data", "lower", "upper", "seconds", *names])
        for row in rows:
            facts: list[Any] = [row.L, row.m, row.data, row.lower, row.upper, row.seconds]
            writer.writerow([*facts, *(row.bounds.get(name, "") for name in names)])
