r"""Margins at convergence, two classes: quasi-interpolation and the training problem in rho.

The network is ``rho f`` with ``f`` of unit layers, ``fbar_n = y_n f(x_n)`` its margin at a sample
of label ``y_n = +-1``, ``mu``, ``M`` and ``sigma^2 = M - mu^2`` their mean, mean square and
variance. The loss is ``mean (1 - rho fbar)^2 + lambda rho^2``.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, nonnegative, positive
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.square_loss.rank_at_rest import RESTING, RESTING_SIZES, resting_network
from ncbounds.theory.square_loss.rank_one import outputs_and_factors
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

_LAMBDA = positive("lambda", "weight decay", r"\lambda")
_MU = nonnegative("mu", "mean margin, or the largest there is", r"\mu")
_VARIANCE = nonnegative("variance", "variance of the margins", r"\sigma^2")


@formula(_LAMBDA, _MU)
def quasi_interpolation_gap(xp: Any, lambda_: Any, mu: Any) -> Any:
    """Gap to interpolation, and least loss, of equal margins."""
    return lambda_ / (mu * mu + lambda_)


@formula(_LAMBDA, _MU, _VARIANCE)
def equilibrium_loss(xp: Any, lambda_: Any, mu: Any, variance: Any) -> Any:
    """Loss and mean gap at the best rho for given margins."""
    return (variance + lambda_) / (mu * mu + variance + lambda_)


def moments(xp: Any, margins: Any) -> tuple[Any, Any, Any]:
    """Mean, mean square and variance of margins (B, N)."""
    mu = xp.mean(margins, axis=-1)
    deviation = margins - mu[:, None]
    return mu, xp.mean(margins * margins, axis=-1), xp.mean(deviation * deviation, axis=-1)


def square_loss(xp: Any, margins: Any, rho: Any, lambda_: Any) -> Any:
    """``mean (1 - rho fbar)^2 + lambda rho^2`` of margins (B, N)."""
    residual = 1 - rho[:, None] * margins
    return xp.mean(residual * residual, axis=-1) + lambda_ * rho * rho


# -- Property 1 -----------------------------------------------------------------------------------


def property_in_moments(xp: Any, *, margins: Any, rho: Any, gap: Any) -> Judgement:
    """How far margins are from all being 1 - gap, by their mean and variance."""
    mu, _, variance = moments(xp, margins)
    deviation = rho[:, None] * margins - (1 - gap)[:, None]
    squares = deviation * deviation
    offset = rho * mu - (1 - gap)
    total = offset * offset + rho * rho * variance
    return Judgement(
        (),
        (
            Comparison("mean squared deviation", xp.mean(squares, axis=-1), total, "="),
            Comparison("each margin", xp.max(squares, axis=-1), margins.shape[1] * total),
        ),
    )


PROPERTY_1 = Statement(
    id="square:property-1",
    kind="property",
    title="Symmetric quasi-interpolation, two classes",
    source=Source("square", "Property 1"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "by mean and variance of the margins",
            r"A network symmetrically quasi-interpolates if $\rho\bar f_n = 1 - \epsilon$ for all "
            r"$n$: if and only if $\rho\mu = 1 - \epsilon$ and $\sigma = 0$, as $\frac1N\sum_n"
            r"(\rho\bar f_n - 1 + \epsilon)^2 = (\rho\mu - 1 + \epsilon)^2 + \rho^2\sigma^2$. No "
            r"margin is farther from it than $\sqrt N$ times the root of that.",
            Claim(
                property_in_moments,
                (Field("margins", ("N",)), Field("rho", (), "positive"), Field("gap")),
                {"N": (1, 6)},
            ),
            remark="The paper writes f_W for the network with its scale, rho f_V. In all that "
            "follows 0 < epsilon < 1: with epsilon = 0 the residuals vanish, with epsilon = 1 the "
            "outputs do.",
        ),
    ),
)


# -- Equations (28) and (29) ----------------------------------------------------------------------


def training_problem(xp: Any, *, margins: Any, rho: Any, lambda_: Any) -> Judgement:
    """The loss as a polynomial in rho."""
    mu, square, _ = moments(xp, margins)
    polynomial = (square + lambda_) * rho * rho - 2 * rho * mu + 1
    loss = square_loss(xp, margins, rho, lambda_)
    return Judgement((), (Comparison("equation (28)", loss, polynomial, "="),))


def reduced_problem(xp: Any, *, margins: Any, rho: Any, lambda_: Any) -> Judgement:
    """The four lines of (29), and that they are the least of the loss over rho."""
    mu, square, variance = moments(xp, margins)
    total = square + lambda_
    best = mu / total
    loss = square_loss(xp, margins, best, lambda_)
    lines = (
        total * best * best - 2 * mu * mu / total + 1,
        1 - mu * mu / total,
        equilibrium_loss(xp, lambda_=lambda_, mu=xp.abs(mu), variance=variance),
        1 / (1 + mu * mu / (variance + lambda_)),
    )
    slope = (
        square_loss(xp, margins, best + 1, lambda_) - square_loss(xp, margins, best - 1, lambda_)
    ) / 2
    chain = [
        Comparison(f"line {place + 1} of (29)", before, line, "=")
        for place, (before, line) in enumerate(zip((loss, *lines), lines, strict=False))
    ]
    return Judgement(
        (),
        (
            Comparison("critical in rho", slope, 0 * slope, "="),
            *chain,
            Comparison("least over rho", lines[-1], square_loss(xp, margins, rho, lambda_)),
        ),
    )


_MARGIN_FIELDS = (Field("margins", ("N",)), Field("rho"), Field("lambda_", (), "positive"))

EQUATION_28 = Statement(
    id="square:eq-28",
    kind="equation",
    title="The training problem in rho",
    source=Source("square", "(28)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "identity",
            r"$\frac1N\sum_n(\rho\bar f_n - 1)^2 + \lambda\rho^2 = (M + \lambda)\rho^2 - 2\rho\mu "
            r"+ 1$.",
            Claim(training_problem, _MARGIN_FIELDS, {"N": (1, 5)}),
        ),
    ),
)

EQUATION_29 = Statement(
    id="square:eq-29",
    kind="equation",
    title="The training problem without rho",
    source=Source("square", "(29)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "line by line",
            r"At the critical point $\rho = \frac\mu{M+\lambda}$, which is the minimum over "
            r"$\rho$, the loss is $(M+\lambda)(\frac\mu{M+\lambda})^2 - 2\frac{\mu^2}{M+\lambda} "
            r"+ 1 = 1 - \frac{\mu^2}{M+\lambda} = \frac{\sigma^2+\lambda}{\mu^2+\sigma^2+\lambda} "
            r"= \frac1{1 + \mu^2/(\sigma^2+\lambda)}$.",
            Claim(reduced_problem, _MARGIN_FIELDS, {"N": (1, 5)}),
            (Bound("least loss over rho", equilibrium_loss, "value"),),
            remark="It falls with mu^2 and grows with sigma^2. The conclusion drawn from it, that "
            "sigma = 0 at the minimum, assumes that both can be had at once: see square:lemma-6.",
        ),
    ),
)


# -- Lemma 6 --------------------------------------------------------------------------------------


def opposite_samples(xp: Any, gaps: Any, scale: Any, slope: Any) -> dict[str, Any]:
    """Two samples of opposite labels +1 and -1 at an obtuse angle, and the best network for them.

    `gaps` (B, 2) in (0, 1) become the gaps 1 - rho fbar_n, `scale` in (0, 1) sets the larger
    sample norm, `slope` > 0 the angle. Two hidden units, each active on one sample alone.
    """
    kappa = scale * xp.min(gaps, axis=-1)
    lengths = kappa[:, None] / gaps
    zero, one = 0 * slope, 0 * slope + 1
    across = xp.sqrt(1 + slope * slope)
    units = xp.stack(
        [xp.stack([one, zero], axis=-1), xp.stack([-slope / across, 1 / across], axis=-1)], axis=1
    )
    masses = gaps * (1 - gaps) / kappa[:, None]
    rho = xp.sum(masses, axis=-1)
    roots = xp.sqrt(masses / rho[:, None])
    signs = xp.stack([one, -one], axis=-1)
    return {
        "samples": lengths[..., None] * units,
        "labels": signs,
        "rho": rho,
        "lambda_": kappa / (2 * rho),
        "first": roots[..., None] * units,
        "second": roots * signs,
        "kappa": kappa,
    }


def two_layer_margins(xp: Any, first: Any, second: Any, samples: Any, labels: Any) -> Any:
    """Margins ``y V_2 relu(V_1 x)``: (B, K, d), (B, K), (B, N, d), (B, N) to (B, N)."""
    inner = xp.sum(samples[:, :, None, :] * first[:, None, :, :], axis=-1)
    active = xp.maximum(inner, 0 * inner)
    return labels * xp.sum(active * second[:, None, :], axis=-1)


def equal_at_the_minimum(xp: Any, *, gaps: Any, scale: Any, slope: Any) -> Judgement:
    """What Lemma 6 says of the best network of `opposite_samples`."""
    made = opposite_samples(xp, gaps, scale, slope)
    margins = two_layer_margins(xp, made["first"], made["second"], made["samples"], made["labels"])
    mu, _, _ = moments(xp, margins)
    gap = quasi_interpolation_gap(xp, lambda_=made["lambda_"], mu=mu)
    return Judgement(
        (),
        (
            Comparison("equal margins", margins[:, 0], margins[:, 1], "="),
            Comparison("gap", 1 - made["rho"] * mu, gap, "="),
        ),
    )


def equal_at_rest(
    xp: Any, *, inner: Any, outer: Any, direction: Any, share: Any, rho: Any, long: Any
) -> Judgement:
    """What Lemma 6 says of a network that rests for every sample, see `resting_network`."""
    made = resting_network(xp, inner, outer, direction, share, rho, long)
    outputs, _ = outputs_and_factors(xp, made["first"], made["second"], made["third"], made["x"])
    return Judgement((), (Comparison("equal margins", outputs[:, 0], outputs[:, 1], "="),))


def two_sample_minimum(
    xp: Any, *, gaps: Any, scale: Any, slope: Any, first: Any, second: Any
) -> Judgement:
    """That the network is a critical point and a global minimum, and what its margins are.

    `first` (B, K, 2) and `second` (B, K) are the layers of any other network.
    """
    made = opposite_samples(xp, gaps, scale, slope)
    x, y, rho, decay = (made[name] for name in ("samples", "labels", "rho", "lambda_"))
    V, v = made["first"], made["second"]
    margins = two_layer_margins(xp, V, v, x, y)
    residual = 1 - rho[:, None] * margins
    inner = xp.sum(x[:, :, None, :] * V[:, None, :, :], axis=-1)
    gates = xp.is_positive(inner)
    # Derivatives of the margins by the layers: (B, n, j, d) and (B, n, j).
    by_first = (y[:, :, None] * v[:, None, :] * gates)[..., None] * x[:, :, None, :]
    by_second = y[:, :, None] * gates * inner
    along_first = residual[:, :, None, None] * (
        by_first - margins[:, :, None, None] * V[:, None, :, :]
    )
    along_second = residual[:, :, None] * (by_second - margins[:, :, None] * v[:, None, :])
    by_rho = -2 * xp.mean(residual * margins, axis=-1) + 2 * decay * rho
    loss = square_loss(xp, margins, rho, decay)
    least = xp.sum(gaps * gaps, axis=-1) / 2 + decay * rho * rho
    rivals = 1 - two_layer_margins(xp, first, second, x, y)
    sizes = xp.sum(square_norm(xp, first), axis=-1) * square_norm(xp, second)
    determinant = V[:, 0, 0] * V[:, 1, 1] - V[:, 0, 1] * V[:, 1, 0]
    ones = 0 * rho + 1
    masses = (1 - gaps) * gaps / made["kappa"][:, None] / rho[:, None]
    return Judgement(
        (),
        (
            Comparison("norm of layer 1", xp.sum(square_norm(xp, V), axis=-1), ones, "="),
            Comparison("norm of layer 2", square_norm(xp, v), ones, "="),
            Comparison("margins", rho[:, None] * margins, 1 - gaps, "="),
            Comparison("gradient in rho", by_rho, 0 * by_rho, "="),
            Comparison("gradient in V_1", xp.mean(along_first, axis=1), 0 * along_first[:, 0], "="),
            Comparison(
                "gradient in V_2", xp.mean(along_second, axis=1), 0 * along_second[:, 0], "="
            ),
            Comparison("loss", loss, least, "="),
            Comparison("least loss", least, xp.mean(rivals * rivals, axis=-1) + decay * sizes),
            Comparison(
                "rank two",
                determinant * determinant,
                masses[:, 0] * masses[:, 1] / (1 + slope * slope),
                "=",
            ),
        ),
    )


def largest_equal_margins(
    xp: Any, *, margins: Any, rho: Any, lambda_: Any, level: Any
) -> Judgement:
    """The loss beside that of equal margins `level`, and beside the largest mean margin."""
    mu, square, variance = moments(xp, margins)
    total = square + lambda_
    loss = square_loss(xp, margins, rho, lambda_)
    offset = rho - mu / total
    worse = level * level * variance - lambda_ * (mu * mu - level * level)
    largest = xp.maximum(level, xp.abs(mu))
    gap = equilibrium_loss(xp, lambda_=lambda_, mu=xp.abs(mu), variance=variance)
    return Judgement(
        (),
        (
            Comparison(
                "excess over equal margins",
                loss - quasi_interpolation_gap(xp, lambda_=lambda_, mu=level),
                total * offset * offset + worse / (total * (level * level + lambda_)),
                "=",
            ),
            Comparison(
                "least loss", quasi_interpolation_gap(xp, lambda_=lambda_, mu=largest), loss
            ),
            Comparison("mean gap", 1 - mu / total * mu, gap, "="),
            Comparison(
                "gap of equal margins",
                quasi_interpolation_gap(xp, lambda_=lambda_, mu=xp.abs(mu)),
                gap,
            ),
        ),
    )


_TWO_SAMPLES = (
    Field("gaps", ("two",), "proportion"),
    Field("scale", (), "proportion"),
    Field("slope", (), "positive"),
)

LEMMA_6 = Statement(
    id="square:lemma-6",
    kind="lemma",
    title="Converged networks and symmetric quasi-interpolation",
    source=Source("square", "Lemma 6"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "at a global minimum, hence at critical points too",
            r"A network of unit layers at a minimum of $\frac1N\sum_n(1 - \rho\bar f_n)^2 + "
            r"\lambda\rho^2$ over $\rho$ and the layers has equal margins and the gap $1 - \rho\mu "
            r"= \frac\lambda{\mu^2+\lambda}$.",
            Claim(equal_at_the_minimum, _TWO_SAMPLES, {}, {"two": lambda sizes: 2}),
            defect="The proof lets mu grow to its maximum and sigma shrink to 0 independently. "
            "They are tied: for two samples of opposite labels at an obtuse angle the global "
            "minimum over two-layer ReLU networks of any width has the gaps 2 lambda rho/|x_n|, "
            "unequal as soon as the two norms are, though the network classifies every sample "
            "rightly and can interpolate any labels. The sharp wording proves that it is the "
            "global minimum, and a critical point away from every kink.",
        ),
        Variant(
            "printed",
            "at rest for every mini-batch",
            r"A network of unit layers for which all gradients vanish for all mini-batches of a "
            r"size $B < N$, with $\lambda > 0$, has equal margins.",
            Claim(equal_at_rest, RESTING, RESTING_SIZES),
            defect="Then rho fbar_n (1 - rho fbar_n) = lambda rho^2 for all n, which leaves the "
            "two margins z and 1 - z: samples of one class on a ray, of two lengths, rest at both "
            "(square:lemma-8).",
        ),
        Variant(
            "corrected",
            "beside equal margins",
            r"For any margins, $\rho$ and level $m > 0$: $\mathcal L - \frac\lambda{m^2+\lambda} "
            r"= (M+\lambda)(\rho - \frac\mu{M+\lambda})^2 + \frac{m^2\sigma^2 - \lambda(\mu^2 - "
            r"m^2)}{(M+\lambda)(m^2+\lambda)}$. So equal margins $m$ are optimal, if they can be "
            r"attained, exactly when every attainable $V$ has $\sigma^2 \ge "
            r"\lambda(\mu^2/m^2 - 1)$; that is so where no mean margin exceeds $m$, and then "
            r"$\mathcal L \ge \frac\lambda{m^2+\lambda}$. At the best $\rho$ the mean gap is "
            r"$\frac{\sigma^2+\lambda}{\mu^2+\sigma^2+\lambda} \ge \frac\lambda{\mu^2+\lambda}$, "
            r"equal only for equal margins.",
            Claim(
                largest_equal_margins,
                (*_MARGIN_FIELDS, Field("level", (), "positive")),
                {"N": (1, 5)},
            ),
            (
                Bound("least loss, and gap of equal margins", quasi_interpolation_gap, "lower"),
                Bound("mean gap at the best rho", equilibrium_loss, "value"),
            ),
            remark="What the proof needs is that equal margins at the largest attainable mean can "
            "be attained. As lambda vanishes the condition becomes: every V has sigma > 0 or "
            "mu <= m.",
        ),
        Variant(
            "sharp",
            "two samples of opposite labels, two-layer networks",
            r"For $x_1, x_2$ of labels $1, -1$ and $\langle x_1, x_2\rangle < 0$, $|x_n| = "
            r"\kappa/\epsilon_n$, $0 < \epsilon_n < 1$, let $\rho = \sum_n\epsilon_n(1-\epsilon_n)"
            r"/\kappa$ and $\lambda = \kappa/(2\rho)$. The least of $\frac12\sum_n(1 - y_n a^\top"
            r"[W x_n]_+)^2 + \lambda|W|_F^2|a|^2$ over networks of every width is $\frac12\sum_n"
            r"\epsilon_n^2 + \lambda\rho^2$. It is attained by one unit a sample: margins $\rho"
            r"\bar f_n = 1 - \epsilon_n$, $\epsilon_n = 2\lambda\rho/|x_n|$, a critical point, "
            r"where $V_1$ has rank 2.",
            Claim(
                two_sample_minimum,
                (*_TWO_SAMPLES, Field("first", ("K", "two")), Field("second", ("K",))),
                {"K": (1, 4)},
                {"two": lambda sizes: 2},
            ),
            remark="Every lambda > 0 for which both samples get a positive margin arises so. "
            "Margins are equal if and only if the norms are; equal norms do not suffice for more "
            "samples: two at the same point count double and get half the gap.",
        ),
    ),
)

STATEMENTS = (PROPERTY_1, LEMMA_6, EQUATION_28, EQUATION_29)
