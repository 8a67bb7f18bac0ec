"""Proximity to neural collapse from a near-optimal loss: the objective, and what a loss implies.

`bnwd:proposition-a.1` studies the one-dimensional objective ``f_lambda`` to which weight decay
reduces the problem. `bnwd:theorem-2.1` bounds cosines by the gap of the loss; its sharp variants
are ours: two exact splits of the gap into named defects, and what follows from three measured
numbers (mean loss, feature norm, weight norm).

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
    nonnegative,
    positive,
    proportion,
    real,
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

_C = integer("C", "number of classes", "C", at_least=2)
_LAMBDA = positive("lambda", "weight decay, times the root of C", r"\lambda")
_BELOW_ONE = proportion("lambda", "weight decay, times sqrt C", r"\lambda", one_included=False)
_GAMMA = real("gamma", "product of feature norm and weight norm", r"\gamma")
_EPSILON = nonnegative("epsilon", "gap of the objective or loss above its minimum", r"\epsilon")
_MINIMUM_EXISTS = Condition("lambda < C/(C-1)", lambda xp, C, lambda_, **_: C - (C - 1) * lambda_)


# -- Proposition A.1 ------------------------------------------------------------------------------


@formula(_C, _LAMBDA, _GAMMA)
def objective(xp: Any, C: Any, lambda_: Any, gamma: Any) -> Any:
    """The objective f_lambda(gamma)."""
    return xp.log1p((C - 1) * xp.exp(-C / (C - 1) * gamma)) + lambda_ * gamma


@formula(_C, _LAMBDA, conditions=(_MINIMUM_EXISTS,))
def minimiser(xp: Any, C: Any, lambda_: Any) -> Any:
    """The minimiser gamma* of f_lambda."""
    return (C - 1) / C * xp.log((C - (C - 1) * lambda_) / lambda_)


@formula(_C, _BELOW_ONE)
def printed_minimum(xp: Any, C: Any, lambda_: Any) -> Any:
    """Minimum of f_lambda as printed."""
    p = (C - 1) / C * lambda_
    return xp.log(1 - p) + p * xp.log((C - (C - 1) * lambda_) / lambda_)


@formula(_C, _LAMBDA, conditions=(_MINIMUM_EXISTS,))
def minimum(xp: Any, C: Any, lambda_: Any) -> Any:
    """Minimum of f_lambda."""
    p = (C - 1) / C * lambda_
    return p * xp.log((C - (C - 1) * lambda_) / lambda_) - xp.log(1 - p)


@formula(_C, _BELOW_ONE)
def minimiser_order(xp: Any, C: Any, lambda_: Any) -> Any:
    """Upper bound on the minimiser: the least multiple of log(1/lambda) that works."""
    return (C - 1) * xp.log(1 / lambda_)


@formula(_C, _BELOW_ONE, _EPSILON)
def printed_radius(xp: Any, C: Any, lambda_: Any, epsilon: Any) -> Any:
    """Distance of near-minimisers from gamma*, with the constant of the printed proof."""
    return xp.sqrt(C * epsilon / ((C - 1) * lambda_))


@formula(_C, _BELOW_ONE, _EPSILON)
def typeset_radius(xp: Any, C: Any, lambda_: Any, epsilon: Any) -> Any:
    """Distance of near-minimisers from gamma*, the last line of the proof as typeset."""
    return xp.sqrt(C * epsilon / ((C - 1) * lambda_) * epsilon)


@formula(_C, _BELOW_ONE, _EPSILON)
def ordered_radius(xp: Any, C: Any, lambda_: Any, epsilon: Any) -> Any:
    """Distance of near-minimisers from gamma*, with a constant that depends on C."""
    return xp.sqrt(5 * (C - 1) * epsilon / lambda_)


@formula(_C, _LAMBDA, _EPSILON, conditions=(_MINIMUM_EXISTS,))
def near_minimiser_radius(xp: Any, C: Any, lambda_: Any, epsilon: Any) -> Any:
    """Distance of epsilon-near minimisers of f_lambda from gamma*, for every epsilon."""
    p = (C - 1) / C * lambda_
    q = epsilon / (p * (1 - p))
    return (C - 1) / C * (q + xp.sqrt(q * q + 8 * q)) / 2


def minimum_claim(value: Any) -> Any:
    """Return the claim that `value` is the minimum of f_lambda, attained at gamma*."""

    def judge(xp: Any, *, C: Any, gamma: Any, **weight: Any) -> Judgement:
        lambda_ = decay(C, **weight)
        least = value(xp, C=C, lambda_=lambda_)
        at_minimiser = objective(
            xp, C=C, lambda_=lambda_, gamma=minimiser(xp, C=C, lambda_=lambda_)
        )
        anywhere = objective(xp, C=C, lambda_=lambda_, gamma=gamma)
        return Judgement(
            (),
            (
                Comparison("attained at gamma*", at_minimiser, least, "="),
                Comparison("least", least, anywhere),
            ),
        )

    return judge


def decay(C: Any, *, lambda_: Any = None, share: Any = None) -> Any:
    """The weight decay of an instance: below 1 as itself, below C/(C-1) as a share of that."""
    return lambda_ if share is None else share * C / (C - 1)


def minimiser_order_claim(xp: Any, *, C: Any, lambda_: Any) -> Judgement:
    """0 <= gamma* <= (C - 1) log(1/lambda) for lambda < 1."""
    place = minimiser(xp, C=C, lambda_=lambda_)
    return Judgement(
        (),
        (
            Comparison("upper", place, minimiser_order(xp, C=C, lambda_=lambda_)),
            Comparison("lower", 0 * place, place),
        ),
    )


def near_minimiser_claim(radius: Any, small: Any = None) -> Any:
    """Return the claim that epsilon-near minimisers lie within `radius` of gamma*.

    The instance gives the minimiser an `offset`. `small(C, lambda_, epsilon)` is a pair of which
    the first must not exceed the second, for "epsilon much smaller than lambda".
    """

    def judge(xp: Any, *, C: Any, offset: Any, epsilon: Any, **weight: Any) -> Judgement:
        lambda_ = decay(C, **weight)
        best = minimiser(xp, C=C, lambda_=lambda_)
        value = objective(xp, C=C, lambda_=lambda_, gamma=best + offset)
        least = objective(xp, C=C, lambda_=lambda_, gamma=best)
        hypotheses = [Comparison("near-optimal", value, least + epsilon)]
        if small is not None:
            hypotheses.append(Comparison("small epsilon", *small(C, lambda_, epsilon)))
        reach = radius(xp, C=C, lambda_=lambda_, epsilon=epsilon)
        return Judgement(tuple(hypotheses), (Comparison("distance", xp.abs(offset), reach),))

    return judge


def far_smaller(C: Any, lambda_: Any, epsilon: Any) -> tuple[Any, Any]:
    """Epsilon at most lambda / 10^6."""
    return 10**6 * epsilon, lambda_


def smaller_for_each_c(C: Any, lambda_: Any, epsilon: Any) -> tuple[Any, Any]:
    """Epsilon at most lambda (C-1)/C^2."""
    return C * C * epsilon, (C - 1) * lambda_


_C_FIELD = Field("C", (), "integer", least=2)
_LAMBDA_FIELD = Field("lambda_", (), "proportion")
_SHARE_FIELD = Field("share", (), "proportion")


def _near_fields(weight: Field) -> tuple[Field, ...]:
    budget = Field("epsilon", (), "budget", hypothesis="near-optimal")
    return (_C_FIELD, weight, Field("offset"), budget)


PROPOSITION_A_1 = Statement(
    id="bnwd:proposition-a.1",
    kind="proposition",
    title="Minimum, minimiser and near-minimisers of the regularised objective",
    source=Source("bnwd", "Proposition A.1, A.4"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "minimum value",
            r"For $0 < \lambda < 1$ the function $f_\lambda(\gamma) = \log(1 + (C-1) "
            r"e^{-\frac{C}{C-1}\gamma}) + \lambda\gamma$ has the minimum "
            r"$\log(1 - \frac{C-1}{C}\lambda) + \frac{C-1}{C}\lambda "
            r"\log\frac{C-(C-1)\lambda}{\lambda}$, attained at $\gamma^*$.",
            Claim(minimum_claim(printed_minimum), (_C_FIELD, _LAMBDA_FIELD, Field("gamma"))),
            (Bound("minimum of f_lambda", printed_minimum, "value"),),
            defect="The sign of the first logarithm: the paper's own stationarity equation gives "
            "1 + (C-1) exp(-C gamma*/(C-1)) = 1/(1 - (C-1) lambda/C), so it enters with a minus. "
            "As printed the minimum of a positive function is negative for lambda near 1.",
        ),
        Variant(
            "printed",
            "order of the minimiser",
            r"$0 \le \gamma^* = O(\log\frac1\lambda)$ for $\lambda < 1$, read with the constant "
            r"$C - 1$: $\gamma^* \le (C-1)\log\frac1\lambda$.",
            Claim(minimiser_order_claim, (_C_FIELD, _LAMBDA_FIELD)),
            (
                Bound("minimiser gamma*", minimiser, "value"),
                Bound("minimiser gamma*", minimiser_order, "upper"),
            ),
            remark="C - 1 is the least constant: the ratio tends to it as lambda tends to 1, and "
            "to (C-1)/C as lambda tends to 0. No constant serves all C.",
        ),
        Variant(
            "printed",
            "near-minimisers, a constant for each C",
            r"If $f_\lambda(\gamma) \le f_\lambda(\gamma^*) + \epsilon$ then "
            r"$|\gamma - \gamma^*| \le \sqrt{O(1/\lambda)\epsilon}$, read with the constant "
            r"$5(C-1)$ and, for $\epsilon \ll \lambda$, $\epsilon \le \frac{C-1}{C^2}\lambda$.",
            Claim(
                near_minimiser_claim(ordered_radius, smaller_for_each_c),
                _near_fields(_LAMBDA_FIELD),
            ),
            (Bound("distance of near-minimisers from gamma*", ordered_radius, "upper"),),
            remark="What the proposition itself states is true in this sense. No constant serves "
            "all C: as lambda tends to 1 the least one is 2(C-1) to first order.",
        ),
        Variant(
            "printed",
            "near-minimisers, constant of the proof",
            r"If $f_\lambda(\gamma) \le f_\lambda(\gamma^*) + \epsilon$ with "
            r"$\epsilon \ll \lambda$ (here $\epsilon \le 10^{-6}\lambda$) then "
            r"$|\gamma - \gamma^*| \le \sqrt{\frac{C\epsilon}{(C-1)\lambda}}$.",
            Claim(near_minimiser_claim(printed_radius, far_smaller), _near_fields(_LAMBDA_FIELD)),
            (Bound("distance of near-minimisers from gamma*", printed_radius, "upper"),),
            defect="The second derivative at gamma* is k lambda (1 - lambda/k) with k = C/(C-1), "
            "so the true radius is sqrt(2 epsilon / (k lambda (1 - lambda/k))) to first order: "
            "larger than printed for every lambda once C >= 4. The proof bounds the objective "
            "from above where it needs a bound from below, and exp(-ku) from below by "
            "1 - ku + u^2/2, with the second-order term of exp(-u).",
        ),
        Variant(
            "printed",
            "near-minimisers, last line of the proof as typeset",
            r"The same with $|\gamma - \gamma^*| \le "
            r"\sqrt{\frac{C\epsilon}{(C-1)\lambda}\epsilon}$.",
            Claim(near_minimiser_claim(typeset_radius, far_smaller), _near_fields(_LAMBDA_FIELD)),
            (Bound("distance of near-minimisers from gamma*", typeset_radius, "upper"),),
            defect="A second epsilon under the root, surely a slip: the text uses the radius "
            "without it.",
        ),
        Variant(
            "corrected",
            "minimum value",
            r"For $0 < \lambda < \frac{C}{C-1}$ the minimum is $\frac{C-1}{C}\lambda "
            r"\log\frac{C-(C-1)\lambda}{\lambda} - \log(1 - \frac{C-1}{C}\lambda)$, attained at "
            r"$\gamma^* = \frac{C-1}{C}\log\frac{C-(C-1)\lambda}{\lambda}$.",
            Claim(minimum_claim(minimum), (_C_FIELD, _SHARE_FIELD, Field("gamma"))),
            (
                Bound("minimum of f_lambda", minimum, "value"),
                Bound("minimiser gamma*", minimiser, "value"),
            ),
        ),
        Variant(
            "corrected",
            "near-minimisers",
            r"For every $\epsilon \ge 0$ and $0 < \lambda < \frac{C}{C-1}$, with "
            r"$p = \frac{C-1}{C}\lambda$ and $q = \frac{\epsilon}{p(1-p)}$: "
            r"$|\gamma - \gamma^*| \le \frac{C-1}{2C}(q + \sqrt{q^2 + 8q})$.",
            Claim(near_minimiser_claim(near_minimiser_radius), _near_fields(_SHARE_FIELD)),
            (Bound("distance of near-minimisers from gamma*", near_minimiser_radius, "upper"),),
            remark="Exact to first order as epsilon vanishes; no smallness is assumed.",
        ),
    ),
)


# -- Theorem 2.1: the setting ---------------------------------------------------------------------


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


# -- Theorem 2.1: as printed ----------------------------------------------------------------------

_ALPHA = positive("alpha", "bound on the root mean square feature norm", r"\alpha")
_BETA = positive("beta", "bound on the root mean square weight norm", r"\beta")
_DELTA = proportion("delta", "fraction of classes or pairs given up", r"\delta")
_KAPPA = positive("kappa", "the paper's unspecified constant", r"\kappa")
_LOSS = positive("L", "mean cross-entropy loss", "L")
_BELOW_LOG_C = Condition("L <= log C", lambda xp, C, L, **_: xp.log(C) - L, strict=False)


@formula(_C, _ALPHA, _BETA)
def minimum_loss(xp: Any, C: Any, alpha: Any, beta: Any) -> Any:
    """Least mean loss under the norm bounds."""
    return xp.log1p((C - 1) * xp.exp(-C / (C - 1) * alpha * beta))


@formula(_C, _ALPHA, _BETA, _EPSILON, _DELTA, _KAPPA)
def printed_intra(
    xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any, kappa: Any
) -> Any:
    """Printed lower bound on the intra-class cosine of most classes."""
    growth = xp.exp(kappa * C * alpha * beta)
    return 1 - (C - 1) / (C * alpha * beta) * xp.sqrt(128 * epsilon * (1 - delta) * growth / delta)


@formula(_C, _ALPHA, _BETA, _EPSILON, _DELTA, _KAPPA)
def printed_nc3(
    xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any, kappa: Any
) -> Any:
    """Printed lower bound on the cosine of weights and class means of most classes."""
    growth = xp.exp(kappa * C * alpha * beta)
    return 1 - 2 * xp.sqrt(2 * epsilon * (1 - delta) * growth / delta)


@formula(_C, _ALPHA, _BETA, _EPSILON, _DELTA, _KAPPA)
def printed_inter(
    xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any, kappa: Any
) -> Any:
    """Printed upper bound on the inter-class cosine of most pairs of classes."""
    size = xp.exp(kappa * C * alpha * beta) / (alpha * beta) * xp.sqrt(2 * epsilon / delta)
    return -1 / (C - 1) + C / (C - 1) * size + 4 * xp.root(2 * size, 3) + xp.sqrt(size)


def printed_theorem_claim(conclude: Any) -> Any:
    """Return one conclusion of Theorem 2.1 for a small kappa, where nothing may be given up.

    `conclude(xp, w, h, numbers, share)` gives the comparison and delta: a share < 1 of one class
    or pair, so that "at least a fraction 1 - delta" means all. "Small" is read as
    kappa <= 1/10, "much smaller" as a factor 1000.
    """

    def judge(
        xp: Any,
        *,
        w: Any,
        h: Any,
        alpha: Any,
        beta: Any,
        epsilon: Any,
        share: Any,
        kappa: Any,
    ) -> Judgement:
        net = last_layer(xp, h, w)
        numbers = {"C": 0 * alpha + net.C, "alpha": alpha, "beta": beta}
        optimum = minimum_loss(xp, **numbers)
        whole = {**numbers, "epsilon": epsilon, "kappa": kappa}
        conclusion, delta = conclude(xp, w, h, whole, share)
        return Judgement(
            hypotheses=(
                Comparison("feature norms", net.alpha, alpha),
                Comparison("weight norms", net.beta, beta),
                Comparison("near-optimal loss", net.loss, optimum + epsilon),
                Comparison("small epsilon/delta", 1000 * epsilon, delta),
                Comparison("small kappa", 10 * kappa, 1 + 0 * kappa),
            ),
            conclusions=(conclusion,),
        )

    return judge


def mean_directions(xp: Any, h: Any) -> Any:
    """Means of the normalised features of each class: (B, C, N, d) to (B, C, d)."""
    return xp.mean(h / xp.sqrt(square_norm(xp, h))[..., None], axis=2)


def conclude_intra(xp: Any, w: Any, h: Any, numbers: Any, share: Any) -> tuple[Comparison, Any]:
    """The intra-class cosine of every class."""
    delta = share / w.shape[1]
    worst = xp.min(square_norm(xp, mean_directions(xp, h)), axis=-1)
    bound = printed_intra(xp, **numbers, delta=delta)
    return Comparison("intra-class cosine", bound, worst), delta


def conclude_nc3(xp: Any, w: Any, h: Any, numbers: Any, share: Any) -> tuple[Comparison, Any]:
    """The cosine of centred weight and class mean of every class."""
    delta = share / w.shape[1]
    wdot, means = w - xp.mean(w, axis=1)[:, None, :], xp.mean(h, axis=2)
    lengths = xp.sqrt(square_norm(xp, wdot) * square_norm(xp, means))
    worst = xp.min(xp.sum(wdot * means, axis=-1) / lengths, axis=-1)
    bound = printed_nc3(xp, **numbers, delta=delta)
    return Comparison("cosine of weights and class means", bound, worst), delta


def conclude_inter(xp: Any, w: Any, h: Any, numbers: Any, share: Any) -> tuple[Comparison, Any]:
    """The inter-class cosine of every pair of classes."""
    C = w.shape[1]
    delta = share * 2 / (C * (C - 1))
    directions = mean_directions(xp, h)
    pairs = [
        xp.sum(directions[:, c] * directions[:, r], axis=-1) for c in range(C) for r in range(c)
    ]
    worst = xp.max(xp.stack(pairs, axis=1), axis=-1)
    bound = printed_inter(xp, **numbers, delta=delta)
    return Comparison("inter-class cosine", worst, bound), delta


# -- Theorem 2.1: sharp ---------------------------------------------------------------------------


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


def log_identity(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The exact split of T - phi^{-1}(L): misalignment, off-class logits, dispersion."""
    net = last_layer(xp, h, w)
    T = net.k * net.alpha * net.b
    mean_margin = class_mean(xp, net.margins)
    log_odds = phi_inverse(xp, net.losses, net.C - 1)
    from_loss = phi_inverse(xp, net.loss, net.C - 1)
    mean_odds = class_mean(xp, log_odds)
    mean_off_class = class_mean(xp, net.off_class)
    return Judgement(
        (),
        (
            Comparison("log-odds of a sample", log_odds, net.margins - net.off_class, "="),
            Comparison(
                "split of the gap",
                T - from_loss,
                (T - mean_margin) + mean_off_class + (mean_odds - from_loss),
                "=",
            ),
            Comparison("misalignment >= 0", mean_margin, T),
            Comparison("off-class logits >= 0", 0 * net.off_class, net.off_class),
            Comparison("dispersion >= 0", from_loss, mean_odds),
        ),
    )


