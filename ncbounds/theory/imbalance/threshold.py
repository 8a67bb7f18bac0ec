r"""Minority collapse in the norm-constrained model (34), with its threshold in closed form.

``K_A`` majority classes have ``R`` times as many samples as each of the ``K_B`` minority classes,
K = K_A + K_B, and the loss is cross-entropy. Minima of which the minority is merged are named by
two numbers, `lean` v and `excess` e >= 0: a minority sample gives each majority class the
probability ``1/(K (1 + v))``, and a minority class has the weight ``w = 1/(1 + e)`` for a
multiplier 1 of the norm bound. At e = 0 is the threshold: a curve in the plane of the ratio R and
the budget ``rho = K (omega_A omega_F)^(1/2)``, with v as its parameter. That the minority is merged
on one side of it and on no other is the matter of `both_sides`.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.imbalance.merging import total_square
from ncbounds.theory.imbalance.pull_and_push import class_losses
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Statement,
    Variant,
)

_MAJORITY = integer("K_A", "number of majority classes", "K_A", at_least=1)
_MINORITY = integer("K_B", "number of minority classes", "K_B", at_least=2)
_LEAN = positive(
    "lean",
    "v, where 1/(K (1 + v)) is the probability that a minority sample gives a majority class",
    "v",
)
_EXCESS = nonnegative("excess", "multiplier of the norms over the weight of a class, less 1", "e")


# -- collapsed minima -----------------------------------------------------------------------------


def across(xp: Any, K_A: Any, K_B: Any, lean: Any, excess: Any) -> Any:
    """``kappa - 1``: kappa is K W times the probability a majority sample gives a minority class.

    ``kappa^2 = 1 + (K_A/K_B) (1 - 1/(1 + e)^2/(1 + v)^2)``, below (K/K_B)^(1/2).
    """
    more = lean + excess + lean * excess
    square = K_A * more * (2 + more) / (K_B * (1 + more) * (1 + more))
    return square / (1 + xp.sqrt(1 + square))


@formula(_MAJORITY, _MINORITY, _LEAN, _EXCESS)
def between_groups(xp: Any, K_A: Any, K_B: Any, lean: Any, excess: Any) -> Any:
    """Nuclear norm r of the part of the logits that tells majority from minority."""
    return K_B * (1 + lean) * (1 + excess) * xp.log1p((K_A + K_B) * lean / K_B)


@formula(_MAJORITY, _MINORITY, _LEAN, _EXCESS)
def majority_margin(xp: Any, K_A: Any, K_B: Any, lean: Any, excess: Any) -> Any:
    """Logit a of a majority sample's own class less that of another majority class."""
    less = across(xp, K_A, K_B, lean, excess)
    far = between_groups(xp, K_A=K_A, K_B=K_B, lean=lean, excess=excess)
    return (1 + less) * far + K_A * (xp.log1p(less) - xp.log1p(-K_B * less / K_A))


def log_excess_weight(xp: Any, K_A: Any, K_B: Any, lean: Any, excess: Any) -> Any:
    """log(W - 1) for the weight W of a majority class; finite where W overflows."""
    rest = (1 - K_B * across(xp, K_A, K_B, lean, excess) / K_A) / (K_A + K_B)
    margin = majority_margin(xp, K_A=K_A, K_B=K_B, lean=lean, excess=excess)
    return margin + xp.log(-xp.expm1(-margin) * rest)


@formula(_MAJORITY, _MINORITY, _LEAN, _EXCESS)
def majority_weight(xp: Any, K_A: Any, K_B: Any, lean: Any, excess: Any) -> Any:
    """Weight W = R/(1 + e) of a majority class for a multiplier 1."""
    rest = (1 - K_B * across(xp, K_A, K_B, lean, excess) / K_A) / (K_A + K_B)
    margin = majority_margin(xp, K_A=K_A, K_B=K_B, lean=lean, excess=excess)
    return 1 + rest * xp.expm1(margin)


