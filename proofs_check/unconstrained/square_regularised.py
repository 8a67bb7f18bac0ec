"""Proofs about the regularised square loss without bias: entry by entry, squares are completed.

A letter is a typical entry of a matrix; what is summed over all entries is the statement. The
labels have one entry 1 for each of the N samples, so |Y|^2 = N and <AF, Y> = n sum <a_k, fbar_k>.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.square_loss.ball_arrays import exact, square
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.unconstrained.square_layers import (
    COMPLEMENT,
    DECAYS,
    Layer,
    Sides,
    given,
    plus,
    variance_route,
)

_z, _y, _a, _f, _s = sympy.symbols("z y a f s", real=True)
_K, _n, _weight_decay, _feature_decay = sympy.symbols("K n lambda_A lambda_F", positive=True)
_rho = _K * sqrt(_n * _weight_decay * _feature_decay)
_below = sympy.Symbol("below", nonnegative=True)


# -- (29) -----------------------------------------------------------------------------------------


@proof("review:eq-29", "printed", "line by line, without bias")
def line_by_line(claim: Claim) -> Iterator[Step]:
    """Squares about a mean; A of a mean is the mean of A."""
    total = sympy.Symbol("total", real=True)
    yield identity("a sum over a class times n/n", _n / _n * total, total)
    yield from variance_route()
    yield identity(
        "1/(2N) sum over k of n |..|^2, N = K n", _n * total / (2 * _K * _n), total / (2 * _K)
    )
    w, v = sympy.symbols("w v", nonnegative=True)
    yield nonnegative(
        "what is lost is not negative",
        w / 2 + _feature_decay / 2 * v,
        [w / 2 + _feature_decay / 2 * v],
    )
    yield assumes(claim, A="real", F="real", lambda_A="positive", lambda_F="positive")

    def sides(A: Any, F: Any, lambda_A: Any, lambda_F: Any) -> Sides:
        lA, lF = number(lambda_A), number(lambda_F)
        layer = Layer(A, F)
        whole = layer.risk(lA, lF)
        lost = square(layer.A @ layer.within) / (2 * layer.N)
        lost = lost + balls.ball(lF) / 2 * square(layer.within)
        return {
            "second line": (whole, whole),
            "third line": (whole - lost, whole),
            "what is lost": (whole, whole),
            "equality under NC1": (whole - lost, whole - lost),
        }

    lines = ("second line", "what is lost", "equality under NC1")
    yield tie("the claim compares these", claim, given(), sides, lines)


# -- the least value ------------------------------------------------------------------------------


def squares_route() -> Iterator[Step]:
    """Risk = least + squares, entry by entry, with sigma = min(rho, 1) and share = sigma/rho."""
    yield identity(
        "outputs: with s = sigma, y = 0 or 1",
        (_z - _y) ** 2,
        (_z - (1 - _s) * _y) ** 2 - 2 * _s * _z * _y + (1 - (1 - _s) ** 2) * _y**2,
    )
    yield identity(
        "weights and means: the product is paid by the decays",
        (_s / _rho) * (sqrt(_weight_decay) * _a - sqrt(_n * _feature_decay) * _f) ** 2 / 2
        + (1 - _s / _rho) * (_weight_decay * _a**2 + _n * _feature_decay * _f**2) / 2,
        (_weight_decay * _a**2 + _n * _feature_decay * _f**2) / 2 - _s / _K * _a * _f,
    )
    yield identity(
        "the two products cancel: 1/(2N) 2 sigma <AF, Y> = sigma/K sum <a_k, fbar_k>",
        2 * _s * _n * _a * _f / (2 * _K * _n),
        _s / _K * _a * _f,
    )
    yield identity(
        "|Y|^2 = N", (1 - (1 - _s) ** 2) * _K * _n / (2 * _K * _n), (1 - (1 - _s) ** 2) / 2
    )
    yield nonnegative(
        "rho = 1/(1 + below) <= 1: share 1; rho = 1 + below >= 1: 1 - share is not negative",
        1 - 1 / (1 + _below),
        [_below, 1 / (1 + _below)],
    )
    yield from variance_route()


def few_features_route() -> Iterator[Step]:
    """For m < K the outputs miss K - m directions of (1 - sigma) Y."""
    t, m, q = sympy.symbols("t m q", real=True)
    yield identity(
        "q^T (AF - tY) = -t q^T Y for q orthogonal to the columns of A; |q^T Y|^2 = n |q|^2",
        (0 - t * q) ** 2 * _n,
        t**2 * q**2 * _n,
    )
    yield identity(
        "K - m such q of norm 1, over 2N, with the least for m >= K",
        (1 - t**2) / 2 + (_K - m) * t**2 * _n / (2 * _K * _n),
        (_K - m * t**2) / (2 * _K),
    )


def attained_route() -> Iterator[Step]:
    """The diagonal minimiser: a f = t, lambda_A a^2 = n lambda_F f^2."""
    t, r, kept = sympy.symbols("t r kept", positive=True)
    ratio = sqrt(_n * _feature_decay / _weight_decay)
    yield identity("a f = t for a^2 = t r, f^2 = t/r", sqrt(t * r) * sqrt(t / r), t)
    yield identity(
        "what decays cost",
        _weight_decay / 2 * t * ratio + _n * _feature_decay / 2 * t / ratio,
        _rho / _K * t,
    )
    rho = sympy.Symbol("rho", positive=True)
    for name, value in (("t = 1 - rho", 1 - rho), ("t = 0", sympy.Integer(0))):
        yield identity(
            f"kept classes at {name}, the others cost 1/(2K)",
            (kept * (1 - value) ** 2 + _K - kept) / (2 * _K) + kept * rho / _K * value,
            (_K - kept * value**2) / (2 * _K),
        )


@proof("review:eq-29", "sharp", "the least value and what is beyond it, for every m", COMPLEMENT)
def least_value(claim: Claim) -> Iterator[Step]:
    """Complete the squares; drop them, or count the directions that A cannot reach."""
    yield from squares_route()
    yield from few_features_route()
    yield from attained_route()
    yield assumes(claim, A="real", F="real", lambda_A="positive", lambda_F="positive")

    def sides(A: Any, F: Any, lambda_A: Any, lambda_F: Any) -> Sides:
        lA, lF = number(lambda_A), number(lambda_F)
        layer = Layer(A, F)
        whole, kept = layer.risk(lA, lF), plus(1 - layer.rho(lA, lF))
        least = (layer.K - min(layer.m, layer.K) * kept * kept) / (2 * layer.K)
        return {
            "squares": (whole, whole),
            "least": (least, whole),
            "attained": (least, least),
        }

    yield tie("the claim compares these", claim, given(), sides, ("squares", "attained"))


@proof("review:eq-29", "sharp", "classes of unequal sizes")
def unequal_classes(claim: Claim) -> Iterator[Step]:
    """The same squares, class by class: of class k with n_k samples, c = N sqrt(lA lF)/sqrt n_k."""
    N, size = sympy.symbols("N n_k", positive=True)
    ratio = N * sqrt(_weight_decay * _feature_decay) / sqrt(size)
    yield identity(
        "outputs of a sample of class k",
        (_z - _y) ** 2,
        (_z - (1 - _s) * _y) ** 2 - 2 * _s * _z * _y + (1 - (1 - _s) ** 2) * _y**2,
    )
    yield identity(
        "weights and features of class k",
        (_s / ratio) * (sqrt(_weight_decay) * _a - sqrt(size * _feature_decay) * _f) ** 2 / 2
        + (1 - _s / ratio) * (_weight_decay * _a**2 + size * _feature_decay * _f**2) / 2,
        (_weight_decay * _a**2 + size * _feature_decay * _f**2) / 2 - size * _s / N * _a * _f,
    )
    yield nonnegative(
        "1 - share is not negative beyond the threshold",
        1 - 1 / (1 + _below),
        [_below, 1 / (1 + _below)],
    )
    t, rate = sympy.symbols("t rate", positive=True)
    scale = sqrt(size * _feature_decay / _weight_decay)
    yield identity(
        "what decays cost for a f = t",
        _weight_decay / 2 * t * scale + size * _feature_decay / 2 * t / scale,
        size / N * ratio * t,
    )
    for name, value in (("t = 1 - ratio", 1 - rate), ("t = 0", sympy.Integer(0))):
        yield identity(
            f"class k at {name}, over n_k/(2N)",
            (1 - value) ** 2 + 2 * rate * value,
            1 - value**2,
        )
    yield assumes(
        claim, A="real", F="real", sizes="positive", lambda_A="positive", lambda_F="positive"
    )

    def sides(A: Any, F: Any, sizes: Any, lambda_A: Any, lambda_F: Any) -> Sides:
        lA, lF = balls.ball(number(lambda_A)), balls.ball(number(lambda_F))
        A_, F_, total = exact(A), exact(F), sum(sizes, Fraction(0))
        whole, least = lA / 2 * square(A_), balls.ball(0)
        for k, size in enumerate(sizes):
            off = A_ @ F_[k]
            off[k] = off[k] - 1
            count = balls.ball(size)
            whole = whole + count * square(off) / (2 * balls.ball(total))
            whole = whole + lF / 2 * count * square(F_[k])
            kept = plus(1 - balls.ball(total) * (lA * lF).sqrt() / count.sqrt())
            least = least + count * (1 - kept * kept) / (2 * balls.ball(total))
        return {"squares": (whole, whole), "least": (least, whole), "attained": (least, least)}

    layers = [
        point(A=[[1, 2], [0, -1]], F=[[1, 0], ["1/2", 1]], sizes=[9, 4]),
        point(A=[[1], [0], [2]], F=[[1], [1], [0]], sizes=[100, 4, "1/4"]),
    ]
    instances = [{**layer, **decays} for layer in layers for decays in DECAYS]
    instances.append({**layers[1], **point(lambda_A="1/50", lambda_F="1/100")})
    yield tie("the claim compares these", claim, instances, sides, ("squares", "attained"))
