"""Closed forms of separation and of norm-constrained risk, beside global numerical solves.

Run as ``python benchmarks/separation.py``: half a minute of one core.
"""

import math

from ncbounds.laboratory import norm_constrained, separation
from ncbounds.laboratory.entropy_flow import follow, random_start

CASES = [(2, 3, 1), (3, 1, 2), (3, 2, 4), (4, 2, 3), (4, 1, 2), (5, 1, 4), (5, 1, 3), (6, 1, 3)]


def main() -> None:
    """Print the least norms by dimension, the largest deviations, and the flow in direction."""
    print("least (|A|^2 + |F|^2)/2 of a separation with margin 1, over root n")
    print(f"{'K':>3} {'m':>3}  {'proved':>8}  {'attained':>10}  {'search':>10}  by")
    for K in range(3, 9):
        for m in range(2, K):
            value = separation.least_norm(K, 1, m)
            found = separation.certify(*separation.solve(K, 1, m, starts=6)).objective
            attained = f"{value.upper:10.6f}" if math.isfinite(value.upper) else f"{'':10}"
            print(f"{K:3} {m:3}  {value.lower:8.4f}  {attained}  {found:10.6f}  {value.source}")
    print("largest relative deviation of closed form and solver, separation:")
    print(f"  {separation.largest_deviation(CASES):.1e}")
    simplex = [case for case in CASES if case[2] >= case[0] - 1]
    print("largest deviation, risk under norm constraints, m >= K - 1:")
    print(f"  {norm_constrained.largest_deviation(simplex, [0.25, 1.0, 4.0, 16.0, 64.0]):.1e}")
    print("the flow of cross-entropy from Gaussian starts until the norm is 24")
    for K, n, m in ((3, 2, 3), (4, 2, 5), (4, 1, 2), (5, 1, 3)):
        end = follow(*random_start(K, n, m), steps=5)
        limit = (K - 1) * math.sqrt(n) / separation.least_norm(K, n, m).upper
        print(
            f"  K = {K}, n = {n}, m = {m}: margin {end.margin[-1]:.4f} of its bound "
            f"(best {limit:.4f}), within {end.within[-1]:.4f}, cosine {end.cosine[-1]:.4f}, "
            f"KKT residuals {end.stationarity[-1]:.3f} and {end.complementarity[-1]:.1e}"
        )


if __name__ == "__main__":
    main()
