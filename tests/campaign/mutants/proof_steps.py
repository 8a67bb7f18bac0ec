"""Errors planted in the steps of the proofs of theorems 2.1 and 2.2 of `bnwd`."""

from __future__ import annotations

import math
from dataclasses import replace

from mutants.planting import changed, flip, lhs, no_root, rhs, swap, without

# -- the steps of the proof of theorem 2.1 -----------------------------------------------

STEP_LOSS = ("bnwd:eq-1", "printed", "softmax stands for the cross-entropy")
STEP_ODDS = ("bnwd:eq-1", "sharp", "log-odds")
STEP_NORMS = ("bnwd:remark-norm-bounds", "printed", "line by line")
STEP_NORMS_EXACT = ("bnwd:remark-norm-bounds", "sharp", "what is lost")
STEP_LEAST = ("bnwd:remark-min-loss", "printed", "at least C - 1 dimensions")
STEP_GAP = ("bnwd:eq-9", "printed", "softmax stands for the cross-entropy")
STEP_SMALL = ("bnwd:eq-9", "printed", "sufficiently small epsilon, read with an explicit one")
STEP_17 = ("bnwd:eq-17", "corrected", "slope at the far end")
STEP_17_SHARP = ("bnwd:eq-17", "sharp", "slope half way")
STEP_18 = ("bnwd:eq-18", "corrected", "a loss of at most log C")
STEP_18_SHARP = ("bnwd:eq-18", "sharp", "every gap")
STEP_BUDGET_CAPPED = ("bnwd:remark-budget", "corrected", "losses of at most log C")
STEP_BUDGET = ("bnwd:remark-budget", "corrected", "every epsilon")
STEP_CLASS = ("bnwd:remark-budget", "corrected", "norms of one class")
STEP_SECOND = ("bnwd:remark-modulus", "printed", "second derivative")
STEP_MODULUS = ("bnwd:remark-modulus", "corrected", "the modulus of the interval")
STEP_MODULUS_SHARP = ("bnwd:remark-modulus", "sharp", "the margins of a network")
STEP_SUMS = ("bnwd:remark-subset-sums", "printed", "lambda a modulus on the margins")
STEP_SUMS_INTERVAL = ("bnwd:remark-subset-sums", "corrected", "lambda the modulus of the interval")
STEP_SUMS_SHARP = ("bnwd:remark-subset-sums", "sharp", "the modulus at the mean")
STEP_19 = ("bnwd:eq-19", "printed", "strictly below, lambda the modulus of the interval")
STEP_19_SHARP = ("bnwd:eq-19", "sharp", "the modulus at the mean")
STEP_20 = ("bnwd:eq-20", "printed", "strictly above, lambda the modulus of the interval")
STEP_21 = ("bnwd:eq-21", "corrected", "plus two roots")
STEP_COSINE = ("bnwd:eq-21", "corrected", "NC3 line with its factor")
STEP_22 = ("bnwd:eq-22", "printed", "one class, most rivals")
STEP_22_SHARP = ("bnwd:eq-22", "sharp", "the gap of means")
STEP_PAIRS = ("bnwd:remark-pairs", "printed", "a fraction of the pairs")


def more(part, whole=1):
    """Raise the left-hand side by a quotient of the right-hand side's size."""
    return lambda xp, c, i: replace(c, lhs=c.lhs + xp.abs(c.rhs) * part / whole)


def product_less(part, whole):
    """Ask a quotient of alpha beta more of a left-hand side."""
    return lambda xp, c, i: replace(c, lhs=c.lhs + i["alpha"] * i["beta"] * part / whole)


def excess_over(divisor):
    """Divide by a number what (22) allows above the mean of the rivals' logits."""

    def change(xp, c, i):
        rivals = xp.sum((i["w"][:, 1:] - i["w"][:, :1]) * xp.mean(i["h"], axis=1)[:, None], axis=-1)
        mean = xp.mean(rivals, axis=-1)
        return replace(c, rhs=mean + (c.rhs - mean) / divisor)

    return change


