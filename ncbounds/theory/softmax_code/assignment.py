"""Which class sits where: the arrangements of K classes on a regular polygon.

For d = 2 the optimal weights are the vertices of a regular K-gon. An assignment gives each class a
vertex. Two assignments that a rotation or a reflection takes into each other have the same inner
products, so whatever depends on these alone, as the best agreement with given similarities of the
classes, is the same for both.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import Any

from ncbounds.arithmetic.formula import formula, integer
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

_K = integer("K", "number of classes", "K", at_least=3)

#: Of each class its vertex.
Assignment = tuple[int, ...]


@formula(_K)
def number_of_assignments(xp: Any, K: Any) -> Any:
    """Number of assignments of classes to the vertices of a regular polygon."""
    return xp.gamma_ratio(K, 0 * K + 1) / 2


def moved(assignment: Assignment, reflections: bool) -> list[Assignment]:
    """The images of an assignment under the rotations, and reflections, of the polygon."""
    K = len(assignment)
    signs = (1, -1) if reflections else (1,)
    return [
        tuple((sign * vertex + turn) % K for vertex in assignment)
        for sign in signs
        for turn in range(K)
    ]


@cache
def representatives(K: int, reflections: bool = True) -> tuple[Assignment, ...]:
    """One assignment of each orbit, by going through all K! of them."""
    everything = permutations(range(K))
    return tuple(a for a in everything if a == min(moved(a, reflections)))


def agreement(xp: Any, s: Any, assignment: Assignment) -> Any:
    """Sum of ``s_jk <w_j, w_k>`` over classes j != k at an assignment: (B, K, K) to (B,)."""
    K, total = len(assignment), 0 * s[:, 0, 0]
    for k in range(K):
        for j in range(k):
            turn = (total * 0 + 2 * (assignment[k] - assignment[j])) * xp.pi / K
            total = total + (s[:, j, k] + s[:, k, j]) * xp.cos(turn)
    return total


def assignment_claim(reflections: bool) -> Any:
    """Return the claim on how many assignments there are, and that no more need be tried."""

    def judge(xp: Any, *, s: Any) -> Judgement:
        K, one = s.shape[1], 0 * s[:, 0, 0] + 1
        distinct = representatives(K, reflections)
        best, tried = (
            xp.max(xp.stack([agreement(xp, s, a) for a in some], axis=1), axis=-1)
            for some in (tuple(permutations(range(K))), distinct)
        )
        return Judgement(
            (),
            (
                Comparison(
                    "number", len(distinct) * one, number_of_assignments(xp, K=K * one), "="
                ),
                Comparison("best agreement", best, tried, "="),
            ),
        )

    return judge


_FIELDS = (Field("s", ("K", "K")),)
#: All K! assignments are tried.
_FEW = {"K": lambda sizes: min(sizes["K"], 5)}
_SQUARE = (
    r"Four classes can be assigned to the vertices $(\pm1, 0)$, $(0, \pm1)$ of a square in three "
)

REMARK_ASSIGNMENT = Statement(
    id="gnc:remark-assignment",
    kind="remark",
    title="Arrangements of classes on a polygon",
    source=Source("gnc", "Sec. 4"),
    topic="assignment",
    variants=(
        Variant(
            "printed",
            "up to rotations and reflections",
            _SQUARE + "ways, up to rotations and reflections.",
            Claim(assignment_claim(reflections=True), _FIELDS, {"K": (4, 4)}),
            remark="They differ by which class is opposite the first.",
        ),
        Variant(
            "printed",
            "up to a rotation, as written",
            _SQUARE + "ways, up to rotations of the plane.",
            Claim(assignment_claim(reflections=False), _FIELDS, {"K": (4, 4)}),
            defect="There are six: each of the three has a mirror image, which no rotation of the "
            "plane reaches. Inner products do not tell them apart, so nothing hangs on it.",
        ),
        Variant(
            "sharp",
            "any number of classes",
            r"$K \ge 3$ classes can be assigned to the vertices of a regular polygon in "
            r"$\frac{(K-1)!}2$ ways, up to rotations and reflections, and for any similarities "
            r"$s_{jk}$ of classes the best of these has the largest $\sum_{j \ne k}s_{jk}\langle "
            r"w_j, w_k\rangle$ of all $K!$.",
            Claim(assignment_claim(reflections=True), _FIELDS, {"K": (3, 5)}, _FEW),
            (Bound("number of assignments", number_of_assignments, "value"),),
        ),
    ),
)

STATEMENTS = (REMARK_ASSIGNMENT,)
