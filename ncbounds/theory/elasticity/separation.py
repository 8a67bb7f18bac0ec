"""Separated classes of locally elastic features: (44), (45) and the theorem cited before them.

Two classes of n features are separated along v if the least <v, x> of the one is larger than the
largest <v, y> of the other. Under the LE-ODE with one transformation T for all pairs of classes,
the differences of class means live in the eigenspace alpha - beta of E, and their mean in that of
alpha + (K-1) beta. Only the first separates anything.
"""

from __future__ import annotations

import math
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive, real
from ncbounds.theory.elasticity.drift import equation
from ncbounds.theory.metrics import pairs
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

# -- separated along a direction ------------------------------------------------------------------


def along(xp: Any, points: Any, v: Any) -> Any:
    """The <v, x_i> of points (B, n, m): (B, n)."""
    return xp.sum(points * v[:, None, :], axis=-1)


def separation_gap(xp: Any, x: Any, y: Any) -> Any:
    """Least entry of x less largest entry of y, (B, n) each: positive where (44) holds."""
    return xp.min(x, axis=-1) - xp.max(y, axis=-1)


def direction_claim(xp: Any, *, x: Any, y: Any, v: Any, p: Any, q: Any) -> Judgement:
    """A direction and its opposite serve both orders, and keep the convex hulls apart."""
    of_x, of_y = along(xp, x, v), along(xp, y, v)
    gap, back = separation_gap(xp, of_x, of_y), separation_gap(xp, -of_y, -of_x)
    share, other = p / xp.sum(p, axis=-1, keepdims=True), q / xp.sum(q, axis=-1, keepdims=True)
    apart = xp.sum(share[..., None] * x, axis=1) - xp.sum(other[..., None] * y, axis=1)
    length = xp.sqrt(xp.sum(v * v, axis=-1)) * xp.sqrt(xp.sum(apart * apart, axis=-1))
    return Judgement(
        (),
        (
            equation(xp, "the other order", back, gap, of_x, of_y),
            Comparison("hulls", gap, length),
        ),
    )


_D = real("D", "difference of the class means along v", "D")
_S = nonnegative("s", "sum of the standard deviations of both classes along v", "s")
_N = integer("n", "samples of each class", "n", at_least=2)


@formula(_D, _S, _N)
def least_gap(xp: Any, D: Any, s: Any, n: Any) -> Any:
    """Lower bound on the gap of the two classes along v."""
    return D - xp.sqrt(n - 1) * s


@formula(_D, _S, _N)
def largest_gap(xp: Any, D: Any, s: Any, n: Any) -> Any:
    """Upper bound on the gap of the two classes along v."""
    return D - s / xp.sqrt(n - 1)


def deviations_claim(xp: Any, *, x: Any, y: Any, v: Any) -> Judgement:
    """The gap from means and standard deviations along v, both sides."""
    of_x, of_y = along(xp, x, v), along(xp, y, v)
    D = xp.mean(of_x, axis=-1) - xp.mean(of_y, axis=-1)
    s = deviation(xp, of_x) + deviation(xp, of_y)
    n = 0 * D + x.shape[1]
    short = D - separation_gap(xp, of_x, of_y)
    return Judgement(
        (),
        (
            Comparison("sufficient", short, D - least_gap(xp, D=D, s=s, n=n)),
            Comparison("necessary", D - largest_gap(xp, D=D, s=s, n=n), short),
        ),
    )


def deviation(xp: Any, values: Any) -> Any:
    """Standard deviation over the last axis, with 1/n."""
    centred = values - xp.mean(values, axis=-1, keepdims=True)
    return xp.sqrt(xp.mean(centred * centred, axis=-1))


_POINTS = (Field("x", ("n", "m")), Field("y", ("n", "m"), like="x"), Field("v", ("m",)))

