"""The ledger: run proofs and campaigns, and compute the verdict of every variant from them.

A verdict is a function of the evidence found at run time and of nothing else. `refuted` needs a
certified counterexample, `proved` a proof whose every step holds, `supported` a campaign that met
the hypotheses and broke nothing. Whatever of ours does not hold (a corrected or sharp variant
that is refuted, a proof that fails, a proof and a counterexample of one claim) is a fault.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ncbounds.campaign.search import Campaign, Effort, run_campaign
from ncbounds.errors import InputError
from ncbounds.theory import statement, statements
from ncbounds.theory.terms import PAPERS, Statement, Variant
from proofs_check.steps import ProofResult, proofs, run

#: Nominal seconds a variant when no budget is given.
DEFAULT_SECONDS_A_VARIANT = 1.0

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class VariantRow:
    """A variant with its evidence and the verdict that follows from it."""

    variant: Variant
    proof: ProofResult | None
    campaign: Campaign | None

    @property
    def verdict(self) -> str:
        """`proved`, `refuted`, `supported`, `vacuous` or `open`."""
        if self.variant.claim is None or self.campaign is None:
            return "open"
        if self.campaign.counterexample is not None:
            return "refuted"
        if not self.campaign.certain:
            return "vacuous"
        if self.proof is not None and self.proof.holds:
            return "proved"
        return "supported"

    @property
    def fault(self) -> str:
        """What of ours does not hold, in words; empty when all is well."""
        if self.proof is not None and not self.proof.holds:
            failed = next((s for s in self.proof.steps if not s.holds), None)
            return f"the proof fails at: {failed.name} ({failed.detail})" if failed else "no steps"
        if self.verdict == "refuted" and self.proof is not None:
            return "there is a proof and a counterexample"
        if self.verdict == "refuted" and self.variant.name != "printed":
            return f"the {self.variant.name} variant is refuted"
        return ""

    @property
    def tightness(self) -> float | None:
        """Largest certified lhs/rhs over the conclusions, or None."""
        values = self.campaign.tightness.values() if self.campaign else ()
        return max(values, default=None)

    @property
    def brief(self) -> str:
        """What the verdict rests on, in a few words."""
        if self.campaign is None:
            return "nothing to run"
        words = []
        if self.campaign.counterexample is not None:
            words.append("certified counterexample")
        if self.proof is not None:
            state = "" if self.proof.holds else " (FAILS)"
            words.append(f"proof of {len(self.proof.steps)} steps{state}")
        words.append(f"{self.campaign.met} instances")
        return ", ".join(words)

    @property
    def counterexample(self) -> str:
        """The counterexample in numbers that a person can check; empty without one."""
        found = self.campaign.counterexample if self.campaign else None
        if found is None:
            return ""
        instance = found.to_dict()["instance"].items()
        numbers = ", ".join(f"{name} = {values}" for name, values in instance).replace("'", "")
        relation = "is not" if found.relation == "=" else "is not at most"
        return f"{found.comparison} fails at {numbers}: {found.lhs} {relation} {found.rhs}"

    def evidence(self) -> list[dict[str, Any]]:
        """Return the evidence as plain data."""
        found: list[dict[str, Any]] = []
        if self.proof is not None:
            found.append(
                {
                    "type": "proof",
                    "holds": self.proof.holds,
                    "steps": [
                        {"name": s.name, "method": s.method, "holds": s.holds, "detail": s.detail}
                        for s in self.proof.steps
                    ],
                    "facts": [
                        {"name": f.name, "statement": f.statement, "source": f.source}
                        for f in self.proof.facts
                    ],
                }
            )
        if self.campaign is not None:
            if self.campaign.counterexample is not None:
                found.append(self.campaign.counterexample.to_dict())
            found.append(self.campaign.to_dict())
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data."""
        v = self.variant
        return {
            "variant": v.name,
            "reading": v.reading,
            "text": v.text,
            "verdict": self.verdict,
            "evidence": self.evidence(),
            "tightness": self.tightness,
            "defect": v.defect or None,
            "remark": v.remark or None,
            "reason": v.undecided or None,
            "fault": self.fault or None,
        }


