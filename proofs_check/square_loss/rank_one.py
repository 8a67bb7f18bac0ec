"""Proofs about layers seen through two vectors a sample: gradients, and ranks of their sums."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import Max, diff

from ncbounds.theory.terms import Claim
from proofs_check.square_loss.ball_arrays import exact, unit, zeros
from proofs_check.square_loss.sgd_steps import quotients
from proofs_check.steps import Fact, Step, assumes, cases, identity, number, point, proof, tie

CAUCHY_BINET = Fact(
    "Cauchy-Binet formula",
    "The k-th elementary symmetric function of the eigenvalues of V V^T is the sum of the squares "
    "of the minors of V of size k, which vanishes exactly where the rank is below k.",
    "Horn and Johnson, Matrix Analysis, Section 0.8.7",
)

_rho, _f, _g, _V, _nu, _t, _n = sympy.symbols("rho f g V nu t n", real=True)
_lambda = sympy.Symbol("lambda", nonnegative=True)

Sides = dict[str, tuple[Any, Any]]


# -- Equation (47) --------------------------------------------------------------------------------


@proof("square:eq-47", "printed", "three layers")
def as_product(claim: Claim) -> Iterator[Step]:
    """relu(u) = D u, from layer to layer; with the gates fixed f is linear in each layer."""
    p = sympy.Symbol("p", positive=True)
    yield cases(
        "relu(u) is the gate times u, with either gate at 0",
        {
            "u = p": Max(p, 0) == 1 * p,
            "u = -p": Max(-p, 0) == 0 * -p,
            "u = 0": Max(0, 0) == 0 * 0 == 1 * 0,
        },
    )
    yield cases(
        "the difference quotient of f by each entry of each layer is that of a b^T, exactly",
        dict(_quotients()),
    )
    yield assumes(claim, first="real", second="real", third="real", x="real")

    def sides(first: Any, second: Any, third: Any, x: Any) -> Sides:
        outputs = [_forward(first, second, third, row) for row in x]
        names = ("equation (47)", "layer 1", "layer 2", "layer 3")
        return dict.fromkeys(names, (outputs, outputs))

    points = [point(**_NETWORK, x=[row]) for row in _INPUTS]
    names = ("equation (47)", "layer 1", "layer 2", "layer 3")
    yield tie("the claim compares these", claim, points, sides, names)


_NETWORK = {
    "first": [[1, 2], [-1, "1/2"], [3, -1]],
    "second": [[1, -1, "1/3"], [2, 1, -1]],
    "third": [2, "-3/2"],
}
_INPUTS = ([1, "1/2"], [-1, 1], [2, -3])


def _relu(values: Any) -> Any:
    return np.array([max(v, Fraction(0)) for v in values], dtype=object)


def _forward(first: Any, second: Any, third: Any, x: Any) -> Any:
    """The output by plain forward evaluation."""
    return np.dot(third, _relu(np.dot(second, _relu(np.dot(first, x)))))


def _quotients() -> Iterator[tuple[str, bool]]:
    """Whether (f(V + t E) - f(V - t E))/2t is the entry of a b^T, for t = 1/1000."""
    step = Fraction(1, 1000)
    for i, given in enumerate(_INPUTS):
        x, layers = _read(given), [_read(_NETWORK[k]) for k in ("first", "second", "third")]
        below = np.dot(layers[0], x)
        above = np.dot(layers[1], _relu(below))
        gate, upper = (np.array([int(v > 0) for v in u], dtype=object) for u in (below, above))
        into_second = layers[2] * upper
        factors = (
            (gate * np.dot(into_second, layers[1]), x),
            (into_second, _relu(below)),
            (_read([1]), _relu(above)),
        )
        for k, (a, b) in enumerate(factors):
            derivative = np.outer(a, b).reshape(layers[k].shape)
            for place in np.ndindex(*layers[k].shape):
                values = []
                for sign in (1, -1):
                    moved = [layer.copy() for layer in layers]
                    moved[k][place] += sign * step
                    values.append(_forward(moved[0], moved[1], moved[2], x))
                quotient = (values[0] - values[1]) / (2 * step)
                yield f"input {i}, layer {k + 1}, {place}", quotient == derivative[place]


def _read(values: Any) -> Any:
    """An array of exact numbers."""
    return np.vectorize(Fraction, otypes=[object])(np.array(values, dtype=object))


# -- Equations (48) and (49) ----------------------------------------------------------------------


@proof("square:eq-48", "corrected", "with a minus")
def batch_gradient(claim: Claim) -> Iterator[Step]:
    """The chain rule, with nu the mean of rho fbar (1 - rho fbar)."""
    yield from quotients()
    residual = 1 - _rho * _f
    loss = (1 - _rho * (_f + _t * _g)) ** 2 + _nu * (_n + 2 * _t * _V + _t**2 - 1)
    nu = _rho * _f - _rho**2 * _f**2
    yield identity(
        "one sample, in an entry of V along which its margin has the derivative g",
        diff(loss, _t).subs(_t, 0).subs(_nu, nu),
        -2 * _rho * residual * (_g - _f * _V),
    )
    own, other, rest, B = sympy.symbols("own other rest B", real=True, nonzero=True)
    yield identity(
        "(49): batches that share the sum of all terms but one",
        (rest + own) / B - (rest + other) / B,
        (own - other) / B,
    )
    yield assumes(claim, layer="real", a="real", b="real", rho="positive", lambda_="positive")

    def sides(layer: Any, a: Any, b: Any, rho: Any, lambda_: Any) -> Sides:
        V, r = unit(layer), exact(number(rho))
        terms = []
        for left, right in zip(exact(a), exact(b), strict=True):
            derivative = left[:, None] * right[None, :]
            margin = (derivative * V).sum()
            terms.append(-2 * r * (1 - r * margin) * (derivative - margin * V))
        whole = sum(terms[1:-1], terms[0]) / (len(terms) - 1)
        pair = (terms[0] - terms[-1]) / (len(terms) - 1)
        return {"equation (48)": (whole, whole), "equation (49)": (pair, pair)}

    points = [
        point(
            layer=[[1, 2], [0, -1]],
            a=[[1, 1], [0, -2]],
            b=[["1/2", 1], [1, -1]],
            rho="3/2",
            lambda_="1/7",
        )
    ]
    equal = ("equation (48)", "equation (49)")
    yield tie("the claim compares these", claim, points, sides, equal)


# -- Equations (50) to (52) -----------------------------------------------------------------------


def no_rank_three() -> Iterator[Step]:
    """a b^T + c d^T has no minor of size 3, and the third invariant is six times their squares."""
    a, b, c, d = (sympy.symbols(f"{name}_1:4", real=True) for name in "abcd")
    matrix = sympy.Matrix(3, 3, lambda i, j: a[i] * b[j] + c[i] * d[j])
    yield identity("det (a b^T + c d^T) = 0 for three rows and columns", matrix.det(), 0)
    x, y, z = sympy.symbols("x y z", nonnegative=True)
    powers = [x**k + y**k + z**k for k in (1, 2, 3)]
    yield identity(
        "Newton: tr^3 - 3 tr tr_2 + 2 tr_3 is six times the third symmetric function",
        powers[0] ** 3 - 3 * powers[0] * powers[1] + 2 * powers[2],
        6 * x * y * z,
    )


@proof("square:eq-50", "corrected", "the difference", CAUCHY_BINET)
def from_two_samples(claim: Claim) -> Iterator[Step]:
    """Solve (49) for V; the numerator is a difference of two matrices of rank 1."""
    D, E, c, e = sympy.symbols("D_i D_j c_i c_j", real=True)
    V = (D - E) / (c - e)
    yield identity("D_i - c_i V = D_j - c_j V", D - c * V - (E - e * V), 0)
    yield identity(
        "and (49) says no more: V is the only solution",
        sympy.solve(D - c * _V - (E - e * _V), _V)[0],
        V,
    )
    yield from no_rank_three()
    yield assumes(claim, a="real", b="real", margins="real", rho="positive")

    def sides(a: Any, b: Any, margins: Any, rho: Any) -> Sides:
        r = number(rho)
        weights = [(1 - r * f) * f for f in margins]
        D = [(1 - r * f) * np.outer(p, q) for f, p, q in zip(margins, a, b, strict=True)]
        # The common value of both sides of (49), without the matrix V.
        common = (weights[0] * D[1] - weights[1] * D[0]) / (weights[0] - weights[1])
        return {"equation (49) vanishes": (common, common), "rank at most two": (0, 0)}

    points = [
        point(
            a=[[1, 2, 0], [0, 1, "1/2"]], b=[[1, 0, 3], [1, 1, -1]], margins=[1, "1/3"], rho="1/2"
        )
    ]
    equal = ("equation (49) vanishes", "rank at most two")
    yield tie("the claim compares these", claim, points, sides, equal)


@proof("square:eq-51", "printed", "line by line")
def equal_weights(claim: Claim) -> Iterator[Step]:
    """Where all l_n fbar_n = alpha the terms in V cancel; the margins are z and 1 - z over rho."""
    D, E, alpha, U, z = sympy.symbols("D_i D_j alpha U z", real=True)
    rho = sympy.Symbol("rho", positive=True)
    yield identity("(51)", (D - alpha * _V) - (E - alpha * _V), D - E)
    yield identity(
        "(52), each term of the mean",
        2 * rho * (U - alpha * _V),
        -2 * rho * alpha * _V + 2 * rho * U,
    )
    at = sympy.Symbol("alpha", positive=True)
    yield identity("which vanishes for V = U/alpha", U - at * (U / at), 0)
    yield identity(
        "the two margins have the same l fbar", (1 - z) * z / rho, (1 - (1 - z)) * (1 - z) / rho
    )
    yield identity(
        "and there are no others: z (1 - z) - w (1 - w) = (z - w) (1 - z - w)",
        z * (1 - z) - U * (1 - U),
        (z - U) * (1 - z - U),
    )
    yield assumes(
        claim,
        layer="real",
        a="real",
        b="real",
        common="real",
        share="proportion",
        rho="positive",
        long="mask",
    )

    def sides(layer: Any, a: Any, b: Any, common: Any, share: Any, rho: Any, long: Any) -> Sides:
        r, low = number(rho), number(share)
        alpha = low * (1 - low) / r
        D = [
            (low if chosen else 1 - low) * np.outer(p, q)
            for chosen, p, q in zip(long, a, b, strict=True)
        ]
        pair = D[0] - D[-1]
        whole = 2 * r * (common - alpha * layer)
        return {
            "equation (51)": (pair, pair),
            "equation (52)": (whole, whole),
            "at rest": (zeros(*layer.shape), zeros(*layer.shape)),
        }

    points = [
        point(
            layer=[[1, 2]],
            a=[[1], [3]],
            b=[[1, -1], ["1/2", 0]],
            common=[[2, 5]],
            share="1/3",
            rho=2,
            long=[1, 0],
        )
    ]
    equal = ("equation (51)", "equation (52)", "at rest")
    yield tie("the claim compares these", claim, points, sides, equal)
