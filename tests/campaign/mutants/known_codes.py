"""Errors planted in what is said of polygons, simplices and cross-polytopes."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, lhs, rhs, swap
from ncbounds.theory.softmax_code.known_codes import planar_code, unevenness

POLYGON = ("gnc:theorem-3.3", "printed", "d = 2")
SIMPLEX = ("gnc:theorem-3.3", "corrected", "K <= d + 1, by inner products")
VERTICES = ("gnc:theorem-3.3", "printed", "d + 1 < K <= 2d")
ORTHOPLEX = ("gnc:remark-orthoplex", "printed", "K >= d + 2")
PLANAR_MEAN = ("gnc:theorem-3.6", "printed", "d = 2")
SIMPLEX_MEAN = ("gnc:theorem-3.6", "printed", "K <= d + 1")
TOUCHING = ("gnc:theorem-3.6", "sharp", "K <= 2d")
PLANAR_TAMMES = ("gnc:theorem-3.8", "printed", "d = 2")
SIMPLEX_TAMMES = ("gnc:theorem-3.8", "printed", "K <= d + 1")
HALF = ("gnc:theorem-3.8", "sharp", "K <= 2d")


def twice_the_rate(xp, c, i):
    """Double the exponent of the unevenness."""
    return replace(c, rhs=c.rhs * xp.exp(-unevenness(xp, planar_code(xp, i["steps"])[2])))


def more_than_nothing(xp, c, i):
    """Ask for a positive inner product."""
    return replace(c, lhs=c.lhs + xp.exp(0 * c.lhs) / 100)


MUTANTS = {
    "polygon: distance 1 % larger": (
        POLYGON,
        lambda c: changed(c, "best directions", rhs(101, 100)),
    ),
    "polygon: direction 1 % better": (
        POLYGON,
        lambda c: changed(c, "any directions", lhs(101, 100)),
    ),
    "polygon: optimum 1 % smaller": (POLYGON, lambda c: changed(c, "optimum", rhs(99, 100))),
    "polygon: twice the rate": (POLYGON, lambda c: changed(c, "optimum", twice_the_rate)),
    "simplex: margin 1 % larger": (SIMPLEX, lambda c: changed(c, "optimum", lhs(101, 100))),
    "simplex: pairs 1 % nearer": (SIMPLEX, lambda c: changed(c, "pairs", rhs(99, 100))),
    "simplex: weights 1 % nearer": (SIMPLEX, lambda c: changed(c, "weights", lhs(101, 100))),
    "cross-polytope: 4/5 instead of 1": (
        VERTICES,
        lambda c: changed(c, "at most 1", rhs(4, 5)),
    ),
    "cross-polytope: vertices 1 % nearer": (
        VERTICES,
        lambda c: changed(c, "vertices", rhs(99, 100)),
    ),
    "orthoplex: no positive inner product": (ORTHOPLEX, lambda c: changed(c, "Rankin", swap)),
    "orthoplex: margin 1 % smaller": (
        ORTHOPLEX,
        lambda c: changed(c, "margin", rhs(99, 100)),
    ),
    "polygon, mean: optimum 1 % smaller": (
        PLANAR_MEAN,
        lambda c: changed(c, "geometric mean", rhs(99, 100)),
    ),
    "polygon, mean: without the rate's K": (
        PLANAR_MEAN,
        lambda c: changed(c, "geometric mean", swap),
    ),
    "simplex, mean: 1 % smaller": (
        SIMPLEX_MEAN,
        lambda c: changed(c, "mean square", rhs(99, 100)),
    ),
    "simplex, mean: 1 % larger distances": (
        SIMPLEX_MEAN,
        lambda c: changed(c, "mean square", lhs(101, 100)),
    ),
    "touching: nearer than a right angle": (
        TOUCHING,
        lambda c: changed(c, "each class", more_than_nothing),
    ),
    "touching: nothing touches": (TOUCHING, lambda c: changed(c, "each class", swap)),
    "plane: one-vs-one 1 % larger": (
        PLANAR_TAMMES,
        lambda c: changed(c, "one-vs-one", lhs(101, 100)),
    ),
    "plane: one-vs-rest 1 % smaller": (
        PLANAR_TAMMES,
        lambda c: changed(c, "one-vs-rest", rhs(99, 100)),
    ),
    "simplex: spread 1 % larger": (
        SIMPLEX_TAMMES,
        lambda c: changed(c, "one-vs-one", lhs(101, 100)),
    ),
    "simplex: spread, pairs 1 % nearer": (
        SIMPLEX_TAMMES,
        lambda c: changed(c, "pairs", rhs(99, 100)),
    ),
    "K <= 2d: a tenth more margin": (HALF, lambda c: changed(c, "midpoints", rhs(9, 10))),
    "K <= 2d: a hundredth of the distance": (
        HALF,
        lambda c: changed(c, "weights", rhs(1, 100)),
    ),
}
