"""The midpoint theorem: Softmax codes have the margin of Tammes codes, and nearly their points.

Let w_k be K unit vectors (a code) and h_k unit directions, one a class, with gaps
``m_kj = <w_k - w_j, h_k>``; the least gap is the margin, at most the least one-vs-rest distance of
the code. The midpoints ``Y_k`` of w_k and h_k on the sphere are a code of their own, and no two of
them are closer than the margin says: ``1 - <Y_k, Y_j> >= margin``. Hence the largest margin rho* is
``1 - t``, t the least possible largest inner product: the paper's conjecture, for the values.

How far the optimal codes themselves agree is the subject of `gnc:sharp-2`. The length of
``(w_k + h_k)/2`` is written r_k, half the difference ``(h_k - w_k)/2`` is written e_k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

# -- codes and directions -------------------------------------------------------------------------


def unit(xp: Any, vectors: Any) -> Any:
    """Vectors divided by their norms, over the last axis."""
    return vectors / norm(xp, vectors)[..., None]


def gaps(xp: Any, w: Any, h: Any) -> Any:
    """``<w_k - w_j, h_k>`` at [k, j], zero on the diagonal: (B, K, d), (B, K, d) to (B, K, K)."""
    products = xp.matmul(h, xp.matrix_transpose(w))
    return dot(xp, w, h)[..., None] - products


def off_diagonal(xp: Any, matrices: Any) -> Any:
    """Entries off the diagonal, row after row: (B, K, K) to (B, K, K - 1)."""
    K = matrices.shape[1]
    rows = [matrices[:, k, [j for j in range(K) if j != k]] for k in range(K)]
    return xp.stack(rows, axis=1)


def least_gaps(xp: Any, w: Any, h: Any) -> Any:
    """Least gap of each class: (B, K, d), (B, K, d) to (B, K)."""
    return xp.min(off_diagonal(xp, gaps(xp, w, h)), axis=-1)


def margin(xp: Any, w: Any, h: Any) -> Any:
    """Least gap of all, at most the least one-vs-rest distance of the code: (B,)."""
    return xp.min(least_gaps(xp, w, h), axis=-1)


def apart(xp: Any, y: Any) -> Any:
    """``1 - <y_k, y_j>`` off the diagonal, by distances: (B, K, d) to (B, K, K - 1)."""
    return off_diagonal(xp, square_norm(xp, y[:, :, None, :] - y[:, None, :, :])) / 2


def spread(xp: Any, y: Any) -> Any:
    """One less the largest inner product of a code, half its squared one-vs-one distance: (B,)."""
    return xp.min(xp.min(apart(xp, y), axis=-1), axis=-1)


def folded(xp: Any, w: Any, h: Any) -> Any:
    """Directions without what they have against their own w_k, normalised again.

    Where ``<w_k, h_k> < 0`` only the part of h_k that is orthogonal to w_k is kept: its gaps are
    not smaller if they are positive.
    """
    against = xp.minimum(dot(xp, w, h), 0 * w[..., 0])
    return unit(xp, h - against[..., None] * w)


@dataclass(frozen=True)
class Midpoints:
    """Codes w, directions h that are not against them, and the midpoints Y; (B, K, d) each.

    `length` is r, the norm of (w + h)/2, and `half` is e = (h - w)/2.
    """

    w: Any
    h: Any
    Y: Any
    length: Any
    half: Any


def midpoints(xp: Any, w: Any, h: Any) -> Midpoints:
    """Midpoints on the sphere of code and folded directions, both normalised first."""
    code = unit(xp, w)
    directions = folded(xp, code, unit(xp, h))
    y = (code + directions) / 2
    length = norm(xp, y)
    return Midpoints(code, directions, y / length[..., None], length, (directions - code) / 2)


# -- the theorem ----------------------------------------------------------------------------------


def rigid_distance(xp: Any, gap: Any, margin: Any) -> Any:
    """Bound on ``gap |w_k - Y_k|^2`` for a code of that margin whose Y_k has its nearest at gap.

    `gap` is the least ``1 - <Y_k, Y_j>`` over j; any shapes that broadcast.
    """
    return 2 * (gap - margin)


def midpoint_identity(xp: Any, *, w: Any, h: Any) -> Judgement:
    """Gaps of w and h against distances of the midpoints, and how far they are from the code."""
    m = midpoints(xp, w, h)
    K = m.w.shape[1]
    upper = [k * K + j for k in range(K) for j in range(k + 1, K)]

    def pairs(matrices: Any) -> Any:
        return xp.reshape(matrices, (-1, K * K))[:, upper]

    both = gaps(xp, m.w, m.h)
    both = pairs((both + xp.matrix_transpose(both)) / 2)
    bent = pairs(square_norm(xp, m.half[:, :, None, :] - m.half[:, None, :, :]))
    longer = pairs(m.length[:, :, None] - m.length[:, None, :])
    shrunk = pairs(m.length[:, :, None] * m.length[:, None, :])
    away = pairs(square_norm(xp, m.Y[:, :, None, :] - m.Y[:, None, :, :])) / 2
    least = margin(xp, m.w, m.h)
    given = margin(xp, m.w, unit(xp, h))
    nearest = xp.min(apart(xp, m.Y), axis=-1)
    return Judgement(
        (),
        (
            Comparison("pairs", both + (bent - longer * longer) / 2, shrunk * away, "="),
            Comparison("directions turn no less than lengths", longer * longer, bent),
            Comparison("folding", given, xp.maximum(least, 0 * least)),
            Comparison("midpoints", least, xp.min(nearest, axis=-1)),
            Comparison(
                "weights",
                nearest * square_norm(xp, m.w - m.Y),
                rigid_distance(xp, nearest, least[:, None]),
            ),
        ),
    )


def optimal_values(xp: Any, *, w: Any, h: Any) -> Judgement:
    """Each code has a rival in the other problem that is at least as good."""
    m = midpoints(xp, w, h)
    return Judgement(
        (),
        (
            Comparison("Softmax to Tammes", margin(xp, m.w, m.h), spread(xp, m.Y)),
            Comparison("Tammes to Softmax", spread(xp, m.w), margin(xp, m.w, m.w), "="),
        ),
    )


_CODE = (Field("w", ("K", "d")), Field("h", ("K", "d"), like="w"))
_SIZES = {"K": (2, 8), "d": (1, 5)}
_MIDPOINTS = (
    r"For unit $w_k$, $h_k$ let $m_{kj} = \langle w_k - w_j, h_k\rangle$, $\rho = \min m_{kj}$ "
    r"over $k \ne j$, $Y_k$ the direction of $w_k + h_k$, $r_k = |w_k + h_k|/2$ and "
    r"$e_k = (h_k - w_k)/2$, where $\langle w_k, h_k\rangle \ge 0$"
)

SHARP_1 = Statement(
    id="gnc:sharp-1",
    kind="theorem",
    title="Midpoint theorem: the optimal one-vs-rest distance is one less the Tammes cosine",
    source=Source("gnc", "ncbounds: after Theorem 3.7, for the values"),
    topic="midpoint",
    variants=(
        Variant(
            "sharp",
            "any code, any directions",
            _MIDPOINTS + r" (a direction against its $w_k$ is replaced by its part orthogonal to "
            r"$w_k$, which loses no positive gap). Then $\frac{m_{kj} + m_{jk}}2 + "
            r"\frac{|e_k - e_j|^2 - (r_k - r_j)^2}2 = r_k r_j (1 - \langle Y_k, Y_j\rangle)$ with "
            r"$|e_k - e_j| \ge |r_k - r_j|$; so $1 - \langle Y_k, Y_j\rangle \ge \rho$, and with "
            r"$\gamma_k = \min_j(1 - \langle Y_k, Y_j\rangle)$: "
            r"$\gamma_k|w_k - Y_k|^2 \le 2(\gamma_k - \rho)$.",
            Claim(midpoint_identity, _CODE, _SIZES),
            remark="With h_k = w_k a code of largest inner product t has margin 1 - t, so the "
            "optimum is rho* = 1 - t(d, K). The last line is rigidity: in a Softmax code "
            "w_k = h_k = Y_k wherever Y_k has a neighbour at the least distance, and a code near "
            "the optimum is near there. Undefined where h_k = -w_k.",
        ),
    ),
)

CONJECTURE = Statement(
    id="gnc:conjecture-equivalence",
    kind="conjecture",
    title="Tammes codes and Softmax codes are equivalent",
    source=Source("gnc", "after Theorem 3.7"),
    topic="midpoint",
    variants=(
        Variant(
            "printed",
            "equal optimal values",
            r"$\max_W \rho_{\text{one-vs-rest}}(W) = 1 - t = \frac12\max_W"
            r"\rho_{\text{one-vs-one}}(W)^2$, t the least possible largest inner product: every "
            r"margin is surpassed by the spread $1 - \max\langle Y_k, Y_j\rangle$ of the "
            r"midpoints, and every spread is the margin of $h = w$.",
            Claim(optimal_values, _CODE, _SIZES),
            remark="True for all d >= 1 and K >= 2; the paper has d = 2 and K <= d + 1.",
        ),
        Variant(
            "printed",
            "equal sets of optimal codes",
            r"$\arg\max_W \rho_{\text{one-vs-rest}}(W) = \arg\max_W \rho_{\text{one-vs-one}}(W)$.",
            undecided="Every Tammes-optimal code is a Softmax code. For d >= 2 and K >= 3 the "
            "converse fails exactly if some Tammes-optimal code has two points that touch each "
            "other and nothing else (gnc:sharp-2). We know of no (d, K) whose best code has two "
            "such points, proved optimal or not. Some codes that no small move improves have, as "
            "one of 22 points in R^5 with the largest inner product 0.3564551721; the best known "
            "has 0.3549950343.",
            remark="It holds for d = 2, for K <= 2d (gnc:theorem-3.8) and wherever no "
            "Tammes-optimal code has two points without neighbours at the least distance. Nothing "
            "rules such a code out for all (d, K).",
        ),
    ),
)


# -- where the optimal codes may differ -----------------------------------------------------------


def turned_apart(xp: Any, w: Any, slope: Any) -> Any:
    """Directions w_k, but those of the first two classes turned away from each other.

    By the angle of tangent `slope`, in the plane of the two; (B, K, d), (B,) to (B, K, d).
    """
    cos = 1 / xp.sqrt(1 + slope * slope)
    sin = slope * cos
    together = dot(xp, w[:, 0], w[:, 1])

    def turned(own: Any, other: Any) -> Any:
        towards = unit(xp, other - together[:, None] * own)
        return cos[:, None] * own - sin[:, None] * towards

    first, second = turned(w[:, 0], w[:, 1]), turned(w[:, 1], w[:, 0])
    return xp.stack([first, second, *(w[:, k] for k in range(2, w.shape[1]))], axis=1)


def turned_margin(xp: Any, cosines: Any, slope: Any) -> Any:
    """What the margin is at least after turning the first two directions apart.

    From the inner products (B, K, K) of a code and the tangent (B,) of the angle: of three kinds
    of pairs, the two themselves, one of them with another, and two others.
    """
    cos = 1 / xp.sqrt(1 + slope * slope)

    def seen(c: Any, cos: Any, slope: Any) -> Any:
        sine = xp.sqrt(xp.maximum(1 - c * c, 0 * c))
        return cos * (1 - c) + slope * cos * sine

    least = seen(cosines[:, 0, 1], cos, slope)
    if cosines.shape[1] > 2:
        with_others = seen(cosines[:, :2, 2:], cos[:, None, None], -slope[:, None, None])
        least = xp.minimum(least, xp.min(xp.min(with_others, axis=-1), axis=-1))
    if cosines.shape[1] > 3:
        among_others = 1 - off_diagonal(xp, cosines[:, 2:, 2:])
        least = xp.minimum(least, xp.min(xp.min(among_others, axis=-1), axis=-1))
    return least


def two_that_touch(xp: Any, *, w: Any, slope: Any) -> Judgement:
    """Two points that only touch each other can come closer, and the margin stays."""
    code = unit(xp, w)
    h = turned_apart(xp, code, slope)
    cosines = xp.matmul(code, xp.matrix_transpose(code))
    c = cosines[:, 0, 1]
    cos = 1 / xp.sqrt(1 + slope * slope)
    sine = xp.sqrt(xp.maximum(1 - c * c, 0 * c))
    gain = slope * cos * sine - (1 - cos) * (1 - c)
    both = gaps(xp, code, h)
    return Judgement(
        (),
        (
            Comparison("the two", both[:, 0, 1], 1 - c + gain, "="),
            Comparison("the two, the other way", both[:, 1, 0], 1 - c + gain, "="),
            Comparison("margin", turned_margin(xp, cosines, slope), margin(xp, code, h)),
        ),
    )


def turning_room(xp: Any, *, apart: Any, turn: Any, clear: Any, rest: Any) -> Judgement:
    """The gap of two points theta apart and turned by phi, and that of an angle psi.

    The numbers are in the ratio theta : phi : psi - (theta + 2 phi) : pi - psi.
    """
    share = xp.pi / (apart + 2 * turn + clear + rest)
    theta, phi = share * apart, share * turn
    psi = theta + 2 * phi + share * clear
    kept = xp.cos(phi) - xp.cos(theta + phi)
    gain = 4 * xp.sin(phi / 2) * xp.sin(theta / 2) * xp.cos((theta + phi) / 2)
    return Judgement(
        (),
        (
            Comparison("the two", kept - (1 - xp.cos(theta)), gain, "="),
            Comparison("closer than they look", 1 - xp.cos(theta), kept),
            Comparison("others", kept, 2 * xp.sin(psi / 2) * xp.sin(psi / 2 - phi)),
        ),
    )


def path_to_the_midpoint(xp: Any, *, w: Any, h: Any, v: Any, a: Any, b: Any) -> Judgement:
    """No point between w_k and h_k comes closer to a fixed point of the code than the margin."""
    w, h, v = (unit(xp, x) for x in (w, h, v))
    between = unit(xp, a[:, None] * w + b[:, None] * h)
    least = xp.minimum(1 - dot(xp, w, v), dot(xp, w - v, h))
    return Judgement((), (Comparison("on the way", least, square_norm(xp, between - v) / 2),))


SHARP_2 = Statement(
    id="gnc:sharp-2",
    kind="theorem",
    title="When a Softmax code is no Tammes code: two points that touch only each other",
    source=Source("gnc", "ncbounds: after Theorem 3.7, for the sets of optima"),
    topic="midpoint",
    variants=(
        Variant(
            "sharp",
            "two points that touch only each other",
            r"Let $h_1$ be $w_1$ turned by an angle $\varphi$ away from $w_2$, $h_2$ the same with "
            r"the two exchanged, and $h_k = w_k$ otherwise. With $\theta$ the angle of $w_1$, "
            r"$w_2$: $\langle w_1 - w_2, h_1\rangle = 2\sin\frac\theta2\sin(\frac\theta2 + "
            r"\varphi)$, and no gap is below the least of this, of $2\sin\frac\psi2"
            r"\sin(\frac\psi2 - \varphi)$ over the angles $\psi$ of the two with the others, and "
            r"of $1 - \langle w_k, w_j\rangle$ among the others.",
            Claim(
                two_that_touch,
                (Field("w", ("K", "d")), Field("slope", (), "nonnegative")),
                {"K": (2, 7), "d": (2, 5)},
            ),
        ),
        Variant(
            "sharp",
            "how far the two may turn",
            r"With $\rho = \cos\varphi - \cos(\theta + \varphi)$ for the first gap: $\rho - (1 - "
            r"\cos\theta) = 4\sin\frac\varphi2\sin\frac\theta2\cos\frac{\theta + \varphi}2$, "
            r"positive where $\theta + \varphi < \pi$; and $2\sin\frac\psi2\sin(\frac\psi2 - "
            r"\varphi) \ge \rho$ for $\theta + 2\varphi \le \psi \le \pi$.",
            Claim(
                turning_room,
                (
                    Field("apart", (), "positive"),
                    Field("turn", (), "nonnegative"),
                    Field("clear", (), "nonnegative"),
                    Field("rest", (), "nonnegative"),
                ),
            ),
            remark="Let a Tammes-optimal code of least angle theta_0 have two points that touch "
            "each other, all their other angles being at least theta_0 + delta. Take 0 < phi <= "
            "delta/2 below pi - theta_0 and bring the two together, each by half, to the angle "
            "theta with rho = 1 - cos theta_0. It is less than theta_0, their other angles are at "
            "least theta_0 + delta - (theta_0 - theta)/2 >= theta + 2 phi, so the margin stays: a "
            "Softmax code that is no Tammes code, and whose features are not its weights.",
        ),
        Variant(
            "sharp",
            "the way between weight and feature",
            r"For unit $w$, $h$, $v$ and $x$ any point on the arc from $w$ to $h$: "
            r"$1 - \langle x, v\rangle \ge \min(1 - \langle w, v\rangle, "
            r"\langle w - v, h\rangle)$.",
            Claim(
                path_to_the_midpoint,
                (
                    Field("w", ("d",)),
                    Field("h", ("d",), like="w"),
                    Field("v", ("d",)),
                    Field("a", (), "nonnegative"),
                    Field("b", (), "nonnegative"),
                ),
                {"d": (1, 5)},
            ),
            remark="Strict inside the arc for a positive margin. Hence the converse: let a Softmax "
            "code be no Tammes code, and let its points go from Y_k to w_k. Those with h_j = w_j "
            "= v stand still and stay clear of the others, so the first two to come too close "
            "both move. Just before, the code is Tammes-optimal and touches none that move; its "
            "closest two of these can be brought together until they touch each other alone.",
        ),
    ),
)

STATEMENTS = (SHARP_1, CONJECTURE, SHARP_2)
