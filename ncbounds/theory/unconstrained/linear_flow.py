r"""The flow of the square error linearised at small features and weights: (19), A.3.

Without the product A F in the residual the bias runs on its own, ``b = beta 1``, and the pair
U = (F, A) by a self-adjoint operator. Its eigenspaces do not depend on beta: E_1^+, the subspace T
of copies, grows like ``e^(sqrt(n) t)``; E_1^- falls; E_2^+ grows to ``e^(1/(K sqrt(n)))`` times
itself at most, E_2^- falls to the inverse; E_3, the features less the means of their classes,
rests. The mean squared error is the square error over N: the same paths, N times slower.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative
from ncbounds.theory.square_loss.flow import against, equal
from ncbounds.theory.square_loss.tangents import Tangent
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
from ncbounds.theory.unconstrained.square_flow import (
    POINT,
    STEPS,
    exact_steps,
    squared_singular_value,
)
from ncbounds.theory.unconstrained.square_model import (
    SIZES,
    centred,
    exponential,
    gradients,
    inner,
    norm,
    one_hot,
    pair,
    projections,
    pulled,
    root_of,
    squares,
    within_classes,
)

_PAIR = POINT[:2]
_T = Field("t", (), "nonnegative")
_K = integer("K", "classes", "K", 2)
_N = integer("n", "samples of a class", "n", 1)
_TIME = nonnegative("t", "time, by the square error", "t")


# -- the operator and its solution -----------------------------------------------------------------


def operator(xp: Any, beta: Any, U: Any) -> Any:
    """(A^T (Y - beta 1 1^T), (Y - beta 1 1^T) F^T) for a pair U: minus the gradient at A F = 0."""
    F, A = U[:, :, :-1], U[:, :, -1]
    labels = xp.reshape(one_hot(xp, A.shape[1]), (1, A.shape[1], 1, A.shape[1]))
    E = labels - beta[:, None, None, None] + 0 * F[..., :1]
    return pair(xp, *pulled(xp, E, F, A))


@dataclass(frozen=True)
class Solution:
    """The linearised flow at a time: components at the start, their factors, and beta."""

    start: tuple[Any, ...]
    factors: tuple[Tangent, ...]
    beta: Tangent

    def at(self, places: tuple[int, ...] = (0, 1, 2, 3, 4)) -> tuple[Any, Any]:
        """The components in the chosen eigenspaces, added up: value and rate."""

        def added(numbers: list[Any]) -> Any:
            terms = [
                self.start[i] * c[:, None, None, None] for i, c in zip(places, numbers, strict=True)
            ]
            return sum(terms[1:], terms[0])

        chosen = [self.factors[i] for i in places]
        return added([c.value for c in chosen]), added([c.rate[:, 0] for c in chosen])


def solution(xp: Any, F: Any, A: Any, t: Any, mean: bool = False) -> Solution:
    """The closed form at time t: of (19), or of A.3 for the mean squared error."""
    K, n = A.shape[1], F.shape[2]
    one, r = 0 * t + 1, root_of(xp, t, n)
    time = Tangent(t, one[:, None])
    settled = exponential(xp, time * (-1 if mean else -K * n)) * -1 + 1
    growth = time * (r / (K * n) if mean else r)
    turn = settled * (r / (K * n))
    factors = (
        exponential(xp, growth),
        exponential(xp, -growth),
        exponential(xp, turn),
        exponential(xp, -turn),
        Tangent(one, 0 * one[:, None]),
    )
    return Solution(projections(xp, pair(xp, F, A)), factors, settled / K)


@formula(_K, _N)
def largest_factor(xp: Any, K: Any, n: Any) -> Any:
    """What of (F_0, A_0) is off the subspace T grows to at most this times itself."""
    return xp.exp(1 / (K * xp.sqrt(n)))


@formula(_K, _N, _TIME)
def factor_at(xp: Any, K: Any, n: Any, t: Any) -> Any:
    """What of (F_0, A_0) is off T has grown to at most this times itself at time t; attained."""
    return xp.exp((1 - xp.exp(-K * n * t)) / (K * xp.sqrt(n)))


# -- (19) and the final bound of A.3 ---------------------------------------------------------------


def solves(xp: Any, F: Any, A: Any, t: Any, mean: bool) -> tuple[Comparison, ...]:
    """The closed form solves the linearised equations and starts where it should."""
    found = solution(xp, F, A, t, mean)
    U, rate = found.at()
    K, n = A.shape[1], F.shape[2]
    slower = K * n if mean else 1
    beta = found.beta.value
    E = xp.reshape(one_hot(xp, K), (1, K, K)) - beta[:, None, None]
    of_bias = xp.sum(E, axis=1) * n / slower
    one, given = 0 * of_bias + 1, pair(xp, F, A)
    parts = found.start
    return (
        against(xp, "flow", rate, operator(xp, beta, U) / slower, U),
        against(xp, "start", sum(parts[1:], parts[0]), given, given),
        equal("bias", found.beta.rate + one, of_bias + one),
    )


def bound_claim(mean: bool) -> Callable[..., Judgement]:
    """Return the claim of (19), or of the end of A.3: solution, bias and bound."""

    def judge(xp: Any, *, F: Any, A: Any, t: Any) -> Judgement:
        found = solution(xp, F, A, t, mean)
        rest, _ = found.at((1, 2, 3, 4))
        off = norm(xp, pair(xp, F, A) - found.start[0])
        one = 0 * t + 1
        factor = largest_factor(xp, K=one * A.shape[1], n=one * F.shape[2])
        return Judgement(
            (), (*solves(xp, F, A, t, mean), Comparison("distance", norm(xp, rest), factor * off))
        )

    return judge


def exact_claim(xp: Any, *, F: Any, A: Any, t: Any) -> Judgement:
    """The distance from the growing component, and the best factor at every time."""
    found = solution(xp, F, A, t)
    rest, _ = found.at((1, 2, 3, 4))
    off = norm(xp, pair(xp, F, A) - found.start[0])
    one = 0 * t + 1
    factor = factor_at(xp, K=one * A.shape[1], n=one * F.shape[2], t=t)
    parts = [
        squares(xp, found.start[i]) * found.factors[i].value * found.factors[i].value
        for i in (1, 2, 3, 4)
    ]
    worst, _ = found.at((2,))
    return Judgement(
        (),
        (
            equal("square of the distance", squares(xp, rest), sum(parts[1:], parts[0])),
            Comparison("distance", norm(xp, rest), factor * off),
            equal("attained", norm(xp, worst), factor * norm(xp, found.start[2])),
        ),
    )


def chain_claim(with_kernel: bool) -> Callable[..., Judgement]:
    """Return the chain of A.3 under its final bound; as printed the kernel E_3 is left out."""

    def judge(xp: Any, *, F: Any, A: Any, t: Any) -> Judgement:
        found = solution(xp, F, A, t, mean=True)
        kept = (1, 2, 3, 4) if with_kernel else (1, 2, 3)
        rest, _ = found.at((1, 2, 3, 4))
        named, _ = found.at(kept)
        n, N = F.shape[2], F.shape[1] * F.shape[2]
        of = {i: squares(xp, found.start[i]) for i in kept}
        second = sum((of[i] * found.factors[i].value * found.factors[i].value for i in kept), 0 * t)
        top = xp.exp(2 * root_of(xp, t, n) / N)
        third = top * of[2] + sum((of[i] for i in kept if i != 2), 0 * t)
        off = squares(xp, pair(xp, F, A) - found.start[0])
        return Judgement(
            (),
            (
                equal("first line", squares(xp, rest), squares(xp, named)),
                equal("second line", squares(xp, named), second),
                Comparison("third line", second, third),
                Comparison("last line", third, top * off),
            ),
        )

    return judge


def components_claim(xp: Any, *, F: Any, A: Any, t: Any) -> Judgement:
    """The component in E_1^+ as typeset: a multiple of U(0), not of its projection."""
    found = solution(xp, F, A, t, mean=True)
    part, _ = found.at((0,))
    whole = pair(xp, F, A) * found.factors[0].value[:, None, None, None]
    return Judgement((), (equal("component in E_1^+", part, whole),))


def nonlinear_claim(xp: Any, *, start: Any, n: Any, t: Any) -> Judgement:
    """The final bound for the flow itself, from a point of S: two classes in one dimension.

    The weights are (a, -a)/sqrt(2) with a = `start`, the features copies of them. On S the flow
    is solved by eq-20, so that the pair is known; off T there is nothing.
    """
    time = t / (2 * n)
    exact = xp.sqrt(squared_singular_value(xp, n=n, start=start, t=time))
    distance = xp.sqrt(0 * t + 2) * (xp.exp(xp.sqrt(n) * time) * start - exact)
    return Judgement((), (Comparison("distance", distance, 0 * distance),))


# -- A.3: the mean squared error -------------------------------------------------------------------


def mean_claim(
    xp: Any, *, F: Any, A: Any, b: Any, step_F: Any, step_A: Any, step_b: Any, t: Any
) -> Judgement:
    """(57) by exact steps, and the bias of the linearised flow."""
    K, N = F.shape[1], F.shape[1] * F.shape[2]
    by = tuple(gradient / N for gradient in gradients(xp, F, A, b))
    steps = exact_steps(xp, by, N, (step_F, step_A, step_b), F=F, A=A, b=b)
    alone = -gradients(xp, 0 * F, A, b)[2] / N
    beta, begun = (solution(xp, F, A, s, mean=True).beta for s in (t, 0 * t))
    return Judgement(
        (),
        (
            *steps,
            equal("rate of the bias", alone, (1 - K * b) / K),
            equal("its solution", beta.rate[:, 0], (1 - K * beta.value) / K),
            equal("its start", begun.value + 1, 0 * t + 1),
        ),
    )


def clock_claim(xp: Any, *, F: Any, A: Any, t: Any) -> Judgement:
    """The linearised flow of the mean squared error at t is that of the square error at t/N."""
    N = F.shape[1] * F.shape[2]
    slow, quick = solution(xp, F, A, t, mean=True), solution(xp, F, A, t / N)
    U, V = slow.at()[0], quick.at()[0]
    return Judgement(
        (),
        (
            against(xp, "pair", U, V, V),
            equal("bias", slow.beta.value, quick.beta.value),
        ),
    )


# -- (58), (59) ------------------------------------------------------------------------------------


def spectrum_claim(xp: Any, *, F: Any, A: Any, G: Any, B: Any, beta: Any) -> Judgement:
    """The operator of (58) is self-adjoint, the subspaces are its eigenspaces, and (59) holds."""
    K, n = A.shape[1], F.shape[2]
    r = root_of(xp, beta, n)
    scale, speed = r[:, None, None], r[:, None, None, None] / (K * n)
    damped = speed * (1 - K * beta)[:, None, None, None]

    def L(U: Any) -> Any:
        return operator(xp, beta, U) / (K * n)

    U, V = pair(xp, F, A), pair(xp, G, B)
    rows, z = centred(xp, A), A[:, :1, :]
    comparisons = []
    for name, sign in (("+", 1), ("-", -1)):
        first = pair(xp, (sign * rows / scale)[:, :, None, :] + 0 * F, rows)
        second = pair(xp, sign * z[:, :, None, :] + 0 * F, scale * z + 0 * A)
        comparisons += [
            against(xp, f"E_1^{name}", L(first), sign * speed * first, U),
            against(xp, f"E_2^{name}", L(second), sign * damped * second, second),
        ]
    third = pair(xp, within_classes(xp, F), 0 * A)
    parts = projections(xp, U)
    whole = speed * (parts[0] - parts[1]) + damped * (parts[2] - parts[3])
    norms = [squares(xp, part) for part in parts]
    return Judgement(
        (),
        (
            against(
                xp,
                "self-adjoint",
                inner(xp, L(U), V),
                inner(xp, U, L(V)),
                (norm(xp, U) * norm(xp, V))[:, None],
            ),
            *comparisons,
            against(xp, "E_3", L(third), 0 * third, U),
            against(xp, "(59)", L(U), whole, U),
            equal("orthogonal and complete", sum(norms[1:], norms[0]), squares(xp, U)),
        ),
    )


_BOUND = (
    r"$\|(F, A)(t) - e^{at}\Pi_{\mathcal T}(F_0, A_0)\| \le e^{1/(K\sqrt n)}"
    r"\|\Pi_{\mathcal T^\perp}(F_0, A_0)\|$"
)

EQ_19 = Statement(
    id="review:eq-19",
    kind="equation",
    title="Linearised flow of the square error near zero",
    source=Source("review", "(19), Sec. 3.1.2"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "kappa is the number of classes",
            r"$F' = -A^\top(b1^\top - Y)$, $A' = -(b1^\top - Y)F^\top$, $b' = -(b1^\top - Y)1$ "
            r"from $(F_0, A_0, 0)$ are solved by the closed form of its proof, with $b(t) = "
            rf"\frac{{1 - e^{{-Nt}}}}K1$, and {_BOUND} with $a = \sqrt n$, for all $t \ge 0$.",
            Claim(bound_claim(mean=False), (*_PAIR, _T), SIZES),
            (Bound("growth off the subspace T", largest_factor, "upper"),),
            remark="The letter in the exponent, 1/(kappa sqrt(n)), is not introduced; the "
            "derivation gives K = N/n. No smaller constant holds for all times.",
        ),
        Variant(
            "sharp",
            "the distance exactly, and the best factor at every time",
            r"With $g = \frac{1 - e^{-Nt}}{K\sqrt n}$ the square of the distance is "
            r"$e^{-2\sqrt nt}\|\Pi_1^-\|^2 + e^{2g}\|\Pi_2^+\|^2 + e^{-2g}\|\Pi_2^-\|^2 + "
            r"\|\Pi_3\|^2$, projections of $(F_0, A_0)$. So the distance is at most $e^g"
            r"\|\Pi_{\mathcal T^\perp}(F_0, A_0)\|$, with equality on $E_2^+$.",
            Claim(exact_claim, (*_PAIR, _T), SIZES),
            (Bound("growth off the subspace T by time t", factor_at, "upper"),),
            remark="What does not vanish in the linearised flow: the spread within classes "
            "(E_3) rests, and the common parts of features and weights (E_2) stay within a "
            "factor e^(1/(K sqrt(n))). Only E_1^- dies.",
        ),
    ),
)

EQ_56 = Statement(
    id="review:eq-56",
    kind="equation",
    title="Gradient flow of the mean squared error",
    source=Source("review", "A.3, (56), (57)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "gradients, and the bias of the linearised flow",
            r"For $\hat R = \frac1{2N}\|AF + b1^\top - Y\|^2$ the gradients are $\frac1NA^\top E$, "
            r"$\frac1NEF^\top$, $\frac1NE1$, by the exact change under finite steps. Without $AF$ "
            r"the bias runs by $b' = \frac1K(1 - Kb)$, from $0$ to $b(t) = \frac{1 - e^{-t}}K1$.",
            Claim(mean_claim, (*POINT, *STEPS, _T), SIZES),
        ),
        Variant(
            "sharp",
            "the same paths, N times slower",
            r"The pair and the bias of the linearised flow of the mean squared error at time $t$ "
            r"are those of the square error at time $t/N$.",
            Claim(clock_claim, (*_PAIR, _T), SIZES),
            remark="As the risk is that of (16) over N, the same holds of the flows themselves: "
            "the subspace S, the limits and the role of the initialisation are the same, and the "
            "bias is no slower relative to features and weights. Gradient descent with the rate "
            "eta N takes the same steps.",
        ),
    ),
)

EQ_58 = Statement(
    id="review:eq-58",
    kind="equation",
    title="The linear operator of A.3 and its eigenspaces",
    source=Source("review", "A.3, (58), (59)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "any beta: self-adjoint, three cases, spectral decomposition",
            r"$L(F, A) = \frac1N(A^\top(Y - \beta11^\top), (Y - \beta11^\top)F^\top)$ is "
            r"self-adjoint; it is $\pm\frac{\sqrt n}N$ on $E_1^\pm = \{F = \pm\frac1{\sqrt n}"
            r"(A \otimes 1)^\top, 1^\top A = 0\}$, $\pm\frac{\sqrt n}N(1 - K\beta)$ on $E_2^\pm = "
            r"\{F = \pm z1^\top, A = \sqrt n1z^\top\}$ and $0$ on $E_3 = \{(I \otimes 1^\top)"
            r"F^\top = 0, A = 0\}$; $L = \frac{\sqrt n}N(\Pi_1^+ - \Pi_1^- + (1 - K\beta)(\Pi_2^+ "
            r"- \Pi_2^-))$, and the five subspaces are orthogonal with the whole space as sum.",
            Claim(
                spectrum_claim,
                (
                    *_PAIR,
                    Field("G", ("C", "n", "m")),
                    Field("B", ("C", "m")),
                    Field("beta"),
                ),
                SIZES,
            ),
            remark="The printed I - K beta is 1 - K beta, and the second line of case 3 lacks its "
            "1/N, before a zero.",
        ),
    ),
)

A3_FINAL = Statement(
    id="review:remark-a3-final",
    kind="remark",
    title="Final bound of the linearised flow of the mean squared error",
    source=Source("review", "A.3"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the final bound and the bias",
            r"The closed form of A.3 solves the linearised flow, $b(t) = \frac{1 - e^{-t}}K1$, "
            rf"and {_BOUND} with $a = \frac{{\sqrt n}}N$; $\frac1{{K\sqrt n}} = "
            r"\frac{\sqrt n}N$ is the exponent as printed.",
            Claim(bound_claim(mean=True), (*_PAIR, _T), SIZES),
            (Bound("growth off the subspace T", largest_factor, "upper"),),
            remark="True, though the chain printed under it is not.",
        ),
        Variant(
            "printed",
            "the chain, without the kernel E_3",
            r"$\|U(t) - e^{\sqrt nt/N}\Pi_1^+U(0)\|^2 = \|e^{-\sqrt nt/N}\Pi_1^- + e^g\Pi_2^+ + "
            r"e^{-g}\Pi_2^-\|^2 = \dots \le e^{2\sqrt n/N}\|(I - \Pi_1^+)U(0)\|^2$ with $g = "
            r"\frac{\sqrt n}N(1 - e^{-t})$.",
            Claim(chain_claim(with_kernel=False), (*_PAIR, _T), SIZES),
            defect="A zero eigenvalue means that the component in E_3 rests, not that it "
            "vanishes: with n >= 2 the first equation lacks |Pi_3 U(0)|^2, the spread within "
            "classes. The last line has room for it.",
        ),
        Variant(
            "printed",
            "of the gradient flow itself, as the words before it say",
            r"The final bound holds along the gradient flow of $\hat R_{MSE}$, for all $t \ge 0$; "
            r"here from $F_0 = \frac1{\sqrt n}(A_0 \otimes 1)^\top$ in $\mathcal T$, two classes "
            r"in one dimension.",
            Claim(
                nonlinear_claim,
                (
                    Field("start", (), "positive"),
                    Field("n", (), "integer", least=1),
                    Field("t", (), "nonnegative"),
                ),
            ),
            defect="It holds of the flow without A F. The flow itself stays bounded while the "
            "multiple of Pi_T grows: from T, where the right-hand side is zero, it fails at every "
            "t > 0, by e^(3 sqrt(n) t/N) |A_0|^3/(2 sqrt(n)) at most in A (eq-20).",
        ),
        Variant(
            "printed",
            "the component in E_1, as typeset",
            r"$\Pi_1^+U(t) = e^{\sqrt nt/N}U(0)$.",
            Claim(components_claim, (*_PAIR, _T), SIZES),
            defect="A projection is missing on the right: Pi_1^+ U(0), as the next lines use it. "
            "Likewise the chain has Pi_1^-(0) for Pi_1^- U(0), a quotient of two vectors for "
            "the logarithmic derivative, and calls T the subspace that Pi_(T^perp) projects on.",
        ),
        Variant(
            "corrected",
            "the chain with the kernel",
            r"$\|U(t) - e^{\sqrt nt/N}\Pi_1^+U(0)\|^2 = e^{-2\sqrt nt/N}\|\Pi_1^-U(0)\|^2 + "
            r"e^{2g}\|\Pi_2^+U(0)\|^2 + e^{-2g}\|\Pi_2^-U(0)\|^2 + \|\Pi_3U(0)\|^2 \le "
            r"\|\Pi_1^-U(0)\|^2 + e^{2\sqrt n/N}\|\Pi_2^+U(0)\|^2 + \|\Pi_2^-U(0)\|^2 + "
            r"\|\Pi_3U(0)\|^2 \le e^{2\sqrt n/N}\|(I - \Pi_1^+)U(0)\|^2$.",
            Claim(chain_claim(with_kernel=True), (*_PAIR, _T), SIZES),
        ),
    ),
)

STATEMENTS = (EQ_19, EQ_56, EQ_58, A3_FINAL)
