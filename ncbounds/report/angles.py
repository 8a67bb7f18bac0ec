"""Angles of class means from the losses of each class and the weights: `bnwd:sharp-5` in balls.

The theorem takes any probabilities, multipliers and prices. They are chosen in floats; what they
are worth is certified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from ncbounds.arithmetic import balls
from ncbounds.measure.door import Floats
from ncbounds.measure.information import Information
from ncbounds.measure.rival_weights import Centre
from ncbounds.report.ends import single
from ncbounds.theory.proximity import ellipsoid

#: Classes up to which matrices of each class are multiplied in balls.
FEW = 32
#: Evaluations of a bound in floats to find the best price; it is flat there.
_TRIALS = 14


@dataclass(frozen=True)
class Angles:
    """How far cosines can be from those of vectors h0, on average over pairs of classes.

    `cosines` (C, C) and `lengths` (C,) belong to the h0; `class_means` and `mean_directions` bound
    the mean difference, and `nearest` (C,) are the least cosines of class means and h0.
    """

    cosines: Any
    nearest: Any
    class_means: Any
    mean_directions: Any


@dataclass(frozen=True)
class _Class:
    """Inner products of one class: of centred rivals, of the other h0's directions off its own."""

    pi: Any
    rivals: Any
    along: Any
    across: Any
    targets: Any


def class_angles(known: Information, centres: Sequence[Centre]) -> Angles | None:
    """Bound the angles of class means; `centres` hold what `rival_weights` found for each class.

    None where some class has nothing guaranteed of its mean.
    """
    C, W = known.classes, known.weights
    assert W is not None
    pi, directions = _probabilities(centres)
    whole = flint.arb_mat(W.tolist())
    gram = whole * whole.transpose()
    to_weights = directions * gram
    products = to_weights * directions.transpose()
    mu = [flint.arb(centre.mu) for centre in centres]
    if not all(m > 0 and products[c, c] > 0 for c, m in enumerate(mu)):
        return None
    roots = [products[c, c].sqrt() for c in range(C)]
    lengths = [root / m for root, m in zip(roots, mu, strict=True)]
    cosines = _array([[products[c, r] / (roots[c] * roots[r]) for r in range(C)] for c in range(C)])
    seen = _array([[to_weights[c, r] / roots[c] for r in range(C)] for c in range(C)])
    weights = _array([[gram[c, r] for r in range(C)] for c in range(C)])
    classes = [_of_class(c, pi[c], weights, seen, cosines) for c in range(C)]
    lags, widest = [], []
    for c in range(C):
        logits = [
            (to_weights[c, r] - to_weights[c, c]) / mu[c] + known.bias[r] - known.bias[c]
            for r in range(C)
        ]
        own = [(r, p) for r, p in enumerate(pi[c]) if p > 0]
        excess = _largest([p.log() - logits[r] for r, p in own])
        odds = known.class_log_odds[c] - flint.arb(C - 1).log()
        lags.append((excess - odds).upper())
        widest.append(_largest([classes[c].rivals[r, r] for r in range(len(own))]))
    alpha = [x.upper() for x in known.class_alpha]
    around = ellipsoid.around(balls, *map(single, (alpha, lengths, mu, lags, widest)))
    if not all(r > 0 for r in around.along.data[0]):
        return None
    sine, cosine = ellipsoid.angles(balls, around)
    sizes = balls.sum(balls.abs(single(cosines)), axis=-1) / (C - 1) - flint.arb(1) / (C - 1)
    least = single([x.lower() for x in known.class_alpha])
    found = [
        _mean_gap(around, sine, cosine, zeta, classes)
        for zeta in (
            ellipsoid.square_weights(balls, around, cosine, sizes),
            ellipsoid.square_weights(balls, around, cosine, sizes, least),
        )
    ]
    return Angles(cosines, cosine.data[0], *found)


def _probabilities(centres: Sequence[Centre]) -> tuple[list[list[Any]], Any]:
    """Balls of probabilities that add up to 1; and the matrix that takes weights to omegas."""
    C, found = len(centres), []
    for centre in centres:
        given = [flint.arb(float(p)) for p in centre.probabilities]
        total = sum(given, flint.arb(0))
        found.append([p / total for p in given])
    rows = [[(c == r) - found[c][r] for r in range(C)] for c in range(C)]
    return found, flint.arb_mat(rows)


