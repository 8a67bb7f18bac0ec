"""What certainty costs: `gnc:theorem-3.9` certified, by mpmath, and on float64 grids.

First 30 digits a point: `evaluate` (certified digits, domain and vacuity of a bound), `certify`
(its digits alone), and mpmath at 30 digits, which promises nothing. Then 10^6 points in float64:
`grid`, which neither overflows nor underflows, against the formula written by hand with scipy's
`gammaln`. Both are checked against certified digits at 500 points, and at the 500 where they
differ most.

Run as ``python benchmarks/evaluate.py``.
"""

import time
from collections.abc import Callable
from fractions import Fraction
from statistics import median
from typing import Any

import mpmath
import numpy as np
from scipy.special import gammaln

from ncbounds.arithmetic.certified import certify
from ncbounds.arithmetic.grids import grid
from ncbounds.theory.evaluate import evaluate
from ncbounds.theory.softmax_code.gamma_bounds import printed_upper

DIGITS, ROUNDS = 30, 5
DIMENSIONS = (2, 3, 8, 64, 513, 4096, 100_000)
CLASSES = (2, 10, 1000, 10**6, 10**12)
POINTS = [(d, K) for d in DIMENSIONS for K in CLASSES]
GRID_POINTS, SAMPLE = 10**6, 500


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Median wall time of a piece of work, and its last result; one run goes ahead untimed."""
    work()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - started)
    return median(taken), result


def by_evaluate() -> list[str]:
    """The upper side of the printed theorem, with domain and vacuity; both sides are computed."""
    found = [
        evaluate("gnc:theorem-3.9", variant="printed", digits=DIGITS, d=d, K=K) for d, K in POINTS
    ]
    return [upper.decimal.value for _, upper in found if upper.decimal]


def by_certify() -> list[str]:
    """The same value alone."""
    found = [
        certify(printed_upper, {"d": Fraction(d), "K": Fraction(K)}, DIGITS) for d, K in POINTS
    ]
    return [decimal.value for decimal in found if decimal]


def by_mpmath() -> list[mpmath.mpf]:
    """The same formula at 30 digits, uncertified."""
    mp = mpmath.mp
    with mp.workdps(DIGITS):
        values = []
        for d, K in POINTS:
            half = mp.mpf(d) / 2
            ratio = mp.exp(mp.loggamma(half + 0.5) - mp.loggamma(half))
            values.append(2 * (2 * mp.sqrt(mp.pi) / K * ratio) ** (mp.mpf(1) / (d - 1)))
        return values


def by_scipy(d: np.ndarray[Any, Any], K: np.ndarray[Any, Any]) -> Any:
    """The formula in logarithms by hand."""
    log_base = np.log(2 * np.sqrt(np.pi) / K) + gammaln((d + 1) / 2) - gammaln(d / 2)
    return 2 * np.exp(log_base / (d - 1))


def pointwise() -> None:
    """Thirty digits a point."""
    whole, values = timed(by_evaluate)
    alone, same = timed(by_certify)
    peer, peers = timed(by_mpmath)
    assert same == values
    with mpmath.workdps(2 * DIGITS):
        worst = max(abs(p / mpmath.mpf(v) - 1) for p, v in zip(peers, values, strict=True))
        worst_text = mpmath.nstr(worst, 2)
    count = len(POINTS)
    print(f"{DIGITS} digits at {count} points          us/bound   / mpmath")
    for name, taken in (
        ("evaluate, certified", whole / 2),  # two bounds a point
        ("certify, certified", alone),
        ("mpmath, uncertified", peer),
    ):
        print(f"{name:<31} {1e6 * taken / count:9.1f}   {taken / peer:8.2f}")
    print(f"largest relative difference of mpmath: {worst_text}\n")


def gridwise() -> None:
    """A million points in float64."""
    rng = np.random.default_rng(0)
    d = np.floor(10 ** rng.uniform(0.31, 6, GRID_POINTS))
    K = np.floor(10 ** rng.uniform(0.31, 12, GRID_POINTS))
    ours, values = timed(lambda: grid(printed_upper, d=d, K=K))
    peer, peers = timed(lambda: by_scipy(d, K))
    difference = np.abs(values / peers - 1)
    chosen = np.r_[:SAMPLE, np.argsort(-difference)[:SAMPLE]]
    exact = []
    for i in chosen:
        decimal = certify(printed_upper, {"d": Fraction(d[i]), "K": Fraction(K[i])}, 20)
        assert decimal is not None
        exact.append(float(decimal))
    print(f"float64 at {GRID_POINTS} points             s   / scipy   largest relative error")
    for name, taken, found in (("grid", ours, values), ("scipy by hand", peer, peers)):
        error = np.max(np.abs(found[chosen] / exact - 1))
        print(f"{name:<31} {taken:5.2f}   {taken / peer:7.2f}   {error:.1e}")
    print(f"largest relative difference of the two: {difference.max():.1e}")


if __name__ == "__main__":
    pointwise()
    gridwise()
