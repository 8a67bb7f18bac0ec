"""The register of kernel theorems: which wording each stands for, and at which values.

A theorem is tied to a claim by `bind`, which turns an instance of the claim into values of the
theorem's variables, and by `conclusions`, which says where in the theorem each comparison of the
claim stands. The campaign then evaluates both on the same instances.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from proofs_check.kernel import ties

#: An instance of a claim: arrays of exact balls without batch axis, whole numbers as integers.
Instance = Mapping[str, Any]
#: Values of a theorem's variables: numbers, arrays (as functions of indices) and functions.
Binding = Mapping[str, Any]


@dataclass(frozen=True)
class Theorem:
    """A theorem of the development, and the wording that it stands for.

    Parameters
    ----------
    name, file
        The theorem's name, and the file that proves it, as ``"Convexity.v"``.
    id, variant, reading
        The wording: the id of its statement, the variant's name and its reading.
    bind
        From an instance of the claim to the values of all variables of the theorem, by name: a
        whole number, a ball, an array (a function of its indices, zero beyond its end) or a
        function. It may return several bindings: the theorem is then used once for each, and the
        sides stand one after the other in the order of the claim's entries.
    conclusions
        For each conclusion of the claim that the theorem proves, the place of its counterpart in
        the theorem's conclusion, a conjunction whose parts are counted from 0.
    restrict
        From an instance to one of the special family that the theorem speaks of, as the quadratics
        that attain a bound; the claim is then judged there.
    refutes
        Whether the theorem shows that the wording is false: it then begins with `~` (and `bind`
        gives the variables under it) or with `exists`, which `at` provides witnesses for.
    at
        Instances of the claim besides those that are drawn, as nested lists of exact numbers;
        for a theorem that begins with `exists` the only ones.
    untied
        Why the theorem is not evaluated, where there is no `bind`.
    """

    name: str
    file: str
    id: str
    variant: str
    reading: str
    bind: Callable[[Instance], Binding | Sequence[Binding]] | None = None
    conclusions: Mapping[str, int] = field(default_factory=dict)
    restrict: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    refutes: bool = False
    at: tuple[Mapping[str, Any], ...] = ()
    untied: str = ""

    def __post_init__(self) -> None:
        if bool(self.untied) == (self.bind is not None):
            raise ValueError(f"{self.name}: either tied by `bind` or untied for a reason")


@cache
def theorems() -> tuple[Theorem, ...]:
    """Return all registered theorems, by file and in the order of their modules."""
    found: list[Theorem] = []
    for module in pkgutil.iter_modules(ties.__path__):
        found += import_module(f"{ties.__name__}.{module.name}").THEOREMS
    keys = [(t.name, t.id, t.variant, t.reading) for t in found]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise ValueError(f"registered twice: {sorted(twice)[0]}")
    return tuple(found)


def standing_for(id: str, variant: str, reading: str) -> tuple[Theorem, ...]:
    """Return the theorems that stand for one wording."""
    wording = (id, variant, reading)
    return tuple(t for t in theorems() if (t.id, t.variant, t.reading) == wording)
