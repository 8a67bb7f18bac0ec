"""From equilibrium to a simplex: the last lines of the proof of collapse.

With NC1 the features of a class are its mean mu_c; mu_G is the mean of these. Property 2 says
``rho <V^c, mu_c> = alpha`` and ``rho <V^c, mu_r> = -alpha/(C-1)`` for the other classes.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
from ncbounds.theory.square_loss.multiclass_gradients import (
    normalised_gradient,
    outputs,
    residuals,
    symmetric_outputs,
)
from ncbounds.theory.square_loss.multiclass_landscape import targets
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

_MEANS = (Field("mu", ("C", "d")),)
_NUMBERS = (Field("rho", (), "positive"), Field("alpha", (), "positive"))
_SIZES = {"C": (2, 4), "d": (1, 4)}


def centred_rows(xp: Any, mu: Any) -> Any:
    """mu_c - mu_G: (B, C, d)."""
    return mu - xp.mean(mu, axis=1)[:, None, :]


def rows_of_means(xp: Any, mu: Any, rho: Any, alpha: Any) -> Any:
    """V^c of (42)."""
    return (rho / (alpha * mu.shape[1]))[:, None, None] * centred_rows(xp, mu)


# -- Equation (42) --------------------------------------------------------------------------------


def rows_claim(xp: Any, *, v: Any, mu: Any, rho: Any, alpha: Any) -> Judgement:
    """Under Property 2 and NC1 the gradient is a multiple of the distance from (42)."""
    C = v.shape[1]
    h = mu[:, :, None, :]
    f = symmetric_outputs(xp, h, rho, alpha)
    found = normalised_gradient(xp, v, h, f, rho)
    off = (alpha[:, None, None]) * (v - rows_of_means(xp, mu, rho, alpha))
    factor = (2 * (1 - alpha) * C / (C - 1))[:, None, None]
    solution = rows_of_means(xp, mu, rho, alpha)
    rest = normalised_gradient(xp, solution, h, f, rho)
    total = xp.sum(solution, axis=1)
    return Judgement(
        (),
        (
            Comparison("gradient", found, factor * off, "="),
            Comparison("at rest", rest, 0 * rest, "="),
            Comparison("sum of the rows", total, 0 * total, "="),
        ),
    )


EQ_42 = Statement(
    id="square:eq-42",
    kind="equation",
    title="Classifier rows and class means",
    source=Source("square", "(42)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "the only rows at rest",
            r"With $\rho f_V = \alpha\tilde e$, $\alpha > 0$, and $h(x_{cn}) = \mu_c$: "
            r"$\frac{\partial L}{\partial V_L^c} = \frac{2C\alpha(1-\alpha)}{C-1}(V_L^c - "
            r"\frac\rho{\alpha C}(\mu_c - \mu_G))$. So the rows at rest are $\frac\rho{\alpha C}"
            r"(\mu_c - \mu_G)$, if $\alpha \ne 1$, and add up to zero.",
            Claim(rows_claim, (Field("v", ("C", "d")), *_MEANS, *_NUMBERS), _SIZES),
            remark="At alpha = 1 every V_L is at rest, and at alpha = 0 every V_L too: the printed "
            "implication needs quasi-interpolation with 0 < alpha < 1, which a positive weight "
            "decay and rho at rest give, k alpha (1 - alpha) = lambda rho^2.",
        ),
    ),
)


# -- Equation (43) --------------------------------------------------------------------------------


def norms_claim(xp: Any, *, v: Any, h: Any, rho: Any, alpha: Any) -> Judgement:
    """The quotient of (43), first for any network and then under Property 2."""
    C = v.shape[1]

    def parts(f: Any) -> tuple[Any, Any]:
        scaled, r = rho[:, None, None, None] * f, residuals(xp, f, rho)
        each = [class_mean(xp, (r * scaled)[..., c]) for c in range(C)]
        return xp.stack(each, axis=-1), class_mean(xp, dot(xp, r, scaled))

    f = outputs(xp, v, h)
    above, below = parts(f)
    rows = dot(xp, normalised_gradient(xp, v, h, f, rho), v)
    symmetric = symmetric_outputs(xp, h, rho, alpha)
    over, under = parts(symmetric)
    gap = alpha * (alpha - 1)
    number = 0 * over + 1
    return Judgement(
        (),
        (
            Comparison("rows", rows, 2 * (above - below[:, None] * square_norm(xp, v)), "="),
            Comparison("numerator", over, (gap / C + gap / (C * (C - 1)))[:, None] * number, "="),
            Comparison("denominator", under, gap * C / (C - 1), "="),
            Comparison("quotient", over / under[:, None], number / C, "="),
        ),
    )


EQ_43 = Statement(
    id="square:eq-43",
    kind="equation",
    title="Equal norms of the classifier rows",
    source=Source("square", "(43)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "both lines",
            r"With $P_c$ the mean of $(\rho f^{(c)} - \tilde e^{(c)})\rho f^{(c)}$ and $Q$ that of "
            r"$\langle\rho f - \tilde e, \rho f\rangle$: $\langle\frac{\partial L}{\partial "
            r"V_L^c}, V_L^c\rangle = 2(P_c - Q|V_L^c|^2)$, so at rest $|V_L^c|^2 = \frac{P_c}Q$. "
            r"With $\rho f = \alpha\tilde e$: $P_c = \frac{\alpha(\alpha-1)}C + "
            r"\frac{\alpha(\alpha-1)}{C(C-1)}$, $Q = \alpha(\alpha-1)\frac C{C-1}$, $\frac{P_c}Q = "
            r"\frac1C$.",
            Claim(
                norms_claim,
                (
                    Field("v", ("C", "d")),
                    Field("h", ("C", "N", "d")),
                    Field("rho", (), "positive"),
                    Field("alpha", (), "proportion"),
                ),
                {"C": (2, 4), "N": (1, 3), "d": (1, 3)},
            ),
        ),
    ),
)


# -- Equations (44) and (45) ----------------------------------------------------------------------


def global_mean_claim(xp: Any, *, mu: Any, rho: Any, alpha: Any) -> Judgement:
    """The global mean against the rows of (42)."""
    C = mu.shape[1]
    v = rows_of_means(xp, mu, rho, alpha)
    centre = xp.mean(mu, axis=1)[:, None, :]
    first = dot(xp, v, mu) - (alpha * C / rho)[:, None] * square_norm(xp, v)
    of_means = (alpha / rho)[:, None] * xp.mean(targets(xp, rho, C), axis=1)
    return Judgement(
        (),
        (
            Comparison("first line", dot(xp, v, centre), first, "="),
            Comparison(
                "second line", alpha / rho - alpha * C / rho * (0 * rho + 1) / C, 0 * rho, "="
            ),
            Comparison("from Property 2 alone", of_means, 0 * of_means, "="),
        ),
    )


def angles_claim(xp: Any, *, mu: Any, rho: Any, alpha: Any) -> Judgement:
    """The inner products of the rows of (42), and their values under Property 2."""
    C = mu.shape[1]
    v = rows_of_means(xp, mu, rho, alpha)
    centre = xp.mean(mu, axis=1)
    scale = (alpha * C / rho)[:, None]
    both = [(c, r) for c in range(C) for r in range(C) if r != c]
    left, right = [c for c, _ in both], [r for _, r in both]
    products = dot(xp, v[:, left], v[:, right])
    first = dot(xp, v[:, left], mu[:, right]) - dot(xp, v[:, left], centre[:, None, :])
    wrong = -alpha / (rho * (C - 1))
    cosine = wrong / (alpha * C / rho) * C
    total = xp.sum(v, axis=1)
    return Judgement(
        (),
        (
            Comparison("first line", scale * products, first, "="),
            Comparison("second line", cosine, (0 * rho - 1) / (C - 1), "="),
            Comparison("sum of the rows", total, 0 * total, "="),
        ),
    )


EQ_44 = Statement(
    id="square:eq-44",
    kind="equation",
    title="The classifier rows and the global mean",
    source=Source("square", "(44)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "both lines, from (42) and (43)",
            r"With $V_L^c = \frac\rho{\alpha C}(\mu_c - \mu_G)$: $\langle V_L^c, \mu_G\rangle = "
            r"\langle V_L^c, \mu_c\rangle - \frac{\alpha C}\rho|V_L^c|^2$, which is $\frac\alpha"
            r"\rho - \frac{\alpha C}\rho\cdot\frac1C = 0$ at $\langle V_L^c, \mu_c\rangle = "
            r"\frac\alpha\rho$ and $|V_L^c|^2 = \frac1C$. It also follows from Property 2 alone: "
            r"$V_L\mu_G = \frac\alpha\rho\cdot\frac1C\sum_c\tilde e_c = 0$.",
            Claim(global_mean_claim, (*_MEANS, *_NUMBERS), _SIZES),
            remark="Taken from Property 2, (44) gives (43) back, and needs no equilibrium.",
        ),
    ),
)

EQ_45 = Statement(
    id="square:eq-45",
    kind="equation",
    title="The angles of the classifier rows",
    source=Source("square", "(45)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "both lines",
            r"With $V_L^c = \frac\rho{\alpha C}(\mu_c - \mu_G)$: $\frac{\alpha C}\rho\langle "
            r"V_L^c, V_L^{c'}\rangle = \langle V_L^c, \mu_{c'}\rangle - \langle V_L^c, "
            r"\mu_G\rangle$, which is $-\frac\alpha{\rho(C-1)}$ under Property 2 and (44); over "
            r"$|V_L^c|^2 = \frac1C$ the cosine is $-\frac1{C-1}$, and $\sum_c V_L^c = 0$.",
            Claim(angles_claim, (*_MEANS, *_NUMBERS), _SIZES),
        ),
    ),
)

STATEMENTS = (EQ_42, EQ_43, EQ_44, EQ_45)
