"""Which distances of class means a simplex ETF makes largest: the remark after (52).

For means mu_1..mu_K the sum of |mu_i - mu_j|^2 over all pairs is K sum |mu_c|^2 - |sum mu_c|^2. So
the mean over the pairs is largest for all means whose sum is zero; the least of them is largest
for the simplex ETF alone; a single one is not.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative
from ncbounds.theory.cosine import dot
from ncbounds.theory.metrics import pairs
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

CLASSES = integer("K", "number of classes", "K", at_least=2)


@formula(CLASSES, nonnegative("mean_square", "mean squared norm of the class means", "q"))
def simplex_distance(xp: Any, K: Any, mean_square: Any) -> Any:
    """Squared distance of two points of a simplex ETF."""
    return 2 * K * mean_square / (K - 1)


@formula(CLASSES, nonnegative("gap", "simplex distance less the least squared distance", "g"))
def gram_bound(xp: Any, K: Any, gap: Any) -> Any:
    """Distance of the centred Gram matrix from that of a simplex ETF."""
    return (K - 1) * xp.sqrt(2 * (K - 1) * (K - 1) + 2) * gap / 4


def squared_distances(xp: Any, centres: Any) -> Any:
    """Squared distances of every two rows: (B, K, d) to (B, K (K-1)/2)."""
    return pairs(xp, centres, lambda x, y: square_norm(xp, x - y))


def _largest(xp: Any, centres: Any) -> Any:
    of_square = xp.mean(square_norm(xp, centres), axis=-1)
    return simplex_distance(xp, K=0 * of_square + centres.shape[1], mean_square=of_square)


def single_pair_claim(xp: Any, *, centres: Any) -> Judgement:
    """The distance of the first two means beside that of a simplex of the same mean square."""
    apart = square_norm(xp, centres[:, 0] - centres[:, 1])
    return Judgement((), (Comparison("distance of a pair", apart, _largest(xp, centres)),))


def least_distance_claim(xp: Any, *, centres: Any) -> Judgement:
    """Mean and least squared distance."""
    apart, largest = squared_distances(xp, centres), _largest(xp, centres)
    K = centres.shape[1]
    common = 2 * K * square_norm(xp, xp.mean(centres, axis=1)) / (K - 1)
    mean = xp.mean(apart, axis=-1)
    return Judgement(
        (),
        (
            Comparison("mean over the pairs", mean, largest - common, "="),
            Comparison("least over the pairs", xp.min(apart, axis=-1), largest),
        ),
    )


def near_simplex_claim(xp: Any, *, centres: Any) -> Judgement:
    """How near to a simplex ETF a least distance near the largest possible is."""
    apart, largest = squared_distances(xp, centres), _largest(xp, centres)
    K = centres.shape[1]
    least = xp.min(apart, axis=-1)
    gap = largest - least
    centre = xp.mean(centres, axis=1)
    moved = centres - centre[:, None, :]
    square = 0 * gap
    for i in range(K):
        for j in range(K):
            wanted = least * ((i == j) * K - 1) / (2 * K)
            off = dot(xp, moved[:, i], moved[:, j]) - wanted
            square = square + off * off
    bound = gram_bound(xp, K=0 * gap + K, gap=gap)
    return Judgement(
        (),
        (
            Comparison("common mean", 2 * K * square_norm(xp, centre) / (K - 1), gap),
            Comparison("Gram matrix", square, bound * bound),
        ),
    )


_CENTRES = (Field("centres", ("K", "d")),)
_SIZES = {"K": (2, 5), "d": (1, 4)}

REMARK = Statement(
    id="review:remark-etf-distance",
    kind="remark",
    title="Distances of class means at a simplex ETF",
    source=Source("review", "Sec. 4.1, after (52)"),
    topic="transfer",
    variants=(
        Variant(
            "printed",
            "the distance of a single pair",
            r"Among class means of the same mean squared norm, $|\mu_i - \mu_j|^2$ is largest for "
            r"a simplex ETF, where it is $\frac{2K}{K-1} \frac 1K \sum_c |\mu_c|^2$.",
            Claim(single_pair_claim, _CENTRES, _SIZES),
            defect="For K >= 3 two opposite means and zeros for the rest are farther apart. So the "
            "B of (52) is least for a simplex ETF only where it is taken over the worst pair.",
        ),
        Variant(
            "corrected",
            "the least distance, and the mean over the pairs",
            r"$\min_{i \ne j} |\mu_i - \mu_j|^2 \le \frac{2}{K-1} \sum_c |\mu_c|^2$, with "
            r"equality for a simplex ETF; the mean over the pairs is this less $\frac{2K}{K-1} "
            r"|\bar\mu|^2$, the same for all means that sum to zero.",
            Claim(least_distance_claim, _CENTRES, _SIZES),
            (Bound("least squared distance of class means", simplex_distance, "upper"),),
        ),
        Variant(
            "sharp",
            "only near a simplex ETF",
            r"If the least squared distance m is short of the largest possible by g, then "
            r"$\frac{2K}{K-1} |\bar\mu|^2 \le g$, and the Gram matrix of the centred means is "
            r"within $\frac{K-1}{4} \sqrt{2(K-1)^2 + 2} g$ of $\frac m2 (I - 11^T/K)$.",
            Claim(near_simplex_claim, _CENTRES, _SIZES),
            (Bound("distance of the Gram matrix from that of an ETF", gram_bound, "upper"),),
            remark="Attained for K = 3 by a triangle with one longer side. With g = 0 it says that "
            "the simplex ETF alone attains the largest least distance.",
        ),
    ),
)

STATEMENTS = (REMARK,)
