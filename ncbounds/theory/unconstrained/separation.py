"""Separation of least norm: how large a margin the norms of weights and features allow.

The setting of `review`: weights a of shape (K, m), features f of shape (K, n, m), no bias. The
margin q is the least of all gaps ``<a_k - a_j, f_{k,i}>``, j != k. Separation of least norm asks
for ``(|A|^2 + |F|^2)/2`` least under q >= 1. The gap between norms and margin splits exactly into
defects, and in fewer than K - 1 dimensions the margin is smaller for certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.cosine import dot
from ncbounds.theory.metrics import orthonormal_frame, small_simplex
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.softmax_code.temperature import rival_gaps
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

_K = integer("K", "number of classes", "K", at_least=2)
_N = integer("n", "samples of a class", "n", at_least=1)
_M = integer("m", "dimension of the features", "m", at_least=1)
_PRODUCT = positive("product", "product of the norms of A and F", r"\|A\|_F\|F\|_F")
_MARGIN = nonnegative("q", "least margin", "q")
_PAIRS = integer("pairs", "opposite pairs of classes, K - m", "h", at_least=2)
_OTHERS = integer("others", "other classes, 2 m - K", "l", at_least=0)


# -- guarantees: functions of what is measured ----------------------------------------------------


@formula(_K, _N)
def least_norm(xp: Any, K: Any, n: Any) -> Any:
    """Least (|A|^2 + |F|^2)/2 of a separation with margin 1, from K - 1 dimensions on."""
    return (K - 1) * xp.sqrt(n)


@formula(_K, _N, _M)
def least_norm_in(xp: Any, K: Any, n: Any, m: Any) -> Any:
    """Lower bound on (|A|^2 + |F|^2)/2 of a separation with margin 1 in m dimensions."""
    missing = xp.maximum(K - 1 - m, 0 * K)
    return xp.sqrt(n) * (K - 1 + 2 * missing / xp.maximum(K - 2, 0 * K + 1))


@formula(_PAIRS, _OTHERS, _N)
def constructed_norm(xp: Any, pairs: Any, others: Any, n: Any) -> Any:
    """(|A|^2 + |F|^2)/2 of opposite pairs and a simplex: 2 pairs + others classes."""
    K = 2 * pairs + others
    return xp.sqrt(n) * (K - 1 + xp.sqrt(2 * pairs / K))


@formula(_K, _N, _MARGIN, _PRODUCT)
def margin_gap(xp: Any, K: Any, n: Any, q: Any, product: Any) -> Any:
    """The gap g: how far the margin is, relatively, from what the norms allow."""
    return 1 - (K - 1) * xp.sqrt(n) * q / product


@formula(_K, _N, _MARGIN, _PRODUCT)
def margin_variability(xp: Any, K: Any, n: Any, q: Any, product: Any) -> Any:
    """Upper bound 2g - g^2 on the within-class share of the squared norm of the features."""
    g = margin_gap(xp, K=K, n=n, q=q, product=product)
    return g * (2 - g)


# -- the setting ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Separation:
    """Weights and features with their gaps (B, K, n, K-1), least margin q, |A|^2 and |F|^2."""

    gaps: Any
    q: Any
    weights: Any
    features: Any

    @property
    def objective(self) -> Any:
        """``(|A|^2 + |F|^2)/2``."""
        return (self.weights + self.features) / 2


def separation(xp: Any, a: Any, f: Any) -> Separation:
    """Compute the margins of weights a (B, K, m) and features f (B, K, n, m)."""
    gaps = -rival_gaps(xp, a, f)
    return Separation(
        gaps=gaps,
        q=xp.min(xp.min(xp.min(gaps, axis=-1), axis=-1), axis=-1),
        weights=xp.sum(square_norm(xp, a), axis=-1),
        features=total(xp, square_norm(xp, f)),
    )


def total(xp: Any, values: Any) -> Any:
    """Sum over the last two axes."""
    return xp.sum(xp.sum(values, axis=-1), axis=-1)


def least_norm_simplex(xp: Any, mirrors: Any, n: int) -> tuple[Any, Any]:
    """The separation of least norm in m >= K - 1 dimensions: weights and features."""
    one = 0 * mirrors[:, 0, 0] + 1
    fourth = xp.sqrt(xp.sqrt(one * n))
    points = small_simplex(xp, mirrors, one)
    f = (points / fourth[:, None, None])[:, :, None, :]
    return points * fourth[:, None, None], xp.stack([f[:, :, 0]] * n, axis=2)


def opposite_pairs(xp: Any, one: Any, K: int, n: int, m: int) -> tuple[Any, Any]:
    """A separation with margin 1 for K/2 <= m <= K - 2: K - m opposite pairs, and a simplex.

    The 2 m - K other classes have logits ``e_l - 1/K``, factored with equal norms; the weights of
    the pairs share what is left of these factors, their features have no part in it.
    """
    pairs, others = K - m, 2 * m - K
    fourth = xp.sqrt(xp.sqrt(one * n))[:, None, None]
    tau = xp.sqrt(xp.sqrt(one * 2 * pairs / K))
    zero, a, f = 0 * one, [], []
    for i in range(pairs):
        for sign in (1, -1):
            axis = [zero + sign * int(d == i) for d in range(pairs)]
            a.append(axis + [-one / (K * tau)] * others)
            f.append(axis + [zero] * others)
    for k in range(others):
        own = [int(d == k) for d in range(others)]
        level = (1 / tau - 1) / others - 1 / (K * tau)
        a.append([zero] * pairs + [level + e for e in own])
        f.append([zero] * pairs + [(tau - 1) / others + e for e in own])
    weights, features = (xp.stack([xp.stack(x, axis=1) for x in rows], axis=1) for rows in (a, f))
    return weights * fourth, xp.stack([features / fourth] * n, axis=2)


# -- equation (15) --------------------------------------------------------------------------------


def solution(xp: Any, *, mirrors: Any, a: Any, f: Any) -> Judgement:
    """The simplex is feasible, has the value, and no separation has less."""
    n = f.shape[2]
    best = separation(xp, *least_norm_simplex(xp, mirrors, n))
    other = separation(xp, a, f)
    value = least_norm(xp, K=0 * best.q + a.shape[1], n=0 * best.q + n)
    return Judgement(
        (),
        (
            Comparison("margins", best.gaps, 0 * best.gaps + 1, "="),
            Comparison("value", best.objective, value, "="),
            Comparison("least", value * other.q, other.objective),
        ),
    )


def in_half(xp: Any, *, mirrors: Any, a: Any, f: Any) -> Judgement:
    """K/2 <= m <= K - 2: the construction is feasible, has its value, and is best at K = 2 m."""
    K, n, m = a.shape[1], f.shape[2], a.shape[2]
    other = separation(xp, a, f)
    zero = 0 * other.q
    frame = orthonormal_frame(xp, mirrors, m)
    weights, features = opposite_pairs(xp, zero + 1, K, n, m)
    best = separation(xp, xp.matmul(weights, frame), xp.matmul(features, frame[:, None]))
    numbers = {"K": zero + K, "n": zero + n, "m": zero + m}
    value = constructed_norm(xp, pairs=zero + (K - m), others=zero + (2 * m - K), n=zero + n)
    lower = least_norm_in(xp, **numbers)
    return Judgement(
        (),
        (
            Comparison("feasible", 0 * best.gaps + 1, best.gaps),
            Comparison("value", best.objective, value, "="),
            Comparison("at K = 2 m", (value - lower) * int(2 * m == K), zero, "="),
            Comparison("least", lower * other.q, other.objective),
        ),
    )


def in_dimension(xp: Any, *, a: Any, f: Any) -> Judgement:
    """What margins the norms allow in m dimensions, and that a line separates two classes only."""
    K, n, m = a.shape[1], f.shape[2], a.shape[2]
    net = separation(xp, a, f)
    zero = 0 * net.q
    value = least_norm_in(xp, K=zero + K, n=zero + n, m=zero + m)
    return Judgement(
        (),
        (
            Comparison("margin", value * net.q, xp.sqrt(net.weights * net.features)),
            Comparison("on a line", net.q * int(m == 1), zero),
        ),
    )


_A, _F = Field("a", ("K", "m")), Field("f", ("K", "n", "m"), like="a")
_SIZES = {"K": (2, 5), "n": (1, 3), "m": (1, 4)}
_OBJECTIVE = r"$\tfrac12(\|A\|_F^2 + \|F\|_F^2)$"

EQ_15 = Statement(
    id="review:eq-15",
    kind="equation",
    title="Separation of least norm",
    source=Source("review", "(15)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the least value, m >= K - 1",
            rf"{_OBJECTIVE} of a separation with margin 1 is at least $(K-1)\sqrt n$, attained for "
            r"$m \ge K - 1$ by $A = n^{1/4}S$, $f_{k,i} = n^{-1/4}s_k$ with $SS^\top = I - "
            r"\tfrac1K11^\top$, where every margin is 1.",
            Claim(
                solution,
                (
                    Field("mirrors", ("rank", "m")),
                    Field("a", ("K", "m")),
                    Field("f", ("K", "n", "m"), like="a"),
                ),
                {"rank": (1, 3), "n": (1, 3), "m": (1, 4)},
                {
                    "K": lambda sizes: sizes["rank"] + 1,
                    "m": lambda sizes: max(sizes["m"], sizes["rank"]),
                },
            ),
            (Bound("least norm of a separation", least_norm, "value"),),
            remark="A competitor of margin q > 0 is scaled to margin 1 by dividing A and F by the "
            "root of q. The paper does not say m >= K - 1, and needs it.",
        ),
        Variant(
            "corrected",
            "in m dimensions",
            r"For $K \ge 3$ the margin of any $A \in \mathbb R^{K\times m}$, $F$ is at most "
            r"$\frac{\|A\|_F\|F\|_F}{\sqrt n}\big/\big(K - 1 + \frac{2(K-1-m)_+}{K-2}\big)$; for "
            r"$m = 1$ it is at most 0. So (15) has no feasible point for $m = 1$, $K \ge 3$, its "
            r"value is $(K-1)\sqrt n$ just for $m \ge K - 1$, and larger below.",
            Claim(in_dimension, (_A, _F), {"K": (3, 5), "n": (1, 3), "m": (1, 4)}),
            (Bound("norm of a separation in m dimensions", least_norm_in, "lower"),),
        ),
        Variant(
            "sharp",
            "half as many dimensions as classes, and more",
            rf"For $K/2 \le m \le K - 2$ there is a separation with margin 1 and {_OBJECTIVE} $= "
            r"\sqrt n\,(K - 1 + \sqrt{2(K-m)/K})$: $K - m$ orthogonal pairs of opposite classes, "
            r"and a simplex of the others. For $K = 2m$, the cross-polytope, this is $K\sqrt n$, "
            "the least.",
            Claim(
                in_half,
                (
                    Field("mirrors", ("pairs", "m")),
                    Field("a", ("K", "m")),
                    Field("f", ("K", "n", "m"), like="a"),
                ),
                {"pairs": (2, 3), "n": (1, 2), "m": (2, 4)},
                {
                    "K": lambda sizes: max(sizes["m"], sizes["pairs"]) + sizes["pairs"],
                    "m": lambda sizes: max(sizes["m"], sizes["pairs"]),
                },
            ),
            (Bound("least norm of a separation in m dimensions", constructed_norm, "upper"),),
            remark="For K < 2 m a numerical search finds nothing better than this to twelve "
            "digits, at every K <= 8; that it is the least there is not proved. At m = K - 1 the "
            "value falls from K - 1 + 2/root K, at m = K - 2, to K - 1.",
        ),
    ),
)


# -- the margin bound -----------------------------------------------------------------------------


def margin_bound(xp: Any, *, a: Any, f: Any) -> Judgement:
    """The margin is at most the norms over 2 (K - 1) root n."""
    net = separation(xp, a, f)
    K = 0 * net.q + a.shape[1]
    return Judgement(
        (),
        (
            Comparison(
                "bound",
                net.q * least_norm(xp, K=K, n=0 * K + f.shape[2]),
                net.objective,
            ),
        ),
    )


def margin_defects(xp: Any, a: Any, f: Any) -> dict[str, Any]:
    """``root n (|A|^2 + |F|^2)/2 - (K-1) n q`` as `gap`, and the defects that add up to it; (B,).

    Norms that differ, features away from their centred weight, a mean weight, margins above q.
    """
    net = separation(xp, a, f)
    K, n = f.shape[1:3]
    root = xp.sqrt(0 * net.q + n)
    centre = xp.mean(a, axis=1)
    sizes = xp.sqrt(net.weights), xp.sqrt(net.features)
    ratio = sizes[1] / (root * sizes[0])
    scale = xp.sqrt(ratio)[:, None, None, None]
    away = (a - centre[:, None, :])[:, :, None, :] * scale - f / scale
    difference = sizes[0] - sizes[1]
    return {
        "gap": root * net.objective - (K - 1) * n * net.q,
        "norms": root * difference * difference / 2,
        "misalignment": total(xp, square_norm(xp, away)) / 2,
        "centre": ratio * (K * n) * square_norm(xp, centre) / 2,
        "margins": xp.sum(total(xp, net.gaps - net.q[:, None, None, None]), axis=-1) / K,
    }


def split(xp: Any, *, a: Any, f: Any) -> Judgement:
    """The split of the gap, and what a margin says of NC1 and NC3."""
    net = separation(xp, a, f)
    K, n = f.shape[1:3]
    defects = margin_defects(xp, a, f)
    weight = a - xp.mean(a, axis=1)[:, None, :]
    means = xp.mean(f, axis=2)
    numbers = {
        "K": 0 * net.q + K,
        "n": 0 * net.q + n,
        "q": net.q,
        "product": xp.sqrt(net.weights * net.features),
    }
    within = total(xp, square_norm(xp, f - means[:, :, None, :]))
    inner = n * xp.sum(dot(xp, weight, means), axis=-1)
    lengths = n * xp.sum(square_norm(xp, weight), axis=-1) * net.features
    root = xp.sqrt(numbers["n"])
    return Judgement(
        (Comparison("separated", 0 * net.q, net.q),),
        (
            Comparison(
                "split",
                root * net.objective,
                (K - 1) * n * net.q + sum(v for name, v in defects.items() if name != "gap"),
                "=",
            ),
            Comparison("margins", 0 * net.q, defects["margins"]),
            Comparison("NC1", within / net.features, margin_variability(xp, **numbers)),
            Comparison("NC3", 1 - inner / xp.sqrt(lengths), margin_gap(xp, **numbers)),
        ),
    )


MARGIN_BOUND = Statement(
    id="review:remark-margin-bound",
    kind="remark",
    title="Margin bound and its equality",
    source=Source("review", "Sec. 3.1.1, after (15)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "the bound",
            r"$q_{\min}(F, A) \le \frac{\|A\|_F^2 + \|F\|_F^2}{2(K-1)\sqrt n}$.",
            Claim(margin_bound, (_A, _F), _SIZES),
        ),
        Variant(
            "sharp",
            "the gap split into defects",
            r"With $\rho = \|F\|_F/(\sqrt n\|A\|_F)$, $\dot a_k = a_k - \bar a$ and the excess "
            r"$s = \langle a_k - a_j, f_{k,i}\rangle - q \ge 0$: $\frac{\sqrt n}2(\|A\|_F^2 + "
            r"\|F\|_F^2) - (K-1)nq = \frac{\sqrt n}2(\|A\|_F - \|F\|_F)^2 + \frac12\sum|\sqrt\rho"
            r"\,\dot a_k - f_{k,i}/\sqrt\rho|^2 + \frac{\rho Kn}2|\bar a|^2 + \frac1K\sum s$. "
            r"For $q \ge 0$, with $g = 1 - \frac{(K-1)\sqrt n\,q}{\|A\|_F\|F\|_F}$: the "
            r"within-class share of $\|F\|_F^2$ is at most $2g - g^2$, the cosine of features and "
            r"centred weights at least $1 - g$.",
            Claim(split, (_A, _F), {"K": (2, 4), "n": (1, 3), "m": (1, 4)}),
            (
                Bound("gap of the margin", margin_gap, "value"),
                Bound("within-class share of the features", margin_variability, "upper", 1),
                Bound("1 - cosine of features and weights", margin_gap, "upper", 2),
            ),
            remark="Equality in the printed bound just where all four defects vanish: equal "
            "norms, f_{k,i} = rho a_k (NC1 and NC3), centred weights, and equal margins, which "
            "makes the Gram matrix of A a multiple of I - 11^T/K (NC2); so for m >= K - 1 only.",
        ),
    ),
)

STATEMENTS = (EQ_15, MARGIN_BOUND)
