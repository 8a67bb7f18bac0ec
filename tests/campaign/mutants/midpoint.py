"""Errors planted in the midpoint theorem and in what separates Softmax from Tammes codes."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap
from ncbounds.theory.softmax_code.midpoint import midpoints

THEOREM = ("gnc:sharp-1", "sharp", "any code, any directions")
VALUES = ("gnc:conjecture-equivalence", "printed", "equal optimal values")
TOUCHING = ("gnc:sharp-2", "sharp", "two points that touch only each other")
ROOM = ("gnc:sharp-2", "sharp", "how far the two may turn")
BETWEEN = ("gnc:sharp-2", "sharp", "the way between weight and feature")


def wide_midpoints(xp, c, i):
    """Take the margin for the largest inner product, not for one less it."""
    return replace(c, rhs=1 - c.rhs)


def from_weights(xp, c, i):
    """Take the spread of the code for that of its midpoints."""
    m = midpoints(xp, i["w"], i["h"])
    differences = m.w[:, :, None, :] - m.w[:, None, :, :]
    squares = xp.sum(differences * differences, axis=-1) / 2
    K = squares.shape[1]
    pairs = [squares[:, k, j] for k in range(K) for j in range(k)]
    return replace(c, rhs=xp.min(xp.stack(pairs, axis=1), axis=-1))


MUTANTS = {
    "midpoints: half of the pair's distance lost": (
        THEOREM,
        lambda c: changed(c, "pairs", rhs(99, 100)),
    ),
    "midpoints: directions turn no more than lengths": (
        THEOREM,
        lambda c: changed(c, "directions turn no less than lengths", swap),
    ),
    "midpoints: folding gains nothing": (THEOREM, lambda c: changed(c, "folding", swap)),
    "midpoints: margin 1 % larger": (
        THEOREM,
        lambda c: changed(c, "midpoints", lhs(101, 100)),
    ),
    "midpoints: inner product for distance": (
        THEOREM,
        lambda c: changed(c, "midpoints", wide_midpoints),
    ),
    "midpoints: rigidity of the other sign": (THEOREM, lambda c: changed(c, "weights", flip)),
    "values: the code itself instead of its midpoints": (
        VALUES,
        lambda c: changed(c, "Softmax to Tammes", from_weights),
    ),
    "values: margin 1 % larger": (
        VALUES,
        lambda c: changed(c, "Softmax to Tammes", lhs(101, 100)),
    ),
    "values: spread 1 % smaller": (
        VALUES,
        lambda c: changed(c, "Tammes to Softmax", rhs(99, 100)),
    ),
    "two that touch: gap 1 % larger": (TOUCHING, lambda c: changed(c, "the two", rhs(101, 100))),
    "two that touch: margin 1 % larger": (
        TOUCHING,
        lambda c: changed(c, "margin", lhs(101, 100)),
    ),
    "turning: gain 1 % larger": (ROOM, lambda c: changed(c, "the two", rhs(101, 100))),
    "turning: closer by 1 %": (
        ROOM,
        lambda c: changed(c, "closer than they look", lhs(101, 100)),
    ),
    "turning: others 1 % clearer": (ROOM, lambda c: changed(c, "others", lhs(101, 100))),
    "between: 1 % further off": (BETWEEN, lambda c: changed(c, "on the way", lhs(101, 100))),
    "between: no nearer than that": (BETWEEN, lambda c: changed(c, "on the way", swap)),
}
