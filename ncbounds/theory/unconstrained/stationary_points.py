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


def line_minors(xp: Any, t: Any) -> tuple[Any, Any, Any, Any]:
    """Entries (11), (12), (22), (33) of the Hessian of `opposed`, whose (13) is 2 and (23) is 0."""
    up, down = xp.exp(t), xp.exp(-t)
    p, r, s = (x / (up + down + 1) for x in (up, down, 0 * t + 1))
    first = 18 * t * s * (p + r)
    mixed = 6 * s * (t * (p - r) - 1)
    second = 2 * t * (4 * p * r + s * (p + r))
    return first, mixed, second, 2 * t / 3


def least_minor(xp: Any, t: Any) -> Any:
    """The least of the leading minors of that matrix: it is positive definite where this is."""
    first, mixed, second, third = line_minors(xp, t)
    two = first * second - mixed * mixed
    return xp.minimum(xp.minimum(first, two), two * third - 4 * second)


def opposed_on_a_line(xp: Any, *, alpha: Any) -> Judgement:
    """K = 3, m = 1, A = F = (alpha, -alpha, 0): the second derivative across the shift of A."""
    least = least_minor(xp, alpha * alpha)
    return Judgement((), (Comparison("a direction of descent", least, 0 * least),))


def opposed(xp: Any, *, alpha: Any, x: Any, shift: Any, share: Any) -> Judgement:
    """That point is stationary, its second derivative a matrix, positive definite for some alpha.

    The step is x in the basis (1, 1, -2; 0), (0; 1, 1, 0), (0; 0, 0, 1), (1, -1, 0; -1, 1, 0) of
    (A; F): of what is tangent to the sphere there, all but the shift (1, 1, 1; 0).
    """
    zero = 0 * alpha
    a = xp.stack([alpha, -alpha, zero], axis=1)[..., None]
    f = a[:, :, None, :]
    one, two, three, four = (x[:, i] for i in range(4))
    da = xp.stack([one + four, one - four, -2 * one], axis=1)[..., None]
    df = xp.stack([two - four, two + four, three], axis=1)[..., None, None]
    at = entropy_point(xp, a, f)
    own, rival = at.p[:, 0, 0, 0], at.p[:, 0, 0, 1]
    mu = (2 * rival + at.p[:, 0, 0, 2]) / 3
    turned = logits(xp, da, f) + logits(xp, a, df)
    about = turned - xp.sum(at.p * turned, axis=-1, keepdims=True)
    curved = xp.sum(total(xp, at.p * about * about), axis=-1)
    curved = curved + 6 * xp.sum(total(xp, at.slope * logits(xp, da, df)), axis=-1)
    first, mixed, second, third = line_minors(xp, alpha * alpha)
    form = first * one * one + 2 * mixed * one * two + second * two * two + third * three * three
    form = form + 4 * one * three + 4 * (1 - own + rival) * four * four
    least = least_minor(xp, 8 * (0 * share + 1) / 5 + 4 * share / 5)
    return Judgement(
        (),
        (
            Comparison("slope in A", at.of_weights, mu[:, None, None] * a, "="),
            Comparison("slope in F", at.of_features, mu[:, None, None, None] * f, "="),
            Comparison("second derivative", curved, form, "="),
            Comparison("shift", entropy_point(xp, a + shift[:, None, None], f).risk, at.risk, "="),
            Comparison("positive definite", (0 * least + 1) / 20, least),
        ),
    )


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
            "collapsed, and for alpha from 1.25 to 1.58 a strict minimum up to that shift, in the "
            "straight tangent direction and, all the more, along the sphere (see the sharp "
            "wording). Silently the theorem needs m >= K - 1, without which nothing satisfies NC.",
        ),
        Variant(
            "sharp",
            "two classes opposed on a line, a minimum",
            r"For $K = 3$, $n = m = 1$ at $A = F = (\alpha, -\alpha, 0)$, with the probabilities "
            r"$p, r, s$ of logits $t = \alpha^2, -t, 0$: the velocity is $\mu(A, F)$ with "
            r"$\mu = \frac{2r + s}3$; the shift of $A$ changes no risk; and across it the second "
            r"derivative of $3\mathcal R$ in the tangent space is, in the basis $(1, 1, -2; 0)$, "
            r"$(0; 1, 1, 0)$, $(0; 0, 0, 1)$, $(1, -1, 0; -1, 1, 0)$, the symmetric matrix with "
            r"the entries $18ts(1 - s)$, $2t(p + r - (p - r)^2)$, $\frac23t$, $4(1 - p + r)$ on "
            r"the diagonal, $6s(t(p - r) - 1)$ at (12), 2 at (13), else 0. For $\frac85 \le t \le "
            r"\frac{12}5$ its leading minors are at least $\frac1{20}$: no direction descends.",
            Claim(
                opposed,
                (
                    Field("alpha", (), "positive"),
                    Field("x", ("basis",)),
                    Field("shift"),
                    Field("share", (), "proportion"),
                ),
                {"basis": (4, 4)},
            ),
            remark="Positive definite for t from 1.549 to 2.511, so alpha from 1.245 to 1.584; "
            "outside of these ends a direction descends.",
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
