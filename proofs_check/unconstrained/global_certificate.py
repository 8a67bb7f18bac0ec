"""Proofs about the certificate of global optimality and the classes of critical points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy

from ncbounds.theory.terms import Claim
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.unconstrained.points import (
    GIBBS,
    OPERATOR_NORM,
    RANK_AND_NULLITY,
    Point,
    Sides,
    each,
    entropy_route,
    in_balls,
    product_route,
    spectral_norm,
    square,
    total,
)
from proofs_check.unconstrained.regularised_risk import DOMAIN, POINTS, with_

_a, _f, _f2, _g, _a2, _b, _b2 = sympy.symbols("a f f2 g a2 b b2", real=True)
_la, _lf, _lb = sympy.symbols("lambda_A lambda_F lambda_b", positive=True)

OTHER_DOMAIN = {"other_F": "real", "other_A": "real", "other_b": "real"}


def certificate_route() -> Iterator[Step]:
    """The risk at any other point is that at the given one and what cannot be negative."""
    yield from entropy_route()
    p, h, h2, L, L2 = sympy.symbols("p h h2 L L2", real=True)
    yield identity(
        "with p the softmax at the first point, the loss at the second is the tangent there and "
        "KL(p, softmax), entry by entry: log p = h - L, and p (L2 - L) - (L2 - L) sums to zero",
        p * ((h - L) - (h2 - L2)),
        p * (L2 - L) - p * (h2 - h),
    )
    yield identity(
        "1/2 <A, dR/dA> + 1/2 <F, dR/dF> = Q(A, F), term by term",
        _a * (_g * _f + _la * _a) / 2 + _f * (_g * _a + _lf * _f) / 2,
        _la * _a**2 / 2 + _lf * _f**2 / 2 + _g * _a * _f,
    )
    yield identity(
        "the bias: the slope of the loss and its decay",
        _g * (_b2 - _b) + _lb * (_b2**2 - _b**2) / 2,
        (_g + _lb * _b) * (_b2 - _b) + _lb * (_b2 - _b) ** 2 / 2,
    )
    yield from product_route()


def _pair(
    F: Any, A: Any, b: Any, other_F: Any, other_A: Any, other_b: Any, **decays: Any
) -> tuple[Point, Point]:
    return Point(F, A, b, **decays), Point(other_F, other_A, other_b, **decays)


def _given_pairs() -> list[dict[str, Any]]:
    """Two different points, and twice the same one, at zero."""
    pairs = []
    for place, factor in ((0, 2), (1, -1)):
        at = {name: np.asarray(v, dtype=object) for name, v in POINTS[place].items()}
        other = {f"other_{name}": v * factor for name, v in at.items()}
        pairs.append({**at, **other, **point(lambda_A=1, lambda_F=2, lambda_b="1/2")})
    nothing = {n: v * 0 if "lambda" not in n else v for n, v in pairs[1].items()}
    return [*pairs, nothing]


@proof("review:eq-25", "printed", "every critical point", GIBBS, OPERATOR_NORM)
def every_critical_point(claim: Claim) -> Iterator[Step]:
    """Fenchel's identity about the given point; the form Q is not negative by (25)."""
    yield from certificate_route()
    yield assumes(claim, **DOMAIN, **OTHER_DOMAIN, lambda_b="nonnegative")

    def sides(**instance: Any) -> Sides:
        at, other = _pair(**instance)
        left = at.unrest + total(at.by_b * (at.b - other.b))
        return {
            "equation (25)": (spectral_norm(at.G), at.sigma),
            "global minimum": (at.risk, other.risk + left),
        }

    yield tie("the claim compares these", claim, _given_pairs(), sides)


@proof("review:eq-26", "printed", "the first class are global minima", GIBBS, OPERATOR_NORM)
def one_value(claim: Claim) -> Iterator[Step]:
    """The certificate (25), once from each side."""
    yield from certificate_route()
    yield assumes(claim, **DOMAIN, **OTHER_DOMAIN, lambda_b="nonnegative")

    def sides(**instance: Any) -> Sides:
        at, other = _pair(**instance)
        return {
            "first in C1": (spectral_norm(at.G), at.sigma),
            "second in C1": (spectral_norm(other.G), at.sigma),
            "first no worse": (
                at.risk - other.risk,
                at.unrest + total(at.by_b * (at.b - other.b)),
            ),
            "second no worse": (
                other.risk - at.risk,
                other.unrest + total(other.by_b * (other.b - at.b)),
            ),
        }

    yield tie("the claim compares these", claim, _given_pairs(), sides)


