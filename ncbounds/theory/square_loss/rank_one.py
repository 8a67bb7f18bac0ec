r"""Rank of the layers where SGD rests for all mini-batches: `square:lemma-8` and its proof.

A layer V of unit Frobenius norm sees a sample through two vectors: the output is ``a_n^T V b_n``
and its derivative by V is ``a_n b_n^T`` (`square:eq-47`). The margin is ``fbar_n``, the residual
``l_n = 1 - rho fbar_n``, and the sample pushes V by ``2 rho l_n (P_n - fbar_n V)`` with ``P_n`` the
derivative of its margin. A batch rests where the mean push is zero.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, proportion
from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.square_loss.sgd_steps import (
    BATCH_FIELDS,
    batch_loss,
    batch_margins,
    batch_multiplier,
    gradient,
)
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

_Q = proportion("q", "squared Frobenius norm of V V^T, for |V| = 1", "q")
_ROWS = integer("m", "rows of V, or columns if those are fewer", "m", at_least=1)


@formula(_Q, _ROWS)
def stable_rank_excess(xp: Any, q: Any, m: Any) -> Any:
    """Lower bound on the stable rank less 1."""
    share = (1 + xp.sqrt(xp.maximum((m - 1) * (m * q - 1), 0 * q))) / m
    return xp.maximum(1 / share - 1, 0 * q)


def frobenius(xp: Any, matrices: Any) -> Any:
    """Frobenius norms over the last two axes."""
    return xp.sqrt(xp.sum(square_norm(xp, matrices), axis=-1))


def unit_layer(xp: Any, layer: Any) -> Any:
    """Matrices (B, m, c) over their Frobenius norms."""
    return layer / frobenius(xp, layer)[:, None, None]


def gram_powers(xp: Any, layer: Any) -> tuple[Any, Any, Any]:
    """Traces of G, G^2 and G^3 for ``G = V V^T``."""
    G = layer @ xp.matrix_transpose(layer)
    return (
        xp.sum(square_norm(xp, layer), axis=-1),
        xp.sum(square_norm(xp, G), axis=-1),
        xp.sum(xp.sum((G @ G) * G, axis=-1), axis=-1),
    )


def second_invariant(xp: Any, layer: Any) -> Any:
    """Twice the sum of products of two squared singular values: zero where the rank is 1."""
    first, second, _ = gram_powers(xp, layer)
    return first * first - second


def third_invariant(xp: Any, layer: Any) -> Any:
    """Six times the sum of products of three squared singular values: zero where it is 2."""
    first, second, third = gram_powers(xp, layer)
    return first**3 - 3 * first * second + 2 * third


# -- Equation (47) --------------------------------------------------------------------------------


def outputs_and_factors(
    xp: Any, first: Any, second: Any, third: Any, x: Any
) -> tuple[Any, list[tuple[Any, Any]]]:
    """Outputs (B, N) of ``V_3 relu(V_2 relu(V_1 x))``, and (a, b) of each layer.

    Layers (B, p, d), (B, q, p), (B, q), samples (B, N, d).
    """
    below = xp.sum(x[:, :, None, :] * first[:, None, :, :], axis=-1)
    h = xp.maximum(below, 0 * below)
    above = xp.sum(h[:, :, None, :] * second[:, None, :, :], axis=-1)
    outputs = dot(xp, xp.maximum(above, 0 * above), third[:, None, :])
    gate, upper = xp.is_positive(below), xp.is_positive(above)
    into_second = upper * third[:, None, :]
    into_first = gate * xp.sum(into_second[..., None] * second[:, None, :, :], axis=2)
    ones = xp.sum(0 * upper, axis=-1)[..., None] + 1
    factors = [(into_first, x), (into_second, gate * below), (ones, upper * above)]
    return outputs, factors


def product_of_layers(xp: Any, *, first: Any, second: Any, third: Any, x: Any) -> Judgement:
    """The output as a product with diagonal gates, and as ``a^T V_k b`` for each layer."""
    outputs, factors = outputs_and_factors(xp, first, second, third, x)
    below = xp.sum(x[:, :, None, :] * first[:, None, :, :], axis=-1)
    gated = xp.is_positive(below) * below
    above = xp.sum(gated[:, :, None, :] * second[:, None, :, :], axis=-1)
    product = dot(xp, xp.is_positive(above) * above, third[:, None, :])
    layers = (first, second, third[:, None, :])
    by_layer = [
        Comparison(f"layer {k + 1}", batch_margins(xp, layer, *factors[k]), outputs, "=")
        for k, layer in enumerate(layers)
    ]
    return Judgement((), (Comparison("equation (47)", outputs, product, "="), *by_layer))


EQUATION_47 = Statement(
    id="square:eq-47",
    kind="equation",
    title="A ReLU network as a product of matrices",
    source=Source("square", "(47)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "three layers",
            r"$f_V(x) = V_L D_{L-1}(x;V)\cdots D_1(x;V)V_1x$, and for each layer $f_V(x) = a^\top "
            r"V_k b$ with $a^\top = V_L D_{L-1}\cdots V_{k+1}D_k$ and $b = D_{k-1}V_{k-1}\cdots "
            r"V_1x$; where no pre-activation is zero $\frac{\partial f_V(x)}{\partial V_k} = "
            r"ab^\top$, of rank at most 1.",
            Claim(
                product_of_layers,
                (
                    Field("first", ("p", "d")),
                    Field("second", ("q", "p")),
                    Field("third", ("q",)),
                    Field("x", ("N", "d")),
                ),
                {"p": (1, 3), "d": (1, 2), "q": (1, 3), "N": (1, 2)},
            ),
            remark="That the layers with a zero pre-activation are negligible is wrong from the "
            "second layer on: where V_1 x has no positive entry, an open set, all of u_2 is zero. "
            "Nor may one stay away from kinks in Lemma 8: there a unit that is inactive for one "
            "sample has a zero row. The proof needs neither, as a b^T has rank 1 with either value "
            "of a gate at zero. A layer that shares weights has a sum of such terms, one a patch, "
            "and Lemma 8 does not apply to it.",
        ),
    ),
)


# -- Equations (48) and (49) ----------------------------------------------------------------------


def pushes(xp: Any, V: Any, a: Any, b: Any, rho: Any) -> tuple[Any, Any, Any]:
    """Margins and residuals (B, N), and ``l_n (P_n - fbar_n V)`` of each sample (B, N, m, c)."""
    margins = batch_margins(xp, V, a, b)
    residual = 1 - rho[:, None] * margins
    derivative = a[:, :, :, None] * b[:, :, None, :]
    across = derivative - margins[:, :, None, None] * V[:, None, :, :]
    return margins, residual, residual[:, :, None, None] * across


def equilibrium_claim(sign: float) -> Any:
    """Return the claim that the batch gradient is `sign` times (48), and the same of (49)."""

    def judge(xp: Any, *, layer: Any, a: Any, b: Any, rho: Any, lambda_: Any) -> Judgement:
        V = unit_layer(xp, layer)
        _, _, push = pushes(xp, V, a, b, rho)
        N = a.shape[1]

        def of_batch(samples: slice) -> Any:
            left, right = a[:, samples], b[:, samples]
            nu = batch_multiplier(xp, rho, batch_margins(xp, V, left, right))

            def loss(W: Any) -> Any:
                margins = batch_margins(xp, W, left, right)
                return batch_loss(xp, margins, W, rho, nu, lambda_)

            return gradient(xp, loss, V)

        scale = sign * 2 * rho[:, None, None]
        batch = of_batch(slice(0, N - 1))
        difference = batch - of_batch(slice(1, N))
        of_two = scale / (N - 1) * (push[:, 0] - push[:, N - 1])
        return Judgement(
            (),
            (
                Comparison("equation (48)", batch, scale * xp.mean(push[:, : N - 1], axis=1), "="),
                Comparison("equation (49)", difference, of_two, "="),
            ),
        )

    return judge


_EQUILIBRIUM = tuple(f for f in BATCH_FIELDS if f.name != "eta")
_BATCHES = {"N": (2, 3), "m": (1, 3), "d": (1, 2)}

EQUATION_48 = Statement(
    id="square:eq-48",
    kind="equation",
    title="Gradient of a mini-batch, and of two that differ by a sample",
    source=Source("square", "(48), (49)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "as typeset",
            r"With $\nu_k$ of (4): $\frac{\partial\mathcal L_{S'}}{\partial V_k} = \frac2B\rho"
            r"\sum_j(1 - \rho\bar f_j)(-V_k\bar f_j + \frac{\partial\bar f_j}{\partial V_k})$, "
            r"and the same for the difference of two batches that differ by one sample.",
            Claim(equilibrium_claim(1.0), _EQUILIBRIUM, _BATCHES),
            defect="The right side is minus the gradient, the velocity of the flow (10). Set to "
            "zero, as it is, this does no harm.",
        ),
        Variant(
            "corrected",
            "with a minus",
            r"$\frac{\partial\mathcal L_{S'}}{\partial V_k} = -\frac2B\rho\sum_j(1 - \rho\bar "
            r"f_j)(\frac{\partial\bar f_j}{\partial V_k} - \bar f_jV_k)$, and the difference of "
            r"two batches that differ by one sample is that of the two terms.",
            Claim(equilibrium_claim(-1.0), _EQUILIBRIUM, _BATCHES),
        ),
    ),
)


# -- Equations (50) to (52) -----------------------------------------------------------------------


def sum_for_difference(xp: Any, *, left: Any, right: Any, margins: Any, rho: Any) -> Judgement:
    """(50) as printed at a rank-one layer, where both samples rest: P_n = fbar_n V."""
    V = unit_layer(xp, left[:, :, None] * right[:, None, :])
    residual = 1 - rho[:, None] * margins
    weight = residual * margins
    derivatives = margins[:, :, None, None] * V[:, None, :, :]
    total = xp.sum(residual[:, :, None, None] * derivatives, axis=1)
    rest = residual[:, :, None, None] * (derivatives - margins[:, :, None, None] * V[:, None])
    return Judgement(
        (),
        (
            Comparison("at rest", rest, 0 * rest, "="),
            Comparison(
                "equation (50)", V, total / (weight[:, 0] - weight[:, 1])[:, None, None], "="
            ),
        ),
    )


def two_samples(xp: Any, *, a: Any, b: Any, margins: Any, rho: Any) -> Judgement:
    """The layer of (50) with the difference solves (49), and has at most rank 2."""
    residual = 1 - rho[:, None] * margins
    weight = residual * margins
    derivatives = residual[:, :, None, None] * a[:, :, :, None] * b[:, :, None, :]
    V = (derivatives[:, 0] - derivatives[:, 1]) / (weight[:, 0] - weight[:, 1])[:, None, None]
    push = derivatives - weight[:, :, None, None] * V[:, None]
    rank = third_invariant(xp, unit_layer(xp, V))
    return Judgement(
        (),
        (
            Comparison("equation (49) vanishes", push[:, 0], push[:, 1], "="),
            Comparison("rank at most two", rank, 0 * rank, "="),
        ),
    )


def equal_case(
    xp: Any, *, layer: Any, a: Any, b: Any, common: Any, share: Any, rho: Any, long: Any
) -> Judgement:
    """(51) and (52): margins share/rho and (1 - share)/rho, all ``l_n fbar_n`` equal."""
    z = long * (1 - share)[:, None] + (1 - long) * share[:, None]
    margins = z / rho[:, None]
    residual = long * share[:, None] + (1 - long) * (1 - share)[:, None]
    alpha = (share * (1 - share) / rho)[:, None, None]
    weighted = residual[:, :, None, None] * a[:, :, :, None] * b[:, :, None, :]
    push = weighted - (residual * margins)[:, :, None, None] * layer[:, None]
    derivatives = common[:, None] / residual[:, :, None, None]

    def batch(V: Any) -> Any:
        terms = -margins[:, :, None, None] * V[:, None] + derivatives
        return 2 * rho[:, None, None] * xp.mean(residual[:, :, None, None] * terms, axis=1)

    scale = 2 * rho[:, None, None]
    at_rest = batch(common / alpha)
    return Judgement(
        (),
        (
            Comparison(
                "equation (51)", push[:, 0] - push[:, -1], weighted[:, 0] - weighted[:, -1], "="
            ),
            Comparison("equation (52)", batch(layer), -scale * alpha * layer + scale * common, "="),
            Comparison("at rest", at_rest, 0 * at_rest, "="),
        ),
    )


EQUATION_50 = Statement(
    id="square:eq-50",
    kind="equation",
    title="A layer from two samples",
    source=Source("square", "(50)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "as typeset",
            r"Where (49) vanishes and $(1 - \rho\bar f_i)\bar f_i \ne (1 - \rho\bar f_j)\bar f_j$: "
            r"$V_k = \frac{(1 - \rho\bar f_i)\frac{\partial\bar f_i}{\partial V_k} + "
            r"(1 - \rho\bar f_j)\frac{\partial\bar f_j}{\partial V_k}}{(1 - \rho\bar f_i)\bar f_i "
            r"- (1 - \rho\bar f_j)\bar f_j}$.",
            Claim(
                sum_for_difference,
                (
                    Field("left", ("m",)),
                    Field("right", ("d",)),
                    Field("margins", ("two",)),
                    Field("rho", (), "positive"),
                ),
                {"m": (1, 2), "d": (1, 2)},
                {"two": lambda sizes: 2},
            ),
            defect="The numerator has a plus for a minus. The rank is at most 2 all the same.",
        ),
        Variant(
            "corrected",
            "the difference",
            r"$V_k = \frac{(1 - \rho\bar f_i)\frac{\partial\bar f_i}{\partial V_k} - "
            r"(1 - \rho\bar f_j)\frac{\partial\bar f_j}{\partial V_k}}{(1 - \rho\bar f_i)\bar f_i "
            r"- (1 - \rho\bar f_j)\bar f_j}$: it solves (49), and has at most rank 2 as both "
            r"derivatives have at most rank 1.",
            Claim(
                two_samples,
                (
                    Field("a", ("two", "m")),
                    Field("b", ("two", "d")),
                    Field("margins", ("two",)),
                    Field("rho", (), "positive"),
                ),
                {"m": (1, 3), "d": (1, 3)},
                {"two": lambda sizes: 2},
            ),
            remark="Under the hypotheses of Lemma 8 this case does not occur: rho rests for every "
            "mini-batch too, so (1 - rho fbar_n) fbar_n = lambda rho for all n.",
        ),
    ),
)

EQUATION_51 = Statement(
    id="square:eq-51",
    kind="equation",
    title="The equal case",
    source=Source("square", "(51), (52)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "line by line",
            r"Where $(1 - \rho\bar f_n)\bar f_n = \alpha$ for all $n$, a difference (49) is "
            r"$(1 - \rho\bar f_i)\frac{\partial\bar f_i}{\partial V_k} - (1 - \rho\bar f_j)"
            r"\frac{\partial\bar f_j}{\partial V_k}$; where these are all $U$, $\frac2B\rho\sum_j"
            r"(1 - \rho\bar f_j)(-V_k\bar f_j + \frac{\partial\bar f_j}{\partial V_k}) = "
            r"-2\rho\alpha V_k + 2\rho U$, which is zero for $V_k = U/\alpha$.",
            Claim(
                equal_case,
                (
                    Field("layer", ("m", "d")),
                    Field("a", ("N", "m")),
                    Field("b", ("N", "d")),
                    Field("common", ("m", "d")),
                    Field("share", (), "proportion"),
                    Field("rho", (), "positive"),
                    Field("long", ("N",), "mask"),
                ),
                {"N": (1, 3), "m": (1, 2), "d": (1, 2)},
            ),
            remark="Where rho rests, alpha = lambda rho. Then rho fbar_n (1 - rho fbar_n) = lambda "
            "rho^2 has two roots that add up to 1: margins need not be equal, and Property 1 does "
            "not follow from rest for all mini-batches.",
        ),
    ),
)

STATEMENTS = (EQUATION_47, EQUATION_48, EQUATION_50, EQUATION_51)
