"""The ledger: the verdict of every variant, computed from its proof and its campaign.

A verdict is a function of the evidence found at run time and of nothing else. `refuted` needs a
certified counterexample; `proved` a proof whose every step holds, or theorems of the kernel that
have every conclusion; `supported` a campaign that met the hypotheses and broke nothing. Whatever of
ours does not hold (a corrected or sharp variant that is refuted, a proof or a theorem that fails, a
proof and a counterexample of one claim) is a fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ncbounds.campaign.chunks import glance
from ncbounds.campaign.search import Campaign
from ncbounds.errors import InputError
from ncbounds.report.kernel import KernelEvidence
from ncbounds.theory import statement, statements
from ncbounds.theory.terms import PAPERS, Statement, Variant
from proofs_check.steps import ProofResult


@dataclass(frozen=True)
class VariantRow:
    """A variant with its evidence and the verdict that follows from it.

    `kernel` has the theorems of Coq that stand for it, where they were compiled on this machine;
    where there are some that were not, `raised_by` says what would compile them.
    """

    variant: Variant
    proof: ProofResult | None
    campaign: Campaign | None
    kernel: tuple[KernelEvidence, ...] = ()
    raised_by: str = ""

    @property
    def verdict(self) -> str:
        """`proved`, `refuted`, `supported`, `vacuous` or `open`; empty for a definition."""
        if self.variant.defines:
            return ""
        if self.variant.claim is None or self.campaign is None:
            return "open"
        if self.campaign.counterexample is not None:
            return "refuted"
        if not self.campaign.certain:
            return "vacuous"
        if (self.proof is not None and self.proof.holds) or self.kernel_covers:
            return "proved"
        return "supported"

    @property
    def kernel_covers(self) -> bool:
        """Whether theorems of the kernel, tied to all of the claim, have every conclusion of it."""
        whole = [
            one
            for one in self.kernel
            if not one.fault and not one.theorem.refutes and one.theorem.restrict is None
        ]
        covered = {name for one in whole if one.tie is not None for name in one.tie.covers}
        claim = self.variant.claim
        if claim is None or not covered:
            return False
        return covered >= {c.name for c in glance(claim).conclusions}

    @property
    def fault(self) -> str:
        """What of ours does not hold, in words; empty when all is well."""
        if self.proof is not None and not self.proof.holds:
            failed = next((s for s in self.proof.steps if not s.holds), None)
            return f"the proof fails at: {failed.name} ({failed.detail})" if failed else "no steps"
        for one in self.kernel:
            if one.fault:
                return f"the theorem {one.theorem.name}: {one.fault}"
            if one.theorem.refutes != (self.verdict == "refuted"):
                against = "is against" if one.theorem.refutes else "is for"
                return f"the theorem {one.theorem.name} {against} what is {self.verdict}"
        if self.verdict == "refuted" and self.proof is not None:
            return "there is a proof and a counterexample"
        if self.verdict == "refuted" and self.variant.name != "printed":
            return f"the {self.variant.name} variant is refuted"
        if self.verdict == "vacuous":
            return "no instance met the hypotheses: the sampler is to be mended"
        return ""

    @property
    def tightness(self) -> float | None:
        """Largest certified lhs/rhs over the conclusions, or None."""
        values = self.campaign.tightness.values() if self.campaign else ()
        return max(values, default=None)

    @property
    def brief(self) -> str:
        """What the verdict rests on, in a few words."""
        if self.variant.defines:
            return "definition"
        if self.campaign is None:
            return "nothing to run"
        words = []
        if self.campaign.counterexample is not None:
            words.append("certified counterexample")
        if self.proof is not None:
            state = "" if self.proof.holds else " (FAILS)"
            words.append(f"proof of {len(self.proof.steps)} steps{state}")
        if self.kernel:
            count = len(self.kernel)
            words.append(f"{count} theorem{'s' if count > 1 else ''} of the kernel")
        words.append(f"{self.campaign.met} instances")
        return ", ".join(words)

    @property
    def counterexample(self) -> str:
        """The counterexample in numbers that a person can check; empty without one."""
        found = self.campaign.counterexample if self.campaign else None
        return "" if found is None else str(found)

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
        found += [one.to_dict() for one in self.kernel]
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
            "verdict": self.verdict or None,
            "evidence": self.evidence(),
            "tightness": self.tightness,
            "defect": v.defect or None,
            "remark": v.remark or None,
            "reason": v.undecided or None,
            "raised_by": self.raised_by or None,
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
    """The verdicts of statements, and in words how the search for them was spent."""

    rows: tuple[StatementRow, ...]
    search: tuple[str, ...] = ()

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
                if v.verdict:
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