@proof("review:eq-25", "sharp", "duality gap of any point", GIBBS, OPERATOR_NORM)
def duality_gap(claim: Claim) -> Iterator[Step]:
    """Entropy, divergence, a square in the bias and the form Q of the given probabilities."""
    yield from entropy_route()
    yield identity(
        "<Gamma 1, b> + lambda_b/2 |b|^2 is a square less |Gamma 1|^2/(2 lambda_b)",
        _g * _b + _lb * _b**2 / 2,
        _lb * (_b + _g / _lb) ** 2 / 2 - _g**2 / (2 * _lb),
    )
    sigma, over = sympy.symbols("sigma over", positive=True)
    yield identity(
        "a norm above sigma is brought to sigma", sigma / (sigma + over) * (sigma + over), sigma
    )
    p, share, rest = sympy.symbols("p share rest", positive=True)
    yield nonnegative(
        "moved to the labels by a share of at most 1, probabilities stay so: at the own class",
        (1 + share * (p - 1)).subs(share, 1 / (1 + rest)),
        [p + rest, 1 / (1 + rest)],
    )
    yield from product_route()
    yield assumes(claim, **DOMAIN, logits="real", lambda_b="positive")

    def sides(logits: Any, **instance: Any) -> Sides:
        at = Point(**instance)
        powers = each("exp", in_balls(logits).reshape(at.N, at.K).T)
        residual = powers / powers.sum(axis=0) - at.Y
        share = at.sigma / at.sigma.max(spectral_norm(residual) / at.N)

        def below(P: Any) -> Any:
            to_bias = (P - at.Y).sum(axis=1) / at.N
            return -total(P * each("log", P)) / at.N - square(to_bias) / (2 * at.lb)

        P = at.Y + residual
        to_bias = residual.sum(axis=1) / at.N
        form = at.decay + total(residual / at.N * (at.A @ at.F))
        between = at.divergence(P) + at.lb * square(at.b + to_bias / at.lb) / 2 + form
        return {
            "lower bound": (below(at.Y + share * residual), at.risk),
            "between": (at.risk, below(P) + between),
        }

    given = with_(lambda_A="1/2", lambda_F="1/30", lambda_b="1/2")
    given[0].update(point(logits=[[[0, 0, 0]], [[1, 2, 0]], [[0, 0, 0]]]))
    given[1].update(point(logits=[[[0, 1], [1, "1/2"]], [[-1, 0], [2, 0]]]))
    yield tie("the claim compares these", claim, given, sides, ("between",))


@proof("review:eq-26", "sharp", "what every critical point satisfies", RANK_AND_NULLITY)
def at_rest(claim: Claim) -> Iterator[Step]:
    """Multiply the gradients by A, F, G and 1; typical terms of the sums."""
    by_A, by_F = _g * _f + _la * _a, _g * _a2 + _lf * _f
    yield identity(
        "A^T dR/dA - dR/dF F^T, term by term: <a, g f> cancels",
        _a2 * (_g * _f + _la * _a) - (_g * _a2 + _lf * _f2) * _f,
        _la * _a2 * _a - _lf * _f2 * _f,
    )
    p, others = sympy.symbols("p others", real=True)
    yield identity("a column of G sums to zero: p - 1 and the other p", (p - 1) + (1 - p), 0)
    yield identity(
        "so a column of dR/dA sums to lambda_A times that of A",
        others * 0 + _la * _a,
        _la * _a,
    )
    yield identity(
        "G dR/dF^T - lambda_F dR/dA: G F^T cancels",
        _g * by_F - _lf * (by_A),
        _g * _g * _a2 - _la * _lf * _a,
    )
    yield identity(
        "features: dR/dF 1 = A^T G 1 + lambda_F F 1, with G 1 = dR/db - lambda_b b",
        _a * _g + _lf * _f,
        _lf * _f + _a * ((_g + _lb * _b) - _lb * _b),
    )
    stretch, on_A = sympy.symbols("stretch on_A", real=True)
    yield identity(
        "for u with G G^T u = s^2 u: (G G^T - sigma^2) A = 0 from the left",
        stretch * on_A - _la * _lf * on_A,
        (stretch - _la * _lf) * on_A,
    )
    s, w = sympy.symbols("s w", positive=True)
    yield nonnegative(
        "a singular value above sigma = sqrt(lambda_A lambda_F) leaves a factor: "
        "s^2 - sigma^2 > 0 at s = sigma + w",
        (s + w) ** 2 - s**2,
        [w, 2 * s + w],
    )
    yield identity("of the rank: u and 1 are two vectors, as 1^T G = 0", (_K_ - 2) + 2, _K_)
    yield assumes(claim, **DOMAIN, lambda_b="nonnegative")

    def sides(**instance: Any) -> Sides:
        at = Point(**instance)
        long, wide = square(at.A), square(at.F)
        size = 1 + at.lA * (long + 1) + at.lF * (wide + 1) + at.lA * at.lF + long + wide
        size += at.lb * (1 + square(at.b))
        found = {
            "balance": at.A.T @ at.by_A + at.lF * (at.F @ at.F.T),
            "columns of A": at.lA * at.A.sum(axis=0),
            "sum of b": at.lb * total(at.b),
            "sum of features": at.lF * at.F.sum(axis=1) + at.A.T @ at.by_b,
            "eigenvectors": at.G @ (at.G.T @ at.A) + at.lF * at.by_A,
        }
        return {name: (side + size, side + size) for name, side in found.items()}

    names = ("balance", "columns of A", "sum of b", "sum of features", "eigenvectors")
    given = with_(lambda_A="1/2", lambda_F=3, lambda_b="1/2")
    yield tie("the claim compares these", claim, given, sides, names)


_K_ = sympy.Symbol("K", positive=True, integer=True)
