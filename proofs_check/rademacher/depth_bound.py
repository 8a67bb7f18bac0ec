"""Proofs of the error bounds with the depth, for dense networks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import sympy
from sympy import log

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.rademacher import depth_bound
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT, LOGARITHM
from proofs_check.rademacher.error_bound import UNIFORM_DEVIATIONS, UNION
from proofs_check.rademacher.moments import SIZE_INDEPENDENT, moment_peeling, size_independent
from proofs_check.steps import (
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

Sides = dict[str, tuple[Any, Any]]


@proof(
    "square:eq-16",
    "printed",
    "as a bound of its own",
    UNIFORM_DEVIATIONS,
    UNION,
    LOGARITHM,
    *SIZE_INDEPENDENT,
)
def as_a_bound(claim: Claim) -> Iterator[Step]:
    """What (16) lacks under the root it has in the factor of the depth, which is 1/2 more.

    By sqrt(a + b) <= sqrt(a) + sqrt(b) the sharp second term is at most the sum of
    (log((rho+2)^2)/2)^(1/2) <= (rho+1)^(1/2) <= rho + 1 and (log(1/delta)/2)^(1/2), over N^(1/2).
    """
    rho, a, b, n, ell = sympy.symbols("rho a b n ell", nonnegative=True)
    yield nonnegative("(sqrt a + sqrt b)^2 >= a + b", (a + b) ** 2 - (a**2 + b**2), [2, a, b])
    yield nonnegative(
        "(rho+1)(rho+2) <= (rho+2)^2", (rho + 2) ** 2 - (rho + 1) * (rho + 2), [rho + 2]
    )
    yield identity("log((rho+2)^2)/2 = log(1 + (rho+1))", log((rho + 2) ** 2) / 2, log(1 + rho + 1))
    yield nonnegative("rho + 1 <= (rho+1)^2", (rho + 1) ** 2 - (rho + 1), [rho, rho + 1])
    yield nonnegative(
        "2 (1+u)^2/delta >= 1/delta for u = log(rho) >= 0, so three of these roots are more",
        2 * (1 + a) ** 2 - 1,
        [1 + 4 * a + 2 * a**2],
    )
    yield nonnegative(
        "(1/2 + b)^2 >= (L + 3/2) ell for ell = log 2, b^2 = 2 ell L, L = n + 1, b = a + ell",
        sympy.Rational(1, 4) + a + ell + 2 * ell * (n + 1) - (n + sympy.Rational(5, 2)) * ell,
        [sympy.Rational(1, 4) + a + n * ell + ell / 2],
    )
    yield nonnegative(
        "b >= ell: b^2 - ell^2 >= ell (2 - ell), 2 - ell = a", ell * 2 - ell * (2 - a), [ell, a]
    )
    yield cases("log 2 <= 2", {"": bool(log(2) <= 2)})
    yield assumes(
        claim, above="nonnegative", L="integer >= 1", N="integer >= 1", delta="proportion"
    )

    def sides(above: Any, L: Any, N: Any, delta: Any) -> Sides:
        rho, L, N, delta = 1 + number(above), number(L), number(N), number(delta)
        first = 2 * balls.ball(rho + 1) / balls.sqrt(balls.ball(N))
        log_two = balls.log(balls.ball(2))
        sharp = first * balls.sqrt(balls.ball(L + Fraction(3, 2)) * log_two)
        printed = first * (1 + balls.sqrt(2 * log_two * balls.ball(L)))
        inner = balls.log(balls.ball(rho)) + 1
        return {
            "(16)": (
                sharp + _spread((rho + 1) * (rho + 2) / delta, N),
                printed + 3 * _spread(2 * inner * inner / balls.ball(delta), N),
            ),
        }

    instances = [point(above=a, L=2, N=50, delta="1/20") for a in (0, 1, "7/2", 1000)]
    yield tie("the claim compares these", claim, instances, sides)


def _larger_factor() -> Iterator[Step]:
    """(L + 3/2) log 2 <= (1 + (2 log(2) L)^(1/2))^2."""
    n, b, ell, rest = sympy.symbols("n b ell rest", nonnegative=True)
    yield cases("rest = 1 - log(2)/2 is positive", {"log 2 < 2": bool(log(2) < 2)})
    yield nonnegative(
        "(1 + b)^2 less (L + 3/2) ell for ell = log 2, b^2 = 2 ell L, L = n + 1, 1 = rest + ell/2",
        rest + ell / 2 + 2 * b + 2 * ell * (n + 1) - (n + sympy.Rational(5, 2)) * ell,
        [rest + 2 * b + n * ell],
    )


@proof(
    "square:eq-16",
    "corrected",
    "with the complexity of dense networks",
    INNER_PRODUCT,
    *SIZE_INDEPENDENT,
)
def dense_networks(claim: Claim) -> Iterator[Step]:
    """A dense layer is one patch; |X| <= N^(1/2) where inputs have norm at most 1."""
    yield from moment_peeling()
    yield from size_independent()
    yield from _larger_factor()
    r, x, m = sympy.symbols("r x m", nonnegative=True)
    yield nonnegative(
        "each squared norm is at most the largest, so |X|/m <= radius/m^(1/2)",
        (r + x) ** 2 - r**2,
        [x, x + 2 * r],
    )
    yield identity("m^(1/2)/m = 1/m^(1/2)", sympy.sqrt(m) / m, 1 / sympy.sqrt(m))
    yield cases(
        "|relu(v)| <= |v|: no layer of norm 1 lengthens",
        {str(v): bool(sympy.Max(v, 0) <= abs(v)) for v in (r, -r)},
    )
    s = symbolic.symbols(depth_bound.corrected_depth_bound)
    yield identity(
        "(16) as (12) gives it",
        symbolic.expression(depth_bound.corrected_depth_bound),
        2 * (s["rho"] + 1) * (sympy.sqrt(2 * log(2) * s["L"]) + 1) / sympy.sqrt(s["N"])
        + 3 * sympy.sqrt(log(2 * (s["rho"] + 1) ** 2 / s["delta"]) / (2 * s["N"])),
    )
    yield assumes(claim, samples="real", hidden="real", readout="real", k="integer >= 1")
    yield tie("the claim compares these", claim, _NETWORKS, _dense_sides)


@proof(
    "square:eq-16",
    "sharp",
    "moments and the expected complexity",
    UNIFORM_DEVIATIONS,
    UNION,
    LOGARITHM,
    *SIZE_INDEPENDENT,
)
def shells(claim: Claim) -> Iterator[Step]:
    """Shells [t, t+1] and [2^t, 2^(t+1)], t = 0, 1, 2, ..., with shares delta/((t+1)(t+2))."""
    yield from moment_peeling()
    yield from size_independent()
    t, x = sympy.symbols("t x", nonnegative=True)
    n = sympy.Symbol("n", integer=True, nonnegative=True)
    yield identity(
        "the shares from t = 0 to n add up to delta (1 - 1/(n+2))",
        sympy.summation(1 / ((n + 1) * (n + 2)), (n, 0, n)),
        1 - 1 / (n + 2),
    )
    yield nonnegative(
        "(t+1)(t+2) <= (rho+1)(rho+2) for rho = t + x",
        (t + x + 1) * (t + x + 2) - (t + 1) * (t + 2),
        [x, 2 * t + 3 + x],
    )
    yield nonnegative(
        "2^(t+1) <= 2 rho for rho = 2^t (1 + x)", 2 * 2**t * (1 + x) - 2 ** (t + 1), [2, 2**t, x]
    )
    yield cases("log_2 rho >= t: the second factor too", {"log(1 + x) >= 0 at x = 0": log(1) == 0})
    yield assumes(
        claim,
        t="integer >= 0",
        offset="proportion",
        L="integer >= 1",
        N="integer >= 1",
        delta="proportion",
    )

    def sides(t: Any, offset: Any, L: Any, N: Any, delta: Any) -> Sides:
        t, offset, L, N, delta = map(number, (t, offset, L, N, delta))
        log_two = balls.log(balls.ball(2))
        factor = balls.sqrt(balls.ball(L + Fraction(3, 2)) * log_two / balls.ball(N))
        rho, small = t + offset, min(t, Fraction(64))
        scale = 2 ** int(small)
        scales = balls.log(balls.ball(scale * (1 + offset))) / log_two
        return {
            "shares": (balls.ball(delta / ((t + 1) * (t + 2))),) * 2,
            "t <= rho <= t + 1": (
                2 * balls.ball(t + 1) * factor + _spread((t + 1) * (t + 2) / delta, N),
                2 * balls.ball(rho + 1) * factor + _spread((rho + 1) * (rho + 2) / delta, N),
            ),
            "2^t <= rho <= 2^(t+1)": (
                4 * scale * factor + _spread((small + 1) * (small + 2) / delta, N),
                4 * balls.ball(scale * (1 + offset)) * factor
                + _spread((scales + 1) * (scales + 2) / balls.ball(delta), N),
            ),
        }

    instances = [
        point(t=t, offset=x, L=L, N=40, delta="1/20")
        for t, x, L in ((0, "1/2", 1), (1, "1/3", 4), (7, "2/3", 9), (100, "1/7", 2))
    ]
    yield tie("the claim compares these", claim, instances, sides, ("shares",))


# -- the claims' own sides on exact instances -----------------------------------------------------


def _spread(argument: Any, N: Any) -> Any:
    return balls.sqrt(balls.log(balls.ball(argument)) / (2 * balls.ball(N)))


def _network(m: int, d: int, layers: int, k: int) -> dict[str, Any]:
    S = 2 ** (m - 1)
    return point(
        samples=[[(5 * i + 3 * j + 2) % 9 - 4 for j in range(d)] for i in range(m)],
        hidden=[
            [
                [
                    [Fraction(3 * ((3 * s + 2 * a + i + 4 * j) % 7) - 7, 3) for j in range(d)]
                    for i in range(d)
                ]
                for a in range(layers)
            ]
            for s in range(S)
        ],
        readout=[[(2 * s + j) % 3 + 1 for j in range(d)] for s in range(S)],
        k=k,
    )


_NETWORKS = [
    _network(m, d, layers, 1 + i % 3)
    for i, (m, d, layers) in enumerate(product((1, 2, 3), (1, 2), (1, 2)))
]


def _output(x: Any, hidden: Any, readout: Any) -> tuple[Any, Fraction]:
    """The output with weights as long as they are, and the product of their squared norms."""
    square = Fraction(sum(w * w for w in readout))
    for weights in hidden:
        x = [max(sum(w * v for w, v in zip(row, x, strict=True)), 0) for row in weights]
        square *= sum(w * w for row in weights for w in row)
    return sum(w * v for w, v in zip(readout, x, strict=True)), square


def _dense_sides(samples: Any, hidden: Any, readout: Any, k: Any) -> Sides:
    m, n, order = len(samples), len(hidden[0]), 2 * int(number(k))
    attained = balls.ball(0)
    for turned, signs in enumerate(product((1, -1), repeat=m)):
        network = min(turned, 2**m - 1 - turned)
        found = [_output(x, hidden[network], readout[network]) for x in samples]
        total = sum(e * value for e, (value, _) in zip(signs, found, strict=True))
        attained += balls.ball(Fraction(abs(total))) / balls.sqrt(balls.ball(found[0][1]))
    attained = attained / 2**m / m
    value, square = _output(samples[0], hidden[0], readout[0])
    lengths = [Fraction(sum(t * t for t in x)) for x in samples]
    data = balls.sqrt(balls.ball(sum(lengths, Fraction(0)))) / m
    log_two = balls.log(balls.ball(2))
    level = (1 + balls.root(balls.ball(2), order)) / 2
    odd = balls.root(balls.ball(prod(range(1, order, 2))), order)
    radius = balls.sqrt(balls.ball(max(lengths) / m))
    return {
        "size of the output": (
            balls.ball(Fraction(abs(value))) / balls.sqrt(balls.ball(square)),
            balls.sqrt(balls.ball(lengths[0])),
        ),
        "moments of order 2k": (attained, level**n * odd * data),
        "size-independent": (attained, balls.sqrt((2 * n + 5) * log_two / 2) * data),
        "Theorem 1 of [51]": (attained, (1 + balls.sqrt(2 * (n + 1) * log_two)) * radius),
    }
