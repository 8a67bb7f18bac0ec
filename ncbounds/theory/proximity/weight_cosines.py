"""Cosines of features with their own weights: means over all samples and over any share of them.

kappa is the cosine of a feature h with the centred weight of its class; a zero vector has the
cosine -1. Three sources of information bound its mean from below: the losses of all samples, the
mean loss alone, and either for every share of the samples, so that few classes can be far off. The
intra-class cosine of a class is at least the square of its mean kappa.

The setting is that of `proximity`. p is the log-odds of a sample plus log(C-1), less what a bias
adds, and ``p <= t = T |h| |wdot_c| kappa/(alpha b)``. All features may be tiny or wrongly directed
where the loss allows it, and the bounds are exact for that: `prices` are multipliers of the
constraint on the norms, and every positive price gives a valid bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.arithmetic.formula import (
    Condition,
    formula,
    integer,
    positive,
    proportion,
)
from ncbounds.theory.proximity.alignment import log_odds, quotient
from ncbounds.theory.proximity.near_optimal_loss import Network, class_mean, last_layer, square_norm
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
_LOSS = positive("L", "mean cross-entropy loss", "L")
_ALPHA = positive("alpha", "root mean square feature norm", r"\alpha")
_BETA = positive("beta", "root mean square weight norm, centred or not", r"\beta")
_DELTA = proportion("delta", "share of the samples", r"\delta")
_ERROR = proportion("q", "error probability at which a tangent is taken", "q", one_included=False)
_COSINE = proportion("kappa", "cosine at which a tangent is taken", r"\kappa")


# -- from the losses of all samples ----------------------------------------------------------


def components(xp: Any, C: int, odds: Any, weight_norms: Any, alpha: Any) -> Any:
    """Lower bounds on the component of h/alpha along its weight, (B, C, N), where positive.

    `odds` are p, (B, C, N), `weight_norms` those of the centred weights, (B, C).
    """
    lengths = weight_norms * alpha[:, None] * C / (C - 1)
    return quotient(xp, odds, lengths[..., None] + 0 * odds, 0)


def _on(xp: Any, subset: Any, values: Any) -> Any:
    """Mean over the samples of a subset."""
    return class_mean(xp, subset * values) / class_mean(xp, subset)


def square_norms_left(xp: Any, along: Any, subset: Any) -> Any:
    """Upper bound on the mean of |h/alpha|^2 over a subset: the others need their components."""
    positive_part = xp.maximum(along, 0 * along)
    others = class_mean(xp, (1 - subset) * positive_part * positive_part)
    left = (1 - others) / class_mean(xp, subset)
    return xp.maximum(left, 0 * left)


def priced_cosine(xp: Any, along: Any, subset: Any, left: Any, price: Any) -> Any:
    """Lower bound on the mean cosine over a subset, for any price > 0 of shape (B,).

    `left` (B,) is the mean of |h/alpha|^2 over the subset or an upper bound on it: measured, or
    `square_norms_left`, or 1 for all samples. With the best price the bound is exact, given this
    and the components (B, C, N).
    """
    there = xp.is_positive(along)
    component = xp.maximum(along, 0 * along)
    each = (price + 0 * price)[:, None, None] + 0 * along
    length = xp.maximum(component, xp.root(component / (2 * each), 3))
    value = quotient(xp, component, length, 0) + each * length * length
    return _on(xp, subset, value - (1 - there)) - price * left


def subset_cosine(xp: Any, along: Any, subset: Any, left: Any) -> Any:
    """Lower bound on the mean cosine over a subset, without a price: nearly the best."""
    component = xp.maximum(along, 0 * along)
    roots = xp.root(component, 3)
    moment = _on(xp, subset, roots * roots)
    lost = _on(xp, subset, 1 - xp.is_positive(along))
    return quotient(xp, moment * xp.sqrt(moment), xp.sqrt(left), 0) - lost


def cosine_of_any_norms(xp: Any, odds: Any, most: Any) -> Any:
    """Lower bound on the mean cosine from log-odds (B, C, N) and T (B,) alone.

    It needs no norm of a single weight: the worst norms are those that the bound assumes.
    """
    positive_part = xp.maximum(odds, 0 * odds)
    roots = xp.root(positive_part, 3)
    moments = xp.sqrt(xp.mean(roots * roots, axis=-1))
    total = xp.mean(moments * xp.sqrt(moments), axis=-1)
    return quotient(xp, total * total, most, 0) - class_mean(xp, 1 - xp.is_positive(odds))


def best_price(along: Any, subset: Any, left: Any) -> Any:
    """The price, (B,), at which `priced_cosine` is largest, in floats: it is concave in it."""
    xp, low = numpy_namespace(), np.full(len(along), -20.0)
    high = -low
    for _ in range(100):
        first, second = (2 * low + high) / 3, (low + 2 * high) / 3
        values = [priced_cosine(xp, along, subset, left, 10**x) for x in (first, second)]
        rises = values[0] < values[1]
        low, high = np.where(rises, first, low), np.where(rises, high, second)
    return 10**low


# -- from the mean loss ----------------------------------------------------------------------

_FALLING = Condition(
    "2 (1-q) log((C-1)(1-q)/q) >= 1",
    lambda xp, C, q, **_: 2 * (1 - q) * xp.log((C - 1) * (1 - q) / q) - 1,
    strict=False,
)
_SMALL_LOSS = Condition(
    "2 log((C-1)/(e^L - 1)) >= e^L",
    lambda xp, C, L, **_: 2 * xp.log((C - 1) / xp.expm1(L)) - xp.exp(L),
    strict=False,
)


def raised_loss(xp: Any, loss: Any, bias: Any) -> Any:
    """At least the mean of phi(t), (B,), from the mean loss (B,) and the biases (B, C)."""
    C = bias.shape[1]
    return loss * xp.exp(xp.max(bias - xp.mean(bias, axis=-1)[:, None], axis=-1) * C / (C - 1))


def fano(xp: Any, C: Any, q: Any) -> Any:
    """``H2(q) + q log(C-1)``: the least of phi(t) + q t over all margins t."""
    return q * xp.log((C - 1) * (1 - q) / q) - xp.log1p(-q)


@formula(_C, _LOSS, _ALPHA, _BETA, _DELTA, _ERROR, _COSINE, conditions=(_FALLING,))
def share_cosine(
    xp: Any, C: Any, L: Any, alpha: Any, beta: Any, delta: Any, q: Any, kappa: Any
) -> Any:
    """Lower bound on the mean cosine over any share delta of the samples, for every q and kappa."""
    margin = xp.log((C - 1) * (1 - q) / q)
    slope = q * margin / kappa
    price = q * kappa * C / (C - 1) * alpha * beta
    tangent = 2 * q * margin - xp.log1p(-q)
    least = xp.minimum(tangent, xp.log(C + 0 * slope) - slope)
    others = (1 - delta) * fano(xp, C, q * kappa)
    return (least + (others - price - L) / delta) / slope


@formula(_C, _LOSS, _ALPHA, _BETA, conditions=(_SMALL_LOSS,))
def loss_cosine(xp: Any, C: Any, L: Any, alpha: Any, beta: Any) -> Any:
    """Lower bound on the mean cosine from the mean loss."""
    margin = xp.log((C - 1) / xp.expm1(L))
    most = C / (C - 1) * alpha * beta
    lost = (xp.log(C + 0 * L) - L) / -xp.expm1(-L)
    return xp.minimum(margin / most, (lost - margin) / most - 1)


def best_tangent(C: int, L: float, alpha: float, beta: float, delta: float) -> tuple[float, float]:
    """The error probability q and the cosine at which `share_cosine` is largest, in floats.

    Where no pair meets the hypothesis, one that does not. No margin is so large that q vanishes.
    """
    xp, most = numpy_namespace(), C / (C - 1) * alpha * beta
    given = {"C": C, "L": L, "alpha": alpha, "beta": beta}
    centre, width = np.array([most / 2, 0.5]), np.array([most / 2, 0.5])
    best = -np.inf
    steps = np.linspace(-1, 1, 33)
    for _ in range(60):
        margin, kappa = np.meshgrid(
            np.clip(centre[0] + width[0] * steps, 1e-9, 600.0),
            np.clip(centre[1] + width[1] * steps, 1e-9, 1.0),
        )
        q = (C - 1) / (C - 1 + np.exp(margin))
        value = np.where(
            _FALLING.margin(xp, C=C, q=q) >= 0,
            share_cosine(xp, **given, delta=delta, q=q, kappa=kappa),
            -np.inf,
        )
        place = np.argmax(value)
        if value.flat[place] > best:
            best = value.flat[place]
            centre = np.array([margin.flat[place], kappa.flat[place]])
        width = 0.7 * width
    return float((C - 1) / (C - 1 + np.exp(min(centre[0], 600.0)))), float(centre[1])


# -- the truth -------------------------------------------------------------------------------


def cosines(xp: Any, vectors: Any, directions: Any) -> Any:
    """Cosines along the last axis; -1 where a vector vanishes."""
    inner = xp.sum(vectors * directions, axis=-1)
    lengths = xp.sqrt(square_norm(xp, vectors)) * xp.sqrt(square_norm(xp, directions))
    return quotient(xp, inner, lengths, -1)


def intra_class(xp: Any, h: Any) -> Any:
    """Mean over classes of the squared norm of the mean direction, (B,)."""
    lengths = xp.sqrt(square_norm(xp, h))
    directions = quotient(xp, h, lengths[..., None] + 0 * h, 0)
    return xp.mean(square_norm(xp, xp.mean(directions, axis=2)), axis=-1)


def _centred(xp: Any, w: Any) -> Any:
    return w - xp.mean(w, axis=1)[:, None, :]


def _comparisons(
    xp: Any, w: Any, h: Any, of_samples: Any, of_means: Any
) -> tuple[Comparison, Comparison, Comparison]:
    """Mean cosine, that of class means, intra-class cosine, from bounds on the first two."""
    wdot = _centred(xp, w)
    kappa = class_mean(xp, cosines(xp, h, wdot[:, :, None, :]))
    means = xp.mean(cosines(xp, xp.mean(h, axis=2), wdot), axis=-1)
    least = xp.maximum(of_samples, 0 * of_samples)
    return (
        Comparison("mean cosine", 1 - kappa, 1 - of_samples),
        Comparison("class means", 1 - means, 1 - of_means),
        Comparison("intra-class cosine", 1 - intra_class(xp, h), 1 - least * least),
    )


def _numbers(xp: Any, net: Network, bias: Any) -> dict[str, Any]:
    L = raised_loss(xp, net.loss, bias)
    return {"C": 0 * net.loss + net.C, "L": L, "alpha": net.alpha, "beta": net.b}


def measured_losses(xp: Any, *, w: Any, h: Any, bias: Any, subset: Any, price: Any) -> Judgement:
    """Mean cosines from the log-odds of all samples, over all of them and over a subset."""
    net = last_layer(xp, h, w, bias)
    wdot = _centred(xp, w)
    odds, norms = log_odds(net), xp.sqrt(square_norm(xp, wdot))
    along = components(xp, net.C, odds, norms, net.alpha)
    class_odds = xp.mean(odds, axis=-1)[..., None]
    along_means = components(xp, net.C, class_odds, norms, net.alpha)
    left, one = square_norms_left(xp, along, subset), 0 * net.alpha + 1
    measured = _on(xp, subset, square_norm(xp, h)) / (net.alpha * net.alpha)
    chosen = 1 - _on(xp, subset, cosines(xp, h, wdot[:, :, None, :]))
    any_norms = cosine_of_any_norms(xp, odds, net.k * net.alpha * net.b)
    kappa, means, intra = _comparisons(
        xp,
        w,
        h,
        subset_cosine(xp, along, 0 * subset + 1, one),
        subset_cosine(xp, along_means, 0 * along_means + 1, one),
    )
    return Judgement(
        (),
        (
            Comparison("subset, priced", chosen, 1 - priced_cosine(xp, along, subset, left, price)),
            Comparison("subset", chosen, 1 - subset_cosine(xp, along, subset, left)),
            Comparison(
                "subset of measured norms", chosen, 1 - subset_cosine(xp, along, subset, measured)
            ),
            Comparison("mean cosine, any norms", kappa.lhs, 1 - any_norms),
            means,
            intra,
        ),
    )


def mean_loss(xp: Any, *, w: Any, h: Any, bias: Any) -> Judgement:
    """Mean cosines from the mean loss alone."""
    net = last_layer(xp, h, w, bias)
    numbers = _numbers(xp, net, bias)
    bound = loss_cosine(xp, **numbers)
    margin = _SMALL_LOSS.margin(xp, **numbers)
    return Judgement(
        (Comparison("small loss", 0 * margin, margin),),
        _comparisons(xp, w, h, bound, bound),
    )


def every_share(
    xp: Any, *, w: Any, h: Any, bias: Any, subset: Any, error: Any, kappa: Any
) -> Judgement:
    """The mean cosine over any set of samples, from the mean loss and the size of the set."""
    net = last_layer(xp, h, w, bias)
    q = error * (net.C - 1) / net.C  # below what guessing gives
    numbers = {**_numbers(xp, net, bias), "delta": class_mean(xp, subset), "q": q, "kappa": kappa}
    falling = _FALLING.margin(xp, **numbers)
    chosen = _on(xp, subset, cosines(xp, h, _centred(xp, w)[:, :, None, :]))
    return Judgement(
        (Comparison("error not too large", 0 * falling, falling),),
        (Comparison("mean cosine", 1 - chosen, 1 - share_cosine(xp, **numbers)),),
    )


_WEIGHTS = Field("w", ("C", "d"))
_FEATURES = Field("h", ("C", "N", "d"), like="w")
_BIAS = Field("bias", ("C",))
_SUBSET = Field("subset", ("C", "N"), "mask")
_SIZES = {"C": (2, 6), "N": (1, 5), "d": (1, 8)}

SHARP_2 = Statement(
    id="bnwd:sharp-2",
    kind="theorem",
    title="Cosines to the weights and within classes, on average and for every share",
    source=Source("bnwd", "ncbounds: sharp form of Theorem 2.1, cosines"),
    topic="weight_cosines",
    variants=(
        Variant(
            "sharp",
            "measured losses",
            r"Let $p = \phi^{-1}(\ell)$ for every sample (less $\frac{C}{C-1}\dot a_c$ with a bias "
            r"$a$), $\rho = p/(\frac{C}{C-1}\alpha|\dot w_c|)$ and, for a set $S$ of a share "
            r"$\delta$ of the samples, $R^2 = (1 - \frac1{CN}\sum_{\notin S}[\rho]_+^2)/\delta$. "
            r"For every price $\mu > 0$ the mean over $S$ of $\kappa = \cos(h, \dot w_c)$ is at "
            r"least $\overline{f(\rho)}^S - \mu R^2$, where $f(\rho) = \rho/r + \mu r^2$ with "
            r"$r = \max(\rho, \sqrt[3]{\rho/2\mu})$ for $\rho > 0$, else $-1$; and at least "
            r"$(\overline{[\rho]_+^{2/3}}^S)^{3/2}/R - \overline{1_{\rho\le0}}^S$. Where the root "
            r"mean square of $|h|/\alpha$ over $S$ is measured it serves as $R$. Over all samples, "
            r"and for any norms of the weights, $\bar\kappa \ge \frac1T(\frac1C\sum_c "
            r"(\frac1N\sum_i [p]_+^{2/3})^{3/4})^2 - \overline{1_{p\le0}}$. The same holds for "
            r"class means with $\frac1N\sum_i p$, and $\overline{\mathrm{intra}} \ge "
            r"[\bar\kappa]_+^2$ for the bound on $\bar\kappa$. Zero vectors have $\kappa = -1$.",
            Claim(
                measured_losses,
                (
                    _WEIGHTS,
                    _FEATURES,
                    _BIAS,
                    _SUBSET,
                    Field("price", (), "positive"),
                ),
                _SIZES,
            ),
            remark="With S all samples R = 1. With the best price the bound is the exact worst "
            "case over all features that have these log-odds and this alpha, if W is a simplex "
            "ETF, d >= C and no log-odds are negative. Cauchy-Schwarz alone would give "
            "(mean sqrt p)^2/T, which is never better than the form for any norms: a weight norm "
            "is shared by the samples of a class.",
        ),
        Variant(
            "sharp",
            "the mean loss alone",
            r"Without a bias let $t = \phi^{-1}(\mathcal L)$, $T = \frac{C}{C-1}\alpha b$ and $q = "
            r"1 - e^{-\mathcal L}$. If $2t \ge e^{\mathcal L}$ then the mean of $\kappa = "
            r"\cos(h, \dot w_c)$ over all samples, and that of class means, is at least "
            r"$\min(\frac tT, \frac{\log C - \mathcal L}{qT} - \frac tT - 1)$, and "
            r"$\overline{\mathrm{intra}}$ at least the square of its positive part. "
            r"With biases put $e^o\mathcal L$ for $\mathcal L$, $o = \frac C{C-1}(\max_c b_c - "
            r"\bar b)$.",
            Claim(mean_loss, (_WEIGHTS, _FEATURES, _BIAS), _SIZES),
            (Bound("mean cosine of features and weights", loss_cosine, "lower", -1),),
            remark="The first branch, 1 - s, is the smaller one if and only if log C - L >= "
            "q (T + 2t), and for L < log C this alone implies the hypothesis. Where it fails a few "
            "tiny, wrongly directed features, at a loss of log C each, can lower the mean cosine: "
            "1 - s is then false. A simplex ETF with features (t/T) w + n, n orthogonal to all "
            "weights, attains it.",
        ),
        Variant(
            "sharp",
            "every share of the samples",
            r"Let $0 < q < \frac{C-1}C$, $t = \log\frac{(C-1)(1-q)}q$, $F(q) = H_2(q) + "
            r"q\log(C-1)$, $0 < \kappa_0 \le 1$, $T = \frac{C}{C-1}\alpha b$. If $2(1-q)t \ge 1$ "
            r"then the mean of $\kappa = \cos(h, \dot w_c)$ over any set of a share $\delta$ of "
            r"the samples is at least $\frac{\kappa_0}{qt}\left(\min(F(q) + qt, \log C - "
            r"\frac{qt}{\kappa_0}) + \frac1\delta((1-\delta)F(q\kappa_0) - q\kappa_0T - "
            r"\mathcal L)\right)$. So fewer than $\delta C$ classes have a mean cosine below it. "
            r"With biases "
            r"put $e^o\mathcal L$ for $\mathcal L$, $o = \frac C{C-1}(\max_c b_c - \bar b)$.",
            Claim(
                every_share,
                (
                    _WEIGHTS,
                    _FEATURES,
                    _BIAS,
                    _SUBSET,
                    Field("error", (), "proportion"),
                    Field("kappa", (), "proportion"),
                ),
                _SIZES,
            ),
            (Bound("mean cosine over any share of the samples", share_cosine, "lower", -1),),
            remark="Every q and kappa give a valid bound: they are a tangent, and nothing else is "
            "to be trusted. The best pair makes it the least over all distributions of norms and "
            "cosines with this loss and T; as a rule kappa is then the bound itself. With "
            "delta = 1 it extends the bound from the mean loss alone to every loss below log C.",
        ),
    ),
)

STATEMENTS = (SHARP_2,)
