"""The regularised loss of `bnwd:theorem-2.2`: its least value, and what more weight decay does.

``L_reg = L + lambda/2 (|gamma|^2 + ||W||_F^2)`` with a batch norm of weights gamma before the last
layer, so that ``|gamma|`` is the root mean square feature norm alpha (`bnwd:proposition-2.1`). The
product ``alpha beta`` then has the weight decay ``sqrt(C) lambda`` of `bnwd:proposition-a.1`.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import Condition, formula, integer, positive, proportion
from ncbounds.theory.proximity.near_optimal_loss import (
    Network,
    bregman,
    class_mean,
    last_layer,
    phi,
    square_distance,
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
from ncbounds.theory.weight_decay import objective

_C = integer("C", "number of classes", "C", at_least=2)
_LAMBDA = positive("lambda", "weight decay", r"\lambda")
_COMBINED = proportion("lambda", "weight decay, times sqrt C", r"\lambda", one_included=False)
_KAPPA = positive("kappa", "the paper's unspecified constant", r"\kappa")
_BELOW = Condition("sqrt(C) lambda < 1", lambda xp, C, lambda_, **_: 1 - C * lambda_ * lambda_)


# -- the least regularised loss --------------------------------------------------------------


@formula(_C, _LAMBDA, conditions=(_BELOW,))
def printed_least(xp: Any, C: Any, lambda_: Any) -> Any:
    """Least regularised loss as printed."""
    root = xp.sqrt(C)
    p = (C - 1) / root * lambda_
    return xp.log(1 - p) + p * xp.log(root / lambda_ - (C - 1))


@formula(_C, _LAMBDA, conditions=(_BELOW,))
def least(xp: Any, C: Any, lambda_: Any) -> Any:
    """Least regularised loss."""
    root = xp.sqrt(C)
    p = (C - 1) / root * lambda_
    return p * xp.log(root / lambda_ - (C - 1)) - xp.log(1 - p)


def regularised_split(xp: Any, net: Network, w: Any, h: Any, lambda_: Any) -> dict[str, Any]:
    """L_reg - m_reg, as `gap`, and the four non-negative defects that add up to it; (B,).

    `lambda_` (B,) is below ``1/sqrt C``; features h (B, C, N, d) and weights w (B, C, d) are those
    of the network. Expands phi at the margin that is best under the weight decay.
    """
    root = xp.sqrt(0 * lambda_ + net.C)
    combined = root * lambda_
    best = net.k * objective.minimiser(xp, C=0 * lambda_ + net.C, lambda_=combined)
    sigma = combined * (net.C - 1) / net.C
    spread = bregman(xp, net.margins - best[:, None, None], sigma[:, None, None])
    norms = net.alpha * net.alpha + net.C * net.beta * net.beta
    one = 0 * lambda_ + 1
    return {
        "gap": net.loss + lambda_ / 2 * norms - least(xp, C=0 * lambda_ + net.C, lambda_=lambda_),
        "margins": class_mean(xp, spread),
        "self_duality": lambda_ / 2 * square_distance(xp, h, w, one, one / root),
        "centre": lambda_ * net.C / 2 * net.centre,
        "off_class": class_mean(xp, net.losses - phi(xp, net.margins, net.C - 1)),
    }


def least_claim(value: Any) -> Any:
    """Return the claim that `value` is the least regularised loss, attained by a simplex.

    The weight decay is `share` over the root of the number of classes.
    """

    def judge(xp: Any, *, w: Any, h: Any, share: Any) -> Judgement:
        net = last_layer(xp, h, w)
        C, root = net.C, xp.sqrt(0 * share + net.C)
        lambda_ = share / root
        given = {"C": 0 * share + C, "lambda_": lambda_}
        product = objective.minimiser(xp, C=0 * share + C, lambda_=share)
        alpha, beta = xp.sqrt(product * root), xp.sqrt(product / root)
        simplex = [[C - 1 if j == r else -1 for j in range(C)] for r in range(C)]
        rows = xp.stack(
            [xp.stack([0 * share + x for x in row], axis=-1) for row in simplex], axis=1
        )
        rows = rows / xp.sqrt(0 * share + C * (C - 1))[:, None, None]
        best = last_layer(
            xp, (rows * alpha[:, None, None])[:, :, None, :], rows * beta[:, None, None]
        )

        def regularised(of: Any) -> Any:
            return of.loss + lambda_ / 2 * (of.alpha * of.alpha + C * of.beta * of.beta)

        m = value(xp, **given)
        return Judgement(
            (),
            (
                Comparison("least", m, regularised(net)),
                Comparison("attained by a simplex", regularised(best), m, "="),
            ),
        )

    return judge


_NETWORK = (
    (
        Field("w", ("C", "d")),
        Field("h", ("C", "N", "d"), like="w"),
        Field("share", (), "proportion"),
    ),
    {"C": (2, 6), "N": (1, 4), "d": (1, 6)},
)

M_REG = Statement(
    id="bnwd:remark-m-reg",
    kind="remark",
    title="The least regularised loss",
    source=Source("bnwd", "end of A.4"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "the sign as printed",
            r"For $\lambda < 1/\sqrt C$ the least of $\mathcal L + \frac\lambda2(\alpha^2 + "
            r"\|W\|_F^2)$ is $\log(1 - \frac{C-1}{\sqrt C}\lambda) + \frac{C-1}{\sqrt C}\lambda"
            r"\log(\frac{\sqrt C}{\lambda} - (C-1))$.",
            Claim(least_claim(printed_least), *_NETWORK),
            (Bound("least regularised loss", printed_least, "value"),),
            defect="The sign of the first logarithm, from bnwd:proposition-a.1.",
        ),
        Variant(
            "corrected",
            "the other sign",
            r"For $\lambda < 1/\sqrt C$ the least of $\mathcal L + \frac\lambda2(\alpha^2 + "
            r"\|W\|_F^2)$ is $\frac{C-1}{\sqrt C}\lambda\log(\frac{\sqrt C}{\lambda} - (C-1)) - "
            r"\log(1 - \frac{C-1}{\sqrt C}\lambda)$, attained by weights and features at the "
            r"vertices of a simplex with $\alpha = \sqrt C\beta$ and $\alpha\beta = \gamma^*$.",
            Claim(least_claim(least), *_NETWORK),
            (Bound("regularised loss", least, "lower"),),
            remark="The features of the simplex have mean zero, so they are the output of a batch "
            "norm. The minimum needs d >= C - 1; the lower bound does not.",
        ),
    ),
)


# -- the size of gamma* ------------------------------------------------------------------------


@formula(_C, _COMBINED)
def printed_size(xp: Any, C: Any, lambda_: Any) -> Any:
    """Upper bound on the minimiser, as printed."""
    return xp.log(C / lambda_)


@formula(_C, _COMBINED)
def size(xp: Any, C: Any, lambda_: Any) -> Any:
    """Upper bound on the minimiser with the factor that it keeps."""
    return (C - 1) / C * xp.log(C / lambda_)


def size_claim(upper: Any) -> Any:
    """Return the claim that 0 <= gamma* <= upper for a weight decay below 1."""

    def judge(xp: Any, *, C: Any, lambda_: Any) -> Judgement:
        place = objective.minimiser(xp, C=C, lambda_=lambda_)
        return Judgement(
            (),
            (
                Comparison("upper", place, upper(xp, C=C, lambda_=lambda_)),
                Comparison("positive below 1", 0 * place, place),
            ),
        )

    return judge


_SIZE_FIELDS = (Field("C", (), "integer", least=2), Field("lambda_", (), "proportion"))

GAMMA_STAR = Statement(
    id="bnwd:remark-gamma-star",
    kind="remark",
    title="Size of the minimiser of the regularised objective",
    source=Source("bnwd", "Proposition A.1, A.4"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "below log(C/lambda)",
            r"For $0 < \lambda < 1$, $0 \le \gamma^* = \frac{C-1}{C}\log\frac{C-(C-1)\lambda}"
            r"{\lambda} < \log\frac C\lambda$.",
            Claim(size_claim(printed_size), _SIZE_FIELDS),
            (Bound("minimiser gamma*", printed_size, "upper"),),
            remark="The proof of Theorem 2.2 then writes gamma* + r = log(C/lambda) + r, where "
            "'at most' is meant. At lambda = 1 the minimiser is 0.",
        ),
        Variant(
            "sharp",
            "with its factor",
            r"For $0 < \lambda < 1$, $\gamma^* \le \frac{C-1}{C}\log\frac C\lambda$.",
            Claim(size_claim(size), _SIZE_FIELDS),
            (Bound("minimiser gamma*", size, "upper"),),
            remark="The difference vanishes with lambda.",
        ),
    ),
)


# -- more weight decay ---------------------------------------------------------------------------


@formula(_C, _COMBINED, _KAPPA)
def rate(xp: Any, C: Any, lambda_: Any, kappa: Any) -> Any:
    """Logarithm of the factor (C/lambda)^(kappa C) of the rate."""
    return kappa * C * xp.log(C / lambda_)


@formula(_C, _COMBINED, _KAPPA)
def deficit(xp: Any, C: Any, lambda_: Any, kappa: Any) -> Any:
    """Logarithm of the printed intra-class bound's distance from 1 at alpha beta = gamma*."""
    product = objective.minimiser(xp, C=C, lambda_=lambda_)
    growth = kappa * C / 2 * (1 + xp.log(C * xp.sqrt(C) / lambda_))
    return xp.log((C - 1) / C / product) + growth


