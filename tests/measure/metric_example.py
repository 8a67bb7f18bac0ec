"""Every metric at one small integer example, computed by hand.

Three classes of two, one and two samples. Less the global mean (0, 16) their means are (3, 4),
(-3, 4) and (0, -8), of lengths 5, 5 and 8 with cosines 7/25 and -4/5 twice; deviations are
+-(4, -3), none and +-(6, 0). Weights have lengths 5, 5 and 10 and cosines -7/25 and -3/5 twice.
Both M^T M = diag(18, 96) and W^T W = diag(32, 118) are diagonal.
"""

from fractions import Fraction
from math import acos, degrees, exp, log, sqrt

FEATURES = [[7, 17], [-1, 23], [-3, 20], [6, 8], [-6, 8]]
LABELS = [0, 0, 1, 2, 2]
WEIGHTS = [[4, 3], [-4, 3], [0, -10]]
BIAS = [-48, -40, 70]


def mean(*values):
    return sum(values) / len(values)


def apart(cosine):
    """Distance of two unit vectors (or matrices) from their inner product."""
    return sqrt(2 - 2 * cosine)


def mean_norm_entropy(*squares):
    """e^entropy of the shares of the roots of the squares."""
    roots = [sqrt(s) for s in squares]
    return exp(-sum(r / sum(roots) * log(r / sum(roots)) for r in roots))


def by_class(values):
    """The mean within the classes, then over them."""
    a, b, c, d, e = values
    return mean(mean(a, b), c, mean(d, e))


LENGTHS = [sqrt(338), sqrt(530), sqrt(409), 10, 10]
#: Logits of the two rivals less that of the own class: z = (31, -17, -100), (17, 33, -160),
#: (0, 32, -130), (0, -40, -10), (-48, 8, -10).
GAPS = [(-48, -131), (16, -177), (-32, -162), (10, -30), (-38, 18)]
MARGINS = [48, -16, 32, -10, -18]
#: Of unit weights (4, 3)/5, (-4, 3)/5, (0, -1): five times <w_j - w_c, h>.
GAPS_OF_UNIT = [(-56, -164), (8, -180), (-24, -172), (88, 40), (40, 88)]
COSINES = [[g / (5 * r) for g in gaps] for gaps, r in zip(GAPS_OF_UNIT, LENGTHS, strict=True)]
LOSSES = [log(1 + exp(a) + exp(b)) for a, b in GAPS]
RELATIVE = [q / (r * sqrt(50)) for q, r in zip(MARGINS, LENGTHS, strict=True)]
OWN = [79 / sqrt(338) / 5, 65 / sqrt(530) / 5, 72 / sqrt(409) / 5, -Fraction(4, 5), -Fraction(4, 5)]
#: Centred weights are (12, 13)/3, (-12, 13)/3 and (0, -26)/3; sqrt(144 + 169) = sqrt(313).
OWN_CENTRED = [305 / sqrt(338 * 313), 287 / sqrt(530 * 313), 296 / sqrt(409 * 313), -0.8, -0.8]
BOTH_CENTRED = [97 / sqrt(50 * 313), 79 / sqrt(50 * 313), 88 / sqrt(25 * 313), 0.8, 0.8]
#: Distances to the means of the other classes, squared: 36, 153, 153.
CDNV = Fraction(25, 72), Fraction(61, 306), Fraction(36, 306)
r2, r3 = sqrt(2), sqrt(3)
#: <W, M> = 24 + 24 + 80; |wdot|^2 = 150 - 16/3 = 434/3.
ALIGNED, ALIGNED_CENTRED = 128 / sqrt(434 / 3 * 882), 128 / sqrt(434 / 3 * 114)