@formula(_MAJORITY, _MINORITY, _LEAN, _EXCESS)
def collapsed_budget(xp: Any, K_A: Any, K_B: Any, lean: Any, excess: Any) -> Any:
    """The budget K (omega_A omega_F)^(1/2) at which this is the minimum."""
    numbers = {"K_A": K_A, "K_B": K_B, "lean": lean, "excess": excess}
    return (K_A - 1) * majority_margin(xp, **numbers) + between_groups(xp, **numbers)


@formula(_MAJORITY, _MINORITY, _LEAN, _EXCESS)
def collapsed_loss(xp: Any, K_A: Any, K_B: Any, lean: Any, excess: Any) -> Any:
    """Sum of the losses over classes, W for each of the majority and 1/(1 + e) of the minority."""
    numbers = {"K_A": K_A, "K_B": K_B, "lean": lean, "excess": excess}
    less = across(xp, K_A, K_B, lean, excess)
    rivals = K_A - 1 + K_B * (1 + less) / (1 - K_B * less / K_A)
    of_majority = xp.log1p(rivals * xp.exp(-majority_margin(xp, **numbers)))
    of_minority = xp.log((K_A + K_B) * K_B * (1 + lean) / (K_B + (K_A + K_B) * lean))
    return K_A * majority_weight(xp, **numbers) * of_majority + K_B * of_minority / (1 + excess)


def collapsed_factors(xp: Any, K_A: int, K_B: int, lean: Any, excess: Any) -> tuple[Any, Any]:
    """Weights and features of the minimum, (B, K, K_A + 1) each; they span K_A dimensions."""
    K = K_A + K_B
    numbers = {"K_A": 0 * lean + K_A, "K_B": 0 * lean + K_B, "lean": lean, "excess": excess}
    margin = xp.sqrt(majority_margin(xp, **numbers))
    far = xp.sqrt(between_groups(xp, **numbers))
    one = 0 * lean + 1
    kappa = 1 + across(xp, **numbers)
    share = 1 / ((1 + lean) * (1 + excess))
    ends = (
        (xp.sqrt(one * K_B / (K * K_A)), -xp.sqrt(one * K_A / (K * K_B))),
        (kappa * xp.sqrt(one * K_B / (K * K_A)), -share * xp.sqrt(one * K_A / (K * K_B))),
    )
    found = []
    for of_majority, of_minority in ends:
        rows = [
            xp.stack(
                [*(margin * (K_A * (i == k) - 1) / K_A for i in range(K_A)), far * of_majority],
                axis=-1,
            )
            for k in range(K_A)
        ]
        last = xp.stack([*(0 * lean for _ in range(K_A)), far * of_minority], axis=-1)
        found.append(xp.stack([*rows, *(last for _ in range(K_B))], axis=1))
    return found[0], found[1]


def weighted_loss(xp: Any, major: Any, minor: Any, x: Any, y: Any, weights: Any) -> Any:
    """Sum over classes of weight times loss, for one feature a class; weights (2, B)."""
    K_A, K_B = major.shape[1], minor.shape[1]
    A = xp.stack([*(major[:, k] for k in range(K_A)), *(minor[:, k] for k in range(K_B))], axis=1)
    F = xp.stack([*(x[:, k] for k in range(K_A)), *(y[:, k] for k in range(K_B))], axis=1)
    losses = class_losses(xp, F @ xp.matrix_transpose(A))
    return weights[0] * xp.sum(losses[:, :K_A], axis=-1) + weights[1] * xp.sum(
        losses[:, K_A:], axis=-1
    )


