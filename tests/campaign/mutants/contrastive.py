"""Errors planted in the bound on the supervised contrastive loss."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, without

PRINTED = ("review:eq-33", "printed", "the inequality")
ATTAINED = ("review:eq-33", "corrected", "its own constants, attained")
SPLIT = ("review:eq-33", "sharp", "split of the gap")


def raised(xp, c, instance):
    """The lower side a hundredth larger."""
    return replace(c, lhs=c.lhs + 0.01)


def of_one_class(xp, c, instance):
    """The lower side without log n: as if a sample were not compared with its own class."""
    return replace(c, rhs=c.rhs - xp.log(0 * instance["tau"] + instance["f"].shape[2]))


def entry(key, name, change):
    return key, lambda claim: changed(claim, name, change)


MUTANTS = {
    "(33): 1 % more": entry(PRINTED, "equation (33)", raised),
    "(33): without log n": entry(PRINTED, "equation (33)", of_one_class),
    "(33): norms free": (PRINTED, lambda claim: without(claim, "norms of the features")),
    "least contrastive loss: a hundredth more": entry(ATTAINED, "lower bound", raised),
    "least contrastive loss: 1 % more at the simplex": entry(ATTAINED, "attained", rhs(101, 100)),
    "contrastive split: without the centre": entry(SPLIT, "split of the gap", rhs(99, 100)),
    "contrastive split: variability 1 % smaller": entry(
        SPLIT, "variability and centre", lhs(101, 100)
    ),
    "contrastive split: spread of the other sign": entry(SPLIT, "spread of contrasts >= 0", flip),
}
