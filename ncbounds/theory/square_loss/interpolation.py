r"""Interpolation and equal margins: Lemmas 1 and 5 of `square`, and what zero loss says of rho.

The data loss splits, ``mean (1 - rho f_n)^2 = (1 - rho mu)^2 + rho^2 sigma^2``: it vanishes exactly
if all margins f_n are equal and rho is their inverse. With weight decay, equal margins at the best
rho leave each sample the same gap ``lambda/(mu^2 + lambda)``.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, positive
from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.metrics import orthonormal_frame
from ncbounds.theory.square_loss.equilibrium import moments, rate_of_rho, regularised_loss
from ncbounds.theory.square_loss.flow import against, equal
from ncbounds.theory.square_loss.flow_network import (
    LABELS,
    SCALE,
    SIZES,
    WEIGHTS,
    Margins,
    labels,
    loss_gradient,
    multiplier,
    normalised,
    outputs,
    same_for_all,
    square_loss,
)
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

_MARGIN = positive("mu", "margin of all samples", r"\mu")
_LAMBDA = positive("lambda", "weight decay", r"\lambda")
_DECAY = Field("decay", (), "positive")
_NUMBER = {"N": (1, 8)}


@formula(_MARGIN, _LAMBDA)
def equal_margin_gap(xp: Any, mu: Any, lambda_: Any) -> Any:
    """Gap 1 - rho mu of each sample for equal margins mu, at the best rho; the loss there."""
    return lambda_ / (mu * mu + lambda_)


@formula(_MARGIN, _LAMBDA)
def equal_margin_rho(xp: Any, mu: Any, lambda_: Any) -> Any:
    """The best rho for equal margins mu."""
    return mu / (mu * mu + lambda_)


# -- zero loss ------------------------------------------------------------------------------------


def zero_loss(xp: Any, *, rho: Any, f: Any, y: Any) -> Judgement:
    """The data loss splits into the gap of the mean margin and the spread of the margins."""
    sign, N = labels(y), f.shape[1]
    margins = f * sign
    mu, variance, M = moments(xp, margins)
    data = square_loss(xp, rho, f, y)
    solution = sign / rho[:, None]
    solved = square_loss(xp, rho, solution, y)
    return Judgement(
        (),
        (
            equal("M = sigma^2 + mu^2", M, variance + mu * mu),
            Comparison("variance >= 0", 0 * variance, variance),
            equal("zero loss at f = y/rho", 1 + solved, 1 + 0 * solved),
            equal("rho times the sum", rho * xp.sum(solution * sign, axis=-1), 0 * rho + N),
            equal("split", data, (1 - rho * mu) ** 2 + rho * rho * variance),
            Comparison("mean margin", xp.abs(1 - rho * mu), xp.sqrt(data)),
            Comparison("spread", rho * xp.sqrt(variance), xp.sqrt(data)),
        ),
    )


RHO_MU = Statement(
    id="square:remark-rho-mu",
    kind="remark",
    title="Zero loss, rho and the mean margin",
    source=Source("square", "Sec. 3.2"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "zero loss, and how nearly",
            r"$M = \sigma^2 + \mu^2$, and if $\rho f_n = y_n$ for all $n$ then $\rho\sum_n\bar f_n "
            r"= N$, so $\rho = \frac1\mu$. The data loss is $\frac1N\sum_n(\rho f_n - y_n)^2 = "
            r"(1 - \rho\mu)^2 + \rho^2\sigma^2$, so both $|1 - \rho\mu|$ and $\rho\sigma$ are at "
            r"most its root.",
            Claim(zero_loss, (SCALE, Field("f", ("N",)), LABELS), _NUMBER),
            remark="Zero loss is needed: a minimiser in rho whose loss stays positive has rho = "
            "mu/M at lambda = 0. Three samples at one point with labels 1, 1, -1 and outputs 1 "
            "have mu = 1/3 and rest at rho = 1/3, not 3.",
        ),
    ),
)


# -- Lemma 1: equal margins -----------------------------------------------------------------------


def lemma_1(xp: Any, *, rho: Any, f: Any, y: Any, mu: Any, decay: Any) -> Judgement:
    """What the proof shows: of zero loss, of equal margins with weight decay, and of rho' = 0."""
    sign, N = labels(y), f.shape[1]
    off = (1 / rho[:, None] - f * sign) ** 2
    data = square_loss(xp, rho, f, y)
    same = mu[:, None] * sign
    best = equal_margin_rho(xp, mu=mu, lambda_=decay)
    gap = equal_margin_gap(xp, mu=mu, lambda_=decay)
    rate = rate_of_rho(xp, best, same, y, decay)
    _, _, M = moments(xp, f * sign)
    return Judgement(
        (),
        (
            Comparison("zero loss means equal margins", xp.max(off, axis=-1) * rho**2, N * data),
            Comparison(
                "not zero for equal margins", gap, regularised_loss(xp, rho, same, y, decay)
            ),
            Comparison(
                "not zero for any margins",
                decay / (M + decay),
                regularised_loss(xp, rho, f, y, decay),
            ),
            equal("rho' = 0", rate + 2 * mu, 2 * mu),
            equal("and does not interpolate", best * mu + gap, 0 * gap + 1),
        ),
    )


