"""What a guarantee may use of a trained last layer, each number with its error.

A guarantee is only as good as the numbers that enter it. `Information` holds them as balls, which
enclose the truth; what is not known is None. `gather` computes them from features, labels and
weights in float64 and bounds its own rounding: d products and a sum in any order err by at most
``gamma_d = (d + 2) u`` times the sum of the magnitudes, a log-sum-exp moves by no more than its
logits do, and `exp`, `log` and `sqrt` of the mathematical library are taken to be right within 8
units in the last place. Centred features are those less the exact global mean: how far it is from
the vector that is subtracted counts as an error too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from ncbounds.arithmetic.balls import ball
from ncbounds.errors import InputError
from ncbounds.measure.door import Floats, Samples
from ncbounds.measure.moments import EPSILON, ClassMeans, add_by_class, class_means

_U = EPSILON / 2
#: Relative error that a number given in some precision stands for: sums of thousands of terms.
_GIVEN = {"float64": Fraction(1, 10**12), "float32": Fraction(1, 2**18), "float16": Fraction(1, 64)}


@dataclass(frozen=True, eq=False)
class Information:
    """What is known of a last layer and its features; arrays of balls are object arrays.

    Means run over samples, then over classes. The log-odds of a sample are those of its class plus
    ``log(C-1)``. `beta` is the norm of the weights, centred where they are known. In `mean_logits`
    row c is the class mean of the logits less the biases; if the features were centred, their
    centre moves into the biases.
    """

    classes: int
    alpha: Any
    beta: Any
    loss: Any = None
    log_odds: Any = None
    weights: Floats | None = field(default=None, repr=False)
    bias: Any = field(default=None, repr=False)
    """(C,) balls."""
    class_alpha: Any = field(default=None, repr=False)
    """(C,) balls: root mean square feature norms."""
    class_log_odds: Any = field(default=None, repr=False)
    """(C,) balls."""
    sample_log_odds: tuple[Floats, ...] | None = field(default=None, repr=False)
    """Of each class the log-odds of its samples, rounded down."""
    mean_logits: Any = field(default=None, repr=False)
    """(C, C) balls."""


def enclose(value: object, parameter: str) -> Any:
    """Return a ball around a number that was given: exact for an integer or a fraction.

    A float stands for the numbers within 10^-12 of it relatively, one in single precision for
    those within 2^-18.

    Raises
    ------
    InputError
        When it is not a finite number.
    """
    if isinstance(value, (int, Fraction, np.integer)):
        return ball(value)
    kind = str(getattr(value, "dtype", "float64")).removeprefix("torch.")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(parameter, repr(value), "a number") from error
    if not math.isfinite(number):
        raise InputError(parameter, number, "finite")
    if kind.startswith(("int", "uint", "bool")):
        return ball(number)
    relative = _GIVEN.get(kind, _GIVEN["float16"])
    return flint.arb(number) * flint.arb(1, float(relative) * 1.01)


def gather(samples: Samples, *, centred: bool = False) -> Information:
    """Compute all that guarantees may use of a model with weights.

    Parameters
    ----------
    samples
        Checked features, labels and last layer (`ncbounds.measure.door.admit`), with weights.
    centred
        Whether the global mean is subtracted from the features (it moves into the bias).

    Returns
    -------
    Information
        Every entry known; norms of the weights are those of the centred weights.
    """
    return gather_both(samples)[centred]


def gather_both(
    samples: Samples, means: ClassMeans | None = None
) -> tuple[Information, Information]:
    """The same of features as they are, and centred, in one reading of them.

    Of a block nothing is kept but K x K numbers, and a float a sample: its log-odds. `means` are
    `ncbounds.measure.moments.class_means`, where they are at hand.
    """
    W, b, K, d = samples.weights, samples.bias, samples.K, samples.d
    if W is None or b is None:
        raise InputError("weights", "missing", "given: every guarantee speaks of the last layer")
    means = means or class_means(samples)
    centres = np.zeros(d), means.uncentred.mean(axis=0)
    gamma = (d + 8) * _U
    size = np.abs(W)
    odds, odds_error, losses, loss_error = (np.zeros(K) for _ in range(4))
    squares, logits_sums, logits_sizes = np.zeros((2, K)), np.zeros((2, K, K)), np.zeros((2, K, K))
    least: list[list[Floats]] = [[] for _ in range(K)]
    for h, index in samples.blocks():
        z = h @ W.T + b
        error = gamma * (np.abs(h) @ size.T + np.abs(b))
        p, wrong = log_odds(z, error, index)
        a = math.log(K - 1) - p
        loss, raised = np.logaddexp(0.0, a), np.logaddexp(0.0, a + wrong)
        for total, values in (
            (odds, p),
            (odds_error, wrong + 4 * _U * np.abs(p)),
            (losses, loss),
            # Convex in a: it falls by less than it rises.
            (loss_error, raised - loss + 16 * _U * raised),
        ):
            add_by_class(total, values, index)
        for i, centre in enumerate(centres):
            shifted = h - centre
            add_by_class(squares[i], np.einsum("ij,ij->i", shifted, shifted), index)
            add_by_class(logits_sums[i], shifted @ W.T, index)
            add_by_class(logits_sizes[i], np.abs(shifted) @ size.T, index)
        for c in np.unique(index):
            own = index == c
            least[c].append(np.nextafter(p - wrong, -np.inf)[own])
    n = samples.counts
    summing = (int(n.max()) + K + 8) * _U
    class_odds = balls_around(odds / n, (odds_error + summing * _absolute(least)) / n)
    lengths = np.sqrt(np.square(W).sum(axis=1))
    common: dict[str, Any] = {
        "classes": K,
        "beta": _centred_norm(W),
        "loss": _mean(balls_around(losses / n, (loss_error + summing * losses) / n)),
        "log_odds": _mean(class_odds),
        "weights": W,
        "class_log_odds": class_odds,
        "sample_log_odds": tuple(map(np.concatenate, least)),
    }

    def about(i: int, moved: float, bias: Any) -> Information:
        """Of features less a centre that is wrong by at most so much."""
        squared = balls_around(squares[i] / n, (gamma + summing) * squares[i] / n)
        error = (gamma + summing) * logits_sizes[i] / n[:, None] + moved * lengths
        return Information(
            alpha=_root(_mean(squared), moved),
            class_alpha=np.array([_root(x, moved) for x in squared]),
            mean_logits=balls_around(logits_sums[i] / n[:, None], error),
            bias=bias,
            **common,
        )

    spread = float(np.sqrt((squares[1] / n).mean()))
    moved = _error_of_centre(means, centres[1], spread, summing)
    centred = about(1, moved, _bias(W, b, centres[1], gamma, moved * lengths))
    return about(0, 0.0, _exactly(b)), centred


def log_odds(z: Floats, error: Floats, index: Any) -> tuple[Floats, Floats]:
    """log(K-1) less the log-sum-exp of the rival logits above the own, and a bound of its error."""
    rows = np.arange(len(index))
    rivals = z - z[rows, index][:, None]
    moved = error + error[rows, index][:, None] + _U * np.abs(rivals)
    rivals[rows, index], moved[rows, index] = -np.inf, 0.0
    largest = rivals.max(axis=1)
    a = largest + np.log(np.exp(rivals - largest[:, None]).sum(axis=1))
    K = z.shape[1]
    rounding = (K + 24) * _U * (1 + np.abs(a) + np.abs(largest) + math.log(K))
    return math.log(K - 1) - a, moved.max(axis=1) * 1.01 + rounding


def _error_of_centre(means: ClassMeans, centre: Floats, spread: float, summing: float) -> float:
    """How far the exact global mean can be from the centre, of features `spread` about it.

    A class mean is a sample, its anchor, plus a mean of differences from it, each at most the
    distances of both from the centre; to which the rounding of the anchors' own sum is added.
    """
    K = len(means.anchors)
    differences = spread + float(_norms(means.anchors - centre).mean())
    added = float((_norms(means.anchors) + _norms(means.shifts)).mean())
    return float(1.1 * (summing * differences + (K + 8) * _U * added))


def _bias(W: Floats, b: Floats, centre: Floats, gamma: float, moved: Floats) -> Any:
    """The logits at the centre, (K,): the biases of the centred features."""
    return balls_around(W @ centre + b, gamma * (np.abs(W) @ np.abs(centre) + np.abs(b)) + moved)


def _exactly(numbers: Floats) -> Any:
    return np.array([flint.arb(x) for x in numbers])


def _centred_norm(W: Floats) -> Any:
    """Root mean square norm of the centred rows."""
    lengths, error = centred_lengths(W)
    square = float(np.square(lengths).mean())
    root = math.sqrt(square)
    return flint.arb(root, 1.01 * (error + (len(W) + 16) * _U * root)).nonnegative_part()


def centred_lengths(W: Floats) -> tuple[Floats, float]:
    """Norms of the centred rows, and a bound of their errors, at least one unit of rounding."""
    K, d = W.shape
    lengths = _norms(W - W.mean(axis=0))
    # The mean is wrong by (K + 1) u of the mean magnitudes, the difference and the norm by more u.
    error = (K + 4) * _U * float(_norms(W).mean()) + (d + 8) * _U * float(lengths.max())
    return lengths, 1.01 * error


def _norms(rows: Floats) -> Floats:
    norms: Floats = np.sqrt(np.square(rows).sum(axis=-1))
    return norms


def _root(square: Any, moved: float) -> Any:
    """The root of what is not negative, moved by at most so much."""
    low = max(float(square.lower()), 0.0)
    lower, upper = flint.arb(low * (1 - 4 * _U)).sqrt() - moved, square.upper().sqrt() + moved
    return lower.nonnegative_part().union(upper)


def _absolute(parts: list[list[Floats]]) -> Floats:
    return np.array([sum(float(np.abs(p).sum()) for p in rows) for rows in parts])


def balls_around(middles: Floats, radii: Floats) -> Any:
    """Balls around floats, as an object array of the same shape; radii a little larger."""
    flat = [
        flint.arb(m, r * 1.01 + 1e-300) for m, r in zip(middles.ravel(), radii.ravel(), strict=True)
    ]
    return np.array(flat, dtype=object).reshape(middles.shape)


def _mean(values: Any) -> Any:
    return sum(values, flint.arb(0)) / len(values)
