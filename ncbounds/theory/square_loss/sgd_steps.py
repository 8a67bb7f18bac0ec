r"""Steps of SGD under weight normalisation, `square:eq-30` to `square:eq-32` and `square:eq-46`.

Gradients are computed from the loss itself: it is quadratic in rho and, between kinks, in each
layer, so the central difference quotient with step 1 is the derivative, exactly. A margin is a
linear function of a layer, ``fbar_n = a_n^T V b_n`` (see `square:eq-47`), the label within a_n.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ncbounds.arithmetic.formula import formula, nonnegative, positive, real
from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.proximity.near_optimal_loss import square_norm
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

_RHO = real("rho", "scale of the network", r"\rho")
_MARGIN = real("margin", "margin of the sample, without rho", r"\bar f_n")
_ETA = positive("eta", "learning rate", r"\eta")
_ACROSS = nonnegative("across", "norm of the gradient's part orthogonal to V", r"|G_\perp|")


@formula(_RHO, _MARGIN)
def multiplier(xp: Any, rho: Any, margin: Any) -> Any:
    """Multiplier of the unit norm for one sample, to first order in eta."""
    return rho * margin * (1 - rho * margin)


@formula(_RHO, _MARGIN, _ETA, _ACROSS)
def exact_multiplier(xp: Any, rho: Any, margin: Any, eta: Any, across: Any) -> Any:
    """Multiplier for one sample that keeps the unit norm exactly."""
    root = xp.sqrt(1 - eta * eta * across * across)
    return rho * margin * (1 - rho * margin) + eta * across * across / (2 * (1 + root))


def gradient(xp: Any, function: Callable[[Any], Any], point: Any) -> Any:
    """Derivatives of a quadratic function (B, ...) -> (B,) at a point, entry by entry."""
    entries = []
    for place in np.ndindex(*point.shape[1:]):
        step = np.zeros((1, *point.shape[1:]))
        step[(0, *place)] = 1.0
        one = xp.asarray(step)
        entries.append((function(point + one) - function(point - one)) / 2)
    return xp.reshape(xp.stack(entries, axis=-1), point.shape)


def over_labels(judge: Callable[..., tuple[Comparison, ...]]) -> Callable[..., Judgement]:
    """Return the claim that holds for a sample of either label."""

    def both(xp: Any, **instance: Any) -> Judgement:
        plus = judge(xp, 1.0, **instance)
        minus = judge(xp, -1.0, **instance)
        return Judgement((), (*plus, *minus))

    return both


def unit_direction(xp: Any, direction: Any) -> Any:
    """Vectors over their norms, (B, p)."""
    return direction / norm(xp, direction)[:, None]


# -- Equations (30) to (32) -----------------------------------------------------------------------


def step_from_loss(
    xp: Any, y: float, *, layer: Any, h: Any, rho: Any, nu: Any, lambda_: Any, eta: Any
) -> tuple[Comparison, ...]:
    """A gradient step of the Lagrangian in the last layer (B, p), beside (30)."""

    def lagrangian(V: Any) -> Any:
        residual = 1 - rho * y * dot(xp, V, h)
        return residual * residual + nu * (square_norm(xp, V) - 1) + lambda_ * rho * rho

    margin = y * dot(xp, layer, h)
    inside = (2 * rho * (rho * margin - 1) * y)[:, None] * h + 2 * nu[:, None] * layer
    stepped = layer - eta[:, None] * gradient(xp, lagrangian, layer)
    return (
        Comparison(f"equation (30), y = {int(y)}", stepped, layer - eta[:, None] * inside, "="),
    )


def sample_gradient(xp: Any, y: float, V: Any, h: Any, rho: Any) -> tuple[Any, Any]:
    """Margin and gradient ``2 rho (rho fbar - 1) y h`` of one sample's loss in the last layer."""
    margin = y * dot(xp, V, h)
    return margin, (2 * rho * (rho * margin - 1) * y)[:, None] * h


