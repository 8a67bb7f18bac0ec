"""Errors planted in what the square loss guarantees: margins, collapse, decay, one class."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap
from ncbounds.theory.square_loss import collapse, given_weights
from ncbounds.theory.square_loss.margin_spread import moments

SPLIT = ("square:sharp-1", "sharp", "the loss, split")
SPREAD = ("square:sharp-1", "sharp", "guarantees from the loss")
CLASSES = ("square:sharp-2", "sharp", "the loss, split")
COLLAPSE = ("square:sharp-2", "sharp", "guarantees from the loss")
COSINES = ("square:sharp-2", "sharp", "cosines from the loss")
DECAY = ("square:sharp-3", "sharp", "the gap, split")
RIDGE = ("square:sharp-4", "sharp", "a ridge certificate")


def once_the_room(xp, c, i):
    """Count what the margin lacks once and not twice."""
    of = moments(xp, i["margins"], i["rho"], i["lambda_"])
    m = xp.abs(of.mu) + i["room"]
    best = m * m + i["lambda_"]
    return replace(c, rhs=c.rhs - i["lambda_"] * i["rho"] * (m - of.mu) / best)


def any_margin(xp, c, i):
    """Take the reference margin for the mean margin where it should be below it."""
    return replace(c, rhs=c.rhs - i["lambda_"] * i["room"])


def loss_over_one(xp, c, i):
    """Forget that the spread is relative to a mean margin that the loss shortens."""
    return replace(c, rhs=c.rhs / (1 + c.rhs))


def without_off(xp, c, i):
    """Leave out what is orthogonal to the targets."""
    of = collapse.outputs(xp, i["h"], i["w"], i["bias"])
    return replace(c, rhs=c.rhs - of.k * of.off)


def off_once(xp, c, i):
    """Count what is orthogonal to the targets once and not k times."""
    of = collapse.outputs(xp, i["h"], i["w"], i["bias"])
    return replace(c, rhs=c.rhs - (of.k - 1) * of.off)


def first_branch(xp, c, i):
    """Conclude 1 - s for every loss."""
    bias = 0 * i["w"][:, :, 0]
    h, _, _ = collapse._scaled(xp, i["w"], i["h"], bias, i["share"], 0 * i["share"])
    of = collapse.outputs(xp, h, i["w"], bias)
    e = collapse.mean_error(xp, C=0 * of.loss + of.C, L=of.loss)
    return replace(c, rhs=1 - (1 - e) / (of.k * of.alpha * of.b))


def without_mean_weight(xp, c, i):
    """Leave out the mean of the weights."""
    mean = xp.mean(i["w"], axis=1)
    C = i["w"].shape[1]
    decay = 2 * i["share"] / xp.sqrt(0 * i["share"] + C)
    return replace(c, rhs=c.rhs - decay * C / 2 * xp.sum(mean * mean, axis=-1))


def full_square(xp, c, i):
    """Subtract half as much as |v|^2 + L."""
    v = i["y"] - xp.sum(i["w"] * i["g"][:, None, :], axis=-1)
    return replace(c, lhs=c.lhs + given_weights.square_norm(xp, v) / 4)


def without_slope(xp, c, i):
    """Take any g for the ridge regression."""
    v = i["y"] - xp.sum(i["w"] * i["g"][:, None, :], axis=-1)
    omega = xp.sum(v[..., None] * i["w"], axis=1)
    mean = xp.mean(i["h"], axis=1)
    slope = xp.sum((i["mu"][:, None] * i["g"] - omega) * (mean - i["g"]), axis=-1)
    return replace(c, rhs=c.rhs - 2 * slope)


def table(prefix, key, changes):
    """One mutant for each name of a comparison and change."""
    return {
        f"{prefix}: {name}, {how}": (key, lambda c, n=name, f=change: changed(c, n, f))
        for name, how, change in changes
    }


TIGHTER = "1 % tighter"
MUTANTS = {
    **table(
        "square sharp 1",
        SPLIT,
        [
            ("scale, spread and margin", "1 % less", rhs(99, 100)),
            ("outputs and rho", "half of the last term", once_the_room),
            ("no term is negative", "turned around", swap),
        ],
    ),
    **table(
        "square sharp 1, guarantees",
        SPREAD,
        [
            ("spread, data loss", TIGHTER, rhs(99, 100)),
            ("spread, data loss", "L for L/(1-L)", loss_over_one),
            ("spread, regularised loss", TIGHTER, rhs(99, 100)),
            ("spread, reference margin", "less for any room", any_margin),
            ("excess over the least loss", "1 % less", rhs(99, 100)),
            ("mean margin", TIGHTER, lhs(101, 100)),
            ("mean output", TIGHTER, rhs(99, 100)),
            ("spread of the outputs", TIGHTER, rhs(99, 100)),
            ("rho, from below", TIGHTER, lhs(101, 100)),
            ("rho, from above", TIGHTER, rhs(99, 100)),
        ],
    ),
    **table(
        "square sharp 2",
        CLASSES,
        [
            ("mean margin and spread", "along the targets alone", without_off),
            ("mean margin and spread", "off the targets once", off_once),
            ("largest margin", "along the targets alone", without_off),
            ("misalignment", "turned", flip),
            ("least loss", TIGHTER, rhs(99, 100)),
            ("targets e_c", "1 % less", rhs(99, 100)),
        ],
    ),
    **table(
        "square sharp 2, guarantees",
        COLLAPSE,
        [
            ("mean margin", TIGHTER, rhs(99, 100)),
            ("spread, data loss", TIGHTER, rhs(99, 100)),
            ("spread, regularised loss", TIGHTER, rhs(99, 100)),
            ("mean margin, regularised loss", TIGHTER, lhs(101, 100)),
            ("NC1", TIGHTER, rhs(99, 100)),
            ("NC3", TIGHTER, rhs(99, 100)),
            ("distance", TIGHTER, rhs(99, 100)),
        ],
    ),
    **table(
        "square sharp 2, cosines",
        COSINES,
        [
            ("mean cosine", TIGHTER, rhs(99, 100)),
            ("class means", TIGHTER, rhs(99, 100)),
            ("mean cosine", "the first branch alone", first_branch),
            ("class means", "the first branch alone", first_branch),
            ("intra-class cosine", "turned around", swap),
        ],
    ),
    **table(
        "square sharp 3",
        DECAY,
        [
            ("the gap, split", "without the mean weight", without_mean_weight),
            ("least", "1 % more", lhs(101, 100)),
            ("s", TIGHTER, rhs(99, 100)),
            ("NC1", TIGHTER, rhs(99, 100)),
            ("NC3", TIGHTER, rhs(99, 100)),
            ("distance", TIGHTER, rhs(99, 100)),
        ],
    ),
    **table(
        "square sharp 4",
        RIDGE,
        [
            ("ridge", "any g for the best", without_slope),
            ("inner product", "half of a square", full_square),
            ("variability", TIGHTER, rhs(99, 100)),
            ("norm", TIGHTER, lhs(101, 100)),
            ("cosine", TIGHTER, rhs(99, 100)),
        ],
    ),
}
