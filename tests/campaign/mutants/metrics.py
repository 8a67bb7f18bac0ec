"""Errors planted in the simplex ETF, the cosine similarities, and what NC1 and NC2 imply."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, rhs

SIMPLEX = ("bnwd:definition-1.1", "printed", "pairwise cosines")
SMALL_SIMPLEX = ("bnwd:definition-1.1", "corrected", "pairwise cosines from d = C - 1 on")
NO_WIDER = ("bnwd:definition-1.1", "sharp", "no arrangement is wider")
COSINES = ("bnwd:definition-cosine", "sharp", "from one mean direction a class")
NC1 = ("bnwd:remark-nc-implies-cosine", "printed", "NC1")
NC1_NC2 = ("bnwd:remark-nc-implies-cosine", "printed", "NC1 and NC2")
NEARLY = ("bnwd:remark-nc-implies-cosine", "sharp", "nearly NC1 and NC2")


def over_classes(more):
    """-1/C in place of -1/(C-1), for `more` classes than there are mirrors."""

    def change(xp, c, i):
        C = i["mirrors"].shape[1] + more
        return replace(c, rhs=c.rhs * (C - 1) / C)

    return change


def with_itself(xp, c, i):
    """Pairs of different samples as if the pairs i = j were among them."""
    N = i["h"].shape[2]
    return replace(c, rhs=(c.rhs * (N - 1) + 1) / N)


def any_sign(claim):
    """Scales of any sign."""
    freed = (replace(f, kind="real") if f.name == "scales" else f for f in claim.fields)
    return replace(claim, fields=tuple(freed))


def less_loss(share_above, share_below):
    """(1 - 2 share V)^2 in place of (1 - 2V)^2."""

    def change(xp, c, i):
        root = 1 - (1 - xp.sqrt(c.lhs)) * share_above / share_below
        return replace(c, lhs=root * root)

    return change


MUTANTS = {
    "simplex: cosines -1/C": (
        SIMPLEX,
        lambda c: changed(c, "pairwise cosines", over_classes(0)),
    ),
    "simplex: distances alpha": (SIMPLEX, lambda c: changed(c, "squared distances", rhs(1, 2))),
    "simplex: norms 1 % larger": (SIMPLEX, lambda c: changed(c, "squared norms", rhs(101, 100))),
    "simplex, d = C - 1: cosines -1/C": (
        SMALL_SIMPLEX,
        lambda c: changed(c, "pairwise cosines", over_classes(1)),
    ),
    "simplex, d = C - 1: cosines of the other sign": (
        SMALL_SIMPLEX,
        lambda c: changed(c, "pairwise cosines", flip),
    ),
    "no wider: 1 % wider": (NO_WIDER, lambda c: changed(c, "largest cosine", rhs(99, 100))),
    "no wider: sign of the mean": (NO_WIDER, lambda c: changed(c, "mean cosine", flip)),
    "cosines: i = j counted among different samples": (
        COSINES,
        lambda c: changed(c, "intra-class, different samples", with_itself),
    ),
    "cosines: mean inter-class of the other sign": (
        COSINES,
        lambda c: changed(c, "mean inter-class", flip),
    ),
    "cosines: least mean 1 % higher": (
        COSINES,
        lambda c: changed(c, "least mean", rhs(99, 100)),
    ),
    "NC1: scales of any sign": (NC1, any_sign),
    "NC1: 1 % less": (NC1, lambda c: changed(c, "intra-class", rhs(99, 100))),
    "NC1 and NC2: scales of any sign": (NC1_NC2, any_sign),
    "NC1 and NC2: -1/C": (NC1_NC2, lambda c: changed(c, "inter-class", over_classes(0))),
    "nearly: 1 - V": (NEARLY, lambda c: changed(c, "intra-class", less_loss(1, 2))),
    "nearly: constant 1 % smaller": (
        NEARLY,
        lambda c: changed(c, "intra-class", less_loss(99, 100)),
    ),
    "nearly: radius 1 % smaller": (NEARLY, lambda c: changed(c, "inter-class", rhs(99, 100))),
    "nearly: distance 1 % smaller": (
        NEARLY,
        lambda c: changed(c, "distance from -1/(C-1)", rhs(99, 100)),
    ),
}
