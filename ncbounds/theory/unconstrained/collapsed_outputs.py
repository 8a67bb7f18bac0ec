"""Outputs collapsed to one point a class have a lower cross-entropy, and by exactly how much.

The setting of `review` without regularisation: outputs h of shape (K, n, K), n samples of each of
K classes, and a weight p for each sample, its probability up to a common factor. With Phi the
softmax function, the loss of logits h of class k is ``-log Phi_k(h) = log sum exp h - h_k``.
Collapse replaces the outputs of a class by one point ``z_k``; the loss is convex, so the mean over
the class is the right point, and the excess is a mean Kullback-Leibler divergence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ncbounds.arithmetic.formula import formula, nonnegative
from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.softmax_code.temperature import log_sum_exp
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

_SPREAD = nonnegative("v", "mean squared distance of outputs from their class means", "v")


# -- the setting ----------------------------------------------------------------------------------


def losses(xp: Any, h: Any) -> Any:
    """Cross-entropy of logits h (B, K, n, K) whose class is the second axis: (B, K, n)."""
    return log_sum_exp(xp, h) - own_logits(xp, h)


def own_logits(xp: Any, h: Any) -> Any:
    """The entry of each sample's own class, the second axis: (B, K, n, K) to (B, K, n)."""
    return xp.stack([h[:, k, :, k] for k in range(h.shape[1])], axis=1)


def log_softmax(xp: Any, h: Any) -> Any:
    """The logarithm of the softmax function over the last axis."""
    return h - log_sum_exp(xp, h)[..., None]


def divergence(xp: Any, share: Any, step: Any) -> tuple[Any, Any]:
    """``KL(Phi(z) || Phi(z + step))``, and log Phi(z + step) - log Phi(z), for share = Phi(z).

    The first is log sum exp less its tangent at z. Steps are taken from their first entry on, so
    that a multiple of (1, ..., 1) leaves exactly nothing.
    """
    step = step - step[..., :1]
    u = step - dot(xp, share + 0 * step, step)[..., None]
    top = xp.max(u, axis=-1)
    # log sum share e^u with the largest exponential outside
    rest = xp.sum(share * (xp.exp(u - top[..., None]) - xp.exp(-top)[..., None]), axis=-1)
    more = top + xp.log1p(xp.expm1(-top) + rest)
    return more, u - more[..., None]


def weighted(xp: Any, values: Any, p: Any) -> Any:
    """Mean of values (B, K, n) with weights p of the same shape: (B,)."""
    total = xp.sum(xp.sum(p, axis=-1), axis=-1)
    return xp.sum(xp.sum(values * p, axis=-1), axis=-1) / total


def about_means(xp: Any, h: Any, p: Any) -> tuple[Any, Any]:
    """The mean output of each class under the weights (B, K, 1, K), and the outputs less that.

    Both from the first sample of the class on, so that equal outputs leave exactly nothing.
    """
    first = h[:, :, :1]
    away = h - first
    total = xp.sum(p, axis=-1)[:, :, None, None]
    mean = xp.sum(p[..., None] * away, axis=2, keepdims=True) / total
    return first + mean, away - mean


@formula(_SPREAD)
def most_excess(xp: Any, v: Any) -> Any:
    """Upper bound on the risk lost by the spread of the outputs of classes."""
    return v / 4


# -- equation (10) --------------------------------------------------------------------------------


def with_factor(factor: Callable[[int, int], Any]) -> Callable[..., Judgement]:
    """The risk at the class means times a factor of (K, n) is at most the risk."""

    def judge(xp: Any, *, h: Any) -> Judgement:
        K, n = h.shape[1:3]
        top, bottom = factor(K, n)
        z = xp.mean(h, axis=2, keepdims=True) * top / bottom + 0 * h
        even = 0 * h[..., 0] + 1
        at = weighted(xp, losses(xp, z), even)
        return Judgement((), (Comparison("risk", at, weighted(xp, losses(xp, h), even)),))

    return judge


def by_share(xp: Any, *, h: Any, p: Any) -> Judgement:
    """The excess of the risk over the risk of the means is a mean divergence."""
    z, step = about_means(xp, h, p)
    at_z = log_softmax(xp, z)
    share = xp.exp(at_z)
    risk = weighted(xp, losses(xp, h), p)
    collapsed = weighted(xp, -own_logits(xp, at_z), p)
    divergences, change = divergence(xp, share, step)
    excess = weighted(xp, divergences, p)
    larger = xp.exp(at_z + xp.maximum(change, 0 * change))
    shift = -xp.sum(larger * xp.expm1(-xp.abs(change)), axis=-1)
    spread = xp.max(step, axis=-1) + xp.max(-step, axis=-1)
    v = weighted(xp, square_norm(xp, step), p)
    return Judgement(
        (),
        (
            Comparison("risk", collapsed, risk),
            Comparison("excess", risk, collapsed + excess, "="),
            Comparison("at least", weighted(xp, shift * shift, p) / 2, excess),
            Comparison("at most", excess, weighted(xp, spread * spread, p) / 8),
            Comparison("variance", excess, most_excess(xp, v=v)),
        ),
    )


