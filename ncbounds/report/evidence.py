"""Kept evidence: what the rounds of a verification found, so that a second look is quick.

A round is a function of the code, the wording, the seed and its share of work. What it found is
kept in a store under a fingerprint of that code and the versions of all that it runs on: a change
of one character of a statement, a proof or the engine, and it is found anew. Verdicts are not
kept; they follow from the evidence each time, and what is to be certified is certified again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from ncbounds.campaign.chunks import Chunk, Findings
from ncbounds.campaign.fingerprint import source_fingerprint, versions
from ncbounds.campaign.store import CampaignKey, Store
from ncbounds.campaign.workers import Done, Runner
from ncbounds.errors import InputError
from ncbounds.theory import statement
from proofs_check.steps import Fact, ProofResult, Step

#: A wording, by the id of its statement and its place there, and the number of a round.
Job: TypeAlias = tuple[tuple[str, int], int]
#: What a round found: the proof, if the round ran it, and what each of its chunks found.
Round: TypeAlias = tuple[ProofResult | None, list[tuple[Chunk, Findings]]]

_CODE = ("theory", "report/verification.py", "report/evidence.py", "../proofs_check")


@contextmanager
def evidence_store() -> Iterator[Store | None]:
    """Open the user's store of evidence; None where there can be none, as in a read-only home.

    It is the file that NCBOUNDS_EVIDENCE names, or ``ncbounds/evidence.sqlite`` in the user's cache
    folder (XDG_CACHE_HOME, or ``~/.cache``). An empty name keeps nothing.

    Raises
    ------
    InputError
        When the file is there and is not a sound store.
    """
    named = os.environ.get("NCBOUNDS_EVIDENCE")
    if named == "":
        yield None
        return
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(named) if named else Path(cache_home, "ncbounds", "evidence.sqlite")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        store = Store(path)
    except (OSError, InputError):
        if path.exists():
            raise
        store = None
    if store is None:
        yield None
        return
    with store:
        yield store


def kept(
    run: Runner, store: Store, seed: int, share: float, fresh: bool = False
) -> Callable[[Callable[[Job], Round], Sequence[Job]], Done[Job, Round]]:
    """Return the runner of rounds that takes what it can from a store, and keeps the rest there.

    With `fresh` nothing is taken.
    """

    def rounds(task: Callable[[Job], Round], jobs: Sequence[Job]) -> Done[Job, Round]:
        missing = []
        for job in jobs:
            text = None if fresh else store.get(_key(job, seed), _name(job, share))
            if text is None:
                missing.append(job)
            else:
                yield job, _read(json.loads(text))
        for job, found in run(task, missing):
            text = json.dumps(_written(found))
            store.put(_key(job, seed), _name(job, share), job[1], job[1], text)
            yield job, found

    return rounds


def _key(job: Job, seed: int) -> CampaignKey:
    (id, place), _ = job
    variant = statement(id).variants[place]
    return CampaignKey(id, variant.name, variant.reading, f"wording {place}", _environment(), seed)


def _name(job: Job, share: float) -> str:
    return json.dumps({"round": job[1], "share": share})


@cache
def _environment() -> str:
    return json.dumps({**versions(), "code": source_fingerprint(*_CODE)}, sort_keys=True)


def _written(found: Round) -> dict[str, Any]:
    proof, chunks = found
    return {
        "proof": proof and asdict(proof),
        "chunks": [[chunk.to_dict(), findings.to_dict()] for chunk, findings in chunks],
    }


def _read(data: dict[str, Any]) -> Round:
    proof = data["proof"] and ProofResult(
        tuple(Step(**step) for step in data["proof"]["steps"]),
        tuple(Fact(**fact) for fact in data["proof"]["facts"]),
    )
    chunks = [(Chunk(**chunk), Findings.from_dict(found)) for chunk, found in data["chunks"]]
    return proof, chunks