MUTANTS = {
    "(1)-(8): the samples' loss at most that of their mean": (
        STEP_LOSS,
        lambda c: changed(c, "(1) to (2), samples to their mean", swap),
    ),
    "(1)-(8): off by 1 %": (STEP_LOSS, lambda c: changed(c, "(1) to (8)", lhs(101, 100))),
    "(1)-(8): the exponent off by 1 %": (
        STEP_LOSS,
        lambda c: changed(c, "(5) to (8), the exponent", rhs(101, 100)),
    ),
    "(1)-(8) sharp: the log-odds above the margin": (
        STEP_ODDS,
        lambda c: changed(c, "log-odds", swap),
    ),
    "norms of the stack: features 1 % smaller": (
        STEP_NORMS,
        lambda c: changed(c, "features", rhs(99, 100)),
    ),
    "norms of the stack: without the factor C": (
        STEP_NORMS,
        lambda c: changed(c, "weights", lambda xp, q, i: replace(q, rhs=q.rhs / i["w"].shape[1])),
    ),
    "norms of the stack, exactly: without the mean weight": (
        STEP_NORMS_EXACT,
        lambda c: changed(
            c, "weights", lambda xp, q, i: replace(q, rhs=xp.mean(xp.sum(i["w"] ** 2, -1), axis=-1))
        ),
    ),
    "least loss: 1 % larger": (STEP_LEAST, lambda c: changed(c, "least", lhs(101, 100))),
    "least loss: features without a bound": (STEP_LEAST, lambda c: without(c, "feature norms")),
    "(9)-(16): a negative gap": (STEP_GAP, lambda c: changed(c, "gap >= 0", swap)),
    "small epsilon: every epsilon": (STEP_SMALL, lambda c: without(c, "near-optimal loss")),
    "small epsilon: three times as large": (
        STEP_SMALL,
        lambda c: changed(c, "near-optimal loss", rhs(3)),
    ),
    "(17): half of the gap forgotten in the slope": (
        STEP_17,
        lambda c: changed(
            c,
            "logarithm of the sum",
            lambda xp, q, i: replace(
                q, lhs=xp.log1p((i["C"] - 1) * xp.exp(-i["t"])) + i["gap"] / (1 + i["gap"] / 4)
            ),
        ),
    ),
    "(17): 1 % larger": (STEP_17, lambda c: changed(c, "logarithm of the sum", lhs(101, 100))),
    "(17) sharp: 1 % larger": (
        STEP_17_SHARP,
        lambda c: changed(c, "logarithm of the sum", lhs(101, 100)),
    ),
    "(18): every loss": (STEP_18, lambda c: without(c, "loss at most log C")),
    "(18) sharp: without the gap below": (
        STEP_18_SHARP,
        lambda c: changed(
            c,
            "logarithm of the sum",
            lambda xp, q, i: replace(
                q, lhs=xp.log1p((i["C"] - 1) * xp.exp(-i["t"])) + i["gap"] / i["C"]
            ),
        ),
    ),
    "budget over C: every loss": (
        STEP_BUDGET_CAPPED,
        lambda c: without(c, "loss at class means"),
    ),
    "budget over C: 1 % more": (
        STEP_BUDGET_CAPPED,
        lambda c: changed(c, "budget", lhs(101, 100)),
    ),
    "budget: 1 % more": (STEP_BUDGET, lambda c: changed(c, "budget", lhs(101, 100))),
    "budget: a third gap below 0": (STEP_BUDGET, lambda c: changed(c, "third gap >= 0", swap)),
    "one class: inner product 1 % smaller": (
        STEP_CLASS,
        lambda c: changed(c, "inner product", rhs(99, 100)),
    ),
    "second derivative: off by 1 %": (
        STEP_SECOND,
        lambda c: changed(c, "two forms", rhs(99, 100)),
    ),
    "modulus: 1 % larger": (STEP_MODULUS, lambda c: changed(c, "modulus", lhs(101, 100))),
    "modulus: the exponential 1 % larger": (
        STEP_MODULUS,
        lambda c: changed(c, "exponential", lhs(101, 100)),
    ),
    "modulus on the margins: 1 % larger": (
        STEP_MODULUS_SHARP,
        lambda c: changed(c, "modulus", lhs(101, 100)),
    ),
    "subset sums: norm products below": (
        STEP_SUMS,
        lambda c: changed(c, "norm products", swap),
    ),
    "subset sums: inner products 1 % larger": (
        STEP_SUMS,
        lambda c: changed(c, "inner products", more(1, 100)),
    ),
    "subset sums on the interval: inner products 1 % larger": (
        STEP_SUMS_INTERVAL,
        lambda c: changed(c, "inner products", more(1, 100)),
    ),
    "subset sums at the mean: 1 % tighter": (
        STEP_SUMS_SHARP,
        lambda c: changed(c, "lower", rhs(99, 100)),
    ),
    "subset sums at the mean: the root dropped": (
        STEP_SUMS_SHARP,
        lambda c: changed(c, "upper", no_root),
    ),
    "(19): 1 % of alpha beta more": (
        STEP_19,
        lambda c: changed(c, "inner product", product_less(1, 100)),
    ),
    "(19) at the mean: 1 % of alpha beta more": (
        STEP_19_SHARP,
        lambda c: changed(c, "inner product", product_less(1, 100)),
    ),
    "(20): 1 % of alpha beta less": (
        STEP_20,
        lambda c: changed(c, "product of norms", product_less(1, 100)),
    ),
    "(21): 1 % of the square of alpha beta more": (
        STEP_21,
        lambda c: changed(
            c,
            "ratio",
            lambda xp, q, i: replace(q, lhs=q.lhs + (i["alpha"] * i["beta"]) ** 2 / 100),
        ),
    ),
    "NC3: 1 % of the square of alpha beta more": (
        STEP_COSINE,
        lambda c: changed(
            c,
            "cosine",
            lambda xp, q, i: replace(q, lhs=q.lhs + (i["alpha"] * i["beta"]) ** 2 / 100),
        ),
    ),
    "(22): a quarter of the excess": (
        STEP_22,
        lambda c: changed(c, "(22)", excess_over(4)),
    ),
    "(23): the other sign": (STEP_22, lambda c: changed(c, "(23)", flip)),
    "(22) sharp: the excess over root 2": (
        STEP_22_SHARP,
        lambda c: changed(c, "sum over a subset", excess_over(math.sqrt(2))),
    ),
    "pairs: 3 delta": (
        STEP_PAIRS,
        lambda c: changed(
            c,
            "pairs",
            lambda xp, q, i: replace(
                q,
                lhs=q.lhs + 2 * i["delta"] * i["inner"].shape[1] * (i["inner"].shape[1] - 1),
            ),
        ),
    ),
}

