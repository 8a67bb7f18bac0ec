"""What guarantees may use of a last layer on the unit sphere, each number with its error.

Weights and features are scaled to length 1 in float64: a norm of d squares, a root and a quotient
move a vector by at most (d/2 + 4) u, and a product of two such vectors errs by at most
``(2d + 12) u``, of which `_error` is generous. Losses and margins carry this on, as in
`information`, and come out as balls that enclose the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ncbounds.errors import InputError
from ncbounds.measure.door import Floats, Samples, check_temperature
from ncbounds.measure.information import balls_around, log_odds
from ncbounds.measure.moments import EPSILON, add_by_class

_U = EPSILON / 2


@dataclass(frozen=True, eq=False)
class SphericalInformation:
    """Losses and margins of unit weights and features, of K classes.

    The margin of a sample is the least ``<w_k - w_j, h>`` over its rivals j.
    """

    classes: int
    largest_class: int
    """The most samples of any class."""
    hardmax: float
    """Minus the least margin, rounded up."""
    best_margins: Floats
    """(K,): the largest margin of each class, rounded down."""
    mean_margins: Any
    """(K,) balls."""
    lengths: Any
    """(K,) balls: lengths of the mean features."""
    temperature: float | None = None
    losses: Any = None
    """(K,) balls: mean losses at that temperature, None without one."""


def gather_on_sphere(samples: Samples, temperature: float | None = None) -> SphericalInformation:
    """Compute all that guarantees may use of weights and features scaled to length 1.

    Parameters
    ----------
    samples
        Checked features, labels and last layer (`ncbounds.measure.door.admit`); a bias is ignored.
    temperature
        Of the losses; without it there are none.

    Raises
    ------
    InputError
        Without weights, at a row of the weights or a feature that is zero, and at a temperature
        outside its range.
    """
    W, K, d = samples.weights, samples.K, samples.d
    if W is None:
        raise InputError("weights", "missing", "given: every guarantee speaks of the last layer")
    if temperature is not None:
        check_temperature(temperature)
    unit = _unit_rows("weights", W)
    error = _error(d)
    margins, sizes, losses, raised = (np.zeros(K) for _ in range(4))
    best, worst, means = np.full(K, -np.inf), np.inf, np.zeros((K, d))
    for h, index in samples.blocks():
        u = _unit_rows("features", h)
        cosines = u @ unit.T
        margin = _margins(cosines, index)
        np.maximum.at(best, index, margin)
        worst = min(worst, float(margin.min()))
        add_by_class(margins, margin, index)
        add_by_class(sizes, np.abs(margin), index)
        add_by_class(means, u, index)
        if temperature is not None:
            z = cosines / temperature
            moved = error / temperature + 2 * _U * np.abs(z)
            p, wrong = log_odds(z, moved, index)
            a = np.log(K - 1) - p
            loss, above = np.logaddexp(0.0, a), np.logaddexp(0.0, a + wrong)
            add_by_class(losses, loss, index)
            # Convex in a: it falls by less than it rises.
            add_by_class(raised, above - loss + 16 * _U * above, index)
    n = samples.counts
    summing = (int(n.max()) + 8) * _U
    wide = 2 * error + 4 * _U
    lengths = np.sqrt(np.square(means / n[:, None]).sum(axis=1))
    return SphericalInformation(
        classes=K,
        largest_class=int(n.max()),
        hardmax=float(np.nextafter(wide - worst, np.inf)),
        best_margins=np.nextafter(best - wide, -np.inf),
        mean_margins=balls_around(margins / n, wide + summing * sizes / n),
        # The sums of a class err by `summing` relative to at most 1, each coordinate alike.
        lengths=balls_around(lengths, np.full(K, error + np.sqrt(d) * summing + (d + 8) * _U)),
        temperature=temperature,
        losses=None
        if temperature is None
        else balls_around(losses / n, (raised + summing * losses) / n),
    )


def _error(d: int) -> float:
    """How far the computed product of two computed unit vectors is from that of the true ones."""
    return (3 * d + 32) * _U


def _unit_rows(parameter: str, rows: Floats) -> Floats:
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    if not norms.min() > 0:
        raise InputError(parameter, "a row of zeros", "rows that have a direction")
    unit: Floats = rows / norms[:, None]
    return unit


def _margins(cosines: Floats, index: Any) -> Floats:
    rows = np.arange(len(index))
    gaps = cosines - cosines[rows, index][:, None]
    gaps[rows, index] = -np.inf
    found: Floats = -gaps.max(axis=1)
    return found
