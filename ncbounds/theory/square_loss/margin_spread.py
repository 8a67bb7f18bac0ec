"""Spread of the margins from the square loss: exact splits of the loss, and what they guarantee.

Two classes with labels y = +-1 and a network ``rho f``: ``margins`` are y f (n,), of mean mu and
variance sigma^2, and the loss is ``R + lambda rho^2`` with the data loss ``R = mean (1 - rho y
f)^2``. The paper argues at exact optima; all of this holds at every point. m is any reference
margin with ``|mu| <= m``, such as the largest mean margin that the class of networks attains: the
least loss is then ``lambda/(m^2 + lambda)``, at ``rho* = m/(m^2 + lambda)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import Condition, formula, nonnegative, positive
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

_LOSS = nonnegative("L", "mean square loss: of the data, or regularised", "L")
_POSITIVE_LOSS = positive("L", "regularised mean square loss", "L")
_DECAY = positive("lambda", "weight decay of rho", r"\lambda")
_MARGIN = positive("m", "the mean margin, or one that no mean margin exceeds", "m")
_BELOW_ONE = Condition("L < 1", lambda xp, L, **_: 1 - L)


# -- guarantees: functions of what is measured ---------------------------------------------


@formula(_DECAY, _MARGIN)
def least_loss(xp: Any, lambda_: Any, m: Any) -> Any:
    """The least regularised loss at mean margins of at most m."""
    return lambda_ / (m * m + lambda_)


@formula(_LOSS, conditions=(_BELOW_ONE,))
def square_spread(xp: Any, L: Any) -> Any:
    """Upper bound on sigma^2/mu^2 from the data loss, for any rho."""
    return L / (1 - L)


@formula(_LOSS, _DECAY, _MARGIN, conditions=(_BELOW_ONE,))
def square_spread_under_decay(xp: Any, L: Any, lambda_: Any, m: Any) -> Any:
    """Upper bound on sigma^2/mu^2 from the regularised loss."""
    return L / (1 - L) - lambda_ / (m * m)


@formula(_POSITIVE_LOSS, _DECAY, conditions=(_BELOW_ONE,))
def least_mean_margin(xp: Any, L: Any, lambda_: Any) -> Any:
    """Lower bound on the mean margin from the regularised loss."""
    return xp.sqrt(lambda_ * (1 - L) / L)


# -- claims --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moments:
    """Of margins (B, n): their mean, mean square and variance, and the losses at a rho; (B,)."""

    mu: Any
    square: Any
    variance: Any
    data_loss: Any
    loss: Any


def moments(xp: Any, margins: Any, rho: Any, lambda_: Any) -> Moments:
    """The moments of margins (B, n) and the loss without and with its regulariser."""
    mu = xp.mean(margins, axis=-1)
    away, missing = margins - mu[:, None], 1 - rho[:, None] * margins
    data = xp.mean(missing * missing, axis=-1)
    return Moments(
        mu,
        xp.mean(margins * margins, axis=-1),
        xp.mean(away * away, axis=-1),
        data,
        data + lambda_ * rho * rho,
    )


def splits(xp: Any, *, margins: Any, rho: Any, lambda_: Any, room: Any) -> Judgement:
    """The loss less its least value, split in two ways; the reference margin is |mu| + room."""
    of = moments(xp, margins, rho, lambda_)
    m = xp.abs(of.mu) + room
    best = m * m + lambda_
    least = least_loss(xp, lambda_=lambda_, m=m)
    scale = rho - of.mu / (of.square + lambda_)
    at_mean = (of.mu * of.mu + lambda_) * (of.square + lambda_)
    terms = (
        (of.square + lambda_) * scale * scale,
        of.mu * of.mu * of.variance / at_mean,
        lambda_ * (m * m - of.mu * of.mu) / ((of.mu * of.mu + lambda_) * best),
    )
    outputs = rho[:, None] * margins - (m * m / best)[:, None]
    away = rho - m / best
    others = (
        xp.mean(outputs * outputs, axis=-1),
        lambda_ * away * away,
        2 * lambda_ * rho * (m - of.mu) / best,
    )
    signs = xp.stack([*terms, *others], axis=1)
    return Judgement(
        (),
        (
            Comparison("scale, spread and margin", of.loss, least + sum(terms), "="),
            Comparison("outputs and rho", of.loss, least + sum(others), "="),
            Comparison("no term is negative", 0 * signs, signs),
        ),
    )


def guarantees(xp: Any, *, margins: Any, share: Any, lambda_: Any, room: Any) -> Judgement:
    """What follows from a loss below 1; `share` places rho between the two at which it is 1."""
    sign = 2 * xp.is_positive(xp.mean(margins, axis=-1)) - 1
    turned = margins * sign[:, None]
    mu = xp.mean(turned, axis=-1)
    rho = 2 * share * mu / (xp.mean(turned * turned, axis=-1) + lambda_)
    of = moments(xp, turned, rho, lambda_)
    m = of.mu + room
    spread = of.variance / (of.mu * of.mu)
    L, least = of.loss, least_loss(xp, lambda_=lambda_, m=m)
    best = m * m / (m * m + lambda_)
    gap = L - least
    reach = xp.sqrt(best * xp.maximum(gap, 0 * gap))
    reached = rho * m
    given = {"L": L, "lambda_": lambda_}
    return Judgement(
        (),
        (
            Comparison("spread, data loss", spread, square_spread(xp, L=of.data_loss)),
            Comparison(
                "spread, regularised loss", spread, square_spread_under_decay(xp, **given, m=mu)
            ),
            Comparison(
                "spread, reference margin", spread, square_spread_under_decay(xp, **given, m=m)
            ),
            Comparison(
                "excess over the least loss",
                L / (1 - L) - lambda_ / (m * m),
                (gap) / ((1 - L) * (1 - least)),
                "=",
            ),
            Comparison("mean margin", least_mean_margin(xp, **given), of.mu),
            Comparison("mean output", xp.abs(1 - rho * of.mu), xp.sqrt(of.data_loss)),
            Comparison("spread of the outputs", rho * rho * of.variance, gap),
            Comparison("rho, from below", best - reach, reached),
            Comparison("rho, from above", xp.minimum(reached, 0 * reached + 1), best + reach),
        ),
    )


_FIELDS = (
    Field("margins", ("n",)),
    Field("lambda_", (), "positive"),
    Field("room", (), "nonnegative"),
)
_SIZES = {"n": (1, 8)}
_SETTING = (
    r"Let $R = \overline{(1 - \rho y f)^2}$, $\mathcal L = R + \lambda\rho^2$, $\mu$ and "
    r"$\sigma^2$ the mean and the variance of $y f$, $M = \mu^2 + \sigma^2$, "
)

SHARP_1 = Statement(
    id="square:sharp-1",
    kind="theorem",
    title="Spread of the margins and size of rho from the square loss",
    source=Source("square", "ncbounds: sharp form of Theorem 5, at every point"),
    topic="square_loss",
    variants=(
        Variant(
            "sharp",
            "the loss, split",
            _SETTING + r"$m \ge |\mu|$, $\rho \ge 0$, $\lambda > 0$, $\rho^* = m/(m^2+\lambda)$, "
            r"$\mathcal L^* = \lambda/(m^2+\lambda)$. Then $\mathcal L - \mathcal L^* = "
            r"(M+\lambda)(\rho - \frac{\mu}{M+\lambda})^2 + "
            r"\frac{\mu^2\sigma^2}{(\mu^2+\lambda)(M+\lambda)} + "
            r"\frac{\lambda(m^2-\mu^2)}{(\mu^2+\lambda)(m^2+\lambda)} = "
            r"\overline{(\rho y f - \rho^* m)^2} + \lambda(\rho - \rho^*)^2 + "
            r"\frac{2\lambda\rho(m-\mu)}{m^2+\lambda}$, and no term is negative.",
            Claim(splits, (*_FIELDS, Field("rho", (), "nonnegative")), _SIZES),
            (Bound("regularised loss", least_loss, "lower"),),
            remark="The identities hold for every real rho, and the first terms for every m; only "
            "the signs of the last two need m >= |mu| and rho >= 0.",
        ),
        Variant(
            "sharp",
            "guarantees from the loss",
            _SETTING + r"$\mathcal L < 1$, $\rho \ge 0$, $m \ge \mu$, $\mathcal L^* = "
            r"\lambda/(m^2+\lambda)$, $r^* = m^2/(m^2+\lambda)$, $\epsilon = \mathcal L - "
            r"\mathcal L^*$. Then $\mu > 0$, $\frac{\sigma^2}{\mu^2} \le \frac{R}{1-R}$, "
            r"$\frac{\sigma^2}{\mu^2} \le \frac{\mathcal L}{1-\mathcal L} - \frac\lambda{\mu^2}$, "
            r"$\frac{\sigma^2}{\mu^2} \le \frac{\mathcal L}{1-\mathcal L} - \frac\lambda{m^2} = "
            r"\frac{\epsilon}{(1-\mathcal L)(1-\mathcal L^*)}$, $\mu^2 \ge \lambda"
            r"\frac{1-\mathcal L}{\mathcal L}$, $|1 - \rho\mu| \le \sqrt R$, $\rho^2\sigma^2 \le "
            r"\epsilon$ and $r^* - \sqrt{r^*\epsilon} \le \rho m$, $\min(1, \rho m) \le r^* + "
            r"\sqrt{r^*\epsilon}$.",
            Claim(guarantees, (*_FIELDS, Field("share", (), "proportion")), _SIZES),
            (
                Bound("square of the relative spread of the margins", square_spread, "upper"),
                Bound(
                    "square of the relative spread of the margins",
                    square_spread_under_decay,
                    "upper",
                ),
                Bound("mean margin", least_mean_margin, "lower"),
            ),
            remark="Each is attained: the first where rho mu = 1 - R, the second where rho is best "
            "for its margins, rho = mu/(M + lambda), the third if moreover m = mu, the next by "
            "equal margins. So a relative spread of at most 1/2 needs a loss of at most 1/5. A "
            "share of at most R of the samples has a negative margin.",
        ),
    ),
)

STATEMENTS = (SHARP_1,)
