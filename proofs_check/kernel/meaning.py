"""What the terms of a statement mean in ball arithmetic: values, truth, and the sides it compares.

Natural numbers are Python integers with truncated subtraction, reals are balls, functions take one
argument at a time. A constant of the development is evaluated from its own definition as Coq
prints it; only the functions of Coq's library are given here. A truth that balls do not decide is
None, and so is an existence; a quantifier over the reals or over functions is tried at a few
values, over natural numbers at those that its first premises allow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flint

from ncbounds.arithmetic.balls import ball
from ncbounds.errors import InputError
from proofs_check.kernel.language import (
    RELATIONS,
    Apply,
    Binder,
    Fix,
    If,
    Let,
    Match,
    Name,
    Number,
    Operation,
    Scoped,
    Term,
    parse,
)

NAT, REAL, BOOL, PROP = Name("nat"), Name("R"), Name("bool"), Name("Prop")
#: Share of two sides by which a premise may fail, since a float hypothesis is met up to rounding.
_NOISE = ball(2.0**-30)


@dataclass(frozen=True)
class Typed:
    """A value with its type."""

    value: Any
    type: Term


@dataclass(frozen=True)
class Sides:
    """An atomic comparison as evaluated."""

    lhs: Any
    relation: str
    rhs: Any


Scope = Mapping[str, Typed]


def arrow(*types: Term) -> Term:
    """The type of functions of some arguments, the last being the result."""
    return types[0] if len(types) == 1 else Operation("->", (types[0], arrow(*types[1:])))


def _power(base: Any, exponent: int) -> Any:
    found = base * 0 + 1
    for _ in range(exponent):
        found = found * base
    return found


def _given(types: tuple[Term, ...], function: Callable[..., Any]) -> Typed:
    """A function of Coq's library, one argument at a time."""

    def curried(collected: tuple[Any, ...]) -> Any:
        if len(collected) == len(types) - 1:
            return function(*collected)
        return lambda argument: curried((*collected, argument))

    return Typed(curried(()), arrow(*types))


_Z = Name("Z")
LIBRARY: Scope = {
    "PI": Typed(None, REAL),
    "true": Typed(True, BOOL),
    "false": Typed(False, BOOL),
    "True": Typed(True, PROP),
    "False": Typed(False, PROP),
    "INR": _given((NAT, REAL), ball),
    "IZR": _given((_Z, REAL), ball),
    "Z.of_nat": _given((NAT, _Z), int),
    "S": _given((NAT, NAT), lambda n: n + 1),
    "Init.Nat.pred": _given((NAT, NAT), lambda n: max(n - 1, 0)),
    "Nat.pred": _given((NAT, NAT), lambda n: max(n - 1, 0)),
    "exp": _given((REAL, REAL), lambda x: x.exp()),
    "ln": _given((REAL, REAL), lambda x: x.log()),
    "sqrt": _given((REAL, REAL), lambda x: x.sqrt()),
    "sin": _given((REAL, REAL), lambda x: x.sin()),
    "cos": _given((REAL, REAL), lambda x: x.cos()),
    "tan": _given((REAL, REAL), lambda x: x.tan()),
    "cosh": _given((REAL, REAL), lambda x: x.cosh()),
    "sinh": _given((REAL, REAL), lambda x: x.sinh()),
    "atan": _given((REAL, REAL), lambda x: x.atan()),
    "acos": _given((REAL, REAL), lambda x: x.acos()),
    "Rsqr": _given((REAL, REAL), lambda x: x * x),
    "Rabs": _given((REAL, REAL), abs),
    "Rmin": _given((REAL, REAL, REAL), lambda x, y: x.min(y)),
    "Rmax": _given((REAL, REAL, REAL), lambda x, y: x.max(y)),
    "Rpower": _given((REAL, REAL, REAL), lambda x, y: (y * x.log()).exp()),
    "pow": _given((REAL, NAT, REAL), _power),
    "Nat.eq_dec": _given((NAT, NAT, BOOL), lambda i, j: i == j),
    "lt_dec": _given((NAT, NAT, BOOL), lambda i, j: i < j),
    "le_dec": _given((NAT, NAT, BOOL), lambda i, j: i <= j),
    "Nat.div": _given((NAT, NAT, NAT), lambda i, j: i // j if j else 0),
    "Nat.modulo": _given((NAT, NAT, NAT), lambda i, j: i % j if j else i),
    "Nat.even": _given((NAT, BOOL), lambda i: i % 2 == 0),
    "Nat.eqb": _given((NAT, NAT, BOOL), lambda i, j: i == j),
    "Nat.ltb": _given((NAT, NAT, BOOL), lambda i, j: i < j),
    "Nat.leb": _given((NAT, NAT, BOOL), lambda i, j: i <= j),
    "Rle_dec": _given((REAL, REAL, BOOL), lambda x, y: _decided(_ordered("<=", x, y))),
    "Rlt_dec": _given((REAL, REAL, BOOL), lambda x, y: _decided(_ordered("<", x, y))),
    "Req_EM_T": _given((REAL, REAL, BOOL), lambda x, y: _decided(_ordered("=", x, y))),
}

_OVER: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
    "-": lambda a, b: max(a - b, 0) if isinstance(a, int) else a - b,
    "/": lambda a, b: a / b,
    "^": _power,
    "&&": lambda a, b: a and b,
    "||": lambda a, b: a or b,
    "=?": lambda a, b: a == b,
    "<?": lambda a, b: a < b,
    "<=?": lambda a, b: a <= b,
}


