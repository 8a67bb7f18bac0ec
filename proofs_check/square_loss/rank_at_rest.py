"""Proofs about rest for all mini-batches: each sample rests, and layers have rank 1."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import sympy
from sympy import sqrt

from ncbounds.arithmetic import symbolic
from ncbounds.theory.square_loss import rank_one
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT, TRIANGLE
from proofs_check.square_loss.ball_arrays import exact, square, unit, zeros
from proofs_check.square_loss.rank_one import CAUCHY_BINET, no_rank_three
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

_rho, _lambda = sympy.symbols("rho lambda", positive=True)
_z, _w = sympy.symbols("z w", real=True)
_a, _b = sympy.symbols("a b", nonnegative=True)

Sides = dict[str, tuple[Any, Any]]


# -- Lemma 8 --------------------------------------------------------------------------------------


def _each_sample_rests() -> Iterator[Step]:
    """From batches of size B to samples, for i outside a batch S with members j.

    T_j is S with i for j, and a letter stands for the mean over a batch.
    """
    yield cases(
        "g_i = sum_j T_j - (B - 1) S, for B = 1 to 4 term by term",
        {f"B = {B}": _sample_from_batches(B) for B in range(1, 5)},
    )
    B, own, mean, total = sympy.symbols("B own mean total", real=True)
    yield identity(
        "for every B: B T_j = B S + g_i - g_j, summed over the B members, whose sum is B S",
        (B * B * mean + B * own - B * mean) / B - (B - 1) * mean,
        own,
    )
    yield identity("B times a mean is the sum", total / B * B, total)


def _sample_from_batches(B: int) -> bool:
    g = sympy.symbols(f"g_0:{B + 1}", real=True)
    mean = sum(g[1:]) / B
    others = [(sum(g) - g[j]) / B for j in range(1, B + 1)]
    return bool(sympy.expand(sum(others) - (B - 1) * mean - g[0]) == 0)


def _margins_at_rest() -> Iterator[Step]:
    """rho rests for each sample: l_n fbar_n = lambda rho, which is not 0."""
    z = _rho * sympy.Symbol("fbar", real=True)
    fbar = z / _rho
    yield identity(
        "the gradient in rho of one sample, times rho/2",
        (-2 * (1 - z) * fbar + 2 * _lambda * _rho) * _rho / 2,
        _lambda * _rho**2 - z * (1 - z),
    )
    yield identity(
        "two margins with the same z (1 - z) are equal or add up to 1",
        _z * (1 - _z) - _w * (1 - _w),
        (_z - _w) * (1 - _z - _w),
    )
    low, high = sympy.symbols("low high", nonnegative=True)
    yield nonnegative(
        "z (1 - z) is not positive for z = -low <= 0", low * (1 + low), [low, 1 + low]
    )
    yield nonnegative("nor for z = 1 + high", (1 + high) * high, [high, 1 + high])


def _one_ray() -> Iterator[Step]:
    """V_k = P_n/fbar_n = a_n b_n^T/f_n for each sample, of rank 1; V_1 = a_n x_n^T/f_n.

    So all x_n are multiples of one vector. Row i of V_1 is zero where unit i is inactive for some
    sample. Were two samples on opposite sides, a unit with a nonzero row would be active for both.
    """
    weight, product, layer = sympy.symbols("weight product layer", real=True, nonzero=True)
    yield identity(
        "l_n (P_n - fbar_n V) = 0 with weight l_n fbar_n: V is P_n over fbar_n",
        sympy.solve(weight * (product - layer * _w), _w)[0],
        product / layer,
    )
    own, other, mine, f, g = sympy.symbols("a_n a_m x_n f_n f_m", real=True, nonzero=True)
    yield identity(
        "a_n x_n/f_n = a_m x_m/f_m in a row of V_1 with a_n != 0: x_m is a multiple of x_n",
        sympy.solve(own * mine / f - other * _w / g, _w)[0],
        own * g / (other * f) * mine,
    )
    pull = sympy.Symbol("pull", positive=True)
    yield cases(
        "a row u x^T sees t x and -t x with opposite signs: one of its gates is closed",
        {
            f"{row}, {t}": row * t <= 0 or row * -t <= 0
            for row in (pull, -pull)
            for t in (pull, -pull)
        },
    )
    yield identity(
        "features, and outputs, of t x are t times those of x for t > 0: labels agree",
        sympy.Max(pull * _a, 0),
        pull * _a,
    )


@proof("square:lemma-8", "printed", "every such point", CAUCHY_BINET)
def rank_two(claim: Claim) -> Iterator[Step]:
    """At rest for all mini-batches each V_k is a_n b_n^T over f_n, for every sample n."""
    yield from _each_sample_rests()
    yield from _margins_at_rest()
    yield from _one_ray()
    yield from no_rank_three()
    yield from _chain()
    yield from _tie_to_rest(claim)


@proof("square:lemma-8", "sharp", "rank 1, samples on one ray", CAUCHY_BINET)
def rank_one_ray(claim: Claim) -> Iterator[Step]:
    """The same, and what it says of the samples; conversely each such network rests."""
    yield from _each_sample_rests()
    yield from _margins_at_rest()
    yield from _one_ray()
    p, q = sympy.symbols("p_1:3", real=True), sympy.symbols("q_1:3", real=True)
    matrix = sympy.Matrix(2, 2, lambda i, j: p[i] * q[j])
    yield identity("det p q^T = 0 for two rows and columns", matrix.det(), 0)
    yield identity(
        "tr^2 - tr_2 is twice the second symmetric function",
        (_a + _b) ** 2 - (_a**2 + _b**2),
        2 * _a * _b,
    )
    yield from _chain()
    yield from _tie_to_rest(claim)


def _chain() -> Iterator[Step]:
    """V_k = u_k u_(k-1)^T, u_k >= 0 of length 1: a sample t u_0 has the features t u_k."""
    t, one = sympy.symbols("t one", positive=True)
    yield identity(
        "V_k (t u_(k-1)) = t u_k |u_(k-1)|^2 passes the ReLU", sympy.Max(t * one, 0), t * one
    )
    yield identity(
        "a = u_k and b = t u_(k-1): the derivative is t u_k u_(k-1)^T = f V_k",
        one * (t * one),
        t * (one * one),
    )
    z = sympy.Symbol("z", positive=True)
    yield identity(
        "z and 1 - z at rest in rho with lambda = z (1 - z)/rho^2",
        -2 * (1 - z) * z / _rho + 2 * (z * (1 - z) / _rho**2) * _rho,
        0,
    )


_RESTING = [
    point(inner=[1, 2], outer=["1/2", 3, 1], direction=[1, -2], share="1/3", rho=2, long=[1, 0, 1]),
    point(inner=[1], outer=[2], direction=[-1], share="1/2", rho="1/3", long=[1, 1]),
]


def _tie_to_rest(claim: Claim) -> Iterator[Step]:
    yield assumes(
        claim,
        inner="positive",
        outer="positive",
        direction="real",
        share="proportion",
        rho="positive",
        long="mask",
    )

    def sides(inner: Any, outer: Any, direction: Any, share: Any, rho: Any, long: Any) -> Sides:
        low, N = number(share), len(long)
        shapes = [(len(inner), len(direction)), (len(outer), len(inner)), (1, len(outer))]
        found: dict[str, Any] = {
            "margins": [1 - low if chosen else low for chosen in long],
            "gradients in rho": zeros(N),
        }
        for k, shape in enumerate(shapes):
            found[f"norm of layer {k + 1}"] = 1
            found[f"gradients in layer {k + 1}"] = zeros(N, *shape)
            found[f"rank of layer {k + 1}"] = 0
        return {name: (np.array(side), np.array(side)) for name, side in found.items()}

    kinds = ("norm of", "gradients in", "rank of")
    names = [f"{kind} layer {k}" for kind in kinds for k in (1, 2, 3)]
    equal = ("margins", "gradients in rho", *names)
    yield tie("the claim compares these", claim, _RESTING, sides, equal)


@proof(
    "square:lemma-8",
    "sharp",
    "near rest, by the stable rank",
    INNER_PRODUCT,
    CAUCHY_SCHWARZ,
    TRIANGLE,
)
def near_rest(claim: Claim) -> Iterator[Step]:
    """|P - fbar V|^2 = |P|^2 - fbar^2 and fbar^2 <= alpha |P|^2, alpha = |V^T a|^2/|a|^2.

    alpha is a diagonal entry of V V^T in an orthonormal basis with a along its first vector. The
    m - 1 others add up to 1 - alpha, so |V V^T|^2 >= alpha^2 + (1 - alpha)^2/(m - 1). For fewer
    columns than rows the same with V^T and b.
    """
    yield from _each_sample_rests()
    P, f = sympy.symbols("P f", real=True)
    yield identity(
        "|P - f V|^2 for <P, V> = f and |V| = 1", P**2 - 2 * f * f + f**2 * 1, P**2 - f**2
    )
    share, gain = sympy.Symbol("share", positive=True), sympy.Symbol("gain", nonnegative=True)
    yield nonnegative(
        "P^2 = f^2/share + gain leaves at least f^2 (1/share - 1)",
        (f**2 / share + gain) - f**2 - f**2 * (1 / share - 1),
        [gain],
    )
    m = sympy.Symbol("m", positive=True)
    spare, over = sympy.symbols("spare over", nonnegative=True)
    alpha = sympy.Symbol("alpha", real=True)
    q = alpha**2 + (1 - alpha) ** 2 / m + spare  # m + 1 rows
    root = sympy.Symbol("root", nonnegative=True)  # of (m)((m+1) q - 1)
    top, bottom = (1 + root) / (m + 1), (1 - root) / (m + 1)
    yield identity(
        "m ((m+1) q - 1) = ((m+1) alpha - 1)^2 + m (m+1) spare: so (m+1) alpha - 1 <= root",
        m * ((m + 1) * q - 1),
        ((m + 1) * alpha - 1) ** 2 + m * (m + 1) * spare,
    )
    yield nonnegative(
        "were alpha = top + over beyond it, its square would exceed that of the root",
        ((m + 1) * (top + over) - 1) ** 2 - root**2,
        [over, m + 1, 2 * root + (m + 1) * over],
    )
    yield identity("top and bottom are the two roots", top + bottom, 2 / (m + 1))
    s = symbolic.symbols(rank_one.stable_rank_excess)
    inside = (s["m"] - 1) * (s["m"] * s["q"] - 1)
    yield identity(
        "the formula is 1/top - 1 for m rows, never below 0",
        symbolic.expression(rank_one.stable_rank_excess),
        sympy.Max(s["m"] / (1 + sqrt(sympy.Max(inside, 0))) - 1, 0),
    )
    B, e = sympy.symbols("B epsilon", nonnegative=True)
    yield identity(
        "|g_i| <= B epsilon + (B - 1) epsilon with B = N - 1",
        B * e + (B - 1) * e,
        (2 * (B + 1) - 3) * e,
    )
    yield nonnegative(
        "squares keep the order of what is >= 0", (_a + _b) ** 2 - _a**2, [_b, 2 * _a + _b]
    )
    yield assumes(claim, layer="real", a="real", b="real", rho="positive", epsilon="budget")
    points = [
        point(
            layer=[[1, 2, 0], [0, 1, 1]],
            a=[[1, 2], [0, 1]],
            b=[[1, 0, 1], [1, 1, -1]],
            rho="1/2",
            epsilon=3,
        )
    ]
    yield tie("the claim compares these", claim, points, _near_sides)


def _near_sides(layer: Any, a: Any, b: Any, rho: Any, epsilon: Any) -> Sides:
    V, r, reach = unit(layer), exact(number(rho)), exact(number(epsilon))
    N, m = len(a), min(layer.shape)
    gram = V @ V.T
    q = square(gram)
    top = (1 + ((m - 1) * (m * q - 1)).max(exact(0)).sqrt()) / m
    excess = 1 / top - 1
    steps, squares = [], []
    for left, right in zip(exact(a), exact(b), strict=True):
        derivative = left[:, None] * right[None, :]
        margin = (derivative * V).sum()
        z = r * margin
        steps.append(2 * r * (1 - z) * (derivative - margin * V))
        product = (1 - z) * z
        squares.append(4 * product * product * excess)
    lengths = [square(step) for step in steps]
    largest = squares[0]
    for value in squares[1:]:
        largest = largest.max(value)
    batches = []
    for batch in reversed(list(combinations(range(N), N - 1))):
        total = sum((steps[n] for n in batch[1:]), steps[batch[0]])
        batches.append(square(total / (N - 1)).sqrt())
    wide = (2 * N - 3) * reach
    return {
        "nearly at rest": (batches, [reach] * N),
        "step of a sample": (squares, lengths),
        "nearly rank one": (largest, wide * wide),
    }


# -- Equation (53) --------------------------------------------------------------------------------


@proof("square:eq-53", "corrected", "at most, and equal for one sample", TRIANGLE)
def speed(claim: Claim) -> Iterator[Step]:
    """The norm of a mean is at most the mean of the norms, and |a b^T| = |a| |b|."""
    P, f = sympy.symbols("P f", real=True)
    yield identity(
        "|P - fbar V|^2 for <P, V> = fbar and |V| = 1", P**2 - 2 * f * f + f**2 * 1, P**2 - f**2
    )
    p, q, r, s = sympy.symbols("p q r s", real=True)
    yield identity(
        "|a b^T|^2 = |a|^2 |b|^2",
        (p * r) ** 2 + (p * s) ** 2 + (q * r) ** 2 + (q * s) ** 2,
        (p**2 + q**2) * (r**2 + s**2),
    )
    y = sympy.Symbol("y", real=True)
    yield identity("a label of square 1 changes neither", (y * p) ** 2 / y**2, p**2)
    yield assumes(claim, layer="real", a="real", b="real", rho="positive", positive="mask")

    def sides(layer: Any, a: Any, b: Any, rho: Any, positive: Any) -> Sides:
        V, scale = unit(layer), exact(number(rho))
        total, norms, lengths = 0 * V, exact(0), []
        for left, right, sign in zip(exact(a), exact(b), positive, strict=True):
            derivative = (1 if sign else -1) * left[:, None] * right[None, :]
            margin = (derivative * V).sum()
            residual = 1 - scale * margin
            term = derivative - margin * V
            total = total + residual * term
            norms = norms + abs(residual) * square(term).sqrt()
            lengths.append(square(term))
        count = len(lengths)
        return {
            "speed": (2 * scale / count * square(total).sqrt(), 2 * scale / count * norms),
            "length of a term": (lengths, lengths),
        }

    points = [
        point(
            layer=[[1, 2], [0, 1]],
            a=[[1, 2], [0, 1]],
            b=[[1, 0], [1, 1]],
            rho="1/2",
            positive=[1, 0],
        )
    ]
    yield tie("the claim compares these", claim, points, sides, ("length of a term",))
