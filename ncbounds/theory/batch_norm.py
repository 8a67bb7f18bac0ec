"""Batch normalisation without bias: what it makes of norms and means.

A batch is normalised coordinate by coordinate, ``h = gamma (x - mean)/sqrt(variance)``, with the
mean and variance of the batch. Implementations add a small ``eta > 0`` to the variance.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.terms import Claim, Comparison, Field, Judgement, Source, Statement, Variant


def normalised(xp: Any, x: Any, eta: Any) -> tuple[Any, Any]:
    """Centre a batch x (B, N, d) and divide by the root of its variance plus eta.

    Returns the normalised batch before gamma, and the variances (B, d).
    """
    centred = x - xp.mean(x, axis=1)[:, None, :]
    variance = xp.mean(centred * centred, axis=1)
    return centred / xp.sqrt(variance + eta[:, None])[:, None, :], variance


def standardised(xp: Any, x: Any, floor: Any) -> tuple[Any, Any]:
    """Centre a batch and divide by the root of its variance, which is at least `floor`."""
    centred = x - xp.mean(x, axis=1)[:, None, :]
    variance = xp.mean(centred * centred, axis=1)
    below = xp.maximum(variance, floor[:, None] + 0 * variance)
    return centred / xp.sqrt(below)[:, None, :], variance


def _spread_out(xp: Any, floor: Any, *variances: Any) -> Comparison:
    """No coordinate is constant in a batch: all variances are at least a positive number."""
    least = xp.min(variances[0], axis=-1)
    for variance in variances[1:]:
        least = xp.minimum(least, xp.min(variance, axis=-1))
    return Comparison("no constant coordinate", floor, least)


def quadratic_mean(xp: Any, *, x: Any, y: Any, gamma: Any, floor: Any) -> Judgement:
    """The mean square norm over two batches of different sizes."""
    (first, of_first), (second, of_second) = (standardised(xp, z, floor) for z in (x, y))
    squares = [xp.sum(square_norm(xp, gamma[:, None, :] * z), axis=-1) for z in (first, second)]
    number = x.shape[1] + y.shape[1]
    return Judgement(
        (_spread_out(xp, floor, of_first, of_second),),
        (
            Comparison("one batch", squares[0], x.shape[1] * square_norm(xp, gamma), "="),
            Comparison(
                "all batches", (squares[0] + squares[1]) / number, square_norm(xp, gamma), "="
            ),
        ),
    )


def gamma_not_squared(xp: Any, *, x: Any, gamma: Any, floor: Any) -> Judgement:
    """The line of the proof in which gamma enters without its square."""
    z, variance = standardised(xp, x, floor)
    h = gamma[:, None, :] * z
    return Judgement(
        (_spread_out(xp, floor, variance),),
        (
            Comparison(
                "one coordinate",
                xp.sum(h * h, axis=1),
                xp.sum(gamma[:, None, :] * z * z, axis=1),
                "=",
            ),
        ),
    )


def as_implemented(xp: Any, *, x: Any, gamma: Any, eta: Any) -> Judgement:
    """With eta under the root: the mean square norm exactly, and at most that of gamma."""
    z, variance = normalised(xp, x, eta)
    mean_square = xp.mean(square_norm(xp, gamma[:, None, :] * z), axis=-1)
    kept = variance / (variance + eta[:, None])
    return Judgement(
        (),
        (
            Comparison("mean square", mean_square, xp.sum(gamma * gamma * kept, axis=-1), "="),
            Comparison("at most gamma", mean_square, square_norm(xp, gamma)),
        ),
    )


def zero_mean(xp: Any, *, x: Any, y: Any, gamma: Any, eta: Any) -> Judgement:
    """The mean of all features, normalised batch by batch."""
    whole = sum(xp.sum(gamma[:, None, :] * normalised(xp, z, eta)[0], axis=1) for z in (x, y))
    mean = whole / (x.shape[1] + y.shape[1])
    return Judgement((), (Comparison("global mean", mean, 0 * mean, "="),))


def running_mean(xp: Any, *, x: Any, gamma: Any, running: Any, variance: Any) -> Judgement:
    """The same with a mean and variance that were kept from training, as at inference."""
    z = (x - running[:, None, :]) / xp.sqrt(variance)[:, None, :]
    mean = xp.mean(gamma[:, None, :] * z, axis=1)
    return Judgement((), (Comparison("global mean", mean, 0 * mean, "="),))


_X, _Y = Field("x", ("N", "d")), Field("y", ("M", "d"))
_GAMMA = Field("gamma", ("d",))
_FLOOR, _ETA = Field("floor", (), "positive"), Field("eta", (), "positive")
_BATCHES = {"N": (2, 8), "M": (2, 8), "d": (1, 6)}
_BATCH = {"N": (1, 8), "d": (1, 6)}

PROPOSITION_2_1 = Statement(
    id="bnwd:proposition-2.1",
    kind="proposition",
    title="Batch norm fixes the quadratic mean of the feature norms",
    source=Source("bnwd", "Proposition 2.1, Sec. 2.3 and A.1"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "no constant coordinate, batches of any sizes",
            r"If no coordinate is constant within a batch, $\frac1N\sum_i|h_i|^2 = |\gamma|^2$ "
            "over every batch, and over all batches together.",
            Claim(quadratic_mean, (_X, _Y, _GAMMA, _FLOOR), _BATCHES),
            remark="A constant coordinate is divided by zero: a batch of one sample has no batch "
            "norm. The main text has B vectors and a mean over N; the appendix sets it right.",
        ),
        Variant(
            "printed",
            "gamma not squared, as typeset in the proof",
            r"$\sum_i(h_i^{(k)})^2 = \sum_i\gamma^{(k)}(\hat x_i^{(k)})^2$.",
            Claim(gamma_not_squared, (_X, _GAMMA, _FLOOR), {"N": (2, 8), "d": (1, 6)}),
            defect="A slip: gamma enters with its square, as the right end of the line has it.",
        ),
        Variant(
            "sharp",
            "as implemented",
            r"With $\eta > 0$ added to the variance $\sigma_k^2$ and any batch, $\frac1N\sum_i"
            r"|h_i|^2 = \sum_k\gamma_k^2\frac{\sigma_k^2}{\sigma_k^2 + \eta} \le |\gamma|^2$.",
            Claim(as_implemented, (_X, _GAMMA, _ETA), _BATCH),
            remark="So the norm bound of the theorems holds in real networks too, though not the "
            "equality: a coordinate with a variance far below eta is lost.",
        ),
    ),
)

ZERO_MEAN = Statement(
    id="bnwd:remark-bn-zero-mean",
    kind="remark",
    title="Batch norm without bias makes the global mean of the features zero",
    source=Source("bnwd", "Sec. 2.2"),
    topic="proximity",
    variants=(
        Variant(
            "printed",
            "statistics of the batches",
            "If every batch is normalised with its own mean and variance (plus eta), the mean of "
            "all features is zero.",
            Claim(zero_mean, (_X, _Y, _GAMMA, _ETA), {**_BATCHES, "N": (1, 8), "M": (1, 8)}),
            remark="A class may have features of any mean, and so may a part of the data that "
            "was not normalised as one batch.",
        ),
        Variant(
            "printed",
            "running statistics",
            "The same with the running mean and variance that a network uses at inference.",
            Claim(
                running_mean,
                (_X, _GAMMA, Field("running", ("d",)), Field("variance", ("d",), "positive")),
                _BATCH,
            ),
            defect="The running mean is not the mean of the data at hand.",
        ),
    ),
)

STATEMENTS = (PROPOSITION_2_1, ZERO_MEAN)
