"""Proofs about the drift of logits and its linearisation."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.elasticity import linearised_drift as theory
from ncbounds.theory.terms import Claim
from proofs_check.elasticity.drift import Sides, same
from proofs_check.facts import DERIVATIVE_SIGN, TRIANGLE
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie


def softmax(row: Any) -> Any:
    """Softmax of exact logits, in balls."""
    raised = np.array([balls.ball(f).exp() for f in row])
    return raised / raised.sum()


def slope(s: Any) -> Any:
    """diag(s) - s s^T."""
    return np.diag(s) - np.outer(s, s)


def own(K: int) -> Any:
    """The unit vector of the first class."""
    return np.array([Fraction(int(k == 0)) for k in range(K)])


def derivative_of_softmax() -> Iterator[Step]:
    """Of the cross-entropy, and of softmax, for three classes."""
    f = sympy.symbols("f:3", real=True)
    total = sum(sympy.exp(x) for x in f)
    s = [sympy.exp(x) / total for x in f]
    loss = sympy.log(total) - f[0]
    yield identity(
        "own residual: minus the derivative of the loss", -sympy.diff(loss, f[0]), 1 - s[0]
    )
    yield identity("another residual", -sympy.diff(loss, f[1]), -s[1])
    yield identity("diagonal of the slope", sympy.diff(s[0], f[0]), s[0] - s[0] ** 2)
    yield identity("off the diagonal", sympy.diff(s[0], f[1]), -s[0] * s[1])


@proof("review:eq-48", "printed", "two linear layers, with what the first order leaves out")
def step(claim: Claim) -> Iterator[Step]:
    """(V + eta r h^T)(W + eta V^T r z^T) x, h = W z, multiplied out."""
    yield from derivative_of_softmax()
    v = sympy.symbols("v:2", real=True)
    w = sympy.symbols("w:2", real=True)
    x = sympy.symbols("x:2", real=True)
    z = sympy.symbols("z:2", real=True)
    r = sympy.symbols("r:2", real=True)
    eta = sympy.Symbol("eta", positive=True)
    V, W = sympy.Matrix(2, 1, v), sympy.Matrix(1, 2, w)
    X, Z, R = (sympy.Matrix(each) for each in (x, z, r))
    drawn = W * Z
    logits = V * drawn
    weighted = (R.T * logits)[0]
    yield identity(
        "<r, f(z)> by V, an entry: r h^T", sympy.diff(weighted, v[1]), (R * drawn.T)[1, 0]
    )
    yield identity(
        "<r, f(z)> by W, an entry: V^T r z^T", sympy.diff(weighted, w[1]), (V.T * R * Z.T)[0, 1]
    )
    moved = (V + eta * R * drawn.T) * (W + eta * V.T * R * Z.T) * X - V * W * X
    inner = (X.T * Z)[0]
    gram = ((W * X).T * drawn)[0] * R + inner * V * V.T * R
    second = inner * weighted * R
    yield identity("an entry of the step", moved[0], eta * gram[0] + eta**2 * second[0])
    gram_entry = sum(sympy.diff((V * W * X)[0], t) * sympy.diff(logits[1], t) for t in (*v, *w))
    yield identity(
        "G by its definition, an entry off the diagonal", gram_entry, inner * (V * V.T)[0, 1]
    )
    gram_entry = sum(sympy.diff((V * W * X)[0], t) * sympy.diff(logits[0], t) for t in (*v, *w))
    yield identity("and on it", gram_entry, ((W * X).T * drawn)[0] + inner * (V * V.T)[0, 0])
    yield assumes(claim, W="real", V="real", x="real", z="real", eta="positive")

    def sides(W: Any, V: Any, x: Any, z: Any, eta: Any) -> Sides:
        rate, hidden, drawn = number(eta), W @ x, W @ z
        logits = V @ drawn
        r = exact(own(len(V))) - softmax(logits)
        inner = x @ z
        G = inner * (V @ V.T)
        for k in range(len(V)):
            G[k, k] += hidden @ drawn
        moved = exact(rate * G) @ r + r * (exact(logits) @ r) * balls.ball(rate**2 * inner)
        large, last = np.abs(V), np.abs(W)
        ones = np.array([Fraction(1)] * len(V))
        size = (large + rate * np.outer(ones, last @ np.abs(z))) @ (
            (last + rate * np.outer(large.T @ ones, np.abs(z))) @ np.abs(x)
        )
        return {"step": same(moved + balls.ball(sum(size)))}

    points = [
        point(W=[[1, 2], [0, -1]], V=[[1, 0], [2, 1], [0, "1/2"]], x=[1, 1], z=[2, -1], eta="1/3"),
        point(W=[[1]], V=[[1], [-1]], x=[1], z=[1], eta=1),
    ]
    yield tie("the claim compares these", claim, points, sides, ("step",))


@proof("review:eq-50", "corrected", "gradient of the residuals in the second line")
def linearised(claim: Claim) -> Iterator[Step]:
    """G is linear, and so is S: what is added at the mean is taken away."""
    yield from derivative_of_softmax()
    g, s, r, mean, away = sympy.symbols("g s r mean away", real=True)
    yield identity(
        "one entry of each",
        g * r - g * s * away,
        g * (-s * (mean + away) + r + s * mean),
    )
    yield assumes(claim, mean="real", away="real", J="real")

    def sides(mean: Any, away: Any, J: Any) -> Sides:
        C = len(mean)
        flat = np.reshape(J, (C * C, -1))
        drift = []
        for k in range(C):
            s = softmax(mean[k])
            unit = exact([int(j == k) for j in range(C)])
            drift.extend(unit - s - slope(s) @ exact(away[k]))
        terms = 1 + np.abs(np.ravel(mean)) + np.abs(np.ravel(away))
        size = sum(np.abs(flat) @ (np.abs(flat).T @ terms))
        moved = exact(flat @ flat.T) @ np.array(drift)
        return {"two lines": same(moved + balls.ball(size))}

    points = [
        point(
            mean=[[1, 0], [0, "1/2"]],
            away=[[1, -1], [2, 0]],
            J=[[[1, 0, 2], [0, 1, -1]], [[1, 1, 0], ["1/2", 0, 3]]],
        )
    ]
    yield tie("the claim compares these", claim, points, sides, ("two lines",))


@proof(
    "review:eq-50",
    "sharp",
    "how fast the residue vanishes, and its share",
    DERIVATIVE_SIGN,
    TRIANGLE,
)
def residue(claim: Claim) -> Iterator[Step]:
    """Own logit 0, the others -x_j: p the sum of the s_j, w that of s_j x_j."""
    yield from derivative_of_softmax()
    p, w, s, x, q = sympy.symbols("p w s x q", nonnegative=True)
    level, mean = sympy.symbols("level mean", real=True)
    yield identity(
        "adding a level to the logits changes no S f",
        s * (x + level - (mean + level)),
        s * (x - mean),
    )
    yield identity("own entry: p + (1-p) (0 - (-w))", p + (1 - p) * w, p + w - p * w)
    yield identity("another: -s - s (x - w)", -s + s * (-x - (-w)), -s * (1 + x - w))
    yield nonnegative(
        "whose size is at most s (1 + x + w): squares compared",
        (1 + x + w) ** 2 - (1 + x - w) ** 2,
        [4 * w * (1 + x)],
    )
    yield identity("in all at most 2 (p + w)", (p + w - p * w) + (p + w + p * w), 2 * (p + w))
    more = sympy.Symbol("more", nonnegative=True)
    yield nonnegative(
        "s_j = e^(-x_j)/(1 + more) is at most e^(-x_j)",
        sympy.exp(-x) - sympy.exp(-x) / (1 + more),
        [sympy.exp(-x), more, 1 / (1 + more)],
    )
    yield nonnegative(
        "(1 + x) e^(-x) falls: minus its derivative",
        -sympy.diff((1 + x) * sympy.exp(-x), x),
        [x, sympy.exp(-x)],
    )
    found = symbolic.symbols(theory.residue_bound)
    K = found["K"]
    yield identity(
        "so that p + w, K - 1 terms s (1 + x), gives the bound",
        symbolic.expression(theory.residue_bound).subs(found["q"], q),
        2 * ((K - 1) * (1 + q) * sympy.exp(-q)),
    )
    yield identity("equal margins: w = p x, own entry", (1 - p) * (p * x), ((1 - p) * x) * p)
    yield identity("and another, s = p/(K-1)", s * (-x + p * x), ((1 - p) * x) * (-s))
    yield assumes(claim, gaps="nonnegative", level="real", x="nonnegative")

    def sides(gaps: Any, level: Any, x: Any) -> Sides:
        K, base, margin = len(gaps) + 1, number(level), number(x)
        f = [base, *(base - g for g in gaps)]
        s = softmax(f)
        found = exact(own(K)) - s + slope(s) @ exact(f)
        least = min(gaps)
        bound = balls.ball(2 * (K - 1) * (1 + least)) * balls.ball(-least).exp()
        others = (K - 1) * balls.ball(-margin).exp()
        s_own = 1 / (1 + others)
        r = exact([Fraction(1), *[Fraction(-1, K - 1)] * (K - 1)]) * (1 - s_own)
        size = balls.ball(abs(base) + margin + 1)
        factor = s_own * balls.ball(margin)
        return {
            "residue": (sum(abs(v) for v in found), bound),
            "linear part at equal margins": same(-r * factor + size),
            "residue at equal margins": same(r * (1 + factor) + size),
        }

    points = [
        point(gaps=[1, 2], level=0, x=1),
        point(gaps=[0], level=3, x="1/2"),
        point(gaps=[5, 5, 5], level=-1, x=7),
    ]
    names = ("linear part at equal margins", "residue at equal margins")
    yield tie("the claim compares these", claim, points, sides, names)
