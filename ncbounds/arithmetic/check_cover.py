"""Re-check a cover of `prove_nonnegative` without the search that made it.

Small on purpose: this file and Arb are what a sceptic has to trust. A cover is right when its
tree bisects the whole box (it does by construction: a node names an axis and both halves) and the
named method shows ``f >= 0`` on every leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.boxes import Cover


def check_cover(f: Callable[..., Any], cover: Cover) -> bool:
    """Tell whether `cover` proves ``f >= 0`` on its box."""
    with balls.precision(cover.bits + 16):
        return _holds(f, dict(cover.box), cover.tree)


def _holds(f: Callable[..., Any], box: dict[str, tuple[Fraction, Fraction]], tree: Any) -> bool:
    if isinstance(tree, list) and len(tree) == 3 and tree[0] in box:
        axis, left, right = tree
        low, high = box[axis]
        middle = (low + high) / 2
        return _holds(f, {**box, axis: (low, middle)}, left) and _holds(
            f, {**box, axis: (middle, high)}, right
        )
    hull = {name: balls.ball(low).union(balls.ball(high)) for name, (low, high) in box.items()}
    if tree == "value":
        return bool(f(balls, **hull) >= 0)
    if tree != "slope":
        return False
    centre = {name: balls.ball((low + high) / 2) for name, (low, high) in box.items()}
    bound = f(balls, **centre)
    for name, ball in hull.items():
        taylor = f(balls, **{**hull, name: flint.arb_series([ball, 1], prec=2)})
        slope = taylor[1] if isinstance(taylor, flint.arb_series) else 0
        bound = bound + slope * (ball - centre[name])
    return bool(bound >= 0)