class UndecidedError(Exception):
    """A case distinction that balls do not decide, or a number that is none."""


def _decided(truth: bool | None) -> bool:
    if truth is None:
        raise UndecidedError
    return truth


def _ordered(relation: str, a: Any, b: Any, noise: Any = 0) -> bool | None:
    """Whether a relation between two numbers holds with certainty, or certainly does not."""
    if relation in (">", ">="):
        return _ordered({">": "<", ">=": "<="}[relation], b, a, noise)
    if callable(a):
        return None
    if isinstance(a, int):  # and booleans
        return bool({"=": a == b, "<>": a != b, "<": a < b, "<=": a <= b}[relation])
    if not (a.is_finite() and b.is_finite()):
        raise UndecidedError
    room = (abs(a) + abs(b)) * noise
    if relation == "<":
        return True if a < b else (False if a >= b else None)
    if relation == "<=":
        return True if a <= b else (False if a - b > room else None)
    differ, same = abs(a - b) > room, (a - b).is_zero()
    if relation == "=":
        return False if differ else (True if same else None)
    return True if not a.overlaps(b) else (False if same else None)


class Meaning:
    """The meaning of terms, given the definitions of the development as Coq prints them."""

    def __init__(self, definitions: Mapping[str, tuple[str, str]]) -> None:
        """Take the definitions: for each name its type and its body, as text."""
        self._text = definitions
        self._known: dict[str, tuple[Term, Term]] = {}

    # -- values -----------------------------------------------------------------------------------

    def value(self, term: Term, scope: Scope, type: Term = REAL) -> Any:
        """Evaluate a term that is expected to be of a type."""
        match term:
            case Number(number):
                return ball(number) if type == REAL else int(number)
            case Scoped(inner, name):
                return self.value(inner, scope, {"nat": NAT, "R": REAL}.get(name, type))
            case Name():
                return self.typed(term, scope).value
            case Apply():
                return self.applied(term, scope).value
            case Let(name, bound, body):
                return self.value(body, {**scope, name: self.typed(bound, scope)}, type)
            case If(condition, then, otherwise):
                chosen = then if self.value(condition, scope, BOOL) else otherwise
                return self.value(chosen, scope, type)
            case Binder("fun", name, own, body):
                result = type.operands[1] if isinstance(type, Operation) else REAL
                return lambda argument: self.value(
                    body, {**scope, name: Typed(argument, own)}, result
                )
            case Fix(name, own, body):
                around = dict(scope)  # which the function itself joins before it is called
                around[name] = Typed(self.value(body, around, own), own)
                return around[name].value
            case Match(subject, zero, name, successor):
                number = self.value(subject, scope, NAT)
                if number == 0:
                    return self.value(zero, scope, type)
                return self.value(successor, {**scope, name: Typed(number - 1, NAT)}, type)
            case Operation() if type != PROP:
                return self.operated(term, scope, type)
        if type == PROP:
            return self.truth(term, scope)
        raise InputError("term", str(term), "one that has a value")

    def operated(self, term: Operation, scope: Scope, type: Term) -> Any:
        """Evaluate an operation of arithmetic or on booleans."""
        match term:
            case Operation("-", (one,)):
                return -self.value(one, scope, type)
            case Operation("/", (one,)):
                return 1 / self.value(one, scope, type)
            case Operation(symbol, (left, right)) if symbol in _OVER:
                first, second = (NAT, NAT) if "?" in symbol else (type, type)
                a = self.value(left, scope, first)
                return _OVER[symbol](a, self.value(right, scope, NAT if symbol == "^" else second))
        raise InputError("operation", term.symbol, "one that has a value")

    def typed(self, term: Term, scope: Scope) -> Typed:
        """Evaluate a term whose type is found out."""
        match term:
            case Name(name):
                if name in scope:
                    return scope[name]
                if name in self._text:
                    body, type = self.definition(name)
                    return Typed(self.value(body, {}, type), type)
                if name == "PI":
                    return Typed(flint.arb.pi(), REAL)
                if name in LIBRARY:
                    return LIBRARY[name]
                raise InputError("name", name, "a variable, a definition or of Coq's library")
            case Apply():
                return self.applied(term, scope)
            case Scoped(_, "nat"):
                return Typed(self.value(term, scope, NAT), NAT)
            case Binder("fun", _, own, _):
                type = arrow(own, REAL)
                return Typed(self.value(term, scope, type), type)
        return Typed(self.value(term, scope, REAL), REAL)

    def applied(self, term: Apply, scope: Scope) -> Typed:
        """Apply a function to its arguments, each read at the type it should have."""
        function = self.typed(term.head, scope)
        value, type = function.value, function.type
        for argument in term.arguments:
            if not isinstance(type, Operation):
                raise InputError("application", str(term.head), "of a function")
            domain, type = type.operands
            value = value(self.value(argument, scope, domain))
        return Typed(value, type)

    def definition(self, name: str) -> tuple[Term, Term]:
        """The body and the type of a constant of the development."""
        if name not in self._known:
            type, body = self._text[name]
            self._known[name] = parse(body), parse(type)
        return self._known[name]

    # -- truth ------------------------------------------------------------------------------------

    def truth(self, term: Term, scope: Scope) -> bool | None:
        """Tell whether a proposition holds, up to noise; None where that is not decided."""
        term, scope = self.opened(term, scope)
        match term:
            case Operation("/\\", parts):
                return _all(self.truth(part, scope) for part in parts)
            case Operation("\\/", parts):
                return _not(_all(_not(self.truth(part, scope)) for part in parts))
            case Operation("~", (part,)):
                return _not(self.truth(part, scope))
            case Operation("->", (premise, conclusion)):
                met = self.truth(premise, scope)
                if met is False:
                    return True
                held = self.truth(conclusion, scope)
                return held if met or held else None
            case Operation("<->", (one, other)):
                a, b = self.truth(one, scope), self.truth(other, scope)
                return None if None in (a, b) else a == b
            case Binder("forall", name, type, body):
                values = self.values(term, scope)
                return _all(
                    self.truth(body, {**scope, name: Typed(value, type)}) for value in values
                )
            case Binder("exists"):
                return None
            case Operation(symbol) if symbol in RELATIONS:
                try:
                    sides = self.compared(term, scope)
                    return _ordered(sides.relation, sides.lhs, sides.rhs, _NOISE)
                except UndecidedError:
                    return None
        found = self.value(term, scope, PROP)
        return found if found is None else bool(found)

    def compared(self, term: Operation, scope: Scope) -> Sides:
        """Evaluate the two sides of a relation."""
        left, right = term.operands
        a = self.typed(right if isinstance(left, Number) else left, scope)
        values = [self.value(side, scope, a.type) for side in (left, right)]
        return Sides(values[0], term.symbol, values[1])

    def opened(self, term: Term, scope: Scope) -> tuple[Term, Scope]:
        """Unfold what stands at the top: scopes, `let`, and definitions that are propositions."""
        while True:
            match term:
                case Scoped(Operation(symbol, parts), "nat") if symbol in RELATIONS:
                    return Operation(symbol, tuple(Scoped(p, "nat") for p in parts)), scope
                case Scoped(within, "nat"):
                    term = _scoped(within)
                case Scoped(within, _):
                    term = within
                case Let(name, bound, body):
                    term, scope = body, {**scope, name: self.typed(bound, scope)}
                case Apply(Name(name), arguments) if name in self._text and name not in scope:
                    term = self.definition(name)[0]
                    inner: dict[str, Typed] = {}
                    for argument in arguments:
                        if not isinstance(term, Binder):
                            raise InputError("definition", name, "of as many arguments")
                        value = self.value(argument, scope, term.type)
                        inner[term.name] = Typed(value, term.type)
                        term = term.body
                    scope = inner
                case _:
                    return term, scope

    def values(self, term: Binder, scope: Scope) -> Iterator[Any]:
        """The values at which a quantifier is tried."""
        if term.type == NAT:
            bound = self.bound(term.name, term.body, scope)
            yield from range(4 if bound is None else bound)
        elif term.type == BOOL:
            yield from (False, True)
        else:
            yield from _samples(term.type, term.name)

    def bound(self, name: str, body: Term, scope: Scope) -> int | None:
        """The number below which the first premises keep a variable, if they do."""
        while True:
            match body:
                case Binder("forall", _, _, inner):
                    body = inner
                case Operation("->", (premise, rest)):
                    found = self.bounds(name, premise, scope)
                    if found is not None:
                        return found
                    body = rest
                case _:
                    return None

    def bounds(self, name: str, premise: Term, scope: Scope) -> int | None:
        """The bound that one premise gives: `i < n` or `i <= n`, alone or with others."""
        match premise:
            case Scoped(inner, "nat"):
                return self.bounds(name, inner, scope)
            case Operation("/\\", parts):
                found = [self.bounds(name, part, scope) for part in parts]
                return next((one for one in found if one is not None), None)
            case Operation("<" | "<=" as symbol, (Name(variable), top)) if variable == name:
                try:
                    return int(self.value(top, scope, NAT)) + (symbol == "<=")
                except InputError:  # it speaks of a variable that is bound further in
                    return None
        return None

    # -- comparisons ------------------------------------------------------------------------------

    def sides(self, term: Term, scope: Scope) -> list[Sides]:
        """Evaluate a comparison, or each instance of one under quantifiers over natural numbers."""
        term, scope = self.opened(term, scope)
        match term:
            case Binder("forall", name, type, body) if type == NAT:
                return [
                    one
                    for value in self.values(term, scope)
                    for one in self.sides(body, {**scope, name: Typed(value, type)})
                ]
            case Operation("->", (premise, conclusion)):
                return self.sides(conclusion, scope) if self.truth(premise, scope) else []
            case Operation("~", (inner,)):
                return self.sides(inner, scope)
            case Operation(symbol) if symbol in RELATIONS:
                return [self.compared(term, scope)]
        raise InputError("conclusion", str(term), "a comparison, or one for every natural number")


