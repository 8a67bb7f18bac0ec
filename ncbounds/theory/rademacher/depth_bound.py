"""The error bound with the depth in place of the complexity, for dense networks on the unit ball.

A dense network of L layers has weights of Frobenius norm 1 here, square in the hidden layers, a
ReLU after every layer but the last. Complexities are without the factor 2.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ncbounds.arithmetic.formula import Parameter, formula, integer
from ncbounds.theory.rademacher.binary_tree import sign_vectors
from ncbounds.theory.rademacher.error_bound import DELTA, RHO, N
from ncbounds.theory.rademacher.moments import (
    golowich_factor,
    moment_network_bound,
    size_independent_network_bound,
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

L = integer("L", "number of layers", "L", at_least=1)
FIT = Parameter("rho", "product of the layers' norms", r"\rho", lower=Fraction(1))


# -- the bounds -----------------------------------------------------------------------------------


@formula(FIT, L, N, DELTA)
def printed_depth_bound(xp: Any, rho: Any, L: Any, N: Any, delta: Any) -> Any:
    """Printed bound (16) on the classification error."""
    spread = xp.log(2 * (xp.log(rho) + 1) ** 2 / delta) / (2 * N)
    return 2 * (rho + 1) * golowich_factor(xp, L) / xp.sqrt(N) + 3 * xp.sqrt(spread)


@formula(RHO, L, N, DELTA)
def corrected_depth_bound(xp: Any, rho: Any, L: Any, N: Any, delta: Any) -> Any:
    """Bound on the classification error as (12) gives it, with rho + 1 in the logarithm."""
    spread = xp.log(2 * (rho + 1) ** 2 / delta) / (2 * N)
    return 2 * (rho + 1) * golowich_factor(xp, L) / xp.sqrt(N) + 3 * xp.sqrt(spread)


@formula(RHO, L, N, DELTA)
def sharp_depth_bound(xp: Any, rho: Any, L: Any, N: Any, delta: Any) -> Any:
    """Bound on the classification error by moments and the expected complexity."""
    factor = xp.sqrt((L + (0 * L + 3) / 2) * xp.log(0 * L + 2))
    spread = xp.log((rho + 1) * (rho + 2) / delta) / (2 * N)
    return 2 * (rho + 1) * factor / xp.sqrt(N) + xp.sqrt(spread)


@formula(FIT, L, N, DELTA)
def geometric_depth_bound(xp: Any, rho: Any, L: Any, N: Any, delta: Any) -> Any:
    """Bound on the classification error with the logarithm of rho, at 2 rho in place of rho + 1."""
    factor = xp.sqrt((L + (0 * L + 3) / 2) * xp.log(0 * L + 2))
    scales = xp.log(rho) / xp.log(0 * rho + 2)
    spread = xp.log((scales + 1) * (scales + 2) / delta) / (2 * N)
    return 4 * rho * factor / xp.sqrt(N) + xp.sqrt(spread)


# -- dense networks -------------------------------------------------------------------------------


def _unit(xp: Any, weights: Any, axes: int) -> Any:
    """Weights divided by their Frobenius norm over the last axes."""
    square = weights * weights
    for _ in range(axes):
        square = xp.sum(square, axis=-1)
    norm = xp.sqrt(square)
    return weights / norm[(..., *[None] * axes)]


def dense_outputs(xp: Any, samples: Any, hidden: Any, readout: Any) -> Any:
    """Outputs of dense networks with Frobenius norms 1, one network a sign vector.

    `samples` (B, m, d), `hidden` (B, S, layers, d, d), `readout` (B, S, d); lengths do not count.
    Returns (B, S, m).
    """
    values = xp.reshape(samples, (samples.shape[0], 1, *samples.shape[1:]))
    for layer in range(hidden.shape[2]):
        weights = _unit(xp, hidden[:, :, layer], 2)
        values = xp.sum(values[:, :, :, None, :] * weights[:, :, None, :, :], axis=-1)
        values = xp.maximum(values, 0 * values)
    return xp.sum(values * _unit(xp, readout, 1)[:, :, None, :], axis=-1)


def dense_claim(xp: Any, *, samples: Any, hidden: Any, readout: Any, k: Any) -> Judgement:
    """The complexity of dense networks is below each factor; outputs are no larger than inputs."""
    m, layers = samples.shape[1], hidden.shape[2]
    outputs = dense_outputs(xp, samples, hidden, readout)
    sums = xp.sum(outputs * xp.asarray(sign_vectors(m)), axis=-1)
    attained = xp.mean(xp.abs(sums), axis=-1) / m
    lengths = xp.sqrt(xp.sum(samples * samples, axis=-1))
    data = xp.sqrt(xp.sum(lengths * lengths, axis=-1))
    given = {"levels": 0 * data + layers, "rho": 0 * data + 1, "m": 0 * data + m, "data": data}
    published = golowich_factor(xp, 0 * data + (layers + 1))
    radius = xp.max(lengths, axis=-1)
    return Judgement(
        (),
        (
            Comparison("size of the output", xp.abs(outputs[:, 0, 0]), lengths[:, 0]),
            Comparison("moments of order 2k", attained, moment_network_bound(xp, k=k, **given)),
            Comparison("size-independent", attained, size_independent_network_bound(xp, **given)),
            Comparison("Theorem 1 of [51]", attained, published * radius / xp.sqrt(0 * data + m)),
        ),
    )


# -- Equation (16) --------------------------------------------------------------------------------


def substitution_claim(xp: Any, *, rho: Any, L: Any, N: Any, delta: Any) -> Judgement:
    """(12) with the factor of Theorem 1 of [51] in place of the complexity is at most (16)."""
    given = {"rho": rho, "L": L, "N": N, "delta": delta}
    return Judgement(
        (),
        (Comparison("(16)", corrected_depth_bound(xp, **given), printed_depth_bound(xp, **given)),),
    )


def better_claim(xp: Any, *, above: Any, L: Any, N: Any, delta: Any) -> Judgement:
    """The sharp bound is at most (16) for rho = 1 + above."""
    given = {"rho": 1 + above, "L": L, "N": N, "delta": delta}
    return Judgement(
        (),
        (Comparison("(16)", sharp_depth_bound(xp, **given), printed_depth_bound(xp, **given)),),
    )


def shells_claim(xp: Any, *, t: Any, offset: Any, L: Any, N: Any, delta: Any) -> Judgement:
    """From the bound on one shell of norms to the bounds with rho, for both kinds of shells."""
    factor = xp.sqrt((L + (0 * L + 3) / 2) * xp.log(0 * L + 2)) / xp.sqrt(N)
    share = delta / ((t + 1) * (t + 2))
    spread = xp.sqrt(xp.log(1 / share) / (2 * N))
    given = {"L": L, "N": N, "delta": delta}
    small = xp.minimum(t, 0 * t + 64)
    of_scale = xp.sqrt(xp.log((small + 1) * (small + 2) / delta) / (2 * N))
    scale = (0 * t + 2) ** small
    return Judgement(
        (),
        (
            Comparison("shares", share, delta / (t + 1) - delta / (t + 2), "="),
            Comparison(
                "t <= rho <= t + 1",
                2 * (t + 1) * factor + spread,
                sharp_depth_bound(xp, rho=t + offset, **given),
            ),
            Comparison(
                "2^t <= rho <= 2^(t+1)",
                4 * scale * factor + of_scale,
                geometric_depth_bound(xp, rho=scale * (1 + offset), **given),
            ),
        ),
    )


_DELTA = Field("delta", (), "proportion")
_NUMBERS = (Field("L", (), "integer", least=1), Field("N", (), "integer", least=1), _DELTA)
_ERROR = "classification error"

EQUATION_16 = Statement(
    id="square:eq-16",
    kind="equation",
    title="Error bound with the depth",
    source=Source("square", "(16)"),
    topic="rademacher",
    variants=(
        Variant(
            "printed",
            "from (12) by substitution",
            r"(12) with $\mathcal R_S(\mathcal F) \le \frac{\sqrt{2\log(2) L} + 1}{\sqrt N}$ gives "
            r"$\frac{2(\rho+1)(\sqrt{2\log(2)L}+1)}{\sqrt N} + 3\sqrt{\frac{\log(2(\log(\rho)+1)^2/"
            r"\delta)}{2N}}$.",
            Claim(substitution_claim, (Field("rho", (), "positive"), *_NUMBERS)),
            defect="(12) has (rho + 1)^2 in the logarithm, (16) has (log(rho) + 1)^2, which is "
            "less. A logarithm of rho needs classes G_t whose norms double, and then 2 rho stands "
            "for rho + 1.",
        ),
        Variant(
            "printed",
            "as a bound of its own",
            r"With probability at least $1 - \delta$, (16) bounds the classification error of all "
            r"dense networks with $f(x_i) = y_i$, on inputs of norm at most 1: these have "
            r"$\rho \ge 1$.",
            Claim(better_claim, (Field("above", (), "nonnegative"), *_NUMBERS)),
            (Bound(_ERROR, printed_depth_bound, "upper", trivial=1),),
            remark="True though not as derived: the sharp bound below is smaller, since its factor "
            "of the depth is.",
        ),
        Variant(
            "corrected",
            "with the complexity of dense networks",
            r"For L-layer networks of Frobenius norms 1 on inputs of norm at most 1, $\frac1N "
            r"E_\sigma \sup |\sum_i \sigma_i f(x_i)| \le \frac{\sqrt{2\log(2) L} + 1}{\sqrt N}$, "
            r"so that $err(f) \le \frac{2(\rho+1)(\sqrt{2\log(2)L}+1)}{\sqrt N} + "
            r"3\sqrt{\frac{\log(2(\rho+1)^2/\delta)}{2N}}$. Moments of order 2k give "
            r"$(\frac{1+2^{1/(2k)}}2)^{L-1}((2k-1)!!)^{1/(2k)}$ in place of "
            r"$\sqrt{2\log(2) L} + 1$, or $\sqrt{(L+\frac32)\log 2}$.",
            Claim(
                dense_claim,
                (
                    Field("samples", ("m", "d")),
                    Field("hidden", ("S", "layers", "d", "d")),
                    Field("readout", ("S", "d")),
                    Field("k", (), "integer", least=1),
                ),
                {"m": (1, 3), "d": (1, 3), "layers": (1, 3)},
                {"S": lambda sizes: 2 ** (sizes["m"] - 1)},
            ),
            (Bound(_ERROR, corrected_depth_bound, "upper", trivial=1),),
            remark="[51] bounds the complexity without the factor 2 of Definition 1; (12) needs no "
            "more.",
        ),
        Variant(
            "sharp",
            "moments and the expected complexity",
            r"$err(f) \le \frac{2(\rho+1)\sqrt{(L+\frac32)\log 2}}{\sqrt N} + \sqrt{\frac{\log("
            r"(\rho+1)(\rho+2)/\delta)}{2N}}$; and for $\rho \ge 1$ also $err(f) \le \frac{4\rho"
            r"\sqrt{(L+\frac32)\log 2}}{\sqrt N} + \sqrt{\frac{\log((\log_2\rho+1)(\log_2\rho+2)/"
            r"\delta)}{2N}}$.",
            Claim(
                shells_claim,
                (
                    Field("t", (), "integer", least=0),
                    Field("offset", (), "proportion"),
                    *_NUMBERS,
                ),
            ),
            (
                Bound(_ERROR, sharp_depth_bound, "upper", trivial=1),
                Bound(_ERROR, geometric_depth_bound, "upper", trivial=1),
            ),
            remark="For convolutional networks the first term has the path-weighted inputs of "
            "Conjecture 1 and the norms of the filters.",
        ),
    ),
)

STATEMENTS = (EQUATION_16,)
