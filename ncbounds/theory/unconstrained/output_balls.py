"""Outputs in a ball: the least cross-entropy in closed form, and where its centre matters.

The setting of `review`: the output of a sample is a free vector u of R^K within a ball of radius R
and centre b; classes may be renumbered, so the true class is the first. The loss of logits h is
``log sum exp h - h_1``. About the origin the least loss is at a vertex of a simplex ETF. Scaling
and the preimages of the outputs in feature space stand here too.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.metrics import orthonormal_frame
from ncbounds.theory.proximity.near_optimal_loss import phi, square_norm
from ncbounds.theory.softmax_code.temperature import log_sum_exp
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
from ncbounds.theory.unconstrained.collapsed_outputs import log_softmax

_K = integer("K", "number of classes", "K", at_least=2)
_R = nonnegative("R", "radius of the ball of outputs", "R")
_Q = positive("q", "least margin of the outputs", "q")
_SCALE = nonnegative("scale", "factor of the outputs", r"\lambda")


# -- guarantees: functions of what is measured ----------------------------------------------------


@formula(_K, _R)
def least_loss_in_ball(xp: Any, K: Any, R: Any) -> Any:
    """Least loss of outputs of norm at most R."""
    return xp.log1p((K - 1) * xp.exp(-R * xp.sqrt(K / (K - 1))))


@formula(_K, _Q, _SCALE)
def scaled_risk(xp: Any, K: Any, q: Any, scale: Any) -> Any:
    """Upper bound on the risk of outputs of margin q times a factor."""
    return xp.log1p((K - 1) * xp.exp(-scale * q))


def vertex(xp: Any, radius: Any, rivals: int) -> Any:
    """The closed form for class 1: a point of norm `radius` (B,) in R^K; (B, K)."""
    K = rivals + 1
    one = 0 * radius + 1
    own, other = radius * xp.sqrt(one * rivals / K), -radius / xp.sqrt(one * K * rivals)
    return xp.stack([own, *(other for _ in range(rivals))], axis=1)


def loss_of_first(xp: Any, h: Any) -> Any:
    """Cross-entropy of logits h (B, K) of the first class: (B,)."""
    return -log_softmax(xp, h)[:, 0]


def ball_certificate(xp: Any, b: Any, v: Any, radius: Any) -> Any:
    """Lower bound on the loss over the ball about b (B, K), from any v (B, K); exact at the best v.

    The tangent at ``b + v`` is least on the ball at ``-R g/|g|``.
    """
    own = xp.stack([0 * v[:, 0] + int(j == 0) for j in range(v.shape[1])], axis=1)
    g = xp.exp(log_softmax(xp, b + v)) - own
    return loss_of_first(xp, b + v) - dot(xp, g, v) - radius * norm(xp, g)


# -- equation (11): scaling -----------------------------------------------------------------------


def separated(xp: Any, *, g: Any, q: Any, epsilon: Any, more: Any) -> Judgement:
    """Outputs with positive margins q: at which factor the risk is below epsilon."""
    rivals = g.shape[2]
    gaps = g - xp.max(g, axis=-1, keepdims=True) - q[..., None]
    least = xp.min(q, axis=-1)
    log_odds = xp.log(0 * epsilon + rivals) - epsilon - xp.log(-xp.expm1(-epsilon))
    scale = xp.maximum(log_odds, 0 * epsilon) / least + more
    risk = xp.mean(_risks(xp, gaps * scale[:, None, None]), axis=-1)
    rate = scaled_risk(xp, K=0 * least + rivals + 1, q=least, scale=scale)
    return Judgement(
        (),
        (
            Comparison("below epsilon", risk, epsilon),
            Comparison("rate", risk, rate),
            Comparison("not faster", xp.mean(phi(xp, q * scale[:, None], 1), axis=-1), risk),
        ),
    )


def _risks(xp: Any, gaps: Any) -> Any:
    """``log(1 + sum e^gap)`` over the last axis, without overflow."""
    return log_sum_exp(
        xp,
        xp.stack(
            [0 * gaps[..., 0], *(gaps[..., j] for j in range(gaps.shape[-1]))], axis=gaps.ndim - 1
        ),
    )


def ties(xp: Any, gaps: Any) -> Any:
    """How many of the gaps are exactly zero: over the last axis."""
    return xp.sum((1 - xp.is_positive(gaps)) * (1 - xp.is_positive(-gaps)), axis=-1)


def not_strict(xp: Any, *, g: Any, q: Any) -> Judgement:
    """Margins q >= 0: the limit of the risk as the factor grows."""
    gaps = g - xp.max(g, axis=-1, keepdims=True) - q[..., None]
    limit = xp.mean(xp.log(1 + ties(xp, gaps)), axis=-1)
    return Judgement((), (Comparison("limit", limit, 0 * limit, "="),))


def every_margin(xp: Any, *, d: Any, e: Any, scale: Any) -> Judgement:
    """Gaps -d with ties, and a sample that is misclassified by e."""
    t = ties(xp, d)
    loss = _risks(xp, -d * scale[:, None, None])
    rest = xp.sum(xp.is_positive(d) * xp.exp(-d * scale[:, None, None]), axis=-1)
    limit = xp.log(1 + t)
    wrong = _risks(xp, xp.stack([e * scale, *(-d[:, 0, j] for j in range(d.shape[2]))], axis=1))
    return Judgement(
        (),
        (
            Comparison("at least the limit", limit, loss),
            Comparison("rate", loss, limit + rest / (1 + t)),
            Comparison("misclassified", e * scale, wrong),
        ),
    )


_RIVALS = {"N": (1, 3), "rivals": (1, 3)}
_GAPS = Field("g", ("N", "rivals"))

EQ_11 = Statement(
    id="review:eq-11",
    kind="equation",
    title="Cross-entropy, and outputs that are scaled",
    source=Source("review", "(11)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "margins greater than 0",
            r"If every margin $\langle h, \xi\rangle - \max_{e_i \ne \xi}\langle h, e_i\rangle$ is "
            r"at least $q > 0$, then $\mathcal R(\lambda h) \le \log(1 + (K-1)e^{-\lambda q})$, "
            r"which is at most $\epsilon$ from $\lambda = \frac1q\log\frac{K-1}{e^\epsilon - 1}$ "
            r"on, so $\lim\mathcal R(\lambda h) = 0$; and it is never below the mean of "
            r"$\log(1 + e^{-\lambda q_i})$.",
            Claim(
                separated,
                (
                    _GAPS,
                    Field("q", ("N",), "positive"),
                    Field("epsilon", (), "positive"),
                    Field("more", (), "nonnegative"),
                ),
                _RIVALS,
            ),
            (Bound("risk of scaled outputs", scaled_risk, "upper"),),
            remark="For a population the limit is zero too (the loss is at most log K, by "
            "dominated convergence), but without a rate where margins have no positive infimum.",
        ),
        Variant(
            "printed",
            "margins of at least 0, as TPT is put after (14)",
            r"If every margin is at least 0, then $\lim_{\lambda\to\infty}\mathcal R(\lambda h) = "
            "0$.",
            Claim(not_strict, (_GAPS, Field("q", ("N",), "nonnegative")), _RIVALS),
            defect="After (14) the terminal phase is put as margins >= 0. With a tie of t rivals "
            "the loss stays at log(1 + t) or more for every factor: separation wants margins > 0.",
        ),
        Variant(
            "sharp",
            "at every margin",
            r"With $t$ rivals tied with the own class and none above it, the loss of $\lambda h$ "
            r"is between $\log(1 + t)$ and $\log(1 + t) + \frac1{1+t}\sum_{d > 0}e^{-\lambda d}$, "
            r"$d$ the gaps to the others; with a rival above by $e$ it is at least $\lambda e$. "
            "So the risk tends to 0 just where all margins are positive, to infinity just where "
            "one is negative.",
            Claim(
                every_margin,
                (
                    Field("d", ("N", "rivals"), "nonnegative"),
                    Field("e", (), "positive"),
                    Field("scale", (), "nonnegative"),
                ),
                _RIVALS,
            ),
        ),
    ),
)


# -- equation (12): the best output in a ball -----------------------------------------------------


def about_origin(xp: Any, *, u: Any, room: Any) -> Judgement:
    """The closed form against any output of the ball about the origin."""
    rivals = u.shape[1] - 1
    radius = norm(xp, u) + room
    best = vertex(xp, radius, rivals)
    other = xp.stack([best[:, 1], best[:, 0], *(best[:, j] for j in range(2, rivals + 1))], axis=1)
    value = least_loss_in_ball(xp, K=0 * radius + rivals + 1, R=radius)
    return Judgement(
        (),
        (
            Comparison("norm", square_norm(xp, best), radius * radius, "="),
            Comparison("value", loss_of_first(xp, best), value, "="),
            Comparison("least", value, loss_of_first(xp, u)),
            Comparison("simplex", dot(xp, best, other), -radius * radius / rivals, "="),
        ),
    )


def recentred(xp: Any, *, u: Any, b: Any, room: Any) -> Judgement:
    """The closed form, moved to the centre b, against any output of the ball about b."""
    best = vertex(xp, norm(xp, u) + room, u.shape[1] - 1)
    return Judgement(
        (), (Comparison("least", loss_of_first(xp, b + best), loss_of_first(xp, b + u)),)
    )


def equal_rivals(xp: Any, *, u: Any, c: Any, d: Any, room: Any) -> Judgement:
    """A centre whose entries off the class are equal: the minimiser, and how much others lose."""
    rivals = u.shape[1] - 1
    radius = norm(xp, u) + room
    best = vertex(xp, radius, rivals)
    b = xp.stack([c, *(d for _ in range(rivals))], axis=1)
    least, loss = loss_of_first(xp, b + best), loss_of_first(xp, b + u)
    missing = -xp.expm1(-least)
    slope = missing * xp.sqrt((0 * radius + rivals + 1) / rivals)
    return Judgement(
        (),
        (
            Comparison("least", least, loss),
            Comparison("unique", slope * square_norm(xp, u - best) / 2, radius * (loss - least)),
            Comparison("certificate", least, ball_certificate(xp, b, best, radius), "="),
        ),
    )


def any_centre(xp: Any, *, u: Any, b: Any, v: Any, room: Any) -> Judgement:
    """Any v gives a lower bound on the loss over the ball about b."""
    radius = norm(xp, u) + room
    return Judgement(
        (),
        (Comparison("certificate", ball_certificate(xp, b, v, radius), loss_of_first(xp, b + u)),),
    )


_U, _B, _ROOM = Field("u", ("K",)), Field("b", ("K",)), Field("room", (), "nonnegative")
_VERTEX = r"$\sqrt{\tfrac{K-1}K}R\,e_k - \tfrac R{\sqrt{K(K-1)}}\sum_{j\ne k}e_j$"
_CLASSES = {"K": (2, 5)}

EQ_12 = Statement(
    id="review:eq-12",
    kind="equation",
    title="The best output in a ball",
    source=Source("review", "(12)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "centre 0",
            rf"On $|h| \le R$ the loss of class $k$ is least at {_VERTEX}, where it is $\log(1 + "
            r"(K-1)e^{-R\sqrt{K/(K-1)}})$; these points have norm $R$ and pairwise inner products "
            r"$-\frac{R^2}{K-1}$.",
            Claim(about_origin, (_U, _ROOM), _CLASSES),
            (Bound("loss in the ball", least_loss_in_ball, "lower", 0),),
        ),
        Variant(
            "printed",
            "centre b, the closed form moved to b",
            rf"On $|h - b| \le R$ the loss of class $k$ is least at $b$ + {_VERTEX}: the bias does "
            "not affect the simplex.",
            Claim(recentred, (_U, _B, _ROOM), _CLASSES),
            defect="(12) is over B_R(b), its solution is that of B_R(0). Cross-entropy does not "
            "change when all logits move alike, but does when b is another vector: rivals that b "
            "lifts are pushed down more. For all classes at once the simplex stays only for K = 2 "
            "or b a multiple of (1, ..., 1).",
        ),
        Variant(
            "corrected",
            "a centre with equal entries off the class",
            rf"If $b_j$ is the same for all $j \ne k$ (as for $K = 2$ or $b \in \mathrm{{span}}"
            rf"\{{1\}}$), the loss on $|h - b| \le R$ is least at $h^* = b$ + {_VERTEX}, and "
            r"$R\,(\ell(h) - \ell(h^*)) \ge \frac{1 - e^{-\ell(h^*)}}2\sqrt{\frac K{K-1}}\,"
            r"|h - h^*|^2$, so nowhere else.",
            Claim(equal_rivals, (_U, Field("c"), Field("d"), _ROOM), _CLASSES),
        ),
        Variant(
            "sharp",
            "a certificate for any centre",
            r"For every $v$, with $g = \Phi(b + v) - e_k$, the loss on $|h - b| \le R$ is at least "
            r"$\ell(b + v) - \langle g, v\rangle - R|g|$, which is $\ell(b+v)$ just where $v = "
            r"-R\,g/|g|$: then $b + v$ is the minimiser.",
            Claim(any_centre, (_U, _B, Field("v", ("K",)), _ROOM), _CLASSES),
            remark="The stationary equation of Lagrange, with a gap: v sums to 0 and its entries "
            "off the class are proportional to the softmax probabilities there.",
        ),
    ),
)


# -- the preimage of an output --------------------------------------------------------------------


def weights_of(xp: Any, s: Any, left: Any, right: Any) -> Any:
    """The matrix ``sum s_r left_r right_r^T``: (B, r), (B, r, K), (B, r, m) to (B, K, m)."""
    return xp.matmul(xp.matrix_transpose(left * s[..., None]), right)


def affine_dimension(xp: Any, *, a: Any) -> Judgement:
    """The dimension m - rank A of a preimage for the rows a and -a, against m - K with K = 2.

    The rank is the number of rows that are not zero once the first is added to the second.
    """
    m, first, second = a.shape[1], square_norm(xp, a), square_norm(xp, a + (-a))
    rank = xp.is_positive(first) + xp.is_positive(second)
    return Judgement((), (Comparison("dimension", m - rank, 0 * first + m - 2, "="),))


def preimage(xp: Any, *, s: Any, left: Any, right: Any, f: Any, g: Any, power: Any) -> Judgement:
    """What is the same under A, which of it is shortest, and that norms are strictly convex."""
    r, m = s.shape[1], right.shape[2]
    frame = orthonormal_frame(xp, right, m)
    A = weights_of(xp, s, orthonormal_frame(xp, left, r), frame[:, :r])
    step = xp.matmul(A, (f - g)[..., None])[..., 0]
    along = dot(xp, frame, (f - g)[:, None, :])
    seen = xp.stack([*(xp.is_positive(s[:, i]) for i in range(r))], axis=1)
    hidden = xp.stack(
        [*(1 - seen[:, i] for i in range(r)), *(0 * f[:, 0] + 1 for _ in range(m - r))], axis=1
    )
    inside = xp.sum((hidden * along)[..., None] * frame, axis=1)
    shortest = f - xp.sum((hidden * dot(xp, frame, f[:, None, :]))[..., None] * frame, axis=1)
    moved = f + inside
    p = 2 + power
    middle, half = (f + moved) / 2, inside / 2
    shown = xp.matmul(A, xp.stack([inside, f - shortest], axis=2))
    return Judgement(
        (),
        (
            Comparison(
                "outputs",
                square_norm(xp, step),
                xp.sum(s * s * along[:, :r] * along[:, :r], axis=-1),
                "=",
            ),
            Comparison("same output", shown, 0 * shown, "="),
            Comparison(
                "shortest",
                square_norm(xp, f),
                square_norm(xp, shortest) + square_norm(xp, f - shortest),
                "=",
            ),
            Comparison(
                "strictly convex",
                2 * (_power_sum(xp, middle, p) + _power_sum(xp, half, p)),
                _power_sum(xp, f, p) + _power_sum(xp, moved, p),
            ),
        ),
    )


def _power_sum(xp: Any, x: Any, p: Any) -> Any:
    """``sum |x_i|^p``, zero where x is."""
    there = xp.is_positive(xp.abs(x))
    size = xp.abs(x) + (1 - there)
    return xp.sum(there * xp.exp(p[:, None] * xp.log(size)), axis=-1)


PREIMAGE = Statement(
    id="review:remark-preimage",
    kind="remark",
    title="Preimage of a collapsed output",
    source=Source("review", "Sec. 3.1.1, after (12)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "dimension m - K, here for two collapsed rows",
            r"The preimage $(A\cdot + b)^{-1}(z)$ of an output $z = Af + b$ is an affine subspace "
            r"of $\mathbb R^m$ of dimension $m - K$, whatever $A$; here for the rows $a$ and $-a$, "
            "with the rank by elimination.",
            Claim(affine_dimension, (Field("a", ("m",), "positive"),), {"m": (2, 4)}),
            defect="That wants K linearly independent rows. Where there is a preimage its "
            "dimension is m - rank A: m - K + 1 for the simplex ETF of (17) and (39), whose rows "
            "sum to zero; and for m < K there is none of dimension m - K < 0.",
        ),
        Variant(
            "corrected",
            "dimension m - rank A, and the shortest feature",
            r"With $A = \sum_r s_ru_rv_r^\top$ of rank $\#\{s_r > 0\}$: $|A(f - g)|^2 = "
            r"\sum s_r^2\langle v_r, f - g\rangle^2$, so the preimage of $Af + b$ is $f$ plus the "
            r"complement of the $v_r$ with $s_r > 0$, of dimension $m - \mathrm{rank}\,A$. Its "
            r"shortest point is $f^* = \sum_{s_r>0}\langle v_r, f\rangle v_r$, $|f|^2 = |f^*|^2 + "
            r"|f - f^*|^2$; and for $p \ge 2$ two of its points have a midpoint with "
            r"$2\|\tfrac{f+g}2\|_p^p + 2\|\tfrac{f-g}2\|_p^p \le \|f\|_p^p + \|g\|_p^p$: the "
            "shortest in the p-norm is unique.",
            Claim(
                preimage,
                (
                    Field("s", ("r",), "nonnegative"),
                    Field("left", ("r", "K")),
                    Field("right", ("m", "m")),
                    Field("f", ("m",)),
                    Field("g", ("m",)),
                    Field("power", (), "nonnegative"),
                ),
                {"r": (1, 2), "K": (1, 3), "m": (1, 4)},
                {
                    "K": lambda sizes: max(sizes["K"], sizes["r"]),
                    "m": lambda sizes: max(sizes["m"], sizes["r"]),
                },
            ),
            remark="For 1 < p < 2 uniqueness is Clarkson's other inequality (Trans. Amer. Math. "
            "Soc. 40 (1936)). For p = 1 and infinity it fails: A = (1, 1) has the same output at "
            "(1, 0) and (0, 1), A = (1, 0) at (1, 0) and (1, 1).",
        ),
    ),
)

STATEMENTS = (EQ_11, EQ_12, PREIMAGE)
