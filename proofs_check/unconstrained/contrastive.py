"""Proofs about the supervised contrastive loss.

Per sample: Jensen for the exponential, within its own class and over the others; over samples:
Jensen for phi(x) = log(1 + (K-1) e^-x). What is left is the mean contrast, a variance.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import diff, exp, log

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.terms import Claim
from ncbounds.theory.unconstrained import contrastive as theory
from proofs_check.facts import JENSEN, MONOTONE
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

Sides = dict[str, tuple[Any, Any]]

_M, _n, _tau = sympy.symbols("M n tau", positive=True)  # M = K - 1 rivals
_x, _t = sympy.symbols("x t", real=True)
_c1, _c2 = sympy.symbols("c_1 c_2", positive=True)


def _phi(x: Any) -> Any:
    return log(1 + _M * exp(-x))


def one_sample() -> Iterator[Step]:
    """The loss of a sample is at least log n + phi(contrast), by Jensen in the two groups."""
    own, rival = sympy.symbols("own rival", real=True)
    yield identity(
        "with the mean similarities in place of all: n e^own + n (K-1) e^rival over e^own",
        (_n * exp(own) + _n * _M * exp(rival)) / exp(own),
        _n * (1 + _M * exp(-(own - rival))),
    )
    whole = sympy.Symbol("whole", real=True)
    yield identity(
        "own - rival = K/(K-1) (own - whole), as the mean over all classes is (own + (K-1) "
        "rival)/K",
        own - ((_M + 1) * whole - own) / _M,
        (_M + 1) / _M * (own - whole),
    )
    yield nonnegative(
        "phi decreases", -diff(_phi(_x), _x), [_M * exp(-_x), 1 / (1 + _M * exp(-_x))]
    )
    yield nonnegative(
        "phi is convex", diff(_phi(_x), _x, 2), [_M * exp(-_x), (1 + _M * exp(-_x)) ** -2]
    )


def mean_contrast() -> Iterator[Step]:
    """Its mean is K/((K-1) tau) (V - W - |mean|^2), at most K V/((K-1) tau)."""
    mu, d, g = sympy.symbols("mu d g", real=True)  # one coordinate; the d of a class add up to 0
    yield identity(
        "<f, mu - g> = <mu, mu - g> + <d, mu - g> for f = mu + d, the last with mean zero",
        (mu + d) * (mu - g),
        mu * (mu - g) + d * (mu - g),
    )
    yield identity(
        "V = W + mean |mu|^2: the rest of the square", (mu + d) ** 2 - d**2 - mu**2, 2 * mu * d
    )
    square, centre, W = sympy.symbols("square centre W", nonnegative=True)
    yield identity(
        "mean <mu, mu - g> = mean |mu|^2 - |g|^2 = V - W - |g|^2 for g = mean mu",
        square - centre,
        (square + W) - W - centre,
    )


def tangents() -> Iterator[Step]:
    """The right-hand side of (33) is log n plus the tangent of phi at log(c_1 (K-1)/c_2)."""
    at = log(_c1 * _M / _c2)
    share = _c2 / (_c1 + _c2)
    yield identity("slope at that point", diff(_phi(_x), _x).subs(_x, at), -share)
    yield identity(
        "the tangent",
        sympy.expand_log(_phi(at) - share * (_x - at), force=True),
        sympy.expand_log(
            -share * _x
            + _c1 / (_c1 + _c2) * log((_c1 + _c2) / _c1)
            + share * log((_c1 + _c2) * _M / _c2),
            force=True,
        ),
    )


@proof("review:eq-33", "printed", "the inequality", JENSEN, MONOTONE)
def printed(claim: Claim) -> Iterator[Step]:
    """L >= log n + phi(mean contrast) >= log n + phi(X), and phi lies above its tangents."""
    yield from one_sample()
    yield from mean_contrast()
    yield from tangents()
    yield assumes(claim, f="real", tau="positive", omega_A="nonnegative", omega_F="budget")

    def sides(f: Any, tau: Any, omega_A: Any, omega_F: Any) -> Sides:
        K, n = f.shape[:2]
        T, V = (balls.ball(number(v)) for v in (tau, omega_F))
        root = (balls.ball(number(omega_A)) * V).sqrt()
        # phi and its slope at log(c_1 (K-1)/c_2) = 2 root
        value = (1 + (K - 1) * (-2 * root).exp()).log()
        slope = -1 / (1 + (2 * root).exp() / (K - 1))
        bound = balls.ball(n).log() + value + slope * (K * V / ((K - 1) * T) - 2 * root)
        return {
            "norms of the features": (_mean_square(f), V),
            "equation (33)": (bound, _mean_loss(f, T)),
        }

    points = [{**p, **point(omega_A=2, omega_F=9)} for p in _POINTS]
    yield tie("the claim compares these", claim, points, sides)


@proof("review:eq-33", "corrected", "its own constants, attained", JENSEN, MONOTONE)
def attained(claim: Claim) -> Iterator[Step]:
    """The tangent at X itself; at a simplex ETF both similarities are constants."""
    yield from one_sample()
    yield from mean_contrast()
    yield from tangents()
    V = sympy.Symbol("V", positive=True)
    c1, c2 = exp(V / _tau), _M * exp(-V / (_M * _tau))
    yield identity(
        "c_1 (K-1)/c_2 = e^X", log(sympy.simplify(c1 * _M / c2)), (_M + 1) * V / (_M * _tau)
    )
    yield identity(
        "the simplex ETF: n e^(V/tau) + n (K-1) e^(-V/((K-1) tau)) over e^(V/tau)",
        (_n * exp(V / _tau) + _n * c2) / exp(V / _tau),
        _n * (1 + _M * exp(-(_M + 1) * V / (_M * _tau))),
    )
    K = sympy.Symbol("K", positive=True)
    yield identity(
        "its frame (K e_k - 1)/(K (K-1))^(1/2): squared norm",
        ((K - 1) ** 2 + (K - 1)) / (K * (K - 1)),
        1,
    )
    yield identity(
        "and inner product of two", (-2 * (K - 1) + (K - 2)) / (K * (K - 1)), -1 / (K - 1)
    )
    named = symbolic.symbols(theory.least_contrastive_loss)
    yield identity(
        "the formula is log n + phi(X)",
        symbolic.expression(theory.least_contrastive_loss).subs(
            {named["K"]: _M + 1, named["n"]: _n, named["omega_F"]: V, named["tau"]: _tau}
        ),
        log(_n) + _phi((_M + 1) * V / (_M * _tau)),
    )
    yield assumes(
        claim, f="real", mirror="real", n="integer >= 1", tau="positive", omega_F="budget"
    )

    def sides(f: Any, mirror: Any, n: Any, tau: Any, omega_F: Any) -> Sides:
        K, own = f.shape[:2]
        T, norm = (balls.ball(number(v)) for v in (tau, omega_F))
        value = (1 + (K - 1) * (-K * norm / ((K - 1) * T)).exp()).log()
        least = balls.ball(number(n)).log() + value
        return {
            "norms of the features": (_mean_square(f), norm),
            "lower bound": (balls.ball(own).log() + value, _mean_loss(f, T)),
            "(33) with c_1 and c_2 mended": (least, least),
            "attained": (least, least),
        }

    points = [{**p, **point(mirror=[1, 2, "-1/3"][: len(p["f"])], n=2, omega_F=9)} for p in _POINTS]
    yield tie(
        "the claim compares these",
        claim,
        points,
        sides,
        ("(33) with c_1 and c_2 mended", "attained"),
    )


@proof("review:eq-33", "sharp", "split of the gap", JENSEN, MONOTONE)
def split(claim: Claim) -> Iterator[Step]:
    """Add and subtract phi(x), then expand it at X."""
    yield from one_sample()
    yield from mean_contrast()
    X, u, mean = sympy.symbols("X u mean", real=True)
    slope = -diff(_phi(X), X)
    K = log(1 - slope + slope * exp(-u)) + slope * u
    yield identity(
        "phi(X + u) - phi(X) + sigma u = log(1 - sigma + sigma e^-u) + sigma u",
        exp(_phi(X + u) - _phi(X)),
        sympy.simplify(exp(K - slope * u)),
    )
    yield identity("sigma = 1 - e^-phi(X)", slope, 1 - exp(-_phi(X)))
    p, rest = sympy.symbols("p rest", positive=True)
    share, other = p / (p + rest), rest / (p + rest)
    weight = other + share * exp(-u)
    bregman = log(weight) + share * u
    yield identity("it vanishes at 0", bregman.subs(u, 0), 0)
    yield identity("and so does its derivative", diff(bregman, u).subs(u, 0), 0)
    yield nonnegative(
        "and it is convex", diff(bregman, u, 2), [share * exp(-u) / weight, other / weight]
    )
    yield identity(
        "the sum: l = phi(x) + (l - phi(x)), phi(x) = phi(X) + B(x - X) - sigma (x - X)",
        (_phi(X) + _t - slope * (mean - X)) - _phi(X) - _t,
        slope * (X - mean),
    )
    loss = sympy.Symbol("loss", positive=True)
    inverse = log(_M / (exp(loss) - 1))
    yield identity("phi^{-1} inverts phi", 1 + _M * exp(-inverse), exp(loss))
    V, W, centre = sympy.symbols("V W centre", positive=True)
    contrast = (_M + 1) / (_M * _tau) * (V - W - centre)
    yield identity(
        "phi^{-1}(L - log n) <= mean contrast, solved for W + |mean|^2 over V",
        (W + centre) / V,
        1 - contrast * _M * _tau / ((_M + 1) * V),
    )
    yield nonnegative("phi > 0, so L > log n", _phi(_t), [_phi(_t)])
    yield assumes(claim, f="real", tau="positive")

    def sides(f: Any, tau: Any) -> Sides:
        K, n = f.shape[:2]
        T = balls.ball(number(tau))
        losses, log_n = _losses(f, T), balls.ball(n).log()
        loss = losses.sum() / (K * n)
        norm = _mean_square(f)
        means = f.sum(axis=1) / Fraction(n)
        apart = f - means[:, None]
        lost = (apart * apart).sum() / (K * n)
        lost += (means.sum(axis=0) ** 2).sum() / Fraction(K * K)
        top = balls.ball(K * norm / (K - 1)) / T
        least = (1 + (K - 1) * (-top).exp()).log()
        slope = 1 - (-least).exp()
        odd, spread = [], []
        for k in range(K):
            for a in f[k]:
                rivals = [(a * b).sum() for r in range(K) if r != k for b in f[r]]
                own = sum((a * b).sum() for b in f[k]) / Fraction(n)
                x = balls.ball(own - sum(rivals, Fraction(0)) / len(rivals)) / T
                odd.append((1 + (K - 1) * (-x).exp()).log())
                spread.append(odd[-1] - least + slope * (x - top))
        excess = losses.ravel() - log_n - np.array(odd, dtype=object)
        inverse = -(((loss - log_n).exp() - 1) / (K - 1)).log()
        shape = f.shape[:2]
        return {
            "split of the gap": (loss, loss),
            "uneven similarities >= 0": (0 * excess.reshape(shape), excess.reshape(shape)),
            "spread of contrasts >= 0": (
                np.zeros(shape),
                np.array(spread, dtype=object).reshape(shape),
            ),
            "variability and centre": (lost / norm, 1 - inverse / top),
            "more than log n": (log_n, loss),
        }

    yield tie("the claim compares these", claim, _POINTS, sides, ("split of the gap",))


_POINTS = [
    point(f=[[[1, 2]], [[0, -1]]], tau="1/2"),
    point(f=[[[1, 0], [2, 1]], [[-1, "1/2"], [0, 1]], [[0, -2], [1, "-1/3"]]], tau=2),
]


def _losses(f: Any, tau: Any) -> Any:
    """The loss of each sample by plain sums of exponentials."""
    K, n = f.shape[:2]
    rows = [exact([[(a * b).sum() for b in c] for c in f]) / tau for a in f.reshape(K * n, -1)]
    losses = []
    for place, row in enumerate(rows):
        total = sum((s.exp() for s in row.ravel()), balls.ball(0))
        losses.append(sum((total / s.exp()).log() for s in row[place // n]) / n)
    return np.array(losses, dtype=object).reshape(K, n)


def _mean_loss(f: Any, tau: Any) -> Any:
    return _losses(f, tau).sum() / (f.shape[0] * f.shape[1])


def _mean_square(f: Any) -> Fraction:
    return Fraction((f * f).sum() / (f.shape[0] * f.shape[1]))
