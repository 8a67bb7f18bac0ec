"""Peeling of a ReLU network by moments of order p >= 2: what all its bounds have in common.

For a node v of the network let N_p(v) be the p-th root of E sup |sum_i eps_i v(x_i)|^p, the
supremum over all weights of norm at most 1 below it.

- A linear node w.(a_1, ..., a_n) with |w| <= 1: N_p(v)^2 <= sum_j N_p(a_j)^2, by Cauchy-Schwarz
  and Minkowski's inequality of order p/2 >= 1. Nodes with common weights: the supremum of a sum is
  at most the sum of the suprema. A layer with many channels is one row at a time: the supremum
  over the Frobenius ball is attained at one.
- A ReLU: N_p(relu v) <= (1 + 2^(1/p))/2 N_p(v). Half of it is linear; the other half is |v|, and a
  contraction bounds E sup |sum_i eps_i |v(x_i)||^p by 2 N_p(v)^p.
- An input x_j: N_p(x_j) <= K_p (sum_i x_ij^2)^(1/2).

Going down from the output, each path to an input contributes once, and the mean is at most the
p-th root of the mean of p-th powers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import sympy
from sympy import Max, exp, log, sqrt

from ncbounds.arithmetic import symbolic
from ncbounds.theory.rademacher import moments
from proofs_check.facts import (
    HOEFFDING,
    INDEPENDENT_SIGNS,
    JENSEN,
    MINKOWSKI_POWERS,
    TANGENT,
)
from proofs_check.steps import Fact, Step, cases, identity, nonnegative

#: What the peeling takes for granted.
PEELING: tuple[Fact, ...] = (INDEPENDENT_SIGNS, JENSEN, MINKOWSKI_POWERS)
#: What the bound that grows as the root of the depth takes for granted besides.
SIZE_INDEPENDENT: tuple[Fact, ...] = (*PEELING, TANGENT, HOEFFDING)

_p, _q, _h = sympy.symbols("p q h", nonnegative=True)
_k = sympy.Symbol("k", integer=True, positive=True)
_j = sympy.Symbol("j", integer=True, nonnegative=True)


def moment_peeling() -> Iterator[Step]:
    """The bound for moments of order 2k."""
    yield from _linear_node()
    yield from _relu()
    yield from _inputs()
    yield from _together()


def size_independent() -> Iterator[Step]:
    """The bound for the order p = (n + 2) log 2 that suits n >= 1 levels of ReLU; and for n = 0.

    With n levels and E|S|^p <= 2 (p/e)^(p/2) |x|^p the factor is F = ((1 + 2^(1/p))/2)^n 2^(1/p)
    (p/e)^(1/2). At u = log 2/p = 1/(n + 2), hence n = 1/u - 2, it is at most p^(1/2) e^(u/8).
    """
    u, p, t, w = sympy.symbols("u p t w", positive=True)
    n = sympy.Symbol("n", nonnegative=True)
    yield identity(
        "e^w >= 1 + w at w = t/p - 1: the p-th root of e^t is at least e t/p, hence "
        "|s|^p <= (p/e)^p e^(t) at t = |s|",
        p / sympy.E * exp(t / p) - t,
        p * (exp(t / p - 1) - 1 - (t / p - 1)),
    )
    yield identity(
        "at t = lambda |s| and lambda = p^(1/2), with E e^(lambda |S|) <= 2 E cosh(lambda S) <= "
        "2 e^(lambda^2/2): E |S|^p <= 2 (p/e)^(p/2)",
        p * log(p / (sympy.E * sqrt(p))) + p / 2,
        p / 2 * log(p / sympy.E),
    )
    yield identity(
        "(1 + e^u)/2 = e^(u/2) cosh(u/2), at most e^(u/2 + u^2/8)",
        (1 + exp(u)) / 2,
        (exp(u / 2) * sympy.cosh(u / 2)).rewrite(exp),
    )
    yield identity(
        "the logarithm of F is at most log(p)/2 + u/8 - u^2/4",
        (1 / u - 2) * (u / 2 + u**2 / 8) + u + log(w) / 2 - sympy.Rational(1, 2),
        log(w) / 2 + u / 8 - u**2 / 4,
    )
    c = sympy.Symbol("c", nonnegative=True)
    small = 1 / (1 + c)
    yield nonnegative(
        "1 - u/4 <= e^(-u/4), so e^(u/4) <= 1/(1 - u/4) <= 1 + u/2 for u = 1/(1 + c)",
        (1 + small / 2) * (1 - small / 4) - 1,
        [small, 1 + 2 * c, small, sympy.Rational(1, 8)],
    )
    yield identity(
        "p (1 + u/2) = (n + 5/2) log 2",
        (n + 2) * log(2) * (1 + 1 / (2 * (n + 2))),
        (n + sympy.Rational(5, 2)) * log(2),
    )
    yield cases(
        "p >= 2 from n = 1 on, and 1 <= (5/2) log 2 for n = 0",
        {"3 log 2 >= 2": bool(3 * log(2) >= 2), "5 log 2 >= 2": bool(5 * log(2) >= 2)},
    )
    s = symbolic.symbols(moments.size_independent_network_bound)
    yield identity(
        "the bound is the root of (n + 5/2) log 2, times rho data / m",
        symbolic.expression(moments.size_independent_network_bound),
        sqrt((s["levels"] + sympy.Rational(5, 2)) * log(2)) * s["rho"] * s["data"] / s["m"],
    )


def _linear_node() -> Iterator[Step]:
    a, b, v, w = sympy.symbols("a b v w", real=True)
    yield nonnegative(
        "a linear node: |v a + w b|^2 <= (v^2 + w^2)(a^2 + b^2), one child after the other",
        (v**2 + w**2) * (a**2 + b**2) - (v * a + w * b) ** 2,
        [(v * b - w * a) ** 2],
    )
    yield nonnegative(
        "a layer with channels: rows of norms v and w, whose unit rows reach q + h and q, reach "
        "together v^2 (q + h)^2 + w^2 q^2, no more than the better row alone",
        sympy.expand((v**2 + w**2) * (_q + _h) ** 2 - v**2 * (_q + _h) ** 2 - w**2 * _q**2),
        [w**2, _h, 2 * _q + _h],
    )


def _relu() -> Iterator[Step]:
    """N(relu v) <= N(v)/2 + N(|v|)/2, and N(|v|)^p <= 2 N(v)^p by contraction.

    Write G(u) = max(u, 0)^p, which grows. As |a|^p = G(a) + G(-a) and -eps is distributed as eps,
    E sup |sum eps |t||^p <= 2 E sup G(sum eps |t|). There the bars are dropped from one
    coordinate after the other: with t_1 the sum over the other coordinates and t_2 = t_i, the mean
    over eps_i is the supremum over t and s of half of G(t_1 + |t_2|) + G(s_1 - |s_2|), and by the
    four cases that is at most G(t_1 + t_2) + G(s_1 - s_2) or the same with t and s exchanged.
    """
    c = sympy.Symbol("c", nonnegative=True)
    yield cases(
        "relu(c v) = c relu(v) for c >= 0: the product of the norms factors out",
        {str(v): Max(c * v, 0) == c * Max(v, 0) for v in (_p, -_p)},
    )
    yield cases(
        "relu(v) = v/2 + |v|/2",
        {str(v): sympy.expand(Max(v, 0) - v / 2 - abs(v) / 2) == 0 for v in (_p, -_p)},
    )
    yield cases(
        "|a| is the larger of a and -a, and one of max(a, 0), max(-a, 0) is zero",
        {
            str(v): Max(v, 0) + Max(-v, 0) == abs(v) and Max(v, 0) * Max(-v, 0) == 0
            for v in (_p, -_p)
        },
    )
    yield cases("the four cases of signs of t_2 and s_2, for any G that grows", _two_points())
    yield cases(
        "the contraction, counted out for p = 2, 4 on all pairs of vectors of -1, 0, 2 and triples "
        "of -2, 1",
        _counted_contraction(),
    )


def _two_points() -> dict[str, bool]:
    """G(t + |t_2|) + G(s - |s_2|) plus gains of a growing G is one of the two expressions."""
    G = sympy.Function("G")
    t, s = sympy.symbols("t_1 s_1", real=True)

    def grows(u: Any, h: Any) -> Any:
        return G(u + h) - G(u)

    # For t_2, s_2: whether t and s change places, and the gain.
    places = {
        (_p, _q): (False, 0),
        (_p, -_q): (False, grows(s - _q, 2 * _q)),
        (-_p, _q): (True, grows(s - _q, 2 * _q)),
        (-_p, -_q): (True, 0),
    }
    checks = {}
    for (t_2, s_2), (exchanged, gain) in places.items():
        left = G(t + abs(t_2)) + G(s - abs(s_2))
        own, other = G(t + t_2) + G(s - s_2), G(s + s_2) + G(t - t_2)
        checks[f"t_2 = {t_2}, s_2 = {s_2}"] = (
            sympy.expand((other if exchanged else own) - left - gain) == 0
        )
    return checks


def _counted_contraction() -> dict[str, bool]:
    pairs = combinations(product((-1, 0, 2), repeat=2), 2)
    triples = combinations(product((-2, 1), repeat=3), 3)
    checks = {}
    for vectors in (*pairs, *triples):
        sizes = [[abs(x) for x in t] for t in vectors]
        for p in (2, 4):
            checks[f"{vectors}, {p}"] = _sup_power(sizes, p) <= 2 * _sup_power(vectors, p)
    return checks


def _sup_power(vectors: Any, p: int) -> int:
    """Sum over all signs of sup |sum eps t|^p."""
    return sum(
        max(abs(sum(e * x for e, x in zip(eps, t, strict=True))) ** p for t in vectors)
        for eps in product((1, -1), repeat=len(vectors[0]))
    )


def _inputs() -> Iterator[Step]:
    """E (sum eps x)^(2k) <= (2k-1)!! (sum x^2)^k, by induction over the samples.

    With one sample more E (s + eps x)^(2k) is the sum over j of binom(2k, 2j) E s^(2k-2j) x^(2j),
    and (2k-1)!! (A + x^2)^k that of binom(k, j) (2k-1)!! A^(k-j) x^(2j).
    """
    j, rest = _j, sympy.Symbol("r", integer=True, nonnegative=True)
    k = j + rest

    def odd(n: Any) -> Any:
        return sympy.factorial(2 * n) / (2**n * sympy.factorial(n))

    def binomial(n: Any, i: Any) -> Any:
        return sympy.factorial(n) / (sympy.factorial(i) * sympy.factorial(n - i))

    yield identity(
        "binom(2k, 2j) (2k-2j-1)!! (2j-1)!! = binom(k, j) (2k-1)!!, k = j + r",
        binomial(2 * k, 2 * j) * odd(rest) * odd(j),
        binomial(k, j) * odd(k),
    )
    yield cases(
        "(2k)!/(2^k k!) is the product of the odd numbers up to 2k - 1, at least 1",
        {f"k = {n}": odd(n + 1) == (2 * n + 1) * odd(n) and odd(n) >= 1 for n in range(12)},
    )
    yield identity(
        "(2k+1)!! = (2k+1) (2k-1)!!: (2k)! gains two factors, 2^k and k! one each",
        (2 * _k + 2) * (2 * _k + 1) / (2 * (_k + 1)),
        2 * _k + 1,
    )
    x, s = sympy.symbols("x s", real=True)
    yield cases(
        "the odd powers of the new sign cancel",
        {
            f"2k = {n}": sympy.expand(
                ((s + x) ** n + (s - x) ** n) / 2
                - sum(
                    sympy.binomial(n, 2 * i) * s ** (n - 2 * i) * x ** (2 * i)
                    for i in range(n // 2 + 1)
                )
            )
            == 0
            for n in (2, 4, 6, 8)
        },
    )
    yield cases(
        "the constant is the 2k-th root of (2k-1)!!",
        {
            f"k = {n}": sympy.simplify(
                moments.khintchine_constant(symbolic, sympy.Integer(n)) ** (2 * n)
                - sympy.factorial2(2 * n - 1)
            )
            == 0
            for n in range(1, 9)
        },
    )
    yield identity(
        "2^(k+1) Gamma(k + 3/2) = (2k + 1) 2^k Gamma(k + 1/2): the same recursion",
        sympy.expand_func(2 ** (_k + 1) * sympy.gamma(_k + 1 + sympy.Rational(1, 2))),
        (2 * _k + 1) * 2**_k * sympy.gamma(_k + sympy.Rational(1, 2)),
    )


def _together() -> Iterator[Step]:
    s = symbolic.symbols(moments.moment_network_bound)
    k, n = s["k"], s["levels"]
    ratio = sympy.gamma(k + sympy.Rational(1, 2)) / sqrt(sympy.pi)
    constant = sqrt(2) * ratio ** (1 / (2 * k))
    yield identity(
        "n levels of ReLU and the inputs give the bound, p = 2k",
        symbolic.expression(moments.moment_network_bound),
        ((1 + 2 ** (1 / (2 * k))) / 2) ** n * constant * s["rho"] * s["data"] / s["m"],
    )
    yield identity(
        "a level more is a factor more",
        ((1 + 2 ** (1 / (2 * k))) / 2) ** (n + 1),
        ((1 + 2 ** (1 / (2 * k))) / 2) ** n * (1 + 2 ** (1 / (2 * k))) / 2,
    )
