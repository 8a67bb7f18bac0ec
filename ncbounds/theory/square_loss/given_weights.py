"""What the square loss of one class says of its features, given the weights: a ridge certificate.

Features h (N, d) of a class, weights W (C, d), and y (C,), the target less the bias; L is the mean
of ``|W h - y|^2``, alpha the rms norm of the features. Any vector g is a certificate, so no solver
is trusted: with ``v = y - W g`` and ``omega = W^T v``, the class mean has ``<omega, mean> >= a =
<v, y> - (|v|^2 + L)/2``. The best g is the ridge regression ``(W^T W + mu)^{-1} W^T y`` whose own
square error is L; then ``omega = mu g`` and ``a/|omega| = |g|``.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import Condition, formula, positive, real
from ncbounds.theory.proximity.alignment import quotient
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

_A = real("a", "guaranteed inner product of omega and the class mean", "a")
_OMEGA = positive("omega", "norm of omega", r"|\omega|")
_ALPHA = positive("alpha", "root mean square feature norm of the class", r"\alpha")


# -- guarantees: functions of what is measured ---------------------------------------------


def product_with_mean(xp: Any, v: Any, y: Any, loss: Any) -> Any:
    """Lower bound a on <W^T v, class mean>, (B,), for any v (B, C): target y (B, C), loss (B,)."""
    return xp.sum(v * y, axis=-1) - (square_norm(xp, v) + loss) / 2


@formula(_A, _OMEGA)
def norm_of_mean(xp: Any, a: Any, omega: Any) -> Any:
    """Lower bound on the norm of the class mean."""
    return xp.maximum(a, 0 * a) / omega


@formula(_A, _OMEGA, _ALPHA)
def variability(xp: Any, a: Any, omega: Any, alpha: Any) -> Any:
    """Upper bound on the variability of the class relative to alpha^2."""
    share = norm_of_mean(xp, a=a, omega=omega) / alpha
    return 1 - share * share


@formula(_A, _OMEGA, _ALPHA, conditions=(Condition("a > 0", lambda xp, a, **_: a),))
def cosine(xp: Any, a: Any, omega: Any, alpha: Any) -> Any:
    """Lower bound on the cosine of the class mean and omega, for a > 0."""
    return a / (omega * alpha)


# -- claims --------------------------------------------------------------------------------


def one_class(xp: Any, *, w: Any, h: Any, y: Any, g: Any, mu: Any) -> Judgement:
    """The ridge identity at any g, and what v = y - W g certifies of the class."""
    v = y - _outputs(xp, w, g[:, None, :])[:, 0]
    omega = xp.sum(v[..., None] * w, axis=1)
    z = _outputs(xp, w, h)
    loss = xp.mean(square_norm(xp, z - y[:, None, :]), axis=-1)
    away, mean = h - g[:, None, :], xp.mean(h, axis=1)
    whole = xp.mean(square_norm(xp, h), axis=-1)
    slope = xp.sum((mu[:, None] * g - omega) * (mean - g), axis=-1)
    a = product_with_mean(xp, v, y, loss)
    numbers = {"a": a, "omega": xp.sqrt(square_norm(xp, omega))}
    alpha, length = xp.sqrt(whole), xp.sqrt(square_norm(xp, mean))
    inner = xp.sum(omega * mean, axis=-1)
    size = numbers["omega"] * alpha
    spread = xp.mean(square_norm(xp, h - mean[:, None, :]), axis=-1)
    there = xp.is_positive(a)
    return Judgement(
        (),
        (
            Comparison(
                "ridge",
                loss + mu * whole,
                square_norm(xp, v)
                + mu * square_norm(xp, g)
                + xp.mean(square_norm(xp, _outputs(xp, w, away)), axis=-1)
                + mu * xp.mean(square_norm(xp, away), axis=-1)
                + 2 * slope,
                "=",
            ),
            Comparison("inner product", size + a, size + inner),
            Comparison("variability", spread / whole, variability(xp, **numbers, alpha=alpha)),
            Comparison("norm", norm_of_mean(xp, **numbers), length),
            Comparison(
                "cosine",
                1 - quotient(xp, inner, numbers["omega"] * length, -1),
                2 - there * (1 + cosine(xp, **numbers, alpha=alpha)),
            ),
        ),
    )


def _outputs(xp: Any, w: Any, h: Any) -> Any:
    """W h for features (B, N, d): (B, N, C)."""
    return xp.matmul(h, xp.matrix_transpose(w))


SHARP_4 = Statement(
    id="square:sharp-4",
    kind="theorem",
    title="One class from its square loss and the weights",
    source=Source("square", "ncbounds: NC1 and equal norms, one class at a time"),
    topic="square_loss",
    variants=(
        Variant(
            "sharp",
            "a ridge certificate",
            r"Let $\mathcal L$ be the mean of $|W h - y|^2$ over a class, $\alpha$ its rms feature "
            r"norm. For every $g$, with $v = y - W g$, $\omega = W^\top v$ and $a = \langle v, "
            r"y\rangle - \frac12(|v|^2 + \mathcal L)$: $\langle\omega, \bar h\rangle \ge a$, and "
            r"if $a > 0$ then $\mathrm{var} \le 1 - (\frac a{|\omega|\alpha})^2$, $\cos(\bar h, "
            r"\omega) \ge \frac a{|\omega|\alpha}$ and $|\bar h| \ge \frac a{|\omega|}$. Exactly, "
            r"for every $\mu > 0$: $\mathcal L + \mu\alpha^2 = |v|^2 + \mu|g|^2 + \overline{|W(h - "
            r"g)|^2} + \mu\overline{|h-g|^2} + 2\langle\mu g - \omega, \bar h - g\rangle$.",
            Claim(
                one_class,
                (
                    Field("w", ("C", "d")),
                    Field("h", ("N", "d")),
                    Field("y", ("C",)),
                    Field("g", ("d",)),
                    Field("mu", (), "positive"),
                ),
                {"C": (1, 5), "N": (1, 4), "d": (1, 6)},
            ),
            (
                Bound("norm of the class mean", norm_of_mean, "lower"),
                Bound("variability of the class", variability, "upper", 1),
                Bound("cosine of the class mean and omega", cosine, "lower", -1),
            ),
            remark="At g = (W^T W + mu)^{-1} W^T y the last term vanishes; if moreover "
            "|W g - y|^2 = L then mean |h-g|^2 + mean |W(h-g)|^2/mu = alpha^2 - |g|^2, and 1 - "
            "|g|^2/alpha^2 is "
            "the exact worst case of the variability given W, L and alpha (if d > rank W and "
            "N >= 2): features g +- n with W n = 0. Targets of any kind, and a bias, are y.",
        ),
    ),
)

STATEMENTS = (SHARP_4,)