def monotone_claim(of: Any, within: bool = False) -> Any:
    """Return the claim that ``of(xp, C, lambda_, kappa)`` is no larger for a larger weight decay.

    The smaller weight decay is a `share` of the larger one. With `within` the larger one stays
    where gamma* is not too small.
    """

    def judge(xp: Any, *, C: Any, larger: Any, share: Any, kappa: Any) -> Judgement:
        product = objective.minimiser(xp, C=C, lambda_=larger)
        room = kappa * C * (C - (C - 1) * larger) * product
        limit = (Comparison("gamma* not too small", 2 * (C - 1), room),) if within else ()
        after = of(xp, C=C, lambda_=larger, kappa=kappa)
        before = of(xp, C=C, lambda_=share * larger, kappa=kappa)
        return Judgement(limit, (Comparison("no larger", after, before),))

    return judge


_TWO_DECAYS = (
    Field("C", (), "integer", least=2),
    Field("larger", (), "proportion"),
    Field("share", (), "proportion"),
    Field("kappa", (), "positive"),
)

LAMBDA_MONOTONE = Statement(
    id="bnwd:remark-lambda-monotone",
    kind="remark",
    title="Whether a larger weight decay gives stronger guarantees",
    source=Source("bnwd", "after Theorem 2.2, Sec. 2.3"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "the factor of the rate",
            r"For every $\kappa > 0$ the factor $(C/\lambda)^{\kappa C}$ does not increase with "
            r"$\lambda$.",
            Claim(monotone_claim(rate), _TWO_DECAYS),
            (Bound("logarithm of the factor of the rate", rate, "value"),),
            remark="The text has e^(O(C/lambda)) here, and the theorem (C/lambda)^O(C).",
        ),
        Variant(
            "printed",
            "the whole intra-class bound",
            r"For every $\kappa > 0$, and $\alpha\beta = \gamma^*$ of the weight decay, the "
            r"distance $\frac{C-1}{C\alpha\beta}(\frac{Ce}{\lambda})^{\kappa C/2}"
            r"\sqrt{128\epsilon(1-\delta)/\delta}$ of the intra-class bound from 1 does not "
            r"increase with $\lambda$.",
            Claim(monotone_claim(deficit), _TWO_DECAYS),
            (Bound("logarithm of the distance, less that of the root", deficit, "value"),),
            defect="The rate hides the factor 1/(alpha beta). With more weight decay alpha beta "
            "shrinks, to 0 as sqrt(C) lambda tends to 1, and the bound becomes void.",
        ),
        Variant(
            "corrected",
            "while gamma* is not too small",
            r"With $\Lambda = \sqrt C\lambda$ the same distance does not increase up to any "
            r"$\Lambda$ with $\gamma^* \ge \frac{2(C-1)}{\kappa C(C - (C-1)\Lambda)}$.",
            Claim(monotone_claim(deficit, within=True), _TWO_DECAYS),
            (Bound("logarithm of the distance, less that of the root", deficit, "value"),),
            remark="The limit is exact: beyond it the distance increases.",
        ),
    ),
)

STATEMENTS = (M_REG, GAMMA_STAR, LAMBDA_MONOTONE)
