"""The networks of `square` and their Lagrangian, as functions that can be differentiated.

A network has hidden ReLU layers and a linear one on top, ``f_V(x) = v . relu(... relu(V_1 x))``.
Every hidden layer is as wide as the input, m; a narrower network is one with rows and columns of
zeros. The instance gives the hidden matrices W (B, L, m, m), the last layer v (B, m), inputs x
(B, N, m), and which labels are +1, y (B, N), the others being -1. The axis L counts the hidden
layers, one fewer than the paper's L. Overlined outputs are times the label, the margins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.theory.square_loss.tangents import Tangent, average, differentiate, relu, root, total
from ncbounds.theory.terms import Field

#: The fields of a network, and the sizes that their axes range over.
WEIGHTS = (Field("W", ("L", "m", "m")), Field("v", ("m",)))
INPUTS = Field("x", ("N", "m"))
LABELS = Field("y", ("N",), "mask")
SCALE = Field("rho", (), "positive")
DECAY = Field("lambda_", (), "nonnegative")
SIZES = {"L": (1, 2), "m": (1, 2), "N": (1, 3)}


def labels(y: Any) -> Any:
    """Labels +1 and -1 of a mask."""
    return 2 * y - 1


def outputs(xp: Any, W: Any, v: Any, x: Any, kink: Any = 0) -> Any:
    """f_W(x_n): (B, N). The weights may be tangents; `kink` is the slope of the ReLU at zero."""
    layers = (W.value if isinstance(W, Tangent) else W).shape[1]
    a: Any = x
    for k in range(layers):
        a = relu(xp, total(xp, W[:, None, k] * a[:, :, None, :]), kink)
    return total(xp, v[:, None, :] * a)


def square_norms(xp: Any, matrices: Any) -> Any:
    """Squared Frobenius norms over the last two axes."""
    return total(xp, total(xp, matrices * matrices))


def normalised(xp: Any, W: Any, v: Any) -> tuple[Any, Any, Any]:
    """The layers over their Frobenius norms, and the product of the norms."""
    hidden, last = root(xp, square_norms(xp, W)), root(xp, total(xp, v * v))
    product = last
    for k in range((W.value if isinstance(W, Tangent) else W).shape[1]):
        product = product * hidden[:, k]
    return W / hidden[:, :, None, None], v / last[:, None], product


def within_unit_ball(xp: Any, x: Any) -> Any:
    """The inputs, the longer ones scaled to norm 1."""
    return x / xp.maximum(xp.sqrt(xp.sum(x * x, axis=-1)), 1)[..., None]


def square_loss(xp: Any, rho: Any, f: Any, y: Any) -> Any:
    """Mean of (rho f_n - y_n)^2."""
    residual = rho[:, None] * f - labels(y)
    return average(xp, residual * residual)


def margin_loss(xp: Any, rho: Any, f: Any, y: Any) -> Any:
    """Mean of (1 - rho y_n f_n)^2."""
    residual = 1 - rho[:, None] * (f * labels(y))
    return average(xp, residual * residual)


@dataclass(frozen=True)
class Multipliers:
    """One number for each layer: those of the hidden ones (B, L), that of the last (B,)."""

    hidden: Any
    last: Any


def lagrangian(
    xp: Any, data_loss: Any, rho: Any, W: Any, v: Any, nu: Multipliers, lambda_: Any
) -> Any:
    """Equation (1): data loss, constraints |V_k|^2 = 1 with multipliers, and lambda rho^2."""
    hidden = total(xp, (square_norms(xp, W) - 1) * nu.hidden)
    last = (total(xp, v * v) - 1) * nu.last
    return data_loss + hidden + last + rho * rho * lambda_


@dataclass(frozen=True)
class Gradient:
    """Derivatives by rho (B,), by the hidden layers (B, L, m, m) and by the last one (B, m)."""

    rho: Any
    W: Any
    v: Any

    def __neg__(self) -> Gradient:
        return Gradient(-self.rho, -self.W, -self.v)


def loss_gradient(
    xp: Any,
    rho: Any,
    W: Any,
    v: Any,
    x: Any,
    y: Any,
    nu: Multipliers,
    lambda_: Any,
    kink: Any = 0,
) -> Gradient:
    """The gradient of the Lagrangian, by differentiation."""

    def loss(rho: Any, W: Any, v: Any) -> Any:
        data = square_loss(xp, rho, outputs(xp, W, v, x, kink), y)
        return lagrangian(xp, data, rho, W, v, nu, lambda_)

    return Gradient(*differentiate(xp, loss, rho, W, v)[1])


@dataclass(frozen=True)
class Margins:
    """Margins (B, N) with mean mu and mean square M, and their derivatives by the weights.

    `W` is (B, L, m, m, N) and `v` is (B, m, N).
    """

    values: Any
    mu: Any
    M: Any
    W: Any
    v: Any

    @classmethod
    def of(cls, xp: Any, W: Any, v: Any, x: Any, y: Any, kink: Any = 0) -> Margins:
        """The margins of a network, by differentiation."""
        sign = labels(y)
        values, (by_w, by_v) = differentiate(
            xp, lambda W, v: outputs(xp, W, v, x, kink) * sign, W, v
        )
        mean, square = xp.mean(values, axis=-1), xp.mean(values * values, axis=-1)
        return cls(values, mean, square, by_w, by_v)

    def weighted(self, xp: Any, numbers: Any) -> tuple[Any, Any]:
        """Sums over n of a number times the derivative of the margin, by W and by v."""
        by_w = xp.sum(self.W * numbers[:, None, None, None, :], axis=-1)
        return by_w, xp.sum(self.v * numbers[:, None, :], axis=-1)


def multiplier(rho: Any, margins: Margins) -> Any:
    """The multiplier of every layer, mean of rho f_n (1 - rho f_n) over the margins: (B,)."""
    return rho * (margins.mu - rho * margins.M)


def same_for_all(nu: Any, W: Any) -> Multipliers:
    """One number for all layers."""
    return Multipliers(nu[:, None] + 0 * W[:, :, 0, 0], nu)


def printed_flow(
    xp: Any, rho: Any, W: Any, v: Any, margins: Margins, lambda_: Any
) -> tuple[Any, Any, Any]:
    """Equation (5): the rates of rho, of the hidden layers and of the last one."""
    N = margins.values.shape[-1]
    residual = 1 - rho[:, None] * margins.values
    by_w, by_v = margins.weighted(xp, residual)
    agreement = xp.sum(residual * margins.values, axis=-1)
    of_w = 2 * rho[:, None, None, None] * (by_w - W * agreement[:, None, None, None]) / N
    of_v = 2 * rho[:, None] * (by_v - v * agreement[:, None]) / N
    first = xp.sum(margins.values, axis=-1) - rho * xp.sum(margins.values**2, axis=-1)
    return 2 * first / N - 2 * lambda_ * rho, of_w, of_v


def products(xp: Any, left: Any, right: Any) -> Any:
    """Inner products of the hidden layers of two stacks: (B, L)."""
    return xp.sum(xp.sum(left * right, axis=-1), axis=-1)
