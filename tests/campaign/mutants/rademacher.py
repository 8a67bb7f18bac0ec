"""Errors planted in the Rademacher theory of `square`."""

from __future__ import annotations

from mutants.planting import changed, no_root, rhs, swap

OUTPUT = ("square:theorem-4", "printed", "a ReLU after the last layer too")
MOMENTS = ("square:theorem-4", "sharp", "half of a ReLU is linear")
DEFINITIONS = ("square:definition-1", "sharp", "the definitions compared")
ERROR = ("square:theorem-3", "printed", "inputs of norm at most 1")
ANY_NORM = ("square:theorem-3", "corrected", "inputs of any norm")
RELATIVE = ("square:eq-17", "printed", "bounds only")
OWN = ("square:eq-16", "printed", "as a bound of its own")
DENSE = ("square:eq-16", "corrected", "with the complexity of dense networks")
SHELLS = ("square:eq-16", "sharp", "moments and the expected complexity")
TOEPLITZ = ("square:remark-toeplitz", "corrected", "times the root of the number of patches")
ONE_LAYER = ("square:conjecture-1", "printed", "one layer overlaps, without the factor 2")
LAYERS = ("square:conjecture-1", "corrected", "every layer overlaps, a factor for each")
SKETCH = ("square:conjecture-1", "printed", "sketch of the proof, components of one mean square")
PATHS = ("square:conjecture-1", "sharp", "every input with its paths")
LINES = ("square:eq-21", "printed", "(22), after the peeling")
NEEDED = ("square:remark-depth-factor", "sharp", "kernels of their own")
MARGIN = ("square:sharp-5", "sharp", "two classes")
CLASSES = ("square:sharp-5", "sharp", "more classes")
RANK = ("square:theorem-7", "corrected", "spectral norm 1")

#: name -> key, conclusion, change
_TABLE = {
    "theorem 4, ReLU on top: less than half": (OUTPUT, "complexity", rhs(49, 100)),
    "theorem 4, ReLU on top: bound squared": (OUTPUT, "complexity", no_root),
    "theorem 4, moments: 1 % tighter": (MOMENTS, "moments of order 2k", rhs(99, 100)),
    "theorem 4, size-independent: root of L / 2": (MOMENTS, "size-independent", rhs(3, 4)),
    "theorem 4, remark: half the factor": (MOMENTS, "as remarked after (22)", rhs(9, 20)),
    "theorem 4, sparse: half the factor": (MOMENTS, "compositionally sparse", rhs(9, 20)),
    "definition 1: signed 1 % less": (DEFINITIONS, "signed", rhs(99, 100)),
    "definition 1: absolute at most signed": (DEFINITIONS, "absolute", rhs(1, 2)),
    "definition 1: factor 2 forgotten": (DEFINITIONS, "Definition 1", rhs(1, 2)),
    "theorem 3: contraction 1 % tighter": (ERROR, "ramp loss of the class", rhs(99, 100)),
    "theorem 3: homogeneity by t": (
        ERROR,
        "homogeneity",
        lambda xp, c, i: changed_side(c, c.rhs * i["t"] / (i["t"] + 1)),
    ),
    "theorem 3: shares twice as large": (ERROR, "shares", rhs(2)),
    "theorem 3, any norm: 1 % tighter": (ANY_NORM, "(14) to (12)", rhs(99, 100)),
    "theorem 3, expected: a tenth tighter": (ANY_NORM, "by the expected complexity", rhs(9, 10)),
    "equations 17, 18: the other way round": (RELATIVE, "(17) below (18)", swap),
    "equations 17, 18: the full bound the other way round": (RELATIVE, "(12) for both", swap),
    "equation 16, own: half": (OWN, "(16)", rhs(1, 2)),
    "equation 16, own: the other way round": (OWN, "(16)", swap),
    "equation 16, dense: outputs 1 % smaller": (DENSE, "size of the output", rhs(99, 100)),
    "equation 16, dense: no cost of a layer": (DENSE, "moments of order 2k", rhs(4, 5)),
    "equation 16, shells: 5 % tighter": (SHELLS, "t <= rho <= t + 1", rhs(95, 100)),
    "equation 16, doubling: 1 % tighter": (SHELLS, "2^t <= rho <= 2^(t+1)", rhs(99, 100)),
    "Toeplitz: number of patches": (TOEPLITZ, "Frobenius norm", rhs(11, 10)),
    "Toeplitz: spectral norm a fifth smaller": (TOEPLITZ, "spectral norm", rhs(4, 5)),
    "conjecture 1, one layer: two fifths": (ONE_LAYER, "complexity", rhs(2, 5)),
    "conjecture 1, one layer: bound squared": (ONE_LAYER, "complexity", no_root),
    "conjecture 1, sketch: 1 % less": (SKETCH, "patches", rhs(99, 100)),
    "conjecture 1, sketch: share 1 % larger": (SKETCH, "P K/D of the squares", rhs(101, 100)),
    "conjecture 1, layers: patches a fifth less": (LAYERS, "patches", rhs(4, 5)),
    "conjecture 1, layers: half the factors": (LAYERS, "rounded up", rhs(2, 5)),
    "conjecture 1, paths: no cost of a layer": (PATHS, "moments of order 2k", rhs(4, 5)),
    "conjecture 1, paths: three fifths": (PATHS, "size-independent", rhs(3, 5)),
    "equation 22: third line 1 % larger": (LINES, "third line", rhs(101, 100)),
    "equation 22: fourth line 1 % tighter": (LINES, "fourth line", rhs(99, 100)),
    "depth factor: 1 % more": (NEEDED, "attained", rhs(99, 100)),
    "depth factor: the other way round": (NEEDED, "attained", swap),
    "margins: shares of j >= 0 alone": (MARGIN, "shares", rhs(3, 2)),
    "margins: ramp 1 % tighter": (MARGIN, "ramp loss of the class", rhs(99, 100)),
    "margins: the bound 1 % tighter": (MARGIN, "the bound", rhs(99, 100)),
    "margins: count from above": (MARGIN, "ramp loss by the share", swap),
    "more classes: slope 1": (CLASSES, "slope", rhs(1, 2)),
    "more classes: contraction without factor": (CLASSES, "vector contraction", rhs(1, 8)),
    "more classes: rows 1 % more": (CLASSES, "rows add up", rhs(101, 100)),
    "theorem 7: Frobenius norm 1 % smaller": (RANK, "Frobenius norm", rhs(99, 100)),
    "theorem 7: share 1 % smaller": (RANK, "share of full rank", rhs(99, 100)),
}


def changed_side(comparison, side):
    """The comparison with another right-hand side."""
    return type(comparison)(comparison.name, comparison.lhs, side, comparison.relation)


def _mutant(conclusion, change):
    return lambda claim: changed(claim, conclusion, change)


MUTANTS = {
    name: (key, _mutant(conclusion, change)) for name, (key, conclusion, change) in _TABLE.items()
}
