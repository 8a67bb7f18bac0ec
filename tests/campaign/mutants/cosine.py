"""Errors planted in Jensen's inequality with a variance term and in the cosine lemmas."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mutants.planting import changed, flip, lhs, no_root, rhs, swap, without

# -- Jensen with a variance term ------------------------------------------------------------------

LEMMA_A1 = ("bnwd:lemma-a.1", "printed", "f - c x^2 is convex")
COROLLARY_A1 = ("bnwd:corollary-a.1", "printed", "a gap of at most epsilon")
COROLLARY_A1_EXACT = ("bnwd:corollary-a.1", "printed", "a gap of exactly epsilon")


def more_variance(share, weighted=True):
    """Add a share of c times the variance of the points, weighted or not, to the left side."""

    def change(xp, c, i):
        t = i["shares"] / xp.sum(i["shares"], axis=-1, keepdims=True)
        off = i["x"] - xp.sum(t * i["x"], axis=-1, keepdims=True)
        own, plain = xp.sum(t * off * off, axis=-1), xp.mean(off * off, axis=-1)
        return replace(c, lhs=c.lhs + i["c"] * (own * share if weighted else plain - own))

    return change


MUTANTS = {
    "lemma A.1: constant 1 % larger": (
        LEMMA_A1,
        lambda c: changed(c, "Jensen with variance", more_variance(Fraction(1, 100))),
    ),
    "lemma A.1: the modulus of the other convention": (
        LEMMA_A1,
        lambda c: changed(c, "Jensen with variance", more_variance(1)),
    ),
    "lemma A.1: variance without the weights": (
        LEMMA_A1,
        lambda c: changed(c, "Jensen with variance", more_variance(0, weighted=False)),
    ),
    "lemma A.1: turned around": (LEMMA_A1, lambda c: changed(c, "Jensen with variance", swap)),
    "corollary A.1: constant 1 % smaller": (
        COROLLARY_A1,
        lambda c: changed(c, "variance", rhs(99, 100)),
    ),
    "corollary A.1: a root too many": (
        COROLLARY_A1,
        lambda c: changed(c, "variance", lambda xp, q, i: replace(q, rhs=xp.sqrt(q.rhs))),
    ),
    "corollary A.1: the gap is not bounded": (COROLLARY_A1, lambda c: without(c, "Jensen gap")),
    "corollary A.1, exact gap: factor 2 dropped": (
        COROLLARY_A1_EXACT,
        lambda c: changed(c, "variance", rhs(1, 2)),
    ),
}


# -- cosines --------------------------------------------------------------------------------------

RATIOS = ("bnwd:proposition-ratio-sum", "corrected", "sums over all N")
RATIOS_BOUNDED = (
    "bnwd:proposition-ratio-sum",
    "corrected",
    "bounded ratios, as Lemma A.4 has them",
)
COSINES = ("bnwd:lemma-a.3", "printed", "no feature is zero")
DIRECTION = ("bnwd:lemma-a.4", "printed", "mean of the squared norms")
DIRECTION_SQUARED = ("bnwd:lemma-a.4", "corrected", "squared norm, last line of the proof")
DIRECTION_COSINE = ("bnwd:lemma-a.4", "sharp", "mean cosine, every c >= 0")
MEAN_DIRECTION = ("bnwd:corollary-a.2", "printed", "mean of the squared norms")
BALL = ("bnwd:corollary-a.2", "sharp", "ball around the direction of the mean")
OPPOSED = ("bnwd:lemma-a.5", "printed", "c/(alpha beta), as proved and used")
OPPOSED_TYPESET = ("bnwd:lemma-a.5", "printed", "-c/(alpha beta), as typeset")
OPPOSED_INNER = ("bnwd:lemma-a.5", "sharp", "inner product with w/|w|")
OPPOSED_COSINE = ("bnwd:lemma-a.5", "sharp", "cosine, where the bound is not positive")
INTRA_STEP = ("bnwd:remark-intra-step", "corrected", "constant 8")
LAST_LINE = ("bnwd:remark-inter-step", "printed", "last line")
THIRD_VECTOR = ("bnwd:remark-inter-step", "printed", "vectors, as applied")
HALF_ANGLE = ("bnwd:remark-inter-step", "corrected", "second and third line: sin b")


def gap_share(xp, i):
    """epsilon'/(alpha beta) of an instance of Lemma A.5."""
    return i["epsilon"] / (i["alpha"] * i["beta"])


