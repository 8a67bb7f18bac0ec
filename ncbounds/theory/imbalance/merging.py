r"""Merging classes of equal size, and parting them: minority collapse of the regularised model.

The model is (21) with classes of any size: the mean loss over all N samples, and half of
``lambda_A |A|^2 + lambda_F |F|^2 + lambda_b |b|^2``. J of the classes, the minority, have n samples
each; weights and features of the others are the majority's. To merge the minority is to put the
mean weight, bias and feature in the place of each. With

    t = N (lambda_A lambda_F / n)^(1/2)

merging pays for t >= 1 and parting pays for t < 1: the threshold is n = N^2 lambda_A lambda_F,
whatever the majority is. Both hold for cross-entropy and for half the squared error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Statement,
    Variant,
)
from ncbounds.theory.unconstrained.contrastive import log_sum_exp

Loss = Callable[[Any, Any, int], Any]


def cross_entropy(xp: Any, logits: Any, k: int) -> Any:
    """Cross-entropy of class k over the last axis."""
    return log_sum_exp(xp, logits) - logits[..., k]


def half_square(xp: Any, logits: Any, k: int) -> Any:
    """Half the squared distance to the k-th unit vector, over the last axis."""
    return (square_norm(xp, logits) + 1) / 2 - logits[..., k]


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "square loss": half_square}


@dataclass(frozen=True)
class Penalties:
    """The three penalties, (B,) each."""

    A: Any
    F: Any
    b: Any


@dataclass(frozen=True)
class Model:
    """Weights, biases and features of majority and minority; every array has the batch axis first.

    Shapes: `major` (G, m), `minor` (J, m), `major_bias` (G,), `minor_bias` (J,), `features`
    (G, s, m) with multiplicities `counts` (G, s), `minor_features` (J, n, m), each of which
    stands for `each` (B,) equal samples.
    """

    major: Any
    minor: Any
    major_bias: Any
    minor_bias: Any
    features: Any
    counts: Any
    minor_features: Any
    each: Any

    def samples(self, xp: Any) -> Any:
        """Number N of all samples, (B,)."""
        J, n = self.minor_features.shape[1:3]
        return xp.sum(xp.sum(self.counts, axis=-1), axis=-1) + self.each * (J * n)

    def logits(self, xp: Any, x: Any) -> Any:
        """Logits of features (B, s, m), majority first: (B, s, G + J)."""
        both = ((self.major, self.major_bias), (self.minor, self.minor_bias))
        columns = [
            dot(xp, x, A[:, k][:, None, :]) + b[:, k][:, None]
            for A, b in both
            for k in range(A.shape[1])
        ]
        return xp.stack(columns, axis=-1)

    def mean_loss(self, xp: Any, loss: Loss) -> Any:
        """Mean loss over all samples, (B,)."""
        G, J = self.major.shape[1], self.minor.shape[1]
        total = 0 * self.each
        for k in range(G):
            values = loss(xp, self.logits(xp, self.features[:, k]), k)
            total = total + dot(xp, self.counts[:, k], values)
        for j in range(J):
            values = loss(xp, self.logits(xp, self.minor_features[:, j]), G + j)
            total = total + self.each * xp.sum(values, axis=-1)
        return total / self.samples(xp)

    def risk(self, xp: Any, loss: Loss, by: Penalties) -> Any:
        """Mean loss and penalties, (B,)."""
        weights = total_square(xp, self.major) + total_square(xp, self.minor)
        biases = square_norm(xp, self.major_bias) + square_norm(xp, self.minor_bias)
        major = xp.sum(dot(xp, self.counts, square_norm(xp, self.features)), axis=-1)
        features = major + self.each * total_square(xp, self.minor_features)
        penalty = by.A * weights + by.F * features + by.b * biases
        return self.mean_loss(xp, loss) + penalty / 2

    def merged(self, xp: Any) -> Model:
        """The minority with one weight, one bias and one feature."""
        return replace(
            self,
            minor=0 * self.minor + xp.mean(self.minor, axis=1, keepdims=True),
            minor_bias=0 * self.minor_bias + xp.mean(self.minor_bias, axis=1, keepdims=True),
            minor_features=0 * self.minor_features
            + xp.mean(xp.mean(self.minor_features, axis=2), axis=1)[:, None, None, :],
        )


def total_square(xp: Any, values: Any) -> Any:
    """Sum of squares over all axes but the first."""
    while values.ndim > 2:
        values = xp.reshape(values, (values.shape[0], -1))
    return square_norm(xp, values)


def collapse_ratio(xp: Any, N: Any, n: Any, lambda_A: Any, lambda_F: Any) -> Any:
    """``t = N (lambda_A lambda_F/n)^(1/2)``: classes of n samples merge exactly if t >= 1."""
    return N * xp.sqrt(lambda_A * lambda_F / n)


def spread_of_minority(xp: Any, model: Model, by: Penalties) -> tuple[Any, Any]:
    """Penalties of what merging takes away: between minority classes, and the rest; (B,) each."""
    n = model.minor_features.shape[2]
    one, means = model.merged(xp), xp.mean(model.minor_features, axis=2)
    weights = total_square(xp, model.minor - one.minor)
    features = total_square(xp, means - one.minor_features[:, :, 0])
    within = total_square(xp, model.minor_features - means[:, :, None, :])
    biases = square_norm(xp, model.minor_bias - one.minor_bias)
    between = (by.A * weights + by.F * model.each * n * features) / 2
    return between, (by.F * model.each * within + by.b * biases) / 2


def merging_pays(
    xp: Any, *, lambda_A: Any, lambda_F: Any, lambda_b: Any, **arrays: Any
) -> Judgement:
    """What merging gains at least, at any weights, features and biases."""
    model, by = Model(**arrays), Penalties(lambda_A, lambda_F, lambda_b)
    n = model.each * model.minor_features.shape[2]
    t = collapse_ratio(xp, model.samples(xp), n, lambda_A, lambda_F)
    between, rest = spread_of_minority(xp, model, by)
    return Judgement(
        (),
        tuple(
            Comparison(
                name,
                model.merged(xp).risk(xp, loss, by) + (1 - 1 / t) * between + rest,
                model.risk(xp, loss, by),
            )
            for name, loss in LOSSES.items()
        ),
    )


def parted(xp: Any, model: Model, direction: Any, weight: Any, feature: Any) -> Model:
    """Minority weights and features moved apart along a new coordinate.

    Class j gets the coordinate `weight` times the j-th entry of `direction` (B, J), and its
    features `feature` times that.
    """

    def longer(values: Any, last: Any) -> Any:
        m = values.shape[-1]
        return xp.stack([*(values[..., i] for i in range(m)), last], axis=-1)

    zero = 0 * model.minor_features[..., 0]
    return replace(
        model,
        major=longer(model.major, 0 * model.major[..., 0]),
        minor=longer(model.minor, weight[:, None] * direction),
        features=longer(model.features, 0 * model.features[..., 0]),
        minor_features=longer(
            model.minor_features, zero + (feature[:, None] * direction)[:, :, None]
        ),
    )


def parting_pays(
    xp: Any, *, direction: Any, t: Any, lambda_A: Any, lambda_b: Any, **arrays: Any
) -> Judgement:
    """What parting a merged minority gains at least, below the threshold."""
    model = Model(**arrays).merged(xp)
    n, N = model.each * model.minor_features.shape[2], model.samples(xp)
    by = Penalties(lambda_A, t * t * n / (N * N * lambda_A), lambda_b)
    centred = direction - xp.mean(direction, axis=-1, keepdims=True)
    unit = centred / xp.sqrt(square_norm(xp, centred))[:, None]

    def moved(product: Any) -> Model:
        ratio = t * n / (N * lambda_A)  # of the squares of the two coordinates
        return parted(xp, model, unit, xp.sqrt(product * ratio), xp.sqrt(product / ratio))

    gain = n / N * (1 - t) * (1 - t)
    return Judgement(
        (),
        (
            Comparison(
                "cross-entropy",
                moved(2 * (1 - t)).risk(xp, cross_entropy, by) + gain,
                model.risk(xp, cross_entropy, by),
            ),
            Comparison(
                "square loss",
                moved(1 - t).risk(xp, half_square, by) + gain / 2,
                model.risk(xp, half_square, by),
                "=",
            ),
        ),
    )


_ARRAYS = (
    Field("major", ("G", "m")),
    Field("minor", ("J", "m")),
    Field("major_bias", ("G",)),
    Field("minor_bias", ("J",)),
    Field("features", ("G", "s", "m")),
    Field("counts", ("G", "s"), "integer", least=1),
    Field("minor_features", ("J", "q", "m"), like="minor"),
    Field("each", (), "integer", least=1),
)
_DECAY = (Field("lambda_A", (), "positive"), Field("lambda_b", (), "nonnegative"))
_SIZES = {"G": (1, 3), "J": (2, 3), "q": (1, 2), "s": (1, 2), "m": (1, 3)}

MERGING = (
    Variant(
        "sharp",
        "regularised: merging pays above the threshold",
        r"Let J classes have n samples each, the others any number, N in all, and $t = "
        r"N\sqrt{\lambda_A\lambda_F/n}$. For every $A$, $F$, $b$, in every dimension, putting "
        r"the mean weight, bias and feature in the place of those of each of the J classes leaves "
        r"at most $R(A, F, b) - (1 - \frac1t)\left(\frac{\lambda_A}2|A_\perp|^2 + "
        r"\frac{n\lambda_F}2|F_\perp|^2\right)$, less the penalties of the variability and of "
        r"$b_\perp$, where $\perp$ is what is off the mean. So if $n < N^2\lambda_A\lambda_F$ they "
        r"have one weight and one feature at every global minimum, and nearly so near it.",
        Claim(merging_pays, (*_ARRAYS, Field("lambda_F", (), "positive"), *_DECAY), _SIZES),
        remark="Cross-entropy, and half the squared error, of (21) with unequal classes. Any "
        "classes of equal size are meant: those of the majority merge as well if they have at "
        "most N^2 lambda_A lambda_F samples.",
    ),
    Variant(
        "sharp",
        "regularised: parting pays below the threshold",
        r"Where J classes have one weight, bias and feature, and $t < 1$, one more dimension in "
        r"which they part along a unit vector $x \perp 1$ lowers the risk with cross-entropy by at "
        r"least $\frac nN(1 - t)^2$, and that with half the squared error by exactly half of it. "
        r"So if $n > N^2\lambda_A\lambda_F$, no global minimum has merged classes, if a "
        r"dimension is free: $m$ at least the number of the others plus 1 for cross-entropy.",
        Claim(
            parting_pays,
            (*_ARRAYS, Field("direction", ("J",)), Field("t", (), "proportion"), *_DECAY),
            {**_SIZES, "q": (1, 1)},
        ),
        remark="At a critical point weights and features span the same space, of at most as many "
        "dimensions as there are distinct weights, less one where the weights add up to zero: a "
        "dimension is free. With n = N^2 lambda_A lambda_F neither merging nor parting pays.",
    ),
)

#: Its wordings are those of review:eq-34, which `minority_collapse` states.
STATEMENTS: tuple[Statement, ...] = ()
