r"""The flow of rho and where it rests: equations (6) to (9) and (11), and Lemma 4 of `square`.

With the mean mu of the margins, their variance sigma^2 and mean square M = mu^2 + sigma^2, the
loss is a parabola in rho, ``1 - 2 rho mu + rho^2 (M + lambda)``. So rho runs to ``mu/(M + lambda)``
for given directions, and the loss there is the gap to interpolation, ``1 - rho mu``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ncbounds.arithmetic.formula import formula, nonnegative, positive, real
from ncbounds.theory.square_loss.flow import against, equal
from ncbounds.theory.square_loss.flow_network import (
    DECAY,
    INPUTS,
    LABELS,
    SCALE,
    SIZES,
    WEIGHTS,
    Margins,
    labels,
    loss_gradient,
    margin_loss,
    multiplier,
    normalised,
    printed_flow,
    products,
    same_for_all,
    square_loss,
)
from ncbounds.theory.square_loss.tangents import differentiate
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

_MU = real("mu", "mean margin", r"\mu")
_SIGMA2 = nonnegative("variance", "variance of the margins", r"\sigma^2")
_LAMBDA = positive("lambda", "weight decay", r"\lambda")
_RHO = real("rho", "product of the norms", r"\rho")

_POSITIVE_DECAY = Field("decay", (), "positive")
_OUTPUTS = (SCALE, Field("f", ("N",)), LABELS)
_NUMBER = {"N": (1, 8)}


@formula(_MU, _SIGMA2, _LAMBDA)
def equilibrium(xp: Any, mu: Any, variance: Any, lambda_: Any) -> Any:
    """Where rho rests for given directions."""
    return mu / (mu * mu + variance + lambda_)


@formula(_MU, _SIGMA2, _LAMBDA)
def interpolation_gap(xp: Any, mu: Any, variance: Any, lambda_: Any) -> Any:
    """The mean of 1 - rho f_n over the margins at that rho."""
    return (variance + lambda_) / (mu * mu + variance + lambda_)


@formula(_MU, _SIGMA2, _LAMBDA)
def gap_of_decay(xp: Any, mu: Any, variance: Any, lambda_: Any) -> Any:
    """What of the gap weight decay makes, beyond what the spread of the margins makes."""
    M = mu * mu + variance
    return mu * mu * lambda_ / (M * (M + lambda_))


@formula(_RHO, _MU, _SIGMA2, _LAMBDA)
def loss(xp: Any, rho: Any, mu: Any, variance: Any, lambda_: Any) -> Any:
    """The regularised loss of equation (11)."""
    return 1 - 2 * rho * mu + rho * rho * (mu * mu + variance) + lambda_ * rho * rho


def moments(xp: Any, margins: Any) -> tuple[Any, Any, Any]:
    """Mean, variance and mean square of the margins."""
    mu = xp.mean(margins, axis=-1)
    deviation = margins - mu[:, None]
    return mu, xp.mean(deviation * deviation, axis=-1), xp.mean(margins * margins, axis=-1)


def regularised_loss(xp: Any, rho: Any, f: Any, y: Any, lambda_: Any) -> Any:
    """Mean of (rho f_n - y_n)^2, plus lambda rho^2; rho may be a tangent."""
    return square_loss(xp, rho, f, y) + rho * rho * lambda_


def rate_of_rho(xp: Any, rho: Any, f: Any, y: Any, lambda_: Any) -> Any:
    """Minus the derivative of the regularised loss by rho, by differentiation."""
    return -differentiate(xp, lambda r: regularised_loss(xp, r, f, y, lambda_), rho)[1][0]


# -- (6), (7): the flow of rho, and where it rests ------------------------------------------------


def rho_flow(xp: Any, *, rho: Any, f: Any, y: Any, lambda_: Any) -> Judgement:
    """rho' = 2 (mu - rho (M + lambda))."""
    mu, variance, M = moments(xp, f * labels(y))
    rate = rate_of_rho(xp, rho, f, y, lambda_)
    return Judgement(
        (),
        (
            equal("flow of rho", rate, 2 * (mu - rho * (M + lambda_))),
            equal("M = sigma^2 + mu^2", M, variance + mu * mu),
        ),
    )


