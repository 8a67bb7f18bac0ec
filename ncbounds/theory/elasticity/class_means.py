"""The class means along the LE-ODE, and when they align with a simplex ETF: (47) of `review`.

Logits as features, m = K, constant impacts alpha and beta. With the coordinates c of the class
means at the start (see `transformation`), tau their mean and ``u`` the response to the centred c,

    F(t) = F(0) + tau (e^(lambda_1 t/K) - 1) d + u (e^(lambda_2 t/K) - 1)/lambda_2,

lambda_1 = alpha - beta and lambda_2 = alpha + beta/(K-1). The simplex d wins if lambda_1 is
positive and larger than lambda_2: if beta < 0 and alpha > beta. Which way it points is the sign of
tau.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.elasticity.drift import equation
from ncbounds.theory.elasticity.transformation import (
    coordinates,
    residual_directions,
    response,
    transformed,
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


def parts(xp: Any, f: Any, alpha: Any, beta: Any) -> tuple[Any, Any, Any]:
    """Return tau (B,), tau d and the response u to the centred coordinates, (B, K, K) each."""
    c = coordinates(xp, f)
    tau = xp.mean(c, axis=-1)
    u = response(xp, f, c - tau[:, None], alpha, beta)
    return tau, tau[:, None, None] * residual_directions(xp, f), u


def frobenius(xp: Any, F: Any) -> Any:
    """Frobenius norm of (B, K, m): (B,)."""
    return xp.sqrt(xp.sum(xp.sum(F * F, axis=-1), axis=-1))


# -- the solution ---------------------------------------------------------------------------------


def solution_claim(xp: Any, *, f: Any, gap: Any, rest: Any, t: Any) -> Judgement:
    """(47) solves (43) from any start: gap = alpha - beta and rest = alpha + (K-1) beta."""
    K = f.shape[1]
    alpha, beta = ((K - 1) * gap + rest) / K, (rest - gap) / K
    second = alpha + beta / (K - 1)
    _, simplex, u = parts(xp, f, alpha, beta)
    others = u / second[:, None, None]
    constant = f - simplex - others
    A, B = alpha * t, beta * t
    # All over the largest exponential, which may be beyond what floats hold.
    largest = xp.maximum(A - B, A + B / (K - 1)) / K
    fast, slow = xp.exp((A - B) / K - largest), xp.exp((A + B / (K - 1)) / K - largest)
    at_t = constant * xp.exp(-largest)[:, None, None]
    at_t = at_t + simplex * fast[:, None, None] + others * slow[:, None, None]
    rate = simplex * (gap * fast)[:, None, None] + u * slow[:, None, None]
    growth = xp.abs(f) * (xp.abs(alpha) + xp.abs(beta))[:, None, None]
    return Judgement(
        (),
        (
            equation(
                xp,
                "constant part in the kernel",
                transformed(xp, constant, alpha, beta),
                0 * constant,
                growth,
            ),
            equation(xp, "LE-ODE", rate / K, transformed(xp, at_t, alpha, beta) / K, growth),
        ),
    )


def elasticity_claim(xp: Any, *, gap: Any, rest: Any, t: Any, K: Any) -> Judgement:
    """Local elasticity alone: B_t is not positive, and the exponent of d is the larger."""
    alpha, beta = ((K - 1) * gap + rest) / K, (rest - gap) / K
    A, B = alpha * t, beta * t
    return Judgement(
        (),
        (
            Comparison("B_t", B, 0 * B),
            Comparison("exponents", A + B / (K - 1), A - B),
        ),
    )


# -- alignment ------------------------------------------------------------------------------------


@formula(
    nonnegative("start", "distance of the class means at the start from tau d", r"\|F_0-\tau d\|"),
    nonnegative("others", "norm of the response u to the centred coordinates", r"\|u\|"),
    positive("tau", "absolute value of the mean coordinate at the start", r"|\tau|"),
    positive("gap", "alpha - beta", r"\alpha-\beta"),
    positive("repulsion", "minus beta", r"|\beta|"),
    positive("t", "time", "t"),
    _K,
)
def alignment_deviation(
    xp: Any, start: Any, others: Any, tau: Any, gap: Any, repulsion: Any, t: Any, K: Any
) -> Any:
    """Upper bound on the distance of the rescaled class means from the simplex ETF."""
    first = xp.exp(-gap * t / K)
    slowest = xp.maximum(first, xp.exp(-repulsion * t / (K - 1)))
    return (start * first + others * t / K * slowest) / tau


def gram_deviation(xp: Any, deviation: Any, K: Any) -> Any:
    """Upper bound on the deviation of inner products of class means from those of the simplex."""
    return 2 * xp.sqrt((K - 1) / K) * deviation + deviation * deviation


def least_margin(xp: Any, deviation: Any) -> Any:
    """Lower bound on the margin of the own logit over another, in units of tau e^(lambda_1 t/K)."""
    return 1 - xp.sqrt(0 * deviation + 2) * deviation


def alignment_claim(xp: Any, *, f: Any, gap: Any, repulsion: Any, t: Any) -> Judgement:
    """How far F(t)/(tau e^(lambda_1 t/K)) is from d; beta = -repulsion, alpha = gap + beta."""
    K = f.shape[1]
    beta, one = -repulsion, 0 * gap + 1
    alpha = gap + beta
    lead, second = repulsion * t / (K - 1), alpha + beta / (K - 1)
    tau, simplex, u = parts(xp, f, alpha, beta)
    decay, behind = xp.exp(-gap * t / K), xp.exp(-lead)
    weight = ((behind - decay) / second)[:, None, None]
    scaled = f * decay[:, None, None] + simplex * (1 - decay)[:, None, None] + u * weight
    y = scaled / tau[:, None, None]
    rate = simplex * gap[:, None, None] + u * behind[:, None, None]
    d = residual_directions(xp, f)
    size = xp.abs(f) * (gap + repulsion)[:, None, None]
    numbers = {"gap": gap, "repulsion": repulsion, "t": t, "K": K * one}
    bound = alignment_deviation(
        xp,
        start=frobenius(xp, f - simplex),
        others=frobenius(xp, u),
        tau=xp.abs(tau),
        **numbers,
    )
    products = xp.sum(y[:, :, None] * y[:, None], axis=-1)
    wanted = xp.sum(d[:, :, None] * d[:, None], axis=-1)
    away = xp.reshape(xp.abs(products - wanted), (-1, K * K))
    margins = xp.stack([y[:, k, k] - y[:, k, r] for k in range(K) for r in range(K) if r != k], -1)
    return Judgement(
        (),
        (
            equation(xp, "LE-ODE", rate / K, transformed(xp, scaled, alpha, beta) / K, size),
            Comparison("deviation", frobenius(xp, y - d), bound),
            Comparison("Gram matrix", xp.max(away, axis=-1), gram_deviation(xp, bound, K * one)),
            Comparison("margins", 1 - xp.min(margins, axis=-1), 1 - least_margin(xp, bound)),
        ),
    )


# -- impacts that vary ----------------------------------------------------------------------------


def phases_claim(xp: Any, *, f: Any, alpha: Any, beta: Any, time: Any) -> Judgement:
    """The coordinates after phases of constant impacts are those of A_t and B_t.

    Both sides over e^(what grew the most in each phase), which may be beyond what floats hold.
    """
    K = f.shape[1]
    c = coordinates(xp, f)
    tau = xp.mean(c, axis=-1, keepdims=True)
    A, B = xp.sum(alpha * time, axis=-1), xp.sum(beta * time, axis=-1)
    most: Any = 0
    for p in range(alpha.shape[1]):
        f, grown = after_phase(xp, f, alpha[:, p], beta[:, p], time[:, p])
        most = most + grown
    one, other = xp.exp((A - B) / K - most), xp.exp((A + B / (K - 1)) / K - most)
    expected = tau * one[:, None] + (c - tau) * other[:, None]
    return Judgement((), (equation(xp, "coordinates", coordinates(xp, f), expected, c),))


def after_phase(xp: Any, f: Any, alpha: Any, beta: Any, time: Any) -> tuple[Any, Any]:
    """Class means (B, K, K) after a time of constant impacts, over e^g, and g.

    alpha + beta/(K-1) must not be 0; g is the largest exponent, at least 0.
    """
    K = f.shape[1]
    _, simplex, u = parts(xp, f, alpha, beta)
    second = alpha + beta / (K - 1)
    first_grown, second_grown = (alpha - beta) * time / K, second * time / K
    g = xp.maximum(xp.maximum(first_grown, second_grown), 0 * time)
    still = xp.exp(-g)
    of_simplex = xp.exp(first_grown - g) - still
    of_others = (xp.exp(second_grown - g) - still) / second
    moved = simplex * of_simplex[:, None, None] + u * of_others[:, None, None]
    return f * still[:, None, None] + moved, g


_ELASTIC = r"$\nu = \min\{\alpha - \beta, \alpha + (K-1)\beta\} > 0$"
_PHASES = (
    Field("f", ("C", "C")),
    Field("alpha", ("L",)),
    Field("beta", ("L",)),
    Field("time", ("L",), "positive"),
)
_MEANS = Field("f", ("C", "C"))
_GAP, _TIME = Field("gap", (), "positive"), Field("t", (), "positive")

EQ_47 = Statement(
    id="review:eq-47",
    kind="equation",
    title="Solution of the LE-ODE and its alignment with a simplex ETF",
    source=Source("review", "(47), Sec. 3.2.3"),
    topic="elasticity",
    variants=(
        Variant(
            "printed",
            "the solution under local elasticity",
            rf"Let {_ELASTIC}, $m = K$. From any start, $\bar F^t = c_0 + "
            r"\tau_1de^{(A_t - B_t)/K} + \sum_l\tau_{2l}u_le^{(A_t + B_t/(K-1))/K}$ solves "
            r"$\frac{d}{dt}\bar F = B\bar F$, with $c_0$ in the kernel of $B$, $\tau_1$ the mean "
            r"of the $\langle d_j, f_j\rangle/|d_j|^2$ at the start and the $u_l$ of "
            r"`review:remark-spectrum`.",
            Claim(
                solution_claim, (_MEANS, _GAP, Field("rest", (), "positive"), _TIME), {"C": (2, 5)}
            ),
            remark="nu > 0 implies alpha + beta/(K-1) > 0. Without it that eigenvalue may be 0, "
            "and for K >= 3 the solution then has a term that is linear in t.",
        ),
        Variant(
            "printed",
            "local elasticity alone makes the simplex win",
            rf"If {_ELASTIC} then $B_t < 0$, and $\bar F^t$ aligns with the simplex $d$: "
            r"$A_t + \frac1{K-1}B_t \le A_t - B_t$.",
            Claim(
                elasticity_claim,
                (
                    _GAP,
                    Field("rest", (), "positive"),
                    _TIME,
                    Field("K", (), "integer", least=2),
                ),
            ),
            defect="nu > 0 says nothing of the sign of beta: K = 2, alpha = 2, beta = 1 has nu = "
            "1, and class means align with the other eigenvectors. beta < 0 is an assumption of "
            "its own, as which the text may mean it, and with it alpha > beta is enough. Moreover "
            "tau_1 must not be 0; if it is negative the means align with -d, where every class is "
            "classified wrongly.",
        ),
        Variant(
            "corrected",
            "impacts between classes negative",
            r"Let $\beta < 0$, $\alpha > \beta$, $m = K$, and $\tau \ne 0$ the mean of the "
            r"$\langle d_j, f_j\rangle/|d_j|^2$ at the start. With $Y = \bar F^t/(\tau "
            r"e^{(\alpha-\beta)t/K})$, $|Y - d| \le \varepsilon(t) := \frac1{|\tau|}(|F_0 - \tau "
            r"d|e^{-(\alpha-\beta)t/K} + "
            r"|u|\frac tK\max\{e^{-(\alpha-\beta)t/K}, e^{-|\beta|t/(K-1)}\}) \to 0$. The inner "
            r"products of the $Y_k$ are within $2\sqrt{1 - 1/K}\varepsilon + \varepsilon^2$ of "
            r"those of the simplex, and the margins $Y_{kk} - Y_{kr}$ at least $1 - \sqrt2"
            r"\varepsilon$.",
            Claim(
                alignment_claim,
                (_MEANS, _GAP, Field("repulsion", (), "positive"), _TIME),
                {"C": (2, 5)},
            ),
            (Bound("distance from the simplex", alignment_deviation, "upper"),),
            remark="Thresholds: beta = 0, where the other eigenvectors grow as fast, and alpha = "
            "beta, where d no longer grows; nu > 0 is not needed. The logits are tau "
            "e^((alpha-beta)t/K) Y: every class mean is classified rightly in the end if tau > 0 "
            "and wrongly if tau < 0, and in either case the class means are a simplex ETF.",
        ),
        Variant(
            "sharp",
            "impacts that vary",
            r"For any impacts $\alpha_t, \beta_t$, $m = K$: the coordinates $c_j = \langle d_j, "
            r"f_j\rangle/|d_j|^2$ of the class means at time $t$ are $\bar ce^{(A_t - B_t)/K} + "
            r"(c_j - \bar c)e^{(A_t + B_t/(K-1))/K}$, with $A_t = \int_0^t\alpha$ and $B_t = "
            r"\int_0^t\beta$.",
            Claim(phases_claim, _PHASES, {"C": (2, 4), "L": (1, 3)}),
            remark="Proved for phases of constant impacts, any number of them, and so in the "
            "limit. The coordinates are all that drives; the class means themselves are F(0) plus "
            "the integral of the response. For K >= 3 that is not of the form (47) with fixed u_l "
            "unless alpha_t/beta_t is constant, for the u_l depend on that ratio.",
        ),
    ),
)

STATEMENTS = (EQ_47,)
