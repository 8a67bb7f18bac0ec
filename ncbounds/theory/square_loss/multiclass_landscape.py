"""Symmetric quasi-interpolation of several classes, and what minimising over the scale leaves.

C classes of N samples, with the targets ``e~_c = C/(C-1) (e_c - 1/C)``: centred one-hot labels of
largest entry 1, of squared norm ``k = C/(C-1)``. The normalised network has the outputs f, shape
(C, N, C), and is scaled by rho; mu is the mean of <f, e~_c> and M that of |f|^2. Property 2 asks
that f be a multiple of the target: the proofs use one multiple for all samples.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

# -- the setting ----------------------------------------------------------------------------------


def targets(xp: Any, like: Any, C: int) -> Any:
    """The targets e~_c as rows: (B, C, C) for a `like` of shape (B,)."""
    own = 0 * like + 1
    other = -own / (C - 1)
    rows = [xp.stack([own if r == c else other for r in range(C)], axis=-1) for c in range(C)]
    return xp.stack(rows, axis=1)


def of_samples(xp: Any, f: Any) -> Any:
    """The target of each sample, to broadcast against outputs f (B, C, N, C)."""
    return targets(xp, f[:, 0, 0, 0], f.shape[1])[:, :, None, :]


def unit(xp: Any, v: Any) -> Any:
    """A matrix over its Frobenius norm."""
    return v / xp.sqrt(xp.sum(square_norm(xp, v), axis=-1))[:, None, None]


def moments(xp: Any, f: Any) -> tuple[Any, Any]:
    """The mean margin mu and the second moment M of outputs f (B, C, N, C): two of shape (B,)."""
    return (
        class_mean(xp, dot(xp, f, of_samples(xp, f))),
        class_mean(xp, square_norm(xp, f)),
    )


def data_loss(xp: Any, f: Any, rho: Any) -> Any:
    """The mean of |rho f - e~|^2, sample by sample: (B,)."""
    residual = rho[:, None, None, None] * f - of_samples(xp, f)
    return class_mean(xp, square_norm(xp, residual))


def symmetric_deviation(xp: Any, f: Any) -> Any:
    """The mean of |f - (mu/k) e~|^2: zero if and only if Property 2 holds with one constant."""
    C = f.shape[1]
    mu, _ = moments(xp, f)
    best = (mu * (C - 1) / C)[:, None, None, None] * of_samples(xp, f)
    return class_mean(xp, square_norm(xp, f - best))


# -- Property 2 -----------------------------------------------------------------------------------


def one_gap(xp: Any, *, factors: Any) -> Judgement:
    """Outputs that are positive multiples of the targets are one multiple of them."""
    e = targets(xp, factors[:, 0, 0], factors.shape[1])
    f = factors[..., None] * e[:, :, None, :]
    deviation = symmetric_deviation(xp, f)
    return Judgement((), (Comparison("one constant", deviation, 0 * deviation, "="),))


def measured_by_moments(xp: Any, *, f: Any) -> Judgement:
    """The deviation from Property 2 is M - mu^2/k, and the outputs' spread over a gauge."""
    C = f.shape[1]
    mu, M = moments(xp, f)
    deviation = symmetric_deviation(xp, f)
    e = of_samples(xp, f)
    own = dot(xp, f, e) * (C - 1) / C
    spread = class_mean(xp, own * own) - class_mean(xp, own) * class_mean(xp, own)
    rest = class_mean(xp, square_norm(xp, f - own[..., None] * e))
    return Judgement(
        (),
        (
            Comparison("deviation", deviation, M - mu * mu * (C - 1) / C, "="),
            Comparison("two parts", deviation, spread * C / (C - 1) + rest, "="),
            Comparison("at most one", mu * mu * (C - 1) / C, M),
        ),
    )


OUTPUTS = (Field("f", ("C", "N", "out")),)
OUTPUT_SIZES = {"C": (2, 4), "N": (1, 3)}
OUTPUT_AXES = {"out": lambda sizes: sizes["C"]}

