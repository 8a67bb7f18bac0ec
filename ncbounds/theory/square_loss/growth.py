r"""When rho grows, when it shrinks, and what happens if the loss vanishes: Lemma 3 and Sec. 3.5.

By (6) rho grows exactly while ``mu > rho (M + lambda)``. The text names simpler conditions, which
are read here on linear networks ``f_V(x) = <V, x>`` on orthonormal inputs, where everything is
known: the least rho that interpolates N samples is ``rho_0 = sqrt N``.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, positive, proportion
from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.square_loss.equilibrium import (
    equilibrium,
    moments,
    rate_of_rho,
    regularised_loss,
)
from ncbounds.theory.square_loss.flow_network import (
    DECAY,
    INPUTS,
    LABELS,
    SCALE,
    SIZES,
    WEIGHTS,
    Margins,
    loss_gradient,
    multiplier,
    normalised,
    products,
    same_for_all,
    square_loss,
    within_unit_ball,
)
from ncbounds.theory.square_loss.flow_network import labels as signs
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

_MU = positive("mu", "mean margin", r"\mu")
_LARGEST = proportion("largest", "largest margin", r"\bar f_{\max}")
_LAMBDA = positive("lambda", "weight decay", r"\lambda")
_POSITIVE_DECAY = Field("decay", (), "positive")


@formula(_MU, _LARGEST, _LAMBDA)
def grows_until(xp: Any, mu: Any, largest: Any, lambda_: Any) -> Any:
    """The rho up to which separation makes rho grow."""
    return mu / (mu * largest + lambda_)


# -- Lemma 3: what a small loss leaves of the rates ------------------------------------------------


def vanishing_loss(xp: Any, *, rho: Any, W: Any, v: Any, x: Any, y: Any) -> Judgement:
    """For lambda = 0 the root of the loss bounds the rate of rho, and over rho those of layers."""
    inputs, zero = within_unit_ball(xp, x), 0 * rho
    V, top, _ = normalised(xp, W, v)
    margins = Margins.of(xp, V, top, inputs, y)
    nu = same_for_all(multiplier(rho, margins), W)
    flow = -loss_gradient(xp, rho, V, top, inputs, y, nu, zero)
    data = square_loss(xp, rho, margins.values * signs(y), y)
    room = 4 * rho * rho * data * (1 - margins.M)
    hidden = products(xp, flow.W, flow.W)
    return Judgement(
        (),
        (
            Comparison("rho", flow.rho**2, 4 * data * margins.M),
            Comparison("hidden layers", hidden, room[:, None] + 0 * hidden),
            Comparison("last layer", dot(xp, flow.v, flow.v), room),
            Comparison("margins", xp.max(margins.values**2, axis=-1), 0 * rho + 1),
            Comparison("rho is not small", 1 - xp.sqrt(data), rho),
        ),
    )


def linear_flow(xp: Any, rho: Any, V: Any, x: Any) -> Any:
    """The rate of V by (5) for f_V(x) = <V, x>, the labels being in the inputs (B, N, d)."""
    f = dot(xp, V[:, None, :], x)
    residual = 1 - rho[:, None] * f
    pull = residual[..., None] * (x - V[:, None, :] * f[..., None])
    return 2 * rho[:, None] * xp.mean(pull, axis=1)


def whatever_rho(xp: Any, *, share: Any, factor: Any) -> Judgement:
    """One unit input that rho > 1 interpolates up to a gap below 1/10, under a linear network."""
    rho, zero, gap = 1 + factor, 0 * factor, share / 10
    margin = (1 - gap) / rho
    x = xp.stack([margin, xp.sqrt(1 - margin * margin)], axis=-1)[:, None, :]
    V = xp.stack([zero + 1, zero], axis=-1)
    return Judgement(
        (),
        (Comparison("V", norm(xp, linear_flow(xp, rho, V, x)), 2 * gap),),
    )


LEMMA_3 = Statement(
    id="square:lemma-3",
    kind="lemma",
    title="Rates of rho and of the layers when the loss vanishes",
    source=Source("square", "Lemma 3, Sec. 3.4"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "the rates vanish, for a bounded rho",
            r"For $\lambda = 0$, $\|V_k\| = 1$, $\|x_n\| \le 1$ and any $\rho > 0$: "
            r"$|\bar f_n| \le 1$, $|\dot\rho| \le 2\sqrt{\mathcal LM}$, $\|\dot V_k\| \le 2\rho"
            r"\sqrt{\mathcal L(1 - M)}$ and $\rho \ge 1 - \sqrt{\mathcal L}$. So if $\mathcal L "
            r"\to 0$ then $\dot\rho \to 0$, and $\dot V_k \to 0$ if $\rho$ stays bounded.",
            Claim(vanishing_loss, (SCALE, *WEIGHTS, INPUTS, LABELS), SIZES),
            remark="The proof writes |f-_n| = 1 where at most 1 is meant. That |x_n| <= 1 is used "
            "only for the layers.",
        ),
        Variant(
            "printed",
            "the last step of the proof, whatever rho",
            r"$\|\dot V_k\| \le 2\sqrt{\mathcal L}$ under the same conditions where $\mathcal L "
            r"\le \frac1{100}$; here for $f_V(x) = \langle V, x\rangle$ and one sample.",
            Claim(
                whatever_rho, (Field("share", (), "proportion"), Field("factor", (), "positive"))
            ),
            defect="The proof takes rho to converge since its rate vanishes, which does not "
            "follow: log(1 + t) has a rate that vanishes. The rate of V_k has the factor rho, and "
            "with rho sqrt(L) away from 0 it is not small however small the loss. The same with "
            "any constant in the place of 2.",
        ),
        Variant(
            "printed",
            "rho and V_k themselves converge",
            r"If $\lambda = 0$ and $\mathcal L \to 0$ along the flow then $\rho$ and all $V_k$ "
            r"have limits.",
            undecided="The paper explains convergence as rates that vanish, and shows no more. "
            "Rates that vanish need no limit. Where rho stays bounded, limits are known for flows "
            "of piecewise analytic losses through the inequality of Lojasiewicz; whether the loss "
            "can vanish along a flow with rho unbounded we do not know.",
        ),
    ),
)


# -- Sec. 3.5: small and large rho -----------------------------------------------------------------


def orthonormal(xp: Any, U: Any, rho: Any, lambda_: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The linear network V = U/|U| on inputs e_n, one fewer than dimensions, all labels +1.

    Returns the direction, rho times rho_0 = sqrt N, the mean margin, the rate of rho, and N.
    """
    V = U / norm(xp, U)[:, None]
    N = U.shape[1] - 1
    f = V[:, :-1]
    scale = rho * xp.sqrt(0 * rho + N)
    rate = rate_of_rho(xp, scale, f, 0 * f + 1, lambda_)
    return V, scale, xp.mean(f, axis=-1), rate, N


