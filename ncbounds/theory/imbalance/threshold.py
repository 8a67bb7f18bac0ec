r"""Minority collapse in the norm-constrained model (34), with its threshold in closed form.

``K_A`` majority classes have ``R`` times as many samples as each of the ``K_B`` minority classes,
K = K_A + K_B, and the loss is cross-entropy. Every minimum of which the minority is merged is named
by two numbers: `share`, K times the probability that a minority sample gives to each majority
class, and `w`, the weight of a minority class over the multiplier of the norm bound. It is a global
minimum exactly if w <= 1, and w = 1 is the threshold: a curve in the plane of the ratio R and the
budget ``rho = K (omega_A omega_F)^(1/2)``, with `share` as its parameter.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, proportion
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
_SHARE = proportion(
    "share",
    "K times the probability that a minority sample gives to each majority class",
    r"\sigma",
    one_included=False,
)
_WEIGHT = proportion("w", "weight of a minority class over the multiplier", "w")


# -- collapsed minima -----------------------------------------------------------------------------


@formula(_MAJORITY, _MINORITY, _SHARE, _WEIGHT)
def across(xp: Any, K_A: Any, K_B: Any, share: Any, w: Any) -> Any:
    """K times the weight of a majority class times the probability that its samples give to each minority class."""
    return xp.sqrt((K_A + K_B - (w * share) ** 2 * K_A) / K_B)


@formula(_MAJORITY, _MINORITY, _SHARE, _WEIGHT)
def between_groups(xp: Any, K_A: Any, K_B: Any, share: Any, w: Any) -> Any:
    """Nuclear norm of the part of the logits that tells majority from minority."""
    odds = (K_A + K_B - K_A * share) / (K_B * share)
    return K_B * xp.log(odds) / (w * share)


@formula(_MAJORITY, _MINORITY, _SHARE, _WEIGHT)
def majority_margin(xp: Any, K_A: Any, K_B: Any, share: Any, w: Any) -> Any:
    """Logit of a majority sample's own class less that of another majority class."""
    kappa = across(xp, K_A=K_A, K_B=K_B, share=share, w=w)
    rest = (K_A + K_B - K_B * kappa) / K_A
    far = between_groups(xp, K_A=K_A, K_B=K_B, share=share, w=w)
    return kappa * far + K_A * xp.log(kappa / rest)


@formula(_MAJORITY, _MINORITY, _SHARE, _WEIGHT)
def majority_weight(xp: Any, K_A: Any, K_B: Any, share: Any, w: Any) -> Any:
    """Weight of a majority class over the multiplier; R times w."""
    kappa = across(xp, K_A=K_A, K_B=K_B, share=share, w=w)
    rest = (1 - K_B * kappa / (K_A + K_B)) / K_A
    return 1 + rest * xp.expm1(majority_margin(xp, K_A=K_A, K_B=K_B, share=share, w=w))


@formula(_MAJORITY, _MINORITY, _SHARE, _WEIGHT)
def collapsed_budget(xp: Any, K_A: Any, K_B: Any, share: Any, w: Any) -> Any:
    """The budget K (omega_A omega_F)^(1/2) at which this is the minimum."""
    numbers = {"K_A": K_A, "K_B": K_B, "share": share, "w": w}
    return (K_A - 1) * majority_margin(xp, **numbers) + between_groups(xp, **numbers)


@formula(_MAJORITY, _MINORITY, _SHARE, _WEIGHT)
def collapsed_loss(xp: Any, K_A: Any, K_B: Any, share: Any, w: Any) -> Any:
    """Sum of the losses over classes, each with its weight."""
    numbers = {"K_A": K_A, "K_B": K_B, "share": share, "w": w}
    rest = (1 - K_B * across(xp, **numbers) / (K_A + K_B)) / K_A
    weight = majority_weight(xp, **numbers)
    of_majority = xp.log(weight / rest) - majority_margin(xp, **numbers)
    of_minority = xp.log(K_B * (K_A + K_B) / (K_A + K_B - K_A * share))
    return K_A * weight * of_majority + K_B * w * of_minority


