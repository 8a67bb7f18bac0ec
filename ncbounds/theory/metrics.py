"""How cosines measure neural collapse: the simplex, intra- and inter-class cosines, NC1 and NC2.

A definition is a wording without a claim, and has no verdict; what is said to follow from it is a
wording with one. The symbols are those of `bnwd`: C classes of N features in R^d, ``h_G`` the mean
of all features, ``A_c`` the mean of the directions ``(h - h_G)/|h - h_G|`` of a class. The cosine
similarities of section 2.2 are norms and inner products of the A_c: NC1 and NC2 are what makes
them 1 and -1/(C-1), and the sharp variants say how nearly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, proportion
from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.proximity.near_optimal_loss import square_norm
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

_C = integer("C", "number of classes", "C", at_least=2)


@formula(_C)
def simplex_cosine(xp: Any, C: Any) -> Any:
    """Cosine of any two points of a simplex ETF."""
    return -1 / (C - 1)


def pairs(xp: Any, rows: Any, of: Callable[[Any, Any], Any]) -> Any:
    """``of(left, right)`` for every two of the rows (B, C, d): (B, C (C-1)/2)."""
    C = rows.shape[1]
    return xp.stack([of(rows[:, c], rows[:, r]) for c in range(C) for r in range(c)], axis=1)


# -- the simplex ETF ------------------------------------------------------------------------------


def orthonormal_frame(xp: Any, mirrors: Any, size: int) -> Any:
    """Rows that are orthonormal: the first `size` unit vectors, reflected in mirrors (B, R, d).

    Every orthonormal frame arises so, from as many mirrors as it has rows, up to the order of its
    rows. A mirror is the hyperplane orthogonal to a vector, which is not zero.
    """
    zero = 0 * mirrors[:, 0, 0]
    d = mirrors.shape[2]
    rows = [xp.stack([zero + int(j == c) for j in range(d)], axis=-1) for c in range(size)]
    frame = xp.stack(rows, axis=1)
    for r in range(mirrors.shape[1]):
        v = mirrors[:, r]
        share = dot(xp, frame, v[:, None, :]) / square_norm(xp, v)[:, None]
        frame = frame - 2 * share[..., None] * v[:, None, :]
    return frame


def simplex(xp: Any, mirrors: Any, alpha: Any) -> Any:
    """The rows of ``alpha (I - 11^T/C) U^T``, U^T U = I: C points in R^d, d >= C; (B, C, d)."""
    frame = orthonormal_frame(xp, mirrors, mirrors.shape[1])
    return alpha[:, None, None] * (frame - xp.mean(frame, axis=1)[:, None, :])


def small_simplex(xp: Any, mirrors: Any, alpha: Any) -> Any:
    """C points in R^d, d >= C - 1, with the inner products of `simplex`; mirrors (B, C-1, d)."""
    frame = orthonormal_frame(xp, mirrors, mirrors.shape[1])
    C = mirrors.shape[1] + 1
    one = 0 * alpha + 1
    points = [0 * frame[:, 0] for _ in range(C)]
    for r in range(1, C):  # the r-th row of the Helmert matrix: r equal entries, one against them
        step = frame[:, r - 1] / xp.sqrt(r * (r + 1) * one)[:, None]
        points = [p + step * (1 if c < r else -r if c == r else 0) for c, p in enumerate(points)]
    return alpha[:, None, None] * xp.stack(points, axis=1)


def simplex_claim(points: Callable[..., Any]) -> Callable[..., Judgement]:
    """Return what holds of the points of a simplex ETF: norms, mean, distances and cosines."""

    def judge(xp: Any, *, mirrors: Any, alpha: Any) -> Judgement:
        m = points(xp, mirrors, alpha)
        C, square = m.shape[1], alpha * alpha
        mean = xp.mean(m, axis=1)
        apart = pairs(xp, m, lambda x, y: square_norm(xp, x - y))
        cosines = pairs(xp, m, lambda x, y: dot(xp, x, y) / (norm(xp, x) * norm(xp, y)))
        expected = simplex_cosine(xp, C=0 * cosines + C)
        size = 0 * m[:, :, 0] + (square * (C - 1) / C)[:, None]
        return Judgement(
            (),
            (
                Comparison("squared norms", square_norm(xp, m), size, "="),
                Comparison("mean", mean, 0 * mean, "="),
                Comparison("squared distances", apart, 0 * apart + 2 * square[:, None], "="),
                Comparison("pairwise cosines", cosines, expected, "="),
            ),
        )

    return judge


def no_wider(xp: Any, *, v: Any) -> Judgement:
    """The mean cosine of any C vectors, and that no arrangement is wider than the simplex."""
    C = v.shape[1]
    u = v / norm(xp, v)[..., None]
    cosines = pairs(xp, u, lambda x, y: dot(xp, x, y))
    least = simplex_cosine(xp, C=0 * cosines[:, 0] + C)
    excess = square_norm(xp, xp.sum(u, axis=1)) / (C * (C - 1))
    return Judgement(
        (),
        (
            Comparison("mean cosine", xp.mean(cosines, axis=-1), least + excess, "="),
            Comparison("largest cosine", -xp.max(cosines, axis=-1), -least),
        ),
    )


_COLUMNS = r"the columns of $M = \alpha U(I_C - \frac1C 11^\top)$, $\alpha > 0$, $U^\top U = I$"
_FOLLOWS = (
    r" have equal norms $\alpha\sqrt{(C-1)/C}$, the mean zero, equal distances $\sqrt2\,\alpha$ "
    r"and pairwise cosines $-\frac1{C-1}$."
)

DEFINITION_1_1 = Statement(
    id="bnwd:definition-1.1",
    kind="definition",
    title="Simplex equiangular tight frame, and its pairwise cosines",
    source=Source("bnwd", "Definition 1.1, Sec. 1 and 2.2"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "the definition",
            rf"A simplex ETF is a collection of $C$ points in $\mathbb R^d$: {_COLUMNS}.",
            remark="C orthonormal columns need d >= C, though the points span C - 1 dimensions "
            "only and the theorems do not exclude d = C - 1. The inner products alone, "
            "M^T M = alpha^2 (I - 11^T/C), define the same for every d >= C - 1.",
        ),
        Variant(
            "printed",
            "pairwise cosines",
            rf"For $d \ge C$, {_COLUMNS},{_FOLLOWS}",
            Claim(
                simplex_claim(simplex),
                (Field("mirrors", ("C", "d")), Field("alpha", (), "positive")),
                {"C": (2, 5), "d": (2, 6)},
                {"d": lambda sizes: max(sizes["d"], sizes["C"])},
            ),
            (Bound("pairwise cosine of a simplex ETF", simplex_cosine, "value"),),
        ),
        Variant(
            "corrected",
            "pairwise cosines from d = C - 1 on",
            r"For $d \ge C - 1$, $C$ points in $\mathbb R^d$ with the inner products "
            rf"$\alpha^2(I - \frac1C 11^\top)$ exist. They{_FOLLOWS}",
            Claim(
                simplex_claim(small_simplex),
                (Field("mirrors", ("rank", "d")), Field("alpha", (), "positive")),
                {"rank": (1, 4), "d": (1, 5)},
                {"d": lambda sizes: max(sizes["d"], sizes["rank"])},
            ),
            (Bound("pairwise cosine of a simplex ETF", simplex_cosine, "value"),),
            remark="C = rank + 1. Two such arrangements differ by an isometry.",
        ),
        Variant(
            "sharp",
            "no arrangement is wider",
            r"For any $C$ vectors, none of them zero, with directions $u_c$ the mean of the "
            r"pairwise cosines is $-\frac1{C-1} + \frac{|\sum_c u_c|^2}{C(C-1)}$, so the largest "
            r"is at least $-\frac1{C-1}$.",
            Claim(no_wider, (Field("v", ("C", "d")),), {"C": (2, 6), "d": (1, 6)}),
            (Bound("largest pairwise cosine", simplex_cosine, "lower"),),
            remark="The largest is -1/(C-1) only where all are: at a simplex, up to the norms.",
        ),
    ),
)


# -- intra-class and inter-class cosines ----------------------------------------------------------


def centred(xp: Any, h: Any) -> Any:
    """Features less the mean of all of them: (B, C, N, d)."""
    return h - xp.mean(xp.mean(h, axis=2), axis=1)[:, None, None, :]


def directions(xp: Any, x: Any) -> Any:
    """Means of the normalised vectors of each class: (B, C, N, d) to (B, C, d)."""
    return xp.mean(x / norm(xp, x)[..., None], axis=2)


def cosine_means(xp: Any, x: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Mean cosines over pairs of samples, literally: ``N^2 C^2`` of them.

    Within each class over all pairs, within each class over pairs of different samples, and
    between every two classes c > c'.
    """
    C, N = x.shape[1:3]
    u = x / norm(xp, x)[..., None]
    other = [i * N + j for i in range(N) for j in range(N) if i != j]

    def of(c: int, r: int) -> Any:
        return xp.reshape(dot(xp, u[:, c, :, None, :], u[:, r, None, :, :]), (-1, N * N))

    within = [of(c, c) for c in range(C)]
    return (
        [xp.mean(cosines, axis=-1) for cosines in within],
        [xp.mean(cosines[:, other], axis=-1) for cosines in within],
        [xp.mean(of(c, r), axis=-1) for c in range(C) for r in range(c)],
    )