def small_rho(xp: Any, *, U: Any, share: Any) -> Judgement:
    """Average separability and rho < rho_0 without weight decay: does rho grow?"""
    _, _, mu, rate, _ = orthonormal(xp, U, share, 0 * share)
    return Judgement(
        (Comparison("average separability", 0 * mu, mu),),
        (Comparison("rho grows", 0 * rate, rate),),
    )


def large_rho(xp: Any, *, U: Any, factor: Any, lambda_: Any) -> Judgement:
    """rho > rho_0: does it shrink?"""
    *_, rate, _ = orthonormal(xp, U, 1 + factor, lambda_)
    return Judgement((), (Comparison("rho shrinks", rate, 0 * rate),))


def separable(xp: Any, *, margins: Any, share: Any, decay: Any) -> Judgement:
    """All margins in (0, 1) and rho < 1: does rho grow, with weight decay?"""
    rate = rate_of_rho(xp, share, margins, 0 * margins + 1, decay)
    return Judgement((), (Comparison("rho grows", 0 * rate, rate),))


def falling_rho(xp: Any, *, share: Any, U: Any, x: Any, lambda_: Any) -> Judgement:
    """While rho falls, does the mean margin grow? A linear network, labels in the inputs."""
    V, rho = U / norm(xp, U)[:, None], 1 + share
    f = dot(xp, V[:, None, :], x)
    growth = dot(xp, xp.mean(x, axis=1), linear_flow(xp, rho, V, x))
    rate = rate_of_rho(xp, rho, f, 0 * f + 1, lambda_)
    return Judgement(
        (Comparison("rho falls", rate, 0 * rate),),
        (Comparison("the mean margin grows", 0 * growth, growth),),
    )


def when_rho_grows(xp: Any, *, rho: Any, margins: Any, lambda_: Any) -> Judgement:
    """Separation makes rho grow up to a limit; beyond 1/mu it shrinks."""
    mu, _, M = moments(xp, margins)
    largest = xp.max(margins, axis=-1)
    rate = rate_of_rho(xp, rho, margins, 0 * margins + 1, lambda_)
    pull = 2 * lambda_ * rho
    return Judgement(
        (),
        (
            Comparison("M <= mu max", M, mu * largest),
            Comparison("grows at least", 2 * mu * (1 - rho * largest) - pull, rate),
            Comparison("and so", 2 * mu * (1 - rho) - pull, rate),
            Comparison("grows at most", rate, 2 * mu * (1 - rho * mu) - pull),
        ),
    )


def after_a_turn(xp: Any, *, f: Any, later: Any, share: Any, lambda_: Any) -> Judgement:
    """rho rested, has fallen to a share and still falls: the mean margin has grown as much.

    `f` are the margins at rest, `later` the later ones times the later rho.
    """
    mu, variance, _ = moments(xp, f)
    rho = equilibrium(xp, mu=mu, variance=variance, lambda_=lambda_)
    one, smaller = 0 * f + 1, share * rho
    margins = later / smaller[:, None]
    before = regularised_loss(xp, rho, f, one, lambda_)
    after = regularised_loss(xp, smaller, margins, one, lambda_)
    rate = rate_of_rho(xp, smaller, margins, one, lambda_)
    return Judgement(
        (
            Comparison("average separability at rest", 0 * mu, mu),
            Comparison("the loss has not grown", after, before),
            Comparison("rho still falls", rate, 0 * rate),
        ),
        (Comparison("rho mu has not fallen", rho * mu, smaller * xp.mean(margins, axis=-1)),),
    )


