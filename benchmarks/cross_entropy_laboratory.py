"""Closed-form minima of regularised cross-entropy against a search that knows none of them.

Part one: the largest deviation over a grid that straddles the threshold. Part two, K = 3 and n = 2:
risk and margin in closed form, what the search finds with a free bias in m = 2 and m = 1, and the
certified gap.

python benchmarks/cross_entropy_laboratory.py
"""

import math

import numpy as np

from ncbounds.laboratory.cross_entropy import deviations, regularised_minimum, solve
from ncbounds.laboratory.optimality import certify_optimality

STRENGTHS = (0.01, 0.1, 0.3, 0.6, 0.9, 0.99, 1.0, 1.01, 2.0)

if __name__ == "__main__":
    found = deviations((2, 3, 5), (1, 3))
    worst = max(abs(one.deviation) for one in found)
    print(f"{len(found)} models, largest deviation {worst:.1e}")
    print("strength  phase      least risk   margin   search m=2, off   search m=1        gap")
    for strength in STRENGTHS:
        decay = strength / 3 / math.sqrt(2)
        closed = regularised_minimum(3, 2, 2, decay, decay)
        plane, line = (solve([2] * 3, m, decay, decay, 0.0, bias=True).risk for m in (2, 1))
        gap = certify_optimality(
            closed.features,
            np.repeat(np.arange(3), 2),
            closed.weights,
            lambda_A=decay,
            lambda_F=decay,
        ).gap
        print(
            f"{strength:8}  {closed.phase:8}{closed.risk:13.9f}{closed.margin:9.5f}"
            f"{plane - closed.risk:18.1e}{line:13.9f}{gap:11.1e}"
        )
