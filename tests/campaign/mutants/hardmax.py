"""Errors planted in what is said of the HardMax problem."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, lhs, no_root, rhs, swap

DISTANCE = ("gnc:definition-2.1", "sharp", "enclosed from both sides")
RATTLERS = ("gnc:definition-3.4", "sharp", "rattlers of both problems")
CLASSIFIER = ("gnc:theorem-3.2", "printed", "an element of the maximisers")
COLLAPSE = ("gnc:theorem-3.5", "corrected", "optimum above zero")
SELF_DUAL = ("gnc:eq-10", "printed", "objective and optimal value")
TAMMES = ("gnc:eq-11", "printed", "objective")
DUALITY = ("gnc:theorem-3.7", "printed", "no rattlers")


def sum_for_mean(xp, c, i):
    """Take the sum of both margins for their mean."""
    return replace(c, lhs=2 * c.lhs)


MUTANTS = {
    "distance: direction 1 % better": (
        DISTANCE,
        lambda c: changed(c, "any direction", lhs(101, 100)),
    ),
    "distance: what exceeds the point is forgotten": (
        DISTANCE,
        lambda c: changed(c, "direction away from the point", rhs(101, 100)),
    ),
    "rattlers: sum of the margins": (
        RATTLERS,
        lambda c: changed(c, "Softmax to Tammes", sum_for_mean),
    ),
    "rattlers: margin 1 % larger": (
        RATTLERS,
        lambda c: changed(c, "Softmax to Tammes", lhs(101, 100)),
    ),
    "rattlers: spread 1 % larger": (
        RATTLERS,
        lambda c: changed(c, "Tammes to Softmax", rhs(101, 100)),
    ),
    "classifier: features 1 % better": (
        CLASSIFIER,
        lambda c: changed(c, "any features", lhs(101, 100)),
    ),
    "classifier: value 1 % better": (
        CLASSIFIER,
        lambda c: changed(c, "directions away", rhs(101, 100)),
    ),
    "collapse: features 1 % nearer": (COLLAPSE, lambda c: changed(c, "features", rhs(99, 100))),
    "collapse: distance for its square": (COLLAPSE, lambda c: changed(c, "features", no_root)),
    "self-dual: objective 1 % larger": (
        SELF_DUAL,
        lambda c: changed(c, "objective", rhs(101, 100)),
    ),
    "self-dual: 1 % better than any": (
        SELF_DUAL,
        lambda c: changed(c, "no loss", lhs(101, 100)),
    ),
    "Tammes: without the half": (TAMMES, lambda c: changed(c, "objective", rhs(2))),
    "Tammes: one-vs-rest beyond one-vs-one": (
        TAMMES,
        lambda c: changed(c, "one-vs-rest", lhs(101, 100)),
    ),
    "self-duality: 2 for 4": (DUALITY, lambda c: changed(c, "features", rhs(1, 2))),
    "self-duality: the other way": (DUALITY, lambda c: changed(c, "features", swap)),
    "self-duality: spread 1 % larger": (
        DUALITY,
        lambda c: changed(c, "spread", rhs(101, 100)),
    ),
}
