"""Errors planted in margins of two classes at convergence, their collapse, and steps of SGD."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, rhs, swap

PROPERTY = ("square:property-1", "printed", "by mean and variance of the margins")
POLYNOMIAL = ("square:eq-28", "printed", "identity")
REDUCED = ("square:eq-29", "printed", "line by line")
EQUAL = ("square:lemma-6", "corrected", "beside equal margins")
OPPOSITE = ("square:lemma-6", "sharp", "two samples of opposite labels, two-layer networks")
COLLAPSE = (
    "square:theorem-5",
    "corrected",
    "class means, 0 < epsilon < 1, features of any sign",
)
NEAR = ("square:theorem-5", "sharp", "near collapse, by lengths of steps")
RELU = ("square:theorem-5", "sharp", "features behind a ReLU never rest")
STEP = ("square:eq-30", "printed", "derivative of the loss of one sample")
MULTIPLIER = ("square:eq-31", "printed", "to first order in eta")
EXACT = ("square:eq-31", "sharp", "unit norm exactly")
PROJECTED = ("square:eq-32", "printed", "with the multiplier of (31)")
UPDATES = ("square:eq-46", "corrected", "data terms with a plus")


def without_square(xp, c, i):
    """The polynomial without lambda rho^2."""
    return replace(c, rhs=c.rhs - i["lambda_"] * i["rho"] * i["rho"])


def double_decay(xp, c, i):
    """The update of rho with 4 eta lambda rho."""
    return replace(c, rhs=c.rhs - 2 * i["eta"] * i["lambda_"] * i["rho"])


def any_features(claim):
    """The claim about features before their ReLU, by way of features shifted below zero."""

    def judge(xp, **instance):
        judged = claim.judge(xp, **instance)
        plain = xp.mean(instance["plus"], axis=1), xp.mean(instance["minus"], axis=1)
        square = [xp.sum(v * v, axis=-1) for v in (*plain, plain[0] + plain[1])]
        steps, means = judged.conclusions
        return replace(
            judged,
            conclusions=(steps, replace(means, lhs=square[0] + square[1], rhs=square[2])),
        )

    return replace(claim, judge=judge)


MUTANTS = {
    "property 1: 1 % less": (PROPERTY, lambda c: changed(c, "each margin", rhs(99, 100))),
    "property 1: turned around": (PROPERTY, lambda c: changed(c, "each margin", swap)),
    "problem in rho: sign": (POLYNOMIAL, lambda c: changed(c, "equation (28)", flip)),
    "problem in rho: without lambda": (
        POLYNOMIAL,
        lambda c: changed(c, "equation (28)", without_square),
    ),
    "without rho: line 4 1 % larger": (
        REDUCED,
        lambda c: changed(c, "line 4 of (29)", rhs(101, 100)),
    ),
    "without rho: 1 % lower": (REDUCED, lambda c: changed(c, "least over rho", rhs(99, 100))),
    "equal margins: 1 % lower": (EQUAL, lambda c: changed(c, "least loss", rhs(99, 100))),
    "equal margins: gap turned around": (
        EQUAL,
        lambda c: changed(c, "gap of equal margins", swap),
    ),
    "equal margins: excess of the other sign": (
        EQUAL,
        lambda c: changed(c, "excess over equal margins", flip),
    ),
    "two samples: 1 % lower": (OPPOSITE, lambda c: changed(c, "least loss", rhs(99, 100))),
    "two samples: margins 1 % larger": (
        OPPOSITE,
        lambda c: changed(c, "margins", rhs(101, 100)),
    ),
    "two samples: rank one": (OPPOSITE, lambda c: changed(c, "rank two", rhs(0))),
    "collapse: NC2 of the same sign": (COLLAPSE, lambda c: changed(c, "NC2", flip)),
    "collapse: NC4 without the factor 4": (COLLAPSE, lambda c: changed(c, "NC4", rhs(1, 4))),
    "near collapse: NC2 1 % less": (NEAR, lambda c: changed(c, "NC2", rhs(99, 100))),
    "near collapse: NC1 1 % less": (NEAR, lambda c: changed(c, "NC1, class +", rhs(99, 100))),
    "near collapse: distance halved": (
        NEAR,
        lambda c: changed(c, "distance, class -", rhs(1, 2)),
    ),
    "restless: steps 1 % less": (
        RELU,
        lambda c: changed(c, "steps of two samples", rhs(99, 100)),
    ),
    "restless: without the ReLU": (RELU, any_features),
    "step: sign": (STEP, lambda c: changed(c, "equation (30), y = 1", flip)),
    "step: 1 % longer": (STEP, lambda c: changed(c, "equation (30), y = -1", rhs(101, 100))),
    "multiplier: half": (MULTIPLIER, lambda c: changed(c, "first line of (31), y = 1", rhs(1, 2))),
    "multiplier: sign": (MULTIPLIER, lambda c: changed(c, "first line of (31), y = -1", flip)),
    "exact multiplier: turned around": (EXACT, lambda c: changed(c, "at least", swap)),
    "exact multiplier: norm 1 % larger": (
        EXACT,
        lambda c: changed(c, "unit norm", rhs(101, 100)),
    ),
    "projected: sign": (PROJECTED, lambda c: changed(c, "equation (32), y = 1", flip)),
    "projected: norm 1": (
        PROJECTED,
        lambda c: changed(c, "new norm, y = -1", lambda xp, c, i: replace(c, rhs=0 * c.rhs + 1)),
    ),
    "updates: twice the decay": (UPDATES, lambda c: changed(c, "rho", double_decay)),
    "updates: layer of the other sign": (UPDATES, lambda c: changed(c, "layer", flip)),
}
