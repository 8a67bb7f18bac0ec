r"""Supervised contrastive loss of unconstrained features: equations (32) and (33) of the review.

Features ``f`` have the shape (B, K, n, m). A sample is compared with all N = Kn samples, itself
among them: its loss is the log-sum-exp of ``<f_a, f_b>/tau`` over all b, less the mean over its own
class. There are no classifier weights, and the loss sees the labels only through which samples
share one.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import (
    bregman,
    class_mean,
    phi,
    phi_inverse,
    square_norm,
)
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
_SAMPLES = integer("n", "samples of a class", "n", at_least=1)
_TAU = positive("tau", "temperature", r"\tau")
_BUDGET = positive("omega_F", "bound on the mean squared feature norm", r"\Omega_{\mathbf F}")
_OTHER = nonnegative("omega_A", "bound on the mean squared weight norm", r"\Omega_{\mathbf A}")


# -- the loss -------------------------------------------------------------------------------------


def similarities(xp: Any, f: Any, tau: Any) -> Any:
    """``<f_a, f_b>/tau`` for all samples a, b: (B, K, n, m) to (B, Kn, Kn)."""
    flat = xp.reshape(f, (f.shape[0], f.shape[1] * f.shape[2], f.shape[3]))
    return flat @ xp.matrix_transpose(flat) / tau[:, None, None]


def log_sum_exp(xp: Any, values: Any) -> Any:
    """Logarithm of the sum of exponentials over the last axis; never overflows."""
    top = xp.max(values, axis=-1, keepdims=True)
    return top[..., 0] + xp.log(xp.sum(xp.exp(values - top), axis=-1))


def contrastive_losses(xp: Any, f: Any, tau: Any) -> Any:
    """The loss (32) of each sample, (B, K, n)."""
    K, n = f.shape[1], f.shape[2]
    rows = xp.reshape(similarities(xp, f, tau), (-1, K, n, K * n))
    own = [xp.mean(rows[:, k, :, k * n : (k + 1) * n], axis=-1) for k in range(K)]
    return log_sum_exp(xp, rows) - xp.stack(own, axis=1)


def contrasts(xp: Any, f: Any, tau: Any) -> Any:
    """Mean similarity to the own class less that to the others, of each sample: (B, K, n)."""
    K = f.shape[1]
    means = xp.mean(f, axis=2)
    own = dot(xp, f, means[:, :, None, :])
    whole = dot(xp, f, xp.mean(means, axis=1)[:, None, None, :])
    return (own - whole) * K / ((K - 1) * tau[:, None, None])


def mean_square(xp: Any, f: Any) -> Any:
    """Mean squared norm of the features, (B,)."""
    return class_mean(xp, square_norm(xp, f))


def scatter(xp: Any, f: Any) -> tuple[Any, Any]:
    """Mean squared distance to the class mean, and squared norm of the global mean; (B,) each."""
    means = xp.mean(f, axis=2)
    within = class_mean(xp, square_norm(xp, f - means[:, :, None, :]))
    return within, square_norm(xp, xp.mean(means, axis=1))


def mirrored_simplex(xp: Any, mirror: Any, norm: Any) -> Any:
    """A simplex ETF of vectors of squared norm `norm` (B,), mirrored at a hyperplane: (B, K, K)."""
    K = mirror.shape[1]
    unit = mirror / xp.sqrt(square_norm(xp, mirror))[:, None]
    rows = []
    for k in range(K):
        entries = [0 * norm + (K * (j == k) - 1.0) / 1.0 for j in range(K)]
        row = xp.stack(entries, axis=-1) * xp.sqrt(norm / (K * (K - 1)))[:, None]
        rows.append(row - 2 * dot(xp, row, unit)[:, None] * unit)
    return xp.stack(rows, axis=1)


# -- lower bounds ---------------------------------------------------------------------------------


def tangent(xp: Any, K: Any, n: Any, reach: Any, first: Any, second: Any) -> Any:
    """The right-hand side of (33) for c_1 = `first` and c_2 = `second`.

    `reach` is ``K omega_F/((K-1) tau)``.
    """
    share = second / (first + second)
    c_3 = first / (first + second) * xp.log((first + second) / first)
    c_3 = c_3 + share * xp.log((first + second) * (K - 1) / second)
    return -share * reach + c_3 + xp.log(n)


@formula(_K, _SAMPLES, _BUDGET, _OTHER, _TAU)
def printed_lower_bound(xp: Any, K: Any, n: Any, omega_F: Any, omega_A: Any, tau: Any) -> Any:
    """Lower bound (33) on the contrastive loss, with c_1 and c_2 as printed."""
    root = xp.sqrt(omega_A * omega_F)
    reach = K * omega_F / ((K - 1) * tau)
    return tangent(xp, K, n, reach, xp.exp(root), (K - 1) * xp.exp(-root))


@formula(_K, _SAMPLES, _BUDGET, _TAU)
def least_contrastive_loss(xp: Any, K: Any, n: Any, omega_F: Any, tau: Any) -> Any:
    """Least contrastive loss of features of that mean squared norm, in K - 1 dimensions or more."""
    return xp.log(n) + xp.log1p((K - 1) * xp.exp(-K * omega_F / ((K - 1) * tau)))


def printed_inequality(xp: Any, *, f: Any, tau: Any, omega_A: Any, omega_F: Any) -> Judgement:
    """Equation (33) for features within the bound, whatever omega_A is."""
    K, n = f.shape[1], f.shape[2]
    numbers = {"K": 0 * tau + K, "n": 0 * tau + n, "tau": tau}
    bound = printed_lower_bound(xp, **numbers, omega_F=omega_F, omega_A=omega_A)
    loss = class_mean(xp, contrastive_losses(xp, f, tau))
    return Judgement(
        (Comparison("norms of the features", mean_square(xp, f), omega_F),),
        (Comparison("equation (33)", bound, loss),),
    )


def printed_equality(
    xp: Any, *, mirror: Any, n: Any, tau: Any, omega_A: Any, omega_F: Any
) -> Judgement:
    """Equality in (33) where n features of each class sit at a vertex of a simplex ETF."""
    K = mirror.shape[1]
    f = mirrored_simplex(xp, mirror, omega_F)[:, :, None, :]
    # n copies of each feature add log n to every log-sum-exp, and nothing to the means.
    loss = class_mean(xp, contrastive_losses(xp, f, tau)) + xp.log(n)
    bound = printed_lower_bound(xp, K=0 * n + K, n=n, omega_F=omega_F, omega_A=omega_A, tau=tau)
    return Judgement(
        (),
        (
            Comparison("norms of the features", mean_square(xp, f), omega_F, "="),
            Comparison("equality in (33)", bound, loss, "="),
        ),
    )


def least_loss(xp: Any, *, f: Any, mirror: Any, n: Any, tau: Any, omega_F: Any) -> Judgement:
    """The lower bound with its own c_1 and c_2, attained at simplex ETFs."""
    K, own = f.shape[1], f.shape[2]
    numbers = {"K": 0 * tau + K, "omega_F": omega_F, "tau": tau}
    simplex = mirrored_simplex(xp, mirror, omega_F)[:, :, None, :]
    at_simplex = class_mean(xp, contrastive_losses(xp, simplex, tau)) + xp.log(n)
    reach = K * omega_F / ((K - 1) * tau)
    first, second = xp.exp(omega_F / tau), (K - 1) * xp.exp(-omega_F / ((K - 1) * tau))
    return Judgement(
        (Comparison("norms of the features", mean_square(xp, f), omega_F),),
        (
            Comparison(
                "lower bound",
                least_contrastive_loss(xp, **numbers, n=0 * tau + own),
                class_mean(xp, contrastive_losses(xp, f, tau)),
            ),
            Comparison(
                "(33) with c_1 and c_2 mended",
                tangent(xp, numbers["K"], n, reach, first, second),
                least_contrastive_loss(xp, **numbers, n=n),
                "=",
            ),
            Comparison("attained", at_simplex, least_contrastive_loss(xp, **numbers, n=n), "="),
        ),
    )


# -- what a loss says of the features -------------------------------------------------------------


def contrastive_guarantee(xp: Any, K: int, n: int, loss: Any, norm: Any, tau: Any) -> Any:
    """Upper bound on within-class variability plus squared mean, over the mean squared norm.

    Shapes: `loss`, `norm` (the mean squared norm of the features) and `tau` are (B,). It may
    exceed 1 where the loss is above log N, and says nothing then.
    """
    return 1 - phi_inverse(xp, loss - xp.log(0 * loss + n), K - 1) * (K - 1) * tau / (K * norm)


def split_of_the_loss(xp: Any, *, f: Any, tau: Any) -> Judgement:
    """The gap to the least loss as a sum of named terms, and what the loss alone says."""
    K, n = f.shape[1], f.shape[2]
    norm = mean_square(xp, f)
    within, centre = scatter(xp, f)
    losses = contrastive_losses(xp, f, tau)
    loss, log_n = class_mean(xp, losses), xp.log(0 * tau + n)
    top = K * norm / ((K - 1) * tau)
    least = phi(xp, top, K - 1)
    slope = -xp.expm1(-least)
    contrast = contrasts(xp, f, tau)
    excess = losses - log_n[:, None, None] - phi(xp, contrast, K - 1)
    spread = bregman(xp, contrast - top[:, None, None], slope[:, None, None])
    below = slope * K / ((K - 1) * tau) * (within + centre)
    return Judgement(
        (),
        (
            Comparison(
                "split of the gap",
                loss,
                log_n + least + class_mean(xp, spread) + below + class_mean(xp, excess),
                "=",
            ),
            Comparison("uneven similarities >= 0", 0 * excess, excess),
            Comparison("spread of contrasts >= 0", 0 * spread, spread),
            Comparison(
                "variability and centre",
                (within + centre) / norm,
                contrastive_guarantee(xp, K, n, loss, norm, tau),
            ),
            Comparison("more than log n", log_n, loss),
        ),
    )


_FEATURES = Field("f", ("C", "s", "m"))
_NUMBERS = (Field("tau", (), "positive"), Field("omega_A", (), "nonnegative"))
_WITHIN = Field("omega_F", (), "budget", hypothesis="norms of the features")
_SIZES = {"C": (2, 5), "s": (1, 3), "m": (1, 5)}
_MIRROR = (Field("mirror", ("C",)), Field("n", (), "integer", least=1))

EQUATION_33 = Statement(
    id="review:eq-33",
    kind="equation",
    title="Lower bound on the supervised contrastive loss",
    source=Source("review", "(32), (33)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the inequality",
            r"If $\frac1{Kn}\sum_{k,i}\|f_{k,i}\|^2 \le \Omega_F$, the loss (32) is at least "
            r"$-\frac{c_2K\Omega_F}{(c_1 + c_2)(K - 1)\tau} + c_3 + \log n$ with $c_1 = "
            r"e^{\sqrt{\Omega_A\Omega_F}}$, $c_2 = (K - 1)e^{-\sqrt{\Omega_A\Omega_F}}$ and $c_3 = "
            r"\frac{c_1}{c_1 + c_2}\log\frac{c_1 + c_2}{c_1} + \frac{c_2}{c_1 + c_2}"
            r"\log\frac{(c_1 + c_2)(K - 1)}{c_2}$.",
            Claim(printed_inequality, (_FEATURES, *_NUMBERS, _WITHIN), _SIZES),
            (Bound("contrastive loss", printed_lower_bound, "lower", 0),),
            remark="True for any omega_A, which the loss knows nothing of: for every c_1, c_2 > 0 "
            "the right-hand side is a tangent of log n + log(1 + (K-1) e^-x), taken at x = "
            "log(c_1 (K-1)/c_2). Without a bound on the features (32) has no minimum: its infimum "
            "log n is not attained.",
        ),
        Variant(
            "printed",
            "equality",
            r"Equality in (33) where variability has collapsed and the class means form a simplex "
            r"ETF, of squared norm $\Omega_F$.",
            Claim(
                printed_equality,
                (*_MIRROR, *_NUMBERS, Field("omega_F", (), "positive")),
                {"C": (2, 5)},
            ),
            defect="The tangent touches only if 2 sqrt(omega_A omega_F) = K omega_F/((K-1) tau). "
            "The constants are those of the cross-entropy bound (without the division of the "
            "second exponent by K-1); this loss has no weights and no omega_A.",
        ),
        Variant(
            "corrected",
            "its own constants, attained",
            r"With $c_1 = e^{\Omega_F/\tau}$ and $c_2 = (K - 1)e^{-\Omega_F/((K - 1)\tau)}$ the "
            r"right-hand side of (33) is $\log n + \log(1 + (K - 1)e^{-K\Omega_F/((K - 1)\tau)})$; "
            r"it is a lower bound in every dimension $m$, and attained where the features of each "
            r"class are equal and form a simplex ETF of squared norm $\Omega_F$, which takes "
            r"$m \ge K - 1$.",
            Claim(least_loss, (_FEATURES, *_MIRROR, _NUMBERS[0], _WITHIN), _SIZES),
            (Bound("contrastive loss", least_contrastive_loss, "lower", 0),),
            remark="Nothing else attains it: in the split of the gap all terms vanish only where "
            "all similarities within classes agree, and all between classes. So m >= K-1 is "
            "needed, and the bound on the norms must be used up.",
        ),
        Variant(
            "sharp",
            "split of the gap",
            r"With $V$ the mean squared norm of the features, $W$ their variability within "
            r"classes, $\bar f$ their mean, $x_a = \frac{K}{(K - 1)\tau}\langle f_a, \mu_k - "
            r"\bar f\rangle$ the contrast of a sample, $X = \frac{KV}{(K - 1)\tau}$, $\phi(x) = "
            r"\log(1 + (K - 1)e^{-x})$, $\sigma = -\phi'(X)$ and $B(u) = \phi(X + u) - \phi(X) + "
            r"\sigma u$: the loss is $\log n + \phi(X) + \overline{B(x - X)} + "
            r"\frac{\sigma K}{(K - 1)\tau}(W + |\bar f|^2) + \overline{\ell - \log n - \phi(x)}$, "
            r"each term not negative. So $W + |\bar f|^2 \le V - \frac{(K - 1)\tau}K"
            r"\phi^{-1}(\mathcal L - \log n)$: a small loss alone bounds variability, whatever "
            r"the dimension.",
            Claim(split_of_the_loss, (_FEATURES, _NUMBERS[0]), _SIZES),
        ),
    ),
)

STATEMENTS = (EQUATION_33,)
