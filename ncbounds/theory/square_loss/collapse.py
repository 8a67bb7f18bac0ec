"""Neural collapse from the square loss of C classes: exact splits, and what a loss guarantees.

The setting is that of `proximity`, with the targets ``Y_c = e_c - 1/C``: features h (C, N, d),
weights w (C, d), bias (C,), and the outputs z are the logits less their mean over the classes, so
that targets ``e_c`` only add the square of what the mean lacks. Along its own target an output is
``z = q Y_c + rest`` with the margin ``q = t + o_c``, where ``t = k <wdot_c, h>``, o_c is what the
bias adds (its mean over the classes is 0) and ``k = C/(C-1) = 1/|Y_c|^2``. With L the mean of
``|z - Y_c|^2`` put ``e = sqrt(k L)``: the mean margin is at least ``1 - e``, and whatever bounds
the mean margin from below bounds NC1 and NC3 (`bnwd:sharp-1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import Condition, formula, integer, nonnegative, positive
from ncbounds.theory.proximity.alignment import (
    cosine_deficit,
    distance,
    quotient,
    reach,
    variability,
)
from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
from ncbounds.theory.proximity.weight_cosines import cosines, intra_class
from ncbounds.theory.square_loss.margin_spread import least_mean_margin, square_spread
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
_LOSS = nonnegative("L", "mean square loss for the targets e_c - 1/C", "L")
_SOME_LOSS = positive("L", "mean square loss for the targets e_c - 1/C", "L")
_ALPHA = positive("alpha", "root mean square feature norm", r"\alpha")
_BETA = positive("beta", "root mean square weight norm, centred or not", r"\beta")


# -- guarantees: functions of what is measured ---------------------------------------------


@formula(_C, _LOSS)
def mean_error(xp: Any, C: Any, L: Any) -> Any:
    """The root mean square error e over the length of a target: the mean margin is 1 - e or more.

    It is at most 1 + e.
    """
    return xp.sqrt(C * L / (C - 1))


def spread(xp: Any, C: Any, L: Any) -> Any:
    """Upper bound on the squared relative spread of the outputs about q Y_c, q the mean margin."""
    return square_spread(xp, L=C * L / (C - 1))


def spread_under_decay(xp: Any, C: Any, L: Any, decay: Any, margin: Any) -> Any:
    """The same from the loss with a regulariser of the value `decay`, at the mean margin.

    A larger number than the mean margin is valid too.
    """
    k = C + 0 * L
    k = k / (C - 1)
    return square_spread(xp, L=k * L) - k * decay / (margin * margin)


def margin_under_decay(xp: Any, C: Any, L: Any, decay: Any) -> Any:
    """Lower bound on the mean margin from a loss > 0 with a regulariser of the value `decay`."""
    k = C + 0 * L
    k = k / (C - 1)
    return least_mean_margin(xp, L=k * L, lambda_=k * decay)


@formula(_C, _LOSS, _ALPHA, _BETA)
def variability_from_loss(xp: Any, C: Any, L: Any, alpha: Any, beta: Any) -> Any:
    """Upper bound on the within-class variability from the mean loss."""
    return variability(xp, C=C, p=1 - mean_error(xp, C=C, L=L), alpha=alpha, beta=beta)


@formula(_C, _LOSS, _ALPHA, _BETA)
def distance_from_loss(xp: Any, C: Any, L: Any, alpha: Any, beta: Any) -> Any:
    """Upper bound on the mean squared distance of scaled features and weights, from the loss."""
    return distance(xp, C=C, p=1 - mean_error(xp, C=C, L=L), alpha=alpha, beta=beta)


_BELOW = Condition("C/(C-1) L < 1", lambda xp, C, L, **_: C - 1 - C * L)


@formula(_C, _SOME_LOSS, _ALPHA, _BETA, conditions=(_BELOW,))
def cosine_from_loss(xp: Any, C: Any, L: Any, alpha: Any, beta: Any) -> Any:
    """Lower bound on the mean cosine of features and their weights, from the mean loss."""
    e = mean_error(xp, C=C, L=L)
    share = reach(xp, C=C, p=1 - e, alpha=alpha, beta=beta)
    return xp.minimum(share, share * (1 - e) / (2 * e) - 1)


# -- the outputs of an instance ------------------------------------------------------------


@dataclass(frozen=True)
class Outputs:
    """The outputs of a last layer; `z` is (B, C, N, C), `margins` (B, C, N), the rest (B,)."""

    C: int
    z: Any
    margins: Any
    rest: Any
    loss: Any
    """Mean of |z - Y_c|^2."""
    margin: Any
    """The mean margin."""
    off: Any
    """Mean square of what is orthogonal to the target."""
    alpha: Any
    b: Any

    @property
    def k(self) -> Any:
        """C / (C - 1), exactly."""
        return (0 * self.alpha + self.C) / (self.C - 1)


def outputs(xp: Any, h: Any, w: Any, bias: Any) -> Outputs:
    """The outputs of features h (B, C, N, d), weights w (B, C, d) and biases (B, C)."""
    C = w.shape[1]
    wdot, offset = centred(xp, w), bias - xp.mean(bias, axis=1)[:, None]
    z = xp.matmul(h, xp.matrix_transpose(wdot)[:, None]) + offset[:, None, None, :]
    margins = xp.stack([z[:, c, :, c] for c in range(C)], axis=1) * C / (C - 1)
    zero = 0 * margins
    # The targets as they stand: C e_c - 1 over C, one entry at a time.
    target = xp.stack(
        [
            xp.stack(
                [zero[:, c] + (C - 1 if r == c else -1) for r in range(C)],
                axis=-1,
            )
            / C
            for c in range(C)
        ],
        axis=1,
    )
    rest = z - margins[..., None] * target
    return Outputs(
        C=C,
        z=z,
        margins=margins,
        rest=rest,
        loss=class_mean(xp, square_norm(xp, z - target)),
        margin=class_mean(xp, margins),
        off=class_mean(xp, square_norm(xp, rest)),
        alpha=xp.sqrt(class_mean(xp, square_norm(xp, h))),
        b=xp.sqrt(xp.mean(square_norm(xp, wdot), axis=-1)),
    )


def centred(xp: Any, w: Any) -> Any:
    """Weights (B, C, d) less their mean."""
    return w - xp.mean(w, axis=1)[:, None, :]


def spread_of(xp: Any, of: Outputs) -> Any:
    """Variance of the margins plus k times what is orthogonal to the targets, (B,)."""
    away = of.margins - of.margin[:, None, None]
    return class_mean(xp, away * away) + of.k * of.off


# -- claims --------------------------------------------------------------------------------


def splits(xp: Any, *, w: Any, h: Any, bias: Any) -> Judgement:
    """The loss, split by the mean margin and by the largest one."""
    of = outputs(xp, h, w, bias)
    k, C = of.k, of.C
    most = k * of.alpha * of.b
    short = most[:, None, None] - of.margins
    lacking = class_mean(xp, short)
    scaled = of.b[:, None, None, None] * h
    scaled = scaled - of.alpha[:, None, None, None] * centred(xp, w)[:, :, None, :]
    logits = xp.matmul(h, xp.matrix_transpose(w)[:, None]) + bias[:, None, None, :]
    total = xp.sum(logits, axis=-1) - 1
    room = xp.maximum(1 - most, 0 * most)
    return Judgement(
        (),
        (
            Comparison(
                "mean margin and spread",
                k * of.loss,
                (1 - of.margin) * (1 - of.margin) + spread_of(xp, of),
                "=",
            ),
            Comparison(
                "largest margin",
                k * of.loss,
                (1 - most) * (1 - most)
                + 2 * (1 - most) * lacking
                + class_mean(xp, short * short)
                + k * of.off,
                "=",
            ),
            Comparison(
                "misalignment",
                2 * of.alpha * of.b * lacking,
                k * class_mean(xp, square_norm(xp, scaled)),
                "=",
            ),
            Comparison("least loss", room * room, k * of.loss),
            Comparison(
                "targets e_c",
                class_mean(xp, square_norm(xp, logits) - 2 * _own(xp, logits) + 1),
                of.loss + class_mean(xp, total * total) / C,
                "=",
            ),
        ),
    )


def guarantees(xp: Any, *, w: Any, h: Any, bias: Any, share: Any, decay: Any) -> Judgement:
    """Spread of the outputs, NC1, NC3 and self-duality of a network whose k L is below 1.

    `share` scales the features and biases between the two scales at which k L is 1.
    """
    h, bias, scale = _scaled(xp, w, h, bias, share, decay)
    of = outputs(xp, h, w, bias)
    value = decay * scale * scale
    given = {"C": 0 * of.loss + of.C, "L": of.loss}
    norms = {"alpha": of.alpha, "beta": of.b}
    error = mean_error(xp, **given)
    relative = spread_of(xp, of) / (of.margin * of.margin)
    means, wdot = xp.mean(h, axis=2), centred(xp, w)
    variance = class_mean(xp, square_norm(xp, h - means[:, :, None, :]))
    stacked = xp.sum(square_norm(xp, means), axis=-1) * xp.sum(square_norm(xp, wdot), axis=-1)
    product = xp.sum(xp.sum(wdot * means, axis=-1), axis=-1)
    cosine = quotient(xp, product, xp.sqrt(stacked), -1)
    apart = h / of.alpha[:, None, None, None] - wdot[:, :, None, :] / of.b[:, None, None, None]
    share_of_most = reach(xp, C=given["C"], p=1 - error, **norms)
    return Judgement(
        (),
        (
            Comparison("mean margin", xp.abs(1 - of.margin), error),
            Comparison("spread, data loss", relative, spread(xp, **given)),
            Comparison(
                "spread, regularised loss",
                relative,
                spread_under_decay(
                    xp, C=given["C"], L=of.loss + value, decay=value, margin=of.margin
                ),
            ),
            Comparison(
                "mean margin, regularised loss",
                margin_under_decay(xp, C=given["C"], L=of.loss + value, decay=value),
                of.margin,
            ),
            Comparison(
                "NC1",
                variance / (of.alpha * of.alpha),
                variability_from_loss(xp, **given, **norms),
            ),
            Comparison("NC3", 1 - cosine, cosine_deficit(xp, share_of_most)),
            Comparison(
                "distance",
                class_mean(xp, square_norm(xp, apart)),
                distance_from_loss(xp, **given, **norms),
            ),
        ),
    )


def mean_cosines(xp: Any, *, w: Any, h: Any, share: Any) -> Judgement:
    """Mean cosines to the weights and within classes, from the mean loss of a layer without bias.

    `share` scales the features as in `guarantees`.
    """
    bias = 0 * w[:, :, 0]
    h, _, _ = _scaled(xp, w, h, bias, share, 0 * share)
    of = outputs(xp, h, w, bias)
    wdot = centred(xp, w)
    given = {"C": 0 * of.loss + of.C, "L": of.loss, "alpha": of.alpha, "beta": of.b}
    bound = cosine_from_loss(xp, **given)
    kappa = class_mean(xp, cosines(xp, h, wdot[:, :, None, :]))
    of_means = xp.mean(cosines(xp, xp.mean(h, axis=2), wdot), axis=-1)
    least = xp.maximum(bound, 0 * bound)
    return Judgement(
        (),
        (
            Comparison("mean cosine", 1 - kappa, 1 - bound),
            Comparison("class means", 1 - of_means, 1 - bound),
            Comparison("intra-class cosine", 1 - intra_class(xp, h), 1 - least * least),
        ),
    )


def _scaled(xp: Any, w: Any, h: Any, bias: Any, share: Any, decay: Any) -> tuple[Any, Any, Any]:
    """Features and biases at a share of the scale at which the loss is 1/k again, and the scale."""
    of = outputs(xp, h, w, bias)
    square = class_mean(xp, of.margins * of.margins) + of.k * (of.off + decay)
    scale = 2 * share * of.margin / square
    return h * scale[:, None, None, None], bias * scale[:, None], scale


def _own(xp: Any, logits: Any) -> Any:
    """The logits of the own classes, (B, C, N)."""
    return xp.stack([logits[:, c, :, c] for c in range(logits.shape[1])], axis=1)


_W = Field("w", ("C", "d"))
_H = Field("h", ("C", "N", "d"), like="w")
_BIAS = Field("bias", ("C",))
_SHARE = Field("share", (), "proportion")
_SIZES = {"C": (2, 5), "N": (1, 4), "d": (1, 6)}
_SETTING = (
    r"Let $Y_c = e_c - \frac1C$, $z$ the logits less their mean over the classes, $\mathcal L = "
    r"\overline{|z - Y_c|^2}$, $k = \frac C{C-1}$, $z = q Y_c + r$ with $r \perp Y_c$, "
)

SHARP_2 = Statement(
    id="square:sharp-2",
    kind="theorem",
    title="Neural collapse of C classes from the square loss",
    source=Source("square", "ncbounds: sharp form of Theorem 6, at every point"),
    topic="square_loss",
    variants=(
        Variant(
            "sharp",
            "the loss, split",
            _SETTING + r"$T = k\alpha b$ with the rms norms of features and centred weights, "
            r"$\tau = \bar q/T$. Then $k\mathcal L = (1 - \bar q)^2 + \operatorname{Var} q + "
            r"k\overline{|r|^2} = (1-T)^2 + 2(1-T)T(1-\tau) + \overline{(T-q)^2} + "
            r"k\overline{|r|^2}$ and $2(1-\tau) = \overline{|h/\alpha - \dot w_c/b|^2}$. So "
            r"$k\mathcal L \ge [1-T]_+^2$. With the targets $e_c$ the loss of the logits is "
            r"$\mathcal L$ plus the mean of $(\text{sum of the logits} - 1)^2/C$. The last layer "
            r"may have a bias.",
            Claim(splits, (_W, _H, _BIAS), _SIZES),
            remark="For T <= 1 the second split has no negative term: it divides the gap to the "
            "least loss (1-T)^2/k. For T > 1 the loss can vanish, and then it says nothing of the "
            "features: margins collapse more easily than features do.",
        ),
        Variant(
            "sharp",
            "guarantees from the loss",
            _SETTING + r"$e = \sqrt{k\mathcal L} < 1$, $s = 1 - \frac{1-e}{k\alpha b}$. Then "
            r"$|1 - \bar q| \le e$, $\frac{\operatorname{Var} q + k\overline{|r|^2}}{\bar q^2} "
            r"\le \frac{k\mathcal L}{1 - k\mathcal L}$, $\mathrm{var} \le 1 - (1-s)^2$, "
            r"$1 - \cos \le s$, $\overline{|h/\alpha - \dot w_c/b|^2} \le 2s$. If a "
            r"regulariser $D \ge 0$ belongs to the loss, $\mathcal L' = \mathcal L + D$ and "
            r"$k\mathcal L' < 1$, then $\frac{\operatorname{Var} q + k\overline{|r|^2}}"
            r"{\bar q^2} \le \frac{k\mathcal L'}{1 - k\mathcal L'} - \frac{kD}{\bar q^2}$ and "
            r"$\bar q^2 \ge kD\,\frac{1 - k\mathcal L'}{k\mathcal L'}$. "
            r"The last layer may have a bias.",
            Claim(guarantees, (_W, _H, _BIAS, _SHARE, Field("decay", (), "nonnegative")), _SIZES),
            (
                Bound("root mean square error over the length of a target", mean_error, "value"),
                Bound("within-class variability", variability_from_loss, "upper", 1),
                Bound("mean squared distance to self-duality", distance_from_loss, "upper", 4),
            ),
            remark="D = lambda rho^2 for outputs rho f, whose mean margin is rho times that of f. "
            "The second bound is attained where k D/q^2 and the relative spread x have "
            "q = 1/(1 + x + k D/q^2), as at the best rho. NC1, NC3 and the distance are attained "
            "by a simplex ETF of weights with all margins 1 - e and nothing orthogonal to the "
            "targets. Features may be centred: the logits at their mean are the bias then.",
        ),
        Variant(
            "sharp",
            "cosines from the loss",
            _SETTING + r"$e = \sqrt{k\mathcal L} < 1$, $T = k\alpha b$, no bias. Then "
            r"the mean of $\cos(h, \dot w_c)$ over all samples, and over the class means, is at "
            r"least $\min(\frac{1-e}T, \frac{(1-e)^2}{2eT} - 1)$, and "
            r"$\overline{\mathrm{intra}}$ at least the square of its positive part. Zero vectors "
            r"have the cosine $-1$.",
            Claim(mean_cosines, (_W, _H, _SHARE), _SIZES),
            (Bound("mean cosine of features and weights", cosine_from_loss, "lower", -1),),
            remark="The first is the smaller one if 2 e (1 - e + T) <= (1 - e)^2, and it is exact. "
            "The second is for tiny, wrongly directed features. With a bias L is the loss of the "
            "outputs less the bias.",
        ),
    ),
)

STATEMENTS = (SHARP_2,)