def cosines_from_directions(xp: Any, *, h: Any) -> Judgement:
    """Cosine similarities from one mean direction a class, and how low the inter-class ones are."""
    C, N = h.shape[1:3]
    x = centred(xp, h)
    intra, distinct, inter = (xp.stack(means, axis=1) for means in cosine_means(xp, x))
    A = directions(xp, x)
    squares = square_norm(xp, A)
    whole = square_norm(xp, xp.sum(A, axis=1)) - xp.sum(squares, axis=-1)
    products = pairs(xp, A, lambda left, right: dot(xp, left, right))
    mean = xp.mean(inter, axis=-1)
    return Judgement(
        (),
        (
            Comparison("intra-class", intra, squares, "="),
            Comparison(
                "intra-class, different samples", distinct, (N * squares - 1) / (N - 1), "="
            ),
            Comparison("inter-class", inter, products, "="),
            Comparison("mean inter-class", mean, whole / (C * (C - 1)), "="),
            Comparison("least mean", -mean, xp.mean(intra, axis=-1) / (C - 1)),
        ),
    )


DEFINITION_COSINE = Statement(
    id="bnwd:definition-cosine",
    kind="definition",
    title="Intra-class and inter-class cosine similarity",
    source=Source("bnwd", "Sec. 2.2"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"With $x_{c,i} = h_{c,i} - \tilde h_G$: $\mathrm{intra}_c = \frac1{N^2}\sum_{i,j}"
            r"\cos(x_{c,i}, x_{c,j})$, pairs $i = j$ included, and $\mathrm{inter}_{c,c'} = "
            r"\frac1{N^2}\sum_{i,j}\cos(x_{c,i}, x_{c',j})$.",
            remark="Undefined where a feature equals the global mean. With a batch norm without "
            "bias the global mean is zero (see bnwd:remark-bn-zero-mean). For classes of unequal "
            "size we let the global mean be the mean of the class means.",
        ),
        Variant(
            "sharp",
            "from one mean direction a class",
            r"With $A_c = \frac1N\sum_i x_{c,i}/|x_{c,i}|$: $\mathrm{intra}_c = |A_c|^2$; over "
            r"pairs of different samples it is $\frac{N|A_c|^2 - 1}{N - 1}$; "
            r"$\mathrm{inter}_{c,c'} = \langle A_c, A_{c'}\rangle$, of mean $\frac{|\sum_c A_c|^2 "
            r"- \sum_c|A_c|^2}{C(C-1)} \ge -\frac1{C-1}\overline{\mathrm{intra}}$.",
            Claim(
                cosines_from_directions,
                (Field("h", ("C", "N", "d")),),
                {"C": (2, 4), "N": (2, 5), "d": (1, 4)},
            ),
            remark="Everything in O(C N d) and O(C^2 d), where pairs of samples take O(C^2 N^2 d). "
            "Leaving out the pairs i = j lowers intra_c by (1 - intra_c)/(N - 1). The largest "
            "inter-class cosine is at least the mean, so never below -1/(C-1).",
        ),
    ),
)


