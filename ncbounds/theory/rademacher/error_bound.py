"""Classification error of networks that fit their training data, by norm and complexity.

F are the networks with product of norms at most 1, G_t those between t and t + 1, rho the product
of the norms of the network at hand, t = floor(rho). Uniform deviations hold on each G_t with
probability at least 1 - delta_t; the shares delta_t of all t must add up to at most delta. What is
random is in the theorem on uniform deviations, which is taken for granted; what follows from it is
judged here on concrete classes, given by the values of H normalised networks on N points.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive, proportion
from ncbounds.theory.rademacher.definition import (
    complexity_of_definition_1,
    signed_complexity,
    with_zero,
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

RHO = positive("rho", "product of the layers' norms", r"\rho")
COMPLEXITY = nonnegative(
    "R", "empirical Rademacher complexity of the normalised networks (Definition 1)", r"\mathcal R"
)
EXPECTED = nonnegative(
    "R", "expected Rademacher complexity of the normalised networks (Definition 1)", r"\mathcal R"
)
N = integer("N", "number of samples", "N", at_least=1)
DELTA = proportion("delta", "probability of failure", r"\delta", one_included=False)


# -- the bounds -----------------------------------------------------------------------------------


@formula(RHO, COMPLEXITY, N, DELTA)
def printed_error_bound(xp: Any, rho: Any, R: Any, N: Any, delta: Any) -> Any:
    """Printed bound (12) on the classification error."""
    return 2 * (rho + 1) * R + 3 * xp.sqrt(xp.log(2 * (rho + 1) ** 2 / delta) / (2 * N))


@formula(RHO, COMPLEXITY, N, DELTA)
def corrected_error_bound(xp: Any, rho: Any, R: Any, N: Any, delta: Any) -> Any:
    """Bound on the classification error for inputs of any norm, the factor 2 counted once."""
    spread = xp.log(2 * (rho + 1) * (rho + 2) / delta) / (2 * N)
    return (rho + 1) * R + 3 * xp.sqrt(spread)


@formula(RHO, EXPECTED, N, DELTA)
def expected_error_bound(xp: Any, rho: Any, R: Any, N: Any, delta: Any) -> Any:
    """Bound on the classification error by the expected complexity."""
    return (rho + 1) * R + xp.sqrt(xp.log((rho + 1) * (rho + 2) / delta) / (2 * N))


# -- the steps of the proof -----------------------------------------------------------------------


def ramp(xp: Any, margin: Any) -> Any:
    """The ramp loss at the margin y y': 1 below 0, 0 above 1, linear between."""
    return xp.minimum(xp.maximum(1 - margin, 0 * margin), 1 + 0 * margin)


def _shell(xp: Any, values: Any, t: Any, offsets: Any) -> Any:
    """Values of the networks of G_t that have norms t + offset and these normalised values."""
    return values * (t[:, None] + offsets)[:, :, None]


def _class_steps(xp: Any, values: Any, labels: Any, t: Any, offsets: Any) -> tuple[Comparison, ...]:
    """From errors to the ramp loss, to the complexity of G_t, to that of F."""
    signs = (2 * labels - 1)[:, None, :]
    shell = _shell(xp, values, t, offsets)
    losses = ramp(xp, shell * signs)
    errors = 1 - xp.is_positive(shell * signs)
    of_shell = signed_complexity(xp, shell)
    return (
        Comparison(
            "errors by the ramp loss",
            xp.mean(errors[:, 0], axis=-1),
            xp.mean(losses[:, 0], axis=-1),
        ),
        Comparison("ramp loss of the class", signed_complexity(xp, losses), of_shell),
        Comparison("homogeneity", of_shell, (t + 1) * signed_complexity(xp, with_zero(xp, values))),
    )


def printed_shares_claim(xp: Any, *, first: Any, t: Any, delta: Any) -> Judgement:
    """The shares of (13) add up to at most delta, t = 0 included.

    `first` stands for the share of t = 0, where delta/(t(t+1)) has no value; those up to t add up
    to delta t/(t+1) more. The logarithm of (13) belongs to delta/(t+1)^2: the first two of these.
    """
    return Judgement(
        (),
        (
            Comparison("shares delta/(t(t+1))", first + delta * t / (t + 1), delta),
            Comparison("shares delta/(t+1)^2", delta + delta / 4, delta),
        ),
    )


