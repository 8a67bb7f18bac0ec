"""Errors planted in what is said of margins, of the flow and of its stationary points."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap

LEAST = ("review:eq-15", "printed", "the least value, m >= K - 1")
DIMENSION = ("review:eq-15", "corrected", "in m dimensions")
HALF = ("review:eq-15", "sharp", "half as many dimensions as classes, and more")
BOUND = ("review:remark-margin-bound", "printed", "the bound")
SPLIT = ("review:remark-margin-bound", "sharp", "the gap split into defects")
FLOW = ("review:eq-13", "printed", "the risk and its flow")
CONSERVED = ("review:eq-13", "sharp", "what is conserved, and how norms grow")
KKT = ("review:eq-13", "sharp", "how nearly a point is a KKT point")
QUALIFIED = ("review:remark-kkt", "printed", "the qualification holds")
MULTIPLIERS = ("review:remark-kkt", "corrected", "KKT points with multipliers of norm 1")
DESCENT = ("review:remark-tangent", "corrected", "where a dimension is free")
OPPOSED = ("review:remark-tangent", "sharp", "two classes opposed on a line, a minimum")
BALL = ("review:remark-tangent", "sharp", "what the slope says of all points")


def a_hundredth_more(xp, c, i):
    """Ask for a hundredth more."""
    return replace(c, lhs=c.lhs + xp.exp(0 * c.lhs) / 100)


MUTANTS = {
    "least norm: 1 % more": (LEAST, lambda c: changed(c, "least", lhs(101, 100))),
    "least norm: another value": (LEAST, lambda c: changed(c, "value", rhs(101, 100))),
    "m dimensions: 1 % less margin": (DIMENSION, lambda c: changed(c, "margin", rhs(99, 100))),
    "m dimensions: a line separates none": (
        DIMENSION,
        lambda c: changed(c, "on a line", a_hundredth_more),
    ),
    "opposite pairs: 1 % more norm": (HALF, lambda c: changed(c, "value", rhs(101, 100))),
    "opposite pairs: 1 % more margin": (HALF, lambda c: changed(c, "feasible", lhs(101, 100))),
    "margin bound: 1 % less": (BOUND, lambda c: changed(c, "bound", rhs(99, 100))),
    "margin bound: the other way": (BOUND, lambda c: changed(c, "bound", swap)),
    "margin split: NC1 1 % less": (SPLIT, lambda c: changed(c, "NC1", rhs(9, 10))),
    "margin split: NC3 1 % less": (SPLIT, lambda c: changed(c, "NC3", rhs(9, 10))),
    "margin split: 1 % more": (SPLIT, lambda c: changed(c, "split", rhs(101, 100))),
    "flow: from above, half": (FLOW, lambda c: changed(c, "from above", swap)),
    "flow: from below": (FLOW, lambda c: changed(c, "from below", swap)),
    "flow: unbalanced": (CONSERVED, lambda c: changed(c, "balance", flip)),
    "flow: 1 % more growth": (CONSERVED, lambda c: changed(c, "growth", rhs(101, 100))),
    "flow: more than the margin": (
        CONSERVED,
        lambda c: changed(c, "growth by the margin", lhs(101, 100)),
    ),
    "KKT residual: 1 % more": (KKT, lambda c: changed(c, "stationarity", rhs(101, 100))),
    "KKT residual: a tenth": (KKT, lambda c: changed(c, "complementarity", rhs(1, 10))),
    "qualification: 1 % steeper": (QUALIFIED, lambda c: changed(c, "slope", lhs(101, 100))),
    "qualification: without margins": (QUALIFIED, lambda c: changed(c, "step", rhs(101, 100))),
    "multipliers: 1 % more": (MULTIPLIERS, lambda c: changed(c, "bound", lhs(101, 100))),
    "multipliers: another square": (MULTIPLIERS, lambda c: changed(c, "objective", rhs(101, 100))),
    "descent: 1 % lower": (DESCENT, lambda c: changed(c, "risk", rhs(99, 100))),
    "descent: the other way": (DESCENT, lambda c: changed(c, "on the sphere", swap)),
    "opposed: 1 % more curved": (OPPOSED, lambda c: changed(c, "second derivative", rhs(101, 100))),
    "opposed: twice as definite": (OPPOSED, lambda c: changed(c, "positive definite", lhs(2))),
    "slope: 1 % more risk": (BALL, lambda c: changed(c, "least risk", a_hundredth_more)),
    "slope: the other way": (BALL, lambda c: changed(c, "least risk", swap)),
}
