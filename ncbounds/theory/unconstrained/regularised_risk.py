r"""Cross-entropy of unconstrained features with weight decay, and the bound (22) from below.

K classes of n samples, N = K n. Features f are rows of F, shape (K, n, m); weights a_k are the rows
of A, shape (K, m); the bias b is (K,). The outputs are h = A f + b, and the risk of (21) is the
mean of the cross-entropy and lambda_A/2 |A|^2 + lambda_F/2 |F|^2 + lambda_b/2 |b|^2.

Everything below rests on one identity. For a probability vector p, a label k and outputs h,
``-log softmax(h)_k = H(p) + KL(p, softmax(h)) + <p - e_k, h>`` with the entropy H.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ncbounds.theory.proximity.near_optimal_loss import class_mean, phi, square_norm
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

# -- the model ------------------------------------------------------------------------------------


def labels(xp: Any, K: int) -> Any:
    """One-hot labels to broadcast against outputs (B, K, n, K)."""
    return xp.asarray(np.eye(K))[None, :, None, :]


def outputs(xp: Any, F: Any, A: Any, b: Any) -> Any:
    """``A f + b`` for every sample: (B, K, n, K)."""
    return xp.matmul(F, xp.matrix_transpose(A)[:, None]) + b[:, None, None, :]


def log_probabilities(xp: Any, h: Any) -> Any:
    """The logarithms of softmax(h) over the last axis."""
    shifted = h - xp.max(h, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def mean_loss(xp: Any, h: Any) -> Any:
    """Mean cross-entropy of outputs h (B, K, n, K): (B,)."""
    own = labels(xp, h.shape[-1])
    return -class_mean(xp, xp.sum(own * log_probabilities(xp, h), axis=-1))


def whole_norm(xp: Any, array: Any) -> Any:
    """The squared norm of all entries of an array (B, ...): (B,)."""
    flat = xp.reshape(array, (array.shape[0], -1))
    return xp.sum(flat * flat, axis=-1)


def inner(xp: Any, left: Any, right: Any) -> Any:
    """The sum of the products of all entries of two arrays of one shape: (B,)."""
    product = left * right
    return xp.sum(xp.reshape(product, (product.shape[0], -1)), axis=-1)


def decay(xp: Any, F: Any, A: Any, lambda_A: Any, lambda_F: Any) -> Any:
    """``lambda_A/2 |A|^2 + lambda_F/2 |F|^2``: (B,)."""
    return (lambda_A * whole_norm(xp, A) + lambda_F * whole_norm(xp, F)) / 2


def risk(xp: Any, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any) -> Any:
    """The regularised risk (21): (B,)."""
    penalty = decay(xp, F, A, lambda_A, lambda_F) + lambda_b * square_norm(xp, b) / 2
    return mean_loss(xp, outputs(xp, F, A, b)) + penalty


@dataclass(frozen=True)
class Gradients:
    """Derivatives of the risk: by the outputs (B, K, n, K), by A, by F, and by b."""

    outputs: Any
    A: Any
    F: Any
    b: Any


def gradients(
    xp: Any, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any
) -> Gradients:
    """Differentiate the risk; the loss by the outputs is ``(softmax - label)/N``."""
    K, n = F.shape[1], F.shape[2]
    G = (xp.exp(log_probabilities(xp, outputs(xp, F, A, b))) - labels(xp, K)) / (K * n)
    by_sample = xp.reshape(G, (G.shape[0], K * n, K))
    features = xp.reshape(F, (F.shape[0], K * n, F.shape[3]))
    return Gradients(
        outputs=G,
        A=xp.matmul(xp.matrix_transpose(by_sample), features) + lambda_A[:, None, None] * A,
        F=xp.matmul(G, A[:, None]) + lambda_F[:, None, None, None] * F,
        b=xp.sum(by_sample, axis=1) + lambda_b[:, None] * b,
    )


def as_matrix(xp: Any, G: Any) -> Any:
    """An array over samples (B, K, n, c) as matrices with samples for columns: (B, c, K n)."""
    flat = xp.reshape(G, (G.shape[0], G.shape[1] * G.shape[2], G.shape[3]))
    return xp.matrix_transpose(flat)


def collapsed_probabilities(xp: Any, K: int, theta: Any) -> Any:
    """The rows p_k: theta for each wrong class, 1 - (K-1) theta for the own one. (B, K, 1, K)."""
    own = labels(xp, K)
    wrong = theta[:, None, None, None]
    return own * (1 - K * wrong) + (1 - 0 * own) * wrong


def entropy(xp: Any, K: int, theta: Any) -> Any:
    """The entropy of one of these rows: (B,)."""
    own = 1 - (K - 1) * theta
    return -own * xp.log(own) - (K - 1) * theta * xp.log(theta)


def divergence(xp: Any, p: Any, h: Any) -> Any:
    """Mean over the samples of KL(p, softmax(h)); all entries of p are positive: (B,)."""
    return class_mean(xp, xp.sum(p * (xp.log(p) - log_probabilities(xp, h)), axis=-1))


def alignment(xp: Any, F: Any, A: Any) -> Any:
    """``1/sqrt(n) sum <a_k - mean a, f_ki>``, at most |A| |F|: (B,)."""
    centred = A - xp.mean(A, axis=1, keepdims=True)
    root = xp.sqrt(0 * F[:, 0, 0, 0] + F.shape[2])
    return inner(xp, 0 * F + centred[:, :, None, :], F) / root


# -- Equation (22) --------------------------------------------------------------------------------


def free_constant(xp: Any, c_1: Any, K: int) -> Any:
    """c_2 of (22): the entropy of the rows with 1/((1 + c_1)(K - 1)) for each wrong class."""
    top = 1 + c_1
    return xp.log(top * (K - 1)) / top + c_1 / top * xp.log(top / c_1)


def line(xp: Any, product: Any, c_1: Any, K: int, n: int) -> Any:
    """``c_2 - product/((1 + c_1)(K - 1) sqrt n)``, for a product of norms: (B,)."""
    slope = (1 + c_1) * (K - 1) * xp.sqrt(0 * product + n)
    return free_constant(xp, c_1, K) - product / slope


def printed_bound(xp: Any, A: Any, lambda_A: Any, lambda_F: Any, c_1: Any, n: int) -> Any:
    """The right-hand side of (22), of |A| alone."""
    square = whole_norm(xp, A)
    product = square * xp.sqrt(lambda_A / lambda_F)
    return line(xp, product, c_1, A.shape[1], n) + lambda_A * square


def whatever_the_features(
    xp: Any, *, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any, c_1: Any
) -> Judgement:
    """(22) at every point."""
    bound = printed_bound(xp, A, lambda_A, lambda_F, c_1, F.shape[2])
    found = risk(xp, F, A, b, lambda_A, lambda_F, lambda_b)
    return Judgement((), (Comparison("equation (22)", bound, found),))


def balanced(
    xp: Any, *, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any, c_1: Any
) -> Judgement:
    """(22) where lambda_A |A|^2 = lambda_F |F|^2: the features are scaled to that norm."""
    wanted = whole_norm(xp, A) * lambda_A / lambda_F
    scaled = F * xp.sqrt(wanted / whole_norm(xp, F))[:, None, None, None]
    bound = printed_bound(xp, A, lambda_A, lambda_F, c_1, F.shape[2])
    found = risk(xp, scaled, A, b, lambda_A, lambda_F, lambda_b)
    return Judgement((), (Comparison("equation (22)", bound, found),))


def at_a_simplex(
    xp: Any, *, like: Any, scale: Any, lambda_A: Any, lambda_F: Any, c_1: Any
) -> Judgement:
    """Equality in (22) at a collapsed point of K classes of n samples, for any c_1.

    Only the shape (B, K, n) of `like` counts: m is K.
    """
    K, n = like.shape[1:]
    A = scale[:, None, None] * (K * xp.asarray(np.eye(K))[None] - 1) / K
    ratio = xp.sqrt(lambda_A / (n * lambda_F))
    F = xp.stack([ratio[:, None, None] * A] * n, axis=2)
    none = 0 * scale
    found = risk(xp, F, A, 0 * A[:, 0], lambda_A, lambda_F, none)
    bound = printed_bound(xp, A, lambda_A, lambda_F, c_1, n)
    return Judgement((), (Comparison("equality", found, bound, "="),))


def with_both_norms(
    xp: Any, *, F: Any, A: Any, b: Any, lambda_A: Any, lambda_F: Any, lambda_b: Any, c_1: Any
) -> Judgement:
    """The bound with both norms at every point, what is between, and the best constant."""
    K, n = F.shape[1], F.shape[2]
    penalty = decay(xp, F, A, lambda_A, lambda_F) + lambda_b * square_norm(xp, b) / 2
    found = risk(xp, F, A, b, lambda_A, lambda_F, lambda_b)
    product = xp.sqrt(whole_norm(xp, A) * whole_norm(xp, F))
    bound = line(xp, product, c_1, K, n) + penalty
    theta = 1 / ((1 + c_1) * (K - 1))
    apart = divergence(xp, collapsed_probabilities(xp, K, theta), outputs(xp, F, A, b))
    root = xp.sqrt(0 * product + n)
    aligned = alignment(xp, F, A)
    margin = product / ((K - 1) * root)
    best = phi(xp, margin, K - 1) + penalty
    chosen = line(xp, product, xp.exp(margin) / (K - 1), K, n) + penalty
    return Judgement(
        (),
        (
            Comparison("for every constant", bound, found),
            Comparison("between", found, bound + apart + theta * (product - aligned) / root, "="),
            Comparison("aligned", aligned, product),
            Comparison("the best constant", chosen, best, "="),
            Comparison("for the best constant", best, found),
        ),
    )


#: A point of the model.
POINT = (Field("F", ("K", "n", "m")), Field("A", ("K", "m")), Field("b", ("K",)))
POINT_SIZES = {"K": (2, 4), "n": (1, 3), "m": (1, 4)}
DECAYS = (Field("lambda_A", (), "positive"), Field("lambda_F", (), "positive"))
BIAS_DECAY = Field("lambda_b", (), "nonnegative")
_POINT_CLAIM = (*POINT, *DECAYS, BIAS_DECAY, Field("c_1", (), "positive"))

_BOUND = (
    r"\hat R_{CEr} \ge -\frac{|A|^2}{(1+c_1)(K-1)}\sqrt{\frac{\lambda_A}{n\lambda_F}} + c_2 + "
    r"\lambda_A|A|^2"
)
_C_2 = r"c_2 = \frac1{1+c_1}\log((1+c_1)(K-1)) + \frac{c_1}{1+c_1}\log\frac{1+c_1}{c_1}"

EQ_22 = Statement(
    id="review:eq-22",
    kind="equation",
    title="Regularised cross-entropy of unconstrained features, bounded from below",
    source=Source("review", "(21), (22)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "every point",
            rf"For all $F, A, b$ and $c_1 > 0$, ${_BOUND}$ with ${_C_2}$.",
            Claim(whatever_the_features, _POINT_CLAIM, POINT_SIZES),
            defect="The right-hand side does not see F. It counts the decay of A twice, which is "
            "too much for F = 0; and features longer than lambda_F |F|^2 = lambda_A |A|^2 may "
            "lower the loss by more than their decay costs. At critical points the two decays are "
            "equal, and there the bound holds.",
        ),
        Variant(
            "printed",
            "critical points",
            rf"Where $\lambda_A|A|^2 = \lambda_F|F|^2$, as at every critical point, and for all "
            rf"$c_1 > 0$: ${_BOUND}$ with ${_C_2}$.",
            Claim(balanced, _POINT_CLAIM, POINT_SIZES),
            remark="That critical points are balanced is in review:eq-26. c_2 is the entropy of "
            "the probabilities c_1/(1+c_1) and, K - 1 times, 1/((1+c_1)(K-1)).",
        ),
        Variant(
            "printed",
            "equality at collapsed points, any constant",
            r"Equality holds for every $c_1 > 0$ where $F$ and $A$ satisfy the NC properties, $A = "
            r"s(I - \frac1K 11^T)$, $f_{ki} = \sqrt{\lambda_A/(n\lambda_F)}\,a_k$, $b = 0$.",
            Claim(
                at_a_simplex,
                (
                    Field("like", ("K", "n")),
                    Field("scale", (), "positive"),
                    *DECAYS,
                    Field("c_1", (), "positive"),
                ),
                {"K": (2, 4), "n": (1, 3)},
            ),
            defect="c_1 has to match the scale: equality holds for c_1 = e^t/(K-1) with the margin "
            "t of the outputs, and for no other.",
        ),
        Variant(
            "corrected",
            "both norms, and what is between",
            r"For all $F, A, b$ and $c_1 > 0$ with $\theta = \frac1{(1+c_1)(K-1)}$ and $p_k$ the "
            r"probabilities $\theta$ for wrong classes: $\hat R_{CEr} = c_2 - \frac\theta{\sqrt n}"
            r"|A||F| + \frac{\lambda_A}2|A|^2 + \frac{\lambda_F}2|F|^2 + \frac{\lambda_b}2|b|^2 + "
            r"\frac1N\sum KL(p_k, \mathrm{softmax}(h_{ki})) + \frac\theta{\sqrt n}(|A||F| - "
            r"\frac1{\sqrt n}\sum\langle a_k - \bar a, f_{ki}\rangle)$, the last two not negative. "
            r"The best constant, $c_1 = \frac{e^x}{K-1}$ with $x = \frac{|A||F|}{(K-1)\sqrt n}$, "
            r"gives $\log(1 + (K-1)e^{-x})$ for the first two terms.",
            Claim(with_both_norms, _POINT_CLAIM, POINT_SIZES),
            remark="Equality: all differences of outputs are log((K-1) c_1), and f_ki is one "
            "multiple of a_k with mean zero over the classes.",
        ),
    ),
)

STATEMENTS = (EQ_22,)
