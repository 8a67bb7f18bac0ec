"""Evidence of the kernel: theorems that Coq has checked on this machine, tied to our claims.

A theorem counts where four things hold, each seen at run time: its file compiled, it assumes no
axiom but those of Coq's real numbers, its statement and the definitions under it are the recorded
ones, and on the claim's own instances it says what the claim says. Where one of them fails, that is
a fault of ours and no evidence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from ncbounds.arithmetic import balls, symbolic
from ncbounds.arithmetic.formula import Formula
from ncbounds.campaign.correspondence import Correspondence, correspond
from ncbounds.campaign.fingerprint import source_fingerprint
from ncbounds.theory import statement
from ncbounds.theory.terms import Variant
from proofs_check.kernel.build import ALLOWED, INSTALL, Certificate, keep, kept
from proofs_check.kernel.language import Binder, names, parse
from proofs_check.kernel.meaning import Meaning
from proofs_check.kernel.register import Theorem, standing_for, theorems
from proofs_check.kernel.statements import Printed, pinned

#: A wording: the id of its statement, the variant's name and its reading.
Wording: TypeAlias = tuple[str, str, str]

#: What the correspondence of a theorem depends on, besides the development.
_CODE = ("arithmetic", "campaign", "theory", "../proofs_check/kernel")
_POINTS = (Fraction(1, 3), Fraction(2, 7), Fraction(5, 11))


@dataclass(frozen=True)
class SharedFormula:
    """A formula of ours beside the definition of the same name under a theorem."""

    name: str
    coq: str
    latex: str
    agrees: bool


@dataclass(frozen=True)
class KernelEvidence:
    """A theorem of the kernel as evidence for (or against) a wording."""

    theorem: Theorem
    statement: str
    definitions: Mapping[str, str]
    assumptions: tuple[str, ...]
    seconds: float
    coq: str
    sources: str
    rechecked: bool
    tie: Correspondence | None
    formulas: tuple[SharedFormula, ...]
    fault: str

    @property
    def axioms(self) -> str:
        """The axioms under the proof, by their short names; without a recheck, those of all."""
        short = ", ".join(name.rpartition(".")[2] for name in self.assumptions) or "no axiom"
        return short if self.rechecked or not self.assumptions else f"at most {short}"

    @property
    def tied(self) -> str:
        """How the theorem was compared with the claim, in words."""
        if self.tie is None:
            return f"not evaluated: {self.theorem.untied}"
        covered = ", ".join(self.tie.covers) or "its premises only"
        count = self.tie.instances
        instances = "1 instance" if count == 1 else f"{count} instances"
        if self.theorem.restrict is not None:
            instances += " of the special case that it speaks of"
        return f"agrees with the claim on {instances} to {self.tie.difference:.0e}: {covered}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "type": "kernel",
            "holds": not self.fault,
            "refutes": self.theorem.refutes,
            "theorem": self.theorem.name,
            "file": f"proofs_check/kernel/{self.theorem.file}",
            "statement": self.statement,
            "definitions": dict(self.definitions),
            "assumptions": list(self.assumptions),
            "seconds": self.seconds,
            "coq": self.coq,
            "source_hash": self.sources,
            "rechecked": self.rechecked,
            "correspondence": self.tie.to_dict()
            if self.tie
            else {"not_evaluated": self.theorem.untied},
            "formulas": [asdict(formula) for formula in self.formulas],
            "fault": self.fault or None,
        }


def kernel_evidence(
    certificate: Certificate | None, chosen: Sequence[Theorem] | None = None
) -> dict[Wording, tuple[KernelEvidence, ...]]:
    """Judge registered theorems by a certificate, and return them by wording.

    How they correspond to their claims is kept beside the certificate, and found anew when the
    development, the claims or what compares them has changed.

    Parameters
    ----------
    certificate
        What compiling the development showed; without one there is no evidence.
    chosen
        The theorems in question; all without any.
    """
    if certificate is None:
        return {}
    found: dict[Wording, tuple[KernelEvidence, ...]] = {}
    recorded, ties = pinned(), _Ties(certificate)
    for theorem in theorems() if chosen is None else chosen:
        wording = (theorem.id, theorem.variant, theorem.reading)
        one = judged(theorem, certificate, recorded, ties)
        found[wording] = (*found.get(wording, ()), one)
    ties.close()
    return found


def judged(
    theorem: Theorem, certificate: Certificate, recorded: Printed, ties: _Ties | None = None
) -> KernelEvidence:
    """Judge one registered theorem: what the kernel says of it, and what speaks against it."""
    printed = certificate.printed
    stated = printed.theorems.get(theorem.name)
    under = reachable(printed, theorem.name)
    variant = wording_of(theorem)
    tie, shared = None, tuple[SharedFormula, ...]()
    fault = _compiled(theorem, certificate) or _unchanged(theorem, printed, recorded)
    if not fault and variant is None:
        fault = f"{theorem.id} has no {theorem.variant} wording {theorem.reading!r}"
    if not fault and variant is not None:
        shared = _shared(variant, printed, under)
        unlike = [formula.name for formula in shared if not formula.agrees]
        if unlike:
            fault = f"the definition {unlike[0]} is not the formula {unlike[0]} of Python"
        if theorem.bind is not None and variant.claim is not None:
            tie = None if ties is None else ties.get(theorem)
            if tie is None:
                tie = correspond(theorem, variant.claim, printed)
                if ties is not None:
                    ties.put(theorem, tie)
            if tie.failure and not fault:
                fault = f"it does not correspond to the claim: {tie.failure}"
    return KernelEvidence(
        theorem,
        stated.statement if stated else "",
        under,
        tuple(stated.assumptions) if stated else (),
        certificate.seconds.get(theorem.file, 0.0),
        certificate.coq,
        certificate.sources,
        certificate.rechecked,
        tie,
        shared,
        fault,
    )


def wording_of(theorem: Theorem) -> Variant | None:
    """Return the variant that a theorem stands for, if there is one of that name and reading."""
    wanted = (theorem.variant, theorem.reading)
    variants = statement(theorem.id).variants
    return next((v for v in variants if (v.name, v.reading) == wanted), None)


def raised_by(id: str, variant: Variant) -> str:
    """What would add evidence of the kernel to a wording; empty where there is no theorem."""
    count = len(standing_for(id, variant.name, variant.reading))
    if not count:
        return ""
    which = "a theorem" if count == 1 else f"{count} theorems"
    return f"{which} that Coq can check: {INSTALL}; ncbounds kernel"


def _compiled(theorem: Theorem, certificate: Certificate) -> str:
    """What the build has against a theorem."""
    if theorem.file not in certificate.seconds:
        return f"the development has no file {theorem.file}"
    for file in (theorem.file, "coqchk"):
        if file in certificate.errors:
            return f"{file} fails: {certificate.errors[file]}"
    stated = certificate.printed.theorems.get(theorem.name)
    if stated is None or stated.file != theorem.file:
        return f"{theorem.file} has no theorem of that name"
    alien = sorted(set(stated.assumptions) - set(ALLOWED))
    return f"it assumes {', '.join(alien)}" if alien else ""


def _unchanged(theorem: Theorem, printed: Printed, recorded: Printed) -> str:
    """Whether a statement, or a definition under it, is another than the recorded one."""
    name = theorem.name
    if name not in recorded.theorems:
        return "its statement is not recorded in statements.txt"
    if printed.theorems[name].statement != recorded.theorems[name].statement:
        return "its statement is not the recorded one"
    for other in reachable(printed, name):
        if printed.definitions[other] != recorded.definitions.get(other):
            return f"the definition {other} under it is not the recorded one"
    return ""


def reachable(printed: Printed, name: str) -> dict[str, str]:
    """Return the definitions that a theorem's statement rests on, as Coq prints them."""
    found: dict[str, str] = {}
    stated = printed.theorems.get(name)
    waiting = [stated.statement] if stated else []
    while waiting:
        for other in sorted(names(parse(waiting.pop())) & printed.definitions.keys()):
            if other not in found:
                found[other] = printed.definitions[other][1]
                waiting.append(found[other])
    return found


