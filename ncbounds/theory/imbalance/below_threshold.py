r"""Minima of the norm-constrained model (34) below the threshold, where the minority is not merged.

As in `threshold`, the multiplier of the norms is 1 and classes have weights W and w. Two numbers
name the minimum: `margin` d, the logit of a minority sample's own class less that of another
minority class, and the odds h of another minority class against a majority class.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.cosine import dot
from ncbounds.theory.imbalance.merging import total_square
from ncbounds.theory.imbalance.pull_and_push import class_losses
from ncbounds.theory.imbalance.threshold import weighted_loss
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Statement,
    Variant,
)


@formula(
    integer("K_A", "number of majority classes", "K_A", at_least=1),
    integer("K_B", "number of minority classes", "K_B", at_least=2),
    nonnegative("margin", "logit of the own class less another's, in the minority", "d"),
    positive("far", "nuclear norm of the logits between the groups", "r"),
)
def minority_cosine(xp: Any, K_A: Any, K_B: Any, margin: Any, far: Any) -> Any:
    """Cosine between the weights of two minority classes."""
    common = K_A * far / (K_A + K_B)
    return (common - margin) / (common + (K_B - 1) * margin)


def parted_factors(
    xp: Any, K_A: int, K_B: int, margins: tuple[Any, Any], far: Any, ends: tuple[Any, Any]
) -> tuple[Any, Any]:
    """Weights and features with margins within the groups, (B, K, K + 1) each.

    `ends` are the shares of majority and minority features in what tells the groups apart.
    """
    K, found = K_A + K_B, []
    one = 0 * far + 1
    even = (xp.sqrt(one * K_B / K), xp.sqrt(one * K_A / K))
    for share in (even, ends):
        rows = []
        for k in range(K):
            first = k < K_A
            group, size = (range(K_A), K_A) if first else (range(K_A, K), K_B)
            scale = xp.sqrt(margins[0] if first else margins[1])
            entries = [
                scale * (size * (i == k) - 1) / size if i in group else 0 * one for i in range(K)
            ]
            end = share[0] / xp.sqrt(one * K_A) if first else -share[1] / xp.sqrt(one * K_B)
            rows.append(xp.stack([*entries, xp.sqrt(far) * end], axis=-1))
        found.append(xp.stack(rows, axis=1))
    return found[0], found[1]


def parted_minimum(
    xp: Any, *, major: Any, minor: Any, x: Any, y: Any, margin: Any, lift: Any
) -> Judgement:
    """No weights and features do better; the angle between minority classifiers."""
    G, J = major.shape[1], minor.shape[1]
    K, one = G + J, 0 * margin + 1
    least = xp.sqrt(one * G) / (xp.sqrt(one * K) + xp.sqrt(one * G))
    h = xp.maximum(least, xp.exp(-margin / J)) + lift
    mass = J * h + G
    far = J * (xp.log(h) + margin / J) * mass / K
    kappa = xp.sqrt((mass * mass - K * G) * K / J) / mass
    rest = (K - J * kappa) / G
    first = kappa * far + G * xp.log(kappa / rest)
    of_majority = xp.log1p(xp.exp(-first) * (G - 1 + J * kappa / rest))
    of_minority = xp.log1p(xp.exp(-margin) * (J - 1 + G / h))
    W = 1 + rest / K * xp.expm1(first)
    w = xp.exp(margin + of_minority) * h / mass
    budget = (G - 1) * first + (J - 1) * margin + far
    ends = (kappa * xp.sqrt(one * J / K), xp.sqrt(one * K * G) / mass)
    A, F = parted_factors(xp, G, J, (first, margin), far, ends)
    losses = class_losses(xp, F @ xp.matrix_transpose(A))
    rows = A[:, G:]
    norms = [total_square(xp, v) for v in (major, minor, x, y)]
    within = weighted_loss(xp, major, minor, x, y, (W, w))
    within = within + xp.sqrt((norms[0] + norms[1]) * (norms[2] + norms[3]))
    numbers = {"K_A": one * G, "K_B": one * J, "margin": margin, "far": far}
    return Judgement(
        (Comparison("majority margin", 0 * first, first),),
        (
            Comparison("norm of its weights", total_square(xp, A), budget, "="),
            Comparison("norm of its features", total_square(xp, F), budget, "="),
            Comparison("loss of a majority class", losses[:, 0], of_majority, "="),
            Comparison("loss of a minority class", losses[:, G], of_minority, "="),
            Comparison(
                "angle between minority classifiers",
                dot(xp, rows[:, 0], rows[:, 1]) / dot(xp, rows[:, 0], rows[:, 0]),
                minority_cosine(xp, **numbers),
                "=",
            ),
            Comparison(
                "within the bounds", G * W * of_majority + J * w * of_minority + budget, within
            ),
        ),
    )


BELOW = (
    Variant(
        "sharp",
        "minima below the threshold",
        r"Let $d > 0$, $h > \frac{\sqrt{K_A}}{\sqrt K + \sqrt{K_A}}$, $r = \frac{K_B}K(K_Bh + K_A)"
        r"(\log h + \frac d{K_B}) \ge 0$, $\kappa^2 = \frac K{K_B}(1 - \frac{KK_A}{(K_Bh + "
        r"K_A)^2})$, $a = \kappa r + K_A\log\frac{K_A\kappa}{K - K_B\kappa} \ge 0$, $W = 1 + "
        r"\frac{K - K_B\kappa}{KK_A}(e^a - 1)$ and $w = 1 + \frac{h(e^d - 1)}{K_Bh + K_A}$. For "
        r"the ratio $R = W/w$ of class sizes and $K\sqrt{\Omega_A\Omega_F} = (K_A - 1)a + "
        r"(K_B - 1)d + r$ the minimum of (34) has the margins $a$ and $d$, and the cosine of two "
        r"minority classifiers is $\frac{K_Ar - Kd}{K_Ar + (K_B - 1)Kd}$.",
        Claim(
            parted_minimum,
            (
                Field("major", ("C", "m")),
                Field("minor", ("O", "m")),
                Field("x", ("C", "m"), like="major"),
                Field("y", ("O", "m"), like="minor"),
                Field("margin", (), "positive"),
                Field("lift", (), "positive"),
            ),
            {"C": (1, 3), "O": (2, 3), "m": (1, 3)},
        ),
        (Bound("cosine of two minority classifiers", minority_cosine, "value", 1),),
        remark="That every ratio and budget below the threshold have such d and h is not proved; "
        "where `minimum` of the laboratory finds them, it certifies the minimum.",
    ),
)

#: Its wordings are those of review:eq-34, which `minority_collapse` states.
STATEMENTS: tuple[Statement, ...] = ()
