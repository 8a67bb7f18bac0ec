"""How errors are planted: changes of one comparison of a claim."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ncbounds.theory import statement
from ncbounds.theory.terms import Judgement


def claim_of(id, variant, reading):
    """The claim of one variant under one reading."""
    return next(
        v.claim for v in statement(id).variants if (v.name, v.reading) == (variant, reading)
    )


def together(parameters, group=lambda parameter: parameter):
    """Parameters of tests that one process had better do one after the other, by group."""
    return [
        pytest.param(
            each,
            id=each if isinstance(each, str) else " ".join(each),
            marks=pytest.mark.xdist_group(" ".join(group(each))),
        )
        for each in parameters
    ]


def changed(claim, name, change):
    """The claim with the comparison of a name changed by ``change(xp, comparison, instance)``."""

    def judge(xp, **instance):
        judged = claim.judge(xp, **instance)
        assert any(c.name == name for c in (*judged.hypotheses, *judged.conclusions)), name

        def apply(comparisons):
            return tuple(change(xp, c, instance) if c.name == name else c for c in comparisons)

        return Judgement(apply(judged.hypotheses), apply(judged.conclusions))

    return replace(claim, judge=judge)


def without(claim, name):
    """The claim without one hypothesis."""

    def judge(xp, **instance):
        judged = claim.judge(xp, **instance)
        kept = tuple(h for h in judged.hypotheses if h.name != name)
        assert len(kept) < len(judged.hypotheses), name
        return Judgement(kept, judged.conclusions)

    freed = tuple(replace(f, kind="positive") if f.hypothesis == name else f for f in claim.fields)
    return replace(claim, judge=judge, fields=freed)


def rhs(factor_above, factor_below=1):
    """Scale the right-hand side by an exact quotient."""
    return lambda xp, c, i: replace(c, rhs=c.rhs * factor_above / factor_below)


def lhs(factor_above, factor_below=1):
    """Scale the left-hand side by an exact quotient."""
    return lambda xp, c, i: replace(c, lhs=c.lhs * factor_above / factor_below)


def flip(xp, c, instance):
    """Flip the sign of the right-hand side."""
    return replace(c, rhs=-c.rhs)


def no_root(xp, c, instance):
    """Drop the root of the right-hand side."""
    return replace(c, rhs=c.rhs * c.rhs)


def swap(xp, c, instance):
    """Turn the inequality around."""
    return replace(c, lhs=c.rhs, rhs=c.lhs)