def rest_claim(xp: Any, *, rho: Any, f: Any, y: Any, decay: Any) -> Judgement:
    """rho' vanishes at mu/(M + lambda) and only there, and the loss is least there."""
    mu, variance, M = moments(xp, f * labels(y))
    place = equilibrium(xp, mu=mu, variance=variance, lambda_=decay)
    there, here = (regularised_loss(xp, r, f, y, decay) for r in (place, rho))
    rate = rate_of_rho(xp, place, f, y, decay)
    return Judgement(
        (),
        (
            equal("rho' = 0 there", rate + 2 * mu, 2 * mu),
            equal(
                "and only there",
                rate_of_rho(xp, rho, f, y, decay),
                2 * (M + decay) * (place - rho),
            ),
            Comparison("the loss is least", there, here),
            equal("by a parabola", here - there, (M + decay) * (rho - place) ** 2),
        ),
    )


EQ_6 = Statement(
    id="square:eq-6",
    kind="equation",
    title="Flow of rho",
    source=Source("square", "(6), Sec. 3.4"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "any outputs",
            r"$\dot\rho = 2(\mu - \rho(M + \lambda))$ with $\mu = \frac1N\sum_n\bar f_n$ and "
            r"$M = \frac1N\sum_n\bar f_n^2 = \sigma^2 + \mu^2$.",
            Claim(rho_flow, (*_OUTPUTS, DECAY), _NUMBER),
        ),
    ),
)

EQ_7 = Statement(
    id="square:eq-7",
    kind="equation",
    title="Equilibrium of rho",
    source=Source("square", "(7), Sec. 3.4"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "with weight decay",
            r"For $\lambda > 0$, $\dot\rho = 0$ exactly at $\rho_{eq} = \frac\mu{M + \lambda}$, "
            r"where the loss is least, by $(M + \lambda)(\rho - \rho_{eq})^2$.",
            Claim(rest_claim, (*_OUTPUTS, _POSITIVE_DECAY), _NUMBER),
            (Bound("equilibrium of rho", equilibrium, "value"),),
            remark="V'_k = 0 is not needed. As a product of norms rho cannot rest at a negative "
            "value: for mu <= 0 it falls to 0. For lambda = 0 the margins must not all vanish.",
        ),
    ),
)


# -- (8): the gap to interpolation ----------------------------------------------------------------


def printed_gap(at_zero: Callable[..., Any]) -> Callable[..., Judgement]:
    """Return the claim (8) for `at_zero(mu, M)`, what rho is taken to be at lambda = 0."""

    def judge(xp: Any, *, f: Any, y: Any, decay: Any) -> Judgement:
        mu, variance, M = moments(xp, f * labels(y))
        with_decay = equilibrium(xp, mu=mu, variance=variance, lambda_=decay)
        gap = 1 - mu * mu / (M + decay)
        last = interpolation_gap(xp, mu=mu, variance=variance, lambda_=decay)
        return Judgement(
            (),
            (
                equal("due to weight decay", (at_zero(mu, M) - with_decay) * mu, gap),
                equal("the gap", gap, last),
            ),
        )

    return judge


def corrected_gap(xp: Any, *, f: Any, y: Any, decay: Any) -> Judgement:
    """The gap of the mean, what weight decay and the spread make of it, and the loss."""
    mu, variance, M = moments(xp, f * labels(y))
    with_decay = equilibrium(xp, mu=mu, variance=variance, lambda_=decay)
    gap = interpolation_gap(xp, mu=mu, variance=variance, lambda_=decay)
    of_decay = gap_of_decay(xp, mu=mu, variance=variance, lambda_=decay)
    return Judgement(
        (),
        (
            equal("the gap", 1 - with_decay * mu, gap),
            equal("due to weight decay", (mu / M - with_decay) * mu, of_decay),
            equal("due to the spread", mu / M * mu, 1 - variance / M),
            equal("together", of_decay + variance / M, gap),
            equal("the loss", regularised_loss(xp, with_decay, f, y, decay), gap),
        ),
    )


