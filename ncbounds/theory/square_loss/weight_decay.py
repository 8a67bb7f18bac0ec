"""The square loss with a weight decay of features and weights: its least value, and the gap.

``L_reg = L + lambda/2 (alpha^2 + C beta^2)``, the setting of `bnwd:theorem-2.2` with the square
loss of `square:sharp-2`. With ``Lambda = sqrt(C) lambda < 2`` the least value is that of
``(1 - k p)^2/k + Lambda p`` over products p of norms, at ``p* = (1 - Lambda/2)/k``.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import Condition, formula, integer, nonnegative, positive
from ncbounds.theory.proximity.alignment import cosine_deficit, quotient
from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
from ncbounds.theory.square_loss.collapse import centred, mean_error, outputs
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

_C = integer("C", "number of classes", "C", at_least=2)
_LAMBDA = positive("lambda", "weight decay", r"\lambda")
_BELOW = Condition("sqrt(C) lambda < 2", lambda xp, C, lambda_, **_: 4 - C * lambda_ * lambda_)
_EPSILON = nonnegative("epsilon", "regularised loss above its least value", r"\epsilon")
_ALPHA = positive("alpha", "root mean square feature norm", r"\alpha")
_BETA = positive("beta", "root mean square weight norm", r"\beta")


@formula(_C, _LAMBDA, conditions=(_BELOW,))
def best_product(xp: Any, C: Any, lambda_: Any) -> Any:
    """The product p* of the norms at the least regularised loss."""
    return (C - 1) * (1 - xp.sqrt(C) * lambda_ / 2) / C


@formula(_C, _LAMBDA, conditions=(_BELOW,))
def least_loss(xp: Any, C: Any, lambda_: Any) -> Any:
    """Least regularised loss."""
    combined = xp.sqrt(C) * lambda_
    return (C - 1) * combined * (1 - combined / 4) / C


@formula(_C, _LAMBDA, _EPSILON, _ALPHA, _BETA)
def gap_share(xp: Any, C: Any, lambda_: Any, epsilon: Any, alpha: Any, beta: Any) -> Any:
    """Upper bound on s = 1 - (1 - e)/T from the gap of the regularised loss."""
    return epsilon / (xp.sqrt(C) * lambda_ * alpha * beta)


def gap_split(xp: Any, *, w: Any, h: Any, bias: Any, share: Any) -> Judgement:
    """The gap of the regularised loss, split, and what it says; Lambda is twice the share."""
    of = outputs(xp, h, w, bias)
    C, wdot, mean = of.C, centred(xp, w), xp.mean(w, axis=1)
    root = xp.sqrt(0 * share + C)
    lambda_ = 2 * share / root
    beta = xp.sqrt(xp.mean(square_norm(xp, w), axis=-1))
    norms = of.alpha * of.alpha + C * beta * beta
    given = {"C": 0 * share + C, "lambda_": lambda_}
    best = of.k * best_product(xp, **given)
    away = of.margins - best[:, None, None]
    off = h - root[:, None, None, None] * wdot[:, :, None, :]
    distance = class_mean(xp, square_norm(xp, off))
    terms = (
        class_mean(xp, away * away) / of.k,
        lambda_ / 2 * distance,
        lambda_ * C / 2 * square_norm(xp, mean),
        of.off,
    )
    least = least_loss(xp, **given)
    loss = of.loss + lambda_ / 2 * norms
    gap = sum(terms)
    s = 1 - (1 - mean_error(xp, C=given["C"], L=of.loss)) / (of.k * of.alpha * beta)
    bound = gap_share(xp, **given, epsilon=gap, alpha=of.alpha, beta=beta)
    means = xp.mean(h, axis=2)
    variance = class_mean(xp, square_norm(xp, h - means[:, :, None, :]))
    stacked = xp.sum(square_norm(xp, means), axis=-1) * xp.sum(square_norm(xp, wdot), axis=-1)
    product = xp.sum(xp.sum(wdot * means, axis=-1), axis=-1)
    kept = xp.maximum(1 - bound, 0 * bound)
    return Judgement(
        (),
        (
            Comparison("the gap, split", loss, least + gap, "="),
            Comparison("least", least, loss),
            Comparison("s", s, bound),
            Comparison("NC1", variance / (of.alpha * of.alpha), 1 - kept * kept),
            Comparison(
                "NC3",
                1 - quotient(xp, product, xp.sqrt(stacked), -1),
                cosine_deficit(xp, 1 - bound),
            ),
            Comparison("distance", distance, 2 * gap / lambda_),
        ),
    )


SHARP_3 = Statement(
    id="square:sharp-3",
    kind="theorem",
    title="The regularised square loss: its gap and what it says of collapse",
    source=Source("square", "ncbounds: Theorem 6 with a weight decay of features and weights"),
    topic="square_loss",
    variants=(
        Variant(
            "sharp",
            "the gap, split",
            r"In the setting of square:sharp-2 let $\mathcal L_{reg} = \mathcal L + \frac\lambda2"
            r"(\alpha^2 + C\beta^2)$, $\Lambda = \sqrt C\lambda < 2$, $p^* = (1 - "
            r"\frac\Lambda2)/k$, $m_{reg} = \frac1k(1-kp^*)^2 + \Lambda p^*$. Then $\epsilon = "
            r"\mathcal L_{reg} - m_{reg} = \frac1k\overline{(q - kp^*)^2} + \frac\lambda2"
            r"\overline{|h - \sqrt C\dot w_c|^2} + \frac{\lambda C}2|\bar w|^2 + "
            r"\overline{|r|^2}$, and $s = 1 - \frac{1-e}{k\alpha\beta} \le s' = "
            r"\frac\epsilon{\Lambda\alpha\beta}$; so $\mathrm{var} \le 1 - [1-s']_+^2$, "
            r"$1 - \cos \le s'$ if $s' < 1$, and $\overline{|h - \sqrt C\dot w_c|^2} \le "
            r"2\epsilon/\lambda$. A bias is not regularised.",
            Claim(
                gap_split,
                (
                    Field("w", ("C", "d")),
                    Field("h", ("C", "N", "d"), like="w"),
                    Field("bias", ("C",)),
                    Field("share", (), "proportion"),
                ),
                {"C": (2, 5), "N": (1, 4), "d": (1, 6)},
            ),
            (
                Bound("regularised loss", least_loss, "lower"),
                Bound("s, which bounds 1 - cosine where it is below 1", gap_share, "upper", 1),
            ),
            remark="At a minimum all four terms vanish: equal margins, features sqrt(C) times "
            "their centred weights, weights of mean zero, outputs along their targets; it needs "
            "d >= C - 1. For Lambda >= 2 the least loss is that of zero weights.",
        ),
    ),
)

STATEMENTS = (SHARP_3,)
