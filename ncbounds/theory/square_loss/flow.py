r"""The gradient flow of the normalised square loss: Lagrangian, homogeneity, multipliers, flow.

`square` trains ``rho f_V`` with layers V_k of norm 1, kept there by multipliers nu_k. With margins
``f-_n = y_n f_V(x_n)``, their mean mu and mean square M, all of it rests on one fact (Lemma 2): a
ReLU network is homogeneous in each layer, so that the inner product of a layer with the gradient by
it is the output itself. The multipliers then are the same for all layers, ``rho (mu - rho M)``.

Every equation is compared with what differentiation of the Lagrangian of an explicit network
gives, in any namespace. At a kink of a ReLU the derivative is a choice; that of (2) and (3) is left
to the instance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ncbounds.theory.square_loss.flow_network import (
    DECAY,
    INPUTS,
    LABELS,
    SCALE,
    SIZES,
    WEIGHTS,
    Margins,
    Multipliers,
    labels,
    lagrangian,
    loss_gradient,
    margin_loss,
    multiplier,
    normalised,
    outputs,
    printed_flow,
    products,
    same_for_all,
    square_loss,
    square_norms,
)
from ncbounds.theory.square_loss.tangents import average, differentiate
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

_KINK = Field("kink")
_MULTIPLIERS = (Field("nu", ("L",)), Field("nu_last"))
_NETWORK = (SCALE, *WEIGHTS, INPUTS, LABELS)

_LAYERS = r"$V_k$, $k = 1 \dots L$,"
_MARGINS = r"$\bar f_n = y_n f_V(x_n)$"


def equal(name: str, left: Any, right: Any) -> Comparison:
    """An equation."""
    return Comparison(name, left, right, "=")


def against(xp: Any, name: str, left: Any, right: Any, terms: Any) -> Comparison:
    """An equation whose sides add up `terms`, seen against the size of these.

    Entries that cancel would be compared with their own rounding. The norm of all terms of an
    instance is added to both sides.
    """
    axes = tuple(range(1, terms.ndim))
    size = xp.sqrt(xp.sum(terms * terms, axis=axes))
    scale = xp.reshape(size, (size.shape[0],) + (1,) * (left.ndim - 1))
    return equal(name, left + scale, right + scale)


# -- (1) the Lagrangian ---------------------------------------------------------------------------


def lagrangian_claim(
    xp: Any,
    *,
    rho: Any,
    W: Any,
    v: Any,
    x: Any,
    y: Any,
    nu: Any,
    nu_last: Any,
    lambda_: Any,
) -> Judgement:
    """The two lines of (1) agree; on the constraint they are the regularised loss of f_W."""
    f, numbers = outputs(xp, W, v, x), Multipliers(nu, nu_last)
    first = lagrangian(xp, square_loss(xp, rho, f, y), rho, W, v, numbers, lambda_)
    second = lagrangian(xp, margin_loss(xp, rho, f, y), rho, W, v, numbers, lambda_)
    V, top, product = normalised(xp, W, v)
    unit = outputs(xp, V, top, x)
    constrained = lagrangian(
        xp, square_loss(xp, product, unit, y), product, V, top, numbers, lambda_
    )
    one = 0 * product + 1
    plain = square_loss(xp, one, f, y) + lambda_ * product * product
    return Judgement(
        (),
        (
            equal("the two lines", first, second),
            equal("f_W = rho f_V", f, product[:, None] * unit),
            equal("on the constraint", constrained, plain),
        ),
    )


EQ_1 = Statement(
    id="square:eq-1",
    kind="equation",
    title="Lagrangian of the normalised square loss",
    source=Source("square", "(1), Sec. 3.2"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "both lines, and the network that they train",
            r"$\frac1N\sum_n(\rho f_n - y_n)^2 + \sum_k\nu_k(\|V_k\|^2 - 1) + \lambda\rho^2 = "
            r"\frac1N\sum_n(1 - \rho\bar f_n)^2 + \sum_k\nu_k(\|V_k\|^2 - 1) + \lambda\rho^2$ for "
            rf"all $\rho$, {_LAYERS} multipliers and labels $\pm1$. With $V_k = W_k/\|W_k\|$ and "
            r"$\rho = \prod_k\|W_k\|$, $f_W = \rho f_V$, and the Lagrangian is "
            r"$\frac1N\sum_n(f_W(x_n) - y_n)^2 + \lambda\rho^2$.",
            Claim(lagrangian_claim, (*_NETWORK, *_MULTIPLIERS, DECAY), SIZES),
            remark="No layer may be zero. The penalty is on the product of the norms; weight decay "
            "on each layer of f_W, lambda sum_k |W_k|^2, is another problem for L > 1.",
        ),
    ),
)


# -- (2) the gradient flow ------------------------------------------------------------------------


def flow_claim(
    xp: Any,
    *,
    rho: Any,
    W: Any,
    v: Any,
    x: Any,
    y: Any,
    nu: Any,
    nu_last: Any,
    lambda_: Any,
    kink: Any,
) -> Judgement:
    """Minus the gradient of the Lagrangian is what (2) prints, on the spheres and off them."""
    rates = -loss_gradient(xp, rho, W, v, x, y, Multipliers(nu, nu_last), lambda_, kink)
    margins = Margins.of(xp, W, v, x, y, kink)
    N, residual = x.shape[1], 1 - rho[:, None] * margins.values
    by_w, by_v = margins.weighted(xp, residual * rho[:, None])
    of_rho = 2 * xp.sum(residual * margins.values, axis=-1) / N - 2 * lambda_ * rho
    return Judgement(
        (),
        (
            equal("rho", rates.rho, of_rho),
            equal("hidden layers", rates.W, 2 * by_w / N - 2 * nu[:, :, None, None] * W),
            equal("last layer", rates.v, 2 * by_v / N - 2 * nu_last[:, None] * v),
        ),
    )


EQ_2 = Statement(
    id="square:eq-2",
    kind="equation",
    title="Gradient flow of the Lagrangian",
    source=Source("square", "(2), Sec. 3.4"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "minus the gradient, any slope at a kink",
            r"$-\frac{\partial\mathcal L}{\partial\rho} = \frac2N\sum_n(1 - \rho\bar f_n)\bar f_n "
            r"- 2\lambda\rho$ and $-\frac{\partial\mathcal L}{\partial V_k} = \frac2N\sum_n"
            r"(1 - \rho\bar f_n)\rho\frac{\partial\bar f_n}{\partial V_k} - 2\nu_kV_k$ for "
            rf"constant multipliers, with {_MARGINS}.",
            Claim(flow_claim, (*_NETWORK, *_MULTIPLIERS, DECAY, _KINK), SIZES),
            remark="Multipliers that depend on the weights add nothing where |V_k| = 1, as their "
            "derivative comes with |V_k|^2 - 1.",
        ),
    ),
)


# -- (3) homogeneity ------------------------------------------------------------------------------


def homogeneity_claim(xp: Any, *, W: Any, v: Any, x: Any, kink: Any) -> Judgement:
    """The inner product of each layer with the gradient by it is the output."""
    f, (by_w, by_v) = differentiate(xp, lambda W, v: outputs(xp, W, v, x, kink), W, v)
    hidden = xp.sum(xp.sum(by_w * W[..., None], axis=-2), axis=-2)
    last = xp.sum(by_v * v[..., None], axis=-2)
    degree = W.shape[1] + 1
    return Judgement(
        (),
        (
            equal("hidden layers", hidden, f[:, None, :] + 0 * hidden),
            equal("last layer", last, f),
            equal("all layers", xp.sum(hidden, axis=1) + last, degree * f),
        ),
    )


LEMMA_2 = Statement(
    id="square:lemma-2",
    kind="lemma",
    title="Homogeneity of ReLU networks in each layer",
    source=Source("square", "Lemma 2, (3), Sec. 3.4"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "any slope at a kink",
            r"$\sum_{i,j}\frac{\partial f_W(x)}{\partial W_k^{i,j}}W_k^{i,j} = f_W(x)$ for every "
            r"input and every layer, hence $\sum_k\langle W_k, \frac{\partial f_W}{\partial W_k}"
            r"\rangle = Lf_W$.",
            Claim(homogeneity_claim, (*WEIGHTS, INPUTS, _KINK), SIZES),
            remark="At a kink f_W may have no derivative; the equation then holds for whatever "
            "slope of the ReLU at zero the chain rule is given. It needs layers without bias.",
        ),
    ),
)


# -- (4) the multipliers --------------------------------------------------------------------------


def multiplier_claim(without_label: bool) -> Callable[..., Judgement]:
    """Return the claim on the multipliers that keep the norms; the label may be left out."""

    def judge(xp: Any, *, rho: Any, W: Any, v: Any, x: Any, y: Any) -> Judgement:
        V, top, _ = normalised(xp, W, v)
        margins, zero = Margins.of(xp, V, top, x, y), 0 * rho
        free = loss_gradient(xp, rho, V, top, x, y, same_for_all(zero, W), zero)
        hidden = -products(xp, V, free.W) / (2 * square_norms(xp, V))
        last = -xp.sum(top * free.v, axis=-1) / (2 * xp.sum(top * top, axis=-1))
        scaled = rho[:, None] * margins.values
        first = xp.mean(scaled - scaled * scaled, axis=-1)
        factor = scaled * labels(y) if without_label else scaled
        second = xp.mean(scaled * (1 - factor), axis=-1)
        return Judgement(
            (),
            (
                equal("hidden layers", hidden, first[:, None] + 0 * hidden),
                equal("last layer", last, first),
                equal("second form", first, second),
            ),
        )

    return judge


def off_the_spheres(xp: Any, *, rho: Any, W: Any, v: Any, x: Any, y: Any, decay: Any) -> Judgement:
    """With the multiplier of (4), |V_k|^2 - 1 grows or shrinks at the rate -4 nu."""
    margins = Margins.of(xp, W, v, x, y)
    nu = multiplier(rho, margins)
    rates = -loss_gradient(xp, rho, W, v, x, y, same_for_all(nu, W), decay)
    hidden, last = square_norms(xp, W) - 1, xp.sum(v * v, axis=-1) - 1
    settled = margins.mu / (margins.M + decay)
    return Judgement(
        (),
        (
            equal("hidden layers", 2 * products(xp, W, rates.W), -4 * nu[:, None] * hidden),
            equal("last layer", 2 * xp.sum(v * rates.v, axis=-1), -4 * nu * last),
            against(
                xp,
                "at equilibrium",
                multiplier(settled, margins),
                decay * settled * settled,
                (settled * margins.mu)[:, None],
            ),
        ),
    )


_NU = r"\nu_k = \frac1N\sum_n(\rho\bar f_n - \rho^2f_n^2) = \frac1N\sum_n\rho\bar f_n(1 - \rho"

EQ_4 = Statement(
    id="square:eq-4",
    kind="equation",
    title="Lagrange multipliers that keep the norms",
    source=Source("square", "(4), Sec. 3.4"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "as typeset, the last output without its label",
            rf"On $\|V_k\| = 1$, $V_k^\top\dot V_k = 0$ gives ${_NU} f_n)$.",
            Claim(multiplier_claim(without_label=True), _NETWORK, SIZES),
            defect="The last f_n lacks its bar: f-_n f_n = y_n f_n^2 is -f_n^2 for a label -1. The "
            "first form is right, and so is (5), which uses the bar; surely a slip.",
        ),
        Variant(
            "corrected",
            "margins in both factors",
            rf"On $\|V_k\| = 1$, $V_k^\top\dot V_k = 0$ gives ${_NU}\bar f_n) = "
            r"\rho(\mu - \rho M)$, the same for all layers.",
            Claim(multiplier_claim(without_label=False), _NETWORK, SIZES),
            remark="The derivative of |V_k|^2 is twice the printed V_k^T V'_k, which changes "
            "nothing at zero.",
        ),
        Variant(
            "sharp",
            "off the spheres",
            r"With this $\nu$ in (2), $\frac{d}{dt}(\|V_k\|^2 - 1) = -4\nu(\|V_k\|^2 - 1)$ at "
            r"every point, for every layer; at $\rho = \rho_{eq}$, $\nu = \lambda\rho_{eq}^2$.",
            Claim(
                off_the_spheres,
                (*_NETWORK, Field("decay", (), "positive")),
                SIZES,
            ),
            remark="So the spheres attract while rho < mu/M and repel beyond; at an equilibrium "
            "they attract if lambda > 0 and rho is not 0, and for lambda = 0 they are neutral "
            "(nu = 0). That weight decay stabilises the normalisation is exactly this.",
        ),
    ),
)


# -- (5) the projected flow -----------------------------------------------------------------------


def projected_flow(xp: Any, *, rho: Any, W: Any, v: Any, x: Any, y: Any, lambda_: Any) -> Judgement:
    """(2) with the multipliers of (4) is (5), keeps the norms, and is weight normalisation."""
    V, top, _ = normalised(xp, W, v)
    margins = Margins.of(xp, V, top, x, y)
    nu = same_for_all(multiplier(rho, margins), W)
    rates = -loss_gradient(xp, rho, V, top, x, y, nu, lambda_)
    of_rho, of_w, of_v = printed_flow(xp, rho, V, top, margins, lambda_)

    def through_norms(W: Any, v: Any) -> Any:
        unit, last, _ = normalised(xp, W, v)
        return square_loss_of(xp, rho, unit, last, x, y)

    _, (by_w, by_v) = differentiate(xp, through_norms, W, v)
    norms, last = xp.sqrt(square_norms(xp, W)), xp.sqrt(xp.sum(v * v, axis=-1))
    by_u, by_u_last = -by_w * norms[:, :, None, None], -by_v * last[:, None]
    kept, kept_last = products(xp, V, of_w), xp.sum(top * of_v, axis=-1)
    pull = 2 * nu.last  # of the gradient along the layer, which the multiplier takes away
    whole, whole_last = rates.W + pull[:, None, None, None] * V, rates.v + pull[:, None] * top
    return Judgement(
        (),
        (
            equal("rho", rates.rho, of_rho),
            against(xp, "hidden layers", rates.W, of_w, whole),
            against(xp, "last layer", rates.v, of_v, whole_last),
            equal("hidden norms are kept", kept + pull[:, None], 0 * kept + pull[:, None]),
            equal("the last norm is kept", kept_last + pull, pull),
            against(xp, "weight normalisation, hidden", by_u, of_w, whole),
            against(xp, "weight normalisation, last", by_u_last, of_v, whole_last),
        ),
    )


def square_loss_of(xp: Any, rho: Any, W: Any, v: Any, x: Any, y: Any) -> Any:
    """The square loss of rho f_V for weights that may be tangents, rho fixed."""
    residual = outputs(xp, W, v, x) * rho[:, None] - labels(y)
    return average(xp, residual * residual)


EQ_5 = Statement(
    id="square:eq-5",
    kind="equation",
    title="Projected flow of rho and the layers",
    source=Source("square", "(5) and (10), Sec. 3.4"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "on the spheres",
            r"On $\|V_k\| = 1$: $\dot\rho = \frac2N[\sum_n\bar f_n - \sum_n\rho\bar f_n^2] - "
            r"2\lambda\rho$ and $\dot V_k = \frac2N\rho\sum_n(1 - \rho\bar f_n)(-V_k\bar f_n + "
            r"\frac{\partial\bar f_n}{\partial V_k})$. Both keep $\|V_k\|$. With $V_k = U_k/"
            r"\|U_k\|$, minus the gradient of the loss by $U_k$ is $\dot V_k/\|U_k\|$.",
            Claim(projected_flow, (*_NETWORK, DECAY), SIZES),
            remark="The last is the equivalence with weight normalisation, up to the speed "
            "1/|U_k|, which stays as it is: that gradient is orthogonal to U_k.",
        ),
    ),
)

STATEMENTS = (EQ_1, EQ_2, LEMMA_2, EQ_4, EQ_5)
