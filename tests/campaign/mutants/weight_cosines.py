"""Errors planted in the cosines of features with their weights."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, rhs, swap, without
from ncbounds.theory.proximity import weight_cosines
from ncbounds.theory.proximity.alignment import log_odds
from ncbounds.theory.proximity.near_optimal_loss import (
    class_mean,
    last_layer,
    phi_inverse,
    square_norm,
)

LOSSES = ("bnwd:sharp-2", "sharp", "measured losses")
MEAN_LOSS = ("bnwd:sharp-2", "sharp", "the mean loss alone")
SHARE = ("bnwd:sharp-2", "sharp", "every share of the samples")


def along_of(xp, i, odds=log_odds):
    """The components of all samples."""
    net = last_layer(xp, i["h"], i["w"], i["bias"])
    wdot = i["w"] - xp.mean(i["w"], axis=1)[:, None, :]
    norms = xp.sqrt(square_norm(xp, wdot))
    return weight_cosines.components(xp, net.C, odds(net), norms, net.alpha)


def none_is_lost(xp, c, i):
    """Forget that a sample above log C may have the cosine -1."""
    along = along_of(xp, i)
    left = weight_cosines.square_norms_left(xp, along, i["subset"])
    bound = weight_cosines.subset_cosine(xp, along, i["subset"], left)
    lost = class_mean(xp, i["subset"] * (1 - xp.is_positive(along)))
    return replace(c, rhs=1 - bound - lost / class_mean(xp, i["subset"]))


def norms_as_of_all(xp, c, i):
    """Take the mean square norm over the subset for 1."""
    along, subset = along_of(xp, i), i["subset"]
    positive_part = xp.maximum(along, 0 * along)
    root = xp.root(positive_part, 3)
    share = class_mean(xp, subset)
    moment = class_mean(xp, subset * root * root) / share
    lost = class_mean(xp, subset * (1 - xp.is_positive(along))) / share
    return replace(c, rhs=1 - (moment * xp.sqrt(moment) - lost))


def mean_of_odds(xp, c, i):
    """Put the mean of the log-odds for the power mean."""
    net = last_layer(xp, i["h"], i["w"], i["bias"])
    odds = log_odds(net)
    mean = class_mean(xp, xp.maximum(odds, 0 * odds)) / (net.k * net.alpha * net.b)
    return replace(c, rhs=1 - mean + class_mean(xp, 1 - xp.is_positive(odds)))


def with_bias(xp, c, i):
    """Leave in the log-odds what the bias adds."""
    along = along_of(xp, i, lambda net: phi_inverse(xp, net.losses, net.C - 1))
    left = weight_cosines.square_norms_left(xp, along, i["subset"])
    return replace(c, rhs=1 - weight_cosines.subset_cosine(xp, along, i["subset"], left))


def half_price(xp, c, i):
    """Charge half of the price for the norms."""
    along = along_of(xp, i)
    left = weight_cosines.square_norms_left(xp, along, i["subset"])
    full = weight_cosines.priced_cosine(xp, along, i["subset"], left, i["price"])
    return replace(c, rhs=1 - full - i["price"] / 2 * left)


def first_branch(xp, c, i):
    """Conclude 1 - s from the mean loss without the condition that makes it the smaller one."""
    net = last_layer(xp, i["h"], i["w"])
    most = net.k * net.alpha * net.b
    return replace(c, rhs=1 - phi_inverse(xp, net.loss, net.C - 1) / most)


def numbers(xp, i):
    """What the bound for a share is computed from."""
    net = last_layer(xp, i["h"], i["w"])
    q = i["error"] * (net.C - 1) / net.C
    return net, q, xp.log((net.C - 1) * (1 - q) / q), class_mean(xp, i["subset"])


def share_dropped(xp, c, i):
    """Divide by the share once too little."""
    *_, delta = numbers(xp, i)
    return replace(c, rhs=1 - (1 - c.rhs) * delta)


def tangent_alone(xp, c, i):
    """Forget the samples of the cosine -1, where the tangent may be above log C."""
    net, q, t, _ = numbers(xp, i)
    slope = q * t / i["kappa"]
    tangent = 2 * q * t - xp.log1p(-q)
    least = xp.minimum(tangent, xp.log(net.C + 0 * slope) - slope)
    return replace(c, rhs=c.rhs - (tangent - least) / slope)


MUTANTS = {
    "sharp 2: subset 1 % tighter": (LOSSES, lambda c: changed(c, "subset", rhs(99, 100))),
    "sharp 2: subset, priced, 1 % tighter": (
        LOSSES,
        lambda c: changed(c, "subset, priced", rhs(99, 100)),
    ),
    "sharp 2: subset of measured norms 1 % tighter": (
        LOSSES,
        lambda c: changed(c, "subset of measured norms", rhs(99, 100)),
    ),
    "sharp 2: any norms 1 % tighter": (
        LOSSES,
        lambda c: changed(c, "mean cosine, any norms", rhs(99, 100)),
    ),
    "sharp 2: class means 1 % tighter": (LOSSES, lambda c: changed(c, "class means", rhs(99, 100))),
    "sharp 2: intra-class cosine 1 % tighter": (
        LOSSES,
        lambda c: changed(c, "intra-class cosine", rhs(99, 100)),
    ),
    "sharp 2: no sample is lost": (LOSSES, lambda c: changed(c, "subset", none_is_lost)),
    "sharp 2: a subset has the norms of all": (
        LOSSES,
        lambda c: changed(c, "subset", norms_as_of_all),
    ),
    "sharp 2: the mean for the power mean": (
        LOSSES,
        lambda c: changed(c, "mean cosine, any norms", mean_of_odds),
    ),
    "sharp 2: the bias left in": (LOSSES, lambda c: changed(c, "subset", with_bias)),
    "sharp 2: half of the price": (LOSSES, lambda c: changed(c, "subset, priced", half_price)),
    "sharp 2, mean loss: 1 % tighter": (
        MEAN_LOSS,
        lambda c: changed(c, "mean cosine", rhs(99, 100)),
    ),
    "sharp 2, mean loss: class means 1 % tighter": (
        MEAN_LOSS,
        lambda c: changed(c, "class means", rhs(99, 100)),
    ),
    "sharp 2, mean loss: intra-class cosine not squared": (
        MEAN_LOSS,
        lambda c: changed(
            c, "intra-class cosine", lambda xp, q, i: replace(q, rhs=1 - xp.sqrt(1 - q.rhs))
        ),
    ),
    "sharp 2, mean loss: the first branch alone": (
        MEAN_LOSS,
        lambda c: changed(c, "mean cosine", first_branch),
    ),
    "sharp 2, mean loss: any loss": (MEAN_LOSS, lambda c: without(c, "small loss")),
    "sharp 2, share: 1 % tighter": (SHARE, lambda c: changed(c, "mean cosine", rhs(99, 100))),
    "sharp 2, share: turned around": (SHARE, lambda c: changed(c, "mean cosine", swap)),
    "sharp 2, share: not over the share": (
        SHARE,
        lambda c: changed(c, "mean cosine", share_dropped),
    ),
    "sharp 2, share: the tangent alone": (
        SHARE,
        lambda c: changed(c, "mean cosine", tangent_alone),
    ),
    "sharp 2, share: any error": (SHARE, lambda c: without(c, "error not too large")),
}
