"""How cross-entropy tends to HardMax as the temperature vanishes, and what a measured loss says.

`gnc:lemma-3.1` says that minimisers of the mean loss become minimisers of HardMax. The sharp
variants say at which rate, for every temperature, and what the measured loss of one model on the
sphere guarantees for its weights and features. The setting is that of `temperature`.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, positive
from ncbounds.theory.cosine import norm
from ncbounds.theory.proximity.near_optimal_loss import phi_inverse, square_norm
from ncbounds.theory.softmax_code.temperature import (
    COMBINATIONS,
    LAYER,
    LAYER_SIZES,
    TEMPERATURE,
    SphericalLayer,
    column,
    rival_points,
    softplus,
    spherical_layer,
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

_K = integer("K", "number of classes", "K", at_least=2)
_N = integer("n", "number of features a class", "n", at_least=1)
_TAU = positive("tau", "temperature", r"\tau")
_LOSS = positive("L", "mean cross-entropy at that temperature", "L")
_RHO = positive("rho", "one-vs-rest distance that some weights attain", r"\rho")
_DISTANCE = positive("D", "one-vs-rest distance of the class", "D")


# -- what a loss guarantees, apart from what it is compared with ----------------------------------


@formula(_K, _N, _LOSS, _TAU)
def hardmax_from_loss(xp: Any, K: Any, n: Any, L: Any, tau: Any) -> Any:
    """Upper bound on HardMax from the mean loss."""
    return -tau * phi_inverse(xp, n * K * L, 1)


@formula(_K, _LOSS, _TAU)
def distance_from_loss(xp: Any, K: Any, L: Any, tau: Any) -> Any:
    """Lower bound on the least one-vs-rest distance of the weights from the mean loss."""
    return tau * phi_inverse(xp, K * L, 1)


@formula(_LOSS, _TAU)
def mean_distance_from_loss(xp: Any, L: Any, tau: Any) -> Any:
    """Lower bound on the mean one-vs-rest distance of the weights from the mean loss.

    With the mean loss of one class it bounds the distance of that class, and the mean margin of
    its features from below.
    """
    return tau * phi_inverse(xp, L, 1)


@formula(_LOSS, _TAU, _DISTANCE)
def variability_from_loss(xp: Any, L: Any, tau: Any, D: Any) -> Any:
    """Upper bound on the mean squared distance of a class's features from their mean."""
    margin = tau * phi_inverse(xp, L, 1) / D
    kept = xp.maximum(margin, 0 * margin)
    return 1 - kept * kept


@formula(_K, _N, _TAU, _RHO)
def hardmax_rate(xp: Any, K: Any, n: Any, tau: Any, rho: Any) -> Any:
    """Upper bound on HardMax of a minimiser at temperature tau."""
    return -tau * phi_inverse(xp, n * K * xp.log1p((K - 1) * xp.exp(-rho / tau)), 1)


@formula(_K, _TAU, _RHO)
def distance_rate(xp: Any, K: Any, tau: Any, rho: Any) -> Any:
    """Lower bound on the one-vs-rest distance of a minimiser's weights at temperature tau."""
    return tau * phi_inverse(xp, K * xp.log1p((K - 1) * xp.exp(-rho / tau)), 1)


@formula(_K, _TAU, _RHO)
def simple_distance_rate(xp: Any, K: Any, tau: Any, rho: Any) -> Any:
    """The same, simpler: the distance less the temperature times log(K (K-1)/log 2)."""
    return rho - tau * xp.log(K * (K - 1) / xp.log(0 * rho + 2))


# -- convergence to HardMax (Lemma 3.1) -----------------------------------------------------------


def near_minimal(xp: Any, net: SphericalLayer, rival: SphericalLayer, epsilon: Any) -> Comparison:
    """The hypothesis that no competitor's loss is lower by more than epsilon."""
    return Comparison("near-minimal", net.loss, rival.loss + epsilon)


def allowed_loss(xp: Any, rival: SphericalLayer, tau: Any, epsilon: Any) -> Any:
    """What the HardMax of a competitor lets the mean loss be at most: (B,)."""
    rivals = rival.w.shape[1] - 1
    return softplus(xp, rival.hardmax / tau + xp.log(0 * tau + rivals)) + epsilon


def cluster_points(
    xp: Any, *, w: Any, h: Any, a: Any, b: Any, v: Any, g: Any, tau: Any, epsilon: Any
) -> Judgement:
    """How far the HardMax of a point (a, b) near a minimiser (w, h) is above a competitor's."""
    net, rival = spherical_layer(xp, w, h, tau), spherical_layer(xp, v, g, tau)
    limit = spherical_layer(xp, a, b, tau)
    away = xp.max(norm(xp, net.w - limit.w), axis=-1)
    apart = xp.max(xp.max(norm(xp, net.h - limit.h), axis=-1), axis=-1)
    samples = w.shape[1] * h.shape[2]
    kept = (limit.hardmax - 2 * away - 2 * apart) / tau
    return Judgement(
        (near_minimal(xp, net, rival, epsilon),),
        (
            Comparison(
                "HardMax of the cluster point",
                softplus(xp, kept),
                samples * allowed_loss(xp, rival, tau, epsilon),
            ),
        ),
    )


