"""The language of statements as Coq prints them, read into terms.

What is read is not our source but what the kernel holds: the output of `Check` and `Print` with
`R_scope` open. Quantifiers, functions, `let`, `if`, `fix` and `match` on a natural number, the
connectives, the relations and the arithmetic of real and natural numbers; nothing else is needed,
and anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from ncbounds.errors import InputError


@dataclass(frozen=True)
class Name:
    """A variable, a constant or a type."""

    name: str


@dataclass(frozen=True)
class Number:
    """A numeral; what it is a numeral of depends on where it stands."""

    value: Fraction


@dataclass(frozen=True)
class Apply:
    """A function at its arguments."""

    head: Term
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Binder:
    """A quantifier or a function of one variable."""

    kind: Literal["forall", "exists", "fun"]
    name: str
    type: Term
    body: Term


@dataclass(frozen=True)
class Let:
    """A name for a value, within a term."""

    name: str
    value: Term
    body: Term


@dataclass(frozen=True)
class If:
    """A case distinction on something decided."""

    condition: Term
    then: Term
    otherwise: Term


@dataclass(frozen=True)
class Fix:
    """A recursive function `name`, given by its body, of the type `type`."""

    name: str
    type: Term
    body: Term


@dataclass(frozen=True)
class Match:
    """A case distinction on a natural number: zero, or the successor of `name`."""

    subject: Term
    zero: Term
    name: str
    successor: Term


@dataclass(frozen=True)
class Operation:
    """An operator, a relation, a connective or an arrow at its one or two operands."""

    symbol: str
    operands: tuple[Term, ...]


@dataclass(frozen=True)
class Scoped:
    """A term read in a scope of its own, as ``(i < n)%nat``."""

    term: Term
    scope: str


Term: TypeAlias = Name | Number | Apply | Binder | Let | If | Fix | Match | Operation | Scoped

RELATIONS = ("=", "<>", "<=", "<", ">=", ">")

_RIGHT, _LEFT, _NONE = "right", "left", "none"
_INFIX = {
    "->": (99, _RIGHT),
    "<->": (95, _NONE),
    "\\/": (85, _RIGHT),
    "/\\": (80, _RIGHT),
    **dict.fromkeys((*RELATIONS, "=?", "<?", "<=?"), (70, _NONE)),
    **dict.fromkeys(("+", "-", "||"), (50, _LEFT)),
    **dict.fromkeys(("*", "/", "&&"), (40, _LEFT)),
    "^": (30, _RIGHT),
}
_PREFIX = {"~": 75, "-": 35, "/": 35}
_ANY = 200

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[^\W\d²](?:[^\W²]|')*(?:\.[^\W\d²](?:[^\W²]|')*)*)"
    r"|(?P<symbol><->|->|=>|:=|<=\?|<=|>=|<>|=\?|<\?|/\\|\\/|&&|\|\||[-+*/^=<>~(){}:,|%²]))"
)
_KEYWORDS = {"forall", "exists", "fun", "let", "in", "if", "then", "else", "fix", "match", "end"}
_KEYWORDS |= {"with"}


def parse(text: str) -> Term:
    """Read one term.

    Raises
    ------
    InputError
        When the text is not a term of the language.
    """
    reader = _Reader(_tokens(text))
    found = reader.term()
    if reader.next is not None:
        raise InputError("statement", reader.next, "the end of the term")
    return found


def names(term: object) -> set[str]:
    """Return all names that occur in a term, bound or free."""
    if isinstance(term, Name):
        return {term.name}
    parts = term if isinstance(term, tuple) else getattr(term, "__dict__", {}).values()
    return set().union(*(names(p) for p in parts if not isinstance(p, str)))


def _tokens(text: str) -> list[str]:
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InputError("statement", text[at : at + 20], "in the language of statements")
        found.append(match.group().strip())
        at = match.end()
    return found


@dataclass
class _Reader:
    """A reader of tokens by precedence."""

    tokens: Sequence[str]
    at: int = 0

    @property
    def next(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *expected: str) -> str:
        token = self.next
        if token is None or (expected and token not in expected):
            wanted = " or ".join(expected) or "a term"
            raise InputError("statement", token or "its end", wanted)
        self.at += 1
        return token

    def term(self, limit: int = _ANY) -> Term:
        left = self.head(limit)
        while self.next in _INFIX and _INFIX[self.next][0] <= limit:
            symbol = self.take()
            level, side = _INFIX[symbol]
            right = self.term(level if side == _RIGHT else level - 1)
            left, last = Operation(symbol, (left, right)), right
            while symbol in RELATIONS and self.next in RELATIONS:  # a <= b < c
                symbol = self.take()
                right = self.term(level - 1)
                left = Operation("/\\", (left, Operation(symbol, (last, right))))
                last = right
        return left

    def head(self, limit: int) -> Term:
        token = self.next
        if token in _PREFIX and _PREFIX[token] <= limit:
            self.take()
            return Operation(token, (self.term(_PREFIX[token]),))
        if token in ("forall", "exists", "fun"):
            return self.binder()
        if token == "let":
            return self.let()
        if token == "if":
            self.take()
            condition = self.term()
            self.take("then")
            then = self.term()
            self.take("else")
            return If(condition, then, self.term())
        if token == "fix":
            return self.fix()
        if token == "match":
            return self.match()
        return self.application()

    def application(self) -> Term:
        head, arguments = self.atom(), []
        while self.next is not None and self.starts_atom(self.next):
            arguments.append(self.atom())
        return Apply(head, tuple(arguments)) if arguments else head

    @staticmethod
    def starts_atom(token: str) -> bool:
        return token == "(" or (token not in _KEYWORDS and (token[0].isalnum() or token[0] == "_"))

    def atom(self) -> Term:
        token = self.take()
        found: Term
        if token == "(":
            found = self.term()
            self.take(")")
        elif token[0].isdigit():
            found = Number(Fraction(token))
        elif self.starts_atom(token):
            found = Name(token)
        else:
            raise InputError("statement", token, "a term")
        while self.next in ("%", "²"):
            square = self.take() == "²"
            found = Apply(Name("Rsqr"), (found,)) if square else Scoped(found, self.take())
        return found

    def binder(self) -> Term:
        kind = self.take()
        variables = self.variables()
        self.take("=>" if kind == "fun" else ",")
        body = self.term()
        for name, type in reversed(variables):
            body = Binder(kind, name, type, body)  # type: ignore[arg-type]
        return body

    def variables(self) -> list[tuple[str, Term]]:
        """Read ``(n : nat) (x y : nat -> R)`` or ``i j : nat``."""
        found: list[tuple[str, Term]] = []
        while self.next == "(":
            self.take()
            found += self.typed_names()
            self.take(")")
        return found or self.typed_names()

    def typed_names(self) -> list[tuple[str, Term]]:
        group = [self.take()]
        while self.next != ":":
            group.append(self.take())
        self.take(":")
        type = self.term()
        return [(name, type) for name in group]

    def let(self) -> Term:
        self.take("let")
        name = self.take()
        if self.next == ":":
            self.take()
            self.term()
        self.take(":=")
        value = self.term()
        self.take("in")
        return Let(name, value, self.term())

    def fix(self) -> Term:
        """Read ``fix f (n : nat) (x : nat -> R) {struct n} : R := body``."""
        self.take("fix")
        name = self.take()
        variables = self.variables()
        if self.next == "{":
            while self.take() != "}":
                pass
        self.take(":")
        type = self.term()
        self.take(":=")
        body = self.term()
        for variable, own in reversed(variables):
            body, type = Binder("fun", variable, own, body), Operation("->", (own, type))
        return Fix(name, type, body)

    def match(self) -> Term:
        """Read ``match n with | 0%nat => a | S m => b end``."""
        self.take("match")
        subject = self.term()
        self.take("with")
        self.take("|")
        self.take("0")
        self.take("%")
        self.take("nat")
        self.take("=>")
        zero = self.term()
        self.take("|")
        self.take("S")
        name = self.take()
        self.take("=>")
        successor = self.term()
        self.take("end")
        return Match(subject, zero, name, successor)