def ridge(xp: Any, *, sizes: Any, decay: Any) -> Judgement:
    """Orthogonal inputs of given sizes, a linear network: the only critical point has rho > 0.

    With inputs ``y_n s_n e_n`` and W = rho V the loss is strictly convex in W; so the critical
    point of (rho, V) with rho > 0 is its minimum.
    """
    N = sizes.shape[1]
    w = sizes / (sizes * sizes + N * decay[:, None])
    margins = sizes * w  # of the network rho f_V
    gradient = -2 * (1 - margins) * sizes / N + 2 * decay[:, None] * w
    return Judgement(
        (),
        (
            equal("critical point", gradient, 0 * gradient),
            equal("same margins", margins, margins[:, :1] + 0 * margins),
        ),
    )


def with_equal_margins(xp: Any, W: Any, v: Any, x: Any, mu: Any) -> tuple[Any, Any, Any, Any]:
    """Normalised layers, inputs scaled so that each output is mu or -mu, and the labels so."""
    V, top, _ = normalised(xp, W, v)
    f = outputs(xp, V, top, x)
    size = xp.abs(f)
    return V, top, x * (mu[:, None] / size)[..., None], (1 + f / size) / 2


def equal_margins(xp: Any, *, W: Any, v: Any, x: Any, mu: Any, decay: Any) -> Judgement:
    """Equal margins at the best rho: the layers move as the mean margin would have them."""
    V, top, inputs, y = with_equal_margins(xp, W, v, x, mu)
    margins = Margins.of(xp, V, top, inputs, y)
    best = equal_margin_rho(xp, mu=mu, lambda_=decay)
    nu = same_for_all(multiplier(best, margins), W)
    flow = -loss_gradient(xp, best, V, top, inputs, y, nu, decay)
    one = 0 * margins.values + 1
    N = x.shape[1]
    by_w, by_v = margins.weighted(xp, one / N)
    speed = 2 * best * equal_margin_gap(xp, mu=mu, lambda_=decay)
    along = speed * mu
    pulled, pulled_last = speed[:, None, None, None] * by_w, speed[:, None] * by_v
    return Judgement(
        (),
        (
            equal("margins", margins.values, mu[:, None] * one),
            equal("rho' = 0", flow.rho + 2 * mu, 2 * mu),
            against(
                xp,
                "hidden layers",
                flow.W,
                pulled - along[:, None, None, None] * V,
                2 * best[:, None, None, None] * by_w,
            ),
            against(
                xp,
                "last layer",
                flow.v,
                pulled_last - along[:, None] * top,
                2 * best[:, None] * by_v,
            ),
        ),
    )


