"""Cross-entropy with a temperature on the unit sphere, and the HardMax problem that it tends to.

The setting of `gnc`: K classes of n features ``h_{k,i}`` and weights ``w_k``, all of length 1, and
the loss ``log(1 + sum over j != k of e^{g/tau})`` of a sample with the gaps
``g = <w_j - w_k, h_{k,i}>``. The HardMax loss is the largest gap of all samples. How the one
problem tends to the other as tau vanishes is the subject of `temperature_limit`.

Convex combinations ``p_k`` of the other rows enter by their weights z: what holds for all of them
holds for the nearest, whose distance from ``w_k`` is the one-vs-rest distance of the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.cosine import norm
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.softmax_code.hardmax import hull_points
from ncbounds.theory.softmax_code.midpoint import off_diagonal
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
_TAU = positive("tau", "temperature", r"\tau")
_SCALE = nonnegative("s", "length of the features", "s")


# -- the setting ----------------------------------------------------------------------------------


def unit(xp: Any, rows: Any) -> Any:
    """Rows scaled to length 1; a zero row stays zero, and no claim of ours minds."""
    square = square_norm(xp, rows)
    return rows / xp.sqrt(square + (1 - xp.is_positive(square)))[..., None]


def column(values: Any) -> Any:
    """(B,) to (B, 1)."""
    return values[:, None]


def softplus(xp: Any, x: Any) -> Any:
    """``log(1 + e^x)``, which never overflows."""
    return xp.maximum(x, 0 * x) + xp.log1p(xp.exp(-xp.abs(x)))


def log_sum_exp(xp: Any, x: Any) -> Any:
    """``log sum e^x`` over the last axis."""
    top = xp.max(x, axis=-1, keepdims=True)
    return top[..., 0] + xp.log(xp.sum(xp.exp(x - top), axis=-1))


def rival_gaps(xp: Any, w: Any, h: Any) -> Any:
    """``<w_j - w_k, h_{k,i}>`` over the rivals j: (B, K, d) and (B, K, n, d) to (B, K, n, K-1)."""
    K = w.shape[1]
    logits = xp.matmul(h, xp.matrix_transpose(w)[:, None])
    return xp.stack(
        [
            logits[:, k][:, :, [j for j in range(K) if j != k]] - logits[:, k][:, :, k : k + 1]
            for k in range(K)
        ],
        axis=1,
    )


def rival_points(xp: Any, w: Any, z: Any) -> Any:
    """Convex combinations of the other rows, one for each: weights z (B, K, K) to (B, K, d)."""
    return hull_points(xp, w, off_diagonal(xp, z))


@dataclass(frozen=True)
class SphericalLayer:
    """A last layer on the unit sphere at a temperature; the batch axis comes first everywhere.

    `gaps` are (B, K, n, K-1), `margins`, minus the largest gap of each sample, and `losses` are
    (B, K, n), `hardmax` and `loss` are (B,).
    """

    w: Any
    h: Any
    gaps: Any
    margins: Any
    losses: Any
    hardmax: Any
    loss: Any


def spherical_layer(xp: Any, w: Any, h: Any, tau: Any) -> SphericalLayer:
    """Scale weights (B, K, d) and features (B, K, n, d) to the sphere and compute their losses."""
    w, h = unit(xp, w), unit(xp, h)
    gaps = rival_gaps(xp, w, h)
    margins = -xp.max(gaps, axis=-1)
    losses = softplus(xp, log_sum_exp(xp, gaps / tau[:, None, None, None]))
    return SphericalLayer(
        w=w,
        h=h,
        gaps=gaps,
        margins=margins,
        losses=losses,
        hardmax=-xp.min(xp.min(margins, axis=-1), axis=-1),
        loss=xp.mean(xp.mean(losses, axis=-1), axis=-1),
    )


@formula(_K, _TAU)
def least_loss(xp: Any, K: Any, tau: Any) -> Any:
    """Least mean loss of weights and features of length 1."""
    return xp.log1p((K - 1) * xp.exp(-K / (K - 1) / tau))


@formula(_K, _TAU, _SCALE)
def least_loss_of_length(xp: Any, K: Any, tau: Any, s: Any) -> Any:
    """Least mean loss of weights of length 1 and features of length s."""
    return xp.log1p((K - 1) * xp.exp(-s * K / (K - 1) / tau))


# -- the loss (1) ---------------------------------------------------------------------------------


def tempered_loss(xp: Any, *, z: Any, tau: Any, shift: Any) -> Judgement:
    """The loss of logits z whose true class is the first, in several forms."""

    def loss(logits: Any) -> Any:
        scaled = logits / column(tau)
        return log_sum_exp(xp, scaled) - scaled[:, 0]

    gaps = (z[:, 1:] - z[:, :1]) / column(tau)
    own = loss(z)
    return Judgement(
        (),
        (
            Comparison("never negative", 0 * own, own),
            Comparison("from the gaps", own, softplus(xp, log_sum_exp(xp, gaps)), "="),
            Comparison("a number added to all logits", loss(z + column(shift)), own, "="),
        ),
    )


def loss_by_largest_gap(xp: Any, *, z: Any, tau: Any) -> Judgement:
    """The loss and tau times the loss between two functions of the largest gap."""
    rivals = z.shape[1] - 1
    gaps = z[:, 1:] - z[:, :1]
    loss = softplus(xp, log_sum_exp(xp, gaps / column(tau)))
    largest = xp.max(gaps, axis=-1)
    positive_part = xp.maximum(largest, 0 * largest)
    log_rivals = xp.log(0 * largest + rivals)
    return Judgement(
        (),
        (
            Comparison("at least", softplus(xp, largest / tau), loss),
            Comparison("at most", loss, softplus(xp, largest / tau + log_rivals)),
            Comparison("HardMax below", positive_part, tau * loss),
            Comparison(
                "HardMax above", tau * loss, positive_part + tau * xp.log(0 * largest + rivals + 1)
            ),
        ),
    )


_PLAIN_LOSS = r"$-\log\frac{e^{z_k/\tau}}{\sum_j e^{z_j/\tau}}$"

EQ_1 = Statement(
    id="gnc:eq-1",
    kind="equation",
    title="Cross-entropy with a temperature",
    source=Source("gnc", "(1)"),
    topic="temperature",
    variants=(
        Variant(
            "printed",
            "the loss of a sample",
            rf"The loss {_PLAIN_LOSS} of logits $z$ at temperature $\tau$ is at least 0, equals "
            r"$\log(1 + \sum_{j \ne k} e^{(z_j - z_k)/\tau})$, and does not change when a number "
            "is added to all logits.",
            Claim(
                tempered_loss,
                (Field("z", ("K",)), Field("tau", (), "positive"), Field("shift")),
                {"K": (2, 8)},
            ),
            remark="Classes may be renumbered, so the true class is the first.",
        ),
        Variant(
            "sharp",
            "by the largest gap",
            r"With $g = \max_{j \ne k}(z_j - z_k)$ the loss is between $\log(1 + e^{g/\tau})$ and "
            r"$\log(1 + (K-1)e^{g/\tau})$, and $\tau$ times the loss between $\max(g, 0)$ and "
            r"$\max(g, 0) + \tau\log K$.",
            Claim(
                loss_by_largest_gap,
                (Field("z", ("K",)), Field("tau", (), "positive")),
                {"K": (2, 8)},
            ),
            remark="The first two are equal for K = 2; the second is attained where all rivals "
            "have the same logit, the third in the limit of tau = 0.",
        ),
    ),
)


# -- the model (2) --------------------------------------------------------------------------------

LAYER = (Field("w", ("K", "d")), Field("h", ("K", "n", "d"), like="w"))
LAYER_SIZES = {"K": (2, 5), "n": (1, 3), "d": (1, 4)}
TEMPERATURE = Field("tau", (), "positive")
COMBINATIONS = Field("z", ("K", "K"), "positive")


def mirrored(xp: Any, rows: Any, mirror: Any) -> Any:
    """Rows (B, ..., d) reflected in the hyperplane orthogonal to a vector (B, d)."""
    v = unit(xp, mirror)
    v = xp.reshape(v, (v.shape[0], *([1] * (rows.ndim - 2)), v.shape[1]))
    return rows - 2 * xp.sum(rows * v, axis=-1, keepdims=True) * v


def spherical_model(xp: Any, *, w: Any, h: Any, mirror: Any, tau: Any) -> Judgement:
    """Mean loss on the sphere: no isometry changes it, and it is never below a simplex's."""
    net = spherical_layer(xp, w, h, tau)
    moved = spherical_layer(xp, mirrored(xp, w, mirror), mirrored(xp, h, mirror), tau)
    K = 0 * tau + w.shape[1]
    return Judgement(
        (),
        (
            Comparison("isometries", moved.loss, net.loss, "="),
            Comparison("least loss", least_loss(xp, K=K, tau=tau), net.loss),
        ),
    )


