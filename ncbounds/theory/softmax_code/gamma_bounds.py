"""Softmax codes: how far each of K unit vectors can be from the hull of the others.

`gnc:theorem-3.9` bounds the largest possible one-vs-rest distance of K unit vectors in dimension
d by gamma functions. A claim about an optimum is decided from both ends: its upper side must hold
for every code and every choice of separating directions; its lower side must not exceed what is
proved to bound the optimum from above.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ncbounds.arithmetic.formula import Condition, Formula, formula, integer
from ncbounds.theory.softmax_code.midpoint import margin, unit
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Pin,
    Source,
    Statement,
    Trend,
    Variant,
)

_D = integer("d", "feature dimension", "d", at_least=2)
_K = integer("K", "number of classes", "K", at_least=2)


def typeset_threshold(xp: Any, d: Any) -> Any:
    """Least number of classes in the hypothesis, with the inner root over e d."""
    return xp.sqrt(2 * xp.pi * xp.sqrt(xp.e * d))


def intended_threshold(xp: Any, d: Any) -> Any:
    """Least number of classes in the hypothesis, with the inner root over e alone."""
    return xp.sqrt(2 * xp.pi * xp.sqrt(xp.e + 0 * d) * d)


_ENOUGH_CLASSES = Condition(
    "K >= sqrt(2 pi sqrt(e d))",
    lambda xp, d, K, **_: K - typeset_threshold(xp, d),
    strict=False,
)


@formula(_D, _K, conditions=(_ENOUGH_CLASSES,))
def printed_lower(xp: Any, d: Any, K: Any) -> Any:
    """Printed lower bound on the optimal one-vs-rest distance."""
    base = xp.sqrt(xp.pi) / K * xp.gamma_ratio((d + 1) / 2, d / 2 + 1)
    return base ** (2 / (d - 1)) / 2


@formula(_D, _K, conditions=(_ENOUGH_CLASSES,))
def printed_upper(xp: Any, d: Any, K: Any) -> Any:
    """Printed upper bound on the optimal one-vs-rest distance."""
    base = 2 * xp.sqrt(xp.pi) / K * xp.gamma_ratio((d + 1) / 2, d / 2)
    return 2 * base ** (1 / (d - 1))


@formula(_D, _K)
def sharp_lower(xp: Any, d: Any, K: Any) -> Any:
    """Lower bound on the optimal one-vs-rest distance by a greedy code."""
    base = 2 * xp.sqrt(xp.pi) / K * xp.gamma_ratio((d + 1) / 2, d / 2)
    return base ** (2 / (d - 1)) / 2


@formula(_D, _K)
def sharp_upper(xp: Any, d: Any, K: Any) -> Any:
    """Upper bound on the optimal one-vs-rest distance by packing caps."""
    base = 2 * xp.sqrt(xp.pi) / K * xp.gamma_ratio((d + 1) / 2, d / 2)
    return 2 * base ** (2 / (d - 1))


@formula(_D, _K)
def simplex_bound(xp: Any, d: Any, K: Any) -> Any:
    """The bound K/(K-1), which the mean of the others gives for any K unit vectors."""
    return K / (K - 1)


def proved_optimum(xp: Any, d: Any, K: Any, sizes: tuple[int, int]) -> Any:
    """Return what the optimal distance is, or is at most, for the dimension and number `sizes`.

    Exact for K <= d + 1 (simplex), d = 2 (polygon) and K <= 2d (cross-polytope). Beyond, the
    optimum is at most 1 and at most what packing caps allows.
    """
    dimension, number = sizes
    if number <= dimension + 1:
        return simplex_bound(xp, d=d, K=K)
    if dimension == 2:
        return 1 - xp.cos(2 * xp.pi / K)
    if number <= 2 * dimension:
        return 0 * K + 1
    return xp.minimum(0 * K + 1, sharp_upper(xp, d=d, K=K))


def code_margin(xp: Any, w: Any, h: Any) -> Any:
    """Least ``<w_k - w_j, h_k>`` over k != j for unit rows: at most the one-vs-rest distance.

    Its maximum over the directions h is the one-vs-rest distance of the code w (where positive).
    Shapes (B, K, d) and (B, K, d) to (B,).
    """
    return margin(xp, unit(xp, w), unit(xp, h))


def code_claim(lower: Any, upper: Any, threshold: Any = None) -> Any:
    """Return the claim that `lower` and `upper` enclose the optimal one-vs-rest distance."""

    def judge(xp: Any, *, w: Any, h: Any) -> Judgement:
        number, dimension = w.shape[1], w.shape[2]
        least = code_margin(xp, w, h)
        d, K = 0 * least + dimension, 0 * least + number
        hypotheses: tuple[Comparison, ...] = ()
        if threshold is not None:
            hypotheses = (Comparison("enough classes", threshold(xp, d), K),)
        optimum = proved_optimum(xp, d, K, (dimension, number))
        return Judgement(
            hypotheses,
            (
                Comparison("upper side", least, upper(xp, d=d, K=K)),
                Comparison("lower side", lower(xp, d=d, K=K), optimum),
            ),
        )

    return judge


_CODE_FIELDS = (Field("w", ("K", "d")), Field("h", ("K", "d"), like="w"))
_CODE_SIZES = {"d": (2, 8), "K": (2, 16)}


def _trends(lower: Formula, upper: Formula) -> tuple[Trend, ...]:
    """The order in K at d = 2, where the optimum is known: 1 - cos(2 pi/K)."""
    sides = (("upper side", upper, False), ("lower side", lower, True))
    return tuple(
        Trend(
            side,
            bound,
            "K",
            tuple(Fraction(K) for K in (8, 12, 16, 24, 32)),
            lambda K: Pin({"d": 2, "K": int(K)}),
            {"d": Fraction(2)},
            below,
        )
        for side, bound, below in sides
    )


_DISTANCE = "optimal one-vs-rest distance"
_THEOREM = (
    r"$\frac12\left[\frac{\sqrt\pi}{K}\frac{\Gamma(\frac{d+1}2)}{\Gamma(\frac d2+1)}\right]"
    r"^{\frac2{d-1}} \le \max_W \rho(W) \le 2\left[\frac{2\sqrt\pi}{K}"
    r"\frac{\Gamma(\frac{d+1}2)}{\Gamma(\frac d2)}\right]^{\frac1{d-1}}$ for "
)

THEOREM_3_9 = Statement(
    id="gnc:theorem-3.9",
    kind="theorem",
    title="Gamma-function bounds on the one-vs-rest distance of a Softmax code",
    source=Source("gnc", "Theorem 3.9, (13)"),
    topic="softmax_code",
    variants=(
        Variant(
            "printed",
            "K >= sqrt(2 pi sqrt(e d)), as typeset",
            _THEOREM + r"$K \ge \sqrt{2\pi\sqrt{ed}}$.",
            Claim(
                code_claim(printed_lower, printed_upper, typeset_threshold),
                _CODE_FIELDS,
                _CODE_SIZES,
            ),
            (
                Bound(_DISTANCE, printed_lower, "lower", 0),
                Bound(_DISTANCE, printed_upper, "upper", simplex_bound),
            ),
            _trends(printed_lower, printed_upper),
            remark="True, but the upper side has half the right exponent: it is vacuous unless "
            "K is exponential in d, and for d = 2 off by a factor of order K. The hypothesis on K "
            "is not needed. For d = 1 the exponents divide by zero, so d >= 2 is.",
        ),
        Variant(
            "printed",
            "K >= sqrt(2 pi sqrt(e) d)",
            _THEOREM + r"$K \ge \sqrt{2\pi\sqrt{e}\,d}$, which is what makes the bracket of the "
            "upper side at most 1, and probably what was meant.",
            Claim(
                code_claim(printed_lower, printed_upper, intended_threshold),
                _CODE_FIELDS,
                _CODE_SIZES,
            ),
        ),
        Variant(
            "sharp",
            "factor-4 sandwich",
            r"For all $d \ge 2$, $K \ge 2$, with $B = \frac{2\sqrt\pi}{K}"
            r"\frac{\Gamma(\frac{d+1}2)}{\Gamma(\frac d2)}$: "
            r"$\frac12 B^{\frac2{d-1}} \le \max_W \rho(W) \le 2 B^{\frac2{d-1}}$.",
            Claim(code_claim(sharp_lower, sharp_upper), _CODE_FIELDS, _CODE_SIZES),
            (
                Bound(_DISTANCE, sharp_lower, "lower", 0),
                Bound(_DISTANCE, sharp_upper, "upper", simplex_bound),
            ),
            _trends(sharp_lower, sharp_upper),
            remark="A factor 4 apart everywhere; better than the printed bounds on both sides "
            "wherever those say anything.",
        ),
    ),
)

STATEMENTS = (THEOREM_3_9,)
