"""Empirical Rademacher complexity of two-level trees to all digits, beside a dense grid.

For m samples of four Gaussian numbers: the exact search over arcs, its check in ball arithmetic,
and the grid of angles that anybody would write first, with the grid doubled until it has six
digits. The grid has no error bound of its own; what it misses is told by the exact value.

Run as ``python benchmarks/complexity.py``.
"""

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ncbounds.measure.complexity import hidden_unit_rademacher, tree_rademacher, two_level_upper
from ncbounds.measure.complexity.conventions import sign_vectors

SAMPLES = (4, 6, 8, 10, 12)
DIGITS = 1e-6
_MOST = 2**22

Array = npt.NDArray[np.float64]


def grid(X: Array, angles: int) -> float:
    """The complexity on a grid of angles of the lower kernel, never too large."""
    signs, best = sign_vectors(len(X)), np.zeros(2 ** (len(X) - 1))
    for turn in 2 * np.pi * np.arange(angles) / angles:
        w = np.array([np.cos(turn), np.sin(turn)])
        best = np.maximum(
            best, np.linalg.norm(signs @ np.maximum(X.reshape(-1, 2, 2) @ w, 0), axis=1)
        )
    return float(2 * best.mean() / len(X))


def timed(work: Callable[[], float]) -> tuple[float, float]:
    """A value and the seconds of this process that it took."""
    started = time.process_time()
    value = work()
    return value, time.process_time() - started


def main() -> None:
    """Print the table."""
    print(f"{'m':>3}{'R':>12}{'width':>9}{'exact s':>9}{'balls s':>9}{'grid':>9}{'grid s':>9}")
    for m in SAMPLES:
        X = np.random.default_rng(m).standard_normal((m, 4))
        lower, exact = timed(lambda X=X: tree_rademacher(X).lower)
        upper, balls = timed(lambda X=X: two_level_upper(X))
        angles, spent, miss = 64, 0.0, 1.0
        while miss > DIGITS and angles < _MOST and spent < 20:
            angles *= 2
            found, spent = timed(lambda X=X, angles=angles: grid(X, angles))
            miss = 1 - found / lower
        reached = f"{angles:9d}{spent:9.2f}" + ("" if miss <= DIGITS else f"  misses {miss:.0e}")
        print(f"{m:3d}{lower:12.8f}{upper / lower - 1:9.1e}{exact:9.3f}{balls:9.3f}{reached}")
    X = np.random.default_rng(12).standard_normal((12, 4))
    unit, seconds = timed(lambda: hidden_unit_rademacher(X).lower)
    print(f"one hidden unit, m = 12, d = 4: R = {unit:.7f} in {seconds:.1f} s")


if __name__ == "__main__":
    main()
