"""Errors planted in what losses, log-odds, margins and mean logits say of alignment."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap
from ncbounds.theory.proximity import alignment
from ncbounds.theory.proximity.near_optimal_loss import class_mean, last_layer, square_norm

LEVELS = ("bnwd:sharp-1", "sharp", "three levels of information")
LOGITS = ("bnwd:sharp-1", "sharp", "from mean logits")


def share(xp, i, centred=True):
    """The mean log-odds over the largest mean margin, by the norm of centred weights or all."""
    net = last_layer(xp, i["h"], i["w"], i["bias"])
    p = class_mean(xp, alignment.log_odds(net))
    beta = net.b if centred else net.beta
    return alignment.reach(xp, C=0 * p + net.C, p=p, alpha=net.alpha, beta=beta)


def of_log_odds(xp, c, i):
    """Tighten the bound from the log-odds alone by 1 %."""
    return replace(c, lhs=c.lhs[:, 1], rhs=c.rhs[:, 1] * 99 / 100)


def squared_share(xp, c, i):
    """Square a share that may be negative."""
    r = share(xp, i)
    return replace(c, lhs=c.lhs[:, 1], rhs=1 - r * r)


def any_sign(xp, c, i):
    """Conclude cos >= r where r <= 0 too."""
    return replace(c, lhs=c.lhs[:, 1], rhs=1 - share(xp, i))


def with_all_weights(xp, c, i):
    """The distance by the norm of the weights, not centred: wrong above log C."""
    return replace(c, lhs=c.lhs[:, 1], rhs=2 - 2 * share(xp, i, centred=False))


def not_centred(xp, c, i):
    """Take the mean logits as they are."""
    w, h = i["w"], i["h"]
    logits = xp.matmul(xp.mean(h, axis=2), xp.matrix_transpose(w))
    known = xp.sum(i["multipliers"] * logits, axis=-1)
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    square = square_norm(xp, xp.matmul(i["multipliers"], wdot))
    return replace(c, rhs=xp.mean(square_norm(xp, h), axis=-1) - 2 * known + square)


def without_square(xp, c, i):
    """Drop the squared norm of the combination of weights."""
    w = i["w"]
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    square = square_norm(xp, xp.matmul(i["multipliers"], wdot))
    return replace(c, rhs=c.rhs - square)


MUTANTS = {
    "sharp 1: levels turned around": (LEVELS, lambda c: changed(c, "levels", swap)),
    "sharp 1: loss of a sample off by 1 %": (
        LEVELS,
        lambda c: changed(c, "loss of a sample", lhs(100, 101)),
    ),
    "sharp 1: mean margin off by 1 %": (LEVELS, lambda c: changed(c, "mean margin", rhs(101, 100))),
    "sharp 1: NC1 1 % tighter": (LEVELS, lambda c: changed(c, "NC1", rhs(99, 100))),
    "sharp 1: NC1 from log-odds 1 % tighter": (LEVELS, lambda c: changed(c, "NC1", of_log_odds)),
    "sharp 1: NC1 from negative log-odds": (LEVELS, lambda c: changed(c, "NC1", squared_share)),
    "sharp 1: NC3 1 % tighter": (LEVELS, lambda c: changed(c, "NC3", rhs(99, 100))),
    "sharp 1: NC3 from log-odds 1 % tighter": (LEVELS, lambda c: changed(c, "NC3", of_log_odds)),
    "sharp 1: NC3 from negative log-odds": (LEVELS, lambda c: changed(c, "NC3", any_sign)),
    "sharp 1: NC3 at NC1 1 % tighter": (LEVELS, lambda c: changed(c, "NC3 at NC1", rhs(99, 100))),
    "sharp 1: NC3 at NC1 from log-odds 1 % tighter": (
        LEVELS,
        lambda c: changed(c, "NC3 at NC1", of_log_odds),
    ),
    "sharp 1: distance 1 % tighter": (LEVELS, lambda c: changed(c, "distance", rhs(99, 100))),
    "sharp 1: distance from log-odds 1 % tighter": (
        LEVELS,
        lambda c: changed(c, "distance", of_log_odds),
    ),
    "sharp 1: distance by weights that are not centred": (
        LEVELS,
        lambda c: changed(c, "distance", with_all_weights),
    ),
    "sharp 1: distance from the margin of the other sign": (
        LEVELS,
        lambda c: changed(c, "distance, margin", flip),
    ),
    "sharp 1, mean logits: spread 1 % tighter": (
        LOGITS,
        lambda c: changed(c, "spread of a class", rhs(99, 100)),
    ),
    "sharp 1, mean logits: NC1 1 % tighter": (LOGITS, lambda c: changed(c, "NC1", rhs(99, 100))),
    "sharp 1, mean logits: not centred": (
        LOGITS,
        lambda c: changed(c, "spread of a class", not_centred),
    ),
    "sharp 1, mean logits: the squared combination is dropped": (
        LOGITS,
        lambda c: changed(c, "spread of a class", without_square),
    ),
}
