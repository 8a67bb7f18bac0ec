"""NC1 (`review`, (4)): what its pseudo-inverse sees, and how it compares with CDNV.

Variance within classes is a sum of what lies in the span of the centred class means, which NC1
sees, and of what lies across it, which NC1 does not see.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative
from ncbounds.theory.collapse_metrics.shapes import (
    at_simplex,
    centred_rows,
    centred_samples,
    dot,
    joined,
    products,
    square_norm,
    squared_distances,
)
from ncbounds.theory.softmax_code.generalised_collapse import covariance_times
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

_K = integer("K", "number of classes", "K", at_least=2)
_NC1 = nonnegative("NC1", "the metric (4)", r"\mathcal{NC}_1")
_SQUARE = nonnegative("q", "mean squared length of the centred class means", "q")
_CDNV = nonnegative("V", "mean class-distance normalised variance", "V")


@formula(_K, _NC1, _SQUARE)
def seen_variance(xp: Any, K: Any, NC1: Any, q: Any) -> Any:
    """Upper bound on the variance within classes in the span of the centred class means."""
    return K * NC1 * q


@formula(_CDNV)
def nc1_from_cdnv(xp: Any, V: Any) -> Any:
    """Upper bound on NC1 at a simplex ETF of class means."""
    return 2 * V


def over_samples(xp: Any, values: Any) -> Any:
    """Mean over samples, then classes: (B, K, n) to (B,)."""
    return xp.mean(xp.mean(values, axis=-1), axis=-1)


def blind(xp: Any, *, m: Any, r: Any) -> Judgement:
    """Two features a class, ``(m_k, r_k)`` and ``(m_k, -r_k)``, the class means centred.

    Of every other class m has the other sign, so that the means differ.
    """
    signed = [m[:, k] * (1 - 2 * (k % 2)) for k in range(m.shape[1])]
    means = centred_rows(xp, xp.stack(signed, axis=1))
    deviations = joined(xp, 0 * m, r)
    seen = products(xp, deviations, joined(xp, means, 0 * r))
    seen = xp.max(xp.max(seen * seen, axis=-1), axis=-1)
    return Judgement(
        (Comparison("NC1 is zero", seen, 0 * seen),),
        (Comparison("collapse", xp.max(square_norm(xp, r), axis=-1), 0 * seen),),
    )


def quadratic_form(xp: Any, means: Any, y: Any) -> tuple[Any, Any]:
    """Deviations ``x = Sigma_B y`` (B, K, n, m), and ``<x, Sigma_B^+ x> = <y, Sigma_B y>``."""
    samples = centred_samples(xp, y)
    x = covariance_times(xp, means, samples)
    return x, dot(xp, samples, x)


def seen_and_unseen(xp: Any, *, m: Any, y: Any, r: Any) -> Judgement:
    """Deviations in the span of the class means, by way of y, and across it, r."""
    means, K = centred_rows(xp, m), m.shape[1]
    x, form = quadratic_form(xp, means, y)
    across = centred_samples(xp, r)
    nc1 = over_samples(xp, form) / K
    seen, unseen = (over_samples(xp, square_norm(xp, part)) for part in (x, across))
    whole = over_samples(xp, square_norm(xp, joined(xp, x, across)))
    q = xp.mean(square_norm(xp, means), axis=-1)
    bound = seen_variance(xp, K=0 * nc1 + K, NC1=nc1, q=q)
    return Judgement(
        (),
        (
            Comparison("never negative", 0 * nc1, nc1),
            Comparison("variance", whole, seen + unseen, "="),
            Comparison("seen variance", seen, bound),
            Comparison("all variance", whole, bound + unseen),
        ),
    )


def beside_cdnv(xp: Any, *, mirrors: Any, alpha: Any, v: Any) -> Judgement:
    """NC1 and CDNV of any features with class means at a simplex ETF."""
    means, square = at_simplex(xp, mirrors, alpha)
    K = means.shape[1]
    between = xp.matmul(xp.matrix_transpose(means), means) / K
    factor = ((K - 1) * (K - 1) / (square * square))[:, None, None]
    inverse = between * factor
    x = centred_samples(xp, v)
    seen = dot(xp, x[:, :, :, None, :], means[:, None, None])
    nc1 = over_samples(xp, dot(xp, seen, seen)) * factor[:, 0, 0] / (K * K)
    of_class = xp.mean(square_norm(xp, x), axis=-1)
    distances = squared_distances(xp, means, means)
    pairs = [
        (of_class[:, k] + of_class[:, j]) / (2 * distances[:, k, j])
        for k in range(K)
        for j in range(K)
        if j != k
    ]
    cdnv = xp.mean(xp.stack(pairs, axis=1), axis=-1)
    back = xp.matmul(xp.matmul(between, inverse), between)
    forth = xp.matmul(xp.matmul(inverse, between), inverse)
    return Judgement(
        (),
        (
            Comparison("S S^+ S", back, between, "="),
            Comparison("S^+ S S^+", forth, inverse, "="),
            Comparison("beside CDNV", nc1, nc1_from_cdnv(xp, V=cdnv)),
        ),
    )


EQ_4 = Statement(
    id="review:eq-4",
    kind="equation",
    title="NC1, variability within classes",
    source=Source("review", "(4)"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "zero means that features equal their class mean",
            r"If $\mathcal{NC}_1 = \frac1K\operatorname{tr}(\Sigma_W\Sigma_B^\dagger) = 0$ then "
            r"the features of a class equal their mean.",
            Claim(
                blind,
                (Field("m", ("K", "p"), "positive"), Field("r", ("K", "q"))),
                {"K": (2, 3), "p": (1, 2), "q": (1, 2)},
            ),
            defect="The pseudo-inverse of Sigma_B sees nothing outside the span of the centred "
            "class means, which has at most K - 1 of the m dimensions. The claim takes two "
            "features a class, (m_k, r_k) and (m_k, -r_k).",
        ),
        Variant(
            "corrected",
            "what is seen and what is not",
            r"The variance within classes is the sum of a part in the span of the centred class "
            r"means and a part across it. $\mathcal{NC}_1$ depends on the first alone, which is "
            r"at most $K\,\mathcal{NC}_1\,\frac1K\sum_k|\mu_k - \mu_G|^2$.",
            Claim(
                seen_and_unseen,
                (Field("m", ("K", "d")), Field("y", ("K", "n", "d")), Field("r", ("K", "n", "q"))),
                {"K": (2, 4), "n": (1, 3), "d": (1, 3), "q": (1, 2)},
            ),
            (
                Bound(
                    "variance within classes in the span of the centred class means",
                    seen_variance,
                    "upper",
                ),
            ),
            remark="So NC1 = 0 is collapse where no deviation is across the span, as for "
            "m <= K - 1 with means that span everything. Deviations are (Sigma_B y, r), so that "
            "no inverse is formed. Attained where the class means lie on a line.",
        ),
        Variant(
            "sharp",
            "beside CDNV, at a simplex ETF",
            r"If the class means are a simplex ETF, $\Sigma_B^\dagger = \frac{(K-1)^2}{s^4}"
            r"\Sigma_B$ with $s = |\mu_k - \mu_G|$, and $\mathcal{NC}_1$ is at most twice the mean "
            r"CDNV; the rest of it is variance across the span of the class means.",
            Claim(
                beside_cdnv,
                (
                    Field("mirrors", ("rank", "d")),
                    Field("alpha", (), "positive"),
                    Field("v", ("K", "n", "d")),
                ),
                {"rank": (1, 3), "d": (1, 4), "n": (1, 3)},
                {
                    "d": lambda sizes: max(sizes["d"], sizes["rank"]),
                    "K": lambda sizes: sizes["rank"] + 1,
                },
            ),
            (Bound("NC1 at a simplex ETF", nc1_from_cdnv, "upper"),),
            remark="Attained where nothing is across the span. Away from the simplex neither "
            "bounds the other: three class means almost on a line make NC1 large at any CDNV, and "
            "two that nearly meet among others make CDNV large at any NC1.",
        ),
    ),
)

STATEMENTS = (EQ_4,)