def _shared(
    variant: Variant, printed: Printed, under: Mapping[str, str]
) -> tuple[SharedFormula, ...]:
    """The formulas of a wording of which a definition under the theorem has the name."""
    found = []
    for bound in variant.bounds:
        formula = bound.formula
        if formula.name in under:
            agrees = _agrees(formula, printed)
            latex = symbolic.latex(formula)
            found.append(SharedFormula(formula.name, under[formula.name], latex, agrees))
    return tuple(found)


def _agrees(formula: Formula, printed: Printed) -> bool:
    """Whether a definition takes the values of a formula at a few points of its domain.

    Arguments go by their names, or in their order where the names are others.
    """
    body, order = parse(printed.definitions[formula.name][1]), []
    while isinstance(body, Binder):
        order.append(body.name)
        body = body.body
    by_argument = {p.argument.rstrip("_"): p for p in formula.parameters}
    if len(order) != len(by_argument):
        return False
    if set(order) != set(by_argument):
        by_argument = dict(zip(order, formula.parameters, strict=True))
    with balls.precision(256):
        for shift in range(len(_POINTS)):
            values = {
                p.name: Fraction(5 + shift)
                if p.integer
                else max(p.lower or Fraction(0), Fraction(0)) + _POINTS[(place + shift) % 3]
                for place, p in enumerate(formula.parameters)
            }
            ours = formula.balls(values)
            value = Meaning(printed.definitions).value(parse(formula.name), {})
            for name in order:
                value = value(balls.ball(values[by_argument[name].name]))
            if ours.is_finite() and not ours.overlaps(value):
                return False
    return True


class _Ties:
    """Correspondences that are kept beside a certificate, under a hash of the code behind them."""

    def __init__(self, certificate: Certificate) -> None:
        self._name = f"ties-{source_fingerprint(*_CODE)}.json"
        self._sources = certificate.sources
        try:
            self._known: dict[str, Any] = json.loads(kept(self._sources, self._name) or "{}")
        except ValueError:
            self._known = {}
        self._changed = False

    def get(self, theorem: Theorem) -> Correspondence | None:
        found = self._known.get(self._key(theorem))
        if found is None:
            return None
        return Correspondence(
            **{**found, "covers": tuple(found["covers"]), "undecided": tuple(found["undecided"])}
        )

    def put(self, theorem: Theorem, tie: Correspondence) -> None:
        self._known[self._key(theorem)] = asdict(tie)
        self._changed = True

    def close(self) -> None:
        if self._changed:
            keep(self._sources, self._name, json.dumps(self._known))

    @staticmethod
    def _key(theorem: Theorem) -> str:
        return f"{theorem.name} for {theorem.id} [{theorem.variant}, {theorem.reading}]"
