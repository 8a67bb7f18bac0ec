"""The gradient flow of cross-entropy over free features: velocity, conserved quantities, KKT.

The setting of `review`: weights a (K, m), features f (K, n, m), no bias, N = K n samples, and the
risk R their mean cross-entropy. With P the softmax probabilities and Y the one-hot labels, the
slope in the logits is ``G = (P - Y)/N``, and the flow moves by minus the gradient: ``V_A = -G F^T``
and ``V_F = -A^T G``. What is exact about it is decided here; its limit is quoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, positive
from ncbounds.theory.softmax_code.temperature import log_sum_exp, rival_gaps, softplus
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
from ncbounds.theory.unconstrained.collapsed_outputs import log_softmax, losses
from ncbounds.theory.unconstrained.separation import separation, total

_K = integer("K", "number of classes", "K", at_least=2)
_N = integer("N", "number of samples", "N", at_least=2)
_Q = positive("q", "least margin", "q")
_SQUARE = positive("s", "squared norm of weights and features over the margin", "s")


@formula(_K, _N, _Q, _SQUARE)
def complementarity(xp: Any, K: Any, N: Any, q: Any, s: Any) -> Any:
    """Upper bound on the complementarity residual of a separation scaled to margin 1."""
    return s * (N * (K - 1) - 1) * (1 + (K - 1) * xp.exp(-q)) / (2 * xp.e * q)


# -- the setting ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class EntropyPoint:
    """Logits z (B, K, n, K), probabilities p and slope G alike, risk (B,), velocities V_A, V_F."""

    z: Any
    p: Any
    slope: Any
    risk: Any
    of_weights: Any
    of_features: Any


def logits(xp: Any, a: Any, f: Any) -> Any:
    """A F for weights (B, K, m) and features (B, K, n, m): (B, K, n, K)."""
    return xp.matmul(f, xp.matrix_transpose(a)[:, None])


def entropy_point(xp: Any, a: Any, f: Any) -> EntropyPoint:
    """Compute risk, slope and velocity at weights a (B, K, m) and features f (B, K, n, m)."""
    K, n = f.shape[1:3]
    z = logits(xp, a, f)
    p = xp.exp(log_softmax(xp, z))
    classes = []
    for k in range(K):
        entries = [p[:, k, :, j] for j in range(K)]
        entries[k] = -sum(entries[j] for j in range(K) if j != k)  # p_k - 1, no digit lost
        classes.append(xp.stack(entries, axis=2))
    slope = xp.stack(classes, axis=1) / (K * n)
    rows = xp.reshape(slope, (-1, K * n, K))
    features = xp.reshape(f, (-1, K * n, f.shape[3]))
    return EntropyPoint(
        z=z,
        p=p,
        slope=slope,
        risk=xp.mean(xp.mean(losses(xp, z), axis=-1), axis=-1),
        of_weights=-xp.matmul(xp.matrix_transpose(rows), features),
        of_features=-xp.matmul(slope, a[:, None]),
    )


def product(xp: Any, a: Any, f: Any, da: Any, df: Any) -> Any:
    """Inner product of two pairs of weights and features."""
    return total(xp, a * da) + xp.sum(total(xp, f * df), axis=-1)


def ranges(xp: Any, step: Any) -> Any:
    """Mean squared range of logits (B, K, n, K) over classes: (B,)."""
    width = xp.max(step, axis=-1) + xp.max(-step, axis=-1)
    return xp.mean(xp.mean(width * width, axis=-1), axis=-1)


# -- equations (13) and (14) ----------------------------------------------------------------------


def flow(xp: Any, *, a: Any, f: Any, da: Any, df: Any) -> Judgement:
    """The risk in two forms, and that the velocity is minus its gradient, with the remainder."""
    at, moved = entropy_point(xp, a, f), entropy_point(xp, a + da, f + df)
    from_gaps = softplus(xp, log_sum_exp(xp, rival_gaps(xp, a, f)))
    second = xp.sum(total(xp, at.slope * logits(xp, da, df)), axis=-1)
    linear = at.risk + second - product(xp, at.of_weights, at.of_features, da, df)
    return Judgement(
        (),
        (
            Comparison("risk", at.risk, xp.mean(xp.mean(from_gaps, axis=-1), axis=-1), "="),
            Comparison("from below", linear, moved.risk),
            Comparison("from above", moved.risk, linear + ranges(xp, moved.z - at.z) / 8),
        ),
    )


def conserved(xp: Any, *, a: Any, f: Any) -> Judgement:
    """What the velocity leaves as it is, and how fast the norms grow."""
    at = entropy_point(xp, a, f)
    K, n, m = f.shape[1:]

    def against(left: Any, right: Any) -> Any:
        outer = xp.matmul(xp.matrix_transpose(left), right)
        return outer + xp.matrix_transpose(outer)

    flat, moving = (xp.reshape(x, (-1, K * n, m)) for x in (f, at.of_features))
    net = separation(xp, a, f)
    rivals = xp.stack([at.p[:, k][:, :, [j for j in range(K) if j != k]] for k in range(K)], axis=1)
    growth = 2 * xp.sum(total(xp, rivals * net.gaps), axis=-1) / (K * n)
    wrong = xp.sum(total(xp, rivals), axis=-1) / (K * n)
    return Judgement(
        (),
        (
            Comparison("balance", against(a, at.of_weights), against(flat, moving), "="),
            Comparison("mean weight", xp.sum(at.of_weights, axis=1), 0 * at.of_weights[:, 0], "="),
            Comparison("growth", product(xp, a, f, at.of_weights, at.of_features), growth, "="),
            Comparison("growth by the margin", 2 * net.q * wrong, growth),
        ),
    )


def approximate_kkt(xp: Any, *, a: Any, f: Any) -> Judgement:
    """The residuals of stationarity and complementarity at the scaled point, by its multipliers."""
    at, net = entropy_point(xp, a, f), separation(xp, a, f)
    K, n = f.shape[1:3]
    size = net.weights + net.features
    va, vf = at.of_weights * (K * n), at.of_features * (K * n)
    speed = product(xp, va, vf, va, vf)
    factor = xp.sqrt(size / speed)
    left = a - va * factor[:, None, None]
    right = f - vf * factor[:, None, None, None]
    cosine = product(xp, a, f, va, vf) / xp.sqrt(size * speed)
    rivals = xp.stack([at.p[:, k][:, :, [j for j in range(K) if j != k]] for k in range(K)], axis=1)
    slack = net.gaps / net.q[:, None, None, None] - 1
    missed = factor * xp.sum(total(xp, rivals * slack), axis=-1)
    one = 0 * net.q + 1
    bound = complementarity(xp, K=K * one, N=K * n * one, q=net.q, s=size / net.q)
    residual = product(xp, left, right, left, right) / net.q
    return Judgement(
        (Comparison("separated", 0 * net.q, net.q),),
        (
            Comparison("stationarity", residual, 2 * size / net.q * (1 - cosine), "="),
            Comparison("complementarity", missed, bound),
        ),
    )


A, F = Field("a", ("K", "m")), Field("f", ("K", "n", "m"), like="a")
SIZES = {"K": (2, 4), "n": (1, 2), "m": (1, 3)}

EQ_13 = Statement(
    id="review:eq-13",
    kind="equation",
    title="Gradient flow of cross-entropy",
    source=Source("review", "(13), (14)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the risk and its flow",
            r"The risk (13) is the mean of $\log(1 + \sum_{j\ne k}e^{\langle a_j - a_k, "
            r"f_{k,i}\rangle})$. Its flow (14) is $\dot A = -GF^\top$, $\dot F = -A^\top G$ with "
            r"$G = \frac1N(P - Y)$: at $A + \Delta A$, $F + \Delta F$ the risk exceeds $\mathcal R "
            r"- \langle\dot A, \Delta A\rangle - \langle\dot F, \Delta F\rangle + \langle G, "
            r"\Delta A\Delta F\rangle$ by between 0 and $\frac18$ of the mean squared range of the "
            "change of the logits.",
            Claim(
                flow,
                (A, F, Field("da", ("K", "m")), Field("df", ("K", "n", "m"))),
                SIZES,
            ),
        ),
        Variant(
            "printed",
            "limit points are KKT directions",
            r"If all margins are at least 0, every limit point of $(F, A)/\sqrt{\|A\|_F^2 + "
            r"\|F\|_F^2}$ along the flow is the direction of a KKT point of (15).",
            undecided="A statement about limits of a flow, quoted from Ji et al. (2021), whose "
            "proof follows Lyu and Li (2019). What is exact at a point is decided in the other "
            "wordings. Margins of 0 are not enough: with equal weights a_k and F = 0 all margins "
            "are 0 and the flow rests, though no multiple separates. It needs a time with R < "
            "(log 2)/N, from which on all margins are positive.",
        ),
        Variant(
            "sharp",
            "what is conserved, and how norms grow",
            r"Along the flow $A^\top A - FF^\top$ and $\sum_ka_k$ stay as they are (so does "
            r"$\|A\|_F^2 - \|F\|_F^2$), and $\frac12\frac{\mathrm d}{\mathrm dt}(\|A\|_F^2 + "
            r"\|F\|_F^2) = \frac2N\sum_{k,i}\sum_{j\ne k}P_j\langle a_k - a_j, f_{k,i}\rangle$, "
            r"which is at least $2q_{\min}$ times the mean probability of a wrong class.",
            Claim(conserved, (A, F), SIZES),
            remark="So norms that differ at the start differ by as much for ever; only relative "
            "to the growing norms does |A| = |F| come.",
        ),
        Variant(
            "sharp",
            "how nearly a point is a KKT point",
            r"Let $q = q_{\min} > 0$, $x = (A, F)$, $v = -N\nabla\mathcal R(x)$ and $\cos$ that of "
            r"$x$ and $v$. At $x/\sqrt q$, feasible for (15), the multipliers $\lambda = "
            r"\frac{|x|}{|v|}P_j$ leave the stationarity residual $\epsilon^2 = \frac{2|x|^2}q(1 - "
            r"\cos)$ and the complementarity residual $\delta \le \frac{|x|^2}q\cdot\frac{(N(K-1) "
            r"- 1)(1 + (K-1)e^{-q})}{2eq}$.",
            Claim(approximate_kkt, (A, F), {"K": (2, 3), "n": (1, 2), "m": (1, 3)}),
            (Bound("complementarity residual", complementarity, "upper"),),
            remark="So along a flow with |x|^2/q bounded and q to infinity delta tends to 0, and "
            "epsilon does where the velocity aligns with the point.",
        ),
    ),
)

STATEMENTS = (EQ_13,)
