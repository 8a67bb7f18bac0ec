"""Errors planted in locally elastic dynamics: factors, signs, exponents, multiplicities."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs, swap

MEANS = ("review:eq-40", "printed", "means")
NOISE = ("review:eq-40", "corrected", "Sigma is the covariance of the noise per time")
DIRECTION = ("review:eq-44", "printed", "one direction for each pair, and what it says")
DEVIATIONS = ("review:eq-44", "sharp", "from means and standard deviations")
GOVERNING = (
    "review:remark-separation",
    "corrected",
    "alpha - beta alone, with a T that sees the difference",
)
THRESHOLD = ("review:remark-separation", "sharp", "where separation begins")
BLOCKS = ("review:eq-46", "printed", "residuals and blocks")
FORM = ("review:eq-46", "corrected", "how far T is from semi-definite")
SPECTRUM = ("review:remark-spectrum", "corrected", "multiplicities 1, K - 1 and K(K - 1)")
WIDE = ("review:remark-spectrum", "sharp", "features of any dimension from K on")
SOLUTION = ("review:eq-47", "printed", "the solution under local elasticity")
ALIGNED = ("review:eq-47", "corrected", "impacts between classes negative")
VARYING = ("review:eq-47", "sharp", "impacts that vary")
STEP = ("review:eq-48", "printed", "two linear layers, with what the first order leaves out")
LINEAR = ("review:eq-50", "corrected", "gradient of the residuals in the second line")
RESIDUE = ("review:eq-50", "sharp", "how fast the residue vanishes, and its share")


def one_more(key, name, change=None):
    """An entry of the table: one comparison changed, else its right-hand side 1 % larger."""
    return key, lambda claim: changed(claim, name, change or rhs(101, 100))


def plus(amount):
    """Add to the right-hand side what `amount` makes of the namespace and the instance."""
    return lambda xp, c, i: replace(c, rhs=c.rhs + amount(xp, i))


def faster(xp, c, i):
    """Multiply the right-hand side by another e^(-|beta| t/(K-1))."""
    K = i["f"].shape[1]
    return replace(c, rhs=c.rhs * xp.exp(-i["repulsion"] * i["t"] / (K - 1)))


def shifted(xp, i):
    """The signed change of the ratio, with a threshold that is 1 % lower."""
    power = 2 * i["eigenvalue"] * i["gamma"] / i["K"]
    ratio = xp.exp((power - 1) * xp.log1p(i["elapsed"]))
    return (ratio - 1) * (power * 101 / 100 - 1)


MUTANTS = {
    "elastic (41): twice the drift": one_more(
        MEANS, "mean of a step", lambda xp, c, i: replace(c, lhs=c.lhs * 2 - c.rhs / 2)
    ),
    "elastic (43): paths drift away": one_more(
        MEANS, "mean of the paths", plus(lambda xp, i: i["eta"][:, None])
    ),
    "elastic (42): noise counted twice": one_more(NOISE, "covariance, driven by means", rhs(2)),
    "elastic (42): a step of order eta^2 only": one_more(
        NOISE, "covariance of a step", rhs(99, 100)
    ),
    "elastic (42): own features change nothing": one_more(
        NOISE,
        "covariance, driven by itself",
        plus(lambda xp, i: (i["eta"] * i["eta"])[:, None, None]),
    ),
    "elastic (44): the other direction halves the gap": one_more(
        DIRECTION, "the other order", rhs(1, 2)
    ),
    "elastic (44): hulls 1 % closer": one_more(DIRECTION, "hulls", rhs(99, 100)),
    "elastic (44): sufficient 1 % sooner": one_more(DEVIATIONS, "sufficient", rhs(99, 100)),
    "elastic (44): necessary by 1 % more": one_more(DEVIATIONS, "necessary", lhs(101, 100)),
    "elastic separation: by alpha": one_more(GOVERNING, "differences", rhs(2)),
    "elastic separation: rate 1 % larger": one_more(GOVERNING, "LE-ODE"),
    "elastic separation: falls above the threshold": one_more(
        THRESHOLD, "grows above, falls below", swap
    ),
    "elastic separation: threshold 1 % lower": one_more(
        THRESHOLD,
        "grows above, falls below",
        lambda xp, c, i: replace(c, rhs=1 + shifted(xp, i)),
    ),
    "elastic separation: tangent with half the slope, below": one_more(
        THRESHOLD, "at least this power's tangent", lambda xp, c, i: replace(c, lhs=(c.lhs + 1) / 2)
    ),
    "elastic (46): cosines of another sign": one_more(BLOCKS, "simplex", flip),
    "elastic (46): diagonal 1/K": one_more(BLOCKS, "diagonal, others", rhs(1, 2)),
    "elastic (46): least form 1 % smaller": one_more(
        FORM, "least", lambda xp, c, i: replace(c, rhs=c.rhs * 99 / 100)
    ),
    "elastic (46): largest form 1 % smaller": one_more(FORM, "largest", rhs(99, 100)),
    "elastic spectrum: eigenvalue 1 % larger": one_more(SPECTRUM, "one eigenvector"),
    "elastic spectrum: the others negative": one_more(SPECTRUM, "coordinates of the others", flip),
    "elastic spectrum: no kernel": one_more(SPECTRUM, "kernel", rhs(1, 2)),
    "elastic spectrum in R^m: eigenvalue 1 % larger": one_more(WIDE, "coordinates of the one"),
    "elastic spectrum in R^m: differences doubled": one_more(
        WIDE, "differences of the one", rhs(2)
    ),
    "elastic (47): rate 1 % larger": one_more(SOLUTION, "LE-ODE"),
    "elastic (47): the constant moves": one_more(SOLUTION, "constant part in the kernel", rhs(2)),
    "elastic (47): aligned twice as fast": one_more(ALIGNED, "deviation", faster),
    "elastic (47): Gram matrix without the first order": one_more(
        ALIGNED, "Gram matrix", rhs(1, 8)
    ),
    "elastic (47): margins with half the deviation": one_more(ALIGNED, "margins", rhs(1, 2)),
    "elastic (47) varying: coordinates 1 % larger": one_more(VARYING, "coordinates"),
    "elastic (47) varying: of the other sign": one_more(VARYING, "coordinates", flip),
    "elastic (48): twice the second order": one_more(
        STEP, "step", plus(lambda xp, i: (i["eta"] * i["eta"])[:, None])
    ),
    "elastic (48): step 1 % larger": one_more(STEP, "step"),
    "elastic (50): residue doubled": one_more(LINEAR, "two lines", rhs(2)),
    "elastic (50): second line 1 % larger": one_more(LINEAR, "two lines"),
    "elastic (50): residue bound 1 % smaller": one_more(RESIDUE, "residue", rhs(99, 100)),
    "elastic (50): the linear part points along the drift": one_more(
        RESIDUE, "linear part at equal margins", flip
    ),
}
