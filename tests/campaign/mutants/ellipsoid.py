"""Errors planted in what is said of the ellipsoids of class means."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, lhs, no_root, rhs, without
from ncbounds.theory.proximity import ellipsoid

MOMENT = ("bnwd:sharp-5", "sharp", "logarithm of a mean of exponentials")
CLASS = ("bnwd:sharp-5", "sharp", "one class")
PAIRS = ("bnwd:sharp-5", "sharp", "pairs of classes")


def half_the_variance(xp, c, i):
    """The constant 1/2, which holds for no a > 0, in place of the depth's."""
    pi = ellipsoid.probabilities(xp, i["weights"])
    u = i["values"] - xp.sum(pi * i["values"], axis=-1)[:, None]
    return replace(c, lhs=xp.sum(pi * u * u, axis=-1) / 2)


def any_curvature(xp, c, i):
    """The constant 1/2 in the ellipsoid: rivals' weights may be any distance apart."""
    e = xp.mean(i["h"], axis=1) - i["shortest"]
    pi = ellipsoid.probabilities(xp, i["weights"])
    seen = xp.sum(i["rivals"] * e[:, None, :], axis=-1)
    off = seen - xp.sum(pi * seen, axis=-1)[:, None]
    return replace(c, lhs=xp.sum(e * e, axis=-1) + xp.sum(pi * off * off, axis=-1) / i["mu"])


def second_order_alone(xp, c, i):
    """The square of what is of first order."""
    return replace(c, rhs=xp.minimum(c.rhs, c.rhs * c.rhs))


MUTANTS = {
    "log-moment: 1 % more": (MOMENT, lambda c: changed(c, "log-moment", lhs(101, 100))),
    "log-moment: half the variance": (
        MOMENT,
        lambda c: changed(c, "log-moment", half_the_variance),
    ),
    "ellipsoid: 1 % less": (CLASS, lambda c: changed(c, "ellipsoid", rhs(99, 100))),
    "ellipsoid: radius squared twice": (CLASS, lambda c: changed(c, "ellipsoid", no_root)),
    "ellipsoid: half the variance": (CLASS, lambda c: changed(c, "ellipsoid", any_curvature)),
    "ellipsoid: 1 % more along h0": (CLASS, lambda c: changed(c, "along h0", lhs(101, 100))),
    "angles of means: a tenth less": (PAIRS, lambda c: changed(c, "class means", rhs(9, 10))),
    "angles of means: no first order": (
        PAIRS,
        lambda c: changed(c, "class means", second_order_alone),
    ),
    "angles of means: of mean directions a tenth less": (
        PAIRS,
        lambda c: changed(c, "mean directions", rhs(9, 10)),
    ),
    "angles of means: on any side of h0": (
        PAIRS,
        lambda c: without(c, "class means on the side of h0"),
    ),
}