MUTANTS |= {
    "ratio sum: 1 % larger": (RATIOS, lambda c: changed(c, "sum of ratios", lhs(101, 100))),
    "ratio sum: B without the root": (
        RATIOS,
        lambda c: changed(
            c, "sum of ratios", lambda xp, q, i: replace(q, lhs=q.lhs / xp.sqrt(i["B"]))
        ),
    ),
    "ratio sum, bounded: 1 % larger": (
        RATIOS_BOUNDED,
        lambda c: changed(c, "sum of ratios", lhs(101, 100)),
    ),
    "ratio sum, bounded: ratios not bounded": (RATIOS_BOUNDED, lambda c: without(c, "ratios")),
    "lemma A.3: intra-class cosine not squared": (
        COSINES,
        lambda c: changed(c, "intra-class cosine", lambda xp, q, i: replace(q, rhs=xp.sqrt(q.rhs))),
    ),
    "lemma A.3: inter-class cosine of the other sign": (
        COSINES,
        lambda c: changed(c, "inter-class cosine", flip),
    ),
    "lemma A.4: 2x - 1": (
        DIRECTION,
        lambda c: changed(
            c, "norm", lambda xp, q, i: replace(q, lhs=2 * xp.sqrt((q.lhs + 1) / 2) - 1)
        ),
    ),
    "lemma A.4: 1 % larger": (DIRECTION, lambda c: changed(c, "norm", lhs(101, 100))),
    "lemma A.4: no inner product": (DIRECTION, lambda c: without(c, "mean inner product")),
    "lemma A.4: norms of the v not bounded": (
        DIRECTION,
        lambda c: without(c, "norms of the v"),
    ),
    "lemma A.4, squared: 1 % larger": (
        DIRECTION_SQUARED,
        lambda c: changed(c, "squared norm", lhs(101, 100)),
    ),
    "lemma A.4 sharp: any c": (DIRECTION_COSINE, lambda c: without(c, "c large enough")),
    "lemma A.4 sharp: 1/100 larger": (
        DIRECTION_COSINE,
        lambda c: changed(
            c, "mean cosine", lambda xp, q, i: replace(q, lhs=q.lhs + Fraction(1, 100))
        ),
    ),
    "corollary A.2: 1 % larger": (MEAN_DIRECTION, lambda c: changed(c, "norm", lhs(101, 100))),
    "corollary A.2: the mean is not bounded": (
        MEAN_DIRECTION,
        lambda c: without(c, "norm of the mean"),
    ),
    "corollary A.2 sharp: radius 1 % smaller": (
        BALL,
        lambda c: changed(c, "squared distance", rhs(99, 100)),
    ),
    "corollary A.2 sharp: squared radius V^3": (
        BALL,
        lambda c: changed(
            c, "squared distance", lambda xp, q, i: replace(q, rhs=q.rhs * xp.sqrt(q.rhs))
        ),
    ),
    "corollary A.2 sharp: 1 - V": (
        BALL,
        lambda c: changed(c, "norm", lambda xp, q, i: replace(q, lhs=(q.lhs + 1) / 2)),
    ),
    "lemma A.5: the sign of c": (
        OPPOSED,
        lambda c: changed(
            c,
            "excess of the cosine",
            lambda xp, q, i: replace(q, lhs=q.lhs + 1 - i["rise"] / (i["alpha"] * i["beta"])),
        ),
    ),
    "lemma A.5: 2/3 of t in place of the root": (
        OPPOSED,
        lambda c: changed(
            c, "excess of the cosine", lambda xp, q, i: replace(q, rhs=gap_share(xp, i) * 2 / 3)
        ),
    ),
    "lemma A.5: no w'": (OPPOSED, lambda c: without(c, "mean inner product with w'")),
    "lemma A.5 as typeset: no root, a quarter": (
        OPPOSED_TYPESET,
        lambda c: changed(
            c,
            "excess of the cosine",
            lambda xp, q, i: replace(q, rhs=gap_share(xp, i) / 4),
        ),
    ),
    "lemma A.5 sharp: 5 % smaller": (
        OPPOSED_INNER,
        lambda c: changed(c, "excess of the inner product", rhs(95, 100)),
    ),
    "lemma A.5 sharp, cosine: 1 % larger": (
        OPPOSED_COSINE,
        lambda c: changed(c, "opposition", lhs(101, 100)),
    ),
    "intra step: constant 5": (INTRA_STEP, lambda c: changed(c, "1 - intra", rhs(5, 8))),
    "intra step: eta squared": (INTRA_STEP, lambda c: changed(c, "1 - intra", no_root)),
    "inter step: last line 1 % smaller": (
        LAST_LINE,
        lambda c: changed(
            c,
            "cosine of a - b",
            lambda xp, q, i: replace(
                q, rhs=q.rhs - (q.rhs - xp.cos((1 + i["part_of_a"]) * (xp.pi / 2))) / 100
            ),
        ),
    ),
    "inter step: last line with cos a twice": (
        LAST_LINE,
        lambda c: changed(
            c,
            "cosine of a - b",
            lambda xp, q, i: replace(q, rhs=q.rhs + xp.cos((1 + i["part_of_a"]) * (xp.pi / 2))),
        ),
    ),
    "inter step, half angle: 1 % smaller": (
        HALF_ANGLE,
        lambda c: changed(
            c,
            "cosine of a - b",
            lambda xp, q, i: replace(
                q, rhs=q.rhs - (q.rhs - xp.cos((1 + i["part_of_a"]) * (xp.pi / 2))) / 100
            ),
        ),
    ),
    "inter step, vectors: 1 % smaller": (
        THIRD_VECTOR,
        lambda c: changed(c, "cosine", rhs(99, 100)),
    ),
    "inter step, vectors: factor 2 dropped": (
        THIRD_VECTOR,
        lambda c: changed(c, "cosine", rhs(1, 2)),
    ),
}