def first_order_multiplier(
    xp: Any, y: float, *, direction: Any, h: Any, rho: Any, eta: Any
) -> tuple[Comparison, ...]:
    """The coefficient of eta in the new square norm vanishes with the multiplier of (31)."""
    V = unit_direction(xp, direction)
    margin, G = sample_gradient(xp, y, V, h, rho)
    nu = multiplier(xp, rho=rho, margin=margin)

    def new_square(rate: Any) -> Any:
        return square_norm(xp, V - rate[:, None] * (G + 2 * nu[:, None] * V))

    slope = (new_square(eta) - new_square(-eta)) / (2 * eta)
    middle = 2 * rho * y * dot(xp, V, h) * (1 - rho * margin)
    return (
        Comparison(f"first line of (31), y = {int(y)}", 2 * nu, middle, "="),
        Comparison(f"norm to first order, y = {int(y)}", slope, 0 * slope, "="),
    )


def exactly_normalised(xp: Any, *, direction: Any, h: Any, rho: Any, share: Any) -> Judgement:
    """The multiplier that keeps the norm exactly, and how far it is from that of (31).

    The learning rate is `share` of the largest for which there is one.
    """
    V = unit_direction(xp, direction)
    margin, G = sample_gradient(xp, 1.0, V, h, rho)
    across = norm(xp, G - dot(xp, G, V)[:, None] * V)
    eta = share / across
    first = multiplier(xp, rho=rho, margin=margin)
    nu = exact_multiplier(xp, rho=rho, margin=margin, eta=eta, across=across)
    stepped = V - eta[:, None] * (G + 2 * nu[:, None] * V)
    square = square_norm(xp, stepped)
    return Judgement(
        (),
        (
            Comparison("unit norm", square, 0 * square + 1, "="),
            Comparison("at least", first + share * across / 4, nu),
            Comparison("at most", nu, first + share * across / 2),
        ),
    )


def projected_step(
    xp: Any, y: float, *, direction: Any, h: Any, rho: Any, eta: Any
) -> tuple[Comparison, ...]:
    """(30) with the multiplier of (31) is (32); its norm is not 1 but grows with every step."""
    V = unit_direction(xp, direction)
    output = dot(xp, V, h)
    margin, G = sample_gradient(xp, y, V, h, rho)
    nu = multiplier(xp, rho=rho, margin=margin)
    across = h - output[:, None] * V
    size = 2 * rho * y * (rho * margin - 1)
    stepped = V - eta[:, None] * size[:, None] * across
    plain = V - eta[:, None] * (G + 2 * nu[:, None] * V)
    moved = eta * size
    return (
        Comparison(f"equation (32), y = {int(y)}", plain, stepped, "="),
        Comparison(
            f"new norm, y = {int(y)}",
            square_norm(xp, stepped),
            1 + moved * moved * square_norm(xp, across),
            "=",
        ),
    )


_SAMPLE = (
    Field("direction", ("d",)),
    Field("h", ("d",)),
    Field("rho", (), "positive"),
    Field("eta", (), "positive"),
)
_D = {"d": (1, 3)}

EQUATION_30 = Statement(
    id="square:eq-30",
    kind="equation",
    title="The SGD step of the last layer",
    source=Source("square", "(30)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "derivative of the loss of one sample",
            r"With $\mathcal L = (1 - \rho\bar f_n)^2 + \nu_L(|V_L|^2 - 1) + \lambda\rho^2$, "
            r"$\bar f_n = y_n V_L^\top h(x_n)$: $V_L - \eta\frac{\partial\mathcal L}"
            r"{\partial V_L} = V_L - \eta(2\rho(\rho\bar f_n - 1)y_n h(x_n) + 2\nu_L V_L)$.",
            Claim(
                over_labels(step_from_loss),
                (
                    Field("layer", ("d",)),
                    Field("h", ("d",)),
                    Field("rho"),
                    Field("nu"),
                    Field("lambda_", (), "nonnegative"),
                    Field("eta", (), "positive"),
                ),
                _D,
            ),
        ),
    ),
)

