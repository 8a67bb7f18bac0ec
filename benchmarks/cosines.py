"""Cosine similarities of all pairs of samples: from one mean direction a class, and pair by pair.

`bnwd:definition-cosine` in O(n d), as `ncbounds.measure` computes it (with all its other metrics),
against the definition as it stands, one matrix product a pair of classes, in O(n^2 d). Both must
agree; the ratio grows with the number of samples.

Run as ``python benchmarks/cosines.py``.
"""

import time

import numpy as np
from numpy.typing import NDArray

import ncbounds
from ncbounds.measure.geometry import cosine_summary

K, D, SIZES = 10, 64, (1_000, 4_000, 16_000)


def by_directions(x: NDArray[np.float64], K: int) -> dict[str, float]:
    """The summary from the mean directions of the classes alone; x is (K, N, d), centred."""
    unit = x / np.linalg.norm(x, axis=2, keepdims=True)
    return cosine_summary(unit.mean(axis=1))


def by_pairs(x: NDArray[np.float64], K: int) -> dict[str, float]:
    """The same by the mean cosine of every two classes over all pairs of samples."""
    unit = x / np.linalg.norm(x, axis=2, keepdims=True)
    table = np.array([[float((unit[c] @ unit[r].T).mean()) for r in range(K)] for c in range(K)])
    intra, inter = np.diagonal(table), table[~np.eye(K, dtype=bool)]
    found = {}
    for name, values in (("intra", intra), ("inter", inter)):
        for how in ("min", "mean", "max"):
            found[f"cosine.{name}.{how}"] = float(getattr(values, how)())
    return found


def main() -> None:
    """Print times, the ratio and the largest difference for each number of samples."""
    rng = np.random.default_rng(0)
    ncbounds.measure(rng.normal(size=(4, 2)), [0, 0, 1, 1])  # its imports are not timed
    head = "samples   all pairs, s   directions, s   ratio   measure, s   difference"
    print(f"K = {K}, d = {D}      {head}")
    for n in SIZES:
        centres = rng.normal(size=(K, 1, D))
        x = centres + 0.5 * rng.normal(size=(K, n // K, D))
        x -= x.mean(axis=(0, 1))
        taken, found = [], []
        for work in (by_pairs, by_directions):
            started = time.perf_counter()
            found.append(work(x, K))
            taken.append(time.perf_counter() - started)
        labels = np.repeat(np.arange(K), n // K)
        started = time.perf_counter()
        metrics = ncbounds.measure(x.reshape(-1, D), labels).metrics
        whole = time.perf_counter() - started
        worst = max(
            max(abs(found[0][key] - other[key]) for key in found[0])
            for other in (found[1], metrics)
        )
        print(
            f"{n:27,}{taken[0]:15.3f}{taken[1]:16.4f}{taken[0] / taken[1]:8.0f}"
            f"{whole:13.3f}{worst:13.1e}"
        )


if __name__ == "__main__":
    main()
