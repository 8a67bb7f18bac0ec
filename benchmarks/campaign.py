"""How fast a campaign searches, and what its adversary is worth.

First the rate: `bnwd:lemma-2.1` for f = exp at 16 points, hypothesis and conclusion evaluated, by a
campaign on two processes and by plain Hypothesis (drawn by its own strategies, judged by the same
function, no certificates). Then the adversary, on claims that are sharp: instances judged and
seconds until lhs/rhs is 0.999, by gradient ascent, by the structured random search of a campaign,
and by Gaussian instances; a search gives up after 100 times what ascent took, and no fewer than
10^5. Last the memory of a process as a campaign goes on.

Run as ``python benchmarks/campaign.py``.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from itertools import count
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign import Effort, run_campaign, samplers
from ncbounds.campaign.ascent import ascend
from ncbounds.campaign.chunks import Chunk, explore
from ncbounds.campaign.comparisons import meets_hypotheses, ratio
from ncbounds.campaign.search import CHUNK
from ncbounds.campaign.workers import local
from ncbounds.theory import statement
from ncbounds.theory.terms import Claim, Judgement

POINTS, INSTANCES, EXAMPLES, PROCESSES = 16, 20_000_000, 3_000, 2
TARGET, PATIENCE, AT_LEAST = 0.999, 100, 10**5

#: Claims that are sharp, at sizes where equality is possible.
SHARP = [
    ("bnwd:lemma-2.1", "f - (m/2) x^2 is convex", "upper", {"N": 16, "J": 1}),
    ("bnwd:lemma-a.2", "at most half of the points", "upper", {"N": 16}),
    ("bnwd:theorem-2.1", "guarantee from the loss", "NC1", {"C": 4, "N": 2, "d": 6}),
    ("bnwd:theorem-2.1", "guarantee from the loss", "NC3", {"C": 4, "N": 2, "d": 6}),
    ("bnwd:theorem-2.1", "guarantee from the loss", "distance", {"C": 4, "N": 2, "d": 6}),
    ("square:theorem-4", "without the factor 2, as in the proof", "complexity", {"L": 1, "m": 4}),
]


def claim_of(id: str, reading: str, sizes: dict[str, int]) -> Claim:
    """The claim of a reading, at fixed sizes."""
    claim = next(v.claim for v in statement(id).variants if v.reading == reading)
    assert claim is not None
    return replace(claim, sizes={name: (size, size) for name, size in sizes.items()})


# -- the rate -------------------------------------------------------------------------------------


def by_campaign(claim: Claim) -> float:
    """Instances a second on two processes, which are started beforehand."""
    run = local(PROCESSES)
    run_campaign(claim, Effort(4 * CHUNK, ascents=0), 1, run)
    started = time.perf_counter()
    found = run_campaign(claim, Effort(INSTANCES, ascents=0), 0, run)
    assert found.met > 0.9 * INSTANCES
    return found.instances / (time.perf_counter() - started)


def by_hypothesis(claim: Claim) -> float:
    """Instances a second of a property test as one writes it without this package."""
    xp, judged = numpy_namespace(), 0

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(
        arrays(np.float64, (1, POINTS), elements=st.floats(-5, 5)),
        arrays(np.bool_, (1, POINTS)).filter(np.any),
    )
    def holds(x: Any, subset: Any) -> None:
        nonlocal judged
        judged += 1
        drawn = {"x": x, "subset": subset.astype(np.float64), "epsilon": np.zeros(1)}
        instance = samplers.meet_budgets(claim, xp, drawn, 2.0**-40)
        found = claim.judge(xp, **instance)
        assert all((c.lhs <= c.rhs + 1e-6).all() for c in found.conclusions)

    started = time.perf_counter()
    holds()
    return judged / (time.perf_counter() - started)


# -- the adversary --------------------------------------------------------------------------------


def counted(claim: Claim) -> tuple[Claim, list[int]]:
    """The claim, and a list whose sum is the number of instances that it has judged."""
    judged: list[int] = []

    def judge(xp: Any, **instance: Any) -> Judgement:
        judged.append(next(iter(instance.values())).shape[0])
        return claim.judge(xp, **instance)

    return replace(claim, judge=judge), judged


def best_of(claim: Claim, conclusion: str, batch: samplers.Instance) -> float:
    """Largest lhs/rhs of a batch among instances that meet the hypotheses."""
    with np.errstate(all="ignore"):
        judged = claim.judge(numpy_namespace(), **batch)
        found = ratio(next(c for c in judged.conclusions if c.name == conclusion))
        met = meets_hypotheses(judged)
    return float(np.max(np.where(met & (found <= 1 + 1e-9), found, 0.0)))


def ascents(claim: Claim, conclusion: str) -> Iterator[float]:
    """The best of each batch of gradient ascent."""
    for index in count():
        rng = np.random.default_rng(index)
        sizes = samplers.draw_sizes(claim, rng)
        yield best_of(claim, conclusion, ascend(claim, conclusion, sizes, 24, 120, rng))


def structured(claim: Claim, conclusion: str) -> Iterator[float]:
    """The best of each chunk of the campaign's random stage."""
    for index in count():
        tight = explore(claim, 0, Chunk("random", index, 1024)).tight
        yield tight[conclusion].ratio if conclusion in tight else 0.0


