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
    nonnegative,
    positive,
    proportion,
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
_EPSILON = nonnegative("epsilon", "gap of the loss above its minimum", r"\epsilon")


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


# -- as printed ----------------------------------------------------------------------

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
    or pair, so that "at least a fraction 1 - delta" means all. A small kappa is one below 1/10
    (the instance has ten times it), "much smaller" is a factor 1000.
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
        ten_kappa: Any,
    ) -> Judgement:
        net = last_layer(xp, h, w)
        numbers = {"C": 0 * alpha + net.C, "alpha": alpha, "beta": beta}
        optimum = minimum_loss(xp, **numbers)
        whole = {**numbers, "epsilon": epsilon, "kappa": ten_kappa / 10}
        conclusion, delta = conclude(xp, w, h, whole, share)
        return Judgement(
            hypotheses=(
                Comparison("feature norms", net.alpha, alpha),
                Comparison("weight norms", net.beta, beta),
                Comparison("near-optimal loss", net.loss, optimum + epsilon),
                Comparison("small epsilon/delta", 1000 * epsilon, delta),
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


# -- sharp ---------------------------------------------------------------------------


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
    r"< \frac1{10}$), "
)
_PRINTED_DOMAIN: tuple[Any, ...] = (
    (
        _WEIGHTS,
        _FEATURES,
        Field("alpha", (), "budget", hypothesis="feature norms"),
        Field("beta", (), "budget", hypothesis="weight norms"),
        Field("epsilon", (), "budget", hypothesis="near-optimal loss"),
        Field("share", (), "proportion"),
        Field("ten_kappa", (), "proportion"),
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

STATEMENTS = (THEOREM_2_1,)