# -- what NC1 and NC2 imply -----------------------------------------------------------------------

_V = proportion("V", "variability of a class over its mean square, about the global mean", "V")
_U = proportion("U", "the same of the other class", "V'")
_XI = nonnegative("xi", "distance of the cosine of the class means from -1/(C-1)", r"\xi")


@formula(_V)
def intra_from_variability(xp: Any, V: Any) -> Any:
    """Lower bound on the intra-class cosine."""
    least = xp.maximum(1 - 2 * V, 0 * V)
    return least * least


@formula(_V, _U)
def inter_from_variability(xp: Any, V: Any, U: Any) -> Any:
    """Upper bound on the distance of the inter-class cosine from that of the shrunk class means."""
    return V + U - V * U


@formula(_C, _V, _U, _XI)
def inter_from_simplex(xp: Any, C: Any, V: Any, U: Any, xi: Any) -> Any:
    """Upper bound on the distance of the inter-class cosine from -1/(C-1)."""
    return C / (C - 1) * inter_from_variability(xp, V=V, U=U) + (1 - V) * (1 - U) * xi


def on_rays(xp: Any, points: Any, scales: Any, offset: Any) -> Any:
    """Features ``offset + scale (point - mean point)``: (B, C, d), (B, N), (B, d) to (B, C, N, d).

    Scales that are all 1 are NC1. The mean of all features is the offset.
    """
    rays = points - xp.mean(points, axis=1)[:, None, :]
    return offset[:, None, None, :] + scales[:, None, :, None] * rays[:, :, None, :]


