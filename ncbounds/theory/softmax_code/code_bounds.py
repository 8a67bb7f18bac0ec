"""Bounds on the largest one-vs-rest distance of K unit vectors in dimension d, sharper than (13).

The largest distance is 1 - t, t the least possible largest inner product of K unit vectors. What
bounds spherical codes therefore bounds it: measuring caps exactly, and polynomials whose sums over
the inner products of a code have a sign (Rankin's bounds, and ours from the third moments).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flint

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.caps import squares_of_share
from ncbounds.arithmetic.formula import Condition, algorithm, formula, integer
from ncbounds.theory.softmax_code.gamma_bounds import code_claim, code_margin, simplex_bound
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

_LINE = integer("d", "feature dimension", "d", at_least=1)
_D = integer("d", "feature dimension", "d", at_least=2)
_K = integer("K", "number of classes", "K", at_least=2)
_DISTANCE = "optimal one-vs-rest distance"


# -- caps -----------------------------------------------------------------------------------------


@algorithm(_D, _K)
def cap_lower(d: Fraction, K: Fraction) -> flint.arb:
    """Lower bound by a greedy code: 1 - cos of the radius at which K - 1 caps fill the sphere."""
    if K == 2:
        return flint.arb(2)
    sine, cosine = squares_of_share(int(d), 2 / (K - 1))
    return sine / (1 + cosine.sqrt())


@algorithm(_D, _K)
def cap_upper(d: Fraction, K: Fraction) -> flint.arb:
    """Upper bound by packing: 1 - cos of twice the radius at which K caps fill the sphere."""
    return 2 * squares_of_share(int(d), 2 / K)[0]


# -- moments --------------------------------------------------------------------------------------


@algorithm(_LINE, _K)
def rankin_upper(d: Fraction, K: Fraction) -> flint.arb:
    """Rankin's upper bound: K/(K-1) for K at most d + 1, and 1 beyond."""
    return balls.ball(K / (K - 1)) if d + 1 >= K else flint.arb(1)


@algorithm(_LINE, _K)
def moment_upper(d: Fraction, K: Fraction) -> flint.arb:
    """Upper bound by the first three moments: Rankin's up to K = 2d, and 1 - s beyond."""
    if max(2 * d, d + 1) >= K:
        return rankin_upper.body(d, K)
    return flint.arb(1) - third_moment_root(balls, balls.ball(d), balls.ball(K))


_THREE = integer("K", "number of classes", "K", at_least=3)


@formula(_LINE, _THREE)
def second_moment_upper(xp: Any, d: Any, K: Any) -> Any:
    """Upper bound by the first two moments."""
    return (1 - 1 / d) * K / (K - 2)


def third_moment_root(xp: Any, d: Any, K: Any) -> Any:
    """The inner product s >= 0 with d (K-d-1) s^2 + d (d-1) s = K - 2d, for K > 2d."""
    linear, excess = d * (d - 1), K - 2 * d
    return 2 * excess / (linear + xp.sqrt(linear * linear + 4 * d * (K - d - 1) * excess))


_BEYOND = Condition("K > 2d", lambda xp, d, K, **_: K - 2 * d)


@formula(_D, _THREE, conditions=(_BEYOND,))
def third_moment_upper(xp: Any, d: Any, K: Any) -> Any:
    """Upper bound by the first three moments, for K > 2d."""
    return 1 - third_moment_root(xp, d, K)


