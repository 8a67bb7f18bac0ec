"""Errors planted in what is said of pairs of classes."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, rhs

DIRECTIONS = ("bnwd:sharp-4", "sharp", "mean directions")
LOGITS = ("bnwd:sharp-4", "sharp", "mean logits")
OFF_CLASS = ("bnwd:sharp-4", "sharp", "off-class logits")
GRAM = ("bnwd:sharp-4", "sharp", "Gram matrix")


def squared(xp, c, i):
    """Drop the root of the right-hand side, where it is less than 1."""
    return replace(c, rhs=xp.minimum(c.rhs, c.rhs * c.rhs))


def without_the_linear_term(xp, c, i):
    """Keep only the root of 2G."""
    return replace(c, rhs=xp.sqrt(xp.sqrt(1 + 4 * c.rhs * c.rhs) / 2 - xp.sqrt(1 + 0 * c.rhs) / 2))


MUTANTS = {
    "mean directions: root mean square 1 % smaller": (
        DIRECTIONS,
        lambda c: changed(c, "root mean square", rhs(99, 100)),
    ),
    "mean directions: mean 1 % smaller": (DIRECTIONS, lambda c: changed(c, "mean", rhs(99, 100))),
    "mean directions: root dropped": (
        DIRECTIONS,
        lambda c: changed(c, "root mean square", squared),
    ),
    "mean directions: share of the pairs without the root": (
        DIRECTIONS,
        lambda c: changed(
            c,
            "most pairs",
            lambda xp, q, i: replace(q, lhs=q.lhs / xp.sqrt(xp.mean(i["pairs"], axis=-1)) * 3 / 2),
        ),
    ),
    "mean logits: radius 1 % smaller": (
        LOGITS,
        lambda c: changed(c, "cosine of every pair", rhs(99, 100)),
    ),
    "mean logits: variability 1 % smaller": (
        LOGITS,
        lambda c: changed(c, "variability", rhs(99, 100)),
    ),
    "off-class logits: a sample 1 % smaller": (
        OFF_CLASS,
        lambda c: changed(c, "sample", rhs(99, 100)),
    ),
    "off-class logits: mean 1 % smaller": (OFF_CLASS, lambda c: changed(c, "mean", rhs(99, 100))),
    "off-class logits: the root of 2G alone": (
        OFF_CLASS,
        lambda c: changed(c, "sample", without_the_linear_term),
    ),
    "off-class logits: from the log-odds, 3 % smaller": (
        OFF_CLASS,
        lambda c: changed(c, "mean from the log-odds", rhs(97, 100)),
    ),
    "Gram matrix: mean a fifth smaller": (GRAM, lambda c: changed(c, "mean", rhs(4, 5))),
    "Gram matrix: root dropped": (GRAM, lambda c: changed(c, "mean", squared)),
    "Gram matrix: root mean square a seventh smaller": (
        GRAM,
        lambda c: changed(c, "root mean square", rhs(6, 7)),
    ),
}