def collapsed(xp: Any, *, means: Any, scales: Any, offset: Any) -> Judgement:
    """NC1, or collapse of the directions alone: every intra-class cosine is 1."""
    A = directions(xp, centred(xp, on_rays(xp, means, scales, offset)))
    squares = square_norm(xp, A)
    return Judgement((), (Comparison("intra-class", squares, 0 * squares + 1, "="),))


def collapsed_to_simplex(
    xp: Any, *, mirrors: Any, alpha: Any, scales: Any, offset: Any
) -> Judgement:
    """NC1 and NC2: all cosines are those of the simplex."""
    points = simplex(xp, mirrors, alpha)
    A = directions(xp, centred(xp, on_rays(xp, points, scales, offset)))
    squares = square_norm(xp, A)
    inter = pairs(xp, A, lambda left, right: dot(xp, left, right))
    expected = simplex_cosine(xp, C=0 * inter + A.shape[1])
    return Judgement(
        (),
        (
            Comparison("intra-class", squares, 0 * squares + 1, "="),
            Comparison("inter-class", inter, expected, "="),
        ),
    )


def nearly_collapsed(xp: Any, *, h: Any) -> Judgement:
    """How far variability and the cosines of the class means let the cosines be from collapse."""
    x = centred(xp, h)
    A, means = directions(xp, x), xp.mean(x, axis=2)
    square, of_mean = xp.mean(square_norm(xp, x), axis=-1), square_norm(xp, means)
    V = xp.mean(square_norm(xp, x - means[:, :, None, :]), axis=-1) / square
    shrunk = means * (xp.sqrt(of_mean) / square)[..., None]
    C = A.shape[1]
    places = [(c, r) for c in range(C) for r in range(c)]
    left, right = [c for c, _ in places], [r for _, r in places]
    inter = dot(xp, A[:, left], A[:, right])
    centre = dot(xp, shrunk[:, left], shrunk[:, right])
    both = {"V": V[:, left], "U": V[:, right]}
    number = 0 * inter + C
    ideal = simplex_cosine(xp, C=number)
    of_means = dot(xp, means[:, left], means[:, right])
    lengths = xp.sqrt(of_mean[:, left] * of_mean[:, right])
    xi = xp.abs(of_means / lengths - ideal)
    return Judgement(
        (),
        (
            Comparison("intra-class", intra_from_variability(xp, V=V), square_norm(xp, A)),
            Comparison("inter-class", xp.abs(inter - centre), inter_from_variability(xp, **both)),
            Comparison(
                "distance from -1/(C-1)",
                xp.abs(inter - ideal),
                inter_from_simplex(xp, C=number, xi=xi, **both),
            ),
        ),
    )