def moment_claim(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The margin of a code is at most what its moments allow."""
    margin = code_margin(xp, w, h)
    d, K = 0 * margin + w.shape[2], 0 * margin + w.shape[1]
    return Judgement(
        (),
        (
            Comparison("upper side", margin, moment_upper(xp, d=d, K=K)),
            Comparison("second moments", d * (K - 2) * margin, (d - 1) * K),
        ),
    )


# -- the best that is proved ----------------------------------------------------------------------


@algorithm(_LINE, _K)
def proved_upper(d: Fraction, K: Fraction) -> flint.arb:
    """Best upper bound proved here: by caps or by moments."""
    if d == 1:
        return moment_upper.body(d, K)
    return moment_upper.body(d, K).min(cap_upper.body(d, K))


@algorithm(_LINE, _K)
def proved_lower(d: Fraction, K: Fraction) -> flint.arb:
    """Best lower bound proved here: simplex, cross-polytope, polygon, or a greedy code."""
    if d + 1 >= K:
        return rankin_upper.body(d, K)
    if d == 1:
        return flint.arb(0)
    if 2 * d >= K:
        return flint.arb(1)
    if d == 2:
        return 1 - flint.arb(2 / flint.fmpq(int(K))).cos_pi()
    return cap_lower.body(d, K)


# -- three dimensions -----------------------------------------------------------------------------


@formula(_THREE)
def triangle_upper(xp: Any, K: Any) -> Any:
    """Upper bound for d = 3, attained by triangulations into equilateral triangles."""
    sine = xp.sin(xp.pi * K / (6 * (K - 2)))
    return 2 - 1 / (2 * sine * sine)


def triangle_claim(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The margin of a code in three dimensions is at most Fejes Toth's bound."""
    margin = code_margin(xp, w, h)
    K = 0 * margin + w.shape[1]
    return Judgement((), (Comparison("upper side", margin, triangle_upper(xp, K=K)),))


# -- any polynomial -------------------------------------------------------------------------------


def gegenbauer_sum(xp: Any, f: Any, t: Any, d: int) -> Any:
    """``sum of f_k G_k(t)``, G_k the Gegenbauer polynomial of R^d with G_k(1) = 1.

    Shapes (B, m) and (B, K, K) to (B, K, K); f[:, k] is the coefficient of degree k.
    """
    before, now, total = 0 * t + 1, t, 0 * t
    for k in range(f.shape[1]):
        total = total + f[:, k, None, None] * before
        # (k + d - 1) G_(k+2) = (2k + d) t G_(k+1) - (k + 1) G_k
        before, now = now, ((2 * k + d) * t * now - (k + 1) * before) / (k + d - 1)
    return total


def delsarte_claim(xp: Any, *, w: Any, f: Any) -> Judgement:
    """A polynomial with Gegenbauer coefficients f >= 0, summed over the products of a code."""
    K, d = w.shape[1], w.shape[2]
    unit = w / xp.sqrt(xp.sum(w * w, axis=-1, keepdims=True))
    values = gegenbauer_sum(xp, f, xp.matmul(unit, xp.matrix_transpose(unit)), d)
    places = [(i, j) for i in range(K) for j in range(K) if i != j]
    others = xp.stack([values[:, i, j] for i, j in places], axis=1)
    at_one = xp.sum(f, axis=-1)
    return Judgement(
        (),
        (
            Comparison("sum over all pairs", K * K * f[:, 0], xp.sum(values, axis=(1, 2))),
            Comparison(
                "linear programming", K * f[:, 0], at_one + (K - 1) * xp.max(others, axis=-1)
            ),
        ),
    )


# -- the statements -------------------------------------------------------------------------------

_CODE_FIELDS = (Field("w", ("K", "d")), Field("h", ("K", "d"), like="w"))

CAPS = Statement(
    id="gnc:sharp-3",
    kind="theorem",
    title="The one-vs-rest distance of a Softmax code by measuring caps exactly",
    source=Source("gnc", "ours, for (13)"),
    topic="code_bounds",
    variants=(
        Variant(
            "sharp",
            "exact caps",
            r"For all $d, K \ge 2$, with $I$ the regularised incomplete beta function: "
            r"$1 - \sqrt{1 - y} \le \max_W \rho(W) \le 2 x$, where "
            r"$I_x(\frac{d-1}2, \frac12) = \frac2K$ and $I_y(\frac{d-1}2, \frac12) = \frac2{K-1}$ "
            r"(for $K = 2$ the lower side is 2).",
            Claim(code_claim(cap_lower, cap_upper), _CODE_FIELDS, {"d": (2, 8), "K": (2, 16)}),
            (
                Bound(_DISTANCE, cap_lower, "lower", 0),
                Bound(_DISTANCE, cap_upper, "upper", rankin_upper),
            ),
            remark="Never worse than the factor-4 sandwich, which estimates the same caps; the "
            "upper side is attained for d = 2 and for K = 2. It says less than 1 only when K is "
            "exponential in d.",
        ),
    ),
)

MOMENTS = Statement(
    id="gnc:sharp-4",
    kind="theorem",
    title="The one-vs-rest distance of a Softmax code by polynomials",
    source=Source("gnc", "ours, for (13)"),
    topic="code_bounds",
    variants=(
        Variant(
            "sharp",
            "first three moments",
            r"$\max_W \rho(W) \le \frac K{K-1}$ for $K \le d + 1$, $\le 1$ for "
            r"$d + 2 \le K \le 2d$, and $\le 1 - s$ for $K > 2d$, where "
            r"$d (K-d-1) s^2 + d (d-1) s = K - 2d$, $s > 0$. Always "
            r"$d (K-2) \rho(W) \le (d-1) K$.",
            Claim(moment_claim, _CODE_FIELDS, {"d": (1, 8), "K": (2, 16)}),
            (
                Bound(_DISTANCE, moment_upper, "upper", simplex_bound),
                Bound(_DISTANCE, second_moment_upper, "upper", rankin_upper),
            ),
            remark="Attained by simplices and cross-polytopes, and beyond by codes of two inner "
            "products: 16 points in R^5, 27 in R^6, 112 and 162 in R^21, 100 and 275 in R^22. The "
            "first two cases are Rankin's. For K >= 6 d^(3/2) it is at most 1 - 1/sqrt(2d).",
        ),
        Variant(
            "sharp",
            "Fejes Toth's bound, d = 3",
            r"For $d = 3$ and $K \ge 3$: $\max_W \rho(W) \le 2 - \frac1{2 \sin^2 \omega}$, "
            r"$\omega = \frac{\pi K}{6 (K-2)}$.",
            Claim(triangle_claim, _CODE_FIELDS, {"d": (3, 3), "K": (3, 16)}),
            (Bound(f"{_DISTANCE}, d = 3", triangle_upper, "upper", 1),),
            remark="Attained by a triangle, the tetrahedron, the octahedron and the icosahedron.",
        ),
        Variant(
            "sharp",
            "Delsarte's inequality, any polynomial",
            r"Let $f = \sum_k f_k G_k$ with $f_k \ge 0$, $G_k$ the Gegenbauer polynomials of "
            r"$\mathbb R^d$ with $G_k(1) = 1$. For all unit vectors $w_1, \dots, w_K$: "
            r"$K^2 f_0 \le \sum_{i,j} f(\langle w_i, w_j\rangle)$, hence "
            r"$K f_0 \le f(1) + (K-1) \max_{i \ne j} f(\langle w_i, w_j\rangle)$. So if "
            r"$f \le 0$ on $[-1, s]$ and $f(1) < K f_0$, then $\max_W \rho(W) < 1 - s$.",
            Claim(
                delsarte_claim,
                (Field("w", ("K", "d")), Field("f", ("m",), "nonnegative")),
                {"d": (2, 6), "K": (2, 8), "m": (1, 6)},
            ),
            remark="`ncbounds.codes.delsarte` looks for the best polynomial and keeps it as a "
            "certificate in fractions.",
        ),
    ),
)

STATEMENTS = (CAPS, MOMENTS)