@dataclass(frozen=True)
class StatementRow:
    """A statement with the rows of its variants."""

    statement: Statement
    variants: tuple[VariantRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data."""
        s = self.statement
        return {
            "id": s.id,
            "paper": s.source.paper,
            "locator": s.source.locator,
            "kind": s.kind,
            "title": s.title,
            "topic": s.topic,
            "variants": [row.to_dict() for row in self.variants],
        }


@dataclass(frozen=True)
class Ledger:
    """The verdicts of statements."""

    rows: tuple[StatementRow, ...]

    @property
    def faults(self) -> list[str]:
        """Everything of ours that does not hold."""
        return [
            f"{row.statement.id} [{v.variant.name}, {v.variant.reading}]: {v.fault}"
            for row in self.rows
            for v in row.variants
            if v.fault
        ]

    def counts(self) -> dict[str, int]:
        """Number of variants by verdict."""
        found: dict[str, int] = {}
        for row in self.rows:
            for v in row.variants:
                found[v.verdict] = found.get(v.verdict, 0) + 1
        return found

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the ledger as plain data, one entry a statement."""
        return [row.to_dict() for row in self.rows]


def select(ids: Iterable[str] = (), paper: str | None = None) -> list[Statement]:
    """Return the statements named by ids, or of a paper, or all.

    Raises
    ------
    InputError
        When an id or the paper is unknown.
    """
    if paper is not None and paper not in PAPERS:
        raise InputError("paper", paper, f"one of {', '.join(PAPERS)}")
    chosen = [statement(id) for id in ids] or list(statements().values())
    return [s for s in chosen if paper in (None, s.source.paper)]


def verify(
    ids: Iterable[str] = (),
    *,
    paper: str | None = None,
    budget: float | None = None,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
) -> Ledger:
    """Run the proofs and campaigns of statements and return the ledger.

    Parameters
    ----------
    ids
        Statements to verify; all when empty.
    paper
        Restrict to one paper.
    budget
        Nominal seconds of search in all, divided evenly over the variants. They are converted to
        a fixed number of instances and ascent steps, so the ledger does not depend on the
        machine's speed.
    seed
        Seed of the campaigns. Each variant derives its own, so neither order nor the number of
        workers changes a ledger.
    workers
        Processes to use.
    progress
        Called with (done, total, label) after every variant.

    Raises
    ------
    InputError
        When an id, the paper, the budget or the number of workers is not valid.

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
    if workers < 1:
        raise InputError("workers", workers, "at least 1")
    chosen = select(ids, paper)
    jobs = [(s.id, index) for s in chosen for index in range(len(s.variants))]
    share = DEFAULT_SECONDS_A_VARIANT if budget is None else budget / max(len(jobs), 1)
    done: dict[tuple[str, int], VariantRow] = {}
    for key, row in zip(jobs, _run_all(jobs, share, seed, workers), strict=True):
        done[key] = row
        if progress is not None:
            progress(len(done), len(jobs), f"{key[0]} ({row.variant.name})")
    return Ledger(
        tuple(
            StatementRow(s, tuple(done[s.id, index] for index in range(len(s.variants))))
            for s in chosen
        )
    )


def _run_all(
    jobs: list[tuple[str, int]], share: float, seed: int, workers: int
) -> Iterable[VariantRow]:
    if workers == 1:
        return (_verify_job(id, index, share, seed) for id, index in jobs)
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=workers, return_as="generator")
    results: Iterable[tuple[ProofResult | None, Campaign | None]] = parallel(
        delayed(_evidence)(id, index, share, seed) for id, index in jobs
    )
    return (
        VariantRow(statement(id).variants[index], *found)
        for (id, index), found in zip(jobs, results, strict=True)
    )


def _verify_job(id: str, index: int, share: float, seed: int) -> VariantRow:
    return VariantRow(statement(id).variants[index], *_evidence(id, index, share, seed))


def _evidence(
    id: str, index: int, share: float, seed: int
) -> tuple[ProofResult | None, Campaign | None]:
    """Run everything there is on one variant (in whichever process)."""
    return gather(id, statement(id).variants[index], Effort.nominal(share), seed + 1000 * index)


def gather(
    id: str, variant: Variant, effort: Effort, seed: int
) -> tuple[ProofResult | None, Campaign | None]:
    """Return the proof (run, if there is one) and the campaign of a variant."""
    if variant.claim is None:
        return None, None
    entry = proofs().get((id, variant.name, variant.reading))
    own_seed = seed + zlib.crc32(id.encode())
    return (
        run(entry, variant.claim) if entry else None,
        run_campaign(variant.claim, effort, own_seed),
    )