LEMMA_1 = Statement(
    id="square:lemma-1",
    kind="lemma",
    title="Interpolation and quasi-interpolation with equal margins",
    source=Source("square", "Lemma 1, Sec. 3.2"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "what the proof shows",
            r"For $\lambda = 0$ zero loss means $\bar f_n = \mu = \frac1\rho$ for all $n$. For "
            r"$\lambda > 0$ no $\rho$ makes the loss zero, for equal margins or any others. For "
            r"equal margins the derivative by $\rho$ vanishes at $\rho = \frac\mu{\mu^2 + "
            r"\lambda}$, where $\rho\mu < 1$.",
            Claim(
                lemma_1,
                (SCALE, Field("f", ("N",)), LABELS, Field("mu", (), "positive"), _DECAY),
                _NUMBER,
            ),
            (
                Bound("best rho for equal margins", equal_margin_rho, "value"),
                Bound("loss for equal margins", equal_margin_gap, "lower"),
            ),
            remark="That no solution for lambda > 0 interpolates is meant of zeros or critical "
            "points of the loss: points that interpolate remain. That there are any for lambda = 0 "
            "needs a network that fits the data; none fits one input with both labels. After the "
            "proof, 'interpolation is equivalent to rho y_n f(x_n) < 1' surely means the opposite.",
        ),
        Variant(
            "printed",
            "critical points with equal margins exist whenever the data can be interpolated",
            r"For $\lambda > 0$ there are critical points of the gradient that have the same "
            r"margins, for every network and data that allow interpolation; here for linear "
            r"networks $f_V(x) = \langle V, x\rangle$ on orthogonal inputs of sizes $s_n$.",
            Claim(ridge, (Field("sizes", ("N",), "positive"), _DECAY), {"N": (2, 6)}),
            defect="The proof sets only the derivative by rho to zero. For N orthogonal inputs of "
            "sizes s_n a linear network interpolates, with equal margins, but with weight decay "
            "its one critical point with rho > 0 is ridge regression, with the margins "
            "rho f_n = s_n^2/(s_n^2 + N lambda): unequal as the sizes are.",
        ),
        Variant(
            "corrected",
            "critical exactly if the mean margin is",
            r"For $\lambda > 0$, equal margins $\mu$ and $\rho = \frac\mu{\mu^2 + \lambda}$: "
            r"$\dot\rho = 0$ and $\dot V_k = \frac{2\rho\lambda}{\mu^2 + \lambda}(\frac{\partial"
            r"\mu}{\partial V_k} - \mu V_k)$. So it is a critical point exactly if the directions "
            r"are one of the mean margin on the spheres $\|V_k\| = 1$.",
            Claim(
                equal_margins,
                (*WEIGHTS, Field("x", ("N", "m")), Field("mu", (), "positive"), _DECAY),
                {**SIZES, "m": (2, 3)},
            ),
            remark="Any margins are made equal by scaling the inputs, as the instances are. The "
            "rates are of order lambda, so for small lambda such a point is nearly at rest.",
        ),
    ),
)


# -- Lemma 5: a rotated classifier ----------------------------------------------------------------


def turned(xp: Any, V: Any, across: Any, alpha: Any) -> Any:
    """The unit vector alpha V + sqrt(1 - alpha^2) across, for unit vectors at a right angle."""
    return alpha[:, None] * V + xp.sqrt(1 - alpha * alpha)[:, None] * across


def directions(xp: Any, mirrors: Any) -> tuple[Any, Any]:
    """Two unit vectors at a right angle; every such pair arises so."""
    rows = orthonormal_frame(xp, mirrors, 2)
    return rows[:, 0], rows[:, 1]


def interpolates_after_turning(
    xp: Any, V: Any, turned_to: Any, h: Any, y: Any, rho: Any, alpha: Any
) -> tuple[Comparison, ...]:
    """What Lemma 5 concludes of features h that V interpolates."""
    larger = rho / alpha
    old, new = (dot(xp, h, w[:, None, :]) for w in (V, turned_to))
    rate = rate_of_rho(xp, larger, new, y, 0 * rho)
    return (
        equal("interpolates before", rho[:, None] * old, labels(y)),
        equal("unit norm", dot(xp, turned_to, turned_to), 0 * rho + 1),
        equal("turned by alpha", dot(xp, V, turned_to), alpha),
        equal("interpolates after", larger[:, None] * new, labels(y)),
        Comparison("larger rho", rho, larger),
        equal("rho' = 0", rate + 1 / larger, 1 / larger),
    )


def lemma_5(xp: Any, *, rho: Any, mirrors: Any, y: Any, alpha: Any) -> Judgement:
    """Aligned features y_n V/rho, and the classifier turned anywhere by alpha."""
    V, across = directions(xp, mirrors)
    h = (labels(y) / rho[:, None])[..., None] * V[:, None, :]
    return Judgement(
        (),
        (
            equal("aligned", labels(y) * dot(xp, h, V[:, None, :]), norm(xp, h)),
            *interpolates_after_turning(xp, V, turned(xp, V, across, alpha), h, y, rho, alpha),
        ),
    )