def unconstrained_features(xp: Any, *, w: Any, h: Any, tau: Any, s: Any) -> Judgement:
    """Features of length s: how low the loss gets, and that it does not get to zero."""
    net = spherical_layer(xp, w, h, tau)
    loss = spherical_layer(xp, w, h, tau / s).loss
    K = 0 * tau + w.shape[1]
    most = softplus(xp, net.hardmax * s / tau + xp.log(K - 1))
    return Judgement(
        (),
        (
            Comparison("at most", loss, most),
            Comparison("at least", least_loss_of_length(xp, K=K, tau=tau, s=s), loss),
        ),
    )


EQ_2 = Statement(
    id="gnc:eq-2",
    kind="equation",
    title="Unconstrained features with weights and features on the sphere",
    source=Source("gnc", "(2)"),
    topic="temperature",
    variants=(
        Variant(
            "printed",
            "weights and features on the sphere, as in the formula",
            r"For unit $w_k$ and $h_{k,i}$ the mean loss at temperature $\tau$ is the same for all "
            r"isometric images, and at least $\log(1 + (K-1)e^{-\frac{K}{(K-1)\tau}})$.",
            Claim(
                spherical_model,
                (*LAYER, Field("mirror", ("d",)), TEMPERATURE),
                LAYER_SIZES,
            ),
            (Bound("mean loss on the sphere", least_loss, "lower", 0),),
            remark="The least value is attained for K <= d + 1, at a simplex ETF with h = w. Every "
            "isometry is a product of reflections, and a reflection is what the claim applies. "
            "A minimum exists, as spheres are compact.",
        ),
        Variant(
            "corrected",
            "without the constraint on features there is no minimum",
            r"For features of length $s$ along unit $h_{k,i}$ whose HardMax is $-m$, the mean loss "
            r"lies between $\log(1 + (K-1)e^{-\frac{sK}{(K-1)\tau}}) > 0$ and "
            r"$\log(1 + (K-1)e^{-sm/\tau})$: for $m > 0$ it tends to 0 and is never 0.",
            Claim(
                unconstrained_features,
                (*LAYER, TEMPERATURE, Field("s", (), "positive")),
                LAYER_SIZES,
            ),
            (Bound("mean loss of features of length s", least_loss_of_length, "lower", 0),),
            defect="The sentence before (2) speaks of unconstrained features, while (2) keeps them "
            "on the sphere. Only (2) is meant: without its constraint nothing is minimal, and the "
            "temperature means nothing.",
        ),
    ),
)


