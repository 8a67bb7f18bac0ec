"""One-vs-rest distances, certified, against the solvers that one would reach for.

All K = 1000 random unit rows in d = 256 dimensions by `one_vs_rest_distances`, in one process;
and for a sample of the rows, spread over the matrix, the same distances one row after the other
by `scipy.optimize.nnls` (in its exact form, [D^T; 1^T] z = [0; 1]), by the conic solver Clarabel
and by the quadratic solver PIQP, the last two if they are installed (`pip install clarabel piqp`).
These certify nothing: what they find is evaluated here by its gap, least <w_k - w_j, x> against
|x|^2, in floats. Ours runs before and after the others, and the mean counts, so that a busy
machine is fair.

Run as ``python benchmarks/margins.py``; with a file, ``python benchmarks/margins.py FILE``, the
time and peak memory for its weight matrix instead, in two processes, rows as they are and scaled.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import importlib.util
import resource
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import nnls

from ncbounds.codes.margin import Margin, one_vs_rest_distances

Floats = NDArray[np.float64]
K, D = 1000, 256


def by_nnls(W: Floats, k: int) -> Floats:
    """The shortest vector of the hull of the differences, by non-negative least squares."""
    differences = W[k] - np.delete(W, k, axis=0)
    system = np.vstack([differences.T, np.ones(K - 1)])
    z = nnls(system, np.append(np.zeros(D), 1.0))[0]
    return np.asarray(z @ differences / z.sum())


def by_clarabel(W: Floats, k: int) -> Floats:
    """min |x|^2 / 2 with x + rest^T z = w_k, 1^T z = 1, z >= 0."""
    import clarabel

    rest, n = np.delete(W, k, axis=0), K - 1
    squares = sparse.block_diag([sparse.csc_matrix((n, n)), sparse.eye(D)])
    constraints = sparse.vstack(
        [
            sparse.hstack([sparse.csc_matrix(rest.T), sparse.eye(D)]),
            sparse.csc_matrix(np.append(np.ones(n), np.zeros(D))),
            sparse.hstack([-sparse.eye(n), sparse.csc_matrix((n, D))]),
        ]
    )
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    cones = [clarabel.ZeroConeT(D + 1), clarabel.NonnegativeConeT(n)]
    target = np.concatenate([W[k], [1.0], np.zeros(n)])
    solver = clarabel.DefaultSolver(
        squares.tocsc(), np.zeros(n + D), constraints.tocsc(), target, cones, settings
    )
    z = np.maximum(np.array(solver.solve().x)[:n], 0)
    return W[k] - z @ rest / z.sum()


def by_piqp(W: Floats, k: int) -> Floats:
    """min |D^T z|^2 / 2 with 1^T z = 1, z >= 0, through the Gram matrix of the differences."""
    import piqp

    differences = W[k] - np.delete(W, k, axis=0)
    n = K - 1
    solver = piqp.DenseSolver()
    solver.settings.verbose = False
    solver.settings.eps_abs = solver.settings.eps_rel = 1e-10
    ones, zeros, most = np.ones((1, n)), np.zeros(n), np.full(n, np.inf)
    solver.setup(
        differences @ differences.T, zeros, ones, np.ones(1), None, None, None, zeros, most
    )
    solver.solve()
    z = np.maximum(solver.result.x, 0)
    return np.asarray(z @ differences / z.sum())


#: Name, function, and how many rows it gets.
PEERS: tuple[tuple[str, Callable[[Floats, int], Floats], int], ...] = (
    ("nnls", by_nnls, 30),
    ("clarabel", by_clarabel, 4),
    ("piqp", by_piqp, 8),
)


def timed(work: Callable[[], list[Margin]]) -> tuple[float, list[Margin]]:
    """Seconds, and what came of them."""
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def versus_peers() -> None:
    """Print milliseconds a row, ratios, and how good the results are."""
    W = np.random.default_rng(0).normal(size=(K, D))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    one_vs_rest_distances(W[:100])  # imports and first calls
    before, margins = timed(lambda: one_vs_rest_distances(W))
    rows = []
    for name, solve, count in PEERS:
        if name != "nnls" and importlib.util.find_spec(name) is None:
            print(f"{name} is not installed: pip install {name}")
            continue
        sample = np.linspace(0, K - 1, count).astype(int)
        solve(W, 1)
        started = time.perf_counter()
        found = [solve(W, int(k)) for k in sample]
        taken = (time.perf_counter() - started) / count
        gaps = [gap(W, int(k), x) for k, x in zip(sample, found, strict=True)]
        for k, x in zip(sample, found, strict=True):
            assert abs(np.linalg.norm(x) / margins[k].upper - 1) < 1e-6, (name, k)
        rows.append((name, count, taken, max(gaps)))
    after, _ = timed(lambda: one_vs_rest_distances(W))
    ours = (before + after) / 2 / K
    width = max((m.upper - m.lower) / m.upper for m in margins)
    print(f"{'K = 1000, d = 256, unit rows':<30} {'rows':>5} {'ms/row':>9} {'/ ours':>8}   width")
    print(f"{'ours, certified':<30} {K:>5} {1e3 * ours:>9.2f} {'':>8}   {width:.1e}")
    for name, count, taken, worst in rows:
        shown = f"{name}, not certified"
        print(f"{shown:<30} {count:>5} {1e3 * taken:>9.2f} {taken / ours:>8.1f}   {worst:.1e}")


def gap(W: Floats, k: int, x: Floats) -> float:
    """The relative width of the interval that a direction gives, without its rounding errors."""
    return float(1 - ((W[k] - np.delete(W, k, axis=0)) @ x).min() / (x @ x))


def of_file(path: str) -> None:
    """Print time and memory for a matrix in a file."""
    from joblib.externals.loky import get_reusable_executor

    from ncbounds.measure.heads import read_head

    weights = read_head(path).weights
    for normalise in (False, True):
        taken, found = timed(
            partial(one_vs_rest_distances, weights, normalise=normalise, workers=2)
        )
        apart = [m for m in found if m.lower > 0]
        width = max((m.upper - m.lower) / m.upper for m in apart)
        inside = max((m.upper for m in found if m.lower == 0), default=0.0)
        get_reusable_executor().shutdown(wait=True)  # what children used is known when they end
        own, workers = (
            resource.getrusage(who).ru_maxrss / 2**20
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        print(
            f"{path}, {'unit' if normalise else 'raw'} rows {weights.shape}: {taken:.0f} s, peak"
            f" {own:.2f} GiB and {workers:.2f} GiB in the largest worker, {len(apart)} rows"
            f" outside of the hull, largest relative width {width:.1e}; the others are at most"
            f" {inside:.1e} away"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        of_file(sys.argv[1])
    else:
        versus_peers()