def gaussian(claim: Claim, conclusion: str) -> Iterator[float]:
    """The best of each batch of instances of Gaussian entries."""
    rng, xp = np.random.default_rng(0), numpy_namespace()
    for _ in count():
        sizes = samplers.draw_sizes(claim, rng)
        drawn = samplers.draw(claim, sizes, 1024, rng, decades=0.5, generic=True)
        with np.errstate(all="ignore"):
            yield best_of(claim, conclusion, samplers.meet_budgets(claim, xp, drawn, 2.0**-40))


def searched(
    search: Callable[[Claim, str], Iterator[float]], claim: Claim, conclusion: str, patience: float
) -> tuple[float, int, float]:
    """Run a search to the target; returns the largest lhs/rhs, instances judged and seconds."""
    watched, judged = counted(claim)
    best, started = 0.0, time.perf_counter()
    for found in search(watched, conclusion):
        best = max(best, found)
        if best >= TARGET or sum(judged) >= patience:
            break
    return best, sum(judged), time.perf_counter() - started


def told(best: float, judged: int, seconds: float, reference: int) -> str:
    """What a search did, in one cell."""
    mark = " " if best >= TARGET else "never:"
    return f"{mark} {best:.4f} {judged:>11,} {judged / reference:8.1f}x {seconds:6.1f} s"


def resident() -> float:
    """Resident memory of this process in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def main() -> None:
    """Print rates, the adversary's table, and memory."""
    claim = claim_of("bnwd:lemma-2.1", "f = exp on the range of the points", {"N": POINTS})
    plain = by_hypothesis(claim)
    fast = by_campaign(claim)
    print(f"bnwd:lemma-2.1, f = exp, {POINTS} points: instances a second")
    print(f"  campaign, {PROCESSES} processes   {fast:12,.0f}")
    print(f"  plain Hypothesis        {plain:12,.0f}   campaign / Hypothesis {fast / plain:,.0f}")

    import_module("torch")  # which takes seconds, once a process
    print(f"\nuntil lhs/rhs >= {TARGET}: lhs/rhs reached, instances judged, against ascent, time")
    for id, reading, conclusion, sizes in SHARP:
        sharp = claim_of(id, reading, sizes)
        up = searched(ascents, sharp, conclusion, np.inf)
        patience = max(PATIENCE * up[1], AT_LEAST)
        print(f"{id} [{reading}] {conclusion} at {sizes}")
        print(f"  ascent      {told(*up, up[1])}")
        for search in (structured, gaussian):
            done = searched(search, sharp, conclusion, patience)
            print(f"  {search.__name__:<11} {told(*done, up[1])}", flush=True)

    print("\nresident memory of a process, MB")
    for chunks in (50, 100, 200, 400):
        run_campaign(claim, Effort(chunks * CHUNK, ascents=0), 0)
        print(f"  after {chunks * CHUNK:>10,} instances {resident():8.0f}", flush=True)


if __name__ == "__main__":
    main()
