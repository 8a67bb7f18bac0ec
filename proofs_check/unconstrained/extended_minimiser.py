"""Proofs about the global minimisers of the model with one more layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.square_loss.ball_arrays import exact, square
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.unconstrained.extended import (
    HORN,
    TRACE,
    WEIGHTED_MEANS,
    one_value_route,
    singular_values_route,
)
from proofs_check.unconstrained.square_layers import Layer, Sides, raised

_K, _x = sympy.symbols("K x", positive=True)


def _near_minimisers() -> Iterator[Step]:
    """The growth of the risk around its least value, for three factors."""
    yield from singular_values_route()
    yield from one_value_route()
    share, off, eps = sympy.symbols("share off epsilon", nonnegative=True)
    yield identity("s = 2x - 1 is the share", 2 * (1 + share) / 2 - 1, share)
    yield identity(
        "s |O - xI|^2/(2Kx) <= epsilon",
        2 * _K * _x * (eps - share / (2 * _K * _x) * off),
        2 * _K * _x * eps - share * off,
    )
    yield identity(
        "the least value at s = 2x - 1", (1 - (2 * _x - 1) * _x) / 2, (1 - _x) * (1 + 2 * _x) / 2
    )


def _matrices() -> Iterator[Step]:
    """Balance and cube, as identities of matrices whose factors do not commute."""
    A2, A1, S, G = sympy.symbols("A2 A1 S G", commutative=False)  # S = F F^T, G = residual F^T
    A2t, A1t = sympy.symbols("A2t A1t", commutative=False)
    l2, l1, lF = sympy.symbols("lambda_2 lambda_1 lambda_F", positive=True)
    of_A2, of_A1 = G * A1t + l2 * A2, A2t * G + l1 * A1
    with_F = A1t * A2t * G + lF * S

    yield identity(
        "lambda_2 A_2^T A_2 - lambda_1 A_1 A_1^T = A_2^T grad_2 - grad_1 A_1^T",
        l2 * A2t * A2 - l1 * A1 * A1t,
        A2t * of_A2 - of_A1 * A1t,
    )
    yield identity(
        "lambda_1 A_1^T A_1 - lambda_F F F^T = A_1^T grad_1 - grad_F F^T",
        l1 * A1t * A1 - lF * S,
        A1t * of_A1 - with_F,
    )
    B, Bt = sympy.symbols("Fbar Fbart", commutative=False)
    weight = sympy.Symbol("weight", positive=True)
    P = weight * B * Bt
    upper, lower = l2 * A2t * A2 - l1 * A1 * A1t, l1 * A1t * A1 - P
    rest = l1 * A1t * upper * A1 + lower * lower + lower * P + P * lower
    yield identity(
        "lambda_2 lambda_1 O^T O = weight^2 (Fbar^T Fbar)^3 + what is out of balance",
        l2 * l1 * Bt * A1t * A2t * A2 * A1 * B,
        weight**2 * Bt * B * Bt * B * Bt * B + Bt * rest * B,
    )
    M = l2 * A2t * A2
    yield identity(
        "lambda_1 weight O O^T = lambda_2^2 (A_2 A_2^T)^3 + what is out of balance",
        l1 * weight * A2 * A1 * B * Bt * A1t * A2t,
        l2**2 * A2 * A2t * A2 * A2t * A2 * A2t
        + A2 * (upper * upper - M * upper - upper * M) * A2t
        - l1 * A2 * A1 * lower * A1t * A2t,
    )
    yield identity(
        "lambda_1 W W^T = lambda_2 (A_2 A_2^T)^2 - what is out of balance",
        l1 * A2 * A1 * A1t * A2t,
        l2 * A2 * A2t * A2 * A2t - A2 * upper * A2t,
    )


def _in_every_position() -> Iterator[Step]:
    """Factors sqrt(cost/decay) times orthogonal matrices whose product is I."""
    left, l2, l1, lF = sympy.symbols("left lambda_2 lambda_1 lambda_F", positive=True)
    cost = _x * left / _K
    yield identity(
        "the square of the product of the scales is x^2 for n lambda_F = x left^3/(K^3 l2 l1)",
        cost**3 / (l2 * l1 * (_x * left**3 / (_K**3 * l2 * l1))),
        _x**2,
    )
    yield identity(
        "each of K classes costs (1-x)^2/(2K) + 3 cost/2",
        _K * ((1 - _x) ** 2 / (2 * _K) + 3 * _x * (1 - _x) / (2 * _K)),
        (1 - _x) * (1 + 2 * _x) / 2,
    )
    first, along, norm = sympy.symbols("first along norm", real=True, nonzero=True)
    yield identity(
        "a reflection keeps norms",
        first - 4 * along**2 / norm + 4 * along**2 / norm**2 * norm,
        first,
    )
    yield identity(
        "and is undone by itself: x - 2 p v, less 2 (p - 2p) v for p = <x, v>/|v|^2",
        first - 2 * along - 2 * (along - 2 * along),
        first,
    )
    slack = sympy.Symbol("slack", nonnegative=True)
    yield nonnegative("squares within classes are not negative", lF * slack, [lF, slack])


@proof(
    "review:eq-39",
    "corrected",
    "m at least K, below the threshold",
    HORN,
    TRACE,
    WEIGHTED_MEANS,
)
def below_the_threshold(claim: Claim) -> Iterator[Step]:
    """Growth, the balance of gradients, and a cube."""
    yield from _near_minimisers()
    yield from _matrices()
    yield from _in_every_position()
    yield assumes(
        claim,
        A2="real",
        A1="real",
        F="real",
        lambda_2="positive",
        lambda_1="positive",
        share="proportion",
        mirrors="real",
        epsilon="budget",
    )

    def sides(
        A2: Any,
        A1: Any,
        F: Any,
        lambda_2: Any,
        lambda_1: Any,
        share: Any,
        mirrors: Any,
        epsilon: Any,
    ) -> Sides:
        last, first = exact(A2), exact(A1)
        W = last @ first
        layer = Layer(W, F)
        K, n, eps = layer.K, layer.n, balls.ball(number(epsilon))
        x = (1 + number(share)) / 2
        l2, l1 = balls.ball(number(lambda_2)), balls.ball(number(lambda_1))
        of_F = x * (1 - x) ** 3 / (K**3 * n * number(lambda_2) * number(lambda_1))
        lF = balls.ball(of_F)
        value = square(W @ layer.F - layer.Y) / (2 * layer.N) + lF / 2 * square(layer.F)
        value = value + l2 / 2 * square(last) + l1 / 2 * square(first)
        least = balls.ball((1 - x) * (1 + 2 * x)) / 2
        found, eye = W @ layer.Fbar, exact(np.eye(K, dtype=int))
        E = (W @ layer.F - layer.Y) @ layer.F.T / layer.N
        upper = l2 * (last.T @ last) + (last.T @ E + l1 * first) @ first.T
        lower = l1 * (first.T @ first) + first.T @ last.T @ E + lF * (layer.F @ layer.F.T)
        cube = (l2 * l1 * (found.T @ found)).ravel()
        norm = square(layer.F)
        room = l2 * l1 * square(last) * square(first) * norm + (n * lF) ** 2 * norm**3
        cost = balls.ball(x * (1 - x) / K)
        kept = (balls.ball(x) * eye).ravel()
        features = (cost / (n * lF) * eye).ravel()
        weights = (cost * cost / (l2 * l1) * eye).ravel()
        return {
            "near the least": (value, least + eps),
            "mean outputs": (
                balls.ball(2 * x - 1) * square(found - balls.ball(x) * eye),
                2 * K * balls.ball(x) * eps,
            ),
            "within classes": (square(layer.within), 2 * eps / lF),
            "balance of the layers": raised(upper),
            "balance with the features": raised(lower),
            "cube": raised(cube, room),
            "attained": (least, least),
            "outputs": raised(kept),
            "features": raised(features),
            "weights": raised(weights),
        }

    instances = [
        point(
            A2=[[1, 0, 1], [0, 1, 2]],
            A1=[[1, 1, 0], [0, 1, 0], [2, 0, "1/2"]],
            F=[[[1, 0, 1], [1, 1, 0]], [[0, 1, 0], [0, "1/2", 1]]],
            lambda_2="1/8",
            lambda_1="1/9",
            share="1/2",
            mirrors=[[1, 2], [2, -1]],
            epsilon=3,
        )
    ]
    equalities = (
        "balance of the layers",
        "balance with the features",
        "cube",
        "attained",
        "outputs",
        "features",
        "weights",
    )
    yield tie("the claim compares these", claim, instances, sides, equalities)
