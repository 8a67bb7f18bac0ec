r"""What rest for all mini-batches does to the layers: `square:lemma-8` and `square:eq-53`.

With weight decay and batches smaller than the sample, all mini-batches at rest means each sample
at rest, and then every layer has rank 1 and all samples lie on one ray. Near rest the same holds
nearly: the step of a sample at a layer is at least 2 l z times the root of its stable rank less 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ncbounds.theory.cosine import norm
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.square_loss.rank_one import (
    frobenius,
    gram_powers,
    outputs_and_factors,
    pushes,
    second_invariant,
    stable_rank_excess,
    third_invariant,
    unit_layer,
)
from ncbounds.theory.square_loss.sgd_steps import batch_margins
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


def all_but_one(xp: Any, terms: Any) -> Any:
    """Means of terms (B, N, ...) over the N batches that leave one sample out."""
    N = terms.shape[1]
    total = xp.sum(terms, axis=1)
    return xp.stack([(total - terms[:, n]) / (N - 1) for n in range(N)], axis=1)


# -- Lemma 8 --------------------------------------------------------------------------------------


def resting_network(
    xp: Any, inner: Any, outer: Any, direction: Any, share: Any, rho: Any, long: Any
) -> dict[str, Any]:
    """A network of three layers and samples of label 1 for which every mini-batch rests.

    `inner` (B, p) and `outer` (B, q), positive, are the directions of the hidden layers, the
    samples lie at `share`/rho or, where `long` (B, N) is 1, (1 - `share`)/rho along `direction`.
    """
    u, v = inner / norm(xp, inner)[:, None], outer / norm(xp, outer)[:, None]
    x = direction / norm(xp, direction)[:, None]
    z = long * (1 - share)[:, None] + (1 - long) * share[:, None]
    return {
        "first": u[:, :, None] * x[:, None, :],
        "second": v[:, :, None] * u[:, None, :],
        "third": v,
        "x": (z / rho[:, None])[..., None] * x[:, None, :],
        "margins": z,
        "lambda_": share * (1 - share) / (rho * rho),
    }


def rest_claim(rank: int) -> Any:
    """Return the claim that at rest for all mini-batches the layers have at most this rank."""
    invariant = second_invariant if rank == 1 else third_invariant

    def judge(
        xp: Any, *, inner: Any, outer: Any, direction: Any, share: Any, rho: Any, long: Any
    ) -> Judgement:
        made = resting_network(xp, inner, outer, direction, share, rho, long)
        layers = made["first"], made["second"], made["third"][:, None, :]
        outputs, factors = outputs_and_factors(
            xp, made["first"], made["second"], made["third"], made["x"]
        )
        residual = 1 - rho[:, None] * outputs
        by_rho = -2 * all_but_one(xp, residual * outputs) + (2 * made["lambda_"] * rho)[:, None]
        conclusions = [
            Comparison("margins", rho[:, None] * outputs, made["margins"], "="),
            Comparison("gradients in rho", by_rho, 0 * by_rho, "="),
        ]
        for k, (layer, (a, b)) in enumerate(zip(layers, factors, strict=True)):
            _, _, push = pushes(xp, layer, a, b, rho)
            found = -2 * rho[:, None, None, None] * all_but_one(xp, push)
            size = frobenius(xp, layer)
            excess = invariant(xp, layer)
            conclusions += [
                Comparison(f"norm of layer {k + 1}", size, 0 * size + 1, "="),
                Comparison(f"gradients in layer {k + 1}", found, 0 * found, "="),
                Comparison(f"rank of layer {k + 1}", excess, 0 * excess, "="),
            ]
        return Judgement((), tuple(conclusions))

    return judge


def shared_weights(xp: Any, *, tilt: Any, share: Any, rho: Any, patches: Any) -> Judgement:
    """A convolutional layer at rest for both of two samples, with as many channels as patches.

    Patch p of a sample is a multiple of ``e_p - t (1, ..., 1)``, so that patches are at obtuse
    angles; channel c is active at patch c alone, and the last layer adds these up. Only the
    number of entries of `patches` counts.
    """
    K = patches.shape[1]
    t = tilt / K
    eye = xp.asarray(np.eye(K))[None]
    x = eye + 0 * patches[:, :, None] - t[:, None, None]
    length = xp.sqrt(xp.sum(x[:, 0] * x[:, 0], axis=-1))
    V = x / (length * xp.sqrt(0 * length + K))[:, None, None]
    last = eye / xp.sqrt(0 * length + K)[:, None, None]
    decay = share * (1 - share) / (rho * rho)
    conclusions = []
    for name, z in (("short", share), ("long", 1 - share)):
        scale = z / (rho * length)
        inner = V @ xp.matrix_transpose(scale[:, None, None] * x)  # (B, channel, patch)
        features = xp.maximum(inner, 0 * inner)
        output = xp.sum(xp.sum(features * last, axis=-1), axis=-1)
        by_kernel = (last * xp.is_positive(inner)) @ (scale[:, None, None] * x)
        in_kernel = by_kernel - output[:, None, None] * V
        in_last = features - output[:, None, None] * last
        in_rho = (1 - rho * output) * output - decay * rho
        conclusions += [
            Comparison(f"kernel at rest, {name} sample", in_kernel, 0 * in_kernel, "="),
            Comparison(f"last layer at rest, {name} sample", in_last, 0 * in_last, "="),
            Comparison(f"rho at rest, {name} sample", in_rho, 0 * in_rho, "="),
        ]
    rank = third_invariant(xp, V)
    return Judgement((), (*conclusions, Comparison("rank at most two", rank, 0 * rank, "=")))


def unit_or_first(xp: Any, layer: Any) -> Any:
    """Matrices over their norms, and for a zero matrix the one with a single 1, in front."""
    size = frobenius(xp, layer)
    front = np.zeros((1, *layer.shape[1:]))
    front[0, 0, 0] = 1.0
    zero = (1 - xp.is_positive(size))[:, None, None]
    return (layer + zero * xp.asarray(front)) / (size[:, None, None] + zero)


def near_rest(xp: Any, *, layer: Any, a: Any, b: Any, rho: Any, epsilon: Any) -> Judgement:
    """Near rest for all mini-batches of size N - 1, a layer is nearly of rank 1."""
    V = unit_or_first(xp, layer)
    margins, residual, push = pushes(xp, V, a, b, rho)
    N, small = a.shape[1], min(layer.shape[1], layer.shape[2])
    steps = 2 * rho[:, None, None, None] * push
    batches = frobenius(xp, all_but_one(xp, steps))
    _, q, _ = gram_powers(xp, V)
    excess = stable_rank_excess(xp, q=q, m=0 * q + small)
    products = residual * rho[:, None] * margins
    squares = 4 * products * products * excess[:, None]
    reach = (2 * N - 3) * epsilon
    return Judgement(
        (Comparison("nearly at rest", batches, 0 * batches + epsilon[:, None]),),
        (
            Comparison("step of a sample", squares, xp.sum(square_norm(xp, steps), axis=-1)),
            Comparison("nearly rank one", xp.max(squares, axis=-1), reach * reach),
        ),
    )


RESTING = (
    Field("inner", ("p",), "positive"),
    Field("outer", ("q",), "positive"),
    Field("direction", ("d",)),
    Field("share", (), "proportion"),
    Field("rho", (), "positive"),
    Field("long", ("N",), "mask"),
)
RESTING_SIZES = {"p": (1, 2), "q": (1, 2), "d": (1, 2), "N": (2, 3)}
_AT_REST = (
    r"for a ReLU network of depth at least 2 with $\lambda > 0$, $\bar f_n \ne 0$ and all "
    r"gradients in $\rho$ and $V_k$ zero for all mini-batches of a size $B < N$"
)

LEMMA_8 = Statement(
    id="square:lemma-8",
    kind="lemma",
    title="Rank at points of convergence for all mini-batches",
    source=Source("square", "Lemma 8"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "every such point",
            rf"The layers $V_k$ have at most rank 2 {_AT_REST}.",
            Claim(rest_claim(2), RESTING, RESTING_SIZES),
            remark="An instance is a point of convergence: the sharp wording says why there are no "
            "others. Layers are dense. fbar_n != 0 for one n is enough, and the same as rho != 0.",
        ),
        Variant(
            "printed",
            "layers that share weights",
            r"The kernels of a convolutional network have at most rank 2 where all gradients "
            r"vanish for all mini-batches of a size $B < N$, with $\lambda > 0$ and $\bar f_n \ne "
            r"0$.",
            Claim(
                shared_weights,
                (
                    Field("tilt", (), "proportion"),
                    Field("share", (), "proportion"),
                    Field("rho", (), "positive"),
                    Field("patches", ("K",)),
                ),
                {"K": (3, 4)},
            ),
            defect="The lemma speaks of neural networks, and the paper trains convolutional ones. "
            "The derivative by a kernel is a sum of a b^T over the patches, of any rank: with K "
            "patches and K channels two samples of one label rest each, away from all kinks, at a "
            "kernel of rank K.",
        ),
        Variant(
            "sharp",
            "rank 1, samples on one ray",
            rf"Every $V_k$ has rank 1 {_AT_REST}: $V_k = u_ku_{{k-1}}^\top$ with unit vectors, "
            r"$u_k \ge 0$ for the hidden layers. All $x_n$ are positive multiples of $u_0$, all "
            r"labels are equal, and $z_n = \rho\bar f_n = \rho|x_n|$ satisfies $z_n(1 - z_n) = "
            r"\lambda\rho^2$, so that there are at most two different samples. Each such network "
            r"is a point of convergence.",
            Claim(rest_claim(1), RESTING, RESTING_SIZES),
            remark="So for data of two classes, or with two inputs that are not parallel, there "
            "is no such point. The size of the batches matters: if only the batches of one fixed "
            "partition rest, the rank is at most B; full-batch rest allows rank N, which two "
            "samples attain in square:lemma-6.",
        ),
        Variant(
            "sharp",
            "near rest, by the stable rank",
            r"Let $|V| = 1$, $q = |VV^\top|_F^2$, $m$ the lesser of its sizes and $\bar s = "
            r"\frac1m(1 + \sqrt{(m-1)(mq-1)})$, so that its stable rank $r$ satisfies $r - 1 "
            r"\ge \frac1{\bar s} - 1$. A sample with $z = \rho\bar f_n$ has a step $\eta s_n$ of "
            r"$V$ with $|s_n|^2 \ge 4z^2(1-z)^2(\frac1{\bar s} - 1)$. If all mini-batches of "
            r"size $B = N - 1$ have steps of at most $\eta\epsilon$, samples have steps of at most "
            r"$(2B - 1)\eta\epsilon$, so $4(\frac1{\bar s} - 1)\max_n z_n^2(1 - z_n)^2 \le "
            r"(2B-1)^2\epsilon^2$.",
            Claim(
                near_rest,
                (
                    Field("layer", ("m", "d")),
                    Field("a", ("N", "m")),
                    Field("b", ("N", "d")),
                    Field("rho", (), "positive"),
                    Field("epsilon", (), "budget", hypothesis="nearly at rest"),
                ),
                {"N": (2, 4), "m": (1, 3), "d": (1, 3)},
            ),
            (Bound("stable rank less 1", stable_rank_excess, "lower", 0),),
            remark="The bound on the step holds with the stable rank itself. As the mean of "
            "z (1 - z) is lambda rho^2 where rho rests, a mean step of single-sample SGD has at "
            "least the length 2 eta lambda rho^2 sqrt(r - 1): the noise that stays grows with the "
            "rank. For smaller B take any B + 1 of the samples.",
        ),
    ),
)


# -- Equation (53) --------------------------------------------------------------------------------


def velocity_claim(margin_inside: bool, equal: bool) -> Any:
    """Return the claim of (53), with the margin or the output inside, equal or at most."""

    def judge(xp: Any, *, layer: Any, a: Any, b: Any, rho: Any, positive: Any) -> Judgement:
        V = unit_layer(xp, layer)
        labels = 2 * positive - 1
        signed = labels[..., None] * a
        margins, residual, push = pushes(xp, V, signed, b, rho)
        inside = margins if margin_inside else batch_margins(xp, V, a, b)
        derivative = signed[:, :, :, None] * b[:, :, None, :]
        terms = frobenius(xp, derivative - inside[:, :, None, None] * V[:, None])
        speed = 2 * rho * frobenius(xp, xp.mean(push, axis=1))
        total = 2 * rho * xp.mean(xp.abs(residual) * terms, axis=-1)
        if equal:
            separable = Comparison("residuals", -residual, 0 * residual)
            return Judgement((separable,), (Comparison("equation (53)", speed, total, "="),))
        lengths = square_norm(xp, a) * square_norm(xp, b) - margins * margins
        return Judgement(
            (),
            (
                Comparison("speed", speed, total),
                Comparison("length of a term", terms * terms, lengths, "="),
            ),
        )

    return judge


_VELOCITY = (
    Field("layer", ("m", "d")),
    Field("a", ("N", "m")),
    Field("b", ("N", "d")),
    Field("rho", (), "positive"),
    Field("positive", ("N",), "mask"),
)
_VELOCITY_SIZES = {"N": (1, 3), "m": (1, 3), "d": (1, 3)}

EQUATION_53 = Statement(
    id="square:eq-53",
    kind="equation",
    title="Norm of the update of a layer",
    source=Source("square", "(53)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "as typeset, N the size of the batch",
            r"If all $\ell_n = 1 - \rho\bar f_n \ge 0$ then $|\dot V_k| = \frac{2\rho}N\sum_n"
            r"\ell_n|\frac{\partial\bar f_n}{\partial V_k} - f_nV_k|$.",
            Claim(velocity_claim(False, True), _VELOCITY, _VELOCITY_SIZES),
            defect="f_n stands for the margin, and the norm of a sum for the sum of the norms.",
        ),
        Variant(
            "printed",
            "the margin for f_n",
            r"If all $\ell_n = 1 - \rho\bar f_n \ge 0$ then $|\dot V_k| = \frac{2\rho}N\sum_n"
            r"\ell_n|\frac{\partial\bar f_n}{\partial V_k} - \bar f_nV_k|$.",
            Claim(velocity_claim(True, True), _VELOCITY, _VELOCITY_SIZES),
            defect="The norm of a sum is not the sum of the norms: full-batch descent can rest, "
            "single samples cannot.",
        ),
        Variant(
            "corrected",
            "at most, and equal for one sample",
            r"$|\dot V_k| \le \frac{2\rho}B\sum_{n \in S'}|\ell_n||\frac{\partial\bar f_n}"
            r"{\partial V_k} - \bar f_nV_k|$, with equality for $B = 1$, and with $a_n$, $b_n$ of "
            r"(47) $|\frac{\partial\bar f_n}{\partial V_k} - \bar f_nV_k|^2 = |a_n|^2|b_n|^2 - "
            r"\bar f_n^2$.",
            Claim(velocity_claim(True, False), _VELOCITY, _VELOCITY_SIZES),
            remark="That the norm reflects the rank is made precise in square:lemma-8, near rest: "
            "a term is at least |fbar_n| times the root of the stable rank less 1.",
        ),
    ),
)

STATEMENTS = (LEMMA_8, EQUATION_53)
