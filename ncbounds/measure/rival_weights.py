"""The probabilities on the rivals of a class that make `bnwd:sharp-3` sharpest.

Any probabilities are a certificate, so nothing here need be trusted: what the solver returns only
has to be evaluated. The best are those of a softmax at h*, the shortest feature whose log-odds are
the class' mean log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from ncbounds.errors import InputError

Array = npt.NDArray[np.float64]

_NEWTON_STEPS, _HALVINGS, _POLISHING = 60, 30, 3
#: Excess of f, relative to the level, at which mu is good enough: what is certified loses only its
#: square. Newton's h is no better.
_CLOSE = 1e-7
#: Binary logarithms between which mu is sought, for differences of norm at most 1, and its steps.
_LARGEST, _LEAST, _STRIDE = 20.0, -40.0, 2.0


@dataclass(frozen=True)
class RivalWeights:
    """Probabilities on all classes, zero for the class itself, and what they certify.

    `margin` is a of the statement, `direction` omega (d,) and `reach` a/|omega|: the class mean
    is at least that long (where a > 0).
    """

    probabilities: Array
    direction: Array
    margin: float

    @property
    def reach(self) -> float:
        """The guaranteed norm of the class mean, 0 where nothing is guaranteed."""
        length = float(np.linalg.norm(self.direction))
        return max(self.margin, 0.0) / length if length > 0 else 0.0


@dataclass(frozen=True)
class Centre:
    """Probabilities and mu of a class for which omega/mu is very nearly where they are the softmax.

    What `bnwd:sharp-5` asks for: the ellipsoid of the class mean is centred at omega/mu.
    """

    probabilities: Array
    mu: float


def centre(weights: Array, bias: Array, class_: int, found: RivalWeights) -> Centre:
    """Polish what `rival_weights` found by Newton steps at its mu, which is 0 for a reach of 0."""
    length = float(np.linalg.norm(found.direction))
    if not found.reach > 0:
        return Centre(found.probabilities, 0.0)
    mu = length / found.reach
    others = [c for c in range(len(weights)) if c != class_]
    differences, offsets = weights[others] - weights[class_], bias[others] - bias[class_]
    h = found.direction / mu
    for _ in range(_POLISHING):
        pi = _log_sum(differences @ h + offsets)[1]
        mean = pi @ differences
        spread = (differences - mean) * np.sqrt(pi)[:, None]
        # (spread^T spread + mu) step = mean + mu h, solved in as many unknowns as there are rivals.
        gradient = mean + mu * h
        seen = np.linalg.solve(spread @ spread.T + mu * np.eye(len(others)), spread @ gradient)
        h = h - (gradient - spread.T @ seen) / mu
    probabilities = np.zeros(len(weights))
    probabilities[others] = _log_sum(differences @ h + offsets)[1]
    return Centre(probabilities, mu)


def certified(
    weights: Array, bias: Array, class_: int, log_odds: float, probabilities: Array
) -> RivalWeights:
    """Evaluate given probabilities (C,), zero for the class itself."""
    direction = weights[class_] - probabilities @ weights
    entropy = -float(xlogy(probabilities, probabilities).sum())
    offset = float(probabilities @ bias - bias[class_])
    return RivalWeights(probabilities, direction, entropy + offset + log_odds)


def rival_weights(
    weights: Array, class_: int, log_odds: float, bias: Array | None = None
) -> RivalWeights:
    """Find the probabilities on the rivals of a class that guarantee it the longest class mean.

    Parameters
    ----------
    weights
        Last-layer weights, (C, d).
    class_
        The class, from 0.
    log_odds
        The class' mean of ``-log(e^loss - 1)``; the log-odds of the mean loss are a smaller,
        valid number.
    bias
        Biases of the last layer, (C,); without them, none.

    Returns
    -------
    RivalWeights
        The probabilities, the direction omega and the margin a. Where even a feature of zero has
        such log-odds nothing is guaranteed, and `reach` is 0.

    Raises
    ------
    InputError
        When shapes do not fit, a number is not finite, or there is no such class.

    Source: `bnwd:sharp-3`, identity (gap-W).

    Examples
    --------
    >>> import numpy as np
    >>> found = rival_weights(np.eye(3), 0, log_odds=3.0)
    >>> found.probabilities
    array([0. , 0.5, 0.5])
    >>> round(found.margin, 3)  # 3 + log 2
    3.693
    """
    weights = np.asarray(weights, dtype=np.float64)
    bias = np.zeros(len(weights)) if bias is None else np.asarray(bias, dtype=np.float64)
    _check(weights, bias, class_, log_odds)
    others = [c for c in range(len(weights)) if c != class_]
    differences, offsets = weights[others] - weights[class_], bias[others] - bias[class_]
    # The shortest feature lies in the span of the differences: R coordinates are enough.
    basis = np.linalg.svd(differences, full_matrices=False)[2]
    differences = differences @ basis.T
    feature = _shortest(differences, offsets, -log_odds)
    found = np.zeros(len(weights))
    found[others] = _log_sum(differences @ feature + offsets)[1]
    return certified(weights, bias, class_, log_odds, found)


def _check(weights: Array, bias: Array, class_: int, log_odds: float) -> None:
    if weights.ndim != 2 or len(weights) < 2:
        raise InputError("weights", weights.shape, "of shape (C, d) with C >= 2")
    if bias.shape != (len(weights),):
        raise InputError("bias", bias.shape, f"of shape ({len(weights)},)")
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        raise InputError("weights", "NaN or infinite", "finite")
    if not 0 <= class_ < len(weights):
        raise InputError("class", class_, f"in 0..{len(weights) - 1}")
    if not np.isfinite(log_odds):
        raise InputError("log_odds", log_odds, "finite")


def _shortest(differences: Array, offsets: Array, level: float) -> Array:
    """The shortest h with f(h) = log sum e^(difference . h + offset) at most a level.

    h minimises f + (mu/2)|h|^2, and f(h) grows with mu, which is lowered until f(h) is low enough.
    No level below the infimum of f is reached; the last h is returned then.
    """
    scale = float(np.sqrt(np.square(differences).sum(axis=1).max()))
    h = np.zeros(differences.shape[1])
    if level >= _log_sum(offsets)[0] or scale == 0:
        return h
    unit = differences / scale

    def excess(exponent: float) -> float:
        nonlocal h
        h = _regularised(unit, offsets, float(2.0**exponent), h)
        return _log_sum(unit @ h + offsets)[0] - level

    high, above = _LARGEST, excess(_LARGEST)
    if above <= 0:
        return h / scale
    low, below = high - _STRIDE, excess(high - _STRIDE)
    while below > 0 and low > _LEAST:
        high, above, low = low, below, low - _STRIDE
        below = excess(low)
    if below > 0:
        return h / scale
    # False position (Illinois): an end that stays for a second time counts half.
    side = 0
    for _ in range(_HALVINGS):
        middle = high - above * (high - low) / (above - below)
        found = excess(middle)
        if abs(found) <= _CLOSE * (1 + abs(level)):
            break
        if found > 0:
            high, above, below = middle, found, below / (1 + (side > 0))
            side = 1
        else:
            low, below, above = middle, found, above / (1 + (side < 0))
            side = -1
    return h / scale


def _log_sum(logits: Array) -> tuple[float, Array]:
    """The log-sum-exp of logits, and their softmax."""
    top = logits.max()
    powers = np.exp(logits - top)
    total = powers.sum()
    return float(top + np.log(total)), powers / total


def _regularised(differences: Array, offsets: Array, mu: float, start: Array) -> Array:
    """Minimise log sum e^(difference . h + offset) + (mu/2)|h|^2 by damped Newton steps."""
    h = start
    f, pi = _log_sum(differences @ h + offsets)
    here = f + mu / 2 * float(h @ h)
    for _ in range(_NEWTON_STEPS):
        mean = pi @ differences
        gradient = mean + mu * h
        spread = (differences - mean) * np.sqrt(pi)[:, None]
        step = np.linalg.solve(spread.T @ spread + mu * np.eye(len(h)), gradient)
        decrease = float(gradient @ step)
        # A smaller decrease drowns in rounding.
        if decrease <= 1e-15 * (1 + abs(here)):
            break
        length = 1.0
        for _ in range(_HALVINGS):
            moved = h - length * step
            f, found = _log_sum(differences @ moved + offsets)
            value = f + mu / 2 * float(moved @ moved)
            if value <= here - length * decrease / 4:
                break
            length /= 2
        else:
            break
        h, pi, here = moved, found, value
    return h
