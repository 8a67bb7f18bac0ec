"""Proximity to neural collapse from a near-optimal loss: what a loss implies.

`bnwd:theorem-2.1` bounds cosines by the gap of the loss; its sharp variants are ours: two exact
splits of the gap into named defects, and what follows from three measured numbers (mean loss,
feature norm, weight norm).

The setting, in the symbols of `bnwd`: C classes of N samples, features h of shape (C, N, d), last
layer weights w of shape (C, d) without bias, ``k = C/(C-1)``. Means run over samples, then over
classes. A dot marks centring over the classes: ``wdot_c = w_c - mean w``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import (
    Condition,
    formula,
    integer,
    positive,
)
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Statement,
    Variant,
)

_C = integer("C", "number of classes", "C", at_least=2)


# -- the setting ---------------------------------------------------------------------


def phi(xp: Any, t: Any, rivals: int) -> Any:
    """``log(1 + M e^{-t})`` with M rivals: the loss of a sample at margin t; never overflows."""
    top = xp.maximum(-t, 0 * t)
    return top + xp.log1p(xp.expm1(-top) + rivals * xp.exp(-t - top))


def phi_inverse(xp: Any, loss: Any, rivals: int) -> Any:
    """``log(M / (e^loss - 1))``: the margin at which a sample has that loss (loss > 0)."""
    return -loss - xp.log(-xp.expm1(-loss) / rivals)


def bregman(xp: Any, u: Any, sigma: Any) -> Any:
    """``K(u) = log(1 - sigma + sigma e^{-u}) + sigma u >= 0``, the Bregman gap of the loss."""
    return xp.log1p(sigma * xp.expm1(-u)) + sigma * u


@dataclass(frozen=True)
class Network:
    """The quantities of a last layer; every array has the batch axis first.

    Shapes: `losses`, `margins` t, `off_class` G and `inner` x are (B, C, N); the rest is (B,).
    """

    C: int
    losses: Any
    loss: Any
    alpha: Any
    beta: Any
    b: Any
    inner: Any
    margins: Any
    off_class: Any
    centre: Any

    @property
    def k(self) -> Any:
        """C / (C - 1), exactly."""
        return (0 * self.alpha + self.C) / (self.C - 1)


def class_mean(xp: Any, values: Any) -> Any:
    """Mean over samples, then classes: (B, C, N) to (B,)."""
    return xp.mean(xp.mean(values, axis=-1), axis=-1)


def square_norm(xp: Any, vectors: Any) -> Any:
    """Squared Euclidean norm over the last axis."""
    return xp.sum(vectors * vectors, axis=-1)


def last_layer(xp: Any, h: Any, w: Any, bias: Any = None) -> Network:
    """Compute the quantities of features h (B, C, N, d), weights w (B, C, d), bias (B, C)."""
    C = w.shape[1]
    centre = xp.mean(w, axis=1)
    wdot = w - centre[:, None, :]
    inner = xp.sum(wdot[:, :, None, :] * h, axis=-1)
    logits = xp.matmul(h, xp.matrix_transpose(w)[:, None])
    if bias is not None:
        logits = logits + bias[:, None, None, :]
    gaps = xp.stack(
        [
            logits[:, c][:, :, [r for r in range(C) if r != c]] - logits[:, c][:, :, c : c + 1]
            for c in range(C)
        ],
        axis=1,
    )
    top = xp.max(gaps, axis=-1, keepdims=True)
    log_mean = top[..., 0] + xp.log(xp.mean(xp.exp(gaps - top), axis=-1))
    losses = phi(xp, -log_mean, C - 1)
    return Network(
        C=C,
        losses=losses,
        loss=class_mean(xp, losses),
        alpha=xp.sqrt(class_mean(xp, square_norm(xp, h))),
        beta=xp.sqrt(xp.mean(square_norm(xp, w), axis=-1)),
        b=xp.sqrt(xp.mean(square_norm(xp, wdot), axis=-1)),
        inner=inner,
        margins=inner * C / (C - 1),
        off_class=log_mean - xp.mean(gaps, axis=-1),
        centre=square_norm(xp, centre),
    )


# -- sharp ---------------------------------------------------------------------------

_ALPHA = positive("alpha", "bound on the root mean square feature norm", r"\alpha")
_BETA = positive("beta", "bound on the root mean square weight norm", r"\beta")
_LOSS = positive("L", "mean cross-entropy loss", "L")
_BELOW_LOG_C = Condition("L <= log C", lambda xp, C, L, **_: xp.log(C) - L, strict=False)


@formula(_C, _ALPHA, _BETA)
def minimum_loss(xp: Any, C: Any, alpha: Any, beta: Any) -> Any:
    """Least mean loss under the norm bounds."""
    return xp.log1p((C - 1) * xp.exp(-C / (C - 1) * alpha * beta))


@formula(_C, _LOSS, _ALPHA, _BETA, conditions=(_BELOW_LOG_C,))
def proximity_gap(xp: Any, C: Any, L: Any, alpha: Any, beta: Any) -> Any:
    """The gap s = 1 - phi^{-1}(L)/T with T = C/(C-1) alpha beta."""
    return 1 + (C - 1) / (C * alpha * beta) * xp.log(xp.expm1(L) / (C - 1))


@formula(_C, _LOSS, _ALPHA, _BETA, conditions=(_BELOW_LOG_C,))
def sharp_variability(xp: Any, C: Any, L: Any, alpha: Any, beta: Any) -> Any:
    """Upper bound 2s - s^2 on the within-class variability relative to alpha^2."""
    s = proximity_gap(xp, C=C, L=L, alpha=alpha, beta=beta)
    return s * (2 - s)


@formula(_C, _LOSS, _ALPHA, _BETA, conditions=(_BELOW_LOG_C,))
def sharp_distance(xp: Any, C: Any, L: Any, alpha: Any, beta: Any) -> Any:
    """Upper bound 2s on the mean squared distance of scaled features and weights."""
    return 2 * proximity_gap(xp, C=C, L=L, alpha=alpha, beta=beta)


def log_split(xp: Any, net: Network) -> dict[str, Any]:
    """T - phi^{-1}(L), as `gap`, and the three non-negative defects that add up to it; (B,)."""
    T = net.k * net.alpha * net.b
    from_loss = phi_inverse(xp, net.loss, net.C - 1)
    mean_odds = class_mean(xp, phi_inverse(xp, net.losses, net.C - 1))
    return {
        "gap": T - from_loss,
        "misalignment": T - class_mean(xp, net.margins),
        "off_class": class_mean(xp, net.off_class),
        "dispersion": mean_odds - from_loss,
    }


def gap_split(xp: Any, net: Network, w: Any, h: Any) -> dict[str, Any]:
    """L - m, as `gap`, and the four non-negative defects that add up to it; (B,).

    Features h (B, C, N, d) and weights w (B, C, d) are those of the network.
    """
    m = phi(xp, net.k * net.alpha * net.beta, net.C - 1)
    slope = net.k * -xp.expm1(-m) * net.alpha * net.beta / 2
    return {
        "gap": net.loss - m,
        "margins": class_mean(xp, margin_excess(xp, net)),
        "self_duality": slope * square_distance(xp, h, w, net.alpha, net.beta),
        "centre": slope * net.centre / (net.beta * net.beta),
        "off_class": class_mean(xp, net.losses - phi(xp, net.margins, net.C - 1)),
    }


def margin_excess(xp: Any, net: Network) -> Any:
    """phi at each margin above its tangent at k alpha beta: (B, C, N)."""
    top = (net.k * net.alpha * net.beta)[:, None, None]
    return bregman(xp, net.margins - top, -xp.expm1(-phi(xp, top, net.C - 1)))


def square_distance(xp: Any, h: Any, w: Any, alpha: Any, beta: Any) -> Any:
    """mean |h/alpha - wdot/beta|^2 for numbers alpha and beta: (B,)."""
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    offsets = h / alpha[:, None, None, None] - wdot[:, :, None, :] / beta[:, None, None, None]
    return class_mean(xp, square_norm(xp, offsets))


def log_identity(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The exact split of T - phi^{-1}(L): misalignment, off-class logits, dispersion."""
    net = last_layer(xp, h, w)
    split = log_split(xp, net)
    from_loss = phi_inverse(xp, net.loss, net.C - 1)
    log_odds = phi_inverse(xp, net.losses, net.C - 1)
    mean_margin = class_mean(xp, net.margins)
    return Judgement(
        (),
        (
            Comparison("log-odds of a sample", log_odds, net.margins - net.off_class, "="),
            Comparison("split of the gap", split["gap"], sum_of_defects(split), "="),
            Comparison("misalignment >= 0", mean_margin, net.k * net.alpha * net.b),
            Comparison("off-class logits >= 0", 0 * net.off_class, net.off_class),
            Comparison("dispersion >= 0", from_loss, class_mean(xp, log_odds)),
        ),
    )


