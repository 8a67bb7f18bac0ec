"""What the papers say: one module per topic, and the register of all statements."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module

from ncbounds.errors import InputError
from ncbounds.theory.terms import PAPERS, Statement

#: Modules of this package that hold statements; `proofs_check` has one of the same name for each.
TOPICS = (
    "metrics",
    "convexity",
    "cosine",
    "opposition",
    "proximity",
    "proximity_steps",
    "proximity_gaps",
    "proximity_classes",
    "proximity_pairs",
    "proximity_printed",
    "proximity_theorem",
    "alignment",
    "weight_cosines",
    "one_class",
    "class_pairs",
    "ellipsoid",
    "weight_decay",
    "batch_norm",
    "regularised",
    "weight_decay_sharp",
    "weight_decay_theorem",
    "softmax_code",
    "midpoint",
    "hardmax",
    "known_codes",
    "temperature",
    "temperature_limit",
    "code_bounds",
    "dimension",
    "generalised_collapse",
    "assignment",
    "rademacher",
)


@cache
def statements() -> dict[str, Statement]:
    """Return every statement by id, in the order of papers and topics."""
    found: dict[str, Statement] = {}
    for topic in TOPICS:
        for statement in import_module(f"ncbounds.theory.{topic}").STATEMENTS:
            if statement.id in found:
                raise ValueError(f"two statements have the id {statement.id}")
            found[statement.id] = statement
    order = list(PAPERS)
    return dict(sorted(found.items(), key=lambda item: order.index(item[1].source.paper)))


def statement(id: str) -> Statement:
    """Return the statement of an id such as ``"bnwd:lemma-2.1"``.

    Raises
    ------
    InputError
        When there is no such statement; the message names the nearest ids.
    """
    known = statements()
    if id not in known:
        near = difflib.get_close_matches(id, known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else "see `ncbounds list`"
        raise InputError("ID", id, "the id of a statement", hint)
    return known[id]
