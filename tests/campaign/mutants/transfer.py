"""Errors planted in the theory of transfer and depth of `review`."""

from __future__ import annotations

from mutants.planting import changed, lhs, rhs, swap, without

LAWS = ("review:eq-51", "printed", "laws and a second formula")
NEAREST = ("review:eq-51", "sharp", "errors of the nearest class mean")
DEVIATIONS = ("review:eq-52", "printed", "from the deviations of means and variances")
BALL = ("review:eq-52", "corrected", "features in a ball, from the samples alone")
SAMPLES = ("review:eq-52", "sharp", "means and variances of samples")
LEAST = (
    "review:remark-etf-distance",
    "corrected",
    "the least distance, and the mean over the pairs",
)
SIMPLEX = ("review:remark-etf-distance", "sharp", "only near a simplex ETF")
DEPTH = ("review:definition-depth", "sharp", "for networks that reach epsilon at some layer")
BY_CDNV = ("review:definition-depth", "sharp", "effective depth by CDNV")
NEEDED = ("review:eq-53", "corrected", "where a large error makes a network deep")
AVERAGE = (
    "review:remark-source-cdnv",
    "corrected",
    "the average over pairs, and how far it is off",
)
LINEAR = ("review:eq-54", "printed", "nearest class means, up to scaling")
PAIRS = ("review:eq-54", "sharp", "pair by pair, never more than 1")

#: name -> key, conclusion, change
_TABLE = {
    "CDNV: without the factor 1/2": (LAWS, "by distances of two points", rhs(2)),
    "CDNV: a variance of ordered pairs": (LAWS, "variance by pairs", rhs(2)),
    "nearest mean: two classes, 1 % tighter": (NEAREST, "two classes", rhs(99, 100)),
    "nearest mean: lines, 1 % tighter": (NEAREST, "by variances along the lines", rhs(99, 100)),
    "nearest mean: K - 1 forgotten": (NEAREST, "by the mean CDNV", rhs(99, 100)),
    "nearest mean: the other class, half": (NEAREST, "by the nearest other class", rhs(1, 2)),
    "equation 52: 1 % tighter": (DEVIATIONS, "(52)", rhs(99, 100)),
    "equation 52: the other way round": (DEVIATIONS, "(52)", swap),
    "equation 52, ball: the root 1 % smaller": (BALL, "deviation of the first", rhs(99, 100)),
    "equation 52, ball: the distance 1 % smaller": (BALL, "distance of the means", rhs(99, 100)),
    "equation 52, ball: CDNV 1 % smaller": (BALL, "CDNV", rhs(99, 100)),
    "samples: variance of the mean 1 % less": (SAMPLES, "of the mean", rhs(99, 100)),
    "samples: unbiased variance": (SAMPLES, "of the variance", lhs(101, 100)),
    "samples: Chebyshev 2 % tighter": (SAMPLES, "mean far off", rhs(98, 100)),
    "samples: lower tail squared": (
        SAMPLES,
        "squares too small",
        lambda xp, c, i: type(c)(c.name, c.lhs, c.rhs**4, c.relation),
    ),
    "class means: mean over the pairs 1 % more": (LEAST, "mean over the pairs", rhs(101, 100)),
    "class means: least 1 % tighter": (LEAST, "least over the pairs", rhs(99, 100)),
    "near the simplex: common mean 1 % smaller": (SIMPLEX, "common mean", rhs(99, 100)),
    "near the simplex: half the distance": (SIMPLEX, "Gram matrix", rhs(1, 4)),
    "depth: minimal depth one less": (
        DEPTH,
        "minimal depth",
        lambda xp, c, i: type(c)(c.name, c.lhs, c.rhs - 1 / 2, c.relation),
    ),
    "depth: grows with epsilon": (DEPTH, "larger epsilon", swap),
    "depth: no layer reaches epsilon": (DEPTH, "a layer reaches epsilon", None),
    "depth by CDNV: 1 % tighter": (BY_CDNV, "error of each layer", rhs(99, 100)),
    "depth by CDNV: a layer earlier": (
        BY_CDNV,
        "effective depth",
        lambda xp, c, i: type(c)(c.name, c.lhs, c.rhs - 1 / 2, c.relation),
    ),
    "equation 53: 1 % tighter": (NEEDED, "(53)", rhs(99, 100)),
    "equation 53, sharper: 1 % tighter": (NEEDED, "sharper", rhs(99, 100)),
    "source classes: as typeset": (AVERAGE, "on average", rhs(2)),
    "source classes: range 1 % smaller": (AVERAGE, "largest", rhs(99, 100)),
    "source classes: half the failures": (
        AVERAGE,
        "probability",
        lambda xp, c, i: type(c)(c.name, c.lhs + i["delta"][:, None] / 2, c.rhs, c.relation),
    ),
    "transfer: a twelfth of the constant": (LINEAR, "two classes, one sample", rhs(1, 12)),
    "transfer: the other way round": (LINEAR, "two classes, two samples", swap),
    "transfer, pairs: half": (PAIRS, "two classes, one sample", rhs(1, 2)),
    "transfer, pairs: concavity 1 % better": (
        PAIRS,
        "two classes, two samples, by the mean",
        rhs(99, 100),
    ),
}


def _mutant(conclusion, change):
    if change is None:
        return lambda claim: without(claim, conclusion)
    return lambda claim: changed(claim, conclusion, change)


MUTANTS = {
    name: (key, _mutant(conclusion, change)) for name, (key, conclusion, change) in _TABLE.items()
}
