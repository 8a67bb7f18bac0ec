"""Re-check a counterexample from its text alone, without trusting the search that found it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from ncbounds.campaign.certify import Counterexample, check
from ncbounds.errors import InputError
from ncbounds.theory import statement
from ncbounds.theory.terms import Variant

_KEYS = ("id", "variant", "reading", "instance", "comparison", "relation", "lhs", "rhs", "bits")


def portable(id: str, variant: Variant, found: Counterexample) -> dict[str, Any]:
    """Return a counterexample as plain data that says which wording it refutes."""
    return {"id": id, "variant": variant.name, "reading": variant.reading, **found.to_dict()}


def recheck(data: str | Mapping[str, Any]) -> bool:
    """Tell whether an exact instance meets the hypotheses of a wording and breaks its conclusion.

    Everything is computed anew in ball arithmetic from the numbers in the text.

    Parameters
    ----------
    data
        What the report page has to copy: JSON, or the mapping it stands for. The instance has its
        numbers as text, integers or quotients.

    Raises
    ------
    InputError
        When the text is no such counterexample.

    Examples
    --------
    >>> recheck(
    ...     {"id": "bnwd:eq-17", "variant": "printed", "reading": "every gap",
    ...      "instance": {"C": "3", "t": "0", "gap": "1"}, "bits": 128,
    ...      "comparison": "logarithm of the sum", "relation": "<=",
    ...      "lhs": "[1.43194562200 +/- 1.45e-12]", "rhs": "[1.38629436112 +/- 1.10e-13]"}
    ... )
    True
    """
    found = _read(data)
    named = (found["variant"], found["reading"])
    known = {(v.name, v.reading): v for v in statement(found["id"]).variants}
    if named not in known:
        domain = "a wording of " + found["id"]
        raise InputError("counterexample", ", ".join(named), domain)
    claim = known[named].claim
    if claim is None:
        raise InputError("counterexample", found["id"], "one of a wording that claims something")
    bits = found["bits"]
    if not isinstance(bits, int) or not 2 <= bits <= 4096:
        raise InputError("bits", bits, "an integer from 2 to 4096")
    fields = {f.name.removesuffix("_"): f.name for f in claim.fields}
    instance = {
        fields.get(name, name): _exact(name, values) for name, values in found["instance"].items()
    }
    counterexample = Counterexample(
        instance, found["comparison"], found["relation"], found["lhs"], found["rhs"], bits
    )
    return check(claim, counterexample)


def _read(data: str | Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        found = json.loads(data) if isinstance(data, str) else data
    except json.JSONDecodeError as error:
        raise InputError("counterexample", str(error), "JSON as the report page has it") from None
    missing = [key for key in _KEYS if not isinstance(found, Mapping) or key not in found]
    if missing:
        domain = f"an object with {', '.join(_KEYS)}"
        raise InputError("counterexample", f"without {missing[0]}", domain)
    if not isinstance(found["instance"], Mapping):
        raise InputError("instance", type(found["instance"]).__name__, "an object of arrays")
    return found


def _exact(name: str, values: Any) -> Any:
    """Nested lists of text as an array of fractions."""
    try:
        given = np.array(values, dtype=object)
        flat = [Fraction(str(entry)) for entry in given.ravel()]
    except (ValueError, ZeroDivisionError):
        domain = "numbers as text, integers or quotients, in lists of equal lengths"
        raise InputError(name, str(values)[:60], domain) from None
    exact = np.empty(given.size, dtype=object)
    exact[:] = flat
    return exact.reshape(given.shape)
