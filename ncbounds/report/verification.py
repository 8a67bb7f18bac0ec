"""Verification: run proofs and campaigns, spend the budget where it tells most, fill the ledger.

The search goes in rounds. Everyone gets the first; each later one goes to the wordings of most
value: first those of which no instance met the hypotheses yet, then those whose tightness rose
most in their last round, then those searched least. What is refuted needs no more. A round is a
fixed amount of work, so that a budget gives the same ledger on every machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from ncbounds.campaign.certify import certainly_meets
from ncbounds.campaign.chunks import Chunk, Findings, explore
from ncbounds.campaign.search import Effort, Tally, a_round
from ncbounds.campaign.shrink import shrink
from ncbounds.campaign.store import Store
from ncbounds.campaign.workers import in_order, local
from ncbounds.errors import InputError
from ncbounds.report.evidence import Job, Round, kept
from ncbounds.report.kernel import KernelEvidence, Wording, kernel_evidence, raised_by
from ncbounds.report.ledger import Ledger, StatementRow, VariantRow, select
from ncbounds.theory import statement
from ncbounds.theory.terms import Claim, Variant
from proofs_check.kernel.build import Certificate, certificate
from proofs_check.kernel.register import theorems
from proofs_check.steps import ProofResult, proofs, run

#: What a round takes, about, on a core of 2020.
SECONDS_A_ROUND = 1.0
#: Rounds, or variants, that are worth a process of their own: it takes seconds to start.
_WORTH_A_PROCESS = 8
#: Gain in tightness that is worth another round.
_RISE = 1e-6
_ROUNDS = 10**6
_ROUND = Effort(instances=_ROUNDS * Effort.instances, ascents=_ROUNDS)

Progress = Callable[[int, int, str], None]
#: A variant: the id of its statement, and its place there.
Place = tuple[str, int]


@dataclass
class _Search:
    """A variant under search: its proof, what was found, and what the last round gained."""

    variant: Variant
    tally: Tally
    proof: ProofResult | None = None
    rounds: int = 0
    gain: float = 0.0
    first: dict[str, float] = field(default_factory=dict)

    @property
    def value(self) -> tuple[bool, float, int]:
        """What another round is worth, the most first."""
        untested = not any(count.met for count in self.tally.stages.values())
        return (not untested, -self.gain, self.rounds)

    def add(self, found: list[tuple[Chunk, Findings]]) -> None:
        """Add what a round found."""
        before = self.tally.heights
        for chunk, findings in found:
            self.tally.add(chunk, findings)
        after = self.tally.heights
        gain = max((after[name] - before.get(name, 0.0) for name in after), default=0.0)
        self.gain = gain if self.rounds and gain > _RISE else 0.0
        self.rounds += 1
        self.first = self.first or after

    def risen(self) -> tuple[str, float, float]:
        """The conclusion whose tightness has risen most since the first round: from and to."""
        last = self.tally.heights
        rises = {name: last[name] - self.first.get(name, 0.0) for name in last}
        name = max(rises, key=lambda name: rises[name], default="")
        return name, self.first.get(name, 0.0), last.get(name, 0.0)


def verify(
    ids: Iterable[str] = (),
    *,
    paper: str | None = None,
    budget: float | None = None,
    seed: int = 0,
    workers: int | None = 1,
    progress: Progress | None = None,
    store: Store | None = None,
    fresh: bool = False,
    kernel: Certificate | None = None,
) -> Ledger:
    """Run the proofs and campaigns of statements and return their ledger.

    Parameters
    ----------
    ids
        Statement ids; all statements without any (of one paper, with `paper`).
    budget
        Nominal seconds of search in all (default: one round for each variant). A round is a fixed
        amount of work, so the same budget and seed give the same ledger on every machine.
    seed
        Seed of every campaign.
    workers
        Number of processes (None: as many as help). The result does not depend on it.
    progress
        Called with (done, total, what was done) after every round of a variant.
    store
        Where rounds that the same code has done are found, and others are kept; `evidence_store`
        opens the user's. The result does not depend on it.
    fresh
        Whether every round is done anew and replaces what the store has.
    kernel
        What compiling the theorems of the kernel showed; without one, what this machine has kept
        of it (`proofs_check.kernel.build`).

    Raises
    ------
    InputError
        When an id, the paper, the budget, the seed or the number of workers is not valid.

    Examples
    --------
    >>> row = verify(["bnwd:lemma-2.1"], budget=0.2).rows[0]
    >>> row.variants[0].verdict
    'proved'
    """
    if budget is not None and not 0 < budget < float("inf"):
        raise InputError("budget", budget, "a finite positive number of seconds")
    if seed < 0:
        raise InputError("seed", seed, "at least 0")
    chosen = select(ids, paper)
    searches = {
        (s.id, index): _Search(variant, Tally(variant.claim, seed))
        for s in chosen
        for index, variant in enumerate(s.variants)
        if variant.claim is not None
    }
    whole = len(searches) if budget is None else int(budget / SECONDS_A_ROUND)
    share = 1.0 if budget is None else min(1.0, budget / SECONDS_A_ROUND / max(len(searches), 1))
    left, total, done, laps = max(whole, len(searches)), max(whole, len(searches)), 0, 0
    lap = list(searches)
    if workers is None:
        workers = min(os.cpu_count() or 1, max(1, total // _WORTH_A_PROCESS))
    while lap:
        runner = local(min(workers, len(lap)))  # a lap has one job a variant
        rounds = runner if store is None else kept(runner, store, seed, share, fresh)
        jobs = [(place, searches[place].rounds) for place in lap]
        for (place, index), (proof, found) in in_order(
            jobs, rounds(partial(_job, seed, share), jobs)
        ):
            search = searches[place]
            search.proof = search.proof or proof
            search.add(found)
            done += 1
            if progress is not None:
                progress(done, total, f"{place[0]} ({search.variant.name}), round {index + 1}")
        left, laps = left - len(lap), laps + 1
        unsettled = [place for place in searches if not searches[place].tally.settled]
        unsettled.sort(key=lambda place: searches[place].value)
        lap = unsettled[: min(left, -(-len(unsettled) // 2))]
    ours = {s.id for s in chosen}
    proved = kernel_evidence(kernel or certificate(), [t for t in theorems() if t.id in ours])
    return Ledger(
        tuple(
            StatementRow(
                s,
                tuple(
                    _row(s.id, v, searches.get((s.id, i)), proved) for i, v in enumerate(s.variants)
                ),
            )
            for s in chosen
        ),
        _told(searches, laps, budget),
    )


def _row(
    id: str,
    variant: Variant,
    search: _Search | None,
    proved: Mapping[Wording, tuple[KernelEvidence, ...]],
) -> VariantRow:
    kernel = proved.get((id, variant.name, variant.reading), ())
    row = VariantRow(variant, None, None, kernel, "" if kernel else raised_by(id, variant))
    if search is None:
        return row
    found, known = search.tally.result(), search.tally.broken
    if found.counterexample is not None and known is None:
        found = replace(found, counterexample=shrink(search.tally.claim, found.counterexample))
    return replace(row, proof=search.proof, campaign=found)


def _job(seed: int, share: float, job: Job) -> Round:
    """Do one round of a variant (in whichever process), with its proof in the first.

    A smaller round that meets the hypotheses nowhere says nothing: it is done over at full size.
    """
    (id, place), index = job
    variant = statement(id).variants[place]
    if variant.claim is None:
        raise InputError("variant", variant.reading, "one with a claim")
    proof = proof_of(id, variant) if index == 0 else None
    found = _round(variant.claim, seed, share, index)
    if share < 1 and not _meets(variant.claim, found):
        found = _round(variant.claim, seed, 1.0, index)
    return proof, found


def _round(claim: Claim, seed: int, share: float, index: int) -> list[tuple[Chunk, Findings]]:
    found = []
    for chunk in a_round(claim, _ROUND, index):
        smaller = _scaled(chunk, share)
        findings = explore(claim, seed, smaller)
        found.append((smaller, findings))
        if findings.broken is not None:
            findings.broken = shrink(claim, findings.broken)
            break
    return found


def _meets(claim: Claim, found: list[tuple[Chunk, Findings]]) -> bool:
    """Whether some instance certainly meets the hypotheses."""
    return any(
        findings.broken is not None or any(certainly_meets(claim, e) for e in findings.examples)
        for _, findings in found
    )


def _scaled(chunk: Chunk, share: float) -> Chunk:
    """A chunk of less work, for a budget that is less than a round for everyone."""
    return replace(
        chunk,
        instances=max(8 if chunk.stage == "ascent" else 512, round(share * chunk.instances)),
        steps=max(min(20, chunk.steps), round(share * chunk.steps)),
    )


def proof_of(id: str, variant: Variant) -> ProofResult | None:
    """Run the registered proof of a variant; None where there is none."""
    entry = proofs().get((id, variant.name, variant.reading))
    return run(entry, variant.claim) if entry and variant.claim else None


# -- what was done, in words ----------------------------------------------------------------------


def _told(searches: dict[Place, _Search], laps: int, budget: float | None) -> tuple[str, ...]:
    rounds = sum(search.rounds for search in searches.values())
    asked = "" if budget is None else f" for a budget of {budget:g} nominal seconds"
    settled = sum(search.tally.settled for search in searches.values())
    counted = f"{laps} lap{'s' if laps > 1 else ''}"
    lines = [
        f"{rounds} rounds of search in {counted}{asked}: every wording once"
        + (f", {settled} of {len(searches)} refuted and searched no further" if settled else "")
    ]
    flat = spent = 0
    more = [(id, search) for (id, _), search in searches.items() if search.rounds > 1]
    for id, search in sorted(more, key=lambda entry: -entry[1].rounds):
        conclusion, first, last = search.risen()
        if last - first <= _RISE:
            flat, spent = flat + 1, spent + search.rounds - 1
            continue
        wording = f"{id} [{search.variant.name}, {search.variant.reading}]"
        lines.append(
            f"{search.rounds - 1} more for {wording}: {conclusion} {first:.6f} -> {last:.6f}"
        )
    if flat:
        lines.append(f"{spent} more for {flat} wordings whose tightness did not rise")
    return tuple(lines)