def collapsed_minimum(
    xp: Any, *, major: Any, minor: Any, x: Any, y: Any, lean: Any, excess: Any
) -> Judgement:
    """No weights and features do better, and those that come near are nearly merged."""
    K_A, K_B = major.shape[1], minor.shape[1]
    w = 1 / (1 + excess)
    numbers = {"K_A": 0 * lean + K_A, "K_B": 0 * lean + K_B, "lean": lean, "excess": excess}
    weights = (majority_weight(xp, **numbers), w)
    budget, value = collapsed_budget(xp, **numbers), collapsed_loss(xp, **numbers)
    of_weights = total_square(xp, major) + total_square(xp, minor)
    of_features = total_square(xp, x) + total_square(xp, y)
    loss = weighted_loss(xp, major, minor, x, y, weights)
    apart = total_square(xp, minor - xp.mean(minor, axis=1, keepdims=True))
    apart = apart + total_square(xp, y - xp.mean(y, axis=1, keepdims=True))
    A, F = collapsed_factors(xp, K_A, K_B, lean, excess)
    shares = (0 * w + 1, w / weights[0])
    attained = weighted_loss(xp, A[:, :K_A], A[:, K_A:], F[:, :K_A], F[:, K_A:], shares)
    return Judgement(
        (),
        (
            Comparison("norm of its weights", total_square(xp, A), budget, "="),
            Comparison("norm of its features", total_square(xp, F), budget, "="),
            Comparison("its loss", attained, value / weights[0], "="),
            Comparison(
                "within the bounds", value + budget, loss + xp.sqrt(of_weights * of_features)
            ),
            Comparison(
                "minority collapse",
                value + budget + (1 - w) * apart / 2,
                loss + (of_weights + of_features) / 2,
            ),
        ),
    )


def minority_vanishes(
    xp: Any, *, major: Any, minor: Any, x: Any, y: Any, excess: Any, further: Any
) -> Judgement:
    """The norms go to the majority alone, and no weights and features do better."""
    K_A, K_B = major.shape[1], minor.shape[1]
    w = 1 / ((1 + excess) * (1 + further))
    zero = 0 * w
    numbers = {"K_A": zero + K_A, "K_B": zero + K_B, "lean": zero, "excess": excess}
    weights = (majority_weight(xp, **numbers), w)
    budget = collapsed_budget(xp, **numbers)
    # At lean 0 a minority sample gives every class the probability 1/K, whatever its weight.
    uniform = K_B * xp.log(zero + K_A + K_B)
    value = collapsed_loss(xp, **numbers) + (w - 1 / (1 + excess)) * uniform
    norms = [total_square(xp, v) for v in (major, minor, x, y)]
    loss = weighted_loss(xp, major, minor, x, y, weights)
    A, F = collapsed_factors(xp, K_A, K_B, zero, excess)
    shares = (zero + 1, w / weights[0])
    attained = weighted_loss(xp, A[:, :K_A], A[:, K_A:], F[:, :K_A], F[:, K_A:], shares)
    within = loss + xp.sqrt((norms[0] + norms[1]) * (norms[2] + norms[3]))
    return Judgement(
        (),
        (
            Comparison("norm of its weights", total_square(xp, A), budget, "="),
            Comparison("norm of its features", total_square(xp, F), budget, "="),
            Comparison("nothing for the minority", A[:, K_A:], 0 * A[:, K_A:], "="),
            Comparison("its loss", attained, value / weights[0], "="),
            Comparison("within the bounds", value + budget, within),
        ),
    )


# -- the threshold --------------------------------------------------------------------------------


@formula(_MAJORITY, _MINORITY, _EXCESS)
def vanishing_ratio(xp: Any, K_A: Any, K_B: Any, excess: Any) -> Any:
    """The ratio of class sizes from which on weights and features of the minority are zero."""
    return majority_weight(xp, K_A=K_A, K_B=K_B, lean=0 * excess, excess=excess) * (1 + excess)


@formula(_MAJORITY, _MINORITY, _EXCESS)
def vanishing_budget(xp: Any, K_A: Any, K_B: Any, excess: Any) -> Any:
    """The budget K (omega_A omega_F)^(1/2) that belongs to this ratio."""
    return collapsed_budget(xp, K_A=K_A, K_B=K_B, lean=0 * excess, excess=excess)


@formula(_MAJORITY, _MINORITY, _LEAN)
def threshold_ratio(xp: Any, K_A: Any, K_B: Any, lean: Any) -> Any:
    """The ratio of class sizes from which on the minority collapses."""
    return majority_weight(xp, K_A=K_A, K_B=K_B, lean=lean, excess=0 * lean)


