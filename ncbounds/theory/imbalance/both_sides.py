r"""Both sides of the threshold of minority collapse in the norm-constrained model (34).

A point of the threshold curve, named by `lean`, is a ratio t_0 of class sizes and a budget
``rho_0``. With weights t_0 and 1 of majority and minority its minimum is unique in what it
predicts, by the `divergence` of all other predictions. Below ``rho_0`` whatever has the minority
parted is beaten by a point that has it merged; beyond ``rho_0`` it is the other way round. Both
points that beat are written down: on the way to the minimum at ``rho_0``, in further dimensions.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.cosine import dot
from ncbounds.theory.imbalance.merging import total_square
from ncbounds.theory.imbalance.pull_and_push import probabilities
from ncbounds.theory.imbalance.threshold import (
    collapsed_factors,
    collapsed_loss,
    curve,
    threshold_ratio,
    weighted_loss,
)
from ncbounds.theory.terms import Claim, Comparison, Field, Judgement, Statement, Variant
from ncbounds.theory.unconstrained.contrastive import log_sum_exp


def scaled(xp: Any, values: tuple[Any, Any], square: Any) -> tuple[Any, Any]:
    """Rows of majority and minority with a given sum of squares."""
    size = xp.sqrt(square / (total_square(xp, values[0]) + total_square(xp, values[1])))
    return values[0] * size[:, None, None], values[1] * size[:, None, None]


def merged(xp: Any, values: tuple[Any, Any]) -> tuple[Any, Any]:
    """The mean in the place of each row of the minority."""
    return values[0], 0 * values[1] + xp.mean(values[1], axis=1, keepdims=True)


def squares(xp: Any, values: tuple[Any, Any]) -> Any:
    """Sum of squares of all rows, (B,)."""
    return total_square(xp, values[0]) + total_square(xp, values[1])


def together(xp: Any, values: tuple[Any, Any]) -> Any:
    """Rows of majority and minority in one array."""
    return xp.stack([part[:, k] for part in values for k in range(part.shape[1])], axis=1)


def towards(xp: Any, values: tuple[Any, Any], share: Any, end: Any) -> tuple[Any, Any]:
    """Rows whose inner products are 1 - share times those of `values` and share times `end`'s."""
    K_A = values[0].shape[1]

    def beside(rows: Any, more: Any) -> Any:
        columns = [rows[..., i] * xp.sqrt(1 - share)[:, None] for i in range(rows.shape[-1])]
        further = [more[..., i] * xp.sqrt(share)[:, None] for i in range(more.shape[-1])]
        return xp.stack([*columns, *further], axis=-1)

    return beside(values[0], end[:, :K_A]), beside(values[1], end[:, K_A:])


def parted(xp: Any, values: tuple[Any, Any], product: Any) -> tuple[Any, Any]:
    """One dimension more, in which the first two minority classes part by (product/2)^(1/2)."""

    def longer(rows: Any, last: Any) -> Any:
        return xp.stack([*(rows[..., i] for i in range(rows.shape[-1])), last], axis=-1)

    step = xp.sqrt(product / 2)
    rest = [0 * step] * (values[1].shape[1] - 2)
    along = xp.stack([step, -step, *rest], axis=-1)
    return longer(values[0], 0 * values[0][..., 0]), longer(values[1], along)


def divergence(xp: Any, A: Any, F: Any, rows: Any, features: Any, weights: Any) -> Any:
    """Weighted sum over classes of how far the predictions at `rows`, `features` are from A, F's.

    It is the Kullback-Leibler divergence, of one feature a class; weights (2, B).
    """
    K_A = rows[0].shape[1]
    true = F @ xp.matrix_transpose(A)
    other = together(xp, features) @ xp.matrix_transpose(together(xp, rows))
    each = dot(xp, probabilities(xp, true), true - other)
    each = each - log_sum_exp(xp, true) + log_sum_exp(xp, other)
    return weights[0] * xp.sum(each[:, :K_A], axis=-1) + weights[1] * xp.sum(each[:, K_A:], axis=-1)


