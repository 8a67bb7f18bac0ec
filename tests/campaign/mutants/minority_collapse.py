"""Errors planted in minority collapse: thresholds, signs, weights, gains."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap

RELAXED = ("review:eq-34", "printed", "the relaxation")
EXACT = ("review:eq-34", "corrected", "exact from K - 1 dimensions on")
COLLAPSED = ("review:eq-34", "printed", "minority collapse")
VANISHED = ("review:eq-34", "sharp", "the minority vanishes")
BELOW = ("review:eq-34", "sharp", "minima below the threshold")
THRESHOLD = ("review:eq-34", "sharp", "the threshold")
SIDES = ("review:eq-34", "sharp", "both sides of the threshold")
MERGING = ("review:eq-34", "sharp", "regularised: merging pays above the threshold")
PARTING = ("review:eq-34", "sharp", "regularised: parting pays below the threshold")


def more(amount):
    """Add to the left-hand side what `amount` makes of namespace and instance."""
    return lambda xp, c, i: replace(c, lhs=c.lhs + amount(xp, i))


def apart(xp, i):
    """A fiftieth of what is taken away from the minority's weights."""
    minor = i["minor"] - xp.mean(i["minor"], axis=1, keepdims=True)
    return i["lambda_A"] * xp.sum(xp.sum(minor * minor, axis=-1), axis=-1) / 50


def spread(xp, values):
    """Sum of squares about the mean over classes."""
    centred = values - xp.mean(values, axis=1, keepdims=True)
    return xp.sum(xp.sum(centred * centred, axis=-1), axis=-1)


def gain(share):
    """A share of the gain (1 - t)^2, for half of the samples in the minority."""

    def amount(xp, i):
        n = i["each"] * i["minor"].shape[1]
        counts = xp.sum(xp.sum(i["counts"], axis=-1), axis=-1)
        return share * (n / (counts + n)) * (1 - i["t"]) ** 2

    return more(amount)


def entry(key, name, change):
    return key, lambda claim: changed(claim, name, change)


MUTANTS = {
    "relaxation: 1 % more": entry(RELAXED, "objective", lhs(101, 100)),
    "relaxation: features half as long": entry(RELAXED, "bound on the features", rhs(1, 2)),
    "few dimensions: features shorter": entry(EXACT, "features", rhs(99, 100)),
    "few dimensions: one class more": entry(
        EXACT, "one dimension", lambda xp, c, i: replace(c, lhs=c.lhs + xp.log(0 * c.lhs + 2))
    ),
    "collapse: a hundredth more": entry(COLLAPSED, "within the bounds", more(lambda xp, i: 0.01)),
    "collapse: twice as near": entry(
        COLLAPSED,
        "minority collapse",
        more(lambda xp, i: i["excess"] / (1 + i["excess"]) * spread(xp, i["y"]) / 2),
    ),
    "collapse: 1 % less budget": entry(COLLAPSED, "norm of its features", rhs(99, 100)),
    "collapse: 1 % more loss": entry(COLLAPSED, "its loss", lhs(101, 100)),
    "vanished: a hundredth more": entry(VANISHED, "within the bounds", more(lambda xp, i: 0.01)),
    "vanished: 1 % more loss": entry(VANISHED, "its loss", lhs(101, 100)),
    "below: a hundredth more": entry(BELOW, "within the bounds", more(lambda xp, i: 0.01)),
    "below: angle of the other sign": entry(BELOW, "angle between minority classifiers", flip),
    "below: 1 % more loss": entry(BELOW, "loss of a minority class", rhs(101, 100)),
    "threshold: ratio falls": entry(THRESHOLD, "ratio", swap),
    "threshold: 1 % more budget": entry(THRESHOLD, "budget at most", lhs(101, 100)),
    "threshold: 1 % less budget": entry(THRESHOLD, "budget at least", lhs(101, 100)),
    "sides: a hundredth more, below": entry(SIDES, "below: merging pays", more(lambda xp, i: 0.01)),
    "sides: a hundredth more, beyond": entry(SIDES, "beyond: distance", more(lambda xp, i: 0.01)),
    "sides: parting of the other sign": entry(SIDES, "beyond: parting pays", swap),
    "merging: threshold 1 % lower": entry(MERGING, "cross-entropy", more(apart)),
    "merging: threshold 1 % lower, square loss": entry(MERGING, "square loss", more(apart)),
    "parting: gain 1 % more, square loss": entry(PARTING, "square loss", lhs(101, 100)),
    "parting: twice the gain": entry(PARTING, "cross-entropy", gain(1)),
    "parting: risk of the other sign": entry(PARTING, "square loss", flip),
}
