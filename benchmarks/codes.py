"""Codes: `best_code` against the known optima, and against SciPy's SLSQP from many starts.

Part one: for each (d, K) with a proved optimum, what the search reaches and in which time. The
catalogue gives the optimum that it is compared with, and the proved bound at which it stops; no
coordinates.

Part two: time to the same value, within 1e-9, of both: `best_code` with 8, 16, 32, ... restarts
until it is reached (all calls counted), and SLSQP from one random start after the other until one
reaches it, on average over some seeds. SLSQP solves the problem that the paper poses, the largest
margin of weights and features on the sphere (5), and the one that the midpoint theorem makes of it,
the largest spread of K points: with exact derivatives, and the latter with differences as well.

Times are those of the processor, not of the clock, so that other work does not count.
Run as ``OMP_NUM_THREADS=1 python benchmarks/codes.py [first|second]``.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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


@dataclass(frozen=True)
class Problem:
    """Maximise the last variable: constraints with their derivatives, starts, and what is reached.

    The other variables are rows that a constraint keeps at length 1.
    """

    rows: int
    slack: Callable[[Floats], Floats]
    slack_derivative: Callable[[Floats], Floats]
    margin: Callable[[Floats], float]


def tammes(d: int, K: int) -> Problem:
    """1 - <x_i, x_j> >= m for all pairs: what the midpoint theorem makes of it."""
    first, second = np.triu_indices(K, 1)
    pairs = np.arange(len(first))

    def products(x: Floats) -> Floats:
        return np.asarray(np.einsum("pd,pd->p", x[first], x[second]))

    def slack(z: Floats) -> Floats:
        return 1 - products(z[:-1].reshape(K, d)) - z[-1]

    def slack_derivative(z: Floats) -> Floats:
        x = z[:-1].reshape(K, d)
        derivative = np.zeros((len(first), K, d))
        derivative[pairs, first] = -x[second]
        derivative[pairs, second] = -x[first]
        return np.column_stack([derivative.reshape(len(first), -1), -np.ones(len(first))])

    return Problem(K, slack, slack_derivative, lambda x: float(1 - products(x).max()))


def hardmax(d: int, K: int) -> Problem:
    """<w_k - w_j, h_k> >= m for all ordered pairs: the paper's (5), one feature a class."""
    own, other = np.array([(k, j) for k in range(K) for j in range(K) if j != k]).T
    pairs = np.arange(len(own))

    def gaps(x: Floats) -> Floats:
        return np.asarray(np.einsum("pd,pd->p", x[own] - x[other], x[K + own]))

    def slack(z: Floats) -> Floats:
        return gaps(z[:-1].reshape(2 * K, d)) - z[-1]

    def slack_derivative(z: Floats) -> Floats:
        x = z[:-1].reshape(2 * K, d)
        derivative = np.zeros((len(own), 2 * K, d))
        derivative[pairs, own] = x[K + own]
        derivative[pairs, other] = -x[K + own]
        derivative[pairs, K + own] = x[own] - x[other]
        return np.column_stack([derivative.reshape(len(own), -1), -np.ones(len(own))])

    return Problem(2 * K, slack, slack_derivative, lambda x: float(gaps(x).min()))


def slsqp(problem: Problem, d: int, target: float, exact: bool, rng: np.random.Generator) -> bool:
    """Restart SLSQP until the margin is reached (True) or the time is over (False)."""
    rows = np.arange(problem.rows)

    def length(z: Floats) -> Floats:
        return np.asarray((z[:-1].reshape(-1, d) ** 2).sum(axis=1) - 1)

    def length_derivative(z: Floats) -> Floats:
        derivative = np.zeros((len(rows), len(rows), d))
        derivative[rows, rows] = 2 * z[:-1].reshape(-1, d)
        return np.column_stack([derivative.reshape(len(rows), -1), np.zeros(len(rows))])

    cost = np.zeros(problem.rows * d + 1)
    cost[-1] = -1.0
    constraints: list[dict[str, Any]] = [
        {"type": "ineq", "fun": problem.slack, "jac": problem.slack_derivative},
        {"type": "eq", "fun": length, "jac": length_derivative},
    ]
    for constraint in () if exact else constraints:
        del constraint["jac"]

    def objective(z: Floats) -> float:
        if time.process_time() - started > PATIENCE:
            raise TimeoutError
        return float(-z[-1])

    def unit(x: Floats) -> Floats:
        return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))

    started = time.process_time()
    while time.process_time() - started < PATIENCE:
        x = unit(rng.normal(size=(problem.rows, d)))
        try:
            found = minimize(
                objective,
                np.append(x.ravel(), problem.margin(x)),
                jac=lambda z: cost,
                constraints=constraints,
                method="SLSQP",
                options={"maxiter": 500, "ftol": 1e-13},
            )
        except TimeoutError:
            return False
        if problem.margin(unit(found.x[:-1].reshape(-1, d))) >= target - 1e-9:
            return True
    return False


def optima() -> None:
    """Part one."""
    print("d    K     one-vs-rest, lower end   below the optimum   found by                     s")
    total = 0.0
    for d, K in OPTIMA:
        code, taken = timed(partial(best_code, d, K))
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
        found, taken = timed(partial(work, seed))
        times.append(taken)
        if found is False:
            return False, taken
    return True, float(np.mean(times))


RIVALS = (
    ("(5), exact derivatives", hardmax, True),
    ("spread, differences", tammes, False),
    ("spread, exact derivatives", tammes, True),
)


def against_slsqp() -> None:
    """Part two."""
    print(f"seconds to the value, mean of {SEEDS} seeds; SLSQP has {PATIENCE:.0f} s for each")
    heads = "".join(f"{name:>28}" for name, _, _ in RIVALS)
    print(f"d  K   one-vs-rest   best_code{heads}")
    for d, K in PAIRS:
        target = 1 - best_code(d, K).largest_inner_product[1]
        _, ours = mean_time(lambda seed, size=(d, K), t=target: reached(*size, 1 - t, seed))
        shown = []
        for _, problem, exact in RIVALS:
            posed = problem(d, K)
            there, theirs = mean_time(
                lambda seed, p=posed, d=d, t=target, exact=exact: slsqp(
                    p, d, t, exact, np.random.default_rng(seed)
                )
            )
            ratio = f"{theirs:8.3f}, ratio {theirs / ours:7.1f}" if there else "not in time"
            shown.append(f"{ratio:>28}")
        print(f"{d:<3}{K:<4}{target:.10f}{ours:11.3f}{''.join(shown)}", flush=True)


def main() -> None:
    """Both parts, or the one that is named."""
    for d, K in ((3, 7), (3, 19), (5, 21)):
        best_code(d, K, restarts=8)  # imports are not timed
    parts = {"first": optima, "second": against_slsqp}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
