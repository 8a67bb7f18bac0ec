"""Codes: `best_code` against the known optima, and against SciPy's SLSQP from many starts.

Part one: for each (d, K) with a proved optimum, what the search reaches and in which time. The
catalogue gives the optimum that it is compared with, and the proved bound at which it stops; no
coordinates.

Part two: time to the same value, within 1e-9, of both: `best_code` with 8, 16, 32, ... restarts
until it is reached (all calls counted), and SLSQP from one random start after the other until one
reaches it, on average over some seeds. SLSQP solves the problem as it stands, minimise t subject
to <x_i, x_j> <= t and |x_i|^2 = 1, once with derivatives by differences, as it comes, and once with
exact ones.

Times are those of the processor, not of the clock, so that other work does not count.
Run as ``OMP_NUM_THREADS=1 python benchmarks/codes.py [first|second]``.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ncbounds.codes.catalogue import known
from ncbounds.codes.solver import best_code

OPTIMA = (
    *((2, K) for K in (3, 5, 7, 12, 30)),
    *((3, K) for K in (4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 24)),
    *((4, K) for K in (7, 10, 24, 120)),
    *((5, K) for K in (6, 10, 16)),
    *((6, 27), (7, 56), (8, 13), (8, 240), (10, 8), (10, 20), (16, 17)),
)
PAIRS = ((3, 8), (3, 13), (3, 20), (3, 24), (4, 15), (4, 24), (5, 21), (5, 30), (6, 27), (7, 56))
PATIENCE = 15.0
SEEDS = 3

Floats = NDArray[np.float64]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result and the processor's seconds."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def slsqp(d: int, K: int, target: float, exact: bool, rng: np.random.Generator) -> bool:
    """Restart SLSQP until the target is reached (True) or the time is over (False)."""
    first, second = np.triu_indices(K, 1)
    pairs, points = np.arange(len(first)), np.arange(K)

    def slack(z: Floats) -> Floats:
        x = z[:-1].reshape(K, d)
        return np.asarray(z[-1] - np.einsum("pd,pd->p", x[first], x[second]))

    def slack_derivative(z: Floats) -> Floats:
        x = z[:-1].reshape(K, d)
        derivative = np.zeros((len(first), K, d))
        derivative[pairs, first] = -x[second]
        derivative[pairs, second] = -x[first]
        return np.column_stack([derivative.reshape(len(first), -1), np.ones(len(first))])

    def length(z: Floats) -> Floats:
        return np.asarray((z[:-1].reshape(K, d) ** 2).sum(axis=1) - 1)

    def length_derivative(z: Floats) -> Floats:
        derivative = np.zeros((K, K, d))
        derivative[points, points] = 2 * z[:-1].reshape(K, d)
        return np.column_stack([derivative.reshape(K, -1), np.zeros(K)])

    cost = np.zeros(K * d + 1)
    cost[-1] = 1.0
    constraints: list[dict[str, Any]] = [
        {"type": "ineq", "fun": slack, "jac": slack_derivative},
        {"type": "eq", "fun": length, "jac": length_derivative},
    ]
    for constraint in () if exact else constraints:
        del constraint["jac"]

    def objective(z: Floats) -> float:
        if time.process_time() - started > PATIENCE:
            raise TimeoutError
        return float(z[-1])

    started = time.process_time()
    while time.process_time() - started < PATIENCE:
        x = rng.normal(size=(K, d))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        products = (x @ x.T)[first, second]
        try:
            found = minimize(
                objective,
                np.append(x.ravel(), products.max()),
                jac=lambda z: cost,
                constraints=constraints,
                method="SLSQP",
                options={"maxiter": 500, "ftol": 1e-13},
            )
        except TimeoutError:
            return False
        x = found.x[:-1].reshape(K, d)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        if (x @ x.T)[first, second].max() <= target + 1e-9:
            return True
    return False


def optima() -> None:
    """Part one."""
    print("d    K     one-vs-rest, lower end   below the optimum   found by                     s")
    total = 0.0
    for d, K in OPTIMA:
        code, taken = timed(lambda d=d, K=K: best_code(d, K))  # type: ignore[misc]
        entry = known(d, K)
        assert entry is not None
        below = float(entry.one_vs_rest) - code.lower
        total += taken
        print(
            f"{d:<5}{K:<6}{code.lower:.15f}{below:20.1e}"
            f"      {code.construction[:26]:26}{taken:9.2f}",
            flush=True,
        )
    print(f"all {len(OPTIMA)}: {total:.0f} s")


def reached(d: int, K: int, target: float, seed: int) -> None:
    """Call `best_code` with more and more restarts until it reaches the target."""
    restarts = 8
    while best_code(d, K, seed=seed, restarts=restarts).largest_inner_product[1] > target + 1e-9:
        restarts *= 2


def mean_time(work: Callable[[int], Any]) -> tuple[bool, float]:
    """Whether all seeds got there, and the mean time; a failure ends it."""
    times = []
    for seed in range(SEEDS):
        found, taken = timed(lambda seed=seed: work(seed))  # type: ignore[misc]
        times.append(taken)
        if found is False:
            return False, taken
    return True, float(np.mean(times))


def against_slsqp() -> None:
    """Part two."""
    print(f"seconds to the value, mean of {SEEDS} seeds; SLSQP has {PATIENCE:.0f} s for each")
    print("d  K   largest product  best_code    SLSQP, differences    SLSQP, exact derivatives")
    for d, K in PAIRS:
        target = best_code(d, K).largest_inner_product[1]
        _, ours = mean_time(lambda seed, size=(d, K), t=target: reached(*size, t, seed))
        shown = []
        for exact in (False, True):
            there, theirs = mean_time(
                lambda seed, size=(d, K), t=target, exact=exact: slsqp(
                    *size, t, exact, np.random.default_rng(seed)
                )
            )
            ratio = f"{theirs:8.3f}, ratio {theirs / ours:7.1f}" if there else "not in time"
            shown.append(f"{ratio:>24}")
        print(f"{d:<3}{K:<4}{target:.10f}{ours:14.3f}{''.join(shown)}", flush=True)


def main() -> None:
    """Both parts, or the one that is named."""
    best_code(3, 7, restarts=4)  # its imports are not timed
    parts = {"first": optima, "second": against_slsqp}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
