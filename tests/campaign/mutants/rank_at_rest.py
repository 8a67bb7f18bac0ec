"""Errors planted in gradients of layers, their rank at rest, and the speed of a layer."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap

PRODUCT = ("square:eq-47", "printed", "three layers")
GRADIENT = ("square:eq-48", "corrected", "with a minus")
TWO = ("square:eq-50", "corrected", "the difference")
SAME = ("square:eq-51", "printed", "line by line")
RANK_2 = ("square:lemma-8", "printed", "every such point")
RANK_1 = ("square:lemma-8", "sharp", "rank 1, samples on one ray")
NEAR = ("square:lemma-8", "sharp", "near rest, by the stable rank")
SPEED = ("square:eq-53", "corrected", "at most, and equal for one sample")


def plus_one(xp, c, i):
    """Something that vanishes is said to be 1."""
    return replace(c, rhs=c.rhs + 1)


MUTANTS = {
    "product: sign": (PRODUCT, lambda c: changed(c, "equation (47)", flip)),
    "product: layer 2 counted twice": (PRODUCT, lambda c: changed(c, "layer 2", rhs(2))),
    "batch gradient: sign of (49)": (GRADIENT, lambda c: changed(c, "equation (49)", flip)),
    "batch gradient: half": (GRADIENT, lambda c: changed(c, "equation (48)", rhs(1, 2))),
    "two samples: a sum": (TWO, lambda c: changed(c, "equation (49) vanishes", flip)),
    "two samples: third invariant 1": (
        TWO,
        lambda c: changed(c, "rank at most two", plus_one),
    ),
    "equal case: sign of (52)": (SAME, lambda c: changed(c, "equation (52)", flip)),
    "equal case: (51) doubled": (SAME, lambda c: changed(c, "equation (51)", lhs(2))),
    "rank two: margins 1 % larger": (RANK_2, lambda c: changed(c, "margins", rhs(101, 100))),
    "rank two: third invariant 1": (RANK_2, lambda c: changed(c, "rank of layer 1", plus_one)),
    "rank one: norms 1 % larger": (
        RANK_1,
        lambda c: changed(c, "norm of layer 2", rhs(101, 100)),
    ),
    "rank one: no rest in rho": (RANK_1, lambda c: changed(c, "gradients in rho", plus_one)),
    "near rest: steps turned around": (NEAR, lambda c: changed(c, "step of a sample", swap)),
    "near rest: turned around": (NEAR, lambda c: changed(c, "nearly rank one", swap)),
    "speed: turned around": (SPEED, lambda c: changed(c, "speed", swap)),
    "speed: 1 % less": (SPEED, lambda c: changed(c, "speed", rhs(99, 100))),
    "speed: terms 1 % longer": (
        SPEED,
        lambda c: changed(c, "length of a term", rhs(101, 100)),
    ),
}
