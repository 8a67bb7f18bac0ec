"""`bnwd:theorem-2.1`, corrected: the paper's own route with every constant explicit.

The proof follows the paper from the chain of gaps to (19), (20), (21) and (22) and mends what does
not hold on the way; nothing is assumed small, and where a bound says nothing it is void by itself.
One number carries all three conclusions: with lambda the modulus of log(1 + (C-1) e^x) on the
paper's interval, ``q_n = n epsilon/(lambda delta)`` and ``eta_n = (C-1)/(C alpha beta) (q_n + 2
sqrt(2 q_n))``, n conditions that may each fail for a fraction delta/n leave a bound in eta_n: two
for a class, five for a pair.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula
from ncbounds.theory.proximity import near_optimal_loss, printed_theorem
from ncbounds.theory.proximity.first_steps import (
    ALPHA,
    BETA,
    CLASSES,
    norm_hypotheses,
    numbers,
)
from ncbounds.theory.proximity.gaps import modulus
from ncbounds.theory.proximity.most_classes import largest
from ncbounds.theory.proximity.near_optimal_loss import last_layer, minimum_loss
from ncbounds.theory.proximity.printed_theorem import (
    DELTA,
    EPSILON,
    MOST_DERIVED,
    MOST_FIELDS,
    MOST_SIZES,
    given_up,
    inter_class_cosines,
    intra_class_cosines,
    weight_cosines,
)
from ncbounds.theory.terms import Bound, Claim, Comparison, Judgement, Source, Statement, Variant

#: Conditions that a class, and a pair of classes, must meet.
OF_A_CLASS, OF_A_PAIR = 2, 5


# -- the guarantee -----------------------------------------------------------------------


def shortfall(
    xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any, conditions: int
) -> Any:
    """The number eta: what inner products lack of the product of norms, relative to it."""
    q = conditions * epsilon / (modulus(xp, C=C, alpha=alpha, beta=beta) * delta)
    return (C - 1) / (C * alpha * beta) * (q + 2 * xp.sqrt(2 * q))


@formula(CLASSES, ALPHA, BETA, EPSILON, DELTA)
def nc3_of_most(xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any) -> Any:
    """Lower bound 1 - eta_2 on the cosine of weight and class mean of most classes."""
    return 1 - shortfall(xp, C, alpha, beta, epsilon, delta, OF_A_CLASS)


@formula(CLASSES, ALPHA, BETA, EPSILON, DELTA)
def intra_of_most(xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any) -> Any:
    """Lower bound 1 - 8 eta_2 on the intra-class cosine of most classes."""
    return 1 - 8 * shortfall(xp, C, alpha, beta, epsilon, delta, OF_A_CLASS)


@formula(CLASSES, ALPHA, BETA, EPSILON, DELTA)
def inter_of_most(xp: Any, C: Any, alpha: Any, beta: Any, epsilon: Any, delta: Any) -> Any:
    """Upper bound -1/(C-1) + 8 sqrt(eta_5) on the inter-class cosine of most pairs."""
    eta = shortfall(xp, C, alpha, beta, epsilon, delta, OF_A_PAIR)
    return -1 / (C - 1) + 8 * xp.sqrt(eta)


def of_most(
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
    """All three conclusions: one class or pair of every set of more than delta of them obeys."""
    net = last_layer(xp, h, w)
    given = numbers(net, alpha, beta)
    delta = given_up(xp, share, subset, pairs)
    whole = {**given, "epsilon": epsilon, "delta": delta}
    return Judgement(
        (
            *norm_hypotheses(net, alpha, beta),
            Comparison("near-optimal loss", net.loss, minimum_loss(xp, **given) + epsilon),
        ),
        conclusions(xp, w, h, subset, pairs, *(f(xp, **whole) for f in GUARANTEES)),
    )


GUARANTEES = (nc3_of_most, intra_of_most, inter_of_most)


def conclusions(
    xp: Any, w: Any, h: Any, subset: Any, pairs: Any, nc3: Any, intra: Any, inter: Any
) -> tuple[Comparison, ...]:
    """Compare cosines with their bounds on a set of classes and on a set of pairs.

    A bound on the cosine with the weight holds where it is positive.
    """
    aligned = largest(xp, weight_cosines(xp, w, h), subset)
    return (
        Comparison("cosine of weights and class means", nc3, xp.maximum(aligned, 0 * aligned)),
        Comparison("intra-class cosine", intra, largest(xp, intra_class_cosines(xp, h), subset)),
        Comparison("inter-class cosine", -largest(xp, -inter_class_cosines(xp, h), pairs), inter),
    )


CORRECTED = (
    Variant(
        "corrected",
        "every constant explicit",
        r"If the norms are at most $\alpha$ and $\beta$ and $\mathcal L \le m + \epsilon$, for any "
        r"$C \ge 2$, $\epsilon \ge 0$ and $0 < \delta < 1$, let $\lambda$ be the modulus of the "
        r"interval (bnwd:remark-modulus), $q_n = \frac{n\epsilon}{\lambda\delta}$ and $\eta_n = "
        r"\frac{C-1}{C\alpha\beta}(q_n + 2\sqrt{2q_n})$. At least a fraction $1 - \delta$ of the "
        r"classes have $\cos(\dot w_c, \tilde h_c) \ge 1 - \eta_2$, where that is positive, and "
        r"$\mathrm{intra}_c \ge 1 - 8\eta_2$; at least a fraction $1 - \delta$ of the pairs have "
        r"$\mathrm{inter}_{c,c'} \le -\frac1{C-1} + 8\sqrt{\eta_5}$.",
        Claim(of_most, MOST_FIELDS, MOST_SIZES, MOST_DERIVED),
        (
            Bound("cosine of weights and class means", nc3_of_most, "lower", 0),
            Bound("intra-class cosine of most classes", intra_of_most, "lower", 0),
            Bound("inter-class cosine of most pairs", inter_of_most, "upper", 1),
        ),
        remark="delta is split evenly over the conditions: (19) and (20) for a class, and for a "
        "pair both of them twice and (22). The paper applies Lemma A.5 to a pair with one bound "
        "for the norms of both weights, which its conditions on products of norms do not give; "
        "(20) for the mean of the squares of the two norms does, and then no lemma is needed. So "
        "the pairs lose (epsilon/delta)^(1/4), not ^(1/6). 1/lambda is at most C^2/(C-1) "
        "e^(C^2 alpha beta/(C-1)).",
    ),
)

THEOREM_2_1 = Statement(
    id="bnwd:theorem-2.1",
    kind="theorem",
    title="Proximity to neural collapse from a near-optimal loss and bounded norms",
    source=Source("bnwd", "Theorem 2.1, Sec. 2.3 and A.3"),
    topic="proximity",
    variants=(*printed_theorem.PRINTED, *CORRECTED, *near_optimal_loss.SHARP),
)

STATEMENTS = (THEOREM_2_1,)
