"""An error bound by margins that are chosen after training: `square:sharp-5`.

The paper's error bounds ask for a network that fits its labels exactly. A ramp that falls from 1 at
margin 0 to 0 at margin rho/s needs no fit: what it counts is the share of training samples with a
smaller margin, and its slope is s/rho. The normalised network f/rho is one of the class of norm 1,
so that no union over norms is needed; the union is over the scales s = s_j, for all integers j,
with shares delta_j = 2 delta/(3 (|j|+1)(|j|+2)) of the probability of failure, and whoever has
trained a network may take the scale that gives the least bound.

For more than two classes the margin is that of the own output over the best other one.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.rademacher.binary_tree import sign_vectors
from ncbounds.theory.rademacher.definition import complexity_of_definition_1, signed_complexity
from ncbounds.theory.rademacher.error_bound import COMPLEXITY, DELTA, N, ramp
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

SHARE = nonnegative("share", "share of training margins below norm/scale", "q")
SCALE = positive("scale", "norm of the network over the margin looked at", "s")
STEP = integer("step", "place of the scale in the list, |j|", "|j|", at_least=0)


@formula(SHARE, SCALE, STEP, COMPLEXITY, N, DELTA)
def margin_error_bound(
    xp: Any, share: Any, scale: Any, step: Any, R: Any, N: Any, delta: Any
) -> Any:
    """Bound on the classification error at one margin, with a share of training samples below."""
    deviation = 3 * xp.sqrt(xp.log(3 * (step + 1) * (step + 2) / delta) / (2 * N))
    return share + scale * R + deviation


def share_of_failure(step: Any, delta: Any) -> Any:
    """What the scale of index j = +-step may use up of the probability of failure."""
    return 2 * delta / (3 * (step + 1) * (step + 2))


def margin_claim(
    xp: Any, *, values: Any, labels: Any, scale: Any, step: Any, delta: Any
) -> Judgement:
    """All steps from the error to the bound, for the first of H normalised networks.

    `values` (B, H, m) of the networks, `labels` (B, m) with 1 for the label 1 and 0 for -1.
    """
    m = values.shape[2]
    margins = (2 * labels - 1)[:, None, :] * values
    losses = ramp(xp, scale[:, None, None] * margins)
    short = xp.is_positive(1 - scale[:, None] * margins[:, 0])
    share, mean_loss = xp.mean(short, axis=-1), xp.mean(losses[:, 0], axis=-1)
    of_losses, own = signed_complexity(xp, losses), share_of_failure(step, delta)
    deviation = 3 * xp.sqrt(xp.log(2 / own) / (2 * m))
    bound = margin_error_bound(
        xp,
        share=share,
        scale=scale,
        step=step,
        R=complexity_of_definition_1(xp, values),
        N=0 * scale + m,
        delta=delta,
    )
    return Judgement(
        (),
        (
            Comparison(
                "errors by the ramp loss",
                xp.mean(1 - xp.is_positive(margins[:, 0]), axis=-1),
                mean_loss,
            ),
            Comparison("ramp loss by the share", mean_loss, share),
            Comparison("ramp loss of the class", of_losses, scale * signed_complexity(xp, values)),
            Comparison("shares", own, 2 * delta / 3 / (step + 1) - 2 * delta / 3 / (step + 2), "="),
            Comparison("the bound", mean_loss + 2 * of_losses + deviation, bound),
        ),
    )


def class_margins(xp: Any, outputs: Any) -> Any:
    """Output 0 less the largest other one: (..., C) to (...)."""
    return outputs[..., 0] - xp.max(outputs[..., 1:], axis=-1)


def vector_complexity(xp: Any, outputs: Any) -> Any:
    """E max_h sum_ik sigma_ik f_k(x_i) / m, a sign for each sample and output: (B, H, m, C)."""
    B, H, m, C = outputs.shape
    signs = xp.asarray(sign_vectors(m * C))
    sums = xp.matmul(xp.reshape(outputs, (B, H, m * C)), xp.matrix_transpose(signs))
    both = xp.max(sums, axis=1) - xp.min(sums, axis=1)
    return xp.mean(both, axis=-1) / 2 / m


def many_classes_claim(xp: Any, *, outputs: Any, other: Any, features: Any) -> Judgement:
    """The complexity of margins by that of all outputs, and that by the features.

    The own class of each sample is output 0, which a permutation of outputs makes it.
    """
    margins = class_margins(xp, outputs)
    m, C = outputs.shape[2:]
    signs = xp.asarray(sign_vectors(m))
    sums = xp.sum(signs[None, :, :, None] * features[:, None, :, :], axis=2)
    one_row = xp.mean(xp.sum(sums * sums, axis=-1), axis=-1)
    distance = outputs[:, 0] - other
    change = margins[:, 0] - class_margins(xp, other)
    return Judgement(
        (),
        (
            Comparison("slope", change * change, 2 * xp.sum(distance * distance, axis=-1)),
            Comparison(
                "vector contraction",
                signed_complexity(xp, margins),
                2 * vector_complexity(xp, outputs),
            ),
            Comparison(
                "rows add up", C * one_row, C * xp.sum(features * features, axis=(1, 2)), "="
            ),
        ),
    )


_ERROR = "classification error"

SHARP_5 = Statement(
    id="square:sharp-5",
    kind="theorem",
    title="Error bound by margins chosen after training",
    source=Source("square", "Sec. 4.1, improved"),
    topic="rademacher",
    variants=(
        Variant(
            "sharp",
            "two classes",
            r"For given scales $s_j$, $j \in \mathbb Z$, with probability at least $1 - \delta$, "
            r"for all j and all networks of norm $\rho$: $err(f) \le q_j + s_j \mathcal R_S("
            r"\mathcal F) + 3\sqrt{\frac{\log(3(|j|+1)(|j|+2)/\delta)}{2N}}$ with $q_j$ the share "
            r"of training samples with $y_i f(x_i) < \rho/s_j$.",
            Claim(
                margin_claim,
                (
                    Field("values", ("H", "m")),
                    Field("labels", ("m",), "mask"),
                    Field("scale", (), "positive"),
                    Field("step", (), "integer", least=0),
                    Field("delta", (), "proportion"),
                ),
                {"H": (1, 3), "m": (1, 4)},
            ),
            (Bound(_ERROR, margin_error_bound, "upper", trivial=1),),
            remark="No fit is asked for, and nothing depends on the scale of the weights. "
            "`ncbounds compare` takes s_j = 2^(j/8).",
        ),
        Variant(
            "sharp",
            "more classes",
            r"For C outputs and margins $f_y - \max_{k \ne y} f_k$ the same holds with twice the "
            r"complexity $E \sup \frac 1m \sum_{ik} \sigma_{ik} f_k(x_i)$ of all outputs in place "
            r"of the signed complexity, which for a last layer of norm 1 is at most "
            r"$\sqrt C$ times the bound by moments for one output.",
            Claim(
                many_classes_claim,
                (
                    Field("outputs", ("H", "m", "C")),
                    Field("other", ("m", "C")),
                    Field("features", ("m", "d")),
                ),
                {"H": (1, 3), "m": (1, 3), "C": (2, 3), "d": (1, 3)},
            ),
            remark="Margins do not see the mean of the last layer's rows, which may be taken off.",
        ),
    ),
)

STATEMENTS = (SHARP_5,)
