"""Which dimension K classes of a given margin need: `gnc:remark-dimension`.

Let D(K, rho) be the least d in which K unit vectors can have one-vs-rest distances of at least
rho. The optimum grows with d (a code stays a code in more dimensions), so every upper bound on it
below rho excludes a dimension and all smaller ones, and every lower bound of at least rho admits
one and all larger ones.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.caps import doubled_share
from ncbounds.arithmetic.formula import (
    PRECISIONS,
    Condition,
    algorithm,
    formula,
    integer,
    positive,
    proportion,
)
from ncbounds.theory.softmax_code.code_bounds import proved_lower, proved_upper
from ncbounds.theory.softmax_code.gamma_bounds import (
    code_claim,
    code_margin,
    proved_optimum,
    sharp_lower,
)
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

_K = integer("K", "number of classes", "K", at_least=2)
_RHO = positive("rho", "margin, a one-vs-rest distance", r"\rho")
_POSSIBLE = Condition("rho <= K/(K-1)", lambda xp, K, rho, **_: K - rho * (K - 1), strict=False)


@formula(_K, _RHO)
def printed_dimension(xp: Any, K: Any, rho: Any) -> Any:
    """What the least dimension is said to be of the order of."""
    return xp.log(K * K / rho)


@formula(_K, _RHO, conditions=(_POSSIBLE,))
def necessary_dimension(xp: Any, K: Any, rho: Any) -> Any:
    """Lower bound on the least dimension, by packing caps."""
    return 1 + 2 * xp.log(3 * K / 8) / xp.log(3 / rho)


@formula(_K, proportion("rho", "margin, a one-vs-rest distance", r"\rho", one_included=False))
def sufficient_dimension(xp: Any, K: Any, rho: Any) -> Any:
    """A dimension that suffices, by a greedy code; from 2 on, rounded up."""
    return 1 - 2 * xp.log((K - 1) / 2) / xp.log1p(-(1 - rho) * (1 - rho))


# -- certified integers ---------------------------------------------------------------------------


@algorithm(_K, _RHO, conditions=(_POSSIBLE,), whole=True)
def least_dimension_lower(K: Fraction, rho: Fraction) -> flint.arb:
    """The least dimension is at least this: all smaller ones are excluded by caps or moments."""
    return flint.arb(_first(lambda d: not is_excluded(d, int(K), rho), int(K), rho))


@algorithm(_K, _RHO, conditions=(_POSSIBLE,), whole=True)
def least_dimension_upper(K: Fraction, rho: Fraction) -> flint.arb:
    """The least dimension is at most this: a known optimum or a greedy code attains the margin."""
    return flint.arb(_first(lambda d: is_attained(d, int(K), rho), int(K), rho))


def is_excluded(d: int, K: int, rho: Fraction) -> bool:
    """Tell whether K unit vectors in R^d certainly have no distances of at least rho."""
    if d + 1 >= K:
        return rho > Fraction(K, K - 1)
    if rho > 1 or d == 1:
        return rho > int(d > 1)
    product = 1 - rho
    square = 1 - d * product * product
    if square > 0 and K * square > d * rho * (2 + (d + 1) * product):
        return True
    return _certainly(lambda: doubled_share(d, balls.ball(rho / 2)) - balls.ball(Fraction(2, K)))


def is_attained(d: int, K: int, rho: Fraction) -> bool:
    """Tell whether K unit vectors in R^d certainly can have distances of at least rho."""
    if d + 1 >= K:
        return rho <= Fraction(K, K - 1)
    if 2 * d >= K or rho > 1 or d == 1:
        return rho <= int(d > 1)
    if (d, K) == (2, 6):
        return rho <= Fraction(1, 2)
    if d == 2:
        return _certainly(lambda: 1 - flint.arb(flint.fmpq(2, K)).cos_pi() - balls.ball(rho))
    cosine = balls.ball((1 - rho) ** 2)
    return _certainly(lambda: balls.ball(Fraction(2, K - 1)) - doubled_share(d, cosine, True))


def _first(holds: Callable[[int], bool], K: int, rho: Fraction) -> int:
    """The least d found by bisection from which on `holds`; K/2 suffices, and K - 1 beyond 1."""
    if rho > 1 or K == 2:
        return K - 1
    low, high = 1, (K + 1) // 2  # K >= 3: it fails at 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _certainly(margin: Callable[[], Any]) -> bool:
    """Tell whether a number is certainly positive; what no precision decides is not."""
    for bits in PRECISIONS:
        with balls.precision(bits):
            gap = margin()
            if gap > 0 or gap <= 0:
                return bool(gap > 0)
    return False


# -- claims ---------------------------------------------------------------------------------------


def grows_as_printed(xp: Any, *, K: Any, d: Any, share: Any) -> Judgement:
    """Where K classes of margin rho are possible, d is at least a quarter of log(K^2/rho).

    The margin is a share of the one that a greedy code is known to have.
    """
    rho = share * sharp_lower(xp, d=d, K=K)
    return Judgement(
        (),
        (Comparison("dimension", printed_dimension(xp, K=K, rho=rho) / 4, d),),
    )


def suffices_as_printed(xp: Any, *, K: Any, d: Any, rho: Any) -> Judgement:
    """Where d is at least 2 log(K^2/rho), it is not excluded by the second moments."""
    return Judgement(
        (Comparison("dimension", 2 * printed_dimension(xp, K=K, rho=rho), d),),
        (Comparison("possible", d * (K - 2) * rho, (d - 1) * K),),
    )


def power_margin(xp: Any, d: Any, share: Any) -> Any:
    """The margin rho <= 1 with ``(rho (2 - rho))^((d-1)/2) = share``, 1 for larger shares."""
    square = xp.minimum(share ** (2 / (d - 1)), 0 * d + 1)
    return square / (1 + xp.sqrt(1 - square))


def dimension_claim(xp: Any, *, w: Any, h: Any) -> Judgement:
    """A margin that is attained needs a dimension; a margin that one suffices for is possible."""
    number, dimension = w.shape[1], w.shape[2]
    margin = code_margin(xp, w, h)
    d, K = 0 * margin + dimension, 0 * margin + number
    power = 1 + 0 * margin
    for _ in range(dimension - 1):
        power = power * xp.maximum(margin, 0 * margin) / 3
    optimum = proved_optimum(xp, d, K, (dimension, number))
    return Judgement(
        (),
        (
            Comparison("necessary", 9 * K * K * power, 64 + 0 * margin),
            Comparison("sufficient", power_margin(xp, d, 2 / (K - 1)), optimum),
        ),
    )


def fixed_margin_claim(xp: Any, *, w: Any, h: Any) -> Judgement:
    """For margins below 1 the dimension is of the order of log K, constants depending on rho."""
    number, dimension = w.shape[1], w.shape[2]
    margin = code_margin(xp, w, h)
    d, K = 0 * margin + dimension, 0 * margin + number
    below_one = xp.minimum(xp.maximum(margin, 0 * margin), 1 + 0 * margin)
    power = 1 + 0 * margin
    for _ in range(dimension):
        power = power * below_one / 3
    optimum = proved_optimum(xp, d, K, (dimension, number))
    return Judgement(
        (),
        (
            Comparison("necessary", K * power, 1 + 0 * margin),
            Comparison("sufficient", power_margin(xp, d, 1 / K), optimum),
        ),
    )


_NUMBERS = (Field("K", (), "integer", least=3), Field("d", (), "integer", least=2))
_CODE = (Field("w", ("K", "d")), Field("h", ("K", "d"), like="w"))
_SIZES = {"d": (2, 8), "K": (2, 16)}
_QUANTITY = "least feature dimension"
_EXPLICIT = (
    r"If unit vectors $w_1, \dots, w_K$ of $\mathbb R^d$, $d \ge 2$, have one-vs-rest distances "
    r"of at least $\rho > 0$, then $d \ge 1 + \frac{2 \ln(3K/8)}{\ln(3/\rho)}$ (written "
    r"$K^2 (\rho/3)^{d-1} \le \frac{64}9$); and for $\rho < 1$ there are such vectors in every "
    r"dimension $d \ge 1 + \frac{2 \ln((K-1)/2)}{\ln(1/(\rho (2-\rho)))}$, $d \ge 2$."
)

REMARK_DIMENSION = Statement(
    id="gnc:remark-dimension",
    kind="remark",
    title="Minimal feature dimension for K classes of margin rho",
    source=Source("gnc", "after Theorem 3.9"),
    topic="dimension",
    variants=(
        Variant(
            "printed",
            "for all K and rho, at least a quarter",
            r"The minimal feature dimension for $K$ classes of margin $\rho$ is at least "
            r"$\frac14 \log(K^2/\rho)$.",
            Claim(grows_as_printed, (*_NUMBERS, Field("share", (), "proportion"))),
            (Bound(_QUANTITY, printed_dimension, "value"),),
            defect="The dependence on rho is the wrong way round: small margins are easy. Three "
            "classes fit into the plane with any margin up to 3/2, while log(9/rho) grows without "
            "limit as rho vanishes; so no constant in place of 1/4 helps. Solving (13) for d gives "
            "log(K^2) over log(1/rho), not log(K^2/rho).",
        ),
        Variant(
            "printed",
            "for all K and rho, at most twice",
            r"Every dimension $d \ge 2 \log(K^2/\rho)$ suffices for $K$ classes of margin $\rho$.",
            Claim(
                suffices_as_printed,
                # Below d = 5 nothing is said: 2 log(K^2/rho) > 2 log 9 > 4.
                (
                    Field("K", (), "integer", least=3),
                    Field("d", (), "integer", least=5),
                    Field("rho", (), "proportion"),
                ),
            ),
            defect="Margins near 1 need far more: the margin 1 needs d >= K/2, and 1 - epsilon "
            "with epsilon below (K - 2d)/(d (K - 2)) is not possible in dimension d. No constant "
            "in place of 2 helps.",
        ),
        Variant(
            "printed",
            "for each fixed rho < 1, order of log K",
            r"For fixed $\rho < 1$ the minimal feature dimension is of the order of $\log K$: "
            r"it is at least $\ln K/\ln(3/\rho)$ (written $K (\rho/3)^d \le 1$), and every "
            r"$d \ge 2$ with $d \ge 1 + \frac{2 \ln K}{\ln(1/(\rho (2-\rho)))}$ suffices.",
            Claim(fixed_margin_claim, _CODE, _SIZES),
            remark="True in this reading, with constants that depend on rho.",
        ),
        Variant(
            "corrected",
            "log(K^2) over log(1/rho)",
            _EXPLICIT,
            Claim(dimension_claim, _CODE, _SIZES),
            (
                Bound(_QUANTITY, necessary_dimension, "lower", 1),
                Bound(_QUANTITY, sufficient_dimension, "upper"),
            ),
            remark="As rho vanishes the two sides are 2 ln K/ln(1/rho) up to a constant factor "
            "that tends to 1. For rho = 1 - epsilon the greedy code needs about "
            "2 ln(K)/epsilon^2 dimensions, never more than K/2 (the cross-polytope); by the third "
            "moments d >= 1/(2 epsilon^2) where K >= 6 d^(3/2), so the price is quadratic up to "
            "log K. A margin above 1 needs K - 1 dimensions and is at most K/(K-1).",
        ),
        Variant(
            "sharp",
            "certified integers",
            r"With $L(d, K) \le \max_W \rho(W) \le U(d, K)$ as in `gnc:sharp-3` and "
            r"`gnc:sharp-4` (L the optimum where it is known): the least dimension is more "
            r"than every $d$ with $U(d, K) < \rho$, and at most every $d$ with $L(d, K) \ge \rho$.",
            Claim(code_claim(proved_lower, proved_upper), _CODE, _SIZES),
            (
                Bound(_QUANTITY, least_dimension_lower, "lower", 1),
                Bound(_QUANTITY, least_dimension_upper, "upper"),
            ),
            remark="Both are integers; where they agree, that is the least dimension.",
        ),
    ),
)

STATEMENTS = (REMARK_DIMENSION,)
