"""Proof of the minima below the threshold: all three blocks of the gradient have the norm 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import exp, log, sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import LOGARITHM
from proofs_check.imbalance.merging import TANGENT_PLANE
from proofs_check.imbalance.pull_and_push import softmax, softmax_derivatives
from proofs_check.imbalance.threshold import TRACE_DUALITY, probabilities
from proofs_check.square_loss.ball_arrays import square
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

Sides = dict[str, tuple[Any, Any]]

_G, _J, _h, _d = sympy.symbols("G J h d", positive=True)
_K = _G + _J
_r, _own = sympy.symbols("r own", positive=True)
_MASS = _J * _h + _G


def blocks() -> Iterator[Step]:
    """What the minority adds to the blocks of `threshold`."""
    x = _own * exp(-_d)  # probability of another minority class; x/h is a majority class's
    whole = exp(_d) / (exp(_d) + _J - 1 + _G / _h)
    yield identity(
        "minority: they add up to 1", (_own + (_J - 1) * x + _G * x / _h).subs(_own, whole), 1
    )
    w = 1 + _h * (exp(_d) - 1) / _MASS
    yield identity(
        "on minority vectors of mean zero: w (1 - own + x) = 1",
        sympy.simplify((w * (1 - _own + x)).subs(_own, whole)),
        1,
    )
    yield identity(
        "w as computed: e^(d + loss) h/(K_B h + K_A), the loss being -log own",
        sympy.simplify(exp(_d) / whole * _h / _MASS),
        w,
    )
    yield identity(
        "between the groups: w x/h is 1/(K_B h + K_A)",
        sympy.simplify((w * x / _h).subs(_own, whole)),
        1 / _MASS,
    )
    first = sqrt(1 - _K * _G / _MASS**2)  # kappa (J/K)^(1/2)
    second = sqrt(_K * _G) / _MASS
    yield identity("the squares add up to 1", first**2 + second**2, 1)
    far = _J * (log(_h) + _d / _J) * _MASS / _K
    yield identity(
        "minority: log of own over majority is the logit d (J - 1)/J + r K/(J (J h + G))",
        sympy.expand(_d * (_J - 1) / _J + far * _K / (_J * _MASS)),
        _d + log(_h),
    )
    yield identity(
        "which is r times the second end over (K_A K_B)^(1/2), along (K_A/K_B)^(1/2)",
        _r * second * sqrt(_K / _G) / _J,
        _r * _K / (_J * _MASS),
    )
    u = sympy.Symbol("u", positive=True)
    root = sqrt(_G) / (sqrt(_K) + sqrt(_G))
    yield nonnegative(
        "J h + G exceeds (K G)^(1/2) for h above the least",
        sympy.simplify((_MASS - sqrt(_K) * sqrt(_G)).subs(_h, root + u)),
        [_J, u],
    )
    yield nonnegative(
        "w is at least 1: e^d = 1 + u", (w - 1).subs(exp(_d), 1 + u), [_h, u, 1 / _MASS]
    )


def angles() -> Iterator[Step]:
    """Inner products of minority rows: those of d (I - 1/J) plus r K_A/(K K_B)."""
    common = _G * _r / _K
    off, on = -_d / _J + common / _J, _d * (1 - 1 / _J) + common / _J
    yield identity("their cosine", off / on, (common - _d) / (common + (_J - 1) * _d))
    a = sympy.Symbol("a", nonnegative=True)
    yield identity(
        "norms: (G - 1) a + (J - 1) d + r",
        _G * a * (1 - 1 / _G) ** 2 + _G * (_G - 1) * a / _G**2 + _r + _J * _d * (1 - 1 / _J),
        (_G - 1) * a + (_J - 1) * _d + _r,
    )


@proof(
    "review:eq-34", "sharp", "minima below the threshold", TANGENT_PLANE, TRACE_DUALITY, LOGARITHM
)
def parted(claim: Claim) -> Iterator[Step]:
    """The tangent of the loss at the minimum, and trace duality: every block has the norm 1."""
    yield from softmax_derivatives()
    yield from probabilities()
    yield from blocks()
    yield from angles()
    yield assumes(
        claim,
        major="real",
        minor="real",
        x="real",
        y="real",
        margin="positive",
        lift="positive",
    )

    def sides(major: Any, minor: Any, x: Any, y: Any, margin: Any, lift: Any) -> Sides:
        G, J = len(major), len(minor)
        K, d = G + J, balls.ball(number(margin))
        ball = balls.ball
        least = ball(G).sqrt() / (ball(K).sqrt() + ball(G).sqrt())
        h = least.max((-d / J).exp()) + ball(number(lift))
        own = 1 / (1 + (-d).exp() * (J - 1 + G / h))
        other = own * (-d).exp()
        w = 1 / (J * other + G * other / h)
        # Log-odds of own class against a majority class, less what the margin explains.
        r = (h.log() + d / J) * J / (K * (w * other / h))
        reach = (1 - (w * other / h) ** 2 * K * G).sqrt() / ball(K * J).sqrt()  # W times y
        inside = (1 - J * reach) / G  # W times x
        a = K * reach * r + G * (reach / inside).log()
        W = 1 + inside * (a.exp() - 1)
        of_majority = ((-a).exp() * (G - 1 + J * reach / inside)).log1p()
        of_minority = ((-d).exp() * (J - 1 + G / h)).log1p()
        budget = (G - 1) * a + (J - 1) * d + r
        rows, loss = [*major, *minor], ball(0)
        for k, feature in enumerate([*x, *y]):
            logits = [(feature * row).sum() for row in rows]
            loss += softmax(logits, k)[1] * (W if k < G else w)
        product = ball((square(major) + square(minor)) * (square(x) + square(y)))
        common = r * G / K
        cosine = (common - d) / (common + (J - 1) * d)
        return {
            "majority margin": (0, a),
            "norm of its weights": (budget, budget),
            "norm of its features": (budget, budget),
            "loss of a majority class": (of_majority, of_majority),
            "loss of a minority class": (of_minority, of_minority),
            "angle between minority classifiers": (cosine, cosine),
            "within the bounds": (
                G * W * of_majority + J * w * of_minority + budget,
                loss + product.sqrt(),
            ),
        }

    points = [
        point(
            major=[[1, 0], [0, 1]],
            minor=[[1, 1], ["-1/2", 0]],
            x=[[1, 2], [0, 1]],
            y=[[0, -1], [1, 1]],
            margin="1/2",
            lift="1/3",
        )
    ]
    equal = (
        "norm of its weights",
        "norm of its features",
        "loss of a majority class",
        "loss of a minority class",
        "angle between minority classifiers",
    )
    yield tie("the claim compares these", claim, points, sides, equal)