EQ_8 = Statement(
    id="square:eq-8",
    kind="equation",
    title="Gap to interpolation",
    source=Source("square", "(8), Sec. 3.4"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "rho at lambda = 0 from (7)",
            r"With $\rho_\lambda = \frac\mu{M + \lambda}$ of (7): $\epsilon = (\rho_{\lambda=0} - "
            r"\rho_\lambda)\mu = 1 - \frac{\mu^2}{M + \lambda} = \frac{\sigma^2 + \lambda}{\mu^2 + "
            r"\sigma^2 + \lambda}$.",
            Claim(
                printed_gap(lambda mu, M: mu / M),
                (Field("f", ("N",)), LABELS, _POSITIVE_DECAY),
                _NUMBER,
            ),
            defect="The first equation needs rho mu = 1 at lambda = 0, which (7) gives only for "
            "equal margins: otherwise it rests at mu/M, and the spread alone leaves a gap of "
            "sigma^2/M.",
        ),
        Variant(
            "printed",
            "rho = 1/mu at lambda = 0",
            r"With $\rho_{\lambda=0} = \frac1\mu$, as Sec. 3.2 has it for a loss of zero, and "
            r"$\rho_\lambda = \frac\mu{M + \lambda}$ of (7): $\epsilon = (\rho_{\lambda=0} - "
            r"\rho_\lambda)\mu = 1 - \frac{\mu^2}{M + \lambda} = \frac{\sigma^2 + \lambda}{\mu^2 + "
            r"\sigma^2 + \lambda}$.",
            Claim(
                printed_gap(lambda mu, M: 1 / mu),
                (Field("f", ("N",)), LABELS, _POSITIVE_DECAY),
                _NUMBER,
            ),
            remark="It speaks of mean margins that are not zero. The gap is then that to "
            "rho mu = 1, whatever leaves it: for margins that differ at these weights sigma^2/M "
            "of it is there at lambda = 0 already.",
        ),
        Variant(
            "corrected",
            "weight decay and spread apart",
            r"At $\rho_{eq}$ the mean gap is $1 - \rho_{eq}\mu = \frac{\sigma^2 + \lambda}{\mu^2 + "
            r"\sigma^2 + \lambda}$. Of it, $(\rho_{\lambda=0} - \rho_\lambda)\mu = "
            r"\frac{\mu^2\lambda}{M(M + \lambda)}$ is due to $\lambda$ and $\frac{\sigma^2}M$ to "
            r"the spread of the margins. The regularised loss at $\rho_{eq}$ is the same number.",
            Claim(corrected_gap, (Field("f", ("N",)), LABELS, _POSITIVE_DECAY), _NUMBER),
            (
                Bound("mean gap to interpolation", interpolation_gap, "value"),
                Bound("part due to weight decay", gap_of_decay, "value"),
            ),
            remark="For equal margins the gap is lambda/(mu^2 + lambda). The margins are those at "
            "hand: those of a training without weight decay may be others.",
        ),
    ),
)


# -- (9): the layers at equilibrium ---------------------------------------------------------------


def resting_inputs(xp: Any, V: Any, margins: Any, c: Any, rho: Any, y: Any) -> Any:
    """Inputs (B, N, m) with given margins under the linear network V that make V' vanish.

    They are ``y_n (margin_n V + c'_n)``, c'_n orthogonal to V with ``sum_n (1 - rho margin_n) c'_n
    = 0``; every input set with these properties arises so from some c.
    """
    residual = 1 - rho[:, None] * margins
    across = c - V[:, None, :] * xp.sum(c * V[:, None, :], axis=-1)[..., None]
    weight = xp.sum(residual * residual, axis=-1)[:, None, None]
    drift = xp.sum(residual[..., None] * across, axis=1)[:, None, :]
    balanced = across * weight - residual[..., None] * drift
    return labels(y)[..., None] * (margins[..., None] * V[:, None, :] + balanced)


def printed_weights(xp: Any, *, U: Any, margins: Any, c: Any, y: Any, decay: Any) -> Judgement:
    """(9) without bars, at an equilibrium of a linear network f_V(x) = <V, x>."""
    V = U / xp.sqrt(xp.sum(U * U, axis=-1))[:, None]
    mu, variance, _ = moments(xp, margins)
    rho = equilibrium(xp, mu=mu, variance=variance, lambda_=decay)
    x = resting_inputs(xp, V, margins, c, rho, y)
    f = xp.sum(V[:, None, :] * x, axis=-1)
    residual = 1 - rho[:, None] * f * labels(y)
    weights = xp.sum(residual[..., None] * x, axis=1) / xp.sum(residual * f, axis=-1)[:, None]
    return Judgement((), (equal("weights", V, weights),))


