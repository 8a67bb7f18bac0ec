"""The regularised objective: what weight decay leaves of the problem, as a function of one number.

`bnwd:proposition-a.1` studies ``f_lambda(gamma) = log(1 + (C-1) e^{-k gamma}) + lambda gamma`` with
``k = C/(C-1)``: with batch norm and weight decay on the last layer, gamma is the product of the
feature norm and the weight norm.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ncbounds.arithmetic.formula import (
    Condition,
    Formula,
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
    Pin,
    Source,
    Statement,
    Trend,
    Variant,
)

_C = integer("C", "number of classes", "C", at_least=2)
_LAMBDA = positive("lambda", "weight decay, times the root of C", r"\lambda")
_BELOW_ONE = proportion("lambda", "weight decay, times sqrt C", r"\lambda", one_included=False)
_GAMMA = real("gamma", "product of feature norm and weight norm", r"\gamma")
_EPSILON = nonnegative("epsilon", "gap of the objective above its minimum", r"\epsilon")
_MINIMUM_EXISTS = Condition("lambda < C/(C-1)", lambda xp, C, lambda_, **_: C - (C - 1) * lambda_)


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


def _epsilon_trend(radius: Formula, weight: Field, largest: int) -> tuple[Trend, ...]:
    """The order of a radius in epsilon below 10^-largest, for 3 classes."""
    decayed = Fraction(1, 2) if weight.name == "lambda_" else Fraction(3, 4)
    return (
        Trend(
            "distance",
            radius,
            "epsilon",
            tuple(Fraction(1, 10**k) for k in range(largest, largest + 6)),
            lambda epsilon: Pin(
                fields={"C": 3, weight.name: 0.5}, budgets={"epsilon": float(epsilon)}
            ),
            {"C": Fraction(3), "lambda": decayed},
        ),
    )


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
            _epsilon_trend(ordered_radius, _LAMBDA_FIELD, 3),
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
            _epsilon_trend(printed_radius, _LAMBDA_FIELD, 7),
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
            _epsilon_trend(typeset_radius, _LAMBDA_FIELD, 7),
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
            _epsilon_trend(near_minimiser_radius, _SHARE_FIELD, 3),
            remark="Exact to first order as epsilon vanishes; no smallness is assumed.",
        ),
    ),
)

STATEMENTS = (PROPOSITION_A_1,)