# -- batch norm and the regularised loss --------------------------------------------------

NORMALISED = ("bnwd:proposition-2.1", "printed", "no constant coordinate, batches of any sizes")
NORMALISED_SHARP = ("bnwd:proposition-2.1", "sharp", "as implemented")
ZERO_MEAN = ("bnwd:remark-bn-zero-mean", "printed", "statistics of the batches")
LEAST_REGULARISED = ("bnwd:remark-m-reg", "corrected", "the other sign")
SIZE = ("bnwd:remark-gamma-star", "printed", "below log(C/lambda)")
RATE = ("bnwd:remark-lambda-monotone", "printed", "the factor of the rate")
DEFICIT = ("bnwd:remark-lambda-monotone", "corrected", "while gamma* is not too small")
SIZE_SHARP = ("bnwd:remark-gamma-star", "sharp", "with its factor")

MUTANTS |= {
    "proposition 2.1: 1 % more": (
        NORMALISED,
        lambda c: changed(c, "all batches", rhs(101, 100)),
    ),
    "proposition 2.1 sharp: gamma 1 % smaller": (
        NORMALISED_SHARP,
        lambda c: changed(c, "at most gamma", rhs(99, 100)),
    ),
    "zero mean: the mean of the first batch's inputs": (
        ZERO_MEAN,
        lambda c: changed(
            c, "global mean", lambda xp, q, i: replace(q, rhs=xp.mean(i["x"], axis=1))
        ),
    ),
    "least regularised loss: 1 % larger": (
        LEAST_REGULARISED,
        lambda c: changed(c, "least", lhs(101, 100)),
    ),
    "least regularised loss: attained 1 % lower": (
        LEAST_REGULARISED,
        lambda c: changed(c, "attained by a simplex", rhs(99, 100)),
    ),
    "rate: increases": (RATE, lambda c: changed(c, "no larger", swap)),
    "distance: every weight decay": (DEFICIT, lambda c: without(c, "gamma* not too small")),
    "distance: half of the limit": (
        DEFICIT,
        lambda c: changed(c, "gamma* not too small", lhs(1, 2)),
    ),
    "size of gamma*: halved": (SIZE, lambda c: changed(c, "upper", rhs(1, 2))),
    "size of gamma* sharp: 1 % smaller": (
        SIZE_SHARP,
        lambda c: changed(c, "upper", rhs(99, 100)),
    ),
}
