"""Errors planted in the collapse of several classes under the square loss."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, without

EQ_41 = ("square:eq-41", "corrected", "every line, with the sign of (38)")
EQUATIONS = {
    "square:eq-33": ("every network", ("loss",)),
    "square:eq-34": ("both lines, and the scale above them", ("second line", "every scale")),
    "square:eq-35": ("on unit layers, and in rho", ("on the sphere", "step in rho")),
    "square:eq-36": ("the mean over a batch of B = bC", ("step in V_L",)),
    "square:eq-37": ("the norm to first order", ("first line", "norm after the step")),
    "square:eq-38": (
        "both lines, the sums over both terms",
        ("matrix", "with the scale"),
    ),
    "square:eq-39": ("the gradient of a row, split", ("rows",)),
    "square:eq-40": ("one constant, and the step to NC1", ("equation", "one sample exchanged")),
    "square:eq-42": ("the only rows at rest", ("gradient",)),
    "square:eq-43": ("both lines", ("rows", "quotient")),
    "square:eq-44": ("both lines, from (42) and (43)", ("first line",)),
    "square:eq-45": ("both lines", ("first line", "second line")),
    "square:eq-26": ("a balanced data set", ("global mean",)),
}
PROPERTY_2 = ("square:property-2", "sharp", "one multiple, measured by two moments")
LEMMA_7 = ("square:lemma-7", "corrected", "outputs that are free in a ball")
TWO_LAYERS = ("square:lemma-7", "sharp", "the minimum over two-layer networks")
UNCOLLAPSED = ("square:lemma-7", "sharp", "a minimum that has not collapsed")
ALONE = ("square:remark-nc-without-assumption", "sharp", "what equilibrium alone gives")
NEAR = ("square:theorem-6", "corrected", "near equilibrium and near Property 2")
CONVERSE = ("square:theorem-6", "sharp", "conversely, every simplex is at rest")
TOTAL = ("square:eq-27", "corrected", "the within-class sum over all samples")
DIRECTIONS = (
    "square:definition-nc2",
    "printed",
    "equal norms imply that the directions add up to zero",
)
NORMS = ("square:definition-nc2", "sharp", "equal angles imply equal norms")
DUAL = ("square:definition-nc3", "sharp", "a cosine, of centred weights only")


def bare(xp, c, i):
    """The loss without its weight decay."""
    return replace(c, rhs=c.rhs - i["lambda_"] * i["rho"] * i["rho"])


def a_pull(xp, c, i):
    """A pull of its own on every row."""
    return replace(c, lhs=c.lhs + i["rho"][:, None, None])


#: Of every equation, each of the named lines with the sign turned, and the first 1 % off.
LINES = {
    **{
        f"{id}: sign of {name!r}": (
            (id, "printed", reading),
            lambda c, name=name: changed(c, name, flip),
        )
        for id, (reading, names) in EQUATIONS.items()
        for name in names
    },
    **{
        f"{id}: {names[0]!r} 1 % off": (
            (id, "printed", reading),
            lambda c, name=names[0]: changed(c, name, rhs(101, 100)),
        )
        for id, (reading, names) in EQUATIONS.items()
        if len(names) == 1
    },
}

MUTANTS = LINES | {
    "eq. 41: third line 1 % off": (EQ_41, lambda c: changed(c, "third line", rhs(101, 100))),
    "eq. 41: sign of the fourth line": (EQ_41, lambda c: changed(c, "fourth line", flip)),
    "Property 2: deviation 1 % less": (
        PROPERTY_2,
        lambda c: changed(c, "deviation", rhs(99, 100)),
    ),
    "Property 2: mu 1 % smaller": (PROPERTY_2, lambda c: changed(c, "at most one", rhs(99, 100))),
    "free outputs: least loss 1 % larger": (
        LEMMA_7,
        lambda c: changed(c, "least loss", lhs(101, 100)),
    ),
    "free outputs: deviation 1 % smaller": (
        LEMMA_7,
        lambda c: changed(c, "deviation", rhs(99, 100)),
    ),
    "free outputs: not bounded": (LEMMA_7, lambda c: without(c, "bounded outputs")),
    "two layers: least loss 1 % larger": (
        TWO_LAYERS,
        lambda c: changed(c, "least loss", lhs(101, 100)),
    ),
    "two layers: weight decay not counted": (TWO_LAYERS, lambda c: changed(c, "least loss", bare)),
    "uncollapsed: 1 % less": (UNCOLLAPSED, lambda c: changed(c, "least loss", rhs(99, 100))),
    "uncollapsed: collapsed": (UNCOLLAPSED, lambda c: changed(c, "spread", rhs(0))),
    "equilibrium alone: margins 1 % closer": (
        ALONE,
        lambda c: changed(c, "margins", rhs(99, 100)),
    ),
    "equilibrium alone: features 1 % closer": (
        ALONE,
        lambda c: changed(c, "features", rhs(99, 100)),
    ),
    "near collapse: NC1 1 % smaller": (NEAR, lambda c: changed(c, "NC1", rhs(99, 100))),
    "near collapse: weights 1 % smaller": (
        NEAR,
        lambda c: changed(c, "NC2 of the weights", rhs(99, 100)),
    ),
    "near collapse: NC3 1 % smaller": (NEAR, lambda c: changed(c, "NC3", rhs(99, 100))),
    "near collapse: NC4 half": (NEAR, lambda c: changed(c, "NC4", rhs(1, 2))),
    "near collapse: not near equilibrium": (NEAR, lambda c: without(c, "near equilibrium")),
    "near collapse: not near Property 2": (NEAR, lambda c: without(c, "near Property 2")),
    "converse: outputs 1 % smaller": (
        CONVERSE,
        lambda c: changed(c, "Property 2", rhs(99, 100)),
    ),
    "converse: not at rest": (CONVERSE, lambda c: changed(c, "at rest", a_pull)),
    "covariances: 1 % less": (TOTAL, lambda c: changed(c, "total", rhs(99, 100))),
    "covariances: sign": (TOTAL, lambda c: changed(c, "total", flip)),
    "directions: sign": (DIRECTIONS, lambda c: changed(c, "sum of directions", flip)),
    "directions: mean cosine of the other sign": (
        DIRECTIONS,
        lambda c: changed(c, "mean cosine", lhs(-1)),
    ),
    "equal angles: spread 1 % less": (
        NORMS,
        lambda c: changed(c, "excess of the angles", rhs(99, 100)),
    ),
    "equal angles: norms 1 % closer": (NORMS, lambda c: changed(c, "norms", rhs(99, 100))),
    "NC3: distance 1 % less": (DUAL, lambda c: changed(c, "squared distance", rhs(99, 100))),
    "NC3: least distance 1 % larger": (DUAL, lambda c: changed(c, "least distance", lhs(101, 100))),
}
