"""The search for a counterexample: random instances, gradient ascent, then certification.

Every stage only proposes; `certify` disposes. The best tightness is kept even when nothing breaks,
because how loose a bound is, is a result too. A campaign is a function of the claim, its seed and
its effort: the clock plays no part, so the same command gives the same ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign import samplers
from ncbounds.campaign.certify import (
    Counterexample,
    Exact,
    certainly_meets,
    certified_tightness,
    exact_instance,
    refute,
)
from ncbounds.campaign.shrink import complexity, shrink
from ncbounds.theory.terms import Claim, Comparison, Judgement

#: Relative violations in floats below which rounding explains them.
_NOISE = {"<=": 1e-9, "=": 1e-6}
_LEADS_A_BATCH, _LEADS_A_CAMPAIGN, _ENOUGH_COUNTEREXAMPLES = 4, 60, 3
_TIGHT_KEPT = 3
#: Instances of which one must meet the hypotheses with certainty.
_EXAMPLES = 20


@dataclass(frozen=True)
class Effort:
    """How much a campaign does: random instances, and restarts times steps of ascent.

    Each conclusion is attacked by ascent at `sizes` drawn sizes.
    """

    instances: int = 4096
    restarts: int = 24
    steps: int = 80
    sizes: int = 3
    decades: float = 2.0

    @classmethod
    def nominal(cls, seconds: float) -> Effort:
        """Return the effort that takes about so many seconds on a core of 2020.

        The conversion is fixed, so that a budget gives the same ledger on every machine.
        """
        return cls(
            instances=max(1024, int(6000 * seconds)),
            restarts=max(8, min(64, int(16 * seconds))),
            steps=max(20, min(400, int(40 * seconds))),
            sizes=max(1, min(3, round(3 * seconds))),
        )


@dataclass(frozen=True)
class Campaign:
    """What a search found: how many instances met the hypotheses, what broke, how tight.

    `met` is counted in floats; `certain` is whether one of them met the hypotheses in balls.
    """

    instances: int
    met: int
    certain: bool
    leads: int
    counterexample: Counterexample | None
    tightness: dict[str, float]
    seed: int
    ascent: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "type": "campaign",
            "instances": self.instances,
            "met": self.met,
            "met_with_certainty": self.certain,
            "leads": self.leads,
            "tightness": self.tightness,
            "seed": self.seed,
            "ascent": self.ascent,
        }


@dataclass
class _Progress:
    """What a running campaign has seen so far."""

    drawn: int = 0
    met: int = 0
    leads: int = 0
    broken: list[Counterexample] = field(default_factory=list)
    examples: list[Exact] = field(default_factory=list)
    tight: dict[str, list[tuple[float, samplers.Instance]]] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        return len(self.broken) >= _ENOUGH_COUNTEREXAMPLES


def run_campaign(claim: Claim, effort: Effort, seed: int) -> Campaign:
    """Search for an instance that meets the hypotheses of a claim and breaks a conclusion.

    Examples
    --------
    >>> from ncbounds.theory import statement
    >>> lemma = statement("bnwd:lemma-2.1").variants[0]
    >>> run_campaign(lemma.claim, Effort(512, 8, 20), seed=0).counterexample is None
    True
    """
    rng = np.random.default_rng(seed)
    seen = _Progress()
    for batch in _random_batches(claim, effort, rng):
        _inspect(claim, batch, seen)
        if seen.settled:
            break
    ascent = "skipped: a counterexample was at hand"
    if not seen.broken:
        ascent = _ascend(claim, effort, rng, seen)
    best = min(seen.broken, key=lambda found: complexity(found.instance), default=None)
    return Campaign(
        instances=seen.drawn,
        met=seen.met,
        certain=bool(seen.broken) or any(certainly_meets(claim, one) for one in seen.examples),
        leads=seen.leads,
        counterexample=shrink(claim, best) if best else None,
        tightness=_certified(claim, seen),
        seed=seed,
        ascent=ascent,
    )


def _random_batches(
    claim: Claim, effort: Effort, rng: np.random.Generator
) -> Iterator[samplers.Instance]:
    xp, left = numpy_namespace(), effort.instances
    while left > 0:
        sizes = samplers.draw_sizes(claim, rng)
        batch = samplers.batch_size(claim, sizes, min(left, 256))
        left -= batch
        drawn = samplers.draw(claim, sizes, batch, rng, effort.decades)
        room = samplers.draw_room(claim, batch, rng)
        with np.errstate(all="ignore"):
            yield samplers.meet_budgets(claim, xp, drawn, room)


def _ascend(claim: Claim, effort: Effort, rng: np.random.Generator, seen: _Progress) -> str:
    """Gradient ascent on each conclusion in turn; returns what was done, in words."""
    from ncbounds.campaign.ascent import ascend, torch_is_present

    if not torch_is_present():
        return "skipped: torch is not installed"
    if effort.steps == 0:
        return "none"
    for name in conclusion_names(claim, rng):
        for _ in range(effort.sizes):
            sizes = _promising_sizes(claim, rng)
            _inspect(claim, ascend(claim, name, sizes, effort.restarts, effort.steps, rng), seen)
            if seen.settled:
                break
    return f"{effort.sizes} x {effort.restarts} restarts of {effort.steps} steps a conclusion"


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


def conclusion_names(claim: Claim, rng: np.random.Generator) -> list[str]:
    """Return the names of a claim's conclusions, read off one drawn instance."""
    sizes = claim.axes({name: low for name, (low, _) in claim.sizes.items()})
    with np.errstate(all="ignore"):
        judged = claim.judge(numpy_namespace(), **samplers.draw(claim, sizes, 1, rng))
    return [c.name for c in judged.conclusions]