def weights_claim(xp: Any, *, W: Any, v: Any, x: Any, y: Any, decay: Any) -> Judgement:
    """At rho_eq, V'_k is 2 lambda rho^2 times what (9) with bars and the layer differ by."""
    V, top, _ = normalised(xp, W, v)
    margins = Margins.of(xp, V, top, x, y)
    rho = margins.mu / (margins.M + decay)
    residual = 1 - rho[:, None] * margins.values
    by_w, by_v = margins.weighted(xp, residual)
    agreement = xp.sum(residual * margins.values, axis=-1)
    nu = same_for_all(multiplier(rho, margins), W)
    rates = -loss_gradient(xp, rho, V, top, x, y, nu, decay)
    N, speed = x.shape[1], 2 * decay * rho * rho
    step = 2 * rho / N
    pulled, pulled_last = step[:, None, None, None] * by_w, step[:, None] * by_v
    kept, kept_last = speed[:, None, None, None] * V, speed[:, None] * top
    of_w = step[:, None, None, None, None] * margins.W  # of each sample, to see the rest against
    of_v = step[:, None, None] * margins.v
    return Judgement(
        (),
        (
            against(xp, "hidden layers", rates.W, pulled - kept, of_w),
            against(xp, "last layer", rates.v, pulled_last - kept_last, of_v),
            against(xp, "denominator", agreement, N * decay * rho, margins.values),
        ),
    )


EQ_9 = Statement(
    id="square:eq-9",
    kind="equation",
    title="Weights at equilibrium",
    source=Source("square", "(9), Sec. 3.4"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "as typeset, outputs without labels",
            r"At $\dot\rho = 0$, $\dot V_k = 0$, $V_k = \frac{\sum_n\ell_n\frac{\partial f_n}"
            r"{\partial V_k}}{\sum_n\ell_nf_n}$ with $\ell_n = 1 - \rho\bar f_n$; here for linear "
            r"networks $f_V(x) = \langle V, x\rangle$ at rest.",
            Claim(
                printed_weights,
                (
                    Field("U", ("d",)),
                    Field("margins", ("N",)),
                    Field("c", ("N", "d")),
                    LABELS,
                    _POSITIVE_DECAY,
                ),
                {"N": (1, 4), "d": (1, 3)},
            ),
            defect="Both f_n lack their bars, as the equation follows from (5), where each term "
            "has its label. With labels of both signs the two sums are others.",
        ),
        Variant(
            "corrected",
            "margins, and how far from rest",
            r"At $\rho = \rho_{eq}$, $\lambda > 0$: $\dot V_k = \frac{2\rho}N\sum_n\ell_n"
            r"\frac{\partial\bar f_n}{\partial V_k} - 2\lambda\rho^2V_k$ and $\sum_n\ell_n\bar f_n "
            r"= N\lambda\rho$. So if $\dot V_k = 0$ and $\rho \ne 0$ then $V_k = \frac{\sum_n\ell_n"
            r"\frac{\partial\bar f_n}{\partial V_k}}{\sum_n\ell_n\bar f_n} = \frac1{N\lambda\rho}"
            r"\sum_n\ell_n\frac{\partial\bar f_n}{\partial V_k}$.",
            Claim(weights_claim, (*WEIGHTS, INPUTS, LABELS, _POSITIVE_DECAY), SIZES),
            remark="For lambda = 0 the denominator vanishes at rest and (9) says nothing, so there "
            "the weights do not determine the data nor the data the weights in this way.",
        ),
    ),
)


# -- (11), Lemma 4: the loss in terms of rho, mu, M and the rate of rho ---------------------------


