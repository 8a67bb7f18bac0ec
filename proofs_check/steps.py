"""The steps a proof is made of, each run by a machine, and the register of proofs.

A proof is a generator of steps for one variant of one statement. It receives the variant's claim,
and its last steps `tie` what was derived to what the claim computes, so that a claim that is
changed is no longer proved by the old derivation. A step that fails says so; it never raises.

Textbook facts that a proof rests on are `Fact`s: named, sourced, and shown with the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import import_module
from itertools import chain
from typing import Any

import mpmath
import numpy as np
import sympy

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.boxes import Box, Refusal, prove_nonnegative
from ncbounds.arithmetic.check_cover import check_cover
from ncbounds.theory import TOPICS
from ncbounds.theory.terms import Claim, Comparison, Field


@dataclass(frozen=True)
class Fact:
    """A textbook fact that a proof takes as an axiom."""

    name: str
    statement: str
    source: str


@dataclass(frozen=True)
class Step:
    """One step of a proof: what it shows, by which method, and whether it holds."""

    name: str
    method: str
    holds: bool
    detail: str = ""


@dataclass(frozen=True)
class Proof:
    """The register entry: the variant that `derive` proves, and the facts it takes for granted."""

    id: str
    variant: str
    reading: str
    facts: tuple[Fact, ...]
    derive: Callable[[Claim], Iterator[Step]]


@dataclass(frozen=True)
class ProofResult:
    """A proof as run: its steps, and whether all of them hold (and there is at least one)."""

    steps: tuple[Step, ...]
    facts: tuple[Fact, ...]

    @property
    def holds(self) -> bool:
        """Whether every step holds."""
        return bool(self.steps) and all(step.holds for step in self.steps)


_REGISTER: dict[tuple[str, str, str], Proof] = {}


def proof(
    id: str, variant: str, reading: str, *facts: Fact
) -> Callable[[Callable[[Claim], Iterator[Step]]], Callable[[Claim], Iterator[Step]]]:
    """Register a generator of steps as the proof of one variant under one reading."""

    def register(derive: Callable[[Claim], Iterator[Step]]) -> Callable[[Claim], Iterator[Step]]:
        key = (id, variant, reading)
        if key in _REGISTER:
            raise ValueError(f"two proofs of {key}")
        _REGISTER[key] = Proof(id, variant, reading, facts, derive)
        return derive

    return register


@cache
def proofs() -> Mapping[tuple[str, str, str], Proof]:
    """Return all proofs, by statement id, variant name and reading."""
    for topic in TOPICS:
        import_module(f"proofs_check.{topic}")
    return _REGISTER


def run(entry: Proof, claim: Claim) -> ProofResult:
    """Run a proof against a claim; an error inside a step is a step that fails."""
    steps: list[Step] = []
    try:
        steps.extend(entry.derive(claim))
    except Exception as error:
        steps.append(Step("derivation", "run", False, f"{type(error).__name__}: {error}"))
    return ProofResult(tuple(steps), entry.facts)


# -- methods --------------------------------------------------------------------------------------


def identity(name: str, lhs: Any, rhs: Any) -> Step:
    """Show ``lhs = rhs`` by computer algebra, cross-checked at random points to 60 digits.

    Both guards must agree: `sympy.simplify` alone can return a wrong zero. It may also miss a true
    one, and then the step fails: gamma functions of half-integers want `expand_func` first.
    """
    difference = sympy.sympify(lhs) - sympy.sympify(rhs)
    return Step(name, "identity by computer algebra", _is_zero(difference))


@cache
def _is_zero(difference: sympy.Expr) -> bool:
    """Whether an expression is zero; proofs share steps, and a proof is run more than once."""
    normals = (sympy.expand, sympy.cancel, _simplified)
    return any(normal(difference) == 0 for normal in normals) and _vanishes(difference)


def _simplified(expression: sympy.Expr) -> sympy.Expr:
    return sympy.simplify(sympy.expand(expression))


def _vanishes(difference: sympy.Expr) -> bool:
    """Whether an expression is zero to 50 digits at three admissible points."""
    symbols = sorted(difference.free_symbols, key=str)
    for shift in range(3):
        point = {
            s: sympy.Rational(7 + 3 * shift + 5 * i, 11 + i)
            if not s.is_integer
            else sympy.Integer(3 + shift + i)
            for i, s in enumerate(symbols)
        }
        if shift == 1:  # once with the signs turned where they are free
            point = {s: v if s.is_nonnegative else -v for s, v in point.items()}
        value = sympy.N(difference.subs(point), 60)
        if not value.is_number or not abs(mpmath.mpmathify(complex(value))) < 1e-45:
            return False
    return True


def nonnegative(name: str, expression: Any, factors: list[Any]) -> Step:
    """Show ``expression >= 0``: it is the product of factors that are visibly non-negative.

    A factor is visibly non-negative when the signs declared for its symbols make it so.
    """
    product = sympy.Mul(*factors)
    same = identity(name, expression, product)
    signs = bool(factors) and all(sympy.sympify(factor).is_nonnegative for factor in factors)
    detail = "" if signs else "a factor has no visible sign"
    return Step(name, "product of non-negative factors", same.holds and signs, detail)


def covered(name: str, f: Callable[..., Any], box: Box, max_boxes: int = 20_000) -> Step:
    """Show ``f >= 0`` on a box by certified branch and bound, re-checked by the cover checker."""
    outcome = prove_nonnegative(f, box, max_boxes=max_boxes)
    method = "certified branch and bound"
    if isinstance(outcome, Refusal):
        return Step(name, method, False, f"{outcome.reason} at {outcome.point}")
    return Step(name, method, check_cover(f, outcome), f"{outcome.boxes} boxes")


def cases(name: str, checks: Mapping[str, bool]) -> Step:
    """Show a finite statement by going through all its cases."""
    failed = [case for case, holds in checks.items() if not holds]
    detail = f"{len(checks)} cases" + (f", fails for {', '.join(failed[:3])}" if failed else "")
    return Step(name, "exhaustion", bool(checks) and not failed, detail)


def assumes(claim: Claim, **kinds: str) -> Step:
    """Show that the fields of the claim range over what the proof assumes of them.

    `kinds` gives for each field its kind; an integer with its least value, as ``"integer >= 2"``.
    """
    found = {
        f.name: f"integer >= {f.least}" if f.kind == "integer" else f.kind for f in claim.fields
    }
    odd = sorted(n for n in found.keys() | kinds.keys() if found.get(n) != kinds.get(n))
    detail = f"{odd[0]} is {found.get(odd[0])}" if odd else f"{len(found)} fields"
    return Step("the variables range over what is assumed", "domain of the claim", not odd, detail)


def tie(
    name: str,
    claim: Claim,
    instances: list[dict[str, Any]],
    expected: Callable[..., dict[str, tuple[Any, Any]]],
    equalities: Collection[str] = (),
) -> Step:
    """Show that the claim compares what was derived, on given and on random exact instances.

    `expected(**instance)` gives, for every hypothesis and conclusion of the claim by name, its
    two sides as balls, computed from the instance (arrays of Fractions without batch axis) in a
    way of its own. Each must overlap the claim's own ball, which is narrow. The comparisons named
    in `equalities` must be equations, all others inequalities, and none may go unmentioned.
    A random instance that leaves a side undecided is drawn anew.
    """
    method, checked, compared = "tie to the claim", 0, 0
    wanted = len(instances) + _TIES
    for place, instance in enumerate(chain(instances, random_instances(claim))):
        if compared == wanted:
            break
        arrays = {k: np.asarray(v, dtype=object) for k, v in instance.items()}
        with balls.precision(256):
            judged = claim.judge(balls, **{k: balls.asarray(v[None]) for k, v in arrays.items()})
            sides = {c.name: c for c in (*judged.hypotheses, *judged.conclusions)}
            if place >= len(instances) and not all(map(_is_finite, sides.values())):
                continue  # a sign that no precision decides, as of a vector that vanishes
            compared += 1
            derived_sides = expected(**arrays)
            if sides.keys() != derived_sides.keys():
                odd = sorted(sides.keys() ^ derived_sides.keys())[0]
                return Step(name, method, False, f"only one side speaks of {odd!r}")
            for key, pair in derived_sides.items():
                if (sides[key].relation == "=") != (key in equalities):
                    return Step(name, method, False, f"{key!r} has another relation")
                for own, derived in zip((sides[key].lhs, sides[key].rhs), pair, strict=True):
                    own_ball, other = own.data.ravel(), balls.asarray(derived).data.ravel()
                    if len(own_ball) != len(other) or not all(
                        _agree(a, b) for a, b in zip(own_ball, other, strict=True)
                    ):
                        return Step(name, method, False, f"{key!r} differs")
                    checked += 1
    enough = checked > 0 and compared == wanted
    return Step(name, method, enough, f"{checked} sides on exact instances")


def _is_finite(comparison: Comparison) -> bool:
    entries = (*comparison.lhs.data.ravel(), *comparison.rhs.data.ravel())
    return all(entry.is_finite() for entry in entries)


#: Random instances that a tie compares, and how many it draws for them at most.
_TIES, _DRAWS = 24, 96
_LARGEST_SIZE = 16


def random_instances(claim: Claim) -> Iterator[dict[str, Any]]:
    """Draw exact instances of a claim from a fixed seed, over its sizes and its fields' ranges."""
    rng = np.random.default_rng(20)
    for _ in range(_DRAWS):
        sizes = claim.axes(
            {
                name: int(rng.integers(low, min(high, _LARGEST_SIZE) + 1))
                for name, (low, high) in claim.sizes.items()
            }
        )
        yield {f.name: _drawn(f, tuple(sizes[axis] for axis in f.shape), rng) for f in claim.fields}