_RAYS = (Field("scales", ("N",), "positive"), Field("offset", ("d",)))
_ON_RAYS = (
    r"$h_{c,i} = \tilde h_G + s_i(\tilde h_c - \tilde h_G)$ with $s_i > 0$ of mean 1 (NC1: all "
    r"$s_i = 1$)"
)

NC_IMPLIES_COSINE = Statement(
    id="bnwd:remark-nc-implies-cosine",
    kind="remark",
    title="What NC1 and NC2 imply for the cosine similarities",
    source=Source("bnwd", "Sec. 2.2"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "NC1",
            rf"If {_ON_RAYS} and no class mean is the global mean, then $\mathrm{{intra}}_c = 1$ "
            "for every class.",
            Claim(
                collapsed,
                (Field("means", ("C", "d")), *_RAYS),
                # On a line a class mean is the global mean by accident.
                {"C": (2, 4), "N": (1, 4), "d": (2, 4)},
            ),
            remark="Features that differ by positive factors will do: cosines do not see norms, "
            "so they measure necessary conditions only, as the paper says. A class whose mean is "
            "the global mean has no cosines; NC2 excludes it.",
        ),
        Variant(
            "printed",
            "NC1 and NC2",
            rf"If {_ON_RAYS} and the centred class means are a simplex ETF, then "
            r"$\mathrm{intra}_c = 1$ and $\mathrm{inter}_{c,c'} = -\frac1{C-1}$.",
            Claim(
                collapsed_to_simplex,
                (Field("mirrors", ("C", "d")), Field("alpha", (), "positive"), *_RAYS),
                {"C": (2, 4), "N": (1, 4), "d": (2, 5)},
                {"d": lambda sizes: max(sizes["d"], sizes["C"])},
            ),
            (Bound("inter-class cosine", simplex_cosine, "value"),),
        ),
        Variant(
            "sharp",
            "nearly NC1 and NC2",
            r"For any features, with $V_c$ the variance of the features of a class over their "
            r"mean squared distance from $\tilde h_G$ and $\xi_{c,c'}$ the distance of the cosine "
            r"of two centred class means $m_c$ from $-\frac1{C-1}$: $\mathrm{intra}_c \ge "
            r"(1 - 2V_c)_+^2$; $|\mathrm{inter}_{c,c'} - (1-V_c)(1-V_{c'})\cos(m_c, m_{c'})| \le "
            r"V_c + V_{c'} - V_cV_{c'}$; and $|\mathrm{inter}_{c,c'} + \frac1{C-1}| \le "
            r"\frac C{C-1}(V_c + V_{c'} - V_cV_{c'}) + (1-V_c)(1-V_{c'})\xi_{c,c'}$.",
            Claim(
                nearly_collapsed,
                (Field("h", ("C", "N", "d")),),
                {"C": (2, 4), "N": (1, 5), "d": (1, 4)},
            ),
            (
                Bound("intra-class cosine", intra_from_variability, "lower", 0),
                Bound(
                    "distance of inter-class cosine and shrunk cosine of class means",
                    inter_from_variability,
                    "upper",
                    1,
                ),
                Bound(
                    "distance of inter-class cosine from -1/(C-1)", inter_from_simplex, "upper", 2
                ),
            ),
            remark="No hypothesis: V = 0 is NC1, xi = 0 the angles of NC2. Linear in V, where "
            "tiny features in the wrong direction cost most, and the constants are the best "
            "possible to first order.",
        ),
    ),
)

STATEMENTS = (DEFINITION_1_1, DEFINITION_COSINE, NC_IMPLIES_COSINE)