def collapsed_factors(xp: Any, K_A: int, K_B: int, share: Any, w: Any) -> tuple[Any, Any]:
    """Weights and features of the minimum, (B, K, K_A + 1) each; they span K_A dimensions."""
    K = K_A + K_B
    numbers = {"K_A": 0 * share + K_A, "K_B": 0 * share + K_B, "share": share, "w": w}
    margin = xp.sqrt(majority_margin(xp, **numbers))
    far = xp.sqrt(between_groups(xp, **numbers))
    one = 0 * share + 1
    kappa = across(xp, **numbers)
    ends = (
        (xp.sqrt(one * K_B / (K * K_A)), -xp.sqrt(one * K_A / (K * K_B))),
        (kappa * xp.sqrt(one * K_B / (K * K_A)), -w * share * xp.sqrt(one * K_A / (K * K_B))),
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
        last = xp.stack([*(0 * share for _ in range(K_A)), far * of_minority], axis=-1)
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
    xp: Any, *, major: Any, minor: Any, x: Any, y: Any, share: Any, excess: Any
) -> Judgement:
    """No weights and features do better, and those that come near are nearly merged."""
    K_A, K_B = major.shape[1], minor.shape[1]
    w = 1 / (1 + excess)
    numbers = {"K_A": 0 * share + K_A, "K_B": 0 * share + K_B, "share": share, "w": w}
    weights = (majority_weight(xp, **numbers), w)
    budget, value = collapsed_budget(xp, **numbers), collapsed_loss(xp, **numbers)
    of_weights = total_square(xp, major) + total_square(xp, minor)
    of_features = total_square(xp, x) + total_square(xp, y)
    loss = weighted_loss(xp, major, minor, x, y, weights)
    apart = total_square(xp, minor - xp.mean(minor, axis=1, keepdims=True))
    apart = apart + total_square(xp, y - xp.mean(y, axis=1, keepdims=True))
    A, F = collapsed_factors(xp, K_A, K_B, share, w)
    attained = weighted_loss(xp, A[:, :K_A], A[:, K_A:], F[:, :K_A], F[:, K_A:], weights)
    return Judgement(
        (),
        (
            Comparison("no fewer majority samples", 0 * w + 1, weights[0]),
            Comparison("norm of its weights", total_square(xp, A), budget, "="),
            Comparison("norm of its features", total_square(xp, F), budget, "="),
            Comparison("its loss", attained, value, "="),
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


# -- the threshold --------------------------------------------------------------------------------


@formula(_MAJORITY, _MINORITY, _SHARE)
def threshold_ratio(xp: Any, K_A: Any, K_B: Any, share: Any) -> Any:
    """The ratio of class sizes from which on the minority collapses."""
    return majority_weight(xp, K_A=K_A, K_B=K_B, share=share, w=0 * share + 1)


@formula(_MAJORITY, _MINORITY, _SHARE)
def threshold_budget(xp: Any, K_A: Any, K_B: Any, share: Any) -> Any:
    """The budget K (omega_A omega_F)^(1/2) that belongs to this threshold."""
    return collapsed_budget(xp, K_A=K_A, K_B=K_B, share=share, w=0 * share + 1)


def curve(xp: Any, K_A: Any, K_B: Any, share: Any) -> tuple[Any, Any]:
    """Ratio and budget at a point of the threshold curve."""
    return (
        threshold_ratio(xp, K_A=K_A, K_B=K_B, share=share),
        threshold_budget(xp, K_A=K_A, K_B=K_B, share=share),
    )


def threshold_curve(xp: Any, *, K_A: Any, K_B: Any, share: Any, less: Any) -> Judgement:
    """Ratio and budget grow together, and each bounds the other in elementary terms."""
    ratio, budget = curve(xp, K_A, K_B, share)
    larger, more = curve(xp, K_A, K_B, share * less)
    K = K_A + K_B
    gap = 1 - xp.sqrt(K_B / K)
    return Judgement(
        (),
        (
            Comparison("more than 1", 0 * ratio + 1, ratio),
            Comparison("ratio", ratio, larger),
            Comparison("budget", budget, more),
            Comparison("budget at least", (K_A - 1) * xp.log1p(K * (ratio - 1)), budget),
            Comparison("budget at most", budget, K_A * xp.log1p(K_A * (ratio - 1) / gap)),
        ),
    )


def fewer_minority_classes(fixed_majority: bool) -> Any:
    """Return the claim that one minority class less has no larger threshold."""

    def judge(xp: Any, *, K_A: Any, K_B: Any, share: Any, other: Any) -> Judgement:
        ratio, budget = curve(xp, K_A + (0 if fixed_majority else 1), K_B, share)
        larger, more = curve(xp, K_A, K_B + 1, other)
        K = K_A + K_B + (0 if fixed_majority else 1)
        return Judgement(
            (Comparison("bounds no larger", budget / K, more / (K_A + K_B + 1)),),
            (Comparison("threshold", ratio, larger),),
        )

    return judge


_NUMBERS = (
    Field("K_A", (), "integer", least=1),
    Field("K_B", (), "integer", least=2),
    Field("share", (), "proportion"),
)
_CURVE = (
    Bound("threshold ratio t_0", threshold_ratio, "value"),
    Bound("budget K (omega_A omega_F)^(1/2)", threshold_budget, "value"),
)

COLLAPSE = (
    Variant(
        "printed",
        "minority collapse",
        r"Let $0 < \sigma < 1$, $0 < w \le 1$, $\kappa = \sqrt{(K - w^2\sigma^2K_A)/K_B}$, $r = "
        r"\frac{K_B}{w\sigma}\log\frac{K - K_A\sigma}{K_B\sigma}$, $a = \kappa r + K_A\log"
        r"\frac{K_A\kappa}{K - K_B\kappa}$, $W = 1 + \frac{K - K_B\kappa}{KK_A}(e^a - 1)$. For "
        r"the ratio $R = W/w$ of class sizes and $K\sqrt{\Omega_A\Omega_F} = (K_A - 1)a + r$ the "
        r"minimum of (34) is attained where the rows of $A$ of all minority classes are one "
        r"vector, and nowhere else if $w < 1$: there $W\sum_{k \le K_A}\ell_k + w\sum_{k > K_A}"
        r"\ell_k + \frac12|A|^2 + \frac12|F|^2$ exceeds its minimum by at least "
        r"$\frac{1 - w}2(|A_\perp|^2 + |F_\perp|^2)$.",
        Claim(
            collapsed_minimum,
            (
                Field("major", ("K_A", "m")),
                Field("minor", ("K_B", "m")),
                Field("x", ("K_A", "m"), like="major"),
                Field("y", ("K_B", "m"), like="minor"),
                Field("share", (), "proportion"),
                Field("excess", (), "nonnegative"),
            ),
            {"K_A": (1, 3), "K_B": (2, 3), "m": (1, 3)},
        ),
        (
            Bound("weight of a majority class", majority_weight, "value"),
            Bound("budget K (omega_A omega_F)^(1/2)", collapsed_budget, "value"),
            Bound("weighted sum of losses", collapsed_loss, "value"),
        ),
        remark="Cross-entropy, one size of majority and one of minority classes, m >= K_A. Seen "
        "in experiments there; proved here, for every budget. The classifiers coincide; they "
        "vanish only with the budget.",
    ),
    Variant(
        "printed",
        "thresholds fall with the number of minority classes, the majority fixed",
        r"With fewer minority classes, the majority classes, $\Omega_A$ and $\Omega_F$ being the "
        r"same, the threshold $t_0$ is smaller.",
        Claim(
            fewer_minority_classes(True),
            (*_NUMBERS, Field("other", (), "proportion")),
        ),
        defect="For small budgets it is the other way round: t_0 = 1 + (omega_A omega_F)^(1/2) "
        "K/((K_A - 1) K + K_B) to first order, which falls as K_B grows.",
    ),
    Variant(
        "printed",
        "thresholds fall with the number of minority classes, all classes fixed",
        r"With fewer minority classes among the same number of classes, $\Omega_A$ and $\Omega_F$ "
        r"being the same, the threshold $t_0$ is smaller.",
        Claim(
            fewer_minority_classes(False),
            (*_NUMBERS, Field("other", (), "proportion")),
        ),
        remark="As in the cited experiments.",
    ),
    Variant(
        "sharp",
        "the threshold",
        r"The threshold $t_0$ of (34) and its budget are $R$ and $K\sqrt{\Omega_A\Omega_F}$ at $w "
        r"= 1$; as $\sigma$ falls from 1 to 0 both rise from $(1, 0)$ without bound. So for every "
        r"budget there is one threshold $t_0 > 1$, it grows with $\Omega_A\Omega_F$, the minority "
        r"collapses exactly if $r_{ib} \ge t_0$ (for $m \ge K - 1$), and $(K_A - 1)\log(1 + "
        r"K(t_0 - 1)) \le K\sqrt{\Omega_A\Omega_F} \le K_A\log\left(1 + \frac{K_A(t_0 - 1)}"
        r"{1 - \sqrt{K_B/K}}\right)$.",
        Claim(
            threshold_curve,
            (*_NUMBERS, Field("less", (), "proportion")),
        ),
        _CURVE,
        remark="For a fixed ratio the multiplier falls as the budget grows, the least loss being "
        "convex in it; w = 1 is reached where the budget is that of the curve. Beyond it parting "
        "pays as in the regularised model.",
    ),
)

#: Its wordings are those of review:eq-34, which `minority_collapse` states.
STATEMENTS: tuple[Statement, ...] = ()
