"""Errors planted in what is said of one class where the last layer is known."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, lhs, no_root, rhs, swap, without
from ncbounds.theory.proximity.one_class import entropy, probabilities

CLASS = ("bnwd:sharp-3", "sharp", "class mean")
COSINE = ("bnwd:sharp-3", "sharp", "mean cosine")
SPLIT = ("bnwd:sharp-3", "sharp", "identity (gap-W)")
NORMS = ("bnwd:sharp-3", "sharp", "equal norms")


def entropy_twice(xp, c, i):
    """Count the entropy of the probabilities twice."""
    return replace(c, lhs=c.lhs + entropy(xp, probabilities(xp, i["weights"])))


def bias_twice(xp, c, i):
    """Count the mean offset twice."""
    pi = probabilities(xp, i["weights"])
    return replace(c, lhs=c.lhs + xp.sum(pi * i["offsets"], axis=-1))


MUTANTS = {
    "one class: margin 1 % larger": (CLASS, lambda c: changed(c, "margin", lhs(101, 100))),
    "one class: the entropy twice": (CLASS, lambda c: changed(c, "margin", entropy_twice)),
    "one class: the bias twice": (CLASS, lambda c: changed(c, "margin", bias_twice)),
    "one class: the mean loss better than the log-odds": (
        CLASS,
        lambda c: changed(c, "margin from the mean loss", swap),
    ),
    "one class: variability 1 % smaller": (
        CLASS,
        lambda c: changed(c, "variability", rhs(99, 100)),
    ),
    "one class: variability squared": (CLASS, lambda c: changed(c, "variability", no_root)),
    "one class: cosine 1 % larger": (CLASS, lambda c: changed(c, "cosine", lhs(101, 100))),
    "one class: norm 1 % larger": (CLASS, lambda c: changed(c, "norm", lhs(101, 100))),
    "one class: any a": (CLASS, lambda c: without(c, "a not negative")),
    "samples of a class: mean cosine 1 % larger": (
        COSINE,
        lambda c: changed(c, "mean cosine", lhs(101, 100)),
    ),
    "samples of a class: the others cost nothing": (
        COSINE,
        lambda c: changed(
            c,
            "mean cosine",
            lambda xp, q, i: replace(q, lhs=q.lhs + 1 - xp.mean(i["chosen"], axis=-1)),
        ),
    ),
    "samples of a class: any samples": (
        COSINE,
        lambda c: without(c, "chosen samples have a margin"),
    ),
    "samples of a class: intra-class cosine without the square": (
        COSINE,
        lambda c: changed(c, "intra-class cosine", lambda xp, q, i: replace(q, lhs=xp.sqrt(q.lhs))),
    ),
    "gap-W: split off by 1 %": (
        SPLIT,
        lambda c: changed(c, "split of the mean square", rhs(99, 100)),
    ),
    "gap-W: off-class logits of the other sign": (
        SPLIT,
        lambda c: changed(c, "excess of off-class logits >= 0", swap),
    ),
    "gap-W: 1 % less than h* allows": (
        SPLIT,
        lambda c: changed(c, "no probabilities do better", rhs(99, 100)),
    ),
    "equal norms: deviation 1 % smaller": (NORMS, lambda c: changed(c, "deviation", rhs(99, 100))),
    "equal norms: coefficient of variation 1 % smaller": (
        NORMS,
        lambda c: changed(c, "coefficient of variation", rhs(99, 100)),
    ),
}
