r"""The gradient of cross-entropy by a row of weights, as pull and push: equation (35).

Weights ``A`` (B, K, m), one feature a class ``F`` (B, K, m) with its multiplicity ``counts``
(B, K): by (35) samples enter through their features alone, and a class with several features is
one with a multiplicity for each.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.cosine import dot
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
from ncbounds.theory.unconstrained.contrastive import log_sum_exp, mirrored_simplex


def probabilities(xp: Any, logits: Any) -> Any:
    """Softmax over the last axis."""
    return xp.exp(logits - log_sum_exp(xp, logits)[..., None])


def class_losses(xp: Any, logits: Any) -> Any:
    """Cross-entropy of class k at the logits of row k: (B, K, K) to (B, K)."""
    K = logits.shape[1]
    own = xp.stack([logits[:, k, k] for k in range(K)], axis=-1)
    return log_sum_exp(xp, logits) - own


def pull_and_push(xp: Any, A: Any, F: Any, counts: Any) -> tuple[Any, Any]:
    """The two terms of (35) for every class, (B, K, m) each."""
    K = A.shape[1]
    P = probabilities(xp, F @ xp.matrix_transpose(A))
    pull, push = [], []
    for k in range(K):
        weight = counts * P[:, :, k]
        own = (weight[:, k] - counts[:, k])[:, None] * F[:, k]
        others = [weight[:, j][:, None] * F[:, j] for j in range(K) if j != k]
        pull.append(own)
        push.append(sum(others[1:], others[0]))
    return xp.stack(pull, axis=1), xp.stack(push, axis=1)


def summed_loss(xp: Any, A: Any, F: Any, counts: Any) -> Any:
    """Sum of the losses of all samples, (B,)."""
    return dot(xp, counts, class_losses(xp, F @ xp.matrix_transpose(A)))


def gradient_of_the_sum(xp: Any, *, A: Any, F: Any, step: Any, counts: Any) -> Judgement:
    """Pull and push are the gradient: the loss lies above its tangent, and not by much."""
    pull, push = pull_and_push(xp, A, F, counts)
    gradient = pull + push
    linear = summed_loss(xp, A, F, counts) + xp.sum(dot(xp, gradient, step), axis=-1)
    moved = summed_loss(xp, A + step, F, counts)
    changes = square_norm(xp, F @ xp.matrix_transpose(step))
    together = xp.sum(gradient, axis=1)
    return Judgement(
        (),
        (
            Comparison("above the tangent", linear, moved),
            Comparison("to second order", moved, linear + dot(xp, counts, changes) / 4),
            Comparison("the classes' gradients add up to zero", together, 0 * together, "="),
        ),
    )


def push_dominates(xp: Any, *, A: Any, F: Any, ratio: Any) -> Judgement:
    """The push on the last class, a minority, is at least as long as the pull."""
    K = A.shape[1]
    counts = xp.stack([ratio] * (K - 1) + [0 * ratio + 1], axis=-1)
    pull, push = pull_and_push(xp, A, F, counts)
    norms = square_norm(xp, F)
    return Judgement(
        (Comparison("no longer a feature than others", norms[:, K - 1 :], norms),),
        (
            Comparison(
                "pull of the minority class",
                square_norm(xp, pull[:, K - 1]),
                square_norm(xp, push[:, K - 1]),
            ),
        ),
    )


def ratio_at_simplex(xp: Any, *, mirror: Any, alpha: Any, norm: Any, counts: Any) -> Judgement:
    """Pull and push along the class mean, for features at a simplex ETF and weights along it."""
    K = mirror.shape[1]
    F = mirrored_simplex(xp, mirror, norm)
    pull, push = pull_and_push(xp, alpha[:, None, None] * F, F, counts)
    others = xp.sum(counts, axis=-1)[:, None] - counts
    return Judgement(
        (),
        (
            Comparison(
                "push against pull",
                (K - 1) ** 2 * counts * dot(xp, push, F),
                others * dot(xp, pull, F),
                "=",
            ),
        ),
    )


_A, _F = Field("A", ("C", "m")), Field("F", ("C", "m"))
_COUNTS = Field("counts", ("C",), "integer", least=1)

EQUATION_35 = Statement(
    id="review:eq-35",
    kind="equation",
    title="The gradient of cross-entropy as pull and push",
    source=Source("review", "(35)"),
    topic="imbalance",
    variants=(
        Variant(
            "printed",
            "of the sum of the losses",
            r"$\frac{\partial\ell_{CE}}{\partial a_k} = \sum_i f_{k,i}(p_k(f_{k,i}) - 1) + "
            r"\sum_{k' \ne k}\sum_j f_{k',j}\,p_k(f_{k',j})$ with the softmax probabilities $p$: "
            r"the loss is at least its tangent with this slope and at most $\frac14\sum|Df|^2$ "
            r"above it, for every step $D$ of the weights, which no other slope satisfies. Over "
            r"the classes the gradients add up to zero.",
            Claim(
                gradient_of_the_sum,
                (_A, _F, Field("step", ("C", "m"), like="A"), _COUNTS),
                {"C": (2, 4), "m": (1, 3)},
            ),
            remark="Of the sum over samples; that of the mean (34) has 1/N before it.",
        ),
        Variant(
            "printed",
            "the push dominates",
            r"If the features of a minority class are no longer than those of the others, the push "
            r"on it is at least as long as the pull.",
            Claim(
                push_dominates,
                (_A, _F, Field("ratio", (), "integer", least=2)),
                {"C": (2, 4), "m": (1, 3)},
            ),
            defect="The pushes of the majority classes may cancel, or vanish as a sample is "
            "classified with certainty, while the pull does not.",
        ),
        Variant(
            "corrected",
            "at a simplex ETF",
            r"Where the features of the classes form a simplex ETF and $A = \alpha F$, pull and "
            r"push on $a_k$ have components along $f_k$ of the same sign, and that of the push is "
            r"$\frac{N - n_k}{(K - 1)^2n_k}$ times that of the pull: it dominates exactly where "
            r"$N > (1 + (K - 1)^2)\,n_k$, however large $\alpha$ is.",
            Claim(
                ratio_at_simplex,
                (
                    Field("mirror", ("C",)),
                    Field("alpha"),
                    Field("norm", (), "positive"),
                    _COUNTS,
                ),
                {"C": (2, 5)},
            ),
            remark="For balanced classes the push has 1/(K-1) of the pull. Both move a_k towards "
            "its own class mean: away from the others is the same direction there. That minority "
            "classes collapse is not a matter of this ratio but of review:eq-34.",
        ),
    ),
)

STATEMENTS = (EQUATION_35,)
