"""NC4 (`review`, (9)), and what it means for a network to be collapsed (end of Sec. 2.3).

Three rules name a class for each feature: the label, the last layer (the largest logit) and the
nearest class mean. NC4 is how often the last two differ. Ties go to the first class.
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
    off_diagonal,
    products,
    square_norm,
    squared_distances,
)
from ncbounds.theory.collapse_metrics.variability import over_samples, quadratic_form
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
_GRAM = nonnegative("D", "mean distance of inner products of class means from -1/(K-1)", "D")
_NC1 = nonnegative("NC1", "the metric (4)", r"\mathcal{NC}_1")
_FLAT = nonnegative("kappa", "largest variance of class means between two over their distance", "k")


@formula(_K, _FLAT, _NC1)
def nearest_mean_error(xp: Any, K: Any, kappa: Any, NC1: Any) -> Any:
    """Upper bound on the share of features whose nearest class mean is not their own."""
    return 4 * K * kappa * NC1


def first_largest(xp: Any, scores: Any) -> Any:
    """1 for the first of the largest scores, 0 for the others: over the last axis."""
    K = scores.shape[-1]
    above = _above(xp, scores[..., :, None], scores[..., None, :])
    one = 0 * scores[..., 0] + 1
    wins = 0 * scores + 1
    for j in range(K):
        # Against j, those before it win ties, those after it do not.
        before = [1 - above[..., j, c] for c in range(j)]
        after = [above[..., c, j] for c in range(j + 1, K)]
        wins = wins * xp.stack([*before, one, *after], axis=-1)
    return wins


def _above(xp: Any, left: Any, right: Any) -> Any:
    """1 where left > right, else 0; no number where balls do not tell."""
    above = xp.is_positive(left - right)
    sign = 2 * above - 1
    return above / (sign * sign)


def predictions(xp: Any, f: Any, a: Any, b: Any) -> Any:
    """What the last layer predicts, one-hot: (B, K, n, m), (B, K, m), (B, K) to (B, K, n, K)."""
    return first_largest(xp, dot(xp, f[:, :, :, None, :], a[:, None, None]) + b[:, None, None, :])


def nearest_means(xp: Any, f: Any) -> Any:
    """The nearest class mean, one-hot; sums stand for means, so that nothing is divided."""
    n, sums = f.shape[2], xp.sum(f, axis=2)
    inner = dot(xp, f[:, :, :, None, :], sums[:, None, None])
    return first_largest(xp, 2 * n * inner - square_norm(xp, sums)[:, None, None, :])


def differing(xp: Any, left: Any, right: Any) -> Any:
    """Share of samples on which two rules differ."""
    return over_samples(xp, 1 - dot(xp, left, right))


def labels(xp: Any, like: Any) -> Any:
    """The labels, one-hot, in the shape of predictions."""
    K = like.shape[1]
    zero = 0 * like[:, 0, :, 0]
    rows = [xp.stack([zero + int(c == k) for c in range(K)], axis=-1) for k in range(K)]
    return xp.stack(rows, axis=1)


def three_rules(xp: Any, f: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """NC4, the error of the nearest class mean, and that of the last layer."""
    predicted, nearest = predictions(xp, f, a, b), nearest_means(xp, f)
    true = labels(xp, predicted)
    return (
        differing(xp, predicted, nearest),
        differing(xp, nearest, true),
        differing(xp, predicted, true),
    )


def apart_on_a_line(xp: Any, gaps: Any, rest: Any) -> Any:
    """Class means that differ: their first coordinates increase by positive gaps."""
    first, rows = 0 * gaps[:, 0], []
    for k in range(gaps.shape[1]):
        first = first + gaps[:, k]
        rows.append(joined(xp, first[:, None], rest[:, k]))
    return xp.stack(rows, axis=1)


# -- (9) ------------------------------------------------------------------------------------------


def error_of_the_rule(xp: Any, *, gaps: Any, rest: Any, a: Any, rise: Any) -> Judgement:
    """NC4 as the fraction that the nearest class mean gets wrong, for one feature a class.

    The features differ, and so do the entries of the bias, which increase.
    """
    f, b = apart_on_a_line(xp, gaps, rest), rise[:, 0]
    biases = [b]
    for k in range(1, rise.shape[1]):
        biases.append(biases[-1] + rise[:, k])
    nc4, of_nearest, _ = three_rules(xp, f[:, :, None], a, xp.stack(biases, axis=1))
    return Judgement((), (Comparison("NC4", nc4, of_nearest, "="),))


def triangle(xp: Any, *, f: Any, a: Any, b: Any) -> Judgement:
    """Each of the three shares on which two rules differ is at most the sum of the others."""
    nc4, of_nearest, error = three_rules(xp, f, a, b)
    return Judgement(
        (),
        (
            Comparison("NC4", nc4, of_nearest + error),
            Comparison("nearest mean", of_nearest, nc4 + error),
            Comparison("training error", error, nc4 + of_nearest),
        ),
    )


def aligned_with_bias(
    xp: Any, *, mirrors: Any, alpha: Any, offset: Any, t: Any, b: Any, x: Any
) -> Judgement:
    """Logits of weights ``t (mu_k - mu_G)`` at a simplex ETF of class means, with any bias."""
    m, square = at_simplex(xp, mirrors, alpha)
    K = m.shape[1]
    means, a = m + offset[:, None, :], t[:, None, None] * m
    beta = b + dot(xp, a, offset[:, None, :])
    at_means = dot(xp, means[:, :, None, :], a[:, None]) + b[:, None, :]
    logits = dot(xp, a, x[:, None, :]) + b
    away = square_norm(xp, x[:, None, :] - means)
    own, gaps, reach = [], [], []
    for k in range(K):
        for j in range(K):
            if j != k:
                shift = beta[:, k] - beta[:, j]
                own.append(at_means[:, k, k] - at_means[:, k, j] - shift)
                gaps.append(logits[:, k] - logits[:, j])
                reach.append(t / 2 * (away[:, j] - away[:, k]) + shift)
    left, right, margin = (xp.stack(rows, axis=1) for rows in (gaps, reach, own))
    reach_of_weights = t * square * K / (K - 1)
    return Judgement(
        (),
        (
            Comparison("at a class mean", margin, 0 * margin + reach_of_weights[:, None], "="),
            Comparison("anywhere", left, right, "="),
        ),
    )


_NETWORK = (Field("f", ("K", "n", "m")), Field("a", ("K", "m")), Field("b", ("K",)))
_SIZES = {"K": (2, 3), "n": (1, 2), "m": (1, 2)}
_SIMPLEX = (Field("mirrors", ("rank", "d")), Field("alpha", (), "positive"))
_ROOM = {
    "d": lambda sizes: max(sizes["d"], sizes["rank"]),
    "K": lambda sizes: sizes["rank"] + 1,
}

EQ_9 = Statement(
    id="review:eq-9",
    kind="equation",
    title="NC4, disagreement with the nearest class mean",
    source=Source("review", "(9)"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "the fraction misclassified by the nearest class mean",
            r"$\mathcal{NC}_4$ is the fraction of features whose nearest class mean is not that "
            r"of their class.",
            Claim(
                error_of_the_rule,
                (
                    Field("gaps", ("K",), "positive"),
                    Field("rest", ("K", "p")),
                    Field("a", ("K", "m")),
                    Field("rise", ("K",), "positive"),
                ),
                {"K": (2, 3), "p": (1, 1)},
                {"m": lambda sizes: sizes["p"] + 1},
            ),
            defect="(9) compares the nearest class mean with what the last layer predicts, not "
            "with the label. For one feature a class, all different, the nearest mean is always "
            "right, and NC4 is the error of the last layer; where both are wrong alike it is zero. "
            "The two fractions agree where the last layer is right on every sample.",
        ),
        Variant(
            "corrected",
            "a distance of two rules",
            r"$\mathcal{NC}_4$, the error of the nearest class mean and that of the last layer: "
            r"each is at most the sum of the other two. So $\mathcal{NC}_4$ is the first error "
            r"where the last layer makes none.",
            Claim(triangle, _NETWORK, _SIZES),
            remark="The metrics `nc4.disagreement`, `ncc.error` and 1 - `accuracy`.",
        ),
        Variant(
            "sharp",
            "weights aligned with a simplex ETF, any bias",
            r"Let the class means be a simplex ETF, $a_k = t(\mu_k - \mu_G)$ and $\beta = b + "
            r"A\mu_G$. The logits of classes $k$ and $j$ differ at $\mu_k$ by $t\frac K{K-1}"
            r"|\mu_k - \mu_G|^2 + \beta_k - \beta_j$, and at any $x$ by $\frac t2(|x - \mu_j|^2 - "
            r"|x - \mu_k|^2) + \beta_k - \beta_j$.",
            Claim(
                aligned_with_bias,
                (
                    *_SIMPLEX,
                    Field("offset", ("d",)),
                    Field("t", (), "positive"),
                    Field("b", ("K",)),
                    Field("x", ("d",)),
                ),
                {"rank": (1, 3), "d": (1, 3)},
                _ROOM,
            ),
            remark="So the last layer is the rule of the nearest class mean everywhere where "
            "b = -A mu_G up to a common number, and right at all class means as long as the "
            "entries of beta differ by less than t K/(K-1) |mu_k - mu_G|^2: a bias of zero fails "
            "where a global mean is large enough.",
        ),
    ),
)


# -- collapsed ------------------------------------------------------------------------------------


def vanishing(xp: Any, *, m: Any, r: Any) -> Judgement:
    """Two classes of two features ``(+-m, +-r)`` with weights ``(+-m, 0)`` and no bias."""
    zero = 0 * r
    rows = [xp.stack([joined(xp, s * m, r), joined(xp, s * m, -r)], axis=1) for s in (1, -1)]
    f = xp.stack(rows, axis=1)
    a = xp.stack([joined(xp, m, zero), joined(xp, -m, zero)], axis=1)
    nc4, _, _ = three_rules(xp, f, a, 0 * a[..., 0])
    seen = xp.sum(dot(xp, joined(xp, 0 * m, r), joined(xp, m, zero))[:, None], axis=-1)
    largest = xp.max(xp.max(square_norm(xp, centred_samples(xp, f)), axis=-1), axis=-1)
    return Judgement(
        (Comparison("NC1 is zero", seen * seen, 0 * seen), Comparison("NC4 is zero", nc4, 0 * nc4)),
        (Comparison("collapse", largest, 0 * largest),),
    )


def unseen_deviations(
    xp: Any, *, gaps: Any, rest: Any, r: Any, a: Any, of_rest: Any, b: Any
) -> Judgement:
    """Features whose deviations are across the span of the class means: NC1 is zero."""
    means = apart_on_a_line(xp, gaps, rest)
    f = joined(xp, means[:, :, None, :] + 0 * r[..., :1], centred_samples(xp, r))
    nc4, of_nearest, error = three_rules(xp, f, joined(xp, a, of_rest), b)
    K, n = f.shape[1:3]
    centres = xp.sum(f, axis=2) / n
    found, ideal = [], []
    between = squared_distances(xp, means, means)
    for k in range(K):
        away = square_norm(xp, f[:, k, :, None, :] - centres[:, None])
        for j in range(K):
            if j != k:
                found.append(away[..., j] - away[..., k])
                ideal.append(between[:, k, j][:, None] + 0 * away[..., j])
    left, right = (xp.stack(rows, axis=1) for rows in (found, ideal))
    return Judgement(
        (),
        (
            Comparison("farther from another mean", left, right, "="),
            Comparison("nearest mean", of_nearest, 0 * of_nearest, "="),
            Comparison("training error", error, nc4, "="),
        ),
    )


def error_from_metrics(xp: Any, *, m: Any, y: Any, r: Any, a: Any, b: Any) -> Judgement:
    """The errors of the nearest class mean and of the last layer, from NC1 and NC4."""
    means, K = centred_rows(xp, m), m.shape[1]
    x, form = quadratic_form(xp, means, y)
    f = joined(xp, means[:, :, None, :] + x, centred_samples(xp, r))
    nc1 = over_samples(xp, form) / K
    nc4, of_nearest, error = three_rules(xp, f, a, b)
    ratios = []
    for k in range(K):
        for j in range(k):
            apart = means[:, k] - means[:, j]
            inner = dot(xp, means, apart[:, None, :])
            length = square_norm(xp, apart)
            ratios.append(xp.mean(inner * inner, axis=-1) / (length * length))
    kappa = xp.max(xp.stack(ratios, axis=1), axis=-1)
    bound = nearest_mean_error(xp, K=0 * nc1 + K, kappa=kappa, NC1=nc1)
    return Judgement(
        (),
        (
            Comparison("nearest mean", of_nearest, bound),
            Comparison("training error", error, nc4 + bound),
        ),
    )


@formula(_K, _GRAM)
def variability_from_gram(xp: Any, K: Any, D: Any) -> Any:
    """Upper bound on the share of variability, and the global mean, from inner products."""
    return (K - 1) * D


def one_number(xp: Any, *, f: Any) -> Judgement:
    """Variability, the global mean and the inner products of class means, over alpha^2."""
    K, means = f.shape[1], xp.mean(f, axis=2)
    square = over_samples(xp, square_norm(xp, f))
    within = over_samples(xp, square_norm(xp, centred_samples(xp, f))) / square
    centre = square_norm(xp, xp.mean(means, axis=1)) / square
    inner = off_diagonal(xp, products(xp, means, means)) / square[:, None]
    away = inner + (0 * inner + 1) / (K - 1)
    mean = xp.mean(xp.abs(away), axis=-1)
    bound = variability_from_gram(xp, K=0 * mean + K, D=mean)
    return Judgement(
        (),
        (
            Comparison("mean", xp.mean(away, axis=-1) * (K - 1), within + K * centre, "="),
            Comparison("variability and centre", within + K * centre, bound),
        ),
    )


COLLAPSED = Statement(
    id="review:remark-collapsed",
    kind="remark",
    title="A network is collapsed where the four metrics vanish",
    source=Source("review", "end of Sec. 2.3"),
    topic="metrics",
    variants=(
        Variant(
            "printed",
            "features at their class means",
            r"If $\mathcal{NC}_1$ to $\mathcal{NC}_4$ vanish, the features of a class equal their "
            r"mean.",
            Claim(
                vanishing,
                (Field("m", ("p",), "positive"), Field("r", ("q",))),
                {"p": (1, 2), "q": (1, 2)},
            ),
            defect="Two classes with features (m, r), (m, -r) and (-m, r), (-m, -r) and weights "
            "(m, 0), (-m, 0): all four metrics are zero (NC2 of two classes always is), with any "
            "variance r across the line of the class means.",
        ),
        Variant(
            "corrected",
            "no training error",
            r"If $\mathcal{NC}_1 = 0$ and the class means differ, every feature is farther from "
            r"the mean of another class by $|\mu_k - \mu_j|^2$ in squared distance, the nearest "
            r"class mean is always right, and $\mathcal{NC}_4$ is the training error: where it "
            r"vanishes too there is none.",
            Claim(
                unseen_deviations,
                (
                    Field("gaps", ("K",), "positive"),
                    Field("rest", ("K", "p")),
                    Field("r", ("K", "n", "q")),
                    Field("a", ("K", "first")),
                    Field("of_rest", ("K", "q")),
                    Field("b", ("K",)),
                ),
                {"K": (2, 3), "n": (1, 2), "p": (1, 1), "q": (1, 2)},
                {"first": lambda sizes: sizes["p"] + 1},
            ),
            remark="Together with NC2 and NC3: a simplex ETF of means, equal norms, and weights "
            "aligned with it in its span (review:eq-7, review:eq-8). What stays open are parts of "
            "features and weights across the span of the class means.",
        ),
        Variant(
            "sharp",
            "one number for NC1, NC2 and the centre",
            r"With $\alpha^2$ the mean of $|f_{k,i}|^2$ and $D$ the mean over $k \ne j$ of "
            r"$\bigl|\frac{\langle\mu_k, \mu_j\rangle}{\alpha^2} + \frac1{K-1}\bigr|$: the "
            r"variance within classes over $\alpha^2$ and $K|\mu_G|^2/\alpha^2$ add up to $K - 1$ "
            r"times the mean without the bars, so to at most $(K-1)D$.",
            Claim(
                one_number, (Field("f", ("C", "n", "d")),), {"C": (2, 4), "n": (1, 3), "d": (1, 3)}
            ),
            (Bound("variability within classes over alpha^2", variability_from_gram, "upper", 1),),
            remark="D is the metric `nc2.gram`: where it vanishes every feature is one point of a "
            "simplex ETF about zero. Attained by features that are all alike.",
        ),
        Variant(
            "sharp",
            "training error from NC1 and NC4",
            r"With $\kappa = \max_{k \ne j}\frac{\langle\delta, \Sigma_B\delta\rangle}"
            r"{|\delta|^4}$, $\delta = \mu_k - \mu_j$, the nearest class mean is wrong for at most "
            r"a share $4K\kappa\,\mathcal{NC}_1$ of the features, and the last layer for at most "
            r"$\mathcal{NC}_4 + 4K\kappa\,\mathcal{NC}_1$.",
            Claim(
                error_from_metrics,
                (
                    Field("m", ("C", "d")),
                    Field("y", ("C", "n", "d")),
                    Field("r", ("C", "n", "q")),
                    Field("a", ("C", "whole")),
                    Field("b", ("C",)),
                ),
                {"C": (2, 3), "n": (2, 4), "d": (1, 2), "q": (1, 1)},
                {"whole": lambda sizes: sizes["d"] + sizes["q"]},
            ),
            (
                Bound(
                    "share that the nearest class mean gets wrong", nearest_mean_error, "upper", 1
                ),
            ),
            remark="Two classes have kappa = 1/4, a simplex ETF 1/(2K): there the bound is "
            "2 NC1. So a threshold can be stated: with N features of class means at a simplex ETF, "
            "NC4 + 2 NC1 < 1/N means that none is misclassified.",
        ),
    ),
)

STATEMENTS = (EQ_9, COLLAPSED)
