"""An ensemble of small networks trained at once, against the same networks one after the other.

    OMP_NUM_THREADS=1 python benchmarks/ensemble.py

Both sides run the same code on the same members, so that what differs is the batching alone; the
members one after the other are timed on every eighth, in turn with the ensemble.
"""

import time

import numpy as np

from experiments.training.data import Split
from experiments.training.ensemble import Member, Training, train_ensemble
from experiments.training.networks import Architecture

MEMBERS = [Member(seed, decay) for seed in range(5) for decay in np.geomspace(1e-4, 1e-1, 15)]
TRAINING = Training(epochs=2, batch=100)
ROUNDS = 3


def data(n: int = 1000, d: int = 16, K: int = 4) -> Split:
    """Gaussian inputs in K classes of equal size; what they mean does not matter to the clock."""
    x, y = np.random.default_rng(0).normal(size=(n, d)), np.arange(n) % K
    return Split(x, y, x, y, (1, d))


def seconds(architecture: Architecture, members: list[Member]) -> float:
    """Time of one training."""
    started = time.perf_counter()
    train_ensemble(architecture, [DATA], members, TRAINING)
    return time.perf_counter() - started


DATA = data()
for batch_norm in (False, True):
    for widths in ((32, 32), (64, 64, 64), (64,) * 5):
        network = Architecture("net", widths, batch_norm=batch_norm)
        seconds(network, MEMBERS[:2])
        together, alone = [], []
        for _ in range(ROUNDS):
            together.append(seconds(network, MEMBERS))
            sample = MEMBERS[::8]
            one = sum(seconds(network, [member]) for member in sample) / len(sample)
            alone.append(one * len(MEMBERS))
        ratios = sorted(a / t for a, t in zip(alone, together, strict=True))
        words = "with" if batch_norm else "no"
        print(
            f"{words:4} batch norm, widths {widths}: {len(MEMBERS)} runs at once "
            f"{min(together):.2f} s, one after the other {min(alone):.2f} s; "
            f"ratio {ratios[0]:.1f} to {ratios[-1]:.1f}"
        )
