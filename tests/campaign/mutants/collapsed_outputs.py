"""Errors planted in what is said of collapsed outputs, of scaling and of outputs in a ball."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap

MEAN = ("review:eq-10", "printed", "1/n times the sum over the samples")
SHARE = ("review:eq-10", "corrected", "by the share of the class, with the excess")
LOSS = ("review:eq-55", "corrected", "the integral of -log Phi_k")
FORM = ("review:eq-55", "sharp", "where Phi_k is not convex")
STRICT = ("review:eq-11", "printed", "margins greater than 0")
EVERY = ("review:eq-11", "sharp", "at every margin")
ORIGIN = ("review:eq-12", "printed", "centre 0")
RIVALS = ("review:eq-12", "corrected", "a centre with equal entries off the class")
CENTRE = ("review:eq-12", "sharp", "a certificate for any centre")
PREIMAGE = (
    "review:remark-preimage",
    "corrected",
    "dimension m - rank A, and the shortest feature",
)


def a_little_more(xp, c, i):
    """Ask for a thousandth more."""
    return replace(c, lhs=c.lhs + xp.exp(0 * c.lhs) / 1000)


MUTANTS = {
    "collapse: a tenth less risk": (MEAN, lambda c: changed(c, "risk", rhs(9, 10))),
    "collapse: the other way": (MEAN, lambda c: changed(c, "risk", swap)),
    "collapse: twice Pinsker": (SHARE, lambda c: changed(c, "at least", lhs(11, 10))),
    "collapse: a ninth of the range": (SHARE, lambda c: changed(c, "at most", rhs(9, 10))),
    "collapse: an eighth of the variance": (SHARE, lambda c: changed(c, "variance", rhs(1, 2))),
    "loss form: 1 % more convex": (LOSS, lambda c: changed(c, "strictly convex", lhs(101, 100))),
    "loss form: the other way": (LOSS, lambda c: changed(c, "integral", swap)),
    "softmax form: another sign": (FORM, lambda c: changed(c, "negative", flip)),
    "softmax form: 1 % more": (FORM, lambda c: changed(c, "form", rhs(101, 100))),
    "scaling: 1 % below epsilon": (STRICT, lambda c: changed(c, "below epsilon", rhs(99, 100))),
    "scaling: 1 % faster": (STRICT, lambda c: changed(c, "rate", rhs(99, 100))),
    "ties: 1 % above the limit": (
        EVERY,
        lambda c: changed(c, "at least the limit", lhs(101, 100)),
    ),
    "ties: misclassified, 1 % more": (EVERY, lambda c: changed(c, "misclassified", lhs(11, 10))),
    "ball: 1 % more loss": (ORIGIN, lambda c: changed(c, "least", lhs(101, 100))),
    "ball: another angle": (ORIGIN, lambda c: changed(c, "simplex", flip)),
    "ball about b: 1 % more loss": (RIVALS, lambda c: changed(c, "least", lhs(101, 100))),
    "ball about b: twice as unique": (RIVALS, lambda c: changed(c, "unique", lhs(2))),
    "ball certificate: a little more": (
        CENTRE,
        lambda c: changed(c, "certificate", a_little_more),
    ),
    "ball certificate: the other way": (CENTRE, lambda c: changed(c, "certificate", swap)),
    "preimage: 1 % more convex": (
        PREIMAGE,
        lambda c: changed(c, "strictly convex", lhs(101, 100)),
    ),
    "preimage: longer than shortest": (PREIMAGE, lambda c: changed(c, "shortest", lhs(2))),
}