# -- the HardMax problem (5) ----------------------------------------------------------------------


def hardmax_symmetry(xp: Any, *, w: Any, h: Any, mirror: Any) -> Judgement:
    """HardMax does not change under isometries and lies between -2 and 2."""
    one = 0 * w[:, 0, 0] + 1
    value = spherical_layer(xp, w, h, one).hardmax
    moved = spherical_layer(xp, mirrored(xp, w, mirror), mirrored(xp, h, mirror), one).hardmax
    return Judgement(
        (),
        (
            Comparison("isometries", moved, value, "="),
            Comparison("at most", value, 2 * one),
        ),
    )


def weak_duality(xp: Any, *, w: Any, h: Any, z: Any) -> Judgement:
    """Minus HardMax is at most the distance of any row from any point of the others' hull."""
    K = w.shape[1]
    one = 0 * w[:, 0, 0] + 1
    net = spherical_layer(xp, w, h, one)
    distances = norm(xp, net.w - rival_points(xp, net.w, z))
    return Judgement(
        (),
        (
            Comparison("one-vs-rest distance", 0 * distances - column(net.hardmax), distances),
            Comparison("simplex", -net.hardmax, one * K / (K - 1)),
        ),
    )


EQ_5 = Statement(
    id="gnc:eq-5",
    kind="equation",
    title="The HardMax problem",
    source=Source("gnc", "(5)"),
    topic="temperature",
    variants=(
        Variant(
            "printed",
            "the objective",
            r"For unit $w_k$ and $h_{k,i}$ the value "
            r"$\max_{k,i}\max_{j \ne k}\langle w_j - w_k, h_{k,i}\rangle$ is the same for all "
            "isometric images and at most 2.",
            Claim(hardmax_symmetry, (*LAYER, Field("mirror", ("d",))), LAYER_SIZES),
            remark="For K = 1 the maximum is over nothing; we take K >= 2.",
        ),
        Variant(
            "sharp",
            "weak duality",
            r"Minus the HardMax loss is at most $|w_k - p|$ for every $k$ and every $p$ in the "
            r"convex hull of the other rows, hence at most $\rho_{\text{one-vs-rest}}(W)$, and at "
            r"most $\frac{K}{K-1}$.",
            Claim(weak_duality, (*LAYER, COMBINATIONS), LAYER_SIZES),
            remark="So the HardMax loss of any features certifies a one-vs-rest distance of the "
            "weights. Both are attained together at the projection directions.",
        ),
    ),
)

STATEMENTS = (EQ_1, EQ_2, EQ_5)
