"""Proofs about batch normalisation of unconstrained features and the optimum with weight decay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import sqrt

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from ncbounds.theory.unconstrained import normalised_features as theory
from proofs_check.facts import CAUCHY_SCHWARZ
from proofs_check.square_loss.ball_arrays import exact
from proofs_check.square_loss.flow_network import same
from proofs_check.steps import Fact, Step, assumes, identity, nonnegative, number, point, proof, tie
from proofs_check.unconstrained.square_model import FROBENIUS, length, letters, seen
from proofs_check.unconstrained.strong_collapse import is_formula

Sides = dict[str, tuple[Any, Any]]
MIRSKY = Fact(
    "Mirsky's theorem",
    "The sum of the squared differences of the ordered singular values of two matrices is at most "
    "the squared Frobenius norm of their difference.",
    "L. Mirsky, Quart. J. Math. 11 (1960); Horn and Johnson, Matrix Analysis, Corollary 7.4.9.3",
)
TRACE_NORM = Fact(
    "Trace norm of a sum of products",
    "The sum of the singular values of sum_j a_j r_j^T is at most the sum of |a_j| |r_j|; a sum of "
    "m such terms has at most m singular values that are not zero.",
    "Horn and Johnson, Matrix Analysis, Section 5.6 and Theorem 0.4.6",
)

_n, _K, _lam = sympy.symbols("n K lambda", positive=True)
_r = sympy.Symbol("r", positive=True)  # sqrt(n)
_gamma, _v, _x = sympy.symbols("gamma v x", real=True)
_q = sympy.Symbol("q", positive=True)  # norm of a centred row

# -- by hand ---------------------------------------------------------------------------------------


def normalised(F: Any, gamma: Any, v: Any) -> Any:
    """(60), row by row over all samples, in balls: (m x N)."""
    rows = F.reshape(len(F), -1)
    N = rows.shape[1]
    found = []
    for row, scale, shift in zip(rows, gamma, v, strict=True):
        off = exact(row) - exact(row).sum() / N
        unit = off / length(off)
        found.append(unit * balls.ball(scale) + balls.ball(shift) / balls.ball(N).sqrt())
    return np.array(found, dtype=object)


def positive_part(rows: Any) -> Any:
    """The rows after the ReLU."""
    return np.frompyfunc(lambda x: x.max(balls.ball(0)), 1, 1)(rows)


def one_hot_rows(K: int, n: int) -> Any:
    """Y, (K x N)."""
    return np.kron(np.eye(K, dtype=int), np.ones((1, n), dtype=int)).astype(object)


def risk_by_hand(A: Any, F: Any, gamma: Any, v: Any, lambda_: Any) -> Any:
    """(61), by matrix products."""
    off = exact(A) @ positive_part(normalised(F, gamma, v)) - exact(one_hot_rows(*F.shape[1:]))
    decay = (gamma * gamma).sum() + (v * v).sum() + (A * A).sum()
    return (off * off).sum() / 2 + balls.ball(number(lambda_) * decay / 2)


def least_by_hand(K: int, n: int, m: int, lambda_: Any) -> Any:
    """The least value, case by case."""
    decay, root, used = balls.ball(number(lambda_)), balls.ball(n).sqrt(), min(K, m)
    if number(lambda_) ** 2 >= n:
        return balls.ball(K * n) / 2
    return used * (decay * root - decay * decay / 2) + balls.ball((K - used) * n) / 2


_SMALL = point(
    A=[[1, "1/2", 0], [-1, 1, 2]],
    F=[[[1, 0], [2, -1]], [["1/2", 1], [0, 3]], [[0, 1], [0, 0]]],
    gamma=[1, -1, "1/2"],
    v=["1/2", 1, 0],
)
_ROWS = point(A=[[2], [1]], F=[[[1, 2], [0, "1/3"]]], gamma=[2], v=["1/3"])
_KINDS = {"F": "real", "gamma": "real", "v": "real"}

# -- (60) ------------------------------------------------------------------------------------------


def row_steps() -> Iterator[Step]:
    """A centred row over its norm adds up to zero and has norm 1."""
    N, total = sympy.symbols("N total", positive=True)
    yield identity(
        "the mean: the centred row adds up to zero",
        (0 * _gamma + N * (_v / sqrt(N))) / N,
        _v / sqrt(N),
    )
    yield identity(
        "the squared norm: the cross term is the sum of the centred row",
        (_q / _q) ** 2 * _gamma**2 + N * (_v / sqrt(N)) ** 2,
        _gamma**2 + _v**2,
    )
    c = sympy.Symbol("c", positive=True)
    yield identity(
        "a positive multiple", (c * _x - c * total / N) / (c * _q), (_x - total / N) / _q
    )


@proof("review:eq-60", "printed", "rows that are not constant")
def rows(claim: Claim) -> Iterator[Step]:
    """Centred rows are orthogonal to the row of ones."""
    yield from row_steps()

    def sides(F: Any, gamma: Any, v: Any, scale: Any) -> Sides:
        N = F.shape[1] * F.shape[2]
        found = normalised(F, gamma, v)
        means = exact(v) / balls.ball(N).sqrt()
        norms = gamma * gamma + v * v
        return {
            "mean": seen(means, means, (norms,)),
            "square norm": same(norms),
            "scale is lost": seen(found, found, (found,)),
        }

    yield assumes(claim, **_KINDS, scale="positive")
    names = ("mean", "square norm", "scale is lost")
    given = [{k: v for k, v in one.items() if k != "A"} for one in (_SMALL, _ROWS)]
    given = [{**given[0], **point(scale=[1, 2, "1/3"])}, {**given[1], **point(scale=[3])}]
    yield tie("the claim compares these", claim, given, sides, names)


# -- (61), (62) ------------------------------------------------------------------------------------


def penalties() -> Iterator[Step]:
    """The penalty is at least lambda sum |a_j| |r_j|, r_j the positive parts of the rows."""
    length_, weight = sympy.symbols("length weight", nonnegative=True)
    yield identity(
        "(l^2 + |a|^2)/2 = l |a| + (l - |a|)^2/2, l^2 = gamma^2 + v^2",
        (length_**2 + weight**2) / 2,
        length_ * weight + (length_ - weight) ** 2 / 2,
    )
    plus, minus = sympy.symbols("plus minus", nonnegative=True)
    yield nonnegative(
        "positive parts are no longer than rows: (p - m)^2 = p^2 + m^2 as p m = 0",
        (plus**2 + minus**2) - plus**2,
        [minus, minus],
    )


def attained() -> Iterator[Step]:
    """At the closed form row j is l y_j/sqrt(n), and so is the risk."""
    l2 = sympy.Symbol("l2", nonnegative=True)
    yield identity(
        "an entry at its class: (1 - 1/K)/q gamma + v/sqrt(N), q^2 = n (1 - 1/K), N = n K",
        (1 - 1 / _K) / (_r * sqrt(1 - 1 / _K)) * sqrt(1 - 1 / _K) + sqrt(1 / _K) / (_r * sqrt(_K)),
        1 / _r,
    )
    yield identity(
        "and elsewhere",
        -1 / _K / (_r * sqrt(1 - 1 / _K)) * sqrt(1 - 1 / _K) + sqrt(1 / _K) / (_r * sqrt(_K)),
        0,
    )
    yield identity("gamma^2 + v^2 = l^2", l2 * (1 - 1 / _K) + l2 / _K, l2)
    small = (_r**2 * ((_r - _lam) / _r - 1) ** 2 + 2 * _lam * (_r - _lam)) / 2
    yield identity("a class used, lambda <= r, l^2 = r - lambda", small, _lam * _r - _lam**2 / 2)
    yield identity("a class given up, or lambda >= r", _r**2 * (0 - 1) ** 2 / 2, _r**2 / 2)
    yield identity(
        "which is the first at lambda = r", (_lam * _r - _lam**2 / 2).subs(_lam, _r), _r**2 / 2
    )


def same_formula() -> Iterator[Step]:
    """The least value as the theory has it, on either side of lambda = sqrt(n)."""
    m = sympy.Symbol("m", positive=True)
    used, tau = sympy.Min(_K, m), sympy.Min(_lam, sqrt(_n))
    yield is_formula(
        "the formula",
        theory.least_risk,
        used * (tau * sqrt(_n) - tau**2 / 2) + (_K - used) * _n / 2,
        K=_K, n=_n, m=m, lambda_=_lam,
    )  # fmt: skip
    yield is_formula(
        "and the length",
        theory.squared_length,
        sympy.Max(sqrt(_n) - _lam, 0),
        n=_n,
        lambda_=_lam,
    )


def by_singular_values() -> Iterator[Step]:
    """What each singular value of the outputs costs, and how many there can be."""
    s = sympy.Symbol("sigma", nonnegative=True)
    yield nonnegative(
        "a singular value, lambda <= r: more than lambda r - lambda^2/2",
        (s - _r) ** 2 / 2 + _lam * s - (_lam * _r - _lam**2 / 2),
        [sympy.Rational(1, 2), (s - _r + _lam) ** 2],
    )
    more = sympy.Symbol("more", nonnegative=True)
    yield nonnegative(
        "and lambda = r + more: no less than n/2",
        (s - _r) ** 2 / 2 + (_r + more) * s - _r**2 / 2,
        [s, s / 2 + more],
    )
    yield identity("a value that is zero: n/2", (0 - _r) ** 2 / 2, _r**2 / 2)
    yield nonnegative(
        "so as many as can should not be",
        _r**2 / 2 - (_lam * _r - _lam**2 / 2),
        [sympy.Rational(1, 2), (_r - _lam) ** 2],
    )


@proof(
    "review:eq-61",
    "corrected",
    "any number of rows, any weight decay",
    MIRSKY,
    TRACE_NORM,
    CAUCHY_SCHWARZ,
)
def optimum(claim: Claim) -> Iterator[Step]:
    """Singular value by singular value."""
    yield from row_steps()
    yield from penalties()
    yield from by_singular_values()
    yield from attained()
    yield from same_formula()

    def sides(A: Any, F: Any, gamma: Any, v: Any, lambda_: Any) -> Sides:
        m, K, n = F.shape
        least = least_by_hand(K, n, m, lambda_)
        return {
            "lower bound": (least, risk_by_hand(A, F, gamma, v, lambda_)),
            "attained": same(least),
        }

    yield assumes(claim, A="real", **_KINDS, lambda_="positive")
    given = [{**_SMALL, **point(lambda_="1/3")}, {**_ROWS, **point(lambda_=2)}]
    yield tie("the claim compares these", claim, given, sides, ("attained",))


@proof(
    "review:eq-61",
    "corrected",
    "(62) with the penalty of the cited theorem",
    MIRSKY,
    TRACE_NORM,
    CAUCHY_SCHWARZ,
)
def product_penalty(claim: Claim) -> Iterator[Step]:
    """The same, without the step from squares to products."""
    yield from row_steps()
    yield from penalties()
    yield from by_singular_values()
    yield from attained()
    yield identity(
        "lengths 1 and r - lambda: the same outputs", 1 / _r * (_r - _lam), (_r - _lam) / _r
    )
    yield identity("and the same penalty", _lam * 1 * (_r - _lam), _lam * (_r - _lam))
    yield from same_formula()

    def sides(A: Any, F: Any, gamma: Any, v: Any, lambda_: Any) -> Sides:
        m, K, n = F.shape
        least = least_by_hand(K, n, m, lambda_)
        off = exact(A) @ positive_part(normalised(F, gamma, v)) - exact(one_hot_rows(K, n))
        lengths = sum(
            balls.ball(g * g + s * s).sqrt() * length(A[:, j])
            for j, (g, s) in enumerate(zip(gamma, v, strict=True))
        )
        value = (off * off).sum() / 2 + balls.ball(number(lambda_)) * lengths
        return {"lower bound": (least, value), "attained": same(least)}

    yield assumes(claim, A="real", **_KINDS, lambda_="positive")
    given = [{**_SMALL, **point(lambda_="1/3")}, {**_ROWS, **point(lambda_=2)}]
    yield tie("the claim compares these", claim, given, sides, ("attained",))


@proof("review:eq-61", "sharp", "how near the optimum a small risk is", CAUCHY_SCHWARZ, FROBENIUS)
def near_optimum(claim: Claim) -> Iterator[Step]:
    """With W = (tau/r) Y: <W, sum a_j r_j^T> <= tau sum |a_j| |r_j|."""
    yield from row_steps()
    yield from penalties()
    z, y, w = sympy.symbols("z y w", real=True)
    yield identity(
        "one entry: half of (z - y)^2",
        (z - y) ** 2 / 2,
        w * (y - z) - w**2 / 2 + (z - (y - w)) ** 2 / 2,
    )
    A, R, W = letters("A R W")
    yield identity("<W, A R> = <A^T W, R^T>, under the trace", W * (A * R), (W * A) * R)
    a, total = sympy.symbols("a total", nonnegative=True)
    tau = sympy.Symbol("tau", nonnegative=True)
    yield identity(
        "(tau/r) sum_c a_c (sum of r over class c) <= (tau/r) |a| r |r_j|",
        tau / _r * (a * (_r * total)),
        tau * a * total,
    )
    more = sympy.Symbol("more", nonnegative=True)
    yield nonnegative("tau <= lambda", (tau + more) * a * total - tau * a * total, [more, a, total])
    yield identity(
        "<W, Y> - |W|^2/2, with |Y|^2 = K n",
        tau / _r * _K * _r**2 - (tau / _r) ** 2 * _K * _r**2 / 2,
        _K * (tau * _r - tau**2 / 2),
    )
    yield identity("Y - W = (1 - tau/r) Y", y - tau / _r * y, (_r - tau) / _r * y)
    yield from same_formula()

    def sides(A: Any, F: Any, gamma: Any, v: Any, lambda_: Any) -> Sides:
        m, K, n = F.shape
        decay, root = balls.ball(number(lambda_)), balls.ball(n).sqrt()
        tau = root if number(lambda_) ** 2 >= n else decay
        off = exact(A) @ positive_part(normalised(F, gamma, v))
        off = off - exact(one_hot_rows(K, n)) * (1 - tau / root)
        gaps = [
            balls.ball(g * g + s * s).sqrt() - length(A[:, j])
            for j, (g, s) in enumerate(zip(gamma, v, strict=True))
        ]
        least = least_by_hand(K, n, m, lambda_)
        return {
            "enough rows": (balls.ball(K), balls.ball(m)),
            "gap": (
                least + (off * off).sum() / 2 + decay * sum(gap * gap for gap in gaps) / 2,
                risk_by_hand(A, F, gamma, v, lambda_),
            ),
        }

    yield assumes(claim, A="real", **_KINDS, lambda_="positive")
    given = [{**_SMALL, **point(lambda_="1/3")}, {**_SMALL, **point(lambda_=2)}]
    yield tie("the claim compares these", claim, given, sides)


# -- (63), (64) ------------------------------------------------------------------------------------


def optimal_rows() -> Iterator[Step]:
    """(63), entry by entry; q^2 = n (1 - 1/K)^2 + (N - n)/K^2."""
    yield identity(
        "the norm that is divided by",
        _n * (1 - 1 / _K) ** 2 + (_K * _n - _n) / _K**2,
        _n * (1 - 1 / _K),
    )
    shift = _n / (sqrt(_K * _n) * sqrt(_n)) / sqrt(_K * _n)
    yield identity("at its class", (1 - 1 / _K) / _q * (_q / sqrt(_n)) + shift, 1 / sqrt(_n))
    yield identity("elsewhere", -1 / _K / _q * (_q / sqrt(_n)) + shift, 0)
    yield identity("sqrt(K/N)", sqrt(_K / (_K * _n)), 1 / sqrt(_n))


@proof("review:eq-63", "printed", "the first K rows")
def features(claim: Claim) -> Iterator[Step]:
    """Put (62) into (60)."""
    yield from optimal_rows()

    def sides(K: Any, n: Any) -> Sides:
        del K
        return {
            "own class": same(1 / balls.ball(number(n)).sqrt()),
            "other classes": same(1),
        }

    yield assumes(claim, K="integer >= 2", n="integer >= 1")
    given = [point(K=3, n=2), point(K=2, n=1)]
    yield tie("the claim compares these", claim, given, sides, ("own class", "other classes"))


@proof("review:eq-64", "corrected", "the last matrix transposed, and the simplex")
def centred(claim: Claim) -> Iterator[Step]:
    """Subtract the mean 1/(K sqrt(n)) of each row."""
    yield from optimal_rows()
    own, other = (1 - 1 / _K) / _r, -1 / (_K * _r)
    yield identity("at its class", 1 / _r - 1 / (_K * _r), own)
    yield identity("elsewhere", 0 - 1 / (_K * _r), other)
    square = own**2 + (_K - 1) * other**2
    yield identity("squared norm", square, (1 - 1 / _K) / _r**2)
    yield identity("inner products", 2 * own * other + (_K - 2) * other**2, -square / (_K - 1))

    def sides(K: Any, n: Any) -> Sides:
        classes, samples = number(K), number(n)
        root = balls.ball(samples).sqrt()
        square = (1 - 1 / classes) / samples
        return {
            "own class": same(balls.ball(1 - 1 / classes) / root),
            "other classes": same(-balls.ball(1 / classes) / root),
            "squared norms of the means": same(square),
            "their cosines": same(-square),
        }

    yield assumes(claim, K="integer >= 2", n="integer >= 1")
    given = [point(K=3, n=2), point(K=2, n=1)]
    names = ("own class", "other classes", "squared norms of the means", "their cosines")
    yield tie("the claim compares these", claim, given, sides, names)
