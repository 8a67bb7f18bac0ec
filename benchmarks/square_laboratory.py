"""Closed-form minima of the regularised square loss against descent, on both sides of thresholds.

python benchmarks/square_laboratory.py
"""

import time

from ncbounds.laboratory.square import largest_deviation, straddling_models

if __name__ == "__main__":
    models, started = straddling_models(), time.perf_counter()
    worst, place = largest_deviation(models)
    print(f"{len(models)} models in {time.perf_counter() - started:.0f} s")
    print(f"largest deviation {worst:.1e} at {models[place]}")
