"""Proofs about the transformation by residuals: its blocks, its form and its spectrum."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import sympy

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.elasticity import transformation as theory
from ncbounds.theory.terms import Claim
from proofs_check.elasticity.drift import Sides, same
from proofs_check.steps import (
    Fact,
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

PROJECTION = Fact(
    "Orthogonal projection",
    "Every vector is the sum of a vector of a given subspace and one orthogonal to that subspace.",
    "Horn and Johnson, Matrix Analysis, Section 0.6",
)
COMMUTED = Fact(
    "Eigenvalues of UV and VU",
    "UV and VU have the same eigenvalues other than 0, with the same multiplicities.",
    "Horn and Johnson, Matrix Analysis, Theorem 1.3.22",
)

_K, _m = sympy.symbols("K m", positive=True)
_alpha, _beta, _c, _other = sympy.symbols("alpha beta c other", real=True)


def directions(K: int, m: int) -> Any:
    """The rows d_j = e_j - 1/K, exact."""
    return np.array([[Fraction(int(i == j)) - Fraction(1, K) for i in range(m)] for j in range(K)])


def projection(d: Any) -> Any:
    """The matrix of the projection onto a vector."""
    return np.outer(d, d) / (d @ d)


def matrix(K: int, m: int, alpha: Any, beta: Any) -> Any:
    """All of M = (E x 11^T) . T, exact."""
    E = np.array([[alpha if i == j else beta for j in range(K)] for i in range(K)], dtype=object)
    T = np.vstack([np.hstack([projection(d) for d in directions(K, m)])] * K)
    return np.kron(E, np.ones((m, m), dtype=int)) * T


def residuals() -> Iterator[Step]:
    """Inner products of the d_j = e_j - 1/K in R^m, for every K and m."""
    own = (1 - 1 / _K) ** 2 + (_m - 1) / _K**2
    between = 2 * (1 - 1 / _K) * (-1 / _K) + (_m - 2) / _K**2
    yield identity("|d|^2", own, (_K**2 - 2 * _K + _m) / _K**2)
    yield identity("<d_i, d_j>", between, (_m - 2 * _K) / _K**2)
    values = symbolic.symbols(theory.residual_cosine)
    R = symbolic.expression(theory.residual_cosine).subs({values["K"]: _K, values["m"]: _m})
    yield identity("their cosine is R", between / own, R)
    yield identity("for m = K: |d|^2 = 1 - 1/K", own.subs(_m, _K), 1 - 1 / _K)
    yield identity("for m = K: R = -1/(K-1)", R.subs(_m, _K), -1 / (_K - 1))


@proof("review:eq-46", "printed", "residuals and blocks")
def blocks(claim: Claim) -> Iterator[Step]:
    """P = d d^T/|d|^2 is a projection whatever d is."""
    yield from residuals()
    x, y, u, v = sympy.symbols("x y u v", positive=True)
    square, inner = x * x + y * y, x * u + y * v
    yield identity("<d, P f> = <d, f>, so P P = P", (inner / square) * square, inner)
    yield nonnegative("<f, P f> = <d, f>^2/|d|^2", inner**2 / square, [inner**2, 1 / square])
    size = 1 - 1 / _K
    yield identity("own entry of the diagonal", (1 - 1 / _K) ** 2 / size, 1 - 1 / _K)
    yield identity("the others", (1 / _K) ** 2 / size, 1 / (_K * (_K - 1)))
    yield assumes(claim, f="real")

    def sides(f: Any) -> Sides:
        C = len(f)
        d = directions(C, C)
        P = [projection(row) for row in d]
        size = sum(sum(abs(row)) for row in f)
        pulled = np.array([p @ x for p, x in zip(P, f, strict=True)])
        others = [P[k][r, r] for k in range(C) for r in range(C) if r != k]
        return {
            "simplex": same(d @ d.T),
            "projections": same(pulled + size),
            "diagonal, own class": same([P[k][k, k] for k in range(C)]),
            "diagonal, others": same(others),
            "each block is semi-definite": (
                [0] * C,
                [x @ y for x, y in zip(f, pulled, strict=True)],
            ),
        }

    points = [point(f=[[1, 2], [-1, "1/2"]]), point(f=[[0, 1, 2], [3, -1, 0], [1, 1, 1]])]
    names = ("simplex", "projections", "diagonal, own class", "diagonal, others")
    yield tie("the claim compares these", claim, points, sides, names)


@proof("review:eq-46", "corrected", "how far T is from semi-definite", PROJECTION)
def form(claim: Claim) -> Iterator[Step]:
    """F = (a + P_j b)_j + rest, orthogonal to all such: <s, p> with s = sum f_j, p = sum P_j f_j.

    The sum of the P_j is q = K/(K-1) on centred vectors and 0 on constants, so s = K a + q b up to
    a constant and p = q (a + b), and |F|^2 = K a^2 + 2 q a b + q b^2 + |rest|^2: entry by entry,
    with a and b centred; a constant part of a adds to |F|^2 only. k is the root of K - 1.
    """
    k = sympy.Symbol("k", positive=True)
    a, b = sympy.symbols("a b", real=True)
    rest, above = sympy.symbols("rest above", nonnegative=True)
    q, K = (1 + k**2) / k**2, 1 + k**2
    yield identity(
        "the sum of the P_j: diagonal 1 - 1/K + (K-1)/(K(K-1)) = q (1 - 1/K)",
        1 - 1 / _K + (_K - 1) / (_K * (_K - 1)),
        _K / (_K - 1) * (1 - 1 / _K),
    )
    entry = (2 * (1 - 1 / _K) * (-1 / _K) + (_K - 2) / _K**2) / (1 - 1 / _K)
    yield identity("off it, -q/K", entry, _K / (_K - 1) * (-1 / _K))
    square = K * a**2 + 2 * q * a * b + q * b**2
    product = (K * a + q * b) * (q * a + q * b)
    found = symbolic.symbols(theory.least_form)["K"]
    least = symbolic.expression(theory.least_form).subs(found, K)
    largest = symbolic.expression(theory.largest_form).subs(found, K)
    yield identity("least", least, q * (1 - k) / 2)
    yield identity("largest", largest, q * (1 + k) / 2)
    yield identity(
        "<s, p> - least |.|^2 is a square",
        product - q * (1 - k) / 2 * square,
        K * q * (1 + k) / 2 * (a + b / k) ** 2,
    )
    yield nonnegative(
        "the rest, too: -least |rest|^2, for k = 1 + above",
        -(q * (1 - k) / 2).subs(k, 1 + above) * rest,
        [q.subs(k, 1 + above) / 2, above, rest],
    )
    yield identity(
        "largest |.|^2 - <s, p> is a square",
        q * (1 + k) / 2 * square - product,
        K * q * (k - 1) / 2 * (a - b / k) ** 2,
    )
    yield nonnegative("and k >= 1", (k - 1).subs(k, 1 + above), [above])
    yield identity("attained at b = -k a", (a + b / k).subs(b, -k * a), 0)
    yield identity("attained at b = k a", (a - b / k).subs(b, k * a), 0)
    yield assumes(claim, f="real", x="real")

    def value(F: Any, C: int) -> Any:
        T = np.vstack([np.hstack([projection(d) for d in directions(C, C)])] * C)
        return F @ T @ F

    def sides(f: Any, x: Any) -> Sides:
        C = len(f)
        F = np.concatenate(list(f))
        root, factor = balls.ball(C - 1).sqrt(), balls.ball(Fraction(C, 2 * (C - 1)))
        least, largest = factor * (1 - root), factor * (1 + root)
        square, exact = balls.ball(F @ F), balls.ball(value(F, C))
        centred = np.array(list(x)) - sum(x) / Fraction(C)
        # |x + t P_j x|^2 summed over j is K |x|^2 + (2 t + t^2) q |x|^2.
        length, q = sum(centred * centred), Fraction(C, C - 1)
        sizes = [balls.ball(length) * (C + (2 * t + t * t) * balls.ball(q)) for t in (-root, root)]
        return {
            "least": ((least + largest) * square, exact + largest * square),
            "largest": (exact, largest * square),
            "least attained": same(least * sizes[0] + sizes[1]),
            "largest attained": same((largest + 1) * sizes[1]),
        }

    points = [
        point(f=[[1, 2], [-1, "1/2"]], x=[1, 3]),
        point(f=[[0, 1, 2], [3, -1, 0], [1, 1, 1]], x=[1, 0, -2]),
        point(f=[[1, 0, 0, 0]] * 4, x=[0, 0, 1, 0]),
    ]
    yield tie(
        "the claim compares these", claim, points, sides, ("least attained", "largest attained")
    )


def reduced() -> Iterator[Step]:
    """V U has alpha on the diagonal and beta R off it: its rows, at 1 and at centred vectors."""
    R = sympy.Symbol("R", real=True)
    yield identity("V U at 1", _alpha + (_K - 1) * _beta * R, (_alpha - _beta * R) + _K * _beta * R)
    yield identity(
        "V U at a centred vector, whose other entries sum to -c",
        _alpha * _c + _beta * R * (-_c),
        (_alpha - _beta * R) * _c,
    )
    for formula, factor in (
        (theory.single_eigenvalue, _K - 1),
        (theory.repeated_eigenvalue, sympy.Integer(-1)),
    ):
        found = symbolic.symbols(formula)
        plain = {found["K"]: _K, found["m"]: _m, found["alpha"]: _alpha, found["beta"]: _beta}
        yield identity(
            formula.meaning,
            symbolic.expression(formula).subs(plain),
            _alpha + factor * _beta * (_m - 2 * _K) / (_K**2 - 2 * _K + _m),
        )
    yield identity(
        "traces", _K * _alpha, (_alpha + (_K - 1) * R * _beta) + (_K - 1) * (_alpha - R * _beta)
    )


def vectors() -> Iterator[Step]:
    """U c has the entries (alpha - beta) c_i d_i + beta (sum of c_j d_j)."""
    d, whole, lam = sympy.symbols("d whole lambda", real=True)
    yield identity(
        "U c, class i apart from the others",
        _alpha * _c * d + _beta * (whole - _c * d),
        (_alpha - _beta) * _c * d + _beta * whole,
    )
    yield identity(
        "M U c = U (V U c) = lambda U c, as U is linear",
        (_alpha - _beta) * (lam * _c) * d + _beta * (lam * whole),
        lam * ((_alpha - _beta) * _c * d + _beta * whole),
    )
    yield identity("the kernel: <d, f - P f> = 0", _other - _other / d**2 * d**2, 0)
    yield identity(
        "for m = K the d_j sum to 0, and the c_j d_j to c for centred c: entry r",
        _c - (_c + (-_c)) / _K,
        _c,
    )


def spectra(dimensions: dict[int, tuple[int, ...]]) -> Step:
    """Characteristic polynomials of the whole matrix, by exact arithmetic."""
    alpha, beta = Fraction(5, 3), Fraction(-2, 7)
    checks = {}
    for K, found in dimensions.items():
        for m in found:
            R = Fraction(m - 2 * K, K * K - 2 * K + m)
            entries = [
                [flint.fmpq(v.numerator, v.denominator) for v in map(Fraction, row)]
                for row in matrix(K, m, alpha, beta).tolist()
            ]
            x = flint.fmpq_poly([0, 1])
            roots = [alpha + (K - 1) * R * beta] + [alpha - R * beta] * (K - 1)
            wanted = x ** ((m - 1) * K)
            for root in roots:
                wanted *= x - flint.fmpq(root.numerator, root.denominator)
            checks[f"K = {K}, m = {m}"] = flint.fmpq_mat(entries).charpoly() == wanted
    return cases("the characteristic polynomial of M at alpha = 5/3, beta = -2/7", checks)


_POINTS = [
    point(f=[[1, 2], [-1, "1/2"]], c=[1, 3], alpha=2, beta=-1),
    point(f=[[0, 1, 2], [3, -1, 0], [1, 1, 1]], c=[1, 0, -2], alpha="1/2", beta=1),
]
_WIDE = [
    {**_POINTS[0], **point(further=[[0, 1], [1, 0]])},
    {**_POINTS[1], **point(further=[["1/2"], [0], [-3]])},
]
_EQUALITIES = (
    "one eigenvector",
    "K - 1 eigenvectors",
    "coordinates of the one",
    "coordinates of the others",
    "kernel",
    "differences of the one",
)


def _sides(f: Any, c: Any, alpha: Any, beta: Any) -> Sides:
    K, m = np.shape(f)
    a, b = number(alpha), number(beta)
    M, d = matrix(K, m, a, b), directions(K, m)
    R = (d[0] @ d[1]) / (d[0] @ d[0])
    single, repeated = a + (K - 1) * R * b, a - R * b
    centred = np.array(list(c)) - sum(c) / Fraction(K)
    first = M @ np.concatenate(list(d))
    second = M @ np.concatenate([x * row for x, row in zip(centred, d, strict=True)])
    size = (abs(a) + abs(b)) * m
    of_c = size * sum(abs(c))
    shape = (K, m)
    return {
        "one eigenvector": same((single * first).reshape(shape) + size * size),
        "K - 1 eigenvectors": same((repeated * second).reshape(shape) + size * of_c),
        "coordinates of the one": same([single + size] * K),
        "coordinates of the others": same([repeated * x + of_c for x in centred]),
        "kernel": same(np.zeros(shape, dtype=int) + size * sum(sum(abs(row)) for row in f)),
        "differences of the one": same((a - b) * (d - d[:1]) + size),
    }


@proof("review:remark-spectrum", "corrected", "multiplicities 1, K - 1 and K(K - 1)", COMMUTED)
def spectrum(claim: Claim) -> Iterator[Step]:
    """M = U V with V U of size K."""
    yield from residuals()
    yield from reduced()
    yield from vectors()
    yield spectra({K: (K,) for K in (2, 3, 4)})
    yield assumes(claim, f="real", c="real", alpha="real", beta="real")
    yield tie("the claim compares these", claim, _POINTS, _sides, _EQUALITIES)


@proof("review:remark-spectrum", "sharp", "features of any dimension from K on", COMMUTED)
def any_dimension(claim: Claim) -> Iterator[Step]:
    """The same, with the cosine R of the residuals in R^m."""
    yield from residuals()
    yield from reduced()
    yield from vectors()
    yield identity("R vanishes at m = 2K", (_m - 2 * _K).subs(_m, 2 * _K), 0)
    yield spectra({2: (2, 3, 4, 5), 3: (3, 6, 7)})
    yield assumes(claim, further="real", f="real", c="real", alpha="real", beta="real")

    def sides(further: Any, f: Any, **rest: Any) -> Sides:
        return _sides(np.hstack([f, further]), **rest)

    yield tie("the claim compares these", claim, _WIDE, sides, _EQUALITIES)