EXACT = {
    # Sigma_W has the diagonal (52/3, 3), Sigma_B = diag(6, 32).
    "nc1.pinv": Fraction(1, 3) * (Fraction(52, 18) + Fraction(3, 32)),
    "nc1.pinv.samples": Fraction(1, 3) * (Fraction(104, 30) + Fraction(18, 160)),
    # Sigma_W = ((104, -24), (-24, 18))/5, Sigma_B = ((126, 72), (72, 864))/25 by samples.
    "nc1.fuzziness": Fraction(5 * (104 * 864 + 2 * 24 * 72 + 18 * 126), 126 * 864 - 72**2),
    "nc1.trace": Fraction(61, 3) / 38,
    "nc1.relative": Fraction(61, 943),
    "nc1.relative.centred": Fraction(61, 175),
    "nc1.spherical": 1 - mean((1 + 384 / sqrt(338 * 530)) / 2, 1, Fraction(16, 25)),
    # <G, I - J/3> with the trace 3 and the sum 9/25 of all entries.
    "nc2.etf": apart((3 - 0.12) / r2 / sqrt(3 + 2 * (49 / 625 + 2 * 16 / 25))),
    "nc2.etf.unscaled": apart(114 / r2 / sqrt(18**2 + 96**2)),
    "nc2.etf.weights": apart((150 - 16 / 3) / r2 / sqrt(32**2 + 118**2)),
    "nc2.orthogonal": apart(882 / r3 / sqrt(18**2 + 864**2)),
    "nc2.cosine": Fraction(23, 50),
    "nc2.cosine.weights": Fraction(7, 50),
    "nc2.equiangular": 9 * r2 / 25,
    "nc2.equiangular.weights": 8 * r2 / 75,
    "nc2.gram": Fraction(391 + 160 + 160, 943) + Fraction(1, 2),
    "nc2.equinorm": r2 / 6,
    "nc2.equinorm.weights": r2 / 4,
    # U^T U = diag(18, 57)/25 of the directions U; <W, U> = 98/5, all entries add up to -12/5.
    "nc3.etf": apart((98 + 4) / r2 / sqrt(32 * 18 + 118 * 57)),
    "nc3.etf.unscaled": apart(128 / r2 / sqrt(32 * 18 + 118 * 96)),
    "nc3.orthogonal": apart(64 / r3 / sqrt(32 * 18 + 118 * 864)),
    "nc3.distance": apart(128 / sqrt(150 * 114)),
    "nc3.distance.directions": apart(19.6 / sqrt(150 * 3)),
    "nc3.cosine": ALIGNED,
    "nc3.angle": degrees(acos(ALIGNED)),
    "nc3.cosine.centred": ALIGNED_CENTRED,
    "nc3.angle.centred": degrees(acos(ALIGNED_CENTRED)),
    # Predicted are 0, 1, 1, 0, 1; nearest are 0, 1, 1, 2, 2.
    "nc4.disagreement": Fraction(2, 5),
    "nc4.disagreement.balanced": Fraction(1, 3),
    "ncc.error": Fraction(1, 5),
    "ncc.error.balanced": Fraction(1, 6),
    "cdnv.mean": mean(*CDNV),
    "cdnv.max": Fraction(25, 72),
    # A = (3, 4)/(5 sqrt(2)), (-3, 4)/5, (0, -4)/5.
    "cosine.intra.min": Fraction(1, 2),
    "cosine.intra.mean": mean(Fraction(1, 2), 1, Fraction(16, 25)),
    "cosine.intra.max": 1,
    "cosine.inter.max": 7 / r2 / 25,
    "cosine.inter.mean": mean(7 / r2 / 25, -16 / r2 / 25, -16 / 25),
    "cosine.inter.min": -Fraction(16, 25),
    "cosine.inter.deviation": mean(7 / r2 / 25 + 0.5, 0.5 - 16 / r2 / 25, 0.14),
    "cosine.means.max": Fraction(7, 25),
    "cosine.means.mean": -Fraction(11, 25),
    "cosine.means.min": -Fraction(4, 5),
    "cosine.rows.max": -Fraction(7, 25),
    "cosine.rows.mean": -Fraction(37, 75),
    "cosine.rows.min": -Fraction(3, 5),
    "cosine.weights.mean": by_class(OWN_CENTRED),
    "cosine.weights.mean.centred": by_class(BOTH_CENTRED),
    # Not centred, the means give diag(6, 288).
    "gnc1": Fraction(1, 3) * (Fraction(52, 18) + Fraction(3, 288)),
    # From (4, 3)/5 to the line through (-4, 3)/5 and (0, -1).
    "gnc2": 16 / 5 / sqrt(5),
    "gnc3": 1 - by_class(OWN),
    "gnc3.unscaled": 1 - Fraction(72 + 72 - 80, 3),
    "rank.means": 2,
    "rank.means.stable": Fraction(114, 96),
    "rank.means.effective": mean_norm_entropy(18, 96),
    "rank.weights": 2,
    "rank.weights.stable": Fraction(150, 118),
    "rank.weights.effective": mean_norm_entropy(32, 118),
    "alpha": sqrt(943 / 3),
    "alpha.centred": sqrt(175 / 3),
    "beta": sqrt(50),
    "centre.weights": Fraction(8, 225),
    "loss.cross_entropy": by_class(LOSSES),
    "loss.cross_entropy.samples": mean(*LOSSES),
    "loss.cross_entropy.spherical": by_class(log(1 + exp(a) + exp(b)) for a, b in COSINES),
    "loss.hardmax": Fraction(88, 50),
    "logodds.mean": by_class(log(2) - log(exp(a) + exp(b)) for a, b in GAPS),
    "margin.mean": Fraction(34, 3),
    "margin.min": -18,
    "margin.relative.mean": by_class(RELATIVE),
    "margin.relative.min": -1.8 / sqrt(50),
    "margin.spherical.mean": by_class(-max(gaps) for gaps in COSINES),
    "accuracy": Fraction(2, 5),
    "accuracy.balanced": Fraction(1, 2),
}