def both_sides(
    xp: Any, *, major: Any, minor: Any, x: Any, y: Any, lean: Any, share: Any, beyond: Any
) -> Judgement:
    """Merged points beat all others below the budget of the curve, and none is best beyond it."""
    K_A, K_B = major.shape[1], minor.shape[1]
    zero = 0 * lean
    numbers = {"K_A": zero + K_A, "K_B": zero + K_B, "lean": lean}
    weights = (threshold_ratio(xp, **numbers), zero + 1)
    value = collapsed_loss(xp, **numbers, excess=zero)
    budget = curve(xp, **numbers)[1]
    A, F = collapsed_factors(xp, K_A, K_B, lean, zero)

    def loss(rows: tuple[Any, Any], features: tuple[Any, Any]) -> Any:
        return weighted_loss(xp, *rows, *features, weights)

    # Below: all norms are share times the budget.
    small = share * budget
    rows, features = scaled(xp, (major, minor), small), scaled(xp, (x, y), small)
    one = merged(xp, rows), merged(xp, features)
    norm = (squares(xp, one[0]) + squares(xp, one[1])) / 2
    s = (small - norm) / (budget - norm)
    better = towards(xp, one[0], s, A), towards(xp, one[1], s, F)
    below = s * divergence(xp, A, F, *one, weights)

    # Beyond: merged, with all norms larger than the budget.
    step = beyond * budget
    large = budget + step
    wide = (
        scaled(xp, merged(xp, (major, minor)), large),
        scaled(xp, merged(xp, (x, y)), large),
    )
    gap = loss(*wide) + large - value - budget
    t = 2 * gap / (2 * gap + step * step)
    best = (
        parted(xp, towards(xp, wide[0], t, A), t * step),
        parted(xp, towards(xp, wide[1], t, F), t * step),
    )
    return Judgement(
        (),
        (
            Comparison(
                "below: norms",
                squares(xp, better[0]) * squares(xp, better[1]),
                small * small,
            ),
            Comparison("below: merging pays", loss(*better) + below, loss(rows, features)),
            Comparison("beyond: weights", squares(xp, best[0]), large, "="),
            Comparison("beyond: features", squares(xp, best[1]), large, "="),
            Comparison("beyond: distance", divergence(xp, A, F, *wide, weights), gap),
            Comparison(
                "beyond: parting pays",
                loss(*best) + gap * gap / (2 * gap + step * step),
                loss(*wide),
            ),
        ),
    )


SIDES = (
    Variant(
        "sharp",
        "both sides of the threshold",
        r"Let $\rho_0$ be the budget of the curve at the ratio $R = t_0$, and $L$ the sum of the "
        r"losses with weights $t_0$ and 1. Where $|A|^2 = |F|^2 = \rho < \rho_0$, a point with the "
        r"minority merged and $|A||F| \le \rho$ has a loss of at most $L(A, F) - sD$, where $D > "
        r"0$ is the divergence of the merged predictions from those at $\rho_0$ and $s > 0$ "
        r"unless the minority was merged already. Where the minority is merged and $|A|^2 = |F|^2 "
        r"= \rho > \rho_0$, let $g = L + \rho - L_0 - \rho_0$: it is at least $D$, so positive, "
        r"and a point with $|A|^2 = |F|^2 = \rho$ has a loss of at most $L - \frac{g^2}{2g + "
        r"(\rho - \rho_0)^2}$. So at the ratio $t_0$ the minority collapses exactly for $\rho \le "
        r"\rho_0$, and as the curve rises, for any budget exactly if $r_{ib} \ge t_0$.",
        Claim(
            both_sides,
            (
                Field("major", ("C", "m")),
                Field("minor", ("O", "m")),
                Field("x", ("C", "m"), like="major"),
                Field("y", ("O", "m"), like="minor"),
                Field("lean", (), "positive"),
                Field("share", (), "proportion"),
                Field("beyond", (), "positive"),
            ),
            {"C": (1, 2), "O": (2, 3), "m": (1, 2)},
        ),
        remark="In the dimensions that it takes, K - 1 by the wording on the relaxation. If D = 0, "
        "all predictions are those at rho_0, so L = L_0 and g = rho - rho_0.",
    ),
)

#: Its wordings are those of review:eq-34, which `minority_collapse` states.
STATEMENTS: tuple[Statement, ...] = ()