def _of_class(c: int, pi: list[Any], weights: Any, seen: Any, cosines: Any) -> _Class:
    """Inner products around a class, of the rivals that have a probability."""
    C = len(pi)
    own = [r for r in range(C) if pi[r] > 0]
    others = [r for r in range(C) if r != c]
    share = _array(pi)
    middle = weights @ share
    centred = weights - middle[:, None] - middle[None, :] + (middle * share).sum()
    moved = seen - (seen * share[None, :]).sum(axis=1)[:, None]
    across = moved[others] - cosines[c, others][:, None] * moved[c][None, :]
    near = cosines[c, others]
    return _Class(
        share[own],
        centred[np.ix_(own, own)],
        moved[c, own],
        across[:, own],
        cosines[np.ix_(others, others)] - near[:, None] * near[None, :],
    )


def _mean_gap(
    around: ellipsoid.Around, sine: Any, cosine: Any, zeta: Any, classes: list[_Class]
) -> Any:
    """The mean over classes of their parts, at good prices."""
    C, parts = len(classes), []
    for c, one in enumerate(classes):
        own = ellipsoid.Around(*(x[:, c : c + 1] for x in vars(around).values()))
        s, k, weight = (x[:, c : c + 1] for x in (sine, cosine, zeta))
        price, multipliers = _best(C, one, own.steepness, s, k, weight)
        q = single([flint.arb(price)])
        kappa, more = ellipsoid.stretched(balls, own, s, k, weight, q)
        rivals = one.rivals + more.data[0, 0] * one.along[:, None] * one.along[None, :]
        targets, across, inner, pi = (
            single([x]) for x in (one.targets, one.across, rivals, one.pi)
        )
        visible = ellipsoid.seen(
            balls, targets, across, inner, pi, kappa, single([_exact(multipliers)])
        )
        gap = ellipsoid.class_gap(
            balls, C=single([flint.arb(C)]), sine=s, zeta=weight, q=q, Lambda=visible
        )
        parts.append(gap.data[0, 0])
    return sum(parts, flint.arb(0)) / C


def _best(
    C: int, one: _Class, steepness: Any, sine: Any, cosine: Any, zeta: Any
) -> tuple[float, Floats]:
    """The price and the multipliers that make the part of a class least, in floats."""
    from scipy.optimize import minimize_scalar

    kappa, s, k, weight = (float(x.data[0, 0].mid()) for x in (steepness, sine, cosine, zeta))
    pi, rivals, along, across, targets = (_floats(x) for x in vars(one).values())

    def at(q: float) -> tuple[float, Any]:
        kept = k * k * (1 + weight * s / q)
        inner = rivals + (1 / kept - 1) * np.outer(along, along)
        scaled = kappa * kept * pi[:, None]
        multipliers = np.linalg.solve((np.eye(len(pi)) + scaled * inner).T, across.T).T
        visible = targets - multipliers @ (scaled * across.T)
        return max(float(np.linalg.eigvalsh((visible + visible.T) / 2)[-1]), 0.0), multipliers

    def part(exponent: float) -> float:
        q = float(np.exp(exponent))
        return q + at(q)[0] / ((C - 1) * q)

    top = float(np.log(max(np.linalg.eigvalsh(targets)[-1] / (C - 1), 1e-12))) / 2
    best = minimize_scalar(
        part, bounds=(top - 2, top + 0.5), method="bounded", options={"maxiter": _TRIALS}
    )
    price = float(np.exp(best.x))
    return price, at(price)[1]


def _array(entries: Any) -> Any:
    return np.array(entries, dtype=object)


def _exact(numbers: Floats) -> Any:
    return np.frompyfunc(flint.arb, 1, 1)(numbers)


def _floats(entries: Any) -> Floats:
    found: Floats = np.frompyfunc(lambda x: float(x.mid()), 1, 1)(entries).astype(np.float64)
    return found


def _largest(values: list[Any]) -> Any:
    most = values[0]
    for x in values[1:]:
        most = most.max(x)
    return most
