"""Errors planted in the loss with a temperature, the HardMax problem and the limit between them."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap, without

LOSS = ("gnc:eq-1", "printed", "the loss of a sample")
GAP = ("gnc:eq-1", "sharp", "by the largest gap")
MODEL = ("gnc:eq-2", "printed", "weights and features on the sphere, as in the formula")
FREE = ("gnc:eq-2", "corrected", "without the constraint on features there is no minimum")
OBJECTIVE = ("gnc:eq-5", "printed", "the objective")
DUALITY = ("gnc:eq-5", "sharp", "weak duality")
LIMIT = ("gnc:lemma-3.1", "printed", "every cluster point of minimisers")
RATE = ("gnc:lemma-3.1", "sharp", "rate for every temperature")
GUARANTEE = ("gnc:lemma-3.1", "sharp", "guarantee from the loss")
DIRECTION = ("gnc:lemma-3.1", "sharp", "direction of the features")


def without_factor(*axes):
    """The right-hand side without the numbers of classes or of features a class."""

    def change(xp, c, i):
        sizes = dict(zip("Kn", i["h"].shape[1:3], strict=True))
        for axis in axes:
            c = replace(c, rhs=c.rhs / sizes[axis])
        return c

    return change


def more(xp, c, i):
    """One rival too few in the loss: K - 2 in place of K - 1 is like a lower right-hand side."""
    K = i["h"].shape[1]
    return replace(c, rhs=xp.log1p(xp.expm1(c.rhs) * (K - 2) / (K - 1)))


MUTANTS = {
    "tempered loss: sign of the loss": (LOSS, lambda c: changed(c, "never negative", swap)),
    "tempered loss: shifted loss of the other sign": (
        LOSS,
        lambda c: changed(c, "a number added to all logits", flip),
    ),
    "largest gap: lower side 1 % higher": (GAP, lambda c: changed(c, "at least", lhs(101, 100))),
    "largest gap: upper side 1 % lower": (GAP, lambda c: changed(c, "at most", rhs(99, 100))),
    "largest gap: tau log K 1 % lower": (GAP, lambda c: changed(c, "HardMax above", rhs(99, 100))),
    "sphere: least loss 1 % higher": (MODEL, lambda c: changed(c, "least loss", lhs(101, 100))),
    "sphere: 1 % more after an isometry": (
        MODEL,
        lambda c: changed(c, "isometries", rhs(101, 100)),
    ),
    "free features: K - 2 rivals": (FREE, lambda c: changed(c, "at most", more)),
    "free features: least loss 1 % higher": (FREE, lambda c: changed(c, "at least", lhs(101, 100))),
    "HardMax: at most 1.98": (OBJECTIVE, lambda c: changed(c, "at most", rhs(99, 100))),
    "HardMax: other sign after an isometry": (OBJECTIVE, lambda c: changed(c, "isometries", flip)),
    "duality: distance 1 % smaller": (
        DUALITY,
        lambda c: changed(c, "one-vs-rest distance", rhs(99, 100)),
    ),
    "duality: simplex 1 % smaller": (DUALITY, lambda c: changed(c, "simplex", rhs(99, 100))),
    "limit: without n K": (
        LIMIT,
        lambda c: changed(c, "HardMax of the cluster point", without_factor("K", "n")),
    ),
    "limit: not minimal": (LIMIT, lambda c: without(c, "near-minimal")),
    "rate: HardMax without n K": (RATE, lambda c: changed(c, "HardMax", without_factor("K", "n"))),
    "rate: distance without K": (
        RATE,
        lambda c: changed(c, "one-vs-rest distance", without_factor("K")),
    ),
    "rate: not minimal": (RATE, lambda c: without(c, "near-minimal")),
    "rate: simple rate half": (RATE, lambda c: changed(c, "simple rate", rhs(1, 2))),
    "guarantee: worst sample without n": (
        GUARANTEE,
        lambda c: changed(c, "worst sample", without_factor("n")),
    ),
    "guarantee: least distance without K": (
        GUARANTEE,
        lambda c: changed(c, "least distance", without_factor("K")),
    ),
    "guarantee: class by class 1 % less": (
        GUARANTEE,
        lambda c: changed(c, "class by class", rhs(99, 100)),
    ),
    "guarantee: mean distance 1 % less": (
        GUARANTEE,
        lambda c: changed(c, "mean distance", rhs(99, 100)),
    ),
    "guarantee: mean loss with K - 2 rivals": (
        GUARANTEE,
        lambda c: changed(c, "mean loss", more),
    ),
    "direction: cosine 1 % larger": (DIRECTION, lambda c: changed(c, "cosine", lhs(101, 100))),
    "direction: variability 1 % smaller": (
        DIRECTION,
        lambda c: changed(c, "variability from margins", rhs(99, 100)),
    ),
    "direction: variability from the loss 1 % smaller": (
        DIRECTION,
        lambda c: changed(c, "variability from the loss", rhs(99, 100)),
    ),
}