# -- looking at one batch -------------------------------------------------------------------------


def _inspect(claim: Claim, batch: samplers.Instance, seen: _Progress) -> None:
    """Count, keep the tightest, and certify the most violated instances of a batch."""
    with np.errstate(all="ignore"):
        judged = claim.judge(numpy_namespace(), **batch)
        met = meets_hypotheses(judged)
        seen.drawn += len(met)
        seen.met += int(met.sum())
        if met.any() and len(seen.examples) < _EXAMPLES:
            seen.examples.append(exact_instance(batch, int(np.flatnonzero(met)[0])))
        for conclusion in judged.conclusions:
            size = np.where(met, violation(conclusion), -np.inf)
            _keep_tightest(conclusion, np.where(met, ratio(conclusion), -np.inf), batch, seen)
            order = np.argsort(-size, kind="stable")[:_LEADS_A_BATCH]
            for index in order[size[order] > _NOISE[conclusion.relation]]:
                if seen.leads >= _LEADS_A_CAMPAIGN or seen.settled:
                    return
                seen.leads += 1
                found = refute(claim, exact_instance(batch, int(index)))
                if found is not None:
                    seen.broken.append(found)


def meets_hypotheses(judged: Judgement) -> npt.NDArray[np.bool_]:
    """Tell which instances meet all hypotheses (up to rounding) and have defined conclusions."""
    size = max((np.shape(c.lhs)[0] for c in (*judged.hypotheses, *judged.conclusions)), default=0)
    met = np.ones(size, dtype=bool)
    for hypothesis in judged.hypotheses:
        met &= violation(hypothesis) <= _NOISE["<="]
        met &= np.isfinite(_flat(hypothesis.slack)).all(axis=1)
    for conclusion in judged.conclusions:
        met &= ~np.isnan(_flat(conclusion.slack)).any(axis=1)
    return met


def violation(comparison: Comparison) -> npt.NDArray[np.float64]:
    """Relative violation of each instance: positive where the relation fails, at most 1."""
    gap = _flat(-comparison.slack)
    if comparison.relation == "=":
        gap = np.abs(gap)
    scale = np.abs(_flat(comparison.lhs)) + np.abs(_flat(comparison.rhs))
    relative = np.where(gap == 0, 0.0, gap / np.where(scale > 0, scale, 1.0))
    return np.asarray(np.where(np.isnan(relative), -np.inf, relative).max(axis=1))


def ratio(comparison: Comparison) -> npt.NDArray[np.float64]:
    """Largest lhs/rhs of each instance, where rhs is positive."""
    left, right = _flat(comparison.lhs), _flat(comparison.rhs)
    tight = np.where(right > 0, left / np.where(right > 0, right, 1.0), -np.inf)
    return np.asarray(np.where(np.isfinite(tight), tight, -np.inf).max(axis=1))


def _flat(values: Any) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    return array.reshape(len(array), -1)


# -- tightness ------------------------------------------------------------------------------------


def _keep_tightest(
    conclusion: Comparison,
    ratios: npt.NDArray[np.float64],
    batch: samplers.Instance,
    seen: _Progress,
) -> None:
    if conclusion.relation == "=":
        return
    kept = seen.tight.setdefault(conclusion.name, [])
    plausible = np.where(ratios <= 1 + _NOISE["<="], ratios, -np.inf)
    for index in np.argsort(-plausible, kind="stable")[:_TIGHT_KEPT]:
        if plausible[index] > 0:
            row = {name: values[index : index + 1] for name, values in batch.items()}
            kept.append((float(plausible[index]), row))
    kept.sort(key=lambda entry: -entry[0])
    del kept[_TIGHT_KEPT:]


def _certified(claim: Claim, seen: _Progress) -> dict[str, float]:
    """The largest certified lhs/rhs of each conclusion, rounded down to six digits."""
    best: dict[str, float] = {}
    for name, kept in seen.tight.items():
        values = [certified_tightness(claim, exact_instance(row, 0), name) for _, row in kept]
        known = [value for value in values if value is not None]
        if known:
            best[name] = float(np.floor(max(known) * 1e6) / 1e6)
    return best