@formula(_MAJORITY, _MINORITY, _LEAN)
def threshold_budget(xp: Any, K_A: Any, K_B: Any, lean: Any) -> Any:
    """The budget K (omega_A omega_F)^(1/2) that belongs to this threshold."""
    return collapsed_budget(xp, K_A=K_A, K_B=K_B, lean=lean, excess=0 * lean)


def curve(xp: Any, K_A: Any, K_B: Any, lean: Any) -> tuple[Any, Any]:
    """log(t_0 - 1) and the budget at a point of the threshold curve."""
    return (
        log_excess_weight(xp, K_A, K_B, lean, 0 * lean),
        threshold_budget(xp, K_A=K_A, K_B=K_B, lean=lean),
    )


def log1p_exp(xp: Any, x: Any) -> Any:
    """log(1 + e^x); never overflows."""
    top = xp.maximum(x, 0 * x)
    return top + xp.log(xp.exp(-top) + xp.exp(x - top))


def threshold_curve(xp: Any, *, K_A: Any, K_B: Any, lean: Any, more: Any) -> Judgement:
    """Ratio and budget grow together, and each bounds the other in elementary terms."""
    ratio, budget = curve(xp, K_A, K_B, lean)
    larger, rise = curve(xp, K_A, K_B, lean * (1 + more))
    K = K_A + K_B
    wide = K + xp.sqrt(K * K_B)
    return Judgement(
        (),
        (
            Comparison("ratio", ratio, larger),
            Comparison("budget", budget, rise),
            Comparison("budget at least", (K_A - 1) * log1p_exp(xp, xp.log(K) + ratio), budget),
            Comparison("budget at most", budget, K_A * log1p_exp(xp, xp.log(wide) + ratio)),
        ),
    )


def fewer_minority_classes(fixed_majority: bool) -> Any:
    """Return the claim that one minority class less has no larger threshold."""

    def judge(xp: Any, *, K_A: Any, K_B: Any, lean: Any, factor: Any) -> Judgement:
        ratio, budget = curve(xp, K_A + (0 if fixed_majority else 1), K_B, lean)
        larger, more = curve(xp, K_A, K_B + 1, lean * factor)
        K = K_A + K_B + (0 if fixed_majority else 1)
        return Judgement(
            (Comparison("bounds no larger", budget / K, more / (K_A + K_B + 1)),),
            (Comparison("threshold", ratio, larger),),
        )

    return judge


_NUMBERS = (
    Field("K_A", (), "integer", least=1),
    Field("K_B", (), "integer", least=2),
    Field("lean", (), "positive"),
)
_CURVE = (
    Bound("threshold ratio t_0", threshold_ratio, "value"),
    Bound("budget K (omega_A omega_F)^(1/2)", threshold_budget, "value"),
)

