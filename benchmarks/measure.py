"""Every metric of a large set of features: beside the textbook way, and beside the least work.

`python -m benchmarks.measure` prints ratios of times taken in one run: the textbook
(one-hot products, a covariance of each class, `pinv`), one float32 product features^T features and
one read of the features; the same samples in batches of 512; memory beyond the features; and the
time of a sample by the number of classes.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.measure import Accumulator, measure
from ncbounds.measure.threads import thread_count

Array = NDArray[Any]


def model(n: int, d: int, K: int, seed: int = 0) -> tuple[Array, Array, Array, Array]:
    """Features about class means, labels in any order, weights near the means, a bias."""
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((K, d), dtype=np.float32)
    labels = rng.integers(K, size=n)
    features = rng.standard_normal((n, d), dtype=np.float32)
    features += means[labels]
    weights = means + 0.5 * rng.standard_normal((K, d), dtype=np.float32)
    return features, labels, weights / 8, 0.1 * rng.standard_normal(K, dtype=np.float32)


def textbook(features: Array, labels: Array, weights: Array, bias: Array) -> dict[str, float]:
    """What circulates: one-hot products, d x d covariances of each class, `pinv`, all at once."""
    K, d = weights.shape
    one_hot = np.eye(K, dtype=np.float32)[labels]
    counts = one_hot.sum(axis=0)
    means = (one_hot.T @ features) / counts[:, None]
    mean = means.mean(axis=0)
    within, variances = np.zeros((d, d)), np.zeros(K)
    for c in range(K):
        deviation = features[labels == c] - means[c]
        covariance = deviation.T @ deviation / counts[c]
        within += covariance / K
        variances[c] = np.trace(covariance)
    centred = means - mean
    between = centred.T @ centred / K
    logits = features @ weights.T + bias
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    distances = (means**2).sum(axis=1) - 2 * features @ means.T
    nearest, predicted = distances.argmin(axis=1), logits.argmax(axis=1)
    unit = features - mean
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosines = (one_hot.T @ unit) / counts[:, None]
    gram = cosines @ cosines.T
    apart = ((means[:, None] - means[None]) ** 2).sum(axis=-1) + np.eye(K)
    cdnv = (variances[:, None] + variances) / (2 * apart)
    off = ~np.eye(K, dtype=bool)
    return {
        "nc1.pinv": float(np.trace(within @ np.linalg.pinv(between)) / K),
        "loss.cross_entropy.samples": -float(log_softmax[np.arange(len(labels)), labels].mean()),
        "nc4.disagreement": float((nearest != predicted).mean()),
        "accuracy": float((predicted == labels).mean()),
        "cdnv.mean": float(cdnv[off].mean()),
        "cosine.intra.mean": float(np.diagonal(gram).mean()),
        "cosine.inter.max": float(gram[off].max()),
    }


def fastest(*ways: Callable[[], object], repeats: int = 3) -> list[float]:
    """Seconds of the fastest run of each way; the ways take turns."""
    best = [float("inf")] * len(ways)
    for _ in range(repeats):
        for i, way in enumerate(ways):
            start = time.perf_counter()
            way()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_batches(features: Array, labels: Array, weights: Array, bias: Array, size: int) -> object:
    """Both passes of an accumulator over batches."""
    accumulator = Accumulator(weights=weights, bias=bias)
    for number in (1, 2):
        if number == 2:
            accumulator.next_pass()
        for start in range(0, len(features), size):
            batch = slice(start, start + size)
            accumulator.update(features[batch], labels[batch])
    return accumulator.compute()


def main_ratios(n: int, d: int, K: int) -> None:
    """Print the ratios of one large case."""
    given = model(n, d, K)
    features = given[0]
    measure(*(a[: 20 * K] if len(a) == n else a for a in given))  # loads the compiled loops
    other = features.copy()
    before = peak()
    found = measure(*given).metrics
    extra = peak() - before
    ours, streamed, product, gram, read = fastest(
        lambda: measure(*given),
        lambda: in_batches(*given, 512),
        lambda: features.T @ other,
        lambda: features.T @ features,
        features.sum,
    )
    known = textbook(*given)
    (slow,) = fastest(lambda: textbook(*given), repeats=1)
    print(f"n = {n}, d = {d}, K = {K}, float32, {thread_count()} threads, {len(found)} metrics")
    print(f"measure                                 {ours:8.3f} s")
    print(f"the textbook's {len(known)} metrics                {slow / ours:8.2f} times that")
    print(f"in batches of 512                       {streamed / ours:8.2f} times that")
    print(f"measure over product and read           {ours / (product + read):8.2f}")
    print(f"    the product by symmetry, half of it {ours / (gram + read):8.2f}")
    print(f"memory beyond the features              {extra:8.0f} MB")
    worst = max(abs(found[k] - v) / max(abs(v), 1e-30) for k, v in known.items())
    print(f"the textbook's numbers, in float32, differ by up to {worst:.1e}")


def by_classes(n: int, d: int) -> None:
    """Print the time of a sample by the number of classes."""
    print(f"\nmicroseconds a sample, in batches of 512, n = {n}, d = {d}")
    print("       K  first pass  both passes  both, collapsed")
    for K in (10, 100, 1000, 10000):
        features, labels, _, _ = model(n, d, K)
        labels[:K] = np.arange(K)
        close = features * np.float32(0.01)
        close += 10 * np.random.default_rng(1).standard_normal((K, d), dtype=np.float32)[labels]
        times = []
        for given, passes in ((features, 1), (features, 2), (close, 2)):
            accumulator, seconds = Accumulator(K), 0.0
            for number in range(passes):
                if number:
                    accumulator.next_pass()
                start = time.perf_counter()
                for i in range(0, n, 512):
                    accumulator.update(given[i : i + 512], labels[i : i + 512])
                seconds += time.perf_counter() - start
            times.append(1e6 * seconds / n)
        print(f"{K:8d}  {times[0]:10.2f}  {times[1]:11.2f}  {times[2]:15.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=200_000)
    parser.add_argument("-d", type=int, default=512)
    parser.add_argument("-K", type=int, default=100)
    chosen = parser.parse_args()
    main_ratios(chosen.n, chosen.d, chosen.K)
    by_classes(50_000, 64)