EQ_44 = Statement(
    id="review:eq-44",
    kind="equation",
    title="Pairwise separation",
    source=Source("review", "(44), (45), Sec. 3.2.2"),
    topic="elasticity",
    variants=(
        Variant(
            "printed",
            "one direction for each pair, and what it says",
            r"If $g = \min_i\langle v, f_{k,i}\rangle - \max_j\langle v, f_{k',j}\rangle > 0$ then "
            r"$-v$ separates the pair in the other order, with the same $g$; and the convex hulls "
            r"of the two classes are at least $g/|v|$ apart.",
            Claim(
                direction_claim,
                (*_POINTS, Field("p", ("n",), "positive"), Field("q", ("n",), "positive")),
                {"n": (1, 5), "m": (1, 4)},
            ),
            remark="So pairs k < k' suffice. By the separating hyperplane theorem such a v exists "
            "exactly if the hulls are disjoint. (45) defines asymptotic pairwise separation by "
            "probabilities that tend to 1; that the second case of the cited theorem has this "
            "with a probability tending to 0 should say that the probability in (45) tends to 0.",
        ),
        Variant(
            "sharp",
            "from means and standard deviations",
            r"Let $D$ be the difference of the class means along $v$ and $s$ the sum of the two "
            r"standard deviations, of $n \ge 2$ samples each. Then $D - \sqrt{n-1}s \le \min_i"
            r"\langle v, f_{k,i}\rangle - \max_j\langle v, f_{k',j}\rangle \le D - s/\sqrt{n-1}$.",
            Claim(deviations_claim, _POINTS, {"n": (2, 5), "m": (1, 3)}),
            (
                Bound("gap of the classes along v", least_gap, "lower"),
                Bound("gap of the classes along v", largest_gap, "upper"),
            ),
            remark="Both sides are the best possible: one sample of each class apart from its "
            "others, facing the other class or facing away. For n = 2 they agree. Separated for "
            "certain if D > sqrt(n-1) s, for certain not if D <= s/sqrt(n-1).",
        ),
    ),
)


# -- the theorem on separation --------------------------------------------------------------------


def least_probability(xp: Any, signal: Any, n: Any) -> Any:
    """Lower bound on the probability that two classes of n are separated along their difference.

    `signal` is the squared distance of the class means over the variance of Gaussian noise. Each
    of the 2n samples is beyond the middle with a probability of at most exp(-signal/8)/2.
    """
    return 1 - n * xp.exp(-signal / 8)


def largest_probability(xp: Any, signal: Any, n: int, m: int) -> Any:
    """Upper bound on the probability that any direction of R^m separates two classes of n.

    Without signal all C(2n, n) halves of 2n points are as likely, and at most 2 sum_{i <= m}
    C(2n-1, i) subsets are cut off by a hyperplane (Cover 1965). By Pinsker's inequality signal
    changes a probability by sqrt(n signal/8) at most: both classes moved to the middle.
    """
    halves = math.comb(2 * n, n)
    cut = 2 * sum(math.comb(2 * n - 1, i) for i in range(m + 1))
    return (0 * signal + cut) / halves + xp.sqrt(n * signal / 8)


def first_case_claim(xp: Any, *, w: Any, elapsed: Any) -> Judgement:
    """T = w w^T, (alpha - beta)|w|^2/K = 1, and class means that differ across w by length 1.

    The entries of w are positive, and so is the diagonal of T. There are n = 2m + 2 samples of a
    class; the noise has the variance t, from time 1 on.
    """
    m, zero = w.shape[1], 0 * w[:, 0]
    across = xp.stack([w[:, 1], -w[:, 0], *([zero] * (m - 2))], axis=-1)
    square, inner = xp.sum(w * w, axis=-1), xp.sum(w * across, axis=-1)
    whole = xp.sum(across * across, axis=-1)
    at_t = 1 + inner * inner / (square * whole) * xp.expm1(2 * elapsed)
    most = largest_probability(xp, at_t / (1 + elapsed), 2 * m + 2, m)
    return Judgement((), (Comparison("probability", 0 * most + 1, 2 * most),))


def second_case_claim(xp: Any, *, gamma: Any, kappa: Any, elapsed: Any, K: Any) -> Judgement:
    """If nu = o(1/t), the features of two classes are not separated in the end.

    From time 1 on alpha - beta = gamma/t and alpha + (K-1) beta = kappa/t^2, with T = I, noise of
    variance t, class means one apart at time 1, and n = 2 + log t samples of a class.
    """
    t = 1 + elapsed
    first, second = gamma / t, kappa / (t * t)
    alpha, beta = ((K - 1) * first + second) / K, (second - first) / K
    nu = xp.minimum(alpha - beta, alpha + (K - 1) * beta)
    log = xp.log1p(elapsed)
    least = least_probability(xp, xp.exp(2 * gamma / K * log - log), 2 + log)
    return Judgement(
        (
            Comparison("nu is positive", 0 * nu, nu),
            Comparison("nu = o(1/t)", nu * t * t, 2 * kappa),
        ),
        (Comparison("probability", 2 * least, 0 * log + 1),),
    )


