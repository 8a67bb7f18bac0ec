"""Proofs about margins and norms: sums over rivals, one square, and a projection.

A sum over samples and rivals of gaps is K times that of ``<adot_k, f_{k,i}>``, adot the centred
weights. In few dimensions a projection P of rank r onto what weights cannot reach enters: its
entries off the diagonal are at most 1/2 - 1/K.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, COUNTING, INNER_PRODUCT, PIGEONHOLE
from proofs_check.steps import Fact, Step, assumes, cases, identity, nonnegative, point, proof, tie
from proofs_check.vectors import dot, mean

RANK = Fact(
    "Rank and nullity",
    "The vectors of R^K orthogonal to m given ones and to (1, ..., 1) are a space of dimension at "
    "least K - 1 - m; the projection P onto it is symmetric, P^2 = P, and <x, P x> <= |x|^2.",
    "Horn and Johnson, Matrix Analysis, Sections 0.2.3 and 0.9.13",
)

_rivals = sympy.Symbol("rivals", integer=True, positive=True)
_K = _rivals + 1
_n = sympy.Symbol("n", integer=True, positive=True)
_A, _F = sympy.symbols("A F", positive=True)
_TAU = sympy.Symbol("fourth_root", positive=True)


# -- numbers --------------------------------------------------------------------------------------


def gaps(a: Any, f: Any) -> list[Any]:
    """All ``<a_k - a_j, f_{k,i}>``, exact."""
    return [
        dot(a[k], x) - dot(a[j], x)
        for k in range(len(a))
        for x in f[k]
        for j in range(len(a))
        if j != k
    ]


def square(rows: Any) -> Any:
    """Sum of squares of rows."""
    return sum(dot(row, row) for row in rows)


def _flat(f: Any) -> list[Any]:
    return [x for rows in f for x in rows]


def _root(n: Any) -> Any:
    return balls.ball(n).sqrt()


# -- shared steps ---------------------------------------------------------------------------------


def sum_of_gaps() -> Iterator[Step]:
    """The sum over rivals is K times the centred product; then Cauchy-Schwarz."""
    own, others, inner = sympy.symbols("own others inner", real=True)
    yield identity(
        "sum over j of <a_k - a_j, f> = K <a_k - mean, f>, own and the other logits in all",
        _rivals * own - others,
        _K * (own - (own + others) / _K),
    )
    q, s = sympy.symbols("q s", real=True)
    yield identity(
        "so sum <adot_k, f> = n (K - 1) q + (sum of excesses)/K, over n K samples",
        (_n * _K * _rivals * q + s) / _K,
        _n * _rivals * q + s / _K,
    )
    rho = _F / (sympy.sqrt(_n) * _A)
    centred, centre = sympy.symbols("centred centre", real=True)
    yield identity(
        "half the sum of |root rho adot - f/root rho|^2 is root n |A||F| - sum <adot, f> less the "
        "term of the mean weight, |A|^2 = centred + K |mean|^2",
        rho * _n * centred / 2 + _F**2 / rho / 2 - inner + rho * _n * (_A**2 - centred) / 2,
        sympy.sqrt(_n) * _A * _F - inner,
    )
    yield identity(
        "the mean weight: |A|^2 - centred over its K rows",
        sympy.expand(_K * centre),
        sympy.expand((_A**2 + _K * centre) - _A**2),
    )
    yield identity(
        "and the norms",
        sympy.sqrt(_n) * (_A**2 + _F**2) / 2 - sympy.sqrt(_n) * _A * _F,
        sympy.sqrt(_n) * (_A - _F) ** 2 / 2,
    )


def at_the_simplex() -> Iterator[Step]:
    """Rows with the inner products of I - 11^T/K, scaled by fourth roots of n."""
    yield identity("each margin: (1 - 1/K) + 1/K", (1 - 1 / _K) + 1 / _K, 1)
    fourth = sympy.sqrt(sympy.sqrt(_n))
    each = _K * (1 - 1 / _K)
    yield identity(
        "the value", (fourth**2 * each + _n * each / fourth**2) / 2, _rivals * sympy.sqrt(_n)
    )


def in_few_dimensions() -> Iterator[Step]:
    """For Z = Adot Fbar^T of rank m: P Z = 0, so the excesses are at least 2 K r q/(K - 2)."""
    own, product, z, level = sympy.symbols("P_own Ps z_kk q", real=True)
    K = sympy.Symbol("rest", integer=True, positive=True) + 2
    yield identity(
        "a column of P Z = 0: z_jk = z_kk - q - s_jk off k and P 1 = 0, so the row of P without "
        "P_kk sums to -P_kk; hence q P_kk = sum of P_kj s_jk, and q r over all k",
        z * own + (z - level) * (-own) - product,
        level * own - product,
    )
    yield identity(
        "<x, P x> at x = e_j + e_k less <x, C x>, C = I - 11^T/K >= P: P_jj + P_kk + 2 P_jk <= "
        "2 - 4/K",
        2 - sympy.Integer(2) ** 2 / K,
        2 * (1 - 2 / K),
    )
    plus, minus = sympy.symbols("plus minus", nonnegative=True)
    diagonal = sympy.Symbol("P_jj", real=True) + sympy.Symbol("P_kk", real=True)
    entry = sympy.Symbol("P_jk", real=True)
    yield identity(
        "with P_jj + P_kk - 2 P_jk >= 0 it is P_jk <= 1/2 - 1/K: the two sum to 4 P_jk",
        (diagonal + 2 * entry) - (diagonal - 2 * entry),
        4 * entry,
    )
    yield identity("which is (K - 2)/(2K)", (2 * (1 - 2 / K)) / 4, (K - 2) / (2 * K))
    q, r = sympy.symbols("q r", nonnegative=True)
    extra = sympy.Symbol("extra", nonnegative=True)
    total = q * r * 2 * K / (K - 2) + extra
    yield nonnegative(
        "sum s >= 2 K r q/(K - 2), and the trace of Z is (K - 1) q + sum s/K",
        (K - 1) * q + total / K - q * (K - 1 + 2 * r / (K - 2)),
        [extra, 1 / K],
    )
    yield nonnegative(
        "the trace of Z is at most |Adot||Fbar|, and |Fbar|^2 <= |F|^2/n, means of squares",
        plus**2 + minus**2 - 2 * plus * minus,
        [(plus - minus) ** 2],
    )


def on_a_line() -> Iterator[Step]:
    """Of three classes two have features of one sign, and those contradict each other."""
    f, g = sympy.symbols("f g", nonnegative=True)
    d, q = sympy.symbols("d q", real=True)
    yield identity(
        "d f >= q and -d g >= q for f, g >= 0: times g and f they sum to 0 >= q (f + g)",
        g * (d * f - q) + f * (-d * g - q),
        -q * (f + g),
    )
    yield identity("and f = g = 0 gives q <= 0 at once", d * 0, 0)


# -- equation (15) --------------------------------------------------------------------------------


@proof("review:eq-15", "printed", "the least value, m >= K - 1", CAUCHY_SCHWARZ, COUNTING)
def solution(claim: Claim) -> Iterator[Step]:
    """The margin bound below, the simplex above."""
    yield from sum_of_gaps()
    yield from at_the_simplex()
    yield assumes(claim, mirrors="real", a="real", f="real")

    def sides(mirrors: Any, a: Any, f: Any) -> dict[str, tuple[Any, Any]]:
        K, n = len(a), len(f[0])
        value = (K - 1) * _root(n)
        ones = [balls.ball(1)] * (K * n * (K - 1))
        return {
            "margins": (ones, ones),
            "value": (value, value),
            "least": (value * balls.ball(min(gaps(a, f))), _objective(a, f)),
        }

    given = [
        point(mirrors=[[1]], a=[[1], [-1]], f=[[[1]], [[-2]]]),
        point(
            mirrors=[[1, 0], [1, 1]],
            a=[[1, 0], [0, 1], [-1, -1]],
            f=[[[1, 0], [2, 0]], [[0, 1], [0, 3]], [[-1, -1], [0, "-1/2"]]],
        ),
    ]
    yield tie("the claim compares these", claim, given, sides, ("margins", "value"))


def _objective(a: Any, f: Any) -> Any:
    return balls.ball((square(a) + square(_flat(f))) / 2)


@proof(
    "review:eq-15",
    "corrected",
    "in m dimensions",
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    COUNTING,
    PIGEONHOLE,
    RANK,
)
def in_dimension(claim: Claim) -> Iterator[Step]:
    """A projection that weights cannot reach forces margins above the least."""
    yield from sum_of_gaps()
    yield from in_few_dimensions()
    yield from on_a_line()
    yield assumes(claim, a="real", f="real")

    def sides(a: Any, f: Any) -> dict[str, tuple[Any, Any]]:
        K, n, m = len(a), len(f[0]), len(a[0])
        q = balls.ball(min(gaps(a, f)))
        value = _root(n) * (K - 1 + balls.ball(2 * max(K - 1 - m, 0)) / (K - 2))
        product = balls.ball(square(a) * square(_flat(f))).sqrt()
        return {
            "margin": (value * q, product),
            "on a line": (q if m == 1 else balls.ball(0), balls.ball(0)),
        }

    given = [
        point(a=[[1], [0], [-1]], f=[[[1]], [[0]], [[-1]]]),
        point(
            a=[[1, 0], [-1, 0], [0, 1], [0, -1]],
            f=[[[1, 0]], [[-1, 0]], [[0, 1]], [[0, -1]]],
        ),
    ]
    yield tie("the claim compares these", claim, given, sides)


@proof(
    "review:eq-15",
    "sharp",
    "half as many dimensions as classes, and more",
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    COUNTING,
    PIGEONHOLE,
    RANK,
)
def in_half(claim: Claim) -> Iterator[Step]:
    """Pairs on axes of their own; the logits of the others factored by a fourth root."""
    yield from sum_of_gaps()
    yield from in_few_dimensions()
    h, L = sympy.symbols("pairs others", positive=True)
    at = L * _TAU**4 / (2 * (1 - _TAU**4))
    K, tau = 2 * h + L, _TAU
    m = sympy.Symbol("half", integer=True, positive=True) + 1
    yield identity("the bound at K = 2 m", 2 * m - 1 + 2 * (2 * m - 1 - m) / (2 * m - 2), 2 * m)
    yield identity("the construction at K = 2 m", 2 * m - 1 + sympy.sqrt(2 * m / (2 * m)), 2 * m)
    yield cases(
        "margins of a pair: its feature is on its axis; to others 1, to its opposite 2",
        {"others": 1 - 0 >= 1, "opposite": 1 - (-1) >= 1},
    )
    level = (1 / tau - 1) / L - 1 / (K * tau)
    share = (tau - 1) / L
    yield identity("logits of another class: own", level + 1 + share * (L * level + 1), 1 - 1 / K)
    yield identity("another of its kind", level + share * (L * level + 1), -1 / K)
    yield identity("a pair", -1 / (K * tau) * (1 + L * share), -1 / K)
    weights = 2 * h * L / (K * tau) ** 2 + L * ((level + 1) ** 2 + (L - 1) * level**2)
    features = L * ((share + 1) ** 2 + (L - 1) * share**2)
    fourth = sympy.root(2 * h / K, 4)
    yield identity("squared features of the others", features, L - 1 + tau**2)
    yield identity(
        "squared weights of the others and the pairs' share, at pairs = L tau^4/(2 - 2 tau^4)",
        sympy.cancel(weights.subs(h, at)),
        L - 1 + tau**2,
    )
    yield identity("which is tau^4 K = 2 pairs, K = 2 pairs + L", _TAU**4 * (2 * at + L), 2 * at)
    yield identity(
        "in all, with K - 1 = 2 pairs + L - 1",
        2 * h + L - 1 + fourth**2,
        K - 1 + sympy.sqrt(2 * h / K),
    )
    yield assumes(claim, mirrors="real", a="real", f="real")

    def sides(mirrors: Any, a: Any, f: Any) -> dict[str, tuple[Any, Any]]:
        K, n, m = len(a), len(f[0]), len(a[0])
        value = _root(n) * (K - 1 + balls.ball(Fraction(2 * (K - m), K)).sqrt())
        low = _root(n) * (K - 1 + balls.ball(Fraction(2 * (K - 1 - m), K - 2)))
        pairs = 2 * (K - m)
        found = [
            balls.ball(2 if k < pairs and j < pairs and j // 2 == k // 2 else 1)
            for k in range(K)
            for _ in range(n)
            for j in range(K)
            if j != k
        ]
        return {
            "feasible": ([balls.ball(1)] * len(found), found),
            "value": (value, value),
            "at K = 2 m": (balls.ball(0), balls.ball(0)),
            "least": (low * balls.ball(min(gaps(a, f))), _objective(a, f)),
        }

    given = [
        point(
            mirrors=[[1, 0], [1, 1]],
            a=[[1, 0], [-1, 0], [0, 1], [0, -1]],
            f=[[[1, 0]], [[-1, 0]], [[0, 1]], [[0, -2]]],
        )
    ]
    yield tie("the claim compares these", claim, given, sides, ("value", "at K = 2 m"))


# -- the margin bound -----------------------------------------------------------------------------


@proof("review:remark-margin-bound", "printed", "the bound", CAUCHY_SCHWARZ, COUNTING)
def margin_bound(claim: Claim) -> Iterator[Step]:
    """All defects of the split are squares or excesses."""
    yield from sum_of_gaps()
    yield assumes(claim, a="real", f="real")

    def sides(a: Any, f: Any) -> dict[str, tuple[Any, Any]]:
        value = (len(a) - 1) * _root(len(f[0]))
        return {"bound": (value * balls.ball(min(gaps(a, f))), _objective(a, f))}

    yield tie("the claim compares these", claim, _POINTS, sides)


_POINTS = [
    point(a=[[1], [-1]], f=[[[1], [2]], [[-1], ["-1/2"]]]),
    point(a=[[1, 0], [0, 1], [-1, -1]], f=[[[1, 0]], [[0, 1]], [[-1, "-1/2"]]]),
]


@proof(
    "review:remark-margin-bound",
    "sharp",
    "the gap split into defects",
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    COUNTING,
)
def split(claim: Claim) -> Iterator[Step]:
    """The split, and the product of centred weights and features from below."""
    yield from sum_of_gaps()
    q, s = sympy.symbols("q s", nonnegative=True)
    g = 1 - _rivals * sympy.sqrt(_n) * q / (_A * _F)
    yield identity(
        "n (K - 1) q = (1 - g) root n |A||F|",
        _n * _rivals * q,
        (1 - g) * sympy.sqrt(_n) * _A * _F,
    )
    c, w = sympy.symbols("c w", positive=True)
    yield nonnegative(
        "so the cosine of features and centred weights, |Adot| = c <= |A| = c + w, is at least "
        "1 - g",
        (_n * _rivals * q + s) / (sympy.sqrt(_n) * c * _F)
        - _n * _rivals * q / (sympy.sqrt(_n) * (c + w) * _F),
        [
            1 / (sympy.sqrt(_n) * c * (c + w) * _F),
            _n * _rivals * q * w + s * (c + w),
        ],
    )
    whole, means = sympy.symbols("whole means", positive=True)
    yield identity(
        "within classes: whole less n times the squared class means; these carry the product, so "
        "are at least (1 - g)^2 of the whole",
        1 - (1 - g) ** 2,
        g * (2 - g),
    )
    yield identity("within", (whole - means) / whole, 1 - means / whole)
    yield assumes(claim, a="real", f="real")

    def sides(a: Any, f: Any) -> dict[str, tuple[Any, Any]]:
        K, n = len(a), len(f[0])
        all_gaps = gaps(a, f)
        least = min(all_gaps)
        weights, features = square(a), square(_flat(f))
        middle = mean(a)
        centred = [[x - y for x, y in zip(row, middle, strict=True)] for row in a]
        within = features - n * sum(dot(mean(rows), mean(rows)) for rows in f)
        inner = sum(dot(centred[k], x) for k in range(K) for x in f[k])
        product = balls.ball(weights * features).sqrt()
        bound = 1 - (K - 1) * _root(n) * balls.ball(least) / product
        cosine = balls.ball(inner) / balls.ball(n * square(centred) * features).sqrt()
        excess = (sum(all_gaps) - len(all_gaps) * least) / K
        half = _root(n) * _objective(a, f)
        return {
            "separated": (balls.ball(0), balls.ball(least)),
            "split": (half, half),
            "margins": (balls.ball(0), balls.ball(excess)),
            "NC1": (balls.ball(within / features), bound * (2 - bound)),
            "NC3": (1 - cosine, bound),
        }

    yield tie("the claim compares these", claim, _POINTS, sides, ("split",))