def typeset_claim(xp: Any, *, values: Any, t: Any, offsets: Any) -> Judgement:
    """The first line of (15) is at most the second, without their common last term."""
    of_shell = complexity_of_definition_1(xp, _shell(xp, values, t, offsets))
    rho = t + offsets[:, 0]
    bound = 2 * (rho + 1) * complexity_of_definition_1(xp, values)
    return Judgement((), (Comparison("(15)", 2 * (t + 1) * of_shell, bound),))


def unit_ball_claim(
    xp: Any, *, values: Any, labels: Any, t: Any, offsets: Any, delta: Any
) -> Judgement:
    """All steps to (12) for t >= 1, which a fit needs where inputs have norm at most 1."""
    shell, m = _shell(xp, values, t, offsets), values.shape[2]
    share = delta / (t * (t + 1))
    at_shell = 2 * signed_complexity(xp, shell) + 3 * xp.sqrt(xp.log(2 / share) / (2 * m))
    bound = printed_error_bound(
        xp,
        rho=t + offsets[:, 0],
        R=complexity_of_definition_1(xp, values),
        N=0 * t + m,
        delta=delta,
    )
    return Judgement(
        (),
        (
            *_class_steps(xp, values, labels, t, offsets),
            Comparison("shares", share, delta / t - delta / (t + 1), "="),
            Comparison("(14) to (12)", at_shell, bound),
        ),
    )


def any_norm_claim(
    xp: Any, *, values: Any, labels: Any, t: Any, offsets: Any, delta: Any
) -> Judgement:
    """All steps for t >= 0 with shares delta/((t+1)(t+2)), both bounds."""
    shell, m = _shell(xp, values, t, offsets), values.shape[2]
    share = delta / ((t + 1) * (t + 2))
    complexity = 2 * signed_complexity(xp, shell)
    given = {
        "rho": t + offsets[:, 0],
        "R": complexity_of_definition_1(xp, values),
        "N": 0 * t + m,
        "delta": delta,
    }
    two_sided = 3 * xp.sqrt(xp.log(2 / share) / (2 * m))
    one_sided = xp.sqrt(xp.log(1 / share) / (2 * m))
    return Judgement(
        (),
        (
            *_class_steps(xp, values, labels, t, offsets),
            Comparison("shares", share, delta / (t + 1) - delta / (t + 2), "="),
            Comparison("(14) to (12)", complexity + two_sided, corrected_error_bound(xp, **given)),
            Comparison(
                "by the expected complexity",
                complexity + one_sided,
                expected_error_bound(xp, **given),
            ),
        ),
    )


_DELTA = Field("delta", (), "proportion")
_VALUES = Field("values", ("H", "m"))
_OFFSETS = Field("offsets", ("H",), "proportion")
_CLASS = {"H": (1, 3), "m": (1, 4)}


def _steps_fields(least: int) -> tuple[Field, ...]:
    return (
        _VALUES,
        Field("labels", ("m",), "mask"),
        Field("t", (), "integer", least=least),
        _OFFSETS,
        _DELTA,
    )


_ERROR = "classification error"