def class_means(xp: Any, mu: Any, spectrum: Any, alpha: Any, beta: Any) -> tuple[Any, Any]:
    """Class means (B, K, m) along eigenvectors of T, and their common mean (B, 1, m).

    `alpha` and `beta` (B,) are the integrals of the impacts, `spectrum` (B, m) the eigenvalues.
    """
    K = mu.shape[1]
    common = xp.mean(mu, axis=1, keepdims=True)
    apart = xp.exp(spectrum * ((alpha - beta) / K)[:, None])[:, None, :]
    whole = xp.exp(spectrum * ((alpha + (K - 1) * beta) / K)[:, None])[:, None, :]
    return common * whole + (mu - common) * apart, common * whole


def governing_claim(
    xp: Any, *, mu: Any, spectrum: Any, A: Any, B: Any, alpha: Any, beta: Any
) -> Judgement:
    """The LE-ODE with one T: differences by alpha - beta alone, the mean by alpha + (K-1) beta."""
    K = mu.shape[1]
    means, common = class_means(xp, mu, spectrum, A, B)
    apart = means - common
    fast, slow = ((alpha - beta) / K)[:, None, None], ((alpha + (K - 1) * beta) / K)[:, None, None]
    rate = spectrum[:, None, :] * (slow * common + fast * apart)
    pulled = (alpha - beta)[:, None, None] * means
    pulled = pulled + beta[:, None, None] * xp.sum(means, axis=1, keepdims=True)
    pulled = spectrum[:, None, :] * pulled / K
    grown = xp.exp(spectrum * ((A - B) / K)[:, None])[:, None, :]
    before = pairs(xp, mu, lambda x, y: x - y)
    after = pairs(xp, means, lambda x, y: x - y)
    size = xp.abs(common) + xp.abs(apart)
    scale = xp.abs(spectrum)[:, None, :] * (xp.abs(alpha) + xp.abs(beta))[:, None, None]
    return Judgement(
        (),
        (
            equation(xp, "LE-ODE", rate, pulled, scale * size),
            equation(xp, "differences", after, grown * before, size),
            equation(xp, "mean of the classes", xp.mean(means, axis=1), common[:, 0], size),
        ),
    )


_GAMMA = positive("gamma", "t (alpha_t - beta_t)", r"\gamma")
_EIGENVALUE = positive("eigenvalue", "eigenvalue of T along the difference", r"\lambda")
_K = integer("K", "number of classes", "K", at_least=2)


@formula(_EIGENVALUE, _K)
def separation_threshold(xp: Any, eigenvalue: Any, K: Any) -> Any:
    """Value of t (alpha_t - beta_t) from which the signal outgrows the noise."""
    return K / (2 * eigenvalue)


def threshold_claim(xp: Any, *, gamma: Any, eigenvalue: Any, elapsed: Any, K: Any) -> Judgement:
    """With alpha - beta = gamma/t the signal-to-noise ratio grows exactly above the threshold.

    Signal: the squared difference of class means. Noise: the variance, 1 at time 1 and t at t.
    """
    log = xp.log1p(elapsed)
    ratio = xp.exp(2 * eigenvalue * gamma / K * log) / (1 + elapsed)
    power = xp.exp((2 * eigenvalue * gamma / K - 1) * log)
    side = gamma / separation_threshold(xp, eigenvalue=eigenvalue, K=K) - 1
    return Judgement(
        (),
        (
            Comparison("power of time", ratio, power, "="),
            Comparison("grows above, falls below", 0 * log + 1, 1 + (ratio - 1) * side),
            Comparison("at least this power's tangent", 1 + side * log, ratio),
        ),
    )


_TIME = Field("elapsed", (), "positive")
_CLASSES = Field("K", (), "integer", least=2)

