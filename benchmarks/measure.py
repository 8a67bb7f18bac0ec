"""Every metric of a large set of features: beside the textbook way, and beside the least work.

`python -m benchmarks.measure` prints ratios of times taken in one run: the textbook (one-hot
products, a covariance of each class, `pinv`), one float32 product features^T features and one read
of the features; the same samples in batches of 512; memory beyond the features; and the time of a
sample by the number of classes, without logits, which need K products each. On a busy machine
`OMP_NUM_THREADS=1 python -m benchmarks.measure --busy` compares processor time. Where features are
near their class means, in the span of these, the nearest one needs no look at the others.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ncbounds.measure import Accumulator, measure
from ncbounds.measure.threads import thread_count

Array = NDArray[Any]


def model(n: int, d: int, K: int, seed: int = 0) -> tuple[Array, Array, Array, Array]:
    """Features about class means, some nearer to another; labels in any order; a layer."""
    rng = np.random.default_rng(seed)
    means = np.float32(4.5 / d**0.5) * rng.standard_normal((K, d), dtype=np.float32)
    labels = rng.integers(K, size=n)
    features = rng.standard_normal((n, d), dtype=np.float32)
    features += means[labels]
    weights = means + np.float32(0.1) * rng.standard_normal((K, d), dtype=np.float32)
    return features, labels, weights, 0.1 * rng.standard_normal(K, dtype=np.float32)


def textbook(
    features: Array, labels: Array, weights: Array, bias: Array, dtype: type = np.float64
) -> dict[str, float]:
    """Every metric the way it is written in papers, all samples at once.

    One-hot products, a d x d covariance of each class, `pinv`, softmax.
    """
    means, alpha, logits, cosines, values = of_samples(features, labels, weights, bias, dtype)
    W = weights.astype(dtype)
    return values | of_margins(features, labels, W, logits, cosines) | of_matrices(means, alpha, W)


def of_samples(
    features: Array, labels: Array, weights: Array, bias: Array, dtype: type = np.float64
) -> tuple[Array, float, Array, Array, dict[str, float]]:
    """Class means, alpha, logits and cosines, and the dearest 32 metrics."""
    h, W, b = features.astype(dtype), weights.astype(dtype), bias.astype(dtype)
    K, d = W.shape
    one_hot = np.eye(K, dtype=dtype)[labels]
    counts = one_hot.sum(axis=0)
    share, rows = counts / counts.sum(), np.arange(len(h))

    def by_class(values: Array) -> Array:
        return (one_hot.T @ values) / (counts[:, None] if values.ndim == 2 else counts)

    means = by_class(h)
    mean, mean_of_samples = means.mean(axis=0), h.mean(axis=0)
    covariances = np.zeros((K, d, d), dtype=dtype)
    for c in range(K):
        deviation = h[labels == c] - means[c]
        covariances[c] = deviation.T @ deviation / counts[c]
    variances = np.trace(covariances, axis1=1, axis2=2)
    balanced, within = covariances.mean(axis=0), np.tensordot(share, covariances, axes=1)
    centred, off_centre = means - mean, means - mean_of_samples
    between, uncentred = centred.T @ centred / K, means.T @ means / K
    by_samples = off_centre.T @ (share[:, None] * off_centre)
    inverse = np.linalg.pinv(between, rcond=1e-6)
    norms = np.linalg.norm(h, axis=1)
    alpha, spread = by_class(norms**2).mean(), variances.mean() + (centred**2).sum() / K
    unit, unit_centred = h / norms[:, None], h - mean
    unit_centred /= np.linalg.norm(unit_centred, axis=1)[:, None]
    A, of_unit = by_class(unit_centred), by_class(unit)
    unit_W = W / np.linalg.norm(W, axis=1)[:, None]
    wdot = W - W.mean(axis=0)
    wdot /= np.linalg.norm(wdot, axis=1)[:, None]

    def losses(z: Array) -> Array:
        z = z - z.max(axis=1, keepdims=True)
        return np.log(np.exp(z).sum(axis=1)) - z[rows, labels]

    logits, cosines = h @ W.T + b, unit @ unit_W.T
    loss, gaps = losses(logits), cosines - cosines[rows, labels][:, None]
    gaps[rows, labels] = -np.inf
    predicted = logits.argmax(axis=1)
    nearest = ((means**2).sum(axis=1) - 2 * h @ means.T).argmin(axis=1)
    gram, off = A @ A.T, ~np.eye(K, dtype=bool)
    apart = ((means[:, None] - means[None]) ** 2).sum(axis=-1) + np.eye(K)
    cdnv = (variances[:, None] + variances) / (2 * apart)
    intra, inter = np.diagonal(gram), gram[off]
    values = {
        "nc1.pinv": np.trace(balanced @ inverse) / K,
        "nc1.pinv.samples": np.trace(within @ inverse) / K,
        "nc1.fuzziness": np.trace(within @ np.linalg.pinv(by_samples, rcond=1e-6)),
        "nc1.trace": variances.mean() / (centred**2).sum() * K,
        "nc1.relative": variances.mean() / alpha,
        "nc1.relative.centred": variances.mean() / spread,
        "nc1.spherical": 1 - (of_unit**2).sum() / K,
        "ncc.error": (nearest != labels).mean(),
        "ncc.error.balanced": by_class((nearest != labels).astype(dtype)).mean(),
        "nc4.disagreement": (nearest != predicted).mean(),
        "nc4.disagreement.balanced": by_class((nearest != predicted).astype(dtype)).mean(),
        "cdnv.mean": cdnv[off].mean(),
        "cdnv.max": cdnv[off].max(),
        "cosine.intra.min": intra.min(),
        "cosine.intra.mean": intra.mean(),
        "cosine.intra.max": intra.max(),
        "cosine.inter.min": inter.min(),
        "cosine.inter.mean": inter.mean(),
        "cosine.inter.max": inter.max(),
        "cosine.inter.deviation": np.abs(inter + 1 / (K - 1)).mean(),
        "cosine.weights.mean": (of_unit * wdot).sum() / K,
        "cosine.weights.mean.centred": (A * wdot).sum() / K,
        "gnc1": np.trace(balanced @ np.linalg.pinv(uncentred, rcond=1e-6)) / K,
        "gnc3": 1 - (of_unit * unit_W).sum() / K,
        "alpha": alpha**0.5,
        "alpha.centred": spread**0.5,
        "loss.cross_entropy": by_class(loss).mean(),
        "loss.cross_entropy.samples": loss.mean(),
        "loss.cross_entropy.spherical": by_class(losses(cosines)).mean(),
        "loss.hardmax": gaps.max(),
        "accuracy": (predicted == labels).mean(),
        "accuracy.balanced": by_class((predicted == labels).astype(dtype)).mean(),
    }
    found = {name: float(value) for name, value in values.items()}
    return means, found["alpha"], logits, cosines, found


def of_margins(
    features: Array, labels: Array, W: Array, logits: Array, cosines: Array
) -> dict[str, float]:
    """What asks for the largest of the rivals."""
    rows, K = np.arange(len(labels)), len(W)
    counts = np.bincount(labels, minlength=K)

    def balanced(values: Array) -> float:
        return float((np.bincount(labels, values, K) / counts).mean())

    def margins(z: Array) -> Array:
        own, rivals = z[rows, labels], z.copy()
        rivals[rows, labels] = -np.inf
        return own - rivals.max(axis=1)

    below = logits - logits[rows, labels][:, None]
    below[rows, labels] = -np.inf
    largest = below.max(axis=1)
    odds = np.log(K - 1) - largest - np.log(np.exp(below - largest[:, None]).sum(axis=1))
    q = margins(logits)
    relative = q / np.linalg.norm(features.astype(W.dtype), axis=1) / np.sqrt((W**2).sum() / K)
    return {
        "logodds.mean": balanced(odds),
        "margin.mean": balanced(q),
        "margin.min": float(q.min()),
        "margin.relative.mean": balanced(relative),
        "margin.relative.min": float(relative.min()),
        "margin.spherical.mean": balanced(margins(cosines)),
    }


def of_matrices(means: Array, alpha: float, W: Array) -> dict[str, float]:
    """What asks for K x d matrices only."""
    K, norm = len(W), np.linalg.norm
    M, wdot, off = means - means.mean(axis=0), W - W.mean(axis=0), ~np.eye(K, dtype=bool)
    lengths, lengths_W = norm(M, axis=1), norm(W, axis=1)
    unit, unit_W = M / lengths[:, None], W / lengths_W[:, None]
    of_means, of_rows = (unit @ unit.T)[off], (unit_W @ unit_W.T)[off]
    simplex, identity = (np.eye(K) - 1 / K) / np.sqrt(K - 1), np.eye(K) / np.sqrt(K)

    def apart(left: Array, right: Array, ideal: Array) -> float:
        product = left @ right.T
        return norm(product / norm(product) - ideal)

    def away(cosines: Array) -> float:
        return np.abs(cosines + 1 / (K - 1)).mean()

    def ranks(rows: Array, name: str) -> dict[str, float]:
        s = np.linalg.svd(rows, compute_uv=False)
        s = s[s > max(rows.shape) * np.finfo(rows.dtype).eps * s[0]]
        p = s / s.sum()
        entropy = -(p * np.log(p)).sum()
        stable = (s**2).sum() / s[0] ** 2
        return {name: len(s), f"{name}.stable": stable, f"{name}.effective": np.exp(entropy)}

    cosine = (wdot * means).sum() / norm(wdot) / norm(means)
    cosine_centred = (wdot * M).sum() / norm(wdot) / norm(M)
    values = {
        "nc2.etf": apart(unit, unit, simplex),
        "nc2.etf.unscaled": apart(M, M, simplex),
        "nc2.etf.weights": apart(W, W, simplex),
        "nc2.orthogonal": apart(means, means, identity),
        "nc2.cosine": away(of_means),
        "nc2.cosine.weights": away(of_rows),
        "nc2.equiangular": of_means.std(),
        "nc2.equiangular.weights": of_rows.std(),
        "nc2.gram": away((means @ means.T)[off] / alpha**2),
        "nc2.equinorm": lengths.std() / lengths.mean(),
        "nc2.equinorm.weights": lengths_W.std() / lengths_W.mean(),
        "nc3.etf": apart(W, unit, simplex),
        "nc3.etf.unscaled": apart(W, M, simplex),
        "nc3.orthogonal": apart(W, means, identity),
        "nc3.distance": norm(W / norm(W) - M / norm(M)),
        "nc3.distance.directions": norm(W / norm(W) - unit / norm(unit)),
        "nc3.cosine": cosine,
        "nc3.angle": np.degrees(np.arccos(cosine)),
        "nc3.cosine.centred": cosine_centred,
        "nc3.angle.centred": np.degrees(np.arccos(cosine_centred)),
        "cosine.means.max": of_means.max(),
        "cosine.means.mean": of_means.mean(),
        "cosine.means.min": of_means.min(),
        "cosine.rows.max": of_rows.max(),
        "cosine.rows.mean": of_rows.mean(),
        "cosine.rows.min": of_rows.min(),
        "gnc2": min(one_vs_rest(unit_W, k) for k in range(K)),
        "gnc3.unscaled": 1 - (W * means).sum() / K,
        **ranks(M, "rank.means"),
        **ranks(W, "rank.weights"),
        "beta": norm(W) / np.sqrt(K),
        "centre.weights": (W.mean(axis=0) ** 2).sum() * K / (W**2).sum(),
    }
    return {name: float(value) for name, value in values.items()}


def one_vs_rest(rows: Array, k: int) -> float:
    """The distance of a row to the hull of the others, by non-negative least squares.

    The shortest vector of a hull is a multiple of the least |D^T y|^2 + (1^T y - 1)^2, y >= 0.
    """
    differences = rows[k] - np.delete(rows, k, axis=0)
    stacked = np.vstack([differences.T, np.ones(len(differences))])
    y, _ = nnls(stacked, np.append(np.zeros(rows.shape[1]), 1.0))
    return float(np.linalg.norm(y @ differences) / y.sum())


#: Seconds by the wall, or of all threads together.
CLOCKS = {False: time.perf_counter, True: time.process_time}


def fastest(*ways: Callable[[], object], repeats: int = 3, busy: bool = False) -> list[float]:
    """Seconds of the fastest run of each way; the ways take turns."""
    clock = CLOCKS[busy]
    best = [float("inf")] * len(ways)
    for _ in range(repeats):
        for i, way in enumerate(ways):
            start = clock()
            way()
            best[i] = min(best[i], clock() - start)
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


def main_ratios(n: int, d: int, K: int, busy: bool) -> None:
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
        busy=busy,
    )
    print(f"n = {n}, d = {d}, K = {K}, float32, {thread_count()} threads, {len(found)} metrics")
    print(f"measure                                    {ours:8.3f} s")
    print(f"    over the product and the read          {ours / (product + read):8.2f}")
    print(f"    if it computes half, by symmetry       {ours / (gram + read):8.2f}")
    print(f"    memory beyond the features             {extra:8.0f} MB")
    print(f"in batches of 512                          {streamed / ours:8.2f} times that")
    for dtype in (np.float64, np.float32):
        known: dict[str, float] = {}
        few, every = fastest(
            lambda dtype=dtype: of_samples(*given, dtype=dtype),
            lambda into=known, dtype=dtype: into.update(textbook(*given, dtype=dtype)),
            repeats=1,
            busy=busy,
        )
        assert known.keys() == found.keys()
        errors = {k: abs(found[k] - v) / max(abs(v), 1e-30) for k, v in known.items()}
        worst = max(errors, key=errors.__getitem__)
        print(f"textbook, {dtype.__name__:32s} {every / ours:8.2f} times that")
        print(f"    the dearest 32 metrics                 {few / ours:8.2f}")
        print(f"    relative difference at most            {errors[worst]:8.0e}, {worst}")


def by_classes(n: int, d: int) -> None:
    """Print the time of a sample by the number of classes."""
    print(f"\nCPU microseconds a sample, in batches of 512, n = {n}, d = {d}")
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
                start = time.process_time()
                for i in range(0, n, 512):
                    accumulator.update(given[i : i + 512], labels[i : i + 512])
                seconds += time.process_time() - start
            times.append(1e6 * seconds / n)
        print(f"{K:8d}  {times[0]:10.2f}  {times[1]:11.2f}  {times[2]:15.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=200_000)
    parser.add_argument("-d", type=int, default=512)
    parser.add_argument("-K", type=int, default=100)
    parser.add_argument("--busy", action="store_true", help="processor time, not the wall's")
    chosen = parser.parse_args()
    main_ratios(chosen.n, chosen.d, chosen.K, chosen.busy)
    by_classes(50_000, 64)
