"""The search for a counterexample: a campaign of chunks, from the plan to the result.

First degenerate instances, one by one; then random ones; then gradient ascent on each conclusion.
Every stage only proposes; `certify` disposes. The best tightness is kept even when nothing breaks,
because how loose a bound is, is a result too. A campaign is a function of the claim, its seed and
its effort: the clock, the number of workers and interruptions play no part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from ncbounds.campaign.ascent import torch_is_present
from ncbounds.campaign.certify import (
    Counterexample,
    Exact,
    as_text,
    certainly_meets,
    certified_tightness,
    refute,
    survives,
)
from ncbounds.campaign.chunks import Chunk, Findings, Lead, Stage, Tight, explore, glance
from ncbounds.campaign.shrink import shrink
from ncbounds.campaign.workers import Runner, in_order, serial
from ncbounds.theory.terms import Claim

#: Random instances of a chunk, and degenerate instances of a campaign.
CHUNK, _DEGENERATE = 16384, 512
#: Chunks that are handed to the workers together.
_WINDOW = 256
#: Instances of which one must meet the hypotheses with certainty, and how many tight ones to keep.
_EXAMPLES, _TIGHT_KEPT = 20, 3


@dataclass(frozen=True)
class Effort:
    """How much a campaign does.

    `instances` random ones, at scales from 10^-decades to 10^decades, and for each conclusion that
    is an inequality `ascents` times a batch of `restarts` that climbs for `steps`.
    """

    instances: int = CHUNK
    ascents: int = 3
    restarts: int = 24
    steps: int = 120
    decades: float = 2.0


def plan(claim: Claim, effort: Effort) -> Iterator[Chunk]:
    """Yield the chunks of a campaign, round by round; a longer campaign has those of a shorter."""
    for index in range(max(-(-effort.instances // CHUNK), effort.ascents)):
        yield from a_round(claim, effort, index)


def a_round(claim: Claim, effort: Effort, index: int) -> Iterator[Chunk]:
    """Yield the chunks of one round: random instances, and ascent while there is more to do.

    The first begins with the degenerate instances.
    """
    if index == 0:
        yield Chunk("degenerate", 0, _DEGENERATE)
    instances = min(CHUNK, effort.instances - index * CHUNK)
    if instances > 0:
        yield Chunk("random", index, instances, effort.decades)
    if index < effort.ascents and effort.steps and torch_is_present():
        for name in inequalities(claim):
            yield Chunk("ascent", index, effort.restarts, 0.5, effort.steps, name)


def inequalities(claim: Claim) -> list[str]:
    """Return the names of the conclusions that are inequalities."""
    return [c.name for c in glance(claim).conclusions if c.relation == "<="]


@dataclass
class Count:
    """Instances of one stage: how many were drawn, how many met the hypotheses in floats."""

    drawn: int = 0
    met: int = 0


@dataclass(frozen=True)
class Campaign:
    """What a search found: how many instances met the hypotheses, what broke, how tight.

    `stages` counts in floats; `certain` is whether an instance met the hypotheses in balls.
    `tightness` has the largest certified lhs/rhs of each conclusion, `tightest` its instance.
    `lead` is the largest violation in floats that did not certify: no verdict follows from it.
    `unfollowed` counts violations in floats that were too many to look at.
    """

    stages: dict[str, Count]
    certain: bool
    leads: int
    unfollowed: int
    lead: Lead | None
    counterexample: Counterexample | None
    tightness: dict[str, float]
    tightest: dict[str, Exact]
    seed: int

    @property
    def instances(self) -> int:
        """Number of instances drawn."""
        return sum(count.drawn for count in self.stages.values())

    @property
    def met(self) -> int:
        """Number of instances that met the hypotheses in floats."""
        return sum(count.met for count in self.stages.values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "type": "campaign",
            "instances": self.instances,
            "met": self.met,
            "met_with_certainty": self.certain,
            "stages": {name: vars(count) for name, count in self.stages.items()},
            "leads": self.leads,
            "unfollowed": self.unfollowed,
            "largest_lead": self.lead
            and {
                "comparison": self.lead.comparison,
                "violation": self.lead.size,
                "instance": as_text(self.lead.instance),
            },
            "tightness": self.tightness,
            "seed": self.seed,
        }


def run_campaign(
    claim: Claim,
    effort: Effort,
    seed: int,
    run: Runner = serial,
    progress: Callable[[int, int], None] | None = None,
) -> Campaign:
    """Search for an instance that meets the hypotheses of a claim and breaks a conclusion.

    `run` does the chunks: here one after the other, or as `workers` has it. `progress` is told
    the number of chunks done, and of all.

    Examples
    --------
    >>> from ncbounds.theory import statement
    >>> lemma = statement("bnwd:lemma-2.1").variants[0]
    >>> run_campaign(lemma.claim, Effort(512, ascents=1), seed=0).counterexample is None
    True
    """
    tally, done = Tally(claim, seed), 0
    chunks, total = plan(claim, effort), sum(1 for _ in plan(claim, effort)) if progress else 0
    while not tally.settled and (window := list(islice(chunks, _WINDOW))):
        for _ in tally.add_all(window, run):
            done += 1
            if progress is not None:
                progress(done, total)
    found = tally.result()
    if found.counterexample is None:
        return found
    return replace(found, counterexample=shrink(claim, found.counterexample))


@dataclass
class Tally:
    """What the chunks of one campaign have found so far; it does not grow with their number."""

    claim: Claim
    seed: int
    stages: dict[Stage, Count] = field(default_factory=dict)
    leads: int = 0
    unfollowed: int = 0
    lead: Lead | None = None
    broken: Counterexample | None = None
    examples: list[Exact] = field(default_factory=list)
    tight: dict[str, list[Tight]] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether a counterexample is at hand, so that searching on is of no use."""
        return self.broken is not None

    def add_all(self, chunks: list[Chunk], run: Runner) -> Iterator[Chunk]:
        """Do chunks and add what they find, in order, up to the first that settles the claim."""
        with closing(run(partial(explore, self.claim, self.seed), chunks)) as results:
            for chunk, found in in_order(chunks, results):
                self.add(chunk, found)
                yield chunk
                if self.settled:
                    return

    def add(self, chunk: Chunk, found: Findings) -> None:
        """Add the findings of one chunk."""
        count = self.stages.setdefault(chunk.stage, Count())
        count.drawn += found.drawn
        count.met += found.met
        self.leads += found.leads
        if found.lead and (self.lead is None or found.lead.size > self.lead.size):
            self.lead = found.lead
        self.broken = self.broken or found.broken
        self.unfollowed += found.unfollowed
        self.examples = (self.examples + found.examples)[:_EXAMPLES]
        for name, one in found.tight.items():
            kept = self.tight.setdefault(name, [])
            kept.append(one)
            kept.sort(key=lambda entry: -entry.ratio)
            del kept[_TIGHT_KEPT:]

    @property
    def heights(self) -> dict[str, float]:
        """Largest lhs/rhs in floats of each conclusion so far."""
        return {name: kept[0].ratio for name, kept in self.tight.items()}

    def result(self) -> Campaign:
        """Certify what was found.

        The tightest instances and the examples are looked at in balls too: a violation may be
        smaller than what rounding could explain in floats.
        """
        broken = self.broken or _overlooked(self.claim, self.examples, self.tight)
        tightest = {
            name: certified
            for name, kept in self.tight.items()
            if (certified := _tightest(self.claim, name, kept)) is not None
        }
        return Campaign(
            stages={name: Count(**vars(count)) for name, count in self.stages.items()},
            certain=broken is not None
            or any(certainly_meets(self.claim, e) for e in self.examples),
            leads=self.leads,
            unfollowed=self.unfollowed,
            lead=self.lead,
            counterexample=broken,
            tightness={name: value for name, (value, _) in tightest.items()},
            tightest={name: instance for name, (_, instance) in tightest.items()},
            seed=self.seed,
        )


def _overlooked(
    claim: Claim, examples: list[Exact], tight: dict[str, list[Tight]]
) -> Counterexample | None:
    """A counterexample among instances that looked harmless in floats."""
    kept = [one.instance for few in tight.values() for one in few]
    suspects = (one for one in (*kept, *examples) if not survives(claim, one))
    return next((found for one in suspects if (found := refute(claim, one))), None)


def _tightest(claim: Claim, name: str, kept: list[Tight]) -> tuple[float, Exact] | None:
    """The largest certified lhs/rhs, rounded down to six digits, with its instance."""
    found = [(certified_tightness(claim, one.instance, name), one.instance) for one in kept]
    known = [(value, instance) for value, instance in found if value is not None]
    if not known:
        return None
    value, instance = max(known, key=lambda entry: entry[0])
    return float(np.floor(value * 1e6) / 1e6), instance