THEOREM_3 = Statement(
    id="square:theorem-3",
    kind="theorem",
    title="Error bound by norm and Rademacher complexity",
    source=Source("square", "Theorem 3, (12)-(15)"),
    topic="rademacher",
    variants=(
        Variant(
            "printed",
            "inputs of norm at most 1",
            r"With probability at least $1 - \delta$, for all networks with $f(x_i) = y_i$: "
            r"$err(f) \le 2(\rho+1) \mathcal R_S(\mathcal F) + 3\sqrt{\frac{\log(2(\rho+1)^2/"
            r"\delta)}{2N}}$. A fit has $1 = |f(x_i)| \le \rho |x_i| \le \rho$, so that t = 0 is "
            r"not needed and the shares $\frac{\delta}{t(t+1)}$, $t \ge 1$, add up to $\delta$.",
            Claim(unit_ball_claim, _steps_fields(1), _CLASS),
            (Bound(_ERROR, printed_error_bound, "upper", trivial=1),),
            remark="Inputs of norm at most 1 are assumed in Section 3 of the paper. With the "
            "definition of the theorem that the proof cites the first term would be half as large.",
        ),
        Variant(
            "printed",
            "the union bound from t = 0 on",
            r"The shares of t = 0, 1, 2, ... add up to at most $\delta$: both $\frac{\delta}"
            r"{t(t+1)}$, with any share for t = 0, and $\frac{\delta}{(t+1)^2}$, to which the "
            r"logarithm in (13) belongs.",
            Claim(
                printed_shares_claim,
                (
                    Field("first", (), "positive"),
                    Field("t", (), "integer", least=1),
                    _DELTA,
                ),
            ),
            defect="delta/(t(t+1)) divides by zero at t = 0, and the shares from t = 1 on use up "
            "all of delta; those of the logarithm add up to 1.64 delta.",
        ),
        Variant(
            "printed",
            "the first line of (15), as typeset",
            r"$2(t+1) \mathcal R_S(\mathcal G_t) \le 2(\rho+1) \mathcal R_S(\mathcal F)$.",
            Claim(typeset_claim, (_VALUES, Field("t", (), "integer", least=0), _OFFSETS), _CLASS),
            defect="A slip: the line above has it that the complexity of G_t is at most t + 1 "
            "times that of F, and F is meant. As typeset the factor t + 1 comes twice.",
        ),
        Variant(
            "corrected",
            "inputs of any norm",
            r"With shares $\frac{\delta}{(t+1)(t+2)}$: $err(f) \le (\rho+1) \mathcal R_S("
            r"\mathcal F) + 3\sqrt{\frac{\log(2(\rho+1)(\rho+2)/\delta)}{2N}}$; and with the "
            r"expected complexity $err(f) \le (\rho+1) E \mathcal R_S(\mathcal F) + "
            r"\sqrt{\frac{\log((\rho+1)(\rho+2)/\delta)}{2N}}$.",
            Claim(any_norm_claim, _steps_fields(0), _CLASS),
            (
                Bound(_ERROR, corrected_error_bound, "upper", trivial=1),
                Bound(_ERROR, expected_error_bound, "upper", trivial=1),
            ),
            remark="The factor 2 of Definition 1 is already that of the theorem on uniform "
            "deviations.",
        ),
    ),
)


# -- Equations (17), (18) -------------------------------------------------------------------------


def relative_claim(
    xp: Any, *, smaller: Any, more: Any, A: Any, epsilon: Any, R: Any, N: Any, delta: Any
) -> Judgement:
    """The bound of the network of smaller norm is the smaller, also with the full second term."""
    larger = smaller + more
    given = {"R": R, "N": N, "delta": delta}
    return Judgement(
        (),
        (
            Comparison("(17) below (18)", A * smaller + epsilon, A * larger + epsilon),
            Comparison(
                "(12) for both",
                printed_error_bound(xp, rho=smaller, **given),
                printed_error_bound(xp, rho=larger, **given),
            ),
        ),
    )


EQUATION_17 = Statement(
    id="square:eq-17",
    kind="equation",
    title="Relative bounds of two networks",
    source=Source("square", "(17), (18)"),
    topic="rademacher",
    variants=(
        Variant(
            "printed",
            "bounds only",
            r"For $\rho_a < \rho_b$ the bound $A\rho_a + \epsilon$ on the error of the first "
            r"network is below $A\rho_b + \epsilon$; and so are the right-hand sides of (12).",
            Claim(
                relative_claim,
                (
                    Field("smaller", (), "positive"),
                    Field("more", (), "positive"),
                    Field("A", (), "nonnegative"),
                    Field("epsilon", (), "nonnegative"),
                    Field("R", (), "nonnegative"),
                    Field("N", (), "integer", least=1),
                    _DELTA,
                ),
            ),
            remark=r"The $\epsilon$ of (17) and (18) hides that the second term of (12) and (16) "
            r"grows with $\rho$ too. Of the errors themselves nothing follows, as the paper says.",
        ),
    ),
)

STATEMENTS = (THEOREM_3, EQUATION_17)
