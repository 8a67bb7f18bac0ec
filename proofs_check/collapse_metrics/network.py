"""Proofs about the last layer as a matrix equation, and about empirical risks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import sympy

from ncbounds.theory.terms import Claim
from proofs_check.collapse_metrics.sides import K, Sides
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.vectors import dot, mean


@proof("review:eq-1", "printed", "the bias added to every column")
def last_layer(claim: Claim) -> Iterator[Step]:
    """Every entry is a sum over coordinates, linear in each factor: two of all stand for any."""
    A = sympy.Matrix(2, 2, sympy.symbols("a1:5", real=True))
    F = sympy.Matrix(2, 4, sympy.symbols("f1:9", real=True))
    b = sympy.Matrix(sympy.symbols("b1:3", real=True))
    g = sympy.Matrix(sympy.symbols("g1:3", real=True))
    ones = sympy.ones(1, 4)
    H, Y = A * F + b * ones, sympy.kronecker_product(sympy.eye(2), sympy.ones(1, 2))
    means = F * Y.T / 2
    yield identity("a column of H", H[0, 3], (A * F.col(3) + b)[0])
    yield identity("F Y^T/n has the class means as columns", means[1, 0], (F[1, 0] + F[1, 1]) / 2)
    yield identity("H Y^T/n, as 1^T Y^T/n = 1^T", (H * Y.T / 2)[1, 1], (A * means.col(1) + b)[1])
    yield identity("A (F - g 1^T) + (b + A g) 1^T", (A * (F - g * ones) + (b + A * g) * ones)[1, 2],
                   H[1, 2])  # fmt: skip
    yield assumes(claim, a="real", f="real", b="real", shift="real")
    points = [
        point(a=[[1, 2], [0, 1]], f=[[[1, 0], [2, 1]], [[0, 3], [1, 1]]], b=[1, -1], shift=[2, 5]),
        point(a=[[1], [2]], f=[[["1/2"]], [[3]]], b=[0, 1], shift=[-1]),
    ]
    equalities = ("columns", "class means", "shift")
    yield tie("the claim compares these", claim, points, _layer_sides, equalities)


def _layer_sides(a: Any, f: Any, b: Any, shift: Any) -> Sides:
    samples = [[[dot(a[c], x) + b[c] for x in rows] for rows in f] for c in range(len(a))]
    columns = [x for row in samples for part in row for x in part]
    of_means = [dot(a[c], mean(rows)) + b[c] for c in range(len(a)) for rows in f]
    return {
        "columns": (columns, columns),
        "class means": (of_means, of_means),
        "shift": (columns, columns),
    }


@proof("review:eq-2", "printed", "the two forms of the empirical risk")
def two_forms(claim: Claim) -> Iterator[Step]:
    """N = K n."""
    total, n = sympy.symbols("total n", positive=True)
    yield identity("the sum over K n, and over n, then K", total / (K * n), (total / n) / K)
    yield assumes(claim, loss="real")
    points = [point(loss=[[1, 2], [3, 5]]), point(loss=[["1/3"], [2], [0]])]

    def sides(loss: Any) -> Sides:
        found = sum(x for row in loss for x in row) / Fraction(loss.size)
        return {"the two forms": (found, found)}

    yield tie("the claim compares these", claim, points, sides, ("the two forms",))


@proof("review:eq-2", "printed", "the empirical risk of a fixed network")
def fixed_network(claim: Claim) -> Iterator[Step]:
    """Sample by sample: a new one is independent of the sum T of the N before it."""
    N = sympy.Symbol("N", positive=True)
    R, T, loss, v = sympy.symbols("R T l v", real=True)
    yield identity("E(T + l) = N R + R", N * R + R, (N + 1) * R)
    yield identity("over N + 1 samples the mean is R", (N + 1) * R / (N + 1), R)
    yield identity(
        "(T + l - (N+1) R)^2: the middle term is a product of means, both zero",
        (T + loss - (N + 1) * R) ** 2,
        (T - N * R) ** 2 + 2 * (T - N * R) * (loss - R) + (loss - R) ** 2,
    )
    yield identity("variances N v and v add up, and over (N+1)^2", (N * v + v) / (N + 1) ** 2,
                   v / (N + 1))  # fmt: skip
    gap = sympy.Symbol("gap", nonnegative=True)
    least = sympy.Symbol("least", real=True)
    yield nonnegative(
        "the least risk of a sample is at most that of each network, so on average at most R(h)",
        (least + gap) - least,
        [gap],
    )
    yield assumes(claim, loss="real", mass="positive")
    points = [point(loss=[[1, 2], [3, 0]], mass=[1, 2]), point(loss=[[1, 0, 5]], mass=[1, 1, 3])]
    yield tie("the claim compares these", claim, points, _population_sides, ("mean", "variance"))


def _population_sides(loss: Any, mass: Any) -> Sides:
    p = [m / sum(mass) for m in mass]
    risks = [dot(row, p) for row in loss]
    variances = [
        dot([(x - r) ** 2 for x in row], p) for row, r in zip(loss, risks, strict=True)
    ]  # fmt: skip
    leasts = []
    for N in (1, 2, 3):
        found = Fraction(0)
        for sample in product(range(len(p)), repeat=N):
            chance = Fraction(1)
            for place in sample:
                chance *= p[place]
            found += chance * min(sum(row[place] for place in sample) / N for row in loss)
        leasts.append(found)
    return {
        "mean": (risks * 3, risks * 3),
        "variance": (variances * 3, variances * 3),
        "least risk": (leasts, [min(risks)] * 3),
    }


@proof("review:eq-2", "sharp", "classes of any sizes")
def any_sizes(claim: Claim) -> Iterator[Step]:
    """Shares less 1/K add up to zero: their positive and negative parts have one sum D."""
    low = sympy.Symbol("low", real=True)
    D, range_, above, below = sympy.symbols("D range above below", nonnegative=True)
    yield identity("the shares less 1/K add up to zero", 1 - K * (1 / K), 0)
    yield identity("D is half the sum of sizes", (D + D) / 2, D)
    yield nonnegative(
        "the positive part sees at most the largest loss, the negative at least the least",
        D * range_ - (D * (low + range_) - above - (D * low + below)),
        [above + below],
    )
    yield assumes(claim, loss="real", size="integer >= 1")
    points = [point(loss=[1, 4], size=[1, 3]), point(loss=[2, 0, 5], size=[1, 1, 4])]

    def sides(loss: Any, size: Any) -> Sides:
        number = Fraction(len(loss))
        share = [s / sum(size) for s in size]
        apart = sum(abs(s - 1 / number) for s in share)
        difference = abs(dot(share, loss) - sum(loss) / number)
        return {"difference": (difference, (max(loss) - min(loss)) * apart / 2)}

    yield tie("the claim compares these", claim, points, sides)
