"""Certified one-vs-rest distances of real classifiers, against the best possible.

The last layers of classifiers that ship in packages (file types, characters, pitch), and a
table of token embeddings as an example of very many rows in few dimensions;
`experiments/published/heads.py` says which. For the rows as they are and scaled to unit length:
the least distance of a class to the hull of the others, quantiles, how many classes lie in the
hull, which are tightest, and how much of the largest possible least distance of so many unit
vectors is reached. The matrices are saved beside the table, so that

    ncbounds margin results/magika.safetensors --normalise

shows more of one. `python -m experiments real-models` sets them beside random matrices.
"""

import csv
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from experiments.published.heads import HEADS, Head
from ncbounds.codes.bounds import best_upper_bound
from ncbounds.codes.certificate import Margin
from ncbounds.codes.margin import one_vs_rest_distances
from ncbounds.errors import MissingDependencyError, NcboundsError
from ncbounds.measure.files import write_arrays

Progress = Callable[[int, int], None]

QUANTILES = (0.01, 0.1, 0.5, 0.9, 0.99)


def main(out: Path, seed: int, device: str, progress: Progress) -> Path:
    """Measure every head that is installed; write `classifier_heads.csv` and the matrices."""
    del seed, device
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for name, read in HEADS.items():
        try:
            head = read()
        except NcboundsError as error:
            click.echo(f"{name} is left out: {error}", err=True)
            continue
        write_arrays(out / f"{name}.safetensors", {"weights": head.weights})
        for normalise in (False, True):
            row = measured(name, head, normalise, progress)
            rows.append(row)
            click.echo("  ".join(f"{key} {value}" for key, value in row.items()))
    if not rows:
        raise MissingDependencyError(f"none of {', '.join(HEADS)} is installed: see {__name__}")
    path = out / "classifier_heads.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def measured(name: str, head: Head, normalise: bool, progress: Progress) -> dict[str, Any]:
    """One line of the table."""
    K, d = head.weights.shape
    started = time.perf_counter()
    margins = one_vs_rest_distances(
        head.weights,
        normalise=normalise,
        workers=os.cpu_count() or 1,
        progress=lambda done, total, last: progress(done, total),
    )
    seconds = time.perf_counter() - started
    upper = np.array([m.upper for m in margins])
    outside = [m for m in margins if m.lower > 0]
    least = min(margins, key=lambda m: m.upper)
    quantiles = np.quantile(upper, QUANTILES)
    best = best_upper_bound(d, K).value if normalise else None
    return {
        "head": name,
        "K": K,
        "d": d,
        "rows": "unit" if normalise else "raw",
        "least lower": f"{min(m.lower for m in margins):.10g}",
        "least upper": f"{least.upper:.10g}",
        **{f"{100 * q:g} %": f"{v:.4g}" for q, v in zip(QUANTILES, quantiles, strict=True)},
        "most": f"{upper.max():.4g}",
        "best possible": "" if best is None else f"{best:.4g}",
        "equal to another": int((upper == 0).sum()),
        "in the hull": len(margins) - len(outside),
        "widest relative": f"{max((m.upper - m.lower) / m.upper for m in outside):.1e}",
        "points in support": f"{np.mean([len(m.support) for m in margins]):.1f}",
        "tightest": head.names[least.row],
        "nearest to": _nearest(head, least),
        "seconds": f"{seconds:.0f}",
    }


def _nearest(head: Head, margin: Margin) -> str:
    return head.names[int(margin.support[margin.weights.argmax()])]
