"""Errors planted in what the metrics of neural collapse say."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap

LAYER = ("review:eq-1", "printed", "the bias added to every column")
FORMS = ("review:eq-2", "printed", "the two forms of the empirical risk")
POPULATION = ("review:eq-2", "printed", "the empirical risk of a fixed network")
SIZES = ("review:eq-2", "sharp", "classes of any sizes")
SEEN = ("review:eq-4", "corrected", "what is seen and what is not")
CDNV = ("review:eq-4", "sharp", "beside CDNV, at a simplex ETF")
SIMPLEX = ("review:eq-5", "printed", "at a simplex ETF")
COSINES = ("review:eq-5", "sharp", "equal cosines alone")
ZERO = ("review:eq-7", "printed", "zero at a simplex ETF")
DIMENSION = ("review:eq-7", "corrected", "which dimension lets it vanish")
NEAR = ("review:eq-7", "sharp", "how near zero, how near a simplex ETF")
ALIGNED = ("review:eq-8", "printed", "zero where weights are aligned with a simplex ETF")
IN_SPAN = ("review:eq-8", "corrected", "a distance in the span of the class means")
NORMS = ("review:eq-8", "sharp", "equal norms, whatever the weights")
RULES = ("review:eq-9", "corrected", "a distance of two rules")
BIAS = ("review:eq-9", "sharp", "weights aligned with a simplex ETF, any bias")
ONE_NUMBER = ("review:remark-collapsed", "sharp", "one number for NC1, NC2 and the centre")
NO_ERROR = ("review:remark-collapsed", "corrected", "no training error")
ERROR = ("review:remark-collapsed", "sharp", "training error from NC1 and NC4")
SQUARES = ("review:remark-nc12-imply-nc34", "corrected", "least squares with weight decay")
MARGIN = ("review:remark-nc12-imply-nc34", "corrected", "the widest margin")


def without_bias(xp, c, i):
    """Outputs at class means without the bias."""
    return replace(c, rhs=c.rhs - i["b"][:, :, None])


def one_sample(xp, c, i):
    """The variance of a mean of N as if it were that of one: N times as large."""
    N = xp.stack([0 * c.lhs[:, 0] + k for k in (1, 2, 3)], axis=1)
    return replace(c, lhs=c.lhs / N)


def any_scale(claim):
    """Weights that are any multiple of the class means."""
    freed = (replace(f, kind="real") if f.name == "scale" else f for f in claim.fields)
    return replace(claim, fields=tuple(freed))


def without_other_rule(xp, c, i):
    """NC4 bounded by the error of the nearest class mean alone, or by half of both."""
    return replace(c, rhs=c.rhs / 2)


def means_may_meet(claim):
    """Gaps of any sign."""
    freed = (replace(f, kind="real") if f.name == "gaps" else f for f in claim.fields)
    return replace(claim, fields=tuple(freed))


MUTANTS = {
    "review (1): class means without the bias": (
        LAYER,
        lambda c: changed(c, "class means", without_bias),
    ),
    "review (1): shift of the other sign": (LAYER, lambda c: changed(c, "shift", flip)),
    "review (3): 1 % more": (FORMS, lambda c: changed(c, "the two forms", rhs(101, 100))),
    "review (3): the other sign": (FORMS, lambda c: changed(c, "the two forms", flip)),
    "review (2): variance without 1/N": (POPULATION, lambda c: changed(c, "variance", one_sample)),
    "review (2): least risk pessimistic": (POPULATION, lambda c: changed(c, "least risk", swap)),
    "review (3): sizes, 1 % less": (SIZES, lambda c: changed(c, "difference", rhs(99, 100))),
    "review (3): sizes, a quarter": (SIZES, lambda c: changed(c, "difference", rhs(1, 4))),
    "review (4): 1 % less": (SEEN, lambda c: changed(c, "seen variance", rhs(99, 100))),
    "review (4): the unseen left out": (
        SEEN,
        lambda c: changed(c, "all variance", rhs(1, 2)),
    ),
    "review (4): CDNV 1 % less": (CDNV, lambda c: changed(c, "beside CDNV", rhs(99, 100))),
    "review (4): CDNV turned around": (CDNV, lambda c: changed(c, "beside CDNV", swap)),
    "review (5): 1 % more": (SIMPLEX, lambda c: changed(c, "(5)", rhs(101, 100))),
    "review (6): the other sign": (SIMPLEX, lambda c: changed(c, "(6)", flip)),
    "review (6): norms of the other sign": (
        COSINES,
        lambda c: changed(c, "norm less mean norm", flip),
    ),
    "review (6): distance 1 % less": (
        COSINES,
        lambda c: changed(c, "distance from the mean norm", rhs(99, 100)),
    ),
    "review (6): equal cosines at a quarter": (
        COSINES,
        lambda c: changed(c, "equal cosines", rhs(1, 4)),
    ),
    "review (7): norm 1 % more": (ZERO, lambda c: changed(c, "norm of M M^T", rhs(101, 100))),
    "review (7): norm of the other sign": (ZERO, lambda c: changed(c, "norm of M M^T", flip)),
    "review (7): norm in few dimensions 1 % more": (
        DIMENSION,
        lambda c: changed(c, "norm of M M^T", lhs(101, 100)),
    ),
    "review (7): NC2 in few dimensions 1 % more": (
        DIMENSION,
        lambda c: changed(c, "NC2", lhs(101, 100)),
    ),
    "review (7): largest value 1 % less": (
        NEAR,
        lambda c: changed(c, "largest value", rhs(99, 100)),
    ),
    "review (7): Gram matrix 1 % nearer": (NEAR, lambda c: changed(c, "Gram matrix", rhs(99, 100))),
    "review (7): cosines half as far": (NEAR, lambda c: changed(c, "cosines", rhs(1, 4))),
    "review (7): norms a quarter as far": (NEAR, lambda c: changed(c, "norms", rhs(1, 4))),
    "review (8): weights of any sign": (ALIGNED, any_scale),
    "review (8): 1 % apart": (
        ALIGNED,
        lambda c: changed(c, "NC3", lambda xp, c, i: replace(c, rhs=c.rhs + 1 / 100)),
    ),
    "review (8): in the span, 1 % more": (
        IN_SPAN,
        lambda c: changed(c, "in the span", rhs(101, 100)),
    ),
    "review (8): self-duality, 1 % less": (
        IN_SPAN,
        lambda c: changed(c, "self-duality", rhs(99, 100)),
    ),
    "review (8): norms, turned around": (NORMS, lambda c: changed(c, "spread of norms", swap)),
    "review (8): norms, a sixteenth": (NORMS, lambda c: changed(c, "spread of norms", rhs(1, 16))),
    "review (9): half": (RULES, lambda c: changed(c, "NC4", without_other_rule)),
    "review (9): training error, 1 % less": (
        RULES,
        lambda c: changed(c, "training error", rhs(99, 100)),
    ),
    "review (9): bias of the other sign": (BIAS, lambda c: changed(c, "anywhere", flip)),
    "review (9): reach 1 % more": (
        BIAS,
        lambda c: changed(c, "at a class mean", rhs(101, 100)),
    ),
    "collapsed: class means that may meet": (NO_ERROR, means_may_meet),
    "collapsed: farther by 1 % more": (
        NO_ERROR,
        lambda c: changed(c, "farther from another mean", rhs(101, 100)),
    ),
    "collapsed: one number, 1 % less": (
        ONE_NUMBER,
        lambda c: changed(c, "variability and centre", rhs(99, 100)),
    ),
    "collapsed: one number of the other sign": (ONE_NUMBER, lambda c: changed(c, "mean", flip)),
    "collapsed: a quarter of the error": (ERROR, lambda c: changed(c, "nearest mean", rhs(1, 4))),
    "collapsed: NC4 and half of NC1": (ERROR, lambda c: changed(c, "training error", rhs(1, 4))),
    "NC1-2: risk 1 % less": (SQUARES, lambda c: changed(c, "least", rhs(99, 100))),
    "NC1-2: farthest instead of nearest": (SQUARES, lambda c: changed(c, "NC4", flip)),
    "NC1-2: margin 1 % less": (MARGIN, lambda c: changed(c, "margin", rhs(99, 100))),
    "NC1-2: alignment 1 % more": (MARGIN, lambda c: changed(c, "alignment", lhs(101, 100))),
}