SEPARATION = Statement(
    id="review:remark-separation",
    kind="remark",
    title="Theorem on separation, cited",
    source=Source("review", "Theorem 3.1 of Zhang et al. (2021b), cited in Sec. 3.2.2"),
    topic="elasticity",
    variants=(
        Variant(
            "printed",
            "first case, any semi-definite T with a positive diagonal",
            r"Let $\nu_t$ be $\omega(1/t)$, here constant, and $T$ positive semi-definite with "
            r"positive diagonal entries. Then the features of two classes are separated with a "
            r"probability that tends to 1, so in the end with 1/2 or more.",
            Claim(first_case_claim, (Field("w", ("m",), "positive"), _TIME), {"m": (2, 3)}),
            defect="Cited; judged for T = w w^T with w > 0, Gaussian noise of variance t, 2m + 2 "
            "samples of a class, and class means that differ across w. T leaves this difference as "
            "it is while the noise grows. What is compared with 1/2 is an upper bound on the "
            "probability that any direction separates the samples: Cover's number of halves that "
            "a hyperplane cuts off, by all halves, and sqrt(n s/8) for the signal s = |mu_k - "
            "mu_k'|^2/t. It falls to 67/462 for m = 2 and 64/715 for m = 3. Differences must not "
            "be in the kernel of T.",
        ),
        Variant(
            "printed",
            "second case, nu with both impacts",
            r"Let $\nu_t = \min\{\alpha_t - \beta_t, \alpha_t + (K-1)\beta_t\} > 0$ be $o(1/t)$, "
            r"and let the number $n$ of samples of a class grow, however slowly. Then the features "
            r"of two classes are separated with a probability that tends to 0, so in the end with "
            r"1/2 or less.",
            Claim(
                second_case_claim,
                (
                    Field("gamma", (), "positive"),
                    Field("kappa", (), "positive"),
                    _TIME,
                    _CLASSES,
                ),
            ),
            defect="Cited; judged in the class of impacts with alpha - beta = gamma/t and alpha + "
            "(K-1) beta = kappa/t^2, so that nu is kappa/t^2 in the end, with T = I, Gaussian "
            "noise of variance t, class means one apart at time 1, and n = 2 + log t. The second "
            "term in nu moves all class means together and separates nothing: the squared "
            "differences grow by alpha - beta alone, here like t^(2 gamma/K), which outgrows the "
            "noise if gamma > K/2. What is compared with 1/2 is 1 - n exp(-s/8), a lower bound on "
            "the probability for the signal s = |mu_k - mu_k'|^2/t = t^(2 gamma/K - 1); it then "
            "tends to 1. It needs beta < 0: for beta >= 0 nu is alpha - beta.",
        ),
        Variant(
            "corrected",
            "alpha - beta alone, with a T that sees the difference",
            r"Let $\frac{d}{dt}\mu_k = \frac1K\sum_{k'}E_{kk'}T\mu_{k'}$ with one symmetric $T$ "
            r"and $A = \int\alpha$, $B = \int\beta$. Along an eigenvector of $T$ of eigenvalue "
            r"$\lambda$ differences of class means are $e^{\lambda(A-B)/K}$ times those at the "
            r"start, and the mean over the classes is $e^{\lambda(A+(K-1)B)/K}$ times what it was.",
            Claim(
                governing_claim,
                (
                    Field("mu", ("K", "m")),
                    Field("spectrum", ("m",), "nonnegative"),
                    Field("A"),
                    Field("B"),
                    Field("alpha"),
                    Field("beta"),
                ),
                {"K": (2, 4), "m": (1, 3)},
            ),
            remark="So read alpha_t - beta_t for nu_t in both cases. The first case needs a "
            "difference with a component along some lambda > 0: T = 11^T is semi-definite with a "
            "positive diagonal and leaves differences of zero sum as they are. For Gaussian noise "
            "of variance sigma^2 t the n + n features of a pair are all on their side of the "
            "middle with a probability of at least 1 - n exp(-|mu_k - mu_k'|^2/(8 sigma^2 t)).",
        ),
        Variant(
            "sharp",
            "where separation begins",
            r"Let $\alpha_t - \beta_t = \gamma/t$ from time 1 on, and let the difference of two "
            r"class means lie along $\lambda > 0$. Its square over the variance $t$ of the noise "
            r"is $t^{2\lambda\gamma/K - 1}$ times that at time 1: it grows without bound exactly "
            r"if $\gamma > \frac K{2\lambda}$ and vanishes exactly if $\gamma < \frac "
            r"K{2\lambda}$. It is at least $1 + (\frac{2\lambda\gamma}K - 1)\log t$ times that at "
            r"time 1.",
            Claim(
                threshold_claim,
                (
                    Field("gamma", (), "positive"),
                    Field("eigenvalue", (), "positive"),
                    _TIME,
                    _CLASSES,
                ),
            ),
            (Bound("threshold of t (alpha_t - beta_t)", separation_threshold, "value"),),
            remark="The two cases omega(1/t) and o(1/t) leave out gamma/t itself, where the "
            "transition is: K/2 for T = I. At the threshold the probability stays between 0 and 1. "
            "Several eigenvalues: the largest one that the difference has a component along.",
        ),
    ),
)

STATEMENTS = (EQ_44, SEPARATION)
