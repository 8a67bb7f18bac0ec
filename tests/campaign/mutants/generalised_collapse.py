"""Errors planted in the metrics of generalised collapse, distances of classes and assignments."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap

SEEN = (
    "gnc:definition-gnc1",
    "corrected",
    "where no deviation is outside the span of the class means",
)
CENTRED = ("gnc:definition-gnc1", "sharp", "beside the centred metric")
MOVES = ("gnc:definition-gnc2", "sharp", "it moves no faster than the weights")
DUALITY = ("gnc:definition-gnc3", "sharp", "a mean squared distance")
VANISHES = ("gnc:eq-4", "printed", "as GNC3 vanishes")
LARGEST = (
    "gnc:eq-4",
    "corrected",
    "the least of the rightmost terms is maximised in a Softmax code",
)
NEAR = ("gnc:eq-4", "sharp", "near collapse")
SQUARE = ("gnc:remark-assignment", "printed", "up to rotations and reflections")
POLYGON = ("gnc:remark-assignment", "sharp", "any number of classes")


def without_classes(xp, c, i):
    """The bound without the number of classes."""
    return replace(c, rhs=c.rhs / i["m"].shape[1])


def without_samples(xp, c, i):
    """The bound without the root of the number of samples."""
    K, n = i["h"].shape[1:3]
    return replace(c, rhs=c.rhs / xp.sqrt(0 * c.rhs + K * n))


def only_own(xp, c, i):
    """What moves the own row alone."""
    w, v = i["w"], i["v"]
    return replace(c, rhs=xp.sqrt(xp.sum((w - v) * (w - v), axis=-1)))


def of_factorial(above, below):
    """(K-1)!/2 with another factor."""
    return lambda c: changed(c, "number", rhs(above, below))


MUTANTS = {
    "gnc1: without K": (SEEN, lambda c: changed(c, "variability", without_classes)),
    "gnc1: 1 % less": (SEEN, lambda c: changed(c, "variability", rhs(99, 100))),
    "gnc1 centred: 1 % less": (CENTRED, lambda c: changed(c, "GNC1", rhs(99, 100))),
    "gnc1 centred: turned around": (CENTRED, lambda c: changed(c, "GNC1", swap)),
    "gnc2: the own row alone": (MOVES, lambda c: changed(c, "distance", only_own)),
    "gnc2: 1 % less": (MOVES, lambda c: changed(c, "distance", rhs(99, 100))),
    "gnc3: without the factor 2": (
        DUALITY,
        lambda c: changed(c, "distance from the weights", rhs(1, 2)),
    ),
    "gnc3: split of the other sign": (DUALITY, lambda c: changed(c, "split", flip)),
    "gnc3: variability 1 % less": (DUALITY, lambda c: changed(c, "variability", rhs(99, 100))),
    "distances: a third as far": (VANISHES, lambda c: changed(c, "distance", rhs(1, 3))),
    "distances: without n K": (VANISHES, lambda c: changed(c, "distance", without_samples)),
    "distances of a code: 1 % less": (
        LARGEST,
        lambda c: changed(c, "largest in a Softmax code", rhs(99, 100)),
    ),
    "distances of a code: turned around": (
        LARGEST,
        lambda c: changed(c, "largest in a Softmax code", swap),
    ),
    "distances near collapse: 1 % less": (NEAR, lambda c: changed(c, "distance", rhs(99, 100))),
    "distances near collapse: half": (NEAR, lambda c: changed(c, "distance", rhs(1, 2))),
    "square: (K-1)! assignments": (SQUARE, of_factorial(2, 1)),
    "square: best of the other sign": (SQUARE, lambda c: changed(c, "best agreement", flip)),
    "polygon: 1 % more assignments": (POLYGON, of_factorial(101, 100)),
    "polygon: best agreement 1 % larger": (
        POLYGON,
        lambda c: changed(c, "best agreement", lhs(101, 100)),
    ),
}
