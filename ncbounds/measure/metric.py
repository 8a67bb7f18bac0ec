"""What a metric is: its definition as data, and the changes of the input that it may not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Changes that leave many metrics alone, by the names used in `Metric.ignores`. Rotations, orders
#: of samples, classes and coordinates, and copies of all samples leave every metric alone.
CHANGES: dict[str, str] = {
    "shift": "a vector added to all features, undone by the bias",
    "scale": "all features times a positive number",
    "across": "variability within classes across the span of the class means and weights",
    "sizes": "copies of all samples of one class",
    "shared": "a vector added to all rows of the weights",
    "gain": "weights and bias times a positive number",
    "rows": "each row of the weights times a positive number of its own",
}


@dataclass(frozen=True)
class Metric:
    """One named metric: its definition as data."""

    what: str
    formula: str
    source: str
    direction: Literal["lower", "higher", "neither"]
    """Which way neural collapse moves it."""
    needs_weights: bool = False
    zero: str = ""
    """Where exactly it is zero, as far as that is not plain, and the statement that says so."""
    needs_held_out: bool = False
    passes: Literal[1, 2] = 1
    """How often the samples are read: what speaks of deviations from the class means needs two."""
    needs_features: bool = True
    ignores: tuple[str, ...] = ()
    """The names of all `CHANGES` that leave it alone."""