def loss_claim(summed: bool) -> Callable[..., Judgement]:
    """Return the claim of (11); as typeset its second line has one sample and no sum."""

    def judge(xp: Any, *, rho: Any, f: Any, y: Any, lambda_: Any) -> Judgement:
        sign = labels(y)
        mu, variance, M = moments(xp, f * sign)
        first = regularised_loss(xp, rho, f, y, lambda_)
        scale, penalty, N = rho[:, None], lambda_ * rho * rho, f.shape[1]
        terms = (scale * scale * f * f - 2 * sign * scale * f + sign * sign) / N
        second = xp.sum(terms, axis=-1) + penalty if summed else terms + penalty[:, None]
        third = 1 - 2 * rho * mu + rho * rho * M + penalty
        fourth = margin_loss(xp, rho, f, y) + penalty
        return Judgement(
            (),
            (
                equal("second line", first if summed else first[:, None] + 0 * second, second),
                equal("third line", first, third),
                equal("in margins", first, fourth),
                equal(
                    "with the variance",
                    first,
                    1 - 2 * rho * mu + rho * rho * (mu * mu) + rho * rho * variance + penalty,
                ),
            ),
        )

    return judge


def lemma_4(xp: Any, *, rho: Any, W: Any, v: Any, x: Any, y: Any, lambda_: Any) -> Judgement:
    """L = 1 - rho (rho'/2 + mu), and dL/dt = -rho'^2 - sum |V'_k|^2 along the flow."""
    V, top, _ = normalised(xp, W, v)
    margins = Margins.of(xp, V, top, x, y)
    f = margins.values * labels(y)
    nu = same_for_all(multiplier(rho, margins), W)
    flow = -loss_gradient(xp, rho, V, top, x, y, nu, lambda_)
    whole = regularised_loss(xp, rho, f, y, lambda_)
    free = loss_gradient(xp, rho, V, top, x, y, same_for_all(0 * rho, W), lambda_)
    _, of_w, of_v = printed_flow(xp, rho, V, top, margins, lambda_)
    change = free.rho * flow.rho + xp.sum(products(xp, free.W, of_w), axis=-1)
    speeds = flow.rho**2 + xp.sum(products(xp, of_w, of_w), axis=-1)
    return Judgement(
        (),
        (
            equal("loss", whole, 1 - rho * (flow.rho / 2 + margins.mu)),
            equal(
                "change of the loss",
                change + xp.sum(free.v * of_v, axis=-1),
                -(speeds + xp.sum(of_v * of_v, axis=-1)),
            ),
        ),
    )


EQ_11 = Statement(
    id="square:eq-11",
    kind="equation",
    title="The loss in terms of rho, mu and M",
    source=Source("square", "(11), Sec. 3.5"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "as typeset, no sum in the second line",
            r"$\mathcal L = \frac1N\sum_n(\rho f_n - y_n)^2 + \lambda\rho^2 = \frac1N(\rho^2f_n^2 "
            r"- 2y_n\rho f_n + y_n^2) + \lambda\rho^2 = 1 - 2\rho\mu + \rho^2M + \lambda\rho^2$.",
            Claim(loss_claim(summed=False), (*_OUTPUTS, DECAY), _NUMBER),
            defect="The second line lost its sum over n, surely a slip: it is right for N = 1.",
        ),
        Variant(
            "corrected",
            "with the sum",
            r"$\mathcal L = \frac1N\sum_n(\rho^2f_n^2 - 2y_n\rho f_n + y_n^2) + \lambda\rho^2 = "
            r"1 - 2\rho\mu + \rho^2M + \lambda\rho^2$, where $M = \mu^2 + \sigma^2$.",
            Claim(loss_claim(summed=True), (*_OUTPUTS, DECAY), _NUMBER),
            (Bound("regularised loss", loss, "value"),),
        ),
    ),
)

LEMMA_4 = Statement(
    id="square:lemma-4",
    kind="lemma",
    title="The loss in terms of rho and its rate",
    source=Source("square", "Lemma 4, Sec. 3.5"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "along the flow",
            r"On $\|V_k\| = 1$, $\mathcal L = 1 - \rho(\frac12\dot\rho + \mu)$. The flow never "
            r"increases $\mathcal L$: $\frac{d\mathcal L}{dt} = -\dot\rho^2 - \sum_k\|\dot V_k"
            r"\|^2$.",
            Claim(lemma_4, (SCALE, *WEIGHTS, INPUTS, LABELS, DECAY), SIZES),
            remark="What the text concludes from it on the mean margin is in "
            "square:remark-rho-growth.",
        ),
    ),
)

STATEMENTS = (EQ_6, EQ_7, EQ_8, EQ_9, EQ_11, LEMMA_4)
