"""Errors planted in the corrected and sharp forms of theorems 2.1 and 2.2 of `bnwd`."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, lhs, rhs, swap, without

MAIN_TEXT = ("bnwd:theorem-2.1", "printed", "main text, constants that depend on C")
OF_MOST = ("bnwd:theorem-2.1", "corrected", "every constant explicit")
WITH_DECAY = ("bnwd:theorem-2.2", "corrected", "every constant explicit")
GAP = ("bnwd:theorem-2.2", "sharp", "identity (gap-reg)")
REGULARISED = ("bnwd:theorem-2.2", "sharp", "guarantee from the regularised loss")
A_PRIORI = ("bnwd:theorem-2.2", "sharp", "a priori")
NORMS_OF_MOST = ("bnwd:eq-20", "sharp", "the modulus at the mean")

COSINE, INTRA, INTER = (
    "cosine of weights and class means",
    "intra-class cosine",
    "inter-class cosine",
)


def nearer_to_one(divisor):
    """Divide by a number what a lower bound allows below 1."""
    return lambda xp, c, i: replace(c, lhs=1 - (1 - c.lhs) / divisor)


def nearer_to_simplex(divisor):
    """Divide by a number what an upper bound allows above -1/(C-1)."""

    def change(xp, c, i):
        simplex = (0 * c.rhs - 1) / (i["w"].shape[1] - 1)
        return replace(c, rhs=simplex + (c.rhs - simplex) / divisor)

    return change


MUTANTS = {
    "theorem 2.1, main text: constant over 10^3 within classes": (
        MAIN_TEXT,
        lambda c: changed(c, INTRA, nearer_to_one(1000)),
    ),
    "theorem 2.1, main text: every loss": (MAIN_TEXT, lambda c: without(c, "near-optimal loss")),
    "theorem 2.1 explicit: every loss": (OF_MOST, lambda c: without(c, "near-optimal loss")),
    "theorem 2.1 explicit: eta over 10^3 for the weights": (
        OF_MOST,
        lambda c: changed(c, COSINE, nearer_to_one(1000)),
    ),
    "theorem 2.1 explicit: eta over 10^3 within classes": (
        OF_MOST,
        lambda c: changed(c, INTRA, nearer_to_one(1000)),
    ),
    "theorem 2.1 explicit: the root of eta over 10^3 between classes": (
        OF_MOST,
        lambda c: changed(c, INTER, nearer_to_simplex(1000)),
    ),
    "theorem 2.1 explicit: features without a bound": (
        OF_MOST,
        lambda c: without(c, "feature norms"),
    ),
    "theorem 2.2 explicit: every loss": (
        WITH_DECAY,
        lambda c: without(c, "near-optimal regularised loss"),
    ),
    "theorem 2.2 explicit: product 1 % smaller": (
        WITH_DECAY,
        lambda c: changed(c, "product of norms, at most", rhs(99, 100)),
    ),
    "theorem 2.2 explicit: product 1 % larger": (
        WITH_DECAY,
        lambda c: changed(c, "product of norms, at least", lhs(101, 100)),
    ),
    "theorem 2.2 (gap-reg): split off by 1 %": (
        GAP,
        lambda c: changed(c, "split of the gap", rhs(99, 100)),
    ),
    "theorem 2.2 (gap-reg): spread of the other sign": (
        GAP,
        lambda c: changed(c, "spread of margins >= 0", swap),
    ),
    "theorem 2.2 (gap-reg): excess of the other sign": (
        GAP,
        lambda c: changed(c, "off-class excess >= 0", swap),
    ),
    "theorem 2.2 sharp: margin 1 % larger": (
        REGULARISED,
        lambda c: changed(c, "margin of the loss", lhs(101, 100)),
    ),
    "theorem 2.2 sharp: NC1 1 % smaller": (
        REGULARISED,
        lambda c: changed(c, "NC1", rhs(99, 100)),
    ),
    "theorem 2.2 sharp: NC3 1 % smaller": (
        REGULARISED,
        lambda c: changed(c, "NC3", rhs(99, 100)),
    ),
    "theorem 2.2 sharp: distance 1 % smaller": (
        REGULARISED,
        lambda c: changed(c, "distance", rhs(99, 100)),
    ),
    "theorem 2.2 sharp: simple bound 1 % smaller": (
        REGULARISED,
        lambda c: changed(c, "simple", rhs(99, 100)),
    ),
    "theorem 2.2 sharp: every regularised loss": (
        REGULARISED,
        lambda c: without(c, "near-optimal regularised loss"),
    ),
    "theorem 2.2 a priori: margin 1 % larger": (
        A_PRIORI,
        lambda c: changed(c, "margin of the loss", lhs(101, 100)),
    ),
    "theorem 2.2 a priori: alignment 10 % larger": (
        A_PRIORI,
        lambda c: changed(c, "alignment", lhs(110, 100)),
    ),
    "theorem 2.2 a priori: every regularised loss": (
        A_PRIORI,
        lambda c: without(c, "optimal for a larger weight decay"),
    ),
    "(20) sharp: 1 % of the square of alpha beta less": (
        NORMS_OF_MOST,
        lambda c: changed(
            c,
            "norms",
            lambda xp, q, i: replace(q, lhs=q.lhs + (i["alpha"] * i["beta"]) ** 2 / 100),
        ),
    ),
    "(20) sharp: without what the margins give": (
        NORMS_OF_MOST,
        lambda c: changed(
            c, "norms", lambda xp, q, i: replace(q, rhs=(i["alpha"] * i["beta"]) ** 2)
        ),
    ),
}
