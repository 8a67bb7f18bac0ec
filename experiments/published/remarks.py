"""What a network mistakes for what, and what its rows say of classes: lines to print."""

from __future__ import annotations

from collections import Counter

import numpy as np

from experiments.published.geometry import coinciding
from experiments.published.runs import Run

_MOST = 8


def remarks(run: Run) -> list[str]:
    """Errors by name, lengths of rows, and the group of rows that coincide, if any."""
    W, names = run.head.weights, run.head.names
    bias = np.zeros(len(W)) if run.head.bias is None else run.head.bias
    predicted = np.concatenate(
        [(h @ W.T + bias).argmax(axis=1) for h in np.array_split(run.features, 8)]
    )
    wrong = predicted != run.labels
    pairs = zip(run.labels[wrong], predicted[wrong], strict=True)
    frequent = Counter((names[a], names[b]) for a, b in pairs).most_common(_MOST)
    shown = ", ".join(f"{a!r} as {b!r} {count}" for (a, b), count in frequent)
    classes, index = np.unique(run.labels, return_inverse=True)
    within = (run.features @ W[classes].T + bias[classes]).argmax(axis=1) != index
    lengths = np.linalg.norm(W, axis=1)
    near = np.abs(predicted - run.labels) <= 1
    found = [
        f"{wrong.sum()} of {len(wrong)} wrong among all classes: {shown}",
        f"{within.mean():.1%} wrong among the {len(classes)} classes that occur; "
        f"{near.mean():.1%} right or next to it by number",
        f"median length of a row: {np.median(lengths):.4g}, "
        f"of a class that occurs: {np.median(lengths[classes]):.4g}",
    ]
    same = coinciding(W)
    if len(same):
        rows, mean = W[same].astype(np.float64), run.features.mean(axis=0).astype(np.float64)
        common = rows.mean(axis=0)
        cosine = -common @ mean / np.linalg.norm(common) / np.linalg.norm(mean)
        apart = np.abs(rows - common).max()
        found.append(
            f"{len(same)} rows differ from their mean by at most {apart:.1e}, "
            f"of length {np.linalg.norm(common):.4g}, bias {bias[same].min():.7g} to "
            f"{bias[same].max():.7g}, cosine with minus the mean feature {cosine:.3g}: "
            + "".join(names[k] for k in same)
        )
    return found
