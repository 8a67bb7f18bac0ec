"""Means, covariances and the conditions NC2 and NC3, as the square-loss paper defines them.

C classes of N features h in R^d, class means mu_c, their mean mu_G, and centred class means
``m_c = mu_c - mu_G`` of norms r_c; M has them as columns.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, proportion
from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.metrics import pairs, simplex_cosine
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.square_loss.multiclass_collapse import centred_rows
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

_FEATURES = (Field("h", ("C", "N", "d")),)
_MU = (Field("mu", ("C", "d")),)


# -- Equations (26) and (27) ----------------------------------------------------------------------


def global_mean_claim(xp: Any, *, h: Any) -> Judgement:
    """The mean of the class means is the mean of all features of a balanced data set."""
    C, N, d = h.shape[1:]
    of_means = xp.mean(xp.mean(h, axis=2), axis=1)
    every = xp.sum(xp.reshape(h, (-1, C * N, d)), axis=1) / (C * N)
    return Judgement((), (Comparison("global mean", of_means, every, "="),))


def scatter(xp: Any, x: Any) -> Any:
    """Sum of ``x x^T``: (B, n, d) to (B, d, d)."""
    return xp.matmul(xp.matrix_transpose(x), x)


def covariances_claim(typeset: bool) -> Any:
    """Return the claim that total covariance is within-class plus between-class covariance.

    As typeset the within-class sum runs to C in place of N.
    """

    def judge(xp: Any, *, h: Any) -> Judgement:
        C, N, d = h.shape[1:]
        means = xp.mean(h, axis=2)
        off = h - means[:, :, None, :]
        last = C if typeset else N
        within = scatter(xp, xp.reshape(off[:, :, :last], (-1, C * last, d))) / (C * N)
        between = scatter(xp, centred_rows(xp, means)) / C
        whole = h - xp.mean(means, axis=1)[:, None, None, :]
        total = scatter(xp, xp.reshape(whole, (-1, C * N, d))) / (C * N)
        return Judgement((), (Comparison("total", total, within + between, "="),))

    return judge


EQ_26 = Statement(
    id="square:eq-26",
    kind="equation",
    title="Class means and the global mean",
    source=Source("square", "(26), Sec. 5"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "a balanced data set",
            r"With $\mu_c = \frac1N\sum_n h(x_{cn})$: $\frac1C\sum_c\mu_c = \frac1{NC}\sum_{c,n} "
            r"h(x_{cn})$.",
            Claim(global_mean_claim, _FEATURES, {"C": (2, 4), "N": (1, 4), "d": (1, 3)}),
            remark="Classes of unequal sizes weigh the class means: the two are different then.",
        ),
    ),
)

EQ_27 = Statement(
    id="square:eq-27",
    kind="equation",
    title="Within-class, between-class and total covariance",
    source=Source("square", "(27), Sec. 5"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "as typeset, the within-class sum up to C",
            r"With $\Sigma_W = \frac1C\sum_c\frac1N\sum_{n=1}^C(h(x_{cn}) - \mu_c)(h(x_{cn}) - "
            r"\mu_c)^\top$, $N \ge C$: $\Sigma_T = \Sigma_W + \Sigma_B$.",
            Claim(
                covariances_claim(True),
                _FEATURES,
                {"C": (2, 3), "N": (3, 5), "d": (1, 2)},
            ),
            defect="A slip: the inner sum runs over the N samples of a class.",
        ),
        Variant(
            "corrected",
            "the within-class sum over all samples",
            r"With $\Sigma_W = \frac1C\sum_c\frac1N\sum_{n=1}^N(h(x_{cn}) - \mu_c)(h(x_{cn}) - "
            r"\mu_c)^\top$: $\Sigma_T = \Sigma_W + \Sigma_B$.",
            Claim(covariances_claim(False), _FEATURES, {"C": (2, 4), "N": (1, 4), "d": (1, 3)}),
        ),
    ),
)


# -- NC2 ------------------------------------------------------------------------------------------

_C = integer("C", "number of classes", "C", at_least=2)
_XI = nonnegative("xi", "largest excess of the angles over those of a simplex, in cosines", r"\xi")


@formula(_C, _XI)
def norms_from_angles(xp: Any, C: Any, xi: Any) -> Any:
    """Upper bound on the variance of the norms of centred class means over their squared mean."""
    return (C - 1) * (C - 1) * xi / (C + (C - 1) * xi)


def directions_claim(xp: Any, *, mu: Any) -> Judgement:
    """How nearly the directions of the centred class means add up to zero, by their cosines."""
    C = mu.shape[1]
    m = centred_rows(xp, mu)
    lengths = norm(xp, m)
    mean = xp.mean(lengths, axis=-1)
    u = m / lengths[..., None]
    spread = xp.sum(xp.abs(lengths - mean[:, None]), axis=-1) / mean
    least = simplex_cosine(xp, C=0 * mean + C)
    cosine = xp.mean(pairs(xp, u, lambda x, y: dot(xp, x, y)), axis=-1)
    total = square_norm(xp, xp.sum(u, axis=1))
    return Judgement(
        (),
        (
            Comparison("sum of directions", cosine, least + total / (C * (C - 1)), "="),
            Comparison("mean cosine", cosine, least + spread * spread / (C * (C - 1))),
        ),
    )


def square_claim(xp: Any, *, u: Any) -> Judgement:
    """Four means of equal norms that add up to zero: u, -u and the same turned by 90 degrees."""
    turned = xp.stack([-u[:, 1], u[:, 0]], axis=-1)
    mu = xp.stack([u, -u, turned, -turned], axis=1)
    m = centred_rows(xp, mu)
    squares = square_norm(xp, m)
    cosines = pairs(xp, m, lambda x, y: dot(xp, x, y) / (norm(xp, x) * norm(xp, y)))
    ideal = simplex_cosine(xp, C=0 * cosines + 4)
    return Judgement(
        (Comparison("equal norms", squares, squares[:, :1] + 0 * squares, "="),),
        (Comparison("cosines", cosines, ideal, "="),),
    )


def norms_claim(xp: Any, *, mu: Any) -> Judgement:
    """The norms of the centred class means from their angles."""
    C = mu.shape[1]
    m = centred_rows(xp, mu)
    lengths = norm(xp, m)
    mean = xp.mean(lengths, axis=-1)
    off = lengths - mean[:, None]
    both = pairs(xp, m, lambda x, y: dot(xp, x, y))
    sizes = pairs(xp, lengths[..., None], lambda x, y: (x * y)[..., 0])
    excess = xp.sum(both + sizes / (C - 1), axis=-1)
    spread = xp.sum(off * off, axis=-1)
    xi = xp.max(-both / sizes, axis=-1) - (0 * mean + 1) / (C - 1)
    limit = norms_from_angles(xp, C=0 * mean + C, xi=xi)
    return Judgement(
        (),
        (
            Comparison("excess of the angles", 2 * excess * (C - 1) / C, -spread, "="),
            Comparison("norms", spread / (C * mean * mean), limit),
        ),
    )


NC2 = Statement(
    id="square:definition-nc2",
    kind="definition",
    title="NC2, and what equal norms imply",
    source=Source("square", "Sec. 5"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"NC2: $\bigl||\mu_c - \mu_G| - |\mu_{c'} - \mu_G|\bigr| \to 0$, and the directions "
            r"$\tilde\mu_c = \frac{\mu_c - \mu_G}{|\mu_c - \mu_G|}$ have $\langle\tilde\mu_c, "
            r"\tilde\mu_{c'}\rangle = -\frac1{C-1}$ for $c \ne c'$.",
            remark="Undefined where a class mean is the global mean.",
        ),
        Variant(
            "printed",
            "equal norms imply that the directions add up to zero",
            r"With $r_c = |\mu_c - \mu_G|$ of mean $\bar r$ the mean of $\langle\tilde\mu_c, "
            r"\tilde\mu_{c'}\rangle$ over $c \ne c'$ is $\frac{|\sum_c\tilde\mu_c|^2 - C}"
            r"{C(C-1)}$, and $|\sum_c\tilde\mu_c| \le \sum_c\frac{|r_c - \bar r|}{\bar r}$. So "
            r"equal norms imply $\sum_c\tilde\mu_c = 0$.",
            Claim(directions_claim, _MU, {"C": (2, 5), "d": (1, 4)}),
            remark="The printed implication is the case of equal norms; how nearly is ours.",
        ),
        Variant(
            "printed",
            "equal norms imply the simplex",
            r"If the centred class means have equal norms they lie on a simplex: $\langle"
            r"\tilde\mu_c, \tilde\mu_{c'}\rangle = -\frac1{C-1}$.",
            Claim(square_claim, (Field("u", ("two",)),), {}, {"two": lambda sizes: 2}),
            defect="That the directions add up to zero is not enough for C > 3: four class means "
            "at the corners of a square. It is the angles that imply the norms.",
        ),
        Variant(
            "sharp",
            "equal angles imply equal norms",
            r"With $\xi_{c,c'} = \langle\tilde\mu_c, \tilde\mu_{c'}\rangle + \frac1{C-1}$: "
            r"$\frac{C-1}C\sum_{c \ne c'}\xi_{c,c'}r_cr_{c'} = -\sum_c(r_c - \bar r)^2$. So with "
            r"$\xi$ the largest $-\xi_{c,c'}$ the variance of the norms over $\bar r^2$ is at most "
            r"$\frac{(C-1)^2\xi}{C + (C-1)\xi}$: the angles of NC2 alone imply its equal norms.",
            Claim(norms_claim, _MU, {"C": (2, 5), "d": (1, 4)}),
            (Bound("variance of the norms over their squared mean", norms_from_angles, "upper"),),
        ),
    ),
)


# -- NC3 ------------------------------------------------------------------------------------------

_SHARE = proportion("share", "squared norm of the centred weights over that of the weights", "s")


@formula(_SHARE)
def least_dual_distance(xp: Any, share: Any) -> Any:
    """Lower bound on the squared distance of normalised weights and centred class means."""
    return 2 - 2 * xp.sqrt(share)


def dual_distance_claim(xp: Any, *, w: Any, mu: Any) -> Judgement:
    """The squared distance of NC3, by the cosine, and how far weights off centre keep it."""
    m = centred_rows(xp, mu)
    wdot = centred_rows(xp, w)
    size, of_weights = (xp.sum(square_norm(xp, x), axis=-1) for x in (m, w))
    unit_w = w / xp.sqrt(of_weights)[:, None, None]
    unit_m = m / xp.sqrt(size)[:, None, None]
    distance = xp.sum(square_norm(xp, unit_w - unit_m), axis=-1)
    cosine = xp.sum(dot(xp, w, m), axis=-1) / xp.sqrt(size * of_weights)
    share = xp.sum(square_norm(xp, wdot), axis=-1) / of_weights
    return Judgement(
        (),
        (
            Comparison("squared distance", distance, 2 - 2 * cosine, "="),
            Comparison("least distance", least_dual_distance(xp, share=share), distance),
        ),
    )


NC3 = Statement(
    id="square:definition-nc3",
    kind="definition",
    title="NC3, the distance of weights and class means",
    source=Source("square", "Sec. 5"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"NC3: $\left|\frac{W^\top}{|W|_F} - \frac M{|M|_F}\right| \to 0$ with $M = [\mu_c - "
            r"\mu_G]$.",
            remark="The norm of the difference is not named in the paper; we take Frobenius'.",
        ),
        Variant(
            "sharp",
            "a cosine, of centred weights only",
            r"The squared distance is $2 - 2\cos(W^\top, M)$, and at least $2 - 2|\dot W|/|W|$ "
            r"with $\dot w_c = w_c - \bar w$: NC3 implies that the weights are centred.",
            Claim(
                dual_distance_claim,
                (Field("w", ("C", "d")), *_MU),
                {"C": (2, 4), "d": (1, 4)},
            ),
            (Bound("squared distance", least_dual_distance, "lower"),),
        ),
    ),
)

STATEMENTS = (EQ_26, EQ_27, NC2, NC3)