_OUTPUTS = Field("h", ("K", "n", "K"))
_SIZES = {"K": (2, 4), "n": (1, 4)}
_LOWER = r"$\mathcal R(\bar h) \le \mathcal R(h)$ for $\bar h = z_k$ on class $k$."

EQ_10 = Statement(
    id="review:eq-10",
    kind="equation",
    title="Class-collapsed outputs and their risk",
    source=Source("review", "(10)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "1/n times the integral, the data a probability measure",
            rf"With $z_k = \frac1n\int_{{C_k}} h\,\mathrm d\mathbb P$, {_LOWER}",
            Claim(with_factor(lambda K, n: (1, K * n)), (_OUTPUTS,), _SIZES),
            defect="For a probability measure the integral over a class is P(C_k) times its mean, "
            "and 1/n shrinks it further: z_k is mean/(K n) for N samples of weight 1/N, whose risk "
            "is higher where the classes are separated. The sketch in A.2 needs the mean.",
        ),
        Variant(
            "printed",
            "1/n times the sum over the samples",
            rf"With $z_k = \frac1n\sum_i h(x_i^k)$, {_LOWER}",
            Claim(with_factor(lambda K, n: (1, 1)), (_OUTPUTS,), _SIZES),
            remark="The measure counts the samples of a class. Equality where outputs of a class "
            "differ by multiples of (1, ..., 1).",
        ),
        Variant(
            "corrected",
            "by the share of the class, with the excess",
            r"With $z_k = \frac1{\mathbb P(C_k)}\int_{C_k}h\,\mathrm d\mathbb P$: "
            r"$\mathcal R(h) = \mathcal R(\bar h) + E$, $E = \int\mathrm{KL}(\Phi(z_k)\,\|\,"
            r"\Phi(h))\,\mathrm d\mathbb P \ge 0$, and $\frac12\int\|\Phi(z_k) - \Phi(h)\|_1^2 "
            r"\le E \le \frac18\int(\max - \min)^2(h - z_k) \le \frac14\int|h - z_k|^2$.",
            Claim(by_share, (_OUTPUTS, Field("p", ("K", "n"), "positive")), _SIZES),
            (Bound("risk lost by the spread of outputs", most_excess, "upper"),),
            remark="Any class sizes and any measure of finite support. The excess is zero only "
            "where Phi(h) = Phi(z_k), so exactly where h - z_k is a multiple of (1, ..., 1); both "
            "sides are attained in the limit of small spreads at K = 2.",
        ),
    ),
)


# -- equation (55) --------------------------------------------------------------------------------


def softmax_form(xp: Any, z: Any, v: Any) -> Any:
    """``v^T D^2 Phi_1(z) v`` from the matrix of second derivatives: (B, K) twice to (B,)."""
    p = xp.exp(log_softmax(xp, z))
    K = z.shape[-1]
    total = 0 * p[:, 0]
    for i in range(K):
        for j in range(K):
            of_own = (int(i == 0) - p[:, i]) * (int(j == 0) - p[:, j])
            entry = p[:, 0] * (of_own - p[:, i] * (int(i == j) - p[:, j]))
            total = total + entry * v[:, i] * v[:, j]
    return total


def probability(xp: Any, *, h: Any, v: Any) -> Judgement:
    """The step of the sketch: a mean of Phi_1 against Phi_1 of the mean, and its Hessian."""
    z = xp.mean(h, axis=1)
    mean = xp.mean(xp.exp(log_softmax(xp, h)[..., 0]), axis=-1)
    form = softmax_form(xp, z, v)
    return Judgement(
        (),
        (
            Comparison("integral", xp.exp(log_softmax(xp, z)[:, 0]), mean),
            Comparison("Hessian", 0 * form, form),
        ),
    )


