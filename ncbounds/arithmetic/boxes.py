"""Certified branch and bound: prove ``f >= 0`` on a box, or say honestly that it failed.

A box is bisected until on every piece a lower bound of f in ball arithmetic is non-negative:
either the plain enclosure of f over the piece, or the mean-value form (the value at the centre
plus derivative enclosures times the half-widths; the derivatives come from Taylor arithmetic over
the same formula). The result of success is a `Cover`, plain data that `check_cover` re-checks
without trusting this search. A function that touches zero inside the box is refused, as no
finite cover shows its sign there: divide the zero out on paper first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint

from ncbounds.arithmetic import balls
from ncbounds.errors import InputError

Box = Mapping[str, tuple[Fraction, Fraction]]
Function = Callable[..., Any]
#: A piece of a cover: "value" or "slope" for a leaf, else (axis, left piece, right piece).
Piece = Any


@dataclass(frozen=True)
class Cover:
    """A proof of ``f >= 0`` on a box: a tree of bisections with a method at every leaf."""

    box: dict[str, tuple[Fraction, Fraction]]
    tree: Piece
    bits: int

    @property
    def boxes(self) -> int:
        """Number of leaves."""
        return _leaves(self.tree)


@dataclass(frozen=True)
class Refusal:
    """No proof: why, where, and whether the function is certainly negative there."""

    reason: str
    point: dict[str, Fraction]
    negative: bool
    boxes: int


def prove_nonnegative(
    f: Function, box: Box, *, max_boxes: int = 20_000, bits: int = 64
) -> Cover | Refusal:
    """Prove ``f(balls, **point) >= 0`` for every point of a closed box.

    Parameters
    ----------
    f
        A closed form over a namespace, as in `Formula`.
    box
        For every parameter its least and greatest value, exactly.
    max_boxes
        Pieces after which the attempt is given up.
    bits
        Working precision.

    Raises
    ------
    InputError
        When an interval is empty or `max_boxes` is not positive.

    Examples
    --------
    >>> from fractions import Fraction
    >>> cover = prove_nonnegative(
    ...     lambda xp, x: xp.exp(x) - x, {"x": (Fraction(-4), Fraction(4))})
    >>> isinstance(cover, Cover)
    True
    """
    for name, (low, high) in box.items():
        if not low <= high:
            raise InputError(name, f"[{low}, {high}]", "an interval with low <= high")
    if max_boxes < 1:
        raise InputError("max_boxes", max_boxes, "at least 1")
    root = {name: (Fraction(low), Fraction(high)) for name, (low, high) in box.items()}
    with balls.precision(bits):
        search = _Search(f, max_boxes)
        tree = search.cover(root, depth=0)
    if search.refusal is not None:
        return search.refusal
    return Cover(root, tree, bits)


def _leaves(tree: Piece) -> int:
    return 1 if isinstance(tree, str) else _leaves(tree[1]) + _leaves(tree[2])


class _Search:
    """One attempt: counts pieces and remembers why it stopped."""

    def __init__(self, f: Function, max_boxes: int) -> None:
        self.f = f
        self.max_boxes = max_boxes
        self.count = 0
        self.refusal: Refusal | None = None

    def cover(self, box: dict[str, tuple[Fraction, Fraction]], depth: int) -> Piece:
        """Return the tree of a cover of `box`, or set `refusal`."""
        if self.refusal is not None:
            return None
        self.count += 1
        if enclosure(self.f, box) >= 0:
            return "value"
        bound, slopes = mean_value_bound(self.f, box)
        if bound >= 0:
            return "slope"
        centre = {name: (low + high) / 2 for name, (low, high) in box.items()}
        value = enclosure(self.f, {name: (x, x) for name, x in centre.items()})
        if value < 0:
            self.refusal = Refusal("the function is negative", centre, True, self.count)
        elif self.count >= self.max_boxes or depth >= 200:
            self.refusal = Refusal(
                f"undecided after {self.count} pieces", centre, False, self.count
            )
        if self.refusal is not None:
            return None
        axis = _widest(box, slopes)
        (low, high), middle = box[axis], centre[axis]
        left = self.cover({**box, axis: (low, middle)}, depth + 1)
        right = self.cover({**box, axis: (middle, high)}, depth + 1)
        return [axis, left, right]


def interval(low: Fraction, high: Fraction) -> flint.arb:
    """Return a ball that holds the interval [low, high]."""
    return balls.ball(low).union(balls.ball(high))


def enclosure(f: Function, box: Box) -> flint.arb:
    """Plain ball evaluation of f over a box, NaN where it has none."""
    try:
        value = f(balls, **{name: interval(*ends) for name, ends in box.items()})
    except (ValueError, ZeroDivisionError):
        return flint.arb.nan()
    return value if value.is_finite() else flint.arb.nan()


def mean_value_bound(f: Function, box: Box) -> tuple[flint.arb, dict[str, flint.arb]]:
    """Lower bound of f over a box by the mean-value form, and the derivative enclosures.

    Both are NaN where f has no Taylor arithmetic over the box: at a pole, or at a kink of an
    absolute value or a maximum.
    """
    try:
        return _mean_value(f, box)
    except (ValueError, ZeroDivisionError, AttributeError):
        return flint.arb.nan(), dict.fromkeys(box, flint.arb.nan())


def _mean_value(f: Function, box: Box) -> tuple[flint.arb, dict[str, flint.arb]]:
    centre = {name: balls.ball((low + high) / 2) for name, (low, high) in box.items()}
    value = f(balls, **centre)
    slopes = {}
    for name in box:
        point: dict[str, Any] = {other: interval(*ends) for other, ends in box.items()}
        series = flint.arb_series([point[name], 1], prec=2)
        expansion = f(balls, **{**point, name: series})
        slopes[name] = expansion[1] if isinstance(expansion, flint.arb_series) else flint.arb(0)
        value = value + slopes[name] * (point[name] - centre[name])
    return (value.lower() if value.is_finite() else flint.arb.nan()), slopes


def _widest(box: dict[str, tuple[Fraction, Fraction]], slopes: dict[str, flint.arb]) -> str:
    """The axis along which f varies most over the box, by its derivative enclosure."""

    def variation(name: str) -> float:
        low, high = box[name]
        steepness = float(abs(slopes[name]).upper()) if slopes[name].is_finite() else 1e300
        return float(high - low) * (steepness or 1e-300)

    return max(box, key=variation)
