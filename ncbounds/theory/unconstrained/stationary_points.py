"""Stationary points of separation and of cross-entropy: which are global minima, where it descends.

Separation of least norm is not convex: its KKT points need not be minima, and a bound on the norm
of the multipliers says which are. On a sphere of weights and features the risk of `review` has a
direction of descent wherever a dimension is free and the slope is larger than the multiplier; with
fewer than K - 1 dimensions there are stationary points without one, collapsed or not.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.metrics import orthonormal_frame
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
from ncbounds.theory.unconstrained.entropy_flow import (
    SIZES,
    A,
    F,
    entropy_point,
    logits,
    product,
    ranges,
)
from ncbounds.theory.unconstrained.separation import least_norm, separation, total

# -- guarantees: functions of what is measured ----------------------------------------------------


def squared_norm_bound(xp: Any, G: Any) -> Any:
    """Upper bound on the squared operator norm of G (B, N, K): the largest row sum of G G^T."""
    gram = xp.matmul(xp.matrix_transpose(G), G)
    return xp.max(xp.sum(xp.abs(gram), axis=-1), axis=-1)


def least_risk(xp: Any, risk: Any, along: Any, norm: Any, square: Any) -> Any:
    """Lower bound on the risk over ``|A|^2 + |F|^2 <= square``, from the slope G at any point.

    `along` is <G, A F> there, `norm` an upper bound on the operator norm of G; all (B,).
    """
    return risk - along - norm * square / 2


# -- KKT points -----------------------------------------------------------------------------------


def qualification(xp: Any, *, a: Any, f: Any, s: Any) -> Judgement:
    """(A, F) itself is a direction in which every constraint grows."""
    at, grown = separation(xp, a, f), separation(xp, *_scaled(a, f, 1 + s))
    slope = 2 * at.gaps
    factor = (s + s * s / 2)[:, None, None, None]
    return Judgement(
        (Comparison("separated", 0 * at.q, at.q),),
        (
            Comparison("step", grown.gaps, at.gaps + factor * slope, "="),
            Comparison("slope", 2 * at.q[:, None, None, None] + 0 * slope, slope),
        ),
    )


def _scaled(a: Any, f: Any, by: Any) -> tuple[Any, Any]:
    return a * by[:, None, None], f * by[:, None, None, None]


def multiplier_matrix(xp: Any, lam: Any) -> Any:
    """Columns ``sum_j lam_kij (e_k - e_j)`` for multipliers (B, K, n, K-1): (B, K, n, K)."""
    K = lam.shape[1]
    classes = []
    for k in range(K):
        entries = [-lam[:, k, :, j - (j > k)] for j in range(K) if j != k]
        entries.insert(k, xp.sum(lam[:, k], axis=-1))
        classes.append(xp.stack(entries, axis=2))
    return xp.stack(classes, axis=1)


def _pulled(xp: Any, G: Any, a: Any, f: Any) -> tuple[Any, Any]:
    """``G F^T`` and the rows ``A^T G``."""
    K, n, m = f.shape[1:]
    rows = xp.reshape(G, (-1, K * n, K))
    of_features = xp.reshape(f, (-1, K * n, m))
    return xp.matmul(xp.matrix_transpose(rows), of_features), xp.matmul(G, a[:, None])


def opposite_pairs(xp: Any, *, mirror: Any) -> Judgement:
    """Classes at the vertices of a cross-polytope, one sample each, as a KKT point of (15)."""
    pairs, m = (mirror.shape[2] + 1) // 2, mirror.shape[2]
    frame = orthonormal_frame(xp, mirror, pairs)
    a = xp.stack([sign * frame[:, i] for i in range(pairs) for sign in (1, -1)], axis=1)
    f, K = a[:, :, None, :], 2 * pairs
    assert m >= K - 1
    one = 0 * mirror[:, 0, 0] + 1
    to_others = one / (K - 2)
    lam = xp.stack(
        [
            xp.stack([to_others * int(j // 2 != k // 2) for j in range(K) if j != k], axis=1)
            for k in range(K)
        ],
        axis=1,
    )[:, :, None, :]
    net = separation(xp, a, f)
    pull_a, pull_f = _pulled(xp, multiplier_matrix(xp, lam), a, f)
    slack = lam * (net.gaps - 1)
    return Judgement(
        (
            Comparison("feasible", 0 * net.gaps + 1, net.gaps),
            Comparison("multipliers", 0 * lam, lam),
            Comparison("stationary in A", pull_a, a, "="),
            Comparison("stationary in F", pull_f, f, "="),
            Comparison("complementary", slack, 0 * slack, "="),
        ),
        (Comparison("global", net.objective, least_norm(xp, K=K * one, n=one)),),
    )


def certificate(xp: Any, *, a: Any, f: Any, lam: Any) -> Judgement:
    """Any multipliers: the objective of any point in terms of them, and what they rule out."""
    net = separation(xp, a, f)
    K, n = f.shape[1:3]
    G = multiplier_matrix(xp, lam)
    pull_a, _ = _pulled(xp, G, a, f)
    price = xp.sum(total(xp, lam), axis=-1)
    slack = xp.sum(total(xp, lam * (net.gaps - 1)), axis=-1)
    away = total(xp, (a - pull_a) * (a - pull_a))
    curvature = net.features - total(xp, pull_a * pull_a)
    norm = xp.sqrt(squared_norm_bound(xp, xp.reshape(G, (-1, K * n, K))))
    return Judgement(
        (),
        (
            Comparison("objective", net.objective, price + slack + (away + curvature) / 2, "="),
            Comparison("bound", price * net.q, norm * net.objective),
        ),
    )


_LAM = Field("lam", ("K", "n", "rivals"), "positive")

KKT = Statement(
    id="review:remark-kkt",
    kind="remark",
    title="Constraint qualification and global minima",
    source=Source("review", "Sec. 3.1.1, after (15)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the qualification holds",
            r"At a feasible point of (15) all constraints grow in the direction $(A, F)$: their "
            r"slopes are $2\langle a_k - a_j, f_{k,i}\rangle \ge 2q_{\min} > 0$, which is "
            "MFCQ.",
            Claim(qualification, (A, F, Field("s")), SIZES),
            remark="So limits of approximate KKT points are KKT points (Dutta et al. 2013).",
        ),
        Variant(
            "printed",
            "then KKT points are global minima",
            r"As MFCQ holds, a KKT point of (15) is a global minimum: its objective is "
            r"$(K-1)\sqrt n$. Here at two opposite pairs of classes, $n = 1$, $m = 3$.",
            Claim(
                opposite_pairs,
                (Field("mirror", ("one", "m")),),
                {"m": (3, 3)},
                {"one": lambda sizes: 1},
            ),
            defect="The sentence takes MFCQ to be sufficient, but (15) is not convex: the "
            "cross-polytope, K classes in opposite pairs, is a KKT point with the objective K > "
            "K - 1 where m >= K - 1. Ji et al. use MFCQ for KKT and a second argument, on "
            "descent directions, for minima.",
        ),
        Variant(
            "corrected",
            "KKT points with multipliers of norm 1",
            r"For multipliers $\lambda \ge 0$ let $G$ have the columns $\sum_j\lambda_{kij}(e_k - "
            r"e_j)$. For every $A$, $F$: $\frac12(\|A\|_F^2 + \|F\|_F^2) = \sum\lambda + \sum"
            r"\lambda(\langle a_k - a_j, f_{k,i}\rangle - 1) + \frac12\|A - GF^\top\|_F^2 + "
            r"\frac12(\|F\|_F^2 - \|GF^\top\|_F^2)$. So if $\|G\| \le 1$, every separation with "
            r"margin 1 has at least $\sum\lambda$, a KKT point just that: it is a global minimum.",
            Claim(
                certificate,
                (A, F, _LAM),
                SIZES,
                {"rivals": lambda sizes: sizes["K"] - 1},
            ),
            remark="At the simplex G = (I - 11^T/K) (x) 1^T/root n has norm 1; at opposite pairs "
            "its norm is above 1. The bound holds with the largest absolute row sum of G G^T for "
            "the squared norm.",
        ),
    ),
)


# -- tangent directions ---------------------------------------------------------------------------


def opposed_on_a_line(xp: Any, *, alpha: Any) -> Judgement:
    """K = 3, m = 1, A = F = (alpha, -alpha, 0): the second derivative across the shift of A.

    In the basis (1, 1, -2; 0), (0; 1, 1, 0), (0; 0, 0, 1) of (A; F) the Hessian of N R is the
    matrix whose leading minors these are; in (1, -1, 0; -1, 1, 0) it is 4 (1 - p + r) > 0.
    """
    t = alpha * alpha
    up, down = xp.exp(t), xp.exp(-t)
    p, r, s = (x / (up + down + 1) for x in (up, down, 0 * t + 1))
    first = 18 * t * s * (1 - s)
    mixed = 6 * s * (t * (p - r) - 1)
    second = 2 * t * (p + r - (p - r) * (p - r))
    third = 2 * t / 3
    two = first * second - mixed * mixed
    three = two * third - 4 * second
    least = xp.minimum(xp.minimum(first, two), three)
    return Judgement((), (Comparison("a direction of descent", least, 0 * least),))


def _with(xp: Any, rows: Any, last: Any) -> Any:
    """Rows with one more coordinate."""
    return xp.stack([*(rows[..., j] for j in range(rows.shape[-1])), last], axis=rows.ndim - 1)


def descent(xp: Any, *, a: Any, f: Any, u: Any, v: Any, delta: Any) -> Judgement:
    """Move weights by delta u and features by -delta v in a dimension that both leave free."""
    K, n = f.shape[1:3]
    at = entropy_point(xp, a, f)
    wide_a, wide_f = _with(xp, a, 0 * a[..., 0]), _with(xp, f, 0 * f[..., 0])
    da, df = _with(xp, 0 * a, u), _with(xp, 0 * f, -v)
    moved_a = wide_a + da * delta[:, None, None]
    moved_f = wide_f + df * delta[:, None, None, None]
    moved = entropy_point(xp, moved_a, moved_f)
    square = delta * delta
    push = xp.sum(total(xp, at.slope * v[..., None] * u[:, None, None, :]), axis=-1)
    sizes = square_norm(xp, u) * total(xp, v * v)
    norms = product(xp, a, f, a, f)
    back = norms / (norms + square * (square_norm(xp, u) + total(xp, v * v)))
    root = xp.sqrt(back)
    home = entropy_point(xp, *_scaled(moved_a, moved_f, root))
    along = xp.sum(total(xp, at.slope * at.z), axis=-1)
    linear = at.risk + (back - 1) * along - back * square * push
    return Judgement(
        (),
        (
            Comparison("tangent", product(xp, wide_a, wide_f, da, df), 0 * push, "="),
            Comparison(
                "logits",
                moved.z,
                logits(xp, a, f) - (square[:, None, None] * v)[..., None] * u[:, None, None, :],
                "=",
            ),
            Comparison(
                "risk",
                moved.risk,
                at.risk - square * push + square * square * sizes / (4 * K * n),
            ),
            Comparison("on the sphere", home.risk, linear + ranges(xp, home.z - at.z) / 8),
        ),
    )


def least_on_ball(xp: Any, *, a: Any, f: Any, b: Any, g: Any) -> Judgement:
    """Any point bounds the risk of all others (b, g) by its slope."""
    at, other = entropy_point(xp, a, f), entropy_point(xp, b, g)
    K, n = f.shape[1:3]
    along = xp.sum(total(xp, at.slope * at.z), axis=-1)
    norm = xp.sqrt(squared_norm_bound(xp, xp.reshape(at.slope, (-1, K * n, K))))
    low = least_risk(xp, at.risk, along, norm, product(xp, b, g, b, g))
    return Judgement((), (Comparison("least risk", low, other.risk),))


TANGENT = Statement(
    id="review:remark-tangent",
    kind="remark",
    title="Descent direction in the tangent space",
    source=Source("review", "Sec. 3.1.1, loss landscape"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "in any dimension m, here K = 3, m = 1",
            r"Where $(F, A)$ is not collapsed, a tangent direction lowers the risk; so at the "
            r"stationary point $A = F = (\alpha, -\alpha, 0)$ the second derivative is not "
            "positive definite across the shift of all weights, which changes no risk.",
            Claim(opposed_on_a_line, (Field("alpha", (), "positive"),)),
            defect="Two classes opposed and a third at zero are stationary on the sphere, not "
            "collapsed, and for alpha from about 1.25 to 1.7 a strict minimum up to that shift, "
            "in the straight tangent direction and, all the more, along the sphere. Silently the "
            "theorem needs m >= K - 1, without which nothing satisfies NC.",
        ),
        Variant(
            "corrected",
            "where a dimension is free",
            r"If $w \perp a_k, f_{k,i}$ is a unit vector, then for $u \in \mathbb R^K$, $v \in "
            r"\mathbb R^N$ the direction $\Delta A = uw^\top$, $\Delta F = -wv^\top$ is tangent, "
            r"the logits become $AF - \delta^2uv^\top$, and $\mathcal R(F + \delta\Delta F, A + "
            r"\delta\Delta A) \le \mathcal R - \delta^2\langle G, uv^\top\rangle + "
            r"\frac{\delta^4}{4N}|u|^2|v|^2$ with $G = \frac1N(P - Y)$: lower for $\delta^2 < 4N"
            r"\langle G, uv^\top\rangle/(|u||v|)^2$. Scaled back to the sphere by the root of "
            r"$c$, it is at most $\mathcal R - (1-c)\langle G, AF\rangle - c\delta^2\langle G, "
            r"uv^\top\rangle$ and an eighth of the mean squared range.",
            Claim(
                descent,
                (
                    Field("a", ("K", "m")),
                    Field("f", ("K", "n", "m"), like="a"),
                    Field("u", ("K",)),
                    Field("v", ("K", "n")),
                    Field("delta", (), "positive"),
                ),
                SIZES,
            ),
            remark="At a stationary point of the sphere, G F^T = -mu A and A^T G = -mu F, the "
            "second derivative along it is 2 mu - 2 |G| < 0 for the top singular vectors, unless "
            "|G| = mu: then it is a global minimum (sharp). For m >= K - 1 one of the two holds: a "
            "dimension is free, or A has rank K - 1, and G G^T A = mu^2 A makes |G| = mu.",
        ),
        Variant(
            "sharp",
            "what the slope says of all points",
            r"With $G = \frac1N(P - Y)$ at any $(A, F)$, every $(B, E)$ with $\|B\|_F^2 + "
            r"\|E\|_F^2 \le \rho^2$ has $\mathcal R(E, B) \ge \mathcal R(F, A) - \langle G, "
            r"AF\rangle - \tfrac12\|G\|\rho^2$. A stationary point of the sphere of radius $\rho$ "
            r"with $\|G\| = \mu$ is its global minimum.",
            Claim(
                least_on_ball,
                (A, F, Field("b", ("K", "m"), like="a"), Field("g", ("K", "n", "m"), like="a")),
                SIZES,
            ),
            remark="There <G, AF> = -mu rho^2/2. The claim takes the root of the largest absolute "
            "row sum of G G^T for the norm.",
        ),
    ),
)

STATEMENTS = (KKT, TANGENT)
