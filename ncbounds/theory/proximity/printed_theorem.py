"""`bnwd:theorem-2.1` as printed, in each sensible reading of its unspecified constant.

The theorem bounds cosines of most classes and of most pairs of classes by the gap of the loss. Its
appendix form has "small constant kappa > 0" and "epsilon/delta << 1"; its main text has O(...).
Read with every small kappa it is false. Read with some kappa it is false too, for two reasons of
which each suffices: the factor 1 - delta under the root, and a number of classes that may be
large. What survives has constants that depend on the number of classes.

The setting is that of `proximity`. The intra-class cosine of a class is the squared norm of the
mean of its normalised features, the inter-class cosine of two classes the inner product of two
such means (`bnwd:lemma-a.3`).
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, nonnegative, positive, proportion
from ncbounds.theory.proximity.first_steps import (
    ALPHA,
    BETA,
    CLASSES,
    FEATURES,
    NORMS,
    WEIGHTS,
    norm_hypotheses,
    numbers,
)
from ncbounds.theory.proximity.most_classes import SHARE, SUBSET, largest
from ncbounds.theory.proximity.near_optimal_loss import last_layer, minimum_loss, square_norm
from ncbounds.theory.terms import Bound, Claim, Comparison, Field, Judgement, Statement, Variant

EPSILON = nonnegative("epsilon", "gap of the loss above its minimum", r"\epsilon")
DELTA = proportion("delta", "fraction of classes or pairs given up", r"\delta")
KAPPA = positive("kappa", "the paper's unspecified constant", r"\kappa")

#: The gap of the loss, and a set of unordered pairs of classes.
GAP = Field("epsilon", (), "budget", hypothesis="near-optimal loss")
PAIRS = Field("pairs", ("P",), "mask")


# -- cosines of classes and pairs ------------------------------------------------------


def mean_directions(xp: Any, h: Any) -> Any:
    """Means of the normalised features of each class: (B, C, N, d) to (B, C, d)."""
    return xp.mean(h / xp.sqrt(square_norm(xp, h))[..., None], axis=2)


def intra_class_cosines(xp: Any, h: Any) -> Any:
    """Intra-class cosine of each class: (B, C, N, d) to (B, C)."""
    return square_norm(xp, mean_directions(xp, h))


def inter_class_cosines(xp: Any, h: Any) -> Any:
    """Inter-class cosine of each unordered pair of classes: (B, C, N, d) to (B, C (C-1)/2)."""
    directions = mean_directions(xp, h)
    return xp.stack(
        [
            xp.sum(directions[:, c] * directions[:, r], axis=-1)
            for c in range(h.shape[1])
            for r in range(c)
        ],
        axis=1,
    )


def weight_cosines(xp: Any, w: Any, h: Any) -> Any:
    """Cosine of centred weight and class mean of each class: (B, C)."""
    wdot, means = w - xp.mean(w, axis=1)[:, None, :], xp.mean(h, axis=2)
    lengths = xp.sqrt(square_norm(xp, wdot) * square_norm(xp, means))
    return xp.sum(wdot * means, axis=-1) / lengths


def given_up(xp: Any, share: Any, subset: Any, pairs: Any) -> Any:
    """A delta of which both sets have more: a share of the smaller of their fractions.

    "At least a fraction 1 - delta of the classes" then says: one of every such set.
    """
    return share * xp.minimum(xp.mean(subset, axis=-1), xp.mean(pairs, axis=-1))


# -- every small kappa ---------------------------------------------------------------


@formula(CLASSES, ALPHA, BETA, EPSILON, DELTA, KAPPA)
def printed_intra(
    xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any, kappa: Any
) -> Any:
    """Printed lower bound on the intra-class cosine of most classes."""
    growth = xp.exp(kappa * C * alpha * beta)
    return 1 - (C - 1) / (C * alpha * beta) * xp.sqrt(128 * epsilon * (1 - delta) * growth / delta)


@formula(CLASSES, ALPHA, BETA, EPSILON, DELTA, KAPPA)
def printed_nc3(
    xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any, kappa: Any
) -> Any:
    """Printed lower bound on the cosine of weights and class means of most classes."""
    growth = xp.exp(kappa * C * alpha * beta)
    return 1 - 2 * xp.sqrt(2 * epsilon * (1 - delta) * growth / delta)


@formula(CLASSES, ALPHA, BETA, EPSILON, DELTA, KAPPA)
def printed_inter(
    xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any, kappa: Any
) -> Any:
    """Printed upper bound on the inter-class cosine of most pairs of classes."""
    size = xp.exp(kappa * C * alpha * beta) / (alpha * beta) * xp.sqrt(2 * epsilon / delta)
    return -1 / (C - 1) + C / (C - 1) * size + 4 * xp.root(2 * size, 3) + xp.sqrt(size)


def printed_theorem_claim(conclude: Any) -> Any:
    """Return one conclusion of Theorem 2.1 for a small kappa, where nothing may be given up.

    `conclude(xp, w, h, given, share)` gives the comparison and delta: a share < 1 of one class
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
        given = numbers(net, alpha, beta)
        optimum = minimum_loss(xp, **given)
        whole = {**given, "epsilon": epsilon, "kappa": ten_kappa / 10}
        conclusion, delta = conclude(xp, w, h, whole, share)
        return Judgement(
            hypotheses=(
                *norm_hypotheses(net, alpha, beta),
                Comparison("near-optimal loss", net.loss, optimum + epsilon),
                Comparison("small epsilon/delta", 1000 * epsilon, delta),
            ),
            conclusions=(conclusion,),
        )

    return judge