def loss_form(xp: Any, *, h: Any, v: Any, shift: Any) -> Judgement:
    """The sketch with -log Phi_1 in the place of Phi_1."""
    z = xp.mean(h, axis=1)
    p = xp.exp(log_softmax(xp, z))
    mean = dot(xp, p, v)
    form = dot(xp, p, v * v) - mean * mean
    K = z.shape[1]
    pairs = [(i, j) for i in range(K) for j in range(i)]
    products = [p[:, i] * p[:, j] * (v[:, i] - v[:, j]) * (v[:, i] - v[:, j]) for i, j in pairs]
    across = v - xp.mean(v, axis=-1, keepdims=True)
    first = -log_softmax(xp, h)[..., 0]
    at = -log_softmax(xp, z)[:, 0]
    tied = z[:, None, :] + (shift - xp.mean(shift, axis=-1, keepdims=True))[..., None]
    return Judgement(
        (),
        (
            Comparison("Hessian", form, xp.sum(xp.stack(products, axis=1), axis=1), "="),
            Comparison("strictly convex", xp.min(p, axis=-1) * square_norm(xp, across), form),
            Comparison("integral", at, xp.mean(first, axis=-1)),
            Comparison("equality", xp.mean(-log_softmax(xp, tied)[..., 0], axis=-1), at, "="),
        ),
    )


def not_convex(xp: Any, *, z: Any, v: Any) -> Judgement:
    """The Hessian of Phi_1: its form, and a direction in which it is negative."""
    p = xp.exp(log_softmax(xp, z))
    mean = dot(xp, p, v)
    variance = dot(xp, p, v * v) - mean * mean
    own = v[:, 0] - mean
    rivals = xp.stack(
        [0 * z[:, 0], 1 / p[:, 1], -1 / p[:, 2], *(0 * z[:, j] for j in range(3, z.shape[1]))],
        axis=1,
    )
    return Judgement(
        (),
        (
            Comparison("form", softmax_form(xp, z, v), p[:, 0] * (own * own - variance), "="),
            Comparison(
                "negative",
                softmax_form(xp, z, rivals),
                -p[:, 0] * (1 / p[:, 1] + 1 / p[:, 2]),
                "=",
            ),
        ),
    )


EQ_55 = Statement(
    id="review:eq-55",
    kind="equation",
    title="Risk of collapsed outputs, by the softmax function",
    source=Source("review", "A.2, (55)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the integral of Phi_k, as typeset",
            r"$\int_{C_k}\Phi_k(h) \ge \int_{C_k}\Phi_k(z_k)$, as the Hessian of $\Phi_k$ is "
            "positive semi-definite.",
            Claim(
                probability,
                (Field("h", ("n", "K")), Field("v", ("K",))),
                {"K": (2, 4), "n": (1, 3)},
            ),
            defect="Phi_k is bounded and not convex: its Hessian is indefinite everywhere for "
            "K >= 3, and negative for K = 2 where Phi_k > 1/2. Besides, a larger Phi_k is a "
            "smaller loss, so the line would show the contrary. What is convex is -log Phi_k.",
        ),
        Variant(
            "corrected",
            "the integral of -log Phi_k",
            r"$D^2(-\log\Phi_k) = \mathrm{diag}\,\Phi - \Phi\Phi^\top$ has the form $\sum_{i<j}"
            r"\Phi_i\Phi_j(v_i - v_j)^2 \ge \min_j\Phi_j\,|v|^2$ for $v \perp 1$; so "
            r"$\int_{C_k}-\log\Phi_k(h) \ge \int_{C_k}-\log\Phi_k(z_k)$, with equality where $h - "
            r"z_k \in \mathrm{span}\{1\}$.",
            Claim(
                loss_form,
                (Field("h", ("n", "K")), Field("v", ("K",)), Field("shift", ("n",))),
                {"K": (2, 4), "n": (1, 3)},
            ),
        ),
        Variant(
            "sharp",
            "where Phi_k is not convex",
            r"$v^\top D^2\Phi_k v = \Phi_k((v_k - \bar v)^2 - \mathrm{Var}_\Phi v)$ with "
            r"$\bar v = \langle\Phi, v\rangle$; for $K \ge 3$ it is "
            r"$-\Phi_k(\frac1{\Phi_i} + \frac1{\Phi_j}) < 0$ at $v = \frac{e_i}{\Phi_i} - "
            r"\frac{e_j}{\Phi_j}$, $i, j \ne k$, whatever the outputs.",
            Claim(not_convex, (Field("z", ("K",)), Field("v", ("K",))), {"K": (3, 5)}),
            remark="For K = 2 the form is Phi_1 (1 - Phi_1)(1 - 2 Phi_1)(v_1 - v_2)^2: convex just "
            "where the sample is misclassified. Collapse maximises no mean probability.",
        ),
    ),
)

STATEMENTS = (EQ_10, EQ_55)
