"""Errors planted in the statements of the spine."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, no_root, rhs, swap, without

LEMMA = ("bnwd:lemma-2.1", "printed", "f - (m/2) x^2 is convex")
LEMMA_2M = ("bnwd:lemma-2.1", "printed", "f - m x^2 is convex")
LEMMA_EXP = ("bnwd:lemma-2.1", "printed", "f = exp on the range of the points")
LEMMA_A2 = ("bnwd:lemma-a.2", "printed", "S non-empty")
LEMMA_A2_SHARP = ("bnwd:lemma-a.2", "sharp", "at most half of the points")
MINIMUM = ("bnwd:proposition-a.1", "corrected", "minimum value")
ORDER = ("bnwd:proposition-a.1", "printed", "order of the minimiser")
NEAR = ("bnwd:proposition-a.1", "corrected", "near-minimisers")
NEAR_EACH_C = ("bnwd:proposition-a.1", "printed", "near-minimisers, a constant for each C")
LOG = ("bnwd:theorem-2.1", "sharp", "identity (log)")
GAP = ("bnwd:theorem-2.1", "sharp", "identity (gap)")
GUARANTEE = ("bnwd:theorem-2.1", "sharp", "guarantee from the loss")
CODE = ("gnc:theorem-3.9", "printed", "K >= sqrt(2 pi sqrt(e d)), as typeset")
CODE_INTENDED = ("gnc:theorem-3.9", "printed", "K >= sqrt(2 pi sqrt(e) d)")
CODE_SHARP = ("gnc:theorem-3.9", "sharp", "factor-4 sandwich")
TREE = ("square:theorem-4", "printed", "Definition 1, with the factor 2")
TREE_PROOF = ("square:theorem-4", "printed", "without the factor 2, as in the proof")
TREE_SHARP = ("square:theorem-4", "sharp", "second moments")
DENSE = ("square:eq-25", "printed", "the root over the product only")
DENSE_OWN = ("square:eq-25", "corrected", "the layers' own norms")


MUTANTS = {
    "lemma 2.1: constant 1 % tighter": (LEMMA, lambda c: changed(c, "upper", rhs(99, 100))),
    "lemma 2.1: lower side 1 % tighter": (LEMMA, lambda c: changed(c, "lower", rhs(99, 100))),
    "lemma 2.1: root dropped": (LEMMA, lambda c: changed(c, "upper", no_root)),
    "lemma 2.1: sign flipped": (LEMMA, lambda c: changed(c, "lower", flip)),
    "lemma 2.1: factor 1 - delta twice": (
        LEMMA,
        lambda c: changed(
            c,
            "upper",
            lambda xp, q, i: replace(q, rhs=q.rhs * xp.sqrt(1 - xp.mean(i["subset"], axis=-1))),
        ),
    ),
    "lemma 2.1: the gap is not bounded": (LEMMA, lambda c: without(c, "Jensen gap")),
    "lemma 2.1, modulus 2m: divided by 3/2": (
        LEMMA_2M,
        lambda c: changed(c, "upper", rhs(2, 3)),
    ),
    "lemma 2.1, exp: constant 1 % tighter": (
        LEMMA_EXP,
        lambda c: changed(c, "lower", rhs(99, 100)),
    ),
    "lemma 2.1, exp: the modulus at the mean": (
        LEMMA_EXP,
        lambda c: changed(
            c,
            "lower",
            lambda xp, q, i: replace(
                q, rhs=q.rhs * xp.exp((xp.min(i["x"], axis=-1) - xp.mean(i["x"], axis=-1)) / 2)
            ),
        ),
    ),
    "lemma A.2: factor 2 dropped": (
        LEMMA_A2,
        lambda c: changed(
            c, "upper", lambda xp, q, i: replace(q, rhs=q.rhs / xp.sqrt(2 + 0 * q.rhs))
        ),
    ),
    "lemma A.2: e^mean in the numerator": (
        LEMMA_A2,
        lambda c: changed(
            c,
            "upper",
            lambda xp, q, i: replace(q, rhs=q.rhs * xp.exp(xp.mean(i["x"], axis=-1))),
        ),
    ),
    "lemma A.2: root dropped": (LEMMA_A2, lambda c: changed(c, "upper", no_root)),
    "lemma A.2 sharp: constant 1 % tighter": (
        LEMMA_A2_SHARP,
        lambda c: changed(c, "upper", rhs(99, 100)),
    ),
    "lemma A.2 sharp: subsets of at most 3/5": (
        LEMMA_A2_SHARP,
        lambda c: changed(c, "at most half of the points", rhs(6, 5)),
    ),
    "lemma A.2 sharp: any subset": (
        LEMMA_A2_SHARP,
        lambda c: without(c, "at most half of the points"),
    ),
    "proposition A.1: minimum with the sign flipped": (
        MINIMUM,
        lambda c: changed(c, "attained at gamma*", flip),
    ),
    "proposition A.1: minimum 1 % larger": (MINIMUM, lambda c: changed(c, "least", lhs(101, 100))),
    "proposition A.1: order 1 % smaller": (ORDER, lambda c: changed(c, "upper", rhs(99, 100))),
    "proposition A.1: radius 1 % smaller": (NEAR, lambda c: changed(c, "distance", rhs(99, 100))),
    "proposition A.1: radius without root": (NEAR, lambda c: changed(c, "distance", no_root)),
    "proposition A.1: constant for each C without the 5": (
        NEAR_EACH_C,
        lambda c: changed(
            c, "distance", lambda xp, q, i: replace(q, rhs=q.rhs / xp.sqrt(5 + 0 * q.rhs))
        ),
    ),
    "theorem 2.1 (log): log-odds off by 1 %": (
        LOG,
        lambda c: changed(
            c, "log-odds of a sample", lambda xp, q, i: replace(q, rhs=q.rhs * 101 / 100)
        ),
    ),
    "theorem 2.1 (log): split off by 1 %": (
        LOG,
        lambda c: changed(c, "split of the gap", rhs(101, 100)),
    ),
    "theorem 2.1 (log): misalignment of the other sign": (
        LOG,
        lambda c: changed(c, "misalignment >= 0", swap),
    ),
    "theorem 2.1 (log): dispersion of the other sign": (
        LOG,
        lambda c: changed(c, "dispersion >= 0", swap),
    ),
    "theorem 2.1 (log): off-class logits of the other sign": (
        LOG,
        lambda c: changed(c, "off-class logits >= 0", swap),
    ),
    "theorem 2.1 (gap): spread of the other sign": (
        GAP,
        lambda c: changed(c, "spread of margins >= 0", swap),
    ),
    "theorem 2.1 (gap): split off by 1 %": (
        GAP,
        lambda c: changed(c, "split of the gap", rhs(99, 100)),
    ),
    "theorem 2.1 (gap): excess of the other sign": (
        GAP,
        lambda c: changed(c, "off-class excess >= 0", swap),
    ),
    "theorem 2.1: NC1 1 % tighter": (GUARANTEE, lambda c: changed(c, "NC1", rhs(99, 100))),
    "theorem 2.1: NC3 1 % tighter": (GUARANTEE, lambda c: changed(c, "NC3", rhs(99, 100))),
    "theorem 2.1: distance 1 % tighter": (
        GUARANTEE,
        lambda c: changed(c, "distance", rhs(99, 100)),
    ),
    "theorem 2.1: alignment 1 % tighter": (
        GUARANTEE,
        lambda c: changed(c, "alignment, centred", rhs(99, 100)),
    ),
    "theorem 2.1: alignment, not centred, 1 % tighter": (
        GUARANTEE,
        lambda c: changed(c, "alignment", rhs(99, 100)),
    ),
    "theorem 2.1: any loss": (GUARANTEE, lambda c: without(c, "loss at most log C")),
    "theorem 3.9: upper side divided by 4": (CODE, lambda c: changed(c, "upper side", rhs(1, 4))),
    "theorem 3.9, K >= sqrt(2 pi sqrt(e) d): upper side divided by 4": (
        CODE_INTENDED,
        lambda c: changed(c, "upper side", rhs(1, 4)),
    ),
    "theorem 3.9: lower side times 16": (
        CODE,
        lambda c: changed(c, "lower side", lhs(16)),
    ),
    "theorem 3.9: upper side with another exponent": (
        CODE,
        lambda c: changed(
            c, "upper side", lambda xp, q, i: replace(q, rhs=q.rhs * q.rhs * q.rhs / 8)
        ),
    ),
    "theorem 3.9 sharp: upper side halved": (
        CODE_SHARP,
        lambda c: changed(c, "upper side", rhs(1, 2)),
    ),
    "theorem 3.9 sharp: lower side doubled": (
        CODE_SHARP,
        lambda c: changed(c, "lower side", lhs(2)),
    ),
    "theorem 3.9 sharp: at least 1 beyond the cross-polytope": (
        CODE_SHARP,
        lambda c: changed(
            c,
            "lower side",
            lambda xp, q, i: replace(q, lhs=0 * q.lhs + (i["w"].shape[1] > 2 * i["w"].shape[2])),
        ),
    ),
    "theorem 4: constant 1 % tighter": (TREE, lambda c: changed(c, "complexity", rhs(99, 100))),
    "theorem 4: constant tighter by 10^-10": (
        TREE,
        lambda c: changed(c, "complexity", rhs(10**10 - 1, 10**10)),
    ),
    "theorem 4: proof constant 1 % tighter": (
        TREE_PROOF,
        lambda c: changed(c, "complexity", rhs(99, 100)),
    ),
    "theorem 4: root over the sum of squares dropped": (
        TREE,
        lambda c: changed(
            c,
            "complexity",
            lambda xp, q, i: replace(
                q, rhs=q.rhs * xp.sqrt(xp.sum(xp.sum(i["samples"] ** 2, axis=-1), axis=-1))
            ),
        ),
    ),
    "theorem 4 sharp: constant 1 % tighter": (
        TREE_SHARP,
        lambda c: changed(c, "complexity", rhs(99, 100)),
    ),
    "equation 25: exponent off by one": (DENSE, lambda c: changed(c, "equation (25)", rhs(2))),
    "equation 25: off by 10^-7": (
        DENSE,
        lambda c: changed(c, "equation (25)", rhs(10**7 + 1, 10**7)),
    ),
    "equation 25: off by 1 %": (DENSE, lambda c: changed(c, "equation (25)", rhs(99, 100))),
    "equation 25 corrected: off by 1 %": (
        DENSE_OWN,
        lambda c: changed(c, "dense bound", rhs(99, 100)),
    ),
}
