r"""An ellipsoid for every class mean: what losses and the last layer say of the angles of classes.

`bnwd:sharp-5` is ours. By the identity (gap-W) of `bnwd:sharp-3` the losses of a class leave its
mean a ball about a vector h0 that is known with the last layer. In directions that the rivals see
the ball is flatter, as a class mean that moves there moves the rivals' logits apart, which costs
loss: it is an ellipsoid, whose shape is the covariance of the rivals' weights. Cosines of class
means are then those of the vectors h0 up to what the ellipsoids allow.

Everything is a certificate: any probabilities pi on the rivals, any mu > 0, any multipliers and
prices will do, so that no solver need be trusted. Instances give the last layer around h0: the
weights of a class are ``mu h0`` plus the mean of its rivals under pi, and the rivals' logits at h0
less the own are ``log pi`` plus an excess. That is every last layer. The excess is zero where pi is
the softmax of the rivals at h0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive, real
from ncbounds.theory.proximity.class_pairs import largest_eigenvalue, off_diagonal
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.proximity.one_class import probabilities, rival_log_sum
from ncbounds.theory.proximity.printed_theorem import mean_directions
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

_C = integer("C", "number of classes", "C", at_least=2)
_A = nonnegative("a", "at most so much below its mean a value lies", "a")
_ALPHA = positive("alpha", "root mean square feature norm of the class", r"\alpha")
_R0 = positive("length", "norm of h0", "|h_0|")
_MU = positive("mu", "quotient of omega by h0", r"\mu")
_LAG = real("lag", "largest log(pi) less the logit at h0, less the mean log-odds", "g")
_SINE = nonnegative("sine", "sine of the largest angle of class mean and h0", "s")
_WEIGHT = positive("zeta", "weight of the squared sine", r"\zeta")
_PRICE = positive("q", "any price", "q")
_SEEN = nonnegative(
    "Lambda",
    "largest eigenvalue of the other directions in the dual norm of the ellipsoid",
    r"\Lambda",
)

#: Added to every entry of a Gram matrix before its powers are taken, which none likes to be zero.
_FLOOR = 2.0**-60
#: Least square of a radius, over that of alpha, and of an a: a ball at zero has no root.
_LEAST = 2.0**-80


# -- guarantees: numbers in, numbers out -----------------------------------------------------


@formula(_A)
def curvature(xp: Any, a: Any) -> Any:
    """Lower bound on log E e^u over the variance of u, for E u = 0 and u >= -a."""
    # (a - 1 + e^-a)/a^2, and from a = 1 down what it is to 0.14 % at worst: no digits are lost.
    far = xp.maximum(a, 1 + 0 * a)
    return xp.maximum(18 / ((a + 6) * (a + 6)), (far - 1 + xp.exp(-far)) / (far * far))


@formula(_ALPHA, _R0, _MU, _LAG)
def square_radius(xp: Any, alpha: Any, length: Any, mu: Any, lag: Any) -> Any:
    """Upper bound on the square of a class mean less h0, in the norm of the ellipsoid."""
    return alpha * alpha - length * length + 2 * lag / mu


@formula(_R0, _MU, _LAG)
def least_along(xp: Any, length: Any, mu: Any, lag: Any) -> Any:
    """Lower bound on the inner product of a class mean and the direction of h0."""
    return length - lag / (mu * length)


@formula(_C, _SINE, _WEIGHT, _PRICE, _SEEN)
def class_gap(xp: Any, C: Any, sine: Any, zeta: Any, q: Any, Lambda: Any) -> Any:
    """Part of a class in the mean difference of cosines."""
    return sine * (q + Lambda / ((C - 1) * q)) + zeta * sine * sine


@dataclass(frozen=True)
class Around:
    """What is known of a class mean: arrays of one shape, an entry for each class.

    `length` is |h0|, `square` that of the radius, `along` the least inner product with the
    direction of h0, and `steepness` the kappa of ``|e|^2 + kappa Var_pi <w, e> <= square``.
    """

    length: Any
    square: Any
    along: Any
    steepness: Any


def around(xp: Any, alpha: Any, length: Any, mu: Any, lag: Any, widest: Any) -> Around:
    """Evaluate the ellipsoid of a class; `widest` is the largest ``|w_r - mean w|^2`` under pi."""
    square = square_radius(xp, alpha=alpha, length=length, mu=mu, lag=lag)
    square = xp.maximum(square, _LEAST * alpha * alpha)
    a = xp.sqrt(xp.maximum(square * widest, _LEAST + 0 * square))
    along = least_along(xp, length=length, mu=mu, lag=lag)
    return Around(length, square, along, 2 * curvature(xp, a=a) / mu)


def angles(xp: Any, known: Around) -> tuple[Any, Any]:
    """Sine and cosine of the largest angle of class mean and h0, where `along` is positive."""
    whole = xp.sqrt(known.square + known.along * known.along)
    return xp.sqrt(known.square) / whole, known.along / whole


def square_weights(xp: Any, known: Around, cosine: Any, sizes: Any, alpha: Any = None) -> Any:
    """The zeta of each class; `sizes` are the means of the absolute cosines of its h0 with others'.

    With `alpha`, the norms of the classes, for cosines of mean directions in place of class means.
    """
    of_means = 1 + 2 * sizes / (1 + cosine)
    if alpha is None:
        return of_means
    whole = known.square + known.along * known.along
    return xp.maximum(of_means, 2 * (1 + sizes) * whole / (alpha * alpha))


def stretched(xp: Any, known: Around, sine: Any, cosine: Any, zeta: Any, q: Any) -> tuple[Any, Any]:
    """The kappa of the ellipsoid at a price, and how much more than 1 the direction h0 counts."""
    kept = cosine * cosine * (1 + zeta * sine / q)
    return known.steepness * kept, 1 / kept - 1


def seen(
    xp: Any, targets: Any, across: Any, rivals: Any, pi: Any, kappa: Any, multipliers: Any
) -> Any:
    """Upper bound on the largest eigenvalue of targets in the dual norm of an ellipsoid, (B, C).

    In ``|x|^2 + kappa sum pi <w_r, x>^2 <= 1`` the sum over targets of ``<p_j, x>^2`` is at most
    this. Inner products of `targets` (B, C, J, J), of targets with centred rivals (B, C, J, R) and
    of `rivals` (B, C, R, R); `pi` (B, C, R), `kappa` (B, C). Any `multipliers` (B, C, J, R) do;
    the best are ``<w_r, (1 + kappa sum pi w w^T)^-1 p_j>``.
    """
    scaled = kappa[..., None, None] * multipliers * pi[..., None, :]
    crossed = xp.matmul(scaled, xp.matrix_transpose(across))
    gram = (
        targets
        - crossed
        - xp.matrix_transpose(crossed)
        + xp.matmul(xp.matmul(scaled, rivals), xp.matrix_transpose(scaled))
        + xp.matmul(scaled, xp.matrix_transpose(multipliers))
    )
    whole = xp.reshape(gram + _FLOOR, (-1, *gram.shape[-2:]))
    return xp.reshape(largest_eigenvalue(xp, whole), kappa.shape)


# -- instances ---------------------------------------------------------------------------------


def log_moment(xp: Any, *, values: Any, weights: Any) -> Judgement:
    """The logarithm of a mean of exponentials, from the variance."""
    pi = probabilities(xp, weights)
    u = values - xp.sum(pi * values, axis=-1)[:, None]
    top = xp.max(u, axis=-1)
    found = top + xp.log(xp.sum(pi * xp.exp(u - top[:, None]), axis=-1))
    # The digits of small values are those of e^u - 1 - u, which is less for smaller u.
    small = xp.minimum(u, 1 + 0 * u)
    found = xp.maximum(found, xp.log1p(xp.sum(pi * (xp.expm1(small) - small), axis=-1)))
    a, variance = xp.max(-u, axis=-1), xp.sum(pi * u * u, axis=-1)
    bound = curvature(xp, a=xp.maximum(a, 0 * a)) * variance
    return Judgement((), (Comparison("log-moment", bound, found),))


def _of_losses(
    xp: Any, rivals: Any, weights: Any, excess: Any, mu: Any, shortest: Any, h: Any
) -> tuple[Around, Any, Any]:
    """What the losses of classes say, pi, and the centred rivals; axes (..., R, d), (..., N, d)."""
    pi = probabilities(xp, weights)
    centred = rivals - xp.sum(pi[..., None] * rivals, axis=-2)[..., None, :]
    gaps = centred - (mu[..., None] * shortest)[..., None, :]
    away = h - shortest[..., None, :]
    # Only differences of excesses count: the least is taken to be zero.
    at_centre = xp.log(pi) + excess - xp.min(excess, axis=-1)[..., None]
    logits = xp.matmul(away, xp.matrix_transpose(gaps)) + at_centre[..., None, :]
    lag = xp.mean(rival_log_sum(xp, logits), axis=-1)
    alpha = xp.sqrt(xp.mean(square_norm(xp, h), axis=-1))
    length = xp.sqrt(square_norm(xp, shortest))
    widest = xp.max(square_norm(xp, centred), axis=-1)
    return around(xp, alpha, length, mu, lag, widest), pi, centred


def one_class_claim(
    xp: Any, *, rivals: Any, weights: Any, excess: Any, mu: Any, shortest: Any, h: Any
) -> Judgement:
    """The class mean lies in the ellipsoid about h0, and on the side of h0."""
    known, pi, centred = _of_losses(xp, rivals, weights, excess, mu, shortest, h)
    mean = xp.mean(h, axis=1)
    moved = xp.sum(centred * (mean - shortest)[:, None, :], axis=-1)
    distance = square_norm(xp, mean - shortest)
    inner = xp.sum(mean * shortest, axis=-1) / known.length
    return Judgement(
        (),
        (
            Comparison(
                "ellipsoid",
                distance + known.steepness * xp.sum(pi * moved * moved, axis=-1),
                known.square,
            ),
            # Both sides may vanish.
            Comparison("along h0", known.length + known.along, known.length + inner),
        ),
    )


def pairs_claim(
    xp: Any,
    *,
    rivals: Any,
    weights: Any,
    excess: Any,
    mu: Any,
    shortest: Any,
    h: Any,
    multipliers: Any,
    price: Any,
) -> Judgement:
    """Cosines of class means, and of mean directions, against those of the vectors h0."""
    known, pi, centred = _of_losses(xp, rivals, weights, excess, mu, shortest, h)
    units, C = shortest / known.length[..., None], shortest.shape[1]
    cosines = xp.matmul(units, xp.matrix_transpose(units))
    sine, cosine = angles(xp, known)
    sizes = (xp.sum(xp.abs(cosines), axis=-1) - 1) / (C - 1)
    alpha = xp.sqrt(xp.mean(square_norm(xp, h), axis=-1))
    # The directions of the other classes, off the own.
    off = xp.stack(
        [
            units[:, others] - cosines[:, c, others][..., None] * units[:, c : c + 1]
            for c, others in enumerate([r for r in range(C) if r != c] for c in range(C))
        ],
        axis=1,
    )
    flat = xp.matrix_transpose(centred)
    targets, across = xp.matmul(off, xp.matrix_transpose(off)), xp.matmul(off, flat)
    along = xp.matmul(units[:, :, None, :], flat)[:, :, 0]
    products = along[..., None] * along[:, :, None, :]
    bounds = []
    for zeta in (
        square_weights(xp, known, cosine, sizes),
        square_weights(xp, known, cosine, sizes, alpha),
    ):
        kappa, more = stretched(xp, known, sine, cosine, zeta, price)
        inner = xp.matmul(centred, flat) + more[..., None, None] * products
        visible = seen(xp, targets, across, inner, pi, kappa, multipliers)
        gaps = class_gap(xp, C=C, sine=sine, zeta=zeta, q=price, Lambda=visible)
        bounds.append(xp.mean(gaps, axis=-1))
    means, directions = xp.mean(h, axis=2), mean_directions(xp, h)
    means = means / xp.sqrt(square_norm(xp, means))[..., None]

    def away(rows: Any) -> Any:
        found = xp.matmul(rows, xp.matrix_transpose(rows)) - cosines
        return xp.mean(xp.abs(off_diagonal(xp, found)), axis=-1)

    return Judgement(
        (Comparison("class means on the side of h0", 0 * known.along, known.along),),
        (
            Comparison("class means", away(means), bounds[0]),
            Comparison("mean directions", away(directions), bounds[1]),
        ),
    )


_LAYER = (
    Field("rivals", ("R", "d")),
    Field("weights", ("R",), "positive"),
    Field("excess", ("R",), "nonnegative"),
    Field("mu", (), "positive"),
    Field("shortest", ("d",)),
    Field("h", ("N", "d"), like="shortest"),
)
_LAYERS = tuple(Field(f.name, ("C", *f.shape), f.kind, like=f.like) for f in _LAYER)
_GIVEN = (
    r"For probabilities $\pi$ on the rivals of a class and $\mu > 0$ let $h_0 = (w_c - \sum_r\pi_r "
    r"w_r)/\mu$, $g = \max_r(\log\pi_r - z_r(h_0)) + \overline{\log\sum_r e^{z_r}}$ with $z_r$ the "
    r"rivals' logits less the own, $\rho^2 = \alpha_c^2 - |h_0|^2 + 2g/\mu$, $a = \rho\max_r|w_r - "
    r"\sum_s\pi_s w_s|$ and $\kappa = 2\chi(a)/\mu$, $\chi$ of the first wording. "
)

SHARP_5 = Statement(
    id="bnwd:sharp-5",
    kind="theorem",
    title="An ellipsoid for every class mean, and cosines of class means from losses",
    source=Source("bnwd", "ncbounds: sharp form of Theorem 2.1 for angles of class means"),
    topic="ellipsoid",
    variants=(
        Variant(
            "sharp",
            "logarithm of a mean of exponentials",
            r"If $Eu = 0$ and $u \ge -a$, then $\log Ee^u \ge \frac{a - 1 + e^{-a}}{a^2} Eu^2 \ge "
            r"\frac{18}{(a + 6)^2} Eu^2$.",
            Claim(
                log_moment,
                (Field("values", ("R",)), Field("weights", ("R",), "positive")),
                {"R": (1, 8)},
            ),
            (Bound("logarithm over variance", curvature, "lower", 0),),
            remark="The best constant for every a: two values attain it as the share of -a "
            "vanishes. Weights tilted by e^u would give the spread of u in place of a.",
        ),
        Variant(
            "sharp",
            "one class",
            _GIVEN + r"The class mean $\tilde h_c = h_0 + e$ has $|e|^2 + \kappa\mathrm{Var}_\pi"
            r"\langle w, e\rangle \le \rho^2$ and $\langle\tilde h_c, h_0\rangle/|h_0| \ge r = "
            r"|h_0| - g/(\mu|h_0|)$.",
            Claim(one_class_claim, _LAYER, {"R": (1, 6), "N": (1, 5), "d": (1, 8)}),
            (
                Bound("square of the radius", square_radius, "upper"),
                Bound("class mean along h0", least_along, "lower"),
            ),
            remark="Nothing is assumed. Best is the softmax of the rivals at h0, with the mean "
            "log-odds of the class there: then g = 0, and h0 is the h* of (gap-W). Equality in "
            "directions that no rival sees.",
        ),
        Variant(
            "sharp",
            "pairs of classes",
            _GIVEN + r"Let $r_c$ be as above and positive, $s_c = \rho_c/\sqrt{\rho_c^2 + r_c^2}$, "
            r"$k_c^2 = 1 - s_c^2$, $X$ the cosines of the $h_0$, $\xi_c$ the mean of $|X_{cc'}|$ "
            r"over $c' \ne c$ and $\zeta_c = 1 + 2\xi_c/(1 + k_c)$. For every price $q_c > 0$ let "
            r"$m = k_c^2(1 + \zeta_cs_c/q_c)$ and $\Lambda_c$ the largest $\sum_{c' \ne c}\langle "
            r"x, u_{c'}\rangle^2$, $u$ the directions of the $h_0$, over $x \perp u_c$, $y$ with "
            r"$|x|^2 + m y^2 + \kappa_cm\mathrm{Var}_\pi\langle w, x + yu_c\rangle \le 1$. The "
            r"mean over pairs of $|\cos(\tilde h_c, \tilde h_{c'}) - X_{cc'}|$ is at most the mean "
            r"over classes of $s(q + \frac\Lambda{(C-1)q}) + \zeta s^2$. So it is for inner "
            r"products of the classes' mean directions, with the larger of $\zeta_c$ and "
            r"$2(1 + \xi_c)(\rho_c^2 + r_c^2)/\alpha_c^2$ for $\zeta_c$.",
            Claim(
                pairs_claim,
                (
                    *_LAYERS,
                    Field("multipliers", ("C", "J", "R")),
                    Field("price", ("C",), "positive"),
                ),
                {"C": (2, 4), "R": (1, 4), "N": (1, 3), "d": (1, 5)},
                {"J": lambda sizes: sizes["C"] - 1},
            ),
            (Bound("part of a class in the mean difference", class_gap, "upper"),),
            remark="The best price is the root of Lambda/(C-1). Any multipliers bound Lambda. A "
            "misalignment that rivals see costs loss, one that they do not see is of second order: "
            "both draw on one budget, hence the price.",
        ),
    ),
)

STATEMENTS = (SHARP_5,)