PROPERTY_2 = Statement(
    id="square:property-2",
    kind="property",
    title="Symmetric quasi-interpolation of several classes",
    source=Source("square", "Property 2, Sec. 5.2"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "a multiple for each sample, one gap",
            r"If $f(x_{cn}) = a_{cn}\tilde e_c$ with $a_{cn} > 0$ for all training examples, then "
            r"there is one $\alpha$ with $\rho f_V(x_{cn}) = \alpha\tilde e_c$ for all, as (40) "
            "has it.",
            Claim(one_gap, (Field("factors", ("C", "N"), "positive"),), {"C": (2, 4), "N": (1, 3)}),
            defect="The property says proportional, example by example; the proofs of Theorem 6 "
            "and Lemma 7 use one constant for all. Without it Theorem 6 fails: see its printed "
            "wordings.",
        ),
        Variant(
            "sharp",
            "one multiple, measured by two moments",
            r"With $\mu$ the mean of $\langle f, \tilde e_c\rangle$, $M$ that of $|f|^2$ and $k = "
            r"\frac C{C-1}$: $\frac1{CN}\sum|f(x_{cn}) - \frac\mu k\tilde e_c|^2 = M - "
            r"\frac{\mu^2}k$, the variance of $a = \frac1k\langle f, \tilde e_c\rangle$ times $k$ "
            r"and the mean of $|f - a\tilde e_c|^2$. So $f = \alpha\tilde e_c$ for all samples if "
            r"and only if $kM = \mu^2$, the largest value of $\mu^2$.",
            Claim(measured_by_moments, OUTPUTS, OUTPUT_SIZES, OUTPUT_AXES),
        ),
    ),
)


# -- Equations (33) and (34) ----------------------------------------------------------------------


def reduced_loss(xp: Any, mu: Any, M: Any, lambda_: Any, C: int) -> Any:
    """``C/(C-1) - mu^2/(M + lambda)``, the regularised loss at the best scale."""
    return (0 * mu + C) / (C - 1) - mu * mu / (M + lambda_)


def in_the_scale(xp: Any, *, f: Any, rho: Any, lambda_: Any) -> Judgement:
    """The regularised loss as a polynomial of rho."""
    mu, M = moments(xp, f)
    C = f.shape[1]
    polynomial = (M + lambda_) * rho * rho - 2 * rho * mu + (0 * mu + C) / (C - 1)
    loss = data_loss(xp, f, rho) + lambda_ * rho * rho
    return Judgement((), (Comparison("loss", loss, polynomial, "="),))


def at_the_best_scale(xp: Any, *, f: Any, lambda_: Any, rho: Any) -> Judgement:
    """The best scale is mu/(M + lambda), and the loss there."""
    mu, M = moments(xp, f)
    C = f.shape[1]
    best = mu / (M + lambda_)
    k = (0 * mu + C) / (C - 1)

    def loss(scale: Any) -> Any:
        return data_loss(xp, f, scale) + lambda_ * scale * scale

    first = (M + lambda_) * best * best - 2 * mu * mu / (M + lambda_) + k
    second = reduced_loss(xp, mu, M, lambda_, C)
    off = rho - best
    return Judgement(
        (),
        (
            Comparison("first line", loss(best), first, "="),
            Comparison("second line", first, second, "="),
            Comparison("every scale", loss(rho), second + (M + lambda_) * off * off, "="),
            Comparison("least", second, loss(rho)),
        ),
    )


EQ_33 = Statement(
    id="square:eq-33",
    kind="equation",
    title="The multiclass training problem in rho",
    source=Source("square", "(33)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "every network",
            r"$\frac1{CN}\sum|\rho f_V(x_{cn}) - \tilde e_c|^2 + \lambda\rho^2 = (M+\lambda)"
            r"\rho^2 - 2\rho\mu + \frac C{C-1}$.",
            Claim(
                in_the_scale,
                (*OUTPUTS, Field("rho"), Field("lambda_", (), "positive")),
                OUTPUT_SIZES,
                OUTPUT_AXES,
            ),
        ),
    ),
)

EQ_34 = Statement(
    id="square:eq-34",
    kind="equation",
    title="The multiclass training problem at the best scale",
    source=Source("square", "(34)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "both lines, and the scale above them",
            r"The loss is least in $\rho$ at $\rho = \frac\mu{M+\lambda}$, where it is $(M+\lambda)"
            r"(\frac\mu{M+\lambda})^2 - 2\frac{\mu^2}{M+\lambda} + \frac C{C-1} = \frac C{C-1} - "
            r"\frac{\mu^2}{M+\lambda}$; at any $\rho$ it is more by $(M+\lambda)(\rho - "
            r"\frac\mu{M+\lambda})^2$.",
            Claim(
                at_the_best_scale,
                (*OUTPUTS, Field("lambda_", (), "positive"), Field("rho")),
                OUTPUT_SIZES,
                OUTPUT_AXES,
            ),
        ),
    ),
)

STATEMENTS = (PROPERTY_2, EQ_33, EQ_34)
