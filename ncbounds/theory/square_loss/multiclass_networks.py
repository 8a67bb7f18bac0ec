"""Explicit networks at equilibrium, and what holds at an equilibrium without any assumption.

The network has two layers of ReLUs, two classes, ``rho = 4`` and the inputs t (1, 1, 0, 0) of the
first class and t (0, 0, 1, 1) of the second, with ``V_1`` half the indicator of the pairs and
``V_2 = ((1, -1), (-1, 1))/2``: the margin of a sample is 2t. Every gradient depends on t through
2t (1 - 2t) alone, so that samples of margin alpha may be mixed with samples of margin 1 - alpha.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from ncbounds.theory.cosine import dot, norm
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

RHO = 4
FLIPPED_FIELDS = (Field("alpha", (), "proportion"), Field("flipped", ("C", "N"), "mask"))
FLIPPED_SIZES = {"N": (2, 2)}
FLIPPED_AXES = {"C": lambda sizes: 2}


@dataclass(frozen=True)
class TwoLayers:
    """A network f(x) = V_2 relu(V_1 x), its inputs (B, C, N, 4) and what it makes of them."""

    inputs: Any
    first: Any
    second: Any
    hidden: Any
    active: Any
    outputs: Any
    targets: Any


def _matrix(xp: Any, zero: Any, rows: list[list[Any]]) -> Any:
    return xp.stack([xp.stack([zero + x for x in row], axis=-1) for row in rows], axis=1)


def flipped_network(xp: Any, alpha: Any, flipped: Any) -> TwoLayers:
    """The network whose samples have margin alpha, or 1 - alpha where they are flipped."""
    zero = 0 * alpha
    first = _matrix(xp, zero, [[1, 1, 0, 0], [0, 0, 1, 1]]) / 2
    second = _matrix(xp, zero, [[1, -1], [-1, 1]]) / 2
    turned = flipped * (1 - 2 * alpha)[:, None, None]
    t = (alpha[:, None, None] + turned) / 2
    rays = _matrix(xp, zero, [[1, 1, 0, 0], [0, 0, 1, 1]])
    inputs = t[..., None] * rays[:, :, None, :]
    before = xp.matmul(inputs, xp.matrix_transpose(first)[:, None])
    hidden = xp.maximum(before, 0 * before)
    return TwoLayers(
        inputs=inputs,
        first=first,
        second=second,
        hidden=hidden,
        active=xp.is_positive(before),
        outputs=xp.matmul(hidden, xp.matrix_transpose(second)[:, None]),
        targets=_matrix(xp, zero, [[1, -1], [-1, 1]])[:, :, None, :] + 0 * t[..., None],
    )


def balanced_batches(C: int, N: int) -> list[tuple[int, ...]]:
    """All batches of one sample per class, by the number of the sample of each class."""
    return list(product(range(N), repeat=C))


def _of_batch(xp: Any, values: Any, batch: tuple[int, ...]) -> Any:
    """The values (B, C, N, ...) of a batch: (B, C, ...)."""
    return xp.stack([values[:, c, n] for c, n in enumerate(batch)], axis=1)


def batch_gradients(xp: Any, net: TwoLayers, lambda_: Any, batch: tuple[int, ...]) -> Any:
    """The gradients of (35) in rho, V_2 and V_1 on one batch, multipliers by (37)."""
    x, h, on, f, e = (
        _of_batch(xp, values, batch)
        for values in (net.inputs, net.hidden, net.active, net.outputs, net.targets)
    )
    residual = RHO * f - e
    along = xp.mean(dot(xp, f, residual), axis=-1)

    def layer(left: Any, right: Any, weights: Any) -> Any:
        outer = xp.mean(left[..., :, None] * right[..., None, :], axis=1)
        return 2 * RHO * (outer - along[:, None, None] * weights)

    in_rho = 2 * (along + RHO * lambda_)
    back = xp.matmul(residual, net.second) * on
    return in_rho, layer(residual, h, net.second), layer(back, x, net.first)


def flipped_claim(conclusions: tuple[str, ...]) -> Callable[..., Judgement]:
    """Return the claim that the network, at rest on every batch, has collapsed."""

    def judge(xp: Any, *, alpha: Any, flipped: Any) -> Judgement:
        net = flipped_network(xp, alpha, flipped)
        lambda_ = alpha * (1 - alpha) / 8
        C, N = flipped.shape[1:]
        gradients = [batch_gradients(xp, net, lambda_, s) for s in balanced_batches(C, N)]
        norms = [xp.sum(square_norm(xp, v), axis=-1) for v in (net.first, net.second)]
        own = dot(xp, net.outputs, net.targets)
        means = xp.mean(net.hidden, axis=2)
        spread = square_norm(xp, net.hidden - means[:, :, None, :])
        m = means - xp.mean(means, axis=1)[:, None, :]
        length = xp.sqrt(xp.sum(square_norm(xp, m), axis=-1))[:, None, None]
        # The network ties at h = (1, 1): so must the distances to the class means.
        on_boundary = square_norm(xp, means - 1)
        found = {
            "one constant": (own - own[:, :1, :1], 0 * own),
            "NC1": (spread, 0 * spread),
            "NC3": (net.second, m / length),
            "NC4 at h = (1, 1)": (on_boundary[:, 0], on_boundary[:, 1]),
        }
        return Judgement(
            (
                Comparison("|V_1| = 1", norms[0], 0 * alpha + 1, "="),
                Comparison("|V_2| = 1", norms[1], 0 * alpha + 1, "="),
                *(
                    Comparison(f"gradient in {name}", every, 0 * every, "=")
                    for name, every in zip(
                        ("rho", "V_2", "V_1"),
                        (xp.stack(list(g), axis=1) for g in zip(*gradients, strict=True)),
                        strict=True,
                    )
                ),
                Comparison("all classified", 0 * own, own),
            ),
            tuple(Comparison(name, *found[name], "=") for name in conclusions),
        )

    return judge


# -- collapse without any assumption --------------------------------------------------------------


def pair_gradients(xp: Any, w: Any, h: Any, g: Any) -> tuple[Any, ...]:
    """Margins t, t' of two samples of the first class, and |r h^T - r' g^T| of their residuals."""
    C = w.shape[1]
    zero = 0 * w[:, 0, 0]
    e = xp.stack([zero + 1] + [(zero - 1) / (C - 1)] * (C - 1), axis=-1)

    def one(x: Any) -> tuple[Any, Any]:
        output = xp.sum(w * x[:, None, :], axis=-1)
        gradient = (output - e)[:, :, None] * x[:, None, :]
        return dot(xp, output, e) * (C - 1) / C, gradient

    (t, own), (s, other) = one(h), one(g)
    apart = xp.sqrt(xp.sum(square_norm(xp, own - other), axis=-1))
    return t, s, apart, norm(xp, xp.sum(w * e[:, :, None], axis=1))


def margins_bound(xp: Any, C: int, apart: Any, target_weight: Any) -> Any:
    """Upper bound on |t - t'| |t + t' - 1|: |W^T e~| D k^(-3/2)."""
    k = (0 * apart + C) / (C - 1)
    return target_weight * apart / (k * xp.sqrt(k))


def features_bound(
    xp: Any, C: int, apart: Any, target_weight: Any, off_half: Any, length: Any
) -> Any:
    """Upper bound on |1 - t| |t + t' - 1| |h - h'|, off_half being |t + t' - 1|."""
    k = (0 * apart + C) / (C - 1)
    return apart / xp.sqrt(k) * (off_half + target_weight * length / k)


