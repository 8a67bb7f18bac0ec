"""One chunk of a campaign: what it does, and what it finds.

A campaign is a sequence of chunks. Each is computed from the claim, the seed and its own words
alone, in whichever process, so that neither the number of workers nor an interruption changes
what a campaign finds. What a chunk finds is small, exact, and can be written down.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign import samplers
from ncbounds.campaign.certify import Counterexample, Exact, exact_instance, refute, survive
from ncbounds.campaign.comparisons import NOISE, meets_hypotheses, ratio, violation
from ncbounds.campaign.shrink import complexity
from ncbounds.theory.terms import Claim, Comparison, Judgement

Stage = Literal["degenerate", "random", "ascent"]

#: Share of random batches at sizes at which a few instances are seen to meet the hypotheses.
_PROMISING = 0.75
#: Violations that are followed in a batch, undecided ones in a chunk, and counterexamples enough.
_LEADS_A_BATCH, _LEADS_A_CHUNK, _ENOUGH_COUNTEREXAMPLES = 4, 16, 3
#: Instances of a chunk, one a batch, of which some should meet the hypotheses with certainty.
_EXAMPLES = 3


@dataclass(frozen=True)
class Chunk:
    """A piece of work: so many instances of one stage, ascending one conclusion or none."""

    stage: Stage
    index: int
    instances: int
    decades: float = 2.0
    steps: int = 0
    conclusion: str = ""

    def rng(self, seed: int) -> np.random.Generator:
        """Return the chunk's own stream of random numbers."""
        words = (self.stage, self.conclusion)
        return np.random.default_rng([seed, self.index, *(zlib.crc32(w.encode()) for w in words)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Lead:
    """A violation in floats: its relative size, where, and the instance, exactly."""

    comparison: str
    size: float
    instance: Exact


@dataclass(frozen=True)
class Tight:
    """An instance close to equality: lhs/rhs in floats, and the instance, exactly."""

    ratio: float
    instance: Exact


@dataclass
class Findings:
    """What a chunk found; `met` is counted in floats, `broken` is certified.

    `leads` counts violations in floats that balls neither confirm nor dispel, `lead` is the largest
    of them, and `unfollowed` counts those that were not looked at, being too many. `tight` has the
    tightest instance of each conclusion, `examples` some that met the hypotheses.
    """

    drawn: int = 0
    met: int = 0
    leads: int = 0
    broken: Counterexample | None = None
    lead: Lead | None = None
    unfollowed: int = 0
    examples: list[Exact] = field(default_factory=list)
    tight: dict[str, Tight] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data from which `from_dict` restores the findings exactly."""
        data = {name: getattr(self, name) for name in ("drawn", "met", "leads", "unfollowed")}
        for name in ("broken", "lead"):
            found = getattr(self, name)
            data[name] = found and {**vars(found), "instance": written(found.instance)}
        data["examples"] = [written(example) for example in self.examples]
        data["tight"] = {
            name: {"ratio": one.ratio, "instance": written(one.instance)}
            for name, one in self.tight.items()
        }
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Findings:
        """Restore findings from plain data."""

        def exact(entry: dict[str, Any]) -> dict[str, Any]:
            return {**entry, "instance": read(entry["instance"])}

        return cls(
            drawn=data["drawn"],
            met=data["met"],
            leads=data["leads"],
            unfollowed=data["unfollowed"],
            broken=data["broken"] and Counterexample(**exact(data["broken"])),
            lead=data["lead"] and Lead(**exact(data["lead"])),
            examples=[read(example) for example in data["examples"]],
            tight={name: Tight(**exact(entry)) for name, entry in data["tight"].items()},
        )


# -- exact numbers as text ------------------------------------------------------------------------


def written(instance: Exact) -> dict[str, Any]:
    """Write an exact instance as nested lists of text: hex floats, or quotients p/q."""
    return {name: _write(values) for name, values in instance.items()}


def read(data: dict[str, Any]) -> Exact:
    """Read what `written` wrote."""
    return {name: np.asarray(_read(values), dtype=object) for name, values in data.items()}


def _write(values: Any) -> Any:
    array = np.asarray(values, dtype=object)
    if array.ndim:
        return [_write(entry) for entry in array]
    number = Fraction(array.item())
    short = str(number)
    if len(short) <= 8:
        return short
    try:
        as_float = float(number)
    except OverflowError:
        return short
    return as_float.hex() if Fraction(as_float) == number else short


def _read(values: Any) -> Any:
    if isinstance(values, list):
        return [_read(entry) for entry in values]
    return Fraction(float.fromhex(values)) if "x" in values else Fraction(values)


# -- exploring ------------------------------------------------------------------------------------


def explore(claim: Claim, seed: int, chunk: Chunk) -> Findings:
    """Do one chunk of a campaign.

    Raises
    ------
    MissingDependencyError
        When the chunk is one of ascent and torch is not installed.
    """
    look = _Look(claim)
    for batch in _batches(claim, chunk, chunk.rng(seed)):
        _inspect(look, batch)
        if look.settled:
            break
    seen = look.seen
    seen.tight = {
        name: Tight(best, exact_instance(row, 0)) for name, (best, row) in look.tight.items()
    }
    if look.broken:
        seen.broken = min(look.broken, key=lambda one: complexity(one.instance))
    return seen


@dataclass
class _Look:
    """What is seen of a claim as batches go by; numbers stay floats until the end."""

    claim: Claim
    seen: Findings = field(default_factory=Findings)
    tight: dict[str, tuple[float, samplers.Instance]] = field(default_factory=dict)
    broken: list[Counterexample] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        return len(self.broken) >= _ENOUGH_COUNTEREXAMPLES


def _batches(claim: Claim, chunk: Chunk, rng: np.random.Generator) -> Iterator[samplers.Instance]:
    if chunk.stage == "degenerate":
        yield from samplers.degenerate(claim, chunk.instances, rng)
    elif chunk.stage == "random":
        yield from _random_batches(claim, chunk, rng)
    else:
        from ncbounds.campaign.ascent import ascend

        sizes = _promising_sizes(claim, rng)
        yield ascend(claim, chunk.conclusion, sizes, chunk.instances, chunk.steps, rng)


def _random_batches(
    claim: Claim, chunk: Chunk, rng: np.random.Generator
) -> Iterator[samplers.Instance]:
    xp, left = numpy_namespace(), chunk.instances
    choosy = len(glance(claim).hypotheses) > len(claim.budgets())  # budgets alone do not do
    while left > 0:
        promising = choosy and rng.random() < _PROMISING
        sizes = _promising_sizes(claim, rng) if promising else samplers.draw_sizes(claim, rng)
        batch = samplers.batch_size(claim, sizes, left)
        left -= batch
        drawn = samplers.draw(claim, sizes, batch, rng, chunk.decades)
        room = samplers.draw_room(claim, batch, rng)
        with np.errstate(all="ignore"):
            yield samplers.meet_budgets(claim, xp, drawn, room)


def glance(claim: Claim) -> Judgement:
    """Judge one instance of least sizes: which comparisons a claim makes."""
    sizes = claim.axes({name: low for name, (low, _) in claim.sizes.items()})
    with np.errstate(all="ignore"):
        drawn = samplers.draw(claim, sizes, 1, np.random.default_rng(0))
        return claim.judge(numpy_namespace(), **drawn)


def _promising_sizes(claim: Claim, rng: np.random.Generator, attempts: int = 10) -> dict[str, int]:
    """Sizes at which some drawn instance meets the hypotheses, if a few attempts find any."""
    sizes = samplers.draw_sizes(claim, rng)
    for _ in range(attempts):
        drawn = samplers.draw(claim, sizes, 16, rng, decades=0.5)
        xp = numpy_namespace()
        with np.errstate(all="ignore"):
            filled = samplers.meet_budgets(claim, xp, drawn, samplers.draw_room(claim, 16, rng))
            if meets_hypotheses(claim.judge(xp, **filled)).any():
                break
        sizes = samplers.draw_sizes(claim, rng)
    return sizes


def _inspect(look: _Look, batch: samplers.Instance) -> None:
    """Count, keep the tightest, and follow the most violated instances of a batch."""
    seen = look.seen
    with np.errstate(all="ignore"):
        judged = look.claim.judge(numpy_namespace(), **batch)
        met = meets_hypotheses(judged) & _has_points(look.claim, batch)
        seen.drawn += len(met)
        number = int(met.sum())
        if not number:
            return
        seen.met += number
        if len(seen.examples) < _EXAMPLES:
            middle = np.flatnonzero(met)[number // 2]
            seen.examples.append(exact_instance(batch, int(middle)))
        dispelled: dict[np.intp, np.bool_] = {}
        for conclusion in judged.conclusions:
            if conclusion.relation == "<=":
                _keep_tightest(conclusion, met, batch, look)
            size = np.where(met, violation(conclusion), -np.inf)
            if size.max() <= NOISE[conclusion.relation]:
                continue
            violated = np.flatnonzero(size > NOISE[conclusion.relation])
            chosen = _spread(violated[np.argsort(-size[violated], kind="stable")])
            seen.unfollowed += len(violated)
            if seen.leads >= _LEADS_A_CHUNK or look.settled:
                continue
            # Balls see all comparisons of an instance at once, whichever brought it up.
            fresh = np.setdiff1d(chosen, list(dispelled))
            dispelled |= zip(fresh, survive(look.claim, batch, fresh), strict=True)
            for index in chosen:
                if seen.leads >= _LEADS_A_CHUNK or look.settled:
                    break
                seen.unfollowed -= 1
                if not dispelled[index]:
                    _follow(look, conclusion, float(size[index]), exact_instance(batch, int(index)))


def _spread(order: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """A few of a list, from its first to its last: what rounding made up may stand first."""
    places = np.unique(np.linspace(0, len(order) - 1, _LEADS_A_BATCH).astype(np.intp))
    return np.asarray(order[places])


def _has_points(claim: Claim, batch: samplers.Instance) -> npt.NDArray[np.bool_]:
    """Tell which instances of a batch choose a point in every mask."""
    chosen = np.ones(len(next(iter(batch.values()))), dtype=bool)
    for one in claim.fields:
        if one.kind == "mask":
            chosen &= batch[one.name].reshape(len(chosen), -1).any(axis=1)
    return chosen


def _follow(look: _Look, conclusion: Comparison, size: float, instance: Exact) -> None:
    """Confirm a violation in balls; what is neither confirmed nor dispelled is a lead."""
    found, seen = refute(look.claim, instance), look.seen
    if found is not None:
        look.broken.append(found)
        return
    seen.leads += 1
    if seen.lead is None or size > seen.lead.size:
        seen.lead = Lead(conclusion.name, size, instance)


def _keep_tightest(
    conclusion: Comparison, met: npt.NDArray[np.bool_], batch: samplers.Instance, look: _Look
) -> None:
    ratios = ratio(conclusion)
    plausible = np.where(met & (ratios <= 1 + NOISE["<="]), ratios, -np.inf)
    index = int(np.argmax(plausible))
    if plausible[index] > look.tight.get(conclusion.name, (0.0,))[0]:
        row = {name: values[index : index + 1].copy() for name, values in batch.items()}
        look.tight[conclusion.name] = float(plausible[index]), row
