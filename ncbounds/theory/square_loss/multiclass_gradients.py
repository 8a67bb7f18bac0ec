"""The Lagrangian of several classes, its gradient in the last layer, and balanced batches.

The last layer has rows V^c, shape (C, d), and the features h, shape (C, N, d), of which it makes
the outputs f = V h; the residual of a sample is ``rho f - e~``. A batch has b samples of each of
the C classes, B = bC in all, and means over it are sums over B. Where a line uses Property 2, the
outputs are put in as ``rho f = alpha e~`` whatever V and h are: the lines are identities then.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
from ncbounds.theory.square_loss.multiclass_landscape import (
    data_loss,
    moments,
    of_samples,
    targets,
    unit,
)
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)


def outputs(xp: Any, V: Any, h: Any) -> Any:
    """f = V h for every sample: (B, C, N, C)."""
    return xp.matmul(h, xp.matrix_transpose(V)[:, None])


def symmetric_outputs(xp: Any, h: Any, rho: Any, alpha: Any) -> Any:
    """The outputs ``(alpha / rho) e~`` of Property 2 for features h (B, C, N, d)."""
    e = targets(xp, rho, h.shape[1])[:, :, None, :]
    return (alpha / rho)[:, None, None, None] * e + 0 * h[..., :1]


def residuals(xp: Any, f: Any, rho: Any) -> Any:
    """``rho f - e~``."""
    return rho[:, None, None, None] * f - of_samples(xp, f)


def mean_outer(xp: Any, left: Any, right: Any) -> Any:
    """Mean over samples of ``left right^T``: (B, C, N, a), (B, C, N, d) to (B, a, d)."""
    C, N = left.shape[1:3]
    rows, columns = (xp.reshape(x, (-1, C * N, x.shape[3])) for x in (left, right))
    return xp.matmul(xp.matrix_transpose(rows), columns) / (C * N)


def multiplier(xp: Any, f: Any, rho: Any) -> Any:
    """The multiplier (37)."""
    return -class_mean(xp, rho[:, None, None] * dot(xp, f, residuals(xp, f, rho)))


def gradient(xp: Any, V: Any, h: Any, f: Any, rho: Any, nu: Any) -> Any:
    """The gradient of (36) in V_L, whatever the multiplier."""
    of_data = mean_outer(xp, residuals(xp, f, rho), h)
    return 2 * rho[:, None, None] * of_data + 2 * nu[:, None, None] * V


def normalised_gradient(xp: Any, V: Any, h: Any, f: Any, rho: Any) -> Any:
    """The gradient (38) in V_L."""
    r = residuals(xp, f, rho)
    along = class_mean(xp, dot(xp, f, r))[:, None, None]
    return -2 * rho[:, None, None] * (along * V - mean_outer(xp, r, h))


_LAYER = (Field("v", ("C", "d")), Field("h", ("C", "N", "d")))
_SIZES = {"C": (2, 4), "N": (1, 3), "d": (1, 4)}


# -- Equations (35) to (37) -----------------------------------------------------------------------


def lagrangian_claim(xp: Any, *, v: Any, h: Any, rho: Any, lambda_: Any, nu: Any, s: Any) -> Any:
    """On the sphere the Lagrangian is (33); what a step in rho changes."""
    V = unit(xp, v)
    f = outputs(xp, V, h)
    mu, M = moments(xp, f)
    C = v.shape[1]

    def lagrangian(scale: Any) -> Any:
        constraint = xp.sum(square_norm(xp, V), axis=-1) - 1
        return data_loss(xp, f, scale) + nu * constraint + lambda_ * scale * scale

    polynomial = (M + lambda_) * rho * rho - 2 * rho * mu + (0 * mu + C) / (C - 1)
    step = 2 * s * (rho * (M + lambda_) - mu) + s * s * (M + lambda_)
    return Judgement(
        (),
        (
            Comparison("on the sphere", lagrangian(rho), polynomial, "="),
            Comparison("step in rho", lagrangian(rho + s) - lagrangian(rho), step, "="),
        ),
    )


def gradient_claim(xp: Any, *, v: Any, h: Any, u: Any, rho: Any, nu: Any, s: Any) -> Judgement:
    """What a step s U in V_L changes in the Lagrangian: its gradient is that of (36)."""
    f, g = outputs(xp, v, h), outputs(xp, u, h)
    moved = outputs(xp, v + s[:, None, None] * u, h)

    def lagrangian(V: Any, made: Any) -> Any:
        return data_loss(xp, made, rho) + nu * (xp.sum(square_norm(xp, V), axis=-1) - 1)

    change = lagrangian(v + s[:, None, None] * u, moved) - lagrangian(v, f)
    slope = xp.sum(dot(xp, gradient(xp, v, h, f, rho, nu), u), axis=-1)
    square = rho * rho * class_mean(xp, square_norm(xp, g))
    square = square + nu * xp.sum(square_norm(xp, u), axis=-1)
    return Judgement((), (Comparison("step in V_L", change, s * slope + s * s * square, "="),))


def multiplier_claim(xp: Any, *, v: Any, h: Any, rho: Any, eta: Any) -> Judgement:
    """The multiplier of (37): its lines, and the norm after a step."""
    V = unit(xp, v)
    f = outputs(xp, V, h)
    r = residuals(xp, f, rho)
    nu = multiplier(xp, f, rho)
    trace = xp.sum(dot(xp, V[:, None, None], r[..., :, None] * h[..., None, :]), axis=-1)
    first = -2 * rho * class_mean(xp, trace)
    step = gradient(xp, V, h, f, rho, nu)
    after = xp.sum(square_norm(xp, V - eta[:, None, None] * step), axis=-1)
    return Judgement(
        (),
        (
            Comparison("first line", 2 * nu, first, "="),
            Comparison(
                "norm after the step",
                after,
                1 + eta * eta * xp.sum(square_norm(xp, step), axis=-1),
                "=",
            ),
        ),
    )


EQ_35 = Statement(
    id="square:eq-35",
    kind="equation",
    title="The Lagrangian of several classes",
    source=Source("square", "(35)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "on unit layers, and in rho",
            r"Where $|V_k| = 1$ the Lagrangian is $(M+\lambda)\rho^2 - 2\rho\mu + \frac C{C-1}$ "
            r"whatever the multipliers, and a step $s$ in $\rho$ changes it by exactly "
            r"$2s(\rho(M+\lambda) - \mu) + s^2(M+\lambda)$.",
            Claim(
                lagrangian_claim,
                (
                    *_LAYER,
                    Field("rho"),
                    Field("lambda_", (), "positive"),
                    Field("nu"),
                    Field("s"),
                ),
                _SIZES,
            ),
        ),
    ),
)

EQ_36 = Statement(
    id="square:eq-36",
    kind="equation",
    title="The step of SGD with balanced batches",
    source=Source("square", "(36)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "the mean over a batch of B = bC",
            r"With $G = \frac1B\sum 2\rho(\rho f_V(x) - \tilde e)h^\top + 2\nu V_L$, a step $sU$ "
            r"in $V_L$ changes the Lagrangian of the batch by exactly $s\langle G, U\rangle + s^2"
            r"(\frac{\rho^2}B\sum|Uh|^2 + \nu|U|^2)$: $G$ is its gradient.",
            Claim(
                gradient_claim,
                (*_LAYER, Field("u", ("C", "d")), Field("rho"), Field("nu"), Field("s")),
                _SIZES,
            ),
            remark="The text has batches of B samples per class, b a divisor of N, and the theorem "
            "B a divisor of N with B = bC: the formulas have B = bC samples in all, and all that "
            "is used is that b divides N.",
        ),
    ),
)

EQ_37 = Statement(
    id="square:eq-37",
    kind="equation",
    title="The multiplier of the balanced step",
    source=Source("square", "(37)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "the norm to first order",
            r"At $|V_L| = 1$, with $\nu = -\frac1B\sum\rho f_V(x)^\top(\rho f_V(x) - \tilde e)$, "
            r"which the trace of the first line gives, the step of (36) has $|V_L - \eta G|^2 = 1 "
            r"+ \eta^2|G|^2$.",
            Claim(multiplier_claim, (*_LAYER, Field("rho"), Field("eta")), _SIZES),
            remark="The term that is dropped is known, and never negative: without "
            "renormalisation the norm grows with every step that is one.",
        ),
    ),
)


# -- Equations (38) to (41) -----------------------------------------------------------------------


def tangent_claim(xp: Any, *, v: Any, h: Any, rho: Any, lambda_: Any) -> Judgement:
    """(38) is (36) with (37), tangent to the sphere, and with the scale the gradient in W."""
    V = unit(xp, v)
    f = outputs(xp, V, h)
    r = residuals(xp, f, rho)
    found = normalised_gradient(xp, V, h, f, rho)
    along = class_mean(xp, dot(xp, f, r))
    rows = along[:, None, None] * V - mean_outer(xp, r, h)
    in_rho = 2 * (along + lambda_ * rho)
    whole = mean_outer(xp, r, h) + (lambda_ * rho)[:, None, None] * V
    size = xp.sum(square_norm(xp, found / rho[:, None, None]), axis=-1)
    return Judgement(
        (),
        (
            Comparison("matrix", gradient(xp, V, h, f, rho, multiplier(xp, f, rho)), found, "="),
            Comparison("row", found, -2 * rho[:, None, None] * rows, "="),
            Comparison("tangent", xp.sum(dot(xp, found, V), axis=-1), 0 * rho, "="),
            Comparison(
                "with the scale",
                size + in_rho * in_rho,
                4 * xp.sum(square_norm(xp, whole), axis=-1),
                "=",
            ),
        ),
    )


def by_class(xp: Any, V: Any, h: Any, f: Any, rho: Any) -> Any:
    """The last two lines of (39), row by row: (B, C, d)."""
    C, N = h.shape[1:3]
    r = residuals(xp, f, rho)
    along = dot(xp, f, r)
    scaled = rho[:, None, None, None] * f
    found = []
    for c in range(C):
        own = along[:, c, :, None] * V[:, c, None, :]
        own = own - (scaled[:, c, :, c] - 1)[..., None] * h[:, c]
        total = xp.sum(own, axis=1)
        for other in [r for r in range(C) if r != c]:
            rest = along[:, other, :, None] * V[:, c, None, :]
            wrong = scaled[:, other, :, c] + (0 * rho[:, None] + 1) / (C - 1)
            total = total + xp.sum(rest - wrong[..., None] * h[:, other], axis=1)
        found.append(-2 * rho[:, None] * total / (C * N))
    return xp.stack(found, axis=1)


def by_class_claim(xp: Any, *, v: Any, h: Any, rho: Any) -> Judgement:
    """The gradient of a row, split into its own class and the others."""
    f = outputs(xp, v, h)
    found = normalised_gradient(xp, v, h, f, rho)
    return Judgement((), (Comparison("rows", found, by_class(xp, v, h, f, rho), "="),))


def under_property_2(xp: Any, V: Any, h: Any, rho: Any, alpha: Any) -> Any:
    """The left side of (40), row by row: (B, C, d)."""
    C, N = h.shape[1:3]
    sums = xp.sum(h, axis=2)
    share = (2 * rho / (C * N) * (alpha - 1))[:, None]
    pull = (2 * alpha * (alpha - 1) * C / (C - 1))[:, None]
    rows = []
    for c in range(C):
        others = xp.sum(sums[:, [r for r in range(C) if r != c]], axis=1)
        rows.append(share * sums[:, c] - share / (C - 1) * others - pull * V[:, c])
    return xp.stack(rows, axis=1)


def property_2_claim(xp: Any, *, v: Any, h: Any, g: Any, rho: Any, alpha: Any) -> Judgement:
    """(40), and what replacing the first sample of the first class by one of features g changes."""
    C, N = h.shape[1:3]

    def of(features: Any) -> Any:
        f = symmetric_outputs(xp, features, rho, alpha)
        return by_class(xp, v, features, f, rho)

    first = xp.stack([g, *(h[:, 0, n] for n in range(1, N))], axis=1)
    other = xp.stack([first, *(h[:, c] for c in range(1, C))], axis=1)
    row = targets(xp, rho, C)[:, 0, :, None] * (h[:, 0, 0] - g)[:, None, :]
    factor = (2 * rho / (C * N) * (alpha - 1))[:, None, None]
    return Judgement(
        (),
        (
            Comparison("equation", of(h), under_property_2(xp, v, h, rho, alpha), "="),
            Comparison("one sample exchanged", of(h) - of(other), factor * row, "="),
        ),
    )


def batches_claim(sign: int) -> Any:
    """Return the claim of the lines of (41), the third with a sign; h is (C, batches, b, d)."""

    def judge(xp: Any, *, v: Any, h: Any, rho: Any, alpha: Any) -> Judgement:
        C, number, b = h.shape[1:4]
        whole = xp.reshape(h, (-1, C, number * b, h.shape[4]))

        parts = xp.stack([h[:, :, i] for i in range(number)], axis=1)
        zero = 0 * parts[:, :, 0, 0, 0]

        def of(matrix: Any, features: Any, scale: Any, share: Any) -> Any:
            f = symmetric_outputs(xp, features, scale, share)
            return gradient(xp, matrix, features, f, scale, multiplier(xp, f, scale))

        of_parts = of(
            xp.reshape(v[:, None] + zero[:, :, None, None], (-1, C, h.shape[4])),
            xp.reshape(parts, (-1, C, b, h.shape[4])),
            xp.reshape(rho[:, None] + zero, (-1,)),
            xp.reshape(alpha[:, None] + zero, (-1,)),
        )
        first = xp.mean(xp.reshape(of_parts, (-1, number, C, h.shape[4])), axis=1)
        second = of(v, whole, rho, alpha)
        f = symmetric_outputs(xp, whole, rho, alpha)
        third = -sign * normalised_gradient(xp, v, whole, f, rho)
        fourth = under_property_2(xp, v, whole, rho, alpha)
        return Judgement(
            (),
            (
                Comparison("mean over batches", first, second, "="),
                Comparison("third line", second, third, "="),
                Comparison("fourth line", second, fourth, "="),
            ),
        )

    return judge


_RHO_ALPHA = (Field("rho", (), "positive"), Field("alpha"))
_PARTITION = (Field("v", ("C", "d")), Field("h", ("C", "batches", "b", "d")), *_RHO_ALPHA)
_PARTITION_SIZES = {"C": (2, 3), "batches": (1, 3), "b": (1, 2), "d": (1, 2)}
_LINES = (
    r"With $\rho f_V = \alpha\tilde e$ on all samples and a partition of the data into balanced "
    r"batches, the mean of the batches' gradients in $V_L^c$ is that of the data, which is $"
)
_FOURTH = (
    r"\frac{2\rho}{NC}\sum_{c',n}[f_V^\top(\rho f_V - \tilde e_{c'})V_L^c - (\rho f_V^{(c)} - "
    r"\tilde e_{c'}^{(c)})h]$ and $\frac{2\rho}{NC}(\alpha-1)(\sum_n h(x_{cn}) - \frac1{C-1}"
    r"\sum_{c' \ne c}\sum_n h(x_{c'n})) - \frac{2\alpha(\alpha-1)C}{C-1}V_L^c$."
)

EQ_38 = Statement(
    id="square:eq-38",
    kind="equation",
    title="The normalised gradient, as a matrix and by rows",
    source=Source("square", "(38)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "both lines, the sums over both terms",
            r"$\frac{\partial L}{\partial V_L} = -\frac{2\rho}B\sum[f^\top(\rho f - \tilde e)V_L "
            r"- (\rho f - \tilde e)h^\top]$, row by row too. It is tangent to the sphere, and with "
            r"$W = \rho V_L$: $\frac1{\rho^2}|\frac{\partial L}{\partial V_L}|^2 + "
            r"(\frac{\partial L}{\partial\rho})^2 = 4|\frac1B\sum(Wh - \tilde e)h^\top + \lambda "
            r"W|^2$.",
            Claim(
                tangent_claim,
                (*_LAYER, Field("rho", (), "positive"), Field("lambda_", (), "positive")),
                _SIZES,
            ),
            remark="The last identity is ours: scale and direction are at rest together exactly "
            "where the last layer with weight decay is.",
        ),
    ),
)

EQ_39 = Statement(
    id="square:eq-39",
    kind="equation",
    title="Equilibrium by class",
    source=Source("square", "(39)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "the gradient of a row, split",
            r"$\frac{\partial L}{\partial V_L^c} = -\frac{2\rho}B\sum_n[f^\top(\rho f - \tilde "
            r"e_c)V_L^c - (\rho f^{(c)} - 1)h(x_{cn})] - \frac{2\rho}B\sum_{c' \ne c}\sum_n[f^\top"
            r"(\rho f - \tilde e_{c'})V_L^c - (\rho f^{(c)} + \frac1{C-1})h(x_{c'n})]$.",
            Claim(by_class_claim, (*_LAYER, Field("rho")), _SIZES),
        ),
    ),
)

EQ_40 = Statement(
    id="square:eq-40",
    kind="equation",
    title="Equilibrium under Property 2, and batches that differ in one sample",
    source=Source("square", "(40)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "one constant, and the step to NC1",
            r"With $\rho f_V = \alpha\tilde e$ on the batch, (39) is $\frac{2\rho}B(\alpha-1)"
            r"\sum_n h(x_{cn}) - \frac{2\rho}B\frac{\alpha-1}{C-1}\sum_{c' \ne c}\sum_n "
            r"h(x_{c'n}) - \frac{2\alpha(\alpha-1)C}{C-1}V_L^c$. Exchanging one sample of class 1 "
            r"changes the rows by $\frac{2\rho}B(\alpha-1)\tilde e_1^{(c)}(h - h')$.",
            Claim(
                property_2_claim,
                (*_LAYER, Field("g", ("d",)), *_RHO_ALPHA),
                {"C": (2, 3), "N": (1, 3), "d": (1, 3)},
            ),
            remark="So two batches at rest have h = h' if rho > 0 and alpha is not 1, and if there "
            "are two batches: b < N.",
        ),
    ),
)

EQ_41 = Statement(
    id="square:eq-41",
    kind="equation",
    title="The sum over the batches of a partition",
    source=Source("square", "(41)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "every line, as typeset",
            _LINES + _FOURTH,
            Claim(batches_claim(1), _PARTITION, _PARTITION_SIZES),
            defect="The third line has lost the sign of (38); the fourth has it again. At an "
            "equilibrium all lines are zero, so nothing follows from the slip.",
        ),
        Variant(
            "corrected",
            "every line, with the sign of (38)",
            _LINES + "-" + _FOURTH,
            Claim(batches_claim(-1), _PARTITION, _PARTITION_SIZES),
        ),
    ),
)

STATEMENTS = (EQ_35, EQ_36, EQ_37, EQ_38, EQ_39, EQ_40, EQ_41)