EQUATION_31 = Statement(
    id="square:eq-31",
    kind="equation",
    title="Multiplier of the SGD step",
    source=Source("square", "(31)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "to first order in eta",
            r"$2\nu_L = 2\rho y_n V_L^\top h(x_n)(1 - \rho\bar f_n)$, $\nu_L = \rho\bar f_n"
            r"(1 - \rho\bar f_n)$: then $|V_L^{(t+1)}|^2 = |V_L^{(t)}|^2 + O(\eta^2)$.",
            Claim(over_labels(first_order_multiplier), _SAMPLE, _D),
            (Bound("multiplier", multiplier, "value"),),
        ),
        Variant(
            "sharp",
            "unit norm exactly",
            r"The step keeps $|V_L| = 1$ exactly with $\nu_L = \rho\bar f_n(1 - \rho\bar f_n) + "
            r"\frac{\eta|G_\perp|^2}{2(1 + \sqrt{1 - \eta^2|G_\perp|^2})}$, $G_\perp$ the part of "
            r"the sample's gradient orthogonal to $V_L$ and $\eta|G_\perp| < 1$. It exceeds the "
            r"printed one by $\frac\eta4|G_\perp|^2$ to $\frac\eta2|G_\perp|^2$.",
            Claim(
                exactly_normalised,
                (*_SAMPLE[:-1], Field("share", (), "proportion")),
                {"d": (2, 3)},
            ),
            (Bound("multiplier that keeps the norm", exact_multiplier, "value"),),
            remark="For eta |G_perp| > 1 no multiplier does. Only the product y h(x) matters: "
            "the label is within h here.",
        ),
    ),
)

EQUATION_32 = Statement(
    id="square:eq-32",
    kind="equation",
    title="The projected SGD step",
    source=Source("square", "(32)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "with the multiplier of (31)",
            r"$V_L^{(t+1)} = V_L^{(t)} - 2\eta\rho y_n(\rho\bar f_n - 1)(h(x_n) - f_n V_L^{(t)})$. "
            r"Its square norm is $1 + 4\eta^2\rho^2(1-\rho\bar f_n)^2|h(x_n) - f_n V_L|^2$.",
            Claim(over_labels(projected_step), _SAMPLE, _D),
            remark="So the norm is kept to first order only, and grows with each step that is not "
            "zero: without normalising again it would not stay at 1. At rest: rho = 0, "
            "rho fbar = 1, or h = f V_L.",
        ),
    ),
)


# -- Equation (46) --------------------------------------------------------------------------------


def batch_margins(xp: Any, layer: Any, a: Any, b: Any) -> Any:
    """``a_n^T V b_n``: (B, m, c), (B, N, m), (B, N, c) to (B, N)."""
    inner = xp.sum(layer[:, None, :, :] * b[:, :, None, :], axis=-1)
    return dot(xp, a, inner)


def batch_multiplier(xp: Any, rho: Any, margins: Any) -> Any:
    """The multiplier of (4), the mean of ``rho fbar - rho^2 fbar^2`` over the batch."""
    z = rho[:, None] * margins
    return xp.mean(z - z * z, axis=-1)


def weighted_derivatives(xp: Any, weights: Any, a: Any, b: Any) -> Any:
    """``mean_n w_n a_n b_n^T``: (B, N), (B, N, m), (B, N, c) to (B, m, c)."""
    terms = weights[:, :, None, None] * a[:, :, :, None] * b[:, :, None, :]
    return xp.mean(terms, axis=1)


def batch_loss(xp: Any, margins: Any, layer: Any, rho: Any, nu: Any, lambda_: Any) -> Any:
    """The Lagrangian ``mean (1 - rho fbar)^2 + nu (|V|^2 - 1) + lambda rho^2`` of a batch."""
    residual = 1 - rho[:, None] * margins
    size = xp.sum(square_norm(xp, layer), axis=-1)
    return xp.mean(residual * residual, axis=-1) + nu * (size - 1) + lambda_ * rho * rho


