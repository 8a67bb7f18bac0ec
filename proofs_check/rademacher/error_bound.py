"""Proofs of what is deterministic in the error bound: losses, shares, homogeneity, algebra.

That uniform deviations hold on each class with its share of failure is the theorem cited.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import Max, Min, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.rademacher import error_bound
from ncbounds.theory.terms import Claim
from proofs_check.facts import INDEPENDENT_SIGNS, LOGARITHM
from proofs_check.rademacher.definition import exact_complexities
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

UNIFORM_DEVIATIONS = Fact(
    "Uniform deviations",
    "For losses in [0, 1] and N independent samples, with probability at least 1 - delta, the "
    "expected loss of every function of the class exceeds its mean loss by at most 2 R_S + "
    "3 (log(2/delta)/(2N))^(1/2), and likewise by 2 E R_S + (log(1/delta)/(2N))^(1/2), R_S the "
    "signed complexity of the losses.",
    "Mohri, Rostamizadeh, Talwalkar, Foundations of Machine Learning, 2nd ed., Theorem 3.3 "
    "(McDiarmid's inequality and symmetrisation)",
)
UNION = Fact(
    "Union bound",
    "The probability that one of countably many events happens is at most the sum of theirs.",
    "Countable subadditivity",
)
NETWORK_SIZE = Fact(
    "Size of the output",
    "A ReLU network with product of Frobenius norms rho has |f(x)| <= rho |x|.",
    "Cauchy-Schwarz in every layer, and |relu(v)| <= |v|",
)

_FACTS = (UNIFORM_DEVIATIONS, UNION, INDEPENDENT_SIGNS, LOGARITHM)
_t, _s, _x, _R, _N = sympy.symbols("t s x R N", nonnegative=True)
_delta = sympy.Symbol("delta", positive=True)


@proof("square:theorem-3", "printed", "inputs of norm at most 1", *_FACTS, NETWORK_SIZE)
def on_the_unit_ball(claim: Claim) -> Iterator[Step]:
    """2 R_S(G_t) <= (t+1) times Definition 1 of F, half of what is printed; t(t+1) <= (rho+1)^2."""
    yield from _losses()
    yield from _class()
    n = sympy.Symbol("n", integer=True, positive=True)
    yield identity(
        "the shares from t = 1 to n add up to delta (1 - 1/(n+1))",
        sympy.summation(1 / (n * (n + 1)), (n, 1, n)),
        1 - 1 / (n + 1),
    )
    yield nonnegative(
        "t (t+1) <= (rho+1)^2 for rho = t + x",
        (_t + _x + 1) ** 2 - _t * (_t + 1),
        [_t**2 - _t**2 + _t + 2 * _t * _x + (1 + _x) ** 2],
    )
    yield identity(
        "log(2/share) = log(2 t (t+1)/delta)",
        2 / (_delta / (_t * (_t + 1))),
        2 * _t * (_t + 1) / _delta,
    )
    yield nonnegative(
        "(t+1) R <= 2 (rho+1) R for rho = t + x",
        2 * (_t + _x + 1) * _R - (_t + 1) * _R,
        [_R, _t + 1 + 2 * _x],
    )
    yield cases("t = 0 is not in the claim", {"least t": claim.fields[2].least == 1})
    yield _assumed(claim, 1)
    yield tie(
        "the claim compares these",
        claim,
        [_instance(i, 1) for i in range(6)],
        lambda **i: _sides(False, **i),
        ("shares",),
    )


@proof("square:theorem-3", "corrected", "inputs of any norm", *_FACTS)
def for_any_norm(claim: Claim) -> Iterator[Step]:
    """2 R_S(G_t) <= (rho+1) times Definition 1 of F; (t+1)(t+2) <= (rho+1)(rho+2)."""
    yield from _losses()
    yield from _class()
    n = sympy.Symbol("n", integer=True, nonnegative=True)
    yield identity(
        "the shares from t = 0 to n add up to delta (1 - 1/(n+2))",
        sympy.summation(1 / ((n + 1) * (n + 2)), (n, 0, n)),
        1 - 1 / (n + 2),
    )
    yield nonnegative(
        "(t+1)(t+2) <= (rho+1)(rho+2) for rho = t + x",
        (_t + _x + 1) * (_t + _x + 2) - (_t + 1) * (_t + 2),
        [_x, 2 * _t + 3 + _x],
    )
    yield nonnegative(
        "(t+1) R <= (rho+1) R for rho = t + x", (_t + _x + 1) * _R - (_t + 1) * _R, [_R, _x]
    )
    yield _assumed(claim, 0)
    yield tie(
        "the claim compares these",
        claim,
        [_instance(i, 0) for i in range(6)],
        lambda **i: _sides(True, **i),
        ("shares",),
    )


def _losses() -> Iterator[Step]:
    """The ramp loss is 1 on errors, 0 where f(x) = y = +-1, and falls no steeper than 1."""

    def ramp(u: Any) -> Any:
        return Min(Max(1 - u, 0), 1)

    p = sympy.Symbol("p", nonnegative=True)
    yield cases(
        "1 for margins u <= 0, 0 for u >= 1",
        {"u = -p": ramp(-p) == 1, "u = 1 + p": ramp(1 + p) == 0, "a fit": ramp(1) == 0},
    )
    inside = 1 / (1 + p)
    yield nonnegative("between 0 and 1 it is 1 - u", 1 - inside, [p, inside])
    # max(1 - u, 0) falls by at most h on the way from u to u + h, and cutting off adds nothing.
    h = sympy.Symbol("h", nonnegative=True)
    yield cases(
        "cutting off at a level does not stretch: min(a + h, 1) - min(a, 1) is h, 0 or between",
        {
            "below": Min(1, 1 - p) == 1 - p,
            "above": Min(1, 1 + p + h) - Min(1, 1 + p) == 0,
        },
    )


def _class() -> Iterator[Step]:
    """Contraction for a loss of slope 1, and G_t inside t + 1 times F.

    With phi the loss of sample i and t_1 the sum over the other samples, the mean over sigma_i is
    half of sup over t and s of (t_1 + phi(t_2)) + (s_1 - phi(s_2)), at most half of sup of
    t_1 + s_1 + |t_2 - s_2|: the same without phi, for (t, s) or for (s, t).
    """
    t_1, s_1, t_2, s_2 = sympy.symbols("t_1 s_1 t_2 s_2", real=True)
    yield cases(
        "t_1 + s_1 + |t_2 - s_2| is the larger of (t_1 + t_2) + (s_1 - s_2) and (t_1 - t_2) + "
        "(s_1 + s_2)",
        {
            sign: sympy.expand((t_1 + e * t_2) + (s_1 - e * s_2) - (t_1 + s_1 + e * (t_2 - s_2)))
            == 0
            for sign, e in (("t_2 >= s_2", 1), ("t_2 < s_2", -1))
        },
    )
    r, v = sympy.symbols("r v", nonnegative=True)
    yield nonnegative(
        "r v <= (t+1) v for r = (t+1) - x and v >= 0, the supremum with zero",
        (_t + 1) * v - (_t + 1 - _x) * v,
        [_x, v],
    )
    yield identity("half of Definition 1 is at least the signed complexity with zero", 2 * r / 2, r)


def _assumed(claim: Claim, least: int) -> Step:
    return assumes(
        claim,
        values="real",
        labels="mask",
        t=f"integer >= {least}",
        offsets="proportion",
        delta="proportion",
    )


# -- Equations (17), (18) -------------------------------------------------------------------------


@proof("square:eq-17", "printed", "bounds only", LOGARITHM)
def relative(claim: Claim) -> Iterator[Step]:
    """Both terms increase in rho."""
    a, more, A = sympy.symbols("a more A", nonnegative=True)
    yield nonnegative("A rho increases", A * (a + more) - A * a, [A, more])
    yield nonnegative(
        "so does 2 (rho + 1) R", 2 * (a + more + 1) * A - 2 * (a + 1) * A, [2, A, more]
    )
    yield nonnegative(
        "and (rho + 1)^2", (a + more + 1) ** 2 - (a + 1) ** 2, [more, more + 2 * a + 2]
    )
    s = symbolic.symbols(error_bound.printed_error_bound)
    yield identity(
        "(12) as a formula",
        symbolic.expression(error_bound.printed_error_bound),
        2 * (s["rho"] + 1) * s["R"]
        + 3 * sqrt(log(2 * (s["rho"] + 1) ** 2 / s["delta"]) / (2 * s["N"])),
    )
    yield assumes(
        claim,
        smaller="positive",
        more="positive",
        A="nonnegative",
        epsilon="nonnegative",
        R="nonnegative",
        N="integer >= 1",
        delta="proportion",
    )

    def sides(**given: Any) -> dict[str, tuple[Any, Any]]:
        of = {name: number(value) for name, value in given.items()}
        larger = of["smaller"] + of["more"]
        return {
            "(17) below (18)": (
                balls.ball(of["A"] * of["smaller"] + of["epsilon"]),
                balls.ball(of["A"] * larger + of["epsilon"]),
            ),
            "(12) for both": tuple(
                balls.ball(2 * (rho + 1) * of["R"])
                + 3 * _spread(2 * (rho + 1) ** 2 / of["delta"], of["N"])
                for rho in (of["smaller"], larger)
            ),
        }

    given = point(smaller=1, more="1/2", A=2, epsilon="1/3", R="1/5", N=50, delta="1/10")
    yield tie("the claim compares these", claim, [given], sides)


# -- the claims' own sides on exact instances -----------------------------------------------------


def _spread(argument: Any, N: Any) -> Any:
    return balls.sqrt(balls.log(balls.ball(Fraction(argument))) / (2 * balls.ball(Fraction(N))))


def _sides(
    any_norm: bool, values: Any, labels: Any, t: Any, offsets: Any, delta: Any
) -> dict[str, tuple[Any, Any]]:
    t, delta, m = number(t), number(delta), len(values[0])
    shell = [[(t + r) * v for v in row] for row, r in zip(values, offsets, strict=True)]
    margins = [[v if y else -v for v, y in zip(row, labels, strict=True)] for row in shell]
    losses = [[max(min(1 - u, Fraction(1)), Fraction(0)) for u in row] for row in margins]
    of_shell, _ = exact_complexities(shell)
    of_losses, _ = exact_complexities(losses)
    of_cone, _ = exact_complexities([*values, [Fraction(0)] * m])
    _, absolute = exact_complexities(values)
    rho = t + offsets[0]
    share = delta / ((t + 1) * (t + 2)) if any_norm else delta / (t * (t + 1))
    at_shell = balls.ball(2 * of_shell) + 3 * _spread(2 / share, m)
    R = balls.ball(2 * absolute)
    found = {
        "errors by the ramp loss": (
            balls.ball(Fraction(sum(u <= 0 for u in margins[0]), m)),
            balls.ball(sum(losses[0]) / m),
        ),
        "ramp loss of the class": (balls.ball(of_losses), balls.ball(of_shell)),
        "homogeneity": (balls.ball(of_shell), balls.ball((t + 1) * of_cone)),
        "shares": (balls.ball(share), balls.ball(share)),
    }
    if any_norm:
        room = (rho + 1) * (rho + 2) / delta
        first = balls.ball(rho + 1) * R
        found["(14) to (12)"] = (at_shell, first + 3 * _spread(2 * room, m))
        found["by the expected complexity"] = (
            balls.ball(2 * of_shell) + _spread(1 / share, m),
            first + _spread(room, m),
        )
    else:
        bound = 2 * balls.ball(rho + 1) * R + 3 * _spread(2 * (rho + 1) ** 2 / delta, m)
        found["(14) to (12)"] = (at_shell, bound)
    return found


def _instance(i: int, least: int) -> dict[str, Any]:
    H, m = 1 + i % 3, 1 + i % 4
    return point(
        values=[[Fraction((5 * h + 3 * j + i) % 7 - 3, 2) for j in range(m)] for h in range(H)],
        labels=[1 if (i + j) % 2 == 0 or j == 0 else 0 for j in range(m)],
        t=least + i,
        offsets=[Fraction(1 + h, 4) for h in range(H)],
        delta=Fraction(1, 2 + i),
    )
