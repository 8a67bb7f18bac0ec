"""Drift of logits under cross-entropy and its linearisation: (48) to (50) of `review`.

A step on the sample (k', i') moves the logits of every sample by ``eta G r``: G is the Gram
matrix of the two derivatives by the weights, and ``r = e_k' - softmax(f)`` the residual of the
sample drawn. Linearised at the class means, r becomes ``-S F + residue`` with the slope
``S = diag(s) - s s^T`` of softmax. What is left out with the residue is told here exactly.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative
from ncbounds.theory.elasticity.drift import apply, equation, outer
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


def softmax(xp: Any, logits: Any) -> Any:
    """Softmax over the last axis."""
    raised = xp.exp(logits - xp.max(logits, axis=-1)[..., None])
    return raised / xp.sum(raised, axis=-1, keepdims=True)


def unit(xp: Any, like: Any, k: int) -> Any:
    """The unit vector e_k, shaped like one of logits (..., K)."""
    zero = 0 * like[..., 0]
    return xp.stack([zero + int(j == k) for j in range(like.shape[-1])], axis=-1)


def sloped(xp: Any, logits: Any, vector: Any) -> Any:
    """``S v``, S the derivative of softmax at the logits: s (v - <s, v>)."""
    s = softmax(xp, logits)
    return s * (vector - xp.sum(s * vector, axis=-1, keepdims=True))


def residuals(xp: Any, logits: Any) -> Any:
    """The e_k - softmax(f_k) of logits (B, K, K), row k of class k."""
    units = xp.stack([unit(xp, logits[:, k], k) for k in range(logits.shape[1])], axis=1)
    return units - softmax(xp, logits)


# -- (48) one step --------------------------------------------------------------------------------


def step_claim(xp: Any, *, W: Any, V: Any, x: Any, z: Any, eta: Any) -> Judgement:
    """A step of gradient descent on the sample z of class 0 moves the logits V W x of x."""
    hidden, drawn = apply(xp, W, x), apply(xp, W, z)
    logits = apply(xp, V, drawn)
    r = unit(xp, logits, 0) - softmax(xp, logits)
    by_v, by_w = outer(r, drawn), outer(apply(xp, xp.matrix_transpose(V), r), z)
    rate = eta[:, None, None]
    moved = apply(xp, V + rate * by_v, apply(xp, W + rate * by_w, x))
    before = apply(xp, V, hidden)
    inputs = xp.sum(x * z, axis=-1)[:, None]
    gram = xp.sum(hidden * drawn, axis=-1)[:, None] * r
    gram = gram + inputs * apply(xp, V, apply(xp, xp.matrix_transpose(V), r))
    second = inputs * xp.sum(logits * r, axis=-1)[:, None] * r
    scale = eta[:, None]
    size = reach(xp, W, V, x, z, eta)
    expected = scale * gram + scale * scale * second
    return Judgement((), (equation(xp, "step", moved - before, expected, size),))


def reach(xp: Any, W: Any, V: Any, x: Any, z: Any, eta: Any) -> Any:
    """A bound on the logits after the step, (B, K): absolute values, residuals at most 1."""
    W, V, x, z = (xp.abs(values) for values in (W, V, x, z))
    ones = 0 * V[..., 0] + 1
    by_v = outer(ones, apply(xp, W, z))
    by_w = outer(apply(xp, xp.matrix_transpose(V), ones), z)
    rate = eta[:, None, None]
    return apply(xp, V + rate * by_v, apply(xp, W + rate * by_w, x))


EQ_48 = Statement(
    id="review:eq-48",
    kind="equation",
    title="Drift of logits in a step on cross-entropy",
    source=Source("review", "(48), Sec. 3.2.4"),
    topic="elasticity",
    variants=(
        Variant(
            "printed",
            "two linear layers, with what the first order leaves out",
            r"For logits $f(x) = VWx$ a step of size $\eta$ on the cross-entropy of a sample $z$ "
            r"of class $k'$ gives $f^s(x) - f^{s-1}(x) = \eta Gr + \eta^2\langle x, "
            r"z\rangle\langle f(z), r\rangle r$ with $r = e_{k'} - \mathrm{softmax}(f(z))$ and "
            r"the Gram matrix $G = \frac{\partial f(x)}{\partial\theta}\frac{\partial "
            r"f(z)}{\partial\theta}^\top = \langle Wx, Wz\rangle I + \langle x, z\rangle VV^\top$.",
            Claim(
                step_claim,
                (
                    Field("W", ("h", "d")),
                    Field("V", ("K", "h")),
                    Field("x", ("d",)),
                    Field("z", ("d",), like="x"),
                    Field("eta", (), "positive"),
                ),
                {"K": (2, 4), "h": (1, 3), "d": (1, 3)},
            ),
            remark="The first order is the chain rule and holds for every network. G depends on "
            "both samples, not on the class k alone: one G_k for each class, and one gram matrix "
            "for all in (49), is an assumption, as is E_kk' in (41).",
        ),
    ),
)


# -- (49), (50) the linearisation -----------------------------------------------------------------


def gram_times(xp: Any, J: Any, rows: Any) -> Any:
    """``G = J J^T`` times rows (B, K, K): J (B, K, K, p) differentiates all logits by p weights."""
    pulled = xp.sum(xp.sum(J * rows[..., None], axis=1, keepdims=True), axis=2, keepdims=True)
    return xp.sum(J * pulled, axis=-1)


def typeset_claim(xp: Any, *, mean: Any, away: Any, J: Any) -> Judgement:
    """Both lines of (50), the gradient of the drift in the second as in the first."""
    gradient = [-gram_times(xp, J, sloped(xp, mean, F)) for F in (away, mean, mean + away)]
    of_away, of_mean, of_sample = gradient
    r = residuals(xp, mean)
    first = gram_times(xp, J, r) + of_away
    second = gram_times(xp, J, of_sample + r - of_mean)
    return Judgement((), (Comparison("two lines", first, second, "="),))


def linearised_claim(xp: Any, *, mean: Any, away: Any, J: Any) -> Judgement:
    """Both lines of (50), the gradient of the residuals in the second."""
    r, slope = residuals(xp, mean), sloped(xp, mean, mean)
    first = gram_times(xp, J, r) - gram_times(xp, J, sloped(xp, mean, away))
    second = gram_times(xp, J, -sloped(xp, mean, mean + away) + (r + slope))
    size = gram_times(xp, xp.abs(J), 1 + xp.abs(mean) + xp.abs(away))
    return Judgement((), (equation(xp, "two lines", first, second, size),))


def with_margins(xp: Any, gaps: Any, level: Any) -> Any:
    """Logits (B, K) of a sample of class 0: its own, and the others below it by the gaps."""
    return xp.stack([level, *(level - gaps[:, j] for j in range(gaps.shape[1]))], axis=-1)


def negligible_claim(xp: Any, *, gaps: Any, level: Any) -> Judgement:
    """The residue r + S f is at most the residual r itself, in norm."""
    f = with_margins(xp, gaps, level)
    r = unit(xp, f, 0) - softmax(xp, f)
    residue = r + sloped(xp, f, f)
    left, right = xp.sum(residue * residue, axis=-1), xp.sum(r * r, axis=-1)
    return Judgement((), (Comparison("residue and drift", left, right),))


_K = integer("K", "number of classes", "K", at_least=2)


@formula(_K, nonnegative("q", "least margin of the own logit over the others", "q"))
def residue_bound(xp: Any, K: Any, q: Any) -> Any:
    """Upper bound on the sum of the absolute values of the residue of one class."""
    return 2 * (K - 1) * (1 + q) * xp.exp(-q)


def residue_claim(xp: Any, *, gaps: Any, level: Any, x: Any) -> Judgement:
    """How large the residue is, and what it is at logits of equal margins x."""
    f = with_margins(xp, gaps, level)
    K = f.shape[1]
    residue = unit(xp, f, 0) - softmax(xp, f) + sloped(xp, f, f)
    bound = residue_bound(xp, K=0 * level + K, q=xp.min(gaps, axis=-1))
    collapsed = with_margins(xp, x[:, None] + 0 * gaps, level)
    s = softmax(xp, collapsed)
    r, slope = unit(xp, s, 0) - s, sloped(xp, collapsed, collapsed)
    factor = (s[:, 0] * x)[:, None]
    size = xp.abs(level) + x + 1
    return Judgement(
        (),
        (
            Comparison("residue", xp.sum(xp.abs(residue), axis=-1), bound),
            equation(xp, "linear part at equal margins", -slope, -factor * r, size),
            equation(xp, "residue at equal margins", r + slope, (1 + factor) * r, size),
        ),
    )


_MEAN_FIELDS = (
    Field("mean", ("C", "C")),
    Field("away", ("C", "C")),
    Field("J", ("C", "C", "weights")),
)
_MARGIN_FIELDS = (Field("gaps", ("rivals",), "nonnegative"), Field("level"))
_RESIDUE = (
    r"$e_k - \sigma(\bar f_k) + S_k\bar f_k$, $S_k = \mathrm{diag}(\sigma) - \sigma\sigma^\top$"
)

EQ_50 = Statement(
    id="review:eq-50",
    kind="equation",
    title="Linearised drift and its residue",
    source=Source("review", "(49), (50), Sec. 3.2.4"),
    topic="elasticity",
    variants=(
        Variant(
            "printed",
            "gradient of the drift in both lines, as typeset",
            r"Let $D(F) = G r(F)$, $G = JJ^\top$, $r$ the residuals of all classes. Then $D(\bar "
            r"F) + \nabla D(\bar F)(\tilde F - \bar F) = G(\nabla D(\bar F)\tilde F + r(\bar F) - "
            r"\nabla D(\bar F)\bar F)$.",
            Claim(typeset_claim, _MEAN_FIELDS, {"C": (2, 3), "weights": (1, 4)}),
            defect="G stands outside the bracket and within the gradient of D, twice in all. What "
            "is meant inside the bracket is the gradient of the residuals r: a slip.",
        ),
        Variant(
            "corrected",
            "gradient of the residuals in the second line",
            r"Let $D(F) = G r(F)$. Then $D(\bar F) + \nabla D(\bar F)(\tilde F - \bar F) = "
            r"G(\nabla r(\bar F)\tilde F + r(\bar F) - \nabla r(\bar F)\bar F)$ with $\nabla r = "
            r"-\mathrm{diag}(S_1 .. S_K)$, $S_k = \mathrm{diag}(\sigma) - \sigma\sigma^\top$ at "
            r"$\bar f_k$.",
            Claim(linearised_claim, _MEAN_FIELDS, {"C": (2, 3), "weights": (1, 4)}),
        ),
        Variant(
            "printed",
            "the residue is negligible beside the drift",
            rf"Where the own logit is the largest, the residue {_RESIDUE}, is no larger than the "
            r"drift $e_k - \sigma(\bar f_k)$ before $G$.",
            Claim(negligible_claim, _MARGIN_FIELDS, {"rivals": (1, 4)}),
            defect="It tends to zero, but the drift tends to zero faster. At equal margins x the "
            "residue is 1 + s x times the drift, s the own probability, and the linear part that "
            "is kept is -s x times the drift: it points the other way. So (43) with B = G times "
            "the gradient does not follow from (50) without its residue.",
        ),
        Variant(
            "sharp",
            "how fast the residue vanishes, and its share",
            rf"With all margins at least $q \ge 0$ the residue {_RESIDUE}, has $\|\cdot\|_1 \le "
            r"2(K-1)(1 + q)e^{-q}$. At equal margins $x$ it is $(1 + \sigma_kx)r$ and the linear "
            r"part is $-\sigma_kxr$, for the drift $r$.",
            Claim(
                residue_claim,
                (*_MARGIN_FIELDS, Field("x", (), "nonnegative")),
                {"rivals": (1, 4)},
            ),
            (Bound("absolute residue of one class", residue_bound, "upper"),),
            remark="The bound is asymptotically attained at equal margins. That the residue tends "
            "to zero as the margins grow is thereby proved; that it may be dropped is refuted.",
        ),
    ),
)

STATEMENTS = (EQ_48, EQ_50)