def updates_claim(sign: float) -> Any:
    """Return the claim that gradient steps are (46), data terms of the given sign."""

    def judge(
        xp: Any, *, layer: Any, a: Any, b: Any, rho: Any, lambda_: Any, eta: Any
    ) -> Judgement:
        V = layer / xp.sqrt(xp.sum(square_norm(xp, layer), axis=-1))[:, None, None]
        margins = batch_margins(xp, V, a, b)
        nu = batch_multiplier(xp, rho, margins)
        residual = 1 - rho[:, None] * margins

        def in_rho(r: Any) -> Any:
            return batch_loss(xp, margins, V, r, nu, lambda_)

        def in_layer(W: Any) -> Any:
            return batch_loss(xp, batch_margins(xp, W, a, b), W, rho, nu, lambda_)

        slope = (in_rho(rho + 1) - in_rho(rho - 1)) / 2
        new_rho = rho + sign * eta * 2 * xp.mean(residual * margins, axis=-1)
        push = weighted_derivatives(xp, residual * rho[:, None], a, b)
        new_layer = V + sign * 2 * eta[:, None, None] * push - 2 * (eta * nu)[:, None, None] * V
        change = xp.sum(xp.sum((new_layer - V) * V, axis=-1), axis=-1)
        return Judgement(
            (),
            (
                Comparison("rho", rho - eta * slope, new_rho - 2 * eta * lambda_ * rho, "="),
                Comparison(
                    "layer", V - eta[:, None, None] * gradient(xp, in_layer, V), new_layer, "="
                ),
                Comparison("norm to first order", change, 0 * change, "="),
            ),
        )

    return judge


BATCH_FIELDS = (
    Field("layer", ("m", "d")),
    Field("a", ("N", "m")),
    Field("b", ("N", "d")),
    Field("rho", (), "positive"),
    Field("lambda_", (), "positive"),
    Field("eta", (), "positive"),
)
BATCH_SIZES = {"N": (1, 3), "m": (1, 3), "d": (1, 3)}

EQUATION_46 = Statement(
    id="square:eq-46",
    kind="equation",
    title="SGD updates of rho and of a layer",
    source=Source("square", "(46)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "as typeset",
            r"$\rho - \eta\frac{\partial\mathcal L_{S'}}{\partial\rho} = \rho - \eta\frac2B"
            r"\sum(1 - \rho\bar f_n)\bar f_n - 2\eta\lambda\rho$ and $V_k - \eta\frac{\partial"
            r"\mathcal L_{S'}}{\partial V_k} = V_k - \eta\frac2B\sum(1 - \rho\bar f_n)\rho"
            r"\frac{\partial\bar f_n}{\partial V_k} - 2\eta\nu_k V_k$, with $\nu_k$ of (4).",
            Claim(updates_claim(-1.0), BATCH_FIELDS, BATCH_SIZES),
            defect="The data terms of both updates have the wrong sign: with it SGD would climb "
            "the loss, and the multiplier of (4), which comes from the descent (2), would not keep "
            "the norm. The first expression for V_k also lacks its eta.",
        ),
        Variant(
            "corrected",
            "data terms with a plus",
            r"$\rho - \eta\frac{\partial\mathcal L_{S'}}{\partial\rho} = \rho + \eta\frac2B"
            r"\sum(1 - \rho\bar f_n)\bar f_n - 2\eta\lambda\rho$ and $V_k - \eta\frac{\partial"
            r"\mathcal L_{S'}}{\partial V_k} = V_k + \eta\frac2B\sum(1 - \rho\bar f_n)\rho"
            r"\frac{\partial\bar f_n}{\partial V_k} - 2\eta\nu_k V_k$; to first order in $\eta$ "
            r"this keeps $|V_k| = 1$.",
            Claim(updates_claim(1.0), BATCH_FIELDS, BATCH_SIZES),
        ),
    ),
)

STATEMENTS = (EQUATION_30, EQUATION_31, EQUATION_32, EQUATION_46)
