"""Proofs about convolutional layers in one dimension, whose patches overlap."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np
import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.rademacher import patches
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT
from proofs_check.rademacher.moments import (
    PEELING,
    SIZE_INDEPENDENT,
    moment_peeling,
    size_independent,
)
from proofs_check.steps import (
    Step,
    assumes,
    cases,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)

Sides = dict[str, tuple[Any, Any]]


# -- norms of the layers' matrices ----------------------------------------------------------------


@proof(
    "square:remark-toeplitz",
    "corrected",
    "times the root of the number of patches",
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
)
def toeplitz_norms(claim: Claim) -> Iterator[Step]:
    """|W z|^2 is the sum over patches of <w, z_p>^2, at most |w|^2 sum |z_p|^2."""
    a, b, v, w, rows = sympy.symbols("a b v w P", nonnegative=True)
    yield identity("P rows of squared norm |w|^2", sqrt(rows * w**2), sqrt(rows) * w)
    yield nonnegative(
        "<w, z_p>^2 <= |w|^2 |z_p|^2",
        (v**2 + w**2) * (a**2 + b**2) - (v * a + w * b) ** 2,
        [(v * b - w * a) ** 2],
    )
    yield from _memberships()
    yield assumes(claim, own="real", shared="real", signal="real", probe="real")
    yield tie("the claim compares these", claim, _LAYERS, _layer_sides, ("Frobenius norm",))


def _memberships() -> Iterator[Step]:
    """A number lies in at most K/(K-O) patches, rounded up; a patch starts every s = K - O."""
    n, s, r, t = sympy.symbols("n s r t", nonnegative=True)
    yield identity(
        "n patches that hold one number start (n-1) s apart at most K - 1 = (n-1) s + r: then "
        "K/s exceeds n - 1",
        ((n - 1) * s + r + 1) / s - (n - 1),
        (r + 1) / s,
    )
    yield cases(
        "the patches that hold a number, counted",
        {
            f"K = {K}, s = {stride}": max(patches.path_counts(9, K, stride, 1))
            == min(9, -(-K // stride))
            for K in range(1, 8)
            for stride in range(1, K + 1)
        },
    )
    yield nonnegative(
        "rounded up, K/s is at most (K + s - 1)/s, at most 2 K/s for K = s + t",
        2 * (s + t) - ((s + t) + s - 1) - 1,
        [t],
    )


# -- Conjecture 1 ---------------------------------------------------------------------------------


@proof("square:conjecture-1", "printed", "one layer overlaps, without the factor 2", *PEELING)
def one_overlapping_layer(claim: Claim) -> Iterator[Step]:
    """((1 + sqrt 2)/2)^2 times K/(K-O) rounded up is at most 2^2 K/(K-O)."""
    yield from moment_peeling()
    yield from _memberships()
    yield from _less_than_two()
    yield cases("the claim has one layer", {"L": claim.sizes["L"] == (1, 1)})
    yield from _printed_expressions()
    yield _assumed(claim)

    def sides(**chain: Any) -> Sides:
        attained, scale, K, O = _attained(**chain)  # noqa: E741
        levels = len(chain["own"][0])
        square = Fraction(4**levels * K, K - O)
        return {"complexity": (attained, balls.sqrt(balls.ball(square)) * scale)}

    yield tie("the claim compares these", claim, _CHAINS[:4], sides)


@proof("square:conjecture-1", "printed", "sketch of the proof, components of one mean square")
def even_components(claim: Claim) -> Iterator[Step]:
    """P patches of K components hold P K of D equal shares, and P K/D <= K/s for s = K - O."""
    P, D, s, O, q = sympy.symbols("P D s O q", positive=True)  # noqa: E741
    yield identity("the shares", (P * (s + O)) * q, P * (s + O) / D * (D * q))
    yield nonnegative(
        "P s = D - O: the bound less the share",
        (s + O) / s - P * (s + O) / (P * s + O),
        [s + O, O, 1 / s, 1 / (P * s + O)],
    )
    yield cases(
        "the patches that cover an input, counted",
        {
            f"D = {D}, K = {K}, s = {s}": (D - K) // s + 1 == Fraction(D - K + s, s)
            for D in range(1, 9)
            for K, s in _covering(D)
        },
    )
    yield assumes(claim, samples="real")

    def sides(samples: Any) -> Sides:
        m, D = samples.shape
        columns = [[number(samples[i][j]) ** 2 for i in range(m)] for j in range(D)]
        shares = [[a / sum(column) for a in column] for column in columns]
        found = [
            sum(sum(shares[j]) for p in range(0, D - K + 1, s) for j in range(p, p + K))
            for K, s in _covering(D)
        ]
        at_most = [Fraction(D * K, s) for K, s in _covering(D)]
        return {"P K/D of the squares": (found, found), "patches": (found, at_most)}

    points = [point(samples=[[1, -2, 3, "1/2", 5]]), point(samples=[[1, 2], [3, -4], [0, 1]])]
    yield tie("the claim compares these", claim, points, sides, ("P K/D of the squares",))


def _covering(D: int) -> list[tuple[int, int]]:
    """Sizes and strides of the patches that cover D components to the last."""
    sizes = range(1, D + 1)
    return [(K, s) for K in sizes for s in range(1, K + 1) if (D - K) % s == 0]


@proof("square:conjecture-1", "corrected", "every layer overlaps, a factor for each", *PEELING)
def overlapping_layers(claim: Claim) -> Iterator[Step]:
    """Every layer multiplies the paths of a number by K/(K-O) rounded up, at most."""
    yield from moment_peeling()
    yield from _memberships()
    yield from _less_than_two()
    yield from _printed_expressions()
    yield _assumed(claim)

    def sides(**chain: Any) -> Sides:
        attained, scale, K, O = _attained(**chain)  # noqa: E741
        levels, samples = len(chain["own"][0]), chain["samples"]
        count = -(-K // (K - O))
        windows = [x[p : p + K] for x in samples for p in range(0, len(x) - K + 1, K - O)]
        in_patches = sum((t * t for window in windows for t in window), Fraction(0))
        squares = sum((t * t for t in samples.ravel()), Fraction(0))
        each = balls.sqrt(balls.ball(Fraction(4**levels * K**levels, (K - O) ** levels)))
        level = (1 + balls.sqrt(balls.ball(2))) / 2
        rounded = level**levels * balls.sqrt(balls.ball(count**levels))
        return {
            "patches": (balls.ball(in_patches), balls.ball(count * squares)),
            "one factor for each layer": (attained, each * scale),
            "rounded up": (attained, rounded * scale),
        }

    yield tie("the claim compares these", claim, _CHAINS, sides)


@proof("square:conjecture-1", "sharp", "every input with its paths", *SIZE_INDEPENDENT)
def paths(claim: Claim) -> Iterator[Step]:
    """Down every layer the weight of a number is the sum of those of the patches it lies in."""
    yield from moment_peeling()
    yield from size_independent()
    yield cases(
        "paths counted one by one",
        {
            f"P = {P}, K = {K}, s = {s}, {n} levels": patches.path_counts(P, K, s, n)
            == _paths_one_by_one(P, K, s, n)
            for P, K, s, n in product((1, 2, 3), (2, 3), (1, 2), (1, 2, 3))
        },
    )
    yield _assumed(claim, k="integer >= 1")

    def sides(k: Any, **chain: Any) -> Sides:
        attained, _, K, O = _attained(**chain)  # noqa: E741
        n, samples, order = len(chain["own"][0]), chain["samples"], 2 * int(number(k))
        counts = _paths_one_by_one(len(chain["readout"][0]), K, K - O, n)
        square = sum(
            (c * t * t for x in samples for c, t in zip(counts, x, strict=True)), Fraction(0)
        )
        scale = balls.sqrt(balls.ball(square)) * balls.ball(number(chain["rho"])) / len(samples)
        level = (1 + balls.root(balls.ball(2), order)) / 2
        odd = balls.root(balls.ball(prod(range(1, order, 2))), order)
        log_two = balls.log(balls.ball(2))
        return {
            "moments of order 2k": (attained, level**n * odd * scale),
            "size-independent": (attained, balls.sqrt((2 * n + 5) * log_two / 2) * scale),
        }

    instances = [{**chain, "k": Fraction(1 + i % 4)} for i, chain in enumerate(_CHAINS)]
    yield tie("the claim compares these", claim, instances, sides)


def _less_than_two() -> Iterator[Step]:
    factor = (1 + sqrt(2)) / 2
    yield cases("2 ((1 + sqrt 2)/2)^2 <= 2^2", {"a layer": bool(2 * factor**2 <= 4)})


def _printed_expressions() -> Iterator[Step]:
    """The bounds as formulas: with L - 1 layers and their factors."""
    for f in (patches.printed_overlap_bound, patches.layerwise_overlap_bound):
        s = symbolic.symbols(f)
        each = 1 if f is patches.printed_overlap_bound else s["L"] - 1
        ratio = s["K"] / s["s"]
        yield identity(
            f"{f.meaning}: as a formula",
            symbolic.expression(f),
            2 ** (s["L"] - 1) * s["rho"] * sqrt(ratio**each) * s["norm"] / s["m"],
        )
    s = symbolic.symbols(patches.membership_bound)
    yield identity(
        "the bound that is rounded up, as a formula",
        symbolic.expression(patches.membership_bound),
        ((1 + sqrt(2)) / 2) ** (s["L"] - 1)
        * s["rho"]
        * sqrt(s["c"] ** (s["L"] - 1))
        * s["norm"]
        / s["m"],
    )


def _assumed(claim: Claim, **more: str) -> Step:
    return assumes(
        claim, samples="real", own="real", shared="real", readout="real", rho="positive", **more
    )


def _paths_one_by_one(P: int, K: int, s: int, levels: int) -> list[int]:
    """For each input the number of ways down to it: an output, then a place in each patch."""
    width = P
    for _ in range(levels):
        width = (width - 1) * s + K
    counts = [0] * width
    for top, *places in product(range(P), *[range(K)] * levels):
        place = top
        for step in places:
            place = place * s + step
        counts[place] += 1
    return counts


# -- the claims' own sides on exact instances -----------------------------------------------------


def _layer_sides(own: Any, shared: Any, signal: Any, probe: Any) -> Sides:
    kernel, s, P = [*own, *shared], len(own), len(probe)
    K = len(kernel)
    image = [sum(w * signal[p * s + j] for j, w in enumerate(kernel)) for p in range(P)]
    norm = balls.sqrt(balls.ball(sum(w * w for w in kernel)))
    value = sum(u * y for u, y in zip(probe, image, strict=True))
    lengths = sum(z * z for z in signal) * sum(u * u for u in probe)
    return {
        "Frobenius norm": (
            balls.sqrt(balls.ball(P * sum(w * w for w in kernel))),
            balls.sqrt(balls.ball(P)) * norm,
        ),
        "spectral norm": (
            balls.ball(abs(value)),
            balls.sqrt(balls.ball(-(-K // s) * Fraction(lengths))) * norm,
        ),
    }


def _layer(s: int, O: int, P: int) -> dict[str, Any]:  # noqa: E741
    D = (P - 1) * s + s + O
    return point(
        own=[2 - j for j in range(s)],
        shared=[Fraction(2 * j - 1, 2) for j in range(O)],
        signal=[(5 * j + 2) % 7 - 3 for j in range(D)],
        probe=[(3 * p + 1) % 5 - 2 for p in range(P)],
    )


def _chain(levels: int, s: int, O: int, P: int, m: int) -> dict[str, Any]:  # noqa: E741
    D, S = P, 2 ** (m - 1)
    for _ in range(levels):
        D = (D - 1) * s + s + O
    return point(
        samples=[[(5 * i + 3 * j * j + 2) % 9 - 4 for j in range(D)] for i in range(m)],
        own=[
            [[(3 * t + 2 * a + j) % 5 - 1 for j in range(s)] for a in range(levels)]
            for t in range(S)
        ],
        shared=[
            [[2 * ((2 * t + 5 * a + j) % 7) - 7 for j in range(O)] for a in range(levels)]
            for t in range(S)
        ],
        readout=[[(2 * t + p) % 3 + 1 for p in range(P)] for t in range(S)],
        rho="7/3",
    )


_LAYERS = [_layer(*sizes) for sizes in product((1, 2, 3), (1, 2), (1, 2, 4))]
_CHAINS = [
    _chain(*sizes)
    for sizes in (
        (1, 1, 1, 2, 1),
        (1, 2, 1, 2, 2),
        (1, 2, 3, 3, 2),
        (1, 3, 1, 1, 3),
        (2, 1, 1, 2, 2),
        (2, 2, 1, 2, 3),
        (3, 1, 1, 1, 1),
    )
]


def _attained(
    samples: Any, own: Any, shared: Any, readout: Any, rho: Any
) -> tuple[Any, Any, int, int]:
    """Complexity attained over all 2^m signs; rho |X| / m; K and O."""
    m, s, O = len(samples), own.shape[2], shared.shape[2]  # noqa: E741
    attained = balls.ball(0)
    for turned in range(2**m):
        network = min(turned, 2**m - 1 - turned)
        signs = [-1 if turned >> (m - 1 - i) & 1 else 1 for i in range(m)]
        kernels = [[*a, *b] for a, b in zip(own[network], shared[network], strict=True)]
        top = readout[network]
        total = sum(e * _output(x, kernels, top, s) for e, x in zip(signs, samples, strict=True))
        square = prod(sum(w * w for w in kernel) for kernel in [*kernels, list(top)])
        attained += balls.ball(Fraction(abs(total))) / balls.sqrt(balls.ball(Fraction(square)))
    rho_ball = balls.ball(number(rho))
    squares = sum((t * t for t in np.ravel(samples)), Fraction(0))
    scale = balls.sqrt(balls.ball(squares)) * rho_ball / m
    return attained * rho_ball / m / 2**m, scale, s + O, O


def _output(x: Any, kernels: Any, top: Any, s: int) -> Any:
    for kernel in kernels:
        starts = range(0, len(x) - len(kernel) + 1, s)
        x = [max(sum(w * x[p + j] for j, w in enumerate(kernel)), 0) for p in starts]
    return sum(w * v for w, v in zip(top, x, strict=True))
