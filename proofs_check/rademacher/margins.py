"""Proofs of what is deterministic in the error bound by margins.

That uniform deviations hold for each scale with its share of failure is the theorem cited, and so
is the contraction of vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, product
from typing import Any

import sympy
from sympy import log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.rademacher import margins as theory
from ncbounds.theory.terms import Claim
from proofs_check.facts import INDEPENDENT_SIGNS, LOGARITHM
from proofs_check.rademacher.definition import exact_complexities
from proofs_check.rademacher.error_bound import UNIFORM_DEVIATIONS, UNION
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

VECTOR_CONTRACTION = Fact(
    "Contraction of vectors",
    "For functions phi_i of slope at most b on R^K, E sup_f sum_i sigma_i phi_i(f(x_i)) is at most "
    "sqrt(2) b E sup_f sum_ik sigma_ik f_k(x_i).",
    "Maurer, A vector-contraction inequality for Rademacher complexities, 2016, Corollary 1",
)

_s, _x, _y, _R = sympy.symbols("s x y R", nonnegative=True)
_delta = sympy.Symbol("delta", positive=True)


@proof(
    "square:sharp-5",
    "sharp",
    "two classes",
    UNIFORM_DEVIATIONS,
    UNION,
    INDEPENDENT_SIGNS,
    LOGARITHM,
)
def chosen_margin(claim: Claim) -> Iterator[Step]:
    """The ramp of slope s lies between two counts; its class has s times the complexity."""
    yield nonnegative("it is at least 0 and at most 1 where s u <= 1", 1 - (1 - _x), [_x])
    yield cases(
        "it is 1 for s u <= 0 and 0 for s u >= 1",
        {
            "s u = -x": sympy.Min(sympy.Max(1 + _x, 0), 1) == 1,
            "s u = 1 + x": sympy.Max(-_x, 0) == 0,
        },
    )
    t_1, s_1, t_2, s_2 = sympy.symbols("t_1 s_1 t_2 s_2", real=True)
    for sign, e in (("t_2 >= s_2", 1), ("t_2 < s_2", -1)):
        yield identity(
            f"contraction, {sign}: t_1 + s_1 + s|t_2 - s_2| is a sum without the loss",
            (t_1 + e * _s * t_2) + (s_1 - e * _s * s_2),
            t_1 + s_1 + e * _s * (t_2 - s_2),
        )
    n = sympy.Symbol("n", integer=True, nonnegative=True)
    half = sympy.summation(1 / ((n + 1) * (n + 2)), (n, 0, sympy.oo))
    yield identity("1/((n+1)(n+2)) over n >= 0 adds up to 1", half, 1)
    yield identity(
        "the shares of all j, 0 counted once, add up to delta",
        sympy.Rational(2, 3) * _delta * (2 * half - sympy.Rational(1, 2)),
        _delta,
    )
    step = sympy.Symbol("step", nonnegative=True)
    yield identity(
        "2/share = 3 (|j|+1)(|j|+2)/delta",
        2 / theory.share_of_failure(step, _delta),
        3 * (step + 1) * (step + 2) / _delta,
    )
    yield nonnegative(
        "twice the signed complexity is at most that of Definition 1, 2 (R + x)",
        2 * _s * (_R + _x) - 2 * _s * _R,
        [2, _s, _x],
    )
    v = symbolic.symbols(theory.margin_error_bound)
    yield identity(
        "the bound as a formula",
        symbolic.expression(theory.margin_error_bound),
        v["share"]
        + v["scale"] * v["R"]
        + 3 * sqrt(log(3 * (v["step"] + 1) * (v["step"] + 2) / v["delta"]) / (2 * v["N"])),
    )
    yield assumes(
        claim,
        values="real",
        labels="mask",
        scale="positive",
        step="integer >= 0",
        delta="proportion",
    )
    yield tie("the claim compares these", claim, _POINTS, _sides, ("shares",))


@proof("square:sharp-5", "sharp", "more classes", VECTOR_CONTRACTION, INDEPENDENT_SIGNS)
def more_classes(claim: Claim) -> Iterator[Step]:
    """A change of the margin is at most a + b for changes a and b of two outputs."""
    yield nonnegative(
        "(a + b)^2 <= 2 (a^2 + b^2)", 2 * (_x**2 + _y**2) - (_x + _y) ** 2, [(_x - _y) ** 2]
    )
    yield identity("sqrt(2) for the contraction, sqrt(2) for the slope", sqrt(2) * sqrt(2), 2)
    a, b = sympy.symbols("a b", real=True)
    yield identity(
        "the mean over both signs of (a + b)^2 is a^2 + b^2",
        ((a + b) ** 2 + (a - b) ** 2) / 2,
        a**2 + b**2,
    )
    yield assumes(claim, outputs="real", other="real", features="real")
    yield tie("the claim compares these", claim, _OUTPUTS, _class_sides, ("rows add up",))


# -- the claims' own sides on exact instances -----------------------------------------------------


def _sides(
    values: Any, labels: Any, scale: Any, step: Any, delta: Any
) -> dict[str, tuple[Any, Any]]:
    scale, step, delta, m = number(scale), number(step), number(delta), len(values[0])
    signed = [[v if y else -v for v, y in zip(row, labels, strict=True)] for row in values]
    losses = [[max(min(1 - scale * u, Fraction(1)), Fraction(0)) for u in row] for row in signed]
    of_losses, of_class = exact_complexities(losses)[0], exact_complexities(values)[0]
    absolute = exact_complexities(values)[1]
    share = Fraction(sum(scale * u < 1 for u in signed[0]), m)
    mean_loss = sum(losses[0]) / m
    own = Fraction(2, 3) * delta / ((step + 1) * (step + 2))

    def deviation(argument: Any) -> Any:
        spread = balls.log(balls.ball(Fraction(argument))) / (2 * balls.ball(Fraction(m)))
        return 3 * balls.sqrt(spread)

    ball = balls.ball
    return {
        "errors by the ramp loss": (
            ball(Fraction(sum(u <= 0 for u in signed[0]), m)),
            ball(mean_loss),
        ),
        "ramp loss by the share": (ball(mean_loss), ball(share)),
        "ramp loss of the class": (ball(of_losses), ball(scale * of_class)),
        "shares": (ball(own), ball(own)),
        "the bound": (
            ball(mean_loss + 2 * of_losses) + deviation(2 / own),
            ball(share + scale * 2 * absolute) + deviation(3 * (step + 1) * (step + 2) / delta),
        ),
    }


def _class_sides(outputs: Any, other: Any, features: Any) -> dict[str, tuple[Any, Any]]:
    m, K = len(other), len(other[0])

    def margin(row: Any) -> Any:
        return row[0] - max(row[1:])

    of_margins = exact_complexities([[margin(row) for row in one] for one in outputs])[0]
    total = Fraction(0)
    for signs in product((1, -1), repeat=m * K):
        total += max(
            sum(e * v for e, v in zip(signs, chain.from_iterable(one), strict=True))
            for one in outputs
        )
    energy = sum(Fraction(v) ** 2 for row in features for v in row)
    change = [margin(row) - margin(less) for row, less in zip(outputs[0], other, strict=True)]
    apart = [
        sum((a - b) ** 2 for a, b in zip(row, less, strict=True))
        for row, less in zip(outputs[0], other, strict=True)
    ]
    return {
        "slope": (
            [balls.ball(c * c) for c in change],
            [balls.ball(2 * d) for d in apart],
        ),
        "vector contraction": (
            balls.ball(of_margins),
            balls.ball(2 * total / 2 ** (m * K) / m),
        ),
        "rows add up": (balls.ball(K * energy), balls.ball(K * energy)),
    }


_POINTS = [
    point(
        values=[
            [Fraction((5 * h + 3 * j + i) % 7 - 3, 2) for j in range(1 + i % 4)]
            for h in range(1 + i % 3)
        ],
        labels=[1 if (i + j) % 2 == 0 or j == 0 else 0 for j in range(1 + i % 4)],
        scale=Fraction(1 + i, 2),
        step=i,
        delta=Fraction(1, 2 + i),
    )
    for i in range(6)
]
_OUTPUTS = [
    point(
        outputs=[
            [[Fraction((3 * h + 2 * j + 5 * k + i) % 7 - 3) for k in range(K)] for j in range(m)]
            for h in range(H)
        ],
        other=[[Fraction((4 * j + 3 * k + i) % 5 - 2) for k in range(K)] for j in range(m)],
        features=[[Fraction((j + 2 * a + i) % 5 - 2, 2) for a in range(2)] for j in range(m)],
    )
    for i, (H, m, K) in enumerate([(1, 1, 2), (2, 2, 2), (2, 2, 3), (3, 1, 3)])
]
