r"""Directions of negative curvature at critical points without the certificate: equation (27).

With A w = 0 and F w = 0, u in R^K and v = G^T u (samples), a step along ``(A, F) = (alpha u w^T,
-beta v w^T)`` with unit u, v, w changes the outputs to second order only. So the risk changes by
``e^2 (lambda_A alpha^2/2 + lambda_F beta^2/2 - alpha beta <u, G v>)`` and a Bregman divergence of
fourth order. The best factors have alpha beta = 1 and lambda_A alpha^2 = lambda_F beta^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

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
from ncbounds.theory.unconstrained.nuclear_norm import fourth_root
from ncbounds.theory.unconstrained.regularised_risk import (
    DECAYS,
    POINT,
    POINT_SIZES,
    gradients,
    inner,
    log_probabilities,
    outputs,
    risk,
    whole_norm,
)


def second_derivative(
    xp: Any, F: Any, A: Any, b: Any, step_F: Any, step_A: Any, lambda_A: Any, lambda_F: Any
) -> tuple[Any, Any]:
    """First and second derivative of the risk along a step of features and weights: (B,) each."""
    by = gradients(xp, F, A, b, lambda_A, lambda_F, 0 * lambda_A)
    p = xp.exp(log_probabilities(xp, outputs(xp, F, A, b)))
    moved = xp.matmul(step_F, xp.matrix_transpose(A)[:, None])
    moved = moved + xp.matmul(F, xp.matrix_transpose(step_A)[:, None])
    mean = xp.sum(p * moved, axis=-1)
    spread = class_mean(xp, xp.sum(p * moved * moved, axis=-1) - mean * mean)
    twice = xp.matmul(step_F, xp.matrix_transpose(step_A)[:, None])
    penalty = lambda_A * whole_norm(xp, step_A) + lambda_F * whole_norm(xp, step_F)
    first = inner(xp, by.A, step_A) + inner(xp, by.F, step_F)
    return first, spread + 2 * inner(xp, by.outputs, twice) + penalty


def unused(xp: Any, F: Any, A: Any, w: Any) -> tuple[Any, Any]:
    """Features and weights without their part along w, so that A w = 0 and F w = 0."""
    length = square_norm(xp, w)
    on_A = dot(xp, A, w[:, None, :]) / length[:, None]
    on_F = dot(xp, F, w[:, None, None, :]) / length[:, None, None]
    return (
        F - on_F[..., None] * w[:, None, None, :],
        A - on_A[..., None] * w[:, None, :],
    )


def pair(xp: Any, G: Any, u: Any) -> tuple[Any, Any, Any]:
    """For G (B, K, n, K): u and v = G^T u, both of length 1, and s = <u, G v>."""
    unit = u / xp.sqrt(square_norm(xp, u))[:, None]
    image = xp.sum(G * unit[:, None, None, :], axis=-1)
    s = xp.sqrt(whole_norm(xp, image))
    return unit, image / s[:, None, None], s


@dataclass(frozen=True)
class _Zero:
    """The critical point where all is zero, in C2: everything that (27) needs there.

    Every u with sum zero is a left singular vector of G, of value 1/(K sqrt n); here it is that of
    the first class. Decays have sqrt(lambda_A lambda_F) = share/(K sqrt n) and a given ratio.
    """

    F: Any
    A: Any
    b: Any
    u: Any
    v: Any
    s: Any
    decays: tuple[Any, Any]


def at_zero(xp: Any, F: Any, ratio: Any, share: Any) -> _Zero:
    """Build that point; only the shape of `F` counts."""
    K, n = F.shape[1], F.shape[2]
    F, A = 0 * F, 0 * F[:, :, 0]
    b = A[:, :, 0]
    sigma = share / (K * xp.sqrt(0 * share + n))
    lambda_A, lambda_F = sigma * xp.sqrt(ratio), sigma / xp.sqrt(ratio)
    by = gradients(xp, F, A, b, lambda_A, lambda_F, 0 * sigma)
    first = xp.asarray(np.where(np.arange(K) == 0, K - 1.0, -1.0))[None] + b
    return _Zero(F, A, b, *pair(xp, by.outputs, first), (lambda_A, lambda_F))


def typeset(xp: Any, *, F: Any, w: Any, ratio: Any, share: Any) -> Judgement:
    """(27) with one power for both parts, at the critical point where all is zero."""
    at = at_zero(xp, F, ratio, share)
    factor = fourth_root(xp, ratio)
    step_A = factor[:, None, None] * at.u[..., None] * w[:, None, :]
    step_F = -factor[:, None, None, None] * at.v[..., None] * w[:, None, None, :]
    _, second = second_derivative(xp, at.F, at.A, at.b, step_F, step_A, *at.decays)
    return Judgement(
        (Comparison("in C2", xp.sqrt(at.decays[0] * at.decays[1]), at.s),),
        (Comparison("negative curvature", second, 0 * second),),
    )


def needs_more_dimensions(xp: Any, *, F: Any, ratio: Any, share: Any) -> Judgement:
    """At the critical point where all is zero, in C2, A w = 0 for w = 1: so m > K, it is said."""
    at = at_zero(xp, F, ratio, share)
    image, one = xp.sum(at.A, axis=-1), 0 * share + 1
    return Judgement(
        (
            Comparison("in C2", xp.sqrt(at.decays[0] * at.decays[1]), at.s),
            Comparison("A w = 0", image, 0 * image, "="),
        ),
        (Comparison("m > K", one * (F.shape[1] + 1), one * F.shape[3]),),
    )


def balanced_direction(
    xp: Any, *, F: Any, A: Any, b: Any, u: Any, w: Any, lambda_A: Any, lambda_F: Any
) -> Judgement:
    """The curvature along (27) with inverse powers, at any point that leaves w unused."""
    F, A = unused(xp, F, A, w)
    by = gradients(xp, F, A, b, lambda_A, lambda_F, 0 * lambda_A)
    unit, v, s = pair(xp, by.outputs, u)
    factor = fourth_root(xp, lambda_A / lambda_F)
    step_A = unit[..., None] * w[:, None, :] / factor[:, None, None]
    step_F = -factor[:, None, None, None] * v[..., None] * w[:, None, None, :]
    first, second = second_derivative(xp, F, A, b, step_F, step_A, lambda_A, lambda_F)
    curvature = 2 * square_norm(xp, w) * (xp.sqrt(lambda_A * lambda_F) - s)
    return Judgement(
        (),
        (
            Comparison("no slope", first, 0 * first, "="),
            Comparison("curvature", second, curvature, "="),
        ),
    )


def descent(
    xp: Any, *, F: Any, A: Any, b: Any, u: Any, w: Any, lambda_A: Any, lambda_F: Any
) -> Judgement:
    """How far down the direction leads: by N (s - sigma)^2 at least."""
    F, A = unused(xp, F, A, w)
    by = gradients(xp, F, A, b, lambda_A, lambda_F, 0 * lambda_A)
    unit, v, s = pair(xp, by.outputs, u)
    N = F.shape[1] * F.shape[2]
    sigma = xp.sqrt(lambda_A * lambda_F)
    excess = xp.maximum(s - sigma, 0 * s)
    size = xp.sqrt(2 * N * excess / square_norm(xp, w))
    factor = fourth_root(xp, lambda_A / lambda_F)
    new_A = A + (size / factor)[:, None, None] * unit[..., None] * w[:, None, :]
    scale = (size * factor)[:, None, None, None]
    new_F = F - scale * v[..., None] * w[:, None, None, :]
    none = 0 * lambda_A
    gain = risk(xp, F, A, b, lambda_A, lambda_F, none) - risk(
        xp, new_F, new_A, b, lambda_A, lambda_F, none
    )
    return Judgement((), (Comparison("gain", N * excess * excess, gain),))


_SHARES = (Field("ratio", (), "positive"), Field("share", (), "proportion"))
_SHAPE = Field("F", ("K", "n", "m"))
_UNUSED = (*POINT, Field("u", ("K",)), Field("w", ("m",)), *DECAYS)

EQ_27 = Statement(
    id="review:eq-27",
    kind="equation",
    title="A direction of negative curvature",
    source=Source("review", "(27)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "one power for both parts, as typeset",
            r"At a critical point with $\|G\|_2 > \sqrt{\lambda_A\lambda_F}$ the curvature along "
            r"$\Delta = (-(\frac{\lambda_A}{\lambda_F})^{1/4}wv^T, (\frac{\lambda_A}{\lambda_F})"
            r"^{1/4}uw^T, 0)$ is negative, with the leading singular vectors $u, v$ of $G$ and "
            r"$Aw = 0$.",
            Claim(typeset, (_SHAPE, Field("w", ("m",)), *_SHARES), POINT_SIZES),
            defect="The weights want the inverse power. As typeset the curvature is "
            "2 sqrt(lambda_A/lambda_F) ((lambda_A + lambda_F)/2 - |G|), which is negative only "
            "where |G| exceeds the arithmetic mean of the two. The square of the gradient whose "
            "singular vectors are meant is a second slip.",
        ),
        Variant(
            "printed",
            "m > K is necessary",
            r"If $Aw = 0$ for some $w \ne 0$ at a critical point in $C_2$, then $m > K$.",
            Claim(needs_more_dimensions, (_SHAPE, *_SHARES), POINT_SIZES),
            defect="More columns than the rank of A are enough. At zero every w will do; and by "
            "review:eq-26 A has rank at most K - 2 in C_2, so that m >= K - 1 always suffices.",
        ),
        Variant(
            "corrected",
            "inverse powers, any point that leaves w unused",
            r"Where $Aw = 0$ and $F^Tw = 0$ (the second follows from the first at critical "
            r"points), for every unit $u$ with $v = G^Tu/|G^Tu|$ the risk has no slope along "
            r"$\Delta = (-(\frac{\lambda_A}{\lambda_F})^{1/4}wv^T, (\frac{\lambda_F}{\lambda_A})"
            r"^{1/4}uw^T, 0)$ and the second derivative $2|w|^2(\sqrt{\lambda_A\lambda_F} - "
            r"|G^Tu|)$: negative for $|G^Tu| > \sqrt{\lambda_A\lambda_F}$, so for the leading "
            r"singular vector at every point of $C_2$.",
            Claim(balanced_direction, _UNUSED, POINT_SIZES),
            remark="A w = 0 has a solution w at every critical point of C_2 when m >= K - 1. For "
            "m = K - 2 it may have none: the minimum over the features of that dimension is then "
            "a point of C_2 without negative curvature.",
        ),
        Variant(
            "sharp",
            "how far down it leads",
            r"Some step along that direction lowers the risk by at least $N(|G^Tu| - "
            r"\sqrt{\lambda_A\lambda_F})^2$ where the difference is positive. So a critical point "
            r"in $C_2$ with $Aw = 0$, $w \ne 0$, is at least $N(\|G\|_2 - \sqrt{\lambda_A\lambda_F}"
            r")^2$ above the minimum.",
            Claim(descent, _UNUSED, POINT_SIZES),
            remark="The constant is right to leading order: at zero with two classes the gain is "
            "that as |G| tends to sqrt(lambda_A lambda_F).",
        ),
    ),
)

STATEMENTS = (EQ_27,)