COLLAPSE = (
    Variant(
        "printed",
        "minority collapse",
        r"Let $v > 0$, $e \ge 0$, $p = (1 + v)(1 + e)$, $\kappa = \sqrt{1 + \frac{K_A}{K_B}(1 - "
        r"p^{-2})}$, $r = K_Bp\log(1 + \frac K{K_B}v)$, $a = \kappa r + K_A\log"
        r"\frac{K_A\kappa}{K - K_B\kappa}$, $W = 1 + \frac{K - K_B\kappa}{KK_A}(e^a - 1)$. For "
        r"the ratio $R = (1 + e)W$ of class sizes and $K\sqrt{\Omega_A\Omega_F} = (K_A - 1)a + r$ "
        r"the minimum of (34) is attained where the rows of $A$ of all minority classes are one "
        r"vector, and nowhere else if $e > 0$: with $w = \frac1{1 + e}$, $W\sum_{k \le K_A}\ell_k "
        r"+ w\sum_{k > K_A}\ell_k + \frac12|A|^2 + \frac12|F|^2$ exceeds its minimum by at least "
        r"$\frac{1 - w}2(|A_\perp|^2 + |F_\perp|^2)$.",
        Claim(
            collapsed_minimum,
            (
                Field("major", ("C", "m")),
                Field("minor", ("O", "m")),
                Field("x", ("C", "m"), like="major"),
                Field("y", ("O", "m"), like="minor"),
                Field("lean", (), "positive"),
                Field("excess", (), "nonnegative"),
            ),
            {"C": (1, 3), "O": (2, 3), "m": (1, 3)},
        ),
        (
            Bound("weight of a majority class", majority_weight, "value"),
            Bound("budget K (omega_A omega_F)^(1/2)", collapsed_budget, "value"),
            Bound("weighted sum of losses", collapsed_loss, "value"),
        ),
        remark="Cross-entropy, one size of majority and one of minority classes, m >= K_A. Seen "
        "in experiments there, proved here. The classifiers coincide, and at v = 0 they vanish.",
    ),
    Variant(
        "sharp",
        "the minority vanishes",
        r"Let $K_A \ge 2$, and $\kappa$, $a$, $W$ as above for $v = 0$ and $e > 0$, where $r = 0$. "
        r"For every ratio $R \ge (1 + e)W$ of class sizes and $K\sqrt{\Omega_A\Omega_F} = (K_A - "
        r"1)a$ the minimum of (34) is attained where the weights and features of all minority "
        r"classes are zero: there is no angle between them any more.",
        Claim(
            minority_vanishes,
            (
                Field("major", ("C", "m")),
                Field("minor", ("O", "m")),
                Field("x", ("C", "m"), like="major"),
                Field("y", ("O", "m"), like="minor"),
                Field("excess", (), "positive"),
                Field("further", (), "nonnegative"),
            ),
            {"C": (2, 3), "O": (2, 3), "m": (1, 3)},
        ),
        (
            Bound("ratio from which on the minority vanishes", vanishing_ratio, "value"),
            Bound("budget K (omega_A omega_F)^(1/2)", vanishing_budget, "value"),
        ),
        remark="A second threshold, above t_0, and only for budgets below K_A (K_A - 1) log(1 + "
        "(K/K_B)^(1/2)): with more, some of the norm tells majority from minority at any ratio.",
    ),
    Variant(
        "printed",
        "thresholds fall with the number of minority classes, the majority fixed",
        r"With fewer minority classes, the majority classes, $\Omega_A$ and $\Omega_F$ being the "
        r"same, the threshold $t_0$ is smaller.",
        Claim(
            fewer_minority_classes(True),
            (*_NUMBERS, Field("factor", (), "positive")),
        ),
        defect="For small budgets it is the other way round: t_0 = 1 + (omega_A omega_F)^(1/2) "
        "/(K_A - 1 + K_B/K) to first order, which falls as K_B grows. One majority class and "
        "(omega_A omega_F)^(1/2) = 1/10: t_0 = 1.169 with two minority classes, 1.159 with five.",
    ),
    Variant(
        "printed",
        "thresholds fall with the number of minority classes, all classes fixed",
        r"With fewer minority classes among the same number of classes, $\Omega_A$ and $\Omega_F$ "
        r"being the same, the threshold $t_0$ is smaller.",
        Claim(
            fewer_minority_classes(False),
            (*_NUMBERS, Field("factor", (), "positive")),
        ),
        remark="As in the cited experiments.",
    ),
    Variant(
        "sharp",
        "the threshold",
        r"The threshold $t_0$ of (34) and its budget are $R$ and $\rho = K\sqrt{\Omega_A\Omega_F}$ "
        r"at $e = 0$; as $v$ grows from 0 both rise from $(1, 0)$ without bound. So for every "
        r"budget there is one threshold $t_0 > 1$, it grows with $\Omega_A\Omega_F$, and "
        r"$(K_A - 1)\log(1 + K(t_0 - 1)) \le \rho \le K_A\log(1 + (K + \sqrt{KK_B})(t_0 - "
        r"1))$.",
        Claim(
            threshold_curve,
            (*_NUMBERS, Field("more", (), "nonnegative")),
        ),
        _CURVE,
        remark="That the minority collapses exactly if r_ib >= t_0 is the wording on both sides.",
    ),
)

#: Its wordings are those of review:eq-34, which `minority_collapse` states.
STATEMENTS: tuple[Statement, ...] = ()