def rate(xp: Any, *, w: Any, h: Any, z: Any, v: Any, g: Any, tau: Any, epsilon: Any) -> Judgement:
    """HardMax and one-vs-rest distance of a near-minimiser beside those of any competitor."""
    K, n = w.shape[1], h.shape[2]
    net, rival = spherical_layer(xp, w, h, tau), spherical_layer(xp, v, g, tau)
    allowed = allowed_loss(xp, rival, tau, epsilon)
    distance = xp.min(norm(xp, net.w - rival_points(xp, net.w, z)), axis=-1)
    budget = K * ((K - 1) * xp.exp(rival.hardmax / tau) + epsilon)
    return Judgement(
        (near_minimal(xp, net, rival, epsilon),),
        (
            Comparison("HardMax", softplus(xp, net.hardmax / tau), n * K * allowed),
            Comparison("one-vs-rest distance", softplus(xp, -distance / tau), K * allowed),
            Comparison("simple rate", tau * xp.log(xp.log(0 * tau + 2) / budget), distance),
        ),
    )


# -- what one model's loss guarantees -------------------------------------------------------------


def guarantee_from_loss(xp: Any, *, w: Any, h: Any, z: Any, tau: Any) -> Judgement:
    """HardMax and one-vs-rest distances from mean losses, each as the loss that it needs."""
    K, n = w.shape[1], h.shape[2]
    net = spherical_layer(xp, w, h, tau)
    distances = norm(xp, net.w - rival_points(xp, net.w, z))
    lengths = norm(xp, xp.mean(net.h, axis=2))
    worst = softplus(xp, net.hardmax / tau)
    return Judgement(
        (),
        (
            Comparison("worst sample", worst, n * K * net.loss),
            Comparison(
                "mean loss", net.loss, softplus(xp, net.hardmax / tau + xp.log(0 * tau + K - 1))
            ),
            Comparison(
                "class by class",
                softplus(xp, -distances * lengths / column(tau)),
                xp.mean(net.losses, axis=-1),
            ),
            Comparison(
                "least distance", softplus(xp, -xp.min(distances, axis=-1) / tau), K * net.loss
            ),
            Comparison("mean distance", softplus(xp, -xp.mean(distances, axis=-1) / tau), net.loss),
        ),
    )


def direction_of_features(xp: Any, *, w: Any, h: Any, z: Any, tau: Any) -> Judgement:
    """Features whose margin is near the one-vs-rest distance point away from the hull."""
    net = spherical_layer(xp, w, h, tau)
    away = net.w - rival_points(xp, net.w, z)
    distances = norm(xp, away)
    along = xp.sum(net.h * (away / distances[..., None])[:, :, None, :], axis=-1)
    means = xp.mean(net.h, axis=2)
    spread = xp.mean(square_norm(xp, net.h - means[:, :, None, :]), axis=-1)
    share = xp.mean(net.margins, axis=-1) / distances
    kept = xp.maximum(share, 0 * share)
    of_class = xp.mean(net.losses, axis=-1)
    from_loss = variability_from_loss(xp, L=of_class, tau=column(tau), D=distances)
    typical = xp.sqrt(xp.mean(distances * distances, axis=-1))
    of_mean = variability_from_loss(xp, L=net.loss, tau=tau, D=typical)
    return Judgement(
        (),
        (
            Comparison("cosine", net.margins / distances[:, :, None], along),
            Comparison("variability from margins", spread, 1 - kept * kept),
            Comparison("variability from the loss", spread, from_loss),
            Comparison("mean variability", xp.mean(spread, axis=-1), of_mean),
        ),
    )


_NEAR = Field("epsilon", (), "budget", hypothesis="near-minimal")
_RIVAL = (Field("v", ("K", "d"), like="w"), Field("g", ("K", "n", "d"), like="v"))
_CLUSTER = (Field("a", ("K", "d"), like="w"), Field("b", ("K", "n", "d"), like="h"))

