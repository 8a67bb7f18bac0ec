"""Proofs about separated classes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.elasticity import separation as theory
from ncbounds.theory.terms import Claim
from proofs_check.elasticity.drift import Sides, same
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT, TANGENT
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_PAIR = [
    {"x": [[2, 1], [3, 0]], "y": [[0, 1], [-1, "1/2"]], "v": [1, "1/2"]},
    {"x": [[1], [1], [-5]], "y": [[0], [0], [2]], "v": [2]},
]


@proof("review:eq-44", "printed", "one direction for each pair, and what it says", INNER_PRODUCT)
def direction(claim: Claim) -> Iterator[Step]:
    """Convex combinations stay on their side."""
    least, largest = sympy.symbols("least largest", real=True)
    p, q, above, below = sympy.symbols("p q above below", nonnegative=True)
    yield identity(
        "the least of -<v, y> less the largest of -<v, x>", -largest - (-least), least - largest
    )
    yield nonnegative(
        "weights p and 1 - p of entries least + above and least + below",
        (p * (least + above) + q * (least + below)) - (p + q) * least,
        [p * above + q * below],
    )
    yield nonnegative(
        "and of entries largest - above, largest - below",
        (p + q) * largest - (p * (largest - above) + q * (largest - below)),
        [p * above + q * below],
    )
    kinds = {"x": "real", "y": "real", "v": "real", "p": "positive", "q": "positive"}
    yield assumes(claim, **kinds)

    def sides(x: Any, y: Any, v: Any, p: Any, q: Any) -> Sides:
        of_x, of_y = x @ v, y @ v
        gap = min(of_x) - max(of_y)
        apart = (p @ x) / sum(p) - (q @ y) / sum(q)
        length = balls.ball(v @ v).sqrt() * balls.ball(apart @ apart).sqrt()
        return {
            "the other order": same(gap + sum(abs(of_x)) + sum(abs(of_y))),
            "hulls": (gap, length),
        }

    points = [
        point(**_PAIR[0], p=[1, 2], q=[1, "1/2"]),
        point(**_PAIR[1], p=[1, 2, 1], q=[1, 1, 1]),
    ]
    yield tie("the claim compares these", claim, points, sides, ("the other order",))


@proof("review:eq-44", "sharp", "from means and standard deviations", CAUCHY_SCHWARZ)
def deviations(claim: Claim) -> Iterator[Step]:
    """How far the extreme of n numbers is from their mean, both ways."""
    n = sympy.Symbol("n", positive=True)
    w = sympy.Symbol("w", real=True)
    yield identity(
        "one deviation is w, the n - 1 others sum to -w: n s^2 >= w^2 + w^2/(n-1)",
        w**2 + w**2 / (n - 1),
        n * w**2 / (n - 1),
    )
    u = sympy.symbols("u:4", nonnegative=True)
    yield nonnegative(
        "distances u_i >= 0 from the extreme have (sum of u)^2 >= sum of u^2, here for four",
        sum(u) ** 2 - sum(x**2 for x in u),
        [2 * sum(u[i] * u[j] for i in range(4) for j in range(i))],
    )
    mean = sympy.Symbol("mean", nonnegative=True)
    yield identity(
        "so s^2 = mean of u^2 - mean^2 is at most n mean^2 - mean^2",
        (n * mean) ** 2 / n - mean**2,
        (n - 1) * mean**2,
    )
    values, other = sympy.symbols("least_x largest_y", real=True)
    m, k = sympy.symbols("m k", real=True)
    yield identity(
        "D less the gap is the sum of both distances of extremes from means",
        (m - k) - (values - other),
        (m - values) + (other - k),
    )
    for formula, factor in (
        (theory.least_gap, sympy.sqrt(n - 1)),
        (theory.largest_gap, 1 / sympy.sqrt(n - 1)),
    ):
        found = symbolic.symbols(formula)
        yield identity(
            formula.meaning,
            symbolic.expression(formula).subs(found["n"], n),
            found["D"] - factor * found["s"],
        )
    yield assumes(claim, x="real", y="real", v="real")

    def deviation(values: Any) -> Any:
        mean = sum(values) / Fraction(len(values))
        return balls.ball(sum((t - mean) ** 2 for t in values) / Fraction(len(values))).sqrt()

    def sides(x: Any, y: Any, v: Any) -> Sides:
        of_x, of_y, count = x @ v, y @ v, len(x)
        D = (sum(of_x) - sum(of_y)) / Fraction(count)
        s, short = deviation(of_x) + deviation(of_y), D - (min(of_x) - max(of_y))
        root = balls.ball(count - 1).sqrt()
        return {"sufficient": (short, root * s), "necessary": (s / root, short)}

    points = [point(**pair) for pair in _PAIR]
    yield tie("the claim compares these", claim, points, sides)


@proof(
    "review:remark-separation", "corrected", "alpha - beta alone, with a T that sees the difference"
)
def governing(claim: Claim) -> Iterator[Step]:
    """E has alpha + (K-1) beta at 1 and alpha - beta at centred vectors; T is one number here."""
    K, t = sympy.symbols("K t", positive=True)
    alpha, beta, common, apart, T = sympy.symbols("alpha beta common apart T", real=True)
    yield identity(
        "(alpha - beta) mu_k + beta sum of mu, mu_k = common + apart, the sum K common",
        (alpha - beta) * (common + apart) + beta * K * common,
        (alpha + (K - 1) * beta) * common + (alpha - beta) * apart,
    )
    A, B = sympy.Function("A")(t), sympy.Function("B")(t)
    grown = sympy.exp(T * (A - B) / K)
    yield identity(
        "the derivative of apart e^(T (A-B)/K)",
        sympy.diff(apart * grown, t).subs({A.diff(t): alpha, B.diff(t): beta}) / grown,
        T * (alpha - beta) / K * apart,
    )
    whole = sympy.exp(T * (A + (K - 1) * B) / K)
    yield identity(
        "the derivative of common e^(T (A + (K-1) B)/K)",
        sympy.diff(common * whole, t).subs({A.diff(t): alpha, B.diff(t): beta}) / whole,
        T * (alpha + (K - 1) * beta) / K * common,
    )
    yield identity("differences have no common part", (common + apart) - (common + t), apart - t)
    kinds = {"mu": "real", "spectrum": "nonnegative", "A": "real", "B": "real"}
    yield assumes(claim, **kinds, alpha="real", beta="real")

    def sides(mu: Any, spectrum: Any, A: Any, B: Any, alpha: Any, beta: Any) -> Sides:
        K = len(mu)
        a, b, rate, other = number(alpha), number(beta), number(A), number(B)
        common = sum(mu) / Fraction(K)
        apart = [balls.ball(s * (rate - other) / K).exp() for s in spectrum]
        whole = [balls.ball(s * (rate + (K - 1) * other) / K).exp() for s in spectrum]
        centred = exact(mu - common) * np.array(apart)
        mean = exact(common) * np.array(whole)
        E = np.array([[a if i == j else b for j in range(K)] for i in range(K)])
        pulled = exact(E) @ (centred + mean) * exact(spectrum) / K
        parts = np.sum(K * np.abs(mean)) + np.sum(np.abs(centred))
        scaled = np.sum((K * np.abs(mean) + np.sum(np.abs(centred), axis=0)) * exact(spectrum))
        differences = [centred[k] - centred[r] for k in range(K) for r in range(k)]
        common_size = np.sum(np.abs(mean)) * K + np.sum(np.abs(centred))
        return {
            "LE-ODE": same(pulled + scaled * balls.ball(abs(a) + abs(b))),
            "differences": same(np.array(differences) + common_size),
            "mean of the classes": same(mean + parts),
        }

    points = [
        point(mu=[[1, 2], [-1, 0]], spectrum=[1, "1/2"], A=1, B=-1, alpha=2, beta="1/3"),
        point(mu=[[1], [2], [0]], spectrum=[2], A="1/2", B=1, alpha=-1, beta=1),
    ]
    names = ("LE-ODE", "differences", "mean of the classes")
    yield tie("the claim compares these", claim, points, sides, names)


@proof("review:remark-separation", "sharp", "where separation begins", TANGENT)
def threshold(claim: Claim) -> Iterator[Step]:
    """The ratio is e^(p log t) with p = 2 lambda gamma/K - 1, signed as gamma - K/(2 lambda)."""
    gamma, eigenvalue, K, log = sympy.symbols("gamma eigenvalue K log", positive=True)
    p = 2 * eigenvalue * gamma / K - 1
    t = sympy.Symbol("t", positive=True)
    yield identity(
        "the integral of gamma/t from 1 on is gamma log t",
        sympy.diff(gamma * sympy.log(t), t),
        gamma / t,
    )
    yield identity(
        "squared difference over variance",
        sympy.exp(2 * eigenvalue * gamma / K * log) / sympy.exp(log),
        sympy.exp(p * log),
    )
    found = symbolic.symbols(theory.separation_threshold)
    limit = symbolic.expression(theory.separation_threshold).subs(
        {found["eigenvalue"]: eigenvalue, found["K"]: K}
    )
    yield identity("p = gamma/threshold - 1", p, gamma / limit - 1)
    s, more = sympy.symbols("s more", nonnegative=True)
    yield nonnegative(
        "for p > 0: e^(p log) >= 1 + p log, so (ratio - 1) p >= p^2 log",
        (s * log + more) * s,
        [s * log + more, s],
    )
    yield identity(
        "for p < 0: 1 - e^(-s log) = e^(-s log) (e^(s log) - 1), again with s",
        1 - sympy.exp(-s * log),
        sympy.exp(-s * log) * (sympy.exp(s * log) - 1),
    )
    kinds = {"gamma": "positive", "eigenvalue": "positive", "elapsed": "positive"}
    yield assumes(claim, **kinds, K="integer >= 2")

    def sides(gamma: Any, eigenvalue: Any, elapsed: Any, K: Any) -> Sides:
        p = 2 * number(eigenvalue) * number(gamma) / number(K) - 1
        log = balls.ball(1 + number(elapsed)).log()
        ratio = (balls.ball(p) * log).exp()
        return {
            "power of time": same(ratio),
            "grows above, falls below": (1, 1 + balls.ball(p) * (ratio - 1)),
            "at least this power's tangent": (1 + balls.ball(p) * log, ratio),
        }

    points = [
        point(gamma=1, eigenvalue=1, elapsed=3, K=2),
        point(gamma=3, eigenvalue="1/2", elapsed="1/2", K=2),
        point(gamma=1, eigenvalue="1/3", elapsed=7, K=5),
    ]
    yield tie("the claim compares these", claim, points, sides, ("power of time",))
