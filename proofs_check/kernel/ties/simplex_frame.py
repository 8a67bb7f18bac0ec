"""Ties of SimplexFrame.v: the simplex equiangular tight frame."""

from __future__ import annotations

from typing import Any

from proofs_check.kernel.register import Binding, Instance, Theorem

_FILE, _DEFINITION = "SimplexFrame.v", "bnwd:definition-1.1"
_FACTS = {"squared norms": 0, "mean": 1, "squared distances": 2, "pairwise cosines": 3}


def reflected_frame(mirrors: Any) -> Any:
    """The first unit vectors, as many as there are mirrors, reflected in each of them."""
    rows = [[0 * entry + int(j == c) for j, entry in enumerate(v)] for c, v in enumerate(mirrors)]
    for v in mirrors:
        square = sum(entry * entry for entry in v)
        shares = [sum(a * b for a, b in zip(row, v, strict=True)) / square for row in rows]
        rows = [
            [a - 2 * share * b for a, b in zip(row, v, strict=True)]
            for row, share in zip(rows, shares, strict=True)
        ]
    return rows


def _largest_cosine(vectors: Any) -> Any:
    """The largest cosine of two of the vectors."""
    lengths = [sum(a * a for a in v).sqrt() for v in vectors]
    units = [[a / length for a in v] for v, length in zip(vectors, lengths, strict=True)]
    largest = None
    for c, left in enumerate(units):
        for right in units[:c]:
            cosine = sum(a * b for a, b in zip(left, right, strict=True))
            largest = cosine if largest is None else largest.max(cosine)
    return largest


def _points(v: Instance, size: str) -> Binding:
    mirrors = v["mirrors"]
    return {
        size: len(mirrors),
        "d": mirrors.shape[1],
        "frame": reflected_frame(mirrors),
        "alpha": v["alpha"],
    }


THEOREMS = (
    Theorem(
        "simplex_facts",
        _FILE,
        _DEFINITION,
        "printed",
        "pairwise cosines",
        bind=lambda v: _points(v, "C"),
        conclusions=_FACTS,
    ),
    Theorem(
        "small_simplex_facts",
        _FILE,
        _DEFINITION,
        "corrected",
        "pairwise cosines from d = C - 1 on",
        bind=lambda v: _points(v, "n"),
        conclusions=_FACTS,
    ),
    Theorem(
        "no_wider",
        _FILE,
        _DEFINITION,
        "sharp",
        "no arrangement is wider",
        bind=lambda v: {
            "C": len(v["v"]),
            "d": v["v"].shape[1],
            "v": v["v"],
            "t": _largest_cosine(v["v"]),
        },
        conclusions={"mean cosine": 0, "largest cosine": 1},
    ),
)