LEMMA_3_1 = Statement(
    id="gnc:lemma-3.1",
    kind="lemma",
    title="Convergence to the HardMax problem",
    source=Source("gnc", "Lemma 3.1, (6)"),
    topic="temperature_limit",
    variants=(
        Variant(
            "printed",
            "every cluster point of minimisers",
            r"For $K \ge 2$: every cluster point of minimisers $(W_\tau, H_\tau)$ of the mean loss "
            r"as $\tau \to 0$ minimises HardMax. Namely, if $(W, H)$ has rows within $\delta$ of "
            r"$w$-rows and $\delta'$ of $h$-rows of an $\varepsilon$-minimiser, and $M'$ is the "
            r"HardMax loss of any competitor, then $\mathrm{HardMax}(W, H) \le 2\delta + 2\delta' "
            r"+ \tau\log(e^{nK(\log(1 + (K-1)e^{M'/\tau}) + \varepsilon)} - 1)$.",
            Claim(
                cluster_points,
                (*LAYER, *_CLUSTER, *_RIVAL, TEMPERATURE, _NEAR),
                {"K": (2, 4), "n": (1, 2), "d": (1, 3)},
            ),
            remark="For epsilon = 0 and M' <= 0, which h = w attains, the right-hand side is at "
            "most 2 delta + 2 delta' + M' + tau log(K^(nK) - 1): as these vanish it says that "
            "HardMax(W, H) <= M', the printed inclusion. An epsilon that is not small beside "
            "e^(M'/tau) says nothing. For K = 1 the maximum is over nothing; with the value minus "
            "infinity every point minimises both sides. Cluster points exist: spheres are compact.",
        ),
        Variant(
            "sharp",
            "rate for every temperature",
            r"Let $(W, H)$ minimise the mean loss up to $\varepsilon$, and $M' = -\rho$ be the "
            r"HardMax loss of any competitor. Then $\mathrm{HardMax}(W, H) \le \tau\log(e^{nKs} - "
            r"1)$ and $\rho_{\text{one-vs-rest}}(W) \ge -\tau\log(e^{Ks} - 1) \ge "
            r"-\tau\log\frac{K((K-1)e^{-\rho/\tau} + \varepsilon)}{\log 2}$ with $s = \log(1 + "
            r"(K-1)e^{-\rho/\tau}) + \varepsilon$. For a minimiser and $\rho^* = \max\rho$: "
            r"$\rho_{\text{one-vs-rest}}(W) \ge \rho^* - \tau\log\frac{K(K-1)}{\log 2}$.",
            Claim(
                rate,
                (*LAYER, COMBINATIONS, *_RIVAL, TEMPERATURE, _NEAR),
                {"K": (2, 4), "n": (1, 2), "d": (1, 3)},
            ),
            (
                Bound("HardMax of a minimiser", hardmax_rate, "upper", 2),
                Bound("one-vs-rest distance of a minimiser", distance_rate, "lower", 0),
                Bound(
                    "one-vs-rest distance of a minimiser, simpler",
                    simple_distance_rate,
                    "lower",
                    0,
                ),
            ),
            remark="For small tau HardMax is within tau log(nK(K-1)) of its optimum, while the "
            "distance of the weights does not feel n. The constant 1/log 2 is the least for "
            "which the simple rate follows for every tau and K: beyond it says nothing.",
        ),
        Variant(
            "sharp",
            "guarantee from the loss",
            r"On the sphere let $L$ be the mean loss and $L_k$ that of class $k$, with the mean "
            r"feature $\bar h_k$. Then $\mathrm{HardMax} \le \tau\log(e^{nKL} - 1)$, $L \le \log(1 "
            r"+ (K-1)e^{\mathrm{HardMax}/\tau})$, and the distances $D_k$ of $w_k$ from the hull "
            r"of the others obey $|\bar h_k| D_k \ge -\tau\log(e^{L_k} - 1)$, $\min_k D_k \ge "
            r"-\tau\log(e^{KL} - 1)$ and $\frac1K\sum_k D_k \ge -\tau\log(e^L - 1)$.",
            Claim(guarantee_from_loss, (*LAYER, COMBINATIONS, TEMPERATURE), LAYER_SIZES),
            (
                Bound("HardMax", hardmax_from_loss, "upper", 2),
                Bound("least one-vs-rest distance", distance_from_loss, "lower", 0),
                Bound("mean one-vs-rest distance", mean_distance_from_loss, "lower", 0),
            ),
            remark="Attained for K = 2 where features collapse; the factors nK and K are needed "
            "from K = 3 on as tau vanishes. Whoever knows the losses of the classes needs no K, "
            "and the least loss of a class serves as well as its mean.",
        ),
        Variant(
            "sharp",
            "direction of the features",
            r"Let $D = |w_k - p|$ for a point $p$ of the hull of the other rows, "
            r"$u = (w_k - p)/D$ and $m_i = \min_{j \ne k}\langle w_k - w_j, h_{k,i}\rangle$. Then "
            r"$\langle h_{k,i}, u\rangle \ge m_i/D$, and the features of the class have the mean "
            r"squared distance at most $1 - (\bar m/D)_+^2$ from their mean, where $\bar m = "
            r"\frac1n\sum_i m_i \ge -\tau\log(e^{L_k} - 1)$; the mean over classes is at most "
            r"$1 - (m/\bar D)_+^2$, $m = -\tau\log(e^L - 1)$, $\bar D$ the root mean square of D.",
            Claim(direction_of_features, (*LAYER, COMBINATIONS, TEMPERATURE), LAYER_SIZES),
            (
                Bound(
                    "variability of a class about its mean feature",
                    variability_from_loss,
                    "upper",
                    1,
                ),
            ),
            remark="With the nearest p, D is the one-vs-rest distance of the class and u the "
            "direction that its features collapse to by gnc:theorem-3.5. Attained where all rivals "
            "that p combines are equally near.",
        ),
    ),
)

STATEMENTS = (LEMMA_3_1,)