def gap_identity(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The exact split of the loss gap L - m at the norms alpha and beta that w and h have."""
    net = last_layer(xp, h, w)
    split = gap_split(xp, net, w, h)
    spread = margin_excess(xp, net)
    return Judgement(
        (),
        (
            Comparison("split of the gap", split["gap"], sum_of_defects(split), "="),
            Comparison("spread of margins >= 0", 0 * spread, spread),
            Comparison("off-class excess >= 0", phi(xp, net.margins, net.C - 1), net.losses),
        ),
    )


def sum_of_defects(split: dict[str, Any]) -> Any:
    """The sum of a split without its `gap`, which it is to equal."""
    return sum(value for name, value in split.items() if name != "gap")


def sharp_theorem(xp: Any, *, w: Any, h: Any, bias: Any) -> Judgement:
    """Theorem 1 of the sharp theory: NC1 and NC3 from L, alpha and the norm of the weights."""
    net = last_layer(xp, h, w, bias)
    numbers = {"C": 0 * net.loss + net.C, "L": net.loss, "alpha": net.alpha}
    s = proximity_gap(xp, **numbers, beta=net.b)
    s_beta = proximity_gap(xp, **numbers, beta=net.beta)
    means = xp.mean(h, axis=2)
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    spread = class_mean(xp, square_norm(xp, h - means[:, :, None, :]))
    variability = spread / (net.alpha * net.alpha)
    stacked = xp.sum(square_norm(xp, means), axis=-1) * xp.sum(square_norm(xp, wdot), axis=-1)
    product = xp.sum(xp.sum(wdot * means, axis=-1), axis=-1)
    cosine = product / xp.sqrt(stacked)
    share = product * product / stacked * (1 - variability)
    off_centre = 1 - net.centre / (net.beta * net.beta)
    return Judgement(
        hypotheses=(Comparison("loss at most log C", net.loss, xp.log(0 * net.loss + net.C)),),
        conclusions=(
            Comparison("alignment", (1 - s_beta) * (1 - s_beta), share * off_centre),
            Comparison("alignment, centred", (1 - s) * (1 - s), share),
            Comparison("NC1", variability, sharp_variability(xp, **numbers, beta=net.b)),
            Comparison("NC3", 1 - cosine, s),
            Comparison(
                "distance",
                square_distance(xp, h, w, net.alpha, net.b),
                sharp_distance(xp, **numbers, beta=net.b),
            ),
        ),
    )


_WEIGHTS = Field("w", ("C", "d"))
_FEATURES = Field("h", ("C", "N", "d"), like="w")
_NETWORK_SIZES = {"C": (2, 8), "N": (1, 8), "d": (1, 12)}

SHARP = (
    Variant(
        "sharp",
        "identity (log)",
        r"With $p = \phi^{-1}(\ell)$ for every sample, $G$ the log-mean-exp of the rival "
        r"logits less their mean, $t = \frac{C}{C-1}\langle\dot w_c, h\rangle$ and $T = "
        r"\frac{C}{C-1}\alpha b$: $p = t - G$, and $T - \phi^{-1}(\mathcal L) = "
        r"(T - \bar t) + \bar G + (\bar p - \phi^{-1}(\mathcal L))$ with three non-negative "
        "terms: misalignment, off-class logits, dispersion of margins.",
        Claim(log_identity, (_WEIGHTS, _FEATURES), _NETWORK_SIZES),
    ),
    Variant(
        "sharp",
        "identity (gap)",
        r"With $A = \alpha\beta$, $m = \phi(\frac{C}{C-1}A)$, $\sigma = 1 - e^{-m}$ and "
        r"$K(u) = \log(1 - \sigma + \sigma e^{-u}) + \sigma u$: $\mathcal L - m = "
        r"\overline{K(t - \tfrac{C}{C-1}A)} + \frac{C\sigma A}{2(C-1)}\left("
        r"\overline{|h/\alpha - \dot w/\beta|^2} + |\bar w|^2/\beta^2\right) + "
        r"\overline{\ell - \phi(t)}$, all terms non-negative.",
        Claim(gap_identity, (_WEIGHTS, _FEATURES), _NETWORK_SIZES),
        (Bound("least loss m", minimum_loss, "value"),),
    ),
    Variant(
        "sharp",
        "guarantee from the loss",
        r"If $\mathcal L \le \log C$, let $T = \frac{C}{C-1}\alpha b$ and $s = 1 - "
        r"\phi^{-1}(\mathcal L)/T$. Then the relative within-class variability is at most "
        r"$2s - s^2$, the cosine of stacked centred weights and stacked class means at least "
        r"$1 - s$, and $\overline{|h/\alpha - \dot w/b|^2} \le 2s$. No constant is open, "
        "nothing is assumed small, and the last layer may have a bias.",
        Claim(
            sharp_theorem,
            (_WEIGHTS, _FEATURES, Field("bias", ("C",))),
            _NETWORK_SIZES,
        ),
        (
            Bound("proximity gap s", proximity_gap, "value"),
            Bound("within-class variability", sharp_variability, "upper", 1),
            Bound("1 - cosine of weights and class means", proximity_gap, "upper", 2),
            Bound("mean squared distance to self-duality", sharp_distance, "upper", 4),
        ),
        remark="beta may be the centred weight norm b, which gives the better value. With a "
        "bias the features may be centred first: their mean only moves into the bias. The "
        "worst cases are attained by a simplex ETF of weights with two features a class: NC1 "
        "and the distance with one on either side of it, NC3 with both on the same side.",
    ),
)

#: Its wordings here are the sharp ones of bnwd:theorem-2.1, which `proximity_theorem` states.
STATEMENTS: tuple[Statement, ...] = ()