_U = Field("U", ("d",))
_FEW = {"d": (2, 5)}
_SHARE = Field("share", (), "proportion")
_ORTHONORMAL = (
    r"; here for $f_V(x) = \langle V, x\rangle$ on $N < d$ orthonormal inputs, where $\rho_0 = "
    r"\sqrt N$."
)

RHO_GROWTH = Statement(
    id="square:remark-rho-growth",
    kind="remark",
    title="When rho grows and when it shrinks",
    source=Source("square", "Sec. 3.5"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "small rho and average separability",
            r"If $\rho < \rho_0$ and $\mu > 0$ then $\dot\rho \ge 0$, even for $\lambda = 0$"
            + _ORTHONORMAL,
            Claim(small_rho, (_U, _SHARE), {"d": (3, 5)}),
            defect="By (6) rho grows exactly if mu > rho (M + lambda); M is forgotten. Margins 4/5 "
            "and -3/5 have mu = 1/10 and M = 1/2: at lambda = 0 rho falls from 1, which is below "
            "rho_0 = sqrt 2, towards 1/5. Nor is mu > lambda rho enough, which the text "
            "has with weight decay: for one margin 1, lambda = 1/4 and rho = 9/10, rho falls.",
        ),
        Variant(
            "printed",
            "full separability until rho = 1, with weight decay",
            r"If all $0 < \bar f_n < 1$ then $\dot\rho \ge 0$ until $\rho = 1$, for $\lambda > 0$.",
            Claim(
                separable,
                (Field("margins", ("N",), "proportion"), _SHARE, _POSITIVE_DECAY),
                {"N": (1, 5)},
            ),
            defect="The bound rho' >= 2 (mu - rho mu) is (5) without its last term. It holds for "
            "lambda = 0; else equal margins m turn rho at m/(m^2 + lambda), below 1 once lambda > "
            "m - m^2. The text writes f_n > 0 where f-_n > 0 is meant.",
        ),
        Variant(
            "printed",
            "large rho",
            r"If $\rho > \rho_0$ then $\dot\rho \le 0$" + _ORTHONORMAL,
            Claim(large_rho, (_U, Field("factor", (), "positive"), DECAY), _FEW),
            defect="It shrinks exactly if rho > mu/(M + lambda), which directions with small "
            "margins put above rho_0, by any factor: those from which, as the next sentences say, "
            "a large rho interpolates. One sample with the margin 7/25: rho = 2 > rho_0 = 1 grows.",
        ),
        Variant(
            "printed",
            "the mean margin grows while rho falls",
            r"If $\dot\rho < 0$ then the mean margin increases; here for $f_V(x) = \langle V, "
            r"x\rangle$ and $1 < \rho < 2$.",
            Claim(
                falling_rho,
                (_SHARE, _U, Field("x", ("N", "d")), DECAY),
                {"N": (1, 3), "d": (1, 3)},
            ),
            defect="Both may fall at once, and for one sample on a linear network they do: rho' = "
            "2 f (1 - rho f) - 2 lambda rho and mu' = 2 rho (1 - rho f)(|x|^2 - f^2) are both "
            "negative once rho f > 1. What follows from Lemma 4 compares with the moment at which "
            "rho' was 0.",
        ),
        Variant(
            "corrected",
            "separation, and beyond the inverse mean margin",
            r"For margins in $(0, 1)$, $\rho > 0$ and $\lambda \ge 0$: $2\mu(1 - \rho\bar f_{\max})"
            r" - 2\lambda\rho \le \dot\rho \le 2\mu(1 - \rho\mu) - 2\lambda\rho$. So $\rho$ grows "
            r"until $\frac\mu{\mu\bar f_{\max} + \lambda}$, for $\lambda = 0$ at least until $1$, "
            r"and shrinks beyond $\frac1\mu$.",
            Claim(
                when_rho_grows,
                (SCALE, Field("margins", ("N",), "proportion"), DECAY),
                {"N": (1, 8)},
            ),
            (Bound("rho until which it grows", grows_until, "lower"),),
            remark="Both sides are attained by equal margins. The upper side holds for margins of "
            "any sign.",
        ),
        Variant(
            "corrected",
            "since rho turned",
            r"If $\dot\rho = 0$ at some time with $\mu > 0$, and later $\dot\rho \le 0$ at a "
            r"smaller $\rho > 0$ with no larger loss, then $\rho\mu$ is no smaller than it was: "
            r"$\mu$ has grown at least as much as $\rho$ has fallen.",
            Claim(
                after_a_turn,
                (
                    Field("f", ("N",)),
                    Field("later", ("N",), like="f"),
                    _SHARE,
                    DECAY,
                ),
                {"N": (1, 4)},
            ),
            remark="Along the flow the loss never grows (square:lemma-4), so this is what is true "
            "of the text's argument.",
        ),
    ),
)

STATEMENTS = (LEMMA_3, RHO_GROWTH)
