"""Errors planted in regularised cross-entropy: its bound, certificate, saddles and minimum."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap, without

CRITICAL = ("review:eq-22", "printed", "critical points")
BOTH = ("review:eq-22", "corrected", "both norms, and what is between")
NUCLEAR = ("review:eq-23", "corrected", "dimension at least the rank")
CERTIFICATE = ("review:eq-25", "printed", "every critical point")
DUAL = ("review:eq-25", "sharp", "duality gap of any point")
FIRST = ("review:eq-26", "printed", "the first class are global minima")
REST = ("review:eq-26", "sharp", "what every critical point satisfies")
SADDLE = ("review:eq-27", "corrected", "inverse powers, any point that leaves w unused")
DOWN = ("review:eq-27", "sharp", "how far down it leads")
MINIMUM = ("review:remark-global-min-ce", "corrected", "with the phase transition")
NEAR = ("review:remark-global-min-ce", "sharp", "near the minimum, near collapse")
LINE = (
    "review:remark-global-min-ce",
    "sharp",
    "features of any dimension leave zero at the same threshold",
)


def once_more(xp, c, i):
    """What vanishes is said to be 1."""
    return replace(c, rhs=c.rhs + 1)


MUTANTS = {
    "cross-entropy, critical: turned around": (
        CRITICAL,
        lambda c: changed(c, "equation (22)", swap),
    ),
    "cross-entropy, critical: 1 % more": (
        CRITICAL,
        lambda c: changed(c, "equation (22)", lhs(101, 100)),
    ),
    "cross-entropy, both norms: 1 % more": (
        BOTH,
        lambda c: changed(c, "for the best constant", lhs(101, 100)),
    ),
    "cross-entropy, both norms: aligned turned around": (
        BOTH,
        lambda c: changed(c, "aligned", swap),
    ),
    "nuclear norm: 1 % more": (
        NUCLEAR,
        lambda c: changed(c, "every factorisation", lhs(101, 100)),
    ),
    "nuclear norm: half": (NUCLEAR, lambda c: changed(c, "attained", rhs(1, 2))),
    "certificate: not asked for": (CERTIFICATE, lambda c: without(c, "equation (25)")),
    "certificate: turned around": (
        CERTIFICATE,
        lambda c: changed(c, "global minimum", swap),
    ),
    "dual: 1 % more": (DUAL, lambda c: changed(c, "lower bound", lhs(101, 100))),
    "dual: turned around": (DUAL, lambda c: changed(c, "lower bound", swap)),
    "first class: turned around": (FIRST, lambda c: changed(c, "second no worse", swap)),
    "first class: residual turned around": (
        FIRST,
        lambda c: changed(c, "first no worse", flip),
    ),
    "at rest: balance with the wrong sign": (REST, lambda c: changed(c, "balance", flip)),
    "at rest: bias 1": (REST, lambda c: changed(c, "sum of b", once_more)),
    "saddle: curvature halved": (SADDLE, lambda c: changed(c, "curvature", rhs(1, 2))),
    "saddle: a slope": (SADDLE, lambda c: changed(c, "no slope", once_more)),
    "descent: 1 % more": (DOWN, lambda c: changed(c, "gain", lhs(101, 100))),
    "descent: turned around": (DOWN, lambda c: changed(c, "gain", swap)),
    "minimum: 1 % more": (MINIMUM, lambda c: changed(c, "least", lhs(101, 100))),
    "minimum: attained 1 % lower": (MINIMUM, lambda c: changed(c, "attained", rhs(99, 100))),
    "near the minimum: 1 % more": (NEAR, lambda c: changed(c, "all together", lhs(101, 100))),
    "near the minimum: twice": (NEAR, lambda c: changed(c, "all together", lhs(2))),
    "line: 1 % more": (LINE, lambda c: changed(c, "gain", lhs(101, 100))),
    "line: turned around": (LINE, lambda c: changed(c, "gain", swap)),
}
