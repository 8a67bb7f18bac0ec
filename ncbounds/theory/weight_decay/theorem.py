"""`bnwd:theorem-2.2`: proximity to neural collapse with batch norm and weight decay.

With batch norm before the last layer the feature norm alpha is ``|gamma|`` (`bnwd:proposition-2.1`)
and weight decay fixes ``A = alpha beta`` up to the radius of `bnwd:proposition-a.1`; the rest is
`bnwd:theorem-2.1` at these norms. The appendix form keeps 1/(alpha beta) and the constant kappa of
that theorem, the main text hides both in O(C/lambda)^O(C). The sharp forms are those of
`weight_decay_sharp`.

Near-optimal networks are rare among random ones. The printed readings therefore describe a network
by how far it is from the optimal simplex.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import (
    Condition,
    formula,
    nonnegative,
    positive,
)
from ncbounds.theory.proximity.corrected_theorem import OF_A_CLASS, OF_A_PAIR
from ncbounds.theory.proximity.first_steps import CLASSES
from ncbounds.theory.proximity.gaps import modulus
from ncbounds.theory.proximity.most_classes import SHARE, SUBSET, largest
from ncbounds.theory.proximity.near_optimal_loss import last_layer
from ncbounds.theory.proximity.printed_theorem import (
    DELTA,
    KAPPA,
    MOST_DERIVED,
    MOST_SIZES,
    PAIRS,
    given_up,
    inter_class_cosines,
    intra_class_cosines,
    weight_cosines,
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
from ncbounds.theory.weight_decay import objective, sharp_theorem
from ncbounds.theory.weight_decay.sharp_theorem import DECAY, FEATURES, GAP, WEIGHTS, near_optimal

_LAMBDA = positive("lambda", "weight decay", r"\lambda")
_EPSILON = nonnegative("epsilon", "gap of the regularised loss above its minimum", r"\epsilon")
_PRODUCT = positive("product", "product alpha beta of the norms", r"\alpha\beta")


# -- as printed --------------------------------------------------------------------------


@formula(CLASSES, _LAMBDA, _PRODUCT, _EPSILON, DELTA, KAPPA)
def printed_intra(
    xp: Any, C: Any, lambda_: Any, product: Any, epsilon: Any, delta: Any, kappa: Any
) -> Any:
    """Printed lower bound on the intra-class cosine of most classes."""
    growth = xp.exp(kappa * C / 2 * xp.log(C * xp.e / lambda_))
    return 1 - (C - 1) / (C * product) * growth * xp.sqrt(128 * epsilon * (1 - delta) / delta)


@formula(CLASSES, _LAMBDA, _EPSILON, DELTA, KAPPA)
def printed_nc3(xp: Any, C: Any, lambda_: Any, epsilon: Any, delta: Any, kappa: Any) -> Any:
    """Printed lower bound on the cosine of weights and class means of most classes."""
    growth = xp.exp(kappa * C / 2 * xp.log(C * xp.e / lambda_))
    return 1 - 2 * growth * xp.sqrt(2 * epsilon * (1 - delta) / delta)


def near_simplex(xp: Any, w: Any, h: Any, decay: Any) -> tuple[Any, Any]:
    """The optimal network moved by w (B, C, d) and h (B, C, N, d), each over its norm."""
    C, d = w.shape[1:]
    rows = [[(C - 1 if j == c else -1) if j < C else 0 for j in range(d)] for c in range(C)]
    simplex = (
        xp.stack([xp.stack([0 * decay + x for x in row], axis=-1) for row in rows], axis=1)
        / xp.sqrt(0 * decay + C * (C - 1))[:, None, None]
    )
    root = xp.sqrt(0 * decay + C)
    product = objective.minimiser(xp, C=0 * decay + C, lambda_=decay)
    alpha, beta = xp.sqrt(product * root), xp.sqrt(product / root)
    return (
        beta[:, None, None] * (simplex + w),
        alpha[:, None, None, None] * (simplex[:, :, None, :] + h),
    )


def printed_claim(
    xp: Any, *, w: Any, h: Any, decay: Any, epsilon: Any, share: Any, ten_kappa: Any
) -> Judgement:
    """The appendix form for a small kappa, where no class may be given up."""
    C = w.shape[1]
    near, features = near_simplex(xp, w, h, decay)
    net = last_layer(xp, features, near)
    lambda_ = decay / xp.sqrt(0 * decay + C)
    delta = share / C
    given = {
        "C": 0 * decay + C,
        "lambda_": lambda_,
        "epsilon": epsilon,
        "delta": delta,
        "kappa": ten_kappa / 10,
    }
    return Judgement(
        (
            near_optimal(xp, net, lambda_, epsilon),
            Comparison("small epsilon/delta", 1000 * epsilon, delta),
            Comparison("epsilon below lambda", epsilon, lambda_),
        ),
        (
            Comparison(
                "intra-class cosine",
                printed_intra(xp, **given, product=net.alpha * net.beta),
                xp.min(intra_class_cosines(xp, features), axis=-1),
            ),
            Comparison(
                "cosine of weights and class means",
                printed_nc3(xp, **given),
                xp.min(weight_cosines(xp, near, features), axis=-1),
            ),
        ),
    )


def given_up_nearly_all(
    xp: Any, *, w: Any, h: Any, decay: Any, epsilon: Any, share: Any
) -> Judgement:
    """The appendix form at a delta next to 1, chosen for whatever kappa there is.

    With ``1 - delta = (share/C) (lambda/(C e))^(kappa C)`` kappa is gone; delta is at least
    1 - share/C, so one class must obey.
    """
    C = w.shape[1]
    near, features = near_simplex(xp, w, h, decay)
    net = last_layer(xp, features, near)
    lambda_, kept = decay / xp.sqrt(0 * decay + C), share / C
    root = xp.sqrt(2 * epsilon * kept / (1 - kept))
    intra = 1 - 8 * (C - 1) / (C * net.alpha * net.beta) * root
    return Judgement(
        (
            near_optimal(xp, net, lambda_, epsilon),
            Comparison("small epsilon/delta", 1000 * epsilon, 1 - kept),
            Comparison("epsilon below lambda", epsilon, lambda_),
        ),
        (
            Comparison(
                "intra-class cosine", intra, xp.max(intra_class_cosines(xp, features), axis=-1)
            ),
            Comparison(
                "cosine of weights and class means",
                1 - 2 * root,
                xp.max(weight_cosines(xp, near, features), axis=-1),
            ),
        ),
    )


def nearly_too_much_decay(
    xp: Any, *, w: Any, h: Any, tiny: Any, epsilon: Any, share: Any
) -> Judgement:
    """The main text's form where the weight decay leaves next to nothing.

    ``sqrt(C) lambda = 1 - share/10^9``, and the network is `tiny` times 10^-9 times w and h. The
    factor (C/lambda)^O(C) is a constant there, here 100. No class and no pair may be given up.
    """
    C, size = w.shape[1], tiny / 10**9
    near, features = size[:, None, None] * w, size[:, None, None, None] * h
    net = last_layer(xp, features, near)
    lambda_ = (1 - share / 10**9) / xp.sqrt(0 * share + C)
    ratio = epsilon * (C * C)
    return Judgement(
        (
            near_optimal(xp, net, lambda_, epsilon),
            Comparison("small epsilon/delta", 1000 * ratio, 1 + 0 * ratio),
        ),
        (
            Comparison(
                "intra-class cosine",
                1 - 100 * xp.sqrt(ratio),
                xp.min(intra_class_cosines(xp, features), axis=-1),
            ),
            Comparison(
                "inter-class cosine",
                xp.max(inter_class_cosines(xp, features), axis=-1),
                100 * xp.root(ratio, 6) - (1 + 0 * ratio) / (C - 1),
            ),
        ),
    )


# -- corrected ---------------------------------------------------------------------------


def reach(xp: Any, C: Any, lambda_: Any, epsilon: Any) -> tuple[Any, Any]:
    """The least and the largest product of norms of a near-optimal network."""
    combined = xp.sqrt(C) * lambda_
    best = objective.minimiser(xp, C=C, lambda_=combined)
    radius = objective.near_minimiser_radius(xp, C=C, lambda_=combined, epsilon=epsilon)
    return best - radius, best + radius


def scaled_shortfall(
    xp: Any, C: Any, lambda_: Any, epsilon: Any, delta: Any, conditions: int
) -> Any:
    """The number eta of bnwd:theorem-2.1 times the least product, at the largest product."""
    most = reach(xp, C, lambda_, epsilon)[1]
    q = conditions * epsilon / (modulus(xp, C=C, alpha=most, beta=1) * delta)
    return (C - 1) / C * (q + 2 * xp.sqrt(2 * q))


_SMALL = (
    Condition("sqrt(C) lambda < 1", lambda xp, C, lambda_, **_: 1 - C * lambda_ * lambda_),
    Condition(
        "epsilon so small that gamma* exceeds the radius",
        lambda xp, C, lambda_, epsilon, **_: reach(xp, C, lambda_, epsilon)[0],
    ),
)


@formula(CLASSES, _LAMBDA, _EPSILON, DELTA, conditions=_SMALL)
def nc3_of_most(xp: Any, C: Any, lambda_: Any, epsilon: Any, delta: Any) -> Any:
    """Lower bound 1 - eta_2 on the cosine of weight and class mean of most classes."""
    short = scaled_shortfall(xp, C, lambda_, epsilon, delta, OF_A_CLASS)
    return 1 - short / reach(xp, C, lambda_, epsilon)[0]


@formula(CLASSES, _LAMBDA, _EPSILON, DELTA, conditions=_SMALL)
def intra_of_most(xp: Any, C: Any, lambda_: Any, epsilon: Any, delta: Any) -> Any:
    """Lower bound 1 - 8 eta_2 on the intra-class cosine of most classes."""
    short = scaled_shortfall(xp, C, lambda_, epsilon, delta, OF_A_CLASS)
    return 1 - 8 * short / reach(xp, C, lambda_, epsilon)[0]


@formula(CLASSES, _LAMBDA, _EPSILON, DELTA, conditions=_SMALL)
def inter_of_most(xp: Any, C: Any, lambda_: Any, epsilon: Any, delta: Any) -> Any:
    """Upper bound -1/(C-1) + 8 sqrt(eta_5) on the inter-class cosine of most pairs."""
    short = scaled_shortfall(xp, C, lambda_, epsilon, delta, OF_A_PAIR)
    return -1 / (C - 1) + 8 * xp.sqrt(short / reach(xp, C, lambda_, epsilon)[0])


def of_most(
    xp: Any,
    *,
    w: Any,
    h: Any,
    decay: Any,
    epsilon: Any,
    subset: Any,
    pairs: Any,
    share: Any,
) -> Judgement:
    """All three conclusions times the least product of norms, or its square root."""
    net = last_layer(xp, h, w)
    C = 0 * decay + net.C
    lambda_ = decay / xp.sqrt(C)
    delta = given_up(xp, share, subset, pairs)
    low, high = reach(xp, C, lambda_, epsilon)
    product, least = net.alpha * net.beta, xp.maximum(low, 0 * low)
    two, five = (
        scaled_shortfall(xp, C, lambda_, epsilon, delta, n) for n in (OF_A_CLASS, OF_A_PAIR)
    )
    cosine = largest(xp, weight_cosines(xp, w, h), subset)
    intra = largest(xp, intra_class_cosines(xp, h), subset)
    above = 1 / (C - 1) - largest(xp, -inter_class_cosines(xp, h), pairs)
    return Judgement(
        (near_optimal(xp, net, lambda_, epsilon),),
        (
            Comparison("product of norms, at least", low, product),
            Comparison("product of norms, at most", product, high),
            Comparison(
                "cosine of weights and class means",
                least * (1 - xp.maximum(cosine, 0 * cosine)),
                two,
            ),
            Comparison("intra-class cosine", least * (1 - intra), 8 * two),
            Comparison("inter-class cosine", xp.sqrt(least) * above, 8 * xp.sqrt(five)),
        ),
    )


_MOVED = (Field("w", ("C", "d")), Field("h", ("C", "N", "d")))
_SIZES: tuple[Any, ...] = (
    {"C": (3, 5), "N": (1, 3), "d": (3, 6)},
    {"d": lambda sizes: max(sizes["d"], sizes["C"])},
)
_NEAR = (
    r"Let $\lambda < 1/\sqrt C$ and $\mathcal L_{reg} \le m_{reg} + \epsilon$ with $\epsilon < "
    r"\lambda$ and $\epsilon \le \delta/1000$. "
)
_APPENDIX = (
    r"$\mathrm{intra}_c \ge 1 - \frac{C-1}{C\alpha\beta}(\frac{Ce}{\lambda})^{\kappa C/2}\sqrt{128"
    r"\epsilon(1-\delta)/\delta}$ and $\cos(\dot w_c, \tilde h_c) \ge 1 - 2(\frac{Ce}{\lambda})"
    r"^{\kappa C/2}\sqrt{2\epsilon(1-\delta)/\delta}$ for at least a fraction $1 - \delta$ of the "
    "classes"
)
_PRINTED_BOUNDS = (
    Bound("intra-class cosine of most classes", printed_intra, "lower", 0),
    Bound("cosine of weights and class means", printed_nc3, "lower", -1),
)

THEOREM_2_2 = Statement(
    id="bnwd:theorem-2.2",
    kind="theorem",
    title="Proximity to neural collapse with batch norm and weight decay",
    source=Source("bnwd", "Theorem 2.2, Sec. 2.3 and A.4"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "appendix, every small kappa",
            _NEAR + _APPENDIX + r", for small constant $\kappa > 0$, here every $\kappa < \frac1"
            r"{10}$.",
            Claim(
                printed_claim,
                (*_MOVED, DECAY, GAP, SHARE, Field("ten_kappa", (), "proportion")),
                *_SIZES,
            ),
            _PRINTED_BOUNDS,
            defect="A gap of epsilon leaves angles of the order sqrt(epsilon/lambda), so the power "
            "of C/lambda cannot be small. The bound on NC3 has moreover lost the factor "
            "1/(alpha beta), which grows without limit as sqrt(C) lambda tends to 1.",
        ),
        Variant(
            "printed",
            "appendix, some kappa at any delta < 1",
            _NEAR
            + _APPENDIX
            + r", for some $\kappa$ and every $\delta < 1$. Whatever $\kappa$ is, "
            r"let $1 - \delta = \frac sC(\frac{\lambda}{Ce})^{\kappa C}$ with $s < 1$: then "
            r"$\kappa$ drops out, and the bounds are to hold for one class at least.",
            Claim(given_up_nearly_all, (*_MOVED, DECAY, GAP, SHARE), *_SIZES),
            defect="The factor 1 - delta of Theorem 2.1: one class of every near-optimal network "
            "would have to be collapsed.",
        ),
        Variant(
            "printed",
            "main text, constants for each number of classes",
            r"$\mathrm{intra}_c \ge 1 - O((C/\lambda)^{O(C)}\sqrt{\epsilon/\delta})$ and $\mathrm"
            r"{inter}_{c,c'} \le -\frac1{C-1} + O((C/\lambda)^{O(C)}(\epsilon/\delta)^{1/6})$ for "
            r"every $\lambda < 1/\sqrt C$, read with a factor of at most 100 for $\lambda$ next to "
            r"$1/\sqrt C$, and $\epsilon \le \delta/1000$.",
            Claim(
                nearly_too_much_decay,
                (WEIGHTS, FEATURES, Field("tiny", (), "positive"), GAP, SHARE),
                *_SIZES,
            ),
            defect="The factor 1/(alpha beta) of Theorem 2.1 is lost: as sqrt(C) lambda tends to 1 "
            "the optimal product gamma* tends to 0, and the zero network, with features in any "
            "direction, is near-optimal with epsilon of the order (1 - sqrt(C) lambda)^2. Other "
            "constants are beaten by a weight decay nearer to 1/sqrt(C). The appendix form keeps "
            "the factor.",
        ),
        Variant(
            "corrected",
            "every constant explicit",
            r"Let $\Lambda = \sqrt C\lambda < 1$ and $\mathcal L_{reg} \le m_{reg} + \epsilon$ "
            r"for any $C \ge 2$, $\epsilon \ge 0$ and $0 < \delta < 1$, and $\gamma_\pm = "
            r"\gamma^* \pm r$ with the radius $r$ of bnwd:proposition-a.1. Then $\gamma_- \le "
            r"\alpha\beta \le \gamma_+$. Let $\gamma_- > 0$, let $\lambda_+$ be the modulus of "
            r"bnwd:remark-modulus at $\alpha\beta = \gamma_+$, $q_n = \frac{n\epsilon}"
            r"{\lambda_+\delta}$ and $\eta_n = \frac{C-1}{C\gamma_-}(q_n + 2\sqrt{2q_n})$. At "
            r"least a fraction $1 - \delta$ of the classes have $\cos(\dot w_c, \tilde h_c) \ge "
            r"1 - \eta_2$, where that is positive, and $\mathrm{intra}_c \ge 1 - 8\eta_2$; at "
            r"least a fraction $1 - \delta$ of the pairs have $\mathrm{inter}_{c,c'} \le "
            r"-\frac1{C-1} + 8\sqrt{\eta_5}$.",
            Claim(
                of_most,
                (WEIGHTS, FEATURES, DECAY, GAP, SUBSET, PAIRS, SHARE),
                MOST_SIZES,
                MOST_DERIVED,
            ),
            (
                Bound("cosine of weights and class means", nc3_of_most, "lower", 0),
                Bound("intra-class cosine of most classes", intra_of_most, "lower", 0),
                Bound("inter-class cosine of most pairs", inter_of_most, "upper", 1),
            ),
            remark="The claim compares both sides times gamma_-, or its root, so that nothing is "
            "assumed about epsilon. The unregularised gap is at most epsilon because L_reg less "
            "f(alpha beta) is, the printed proof has f(gamma*) there.",
        ),
        *sharp_theorem.SHARP,
    ),
)

STATEMENTS = (THEOREM_2_2,)
