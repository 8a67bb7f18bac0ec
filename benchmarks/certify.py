"""What a certificate costs, on `bnwd:lemma-2.1`.

One instance of 64 points (as large as a campaign draws) judged in a float64 batch, in ball
arithmetic at 128 bits, by `survives`, which dispels a violation that rounding made up, and by
`refute`, which raises precision and rounds budgets anew until hypotheses and violation are certain
or, as here where the lemma is true, all attempts fail.

Run as ``python benchmarks/certify.py``.
"""

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign import refute, samplers
from ncbounds.campaign.certify import certified_tightness, exact_instance, judge_exact, survives
from ncbounds.theory import statement

BATCH, CERTIFIED, ROUNDS = 256, 8, 5
SIZES = {"N": 64, "J": 4}


def timed(work: Callable[[], object]) -> float:
    """Median wall time of a piece of work; one run goes ahead untimed."""
    work()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)


def main() -> None:
    """Print microseconds an instance of 64 points."""
    claim = statement("bnwd:lemma-2.1").variants[0].claim
    assert claim is not None
    xp, rng = numpy_namespace(), np.random.default_rng(0)
    drawn = samplers.draw(claim, claim.axes(SIZES), BATCH, rng)
    batch = samplers.meet_budgets(claim, xp, drawn, samplers.draw_room(claim, BATCH, rng))
    instances = [exact_instance(batch, index) for index in range(CERTIFIED)]
    floats = timed(lambda: claim.judge(xp, **batch)) / BATCH

    def each(work: Callable[..., object]) -> float:
        return timed(lambda: [work(instance) for instance in instances]) / CERTIFIED

    with balls.precision(128):
        in_balls = each(lambda instance: judge_exact(claim, instance))
    rows = {
        f"float64, in a batch of {BATCH}": floats,
        "balls of 128 bits": in_balls,
        "certified tightness": each(lambda i: certified_tightness(claim, i, "upper")),
        "survives": each(lambda instance: survives(claim, instance)),
        "refute, all attempts": each(lambda instance: refute(claim, instance)),
    }
    print(f"{'one instance of 64 points':<32} {'us':>8}   / float64")
    for name, taken in rows.items():
        print(f"{name:<32} {1e6 * taken:8.1f}   {taken / floats:9.0f}")


if __name__ == "__main__":
    main()