def conjuncts(term: Term) -> list[Term]:
    """The parts of a conjunction, from left to right."""
    if isinstance(term, Operation) and term.symbol == "/\\":
        return [part for operand in term.operands for part in conjuncts(operand)]
    return [term]


def _scoped(term: Term) -> Term:
    """Push the scope of natural numbers into the parts of a proposition."""
    if isinstance(term, Operation):
        return Operation(term.symbol, tuple(Scoped(part, "nat") for part in term.operands))
    return term


def _all(truths: Iterator[bool | None]) -> bool | None:
    found: bool | None = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            found = None
    return found


def _not(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


_REALS = tuple(map(ball, (0.0, 1.0, 0.5, -0.75, 2.0, 0.3)))


def _samples(type: Term, name: str) -> list[Any]:
    """A few values of a type: numbers, or functions of their arguments that vary."""
    seed = sum(map(ord, name))
    if type == REAL:
        return [_REALS[(seed + shift) % len(_REALS)] for shift in range(4)]

    def function(shift: int) -> Any:
        def value(depth: int, result: Term) -> Any:
            if isinstance(result, Operation):
                return lambda a: value(31 * depth + _whole(a), result.operands[1])
            if result == REAL:
                return _REALS[(depth + shift) % len(_REALS)]
            return (depth + shift) % 3 if result == NAT else bool((depth + shift) % 2)

        return value(seed, type)

    return [function(shift) for shift in range(3)]


def _whole(value: Any) -> int:
    if isinstance(value, int):
        return value
    return 0 if callable(value) else math.floor(float(value.mid()))