def gap_identity(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The exact split of the loss gap L - m at the norms alpha and beta that w and h have."""
    net = last_layer(xp, h, w)
    rivals = net.C - 1
    A = net.alpha * net.beta
    m = phi(xp, net.k * A, rivals)
    sigma = -xp.expm1(-m)
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    scaled = (
        h / net.alpha[:, None, None, None] - wdot[:, :, None, :] / net.beta[:, None, None, None]
    )
    excess = net.losses - phi(xp, net.margins, rivals)
    spread = bregman(xp, net.margins - (net.k * A)[:, None, None], sigma[:, None, None])
    misaligned = class_mean(xp, square_norm(xp, scaled)) + net.centre / (net.beta * net.beta)
    return Judgement(
        (),
        (
            Comparison(
                "split of the gap",
                net.loss - m,
                class_mean(xp, spread)
                + net.k * sigma * A / 2 * misaligned
                + class_mean(xp, excess),
                "=",
            ),
            Comparison("spread of margins >= 0", 0 * spread, spread),
            Comparison("off-class excess >= 0", phi(xp, net.margins, rivals), net.losses),
        ),
    )


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
    distance = h / net.alpha[:, None, None, None] - wdot[:, :, None, :] / net.b[:, None, None, None]
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
                class_mean(xp, square_norm(xp, distance)),
                sharp_distance(xp, **numbers, beta=net.b),
            ),
        ),
    )


_WEIGHTS = Field("w", ("C", "d"))
_FEATURES = Field("h", ("C", "N", "d"), like="w")
_NETWORK_SIZES = {"C": (2, 8), "N": (1, 8), "d": (1, 12)}

_PRINTED_HYPOTHESES = (
    r"If $C \ge 3$, the norms are at most $\alpha$ and $\beta$, $\mathcal L \le m + \epsilon$ "
    r"and $\epsilon/\delta$ is small then, for small constant $\kappa > 0$ (here every $\kappa "
    r"\le \frac1{10}$), "
)
_PRINTED_DOMAIN: tuple[Any, ...] = (
    (
        _WEIGHTS,
        _FEATURES,
        Field("alpha", (), "budget", hypothesis="feature norms"),
        Field("beta", (), "budget", hypothesis="weight norms"),
        Field("epsilon", (), "budget", hypothesis="near-optimal loss"),
        Field("share", (), "proportion"),
        Field("kappa", (), "positive"),
    ),
    {"C": (3, 5), "N": (1, 4), "d": (3, 8)},
    {"d": lambda sizes: max(sizes["d"], sizes["C"])},
)
_SMALL_KAPPA = (
    "The growth exp(kappa C alpha beta) stands for the inverse of the modulus of "
    "log(1 + (C-1) e^x) on the whole range that the norms allow, which needs kappa > 1. With a "
    "kappa much below 1/(C-1) the bound closes while the loss gap, of the order "
    "exp(-C alpha beta/(C-1)), still leaves room for large angles."
)

THEOREM_2_1 = Statement(
    id="bnwd:theorem-2.1",
    kind="theorem",
    title="Proximity to neural collapse from a near-optimal loss and bounded norms",
    source=Source("bnwd", "Theorem 2.1, Sec. 2.3 and A.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "intra-class cosine, every small kappa",
            _PRINTED_HYPOTHESES + r"$\mathrm{intra}_c \ge 1 - \frac{C-1}{C\alpha\beta} "
            r"\sqrt{128\,\epsilon(1-\delta)e^{\kappa C\alpha\beta}/\delta}$ for at least a "
            r"fraction $1 - \delta$ of the classes.",
            Claim(printed_theorem_claim(conclude_intra), *_PRINTED_DOMAIN),
            (Bound("intra-class cosine of most classes", printed_intra, "lower", 0),),
            defect=_SMALL_KAPPA,
        ),
        Variant(
            "printed",
            "NC3, every small kappa",
            _PRINTED_HYPOTHESES + r"the cosine of $\dot w_c$ and the class mean is at least "
            r"$1 - 2\sqrt{2\epsilon(1-\delta)e^{\kappa C\alpha\beta}/\delta}$ for at least a "
            r"fraction $1 - \delta$ of the classes.",
            Claim(printed_theorem_claim(conclude_nc3), *_PRINTED_DOMAIN),
            (Bound("cosine of weights and class means", printed_nc3, "lower", -1),),
            defect=_SMALL_KAPPA,
        ),
        Variant(
            "printed",
            "inter-class cosine, every small kappa",
            _PRINTED_HYPOTHESES + r"with $x = \frac{e^{\kappa C\alpha\beta}}{\alpha\beta}"
            r"\sqrt{2\epsilon/\delta}$, $\mathrm{inter}_{c,c'} \le -\frac1{C-1} + "
            r"\frac{C}{C-1}x + 4(2x)^{1/3} + \sqrt x$ for at least a fraction $1 - \delta$ of "
            "the pairs.",
            Claim(printed_theorem_claim(conclude_inter), *_PRINTED_DOMAIN),
            (Bound("inter-class cosine of most pairs", printed_inter, "upper", 1),),
            defect=_SMALL_KAPPA,
        ),
        Variant(
            "printed",
            "some kappa",
            r"The same for some constant $\kappa$ that does not depend on the network, and for "
            r"$\epsilon/\delta$ below some threshold.",
            undecided="The paper fixes neither kappa nor the threshold. Deciding it needs the "
            "explicit version of the paper's route, which is not written yet.",
        ),
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
    ),
)

STATEMENTS = (PROPOSITION_A_1, THEOREM_2_1)