def conclude_intra(xp: Any, w: Any, h: Any, given: Any, share: Any) -> tuple[Comparison, Any]:
    """The intra-class cosine of every class."""
    delta = share / w.shape[1]
    worst = xp.min(intra_class_cosines(xp, h), axis=-1)
    return Comparison("intra-class cosine", printed_intra(xp, **given, delta=delta), worst), delta


def conclude_nc3(xp: Any, w: Any, h: Any, given: Any, share: Any) -> tuple[Comparison, Any]:
    """The cosine of centred weight and class mean of every class."""
    delta = share / w.shape[1]
    worst = xp.min(weight_cosines(xp, w, h), axis=-1)
    bound = printed_nc3(xp, **given, delta=delta)
    return Comparison("cosine of weights and class means", bound, worst), delta


def conclude_inter(xp: Any, w: Any, h: Any, given: Any, share: Any) -> tuple[Comparison, Any]:
    """The inter-class cosine of every pair of classes."""
    C = w.shape[1]
    delta = share * 2 / (C * (C - 1))
    worst = xp.max(inter_class_cosines(xp, h), axis=-1)
    return Comparison("inter-class cosine", worst, printed_inter(xp, **given, delta=delta)), delta


_PRINTED_HYPOTHESES = (
    r"If $C \ge 3$, the norms are at most $\alpha$ and $\beta$, $\mathcal L \le m + \epsilon$ "
    r"and $\epsilon/\delta$ is small then, for small constant $\kappa > 0$ (here every $\kappa "
    r"< \frac1{10}$), "
)
_PRINTED_DOMAIN: tuple[Any, ...] = (
    (
        WEIGHTS,
        FEATURES,
        *NORMS,
        GAP,
        SHARE,
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


# -- some kappa: a fraction of nearly all classes --------------------------------------


def given_up_nearly_all(
    xp: Any, *, w: Any, h: Any, alpha: Any, beta: Any, epsilon: Any, share: Any
) -> Judgement:
    """The printed bounds at a delta next to 1, chosen for whatever kappa there is.

    With ``1 - delta = (share/C) e^{-kappa C alpha beta}`` the growth cancels under the root and
    kappa is gone; delta is at least 1 - share/C, so one class must obey.
    """
    net = last_layer(xp, h, w)
    given = numbers(net, alpha, beta)
    kept = share / net.C
    root = xp.sqrt(2 * epsilon * kept / (1 - kept))
    intra = 1 - 8 * (net.C - 1) / (net.C * alpha * beta) * root
    return Judgement(
        (
            *norm_hypotheses(net, alpha, beta),
            Comparison("near-optimal loss", net.loss, minimum_loss(xp, **given) + epsilon),
            Comparison("small epsilon/delta", 1000 * epsilon, 1 - kept),
        ),
        (
            Comparison("intra-class cosine", intra, xp.max(intra_class_cosines(xp, h), axis=-1)),
            Comparison(
                "cosine of weights and class means",
                1 - 2 * root,
                xp.max(weight_cosines(xp, w, h), axis=-1),
            ),
        ),
    )


# -- some kappa: many classes ----------------------------------------------------------


def half_lost(xp: Any, *, n: Any, size: Any, share: Any, part: Any) -> Judgement:
    """The printed bounds at a network that has lost n of its 2n classes.

    The weights of the other n classes are a simplex, and so are their features. The lost classes
    have no weights and tiny features orthogonal to all weights: every logit of theirs is zero.
    Two opposite features make the intra-class cosine of a lost class 0; equal features for all
    make the inter-class cosines of lost classes 1. Either way the loss is the same. The numbers:
    kappa is 100 times a `part`, and alpha beta = size/(100 C), so that the growth is at most
    e^size.
    """
    C = 2 * n
    product = size / (100 * C)
    tiny = product / C
    own = 2 * product / xp.sqrt(1 + tiny * tiny)
    of_active = ((n - 1) * xp.expm1(-n / (n - 1) * own) + n * xp.expm1(-own)) / C
    least = (C - 1) / C * xp.expm1(-C / (C - 1) * product)
    epsilon = xp.log1p(of_active) / 2 - xp.log1p(least)
    classes, pairs = share / 2, share * (n - 1) / (2 * (C - 1))
    given = {"C": C, "alpha": product, "beta": 1, "epsilon": epsilon, "kappa": 100 * part}
    return Judgement(
        (Comparison("small epsilon/delta", 1000 * epsilon, pairs),),
        (
            Comparison("intra-class cosine", printed_intra(xp, **given, delta=classes), 0 * size),
            Comparison("inter-class cosine", 1 + 0 * size, printed_inter(xp, **given, delta=pairs)),
        ),
    )


# -- constants for each number of classes -----------------------------------------------


@formula(CLASSES, ALPHA, BETA, EPSILON, DELTA)
def main_intra(xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any) -> Any:
    """Lower bound on the intra-class cosine of most classes, constants for each C."""
    growth = xp.exp(C * alpha * beta) / (alpha * beta)
    return 1 - 44 * xp.sqrt(C - 1) * growth * xp.sqrt(epsilon / delta)


@formula(CLASSES, ALPHA, BETA, EPSILON, DELTA)
def main_inter(xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any) -> Any:
    """Upper bound on the inter-class cosine of most pairs, constants for each C."""
    growth = xp.exp(C * alpha * beta) / (alpha * beta)
    return -1 / (C - 1) + 24 * xp.sqrt(xp.sqrt(C - 1)) * growth * xp.root(epsilon / delta, 6)


def main_text(
    xp: Any,
    *,
    w: Any,
    h: Any,
    alpha: Any,
    beta: Any,
    epsilon: Any,
    subset: Any,
    pairs: Any,
    share: Any,
) -> Judgement:
    """The main text's form for most classes and most pairs."""
    net = last_layer(xp, h, w)
    given = numbers(net, alpha, beta)
    delta = given_up(xp, share, subset, pairs)
    whole = {**given, "epsilon": epsilon, "delta": delta}
    intra = largest(xp, intra_class_cosines(xp, h), subset)
    inter = -largest(xp, -inter_class_cosines(xp, h), pairs)
    return Judgement(
        (
            *norm_hypotheses(net, alpha, beta),
            Comparison("near-optimal loss", net.loss, minimum_loss(xp, **given) + epsilon),
            Comparison("epsilon at most delta", epsilon, delta),
        ),
        (
            Comparison("intra-class cosine", main_intra(xp, **whole), intra),
            Comparison("inter-class cosine", inter, main_inter(xp, **whole)),
        ),
    )


#: Fields and sizes of a claim about most classes and most pairs. Features on a line, whose class
#: means vanish by accident, lie in a plane too.
MOST_FIELDS = (WEIGHTS, FEATURES, *NORMS, GAP, SUBSET, PAIRS, SHARE)
MOST_SIZES = {"C": (2, 5), "N": (1, 3), "d": (2, 6)}
MOST_DERIVED = {"P": lambda sizes: sizes["C"] * (sizes["C"] - 1) // 2}
_MANY = (
    "One constant kappa cannot serve all numbers of classes. With half of them lost as the weights "
    "and features of the others grow, the gap is about (alpha beta)^2/(2C) for small alpha beta, "
    "so at alpha beta = 1/(kappa C) every printed term vanishes with C. The modulus has a factor "
    "1/C that exp(-O(C alpha beta)) does not cover."
)


PRINTED = (
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
        "some kappa, NC1 and NC3 at any delta < 1",
        r"The bounds on the intra-class cosine and on NC3 for some $\kappa$, every $\delta < 1$ "
        r"and $\epsilon \le \delta/1000$. Whatever $\kappa$ is, let $1 - \delta = \frac{s}{C}"
        r"e^{-\kappa C\alpha\beta}$ with $s < 1$: then $\kappa$ drops out, and the bounds are to "
        "hold for one class at least.",
        Claim(
            given_up_nearly_all,
            (WEIGHTS, FEATURES, *NORMS, GAP, SHARE),
            {"C": (3, 5), "N": (1, 4), "d": (3, 8)},
            {"d": lambda sizes: max(sizes["d"], sizes["C"])},
        ),
        defect="The factor 1 - delta makes both bounds tend to 1 as delta does, for any fixed "
        "network: one class of every near-optimal network would have to be collapsed. It comes "
        "from 'at most delta C classes' for two conditions at once; with both halved, (1 - delta) "
        "becomes (2 - delta). A smaller threshold for epsilon does not help.",
    ),
    Variant(
        "printed",
        "some kappa for every number of classes",
        r"The bounds on the intra-class and inter-class cosines for some $\kappa \le 100$ that "
        r"serves every $C$, with $\epsilon \le \delta/1000$.",
        Claim(
            half_lost,
            (
                Field("n", (), "integer", least=2),
                Field("size", (), "positive"),
                SHARE,
                Field("part", (), "proportion"),
            ),
        ),
        (
            Bound("intra-class cosine of most classes", printed_intra, "lower", 0),
            Bound("inter-class cosine of most pairs", printed_inter, "upper", 1),
        ),
        defect=_MANY + " The same for any larger kappa, any constant before the O, and any "
        "threshold.",
    ),
    Variant(
        "printed",
        "main text, constants that depend on C",
        r"$\mathrm{intra}_c \ge 1 - O(\frac{e^{O(C\alpha\beta)}}{\alpha\beta}\sqrt{\epsilon/"
        r"\delta})$ and $\mathrm{inter}_{c,c'} \le -\frac1{C-1} + O(\frac{e^{O(C\alpha\beta)}}"
        r"{\alpha\beta}(\epsilon/\delta)^{1/6})$, read with $e^{C\alpha\beta}$, the constants "
        r"$44\sqrt{C-1}$ and $24\sqrt[4]{C-1}$, and $\epsilon \le \delta$.",
        Claim(main_text, MOST_FIELDS, {**MOST_SIZES, "C": (3, 5)}, MOST_DERIVED),
        (
            Bound("intra-class cosine of most classes", main_intra, "lower", 0),
            Bound("inter-class cosine of most pairs", main_inter, "upper", 1),
        ),
        remark="What is true of the printed theorem; the corrected form says more. No constants "
        "that serve all C exist (see the reading 'some kappa for every number of classes').",
    ),
)

#: Its wordings here are the printed ones of bnwd:theorem-2.1, which `proximity_theorem` states.
STATEMENTS: tuple[Statement, ...] = ()
