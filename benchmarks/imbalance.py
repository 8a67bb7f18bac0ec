"""Closed-form minima of unequal classes beside descent and a semidefinite programme.

    python benchmarks/imbalance.py

Each row is a grid point of the layer-peeled model with cross-entropy: `K_A` majority classes with R
times the samples of each of `K_B` minority classes, R below, near and above the thresholds t_0 of
minority collapse and t_1 from which the minority vanishes. Without cvxpy its column is left out.
"""

from __future__ import annotations

import time

from ncbounds.errors import MissingDependencyError
from ncbounds.laboratory.imbalance import (
    collapse_threshold,
    descend,
    dual_bound,
    minimum,
    semidefinite_reference,
)

CLASSES = ((1, 2), (1, 5), (2, 2), (3, 2), (2, 4), (5, 5))
ROOTS = (0.2, 1.0, 2.0)
SHARES = (0.0, 0.5, 0.99, 1.0, 1.01, 2.0, 5.0)


def main() -> None:
    """Print the grid and the largest deviations."""
    rows, widest, furthest, programme = 0, 0.0, 0.0, 0.0
    seconds = {"closed form": 0.0, "descent": 0.0, "cvxpy": 0.0}
    print("K_A K_B  root        R   least risk            width    descent   dual gap   cvxpy")
    for K_A, K_B in CLASSES:
        for root in ROOTS:
            threshold = collapse_threshold(K_A, K_B, root)
            for share in SHARES:
                ratio = 1 + share * (threshold.upper - 1)
                sizes = [ratio] * K_A + [1.0] * K_B
                clock = time.perf_counter()
                least = minimum(K_A, K_B, ratio, root).risk
                seconds["closed form"] += time.perf_counter() - clock
                clock = time.perf_counter()
                risk, A, F = descend(sizes, root, K_A + K_B)
                seconds["descent"] += time.perf_counter() - clock
                gap = risk - dual_bound(sizes, F @ A.T, root)
                reference = ""
                if share in (0.5, 2.0) and K_A + K_B < 6:
                    clock = time.perf_counter()
                    try:
                        off = semidefinite_reference(sizes, root) - least.lower
                        programme = max(programme, abs(off))
                        reference = f"{off:9.1e}"
                    except MissingDependencyError:
                        pass
                    seconds["cvxpy"] += time.perf_counter() - clock
                width, off = least.upper - least.lower, risk - least.upper
                rows, widest = rows + 1, max(widest, width)
                furthest = max(furthest, abs(off))
                print(
                    f"{K_A:3} {K_B:3} {root:5g} {ratio:8.3g}   {least.lower:.15f} "
                    f"{width:9.1e} {off:10.1e} {gap:10.1e} {reference}"
                )
    print(
        f"{rows} points: enclosures at most {widest:.1e} wide, descent within {furthest:.1e}",
        end="",
    )
    print(f", cvxpy within {programme:.1e}" if programme else "")
    print(", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items() if spent))


if __name__ == "__main__":
    main()
