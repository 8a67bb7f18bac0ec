r"""The square error of unconstrained features and its gradient flow: (16), (18) and (20).

The flow conserves ``A^T A - F F^T`` and never spreads a class. It keeps the subspace S on which
the features are copies of the weights, and on S it is solved in closed form: every singular value
of A grows or falls to ``n^(1/4)``, one that is zero stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ncbounds.arithmetic.formula import formula, integer, nonnegative
from ncbounds.theory.square_loss.flow import against, equal
from ncbounds.theory.square_loss.tangents import Tangent, root
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
from ncbounds.theory.unconstrained.square_model import (
    SIZES,
    exponential,
    gradients,
    helmert,
    inner,
    mixed,
    norm,
    pair,
    products,
    projections,
    pulled,
    reflected,
    residual,
    risk,
    root_of,
    simplex,
    squares,
    turned_identity,
    weight_gram,
    within_classes,
)

POINT = (Field("F", ("C", "n", "m")), Field("A", ("C", "m")), Field("b", ("C",)))
STEPS = (Field("step_F", ("C", "n", "m")), Field("step_A", ("C", "m")), Field("step_b", ("C",)))

# -- (16), (18): the risk and its gradients --------------------------------------------------------


def exact_steps(xp: Any, by: Any, share: Any, steps: Any, **point: Any) -> tuple[Comparison, ...]:
    """The risk after a finite step of one argument, by the gradients and an exact remainder."""
    F, A, b = point["F"], point["A"], point["b"]
    step_F, step_A, step_b = steps
    here, N = risk(xp, F, A, b), F.shape[1] * F.shape[2]
    remainders = (
        squares(xp, products(xp, step_F, A)),
        squares(xp, products(xp, F, step_A)),
        N * squares(xp, step_b),
    )
    there = (
        risk(xp, F + step_F, A, b),
        risk(xp, F, A + step_A, b),
        risk(xp, F, A, b + step_b),
    )
    return tuple(
        equal(name, after / share, (here + rest / 2) / share + inner(xp, gradient, step))
        for name, after, rest, gradient, step in zip(
            ("features", "weights", "bias"), there, remainders, by, steps, strict=True
        )
    )


def gradients_claim(
    xp: Any, *, F: Any, A: Any, b: Any, step_F: Any, step_A: Any, step_b: Any
) -> Judgement:
    """Each gradient is the linear part of the exact change under a finite step."""
    by = gradients(xp, F, A, b)
    return Judgement((), exact_steps(xp, by, 1, (step_F, step_A, step_b), F=F, A=A, b=b))


def along_the_flow(xp: Any, *, F: Any, A: Any, b: Any) -> Judgement:
    """What the flow conserves and what it lessens."""
    E = residual(xp, F, A, b)
    by_F, by_A, by_b = gradients(xp, F, A, b)
    of_weights = -mixed(xp, A, by_A) - mixed(xp, by_A, A)
    of_features = -mixed(xp, F, by_F) - mixed(xp, by_F, F)
    moved = products(xp, F, by_A) + products(xp, by_F, A) + by_b[:, None, None, :]
    steepness = squares(xp, by_F) + squares(xp, by_A) + squares(xp, by_b)
    apart = within_classes(xp, F)
    return Judgement(
        (),
        (
            against(xp, "imbalance is conserved", of_weights, of_features, pair(xp, F, A)),
            equal("the risk falls", -inner(xp, E, moved), -steepness),
            equal(
                "classes do not spread",
                -2 * inner(xp, apart, within_classes(xp, by_F)),
                -2 * squares(xp, products(xp, apart, A)),
            ),
        ),
    )


EQ_16 = Statement(
    id="review:eq-16",
    kind="equation",
    title="Square error of unconstrained features and its gradients",
    source=Source("review", "(16), (18), Sec. 3.1.2"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "gradients, with the exact remainder of a step",
            r"For $\hat R = \frac12\|AF + b1^\top - Y\|^2$ and $E = AF + b1^\top - Y$ the "
            r"gradients are $\nabla_F = A^\top E$, $\nabla_A = EF^\top$, $\nabla_b = E1$: a finite "
            r"step in one of them changes $\hat R$ by exactly its inner product with the gradient "
            r"plus $\frac12\|A\,dF\|^2$, $\frac12\|dA\,F\|^2$ or $\frac N2|db|^2$.",
            Claim(gradients_claim, (*POINT, *STEPS), SIZES),
        ),
        Variant(
            "sharp",
            "what the flow conserves and what it lessens",
            r"Along $\Theta' = -\nabla\hat R$: $\frac d{dt}(A^\top A - FF^\top) = 0$, "
            r"$\frac d{dt}\hat R = -\|\nabla\hat R\|^2$, and the features less the means of their "
            r"classes, $F_\perp$, shrink: $\frac d{dt}\|F_\perp\|^2 = -2\|AF_\perp\|^2 \le 0$.",
            Claim(along_the_flow, POINT, SIZES),
            remark="The first is why strong collapse depends on the initialisation: SNC2 makes "
            "A^T A = F F^T, so no flow that starts elsewhere ends in it, even at zero risk. By "
            "the last, features spread within a class stay so in all directions orthogonal to A.",
        ),
    ),
)


# -- (20): the subspace S --------------------------------------------------------------------------


def onto_subspace(xp: Any, F: Any, A: Any, b: Any) -> tuple[Any, Any, Any]:
    """The orthogonal projection of any point onto S: every point of S is one."""
    U = projections(xp, pair(xp, F, A))[0]
    return U[:, :, :-1], U[:, :, -1], xp.mean(b, axis=1)[:, None] + 0 * b


def subspace_claim(xp: Any, *, F: Any, A: Any, b: Any) -> Judgement:
    """On S the flow stays in S, and the risk splits."""
    given = pair(xp, F, A)
    F, A, b = onto_subspace(xp, F, A, b)
    K, n = A.shape[1], F.shape[2]
    by_F, by_A, by_b = gradients(xp, F, A, b)
    scale = root_of(xp, A[:, 0, 0], n)[:, None, None]
    gram, target = weight_gram(xp, A), simplex(xp, K)
    offset = b - (0 * b + 1) / K
    # Entries by class, equal for all n samples of it.
    third = gram / scale - target + offset[:, None, :]
    gap = gram - target * scale
    copies = (by_A / scale)[:, :, None, :] + 0 * F
    value = risk(xp, F, A, b)
    return Judgement(
        (),
        (
            against(xp, "features stay copies", by_F, copies, by_F),
            against(xp, "rows add up to zero", xp.sum(by_A, axis=1), 0 * by_A[:, 0], given),
            against(xp, "bias stays constant", by_b, K * n * offset, n * (b + 1)),
            equal("third line", value, n * squares(xp, third) / 2),
            equal("last line", value, squares(xp, gap) / 2 + K * n * squares(xp, offset) / 2),
        ),
    )


def frozen_claim(xp: Any, *, F: Any, A: Any, b: Any, y: Any, g: Any) -> Judgement:
    """At a point of S with weights orthogonal to y, a spread along y changes no gradient."""
    length = xp.sum(y * y, axis=-1)
    rows = A - (xp.sum(A * y[:, None, :], axis=-1) / length[:, None])[..., None] * y[:, None, :]
    off = xp.sum(F * y[:, None, None, :], axis=-1) / length[:, None, None]
    base, rows, b = onto_subspace(xp, F - off[..., None] * y[:, None, None, :], rows, b)
    spread = (g - xp.mean(g, axis=2)[:, :, None])[..., None] * y[:, None, None, :]
    point = base + spread
    here, there = gradients(xp, base, rows, b), gradients(xp, point, rows, b)
    names = ("by features", "by weights", "by the bias")
    return Judgement(
        (),
        (
            *(
                against(xp, name, found, expected, pair(xp, F + spread, A))
                for name, found, expected in zip(names, there, here, strict=True)
            ),
            equal("risk", risk(xp, point, rows, b), risk(xp, base, rows, b)),
        ),
    )


_N = integer("n", "samples of a class", "n", 1)
_START = nonnegative("start", "singular value of A at the beginning", r"\sigma_0")
_TIME = nonnegative("t", "time", "t")


@formula(_N, _START, _TIME)
def squared_singular_value(xp: Any, n: Any, start: Any, t: Any) -> Any:
    """The square of a singular value of A at a time, on S."""
    r, s = xp.sqrt(n), start * start
    decay = xp.exp(-2 * r * t)
    return r * s / (s + (r - s) * decay)


@formula(_N, _START, _TIME)
def linearisation_error(xp: Any, n: Any, start: Any, t: Any) -> Any:
    """How far exp(sqrt(n) t) A(0) is from A(t) on S at most, for a norm of A(0)."""
    r = xp.sqrt(n)
    return xp.exp(3 * r * t) * start * start * start / (2 * r)


def on_the_subspace(xp: Any, *, s: Any, x: Any, y: Any, n: Any, t: Any) -> Judgement:
    """The closed form of the flow on S, from weights with singular values s and bias zero.

    The left frame is the simplex of `helmert` turned by x, the right one the identity turned by y:
    every A with rows that add up to zero has such frames.
    """
    K, rank = x.shape[1] + 1, s.shape[1]
    left = reflected(xp, helmert(xp, t, K), x)[:, :, :rank]
    right = turned_identity(xp, y, rank)
    one = 0 * t[:, None] + 1
    time, r = Tangent(t, one), xp.sqrt(n)
    decay = exponential(xp, time * (-2 * r))[:, None]
    S, R = s * s, r[:, None]
    lessened = decay * (R - S) + S  # r s^2 over the square of the singular value at t
    values = Tangent(s * xp.sqrt(R + 0 * s), 0 * s[:, None]) / root(xp, lessened)
    bias = (exponential(xp, time * (-K * n)) * -1 + 1) / K

    def weights(diagonal: Any) -> Any:
        turned = left * diagonal[:, None, :]
        return xp.sum(turned[..., None] * right[:, None, :, :], axis=2)

    A, start = weights(values.value), weights(s)
    b = bias.value[:, None] + 0 * x[:, :1] + xp.asarray(np.zeros((1, K)))
    F = (A / R[..., None])[:, :, None, :]
    E = residual(xp, F, A, b)  # of one sample of each class: they are all alike
    _, by_A = pulled(xp, E, F, A)
    by_b = xp.sum(E, axis=(1, 2)) * n[:, None]
    gram = squares(xp, weight_gram(xp, A) - simplex(xp, K) * R[..., None])
    squared = squared_singular_value(xp, n=n[:, None], start=s, t=t[:, None])
    off = squared - R
    growth = xp.exp(r * t)
    size = xp.sqrt(xp.sum(S, axis=-1))
    return Judgement(
        (),
        (
            against(
                xp,
                "weights",
                weights(values.rate[:, 0]),
                -by_A * n[:, None, None],
                A * R[..., None],
            ),
            against(xp, "bias", bias.rate + 0 * b, -by_b, (0 * b + 1) * n[:, None]),
            equal("squared singular values", values.value * values.value, squared),
            equal("error of SNC1", gram + n, xp.sum(off * off, axis=-1) + n * (K - 1 - rank) + n),
            Comparison(
                "linearisation",
                norm(xp, A - growth[:, None, None] * start),
                linearisation_error(xp, n=n, start=size, t=t),
            ),
        ),
    )


_S = r"\{F = \frac1{\sqrt n}(A \otimes 1_n)^\top,\ 1^\top A = 0,\ b \in \mathrm{span}\{1\}\}"
_M = r"I - \frac1K11^\top"

EQ_20 = Statement(
    id="review:eq-20",
    kind="equation",
    title="The subspace S of the flow, and the risk on it",
    source=Source("review", "(20) and the lines after it, Sec. 3.1.2"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "invariance, and every line of the risk",
            rf"At every point of $\mathcal S = {_S}$ the gradient lies in $\mathcal S$, so the "
            rf"flow stays in it, and $\hat R = \frac12\|(\frac1{{\sqrt n}}AA^\top - ({_M})) "
            r"\otimes 1_n^\top + (b - \frac1K1)1_N^\top\|^2 = \frac12\|AA^\top - \sqrt n"
            rf"({_M})\|^2 + \frac N2|b - \frac1K1|^2$.",
            Claim(subspace_claim, POINT, SIZES),
            remark="The two terms are orthogonal for every b, as the rows of A add up to zero. "
            "Both vanish only if m >= K - 1: else the first is at least n (K - 1 - m)/2.",
        ),
        Variant(
            "printed",
            "small initialisations keep the whole trajectory near S",
            r"As $\|F_0\|, \|A_0\| \to 0$ with $b_0 = 0$, the whole trajectory tends to "
            r"$\mathcal S$.",
            undecided="A limit over whole trajectories, which the review takes from experiments. "
            "Decided here are its parts: S is invariant and solved exactly (sharp), the linearised "
            "flow runs to it with a known error (eq-19), and what is conserved bounds how near a "
            "trajectory can end (eq-17). `python -m experiments strong-collapse` measures it.",
        ),
        Variant(
            "sharp",
            "a spread within classes that is orthogonal to the weights rests for ever",
            r"At every point of $\mathcal S$, features $G$ added with $AG = 0$ and zero sum over "
            r"each class change neither the risk nor a gradient, and $A$ stays orthogonal to them: "
            r"$(F + G, A, b)$ runs as $(F, A, b)$ does, with $G$ at rest.",
            Claim(
                frozen_claim,
                (*POINT, Field("y", ("m",)), Field("g", ("C", "n"))),
                {"C": (2, 3), "n": (1, 2), "m": (2, 3)},
            ),
            remark="So for m >= K and n >= 2 flows from arbitrarily small initialisations end at "
            "zero risk with SNC1 and SNC3 and yet without variability collapse: NC1 is no "
            "consequence of the flow, only as small as the initialisation.",
        ),
        Variant(
            "sharp",
            "the flow on S in closed form",
            r"From $A_0 = \sum_i\sigma_iu_iw_i^\top$ in $\mathcal S$ and $b_0 = 0$: $A(t) = "
            r"\sum_i\sigma_i(t)u_iw_i^\top$ with $\sigma_i(t)^2 = \frac{\sqrt n\sigma_i^2}"
            r"{\sigma_i^2 + (\sqrt n - \sigma_i^2)e^{-2\sqrt nt}}$ and $b(t) = \frac{1 - e^{-Nt}}"
            rf"K1$. So $\|AA^\top - \sqrt n({_M})\|^2 = \sum_i(\sigma_i(t)^2 - \sqrt n)^2 + "
            r"n(K - 1 - r)$ over $r = \min(K - 1, m)$ values, and $\|A(t) - e^{\sqrt nt}A_0\| \le "
            r"\frac{e^{3\sqrt nt}}{2\sqrt n}\|A_0\|^3$.",
            Claim(
                on_the_subspace,
                (
                    Field("s", ("r",), "nonnegative"),
                    Field("x", ("P",)),
                    Field("y", ("m",)),
                    Field("n", (), "integer", least=1),
                    Field("t", (), "nonnegative"),
                ),
                {"P": (1, 3), "m": (1, 3)},
                {"r": lambda sizes: min(sizes["P"], sizes["m"])},
            ),
            (
                Bound("squared singular value of A", squared_singular_value, "value"),
                Bound("error of the linearised flow on S", linearisation_error, "upper"),
            ),
            remark="The limit is SNC1 exactly if A_0 has rank K - 1, which needs m >= K - 1; a "
            "singular value that is zero stays zero, at the cost of n/2 in the risk. Linear is the "
            "flow until about log(n^(1/4)/sigma)/sqrt(n).",
        ),
    ),
)

STATEMENTS = (EQ_16, EQ_20)
