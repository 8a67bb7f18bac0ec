"""Errors planted in the gradient flow of the square loss: signs, factors, labels, hypotheses."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap, without

LAGRANGIAN = ("square:eq-1", "printed", "both lines, and the network that they train")
FLOW = ("square:eq-2", "printed", "minus the gradient, any slope at a kink")
HOMOGENEITY = ("square:lemma-2", "printed", "any slope at a kink")
MULTIPLIER = ("square:eq-4", "corrected", "margins in both factors")
OFF = ("square:eq-4", "sharp", "off the spheres")
PROJECTED = ("square:eq-5", "printed", "on the spheres")
RATE = ("square:eq-6", "printed", "any outputs")
REST = ("square:eq-7", "printed", "with weight decay")
GAP = ("square:eq-8", "corrected", "weight decay and spread apart")
ZERO_LOSS = ("square:eq-8", "printed", "rho = 1/mu at lambda = 0")
LAYERS = ("square:eq-9", "corrected", "margins, and how far from rest")
LOSS = ("square:eq-11", "corrected", "with the sum")
BY_RATE = ("square:lemma-4", "printed", "along the flow")
ZERO = ("square:remark-rho-mu", "printed", "zero loss, and how nearly")
EQUAL = ("square:lemma-1", "printed", "what the proof shows")
CRITICAL = ("square:lemma-1", "corrected", "critical exactly if the mean margin is")
ALIGNED = ("square:lemma-5", "printed", "features of any sign")
TURNED = ("square:lemma-5", "corrected", "any interpolating features")
COSINES = ("square:lemma-5", "sharp", "ReLU features of both labels are not aligned")
VANISHING = ("square:lemma-3", "printed", "the rates vanish, for a bounded rho")
GROWS = ("square:remark-rho-growth", "corrected", "separation, and beyond the inverse mean margin")
TURN = ("square:remark-rho-growth", "corrected", "since rho turned")


def plus(amount):
    """Add to the right-hand side what `amount` makes of the instance."""
    return lambda xp, c, i: replace(c, rhs=c.rhs + amount(i))


def one_more(key, name, change=None):
    """An entry of the table: one comparison changed, else its right-hand side 1 % larger."""
    return key, lambda claim: changed(claim, name, change or rhs(101, 100))


MUTANTS = {
    "(1): loss 1 % larger in margins": one_more(LAGRANGIAN, "the two lines"),
    "(1): another sign of f": one_more(LAGRANGIAN, "f_W = rho f_V", flip),
    "(1): weight decay on rho, not on its square": one_more(
        LAGRANGIAN, "on the constraint", plus(lambda i: i["lambda_"])
    ),
    "(2): no factor 2 in rho": one_more(FLOW, "rho", rhs(1, 2)),
    "(2): no factor 2 of the multiplier": one_more(
        FLOW, "last layer", plus(lambda i: i["nu_last"][:, None] * i["v"])
    ),
    "(2): sign of the hidden layers": one_more(FLOW, "hidden layers", flip),
    "lemma 2: twice the output": one_more(HOMOGENEITY, "hidden layers", rhs(2)),
    "lemma 2: one layer less": one_more(
        HOMOGENEITY, "all layers", lambda xp, c, i: replace(c, rhs=c.rhs / 2)
    ),
    "(4): twice the multiplier": one_more(MULTIPLIER, "hidden layers", rhs(2)),
    "(4): sign of the multiplier": one_more(MULTIPLIER, "last layer", flip),
    "(4) off the spheres: rate 2 nu": one_more(OFF, "last layer", rhs(1, 2)),
    "(4) off the spheres: attracted with the other sign": one_more(OFF, "hidden layers", flip),
    "(4) at equilibrium: lambda rho": one_more(
        OFF, "at equilibrium", lambda xp, c, i: replace(c, rhs=xp.sqrt(c.rhs * i["decay"]))
    ),
    "(5): weight decay not doubled": one_more(
        PROJECTED, "rho", plus(lambda i: i["lambda_"] * i["rho"])
    ),
    "(5): layers 1 % faster": one_more(PROJECTED, "hidden layers"),
    "(5): weight normalisation of the other sign": one_more(
        PROJECTED, "weight normalisation, last", flip
    ),
    "(6): half the rate": one_more(RATE, "flow of rho", rhs(1, 2)),
    "(6): M = sigma^2": one_more(RATE, "M = sigma^2 + mu^2", rhs(99, 100)),
    "(7): rest off by 1 %": one_more(REST, "rho' = 0 there"),
    "(7): the loss is largest": one_more(REST, "the loss is least", swap),
    "(8): gap 1 % larger": one_more(GAP, "the gap"),
    "(8): all of the gap due to weight decay": one_more(
        GAP, "due to weight decay", lambda xp, c, i: replace(c, lhs=c.lhs + c.rhs)
    ),
    "(8), rho = 1/mu: gap 1 % larger": one_more(ZERO_LOSS, "due to weight decay"),
    "(8), rho = 1/mu: gap 1 % smaller": one_more(ZERO_LOSS, "the gap", rhs(99, 100)),
    "(9): denominator without lambda": one_more(
        LAYERS, "denominator", lambda xp, c, i: replace(c, rhs=c.rhs / i["decay"])
    ),
    "(9): sign of the layers": one_more(LAYERS, "last layer", flip),
    "(11): rho mu once": one_more(LOSS, "third line", rhs(99, 100)),
    "(11): without weight decay": one_more(
        LOSS, "second line", plus(lambda i: -i["lambda_"] * i["rho"] * i["rho"])
    ),
    "lemma 4: 1 % of the loss": one_more(BY_RATE, "loss"),
    "lemma 4: the loss grows": one_more(BY_RATE, "change of the loss", flip),
    "zero loss: 1 % nearer": one_more(ZERO, "mean margin", rhs(99, 100)),
    "zero loss: spread 1 % smaller": one_more(ZERO, "spread", rhs(99, 100)),
    "lemma 1: 1 % less than N": one_more(EQUAL, "zero loss means equal margins", rhs(99, 100)),
    "lemma 1: 1 % more than the least loss": one_more(
        EQUAL, "not zero for equal margins", lhs(101, 100)
    ),
    "lemma 1: sign of the last layer": one_more(CRITICAL, "last layer", flip),
    "lemma 1: layers 1 % faster": one_more(CRITICAL, "hidden layers"),
    "lemma 5: a smaller rho": one_more(ALIGNED, "larger rho", swap),
    "lemma 5: turned by alpha^2": one_more(
        ALIGNED, "turned by alpha", lambda xp, c, i: replace(c, rhs=c.rhs * c.rhs)
    ),
    "lemma 5: the same rho": one_more(
        TURNED,
        "interpolates after",
        lambda xp, c, i: replace(c, lhs=c.lhs * i["alpha"][:, None]),
    ),
    "lemma 5: labels turned": one_more(TURNED, "interpolates before", flip),
    "lemma 5 sharp: 1 % less": one_more(COSINES, "squared alignments", rhs(99, 100)),
    "lemma 5 sharp: half": one_more(COSINES, "squared alignments", rhs(1, 2)),
    "lemma 3: rho 1 % slower": one_more(VANISHING, "rho", rhs(99, 100)),
    "lemma 3: layers 1 % slower": one_more(VANISHING, "last layer", rhs(99, 100)),
    "lemma 3: layers without rho": one_more(
        VANISHING,
        "hidden layers",
        lambda xp, c, i: replace(c, rhs=c.rhs / (i["rho"] * i["rho"])[:, None]),
    ),
    "growth: 1 % more": one_more(GROWS, "M <= mu max", rhs(99, 100)),
    "growth: without weight decay": one_more(
        GROWS, "and so", lambda xp, c, i: replace(c, lhs=c.lhs + 2 * i["lambda_"] * i["rho"])
    ),
    "growth: shrinks sooner": one_more(GROWS, "grows at most", plus(lambda i: -i["rho"] / 100)),
    "turn: 1 % more": one_more(TURN, "rho mu has not fallen", lhs(101, 100)),
    "turn: any loss": (TURN, lambda claim: without(claim, "the loss has not grown")),
    "turn: rho may grow": (TURN, lambda claim: without(claim, "rho still falls")),
}