def _drawn(field: Field, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Exact entries that the field admits: small fractions, never zero where signs are free."""
    count = int(np.prod(shape))
    tops = rng.integers(1, 8, size=count) * rng.choice([-1, 1], size=count)
    entries = [
        Fraction(int(t), int(b)) for t, b in zip(tops, rng.integers(1, 4, count), strict=True)
    ]
    if field.kind == "mask":
        entries = [Fraction(int(t > 0)) for t in tops]
        entries[0] = Fraction(1)
    elif field.kind == "integer":
        entries = [Fraction(field.least + int(abs(t)) - 1) for t in tops]
    elif field.kind == "proportion":
        entries = [Fraction(int(abs(t)), 8) for t in tops]
    elif field.kind != "real":
        entries = [abs(entry) for entry in entries]
    return np.array(entries, dtype=object).reshape(shape)


def _agree(a: Any, b: Any) -> bool:
    """Overlapping balls, both narrow: no wide ball may agree with everything."""
    narrow = all(x.is_finite() and x.rad() <= (abs(x) + 1).upper() * 2.0**-60 for x in (a, b))
    return bool(narrow and a.overlaps(b))


def number(scalar: Any) -> Fraction:
    """Return the number in an array without axes."""
    return Fraction(np.asarray(scalar, dtype=object).item())


def point(**values: Any) -> dict[str, Any]:
    """Read an exact instance: nested lists of integers, fractions or strings such as ``"1/3"``."""

    def read(value: Any) -> Any:
        if isinstance(value, list):
            return [read(entry) for entry in value]
        return Fraction(value)

    return {name: read(value) for name, value in values.items()}
