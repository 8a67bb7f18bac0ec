"""Proofs about the minimisers of the regularised square loss, without bias and with one.

As in `square_regularised`, a letter is a typical entry, and sums over entries are statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, TRIANGLE
from proofs_check.square_loss.ball_arrays import exact, square
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.unconstrained.square_layers import (
    COMPLEMENT,
    Layer,
    Sides,
    given,
    plus,
    variance_route,
)
from proofs_check.unconstrained.square_regularised import attained_route, squares_route

_a, _f, _z, _y, _step, _b = sympy.symbols("a f z y step b", real=True)
_K, _n, _weight_decay, _feature_decay = sympy.symbols("K n lambda_A lambda_F", positive=True)
_rho = sympy.Symbol("rho", positive=True)


# -- weights at rest ------------------------------------------------------------------------------


@proof("review:remark-mse-closed-form", "printed", "weights at rest")
def weights_at_rest(claim: Claim) -> Iterator[Step]:
    """The gradient of a quadratic, and its square completed."""
    second = sympy.Symbol("S", positive=True)
    yield identity(
        "A (Fbar Fbar^T/K + lambda_A) = Fbar^T/K is A (Fbar Fbar^T + K lambda_A) = Fbar^T",
        _K * (_a * second / _K + _weight_decay * _a - _f / _K),
        _a * (second + _K * _weight_decay) - _f,
    )
    yield identity(
        "one entry of what another A costs: outputs",
        (_z + _step - _y) ** 2,
        (_z - _y) ** 2 + 2 * _step * (_z - _y) + _step**2,
    )
    yield identity(
        "and decay; the terms of first order are the gradient, zero at rest",
        (_a + _step) ** 2,
        _a**2 + 2 * _step * _a + _step**2,
    )
    yield assumes(claim, A="real", F="real", lambda_A="positive")

    def sides(A: Any, F: Any, lambda_A: Any) -> Sides:
        weights, rows, decay = exact(A), exact(F), balls.ball(number(lambda_A))
        K = len(rows)
        off = weights @ rows.T
        for k in range(K):
            off[k, k] = off[k, k] - 1
        value = square(off) / (2 * K) + decay / 2 * square(weights)
        entries = [x / K for x in rows.ravel()]
        return {"at rest": (entries, entries), "all other weights": (value, value)}

    instances = [
        point(A=[[1, 2], [0, -1]], F=[[1, 0], ["1/2", 1]], lambda_A="1/3"),
        point(A=[[1, 0, 2], [1, 1, 1]], F=[[1, 2, 0], [0, 1, 1]], lambda_A=2),
        point(A=[[0], [0]], F=[[0], [0]], lambda_A=1),
    ]
    lines = ("at rest", "all other weights")
    yield tie("the claim compares these", claim, instances, sides, lines)


# -- near the least value -------------------------------------------------------------------------


@proof(
    "review:remark-mse-closed-form",
    "corrected",
    "near the least value, rho below 1",
    CAUCHY_SCHWARZ,
    TRIANGLE,
)
def nearly_least(claim: Claim) -> Iterator[Step]:
    """Each square is at most what the risk is beyond its least value."""
    yield from squares_route()
    share = sympy.Symbol("share", positive=True)
    yield identity(
        "the decay of A that makes rho the share",
        _K * sqrt(_n * share**2 / (_n * _K**2 * _feature_decay) * _feature_decay),
        share,
    )
    ratio, unlike = sympy.symbols("ratio unlike", real=True)
    yield identity(
        "ratio fbar = a - unlike/sqrt lambda_A, entry by entry, at ratio = sqrt(n lF/lA)",
        (_a - (sqrt(_weight_decay) * _a - sqrt(_n * _feature_decay) * _f) / sqrt(_weight_decay)),
        sqrt(_n * _feature_decay / _weight_decay) * _f,
    )
    yield identity(
        "so ratio Fbar^T Fbar - (1-rho) I = (A Fbar - (1-rho) I) - unlike Fbar/sqrt lambda_A",
        ratio * _f * _f,
        (ratio * _f + unlike / sqrt(_weight_decay)) * _f - unlike / sqrt(_weight_decay) * _f,
    )
    p, q, x = sympy.symbols("p q x", nonnegative=True)
    yield identity(
        "the norm is at most sqrt(2K) p + |Fbar| sqrt(2/lambda_A) q with p^2 + q^2 <= epsilon; "
        "Lagrange: (k p + x q)^2 = (k^2 + x^2)(p^2 + q^2) - (k q - x p)^2",
        (_K * p + x * q) ** 2,
        (_K**2 + x**2) * (p**2 + q**2) - (_K * q - x * p) ** 2,
    )
    yield nonnegative(
        "what is dropped is not negative", (_K * q - x * p) ** 2, [(_K * q - x * p) ** 2]
    )
    yield identity(
        "outputs of class means are nearer than those of samples: 1/(2N) n |..|^2 = |..|^2/(2K)",
        _n * _z**2 / (2 * _K * _n),
        _z**2 / (2 * _K),
    )
    yield identity(
        "C = I - 11^T/K is a projection: an entry of C C is one of C",
        (1 - 1 / _K) ** 2 + (_K - 1) / _K**2,
        1 - 1 / _K,
    )
    yield from variance_route()  # a projection shortens: |x|^2 = |C x|^2 + |x - C x|^2
    yield assumes(
        claim, A="real", F="real", share="proportion", lambda_F="positive", epsilon="budget"
    )

    def sides(A: Any, F: Any, share: Any, lambda_F: Any, epsilon: Any) -> Sides:
        layer, rho, lF = Layer(A, F), number(share), number(lambda_F)
        eps, kept = balls.ball(number(epsilon)), balls.ball(1 - number(share))
        lA = rho * rho / (layer.n * layer.K**2 * lF)
        least = balls.ball(rho) - balls.ball(rho * rho) / 2
        ratio = (balls.ball(layer.n * lF) / balls.ball(lA)).sqrt()
        eye = exact([[int(i == j) for j in range(layer.K)] for i in range(layer.K)])
        C = eye - balls.ball(1) / layer.K
        root = (balls.ball(lF) * layer.n).sqrt()
        unlike = balls.ball(lA).sqrt() * layer.A - root * layer.Fbar.T
        products = ratio * (layer.Fbar.T @ layer.Fbar)
        room = 2 * eps * (layer.K + square(layer.Fbar) / balls.ball(lA))
        fitted = square(layer.A @ layer.F - kept * layer.Y) / (2 * layer.N)
        return {
            "near the least": (layer.risk(lA, lF), least + eps),
            "outputs": (fitted, eps),
            "within classes": (square(layer.within), 2 * eps / balls.ball(lF)),
            "self-duality": (square(unlike), 2 * eps),
            "orthogonal frame": (square(products - kept * eye), room),
            "simplex when centred": (square(C @ products @ C - kept * C), room),
        }

    instances = [
        {k: v for k, v in each.items() if k != "lambda_A"}
        for each in given(point(share="1/3", epsilon="1/10"))
    ]
    yield tie("the claim compares these", claim, instances, sides)


# -- bias -----------------------------------------------------------------------------------------


@proof("review:remark-mse-closed-form", "printed", "a bias without penalty")
def free_bias(claim: Claim) -> Iterator[Step]:
    """The bias that minimises a sum of squares is the mean of what is left."""
    yield from variance_route()
    inner = sympy.Symbol("inner", real=True)
    yield identity(
        "the mean of y - a^T f over the N samples: n labels 1 of N, and a^T mu_G",
        _n / (_K * _n) - inner,
        1 / _K - inner,
    )
    yield identity("N of them over 2N", _K * _n * _step**2 / (2 * _K * _n), _step**2 / 2)
    yield identity("outputs", _z + (1 / _K - inner), (_z - inner) + 1 / _K)
    yield nonnegative("what another costs", _step**2 / 2, [_step**2 / 2])
    yield assumes(claim, A="real", F="real", b="real", lambda_A="positive", lambda_F="positive")

    def sides(A: Any, F: Any, b: Any, lambda_A: Any, lambda_F: Any) -> Sides:
        layer, lA, lF = Layer(A, F), number(lambda_A), number(lambda_F)
        best = 1 / balls.ball(layer.K) - layer.A @ layer.centre
        value = layer.risk(lA, lF, b)
        least = value - square(exact(b) - best) / 2
        shifted = (layer.A @ layer.F + best[:, None]).T.ravel()
        return {
            "every bias": (value, value),
            "least": (least, value),
            "subtracts the mean": (shifted, shifted),
        }

    lines = ("every bias", "subtracts the mean")
    yield tie("the claim compares these", claim, _biased(), sides, lines)


def _biased(**more: Any) -> list[dict[str, Any]]:
    return [{**each, **point(b=[1, -1, "1/2"][: len(each["A"])], **more)} for each in given()]


@proof("review:remark-mse-closed-form", "sharp", "the global mean at rest")
def mean_at_rest(claim: Claim) -> Iterator[Step]:
    """Add up the gradients: samples share the weights, and the residuals add up to that of b."""
    residual, lb = sympy.symbols("residual lambda_b", real=True)
    yield identity(
        "the gradient in a feature: one residual",
        sympy.diff((_a * _f + _b - _y) ** 2 / (2 * _K * _n) + _feature_decay * _f**2 / 2, _f),
        _a * (_a * _f + _b - _y) / (_K * _n) + _feature_decay * _f,
    )
    yield identity(
        "the gradient in the bias: one residual",
        sympy.diff((_a * _f + _b - _y) ** 2 / (2 * _K * _n), _b) + lb * _b,
        (_a * _f + _b - _y) / (_K * _n) + lb * _b,
    )
    gradient = residual + lb * _b
    total = _a * residual + _feature_decay * _K * _n * _f
    yield identity(
        "summed over samples: A^T residual + lambda_F N mu_G, residual = gradient - lambda_b b",
        total,
        _feature_decay * _K * _n * _f + _a * (gradient - lb * _b),
    )
    inner = sympy.Symbol("inner", real=True)
    yield identity(
        "the mean residual is A mu_G + b - 1/K",
        (inner + _b - 1 / _K) + lb * _b,
        (1 + lb) * _b - 1 / _K + inner,
    )
    yield assumes(
        claim,
        A="real",
        F="real",
        b="real",
        lambda_A="positive",
        lambda_F="positive",
        lambda_b="nonnegative",
    )

    def sides(A: Any, F: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any) -> Sides:
        layer, lF, lb = Layer(A, F), balls.ball(number(lambda_F)), balls.ball(number(lambda_b))
        bias = exact(b)
        Z = layer.A @ layer.F + bias[:, None] - layer.Y
        total = (layer.A.T @ Z / layer.N + lF * layer.F).sum(axis=1)
        of_bias = Z.sum(axis=1) / layer.N + lb * bias + balls.ball(1) / layer.K
        return {"global mean": (total, total), "bias": (of_bias, of_bias)}

    lines = ("global mean", "bias")
    yield tie("the claim compares these", claim, _biased(lambda_b="1/5"), sides, lines)


def _bias_squares() -> Iterator[Step]:
    """The best bias, then the squares of the simplex and of the mean apart."""
    lb, res = sympy.symbols("lambda_b res", positive=True)
    theta = lb / (1 + lb)
    yield identity(
        "the best bias leaves the share theta of the mean residual",
        (res + _b) ** 2 / 2 + lb / 2 * _b**2,
        theta / 2 * res**2 + (1 + lb) / 2 * (_b + res / (1 + lb)) ** 2,
    )
    weight, s = sympy.symbols("weight s", real=True)
    yield identity(
        "the mean's output, of weight theta: its product is theta s",
        weight * (_z - _y) ** 2,
        weight * (_z - (1 - s) * _y) ** 2
        - 2 * weight * s * _z * _y
        + weight * (1 - (1 - s) ** 2) * _y**2,
    )
    t = sympy.Symbol("theta", positive=True)
    for name, kept, share, product in (
        ("rho <= theta", 1 - _rho / t, 1, _rho),
        ("rho >= theta", 0, t / _rho, t),
    ):
        yield identity(
            f"where {name}: theta s = share rho, so weights and means pay for it",
            t * (1 - kept),
            share * _rho,
        )
        yield identity(f"where {name}: it is min(theta, rho)", t * (1 - kept), product)
    yield identity(
        "(theta - rho)/max(theta, rho) squared, times theta",
        t * (1 - _rho / t) ** 2,
        (t - _rho) ** 2 / t,
    )
    yield identity(
        "(I - J/K) and J/K are orthogonal projections: an entry of their product",
        (1 - 1 / _K) / _K - (_K - 1) / _K**2,
        0,
    )
    yield identity(
        "an entry of the labels about their mean: of a sample, 1 - 1/K and K - 1 times -1/K",
        (1 - 1 / _K) ** 2 + (_K - 1) / _K**2,
        (_K - 1) / _K,
    )
    yield identity(
        "|Y - J Y/K|^2 = n (K-1) and |J Y/K|^2 = n of the N samples, over 2N",
        _K * _n * ((_K - 1) / _K) / (2 * _K * _n) + _K * _n * _K / _K**2 / (2 * _K * _n),
        (_K - 1) / (2 * _K) + 1 / (2 * _K),
    )


def _few_features_with_bias() -> Iterator[Step]:
    """For m < K: the K - m missed directions q have |q^T T W|^2 = n ((1-rho)^2 - loss h^2)."""
    kept, mean_kept, h, m = sympy.symbols("kept mean_kept h m", real=True)
    yield identity(
        "q = its part across 1 of square norm 1 - h and along 1 of h, over K - m of them",
        kept * (1 - h) + mean_kept * h,
        kept - (kept - mean_kept) * h,
    )
    low, room = sympy.symbols("low room", nonnegative=True)
    theta = 1 / (1 + low)
    rho = theta / (1 + room)
    yield identity(
        "(1-rho)^2 - (theta-rho)^2/theta = (1-theta)(1 - rho^2/theta)",
        (1 - rho) ** 2 - (theta - rho) ** 2 / theta,
        (1 - theta) * (1 - rho**2 / theta),
    )
    factors = [low / (1 + low), 1 - rho**2 / theta]
    yield nonnegative("of which the first factor is not negative", 1 - theta, [factors[0]])
    yield nonnegative(
        "nor the second, for rho <= theta <= 1",
        1 - rho**2 / theta,
        [((1 + room) ** 2 * (1 + low) - 1).expand(), 1 / ((1 + room) ** 2 * (1 + low))],
    )
    yield identity(
        "the h of K - m orthonormal q add up to at most 1, so at least (K-m) kept - kept + "
        "mean_kept, which leaves m kept of (K-1) kept + mean_kept",
        (_K - 1) * kept + mean_kept - ((_K - m) * kept - kept + mean_kept),
        m * kept,
    )


@proof("review:remark-mse-closed-form", "sharp", "every weight decay of the bias", COMPLEMENT)
def least_with_bias(claim: Claim) -> Iterator[Step]:
    """Simplex and mean apart, each with squares completed as without bias."""
    yield from _bias_squares()
    yield from squares_route()
    yield from _few_features_with_bias()
    yield from attained_route()
    yield assumes(
        claim,
        A="real",
        F="real",
        b="real",
        lambda_A="positive",
        lambda_F="positive",
        lambda_b="nonnegative",
    )

    def sides(A: Any, F: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any) -> Sides:
        layer, lb = Layer(A, F), number(lambda_b)
        lA, lF = number(lambda_A), number(lambda_F)
        theta, rho = balls.ball(lb / (1 + lb)), layer.rho(lA, lF)
        K, kept = layer.K, plus(1 - rho)
        of_mean = plus(theta - rho) ** 2 / theta if lb > 0 else balls.ball(0)

        def least(m: int) -> Any:
            total = K - 1 + theta - min(m, K - 1) * kept * kept
            return (total - (of_mean if m >= K else 0)) / (2 * K)

        value = layer.risk(lA, lF, b, lb)
        return {
            "squares": (value, value),
            "least": (least(layer.m), value),
            "attained": (least(layer.m), least(layer.m)),
        }

    instances = [*_biased(lambda_b=0), *_biased(lambda_b=2), *_biased(lambda_b=20)]
    yield tie("the claim compares these", claim, instances, sides, ("squares", "attained"))