def turned_out_of_the_features(
    xp: Any, *, rho: Any, mirrors: Any, g: Any, y: Any, alpha: Any
) -> Judgement:
    """Any features that V interpolates, and the classifier turned to what they do not see.

    The features are ``y_n V/rho`` and anything orthogonal to V and to where the classifier turns.
    """
    V, across = directions(xp, mirrors)
    free = g
    for unit in (V, across):
        free = free - unit[:, None, :] * dot(xp, g, unit[:, None, :])[..., None]
    h = (labels(y) / rho[:, None])[..., None] * V[:, None, :] + free
    return Judgement(
        (),
        interpolates_after_turning(xp, V, turned(xp, V, across, alpha), h, y, rho, alpha),
    )


def relu_features(xp: Any, *, v: Any, ahead: Any, behind: Any) -> Judgement:
    """How well one unit vector is aligned with non-negative features |z| of both labels."""
    V = v / norm(xp, v)[:, None]
    of_one, of_other = xp.abs(ahead), xp.abs(behind)
    first = dot(xp, V, of_one) / norm(xp, of_one)
    second = -dot(xp, V, of_other) / norm(xp, of_other)
    first, second = (xp.maximum(c, 0 * c) for c in (first, second))
    return Judgement(
        (),
        (Comparison("squared alignments", first * first + second * second, 0 * first + 1),),
    )


_ALPHA = Field("alpha", (), "proportion")
_DIRECTIONS = Field("mirrors", ("two", "d"))
_TWO = {"two": lambda sizes: 2}
_TURNED = (
    r"$V'_L = \alpha V_L + \sqrt{1 - \alpha^2}\,u$, $0 < \alpha < 1$, interpolates with "
    r"$\frac\rho\alpha > \rho$ and is a critical point for $\lambda = 0$"
)

LEMMA_5 = Statement(
    id="square:lemma-5",
    kind="lemma",
    title="A turned classifier interpolates with a larger rho",
    source=Source("square", "Lemma 5, Sec. 3.5"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "features of any sign",
            r"If $\rho\bar f_n = 1$ and $y_n\langle V_L, h(x_n)\rangle = \|h(x_n)\|$ for all $n$, "
            rf"then for every unit $u \perp V_L$ {_TURNED}.",
            Claim(
                lemma_5,
                (SCALE, _DIRECTIONS, LABELS, _ALPHA),
                {"d": (2, 5), "N": (1, 6)},
                _TWO,
            ),
            remark="Features that come out of a ReLU are not of any sign: see the sharp wording. "
            "Every gradient vanishes, since every residual does.",
        ),
        Variant(
            "corrected",
            "any interpolating features",
            r"If $\rho\bar f_n = 1$ for all $n$ then for every unit $u$ that is orthogonal to "
            rf"$V_L$ and to all features {_TURNED}.",
            Claim(
                turned_out_of_the_features,
                (SCALE, _DIRECTIONS, Field("g", ("N", "d")), LABELS, _ALPHA),
                {"d": (2, 5), "N": (1, 6)},
                _TWO,
            ),
            remark="No alignment is needed, and ReLU features are allowed: such a u exists as soon "
            "as V_L and the features do not span the last layer, as with a unit that is dead on "
            "all samples, or with more units than samples plus one.",
        ),
        Variant(
            "sharp",
            "ReLU features of both labels are not aligned",
            r"For features $h_+, h_- \ge 0$ of a positive and a negative sample and any unit "
            r"$V_L$, the cosines $c_\pm = \frac{\pm\langle V_L, h_\pm\rangle}{\|h_\pm\|}$ satisfy "
            r"$\max(c_+, 0)^2 + \max(c_-, 0)^2 \le 1$.",
            Claim(
                relu_features,
                (
                    Field("v", ("d",)),
                    Field("ahead", ("d",)),
                    Field("behind", ("d",)),
                ),
                {"d": (1, 5)},
            ),
            remark="The hypothesis of Lemma 5 asks for c_+ = c_- = 1. In the ReLU networks of the "
            "paper, with one output and both labels present, it is never met; the best is 45 "
            "degrees to both, attained by orthogonal features.",
        ),
    ),
)

STATEMENTS = (RHO_MU, LEMMA_1, LEMMA_5)