def equilibrium_alone(xp: Any, *, w: Any, h: Any, g: Any) -> Judgement:
    """Two samples whose gradients nearly agree have one margin, or two that add up to 1."""
    C = w.shape[1]
    t, s, apart, weight = pair_gradients(xp, w, h, g)
    off_half = xp.abs(t + s - 1)
    distance = norm(xp, h - g)
    limit = features_bound(xp, C, apart, weight, off_half, norm(xp, g))
    return Judgement(
        (),
        (
            Comparison("margins", xp.abs(t - s) * off_half, margins_bound(xp, C, apart, weight)),
            Comparison("features", xp.abs(1 - t) * off_half * distance, limit),
        ),
    )


WITHOUT_ASSUMPTION = Statement(
    id="square:remark-nc-without-assumption",
    kind="remark",
    title="Neural collapse without any assumption",
    source=Source("square", "Abstract, Sec. 5"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "points of convergence for all balanced batches",
            r"A two-layer ReLU network with $|V_k| = 1$ and $\lambda > 0$, of which $\rho$, $V_1$ "
            r"and $V_2$ have zero gradient on every batch of one sample per class and which "
            "classifies all samples, has the properties NC1, NC3 and NC4.",
            Claim(
                flipped_claim(("NC1", "NC3", "NC4 at h = (1, 1)")),
                FLIPPED_FIELDS,
                FLIPPED_SIZES,
                FLIPPED_AXES,
            ),
            defect="Property 2, which the proof takes from Lemma 7, is an assumption: the outputs "
            "of this network are even proportional to the targets, but with the constants alpha "
            "and 1 - alpha, and its features have two values a class.",
            remark="With two classes NC2 says nothing; square:theorem-6 has three, where it fails. "
            "The network is a global minimum as well (square:lemma-7, last wording).",
        ),
        Variant(
            "sharp",
            "what equilibrium alone gives",
            r"Two samples of class $c$ with features $h$ and $h'$, residuals $r = Wh - \tilde e_c$ "
            r"and $r'$, $t = \frac1k\langle Wh, \tilde e_c\rangle$ and $D = |r h^\top - r' "
            r"h'^\top|$: $|t - t'|\,|t + t' - 1| \le |W^\top\tilde e_c|\,D\,k^{-3/2}$ and "
            r"$|1 - t|\,|t + t' - 1|\,|h - h'| \le \frac D{\sqrt k}(|t + t' - 1| + \frac1k"
            r"|W^\top\tilde e_c|\,|h'|)$. At rest on all balanced batches $D = 0$: a class has "
            r"margins $t$ and $1 - t$ only, and one feature vector if all of them exceed "
            r"$\frac12$ and are not 1.",
            Claim(
                equilibrium_alone,
                (Field("w", ("C", "d")), Field("h", ("d",)), Field("g", ("d",))),
                {"C": (2, 4), "d": (1, 4)},
            ),
            remark="D is B times the difference of the half gradients in W = rho V_L on two "
            "batches of B that differ in this sample, if batches are smaller than the data. So NC1 "
            "needs no Property 2, but gaps to interpolation below one half; NC2 and NC3 need it.",
        ),
    ),
)

STATEMENTS = (WITHOUT_ASSUMPTION,)
