"""Errors planted in the regularised square loss of free features."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap

LINES = ("review:eq-29", "printed", "line by line, without bias")
LEAST = ("review:eq-29", "sharp", "the least value and what is beyond it, for every m")
UNEQUAL = ("review:eq-29", "sharp", "classes of unequal sizes")
WEIGHTS = ("review:remark-mse-closed-form", "printed", "weights at rest")
NEAR = ("review:remark-mse-closed-form", "corrected", "near the least value, rho below 1")
FREE_BIAS = ("review:remark-mse-closed-form", "printed", "a bias without penalty")
AT_REST = ("review:remark-mse-closed-form", "sharp", "the global mean at rest")
BIAS = ("review:remark-mse-closed-form", "sharp", "every weight decay of the bias")
TURNED = ("review:eq-30", "corrected", "with 1/N on the left")
BEST = ("review:eq-30", "sharp", "every invertible D, and least squares")
FLOW = ("review:eq-31", "corrected", "with a minus, in singular values")
MEETING = ("review:eq-31", "sharp", "how fast singular values meet")
EXTENDED = ("review:eq-36", "printed", "line by line")
FACTORS = ("review:eq-36", "sharp", "the least value of M factors, and the jump to it")
PARTS_OF_38 = ("review:eq-38", "printed", "every number of classes, any width")
FRAMES = ("review:eq-39", "corrected", "m at least K, below the threshold")


def as_if_wide(xp, c, i):
    """The least value with as many features as classes, and no fewer."""
    return replace(c, lhs=c.lhs + 0 * c.lhs + 1 / (2 * (0 * c.lhs + i["F"].shape[1])))


MUTANTS = {
    "square (29): turned around": (LINES, lambda c: changed(c, "third line", swap)),
    "square (29): nothing lost": (
        LINES,
        lambda c: changed(
            c, "what is lost", lambda xp, each, i: replace(each, rhs=2 * each.rhs - each.lhs / 2)
        ),
    ),
    "square least: 1 % more": (LEAST, lambda c: changed(c, "least", lhs(101, 100))),
    "square least: a class less given up": (LEAST, lambda c: changed(c, "least", as_if_wide)),
    "square least: half the squares": (LEAST, lambda c: changed(c, "squares", rhs(1, 2))),
    "unequal classes: 1 % more": (UNEQUAL, lambda c: changed(c, "least", lhs(101, 100))),
    "unequal classes: attained at 1 % more": (
        UNEQUAL,
        lambda c: changed(c, "attained", rhs(101, 100)),
    ),
    "weights at rest: half": (WEIGHTS, lambda c: changed(c, "at rest", rhs(1, 2))),
    "weights at rest: sign": (WEIGHTS, lambda c: changed(c, "all other weights", flip)),
    "near the least: frame within half": (
        NEAR,
        lambda c: changed(c, "orthogonal frame", rhs(1, 2)),
    ),
    "near the least: spread 1 % less": (
        NEAR,
        lambda c: changed(c, "within classes", rhs(98, 100)),
    ),
    "free bias: sign": (FREE_BIAS, lambda c: changed(c, "subtracts the mean", flip)),
    "free bias: turned around": (FREE_BIAS, lambda c: changed(c, "least", swap)),
    "mean at rest: sign": (AT_REST, lambda c: changed(c, "global mean", flip)),
    "mean at rest: half the bias": (AT_REST, lambda c: changed(c, "bias", rhs(1, 2))),
    "penalised bias: 1 % more": (BIAS, lambda c: changed(c, "least", lhs(101, 100))),
    "penalised bias: half": (BIAS, lambda c: changed(c, "squares", rhs(1, 2))),
    "(30): sign": (TURNED, lambda c: changed(c, "equation (30)", flip)),
    "(30): determinants doubled": (TURNED, lambda c: changed(c, "determinants", rhs(2))),
    "least squares: half the cost": (BEST, lambda c: changed(c, "other weights", rhs(1, 2))),
    "least squares: sign": (BEST, lambda c: changed(c, "equation (30)", flip)),
    "renormalised: half the risk": (FLOW, lambda c: changed(c, "risk", rhs(1, 2))),
    "renormalised: sign of the gradient": (FLOW, lambda c: changed(c, "gradient", flip)),
    "renormalised: clock twice as fast": (FLOW, lambda c: changed(c, "clock", rhs(2))),
    "meeting: 1 % sooner": (MEETING, lambda c: changed(c, "difference", rhs(99, 100))),
    "meeting: turned around": (MEETING, lambda c: changed(c, "difference", swap)),
    "square (37): turned around": (EXTENDED, lambda c: changed(c, "third line", swap)),
    "square (37): equality at half": (
        EXTENDED,
        lambda c: changed(c, "equality under NC1", rhs(1, 2)),
    ),
    "factors: growth 1 % more": (FACTORS, lambda c: changed(c, "growth", lhs(101, 100))),
    "factors: zero 1 % sooner": (
        FACTORS,
        lambda c: changed(c, "zero from the threshold on", lhs(101, 100)),
    ),
    "sub-problems: 1 % more": (
        PARTS_OF_38,
        lambda c: changed(c, "first sub-problem", lhs(101, 100)),
    ),
    "sub-problems: turned around": (PARTS_OF_38, lambda c: changed(c, "second sub-problem", swap)),
    "frames: outputs within half": (FRAMES, lambda c: changed(c, "mean outputs", rhs(1, 2))),
    "frames: balance doubled": (
        FRAMES,
        lambda c: changed(c, "balance of the layers", rhs(2)),
    ),
}
