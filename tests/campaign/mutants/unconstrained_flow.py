"""Errors planted in the flow of unconstrained features: signs, factors, exponents, constants."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap, without

GRADIENTS = ("review:eq-16", "printed", "gradients, with the exact remainder of a step")
ALONG = ("review:eq-16", "sharp", "what the flow conserves and what it lessens")
FOLLOWS = ("review:eq-17", "corrected", "means with the factor 1/sqrt(n), and the outputs")
NEAR = ("review:eq-17", "sharp", "what small errors give, and what keeps them from being small")
CONVERSE = (
    "review:eq-17",
    "sharp",
    "conversely, zero risk, balance and SNC3 are strong collapse",
)
LINEAR = ("review:eq-19", "printed", "kappa is the number of classes")
EXACT = ("review:eq-19", "sharp", "the distance exactly, and the best factor at every time")
SUBSPACE = ("review:eq-20", "printed", "invariance, and every line of the risk")
FROZEN = (
    "review:eq-20",
    "sharp",
    "a spread within classes that is orthogonal to the weights rests for ever",
)
SOLVED = ("review:eq-20", "sharp", "the flow on S in closed form")
MEAN = ("review:eq-56", "printed", "gradients, and the bias of the linearised flow")
CLOCK = ("review:eq-56", "sharp", "the same paths, N times slower")
SPECTRUM = (
    "review:eq-58",
    "printed",
    "any beta: self-adjoint, three cases, spectral decomposition",
)
FINAL = ("review:remark-a3-final", "printed", "the final bound and the bias")
CHAIN = ("review:remark-a3-final", "corrected", "the chain with the kernel")
ROWS = ("review:eq-60", "printed", "rows that are not constant")
OPTIMUM = ("review:eq-61", "corrected", "any number of rows, any weight decay")
PRODUCT = ("review:eq-61", "corrected", "(62) with the penalty of the cited theorem")
GAP = ("review:eq-61", "sharp", "how near the optimum a small risk is")
FEATURES = ("review:eq-63", "printed", "the first K rows")
CENTRED = ("review:eq-64", "corrected", "the last matrix transposed, and the simplex")


def one_change(key, name, change=None):
    """An entry of the table: one comparison changed, else its right-hand side 1 % larger."""
    return key, lambda claim: changed(claim, name, change or rhs(101, 100))


def smaller_constant(xp, c, i):
    """The exponent 1/((K + 1) sqrt(n)) for 1/(K sqrt(n))."""
    K, n = i["F"].shape[1:3]
    root = xp.sqrt(0 * i["t"] + n)
    return replace(c, rhs=c.rhs * xp.exp(-1 / (K * (K + 1) * root)))


MUTANTS = {
    "(18): twice the gradient by A": one_change(
        GRADIENTS, "weights", lambda xp, c, i: replace(c, rhs=2 * c.rhs - c.lhs / 2)
    ),
    "(18): 1 % more by b": one_change(GRADIENTS, "bias"),
    "(18) flow: imbalance changes sign": one_change(ALONG, "imbalance is conserved", flip),
    "(18) flow: the risk falls half as fast": one_change(ALONG, "the risk falls", rhs(1, 2)),
    "(18) flow: classes spread": one_change(ALONG, "classes do not spread", flip),
    "(17): any number of dimensions": (FOLLOWS, lambda c: without(c, "enough dimensions")),
    "(61) near: any number of rows": (GAP, lambda c: without(c, "enough rows")),
    "(17): norms 1 % larger": one_change(FOLLOWS, "centred means"),
    "(17): cosines of the other sign": one_change(FOLLOWS, "cosines", flip),
    "(17) near: 1 % less imbalance": one_change(NEAR, "imbalance", rhs(99, 100)),
    "(17) near: frozen without A": one_change(
        NEAR,
        "frozen features",
        lambda xp, c, i: replace(c, lhs=c.lhs + xp.sum(i["A"] * i["A"], axis=(1, 2))),
    ),
    "(17) near: row sums without K": one_change(
        NEAR, "row sums", lambda xp, c, i: replace(c, rhs=c.rhs / i["A"].shape[1])
    ),
    "(17) near: one dimension more is missing": one_change(
        NEAR, "few dimensions", lambda xp, c, i: replace(c, lhs=c.lhs + i["F"].shape[2])
    ),
    "(17) converse: SNC2 1 % nearer": one_change(CONVERSE, "SNC2", rhs(99, 100)),
    "(17) converse: SNC1 twice as near": one_change(CONVERSE, "SNC1", rhs(1, 4)),
    "(19): a larger kappa": one_change(LINEAR, "distance", smaller_constant),
    "(19): the flow of the other sign": one_change(LINEAR, "flow", flip),
    "(19) sharp: 1 % less at every time": one_change(EXACT, "distance", rhs(99, 100)),
    "(19) sharp: attained below": one_change(EXACT, "attained", rhs(99, 100)),
    "(20): rows of the other sign": one_change(SUBSPACE, "bias stays constant", flip),
    "(20): half the risk": one_change(SUBSPACE, "last line", rhs(1, 2)),
    "(20) frozen: 1 % of the risk more": one_change(FROZEN, "risk"),
    "(20) frozen: the pull on A turned": one_change(FROZEN, "by weights", flip),
    "(20) solved: 1 % slower": one_change(SOLVED, "weights", rhs(99, 100)),
    "(20) solved: linear 1 % longer": one_change(SOLVED, "linearisation", rhs(99, 100)),
    "(57): without 1/N": one_change(
        MEAN, "rate of the bias", lambda xp, c, i: replace(c, rhs=c.rhs * i["F"].shape[1])
    ),
    "(57): bias 1 % faster": one_change(MEAN, "its solution"),
    "(56) clock: bias of the other clock": one_change(
        CLOCK, "bias", lambda xp, c, i: replace(c, rhs=c.rhs * i["F"].shape[2] * 2)
    ),
    "(56) clock: the pair falls": one_change(CLOCK, "pair", flip),
    "(58): not self-adjoint": one_change(SPECTRUM, "self-adjoint", flip),
    "(58): E_2 of the other sign": one_change(SPECTRUM, "E_2^+", flip),
    "(59): 1 % more": one_change(SPECTRUM, "(59)"),
    "A.3: a smaller exponent": one_change(FINAL, "distance", smaller_constant),
    "A.3: bias 1 % slower": one_change(FINAL, "bias", rhs(99, 100)),
    "A.3 chain: second line 1 % off": one_change(CHAIN, "second line"),
    "A.3 chain: last line 1 % less": one_change(CHAIN, "last line", rhs(99, 100)),
    "(60): mean v": one_change(
        ROWS,
        "square norm",
        lambda xp, c, i: replace(c, rhs=c.rhs - i["v"] * i["v"] / 2),
    ),
    "(60): scale kept": one_change(
        ROWS,
        "scale is lost",
        lambda xp, c, i: replace(c, lhs=c.lhs * i["scale"][:, :, None, None]),
    ),
    "(61): bound 1 % higher": one_change(OPTIMUM, "lower bound", lhs(101, 100)),
    "(61): attained 1 % above": one_change(OPTIMUM, "attained"),
    "(61) product: bound 1 % higher": one_change(PRODUCT, "lower bound", lhs(101, 100)),
    "(61) product: turned around": one_change(PRODUCT, "lower bound", swap),
    "(61) near: 1 % more": one_change(GAP, "gap", lhs(101, 100)),
    "(61) near: turned around": one_change(GAP, "gap", swap),
    "(63): 1/n": one_change(FEATURES, "own class", lambda xp, c, i: replace(c, rhs=c.rhs * c.rhs)),
    "(63): other classes": one_change(FEATURES, "other classes"),
    "(64): not centred": one_change(CENTRED, "other classes", flip),
    "(64): an orthogonal frame": one_change(CENTRED, "their cosines", rhs(0)),
}
