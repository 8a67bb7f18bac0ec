"""A glance at statements: their proofs and a little search, kept from one look to the next."""

from __future__ import annotations

from collections.abc import Sequence

from ncbounds.cli.output import progress_bar
from ncbounds.report.evidence import evidence_store
from ncbounds.report.ledger import Ledger
from ncbounds.report.verification import verify
from ncbounds.theory.terms import Statement

#: Nominal seconds of search a wording: enough for a verdict (a power of two: shares stay exact).
_SECONDS = 0.125


def seconds(chosen: Sequence[Statement]) -> float:
    """The nominal seconds of search of a glance at some statements."""
    wordings = sum(variant.claim is not None for one in chosen for variant in one.variants)
    return _SECONDS * max(wordings, 1)


def look(chosen: Sequence[Statement], fresh: bool) -> Ledger:
    """Verify statements at a glance; with `fresh` without what earlier looks have kept."""
    with evidence_store() as store, progress_bar("verifying") as progress:
        return verify(
            [one.id for one in chosen],
            budget=seconds(chosen),
            workers=None,
            progress=progress,
            store=store,
            fresh=fresh,
        )
