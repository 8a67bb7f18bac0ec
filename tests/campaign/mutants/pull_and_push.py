"""Errors planted in the gradient of cross-entropy as pull and push."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, flip, lhs, rhs

GRADIENT = ("review:eq-35", "printed", "of the sum of the losses")
SIMPLEX = ("review:eq-35", "corrected", "at a simplex ETF")


def one_less(xp, c, instance):
    """As if the pull had the probability for its difference to 1."""
    dropped = instance["counts"] * xp.sum(instance["F"] * instance["step"], axis=-1)
    return replace(c, lhs=c.lhs + xp.sum(dropped, axis=-1))


def flatter(xp, c, instance):
    """A fifth for the quarter of the second order."""
    step = xp.matrix_transpose(instance["step"])
    changes = instance["F"] @ step
    squares = xp.sum(changes * changes, axis=-1)
    return replace(c, rhs=c.rhs - xp.sum(instance["counts"] * squares, axis=-1) / 20)


MUTANTS = {
    "(35): pull without the 1": (GRADIENT, lambda c: changed(c, "above the tangent", one_less)),
    "(35): a fifth to second order": (GRADIENT, lambda c: changed(c, "to second order", flatter)),
    "push and pull: opposite": (SIMPLEX, lambda c: changed(c, "push against pull", flip)),
    "push and pull: 1 % more": (
        SIMPLEX,
        lambda c: changed(c, "push against pull", rhs(101, 100)),
    ),
    "push and pull: K - 1 once": (
        SIMPLEX,
        lambda c: changed(c, "push against pull", lhs(1, 2)),
    ),
}
